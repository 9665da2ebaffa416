/* SPDX-License-Identifier: BSD-2-Clause */
/* Secrets: forgotten before their memory is given back, and compared to the end. */
#include "base/wipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint8_t seen[32];

static void *take(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    return seen;
}

static void give(void *ctx, void *p, size_t size)
{
    assert_ptr_equal(p, seen);
    assert_int_equal(size, 20);
    for (size_t i = 0; i < sizeof seen; i++)
        assert_int_equal(seen[i], i < size ? 0 : 0xee);
    ++*(int *)ctx;
}

static void wiped_before_it_is_given_back(void **state)
{
    (void)state;
    int given = 0;
    kloop_allocator alloc = {take, NULL, give, &given};
    void *p = kl_mem_alloc(&alloc, 20);
    memset(seen, 0xee, sizeof seen);
    kl_wipe_release(&alloc, p, 20);
    assert_int_equal(given, 1);
    kl_wipe_release(&alloc, NULL, 20);
    assert_int_equal(given, 1);
}

static void equal_or_not(void **state)
{
    (void)state;
    uint8_t a[67], b[67];
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = (uint8_t)(i * 37);
    for (size_t n = 0; n <= sizeof a; n++)
        assert_true(kl_wipe_equal(a, b, n));
    for (size_t i = 0; i < sizeof a; i++) {
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            b[i] ^= (uint8_t)bit;
            assert_false(kl_wipe_equal(a, b, sizeof a));
            assert_true(kl_wipe_equal(a, b, i));
            b[i] ^= (uint8_t)bit;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wiped_before_it_is_given_back),
        cmocka_unit_test(equal_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
