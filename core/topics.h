/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Topics and their partitions, as the producer knows them.
 *
 * A topic is interned by the user's first call with its name and lives as long as the engine, so
 * that its handle is a plain pointer. Partitions come with metadata and never go away; one that a
 * topic has lost, because it was made anew with fewer, merely has no leader any more and takes no
 * new records. What was numbered for a topic that was made anew since: rebirth.h.
 *
 * A partition is where order lives: its line holds all batches that were accepted and not reported
 * yet, oldest first. At most the last of them is open.
 *
 * Who owns what: the engine owns topics, a topic its partitions, a partition's line its batches.
 */
#ifndef KL_CORE_TOPICS_H
#define KL_CORE_TOPICS_H

#include "core/batch.h"

#include <kloop/messages.h>

typedef struct kl_broker kl_broker;
typedef struct kl_conn kl_conn;

struct kl_partition {
    kloop_topic *topic;
    int32_t index;
    kl_broker *leader; /* NULL: not known */

    kl_list line;   /* batches, oldest first */
    kl_list flight; /* batches that await an answer, ghosts included, in the order of sending */
    uint32_t flight_count;
    uint32_t line_count;
    kl_conn *flight_conn; /* of all of them */
    bool flight_old;      /* they left before the leader changed: their answers say nothing of it */
    bool flight_former;   /* they left before the topic was made anew */
    bool by_name;         /* what left and is not settled may have come to any topic of this name */
    bool spares;          /* what the former leader refuses may go to this one without a pause */
    uint64_t hint_at;     /* not before this may another hint end a backoff */
    int16_t last_error;   /* the latest answer's for any of its batches; 0: that was stored */

    kl_link in_ready;  /* of its leader: something is due and may go now */
    kl_link in_open;   /* of its leader: nothing is due, but something may go along */
    kl_link in_opened; /* of the engine: has an open batch */
    kl_link in_gather; /* of its topic, while a request is put together */
    kl_timer due;      /* linger, sealing, end of backoff */
    uint64_t backoff_until;

    /* Numbers of the idempotent producer, see idempotence.h. */
    int64_t producer_id; /* -1: none yet */
    int16_t epoch;
    int32_t next_sequence;
    bool hole;   /* a number was given up: everything after it needs another epoch */
    bool steady; /* the leader has acked something; before that one batch at a time is in flight */
    bool known_to_leader; /* it has acked something under this producer id, so it has a count of
                             ours */
};

typedef struct kl_leader {
    int32_t node; /* -1: none */
    int32_t epoch;
} kl_leader;

struct kloop_topic {
    kloop_engine *engine;
    kl_link in_topics;
    char *name; /* terminated, owned */
    size_t name_len;
    kloop_uuid id; /* all zero: not told */
    bool has_id;
    kloop_uuid former_id; /* the one before, when a topic of this name was made anew */
    bool has_former;
    bool id_refused; /* a broker has refused the id since it was told last */
    /* By index. A partition costs its leader and a pointer until the first record goes there, for
     * a broker may tell of any number. */
    kl_leader *leaders;
    kl_partition **partitions;
    kl_batch **open;         /* the last of a partition's line, if it takes records; else NULL */
    int32_t table_count;     /* how many there is room for: all that there ever were */
    int32_t partition_count; /* of these, those that take records; 0: not known */
    uint32_t direct_count; /* the same while records may go straight to their partitions; else 0 */

    kl_list parked;    /* batches of records that have no partition yet, oldest first */
    kl_link in_unpark; /* of the engine: partitions are known and records still parked */
    bool unparking;    /* the first of parked is being read: */
    kl_chain_cursor unpark_records;
    kl_chain_cursor unpark_users;

    bool asked;          /* is in a Metadata request that is under way */
    bool newly_wanted;   /* and nothing is known of it yet */
    int16_t error;       /* what metadata said about it last */
    bool complained;     /* about it, and nothing has become better */
    uint8_t older_views; /* answers in a row that told of an older state of it */
    uint64_t used_ns;    /* when a batch was begun for it last */

    /* What brokers were found to take, see batch_ceiling.h. */
    size_t batch_bytes;   /* its batches are kept to this; at most batch.size */
    size_t refused_raw;   /* without a codec, when batch_bytes was lowered last */
    size_t refused_bytes; /* the smallest on the wire that was refused; SIZE_MAX: none */
    uint32_t full_stored; /* batches of nearly batch_bytes that were stored since it changed */

    int32_t sticky;      /* the partition that records without a key go to now; -1: choose one */
    size_t sticky_bytes; /* of batches closed there since it was chosen */
    kl_list gather;      /* partitions that go into the request in the making */
    kl_link in_gather;
};

/* Nothing of it yet; asks for its metadata. */
kloop_status kl_topics_intern(kloop_engine *e, kloop_string name, kloop_topic **topic);
kloop_topic *kl_topics_by_name(const kloop_engine *e, kloop_string name);
kloop_topic *kl_topics_by_id(const kloop_engine *e, const kloop_uuid *id);
/* The partition, made at its first use; NULL: no memory. index is one that the topic has. */
kl_partition *kl_topics_partition(kloop_engine *e, kloop_topic *t, int32_t index);
/* Are the partitions known, nothing parked, and the engine taking records? */
void kl_topics_judge(const kloop_engine *e, kloop_topic *t);

/* The batch of p that takes records, or NULL: a table of its own, since each record looks there. */
static inline kl_batch *kl_topics_open(const kl_partition *p)
{
    return p->topic->open[p->index];
}

static inline void kl_topics_set_open(kl_partition *p, kl_batch *b)
{
    p->topic->open[p->index] = b;
}

/* A partition's leader, as metadata or a hint tells; node -1: it has none. What waits for the end
 * of a backoff need not wait any longer. */
void kl_topics_set_leader(kloop_engine *e, kloop_topic *t, int32_t index, int32_t node,
                          int32_t epoch);
/* false: no memory; nothing changed. */
bool kl_topics_grow(kloop_engine *e, kloop_topic *t, int32_t partition_count);
/* Made anew with fewer: the others take no records any more. Fewer than there are. */
void kl_topics_shrink(kloop_engine *e, kloop_topic *t, int32_t partition_count);

typedef enum kl_topic_id_news {
    KL_TOPIC_ID_SAME,  /* or there is none to compare it with */
    KL_TOPIC_ID_OTHER, /* the topic was deleted, and made anew under the same name */
    KL_TOPIC_ID_NO_MEMORY,
} kl_topic_id_news;

/* id is that of metadata; all zero: none was told. */
kl_topic_id_news kl_topics_set_id(kloop_engine *e, kloop_topic *t, const kloop_uuid *id);
/* Is it that of the topic which had this name before? */
bool kl_topics_is_former(const kloop_topic *t, const kloop_uuid *id);
/* Does anything wait for this topic, or was it used lately? */
bool kl_topics_in_use(const kloop_engine *e, const kloop_topic *t);
void kl_topics_del_all(kloop_engine *e);

#endif
