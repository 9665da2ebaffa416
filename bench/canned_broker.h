/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other side of an engine without sockets and without thinking: a host and a broker in one,
 * whose answers are encoded once and only get their correlation id anew. It reads what it must of
 * each request (its length and header) and nothing of the batches, so that what is measured is the
 * engine.
 *
 * The answers to Produce are held back until so many requests are in flight, as a network would.
 * They speak of all partitions, or, with a window, of so many in a row, in turn: for who sees to it
 * that the requests do the same.
 * Owned by its maker; owns the engine.
 */
#ifndef KL_BENCH_CANNED_BROKER_H
#define KL_BENCH_CANNED_BROKER_H

#include "base/buf.h"

#include <kloop/engine.h>

#define CANNED_FLIGHT_MAX 16

typedef struct canned_broker {
    kloop_engine *engine;
    kloop_topic *topic;
    kloop_now now;
    kloop_id conn;
    uint64_t reported;
    uint64_t runs;
    uint64_t allocations;
    uint64_t live_bytes; /* that the engine has from us now */
    uint32_t hold;       /* answers to Produce wait until so many requests do */

    kl_buf versions; /* answers, whole frames */
    kl_buf metadata;
    kl_buf producer_id;
    kl_buf *produce;
    uint32_t produce_count;
    uint32_t produce_next;

    uint64_t frame_left; /* bytes of the request that is being written */
    uint32_t waiting;    /* correlation ids of Produce requests, oldest first */
    int32_t correlations[CANNED_FLIGHT_MAX];
} canned_broker;

/* Settings are pairs of key and value, ended by NULL. window is a part of partitions, or all of
 * them. Ends the process when something is wrong. */
void canned_broker_init(canned_broker *c, int32_t partitions, int32_t window, uint32_t hold,
                        const char *const *settings);
void canned_broker_deinit(canned_broker *c);

/* Does what the engine asks for, until it asks for nothing more. */
void canned_broker_pump(canned_broker *c);
/* The same, so much later. */
void canned_broker_pass(canned_broker *c, uint64_t ns);
/* After a send that was refused: pumps and tries again until it is taken. */
void canned_broker_send_again(canned_broker *c, const kloop_record *record);

/* Sends the record, pumping when the engine has something to do or no room. */
static inline void canned_broker_send(canned_broker *c, const kloop_record *record)
{
    if (kloop_engine_send(c->topic, record))
        canned_broker_send_again(c, record);
    if (kloop_engine_has_io(c->engine))
        canned_broker_pump(c);
}

/* Sends it; what there is to do waits for the next pass. */
static inline void canned_broker_put(canned_broker *c, const kloop_record *record)
{
    if (kloop_engine_send(c->topic, record))
        canned_broker_send_again(c, record);
}

/* Until everything is reported. */
void canned_broker_drain(canned_broker *c);

/* Lets so much time pass in which nobody sends. */
void canned_broker_rest(canned_broker *c, uint64_t ns);

#endif
