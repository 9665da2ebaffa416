/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A token out of a file, as sasl.oauthbearer.token.endpoint.url names one: the whole file without
 * the blanks and line ends around it. It is read anew each time, so whoever keeps it fresh replaces
 * it at his own pace, by a rename best.
 *
 * The file is read in one go, and only if it is a plain one of at most KL_TOKEN_FILE_BYTES_MAX:
 * what could hold the loop, as a pipe, is refused. The bytes belong to the caller, who wipes them.
 */
#ifndef KL_DRIVER_TOKEN_FILE_H
#define KL_DRIVER_TOKEN_FILE_H

#include <kloop/types.h>

#include <stdbool.h>

#define KL_TOKEN_FILE_BYTES_MAX ((size_t)64 << 10)

/*
 * bytes has room for KL_TOKEN_FILE_BYTES_MAX + 1, and holds secrets afterwards, also on a failure.
 * path is terminated. false: why says, in a sentence with the path, what is wrong.
 */
bool kl_token_file_read(const char *path, char *bytes, kloop_string *token, char *why, size_t size);

#endif
