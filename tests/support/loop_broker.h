/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model cluster behind sockets of this machine, on the test's own libuv loop: each broker listens
 * on a free port of 127.0.0.1, and Metadata names it.
 *
 *     kl_loop_broker *b = kl_loop_broker_new(&loop, cluster);
 *     snprintf(servers, sizeof servers, "127.0.0.1:%u", kl_loop_broker_port(b, 1));
 *     ... a client on the same loop ...
 *     kl_loop_broker_close(b);         then the loop runs on until it is empty
 *
 * Nothing of it keeps the loop alive: uv_run() returns when the client has nothing to do. The
 * cluster and the loop are the caller's, and live until the loop is empty after close; the rest
 * belongs to the kl_loop_broker, which then is gone. What fails aborts the test.
 */
#ifndef KL_TESTS_SUPPORT_LOOP_BROKER_H
#define KL_TESTS_SUPPORT_LOOP_BROKER_H

#include "broker/cluster.h"
#include "driver/byte_filter.h"

#include <stdbool.h>
#include <uv.h>

typedef struct kl_loop_broker kl_loop_broker;

kl_loop_broker *kl_loop_broker_new(uv_loop_t *loop, kl_cluster *cluster, int32_t broker_count);
uint16_t kl_loop_broker_port(const kl_loop_broker *b, int32_t node_id);
/* "127.0.0.1:1234" of node 1. */
const char *kl_loop_broker_servers(const kl_loop_broker *b);

/* The server's end of a filter for connections that are accepted from now on; at first none. */
void kl_loop_broker_set_filters(kl_loop_broker *b, kl_byte_filter_maker maker);

/* Reads nothing and accepts nobody, or goes on. */
void kl_loop_broker_stall(kl_loop_broker *b, bool stalled);
/* Ends all connections with a reset. */
void kl_loop_broker_reset(kl_loop_broker *b);
size_t kl_loop_broker_connections(const kl_loop_broker *b);
/* How many were ever accepted. */
size_t kl_loop_broker_accepted(const kl_loop_broker *b);

void kl_loop_broker_close(kl_loop_broker *b);

#endif
