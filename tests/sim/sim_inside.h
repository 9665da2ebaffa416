/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking inside the engine: its snapshot, against itself, against the one before, and against what
 * host and ledger have counted. Memory for it may be refused like any other.
 */
#ifndef KL_SIM_INSIDE_H
#define KL_SIM_INSIDE_H

#include <kloop/stats.h>

typedef struct sim sim;

typedef struct sim_inside {
    uint64_t turns;
    uint64_t bytes_out; /* that the host has told of */
    uint64_t bytes_in;
    kloop_stats before; /* what only rises */
    uint64_t sent;
    uint64_t answers;
} sim_inside;

/* Now and then; at_end: CLOSED was taken. */
void sim_inside_look(sim *s, bool at_end);

#endif
