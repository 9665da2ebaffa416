/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists, versions and taps: iterating what was decoded and what the program made, encoding a
 * decoded message for another version, and what a tap is shown of the bytes.
 */
#include "protocol/api.h"
#include "tests/support/expect_fault.h"
#include "tests/support/one_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static void decode_one(const kloop_message_type *type, int version, const char *hex, void *message)
{
    kloop_slice bytes = kl_hex_guarded(&guard, hex);
    kl_walk w;
    kl_walk_decode(&w, bytes.data, bytes.len);
    assert_int_equal(kl_walk_message(&w, type, (int16_t)version, message), KLOOP_OK);
    assert_int_equal(kl_walk_at(&w), bytes.len);
}

/* ---- Iterating ---- */

static void numbers_of_a_decoded_list(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *hex;
    } cases[] = {
        {0, "00000003 00000001 ffffffff 80000000"},
        {2, "04 00000001 ffffffff 80000000 00"},
        {2, "848000 00000001 ffffffff 80000000 00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_one_array m;
        decode_one(&kl_one_numbers_type, cases[i].version, cases[i].hex, &m);
        assert_int_equal(m.value.count, 3);
        assert_int_equal(m.value.len, 12);
        static const int32_t wanted[] = {1, -1, INT32_MIN};
        int32_t number;
        int seen = 0;
        for (kloop_iter it = kloop_iterate(&m.value); kloop_next(&it, &number); seen++)
            assert_int_equal(number, wanted[seen]);
        assert_int_equal(seen, 3);
    }
}

/* Around the count that takes a second byte, and in more bytes than it needs. */
static void counts_of_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *count;
        int32_t wanted;
    } cases[] = {
        {"01", 0},     {"8100", 0},   {"02", 1},     {"8200", 1},    {"82808000", 1},   {"7f", 126},
        {"ff00", 126}, {"8001", 127}, {"8101", 128}, {"808000", -1}, {"80818000", 127},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[600] = {0};
        size_t at = kl_hex_bytes(cases[i].count, bytes, sizeof bytes);
        int32_t count = cases[i].wanted < 0 ? 0 : cases[i].wanted;
        for (int32_t n = 0; n < count; n++)
            bytes[at + 4 * (size_t)n + 3] = (uint8_t)n;
        size_t len = at + 4 * (size_t)count + 1;
        kl_one_array m;
        kl_walk w;
        kl_walk_decode(&w, kl_guard_copy_at_end(&guard, bytes, len), len);
        assert_int_equal(kl_walk_message(&w, &kl_one_nullable_numbers_type, 2, &m), KLOOP_OK);
        assert_int_equal(kl_walk_at(&w), len);
        assert_int_equal(m.value.count, cases[i].wanted);
        int32_t number, seen = 0;
        for (kloop_iter it = kloop_iterate(&m.value); kloop_next(&it, &number); seen++)
            assert_int_equal(number, seen);
        assert_int_equal(seen, count);
    }
}

static void names_of_a_decoded_list(void **state)
{
    (void)state;
    for (int version = 0; version <= 2; version += 2) {
        kl_one_array m;
        decode_one(&kl_one_names_type, version,
                   version == 0 ? "00000003 0001 61 0000 0002 6263" : "04 02 61 01 03 6263 00", &m);
        static const char *const wanted[] = {"a", "", "bc"};
        kloop_string name;
        int seen = 0;
        for (kloop_iter it = kloop_iterate(&m.value); kloop_next(&it, &name); seen++)
            kl_expect_text(name, wanted[seen]);
        assert_int_equal(seen, 3);
    }
}

static void structs_of_a_decoded_list(void **state)
{
    (void)state;
    for (int version = 0; version <= 2; version += 2) {
        kl_one_array m;
        decode_one(&kl_one_pairs_type, version,
                   version == 0 ? "00000002 00000001 0001 61 00000002 0001 62"
                                : "03 00000001 02 61 01 09 01 ff 00000002 02 62 00 00",
                   &m);
        kl_pair pair;
        kloop_iter it = kloop_iterate(&m.value);
        assert_true(kloop_next(&it, &pair));
        assert_int_equal(pair.number, 1);
        kl_expect_text(pair.name, "a");
        /* Views of the decoded bytes, not copies. */
        assert_true((const uint8_t *)pair.name.data > guard.begin);
        assert_true(kloop_next(&it, &pair));
        assert_int_equal(pair.number, 2);
        kl_expect_text(pair.name, "b");
        assert_false(kloop_next(&it, &pair));
        assert_false(kloop_next(&it, &pair));
        assert_int_equal(it.index, 2);
    }
}

static void lists_that_hold_nothing(void **state)
{
    (void)state;
    static const struct {
        const kloop_message_type *type;
        int version;
        const char *hex;
        int32_t count;
    } cases[] = {
        {&kl_one_numbers_type, 0, "00000000", 0},
        {&kl_one_numbers_type, 2, "01 00", 0},
        {&kl_one_names_type, 0, "00000000", 0},
        {&kl_one_pairs_type, 2, "01 00", 0},
        {&kl_one_nullable_pairs_type, 1, "ffffffff", -1},
        {&kl_one_nullable_pairs_type, 2, "00 00", -1},
        {&kl_one_nullable_numbers_type, 2, "00 00", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_one_array m;
        kl_pair element;
        decode_one(cases[i].type, cases[i].version, cases[i].hex, &m);
        assert_int_equal(m.value.count, cases[i].count);
        assert_int_equal(m.value.len, 0);
        kloop_iter it = kloop_iterate(&m.value);
        assert_false(kloop_next(&it, &element));
        /* What was read as null is written as null. */
        kl_walk w;
        uint8_t again[8];
        kl_walk_encode(&w, again, sizeof again);
        assert_int_equal(kl_walk_message(&w, cases[i].type, (int16_t)cases[i].version, &m),
                         KLOOP_OK);
        kl_expect_bytes(again, kl_walk_at(&w), cases[i].hex);
    }
}

static void lists_that_the_program_made(void **state)
{
    (void)state;
    static const kl_pair pairs[] = {{1, {"a", 1}}, {2, {"b", 1}}, {3, {"c", 1}}};
    kloop_array array = kloop_array_of(pairs, 3);
    kl_pair pair;
    int seen = 0;
    for (kloop_iter it = kloop_iterate(&array); kloop_next(&it, &pair); seen++) {
        assert_int_equal(pair.number, pairs[seen].number);
        assert_ptr_equal(pair.name.data, pairs[seen].name.data);
    }
    assert_int_equal(seen, 3);
    static const int32_t numbers[] = {7, 8};
    array = kloop_array_of(numbers, 2);
    int32_t number;
    kloop_iter it = kloop_iterate(&array);
    assert_true(kloop_next(&it, &number));
    assert_true(kloop_next(&it, &number));
    assert_int_equal(number, 8);
    assert_false(kloop_next(&it, &number));
    array = kloop_array_of(NULL, 0);
    it = kloop_iterate(&array);
    assert_false(kloop_next(&it, &number));
    array = kloop_array_null();
    it = kloop_iterate(&array);
    assert_int_equal(array.count, -1);
    assert_false(kloop_next(&it, &number));
}

static void made_and_decoded_lists_in_one_message(void **state)
{
    (void)state;
    /* A decoded list of replicas inside structs of our own: both sorts nest in each other. */
    kl_one_array decoded;
    decode_one(&kl_one_numbers_type, 0, "00000002 00000005 00000006", &decoded);
    kloop_metadata_partition partition = {
        .leader_epoch = -1, .replica_nodes = decoded.value, .isr_nodes = kloop_array_of(NULL, 0)};
    kloop_metadata_topic topic = {.name = kloop_text("t"),
                                  .partitions = kloop_array_of(&partition, 1),
                                  .topic_authorized_operations = INT32_MIN};
    kloop_metadata_response m;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &m);
    m.topics = kloop_array_of(&topic, 1);
    uint8_t bytes[100];
    size_t used;
    kloop_fault fault;
    assert_int_equal(
        kloop_encode(KLOOP_METADATA, KLOOP_RESPONSE, 0, &m, bytes, sizeof bytes, &used, &fault),
        KLOOP_OK);
    kl_expect_bytes(bytes, used,
                    "00000000 00000001 0000 0001 74 00000001 0000 00000000 00000000"
                    "00000002 00000005 00000006 00000000");
}

/* ---- Another version ---- */

#define TOPIC_OF_V5                                                                                \
    "0000 0001 74 01"                                                                              \
    "00000002"                                                                                     \
    "0000 00000000 00000001 00000002 00000001 00000002 00000001 00000001 00000000"                 \
    "0005 00000001 ffffffff 00000001 00000001 00000000 00000001 00000002"

static const char metadata_v5[] = "00000000"
                                  "00000002"
                                  "00000001 0001 61 00002384 0001 72"
                                  "00000002 0001 62 00002385 ffff"
                                  "0002 6369 00000001"
                                  "00000001" TOPIC_OF_V5;

static const char metadata_v13[] = "00000000"
                                   "03"
                                   "00000001 02 61 00002384 02 72 00"
                                   "00000002 02 62 00002385 00 00"
                                   "03 6369 00000001"
                                   "02"
                                   "0000 02 74 00000000000000000000000000000000 01"
                                   "03"
                                   "0000 00000000 00000001 ffffffff 03 00000001 00000002"
                                   "02 00000001 01 00"
                                   "0005 00000001 ffffffff ffffffff 02 00000001"
                                   "01 02 00000002 00"
                                   "80000000 00"
                                   "0000 00";

static void decoded_message_is_encoded_in_another_version(void **state)
{
    (void)state;
    static uint8_t v5[300], v13[300], back[300];
    kloop_metadata_response m;
    kloop_fault fault;
    size_t len = kl_hex_bytes(metadata_v5, v5, sizeof v5);
    size_t used;
    assert_int_equal(kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, 5, v5, len, &m, &fault),
                     KLOOP_OK);
    kloop_size size;
    assert_int_equal(kloop_measure(KLOOP_METADATA, KLOOP_RESPONSE, 13, &m, &size, &fault),
                     KLOOP_OK);
    assert_int_equal(
        kloop_encode(KLOOP_METADATA, KLOOP_RESPONSE, 13, &m, v13, sizeof v13, &used, &fault),
        KLOOP_OK);
    kl_expect_bytes(v13, used, metadata_v13);
    assert_int_equal(size.total, used);

    assert_int_equal(kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, 13, v13, used, &m, &fault),
                     KLOOP_OK);
    assert_int_equal(
        kloop_encode(KLOOP_METADATA, KLOOP_RESPONSE, 5, &m, back, sizeof back, &used, &fault),
        KLOOP_OK);
    kl_expect_bytes(back, used, metadata_v5);
    /* To v0 as well: all that v0 has not may be dropped. */
    assert_int_equal(
        kloop_encode(KLOOP_METADATA, KLOOP_RESPONSE, 0, &m, back, sizeof back, &used, &fault),
        KLOOP_OK);
    assert_int_equal(kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, 0, back, used, &m, &fault),
                     KLOOP_OK);
    assert_int_equal(m.topics.count, 1);
}

static void what_the_other_version_cannot_say_is_a_fault(void **state)
{
    (void)state;
    kloop_metadata_response m;
    kloop_fault fault;
    uint8_t to[300];
    size_t used;
    /* v12 with a topic that has an id and no name; two of them, so that the index is told. */
    kloop_slice bytes =
        kl_hex_guarded(&guard, "00000000 01 00 ffffffff 03"
                               "0000 02 74 00000000000000000000000000000000 00 01 80000000 00"
                               "0000 00 01000000000000000000000000000002 00 01 80000000 00"
                               "00");
    assert_int_equal(
        kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, 12, bytes.data, bytes.len, &m, &fault),
        KLOOP_OK);
    kloop_encode(KLOOP_METADATA, KLOOP_RESPONSE, 5, &m, to, sizeof to, &used, &fault);
    kl_expect_fault(&fault, KLOOP_BAD_NULL, 30, 0, 0, "topics[1].name");
    /* v8 with authorised operations, which v7 has not. */
    bytes = kl_hex_guarded(&guard, "00000000 00000000 ffff ffffffff"
                                   "00000001 0000 0001 74 00 00000000 00000001"
                                   "80000000");
    assert_int_equal(
        kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, 8, bytes.data, bytes.len, &m, &fault),
        KLOOP_OK);
    kloop_encode(KLOOP_METADATA, KLOOP_RESPONSE, 7, &m, to, sizeof to, &used, &fault);
    kl_expect_fault(&fault, KLOOP_NOT_CARRIED, 28, 7, 0, "topics[0].topicAuthorizedOperations");
    assert_int_equal(used, 28);
}

/* ---- Taps ---- */

enum { SEEN_MAX = 200 };

typedef struct seen {
    char what; /* value, array, Array's end, struct, Struct's end */
    char name[40];
    int32_t index;
    size_t from, to;
} seen;

typedef struct recorder {
    kl_tap tap; /* first: the walk hands it back to us */
    seen list[SEEN_MAX];
    size_t count;
} recorder;

static void record(kl_tap *tap, char what, const kl_field *field, int32_t index, size_t from,
                   size_t to)
{
    recorder *r = (recorder *)tap;
    assert_true(r->count < SEEN_MAX);
    seen *s = &r->list[r->count++];
    *s = (seen){.what = what, .index = index, .from = from, .to = to};
    snprintf(s->name, sizeof s->name, "%s", field->name ? field->name : "-");
}

static void record_value(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                         const uint8_t *from)
{
    (void)value;
    assert_int_equal(kind, field->kind);
    record(tap, 'v', field, -1, (size_t)(from - w->start), kl_walk_at(w));
}

static bool record_array(kl_tap *tap, kl_walk *w, const kl_field *field, kloop_array *array,
                         const uint8_t *from)
{
    record(tap, 'a', field, array->count, (size_t)(from - w->start), kl_walk_at(w));
    return true;
}

static void record_array_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    record(tap, 'A', field, -1, kl_walk_at(w), kl_walk_at(w));
}

static bool record_struct(kl_tap *tap, kl_walk *w, const kl_field *field, int32_t index)
{
    record(tap, 's', field, index, kl_walk_at(w), kl_walk_at(w));
    return true;
}

static void record_struct_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    record(tap, 'S', field, -1, kl_walk_at(w), kl_walk_at(w));
}

static recorder tape;

static void record_message(int16_t key, kloop_half half, int version, kloop_slice bytes)
{
    tape = (recorder){
        .tap = {record_value, record_array, record_array_end, record_struct, record_struct_end}};
    kl_message message;
    kl_walk w;
    const kloop_message_type *type = kl_api_type(key, half, (int16_t)version, NULL);
    kl_walk_decode_shown(&w, bytes.data, bytes.len, &tape.tap);
    assert_int_equal(kl_walk_message(&w, type, (int16_t)version, &message), KLOOP_OK);
    assert_int_equal(kl_walk_at(&w), bytes.len);
}

/* In a version without tags the values and the counts of lists are all that there is. */
static void what_a_tap_is_shown_covers_every_byte(void **state)
{
    (void)state;
    kloop_slice bytes = kl_hex_guarded(&guard, metadata_v5);
    record_message(KLOOP_METADATA, KLOOP_RESPONSE, 5, bytes);
    size_t at = 0;
    int depth = 0;
    for (size_t i = 0; i < tape.count; i++) {
        const seen *s = &tape.list[i];
        assert_int_equal(s->from, at);
        assert_true(s->to >= s->from);
        at = s->to;
        depth += (s->what == 's' || s->what == 'a') - (s->what == 'S' || s->what == 'A');
    }
    assert_int_equal(at, bytes.len);
    assert_int_equal(depth, 0);
}

static void what_a_tap_is_shown_in_order(void **state)
{
    (void)state;
    static const seen wanted[] = {
        {'a', "topics", 2, 0, 1},
        {'s', "topics", 0, 1, 1},
        {'v', "topicId", -1, 1, 17},
        {'v', "name", -1, 17, 19},
        {'S', "topics", -1, 22, 22}, /* an unknown tag is not shown */
        {'s', "topics", 1, 22, 22},
        {'v', "topicId", -1, 22, 38},
        {'v', "name", -1, 38, 39},
        {'S', "topics", -1, 40, 40},
        {'A', "topics", -1, 40, 40},
        {'v', "allowAutoTopicCreation", -1, 40, 41},
        {'v', "includeTopicAuthorizedOperations", -1, 41, 42},
    };
    record_message(KLOOP_METADATA, KLOOP_REQUEST, 13,
                   kl_hex_guarded(&guard, "03 00000000000000000000000000000001 02 74 01 07 00"
                                          "00000000000000000000000000000002 00 00 01 00 00"));
    for (size_t i = 0; i < tape.count; i++)
        if (i >= sizeof wanted / sizeof wanted[0] || tape.list[i].what != wanted[i].what ||
            strcmp(tape.list[i].name, wanted[i].name) != 0 ||
            tape.list[i].index != wanted[i].index || tape.list[i].from != wanted[i].from ||
            tape.list[i].to != wanted[i].to)
            fail_msg("%zu: %c %s %d %zu to %zu", i, tape.list[i].what, tape.list[i].name,
                     (int)tape.list[i].index, tape.list[i].from, tape.list[i].to);
    assert_int_equal(tape.count, sizeof wanted / sizeof wanted[0]);
}

static void what_a_tap_is_shown_of_lists_and_tags(void **state)
{
    (void)state;
    static const seen wanted[] = {
        {'v', "errorCode", -1, 0, 2},
        {'a', "apiKeys", 0, 2, 3},
        {'A', "apiKeys", -1, 3, 3},
        {'v', "throttleTimeMs", -1, 3, 7},
        {'a', "supportedFeatures", 1, 10, 11},
        {'s', "supportedFeatures", 0, 11, 11},
        {'v', "name", -1, 11, 13},
        {'v', "minVersion", -1, 13, 15},
        {'v', "maxVersion", -1, 15, 17},
        {'S', "supportedFeatures", -1, 18, 18},
        {'A', "supportedFeatures", -1, 18, 18},
        {'v', "zkMigrationReady", -1, 20, 21},
    };
    record_message(KLOOP_API_VERSIONS, KLOOP_RESPONSE, 3,
                   kl_hex_guarded(&guard, "0000 01 00000000 02"
                                          "00 08 02 02 73 0001 0002 00"
                                          "03 01 01"));
    assert_int_equal(tape.count, sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < tape.count; i++) {
        const seen *s = &tape.list[i];
        if (s->what != wanted[i].what || strcmp(s->name, wanted[i].name) != 0 ||
            s->index != wanted[i].index || s->from != wanted[i].from || s->to != wanted[i].to)
            fail_msg("%zu: %c %s %d %zu to %zu", i, s->what, s->name, (int)s->index, s->from,
                     s->to);
    }
    /* Null and plain elements. */
    record_message(KLOOP_METADATA, KLOOP_REQUEST, 1, kl_hex_guarded(&guard, "ffffffff"));
    assert_int_equal(tape.count, 1);
    assert_int_equal(tape.list[0].index, -1);
    record_message(KLOOP_SASL_HANDSHAKE, KLOOP_RESPONSE, 0,
                   kl_hex_guarded(&guard, "0000 00000002 0001 41 0001 42"));
    assert_int_equal(tape.count, 5);
    assert_string_equal(tape.list[3].name, "-");
    assert_int_equal(tape.list[3].from, 9);
    assert_int_equal(tape.list[3].to, 12);
}

static void no_end_is_shown_after_a_fault(void **state)
{
    (void)state;
    tape = (recorder){
        .tap = {record_value, record_array, record_array_end, record_struct, record_struct_end}};
    kloop_slice bytes = kl_hex_guarded(&guard, "00000002 00000001 0001 61 00000002 0009 62");
    kl_one_array m;
    kl_walk w;
    kl_walk_decode_shown(&w, bytes.data, bytes.len, &tape.tap);
    kl_walk_message(&w, &kl_one_pairs_type, 0, &m);
    kl_expect_fault(&w.fault, KLOOP_TRUNCATED, 17, 9, 1, "value[1].name");
    /* list, first pair with its two fields and its end, second pair with its number */
    assert_int_equal(tape.count, 7);
    assert_int_equal(tape.list[6].what, 'v');
}

/* ---- A tap that supplies values ---- */

static void refuse_value(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                         const uint8_t *from)
{
    (void)tap, (void)kind, (void)from;
    if (strcmp(field->name, "transactionTimeoutMs") == 0)
        kl_walk_fail(w, KLOOP_BAD_INPUT, 0, 0, 0);
    else
        *(kloop_string *)value = kloop_text("given");
}

static void nothing_is_asked_for_after_a_refusal(void **state)
{
    (void)state;
    kl_tap tap = {refuse_value, record_array, record_array_end, record_struct, record_struct_end};
    kloop_init_producer_id_request m;
    kl_walk w;
    memset(&m, 0xa5, sizeof m);
    kl_walk_load(&w, &tap);
    assert_int_equal(kl_walk_message(&w, &kl_init_producer_id_request_type, 6, &m),
                     KLOOP_BAD_INPUT);
    kl_expect_text(m.transactional_id, "given");
    /* All that comes after it is at its default. */
    assert_int_equal(m.producer_id, -1);
    assert_int_equal(m.producer_epoch, -1);
    assert_false(m.enable_2pc);
    assert_false(m.keep_prepared_txn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_a_decoded_list),
        cmocka_unit_test(counts_of_every_form),
        cmocka_unit_test(names_of_a_decoded_list),
        cmocka_unit_test(structs_of_a_decoded_list),
        cmocka_unit_test(lists_that_hold_nothing),
        cmocka_unit_test(lists_that_the_program_made),
        cmocka_unit_test(made_and_decoded_lists_in_one_message),
        cmocka_unit_test(decoded_message_is_encoded_in_another_version),
        cmocka_unit_test(what_the_other_version_cannot_say_is_a_fault),
        cmocka_unit_test(what_a_tap_is_shown_covers_every_byte),
        cmocka_unit_test(what_a_tap_is_shown_in_order),
        cmocka_unit_test(what_a_tap_is_shown_of_lists_and_tags),
        cmocka_unit_test(no_end_is_shown_after_a_fault),
        cmocka_unit_test(nothing_is_asked_for_after_a_refusal),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
