/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cluster looks like, put in order for printing: brokers and partitions by number, topics by
 * name, and what is not as it should be.
 *
 * Owns its lists; all that they show belongs to the answer that the picture was made of. Fails for
 * lack of memory only.
 */
#ifndef KL_CLI_META_PICTURE_H
#define KL_CLI_META_PICTURE_H

#include "cli/meta_ask.h"
#include "wiretools/arena.h"

#include <kloop/wire.h>

typedef struct kl_meta_broker {
    kloop_metadata_broker it;
    kl_dialog *dialog; /* NULL: it was not asked for its versions */
} kl_meta_broker;

typedef struct kl_meta_partition {
    kloop_metadata_partition it;
    bool leaderless;
    bool under_replicated; /* replicas that are not in sync */
    bool offline;          /* replicas whose brokers, or disks, are gone */
} kl_meta_partition;

typedef struct kl_meta_topic {
    kloop_metadata_topic it;
    kl_meta_partition *partitions;
    size_t partition_count;
} kl_meta_topic;

typedef struct kl_meta_picture {
    kl_arena arena;
    kloop_string cluster_id; /* nullable */
    int32_t controller_id;
    int32_t origin_id; /* -1: the one that was asked is none of those it tells of */
    char origin[320];  /* "127.0.0.1:9092/1", "localhost:9092/bootstrap" */
    const char *asked; /* the names, with commas; NULL: all topics */
    kl_meta_broker *brokers;
    size_t broker_count;
    kl_meta_topic *topics;
    size_t topic_count;
    /* Of all partitions shown. */
    size_t partition_count;
    size_t leaderless_count;
    size_t under_replicated_count;
    size_t offline_count;
    size_t refused_topic_count; /* with an error in place of partitions */
    size_t silent_broker_count; /* that could not be asked for their versions */
} kl_meta_picture;

/* false: no memory. To be given back in any case. */
bool kl_meta_picture_make(kl_meta_picture *p, const kl_meta_question *q, const kl_meta_answer *a);
void kl_meta_picture_deinit(kl_meta_picture *p);

#endif
