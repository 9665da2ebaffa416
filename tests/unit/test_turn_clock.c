/* SPDX-License-Identifier: BSD-2-Clause */
/* cli/turn_clock.c: what it counts is CPU time between prepare and check, and it leaves with its
 * loop. */
#define _POSIX_C_SOURCE 200809L
#include "cli/turn_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#define WORK_NS UINT64_C(2000000)

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* However long that takes on a machine that has other things to do. */
static void work(void)
{
    uint64_t end_ns = cpu_ns() + WORK_NS;
    while (cpu_ns() < end_ns)
        ;
}

static void on_check(uv_check_t *check)
{
    work();
    uv_close((uv_handle_t *)check, NULL);
}

static void on_timer(uv_timer_t *timer)
{
    work();
    uv_close((uv_handle_t *)timer, NULL);
}

/* Started before the one that is watched, as its header asks. */
static void work_in_check_counts(void **state)
{
    uv_loop_t loop;
    uv_check_t worker;
    kl_turn_clock clock;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    kl_turn_clock_start(&clock, &loop);
    uv_check_init(&loop, &worker);
    uv_check_start(&worker, on_check);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_true(clock.max_ns >= WORK_NS);
    kl_turn_clock_close(&clock);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Timers run before prepare: where they work, nothing of that is counted. */
static void work_of_other_phases_does_not(void **state)
{
    uv_loop_t loop;
    uv_timer_t timer;
    kl_turn_clock clock;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    kl_turn_clock_start(&clock, &loop);
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_timer, 0, 0);
    uv_run(&loop, UV_RUN_NOWAIT);
    /* A turn without work takes microseconds of CPU, whoever else runs. */
    assert_true(clock.max_ns > 0 && clock.max_ns < WORK_NS);
    kl_turn_clock_close(&clock);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void it_keeps_no_loop_alive(void **state)
{
    uv_loop_t loop;
    kl_turn_clock clock;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    kl_turn_clock_start(&clock, &loop);
    assert_false(uv_loop_alive(&loop));
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    kl_turn_clock_close(&clock);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_in_check_counts),
        cmocka_unit_test(work_of_other_phases_does_not),
        cmocka_unit_test(it_keeps_no_loop_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
