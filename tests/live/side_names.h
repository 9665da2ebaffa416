/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one side calls the things that both have: topic ids, producer ids, which node leads what.
 *
 * Two clusters that behave alike still draw other ids and spread leaders otherwise. A script names
 * a topic by its name and a producer by its turn; here is the way from there to the side's own
 * names, and back for the transcript.
 *
 * Owns nothing outside itself; sizes are fixed. Fails never: what is not known has no name.
 */
#ifndef KL_TESTS_LIVE_SIDE_NAMES_H
#define KL_TESTS_LIVE_SIDE_NAMES_H

#include <kloop/messages.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KL_SIDE_TOPICS_MAX     24
#define KL_SIDE_PARTITIONS_MAX 4
#define KL_SIDE_PRODUCERS_MAX  64

typedef struct kl_side_topic {
    char name[64];
    kloop_uuid id;
    int32_t leaders[KL_SIDE_PARTITIONS_MAX];
    int32_t partitions;
    int64_t last_offsets[KL_SIDE_PARTITIONS_MAX]; /* that the running script was told; -1: none */
} kl_side_topic;

typedef struct kl_side_names {
    kl_side_topic topics[KL_SIDE_TOPICS_MAX];
    size_t topic_count;
    int64_t producers[KL_SIDE_PRODUCERS_MAX];
    size_t producer_count;
} kl_side_names;

/* Takes over all topics of a Metadata answer of version 10 or later that have no error. */
void kl_side_names_learn(kl_side_names *names, const kloop_metadata_response *metadata);

/* NULL: not known. */
const kl_side_topic *kl_side_names_topic(const kl_side_names *names, const char *name);
const kl_side_topic *kl_side_names_topic_of(const kl_side_names *names, const kloop_uuid *id);
/* 0: nobody, as far as is known. */
int32_t kl_side_names_leader(const kl_side_names *names, const char *topic, int32_t partition);

/* A script begins: no offsets were told yet. */
void kl_side_names_forget_offsets(kl_side_names *names);
/* The last offset that was told for the partition since then, or -1; now it is this one. */
int64_t kl_side_names_next_offset(kl_side_names *names, const char *topic, int32_t partition,
                                  int64_t offset);

/* The how-many-eth producer id this is, from 1; one that was not seen before is the next. */
size_t kl_side_names_producer(kl_side_names *names, int64_t producer_id);

#endif
