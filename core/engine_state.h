/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that an engine holds, for the files of this layer.
 *
 * Who owns what: the engine owns everything here. Memory that counts against buffer.memory is what
 * the pool holds: segments that it has given out, batches, and what stands beside them.
 */
#ifndef KL_CORE_ENGINE_STATE_H
#define KL_CORE_ENGINE_STATE_H

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/now.h"
#include "base/prng.h"
#include "core/nodes.h"
#include "core/conn.h"
#include "core/meters.h"
#include "core/compressors.h"
#include "core/settings.h"
#include "core/topics.h"

#include <kloop/hooks.h>
#include <kloop/sasl.h>

/* What a timer is the timer of. */
typedef enum kl_timer_kind {
    KL_TIMER_BATCH,
    KL_TIMER_PARTITION,
    KL_TIMER_CONN,
    KL_TIMER_BROKER,
    KL_TIMER_METADATA,
    KL_TIMER_PRODUCER_ID,
    KL_TIMER_CLOSE,
    KL_TIMER_TRIM,
    KL_TIMER_COMPRESSORS,
    KL_TIMER_UNPARK,
    KL_TIMER_TRIES,
    KL_TIMER_ASKED,
    KL_TIMER_WARM_UP,
    KL_TIMER_LOG,
    KL_TIMER_TOKEN,
} kl_timer_kind;

/* Rows of the heap: what is so far off when it is set. */
typedef enum kl_row {
    KL_ROW_EXPIRY, /* delivery.timeout.ms */
    KL_ROW_LINGER, /* linger.ms */
} kl_row;

/* Actions that a connection or a broker waits to give, by rising bit. */
enum kl_pending {
    KL_PENDING_RESOLVE = 1 << 0,
    KL_PENDING_CANCEL = 1 << 1,
    KL_PENDING_CONNECT = 1 << 2,
    KL_PENDING_WRITE = 1 << 3,
    KL_PENDING_PAUSE = 1 << 4,
    KL_PENDING_RESUME = 1 << 5,
    KL_PENDING_CLOSE = 1 << 6,
};

/* What a handle stands for. */
typedef struct kl_slot {
    uint32_t gen;
    kl_conn *conn;     /* one of these two, or neither when it is free */
    kl_broker *broker; /* a resolution */
    uint32_t next_free;
} kl_slot;

/* The batches that were begun between two flushes. */
struct kl_generation {
    kl_link in_generations;
    uint64_t outstanding; /* batches whose last report was not taken yet */
    kl_list flushes;      /* that wait for it and all before it */
};

typedef struct kl_flush {
    kl_link in_list;
    void *user;
} kl_flush;

typedef enum kl_id_state {
    KL_ID_NONE,
    KL_ID_WANTED,
    KL_ID_ASKED,
    KL_ID_KNOWN,
} kl_id_state;

typedef enum kl_life {
    KL_LIFE_OPEN,
    KL_LIFE_CLOSING,    /* delivers what it has */
    KL_LIFE_HANGING_UP, /* all is reported; connections are being closed */
    KL_LIFE_CLOSED,     /* CLOSED was given */
} kl_life;

/* The work on one batch that is put together anew. */
typedef struct kl_reshape {
    kl_batch *batch;           /* the first of the queue, once begun; NULL: none */
    kl_buf raw;                /* its records, unfolded */
    size_t at;                 /* in raw: of the next record */
    kl_chain_cursor folded;    /* what was not gathered into raw yet */
    kl_decompressor *unfolder; /* NULL, or it writes to raw, and reads what these show: */
    kl_buf slices;
    kl_chain_cursor users;
    uint32_t user;      /* how many of them were given away */
    uint32_t bad;       /* of these, how many are in the list of refused records */
    uint32_t begun_at;  /* the first user of the last child */
    kl_list children;   /* by in_queue */
    size_t child_bytes; /* each of them is kept to this, unless it has one record */
    kl_chain plain;     /* its records as they were before the codec, see kl_reshape_refold() */
    uint32_t unfolded;  /* batches that were made of folded ones, and wait for the codec */
} kl_reshape;

/* A place in the runs of a batch, see chunk.h. */
typedef struct kl_chunk_reader {
    kl_chain_cursor at;
    const struct kl_chunk_run *run; /* NULL: none was read yet */
    bool ended;
} kl_chunk_reader;

/* Who we are to brokers, see authentication.h. */
typedef struct kl_login {
    bool secured;              /* connections are made as security.protocol says */
    kloop_sasl_mechanism sasl; /* name NULL: none */
    kl_list working;           /* authentications that have something to compute */
    kl_list waiting;           /* and those that wait for a token */
    uint32_t turn_work;        /* pieces of that work that may still be done in this turn */
    bool token_due;            /* TOKEN is to be given; */
    bool token_asked;          /* it was, and nobody has answered */
    uint64_t token_at;         /* not again before this */
    uint32_t token_failures;   /* in a row */
    kl_timer token_timer;
    char trouble[200]; /* why there is no token, behind a colon; "": nothing is known */
} kl_login;

struct kloop_engine {
    kloop_allocator alloc;
    kl_settings set;
    void *host;
    kloop_hooks hooks;
    bool in_hook; /* one of them runs */
    kloop_now now;
    kl_prng prng;
    kl_pool pool;
    uint32_t batches_begun;
    kl_slab batches;  /* beside the segments, in the same blocks */
    size_t held_peak; /* since the last trimming */
    kl_timer trim_timer;

    kl_heap timers;
    size_t timer_count; /* that exist, set or not */

    /* handles */
    kl_slot *slots;
    uint32_t slot_count;
    uint32_t slot_cap;
    uint32_t slot_free; /* index plus 1 */
    uint32_t slots_used;

    /* the world */
    kl_map topics;
    kl_map topics_by_id;
    kl_list topic_list;
    kl_map brokers;
    kl_list broker_list;
    kl_list ready_brokers; /* with a connection that is ready */
    bool any_settled;      /* nobody can be asked anything, and nothing has changed since */
    kl_list poked;
    char cluster_id[128]; /* as the first answer told it, or the beginning of that; "": not told */
    uint64_t views;       /* lists of brokers that were taken */
    uint32_t strangers;   /* brokers that seem to be of another cluster */
    uint64_t meet_at;     /* not before this is another broker known by a hint alone */
    uint32_t tries;       /* at connecting to just anybody, since: */
    uint64_t tries_ns;
    kl_timer tries_timer;
    kl_list asked; /* brokers that could take something, longest without taking any first */
    kl_timer asked_timer;
    kl_list warm_ups;    /* that wait, see warm_up.h */
    kl_list warmed;      /* that are over, and not told yet */
    bool warm_look;      /* something has changed for those that wait */
    uint64_t warm_round; /* looks at what they wait for */

    /* work and actions */
    kl_list conn_actions;   /* connections with actions to give */
    kl_list broker_actions; /* brokers with actions to give */
    kl_list opened;         /* partitions with an open batch */
    kl_list hurried;        /* of these, those whose batch is to become due */
    kl_list reviewed;       /* topics whose open batches are looked at anew, see readiness.h */
    kl_list folding;        /* batches that wait for the codec */
    kl_list unpark;         /* topics with records to be moved */
    kl_list unpark_aside;   /* those that wait for their share, or for reports of what was moved */
    bool unpark_waits;      /* for what was moved to leave, or for memory: */
    bool unpark_starved;    /* that the allocator did not have; only the timer ends it */
    kl_timer unpark_timer;
    size_t lined_batches; /* in the lines of all partitions */
    kl_list reports;      /* batches whose records are to be reported */
    kl_batch *reporting;  /* the first of them, once begun */
    kl_chain_cursor report_at;
    uint32_t report_count; /* users of it that were shown */
    uint32_t report_bad;   /* of these, how many are in its list of refused records */
    kl_chunk_reader report_chunks;
    uint32_t report_steps; /* of work that nobody was told of, since it was last counted */
    bool stirred;          /* there may be I/O or work for it since next_io has answered false */
    bool taking;           /* records: open, and not fatal */
    bool plain;            /* and no hook has a say in them, or runs now */
    uint32_t turn_work;    /* what may still hold the loop in this turn, in units of about 50 us */
    uint32_t turn_reports; /* the same for settling chunks, before it draws on turn_work */
    char report_text[1400];
    kl_buf scratch; /* for putting requests together, and records that lie across segments */

    /* the codec */
    kl_compressors compressors;
    kl_batch_sealer sealer;
    size_t sealing_step; /* bytes */
    kl_batch *sealing;   /* the first of folding, once begun */

    /* batches that are put together anew, see reshape.h */
    kl_list reshaping;
    kl_reshape reshape; /* the work on the first of them */

    /* metadata */
    bool metadata_full;    /* a full one is due */
    bool metadata_partial; /* topics that are new are due */
    bool metadata_fresh;   /* and of these, some that nobody has been asked about */
    bool metadata_asked;
    bool metadata_known; /* at least one answer was taken */
    uint32_t metadata_failures;
    uint32_t metadata_run;    /* answers in a row to questions that somebody had waited for */
    uint32_t metadata_streak; /* of these, since there was news; and a few before */
    uint64_t metadata_at;     /* not before this */
    uint64_t metadata_since;  /* attempts at asking have brought nothing; KL_NEVER: none is due */
    uint64_t metadata_tried_ns;
    kl_timer metadata_timer;

    /* the idempotent producer */
    kl_id_state id_state;
    int64_t producer_id;
    int16_t epoch;
    uint32_t id_failures;
    uint32_t id_run; /* ids in a row of which none has lasted */
    uint64_t id_at;  /* not before this */
    kl_timer id_timer;

    kl_login login;

    /* receiving */
    size_t receive_bytes;
    kl_conn *receive_grower; /* the one connection that may take a frame of any allowed size */
    kl_list paused;

    /* back-pressure */
    bool refused;            /* WRITABLE is owed */
    kl_list shares;          /* of topics, see topic_share.h */
    uint32_t shares_refused; /* of these, those that WRITABLE is owed for */
    size_t refused_bytes;
    bool writable_due; /* and may be given */

    /* chunks and loans */
    kl_list chunks;
    kl_list chunks_done; /* and not told */
    kloop_chunk *chunk_told;
    kloop_chunk_report chunk_report;
    kloop_loan loans[64]; /* of the last RELEASE */

    /* flush and close */
    kl_list generations; /* oldest first; the last is the present one */
    kl_list flushed;     /* flushes whose FLUSHED is due */
    kl_life life;
    bool closed_due;
    uint64_t close_at;
    kl_timer close_timer;
    bool fatal;
    bool fatal_due; /* what is pending is to be given up because of it */
    char fatal_text[400];

    /* log */
    struct kl_log *log;
    char trouble[384]; /* the latest thing that stood in anybody's way */

    kloop_stats stats;
    kl_meters meters;
};

#endif
