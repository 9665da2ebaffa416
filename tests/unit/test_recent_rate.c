/* SPDX-License-Identifier: BSD-2-Clause */
/* How fast a count grows, held against counts that grow as fast as the test says. */
#include "cli/recent_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

static kl_recent_rate r;
static kl_recent_look at;

static void begin(void)
{
    memset(&r, 0, sizeof r);
    at = (kl_recent_look){.at_ns = 77 * MS};
    kl_recent_rate_look(&r, &at);
}

/* So many looks, 100 ms apart, at this speed. */
static void go(unsigned looks, uint64_t per_look)
{
    while (looks-- > 0) {
        at.at_ns += 100 * MS;
        at.count += per_look;
        at.part += per_look;
        at.bytes += 10 * per_look;
        kl_recent_rate_look(&r, &at);
    }
}

static void nothing_yet(void **state)
{
    (void)state;
    double seconds[4];
    kl_recent_rate none = {.look_count = 0};
    assert_true(kl_recent_rate_counts(&none) == 0 && kl_recent_rate_bytes(&none) == 0);
    assert_int_equal(kl_recent_rate_history(&none, seconds, 4), 0);
    assert_true(kl_recent_rate_left_s(&none, 1, 10) < 0);
    begin();
    assert_true(kl_recent_rate_counts(&r) == 0 && kl_recent_rate_mean(&r) == 0);
}

static void now_is_the_last_second(void **state)
{
    (void)state;
    begin();
    go(5, 100);
    assert_float_equal(kl_recent_rate_counts(&r), 1000, 0.01);
    go(20, 300);
    assert_float_equal(kl_recent_rate_counts(&r), 3000, 0.01);
    assert_float_equal(kl_recent_rate_bytes(&r), 30000, 0.01);
    assert_float_equal(kl_recent_rate_mean(&r), 6500 / 2.5, 0.01);
    assert_float_equal(kl_recent_rate_mean_bytes(&r), 65000 / 2.5, 0.01);
    go(20, 0);
    assert_float_equal(kl_recent_rate_counts(&r), 0, 0.01);
}

static void each_second_has_its_place(void **state)
{
    (void)state;
    double seconds[KL_RECENT_SECONDS];
    begin();
    go(10, 1);
    go(10, 2);
    go(10, 3);
    go(5, 100); /* not over yet */
    assert_int_equal(kl_recent_rate_history(&r, seconds, KL_RECENT_SECONDS), 3);
    for (int i = 0; i < 3; i++)
        assert_float_equal(seconds[i], (float)(10 * (i + 1)), 0.01);
    assert_int_equal(kl_recent_rate_history(&r, seconds, 2), 2);
    assert_float_equal(seconds[0], 20, 0.01);
    go(10 * KL_RECENT_SECONDS, 4);
    assert_int_equal(kl_recent_rate_history(&r, seconds, KL_RECENT_SECONDS), KL_RECENT_SECONDS);
    assert_float_equal(seconds[KL_RECENT_SECONDS - 1], 40, 0.01);
}

/* A loop that was held for seconds has as many seconds of the mean speed. */
static void a_long_pause(void **state)
{
    (void)state;
    double seconds[KL_RECENT_SECONDS];
    begin();
    at.at_ns += 4000 * MS;
    at.count += 400;
    kl_recent_rate_look(&r, &at);
    assert_int_equal(kl_recent_rate_history(&r, seconds, KL_RECENT_SECONDS), 4);
    for (int i = 0; i < 4; i++)
        assert_float_equal(seconds[i], 100, 0.01);
    at.at_ns += UINT64_C(1000000000) * 100000;
    kl_recent_rate_look(&r, &at);
    assert_int_equal(kl_recent_rate_history(&r, seconds, KL_RECENT_SECONDS), KL_RECENT_SECONDS);
}

static void what_is_left(void **state)
{
    (void)state;
    begin();
    go(30, 100);
    assert_float_equal(kl_recent_rate_left_s(&r, at.part, at.part + 5000), 5, 0.01);
    assert_float_equal(kl_recent_rate_left_s(&r, 10, 10), 0, 0.01);
    /* Stuck for longer than is looked at: nobody knows. */
    go(200, 0);
    assert_true(kl_recent_rate_left_s(&r, at.part, at.part + 1) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_yet),
        cmocka_unit_test(now_is_the_last_second),
        cmocka_unit_test(each_second_has_its_place),
        cmocka_unit_test(a_long_pause),
        cmocka_unit_test(what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
