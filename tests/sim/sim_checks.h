/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The invariants that are no single record's: what holds after each turn, at each connect, when the
 * producer is closed, and at the end of a run.
 */
#ifndef KL_SIM_CHECKS_H
#define KL_SIM_CHECKS_H

#include "tests/sim/sim_link.h"

#include <kloop/engine.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct sim sim;

typedef struct sim_checks {
    sim_conn *suspects[16]; /* told nonsense: the engine has to close them */
    int suspect_count;
    bool reshaped;       /* batches were put together anew */
    bool parked;         /* records had to wait for their topic */
    uint32_t probe_from; /* records from this number on must be acked */
} sim_checks;

void sim_checks_turn(sim *s);
void sim_checks_connect(sim *s, const kloop_action *action);
void sim_checks_suspect(sim *s, sim_conn *c);
/* CLOSED was taken. */
void sim_checks_closed(sim *s);
/* The faults were over long ago. */
void sim_checks_recovered(sim *s);
/* All probes are back. */
void sim_checks_probes(sim *s);
/* The engine is deleted. */
void sim_checks_memory(sim *s);

#endif
