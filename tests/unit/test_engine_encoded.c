/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches of others: passed through with our numbers, in order, whole, and reported once. */
#include "base/be.h"
#include "tests/support/engine_host.h"

#include <kloop/batch.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECORDS_MAX 64

static host h;
static host_seen seen;
static uint8_t bytes[200000];
static size_t bytes_len;

/* Into bytes: values "v100001" and so on, so long each, which are no users of the host. */
static void encode(size_t records, int codec, size_t value_len)
{
    static uint8_t values[RECORDS_MAX][4096];
    kloop_batch_record list[RECORDS_MAX];
    kloop_batch_header header;
    memset(list, 0, sizeof list);
    for (size_t i = 0; i < records; i++) {
        memset(values[i], 'x', sizeof values[i]);
        int n = snprintf((char *)values[i], sizeof values[i], "v%zu", 100001 + i);
        values[i][n] = ' ';
        list[i].offset = 5000 + (int64_t)i;
        list[i].timestamp = 1600000000000 + (int64_t)i;
        list[i].value = (kloop_slice){values[i], value_len};
    }
    kloop_batch_header_fit(&header, list, records);
    header.attributes = (int16_t)codec;
    header.producer_id = 77;
    header.producer_epoch = 3;
    header.base_sequence = 12;
    header.partition_leader_epoch = 9;
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    assert_non_null(writer);
    assert_int_equal(
        kloop_batch_encode(writer, &header, list, records, bytes, sizeof bytes, &bytes_len, NULL),
        KLOOP_OK);
    kloop_batch_writer_del(writer);
}

static kloop_encoded made(int32_t partition)
{
    return (kloop_encoded){
        .bytes = {bytes, bytes_len}, .set = KLOOP_SET_PARTITION, .partition = partition};
}

static void open_one(host_topic **t)
{
    host_new(&h, "linger.ms", "5", NULL);
    *t = host_add_topic(&h, "events", 2);
    host_run(&h);
}

/* The oldest request there has one batch: so many records from this number on. */
static void expect_batch(int32_t count, int32_t sequence, int codec)
{
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batch_count, 1);
    assert_int_equal(seen.batches[0].count, count);
    assert_int_equal(seen.batches[0].sequence, sequence);
    assert_int_equal(seen.batches[0].producer_id, 4000);
    assert_int_equal(seen.batches[0].epoch, 0);
    assert_int_equal(seen.batches[0].codec, codec);
}

static void goes_between_records_with_our_numbers(void **state)
{
    (void)state;
    for (int codec = 0; codec <= 4; codec++) {
        host_topic *t;
        open_one(&t);
        encode(10, codec, 100);
        kloop_encoded batch = made(0);
        host_send(&h, t, 0, 3);
        assert_int_equal(host_send_batch(&h, t, &batch, 10), KLOOP_OK);
        /* Nothing of it is kept. */
        memset(bytes, 0xa5, bytes_len);
        host_send(&h, t, 0, 2);
        host_sleep(&h, 10);
        expect_batch(3, 0, 0);
        HOST_ANSWER(&h, 1, 0);
        expect_batch(10, 3, codec);
        HOST_ANSWER(&h, 1, 0);
        expect_batch(2, 13, 0);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 6);
        host_expect_offset(&h, 4, 103);
        host_expect_offset(&h, 5, 113);
        assert_int_equal(host_stats(&h).acked, 15);
        assert_int_equal(host_stats(&h).batches, 3);
        host_end(&h);
    }
}

/* The payload on the wire is the caller's, byte for byte, and so are its timestamps. */
static void keeps_payload_and_times(void **state)
{
    (void)state;
    host_topic *t;
    open_one(&t);
    encode(7, 4, 300);
    kloop_encoded batch = made(0);
    assert_int_equal(host_send_batch(&h, t, &batch, 7), KLOOP_OK);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    const host_request *r = host_first(&h, c);
    const uint8_t *body = c->stream + r->at;
    size_t at = 0;
    while (at + 40 < r->len && memcmp(body + at, bytes + 61, 40) != 0)
        at++;
    assert_memory_equal(body + at, bytes + 61, bytes_len - 61);
    const uint8_t *header = body + at - 61;
    assert_memory_equal(header + 21, bytes + 21, 22); /* attributes to the highest time */
    assert_int_equal(kl_be_load64(header), 0);
    assert_int_equal((int32_t)kl_be_load32(header + 12), -1);
    HOST_ANSWER(&h, 1, 0);
    host_end(&h);
}

static void send_lent_batch(host_topic *t, int32_t partition, size_t records, kloop_chunk *chunk)
{
    kloop_record r = {.set = 0};
    encode(records, 0, 2000);
    host_lend(&h, &r, bytes_len);
    memcpy(h.loans[h.loan_count - 1].bytes, bytes, bytes_len);
    h.loans[h.loan_count - 1].hash = host_hash(bytes, bytes_len);
    kloop_encoded batch = made(partition);
    batch.bytes = r.value;
    batch.lender = r.lender;
    batch.set |= KLOOP_SET_BORROWED;
    if (chunk) {
        batch.set |= KLOOP_SET_CHUNK;
        batch.chunk = chunk;
    }
    assert_int_equal(host_send_batch(&h, t, &batch, records), KLOOP_OK);
}

/* What comes back is what was given: also the header, which was never shown. */
static void is_lent_as_a_whole(void **state)
{
    (void)state;
    host_topic *t;
    open_one(&t);
    send_lent_batch(t, 0, 20, NULL);
    host_run(&h);
    host_expect_lent(&h, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_expect_lent(&h, 0);
    host_end(&h);
}

static void waits_for_an_unknown_topic(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "events", 2);
    kloop_chunk *chunk = host_begin_chunk(&h, 1);
    host_send(&h, t, 0, 1);
    send_lent_batch(t, 0, 20, NULL);
    send_lent_batch(t, 9, 4, chunk);
    encode(30, 3, 500);
    kloop_encoded copied = made(0);
    assert_int_equal(host_send_batch(&h, t, &copied, 30), KLOOP_OK);
    memset(bytes, 0xa5, bytes_len);
    host_send(&h, t, 0, 1);
    kloop_engine_chunk_end(chunk);
    host_run(&h);
    assert_int_equal(host_stats(&h).accepted, 56);
    h.hold_metadata = false;
    host_run(&h);
    static const int32_t counts[] = {1, 20, 30, 1};
    int32_t sequence = 0;
    for (int i = 0; i < 4; i++) {
        expect_batch(counts[i], sequence, i == 2 ? 3 : 0);
        sequence += counts[i];
        HOST_ANSWER(&h, 1, 0);
    }
    host_expect_acked(&h, 1, 2);
    host_expect_acked(&h, 4, 5);
    host_expect_offset(&h, 4, 121);
    host_expect_chunk(&h, 1, 0, 4, 0);
    assert_int_equal(host_chunk_of(&h, 1)->cause, KLOOP_CAUSE_PARTITION);
    host_expect_lent(&h, 0);
    host_end(&h);
}

/* Known once, and given back since. */
static void waits_for_a_forgotten_topic(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", "metadata.max.idle.ms", "5000",
             NULL);
    host_topic *t = host_add_topic(&h, "events", 2);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 8000);
    assert_int_equal(kloop_topic_partitions(t->handle), 0);
    h.hold_metadata = true;
    kloop_chunk *chunk = host_begin_chunk(&h, 1);
    send_lent_batch(t, 0, 20, chunk);
    encode(30, 3, 500);
    kloop_encoded copied = made(0);
    assert_int_equal(host_send_batch(&h, t, &copied, 30), KLOOP_OK);
    memset(bytes, 0xa5, bytes_len);
    kloop_engine_chunk_end(chunk);
    host_run(&h);
    assert_int_equal(host_stats(&h).pending, 50);
    h.hold_metadata = false;
    host_run(&h);
    for (int i = 0; i < 2; i++) {
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].epoch, 1);
        assert_int_equal(seen.batches[0].sequence, i * 20);
        assert_int_equal(seen.batches[0].count, i ? 30 : 20);
        HOST_ANSWER(&h, 1, 0);
    }
    assert_int_equal(host_stats(&h).acked, 51);
    host_expect_chunk(&h, 1, 20, 0, 0);
    host_expect_lent(&h, 0);
    host_end(&h);
}

static void belongs_to_a_chunk_with_all_records(void **state)
{
    (void)state;
    host_topic *t;
    open_one(&t);
    kloop_chunk *chunk = host_begin_chunk(&h, 1);
    send_lent_batch(t, 0, 20, chunk);
    send_lent_batch(t, 1, 5, chunk);
    kloop_engine_chunk_end(chunk);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 2, KLOOP_BROKER_TOPIC_AUTHORIZATION_FAILED);
    host_expect_chunk(&h, 1, 20, 5, 0);
    host_end(&h);
}

static void is_never_taken_apart(void **state)
{
    (void)state;
    static const struct {
        int16_t code;
        const char *text;
    } cases[] = {
        {KLOOP_BROKER_MESSAGE_TOO_LARGE, "a batch that was encoded elsewhere is not split"},
        {KLOOP_BROKER_INVALID_RECORD, "encoded elsewhere fails with each of its records"},
    };
    for (size_t i = 0; i < 2; i++) {
        host_topic *t;
        open_one(&t);
        encode(10, 0, 1000);
        kloop_encoded batch = made(0);
        assert_int_equal(host_send_batch(&h, t, &batch, 10), KLOOP_OK);
        host_run(&h);
        HOST_ANSWER(&h, 1, cases[i].code);
        host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
        host_expect_text(&h, 1, cases[i].text);
        assert_int_equal(host_stats(&h).failed, 10);
        /* What comes next is not kept small because of it, and begins anew after the hole. */
        host_send(&h, t, 0, 2);
        host_sleep(&h, 300);
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].count, 2);
        assert_int_equal(seen.batches[0].sequence, 0);
        assert_int_equal(seen.batches[0].epoch, 1);
        HOST_ANSWER(&h, 1, 0);
        host_end(&h);
    }
}

static void is_given_up_like_others(void **state)
{
    (void)state;
    host_topic *t;
    open_one(&t);
    encode(10, 0, 100);
    kloop_encoded batch = made(0);
    assert_int_equal(host_send_batch(&h, t, &batch, 10), KLOOP_OK);
    host_run(&h);
    assert_int_equal(host_send_batch(&h, t, &batch, 10), KLOOP_OK);
    assert_int_equal(
        kloop_engine_purge(h.e, NULL, KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT, h.now), 20);
    host_pump(&h);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_PURGED);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED);
    assert_int_equal(host_stats(&h).unknown, 10);
    host_end(&h);
}

/* ---- What is refused ---- */

static void expect_refused(host_topic *t, const kloop_encoded *batch, kloop_status status,
                           const char *part)
{
    char text[512];
    kloop_encoded copy = *batch;
    assert_int_equal(host_send_batch(&h, t, &copy, 0), status);
    kloop_send_batch_error(t->handle, batch, status, text, sizeof text);
    if (!strstr(text, part))
        fail_msg("'%s' has no '%s'", text, part);
}

static void put16(size_t at, int v)
{
    kl_be_store16(bytes + at, (uint16_t)v);
    assert_true(kloop_batch_reseal(bytes, bytes_len));
}

static void put32(size_t at, uint32_t v)
{
    kl_be_store32(bytes + at, v);
    assert_true(kloop_batch_reseal(bytes, bytes_len));
}

static void is_refused_unless_it_is_sound(void **state)
{
    (void)state;
    host_topic *t;
    open_one(&t);
    kloop_encoded none = {.set = 0};
    expect_refused(t, &none, KLOOP_BAD_ARGUMENT, "bytes of the encoded batch is NULL");
    encode(10, 0, 100);
    kloop_encoded batch = made(0);
    batch.set |= KLOOP_SET_TIMESTAMP;
    expect_refused(t, &batch, KLOOP_BAD_ARGUMENT, "set is 0x3");
    batch = made(-1);
    expect_refused(t, &batch, KLOOP_BAD_PARTITION, "partition is -1");
    batch = made(2);
    expect_refused(t, &batch, KLOOP_BAD_PARTITION, "'events' has 2 (0 to 1)");
    batch = made(0);
    batch.set |= KLOOP_SET_CHUNK;
    expect_refused(t, &batch, KLOOP_BAD_CHUNK, "chunk is NULL");
    for (size_t len = 0; len < 70; len++) {
        batch = made(0);
        batch.bytes.len = len;
        expect_refused(t, &batch, KLOOP_TRUNCATED, "not one whole record batch");
    }
    batch = made(0);
    batch.bytes.len++;
    expect_refused(t, &batch, KLOOP_TRAILING, "1");
    batch = made(0);
    bytes[200] ^= 1;
    expect_refused(t, &batch, KLOOP_BAD_CRC, "crc");
    bytes[200] ^= 1;
    bytes[16] = 1;
    expect_refused(t, &batch, KLOOP_BAD_MAGIC, "magic");
    bytes[16] = 2;
    put16(21, 5);
    expect_refused(t, &batch, KLOOP_BAD_CODEC, "codec");
    put16(21, 0x20);
    expect_refused(t, &batch, KLOOP_BAD_BATCH, "a control batch");
    put16(21, 0x10);
    expect_refused(t, &batch, KLOOP_BAD_BATCH, "part of a transaction");
    put16(21, 0x08);
    expect_refused(t, &batch, KLOOP_BAD_BATCH, "timestamps were set by a broker");
    put16(21, 0x80);
    expect_refused(t, &batch, KLOOP_BAD_BATCH, "attributes that a broker sets");
    put16(21, 0);
    put32(57, 0);
    expect_refused(t, &batch, KLOOP_BAD_BATCH, "it is empty");
    put32(57, 11);
    expect_refused(t, &batch, KLOOP_BAD_BATCH, "offsets of its records have gaps");
    put32(57, 1000000);
    put32(23, 999999);
    expect_refused(t, &batch, KLOOP_BAD_COUNT, "1000000");
    put32(57, 10);
    put32(23, 9);
    assert_int_equal(host_send_batch(&h, t, &batch, 10), KLOOP_OK);
    assert_int_equal(kloop_engine_send_batch(NULL, &batch), KLOOP_BAD_ARGUMENT);
    assert_int_equal(kloop_engine_send_batch(t->handle, NULL), KLOOP_BAD_ARGUMENT);
    kloop_engine_close(h.e, 0, h.now);
    expect_refused(t, &batch, KLOOP_CLOSED, "closed");
    host_end(&h);
}

static void is_refused_when_it_is_too_large(void **state)
{
    (void)state;
    host_new(&h, "max.request.size", "50000", "buffer.memory", "60000", "batch.size", "1000", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    encode(40, 0, 2000);
    kloop_encoded batch = made(0);
    expect_refused(t, &batch, KLOOP_TOO_LARGE, "max.request.size=50000");
    encode(20, 0, 2000);
    batch = made(0);
    assert_int_equal(host_send_batch(&h, t, &batch, 20), KLOOP_OK);
    expect_refused(t, &batch, KLOOP_FULL, "buffer.memory");
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    assert_int_equal(h.writables, 1);
    host_end(&h);
}

/* ---- Without memory ---- */

static void one_life(size_t nth, bool hold)
{
    static const char *const pairs[] = {"linger.ms", "0", NULL};
    host_prepare(&h, nth);
    if (host_open(&h, pairs)) {
        host_end(&h);
        return;
    }
    h.hold_metadata = hold;
    host_topic *t = host_add_topic(&h, "events", 1);
    size_t taken = 0;
    for (size_t i = 0; i < 3 && t->handle; i++) {
        encode(10 + i, 0, 1000);
        kloop_encoded batch = made(0);
        kloop_status status = host_send_batch(&h, t, &batch, 10 + i);
        assert_true(status == KLOOP_OK || status == KLOOP_NO_MEMORY);
        taken += status ? 0 : 10 + i;
        host_sleep(&h, 1000);
    }
    h.hold_metadata = false;
    for (int i = 0; i < 5; i++) {
        host_sleep(&h, 2000);
        while (host_produces(&h, 1) > 0)
            HOST_ANSWER(&h, 1, 0);
    }
    host_close(&h, 1000, 60000);
    assert_int_equal(host_stats(&h).accepted, taken);
    host_end(&h);
}

static void comes_through_with_every_allocation_failing(void **state)
{
    (void)state;
    for (int hold = 0; hold < 2; hold++)
        for (size_t nth = 1;; nth++) {
            one_life(nth, hold);
            if (h.memory.refused == 0)
                break;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_between_records_with_our_numbers),
        cmocka_unit_test(keeps_payload_and_times),
        cmocka_unit_test(is_lent_as_a_whole),
        cmocka_unit_test(waits_for_an_unknown_topic),
        cmocka_unit_test(waits_for_a_forgotten_topic),
        cmocka_unit_test(belongs_to_a_chunk_with_all_records),
        cmocka_unit_test(is_never_taken_apart),
        cmocka_unit_test(is_given_up_like_others),
        cmocka_unit_test(is_refused_unless_it_is_sound),
        cmocka_unit_test(is_refused_when_it_is_too_large),
        cmocka_unit_test(comes_through_with_every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
