/* SPDX-License-Identifier: BSD-2-Clause */
/* MurmurHash2 is by Austin Appleby, with the seed that Kafka's clients agree on; FNV-1a by Fowler,
 * Noll and Vo. */
#include "core/hashes.h"
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

uint32_t kl_crc32(const uint8_t *bytes, size_t len)
{
    /* What four bits, shifted out one after the other, leave in the register: keys are short, and a
     * table of all bytes would not be in the cache for them. */
    static const uint32_t by_nibble[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ by_nibble[crc & 15];
        crc = crc >> 4 ^ by_nibble[crc & 15];
    }
    return ~crc;
}

uint32_t kl_fnv1a(const uint8_t *bytes, size_t len)
{
    uint32_t h = UINT32_C(0x811c9dc5);
    for (size_t i = 0; i < len; i++)
        h = (h ^ bytes[i]) * UINT32_C(0x01000193);
    return h;
}

int32_t kl_partition_for_key(const uint8_t *key, size_t len, int32_t count)
{
    KL_ASSERT(count > 0);
    KL_ASSERT(key || len == 0);
    /* The sign bit is cleared, not the sign: the absolute value would be another partition. */
    return (int32_t)(kl_murmur2(key, len) & INT32_MAX) % count;
}
