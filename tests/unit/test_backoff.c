/* SPDX-License-Identifier: BSD-2-Clause */
/* How long to wait: doubling, the limit, the factor, and numbers at the end of what fits. */
#include "core/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

static kl_prng seeded(uint64_t seed)
{
    kl_prng p;
    kl_prng_init(&p, seed);
    return p;
}

static void doubles_up_to_the_limit(void **state)
{
    (void)state;
    static const uint64_t terms[] = {100, 200, 400, 800, 1000, 1000, 1000};
    for (uint64_t seed = 0; seed < 1000; seed++) {
        kl_prng p = seeded(seed);
        for (uint32_t n = 0; n < 7; n++) {
            kl_prng twin = p;
            uint64_t factor = (uint64_t)kl_prng_between(&twin, 800, 1200);
            uint64_t want = terms[n] * MS / 1000 * factor;
            if (want > 1000 * MS)
                want = 1000 * MS;
            assert_int_equal(kl_backoff(100 * MS, 1000 * MS, n, &p), want);
            assert_memory_equal(&p, &twin, sizeof p); /* one number a time */
        }
    }
}

/* The lowest and the highest factor both come, at the limit the highest is cut off. */
static void the_whole_range_is_used(void **state)
{
    (void)state;
    static const struct {
        uint32_t n;
        uint64_t lowest, highest;
    } cases[] = {
        {0, 80 * MS, 120 * MS},
        {3, 640 * MS, 960 * MS},
        {4, 800 * MS, 1000 * MS},
        {63, 800 * MS, 1000 * MS},
        {64, 800 * MS, 1000 * MS},
        {1000, 800 * MS, 1000 * MS},
        {UINT32_MAX, 800 * MS, 1000 * MS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_prng p = seeded(i);
        uint64_t lowest = UINT64_MAX, highest = 0;
        for (int round = 0; round < 10000; round++) {
            uint64_t wait = kl_backoff(100 * MS, 1000 * MS, cases[i].n, &p);
            lowest = wait < lowest ? wait : lowest;
            highest = wait > highest ? wait : highest;
        }
        assert_int_equal(lowest, cases[i].lowest);
        assert_int_equal(highest, cases[i].highest);
    }
}

static void constant_where_the_limit_is_not_above_the_start(void **state)
{
    (void)state;
    static const uint64_t pairs[][2] = {
        {100, 100}, {100, 99}, {100, 0}, {0, 0}, {UINT64_MAX, UINT64_MAX}, {UINT64_MAX, 5},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        for (uint32_t n = 0; n < 70; n++) {
            kl_prng p = seeded(n);
            kl_prng before = p;
            assert_int_equal(kl_backoff(pairs[i][0], pairs[i][1], n, &p), pairs[i][1]);
            assert_memory_equal(&p, &before, sizeof p);
        }
}

static void no_wait_stays_no_wait(void **state)
{
    (void)state;
    kl_prng p = seeded(1);
    for (uint32_t n = 0; n < 100; n++)
        assert_int_equal(kl_backoff(0, 1000 * MS, n, &p), 0);
}

static void spans_below_a_thousandth(void **state)
{
    (void)state;
    kl_prng p = seeded(2);
    for (int i = 0; i < 1000; i++) {
        kl_prng twin = p;
        uint64_t factor = (uint64_t)kl_prng_between(&twin, 800, 1200);
        assert_int_equal(kl_backoff(7, 1000, 1, &p), 14 * factor / 1000);
    }
}

/* Sums and products that do not fit must not come round as short waits. */
static void saturates(void **state)
{
    (void)state;
    /* Around the span whose product with the highest factor fits just so. */
    uint64_t edge = UINT64_MAX / 1200 * 1000;
    static const uint32_t attempts[] = {0, 1, 2, 10, 62, 63, 64, UINT32_MAX};
    for (int64_t off = -2000; off <= 2000; off += 125) {
        uint64_t initial = edge + (uint64_t)off;
        for (size_t n = 0; n < sizeof attempts / sizeof attempts[0]; n++) {
            kl_prng p = seeded((uint64_t)n);
            for (int round = 0; round < 2000; round++) {
                uint64_t wait = kl_backoff(initial, UINT64_MAX, attempts[n], &p);
                assert_true(wait >= initial / 1000 * 800);
            }
        }
    }
    kl_prng p = seeded(3);
    for (uint32_t n = 0; n < 70; n++) {
        uint64_t wait = kl_backoff(UINT64_MAX - 1, UINT64_MAX, n, &p);
        assert_true(wait >= UINT64_MAX / 1000 * 800);
        wait = kl_backoff(1, UINT64_MAX, n, &p);
        assert_true(wait >= (n < 63 ? (UINT64_C(1) << n) / 1000 * 800 : UINT64_MAX / 1000 * 400));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_the_limit),
        cmocka_unit_test(the_whole_range_is_used),
        cmocka_unit_test(constant_where_the_limit_is_not_above_the_start),
        cmocka_unit_test(no_wait_stays_no_wait),
        cmocka_unit_test(spans_below_a_thousandth),
        cmocka_unit_test(saturates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
