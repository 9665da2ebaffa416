/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workers and their pipes. Worker j of J runs the seeds first + j, first + j + J, ...; so the next
 * result in order always comes from a known worker, and nothing has to be sorted.
 */
#include "tests/sim/sim_jobs.h"

#include "base/check.h"
#include "tests/sim/sim_world.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct worker {
    pid_t pid;
    int fd; /* results come from here; -1: none runs */
} worker;

static int results_fd = -1; /* in a worker */
static sim_job_fn job_fn;
static const sim_scenario *told; /* NULL: the swarm's seeds */
static sim_result_fn guard_fn;
static void *guard_me;
static sim_result last;

static void send_result(const sim_result *r)
{
    const char *p = (const char *)r;
    size_t left = sizeof *r;
    while (left) {
        ssize_t n = write(results_fd, p, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(1);
        p += n;
        left -= (size_t)n;
    }
}

/* The process is broken; what is printed of it may be too, but it is better than nothing. */
static _Noreturn void die(const char *what)
{
    last = (sim_result){0};
    sim_run_last_words(what, &last);
    if (results_fd >= 0)
        send_result(&last);
    else if (guard_fn)
        guard_fn(guard_me, &last);
    _exit(1);
}

static void on_signal(int number)
{
    static const struct {
        int number;
        const char *what;
    } names[] = {{SIGSEGV, "SIGSEGV: a wild pointer"},
                 {SIGBUS, "SIGBUS: a wild pointer"},
                 {SIGFPE, "SIGFPE: a division by zero"},
                 {SIGILL, "SIGILL"},
                 {SIGABRT, "SIGABRT: aborted"},
                 {SIGVTALRM, "the seed takes too long: the engine is in a loop"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].number == number)
            die(names[i].what);
    die("a signal");
}

static void on_check(const char *file, int line, const char *what)
{
    char text[400];
    const char *name = strrchr(file, '/');
    snprintf(text, sizeof text, "assertion in %s:%d: %s", name ? name + 1 : file, line, what);
    die(text);
}

static void watch_for_crashes(void)
{
#ifdef __SANITIZE_ADDRESS__
    static const int numbers[] = {SIGVTALRM}; /* the sanitizer has more to say about the others */
#else
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGVTALRM};
#endif
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    kl_check_hook = on_check;
}

static void set_watchdog(void)
{
    struct itimerval in = {.it_value = {.tv_sec = SIM_SECONDS_MAX}};
    setitimer(ITIMER_VIRTUAL, &in, NULL);
}

static _Noreturn void work(uint64_t seed, uint64_t end, uint64_t stride)
{
    static sim_result result;
    watch_for_crashes();
    for (; seed < end; seed += stride) {
        set_watchdog();
        job_fn(seed, &result);
        send_result(&result);
    }
    _exit(0);
}

static void start(worker *w, uint64_t seed, uint64_t end, uint64_t stride)
{
    int fds[2];
    fflush(NULL);
    if (pipe(fds))
        abort();
    w->pid = fork();
    if (w->pid < 0) {
        perror("kloop-sim: fork");
        exit(2);
    }
    if (w->pid == 0) {
        close(fds[0]);
        results_fd = fds[1];
        work(seed, end, stride);
    }
    close(fds[1]);
    w->fd = fds[0];
}

static void stop(worker *w)
{
    if (w->fd < 0)
        return;
    close(w->fd);
    w->fd = -1;
    waitpid(w->pid, NULL, 0);
}

/* false: the worker is gone before it had one. */
static bool receive(worker *w, sim_result *r)
{
    char *p = (char *)r;
    size_t left = sizeof *r;
    while (left) {
        ssize_t n = read(w->fd, p, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        left -= (size_t)n;
    }
    return true;
}

static void run_seed(uint64_t seed, sim_result *result)
{
    if (told)
        sim_run_scenario(told, seed, NULL, result);
    else
        sim_run_seed(seed, NULL, result);
}

void sim_jobs_run(const sim_scenario *scenario, uint64_t first, uint64_t count, unsigned jobs,
                  sim_result_fn fn, void *me)
{
    told = scenario;
    sim_jobs_run_with(run_seed, first, count, jobs, fn, me);
}

void sim_jobs_run_with(sim_job_fn job, uint64_t first, uint64_t count, unsigned jobs,
                       sim_result_fn fn, void *me)
{
    job_fn = job;
    uint64_t end = first + count;
    if (jobs > count)
        jobs = (unsigned)count;
    worker *workers = sim_zalloc(jobs, sizeof *workers);
    sim_result *result = sim_zalloc(1, sizeof *result);
    for (unsigned j = 0; j < jobs; j++)
        start(&workers[j], first + j, end, jobs);
    bool go_on = true;
    for (uint64_t i = 0; i < count && go_on; i++) {
        worker *w = &workers[i % jobs];
        bool died = !receive(w, result);
        if (died) {
            memset(result, 0, sizeof *result);
            snprintf(result->report, sizeof result->report, "crash: the process is gone\n");
        }
        result->seed = first + i;
        go_on = fn(me, result);
        /* A crash tells its result, then the process is gone. */
        if (died || !strncmp(result->report, "crash", 5)) {
            stop(w);
            if (i + jobs < count && go_on)
                start(w, first + i + jobs, end, jobs);
        }
    }
    for (unsigned j = 0; j < jobs; j++) {
        if (workers[j].fd >= 0 && !go_on)
            kill(workers[j].pid, SIGKILL);
        stop(&workers[j]);
    }
    free(workers);
    free(result);
}

void sim_jobs_apart(const sim_scenario *scenario, uint64_t seed, sim_result *result)
{
    worker w;
    int fds[2];
    fflush(NULL);
    if (pipe(fds))
        abort();
    w.pid = fork();
    if (w.pid == 0) {
        close(fds[0]);
        results_fd = fds[1];
        watch_for_crashes();
        set_watchdog();
        sim_run_scenario(scenario, seed, NULL, result);
        send_result(result);
        _exit(0);
    }
    close(fds[1]);
    w.fd = fds[0];
    if (w.pid < 0 || !receive(&w, result)) {
        memset(result, 0, sizeof *result);
        snprintf(result->report, sizeof result->report, "crash: the process is gone\n");
    }
    stop(&w);
}

void sim_jobs_guard(sim_result_fn fn, void *me)
{
    guard_fn = fn;
    guard_me = me;
    watch_for_crashes();
    set_watchdog();
}
