/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the records of a key go: the same partition that Kafka's Java producer gives them, so that
 * programs in both languages can write to one topic.
 *
 * The choice for records without a key is not made here: it depends on what waits where. Nothing is
 * owned, nothing fails.
 */
#ifndef KL_CORE_PARTITIONER_H
#define KL_CORE_PARTITIONER_H

#include <stddef.h>
#include <stdint.h>

/* The 32-bit MurmurHash2 of Kafka, as unsigned bits. bytes may be NULL when len is 0. */
uint32_t kl_murmur2(const uint8_t *bytes, size_t len);

/*
 * 0 to count - 1. count is that of all partitions, with or without a leader, and at least 1. An
 * empty key is a key like any other; Kafka's null is none, and must not get here.
 */
int32_t kl_partition_for_key(const uint8_t *key, size_t len, int32_t count);

#endif
