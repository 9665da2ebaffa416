/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cluster of a run: model brokers ("broker/cluster.h"), their topics, and the faults that
 * happen on their side.
 *
 * Everything that is taken away comes back by itself after a while, and at the latest when the run
 * heals.
 */
#ifndef KL_SIM_BROKERS_H
#define KL_SIM_BROKERS_H

#include "broker/cluster.h"
#include "tests/sim/sim_fault.h"
#include "tests/sim/sim_ledger.h"
#include "tests/sim/sim_world.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sim sim;

typedef struct sim_brokers {
    kl_cluster *cluster;
    int32_t count;
    int32_t handles[SIM_TOPICS_MAX]; /* of the plan's topics; KL_NO_TOPIC: not there */
    uint8_t address_generation[SIM_NODES_MAX + 1];
    bool failed_over[SIM_NODES_MAX + 1];
    bool frozen[SIM_NODES_MAX + 1];
    bool stalled[SIM_NODES_MAX + 1];
    bool isr_small;    /* some ISR is smaller than it could be */
    uint64_t armed_ns; /* the event for the cluster's deadline */
    uint32_t lost;     /* batches that no replica has any more */
    uint64_t requests;
    bool without_zstd[SIM_NODES_MAX + 1]; /* its release is too old for that codec */
    uint8_t noise[64];
} sim_brokers;

void sim_brokers_start(sim *s);
void sim_brokers_deinit(sim *s);

/* An event when the cluster has something to do. */
void sim_brokers_arm(sim *s);

/* The plan's topic with this handle, or id; -1: none. */
int sim_brokers_topic_of(const sim *s, int32_t handle);
int sim_brokers_topic_by_id(const sim *s, const kloop_uuid *id);

/* A fault of the cluster happens now. */
void sim_brokers_strike(sim *s, sim_fault_id id);

/* All brokers are up, know each other, are in sync and lead. */
void sim_brokers_heal(sim *s);

/* ---- For scenarios ---- */

void sim_brokers_kill(sim *s, int32_t node);
void sim_brokers_fail_over(sim *s, int32_t node);
void sim_brokers_revive(sim *s, int32_t node);
void sim_brokers_move_leader(sim *s, int topic, int32_t partition, int32_t node);
void sim_brokers_grow(sim *s, int topic, int32_t partitions);
void sim_brokers_make_topic(sim *s, int topic);

#endif
