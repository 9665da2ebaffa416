/* SPDX-License-Identifier: BSD-2-Clause */
/* See naive_snappy.h. */
#include "fuzz/naive_snappy.h"

typedef struct source {
    const uint8_t *at;
    const uint8_t *end;
    bool ended; /* a byte was wanted that is not there */
} source;

static uint8_t next(source *s)
{
    if (s->at < s->end)
        return *s->at++;
    s->ended = true;
    return 0;
}

static uint64_t little_endian(source *s, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)next(s) << (8 * i);
    return v;
}

static bool announced_length(source *s, uint64_t *length)
{
    *length = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = next(s);
        *length |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return !s->ended && *length <= UINT32_MAX;
    }
    return false;
}

bool kl_naive_snappy(const uint8_t *src, size_t len, uint8_t *dst, size_t room, size_t *made)
{
    source s = {src, src + len, false};
    uint64_t length;
    *made = 0;
    if (!announced_length(&s, &length) || length > room)
        return false;
    while (s.at < s.end) {
        uint8_t tag = next(&s);
        uint64_t count = tag >> 2;
        uint64_t offset = 0; /* 0: a literal */
        switch (tag & 3) {
        case 0:
            count = (count < 60 ? count : little_endian(&s, (unsigned)count - 59)) + 1;
            break;
        case 1:
            count = (count & 7) + 4;
            offset = (uint64_t)(tag >> 5) << 8 | next(&s);
            break;
        default:
            count = count + 1;
            offset = little_endian(&s, (tag & 3) == 2 ? 2 : 4);
            break;
        }
        if (s.ended || ((tag & 3) != 0 && (offset == 0 || offset > *made)) ||
            count > length - *made)
            return false;
        if ((tag & 3) == 0 && count > (uint64_t)(s.end - s.at))
            return false;
        for (; count > 0; count--, ++*made)
            dst[*made] = offset == 0 ? next(&s) : dst[*made - offset];
    }
    return *made == length;
}
