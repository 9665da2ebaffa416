/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a sink has stored: sums over all partitions, and the line of JSON that it ends with.
 *
 * Nothing is owned. Printing fails for lack of memory, or as stdio does.
 */
#ifndef KL_CLI_SINK_STORED_H
#define KL_CLI_SINK_STORED_H

#include "broker/cluster.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct kl_sink_sums {
    uint64_t records;
    uint64_t bytes;
    uint64_t batches;
    uint64_t complaints;
} kl_sink_sums;

kl_sink_sums kl_sink_stored_sums(const kl_cluster *c);

/* One object on one line, flushed. false: not all of it could be written. */
bool kl_sink_stored_print(const kl_cluster *c, FILE *to);

#endif
