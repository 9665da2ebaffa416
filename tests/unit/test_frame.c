/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames out of a stream: any chunking gives the same frames, memory follows the bytes that came,
 * lies are refused. */
#include "protocol/frame.h"
#include "tests/support/expect_fault.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/guard.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAME_MAX 100000

/* A stream of frames with contents of these sizes. */
static const size_t sizes[] = {0, 1, 5, 300, 0, 4096, 70000, 3, 100000, 2};

enum { FRAME_COUNT = sizeof sizes / sizeof sizes[0] };

/* What a caller's struct may hold before a call. */
static kloop_fault an_old_fault(void)
{
    kloop_fault fault = {.status = KLOOP_BAD_CRC, .at = 7, .a = 8, .b = 9, .depth = 1};
    fault.path[0].name = "old";
    return fault;
}

static uint8_t content_byte(size_t frame, size_t i)
{
    return (uint8_t)(frame * 17 + i);
}

static uint8_t *make_stream(size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < FRAME_COUNT; i++)
        *len += 4 + sizes[i];
    uint8_t *stream = malloc(*len);
    assert_non_null(stream);
    size_t at = 0;
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        for (int k = 0; k < 4; k++)
            stream[at++] = (uint8_t)(sizes[i] >> (24 - 8 * k));
        for (size_t k = 0; k < sizes[i]; k++)
            stream[at++] = content_byte(i, k);
    }
    return stream;
}

static void assert_frame(size_t index, kloop_slice frame)
{
    assert_int_equal(frame.len, sizes[index]);
    for (size_t k = 0; k < frame.len; k++)
        assert_int_equal(frame.data[k], content_byte(index, k));
}

static void any_chunking(bool bounded)
{
    static const size_t chunks[] = {1, 2, 3, 4, 5, 7, 1000, 4096, 65536, 1 << 20};
    size_t len;
    uint8_t *stream = make_stream(&len);
    for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_frame_reader r;
        kl_frame_reader_init(&r, FRAME_MAX, &alloc);
        if (bounded)
            kl_frame_reader_bound(&r);
        size_t seen = 0, at = 0;
        while (at < len) {
            size_t room;
            uint8_t *p = kl_frame_space(&r, &room);
            assert_non_null(p);
            size_t n = chunks[c] < room ? chunks[c] : room;
            n = n < len - at ? n : len - at;
            memcpy(p, stream + at, n);
            kl_frame_received(&r, n);
            at += n;
            kloop_slice frame;
            for (;;) {
                assert_int_equal(kl_frame_next(&r, &frame, NULL), KLOOP_OK);
                if (!frame.data)
                    break;
                assert_frame(seen++, frame);
            }
            assert_true(f.live_bytes <= 2 * at + 4096);
            assert_true(!bounded || r.buf.cap <= FRAME_MAX + KL_FRAME_BUFFER_MORE);
        }
        assert_int_equal(seen, FRAME_COUNT);
        assert_true(f.peak_bytes <= 4 * (FRAME_MAX + 4) + 8192);
        kl_frame_reader_deinit(&r);
        kl_fail_alloc_check(&f);
    }
    free(stream);
}

static void any_chunking_gives_the_same_frames(void **state)
{
    (void)state;
    any_chunking(false);
}

/* The buffer of the largest frame allowed was up to twice as large as that, and the receive buffers
 * of a producer were more than receive.memory. */
static void bounded_buffer_gives_the_same_frames(void **state)
{
    (void)state;
    any_chunking(true);
}

static void announced_length_costs_no_memory(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_frame_reader r;
    kl_frame_reader_init(&r, INT32_MAX, &alloc);
    size_t room;
    memcpy(kl_frame_space(&r, &room),
           "\x7f\xff\xff\xff"
           "abc",
           7);
    kl_frame_received(&r, 7);
    kloop_slice frame;
    assert_int_equal(kl_frame_next(&r, &frame, NULL), KLOOP_OK);
    assert_null(frame.data);
    assert_non_null(kl_frame_space(&r, &room));
    assert_true(f.peak_bytes <= 8 * 7 + 4096);
    kl_frame_reader_deinit(&r);
    kl_fail_alloc_check(&f);
}

static void before_the_first_byte_there_is_no_frame(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_frame_reader r;
    kl_frame_reader_init(&r, FRAME_MAX, &alloc);
    for (int again = 0; again < 2; again++) {
        kloop_slice frame = {(const uint8_t *)"", 5};
        kloop_fault fault = an_old_fault();
        assert_int_equal(kl_frame_next(&r, &frame, &fault), KLOOP_OK);
        kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
        assert_null(frame.data);
        size_t room;
        assert_non_null(kl_frame_space(&r, &room));
        assert_true(room > 0);
        kl_frame_received(&r, 0);
    }
    kl_frame_reader_deinit(&r);
    kl_fail_alloc_check(&f);
}

/* Feeds one frame of zeroes and takes it; the space behind it is asked for, but nothing comes. */
static void feed_frame(kl_frame_reader *r, size_t len)
{
    kloop_slice frame = {NULL, 0};
    size_t room;
    for (size_t at = 0; at < 4 + len;) {
        uint8_t *p = kl_frame_space(r, &room);
        assert_non_null(p);
        size_t n = room < 4 + len - at ? room : 4 + len - at;
        for (size_t i = 0; i < n; i++, at++)
            p[i] = (uint8_t)(at < 4 ? len >> (24 - 8 * at) : 0);
        kl_frame_received(r, n);
        assert_int_equal(kl_frame_next(r, &frame, NULL), KLOOP_OK);
    }
    assert_non_null(frame.data);
    assert_int_equal(frame.len, len);
    assert_non_null(kl_frame_space(r, &room));
    assert_non_null(kl_frame_space(r, &room));
}

static void one_large_frame_is_not_paid_for_for_ever(void **state)
{
    (void)state;
    enum { MIB = 1048576 };
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_frame_reader r;
    kl_frame_reader_init(&r, 4 * MIB, &alloc);
    feed_frame(&r, MIB);
    assert_true(f.live_bytes > MIB);
    /* A run of large ones grows the buffer once. */
    size_t calls = f.calls;
    for (int i = 0; i < 10; i++)
        feed_frame(&r, i % 2 ? MIB : MIB / 2 + 10);
    assert_int_equal(f.calls, calls);
    /* A small one shows that it is no longer needed. */
    feed_frame(&r, 300);
    assert_true(f.live_bytes <= 4096);
    assert_int_equal(f.calls, calls + 1);
    /* Below the line nothing is given back. */
    feed_frame(&r, KL_FRAME_KEEP_BYTES / 2);
    calls = f.calls;
    for (int i = 0; i < 10; i++)
        feed_frame(&r, i % 2 ? 1 : KL_FRAME_KEEP_BYTES / 2);
    assert_int_equal(f.calls, calls);
    assert_true(f.live_bytes <= KL_FRAME_KEEP_BYTES);
    /* Places go on being counted in the whole stream. */
    size_t room;
    uint64_t taken = r.taken_bytes;
    memcpy(kl_frame_space(&r, &room), "\xff\xff\xff\xff", 4);
    kl_frame_received(&r, 4);
    kloop_slice frame;
    kloop_fault fault;
    assert_int_equal(kl_frame_next(&r, &frame, &fault), KLOOP_BAD_LENGTH);
    kl_expect_fault(&fault, KLOOP_BAD_LENGTH, (size_t)taken, -1, 0, "");
    kl_frame_reader_deinit(&r);
    kl_fail_alloc_check(&f);
}

/* The buffer is gone, and there is no memory for a new one: nothing was in it. */
static void given_back_and_no_memory(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_frame_reader r;
    kl_frame_reader_init(&r, 1 << 20, &alloc);
    feed_frame(&r, 1 << 20);
    size_t room;
    memset(kl_frame_space(&r, &room), 0, 4);
    kl_frame_received(&r, 4);
    kloop_slice frame;
    assert_int_equal(kl_frame_next(&r, &frame, NULL), KLOOP_OK);
    assert_non_null(frame.data);
    f.nth = f.calls + 1;
    assert_null(kl_frame_space(&r, &room));
    assert_int_equal(f.live_bytes, 0);
    assert_int_equal(kl_frame_next(&r, &frame, NULL), KLOOP_OK);
    assert_null(frame.data);
    feed_frame(&r, 5);
    kl_frame_reader_deinit(&r);
    kl_fail_alloc_check(&f);
}

static void bad_lengths_are_faults_at_their_place_in_the_stream(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        kloop_status status;
        int64_t a;
    } cases[] = {
        {"\xff\xff\xff\xff", KLOOP_BAD_LENGTH, -1},
        {"\x80\x00\x00\x00", KLOOP_BAD_LENGTH, INT32_MIN},
        {"\x00\x01\x86\xa1", KLOOP_FRAME_TOO_LARGE, FRAME_MAX + 1},
        {"\x7f\xff\xff\xff", KLOOP_FRAME_TOO_LARGE, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_frame_reader r;
        kl_frame_reader_init(&r, FRAME_MAX, &alloc);
        size_t room;
        uint8_t *p = kl_frame_space(&r, &room);
        memcpy(p, "\x00\x00\x00\x02hi", 6);
        memcpy(p + 6, cases[i].bytes, 4);
        kl_frame_received(&r, 10);
        kloop_slice frame;
        kloop_fault fault = an_old_fault();
        assert_int_equal(kl_frame_next(&r, &frame, &fault), KLOOP_OK);
        assert_memory_equal(frame.data, "hi", 2);
        kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
        assert_int_equal(kl_frame_next(&r, &frame, &fault), cases[i].status);
        assert_null(frame.data);
        assert_int_equal(fault.status, cases[i].status);
        assert_int_equal(fault.a, cases[i].a);
        assert_int_equal(fault.at, 6);
        /* It does not go away. */
        assert_int_equal(kl_frame_next(&r, &frame, NULL), cases[i].status);
        kl_frame_reader_deinit(&r);
        kl_fail_alloc_check(&f);
    }
}

static void without_memory_there_is_no_space_and_nothing_is_lost(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 2);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_frame_reader r;
    kl_frame_reader_init(&r, FRAME_MAX, &alloc);
    size_t room;
    uint8_t *p = kl_frame_space(&r, &room);
    assert_non_null(p);
    memset(p, 0, room);
    p[3] = 0;
    p[2] = 0x20; /* a frame of 8 KiB */
    kl_frame_received(&r, room);
    size_t had = room;
    assert_null(kl_frame_space(&r, &room));
    assert_int_equal(f.refused, 1);
    /* There is memory again. */
    size_t more = 8192 + 4 - had;
    while (more > 0) {
        p = kl_frame_space(&r, &room);
        assert_non_null(p);
        size_t n = room < more ? room : more;
        memset(p, 0, n);
        kl_frame_received(&r, n);
        more -= n;
    }
    kloop_slice frame;
    assert_int_equal(kl_frame_next(&r, &frame, NULL), KLOOP_OK);
    assert_non_null(frame.data);
    assert_int_equal(frame.len, 8192);
    kl_frame_reader_deinit(&r);
    kl_fail_alloc_check(&f);
}

static void stateless_splitter_tells_how_much_it_needs(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 0, 0, 3, 'a', 'b', 'c', 'd'};
    kl_guard g;
    kl_guard_init(&g, 64);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        kloop_slice frame;
        size_t used;
        kloop_fault fault = an_old_fault();
        assert_int_equal(
            kloop_frame_next(kl_guard_copy_at_end(&g, bytes, len), len, 100, &frame, &used, &fault),
            KLOOP_OK);
        kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
        assert_int_equal(used, len < 4 ? 4 : 7);
        if (len < 7) {
            assert_null(frame.data);
        } else {
            assert_int_equal(frame.len, 3);
            assert_memory_equal(frame.data, "abc", 3);
        }
    }
    kl_guard_deinit(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_chunking_gives_the_same_frames),
        cmocka_unit_test(bounded_buffer_gives_the_same_frames),
        cmocka_unit_test(announced_length_costs_no_memory),
        cmocka_unit_test(before_the_first_byte_there_is_no_frame),
        cmocka_unit_test(one_large_frame_is_not_paid_for_for_ever),
        cmocka_unit_test(given_back_and_no_memory),
        cmocka_unit_test(bad_lengths_are_faults_at_their_place_in_the_stream),
        cmocka_unit_test(without_memory_there_is_no_space_and_nothing_is_lost),
        cmocka_unit_test(stateless_splitter_tells_how_much_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
