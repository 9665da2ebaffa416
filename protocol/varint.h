/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Variable-length integers: seven bits a byte, lowest first, the top bit says that another byte
 * follows.
 *
 * Lengths and tags of flexible messages are unsigned (uvarint), numbers inside records are zig-zag
 * (varint), which keeps small negative ones short. 32 bits take at most 5 bytes, 64 bits at
 * most 10.
 *
 * _size tells exactly what _put writes. _put writes the shortest form and answers the place behind
 * it. _get reads at p and never at or beyond end; it answers how many bytes it used, 0 when the
 * bytes end first, -1 when they are no such number; *v is set only when it answers more than 0.
 *
 * What is no such number: a fifth (tenth) byte that carries on. Forms longer than needed are taken,
 * as Kafka's ByteUtils takes them. ByteUtils also drops bits beyond the 32nd (64th): the zig-zag
 * readers do the same, so that records are judged as Kafka judges them; the unsigned ones refuse
 * such bits.
 *
 * Nothing here allocates or fails in another way. The caller of _put has the room.
 */
#ifndef KL_PROTOCOL_VARINT_H
#define KL_PROTOCOL_VARINT_H

#include <stddef.h>
#include <stdint.h>

#define KL_VARINT32_MAX_SIZE 5
#define KL_VARINT64_MAX_SIZE 10

static inline uint32_t kl_zigzag32(int32_t v)
{
    return ((uint32_t)v << 1) ^ (v < 0 ? UINT32_MAX : 0);
}

static inline int32_t kl_unzigzag32(uint32_t v)
{
    return (int32_t)((v >> 1) ^ (0 - (v & 1)));
}

static inline uint64_t kl_zigzag64(int64_t v)
{
    return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t kl_unzigzag64(uint64_t v)
{
    return (int64_t)((v >> 1) ^ (0 - (v & 1)));
}

/* ---- sizes ---- */

/* With b the index of the highest bit set, b / 7 + 1; (9 b + 73) / 64 is the same for b up to 63,
 * without a division. */
static inline size_t kl_uvarint64_size(uint64_t v)
{
    return (size_t)((63 - __builtin_clzll(v | 1)) * 9 + 73) >> 6;
}

static inline size_t kl_uvarint32_size(uint32_t v)
{
    return (size_t)((31 - __builtin_clz(v | 1)) * 9 + 73) >> 6;
}

static inline size_t kl_varint32_size(int32_t v)
{
    return kl_uvarint32_size(kl_zigzag32(v));
}

static inline size_t kl_varint64_size(int64_t v)
{
    return kl_uvarint64_size(kl_zigzag64(v));
}

/* ---- writing ---- */

static inline uint8_t *kl_uvarint32_put(uint8_t *p, uint32_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static inline uint8_t *kl_uvarint64_put(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static inline uint8_t *kl_varint32_put(uint8_t *p, int32_t v)
{
    return kl_uvarint32_put(p, kl_zigzag32(v));
}

static inline uint8_t *kl_varint64_put(uint8_t *p, int64_t v)
{
    return kl_uvarint64_put(p, kl_zigzag64(v));
}

/* ---- reading ---- */

/* The seven-bit groups of at most max bytes; bits beyond the 64th are dropped. Answers as _get
 * does. */
static inline int kl_varint_groups(const uint8_t *p, const uint8_t *end, int max, uint64_t *groups)
{
    uint64_t v = 0;
    for (int i = 0; i < max; i++) {
        if (p >= end)
            return 0;
        uint8_t byte = *p++;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *groups = v;
            return i + 1;
        }
    }
    return -1;
}

static inline int kl_uvarint32_get(const uint8_t *p, const uint8_t *end, uint32_t *v)
{
    if (p < end && *p < 0x80) {
        *v = *p;
        return 1;
    }
    uint64_t groups;
    int used = kl_varint_groups(p, end, KL_VARINT32_MAX_SIZE, &groups);
    if (used > 0) {
        if (groups > UINT32_MAX)
            return -1;
        *v = (uint32_t)groups;
    }
    return used;
}

static inline int kl_uvarint64_get(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    uint64_t groups;
    int used = kl_varint_groups(p, end, KL_VARINT64_MAX_SIZE, &groups);
    if (used > 0) {
        /* The tenth byte has room for the 64th bit alone. */
        if (used == KL_VARINT64_MAX_SIZE && p[used - 1] > 1)
            return -1;
        *v = groups;
    }
    return used;
}

static inline int kl_varint32_get(const uint8_t *p, const uint8_t *end, int32_t *v)
{
    if (p < end && *p < 0x80) {
        *v = kl_unzigzag32(*p);
        return 1;
    }
    uint64_t groups;
    int used = kl_varint_groups(p, end, KL_VARINT32_MAX_SIZE, &groups);
    if (used > 0)
        *v = kl_unzigzag32((uint32_t)groups);
    return used;
}

static inline int kl_varint64_get(const uint8_t *p, const uint8_t *end, int64_t *v)
{
    if (p < end && *p < 0x80) {
        *v = kl_unzigzag64(*p);
        return 1;
    }
    uint64_t groups;
    int used = kl_varint_groups(p, end, KL_VARINT64_MAX_SIZE, &groups);
    if (used > 0)
        *v = kl_unzigzag64(groups);
    return used;
}

#endif
