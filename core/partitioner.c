/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each partitioner makes of a key.
 *
 *                         null key            empty key           other keys
 *     sticky              sticky              murmur2             murmur2
 *     uniform_sticky      sticky              sticky              sticky
 *     round_robin, random whatever the key
 *     consistent          crc32 of nothing    crc32               crc32
 *     consistent_random   sticky              sticky              crc32
 *     murmur2             murmur2 of nothing  murmur2             murmur2
 *     murmur2_random      sticky              murmur2             murmur2
 *     fnv1a               fnv1a of nothing    fnv1a               fnv1a
 *     fnv1a_random        sticky              fnv1a               fnv1a
 *     sarama_...          sticky              fnv1a               fnv1a
 *
 * Where librdkafka says "random", it stays with one random partition for some milliseconds; where
 * sarama says so, it draws for each record, which no order depends on. Both are the sticky
 * partition here.
 */
#include "core/partitioner.h"
#include "base/check.h"
#include "core/hashes.h"

/* librdkafka takes the absolute value before the remainder, sarama after it: the same but for
 * INT32_MIN, whose absolute value librdkafka keeps as 2^31, which is what sarama comes to, too. */
static int32_t by_magnitude(uint32_t hash, int32_t count)
{
    uint32_t magnitude = hash > INT32_MAX ? 0 - hash : hash;
    return (int32_t)(magnitude % (uint32_t)count);
}

static int32_t by_all_bits(uint32_t hash, int32_t count)
{
    return (int32_t)(hash % (uint32_t)count);
}

static int32_t without_sign(uint32_t hash, int32_t count)
{
    return (int32_t)(hash & INT32_MAX) % count;
}

/* Is the record, with such a key, for the sticky partition? */
static bool goes_along(const kl_partitioning *how, kloop_slice key)
{
    switch (how->kind) {
    case KL_PARTITIONER_STICKY:
        return !key.data || how->ignore_keys;
    case KL_PARTITIONER_UNIFORM_STICKY:
        return true;
    case KL_PARTITIONER_CONSISTENT_RANDOM:
        return !key.data || key.len == 0;
    case KL_PARTITIONER_MURMUR2_RANDOM:
    case KL_PARTITIONER_FNV1A_RANDOM:
    case KL_PARTITIONER_SARAMA_HASH:
    case KL_PARTITIONER_SARAMA_REFERENCE:
        return !key.data;
    default:
        return false;
    }
}

kl_partition_by kl_partitioner_judge(const kl_partitioning *how, kloop_slice key, int32_t count,
                                     int32_t *partition)
{
    KL_ASSERT(count > 0);
    if (goes_along(how, key))
        return KL_PARTITION_BY_STICKY;
    size_t len = key.data ? key.len : 0;
    switch (how->kind) {
    case KL_PARTITIONER_ROUND_ROBIN:
        return KL_PARTITION_BY_ROUND_ROBIN;
    case KL_PARTITIONER_RANDOM:
        return KL_PARTITION_BY_RANDOM;
    case KL_PARTITIONER_CONSISTENT:
    case KL_PARTITIONER_CONSISTENT_RANDOM:
        *partition = by_all_bits(kl_crc32(key.data, len), count);
        return KL_PARTITION_BY_HASH;
    case KL_PARTITIONER_FNV1A:
    case KL_PARTITIONER_FNV1A_RANDOM:
    case KL_PARTITIONER_SARAMA_HASH:
        *partition = by_magnitude(kl_fnv1a(key.data, len), count);
        return KL_PARTITION_BY_HASH;
    case KL_PARTITIONER_SARAMA_REFERENCE:
        *partition = without_sign(kl_fnv1a(key.data, len), count);
        return KL_PARTITION_BY_HASH;
    default:
        *partition = kl_partition_for_key(key.data, len, count);
        return KL_PARTITION_BY_HASH;
    }
}

bool kl_partitioner_hashes_as_java(const kl_partitioning *how)
{
    switch (how->kind) {
    case KL_PARTITIONER_STICKY:
        return !how->ignore_keys;
    case KL_PARTITIONER_MURMUR2:
    case KL_PARTITIONER_MURMUR2_RANDOM:
        return true;
    default:
        return false;
    }
}

bool kl_partitioner_goes_along(const kl_partitioning *how)
{
    return goes_along(how, (kloop_slice){NULL, 0});
}
