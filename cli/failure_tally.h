/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that were not delivered, counted by what became of them and why, by topic and partition,
 * so that a million of them are a few lines for people. Of each group the first sentence and the
 * last one are kept as samples.
 *
 * A plain value, all zero at first; nothing is owned, nothing fails: what comes after the table is
 * full is counted together.
 */
#ifndef KL_CLI_FAILURE_TALLY_H
#define KL_CLI_FAILURE_TALLY_H

#include <kloop/record.h>

#include <stdbool.h>
#include <stdio.h>

#define KL_TALLY_GROUPS_MAX     16
#define KL_TALLY_PARTITIONS_MAX 64 /* of a group that are counted one by one */
#define KL_TALLY_TOPIC_MAX      250
#define KL_TALLY_TEXT_MAX       640

typedef struct kl_failure_partition {
    int32_t index;
    uint64_t count;
} kl_failure_partition;

/* One error of one topic. */
typedef struct kl_failure_group {
    uint64_t count;
    kloop_outcome outcome;
    kloop_cause cause;
    int16_t broker_error;
    kloop_status status; /* of a record that was never taken; KLOOP_OK: it was */
    char topic[KL_TALLY_TOPIC_MAX];
    kl_failure_partition partitions[KL_TALLY_PARTITIONS_MAX];
    size_t partition_count;
    uint64_t elsewhere; /* records of partitions beyond these */
    char first[KL_TALLY_TEXT_MAX];
    char last[KL_TALLY_TEXT_MAX];
} kl_failure_group;

typedef struct kl_failure_tally {
    kl_failure_group groups[KL_TALLY_GROUPS_MAX];
    size_t group_count;
    uint64_t others;
    uint64_t failed; /* all of them, by outcome */
    uint64_t unknown;
    uint64_t refused; /* of the failed ones: the producer never took them */
} kl_failure_tally;

/* A run that was not acknowledged. */
void kl_failure_tally_add(kl_failure_tally *tally, const kloop_report *run);

/* A record that the producer did not take, and the sentence of kloop_send_error(). partition -1:
 * it named none. */
void kl_failure_tally_refused(kl_failure_tally *tally, kloop_string topic, int32_t partition,
                              kloop_status status, const char *text);

/*
 * What a record's error is called in one word: Kafka's name where a broker gave one, else ours in
 * the same style.
 */
const char *kl_failure_name(const kloop_report *run);
const char *kl_refusal_name(kloop_status status);

static inline bool kl_failure_tally_any(const kl_failure_tally *tally)
{
    return tally->failed + tally->unknown > 0;
}

/* Did the network have to do with any of them? */
static inline bool kl_failure_tally_any_taken(const kl_failure_tally *tally)
{
    return tally->failed + tally->unknown > tally->refused;
}

/* The groups, the largest first, each with its partitions, its samples and what can be done. */
void kl_failure_tally_print(const kl_failure_tally *tally, const char *command, FILE *to);

#endif
