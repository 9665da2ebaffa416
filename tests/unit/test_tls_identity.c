/* SPDX-License-Identifier: BSD-2-Clause */
/* driver/tls_identity.c: the own certificate out of every form in which people have it, and what is
 * said of one that cannot be used. */
#include "driver/tls_context.h"
#include "tests/support/tls_world.h"

#include <openssl/err.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY_MS INT64_C(86400000)

/* alice has a certificate of a CA in between, whose own CA the broker knows. */
typedef struct place {
    kl_tls_world w;
    kl_tls_folder folder;
    kl_tls_pair between, alice;
    char *between_pem, *alice_pem, *key;
    char path[128];
} place;

static void begin(place *p, unsigned rsa_bits)
{
    kl_tls_world_init(&p->w);
    p->folder = kl_tls_test_folder_new();
    p->between = kl_tls_pair_make(&(kl_tls_wish){.name = "Between CA", .is_ca = true}, &p->w.ca);
    p->alice = kl_tls_pair_make(
        &(kl_tls_wish){.name = "alice", .usage = "clientAuth", .rsa_bits = rsa_bits}, &p->between);
    p->between_pem = kl_tls_pem_certificate(&p->between);
    p->alice_pem = kl_tls_pem_certificate(&p->alice);
    p->key = kl_tls_pem_key_text(&p->alice, NULL);
    kl_tls_server_demand(p->w.server, &p->w.ca);
}

static void end(place *p)
{
    kl_tls_test_folder_del(&p->folder);
    kl_tls_pair_free(&p->alice);
    kl_tls_pair_free(&p->between);
    free(p->between_pem);
    free(p->alice_pem);
    free(p->key);
    kl_tls_world_deinit(&p->w);
}

static void set_file(place *p, const char *key, const char *name, const char *const *parts)
{
    char *text = kl_tls_pem_join(parts);
    kl_tls_test_text(&p->folder, name, text);
    free(text);
    kl_tls_test_path(&p->folder, name, p->path);
    kl_tls_world_set(&p->w, key, p->path);
}

#define PARTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The broker sees alice, and the CA in between with her: else it could not verify her. */
static void works(place *p)
{
    kl_tls_world_open(&p->w);
    kl_tls_world_connect(&p->w, "broker1");
    kl_tls_world_up(&p->w);
    kl_tls_wire_run(&p->w.wire);
    assert_true(p->w.wire.server_up);
    X509 *seen = SSL_get0_peer_certificate(p->w.wire.server);
    assert_non_null(seen);
    assert_int_equal(X509_cmp(seen, p->alice.certificate), 0);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(p->w.wire.server);
    assert_int_equal(sk_X509_num(chain), 1);
    kloop_tls_facts facts;
    kloop_tls_facts_of(p->w.c, &facts);
    assert_true(facts.certificate_asked && facts.certificate_sent);
    kl_tls_world_disconnect(&p->w);
    kloop_tls_del(p->w.tls);
    p->w.tls = NULL;
}

static void one_file_in_any_order(void **state)
{
    (void)state;
    place p;
    begin(&p, 0);
    set_file(&p, "ssl.keystore.location", "a.pem", PARTS(p.key, p.alice_pem, p.between_pem));
    works(&p);
    set_file(&p, "ssl.keystore.location", "b.pem", PARTS(p.alice_pem, p.between_pem, p.key));
    works(&p);
    set_file(&p, "ssl.keystore.location", "c.pem", PARTS(p.between_pem, p.key, p.alice_pem));
    kl_tls_world_set(&p.w, "ssl.keystore.type", "PEM");
    works(&p);
    char *old = kl_tls_pem_key_old(&p.alice, NULL);
    set_file(&p, "ssl.keystore.location", "d.pem", PARTS(old, p.alice_pem, p.between_pem));
    works(&p);
    free(old);
    end(&p);
}

static void keys_with_passwords(void **state)
{
    (void)state;
    /* RSA once, in PKCS#1 and PKCS#8. */
    for (unsigned bits = 0; bits <= 2048; bits += 2048) {
        place p;
        begin(&p, bits);
        char *new = kl_tls_pem_key_text(&p.alice, "hunter2"),
             *old = kl_tls_pem_key_old(&p.alice, "hunter2");
        for (int i = 0; i < 2; i++) {
            set_file(&p, "ssl.keystore.location", i ? "old.pem" : "new.pem",
                     PARTS(i ? old : new, p.alice_pem, p.between_pem));
            kl_tls_world_set(&p.w, "ssl.key.password", "");
            kl_tls_world_refused(&p.w, "key is encrypted", "set ssl.key.password", p.path, NULL);
            kl_tls_world_set(&p.w, "ssl.key.password", "hunter3");
            kloop_error error;
            assert_int_equal(kloop_tls_new(&p.w.tls, p.w.config, NULL, p.w.now, &error),
                             KLOOP_BAD_CONFIG);
            assert_non_null(strstr(error.text, "ssl.key.password is wrong"));
            assert_null(strstr(error.text, "hunter"));
            kl_tls_world_set(&p.w, "ssl.key.password", "hunter2");
            works(&p);
        }
        free(new);
        free(old);
        end(&p);
    }
}

static void two_files_and_inline(void **state)
{
    (void)state;
    place p;
    begin(&p, 0);
    set_file(&p, "ssl.key.location", "key.pem", PARTS(p.key));
    kl_tls_world_refused(&p.w, "ssl.key.location needs ssl.certificate.location", NULL);
    set_file(&p, "ssl.certificate.location", "chain.pem", PARTS(p.alice_pem, p.between_pem));
    works(&p);
    kl_tls_world_set(&p.w, "ssl.key.location", "");
    kl_tls_world_refused(&p.w, "ssl.certificate.location needs ssl.key.location", NULL);
    kl_tls_world_set(&p.w, "ssl.certificate.location", "");
    char *chain = kl_tls_pem_join(PARTS(p.alice_pem, p.between_pem));
    kl_tls_world_set(&p.w, "ssl.keystore.certificate.chain", chain);
    kl_tls_world_set(&p.w, "ssl.keystore.key", p.key);
    works(&p);
    char *locked = kl_tls_pem_key_text(&p.alice, "hunter2");
    kl_tls_world_set(&p.w, "ssl.keystore.key", locked);
    kl_tls_world_refused(&p.w, "ssl.keystore.key: the key is encrypted", NULL);
    kl_tls_world_set(&p.w, "ssl.key.password", "hunter2");
    works(&p);
    set_file(&p, "ssl.keystore.location", "a.pem", PARTS(p.key, p.alice_pem, p.between_pem));
    kl_tls_world_refused(&p.w, "ssl.keystore.location and ", "leave one out", NULL);
    free(locked);
    free(chain);
    end(&p);
}

static void pkcs12(void **state)
{
    (void)state;
    place p;
    size_t len;
    begin(&p, 0);
    uint8_t *bytes = kl_tls_pkcs12_bytes(&p.alice, (const kl_tls_pair *const[]){&p.between, NULL},
                                         "hunter2", &len);
    kl_tls_test_file(&p.folder, "alice.p12", bytes, len);
    free(bytes);
    kl_tls_test_path(&p.folder, "alice.p12", p.path);
    kl_tls_world_set(&p.w, "ssl.keystore.location", p.path);
    kl_tls_world_refused(&p.w, "needs a password", "set ssl.keystore.password", NULL);
    kl_tls_world_set(&p.w, "ssl.keystore.password", "hunter3");
    kl_tls_world_refused(&p.w, "password in ssl.keystore.password is wrong", NULL);
    /* An error of somebody else in the queue is not the reason. */
    kloop_error error;
    ERR_raise(ERR_LIB_X509, ERR_R_MALLOC_FAILURE);
    assert_int_equal(kloop_tls_new(&p.w.tls, p.w.config, NULL, p.w.now, &error), KLOOP_BAD_CONFIG);
    ERR_clear_error();
    kl_tls_world_set(&p.w, "ssl.keystore.password", "hunter2");
    works(&p);
    /* A truststore is no keystore. */
    bytes =
        kl_tls_pkcs12_bytes(NULL, (const kl_tls_pair *const[]){&p.between, NULL}, "hunter2", &len);
    kl_tls_test_file(&p.folder, "alice.p12", bytes, len);
    free(bytes);
    kl_tls_world_refused(&p.w, "no key in it", "truststore", NULL);
    end(&p);
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    place p;
    begin(&p, 0);
    kl_tls_pair bob = kl_tls_pair_make(&(kl_tls_wish){.name = "bob"}, &p.w.ca);
    char *bobs = kl_tls_pem_key_text(&bob, NULL);
    set_file(&p, "ssl.keystore.location", "mixed.pem", PARTS(bobs, p.alice_pem));
    kl_tls_world_refused(&p.w, "mixed.pem", "CN=alice", "different pairs", NULL);
    set_file(&p, "ssl.keystore.location", "nokey.pem", PARTS(p.alice_pem));
    kl_tls_world_refused(&p.w, "nokey.pem", "no key in it", NULL);
    set_file(&p, "ssl.keystore.location", "nocert.pem", PARTS(p.key));
    kl_tls_world_refused(&p.w, "nocert.pem", "no certificate", NULL);
    set_file(&p, "ssl.keystore.location", "broken.pem",
             PARTS("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", p.alice_pem));
    kl_tls_world_refused(&p.w, "broken.pem", "the key is broken", NULL);
    kl_tls_world_set(&p.w, "ssl.keystore.location", p.folder.path);
    kl_tls_world_refused(&p.w, "ssl.keystore.location", "is a directory", NULL);
    if (getuid() != 0) {
        set_file(&p, "ssl.keystore.location", "shut.pem", PARTS(p.key, p.alice_pem));
        chmod(p.path, 0);
        kl_tls_world_refused(&p.w, "shut.pem", "may not read", NULL);
    }
    free(bobs);
    kl_tls_pair_free(&bob);
    /* A key that this system calls too short. */
    kl_tls_pair weak = kl_tls_pair_make(&(kl_tls_wish){.name = "weak", .rsa_bits = 512}, &p.w.ca);
    char *weak_key = kl_tls_pem_key_text(&weak, NULL), *weak_pem = kl_tls_pem_certificate(&weak);
    set_file(&p, "ssl.keystore.location", "weak.pem", PARTS(weak_key, weak_pem));
    kl_tls_world_refused(&p.w, "weak.pem", "does not take it", "small", NULL);
    free(weak_key);
    free(weak_pem);
    kl_tls_pair_free(&weak);
    end(&p);
}

static void times_are_noted(void **state)
{
    (void)state;
    static const struct {
        int64_t from_ms, until_ms;
        const char *words;
    } times[] = {
        {0, KL_TLS_TEST_WALL_MS - DAY_MS, "has expired"},
        {KL_TLS_TEST_WALL_MS + DAY_MS, 0, "is not valid yet"},
        {0, KL_TLS_TEST_WALL_MS + 3 * DAY_MS, "expires soon"},
        {0, KL_TLS_TEST_WALL_MS + 30 * DAY_MS, NULL},
    };
    for (size_t i = 0; i < 4; i++) {
        place p;
        begin(&p, 0);
        kl_tls_pair_free(&p.alice);
        p.alice = kl_tls_pair_make(&(kl_tls_wish){.name = "alice",
                                                  .from_ms = times[i].from_ms,
                                                  .until_ms = times[i].until_ms},
                                   &p.w.ca);
        char *key = kl_tls_pem_key_text(&p.alice, NULL), *pem = kl_tls_pem_certificate(&p.alice);
        set_file(&p, "ssl.keystore.location", "a.pem", PARTS(key, pem));
        kl_tls_world_open(&p.w);
        kloop_error note;
        assert_int_equal(kloop_tls_take_note(p.w.tls, &note), times[i].words != NULL);
        if (times[i].words) {
            assert_non_null(strstr(note.text, times[i].words));
            assert_non_null(strstr(note.text, "CN=alice"));
            assert_false(kloop_tls_take_note(p.w.tls, &note));
        }
        free(key);
        free(pem);
        end(&p);
    }
}

/* Nobody asks: nothing is shown. */
static void is_shown_only_when_asked_for(void **state)
{
    (void)state;
    place p;
    begin(&p, 0);
    kl_tls_world_serve(&p.w, &p.w.own, NULL);
    set_file(&p, "ssl.keystore.location", "a.pem", PARTS(p.key, p.alice_pem, p.between_pem));
    kl_tls_world_open(&p.w);
    kl_tls_world_connect(&p.w, "broker1");
    kl_tls_world_up(&p.w);
    kloop_tls_facts facts;
    kloop_tls_facts_of(p.w.c, &facts);
    assert_false(facts.certificate_asked || facts.certificate_sent);
    assert_null(SSL_get0_peer_certificate(p.w.wire.server));
    kl_tls_world_disconnect(&p.w);
    end(&p);
}

/* ---- Secrets ---- */

/* Looks into each block that is given back. */
typedef struct nosy {
    const char *secrets[3];
    size_t seen;
    size_t blocks;
} nosy;

static void look(nosy *n, const char *p, size_t size)
{
    n->blocks++;
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(n->secrets[i]);
        for (size_t at = 0; at + len <= size; at++)
            n->seen += memcmp(p + at, n->secrets[i], len) == 0;
    }
}

static void *nosy_alloc(void *me, size_t size)
{
    (void)me;
    return malloc(size);
}

static void nosy_release(void *me, void *p, size_t size)
{
    look(me, p, size);
    free(p);
}

static void *nosy_resize(void *me, void *p, size_t old_size, size_t size)
{
    if (p)
        look(me, p, old_size);
    return realloc(p, size);
}

static void secrets_are_wiped(void **state)
{
    (void)state;
    place p;
    begin(&p, 0);
    char *locked = kl_tls_pem_key_text(&p.alice, "hunter2");
    char line[33];
    memcpy(line, strchr(p.key, '\n') + 1, 32);
    line[32] = 0;
    nosy n = {.secrets = {"hunter2", "PRIVATE KEY", line}};
    const kloop_allocator alloc = {nosy_alloc, nosy_resize, nosy_release, &n};
    p.w.alloc = &alloc;
    set_file(&p, "ssl.keystore.location", "a.pem", PARTS(locked, p.alice_pem, p.between_pem));
    kl_tls_world_set(&p.w, "ssl.key.password", "hunter2");
    works(&p);
    /* Where it fails, too. */
    set_file(&p, "ssl.keystore.location", "b.pem", PARTS(p.key));
    kl_tls_world_refused(&p.w, "no certificate", NULL);
    kl_tls_world_set(&p.w, "ssl.keystore.location", "");
    kl_tls_world_set(&p.w, "ssl.keystore.key", p.key);
    kl_tls_world_set(&p.w, "ssl.keystore.certificate.chain", p.alice_pem);
    kl_tls_world_open(&p.w);
    kl_tls_world_connect(&p.w, "broker1");
    /* What a small record was gathered from may be a password. */
    kl_tls_world_serve(&p.w, &p.w.own, NULL);
    kl_tls_world_disconnect(&p.w);
    kl_tls_world_connect(&p.w, "broker1");
    kl_tls_world_up(&p.w);
    const kloop_slice parts[] = {{(const uint8_t *)"hun", 3}, {(const uint8_t *)"ter2", 4}};
    assert_int_equal(kloop_tls_write(p.w.c, parts, 2), 7);
    assert_true(memcmp(p.w.tls->gathered, "hunter2", 7) != 0);
    kl_tls_world_disconnect(&p.w);
    kloop_tls_del(p.w.tls);
    p.w.tls = NULL;
    assert_true(n.blocks > 20);
    assert_int_equal(n.seen, 0);
    free(locked);
    end(&p);
}

/*
 * A ticket with the client's certificate in it, from a broker whose records are small: it comes in
 * several, and while only some of them are there OpenSSL takes nothing to be written. That once
 * was the end of the connection, for no reason that was given.
 */
static void half_a_ticket_is_waited_out(void **state)
{
    (void)state;
    place p;
    begin(&p, 2048);
    set_file(&p, "ssl.keystore.location", "alice.pem", PARTS(p.key, p.alice_pem, p.between_pem));
    SSL_CTX_set_max_send_fragment(p.w.server, 512);
    kl_tls_world_open(&p.w);
    const kloop_slice hello = {(const uint8_t *)"hello", 5};
    size_t put_off = 0;
    bool all = false;
    for (uint64_t stop = 400; !all; stop += 101) {
        uint8_t got[8];
        kl_tls_world_connect(&p.w, "broker1");
        p.w.wire.stop_side = 1;
        p.w.wire.stop_at = stop;
        kl_tls_wire_run(&p.w.wire);
        assert_int_equal(kl_tls_wire_read(&p.w.wire, got, 1), 0);
        bool up = kloop_tls_state_of(p.w.c) == KLOOP_TLS_UP;
        size_t taken = up ? kloop_tls_write(p.w.c, &hello, 1) : 0;
        if (up && taken == 0) {
            put_off++;
            assert_int_equal(kloop_tls_output(p.w.c).len, 0);
        }
        all = p.w.wire.sent[1] < stop;
        p.w.wire.stop_at = UINT64_MAX;
        kl_tls_world_up(&p.w);
        assert_int_equal(kl_tls_wire_read(&p.w.wire, got, 1), 0);
        if (taken == 0)
            taken = kloop_tls_write(p.w.c, &hello, 1);
        assert_int_equal(taken, 5);
        assert_int_equal(kl_tls_wire_server_read(&p.w.wire, got, 8), 5);
        assert_memory_equal(got, "hello", 5);
        kl_tls_world_disconnect(&p.w);
        assert_true(stop < 100000);
    }
    assert_true(put_off > 0);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_in_any_order),        cmocka_unit_test(keys_with_passwords),
        cmocka_unit_test(two_files_and_inline),         cmocka_unit_test(pkcs12),
        cmocka_unit_test(what_is_wrong_is_told),        cmocka_unit_test(times_are_noted),
        cmocka_unit_test(is_shown_only_when_asked_for), cmocka_unit_test(secrets_are_wiped),
        cmocka_unit_test(half_a_ticket_is_waited_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
