/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of one replica: which batches it holds, in order, and what follows from them.
 *
 *      batches: [b0][b1][b2][b3]         a leader appends new ones,
 *                         |              a follower copies the leader's (the same objects),
 *                    applied             truncation drops the newest
 *
 * A batch is one object however many replicas hold it, counted by references. Two logs that hold
 * the same batch at the same place are the same up to there, because nothing else could have been
 * in front of it.
 *
 * The state of producers is brought up to date when a leader needs it: a follower never pays for
 * it. A log that discards keeps no batches, only the numbers and the producers' state.
 *
 * Owns: references to its batches, the producers' state. Fails: whatever needs memory answers false
 * or NULL and leaves the log as it was.
 */
#ifndef KL_BROKER_REPLICA_LOG_H
#define KL_BROKER_REPLICA_LOG_H

#include "broker/hooks.h"
#include "broker/producer_state.h"

typedef struct kl_stored {
    kl_stored_batch batch;
    int64_t max_timestamp; /* as stored */
    uint32_t sent_crc;     /* before the broker changed anything */
    uint32_t refs;
    uint8_t bytes[];
} kl_stored;

/* One reference, and room for so many bytes. NULL: no memory. */
kl_stored *kl_stored_new(const kloop_allocator *alloc, size_t byte_count);
/* Answers whether that was the last reference; the object is gone then. */
bool kl_stored_drop(const kloop_allocator *alloc, kl_stored *stored);

typedef struct kl_log {
    kloop_allocator alloc;
    kl_stored **batches;
    size_t count;
    size_t cap;
    int64_t next_offset;
    int64_t high_watermark;
    uint64_t record_count;
    uint64_t byte_count;
    uint64_t batch_count;
    kl_producers producers;
    size_t applied;         /* so many of batches are in producers */
    int64_t producers_from; /* batches before this offset are forgotten by it */
} kl_log;

/* Allocates nothing. The table is copied. */
void kl_log_init(kl_log *log, const kloop_allocator *alloc, uint64_t seed);
void kl_log_deinit(kl_log *log);

/* Room for one more batch. */
bool kl_log_reserve(kl_log *log);
/* Takes over the reference. There must be room. */
void kl_log_append(kl_log *log, kl_stored *stored);
/* The same without keeping it. */
void kl_log_count_only(kl_log *log, int32_t record_count, size_t byte_count);

/* How many batches from the start on are the same in both. */
size_t kl_log_common(const kl_log *a, const kl_log *b);
/* Hands out the newest batch with its reference; there must be one. */
kl_stored *kl_log_take_last(kl_log *log);

/* The producers' state with all batches of the log in it. NULL: no memory. */
kl_producers *kl_log_producers(kl_log *log);
/* The batch that was appended last is in the state already. */
void kl_log_applied_last(kl_log *log);
/* As if all producers had expired. */
void kl_log_forget_producers(kl_log *log);

#endif
