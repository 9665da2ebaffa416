/* SPDX-License-Identifier: BSD-2-Clause */
/* driver/tls_sessions.c, tls_context.c: sessions that are taken up by later connections, and files
 * that change under a running producer. */
#include "tests/support/tls_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_NS UINT64_C(1000000000)
#define DAY_MS    INT64_C(86400000)

static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};

/* A connection from its beginning to its end; was it taken up? */
static bool resumes(kl_tls_world *w, const char *host)
{
    uint8_t got[8];
    kl_tls_world_connect(w, host);
    kl_tls_world_up(w);
    kl_tls_wire_server_write(&w->wire, "x", 1);
    /* In 1.3 the tickets come behind the handshake. */
    assert_int_equal(kl_tls_wire_read(&w->wire, got, 8), 1);
    kl_tls_world_talk(w, 1000);
    kloop_tls_facts facts;
    kloop_tls_certificate certificate;
    kloop_tls_facts_of(w->c, &facts);
    assert_int_equal(facts.resumed, SSL_session_reused(w->wire.server));
    /* Whom it was verified for is known then, too. */
    assert_true(kloop_tls_certificate_at(w->c, 0, &certificate));
    assert_string_equal(certificate.subject, "CN=broker1, O=kloop tests");
    kl_tls_world_disconnect(w);
    return facts.resumed;
}

static void begin(kl_tls_world *w, const char *version)
{
    kl_tls_world_init(w);
    kl_tls_world_set(w, "ssl.enabled.protocols", version);
    kl_tls_world_open(w);
}

static void the_next_connection_resumes(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        begin(&w, versions[v]);
        assert_false(resumes(&w, "broker1"));
        for (int i = 0; i < 5; i++)
            assert_true(resumes(&w, "broker1"));
        /* For another name nothing was verified. */
        assert_false(resumes(&w, "127.0.0.1"));
        assert_true(resumes(&w, "127.0.0.1"));
        assert_true(resumes(&w, "broker1."));
        kl_tls_world_deinit(&w);
    }
}

/* A ticket of 1.3 is used once: two connections at once are not the same one to those who watch. */
static void tickets_are_for_one_use(void **state)
{
    (void)state;
    kl_tls_world w;
    begin(&w, "TLSv1.3");
    assert_false(resumes(&w, "broker1"));
    kl_tls_world_connect(&w, "broker1");
    kl_tls_wire first = w.wire;
    kloop_tls_channel *c = w.c;
    kl_tls_world_connect(&w, "broker1");
    kl_tls_world_up(&w);
    kloop_tls_facts facts;
    kloop_tls_facts_of(w.c, &facts);
    assert_false(facts.resumed);
    kl_tls_world_disconnect(&w);
    w.wire = first;
    w.c = c;
    kl_tls_world_up(&w);
    kloop_tls_facts_of(w.c, &facts);
    assert_true(facts.resumed);
    kl_tls_world_disconnect(&w);
    kl_tls_world_deinit(&w);
}

static void old_ones_are_not_taken(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        begin(&w, versions[v]);
        assert_false(resumes(&w, "broker1"));
        w.now.wall_ms += 8 * DAY_MS;
        assert_false(resumes(&w, "broker1"));
        assert_true(resumes(&w, "broker1"));
        kl_tls_world_deinit(&w);
        /* Nor one whose certificate has expired: it would not be believed today. */
        begin(&w, versions[v]);
        kl_tls_pair brief = kl_tls_pair_make(
            &(kl_tls_wish){
                .name = "broker1", .names = "DNS:broker1", .until_ms = KL_TLS_TEST_WALL_MS + 60000},
            &w.ca);
        kl_tls_world_serve(&w, &brief, NULL);
        assert_false(resumes(&w, "broker1"));
        assert_true(resumes(&w, "broker1"));
        w.now.wall_ms += 61000;
        kl_tls_world_connect(&w, "broker1");
        kl_tls_world_fails(&w, true, "has expired", NULL);
        kl_tls_world_disconnect(&w);
        kl_tls_pair_free(&brief);
        kl_tls_world_deinit(&w);
    }
}

/* A broker that was started anew knows no tickets of before, or is another one now. */
static void another_server_is_verified(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        begin(&w, versions[v]);
        assert_false(resumes(&w, "broker1"));
        kl_tls_world_serve(&w, &w.own, NULL);
        assert_false(resumes(&w, "broker1"));
        assert_true(resumes(&w, "broker1"));
        kl_tls_pair mallory =
            kl_tls_pair_make(&(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, NULL);
        kl_tls_world_serve(&w, &mallory, NULL);
        kl_tls_world_connect(&w, "broker1");
        kl_tls_world_fails(&w, true, "signed by itself", NULL);
        kl_tls_world_disconnect(&w);
        kl_tls_world_serve(&w, &w.own, NULL);
        assert_false(resumes(&w, "broker1"));
        kl_tls_pair_free(&mallory);
        kl_tls_world_deinit(&w);
    }
}

static void a_cut_connection_is_taken_up(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        uint8_t byte;
        begin(&w, versions[v]);
        kl_tls_world_connect(&w, "broker1");
        kl_tls_world_up(&w);
        assert_int_equal(kl_tls_wire_read(&w.wire, &byte, 1), 0);
        kloop_tls_received_end(w.c);
        kl_tls_world_fails(&w, false, "close_notify", NULL);
        kl_tls_world_disconnect(&w);
        assert_true(resumes(&w, "broker1"));
        kl_tls_world_deinit(&w);
    }
}

static void no_more_than_so_many_are_kept(void **state)
{
    (void)state;
    kl_tls_world w;
    begin(&w, "TLSv1.2");
    kloop_tls_del(w.tls);
    kl_tls_world_set(&w, "ssl.endpoint.identification.algorithm", "none");
    kl_tls_world_open(&w);
    char host[24];
    for (int i = 0; i < 300; i++) {
        snprintf(host, sizeof host, "broker%d", i);
        kl_tls_world_connect(&w, host);
        kl_tls_world_up(&w);
        kl_tls_world_disconnect(&w);
    }
    assert_true(resumes(&w, "broker299"));
    assert_true(resumes(&w, "broker44"));
    assert_false(resumes(&w, "broker0"));
    kl_tls_world_deinit(&w);
}

/* ---- Files that change ---- */

static void write_trust(const kl_tls_folder *folder, const kl_tls_pair *ca, const char *more)
{
    char *pem = kl_tls_pem_certificate(ca);
    char *text = kl_tls_pem_join((const char *const[]){pem, more, NULL});
    kl_tls_test_text(folder, "ca.pem", text);
    free(text);
    free(pem);
}

static void open_on_files(kl_tls_world *w, const kl_tls_folder *folder)
{
    char path[128];
    kl_tls_world_set(w, "ssl.truststore.certificates", "");
    kl_tls_test_path(folder, "ca.pem", path);
    kl_tls_world_set(w, "ssl.truststore.location", path);
    kl_tls_world_open(w);
}

static void a_new_ca_is_taken_up(void **state)
{
    (void)state;
    kl_tls_world w;
    kl_tls_world_init(&w);
    kl_tls_folder folder = kl_tls_test_folder_new();
    kl_tls_pair next = kl_tls_pair_make(&(kl_tls_wish){.name = "Next CA", .is_ca = true}, NULL);
    kl_tls_pair broker =
        kl_tls_pair_make(&(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, &next);
    write_trust(&folder, &w.ca, "");
    open_on_files(&w, &folder);
    assert_false(resumes(&w, "broker1"));
    /* One that is there already stays as it is. */
    kl_tls_world_connect(&w, "broker1");
    kl_tls_wire first = w.wire;
    kloop_tls_channel *c = w.c;
    write_trust(&folder, &next, "# the next one\n");
    kl_tls_world_serve(&w, &broker, NULL);
    /* Within a second nobody looks. */
    kl_tls_world_connect(&w, "broker1");
    kl_tls_world_fails(&w, true, "CN=Next CA", NULL);
    kl_tls_world_disconnect(&w);
    w.now.mono_ns += SECOND_NS;
    assert_false(resumes(&w, "broker1"));
    assert_true(resumes(&w, "broker1"));
    kloop_error note;
    assert_false(kloop_tls_take_note(w.tls, &note));
    /* What was trusted before is not any longer, nor taken up. */
    kl_tls_world_serve(&w, &w.own, NULL);
    kl_tls_world_connect(&w, "broker1");
    kl_tls_world_fails(&w, true, "CN=Test CA", NULL);
    kl_tls_world_disconnect(&w);
    w.wire = first;
    w.c = c;
    kl_tls_world_up(&w);
    kl_tls_world_talk(&w, 1000);
    kl_tls_world_disconnect(&w);
    kl_tls_pair_free(&broker);
    kl_tls_pair_free(&next);
    kl_tls_test_folder_del(&folder);
    kl_tls_world_deinit(&w);
}

/* Tickets that come on a connection of before stand for a trust that is no longer. */
static void late_tickets_are_not_kept(void **state)
{
    (void)state;
    kl_tls_world w;
    uint8_t byte;
    kl_tls_world_init(&w);
    kl_tls_folder folder = kl_tls_test_folder_new();
    write_trust(&folder, &w.ca, "");
    kl_tls_world_set(&w, "ssl.enabled.protocols", "TLSv1.3");
    open_on_files(&w, &folder);
    kl_tls_world_connect(&w, "broker1");
    kl_tls_world_up(&w);
    kl_tls_wire first = w.wire;
    kloop_tls_channel *c = w.c;
    write_trust(&folder, &w.ca, "# written anew\n");
    w.now.mono_ns += SECOND_NS;
    kl_tls_world_connect(&w, "127.0.0.1");
    kl_tls_world_disconnect(&w);
    w.wire = first;
    w.c = c;
    assert_int_equal(kl_tls_wire_read(&w.wire, &byte, 1), 0);
    kl_tls_world_disconnect(&w);
    assert_false(resumes(&w, "broker1"));
    assert_true(resumes(&w, "broker1"));
    kl_tls_test_folder_del(&folder);
    kl_tls_world_deinit(&w);
}

static void files_are_looked_at_once_a_second(void **state)
{
    (void)state;
    kl_tls_world w;
    kl_tls_world_init(&w);
    kl_tls_folder folder = kl_tls_test_folder_new();
    write_trust(&folder, &w.ca, "");
    open_on_files(&w, &folder);
    w.now.mono_ns += SECOND_NS;
    assert_false(resumes(&w, "broker1"));
    kl_tls_test_text(&folder, "ca.pem", "nonsense");
    kloop_error note;
    w.now.mono_ns += SECOND_NS - 1;
    assert_true(resumes(&w, "broker1"));
    assert_false(kloop_tls_take_note(w.tls, &note));
    w.now.mono_ns += 1;
    assert_true(resumes(&w, "broker1"));
    assert_true(kloop_tls_take_note(w.tls, &note));
    kl_tls_test_folder_del(&folder);
    kl_tls_world_deinit(&w);
}

static void broken_files_change_nothing(void **state)
{
    (void)state;
    kl_tls_world w;
    kl_tls_world_init(&w);
    kl_tls_folder folder = kl_tls_test_folder_new();
    write_trust(&folder, &w.ca, "");
    open_on_files(&w, &folder);
    char path[128];
    kl_tls_test_path(&folder, "ca.pem", path);
    const char *const contents[] = {"", "nonsense", NULL};
    for (size_t i = 0; i < 3; i++) {
        if (contents[i])
            kl_tls_test_text(&folder, "ca.pem", contents[i]);
        else
            remove(path);
        w.now.mono_ns += SECOND_NS;
        resumes(&w, "broker1");
        kloop_error note;
        assert_true(kloop_tls_take_note(w.tls, &note));
        assert_non_null(strstr(note.text, "stay as they were"));
        assert_non_null(strstr(note.text, path));
        assert_false(kloop_tls_take_note(w.tls, &note));
        /* It is said once. */
        w.now.mono_ns += SECOND_NS;
        assert_true(resumes(&w, "broker1"));
        assert_false(kloop_tls_take_note(w.tls, &note));
    }
    /* It comes back, as another one. */
    kl_tls_pair next = kl_tls_pair_make(&(kl_tls_wish){.name = "Next CA", .is_ca = true}, NULL);
    write_trust(&folder, &next, "");
    w.now.mono_ns += SECOND_NS;
    kl_tls_world_connect(&w, "broker1");
    kl_tls_world_fails(&w, true, "CN=Test CA", NULL);
    kl_tls_world_disconnect(&w);
    kl_tls_pair_free(&next);
    kl_tls_test_folder_del(&folder);
    kl_tls_world_deinit(&w);
}

static void a_new_own_certificate_is_shown(void **state)
{
    (void)state;
    kl_tls_world w;
    kl_tls_world_init(&w);
    kl_tls_folder folder = kl_tls_test_folder_new();
    kl_tls_server_demand(w.server, &w.ca);
    char path[128];
    kl_tls_test_path(&folder, "own.pem", path);
    const char *const names[] = {"alice", "bob"};
    for (int i = 0; i < 2; i++) {
        kl_tls_pair p = kl_tls_pair_make(&(kl_tls_wish){.name = names[i]}, &w.ca);
        char *key = kl_tls_pem_key_text(&p, NULL), *pem = kl_tls_pem_certificate(&p);
        char *both = kl_tls_pem_join((const char *const[]){i ? "# new\n" : "", key, pem, NULL});
        kl_tls_test_text(&folder, "own.pem", both);
        if (i == 0) {
            kl_tls_world_set(&w, "ssl.keystore.location", path);
            kl_tls_world_open(&w);
        }
        w.now.mono_ns += SECOND_NS;
        kl_tls_world_connect(&w, "broker1");
        kl_tls_world_up(&w);
        assert_int_equal(X509_cmp(SSL_get0_peer_certificate(w.wire.server), p.certificate), 0);
        kl_tls_world_disconnect(&w);
        free(both);
        free(pem);
        free(key);
        kl_tls_pair_free(&p);
    }
    /* The key comes first and the certificate a moment later: both together are refused meanwhile.
     */
    kl_tls_pair p = kl_tls_pair_make(&(kl_tls_wish){.name = "carol"}, &w.ca);
    char *key = kl_tls_pem_key_text(&p, NULL);
    kl_tls_test_text(&folder, "own.pem", key);
    w.now.mono_ns += SECOND_NS;
    kl_tls_world_connect(&w, "broker1");
    kl_tls_world_up(&w);
    kl_tls_world_disconnect(&w);
    kloop_error note;
    assert_true(kloop_tls_take_note(w.tls, &note));
    assert_non_null(strstr(note.text, "no certificate"));
    free(key);
    kl_tls_pair_free(&p);
    kl_tls_test_folder_del(&folder);
    kl_tls_world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_connection_resumes),
        cmocka_unit_test(tickets_are_for_one_use),
        cmocka_unit_test(old_ones_are_not_taken),
        cmocka_unit_test(another_server_is_verified),
        cmocka_unit_test(a_cut_connection_is_taken_up),
        cmocka_unit_test(no_more_than_so_many_are_kept),
        cmocka_unit_test(a_new_ca_is_taken_up),
        cmocka_unit_test(broken_files_change_nothing),
        cmocka_unit_test(a_new_own_certificate_is_shown),
        cmocka_unit_test(late_tickets_are_not_kept),
        cmocka_unit_test(files_are_looked_at_once_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
