/* SPDX-License-Identifier: BSD-2-Clause */
/* What is found wrong with a batch, case by case, packed and not. */
#include "broker/batch_check.h"
#include "base/be.h"
#include "base/mem.h"
#include "protocol/record_batch.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/guard.h"

#include <kloop/broker_error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kloop_batch_reader *reader;
static kl_scratch scratch;

static int set_up(void **state)
{
    (void)state;
    reader = kloop_batch_reader_new(NULL, 1 << 20);
    kl_scratch_init(&scratch, &kl_mem_libc);
    return reader ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    kloop_batch_reader_del(reader);
    kl_scratch_deinit(&scratch);
    return 0;
}

typedef struct sample {
    uint8_t bytes[4096];
    size_t len;
} sample;

static void make(sample *s, const int64_t *offsets, int32_t count, int16_t attributes)
{
    kloop_batch_record records[8] = {{.offset = 0}};
    kloop_batch_header header;
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    for (int32_t i = 0; i < count; i++) {
        records[i].offset = offsets ? offsets[i] : i;
        records[i].timestamp = 100 + i;
        records[i].value = (kloop_slice){(const uint8_t *)"value", 5};
    }
    kloop_batch_header_fit(&header, records, (size_t)count);
    header.base_offset = 0;
    header.last_offset_delta = count - 1;
    header.attributes = attributes;
    assert_int_equal(kloop_batch_encode(writer, &header, records, (size_t)count, s->bytes,
                                        sizeof s->bytes, &s->len, NULL),
                     KLOOP_OK);
    kloop_batch_writer_del(writer);
}

static void judge(const sample *s, bool records, kl_batch_findings *f)
{
    kl_batch_rules rules = {
        .size_max = 1 << 20, .newest_ms = INT64_MAX, .reader = records ? reader : NULL};
    kl_batch_judge((kloop_slice){s->bytes, s->len}, &rules, &scratch, f);
}

static void expect(const sample *s, int16_t error_code, const char *wrong)
{
    kl_batch_findings f;
    judge(s, true, &f);
    if (!wrong)
        assert_string_equal(f.wrong, "");
    else if (!strstr(f.wrong, wrong))
        fail_msg("'%s' is not in '%s'", wrong, f.wrong);
    assert_int_equal(f.error_code, error_code);
    assert_int_equal(f.malformed, error_code != 0);
}

static void reseal(sample *s)
{
    assert_true(kloop_batch_reseal(s->bytes, s->len));
}

/* ---- Finding the batch ---- */

static kl_batch_first first(const uint8_t *bytes, size_t len)
{
    size_t size;
    return kl_batch_find_first((kloop_slice){bytes, len}, &size);
}

static void a_batch_that_is_cut_is_none(void **state)
{
    (void)state;
    sample s;
    make(&s, NULL, 2, 0);
    kl_guard g;
    kl_guard_init(&g, sizeof s.bytes);
    for (size_t len = 0; len <= s.len; len++)
        assert_int_equal(first(kl_guard_copy_at_end(&g, s.bytes, len), len),
                         len == s.len ? KL_BATCH_FIRST_FOUND : KL_BATCH_FIRST_NONE);
    kl_guard_deinit(&g);
}

static void lengths_and_magics_that_cannot_be(void **state)
{
    (void)state;
    sample s;
    make(&s, NULL, 1, 0);
    static const int32_t lengths[] = {-1, 0, 13};
    for (size_t i = 0; i < 3; i++) {
        kl_be_store32(s.bytes + 8, (uint32_t)lengths[i]);
        assert_int_equal(first(s.bytes, 12), KL_BATCH_FIRST_CORRUPT);
    }
    kl_be_store32(s.bytes + 8, 14);
    assert_int_equal(first(s.bytes, 16), KL_BATCH_FIRST_NONE);
    assert_int_equal(first(s.bytes, 26), KL_BATCH_FIRST_FOUND);
    s.bytes[16] = 3;
    assert_int_equal(first(s.bytes, 26), KL_BATCH_FIRST_CORRUPT);
    s.bytes[16] = 0xff;
    assert_int_equal(first(s.bytes, 26), KL_BATCH_FIRST_CORRUPT);
    s.bytes[16] = 0;
    assert_int_equal(first(s.bytes, 26), KL_BATCH_FIRST_FOUND);
}

static void shapes(void **state)
{
    (void)state;
    sample s;
    kloop_slice batch;
    bool whole;
    make(&s, NULL, 1, 0);
    kloop_slice all = {s.bytes, s.len};
    assert_int_equal(kl_batch_shape(all, 3, &batch, &whole), 0);
    assert_int_equal(batch.len, s.len);
    /* Codecs that do not exist: before version 7 Kafka falls over them early. */
    s.bytes[22] = 5;
    assert_int_equal(kl_batch_shape(all, 7, &batch, &whole), 0);
    assert_int_equal(kl_batch_shape(all, 6, &batch, &whole), KLOOP_BROKER_UNKNOWN_SERVER_ERROR);
    assert_true(whole);
    s.bytes[22] = 4;
    assert_int_equal(kl_batch_shape(all, 6, &batch, &whole),
                     KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE);
    assert_false(whole);
    s.bytes[22] = 0;
    /* Too short for the producer id, which is read before the size is looked at. */
    for (size_t len = 26; len < 61; len++) {
        kl_be_store32(s.bytes + 8, (uint32_t)len - 12);
        assert_int_equal(kl_batch_shape((kloop_slice){s.bytes, len}, 12, &batch, &whole),
                         len < 51 ? KLOOP_BROKER_UNKNOWN_SERVER_ERROR : 0);
        assert_int_equal(whole, len < 51);
        kl_batch_findings f;
        kl_batch_rules rules = {.size_max = 1 << 20, .reader = reader};
        if (len >= 51) {
            kl_batch_judge(batch, &rules, &scratch, &f);
            assert_int_equal(f.error_code, KLOOP_BROKER_CORRUPT_MESSAGE);
        }
    }
}

/* ---- Judging ---- */

static void sound_batches_of_every_codec(void **state)
{
    (void)state;
    for (int16_t codec = 0; codec <= 4; codec++) {
        sample s;
        make(&s, NULL, 8, codec);
        expect(&s, 0, NULL);
        kl_batch_findings f;
        judge(&s, true, &f);
        assert_int_equal(f.max_timestamp, 107);
        s.bytes[s.len - 1] ^= 1;
        expect(&s, KLOOP_BROKER_CORRUPT_MESSAGE, "crc");
        judge(&s, false, &f);
        assert_int_equal(f.error_code, 0);
    }
}

static void offsets_that_are_not_in_a_row(void **state)
{
    (void)state;
    static const int64_t shifted[] = {0, 1, 3};
    for (int16_t codec = 0; codec <= 4; codec++) {
        sample s;
        make(&s, shifted, 3, codec);
        if (codec == 0)
            expect(&s, 0, "record 2 has offset delta 3");
        else
            expect(&s, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, "offset deltas");
    }
}

static void packed_bytes_that_are_none(void **state)
{
    (void)state;
    for (int16_t codec = 1; codec <= 4; codec++) {
        sample s;
        make(&s, NULL, 3, codec);
        memset(s.bytes + 61, 0xee, s.len - 61);
        reseal(&s);
        expect(&s, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, "records");
        s.len = 61;
        reseal(&s);
        expect(&s, codec == 4 ? KLOOP_BROKER_INVALID_RECORD : KLOOP_BROKER_UNKNOWN_SERVER_ERROR,
               "");
    }
}

static void counts_that_are_not_those_of_the_records(void **state)
{
    (void)state;
    for (int16_t codec = 0; codec <= 4; codec++) {
        for (int32_t count = 1; count <= 5; count++) {
            sample s;
            make(&s, NULL, 3, codec);
            kl_be_store32(s.bytes + 57, (uint32_t)count);
            kl_be_store32(s.bytes + 23, (uint32_t)count - 1);
            reseal(&s);
            if (count != 3)
                expect(&s, KLOOP_BROKER_INVALID_RECORD, "");
        }
    }
}

static void records_that_cannot_be_read(void **state)
{
    (void)state;
    sample s;
    make(&s, NULL, 1, 0);
    for (unsigned length = 0; length < 60; length++) {
        s.bytes[61] = (uint8_t)length;
        reseal(&s);
        expect(&s, length == 22 ? 0 : KLOOP_BROKER_INVALID_RECORD, length == 22 ? NULL : "");
    }
    make(&s, NULL, 1, 0);
    s.bytes[62] = 1;
    reseal(&s);
    expect(&s, 0, "record 0 has attributes 0x01");
}

static void timestamps_that_do_not_agree(void **state)
{
    (void)state;
    kl_batch_findings f;
    sample s;
    make(&s, NULL, 2, 0);
    kl_be_store64(s.bytes + 35, 9);
    reseal(&s);
    expect(&s, 0, "max timestamp 9, but the highest of the records is 101");
    judge(&s, true, &f);
    assert_int_equal(f.max_timestamp, 101);
    make(&s, NULL, 2, 0);
    s.bytes[63] = 4;
    reseal(&s);
    expect(&s, 0, "base timestamp 100, but the first record has 102");
}

static void header_fields_that_do_not_agree(void **state)
{
    (void)state;
    static const struct {
        int64_t id;
        int16_t epoch;
        int32_t sequence;
        int16_t error;
        const char *wrong;
    } cases[] = {{-1, -1, -1, 0, NULL},
                 {5, 0, 0, 0, NULL},
                 {5, 0, -1, KLOOP_BROKER_INVALID_RECORD, "base sequence -1"},
                 {5, -1, 0, 0, "epoch -1"},
                 {-1, 0, -1, 0, "no producer id"},
                 {-1, -1, 4, 0, "no producer id"},
                 {-2, -1, -1, 0, "no producer id"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sample s;
        make(&s, NULL, 1, 0);
        kl_be_store64(s.bytes + 43, (uint64_t)cases[i].id);
        kl_be_store16(s.bytes + 51, (uint16_t)cases[i].epoch);
        kl_be_store32(s.bytes + 53, (uint32_t)cases[i].sequence);
        reseal(&s);
        expect(&s, cases[i].error, cases[i].wrong);
    }
    static const struct {
        uint16_t attributes;
        int16_t error;
        const char *wrong;
    } flags[] = {{0x10, 0, NULL},
                 {0x20, KLOOP_BROKER_INVALID_RECORD, "control"},
                 {0x40, 0, "attributes"},
                 {0x08, 0, "attributes"},
                 {0x8000, 0, "attributes"},
                 {0x05, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, ""},
                 {0x07, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, ""}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        sample s;
        kl_batch_findings f;
        make(&s, NULL, 1, 0);
        kl_be_store16(s.bytes + 21, flags[i].attributes);
        reseal(&s);
        expect(&s, flags[i].error, flags[i].wrong);
        judge(&s, false, &f);
        assert_int_equal(f.error_code, flags[i].error);
    }
}

/* The key of a header that is no text: Kafka does not look. */
static void header_keys_may_be_anything_to_kafka(void **state)
{
    (void)state;
    sample s;
    kloop_record_header h = {.key = {"kk", 2}, .value = {NULL, 0}};
    kloop_batch_record r = {.value = {(const uint8_t *)"v", 1},
                            .headers = kloop_record_headers_of(&h, 1)};
    kloop_batch_header header;
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    kloop_batch_header_fit(&header, &r, 1);
    assert_int_equal(
        kloop_batch_encode(writer, &header, &r, 1, s.bytes, sizeof s.bytes, &s.len, NULL),
        KLOOP_OK);
    kloop_batch_writer_del(writer);
    expect(&s, 0, NULL);
    s.bytes[s.len - 2] = 0xff;
    reseal(&s);
    expect(&s, 0, "UTF-8");
}

static void without_memory_nothing_is_judged(void **state)
{
    (void)state;
    sample s;
    make(&s, NULL, 8, 4);
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kloop_batch_reader *poor = kloop_batch_reader_new(&alloc, 1 << 20);
        kl_scratch small;
        kl_scratch_init(&small, &alloc);
        kl_batch_findings found = {.no_memory = true};
        kl_batch_rules rules = {.size_max = 1 << 20, .newest_ms = 0, .reader = poor};
        if (poor)
            kl_batch_judge((kloop_slice){s.bytes, s.len}, &rules, &small, &found);
        assert_int_equal(found.no_memory, f.refused > 0);
        if (!found.no_memory)
            assert_int_equal(found.record_error_count, 8);
        kl_scratch_deinit(&small);
        kloop_batch_reader_del(poor);
        kl_fail_alloc_check(&f);
        if (f.refused == 0)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_that_is_cut_is_none),
        cmocka_unit_test(lengths_and_magics_that_cannot_be),
        cmocka_unit_test(shapes),
        cmocka_unit_test(sound_batches_of_every_codec),
        cmocka_unit_test(offsets_that_are_not_in_a_row),
        cmocka_unit_test(packed_bytes_that_are_none),
        cmocka_unit_test(counts_that_are_not_those_of_the_records),
        cmocka_unit_test(records_that_cannot_be_read),
        cmocka_unit_test(timestamps_that_do_not_agree),
        cmocka_unit_test(header_fields_that_do_not_agree),
        cmocka_unit_test(header_keys_may_be_anything_to_kafka),
        cmocka_unit_test(without_memory_nothing_is_judged),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
