/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XXH32 after its published description: four lanes eat 16 bytes a round, then words, then bytes,
 * then the bits are stirred once more. Owns nothing, cannot fail.
 */
#include "codecs/xxh32.h"

#include "base/le.h"

#define PRIME_1 0x9e3779b1u
#define PRIME_2 0x85ebca77u
#define PRIME_3 0xc2b2ae3du
#define PRIME_4 0x27d4eb2fu
#define PRIME_5 0x165667b1u

#define LANES   4

static uint32_t rotate(uint32_t v, unsigned bits)
{
    return v << bits | v >> (32 - bits);
}

static uint32_t lane_round(uint32_t lane, uint32_t word)
{
    return rotate(lane + word * PRIME_2, 13) * PRIME_1;
}

uint32_t kl_xxh32(const void *data, size_t len, uint32_t seed)
{
    const uint8_t *p = data;
    size_t left = len;
    uint32_t h;
    if (left >= 4 * LANES) {
        uint32_t lane[LANES] = {seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1};
        for (; left >= 4 * LANES; p += 4 * LANES, left -= 4 * LANES)
            for (size_t i = 0; i < LANES; i++)
                lane[i] = lane_round(lane[i], kl_le_load32(p + 4 * i));
        h = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
    } else {
        h = seed + PRIME_5;
    }
    h += (uint32_t)len; /* modulo 2^32, as the description has it */
    for (; left >= 4; p += 4, left -= 4)
        h = rotate(h + kl_le_load32(p) * PRIME_3, 17) * PRIME_4;
    for (; left > 0; p++, left--)
        h = rotate(h + *p * PRIME_5, 11) * PRIME_1;
    h = (h ^ h >> 15) * PRIME_2;
    h = (h ^ h >> 13) * PRIME_3;
    return h ^ h >> 16;
}
