/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the inlet, the loop and the engine: records of other threads are sent, in order and in
 * bounded pieces, in the producer's turns.
 *
 *     push --first one--> uv_async --> a turn: drain --> kloop_engine_send
 *                                        |    ^              |
 *                                 report |    '-- WRITABLE --+ FULL: waits
 *                                        v                   |
 *                           refused, purged, out of time <---'
 *
 *     kloop_close: shut --> drained, or its time is over --> kloop_engine_close
 *
 * Who owns what: the producer owns the kl_uv_inlet, until all of its handles are closed. A flush
 * that waits in the queue is in the producer's list of flushes all the same.
 *
 * Nothing fails but kloop_allow_threads(); what the engine refuses becomes a report.
 */
#ifndef KL_DRIVER_UV_INLET_H
#define KL_DRIVER_UV_INLET_H

#include "driver/uv_producer.h"

#include "driver/inlet.h"

typedef struct kl_uv_inlet {
    kl_inlet queue;
    uv_async_t wake;
    uint64_t timeout_ns;  /* delivery.timeout.ms: for how long a record may wait in here */
    uint64_t retry_ns;    /* there was no memory for a flush: not before this again; 0: there was */
    uint64_t close_at_ns; /* closing: what is in here then is given up */
    uint64_t failed;      /* records that were reported from here */
    bool waits;           /* the engine was full, and has not said that it is writable */
    bool closing;         /* shut, and the engine does not know of the close yet */
    bool user_first;      /* of two that wait for room: took it last time */
} kl_uv_inlet;

/* KLOOP_OK or KLOOP_NO_MEMORY; *why is libuv's, or 0. */
kloop_status kl_uv_inlet_new(kloop_producer *p, size_t bytes_max, uint64_t timeout_ns, int *why);

/* All of these do nothing for a producer without an inlet. */

/* Sends what is there, until this time. User code runs in here. */
void kl_uv_inlet_drain(kloop_producer *p, uint64_t until_ns);
/* Is there something that the next turn should go on with? */
bool kl_uv_inlet_has_work(kloop_producer *p);
/* When a turn is wanted at the latest. */
uint64_t kl_uv_inlet_deadline(kloop_producer *p);
/* Must somebody run the loop because of it? */
bool kl_uv_inlet_is_busy(const kloop_producer *p);

/* The engine is writable. Answers whether the user is to hear it: nobody else was refused, or he
 * was, too. */
bool kl_uv_inlet_on_writable(kloop_producer *p);

/* false: nothing is in the way of the flush, or of the close, which the engine is to be told of. */
bool kl_uv_inlet_flush(kloop_producer *p, kl_uv_flush *flush);
bool kl_uv_inlet_close(kloop_producer *p, uint64_t timeout_ms);

uint64_t kl_uv_inlet_purge(kloop_producer *p, const kloop_topic *topic);
void kl_uv_inlet_add_stats(const kloop_producer *p, kloop_stats *stats);

/* Begins to close the handle. */
void kl_uv_inlet_stop(kloop_producer *p);
/* With all that is in there; the handle is closed. */
void kl_uv_inlet_del(kloop_producer *p);

#endif
