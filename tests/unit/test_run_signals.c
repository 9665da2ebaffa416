/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals that are told on the loop, and that stay away once the run is over. */
#define _POSIX_C_SOURCE 200809L
#include "cli/run_signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int told[65];

static void on_signal(void *me, int number)
{
    told[number]++;
    if (number == SIGTERM)
        kl_run_signals_unref(me);
}

static void until_the_end(void **state)
{
    (void)state;
    static const int numbers[] = {SIGINT, SIGUSR1, SIGTERM};
    uv_loop_t loop;
    kl_run_signals s;
    sigset_t before;
    sigprocmask(SIG_BLOCK, NULL, &before);
    /* As under nohup: it would end this program otherwise. */
    signal(SIGHUP, SIG_IGN);
    uv_loop_init(&loop);
    kl_run_signals_start(&s, &loop, on_signal, &s);
    raise(SIGHUP);
    for (size_t i = 0; i < 3; i++) {
        raise(numbers[i]);
        uv_run(&loop, i < 2 ? UV_RUN_ONCE : UV_RUN_DEFAULT);
        assert_int_equal(told[numbers[i]], 1);
    }
    kl_run_signals_end(&s);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    /* One more does nothing. */
    raise(SIGINT);
    raise(SIGTERM);
    assert_int_equal(told[SIGHUP], 0);
    assert_int_equal(told[SIGINT], 1);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(until_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
