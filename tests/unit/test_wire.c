/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public functions: whole frames of requests and responses, frames in slices around record
 * payload, sizes, and what is refused before a byte is looked at.
 */
#include "tests/support/expect_fault.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CORRELATION 0x01020304

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

/* Room for any message, at its defaults. */
typedef union any_message {
    max_align_t align;
    uint8_t bytes[512];
} any_message;

/* The struct's size, found by asking with a wrong one. */
static size_t struct_size(const kloop_api *api, kloop_half half)
{
    kloop_fault fault;
    size_t used;
    any_message m;
    memset(&m, 0, sizeof m);
    assert_int_equal(
        kloop_encode_sized(api->key, half, api->max_version, &m, 100000, NULL, 0, &used, &fault),
        KLOOP_BAD_STRUCT_SIZE);
    assert_int_equal(fault.a, 100000);
    assert_true(fault.b > 0 && (size_t)fault.b <= sizeof m);
    return (size_t)fault.b;
}

/* ---- Whole frames ---- */

static void frame_of_api_versions_v4(void **state)
{
    (void)state;
    kloop_api_versions_request m = {kloop_text("kloop"), kloop_text("0.1.0")};
    kloop_size size;
    kloop_fault fault;
    assert_int_equal(
        kloop_measure_request(KLOOP_API_VERSIONS, 4, kloop_text("kloop"), &m, &size, &fault),
        KLOOP_OK);
    assert_int_equal(size.total, 33);
    assert_int_equal(size.own, 33);
    assert_int_equal(size.slices, 1);
    uint8_t *to = kl_guard_at_end(&guard, size.total);
    assert_int_equal(kloop_encode_request(KLOOP_API_VERSIONS, 4, 1, kloop_text("kloop"), &m, to,
                                          size.total, &fault),
                     KLOOP_OK);
    kl_expect_bytes(to, size.total,
                    "0000001d001200040000000100056b6c6f6f7000066b6c6f6f7006302e312e3000");
}

static void no_room_for_the_length_or_what_follows(void **state)
{
    (void)state;
    static const struct {
        size_t room, at;
        int64_t a, b;
        const char *path;
    } cases[] = {
        {0, 0, 4, 0, ""},
        {3, 0, 4, 3, ""},
        {4, 4, 2, 0, "requestApiKey"},
        {11, 8, 4, 3, "correlationId"},
        {32, 32, 1, 0, ""},
    };
    kloop_api_versions_request m = {kloop_text("kloop"), kloop_text("0.1.0")};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *to = kl_guard_at_end(&guard, cases[i].room);
        kloop_fault fault;
        kloop_encode_request(KLOOP_API_VERSIONS, 4, 1, kloop_text("kloop"), &m, to, cases[i].room,
                             &fault);
        kl_expect_fault(&fault, KLOOP_NO_SPACE, cases[i].at, cases[i].a, cases[i].b, cases[i].path);
    }
}

static void client_ids(void **state)
{
    (void)state;
    static const struct {
        int16_t version;
        kloop_string client_id;
        const char *hex;
    } cases[] = {
        {8, {NULL, 0}, "0000000a 0003 0008 01020304 ffff 00000000 01 00 00"},
        {8, {"", 0}, "0000000a 0003 0008 01020304 0000 00000000 01 00 00"},
        {8, {"me", 2}, "0000000c 0003 0008 01020304 0002 6d65 00000000 01 00 00"},
        /* Not compact in a flexible header either. */
        {9, {NULL, 0}, "0000000b 0003 0009 01020304 ffff 00 01 01 00 00 00"},
        {9, {"", 0}, "0000000b 0003 0009 01020304 0000 00 01 01 00 00 00"},
        {9, {"me", 2}, "0000000d 0003 0009 01020304 0002 6d65 00 01 01 00 00 00"},
    };
    kloop_metadata_request m;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &m);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t wanted[64], *to = kl_guard_at_end(&guard, 64);
        kloop_size size;
        kloop_fault fault;
        size_t len = kl_hex_bytes(cases[i].hex, wanted, sizeof wanted);
        /* The length in the table is that of the body alone; the frame's own is told here. */
        wanted[3] = (uint8_t)(len - 4);
        assert_int_equal(kloop_measure_request(KLOOP_METADATA, cases[i].version, cases[i].client_id,
                                               &m, &size, &fault),
                         KLOOP_OK);
        assert_int_equal(size.total, len);
        assert_int_equal(kloop_encode_request(KLOOP_METADATA, cases[i].version, CORRELATION,
                                              cases[i].client_id, &m, to, 64, &fault),
                         KLOOP_OK);
        assert_memory_equal(to, wanted, len);
    }
    kloop_fault fault;
    uint8_t to[64];
    kloop_encode_request(KLOOP_METADATA, 8, 1, ((kloop_string){"\xff", 1}), &m, to, 64, &fault);
    kl_expect_fault(&fault, KLOOP_BAD_UTF8, 12, 0, 0, "clientId");
}

static void frames_of_responses(void **state)
{
    (void)state;
    kloop_fault fault;
    kloop_size size;
    uint8_t *to = kl_guard_at_end(&guard, 64);
    kloop_api_versions_response versions;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &versions);
    versions.error_code = 35;
    assert_int_equal(kloop_measure_response(KLOOP_API_VERSIONS, 4, &versions, &size, &fault),
                     KLOOP_OK);
    assert_int_equal(
        kloop_encode_response(KLOOP_API_VERSIONS, 4, CORRELATION, &versions, to, 64, &fault),
        KLOOP_OK);
    /* Flexible body, and a header without tags before it. */
    kl_expect_bytes(to, size.total, "0000000c 01020304 0023 01 00000000 00");

    kloop_init_producer_id_response producer;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_RESPONSE, &producer);
    assert_int_equal(
        kloop_encode_response(KLOOP_INIT_PRODUCER_ID, 1, CORRELATION, &producer, to, 64, &fault),
        KLOOP_OK);
    kl_expect_bytes(to, 24, "00000014 01020304 00000000 0000 ffffffffffffffff 0000");
    assert_int_equal(
        kloop_encode_response(KLOOP_INIT_PRODUCER_ID, 2, CORRELATION, &producer, to, 64, &fault),
        KLOOP_OK);
    kl_expect_bytes(to, 26, "00000016 01020304 00 00000000 0000 ffffffffffffffff 0000 00");
}

/* Every API and version: measured, encoded at that size and not below, taken apart again. */
static void every_frame_comes_apart_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < kloop_api_count(); i++) {
        const kloop_api *api = kloop_api_at(i);
        if (api->key < 0)
            continue;
        for (int16_t v = api->min_version; v <= api->max_version; v++) {
            any_message m;
            kloop_fault fault;
            kloop_size size, body;
            size_t bytes = struct_size(api, KLOOP_REQUEST);
            kloop_message_init_sized(api->key, KLOOP_REQUEST, &m, bytes);
            kloop_measure_request_sized(api->key, v, kloop_text("me"), &m, bytes, &size, &fault);
            kloop_measure_sized(api->key, KLOOP_REQUEST, v, &m, bytes, &body, &fault);
            assert_int_equal(size.total, body.total + (v >= api->flexible_since ? 17 : 16));
            for (size_t room = 0; room <= size.total; room++) {
                uint8_t *to = kl_guard_at_end(&guard, room);
                assert_int_equal(kloop_encode_request_sized(api->key, v, CORRELATION,
                                                            kloop_text("me"), &m, bytes, to, room,
                                                            &fault),
                                 room < size.total ? KLOOP_NO_SPACE : KLOOP_OK);
                assert_true(fault.at <= room);
            }
            const uint8_t *frame = kl_guard_at_end(&guard, size.total);
            kloop_slice content;
            size_t used;
            kloop_request_header header;
            assert_int_equal(kloop_frame_next(frame, size.total, 1000, &content, &used, &fault),
                             KLOOP_OK);
            assert_int_equal(used, size.total);
            assert_int_equal(content.len, size.total - 4);
            assert_int_equal(kloop_decode_prefix(KLOOP_REQUEST_HEADER, KLOOP_REQUEST,
                                                 kloop_request_header_version(api->key, v),
                                                 content.data, content.len, &used, &header, &fault),
                             KLOOP_OK);
            assert_int_equal(header.api_key, api->key);
            assert_int_equal(header.api_version, v);
            assert_int_equal(header.correlation_id, CORRELATION);
            kl_expect_text(header.client_id, "me");
            assert_int_equal(kloop_decode_sized(api->key, KLOOP_REQUEST, v, content.data + used,
                                                content.len - used, &m, bytes, &fault),
                             KLOOP_OK);

            bytes = struct_size(api, KLOOP_RESPONSE);
            kloop_message_init_sized(api->key, KLOOP_RESPONSE, &m, bytes);
            kloop_measure_response_sized(api->key, v, &m, bytes, &size, &fault);
            for (size_t room = 0; room <= size.total; room++) {
                uint8_t *to = kl_guard_at_end(&guard, room);
                assert_int_equal(kloop_encode_response_sized(api->key, v, CORRELATION, &m, bytes,
                                                             to, room, &fault),
                                 room < size.total ? KLOOP_NO_SPACE : KLOOP_OK);
            }
            kloop_response_header answer;
            kloop_frame_next(kl_guard_at_end(&guard, size.total), size.total, 1000, &content, &used,
                             &fault);
            assert_int_equal(kloop_decode_prefix(KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE,
                                                 kloop_response_header_version(api->key, v),
                                                 content.data, content.len, &used, &answer, &fault),
                             KLOOP_OK);
            assert_int_equal(answer.correlation_id, CORRELATION);
            assert_int_equal(kloop_decode_sized(api->key, KLOOP_RESPONSE, v, content.data + used,
                                                content.len - used, &m, bytes, &fault),
                             KLOOP_OK);
        }
    }
}

/* ---- Slices ---- */

static const uint8_t payload[] = "abcdefghijklmnopqrstuvwxyz";

typedef struct produce_sample {
    kloop_slice bodies[3];
    kloop_produce_partition partitions[4];
    kloop_produce_topic topics[2];
    kloop_produce_request request;
} produce_sample;

/*
 * Two topics: heads with several body slices (one of them empty), a head alone, null, a body
 * alone at the very end.
 */
static void make_produce(produce_sample *s, int version)
{
    *s = (produce_sample){
        .bodies = {{payload, 5}, {payload + 5, 0}, {payload + 5, 1}},
        .topics = {{.name = kloop_text(version < 13 ? "one" : "")},
                   {.name = kloop_text(version < 13 ? "two" : "")}},
    };
    s->partitions[0] = (kloop_produce_partition){0, {{payload + 20, 4}, s->bodies, 3}};
    s->partitions[1] = (kloop_produce_partition){1, {{payload + 20, 2}, NULL, 0}};
    s->partitions[2] = (kloop_produce_partition){2, {{NULL, 0}, NULL, 0}};
    s->partitions[3] = (kloop_produce_partition){3, {{NULL, 0}, &s->bodies[2], 1}};
    s->topics[0].partition_data = kloop_array_of(s->partitions, 3);
    s->topics[1].partition_data = kloop_array_of(s->partitions + 3, 1);
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &s->request);
    s->request.topic_data = kloop_array_of(s->topics, 2);
}

static void slices_are_the_frame_without_a_copy_of_the_payload(void **state)
{
    (void)state;
    for (int16_t v = 3; v <= 13; v++) {
        produce_sample s;
        kloop_size size;
        kloop_fault fault;
        make_produce(&s, v);
        assert_int_equal(
            kloop_measure_request(KLOOP_PRODUCE, v, kloop_text("me"), &s.request, &size, &fault),
            KLOOP_OK);
        /* Before flexible versions the last body ends the frame: no piece comes after it. */
        assert_int_equal(size.slices, v < 9 ? 5 : 6);
        assert_int_equal(size.total - size.own, 5 + 1 + 1);

        uint8_t flat[300], own[300];
        assert_int_equal(kloop_encode_request(KLOOP_PRODUCE, v, 7, kloop_text("me"), &s.request,
                                              flat, size.total, &fault),
                         KLOOP_OK);
        kloop_slice slices[6];
        assert_int_equal(kloop_encode_request_slices(KLOOP_PRODUCE, v, 7, kloop_text("me"),
                                                     &s.request, own, size.own, slices, size.slices,
                                                     &fault),
                         KLOOP_OK);
        size_t at = 0, own_at = 0;
        for (size_t i = 0; i < size.slices; i++) {
            assert_true(slices[i].len > 0 && at + slices[i].len <= size.total);
            assert_memory_equal(slices[i].data, flat + at, slices[i].len);
            at += slices[i].len;
            bool body = i == 1 || i == 2 || i == 4;
            if (!body) {
                /* Pieces of the buffer, one behind the other. */
                assert_ptr_equal(slices[i].data, own + own_at);
                own_at += slices[i].len;
            }
        }
        assert_int_equal(at, size.total);
        assert_int_equal(own_at, size.own);
        assert_ptr_equal(slices[1].data, payload);
        assert_ptr_equal(slices[2].data, payload + 5);
        assert_ptr_equal(slices[4].data, payload + 5);
    }
}

static void too_few_slices_or_bytes_are_a_fault(void **state)
{
    (void)state;
    for (int16_t v = 8; v <= 9; v++) {
        produce_sample s;
        kloop_size size;
        kloop_fault fault;
        make_produce(&s, v);
        kloop_measure_request(KLOOP_PRODUCE, v, kloop_text("me"), &s.request, &size, &fault);
        for (size_t count = 0; count < size.slices; count++) {
            uint8_t own[300];
            kloop_slice slices[8];
            memset(slices, 0xa5, sizeof slices);
            assert_int_equal(kloop_encode_request_slices(KLOOP_PRODUCE, v, 7, kloop_text("me"),
                                                         &s.request, own, size.own, slices, count,
                                                         &fault),
                             KLOOP_NO_SPACE);
            assert_int_equal(slices[count].len, (size_t)0xa5a5a5a5a5a5a5a5);
        }
        for (size_t room = 0; room < size.own; room++) {
            kloop_slice slices[8];
            uint8_t *own = kl_guard_at_end(&guard, room);
            assert_int_equal(kloop_encode_request_slices(KLOOP_PRODUCE, v, 7, kloop_text("me"),
                                                         &s.request, own, room, slices, 8, &fault),
                             KLOOP_NO_SPACE);
        }
    }
}

static void frame_without_payload_is_one_slice(void **state)
{
    (void)state;
    kloop_metadata_request m;
    kloop_fault fault;
    kloop_size size;
    kloop_slice slices[3];
    uint8_t own[64], flat[64];
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &m);
    kloop_measure_request(KLOOP_METADATA, 12, kloop_text("me"), &m, &size, &fault);
    assert_int_equal(size.slices, 1);
    assert_int_equal(size.own, size.total);
    kloop_encode_request(KLOOP_METADATA, 12, 9, kloop_text("me"), &m, flat, 64, &fault);
    assert_int_equal(kloop_encode_request_slices(KLOOP_METADATA, 12, 9, kloop_text("me"), &m, own,
                                                 64, slices, 3, &fault),
                     KLOOP_OK);
    assert_ptr_equal(slices[0].data, own);
    assert_int_equal(slices[0].len, size.total);
    assert_memory_equal(own, flat, size.total);

    /* Bodies that are all empty leave no gap. */
    produce_sample s;
    make_produce(&s, 9);
    s.partitions[0].records = (kloop_records){{payload, 1}, &s.bodies[1], 1};
    s.topics[0].partition_data = kloop_array_of(s.partitions, 1);
    s.request.topic_data = kloop_array_of(s.topics, 1);
    kloop_measure_request(KLOOP_PRODUCE, 9, kloop_text("me"), &s.request, &size, &fault);
    assert_int_equal(size.slices, 1);
    assert_int_equal(kloop_encode_request_slices(KLOOP_PRODUCE, 9, 9, kloop_text("me"), &s.request,
                                                 own, 64, slices, 1, &fault),
                     KLOOP_OK);
    assert_int_equal(slices[0].len, size.total);
}

static void frames_stay_below_2_gib(void **state)
{
    (void)state;
    /* Nothing of these bodies is touched: they are measured and listed. */
    produce_sample s;
    kloop_size size;
    kloop_fault fault;
    uint8_t own[300];
    kloop_slice slices[8];
    make_produce(&s, 9);
    s.bodies[0].len = 2000000000;
    s.bodies[2].len = 147483647 - 200;
    s.partitions[3].records.body_count = 0;
    kloop_status status =
        kloop_measure_request(KLOOP_PRODUCE, 9, kloop_text("me"), &s.request, &size, &fault);
    assert_int_equal(status, KLOOP_OK);
    assert_int_equal(kloop_encode_request_slices(KLOOP_PRODUCE, 9, 9, kloop_text("me"), &s.request,
                                                 own, sizeof own, slices, 8, &fault),
                     KLOOP_OK);
    int32_t length = own[0] << 24 | own[1] << 16 | own[2] << 8 | own[3];
    assert_int_equal(length, size.total - 4);

    s.partitions[3].records.body_count = 1;
    status = kloop_measure_request(KLOOP_PRODUCE, 9, kloop_text("me"), &s.request, &size, &fault);
    assert_int_equal(status, KLOOP_TOO_LONG);
    int64_t total = fault.a;
    assert_true(total > INT32_MAX);
    kl_expect_fault(&fault, KLOOP_TOO_LONG, 0, total, INT32_MAX, "");
    kloop_encode_request_slices(KLOOP_PRODUCE, 9, 9, kloop_text("me"), &s.request, own, sizeof own,
                                slices, 8, &fault);
    kl_expect_fault(&fault, KLOOP_TOO_LONG, 0, total, INT32_MAX, "");
}

/* ---- What is refused at once ---- */

static void what_is_not_spoken_is_refused_everywhere(void **state)
{
    (void)state;
    static const struct {
        int16_t key;
        int half;
        int16_t version;
        size_t size;
        kloop_status status;
        int64_t a, b;
    } cases[] = {
        {1, KLOOP_REQUEST, 0, 8, KLOOP_UNKNOWN_API, 1, 0},
        {-3, KLOOP_RESPONSE, 0, 8, KLOOP_UNKNOWN_API, -3, 0},
        {KLOOP_METADATA, 2, 0, 8, KLOOP_UNKNOWN_API, KLOOP_METADATA, 0},
        {KLOOP_METADATA, -1, 0, 8, KLOOP_UNKNOWN_API, KLOOP_METADATA, 0},
        {KLOOP_REQUEST_HEADER, KLOOP_RESPONSE, 1, 4, KLOOP_UNKNOWN_API, -1, 0},
        {KLOOP_RESPONSE_HEADER, KLOOP_REQUEST, 1, 4, KLOOP_UNKNOWN_API, -2, 0},
        {KLOOP_PRODUCE, KLOOP_REQUEST, 2, sizeof(kloop_produce_request), KLOOP_BAD_VERSION, 2, 0},
        {KLOOP_PRODUCE, KLOOP_RESPONSE, 14, sizeof(kloop_produce_response), KLOOP_BAD_VERSION, 14,
         0},
        {KLOOP_PRODUCE, KLOOP_REQUEST, -1, sizeof(kloop_produce_request), KLOOP_BAD_VERSION, -1, 0},
        {KLOOP_REQUEST_HEADER, KLOOP_REQUEST, 0, sizeof(kloop_request_header), KLOOP_BAD_VERSION, 0,
         0},
        {KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE, 2, sizeof(kloop_response_header), KLOOP_BAD_VERSION,
         2, 0},
        {KLOOP_METADATA, KLOOP_RESPONSE, 13, 3, KLOOP_BAD_STRUCT_SIZE, 3,
         sizeof(kloop_metadata_response)},
        {KLOOP_METADATA, KLOOP_REQUEST, 13, sizeof(kloop_metadata_response), KLOOP_BAD_STRUCT_SIZE,
         sizeof(kloop_metadata_response), sizeof(kloop_metadata_request)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        any_message m;
        memset(&m, 0xa5, sizeof m);
        kloop_half half = (kloop_half)cases[i].half;
        kloop_fault f[8];
        kloop_size size;
        size_t used, n = 0;
        uint8_t to[8] = {0};
        kloop_slice slice;
        int16_t key = cases[i].key, v = cases[i].version;
        size_t bytes = cases[i].size;
        memset(f, 0xa5, sizeof f);
        kloop_decode_sized(key, half, v, "", 0, &m, bytes, &f[n++]);
        kloop_decode_prefix_sized(key, half, v, "", 0, &used, &m, bytes, &f[n++]);
        kloop_measure_sized(key, half, v, &m, bytes, &size, &f[n++]);
        kloop_encode_sized(key, half, v, &m, bytes, to, 8, &used, &f[n++]);
        if (half == KLOOP_REQUEST) {
            kloop_string id = kloop_text("me");
            kloop_measure_request_sized(key, v, id, &m, bytes, &size, &f[n++]);
            kloop_encode_request_sized(key, v, 1, id, &m, bytes, to, 8, &f[n++]);
            kloop_encode_request_slices_sized(key, v, 1, id, &m, bytes, to, 8, &slice, 1, &f[n++]);
        } else if (half == KLOOP_RESPONSE) {
            kloop_measure_response_sized(key, v, &m, bytes, &size, &f[n++]);
            kloop_encode_response_sized(key, v, 1, &m, bytes, to, 8, &f[n++]);
        }
        for (size_t k = 0; k < n; k++)
            kl_expect_fault(&f[k], cases[i].status, 0, cases[i].a, cases[i].b, "");
        /* The struct was left alone, and nobody needs to ask why. */
        for (size_t k = 0; k < sizeof m; k++)
            assert_int_equal(m.bytes[k], 0xa5);
        assert_int_equal(kloop_decode_sized(key, half, v, "", 0, &m, bytes, NULL), cases[i].status);
        if (cases[i].status != KLOOP_BAD_VERSION)
            assert_int_equal(kloop_message_init_sized(key, half, &m, bytes), cases[i].status);
    }
}

static void faults_may_be_left_out(void **state)
{
    (void)state;
    kloop_sasl_handshake_request m = {{NULL, 0}};
    kloop_size size;
    uint8_t to[32];
    size_t used;
    assert_int_equal(kloop_decode(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, "\0", 1, &m, NULL),
                     KLOOP_TRUNCATED);
    kl_expect_text(m.mechanism, "");
    assert_int_equal(kloop_decode(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, "\0\0", 2, &m, NULL),
                     KLOOP_OK);
    assert_int_equal(kloop_decode(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, "\0\0", 3, &m, NULL),
                     KLOOP_TRAILING);
    m.mechanism.data = NULL;
    assert_int_equal(kloop_measure(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, &m, &size, NULL),
                     KLOOP_BAD_NULL);
    assert_int_equal(
        kloop_encode(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, &m, to, sizeof to, &used, NULL),
        KLOOP_BAD_NULL);
    assert_int_equal(
        kloop_encode_request(KLOOP_SASL_HANDSHAKE, 0, 1, kloop_text("x"), &m, to, 3, NULL),
        KLOOP_NO_SPACE);
    assert_int_equal(
        kloop_measure_request(KLOOP_SASL_HANDSHAKE, 0, kloop_text("x"), &m, &size, NULL),
        KLOOP_BAD_NULL);
}

/* A fault is not left over from before. */
static void faults_are_all_zero_when_all_is_well(void **state)
{
    (void)state;
    kloop_sasl_handshake_request m = {kloop_text("x")};
    kloop_sasl_handshake_response answer;
    kloop_string me = kloop_text("me");
    kloop_fault f[10];
    kloop_size size;
    kloop_slice slice;
    uint8_t to[64];
    size_t used, n = 0;
    kloop_message_init(KLOOP_SASL_HANDSHAKE, KLOOP_RESPONSE, &answer);
    memset(f, 0xa5, sizeof f);
    kloop_measure(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, &m, &size, &f[n++]);
    kloop_encode(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, &m, to, 64, &used, &f[n++]);
    kloop_decode(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, to, used, &m, &f[n++]);
    kloop_decode_prefix(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, to, 64, &used, &m, &f[n++]);
    m.mechanism = kloop_text("x");
    kloop_measure_request(KLOOP_SASL_HANDSHAKE, 0, me, &m, &size, &f[n++]);
    kloop_encode_request(KLOOP_SASL_HANDSHAKE, 0, 1, me, &m, to, 64, &f[n++]);
    kloop_encode_request_slices(KLOOP_SASL_HANDSHAKE, 0, 1, me, &m, to, 64, &slice, 1, &f[n++]);
    kloop_measure_response(KLOOP_SASL_HANDSHAKE, 0, &answer, &size, &f[n++]);
    kloop_encode_response(KLOOP_SASL_HANDSHAKE, 0, 1, &answer, to, 64, &f[n++]);
    kloop_frame_next(to, 64, 64, &slice, &used, &f[n++]);
    assert_non_null(slice.data);
    for (size_t i = 0; i < n; i++) {
        kl_expect_fault(&f[i], KLOOP_OK, 0, 0, 0, "");
        for (int k = 0; k < KLOOP_FAULT_DEPTH_MAX; k++) {
            assert_null(f[i].path[k].name);
            assert_int_equal(f[i].path[k].index, 0);
        }
    }
}

static void bytes_behind_the_end(void **state)
{
    (void)state;
    kloop_slice bytes = kl_hex_guarded(&guard, "0001 61 0001 62");
    kloop_sasl_handshake_request m;
    kloop_fault fault;
    size_t used;
    kloop_decode(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, bytes.data, bytes.len, &m, &fault);
    kl_expect_fault(&fault, KLOOP_TRAILING, 3, 3, 0, "");
    kl_expect_text(m.mechanism, "a");
    assert_int_equal(kloop_decode_prefix(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, 0, bytes.data,
                                         bytes.len, &used, &m, &fault),
                     KLOOP_OK);
    assert_int_equal(used, 3);
}

static void a_body_of_no_bytes(void **state)
{
    (void)state;
    kloop_api_versions_request m;
    kloop_fault fault;
    kloop_size size;
    size_t used = 9;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &m);
    assert_int_equal(kloop_measure(KLOOP_API_VERSIONS, KLOOP_REQUEST, 0, &m, &size, &fault),
                     KLOOP_OK);
    assert_int_equal(size.total, 0);
    assert_int_equal(kloop_encode(KLOOP_API_VERSIONS, KLOOP_REQUEST, 0, &m, NULL, 0, &used, &fault),
                     KLOOP_OK);
    assert_int_equal(used, 0);
    assert_int_equal(kloop_decode(KLOOP_API_VERSIONS, KLOOP_REQUEST, 0, NULL, 0, &m, &fault),
                     KLOOP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_of_api_versions_v4),
        cmocka_unit_test(no_room_for_the_length_or_what_follows),
        cmocka_unit_test(client_ids),
        cmocka_unit_test(frames_of_responses),
        cmocka_unit_test(every_frame_comes_apart_again),
        cmocka_unit_test(slices_are_the_frame_without_a_copy_of_the_payload),
        cmocka_unit_test(too_few_slices_or_bytes_are_a_fault),
        cmocka_unit_test(frame_without_payload_is_one_slice),
        cmocka_unit_test(frames_stay_below_2_gib),
        cmocka_unit_test(what_is_not_spoken_is_refused_everywhere),
        cmocka_unit_test(faults_may_be_left_out),
        cmocka_unit_test(faults_are_all_zero_when_all_is_well),
        cmocka_unit_test(bytes_behind_the_end),
        cmocka_unit_test(a_body_of_no_bytes),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
