/* SPDX-License-Identifier: BSD-2-Clause */
/* Backslashes in delimiters. See escapes.h. */
#include "cli/escapes.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte behind a backslash, -1 for none; *at moves behind what was used. */
static int escaped(const char **at)
{
    char c = *(*at)++;
    switch (c) {
    case 't':
        return '\t';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case '0':
        return 0;
    case '\\':
        return '\\';
    case 'x': {
        int high = hex_digit(**at);
        int low = high < 0 ? -1 : hex_digit((*at)[1]);
        if (low < 0)
            return -1;
        *at += 2;
        return high * 16 + low;
    }
    default:
        return -1;
    }
}

bool kl_escapes_decode(const char *text, char *out, size_t *out_len)
{
    size_t n = 0;
    while (*text) {
        char c = *text++;
        if (c == '\\') {
            int byte = escaped(&text);
            if (byte < 0)
                return false;
            c = (char)byte;
        }
        out[n++] = c;
    }
    *out_len = n;
    return true;
}
