/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages as JSON: the exact text for each kind of field, and the fault for what is no message. */
#include "tests/support/expect_fault.h"
#include "tests/support/fail_alloc.h"
#include "wiretools/message_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kl_guard guard;

static int open_guard(void **state)
{
    (void)state;
    kl_guard_init(&guard, 70000);
    return 0;
}

static int close_guard(void **state)
{
    (void)state;
    kl_guard_deinit(&guard);
    return 0;
}

#define REQ(key) KLOOP_##key, KLOOP_REQUEST
#define RES(key) KLOOP_##key, KLOOP_RESPONSE

static void exact_text(void **state)
{
    (void)state;
    static const struct {
        int16_t key;
        kloop_half half;
        int16_t version;
        const char *hex, *json;
    } cases[] = {
        {REQ(API_VERSIONS), 0, "", "{}"},
        {REQ(SASL_HANDSHAKE), 0, "0000", "{\"mechanism\":\"\"}"},
        /* what has to be escaped, and what has not */
        {REQ(SASL_HANDSHAKE), 0, "0009 00 0a 22 5c 2f 7f e282ac",
         "{\"mechanism\":\"\\u0000\\n\\\"\\\\/\x7f\xe2\x82\xac\"}"},
        {REQ(SASL_AUTHENTICATE), 0, "00000000", "{\"authBytes\":\"\"}"},
        {REQ(SASL_AUTHENTICATE), 2, "04 fbff80 00", "{\"authBytes\":\"+/+A\"}"},
        {RES(SASL_AUTHENTICATE), 1, "8000 ffff 00000000 8000000000000000",
         "{\"errorCode\":-32768,\"errorMessage\":null,\"authBytes\":\"\",\"sessionLifetimeMs\":-"
         "9223372036854775808}"},
        {REQ(FIND_COORDINATOR), 1, "0001 6b ff", "{\"key\":\"k\",\"keyType\":-1}"},
        {REQ(METADATA), 1, "ffffffff", "{\"topics\":null}"},
        {REQ(METADATA), 1, "00000000", "{\"topics\":[]}"},
        {REQ(METADATA), 13, "02 fbffbffbffbffbffbffbffbffbffbffb 00 00 00 01 00",
         "{\"topics\":[{\"topicId\":\"-_-_-_-_-_-_-_-_-_-_-w\",\"name\":null}],"
         "\"allowAutoTopicCreation\":false,\"includeTopicAuthorizedOperations\":true}"},
        {RES(SASL_HANDSHAKE), 0, "0000 00000002 0001 61 0001 62",
         "{\"errorCode\":0,\"mechanisms\":[\"a\",\"b\"]}"},
        {REQ(PRODUCE), 3,
         "ffff 0001 00000002 00000001 0001 74 00000002 00000003 ffffffff 00000004 00000001 00",
         "{\"transactionalId\":null,\"acks\":1,\"timeoutMs\":2,\"topicData\":[{\"name\":\"t\","
         "\"partitionData\":[{\"index\":3,\"records\":null},{\"index\":4,\"records\":\"AA==\"}]}]"
         "}"},
        /* every field that the version has, also at its default; of tags only those that are not */
        {RES(API_VERSIONS), 3, "0000 01 00000000 00",
         "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":0}"},
        {RES(API_VERSIONS), 3, "0000 01 00000000 02 01 08 ffffffffffffffff 03 01 01",
         "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":0,\"zkMigrationReady\":true}"},
        {RES(API_VERSIONS), 3, "0000 01 00000000 01 00 08 02 02 66 0001 0002 00",
         "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":0,\"supportedFeatures\":[{\"name\":"
         "\"f\",\"minVersion\":1,\"maxVersion\":2}]}"},
        {RES(API_VERSIONS), 3, "0000 01 00000000 01 07 01 ff",
         "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":0}"},
        {RES(PRODUCE), 10,
         "02 02 74 02 00000001 0002 0000000000000003 0000000000000004 0000000000000005 01 00 01 00 "
         "09 00000008 ffffffff 00 00 00000000 00",
         "{\"responses\":[{\"name\":\"t\",\"partitionResponses\":[{\"index\":1,\"errorCode\":2,"
         "\"baseOffset\":3,\"logAppendTimeMs\":4,\"logStartOffset\":5,\"recordErrors\":[],"
         "\"errorMessage\":null,\"currentLeader\":{\"leaderId\":8,\"leaderEpoch\":-1}}]}],"
         "\"throttleTimeMs\":0}"},
        {REQ(REQUEST_HEADER), 2, "0001 0002 00000003 ffff 00",
         "{\"requestApiKey\":1,\"requestApiVersion\":2,\"correlationId\":3,\"clientId\":null}"},
    };
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_json_writer json;
        kloop_fault fault;
        kl_buf_reset(&out);
        kl_json_write_init(&json, &out);
        if (kl_message_print(&json, cases[i].key, cases[i].half, cases[i].version,
                             kl_hex_guarded(&guard, cases[i].hex), &fault)) {
            char text[200];
            kloop_fault_text(&fault, text, sizeof text);
            fail_msg("%s: %s", cases[i].json, text);
        }
        assert_true(kl_json_write_end(&json));
        kl_buf_append_byte(&out, '\0');
        assert_string_equal((const char *)out.data, cases[i].json);
    }
    kl_buf_deinit(&out);
}

static void what_is_no_message(void **state)
{
    (void)state;
    static const struct {
        int16_t key;
        kloop_half half;
        int16_t version;
        const char *hex;
        kloop_status status;
        size_t at;
        int64_t a, b;
        const char *path;
    } cases[] = {
        {REQ(SASL_HANDSHAKE), 0, "0000 00", KLOOP_TRAILING, 2, 1, 0, ""},
        {REQ(SASL_HANDSHAKE), 0, "0001", KLOOP_TRUNCATED, 2, 1, 0, "mechanism"},
        {REQ(API_VERSIONS), 0, "00", KLOOP_TRAILING, 0, 1, 0, ""},
        {REQ(METADATA), 9, "02 05 6162", KLOOP_TRUNCATED, 2, 4, 2, "topics[0].name"},
        {REQ(PRODUCE), 2, "", KLOOP_BAD_VERSION, 0, 2, 0, ""},
        {9999, KLOOP_REQUEST, 0, "", KLOOP_UNKNOWN_API, 0, 9999, 0, ""},
    };
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_json_writer json;
        kloop_fault fault;
        kl_buf_reset(&out);
        kl_json_write_init(&json, &out);
        assert_int_equal(kl_message_print(&json, cases[i].key, cases[i].half, cases[i].version,
                                          kl_hex_guarded(&guard, cases[i].hex), &fault),
                         cases[i].status);
        kl_expect_fault(&fault, cases[i].status, cases[i].at, cases[i].a, cases[i].b,
                        cases[i].path);
    }
    kl_buf_deinit(&out);
}

static void no_memory_shows_in_the_buffer(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 1);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf out;
    kl_json_writer json;
    kloop_fault fault;
    kl_buf_init(&out, &alloc);
    kl_json_write_init(&json, &out);
    assert_int_equal(
        kl_message_print(&json, REQ(SASL_HANDSHAKE), 0, kl_hex_guarded(&guard, "0001 61"), &fault),
        KLOOP_OK);
    assert_false(kl_json_write_end(&json));
    kl_buf_deinit(&out);
    kl_fail_alloc_check(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_text),
        cmocka_unit_test(what_is_no_message),
        cmocka_unit_test(no_memory_shows_in_the_buffer),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
