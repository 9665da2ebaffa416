/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a producer's batch: built, sealed in one go or in steps, numbered and numbered again;
 * and the header of a batch, looked at byte by byte.
 */
#include "base/check.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "protocol/record_batch.h"
#include "tests/support/expect_fault.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/golden_batches.h"
#include "tests/support/guard.h"
#include "tests/support/some_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kl_pool pool;
static const uint8_t *content;

static int up(void **unused)
{
    (void)unused;
    kl_pool_init(&pool, &kl_mem_libc, SIZE_MAX);
    content = kl_some_content();
    return 0;
}

static int down(void **unused)
{
    (void)unused;
    kl_pool_deinit(&pool);
    return 0;
}

static kloop_slice text(const char *s)
{
    return (kloop_slice){(const uint8_t *)s, strlen(s)};
}

static void add(kl_batch_builder *b, const kl_record *r, int64_t timestamp)
{
    assert_int_equal(kl_batch_builder_append(b, r, timestamp, SIZE_MAX), KL_RECORD_APPENDED);
}

/* ---- Building ---- */

static void golden_batch(void **unused)
{
    (void)unused;
    const kl_golden_batch *golden = &kl_golden_batches[0];
    kloop_record_header h = {{"h", 1}, {NULL, 0}};
    kl_batch_builder b;
    kl_batch_builder_init(&b, &pool);
    assert_int_equal(kl_batch_builder_len(&b), 61);
    add(&b, &(kl_record){.key = text("k"), .value = text("v")}, 1700000000000);
    add(&b, &(kl_record){.value = text("hello"), .headers = &h, .header_count = 1}, 1700000000005);
    assert_int_equal(kl_batch_builder_len(&b), golden->len);
    assert_int_equal(kl_batch_seal(&b, NULL), KL_CODEC_OK);

    kloop_batch_header header;
    kl_batch_builder_header(&b, &header);
    header.producer_id = 4242;
    header.producer_epoch = 7;
    header.base_sequence = 10;
    uint8_t *bytes = kl_some_flat(&b, &header);
    assert_memory_equal(bytes, golden->bytes, golden->len);
    free(bytes);
    kl_batch_builder_clear(&b);
}

static void a_header_knows_what_the_batch_knows(void **unused)
{
    (void)unused;
    kl_batch_builder b;
    kl_batch_builder_init(&b, &pool);
    add(&b, &(kl_record){.value = text("a")}, 50);
    add(&b, &(kl_record){.value = text("b")}, 90);
    add(&b, &(kl_record){.value = text("c")}, 20);
    assert_int_equal(kl_batch_seal(&b, NULL), KL_CODEC_OK);
    kloop_batch_header header;
    kl_batch_builder_header(&b, &header);
    kloop_batch_header expected = {.partition_leader_epoch = -1,
                                   .magic = 2,
                                   .last_offset_delta = 2,
                                   .base_timestamp = 50,
                                   .max_timestamp = 90,
                                   .producer_id = -1,
                                   .producer_epoch = -1,
                                   .base_sequence = -1,
                                   .record_count = 3};
    kl_golden_same_header(&header, &expected);
    kl_batch_builder_clear(&b);
    assert_int_equal(kl_batch_builder_len(&b), 61);
    assert_int_equal(b.count, 0);
    assert_int_equal(b.state, KL_BATCH_OPEN);
}

static void a_batch_has_a_limit(void **unused)
{
    (void)unused;
    kl_batch_builder b;
    kl_batch_builder_init(&b, &pool);
    kl_record r = {.value = {content, 100}};
    size_t size = kl_record_size(&r, 0, 0);
    assert_int_equal(kl_batch_builder_append(&b, &r, 5, 60), KL_RECORD_TOO_LARGE);
    assert_int_equal(kl_batch_builder_append(&b, &r, 5, 61), KL_RECORD_TOO_LARGE);
    assert_int_equal(kl_batch_builder_append(&b, &r, 5, 61 + size - 1), KL_RECORD_TOO_LARGE);
    assert_int_equal(b.count, 0);
    assert_int_equal(b.base_timestamp, -1);
    assert_int_equal(kl_batch_builder_append(&b, &r, 5, 61 + size), KL_RECORD_APPENDED);
    assert_int_equal(kl_batch_builder_append(&b, &r, 99, 61 + 2 * size - 1), KL_RECORD_TOO_LARGE);
    assert_int_equal(b.count, 1);
    assert_int_equal(b.max_timestamp, 5);
    assert_int_equal(kl_batch_builder_append(&b, &r, 9, 61 + 2 * size), KL_RECORD_APPENDED);
    assert_int_equal(b.max_timestamp, 9);
    kl_batch_builder_clear(&b);
}

/* The chain is told of bytes that it does not have; nobody looks at them. */
static void a_batch_ends_where_its_length_does(void **unused)
{
    (void)unused;
    kl_batch_builder b;
    kl_batch_builder_init(&b, &pool);
    kl_record r = {.value = {content, 10}};
    size_t size = kl_record_size(&r, 0, 0);
    add(&b, &r, 5);
    b.payload.before = KL_BATCH_PAYLOAD_MAX - 2 * size + 1;
    assert_int_equal(kl_batch_builder_append(&b, &r, 5, SIZE_MAX), KL_RECORD_TOO_LARGE);
    assert_int_equal(b.count, 1);
    b.payload.before--;
    assert_int_equal(kl_batch_builder_append(&b, &r, 5, SIZE_MAX), KL_RECORD_APPENDED);
    assert_int_equal(kl_batch_builder_len(&b), KL_BATCH_BYTES_MAX);
    assert_int_equal(kl_batch_builder_append(&b, &r, 5, SIZE_MAX), KL_RECORD_TOO_LARGE);
    r.value.data = NULL;
    assert_int_equal(kl_batch_builder_append(&b, &r, 5, SIZE_MAX), KL_RECORD_TOO_LARGE);
    assert_int_equal(b.count, 2);
    b.payload.before = 0;
    kl_batch_builder_clear(&b);

    /* Its header says so. */
    kloop_batch_header header;
    uint8_t out[KLOOP_BATCH_HEADER_BYTES];
    kloop_batch_header_init(&header);
    kl_batch_header_put(&header, KL_BATCH_PAYLOAD_MAX, 0, out);
    kl_expect_bytes(out + KL_BATCH_LENGTH_AT, 4, "7fffffff");
}

static void without_memory_the_batch_is_as_it_was(void **unused)
{
    (void)unused;
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_pool own;
        kl_pool_init(&own, &alloc, 0);
        kl_batch_builder b;
        kl_batch_builder_init(&b, &own);
        for (int32_t i = 0; i < 30; i++) {
            kl_record r = {.value = {content, (size_t)i * 1000}};
            size_t len = kl_batch_builder_len(&b);
            if (kl_batch_builder_append(&b, &r, i, SIZE_MAX) != KL_RECORD_APPENDED) {
                assert_int_equal(b.count, i);
                assert_int_equal(kl_batch_builder_len(&b), len);
                assert_int_equal(kl_batch_builder_append(&b, &r, i, SIZE_MAX), KL_RECORD_APPENDED);
            }
        }
        assert_int_equal(kl_batch_seal(&b, NULL), KL_CODEC_OK);
        assert_int_equal(b.count, 30);
        kl_batch_builder_clear(&b);
        kl_pool_deinit(&own);
        kl_fail_alloc_check(&f);
        if (f.refused == 0)
            break;
    }
}

/* ---- Sealing ---- */

static void ten_thousand_records_and_every_codec(void **unused)
{
    (void)unused;
    for (kl_codec_id id = KL_CODEC_NONE; id < KL_CODEC_COUNT; id++) {
        kl_batch_builder b;
        kl_some_records(&b, &pool, 10000);
        size_t raw = kl_batch_builder_len(&b);
        kl_compressor *c = id ? kl_some_compressor(id, &kl_mem_libc) : NULL;
        assert_int_equal(kl_batch_seal(&b, c), KL_CODEC_OK);
        assert_int_equal(b.state, KL_BATCH_SEALED);
        assert_int_equal(b.codec, id);
        if (id)
            assert_true(kl_batch_builder_len(&b) < raw);
        else
            assert_int_equal(kl_batch_builder_len(&b), raw);
        kloop_batch_header header;
        kl_batch_builder_header(&b, &header);
        assert_int_equal(kloop_batch_codec(&header), id);
        uint8_t *bytes = kl_some_flat(&b, &header);
        kl_some_expect(bytes, kl_batch_builder_len(&b), 10000);
        free(bytes);
        kl_compressor_del(c);
        kl_batch_builder_clear(&b);
    }
}

static void steps_of_any_size_make_the_same_batch(void **unused)
{
    (void)unused;
    static const size_t steps[] = {1, 7, 4096, 16384, 1000000};
    for (kl_codec_id id = KL_CODEC_NONE; id < KL_CODEC_COUNT; id++) {
        kl_compressor *c = id ? kl_some_compressor(id, &kl_mem_libc) : NULL;
        for (size_t s = 0; s < sizeof(steps) / sizeof(*steps); s++) {
            kl_batch_builder b;
            kl_some_records(&b, &pool, 300);
            size_t raw = kl_batch_builder_len(&b) - KLOOP_BATCH_HEADER_BYTES;
            kl_batch_sealer sealer;
            size_t taken = 0;
            assert_int_equal(kl_batch_seal_begin(&sealer, &b, c), KL_CODEC_OK);
            for (bool done = false; !done; taken++)
                assert_int_equal(kl_batch_seal_step(&sealer, steps[s], &done), KL_CODEC_OK);
            size_t len = kl_batch_builder_len(&b);
            size_t bytes_seen = id ? raw + len - KLOOP_BATCH_HEADER_BYTES : raw;
            assert_true(taken >= bytes_seen / steps[s]);
            assert_true(taken <= bytes_seen / steps[s] + 3);
            kloop_batch_header header;
            kl_batch_builder_header(&b, &header);
            uint8_t *bytes = kl_some_flat(&b, &header);
            kl_some_expect(bytes, len, 300);
            free(bytes);
            kl_batch_builder_clear(&b);
        }
        kl_compressor_del(c);
    }
}

static void no_codec_when_it_does_not_pay(void **unused)
{
    (void)unused;
    for (kl_codec_id id = KL_CODEC_GZIP; id < KL_CODEC_COUNT; id++) {
        kl_compressor *c = kl_some_compressor(id, &kl_mem_libc);
        kl_batch_builder b;
        kl_batch_builder_init(&b, &pool);
        add(&b, &(kl_record){.value = text("short")}, 5);
        size_t raw = kl_batch_builder_len(&b);
        assert_int_equal(kl_batch_seal(&b, c), KL_CODEC_OK);
        assert_int_equal(b.codec, KL_CODEC_NONE);
        assert_int_equal(kl_batch_builder_len(&b), raw);
        uint8_t bytes[20];
        kl_chain_copy(&b.payload, bytes);
        assert_int_equal(b.payload_crc, kl_crc32c(0, bytes, raw - KLOOP_BATCH_HEADER_BYTES));
        kl_batch_builder_clear(&b);
        kl_compressor_del(c);
    }
}

static void an_empty_batch_can_be_sealed(void **unused)
{
    (void)unused;
    for (kl_codec_id id = KL_CODEC_NONE; id < KL_CODEC_COUNT; id++) {
        kl_compressor *c = id ? kl_some_compressor(id, &kl_mem_libc) : NULL;
        kl_batch_builder b;
        kl_batch_builder_init(&b, &pool);
        assert_int_equal(kl_batch_seal(&b, c), KL_CODEC_OK);
        assert_int_equal(b.codec, KL_CODEC_NONE);
        assert_int_equal(kl_batch_builder_len(&b), 61);
        kl_compressor_del(c);
    }
}

static void seal_given_up_leaves_an_open_batch(void **unused)
{
    (void)unused;
    for (kl_codec_id id = KL_CODEC_NONE; id < KL_CODEC_COUNT; id++) {
        kl_compressor *c = id ? kl_some_compressor(id, &kl_mem_libc) : NULL;
        kl_batch_builder b;
        kl_some_records(&b, &pool, 200);
        size_t raw = kl_batch_builder_len(&b);
        for (int after = 0;; after++) {
            kl_batch_sealer sealer;
            bool done = false;
            assert_int_equal(kl_batch_seal_begin(&sealer, &b, c), KL_CODEC_OK);
            assert_int_equal(b.state, KL_BATCH_SEALING);
            for (int i = 0; i < after && !done; i++)
                assert_int_equal(kl_batch_seal_step(&sealer, 3000, &done), KL_CODEC_OK);
            if (done)
                break;
            kl_batch_seal_cancel(&sealer);
            assert_int_equal(b.state, KL_BATCH_OPEN);
            assert_int_equal(kl_batch_builder_len(&b), raw);
        }
        kloop_batch_header header;
        kl_batch_builder_header(&b, &header);
        uint8_t *bytes = kl_some_flat(&b, &header);
        kl_some_expect(bytes, kl_batch_builder_len(&b), 200);
        free(bytes);
        kl_batch_builder_clear(&b);
        kl_compressor_del(c);
    }
}

static void seal_without_memory_leaves_an_open_batch(void **unused)
{
    (void)unused;
    for (kl_codec_id id = KL_CODEC_GZIP; id < KL_CODEC_COUNT; id++) {
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, 0);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kl_pool own;
            kl_pool_init(&own, &alloc, 0);
            kl_compressor *c = kl_some_compressor(id, &alloc);
            kl_batch_builder b;
            kl_batch_builder_init(&b, &own);
            add(&b, &(kl_record){.value = {content, 30000}}, 5);
            f.nth = f.calls + nth;
            kl_codec_status status = kl_batch_seal(&b, c);
            if (f.refused > 0) {
                assert_int_equal(status, KL_CODEC_NO_MEMORY);
                assert_int_equal(b.state, KL_BATCH_OPEN);
                add(&b, &(kl_record){.value = text("one more")}, 6);
                status = kl_batch_seal(&b, c);
            }
            assert_int_equal(status, KL_CODEC_OK);
            assert_int_equal(b.codec, id);
            assert_int_equal(b.count, f.refused > 0 ? 2 : 1);
            kl_batch_builder_clear(&b);
            kl_compressor_del(c);
            kl_pool_deinit(&own);
            kl_fail_alloc_check(&f);
            if (f.refused == 0)
                break;
        }
    }
}

/* Sealing without a codec asks for no memory, and what was tried before left nothing behind. */
static void seal_without_a_codec_never_fails(void **unused)
{
    (void)unused;
    for (kl_codec_id id = KL_CODEC_GZIP; id < KL_CODEC_COUNT; id++) {
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, 0);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kl_pool own;
            kl_pool_init(&own, &alloc, 0);
            kl_compressor *c = kl_some_compressor(id, &alloc);
            kl_batch_builder b;
            kl_batch_builder_init(&b, &own);
            add(&b, &(kl_record){.value = {content, 30000}}, 5);
            size_t len = kl_batch_builder_len(&b);
            size_t held = own.held_bytes;
            uint8_t *raw = malloc(len);
            assert_non_null(raw);
            kl_chain_copy(&b.payload, raw);
            f.nth = f.calls + nth;
            f.all_after = true;
            kl_codec_status status = kl_batch_seal(&b, c);
            bool refused = f.refused > 0;
            if (refused) {
                assert_int_equal(status, KL_CODEC_NO_MEMORY);
                assert_int_equal(own.held_bytes, held);
                assert_false(kl_compressor_busy(c));
                assert_int_equal(kl_batch_seal(&b, NULL), KL_CODEC_OK);
                assert_int_equal(b.state, KL_BATCH_SEALED);
                assert_int_equal(b.codec, KL_CODEC_NONE);
                assert_int_equal(kl_batch_builder_len(&b), len);
                assert_int_equal(b.payload_crc, kl_crc32c(0, raw, len - KLOOP_BATCH_HEADER_BYTES));
            }
            free(raw);
            kl_batch_builder_clear(&b);
            kl_compressor_del(c);
            kl_pool_deinit(&own);
            kl_fail_alloc_check(&f);
            if (!refused)
                break;
        }
    }
}

static void statuses_of_codecs(void **unused)
{
    (void)unused;
    static const struct {
        kl_codec_status codec;
        kloop_status status;
    } cases[] = {
        {KL_CODEC_OK, KLOOP_OK},
        {KL_CODEC_NO_MEMORY, KLOOP_NO_MEMORY},
        {KL_CODEC_BAD_LEVEL, KLOOP_OUT_OF_RANGE},
        {KL_CODEC_CORRUPT, KLOOP_BAD_PACKING},
        {KL_CODEC_TRUNCATED, KLOOP_BAD_PACKING},
        {KL_CODEC_TOO_LARGE, KLOOP_TOO_LARGE},
        {KL_CODEC_LIBRARY, KLOOP_CODEC_REFUSED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(kl_batch_codec_status(cases[i].codec), cases[i].status);
}

/* ---- Numbering ---- */

/* The same batch as if it had been made with this header from the start: the CRC over all of its
 * bytes. */
static void expect_fresh(const uint8_t *bytes, size_t len)
{
    kl_batch_view view;
    kloop_fault fault;
    assert_int_equal(kl_batch_decode(bytes, len, 0, &view, &fault), KLOOP_OK);
    assert_int_equal(view.header.crc, kl_crc32c(0, bytes + 21, len - 21));
    assert_int_equal(view.header.length, len - 12);
}

static void numbered_again_is_sealed_afresh(void **unused)
{
    (void)unused;
    static const int32_t sequences[] = {0, 1, -1, INT32_MAX, INT32_MAX - 1, INT32_MIN};
    static const int64_t ids[] = {-1, 0, INT64_MAX, INT64_MIN, 4242};
    static const int counts[] = {0, 1, 250, 3000};
    for (size_t n = 0; n < sizeof(counts) / sizeof(*counts); n++) {
        kl_batch_builder b;
        kl_some_records(&b, &pool, counts[n]);
        assert_int_equal(kl_batch_seal(&b, NULL), KL_CODEC_OK);
        const kl_segment *first = b.payload.first;
        for (size_t s = 0; s < sizeof(sequences) / sizeof(*sequences); s++) {
            for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
                kloop_batch_header header;
                kl_batch_builder_header(&b, &header);
                header.base_offset = ids[i];
                header.producer_id = ids[i];
                header.producer_epoch = (int16_t)sequences[s];
                header.base_sequence = sequences[s];
                header.attributes |= KLOOP_BATCH_TRANSACTIONAL;
                uint8_t *bytes = kl_some_flat(&b, &header);
                expect_fresh(bytes, kl_batch_builder_len(&b));
                kl_batch_view view;
                kloop_fault fault;
                kl_batch_decode(bytes, kl_batch_builder_len(&b), 0, &view, &fault);
                header.length = view.header.length;
                header.crc = view.header.crc;
                kl_golden_same_header(&view.header, &header);
                free(bytes);
            }
        }
        assert_ptr_equal(b.payload.first, first);
        kl_batch_builder_clear(&b);
    }
}

static void wild_timestamps(void **unused)
{
    (void)unused;
    static const int64_t wild[] = {INT64_MAX, INT64_MIN, 0, -1, INT64_MIN, INT64_MAX};
    enum { COUNT = sizeof(wild) / sizeof(*wild) };
    kl_batch_builder b;
    kl_batch_builder_init(&b, &pool);
    for (size_t i = 0; i < COUNT; i++)
        add(&b, &(kl_record){.key = {content, 0}}, wild[i]);
    assert_true(b.base_timestamp == INT64_MAX);
    assert_true(b.max_timestamp == INT64_MAX);
    assert_int_equal(kl_batch_seal(&b, NULL), KL_CODEC_OK);
    kloop_batch_header header;
    kl_batch_builder_header(&b, &header);
    uint8_t *bytes = kl_some_flat(&b, &header);
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 0);
    const kloop_batch_header *read;
    const kloop_batch_record *record;
    kloop_batch_reader_start(reader, bytes, kl_batch_builder_len(&b));
    assert_int_equal(kloop_batch_reader_next(reader, &read, NULL), KLOOP_OK);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(kloop_batch_reader_record(reader, &record, NULL), KLOOP_OK);
        assert_true(record->timestamp == wild[i]);
    }
    kloop_batch_reader_del(reader);
    free(bytes);
    kl_batch_builder_clear(&b);
}

/* ---- Headers in ---- */

static void golden_headers_both_ways(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < KL_GOLDEN_BATCH_COUNT; i++) {
        const kl_golden_batch *golden = &kl_golden_batches[i];
        kl_batch_view view;
        kloop_fault fault;
        assert_int_equal(kl_batch_decode(golden->bytes, golden->len, 0, &view, &fault), KLOOP_OK);
        kl_golden_same_header(&view.header, &golden->header);
        assert_ptr_equal(view.bytes.data, golden->bytes);
        assert_int_equal(view.bytes.len, golden->len);
        assert_ptr_equal(view.payload.data, golden->bytes + 61);
        assert_int_equal(view.payload.len, golden->len - 61);
        uint8_t out[KLOOP_BATCH_HEADER_BYTES];
        kl_batch_header_put(&view.header, view.payload.len,
                            kl_crc32c(0, view.payload.data, view.payload.len), out);
        assert_memory_equal(out, golden->bytes, sizeof(out));
    }
}

static kl_guard guard;

static int guard_up(void **unused)
{
    (void)unused;
    kl_guard_init(&guard, 4096);
    return 0;
}

static int guard_down(void **unused)
{
    (void)unused;
    kl_guard_deinit(&guard);
    return 0;
}

/* The first golden batch with some bytes changed, and 5 bytes of something else before it. */
static void refuse(size_t at, const char *hex, bool reseal, kloop_status status, size_t fault_at,
                   int64_t a, int64_t b, const char *path)
{
    enum { BEFORE = 5 };
    const kl_golden_batch *golden = &kl_golden_batches[0];
    uint8_t bytes[256];
    memset(bytes, 0xff, BEFORE);
    memcpy(bytes + BEFORE, golden->bytes, golden->len);
    if (reseal)
        kl_hex_bytes(hex, bytes + BEFORE + at, 10);
    assert_true(!reseal || kloop_batch_reseal(bytes + BEFORE, golden->len));
    if (!reseal)
        kl_hex_bytes(hex, bytes + BEFORE + at, 10);
    const uint8_t *p = kl_guard_copy_at_end(&guard, bytes, BEFORE + golden->len);
    kl_batch_view view;
    kloop_fault fault;
    assert_int_equal(kl_batch_decode(p, BEFORE + golden->len, BEFORE, &view, &fault), status);
    kl_expect_fault(&fault, status, BEFORE + fault_at, a, b, path);
}

static void what_is_no_batch(void **unused)
{
    (void)unused;
    refuse(16, "01", false, KLOOP_BAD_MAGIC, 16, 1, 0, "magic");
    refuse(16, "03", true, KLOOP_BAD_MAGIC, 16, 3, 0, "magic");
    refuse(16, "80", true, KLOOP_BAD_MAGIC, 16, -128, 0, "magic");
    refuse(8, "00000030", false, KLOOP_BAD_LENGTH, 8, 48, 0, "length");
    refuse(8, "00000000", false, KLOOP_BAD_LENGTH, 8, 0, 0, "length");
    refuse(8, "ffffffff", false, KLOOP_BAD_LENGTH, 8, -1, 0, "length");
    refuse(8, "80000000", false, KLOOP_BAD_LENGTH, 8, INT32_MIN, 0, "length");
    refuse(8, "0000004a", false, KLOOP_TRUNCATED, 8, 74, 73, "length");
    refuse(8, "7fffffff", false, KLOOP_TRUNCATED, 8, INT32_MAX, 73, "length");
    refuse(17, "00000000", false, KLOOP_BAD_CRC, 17, 0x7639736a, 0, "crc");
    refuse(17, "f639736a", false, KLOOP_BAD_CRC, 17, 0x7639736a, 0xf639736a, "crc");
    refuse(21, "0005", true, KLOOP_BAD_CODEC, 21, 5, 0, "attributes");
    refuse(21, "0007", true, KLOOP_BAD_CODEC, 21, 7, 0, "attributes");
    refuse(57, "ffffffff", true, KLOOP_BAD_COUNT, 57, -1, 24, "records");
    refuse(57, "80000000", true, KLOOP_BAD_COUNT, 57, INT32_MIN, 24, "records");
}

static void each_bit_counts(void **unused)
{
    (void)unused;
    const kl_golden_batch *golden = &kl_golden_batches[0];
    uint8_t *p = kl_guard_copy_at_end(&guard, golden->bytes, golden->len);
    kl_batch_view view;
    kloop_fault fault;
    for (size_t bit = 0; bit < golden->len * 8; bit++) {
        size_t at = bit / 8;
        p[at] = (uint8_t)(p[at] ^ 1u << bit % 8);
        /* Base offset and leader epoch are a broker's to change: the CRC leaves them out. */
        bool free_to_change = at < 8 || (at >= 12 && at < 16);
        assert_int_equal(kl_batch_decode(p, golden->len, 0, &view, &fault) == KLOOP_OK,
                         free_to_change);
        p[at] = (uint8_t)(p[at] ^ 1u << bit % 8);
    }
}

static void no_beginning_is_a_batch(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < KL_GOLDEN_BATCH_COUNT; i++) {
        const kl_golden_batch *golden = &kl_golden_batches[i];
        for (size_t cut = 0; cut < golden->len; cut++) {
            const uint8_t *p = kl_guard_copy_at_end(&guard, golden->bytes, cut);
            kl_batch_view view;
            kloop_fault fault;
            assert_int_equal(kl_batch_decode(p, cut, 0, &view, &fault), KLOOP_TRUNCATED);
            if (cut < 12)
                kl_expect_fault(&fault, KLOOP_TRUNCATED, 0, 61, (int64_t)cut, "");
            else
                kl_expect_fault(&fault, KLOOP_TRUNCATED, 8, golden->header.length,
                                (int64_t)cut - 12, "length");
        }
    }
}

static void resealed(void **unused)
{
    (void)unused;
    const kl_golden_batch *golden = &kl_golden_batches[1];
    uint8_t bytes[256];
    memcpy(bytes, golden->bytes, golden->len);
    memset(bytes + 8, 0, 4);
    memset(bytes + 17, 0, 4);
    assert_true(kloop_batch_reseal(bytes, golden->len));
    assert_memory_equal(bytes, golden->bytes, golden->len);
    assert_true(kloop_batch_reseal(bytes, 61));
    kl_batch_view view;
    kloop_fault fault;
    assert_int_equal(kl_batch_decode(bytes, golden->len, 0, &view, &fault), KLOOP_OK);
    assert_int_equal(view.bytes.len, 61);
    assert_false(kloop_batch_reseal(bytes, 60));
    assert_false(kloop_batch_reseal(bytes, 0));
    assert_false(kloop_batch_reseal(bytes, (size_t)INT32_MAX + 13));
    assert_false(kloop_batch_reseal(bytes, SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_batch),
        cmocka_unit_test(a_header_knows_what_the_batch_knows),
        cmocka_unit_test(a_batch_has_a_limit),
        cmocka_unit_test(a_batch_ends_where_its_length_does),
        cmocka_unit_test(without_memory_the_batch_is_as_it_was),
        cmocka_unit_test(ten_thousand_records_and_every_codec),
        cmocka_unit_test(steps_of_any_size_make_the_same_batch),
        cmocka_unit_test(no_codec_when_it_does_not_pay),
        cmocka_unit_test(an_empty_batch_can_be_sealed),
        cmocka_unit_test(seal_given_up_leaves_an_open_batch),
        cmocka_unit_test(seal_without_memory_leaves_an_open_batch),
        cmocka_unit_test(seal_without_a_codec_never_fails),
        cmocka_unit_test(statuses_of_codecs),
        cmocka_unit_test(numbered_again_is_sealed_afresh),
        cmocka_unit_test(wild_timestamps),
        cmocka_unit_test(golden_headers_both_ways),
        cmocka_unit_test_setup_teardown(what_is_no_batch, guard_up, guard_down),
        cmocka_unit_test_setup_teardown(each_bit_counts, guard_up, guard_down),
        cmocka_unit_test_setup_teardown(no_beginning_is_a_batch, guard_up, guard_down),
        cmocka_unit_test(resealed),
    };
    return cmocka_run_group_tests(tests, up, down);
}
