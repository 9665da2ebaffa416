/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile [--list] [--only NAME]... [--jobs N] [--verbose]
 *
 * Runs the cases, or those whose names contain a NAME, N of them at a time; most of that time all
 * of them wait. 0: the producer has stood them all. 1: not. 2: it could not be tried.
 */
#define _GNU_SOURCE
#include "tests/hostile/hostile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS     60
#define ONLY_MAX 64
#define TICK_MS  10
/* Beyond this a client hangs; it may be reported late for less. */
#define HANG_MS (HOSTILE_RUN_MS + HOSTILE_CLOSE_MS + 9000)

typedef struct job {
    const hostile_case *row;
    hostile_result *result;
    pid_t world;
    pid_t client;
    uint64_t begun_ms;
    hostile_ends ends;
} job;

typedef struct run {
    const char *only[ONLY_MAX];
    size_t only_count;
    size_t job_max;
    bool verbose;
    job jobs[256];
    size_t job_count;
    size_t next; /* case */
    size_t good, bad;
    /* the worst of all */
    const char *cpu_name, *memory_name, *late_name, *rate_name;
    uint64_t cpu_us, peak_kib, latest_ms;
    uint32_t busiest;
} run;

static bool is_chosen(const run *r, const hostile_case *row)
{
    for (size_t i = 0; i < r->only_count; i++)
        if (strstr(row->name, r->only[i]))
            return true;
    return r->only_count == 0;
}

/* ---- One case ---- */

static pid_t fork_child(void)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static bool begin(run *r, const hostile_case *row)
{
    hostile_ports ports;
    job *j = &r->jobs[r->job_count];
    *j = (job){.row = row, .begun_ms = hostile_now_ms()};
    j->result =
        mmap(NULL, sizeof *j->result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (j->result == MAP_FAILED || !hostile_ports_open(row, &ports))
        return false;
    j->world = fork_child();
    if (j->world == 0)
        hostile_world_run(row, &ports, j->result);
    j->client = j->world > 0 ? fork_child() : -1;
    if (j->client == 0) {
        /* Not _exit: who counts branches or looks for leaks does so at the end of a process. */
        hostile_ports open = ports;
        hostile_ports_close(&ports);
        exit(hostile_client_run(row, &open, j->result));
    }
    hostile_ports_close(&ports);
    r->job_count++;
    return j->client > 0;
}

static void print_result(const run *r, const job *j, const hostile_verdict *v)
{
    const hostile_result *c = j->result;
    printf("%-4s %-34s cpu %4llu ms  memory %5llu KiB  latest %4llu ms  close %4llu ms  "
           "turn %2llu ms  rate %3u/s  %llu/%llu/%llu\n",
           v->good ? "ok" : "BAD", j->row->name, (unsigned long long)(c->cpu_us / 1000),
           (unsigned long long)c->peak_kib, (unsigned long long)c->latest_ms,
           (unsigned long long)c->close_ms, (unsigned long long)(c->turn_us / 1000),
           (unsigned)c->busiest, (unsigned long long)c->outcomes[0],
           (unsigned long long)c->outcomes[1], (unsigned long long)c->outcomes[2]);
    if (v->good && !r->verbose)
        return;
    printf("     %s\n", j->row->story);
    printf("     %llu connections, %llu requests, %llu refused, starved %llu ms, "
           "parent late %llu ms\n",
           (unsigned long long)c->connects, (unsigned long long)c->requests,
           (unsigned long long)c->refused, (unsigned long long)c->starved_ms,
           (unsigned long long)j->ends.lag_ms);
    printf("%s", v->faults);
    printf("     told:\n");
    size_t shown = c->text_len < 3000 ? c->text_len : 3000;
    printf("%.*s\n", (int)shown, c->text);
}

#define WORST(r, j, field, name_field)                                                             \
    do {                                                                                           \
        if ((j)->result->field > (r)->field) {                                                     \
            (r)->field = (j)->result->field;                                                       \
            (r)->name_field = (j)->row->name;                                                      \
        }                                                                                          \
    } while (0)

static void finish(run *r, job *j)
{
    hostile_verdict v;
    j->ends.worlds_own = waitpid(j->world, NULL, WNOHANG) != 0;
    if (!j->ends.worlds_own) {
        kill(j->world, SIGKILL);
        waitpid(j->world, NULL, 0);
    }
    hostile_judge(j->row, j->result, &j->ends, &v);
    print_result(r, j, &v);
    *(v.good ? &r->good : &r->bad) += 1;
    WORST(r, j, cpu_us, cpu_name);
    WORST(r, j, peak_kib, memory_name);
    WORST(r, j, latest_ms, late_name);
    WORST(r, j, busiest, rate_name);
    munmap(j->result, sizeof *j->result);
    *j = r->jobs[--r->job_count];
}

/* ---- All of them ---- */

/* By how much this process, which does nothing else, woke up late. */
static uint64_t tick(void)
{
    uint64_t begin = hostile_now_ms();
    nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000L}, NULL);
    uint64_t took = hostile_now_ms() - begin;
    return took > TICK_MS + 1 ? took - TICK_MS : 0;
}

static void look_after(run *r, uint64_t lag_ms)
{
    for (size_t i = r->job_count; i-- > 0;) {
        job *j = &r->jobs[i];
        hostile_ends *ends = &j->ends;
        ends->lag_ms = lag_ms > ends->lag_ms ? lag_ms : ends->lag_ms;
        if (!ends->killed && hostile_now_ms() > j->begun_ms + HANG_MS + 4 * ends->lag_ms) {
            ends->killed = true;
            kill(j->client, SIGKILL);
        }
        if (waitpid(j->client, &ends->status, WNOHANG) == j->client)
            finish(r, j);
    }
}

static bool run_all(run *r)
{
    while (r->next < hostile_case_count || r->job_count > 0) {
        if (r->next < hostile_case_count && r->job_count < r->job_max) {
            const hostile_case *row = &hostile_cases[r->next++];
            if (is_chosen(r, row) && !begin(r, row)) {
                fprintf(stderr, "%s: cannot be tried: %s\n", row->name, strerror(errno));
                return false;
            }
            continue;
        }
        look_after(r, tick());
    }
    return true;
}

static void list(const run *r)
{
    for (size_t i = 0; i < hostile_case_count; i++)
        if (is_chosen(r, &hostile_cases[i]))
            printf("%-34s %-12s %s\n", hostile_cases[i].name, hostile_cases[i].faults,
                   hostile_cases[i].story);
}

static void usage(void)
{
    fprintf(stderr, "usage: hostile [--list] [--only NAME]... [--jobs N] [--verbose]\n");
    exit(2);
}

int main(int argc, char **argv)
{
    static run r = {.job_max = JOBS};
    bool only_list = false;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--list") == 0)
            only_list = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            r.verbose = true;
        else if (strcmp(argv[i], "--only") == 0 && more && r.only_count < ONLY_MAX)
            r.only[r.only_count++] = argv[++i];
        else if (strcmp(argv[i], "--jobs") == 0 && more)
            r.job_max = strtoul(argv[++i], NULL, 10);
        else
            usage();
    }
    if (r.job_max == 0 || r.job_max > sizeof r.jobs / sizeof *r.jobs)
        usage();
    if (only_list) {
        list(&r);
        return 0;
    }
    if (!run_all(&r))
        return 2;
    if (r.good + r.bad == 0) {
        fprintf(stderr, "there is no such case; --list names them\n");
        return 2;
    }
    printf("%zu cases, %zu bad; most CPU %llu ms (%s), most memory %llu KiB (%s), latest report "
           "%llu ms (%s), busiest second %u (%s)\n",
           r.good + r.bad, r.bad, (unsigned long long)(r.cpu_us / 1000),
           r.cpu_name ? r.cpu_name : "-", (unsigned long long)r.peak_kib,
           r.memory_name ? r.memory_name : "-", (unsigned long long)r.latest_ms,
           r.late_name ? r.late_name : "-", (unsigned)r.busiest, r.rate_name ? r.rate_name : "-");
    return r.bad ? 1 : 0;
}
