/* SPDX-License-Identifier: BSD-2-Clause */
/* Delimiters as people type them in a shell: \t, \n, \r, \0, \\ and \xNN stand for one byte. */
#ifndef KL_CLI_ESCAPES_H
#define KL_CLI_ESCAPES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes what text stands for to out, which has room for strlen(text) bytes, and tells how many
 * they are. false: there is another letter behind a backslash, or nothing.
 */
bool kl_escapes_decode(const char *text, char *out, size_t *out_len);

#endif
