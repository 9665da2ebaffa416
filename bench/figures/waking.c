/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wakes up at a rate and does nothing else: what the programs of bench/peers do beside their
 * sending, with the same timer. Prints their line, as far as there is something to tell.
 *
 *     figure_waking RATE TIMES
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/alarm_clock.h"
#include "cli/perf_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <uv.h>

typedef struct waking {
    kl_alarm alarm;
    uint64_t start_ns;
    uint64_t period_ns;
    uint64_t left;
} waking;

static void on_alarm(void *me)
{
    waking *w = me;
    if (--w->left == 0) {
        kl_alarm_close(&w->alarm, NULL);
        return;
    }
    w->start_ns += w->period_ns;
    kl_alarm_set(&w->alarm, w->start_ns);
}

int main(int argc, char **argv)
{
    uint64_t rate = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
    uint64_t times = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (rate == 0 || times == 0) {
        fprintf(stderr, "figure_waking RATE TIMES\n");
        return 2;
    }
    uv_loop_t loop;
    waking w = {.period_ns = UINT64_C(1000000000) / rate, .left = times};
    uv_loop_init(&loop);
    if (kl_alarm_init(&w.alarm, &loop, on_alarm, &w))
        return 1;
    w.start_ns = uv_hrtime() + w.period_ns;
    kl_alarm_set(&w.alarm, w.start_ns);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    kl_perf_process p = {.records = times};
    kl_perf_process_usage(&p);
    printf("{\"records\":%" PRIu64 ",\"ok\":%" PRIu64
           ",\"cpu_ns_per_record\":%.2f,\"vcsw\":%" PRIu64 "}\n",
           times, times, (double)(p.user_us + p.sys_us) * 1e3 / (double)times, p.vcsw);
    return 0;
}
