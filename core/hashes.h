/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hashes of keys, as the world's producers take them. Each is 32 bits; what becomes of its sign is
 * a matter of who asks, see partitioner.c.
 *
 * bytes may be NULL when len is 0. Nothing is owned, nothing fails.
 */
#ifndef KL_CORE_HASHES_H
#define KL_CORE_HASHES_H

#include <stddef.h>
#include <stdint.h>

/* The 32-bit MurmurHash2 of Kafka. */
uint32_t kl_murmur2(const uint8_t *bytes, size_t len);
/* The CRC-32 of zlib and Ethernet. */
uint32_t kl_crc32(const uint8_t *bytes, size_t len);
/* The 32-bit FNV-1a. */
uint32_t kl_fnv1a(const uint8_t *bytes, size_t len);

/*
 * Where Kafka's Java producer puts a key: 0 to count - 1. count is that of all partitions, with or
 * without a leader, and at least 1. An empty key is a key like any other; null is none, and must
 * not get here. It is beside its hash because each record with a key comes here.
 */
int32_t kl_partition_for_key(const uint8_t *key, size_t len, int32_t count);

#endif
