/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a model cluster is made of. For the files of broker/ only; what they do is told in
 * "broker/cluster.h".
 *
 *     kl_cluster --> truth (kl_view)             what the controller has written
 *                --> kl_node, one a broker       --> frozen (kl_view) if it lags behind
 *                                                --> peers --> requests
 *                --> kl_topic, one a handle      --> kl_partition --> kl_replica --> kl_log
 *
 * A change goes like this: a call notes the time and does its thing; whatever became due or ready
 * by that (peers with a frame to look at, answers to release, timers) is done in a loop at its end,
 * in kl_cluster_settle, one after the other. So no request is carried out inside another one.
 *
 * Objects stay where they are from their making to kl_cluster_del, but for peers and requests.
 */
#ifndef KL_BROKER_CLUSTER_PARTS_H
#define KL_BROKER_CLUSTER_PARTS_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/prng.h"
#include "broker/cluster.h"
#include "broker/login.h"
#include "broker/replica_log.h"
#include "broker/truth.h"
#include "broker/versions.h"
#include "broker/view.h"

typedef enum kl_timer_kind {
    KL_TIMER_REQUEST,
    KL_TIMER_PEER,
    KL_TIMER_FETCH,
    KL_TIMER_CREATION,
} kl_timer_kind;

typedef struct kl_partition kl_partition;

typedef struct kl_replica {
    kl_partition *partition;
    int32_t node_id;
    kl_log log;
    int32_t follows_epoch; /* of the leader whose log this one copies; -1: of none */
    kl_timer fetch;        /* when it copies again */
    kl_list waiters;       /* kl_produce_part: acks=all, on this leader */
} kl_replica;

struct kl_partition {
    kl_topic *topic;
    int32_t index;
    int32_t last_leader; /* node id: the present leader, or the one before */
    uint64_t named_by;   /* the request that named it last, and where; see answer_produce.c */
    size_t named_at;
    kl_replica replicas[]; /* topic->replica_count */
};

struct kl_topic {
    int32_t handle;
    kloop_string name;
    kloop_uuid id;
    bool internal;
    int32_t replica_count;
    int32_t message_max_bytes;
    int32_t min_isr;
    bool append_time;
    bool compacted;
    kl_partition **partitions;
    int32_t partition_count;
    uint64_t named_by; /* the request that named it last, and where; see answer_produce.c */
    size_t named_at;
    int32_t *node_ids; /* replica_count for each partition, the preferred leader first */
};

/* Whom a node takes requests from; see login_parts.h. */
typedef struct kl_node_login {
    kl_login_config config; /* its token is the node's own */
    kl_list users;
} kl_node_login;

typedef struct kl_node {
    int32_t node_id;
    bool up;
    bool stalled;
    kl_sequence_era era;
    kl_view *frozen; /* NULL: it sees the truth */
    kl_list peers;
    kl_version_table versions;
    kl_node_login login;
} kl_node;

/* A topic that was asked for and is about to be made. */
typedef struct kl_creation {
    kl_link link;
    kl_timer timer;
    size_t name_len;
    char name[];
} kl_creation;

typedef struct kl_complaint {
    kl_complaint_kind kind;
    char *text;
} kl_complaint;

#define KL_COMPLAINT_KINDS 3

struct kl_cluster {
    kl_cluster_config config;
    kloop_allocator alloc;
    char *cluster_id;
    kl_prng prng;
    kl_prng login_prng;
    int64_t now_ns;
    kl_heap timers;
    size_t timer_count; /* that there is room for */

    kl_view truth;
    kl_node **nodes;
    size_t node_count;
    size_t node_cap;
    kl_topic **topics; /* by handle */
    size_t topic_count;
    size_t topic_cap;
    kl_list creations;

    kl_list runnable; /* peers with something to do */
    kl_list ready;    /* peers to be named by kl_cluster_next_ready */
    uint64_t peers_made;
    uint64_t requests_made;
    int64_t next_producer_id;
    struct kloop_batch_reader *reader; /* with config.check */

    kl_cluster_totals totals;
    kl_login_totals login_totals;
    kl_complaint complaints[KL_COMPLAINTS_MAX];
    size_t complaint_count;
    uint64_t complaint_counts[KL_COMPLAINT_KINDS];
};

/* ---- cluster.c ---- */

/* Time goes on to now_ns; what was due before is done. */
void kl_cluster_begin(kl_cluster *c, int64_t now_ns);
/* All that became possible is done. */
void kl_cluster_settle(kl_cluster *c);
/* Room for one timer more. false: no memory. */
bool kl_cluster_add_timer(kl_cluster *c);
void kl_cluster_remove_timer(kl_cluster *c, kl_timer *timer);
void kl_cluster_set_timer(kl_cluster *c, kl_timer *timer, int64_t when_ns);
/* The wall clock in ms; without one, as if it had begun at 0. */
int64_t kl_cluster_wall_ms(const kl_cluster *c);
/* Keeps the sentence, as far as there is memory. */
void kl_cluster_complain(kl_cluster *c, kl_complaint_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* ns after at, at the latest KL_CLUSTER_NEVER; a span that is negative is none. */
int64_t kl_cluster_later(int64_t at, int64_t ns);

/* ---- brokers.c ---- */

/* NULL: there is none. */
kl_node *kl_cluster_find_node(const kl_cluster *c, int32_t node_id);
/* What this broker knows. */
const kl_view *kl_node_view(const kl_cluster *c, const kl_node *node);

/* ---- topic_life.c ---- */

/* Asserted. */
kl_partition *kl_cluster_partition(const kl_cluster *c, int32_t topic, int32_t partition);
/* NULL: the node has no replica of it. */
kl_replica *kl_partition_replica(const kl_partition *p, int32_t node_id);
bool kl_topic_name_is_internal(const char *name, size_t len);
/* Asks for a topic to be made. Nothing comes of it without memory. */
void kl_cluster_want_topic(kl_cluster *c, const char *name, size_t len);
void kl_creation_on_timer(kl_cluster *c, kl_creation *creation);

#endif
