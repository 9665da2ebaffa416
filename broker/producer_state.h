/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a log remembers of each producer that has an id: its epoch, and its last five batches. With
 * that it recognises a batch that is there already, and refuses one that would leave a gap or comes
 * from an epoch that is over.
 *
 *     judge --NEW--> (the batch is appended) --> apply
 *           --DUPLICATE--> answered with the offset it has
 *           --OLD_EPOCH, OUT_OF_ORDER, UNKNOWN, STORED--> refused
 *
 * The state follows from the log alone: whoever applies the same batches in the same order has the
 * same state. So replicas need not exchange it, and what is cut off a log is undone by beginning
 * anew.
 *
 * Owns: its entries. Fails: find_or_add, when there is no memory; an entry that was added and never
 * applied to judges as if it were not there.
 */
#ifndef KL_BROKER_PRODUCER_STATE_H
#define KL_BROKER_PRODUCER_STATE_H

#include "base/map.h"
#include "broker/cluster.h"

#include <kloop/batch.h>

/* As many as Kafka keeps, which is why a producer may have five requests in flight. */
#define KL_PRODUCER_BATCHES 5

typedef struct kl_producer_batch {
    int32_t first_sequence;
    int32_t last_sequence; /* below the first one when the numbers wrapped around */
    int64_t base_offset;
    int64_t max_timestamp; /* Kafka tells it as log append time when the batch comes again */
    uint32_t crc;          /* as it was sent */
} kl_producer_batch;

typedef struct kl_producer {
    uint8_t key[8];
    int16_t epoch; /* -1: nothing is known */
    uint8_t count; /* of batches, oldest first */
    kl_producer_batch batches[KL_PRODUCER_BATCHES];
} kl_producer;

typedef struct kl_producers {
    kloop_allocator alloc;
    kl_map by_id;
} kl_producers;

typedef enum kl_sequence_verdict {
    KL_SEQUENCE_NEW,
    KL_SEQUENCE_DUPLICATE,
    KL_SEQUENCE_OLD_EPOCH,
    KL_SEQUENCE_OUT_OF_ORDER,
    KL_SEQUENCE_UNKNOWN, /* old brokers: nothing is known of it, and its number is not the first */
    KL_SEQUENCE_STORED,  /* old brokers: it was stored before the batches that are remembered */
} kl_sequence_verdict;

/* Allocates nothing. The table is copied. */
void kl_producers_init(kl_producers *p, const kloop_allocator *alloc, uint64_t seed);
/* Forgets all; may be used again. */
void kl_producers_clear(kl_producers *p);

/* NULL: no memory. id is not negative. */
kl_producer *kl_producers_find_or_add(kl_producers *p, int64_t id);

/* The sequence of the batch's last record: 0 comes after 2^31 - 1. */
int32_t kl_sequence_last(const kloop_batch_header *batch);

/* *same is the batch that is there already, with KL_SEQUENCE_DUPLICATE. */
kl_sequence_verdict kl_producer_judge(const kl_producer *producer, kl_sequence_era era,
                                      const kloop_batch_header *batch,
                                      const kl_producer_batch **same);

/* The batch stands in the log from base_offset on. */
void kl_producer_apply(kl_producer *producer, int16_t epoch, const kl_producer_batch *batch);

#endif
