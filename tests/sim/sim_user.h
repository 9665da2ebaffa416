/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user: sends in bursts, sits idle, flushes, retries what was refused, does things in the
 * middle of his reports, makes wrong calls, and closes when he likes.
 */
#ifndef KL_SIM_USER_H
#define KL_SIM_USER_H

#include "tests/sim/sim_ledger.h"

#include <kloop/engine.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct sim sim;

typedef struct sim_user {
    kloop_topic *topics[SIM_TOPICS_MAX]; /* NULL: not opened yet */
    bool stopped;                        /* sends no more by himself */
    bool waits;                          /* for WRITABLE */
    uint64_t waiting_ns;
    bool closing; /* has said so */
    bool fatal;   /* was told that the producer cannot go on */
    uint64_t close_ns;
    uint64_t close_due_ns;
    int refused_topic;
    size_t refused_bytes;
    uint32_t no_memory;
    uint32_t lies; /* WRITABLE in a row, and no room */
    uint32_t sticky_topic;
} sim_user;

/* Makes the engine, opens topics, begins to send. */
void sim_user_start(sim *s);
/* The same without sending: a scenario says what is sent. */
void sim_user_open(sim *s);

/* One record; partition -1: the engine chooses. Answers its number, 0 if it was refused. The time
 * must have been told in this turn. */
uint32_t sim_user_send(sim *s, int topic, int32_t partition, size_t bytes_max);
/* A batch of his own was refused. */
void sim_user_check_batch_refusal(sim *s, int topic, const kloop_encoded *e, kloop_status status);
void sim_user_flush(sim *s);
void sim_user_close(sim *s, uint64_t timeout_ms);
/* topic -1: all of them. what: of kloop_purge_what. Answers how many records were given up. */
uint64_t sim_user_purge(sim *s, int topic, unsigned what);

/* topic -1: all brokers. */
void sim_user_warm_up(sim *s, int topic, uint64_t timeout_ms);

void sim_user_on_delivery(sim *s, const kloop_report *report);
void sim_user_on_writable(sim *s);
void sim_user_on_flushed(sim *s);

/* -1: none of the topics that were opened. */
int sim_user_topic_of(const sim *s, const kloop_topic *topic);

#endif
