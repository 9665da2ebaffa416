/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an error code means for a producer: one pure function over one table, that of
 * <kloop/broker_error.h>. The code alone is not enough: the same one means different things as the
 * answer to different questions.
 *
 * docs/ERRORS.md is written from it. What is not in here: what becomes of a batch follows also from
 * its earlier attempts and its neighbours (completion.h), and a lost connection has no code.
 */
#ifndef KL_CORE_POLICY_H
#define KL_CORE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

/* What was asked. */
typedef enum kl_question {
    KL_QUESTION_PLAIN,       /* Produce without a producer id, of one batch */
    KL_QUESTION_IDEMPOTENT,  /* Produce with one */
    KL_QUESTION_CLUSTER,     /* Metadata: of the answer as a whole */
    KL_QUESTION_TOPIC,       /* Metadata: of one topic */
    KL_QUESTION_PRODUCER_ID, /* InitProducerId */
    KL_QUESTION_VERSIONS,    /* ApiVersions */
    KL_QUESTION_COUNT,
} kl_question;

typedef enum kl_verdict {
    KL_VERDICT_DONE,        /* all is well; of a batch: it is stored, and the offset is true */
    KL_VERDICT_DONE_BEFORE, /* by an earlier attempt; the offset is not known */
    KL_VERDICT_RETRY,       /* the same again, after a pause */
    KL_VERDICT_RETRY_ONCE,  /* nobody knows this code: one more attempt, then it fails */
    KL_VERDICT_SEQUENCE,    /* the broker counts otherwise; see idempotence.h */
    KL_VERDICT_SPLIT,       /* in smaller pieces; a single record fails */
    KL_VERDICT_FAIL,        /* this batch, or what waits for this topic, will never be taken */
    KL_VERDICT_FATAL,       /* nor will anything else of this producer */
    KL_VERDICT_LOWER,       /* the same in an older version */
    KL_VERDICT_RECONNECT,   /* nothing can be said on this connection: another one, after a pause */
    KL_VERDICT_COUNT,
} kl_verdict;

typedef struct kl_ruling {
    kl_verdict verdict;
    bool maybe_stored; /* of a batch: this very attempt may have stored it all the same */
    bool refresh;      /* what is known of leaders is old */
} kl_ruling;

kl_ruling kl_policy(kl_question question, int16_t code);

#endif
