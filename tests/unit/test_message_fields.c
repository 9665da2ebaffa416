/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the message files say of each field, held against Kafka's message specifications (4.3):
 * order, kind, versions, where null is allowed, default, whether it may be dropped, whether it is
 * tagged. The table below was taken from the specifications and knows nothing of the message files.
 */
#include "protocol/api.h"
#include "tests/support/expect_fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct spec_field {
    int depth; /* in lists and structs; -1: the end of the message */
    const char *name;
    kl_kind kind;
    int first, last; /* versions, within those that are spoken */
    bool nullable;
    int null_first;
    bool null_default;
    int64_t fallback;
    bool ignorable;
    bool tagged;
    bool never_compact;
} spec_field;

typedef struct spec_message {
    int16_t key;
    kloop_half half;
    int first, last;
    int flexible_since;
    const spec_field *fields;
} spec_message;

#define PLAIN(at, field, what, from, to)                                                           \
    {                                                                                              \
        .depth = at, .name = field, .kind = what, .first = from, .last = to                        \
    }
#define MORE(at, field, what, from, to, ...)                                                       \
    {                                                                                              \
        .depth = at, .name = field, .kind = what, .first = from, .last = to, __VA_ARGS__           \
    }
#define NULL_FROM(version) .nullable = true, .null_first = (version)

/* clang-format off */
static const spec_message spec[] = {
    {KLOOP_API_VERSIONS, KLOOP_REQUEST, 0, 4, 3, (const spec_field[]){
        MORE(0, "clientSoftwareName", KL_STRING, 3, 4, .ignorable = true),
        MORE(0, "clientSoftwareVersion", KL_STRING, 3, 4, .ignorable = true),
        {.depth = -1},
    }},
    {KLOOP_API_VERSIONS, KLOOP_RESPONSE, 0, 4, 3, (const spec_field[]){
        PLAIN(0, "errorCode", KL_INT16, 0, 4),
        PLAIN(0, "apiKeys", KL_ARRAY, 0, 4),
        PLAIN(1, "apiKey", KL_INT16, 0, 4),
        PLAIN(1, "minVersion", KL_INT16, 0, 4),
        PLAIN(1, "maxVersion", KL_INT16, 0, 4),
        MORE(0, "throttleTimeMs", KL_INT32, 1, 4, .ignorable = true),
        MORE(0, "supportedFeatures", KL_ARRAY, 3, 4, .ignorable = true, .tagged = true),
        PLAIN(1, "name", KL_STRING, 3, 4),
        PLAIN(1, "minVersion", KL_INT16, 3, 4),
        PLAIN(1, "maxVersion", KL_INT16, 3, 4),
        MORE(0, "finalizedFeaturesEpoch", KL_INT64, 3, 4, .fallback = -1, .ignorable = true, .tagged = true),
        MORE(0, "finalizedFeatures", KL_ARRAY, 3, 4, .ignorable = true, .tagged = true),
        PLAIN(1, "name", KL_STRING, 3, 4),
        PLAIN(1, "maxVersionLevel", KL_INT16, 3, 4),
        PLAIN(1, "minVersionLevel", KL_INT16, 3, 4),
        MORE(0, "zkMigrationReady", KL_BOOL, 3, 4, .ignorable = true, .tagged = true),
        {.depth = -1},
    }},
    {KLOOP_METADATA, KLOOP_REQUEST, 0, 13, 9, (const spec_field[]){
        MORE(0, "topics", KL_ARRAY, 0, 13, NULL_FROM(1)),
        MORE(1, "topicId", KL_UUID, 10, 13, .ignorable = true),
        MORE(1, "name", KL_STRING, 0, 13, NULL_FROM(10)),
        MORE(0, "allowAutoTopicCreation", KL_BOOL, 4, 13, .fallback = 1),
        PLAIN(0, "includeClusterAuthorizedOperations", KL_BOOL, 8, 10),
        PLAIN(0, "includeTopicAuthorizedOperations", KL_BOOL, 8, 13),
        {.depth = -1},
    }},
    {KLOOP_METADATA, KLOOP_RESPONSE, 0, 13, 9, (const spec_field[]){
        MORE(0, "throttleTimeMs", KL_INT32, 3, 13, .ignorable = true),
        PLAIN(0, "brokers", KL_ARRAY, 0, 13),
        PLAIN(1, "nodeId", KL_INT32, 0, 13),
        PLAIN(1, "host", KL_STRING, 0, 13),
        PLAIN(1, "port", KL_INT32, 0, 13),
        MORE(1, "rack", KL_STRING, 1, 13, NULL_FROM(1), .null_default = true, .ignorable = true),
        MORE(0, "clusterId", KL_STRING, 2, 13, NULL_FROM(2), .null_default = true, .ignorable = true),
        MORE(0, "controllerId", KL_INT32, 1, 13, .fallback = -1, .ignorable = true),
        PLAIN(0, "topics", KL_ARRAY, 0, 13),
        PLAIN(1, "errorCode", KL_INT16, 0, 13),
        MORE(1, "name", KL_STRING, 0, 13, NULL_FROM(12)),
        MORE(1, "topicId", KL_UUID, 10, 13, .ignorable = true),
        MORE(1, "isInternal", KL_BOOL, 1, 13, .ignorable = true),
        PLAIN(1, "partitions", KL_ARRAY, 0, 13),
        PLAIN(2, "errorCode", KL_INT16, 0, 13),
        PLAIN(2, "partitionIndex", KL_INT32, 0, 13),
        PLAIN(2, "leaderId", KL_INT32, 0, 13),
        MORE(2, "leaderEpoch", KL_INT32, 7, 13, .fallback = -1, .ignorable = true),
        PLAIN(2, "replicaNodes", KL_ARRAY, 0, 13),
        PLAIN(3, NULL, KL_INT32, 0, 13),
        PLAIN(2, "isrNodes", KL_ARRAY, 0, 13),
        PLAIN(3, NULL, KL_INT32, 0, 13),
        MORE(2, "offlineReplicas", KL_ARRAY, 5, 13, .ignorable = true),
        PLAIN(3, NULL, KL_INT32, 5, 13),
        MORE(1, "topicAuthorizedOperations", KL_INT32, 8, 13, .fallback = INT32_MIN),
        MORE(0, "clusterAuthorizedOperations", KL_INT32, 8, 10, .fallback = INT32_MIN),
        MORE(0, "errorCode", KL_INT16, 13, 13, .ignorable = true),
        {.depth = -1},
    }},
    {KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, 0, 6, 2, (const spec_field[]){
        MORE(0, "transactionalId", KL_STRING, 0, 6, NULL_FROM(0)),
        PLAIN(0, "transactionTimeoutMs", KL_INT32, 0, 6),
        MORE(0, "producerId", KL_INT64, 3, 6, .fallback = -1),
        MORE(0, "producerEpoch", KL_INT16, 3, 6, .fallback = -1),
        PLAIN(0, "enable2Pc", KL_BOOL, 6, 6),
        PLAIN(0, "keepPreparedTxn", KL_BOOL, 6, 6),
        {.depth = -1},
    }},
    {KLOOP_INIT_PRODUCER_ID, KLOOP_RESPONSE, 0, 6, 2, (const spec_field[]){
        MORE(0, "throttleTimeMs", KL_INT32, 0, 6, .ignorable = true),
        PLAIN(0, "errorCode", KL_INT16, 0, 6),
        MORE(0, "producerId", KL_INT64, 0, 6, .fallback = -1),
        PLAIN(0, "producerEpoch", KL_INT16, 0, 6),
        MORE(0, "ongoingTxnProducerId", KL_INT64, 6, 6, .fallback = -1),
        MORE(0, "ongoingTxnProducerEpoch", KL_INT16, 6, 6, .fallback = -1),
        {.depth = -1},
    }},
    {KLOOP_PRODUCE, KLOOP_REQUEST, 3, 13, 9, (const spec_field[]){
        MORE(0, "transactionalId", KL_STRING, 3, 13, NULL_FROM(3), .null_default = true),
        PLAIN(0, "acks", KL_INT16, 3, 13),
        PLAIN(0, "timeoutMs", KL_INT32, 3, 13),
        PLAIN(0, "topicData", KL_ARRAY, 3, 13),
        MORE(1, "name", KL_STRING, 3, 12, .ignorable = true),
        MORE(1, "topicId", KL_UUID, 13, 13, .ignorable = true),
        PLAIN(1, "partitionData", KL_ARRAY, 3, 13),
        PLAIN(2, "index", KL_INT32, 3, 13),
        MORE(2, "records", KL_RECORDS, 3, 13, NULL_FROM(3)),
        {.depth = -1},
    }},
    {KLOOP_PRODUCE, KLOOP_RESPONSE, 3, 13, 9, (const spec_field[]){
        PLAIN(0, "responses", KL_ARRAY, 3, 13),
        MORE(1, "name", KL_STRING, 3, 12, .ignorable = true),
        MORE(1, "topicId", KL_UUID, 13, 13, .ignorable = true),
        PLAIN(1, "partitionResponses", KL_ARRAY, 3, 13),
        PLAIN(2, "index", KL_INT32, 3, 13),
        PLAIN(2, "errorCode", KL_INT16, 3, 13),
        PLAIN(2, "baseOffset", KL_INT64, 3, 13),
        MORE(2, "logAppendTimeMs", KL_INT64, 3, 13, .fallback = -1, .ignorable = true),
        MORE(2, "logStartOffset", KL_INT64, 5, 13, .fallback = -1, .ignorable = true),
        MORE(2, "recordErrors", KL_ARRAY, 8, 13, .ignorable = true),
        PLAIN(3, "batchIndex", KL_INT32, 8, 13),
        MORE(3, "batchIndexErrorMessage", KL_STRING, 8, 13, NULL_FROM(8), .null_default = true),
        MORE(2, "errorMessage", KL_STRING, 8, 13, NULL_FROM(8), .null_default = true, .ignorable = true),
        MORE(2, "currentLeader", KL_STRUCT, 10, 13, .tagged = true),
        MORE(3, "leaderId", KL_INT32, 10, 13, .fallback = -1),
        MORE(3, "leaderEpoch", KL_INT32, 10, 13, .fallback = -1),
        MORE(0, "throttleTimeMs", KL_INT32, 3, 13, .ignorable = true),
        MORE(0, "nodeEndpoints", KL_ARRAY, 10, 13, .tagged = true),
        PLAIN(1, "nodeId", KL_INT32, 10, 13),
        PLAIN(1, "host", KL_STRING, 10, 13),
        PLAIN(1, "port", KL_INT32, 10, 13),
        MORE(1, "rack", KL_STRING, 10, 13, NULL_FROM(10), .null_default = true),
        {.depth = -1},
    }},
    {KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, 1, INT16_MAX, (const spec_field[]){
        PLAIN(0, "mechanism", KL_STRING, 0, 1),
        {.depth = -1},
    }},
    {KLOOP_SASL_HANDSHAKE, KLOOP_RESPONSE, 0, 1, INT16_MAX, (const spec_field[]){
        PLAIN(0, "errorCode", KL_INT16, 0, 1),
        PLAIN(0, "mechanisms", KL_ARRAY, 0, 1),
        PLAIN(1, NULL, KL_STRING, 0, 1),
        {.depth = -1},
    }},
    {KLOOP_SASL_AUTHENTICATE, KLOOP_REQUEST, 0, 2, 2, (const spec_field[]){
        PLAIN(0, "authBytes", KL_BYTES, 0, 2),
        {.depth = -1},
    }},
    {KLOOP_SASL_AUTHENTICATE, KLOOP_RESPONSE, 0, 2, 2, (const spec_field[]){
        PLAIN(0, "errorCode", KL_INT16, 0, 2),
        MORE(0, "errorMessage", KL_STRING, 0, 2, NULL_FROM(0)),
        PLAIN(0, "authBytes", KL_BYTES, 0, 2),
        MORE(0, "sessionLifetimeMs", KL_INT64, 1, 2, .ignorable = true),
        {.depth = -1},
    }},
    {KLOOP_FIND_COORDINATOR, KLOOP_REQUEST, 0, 6, 3, (const spec_field[]){
        PLAIN(0, "key", KL_STRING, 0, 3),
        PLAIN(0, "keyType", KL_INT8, 1, 6),
        PLAIN(0, "coordinatorKeys", KL_ARRAY, 4, 6),
        PLAIN(1, NULL, KL_STRING, 4, 6),
        {.depth = -1},
    }},
    {KLOOP_FIND_COORDINATOR, KLOOP_RESPONSE, 0, 6, 3, (const spec_field[]){
        MORE(0, "throttleTimeMs", KL_INT32, 1, 6, .ignorable = true),
        PLAIN(0, "errorCode", KL_INT16, 0, 3),
        MORE(0, "errorMessage", KL_STRING, 1, 3, NULL_FROM(1), .ignorable = true),
        PLAIN(0, "nodeId", KL_INT32, 0, 3),
        PLAIN(0, "host", KL_STRING, 0, 3),
        PLAIN(0, "port", KL_INT32, 0, 3),
        PLAIN(0, "coordinators", KL_ARRAY, 4, 6),
        PLAIN(1, "key", KL_STRING, 4, 6),
        PLAIN(1, "nodeId", KL_INT32, 4, 6),
        PLAIN(1, "host", KL_STRING, 4, 6),
        PLAIN(1, "port", KL_INT32, 4, 6),
        PLAIN(1, "errorCode", KL_INT16, 4, 6),
        MORE(1, "errorMessage", KL_STRING, 4, 6, NULL_FROM(4), .ignorable = true),
        {.depth = -1},
    }},
    {KLOOP_REQUEST_HEADER, KLOOP_REQUEST, 1, 2, 2, (const spec_field[]){
        PLAIN(0, "requestApiKey", KL_INT16, 1, 2),
        PLAIN(0, "requestApiVersion", KL_INT16, 1, 2),
        PLAIN(0, "correlationId", KL_INT32, 1, 2),
        MORE(0, "clientId", KL_STRING, 1, 2, NULL_FROM(1), .never_compact = true),
        {.depth = -1},
    }},
    {KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE, 0, 1, 1, (const spec_field[]){
        PLAIN(0, "correlationId", KL_INT32, 0, 1),
        {.depth = -1},
    }},
};
/* clang-format on */

enum { MESSAGE_COUNT = sizeof spec / sizeof spec[0] };

/* ---- A tap that makes one element for each list and looks at the fields alone ---- */

typedef struct range {
    int first, last;
} range;

typedef struct reader {
    kl_tap tap; /* first: the walk hands it back to us */
    const spec_field *next;
    int depth;
    range within[8];
    union {
        max_align_t align;
        uint8_t bytes[512];
    } element[8];
} reader;

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Versions in which the field is there: its own, within those of what holds it. */
static range versions_of(const reader *r, const kl_field *f)
{
    range within = r->within[r->depth];
    return (range){larger(f->since, within.first),
                   f->until ? smaller(f->until, within.last) : within.last};
}

static void compare(reader *r, const kl_field *f, kl_kind kind)
{
    const spec_field *s = r->next++;
    range versions = versions_of(r, f);
    int null_first = f->nullable ? larger(f->null_since, versions.first) : 0;
    const char *name = s->name ? s->name : "(element)";
    if (s->depth < 0)
        fail_msg("there is no field %s in the specification", f->name);
    if ((f->name == NULL) != (s->name == NULL) || (f->name && strcmp(f->name, s->name) != 0))
        fail_msg("field %s where %s is expected", f->name, name);
    if (r->depth != s->depth || kind != s->kind || f->kind != s->kind)
        fail_msg("%s: depth %d, kind %d", name, r->depth, (int)kind);
    if (versions.first != s->first || versions.last != s->last)
        fail_msg("%s: versions %d to %d", name, versions.first, versions.last);
    if (f->nullable != s->nullable || null_first != s->null_first ||
        f->null_default != s->null_default)
        fail_msg("%s: null from %d, default %d", name, null_first, f->null_default);
    if (f->fallback != s->fallback)
        fail_msg("%s: default %lld", name, (long long)f->fallback);
    if (f->ignorable != s->ignorable || f->tagged != s->tagged ||
        f->never_compact != s->never_compact)
        fail_msg("%s: ignorable %d, tagged %d, never compact %d", name, f->ignorable, f->tagged,
                 f->never_compact);
}

static void see_value(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                      const uint8_t *from)
{
    (void)w, (void)value, (void)from;
    compare((reader *)tap, field, kind);
}

static void descend(reader *r, const kl_field *field)
{
    assert_true(r->depth < 7);
    r->within[r->depth + 1] = versions_of(r, field);
    r->depth++;
}

static void ascend(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    (void)w, (void)field;
    ((reader *)tap)->depth--;
}

static bool see_array(kl_tap *tap, kl_walk *w, const kl_field *field, kloop_array *array,
                      const uint8_t *from)
{
    (void)w, (void)from;
    reader *r = (reader *)tap;
    compare(r, field, KL_ARRAY);
    assert_true(field->type->size <= sizeof r->element[0]);
    *array = kloop_array_of(&r->element[r->depth], 1);
    descend(r, field);
    return true;
}

static bool see_struct(kl_tap *tap, kl_walk *w, const kl_field *field, int32_t index)
{
    (void)w;
    reader *r = (reader *)tap;
    if (index >= 0)
        return true; /* an element: the list was compared, and we are inside it */
    compare(r, field, KL_STRUCT);
    descend(r, field);
    if (field->type->defaults) {
        /* A default that is kept ready is the one that the walk would find. */
        uint8_t found[512];
        assert_true(field->type->size <= sizeof found);
        kl_walk_reset(field->type, found);
        assert_memory_equal(field->type->defaults, found, field->type->size);
    }
    return true;
}

static void struct_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    if (field->kind == KL_STRUCT)
        ascend(tap, w, field);
}

static void every_field_is_as_the_specification_says(void **state)
{
    (void)state;
    size_t halves = 0;
    for (size_t i = 0; i < kloop_api_count(); i++)
        halves += (size_t)kloop_api_at(i)->has_request + (size_t)kloop_api_at(i)->has_response;
    assert_int_equal(halves, MESSAGE_COUNT);

    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        const spec_message *s = &spec[i];
        const kloop_api *api = kloop_api_find(s->key);
        assert_non_null(api);
        print_message("%s %s\n", api->name, s->half == KLOOP_REQUEST ? "request" : "response");
        assert_int_equal(api->min_version, s->first);
        assert_int_equal(api->max_version, s->last);
        assert_int_equal(api->flexible_since, s->flexible_since);
        const kloop_message_type *type = kl_api_type(s->key, s->half, (int16_t)s->first, NULL);
        assert_non_null(type);
        assert_int_equal(type->flexible_since, s->flexible_since);
        reader r = {.tap = {see_value, see_array, ascend, see_struct, struct_end},
                    .next = s->fields};
        r.within[0] = (range){s->first, s->last};
        kl_message message;
        kl_walk w;
        kl_walk_load(&w, &r.tap);
        kl_walk_message(&w, type, (int16_t)s->last, &message);
        assert_int_equal(r.next->depth, -1);
        assert_int_equal(r.depth, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_as_the_specification_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
