/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SASL: how a producer tells brokers who it is. A mechanism is a small state machine that knows
 * neither sockets nor clocks nor Kafka's frames: bytes of the broker go in, bytes for the broker
 * come out.
 *
 *            begin        challenge                   challenge
 *     start -------> SAY -----------> SAY or WORK ... -----------> DONE
 *              |                          ^    |
 *              '-> TOKEN --- work --------'    '-- work, until it is something else than WORK
 *                                                  FAILED, from everywhere: the end
 *
 * The engine (kloop_engine_secure() in <kloop/engine.h>) wraps them into Kafka's frames: what is to
 * be said first is the first SaslAuthenticate, and the bytes of each answer are the next challenge,
 * which are none at all behind a PLAIN or OAUTHBEARER that went well. It takes connections into
 * use only after DONE; an answer with an error code, or an answer too many or too few, is the end
 * of the connection.
 *
 * PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER are made from a configuration by
 * kloop_sasl_new(), which is in libkloop and not in libkloop-engine. Whoever needs another one, or
 * has an engine without libkloop, fills in a kloop_sasl_mechanism himself.
 *
 * Passwords, tokens, keys and all that is made of them are wiped before their memory is given back.
 * No sentence that comes from here has a secret in it.
 */
#ifndef KLOOP_SASL_H
#define KLOOP_SASL_H

#include <kloop/config.h>
#include <kloop/export.h>
#include <kloop/record.h>
#include <kloop/types.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kloop_sasl_verdict {
    KLOOP_SASL_SAY,    /* step->out goes to the broker; its answer is the next challenge */
    KLOOP_SASL_WORK,   /* not there yet: work() goes on, a bounded piece of some 50 us at a time */
    KLOOP_SASL_TOKEN,  /* a token is needed first: work() once set_token() has taken one */
    KLOOP_SASL_DONE,   /* the broker has proved all that it has to */
    KLOOP_SASL_FAILED, /* step->why; the connection must not be used */
} kloop_sasl_verdict;

/* All zero before each call; what belongs to the verdict is filled in. */
typedef struct kloop_sasl_step {
    kloop_slice out; /* SAY: never null, perhaps empty; good until the session's next call. It may
                        hold a secret: not to be logged, to be wiped wherever it is copied to */
    char why[256];   /* FAILED: a sentence, terminated, without secrets */
} kloop_sasl_step;

/* One more thing that is said to the broker beside a token; see RFC 7628. */
typedef struct kloop_sasl_extension {
    kloop_string key; /* letters, not "auth" */
    kloop_string value;
} kloop_sasl_extension;

/* A bearer token, for OAUTHBEARER. Views are good for the call that takes it. */
typedef struct kloop_token {
    kloop_string value;     /* as it goes over the wire, without "Bearer " */
    uint64_t expires_ms;    /* wall clock, ms since 1970; KLOOP_NEVER: it does not */
    kloop_string principal; /* whose it is, for messages; may be empty */
    const kloop_sasl_extension *extensions;
    size_t extension_count;
} kloop_token;

/*
 * One mechanism with its credentials, as the engine uses it: one for all connections of a producer,
 * and a session for each authentication of one of them. All functions are called on the engine's
 * thread and never inside each other. A session is memory of the engine's: aligned for any type,
 * all zero before begin(), wiped after end(). Nothing may point into me that is not gone with
 * end().
 */
typedef struct kloop_sasl_mechanism {
    const char *name; /* as brokers call it: "SCRAM-SHA-256" */
    size_t session_bytes;
    /* The first thing to be said. SAY, TOKEN, WORK or FAILED. */
    kloop_sasl_verdict (*begin)(void *session, void *me, kloop_now now, kloop_sasl_step *step);
    /* The broker's answer to what was said last; from_broker.data is not NULL. Bytes are good for
     * the call. */
    kloop_sasl_verdict (*challenge)(void *session, kloop_slice from_broker, kloop_now now,
                                    kloop_sasl_step *step);
    /* After WORK, and after TOKEN. */
    kloop_sasl_verdict (*work)(void *session, kloop_now now, kloop_sasl_step *step);
    /* In any state, once for each begin(). NULL: there is nothing to do. */
    void (*end)(void *session);
    /*
     * NULL: no tokens are needed. KLOOP_OK: copied, sessions that begin or go on from now on use
     * it. KLOOP_BAD_ARGUMENT, with a sentence, and KLOOP_NO_MEMORY: the old one stays.
     */
    kloop_status (*set_token)(void *me, const kloop_token *token, kloop_now now,
                              kloop_error *error);
    bool warns; /* what it says is all that others need who can read it: worth a warning without TLS
                 */
    void *me;
} kloop_sasl_mechanism;

/* ---- Mechanisms out of a configuration; in libkloop, not in libkloop-engine ---- */

/* Owns a mechanism and its own copies of the credentials. */
typedef struct kloop_sasl kloop_sasl;

/*
 * security.protocol, sasl.mechanism and the credentials that belong to it. KLOOP_OK with *out NULL
 * where security.protocol has no SASL in it. On anything else than KLOOP_OK *out is NULL too, and
 * *error, which may be NULL, says why: KLOOP_BAD_CONFIG, naming keys and what to do about them, or
 * KLOOP_NO_MEMORY. alloc may be NULL: the C library's. entropy is 32 bytes that nobody can predict:
 * nonces are made of them, and nothing else has to be random.
 */
KLOOP_API kloop_status kloop_sasl_new(kloop_sasl **out, const kloop_config *config,
                                      const kloop_allocator *alloc, const uint8_t entropy[32],
                                      kloop_error *error);
/* After the engine that uses it. s may be NULL. */
KLOOP_API void kloop_sasl_del(kloop_sasl *s);

/* Good as long as s. */
KLOOP_API const kloop_sasl_mechanism *kloop_sasl_mechanism_of(const kloop_sasl *s);

/* The file that tokens are read from, where sasl.oauthbearer.token.endpoint.url is a file: its
 * path, terminated. len 0: there is none. Good as long as s. */
KLOOP_API kloop_string kloop_sasl_token_file(const kloop_sasl *s);

/* When a token expires, in ms since 1970, which a JWT says in its claim exp. Nothing is verified.
 * KLOOP_NEVER: it is no JWT, or has no such claim; or there is no memory of the C library's to look
 * into it, which is wiped and given back before this returns. */
KLOOP_API uint64_t kloop_sasl_token_expiry_ms(kloop_string token);

#ifdef __cplusplus
}
#endif

#endif
