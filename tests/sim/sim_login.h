/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SASL in a run: whom the brokers know, what they say that is not so, tokens that come late, and
 * what may be seen of all that.
 *
 *     sim_user --TOKEN--> here --set_token, token_failed--> engine
 *     sim_answers --answers of SASL--> here: lies
 *     sim_watch --requests and answers--> here: I44
 *     sim_memory, sim_trace --what is given back, what is said--> here: no secret in it
 *
 * I44: before authentication has succeeded on a connection nothing but ApiVersions and SASL leaves
 * on it; neither does anything else between the handshake of a re-authentication and its end, nor
 * after an answer that was a lie, nor after the session has ended. A secret is on the wire in SASL
 * frames only, is in no text, and in no memory that is given back.
 *
 * The mechanisms are those of libkloop (<kloop/sasl.h>). TLS is a host that says so, and that
 * refuses a broker's certificate now and then; how bytes are cut and put together anew is what
 * links do anyway.
 *
 * Draws from a stream of its own, so that runs without SASL are what they were.
 */
#ifndef KL_SIM_LOGIN_H
#define KL_SIM_LOGIN_H

#include "broker/login.h"
#include "tests/sim/sim_watch.h"

#include <kloop/sasl.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim sim;
typedef struct sim_conn sim_conn;

#define SIM_LOGIN_USER     "sim-user"
#define SIM_LOGIN_PASSWORD "Zwv4-horse/battery=staple,7"

/* What a broker says instead of what is right. All but the last ones have to end the connection. */
typedef enum sim_lie {
    SIM_LIE_NONE,
    /* SaslHandshake */
    SIM_LIE_NO_MECHANISMS,   /* 33, and none there is */
    SIM_LIE_MANY_MECHANISMS, /* 33, and 10,000 there are */
    SIM_LIE_ILLEGAL_STATE,   /* 34 */
    SIM_LIE_ODD_ERROR,       /* a code that nobody knows */
    /* the first answer of SCRAM */
    SIM_LIE_ITERATIONS_HUGE, /* 2^31 */
    SIM_LIE_ITERATIONS_FEW,  /* 4095 */
    SIM_LIE_ITERATIONS_NONE,
    SIM_LIE_NONCE_OURS,
    SIM_LIE_NONCE_OTHER,
    SIM_LIE_SALT_EMPTY,
    SIM_LIE_SALT_HUGE,
    SIM_LIE_SALT_ODD,
    SIM_LIE_TWICE,
    SIM_LIE_NUL,
    SIM_LIE_EMPTY,
    /* the last one */
    SIM_LIE_SIGNATURE_WRONG,
    SIM_LIE_SIGNATURE_NONE,
    SIM_LIE_SIGNATURE_CUT,
    SIM_LIE_SERVER_ERROR, /* e= */
    /* any */
    SIM_LIE_REFUSED,       /* 58, with words */
    SIM_LIE_REFUSED_ODD,   /* 58, with 32,000 bytes of noise */
    SIM_LIE_ANOTHER_ROUND, /* where it should be over, and once more, for ever */
    SIM_LIE_MEGABYTES,
    SIM_LIE_MUST_END, /* those before */
    SIM_LIE_LIFETIME_0 = SIM_LIE_MUST_END,
    SIM_LIE_LIFETIME_1,
    SIM_LIE_LIFETIME_NEGATIVE,
    SIM_LIE_LIFETIME_MAX,
    SIM_LIE_COUNT,
} sim_lie;

/* In the plan. */
typedef struct sim_login_plan {
    kl_login_mechanism mechanism; /* 0: none */
    bool tls;
    bool bare; /* the brokers have SaslHandshake v0 alone */
    int64_t reauth_ms;
    int32_t iterations;     /* 0: 4096 */
    uint64_t token_life_ms; /* of OAUTHBEARER */
    uint64_t token_delay_ns;
    size_t token_bytes; /* so long at least */
    unsigned without;   /* brokers, by bit, that have no SASL: nobody asked them */
    bool unsecured;     /* the host does not know that there is such a thing */
} sim_login_plan;

#define SIM_SECRETS_MAX 40

typedef struct sim_secret {
    const char *what;
    uint8_t bytes[72];
    size_t len;
} sim_secret;

/* Sessions that are over and whose memory was not given back yet, at most. */
#define SIM_ENDED_MAX 16

typedef struct sim_login {
    kloop_sasl *sasl;
    kloop_sasl_mechanism inner; /* what the engine has is one that looks over its shoulder */
    const uint8_t *ended[SIM_ENDED_MAX];
    uint64_t worked_in; /* which turn, and how many pieces of work there were in it */
    uint32_t pieces;
    bool on;
    sim_secret secrets[SIM_SECRETS_MAX];
    size_t secret_count;
    bool token_wanted;
    bool token_never;    /* nobody answers, until the run heals */
    uint32_t tokens;     /* wanted so far */
    uint32_t token_lack; /* a scenario: so many are answered with a failure */
    uint64_t token_number;
    sim_lie lie; /* a scenario's */
    uint32_t lie_times;
    uint32_t lies;            /* told so far */
    uint32_t authentications; /* that went well, as the wire says */
    uint32_t renewals;        /* of these */
    uint32_t refusals;        /* answers with an error */
} sim_login;

/* ---- The course ---- */

/* Some seeds have it: those whose last three digits are 800 and above. Behind all else. */
void sim_login_draw(sim *s);
/* What the configuration has to say. */
void sim_login_configure(sim *s);
/* The brokers are there. */
void sim_login_start(sim *s);
/* The engine is there; gone. */
void sim_login_open(sim *s);
void sim_login_over(sim *s);
void sim_login_heal(sim *s);
void sim_login_deinit(sim *s);

void sim_login_on_token(sim *s);

/* ---- Brokers ---- */

/* This broker forgets the user, for so long. */
void sim_login_forget(sim *s, int32_t node, uint64_t ns);
void sim_login_strike(sim *s);
void sim_login_answer_passes(sim *s, const kl_request_info *request, void *response);

/* ---- The wire ---- */

/* A request left whole; len is that of its frame. */
void sim_login_asked(sim *s, sim_conn *c, int16_t api_key, int16_t version, const uint8_t *frame,
                     size_t len);
/* Its answer is about to be told. */
void sim_login_told(sim *s, sim_conn *c, int16_t api_key, int16_t version, const uint8_t *body,
                    size_t len);
/* Are frames bare tokens now? */
bool sim_login_is_bare(const sim *s, const sim_conn *c);
/* Was this connection good for anything? */
bool sim_login_was_ready(const sim *s, const sim_conn *c);

/* ---- Secrets ---- */

void sim_login_look_at_memory(sim *s, const uint8_t *bytes, size_t len);
/* Was there a session in it that is over? */
void sim_login_look_at_session(sim *s, const uint8_t *bytes, size_t len);
void sim_login_look_at_text(sim *s, const char *text);

#endif
