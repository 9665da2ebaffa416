/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers that a hook adds, outcomes that it is told, frames that it sees and alters. */
#include "tests/support/engine_host.h"

#include "base/be.h"
#include "base/now.h"
#include "tests/support/asserted.h"

#include <kloop/broker_error.h>
#include <kloop/hooks.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static host h;
static host_topic *t;

/* What the hooks do, and what they saw. */
static struct {
    uint32_t add;     /* headers */
    uint32_t claims;  /* how many there are in an array of its own; 0: as many as there are */
    bool own_array;   /* that do not lie in the room that is there */
    bool refuses;     /* the record */
    bool null_key;    /* in the last header */
    size_t value_len; /* of each; 0: PARENT */
    size_t appends;
    int32_t partition; /* of the last */
    uint32_t set;
    void (*misuse)(void);

    size_t outcomes;
    kloop_settled settled; /* the last; run is this: */
    kloop_report run;
    size_t reports_then; /* that the host had by then */

    size_t written, read;
    bool alters; /* the next frame of this API and way: */
    int16_t api;
    kloop_frame_way way;
    uint8_t instead[4000];
    size_t instead_len;
    bool (*alter)(const uint8_t *bytes, size_t len); /* fills in instead */
    uint8_t produce[8000];                           /* the last Produce that was written */
    size_t produce_len;
} hook;

static kloop_record_header many[200];

static bool before_append(kloop_append *a, void *me)
{
    assert_ptr_equal(me, &hook);
    assert_int_equal(a->header_count, 0);
    hook.appends++;
    hook.partition = a->partition;
    hook.set = a->record->set;
    assert_ptr_equal(a->topic, t->handle);
    if (hook.misuse)
        hook.misuse();
    kloop_record_header *headers = hook.own_array ? many : a->headers;
    for (uint32_t i = 0; i < hook.add; i++) {
        headers[i].key = (kloop_string){"traceparent", 11};
        headers[i].value = (kloop_slice){(const uint8_t *)PARENT, sizeof PARENT - 1};
    }
    /* As one would who makes them up: in the room that is there. */
    if (hook.add > 0 && !hook.own_array) {
        memcpy(a->bytes, PARENT, sizeof PARENT);
        headers[0].value.data = a->bytes;
    }
    if (hook.value_len) {
        static uint8_t large[60000];
        headers[0].value = (kloop_slice){large, hook.value_len};
    }
    if (hook.null_key)
        headers[hook.add - 1].key.data = NULL;
    a->headers = headers;
    a->header_count = hook.add;
    if (hook.claims) {
        a->headers = many;
        a->header_count = hook.claims;
    }
    return !hook.refuses;
}

static void on_outcome(const kloop_settled *settled, void *me)
{
    assert_ptr_equal(me, &hook);
    hook.outcomes++;
    hook.run = *settled->run;
    hook.settled = *settled;
    hook.reports_then = h.report_count;
    assert_int_equal(settled->run->text[0] == '\0', settled->run->outcome == KLOOP_OUTCOME_ACKED);
}

static bool on_frame(const kloop_frame *f, kloop_slice *instead, void *me)
{
    assert_ptr_equal(me, &hook);
    uint8_t bytes[8000];
    size_t len = 0;
    for (size_t i = 0; i < f->slice_count; i++) {
        assert_in_range(len + f->slices[i].len, 0, sizeof bytes);
        memcpy(bytes + len, f->slices[i].data, f->slices[i].len);
        len += f->slices[i].len;
    }
    assert_int_equal(len, f->len);
    assert_int_equal(kl_be_load32(bytes), len - 4);
    assert_int_equal(f->host.len, 2);
    assert_int_equal(f->port, 9090 + f->host.data[1] - '0');
    assert_int_equal(f->now.mono_ns, h.now.mono_ns);
    if (f->way == KLOOP_FRAME_WRITTEN) {
        hook.written++;
        assert_int_equal(kl_be_load16(bytes + 4), f->api_key);
        assert_int_equal(kl_be_load16(bytes + 6), f->api_version);
        assert_int_equal(kl_be_load32(bytes + 8), f->correlation_id);
        if (f->api_key == KLOOP_PRODUCE) {
            memcpy(hook.produce, bytes, len);
            hook.produce_len = len;
        }
    } else {
        hook.read++;
        assert_int_equal(f->slice_count, 1);
        assert_int_equal(kl_be_load32(bytes + 4), f->correlation_id);
    }
    if (!hook.alters || f->api_key != hook.api || f->way != hook.way)
        return false;
    hook.alters = false;
    if (!hook.alter(bytes, len))
        return false;
    *instead = (kloop_slice){hook.instead, hook.instead_len};
    return true;
}

static void set_hooks(bool append, bool outcome, bool frame)
{
    kloop_engine_set_hooks(h.e, &(kloop_hooks){.before_append = append ? before_append : NULL,
                                               .on_outcome = outcome ? on_outcome : NULL,
                                               .on_frame = frame ? on_frame : NULL,
                                               .me = &hook});
}

/* All hooks; two partitions of "t", both led by b1. */
#define BEGIN(...)                                                                                 \
    do {                                                                                           \
        host_new(&h, "reconnect.backoff.ms", "10", __VA_ARGS__, NULL);                             \
        start();                                                                                   \
    } while (0)

static void start(void)
{
    memset(&hook, 0, sizeof hook);
    t = host_add_topic(&h, "t", 2);
    t->leaders[0] = t->leaders[1] = 1;
    set_hooks(true, true, true);
}

static void end(void)
{
    host_close(&h, 0, 1000);
    host_end(&h);
}

/* Its id is there, and the leader has acked something: what is sent now is in the next request. */
static void warm_up(void)
{
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
}

/* How often this stands in the last Produce. */
static size_t in_produce(const char *text)
{
    size_t n = 0, len = strlen(text);
    for (size_t i = 0; i + len <= hook.produce_len; i++)
        n += memcmp(hook.produce + i, text, len) == 0;
    return n;
}

/* ---- Before a record is appended ---- */

static void headers_are_added_to_each(void **state)
{
    (void)state;
    static const char *const partitioners[] = {"sticky", "random", "round_robin"};
    for (int i = 0; i < 3; i++) {
        BEGIN("linger.ms", "5", "partitioner.class", partitioners[i]);
        host_run(&h);
        t->leaders[1] = 1;
        hook.add = 1;
        host_send(&h, t, 0, 20);
        assert_int_equal(hook.appends, 20);
        assert_int_equal(hook.partition, 0);
        host_sleep(&h, 10);
        assert_int_equal(in_produce("traceparent"), 20);
        assert_int_equal(in_produce(PARENT), 20);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 20);
        /* And no more, when it is gone. */
        set_hooks(false, false, true);
        host_send(&h, t, 0, 20);
        host_sleep(&h, 10);
        assert_int_equal(hook.appends, 20);
        assert_int_equal(in_produce("traceparent"), 0);
        HOST_ANSWER(&h, 1, 0);
        end();
    }
}

static void they_stand_behind_the_records_own(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0");
    host_run(&h);
    hook.add = 2;
    kloop_record_header own = {.key = {"mine", 4}, .value = {(const uint8_t *)"1", 1}};
    kloop_record r = {.value = {(const uint8_t *)"v1", 2}, .headers = &own, .header_count = 1};
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    host_run(&h);
    assert_int_equal(in_produce("mine"), 1);
    assert_int_equal(in_produce("\x06\x08mine\x02"
                                "1\x16traceparent"),
                     1);
    assert_int_equal(in_produce("traceparent"), 2);
    host_answer_all(&h, host_at(&h, 1), 0);
    host_run(&h);
    end();
}

static void a_parked_record_is_asked_for_once(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0");
    hook.add = 1;
    host_send(&h, t, 0, 3);
    assert_int_equal(hook.appends, 3);
    assert_int_equal(hook.partition, -1);
    host_run(&h);
    assert_int_equal(hook.appends, 3);
    assert_int_equal(in_produce(PARENT), 3);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 3);
    end();
}

static void chunks_and_borrowed_values(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0", "batch.size", "100000");
    host_run(&h);
    hook.add = 1;
    kloop_chunk *chunk = host_begin_chunk(&h, 1);
    kloop_record r = {.value = {(const uint8_t *)"x", 1}, .set = KLOOP_SET_CHUNK, .chunk = chunk};
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    kloop_engine_chunk_end(chunk);
    assert_int_equal(hook.appends, 2);
    host_run(&h);
    assert_int_equal(in_produce(PARENT), 2);
    host_answer_all(&h, host_at(&h, 1), 0);
    host_run(&h);
    host_expect_chunk(&h, 1, 2, 0, 0);
    assert_true(hook.settled.in_chunk);
    assert_int_equal(hook.run.count, 2);

    /* Copied all the same, for it is short; and one that is not. */
    kloop_record small = {.set = 0};
    host_lend(&h, &small, 100);
    assert_int_equal(host_send_record(&h, t, &small), KLOOP_OK);
    assert_int_equal(hook.appends, 3);
    kloop_record large = {.set = 0};
    host_lend(&h, &large, 5000);
    assert_int_equal(host_send_record(&h, t, &large), KLOOP_OK);
    assert_int_equal(hook.appends, 4);
    assert_true(hook.set & KLOOP_SET_BORROWED);
    set_hooks(true, true, false);
    while (host_run(&h), host_find(&h, 1) && host_waiting(host_at(&h, 1)))
        host_answer_all(&h, host_at(&h, 1), 0);
    host_expect_lent(&h, 0);
    end();
}

static void an_encoded_batch_is_left_alone(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0");
    host_run(&h);
    hook.add = 1;
    uint8_t bytes[200];
    size_t len = 0;
    const kloop_batch_record record = {.value = {(const uint8_t *)"v", 1}};
    kloop_batch_header header;
    kloop_batch_header_fit(&header, &record, 1);
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    assert_int_equal(
        kloop_batch_encode(writer, &header, &record, 1, bytes, sizeof bytes, &len, NULL), KLOOP_OK);
    kloop_batch_writer_del(writer);
    kloop_encoded batch = {.bytes = {bytes, len}};
    assert_int_equal(host_send_batch(&h, t, &batch, 1), KLOOP_OK);
    assert_int_equal(hook.appends, 0);
    host_run(&h);
    end();
}

static void expect_refused(kloop_status status, const char *part)
{
    kloop_record r = {.value = {(const uint8_t *)"v1", 2}};
    uint64_t accepted = host_stats(&h).accepted;
    uint64_t held = host_stats(&h).held_bytes;
    assert_int_equal(kloop_engine_send(t->handle, &r), status);
    assert_int_equal(host_stats(&h).accepted, accepted);
    assert_int_equal(host_stats(&h).held_bytes, held);
    char text[400];
    kloop_send_error(t->handle, &r, status, text, sizeof text);
    if (!strstr(text, part))
        fail_msg("'%s' is not in: %s", part, text);
}

static void bad_headers_refuse_the_record(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0", "max.request.size", "50000");
    host_run(&h);
    hook.refuses = true;
    expect_refused(KLOOP_BAD_HEADERS, "before_append");
    hook.refuses = false;
    hook.add = 3;
    hook.null_key = true;
    expect_refused(KLOOP_BAD_HEADERS, "before_append");
    hook.null_key = false;
    kloop_record_header own = {.key = {"mine", 4}};
    kloop_record r = {.headers = &own, .header_count = 1};
    hook.claims = KLOOP_HEADERS_MAX;
    assert_int_equal(kloop_engine_send(t->handle, &r), KLOOP_BAD_HEADERS);
    hook.claims = UINT32_MAX;
    assert_int_equal(kloop_engine_send(t->handle, &r), KLOOP_BAD_HEADERS);
    hook.claims = 0;
    hook.add = 0;
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    hook.add = 1;
    hook.value_len = 60000;
    expect_refused(KLOOP_TOO_LARGE, "before_append");
    hook.value_len = 0;
    /* It was for nobody's sake but that record's. */
    hook.add = 1;
    assert_int_equal(host_send_record(&h, t, &(kloop_record){.set = 0}), KLOOP_OK);
    end();
}

/* More than there is room for take memory, and give it back. */
static void many_headers(void **state)
{
    (void)state;
    BEGIN("linger.ms", "5", "batch.size", "100000");
    host_run(&h);
    hook.own_array = true;
    hook.add = 100;
    set_hooks(true, true, false);
    host_send(&h, t, 0, 3);
    host_sleep(&h, 10);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 3);
    /* A batch is there, so that nothing else takes memory. */
    hook.add = 0;
    host_send(&h, t, 0, 1);
    hook.add = 20;
    h.memory.nth = h.memory.calls + 1;
    h.memory.all_after = true;
    expect_refused(KLOOP_NO_MEMORY, "");
    h.memory.nth = 0;
    h.memory.all_after = false;
    host_sleep(&h, 10);
    HOST_ANSWER(&h, 1, 0);
    end();
}

static void what_was_full_is_asked_again(void **state)
{
    (void)state;
    BEGIN("linger.ms", "1000", "buffer.memory", "40000", "max.request.size", "20000");
    host_run(&h);
    hook.add = 1;
    size_t sent = 0;
    while (host_send_bytes(&h, t, 0, 500) == KLOOP_OK)
        sent++;
    assert_int_equal(hook.appends, sent + 1);
    assert_int_equal(host_send_bytes(&h, t, 0, 500), KLOOP_FULL);
    assert_int_equal(hook.appends, sent + 2);
    set_hooks(true, true, false);
    host_run(&h);
    while (host_produces(&h, 1)) {
        host_answer_all(&h, host_at(&h, 1), 0);
        host_run(&h);
    }
    end();
}

/* ---- What a hook must not do ---- */

static void send_again(void)
{
    (void)kloop_engine_send(t->handle, &(kloop_record){.set = 0});
}

static void take_action(void)
{
    kloop_action a;
    (void)kloop_engine_next(h.e, &a);
}

static void tell_time(void)
{
    kloop_engine_clock(h.e, h.now);
}

static void set_others(void)
{
    kloop_engine_set_hooks(h.e, NULL);
}

static void open_topic(void)
{
    kloop_topic *other;
    (void)kloop_engine_topic(h.e, (kloop_string){"u", 1}, &other);
}

static void send_one(void *ctx)
{
    (void)ctx;
    (void)kloop_engine_send(t->handle, &(kloop_record){.set = 0});
}

static void calls_in_a_hook_are_asserted(void **state)
{
    (void)state;
    void (*const mistakes[])(void) = {send_again, take_action, tell_time, set_others, open_topic};
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        BEGIN("linger.ms", "0");
        host_run(&h);
        hook.misuse = mistakes[i];
        assert_true(kl_asserted(send_one, NULL));
        /* Whoever was stopped in there has not left it. */
        kloop_engine_del(h.e);
        h.e = NULL;
        host_end(&h);
    }
}

/* ---- Outcomes ---- */

static void told_right_before_the_report(void **state)
{
    (void)state;
    BEGIN("linger.ms", "10");
    host_run(&h);
    host_send(&h, t, 1, 3);
    host_sleep(&h, 10);
    host_sleep(&h, 30);
    HOST_ANSWER(&h, 1, 0);
    assert_int_equal(hook.outcomes, 1);
    assert_int_equal(hook.reports_then, 0);
    assert_int_equal(h.report_count, 1);
    assert_int_equal(hook.run.count, 3);
    assert_int_equal(hook.run.partition, 1);
    assert_int_equal(hook.run.outcome, KLOOP_OUTCOME_ACKED);
    assert_int_equal(hook.settled.attempts, 1);
    assert_int_equal(hook.settled.queued_ns, 10 * KL_MS);
    assert_int_equal(hook.settled.age_ns, 40 * KL_MS);
    assert_false(hook.settled.in_chunk);
    end();
}

static void attempts_are_counted(void **state)
{
    (void)state;
    BEGIN("linger.ms", "5", "retry.backoff.ms", "20");
    host_run(&h);
    host_send(&h, t, 0, 50);
    host_sleep(&h, 5);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    host_sleep(&h, 100);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
    host_sleep(&h, 100);
    while (host_produces(&h, 1)) {
        host_answer_all(&h, host_at(&h, 1), 0);
        host_run(&h);
    }
    host_expect_acked(&h, 1, 50);
    assert_true(hook.outcomes >= 2);
    assert_int_equal(hook.settled.attempts, 3);
    assert_int_equal(hook.settled.queued_ns, 5 * KL_MS);
    end();
}

static void what_never_left(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0", "delivery.timeout.ms", "5000", "request.timeout.ms", "4000",
          "max.block.ms", "3000");
    h.hold_metadata = true;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 3500);
    assert_int_equal(hook.outcomes, 1);
    assert_int_equal(hook.settled.attempts, 0);
    assert_int_equal(hook.run.cause, KLOOP_CAUSE_TIMEOUT);
    assert_int_equal(hook.settled.queued_ns, hook.settled.age_ns);
    assert_int_equal(hook.settled.age_ns, 3000 * KL_MS);
    end();
}

/* ---- Frames ---- */

static void each_frame_is_seen_once(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0");
    h.write_step = 5;
    h.receive_step = 3;
    for (int i = 0; i < 5; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
    }
    assert_int_equal(hook.written, host_stats(&h).requests);
    assert_int_equal(hook.read, hook.written);
    end();
}

/* The client id gets longer by three letters: what is written is the copy, and as long as that. */
static bool lengthen_client_id(const uint8_t *bytes, size_t len)
{
    int16_t id = (int16_t)kl_be_load16(bytes + 12);
    memcpy(hook.instead, bytes, len);
    kl_be_store32(hook.instead, (uint32_t)len - 4 + 3);
    kl_be_store16(hook.instead + 12, (uint16_t)(id + 3));
    memcpy(hook.instead + 14 + id, "xyz", 3);
    memcpy(hook.instead + 14 + id + 3, bytes + 14 + id, len - 14 - (size_t)id);
    hook.instead_len = len + 3;
    return true;
}

static void alter(int16_t api, kloop_frame_way way, bool (*how)(const uint8_t *, size_t))
{
    hook.alters = true;
    hook.api = api;
    hook.way = way;
    hook.alter = how;
}

static void an_altered_request_is_what_is_written(void **state)
{
    (void)state;
    for (size_t step = 0; step < 40; step += 13) {
        BEGIN("linger.ms", "0");
        warm_up();
        h.write_step = step;
        alter(KLOOP_PRODUCE, KLOOP_FRAME_WRITTEN, lengthen_client_id);
        size_t before = host_at(&h, 1)->shown;
        host_send(&h, t, 0, 3);
        host_run(&h);
        assert_false(hook.alters);
        host_conn *c = host_at(&h, 1);
        assert_int_equal(c->shown - before, hook.instead_len);
        assert_memory_equal(c->stream + before, hook.instead, hook.instead_len);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 4);
        end();
    }
}

static bool swallow(const uint8_t *bytes, size_t len)
{
    (void)bytes;
    (void)len;
    hook.instead_len = 0;
    return true;
}

static void a_request_without_bytes_is_not_sent(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0", "request.timeout.ms", "3000", "delivery.timeout.ms", "20000");
    warm_up();
    alter(KLOOP_PRODUCE, KLOOP_FRAME_WRITTEN, swallow);
    size_t before = host_at(&h, 1)->shown;
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_int_equal(host_at(&h, 1)->shown, before);
    host_expect_pending(&h, 2, 2);
    /* As if the broker were silent. */
    host_sleep(&h, 3100);
    host_expect_line(&h, "request.timeout.ms=3000");
    host_sleep(&h, 200);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    assert_int_equal(hook.settled.attempts, 2);
    end();
}

static bool garble_answer(const uint8_t *bytes, size_t len)
{
    memcpy(hook.instead, bytes, len);
    hook.instead[len - 1] ^= 0x55;
    hook.instead_len = len;
    return true;
}

static bool cut_answer(const uint8_t *bytes, size_t len)
{
    memcpy(hook.instead, bytes, len);
    hook.instead_len = len / 2;
    return true;
}

static void an_altered_answer_is_what_is_read(void **state)
{
    (void)state;
    bool (*const ways[])(const uint8_t *, size_t) = {swallow, garble_answer, cut_answer};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        BEGIN("linger.ms", "0", "retry.backoff.ms", "20");
        host_run(&h);
        host_send(&h, t, 0, 1);
        host_run(&h);
        alter(KLOOP_PRODUCE, KLOOP_FRAME_READ, ways[i]);
        host_answer_only(&h, 1, (const int16_t[]){0}, 1);
        host_run(&h);
        assert_false(hook.alters);
        /* The bytes that came were sound: what was lost is the answer, with its connection. */
        host_expect_pending(&h, 1, 1);
        host_expect_line(&h, "cannot be read");
        host_sleep(&h, 500);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 1);
        end();
    }
}

/* The copy of this is what there is no memory for. */
static bool starve(const uint8_t *bytes, size_t len)
{
    h.memory.nth = h.memory.calls + 1;
    return garble_answer(bytes, len);
}

static void no_memory_for_a_copy_closes_the_connection(void **state)
{
    (void)state;
    for (int way = KLOOP_FRAME_WRITTEN; way <= KLOOP_FRAME_READ; way++) {
        BEGIN("linger.ms", "0", "retry.backoff.ms", "20");
        host_run(&h);
        alter(KLOOP_PRODUCE, (kloop_frame_way)way, starve);
        host_send(&h, t, 0, 1);
        host_run(&h);
        if (way == KLOOP_FRAME_READ)
            host_answer_only(&h, 1, (const int16_t[]){0}, 1);
        assert_int_equal(h.memory.refused, 1);
        host_run(&h);
        host_expect_line(&h, way == KLOOP_FRAME_READ
                                 ? "no memory for what a hook has made of the answer to Produce"
                                 : "no memory for what a hook has made of Produce");
        host_sleep(&h, 500);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 1);
        end();
    }
}

/* Copies that were not written to their end go with the engine. */
static void an_engine_is_deleted_in_the_middle(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0");
    warm_up();
    h.manual_write = true;
    alter(KLOOP_PRODUCE, KLOOP_FRAME_WRITTEN, lengthen_client_id);
    host_send(&h, t, 0, 1);
    host_run(&h);
    kloop_slice slices[8];
    assert_int_equal(kloop_engine_write_vec(h.e, host_at(&h, 1)->id, slices, 8), 1);
    assert_int_equal(slices[0].len, hook.instead_len);
    /* It is the engine's: the hook's may change. */
    hook.instead[20] ^= 1;
    assert_memory_not_equal(slices[0].data, hook.instead, hook.instead_len);
    host_end(&h);
}

static void hooks_can_be_asked_for(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0");
    assert_ptr_equal(kloop_engine_hooks(h.e)->me, &hook);
    assert_true(kloop_engine_hooks(h.e)->on_frame == on_frame);
    kloop_engine_set_hooks(h.e, NULL);
    assert_null(kloop_engine_hooks(h.e)->me);
    assert_true(kloop_engine_hooks(h.e)->before_append == NULL);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_added_to_each),
        cmocka_unit_test(they_stand_behind_the_records_own),
        cmocka_unit_test(a_parked_record_is_asked_for_once),
        cmocka_unit_test(chunks_and_borrowed_values),
        cmocka_unit_test(an_encoded_batch_is_left_alone),
        cmocka_unit_test(bad_headers_refuse_the_record),
        cmocka_unit_test(many_headers),
        cmocka_unit_test(what_was_full_is_asked_again),
        cmocka_unit_test(calls_in_a_hook_are_asserted),
        cmocka_unit_test(told_right_before_the_report),
        cmocka_unit_test(attempts_are_counted),
        cmocka_unit_test(what_never_left),
        cmocka_unit_test(each_frame_is_seen_once),
        cmocka_unit_test(an_altered_request_is_what_is_written),
        cmocka_unit_test(a_request_without_bytes_is_not_sent),
        cmocka_unit_test(an_altered_answer_is_what_is_read),
        cmocka_unit_test(no_memory_for_a_copy_closes_the_connection),
        cmocka_unit_test(an_engine_is_deleted_in_the_middle),
        cmocka_unit_test(hooks_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
