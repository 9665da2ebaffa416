/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signals that end a run, or ask how it stands: SIGINT, SIGTERM, SIGHUP and SIGUSR1, told on
 * the loop. SIGHUP is left alone where it is ignored, as under nohup.
 *
 * Owns its handles, which keep the loop alive until kl_run_signals_unref. Nothing fails.
 */
#ifndef KL_CLI_RUN_SIGNALS_H
#define KL_CLI_RUN_SIGNALS_H

#include <uv.h>

#define KL_RUN_SIGNALS 4

typedef void (*kl_run_signal_fn)(void *me, int number);

typedef struct kl_run_signals {
    uv_signal_t handles[KL_RUN_SIGNALS];
    kl_run_signal_fn fn;
    void *me;
} kl_run_signals;

void kl_run_signals_start(kl_run_signals *s, uv_loop_t *loop, kl_run_signal_fn fn, void *me);

/* They are still told, and nothing waits for them. */
void kl_run_signals_unref(kl_run_signals *s);

/* The run is over. The loop has to run on for the handles; none of these signals reaches the
 * process from here on, so that one more does not keep the last words from being said. */
void kl_run_signals_end(kl_run_signals *s);

#endif
