/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Record batches as JSON and back: exact text, exact bytes, and what the JSON of a batch may not
 * be. That bytes which are no batch are refused is the reader's affair and tested there; here only
 * that its verdict comes through.
 */
#include "tests/support/expect_fault.h"
#include "tests/support/fail_alloc.h"
#include "wiretools/batch_load.h"
#include "wiretools/batch_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two records, made by Kafka's own producer classes. */
#define GOLDEN                                                                                     \
    "000000000000000000000049ffffffff027639736a0000000000010000018bcfe568000000018bcfe568050000"   \
    "00000000109200070000000a0000000210000000026b0276001c000a02010a68656c6c6f02026801"

#define GOLDEN_JSON                                                                                \
    "{\"baseOffset\":0,\"partitionLeaderEpoch\":-1,\"magic\":2,\"crc\":1983476586,"                \
    "\"compression\":\"none\",\"timestampType\":\"create\",\"transactional\":false,"               \
    "\"control\":false,\"lastOffsetDelta\":1,\"baseTimestamp\":1700000000000,"                     \
    "\"maxTimestamp\":1700000000005,\"producerId\":4242,\"producerEpoch\":7,\"baseSequence\":10,"  \
    "\"records\":[{\"offset\":0,\"timestamp\":1700000000000,\"key\":\"aw==\",\"value\":\"dg==\","  \
    "\"headers\":[]},{\"offset\":1,\"timestamp\":1700000000005,\"key\":null,"                      \
    "\"value\":\"aGVsbG8=\",\"headers\":[{\"key\":\"h\",\"value\":null}]}]}"

typedef struct workshop {
    kl_fail_alloc alloc;
    kl_batch_printer printer;
    kl_batch_loader loader;
    kl_json_doc doc;
    kl_arena arena;
    kl_buf text;
    kl_buf bytes;
    kl_load_error error;
} workshop;

static void open_shop(workshop *s, size_t nth)
{
    kl_fail_alloc_init(&s->alloc, nth);
    kloop_allocator table = kl_fail_alloc_table(&s->alloc);
    kl_batch_printer_init(&s->printer, &table);
    kl_batch_loader_init(&s->loader, &table);
    kl_json_doc_init(&s->doc, &table);
    kl_arena_init(&s->arena, &table);
    kl_buf_init(&s->text, &table);
    kl_buf_init(&s->bytes, &table);
}

static void close_shop(workshop *s)
{
    kl_buf_deinit(&s->bytes);
    kl_buf_deinit(&s->text);
    kl_arena_deinit(&s->arena);
    kl_json_doc_deinit(&s->doc);
    kl_batch_loader_deinit(&s->loader);
    kl_batch_printer_deinit(&s->printer);
    kl_fail_alloc_check(&s->alloc);
}

static kloop_status print(workshop *s, kloop_slice bytes, kloop_fault *fault)
{
    kl_buf_reset(&s->text);
    return kl_batch_print(&s->printer, bytes, &s->text, fault);
}

static bool load(workshop *s, const char *json)
{
    memset(&s->error, 0, sizeof s->error);
    kl_arena_reset(&s->arena);
    kl_buf_reset(&s->bytes);
    kl_json *root = kl_json_read(&s->doc, json, strlen(json));
    if (!root)
        return false;
    return kl_batch_load(&s->loader, root, &s->arena, &s->bytes, &s->error);
}

static kloop_slice golden(uint8_t *to, size_t room)
{
    return (kloop_slice){to, kl_hex_bytes(GOLDEN, to, room)};
}

static void expect_json(workshop *s, const char *json)
{
    assert_int_equal(s->text.len, strlen(json));
    assert_memory_equal(s->text.data, json, s->text.len);
}

/* ---- Both ways ---- */

static void golden_batch_to_json_and_back(void **state)
{
    (void)state;
    workshop s;
    uint8_t bytes[200];
    kloop_fault fault;
    open_shop(&s, 0);
    assert_int_equal(print(&s, golden(bytes, sizeof bytes), &fault), KLOOP_OK);
    expect_json(&s, "[" GOLDEN_JSON "]");
    assert_true(load(&s, GOLDEN_JSON));
    kl_expect_bytes(s.bytes.data, s.bytes.len, GOLDEN);
    /* What was printed, being an array, is taken too. */
    assert_true(load(&s, "[" GOLDEN_JSON "," GOLDEN_JSON "]"));
    kl_expect_bytes(s.bytes.data, s.bytes.len, GOLDEN GOLDEN);
    assert_int_equal(print(&s, (kloop_slice){s.bytes.data, s.bytes.len}, &fault), KLOOP_OK);
    expect_json(&s, "[" GOLDEN_JSON "," GOLDEN_JSON "]");
    close_shop(&s);
}

#define HEADER_JSON(compression, type, transactional, control)                                     \
    "{\"baseOffset\":-5,\"partitionLeaderEpoch\":2147483647,\"magic\":2,"                          \
    "\"compression\":\"" compression "\",\"timestampType\":\"" type                                \
    "\",\"transactional\":" transactional ",\"control\":" control                                  \
    ",\"lastOffsetDelta\":-2147483648,\"baseTimestamp\":9223372036854775807,"                      \
    "\"maxTimestamp\":-9223372036854775808,\"producerId\":-1,\"producerEpoch\":-32768,"            \
    "\"baseSequence\":-1,"

static void every_field_of_the_header_has_its_place(void **state)
{
    (void)state;
    workshop s;
    open_shop(&s, 0);
    /* No record at all: the header's bytes are all there is. */
    assert_true(load(&s, HEADER_JSON("zstd", "append", "true", "false") "\"records\":[]}"));
    assert_int_equal(s.bytes.len, 61);
    const uint8_t *b = s.bytes.data;
    kl_expect_bytes(b, 17, "fffffffffffffffb 00000031 7fffffff 02");
    kl_expect_bytes(b + 21, 40,
                    "001c 80000000 7fffffffffffffff 8000000000000000 ffffffffffffffff 8000 "
                    "ffffffff 00000000");
    kloop_fault fault;
    assert_int_equal(print(&s, (kloop_slice){s.bytes.data, s.bytes.len}, &fault), KLOOP_OK);
    assert_true(load(&s, HEADER_JSON("none", "create", "false", "true") "\"records\":[]}"));
    kl_expect_bytes(s.bytes.data + 21, 2, "0020");
    close_shop(&s);
}

static void every_codec_there_and_back(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    workshop s;
    open_shop(&s, 0);
    for (int i = 0; i < 5; i++) {
        static char json[4000], wanted[4000];
        static const char *const types[] = {"create", "append"};
        /* Under append every record has the batch's max timestamp, so it is given as that. */
        for (int type = 0; type < 2; type++) {
            snprintf(json, sizeof json,
                     "{\"baseOffset\":7,\"partitionLeaderEpoch\":1,\"magic\":2,\"compression\":"
                     "\"%s\",\"timestampType\":\"%s\",\"transactional\":true,\"control\":false,"
                     "\"lastOffsetDelta\":1,\"baseTimestamp\":50,\"maxTimestamp\":60,"
                     "\"producerId\":1,\"producerEpoch\":2,\"baseSequence\":3,\"records\":["
                     "{\"offset\":7,\"timestamp\":60,\"key\":\"\",\"value\":null,\"headers\":["
                     "{\"key\":\"\",\"value\":\"\"},{\"key\":\"\xc3\xa4\",\"value\":\"AAAA\"}]},"
                     "{\"offset\":9,\"timestamp\":60,\"key\":null,\"value\":\"\",\"headers\":[]}]}",
                     codecs[i], types[type]);
            if (!load(&s, json))
                fail_msg("%s at %zu", s.error.reason, s.error.offset);
            assert_int_equal(s.bytes.data[22], i | type << 3 | 0x10);
            kloop_fault fault;
            assert_int_equal(print(&s, (kloop_slice){s.bytes.data, s.bytes.len}, &fault), KLOOP_OK);
            /* The same but for the checksum, which only bytes have. */
            const char *at = strstr(json, "\"compression\"");
            const uint8_t *crc = s.bytes.data + 17;
            unsigned sum =
                (unsigned)crc[0] << 24 | (unsigned)crc[1] << 16 | (unsigned)crc[2] << 8 | crc[3];
            snprintf(wanted, sizeof wanted, "[%.*s\"crc\":%u,%s]", (int)(at - json), json, sum, at);
            expect_json(&s, wanted);
        }
    }
    close_shop(&s);
}

/* ---- Printing ---- */

static void verdict_of_the_reader_comes_through(void **state)
{
    (void)state;
    workshop s;
    uint8_t bytes[400];
    kloop_fault fault;
    open_shop(&s, 0);
    kloop_slice batch = golden(bytes, sizeof bytes);
    /* Nothing is no batch. */
    print(&s, (kloop_slice){bytes, 0}, &fault);
    kl_expect_fault(&fault, KLOOP_TRUNCATED, 0, 61, 0, "");
    assert_int_not_equal(print(&s, (kloop_slice){bytes, batch.len - 1}, &fault), KLOOP_OK);
    bytes[16] = 1;
    assert_int_equal(print(&s, batch, &fault), KLOOP_BAD_MAGIC);
    bytes[16] = 2;
    bytes[60] ^= 1;
    assert_int_equal(print(&s, batch, &fault), KLOOP_BAD_CRC);
    /* In a second batch, and inside a record. */
    batch = golden(bytes, sizeof bytes);
    memcpy(bytes + batch.len, bytes, batch.len);
    bytes[batch.len + 16] = 3;
    assert_int_equal(print(&s, (kloop_slice){bytes, 2 * batch.len}, &fault), KLOOP_BAD_MAGIC);
    assert_int_equal(fault.at, batch.len + 16);
    batch = golden(bytes, sizeof bytes);
    bytes[61] = 0x7e;
    assert_true(kloop_batch_reseal(bytes, batch.len));
    kloop_status status = print(&s, batch, &fault);
    assert_int_not_equal(status, KLOOP_OK);
    assert_int_equal(fault.status, status);
    assert_true(fault.at >= 61 && fault.at <= batch.len);
    /* A printer goes on after a fault. */
    assert_int_equal(print(&s, golden(bytes, sizeof bytes), &fault), KLOOP_OK);
    expect_json(&s, "[" GOLDEN_JSON "]");
    close_shop(&s);
}

/* ---- Loading ---- */

/* The golden JSON with one piece of it replaced. */
static const char *changed(const char *piece, const char *by)
{
    static char json[3000];
    const char *at = strstr(GOLDEN_JSON, piece);
    assert_non_null(at);
    snprintf(json, sizeof json, "%.*s%s%s", (int)(at - GOLDEN_JSON), GOLDEN_JSON, by,
             at + strlen(piece));
    return json;
}

static void what_the_json_of_a_batch_may_not_be(void **state)
{
    (void)state;
    static const struct {
        const char *piece, *by;
        const char *at; /* the fault stands where this begins, in the changed text */
        const char *reason;
    } cases[] = {
        /* missing */
        {"\"baseOffset\":0,", "", "{", "baseOffset: is missing"},
        {"\"magic\":2,", "", "{", "magic: is missing"},
        {"\"compression\":\"none\",", "", "{", "compression: is missing"},
        {"\"timestampType\":\"create\",", "", "{", "timestampType: is missing"},
        {"\"transactional\":false,", "", "{", "transactional: is missing"},
        {"\"control\":false,", "", "{", "control: is missing"},
        {"\"baseSequence\":10,", "", "{", "baseSequence: is missing"},
        {"\"offset\":0,", "", "{\"timestamp\"", "offset: is missing"},
        {"\"key\":\"aw==\",", "", "{\"offset\":0", "key: is missing"},
        {"\"value\":\"dg==\",", "", "{\"offset\":0", "value: is missing"},
        {",\"headers\":[]", "", "{\"offset\":0", "headers: is missing"},
        {"\"key\":\"h\",", "", "{\"value\":null}", "key: is missing"},
        {"\"key\":\"h\",\"value\":null", "\"key\":\"h\"", "{\"key\":\"h\"}", "value: is missing"},
        /* numbers */
        {"\"magic\":2", "\"magic\":1", "1,\"crc\"", "magic: out of range, 2 to 2 are allowed"},
        {"\"producerEpoch\":7", "\"producerEpoch\":32768", "32768",
         "producerEpoch: out of range, -32768 to 32767 are allowed"},
        {"\"baseSequence\":10", "\"baseSequence\":2147483648", "2147483648",
         "baseSequence: out of range, -2147483648 to 2147483647 are allowed"},
        {"\"partitionLeaderEpoch\":-1", "\"partitionLeaderEpoch\":-2147483649", "-2147483649",
         "partitionLeaderEpoch: out of range, -2147483648 to 2147483647 are allowed"},
        {"\"lastOffsetDelta\":1,", "\"lastOffsetDelta\":1.0,", "1.0",
         "lastOffsetDelta: a fractional number where an integer is needed"},
        {"\"producerId\":4242", "\"producerId\":\"4242\"", "\"4242\"",
         "producerId: a string where an integer is needed"},
        {"\"baseOffset\":0", "\"baseOffset\":9223372036854775808", "9223372036854775808",
         "baseOffset: out of range, -9223372036854775808 to 9223372036854775807 are allowed"},
        {"\"timestamp\":1700000000000,", "\"timestamp\":null,", "null",
         "timestamp: null where an integer is needed"},
        /* words */
        {"\"none\"", "\"brotli\"", "\"brotli\"",
         "compression: none, gzip, snappy, lz4 or zstd is needed"},
        {"\"none\"", "\"GZIP\"", "\"GZIP\"",
         "compression: none, gzip, snappy, lz4 or zstd is needed"},
        {"\"none\"", "0", "0,\"timestampType", "compression: an integer where a string is needed"},
        {"\"create\"", "\"log\"", "\"log\"", "timestampType: 'create' or 'append' is needed"},
        {"\"create\"", "\"create \"", "\"create \"",
         "timestampType: 'create' or 'append' is needed"},
        {"\"create\"", "null", "null", "timestampType: null where a string is needed"},
        {"\"control\":false", "\"control\":0", "0,\"lastOffsetDelta",
         "control: an integer where true or false is needed"},
        /* bytes */
        {"\"aw==\"", "\"aw=\"", "\"aw=\"", "key: base64 that is no multiple of 4 characters"},
        {"\"dg==\"", "7", "7,\"headers\"", "value: an integer where a base64 string is needed"},
        {"{\"key\":\"h\",\"value\":null}", "{\"key\":\"h\",\"value\":\"*\"}", "\"*\"",
         "value: not a base64 character"},
        /* shape */
        {"\"headers\":[]", "\"headers\":null", "null", "headers: null where an array is needed"},
        {"\"headers\":[]", "\"headers\":[1]", "1]",
         "headers: an integer where an object is needed"},
        {"\"key\":\"h\"", "\"key\":null", "null,\"value\":null}",
         "key: null where a string is needed"},
        {"{\"offset\":0,", "7,{\"offset\":0,", "7,{\"offset\"",
         "records: an integer where an object is needed"},
        /* keys that nobody knows, at each level */
        {"\"magic\":2", "\"magic\":2,\"Magic\":2", "\"Magic\"", "a batch has no field 'Magic'"},
        {"\"offset\":0,", "\"offset\":0,\"attributes\":0,", "\"attributes\"",
         "a record has no field 'attributes'"},
        {"\"key\":\"h\"", "\"key\":\"h\",\"x\":0", "\"x\"", "a record's header has no field 'x'"},
        /* what the batch's writer refuses: an offset that no delta of 32 bits reaches */
        {"\"offset\":1,", "\"offset\":2147483648,", "{\"offset\":2147483648",
         "records[1].offset: 2147483648 is out of range"},
    };
    workshop s;
    open_shop(&s, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *json = changed(cases[i].piece, cases[i].by);
        const char *at = strstr(json, cases[i].at);
        assert_non_null(at);
        if (load(&s, json))
            fail_msg("taken: %s", json);
        if (strcmp(s.error.reason, cases[i].reason) != 0 || s.error.offset != (size_t)(at - json))
            fail_msg("%s\n\"%s\" at %zu, expected\n\"%s\" at %zu", json, s.error.reason,
                     s.error.offset, cases[i].reason, (size_t)(at - json));
    }
    close_shop(&s);
}

static void roots_that_are_no_batch(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t at;
        const char *reason;
    } cases[] = {
        {"null", 0, "null where an object is needed"},
        {" 5", 1, "an integer where an object is needed"},
        {"[7]", 1, "an integer where an object is needed"},
        {"[[]]", 1, "an array where an object is needed"},
        {" []", 1, "a batch is needed, or an array of them"},
        {"{}", 0, "baseOffset: is missing"},
    };
    workshop s;
    open_shop(&s, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(load(&s, cases[i].json));
        assert_string_equal(s.error.reason, cases[i].reason);
        assert_int_equal(s.error.offset, cases[i].at);
    }
    char second[3000];
    snprintf(second, sizeof second, "[%s,{\"baseOffset\":1}]", GOLDEN_JSON);
    assert_false(load(&s, second));
    assert_int_equal(s.error.offset, strlen(GOLDEN_JSON) + 2);
    close_shop(&s);
}

static void crc_may_be_given_and_is_not_used(void **state)
{
    (void)state;
    workshop s;
    open_shop(&s, 0);
    assert_true(load(&s, changed("\"crc\":1983476586,", "")));
    kl_expect_bytes(s.bytes.data, s.bytes.len, GOLDEN);
    assert_true(load(&s, changed("\"crc\":1983476586", "\"crc\":0")));
    kl_expect_bytes(s.bytes.data, s.bytes.len, GOLDEN);
    close_shop(&s);
}

/* ---- Without memory ---- */

static void no_memory_is_an_error_in_both_directions(void **state)
{
    (void)state;
    static uint8_t bytes[200];
    kloop_slice batch = golden(bytes, sizeof bytes);
    for (int way = 0; way < 3; way++) {
        for (size_t nth = 1;; nth++) {
            workshop s;
            kloop_fault fault = {.status = KLOOP_OK};
            open_shop(&s, nth);
            bool ok;
            if (way == 0) {
                ok = print(&s, batch, &fault) == KLOOP_OK && !s.text.failed;
                if (fault.status)
                    assert_int_equal(fault.status, KLOOP_NO_MEMORY);
            } else {
                /* With a key the arena's first piece is that, without it is the headers. */
                ok = load(
                    &s,
                    way == 1
                        ? changed("\"none\"", "\"zstd\"")
                        : HEADER_JSON(
                              "none", "create", "false",
                              "false") "\"records\":[{\"offset\":-5,\"timestamp\":0,\"key\":null,"
                                       "\"value\":null,\"headers\":[{\"key\":\"k\",\"value\":null}]"
                                       "}]}");
                if (!ok && !s.doc.error.no_memory)
                    assert_non_null(strstr(s.error.reason, "no memory"));
            }
            size_t refused = s.alloc.refused;
            assert_int_equal(ok, refused == 0);
            close_shop(&s);
            if (ok)
                break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_batch_to_json_and_back),
        cmocka_unit_test(every_field_of_the_header_has_its_place),
        cmocka_unit_test(every_codec_there_and_back),
        cmocka_unit_test(verdict_of_the_reader_comes_through),
        cmocka_unit_test(what_the_json_of_a_batch_may_not_be),
        cmocka_unit_test(roots_that_are_no_batch),
        cmocka_unit_test(crc_may_be_given_and_is_not_used),
        cmocka_unit_test(no_memory_is_an_error_in_both_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
