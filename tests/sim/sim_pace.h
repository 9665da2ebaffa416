/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I37: whatever is asked again is asked later, and each time later still: names, connects,
 * versions, metadata, producer ids, batches.
 *
 * Only what is surely too early counts: a request may have been put together long before its bytes
 * are taken, so the time between two of them is measured from the earliest moment of the first to
 * the latest of the second.
 *
 * And whatever the pauses are: to a broker that takes nothing, not more than SIM_PACE_REQUESTS a
 * second.
 */
#ifndef KL_SIM_PACE_H
#define KL_SIM_PACE_H

#include "tests/sim/sim_watch.h"

#include <kloop/engine.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct sim sim;
typedef struct sim_conn sim_conn;

#define SIM_PLACES_MAX    64
#define SIM_PACE_REQUESTS 20

/* Attempts to connect to an address under a name. */
typedef struct sim_place {
    uint64_t key;
    uint64_t name; /* of host and port alone */
    uint64_t last_ns;
    int64_t last_conn;
    uint32_t failures; /* in a row, without having been ready */
    bool anew; /* since then a node was said to be there that had been said to be elsewhere */
} sim_place;

/* A question to whoever is there. */
typedef struct sim_question {
    uint64_t made_ns; /* the latest one: at the earliest then; 0: none yet */
    int64_t conn;     /* where it waits for its answer; 0: it does not */
    uint32_t failures;
} sim_question;

/* What goes to a broker again while it takes nothing. */
typedef struct sim_refuser {
    uint64_t times_ns[SIM_PACE_REQUESTS + 1]; /* of the latest, a ring */
    uint32_t next;
    uint64_t since_ns; /* it has taken nothing since then */
} sim_refuser;

typedef struct sim_pace {
    sim_place places[SIM_PLACES_MAX];
    int place_count;
    uint64_t told_at[SIM_NODES_MAX + 1]; /* where each node was said to be last; 0: nowhere yet */
    sim_question metadata;
    sim_question producer_id;
    bool asked_topics[SIM_TOPICS_MAX];
    bool known_topics[SIM_TOPICS_MAX]; /* the engine knew partitions of it when it was used last */
    uint64_t used_ns[SIM_TOPICS_MAX];  /* by the user, last */
    sim_refuser refusers[SIM_NODES_MAX + 1];
} sim_pace;

/* The user does something with a topic. One that was forgotten is as good as new. */
void sim_pace_use(sim *s, int topic);

void sim_pace_connect(sim *s, const kloop_action *action);
/* Metadata says that the node is there. */
void sim_pace_told_node(sim *s, int32_t node, kloop_string host, int32_t port);

/* A request left; body is that of Metadata. */
void sim_pace_request(sim *s, const sim_conn *c, int16_t api_key, int16_t version,
                      const uint8_t *body, size_t len);
/* Its answer is about to be told; good: it was of use. */
void sim_pace_answer(sim *s, int16_t api_key, bool good);
/* The connection is over. */
void sim_pace_over(sim *s, const sim_conn *c);

/* A batch leaves for another time, to the same place, after an error. */
void sim_pace_batch(sim *s, const sim_conn *c, const sim_batch *b);
/* A request asks for the second time, of whatever kind: batches that were refused, metadata. */
void sim_pace_again(sim *s, const sim_conn *c);
/* The broker has stored something, or its place in the cluster has changed. */
void sim_pace_progress(sim *s, int32_t node);

#endif
