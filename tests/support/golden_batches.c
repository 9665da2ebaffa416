/* SPDX-License-Identifier: BSD-2-Clause */
/* The golden batches, and comparing with them. See golden_batches.h. */
#include "tests/support/golden_batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BYTES(s)   (const uint8_t *)(s), sizeof(s) - 1
#define TEXT(s)    (s), sizeof(s) - 1
#define HEADERS(a) .count = sizeof(a) / sizeof(*(a)), .items = (a)

static const uint8_t producer_bytes[] = {
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x49, 0xff, 0xff, 0xff,
    0xff, 0x02, 0x76, 0x39, 0x73, 0x6a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x01,
    0x8b, 0xcf, 0xe5, 0x68, 0x00, 0x00, 0x00, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x05, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x10, 0x92, 0x00, 0x07, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x00,
    0x02, 0x10, 0x00, 0x00, 0x00, 0x02, 0x6b, 0x02, 0x76, 0x00, 0x1c, 0x00, 0x0a, 0x02, 0x01,
    0x0a, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x02, 0x02, 0x68, 0x01};

static const kloop_record_header producer_headers_1[] = {{{TEXT("h")}, {NULL, 0}}};

static const kloop_batch_record producer_records[] = {
    {.offset = 0, .timestamp = 1700000000000, .key = {BYTES("k")}, .value = {BYTES("v")}},
    {.offset = 1,
     .timestamp = 1700000000005,
     .key = {NULL, 0},
     .value = {BYTES("hello")},
     .headers = {HEADERS(producer_headers_1)}},
};

static const uint8_t transactional_bytes[] = {
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa9, 0x00, 0x00, 0x00, 0x01,
    0x02, 0x84, 0xcb, 0x27, 0x72, 0x00, 0x10, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x01, 0x8b, 0xff,
    0x6b, 0xbf, 0xb8, 0x00, 0x00, 0x01, 0x8b, 0xff, 0x6b, 0xbf, 0xb9, 0x00, 0x00, 0x00, 0x7f, 0xff,
    0xff, 0xff, 0xfd, 0x00, 0x23, 0x7f, 0xff, 0xff, 0xfe, 0x00, 0x00, 0x00, 0x02, 0xce, 0x01, 0x00,
    0x00, 0x00, 0x0c, 0x6b, 0x65, 0x79, 0x2d, 0x34, 0x30, 0x14, 0x76, 0x61, 0x6c, 0x75, 0x65, 0x2d,
    0x36, 0x34, 0x32, 0x34, 0x08, 0x00, 0x01, 0x02, 0x5b, 0x14, 0xa2, 0xd9, 0x37, 0x92, 0x1d, 0xd2,
    0x07, 0xbc, 0x7f, 0x8a, 0x18, 0x64, 0x69, 0x6b, 0x64, 0x78, 0x70, 0x65, 0x6c, 0x2f, 0x70, 0x7a,
    0x65, 0x1a, 0xb2, 0x4f, 0xac, 0x63, 0x7d, 0x9e, 0x86, 0xdd, 0xdb, 0x63, 0x31, 0x00, 0x40, 0x08,
    0x65, 0x70, 0x7a, 0x71, 0x42, 0x68, 0xfb, 0x94, 0x09, 0x80, 0x36, 0x63, 0x10, 0x5f, 0xe1, 0xfe,
    0x39, 0xd6, 0xbe, 0xae, 0x5a, 0x42, 0x33, 0xfe, 0xf8, 0x4b, 0x26, 0xb0, 0x38, 0x8f, 0x61, 0x4e,
    0x19, 0x27, 0x50, 0x2d, 0x5f, 0x29, 0x1c, 0x00, 0x02, 0x02, 0x00, 0x01, 0x02, 0x0c, 0x66, 0x65,
    0x6d, 0x61, 0x59, 0x65, 0x01};

static const kloop_record_header transactional_headers_0[] = {
    {{TEXT("")}, {NULL, 0}},
    {{TEXT("[")}, {BYTES("\xa2\xd9\x37\x92\x1d\xd2\x07\xbc\x7f\x8a")}},
    {{TEXT("dikdxpel/pze")}, {BYTES("\xb2O\xac\x63}\x9e\x86\xdd\xdb\x63\x31\x00@")}},
    {{TEXT("epzq")},
     {BYTES("h\xfb\x94\x09\x80\x36\x63\x10_\xe1\xfe\x39\xd6\xbe\xaeZB3\xfe\xf8K&"
            "\xb0\x38\x8f\x61N\x19'P-_)")}}};

static const kloop_record_header transactional_headers_1[] = {{{TEXT("femaYe")}, {NULL, 0}}};

static const kloop_batch_record transactional_records[] = {
    {.offset = 0,
     .timestamp = 1700797333432,
     .key = {BYTES("key-40")},
     .value = {BYTES("value-6424")},
     .headers = {HEADERS(transactional_headers_0)}},
    {.offset = 1,
     .timestamp = 1700797333433,
     .key = {BYTES("")},
     .value = {NULL, 0},
     .headers = {HEADERS(transactional_headers_1)}},
};

static const uint8_t folded_bytes[] = {
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x99, 0xff, 0xff, 0xff,
    0xff, 0x02, 0x27, 0xea, 0x95, 0x79, 0x00, 0x13, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x01,
    0x8c, 0x08, 0x25, 0xd0, 0x9c, 0x00, 0x00, 0x01, 0x8c, 0x08, 0x25, 0xd0, 0x9c, 0x00, 0x00,
    0x00, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x00, 0x0f, 0x00, 0x00, 0x51, 0x6d, 0x00, 0x00, 0x00,
    0x03, 0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0x59, 0x00, 0x00, 0x00, 0xf5, 0x0f, 0x30,
    0x00, 0x00, 0x00, 0x0e, 0x6b, 0x65, 0x79, 0x2d, 0x35, 0x34, 0x33, 0x16, 0x76, 0x61, 0x6c,
    0x75, 0x65, 0x2d, 0x34, 0x33, 0x36, 0x33, 0x33, 0x00, 0x6a, 0x00, 0x00, 0x02, 0x01, 0x12,
    0x00, 0xf4, 0x1d, 0x35, 0x34, 0x31, 0x04, 0x12, 0x74, 0x6f, 0x70, 0x69, 0x63, 0x2d, 0x36,
    0x33, 0x37, 0x01, 0x18, 0x64, 0x75, 0x6c, 0x76, 0x61, 0x6d, 0x63, 0x7a, 0x6b, 0x68, 0x66,
    0x72, 0x16, 0x23, 0x0b, 0x20, 0xc0, 0xc7, 0x9a, 0xa0, 0xdb, 0x6e, 0xe2, 0x17, 0x22, 0x00,
    0x00, 0x04, 0x36, 0x00, 0x60, 0x36, 0x33, 0x36, 0x30, 0x30, 0x00, 0x00, 0x00, 0x00, 0x00};

static const kloop_record_header folded_headers_1[] = {
    {{TEXT("topic-637")}, {NULL, 0}},
    {{TEXT("dulvamczkhfr")}, {BYTES("#\x0b \xc0\xc7\x9a\xa0\xdbn\xe2\x17")}}};

static const kloop_batch_record folded_records[] = {
    {.offset = 0,
     .timestamp = 1700943745180,
     .key = {BYTES("key-543")},
     .value = {BYTES("value-43633")}},
    {.offset = 1,
     .timestamp = 1700943745180,
     .key = {NULL, 0},
     .value = {BYTES("value-43541")},
     .headers = {HEADERS(folded_headers_1)}},
    {.offset = 2, .timestamp = 1700943745180, .key = {NULL, 0}, .value = {BYTES("value-63600")}},
};

const kl_golden_batch kl_golden_batches[KL_GOLDEN_BATCH_COUNT] = {
    {producer_bytes,
     sizeof(producer_bytes),
     {.length = 73,
      .partition_leader_epoch = -1,
      .magic = 2,
      .crc = 0x7639736a,
      .attributes = 0,
      .last_offset_delta = 1,
      .base_timestamp = 1700000000000,
      .max_timestamp = 1700000000005,
      .producer_id = 4242,
      .producer_epoch = 7,
      .base_sequence = 10,
      .record_count = 2},
     producer_records,
     2},
    {transactional_bytes,
     sizeof(transactional_bytes),
     {.length = 169,
      .partition_leader_epoch = 1,
      .magic = 2,
      .crc = 0x84cb2772,
      .attributes = KLOOP_BATCH_TRANSACTIONAL,
      .last_offset_delta = 1,
      .base_timestamp = 1700797333432,
      .max_timestamp = 1700797333433,
      .producer_id = 549755813885,
      .producer_epoch = 35,
      .base_sequence = 2147483646,
      .record_count = 2},
     transactional_records,
     2},
    {folded_bytes,
     sizeof(folded_bytes),
     {.length = 153,
      .partition_leader_epoch = -1,
      .magic = 2,
      .crc = 0x27ea9579,
      .attributes = 3 | KLOOP_BATCH_TRANSACTIONAL,
      .last_offset_delta = 3,
      .base_timestamp = 1700943745180,
      .max_timestamp = 1700943745180,
      .producer_id = 68719476735,
      .producer_epoch = 15,
      .base_sequence = 20845,
      .record_count = 3},
     folded_records,
     3},
};

static void same_slice(kloop_slice got, kloop_slice expected)
{
    assert_int_equal(got.data == NULL, expected.data == NULL);
    if (!expected.data)
        return;
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.data, expected.data, expected.len);
}

void kl_golden_same_record(const kloop_batch_record *got, const kloop_batch_record *expected)
{
    assert_true(got->offset == expected->offset);
    assert_true(got->timestamp == expected->timestamp);
    assert_int_equal(got->attributes, expected->attributes);
    same_slice(got->key, expected->key);
    same_slice(got->value, expected->value);
    assert_int_equal(got->headers.count, expected->headers.count);
    kloop_record_headers got_rest = got->headers;
    kloop_record_headers expected_rest = expected->headers;
    kloop_record_header g;
    kloop_record_header e;
    while (kloop_record_headers_next(&expected_rest, &e)) {
        assert_true(kloop_record_headers_next(&got_rest, &g));
        same_slice((kloop_slice){(const uint8_t *)g.key.data, g.key.len},
                   (kloop_slice){(const uint8_t *)e.key.data, e.key.len});
        same_slice(g.value, e.value);
    }
    assert_false(kloop_record_headers_next(&got_rest, &g));
}

void kl_golden_same_header(const kloop_batch_header *got, const kloop_batch_header *expected)
{
    assert_true(got->base_offset == expected->base_offset);
    assert_int_equal(got->length, expected->length);
    assert_int_equal(got->partition_leader_epoch, expected->partition_leader_epoch);
    assert_int_equal(got->magic, expected->magic);
    assert_int_equal(got->crc, expected->crc);
    assert_int_equal(got->attributes, expected->attributes);
    assert_int_equal(got->last_offset_delta, expected->last_offset_delta);
    assert_true(got->base_timestamp == expected->base_timestamp);
    assert_true(got->max_timestamp == expected->max_timestamp);
    assert_true(got->producer_id == expected->producer_id);
    assert_int_equal(got->producer_epoch, expected->producer_epoch);
    assert_int_equal(got->base_sequence, expected->base_sequence);
    assert_int_equal(got->record_count, expected->record_count);
}
