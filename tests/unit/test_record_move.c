/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of one batch into another: what they say stays, where they stand is told anew. */
#include "protocol/record_move.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static kl_fail_alloc memory;
static kloop_allocator alloc;
static kl_pool pool;

static void begin(size_t nth)
{
    kl_fail_alloc_init(&memory, nth);
    alloc = kl_fail_alloc_table(&memory);
    kl_pool_init(&pool, &alloc, 0);
}

static void end(void)
{
    kl_pool_deinit(&pool);
    kl_fail_alloc_check(&memory);
}

static kloop_slice bytes_of(const kl_chain *chain, uint8_t *to)
{
    kl_chain_copy(chain, to);
    return (kloop_slice){to, kl_chain_len(chain)};
}

/* Each in another way; a header key that is no text is the user's business. */
static size_t samples(kl_record *r, int64_t *times)
{
    static const uint8_t large[9000] = {1, 2, 3};
    static const kloop_record_header headers[] = {{.key = {"\xff\xfe", 2}, .value = {large, 200}},
                                                  {.key = {"", 0}}};
    r[0] = (kl_record){.key = {NULL, 0}, .value = {NULL, 0}};
    r[1] = (kl_record){.key = {large, 0}, .value = {large, 0}};
    r[2] = (kl_record){.key = {large, 3}, .value = {large, 100}};
    r[3] = (kl_record){.value = {large, sizeof large}};
    r[4] = (kl_record){.value = {large, 5}, .headers = headers, .header_count = 2};
    r[5] = (kl_record){.value = {large, 60}, .attributes = 5};
    times[0] = 1000;
    times[1] = 900;
    times[2] = INT64_MAX;
    times[3] = -1;
    times[4] = 1001;
    times[5] = INT64_MIN;
    return 6;
}

/* Moved from the nth on, they are what they would be had they been put there at once. */
static void moved_as_if_written_there(void **state)
{
    (void)state;
    kl_record r[6];
    int64_t times[6];
    size_t count = samples(r, times);
    static uint8_t raw[20000], expected[20000], found[20000];
    for (size_t from = 0; from < count; from++) {
        begin(0);
        kl_batch_builder whole, direct, moved;
        kl_batch_builder_init(&whole, &pool);
        kl_batch_builder_init(&direct, &pool);
        kl_batch_builder_init(&moved, &pool);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(kl_batch_builder_append(&whole, &r[i], times[i], SIZE_MAX),
                             KL_RECORD_APPENDED);
        for (size_t i = from; i < count; i++)
            assert_int_equal(kl_batch_builder_append(&direct, &r[i], times[i], SIZE_MAX),
                             KL_RECORD_APPENDED);
        kloop_slice all = bytes_of(&whole.payload, raw);
        for (size_t i = 0; i < count; i++) {
            kl_moved_record m;
            assert_true(kl_record_move_read(all.data, all.len, &m));
            all.data += m.bytes;
            all.len -= m.bytes;
            int64_t time = (int64_t)((uint64_t)whole.base_timestamp + (uint64_t)m.timestamp_delta);
            assert_int_equal(time, times[i]);
            if (i < from)
                continue;
            size_t before = kl_chain_len(&moved.payload);
            size_t size = kl_record_move_size(&moved, &m, time);
            assert_true(kl_record_move_append(&moved, &m, time));
            assert_int_equal(kl_chain_len(&moved.payload), before + size);
        }
        assert_int_equal(all.len, 0);
        kloop_slice a = bytes_of(&direct.payload, expected);
        kloop_slice b = bytes_of(&moved.payload, found);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
        assert_int_equal(direct.count, moved.count);
        assert_int_equal(direct.base_timestamp, moved.base_timestamp);
        assert_int_equal(direct.max_timestamp, moved.max_timestamp);
        kl_batch_builder_clear(&whole);
        kl_batch_builder_clear(&direct);
        kl_batch_builder_clear(&moved);
        end();
    }
}

static void bytes_that_are_no_record(void **state)
{
    (void)state;
    kl_moved_record m;
    static const uint8_t good[] = {14, 0, 2, 4, 1, 1, 0, 0};
    assert_true(kl_record_move_read(good, sizeof good, &m));
    assert_int_equal(m.timestamp_delta, 1);
    assert_int_equal(m.rest.len, 4);
    for (size_t len = 0; len < sizeof good; len++)
        assert_false(kl_record_move_read(good, len, &m));
    static const uint8_t bad[][8] = {
        {0},                               /* no body */
        {1},                               /* a length below 0 */
        {2, 0},                            /* no time */
        {4, 0, 2},                         /* no place */
        {4, 0, 0x80, 0x80},                /* a time that goes on behind the record */
        {0x80, 0x80, 0x80, 0x80, 0x80, 1}, /* a length without end */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(kl_record_move_read(bad[i], sizeof bad[i], &m));
}

static void no_memory_leaves_the_batch(void **state)
{
    (void)state;
    kl_record r[6];
    int64_t times[6];
    samples(r, times);
    static uint8_t raw[20000];
    for (size_t nth = 1;; nth++) {
        begin(0);
        kl_batch_builder whole, moved;
        kl_batch_builder_init(&whole, &pool);
        kl_batch_builder_init(&moved, &pool);
        assert_int_equal(kl_batch_builder_append(&whole, &r[3], 7, SIZE_MAX), KL_RECORD_APPENDED);
        kloop_slice all = bytes_of(&whole.payload, raw);
        kl_moved_record m;
        assert_true(kl_record_move_read(all.data, all.len, &m));
        size_t refused = memory.refused;
        memory.nth = memory.calls + nth;
        bool ok = kl_record_move_append(&moved, &m, 7);
        bool beyond = memory.refused == refused;
        assert_int_equal(ok, beyond);
        assert_int_equal(moved.count, ok ? 1 : 0);
        assert_int_equal(kl_chain_len(&moved.payload), ok ? all.len : 0);
        kl_batch_builder_clear(&whole);
        kl_batch_builder_clear(&moved);
        end();
        if (beyond)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moved_as_if_written_there),
        cmocka_unit_test(bytes_that_are_no_record),
        cmocka_unit_test(no_memory_leaves_the_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
