/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Little-endian numbers, which the formats of the codecs are written in; at any alignment, on any
 * machine. Compilers make one load of each.
 */
#ifndef KL_BASE_LE_H
#define KL_BASE_LE_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t kl_le_load16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t kl_le_load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* A number of len bytes, at most 8; of none it is 0. */
static inline uint64_t kl_le_load(const uint8_t *p, size_t len)
{
    uint64_t v = 0;
    while (len-- > 0)
        v = v << 8 | p[len];
    return v;
}

static inline void kl_le_store32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

#endif
