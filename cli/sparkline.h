/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers as small pictures in text: a sparkline, a column for each of them, and a bar, so much of
 * its length full. Letters of UTF-8 where the reader has them, else of ASCII.
 *
 * Text is appended to what the caller owns and is terminated; nothing fails.
 */
#ifndef KL_CLI_SPARKLINE_H
#define KL_CLI_SPARKLINE_H

#include <stdbool.h>
#include <stddef.h>

/* No letter of these takes more bytes. */
#define KL_SPARK_LETTER_MAX 3

/* One column for each value, the highest as high as it goes, 0 as low; values are not negative.
 * text has count * KL_SPARK_LETTER_MAX + 1 bytes. Answers the bytes written. */
size_t kl_sparkline(char *text, const double *values, size_t count, bool utf8);

/* A bar of so many columns, part (0 to 1) of it full, in steps of an eighth of a column where there
 * are letters for it; the rest is not written. text has columns * KL_SPARK_LETTER_MAX + 1 bytes.
 * Answers the columns written. */
unsigned kl_spark_bar(char *text, double part, unsigned columns, bool utf8);

#endif
