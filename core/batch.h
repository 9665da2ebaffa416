/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A batch in the life of a producer: records of one partition, or of a topic whose partitions are
 * not known yet, from the first send to the last report.
 *
 *     PARKED --partitions known--> (its records are sent anew, in slices)
 *
 *     OPEN --full, lingered, flushed--> FOLDING --codec done--> READY --gathered--> IN_FLIGHT
 *        \_______________ no codec: at once _________________/   ^  ^               |     |
 *                                                                |  +--- retry -----+     |
 *                                            in other batches    |                        |
 *                        RESHAPING ------------------------------+                     answer
 *                            ^                                                            |
 *                            +---- too large, or some records are refused ----------------+
 *                                                                                         |
 *     any state --time is over, closed, fatal--> SETTLED <--------------------------------+
 *                                                   |
 *                                                   +-- reports, in order --> REPORTED
 *
 * One that is settled while it is in flight is a ghost until its answer has come. One that was
 * reshaped is as good as REPORTED: others have its records (reshape.h).
 *
 * Who owns what: the batch owns its records' bytes and their users' pointers, both in pooled
 * segments. Requests that carry the bytes hold a reference each: the payload stays until they are
 * gone, whatever became of the records. A batch is freed when it is REPORTED, out of flight and
 * without references.
 *
 * Fails: kl_batch_new answers NULL when there is no memory.
 */
#ifndef KL_CORE_BATCH_H
#define KL_CORE_BATCH_H

#include "base/heap.h"
#include "base/list.h"
#include "core/topic_settings.h"
#include "protocol/record_batch.h"

#include <kloop/engine.h>

typedef struct kl_partition kl_partition;
typedef struct kl_request kl_request;
typedef struct kl_generation kl_generation;
typedef struct kl_bad_records kl_bad_records;
typedef struct kl_chunk_runs kl_chunk_runs;

typedef enum kl_stage {
    KL_STAGE_PARKED,
    KL_STAGE_OPEN,
    KL_STAGE_FOLDING,
    KL_STAGE_RESHAPING,
    KL_STAGE_READY,
    KL_STAGE_IN_FLIGHT,
    KL_STAGE_SETTLED,
    KL_STAGE_REPORTED,
} kl_stage;

typedef struct kl_batch {
    /* What each record touches stands first, together, from the beginning of a cache line on. */
    kl_batch_builder builder; /* PARKED: its chain holds records in the form of parking.c */
    kl_chain users;
    const uint8_t *limit; /* OPEN: up to where records may be appended without a thought */
    kl_unit *unit;        /* its memory goes back there */
    kl_link in_line;      /* in its partition's or its topic's line, in order of acceptance */
    kl_link in_flight;    /* in its partition's list of batches that await an answer */
    kl_link in_queue;     /* for the codec, for being reshaped, or for the reports */
    kloop_topic *topic;
    kl_partition *partition; /* NULL: parked, or never had one */
    kl_generation *generation;
    kl_timer expiry;
    kl_request *request;   /* while in flight */
    kl_bad_records *bad;   /* records that a broker has refused by name, or NULL */
    kl_chunk_runs *chunks; /* records that belong to chunks, or NULL */
    uint64_t created_ns;
    uint64_t left_ns; /* when it first went into a request */
    /* Of its records before the codec had them; 0: it never did. Of one that was given up as too
     * large: of all of it, as it was sent. */
    size_t raw_bytes;
    kl_codec_wanted codec; /* that it was given to last */
    uint32_t parked;       /* PARKED: how many records; else the builder counts them */
    uint32_t moved;        /* PARKED: of these, sent anew already */
    uint32_t whole;        /* encoded elsewhere: how many records, with one user; else 0 */
    uint32_t refs;         /* of requests that show its bytes */
    uint32_t attempts;
    uint32_t launches; /* requests that have carried it, or that which it was before */
    uint32_t number;   /* in the order of their beginning, from 1 */
    kl_stage stage;
    bool yielded;       /* parked, and let those go first whose time was over with its own */
    bool due;           /* open, but not to wait for more */
    bool raw;           /* the codec gave it up */
    bool folded_before; /* its records had been folded, and take more memory until they are again */
    bool to_refold;     /* RESHAPING: back to what it was before the codec */
    bool fate_unknown;  /* some attempt may have stored it */
    bool numbered;      /* has producer id, epoch and sequence */
    bool cut_off;       /* its last attempt ended with the connection, not with an answer */
    bool left_out;      /* it ended with an answer that does not speak of it */
    bool odd_code_met;  /* was answered once with a code that nobody knows */
    bool to_split;      /* RESHAPING: into smaller ones */
    bool piece;         /* has taken the place of one that was refused */

    int64_t producer_id;
    int16_t epoch;
    int32_t sequence;

    /* The report. broker_error is kept up from attempt to attempt. */
    kloop_outcome outcome;
    kloop_cause cause;
    int16_t broker_error;
    int32_t asked_partition; /* of those that never had one, for their report; else -1 */
    int64_t base_offset;
    int64_t append_time_ms;
} kl_batch;

/* What one costs beside its segments: it is a piece of a slab. */
#define KL_BATCH_MEMORY_BYTES                                                                      \
    ((sizeof(kl_batch) + KL_SLAB_ALIGN - 1) / KL_SLAB_ALIGN * KL_SLAB_ALIGN)

/* The generation that batches begun now belong to. */
kl_generation *kl_batch_generation(const kloop_engine *e);
/* A batch of its own: no line, no timer set, counted against the budget. */
kl_batch *kl_batch_new(kloop_engine *e, kloop_topic *topic, kl_partition *partition,
                       kl_stage stage);
/* How many records a user of it stands for. */
static inline uint64_t kl_batch_records_each(const kl_batch *b)
{
    return b->whole ? b->whole : 1;
}

/* Are its bytes those that the codec made? */
bool kl_batch_is_folded(const kl_batch *b);
/* What it would be in bytes without a codec, header included. */
size_t kl_batch_raw_len(const kl_batch *b);
/* It counts for the flush of this generation, not for that of its birth. */
void kl_batch_join_generation(kl_batch *b, kl_generation *generation);
/* Gives back the payload of a settled batch when no request shows it, and the batch itself when
 * nothing refers to it at all; else does nothing. */
void kl_batch_let_go(kloop_engine *e, kl_batch *b);
/* Whatever state it is in: for the end of an engine. */
void kl_batch_del(kloop_engine *e, kl_batch *b);

#endif
