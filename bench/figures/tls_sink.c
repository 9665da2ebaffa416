/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cluster of one broker that counts and forgets, as `kloop sink --discard` does, behind OpenSSL's
 * own TLS server or in plain text: what bench/tls.py sends to.
 *
 *     figure_tls_sink tls CA_FILE      writes the CA's certificate there
 *     figure_tls_sink plain
 *
 * The first line of stdout is its address; at SIGTERM the last one is {"records": N}.
 */
#define _GNU_SOURCE
#include "broker/truth.h"
#include "tests/support/loop_broker.h"
#include "tests/support/tls_certificates.h"
#include "tests/support/tls_server_filter.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTITIONS 12

static kl_cluster *cluster;
static int32_t topic_handle;

static void on_signal(uv_signal_t *handle, int signal)
{
    (void)signal;
    uint64_t records = 0;
    for (int32_t p = 0; p < PARTITIONS; p++) {
        kl_partition_info info;
        kl_cluster_partition_info(cluster, topic_handle, p, &info);
        records += info.records;
    }
    printf("{\"records\": %llu}\n", (unsigned long long)records);
    fflush(stdout);
    uv_stop(handle->loop);
}

static void give_up(const char *why)
{
    fprintf(stderr, "figure_tls_sink: %s\n", why);
    exit(2);
}

static void use_tls(tls_server *server, const char *ca_file)
{
    const kl_tls_wish ca = {.name = "bench CA", .is_ca = true};
    const kl_tls_wish own = {.name = "bench broker", .names = "IP:127.0.0.1"};
    kl_tls_pair authority = kl_tls_pair_make(&ca, NULL);
    kl_tls_pair broker = kl_tls_pair_make(&own, &authority);
    char *pem = kl_tls_pem_certificate(&authority);
    FILE *to = fopen(ca_file, "w");
    if (!to || fputs(pem, to) < 0 || fclose(to))
        give_up("the CA's file cannot be written");
    free(pem);
    server->ctx = SSL_CTX_new(TLS_server_method());
    if (!server->ctx || SSL_CTX_use_certificate(server->ctx, broker.certificate) != 1 ||
        SSL_CTX_use_PrivateKey(server->ctx, broker.key) != 1)
        give_up("OpenSSL does not take the certificate");
    kl_tls_pair_free(&broker);
    kl_tls_pair_free(&authority);
}

int main(int argc, char **argv)
{
    static tls_server server;
    uv_loop_t loop;
    uv_signal_t terminated;
    bool tls = argc == 3 && strcmp(argv[1], "tls") == 0;
    if (!tls && !(argc == 2 && strcmp(argv[1], "plain") == 0))
        give_up("say 'tls CA_FILE' or 'plain'");
    uv_loop_init(&loop);
    kl_cluster_config config;
    kl_cluster_config_init(&config);
    config.broker_count = 1;
    config.discard = true;
    cluster = kl_cluster_new(&config);
    const kl_topic_config topic = {
        .name = "bench", .partitions = PARTITIONS, .replication_factor = 1};
    if (!cluster || kl_cluster_add_topic(cluster, &topic, &topic_handle) != KL_CLUSTER_OK)
        give_up("no cluster");
    kl_loop_broker *broker = kl_loop_broker_new(&loop, cluster, 1);
    if (tls) {
        use_tls(&server, argv[2]);
        kl_loop_broker_set_filters(broker, tls_server_maker(&server));
    }
    uv_signal_init(&loop, &terminated);
    uv_signal_start(&terminated, on_signal, SIGTERM);
    printf("listening on %s\n", kl_loop_broker_servers(broker));
    fflush(stdout);
    uv_run(&loop, UV_RUN_DEFAULT);
    return 0;
}
