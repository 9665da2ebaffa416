/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loop with a model cluster and a producer on it, for tests with several threads or processes:
 * nothing in here is shared between two worlds, so that each thread may have one of its own.
 *
 *     loop_world w;
 *     loop_world_open(&w, (const char *const[]){"linger.ms", "0", NULL});
 *     ...
 *     loop_world_close(&w, 10000);     all was reported, nothing is left in the loop
 *
 * What fails ends the program, whatever thread it is in: cmocka's asserts are for one alone.
 */
#ifndef KL_TESTS_THREADS_LOOP_WORLD_H
#define KL_TESTS_THREADS_LOOP_WORLD_H

#include "broker/truth.h"
#include "tests/support/loop_broker.h"

#include <kloop/kloop.h>

#include <stdbool.h>
#include <uv.h>

#define LOOP_WORLD_PARTITIONS 4
#define LOOP_WORLD_STREAMS    8

typedef struct loop_world {
    uv_loop_t loop;
    uv_timer_t guard;
    kl_cluster *cluster;
    kl_loop_broker *broker;
    int32_t topic_handle;
    kloop_producer *producer;
    kloop_topic *topic;
    uint64_t reported[3]; /* by outcome */
    uint64_t causes[16];
    char text[1024]; /* of the latest report that was not ACKED */
    int flushed;
    uint64_t acked_at_flush;
    int closed;
    kloop_event_fn on_closing; /* runs in the close callback */
    kloop_stats stats;         /* of the closed producer */
} loop_world;

/* Dies with a sentence if it does not hold. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            loop_world_die(__FILE__, __LINE__, #condition);                                        \
    } while (0)
_Noreturn void loop_world_die(const char *file, int line, const char *what);

/* settings: "key", "value", ..., NULL; may be NULL. */
void loop_world_open(loop_world *w, const char *const *settings);
/* The loop and the cluster alone, and a producer on them. */
void loop_world_open_cluster(loop_world *w);
kloop_producer *loop_world_new_producer(loop_world *w, const char *const *settings);
void loop_world_close(loop_world *w, uint64_t timeout_ms);
/* For kloop_close() and kloop_flush(); me is the world. */
void loop_world_on_closed(kloop_producer *p, void *me);
void loop_world_on_flushed(kloop_producer *p, void *me);

/* A turn that waits for an event. */
void loop_world_turn(loop_world *w, const char *waiting_for);

#define LOOP_WORLD_UNTIL(w, condition)                                                             \
    do {                                                                                           \
        while (!(condition))                                                                       \
            loop_world_turn((w), #condition);                                                      \
    } while (0)

/* The value of record number of a stream, 16 bytes. */
void loop_world_value(uint8_t value[16], uint64_t stream, uint64_t number);
/* Every record of every stream is in the logs once, and in each log those of a stream in order.
 * counts has LOOP_WORLD_STREAMS numbers: how many of each. */
void loop_world_expect_logs(loop_world *w, const uint64_t *counts);
uint64_t loop_world_stored(const loop_world *w);

#endif
