/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unaligned words in the byte order of the snappy format, which is little-endian, on any machine.
 * Owns nothing, cannot fail; whoever calls knows that the bytes are there.
 *
 * Not base/le.h: the loops that use this are the hottest of the codec and store 8 bytes at a time,
 * so they are written in whole words and do not hope that a compiler finds the word in its bytes.
 */
#ifndef KL_CODECS_SNAPPY_WORD_H
#define KL_CODECS_SNAPPY_WORD_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define KL_SNAPPY_LE16(v) (v)
#define KL_SNAPPY_LE32(v) (v)
#define KL_SNAPPY_LE64(v) (v)
#else
#define KL_SNAPPY_LE16(v) __builtin_bswap16(v)
#define KL_SNAPPY_LE32(v) __builtin_bswap32(v)
#define KL_SNAPPY_LE64(v) __builtin_bswap64(v)
#endif

static inline uint32_t kl_snappy_load16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return KL_SNAPPY_LE16(v);
}

static inline uint32_t kl_snappy_load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return KL_SNAPPY_LE32(v);
}

static inline uint64_t kl_snappy_load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return KL_SNAPPY_LE64(v);
}

static inline void kl_snappy_store32(uint8_t *p, uint32_t v)
{
    v = KL_SNAPPY_LE32(v);
    memcpy(p, &v, sizeof v);
}

static inline void kl_snappy_store64(uint8_t *p, uint64_t v)
{
    v = KL_SNAPPY_LE64(v);
    memcpy(p, &v, sizeof v);
}

/* All 16 bytes are read before the first is written, so that the two places may overlap. */
static inline void kl_snappy_move16(uint8_t *to, const uint8_t *from)
{
    uint8_t bytes[16];
    memcpy(bytes, from, sizeof bytes);
    memcpy(to, bytes, sizeof bytes);
}

#endif
