/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several threads send to one producer, which lives on the loop of another: each record is reported
 * once, and stored once, in the order of its thread. To be run under ThreadSanitizer, too.
 */
#define _GNU_SOURCE
#include "tests/threads/loop_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THREADS 4
#define MANY    100000

/* What the threads wait for when the inlet is full: the program's own means. */
typedef struct gate {
    uv_mutex_t mutex;
    uv_cond_t opened;
    unsigned times;
    _Atomic unsigned waited;
} gate;

static gate room;

static void on_room(kloop_producer *p, void *me)
{
    gate *g = me;
    (void)p;
    uv_mutex_lock(&g->mutex);
    g->times++;
    uv_cond_broadcast(&g->opened);
    uv_mutex_unlock(&g->mutex);
}

typedef struct sender {
    uv_thread_t thread;
    kloop_topic *topic;
    uint64_t stream;
    uint64_t count;    /* to be sent; as long as it goes, if 0 */
    uint64_t accepted; /* the thread's, until it was joined */
    kloop_status last;
} sender;

static kloop_status send_one(sender *s, uint64_t number)
{
    uint8_t value[16];
    loop_world_value(value, s->stream, number);
    const kloop_record record = {.value = {value, sizeof value},
                                 .set = KLOOP_SET_PARTITION,
                                 .partition = (int32_t)s->stream % LOOP_WORLD_PARTITIONS,
                                 .user = s};
    return kloop_send_from_any_thread(s->topic, &record);
}

static void run_sender(void *me)
{
    sender *s = me;
    for (uint64_t i = 0; s->count == 0 || i < s->count; i++) {
        uv_mutex_lock(&room.mutex);
        unsigned seen = room.times;
        uv_mutex_unlock(&room.mutex);
        while ((s->last = send_one(s, i)) == KLOOP_FULL) {
            atomic_fetch_add(&room.waited, 1);
            uv_mutex_lock(&room.mutex);
            while (room.times == seen)
                uv_cond_wait(&room.opened, &room.mutex);
            seen = room.times;
            uv_mutex_unlock(&room.mutex);
        }
        if (s->last)
            return;
        s->accepted++;
    }
}

static sender senders[THREADS];

static void start_senders(loop_world *w, uint64_t count)
{
    for (uint64_t i = 0; i < THREADS; i++) {
        senders[i] = (sender){.topic = w->topic, .stream = i, .count = count};
        MUST(uv_thread_create(&senders[i].thread, run_sender, &senders[i]) == 0);
    }
}

static void join_senders(kloop_producer *p, void *me)
{
    (void)p;
    (void)me;
    for (int i = 0; i < THREADS; i++)
        MUST(uv_thread_join(&senders[i].thread) == 0);
}

static void open_gate(loop_world *w, size_t inlet_bytes)
{
    room = (gate){0};
    MUST(uv_mutex_init(&room.mutex) == 0 && uv_cond_init(&room.opened) == 0);
    MUST(kloop_allow_threads(w->producer, inlet_bytes, NULL) == KLOOP_OK);
    kloop_on_inlet_room(w->producer, on_room, &room);
    kloop_keep_alive(w->producer, true);
}

static void close_gate(void)
{
    uv_cond_destroy(&room.opened);
    uv_mutex_destroy(&room.mutex);
}

/* Both bounds are tight, so that the inlet waits for the engine and the threads for the inlet; and
 * the loop's thread sends, too, by the ordinary way. */
static void test_four_threads(void **state)
{
    (void)state;
    loop_world w;
    uint64_t counts[LOOP_WORLD_STREAMS] = {MANY, MANY, MANY, MANY, 0};
    loop_world_open(&w, (const char *const[]){"buffer.memory", "1200000", "linger.ms", "1", NULL});
    open_gate(&w, 256 << 10);
    start_senders(&w, MANY);
    while (w.reported[KLOOP_OUTCOME_ACKED] < THREADS * MANY + counts[4]) {
        loop_world_turn(&w, "all to be acked");
        uint8_t value[16];
        loop_world_value(value, 4, counts[4]);
        if (counts[4] < MANY && !kloop_send(w.topic, &(kloop_record){.value = {value, 16}}))
            counts[4]++;
    }
    join_senders(NULL, NULL);
    loop_world_close(&w, 60000);
    close_gate();
    assert_int_equal(w.reported[KLOOP_OUTCOME_FAILED] + w.reported[KLOOP_OUTCOME_UNKNOWN], 0);
    assert_true(atomic_load(&room.waited) > 0);
    assert_true(w.stats.inlet_full > 0);
}

/* The same, and the logs are read. */
static void test_order_in_the_log(void **state)
{
    (void)state;
    loop_world w;
    uint64_t counts[LOOP_WORLD_STREAMS] = {MANY, MANY, MANY, MANY};
    loop_world_open(&w, NULL);
    open_gate(&w, 4 << 20);
    start_senders(&w, MANY);
    LOOP_WORLD_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == THREADS * MANY);
    join_senders(NULL, NULL);
    loop_world_expect_logs(&w, counts);
    loop_world_close(&w, 60000);
    close_gate();
}

/* The producer is closed while they send: what was accepted is delivered, all hear of it. */
static void test_close_under_threads(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        loop_world w;
        loop_world_open(&w, NULL);
        open_gate(&w, 1 << 20);
        start_senders(&w, 0);
        LOOP_WORLD_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] > 1000);
        /* With time to deliver, and without. */
        kloop_close(w.producer, i % 2 ? 60000 : 0, loop_world_on_closed, &w);
        assert_int_equal(kloop_send(w.topic, &(kloop_record){0}), KLOOP_CLOSED);
        /* Whoever waits for room would wait for ever. */
        on_room(NULL, &room);
        w.on_closing = join_senders;
        loop_world_close(&w, 60000);
        close_gate();
        uint64_t accepted = 0;
        for (int s = 0; s < THREADS; s++) {
            assert_int_equal(senders[s].last, KLOOP_CLOSED);
            accepted += senders[s].accepted;
        }
        assert_int_equal(w.stats.accepted, accepted);
        if (i % 2)
            assert_int_equal(w.stats.acked, accepted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_threads),
        cmocka_unit_test(test_order_in_the_log),
        cmocka_unit_test(test_close_under_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
