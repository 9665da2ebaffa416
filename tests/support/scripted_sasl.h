/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mechanism that does what its script says, one letter a call:
 *
 *     s  says something           w  works            t  needs a token, or goes on if there is one
 *     e  says nothing, in bytes   d  is done          f  fails
 *
 * It checks how it is called: begin on memory that is all zero, challenge after what was said, work
 * after w or t, end once, and that the engine never calls it after that. What it says begins with
 * SCRIPTED_SECRET.
 *
 * The struct owns nothing; it must outlive the engine.
 */
#ifndef KL_TESTS_SCRIPTED_SASL_H
#define KL_TESTS_SCRIPTED_SASL_H

#include <kloop/sasl.h>

#define SCRIPTED_SECRET "hunter2 in plain"

typedef struct scripted_sasl {
    kloop_sasl_mechanism mechanism;
    const char *script;
    const char *why; /* it fails */
    bool has_token;
    uint64_t token_expires_ms;
    kloop_status token_status; /* of set_token */
    int begun, ended, worked, challenged, tokens;
    int running, running_max; /* sessions */
    kloop_now now;            /* of the latest call */
} scripted_sasl;

/* tokens: it takes some. */
void scripted_sasl_init(scripted_sasl *s, const char *script, bool tokens);

#endif
