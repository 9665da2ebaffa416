/* SPDX-License-Identifier: BSD-2-Clause */
/* Percentiles against the sorted values themselves. */
#include "base/prng.h"
#include "cli/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint32_t parts[] = {0, 1, 1000, 500000, 950000, 990000, 999000, 999999};

static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void empty(void **state)
{
    (void)state;
    kl_histogram h = {0};
    assert_int_equal(kl_histogram_at(&h, 0), 0);
    assert_int_equal(kl_histogram_at(&h, 1000000), 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    kl_histogram h = {0};
    for (uint64_t v = 0; v < 256; v++)
        kl_histogram_add(&h, v, 1);
    for (uint32_t v = 0; v < 256; v++)
        assert_int_equal(kl_histogram_at(&h, (v * 1000000 + 255) / 256), v);
    assert_int_equal(h.count, 256);
    assert_int_equal(h.sum, 255 * 128);
    assert_int_equal(h.max, 255);
}

static void one_value_is_every_percentile(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 255, 256, 257, 1000003, UINT64_C(1) << 40, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        kl_histogram h = {0};
        kl_histogram_add(&h, values[i], 7);
        uint64_t seen = kl_histogram_at(&h, 500000);
        if (values[i] >> KL_HISTOGRAM_TOP_BITS)
            assert_int_equal(seen, (UINT64_C(1) << KL_HISTOGRAM_TOP_BITS) - 1);
        else
            assert_int_equal(seen, values[i]);
        assert_int_equal(kl_histogram_at(&h, 1000000), values[i]);
        assert_int_equal(h.count, 7);
    }
}

static void as_the_sorted_values_say(void **state)
{
    (void)state;
    enum { N = 20000 };
    static uint64_t values[N];
    kl_prng prng;
    for (uint64_t seed = 0; seed < 20; seed++) {
        kl_histogram h = {0};
        kl_prng_init(&prng, seed);
        for (size_t i = 0; i < N; i++) {
            values[i] = kl_prng_next(&prng) >> (24 + kl_prng_below(&prng, 40));
            kl_histogram_add(&h, values[i], 1);
        }
        qsort(values, N, sizeof values[0], rising);
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            uint64_t exact = values[(uint64_t)parts[i] * N / 1000000];
            uint64_t seen = kl_histogram_at(&h, parts[i]);
            assert_true(seen >= exact);
            assert_true(seen - exact <= exact / 127);
        }
        assert_int_equal(h.max, values[N - 1]);
    }
}

static void many_at_once_are_as_many_one_by_one(void **state)
{
    (void)state;
    kl_histogram one = {0}, all = {0};
    for (int i = 0; i < 1000; i++)
        kl_histogram_add(&one, 5000, 1);
    kl_histogram_add(&all, 5000, 1000);
    assert_memory_equal(&one, &all, sizeof one);
}

/* What was seen since an earlier state, as if that had been counted by itself. */
static void since_an_earlier_state(void **state)
{
    (void)state;
    kl_histogram h = {0}, later = {0};
    kl_prng prng;
    kl_prng_init(&prng, 1);
    for (int i = 0; i < 1000; i++)
        kl_histogram_add(&h, kl_prng_below(&prng, 100000), 1);
    kl_histogram earlier = h;
    assert_int_equal(kl_histogram_at_since(&h, &earlier, 500000), 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t value = 5000 + kl_prng_below(&prng, 20000);
        kl_histogram_add(&h, value, 1);
        kl_histogram_add(&later, value, 1);
    }
    for (uint32_t part = 0; part < 1000000; part += 9999) {
        uint64_t alone = kl_histogram_at(&later, part);
        /* max of the later part alone is not known. */
        assert_in_range(kl_histogram_at_since(&h, &earlier, part), alone, alone + alone / 127 + 1);
    }
}

static void up_to_a_value(void **state)
{
    (void)state;
    kl_histogram h = {0};
    for (uint64_t v = 1; v <= 100; v++)
        kl_histogram_add(&h, v, 2);
    kl_histogram_add(&h, 100000, 3);
    assert_int_equal(kl_histogram_up_to(&h, 0), 0);
    assert_int_equal(kl_histogram_up_to(&h, 1), 2);
    assert_int_equal(kl_histogram_up_to(&h, 100), 200);
    assert_int_equal(kl_histogram_up_to(&h, 99000), 200);
    assert_int_equal(kl_histogram_up_to(&h, 100000), 203);
    assert_int_equal(kl_histogram_up_to(&h, UINT64_MAX), 203);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(one_value_is_every_percentile),
        cmocka_unit_test(as_the_sorted_values_say),
        cmocka_unit_test(many_at_once_are_as_many_one_by_one),
        cmocka_unit_test(since_an_earlier_state),
        cmocka_unit_test(up_to_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
