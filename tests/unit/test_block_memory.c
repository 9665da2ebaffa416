/* SPDX-License-Identifier: BSD-2-Clause */
/* Large blocks from the system: contents survive every change of kind, and what is given back is
 * gone. */
#define _POSIX_C_SOURCE 200809L
#include "driver/block_memory.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SMALL = 1000, LARGE = 1 << 20, LARGER = 3 << 20 };

static void fill(uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(i * 7 + i / 251);
}

static void check(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != (uint8_t)(i * 7 + i / 251))
            fail_msg("byte %zu is another", i);
}

static void contents_survive_resizing(void **state)
{
    (void)state;
    static const size_t sizes[] = {SMALL,
                                   2 * SMALL,
                                   LARGE,
                                   LARGER,
                                   LARGE,
                                   SMALL,
                                   LARGER,
                                   KL_BLOCK_MEMORY_MIN,
                                   KL_BLOCK_MEMORY_MIN - 1};
    const kloop_allocator *a = &kl_block_memory;
    size_t size = 10;
    uint8_t *p = kl_mem_resize(a, NULL, 0, size);
    assert_non_null(p);
    fill(p, size);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        p = kl_mem_resize(a, p, size, sizes[i]);
        assert_non_null(p);
        check(p, size < sizes[i] ? size : sizes[i]);
        size = sizes[i];
        fill(p, size);
    }
    kl_mem_release(a, p, size);
    p = kl_mem_resize(a, NULL, 0, LARGE);
    assert_non_null(p);
    fill(p, LARGE);
    kl_mem_release(a, p, LARGE);
}

static void the_impossible_is_null(void **state)
{
    (void)state;
    assert_null(kl_mem_alloc(&kl_block_memory, SIZE_MAX / 2));
    uint8_t *p = kl_mem_alloc(&kl_block_memory, LARGE);
    assert_non_null(p);
    fill(p, LARGE);
    assert_null(kl_mem_resize(&kl_block_memory, p, LARGE, SIZE_MAX / 2));
    check(p, LARGE);
    kl_mem_release(&kl_block_memory, p, LARGE);
}

#ifdef __linux__
static size_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*u %lu", &pages), 1);
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* With malloc, a small thing behind them kept 64 MB in the process for the rest of its life. */
static void a_burst_leaves_nothing(void **state)
{
    (void)state;
    enum { BLOCKS = 64 };
    const kloop_allocator *a = &kl_block_memory;
    for (int round = 0; round < 3; round++) {
        uint8_t *blocks[BLOCKS];
        size_t before = resident_bytes();
        for (int i = 0; i < BLOCKS; i++) {
            blocks[i] = kl_mem_alloc(a, LARGE);
            assert_non_null(blocks[i]);
            memset(blocks[i], 1, LARGE);
        }
        void *behind = kl_mem_alloc(a, SMALL);
        assert_non_null(behind);
        assert_true(resident_bytes() > before + (BLOCKS / 2) * (size_t)LARGE);
        for (int i = 0; i < BLOCKS; i++)
            kl_mem_release(a, blocks[i], LARGE);
        assert_true(resident_bytes() < before + 4 * (size_t)LARGE);
        kl_mem_release(a, behind, SMALL);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_survive_resizing),
        cmocka_unit_test(the_impossible_is_null),
#ifdef __linux__
        cmocka_unit_test(a_burst_leaves_nothing),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
