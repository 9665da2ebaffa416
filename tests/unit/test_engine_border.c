/* SPDX-License-Identifier: BSD-2-Clause */
/* The contracts of the border: handles, order of events, writing, reading. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;

static const kloop_address somewhere = {.bytes = {10, 0, 0, 1}, .family = 4};

/* Every event there is, for this handle. */
static void throw_all(kloop_id id)
{
    size_t room = 77;
    kloop_slice slices[4];
    kloop_engine_on_resolved(h.e, id, &somewhere, 1, NULL, h.now);
    kloop_engine_on_connected(h.e, id, h.now);
    assert_null(kloop_engine_read_space(h.e, id, &room));
    assert_int_equal(room, 0);
    kloop_engine_on_received(h.e, id, 0, h.now);
    kloop_engine_on_received(h.e, id, 10, h.now);
    assert_int_equal(kloop_engine_write_vec(h.e, id, slices, 4), 0);
    kloop_engine_on_wrote(h.e, id, 10, h.now);
    kloop_engine_on_disconnected(h.e, id, NULL, h.now);
    kloop_engine_on_closed(h.e, id, h.now);
    host_run(&h);
}

static void made_up_handles_change_nothing(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    for (uint32_t slot = 0; slot < 4; slot++)
        for (uint32_t gen = 0; gen < 4; gen++)
            throw_all((kloop_id){slot + 7, gen});
    throw_all((kloop_id){UINT32_MAX, UINT32_MAX});
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* The connection is made, but its CONNECT was not taken yet: nobody can know the handle. on_closed
 * for it freed the connection twice. */
static void handle_that_was_not_given_out_changes_nothing(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_add_topic(&h, "t", 1);
    kloop_action a;
    assert_true(kloop_engine_next(h.e, &a));
    assert_int_equal(a.kind, KLOOP_ACT_RESOLVE);
    kloop_engine_on_resolved(h.e, a.id, &somewhere, 1, NULL, h.now);
    for (uint32_t slot = 0; slot < 3; slot++)
        for (uint32_t gen = 1; gen < 4; gen++) {
            kloop_id id = {slot, gen};
            size_t room;
            kloop_engine_on_connected(h.e, id, h.now);
            assert_null(kloop_engine_read_space(h.e, id, &room));
            kloop_engine_on_disconnected(h.e, id, "x", h.now);
            kloop_engine_on_closed(h.e, id, h.now);
        }
    host_run(&h);
    host_at(&h, 1);
    host_end(&h);
}

static void handles_of_old_generations_change_nothing(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "10", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    kloop_id old = host_at(&h, 1)->id;
    host_lose_connection(&h, 1, "gone");
    host_sleep(&h, 200);
    assert_true(host_at(&h, 1)->id.gen != old.gen || host_at(&h, 1)->id.slot != old.slot);
    throw_all(old);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* Events a second time, or where they do not belong. */
static void events_out_of_order_are_harmless(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "10", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    h.manual_connect = true;
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_int_equal(h.conn_count, 1);
    kloop_id id = h.conns[0].id;
    kloop_slice slices[4];
    /* Before it is connected there is nothing to write, and what is written is nothing of ours. */
    assert_int_equal(kloop_engine_write_vec(h.e, id, slices, 4), 0);
    kloop_engine_on_wrote(h.e, id, 5, h.now);
    kloop_engine_on_received(h.e, id, 0, h.now);
    h.manual_connect = false;
    h.conns[0].state = HOST_UP;
    kloop_engine_on_connected(h.e, id, h.now);
    kloop_engine_on_connected(h.e, id, h.now);
    host_run(&h);
    kloop_engine_on_connected(h.e, id, h.now);
    kloop_engine_on_wrote(h.e, id, 1000, h.now);
    host_run(&h);
    assert_int_equal(host_count_lines(&h, "CONNECT"), 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    /* Lost twice is lost once; closed before anybody asked is closed. */
    kloop_engine_on_disconnected(h.e, id, "one", h.now);
    kloop_engine_on_disconnected(h.e, id, "two", h.now);
    h.conns[0].state = HOST_CLOSED;
    kloop_engine_on_closed(h.e, id, h.now);
    kloop_engine_on_closed(h.e, id, h.now);
    host_pump(&h);
    host_expect_no_line(&h, "CLOSE");
    host_end(&h);
}

static void bytes_before_the_connection_end_it(void **state)
{
    (void)state;
    host_new(&h, "reconnect.backoff.ms", "10", NULL);
    h.manual_connect = true;
    host_add_topic(&h, "t", 1);
    host_run(&h);
    h.conns[0].state = HOST_UP;
    host_receive(&h, &h.conns[0], "\0\0\0\4abcd", 8);
    host_run(&h);
    host_expect_line(&h, "nobody had asked for");
    assert_int_equal(h.conns[0].state, HOST_CLOSED);
    host_end(&h);
}

/* ---- Writing ---- */

static void one_life(size_t write_step, size_t receive_step, uint64_t *hash)
{
    host_new(&h, "linger.ms", "0", NULL);
    h.write_step = write_step;
    h.receive_step = receive_step;
    host_topic *t = host_add_topic(&h, "events", 3);
    for (int i = 0; i < 3; i++)
        host_send(&h, t, i, 5);
    host_send_bytes(&h, t, 0, 9000);
    host_run(&h);
    *hash = 0;
    for (int node = 1; node <= 3; node++) {
        host_expect_produce(&h, node, &seen);
        *hash = *hash * 31 + seen.batches[0].hash;
        HOST_ANSWER(&h, node, 0);
    }
    host_expect_acked(&h, 1, 16);
    assert_int_equal(host_stats(&h).pending, 0);
    host_close(&h, 0, 0);
    host_end(&h);
}

static void bytes_may_go_one_by_one(void **state)
{
    (void)state;
    uint64_t whole, piecewise;
    one_life(0, 0, &whole);
    static const size_t steps[] = {1, 2, 3, 7, 61, 1000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        one_life(steps[i], 0, &piecewise);
        assert_true(whole == piecewise);
        one_life(0, steps[i], &piecewise);
        assert_true(whole == piecewise);
    }
}

static void asking_again_shows_the_same(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 2);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    h.manual_write = true;
    /* Large enough that payload is shown where it lies. */
    host_send_bytes(&h, t, 0, 1000);
    host_send_bytes(&h, t, 0, 1000);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    assert_true(c->writing);
    kloop_slice a[16], b[16];
    size_t n = kloop_engine_write_vec(h.e, c->id, a, 16);
    assert_true(n > 1 && n < 16);
    /* No room for slices is no end of them. */
    assert_int_equal(kloop_engine_write_vec(h.e, c->id, b, 0), 0);
    assert_int_equal(kloop_engine_write_vec(h.e, c->id, b, 1), 1);
    assert_ptr_equal(a[0].data, b[0].data);
    assert_int_equal(kloop_engine_write_vec(h.e, c->id, b, 16), n);
    assert_memory_equal(a, b, n * sizeof *a);
    /* One byte less. */
    kloop_engine_on_wrote(h.e, c->id, 1, h.now);
    assert_int_equal(kloop_engine_write_vec(h.e, c->id, b, 16), n);
    assert_ptr_equal(b[0].data, a[0].data + 1);
    assert_int_equal(b[0].len, a[0].len - 1);
    /* The first slice, and then nothing at all. */
    kloop_engine_on_wrote(h.e, c->id, a[0].len - 1, h.now);
    kloop_engine_on_wrote(h.e, c->id, 0, h.now);
    assert_int_equal(kloop_engine_write_vec(h.e, c->id, b, 16), n - 1);
    assert_memory_equal(a + 1, b, (n - 1) * sizeof *a);
    host_end(&h);
}

/* WRITE comes once; then the host writes on by itself until it has seen nothing more. */
static void write_is_told_once(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "max.in.flight.requests.per.connection", "5", NULL);
    host_topic *t = host_add_topic(&h, "t", 2);
    t->leaders[1] = 1;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_forget_lines(&h);
    h.manual_write = true;
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_send(&h, t, 1, 1);
    host_run(&h);
    host_sleep(&h, 50);
    assert_int_equal(host_count_lines(&h, "WRITE b1"), 1);
    host_conn *c = host_at(&h, 1);
    kloop_slice slices[16];
    size_t n = kloop_engine_write_vec(h.e, c->id, slices, 16);
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += slices[i].len;
    kloop_engine_on_wrote(h.e, c->id, bytes, h.now);
    host_pump(&h);
    /* The next request is there now, told again or not; and it is shown. */
    assert_true(kloop_engine_write_vec(h.e, c->id, slices, 16) > 0);
    host_end(&h);
}

/* A record's time is over and it was reported, but the host may still be at its bytes. */
static void shown_bytes_outlive_their_report(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "request.timeout.ms", "1000", "delivery.timeout.ms", "1000",
             NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    h.manual_write = true;
    h.manual_close = true;
    host_send(&h, t, 0, 3);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    kloop_slice slices[16];
    uint8_t copy[1000];
    size_t n = kloop_engine_write_vec(h.e, c->id, slices, 16);
    size_t at = 0;
    for (size_t i = 0; i < n; at += slices[i++].len)
        memcpy(copy + at, slices[i].data, slices[i].len);
    host_sleep(&h, 3000);
    host_expect_fate(&h, 2, 4, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_TIMEOUT);
    assert_int_equal(c->state, HOST_CLOSING);
    assert_true(host_stats(&h).held_bytes > 0);
    at = 0;
    for (size_t i = 0; i < n; at += slices[i++].len)
        assert_memory_equal(copy + at, slices[i].data, slices[i].len);
    /* Nothing more is shown, and what was written is no more of interest. */
    assert_int_equal(kloop_engine_write_vec(h.e, c->id, slices, 16), 0);
    kloop_engine_on_wrote(h.e, c->id, 5, h.now);
    kloop_engine_on_closed(h.e, c->id, h.now);
    c->state = HOST_CLOSED;
    host_run(&h);
    assert_int_equal(host_stats(&h).held_bytes, 0);
    host_end(&h);
}

/* ---- Reading ---- */

/* An answer to Metadata of about this many bytes: a broker with a long rack. */
static uint8_t *long_answer(host_conn *c, size_t len, size_t *total)
{
    const host_request *r = host_first(&h, c);
    assert_int_equal(r->api, KLOOP_METADATA);
    char *rack = malloc(len);
    memset(rack, 'r', len);
    kloop_metadata_broker brokers[HOST_BROKERS_MAX];
    static const char *const names[] = {"b1", "b2", "b3"};
    for (int i = 0; i < 3; i++)
        brokers[i] = (kloop_metadata_broker){.node_id = i + 1,
                                             .host = kloop_text(names[i]),
                                             .port = 9091 + i,
                                             .rack = {rack, i ? 0 : len}};
    kloop_metadata_response m;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &m);
    m.brokers = kloop_array_of(brokers, 3);
    kloop_size size;
    assert_int_equal(kloop_measure_response_sized(r->api, r->version, &m, sizeof m, &size, NULL),
                     KLOOP_OK);
    uint8_t *bytes = malloc(size.total);
    assert_int_equal(kloop_encode_response_sized(r->api, r->version, r->correlation, &m, sizeof m,
                                                 bytes, size.total, NULL),
                     KLOOP_OK);
    free(rack);
    *total = size.total;
    return bytes;
}

/* b1 is in the middle of a large answer and has all the memory; b2 has to wait for it. The room
 * that was left in a buffer did not count once: only a buffer that was full to its last byte asked.
 * And a RESUME right behind the PAUSE made a CLOSE of both. */
static void pause_and_resume(void **state)
{
    (void)state;
    for (int together = 0; together < 2; together++) {
        host_new(&h, "receive.memory", "40000", "receive.message.max.bytes", "40000", "linger.ms",
                 "0", "metadata.max.age.ms", "1000", NULL);
        host_topic *t = host_add_topic(&h, "t", 2);
        host_send(&h, t, 0, 1);
        host_send(&h, t, 1, 1);
        host_run(&h);
        h.hold_metadata = true;
        HOST_ANSWER(&h, 1, 0);
        HOST_ANSWER(&h, 2, 0);
        host_sleep(&h, 1100);
        int asked = host_waiting(host_at(&h, 1)) ? 1 : 2;
        int other = 3 - asked;
        host_conn *big = host_at(&h, asked);
        size_t total;
        uint8_t *bytes = long_answer(big, 30000, &total);
        assert_int_equal(host_receive(&h, big, bytes, 20000), 20000);
        /* The other one gets answers of some size, in pieces of which none fills its buffer. */
        h.receive_step = together ? 1000 : 0;
        host_send(&h, t, other - 1, 1);
        host_pump(&h);
        host_conn *small = host_at(&h, other);
        uint8_t noise[8000] = {0, 0, 0x30, 0};
        size_t taken = host_receive(&h, small, noise, sizeof noise);
        assert_true(taken < sizeof noise);
        assert_true(host_stats(&h).receive_bytes <= 40000 + 40000);
        if (!together) {
            host_pump(&h);
            assert_true(small->paused);
            size_t room;
            assert_null(kloop_engine_read_space(h.e, small->id, &room));
            assert_int_equal(room, 0);
            /* The host may hold a span back. */
            kloop_engine_on_received(h.e, small->id, 0, h.now);
        }
        assert_int_equal(host_receive(&h, big, bytes + 20000, total - 20000), total - 20000);
        host_pump(&h);
        assert_false(small->paused);
        assert_int_equal(host_count_lines(&h, "PAUSE"), 1);
        assert_int_equal(host_count_lines(&h, "RESUME"), 1);
        host_expect_no_line(&h, "CLOSE");
        assert_true(host_receive(&h, small, noise + taken, sizeof noise - taken) ==
                    sizeof noise - taken);
        free(bytes);
        host_end(&h);
    }
}

/* A request does not time out while it is us who do not read. */
static void paused_connection_has_no_clock(void **state)
{
    (void)state;
    host_new(&h, "receive.memory", "40000", "receive.message.max.bytes", "40000", "linger.ms", "0",
             "metadata.max.age.ms", "1000", "request.timeout.ms", "5000", NULL);
    host_topic *t = host_add_topic(&h, "t", 2);
    host_send(&h, t, 0, 1);
    host_send(&h, t, 1, 1);
    host_run(&h);
    h.hold_metadata = true;
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 2, 0);
    host_sleep(&h, 1100);
    int asked = host_waiting(host_at(&h, 1)) ? 1 : 2;
    int other = 3 - asked;
    size_t total;
    uint8_t *bytes = long_answer(host_at(&h, asked), 30000, &total);
    host_send(&h, t, other - 1, 1);
    host_run(&h);
    host_sleep(&h, 3000);
    const host_conn *big = host_at(&h, asked);
    host_conn *small = host_at(&h, other);
    host_receive(&h, host_at(&h, asked), bytes, 20000);
    uint8_t noise[8000] = {0, 0, 0x30, 0};
    assert_true(host_receive(&h, small, noise, sizeof noise) < sizeof noise);
    host_pump(&h);
    assert_true(small->paused);
    /* b1's own request, which began 3 s ago, ends it after 5; the other one's would have ended too.
     */
    host_sleep(&h, 2100);
    assert_int_equal(big->state, HOST_CLOSED);
    assert_int_equal(small->state, HOST_UP);
    assert_false(small->paused);
    host_sleep(&h, 4000);
    assert_int_equal(small->state, HOST_UP);
    host_sleep(&h, 2000);
    assert_int_equal(small->state, HOST_CLOSED);
    free(bytes);
    host_end(&h);
}

static void receive_buffer_is_given_back(void **state)
{
    (void)state;
    host_new(&h, "receive.memory", "1000000", "receive.message.max.bytes", "1000000", "linger.ms",
             "0", "metadata.max.age.ms", "1000", NULL);
    host_add_topic(&h, "t", 1);
    host_run(&h);
    h.hold_metadata = true;
    for (int i = 0; i < 3; i++) {
        host_sleep(&h, 1100);
        host_conn *c = NULL;
        for (int node = 1; node <= 3; node++)
            if (host_find(&h, node) && host_waiting(host_find(&h, node)))
                c = host_find(&h, node);
        assert_non_null(c);
        size_t total;
        uint8_t *bytes = long_answer(c, 30000, &total);
        host_receive(&h, c, bytes, total);
        free(bytes);
        host_pump(&h);
        /* shared is 0: what it grew to was lent. */
        assert_true(host_stats(&h).receive_bytes <= 2048 * 3);
    }
    host_end(&h);
}

/* ---- Actions ---- */

static void io_comes_without_news(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    kloop_action a;
    assert_false(kloop_engine_next_io(h.e, &a));
    assert_false(kloop_engine_has_io(h.e));
    host_send(&h, t, 0, 1);
    assert_true(kloop_engine_has_io(h.e));
    host_pump(&h);
    host_answer_only(&h, 1, (const int16_t[]){0}, 1);
    kloop_engine_flush(h.e, (void *)9, h.now);
    /* The report and FLUSHED are news; they stay for next. */
    assert_false(kloop_engine_next_io(h.e, &a));
    host_expect_pending(&h, 2, 2);
    host_pump(&h);
    host_expect_acked(&h, 2, 2);
    assert_int_equal(h.flushed_count, 1);
    host_end(&h);
}

static void same_events_same_actions(void **state)
{
    (void)state;
    char *first = NULL;
    for (int round = 0; round < 2; round++) {
        host_new(&h, "linger.ms", "5", "bootstrap.servers", "b1:9091,b2:9092,b3:9093", NULL);
        host_topic *t = host_add_topic(&h, "events", 6);
        for (int i = 0; i < 20; i++) {
            host_send(&h, t, -1, 50);
            host_sleep(&h, 7);
            for (int node = 1; node <= 3; node++)
                while (host_produces(&h, node)) {
                    host_expect_produce(&h, node, &seen);
                    int16_t codes[HOST_BATCHES_MAX] = {0};
                    codes[0] = i % 5 == 3 ? 19 : 0;
                    host_answer(&h, node, codes, seen.batch_count);
                }
            if (i == 10)
                host_lose_connection(&h, host_find(&h, 2) ? 2 : 3, "gone");
        }
        host_sleep(&h, 100);
        if (round == 0) {
            first = malloc(h.transcript_len + 1);
            memcpy(first, h.transcript, h.transcript_len + 1);
        } else {
            assert_string_equal(first, h.transcript);
        }
        host_end(&h);
    }
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_up_handles_change_nothing),
        cmocka_unit_test(handle_that_was_not_given_out_changes_nothing),
        cmocka_unit_test(handles_of_old_generations_change_nothing),
        cmocka_unit_test(events_out_of_order_are_harmless),
        cmocka_unit_test(bytes_before_the_connection_end_it),
        cmocka_unit_test(bytes_may_go_one_by_one),
        cmocka_unit_test(asking_again_shows_the_same),
        cmocka_unit_test(write_is_told_once),
        cmocka_unit_test(shown_bytes_outlive_their_report),
        cmocka_unit_test(pause_and_resume),
        cmocka_unit_test(paused_connection_has_no_clock),
        cmocka_unit_test(receive_buffer_is_given_back),
        cmocka_unit_test(io_comes_without_news),
        cmocka_unit_test(same_events_same_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
