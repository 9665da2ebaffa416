/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of one length. See equal_records.h. */
#include "tests/support/equal_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void equal_let_go(host *h)
{
    host_sleep(h, 6);
}

host_topic *equal_begin(host *h, int32_t leader_of_1, const char *key, const char *value,
                        const char *key2, const char *value2)
{
    host_new(h, "linger.ms", "5", "delivery.timeout.ms", "30000", "request.timeout.ms", "5000",
             "retry.backoff.ms", "100", "reconnect.backoff.ms", "10", "reconnect.backoff.max.ms",
             "10", key, value, key2, value2, NULL);
    host_topic *t = host_add_topic(h, "t", 2);
    t->leaders[0] = 1;
    t->leaders[1] = leader_of_1;
    host_send(h, t, 0, 1);
    equal_let_go(h);
    HOST_ANSWER(h, 1, 0);
    host_expect_acked(h, 1, 1);
    host_sleep(h, 1500);
    return t;
}

void equal_end(host *h)
{
    host_close(h, 0, 0);
    host_end(h);
}

void equal_await(host *h)
{
    for (int i = 0; i < 20 && !host_produces(h, 1); i++)
        host_sleep(h, 100);
}

static int64_t time_of(size_t user)
{
    return 1700000000000 + (int64_t)(user % 2) * 5000;
}

/* A key takes 3 bytes and the two headers 11: values are shorter by so many. */
void equal_send(host *h, host_topic *t, size_t count, size_t len)
{
    static char value[70000];
    static const kloop_record_header headers[2] = {
        {.key = {"one", 3}, .value = {(uint8_t *)"x", 1}}, {.key = {"two", 3}}};
    for (size_t i = 0; i < count; i++) {
        size_t user = h->user_count + 1;
        assert_true(len < sizeof value && len > 24);
        size_t own = len - (user % 3 == 0 ? 3 : 0) - (user % 4 == 0 ? 11 : 0);
        snprintf(value, sizeof value, "v%0*zu", (int)own - 1, user);
        kloop_record r = {.value = {(const uint8_t *)value, own},
                          .set = KLOOP_SET_PARTITION | KLOOP_SET_TIMESTAMP,
                          .timestamp_ms = time_of(user)};
        if (user % 3 == 0)
            r.key = (kloop_slice){(const uint8_t *)"key", 3};
        if (user % 4 == 0) {
            r.headers = headers;
            r.header_count = 2;
        }
        assert_int_equal(host_send_record(h, t, &r), KLOOP_OK);
    }
}

void equal_expect_users(host *h, size_t nth, const size_t *users, size_t count)
{
    const host_conn *c = host_at(h, 1);
    const host_request *r = NULL;
    for (size_t i = c->request_first; i < c->request_count && !r; i++)
        if (c->requests[i].api == KLOOP_PRODUCE && nth-- == 0)
            r = &c->requests[i];
    assert_non_null(r);
    kloop_produce_request q;
    kloop_produce_topic topic;
    kloop_produce_partition p;
    assert_int_equal(
        kloop_decode(KLOOP_PRODUCE, KLOOP_REQUEST, r->version, c->stream + r->at, r->len, &q, NULL),
        KLOOP_OK);
    kloop_iter i = kloop_iterate(&q.topic_data);
    assert_true(kloop_next(&i, &topic));
    kloop_iter j = kloop_iterate(&topic.partition_data);
    assert_true(kloop_next(&j, &p));
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 1 << 24);
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_batch_reader_start(reader, p.records.head.data, p.records.head.len);
    assert_int_equal(kloop_batch_reader_next(reader, &header, NULL), KLOOP_OK);
    int64_t newest = INT64_MIN;
    for (size_t k = 0; k < count; k++) {
        size_t user = users[k];
        assert_int_equal(kloop_batch_reader_record(reader, &record, NULL), KLOOP_OK);
        assert_non_null(record);
        assert_int_equal(record->timestamp, time_of(user));
        if (k == 0)
            assert_int_equal(record->timestamp, header->base_timestamp);
        newest = record->timestamp > newest ? record->timestamp : newest;
        assert_int_equal(record->key.data ? record->key.len : 99, user % 3 == 0 ? 3 : 99);
        assert_int_equal(record->headers.count, user % 4 == 0 ? 2 : 0);
        kloop_record_headers rest = record->headers;
        kloop_record_header one;
        if (kloop_record_headers_next(&rest, &one)) {
            assert_memory_equal(one.key.data, "one", 3);
            assert_memory_equal(one.value.data, "x", 1);
            assert_true(kloop_record_headers_next(&rest, &one));
            assert_null(one.value.data);
        }
        assert_int_equal(strtoull((const char *)record->value.data + 1, NULL, 10), user);
    }
    assert_int_equal(header->max_timestamp, newest);
    kloop_batch_reader_del(reader);
}

void equal_expect(host *h, size_t nth, size_t first, size_t last, int16_t epoch, int32_t sequence)
{
    host_seen seen;
    host_expect_produce_at(h, 1, nth, &seen);
    const host_seen_batch *b = &seen.batches[0];
    assert_int_equal(seen.batch_count, 1);
    if (b->first != first || b->last != last || b->count != (int32_t)(last - first + 1) ||
        b->epoch != epoch || b->sequence != sequence)
        fail_msg("users %zu to %zu, epoch %d, sequence %d", b->first, b->last, (int)b->epoch,
                 (int)b->sequence);
    size_t *users = calloc(last - first + 1, sizeof *users);
    if (!users)
        abort();
    for (size_t user = first; user <= last; user++)
        users[user - first] = user;
    equal_expect_users(h, nth, users, last - first + 1);
    free(users);
}
