/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a producer looks like inside, for a person (SIGUSR1) and for a file (--stats). Both take a
 * snapshot there and then, so they belong to the loop's thread.
 *
 * The stream is the caller's, who looks at ferror(). Without memory for a snapshot that is what is
 * printed.
 */
#ifndef KL_CLI_SNAPSHOT_PRINT_H
#define KL_CLI_SNAPSHOT_PRINT_H

#include <kloop/kloop.h>

#include <stdbool.h>
#include <stdio.h>

/* Totals, brokers, topics, and what waits for what, in some ten to forty lines. */
void kl_snapshot_print(kloop_producer *p, FILE *to);

/* The statistics as one line of JSON, with partitions. *since, NULL at first, is the snapshot
 * before, and becomes this one: kloop_snapshot_del() at the end. false: no memory, nothing was
 * written. */
bool kl_snapshot_write_json(kloop_producer *p, kloop_snapshot **since, FILE *to);

#endif
