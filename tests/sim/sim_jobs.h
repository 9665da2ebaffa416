/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many seeds on several processes. Results are handed over in the order of the seeds, whatever the
 * number of processes, so that all that is made of them is the same each time.
 *
 * A seed that crashes takes its process with it, is a failure with its number and its last notes,
 * and the rest goes on in a new process. One that takes more than SIM_SECONDS_MAX of processor time
 * counts as crashed.
 */
#ifndef KL_SIM_JOBS_H
#define KL_SIM_JOBS_H

#include "tests/sim/sim_run.h"

#define SIM_SECONDS_MAX 20

/* false: stop now. */
typedef bool (*sim_result_fn)(void *me, const sim_result *result);

/* Runs seeds first to first + count - 1: of the swarm, or of a scenario if there is one. */
void sim_jobs_run(const sim_scenario *scenario, uint64_t first, uint64_t count, unsigned jobs,
                  sim_result_fn fn, void *me);

/* The same with other runs than these. */
typedef void (*sim_job_fn)(uint64_t number, sim_result *result);
void sim_jobs_run_with(sim_job_fn job, uint64_t first, uint64_t count, unsigned jobs,
                       sim_result_fn fn, void *me);

/* One run in a process of its own, so that a crash does not end the others. */
void sim_jobs_apart(const sim_scenario *scenario, uint64_t seed, sim_result *result);

/* For a run in this very process: a crash is told to fn, then the process ends with code 1. */
void sim_jobs_guard(sim_result_fn fn, void *me);

#endif
