/* SPDX-License-Identifier: BSD-2-Clause */
/* MurmurHash2 by Austin Appleby, with the seed that Kafka's clients agree on. */
#include "core/partitioner.h"
#include "base/check.h"
#include "base/le.h"

#define SEED     UINT32_C(0x9747b28c)
#define MULTIPLY UINT32_C(0x5bd1e995)

uint32_t kl_murmur2(const uint8_t *bytes, size_t len)
{
    /* Java's lengths are ints. */
    uint32_t h = SEED ^ (uint32_t)len;
    size_t tail = len & 3;
    const uint8_t *end = len > 3 ? bytes + (len - tail) : bytes;
    for (; bytes != end; bytes += 4) {
        uint32_t k = kl_le_load32(bytes) * MULTIPLY;
        h = (h * MULTIPLY) ^ ((k ^ k >> 24) * MULTIPLY);
    }
    if (tail > 0)
        h = (h ^ (uint32_t)kl_le_load(bytes, tail)) * MULTIPLY;
    h = (h ^ h >> 13) * MULTIPLY;
    return h ^ h >> 15;
}

int32_t kl_partition_for_key(const uint8_t *key, size_t len, int32_t count)
{
    KL_ASSERT(count > 0);
    KL_ASSERT(key || len == 0);
    /* The sign bit is cleared, not the sign: the absolute value would be another partition. */
    return (int32_t)(kl_murmur2(key, len) & INT32_MAX) % count;
}
