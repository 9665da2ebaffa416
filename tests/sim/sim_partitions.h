/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens to partitions and topics of the cluster: leaders move, are missing and flip, topics
 * grow, are deleted and made anew, and take larger or smaller batches. A part of sim_brokers.
 */
#ifndef KL_SIM_PARTITIONS_H
#define KL_SIM_PARTITIONS_H

#include "tests/sim/sim_fault.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sim sim;

/* A fault of this sort happens now. */
void sim_partitions_strike(sim *s, sim_fault_id id);

/* One of the plan's topics; -1: it is not there. */
int sim_partitions_any_topic(sim *s);
int32_t sim_partitions_count(const sim *s, int topic);
/* If it has no leader, and somebody could lead it. */
void sim_partitions_elect_missing(sim *s, int topic, int32_t partition);

#endif
