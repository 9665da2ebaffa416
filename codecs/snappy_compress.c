/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compressing half of the raw snappy block. Owns nothing, allocates nothing, cannot fail.
 *
 * The input is cut into fragments of 64 KiB. No copy looks back beyond its fragment, so that 16
 * bits hold every position and the copy with a 2-byte offset reaches everything. Within a fragment
 * a hash table maps the 4 bytes at a position to the last position that had the same hash. Where
 * the 4 bytes are truly the same, the match is widened to both sides and written as a copy; what
 * lies between two copies is a literal. While nothing is found the steps of the search grow, so
 * that data that cannot be compressed costs little more than its own copying.
 *
 * Room: h bytes of head come with a literal of n bytes: 1 up to n = 60, 2 up to 256, 3 above. A
 * copy of m >= 4 bytes saves at least one byte. So a literal and its copy together grow by 1 only
 * when they are 65 bytes or longer, by 2 only from 261 on: less than 1/64 of the input. The last
 * literal of a full fragment is paid for by the difference between 1/65 and 1/64. What remains is 5
 * bytes of announced length, 3 for the very last literal and at most 17 that a hasty literal or
 * copy writes beyond its end: SLACK covers them.
 */
#include "codecs/snappy_raw.h"

#include "base/check.h"
#include "codecs/snappy_word.h"

#include <string.h>

#define SLACK          32u
#define FRAGMENT_MAX   65536u
#define TABLE_BITS_MIN 8u
#define TABLE_BITS_MAX 14u

/* The last bytes of a fragment are not looked up: whole words and 16-byte moves stay inside it. */
#define TAIL_BYTES 16u

/* The step of the search starts at 1 and grows by 1/32 of itself with each lookup in vain. */
#define STEP_SHIFT 5u

_Static_assert(1u << TABLE_BITS_MAX == KL_SNAPPY_TABLE_SIZE, "the caller's table has this size");

size_t kl_snappy_bound(size_t len)
{
    size_t extra = len / 64 + SLACK;
    return len > SIZE_MAX - extra ? 0 : len + extra;
}

static uint8_t *put_length(uint8_t *op, uint32_t len)
{
    while (len >= 0x80) {
        *op++ = (uint8_t)(len | 0x80);
        len >>= 7;
    }
    *op++ = (uint8_t)len;
    return op;
}

/* 1 <= len <= FRAGMENT_MAX. Reads and writes exactly what it must. */
static uint8_t *put_literal(uint8_t *op, const uint8_t *from, size_t len)
{
    size_t n = len - 1;
    if (n < 60) {
        *op++ = (uint8_t)(n << 2);
    } else if (n < 256) {
        *op++ = 60 << 2;
        *op++ = (uint8_t)n;
    } else {
        *op++ = 61 << 2;
        *op++ = (uint8_t)n;
        *op++ = (uint8_t)(n >> 8);
    }
    memcpy(op, from, len);
    return op + len;
}

/* 1 <= len <= 64. */
static inline uint8_t *put_far_copy(uint8_t *op, size_t offset, size_t len)
{
    kl_snappy_store32(op, (uint32_t)(2 | (len - 1) << 2 | offset << 8));
    return op + 3;
}

/*
 * 4 <= len < 12: takes 2 bytes or 3. Both forms are computed and one is chosen, because a branch on
 * the offset would be guessed wrong too often.
 */
static inline uint8_t *put_short_copy(uint8_t *op, size_t offset, size_t len)
{
    size_t near = 1 | (len - 4) << 2 | (offset >> 8) << 5 | (offset & 0xff) << 8;
    size_t far = 2 | (len - 1) << 2 | offset << 8;
    kl_snappy_store32(op, (uint32_t)(offset < 2048 ? near : far));
    return op + (offset < 2048 ? 2 : 3);
}

/* len >= 4, in as many pieces as needed. */
static inline uint8_t *put_copy(uint8_t *op, size_t offset, size_t len)
{
    if (KL_LIKELY(len < 12))
        return put_short_copy(op, offset, len);
    while (KL_UNLIKELY(len >= 68)) {
        op = put_far_copy(op, offset, 64);
        len -= 64;
    }
    if (len > 64) {
        /* 64 would leave a piece that is too short for the 2-byte form. */
        op = put_far_copy(op, offset, 60);
        len -= 60;
    }
    if (len < 12)
        return put_short_copy(op, offset, len);
    return put_far_copy(op, offset, len);
}

static inline uint32_t hash(uint32_t bytes, unsigned shift)
{
    return (bytes * 2654435761u) >> shift;
}

/* The first bytes in memory are the lowest of a loaded word, on any machine. */
static inline size_t equal_low_bytes(uint64_t differ)
{
    return (unsigned)__builtin_ctzll(differ) >> 3;
}

/* How many bytes are the same from a and from b on, where a < b and b stops at end. */
static size_t same_after(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    const uint8_t *start = b;
    for (; end - b >= 8; a += 8, b += 8) {
        uint64_t differ = kl_snappy_load64(a) ^ kl_snappy_load64(b);
        if (differ)
            return (size_t)(b - start) + equal_low_bytes(differ);
    }
    while (b < end && *a == *b) {
        a++;
        b++;
    }
    return (size_t)(b - start);
}

/* How many bytes are the same before a and before b: at most 7, and no more than b_max. */
static inline size_t same_before(const uint8_t *start, const uint8_t *a, const uint8_t *b,
                                 size_t b_max)
{
    if (KL_UNLIKELY(a - start < 8))
        return 0;
    uint64_t differ = kl_snappy_load64(a - 8) ^ kl_snappy_load64(b - 8);
    size_t same = (unsigned)__builtin_clzll(differ | 1) >> 3;
    return same < b_max ? same : b_max;
}

/* len > TAIL_BYTES. *emitted_to is the end of what was written; the rest is the last literal. */
static uint8_t *put_matches(const uint8_t *frag, size_t len, uint8_t *op, uint16_t *table,
                            const uint8_t **emitted_to)
{
    unsigned bits = TABLE_BITS_MIN;
    while (bits < TABLE_BITS_MAX && (size_t)1 << bits < len)
        bits++;
    unsigned shift = 32 - bits;
    /* An empty entry points at the fragment's start, which is as good a guess as any. */
    memset(table, 0, sizeof *table << bits);

    const uint8_t *end = frag + len;
    const uint8_t *limit = end - TAIL_BYTES;
    const uint8_t *emitted = frag;
    const uint8_t *ip = frag + 1;
    uint32_t word = kl_snappy_load32(ip);

    for (;;) {
        /* Search. What the next round needs is fetched while this one's guess is on its way. */
        const uint8_t *from;
        const uint8_t *next = ip;
        uint32_t next_word = word;
        uint32_t next_hash = hash(word, shift);
        size_t stride = (size_t)1 << STEP_SHIFT;
        do {
            ip = next;
            word = next_word;
            uint16_t *slot = &table[next_hash];
            size_t step = stride >> STEP_SHIFT;
            stride += step;
            if (KL_UNLIKELY(step > (size_t)(limit - ip)))
                goto done;
            next = ip + step;
            next_word = kl_snappy_load32(next);
            next_hash = hash(next_word, shift);
            from = frag + *slot;
            *slot = (uint16_t)(ip - frag);
        } while (KL_LIKELY(kl_snappy_load32(from) != word));

        size_t literal = (size_t)(ip - emitted);
        size_t before = same_before(frag, from, ip, literal);
        literal -= before;
        if (KL_LIKELY(literal <= 16)) {
            /* With nothing to write the tag is overwritten by the copy's. */
            *op = (uint8_t)((literal - 1) << 2);
            kl_snappy_move16(op + 1, emitted);
            op += literal + (literal != 0);
        } else {
            op = put_literal(op, emitted, literal);
        }

        /* One copy often follows right behind the other. */
        do {
            size_t after;
            uint64_t differ = kl_snappy_load64(from + 4) ^ kl_snappy_load64(ip + 4);
            if (KL_LIKELY(differ))
                after = 4 + equal_low_bytes(differ);
            else
                after = 12 + same_after(from + 12, ip + 12, end);
            op = put_copy(op, (size_t)(ip - from), before + after);
            before = 0;
            ip += after;
            emitted = ip;
            if (KL_UNLIKELY(ip >= limit))
                goto done;
            uint64_t words = kl_snappy_load64(ip - 1);
            table[hash((uint32_t)words, shift)] = (uint16_t)(ip - frag - 1);
            word = (uint32_t)(words >> 8);
            next_word = (uint32_t)(words >> 16);
            uint16_t *slot = &table[hash(word, shift)];
            from = frag + *slot;
            *slot = (uint16_t)(ip - frag);
        } while (kl_snappy_load32(from) == word);
        ip++;
        word = next_word;
    }
done:
    *emitted_to = emitted;
    return op;
}

size_t kl_snappy_compress_block(const uint8_t *src, size_t len, uint8_t *dst, uint16_t *table)
{
    KL_ASSERT((uint64_t)len <= UINT32_MAX);
    uint8_t *op = put_length(dst, (uint32_t)len);
    while (len > 0) {
        size_t n = len < FRAGMENT_MAX ? len : FRAGMENT_MAX;
        const uint8_t *end = src + n;
        const uint8_t *emitted = src;
        if (n > TAIL_BYTES)
            op = put_matches(src, n, op, table, &emitted);
        if (emitted < end)
            op = put_literal(op, emitted, (size_t)(end - emitted));
        src = end;
        len -= n;
    }
    return (size_t)(op - dst);
}
