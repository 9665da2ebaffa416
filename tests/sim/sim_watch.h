/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wire as a third party sees it: what each request says, which answer belongs to it, and
 * whether the numbers in it obey the rules of an idempotent producer.
 *
 * It stands where the engine's bytes are taken and where the answers are given to it, so it knows
 * what the engine can know, and when. Batches are told apart by (producer id, epoch, sequence)
 * where there are such numbers, else by their first record.
 */
#ifndef KL_SIM_WATCH_H
#define KL_SIM_WATCH_H

#include "broker/hooks.h"

#include <kloop/types.h>
#include <kloop/wire.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim sim;
typedef struct sim_conn sim_conn;
typedef struct sim_part sim_part;

/* A request that went out whole and was not answered yet. */
typedef struct sim_asked {
    int16_t api_key;
    int16_t version;
    int32_t correlation_id;
    uint64_t at_ns;
    uint64_t made_ns;       /* the engine has made it then, or later */
    uint32_t first_attempt; /* its batches, in sim_book.attempts */
    uint32_t attempt_count;
} sim_asked;

#define SIM_API_SLOTS 64

typedef struct sim_watch {
    uint8_t *out; /* of a request that is not whole yet */
    size_t out_len;
    size_t out_cap;
    uint8_t *in; /* of an answer that is not whole yet */
    size_t in_len;
    size_t in_cap;
    sim_asked *asked; /* oldest first */
    size_t asked_start;
    size_t asked_count; /* up to here */
    size_t asked_cap;
    uint32_t produce_open; /* Produce requests without an answer */
    uint32_t requests;
    uint32_t answers;
    uint64_t left_ns;            /* bytes have left last */
    uint64_t throttled_from_ns;  /* it was told then to be left alone */
    uint64_t throttled_until_ns; /* until then */
    bool ready;                  /* it was told which versions there are */
    bool early;    /* an answer was slipped in before its request was out: whether it may be
                    * believed hangs on what the host was shown */
    bool nonsense; /* an answer came that nobody has asked for: the engine has to close */
    /* of SASL; see sim_login.h */
    bool known;            /* authentication has succeeded, and none is under way */
    bool was_known;        /* it has succeeded once */
    bool bare;             /* tokens come and go without headers */
    bool lied;             /* the broker has said what has to end it */
    bool acknowledged;     /* and it was said that this was understood */
    uint64_t ends_ns;      /* the session; 0: never */
    uint64_t made_last_ns; /* the latest request was made then, or later */
    int16_t offered_min[SIM_API_SLOTS];
    int16_t offered_max[SIM_API_SLOTS];
} sim_watch;

/* A batch of the engine, by whatever numbers it went out. */
typedef struct sim_batch {
    sim_part *part;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t sequence;
    int32_t count;
    uint32_t crc;
    uint64_t hash;
    uint64_t body_hash;
    uint32_t first_record; /* place of its records' numbers in sim_book.members */
    uint64_t first_sent_ns;
    uint64_t first_made_ns; /* the engine has made its first request then, or later */
    bool by_name;           /* one of its requests named the topic, not its id */
    uint32_t attempts;
    uint32_t unanswered;  /* attempts whose answer the engine has not seen, and may never */
    bool maybe_answered;  /* one was answered by an error that says nothing about the log */
    bool stored_answered; /* one was answered with success */
    bool renumbered;      /* its records went out again with other numbers */
    int32_t last_node;
    int64_t last_conn;
    int32_t last_correlation;
    int16_t last_error;
    uint32_t refusals;       /* answers with an error in a row, from the same node */
    bool folded_anew;        /* it has gone out under more than one codec */
    bool split;              /* was refused, and its records go out in smaller ones */
    uint64_t last_answer_ns; /* 0: the last attempt is unanswered */
} sim_batch;

typedef struct sim_book {
    sim_batch *batches;
    uint32_t batch_count;
    uint32_t batch_cap;
    uint32_t *members;
    uint32_t member_count;
    uint32_t member_cap;
    uint32_t *attempts; /* batch numbers */
    uint32_t attempt_count;
    uint32_t attempt_cap;
    kloop_batch_reader *reader;
    uint64_t produce_requests;
    uint64_t init_requests;
    uint64_t metadata_requests;
    /* the newest numbers that went out, and when they did first */
    int64_t newest_id;
    int16_t newest_epoch;
    uint64_t newest_ns;
    bool folded_anew; /* any batch */
} sim_book;

void sim_book_init(sim *s);
void sim_book_deinit(sim *s);

/* The engine's bytes, as they are taken. */
void sim_watch_sent(sim *s, sim_conn *c, const uint8_t *bytes, size_t len);
/* The broker's bytes, before they are given to the engine. */
void sim_watch_told(sim *s, sim_conn *c, const uint8_t *bytes, size_t len);
/* The connection is over. */
void sim_watch_over(sim *s, sim_conn *c);
void sim_watch_deinit(sim_watch *w);

/* The batch that a broker has stored in this partition, or NULL. */
sim_batch *sim_book_find(sim *s, const sim_part *part, const kl_stored_batch *stored);

#endif
