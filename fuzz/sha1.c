/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-1 as FIPS 180-4 writes it down. See sha1.h. */
#include "fuzz/sha1.h"

#include "wiretools/hex.h"

#include <string.h>

static uint32_t rotated(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static void add_block(uint32_t h[5], const uint8_t *block)
{
    uint32_t w[80];
    for (unsigned t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (unsigned t = 16; t < 80; t++)
        w[t] = rotated(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (unsigned t = 0; t < 80; t++) {
        static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
        uint32_t f = t < 20              ? (b & c) | (~b & d)
                     : t < 40 || t >= 60 ? b ^ c ^ d
                                         : (b & c) | (b & d) | (c & d);
        uint32_t next = rotated(a, 5) + f + e + k[t / 20] + w[t];
        e = d;
        d = c;
        c = rotated(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void kl_sha1_name(const uint8_t *data, size_t len, char name[41])
{
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    size_t at = 0;
    for (; len - at >= 64; at += 64)
        add_block(h, data + at);
    uint8_t tail[128] = {0};
    size_t left = len - at;
    if (left > 0)
        memcpy(tail, data + at, left);
    tail[left] = 0x80;
    size_t tail_len = left < 56 ? 64 : 128;
    for (unsigned i = 0; i < 8; i++)
        tail[tail_len - 1 - i] = (uint8_t)((uint64_t)len * 8 >> (8 * i));
    for (size_t t = 0; t < tail_len; t += 64)
        add_block(h, tail + t);
    uint8_t digest[20];
    for (unsigned i = 0; i < 20; i++)
        digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
    kl_hex_encode(name, digest, sizeof digest);
    name[40] = '\0';
}
