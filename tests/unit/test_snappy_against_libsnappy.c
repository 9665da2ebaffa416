/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our raw snappy blocks and those of Google's own library: each reads what the other wrote, both
 * refuse the same blocks, and ours are not larger. Built only where libsnappy is found; kloop
 * itself never needs it.
 */
#include "codecs/snappy_raw.h"

#include "tests/support/snappy_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <snappy-c.h>

#define LEN_MAX (300u * 1024u)

static uint16_t table[KL_SNAPPY_TABLE_SIZE];
static uint8_t *sample, *ours, *theirs, *out;

static int set_up(void **state)
{
    (void)state;
    sample = malloc(LEN_MAX);
    ours = malloc(kl_snappy_bound(LEN_MAX));
    theirs = malloc(snappy_max_compressed_length(LEN_MAX));
    out = malloc(LEN_MAX);
    return sample && ours && theirs && out ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(sample);
    free(ours);
    free(theirs);
    free(out);
    return 0;
}

/* What both made of sample[0..len). */
typedef struct sizes {
    size_t ours;
    size_t theirs;
} sizes;

static sizes check_both_ways(size_t len)
{
    sizes s = {.theirs = snappy_max_compressed_length(len)};
    s.ours = kl_snappy_compress_block(sample, len, ours, table);
    assert_int_equal(snappy_compress((const char *)sample, len, (char *)theirs, &s.theirs),
                     SNAPPY_OK);

    size_t n = LEN_MAX;
    assert_int_equal(snappy_uncompress((const char *)ours, s.ours, (char *)out, &n), SNAPPY_OK);
    assert_int_equal(n, len);
    assert_memory_equal(out, sample, len);

    size_t fault_at;
    memset(out, 0, len);
    assert_int_equal(kl_snappy_decompress_block(theirs, s.theirs, out, len, &n, &fault_at), 0);
    assert_int_equal(n, len);
    assert_memory_equal(out, sample, len);
    return s;
}

static void test_each_reads_the_other(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int kind = 0; kind < KL_SNAPPY_SAMPLE_COUNT; kind++) {
        for (size_t i = 0; i < 1000; i++) {
            size_t len = i < 950 ? i : kl_snappy_sample_below(&seed, LEN_MAX + 1);
            kl_snappy_sample_fill((kl_snappy_sample_kind)kind, seed + i, sample, len);
            check_both_ways(len);
        }
    }
}

static void test_ours_are_not_larger(void **state)
{
    (void)state;
    static const size_t lengths[] = {1000, 16384, 32768, LEN_MAX};
    for (int kind = 0; kind < KL_SNAPPY_SAMPLE_COUNT; kind++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            sizes sum = {0, 0};
            for (uint64_t seed = 0; seed < 10; seed++) {
                kl_snappy_sample_fill((kl_snappy_sample_kind)kind, seed, sample, lengths[i]);
                sizes s = check_both_ways(lengths[i]);
                sum.ours += s.ours;
                sum.theirs += s.theirs;
            }
            assert_true(sum.ours * 100 <= sum.theirs * 101);
        }
    }
}

/* Damaged blocks of either writer: the same verdict, and the same bytes when it is a good one. */
static void test_both_refuse_the_same(void **state)
{
    (void)state;
    uint64_t seed = 2;
    size_t good = 0, bad = 0;
    uint8_t *second = malloc(LEN_MAX);
    assert_non_null(second);
    for (size_t round = 0; round < 40000; round++) {
        size_t len = 1 + kl_snappy_sample_below(&seed, 2000);
        kl_snappy_sample_fill((kl_snappy_sample_kind)(round % KL_SNAPPY_SAMPLE_COUNT), seed, sample,
                              len);
        size_t n = snappy_max_compressed_length(len);
        uint8_t *block = round & 1 ? ours : theirs;
        if (block == ours)
            n = kl_snappy_compress_block(sample, len, ours, table);
        else
            snappy_compress((const char *)sample, len, (char *)theirs, &n);
        for (size_t i = kl_snappy_sample_below(&seed, 3); i > 0; i--)
            block[kl_snappy_sample_below(&seed, n)] = (uint8_t)kl_snappy_sample_next(&seed);
        if (kl_snappy_sample_below(&seed, 8) == 0)
            n = kl_snappy_sample_below(&seed, n + 1);

        uint32_t announced = 0;
        size_t preamble, written, fault_at, their_len = 0;
        kl_snappy_error error = kl_snappy_uncompressed_len(block, n, &announced, &preamble);
        snappy_status status = snappy_uncompressed_length((const char *)block, n, &their_len);
        assert_int_equal(error == KL_SNAPPY_OK, status == SNAPPY_OK);
        if (error)
            continue;
        assert_int_equal(announced, their_len);
        if (announced > LEN_MAX)
            continue;
        error = kl_snappy_decompress_block(block, n, out, LEN_MAX, &written, &fault_at);
        their_len = LEN_MAX;
        status = snappy_uncompress((const char *)block, n, (char *)second, &their_len);
        assert_int_equal(error == KL_SNAPPY_OK, status == SNAPPY_OK);
        if (error) {
            bad++;
            continue;
        }
        good++;
        assert_int_equal(written, their_len);
        assert_memory_equal(out, second, written);
    }
    free(second);
    assert_in_range(good, 5000, 35000);
    assert_in_range(bad, 5000, 35000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_reads_the_other),
        cmocka_unit_test(test_ours_are_not_larger),
        cmocka_unit_test(test_both_refuse_the_same),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
