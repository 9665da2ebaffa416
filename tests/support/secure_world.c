/* SPDX-License-Identifier: BSD-2-Clause */
/* A producer, a loop, a cluster that asks for names. */
#define _GNU_SOURCE
#include "tests/support/secure_world.h"

#include "broker/truth.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GUARD_MS 20000

static bool late;

static void on_guard(uv_timer_t *guard)
{
    (void)guard;
    late = true;
}

size_t secure_world_count(const char *folder)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    (void)p;
    ((secure_world *)me)->reported[run->outcome] += run->record_count;
}

static void on_log(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    secure_world *w = me;
    size_t len = strlen(w->log);
    (void)p;
    snprintf(w->log + len, sizeof w->log - len, "%d %s\n", (int)level, text);
}

void secure_world_on_closed(kloop_producer *p, void *me)
{
    secure_world *w = me;
    kloop_get_stats(p, &w->stats);
    w->closed++;
}

void secure_world_cluster(secure_world *w, int32_t brokers, unsigned mechanisms,
                          kl_byte_filter_maker far_end)
{
    memset(w, 0, sizeof *w);
    late = false;
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    w->fds_before = secure_world_count("/proc/self/fd");
    assert_int_equal(uv_loop_init(&w->loop), 0);
    uv_timer_init(&w->loop, &w->guard);
    uv_timer_start(&w->guard, on_guard, GUARD_MS, 0);
    uv_unref((uv_handle_t *)&w->guard);
    kl_cluster_config config;
    kl_cluster_config_init(&config);
    config.broker_count = brokers;
    w->cluster = kl_cluster_new(&config);
    assert_non_null(w->cluster);
    kl_topic_config topic = {
        .name = "events", .partitions = SECURE_PARTITIONS, .replication_factor = 1};
    assert_int_equal(kl_cluster_add_topic(w->cluster, &topic, &w->topic_handle), KL_CLUSTER_OK);
    kl_login_config login;
    kl_login_config_init(&login);
    login.mechanisms = mechanisms;
    login.failure_delay_ns = 1000000;
    login.token = "good-token";
    for (int32_t node = 1; mechanisms && node <= brokers; node++) {
        assert_int_equal(kl_cluster_set_login(w->cluster, node, &login), KL_CLUSTER_OK);
        assert_int_equal(kl_cluster_set_user(w->cluster, node, "alice", "alice-secret"),
                         KL_CLUSTER_OK);
    }
    w->broker = kl_loop_broker_new(&w->loop, w->cluster, brokers);
    kl_loop_broker_set_filters(w->broker, far_end);
}

kloop_config *secure_world_config(secure_world *w, const char *const *settings)
{
    kloop_config *config = kloop_config_new(NULL);
    kloop_config_set(config, "bootstrap.servers", kl_loop_broker_servers(w->broker));
    kloop_config_set(config, "reconnect.backoff.ms", "1");
    kloop_config_set(config, "reconnect.backoff.max.ms", "20");
    for (; settings && *settings; settings += 2) {
        if (kloop_config_set(config, settings[0], settings[1]))
            fail_msg("%s", kloop_config_error(config));
    }
    return config;
}

void secure_world_producer(secure_world *w, const char *const *settings)
{
    kloop_error error = {0};
    kl_fail_alloc_init(&w->memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&w->memory);
    kloop_config *config = secure_world_config(w, settings);
    kloop_status status = kloop_open_with(&w->producer, &w->loop, config, &alloc, &error);
    kloop_config_del(config);
    if (status)
        fail_msg("%s", error.text);
    kloop_on_delivery(w->producer, on_delivery, w);
    kloop_on_log(w->producer, on_log, w);
    assert_int_equal(kloop_topic_get(w->producer, "events", &w->topic, &error), KLOOP_OK);
}

/* A loop that ends before that is as wrong as one that takes too long. */
void secure_world_turn(secure_world *w, const char *waiting_for)
{
    bool alive = uv_run(&w->loop, UV_RUN_ONCE) != 0;
    w->dead_turns = alive ? 0 : w->dead_turns + 1;
    if (w->dead_turns > 3)
        fail_msg("the loop has ended before: %s\n%s", waiting_for, w->log);
    const char *complaint = kl_cluster_complaint(w->cluster, 0, NULL);
    if (late)
        fail_msg("waited %d s for: %s\n%s\n%s", GUARD_MS / 1000, waiting_for, w->log,
                 complaint ? complaint : "");
}

/* Nothing is left of anybody. */
void secure_world_close(secure_world *w, uint64_t timeout_ms)
{
    if (!w->closed && w->producer)
        kloop_close(w->producer, timeout_ms, secure_world_on_closed, w);
    SECURE_RUN_UNTIL(w, w->closed || !w->producer);
    /* The other side hears of it, though nobody keeps the loop alive any more. */
    uv_ref((uv_handle_t *)&w->guard);
    for (int i = 0; i < 5; i++)
        uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(w->stats.pending, 0);
    if (w->producer)
        kl_fail_alloc_check(&w->memory);
    kl_loop_broker_close(w->broker);
    uv_close((uv_handle_t *)&w->guard, NULL);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    kl_cluster_del(w->cluster);
    assert_int_equal(secure_world_count("/proc/self/fd"), w->fds_before);
}

void secure_world_send_bytes(secure_world *w, const void *bytes, size_t len)
{
    assert_int_equal(kloop_send(w->topic, &(kloop_record){.value = {bytes, len}}), KLOOP_OK);
}

void secure_world_send(secure_world *w, int count)
{
    for (int i = 0; i < count; i++)
        secure_world_send_bytes(w, "hello", 5);
}

uint64_t secure_world_stored(secure_world *w)
{
    uint64_t records = 0;
    for (int32_t p = 0; p < SECURE_PARTITIONS; p++) {
        kl_partition_info info;
        kl_cluster_partition_info(w->cluster, w->topic_handle, p, &info);
        records += info.records;
    }
    return records;
}

void secure_world_expect(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

void secure_world_on_writable(kloop_producer *p, void *me)
{
    secure_world *w = me;
    (void)p;
    while (w->wanted > 0) {
        static uint8_t value[1000];
        kloop_status status = kloop_send(w->topic, &(kloop_record){.value = {value, sizeof value}});
        if (status == KLOOP_FULL)
            return;
        assert_int_equal(status, KLOOP_OK);
        w->wanted--;
    }
}
