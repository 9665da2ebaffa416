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
 * A name may have several addresses. When nobody is at one of them, because the connect fails or
 * takes too long, the next one is tried at once; that counts as a failure of the broker only when
 * none is left. Names are resolved again when all addresses were tried, or when a connection that
 * had been ready was lost, and the address tried last is not the first to be tried then.
 *
 * Backoff begins again at its shortest when a connection has proved its worth: it was ready for a
 * second, and something was answered. That TCP is up says nothing, and neither does the handshake:
 * one who hangs up after each is no better than one who cannot be reached.
 *
 * Which brokers there are, and when one goes: known_brokers.h.
 */
#ifndef KL_CORE_NODES_H
#define KL_CORE_NODES_H

#include "base/heap.h"
#include "base/list.h"
#include "core/meters.h"

#include <kloop/engine.h>
#include <kloop/messages.h>

typedef struct kl_conn kl_conn;

/* One refusal may be any partition's own trouble; this many are the broker's. */
#define KL_BARREN_LOST   2

#define KL_ADDRESSES_MAX 64

/* A sentence about a broker. */
#define KL_TROUBLE_BYTES 384

struct kl_broker {
    kloop_engine *engine;
    kl_link in_brokers;
    kl_link in_actions;
    kl_link in_ready_brokers; /* of the engine, while its connection is ready */
    uint32_t pending;         /* bits of enum kl_pending */
    kl_link in_poked;         /* of the engine: look whether something can be done for it */
    int32_t id;               /* below 0: of bootstrap.servers */
    char *host;               /* terminated, owned */
    size_t host_len;
    uint16_t port;
    bool known;    /* in the latest metadata, or of bootstrap.servers */
    uint64_t view; /* that told of it last */
    bool stranger; /* answered as one of another cluster, and has not proved otherwise since */
    bool needed;   /* while those that are not are looked for: something points at it */
    uint64_t warm_round; /* the last look at what a warm-up waits for that has counted it */

    kloop_address *addresses; /* of its name, owned; NULL: not resolved */
    size_t address_count;
    size_t address_next;
    kloop_address last_tried;
    bool has_tried;
    bool cautious;      /* ApiVersions is asked in version 0: the newest was met with hanging up */
    uint64_t begun_ns;  /* the last attempt to get there */
    kloop_id resolving; /* gen 0: not resolving */
    bool resolve_stale; /* its answer is not wanted: it took too long, or the broker has moved */
    kl_conn *conn;      /* NULL: none, or only lost ones */
    uint32_t failures;  /* in a row, until a connection is ready */
    bool refused;       /* at one of its addresses, and was not ready since; see kl_conn */
    bool shut;          /* and so the last attempt has ended */
    int16_t refusal;    /* likewise */
    uint8_t hung_up;    /* so often in a row, at the first request of all */
    bool unreachable;   /* the last attempt has led to nobody who could be talked to */
    uint32_t unproved;  /* connections in a row that did not prove their worth */
    uint64_t retry_at;
    bool wanted;       /* somebody waits for a connection */
    bool moved;        /* to a place that somebody else may have tried already; */
    uint64_t moved_ns; /* when, last; 0: never */
    kl_timer timer;

    uint32_t barren;      /* answers to Produce in a row that acknowledged nothing; at least
                             KL_BARREN_LOST after a lost connection */
    uint64_t produce_at;  /* because of them, nothing is sent before */
    uint32_t waits_count; /* partitions with something that it could take; see sticky.h for these */
    kl_link in_asked;
    uint64_t asked_ns;   /* it has taken nothing since */
    bool avoided;        /* because that is too long ago */
    kl_list ready;       /* partitions it leads that have something to send */
    kl_list open;        /* and those that have something that may go along */
    const char *trouble; /* the latest thing that went wrong, owned; "": nothing */

    uint64_t ended_ns;        /* the last attempt or connection */
    kl_broker_meters *meters; /* owned; NULL: nobody has tried to get there */
};

/* Makes sure that a connection to this broker is there or on its way. */
void kl_nodes_want(kloop_engine *e, kl_broker *b);
/* Nobody does any more. */
void kl_nodes_unwant(kloop_engine *e, kl_broker *b);
/*
 * A connection for a question that any broker can answer: a ready one with the fewest requests in
 * flight, if one can take another; NULL: none yet. Then an attempt is under way that is new and
 * has met nothing bad, or somebody else is tried as well: a node, or, while none is known, an entry
 * of bootstrap.servers. When all nodes have failed, all begins anew (rebootstrap.h).
 */
kl_conn *kl_nodes_any(kloop_engine *e);
/* It may be time for another attempt. */
void kl_nodes_tries_timer(kloop_engine *e);

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
/* One of the cluster has answered something on a new connection: those that have led to it, by
 * other names, are not needed any more. */
void kl_nodes_served(kloop_engine *e, const kl_broker *by);
/* c has become ready; c was lost. */
void kl_nodes_ready(kloop_engine *e, kl_conn *c);
void kl_nodes_lost(kloop_engine *e, kl_conn *c);
/* Nodes are known now: bootstrap connections to their addresses become theirs;
 * others are asked only when the nodes' are busier, and go when they are idle. */
void kl_nodes_settle_bootstrap(kloop_engine *e);

#endif
