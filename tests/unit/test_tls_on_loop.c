/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The producer on a libuv loop over TLS and with SASL, against a model cluster behind OpenSSL's own
 * server: records, back-pressure, ends in the middle of everything, tokens, certificates that are
 * exchanged while it runs.
 */
#define _GNU_SOURCE
#include "driver/uv_producer.h"
#include "tests/support/secure_world.h"
#include "tests/support/tls_certificates.h"
#include "tests/support/tls_server_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct identity {
    kl_tls_pair pair;
    char *pem; /* of the certificate */
} identity;

static identity authority, other_authority, broker_side;
static tls_server server;

/* names NULL: a CA. by NULL: signed by itself. */
static identity make_identity(const char *name, const char *names, const identity *by)
{
    const kl_tls_wish wish = {.name = name, .names = names, .is_ca = !names};
    identity made = {.pair = kl_tls_pair_make(&wish, by ? &by->pair : NULL)};
    made.pem = kl_tls_pem_certificate(&made.pair);
    return made;
}

static void drop_identity(identity *i)
{
    kl_tls_pair_free(&i->pair);
    free(i->pem);
}

static int make_identities(void **state)
{
    (void)state;
    authority = make_identity("kloop test CA", NULL, NULL);
    other_authority = make_identity("another CA", NULL, NULL);
    broker_side = make_identity("broker", "IP:127.0.0.1,DNS:localhost", &authority);
    return 0;
}

static int drop_identities(void **state)
{
    (void)state;
    drop_identity(&authority);
    drop_identity(&other_authority);
    drop_identity(&broker_side);
    return 0;
}

static void show(const identity *who)
{
    assert_int_equal(SSL_CTX_use_certificate(server.ctx, who->pair.certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server.ctx, who->pair.key), 1);
}

/* A cluster behind TLS. */
static void open_cluster(secure_world *w, int32_t brokers, unsigned mechanisms)
{
    memset(&server, 0, sizeof server);
    server.ctx = SSL_CTX_new(TLS_server_method());
    assert_non_null(server.ctx);
    show(&broker_side);
    secure_world_cluster(w, brokers, mechanisms, tls_server_maker(&server));
}

static void close_world(secure_world *w, uint64_t timeout_ms)
{
    secure_world_close(w, timeout_ms);
    SSL_CTX_free(server.ctx);
    assert_int_equal(server.live, 0);
}

#define TRUST "security.protocol", "SSL", "ssl.truststore.certificates", authority.pem
#define TRUST_AND_PLAIN                                                                            \
    "security.protocol", "SASL_SSL", "ssl.truststore.certificates", authority.pem,                 \
        "sasl.mechanism", "PLAIN", "sasl.username", "alice", "sasl.password", "alice-secret"

/* ---- Records ---- */

static void test_records(void **state)
{
    (void)state;
    const char *const settings[] = {TRUST_AND_PLAIN, NULL};
    for (int32_t brokers = 1; brokers <= 3; brokers += 2) {
        secure_world w;
        open_cluster(&w, brokers, KL_LOGIN_PLAIN);
        secure_world_producer(&w, settings);
        secure_world_send(&w, 1000);
        SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 1000);
        assert_int_equal(secure_world_stored(&w), 1000);
        assert_true(server.shaken >= 1);
        assert_string_equal(server.sni, "");
        assert_int_equal(secure_world_count("/proc/self/task"), 3);
        close_world(&w, 10000);
        assert_int_equal(server.failed, 0);
        assert_true(server.farewells >= 1);
        assert_true(w.stats.ever_ready);
    }
}

static uint8_t *some_bytes(size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + len);
    return bytes;
}

/* Values around the size of TLS's records, and an answer in pieces of any size. */
static void test_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,     1,     5,     1000,   16383, 16384,
                                   16385, 32768, 65537, 200000, 900000};
    static const size_t pieces[] = {0, 1, 7, 1400};
    const char *const settings[] = {TRUST_AND_PLAIN, "linger.ms", "0", NULL};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        secure_world w;
        open_cluster(&w, 2, KL_LOGIN_PLAIN);
        server.pieces_max = pieces[p];
        secure_world_producer(&w, settings);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            uint8_t *bytes = some_bytes(sizes[i]);
            secure_world_send_bytes(&w, bytes, sizes[i]);
            secure_world_send_bytes(&w, bytes, sizes[i]);
            free(bytes);
            if (i % 3 == 0)
                SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 2 * (i + 1));
        }
        close_world(&w, 20000);
        assert_int_equal(w.reported[KLOOP_OUTCOME_ACKED], 2 * sizeof sizes / sizeof *sizes);
        assert_int_equal(w.stats.retries, 0);
        /* The batches' checksums were looked at on the other side. */
        assert_int_equal(w.stats.failed + w.stats.unknown, 0);
    }
}

/* Megabytes, while the broker stands still now and then: nothing is lost, and what waits inside TLS
 * does not grow. */
static void test_back_pressure(void **state)
{
    (void)state;
    const char *const settings[] = {TRUST, "buffer.memory", "2097152", "batch.size", "65536", NULL};
    secure_world w;
    open_cluster(&w, 2, 0);
    secure_world_producer(&w, settings);
    kloop_on_writable(w.producer, secure_world_on_writable, &w);
    w.wanted = 50000;
    secure_world_on_writable(w.producer, &w);
    for (uint64_t acked = 5000; acked < 50000; acked += 10000) {
        SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] >= acked);
        kl_loop_broker_stall(w.broker, true);
        for (int i = 0; i < 30; i++)
            uv_run(&w.loop, UV_RUN_NOWAIT);
        kl_loop_broker_stall(w.broker, false);
    }
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 50000);
    assert_int_equal(secure_world_stored(&w), 50000);
    assert_true(w.memory.peak_bytes < 2097152 + 5000000);
    assert_true(kloop_loop_hold_max_ns(w.producer) > 0);
    close_world(&w, 10000);
}

/* Connections are torn in the middle of TLS records; what comes back is a session that is taken up
 * again. */
static void test_resets_and_resumption(void **state)
{
    (void)state;
    const char *const settings[] = {TRUST_AND_PLAIN, "retry.backoff.ms", "1", NULL};
    secure_world w;
    open_cluster(&w, 1, KL_LOGIN_PLAIN);
    secure_world_producer(&w, settings);
    kloop_on_writable(w.producer, secure_world_on_writable, &w);
    w.wanted = 40000;
    secure_world_on_writable(w.producer, &w);
    for (size_t shaken = 1; shaken <= 6; shaken++) {
        uint64_t acked = w.reported[KLOOP_OUTCOME_ACKED];
        SECURE_RUN_UNTIL(&w, server.shaken >= shaken && w.reported[KLOOP_OUTCOME_ACKED] > acked);
        if (shaken < 6)
            kl_loop_broker_reset(w.broker);
    }
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 40000);
    assert_int_equal(secure_world_stored(&w), 40000);
    assert_true(server.shaken >= 6);
    assert_true(server.resumed >= server.shaken - 2);
    close_world(&w, 10000);
}

/* ---- Refusals ---- */

#define SHORT "delivery.timeout.ms", "3000", "request.timeout.ms", "1000", "linger.ms", "0"

/* Sends a record that nobody gets, until it is reported or the log says something. */
static void expect_refusal(secure_world *w, const char *const *settings, const char *wanted)
{
    secure_world_producer(w, settings);
    secure_world_send(w, 3);
    SECURE_RUN_UNTIL(w, strstr(w->log, wanted));
    /* Reported as failed: by the cause, or by its time. */
    SECURE_RUN_UNTIL(w, w->reported[KLOOP_OUTCOME_FAILED] == 3);
    assert_int_equal(secure_world_stored(w), 0);
    close_world(w, 0);
    assert_false(w->stats.ever_ready);
}

static void test_untrusted(void **state)
{
    (void)state;
    const char *const settings[] = {"security.protocol", "SSL", "ssl.truststore.certificates",
                                    other_authority.pem, SHORT, NULL};
    secure_world w;
    open_cluster(&w, 1, 0);
    expect_refusal(&w, settings, "TLS with 127.0.0.1:");
    /* Not a byte behind the handshake. */
    assert_int_equal(server.shaken, 0);
    assert_true(server.failed >= 1);
    secure_world_expect(server.why, "unknown ca");
    secure_world_expect(w.log, "0 ");
}

static void test_wrong_name(void **state)
{
    (void)state;
    const char *const settings[] = {TRUST, SHORT, NULL};
    identity elsewhere = make_identity("elsewhere", "DNS:elsewhere.example", &authority);
    secure_world w;
    open_cluster(&w, 1, 0);
    show(&elsewhere);
    expect_refusal(&w, settings, "elsewhere.example");
    assert_int_equal(server.shaken, 0);
    drop_identity(&elsewhere);
}

static void test_wrong_password(void **state)
{
    (void)state;
    const char *const settings[] = {"security.protocol",
                                    "SASL_SSL",
                                    "ssl.truststore.certificates",
                                    authority.pem,
                                    "sasl.mechanism",
                                    "PLAIN",
                                    "sasl.username",
                                    "alice",
                                    "sasl.password",
                                    "wrong-secret",
                                    SHORT,
                                    NULL};
    secure_world w;
    open_cluster(&w, 1, KL_LOGIN_PLAIN);
    expect_refusal(&w, settings, "PLAIN");
    assert_null(strstr(w.log, "wrong-secret"));
}

/* Plain text at a port that speaks TLS, and the other way round. */
static void test_wrong_protocol(void **state)
{
    (void)state;
    const char *const plain[] = {SHORT, NULL};
    const char *const tls[] = {TRUST, SHORT, NULL};
    secure_world w;
    open_cluster(&w, 1, 0);
    expect_refusal(&w, plain, "TLS");
    open_cluster(&w, 1, 0);
    kl_loop_broker_set_filters(w.broker, (kl_byte_filter_maker){NULL, NULL});
    expect_refusal(&w, tls, "TLS with 127.0.0.1:");
}

/* The broker wants a certificate that we have not got: TLS 1.3 lets him say so only when we are
 * through. */
static void test_certificate_wanted(void **state)
{
    (void)state;
    const char *const settings[] = {TRUST, SHORT, NULL};
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (int i = 0; i < 2; i++) {
        secure_world w;
        open_cluster(&w, 1, 0);
        SSL_CTX_set_verify(server.ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_max_proto_version(server.ctx, versions[i]);
        expect_refusal(&w, settings, "ssl.keystore");
    }
}

/* ---- Ends in the middle ---- */

/* In each turn of connecting, shaking hands, logging in and sending. */
static void test_close_after_turns(void **state)
{
    (void)state;
    const char *const settings[] = {TRUST_AND_PLAIN, NULL};
    for (int turns = 0; turns < 40; turns++) {
        secure_world w;
        open_cluster(&w, 2, KL_LOGIN_PLAIN);
        secure_world_producer(&w, settings);
        secure_world_send(&w, 500);
        for (int i = 0; i < turns; i++)
            uv_run(&w.loop, UV_RUN_NOWAIT);
        close_world(&w, turns % 3 == 0 ? 0 : 10000);
        assert_int_equal(w.stats.accepted, 500);
        if (turns % 3 != 0)
            assert_int_equal(w.reported[KLOOP_OUTCOME_ACKED], 500);
    }
}

/* A child takes its handles back and says nothing to the broker; the parent goes on. */
static void test_fork(void **state)
{
    (void)state;
    const char *const settings[] = {TRUST_AND_PLAIN, "warn.at.exit", "false", NULL};
    secure_world w;
    open_cluster(&w, 1, KL_LOGIN_PLAIN);
    secure_world_producer(&w, settings);
    secure_world_send(&w, 10);
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 10);
    secure_world_send(&w, 10);
    pid_t child = fork();
    if (child == 0) {
        uv_loop_fork(&w.loop);
        kloop_close(w.producer, 0, secure_world_on_closed, &w);
        while (!w.closed)
            uv_run(&w.loop, UV_RUN_ONCE);
        _exit(w.memory.live_blocks == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 20);
    secure_world_send(&w, 10);
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 30);
    assert_int_equal(server.shaken, 1);
    assert_int_equal(server.failed, 0);
    assert_int_equal(server.farewells, 0);
    close_world(&w, 1000);
}

/* Each allocation of a producer's life fails once: nothing is lost, nothing left. */
static void test_no_memory(void **state)
{
    (void)state;
    const char *const settings[] = {TRUST_AND_PLAIN,
                                    "retry.backoff.ms",
                                    "1",
                                    "socket.connection.setup.timeout.ms",
                                    "500",
                                    NULL};
    secure_world w;
    open_cluster(&w, 1, KL_LOGIN_PLAIN);
    for (size_t nth = 1;; nth++) {
        kloop_config *config = secure_world_config(&w, settings);
        kl_fail_alloc_init(&w.memory, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&w.memory);
        kloop_error error = {.status = KLOOP_OK};
        kloop_status status = kloop_open_with(&w.producer, &w.loop, config, &alloc, &error);
        kloop_config_del(config);
        w.closed = w.dead_turns = 0;
        if (status == KLOOP_OK) {
            if (kloop_topic_get(w.producer, "events", &w.topic, NULL) == KLOOP_OK) {
                for (int i = 0; i < 10; i++)
                    (void)kloop_send(w.topic, &(kloop_record){.value = {(const uint8_t *)"a", 1}});
            }
            for (int i = 0; i < 25; i++)
                uv_run(&w.loop, UV_RUN_NOWAIT);
            kloop_close(w.producer, 50, secure_world_on_closed, &w);
            SECURE_RUN_UNTIL(&w, w.closed);
            assert_int_equal(w.stats.accepted, w.stats.acked + w.stats.failed + w.stats.unknown);
        } else {
            assert_int_equal(status, KLOOP_NO_MEMORY);
            assert_int_equal(error.status, KLOOP_NO_MEMORY);
            assert_true(strlen(error.text) > 5);
        }
        size_t refused = w.memory.refused;
        kl_fail_alloc_check(&w.memory);
        if (!refused)
            break;
    }
    w.producer = NULL;
    close_world(&w, 0);
}

/* ---- Long lives ---- */

/* New keys with each answer: what has to be said for that goes out between the records. */
static void test_new_keys(void **state)
{
    (void)state;
    const char *const settings[] = {TRUST, "linger.ms", "0", NULL};
    secure_world w;
    open_cluster(&w, 1, 0);
    server.renews_keys = true;
    secure_world_producer(&w, settings);
    for (uint64_t i = 1; i <= 200; i++) {
        secure_world_send(&w, 3);
        if (i % 5 == 0)
            SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 3 * i);
    }
    assert_int_equal(server.shaken, 1);
    close_world(&w, 1000);
}

/* The CA's file and the broker's certificate are exchanged while the producer runs: it reconnects
 * until it looks at its file again, and goes on. */
static void test_rotation(void **state)
{
    (void)state;
    kl_tls_folder folder = kl_tls_test_folder_new();
    char ca_file[128];
    identity renewed = make_identity("broker", "IP:127.0.0.1", &other_authority);
    kl_tls_test_text(&folder, "ca.pem", authority.pem);
    kl_tls_test_path(&folder, "ca.pem", ca_file);
    const char *const settings[] = {
        "security.protocol", "SSL", "ssl.truststore.location", ca_file, "linger.ms", "0", NULL};
    secure_world w;
    open_cluster(&w, 1, 0);
    secure_world_producer(&w, settings);
    secure_world_send(&w, 3);
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 3);
    /* Trouble with the file is told, and what was loaded stays. */
    kl_tls_test_text(&folder, "ca.pem", "no certificate at all\n");
    for (size_t shaken = server.shaken; !strstr(w.log, "stay as they were"); shaken++) {
        kl_loop_broker_reset(w.broker);
        secure_world_send(&w, 1);
        SECURE_RUN_UNTIL(&w, server.shaken > shaken);
    }
    show(&renewed);
    SSL_CTX_flush_sessions(server.ctx, 0);
    kl_tls_test_text(&folder, "ca.pem", other_authority.pem);
    size_t shaken = server.shaken;
    kl_loop_broker_reset(w.broker);
    secure_world_send(&w, 3);
    SECURE_RUN_UNTIL(&w, server.shaken > shaken);
    close_world(&w, 10000);
    assert_int_equal(w.stats.failed + w.stats.unknown, 0);
    kl_tls_test_folder_del(&folder);
    drop_identity(&renewed);
}

/* A name is what the certificate must be for, and what is asked for. */
static void test_names(void **state)
{
    (void)state;
    secure_world w;
    char servers[64];
    open_cluster(&w, 1, 0);
    snprintf(servers, sizeof servers, "localhost:%u", (unsigned)kl_loop_broker_port(w.broker, 1));
    const char *const by_name[] = {TRUST, "bootstrap.servers", servers, NULL};
    kl_cluster_set_address(w.cluster, 1, "localhost", kl_loop_broker_port(w.broker, 1), NULL);
    secure_world_producer(&w, by_name);
    secure_world_send(&w, 3);
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 3);
    assert_string_equal(server.sni, "localhost");
    close_world(&w, 1000);
}

/* ---- Stalls ---- */

static void on_turn(uv_prepare_t *prepare)
{
    ++*(size_t *)prepare->data;
}

/* A server that falls silent at any byte of its handshake: the time for setting up a connection
 * ends it, and until then the loop sleeps. */
static void test_stalls(void **state)
{
    (void)state;
    const char *const settings[] = {TRUST, "socket.connection.setup.timeout.ms",
                                    "40",  "socket.connection.setup.timeout.max.ms",
                                    "40",  NULL};
    for (size_t bytes = 1; bytes < 700; bytes += bytes < 20 ? 1 : 23) {
        size_t turns = 0;
        uv_prepare_t prepare;
        secure_world w;
        open_cluster(&w, 1, 0);
        server.mute_after = bytes;
        secure_world_producer(&w, settings);
        secure_world_send(&w, 1);
        uv_prepare_init(&w.loop, &prepare);
        prepare.data = &turns;
        uv_prepare_start(&prepare, on_turn);
        SECURE_RUN_UNTIL(&w, w.log[0]);
        secure_world_expect(w.log, "setup.timeout");
        if (turns > 100)
            fail_msg("%zu turns of the loop for a handshake that stalls at byte %zu", turns, bytes);
        uv_close((uv_handle_t *)&prepare, NULL);
        close_world(&w, 0);
        assert_int_equal(server.shaken, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_resets_and_resumption),
        cmocka_unit_test(test_untrusted),
        cmocka_unit_test(test_wrong_name),
        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_wrong_protocol),
        cmocka_unit_test(test_certificate_wanted),
        cmocka_unit_test(test_close_after_turns),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_new_keys),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_stalls),
    };
    return cmocka_run_group_tests(tests, make_identities, drop_identities);
}
