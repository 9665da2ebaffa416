/* SPDX-License-Identifier: BSD-2-Clause */
/* Big-endian numbers, which is how nearly all of Kafka's are written; at any alignment. */
#ifndef KL_BASE_BE_H
#define KL_BASE_BE_H

#include "base/check.h"

#include <stdint.h>

KL_INLINE uint16_t kl_be_load16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

KL_INLINE uint32_t kl_be_load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

KL_INLINE uint64_t kl_be_load64(const uint8_t *p)
{
    return (uint64_t)kl_be_load32(p) << 32 | kl_be_load32(p + 4);
}

KL_INLINE void kl_be_store16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

KL_INLINE void kl_be_store32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

KL_INLINE void kl_be_store64(uint8_t *p, uint64_t v)
{
    kl_be_store32(p, (uint32_t)(v >> 32));
    kl_be_store32(p + 4, (uint32_t)v);
}

#endif
