/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I36: one partition's trouble delays no other.
 *
 * In runs of this sort one partition is ill, or one broker, or both; whatever a broker can answer
 * happens to that partition, whatever a network can do happens to the connections of that broker.
 * All others are well, and so every record that goes to one of them is acked, and soon: within
 * linger.ms, a few round trips, and a bound that no pause and no timeout has room in.
 *
 * Nothing is owned; which ones are ill stands in the plan.
 */
#ifndef KL_SIM_NEIGHBOURS_H
#define KL_SIM_NEIGHBOURS_H

#include "tests/sim/sim_ledger.h"
#include "tests/sim/sim_world.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sim sim;

/* What is allowed beyond linger.ms and the time that packets and answers take. */
#define SIM_NEIGHBOUR_BOUND_NS (200 * KL_MS)

typedef struct sim_neighbours {
    uint64_t met_ns[SIM_NODES_MAX + 1]; /* when the node has acked something first; 0: not yet */
    uint64_t worst_ns;                  /* the longest that a healthy one has taken */
    uint32_t judged;
} sim_neighbours;

/* Draws the ill ones and what happens to them, once the cluster is drawn. */
void sim_neighbours_draw(sim *s);

/* May what happens to this partition, by its handle in the cluster, or at this node, happen? Always
 * in runs of other sorts. */
bool sim_neighbours_may_harm(const sim *s, int32_t handle, int32_t partition);
bool sim_neighbours_may_harm_node(const sim *s, int32_t node);

/* It was reported, for this partition. */
void sim_neighbours_report(sim *s, uint32_t number, int32_t partition);

#endif
