/* SPDX-License-Identifier: BSD-2-Clause */
/* driver/tls_verify.c, tls_why.c, tls_ciphers.c: who is believed and who is not, and what is said
 * of it. */
#include "tests/support/tls_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY_MS INT64_C(86400000)

static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};

/* A handshake with a server that has this certificate and chain: UP, or the sentence. */
static void meet(kl_tls_world *w, const kl_tls_wish *wish, const kl_tls_pair *issuer)
{
    kl_tls_pair p = kl_tls_pair_make(wish, issuer);
    kl_tls_world_serve(w, &p, NULL);
    kl_tls_pair_free(&p);
}

static void begin(kl_tls_world *w, const char *version)
{
    kl_tls_world_init(w);
    kl_tls_world_set(w, "ssl.enabled.protocols", version);
    kl_tls_world_open(w);
}

#define FAILS(w, host, ...)                                                                        \
    do {                                                                                           \
        kl_tls_world_connect(w, host);                                                             \
        kl_tls_world_fails(w, true, __VA_ARGS__, NULL);                                            \
        kl_tls_world_disconnect(w);                                                                \
    } while (0)

static void comes_up(kl_tls_world *w, const char *host)
{
    kl_tls_world_connect(w, host);
    kl_tls_world_up(w);
    kl_tls_world_disconnect(w);
}

static void another_ca_is_not_trusted(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        begin(&w, versions[v]);
        kl_tls_pair other =
            kl_tls_pair_make(&(kl_tls_wish){.name = "Other CA", .is_ca = true}, NULL);
        meet(&w, &(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, &other);
        FAILS(&w, "broker1", "broker1:9093", "CN=broker1", "CN=Other CA",
              "ssl.truststore.certificates", "not trusted");
        /* With its own CA along, and one of the same name as ours. */
        kl_tls_pair p =
            kl_tls_pair_make(&(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, &other);
        kl_tls_world_serve(&w, &p, (const kl_tls_pair *const[]){&other, NULL});
        FAILS(&w, "broker1", "chain ends at", "CN=Other CA");
        kl_tls_pair_free(&p);
        kl_tls_pair twin = kl_tls_pair_make(&(kl_tls_wish){.name = "Test CA", .is_ca = true}, NULL);
        meet(&w, &(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, &twin);
        FAILS(&w, "broker1", "broker1:9093", "has another key");
        kl_tls_pair_free(&twin);
        kl_tls_pair_free(&other);
        kl_tls_world_deinit(&w);
    }
}

static void one_that_signs_itself_is_not_trusted(void **state)
{
    (void)state;
    kl_tls_world w;
    begin(&w, "TLSv1.3");
    kl_tls_pair self =
        kl_tls_pair_make(&(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, NULL);
    kl_tls_world_serve(&w, &self, NULL);
    FAILS(&w, "broker1", "signed by itself", "CN=broker1", "ssl.truststore.location");
    /* Unless it is the very one that is trusted. */
    char *pem = kl_tls_pem_certificate(&self);
    kl_tls_world_set(&w, "ssl.truststore.certificates", pem);
    free(pem);
    kloop_tls_del(w.tls);
    kl_tls_world_open(&w);
    comes_up(&w, "broker1");
    kl_tls_pair_free(&self);
    kl_tls_world_deinit(&w);
}

static void times_are_looked_at(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        begin(&w, versions[v]);
        meet(&w,
             &(kl_tls_wish){.name = "broker1",
                            .names = "DNS:broker1",
                            .until_ms = KL_TLS_TEST_WALL_MS - DAY_MS},
             &w.ca);
        FAILS(&w, "broker1", "has expired", "2029-12-31 00:00:00 UTC", "2030-01-01 00:00:00 UTC",
              "CN=broker1");
        meet(&w,
             &(kl_tls_wish){.name = "broker1",
                            .names = "DNS:broker1",
                            .from_ms = KL_TLS_TEST_WALL_MS + DAY_MS},
             &w.ca);
        FAILS(&w, "broker1", "not valid yet", "2030-01-02 00:00:00 UTC", "2030-01-01 00:00:00 UTC",
              "clock");
        /* The time is the host's, not the machine's. */
        w.now.wall_ms += 2 * DAY_MS;
        comes_up(&w, "broker1");
        kl_tls_world_deinit(&w);
    }
}

static void names_are_looked_at(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        begin(&w, versions[v]);
        /* own is for broker1, *.example.org, 127.0.0.1, ::1 */
        const char *const good[] = {"broker1",   "BROKER1", "broker1.", "a.example.org",
                                    "127.0.0.1", "::1",     "::1%lo",   "0:0:0:0:0:0:0:1"};
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
            comes_up(&w, good[i]);
        const char *const bad[] = {"broker2",         "broker1.example.com", "example.org",
                                   "a.b.example.org", "broker1..",           "*.example.org.evil"};
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
            FAILS(&w, bad[i], "DNS:broker1, DNS:*.example.org, IP:127.0.0.1, IP:::1",
                  "another name");
        FAILS(&w, "127.0.0.2", "IP:127.0.0.2", "another name");
        FAILS(&w, "::2", "IP:::2", "another name");
        /* An address is no name, also where a name looks like it; a part of a label is no wildcard.
         */
        meet(&w, &(kl_tls_wish){.name = "127.0.0.1", .names = "DNS:127.0.0.1,DNS:b*.example.org"},
             &w.ca);
        FAILS(&w, "127.0.0.1", "another name");
        FAILS(&w, "broker1.example.org", "another name");
        /* Old ones have a common name alone; where there are other names it says nothing. */
        meet(&w, &(kl_tls_wish){.name = "broker1"}, &w.ca);
        comes_up(&w, "broker1");
        FAILS(&w, "broker2", "CN:broker1");
        meet(&w, &(kl_tls_wish){.name = "broker1", .names = "DNS:broker2"}, &w.ca);
        FAILS(&w, "broker1", "DNS:broker2");
        kl_tls_world_deinit(&w);
    }
}

static void none_leaves_the_name_out(void **state)
{
    (void)state;
    const char *const none[] = {"none", "", "NONE"};
    for (size_t i = 0; i < 3; i++) {
        kl_tls_world w;
        kl_tls_world_init(&w);
        kl_tls_world_set(&w, "ssl.endpoint.identification.algorithm", none[i]);
        kl_tls_world_open(&w);
        comes_up(&w, "whoever");
        /* Nothing else is left out. */
        kl_tls_pair other =
            kl_tls_pair_make(&(kl_tls_wish){.name = "Other CA", .is_ca = true}, NULL);
        meet(&w, &(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, &other);
        FAILS(&w, "whoever", "not trusted");
        kl_tls_pair_free(&other);
        kl_tls_world_deinit(&w);
    }
}

/* The name that was asked for reaches the server; an address does not. */
static char asked_for[64];

static int on_server_name(SSL *ssl, int *alert, void *me)
{
    (void)alert;
    (void)me;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    strcpy(asked_for, name ? name : "(none)");
    return SSL_TLSEXT_ERR_OK;
}

static void names_are_told(void **state)
{
    (void)state;
    kl_tls_world w;
    begin(&w, "TLSv1.3");
    SSL_CTX_set_tlsext_servername_callback(w.server, on_server_name);
    const char *const pairs[][2] = {{"broker1.", "broker1"},
                                    {"a.example.org", "a.example.org"},
                                    {"127.0.0.1", "(none)"},
                                    {"::1", "(none)"}};
    for (size_t i = 0; i < 4; i++) {
        asked_for[0] = 0;
        comes_up(&w, pairs[i][0]);
        assert_string_equal(asked_for[0] ? asked_for : "(none)", pairs[i][1]);
    }
    kl_tls_world_deinit(&w);
}

static void chains_are_followed(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        begin(&w, versions[v]);
        kl_tls_pair between =
            kl_tls_pair_make(&(kl_tls_wish){.name = "Between CA", .is_ca = true}, &w.ca);
        kl_tls_pair leaf =
            kl_tls_pair_make(&(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, &between);
        kl_tls_world_serve(&w, &leaf, (const kl_tls_pair *const[]){&between, NULL});
        kl_tls_world_connect(&w, "broker1");
        kl_tls_world_up(&w);
        kloop_tls_facts facts;
        kloop_tls_certificate certificate;
        kloop_tls_facts_of(w.c, &facts);
        assert_int_equal(facts.certificate_count, 2);
        assert_true(kloop_tls_certificate_at(w.c, 1, &certificate));
        assert_string_equal(certificate.subject, "CN=Between CA, O=kloop tests");
        assert_false(kloop_tls_certificate_at(w.c, 2, &certificate));
        kl_tls_world_disconnect(&w);
        kl_tls_world_serve(&w, &leaf, NULL);
        FAILS(&w, "broker1", "CN=Between CA", "in between");
        /* One that is no CA signs for another. */
        kl_tls_pair plain = kl_tls_pair_make(&(kl_tls_wish){.name = "Plain"}, &w.ca);
        kl_tls_pair forged =
            kl_tls_pair_make(&(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, &plain);
        kl_tls_world_serve(&w, &forged, (const kl_tls_pair *const[]){&plain, NULL});
        FAILS(&w, "broker1", "broker1:9093", "refused");
        kl_tls_pair_free(&plain);
        kl_tls_pair_free(&forged);
        kl_tls_pair_free(&leaf);
        kl_tls_pair_free(&between);
        meet(&w, &(kl_tls_wish){.name = "broker1", .names = "DNS:broker1", .usage = "clientAuth"},
             &w.ca);
        FAILS(&w, "broker1", "not made for servers");
        kl_tls_world_deinit(&w);
    }
}

static void facts_are_told(void **state)
{
    (void)state;
    kl_tls_world w;
    begin(&w, "TLSv1.3");
    kl_tls_world_connect(&w, "broker1");
    kloop_tls_facts facts;
    kloop_tls_certificate certificate;
    kloop_tls_facts_of(w.c, &facts);
    assert_string_equal(facts.version, "");
    assert_string_equal(facts.cipher, "");
    assert_string_equal(facts.verdict, "");
    assert_string_equal(facts.trust, "ssl.truststore.certificates");
    assert_int_equal(facts.certificate_count, 0);
    assert_false(kloop_tls_certificate_at(w.c, 0, &certificate));
    kl_tls_world_up(&w);
    kloop_tls_facts_of(w.c, &facts);
    assert_string_equal(facts.version, "TLSv1.3");
    assert_string_equal(facts.cipher, "TLS_AES_256_GCM_SHA384");
    assert_string_equal(facts.group, "X25519");
    assert_string_equal(facts.verdict, "ok");
    assert_false(facts.resumed);
    assert_false(facts.certificate_asked);
    assert_int_equal(facts.certificate_count, 1);
    assert_true(kloop_tls_certificate_at(w.c, 0, &certificate));
    assert_string_equal(certificate.subject, "CN=broker1, O=kloop tests");
    assert_string_equal(certificate.issuer, "CN=Test CA, O=kloop tests");
    assert_string_equal(certificate.names, "DNS:broker1, DNS:*.example.org, IP:127.0.0.1, IP:::1");
    assert_string_equal(certificate.key, "EC prime256v1");
    assert_int_equal(strlen(certificate.sha256), 64);
    assert_true(certificate.not_before_ms == KL_TLS_TEST_FROM_MS);
    assert_true(certificate.not_after_ms == KL_TLS_TEST_UNTIL_MS);
    kl_tls_world_disconnect(&w);
    /* What was refused is told as well. */
    meet(&w, &(kl_tls_wish){.name = "broker2", .names = "DNS:broker2"}, &w.ca);
    kl_tls_world_connect(&w, "broker1");
    kl_tls_world_fails(&w, true, "broker2", NULL);
    kloop_tls_facts_of(w.c, &facts);
    assert_string_equal(facts.verdict, "hostname mismatch");
    assert_int_equal(facts.certificate_count, 1);
    assert_true(kloop_tls_certificate_at(w.c, 0, &certificate));
    assert_string_equal(certificate.names, "DNS:broker2");
    kl_tls_world_disconnect(&w);
    kl_tls_world_deinit(&w);
}

/* ---- Peers that are none ---- */

static void other_protocols_are_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *word;
    } peers[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", 28, "HTTP"},
        {"SSH-2.0-OpenSSH_9.2\r\n", 21, "SSH"},
        {"\0\0\0\x0a\0\0\0\1\0\x23\0\0\0\0", 14, "Kafka"},
        {"220 mail.example.org ESMTP\r\n", 28, "something else"},
        {"\xff", 1, "something else"},
        {"HT", 2, "something else"},
    };
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++)
        for (size_t piece = 1; piece <= 2; piece++) {
            kl_tls_world w;
            begin(&w, "TLSv1.2,TLSv1.3");
            kl_tls_world_connect(&w, "broker1");
            size_t n = 0, room;
            while (n < peers[i].len && kloop_tls_state_of(w.c) == KLOOP_TLS_SHAKING) {
                size_t part = piece == 1 ? 1 : peers[i].len;
                memcpy(kloop_tls_receive_space(w.c, &room), peers[i].bytes + n, part);
                kloop_tls_received(w.c, part);
                n += part;
            }
            kloop_tls_received_end(w.c);
            assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_FAILED);
            assert_true(kloop_tls_untrusted(w.c));
            if (!strstr(kloop_tls_why(w.c), peers[i].word) ||
                !strstr(kloop_tls_why(w.c), "PLAINTEXT"))
                fail_msg("%s", kloop_tls_why(w.c));
            kl_tls_world_disconnect(&w);
            kl_tls_world_deinit(&w);
        }
}

/* ---- The peer refuses us ---- */

static void a_certificate_is_demanded(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        begin(&w, versions[v]);
        kl_tls_server_demand(w.server, &w.ca);
        FAILS(&w, "broker1", "asks for a certificate", "ssl.keystore.location");
        kl_tls_pair other =
            kl_tls_pair_make(&(kl_tls_wish){.name = "Other CA", .is_ca = true}, NULL);
        kl_tls_pair client = kl_tls_pair_make(&(kl_tls_wish){.name = "alice"}, &other);
        char *key = kl_tls_pem_key_text(&client, NULL),
             *certificate = kl_tls_pem_certificate(&client);
        kl_tls_world_set(&w, "ssl.keystore.key", key);
        kl_tls_world_set(&w, "ssl.keystore.certificate.chain", certificate);
        kloop_tls_del(w.tls);
        kl_tls_world_open(&w);
        kl_tls_world_connect(&w, "broker1");
        kl_tls_world_fails(&w, true, "unknown CA", "broker's truststore", NULL);
        kloop_tls_facts facts;
        kloop_tls_facts_of(w.c, &facts);
        assert_true(facts.certificate_asked);
        assert_true(facts.certificate_sent);
        kl_tls_world_disconnect(&w);
        free(key);
        free(certificate);
        kl_tls_pair_free(&client);
        kl_tls_pair_free(&other);
        kl_tls_world_deinit(&w);
    }
}

static void versions_must_fit(void **state)
{
    (void)state;
    kl_tls_world w;
    begin(&w, "TLSv1.3");
    SSL_CTX_set_max_proto_version(w.server, TLS1_2_VERSION);
    FAILS(&w, "broker1", "protocol version", "ssl.enabled.protocols");
    kl_tls_world_deinit(&w);
    begin(&w, "TLSv1.2");
    SSL_CTX_set_min_proto_version(w.server, TLS1_3_VERSION);
    FAILS(&w, "broker1", "protocol version", "ssl.enabled.protocols");
    kl_tls_world_deinit(&w);
    kl_tls_world_init(&w);
    kl_tls_world_set(&w, "ssl.protocol", "TLSv1.2");
    kl_tls_world_open(&w);
    SSL_CTX_set_min_proto_version(w.server, TLS1_3_VERSION);
    FAILS(&w, "broker1", "protocol version");
    kl_tls_world_deinit(&w);
}

static void speaks(kl_tls_world *w, const char *suites, const char *version, const char *cipher)
{
    kl_tls_world_set(w, "ssl.cipher.suites", suites);
    kloop_tls_del(w->tls);
    kl_tls_world_open(w);
    kl_tls_world_connect(w, "broker1");
    kl_tls_world_up(w);
    kloop_tls_facts facts;
    kloop_tls_facts_of(w->c, &facts);
    assert_string_equal(facts.version, version);
    assert_string_equal(facts.cipher, cipher);
    kl_tls_world_disconnect(w);
}

static void suites_have_two_names(void **state)
{
    (void)state;
    kl_tls_world w;
    begin(&w, "TLSv1.2,TLSv1.3");
    speaks(&w, "TLS_AES_128_GCM_SHA256", "TLSv1.3", "TLS_AES_128_GCM_SHA256");
    const char *const iana = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    speaks(&w, iana, "TLSv1.2", iana);
    speaks(&w, "ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2", iana);
    speaks(&w, "SSL_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
           "TLSv1.2", iana);
    speaks(&w, "ECDHE-ECDSA-AES128-GCM-SHA256, TLS_CHACHA20_POLY1305_SHA256", "TLSv1.3",
           "TLS_CHACHA20_POLY1305_SHA256");
    speaks(&w, "HIGH:!AES256", "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    kloop_tls_del(w.tls);
    w.tls = NULL;
    kl_tls_world_set(&w, "ssl.cipher.suites", "TLS_AES_128_GCM_SHA256,TLS_RSA_WITH_ROT13");
    kl_tls_world_refused(&w, "ssl.cipher.suites", "TLS_RSA_WITH_ROT13", NULL);
    kl_tls_world_set(&w, "ssl.cipher.suites", "aNULL");
    kl_tls_world_refused(&w, "ssl.cipher.suites", NULL);
    kl_tls_world_set(&w, "ssl.cipher.suites", "TLS_AES_128_GCM_SHA256");
    kl_tls_world_set(&w, "ssl.enabled.protocols", "TLSv1.2");
    kl_tls_world_refused(&w, "ssl.cipher.suites", "ssl.enabled.protocols", NULL);
    kl_tls_world_deinit(&w);
}

static void nothing_in_common_is_told(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        kl_tls_world_init(&w);
        kl_tls_world_set(&w, "ssl.cipher.suites",
                         v ? "TLS_AES_128_GCM_SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256");
        kl_tls_world_open(&w);
        SSL_CTX_set_cipher_list(w.server, "ECDHE-ECDSA-AES256-GCM-SHA384");
        SSL_CTX_set_ciphersuites(w.server, "TLS_AES_256_GCM_SHA384");
        FAILS(&w, "broker1", "handshake failure", "ssl.cipher.suites");
        kl_tls_world_deinit(&w);
    }
}

static void groups_and_signatures_can_be_chosen(void **state)
{
    (void)state;
    kl_tls_world w;
    kl_tls_world_init(&w);
    kl_tls_world_set(&w, "ssl.curves.list", "P-384:X25519");
    kl_tls_world_set(&w, "ssl.sigalgs.list", "ECDSA+SHA256:RSA+SHA256");
    kl_tls_world_open(&w);
    kl_tls_world_connect(&w, "broker1");
    kl_tls_world_up(&w);
    kloop_tls_facts facts;
    kloop_tls_facts_of(w.c, &facts);
    assert_string_equal(facts.group, "secp384r1");
    kl_tls_world_disconnect(&w);
    kloop_tls_del(w.tls);
    w.tls = NULL;
    kl_tls_world_set(&w, "ssl.curves.list", "P-384:P-385");
    kl_tls_world_refused(&w, "ssl.curves.list", "P-385", NULL);
    kl_tls_world_set(&w, "ssl.curves.list", "P-384");
    kl_tls_world_set(&w, "ssl.sigalgs.list", "ECDSA+ROT13");
    kl_tls_world_refused(&w, "ssl.sigalgs.list", "ECDSA+ROT13", NULL);
    kl_tls_world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_ca_is_not_trusted),
        cmocka_unit_test(one_that_signs_itself_is_not_trusted),
        cmocka_unit_test(times_are_looked_at),
        cmocka_unit_test(names_are_looked_at),
        cmocka_unit_test(none_leaves_the_name_out),
        cmocka_unit_test(names_are_told),
        cmocka_unit_test(chains_are_followed),
        cmocka_unit_test(facts_are_told),
        cmocka_unit_test(other_protocols_are_recognised),
        cmocka_unit_test(a_certificate_is_demanded),
        cmocka_unit_test(versions_must_fit),
        cmocka_unit_test(suites_have_two_names),
        cmocka_unit_test(nothing_in_common_is_told),
        cmocka_unit_test(groups_and_signatures_can_be_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
