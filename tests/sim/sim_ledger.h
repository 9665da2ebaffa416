/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger: each record that was sent, what was promised for it, where it went and what became of
 * it. Most invariants are kept here, at the moment when they could be broken.
 *
 * A record's number is its place in the ledger plus 1, and is what the engine carries as the
 * record's user.
 */
#ifndef KL_SIM_LEDGER_H
#define KL_SIM_LEDGER_H

#include "broker/hooks.h"
#include "tests/sim/sim_watch.h"

#include <kloop/engine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim sim;

#define SIM_TOPICS_MAX     8
#define SIM_PARTITIONS_MAX 1024

typedef enum sim_record_state {
    SIM_RECORD_REFUSED = 0, /* send said no: never to be heard of again */
    SIM_RECORD_PENDING,
    SIM_RECORD_ACKED,
    SIM_RECORD_FAILED,
    SIM_RECORD_UNKNOWN,
} sim_record_state;

typedef struct sim_record {
    uint64_t accepted_ns;
    uint64_t reported_ns;
    uint64_t content; /* hash of key, value, headers, timestamp */
    int64_t offset;   /* of its last append, -1 */
    int64_t reported_offset;
    int32_t partition;    /* asked for; -1: none */
    int32_t sent_to;      /* partition on the wire; -1: never */
    uint32_t key_hash;    /* if keyed, as its partitioner has it */
    uint32_t chunk;       /* that it belongs to, and that alone is told of it; 0: none */
    uint32_t batch;       /* the last one it went out in, plus 1; 0: never */
    uint16_t attempts;    /* requests that held it */
    uint16_t appended;    /* appends of it, by any leader */
    uint16_t copies;      /* in the final logs */
    int16_t broker_error; /* as reported */
    uint8_t topic;
    uint8_t state;
    uint8_t cause;
    uint8_t encoded; /* in a batch of the user's: how many the first stands for, 1 for the rest */
    uint8_t codec;   /* of that batch */
    bool keyed;      /* its key decides where it goes, or its user */
    bool parked;     /* its topic was not known when it was sent */
    bool found;      /* in a final log at the offset that was reported */
    bool probing;    /* sent after the faults: must be acked */
    bool fresh;      /* nobody had been asked for its topic, and nothing kept anybody from it */
    bool purged;     /* pending when the user gave up some, it among them perhaps */
    bool strayed;    /* a copy of it came late to a topic that was made anew meanwhile */
    bool rehomed;    /* appended to a topic that was deleted, and to the one that came after it */
    int32_t home;    /* handle of the topic, in the cluster, where it was appended last; -1 */
    uint64_t purged_ns; /* when the user gave up all of its sort; 0: never */
} sim_record;

/* A partition of a topic, whether it exists or not. */
struct sim_part {
    uint8_t topic;
    int32_t partition;
    uint32_t last_reported; /* record number */
    uint32_t last_unknown;  /* the latest record reported unknown or failed after it was sent */
    /* the numbers on the wire */
    bool numbered;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t next_sequence;
    uint32_t *batches; /* in the order of their first sending */
    uint32_t batch_count;
    uint32_t batch_cap;
    uint32_t settled;   /* those before it are all reported */
    uint32_t jumped;    /* the numbers of those before it come again, see sim_wrap.h */
    uint32_t in_flight; /* attempts on connections that are not closed, without an answer */
    uint64_t begun_ns;  /* when these numbers were begun */
    bool has_split;
    uint32_t sent; /* the highest record number that went out */
};

typedef struct sim_flush_line {
    uint32_t covers; /* records up to this number */
    bool done;
} sim_flush_line;

typedef struct sim_ledger {
    sim_record *records;
    uint32_t count;
    uint32_t cap;
    uint32_t accepted;
    uint32_t acked;
    uint32_t failed;
    uint32_t unknown;
    uint32_t dropped; /* nobody wants to know */
    uint32_t oldest;  /* those before it are reported */
    uint32_t refused_full;
    uint32_t wrong_calls;
    uint64_t purged; /* as the engine has said */
    uint64_t purged_reported;
    uint64_t acked_ns[SIM_TOPICS_MAX];            /* when a record of it was acked last */
    uint32_t unassigned_reported[SIM_TOPICS_MAX]; /* last record reported without a partition */
    sim_part parts[SIM_TOPICS_MAX][SIM_PARTITIONS_MAX];
    sim_flush_line *flushes;
    uint32_t flush_count;
    uint32_t flush_cap;
    uint32_t flushes_open;
} sim_ledger;

void sim_ledger_deinit(sim *s);

/* A line in the ledger, refused until sim_ledger_accepted says otherwise; answers its number. */
uint32_t sim_ledger_add(sim *s, const sim_record *r);
void sim_ledger_accepted(sim *s, uint32_t number);
/* Those of chunks that are not told yet among them. */
static inline uint32_t sim_ledger_pending(const sim_ledger *l)
{
    return l->accepted - l->acked - l->failed - l->unknown - l->dropped;
}
sim_record *sim_ledger_record(sim *s, uint32_t number);

/* The user gives up what waits, of a topic or of all (-1); all: whatever state it is in. Answers
 * how many records that could be at most. */
uint32_t sim_ledger_purge(sim *s, int topic, bool all);

uint32_t sim_ledger_flush(sim *s);
void sim_ledger_flushed(sim *s, uint64_t flush);

/* It was told to have failed, so it is in no log, and will not be. */
void sim_ledger_check_failed(sim *s, uint32_t number);

/* DELIVER was taken. */
void sim_ledger_report(sim *s, const kloop_report *report);

/* A record went out in a request, in this batch. */
/* late: its request was answered before it was out, so that it may be settled by now. */
void sim_ledger_sent(sim *s, uint32_t number, sim_part *part, uint32_t batch, bool late);

/* A leader has appended a batch, or a replica has lost it. */
void sim_ledger_appended(sim *s, const kl_stored_batch *batch);
void sim_ledger_truncated(sim *s, const kl_stored_batch *batch, bool everywhere);

/* Whether the deadline of a record has passed without a word. */
void sim_ledger_check_deadlines(sim *s);

/* ---- At the end ---- */

/* What is in the logs against what was reported. */
void sim_ledger_check_logs(sim *s);

const char *sim_record_state_name(uint8_t state);

#endif
