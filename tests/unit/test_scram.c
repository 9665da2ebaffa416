/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCRAM with servers that mean well: the example of RFC 7677, whole exchanges, keys that are made
 * once, and secrets that do not stay behind.
 */
#include "base/base64.h"
#include "base/mem.h"
#include "sasl/scram_proof.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/needle_alloc.h"
#include "tests/support/scram_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kloop_string str(const char *text)
{
    return (kloop_string){text, strlen(text)};
}

static kloop_slice bytes_of(const char *text)
{
    return (kloop_slice){(const uint8_t *)text, strlen(text)};
}

/* ---- It works ---- */

static void example_of_rfc_7677(void **state)
{
    (void)state;
    static const char said[] =
        "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "s=" SCRAM_SALT ",i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    uint8_t salt[32], salted[64], proof[64], signature[64];
    char text[64] = {0};
    size_t len;
    kl_base64_fault fault;
    assert_true(kl_base64_decode(salt, &len, SCRAM_SALT, strlen(SCRAM_SALT), &fault));
    kl_pbkdf2 d;
    kl_pbkdf2_init(&d, KL_SHA2_256, "pencil", 6, salt, len, 4096);
    kl_pbkdf2_go_on(&d, 4096);
    kl_pbkdf2_final(&d, salted);
    kloop_slice all = bytes_of(said);
    kl_scram_proof(KL_SHA2_256, salted, &all, 1, proof, signature);
    kl_base64_encode(text, proof, 32);
    assert_string_equal(text, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    kl_base64_encode(text, signature, 32);
    assert_string_equal(text, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

static void exchange(kl_sha2_kind kind, const char *user, const char *name, uint32_t iterations)
{
    scram_client c;
    scram_talk t;
    scram_server s = {
        .kind = kind, .password = "pencil", .salt = SCRAM_SALT, .iterations = iterations};
    char final[128];
    char beginning[128];
    scram_client_init(&c, kind, user, "pencil");
    scram_talk_begin(&t, &c.mechanism);
    snprintf(beginning, sizeof beginning, "n,,n=%s,r=", name);
    assert_memory_equal(t.said, beginning, strlen(beginning));
    assert_true(strlen(scram_nonce_of(&t)) >= 18);
    scram_serve_first(&s, &t, "+server");
    kloop_sasl_verdict verdict = scram_tell(&t, s.first);
    assert_int_equal(verdict, KLOOP_SASL_WORK);
    size_t pieces = scram_work_to_end(&t, verdict);
    assert_int_equal(pieces, (iterations - 2) / KL_SCRAM_KEYS_PIECE + 1);
    scram_serve_final(&s, &t, final);
    assert_int_equal(scram_tell(&t, final), KLOOP_SASL_DONE);
    scram_talk_end(&t);
    scram_client_deinit(&c);
}

static void whole_exchanges(void **state)
{
    (void)state;
    exchange(KL_SHA2_256, "user", "user", 4096);
    exchange(KL_SHA2_512, "user", "user", 4096);
    exchange(KL_SHA2_256, "a=b,c", "a=3Db=2Cc", 4097);
    exchange(KL_SHA2_512, "=2C", "=3D2C", 10000);
    exchange(KL_SHA2_256, "J\xc3\xbcrgen", "J\xc3\xbcrgen", 4096);
}

static void a_delegation_token(void **state)
{
    (void)state;
    kl_scram scram;
    kl_scram_settings settings = {KL_SHA2_256, str("id"), str("pencil"),
                                  true,        1000000,   scram_entropy};
    assert_int_equal(kl_scram_init(&scram, &kl_mem_libc, &settings, NULL), KLOOP_OK);
    kloop_sasl_mechanism m = kl_scram_mechanism(&scram);
    scram_talk t;
    scram_server s = {
        .kind = KL_SHA2_256, .password = "pencil", .salt = SCRAM_SALT, .iterations = 4096};
    char final[128];
    scram_talk_begin(&t, &m);
    assert_non_null(strstr(t.said, ",tokenauth=true"));
    scram_serve_first(&s, &t, "x");
    scram_work_to_end(&t, scram_tell(&t, s.first));
    scram_serve_final(&s, &t, final);
    assert_int_equal(scram_tell(&t, final), KLOOP_SASL_DONE);
    scram_talk_end(&t);
    kl_scram_deinit(&scram, &kl_mem_libc);
}

/* Extensions behind what is known are no reason to stop. */
static void extensions_are_passed_over(void **state)
{
    (void)state;
    scram_client c;
    scram_talk t;
    scram_server s = {
        .kind = KL_SHA2_256, .password = "pencil", .salt = SCRAM_SALT, .iterations = 4096};
    char final[256];
    scram_client_init(&c, KL_SHA2_256, "user", "pencil");
    scram_talk_begin(&t, &c.mechanism);
    scram_serve_first(&s, &t, "x");
    strcat(s.first, ",x=1,abc=d=e=f,y=\xc3\xa9");
    scram_work_to_end(&t, scram_tell(&t, s.first));
    scram_serve_final(&s, &t, final);
    strcat(final, ",e=later,zz=1");
    assert_int_equal(scram_tell(&t, final), KLOOP_SASL_DONE);
    scram_talk_end(&t);
    scram_client_deinit(&c);
}

static void nonces_are_new_each_time(void **state)
{
    (void)state;
    scram_client a, b;
    scram_talk t;
    char seen[50][40];
    scram_client_init(&a, KL_SHA2_256, "user", "pencil");
    for (size_t i = 0; i < 50; i++) {
        scram_talk_begin(&t, &a.mechanism);
        snprintf(seen[i], sizeof seen[i], "%s", scram_nonce_of(&t));
        assert_int_equal(strlen(seen[i]), 32);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
        scram_talk_end(&t);
    }
    /* Of the same entropy the same ones, of another one others. */
    scram_client_init(&b, KL_SHA2_512, "other", "pen");
    scram_talk_begin(&t, &b.mechanism);
    assert_string_equal(scram_nonce_of(&t), seen[0]);
    scram_talk_end(&t);
    scram_client_deinit(&b);
    scram_entropy[31] ^= 1;
    scram_client_init(&b, KL_SHA2_256, "user", "pencil");
    scram_entropy[31] ^= 1;
    scram_talk_begin(&t, &b.mechanism);
    assert_string_not_equal(scram_nonce_of(&t), seen[0]);
    scram_talk_end(&t);
    scram_client_deinit(&b);
    scram_client_deinit(&a);
}

/* ---- Keys are made once ---- */

static void a_key_that_is_known(void **state)
{
    (void)state;
    scram_client c;
    scram_talk t;
    scram_server s = {
        .kind = KL_SHA2_256, .password = "pencil", .salt = SCRAM_SALT, .iterations = 5000};
    char final[128];
    scram_client_init(&c, KL_SHA2_256, "user", "pencil");
    scram_talk_to_final(&t, &s, &c, final);
    scram_talk_end(&t);
    for (size_t i = 0; i < 3; i++) {
        scram_talk_begin(&t, &c.mechanism);
        scram_serve_first(&s, &t, "y");
        assert_int_equal(scram_tell(&t, s.first), KLOOP_SASL_SAY);
        scram_serve_final(&s, &t, final);
        assert_int_equal(scram_tell(&t, final), KLOOP_SASL_DONE);
        scram_talk_end(&t);
    }
    /* Another count or another salt is another key. */
    s.iterations = 5001;
    scram_talk_begin(&t, &c.mechanism);
    scram_serve_first(&s, &t, "y");
    assert_int_equal(scram_tell(&t, s.first), KLOOP_SASL_WORK);
    scram_talk_end(&t);
    s.iterations = 5000;
    s.salt = "W22ZaJ0SNY7soEsUEjb6gA==";
    scram_talk_begin(&t, &c.mechanism);
    scram_serve_first(&s, &t, "y");
    assert_int_equal(scram_tell(&t, s.first), KLOOP_SASL_WORK);
    scram_talk_end(&t);
    scram_client_deinit(&c);
}

/* Ten connections to ten brokers at once. */
static void many_work_on_one_key(void **state)
{
    (void)state;
    scram_client c;
    scram_talk t[10];
    scram_server s[10];
    scram_client_init(&c, KL_SHA2_256, "user", "pencil");
    bool done[10] = {false};
    size_t pieces = 0, left = 10;
    for (size_t i = 0; i < 10; i++) {
        s[i] = (scram_server){
            .kind = KL_SHA2_256, .password = "pencil", .salt = SCRAM_SALT, .iterations = 100000};
        scram_talk_begin(&t[i], &c.mechanism);
        scram_serve_first(&s[i], &t[i], "x");
        assert_int_equal(scram_tell(&t[i], s[i].first), KLOOP_SASL_WORK);
    }
    for (size_t i = 0; left; i = (i + 1) % 10) {
        if (done[i])
            continue;
        pieces++;
        if (scram_work(&t[i]) != KLOOP_SASL_SAY)
            continue;
        done[i] = true;
        left--;
    }
    assert_true(pieces <= 100000 / KL_SCRAM_KEYS_PIECE + 10);
    for (size_t i = 0; i < 10; i++) {
        char final[128];
        scram_serve_final(&s[i], &t[i], final);
        assert_int_equal(scram_tell(&t[i], final), KLOOP_SASL_DONE);
        scram_talk_end(&t[i]);
    }
    scram_client_deinit(&c);
}

/* More salts at once than there are places: all come to their end, in any order. */
static void more_salts_than_places(void **state)
{
    (void)state;
    enum { COUNT = 3 * KL_SCRAM_KEYS_COUNT };
    for (size_t step = 1; step <= 11; step += step == 5 ? 2 : 4) {
        scram_client c;
        scram_talk t[COUNT];
        scram_server s[COUNT];
        char salts[COUNT][8];
        bool done[COUNT] = {false};
        scram_client_init(&c, KL_SHA2_256, "user", "pencil");
        for (size_t i = 0; i < COUNT; i++) {
            snprintf(salts[i], sizeof salts[i], "AAA%c", (char)('A' + i));
            s[i] = (scram_server){
                .kind = KL_SHA2_256, .password = "pencil", .salt = salts[i], .iterations = 4096};
            scram_talk_begin(&t[i], &c.mechanism);
            scram_serve_first(&s[i], &t[i], "x");
            assert_int_equal(scram_tell(&t[i], s[i].first), KLOOP_SASL_WORK);
        }
        size_t left = COUNT, pieces = 0;
        for (size_t i = 0; left; i = (i + step) % COUNT) {
            /* One of them gives up in the middle of it. */
            if (pieces == 50 && !done[1]) {
                scram_talk_end(&t[1]);
                done[1] = true;
                left--;
            }
            pieces++;
            assert_true(pieces < 100000);
            if (done[i] || scram_work(&t[i]) != KLOOP_SASL_SAY)
                continue;
            char final[128];
            scram_serve_final(&s[i], &t[i], final);
            assert_int_equal(scram_tell(&t[i], final), KLOOP_SASL_DONE);
            scram_talk_end(&t[i]);
            done[i] = true;
            left--;
        }
        scram_client_deinit(&c);
    }
}

/* ---- Configuration, memory, secrets ---- */

static void users_that_cannot_be_said(void **state)
{
    (void)state;
    kl_scram s;
    kloop_error error;
    static char long_name[1026];
    memset(long_name, 'u', 1025);
    const char *const names[] = {"a\nb", "a\x7f", "\x01", long_name};
    for (size_t i = 0; i < 4; i++) {
        kl_scram_settings settings = {KL_SHA2_256, str(names[i]), str("pw"),
                                      false,       4096,          scram_entropy};
        assert_int_equal(kl_scram_init(&s, &kl_mem_libc, &settings, &error), KLOOP_BAD_CONFIG);
        assert_non_null(strstr(error.text, "user name"));
    }
    long_name[1024] = '\0';
    memset(long_name, ',', 1024);
    kl_scram_settings settings = {KL_SHA2_256, str(long_name), str("pw"),
                                  false,       4096,           scram_entropy};
    assert_int_equal(kl_scram_init(&s, &kl_mem_libc, &settings, &error), KLOOP_OK);
    kloop_sasl_mechanism m = kl_scram_mechanism(&s);
    scram_talk t;
    scram_talk_begin(&t, &m);
    assert_int_equal(strlen(t.said), 3 + 2 + 3 * 1024 + 3 + 32);
    scram_talk_end(&t);
    kl_scram_deinit(&s, &kl_mem_libc);
}

static void without_memory(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_scram s;
        kloop_error error = {0};
        kl_scram_settings settings = {KL_SHA2_256, str("u"), str("pw"), false, 4096, scram_entropy};
        kloop_status status = kl_scram_init(&s, &alloc, &settings, &error);
        if (!status)
            kl_scram_deinit(&s, &alloc);
        kl_fail_alloc_check(&f);
        if (!f.refused) {
            assert_int_equal(status, KLOOP_OK);
            break;
        }
        assert_int_equal(status, KLOOP_NO_MEMORY);
        assert_non_null(strstr(error.text, "memory"));
    }
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    kl_needle_alloc n;
    kl_needle_alloc_init(&n);
    kl_needle_alloc_add(&n, "correct horse battery", 21);
    kl_needle_alloc_add(&n, scram_entropy, sizeof scram_entropy);
    kloop_allocator alloc = kl_needle_alloc_table(&n);
    kl_scram *s = kl_mem_zalloc(&alloc, 1, sizeof *s);
    kl_scram_settings settings = {KL_SHA2_512, str("user"), str("correct horse battery"),
                                  false,       5000,        scram_entropy};
    assert_int_equal(kl_scram_init(s, &alloc, &settings, NULL), KLOOP_OK);
    kloop_sasl_mechanism m = kl_scram_mechanism(s);
    scram_server v = {.kind = KL_SHA2_512,
                      .password = "correct horse battery",
                      .salt = SCRAM_SALT,
                      .iterations = 4096};
    char final[128];
    scram_talk t;
    scram_talk_begin(&t, &m);
    scram_serve_first(&v, &t, "x");
    scram_work_to_end(&t, scram_tell(&t, v.first));
    uint8_t salted[KL_SHA2_512_SIZE];
    memcpy(salted, s->keys.key[0].salted, sizeof salted);
    kl_needle_alloc_add(&n, salted, sizeof salted);
    scram_serve_final(&v, &t, final);
    assert_int_equal(scram_tell(&t, final), KLOOP_SASL_DONE);
    /* Nor does a session know the password or what it was made into. */
    assert_false(kl_needle_alloc_in(&n, t.session, m.session_bytes));
    scram_talk_end(&t);
    kl_scram_deinit(s, &alloc);
    kl_mem_release(&alloc, s, sizeof *s); /* not wiped here: there must be nothing left in it */
    assert_true(n.released >= 3);
    kl_needle_alloc_check(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_rfc_7677),       cmocka_unit_test(whole_exchanges),
        cmocka_unit_test(a_delegation_token),        cmocka_unit_test(extensions_are_passed_over),
        cmocka_unit_test(nonces_are_new_each_time),  cmocka_unit_test(a_key_that_is_known),
        cmocka_unit_test(many_work_on_one_key),      cmocka_unit_test(more_salts_than_places),
        cmocka_unit_test(users_that_cannot_be_said), cmocka_unit_test(without_memory),
        cmocka_unit_test(nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
