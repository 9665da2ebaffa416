/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scripts of the comparison: what is asked of both sides, in this order. Each is run once with
 * each side and writes down the same steps.
 *
 * Owns nothing. Fails never: what a side does is written down.
 */
#ifndef KL_TESTS_LIVE_SCRIPTS_H
#define KL_TESTS_LIVE_SCRIPTS_H

#include "tests/live/talk.h"

typedef struct kl_script {
    const char *name;
    int32_t nodes_min; /* the least that it needs */
    int32_t nodes_max; /* 0: any */
    void (*run)(kl_talk *t);
    enum {
        KL_SCRIPT_ORDINARY,
        KL_SCRIPT_SLOW,    /* waits until it is sure that Kafka does not answer */
        KL_SCRIPT_KILLING, /* nodes die and come back */
        KL_SCRIPT_LOGIN,   /* who asks has to say who he is */
        KL_SCRIPT_SESSION, /* and again after a while */
    } kind;
} kl_script;

/* Each of these lists ends with a row without a name. */
extern const kl_script
    kl_scripts_of_questions[];                   /* ApiVersions, Metadata, InitProducerId, frames */
extern const kl_script kl_scripts_of_requests[]; /* Produce: what is around the batches */
extern const kl_script kl_scripts_of_batches[];  /* Produce: what is wrong with a batch */
extern const kl_script kl_scripts_of_sequences[]; /* Produce: idempotence */
extern const kl_script kl_scripts_of_failures[];  /* a node dies and comes back */
extern const kl_script kl_scripts_of_logins[];    /* SASL */
extern const kl_script kl_scripts_of_sessions[];  /* SASL, where a session ends */

#endif
