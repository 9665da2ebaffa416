/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All fates of a small run, one after the other, instead of some of a large one.
 *
 * One partition, a few batches under way at once, and for each of the first Produce requests one of
 * a dozen fates: answered, refused, stored but refused, lost before or after it was done, never
 * answered, done long after everybody has given it up, too large, with a bad record, behind a
 * leader that has moved. Every sequence of so many fates is a run, and each one is judged by all
 * invariants. What only two or three faults in one order can bring about is surely met.
 */
#ifndef KL_SIM_EXPLORE_H
#define KL_SIM_EXPLORE_H

#include "tests/sim/scenario.h"

#define SIM_EXPLORE_DEPTH_MAX SIM_ORDERS_MAX

/* How many runs there are with so many fates each. */
uint64_t sim_explore_count(unsigned depth);

/* Run number n, from 1 on, is this scenario with the seed n. depth goes for all that follow. */
const sim_scenario *sim_explore_scenario(unsigned depth);

#endif
