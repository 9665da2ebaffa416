/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of what is to be refused, and what came of it. */
#include "tests/sim/sim_torture.h"

#include "tests/sim/scenario.h"
#include "tests/sim/sim_jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 1
/* How many fail in a row where memory has run out. */
#define DRY_SPELL 60
/* Of a story with very many allocations these are enough, spread over all of it. */
#define TRIES_MAX 1500

typedef struct story {
    const sim_scenario *scenario;
    uint64_t allocations;
    uint64_t stride;
    uint64_t first; /* the number of its first run */
    uint64_t runs;
} story;

static story *stories;
static size_t story_count;

typedef struct tally {
    uint64_t runs;
    uint64_t failed;
    uint64_t stop_after;
    uint64_t hash;
} tally;

static const story *story_of(uint64_t run)
{
    size_t i = 0;
    while (i + 1 < story_count && stories[i + 1].first <= run)
        i++;
    return &stories[i];
}

/* Two runs for each allocation that is tried. */
static uint64_t refused_by(const story *t, uint64_t run, uint64_t *count)
{
    uint64_t at = run - t->first;
    *count = at % 2 ? DRY_SPELL : 1;
    return 1 + at / 2 * t->stride;
}

static void run_one(uint64_t run, sim_result *result)
{
    const story *t = story_of(run);
    uint64_t count;
    uint64_t from = refused_by(t, run, &count);
    sim_run_tortured(t->scenario, SEED, from, count, NULL, result);
}

static bool take(void *me, const sim_result *r)
{
    tally *m = me;
    uint64_t count;
    const story *t = story_of(m->runs);
    uint64_t from = refused_by(t, m->runs, &count);
    m->runs++;
    m->hash = sim_mix(m->hash, r->hash);
    if (r->ok)
        return true;
    m->failed++;
    printf("\n%s with allocation %" PRIu64 "%s refused: %s  again: kloop-sim --torture --scenario "
           "%s --refuse %" PRIu64 ":%" PRIu64 " --trace\n",
           t->scenario->name, from, count > 1 ? " and those behind it" : "", r->report,
           t->scenario->name, from, count);
    fflush(stdout);
    return !m->stop_after || m->failed < m->stop_after;
}

static bool count_allocations(const char *only, uint64_t stride)
{
    static sim_result result;
    uint64_t next = 0;
    size_t n = 0;
    while (sim_scenario_at(n))
        n++;
    stories = sim_zalloc(n, sizeof *stories);
    for (size_t i = 0; i < n; i++) {
        const sim_scenario *s = sim_scenario_at(i);
        if (only && strcmp(only, s->name))
            continue;
        sim_jobs_apart(s, SEED, &result);
        if (!result.ok) {
            printf("scenario %s fails as it is: %s", s->name, result.report);
            continue;
        }
        story *t = &stories[story_count];
        *t = (story){.scenario = s, .allocations = result.allocations, .first = next};
        t->stride = stride;
        if (t->allocations / t->stride > TRIES_MAX)
            t->stride = t->allocations / TRIES_MAX;
        t->runs = 2 * ((t->allocations + t->stride - 1) / t->stride);
        next += t->runs;
        story_count += t->runs > 0;
    }
    return story_count > 0;
}

int sim_torture(const char *only, uint64_t stride, unsigned jobs, uint64_t stop_after)
{
    tally m = {.stop_after = stop_after};
    uint64_t allocations = 0;
    if (!count_allocations(only, stride)) {
        fprintf(stderr, "kloop-sim: there is nothing to torture\n");
        free(stories);
        return 2;
    }
    const story *last = &stories[story_count - 1];
    sim_jobs_run_with(run_one, 0, last->first + last->runs, jobs, take, &m);
    for (size_t i = 0; i < story_count; i++)
        allocations += stories[i].allocations;
    printf("torture: %zu scenarios, %" PRIu64 " allocations, %" PRIu64 " runs, %" PRIu64
           " failed, %016" PRIx64 "\n",
           story_count, allocations, m.runs, m.failed, m.hash);
    free(stories);
    return m.failed ? 1 : 0;
}
