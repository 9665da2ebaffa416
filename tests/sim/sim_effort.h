/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one call of the engine costs, without any clock: how often it goes to the allocator and for
 * how many bytes, how many batches it closes, how many bytes of records come and go.
 *
 * I34: whoever is given a frame of n bytes allocates 8 n + 4 KiB at most over it.
 * I35: one call does a bounded piece of work, whatever has piled up.
 * I43: what is told in one turn has bounded consequences: so many actions, so many turns in which
 * the engine has work left, and not more.
 */
#ifndef KL_SIM_EFFORT_H
#define KL_SIM_EFFORT_H

#include <kloop/engine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim sim;
typedef struct sim_conn sim_conn;

typedef struct sim_effort {
    uint64_t calls;
    /* when the call under way began */
    uint64_t allocations;
    uint64_t allocated;
    uint64_t releases;
    bool looks; /* the engine's own counters are looked at too: not at each call, for speed */
    kloop_stats stats;
} sim_effort;

/* Around each call that is told something, or asked for an action. */
/* Brokers are limited by number, not by bytes, see docs/decisions/0012: what one takes, and how
 * many a liar has told of. */
#define SIM_BROKER_BYTES 400
uint64_t sim_effort_brokers(const sim *s);

void sim_effort_begin(sim *s);
void sim_effort_end(sim *s, const char *call);
/* The same for bytes on c, n of them, which may have made frames whole that had begun before. */
void sim_effort_end_received(sim *s, const sim_conn *c, size_t n, size_t begun);

/* A turn is over: so many actions it had, reports aside; so many turns in a row left work behind.
 */
void sim_effort_turn(sim *s, uint32_t actions, uint32_t pieces);

#endif
