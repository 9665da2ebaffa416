/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an honest broker answers: a struct with its arrays in reach, for lies to change, then bytes.
 *
 * All belongs to the world until the answer is out.
 */
#ifndef KL_TESTS_HOSTILE_REPLY_H
#define KL_TESTS_HOSTILE_REPLY_H

#include "tests/hostile/hostile_world.h"

#include <kloop/batch.h>

/* Which records a batch of the request holds. */
typedef struct hostile_batch {
    int32_t partition;
    kloop_slice bytes;
} hostile_batch;

struct hostile_reply {
    int16_t api;
    int16_t version; /* of the answer: a lie may change it */
    int32_t correlation;
    bool none; /* there is no answer: acks=0 */

    kloop_api_versions_response versions;
    kloop_api_version *apis;
    int32_t api_count;

    kloop_metadata_response metadata;
    kloop_metadata_broker *brokers;
    int32_t broker_count;
    kloop_metadata_topic *topics; /* one, or none was asked for */
    int32_t topic_count;
    kloop_metadata_partition *partitions;
    int32_t partition_count;

    kloop_init_producer_id_response init;

    kloop_produce_response produce;
    kloop_produce_topic_response *acked_topics;
    int32_t acked_topic_count;
    kloop_produce_partition_response *acks; /* of the first topic */
    int32_t ack_count;
    hostile_batch *batches; /* as they came */
    int32_t batch_count;
    kloop_node_endpoint *endpoints;
    int32_t endpoint_count;
};

/* false: this is no request that a producer makes. */
bool hostile_reply_make(hostile_world *w, hostile_conn *c, const uint8_t *frame, size_t len,
                        hostile_reply *r);
/* Writes down which records the brokers have now, as far as the answer tells; the lie has been
 * told. false: a batch cannot be read. */
bool hostile_reply_mark(hostile_world *w, const hostile_reply *r);
/* The frame, with its length. */
const uint8_t *hostile_reply_encode(hostile_world *w, hostile_reply *r, size_t *len);

/* The leader of a partition, from 1. */
int32_t hostile_leader_of(const hostile_world *w, int32_t partition);

#endif
