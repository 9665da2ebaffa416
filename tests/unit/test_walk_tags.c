/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tagged fields, both ways: rising, twice, falling, cut short, of another size than announced;
 * unknown ones at every level; those at their default, which are read and never written.
 */
#include "protocol/walk.h"
#include "tests/support/expect_fault.h"
#include "tests/support/one_field.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- A message with a tagged field of each kind, flexible and with tags from version 2 on ---- */

typedef struct tagged {
    int16_t plain;
    bool flag;          /* 0, true */
    int64_t epoch;      /* 1, -1 */
    kloop_string text;  /* 2 */
    kl_pair pair;       /* 5 */
    kloop_array pairs;  /* 7, of kl_pair */
    kloop_slice blob;   /* 8, null */
    kloop_uuid id;      /* 20, ignorable */
    int8_t far;         /* 200, since version 3 */
    kloop_string empty; /* 201, nullable, "" */
} tagged;

static void walk_tagged(kl_walk *w, void *message)
{
    tagged *m = message;
    INT16(plain, "plain");
    TAGS_BEGIN();
    TAGGED(0, KL_BOOL, flag, "flag", .since = 2, .fallback = true);
    TAGGED(1, KL_INT64, epoch, "epoch", .since = 2, .fallback = -1);
    TAGGED(2, KL_STRING, text, "text", .since = 2);
    TAGGED(5, KL_STRUCT, pair, "pair", ELEMENT(kl_pair_type), .since = 2);
    TAGGED(7, KL_ARRAY, pairs, "pairs", ELEMENT(kl_pair_type), .since = 2);
    TAGGED(8, KL_BYTES, blob, "blob", .since = 2, NULLABLE(2), .null_default = true);
    TAGGED(20, KL_UUID, id, "id", .since = 2, .ignorable = true);
    TAGGED(200, KL_INT8, far, "far", .since = 3);
    TAGGED(201, KL_STRING, empty, "empty", .since = 3, NULLABLE(3));
    TAGS_END();
}

static const kloop_message_type tagged_type = {.name = "tagged",
                                               .size = sizeof(tagged),
                                               .flexible_since = 2,
                                               .walk = walk_tagged,
                                               .kind = KL_STRUCT};

/* All of them, none at its default: version 3. */
#define ALL_TAGS                                                                                   \
    "0007 09"                                                                                      \
    "00 01 00"                                                                                     \
    "01 08 0000000000000005"                                                                       \
    "02 03 03 6869"                                                                                \
    "05 07 00000001 02 61 00"                                                                      \
    "07 08 02 00000002 02 62 00"                                                                   \
    "08 03 03 0102"                                                                                \
    "14 10 000102030405060708090a0b0c0d0e0f"                                                       \
    "c801 01 7f"                                                                                   \
    "c901 01 00"

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

/* ---- Decoding, on the inline paths and under a tap that counts what it is shown ---- */

typedef struct counting_tap {
    kl_tap tap; /* first: the walk hands it back to us */
    int values;
    int arrays;
    int structs;
} counting_tap;

static void count_value(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                        const uint8_t *from)
{
    (void)w, (void)field, (void)kind, (void)value, (void)from;
    ((counting_tap *)tap)->values++;
}

static bool count_array(kl_tap *tap, kl_walk *w, const kl_field *field, kloop_array *array,
                        const uint8_t *from)
{
    (void)w, (void)field, (void)array, (void)from;
    ((counting_tap *)tap)->arrays++;
    return true;
}

static bool count_struct(kl_tap *tap, kl_walk *w, const kl_field *field, int32_t index)
{
    (void)w, (void)field, (void)index;
    ((counting_tap *)tap)->structs++;
    return true;
}

static void no_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    (void)tap, (void)w, (void)field;
}

static counting_tap counting(void)
{
    return (counting_tap){{count_value, count_array, no_end, count_struct, no_end}, 0, 0, 0};
}

/* Answers how many bytes it took; both ways of walking must agree in everything. */
static size_t decode(const kloop_message_type *type, int version, const char *hex, void *message,
                     kloop_fault *fault)
{
    kloop_slice bytes = kl_hex_guarded(&guard, hex);
    counting_tap tap = counting();
    kl_walk w, shown;
    memset(message, 0xa5, type->size);
    kl_walk_decode_shown(&shown, bytes.data, bytes.len, &tap.tap);
    kl_walk_message(&shown, type, (int16_t)version, message);
    memset(message, 0x5a, type->size);
    kl_walk_decode(&w, bytes.data, bytes.len);
    kl_walk_message(&w, type, (int16_t)version, message);
    char path[100], shown_path[100];
    assert_int_equal(w.fault.status, shown.fault.status);
    assert_int_equal(kl_walk_at(&w), kl_walk_at(&shown));
    assert_string_equal(kl_fault_path(&w.fault, path, sizeof path),
                        kl_fault_path(&shown.fault, shown_path, sizeof shown_path));
    if (w.fault.status) {
        assert_int_equal(w.fault.at, shown.fault.at);
        assert_true(w.fault.a == shown.fault.a && w.fault.b == shown.fault.b);
    }
    *fault = w.fault;
    return kl_walk_at(&w);
}

static void expect_defaults(const tagged *m)
{
    assert_true(m->flag);
    assert_int_equal(m->epoch, -1);
    kl_expect_text(m->text, "");
    assert_int_equal(m->pair.number, -7);
    kl_expect_text(m->pair.name, "");
    assert_int_equal(m->pairs.count, 0);
    assert_null(m->blob.data);
    kl_expect_bytes(m->id.bytes, 16, "00000000000000000000000000000000");
    assert_int_equal(m->far, 0);
    kl_expect_text(m->empty, "");
}

static void expect_all(const tagged *m)
{
    assert_int_equal(m->plain, 7);
    assert_false(m->flag);
    assert_int_equal(m->epoch, 5);
    kl_expect_text(m->text, "hi");
    assert_int_equal(m->pair.number, 1);
    kl_expect_text(m->pair.name, "a");
    assert_int_equal(m->pairs.count, 1);
    kl_pair pair;
    kloop_iter it = kloop_iterate(&m->pairs);
    assert_true(kloop_next(&it, &pair));
    assert_int_equal(pair.number, 2);
    kl_expect_text(pair.name, "b");
    assert_false(kloop_next(&it, &pair));
    kl_expect_bytes(m->blob.data, m->blob.len, "0102");
    kl_expect_bytes(m->id.bytes, 16, "000102030405060708090a0b0c0d0e0f");
    assert_int_equal(m->far, 127);
    assert_null(m->empty.data);
}

static void all_tags_are_read(void **state)
{
    (void)state;
    tagged m;
    kloop_fault fault;
    decode(&tagged_type, 3, ALL_TAGS, &m, &fault);
    assert_int_equal(fault.status, KLOOP_OK);
    expect_all(&m);
}

static void tags_that_are_not_there_are_at_default(void **state)
{
    (void)state;
    tagged m;
    kloop_fault fault;
    for (int version = 0; version <= 3; version++) {
        size_t used = decode(&tagged_type, version, version < 2 ? "0007" : "0007 00", &m, &fault);
        assert_int_equal(fault.status, KLOOP_OK);
        assert_int_equal(used, version < 2 ? 2 : 3);
        assert_int_equal(m.plain, 7);
        expect_defaults(&m);
    }
    /* A version without tags takes no byte for them, whatever follows. */
    assert_int_equal(decode(&tagged_type, 1, "0007 01 00 01 00", &m, &fault), 2);
    expect_defaults(&m);
}

static void some_tags_are_read_and_the_others_at_default(void **state)
{
    (void)state;
    tagged m;
    kloop_fault fault;
    decode(&tagged_type, 3, "0007 02  02 03 03 6869  c801 01 7f", &m, &fault);
    assert_int_equal(fault.status, KLOOP_OK);
    assert_true(m.flag);
    assert_int_equal(m.epoch, -1);
    kl_expect_text(m.text, "hi");
    assert_int_equal(m.pair.number, -7);
    assert_int_equal(m.far, 127);
    kl_expect_text(m.empty, "");
}

/* Kafka's classes refuse it too: such a tag is not unknown, but in the wrong version. */
static void tag_of_a_later_version_is_a_fault(void **state)
{
    (void)state;
    tagged m;
    kloop_fault fault;
    decode(&tagged_type, 2, ALL_TAGS, &m, &fault);
    assert_int_equal(fault.status, KLOOP_BAD_TAG);
    assert_int_equal(fault.a, 200);
    assert_int_equal(m.plain, 7);
    assert_int_equal(m.far, 0);
    kl_expect_text(m.empty, "");
}

/* ---- Faults ---- */

static void faults_of_tags(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        kloop_status status;
        size_t at;
        int64_t a, b;
        const char *path;
    } cases[] = {
        /* the count */
        {"0007", KLOOP_TRUNCATED, 2, 1, 0, ""},
        {"0007 80", KLOOP_TRUNCATED, 2, 2, 1, ""},
        {"0007 8080808080 00", KLOOP_BAD_VARINT, 2, 0, 0, ""},
        {"0007 01", KLOOP_TRUNCATED, 3, 1, 0, ""},
        {"0007 ffffffff0f 01 08 0000000000000005", KLOOP_TRUNCATED, 17, 1, 0, ""},
        {"0007 02 01 08 0000000000000005", KLOOP_TRUNCATED, 13, 1, 0, ""},
        /* the number */
        {"0007 01 81", KLOOP_TRUNCATED, 3, 2, 1, ""},
        {"0007 01 8080808010 00", KLOOP_BAD_VARINT, 3, 0, 0, ""},
        /* the size */
        {"0007 01 01", KLOOP_TRUNCATED, 4, 1, 0, ""},
        {"0007 01 01 88", KLOOP_TRUNCATED, 4, 2, 1, ""},
        {"0007 01 01 ffffffffff 01", KLOOP_BAD_VARINT, 4, 0, 0, ""},
        {"0007 01 01 08 00000000000000", KLOOP_TRUNCATED, 5, 8, 7, ""},
        {"0007 01 63 ffffffff0f 00", KLOOP_TRUNCATED, 9, UINT32_MAX, 1, ""},
        /* order */
        {"0007 02 01 08 0000000000000005 01 08 0000000000000006", KLOOP_BAD_TAG_ORDER, 13, 1, 1,
         ""},
        {"0007 02 01 08 0000000000000005 00 01 00", KLOOP_BAD_TAG_ORDER, 13, 0, 1, ""},
        {"0007 02 00 01 00 00 01 00", KLOOP_BAD_TAG_ORDER, 6, 0, 0, ""},
        {"0007 02 63 01 00 62 01 00", KLOOP_BAD_TAG_ORDER, 6, 0x62, 0x63, ""},
        {"0007 02 ffffffff0f 00 ffffffff0f 00", KLOOP_BAD_TAG_ORDER, 9, UINT32_MAX, UINT32_MAX, ""},
        {"0007 02 63 01 00 02 03 03 6869", KLOOP_BAD_TAG_ORDER, 6, 2, 0x63, ""},
        /* announced too short: the field ends before it is all there */
        {"0007 01 01 07 0000000000000005", KLOOP_TRUNCATED, 5, 8, 7, "epoch"},
        {"0007 01 00 00", KLOOP_TRUNCATED, 5, 1, 0, "flag"},
        {"0007 01 02 02 03 6869", KLOOP_TRUNCATED, 6, 2, 1, "text"},
        {"0007 01 05 06 00000001 02 61 00", KLOOP_TRUNCATED, 11, 1, 0, "pair"},
        {"0007 01 05 05 00000001 02 61 00", KLOOP_TRUNCATED, 10, 1, 0, "pair.name"},
        {"0007 01 07 07 02 00000002 02 62 00", KLOOP_TRUNCATED, 12, 1, 0, "pairs[0]"},
        {"0007 01 14 0f 000102030405060708090a0b0c0d0e0f", KLOOP_TRUNCATED, 5, 16, 15, "id"},
        /* announced too long: bytes are left over */
        {"0007 01 01 09 0000000000000005 00", KLOOP_BAD_TAG_SIZE, 13, 8, 9, "epoch"},
        {"0007 01 00 02 00 00", KLOOP_BAD_TAG_SIZE, 6, 1, 2, "flag"},
        {"0007 01 02 04 03 6869 00", KLOOP_BAD_TAG_SIZE, 8, 3, 4, "text"},
        {"0007 01 05 08 00000001 02 61 00 00", KLOOP_BAD_TAG_SIZE, 12, 7, 8, "pair"},
        {"0007 01 08 04 03 0102 00", KLOOP_BAD_TAG_SIZE, 8, 3, 4, "blob"},
        {"0007 01 08 02 00 00", KLOOP_BAD_TAG_SIZE, 6, 1, 2, "blob"},
        /* the content */
        {"0007 01 00 01 02", KLOOP_BAD_BOOL, 5, 2, 0, "flag"},
        {"0007 01 02 03 03 68ff", KLOOP_BAD_UTF8, 7, 0, 0, "text"},
        {"0007 01 02 01 00", KLOOP_BAD_NULL, 5, 0, 0, "text"},
        {"0007 01 07 02 7f 00", KLOOP_BAD_COUNT, 5, 126, 1, "pairs"},
        {"0007 01 07 08 02 00000002 02 ff 00", KLOOP_BAD_UTF8, 11, 0, 0, "pairs[0].name"},
        /* tags of a struct inside a tag */
        {"0007 01 05 08 00000001 02 61 01 00", KLOOP_TRUNCATED, 13, 1, 0, "pair"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tagged m;
        kloop_fault fault;
        decode(&tagged_type, 3, cases[i].hex, &m, &fault);
        if (fault.status != cases[i].status || fault.at != cases[i].at)
            print_error("'%s':\n", cases[i].hex);
        kl_expect_fault(&fault, cases[i].status, cases[i].at, cases[i].a, cases[i].b,
                        cases[i].path);
        assert_int_equal(m.plain, 7);
        assert_int_equal(m.far, 0);
        kl_expect_text(m.empty, "");
    }
}

/* ---- Unknown ones ---- */

static void unknown_tags_are_skipped_and_not_written_again(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        const char *again;
    } cases[] = {
        {"0007 01 06 00", "0007 00"},
        {"0007 02 06 03 ffffff ffffffff0f 01 aa", "0007 00"},
        {"0007 03 03 01 01 05 07 00000001 02 61 00 06 00", "0007 01 05 07 00000001 02 61 00"},
        /* in the struct of a tag, in the elements of a tag's list */
        {"0007 01 05 0b 00000001 02 61 01 09 02 aabb", "0007 01 05 07 00000001 02 61 00"},
        {"0007 01 07 10 03 00000002 02 62 01 09 00 00000003 01 00",
         "0007 01 07 0e 03 00000002 02 62 00 00000003 01 00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tagged m;
        kloop_fault fault;
        kl_walk w;
        uint8_t again[200];
        decode(&tagged_type, 3, cases[i].hex, &m, &fault);
        if (fault.status)
            print_error("'%s': %d at %zu\n", cases[i].hex, (int)fault.status, fault.at);
        assert_int_equal(fault.status, KLOOP_OK);
        kl_walk_encode(&w, again, sizeof again);
        assert_int_equal(kl_walk_message(&w, &tagged_type, 3, &m), KLOOP_OK);
        kl_expect_bytes(again, kl_walk_at(&w), cases[i].again);
    }
}

/* Each struct of a real message, from the inside out, with a tag that nobody knows. */
static void unknown_tags_at_every_level_of_a_message(void **state)
{
    (void)state;
    static const char with[] = "00000001"                               /* throttleTimeMs */
                               "02 00000002 02 68 00002384 00 01 63 00" /* a broker */
                               "00 ffffffff"                        /* clusterId, controllerId */
                               "02 0000 02 74 00"                   /* a topic */
                               "03 0000 00000000 00000001 00000002" /* its partitions */
                               "02 00000001 02 00000001 01 01 2a 02 0102"
                               "0000 00000001 00000001 00000002"
                               "01 01 01 02 2a 00 ffff7f 01 00"
                               "80000000 01 7f 01 33" /* topicAuthorizedOperations */
                               "80000000 01 05 05 0102030405";
    static const char without[] = "00000001"
                                  "02 00000002 02 68 00002384 00 00"
                                  "00 ffffffff"
                                  "02 0000 02 74 00"
                                  "03 0000 00000000 00000001 00000002"
                                  "02 00000001 02 00000001 01 00"
                                  "0000 00000001 00000001 00000002"
                                  "01 01 01 00"
                                  "80000000 00"
                                  "80000000 00";
    kloop_slice bytes = kl_hex_guarded(&guard, with);
    kloop_metadata_response m;
    kloop_fault fault;
    uint8_t again[200];
    size_t used;
    if (kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, 9, bytes.data, bytes.len, &m, &fault)) {
        char text[200];
        kloop_fault_text(&fault, text, sizeof text);
        fail_msg("%s", text);
    }
    kloop_metadata_topic topic;
    kloop_iter topics = kloop_iterate(&m.topics);
    assert_true(kloop_next(&topics, &topic));
    kloop_metadata_partition partition;
    kloop_iter partitions = kloop_iterate(&topic.partitions);
    assert_true(kloop_next(&partitions, &partition));
    assert_true(kloop_next(&partitions, &partition));
    assert_int_equal(partition.partition_index, 1);
    assert_int_equal(partition.leader_epoch, 2);
    assert_false(kloop_next(&partitions, &partition));
    assert_int_equal(
        kloop_encode(KLOOP_METADATA, KLOOP_RESPONSE, 9, &m, again, sizeof again, &used, &fault),
        KLOOP_OK);
    kl_expect_bytes(again, used, without);
}

/* ---- At their default ---- */

static void default_on_the_wire_is_read_and_not_written(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "0007 01 00 01 01",
        "0007 01 01 08 ffffffffffffffff",
        "0007 01 02 01 01",
        "0007 01 05 06 fffffff9 01 00",
        "0007 01 07 01 01",
        "0007 01 08 01 00",
        "0007 01 14 10 00000000000000000000000000000000",
        "0007 01 c801 01 00",
        "0007 01 c901 01 01",
        "0007 01 05 08 fffffff9 01 01 09 00",
        "0007 04 00 01 01 01 08 ffffffffffffffff 02 01 01 05 06 fffffff9 01 00",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tagged m;
        kloop_fault fault;
        kl_walk w;
        uint8_t again[200];
        decode(&tagged_type, 3, cases[i], &m, &fault);
        assert_int_equal(fault.status, KLOOP_OK);
        expect_defaults(&m);
        kl_walk_encode(&w, again, sizeof again);
        assert_int_equal(kl_walk_message(&w, &tagged_type, 3, &m), KLOOP_OK);
        kl_expect_bytes(again, kl_walk_at(&w), "0007 00");
    }
}

static void a_tap_sees_a_tag_once_and_not_at_its_default(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int values, arrays, structs;
    } cases[] = {
        {"0007 00", 1, 0, 0},
        {"0007 01 00 01 01", 1, 0, 0},
        {"0007 01 00 01 00", 2, 0, 0},
        {"0007 01 05 06 fffffff9 01 00", 1, 0, 0},
        {"0007 01 05 06 00000001 01 00", 3, 0, 1},
        /* a default struct with a tag from the future in it says something; one beside it does not
         */
        {"0007 01 05 08 fffffff9 01 01 09 00", 3, 0, 1},
        {"0007 02 03 00 05 06 fffffff9 01 00", 1, 0, 0},
        {"0007 01 07 01 01", 1, 0, 0},
        {"0007 01 07 0d 03 00000002 01 00 00000003 01 00", 5, 1, 2},
        {ALL_TAGS, 12, 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kloop_slice bytes = kl_hex_guarded(&guard, cases[i].hex);
        counting_tap tap = counting();
        tagged m;
        kl_walk w;
        kl_walk_decode_shown(&w, bytes.data, bytes.len, &tap.tap);
        assert_int_equal(kl_walk_message(&w, &tagged_type, 3, &m), KLOOP_OK);
        assert_int_equal(kl_walk_at(&w), bytes.len);
        assert_int_equal(tap.values, cases[i].values);
        assert_int_equal(tap.arrays, cases[i].arrays);
        assert_int_equal(tap.structs, cases[i].structs);
    }
}

/* ---- Encoding ---- */

static void tags_are_written_rising_and_measured(void **state)
{
    (void)state;
    tagged m;
    kloop_fault fault;
    decode(&tagged_type, 3, ALL_TAGS, &m, &fault);
    kl_walk w;
    kl_walk_measure(&w);
    assert_int_equal(kl_walk_message(&w, &tagged_type, 3, &m), KLOOP_OK);
    size_t size = w.own;
    for (size_t room = 0; room <= size; room++) {
        uint8_t *to = malloc(room + 1);
        assert_non_null(to);
        kl_walk_encode(&w, to, room);
        kloop_status status = kl_walk_message(&w, &tagged_type, 3, &m);
        assert_int_equal(status, room < size ? KLOOP_NO_SPACE : KLOOP_OK);
        assert_true(kl_walk_at(&w) <= room);
        if (status == KLOOP_OK)
            kl_expect_bytes(to, size, ALL_TAGS);
        else
            assert_int_equal(w.fault.at, kl_walk_at(&w));
        free(to);
    }
}

static void size_of_a_tag_may_take_more_than_a_byte(void **state)
{
    (void)state;
    static char text[300];
    memset(text, 'x', sizeof text);
    for (size_t len = 120; len <= 135; len++) {
        tagged m, again;
        kl_walk w;
        uint8_t bytes[400];
        kl_walk_reset(&tagged_type, &m);
        m.text = (kloop_string){text, len};
        kl_walk_measure(&w);
        kl_walk_message(&w, &tagged_type, 2, &m);
        size_t size = w.own;
        kl_walk_encode(&w, bytes, size);
        assert_int_equal(kl_walk_message(&w, &tagged_type, 2, &m), KLOOP_OK);
        assert_int_equal(kl_walk_at(&w), size);
        kl_walk_decode(&w, bytes, size);
        assert_int_equal(kl_walk_message(&w, &tagged_type, 2, &again), KLOOP_OK);
        assert_int_equal(kl_walk_at(&w), size);
        assert_int_equal(again.text.len, len);
    }
}

static void tags_that_a_version_has_not(void **state)
{
    (void)state;
    tagged m;
    kl_walk w;
    uint8_t bytes[100];
    for (int measure = 0; measure <= 1; measure++) {
        for (int version = 1; version <= 2; version++) {
            if (measure)
                kl_walk_measure(&w);
            else
                kl_walk_encode(&w, bytes, sizeof bytes);
            kl_walk_reset(&tagged_type, &m);
            m.far = 3;
            kl_walk_message(&w, &tagged_type, (int16_t)version, &m);
            kl_expect_fault(&w.fault, KLOOP_NOT_CARRIED, version < 2 ? 2 : 3, version, 0, "far");
        }
        /* Ignorable: dropped without a word. */
        if (measure)
            kl_walk_measure(&w);
        else
            kl_walk_encode(&w, bytes, sizeof bytes);
        kl_walk_reset(&tagged_type, &m);
        m.id.bytes[15] = 1;
        assert_int_equal(kl_walk_message(&w, &tagged_type, 1, &m), KLOOP_OK);
        assert_int_equal(kl_walk_at(&w), 2);
        m.pair.number = 1;
        if (measure)
            kl_walk_measure(&w);
        else
            kl_walk_encode(&w, bytes, sizeof bytes);
        kl_walk_message(&w, &tagged_type, 1, &m);
        kl_expect_fault(&w.fault, KLOOP_NOT_CARRIED, 2, 1, 0, "pair");
    }
}

static void fault_inside_a_tag_is_named(void **state)
{
    (void)state;
    tagged m;
    kl_walk w;
    uint8_t bytes[100];
    kl_pair pairs[2] = {{1, kloop_text("a")}, {2, {NULL, 0}}};
    kl_walk_reset(&tagged_type, &m);
    m.pairs = kloop_array_of(pairs, 2);
    m.far = 1;
    for (int measure = 0; measure <= 1; measure++) {
        if (measure)
            kl_walk_measure(&w);
        else
            kl_walk_encode(&w, bytes, sizeof bytes);
        kl_walk_message(&w, &tagged_type, 3, &m);
        kl_expect_fault(&w.fault, KLOOP_BAD_NULL, 16, 0, 0, "pairs[1].name");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_tags_are_read),
        cmocka_unit_test(tags_that_are_not_there_are_at_default),
        cmocka_unit_test(some_tags_are_read_and_the_others_at_default),
        cmocka_unit_test(tag_of_a_later_version_is_a_fault),
        cmocka_unit_test(faults_of_tags),
        cmocka_unit_test(unknown_tags_are_skipped_and_not_written_again),
        cmocka_unit_test(unknown_tags_at_every_level_of_a_message),
        cmocka_unit_test(default_on_the_wire_is_read_and_not_written),
        cmocka_unit_test(a_tap_sees_a_tag_once_and_not_at_its_default),
        cmocka_unit_test(tags_are_written_rising_and_measured),
        cmocka_unit_test(size_of_a_tag_may_take_more_than_a_byte),
        cmocka_unit_test(tags_that_a_version_has_not),
        cmocka_unit_test(fault_inside_a_tag_is_named),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
