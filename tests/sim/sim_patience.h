/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Patience: what a broker wants to be waited for.
 *
 * A throttle time is kept: no request is put together for that connection meanwhile, at most
 * request.timeout.ms long. And a connection is not given up for request.timeout.ms while the one
 * request that it has to answer is still being written, and bytes of it have left within that time:
 * on a slow link that would be a storm of retries.
 */
#ifndef KL_SIM_PATIENCE_H
#define KL_SIM_PATIENCE_H

#include "tests/sim/sim_watch.h"

typedef struct sim sim;
typedef struct sim_conn sim_conn;

/* An answer is about to be told. */
void sim_patience_told(sim *s, sim_conn *c, const sim_asked *asked, const uint8_t *body,
                       size_t len);
/* A request has gone out whole. */
void sim_patience_request(sim *s, const sim_conn *c);
/* The engine has said CLOSE, and why. */
void sim_patience_close(sim *s, const sim_conn *c, const char *why);

#endif
