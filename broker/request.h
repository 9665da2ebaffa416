/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request, from its frame to the bytes of its answer.
 *
 *     start --+--> DELAYED --+--> carried out --+--> PARKED ---+--> answered --+--> HELD --+-->
 * READY |  until its   |                  |  acks=all    |               | until its |
 *             +---- turn ----+                  +--------------+               +--- time --+
 *                                               |
 *                                               +--> SILENT: never answered
 *
 * READY is also where a request ends that has no answer. The peer takes READY ones off, in order.
 *
 * A request outlives its connection: it is carried out all the same, and its answer is thrown away.
 *
 * Owns: a copy of its frame while it is delayed, its scratch, its answer. Fails: without memory the
 * request ends its connection.
 */
#ifndef KL_BROKER_REQUEST_H
#define KL_BROKER_REQUEST_H

#include "broker/peer_parts.h"
#include "broker/scratch.h"

typedef enum kl_request_state {
    KL_REQUEST_DELAYED,
    KL_REQUEST_PARKED,
    KL_REQUEST_HELD,
    KL_REQUEST_READY,
    KL_REQUEST_SILENT,
} kl_request_state;

typedef struct kl_request {
    kl_link link; /* in its peer's list */
    kl_peer *peer;
    kl_cluster *cluster;
    kl_request_info info;
    kl_request_fate fate;
    kl_request_state state;
    kl_timer timer;
    bool bare;              /* a SASL token without a header */
    bool barred;            /* not now: it ends the connection */
    bool misplaced;         /* it does so when it was answered */
    int16_t answer_version; /* the request's, or 0 for an ApiVersions that is not known */
    uint8_t *frame;         /* NULL: not kept */
    kl_scratch scratch;
    kl_out *out;                /* NULL: nothing leaves */
    bool ends_connection;       /* when its turn to leave has come */
    struct kl_produce *produce; /* of a Produce request; in scratch */
} kl_request;

/* The frame is the next one of the peer, and good during the call. */
void kl_request_start(kl_peer *peer, kloop_slice frame);
void kl_request_on_timer(kl_request *r);
/* Out of its peer's list and gone. */
void kl_request_del(kl_request *r);

/* ---- How it can end, for those who carry it out: just one of these ---- */

/* response is the message's struct; it is encoded at once. */
void kl_request_answer(kl_request *r, void *response);
/* There is none to this request. */
void kl_request_no_answer(kl_request *r);
/* The broker ends the connection over it. */
void kl_request_refuse(kl_request *r);
void kl_request_no_memory(kl_request *r);
/* Never answered, and the connection stays. */
void kl_request_be_silent(kl_request *r);
/* Later. The timer fires after so many ms, unless the request is answered before. */
void kl_request_park(kl_request *r, int32_t timeout_ms);

/* Whether anyone will see the answer. */
bool kl_request_is_watched(const kl_request *r);

#endif
