/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model cluster as a side of a talk. Its time stands still while it has something to say, and
 * jumps to what is due when it has not: nothing here waits.
 *
 * Owns: the cluster and the one peer that is open. Fails: no memory ends the program.
 */
#ifndef KL_TESTS_LIVE_MODEL_SIDE_H
#define KL_TESTS_LIVE_MODEL_SIDE_H

#include "broker/cluster.h"
#include "broker/peer.h"
#include "tests/live/talk.h"

/* A topic that both sides have when the talk begins. */
typedef struct kl_shared_topic {
    const char *name;
    int32_t partitions;
    const char *config; /* for Kafka: KEY=VALUE, or "" */
    int32_t message_max_bytes;
    int16_t min_isr;
    bool append_time;
    bool compacted;
} kl_shared_topic;

typedef struct kl_model_side {
    kl_cluster *cluster;
    kl_peer *peer;
    int64_t now_ns;
    int64_t wall_ms_at_zero;
    uint8_t *bytes; /* of the peer's output, taken in */
    size_t len;
    size_t capacity;
    size_t used; /* of these, given out as the last frame */
    kl_side side;
} kl_model_side;

/* As many nodes as there are ports, at 127.0.0.1. */
void kl_model_side_init(kl_model_side *m, const uint16_t *ports, int32_t node_count,
                        const kl_shared_topic *topics, size_t topic_count);
/* From now on every node wants to know who asks: all mechanisms, the users of security.py.
 * reauth_ms: how long a session lasts; 0: it does not end. */
void kl_model_side_lock(kl_model_side *m, int64_t reauth_ms);
void kl_model_side_deinit(kl_model_side *m);

#endif
