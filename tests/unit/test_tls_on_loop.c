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
    };
    return cmocka_run_group_tests(tests, make_identities, drop_identities);
}
