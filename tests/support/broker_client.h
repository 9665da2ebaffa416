/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that speaks bytes with a broker of a model cluster: it sends whole requests over a peer
 * and takes whole answers off it, with a clock that only moves when told. A failed expectation
 * fails the running cmocka test.
 *
 *     kl_client a;
 *     kl_client_open(&a, cluster, 1);
 *     kl_client_produce(&a, 12, "events", 0, kl_client_batch(&(kl_client_batch_spec){.count = 3}));
 *     assert_int_equal(kl_client_produced(&a, 12), 0);
 *     kl_client_close(&a);
 *
 * The clock is the cluster's, shared by all clients of a test: kl_client_now.
 */
#ifndef KL_TESTS_BROKER_CLIENT_H
#define KL_TESTS_BROKER_CLIENT_H

#include "broker/peer.h"
#include "broker/truth.h"

#include <kloop/wire.h>

/* Nanoseconds; tests set it and pass it on. */
extern int64_t kl_client_now;

#define KL_CLIENT_MS INT64_C(1000000)

/* To so many ms later, and the cluster is told. */
void kl_client_wait(kl_cluster *c, int64_t ms);

/* A cluster with so many brokers, at time 0, that checks everything. */
kl_cluster_config kl_client_config(int32_t brokers);
kl_cluster *kl_client_cluster(const kl_cluster_config *config);
/* One more topic, on all of the first replicas brokers. */
int32_t kl_client_topic(kl_cluster *c, const char *name, int32_t partitions, int16_t replicas);

typedef struct kl_client {
    kl_cluster *cluster;
    kl_peer *peer;          /* NULL once it was closed */
    int32_t correlation_id; /* of the latest request */
    /* the latest answer */
    uint8_t *frame;
    size_t frame_len; /* with its length field */
    /* of it, if it answers a produce request: its only partition */
    kloop_produce_response produced;
    kloop_produce_topic_response produced_topic;
    kloop_produce_partition_response produced_partition;
} kl_client;

void kl_client_open(kl_client *a, kl_cluster *c, int32_t node_id);
void kl_client_close(kl_client *a);

/* Sends a request of any sort; message is its struct. */
#define kl_client_send(a, api_key, version, message)                                               \
    kl_client_send_sized((a), (api_key), (version), (message), sizeof *(message))
void kl_client_send_sized(kl_client *a, int16_t api_key, int16_t version, const void *message,
                          size_t size);
void kl_client_send_raw(kl_client *a, const void *bytes, size_t len);

/* Takes the next whole frame off the output; false when there is none. Its bytes are in a->frame.
 */
bool kl_client_take(kl_client *a);
/* It answers the latest request, in this version. */
#define kl_client_answer(a, api_key, version, response)                                            \
    kl_client_answer_sized((a), (api_key), (version), (response), sizeof *(response))
void kl_client_answer_sized(kl_client *a, int16_t api_key, int16_t version, void *response,
                            size_t size);
bool kl_client_is_closed(const kl_client *a);

/* ---- Batches ---- */

typedef struct kl_client_batch_spec {
    int32_t count; /* of records; 0 stands for 1 */
    size_t value_len;
    bool idempotent;
    int64_t producer_id;
    int16_t epoch;
    int32_t sequence;
    int16_t attributes;
    int64_t timestamp;
    bool keys;
    char fill; /* what the values are made of; 0 stands for 'v' */
} kl_client_batch_spec;

/* Good until the next but seven calls. */
kloop_slice kl_client_batch(const kl_client_batch_spec *spec);
/* The same bytes again, in a buffer that may be written; resealed only by the caller. */
uint8_t *kl_client_batch_bytes(kloop_slice batch);

/* ---- Produce ---- */

/* One batch for one partition, acks=all, 1,000 ms. From version 13 on the topic is named by its id.
 */
void kl_client_produce(kl_client *a, int16_t version, const char *topic, int32_t partition,
                       kloop_slice batch);
void kl_client_produce_acks(kl_client *a, int16_t version, const char *topic, int32_t partition,
                            kloop_slice batch, int16_t acks, int32_t timeout_ms);
/* The answer to it: *a's produced_partition; its error code. */
int16_t kl_client_produced(kl_client *a, int16_t version);
/* Both, version 12: the error code. */
int16_t kl_client_put(kl_client *a, const char *topic, int32_t partition, kloop_slice batch);

/* ---- The truth ---- */

int64_t kl_client_next_offset(const kl_cluster *c, int32_t topic, int32_t partition);
int64_t kl_client_watermark(const kl_cluster *c, int32_t topic, int32_t partition);

#endif
