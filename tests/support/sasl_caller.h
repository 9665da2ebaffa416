/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of a broker that wants to know who it is: a cluster of one, which has two users, and one
 * connection to it. A failed expectation fails the running cmocka test.
 *
 *     kl_caller w;
 *     kl_caller_open(&w);
 *     kl_caller_handshake(&w, 1, "PLAIN");
 *     assert_int_equal(kl_caller_say(&w, 2, SAID(KL_CALLER_ALICE)).error_code, 0);
 *     kl_caller_works(&w);
 *     kl_caller_close(&w);
 *
 * tell sends, say and ask send and take the answer. What answers point at is good until the next
 * one.
 */
#ifndef KL_TESTS_SASL_CALLER_H
#define KL_TESTS_SASL_CALLER_H

#include "broker/login.h"
#include "tests/support/broker_client.h"

typedef struct kl_caller {
    kl_cluster *c;
    kl_login_config login; /* of the broker; all mechanisms at first */
    kl_client a;
} kl_caller;

/* A text with zero bytes in it, and how long it is. */
#define SAID(text) (text), sizeof(text) - 1

/* What alice says in PLAIN. */
#define KL_CALLER_ALICE "\0alice\0alice-secret"

/* The words of a refusal that gives nothing away. */
#define KL_CALLER_GENERAL(mechanism)                                                               \
    "Authentication failed during authentication due to invalid credentials with SASL "            \
    "mechanism " mechanism

/* Without a connection yet. */
void kl_caller_open_with(kl_caller *w, kl_cluster_config *config);
void kl_caller_open(kl_caller *w);
void kl_caller_close(kl_caller *w);
/* Another connection; what was changed in w->login counts for it. */
void kl_caller_anew(kl_caller *w);

void kl_caller_tell_versions(kl_caller *w, int16_t version, const char *name);
int16_t kl_caller_ask_versions(kl_caller *w, int16_t version);
void kl_caller_tell_handshake(kl_caller *w, int16_t version, const char *mechanism);
kloop_sasl_handshake_response kl_caller_handshake(kl_caller *w, int16_t version,
                                                  const char *mechanism);
void kl_caller_tell(kl_caller *w, int16_t version, const void *bytes, size_t len);
kloop_sasl_authenticate_response kl_caller_say(kl_caller *w, int16_t version, const void *bytes,
                                               size_t len);
void kl_caller_tell_metadata(kl_caller *w);
/* Metadata is answered: the connection is in use. */
void kl_caller_works(kl_caller *w);
/* Metadata was told: an answer that says nothing, and the end. */
void kl_caller_hears_nothing(kl_caller *w);
/* As alice. */
void kl_caller_log_in(kl_caller *w);
/* With these words, after the broker's pause, and then it is the end. */
void kl_caller_is_refused(kl_caller *w, int16_t version, const void *bytes, size_t len,
                          const char *words);

#endif
