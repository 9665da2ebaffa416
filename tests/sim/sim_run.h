/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One seed, or one scenario, from beginning to end.
 *
 *     faults -- heal -- recovery (I49) -- probes -- reported -- rest -- close -- appends -- logs
 *        \----- or: close, or delete, in the middle ------------------------^
 */
#ifndef KL_SIM_RUN_H
#define KL_SIM_RUN_H

#include "tests/sim/sim_fault.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct sim sim;

#define SIM_REPORT_BYTES 12000

typedef struct sim_result {
    uint64_t seed;
    uint64_t hash;
    uint64_t virtual_ns;
    uint64_t processor_ns;
    uint64_t events;
    uint64_t allocations; /* of the engine */
    uint32_t records;
    uint32_t acked;
    uint32_t failed_records;
    uint32_t unknown;
    uint32_t faults;
    uint32_t fired[SIM_FAULT_COUNT];
    bool ok;
    char report[SIM_REPORT_BYTES]; /* what went wrong, several lines */
} sim_result;

/* trace: where each note is printed, or NULL. */
void sim_run_seed(uint64_t seed, FILE *trace, sim_result *result);

typedef struct sim_scenario sim_scenario;
void sim_run_scenario(const sim_scenario *scenario, uint64_t seed, FILE *trace, sim_result *result);

/* The same while the engine's allocations fail, count of them, the first one being number from. */
void sim_run_tortured(const sim_scenario *scenario, uint64_t seed, uint64_t from, uint64_t count,
                      FILE *trace, sim_result *result);

/* What is known when the process is about to die in the middle of a run: the same report. */
void sim_run_last_words(const char *what, sim_result *result);

/* ---- For scenarios ---- */

/* Events until then, or until everything is reported. */
void sim_run_until(sim *s, uint64_t when_ns);
bool sim_run_until_drained(sim *s, uint64_t within_ns);
void sim_run_heal(sim *s);

#endif
