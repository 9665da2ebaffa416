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
#include "core/meters.h"
#include "core/partitioner.h"
#include "core/topic_settings.h"

#include <kloop/messages.h>

typedef struct kl_broker kl_broker;
typedef struct kl_conn kl_conn;
typedef struct kl_topic_share kl_topic_share;

/* A list that a partition stands in, one at a time. */
typedef enum kl_place {
    KL_PLACE_NOWHERE,
    KL_PLACE_READY,  /* of its leader: something is due and may go now */
    KL_PLACE_OPEN,   /* of its leader: nothing is due, but something may go along */
    KL_PLACE_GATHER, /* of its topic, while a request is put together */
} kl_place;

/* There may be very many: what is small stands together. */
struct kl_partition {
    kloop_topic *topic;
    kl_broker *leader; /* NULL: not known */
    kl_list line;      /* batches, oldest first */
    kl_list flight;    /* batches that await an answer, ghosts included, in the order of sending */
    kl_conn *flight_conn; /* of all of them */
    uint32_t flight_count;
    uint32_t line_count;
    kl_link in_place;
    kl_link in_opened; /* of the engine: has an open batch */
    kl_timer due;      /* linger, sealing, end of backoff */
    uint64_t backoff_until;
    uint64_t hint_at; /* not before this may another hint end a backoff */
    kl_tally tally;   /* since the topic came into use */

    /* Numbers of the idempotent producer, see idempotence.h. */
    int64_t producer_id; /* -1: none yet */
    int32_t next_sequence;
    int32_t index;
    int16_t epoch;
    int16_t last_error; /* the latest answer's for any of its batches; 0: that was stored */
    uint8_t place;      /* a kl_place */
    bool hole : 1;      /* a number was given up: everything after it needs another epoch */
    bool steady : 1;    /* the leader has acked something; before that one batch at a time leaves */
    bool known_to_leader : 1; /* it has acked something under this producer id: it has a count */
    bool flight_old : 1;    /* what flies left before the leader changed: its answers say nothing */
    bool flight_former : 1; /* it left before the topic was made anew */
    bool by_name : 1; /* what left and is not settled may have come to any topic of this name */
    bool waits : 1;   /* has something that the leader could take; see sticky.h */
    bool spares : 1;  /* what the former leader refuses may go to this one without a pause */
};

typedef struct kl_leader {
    int32_t node; /* -1: none */
    int32_t epoch;
} kl_leader;

struct kloop_topic {
    kloop_engine *engine;
    const kl_topic_settings *set; /* its own, or the producer's; never NULL */
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
    uint32_t direct_count;   /* the same while records may go straight to their partitions; else 0:
                                parked ones come first, or a function of the user's chooses, or adds
                                headers */

    kl_link in_reviewed;  /* of the engine: open batches are looked at anew, see readiness.h */
    int32_t review_at;    /* the next of them */
    int32_t review_left;  /* how many partitions */
    bool review_made_due; /* they become due as well */

    kl_topic_share *share; /* NULL: it never had one */
    kl_list parked;        /* batches of records that have no partition yet, oldest first */
    kl_link in_unpark;     /* of the engine: partitions are known and records still parked */
    size_t lined_batches;  /* in the lines of its partitions */
    bool unparking;        /* the first of parked is being read: */
    kl_chain_cursor unpark_records;
    kl_chain_cursor unpark_users;

    bool asked;          /* is in a Metadata request that is under way */
    bool asked_once;     /* was in one since it came into use */
    bool newly_wanted;   /* and nothing is known of it yet */
    int16_t error;       /* what metadata said about it last */
    bool complained;     /* about it, and nothing has become better */
    uint8_t older_views; /* answers in a row that told of an older state of it */
    uint64_t used_ns;    /* when a batch was begun for it last */
    kl_tally tally;      /* of all its records */
    kl_sent sent;

    /* What brokers were found to take, see batch_ceiling.h. */
    bool codec_complained; /* a leader takes nothing of compression.type, and this was said */
    size_t batch_bytes;    /* its batches are kept to this; at most batch.size */
    size_t refused_raw;    /* without a codec, when batch_bytes was lowered last */
    size_t refused_bytes;  /* the smallest on the wire that was refused; SIZE_MAX: none */
    uint32_t full_stored;  /* batches of nearly batch_bytes that were stored since it changed */

    kl_partitioner partitioner;
    int32_t sticky;      /* the partition that records without a key go to now; -1: choose one */
    size_t sticky_bytes; /* of batches closed there since it was chosen */
    int32_t led_count;   /* partitions that have a leader */
    struct kl_sticky_tree *tree; /* NULL: not needed yet, or no memory; see sticky.h */
    bool tree_stale;             /* is to be filled anew before it is used */
    bool tree_takes_all; /* also partitions whose leaders take nothing: there are no others */
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

/* p stands in this list and in no other; NULL for none. */
static inline void kl_topics_place(kl_partition *p, kl_place place, kl_list *list)
{
    kl_list_drop(&p->in_place);
    p->place = (uint8_t)place;
    if (list)
        kl_list_push_back(list, &p->in_place);
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
/*
 * Gives back what is known of the partitions of a topic that is not in use, numbers included; the
 * topic itself stays, and the next record for it waits for metadata like the first one. false:
 * something still points there, or there was nothing.
 */
bool kl_topics_let_go(kloop_engine *e, kloop_topic *t);
void kl_topics_del_all(kloop_engine *e);

#endif
