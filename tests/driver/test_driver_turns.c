/* SPDX-License-Identifier: BSD-2-Clause */
/* When the driver reads the time, when it sleeps, wakes, calls back, and lets the loop end. */
#define _GNU_SOURCE
#include "tests/driver/scripted_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

static const kloop_record empty;

static kloop_topic *topic_of(scripted_loop *l)
{
    kloop_topic *topic;
    assert_int_equal(kloop_topic_get(l->producer, "t", &topic, NULL), KLOOP_OK);
    return topic;
}

/* Turns in which nothing has to be done any more. */
static void settle(scripted_loop *l)
{
    for (int i = 0; i < 5; i++)
        uv_run(&l->loop, UV_RUN_NOWAIT);
}

static void sleep_ms(long ms)
{
    struct timespec span = {.tv_nsec = ms * 1000000};
    nanosleep(&span, NULL);
}

/* ---- Does the loop end? ---- */

static void test_idle_lets_the_loop_end(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    uv_unref((uv_handle_t *)&l.guard);
    assert_int_equal(uv_run(&l.loop, UV_RUN_DEFAULT), 0);
    /* Not even a deadline far away keeps it, nor a connection. */
    scripted_set_deadline(l.engine, uv_hrtime() + 3600000 * MS);
    scripted_connect(l.engine, (kloop_id){0, 1}, "127.0.0.1", l.port);
    kloop_send(topic_of(&l), &empty);
    assert_int_equal(uv_run(&l.loop, UV_RUN_DEFAULT), 0);
    uv_ref((uv_handle_t *)&l.guard);
    scripted_loop_close(&l);
}

static void not_busy_any_more(kloop_engine *e, kloop_now now, void *me)
{
    (void)now;
    (void)me;
    scripted_set_busy(e, false);
}

static void test_busy_keeps_the_loop(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    uv_unref((uv_handle_t *)&l.guard);
    settle(&l);
    scripted_set_busy(l.engine, true);
    uint64_t deadline = uv_hrtime() + 30 * MS;
    scripted_set_deadline(l.engine, deadline);
    scripted_on_time_hook(l.engine, not_busy_any_more, NULL);
    kloop_send(topic_of(&l), &empty);
    assert_int_equal(uv_run(&l.loop, UV_RUN_DEFAULT), 0);
    assert_true(uv_hrtime() >= deadline);
    uv_ref((uv_handle_t *)&l.guard);
    scripted_loop_close(&l);
}

static void stop_keeping(uv_timer_t *timer)
{
    kloop_keep_alive(timer->data, false);
    uv_close((uv_handle_t *)timer, NULL);
}

static void test_keep_alive(void **state)
{
    (void)state;
    scripted_loop l;
    uv_timer_t timer;
    scripted_loop_open(&l);
    uv_unref((uv_handle_t *)&l.guard);
    uv_timer_init(&l.loop, &timer);
    timer.data = l.producer;
    uv_timer_start(&timer, stop_keeping, 20, 0);
    uv_unref((uv_handle_t *)&timer);
    kloop_keep_alive(l.producer, true);
    assert_int_equal(uv_run(&l.loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_is_closing((uv_handle_t *)&timer), 1);
    uv_ref((uv_handle_t *)&l.guard);
    scripted_loop_close(&l);
}

/* ---- Time ---- */

/* on_time comes at or after the deadline, never before; and nobody spins until then. */
static void test_deadline(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    settle(&l);
    for (int i = 0; i < 20; i++) {
        uint64_t deadline = uv_hrtime() + 3 * MS + (uint64_t)i * 123457;
        size_t asked = scripted_asked(l.engine);
        scripted_set_deadline(l.engine, deadline);
        topic_of(&l);
        while (scripted_asked(l.engine) == asked ||
               scripted_last(l.engine, SCRIPTED_TIME)->now.mono_ns < deadline)
            scripted_loop_turn(&l, "the deadline");
        /* One turn for the send, one for the deadline; a wake-up a little early is no turn. */
        assert_true(scripted_asked(l.engine) - asked <= 3);
    }
    scripted_loop_close(&l);
}

static size_t times_hooked;

static void pass_again(kloop_engine *e, kloop_now now, void *me)
{
    (void)me;
    /* Work is left: the deadline is now. */
    if (++times_hooked < 1000)
        scripted_set_deadline(e, now.mono_ns);
}

/* A deadline that has passed is gone on with in the next turn, not in a millisecond. */
static void test_work_left(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    times_hooked = 0;
    scripted_set_deadline(l.engine, 1);
    scripted_on_time_hook(l.engine, pass_again, NULL);
    size_t turns = 0;
    for (; times_hooked < 1000; turns++)
        uv_run(&l.loop, UV_RUN_NOWAIT);
    assert_true(turns <= 1005);
    scripted_loop_close(&l);
}

static void test_no_spin(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    scripted_set_deadline(l.engine, uv_hrtime() + 3600000 * MS);
    topic_of(&l);
    settle(&l);
    size_t asked = scripted_asked(l.engine), reads = scripted_sys.clock_reads;
    for (int i = 0; i < 1000; i++)
        uv_run(&l.loop, UV_RUN_NOWAIT);
    assert_int_equal(scripted_asked(l.engine), asked);
    assert_int_equal(scripted_sys.clock_reads, reads);
    scripted_loop_close(&l);
}

/*
 * The program sleeps, in a callback of its own or because it was stopped, until the deadline has
 * passed and the answer lies in the kernel: the answer comes first.
 */
static void test_answers_come_before_on_time(void **state)
{
    (void)state;
    const kloop_id one = {0, 1};
    scripted_loop l;
    uint8_t in[16];
    scripted_loop_open(&l);
    scripted_connect(l.engine, one, "127.0.0.1", l.port);
    SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_CONNECTED) == 1);
    int peer = scripted_loop_accept(&l);
    scripted_connection *c = scripted_conn(l.engine, one);
    c->in = in;
    c->in_len = sizeof in;
    c->room_max = sizeof in;
    settle(&l);
    for (int i = 0; i < 10; i++) {
        uint64_t deadline = uv_hrtime() + 2 * MS;
        scripted_set_deadline(l.engine, deadline);
        topic_of(&l);
        settle(&l);
        assert_int_equal(send(peer, "a", 1, 0), 1);
        sleep_ms(5);
        while (scripted_last(l.engine, SCRIPTED_TIME)->now.mono_ns < deadline) {
            scripted_loop_turn(&l, "the deadline");
            /* Fails when the time was told before the byte. */
            if (scripted_last(l.engine, SCRIPTED_TIME)->now.mono_ns >= deadline)
                assert_int_equal(c->in_at, i + 1);
        }
    }
    close(peer);
    SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_CLOSED) == 1);
    scripted_loop_close(&l);
}

typedef struct holder {
    scripted_loop *l;
    kloop_topic *topic;
    uv_poll_t poll;
    uv_prepare_t prepare;
    int ends[2];
    bool closes;
} holder;

static void hold_and_call(uv_poll_t *poll, int status, int events)
{
    holder *h = poll->data;
    char byte;
    (void)status;
    (void)events;
    assert_int_equal(read(h->ends[0], &byte, 1), 1);
    sleep_ms(150);
    if (h->closes)
        kloop_close(h->l->producer, 0, scripted_loop_on_closed, h->l);
    else
        kloop_send(h->topic, &empty);
}

static void hold_a_little(uv_prepare_t *prepare)
{
    (void)prepare;
    /* So that the loop's own time is another after the poll. */
    sleep_ms(5);
}

/*
 * The loop is held by somebody else's callback between poll and our check, and a record is sent or
 * the producer closed there. What times out in between must wait for the next poll: its answer may
 * have come meanwhile.
 */
static void test_held_after_poll(void **state)
{
    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        scripted_loop l;
        scripted_loop_open(&l);
        holder h = {.l = &l, .topic = topic_of(&l), .closes = closes};
        settle(&l);
        assert_int_equal(pipe(h.ends), 0);
        assert_int_equal(uv_poll_init(&l.loop, &h.poll, h.ends[0]), 0);
        h.poll.data = &h;
        uv_poll_start(&h.poll, UV_READABLE, hold_and_call);
        uv_prepare_init(&l.loop, &h.prepare);
        uv_prepare_start(&h.prepare, hold_a_little);
        uint64_t deadline = uv_hrtime() + 100 * MS;
        scripted_set_deadline(l.engine, deadline);
        assert_int_equal(write(h.ends[1], "x", 1), 1);
        /* Dirty before the poll, so that on_time would run in this turn's check. */
        kloop_send(h.topic, &empty);
        size_t sent = scripted_count(l.engine, SCRIPTED_SENT);
        size_t times = scripted_count(l.engine, SCRIPTED_TIME);
        uv_run(&l.loop, UV_RUN_NOWAIT);
        assert_true(uv_hrtime() > deadline);
        if (closes) {
            /* The script of a close ends in the same turn, and no time was told in it. */
            SCRIPTED_RUN_UNTIL(&l, l.closed);
            assert_int_equal(l.times_at_close, times);
        } else {
            assert_int_equal(scripted_count(l.engine, SCRIPTED_SENT), sent + 1);
            assert_true(scripted_last(l.engine, SCRIPTED_TIME)->now.mono_ns < deadline);
            SCRIPTED_RUN_UNTIL(&l, scripted_last(l.engine, SCRIPTED_TIME)->now.mono_ns >= deadline);
        }
        uv_close((uv_handle_t *)&h.poll, NULL);
        uv_close((uv_handle_t *)&h.prepare, NULL);
        settle(&l);
        close(h.ends[0]);
        close(h.ends[1]);
        scripted_loop_close(&l);
    }
}

/* What comes after a sleep has the time after the sleep. */
static void test_time_of_events(void **state)
{
    (void)state;
    const kloop_id one = {0, 1};
    scripted_loop l;
    scripted_loop_open(&l);
    scripted_connect(l.engine, one, "127.0.0.1", l.port);
    SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_CONNECTED) == 1);
    settle(&l);
    sleep_ms(3);
    uint64_t before = uv_hrtime();
    close(scripted_loop_accept(&l));
    SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_CLOSED) == 1);
    assert_true(scripted_last(l.engine, SCRIPTED_DISCONNECTED)->now.mono_ns >= before);
    scripted_loop_close(&l);
}

static void test_no_clock_for_a_record(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    kloop_topic *topic = topic_of(&l);
    kloop_send(topic, &empty);
    size_t reads = scripted_sys.clock_reads;
    for (int i = 0; i < 100000; i++)
        kloop_send(topic, &empty);
    assert_int_equal(scripted_sys.clock_reads, reads);
    /* A turn reads a handful, whatever was sent in it. */
    uv_run(&l.loop, UV_RUN_NOWAIT);
    assert_true(scripted_sys.clock_reads - reads <= 6);
    scripted_loop_close(&l);
}

/* In another turn of the loop a record gets another time. */
static void test_time_of_a_turn(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    kloop_topic *topic = topic_of(&l);
    kloop_send(topic, &empty);
    settle(&l);
    kloop_now before = scripted_last(l.engine, SCRIPTED_SENT)->now;
    sleep_ms(20);
    uv_update_time(&l.loop);
    kloop_send(topic, &empty);
    kloop_now after = scripted_last(l.engine, SCRIPTED_SENT)->now;
    assert_true(after.mono_ns >= before.mono_ns + 15 * MS);
    assert_true(after.wall_ms >= before.wall_ms + 15);
    scripted_loop_close(&l);
}

/* ---- Callbacks ---- */

typedef struct deliveries {
    scripted_loop *l;
    size_t runs;
    size_t records;
    size_t asked_in_callback;
    bool send;
} deliveries;

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    deliveries *d = me;
    assert_ptr_equal(p, d->l->producer);
    d->runs++;
    d->records += run->count;
    if (d->send) {
        /* The run must stay good to read: nothing may be taken while we are in here. */
        size_t waiting = scripted_waiting(d->l->engine);
        static const uint8_t bytes[1 << 20];
        kloop_send(topic_of(d->l), &(kloop_record){.value = {bytes, sizeof bytes}});
        assert_int_equal(scripted_waiting(d->l->engine), waiting);
    }
}

/* Callbacks come in bounded portions, with a turn of the loop for others in between. */
static void test_bounded_pass(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    deliveries d = {.l = &l};
    kloop_on_delivery(l.producer, on_delivery, &d);
    settle(&l);
    for (int i = 0; i < 1000; i++)
        scripted_deliver(l.engine, 1000);
    topic_of(&l);
    size_t turns = 0;
    for (; d.runs < 1000; turns++) {
        size_t before = d.records;
        uv_run(&l.loop, UV_RUN_NOWAIT);
        assert_true(d.records - before <= 65536 + 1000);
    }
    assert_true(turns >= 15);
    assert_int_equal(d.records, 1000000);
    assert_true(kloop_loop_hold_max_ns(l.producer) > 0);
    scripted_loop_close(&l);
}

static void slow_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    (void)p;
    (void)run;
    ++*(size_t *)me;
    sleep_ms(2);
}

/* Slow callbacks as well. */
static void test_bounded_pass_of_slow_callbacks(void **state)
{
    (void)state;
    scripted_loop l;
    size_t runs = 0;
    scripted_loop_open(&l);
    kloop_on_delivery(l.producer, slow_delivery, &runs);
    settle(&l);
    for (int i = 0; i < 40; i++)
        scripted_deliver(l.engine, 1);
    topic_of(&l);
    while (runs < 40) {
        size_t before = runs;
        uv_run(&l.loop, UV_RUN_NOWAIT);
        assert_true(runs - before <= 8);
    }
    assert_true(kloop_loop_hold_max_ns(l.producer) >= 2 * MS);
    scripted_loop_close(&l);
}

static void test_send_in_callback(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    deliveries d = {.l = &l, .send = true};
    kloop_on_delivery(l.producer, on_delivery, &d);
    settle(&l);
    scripted_deliver(l.engine, 1);
    scripted_resolve(l.engine, (kloop_id){0, 1}, "127.0.0.1");
    scripted_deliver(l.engine, 1);
    topic_of(&l);
    SCRIPTED_RUN_UNTIL(&l, d.runs == 2);
    assert_int_equal(scripted_count(l.engine, SCRIPTED_RESOLVED), 1);
    scripted_loop_close(&l);
}

/* Bytes go out in the middle of the user's code; callbacks wait for the loop. */
static void test_io_inside_send(void **state)
{
    (void)state;
    static const uint8_t bytes[1000];
    const kloop_record record = {.value = {bytes, sizeof bytes}};
    for (int full = 0; full < 2; full++) {
        scripted_loop l;
        scripted_loop_open(&l);
        deliveries d = {.l = &l};
        kloop_on_delivery(l.producer, on_delivery, &d);
        kloop_topic *topic = topic_of(&l);
        settle(&l);
        for (uint32_t i = 0; i < 20; i++)
            scripted_resolve(l.engine, (kloop_id){i, 1}, "127.0.0.1");
        scripted_deliver(l.engine, 1);
        if (full)
            scripted_answer_sends(l.engine, KLOOP_FULL);
        int sends = 0;
        for (; scripted_count(l.engine, SCRIPTED_RESOLVED) == 0; sends++)
            kloop_send(topic, &record);
        /* Not for every record, unless there is no room for more; and some actions, not all: a
         * send does not take over the pump. */
        assert_in_range(sends, full ? 1 : 30, full ? 1 : 100);
        assert_in_range(scripted_count(l.engine, SCRIPTED_RESOLVED), 1, 10);
        for (int i = 0; i < 1000; i++)
            kloop_send(topic, &record);
        assert_int_equal(scripted_count(l.engine, SCRIPTED_RESOLVED), 20);
        assert_int_equal(d.runs, 0);
        SCRIPTED_RUN_UNTIL(&l, d.runs == 1);
        scripted_loop_close(&l);
    }
}

static void count_event(kloop_producer *p, void *me)
{
    (void)p;
    ++*(int *)me;
}

static void keep_text(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    (void)p;
    assert_int_equal(level, KLOOP_LOG_WARN);
    snprintf(me, 64, "%s", text);
}

static void keep_chunk(kloop_producer *p, const kloop_chunk_report *chunk, void *me)
{
    (void)p;
    *(void **)me = chunk->user;
}

static void count_loans(kloop_producer *p, const kloop_loan *loans, size_t count, void *me)
{
    (void)p;
    for (size_t i = 0; i < count; i++)
        *(size_t *)me += loans[i].value.len;
}

static void test_chunks_and_loans(void **state)
{
    (void)state;
    scripted_loop l;
    void *done = NULL;
    size_t bytes = 0;
    kloop_chunk *chunk;
    const kloop_loan loans[] = {{.value = {(const uint8_t *)"abc", 3}},
                                {.value = {(const uint8_t *)"de", 2}}};
    const kloop_action release = {.kind = KLOOP_ACT_RELEASE, .loans = loans, .loan_count = 2};
    scripted_loop_open(&l);
    /* Without a callback they are dropped. */
    scripted_push(l.engine, &release);
    assert_int_equal(kloop_chunk_begin(l.producer, &done, &chunk), KLOOP_OK);
    kloop_chunk_end(chunk);
    SCRIPTED_RUN_UNTIL(&l, scripted_waiting(l.engine) == 0);
    kloop_on_chunk(l.producer, keep_chunk, &done);
    kloop_on_release(l.producer, count_loans, &bytes);
    for (int i = 0; i < 10; i++)
        uv_run(&l.loop, UV_RUN_NOWAIT);
    /* The end of a chunk wakes the loop: nothing else may be left to happen. */
    assert_int_equal(kloop_chunk_begin(l.producer, &bytes, &chunk), KLOOP_OK);
    kloop_chunk_end(chunk);
    SCRIPTED_RUN_UNTIL(&l, done == &bytes);
    scripted_push(l.engine, &release);
    topic_of(&l);
    SCRIPTED_RUN_UNTIL(&l, bytes == 5);
    assert_int_equal(kloop_chunk_begin(l.producer, NULL, &chunk), KLOOP_OK);
    kloop_chunk_drop(chunk);
    const kloop_encoded batch = {.bytes = {(const uint8_t *)"xyz", 3}};
    assert_int_equal(kloop_send_batch(NULL, &batch), KLOOP_BAD_ARGUMENT);
    assert_int_equal(kloop_send_batch(topic_of(&l), &batch), KLOOP_OK);
    scripted_loop_close(&l);
}

static void keep_warmth(kloop_producer *p, const kloop_warmth *warmth, void *me)
{
    (void)p;
    *(kloop_warmth *)me = *warmth;
    assert_string_equal(warmth->text, "as it is");
}

/* Each is told to the one who asked for it; and those that are never told leave nothing behind. */
static void test_warm_ups(void **state)
{
    (void)state;
    scripted_loop l;
    kloop_warmth first = {.brokers = -1}, second = {.brokers = -1};
    scripted_loop_open(&l);
    kloop_topic *topic = topic_of(&l);
    assert_int_equal(kloop_warm_up(l.producer, topic, 7, keep_warmth, &first), KLOOP_OK);
    assert_int_equal(kloop_warm_up(l.producer, NULL, 8, keep_warmth, &second), KLOOP_OK);
    assert_int_equal(kloop_warm_up(l.producer, NULL, 9, NULL, NULL), KLOOP_OK);
    assert_int_equal(first.brokers, -1);
    SCRIPTED_RUN_UNTIL(&l, scripted_waiting(l.engine) == 0);
    assert_int_equal(first.brokers, 7);
    assert_ptr_equal(first.topic, topic);
    assert_int_equal(second.brokers, 8);
    assert_null(second.topic);
    scripted_loop_close(&l);
}

static void test_other_callbacks(void **state)
{
    (void)state;
    scripted_loop l;
    int writable = 0;
    char text[64] = "";
    scripted_loop_open(&l);
    /* Without a callback it is dropped. */
    scripted_act(l.engine, KLOOP_ACT_WRITABLE, (kloop_id){0, 0});
    scripted_act(l.engine, KLOOP_ACT_LOG, (kloop_id){0, 0});
    scripted_deliver(l.engine, 1);
    SCRIPTED_RUN_UNTIL(&l, scripted_waiting(l.engine) == 0);
    kloop_on_writable(l.producer, count_event, &writable);
    kloop_on_log(l.producer, keep_text, text);
    scripted_act(l.engine, KLOOP_ACT_WRITABLE, (kloop_id){0, 0});
    scripted_push(l.engine, &(kloop_action){.kind = KLOOP_ACT_LOG,
                                            .level = KLOOP_LOG_WARN,
                                            .text = "broker 1 is gone"});
    topic_of(&l);
    SCRIPTED_RUN_UNTIL(&l, text[0]);
    assert_int_equal(writable, 1);
    assert_string_equal(text, "broker 1 is gone");
    scripted_loop_close(&l);
}

/* ---- Refusals ---- */

static void test_refusals(void **state)
{
    (void)state;
    scripted_loop l;
    kloop_error error;
    kloop_topic *topic = (kloop_topic *)&l;
    scripted_loop_open(&l);
    assert_int_equal(kloop_topic_get(l.producer, "!", &topic, &error), KLOOP_BAD_TOPIC);
    assert_null(topic);
    assert_int_equal(error.status, KLOOP_BAD_TOPIC);
    assert_non_null(strstr(error.text, "'!' is no name for a topic"));
    assert_int_equal(kloop_topic_get(l.producer, "!", &topic, NULL), KLOOP_BAD_TOPIC);
    assert_int_equal(kloop_topic_get(l.producer, NULL, &topic, &error), KLOOP_BAD_ARGUMENT);
    assert_int_equal(kloop_send(NULL, &empty), KLOOP_BAD_ARGUMENT);
    scripted_answer_sends(l.engine, KLOOP_FULL);
    assert_int_equal(kloop_send(topic_of(&l), &empty), KLOOP_FULL);
    assert_ptr_equal(kloop_topic_producer(topic_of(&l)), l.producer);
    kloop_stats stats;
    kloop_get_stats(l.producer, &stats);
    assert_int_equal(stats.accepted, 1);
    assert_null(kloop_fatal_text(l.producer));

    kloop_producer *p = l.producer;
    kloop_config *config = kloop_config_new(NULL);
    assert_int_equal(kloop_open(NULL, &l.loop, config, &error), KLOOP_BAD_ARGUMENT);
    assert_int_equal(kloop_open(&p, NULL, config, &error), KLOOP_BAD_ARGUMENT);
    assert_null(p);
    p = l.producer;
    assert_int_equal(kloop_open(&p, &l.loop, NULL, NULL), KLOOP_BAD_ARGUMENT);
    assert_null(p);
    scripted_loop_close(&l);
}

static void test_no_memory(void **state)
{
    (void)state;
    uv_loop_t loop;
    kloop_config *config = kloop_config_new(NULL);
    assert_int_equal(uv_loop_init(&loop), 0);
    for (size_t nth = 1; nth <= 2; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kloop_producer *p = (kloop_producer *)&loop;
        kloop_error error;
        assert_int_equal(kloop_open_with(&p, &loop, config, &alloc, &error), KLOOP_NO_MEMORY);
        assert_int_equal(error.status, KLOOP_NO_MEMORY);
        assert_null(p);
        kl_fail_alloc_check(&f);
    }
    /* A producer that was not made has put nothing into the loop. */
    assert_int_equal(uv_loop_close(&loop), 0);
    scripted_loop l;
    scripted_loop_open(&l);
    settle(&l);
    l.memory.nth = l.memory.calls + 1;
    assert_int_equal(kloop_flush(l.producer, count_event, NULL), KLOOP_NO_MEMORY);
    scripted_loop_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_lets_the_loop_end),
        cmocka_unit_test(test_busy_keeps_the_loop),
        cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_work_left),
        cmocka_unit_test(test_no_spin),
        cmocka_unit_test(test_answers_come_before_on_time),
        cmocka_unit_test(test_held_after_poll),
        cmocka_unit_test(test_time_of_events),
        cmocka_unit_test(test_no_clock_for_a_record),
        cmocka_unit_test(test_time_of_a_turn),
        cmocka_unit_test(test_bounded_pass),
        cmocka_unit_test(test_bounded_pass_of_slow_callbacks),
        cmocka_unit_test(test_send_in_callback),
        cmocka_unit_test(test_io_inside_send),
        cmocka_unit_test(test_chunks_and_loans),
        cmocka_unit_test(test_warm_ups),
        cmocka_unit_test(test_other_callbacks),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
