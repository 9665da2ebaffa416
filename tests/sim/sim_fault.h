/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every fault that a run can meet, and whether this one does.
 *
 * A fault is of one of two sorts. One is thrown for: at each occasion (a connect, a request, a
 * partition of a request) the dice decide. The other one happens: at times that have nothing to do
 * with what the engine does. Each run enables each fault with one chance in four and gives it a
 * rate of its own, so that runs differ instead of all being the same noise.
 *
 * Faults end when the run heals. Faults that make a promise void (records may be lost, the producer
 * may be fenced, bytes may be anything) are in the second half, and only runs of their own sort
 * have them; see sim_plan.h.
 */
#ifndef KL_SIM_FAULT_H
#define KL_SIM_FAULT_H

#include "tests/sim/sim_world.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sim sim;

/* D: thrown for, low and high in millionths. T: happens, low and high in ms between two. */
#define SIM_FAULT_MAP(XX)                                                                          \
    XX(CONNECT_REFUSED, D, 20000, 400000)                                                          \
    XX(CONNECT_SILENT, D, 10000, 300000)                                                           \
    XX(CONNECT_SLOW, D, 50000, 500000)                                                             \
    XX(ACCEPT_AND_DROP, D, 20000, 300000)                                                          \
    XX(PARTIAL_WRITE, D, 50000, 900000)                                                            \
    XX(SPLIT_READ, D, 50000, 900000)                                                               \
    XX(LATE_ON_WROTE, D, 50000, 500000)                                                            \
    XX(RESET, T, 800, 12000)                                                                       \
    XX(PEER_CLOSES, T, 800, 12000)                                                                 \
    XX(CUT_AFTER_BYTES, T, 800, 12000)                                                             \
    XX(STALL, T, 500, 8000)                                                                        \
    XX(BLACK_HOLE, T, 3000, 20000)                                                                 \
    XX(HOLE_TO_BROKER, T, 3000, 20000)                                                             \
    XX(HOLE_FROM_BROKER, T, 3000, 20000)                                                           \
    XX(SLOW_LINK, T, 1000, 12000)                                                                  \
    XX(LATENCY, T, 1000, 12000)                                                                    \
    XX(IDLE_FLOWS_DROPPED, T, 1000, 10000)                                                         \
    XX(SWIZZLE, T, 8000, 25000)                                                                    \
    XX(NAME_FAILS, D, 50000, 600000)                                                               \
    XX(NAME_SLOW, D, 50000, 500000)                                                                \
    XX(NAME_NEVER, D, 20000, 200000)                                                               \
    XX(NAME_DEAD_ADDRESS, D, 50000, 500000)                                                        \
    XX(NAME_MANY_ADDRESSES, D, 50000, 500000)                                                      \
    XX(NAME_ALL_DEAD, D, 50000, 400000)                                                            \
    XX(ADDRESS_CHANGES, T, 5000, 25000)                                                            \
    XX(BROKER_KILLED, T, 4000, 20000)                                                              \
    XX(BROKER_RESTARTS, T, 4000, 20000)                                                            \
    XX(VERSIONS_CHANGE, T, 5000, 20000)                                                            \
    XX(LEADER_MOVES, T, 300, 8000)                                                                 \
    XX(LEADER_MISSING, T, 3000, 20000)                                                             \
    XX(ALL_LEADERS_MOVE, T, 5000, 25000)                                                           \
    XX(OLD_VIEW, T, 2000, 15000)                                                                   \
    XX(ISR_SHRINKS, T, 2000, 15000)                                                                \
    XX(FOLLOWER_STALLS, T, 2000, 15000)                                                            \
    XX(TOPIC_GROWS, T, 10000, 40000)                                                               \
    XX(REQUEST_DROPPED, D, 2000, 40000)                                                            \
    XX(ANSWER_LOST, D, 2000, 40000)                                                                \
    XX(ANSWER_SILENT, D, 500, 10000)                                                               \
    XX(ANSWER_CUT, D, 1000, 20000)                                                                 \
    XX(ANSWER_SLOW, D, 2000, 60000)                                                                \
    XX(WORK_SLOW, D, 2000, 60000)                                                                  \
    XX(ANSWER_TWICE, D, 500, 5000)                                                                 \
    XX(WRONG_CORRELATION, D, 500, 5000)                                                            \
    XX(THROTTLE, D, 2000, 40000)                                                                   \
    XX(ERROR_RETRIABLE, D, 3000, 150000)                                                           \
    XX(ERROR_AFTER_APPEND, D, 3000, 80000)                                                         \
    XX(ERROR_DEFINITE, D, 500, 15000)                                                              \
    XX(ERROR_UNKNOWN, D, 500, 15000)                                                               \
    XX(ERROR_TOO_LARGE, D, 500, 15000)                                                             \
    XX(ERROR_SEQUENCE, D, 500, 10000)                                                              \
    XX(PARTITION_OMITTED, D, 500, 10000)                                                           \
    XX(OFFSET_MISSING, D, 500, 20000)                                                              \
    XX(METADATA_ERROR, D, 10000, 300000)                                                           \
    XX(METADATA_EMPTY, D, 5000, 100000)                                                            \
    XX(METADATA_LACKS_PARTITION, D, 5000, 100000)                                                  \
    XX(METADATA_LACKS_BROKER, D, 5000, 100000)                                                     \
    XX(INIT_ERROR, D, 50000, 500000)                                                               \
    XX(VERSIONS_ERROR, D, 5000, 50000)                                                             \
    XX(SEQUENCE_NEAR_END, T, 1000, 10000)                                                          \
    XX(LOOP_STALLS, T, 2000, 15000)                                                                \
    XX(HOST_ASKS_NOTHING, T, 4000, 30000)                                                          \
    XX(WALL_JUMPS, T, 5000, 30000)                                                                 \
    XX(REFUSED_FOR_A_WHILE, T, 3000, 20000)                                                        \
    XX(NO_DESCRIPTORS, T, 3000, 20000)                                                             \
    XX(IMPOSTOR, T, 5000, 20000)                                                                   \
    XX(LINK_CRAWLS, T, 8000, 30000)                                                                \
    XX(ONE_BYTE_READS, T, 1000, 15000)                                                             \
    XX(ANSWER_TOO_EARLY, D, 500, 20000)                                                            \
    XX(ANSWER_TO_ACKS_0, D, 500, 20000)                                                            \
    XX(TIMER_LATE, D, 5000, 100000)                                                                \
    XX(LONG_STALL, T, 15000, 40000)                                                                \
    XX(BROKER_LEAVES, T, 10000, 40000)                                                             \
    XX(BROKER_MOVES, T, 5000, 20000)                                                               \
    XX(TOPIC_RECREATED, T, 6000, 30000)                                                            \
    XX(TOPIC_DELETED, T, 20000, 80000)                                                             \
    XX(LEADER_FLIPS, T, 3000, 15000)                                                               \
    XX(MESSAGE_MAX_CHANGES, T, 2000, 15000)                                                        \
    XX(METADATA_EPOCH_BACK, D, 5000, 100000)                                                       \
    XX(METADATA_NO_EPOCH, D, 5000, 100000)                                                         \
    XX(METADATA_OTHER_LEADER, D, 5000, 200000)                                                     \
    XX(METADATA_NO_SUCH_LEADER, D, 5000, 100000)                                                   \
    XX(METADATA_PARTITION_TWICE, D, 5000, 100000)                                                  \
    XX(METADATA_BAD_INDEX, D, 5000, 100000)                                                        \
    XX(METADATA_BAD_BROKER, D, 5000, 100000)                                                       \
    XX(METADATA_BROKER_TWICE, D, 5000, 100000)                                                     \
    XX(METADATA_ONE_ADDRESS, D, 5000, 50000)                                                       \
    XX(METADATA_OTHER_CLUSTER, D, 5000, 100000)                                                    \
    XX(HINT_MISSING, D, 50000, 900000)                                                             \
    XX(HINT_OLD, D, 20000, 500000)                                                                 \
    XX(HINT_LIES, D, 20000, 500000)                                                                \
    XX(ERROR_RECORDS, D, 500, 20000)                                                               \
    XX(ERROR_RECORDS_ODD, D, 500, 20000)                                                           \
    XX(ERROR_DUPLICATE, D, 500, 20000)                                                             \
    XX(PARTITION_ANSWERED_TWICE, D, 500, 20000)                                                    \
    XX(PARTITION_NOT_ASKED, D, 500, 20000)                                                         \
    XX(THROTTLE_ODD, D, 500, 20000)                                                                \
    XX(INIT_ODD, D, 50000, 500000)                                                                 \
    /* from here on only in runs of their own sort */                                              \
    XX(UNCLEAN_ELECTION, T, 5000, 20000)                                                           \
    XX(PRODUCERS_FORGOTTEN, T, 5000, 20000)                                                        \
    XX(ERROR_FATAL, D, 100, 2000)                                                                  \
    XX(GARBAGE, D, 2000, 50000)                                                                    \
    XX(LYING_ANSWER, D, 2000, 50000)                                                               \
    XX(MANY_BROKERS, D, 5000, 50000)                                                               \
    XX(NO_MEMORY, D, 20, 2000)                                                                     \
    /* and only in runs with SASL, or TLS */                                                       \
    XX(LOGIN_REFUSED, D, 5000, 300000)                                                             \
    XX(LOGIN_LIES, D, 5000, 300000)                                                                \
    XX(USER_FORGOTTEN, T, 3000, 20000)                                                             \
    XX(TOKEN_LATE, D, 50000, 500000)                                                               \
    XX(TOKEN_FAILS, D, 50000, 600000)                                                              \
    XX(TOKEN_NEVER, D, 20000, 200000)                                                              \
    XX(UNTRUSTED, D, 10000, 300000)

typedef enum sim_fault_id {
#define SIM_FAULT_ENUM(name, sort, low, high) SIM_FAULT_##name,
    SIM_FAULT_MAP(SIM_FAULT_ENUM)
#undef SIM_FAULT_ENUM
        SIM_FAULT_COUNT,
    SIM_FAULT_SPECIAL = SIM_FAULT_UNCLEAN_ELECTION, /* the first of those */
} sim_fault_id;

typedef struct sim_faults {
    bool on;                        /* from the start until the run heals */
    uint32_t rate[SIM_FAULT_COUNT]; /* 0: not in this run; millionths, or mean ms between two */
    uint32_t fired[SIM_FAULT_COUNT];
    uint64_t heal_ns;
} sim_faults;

/* Whether it strikes at this occasion; counted, and noted, if so. */
bool sim_fault_strikes(sim *s, sim_fault_id id);

#define sim_fault(s, id) ((s)->faults.on && (s)->faults.rate[id] && sim_fault_strikes((s), (id)))

/* Enables one of the swarm with a rate that is drawn from the plan's stream, or from another one.
 */
void sim_fault_enable(sim *s, sim_fault_id id);
void sim_fault_enable_from(sim *s, sim_fault_id id, sim_stream stream);

/* Sets the clocks of those that happen by themselves. */
void sim_fault_start(sim *s);

/* ---- For scenarios ---- */

/* One that happens by itself, now. */
void sim_fault_now(sim *s, sim_fault_id id);
/* One that is thrown for strikes at so many of a million occasions; 0: no more. */
void sim_fault_at(sim *s, sim_fault_id id, uint32_t per_million);

const char *sim_fault_name(sim_fault_id id);
uint32_t sim_fault_total(const sim *s);

#endif
