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
 * has proved its worth: it was ready for a second, and something was answered. That
 * TCP is up says nothing, and neither does the handshake: one who hangs up after each is no better
 * than one who cannot be reached.
 *
 * Which brokers there are, and when one goes: known_brokers.h.
 */
#ifndef KL_CORE_NODES_H
#define KL_CORE_NODES_H

#include "base/heap.h"
#include "base/list.h"

#include <kloop/engine.h>
#include <kloop/messages.h>

typedef struct kl_conn kl_conn;

/* One refusal may be any partition's own trouble; this many are the broker's. */
#define KL_BARREN_LOST   2

#define KL_ADDRESSES_MAX 16

/* A sentence about a broker. */
#define KL_TROUBLE_BYTES 384

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
    bool known;    /* in the latest metadata, or of bootstrap.servers */
    uint64_t view; /* that told of it last */
    bool stranger; /* answered as one of another cluster, and has not proved otherwise since */
    bool needed;   /* while those that are not are looked for: something points at it */

    kloop_address *addresses; /* of its name, owned; NULL: not resolved */
    size_t address_count;
    size_t address_next;
    kloop_id resolving; /* gen 0: not resolving */
    bool resolve_stale; /* its answer is not wanted: it took too long, or the broker has moved */
    kl_conn *conn;      /* NULL: none, or only lost ones */
    uint32_t failures;  /* in a row, until a connection is ready */
    uint32_t unproved;  /* connections in a row that did not prove their worth */
    uint64_t retry_at;
    bool wanted; /* somebody waits for a connection */
    kl_timer timer;

    uint32_t barren;     /* answers to Produce in a row that acknowledged nothing; at least
                            KL_BARREN_LOST after a lost connection */
    uint64_t produce_at; /* because of them, nothing is sent before */
    kl_list ready;       /* partitions it leads that have something to send */
    kl_list open;        /* and those that have something that may go along */
    const char *trouble; /* the latest thing that went wrong, owned; "": nothing */
} kl_broker;

/* Makes sure that a connection to this broker is there or on its way. */
void kl_nodes_want(kloop_engine *e, kl_broker *b);
/*
 * A connection for a question that any broker can answer: a ready one with the fewest requests in
 * flight, if one can take another; NULL: none yet. Then one is on its way to a broker that has not
 * failed since it was ready, or another broker is tried as well as those that have.
 */
kl_conn *kl_nodes_any(kloop_engine *e);

/* A connection to somebody who is to prove that he is of our cluster; NULL: none that could be
 * asked. */
kl_conn *kl_nodes_stranger(const kloop_engine *e);

/* Something changed that may let requests go to it. */
void kl_nodes_poke(kloop_engine *e, kl_broker *b);

void kl_nodes_resolved(kloop_engine *e, kl_broker *b, const kloop_address *addresses, size_t count,
                       const char *why);
/* Its resolution is over, or was never told to the host. */
void kl_nodes_unresolve(kloop_engine *e, kl_broker *b);
void kl_nodes_timer(kloop_engine *e, kl_broker *b);
/* What was found out about its place is not so any more. */
void kl_nodes_forget_addresses(kloop_engine *e, kl_broker *b);
/* text: what is wrong with it; "": nothing. Without memory it is not told. */
void kl_nodes_set_trouble(kloop_engine *e, kl_broker *b, const char *text);
/* There was no memory for a request to it: a little later, then. */
void kl_nodes_retry_soon(kloop_engine *e, kl_broker *b);
/* c has become ready; c was lost, idle: because nobody needed it. */
void kl_nodes_ready(kloop_engine *e, kl_conn *c);
void kl_nodes_lost(kloop_engine *e, kl_conn *c, bool was_ready, bool idle);
/* Nodes are known now: bootstrap connections to their addresses become theirs;
 * others are asked only when the nodes' are busier, and go when they are idle. */
void kl_nodes_settle_bootstrap(kloop_engine *e);

#endif
