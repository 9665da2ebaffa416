/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals on a loop. See run_signals.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/run_signals.h"

#include <signal.h>

static const int numbers[KL_RUN_SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};

static void on_signal(uv_signal_t *handle, int number)
{
    kl_run_signals *s = handle->data;
    s->fn(s->me, number);
}

static int is_ignored(int number)
{
    struct sigaction old;
    return sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
}

void kl_run_signals_start(kl_run_signals *s, uv_loop_t *loop, kl_run_signal_fn fn, void *me)
{
    s->fn = fn;
    s->me = me;
    for (int i = 0; i < KL_RUN_SIGNALS; i++) {
        uv_signal_init(loop, &s->handles[i]);
        s->handles[i].data = s;
        if (numbers[i] != SIGHUP || !is_ignored(SIGHUP))
            uv_signal_start(&s->handles[i], on_signal, numbers[i]);
    }
}

void kl_run_signals_unref(kl_run_signals *s)
{
    for (int i = 0; i < KL_RUN_SIGNALS; i++)
        uv_unref((uv_handle_t *)&s->handles[i]);
}

void kl_run_signals_end(kl_run_signals *s)
{
    sigset_t all;
    sigemptyset(&all);
    for (int i = 0; i < KL_RUN_SIGNALS; i++)
        sigaddset(&all, numbers[i]);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (int i = 0; i < KL_RUN_SIGNALS; i++)
        uv_close((uv_handle_t *)&s->handles[i], NULL);
}
