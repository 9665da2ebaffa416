/* SPDX-License-Identifier: BSD-2-Clause */
/* SCRAM and OAUTHBEARER, as a broker speaks them. */
#include "base/hmac.h"
#include "broker/login_parts.h"
#include "tests/support/sasl_caller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <kloop/broker_error.h>

/* ---- SCRAM ---- */

typedef struct scram {
    kl_sha2_kind kind;
    const char *name; /* as it is sent */
    const char *password;
    const char *gs2;
    char bare[128];
    char server_first[256];
    char last[400];
    uint8_t server_signature[KL_SHA2_SIZE_MAX];
} scram;

static void scram_first(kl_caller *w, scram *s, const char *nonce)
{
    char text[200];
    snprintf(s->bare, sizeof s->bare, "n=%s,r=%s", s->name, nonce);
    int len = snprintf(text, sizeof text, "%s%s", s->gs2, s->bare);
    assert_int_equal(
        kl_caller_handshake(w, 1, s->kind == KL_SHA2_256 ? "SCRAM-SHA-256" : "SCRAM-SHA-512")
            .error_code,
        0);
    kloop_sasl_authenticate_response r = kl_caller_say(w, 2, text, (size_t)len);
    assert_int_equal(r.error_code, 0);
    assert_int_equal(r.session_lifetime_ms, 0);
    assert_true(r.auth_bytes.len < sizeof s->server_first);
    memcpy(s->server_first, r.auth_bytes.data, r.auth_bytes.len);
    s->server_first[r.auth_bytes.len] = 0;
}

/* The client's last message, by RFC 5802. */
static void scram_last(scram *s, const char *binding, const char *nonce)
{
    const char *salt_text = strstr(s->server_first, ",s=") + 3, *i = strstr(salt_text, ",i=");
    uint8_t salt[64], salted[KL_SHA2_SIZE_MAX], client_key[KL_SHA2_SIZE_MAX];
    uint8_t stored_key[KL_SHA2_SIZE_MAX], server_key[KL_SHA2_SIZE_MAX], proof[KL_SHA2_SIZE_MAX];
    char without_proof[200], text[128], auth[800];
    size_t salt_len, size = kl_sha2_size(s->kind);
    assert_true(kl_login_unbase64(salt, &salt_len, salt_text, (size_t)(i - salt_text)));
    kl_pbkdf2 d;
    kl_pbkdf2_init(&d, s->kind, s->password, strlen(s->password), salt, salt_len,
                   (uint32_t)atoi(i + 3));
    while (!kl_pbkdf2_go_on(&d, 1000))
        ;
    kl_pbkdf2_final(&d, salted);
    kl_hmac_of(s->kind, salted, size, "Client Key", 10, client_key);
    kl_hmac_of(s->kind, salted, size, "Server Key", 10, server_key);
    kl_sha2_of(s->kind, client_key, size, stored_key);
    snprintf(without_proof, sizeof without_proof, "c=%s,r=%s", binding, nonce);
    int len = snprintf(auth, sizeof auth, "%s,%s,%s", s->bare, s->server_first, without_proof);
    kl_hmac_of(s->kind, stored_key, size, auth, (size_t)len, proof);
    kl_hmac_of(s->kind, server_key, size, auth, (size_t)len, s->server_signature);
    for (size_t n = 0; n < size; n++)
        proof[n] ^= client_key[n];
    kl_login_base64(text, proof, size);
    snprintf(s->last, sizeof s->last, "%s,p=%s", without_proof, text);
}

static char *nonce_of(const scram *s)
{
    static char nonce[200];
    size_t len = (size_t)(strstr(s->server_first, ",s=") - s->server_first) - 2;
    memcpy(nonce, s->server_first + 2, len);
    nonce[len] = 0;
    return nonce;
}

static void scram_lets_in(kl_caller *w, scram *s, const char *binding)
{
    uint8_t signature[KL_SHA2_SIZE_MAX * 2];
    size_t len;
    scram_first(w, s, "fyko+d2lbbFgONRv9qkxdawL");
    assert_memory_equal(s->server_first, "r=fyko+d2lbbFgONRv9qkxdawL", 26);
    assert_int_equal(strlen(nonce_of(s)), 48);
    scram_last(s, binding, nonce_of(s));
    kloop_sasl_authenticate_response r = kl_caller_say(w, 2, s->last, strlen(s->last));
    assert_int_equal(r.error_code, 0);
    assert_memory_equal(r.auth_bytes.data, "v=", 2);
    assert_true(kl_login_unbase64(signature, &len, (const char *)r.auth_bytes.data + 2,
                                  r.auth_bytes.len - 2));
    assert_int_equal(len, kl_sha2_size(s->kind));
    assert_memory_equal(signature, s->server_signature, len);
    kl_caller_works(w);
}

static void scram_proves_both(void **state)
{
    (void)state;
    kl_caller w;
    kl_caller_open(&w);
    for (int kind = KL_SHA2_256; kind <= KL_SHA2_512; kind++) {
        scram s = {
            .kind = (kl_sha2_kind)kind, .name = "alice", .password = "alice-secret", .gs2 = "n,,"};
        kl_caller_anew(&w);
        scram_lets_in(&w, &s, "biws");
        assert_non_null(strstr(s.server_first, ",i=4096"));
        s.name = "a=2Cb=3Dc";
        s.password = "other";
        kl_caller_anew(&w);
        scram_lets_in(&w, &s, "biws");
        assert_string_equal(kl_peer_principal(w.a.peer), "a,b=c");
        s.gs2 = "n,a=a=2Cb=3Dc,";
        kl_caller_anew(&w);
        scram_lets_in(&w, &s, "bixhPWE9MkNiPTNEYyw=");
    }
    kl_caller_close(&w);
}

static void scram_refuses(void **state)
{
    (void)state;
    kl_caller w;
    kl_caller_open(&w);
    scram s = {.kind = KL_SHA2_512, .name = "alice", .password = "alice-secre", .gs2 = "n,,"};
    /* A wrong password, two wrong nonces, no proof, a bent one. */
    for (int wrong = 0; wrong < 5; wrong++) {
        char nonce[200];
        kl_caller_anew(&w);
        s.password = wrong == 0 ? "alice-secre" : "alice-secret";
        scram_first(&w, &s, "abc");
        snprintf(nonce, sizeof nonce, "%s", nonce_of(&s));
        if (wrong == 1)
            nonce[0] = 'b';
        if (wrong == 2)
            nonce[3] = 0;
        scram_last(&s, "biws", nonce);
        if (wrong == 3)
            *strstr(s.last, ",p=") = 0;
        if (wrong == 4)
            s.last[strlen(s.last) - 10] ^= 1;
        kl_caller_is_refused(&w, 2, s.last, strlen(s.last), KL_CALLER_GENERAL("SCRAM-SHA-512"));
    }
    /* Another binding than it began with is taken, as by Kafka, and complained about. */
    kl_caller_anew(&w);
    scram_lets_in(&w, &s, "biws");
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 0);
    kl_caller_anew(&w);
    scram_lets_in(&w, &s, "biwsCg==");
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 1);
    /* The password is another one by the time of the proof. */
    kl_caller_anew(&w);
    scram_first(&w, &s, "abc");
    scram_last(&s, "biws", nonce_of(&s));
    kl_cluster_set_user(w.c, 1, "alice", "alice-secret");
    kl_caller_is_refused(&w, 2, s.last, strlen(s.last), KL_CALLER_GENERAL("SCRAM-SHA-512"));
    static const char *const firsts[] = {
        "n,,n=bob,r=abc",  "n,,n=,r=abc",       "n,,n=alice,r=",
        "n,,n=alice",      "y,,n=alice,r=abc",  "n,",
        "n,,r=abc",        "n,,n=al=2Dice,r=a", "n,,n=alice,r=ä",
        "n,,n=alice=,r=a", "n,x=a,n=a,r=b",     "n,a=,n=al,r=a",
    };
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        kl_caller_anew(&w);
        kl_caller_handshake(&w, 1, "SCRAM-SHA-256");
        kl_caller_is_refused(&w, 1, firsts[i], strlen(firsts[i]),
                             KL_CALLER_GENERAL("SCRAM-SHA-256"));
    }
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "SCRAM-SHA-256");
    kl_caller_is_refused(
        &w, 1, SAID("n,a=bob,n=alice,r=abc"),
        "Authentication failed: Client requested an authorization id that is different from "
        "username");
    kl_caller_close(&w);
}

/* Whatever length: nothing is written beyond what there is, nothing that is not understood is
 * taken. */
static void scram_is_given_too_much(void **state)
{
    (void)state;
    kl_caller w;
    kl_caller_open(&w);
    static const size_t lens[] = {100, 255, 256, 400, 600, 900, 1100, 2048, 3000, 60000};
    char *text = malloc(70000);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        for (int what = 0; what < 3; what++) {
            const char *head = what == 0   ? "n,,n="
                               : what == 1 ? "n,,n=alice,r="
                                           : "n,,n=alice,r=abc,x=";
            size_t len = strlen(head);
            kloop_sasl_authenticate_response r;
            memcpy(text, head, len);
            memset(text + len, 'x', lens[i]);
            len += lens[i];
            if (what == 0) {
                memcpy(text + len, ",r=a", 4);
                len += 4;
            }
            kl_caller_anew(&w);
            kl_caller_handshake(&w, 1, "SCRAM-SHA-256");
            kl_caller_tell(&w, 2, text, len);
            kl_client_wait(w.c, 100);
            kl_client_answer(&w.a, KLOOP_SASL_AUTHENTICATE, 2, &r);
            assert_int_equal(r.error_code == 0, what > 0 && lens[i] <= (what == 1 ? 512 : 900));
        }
    }
    free(text);
    kl_caller_close(&w);
}

/* ---- OAUTHBEARER ---- */

/* {"alg":"none"} */
#define NONE "eyJhbGciOiJub25lIn0"

static size_t bearer(char *out, size_t size, const char *header, const char *claims,
                     const char *tail)
{
    char text[700];
    kl_login_base64(text, (const uint8_t *)claims, strlen(claims));
    text[strcspn(text, "=")] = 0;
    return (size_t)snprintf(out, size, "%s%s.%s%s", "n,,\001auth=Bearer ", header, text, tail);
}

static void bearer_believes_an_unsecured_token(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        int64_t lifetime_ms;
    } good[] = {
        {"{\"sub\":\"alice\",\"exp\":1060}", 60000},
        {" { \"iat\" : 1.0E3 , \"x\":[1,{\"exp\":3}, \"}\\\"\"], "
         "\"exp\":1.0605E3,\"sub\":\"alice\" }",
         60500},
        {"{\"exp\":2000.1239,\"sub\":\"alice\"}", 1000123},
        {"{\"exp\":99999999999999999999,\"sub\":\"alice\"}", 0},
    };
    char text[1000];
    kl_caller w;
    kl_caller_open(&w);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        kl_caller_anew(&w);
        kl_caller_handshake(&w, 1, "OAUTHBEARER");
        size_t len = bearer(text, sizeof text, NONE, good[i].claims, ".\001\001");
        kloop_sasl_authenticate_response r = kl_caller_say(&w, 2, text, len);
        assert_int_equal(r.error_code, 0);
        assert_int_equal(r.auth_bytes.len, 0);
        assert_int_equal(r.session_lifetime_ms, good[i].lifetime_ms);
        assert_string_equal(kl_peer_principal(w.a.peer), "alice");
    }
    /* The sooner of both. */
    w.login.reauth_ms = 2000;
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "OAUTHBEARER");
    size_t len = bearer(text, sizeof text, NONE, good[0].claims, ".\001traceId=123\001\001");
    assert_int_equal(kl_caller_say(&w, 1, text, len).session_lifetime_ms, 2000);
    kl_caller_close(&w);
}

static void bearer_says_what_is_wrong_and_waits(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        const char *claims;
    } bad[] = {
        {NONE, "{\"sub\":\"alice\",\"exp\":1000}"},
        {NONE, "{\"sub\":\"alice\",\"exp\":\"2000\"}"},
        {NONE, "{\"sub\":\"alice\"}"},
        {NONE, "{\"exp\":2000}"},
        {NONE, "{\"sub\":\"\",\"exp\":2000}"},
        {NONE, "{\"sub\":\"alice\",\"exp\":2000"},
        {NONE, "{\"sub\":\"alice\",\"exp\":}"},
        {NONE, "[]"},
        {NONE, ""},
        {"eyJhbGciOiJSUzI1NiJ9", "{\"sub\":\"alice\",\"exp\":2000}"},
        {"e", "{\"sub\":\"alice\",\"exp\":2000}"},
        {"*", "{\"sub\":\"alice\",\"exp\":2000}"},
    };
    static const char json[] = "{\"status\":\"invalid_token\"}";
    char text[1000];
    kl_caller w;
    kl_caller_open(&w);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        kl_caller_anew(&w);
        kl_caller_handshake(&w, 1, "OAUTHBEARER");
        size_t len = bearer(text, sizeof text, bad[i].header, bad[i].claims, ".\001\001");
        kloop_sasl_authenticate_response r = kl_caller_say(&w, 2, text, len);
        assert_int_equal(r.error_code, 0);
        assert_int_equal(r.auth_bytes.len, sizeof json - 1);
        assert_memory_equal(r.auth_bytes.data, json, sizeof json - 1);
        kl_caller_is_refused(&w, 2, "\001", 1, json);
    }
    /* A second try within the exchange is heard, as Kafka does. */
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "OAUTHBEARER");
    size_t len = bearer(text, sizeof text, NONE, bad[0].claims, ".\001\001");
    assert_int_equal(kl_caller_say(&w, 2, text, len).auth_bytes.len, sizeof json - 1);
    len = bearer(text, sizeof text, NONE, "{\"sub\":\"alice\",\"exp\":2000}", ".\001\001");
    assert_int_equal(kl_caller_say(&w, 2, text, len).session_lifetime_ms,
                     1000000 - kl_client_now / KL_CLIENT_MS);
    static const char *const forms[] = {
        "",
        "n",
        "n,,",
        "n,,\001",
        "n,,\001\001",
        "n,,\001auth=Bearer x\001",
        "n,,\001=x\001auth=Bearer x\001\001",
        "n,b=x,\001auth=Bearer x\001\001",
        "n,,\001auth=Bearer x\001\001y",
        "n,,\001auth=Bearer x\001auth=Bearer x\001\001",
        "\001",
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        kl_caller_anew(&w);
        kl_caller_handshake(&w, 1, "OAUTHBEARER");
        kl_caller_is_refused(&w, 2, forms[i], strlen(forms[i]), KL_CALLER_GENERAL("OAUTHBEARER"));
    }
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "OAUTHBEARER");
    kl_caller_tell(&w, 2, SAID("n,,\001auth=Basic x\001\001"));
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_peer_output_bytes(w.a.peer), 0);
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "OAUTHBEARER");
    assert_int_equal(kl_caller_say(&w, 2, SAID("n,,\001auth=bEARER x\001\001")).auth_bytes.len, 26);
    kl_caller_close(&w);
}

static void bearer_takes_one_given_token(void **state)
{
    (void)state;
    kl_caller w;
    kl_caller_open(&w);
    w.login.token = "tea-and-milk";
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "OAUTHBEARER");
    kloop_sasl_authenticate_response r =
        kl_caller_say(&w, 2, SAID("n,a=token,\001auth=Bearer tea-and-milk\001\001"));
    assert_int_equal(r.error_code, 0);
    assert_int_equal(r.session_lifetime_ms, 0);
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "OAUTHBEARER");
    assert_int_equal(
        kl_caller_say(&w, 2, SAID("n,,\001auth=Bearer tea-and-mil\001\001")).auth_bytes.len, 26);
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "OAUTHBEARER");
    kl_caller_is_refused(
        &w, 2, SAID("n,a=you,\001auth=Bearer tea-and-milk\001\001"),
        "Authentication failed: Client requested an authorization id (you) that is different "
        "from the token's principal name (token)");
    w.login.token = NULL;
    kl_caller_anew(&w);
    kl_caller_close(&w);
}

/* ---- Whatever is said ---- */

static void say_anything(kl_caller *w, kl_login_mechanism mechanism, kl_prng *prng,
                         const char *good, size_t len)
{
    kl_login_exchange x = {.mechanism = mechanism, .token_ends_ms = INT64_MAX};
    kl_request r = {.peer = w->a.peer, .cluster = w->c};
    kl_scratch_init(&r.scratch, &kl_mem_libc);
    for (int turn = 0; turn < 3; turn++) {
        /* A copy with nothing behind it, cut and bent. */
        size_t n = kl_prng_chance(prng, 300000) ? (size_t)kl_prng_below(prng, len + 1) : len;
        uint8_t *said = malloc(n ? n : 1);
        assert_non_null(said);
        memcpy(said, good, n);
        for (uint64_t bends = kl_prng_below(prng, 4); n > 0 && bends > 0; bends--) {
            static const char odd[] = "=,.\"\\{}[]:\001 \n0e-_";
            said[kl_prng_below(prng, n)] = kl_prng_chance(prng, 500000)
                                               ? (uint8_t)odd[kl_prng_below(prng, sizeof odd)]
                                               : (uint8_t)kl_prng_below(prng, 256);
        }
        kloop_slice s = {said, n};
        kl_login_verdict v = mechanism == KL_LOGIN_PLAIN         ? kl_login_plain(&x, &r, s)
                             : mechanism == KL_LOGIN_OAUTHBEARER ? kl_login_bearer(&x, &r, s)
                                                                 : kl_login_scram(&x, &r, s);
        free(said);
        assert_true(v != KL_LOGIN_NO_MEMORY);
        if (v != KL_LOGIN_MORE)
            break;
    }
    kl_scratch_deinit(&r.scratch);
}

static void whatever_is_said_nothing_breaks(void **state)
{
    (void)state;
    kl_caller w;
    kl_prng prng;
    char token[1000];
    kl_caller_open(&w);
    kl_prng_init(&prng, 1);
    for (int i = 0; i < 20000; i++) {
        size_t len = bearer(token, sizeof token, NONE,
                            "{\"a\":[1,{\"b\":\"\\\"\"}],\"sub\":\"alice\",\"exp\":2.0E3}",
                            ".\001x=y\001\001");
        say_anything(&w, KL_LOGIN_OAUTHBEARER, &prng, token, len);
        say_anything(&w, KL_LOGIN_PLAIN, &prng, SAID(KL_CALLER_ALICE));
        say_anything(&w, KL_LOGIN_SCRAM_SHA_256, &prng, SAID("n,a=alice,n=alice,r=abc,x=y"));
    }
    kl_caller_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scram_proves_both),
        cmocka_unit_test(scram_refuses),
        cmocka_unit_test(scram_is_given_too_much),
        cmocka_unit_test(bearer_believes_an_unsecured_token),
        cmocka_unit_test(bearer_says_what_is_wrong_and_waits),
        cmocka_unit_test(bearer_takes_one_given_token),
        cmocka_unit_test(whatever_is_said_nothing_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
