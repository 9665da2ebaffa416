/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of SCRAM for tests: a client, which is the mechanism with credentials, a talk, which is
 * a session of it as the engine has one, and a server that is written here, as RFC 5802 has it.
 *
 * A client and a talk own what they are made of until their end. What must not fail fails the
 * cmocka test.
 */
#ifndef KL_TESTS_SCRAM_TALK_H
#define KL_TESTS_SCRAM_TALK_H

#include "sasl/scram.h"

/* A salt as it is said. */
#define SCRAM_SALT "W22ZaJ0SNY7soEsUEjb6gQ=="

/* What nonces are made of. */
extern uint8_t scram_entropy[32];

typedef struct scram_client {
    kloop_allocator alloc;
    kl_scram scram;
    kloop_sasl_mechanism mechanism;
} scram_client;

void scram_client_init(scram_client *c, kl_sha2_kind kind, const char *user, const char *password);
void scram_client_deinit(scram_client *c);

typedef struct scram_talk {
    const kloop_sasl_mechanism *mechanism;
    void *session;
    kloop_sasl_step step;
    char said[8192]; /* what was said last, terminated */
} scram_talk;

void scram_talk_begin(scram_talk *t, const kloop_sasl_mechanism *mechanism);
void scram_talk_end(scram_talk *t);
/* The broker says it. */
kloop_sasl_verdict scram_tell(scram_talk *t, const char *message);
kloop_sasl_verdict scram_tell_bytes(scram_talk *t, kloop_slice message);
kloop_sasl_verdict scram_work(scram_talk *t);
/* Until there is something to be said; answers how many pieces that took. */
size_t scram_work_to_end(scram_talk *t, kloop_sasl_verdict verdict);
/* The client's nonce, in what was said last. */
const char *scram_nonce_of(const scram_talk *t);

typedef struct scram_server {
    kl_sha2_kind kind;
    const char *password;
    const char *salt; /* as it is said */
    uint32_t iterations;
    char first[4096];
    char bare[4096]; /* the client's first message */
} scram_server;

/* The server's first message; more is its part of the nonce. */
void scram_serve_first(scram_server *s, const scram_talk *t, const char *more);
/* Looks at the client's proof, and makes the server's. */
void scram_serve_final(const scram_server *s, const scram_talk *t, char final[128]);
/* Up to the client's last message; final is what would be right then. */
void scram_talk_to_final(scram_talk *t, scram_server *s, scram_client *c, char final[128]);

#endif
