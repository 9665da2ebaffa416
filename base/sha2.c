/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-2 in plain C, and the choice of who does the work.
 *
 * The constants of SHA-256 are the upper halves of the first ones of SHA-512: both are fractions of
 * the same roots. So one table serves both.
 *
 * SHA-256 has a faster variant on some processors, chosen at the first call as base/crc32c.c
 * does: the pointer leads to code alone, so no order of memory accesses is needed.
 */
#include "base/sha2_parts.h"
#include "base/be.h"
#include "base/wipe.h"

#include <stdatomic.h>
#include <string.h>

/* Cube roots of the first 80 primes: 64 bits behind the point. */
const uint64_t kl_sha2_factors[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

/* Square roots of the first 8. */
static const uint64_t beginning[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static inline uint32_t turn_32(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

static inline uint64_t turn_64(uint64_t x, unsigned by)
{
    return x >> by | x << (64 - by);
}

#define MIX_32(x, p, q, r) (turn_32(x, p) ^ turn_32(x, q) ^ turn_32(x, r))
#define MIX_64(x, p, q, r) (turn_64(x, p) ^ turn_64(x, q) ^ turn_64(x, r))
#define CHOICE(x, y, z)    (((x) & ((y) ^ (z))) ^ (z))
#define MAJORITY(x, y, z)  (((x) & (y)) | (((x) | (y)) & (z)))

#define ROUND_256(a, b, c, d, e, f, g, h, i)                                                       \
    do {                                                                                           \
        h += MIX_32(e, 6, 11, 25) + CHOICE(e, f, g) + (uint32_t)(factors[i] >> 32) + w[i];         \
        d += h;                                                                                    \
        h += MIX_32(a, 2, 13, 22) + MAJORITY(a, b, c);                                             \
    } while (0)

#define ROUND_512(a, b, c, d, e, f, g, h, i)                                                       \
    do {                                                                                           \
        h += MIX_64(e, 14, 18, 41) + CHOICE(e, f, g) + factors[i] + w[i];                          \
        d += h;                                                                                    \
        h += MIX_64(a, 28, 34, 39) + MAJORITY(a, b, c);                                            \
    } while (0)

/* Eight rounds, after which each letter is at its place again. */
#define ROUNDS(ROUND, i)                                                                           \
    do {                                                                                           \
        ROUND(a, b, c, d, e, f, g, h, i + 0);                                                      \
        ROUND(h, a, b, c, d, e, f, g, i + 1);                                                      \
        ROUND(g, h, a, b, c, d, e, f, i + 2);                                                      \
        ROUND(f, g, h, a, b, c, d, e, i + 3);                                                      \
        ROUND(e, f, g, h, a, b, c, d, i + 4);                                                      \
        ROUND(d, e, f, g, h, a, b, c, i + 5);                                                      \
        ROUND(c, d, e, f, g, h, a, b, i + 6);                                                      \
        ROUND(b, c, d, e, f, g, h, a, i + 7);                                                      \
    } while (0)

static void plain_256(uint32_t s[8], const uint8_t *block)
{
    uint32_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
    uint32_t w[16];
    const uint64_t *factors = kl_sha2_factors;
    for (size_t i = 0; i < 16; i++)
        w[i] = kl_be_load32(block + 4 * i);
    for (size_t round = 16;; round += 16, factors += 16) {
        ROUNDS(ROUND_256, 0);
        ROUNDS(ROUND_256, 8);
        if (round == 64)
            break;
        for (size_t i = 0; i < 16; i++) {
            uint32_t y = w[(i + 14) & 15];
            uint32_t x = w[(i + 1) & 15];
            w[i] += (turn_32(y, 17) ^ turn_32(y, 19) ^ y >> 10) + w[(i + 9) & 15] +
                    (turn_32(x, 7) ^ turn_32(x, 18) ^ x >> 3);
        }
    }
    s[0] += a;
    s[1] += b;
    s[2] += c;
    s[3] += d;
    s[4] += e;
    s[5] += f;
    s[6] += g;
    s[7] += h;
    kl_wipe(w, sizeof w);
}

static void plain_512(uint64_t s[8], const uint8_t *block)
{
    uint64_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
    uint64_t w[16];
    const uint64_t *factors = kl_sha2_factors;
    for (size_t i = 0; i < 16; i++)
        w[i] = kl_be_load64(block + 8 * i);
    for (size_t round = 16;; round += 16, factors += 16) {
        ROUNDS(ROUND_512, 0);
        ROUNDS(ROUND_512, 8);
        if (round == 80)
            break;
        for (size_t i = 0; i < 16; i++) {
            uint64_t y = w[(i + 14) & 15];
            uint64_t x = w[(i + 1) & 15];
            w[i] += (turn_64(y, 19) ^ turn_64(y, 61) ^ y >> 6) + w[(i + 9) & 15] +
                    (turn_64(x, 1) ^ turn_64(x, 8) ^ x >> 7);
        }
    }
    s[0] += a;
    s[1] += b;
    s[2] += c;
    s[3] += d;
    s[4] += e;
    s[5] += f;
    s[6] += g;
    s[7] += h;
    kl_wipe(w, sizeof w);
}

static bool everywhere(void)
{
    return true;
}

static const kl_sha2_variant plain = {"plain", everywhere, plain_256};

/* The best first. */
static const kl_sha2_variant *const variants[] = {
#if defined(__x86_64__)
    &kl_sha2_x86,
#endif
    &plain,
};

typedef void (*compress_fn)(uint32_t words[8], const uint8_t *block);

static void resolve(uint32_t words[8], const uint8_t *block);

static _Atomic(compress_fn) chosen = resolve;

static void resolve(uint32_t words[8], const uint8_t *block)
{
    size_t i = 0;
    while (!variants[i]->usable()) /* the last one always is */
        i++;
    atomic_store_explicit(&chosen, variants[i]->compress_256, memory_order_relaxed);
    variants[i]->compress_256(words, block);
}

const kl_sha2_variant *kl_sha2_variant_at(size_t index)
{
    return index < sizeof variants / sizeof variants[0] ? variants[index] : NULL;
}

void kl_sha2_begin(kl_sha2_words *words, kl_sha2_kind kind)
{
    if (kind == KL_SHA2_512) {
        memcpy(words->w64, beginning, sizeof beginning);
        return;
    }
    for (size_t i = 0; i < 8; i++)
        words->w32[i] = (uint32_t)(beginning[i] >> 32);
}

void kl_sha2_compress(kl_sha2_words *words, kl_sha2_kind kind, const uint8_t *block)
{
    if (kind == KL_SHA2_512)
        plain_512(words->w64, block);
    else
        atomic_load_explicit(&chosen, memory_order_relaxed)(words->w32, block);
}

void kl_sha2_store(const kl_sha2_words *words, kl_sha2_kind kind, uint8_t *digest)
{
    for (size_t i = 0; i < 8; i++) {
        if (kind == KL_SHA2_512)
            kl_be_store64(digest + 8 * i, words->w64[i]);
        else
            kl_be_store32(digest + 4 * i, words->w32[i]);
    }
}

void kl_sha2_init(kl_sha2 *h, kl_sha2_kind kind)
{
    *h = (kl_sha2){.kind = kind};
    kl_sha2_begin(&h->words, kind);
}

void kl_sha2_update(kl_sha2 *h, const void *data, size_t len)
{
    if (len == 0)
        return;
    const uint8_t *p = data;
    size_t block = kl_sha2_block(h->kind);
    size_t had = (size_t)h->len & (block - 1);
    h->len += len;
    if (had) {
        size_t more = len < block - had ? len : block - had;
        memcpy(h->tail + had, p, more);
        if (had + more < block)
            return;
        kl_sha2_compress(&h->words, h->kind, h->tail);
        p += more;
        len -= more;
    }
    for (; len >= block; p += block, len -= block)
        kl_sha2_compress(&h->words, h->kind, p);
    memcpy(h->tail, p, len);
}

void kl_sha2_final(kl_sha2 *h, uint8_t *digest)
{
    size_t block = kl_sha2_block(h->kind);
    size_t at = (size_t)h->len & (block - 1);
    h->tail[at++] = 0x80;
    /* The number of bits has an eighth of a block; nobody here has more of them than 64 bits can
     * tell. */
    if (at > block - block / 8) {
        memset(h->tail + at, 0, block - at);
        kl_sha2_compress(&h->words, h->kind, h->tail);
        at = 0;
    }
    memset(h->tail + at, 0, block - at);
    kl_be_store64(h->tail + block - 8, h->len << 3);
    kl_sha2_compress(&h->words, h->kind, h->tail);
    kl_sha2_store(&h->words, h->kind, digest);
    kl_wipe(h, sizeof *h);
}

void kl_sha2_of(kl_sha2_kind kind, const void *data, size_t len, uint8_t *digest)
{
    kl_sha2 h;
    kl_sha2_init(&h, kind);
    kl_sha2_update(&h, data, len);
    kl_sha2_final(&h, digest);
}
