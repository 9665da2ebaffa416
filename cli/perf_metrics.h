/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --print-metrics: the producer's figures as kafka-producer-perf-test prints those of Java's
 * client, a name with its tags and a value a line, sorted. Java's names where the meaning is the
 * same; what only we have has a name of its own.
 *
 * Nothing is owned. Without memory the list ends where it ran out, which is said.
 */
#ifndef KL_CLI_PERF_METRICS_H
#define KL_CLI_PERF_METRICS_H

#include <kloop/stats.h>

#include <stdio.h>

/* Wants the parts brokers, topics and histograms. */
void kl_perf_print_metrics(const kloop_snapshot *s, FILE *to);

#endif
