/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of queue lengths, against a table that is looked through. */
#include "core/sticky_tree.h"

#include "base/mem.h"
#include "base/prng.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_MAX 300

typedef struct table {
    bool present[COUNT_MAX];
    uint32_t waiting[COUNT_MAX];
} table;

static uint32_t most_of(const table *t, uint32_t count)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < count; i++)
        if (t->present[i] && t->waiting[i] > most)
            most = t->waiting[i];
    return most;
}

static uint64_t weight_of(const table *t, uint32_t count, uint32_t i)
{
    return t->present[i] ? most_of(t, count) + 1 - t->waiting[i] : 0;
}

/* By the table of sums that Kafka's producer makes. */
static uint32_t by_table(const table *t, uint32_t count, uint64_t at, bool by_weight)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += by_weight ? weight_of(t, count, i) : t->present[i];
        if (at < sum)
            return i;
    }
    return count;
}

static void expect_as_table(const kl_sticky_tree *tree, const table *t, uint32_t count,
                            uint64_t seed)
{
    uint32_t present = 0;
    for (uint32_t i = 0; i < count; i++) {
        kl_sticky_sums sums = kl_sticky_tree_get(tree, i);
        assert_int_equal(sums.present, t->present[i]);
        assert_int_equal(sums.waiting, t->present[i] ? t->waiting[i] : 0);
        if (t->present[i])
            assert_int_equal(kl_sticky_tree_at(tree, present++, false), i);
    }
    assert_int_equal(tree->all.present, present);
    assert_int_equal(tree->most, most_of(t, count));
    if (present == 0)
        return;
    kl_prng prng;
    kl_prng_init(&prng, seed);
    for (int n = 0; n < 8; n++) {
        bool by_weight = n % 2;
        uint64_t sum = kl_sticky_tree_sum(tree, by_weight);
        uint64_t at = n < 2 ? sum - 1 : kl_prng_below(&prng, sum);
        assert_int_equal(kl_sticky_tree_at(tree, at, by_weight), by_table(t, count, at, by_weight));
    }
}

static void fill(kl_sticky_tree *tree, const table *t, uint32_t count)
{
    kl_sticky_tree_begin(tree);
    for (uint32_t i = 0; i < count; i++)
        assert_true(kl_sticky_tree_append(tree, t->present[i], t->waiting[i]));
}

/* Each number of partitions has another shape of tree. */
static void any_change_in_any_shape(void **state)
{
    (void)state;
    kl_prng prng;
    kl_prng_init(&prng, 6);
    for (uint32_t count = 1; count < 70; count++) {
        table t = {0};
        kl_sticky_tree tree;
        assert_true(kl_sticky_tree_init(&tree, &kl_mem_libc, count));
        for (uint32_t i = 0; i < count; i++) {
            t.present[i] = kl_prng_below(&prng, 4) != 0;
            t.waiting[i] = (uint32_t)kl_prng_below(&prng, 20);
        }
        fill(&tree, &t, count);
        expect_as_table(&tree, &t, count, count);
        for (uint64_t change = 0; change < 60; change++) {
            uint32_t i = (uint32_t)kl_prng_below(&prng, count);
            t.present[i] = kl_prng_below(&prng, 3) != 0;
            t.waiting[i] = (uint32_t)kl_prng_below(&prng, change % 10 ? 5 : 1000);
            assert_true(kl_sticky_tree_set(&tree, i, t.present[i], t.waiting[i]));
            expect_as_table(&tree, &t, count, change);
        }
        fill(&tree, &t, count);
        expect_as_table(&tree, &t, count, count);
        kl_sticky_tree_deinit(&tree);
    }
}

static uint32_t draw(const kl_sticky_tree *tree, kl_prng *prng, bool by_weight)
{
    return kl_sticky_tree_at(tree, kl_prng_below(prng, kl_sticky_tree_sum(tree, by_weight)),
                             by_weight);
}

/* The example of KIP-794: queues of 0, 3 and 1 have the weights 4, 1 and 3. */
static void weights_are_kafkas(void **state)
{
    (void)state;
    const table t = {{true, true, true}, {0, 3, 1}};
    kl_sticky_tree tree;
    kl_prng prng;
    assert_true(kl_sticky_tree_init(&tree, &kl_mem_libc, 3));
    fill(&tree, &t, 3);
    kl_prng_init(&prng, 1);
    uint32_t drawn[3] = {0};
    for (int i = 0; i < 80000; i++)
        drawn[draw(&tree, &prng, true)]++;
    /* 40,000, 10,000 and 30,000, give or take four standard deviations. */
    assert_in_range(drawn[0], 39400, 40600);
    assert_in_range(drawn[1], 9600, 10400);
    assert_in_range(drawn[2], 29400, 30600);
    memset(drawn, 0, sizeof drawn);
    for (int i = 0; i < 90000; i++)
        drawn[draw(&tree, &prng, false)]++;
    for (int i = 0; i < 3; i++)
        assert_in_range(drawn[i], 29400, 30600);
    kl_sticky_tree_deinit(&tree);
}

/* A weight has to hold the longest line times all partitions. */
static void sums_beyond_32_bits(void **state)
{
    (void)state;
    const uint32_t count = 100000;
    kl_sticky_tree tree;
    kl_prng prng;
    assert_true(kl_sticky_tree_init(&tree, &kl_mem_libc, count));
    kl_sticky_tree_begin(&tree);
    for (uint32_t i = 0; i < count; i++)
        assert_true(kl_sticky_tree_append(&tree, true, i == 7 ? 1000000 : 0));
    kl_prng_init(&prng, 3);
    uint32_t upper = 0;
    for (int i = 0; i < 1000; i++) {
        uint32_t drawn = draw(&tree, &prng, true);
        assert_int_not_equal(drawn, 7);
        upper += drawn >= count / 2;
    }
    assert_in_range(upper, 430, 570);
    kl_sticky_tree_deinit(&tree);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    kl_fail_alloc fail;
    kl_fail_alloc_init(&fail, 1);
    kloop_allocator alloc = kl_fail_alloc_table(&fail);
    kl_sticky_tree tree;
    assert_false(kl_sticky_tree_init(&tree, &alloc, 10));
    assert_true(kl_sticky_tree_init(&tree, &alloc, 10));
    table t = {0};
    for (uint32_t i = 0; i < 10; i++)
        t.present[i] = true;
    fill(&tree, &t, 10);
    fail.nth = fail.calls + 1;
    assert_false(kl_sticky_tree_set(&tree, 4, true, 1000));
    expect_as_table(&tree, &t, 10, 1);
    assert_true(kl_sticky_tree_set(&tree, 4, true, 1000));
    t.waiting[4] = 1000;
    expect_as_table(&tree, &t, 10, 1);
    kl_sticky_tree_begin(&tree);
    fail.nth = fail.calls + 1;
    assert_false(kl_sticky_tree_append(&tree, true, 100000));
    fill(&tree, &t, 10);
    expect_as_table(&tree, &t, 10, 1);
    kl_sticky_tree_deinit(&tree);
    kl_fail_alloc_check(&fail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_change_in_any_shape),
        cmocka_unit_test(weights_are_kafkas),
        cmocka_unit_test(sums_beyond_32_bits),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
