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

#define SIM_BAD_RECORDS_MAX 64
#define SIM_HANDLES_MAX     512

typedef struct sim_brokers {
    kl_cluster *cluster;
    int32_t count;
    int32_t handles[SIM_TOPICS_MAX]; /* of the plan's topics; KL_NO_TOPIC: not there */
    uint8_t address_generation[SIM_NODES_MAX + 1];
    bool failed_over[SIM_NODES_MAX + 1];
    bool frozen[SIM_NODES_MAX + 1];
    bool stalled[SIM_NODES_MAX + 1];
    bool isr_small;                    /* some ISR is smaller than it could be */
    uint64_t armed_ns;                 /* the event for the cluster's deadline */
    uint32_t deletions;                /* of topics */
    uint64_t made_ns[SIM_HANDLES_MAX]; /* when the topic of a handle was made, 0: not known */
    uint64_t told_ns[SIM_HANDLES_MAX]; /* when the engine was told its id, 0: it was not */
    uint32_t lost;                     /* batches that no replica has any more */
    uint64_t requests;
    bool without_zstd[SIM_NODES_MAX + 1]; /* its release is too old for that codec */
    bool left[SIM_NODES_MAX + 1];         /* gone for ever */
    uint8_t moves[SIM_NODES_MAX + 1];     /* how often it got another name */
    uint64_t refused_until_ns[SIM_NODES_MAX + 1];
    uint8_t noise[64];
    int32_t bad_records[SIM_BAD_RECORDS_MAX];
} sim_brokers;

void sim_brokers_start(sim *s);
void sim_brokers_deinit(sim *s);

/* An event when the cluster has something to do. */
void sim_brokers_arm(sim *s);

/* The plan's topic with this handle, or id; -1: none. */
int sim_brokers_topic_of(const sim *s, int32_t handle);
int sim_brokers_topic_by_id(const sim *s, const kloop_uuid *id);
int32_t sim_brokers_handle_by_id(const sim *s, const kloop_uuid *id);

/* The controller gives partitions to nobody who is away. */
void sim_brokers_pass_over_absent(sim *s);
/* Does some broker know the cluster as it was? */
bool sim_brokers_any_frozen(const sim *s);

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
void sim_brokers_delete_topic(sim *s, int topic);
/* Deleted if it is there, and made anew under another id with so many partitions. */
void sim_brokers_recreate_topic(sim *s, int topic, int32_t partitions);
/* max.message.bytes; 0: what it was at first. */
void sim_brokers_set_message_max(sim *s, int topic, int32_t bytes);
/* The node is known under another name, at another address. */
void sim_brokers_move(sim *s, int32_t node);
/* Down, failed over, and never back. */
void sim_brokers_leave(sim *s, int32_t node);
/* Connects to it are refused until then. */
void sim_brokers_refuse(sim *s, int32_t node, uint64_t until_ns);

#endif
