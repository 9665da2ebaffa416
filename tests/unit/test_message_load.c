/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON to messages: every refusal with its reason and the place of the value that is at fault, and
 * what is taken although it looks odd.
 */
#include "tests/support/expect_fault.h"
#include "tests/support/fail_alloc.h"
#include "wiretools/message_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct workshop {
    kl_fail_alloc alloc;
    kl_json_doc doc;
    kl_arena arena;
    kl_buf bytes;
    kl_load_error error;
} workshop;

static workshop shop;

static int open_shop(void **state)
{
    (void)state;
    kl_fail_alloc_init(&shop.alloc, 0);
    kloop_allocator table = kl_fail_alloc_table(&shop.alloc);
    kl_json_doc_init(&shop.doc, &table);
    kl_arena_init(&shop.arena, &table);
    kl_buf_init(&shop.bytes, &table);
    return 0;
}

static int close_shop(void **state)
{
    (void)state;
    kl_buf_deinit(&shop.bytes);
    kl_arena_deinit(&shop.arena);
    kl_json_doc_deinit(&shop.doc);
    kl_fail_alloc_check(&shop.alloc);
    return 0;
}

static bool load(int16_t key, kloop_half half, int version, const char *json, size_t len)
{
    memset(&shop.error, 0, sizeof shop.error);
    kl_arena_reset(&shop.arena);
    kl_buf_reset(&shop.bytes);
    kl_json *root = kl_json_read(&shop.doc, json, len);
    if (!root) {
        snprintf(shop.error.reason, sizeof shop.error.reason, "%s", shop.doc.error.reason);
        shop.error.offset = shop.doc.error.offset;
        return false;
    }
    return kl_message_load(&shop.bytes, key, half, (int16_t)version, root, &shop.arena,
                           &shop.error);
}

typedef struct load_case {
    int16_t key;
    kloop_half half;
    int version;
    const char *json;
    const char *at;   /* the fault stands where this begins for the first time in json */
    const char *text; /* the reason; or, for what is taken, the bytes */
} load_case;

static void expect_refused(const load_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const load_case *c = &cases[i];
        const char *place = strstr(c->json, c->at);
        assert_non_null(place);
        size_t offset = c->at[0] ? (size_t)(place - c->json) : strlen(c->json);
        if (load(c->key, c->half, c->version, c->json, strlen(c->json)))
            fail_msg("taken: %s", c->json);
        if (strcmp(shop.error.reason, c->text) != 0 || shop.error.offset != offset)
            fail_msg("%s\n\"%s\" at %zu, expected\n\"%s\" at %zu", c->json, shop.error.reason,
                     shop.error.offset, c->text, offset);
        assert_int_equal(shop.bytes.len, 0);
    }
}

static void expect_taken(const load_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const load_case *c = &cases[i];
        if (!load(c->key, c->half, c->version, c->json, strlen(c->json)))
            fail_msg("%s\n%s at %zu", c->json, shop.error.reason, shop.error.offset);
        kl_expect_bytes(shop.bytes.data, shop.bytes.len, c->text);
    }
}

#define EXPECT_REFUSED(cases) expect_refused(cases, sizeof(cases) / sizeof(cases)[0])
#define EXPECT_TAKEN(cases)   expect_taken(cases, sizeof(cases) / sizeof(cases)[0])

#define REQ(key)              KLOOP_##key, KLOOP_REQUEST
#define RES(key)              KLOOP_##key, KLOOP_RESPONSE

static void a_missing_field(void **state)
{
    (void)state;
    static const load_case cases[] = {
        {REQ(SASL_HANDSHAKE), 1, " {}", "{",
         "mechanism: is missing, SaslHandshake version 1 has it"},
        {REQ(INIT_PRODUCER_ID), 3,
         "{\"transactionalId\":null,\"transactionTimeoutMs\":1,\"producerId\":2}", "{",
         "producerEpoch: is missing, InitProducerId version 3 has it"},
        {REQ(METADATA), 4, "{\"topics\":null}", "{",
         "allowAutoTopicCreation: is missing, Metadata version 4 has it"},
        /* also where it is nullable, a list, or at its default all the same */
        {REQ(INIT_PRODUCER_ID), 0, "{\"transactionTimeoutMs\":1}", "{",
         "transactionalId: is missing, InitProducerId version 0 has it"},
        {REQ(METADATA), 1, "{}", "{", "topics: is missing, Metadata version 1 has it"},
        /* in an element: the object that lacks it */
        {REQ(METADATA), 0, "{\"topics\":[{\"name\":\"a\"}, {}]}", "{}",
         "name: is missing, Metadata version 0 has it"},
        {RES(API_VERSIONS), 0, "{\"errorCode\":0,\"apiKeys\":[{\"apiKey\":1,\"maxVersion\":2}]}",
         "{\"apiKey\":1", "minVersion: is missing, ApiVersions version 0 has it"},
        /* in a tagged struct: the tag may be left out, not what is in it */
        {RES(PRODUCE), 10,
         "{\"responses\":[{\"name\":\"t\",\"partitionResponses\":[{\"index\":1,\"errorCode\":2,"
         "\"baseOffset\":3,\"logAppendTimeMs\":4,\"logStartOffset\":5,\"recordErrors\":[],"
         "\"errorMessage\":null,\"currentLeader\":{\"leaderId\":1}}]}],\"throttleTimeMs\":0}",
         "{\"leaderId\":1}", "leaderEpoch: is missing, Produce version 10 has it"},
    };
    EXPECT_REFUSED(cases);
}

static void null_where_none_is_allowed(void **state)
{
    (void)state;
    static const char reason_name[] = "name: null, which is not allowed here in this version";
    static const load_case cases[] = {
        {REQ(SASL_HANDSHAKE), 0, "{\"mechanism\":null}", "null",
         "mechanism: null, which is not allowed here in this version"},
        {REQ(SASL_AUTHENTICATE), 0, "{\"authBytes\":null}", "null",
         "authBytes: null, which is not allowed here in this version"},
        {REQ(METADATA), 0, "{\"topics\":null}", "null",
         "topics: null, which is not allowed here in this version"},
        {REQ(METADATA), 9,
         "{\"topics\":[{\"name\":null}],\"allowAutoTopicCreation\":true,"
         "\"includeClusterAuthorizedOperations\":false,\"includeTopicAuthorizedOperations\":false}",
         "null", reason_name},
        {RES(SASL_HANDSHAKE), 0, "{\"errorCode\":0,\"mechanisms\":[\"A\",null]}", "null",
         "null, which is not allowed here in this version"},
        {RES(SASL_HANDSHAKE), 0, "{\"errorCode\":null,\"mechanisms\":[]}", "null",
         "errorCode: null, which is not allowed here in this version"},
        {REQ(METADATA), 0, "{\"topics\":[null]}", "null", "topics: null where an object is needed"},
        {REQ(METADATA), 13,
         "{\"topics\":[{\"topicId\":null,\"name\":\"t\"}],\"allowAutoTopicCreation\":true,"
         "\"includeTopicAuthorizedOperations\":false}",
         "null", "topicId: null, which is not allowed here in this version"},
        {RES(API_VERSIONS), 3,
         "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":0,\"supportedFeatures\":null}", "null",
         "supportedFeatures: null, which is not allowed here in this version"},
        {RES(API_VERSIONS), 3,
         "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":0,\"zkMigrationReady\":null}", "null",
         "zkMigrationReady: null, which is not allowed here in this version"},
        /* a field of other versions, never null there either */
        {REQ(METADATA), 3, "{\"topics\":[],\"allowAutoTopicCreation\":null}", "null",
         "allowAutoTopicCreation: null, which is not allowed here in this version"},
    };
    EXPECT_REFUSED(cases);
}

static void numbers_out_of_range(void **state)
{
    (void)state;
    static const char int8[] = "keyType: out of range, -128 to 127 are allowed";
    static const char int16[] = "errorCode: out of range, -32768 to 32767 are allowed";
    static const char int32[] =
        "correlationId: out of range, -2147483648 to 2147483647 are allowed";
    static const char int64[] =
        "sessionLifetimeMs: out of range, -9223372036854775808 to 9223372036854775807 are allowed";
    static const load_case cases[] = {
        {REQ(FIND_COORDINATOR), 1, "{\"key\":\"k\",\"keyType\":128}", "128", int8},
        {REQ(FIND_COORDINATOR), 1, "{\"key\":\"k\",\"keyType\":-129}", "-129", int8},
        {RES(SASL_HANDSHAKE), 0, "{\"errorCode\":32768,\"mechanisms\":[]}", "32768", int16},
        {RES(SASL_HANDSHAKE), 0, "{\"errorCode\":-32769,\"mechanisms\":[]}", "-32769", int16},
        {RES(RESPONSE_HEADER), 0, "{\"correlationId\":2147483648}", "2147483648", int32},
        {RES(RESPONSE_HEADER), 0, "{\"correlationId\":-2147483649}", "-2147483649", int32},
        {RES(RESPONSE_HEADER), 0, "{\"correlationId\":99999999999999999999999}", "999", int32},
        {RES(SASL_AUTHENTICATE), 1,
         "{\"errorCode\":0,\"errorMessage\":null,\"authBytes\":\"\",\"sessionLifetimeMs\":"
         "9223372036854775808}",
         "9223372036854775808", int64},
        {RES(SASL_AUTHENTICATE), 1,
         "{\"errorCode\":0,\"errorMessage\":null,\"authBytes\":\"\",\"sessionLifetimeMs\":-"
         "9223372036854775809}",
         "-9223372036854775809", int64},
        {RES(METADATA), 0,
         "{\"brokers\":[],\"topics\":[{\"errorCode\":0,\"name\":\"t\",\"partitions\":[{"
         "\"errorCode\":0,\"partitionIndex\":0,\"leaderId\":0,\"replicaNodes\":[1,2147483648],"
         "\"isrNodes\":[]}]}]}",
         "2147483648", "out of range, -2147483648 to 2147483647 are allowed"},
    };
    EXPECT_REFUSED(cases);
    static const load_case good[] = {
        {REQ(FIND_COORDINATOR), 1, "{\"key\":\"\",\"keyType\":-128}", "", "0000 80"},
        {RES(SASL_HANDSHAKE), 0, "{\"errorCode\":-32768,\"mechanisms\":[]}", "", "8000 00000000"},
        {RES(RESPONSE_HEADER), 0, "{\"correlationId\":-2147483648}", "", "80000000"},
        {RES(SASL_AUTHENTICATE), 1,
         "{\"errorCode\":32767,\"errorMessage\":null,\"authBytes\":\"\",\"sessionLifetimeMs\":"
         "9223372036854775807}",
         "", "7fff ffff 00000000 7fffffffffffffff"},
    };
    EXPECT_TAKEN(good);
}

static void wrong_types(void **state)
{
    (void)state;
    static const load_case cases[] = {
        {RES(RESPONSE_HEADER), 0, "{\"correlationId\":1.5}", "1.5",
         "correlationId: a fractional number where an integer is needed"},
        {RES(RESPONSE_HEADER), 0, "{\"correlationId\":1.0}", "1.0",
         "correlationId: a fractional number where an integer is needed"},
        {RES(RESPONSE_HEADER), 0, "{\"correlationId\":1e0}", "1e0",
         "correlationId: a fractional number where an integer is needed"},
        {RES(RESPONSE_HEADER), 0, "{\"correlationId\":\"1\"}", "\"1\"",
         "correlationId: a string where an integer is needed"},
        {RES(RESPONSE_HEADER), 0, "{\"correlationId\":true}", "true",
         "correlationId: a bool where an integer is needed"},
        {REQ(SASL_HANDSHAKE), 0, "{\"mechanism\":5}", "5",
         "mechanism: an integer where a string is needed"},
        {REQ(SASL_HANDSHAKE), 0, "{\"mechanism\":[]}", "[]",
         "mechanism: an array where a string is needed"},
        {REQ(SASL_AUTHENTICATE), 0, "{\"authBytes\":[1,2]}", "[1",
         "authBytes: an array where a base64 string is needed"},
        {REQ(METADATA), 4, "{\"topics\":[],\"allowAutoTopicCreation\":1}", "1",
         "allowAutoTopicCreation: an integer where true or false is needed"},
        {REQ(METADATA), 4, "{\"topics\":[],\"allowAutoTopicCreation\":\"true\"}", "\"true\"",
         "allowAutoTopicCreation: a string where true or false is needed"},
        {REQ(METADATA), 0, "{\"topics\":{}}", "{}", "topics: an object where an array is needed"},
        {REQ(METADATA), 0, "{\"topics\":\"\"}", "\"\"}",
         "topics: a string where an array is needed"},
        {REQ(METADATA), 0, "{\"topics\":[\"t\"]}", "\"t\"",
         "topics: a string where an object is needed"},
        {RES(SASL_HANDSHAKE), 0, "{\"errorCode\":0,\"mechanisms\":[\"A\",7]}", "7",
         "an integer where a string is needed"},
        {REQ(METADATA), 13,
         "{\"topics\":[{\"topicId\":7,\"name\":null}],\"allowAutoTopicCreation\":true,"
         "\"includeTopicAuthorizedOperations\":false}",
         "7", "topicId: an integer where an id of 22 base64url characters is needed"},
        {REQ(PRODUCE), 3,
         "{\"transactionalId\":null,\"acks\":1,\"timeoutMs\":2,\"topicData\":[{\"name\":\"x\","
         "\"partitionData\":[{\"index\":1,\"records\":[]}]}]}",
         "[]", "records: an array where a base64 string is needed"},
        {RES(PRODUCE), 10,
         "{\"responses\":[{\"name\":\"t\",\"partitionResponses\":[{\"index\":1,\"errorCode\":2,"
         "\"baseOffset\":3,\"logAppendTimeMs\":4,\"logStartOffset\":5,\"recordErrors\":[],"
         "\"errorMessage\":null,\"currentLeader\":[]}]}],\"throttleTimeMs\":0}",
         "[]}]", "currentLeader: an array where an object is needed"},
        /* the message itself */
        {REQ(SASL_HANDSHAKE), 0, " []", "[]", "an array where an object is needed"},
        {REQ(SASL_HANDSHAKE), 0, "null", "null", "null where an object is needed"},
        {REQ(API_VERSIONS), 0, "\"\"", "\"\"", "a string where an object is needed"},
        /* what no version of this message needs is looked at all the same */
        {REQ(METADATA), 0, "{\"topics\":[],\"allowAutoTopicCreation\":0}", "0",
         "allowAutoTopicCreation: an integer where true or false is needed"},
    };
    EXPECT_REFUSED(cases);
}

static void text_that_is_none(void **state)
{
    (void)state;
    static const load_case cases[] = {
        {REQ(SASL_AUTHENTICATE), 0, "{\"authBytes\":\"AAA\"}", "\"AAA",
         "authBytes: base64 that is no multiple of 4 characters"},
        {REQ(SASL_AUTHENTICATE), 0, "{\"authBytes\":\"A*==\"}", "\"A*",
         "authBytes: not a base64 character"},
        {REQ(SASL_AUTHENTICATE), 0, "{\"authBytes\":\"AB==\"}", "\"AB",
         "authBytes: loose bits at the end of base64"},
        {REQ(PRODUCE), 3,
         "{\"transactionalId\":null,\"acks\":1,\"timeoutMs\":2,\"topicData\":[{\"name\":\"x\","
         "\"partitionData\":[{\"index\":1,\"records\":\"-_==\"}]}]}",
         "\"-_", "records: not a base64 character"},
        {REQ(METADATA), 13,
         "{\"topics\":[{\"topicId\":\"AAAA\",\"name\":null}],\"allowAutoTopicCreation\":true,"
         "\"includeTopicAuthorizedOperations\":false}",
         "\"AAAA", "topicId: an id that is not 22 characters"},
        {REQ(METADATA), 13,
         "{\"topics\":[{\"topicId\":\"AAAAAAAAAAAAAAAAAAAAA+\",\"name\":null}],"
         "\"allowAutoTopicCreation\":true,\"includeTopicAuthorizedOperations\":false}",
         "\"AAAA", "topicId: not a base64 character"},
        /* the JSON itself */
        {REQ(SASL_HANDSHAKE), 0, "{\"mechanism\":\"x\"} x", "x", "text behind the JSON value"},
        {REQ(SASL_HANDSHAKE), 0, "", "", "no JSON text"},
        {REQ(SASL_HANDSHAKE), 0, "{\"mechanism\":\"x\",\"mechanism\":\"y\"}", "\"mechanism\":\"y",
         "a key that is there already"},
        {REQ(SASL_HANDSHAKE), 0, "{\"mechanism\":\"\xff\"}", "\xff", "invalid UTF-8 in a string"},
        {REQ(SASL_HANDSHAKE), 0, "{\"mechanism\":\"\\ud800\"}", "\\ud800", "half a surrogate pair"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const load_case *c = &cases[i];
        size_t offset = c->at[0] ? (size_t)(strstr(c->json, c->at) - c->json) : 0;
        if (strcmp(c->at, "x") == 0)
            offset = strlen(c->json) - 1;
        if (load(c->key, c->half, c->version, c->json, strlen(c->json)))
            fail_msg("taken: %s", c->json);
        if (!strstr(shop.error.reason, c->text) || shop.error.offset != offset)
            fail_msg("%s\n\"%s\" at %zu, expected\n\"%s\" at %zu", c->json, shop.error.reason,
                     shop.error.offset, c->text, offset);
    }
}

static void keys_that_nobody_knows(void **state)
{
    (void)state;
    static const load_case cases[] = {
        {REQ(SASL_HANDSHAKE), 0, "{\"mechanism\":\"x\",\"more\":1}", "\"more",
         "SaslHandshake has no field 'more'"},
        {REQ(SASL_HANDSHAKE), 0, "{\"Mechanism\":\"x\",\"mechanism\":\"x\"}", "\"Mech",
         "SaslHandshake has no field 'Mechanism'"},
        {REQ(API_VERSIONS), 0, "{\"\":1}", "\"\"", "ApiVersions has no field ''"},
        {REQ(METADATA), 0, "{\"topics\":[{\"name\":\"a\"},{\"name\":\"b\",\"nmae\":1}]}", "\"nmae",
         "Metadata has no field 'nmae'"},
        {RES(API_VERSIONS), 3,
         "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":0,\"supportedFeatures\":[{\"name\":"
         "\"f\",\"minVersion\":0,\"maxVersion\":0,\"x\":0}]}",
         "\"x\"", "ApiVersions has no field 'x'"},
        {RES(PRODUCE), 10,
         "{\"responses\":[{\"name\":\"t\",\"partitionResponses\":[{\"index\":1,\"errorCode\":2,"
         "\"baseOffset\":3,\"logAppendTimeMs\":4,\"logStartOffset\":5,\"recordErrors\":[],"
         "\"errorMessage\":null,\"currentLeader\":{\"leaderId\":1,\"leaderEpoch\":2,\"z\":3}}]}],"
         "\"throttleTimeMs\":0}",
         "\"z\"", "Produce has no field 'z'"},
        /* Kafka's converters know these in what they write, not in what they read. */
        {REQ(SASL_HANDSHAKE), 0, "{\"_unknownTaggedFields\":[],\"mechanism\":\"x\"}", "\"_un",
         "SaslHandshake has no field '_unknownTaggedFields'"},
    };
    EXPECT_REFUSED(cases);
}

static void values_that_the_version_cannot_carry(void **state)
{
    (void)state;
    static const load_case cases[] = {
        {REQ(METADATA), 3, "{\"topics\":[],\"allowAutoTopicCreation\":false}", "false",
         "allowAutoTopicCreation: version 3 has no such field, and the value is not its default"},
        {REQ(METADATA), 11,
         "{\"topics\":[],\"allowAutoTopicCreation\":true,\"includeTopicAuthorizedOperations\":true,"
         "\"includeClusterAuthorizedOperations\":true}",
         "true}",
         "includeClusterAuthorizedOperations: version 11 has no such field, and the value is not "
         "its default"},
        {REQ(INIT_PRODUCER_ID), 2,
         "{\"producerId\":5,\"transactionalId\":null,\"transactionTimeoutMs\":1}", "5",
         "producerId: version 2 has no such field, and the value is not its default"},
        {REQ(INIT_PRODUCER_ID), 2,
         "{\"producerId\":0,\"transactionalId\":null,\"transactionTimeoutMs\":1}", "0",
         "producerId: version 2 has no such field, and the value is not its default"},
        {REQ(FIND_COORDINATOR), 4, "{\"key\":\"k\",\"keyType\":0,\"coordinatorKeys\":[]}", "\"k\"",
         "key: version 4 has no such field, and the value is not its default"},
        {REQ(FIND_COORDINATOR), 3, "{\"key\":\"k\",\"keyType\":0,\"coordinatorKeys\":[\"a\"]}", "[",
         "coordinatorKeys: version 3 has no such field, and the value is not its default"},
        {RES(METADATA), 7,
         "{\"throttleTimeMs\":0,\"brokers\":[],\"clusterId\":null,\"controllerId\":0,\"topics\":[{"
         "\"errorCode\":0,\"name\":\"a\",\"isInternal\":false,\"partitions\":[]},{\"errorCode\":0,"
         "\"name\":\"b\",\"isInternal\":false,\"partitions\":[],\"topicAuthorizedOperations\":8}]}",
         "8}",
         "topics[1].topicAuthorizedOperations: version 7 has no such field, and the value is not "
         "its default"},
        /* ignorable, but of structs that the version does not know: Kafka refuses these as well */
        {RES(PRODUCE), 3,
         "{\"responses\":[{\"name\":\"t\",\"partitionResponses\":[{\"index\":1,\"errorCode\":2,"
         "\"baseOffset\":3,\"logAppendTimeMs\":4,\"recordErrors\":[{\"batchIndex\":1,"
         "\"batchIndexErrorMessage\":null}]}]}],\"throttleTimeMs\":0}",
         "[{\"batchIndex",
         "recordErrors: this version has no such field, and the list is not empty"},
        {RES(API_VERSIONS), 2,
         "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":0,\"supportedFeatures\":[{}]}", "[{}",
         "supportedFeatures: this version has no such field, and the list is not empty"},
        /* tagged */
        {RES(PRODUCE), 9,
         "{\"responses\":[{\"name\":\"t\",\"partitionResponses\":[{\"index\":1,\"errorCode\":2,"
         "\"baseOffset\":3,\"logAppendTimeMs\":4,\"logStartOffset\":5,\"recordErrors\":[],"
         "\"errorMessage\":null,\"currentLeader\":{\"leaderId\":1,\"leaderEpoch\":-1}}]}],"
         "\"throttleTimeMs\":0}",
         "{\"leaderId\"",
         "responses[0].partitionResponses[0].currentLeader: version 9 has no such field, and the "
         "value is not its default"},
        {RES(PRODUCE), 8,
         "{\"responses\":[],\"nodeEndpoints\":[{\"nodeId\":1,\"host\":\"h\",\"port\":2,\"rack\":"
         "null}],\"throttleTimeMs\":0}",
         "[{", "nodeEndpoints: this version has no such field, and the list is not empty"},
    };
    EXPECT_REFUSED(cases);
}

static void strings_that_are_too_long(void **state)
{
    (void)state;
    static char json[70000];
    for (int version = 1; version <= 2; version++) {
        for (size_t len = 32767; len <= 32768; len++) {
            int head = snprintf(
                json, sizeof json,
                "{\"errorCode\":1,\"authBytes\":\"\",\"sessionLifetimeMs\":0,\"errorMessage\": \"");
            memset(json + head, 'x', len);
            strcpy(json + (size_t)head + len, "\"}");
            bool ok = load(RES(SASL_AUTHENTICATE), version, json, strlen(json));
            assert_int_equal(ok, len == 32767);
            if (!ok) {
                assert_string_equal(shop.error.reason,
                                    "errorMessage: 32768 bytes, 32767 are allowed");
                assert_int_equal(shop.error.offset, head - 1);
            }
        }
    }
    /* Bytes count, not characters; the element has its own place. */
    int head = snprintf(json, sizeof json, "{\"errorCode\":1,\"mechanisms\":[\"a\",\"");
    for (size_t i = 0; i < 10923; i++)
        memcpy(json + (size_t)head + 3 * i, "\xe2\x82\xac", 3);
    strcpy(json + head + 3 * 10923, "\"]}");
    assert_false(load(RES(SASL_HANDSHAKE), 0, json, strlen(json)));
    assert_string_equal(shop.error.reason, "mechanisms[1]: 32769 bytes, 32767 are allowed");
    assert_int_equal(shop.error.offset, head - 1);
    /* Also where the version has no such field and would drop it: then it is dropped. */
    head = snprintf(json, sizeof json, "{\"clientSoftwareName\":\"");
    memset(json + head, 'x', 40000);
    strcpy(json + head + 40000, "\"}");
    assert_true(load(REQ(API_VERSIONS), 0, json, strlen(json)));
    assert_int_equal(shop.bytes.len, 0);
}

static void what_is_taken(void **state)
{
    (void)state;
    static const load_case cases[] = {
        {REQ(API_VERSIONS), 0, "{}", "", ""},
        /* any order, any white space */
        {RES(SASL_HANDSHAKE), 0, "\t{ \"mechanisms\" : [ \"A\" ] ,\r \"errorCode\" : 1 } ", "",
         "0001 00000001 0001 41"},
        {RES(API_VERSIONS), 0,
         "{\"apiKeys\":[{\"maxVersion\":3,\"apiKey\":1,\"minVersion\":2}],\"errorCode\":0}", "",
         "0000 00000001 0001 0002 0003"},
        /* -0 is 0 */
        {RES(RESPONSE_HEADER), 0, "{\"correlationId\":-0}", "", "00000000"},
        /* escapes */
        {REQ(SASL_HANDSHAKE), 0, "{\"mechanism\":\"\\u0041\\/\\\"\\\\\\b\\f\\n\\r\\t\"}", "",
         "0009 41 2f 22 5c 08 0c 0a 0d 09"},
        {REQ(SASL_HANDSHAKE), 0, "{\"mechanism\":\"\\uD83D\\ude00\\u0000\xe2\x82\xac\"}", "",
         "0008 f09f9880 00 e282ac"},
        {REQ(SASL_HANDSHAKE), 0, "{\"m\\u0065chanism\":\"x\"}", "", "0001 78"},
        {REQ(SASL_AUTHENTICATE), 0, "{\"authBytes\":\"\\/\\u002f8=\"}", "", "00000002 ffff"},
        /* a tagged field may be missing; at its default it is not written */
        {RES(API_VERSIONS), 3, "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":0}", "",
         "0000 01 00000000 00"},
        {RES(API_VERSIONS), 3,
         "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":0,\"supportedFeatures\":[],"
         "\"finalizedFeaturesEpoch\":-1,\"finalizedFeatures\":[],\"zkMigrationReady\":false}",
         "", "0000 01 00000000 00"},
        {RES(API_VERSIONS), 3,
         "{\"zkMigrationReady\":true,\"finalizedFeaturesEpoch\":0,\"errorCode\":0,\"apiKeys\":[],"
         "\"throttleTimeMs\":0}",
         "", "0000 01 00000000 02 01 08 0000000000000000 03 01 01"},
        {RES(PRODUCE), 10,
         "{\"responses\":[{\"name\":\"t\",\"partitionResponses\":[{\"index\":1,\"errorCode\":2,"
         "\"baseOffset\":3,\"logAppendTimeMs\":4,\"logStartOffset\":5,\"recordErrors\":[],"
         "\"errorMessage\":null,\"currentLeader\":{\"leaderId\":-1,\"leaderEpoch\":-1}}]}],"
         "\"throttleTimeMs\":0}",
         "",
         "02 02 74 02 00000001 0002 0000000000000003 0000000000000004 0000000000000005 01 00 00 00 "
         "00000000 00"},
        /* fields of other versions at their default */
        {REQ(METADATA), 0,
         "{\"topics\":[],\"allowAutoTopicCreation\":true,\"includeClusterAuthorizedOperations\":"
         "false,\"includeTopicAuthorizedOperations\":false}",
         "", "00000000"},
        {REQ(FIND_COORDINATOR), 4, "{\"key\":\"\",\"keyType\":0,\"coordinatorKeys\":[]}", "",
         "00 01 00"},
        {REQ(FIND_COORDINATOR), 0, "{\"key\":\"\",\"keyType\":0,\"coordinatorKeys\":[]}", "",
         "0000"},
        {REQ(INIT_PRODUCER_ID), 0,
         "{\"transactionalId\":\"\",\"transactionTimeoutMs\":0,\"producerId\":-1,\"producerEpoch\":"
         "-1,\"enable2Pc\":false,\"keepPreparedTxn\":false}",
         "", "0000 00000000"},
        {RES(PRODUCE), 9, "{\"responses\":[],\"nodeEndpoints\":[],\"throttleTimeMs\":0}", "",
         "01 00000000 00"},
        {RES(PRODUCE), 3,
         "{\"responses\":[{\"name\":\"t\",\"topicId\":\"AAAAAAAAAAAAAAAAAAAAAA\","
         "\"partitionResponses\":[{\"index\":1,\"errorCode\":2,\"baseOffset\":3,"
         "\"logAppendTimeMs\":4,\"logStartOffset\":-1,\"recordErrors\":[],\"errorMessage\":null,"
         "\"currentLeader\":{\"leaderId\":-1,\"leaderEpoch\":-1}}]}],\"throttleTimeMs\":0}",
         "", "00000001 0001 74 00000001 00000001 0002 0000000000000003 0000000000000004 00000000"},
        /* and not at their default, where the specification calls them ignorable */
        {REQ(API_VERSIONS), 2, "{\"clientSoftwareName\":\"kloop\",\"clientSoftwareVersion\":\"1\"}",
         "", ""},
        {RES(API_VERSIONS), 0,
         "{\"errorCode\":0,\"apiKeys\":[],\"throttleTimeMs\":9,\"zkMigrationReady\":true,"
         "\"supportedFeatures\":[]}",
         "", "0000 00000000"},
        {REQ(METADATA), 0, "{\"topics\":[{\"topicId\":\"AAAAAAAAAAAAAAAAAAAAAQ\",\"name\":\"t\"}]}",
         "", "00000001 0001 74"},
        {RES(FIND_COORDINATOR), 0,
         "{\"errorCode\":1,\"errorMessage\":null,\"nodeId\":2,\"host\":\"h\",\"port\":3}", "",
         "0001 00000002 0001 68 00000003"},
        {RES(METADATA), 0,
         "{\"brokers\":[],\"topics\":[{\"errorCode\":0,\"name\":\"t\",\"partitions\":[{"
         "\"errorCode\":0,\"partitionIndex\":1,\"leaderId\":2,\"replicaNodes\":[],\"isrNodes\":[],"
         "\"offlineReplicas\":[7]}]}]}",
         "", "00000000 00000001 0000 0001 74 00000001 0000 00000001 00000002 00000000 00000000"},
        /* null, and empty, which is not null */
        {REQ(METADATA), 9,
         "{\"topics\":null,\"allowAutoTopicCreation\":true,\"includeClusterAuthorizedOperations\":"
         "false,\"includeTopicAuthorizedOperations\":false}",
         "", "00 01 00 00 00"},
        {REQ(PRODUCE), 9,
         "{\"transactionalId\":null,\"acks\":1,\"timeoutMs\":2,\"topicData\":[{\"name\":\"x\","
         "\"partitionData\":[{\"index\":1,\"records\":null},{\"index\":2,\"records\":\"\"}]}]}",
         "", "00 0001 00000002 02 02 78 03 00000001 00 00 00000002 01 00 00 00"},
        {RES(SASL_AUTHENTICATE), 2,
         "{\"errorCode\":0,\"errorMessage\":null,\"authBytes\":\"\",\"sessionLifetimeMs\":0}", "",
         "0000 00 01 0000000000000000 00"},
        {RES(SASL_AUTHENTICATE), 2,
         "{\"errorCode\":0,\"errorMessage\":\"\",\"authBytes\":\"\",\"sessionLifetimeMs\":0}", "",
         "0000 01 01 0000000000000000 00"},
    };
    EXPECT_TAKEN(cases);
}

static void what_is_not_spoken(void **state)
{
    (void)state;
    assert_false(load(REQ(PRODUCE), 2, "{}", 2));
    assert_string_equal(shop.error.reason, "version 2 is not spoken");
    assert_int_equal(shop.error.offset, 0);
    assert_false(load(KLOOP_RESPONSE_HEADER, KLOOP_REQUEST, 0, "{}", 2));
    assert_string_equal(shop.error.reason, "API -2 is not known, or not in this direction");
}

static void what_was_there_stays(void **state)
{
    (void)state;
    kl_json *root = kl_json_read(&shop.doc, "{\"mechanism\":\"x\"}", 17);
    kl_buf_reset(&shop.bytes);
    kl_buf_append_str(&shop.bytes, "before");
    assert_true(
        kl_message_load(&shop.bytes, REQ(SASL_HANDSHAKE), 0, root, &shop.arena, &shop.error));
    kl_expect_bytes(shop.bytes.data, shop.bytes.len, "6265666f7265 0001 78");
    root = kl_json_read(&shop.doc, "{\"mechanism\":7}", 15);
    assert_false(
        kl_message_load(&shop.bytes, REQ(SASL_HANDSHAKE), 0, root, &shop.arena, &shop.error));
    assert_int_equal(shop.bytes.len, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_field),
        cmocka_unit_test(null_where_none_is_allowed),
        cmocka_unit_test(numbers_out_of_range),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(text_that_is_none),
        cmocka_unit_test(keys_that_nobody_knows),
        cmocka_unit_test(values_that_the_version_cannot_carry),
        cmocka_unit_test(strings_that_are_too_long),
        cmocka_unit_test(what_is_taken),
        cmocka_unit_test(what_is_not_spoken),
        cmocka_unit_test(what_was_there_stays),
    };
    return cmocka_run_group_tests(tests, open_shop, close_shop);
}
