/* SPDX-License-Identifier: BSD-2-Clause */
/* Hooks of a producer on a loop, with a model cluster on real sockets; also for other threads'
 * records. */
#define _POSIX_C_SOURCE 200809L
#include "broker/truth.h"
#include "tests/support/loop_broker.h"

#include <kloop/hooks.h>
#include <kloop/kloop.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include <cmocka.h>

#define RECORDS 1000

typedef struct world {
    kloop_producer *producer;
    kloop_topic *topic;
    size_t appends;
    size_t told[3];      /* records, by outcome */
    size_t delivered[3]; /* likewise */
    size_t refused;      /* of these, such as the loop has refused */
    size_t written, read;
    size_t decisions;
} world;

static bool before_append(kloop_append *a, void *me)
{
    world *w = me;
    w->appends++;
    a->headers[0] = (kloop_record_header){.key = {"n", 1}, .value = {a->bytes, 3}};
    memcpy(a->bytes, "abc", 3);
    a->header_count = 1;
    return true;
}

static void on_outcome(const kloop_settled *settled, void *me)
{
    world *w = me;
    w->told[settled->run->outcome] += settled->run->count;
    assert_true(settled->queued_ns <= settled->age_ns);
    if (settled->run->cause == KLOOP_CAUSE_PARTITION) {
        w->refused++;
        assert_int_equal(settled->attempts, 0);
    } else {
        assert_true(settled->attempts >= 1);
    }
}

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    world *w = me;
    (void)p;
    w->delivered[run->outcome] += run->count;
    assert_int_equal(w->delivered[run->outcome], w->told[run->outcome]);
}

static bool on_frame(const kloop_frame *f, kloop_slice *instead, void *me)
{
    world *w = me;
    (void)instead;
    assert_int_equal(f->address.family, 4);
    if (f->way == KLOOP_FRAME_WRITTEN)
        w->written++;
    else
        w->read++;
    return false;
}

static void on_decision(const kloop_trace *trace, void *me)
{
    world *w = me;
    assert_true(trace->kind > 0);
    w->decisions++;
}

/* From now on nobody fails: the partitions are known. */
static void go_on(kloop_producer *p, const kloop_warmth *warmth, void *me)
{
    world *w = me;
    assert_true(warmth->warm);
    for (int i = 0; i < RECORDS; i++)
        assert_int_equal(kloop_send(w->topic, &(kloop_record){.set = 0}), KLOOP_OK);
    for (int i = 0; i < RECORDS; i++) {
        kloop_record r = {.set = KLOOP_SET_PARTITION, .partition = i % 10 ? i % 2 : 7};
        assert_int_equal(kloop_send_from_any_thread(w->topic, &r), KLOOP_OK);
    }
    kloop_close(p, 60000, NULL, NULL);
}

static void everything_is_seen(void **state)
{
    (void)state;
    world w = {0};
    uv_loop_t loop;
    int32_t topic;
    assert_int_equal(uv_loop_init(&loop), 0);
    kl_cluster_config of_cluster;
    kl_cluster_config_init(&of_cluster);
    kl_cluster *cluster = kl_cluster_new(&of_cluster);
    assert_int_equal(
        kl_cluster_add_topic(
            cluster, &(kl_topic_config){.name = "events", .partitions = 2, .replication_factor = 1},
            &topic),
        KL_CLUSTER_OK);
    kl_loop_broker *broker = kl_loop_broker_new(&loop, cluster, 1);
    kloop_config *config = kloop_config_new(NULL);
    kloop_config_set(config, "bootstrap.servers", kl_loop_broker_servers(broker));
    kloop_error error;
    assert_int_equal(kloop_open(&w.producer, &loop, config, &error), KLOOP_OK);
    kloop_config_del(config);
    kloop_set_hooks(w.producer, &(kloop_hooks){.before_append = before_append,
                                               .on_outcome = on_outcome,
                                               .on_frame = on_frame,
                                               .on_decision = on_decision,
                                               .me = &w});
    kloop_set_log(w.producer, KLOOP_LOG_ERROR, 1);
    kloop_on_delivery(w.producer, on_delivery, &w);
    assert_int_equal(kloop_allow_threads(w.producer, 1 << 20, &error), KLOOP_OK);
    assert_int_equal(kloop_topic_get(w.producer, "events", &w.topic, &error), KLOOP_OK);
    assert_int_equal(kloop_warm_up(w.producer, w.topic, 30000, go_on, &w), KLOOP_OK);
    uv_run(&loop, UV_RUN_DEFAULT);

    size_t refused = RECORDS / 10;
    assert_int_equal(w.appends, 2 * RECORDS - refused);
    assert_int_equal(w.refused, refused);
    assert_int_equal(w.told[KLOOP_OUTCOME_ACKED], 2 * RECORDS - refused);
    assert_int_equal(w.told[KLOOP_OUTCOME_FAILED], refused);
    assert_memory_equal(w.told, w.delivered, sizeof w.told);
    assert_true(w.written > 0 && w.written == w.read && w.decisions > w.written);
    kl_partition_info info[2];
    for (int i = 0; i < 2; i++)
        kl_cluster_partition_info(cluster, topic, i, &info[i]);
    assert_int_equal(info[0].records + info[1].records, 2 * RECORDS - refused);
    kl_loop_broker_close(broker);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    kl_cluster_del(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
