/* SPDX-License-Identifier: BSD-2-Clause */
/* The tests' own allocator must be beyond doubt: it fails where told, counts right and sees each
 * breach of the rules. */
#include "base/mem.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void fails_the_nth_call_only(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 2);
    kloop_allocator a = kl_fail_alloc_table(&f);
    void *p = kl_mem_alloc(&a, 10);
    assert_non_null(p);
    assert_null(kl_mem_resize(&a, p, 10, 20));
    assert_int_equal(f.live_bytes, 10); /* the block is as it was */
    p = kl_mem_resize(&a, p, 10, 20);
    assert_non_null(p);
    assert_int_equal(f.calls, 3);
    assert_int_equal(f.refused, 1);
    kl_mem_release(&a, p, 20);
    kl_fail_alloc_check(&f);
}

static void fails_all_after_when_told(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 2);
    f.all_after = true;
    kloop_allocator a = kl_fail_alloc_table(&f);
    void *p = kl_mem_alloc(&a, 10);
    assert_non_null(p);
    assert_null(kl_mem_alloc(&a, 1));
    assert_null(kl_mem_alloc(&a, 1));
    assert_null(kl_mem_resize(&a, NULL, 0, 1));
    assert_int_equal(f.refused, 3);
    kl_mem_release(&a, p, 10);
    kl_fail_alloc_check(&f);
}

static void counts_bytes_and_blocks(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator a = kl_fail_alloc_table(&f);
    uint8_t *p = kl_mem_resize(&a, NULL, 0, 4);
    memcpy(p, "abcd", 4);
    void *q = kl_mem_alloc(&a, 100);
    assert_int_equal(f.live_bytes, 104);
    assert_int_equal(f.live_blocks, 2);
    uint8_t *moved = kl_mem_resize(&a, p, 4, 6);
    assert_ptr_not_equal(p, moved);
    assert_memory_equal(moved, "abcd", 4);
    assert_int_equal(f.live_bytes, 106);
    assert_int_equal(f.peak_bytes, 106);
    moved = kl_mem_resize(&a, moved, 6, 2);
    assert_memory_equal(moved, "ab", 2);
    kl_mem_release(&a, q, 100);
    assert_int_equal(f.live_bytes, 2);
    assert_int_equal(f.live_blocks, 1);
    assert_int_equal(f.peak_bytes, 106);
    assert_int_equal(f.largest_bytes, 100);
    kl_mem_release(&a, moved, 2);
    kl_fail_alloc_check(&f);
}

static void knows_many_blocks_in_any_order(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static void *blocks[COUNT];
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator a = kl_fail_alloc_table(&f);
    for (size_t i = 0; i < COUNT; i++)
        blocks[i] = kl_mem_alloc(&a, i + 1);
    /* 1777 and COUNT share no divisor, so that this walks over all of them, criss-cross. */
    for (size_t i = 0, k = 0; i < COUNT; i++, k = (k + 1777) % COUNT) {
        blocks[k] = kl_mem_resize(&a, blocks[k], k + 1, k + 2);
        assert_non_null(blocks[k]);
    }
    assert_int_equal(f.live_blocks, COUNT);
    for (size_t i = 0, k = 7; i < COUNT; i++, k = (k + 3331) % COUNT)
        kl_mem_release(&a, blocks[k], k + 2);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.live_bytes, 0);
    kl_fail_alloc_check(&f);
}

/* Clears what was found, so that the check at the end judges the rest only. */
static void expect_breach(kl_fail_alloc *f, const char *words)
{
    if (!strstr(f->fault, words))
        fail_msg("\"%s\" does not say \"%s\"", f->fault, words);
    f->fault[0] = '\0';
}

static void sees_each_breach(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator a = kl_fail_alloc_table(&f);
    int elsewhere = 0;
    kl_mem_release(&a, &elsewhere, sizeof(elsewhere));
    expect_breach(&f, "release of a block that is not alive");
    a.release(a.ctx, NULL, 0);
    expect_breach(&f, "release of a block that is not alive");
    assert_null(kl_mem_resize(&a, &elsewhere, sizeof(elsewhere), 8));
    expect_breach(&f, "resize of a block that is not alive");

    void *p = kl_mem_alloc(&a, 10);
    p = kl_mem_resize(&a, p, 9, 20);
    expect_breach(&f, "wrong old size");
    kl_mem_release(&a, p, 10);
    expect_breach(&f, "release with a wrong size");
    assert_int_equal(f.live_bytes, 0);

    p = kl_mem_resize(&a, NULL, 5, 6);
    expect_breach(&f, "wrong old size");
    p = kl_mem_resize(&a, p, 6, 0);
    expect_breach(&f, "resize to 0");
    kl_mem_release(&a, p, 0);
    p = kl_mem_alloc(&a, 0);
    expect_breach(&f, "allocation of 0");
    kl_mem_release(&a, p, 0);
    kl_fail_alloc_check(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fails_the_nth_call_only), cmocka_unit_test(fails_all_after_when_told),
        cmocka_unit_test(counts_bytes_and_blocks), cmocka_unit_test(knows_many_blocks_in_any_order),
        cmocka_unit_test(sees_each_breach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
