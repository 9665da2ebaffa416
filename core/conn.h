/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to a broker, from CONNECT to on_closed.
 *
 *     CONNECTING --connected--> VERSIONS --> SASL_HANDSHAKE --> AUTHENTICATING --> READY
 *          \____________________________\_____________________\____ lost ____> LOST --closed-->
 * gone
 *
 * TLS is over before on_connected comes. Without SASL, VERSIONS leads to READY. See handshake.c.
 *
 * Requests are written in the order in which they were given and answered in that order. A request
 * is in two lists: writing, until on_wrote has covered it, and flight, until its answer has come.
 * When the connection is lost, all requests in flight are told so at once; their memory stays until
 * on_closed, because the host may still be reading it.
 *
 * Clocks (of the request at the head of the flight): it runs from the last progress in writing it,
 * from the answer before it, or from the time when reading was resumed, whichever is latest.
 */
#ifndef KL_CORE_CONN_H
#define KL_CORE_CONN_H

#include "base/heap.h"
#include "base/list.h"
#include "core/api_caps.h"
#include "core/nodes.h"
#include "protocol/frame.h"

#include <kloop/engine.h>
#include <kloop/wire.h>

typedef struct kl_broker kl_broker;
typedef struct kl_batch kl_batch;
typedef struct kl_conn kl_conn;
typedef struct kl_request kl_request;
typedef struct kl_auth kl_auth;

typedef enum kl_conn_state {
    KL_CONN_CONNECTING,
    KL_CONN_VERSIONS,
    KL_CONN_SASL_HANDSHAKE,
    KL_CONN_AUTHENTICATING,
    KL_CONN_READY,
    KL_CONN_LOST,
} kl_conn_state;

/* What to do when a request is answered, or will not be any more. */
typedef struct kl_request_kind {
    const char *name;
    /* body is what follows the response's header. false: it could not be read, and the connection
     * was lost because of it. */
    bool (*answered)(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice body);
    void (*lost)(kloop_engine *e, kl_request *r);
    /* Written to the last byte; NULL: nothing to be done. Only a request without an answer has more
     * use for it. */
    void (*written)(kloop_engine *e, kl_request *r);
    /* Before its memory goes. NULL: nothing. */
    void (*release)(kloop_engine *e, kl_request *r);
    bool handshake; /* may go out before READY, and an answer to it proves nothing */
    bool secret;    /* no hook sees it or its answer, and its memory is wiped */
    bool bare;      /* bytes without the headers of Kafka, and so is its answer */
} kl_request_kind;

struct kl_request {
    kl_link in_writing;
    kl_link in_flight;
    const kl_request_kind *kind;
    kl_conn *conn;
    int16_t api;
    int16_t version;
    int32_t correlation;
    bool touched;        /* some of its bytes were handed out */
    bool handed_out;     /* all of them were */
    bool expects_answer; /* all but Produce with acks=0 */
    uint64_t asked_ns;   /* it was put together */
    uint64_t progress_ns;
    size_t total;
    size_t written;
    size_t slice_at; /* of the first slice that is not all written, and within it */
    size_t slice_done;
    kloop_slice *slices;
    size_t slice_count;
    kl_batch **batches; /* Produce: what it carries */
    size_t batch_count;
    size_t memory_bytes; /* of this block, slices, batches and bytes included */
    kloop_slice altered; /* what a hook has put in place of all slices, owned; data NULL: nothing */
};

struct kl_conn {
    kloop_engine *engine;
    kl_broker *broker;
    kloop_id id;
    kl_conn_state state;
    kl_conn_state lost_in; /* the state in which it was lost */
    kl_link in_actions;
    uint32_t pending; /* bits of enum kl_pending */
    kl_link in_paused;

    kl_list writing;
    kl_list flight;
    uint32_t flight_count;
    bool host_writes; /* a WRITE was given and write_vec has not been seen empty since */
    int32_t next_correlation;

    kl_frame_reader frames;
    size_t receive_bytes; /* counted in the engine's sum */
    bool space_shown;     /* the host may be writing to it */
    bool paused;
    bool idle;       /* it is lost because nobody needed it any more: no failure of anybody's */
    bool foreign;    /* or because it leads to another cluster */
    bool refused;    /* or it has refused us, or we it: trying again does not cure that */
    int16_t refusal; /* what it said then; 0: it did not */

    kl_auth *auth;          /* of the authentication that is under way; NULL: none */
    uint64_t renew_at;      /* when it authenticates anew */
    kl_api_caps agreed;     /* versions of the APIs that are asked of the broker; -1: none */
    bool lowered;           /* ApiVersions was refused, and asked again in an older version */
    uint8_t codecs_refused; /* bit by id: batches were answered so, see codec_choice.h */
    kl_timer timer;
    bool served; /* something was answered after the handshake */
    uint64_t opened_ns;
    uint64_t ready_ns;
    uint64_t last_answer_ns; /* or when reading was resumed */
    uint64_t last_active_ns;
    uint64_t throttled_until;
    kloop_address address;
    char why[KL_TROUBLE_BYTES]; /* it was lost */
};

kl_conn *kl_conn_new(kloop_engine *e, kl_broker *broker, const kloop_address *address);
void kl_conn_del(kloop_engine *e, kl_conn *c);

/*
 * Puts a request together and behind the others. message is what kloop_measure_request() takes; the
 * slices of its records must stay until the kind's release is called. NULL: no memory, or (with
 * *fault set) the message cannot be said in this version.
 */
kl_request *kl_conn_ask(kloop_engine *e, kl_conn *c, const kl_request_kind *kind, int16_t api,
                        int16_t version, const void *message, size_t message_size,
                        size_t batch_count, bool expects_answer, kloop_fault *fault);

/* The same for a kind that is bare: these bytes, behind their length. NULL: no memory. */
kl_request *kl_conn_ask_bare(kloop_engine *e, kl_conn *c, const kl_request_kind *kind,
                             kloop_slice bytes);

/* May another request go out now? Not while bytes of an earlier one wait, nor beyond the limit, nor
 * while it authenticates anew. */
bool kl_conn_can_ask(const kloop_engine *e, const kl_conn *c);

/* Ends it: requests are told, CLOSE is given. The reason is written like printf does. Nothing
 * happens when it is lost already. */
void kl_conn_lose(kloop_engine *e, kl_conn *c, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for an answer to r that cannot be read. */
void kl_conn_lose_fault(kloop_engine *e, kl_conn *c, const kl_request *r, const kloop_fault *fault);

void kl_conn_connected(kloop_engine *e, kl_conn *c);
uint8_t *kl_conn_space(kloop_engine *e, kl_conn *c, size_t *room);
void kl_conn_received(kloop_engine *e, kl_conn *c, size_t n);
void kl_conn_wrote(kloop_engine *e, kl_conn *c, size_t n);
size_t kl_conn_write_vec(kloop_engine *e, kl_conn *c, kloop_slice *slices, size_t max);
/*
 * The answer to r asks to be left alone for so long. From some version of each API on that is for
 * us to obey; before, the broker has held the answer back itself.
 */
void kl_conn_throttle(kloop_engine *e, kl_conn *c, const kl_request *r, int32_t ms);
void kl_conn_timer(kloop_engine *e, kl_conn *c);
/* Sets the timer anew, after anything that may have moved its time. */
void kl_conn_clock(kloop_engine *e, kl_conn *c);
/* Large buffers in which nothing is go back to the allocator. */
void kl_conn_give_back_space(kloop_engine *e);
/* Gives memory for receiving to the connections that wait for it. */
void kl_conn_resume_paused(kloop_engine *e);

#endif
