/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer of batches: any header as given, every codec, what it refuses, and what comes back
 * from the reader. */
#include "base/mem.h"
#include "tests/support/expect_fault.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/golden_batches.h"
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UNPACKED_MAX ((size_t)1 << 26)
#define MIB          1048576
#define MANY         10000

static kloop_batch_writer *writer;
static kloop_batch_reader *reader;
static uint8_t content[MIB];

static int up(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (uint8_t)((size_t) "batches by hand "[i % 16] + i / 5000);
    writer = kloop_batch_writer_new(NULL);
    reader = kloop_batch_reader_new(NULL, UNPACKED_MAX);
    return writer && reader ? 0 : -1;
}

static int down(void **unused)
{
    (void)unused;
    kloop_batch_writer_del(writer);
    kloop_batch_reader_del(reader);
    return 0;
}

/* ---- Helpers ---- */

/* What a caller's struct may hold before a call. */
static kloop_fault an_old_fault(void)
{
    kloop_fault fault = {.status = KLOOP_BAD_CRC, .at = 7, .a = 8, .b = 9, .depth = 1};
    fault.path[0].name = "old";
    return fault;
}

static kloop_slice write_all(const kloop_batch_header *header, const kloop_batch_record *records,
                             size_t count)
{
    kloop_fault fault;
    kloop_slice batch;
    kloop_batch_writer_start(writer, header);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(kloop_batch_writer_add(writer, &records[i], &fault), KLOOP_OK);
    assert_int_equal(kloop_batch_writer_end(writer, &batch, &fault), KLOOP_OK);
    return batch;
}

/* What comes back must be what went in. */
static void expect_back(kloop_slice batch, const kloop_batch_header *given,
                        const kloop_batch_record *records, size_t count)
{
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_fault fault;
    kloop_batch_reader_start(reader, batch.data, batch.len);
    assert_int_equal(kloop_batch_reader_next(reader, &header, &fault), KLOOP_OK);
    kloop_batch_header expected = *given;
    expected.magic = 2;
    expected.length = (int32_t)batch.len - 12;
    expected.crc = header->crc;
    expected.record_count = (int32_t)count;
    kl_golden_same_header(header, &expected);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(kloop_batch_reader_record(reader, &record, &fault), KLOOP_OK);
        assert_non_null(record);
        kl_golden_same_record(record, &records[i]);
    }
    assert_int_equal(kloop_batch_reader_record(reader, &record, &fault), KLOOP_OK);
    assert_null(record);
    assert_int_equal(kloop_batch_reader_next(reader, &header, &fault), KLOOP_OK);
    assert_null(header);
}

/* ---- Tests ---- */

static void golden_batches(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < KL_GOLDEN_BATCH_COUNT; i++) {
        const kl_golden_batch *golden = &kl_golden_batches[i];
        kloop_slice batch = write_all(&golden->header, golden->records, golden->count);
        assert_int_equal(batch.len, golden->len);
        assert_memory_equal(batch.data, golden->bytes, golden->len);
    }
}

static void what_was_read_is_written_again(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < KL_GOLDEN_BATCH_COUNT; i++) {
        const kl_golden_batch *golden = &kl_golden_batches[i];
        const kloop_batch_header *header;
        const kloop_batch_record *record;
        kloop_fault fault;
        kloop_batch_reader_start(reader, golden->bytes, golden->len);
        assert_int_equal(kloop_batch_reader_next(reader, &header, &fault), KLOOP_OK);
        kloop_batch_writer_start(writer, header);
        while (!kloop_batch_reader_record(reader, &record, &fault) && record)
            assert_int_equal(kloop_batch_writer_add(writer, record, &fault), KLOOP_OK);
        kloop_slice batch;
        for (int again = 0; again < 2; again++) {
            assert_int_equal(kloop_batch_writer_end(writer, &batch, &fault), KLOOP_OK);
            assert_int_equal(batch.len, golden->len);
            assert_memory_equal(batch.data, golden->bytes, golden->len);
        }
    }
}

static const kloop_record_header headers[] = {
    {{"", 0}, {NULL, 0}},
    {{"k\xc3\xa9y", 4}, {(const uint8_t *)"", 0}},
    {{"k\xc3\xa9y", 4}, {(const uint8_t *)"twice", 5}},
};

static const kloop_batch_header wild_header = {
    .base_offset = INT64_MIN,
    .partition_leader_epoch = INT32_MAX,
    .magic = 77,
    .length = -5,
    .crc = 99,
    .record_count = 1234,
    .attributes = (int16_t)(-32768 | KLOOP_BATCH_DELETE_HORIZON | KLOOP_BATCH_CONTROL |
                            KLOOP_BATCH_TRANSACTIONAL),
    .last_offset_delta = INT32_MIN,
    .base_timestamp = INT64_MAX,
    .max_timestamp = INT64_MIN,
    .producer_id = INT64_MAX - 1,
    .producer_epoch = INT16_MIN,
    .base_sequence = INT32_MAX,
};

static size_t wild_records(kloop_batch_record *records)
{
    size_t n = 0;
    records[n++] = (kloop_batch_record){.offset = INT64_MIN, .timestamp = INT64_MAX};
    records[n++] = (kloop_batch_record){
        .offset = INT64_MIN + INT32_MAX, .timestamp = INT64_MIN, .key = {content, 0}};
    /* Offsets before the base wrap around; the delta is what counts. */
    records[n++] = (kloop_batch_record){
        .offset = INT64_MAX, .timestamp = 0, .value = {content, 0}, .attributes = -1};
    records[n++] =
        (kloop_batch_record){.offset = (int64_t)((uint64_t)INT64_MIN - (uint64_t)INT32_MAX - 1),
                             .timestamp = -1,
                             .value = {content, MIB}};
    records[n++] = (kloop_batch_record){.offset = INT64_MIN,
                                        .timestamp = INT64_MAX - 1,
                                        .key = {content + 5, 70000},
                                        .headers = kloop_record_headers_of(headers, 3)};
    return n;
}

static void any_header_and_any_record_through_every_codec(void **unused)
{
    (void)unused;
    for (int16_t codec = 0; codec <= 4; codec++) {
        kloop_batch_record records[8];
        size_t count = wild_records(records);
        kloop_batch_header header = wild_header;
        header.attributes = (int16_t)(header.attributes | codec);
        kloop_slice batch = write_all(&header, records, count);
        expect_back(batch, &header, records, count);
        assert_true(batch.len <= kloop_batch_size_max(&header, records, count));
        if (codec)
            assert_true(batch.len < MIB / 2);
        else
            assert_int_equal(batch.len, kloop_batch_size_max(&header, records, count));
    }
}

static void many_records(void **unused)
{
    (void)unused;
    kloop_batch_record *records = calloc(MANY, sizeof(*records));
    assert_non_null(records);
    for (size_t i = 0; i < MANY; i++)
        records[i] =
            (kloop_batch_record){.offset = 1000 + (int64_t)i,
                                 .timestamp = 1700000000000 + (int64_t)(i * 7919 % 1000),
                                 .key = {i % 3 ? content : NULL, i % 9},
                                 .value = {content + i, i % 200},
                                 .headers = kloop_record_headers_of(headers, (int32_t)(i % 4))};
    for (size_t i = 0; i < MANY; i += 3)
        records[i].key.len = 0;
    kloop_batch_header header;
    kloop_batch_header_fit(&header, records, MANY);
    assert_int_equal(header.base_offset, 1000);
    assert_int_equal(header.last_offset_delta, MANY - 1);
    assert_true(header.base_timestamp == 1700000000000);
    assert_true(header.max_timestamp == 1700000000999);
    for (int16_t codec = 0; codec <= 4; codec++) {
        header.attributes = codec;
        kloop_slice batch = write_all(&header, records, MANY);
        expect_back(batch, &header, records, MANY);
    }
    free(records);
}

static void the_codec_is_kept_even_if_it_does_not_pay(void **unused)
{
    (void)unused;
    for (int16_t codec = 1; codec <= 4; codec++) {
        kloop_batch_record record = {.value = {(const uint8_t *)"x", 1}};
        kloop_batch_header header;
        kloop_batch_header_fit(&header, &record, 1);
        header.attributes = codec;
        kloop_slice batch = write_all(&header, &record, 1);
        expect_back(batch, &header, &record, 1);
        assert_true(batch.len > 61 + 8);
        assert_true(batch.len <= kloop_batch_size_max(&header, &record, 1));
    }
}

static void without_records_a_batch_is_its_header(void **unused)
{
    (void)unused;
    for (int16_t codec = 0; codec <= 4; codec++) {
        kloop_batch_header header;
        kloop_batch_header_init(&header);
        header.attributes = codec;
        header.last_offset_delta = 12;
        kloop_slice batch = write_all(&header, NULL, 0);
        assert_int_equal(batch.len, 61);
        expect_back(batch, &header, NULL, 0);
        assert_int_equal(kloop_batch_size_max(&header, NULL, 0), 61);
    }
    kloop_batch_header header;
    kloop_batch_header_fit(&header, NULL, 0);
    kloop_batch_header expected = {.partition_leader_epoch = -1,
                                   .magic = 2,
                                   .base_timestamp = -1,
                                   .max_timestamp = -1,
                                   .producer_id = -1,
                                   .producer_epoch = -1,
                                   .base_sequence = -1};
    kl_golden_same_header(&header, &expected);
}

static void success_leaves_nothing_of_an_old_fault(void **unused)
{
    (void)unused;
    const kl_golden_batch *golden = &kl_golden_batches[0];
    kloop_slice batch;
    uint8_t buffer[256];
    size_t used;
    kloop_fault fault = an_old_fault();
    kloop_batch_writer_start(writer, &golden->header);
    assert_int_equal(kloop_batch_writer_add(writer, &golden->records[0], &fault), KLOOP_OK);
    kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
    fault = an_old_fault();
    assert_int_equal(kloop_batch_writer_end(writer, &batch, &fault), KLOOP_OK);
    kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
    for (size_t count = 0; count < 3; count++) {
        fault = an_old_fault();
        assert_int_equal(kloop_batch_encode(writer, &golden->header, golden->records, count, buffer,
                                            sizeof(buffer), &used, &fault),
                         KLOOP_OK);
        kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
    }
    char text[100];
    kloop_fault_text(&fault, text, sizeof(text));
    assert_string_equal(text, "no fault");
}

/* ---- The size that is always enough ---- */

/* The size must be enough, exact without a codec, and above that no more than what the codec's own
 * format costs for bytes that cannot be made smaller. */
static void expect_size(const kloop_batch_record *record, int16_t codec)
{
    kloop_batch_header header;
    kloop_fault fault;
    size_t used;
    kloop_batch_header_fit(&header, record, 1);
    size_t exact = kloop_batch_size_max(&header, record, 1);
    header.attributes = codec;
    size_t max = kloop_batch_size_max(&header, record, 1);
    uint8_t *buffer = malloc(max);
    assert_non_null(buffer);
    assert_int_equal(kloop_batch_encode(writer, &header, record, 1, buffer, max, &used, &fault),
                     KLOOP_OK);
    assert_true(used <= max);
    if (codec == 0)
        assert_int_equal(used, max);
    assert_true(max <= exact + exact / (codec == 2 ? 50 : 2000) + 80);
    expect_back((kloop_slice){buffer, used}, &header, record, 1);
    free(buffer);
}

static void the_size_is_enough_for_bytes_that_do_not_fold(void **unused)
{
    (void)unused;
    static const size_t lens[] = {0,     1,     2,     100,   4095,  16370,  16384,  16385,
                                  32757, 32768, 32769, 65525, 65536, 131073, 300000, MIB};
    uint8_t *noise = malloc(MIB);
    assert_non_null(noise);
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < MIB; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise[i] = (uint8_t)(state >> 24);
    }
    for (int16_t codec = 0; codec <= 4; codec++) {
        for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
            kloop_batch_record record = {.offset = 3, .value = {noise, lens[i]}};
            expect_size(&record, codec);
            record.value.data = content;
            expect_size(&record, codec);
        }
    }
    free(noise);
}

static void the_size_of_a_null_is_none(void **unused)
{
    (void)unused;
    /* What stands in len is not looked at. */
    const kloop_record_header left_over[] = {{{"k", 1}, {NULL, 100000}}};
    kloop_batch_record record = {.key = {NULL, 70000},
                                 .value = {NULL, SIZE_MAX},
                                 .headers = kloop_record_headers_of(left_over, 1)};
    for (int16_t codec = 0; codec <= 4; codec++)
        expect_size(&record, codec);
    kloop_batch_header header;
    kloop_batch_header_fit(&header, &record, 1);
    assert_int_equal(kloop_batch_size_max(&header, &record, 1), 61 + 10);
}

static void no_size_is_enough_for_what_no_batch_holds(void **unused)
{
    (void)unused;
    const size_t half = SIZE_MAX / 2 + 1;
    const size_t quarter = SIZE_MAX / 4 + 1;
    const kloop_record_header four[] = {{{"a", 1}, {content, quarter}},
                                        {{"b", 1}, {content, quarter}},
                                        {{"c", 1}, {content, quarter}},
                                        {{"d", 1}, {content, quarter}}};
    const kloop_batch_record records[] = {
        {.headers = kloop_record_headers_of(four, 4)},
        {.key = {content, half}, .value = {content, half}},
        {.value = {content, half}},
        {.value = {content, half}},
        {.value = {content, (size_t)INT32_MAX - 40}},
        {.value = {content, (size_t)INT32_MAX - 49 - 15 - 8}},
        {.key = {content, 0}},
    };
    for (int16_t codec = 0; codec <= 4; codec++) {
        kloop_batch_header header;
        kloop_batch_header_init(&header);
        header.attributes = codec;
        assert_true(kloop_batch_size_max(&header, records, 1) == SIZE_MAX);
        assert_true(kloop_batch_size_max(&header, records + 1, 1) == SIZE_MAX);
        assert_true(kloop_batch_size_max(&header, records + 2, 2) == SIZE_MAX);
        assert_true(kloop_batch_size_max(&header, records + 4, 1) == SIZE_MAX);
        /* The largest that there are. */
        assert_true(kloop_batch_size_max(&header, records + 5, 1) >= (size_t)INT32_MAX);
        assert_true(kloop_batch_size_max(&header, records + 5, 1) < (size_t)INT32_MAX / 50 * 51);
    }
}

static void into_a_buffer(void **unused)
{
    (void)unused;
    kl_guard guard;
    kl_guard_init(&guard, 1000);
    for (size_t i = 0; i < KL_GOLDEN_BATCH_COUNT; i++) {
        const kl_golden_batch *golden = &kl_golden_batches[i];
        kloop_fault fault;
        size_t used;
        uint8_t *buffer = kl_guard_at_end(&guard, golden->len);
        assert_int_equal(kloop_batch_encode(writer, &golden->header, golden->records, golden->count,
                                            buffer, golden->len, &used, &fault),
                         KLOOP_OK);
        assert_int_equal(used, golden->len);
        assert_memory_equal(buffer, golden->bytes, golden->len);
        buffer = kl_guard_at_end(&guard, golden->len - 1);
        assert_int_equal(kloop_batch_encode(writer, &golden->header, golden->records, golden->count,
                                            buffer, golden->len - 1, &used, &fault),
                         KLOOP_NO_SPACE);
        kl_expect_fault(&fault, KLOOP_NO_SPACE, 0, (int64_t)golden->len, (int64_t)golden->len - 1,
                        "");
        assert_int_equal(used, 0);
        assert_int_equal(kloop_batch_encode(writer, &golden->header, golden->records, golden->count,
                                            NULL, 0, &used, NULL),
                         KLOOP_NO_SPACE);
    }
    kloop_batch_record bad = {.offset = INT64_MAX};
    kloop_batch_header header = {.base_offset = 0};
    size_t used = 5;
    assert_int_equal(kloop_batch_encode(writer, &header, &bad, 1, NULL, 0, &used, NULL),
                     KLOOP_OUT_OF_RANGE);
    assert_int_equal(used, 0);
    kl_guard_deinit(&guard);
}

/* ---- What is refused ---- */

/* As the third record of a batch; the batch stays good. */
static void refuse(const kloop_batch_record *record, kloop_status status, int64_t a, int64_t b,
                   const char *path)
{
    kloop_batch_record good = {.offset = 100, .timestamp = 5, .value = {(const uint8_t *)"v", 1}};
    kloop_batch_record twice[] = {good, good};
    kloop_batch_header header;
    kloop_fault fault;
    kloop_slice batch;
    kloop_batch_header_fit(&header, twice, 2);
    kloop_batch_writer_start(writer, &header);
    assert_int_equal(kloop_batch_writer_add(writer, &good, NULL), KLOOP_OK);
    assert_int_equal(kloop_batch_writer_add(writer, &good, NULL), KLOOP_OK);
    assert_int_equal(kloop_batch_writer_add(writer, record, &fault), status);
    kl_expect_fault(&fault, status, 61 + 2 * 8, a, b, path);
    assert_int_equal(kloop_batch_writer_add(writer, record, NULL), status);
    assert_int_equal(kloop_batch_writer_end(writer, &batch, &fault), KLOOP_OK);
    expect_back(batch, &header, twice, 2);
}

static void what_no_batch_can_hold(void **unused)
{
    (void)unused;
    refuse(&(kloop_batch_record){.offset = 100 + (int64_t)INT32_MAX + 1}, KLOOP_OUT_OF_RANGE,
           2147483748, 0, "records[2].offset");
    refuse(&(kloop_batch_record){.offset = 100 + (int64_t)INT32_MIN - 1}, KLOOP_OUT_OF_RANGE,
           -2147483549, 0, "records[2].offset");
    refuse(&(kloop_batch_record){.offset = INT64_MIN}, KLOOP_OUT_OF_RANGE, INT64_MIN, 0,
           "records[2].offset");

    const kloop_record_header null_key[] = {{{"k", 1}, {NULL, 0}}, {{NULL, 0}, {NULL, 0}}};
    kloop_batch_record record = {.offset = 100, .headers = kloop_record_headers_of(null_key, 2)};
    refuse(&record, KLOOP_BAD_NULL, 0, 0, "records[2].headers[1].key");
    const kloop_record_header latin[] = {{{"k\xe9y", 3}, {NULL, 0}}};
    record.headers = kloop_record_headers_of(latin, 1);
    refuse(&record, KLOOP_BAD_UTF8, 0, 0, "records[2].headers[0].key");
    record.headers = kloop_record_headers_of(latin, -1);
    refuse(&record, KLOOP_BAD_COUNT, -1, 0, "records[2].headers");
    record.headers = kloop_record_headers_of(NULL, 1);
    refuse(&record, KLOOP_BAD_COUNT, 1, 0, "records[2].headers");
    /* Two announced, bytes of one. */
    record.headers = (kloop_record_headers){.count = 2, .bytes = {(const uint8_t *)"\x02k\x01", 3}};
    refuse(&record, KLOOP_BAD_COUNT, 2, 3, "records[2].headers");
    record.headers = (kloop_record_headers){.count = 0};
    record.value = (kloop_slice){content, (size_t)INT32_MAX};
    refuse(&record, KLOOP_TOO_LONG, (int64_t)INT32_MAX + 15, INT32_MAX - 49 - 2 * 8, "records[2]");
}

static void unknown_codecs(void **unused)
{
    (void)unused;
    for (int16_t codec = 5; codec <= 7; codec++) {
        kloop_batch_header header;
        kloop_fault fault;
        kloop_slice batch;
        kloop_batch_header_init(&header);
        header.attributes = codec;
        kloop_batch_writer_start(writer, &header);
        assert_int_equal(kloop_batch_writer_end(writer, &batch, &fault), KLOOP_BAD_CODEC);
        kl_expect_fault(&fault, KLOOP_BAD_CODEC, 21, codec, 0, "attributes");
        assert_null(batch.data);
        assert_int_equal(kloop_batch_writer_end(writer, &batch, NULL), KLOOP_BAD_CODEC);
        size_t used;
        uint8_t buffer[61];
        assert_int_equal(
            kloop_batch_encode(writer, &header, NULL, 0, buffer, sizeof(buffer), &used, NULL),
            KLOOP_BAD_CODEC);
    }
}

/* ---- Memory ---- */

static bool add_patiently(kloop_batch_writer *w, const kloop_batch_record *record)
{
    kloop_fault fault;
    kloop_status status = kloop_batch_writer_add(w, record, &fault);
    if (status == KLOOP_NO_MEMORY)
        status = kloop_batch_writer_add(w, record, &fault);
    return status == KLOOP_OK;
}

static void without_memory(void **unused)
{
    (void)unused;
    /* Headers as bytes need a list for the time of the call. */
    uint8_t many[60];
    for (size_t i = 0; i < sizeof(many); i += 3)
        memcpy(many + i, "\x02k\x01", 3);
    kloop_batch_record records[] = {
        {.offset = 0, .value = {content, 100}},
        {.offset = 1, .value = {content, 200000}},
        {.offset = 2, .headers = {.count = 20, .bytes = {many, sizeof(many)}}},
    };
    kloop_batch_header header;
    kloop_batch_header_fit(&header, records, 3);
    for (int16_t codec = 0; codec <= 4; codec++) {
        header.attributes = codec;
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, nth);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kloop_batch_writer *w = kloop_batch_writer_new(&alloc);
            if (w) {
                kloop_slice batch;
                kloop_fault fault;
                kloop_batch_writer_start(w, &header);
                for (size_t i = 0; i < 3; i++)
                    assert_true(add_patiently(w, &records[i]));
                size_t refused = f.refused;
                kloop_status status = kloop_batch_writer_end(w, &batch, &fault);
                if (f.refused > refused) {
                    assert_int_equal(status, KLOOP_NO_MEMORY);
                    assert_null(batch.data);
                    status = kloop_batch_writer_end(w, &batch, &fault);
                }
                assert_int_equal(status, KLOOP_OK);
                expect_back(batch, &header, records, 3);
            }
            kloop_batch_writer_del(w);
            kl_fail_alloc_check(&f);
            if (f.refused == 0)
                break;
        }
    }
    kloop_batch_writer_del(NULL);
}

/* What is folded is let go of however the call ends: no more is held than after a good one. */
static void what_was_folded_is_not_kept(void **unused)
{
    (void)unused;
    uint8_t *noise = malloc(MIB);
    assert_non_null(noise);
    uint32_t state = 1;
    for (size_t i = 0; i < MIB; i++) {
        state = state * 1664525 + 1013904223;
        noise[i] = (uint8_t)(state >> 24);
    }
    kloop_batch_record record = {.value = {noise, MIB}};
    kloop_batch_header header;
    kloop_batch_header_fit(&header, &record, 1);
    for (int16_t codec = 1; codec <= 4; codec++) {
        header.attributes = codec;
        size_t max = kloop_batch_size_max(&header, &record, 1);
        uint8_t *buffer = malloc(max);
        assert_non_null(buffer);
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kloop_batch_writer *w = kloop_batch_writer_new(&alloc);
        assert_non_null(w);
        size_t used;
        kloop_fault fault;
        assert_int_equal(kloop_batch_encode(w, &header, &record, 1, buffer, max, &used, &fault),
                         KLOOP_OK);
        size_t held = f.live_bytes;
        assert_int_equal(
            kloop_batch_encode(w, &header, &record, 1, buffer, used - 1, &used, &fault),
            KLOOP_NO_SPACE);
        assert_int_equal(f.live_bytes, held);
        /* No memory for each of the segments, and at last for the bytes that are handed out. */
        for (size_t nth = 1;; nth++) {
            kloop_slice batch;
            f.refused = 0;
            f.nth = f.calls + nth;
            kloop_status status = kloop_batch_writer_end(w, &batch, &fault);
            if (f.refused == 0) {
                assert_int_equal(status, KLOOP_OK);
                assert_true(nth > 4);
                break;
            }
            assert_int_equal(status, KLOOP_NO_MEMORY);
            assert_true(f.live_bytes <= held);
        }
        kloop_batch_writer_del(w);
        kl_fail_alloc_check(&f);
        free(buffer);
    }
    free(noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_batches),
        cmocka_unit_test(what_was_read_is_written_again),
        cmocka_unit_test(any_header_and_any_record_through_every_codec),
        cmocka_unit_test(many_records),
        cmocka_unit_test(the_codec_is_kept_even_if_it_does_not_pay),
        cmocka_unit_test(without_records_a_batch_is_its_header),
        cmocka_unit_test(success_leaves_nothing_of_an_old_fault),
        cmocka_unit_test(the_size_is_enough_for_bytes_that_do_not_fold),
        cmocka_unit_test(the_size_of_a_null_is_none),
        cmocka_unit_test(no_size_is_enough_for_what_no_batch_holds),
        cmocka_unit_test(into_a_buffer),
        cmocka_unit_test(what_no_batch_can_hold),
        cmocka_unit_test(unknown_codecs),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(what_was_folded_is_not_kept),
    };
    return cmocka_run_group_tests(tests, up, down);
}
