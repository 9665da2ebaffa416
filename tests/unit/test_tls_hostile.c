/* SPDX-License-Identifier: BSD-2-Clause */
/* A wire on which each byte in turn is changed: the client never comes up with a peer that has not
 * proved who he is, and never reads what that peer did not write. */
#include "tests/support/tls_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};

/* How many bytes of [1] the server's are the handshake, so that all of them are tried. */
static void measure(kl_tls_world *w, uint64_t bytes[2])
{
    kl_tls_world_connect(w, "broker1");
    kl_tls_world_up(w);
    bytes[0] = w->wire.sent[0];
    bytes[1] = w->wire.sent[1];
    kl_tls_world_disconnect(w);
}

static void one_changed_byte(kl_tls_world *w, int side, uint64_t at, uint8_t mask)
{
    uint8_t got[64];
    kl_tls_world_connect(w, "broker1");
    w->wire.flip_side = side;
    w->wire.flip_at = at;
    w->wire.flip_mask = mask;
    kl_tls_wire_run(&w->wire);
    if (w->wire.server_up)
        kl_tls_wire_server_write(&w->wire, "plain", 5);
    size_t n = kl_tls_wire_read(&w->wire, got, sizeof got);
    /* Some bytes say nothing: a legacy version, padding of a ticket's lifetime ... What comes
     * through is what was written. */
    assert_true(n == 0 || (n == 5 && !memcmp(got, "plain", 5)));
    if (kloop_tls_state_of(w->c) == KLOOP_TLS_UP) {
        kloop_tls_certificate certificate;
        kloop_tls_facts facts;
        kloop_tls_facts_of(w->c, &facts);
        assert_string_equal(facts.verdict, "ok");
        assert_true(kloop_tls_certificate_at(w->c, 0, &certificate));
        assert_string_equal(certificate.subject, "CN=broker1, O=kloop tests");
    } else if (kloop_tls_state_of(w->c) == KLOOP_TLS_FAILED) {
        assert_true(strlen(kloop_tls_why(w->c)) > 20);
    }
    /* Hung: both wait for bytes of a record that is longer now. The end of the connection ends it.
     */
    kloop_tls_received_end(w->c);
    kl_tls_wire_read(&w->wire, got, sizeof got);
    assert_true(kloop_tls_state_of(w->c) == KLOOP_TLS_FAILED);
    kl_tls_world_disconnect(w);
}

static void each_byte_changed(int side)
{
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        kl_tls_world_init(&w);
        kl_tls_world_set(&w, "ssl.enabled.protocols", versions[v]);
        kl_tls_world_open(&w);
        uint64_t bytes[2];
        measure(&w, bytes);
        assert_true(bytes[side] > 100);
        for (uint64_t at = 0; at < bytes[side]; at++)
            one_changed_byte(&w, side, at, (uint8_t)(1u << at % 8));
        kl_tls_world_deinit(&w);
    }
}

static void each_byte_of_the_broker_changed(void **state)
{
    (void)state;
    each_byte_changed(1);
}

static void each_byte_of_ours_changed(void **state)
{
    (void)state;
    each_byte_changed(0);
}

/* Before there are keys anybody on the way can say a warning. One that the handshake went over is
 * forgotten: it once made the goodbye of a good broker look like a refusal. */
static void a_warning_on_the_way_is_forgotten(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        kl_tls_world_init(&w);
        /* Both are offered: until the broker has chosen OpenSSL takes it for the newer one. */
        if (v == 0)
            assert_int_equal(SSL_CTX_set_max_proto_version(w.server, TLS1_2_VERSION), 1);
        kl_tls_world_open(&w);
        kl_tls_world_connect(&w, "broker1");
        static const uint8_t unrecognized_name[] = {0x15, 3, 3, 0, 2, 1, 112};
        size_t room;
        memcpy(kloop_tls_receive_space(w.c, &room), unrecognized_name, sizeof unrecognized_name);
        kloop_tls_received(w.c, sizeof unrecognized_name);
        kl_tls_world_up(&w);
        kl_tls_world_talk(&w, 100);
        uint8_t byte;
        SSL_shutdown(w.wire.server);
        assert_int_equal(kl_tls_wire_read(&w.wire, &byte, 1), 0);
        assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_ENDED);
        kl_tls_world_disconnect(&w);
        kl_tls_world_deinit(&w);
    }
}

/* Data, too: each byte of a record. */
static void changed_data_is_never_read(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        kl_tls_world_init(&w);
        kl_tls_world_set(&w, "ssl.enabled.protocols", versions[v]);
        kl_tls_world_open(&w);
        for (uint64_t at = 0; at < 60; at++) {
            uint8_t got[200];
            kl_tls_world_connect(&w, "broker1");
            kl_tls_world_up(&w);
            assert_int_equal(kl_tls_wire_read(&w.wire, got, 1), 0);
            kl_tls_wire_server_write(&w.wire, "thirty-one bytes of plain text.", 31);
            w.wire.flip_side = 1;
            w.wire.flip_at = w.wire.sent[1] + at;
            size_t n = kl_tls_wire_read(&w.wire, got, sizeof got);
            kloop_tls_received_end(w.c);
            n += kloop_tls_read(w.c, got + n, sizeof got - n);
            /* Beyond the record there was nothing to change. */
            assert_true(n == 0 || w.wire.flip_at >= w.wire.sent[1]);
            if (n == 0) {
                assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_FAILED);
                assert_false(kloop_tls_untrusted(w.c));
            }
            kl_tls_world_disconnect(&w);
        }
        kl_tls_world_deinit(&w);
    }
}

/* A broker of another CA in the middle, who knows the name. */
static void nobody_comes_between(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        kl_tls_world_init(&w);
        kl_tls_world_set(&w, "ssl.enabled.protocols", versions[v]);
        kl_tls_world_open(&w);
        kl_tls_pair mallory =
            kl_tls_pair_make(&(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, NULL);
        /* He shows the certificate of the true one, too. */
        kl_tls_world_serve(&w, &mallory, (const kl_tls_pair *const[]){&w.own, &w.ca, NULL});
        kl_tls_world_connect(&w, "broker1");
        kl_tls_world_fails(&w, true, "broker1:9093", NULL);
        uint8_t byte = 0;
        assert_int_equal(kloop_tls_write(w.c, &(kloop_slice){&byte, 1}, 1), 0);
        assert_int_equal(kloop_tls_read(w.c, &byte, 1), 0);
        kl_tls_world_disconnect(&w);
        kl_tls_pair_free(&mallory);
        kl_tls_world_deinit(&w);
    }
}

static void endless_nonsense_ends(void **state)
{
    (void)state;
    kl_tls_world w;
    kl_tls_world_init(&w);
    kl_tls_world_open(&w);
    /* Heads of records with every kind and length. */
    for (unsigned kind = 0; kind < 256; kind++)
        for (unsigned len = 0; len < 65536; len += 4093) {
            const uint8_t head[] = {(uint8_t)kind, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};
            size_t room, fed = 0;
            kl_tls_world_connect(&w, "broker1");
            for (uint8_t *space; (space = kloop_tls_receive_space(w.c, &room)) && fed < 100000;) {
                size_t n = room < 5000 ? room : 5000;
                memset(space, 0x5a, n);
                if (fed == 0)
                    memcpy(space, head, sizeof head);
                kloop_tls_received(w.c, n);
                fed += n;
            }
            assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_FAILED);
            kl_tls_world_disconnect(&w);
        }
    kl_tls_world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_of_the_broker_changed),
        cmocka_unit_test(each_byte_of_ours_changed),
        cmocka_unit_test(a_warning_on_the_way_is_forgotten),
        cmocka_unit_test(changed_data_is_never_read),
        cmocka_unit_test(nobody_comes_between),
        cmocka_unit_test(endless_nonsense_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
