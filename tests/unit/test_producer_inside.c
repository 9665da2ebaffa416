/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking inside a producer on a loop: while it works, held up, with other threads' records,
 * closed, and as a person sees it. */
#define _GNU_SOURCE
#include "cli/snapshot_print.h"
#include "tests/support/loop_broker.h"

#include <kloop/stats_text.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include <cmocka.h>

#define PARTITIONS 4

typedef struct world {
    uv_loop_t loop;
    kl_cluster *cluster;
    kl_loop_broker *broker;
    kloop_producer *producer;
    kloop_topic *topic;
    uint64_t acked;
    bool closed;
    kloop_snapshot *last; /* taken in the close callback */
} world;

static world w;

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    (void)p;
    ((world *)me)->acked += run->outcome == KLOOP_OUTCOME_ACKED ? run->record_count : 0;
}

static void begin(const char *linger_ms)
{
    int32_t topic_handle;
    memset(&w, 0, sizeof w);
    assert_int_equal(uv_loop_init(&w.loop), 0);
    kl_cluster_config config;
    kl_cluster_config_init(&config);
    config.broker_count = 2;
    w.cluster = kl_cluster_new(&config);
    kl_topic_config topic = {.name = "events", .partitions = PARTITIONS, .replication_factor = 1};
    assert_int_equal(kl_cluster_add_topic(w.cluster, &topic, &topic_handle), KL_CLUSTER_OK);
    w.broker = kl_loop_broker_new(&w.loop, w.cluster, 2);
    kloop_config *c = kloop_config_new(NULL);
    kloop_config_set(c, "bootstrap.servers", kl_loop_broker_servers(w.broker));
    kloop_config_set(c, "linger.ms", linger_ms);
    kloop_config_set(c, "client.id", "me");
    kloop_error error;
    if (kloop_open(&w.producer, &w.loop, c, &error))
        fail_msg("%s", error.text);
    kloop_config_del(c);
    kloop_on_delivery(w.producer, on_delivery, &w);
    assert_int_equal(kloop_topic_get(w.producer, "events", &w.topic, NULL), KLOOP_OK);
}

static void send_some(int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(kloop_send(w.topic, &(kloop_record){.value = {(const uint8_t *)"hello", 5},
                                                             .partition = i % PARTITIONS,
                                                             .set = KLOOP_SET_PARTITION}),
                         KLOOP_OK);
}

static void run_until_acked(uint64_t count)
{
    while (w.acked < count)
        assert_true(uv_run(&w.loop, UV_RUN_ONCE) || w.acked >= count);
}

static void on_closed(kloop_producer *p, void *me)
{
    world *of = me;
    of->closed = true;
    assert_int_equal(kloop_take_snapshot(p, KLOOP_SNAPSHOT_ALL, NULL, &of->last), KLOOP_OK);
}

static void end(uint64_t timeout_ms)
{
    kloop_close(w.producer, timeout_ms, on_closed, &w);
    while (!w.closed)
        uv_run(&w.loop, UV_RUN_ONCE);
    kl_loop_broker_close(w.broker);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w.loop), 0);
    kl_cluster_del(w.cluster);
    /* The producer is gone, and this is not. */
    assert_int_equal(w.last->totals.pending, 0);
    assert_string_equal(w.last->topics[0].name.data, "events");
    kloop_snapshot_del(w.last);
}

static char *print_it(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    kl_snapshot_print(w.producer, to);
    fclose(to);
    return text;
}

static void expect_in(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static void while_it_works(void **state)
{
    (void)state;
    begin("1");
    send_some(400);
    run_until_acked(400);
    send_some(8);
    kloop_snapshot *s;
    assert_int_equal(kloop_take_snapshot(w.producer, KLOOP_SNAPSHOT_ALL, NULL, &s), KLOOP_OK);
    assert_int_equal(s->totals.accepted, 408);
    assert_int_equal(s->totals.acked, 400);
    assert_int_equal(s->partition_count, PARTITIONS);
    uint64_t acked = 0, queued = 0;
    for (size_t i = 0; i < PARTITIONS; i++) {
        acked += s->partitions[i].acked;
        queued += s->partitions[i].queued;
    }
    assert_int_equal(acked, 400);
    assert_int_equal(queued, 8);
    assert_true(s->sent_batches > 0);
    assert_non_null(s->age_us);
    kloop_snapshot_del(s);
    char *text = print_it();
    expect_in(text, "producer me, open for ");
    expect_in(text, "408 accepted: 400 acked, 0 failed, 0 unknown, 8 pending");
    expect_in(text, "broker 1    127.0.0.1:");
    expect_in(text, "topic events  4 partitions (4 led): 400 acked");
    expect_in(text, "nothing is held up; 4 partitions have records under way");
    free(text);
    end(5000);
}

static void when_nobody_is_there(void **state)
{
    (void)state;
    begin("0");
    kl_loop_broker_stall(w.broker, true);
    send_some(10);
    for (int i = 0; i < 20; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
    kloop_suspended s;
    assert_true(kloop_get_suspended(w.producer, &s));
    assert_int_equal(s.parked, 10);
    expect_in(s.text, "suspended, because no broker has told of the topic's partitions");
    char *text = print_it();
    expect_in(text, "  events: 10 records suspended, because no broker has told");
    expect_in(text, "10 records without a partition");
    free(text);
    end(0);
}

/* What waits in the inlet is pending, though the engine has never heard of it. */
static void with_records_of_other_threads(void **state)
{
    (void)state;
    begin("0");
    assert_int_equal(kloop_allow_threads(w.producer, 100000, NULL), KLOOP_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(kloop_send_from_any_thread(
                             w.topic, &(kloop_record){.value = {(const uint8_t *)"hello", 5}}),
                         KLOOP_OK);
    kloop_snapshot *s;
    assert_int_equal(kloop_take_snapshot(w.producer, 0, NULL, &s), KLOOP_OK);
    assert_int_equal(s->totals.accepted, 3);
    assert_int_equal(s->totals.pending, 3);
    assert_int_equal(s->totals.inlet_records, 3);
    kloop_snapshot_del(s);
    kloop_suspended is;
    kloop_get_suspended(w.producer, &is);
    assert_int_equal(is.pending, 3);
    run_until_acked(3);
    end(5000);
}

static void in_slices(void **state)
{
    (void)state;
    begin("0");
    send_some(8);
    run_until_acked(8);
    kloop_snapshot *s;
    assert_int_equal(kloop_snapshot_begin(w.producer, KLOOP_SNAPSHOT_PARTITIONS, w.topic, &s),
                     KLOOP_OK);
    assert_false(s->whole);
    while (!kloop_snapshot_go_on(w.producer, s))
        uv_run(&w.loop, UV_RUN_NOWAIT);
    assert_true(s->whole);
    assert_int_equal(s->topic_count, 1);
    assert_int_equal(s->topics[0].acked, 8);
    kloop_snapshot_del(s);
    end(5000);
}

static size_t lines_in(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void lines_of_json(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    kloop_snapshot *since = NULL;
    begin("0");
    send_some(8);
    run_until_acked(8);
    FILE *to = open_memstream(&text, &len);
    assert_true(kl_snapshot_write_json(w.producer, &since, to));
    assert_non_null(since);
    send_some(8);
    run_until_acked(16);
    assert_true(kl_snapshot_write_json(w.producer, &since, to));
    fclose(to);
    kloop_snapshot_del(since);
    assert_int_equal(lines_in(text), 2);
    expect_in(text, "\"txmsgs\":8,");
    expect_in(text, "\"txmsgs\":16,");
    expect_in(text, "\"state\":\"UP\"");
    free(text);
    end(5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_it_works),
        cmocka_unit_test(when_nobody_is_there),
        cmocka_unit_test(with_records_of_other_threads),
        cmocka_unit_test(in_slices),
        cmocka_unit_test(lines_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
