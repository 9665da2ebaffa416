/* SPDX-License-Identifier: BSD-2-Clause */
/* When records are due, at rates of records and bytes, behind pauses of both kinds; rates as typed.
 */
#include "cli/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS 1000000u

static void records_at_a_rate(void **state)
{
    (void)state;
    kl_pace p;
    kl_pace_init(&p, 100, 0);
    assert_true(kl_pace_any(&p));
    assert_int_equal(kl_pace_due_ns(&p), 0);
    for (uint64_t i = 0; i < 1000; i++) {
        kl_pace_took(&p, i ? 7 * MS : 5 * MS, 1000000);
        assert_int_equal(kl_pace_due_ns(&p), 5 * MS + (i + 1) * 10 * MS);
    }
}

static void bytes_at_a_rate(void **state)
{
    (void)state;
    kl_pace p;
    kl_pace_init(&p, 0, 1000);
    kl_pace_took(&p, MS, 500);
    assert_int_equal(kl_pace_due_ns(&p), MS + 500 * (uint64_t)MS);
    kl_pace_took(&p, MS, 0);
    assert_int_equal(kl_pace_due_ns(&p), MS + 500 * (uint64_t)MS);
}

static void the_slower_of_both_counts(void **state)
{
    (void)state;
    kl_pace p;
    kl_pace_init(&p, 10, 1000);
    kl_pace_took(&p, MS, 1);
    assert_int_equal(kl_pace_due_ns(&p), MS + 100 * (uint64_t)MS);
    kl_pace_took(&p, MS, 999);
    assert_int_equal(kl_pace_due_ns(&p), MS + 1000 * (uint64_t)MS);
}

static void no_rate(void **state)
{
    (void)state;
    kl_pace p;
    kl_pace_init(&p, 0, 0);
    assert_false(kl_pace_any(&p));
}

/* The schedule does not wait for a sender that is late, only for input. */
static void being_late(void **state)
{
    (void)state;
    kl_pace p;
    uint64_t s = 1000 * (uint64_t)MS;
    kl_pace_init(&p, 100, 0);
    kl_pace_took(&p, s, 1);
    assert_int_equal(kl_pace_due_ns(&p), s + 10 * MS);
    /* Ten seconds of a producer that is full: all records of that time are due. */
    for (int i = 0; i < 999; i++)
        kl_pace_took(&p, 11 * s, 1);
    assert_int_equal(kl_pace_due_ns(&p), 11 * s);
    /* Ten seconds without input: those of a tenth of a second. */
    kl_pace_waited(&p, 21 * s);
    assert_int_equal(kl_pace_due_ns(&p), 21 * s - KL_PACE_BEHIND_MAX_NS);
    /* A wait that was no longer than the schedule's own moves nothing. */
    kl_pace_took(&p, 21 * s, 1);
    uint64_t due = kl_pace_due_ns(&p);
    kl_pace_waited(&p, 21 * s);
    assert_int_equal(kl_pace_due_ns(&p), due);
}

/* A time beyond 64 bits was taken for one that is over. */
static void a_rate_that_is_almost_none(void **state)
{
    (void)state;
    kl_pace p;
    kl_pace_init(&p, 1e-12, 0);
    for (int i = 0; i < 3; i++)
        kl_pace_took(&p, MS, 1);
    assert_true(kl_pace_due_ns(&p) > UINT64_C(4000000000000000000));
}

static void a_wait_before_the_first(void **state)
{
    (void)state;
    kl_pace p;
    kl_pace_init(&p, 100, 0);
    kl_pace_waited(&p, 1000 * (uint64_t)MS);
    assert_int_equal(kl_pace_due_ns(&p), 0);
    kl_pace_took(&p, 5, 1);
    kl_pace_waited(&p, 6);
    assert_int_equal(kl_pace_due_ns(&p), 5 + 10 * MS);
}

static void rates_as_typed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool of_bytes;
        double per_s;
    } good[] = {
        {"5", false, 5},           {"5/s", false, 5},         {"5/sec", false, 5},
        {"0.5/s", false, 0.5},     {".5", false, 0.5},        {"50k/s", false, 50000},
        {"2.5K", false, 2500},     {"1M/s", false, 1e6},      {"30/min", false, 0.5},
        {"30/m", false, 0.5},      {"36/h", false, 0.01},     {"10MB/s", true, 1e7},
        {"1MiB/s", true, 1048576}, {"2kiB", true, 2048},      {"500kB/s", true, 5e5},
        {"5B/s", true, 5},         {"1GiB/s", true, 1 << 30}, {"7m/s", true, 7e6},
    };
    static const struct {
        const char *text;
        bool of_bytes;
    } bad[] = {
        {"", false},        {"x", false},    {"-5", false},
        {"0", false},       {"0/s", false},  {"5/y", false},
        {"5//s", false},    {"5 /s", false}, {"5x", false},
        {"1e3", false},     {"0x10", false}, {"1.2.3", false},
        {".", false},       {"5m", false},   {"5B", false},
        {"5ki", false},     {"inf", false},  {"nan", false},
        {"9999999T", true}, {"5iB", true},   {"11111111111111111111111111111111111111111", false}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double per_s = 0;
        assert_true(kl_pace_parse(good[i].text, good[i].of_bytes, &per_s));
        assert_true(per_s == good[i].per_s);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double per_s = 0;
        assert_false(kl_pace_parse(bad[i].text, bad[i].of_bytes, &per_s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_at_a_rate),
        cmocka_unit_test(bytes_at_a_rate),
        cmocka_unit_test(the_slower_of_both_counts),
        cmocka_unit_test(no_rate),
        cmocka_unit_test(being_late),
        cmocka_unit_test(a_rate_that_is_almost_none),
        cmocka_unit_test(a_wait_before_the_first),
        cmocka_unit_test(rates_as_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
