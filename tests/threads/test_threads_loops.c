/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many producers: four threads with a loop and producers of their own, that know nothing of each
 * other and share nothing that a thread sanitizer would see; and a hundred producers on one loop.
 */
#define _GNU_SOURCE
#include "driver/uv_producer.h"
#include "tests/threads/loop_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define THREADS  4
#define ROUNDS   3
#define RECORDS  5000
#define CROWD    100
#define OF_CROWD 100

static void send_numbers(kloop_topic *topic, uint64_t stream, uint64_t count)
{
    uint8_t value[16];
    for (uint64_t i = 0; i < count; i++) {
        loop_world_value(value, stream, i);
        MUST(!kloop_send(topic,
                         &(kloop_record){.value = {value, 16},
                                         .set = KLOOP_SET_PARTITION,
                                         .partition = (int32_t)stream % LOOP_WORLD_PARTITIONS}));
    }
}

static void run_loop(void *me)
{
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    const uint64_t *first = me;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        loop_world w;
        char servers[96];
        uint64_t counts[LOOP_WORLD_STREAMS] = {RECORDS, RECORDS};
        loop_world_open_cluster(&w);
        /* A name that has to be asked for, at a server that is not there: c-ares is at work in all
         * threads. */
        snprintf(servers, sizeof servers, "no.such.name.invalid:9092,%s",
                 kl_loop_broker_servers(w.broker));
        w.producer = loop_world_new_producer(
            &w, (const char *const[]){"bootstrap.servers", servers, "compression.type",
                                      codecs[(*first + round) % 5], NULL});
        w.producer->resolver.servers = "127.0.0.1:9";
        MUST(!kloop_topic_get(w.producer, "events", &w.topic, NULL));
        send_numbers(w.topic, 0, RECORDS);
        LOOP_WORLD_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] > 0);
        send_numbers(w.topic, 1, RECORDS);
        MUST(!kloop_flush(w.producer, loop_world_on_flushed, &w));
        LOOP_WORLD_UNTIL(&w, w.flushed);
        MUST(w.acked_at_flush == 2 * RECORDS);
        loop_world_expect_logs(&w, counts);
        loop_world_close(&w, 10000);
    }
}

static void test_loops_in_threads(void **state)
{
    (void)state;
    uv_thread_t threads[THREADS];
    uint64_t numbers[THREADS];
    for (uint64_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(uv_thread_create(&threads[i], run_loop, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(uv_thread_join(&threads[i]), 0);
}

static void test_a_hundred_on_one_loop(void **state)
{
    (void)state;
    static kloop_producer *crowd[CROWD];
    loop_world w;
    loop_world_open_cluster(&w);
    for (int i = 0; i < CROWD; i++) {
        kloop_topic *topic;
        crowd[i] = loop_world_new_producer(&w, NULL);
        assert_int_equal(kloop_topic_get(crowd[i], "events", &topic, NULL), KLOOP_OK);
        send_numbers(topic, 0, OF_CROWD);
    }
    /* Nobody has to be waited for when all is delivered. */
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(w.reported[KLOOP_OUTCOME_ACKED], CROWD * OF_CROWD);
    assert_int_equal(loop_world_stored(&w), CROWD * OF_CROWD);
    for (int i = 0; i < CROWD; i++) {
        kloop_stats stats;
        kloop_get_stats(crowd[i], &stats);
        assert_int_equal(stats.acked, OF_CROWD);
        kloop_close(crowd[i], 1000, loop_world_on_closed, &w);
    }
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(w.closed, CROWD);
    loop_world_close(&w, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loops_in_threads),
        cmocka_unit_test(test_a_hundred_on_one_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
