/* SPDX-License-Identifier: BSD-2-Clause */
/* The command: arguments, failures, the summary and the closing line. */
#include "tests/sim/explore.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scenario_faults.h"
#include "tests/sim/sim_jobs.h"
#include "tests/sim/sim_torture.h"

#include <lz4.h>
#include <zlib.h>
#include <zstd.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "kloop-sim: the whole producer in a simulated world, from one seed\n"
    "\n"
    "  kloop-sim [--seed S] [--seeds N] [--jobs J] [--trace] [--stats] [--scenario "
    "NAME|list|all|faults]\n"
    "\n"
    "  --seed S         the first seed; 1 unless given\n"
    "  --seeds N        how many, one after the other; 100 unless given, 1 with --seed alone\n"
    "  --jobs J         processes; as many as there are processors\n"
    "  --trace          print everything that happens (one seed or one scenario)\n"
    "  --stats          how often each fault struck, over all seeds\n"
    "  --scenario NAME  a story written by hand instead of seeds; list: which there are; all;\n"
    "                   faults: which fault of the catalogue has which stories\n"
    "  --explore D      every sequence of fates for the first D Produce requests of a small run\n"
    "  --torture        each allocation of each story fails once, then all from it on for a while\n"
    "  --stride N       each N-th of them only\n"
    "  --refuse N:M     with --torture --scenario: just this, M allocations from number N on\n"
    "  --stop-after N   end after so many failures; 20 unless given, 0: never\n"
    "\n"
    "Each run has an engine, up to five model brokers, a network and a user, all in virtual time:\n"
    "about 60 s with faults of every kind, then all is mended, and must come out right. A failure\n"
    "prints the seed, the broken invariant, the last events, and the command that replays it.\n"
    "The same binary and the same seeds give the same H, always.\n"
    "\n"
    "  kloop-sim --seeds 10000             a good night's part\n"
    "  kloop-sim --seed 4711 --trace       what happened in there\n"
    "  kloop-sim --scenario answer_lost    one story\n"
    "\n"
    "Exit code: 0 all in order, 1 some failed, 2 wrong arguments.\n";

typedef struct summary {
    uint64_t runs;
    uint64_t ok;
    uint64_t failed;
    uint64_t virtual_ns;
    uint64_t hash;
    uint64_t stop_after;
    bool scenarios;
    uint64_t depth;   /* of an exploration; 0: it is none */
    const char *name; /* of the scenario that runs */
    uint32_t *records;
    uint32_t *faults;
    uint32_t *speeds;
    uint64_t acked, lost, unknown;
    uint64_t fired[SIM_FAULT_COUNT];
    uint64_t fired_runs[SIM_FAULT_COUNT];
    uint64_t cap;
} summary;

static bool take(void *me, const sim_result *r)
{
    summary *m = me;
    if (m->runs == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 1024;
        m->records = sim_grow(m->records, m->cap, sizeof *m->records);
        m->faults = sim_grow(m->faults, m->cap, sizeof *m->faults);
        m->speeds = sim_grow(m->speeds, m->cap, sizeof *m->speeds);
    }
    m->records[m->runs] = r->records;
    m->faults[m->runs] = r->faults;
    m->speeds[m->runs] = (uint32_t)(r->processor_ns ? r->virtual_ns / r->processor_ns : 0);
    m->acked += r->acked;
    m->lost += r->failed_records;
    m->unknown += r->unknown;
    for (int i = 0; i < SIM_FAULT_COUNT; i++) {
        m->fired[i] += r->fired[i];
        m->fired_runs[i] += r->fired[i] > 0;
    }
    m->runs++;
    m->virtual_ns += r->virtual_ns;
    m->hash = sim_mix(m->hash, r->hash);
    if (r->ok) {
        m->ok++;
        return true;
    }
    m->failed++;
    if (m->scenarios)
        printf("\nscenario %s failed: %s  again: kloop-sim --scenario %s --trace\n", m->name,
               r->report, m->name);
    else if (m->depth)
        printf("\nrun %" PRIu64 " failed: %s  again: kloop-sim --explore %" PRIu64
               " --seed %" PRIu64 " --trace\n",
               r->seed, r->report, m->depth, r->seed);
    else
        printf("\nseed %" PRIu64 " failed: %s  again: kloop-sim --seed %" PRIu64 " --trace\n",
               r->seed, r->report, r->seed);
    fflush(stdout);
    return !m->stop_after || m->failed < m->stop_after;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x;
    uint32_t y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static uint32_t median(uint32_t *values, uint64_t n)
{
    qsort(values, n, sizeof *values, by_size);
    return n ? values[n / 2] : 0;
}

static void print_stats(const summary *m)
{
    printf("\n%-28s %12s %12s\n", "fault", "struck", "runs");
    for (int i = 0; i < SIM_FAULT_COUNT; i++)
        printf("%-28s %12" PRIu64 " %12" PRIu64 "\n", sim_fault_name((sim_fault_id)i), m->fired[i],
               m->fired_runs[i]);
    printf("\n");
}

static int finish(summary *m, bool stats, double wall)
{
    if (stats)
        print_stats(m);
    if (!m->scenarios)
        printf("each seed (median): %u records, %u faults, %ux real time; %" PRIu64
               " records acked, %" PRIu64 " failed, %" PRIu64
               " unknown; zlib %s, lz4 %s, zstd %s\n",
               median(m->records, m->runs), median(m->faults, m->runs), median(m->speeds, m->runs),
               m->acked, m->lost, m->unknown, zlibVersion(), LZ4_versionString(),
               ZSTD_versionString());
    printf("sim: %" PRIu64 " seeds, %" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64
           " virtual seconds, %.1f wall seconds, %016" PRIx64 "\n",
           m->runs, m->ok, m->failed, m->virtual_ns / KL_SECOND, wall, m->hash);
    free(m->records);
    free(m->faults);
    free(m->speeds);
    return m->failed ? 1 : 0;
}

static double wall_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int wrong(const char *what, const char *value)
{
    fprintf(stderr, "kloop-sim: %s%s\nkloop-sim --help tells more.\n", what, value ? value : "");
    return 2;
}

static bool number(const char *text, uint64_t *value)
{
    char *end;
    if (!text || *text < '0' || *text > '9')
        return false;
    *value = strtoull(text, &end, 0);
    return *end == 0;
}

static int scenarios(const char *name, uint64_t seed, bool trace, summary *m)
{
    const sim_scenario *one = sim_scenario_find(name);
    double start = wall_now();
    static sim_result result;
    m->scenarios = true;
    if (!strcmp(name, "list")) {
        for (size_t i = 0; (one = sim_scenario_at(i)) != NULL; i++)
            printf("%-28s %s%s%s\n", one->name, one->about, one->faults[0] ? "; " : "",
                   one->faults);
        return 0;
    }
    if (!strcmp(name, "faults"))
        return sim_scenario_faults();
    if (!one && strcmp(name, "all"))
        return wrong("no scenario is called so, --scenario list shows them all: ", name);
    for (size_t i = 0; sim_scenario_at(i); i++) {
        const sim_scenario *now = sim_scenario_at(i);
        if (one && now != one)
            continue;
        m->name = now->name;
        if (trace) {
            sim_jobs_guard(take, m);
            sim_run_scenario(now, seed, stdout, &result);
        } else {
            sim_jobs_apart(now, seed, &result);
        }
        take(m, &result);
    }
    return finish(m, false, wall_now() - start);
}

static bool pair(const char *text, uint64_t *a, uint64_t *b)
{
    char left[24] = "";
    const char *colon = text ? strchr(text, ':') : NULL;
    if (!colon || (size_t)(colon - text) >= sizeof left)
        return false;
    memcpy(left, text, (size_t)(colon - text));
    return number(left, a) && number(colon + 1, b) && *a && *b;
}

static int tortured(const char *name, uint64_t seed, uint64_t from, uint64_t count, bool trace,
                    summary *m)
{
    const sim_scenario *one = name ? sim_scenario_find(name) : NULL;
    double start = wall_now();
    static sim_result result;
    if (!one)
        return wrong("--refuse wants the name of a scenario, not ", name ? name : "none");
    m->scenarios = true;
    m->name = name;
    sim_jobs_guard(take, m);
    sim_run_tortured(one, seed, from, count, trace ? stdout : NULL, &result);
    take(m, &result);
    return finish(m, false, wall_now() - start);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    uint64_t seeds = 0;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t jobs = processors > 0 ? (uint64_t)processors : 1;
    bool trace = false;
    bool stats = false;
    bool seed_given = false;
    bool torture = false;
    uint64_t stride = 1;
    uint64_t from = 0;
    uint64_t count = 0;
    const char *scenario = NULL;
    static summary m = {.stop_after = 20};
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(a, "--help") || !strcmp(a, "-h")) {
            fputs(help, stdout);
            return 0;
        }
        if (!strcmp(a, "--trace")) {
            trace = true;
        } else if (!strcmp(a, "--stats")) {
            stats = true;
        } else if (!strcmp(a, "--scenario")) {
            if (!value)
                return wrong("--scenario wants a name, list, all or faults", NULL);
            scenario = value;
            i++;
        } else if (!strcmp(a, "--seed")) {
            if (!number(value, &seed))
                return wrong("--seed wants a number, not ", value ? value : "nothing");
            seed_given = true;
            i++;
        } else if (!strcmp(a, "--seeds")) {
            if (!number(value, &seeds) || !seeds)
                return wrong("--seeds wants a number above 0, not ", value ? value : "nothing");
            i++;
        } else if (!strcmp(a, "--jobs")) {
            if (!number(value, &jobs) || !jobs || jobs > 1024)
                return wrong("--jobs wants 1 to 1024, not ", value ? value : "nothing");
            i++;
        } else if (!strcmp(a, "--explore")) {
            if (!number(value, &m.depth) || !m.depth || m.depth > SIM_EXPLORE_DEPTH_MAX)
                return wrong("--explore wants 1 to 8, not ", value ? value : "nothing");
            i++;
        } else if (!strcmp(a, "--torture")) {
            torture = true;
        } else if (!strcmp(a, "--stride")) {
            if (!number(value, &stride) || !stride)
                return wrong("--stride wants a number above 0, not ", value ? value : "nothing");
            i++;
        } else if (!strcmp(a, "--refuse")) {
            if (!pair(value, &from, &count))
                return wrong("--refuse wants N:M, not ", value ? value : "nothing");
            i++;
        } else if (!strcmp(a, "--stop-after")) {
            if (!number(value, &m.stop_after))
                return wrong("--stop-after wants a number, not ", value ? value : "nothing");
            i++;
        } else {
            return wrong("what is meant by ", a);
        }
    }
    if (torture && from)
        return tortured(scenario, seed, from, count, trace, &m);
    if (torture)
        return sim_torture(scenario, stride, (unsigned)jobs, m.stop_after);
    if (scenario)
        return scenarios(scenario, seed, trace, &m);
    const sim_scenario *explored = m.depth ? sim_explore_scenario((unsigned)m.depth) : NULL;
    if (explored && !seeds && !seed_given)
        seeds = sim_explore_count((unsigned)m.depth);
    if (!seeds)
        seeds = seed_given ? 1 : 100;
    if (trace && seeds > 1)
        return wrong("--trace is for one seed", NULL);
    double start = wall_now();
    if (trace) {
        static sim_result result;
        sim_jobs_guard(take, &m);
        if (explored)
            sim_run_scenario(explored, seed, stdout, &result);
        else
            sim_run_seed(seed, stdout, &result);
        take(&m, &result);
    } else {
        sim_jobs_run(explored, seed, seeds, (unsigned)jobs, take, &m);
    }
    return finish(&m, stats, wall_now() - start);
}
