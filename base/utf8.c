/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8 by its ranges (Unicode's table of well-formed sequences), eight ASCII bytes at a time. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static int continues(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The length of the sequence that starts at p, 0 if it is none. */
static size_t sequence_len(const uint8_t *p, size_t left)
{
    uint8_t lead = p[0];
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return left >= 2 && continues(p[1]) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        if (left < 3 || !continues(p[1]) || !continues(p[2]))
            return 0;
        if ((lead == 0xe0 && p[1] < 0xa0) || (lead == 0xed && p[1] > 0x9f))
            return 0;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (left < 4 || !continues(p[1]) || !continues(p[2]) || !continues(p[3]))
            return 0;
        if ((lead == 0xf0 && p[1] < 0x90) || (lead == 0xf4 && p[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
}

size_t kl_utf8_valid_len(const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t at = 0;
    while (at < len) {
        uint64_t eight;
        while (len - at >= sizeof eight) {
            memcpy(&eight, p + at, sizeof eight);
            if (eight & 0x8080808080808080u)
                break;
            at += sizeof eight;
        }
        if (at == len)
            break;
        size_t step = sequence_len(p + at, len - at);
        if (step == 0)
            return at;
        at += step;
    }
    return len;
}
