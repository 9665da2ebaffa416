/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --stats FILE: what the producer looks like inside, once a second and at its end. A line of JSON
 * under librdkafka's names each time; where the name ends with .prom, the whole file is Prometheus
 * text and takes the place of the one before, so that nobody reads half of it. "-" is stderr, as it
 * is of --trace.
 *
 *     opened (before the first record) --> started with a loop and a producer --> last, when it is
 *     closed --> closed, behind the loop
 *
 * A plain value, all zero at first, which owns its stream and a timer that keeps no loop alive.
 * What cannot be opened is told by errno; what cannot be written later ends the writing, and is
 * told at the end.
 */
#ifndef KL_CLI_STATS_FILE_H
#define KL_CLI_STATS_FILE_H

#include <kloop/kloop.h>

#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

typedef struct kl_stats_file {
    const char *path; /* NULL: not asked for, and nothing here does anything */
    FILE *to;         /* of JSON */
    int error;        /* errno of writing; 0: none */
    uv_timer_t timer;
    kloop_producer *producer;
    kloop_snapshot *since;
} kl_stats_file;

/* 0, or errno. path, which may be NULL, must stay. */
int kl_stats_file_open(kl_stats_file *f, const char *path);
void kl_stats_file_start(kl_stats_file *f, uv_loop_t *loop, kloop_producer *p);
/* In the producer's close callback: once more, and the timer is closed. */
void kl_stats_file_last(kl_stats_file *f);
/* 0, or errno of what could not be written. */
int kl_stats_file_close(kl_stats_file *f);

#endif
