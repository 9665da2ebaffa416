/* SPDX-License-Identifier: BSD-2-Clause */
/* See naive_record.h. */
#include "fuzz/naive_record.h"

typedef struct reader {
    const uint8_t *bytes;
    size_t at;
    size_t end;
    bool wrong;
} reader;

static uint8_t byte(reader *r)
{
    if (r->at < r->end)
        return r->bytes[r->at++];
    r->wrong = true;
    return 0;
}

/* Zig-zag, in at most so many bytes; what is above the type's width is dropped. */
static int64_t number(reader *r, unsigned bits)
{
    uint64_t v = 0;
    unsigned bytes_max = bits == 32 ? 5 : 10;
    for (unsigned i = 0; !r->wrong; i++) {
        if (i == bytes_max) {
            r->wrong = true;
            break;
        }
        uint8_t b = byte(r);
        v |= (uint64_t)(b % 128) << (7 * i);
        if (b < 128)
            break;
    }
    if (bits == 32)
        v &= UINT32_MAX;
    return v % 2 ? -(int64_t)(v / 2) - 1 : (int64_t)(v / 2);
}

static void content(reader *r, int64_t len)
{
    if (r->wrong || len < 0)
        return;
    if ((uint64_t)len > r->end - r->at)
        r->wrong = true;
    else
        r->at += (size_t)len;
}

/* A header's key must be there and be UTF-8. */
static void key(reader *r)
{
    int64_t len = number(r, 32);
    size_t from = r->at;
    if (len < 0)
        r->wrong = true;
    content(r, len);
    while (!r->wrong && from < r->at) {
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        uint8_t lead = r->bytes[from++];
        unsigned more = lead < 0x80       ? 0
                        : lead >> 5 == 6  ? 1
                        : lead >> 4 == 14 ? 2
                        : lead >> 3 == 30 ? 3
                                          : 9;
        if (more == 9 || r->at - from < more) {
            r->wrong = true;
            return;
        }
        uint32_t c = more == 0 ? lead : lead & (0x3fu >> more);
        for (unsigned i = 0; i < more; i++, from++) {
            r->wrong |= r->bytes[from] / 64 != 2;
            c = c * 64 + r->bytes[from] % 64;
        }
        r->wrong |= c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff);
    }
}

static void record(reader *r)
{
    int64_t size = number(r, 32);
    if (r->wrong || size < 0 || (uint64_t)size > r->end - r->at) {
        r->wrong = true;
        return;
    }
    size_t end = r->end;
    r->end = r->at + (size_t)size;
    byte(r);
    number(r, 64);
    number(r, 32);
    content(r, number(r, 32));
    content(r, number(r, 32));
    int64_t headers = number(r, 32);
    r->wrong |= headers < 0;
    for (int64_t i = 0; i < headers && !r->wrong; i++) {
        key(r);
        content(r, number(r, 32));
    }
    r->wrong |= r->at != r->end;
    r->end = end;
}

bool kl_naive_records(const uint8_t *bytes, size_t len, int64_t count)
{
    reader r = {bytes, 0, len, count < 0};
    for (int64_t i = 0; i < count && !r.wrong; i++)
        record(&r);
    return !r.wrong && r.at == r.end;
}
