/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The brokers there are, how to reach them, and which connection serves what.
 *
 * A broker is an entry of bootstrap.servers (id below 0) or a node of the cluster as metadata told.
 * It has at most one connection that is not lost, and at most one resolution under way:
 *
 *     idle --somebody needs it--> RESOLVE --addresses--> CONNECT --> ... READY
 *      ^                             |                      |          |
 *      +----- backoff, then idle ----+----------------------+----------+
 *
 * The next attempt uses the next address; names are resolved again when all were tried, or when a
 * connection that had been ready was lost. Backoff begins again at its shortest when a connection
 * has become ready, not when TCP is up.
 *
 * Brokers live as long as the engine, for partitions and requests point at them.
 */
#ifndef KL_CORE_NODES_H
#define KL_CORE_NODES_H

#include "base/heap.h"
#include "base/list.h"

#include <kloop/engine.h>

typedef struct kl_conn kl_conn;

#define KL_ADDRESSES_MAX 16

typedef struct kl_broker {
    kloop_engine *engine;
    kl_link in_brokers;
    kl_link in_actions;
    uint32_t pending; /* bits of enum kl_pending */
    kl_link in_poked; /* of the engine: look whether something can be done for it */
    int32_t id;       /* below 0: of bootstrap.servers */
    char *host;       /* terminated, owned */
    size_t host_len;
    uint16_t port;
    bool known; /* in the latest metadata, or of bootstrap.servers */

    kloop_address addresses[KL_ADDRESSES_MAX];
    size_t address_count;
    size_t address_next;
    kloop_id resolving; /* gen 0: not resolving */
    bool resolve_stale; /* its answer is not wanted: it took too long, or the broker has moved */
    kl_conn *conn;      /* NULL: none, or only lost ones */
    uint32_t failures;  /* in a row */
    uint64_t retry_at;
    bool wanted; /* somebody waits for a connection */
    kl_timer timer;

    uint32_t barren;     /* answers to Produce in a row that acknowledged nothing */
    uint64_t produce_at; /* because of them, nothing is sent before */
    kl_list ready;       /* partitions it leads that have something to send */
    kl_list open;        /* and those that have something that may go along */
    char trouble[384];   /* the latest thing that went wrong; "" when it is ready */
} kl_broker;

/* Makes the entries of bootstrap.servers. */
kloop_status kl_nodes_init(kloop_engine *e);
void kl_nodes_del_all(kloop_engine *e);

kl_broker *kl_nodes_broker(const kloop_engine *e, int32_t id);
/* A node as metadata tells it; NULL: no memory. One that moved to another host loses its
 * connection. */
kl_broker *kl_nodes_node(kloop_engine *e, int32_t id, kloop_string host, uint16_t port);

/* Makes sure that a connection to this broker is there or on its way. */
void kl_nodes_want(kloop_engine *e, kl_broker *b);
/*
 * A connection for a question that any broker can answer: a ready one with the fewest requests in
 * flight, if one can take another; NULL: none yet, and one is on its way.
 */
kl_conn *kl_nodes_any(kloop_engine *e);

/* Something changed that may let requests go to it. */
void kl_nodes_poke(kloop_engine *e, kl_broker *b);

void kl_nodes_resolved(kloop_engine *e, kl_broker *b, const kloop_address *addresses, size_t count,
                       const char *why);
/* Its resolution is over, or was never told to the host. */
void kl_nodes_unresolve(kloop_engine *e, kl_broker *b);
void kl_nodes_timer(kloop_engine *e, kl_broker *b);
/* There was no memory for a request to it: a little later, then. */
void kl_nodes_retry_soon(kloop_engine *e, kl_broker *b);
/* c has become ready; c was lost, idle: because nobody needed it. */
void kl_nodes_ready(kloop_engine *e, kl_conn *c);
void kl_nodes_lost(kloop_engine *e, kl_conn *c, bool was_ready, bool idle);
/* Nodes are known now: bootstrap connections to their addresses become theirs;
 * others are asked only when the nodes' are busier, and go when they are idle. */
void kl_nodes_settle_bootstrap(kloop_engine *e);

#endif
