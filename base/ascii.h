/* SPDX-License-Identifier: BSD-2-Clause */
/* Letters and digits of ASCII, whatever the locale of the process is. Nothing is owned, nothing
 * fails. */
#ifndef KL_BASE_ASCII_H
#define KL_BASE_ASCII_H

#include <stdbool.h>

static inline char kl_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool kl_ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

#endif
