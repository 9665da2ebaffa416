/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer on a libuv loop and a model cluster that wants to know who it is, with a filter in
 * front of the cluster or none: what tests of TLS, SASL and tokens on real sockets share.
 *
 *     secure_world w;
 *     secure_world_cluster(&w, 1, KL_LOGIN_PLAIN, maker);         user alice, password
 * alice-secret, secure_world_producer(&w, settings);                        token good-token
 *     SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 3);
 *     secure_world_close(&w, 10000);        asserts that no handle, memory or descriptor is left
 *
 * Everything belongs to the world; what fails, fails the running test. A world must stay where it
 * is.
 */
#ifndef KL_TESTS_SUPPORT_SECURE_WORLD_H
#define KL_TESTS_SUPPORT_SECURE_WORLD_H

#include "broker/login.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/loop_broker.h"

#include <kloop/kloop.h>

#include <uv.h>

#define SECURE_PARTITIONS 4

typedef struct secure_world {
    uv_loop_t loop;
    uv_timer_t guard;
    kl_cluster *cluster;
    kl_loop_broker *broker;
    int32_t topic_handle;
    kl_fail_alloc memory;
    kloop_producer *producer;
    kloop_topic *topic;
    uint64_t reported[3]; /* by outcome */
    int closed;
    int tokens_wanted;
    uint64_t wanted;   /* records that secure_world_on_writable() sends */
    kloop_stats stats; /* of the closed producer */
    char log[16384];   /* "level text", a line each */
    size_t fds_before;
    int dead_turns;
} secure_world;

/* mechanisms: kl_login_mechanism, or-ed; 0: no SASL. far_end.make NULL: plain bytes. */
void secure_world_cluster(secure_world *w, int32_t brokers, unsigned mechanisms,
                          kl_byte_filter_maker far_end);
/* "key", "value", ..., NULL on top of what names the cluster and keeps pauses short. */
kloop_config *secure_world_config(secure_world *w, const char *const *settings);
void secure_world_producer(secure_world *w, const char *const *settings);
/* Also where there is no producer. */
void secure_world_close(secure_world *w, uint64_t timeout_ms);

void secure_world_send(secure_world *w, int count);
void secure_world_send_bytes(secure_world *w, const void *bytes, size_t len);
/* For kloop_on_writable() and by hand. */
void secure_world_on_writable(kloop_producer *p, void *me);
void secure_world_on_closed(kloop_producer *p, void *me);
uint64_t secure_world_stored(secure_world *w);

/* One turn that waits for an event; a loop that ends is as wrong as one that takes too long. */
void secure_world_turn(secure_world *w, const char *waiting_for);

#define SECURE_RUN_UNTIL(w, condition)                                                             \
    do {                                                                                           \
        while (!(condition))                                                                       \
            secure_world_turn((w), #condition);                                                    \
    } while (0)

/* Fails with both texts. */
void secure_world_expect(const char *text, const char *part);

/* Entries of a folder of /proc, those of "." and ".." included. */
size_t secure_world_count(const char *folder);

#endif
