/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The beginning of a text from outside, fit to be quoted in a message of one line: nothing in it
 * ends the line, moves the cursor or breaks the encoding, and it is short. Pure, nothing is owned.
 */
#ifndef KL_BASE_EXCERPT_H
#define KL_BASE_EXCERPT_H

#include <kloop/types.h>

/* Enough for every name there is. */
#define KL_EXCERPT_SIZE 64

/*
 * Writes at most size - 1 bytes and a terminator; size is at least 8. Control characters and bytes
 * that are not UTF-8 become '?'; a text that does not fit ends in "...". Answers to.
 */
const char *kl_excerpt(char *to, size_t size, kloop_string text);

#endif
