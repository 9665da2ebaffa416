/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the engine was told of the cluster: who leads, under which epoch, by which id a topic goes,
 * which producer ids there are. And whether what it sends agrees with that.
 *
 * Of a partition, whoever was named with the highest epoch told so far may be its leader, and so
 * may those that were named with no epoch since. An answer that no broker would give (a partition
 * twice, an index below 0) may be refused as a whole or in part, so it settles nothing here.
 */
#ifndef KL_SIM_TOLD_H
#define KL_SIM_TOLD_H

#include "tests/sim/sim_ledger.h"

#include <kloop/messages.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim sim;
typedef struct sim_conn sim_conn;
typedef struct sim_asked sim_asked;

typedef struct sim_told_part {
    int32_t epoch;           /* the highest that was told, -1: none */
    uint64_t nodes;          /* who was named with it; one bit for each */
    int32_t doubtful_epoch;  /* the highest that it may have believed or not */
    uint64_t doubtful_nodes; /* who was named by it */
    int32_t unsound_epoch;   /* the highest of answers that may be refused, under the same id */
    uint64_t since_ns;       /* when it was told first */
    int32_t last_node;       /* as named last; -2: who knows */
    int32_t last_epoch;
    uint64_t changed_ns; /* when somebody else was named, or another epoch */
} sim_told_part;

#define SIM_TOLD_FORMERS_MAX 16

typedef struct sim_told_topic {
    bool has_id;
    kloop_uuid id;
    kloop_uuid formers[SIM_TOLD_FORMERS_MAX]; /* that it had before */
    int former_count;
    kloop_uuid seen; /* the latest that was told at all, and since when */
    uint64_t seen_ns;
    uint64_t id_ns;       /* when it was told to be another one than before; 0: never */
    int older;            /* answers in a row that told of an older state of it */
    uint64_t believed_ns; /* when these were enough for it to be believed */
    sim_told_part parts[SIM_PARTITIONS_MAX];
} sim_told_topic;

#define SIM_TOLD_PRODUCERS_MAX 256

typedef struct sim_told {
    sim_told_topic topics[SIM_TOPICS_MAX];
    char cluster_id[64];
    size_t cluster_id_len; /* 0: not told */
    struct {
        int64_t id;
        int16_t epoch;
    } producers[SIM_TOLD_PRODUCERS_MAX];
    int producer_count;
    uint64_t listed;     /* the nodes that the latest answer had a place for */
    bool shares_address; /* two nodes were said to be at one: nobody can see which is meant */
} sim_told;

void sim_told_init(sim *s);

/* ---- Answers, before the engine sees them ---- */

/* false: whoever has asked knows no more than before, and has to ask again. */
bool sim_told_metadata(sim *s, int16_t version, const uint8_t *body, size_t len);
void sim_told_hint(sim *s, int topic, int32_t partition, const kloop_leader_hint *hint,
                   const sim_asked *asked);
/* I49: until long after then it was told of an older state of the topic too seldom to believe it.
 */
bool sim_told_is_doubting(const sim *s, int topic, uint64_t since_ns);
/* The same as of Metadata, for InitProducerId. */
bool sim_told_producer(sim *s, int16_t version, const uint8_t *body, size_t len);

/* ---- Batches, as they leave ---- */

/* I46: it goes to nobody who led in an older epoch only. */
void sim_told_check_leader(sim *s, const sim_conn *c, const sim_part *part);
/* I21: somebody has given this id, with this epoch or a lower one. */
void sim_told_check_producer(sim *s, int64_t producer_id, int16_t epoch);
/* I20: has the topic become another one since then? */
bool sim_told_is_other_topic(const sim *s, const sim_conn *c, const sim_part *part,
                             uint64_t since_ns);

static inline sim_told_part *sim_told_of(sim_told *told, const sim_part *part)
{
    return &told->topics[part->topic].parts[part->partition];
}

#endif
