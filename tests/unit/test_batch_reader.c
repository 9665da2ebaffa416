/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of batches: several in a row, every codec, every way in which records and header
 * disagree. */
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

#define UNPACKED_MAX 1000000

static kl_guard guard;
static kloop_batch_reader *reader;

static int up(void **unused)
{
    (void)unused;
    kl_guard_init(&guard, 1 << 20);
    reader = kloop_batch_reader_new(NULL, UNPACKED_MAX);
    return reader ? 0 : -1;
}

static int down(void **unused)
{
    (void)unused;
    kloop_batch_reader_del(reader);
    kl_guard_deinit(&guard);
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

/* Reads on to the end or the first fault; how many batches and records there were. */
static kloop_status read_all(size_t *batches, size_t *records, kloop_fault *fault)
{
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_status status;
    *batches = 0;
    *records = 0;
    while (!(status = kloop_batch_reader_next(reader, &header, fault)) && header) {
        ++*batches;
        while (!(status = kloop_batch_reader_record(reader, &record, fault)) && record)
            ++*records;
        if (status)
            break;
    }
    return status;
}

static void expect_golden(const kl_golden_batch *golden)
{
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_fault fault = an_old_fault();
    assert_int_equal(kloop_batch_reader_next(reader, &header, &fault), KLOOP_OK);
    kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
    assert_non_null(header);
    kl_golden_same_header(header, &golden->header);
    kloop_slice bytes = kloop_batch_reader_bytes(reader);
    assert_int_equal(bytes.len, golden->len);
    assert_memory_equal(bytes.data, golden->bytes, golden->len);
    for (size_t i = 0; i < golden->count; i++) {
        fault = an_old_fault();
        assert_int_equal(kloop_batch_reader_record(reader, &record, &fault), KLOOP_OK);
        kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
        assert_non_null(record);
        kl_golden_same_record(record, &golden->records[i]);
    }
    for (int again = 0; again < 2; again++) {
        fault = an_old_fault();
        assert_int_equal(kloop_batch_reader_record(reader, &record, &fault), KLOOP_OK);
        kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
        assert_null(record);
    }
}

static void expect_end(void)
{
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_fault fault = an_old_fault();
    for (int again = 0; again < 2; again++) {
        fault = an_old_fault();
        assert_int_equal(kloop_batch_reader_next(reader, &header, &fault), KLOOP_OK);
        kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
        assert_null(header);
        fault = an_old_fault();
        assert_int_equal(kloop_batch_reader_record(reader, &record, &fault), KLOOP_OK);
        kl_expect_fault(&fault, KLOOP_OK, 0, 0, 0, "");
        assert_null(record);
        assert_null(kloop_batch_reader_bytes(reader).data);
    }
}

/* A batch of these records, count as announced. */
static size_t make(uint8_t *to, int16_t attributes, int32_t count, const char *payload_hex)
{
    memset(to, 0, 61);
    to[16] = 2;
    to[21] = (uint8_t)((uint16_t)attributes >> 8);
    to[22] = (uint8_t)attributes;
    for (int i = 0; i < 4; i++)
        to[57 + i] = (uint8_t)((uint32_t)count >> (24 - 8 * i));
    size_t len = 61 + kl_hex_bytes(payload_hex, to + 61, 4000);
    assert_true(kloop_batch_reseal(to, len));
    return len;
}

/* ---- What is sound ---- */

static void golden_batches(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < KL_GOLDEN_BATCH_COUNT; i++) {
        const kl_golden_batch *golden = &kl_golden_batches[i];
        const uint8_t *p = kl_guard_copy_at_end(&guard, golden->bytes, golden->len);
        kloop_batch_reader_start(reader, p, golden->len);
        expect_golden(golden);
        expect_end();
        p = kl_guard_copy_at_begin(&guard, golden->bytes, golden->len);
        kloop_batch_reader_start(reader, p, golden->len);
        expect_golden(golden);
        expect_end();
    }
}

static size_t all_golden(uint8_t *to)
{
    size_t len = 0;
    for (size_t i = 0; i < KL_GOLDEN_BATCH_COUNT; i++) {
        memcpy(to + len, kl_golden_batches[i].bytes, kl_golden_batches[i].len);
        len += kl_golden_batches[i].len;
    }
    return len;
}

static void several_in_a_row(void **unused)
{
    (void)unused;
    uint8_t bytes[1000];
    size_t len = all_golden(bytes);
    kloop_batch_reader_start(reader, kl_guard_copy_at_end(&guard, bytes, len), len);
    for (size_t i = 0; i < KL_GOLDEN_BATCH_COUNT; i++)
        expect_golden(&kl_golden_batches[i]);
    expect_end();

    /* Headers alone, and a batch that is left in the middle. */
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_batch_reader_start(reader, kl_guard_copy_at_end(&guard, bytes, len), len);
    assert_int_equal(kloop_batch_reader_next(reader, &header, NULL), KLOOP_OK);
    assert_int_equal(kloop_batch_reader_record(reader, &record, NULL), KLOOP_OK);
    assert_int_equal(kloop_batch_reader_next(reader, &header, NULL), KLOOP_OK);
    kl_golden_same_header(header, &kl_golden_batches[1].header);
    expect_golden(&kl_golden_batches[2]);
    expect_end();

    /* Each of them cut: the whole ones before the cut are read, then there is a fault. */
    for (size_t cut = 1; cut < len; cut++) {
        size_t batches;
        size_t records;
        kloop_fault fault;
        kloop_batch_reader_start(reader, kl_guard_copy_at_end(&guard, bytes, cut), cut);
        kloop_status status = read_all(&batches, &records, &fault);
        size_t first = kl_golden_batches[0].len;
        size_t second = first + kl_golden_batches[1].len;
        assert_int_equal(batches, cut < first ? 0 : cut < second ? 1 : 2);
        assert_int_equal(status, cut == first || cut == second ? KLOOP_OK : KLOOP_TRUNCATED);
        if (cut > second + 12)
            kl_expect_fault(&fault, KLOOP_TRUNCATED, second + 8, 153, (int64_t)(cut - second - 12),
                            "length");
    }
}

static void nothing_is_no_batch(void **unused)
{
    (void)unused;
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_batch_reader *fresh = kloop_batch_reader_new(NULL, 0);
    assert_non_null(fresh);
    assert_int_equal(kloop_batch_reader_record(fresh, &record, NULL), KLOOP_OK);
    assert_null(record);
    assert_int_equal(kloop_batch_reader_next(fresh, &header, NULL), KLOOP_OK);
    assert_null(header);
    kloop_batch_reader_del(fresh);
    kloop_batch_reader_start(reader, NULL, 0);
    expect_end();
    kloop_batch_reader_start(reader, kl_guard_at_end(&guard, 0), 0);
    expect_end();
    kloop_batch_reader_del(NULL);
}

static void empty_batches_are_sound(void **unused)
{
    (void)unused;
    uint8_t bytes[4200];
    for (int16_t codec = 0; codec <= 4; codec++) {
        size_t len = make(bytes, codec, 0, "");
        bytes[26] = 77; /* the delta of an offset that is gone */
        assert_true(kloop_batch_reseal(bytes, len));
        size_t batches;
        size_t records;
        kloop_fault fault;
        kloop_batch_reader_start(reader, kl_guard_copy_at_end(&guard, bytes, len), len);
        assert_int_equal(read_all(&batches, &records, &fault), KLOOP_OK);
        assert_int_equal(batches, 1);
        assert_int_equal(records, 0);
        assert_int_equal(fault.status, KLOOP_OK);
    }
    /* A stream of lz4 that holds nothing. */
    size_t len = make(bytes, 3, 0, "04224d18604082 00000000");
    size_t batches;
    size_t records;
    kloop_batch_reader_start(reader, kl_guard_copy_at_end(&guard, bytes, len), len);
    assert_int_equal(read_all(&batches, &records, NULL), KLOOP_OK);
    assert_int_equal(batches, 1);
}

static void append_time_is_the_batchs(void **unused)
{
    (void)unused;
    uint8_t bytes[256];
    const kl_golden_batch *golden = &kl_golden_batches[0];
    memcpy(bytes, golden->bytes, golden->len);
    bytes[22] = KLOOP_BATCH_APPEND_TIME;
    assert_true(kloop_batch_reseal(bytes, golden->len));
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_batch_reader_start(reader, bytes, golden->len);
    assert_int_equal(kloop_batch_reader_next(reader, &header, NULL), KLOOP_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kloop_batch_reader_record(reader, &record, NULL), KLOOP_OK);
        assert_true(record->timestamp == 1700000000005);
        assert_true(record->offset == i);
    }
}

static void sums_wrap_around(void **unused)
{
    (void)unused;
    /* Base offset and timestamp at their ends, deltas beyond them, as Java adds them. */
    uint8_t bytes[256];
    size_t len = make(bytes, 0, 2,
                      "0e ff 02 02 01 02 61 00"
                      "26 01 ffffffffffffffffff01 ffffffff0f 01 01 00");
    memset(bytes, 0xff, 8);
    bytes[0] = 0x7f;
    memcpy(bytes + 27, bytes, 8);
    bytes[27] = 0x80;
    memset(bytes + 28, 0, 7);
    assert_true(kloop_batch_reseal(bytes, len));
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_fault fault;
    kloop_batch_reader_start(reader, bytes, len);
    assert_int_equal(kloop_batch_reader_next(reader, &header, &fault), KLOOP_OK);
    assert_true(header->base_offset == INT64_MAX);
    assert_true(header->base_timestamp == INT64_MIN);
    assert_int_equal(kloop_batch_reader_record(reader, &record, &fault), KLOOP_OK);
    assert_true(record->offset == INT64_MIN);
    assert_true(record->timestamp == INT64_MIN + 1);
    assert_int_equal(record->attributes, -1);
    assert_int_equal(kloop_batch_reader_record(reader, &record, &fault), KLOOP_OK);
    assert_true(record->offset == INT64_MAX + (int64_t)INT32_MIN);
    assert_true(record->timestamp == 0);
    assert_int_equal(record->attributes, 1);
}

/* ---- What is not ---- */

static void refuse(int16_t attributes, int32_t count, const char *payload, kloop_status status,
                   size_t at, int64_t a, int64_t b, const char *path)
{
    uint8_t bytes[4200];
    size_t batches;
    size_t records;
    kloop_fault fault;
    /* Behind another batch, so that places are counted from the start of all. */
    size_t before = make(bytes, 0, 0, "");
    size_t len = before + make(bytes + before, attributes, count, payload);
    kloop_batch_reader_start(reader, kl_guard_copy_at_end(&guard, bytes, len), len);
    assert_int_equal(read_all(&batches, &records, &fault), status);
    kl_expect_fault(&fault, status, before + at, a, b, path);
    assert_int_equal(batches, 2);

    /* It stays with the fault, whatever is asked. */
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    for (int again = 0; again < 2; again++) {
        memset(&fault, 0, sizeof(fault));
        assert_int_equal(kloop_batch_reader_record(reader, &record, &fault), status);
        assert_null(record);
        kl_expect_fault(&fault, status, before + at, a, b, path);
        assert_int_equal(kloop_batch_reader_next(reader, &header, NULL), status);
        assert_null(header);
    }
    kloop_batch_reader_start(reader, kl_golden_batches[0].bytes, kl_golden_batches[0].len);
    expect_golden(&kl_golden_batches[0]);
}

#define RECORD "0c 00 00 00 01 01 00"

static void counts_that_lie(void **unused)
{
    (void)unused;
    refuse(0, 1, "", KLOOP_BAD_RECORDS, 61, 1, 0, "records");
    refuse(0, 3, RECORD RECORD, KLOOP_BAD_RECORDS, 75, 3, 2, "records");
    refuse(0, INT32_MAX, RECORD, KLOOP_BAD_RECORDS, 68, INT32_MAX, 1, "records");
    refuse(0, 1, RECORD RECORD, KLOOP_TRAILING, 68, 7, 0, "records");
    refuse(0, 0, RECORD, KLOOP_TRAILING, 61, 7, 0, "records");
    refuse(0, 1, RECORD "00", KLOOP_TRAILING, 68, 1, 0, "records");
}

static void records_that_are_none(void **unused)
{
    (void)unused;
    refuse(0, 1, "80", KLOOP_TRUNCATED, 61, 2, 1, "records[0].length");
    refuse(0, 2, RECORD "0c 00 00", KLOOP_TRUNCATED, 68, 6, 2, "records[1].length");
    refuse(0, 2, RECORD "01", KLOOP_BAD_LENGTH, 68, -1, 0, "records[1].length");
    refuse(0, 2, RECORD "0e 00 00 00 01 01 00 00", KLOOP_BAD_RECORD, 75, 7, 6, "records[1]");
    refuse(0, 2, RECORD "0a 00 00 00 01 01 00", KLOOP_TRUNCATED, 74, 1, 0, "records[1].headers");
    refuse(0, 2, RECORD "0c 00 00 00 01 01 01", KLOOP_BAD_COUNT, 74, -1, 0, "records[1].headers");
    refuse(0, 2, RECORD "10 00 00 00 01 01 02 01 01", KLOOP_BAD_NULL, 75, -1, 0,
           "records[1].headers[0].key");
    refuse(0, 1, "12 00 00 00 01 01 02 02ff 01", KLOOP_BAD_UTF8, 69, 0, 0,
           "records[0].headers[0].key");
}

static void what_is_packed_badly(void **unused)
{
    (void)unused;
    /* Records inside a stream are judged the same; the place is that of the stream. Stored blocks
     * keep them readable. */
    refuse(3, 2, "04224d18604082 07000080" RECORD "00000000", KLOOP_BAD_RECORDS, 61, 2, 1,
           "records");
    refuse(3, 1,
           "04224d18604082 08000080" RECORD "55"
           "00000000",
           KLOOP_TRAILING, 61, 1, 0, "records");
    refuse(3, 1,
           "04224d18604082 07000080"
           "0e 00 00 00 01 01 00"
           "00000000",
           KLOOP_TRUNCATED, 61, 7, 6, "records[0].length");
    refuse(3, 0, "04224d18604082 07000080" RECORD "00000000", KLOOP_TRAILING, 61, 7, 0, "records");

    static const char *const junk[] = {NULL, "1f8b0800", "ffffffffff", "04224d18", "28b52ffd"};
    /* zlib takes what there is of a header; the others look at a whole one. */
    static const size_t junk_faults[] = {0, 65, 61, 61, 61};
    for (int16_t codec = 1; codec <= 4; codec++) {
        uint8_t bytes[4200];
        for (int32_t count = 0; count < 2; count++) {
            size_t len = make(bytes, codec, count, junk[codec]);
            size_t batches;
            size_t records;
            kloop_fault fault;
            kloop_batch_reader_start(reader, kl_guard_copy_at_end(&guard, bytes, len), len);
            assert_int_equal(read_all(&batches, &records, &fault), KLOOP_BAD_PACKING);
            assert_int_equal(batches, 1);
            assert_int_equal(records, 0);
            kl_expect_fault(&fault, KLOOP_BAD_PACKING, junk_faults[codec], 0, 0, "records");
        }
        size_t len = make(bytes, codec, 1, "");
        size_t batches;
        size_t records;
        kloop_batch_reader_start(reader, kl_guard_copy_at_end(&guard, bytes, len), len);
        kloop_fault fault;
        assert_int_equal(read_all(&batches, &records, &fault), KLOOP_BAD_PACKING);
        kl_expect_fault(&fault, KLOOP_BAD_PACKING, 61, 0, 0, "records");
        assert_int_equal(batches, 1);
        assert_int_equal(records, 0);
    }
}

/* A batch of one record with so many zeros. */
static kloop_slice bomb(kloop_batch_writer *writer, int16_t codec, size_t len)
{
    static const uint8_t zeros[100000];
    kloop_batch_record record = {.value = {zeros, len}};
    kloop_batch_header header;
    kloop_slice batch;
    kloop_batch_header_fit(&header, &record, 1);
    header.attributes = codec;
    kloop_batch_writer_start(writer, &header);
    assert_int_equal(kloop_batch_writer_add(writer, &record, NULL), KLOOP_OK);
    assert_int_equal(kloop_batch_writer_end(writer, &batch, NULL), KLOOP_OK);
    return batch;
}

static void there_is_a_limit(void **unused)
{
    (void)unused;
    /* 12 bytes go before the value: three each for two lengths, six for the rest. */
    enum { LIMIT = 50000, FITS = LIMIT - 11 };
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    kloop_batch_reader *bounded = kloop_batch_reader_new(&alloc, LIMIT);
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_fault fault;
    for (int16_t codec = 1; codec <= 4; codec++) {
        kloop_slice batch = bomb(writer, codec, FITS);
        kloop_batch_reader_start(bounded, batch.data, batch.len);
        assert_int_equal(kloop_batch_reader_next(bounded, &header, &fault), KLOOP_OK);
        assert_int_equal(kloop_batch_reader_record(bounded, &record, &fault), KLOOP_OK);
        assert_int_equal(record->value.len, FITS);
        batch = bomb(writer, codec, FITS + 1);
        kloop_batch_reader_start(bounded, batch.data, batch.len);
        assert_int_equal(kloop_batch_reader_next(bounded, &header, &fault), KLOOP_OK);
        assert_int_equal(kloop_batch_reader_record(bounded, &record, &fault), KLOOP_TOO_LARGE);
        assert_int_equal(fault.a, LIMIT);
        assert_null(record);
    }
    /* Without a codec nothing unfolds. */
    kloop_slice batch = bomb(writer, 0, 100000);
    kloop_batch_reader_start(bounded, batch.data, batch.len);
    assert_int_equal(kloop_batch_reader_next(bounded, &header, &fault), KLOOP_OK);
    assert_int_equal(kloop_batch_reader_record(bounded, &record, &fault), KLOOP_OK);
    assert_int_equal(record->value.len, 100000);
    kloop_batch_reader_del(bounded);
    kloop_batch_writer_del(writer);
    kl_fail_alloc_check(&f);
}

static void without_memory(void **unused)
{
    (void)unused;
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    for (int16_t codec = 0; codec <= 4; codec++) {
        kloop_slice batch = bomb(writer, codec, 60000);
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, nth);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            const kloop_batch_header *header;
            const kloop_batch_record *record;
            kloop_fault fault;
            kloop_batch_reader *r = kloop_batch_reader_new(&alloc, UNPACKED_MAX);
            if (r) {
                kloop_batch_reader_start(r, batch.data, batch.len);
                assert_int_equal(kloop_batch_reader_next(r, &header, &fault), KLOOP_OK);
                kloop_status status = kloop_batch_reader_record(r, &record, &fault);
                assert_int_equal(status, f.refused ? KLOOP_NO_MEMORY : KLOOP_OK);
                if (f.refused) {
                    kl_expect_fault(&fault, KLOOP_NO_MEMORY, 61, 0, 0, "records");
                    kloop_batch_reader_start(r, batch.data, batch.len);
                    assert_int_equal(kloop_batch_reader_next(r, &header, &fault), KLOOP_OK);
                    assert_int_equal(kloop_batch_reader_record(r, &record, &fault), KLOOP_OK);
                }
                assert_int_equal(record->value.len, 60000);
            } else {
                assert_int_equal(f.refused, 1);
            }
            kloop_batch_reader_del(r);
            kl_fail_alloc_check(&f);
            if (f.refused == 0)
                break;
        }
    }
    kloop_batch_writer_del(writer);
}

/* Where and what a damage at that place may be said to be. */
static void expect_damage(const kloop_fault *fault, const kl_golden_batch *golden, size_t at)
{
    assert_true(fault->depth > 0);
    assert_string_equal(fault->path[fault->depth - 1].name, "records");
    if (fault->status == KLOOP_BAD_COUNT && fault->depth == 1) {
        assert_in_range(at, 57, 60);
        assert_int_equal(fault->at, 57);
    } else if (kloop_batch_codec(&golden->header) == 0) {
        assert_in_range(fault->at, 61, golden->len);
    } else if (fault->status == KLOOP_BAD_PACKING) {
        assert_in_range(fault->at, 61, golden->len);
        assert_int_equal(fault->depth, 1);
    } else {
        assert_int_equal(fault->at, 61);
    }
}

/* How often each fault is found in the two batches without a codec. */
static const size_t found[2][KLOOP_STATUS_COUNT] = {
    {[KLOOP_TRUNCATED] = 23,
     [KLOOP_TRAILING] = 2,
     [KLOOP_BAD_LENGTH] = 11,
     [KLOOP_BAD_COUNT] = 25,
     [KLOOP_BAD_NULL] = 1,
     [KLOOP_BAD_UTF8] = 2,
     [KLOOP_BAD_RECORD] = 1,
     [KLOOP_BAD_RECORDS] = 20},
    {[KLOOP_TRUNCATED] = 42,
     [KLOOP_TRAILING] = 2,
     [KLOOP_BAD_LENGTH] = 32,
     [KLOOP_BAD_COUNT] = 30,
     [KLOOP_BAD_NULL] = 5,
     [KLOOP_BAD_UTF8] = 48,
     [KLOOP_BAD_RECORD] = 12,
     [KLOOP_BAD_RECORDS] = 20},
};

/* Any change behind the CRC is read to a fault or to the end, never beyond the bytes. */
static void damaged_records(void **unused)
{
    (void)unused;
    static const uint8_t wild[] = {0x00, 0x01, 0x02, 0x7f, 0x80, 0xff, 0x3f};
    for (size_t g = 0; g < KL_GOLDEN_BATCH_COUNT; g++) {
        const kl_golden_batch *golden = &kl_golden_batches[g];
        size_t tally[KLOOP_STATUS_COUNT] = {0};
        for (size_t at = 57; at < golden->len; at++) {
            for (size_t i = 0; i < sizeof(wild); i++) {
                uint8_t *p = kl_guard_copy_at_end(&guard, golden->bytes, golden->len);
                p[at] = wild[i];
                assert_true(kloop_batch_reseal(p, golden->len));
                size_t batches;
                size_t records;
                kloop_fault fault;
                kloop_batch_reader_start(reader, p, golden->len);
                if (read_all(&batches, &records, &fault)) {
                    expect_damage(&fault, golden, at);
                    tally[fault.status]++;
                } else {
                    assert_int_equal(batches, 1);
                }
            }
        }
        if (kloop_batch_codec(&golden->header) == 0)
            assert_memory_equal(tally, found[g], sizeof(tally));
        else
            assert_int_equal(tally[KLOOP_BAD_RECORDS], 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_batches),
        cmocka_unit_test(several_in_a_row),
        cmocka_unit_test(nothing_is_no_batch),
        cmocka_unit_test(empty_batches_are_sound),
        cmocka_unit_test(append_time_is_the_batchs),
        cmocka_unit_test(sums_wrap_around),
        cmocka_unit_test(counts_that_lie),
        cmocka_unit_test(records_that_are_none),
        cmocka_unit_test(what_is_packed_badly),
        cmocka_unit_test(there_is_a_limit),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(damaged_records),
    };
    return cmocka_run_group_tests(tests, up, down);
}
