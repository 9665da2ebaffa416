/* SPDX-License-Identifier: BSD-2-Clause */
/* Character by character, because a cut inside one would make bytes that are not UTF-8. */
#include "base/excerpt.h"

#include "base/check.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* How long the character at p is; *shown tells whether it may be. */
static size_t character(const char *p, size_t left, bool *shown)
{
    uint8_t lead = (uint8_t)*p;
    size_t len = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    *shown = len <= left && lead >= 0x20 && lead != 0x7f && kl_utf8_valid_len(p, len) == len;
    /* U+0080 to U+009F are control characters too; one of them begins a terminal's commands. */
    if (*shown && lead == 0xc2 && (uint8_t)p[1] < 0xa0)
        *shown = false;
    return *shown ? len : 1;
}

const char *kl_excerpt(char *to, size_t size, kloop_string text)
{
    static const char dots[] = "...";
    KL_ASSERT(size >= 8);
    size_t len = 0;
    size_t fits = 0; /* what may stay if dots have to follow */
    for (size_t at = 0; at < text.len;) {
        bool shown;
        size_t step = character(text.data + at, text.len - at, &shown);
        if (len + step >= size) {
            memcpy(to + fits, dots, sizeof dots);
            return to;
        }
        if (shown)
            memcpy(to + len, text.data + at, step);
        else
            to[len] = '?';
        at += step;
        len += step;
        if (len + sizeof dots <= size)
            fits = len;
    }
    to[len] = '\0';
    return to;
}
