/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cluster of Kafka brokers in memory, as seen by a producer: what Kafka 4.3.1 answers, and what
 * its logs then hold. Written from the protocol, never from a client.
 *
 * It is sans-IO: time comes in as an argument, bytes through peers ("broker/peer.h"), chance from
 * the hooks ("broker/hooks.h"). Same config, same calls: same answers, byte for byte. What is in
 * the logs can be looked at at any time ("broker/truth.h").
 *
 *     kl_cluster_config config;
 *     kl_cluster_config_init(&config);
 *     config.broker_count = 3;
 *     kl_cluster *c = kl_cluster_new(&config);
 *     int32_t topic;
 *     kl_cluster_add_topic(c, &(kl_topic_config){.name = "events", .partitions = 4,
 *                                                .replication_factor = 3}, &topic);
 *     kl_peer *peer = kl_peer_open(c, 1, me, now);
 *     ... bytes in, bytes out: kl_peer_receive, kl_peer_output, kl_peer_wrote ...
 *     ... kl_cluster_deadline, kl_cluster_on_time, kl_cluster_next_ready after each ...
 *     kl_peer_close(peer, now);
 *     kl_cluster_del(c);
 *
 * Time is in nanoseconds of any monotonic clock, from 0 on, and never goes back from call to call.
 * Each function that takes now_ns first does what is due by then.
 *
 * Replicas. Each replica of a partition has a log of its own. A leader appends, followers copy:
 * at once, or after replication_delay_ns. The high watermark is what all in-sync replicas have, and
 * acks=all waits for it. An election does not move data: what the new leader's log lacks is lost
 * when the others follow it. So an unclean election (to a replica that was behind) loses records as
 * it does in reality, together with the producer state that they made.
 *
 * Views. A broker that is frozen (kl_cluster_freeze_view) knows the cluster as it was: its Metadata
 * answers are old, and if it led a partition it still takes records for it, which are lost later.
 *
 * Owns: the cluster owns everything but the peers' user pointers. Topics are named by handles: 0,
 * 1,
 * ... in the order of their making. A topic that is made again has another handle; the old one
 * stays valid for questions, and its logs readable.
 *
 * Fails: what needs memory and has none leaves things as they were. Handles, partitions and node
 * ids that do not exist are mistakes of the program and asserted, unless the comment says
 * otherwise.
 */
#ifndef KL_BROKER_CLUSTER_H
#define KL_BROKER_CLUSTER_H

#include "broker/hooks.h"

#include <kloop/types.h>

#include <stdbool.h>
#include <stdint.h>

#define KL_NO_NODE       (-1)
#define KL_NO_TOPIC      (-1)
#define KL_CLUSTER_NEVER INT64_MAX

typedef struct kl_cluster kl_cluster;

typedef enum kl_cluster_status {
    KL_CLUSTER_OK = 0,
    KL_CLUSTER_NO_MEMORY,
    KL_CLUSTER_BAD_NAME,  /* no legal topic name: see kl_cluster_name_is_legal */
    KL_CLUSTER_EXISTS,    /* there is a topic, or a broker, of this name */
    KL_CLUSTER_BAD_COUNT, /* partitions or replicas: too few, too many for the brokers there are */
} kl_cluster_status;

typedef struct kl_cluster_config {
    const kloop_allocator *alloc; /* copied; NULL: the C library's */
    uint64_t seed;                /* of topic ids, and of the cluster id if there is none */
    const char *cluster_id;       /* copied; NULL: made of the seed */
    int32_t broker_count;         /* nodes 1 ... n, all up, at 127.0.0.1:9091 + node id */
    int64_t first_producer_id;    /* later ones rise from it; 0 */
    int16_t first_producer_epoch; /* that each of them begins with; Kafka's 0 */

    int32_t auto_create_partitions;         /* 0: topics are never made by asking for them */
    int16_t auto_create_replication_factor; /* 1 */
    int64_t auto_create_delay_ns; /* from the first question until the topic is there; it is never
                                     in the answer to that question itself */

    int32_t message_max_bytes; /* of a batch as sent; Kafka's 1,048,588 */
    int16_t min_isr; /* min.insync.replicas, but never more than a topic has replicas; 1 */
    /*
     * What becomes of acks=all when the ISR gets too small after the append. false, as from 4.0 on:
     * the high watermark stands still, so the answer is REQUEST_TIMED_OUT. true, as before: it
     * rises, and the answer is NOT_ENOUGH_REPLICAS_AFTER_APPEND.
     */
    bool old_min_isr;
    size_t request_max_bytes; /* of a frame; Kafka's 100 MiB */

    /*
     * The wall clock in ms at now_ns == 0, for log append times and for refusing timestamps from
     * the future (message.timestamp.after.max.ms, Kafka's 3,600,000). INT64_MIN: no
     * timestamp is refused, and append times count from 0.
     */
    int64_t wall_ms_at_zero;
    int64_t timestamp_after_max_ms;

    /*
     * false: as Kafka, a connection's next request is looked at when the answer to the one before
     * has been written. true: requests are carried out as they come, and answers leave in order.
     */
    bool pipelined;
    int64_t answer_delay_ns; /* each answer leaves no earlier than so long after its request came */
    int64_t replication_delay_ns; /* from an append until followers have it; 0: at once */

    bool discard; /* batches are counted, not kept; topics have one replica then */
    bool check;   /* look at CRCs and at every record; else at batch headers only */

    kl_hooks hooks; /* copied */
} kl_cluster_config;

/* One broker, one request at a time, nothing delayed, everything kept and checked. */
void kl_cluster_config_init(kl_cluster_config *config);

/* NULL without memory. */
kl_cluster *kl_cluster_new(const kl_cluster_config *config);
/* All peers must be closed; requests that still run are dropped. c may be NULL. */
void kl_cluster_del(kl_cluster *c);

/* ---- Time ---- */

/* When kl_cluster_on_time has something to do; KL_CLUSTER_NEVER if only input can make it so. */
int64_t kl_cluster_deadline(const kl_cluster *c);
void kl_cluster_on_time(kl_cluster *c, int64_t now_ns);

/* ---- Brokers ---- */

/* A further node, up, which holds nothing yet. KL_CLUSTER_EXISTS, KL_CLUSTER_NO_MEMORY. */
kl_cluster_status kl_cluster_add_broker(kl_cluster *c, int32_t node_id);
/* What Metadata says of it. host and rack are copied; rack may be NULL. */
kl_cluster_status kl_cluster_set_address(kl_cluster *c, int32_t node_id, const char *host,
                                         int32_t port, const char *rack);

/*
 * The process ends: its peers want to be closed, what they had sent and was not carried out yet
 * never will be, nobody is answered. Its logs stay. Topology and leaders are as before: what the
 * controller makes of it is kl_cluster_fail_over.
 */
void kl_cluster_broker_down(kl_cluster *c, int32_t node_id, int64_t now_ns);
/* It is back, knows the cluster as it is now, and follows the leaders. */
void kl_cluster_broker_up(kl_cluster *c, int32_t node_id, int64_t now_ns);
bool kl_cluster_broker_is_up(const kl_cluster *c, int32_t node_id);

/*
 * The controller's answer to a lost broker: it leaves the list of brokers in Metadata, and every
 * ISR; what it led goes to the first replica that is live and in the ISR, or to nobody. Where it
 * was the last of the ISR, nobody but it can lead again without the election being an unclean one.
 */
void kl_cluster_fail_over(kl_cluster *c, int32_t node_id, int64_t now_ns);
/*
 * The controller takes it in again: back in the list of brokers, in the ISRs of the partitions
 * whose leader it has caught up with (it does so first, if nothing hinders it), leader of those
 * that had none and of whose ISR it is, or was the last.
 */
void kl_cluster_rejoin(kl_cluster *c, int32_t node_id, int64_t now_ns);

/* As a follower it copies nothing, until told otherwise: acks=all waits, and times out. */
void kl_cluster_stall_follower(kl_cluster *c, int32_t node_id, bool stalled, int64_t now_ns);

/*
 * From now on the broker knows the cluster as it is at this moment. KL_CLUSTER_NO_MEMORY: it does
 * not. Not with config.discard.
 */
kl_cluster_status kl_cluster_freeze_view(kl_cluster *c, int32_t node_id);
void kl_cluster_thaw_view(kl_cluster *c, int32_t node_id, int64_t now_ns);

/* Who Metadata says the controller is; node 1 at first. KL_NO_NODE is allowed. */
void kl_cluster_set_controller(kl_cluster *c, int32_t node_id);

/*
 * What this broker offers of an API of <kloop/wire.h>: ApiVersions says it, and other versions
 * close the connection, open ones too. max_version below min_version: it does not have the API at
 * all. At first everything is as in 4.3.1. ApiVersions itself up to 3 makes a broker that answers
 * version 4 with a v0 body and UNSUPPORTED_VERSION. A min_version that is lower than what we speak
 * is only said; a max_version that is higher is asserted against.
 */
void kl_cluster_set_versions(kl_cluster *c, int32_t node_id, int16_t api_key, int16_t min_version,
                             int16_t max_version);

/*
 * How a broker judges a producer's sequences, which is a matter of its release. At first it is
 * KL_SEQUENCES_2_5.
 */
typedef enum kl_sequence_era {
    /* From 2.5 on: of a producer that it does not know it takes any first number. */
    KL_SEQUENCES_2_5 = 0,
    /* From 1.0 on: then only 0, else UNKNOWN_PRODUCER_ID. A batch before the five that it remembers
     * is DUPLICATE_SEQUENCE_NUMBER. */
    KL_SEQUENCES_1_0,
    /* 0.11: then only 0, else OUT_OF_ORDER_SEQUENCE_NUMBER; and it remembers one batch. */
    KL_SEQUENCES_0_11,
} kl_sequence_era;

void kl_cluster_set_sequence_era(kl_cluster *c, int32_t node_id, kl_sequence_era era);

/* ---- Topics ---- */

typedef struct kl_topic_config {
    const char *name; /* copied */
    int32_t partitions;
    int16_t replication_factor; /* partition p is on brokers p, p+1, ...; the first one leads */
    int32_t message_max_bytes;  /* 0: the cluster's */
    int16_t min_isr;            /* 0: the cluster's */
    bool append_time; /* message.timestamp.type=LogAppendTime; does nothing when discarding */
    bool compacted;   /* cleanup.policy=compact: records without a key are refused (with check) */
} kl_topic_config;

/* 1 to 249 of a-z A-Z 0-9 . _ -, but neither "." nor "..". */
bool kl_cluster_name_is_legal(const char *name, size_t len);

/* Every failure but KL_CLUSTER_NO_MEMORY is the caller's data. *topic is the handle. */
kl_cluster_status kl_cluster_add_topic(kl_cluster *c, const kl_topic_config *config,
                                       int32_t *topic);
/* Nobody knows it any more; requests that wait for it are answered. To make it again, with another
 * id, add it again. */
void kl_cluster_delete_topic(kl_cluster *c, int32_t topic, int64_t now_ns);
/* max.message.bytes was changed. What is in the logs stays there. */
void kl_cluster_set_message_max(kl_cluster *c, int32_t topic, int32_t message_max_bytes);
/* To so many partitions, more than there are. */
kl_cluster_status kl_cluster_grow_topic(kl_cluster *c, int32_t topic, int32_t partitions);
/* The one that exists now, or KL_NO_TOPIC. */
int32_t kl_cluster_find_topic(const kl_cluster *c, const char *name, size_t len);

/* ---- Partitions ---- */

/*
 * The leader is now this replica, or nobody (KL_NO_NODE), and the leader epoch has risen by one. A
 * node that is not in the ISR makes it an unclean election: it is then the whole ISR. The present
 * leader may be elected again, which only raises the epoch.
 */
void kl_cluster_elect(kl_cluster *c, int32_t topic, int32_t partition, int32_t node_id,
                      int64_t now_ns);
/*
 * The ISR is now these replicas, the leader among them (if there is one). A follower that comes in
 * catches up first, whatever hinders it. Fewer than min_isr: acks=all is refused with
 * NOT_ENOUGH_REPLICAS; for what waits see old_min_isr.
 */
kl_cluster_status kl_cluster_set_isr(kl_cluster *c, int32_t topic, int32_t partition,
                                     const int32_t *node_ids, int32_t count, int64_t now_ns);
/* All producer state of the partition has expired, on every replica. */
void kl_cluster_forget_producers(kl_cluster *c, int32_t topic, int32_t partition);

#endif
