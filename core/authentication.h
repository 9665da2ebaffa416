/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who we are, told to a broker: SaslHandshake, then what the mechanism says, in SaslAuthenticate.
 *
 *     SaslHandshake --answer--> begin() --.
 *                                         v
 *             .---- answer <---- SAY, SaslAuthenticate
 *             v                           ^
 *        challenge() -- WORK, pieces -----+---- TOKEN, until there is one
 *             |
 *             +-- DONE --> ready, and in use      +-- FAILED, or an error --> lost
 *
 * On a new connection these are the last states before READY. One that is ready does it again when
 * its session nears its end (KIP-368): nothing else is asked then until it is over, and what was
 * asked before is answered first, so nothing is lost and no order is.
 *
 * A token is asked of the host when a mechanism wants one, and anew when much of its life is over;
 * connections wait for it as long as their setup may take.
 *
 * The engine owns the memory of the mechanism's session, and wipes it, like requests that carry a
 * secret. Without memory the connection is lost.
 */
#ifndef KL_CORE_AUTHENTICATION_H
#define KL_CORE_AUTHENTICATION_H

#include "core/engine_state.h"

/* What security.protocol says. */
const char *kl_authentication_protocol(bool tls, bool sasl);

/* Begins, on a connection that is to become ready, or again on one that is. */
void kl_authentication_begin(kloop_engine *e, kl_conn *c);
/* The answer to SaslHandshake has come. */
void kl_authentication_start(kloop_engine *e, kl_conn *c);
/* The connection is lost, or about to go. */
void kl_authentication_end(kloop_engine *e, kl_conn *c);
/* What it is about, for "while ...". */
const char *kl_authentication_doing(const kl_conn *c);

/* The mechanism goes on for a piece; true: something was done. */
bool kl_authentication_work(kloop_engine *e);
static inline bool kl_authentication_has_work(const kloop_engine *e)
{
    return !kl_list_is_empty(&e->login.working);
}

/* TOKEN, if it is due. */
bool kl_authentication_take(kloop_engine *e, kloop_action *action);
void kl_authentication_timer(kloop_engine *e);

#endif
