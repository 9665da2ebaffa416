/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a producer: flush, close, and what cannot go on.
 *
 *     OPEN --close--> CLOSING --all reported--> HANGING_UP --all handles given back--> CLOSED
 *                        \___time is over: the rest is reported___/
 */
#ifndef KL_CORE_SHUTDOWN_H
#define KL_CORE_SHUTDOWN_H

#include "core/engine_state.h"

kloop_status kl_shutdown_flush(kloop_engine *e, void *user);
void kl_shutdown_close(kloop_engine *e, uint64_t timeout_ms);
void kl_shutdown_timer(kloop_engine *e);
/* Moves from state to state; true: something was done. */
bool kl_shutdown_step(kloop_engine *e);

/* The producer is of no more use: everything is reported, nothing more is taken. */
void kl_shutdown_fatal(kloop_engine *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
