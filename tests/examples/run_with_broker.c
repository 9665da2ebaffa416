/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_with_broker [--bearer] TOPIC RECORDS PROGRAM ARGUMENT...
 *
 * Runs a program beside a model cluster of two brokers; an "@" that is an argument, or the end of
 * one behind "=", stands for where to reach it. 0 when the program ended with 0 and the topic holds
 * so many records afterwards; RECORDS may be "any". With --bearer nobody gets in without a token,
 * and sessions end with theirs.
 */
#define _GNU_SOURCE
#include "broker/login.h"
#include "broker/truth.h"
#include "tests/support/loop_broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTITIONS 3
#define TIMEOUT_MS 120000

static int64_t ended_with = -1;

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    ended_with = signal ? 128 + signal : status;
    uv_close((uv_handle_t *)process, NULL);
}

static void on_timeout(uv_timer_t *timer)
{
    uv_process_kill(timer->data, 9);
}

static void demand_tokens(kl_cluster *cluster, int32_t broker_count)
{
    kl_login_config login;
    kl_login_config_init(&login);
    login.mechanisms = KL_LOGIN_OAUTHBEARER;
    for (int32_t node = 1; node <= broker_count; node++) {
        if (kl_cluster_set_login(cluster, node, &login) != KL_CLUSTER_OK)
            exit(2);
    }
}

/* argument, or a longer one that ends with the place. */
static char *with_place(char *argument, const char *place)
{
    static char longer[256];
    size_t len = strlen(argument);
    if (len == 0 || argument[len - 1] != '@' || (len > 1 && argument[len - 2] != '='))
        return argument;
    snprintf(longer, sizeof longer, "%.*s%s", (int)len - 1, argument, place);
    return longer;
}

int main(int argc, char **argv)
{
    uv_loop_t loop;
    uv_process_t process;
    uv_timer_t timer;
    int32_t topic;
    bool bearer = argc > 1 && strcmp(argv[1], "--bearer") == 0;
    argc -= bearer;
    argv += bearer;
    if (argc < 4) {
        fprintf(stderr, "usage: %s [--bearer] TOPIC RECORDS PROGRAM ARGUMENT...\n",
                argv[-(int)bearer]);
        return 2;
    }
    kl_cluster_config config;
    kl_cluster_config_init(&config);
    config.broker_count = 2;
    kl_cluster *cluster = kl_cluster_new(&config);
    kl_topic_config made = {.name = argv[1], .partitions = PARTITIONS, .replication_factor = 1};
    if (uv_loop_init(&loop) || !cluster || kl_cluster_add_topic(cluster, &made, &topic))
        return 2;
    if (bearer)
        demand_tokens(cluster, config.broker_count);
    kl_loop_broker *broker = kl_loop_broker_new(&loop, cluster, config.broker_count);

    for (int i = 4; i < argc; i++)
        argv[i] = with_place(argv[i], kl_loop_broker_servers(broker));
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = 1},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    uv_process_options_t options = {
        .file = argv[3], .args = argv + 3, .exit_cb = on_exit_of, .stdio = stdio, .stdio_count = 3};
    int error = uv_spawn(&loop, &process, &options);
    if (error) {
        fprintf(stderr, "%s: %s\n", argv[3], uv_strerror(error));
        return 2;
    }
    uv_timer_init(&loop, &timer);
    timer.data = &process;
    uv_timer_start(&timer, on_timeout, TIMEOUT_MS, 0);
    uv_unref((uv_handle_t *)&timer);
    uv_run(&loop, UV_RUN_DEFAULT);

    uint64_t records = 0;
    for (int32_t p = 0; p < PARTITIONS; p++) {
        kl_partition_info info;
        kl_cluster_partition_info(cluster, topic, p, &info);
        records += info.records;
    }
    uv_close((uv_handle_t *)&timer, NULL);
    kl_loop_broker_close(broker);
    uv_run(&loop, UV_RUN_DEFAULT);
    error = uv_loop_close(&loop);
    kl_cluster_del(cluster);
    printf("ended with %d, %llu records stored\n", (int)ended_with, (unsigned long long)records);
    bool as_many = strcmp(argv[2], "any") == 0 || records == strtoull(argv[2], NULL, 10);
    return error || ended_with != 0 || !as_many;
}
