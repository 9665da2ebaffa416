/* SPDX-License-Identifier: BSD-2-Clause */
/* The draws that take more thought. See drawn.h. */
#include "fuzz/drawn.h"

/* bits low bits of v, as a signed number of that width. */
static int64_t narrow(uint64_t v, unsigned bits)
{
    unsigned drop = 64 - bits;
    uint64_t sign = UINT64_C(1) << (bits - 1);
    v = v << drop >> drop;
    return (int64_t)((v ^ sign) - sign);
}

int64_t kl_drawn_number(kl_drawn *d, unsigned bits)
{
    uint8_t how = kl_drawn_u8(d);
    uint64_t v;
    switch (how & 7) {
    case 0:
        return 0;
    case 1:
        v = kl_drawn_u8(d);
        break;
    case 2:
        v = 0 - (uint64_t)kl_drawn_u8(d);
        break;
    case 3: /* a border: 2^k - 1, 2^k or 2^k + 1 */
        v = (UINT64_C(1) << (how >> 3) % bits) + kl_drawn_below(d, 3) - 1;
        break;
    case 4:
        v = (UINT64_C(1) << (bits - 1)) - (how >> 3 & 1);
        break;
    case 5:
        v = kl_drawn_u16(d);
        break;
    default:
        v = kl_drawn_u64(d);
        break;
    }
    return narrow(v, bits);
}

size_t kl_drawn_cuts(kl_drawn *d, kloop_slice bytes, kloop_slice *slices, size_t max)
{
    size_t count = 0;
    size_t at = 0;
    size_t wanted = 1 + kl_drawn_u8(d) % max;
    while (count + 1 < wanted) {
        size_t left = bytes.len - at;
        /* Small steps hit the fields of a header, large ones reach the end. */
        uint8_t step = kl_drawn_u8(d);
        size_t len = step & 1 ? (size_t)(step >> 1) : left / 128 * (step >> 1);
        if (len > left)
            len = left;
        slices[count++] = (kloop_slice){bytes.data + at, len};
        at += len;
    }
    slices[count++] = (kloop_slice){bytes.data + at, bytes.len - at};
    return count;
}
