/* SPDX-License-Identifier: BSD-2-Clause */
/* An alarm rings once, never early, and not when it was replaced. How late it may be is nothing
 * that a test can hold against a busy machine: bench/measure_sink.py tells. */
#define _POSIX_C_SOURCE 200809L
#include "cli/alarm_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

typedef struct ringing {
    uv_loop_t loop;
    kl_alarm alarm;
    int rang;
    int closed;
    uint64_t at_ns;
    uint64_t again_ns; /* set anew from inside, this much later; 0: not */
} ringing;

static void on_ring(void *me)
{
    ringing *r = me;
    r->rang++;
    r->at_ns = uv_hrtime();
    if (r->again_ns && r->rang < 3)
        kl_alarm_set(&r->alarm, r->at_ns + r->again_ns);
}

static void on_closed(void *me)
{
    ((ringing *)me)->closed++;
}

static void begin(ringing *r)
{
    uv_loop_init(&r->loop);
    assert_int_equal(kl_alarm_init(&r->alarm, &r->loop, on_ring, r), 0);
}

static void run_until(ringing *r, int rang)
{
    while (r->rang < rang)
        uv_run(&r->loop, UV_RUN_ONCE);
}

static void finish(ringing *r)
{
    kl_alarm_close(&r->alarm, on_closed);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    assert_int_equal(r->closed, 1);
    assert_int_equal(uv_loop_close(&r->loop), 0);
}

static void it_rings_and_not_early(void **state)
{
    (void)state;
    ringing r = {.rang = 0};
    begin(&r);
    for (int i = 0; i < 20; i++) {
        uint64_t due = uv_hrtime() + (uint64_t)(i * i) * 7919;
        kl_alarm_set(&r.alarm, due);
        run_until(&r, i + 1);
        assert_true(r.at_ns >= due);
    }
    uv_run(&r.loop, UV_RUN_NOWAIT);
    assert_int_equal(r.rang, 20);
    finish(&r);
}

static void the_past_is_at_once(void **state)
{
    (void)state;
    ringing r = {.rang = 0};
    begin(&r);
    kl_alarm_set(&r.alarm, 0);
    run_until(&r, 1);
    kl_alarm_set(&r.alarm, uv_hrtime() - 1);
    run_until(&r, 2);
    finish(&r);
}

static void set_anew_from_inside(void **state)
{
    (void)state;
    ringing r = {.again_ns = MS / 10};
    begin(&r);
    kl_alarm_set(&r.alarm, uv_hrtime());
    run_until(&r, 3);
    finish(&r);
    assert_int_equal(r.rang, 3);
}

static void replaced_and_taken_back(void **state)
{
    (void)state;
    ringing r = {.rang = 0};
    begin(&r);
    /* It is due already, and nobody has looked. */
    kl_alarm_set(&r.alarm, 1);
    kl_alarm_set(&r.alarm, KL_ALARM_NEVER);
    uv_run(&r.loop, UV_RUN_NOWAIT);
    assert_int_equal(r.rang, 0);
    kl_alarm_set(&r.alarm, uv_hrtime() + 3600000 * MS);
    kl_alarm_set(&r.alarm, uv_hrtime() + MS);
    run_until(&r, 1);
    kl_alarm_set(&r.alarm, UINT64_MAX - 1);
    uv_run(&r.loop, UV_RUN_NOWAIT);
    assert_int_equal(r.rang, 1);
    finish(&r);
}

static void closed_while_it_waits(void **state)
{
    (void)state;
    ringing r = {.rang = 0};
    begin(&r);
    kl_alarm_set(&r.alarm, 1);
    finish(&r);
    assert_int_equal(r.rang, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_rings_and_not_early), cmocka_unit_test(the_past_is_at_once),
        cmocka_unit_test(set_anew_from_inside),   cmocka_unit_test(replaced_and_taken_back),
        cmocka_unit_test(closed_while_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
