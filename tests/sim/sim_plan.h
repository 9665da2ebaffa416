/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kind of run this is: the cluster, the producer's configuration, the host, the user's load,
 * which faults. Drawn from the seed, or written by hand in a scenario.
 *
 * Sorts of runs that make promises void say so: lossy (records may be lost by the brokers, or the
 * brokers forget producers), fatal (the producer may be told to stop), hostile (bytes from brokers
 * may be anything), starved (the engine's allocations fail).
 */
#ifndef KL_SIM_PLAN_H
#define KL_SIM_PLAN_H

#include "tests/sim/sim_ledger.h"
#include "tests/sim/sim_login.h"

#include <kloop/config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim sim;

/* Versions can be capped for APIs below this. */
#define SIM_CAPPED_MAX 32

typedef struct sim_topic_plan {
    char name[32];
    int32_t partitions;
    int16_t replicas;
    bool append_time;
    int32_t message_max; /* max.message.bytes at first; 0: Kafka's */
    /* what is set for it alone; NULL, and what the producer has: nothing is */
    const char *set_keys[4];
    char set_values[4][24];
    int set_count;
    bool set_early; /* with the configuration, or else when it is opened */
    bool choosy;    /* the user chooses partitions himself */
    bool shares;    /* it may hold a part of buffer.memory alone */
    uint64_t linger_ns;
    uint32_t codecs; /* bit by number, 0 for none */
    char partitioner[24];
    uint64_t appears_ns; /* after the start; 0: is there; KL_NEVER: never */
    /* how many partitions it has had */
    int32_t counts[16];
    int count_changes;
} sim_topic_plan;

typedef enum sim_ending {
    SIM_ENDING_DRAINED, /* faults end, all is delivered, then close */
    SIM_ENDING_CLOSED,  /* close in the middle */
    SIM_ENDING_DELETED, /* the engine is deleted in the middle */
} sim_ending;

typedef struct sim_plan {
    /* the cluster */
    int32_t brokers;
    int topic_count;
    sim_topic_plan topics[SIM_TOPICS_MAX];
    int16_t min_isr;
    bool auto_create;
    bool pipelined;
    uint64_t answer_delay_ns;
    uint64_t replication_delay_ns;

    /* the producer; as text in config, and as numbers for the checks */
    kloop_config *config;
    int16_t acks;
    bool idempotent;
    uint32_t in_flight_max;
    uint32_t retries;
    uint64_t linger_ns;
    uint64_t delivery_timeout_ns;
    uint64_t request_timeout_ns;
    uint64_t max_block_ns;
    uint64_t retry_backoff_ns;
    uint64_t retry_backoff_max_ns;
    uint64_t reconnect_backoff_ns;
    uint64_t reconnect_backoff_max_ns;
    uint64_t setup_timeout_max_ns;
    uint64_t metadata_max_age_ns;
    uint64_t metadata_max_idle_ns;
    uint64_t idle_ns; /* of connections; KL_NEVER */
    size_t batch_bytes;
    size_t request_size_max;
    size_t request_bytes_max; /* of a request */
    size_t memory_bytes;
    size_t receive_bytes_max;
    uint32_t codecs;                     /* of compression.type: bit by number, 0 for none */
    int16_t version_max[SIM_CAPPED_MAX]; /* by API key; 0: any */
    int32_t first_sequence;
    int16_t first_epoch; /* that a producer id comes with */

    sim_login_plan login;

    /* the network */
    uint64_t names_ns;
    uint64_t link_per_byte_ps;
    bool two_addresses;
    const char *servers; /* a scenario's bootstrap.servers; NULL: the first two brokers */

    /* the user */
    uint32_t records; /* about so many in all */
    uint32_t keyed;   /* millionths */
    uint32_t explicit_partition;
    size_t record_bytes_max;
    uint32_t burst_max;
    uint32_t flushes; /* millionths of his turns */
    uint32_t purges;
    uint32_t warm_ups;
    uint32_t borrows; /* millionths of the values, and of batches */
    uint32_t chunks;  /* of his turns in which one is begun */
    uint32_t encoded; /* of what he sends: batches */
    uint32_t wrong_calls;
    uint32_t reentrant; /* of reports after which he does something at once */
    bool idles;         /* with long pauses */
    bool scripted;      /* a scenario says what he does */

    /* the sort of run */
    bool quiet;      /* no fault at all */
    bool neighbours; /* one partition and one broker are ill, see sim_neighbours.h */
    int sick_topic;
    int32_t sick_partition;
    int32_t sick_node; /* KL_NO_NODE: none */
    bool lossy;
    bool fatal;
    bool hostile;
    bool starved;
    sim_ending ending;
    uint64_t faults_ns;    /* how long they last */
    uint64_t ending_ns;    /* when he closes or deletes in the middle */
    uint64_t ending_event; /* or at this event, whatever the time; 0: at that time */
    uint64_t flush_event;  /* at which he flushes, whatever he is doing; 0: at none */
    uint64_t close_timeout_ms;
    uint64_t rest_ns; /* nothing is done for so long before the end, see sim_rest.h; 0: no rest */
} sim_plan;

/* A plan without any surprise: three brokers, Kafka's presets with shorter times. Scenarios begin
 * with it. */
void sim_plan_quiet(sim *s);
/* Draws everything. */
void sim_plan_draw(sim *s);
void sim_plan_deinit(sim *s);

/* Sets a key of the configuration. A refusal is a mistake of the simulator. */
void sim_plan_set(sim *s, const char *key, const char *value);
/* Reads the numbers back from the configuration, so that presets and aliases count too. */
void sim_plan_read_config(sim *s);

/* -1: none. */
int sim_plan_topic_by_name(const sim *s, kloop_string name);

/* How long after the faults it may take until everything works: see I49. */
uint64_t sim_plan_recovery_ns(const sim *s);

#endif
