/* SPDX-License-Identifier: BSD-2-Clause */
/* Is this UTF-8? As Unicode defines it: nothing overlong, no surrogates, nothing above U+10FFFF. */
#ifndef KL_BASE_UTF8_H
#define KL_BASE_UTF8_H

#include <stddef.h>

/* The length of the longest valid beginning: len when all of it is valid, else the offset of the
 * faulty sequence. */
size_t kl_utf8_valid_len(const char *text, size_t len);

#endif
