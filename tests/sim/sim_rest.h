/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer that has nothing to do, for a while at the end of a run: it hardly wakes up, closes
 * connections that nobody uses, and has given back the memory of its busier days.
 */
#ifndef KL_SIM_REST_H
#define KL_SIM_REST_H

#include <stdint.h>

typedef struct sim sim;

/* How long a burst may be remembered, and what the engine may keep for the next one beside what it
 * needs when it is idle: tables, one connection's buffers, the codec. */
#define SIM_REST_FORGETS_NS (12 * KL_SECOND)
#define SIM_REST_KEEP_BYTES ((uint64_t)1 << 20)

/* Lets plan.rest_ns pass, and looks. Nothing, if there is something to be done after all. */
void sim_rest(sim *s);

/* The same for a scenario, which knows that there is nothing to be done. wakes_max: how often it
 * may wake up at most. */
void sim_rest_for(sim *s, uint64_t ns, uint64_t wakes_max);

#endif
