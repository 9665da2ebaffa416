/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has to be said on a new connection before it is ready: ApiVersions, once or twice, and who
 * we are.
 */
#ifndef KL_CORE_HANDSHAKE_H
#define KL_CORE_HANDSHAKE_H

#include "core/engine_state.h"

/* The transport is there. */
void kl_handshake_begin(kloop_engine *e, kl_conn *c);

/* What its state was for is done: the next one. */
void kl_handshake_advance(kloop_engine *e, kl_conn *c);

/* The peer hangs up: what that may mean, behind a sentence that says so; "": anything. */
const char *kl_handshake_hung_up(const kloop_engine *e, kl_conn *c);

/* How a state is called in messages. */
const char *kl_handshake_state_name(kl_conn_state state);

#endif
