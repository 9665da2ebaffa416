/* SPDX-License-Identifier: BSD-2-Clause */
/* acks, what calls refuse, and the sentences for it. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;
static host_topic *t;

static void acks_of_the_leader(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "acks", "1", NULL);
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 2);
    host_run(&h);
    host_expect_line(&h, "LOG info: enable.idempotence is off");
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.acks, 1);
    assert_int_equal(seen.batches[0].producer_id, -1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    host_expect_offset(&h, 2, 101);
    host_close(&h, 0, 0);
    host_end(&h);
}

/* Handed over is all that can be said: when the last byte is out, and no answer is waited for. */
static void acks_of_nobody(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "acks", "0", "request.timeout.ms", "2000", "delivery.timeout.ms",
             "60000", "connections.max.idle.ms", "-1", NULL);
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 2);
    host_run(&h);
    host_expect_acked(&h, 1, 2);
    host_expect_offset(&h, 1, -1);
    host_expect_offset(&h, 2, -1);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.acks, 0);
    host_drop(host_at(&h, 1));
    host_sleep(&h, 5000);
    assert_int_equal(host_stats(&h).disconnects, 0);

    h.manual_write = true;
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    kloop_slice slices[16];
    size_t n = kloop_engine_write_vec(h.e, c->id, slices, 16);
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += slices[i].len;
    kloop_engine_on_wrote(h.e, c->id, bytes - 1, h.now);
    host_run(&h);
    host_expect_pending(&h, 3, 3);
    kloop_engine_on_wrote(h.e, c->id, 1, h.now);
    host_run(&h);
    host_expect_acked(&h, 3, 3);
    assert_int_equal(host_stats(&h).held_bytes, 0);

    /* Lost in the middle: it is tried again. */
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_true(kloop_engine_write_vec(h.e, c->id, slices, 16) > 0);
    kloop_engine_on_wrote(h.e, c->id, 10, h.now);
    h.manual_write = false;
    host_lose_connection(&h, 1, "reset");
    host_expect_pending(&h, 4, 4);
    host_sleep(&h, 1500);
    host_expect_acked(&h, 4, 4);
    /* And one that stands still is given up. */
    h.manual_write = true;
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 2001);
    assert_int_equal(host_stats(&h).disconnects, 2);
    h.manual_write = false;
    host_sleep(&h, 2000);
    host_expect_acked(&h, 5, 5);
    host_close(&h, 0, 0);
    host_end(&h);
}

static void expect_refused(kloop_record *r, kloop_status status, const char *sentence)
{
    char text[300];
    assert_int_equal(host_send_record(&h, t, r), status);
    /* Any thread can be told so, where nobody has to look at topic and producer for it. */
    bool sound = status == KLOOP_CLOSED || ((r->set & KLOOP_SET_PARTITION) && r->partition >= 0);
    assert_int_equal(kloop_engine_check(t->handle, r), sound ? KLOOP_OK : status);
    size_t len = kloop_send_error(t->handle, r, status, text, sizeof text);
    assert_int_equal(len, strlen(text));
    if (!strstr(text, sentence))
        fail_msg("'%s' has no '%s'", text, sentence);
    /* Cut where there is little room. */
    char less[8];
    memset(less, 0x5a, sizeof less);
    assert_int_equal(kloop_send_error(t->handle, r, status, less, 5), len);
    assert_memory_equal(less, text, 4);
    assert_int_equal(less[4], '\0');
    assert_int_equal(less[5], 0x5a);
}

static void wrong_records(bool known)
{
    host_new(&h, "linger.ms", "0", "max.request.size", "1000", NULL);
    h.hold_metadata = !known;
    t = host_add_topic(&h, "t", 3);
    host_run(&h);
    static const uint8_t bytes[2000];
    kloop_record r = {.key = {NULL, 3}};
    expect_refused(&r, KLOOP_BAD_ARGUMENT, "key has 3 bytes and no data");
    r = (kloop_record){.value = {NULL, SIZE_MAX}};
    expect_refused(&r, KLOOP_BAD_ARGUMENT, "value has");
    r = (kloop_record){.set = KLOOP_SET_PARTITION, .partition = -1};
    expect_refused(&r, KLOOP_BAD_PARTITION, "partition is -1");
    if (known) {
        r.partition = 3;
        expect_refused(&r, KLOOP_BAD_PARTITION, "partition is 3; topic 't' has 3 (0 to 2)");
        r.partition = INT32_MAX;
        expect_refused(&r, KLOOP_BAD_PARTITION, "partition is 2147483647");
    }
    r = (kloop_record){.set = KLOOP_SET_TIMESTAMP, .timestamp_ms = -5};
    expect_refused(&r, KLOOP_BAD_TIMESTAMP, "timestamp_ms is -5");
    r = (kloop_record){.value = {bytes, 1000}};
    expect_refused(&r, KLOOP_TOO_LARGE, "value 1000 bytes");
    expect_refused(&r, KLOOP_TOO_LARGE, "max.request.size=1000");
    /* Lengths that wrap around when they are added. */
    r = (kloop_record){.key = {bytes, 100}, .value = {bytes, SIZE_MAX - 10}};
    expect_refused(&r, KLOOP_TOO_LARGE, "max.request.size");
    r = (kloop_record){.key = {bytes, 300}, .value = {bytes, SIZE_MAX - 200}};
    expect_refused(&r, KLOOP_TOO_LARGE, "max.request.size");
    kloop_record_header headers[2] = {{.key = {"a", 1}}, {.key = {NULL, 0}}};
    r = (kloop_record){.headers = headers, .header_count = 2};
    expect_refused(&r, KLOOP_BAD_HEADERS, "headers[1].key is NULL");
    headers[1] = (kloop_record_header){.key = {"b", 1}, .value = {NULL, 9}};
    expect_refused(&r, KLOOP_BAD_HEADERS, "headers[1].value has 9 bytes and no data");
    r.headers = NULL;
    expect_refused(&r, KLOOP_BAD_HEADERS, "headers is NULL, and header_count is 2");
    r = (kloop_record){.headers = headers, .header_count = 65536};
    expect_refused(&r, KLOOP_BAD_HEADERS, "header_count is 65536; at most 65535");
    headers[1] = (kloop_record_header){.key = {"b", 1}, .value = {bytes, SIZE_MAX - 3}};
    r = (kloop_record){.headers = headers, .header_count = 2};
    expect_refused(&r, KLOOP_TOO_LARGE, "2 headers");
    assert_int_equal(host_stats(&h).accepted, 0);
    assert_int_equal(host_stats(&h).held_bytes, 0);

    /* All empty is a record like any other. */
    r = (kloop_record){.key = {NULL, 0}};
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    h.hold_metadata = false;
    host_run(&h);
    int32_t partition = -1;
    for (int node = 1; node <= 3; node++)
        if (host_produces(&h, node)) {
            partition = node - 1;
            HOST_ANSWER(&h, node, 0);
        }
    assert_true(partition >= 0);
    host_expect_acked(&h, 1, 1);
    host_close(&h, 0, 0);
    r = (kloop_record){.key = {NULL, 0}};
    expect_refused(&r, KLOOP_CLOSED, "closed or closing");
    host_end(&h);
}

static void wrong_records_are_refused(void **state)
{
    (void)state;
    wrong_records(true);
    wrong_records(false);
}

static void no_topic_no_record(void **state)
{
    (void)state;
    char text[200];
    host_new(&h, NULL);
    t = host_add_topic(&h, "t", 1);
    kloop_record r = {.key = {NULL, 0}};
    assert_int_equal(kloop_engine_send(NULL, &r), KLOOP_BAD_ARGUMENT);
    assert_int_equal(kloop_engine_send(t->handle, NULL), KLOOP_BAD_ARGUMENT);
    assert_int_equal(kloop_engine_check(NULL, &r), KLOOP_BAD_ARGUMENT);
    assert_int_equal(kloop_engine_check(t->handle, NULL), KLOOP_BAD_ARGUMENT);
    kloop_send_error(NULL, &r, KLOOP_BAD_ARGUMENT, text, sizeof text);
    assert_non_null(strstr(text, "topic is NULL"));
    kloop_send_error(t->handle, NULL, KLOOP_BAD_ARGUMENT, text, sizeof text);
    assert_string_equal(text, "topic 't': record is NULL");
    kloop_send_error(NULL, NULL, KLOOP_OK, text, sizeof text);
    /* Every status has a sentence. */
    for (int status = 1; status < KLOOP_STATUS_COUNT; status++) {
        text[0] = '\0';
        kloop_send_error(t->handle, &r, (kloop_status)status, text, sizeof text);
        assert_true(text[0] != '\0');
    }
    assert_int_equal(host_stats(&h).accepted, 0);
    host_end(&h);
}

static void wrong_configurations(void **state)
{
    (void)state;
    static const char *const pairs[][5] = {
        {"enable.idempotence", "true", "acks", "1", NULL},
        {"buffer.memory", "1000", NULL},
        {"bootstrap.servers", "b1:9091", "delivery.timeout.ms", "10", NULL},
    };
    for (size_t i = 0; i < 3; i++) {
        host_prepare(&h, 0);
        assert_int_equal(host_open(&h, pairs[i]), KLOOP_BAD_CONFIG);
        assert_int_equal(h.error.status, KLOOP_BAD_CONFIG);
        assert_true(h.error.text[0] != '\0');
        host_end(&h);
    }
    kloop_engine *e = (kloop_engine *)&h;
    assert_int_equal(kloop_engine_new(&e, NULL, NULL, 1, (kloop_now){1, 1}, NULL, NULL),
                     KLOOP_NO_MEMORY);
    assert_null(e);
    kloop_engine_del(NULL);
}

static void flush_after_the_end(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_close(&h, 0, 0);
    assert_int_equal(kloop_engine_flush(h.e, NULL, h.now), KLOOP_CLOSED);
    host_end(&h);
}

static void numbers_are_kept(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    assert_false(host_stats(&h).ever_ready);
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 3);
    assert_int_equal(host_stats(&h).pending, 3);
    assert_true(kloop_engine_busy(h.e));
    host_run(&h);
    kloop_stats s = host_stats(&h);
    assert_true(s.ever_ready);
    assert_int_equal(s.connects, 1);
    assert_int_equal(s.batches, 1);
    assert_int_equal(s.requests, 4);
    size_t out = 0;
    for (int i = 0; i < h.conn_count; i++)
        out += h.conns[i].wrote;
    assert_int_equal(s.bytes_out, out);
    assert_true(s.bytes_in > 0);
    HOST_ANSWER(&h, 1, 0);
    s = host_stats(&h);
    assert_int_equal(s.acked, 3);
    assert_int_equal(s.pending, 0);
    assert_int_equal(s.held_bytes, 0);
    assert_false(kloop_engine_busy(h.e));
    host_lose_connection(&h, 1, NULL);
    assert_int_equal(host_stats(&h).disconnects, 1);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acks_of_the_leader),        cmocka_unit_test(acks_of_nobody),
        cmocka_unit_test(wrong_records_are_refused), cmocka_unit_test(no_topic_no_record),
        cmocka_unit_test(wrong_configurations),      cmocka_unit_test(flush_after_the_end),
        cmocka_unit_test(numbers_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
