/* SPDX-License-Identifier: BSD-2-Clause */
/* No shortcuts: one byte after the other, one check after the other. */
#include "tests/support/snappy_twin.h"

static uint64_t plain_number(const uint8_t *p, size_t size)
{
    uint64_t v = 0;
    for (size_t i = size; i-- > 0;)
        v = v * 256 + p[i];
    return v;
}

kl_snappy_twin_outcome kl_snappy_twin(const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
    kl_snappy_twin_outcome o = {.error = KL_SNAPPY_OK};
    uint64_t announced = 0;
    size_t at = 0;
    for (;; at++) {
        o.fault_at = at;
        if (at == 5 || (at == 4 && at < len && src[at] >= 16)) {
            o.error = KL_SNAPPY_BAD_LENGTH;
            return o;
        }
        if (at == len) {
            o.error = KL_SNAPPY_TRUNCATED;
            return o;
        }
        announced += (uint64_t)(src[at] % 128) << (7 * at);
        if (src[at] < 128)
            break;
    }
    at++;
    if (announced > cap) {
        o.fault_at = 0;
        o.error = KL_SNAPPY_NO_ROOM;
        return o;
    }
    while (at < len) {
        unsigned kind = src[at] % 4, n = src[at] / 4;
        o.fault_at = at;
        o.tags[kind]++;
        if (kind == 0) {
            size_t extra = n < 60 ? 0 : n - 59;
            if (len - at - 1 < extra) {
                o.error = KL_SNAPPY_TRUNCATED;
                return o;
            }
            uint64_t size = (n < 60 ? n : plain_number(src + at + 1, extra)) + 1;
            if (len - at - 1 - extra < size)
                o.error = KL_SNAPPY_TRUNCATED;
            else if (announced - o.written < size)
                o.error = KL_SNAPPY_TOO_LONG;
            if (o.error)
                return o;
            at += 1 + extra;
            while (size-- > 0)
                dst[o.written++] = src[at++];
            continue;
        }
        size_t extra = kind == 3 ? 4 : kind;
        if (len - at - 1 < extra) {
            o.error = KL_SNAPPY_TRUNCATED;
            return o;
        }
        uint64_t offset = plain_number(src + at + 1, extra);
        size_t size = n + 1;
        if (kind == 1) {
            offset += n / 8 * 256;
            size = n % 8 + 4;
        }
        if (offset == 0 || offset > o.written)
            o.error = KL_SNAPPY_BAD_OFFSET;
        else if (announced - o.written < size)
            o.error = KL_SNAPPY_TOO_LONG;
        if (o.error)
            return o;
        o.copy_left_fragment |= offset > o.written % 65536 || o.written % 65536 + size > 65536;
        at += 1 + extra;
        for (; size-- > 0; o.written++)
            dst[o.written] = dst[o.written - offset];
    }
    o.fault_at = at;
    if (o.written != announced)
        o.error = KL_SNAPPY_TOO_SHORT;
    return o;
}
