/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Produce, as Kafka 4.3.1 answers it: each of these answers was seen from a real broker, offsets
 * and timestamps of refused and repeated batches included.
 */
#include "base/be.h"
#include "protocol/record_batch.h"
#include "tests/support/broker_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct world {
    kl_cluster *c;
    int32_t topic;
    kl_client a;
} world;

static void open_world(world *w, const kl_cluster_config *config)
{
    w->c = kl_client_cluster(config);
    w->topic = kl_client_topic(w->c, "events", 3, 1);
    kl_client_open(&w->a, w->c, 1);
}

static void open_plain(world *w)
{
    kl_cluster_config config = kl_client_config(1);
    open_world(w, &config);
}

static void close_world(world *w)
{
    kl_client_close(&w->a);
    kl_cluster_del(w->c);
}

static kloop_slice some(int32_t count)
{
    return kl_client_batch(&(kl_client_batch_spec){.count = count});
}

static kloop_slice sequenced(int16_t epoch, int32_t sequence, int32_t count)
{
    return kl_client_batch(&(kl_client_batch_spec){.count = count,
                                                   .idempotent = true,
                                                   .producer_id = 7,
                                                   .epoch = epoch,
                                                   .sequence = sequence,
                                                   .timestamp = 1700000000000});
}

/* A batch whose header was changed, with a right checksum again. */
static kloop_slice changed(kloop_slice batch, size_t at, uint64_t value, int bytes)
{
    uint8_t *p = kl_client_batch_bytes(batch);
    for (int i = 0; i < bytes; i++)
        p[at + (size_t)i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    assert_true(kloop_batch_reseal(p, batch.len));
    return batch;
}

static void expect_refused(world *w, kloop_slice batch, int16_t error, int64_t log_start)
{
    int64_t before = kl_client_next_offset(w->c, w->topic, 0);
    assert_int_equal(kl_client_put(&w->a, "events", 0, batch), error);
    assert_int_equal(w->a.produced_partition.base_offset, -1);
    assert_int_equal(w->a.produced_partition.log_append_time_ms, -1);
    assert_int_equal(w->a.produced_partition.log_start_offset, log_start);
    assert_int_equal(kl_client_next_offset(w->c, w->topic, 0), before);
}

/* ---- Good ones ---- */

static void every_version_stores_and_answers(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    for (int16_t version = 3; version <= 13; version++) {
        kl_client_produce(&w.a, version, "events", 1, some(2));
        assert_int_equal(kl_client_produced(&w.a, version), 0);
        assert_int_equal(w.a.produced_partition.index, 1);
        assert_int_equal(w.a.produced_partition.base_offset, (version - 3) * 2);
        assert_int_equal(w.a.produced_partition.log_append_time_ms, -1);
        assert_int_equal(w.a.produced_partition.log_start_offset, version < 5 ? -1 : 0);
        assert_null(w.a.produced_partition.error_message.data);
        if (version < 13)
            assert_memory_equal(w.a.produced_topic.name.data, "events", 6);
    }
    kl_partition_info info;
    kl_cluster_partition_info(w.c, w.topic, 1, &info);
    assert_int_equal(info.next_offset, 22);
    assert_int_equal(info.high_watermark, 22);
    assert_int_equal(info.records, 22);
    assert_int_equal(info.batches, 11);
    close_world(&w);
}

static void a_stored_batch_has_its_place_and_all_its_records(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_client_now = 5;
    assert_int_equal(kl_client_put(&w.a, "events", 0, some(4)), 0);
    assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(3, 0, 2)), 0);
    assert_int_equal(kl_cluster_log_count(w.c, w.topic, 0, KL_NO_NODE), 2);
    const kl_stored_batch *b = kl_cluster_log_at(w.c, w.topic, 0, KL_NO_NODE, 1);
    assert_int_equal(b->base_offset, 4);
    assert_int_equal(b->record_count, 2);
    assert_int_equal(b->producer_id, 7);
    assert_int_equal(b->producer_epoch, 3);
    assert_int_equal(b->base_sequence, 0);
    assert_int_equal(b->acks, -1);
    assert_int_equal(b->peer_id, kl_peer_id(w.a.peer));
    assert_int_equal(b->request_id, 2);
    assert_int_equal(b->node_id, 1);
    assert_int_equal(b->appended_ns, 5);
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 1 << 20);
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_batch_reader_start(reader, b->bytes, b->byte_count);
    assert_int_equal(kloop_batch_reader_next(reader, &header, NULL), KLOOP_OK);
    assert_int_equal(header->base_offset, 4);
    assert_int_equal(header->partition_leader_epoch, 0);
    assert_int_equal(header->crc, b->crc);
    for (int64_t offset = 4; offset < 6; offset++) {
        assert_int_equal(kloop_batch_reader_record(reader, &record, NULL), KLOOP_OK);
        assert_int_equal(record->offset, offset);
        assert_int_equal(record->value.len, 10);
    }
    kloop_batch_reader_del(reader);
    close_world(&w);
}

static void acks_0_is_never_answered_and_an_error_closes(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_client_produce_acks(&w.a, 12, "events", 0, some(3), 0, 1000);
    assert_false(kl_client_take(&w.a));
    assert_int_equal(kl_client_next_offset(w.c, w.topic, 0), 3);
    assert_false(kl_client_is_closed(&w.a));
    kl_client_produce_acks(&w.a, 12, "nobody", 0, some(3), 0, 1000);
    assert_false(kl_client_take(&w.a));
    assert_true(kl_client_is_closed(&w.a));
    close_world(&w);
}

static void other_acks_are_refused_after_the_batch_was_looked_at(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_client_produce_acks(&w.a, 12, "events", 0, some(1), 2, 1000);
    assert_int_equal(kl_client_produced(&w.a, 12), KLOOP_BROKER_INVALID_REQUIRED_ACKS);
    assert_int_equal(w.a.produced_partition.log_start_offset, -1);
    kl_client_produce_acks(&w.a, 12, "events", 0, (kloop_slice){(const uint8_t *)"", 0}, -2, 1000);
    assert_int_equal(kl_client_produced(&w.a, 12), KLOOP_BROKER_INVALID_RECORD);
    kl_client_produce_acks(&w.a, 12, "nobody", 0, some(1), 2, 1000);
    assert_int_equal(kl_client_produced(&w.a, 12), KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
    close_world(&w);
}

/* ---- Where to ---- */

static void unknown_topics_ids_and_partitions(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    static const struct {
        int16_t version;
        const char *topic;
        int32_t partition;
        int16_t error;
    } cases[] = {{12, "nobody", 0, 3},  {3, "", 0, 3},          {12, "events", 3, 3},
                 {12, "events", -1, 3}, {13, "nobody", 0, 100}, {13, "events", 77, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_client_produce(&w.a, cases[i].version, cases[i].topic, cases[i].partition, some(1));
        assert_int_equal(kl_client_produced(&w.a, cases[i].version), cases[i].error);
        assert_int_equal(w.a.produced_partition.index, cases[i].partition);
        assert_int_equal(w.a.produced_partition.base_offset, -1);
        assert_int_equal(w.a.produced_partition.log_start_offset, -1);
    }
    /* Not a client's business. */
    kl_client_topic(w.c, "__consumer_offsets", 1, 1);
    assert_int_equal(kl_client_put(&w.a, "__consumer_offsets", 0, some(1)),
                     KLOOP_BROKER_INVALID_TOPIC_EXCEPTION);
    close_world(&w);
}

static void a_topic_made_again_has_another_id(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_topic_info old;
    kl_cluster_topic_info(w.c, w.topic, &old);
    assert_int_equal(kl_client_put(&w.a, "events", 0, some(5)), 0);
    kl_cluster_delete_topic(w.c, w.topic, kl_client_now);
    assert_int_equal(kl_client_put(&w.a, "events", 0, some(1)),
                     KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
    int32_t again = kl_client_topic(w.c, "events", 1, 1);
    assert_int_not_equal(again, w.topic);
    /* By the old id nobody finds it, by its name it begins at 0, and the old log stays readable. */
    kloop_produce_partition part = {.index = 0, .records = {.head = some(1)}};
    kloop_produce_topic topic = {
        .topic_id = old.id, .name = kloop_text(""), .partition_data = kloop_array_of(&part, 1)};
    kloop_produce_request request;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &request);
    request.acks = 1;
    request.topic_data = kloop_array_of(&topic, 1);
    kl_client_send(&w.a, KLOOP_PRODUCE, 13, &request);
    assert_int_equal(kl_client_produced(&w.a, 13), KLOOP_BROKER_UNKNOWN_TOPIC_ID);
    assert_memory_equal(&w.a.produced_topic.topic_id, &old.id, sizeof old.id);
    assert_int_equal(kl_client_put(&w.a, "events", 0, some(2)), 0);
    assert_int_equal(w.a.produced_partition.base_offset, 0);
    assert_int_equal(kl_client_next_offset(w.c, w.topic, 0), 5);
    kl_cluster_topic_info(w.c, w.topic, &old);
    assert_true(old.deleted);
    close_world(&w);
}

/* ---- Batches that are wrong ---- */

static void malformed_batches_have_their_own_errors(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kloop_slice b = some(2);
    kl_client_batch_bytes(b)[KL_BATCH_CRC_AT] ^= 1;
    expect_refused(&w, b, KLOOP_BROKER_CORRUPT_MESSAGE, -1);
    expect_refused(&w, changed(some(2), 0, 1, 8), KLOOP_BROKER_INVALID_RECORD, 0);
    expect_refused(&w, changed(some(2), 23, 5, 4), KLOOP_BROKER_INVALID_RECORD, 0);
    expect_refused(&w, changed(some(2), 57, 1, 4), KLOOP_BROKER_INVALID_RECORD, 0);
    expect_refused(&w, changed(some(2), 57, 0xffffffff, 4), KLOOP_BROKER_INVALID_RECORD, 0);
    expect_refused(&w, changed(changed(some(2), 57, 3, 4), 23, 2, 4), KLOOP_BROKER_INVALID_RECORD,
                   0);
    expect_refused(&w, changed(changed(some(2), 57, 1, 4), 23, 0, 4), KLOOP_BROKER_INVALID_RECORD,
                   0);
    expect_refused(&w, changed(some(1), 21, KLOOP_BATCH_CONTROL, 2), KLOOP_BROKER_INVALID_RECORD,
                   0);
    expect_refused(&w, changed(some(1), 43, 5, 8), KLOOP_BROKER_INVALID_RECORD, 0);
    expect_refused(&w, changed(some(1), 21, 5, 2), KLOOP_BROKER_UNKNOWN_SERVER_ERROR, 0);
    expect_refused(&w, changed(some(1), 21, 1, 2), KLOOP_BROKER_UNKNOWN_SERVER_ERROR, 0);
    b = some(1);
    expect_refused(&w, (kloop_slice){b.data, b.len - 1}, KLOOP_BROKER_INVALID_RECORD, -1);
    expect_refused(&w, (kloop_slice){b.data, 0}, KLOOP_BROKER_INVALID_RECORD, -1);
    kl_client_batch_bytes(b)[16] = 1;
    expect_refused(&w, b, KLOOP_BROKER_INVALID_RECORD, -1);
    assert_true(kl_cluster_complaints(w.c, KL_COMPLAINT_REFUSED) >= 13);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_SWALLOWED), 0);
    close_world(&w);
}

static void a_magic_that_cannot_be_spoils_the_whole_request(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kloop_slice bad = some(1);
    kl_client_batch_bytes(bad)[16] = 3;
    kloop_produce_partition parts[] = {{.index = 0, .records = {.head = some(1)}},
                                       {.index = 1, .records = {.head = bad}}};
    kloop_produce_topic topic = {.name = kloop_text("events"),
                                 .partition_data = kloop_array_of(parts, 2)};
    kloop_produce_request request;
    kloop_produce_response response;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &request);
    request.acks = -1;
    request.topic_data = kloop_array_of(&topic, 1);
    kl_client_send(&w.a, KLOOP_PRODUCE, 12, &request);
    kl_client_answer(&w.a, KLOOP_PRODUCE, 12, &response);
    kloop_produce_topic_response t;
    kloop_produce_partition_response p;
    kloop_iter topics = kloop_iterate(&response.responses);
    assert_true(kloop_next(&topics, &t));
    int seen = 0;
    for (kloop_iter i = kloop_iterate(&t.partition_responses); kloop_next(&i, &p); seen++) {
        assert_int_equal(p.error_code, KLOOP_BROKER_CORRUPT_MESSAGE);
        assert_non_null(p.error_message.data);
    }
    assert_int_equal(seen, 2);
    assert_int_equal(kl_client_next_offset(w.c, w.topic, 0), 0);
    close_world(&w);
}

static void two_batches_are_too_many_and_what_is_no_batch_is_passed_over(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kloop_slice b = some(1);
    uint8_t twice[400];
    memcpy(twice, b.data, b.len);
    memcpy(twice + b.len, b.data, b.len);
    expect_refused(&w, (kloop_slice){twice, b.len * 2}, KLOOP_BROKER_INVALID_RECORD, -1);
    /* The beginning of a second one. */
    assert_int_equal(kl_client_put(&w.a, "events", 0, (kloop_slice){twice, b.len * 2 - 3}), 0);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_SWALLOWED), 1);
    assert_int_equal(kl_cluster_log_at(w.c, w.topic, 0, KL_NO_NODE, 0)->byte_count, b.len);
    memset(twice + b.len, 0, 30);
    expect_refused(&w, (kloop_slice){twice, b.len + 30}, KLOOP_BROKER_CORRUPT_MESSAGE, -1);
    close_world(&w);
}

static void size_counts_the_batch_as_it_was_sent(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    kloop_slice b = kl_client_batch(&(kl_client_batch_spec){.value_len = 500});
    config.message_max_bytes = (int32_t)b.len;
    world w;
    open_world(&w, &config);
    assert_int_equal(kl_client_put(&w.a, "events", 0, b), 0);
    expect_refused(&w, kl_client_batch(&(kl_client_batch_spec){.value_len = 501}),
                   KLOOP_BROKER_MESSAGE_TOO_LARGE, -1);
    int32_t small;
    kl_topic_config topic = {
        .name = "small", .partitions = 1, .replication_factor = 1, .message_max_bytes = 100};
    assert_int_equal(kl_cluster_add_topic(w.c, &topic, &small), KL_CLUSTER_OK);
    assert_int_equal(kl_client_put(&w.a, "small", 0, b), KLOOP_BROKER_MESSAGE_TOO_LARGE);
    close_world(&w);
}

static void zstd_needs_version_7(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    for (int16_t version = 3; version <= 13; version++) {
        for (int16_t codec = 0; codec <= 4; codec++) {
            kloop_slice b =
                kl_client_batch(&(kl_client_batch_spec){.count = 3, .attributes = codec});
            kl_client_produce(&w.a, version, "events", 0, b);
            assert_int_equal(kl_client_produced(&w.a, version),
                             codec == 4 && version < 7 ? KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE
                                                       : 0);
        }
    }
    close_world(&w);
}

static void null_records_are_never_answered(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_client_produce(&w.a, 12, "events", 0, (kloop_slice){NULL, 0});
    assert_false(kl_client_take(&w.a));
    assert_false(kl_client_is_closed(&w.a));
    kl_client_produce(&w.a, 12, "events", 0, some(1));
    assert_false(kl_client_take(&w.a));
    close_world(&w);
}

static void what_kafka_swallows_is_complained_about(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kloop_slice b = kl_client_batch(&(kl_client_batch_spec){.count = 2, .value_len = 1});
    /* The second record's offset delta: behind the first record (length, 7 bytes) come the length,
     * the attributes and the timestamp of the second. */
    size_t at = KLOOP_BATCH_HEADER_BYTES + 8 + 3;
    assert_int_equal(b.data[at], 2);
    assert_int_equal(kl_client_put(&w.a, "events", 0, changed(b, at, 0, 1)), 0);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_SWALLOWED), 1);
    kl_complaint_kind kind;
    const char *text = kl_cluster_complaint(w.c, 0, &kind);
    assert_int_equal(kind, KL_COMPLAINT_SWALLOWED);
    assert_non_null(strstr(text, "events[0]"));
    assert_non_null(strstr(text, "record 1 has offset delta 0"));
    assert_null(kl_cluster_complaint(w.c, 1, NULL));
    /* Max timestamp, which the broker puts right; base timestamp; flags; a sequence without a
     * producer. */
    assert_int_equal(kl_client_put(&w.a, "events", 0, changed(some(2), 35, 99, 8)), 0);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_SWALLOWED), 2);
    const kl_stored_batch *stored = kl_cluster_log_at(w.c, w.topic, 0, KL_NO_NODE, 1);
    assert_int_equal(kl_be_load64(stored->bytes + 35), 1);
    assert_int_equal(kl_client_put(&w.a, "events", 0, changed(some(2), 21, 0x40, 2)), 0);
    assert_int_equal(kl_client_put(&w.a, "events", 0, changed(some(2), 53, 5, 4)), 0);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_SWALLOWED), 4);
    close_world(&w);
}

/* ---- Records that are refused one by one ---- */

static void a_compacted_topic_wants_keys(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    world w;
    open_world(&w, &config);
    int32_t topic;
    kl_topic_config compacted = {
        .name = "table", .partitions = 1, .replication_factor = 1, .compacted = true};
    assert_int_equal(kl_cluster_add_topic(w.c, &compacted, &topic), KL_CLUSTER_OK);
    assert_int_equal(
        kl_client_put(&w.a, "table", 0, kl_client_batch(&(kl_client_batch_spec){.keys = true})), 0);
    assert_int_equal(kl_client_put(&w.a, "table", 0, some(40)), KLOOP_BROKER_INVALID_RECORD);
    assert_int_equal(w.a.produced_partition.record_errors.count, 40);
    assert_non_null(w.a.produced_partition.error_message.data);
    assert_int_equal(w.a.produced_partition.log_start_offset, 0);
    kloop_record_error error;
    int32_t index = 0;
    for (kloop_iter i = kloop_iterate(&w.a.produced_partition.record_errors);
         kloop_next(&i, &error); index++)
        assert_int_equal(error.batch_index, index);
    assert_int_equal(kl_client_next_offset(w.c, topic, 0), 1);
    close_world(&w);
}

static void timestamps_from_the_future_are_refused(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    config.wall_ms_at_zero = 1700000000000;
    world w;
    open_world(&w, &config);
    kl_client_batch_spec spec = {.count = 3, .timestamp = 1700000000000 + 3600000 - 1};
    /* Records are one ms apart: the first two are just in time. */
    assert_int_equal(kl_client_put(&w.a, "events", 0, kl_client_batch(&spec)),
                     KLOOP_BROKER_INVALID_TIMESTAMP);
    assert_int_equal(w.a.produced_partition.record_errors.count, 1);
    kl_client_wait(w.c, 1);
    assert_int_equal(kl_client_put(&w.a, "events", 0, kl_client_batch(&spec)), 0);
    spec.timestamp = -1;
    assert_int_equal(kl_client_put(&w.a, "events", 0, kl_client_batch(&spec)), 0);
    close_world(&w);
}

static void append_time_is_the_brokers(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    config.wall_ms_at_zero = 1700000000000;
    world w;
    open_world(&w, &config);
    int32_t topic;
    kl_topic_config stamped = {
        .name = "stamped", .partitions = 1, .replication_factor = 1, .append_time = true};
    assert_int_equal(kl_cluster_add_topic(w.c, &stamped, &topic), KL_CLUSTER_OK);
    kl_client_wait(w.c, 250);
    assert_int_equal(kl_client_put(&w.a, "stamped", 0, some(2)), 0);
    assert_int_equal(w.a.produced_partition.log_append_time_ms, 1700000000250);
    const kl_stored_batch *b = kl_cluster_log_at(w.c, topic, 0, KL_NO_NODE, 0);
    kl_batch_view view;
    kloop_fault fault;
    assert_int_equal(kl_batch_decode(b->bytes, b->byte_count, 0, &view, &fault), KLOOP_OK);
    assert_int_equal(view.header.max_timestamp, 1700000000250);
    assert_true(view.header.attributes & KLOOP_BATCH_APPEND_TIME);
    /* A producer that says so itself. */
    assert_int_equal(kl_client_put(&w.a, "stamped", 0, changed(some(1), 21, 8, 2)),
                     KLOOP_BROKER_INVALID_TIMESTAMP);
    close_world(&w);
}

/* ---- Idempotence ---- */

static void a_batch_that_comes_again_is_not_stored_again(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(0, 0, 3)), 0);
    assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(0, 3, 2)), 0);
    assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(0, 0, 3)), 0);
    assert_int_equal(w.a.produced_partition.base_offset, 0);
    /* Kafka tells the batch's own timestamp in the place of an append time. */
    assert_int_equal(w.a.produced_partition.log_append_time_ms, 1700000000002);
    assert_int_equal(w.a.produced_partition.log_start_offset, 0);
    assert_int_equal(kl_client_next_offset(w.c, w.topic, 0), 5);
    assert_int_equal(kl_cluster_count(w.c).duplicates, 1);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_SWALLOWED), 0);
    close_world(&w);
}

static void a_repetition_that_differs_is_complained_about(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(0, 0, 3)), 0);
    kl_client_batch_spec other = {
        .count = 3, .idempotent = true, .producer_id = 7, .fill = 'w', .timestamp = 1700000000000};
    assert_int_equal(kl_client_put(&w.a, "events", 0, kl_client_batch(&other)), 0);
    assert_int_equal(w.a.produced_partition.base_offset, 0);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_SWALLOWED), 1);
    assert_non_null(strstr(kl_cluster_complaint(w.c, 0, NULL), "not its content"));
    close_world(&w);
}

static void gaps_and_old_epochs_are_refused(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(2, 9, 3)), 0);
    expect_refused(&w, sequenced(2, 13, 1), KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER, 0);
    expect_refused(&w, sequenced(3, 12, 1), KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER, 0);
    expect_refused(&w, sequenced(1, 12, 1), KLOOP_BROKER_INVALID_PRODUCER_EPOCH, 0);
    expect_refused(&w, sequenced(2, -1, 1), KLOOP_BROKER_INVALID_RECORD, 0);
    assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(3, 0, 1)), 0);
    /* Each partition has a memory of its own. */
    assert_int_equal(kl_client_put(&w.a, "events", 1, sequenced(1, 4, 1)), 0);
    close_world(&w);
}

static void an_expired_producer_may_begin_anywhere(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(2, 0, 3)), 0);
    kl_cluster_forget_producers(w.c, w.topic, 0);
    assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(2, 40, 1)), 0);
    expect_refused(&w, sequenced(2, 3, 1), KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER, 0);
    close_world(&w);
}

static void old_brokers_say_that_they_do_not_know_the_producer(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_cluster_set_sequence_era(w.c, 1, KL_SEQUENCES_1_0);
    expect_refused(&w, sequenced(0, 4, 1), KLOOP_BROKER_UNKNOWN_PRODUCER_ID, 0);
    for (int32_t i = 0; i < 6; i++)
        assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(0, i, 1)), 0);
    expect_refused(&w, sequenced(0, 0, 1), KLOOP_BROKER_DUPLICATE_SEQUENCE_NUMBER, 0);
    kl_cluster_set_sequence_era(w.c, 1, KL_SEQUENCES_0_11);
    expect_refused(&w, sequenced(0, 4, 1), KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER, 0);
    close_world(&w);
}

static void the_largest_batch_may_change(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kloop_slice b = some(3);
    assert_int_equal(kl_client_put(&w.a, "events", 0, b), 0);
    kl_cluster_set_message_max(w.c, w.topic, (int32_t)b.len - 1);
    expect_refused(&w, b, KLOOP_BROKER_MESSAGE_TOO_LARGE, -1);
    kl_cluster_set_message_max(w.c, w.topic, (int32_t)b.len);
    assert_int_equal(kl_client_put(&w.a, "events", 0, b), 0);
    close_world(&w);
}

/* ---- Transactions, which are not here ---- */

static void transactions_find_no_coordinator(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_client_batch_spec spec = {
        .idempotent = true, .producer_id = 7, .attributes = KLOOP_BATCH_TRANSACTIONAL};
    kl_client_produce(&w.a, 12, "events", 0, kl_client_batch(&spec));
    assert_int_equal(kl_client_produced(&w.a, 12),
                     KLOOP_BROKER_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    kloop_produce_partition part = {.index = 0, .records = {.head = kl_client_batch(&spec)}};
    kloop_produce_topic topic = {.name = kloop_text("events"),
                                 .partition_data = kloop_array_of(&part, 1)};
    kloop_produce_request request;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &request);
    request.transactional_id = kloop_text("t");
    request.acks = -1;
    request.topic_data = kloop_array_of(&topic, 1);
    kl_client_send(&w.a, KLOOP_PRODUCE, 12, &request);
    assert_int_equal(kl_client_produced(&w.a, 12), KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    assert_non_null(w.a.produced_partition.error_message.data);
    assert_int_equal(kl_client_next_offset(w.c, w.topic, 0), 0);
    close_world(&w);
}

/* ---- Many at once ---- */

static void the_last_one_counts_when_a_partition_comes_twice(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kloop_produce_partition first[] = {{.index = 2, .records = {.head = some(1)}},
                                       {.index = 1, .records = {.head = some(1)}}};
    kloop_produce_partition second[] = {{.index = 2, .records = {.head = some(4)}}};
    kloop_produce_topic topics[] = {
        {.name = kloop_text("events"), .partition_data = kloop_array_of(first, 2)},
        {.name = kloop_text("events"), .partition_data = kloop_array_of(NULL, 0)},
        {.name = kloop_text("events"), .partition_data = kloop_array_of(second, 1)}};
    kloop_produce_request request;
    kloop_produce_response response;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &request);
    request.acks = 1;
    request.topic_data = kloop_array_of(topics, 3);
    kl_client_send(&w.a, KLOOP_PRODUCE, 12, &request);
    kl_client_answer(&w.a, KLOOP_PRODUCE, 12, &response);
    assert_int_equal(response.responses.count, 1);
    kloop_produce_topic_response answer;
    kloop_produce_partition_response part;
    kloop_iter t = kloop_iterate(&response.responses);
    assert_true(kloop_next(&t, &answer));
    kloop_iter i = kloop_iterate(&answer.partition_responses);
    assert_true(kloop_next(&i, &part));
    assert_int_equal(part.index, 1);
    assert_true(kloop_next(&i, &part));
    assert_int_equal(part.index, 2);
    assert_false(kloop_next(&i, &part));
    assert_int_equal(kl_client_next_offset(w.c, w.topic, 2), 4);
    assert_int_equal(kl_client_next_offset(w.c, w.topic, 1), 1);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 1);
    request.topic_data = kloop_array_of(NULL, 0);
    kl_client_send(&w.a, KLOOP_PRODUCE, 12, &request);
    kl_client_answer(&w.a, KLOOP_PRODUCE, 12, &response);
    assert_int_equal(response.responses.count, 0);
    close_world(&w);
}

/* A real broker showed it: it answers topics, not the places in which they stand. */
static void a_topic_in_two_places_is_answered_once(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kloop_produce_partition first = {.index = 0, .records = {.head = some(1)}},
                            other = {.index = 0, .records = {.head = some(1)}},
                            unknown = {.index = 99, .records = {.head = some(1)}};
    kloop_produce_topic topics[] = {
        {.name = kloop_text("events"), .partition_data = kloop_array_of(&first, 1)},
        {.name = kloop_text("nobody"), .partition_data = kloop_array_of(&other, 1)},
        {.name = kloop_text("events"), .partition_data = kloop_array_of(&unknown, 1)}};
    kloop_produce_request request;
    kloop_produce_response response;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &request);
    request.acks = 1;
    request.topic_data = kloop_array_of(topics, 3);
    kl_client_send(&w.a, KLOOP_PRODUCE, 12, &request);
    kl_client_answer(&w.a, KLOOP_PRODUCE, 12, &response);
    assert_int_equal(response.responses.count, 2);
    kloop_produce_topic_response answer;
    kloop_produce_partition_response part;
    kloop_iter t = kloop_iterate(&response.responses);
    assert_true(kloop_next(&t, &answer));
    assert_int_equal(answer.partition_responses.count, 2);
    kloop_iter i = kloop_iterate(&answer.partition_responses);
    assert_true(kloop_next(&i, &part));
    assert_int_equal(part.error_code, 0);
    assert_true(kloop_next(&i, &part));
    assert_int_equal(part.index, 99);
    assert_int_equal(part.error_code, KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
    assert_true(kloop_next(&t, &answer));
    assert_int_equal(answer.partition_responses.count, 1);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 0);
    close_world(&w);
}

/* ---- Not looking ---- */

static void without_checking_only_the_header_counts(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    config.check = false;
    config.discard = true;
    world w;
    open_world(&w, &config);
    kloop_slice b = sequenced(0, 0, 3);
    kl_client_batch_bytes(b)[80] ^= 1;
    assert_int_equal(kl_client_put(&w.a, "events", 0, b), 0);
    assert_int_equal(kl_client_put(&w.a, "events", 0, b), 0);
    assert_int_equal(w.a.produced_partition.base_offset, 0);
    assert_int_equal(kl_client_put(&w.a, "events", 0, sequenced(0, 4, 1)),
                     KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_int_equal(kl_client_put(&w.a, "events", 0, changed(some(2), 57, 1, 4)),
                     KLOOP_BROKER_INVALID_RECORD);
    kl_partition_info info;
    kl_cluster_partition_info(w.c, w.topic, 0, &info);
    assert_int_equal(info.records, 3);
    assert_int_equal(info.batches, 1);
    assert_int_equal(info.bytes, b.len);
    assert_int_equal(kl_cluster_log_count(w.c, w.topic, 0, KL_NO_NODE), 0);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_stores_and_answers),
        cmocka_unit_test(a_stored_batch_has_its_place_and_all_its_records),
        cmocka_unit_test(acks_0_is_never_answered_and_an_error_closes),
        cmocka_unit_test(other_acks_are_refused_after_the_batch_was_looked_at),
        cmocka_unit_test(unknown_topics_ids_and_partitions),
        cmocka_unit_test(a_topic_made_again_has_another_id),
        cmocka_unit_test(malformed_batches_have_their_own_errors),
        cmocka_unit_test(a_magic_that_cannot_be_spoils_the_whole_request),
        cmocka_unit_test(two_batches_are_too_many_and_what_is_no_batch_is_passed_over),
        cmocka_unit_test(size_counts_the_batch_as_it_was_sent),
        cmocka_unit_test(zstd_needs_version_7),
        cmocka_unit_test(null_records_are_never_answered),
        cmocka_unit_test(what_kafka_swallows_is_complained_about),
        cmocka_unit_test(a_compacted_topic_wants_keys),
        cmocka_unit_test(timestamps_from_the_future_are_refused),
        cmocka_unit_test(append_time_is_the_brokers),
        cmocka_unit_test(a_batch_that_comes_again_is_not_stored_again),
        cmocka_unit_test(a_repetition_that_differs_is_complained_about),
        cmocka_unit_test(gaps_and_old_epochs_are_refused),
        cmocka_unit_test(an_expired_producer_may_begin_anywhere),
        cmocka_unit_test(old_brokers_say_that_they_do_not_know_the_producer),
        cmocka_unit_test(the_largest_batch_may_change),
        cmocka_unit_test(transactions_find_no_coordinator),
        cmocka_unit_test(the_last_one_counts_when_a_partition_comes_twice),
        cmocka_unit_test(a_topic_in_two_places_is_answered_once),
        cmocka_unit_test(without_checking_only_the_header_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
