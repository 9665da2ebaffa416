/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers: the sequences that are promised, borders, evenness, forks. */
#include "base/prng.h"
#include "tests/support/asserted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* From the authors' description of the generator, state 1, 2, 3, 4. */
static void the_generator_is_the_known_one(void **state)
{
    (void)state;
    kl_prng p = {{1, 2, 3, 4}};
    assert_true(kl_prng_next(&p) == 11520);
    assert_true(kl_prng_next(&p) == 0);
    assert_true(kl_prng_next(&p) == 1509978240);
    assert_true(kl_prng_next(&p) == UINT64_C(1215971899390074240));
}

/* splitmix64 from 0. */
static void the_seed_fills_the_whole_state(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 0);
    assert_true(p.s[0] == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(p.s[1] == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(p.s[2] == UINT64_C(0x06c45d188009454f));
    assert_true(p.s[3] == UINT64_C(0xf88bb8a8724c81ec));
}

/* Recorded runs depend on how each function uses the numbers. */
static void sequences_stay_as_they_are(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 42);
    assert_true(kl_prng_next(&p) == UINT64_C(0x15780b2e0c2ec716));
    assert_true(kl_prng_below(&p, 1000) == 102);
    assert_true(kl_prng_between(&p, -1000, 1000) == 592);
    kl_prng child = kl_prng_fork(&p);
    assert_true(kl_prng_next(&child) == UINT64_C(0x2a5a28083cf1c6e8));
    assert_true(kl_prng_chance(&p, 317477));
    assert_true(kl_prng_next(&p) == UINT64_C(0xc50da53101795238));
}

static void numbers_stay_within_their_borders(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 1);
    static const uint64_t ns[] = {1,       2,          3,          10,
                                  1 << 20, UINT32_MAX, UINT64_MAX, (UINT64_C(1) << 63) + 1};
    for (size_t i = 0; i < sizeof ns / sizeof ns[0]; i++) {
        for (int k = 0; k < 1000; k++)
            assert_true(kl_prng_below(&p, ns[i]) < ns[i]);
    }
    static const int64_t borders[][2] = {
        {0, 0},          {-1, 1},         {INT64_MIN, INT64_MIN},     {INT64_MAX, INT64_MAX},
        {INT64_MIN, -1}, {-5, INT64_MAX}, {INT64_MIN + 1, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof borders / sizeof borders[0]; i++) {
        for (int k = 0; k < 1000; k++) {
            int64_t number = kl_prng_between(&p, borders[i][0], borders[i][1]);
            assert_true(borders[i][0] <= number && number <= borders[i][1]);
        }
    }
}

static void all_of_a_range_comes(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 2);
    unsigned seen = 0;
    for (int k = 0; k < 1000; k++)
        seen |= 1u << (kl_prng_between(&p, -3, 4) + 3);
    assert_int_equal(seen, 0xff);
    /* The range of all numbers, where the span does not fit 64 bits. */
    int negative = 0;
    for (int k = 0; k < 1000; k++)
        negative += kl_prng_between(&p, INT64_MIN, INT64_MAX) < 0;
    assert_in_range(negative, 400, 600);
}

/*
 * 3/4 of 2^64: without rejection, the lower third of the range would come twice as often as each of
 * the others, half of all draws.
 */
static void a_large_range_is_not_biased(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 3);
    const uint64_t n = UINT64_C(3) << 62;
    int thirds[3] = {0};
    for (int k = 0; k < 30000; k++)
        thirds[kl_prng_below(&p, n) >> 62]++;
    for (int i = 0; i < 3; i++)
        assert_in_range(thirds[i], 9500, 10500);
}

static void small_ranges_are_even(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 4);
    int counts[10] = {0};
    for (int k = 0; k < 100000; k++)
        counts[kl_prng_below(&p, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 9500, 10500);
}

static void chances_are_what_they_say(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 5);
    int hits = 0;
    for (int k = 0; k < 100000; k++) {
        assert_false(kl_prng_chance(&p, 0));
        assert_true(kl_prng_chance(&p, 1000000));
        assert_true(kl_prng_chance(&p, UINT32_MAX));
        hits += kl_prng_chance(&p, 100000);
    }
    assert_in_range(hits, 9500, 10500);
}

/* A run that differs in a chance only sees the same numbers otherwise. */
static void a_chance_draws_whatever_it_is(void **state)
{
    (void)state;
    kl_prng a, b;
    kl_prng_init(&a, 6);
    kl_prng_init(&b, 6);
    for (int k = 0; k < 100; k++) {
        (void)kl_prng_chance(&a, 0);
        (void)kl_prng_chance(&b, 2000000);
        assert_true(kl_prng_next(&a) == kl_prng_next(&b));
    }
}

static void a_fork_goes_its_own_way(void **state)
{
    (void)state;
    kl_prng a, b;
    kl_prng_init(&a, 7);
    b = a;
    kl_prng first = kl_prng_fork(&a);
    kl_prng second = kl_prng_fork(&a);
    (void)kl_prng_fork(&b);
    (void)kl_prng_fork(&b);
    for (int k = 0; k < 1000; k++) {
        uint64_t x = kl_prng_next(&first), y = kl_prng_next(&second), z = kl_prng_next(&a);
        assert_true(x != y && x != z && y != z);
        /* Drawn from or not, a fork leaves its parent alone. */
        assert_true(z == kl_prng_next(&b));
    }
}

static void below_zero(void *ctx)
{
    (void)kl_prng_below(ctx, 0);
}

static void between_borders_that_cross(void *ctx)
{
    (void)kl_prng_between(ctx, 1, 0);
}

static void misuse_is_asserted(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 8);
    assert_true(kl_asserted(below_zero, &p));
    assert_true(kl_asserted(between_borders_that_cross, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_the_known_one),
        cmocka_unit_test(the_seed_fills_the_whole_state),
        cmocka_unit_test(sequences_stay_as_they_are),
        cmocka_unit_test(numbers_stay_within_their_borders),
        cmocka_unit_test(all_of_a_range_comes),
        cmocka_unit_test(a_large_range_is_not_biased),
        cmocka_unit_test(small_ranges_are_even),
        cmocka_unit_test(chances_are_what_they_say),
        cmocka_unit_test(a_chance_draws_whatever_it_is),
        cmocka_unit_test(a_fork_goes_its_own_way),
        cmocka_unit_test(misuse_is_asserted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
