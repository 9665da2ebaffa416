/* SPDX-License-Identifier: BSD-2-Clause */
/* The growable buffer: growth, the limit as a promise about memory, sticky failure, and what each
 * call leaves behind. */
#include "base/buf.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void appends_bytes_in_order(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf b;
    kl_buf_init(&b, &alloc);
    assert_int_equal(f.calls, 0);
    assert_true(kl_buf_append(&b, "ab", 2));
    assert_true(kl_buf_append(&b, NULL, 0));
    assert_true(kl_buf_append_byte(&b, 'c'));
    assert_true(kl_buf_append_str(&b, "def"));
    assert_true(kl_buf_append_str(&b, ""));
    assert_true(kl_buf_append(&b, "---", 3));
    assert_int_equal(b.len, 9);
    assert_memory_equal(b.data, "abcdef---", 9);
    kloop_slice s = kl_buf_slice(&b);
    assert_ptr_equal(s.data, b.data);
    assert_int_equal(s.len, 9);
    kloop_string t = kl_buf_string(&b);
    assert_ptr_equal(t.data, b.data);
    assert_int_equal(t.len, 9);
    kl_buf_truncate(&b, 2);
    assert_true(kl_buf_append_byte(&b, 'z'));
    assert_memory_equal(b.data, "abz", 3);
    assert_int_equal(f.calls, 1);
    kl_buf_deinit(&b);
    kl_fail_alloc_check(&f);
}

static void grows_by_doubling(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf b;
    kl_buf_init(&b, &alloc);
    for (unsigned i = 0; i < 1000000; i++)
        assert_true(kl_buf_append_byte(&b, (uint8_t)(i * 7)));
    assert_true(f.calls <= 20);
    assert_true(b.cap < 2 * b.len + 64);
    for (unsigned i = 0; i < 1000000; i++)
        if (b.data[i] != (uint8_t)(i * 7))
            fail_msg("byte %u", i);
    kl_buf_reset(&b);
    assert_int_equal(b.len, 0);
    size_t calls = f.calls;
    assert_non_null(kl_buf_reserve(&b, 1000000, NULL));
    assert_int_equal(f.calls, calls); /* reset keeps the memory */
    kl_buf_deinit(&b);
    kl_fail_alloc_check(&f);
}

static void an_empty_buffer_is_not_null(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf b;
    kl_buf_init(&b, &alloc);
    assert_non_null(kl_buf_slice(&b).data);
    assert_int_equal(kl_buf_slice(&b).len, 0);
    assert_non_null(kl_buf_string(&b).data);
    assert_int_equal(kl_buf_string(&b).len, 0);
    kl_buf_deinit(&b);
    kl_buf_deinit(&b);
    kl_fail_alloc_check(&f);
    assert_int_equal(f.calls, 0);
}

static void reserve_tells_the_room(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf b;
    kl_buf_init(&b, &alloc);
    size_t room = 99;
    assert_non_null(kl_buf_reserve(&b, 0, &room));
    assert_int_equal(room, 0);
    uint8_t *p = kl_buf_reserve(&b, 10, &room);
    assert_non_null(p);
    assert_true(room >= 10);
    assert_int_equal(room, b.cap);
    assert_int_equal(b.len, 0);
    memset(p, 'x', room);
    kl_buf_commit(&b, room);
    assert_int_equal(b.len, b.cap);
    p = kl_buf_reserve(&b, 0, &room);
    assert_ptr_equal(p, b.data + b.len);
    assert_int_equal(room, 0);
    kl_buf_commit(&b, 0);
    p = kl_buf_reserve(&b, 1, &room);
    assert_ptr_equal(p, b.data + b.len);
    assert_int_equal(room, b.cap - b.len);
    /* A second reserve without a commit between points to the same place. */
    assert_ptr_equal(kl_buf_reserve(&b, 1, NULL), p);
    kl_buf_deinit(&b);
    kl_fail_alloc_check(&f);
}

static void the_limit_bounds_length_and_memory(void **state)
{
    (void)state;
    for (size_t limit = 0; limit <= 300; limit++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_buf b;
        kl_buf_init(&b, &alloc);
        kl_buf_set_limit(&b, limit);
        size_t n = 0;
        while (kl_buf_append_byte(&b, 'x'))
            n++;
        assert_int_equal(n, limit);
        assert_int_equal(b.len, limit);
        assert_true(b.failed);
        assert_true(b.over_limit);
        assert_true(f.peak_bytes <= limit);
        kl_buf_deinit(&b);
        kl_fail_alloc_check(&f);
    }
}

static void over_the_limit_adds_nothing_and_stays(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf b;
    kl_buf_init(&b, &alloc);
    kl_buf_set_limit(&b, 5);
    assert_true(kl_buf_append(&b, "abc", 3));
    assert_false(kl_buf_append(&b, "def", 3));
    assert_true(b.failed && b.over_limit);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "abc", 3);
    /* These would fit, but something is missing before them. */
    assert_false(kl_buf_append(&b, "d", 1));
    assert_false(kl_buf_append_byte(&b, 'd'));
    assert_false(kl_buf_append_str(&b, "d"));
    assert_false(kl_buf_append(&b, NULL, 0));
    assert_null(kl_buf_reserve(&b, 0, NULL));
    kl_buf_truncate(&b, 1);
    assert_true(b.failed);
    kl_buf_reset(&b);
    assert_false(b.failed || b.over_limit);
    assert_true(kl_buf_append(&b, "abcde", 5));
    assert_non_null(kl_buf_reserve(&b, 0, NULL));
    assert_null(kl_buf_reserve(&b, SIZE_MAX, NULL));
    assert_true(b.over_limit);
    kl_buf_deinit(&b);
    kl_fail_alloc_check(&f);
}

static void the_limit_may_move(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf b;
    kl_buf_init(&b, &alloc);
    assert_true(kl_buf_append(&b, "0123456789", 10));
    assert_true(b.cap >= 20);
    kl_buf_set_limit(&b, 12);
    size_t room;
    assert_non_null(kl_buf_reserve(&b, 1, &room));
    assert_int_equal(room, 2); /* allocated is more, allowed is not */
    assert_true(kl_buf_append_byte(&b, 'a'));
    assert_true(kl_buf_append_byte(&b, 'b'));
    assert_non_null(kl_buf_reserve(&b, 0, &room));
    assert_int_equal(room, 0);
    assert_false(kl_buf_append_byte(&b, 'c'));
    kl_buf_reset(&b);
    assert_true(kl_buf_append(&b, "0123456789", 10));
    kl_buf_set_limit(&b, 4);
    assert_non_null(kl_buf_reserve(&b, 0, &room));
    assert_int_equal(room, 0);
    assert_int_equal(b.len, 10);
    assert_false(kl_buf_append_byte(&b, 'c'));
    assert_true(b.over_limit);
    assert_memory_equal(b.data, "0123456789", 10);
    kl_buf_deinit(&b);
    kl_fail_alloc_check(&f);
}

static void reserve_some_takes_what_the_limit_leaves(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf b;
    kl_buf_init(&b, &alloc);
    kl_buf_set_limit(&b, 10000);
    size_t total = 0;
    for (;;) {
        size_t room = 0;
        uint8_t *p = kl_buf_reserve_some(&b, 4096, &room);
        if (!p)
            break;
        assert_true(room > 0);
        memset(p, 'y', room);
        kl_buf_commit(&b, room);
        total += room;
    }
    assert_int_equal(total, 10000);
    assert_int_equal(b.len, 10000);
    assert_int_equal(f.peak_bytes, 10000);
    assert_true(b.failed && b.over_limit);
    kl_buf_reset(&b);
    size_t room = 0;
    assert_non_null(kl_buf_reserve_some(&b, SIZE_MAX, &room)); /* a size that a sender claims */
    assert_int_equal(room, 10000);
    kl_buf_deinit(&b);

    kl_buf_init(&b, &alloc);
    kl_buf_set_limit(&b, 0);
    assert_null(kl_buf_reserve_some(&b, 1, &room));
    assert_true(b.over_limit);
    kl_buf_deinit(&b);
    kl_fail_alloc_check(&f);
}

static void no_memory_is_not_over_the_limit(void **state)
{
    (void)state;
    for (size_t nth = 1; nth <= 4; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_buf b;
        kl_buf_init(&b, &alloc);
        kl_buf_set_limit(&b, 1000000);
        size_t n = 0;
        while (n < 100000 && kl_buf_append(&b, "abcd", 4))
            n += 4;
        assert_int_equal(b.len, n);
        assert_true(n < 100000);
        assert_true(b.failed);
        assert_false(b.over_limit);
        assert_int_equal(f.refused, 1);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(b.data[i], "abcd"[i % 4]);
        assert_false(kl_buf_append(&b, "x", 1));
        assert_int_equal(f.calls, nth); /* a failed buffer does not try again */
        kl_buf_reset(&b);
        assert_non_null(kl_buf_reserve(&b, 100000, NULL));
        kl_buf_deinit(&b);
        kl_fail_alloc_check(&f);
    }
}

static void sizes_beyond_any_object_are_no_memory(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf b;
    kl_buf_init(&b, &alloc);
    assert_true(kl_buf_append(&b, "abc", 3));
    assert_null(kl_buf_reserve(&b, SIZE_MAX, NULL));
    assert_true(b.failed);
    kl_buf_reset(&b);
    assert_true(kl_buf_append(&b, "abc", 3));
    assert_null(kl_buf_reserve(&b, (size_t)PTRDIFF_MAX - 2, NULL));
    assert_true(b.failed);
    assert_false(b.over_limit);
    assert_int_equal(f.calls, 1); /* the allocator was not even asked */
    kl_buf_deinit(&b);
    kl_fail_alloc_check(&f);
}

static void deinit_leaves_a_usable_buffer(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf b;
    kl_buf_init(&b, &alloc);
    kl_buf_set_limit(&b, 2);
    assert_false(kl_buf_append(&b, "abc", 3));
    kl_buf_deinit(&b);
    assert_true(kl_buf_append(&b, "abc", 3));
    assert_int_equal(b.limit, KL_BUF_NO_LIMIT);
    kl_buf_deinit(&b);
    kl_fail_alloc_check(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_bytes_in_order),
        cmocka_unit_test(grows_by_doubling),
        cmocka_unit_test(an_empty_buffer_is_not_null),
        cmocka_unit_test(reserve_tells_the_room),
        cmocka_unit_test(the_limit_bounds_length_and_memory),
        cmocka_unit_test(over_the_limit_adds_nothing_and_stays),
        cmocka_unit_test(the_limit_may_move),
        cmocka_unit_test(reserve_some_takes_what_the_limit_leaves),
        cmocka_unit_test(no_memory_is_not_over_the_limit),
        cmocka_unit_test(sizes_beyond_any_object_are_no_memory),
        cmocka_unit_test(deinit_leaves_a_usable_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
