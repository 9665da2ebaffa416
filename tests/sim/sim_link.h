/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: two streams of bytes between the engine and a broker, and all that can go wrong with
 * them.
 *
 *        engine --write_vec--> [up ..... on the way ..... arrived] --> broker
 *        engine <-read_space-- [arrived ..... on the way ..... down] <-- broker
 *
 *     CONNECTING --accepted--> OPEN --reset, end of stream--> LOST --engine: CLOSE--> CLOSING -->
 * GONE |                     +------------ engine: CLOSE -----------------------------^
 *          +-- refused --> LOST --engine: CLOSE--> CLOSING --> GONE
 *
 * A stream has a delay, a jitter, a bandwidth, a bounded buffer at its end, and keeps its order.
 * Bytes that were taken from the engine go on to the broker after the engine has closed, unless the
 * connection was reset: that is how an append comes late.
 *
 * Two ways of writing, as hosts have: a host that waits for readiness copies bytes into the
 * kernel's buffer and says on_wrote at once; one that waits for completion hands the slices out and
 * says on_wrote later, and nobody may touch those bytes in between. The simulator takes a hash of
 * all that was shown and looks again when the write is over.
 *
 * Owns: a connection lives until the end of the run, so that late events find it.
 */
#ifndef KL_SIM_LINK_H
#define KL_SIM_LINK_H

#include "broker/peer.h"
#include "tests/sim/sim_watch.h"

#include <kloop/engine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim sim;

typedef enum sim_conn_state {
    SIM_CONN_CONNECTING,
    SIM_CONN_OPEN,
    SIM_CONN_LOST,    /* on_disconnected was told, or is about to be */
    SIM_CONN_CLOSING, /* the engine has said CLOSE */
    SIM_CONN_GONE,    /* on_closed was told */
} sim_conn_state;

/* Bytes on their way in one direction. The first arrived of them can be had at the other end. */
typedef struct sim_pipe {
    uint8_t *bytes;
    size_t start;
    size_t len;
    size_t cap;
    size_t arrived;
    uint64_t free_at_ns;  /* when the link has sent what was put in */
    uint64_t last_ns;     /* when the last byte put in arrives */
    uint64_t per_byte_ps; /* 0: no limit */
    bool hole;            /* all that arrives is swallowed */
} sim_pipe;

/* What an address that is no Kafka broker does. */
typedef enum sim_impostor {
    SIM_IMPOSTOR_NONE,
    SIM_IMPOSTOR_HTTP,   /* answers with a page */
    SIM_IMPOSTOR_ECHO,   /* sends everything back */
    SIM_IMPOSTOR_SILENT, /* accepts, and reads */
    SIM_IMPOSTOR_NOISE,  /* random bytes */
    SIM_IMPOSTOR_CLOSER, /* closes at the first byte */
    SIM_IMPOSTOR_LENGTH, /* four bytes that promise a lot, then nothing */
} sim_impostor;

#define SIM_SLICES_MAX 64

typedef struct sim_conn {
    kloop_id id;
    int64_t number; /* 1, 2, ... in the order of CONNECT */
    int32_t node;   /* KL_NO_NODE: nobody has this address */
    sim_conn_state state;
    kl_peer *peer; /* NULL: not yet, no more, or an impostor */
    sim_impostor impostor;
    sim_pipe up;
    sim_pipe down;
    uint64_t taken;     /* bytes that left the engine */
    uint64_t cut_after; /* of up: reset when so many were taken; UINT64_MAX: never */

    /* what the host knows and has not told yet; see sim_host.c */
    bool listed; /* in the host's list */
    bool tell_connected;
    bool tell_lost;
    bool lost_after_reading; /* the peer's end of stream comes behind its last byte */
    bool tell_gone;
    bool try_write; /* there is room again */
    size_t tell_wrote;
    char why[48];

    /* writing */
    bool wants_write;         /* WRITE came, and write_vec has shown something since */
    bool writing;             /* a completion is outstanding */
    uint64_t behind_since_ns; /* wants_write is set since then: what leaves now may be older */
    uint32_t write_number;
    kloop_slice held[SIM_SLICES_MAX];
    size_t held_count;
    uint64_t held_hash;

    /* reading */
    bool paused;
    uint8_t *span; /* held while waiting, by a host that waits for completion */
    size_t span_room;

    size_t shown_left; /* bytes that were shown last and not taken */
    uint64_t opened_ns;
    uint64_t moved_ns; /* the last bytes, in either direction, as the engine knows of them */
    bool given_up;     /* the engine closed it, and nobody else */
    sim_watch watch;   /* what the requests on it are */
} sim_conn;

typedef struct sim_links {
    sim_conn **all;
    size_t count;
    size_t cap;
    uint64_t delay_ns;
    uint64_t jitter_ns;
    uint64_t latency_until_ns; /* fault: each delay is longer */
    uint64_t latency_extra_ns;
    uint64_t no_descriptors_until_ns; /* the host cannot open sockets */
    size_t buffer_bytes;
    uint64_t torn;      /* connections that ended within a request */
    uint64_t torn_ns;   /* the last of them */
    sim_conn **writing; /* those with an outstanding write */
    size_t writing_count;
    size_t writing_cap;
    sim_impostor impostor_at[SIM_NODES_MAX + 1]; /* what stands at a node's address instead of it */
} sim_links;

void sim_link_deinit(sim *s);

/* ---- The engine's actions ---- */

void sim_link_connect(sim *s, const kloop_action *action);
void sim_link_close(sim *s, kloop_id id, const char *text);
/* NULL: no such connection. */
sim_conn *sim_link_find(sim *s, kloop_id id);

/* ---- The host's side ---- */

/* Takes what the engine shows, as far as there is room. */
void sim_link_write(sim *s, sim_conn *c);
/* The outstanding write is over: are the bytes as they were? Forgets them. */
void sim_link_write_over(sim *s, sim_conn *c);
/* Arrived bytes into the engine's span, at most max; answers how many. */
size_t sim_link_read(sim *s, sim_conn *c, uint8_t *to, size_t max);

/* ---- The broker's side ---- */

/* What peers want to say goes into the pipes; what arrived goes to the peers that want it. */
void sim_link_pump_brokers(sim *s);

/* Was a request left, or is it, of which not every byte was taken, or maybe none was shown yet? */
bool sim_link_is_torn(const sim *s);

/* ---- Faults ---- */

/* The transport is lost now; bytes on the way to the broker are lost too, or not. */
void sim_link_reset(sim *s, sim_conn *c, bool lose_up, const char *why);
/* The other side has closed: what it sent still comes. */
void sim_link_end(sim *s, sim_conn *c, const char *why);
void sim_link_stall(sim *s, sim_conn *c, uint64_t ns);
/* Bytes that no broker has said come from its side. */
void sim_link_inject(sim *s, sim_conn *c, const uint8_t *bytes, size_t len);
/* A random open one, or NULL. node: of this broker alone, or KL_NO_NODE. */
sim_conn *sim_link_any(sim *s, int32_t node);

/* Nobody gives back memory from which a write is under way. */
void sim_link_check_release(sim *s, const uint8_t *bytes, size_t size);

#endif
