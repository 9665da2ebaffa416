/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a dialog, for the files that it is made of and for nobody else:
 *
 *     dialog.c        names, addresses, questions and answers, and who looks at it
 *     dialog_bytes.c  bytes in and out, through TLS or not
 *     dialog_login.c  SASL
 *     dialog_wait.c   poll, time limits
 *
 * The dialog owns everything in here but the configuration. What fails ends in FAILED, or at the
 * next address; so a caller looks at the state after each of these.
 */
#ifndef KL_CLI_DIALOG_INSIDE_H
#define KL_CLI_DIALOG_INSIDE_H

#include "base/buf.h"
#include "cli/dialog.h"
#include "cli/name_lookup.h"

#include <poll.h>

/* What a broker may say before it knows who we are, and after. */
#define KL_DIALOG_FIRST_BYTES_MAX ((size_t)1 << 20)
#define KL_DIALOG_LOGIN_BYTES_MAX ((size_t)64 << 10)
#define KL_DIALOG_FRAME_BYTES_MAX ((size_t)100 << 20)

typedef struct kl_login {
    void *session;   /* of mechanism.session_bytes; NULL: none */
    bool working;    /* the mechanism goes on by itself */
    bool shaken;     /* SaslHandshake was answered */
    bool bare;       /* tokens go without Kafka's headers: the oldest way */
    int16_t version; /* of SaslAuthenticate */
} kl_login;

struct kl_dialog {
    kl_dialog_config config;
    kl_dialog_state state;
    char host[256];
    uint16_t port;
    char place[300];
    kl_name_lookup *lookup;
    bool cautious;              /* ApiVersions in version 0: the newest one made it hang up */
    int fd;                     /* -1: none */
    kloop_tls_channel *channel; /* NULL: plain text; stays after hanging up, for its facts */
    uint64_t deadline_ns;
    kl_buf out;
    size_t written; /* of out: to the socket, or into the channel */
    kl_buf in;
    int16_t asked_api;
    int16_t asked_version;
    int32_t correlation_id;
    kloop_slice answer; /* the body, in the buffer */
    kl_buf greeting;    /* the bytes of versions */
    bool greeted;
    kloop_api_versions_response versions;
    kl_login login;
    kl_dialog_track track;
    kl_buf why;
};

/* ---- dialog.c ---- */

/* What went wrong in this step at this address; more of it adds to why. */
void kl_dialog_note(kl_dialog *d, kl_dialog_trouble trouble, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void kl_dialog_no_memory(kl_dialog *d);
void kl_dialog_fail(kl_dialog *d);
/* What the broker or the network did, while something was waited for: it ends, or another address
 * is tried. It was noted before. */
void kl_dialog_lose(kl_dialog *d);
/* This address will not do. */
void kl_dialog_next_address(kl_dialog *d);
/* Once more from the start, with words that the oldest brokers know. */
void kl_dialog_begin_cautiously(kl_dialog *d);
void kl_dialog_hang_up(kl_dialog *d);

/* The step that the present address has come to, from now on, with its time limit. */
void kl_dialog_enter(kl_dialog *d, kl_dialog_state state, kl_dialog_step step, uint64_t limit_ns);
void kl_dialog_ready(kl_dialog *d);
kl_dialog_try *kl_dialog_try_now(kl_dialog *d); /* NULL: there is no address */

/* The question into out; the state stays. false: FAILED. */
bool kl_dialog_put_question(kl_dialog *d, int16_t api_key, int16_t version, const void *request,
                            size_t request_size);
void kl_dialog_greet(kl_dialog *d);
/* The connection to an address stands. */
void kl_dialog_on_connection(kl_dialog *d);
/* The lookup may be over. */
void kl_dialog_take_addresses(kl_dialog *d);
/* What is behind the header of an answer. */
bool kl_dialog_decode(kl_dialog *d, void *response, size_t response_size);
/* A whole frame has come. */
void kl_dialog_take_frame(kl_dialog *d, kloop_slice frame);

/* ---- dialog_bytes.c ---- */

/* TLS for a connection that stands; TLS is the state then, or FAILED. */
void kl_dialog_begin_tls(kl_dialog *d);
bool kl_dialog_has_output(const kl_dialog *d);
/* Tells the other side that nothing follows, as far as that goes without waiting. */
void kl_dialog_say_goodbye(kl_dialog *d);
/* What can be done now with what the socket has or takes. */
void kl_dialog_on_socket(kl_dialog *d);

/* ---- dialog_login.c ---- */

void kl_dialog_login(kl_dialog *d);
/* The answer to what was said last is in d->answer. */
void kl_dialog_on_login_answer(kl_dialog *d);
/* A bounded piece of what the mechanism has to compute. */
void kl_dialog_login_work(kl_dialog *d);
/* The session is over, whatever became of it. */
void kl_dialog_end_login(kl_dialog *d);

#endif
