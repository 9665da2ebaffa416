/* SPDX-License-Identifier: BSD-2-Clause */
/* See scripts.h. Requests that change nothing, and frames that are none. */
#include "tests/live/scripts.h"

#include "base/be.h"
#include "base/check.h"

#include <string.h>

/* ---- ApiVersions ---- */

static void api_versions(kl_talk *t)
{
    kloop_api_versions_request request = {kloop_text("compare"), kloop_text("1.0")};
    for (int16_t version = 0; version <= 4; version++) {
        if (version < 3)
            kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &request);
        else
            request = (kloop_api_versions_request){kloop_text("compare"), kloop_text("1.0")};
        kl_talk_ask(t, kl_talk_label(t, "v%d", version), KLOOP_API_VERSIONS, version, &request);
    }
    static const uint8_t body[] = {8, 'c', 'o', 'm', 'p', 'a', 'r', 'e', 2, '1', 0};
    kl_talk_ask_raw(t, "v5", KLOOP_API_VERSIONS, 5, body, sizeof body);
    kl_talk_ask_raw(t, "v99", KLOOP_API_VERSIONS, 99, body, sizeof body);
    kl_talk_ask_raw(t, "v99 with nothing", KLOOP_API_VERSIONS, 99, NULL, 0);
    kl_talk_ask_raw(t, "v-1", KLOOP_API_VERSIONS, -1, body, sizeof body);
    kl_talk_ask(t, "v4 after all that", KLOOP_API_VERSIONS, 4, &request);
}

static void software_names(kl_talk *t)
{
    static const char names[][2][24] = {
        {"", "1"},
        {"a", ""},
        {"a", "1"},
        {"-a", "1"},
        {"a-", "1"},
        {"a b", "1"},
        {"a.b-c", "1-2.3"},
        {"a", "1."},
        {"a_b", "1"},
        {"\xc3\xa9", "1"},
        {"apache-kafka-java", "4.3.1"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        kloop_api_versions_request request = {kloop_text(names[i][0]), kloop_text(names[i][1])};
        for (int16_t version = 3; version <= 4; version++)
            kl_talk_ask(t, kl_talk_label(t, "v%d \"%s\" \"%s\"", version, names[i][0], names[i][1]),
                        KLOOP_API_VERSIONS, version, &request);
    }
}

/* ---- Metadata ---- */

static kloop_metadata_request about(kloop_metadata_request_topic *topics, int32_t count)
{
    kloop_metadata_request request;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
    request.topics = kloop_array_of(topics, count);
    return request;
}

static kloop_metadata_request_topic named(const char *name)
{
    return (kloop_metadata_request_topic){.name = kloop_text(name)};
}

static void metadata_by_name(kl_talk *t)
{
    kloop_metadata_request_topic topics[] = {named("cmp.plain"), named("cmp.small")};
    kloop_metadata_request_topic twice[] = {named("cmp.plain"), named("cmp.plain")};
    for (int16_t version = 0; version <= 13; version++) {
        kloop_metadata_request one = about(topics, 1), two = about(topics, 2),
                               same = about(twice, 2), nothing = about(topics, 0),
                               all = about(NULL, 0);
        all.topics = kloop_array_null();
        kl_talk_ask(t, kl_talk_label(t, "v%d one", version), KLOOP_METADATA, version, &one);
        kl_talk_ask(t, kl_talk_label(t, "v%d two", version), KLOOP_METADATA, version, &two);
        kl_talk_ask(t, kl_talk_label(t, "v%d twice", version), KLOOP_METADATA, version, &same);
        kl_talk_ask(t, kl_talk_label(t, "v%d empty list", version), KLOOP_METADATA, version,
                    &nothing);
        if (version >= 1)
            kl_talk_ask(t, kl_talk_label(t, "v%d null list", version), KLOOP_METADATA, version,
                        &all);
    }
}

static void metadata_of_unknown(kl_talk *t)
{
    static const char *const names[] = {"cmp.nobody", "cmp.with space", "",     ".",
                                        "..",         "cmp.\xc3\xa9",   "cmp.:"};
    char long_name[256];
    for (int16_t version = 4; version <= 13; version++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            kloop_metadata_request_topic topic = named(names[i]);
            kloop_metadata_request request = about(&topic, 1);
            request.allow_auto_topic_creation = false;
            kl_talk_ask(t, kl_talk_label(t, "v%d \"%s\"", version, names[i]), KLOOP_METADATA,
                        version, &request);
        }
    }
    for (size_t len = 249; len <= 250; len++) {
        memset(long_name, 'x', len);
        memcpy(long_name, "cmp.", 4);
        long_name[len] = 0;
        kloop_metadata_request_topic topic = named(long_name);
        kloop_metadata_request request = about(&topic, 1);
        request.allow_auto_topic_creation = false;
        kl_talk_ask(t, kl_talk_label(t, "name of %zu", len), KLOOP_METADATA, 12, &request);
    }
    kloop_metadata_request_topic some[] = {named("cmp.nobody"), named("cmp.plain"),
                                           named("cmp. bad")};
    kloop_metadata_request request = about(some, 3);
    request.allow_auto_topic_creation = false;
    kl_talk_ask(t, "known and unknown", KLOOP_METADATA, 12, &request);
}

static void metadata_by_id(kl_talk *t)
{
    kloop_metadata_request_topic topics[5];
    memset(topics, 0, sizeof topics);
    topics[0].topic_id = kl_side_names_topic(&t->names, "cmp.plain")->id;
    memset(&topics[1].topic_id, 0xab, sizeof topics[1].topic_id);
    topics[3].topic_id = topics[0].topic_id;
    topics[3].name = kloop_text("cmp.plain");
    topics[4].topic_id = topics[0].topic_id;
    topics[4].name = kloop_text("cmp.small");
    static const char *const labels[] = {"id", "unknown id", "neither id nor name", "id and name",
                                         "id and another's name"};
    for (int16_t version = 10; version <= 13; version++) {
        for (size_t i = 0; i < 5; i++) {
            kloop_metadata_request request = about(&topics[i], 1);
            request.allow_auto_topic_creation = false;
            if (i == 1 && version < 12)
                continue;
            kl_talk_ask(t, kl_talk_label(t, "v%d %s", version, labels[i]), KLOOP_METADATA, version,
                        &request);
        }
    }
    kloop_metadata_request_topic mixed[] = {topics[0], named("cmp.small")};
    kloop_metadata_request request = about(mixed, 2);
    request.allow_auto_topic_creation = false;
    kl_talk_ask(t, "by id, and by name", KLOOP_METADATA, 12, &request);
}

static void metadata_operations(kl_talk *t)
{
    kloop_metadata_request_topic topic = named("cmp.plain");
    for (int16_t version = 8; version <= 13; version++) {
        kloop_metadata_request request = about(&topic, 1);
        request.include_topic_authorized_operations = true;
        request.include_cluster_authorized_operations = version <= 10;
        kl_talk_ask(t, kl_talk_label(t, "v%d", version), KLOOP_METADATA, version, &request);
    }
}

static void auto_creation(kl_talk *t)
{
    kloop_metadata_request_topic topic = named("cmp.made");
    kloop_metadata_request_topic bad = named("cmp.made badly");
    kloop_metadata_request request = about(&topic, 1);
    kl_talk_ask(t, "first question", KLOOP_METADATA, 12, &request);
    kl_talk_learn(t, "cmp.made");
    kl_talk_ask(t, "when it is there", KLOOP_METADATA, 12, &request);
    request = about(&bad, 1);
    kl_talk_ask(t, "a bad name", KLOOP_METADATA, 12, &request);
    request = about(&(kloop_metadata_request_topic){.name = kloop_text("cmp.old.way")}, 1);
    kl_talk_ask(t, "before v4 nobody can forbid it", KLOOP_METADATA, 3, &request);
    kl_talk_learn(t, "cmp.old.way");
}

static void no_auto_creation(kl_talk *t)
{
    kloop_metadata_request_topic topic = named("cmp.never");
    kloop_metadata_request request = about(&topic, 1);
    kl_talk_ask(t, "first question", KLOOP_METADATA, 12, &request);
    kl_talk_ask(t, "second question", KLOOP_METADATA, 12, &request);
    kl_talk_ask(t, "v1", KLOOP_METADATA, 1, &request);
}

/* ---- InitProducerId ---- */

/* Of a producer without transactions. */
static kloop_init_producer_id_request id_request(void)
{
    kloop_init_producer_id_request request;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, &request);
    request.transactional_id = kloop_text(NULL);
    request.transaction_timeout_ms = INT32_MAX;
    return request;
}

static void producer_ids(kl_talk *t)
{
    kloop_init_producer_id_request request;
    for (int16_t version = 0; version <= 5; version++) {
        request = id_request();
        kl_talk_ask(t, kl_talk_label(t, "v%d", version), KLOOP_INIT_PRODUCER_ID, version, &request);
        request.transaction_timeout_ms = version % 2 ? 0 : -1;
        kl_talk_ask(t, kl_talk_label(t, "v%d, bad timeout", version), KLOOP_INIT_PRODUCER_ID,
                    version, &request);
        request.transactional_id = kloop_text("");
        kl_talk_ask(t, kl_talk_label(t, "v%d, empty transactional id", version),
                    KLOOP_INIT_PRODUCER_ID, version, &request);
        if (version < 3)
            continue;
        static const struct {
            int64_t id;
            int16_t epoch;
        } earlier[] = {{0, 0}, {0, -1}, {-1, 0}, {-2, 0}, {0, -2}, {0, INT16_MAX}, {123456, 7}};
        for (size_t i = 0; i < sizeof earlier / sizeof earlier[0]; i++) {
            request = id_request();
            request.producer_id = earlier[i].id;
            request.producer_epoch = earlier[i].epoch;
            kl_talk_ask(t,
                        kl_talk_label(t, "v%d, was %lld epoch %d", version,
                                      (long long)earlier[i].id, earlier[i].epoch),
                        KLOOP_INIT_PRODUCER_ID, version, &request);
        }
    }
    request = id_request();
    kl_talk_ask(t, "v6", KLOOP_INIT_PRODUCER_ID, 6, &request);
}

/* ---- What no broker can make sense of ---- */

static void unknown_versions(kl_talk *t)
{
    static const struct {
        int16_t key;
        int16_t version;
    } rows[] = {{KLOOP_PRODUCE, -1},
                {KLOOP_PRODUCE, 0},
                {KLOOP_PRODUCE, 1},
                {KLOOP_PRODUCE, 2},
                {KLOOP_PRODUCE, 14},
                {KLOOP_METADATA, -1},
                {KLOOP_METADATA, 14},
                {999, 0},
                {-1, 0},
                {KLOOP_INIT_PRODUCER_ID, 7},
                {INT16_MAX, 0}};
    static const uint8_t zeros[64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        kl_talk_ask_raw(t, kl_talk_label(t, "api %d v%d", rows[i].key, rows[i].version),
                        rows[i].key, rows[i].version, zeros, sizeof zeros);
}

static void broken_bodies(kl_talk *t)
{
    static const uint8_t topics_negative[] = {0xff, 0xff, 0xff, 0xfe, 1};
    static const uint8_t topics_many[] = {0x7f, 0xff, 0xff, 0xff, 1};
    static const uint8_t fine_and_more[] = {0, 0, 0, 0, 1, 0xde, 0xad};
    static const uint8_t bad_utf8[] = {0, 0, 0, 1, 0, 2, 0xc3, 0x28, 1};
    static const uint8_t bool_two[] = {0, 0, 0, 0, 2};
    static const uint8_t null_name[] = {0, 0, 0, 1, 0xff, 0xff, 1};
    kl_talk_ask_raw(t, "nothing", KLOOP_METADATA, 4, NULL, 0);
    kl_talk_ask_raw(t, "cut", KLOOP_METADATA, 4, fine_and_more, 3);
    kl_talk_ask_raw(t, "bytes behind the end", KLOOP_METADATA, 4, fine_and_more,
                    sizeof fine_and_more);
    kl_talk_ask_raw(t, "count -2", KLOOP_METADATA, 4, topics_negative, sizeof topics_negative);
    kl_talk_ask_raw(t, "count 2^31-1", KLOOP_METADATA, 4, topics_many, sizeof topics_many);
    kl_talk_ask_raw(t, "a name that is no UTF-8", KLOOP_METADATA, 4, bad_utf8, sizeof bad_utf8);
    kl_talk_ask_raw(t, "a bool of 2", KLOOP_METADATA, 4, bool_two, sizeof bool_two);
    kl_talk_ask_raw(t, "a null name", KLOOP_METADATA, 4, null_name, sizeof null_name);
    kl_talk_ask_raw(t, "Produce of nothing", KLOOP_PRODUCE, 9, NULL, 0);
    kl_talk_ask_raw(t, "InitProducerId of nothing", KLOOP_INIT_PRODUCER_ID, 4, NULL, 0);
}

static void broken_frames(kl_talk *t)
{
    uint8_t bytes[32] = {0};
    kl_talk_ask_wild(t, "length 0", bytes, 4);
    kl_be_store32(bytes, 0xffffffffu);
    kl_talk_ask_wild(t, "length -1", bytes, sizeof bytes);
    kl_be_store32(bytes, 104857601);
    kl_talk_ask_wild(t, "length one above the limit", bytes, sizeof bytes);
    kl_be_store32(bytes, 4);
    kl_talk_ask_wild(t, "half a header", bytes, 8);
    kl_be_store32(bytes, 10);
    kl_be_store16(bytes + 4, KLOOP_METADATA);
    kl_be_store16(bytes + 6, 4);
    kl_be_store16(bytes + 12, 20);
    kl_talk_ask_wild(t, "a client id beyond the end", bytes, 14);
    memcpy(bytes, "GET / HTTP/1.1\r\n\r\n", 18);
    kl_talk_ask_wild(t, "another protocol", bytes, 18);
}

/* A header with a tag that nobody knows; it is to be skipped. */
static void header_tags(kl_talk *t)
{
    static const uint8_t frame[] = {0,  0, 0, 26, 0, 18,  0,   3,   0, 0,   0, 9, 0xff, 0xff, 1,
                                    77, 2, 1, 2,  4, 'a', 'b', 'c', 2, '1', 1, 5, 1,    0,    0};
    KL_ASSERT(sizeof frame == 30);
    kl_talk_ask_wild(t, "unknown tags", frame, sizeof frame);
}

static void sasl_without_sasl(kl_talk *t)
{
    kloop_sasl_handshake_request handshake = {kloop_text("PLAIN")};
    kloop_sasl_authenticate_request token = {{(const uint8_t *)"\0u\0p", 4}};
    kl_talk_ask(t, "handshake", KLOOP_SASL_HANDSHAKE, 1, &handshake);
    kl_talk_ask(t, "authenticate", KLOOP_SASL_AUTHENTICATE, 2, &token);
}

const kl_script kl_scripts_of_questions[] = {
    {"api versions", 1, 0, api_versions, KL_SCRIPT_ORDINARY},
    {"software names", 1, 0, software_names, KL_SCRIPT_ORDINARY},
    {"metadata by name", 1, 0, metadata_by_name, KL_SCRIPT_ORDINARY},
    {"metadata of unknown", 1, 0, metadata_of_unknown, KL_SCRIPT_ORDINARY},
    {"metadata by id", 1, 0, metadata_by_id, KL_SCRIPT_ORDINARY},
    {"metadata operations", 1, 0, metadata_operations, KL_SCRIPT_ORDINARY},
    {"auto creation", 1, 1, auto_creation, KL_SCRIPT_ORDINARY},
    {"no auto creation", 3, 0, no_auto_creation, KL_SCRIPT_ORDINARY},
    {"producer ids", 1, 0, producer_ids, KL_SCRIPT_ORDINARY},
    {"unknown versions", 1, 0, unknown_versions, KL_SCRIPT_ORDINARY},
    {"broken bodies", 1, 0, broken_bodies, KL_SCRIPT_ORDINARY},
    {"broken frames", 1, 0, broken_frames, KL_SCRIPT_ORDINARY},
    {"header tags", 1, 0, header_tags, KL_SCRIPT_ORDINARY},
    {"sasl without sasl", 1, 0, sasl_without_sasl, KL_SCRIPT_ORDINARY},
    {NULL, 0, 0, NULL, KL_SCRIPT_ORDINARY},
};
