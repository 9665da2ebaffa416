/* SPDX-License-Identifier: BSD-2-Clause */
/* Log-linear slots: where a value goes, what is said of it, adding and taking away. */
#include <kloop/stats.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static kloop_histogram h, other;

static int begin(void **state)
{
    (void)state;
    memset(&h, 0, sizeof h);
    memset(&other, 0, sizeof other);
    return 0;
}

/* Which slot is it in? */
static unsigned slot_of(uint64_t value)
{
    kloop_histogram one = {0};
    kloop_histogram_add(&one, value, 1);
    for (unsigned i = 0; i < KLOOP_HISTOGRAM_SLOTS; i++)
        if (one.slots[i])
            return i;
    fail_msg("%llu is nowhere", (unsigned long long)value);
    return 0;
}

static void slots_are_as_the_header_says(void **state)
{
    (void)state;
    for (uint64_t v = 0; v < 16; v++)
        assert_int_equal(slot_of(v), v);
    assert_int_equal(slot_of(16), 16);
    assert_int_equal(slot_of(17), 16);
    assert_int_equal(slot_of(31), 23);
    assert_int_equal(slot_of(32), 24);
    assert_int_equal(slot_of(63), 31);
    assert_int_equal(slot_of(UINT64_C(1) << 27), 200);
    assert_int_equal(slot_of((UINT64_C(1) << 28) - 1), 207);
    assert_int_equal(slot_of(UINT64_C(1) << 28), 207);
    assert_int_equal(slot_of(UINT64_MAX), 207);
}

static void each_slot_begins_where_the_one_before_ends(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KLOOP_HISTOGRAM_SLOTS; i++) {
        uint64_t floor = kloop_histogram_floor(i);
        uint64_t next = kloop_histogram_floor(i + 1);
        assert_int_equal(slot_of(floor), i);
        assert_int_equal(slot_of(next - 1), i);
        /* No wider than an eighth of its values. */
        assert_true(i < 16 || (next - floor) * 8 <= floor);
    }
    assert_int_equal(kloop_histogram_floor(KLOOP_HISTOGRAM_SLOTS), UINT64_C(1) << 28);
    assert_int_equal(kloop_histogram_floor(1000), UINT64_C(1) << 28);
}

static void none_says_nothing(void **state)
{
    (void)state;
    assert_int_equal(kloop_histogram_count(&h), 0);
    assert_int_equal(kloop_histogram_at(&h, 500000), 0);
    assert_int_equal(kloop_histogram_at(&h, 1000000), 0);
}

static void quantiles(void **state)
{
    (void)state;
    for (uint64_t v = 1; v <= 1000; v++)
        kloop_histogram_add(&h, v * 100, 1);
    assert_int_equal(kloop_histogram_count(&h), 1000);
    assert_int_equal(h.sum, 50050000);
    assert_int_equal(h.max, 100000);
    const uint32_t at[] = {0, 10000, 500000, 900000, 990000, 999000, 1000000};
    const uint64_t exact[] = {100, 1100, 50100, 90100, 99100, 100000, 100000};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        uint64_t is = kloop_histogram_at(&h, at[i]);
        if (is < exact[i] || is * 8 > exact[i] * 9)
            fail_msg("%u: %llu, not about %llu", at[i], (unsigned long long)is,
                     (unsigned long long)exact[i]);
    }
    assert_int_equal(kloop_histogram_at(&h, 1000000), 100000);
}

static void what_is_counted_many_times_at_once(void **state)
{
    (void)state;
    kloop_histogram_add(&h, 5, 999);
    kloop_histogram_add(&h, 900, 1);
    assert_int_equal(h.sum, 5 * 999 + 900);
    assert_int_equal(kloop_histogram_at(&h, 500000), 5);
    assert_int_equal(kloop_histogram_at(&h, 998000), 5);
    assert_int_equal(kloop_histogram_at(&h, 999000), 900);
}

/* Sums of very many must not overflow on the way. */
static void ranks_of_very_many(void **state)
{
    (void)state;
    kloop_histogram_add(&h, 1, UINT64_C(1) << 60);
    kloop_histogram_add(&h, 2, UINT64_C(1) << 60);
    assert_int_equal(kloop_histogram_at(&h, 499999), 1);
    assert_int_equal(kloop_histogram_at(&h, 500001), 2);
}

/* Beyond the last slot only the largest is known. */
static void what_is_too_large(void **state)
{
    (void)state;
    kloop_histogram_add(&h, UINT64_C(1) << 40, 3);
    assert_int_equal(kloop_histogram_at(&h, 500000), UINT64_C(1) << 40);
    kloop_histogram_add(&other, 7, 1);
    kloop_histogram_subtract(&h, &other);
    assert_int_equal(h.max, UINT64_C(1) << 40);
}

static void merged_and_taken_apart(void **state)
{
    (void)state;
    kloop_histogram_add(&h, 10, 4);
    kloop_histogram_add(&h, 50000, 2);
    kloop_histogram_add(&other, 10, 1);
    kloop_histogram_add(&other, 700, 5);
    kloop_histogram before = h;
    kloop_histogram_merge(&h, &other);
    assert_int_equal(kloop_histogram_count(&h), 12);
    assert_int_equal(h.max, 50000);
    assert_int_equal(h.sum, before.sum + other.sum);
    kloop_histogram_subtract(&h, &before);
    assert_memory_equal(h.slots, other.slots, sizeof h.slots);
    assert_int_equal(h.sum, other.sum);
    /* As near as slots tell. */
    assert_true(h.max >= 700 && h.max < 800);
    kloop_histogram_subtract(&h, &other);
    assert_int_equal(kloop_histogram_count(&h), 0);
    assert_int_equal(h.max, 0);
    assert_int_equal(kloop_histogram_at(&h, 990000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(slots_are_as_the_header_says, begin),
        cmocka_unit_test_setup(each_slot_begins_where_the_one_before_ends, begin),
        cmocka_unit_test_setup(none_says_nothing, begin),
        cmocka_unit_test_setup(quantiles, begin),
        cmocka_unit_test_setup(what_is_counted_many_times_at_once, begin),
        cmocka_unit_test_setup(ranks_of_very_many, begin),
        cmocka_unit_test_setup(what_is_too_large, begin),
        cmocka_unit_test_setup(merged_and_taken_apart, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
