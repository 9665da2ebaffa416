/* SPDX-License-Identifier: BSD-2-Clause */
/* What a chain may take from the pool, told before it does: never less than the truth. */
#include "core/budget.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static kl_pool pool;
static kl_fail_alloc memory;
static uint8_t bytes[300000];

static void begin(void)
{
    kl_fail_alloc_init(&memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&memory);
    kl_pool_init(&pool, &alloc, 0);
}

static void end(void)
{
    assert_int_equal(pool.held_bytes, 0);
    kl_pool_deinit(&pool);
    kl_fail_alloc_check(&memory);
}

/* Appends len bytes in pieces of at most piece; answers what that took from the pool. */
static size_t append(kl_chain *chain, size_t len, size_t piece)
{
    size_t before = kl_chain_held_bytes(chain);
    while (len > 0) {
        size_t n = len < piece ? len : piece;
        assert_true(kl_chain_append(chain, bytes, n));
        len -= n;
    }
    return kl_chain_held_bytes(chain) - before;
}

static void check(kl_chain *chain, size_t len, size_t piece)
{
    size_t told = kl_budget_growth_max(chain, len);
    size_t held = kl_chain_len(chain);
    size_t room = kl_chain_room(chain);
    size_t took = append(chain, len, piece);
    if (took > told)
        fail_msg("%zu bytes held, room for %zu: %zu more in pieces of %zu took %zu, told were %zu",
                 held, room, len, piece, took, told);
}

/* The next segment is as large as the chain when it is needed, not as it is now: with 961 bytes
 * held and room for 4,063, ten more than that took a block of 64 KiB where 8,704 bytes were told.
 */
static void every_small_length_is_covered(void **state)
{
    (void)state;
    begin();
    static const size_t pieces[] = {1, 7, 40, 500, 4100, 70000};
    static const size_t more[] = {1, 8, 479, 480, 481, 4064, 4073, 4545, 9000, 66000, 140000};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++)
        for (size_t m = 0; m < sizeof more / sizeof *more; m++)
            for (size_t held = 0; held < 12000; held += 1 + held / 50) {
                kl_chain chain;
                kl_chain_init(&chain, &pool);
                append(&chain, held, pieces[p]);
                check(&chain, more[m], pieces[(p + m) % (sizeof pieces / sizeof *pieces)]);
                kl_chain_clear(&chain);
            }
    end();
}

static void records_of_all_sizes_are_covered(void **state)
{
    (void)state;
    begin();
    kl_prng prng;
    kl_prng_init(&prng, 7);
    for (int round = 0; round < 400; round++) {
        kl_chain chain;
        kl_chain_init(&chain, &pool);
        for (int n = 0; n < 30; n++) {
            static const int64_t most[] = {10, 600, 5000, 70000};
            size_t len = (size_t)kl_prng_between(&prng, 0, most[kl_prng_below(&prng, 4)]);
            check(&chain, len, (size_t)kl_prng_between(&prng, 1, most[kl_prng_below(&prng, 4)]));
        }
        kl_chain_clear(&chain);
    }
    end();
}

static void what_fits_costs_nothing(void **state)
{
    (void)state;
    begin();
    kl_chain chain;
    kl_chain_init(&chain, &pool);
    assert_int_equal(kl_budget_growth_max(&chain, 0), 0);
    append(&chain, 1, 1);
    assert_int_equal(kl_budget_growth_max(&chain, kl_chain_room(&chain)), 0);
    assert_true(kl_budget_growth_max(&chain, kl_chain_room(&chain) + 1) > 0);
    kl_chain_clear(&chain);
    end();
}

/* An upper bound that is far too high would refuse records for no reason. */
static void the_bound_is_not_absurd(void **state)
{
    (void)state;
    begin();
    kl_chain chain;
    kl_chain_init(&chain, &pool);
    assert_true(kl_budget_growth_max(&chain, 100) <= 2 * 512);
    assert_true(kl_budget_growth_max(&chain, 1000000) <= 1000000 + 3 * 65536);
    append(&chain, 200000, 1000);
    assert_true(kl_budget_growth_max(&chain, kl_chain_room(&chain) + 100) <= 65536);
    kl_chain_clear(&chain);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_length_is_covered),
        cmocka_unit_test(records_of_all_sizes_are_covered),
        cmocka_unit_test(what_fits_costs_nothing),
        cmocka_unit_test(the_bound_is_not_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
