/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted and measured by broker, topic and partition, for snapshot.h: batch by batch and
 * request by request, never for a record.
 *
 * What a broker needs for it is made before the first attempt to get there, for there may be very
 * many that nobody ever needs; how it throttles, when it does: without memory for that the value is
 * lost, and nothing else. The engine owns all of it.
 */
#ifndef KL_CORE_METERS_H
#define KL_CORE_METERS_H

#include <kloop/record.h>
#include <kloop/stats.h>

typedef struct kloop_engine kloop_engine;
typedef struct kl_broker kl_broker;
typedef struct kl_batch kl_batch;

/* Records by their fate, when that is reported. */
typedef struct kl_tally {
    uint64_t acked;
    uint64_t failed;
    uint64_t unknown;
    uint64_t acked_bytes; /* when that is settled */
} kl_tally;

/* What has left, each batch once. */
typedef struct kl_sent {
    uint64_t records;
    uint64_t batches;
    uint64_t bytes;
} kl_sent;

typedef enum kl_meter {
    KL_METER_RTT,
    KL_METER_WRITE,
    KL_METER_WAIT,
    KL_METER_COUNT,
} kl_meter;

/* Of a broker; what these are: kloop_broker_stats. */
typedef struct kl_broker_meters {
    uint64_t requests;
    uint64_t answers;
    uint64_t bytes_out;
    uint64_t bytes_in;
    uint64_t connects;
    uint64_t failures;
    uint64_t disconnects;
    uint64_t timeouts;
    uint64_t batches;
    uint64_t retries;
    uint64_t throttles;
    kloop_histogram *throttle_us; /* NULL: it never did, or there was no memory */
    kloop_histogram meters[KL_METER_COUNT];
} kl_broker_meters;

/* Of the engine. */
typedef struct kl_meters {
    uint64_t born_ns;
    uint64_t metadata_ns; /* of the last answer; KL_NEVER: there was none */
    uint64_t answers;
    uint64_t produce_requests;
    size_t topic_name_bytes; /* of all topics, their ends included */
    size_t rows;             /* in the tables of all topics */
    kl_sent sent;
    uint64_t sent_plain_bytes;
    kloop_histogram age_us;
    kloop_histogram batch_bytes;
    kloop_histogram batch_records;
} kl_meters;

/* b has its meters from now on; false: no memory. */
bool kl_meters_make(kloop_engine *e, kl_broker *b);
void kl_meters_del(kloop_engine *e, kl_broker *b);

/* Of a broker that has them: so many ns have passed. */
void kl_meters_add(kl_broker *b, kl_meter which, uint64_t ns);
/* It asked to be left alone for so long. */
void kl_meters_throttled(kloop_engine *e, kl_broker *b, uint64_t ns);
/* b leaves for this broker; that is counted among its launches already. */
void kl_meters_left(kloop_engine *e, kl_broker *to, const kl_batch *b);
/* b is stored, or as good as that. */
void kl_meters_stored(kloop_engine *e, const kl_batch *b);
/* The same is reported of so many records of b. */
void kl_meters_reported(kloop_engine *e, const kl_batch *b, kloop_outcome outcome,
                        uint64_t records);

#endif
