/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which partition a record goes to, as far as the record itself says it: by a hash of its key, as
 * Kafka's Java producer, librdkafka or sarama take it, so that programs in several languages can
 * write to one topic.
 *
 * What depends on the world (who has a leader, what waits where, whose turn it is) is in sticky.h.
 * Nothing is owned, nothing fails.
 */
#ifndef KL_CORE_PARTITIONER_H
#define KL_CORE_PARTITIONER_H

#include <kloop/engine.h>

/* The names of partitioner.class, in the order in which the table of keys lists them. */
typedef enum kl_partitioner_kind {
    KL_PARTITIONER_STICKY,         /* a key: murmur2, none: the sticky partition */
    KL_PARTITIONER_UNIFORM_STICKY, /* the sticky partition, whatever the key */
    KL_PARTITIONER_ROUND_ROBIN,
    KL_PARTITIONER_RANDOM,
    KL_PARTITIONER_CONSISTENT,        /* CRC-32 of the key; none counts as an empty one */
    KL_PARTITIONER_CONSISTENT_RANDOM, /* none, or an empty one: the sticky partition */
    KL_PARTITIONER_MURMUR2,           /* none counts as an empty one */
    KL_PARTITIONER_MURMUR2_RANDOM,    /* none: the sticky partition */
    KL_PARTITIONER_FNV1A,
    KL_PARTITIONER_FNV1A_RANDOM,
    KL_PARTITIONER_SARAMA_HASH,      /* fnv1a_random by another name */
    KL_PARTITIONER_SARAMA_REFERENCE, /* the same hash, its sign bit cleared */
    KL_PARTITIONER_KINDS
} kl_partitioner_kind;

/* What a configuration says: of the producer, or of one topic. */
typedef struct kl_partitioning {
    kl_partitioner_kind kind;
    bool ignore_keys; /* of KL_PARTITIONER_STICKY alone */
    bool adaptive;
} kl_partitioning;

/* What a topic has of it: see kl_sticky_set_partitioning() for changing it. */
typedef struct kl_partitioner {
    kl_partitioning how;
    bool murmur2_keys; /* a key that is there is all that counts, and Java's hash of it */
    bool each_apart;   /* a record without a key need not go where the one before it went */
    kloop_partition_fn fn;
    void *me;
    uint32_t turn;      /* of round robin */
    int32_t bad_answer; /* the last of fn's that was no partition */
} kl_partitioner;

typedef enum kl_partition_by {
    KL_PARTITION_BY_HASH, /* *partition is set */
    KL_PARTITION_BY_STICKY,
    KL_PARTITION_BY_ROUND_ROBIN,
    KL_PARTITION_BY_RANDOM,
} kl_partition_by;

/* count is that of all partitions, with or without a leader, and at least 1. */
kl_partition_by kl_partitioner_judge(const kl_partitioning *how, kloop_slice key, int32_t count,
                                     int32_t *partition);

/* Is a key that is there, also an empty one, all that counts, and its murmur2? */
bool kl_partitioner_hashes_as_java(const kl_partitioning *how);
/* Are records without a key for the sticky partition? */
bool kl_partitioner_goes_along(const kl_partitioning *how);

#endif
