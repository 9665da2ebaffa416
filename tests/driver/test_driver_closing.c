/* SPDX-License-Identifier: BSD-2-Clause */
/* Closing a producer: in every state, from every callback, and nothing is left. */
#define _GNU_SOURCE
#include "tests/driver/scripted_loop.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const kloop_record empty;
static const kloop_id one = {0, 1};
static const kloop_id two = {1, 1};

static kloop_topic *topic_of(scripted_loop *l)
{
    kloop_topic *topic;
    assert_int_equal(kloop_topic_get(l->producer, "t", &topic, NULL), KLOOP_OK);
    return topic;
}

static void turns(scripted_loop *l, int count)
{
    for (int i = 0; i < count; i++)
        uv_run(&l->loop, UV_RUN_NOWAIT);
}

static void test_before_the_first_turn(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    scripted_loop_close(&l);
}

/* A close at each turn of a script that resolves, connects, writes and is answered. */
static void test_after_so_many_turns(void **state)
{
    (void)state;
    static uint8_t out[1 << 20], in[64];
    for (int count = 0; count < 12; count++) {
        scripted_loop l;
        scripted_loop_open(&l);
        /* A name that nobody answers for at once: the query is under way while we close. */
        scripted_resolve(l.engine, two, "kloop.invalid");
        scripted_connect(l.engine, one, "127.0.0.1", l.port);
        int peer = -1;
        for (int i = 0; i < count; i++) {
            turns(&l, 1);
            scripted_connection *c = scripted_conn(l.engine, one);
            if (c->connected && !c->out) {
                peer = scripted_loop_accept(&l);
                c->out = out;
                c->out_len = sizeof out;
                c->slice_len = 4096;
                c->in = in;
                c->in_len = c->room_max = sizeof in;
                scripted_act(l.engine, KLOOP_ACT_WRITE, one);
                kloop_send(topic_of(&l), &empty);
                assert_int_equal(send(peer, "ack", 3, 0), 3);
            }
        }
        l.fds_before += peer >= 0;
        scripted_loop_close(&l);
        if (peer >= 0)
            close(peer);
    }
}

/* A connect that nobody answers: the backlog of the listener is full, so the SYN waits. */
static void test_while_connecting(void **state)
{
    (void)state;
    scripted_loop l;
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    int fillers[4];
    scripted_loop_open(&l);
    assert_int_equal(listen(l.listener, 0), 0);
    assert_int_equal(getsockname(l.listener, (struct sockaddr *)&own, &len), 0);
    for (size_t i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[i], (struct sockaddr *)&own, len);
    }
    scripted_connect(l.engine, one, "127.0.0.1", l.port);
    turns(&l, 5);
    assert_int_equal(scripted_conn(l.engine, one)->gen, one.gen);
    assert_int_equal(scripted_count(l.engine, SCRIPTED_CONNECTED), 0);
    for (size_t i = 0; i < 4; i++)
        close(fillers[i]);
    scripted_loop_close(&l);
}

/* ---- From inside callbacks ---- */

static void everything(scripted_loop *l)
{
    kloop_topic *topic;
    kloop_close(l->producer, 10, scripted_loop_on_closed, l);
    kloop_close(l->producer, 5, NULL, NULL);
    if (kloop_topic_get(l->producer, "t", &topic, NULL) == KLOOP_OK)
        kloop_send(topic, &empty);
    kloop_flush(l->producer, NULL, NULL);
    kloop_keep_alive(l->producer, true);
    kloop_stats stats;
    kloop_get_stats(l->producer, &stats);
}

static void in_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    (void)p;
    (void)run;
    everything(me);
}

static void in_event(kloop_producer *p, void *me)
{
    (void)p;
    everything(me);
}

static void in_log(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    (void)p;
    (void)level;
    (void)text;
    everything(me);
}

static void in_timer(uv_timer_t *timer)
{
    everything(timer->data);
    uv_close((uv_handle_t *)timer, NULL);
}

static void test_from_callbacks(void **state)
{
    (void)state;
    for (int from = 0; from < 5; from++) {
        scripted_loop l;
        uv_timer_t timer;
        scripted_loop_open(&l);
        scripted_connect(l.engine, one, "127.0.0.1", l.port);
        SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_CONNECTED) == 1);
        kloop_on_delivery(l.producer, in_delivery, &l);
        kloop_on_writable(l.producer, in_event, &l);
        kloop_on_log(l.producer, in_log, &l);
        switch (from) {
        case 0:
            scripted_deliver(l.engine, 1);
            break;
        case 1:
            scripted_act(l.engine, KLOOP_ACT_WRITABLE, one);
            break;
        case 2:
            scripted_act(l.engine, KLOOP_ACT_LOG, one);
            break;
        case 3:
            assert_int_equal(kloop_flush(l.producer, in_event, &l), KLOOP_OK);
            break;
        default:
            uv_timer_init(&l.loop, &timer);
            timer.data = &l;
            uv_timer_start(&timer, in_timer, 1, 0);
        }
        topic_of(&l);
        SCRIPTED_RUN_UNTIL(&l, l.closed);
        scripted_loop_close(&l);
    }
}

static void in_closed(kloop_producer *p, void *me)
{
    scripted_loop *l = me;
    everything(l);
    assert_int_equal(kloop_flush(p, NULL, NULL), KLOOP_CLOSED);
    l->closed++;
}

/* All functions may be called in the close callback as well; it is the last word. */
static void test_from_the_close_callback(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    kloop_close(l.producer, 0, in_closed, &l);
    SCRIPTED_RUN_UNTIL(&l, l.closed);
    scripted_loop_close(&l);
}

static void count_event(kloop_producer *p, void *me)
{
    (void)p;
    ++*(int *)me;
}

static void test_second_close(void **state)
{
    (void)state;
    scripted_loop l;
    int first = 0;
    scripted_loop_open(&l);
    kloop_close(l.producer, 1000, count_event, &first);
    kloop_close(l.producer, 0, scripted_loop_on_closed, &l);
    kloop_close(l.producer, 0, NULL, NULL);
    SCRIPTED_RUN_UNTIL(&l, l.closed);
    assert_int_equal(first, 0);
    scripted_loop_close(&l);
}

/* A close keeps the loop until it is done, without anybody else on it. */
static void test_close_alone(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    uv_unref((uv_handle_t *)&l.guard);
    assert_int_equal(uv_run(&l.loop, UV_RUN_DEFAULT), 0);
    kloop_close(l.producer, 0, scripted_loop_on_closed, &l);
    assert_int_equal(uv_run(&l.loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(l.closed, 1);
    uv_ref((uv_handle_t *)&l.guard);
    scripted_loop_close(&l);
}

/* ---- Flushes ---- */

static int order[4];
static int ordered;

static void note_order(kloop_producer *p, void *me)
{
    (void)p;
    order[ordered++] = *(int *)me;
}

static void test_flushes(void **state)
{
    (void)state;
    scripted_loop l;
    int ids[] = {1, 2, 3};
    ordered = 0;
    scripted_loop_open(&l);
    for (int i = 0; i < 3; i++)
        assert_int_equal(kloop_flush(l.producer, note_order, &ids[i]), KLOOP_OK);
    assert_int_equal(kloop_flush(l.producer, NULL, NULL), KLOOP_OK);
    /* Never inside the call. */
    assert_int_equal(ordered, 0);
    SCRIPTED_RUN_UNTIL(&l, ordered == 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(order[i], i + 1);
    scripted_loop_close(&l);
}

/* What a purge causes is told from the loop, never inside the call. */
static void test_purge(void **state)
{
    (void)state;
    scripted_loop l;
    int id = 4;
    kloop_topic *t;
    ordered = 0;
    scripted_loop_open(&l);
    kloop_on_writable(l.producer, note_order, &id);
    assert_int_equal(kloop_topic_get(l.producer, "t", &t, NULL), KLOOP_OK);
    assert_int_equal(kloop_purge(l.producer, t, KLOOP_PURGE_QUEUED), 101);
    assert_int_equal(kloop_purge(l.producer, NULL, KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT), 3);
    assert_int_equal(ordered, 0);
    SCRIPTED_RUN_UNTIL(&l, ordered == 2);
    scripted_loop_close(&l);
}

/* A flush that the engine never reported goes with the producer. */
static void test_flush_behind_closed(void **state)
{
    (void)state;
    scripted_loop l;
    int count = 0;
    scripted_loop_open(&l);
    kloop_close(l.producer, 0, scripted_loop_on_closed, &l);
    assert_int_equal(kloop_flush(l.producer, count_event, &count), KLOOP_OK);
    SCRIPTED_RUN_UNTIL(&l, l.closed);
    assert_int_equal(count, 0);
    scripted_loop_close(&l);
}

/* ---- Neighbours ---- */

/* Two producers on one loop, one of which goes. */
static void test_two_producers(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    kloop_allocator alloc = kl_fail_alloc_table(&l.memory);
    kloop_producer *other;
    kloop_config *config = kloop_config_new(NULL);
    assert_int_equal(kloop_open_with(&other, &l.loop, config, &alloc, NULL), KLOOP_OK);
    kloop_engine *engine = scripted_engine();
    assert_ptr_not_equal(engine, l.engine);
    scripted_connect(engine, one, "127.0.0.1", l.port);
    scripted_connect(l.engine, one, "127.0.0.1", l.port);
    SCRIPTED_RUN_UNTIL(&l, scripted_count(engine, SCRIPTED_CONNECTED) == 1);
    int done = 0;
    kloop_close(other, 0, count_event, &done);
    SCRIPTED_RUN_UNTIL(&l, done);
    SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_CONNECTED) == 1);
    scripted_loop_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_the_first_turn),
        cmocka_unit_test(test_after_so_many_turns),
        cmocka_unit_test(test_while_connecting),
        cmocka_unit_test(test_from_callbacks),
        cmocka_unit_test(test_from_the_close_callback),
        cmocka_unit_test(test_second_close),
        cmocka_unit_test(test_close_alone),
        cmocka_unit_test(test_flushes),
        cmocka_unit_test(test_purge),
        cmocka_unit_test(test_flush_behind_closed),
        cmocka_unit_test(test_two_producers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
