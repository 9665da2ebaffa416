/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scenarios: stories of ten lines each, written by hand. The course is straight: what is said
 * before sim_start is the plan, then time goes on with sim_go, and things are done in between. All
 * invariants are judged as in any run, and the producer is closed at the end by itself; a scenario
 * only says what it expects beyond that.
 *
 *     SIM_SCENARIO(leader_dies_mid_write)
 *     {
 *         sim_topic(s, "t", 1, 3);
 *         sim_start(s);
 *         sim_send(s, 0, 100);
 *         sim_go(s, 6 * KL_MS);
 *         ...
 *         sim_drain(s, 10 * KL_SECOND);
 *         sim_expect_all(s, SIM_RECORD_ACKED);
 *     }
 */
#ifndef KL_SIM_SCENARIO_H
#define KL_SIM_SCENARIO_H

#include "tests/sim/scenario_map.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_run.h"

typedef struct sim_scenario {
    const char *name;
    const char *about;
    const char *faults; /* "F45 F53": see scenario_faults.h */
    void (*run)(sim *s);
} sim_scenario;

/* NULL behind the last one. */
const sim_scenario *sim_scenario_at(size_t index);
const sim_scenario *sim_scenario_find(const char *name);

#define SIM_SCENARIO(name)               void sim_scenario_##name(sim *s)
#define SIM_DECLARE(name, about, faults) SIM_SCENARIO(name);
SIM_SCENARIO_MAP(SIM_DECLARE)
#undef SIM_DECLARE

/* ---- Before the start ---- */

/* Three brokers unless said. */
void sim_cluster(sim *s, int32_t brokers);
/* Topic 0, 1, ... in the order of these calls. Partition p is led by node p + 1 at first. */
void sim_topic(sim *s, const char *name, int32_t partitions, int16_t replicas);
void sim_set(sim *s, const char *key, const char *value);
/* A host that says on_wrote only so long after it took the bytes. */
void sim_slow_writes(sim *s, uint64_t ns);
void sim_start(sim *s);

/* ---- Time ---- */

void sim_go(sim *s, uint64_t ns);
/* Until all is reported; a failure if that takes longer. */
void sim_drain(sim *s, uint64_t within_ns);
/* Until at least n more Produce requests have gone out whole, or have reached their broker. */
void sim_until_produced(sim *s, uint64_t n);

/* ---- What the user does ---- */

/* n small records without a key. */
void sim_send(sim *s, int topic, uint32_t n);
void sim_send_to(sim *s, int topic, int32_t partition, uint32_t n);
void sim_send_sized(sim *s, int topic, uint32_t n, size_t bytes);
void sim_flush(sim *s);
/* what: of kloop_purge_what; topic -1: all. */
void sim_purge(sim *s, int topic, unsigned what);
void sim_close(sim *s, uint64_t timeout_ms);
/* Closes, and waits for the end of it. */
void sim_close_and_wait(sim *s, uint64_t timeout_ms);

/* ---- What happens to him ---- */

/* What becomes of the next request of this API, on any broker. */
void sim_next(sim *s, int16_t api_key, kl_request_fate fate);
/* The partitions of the next Produce requests are answered so. */
void sim_next_error(sim *s, int16_t error_code, bool append, uint32_t times);
/* Each open connection to the node, or to all (KL_NO_NODE). */
void sim_reset(sim *s, int32_t node);
void sim_hole(sim *s, int32_t node);
void sim_impostor_at(sim *s, int32_t node, sim_impostor what);
void sim_cut_after(sim *s, int32_t node, uint64_t bytes);

/* The next answer of this API consists of these bytes; its length and its header are in order. */
void sim_next_body(sim *s, int16_t api_key, const uint8_t *body, size_t len);
/* The next Produce is refused because of these records, by their places in the batch. */
void sim_next_bad_records(sim *s, const int32_t *places, int32_t n);
/* So many of them are let pass first. */
void sim_skip_then(sim *s, uint32_t skip, int16_t api_key, kl_request_fate fate);
void sim_skip_then_error(sim *s, uint32_t skip, int16_t error_code, bool append, uint32_t times);
/* Whatever was ordered and did not happen yet does not. */
void sim_no_more(sim *s);
/* End of stream from the node, and what it had sent still comes. */
void sim_end(sim *s, int32_t node);
/* What the node says does not arrive; what it is told does. */
void sim_deafen(sim *s, int32_t node);
/* Nothing moves for so long, in either direction; then all of it. */
void sim_stall(sim *s, int32_t node, uint64_t ns);
/* Connections that are open, and those that are made later, until it is said again. 0: no limit. */
void sim_bandwidth(sim *s, uint64_t bytes_per_second);
/* All brokers but the first copy nothing as followers, or go on. */
void sim_followers(sim *s, bool stalled);
/* The node has another address: names tell of it, what was connected is reset. */
void sim_readdress(sim *s, int32_t node);
/* The fault strikes whenever it could, until sim_faults_end. */
void sim_always(sim *s, sim_fault_id id);
void sim_faults_end(sim *s);
/* Each answer passes here before it leaves; NULL: none does any more. */
void sim_answers_pass(sim *s,
                      void (*change)(sim *s, const kl_request_info *request, void *response));
/* The elements of an answer's list lie in memory that may be written; see broker/hooks.h. */
void *sim_elements(const kloop_array *list);
/* The partition's next batch has this sequence, and its brokers have forgotten what was before. */
void sim_next_sequence(sim *s, int topic, int32_t partition, int32_t sequence);
/* The loop is held: nothing is told to the engine meanwhile. */
void sim_hold_loop(sim *s, uint64_t ns);

/* ---- What is expected ---- */

void sim_expect(sim *s, bool what, const char *sentence);
/* Of all records that were accepted. */
void sim_expect_all(sim *s, sim_record_state state);
uint32_t sim_count(sim *s, sim_record_state state);
kloop_stats sim_stats(sim *s);
/* How many the engine knows of. */
int32_t sim_partitions(const sim *s, int topic);

#endif
