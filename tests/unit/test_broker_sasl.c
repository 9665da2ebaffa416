/* SPDX-License-Identifier: BSD-2-Clause */
/* Brokers that want to know who their clients are: which request may come when, PLAIN, sessions. */
#include "tests/support/fail_alloc.h"
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

/* ---- Which request may come when ---- */

static void nothing_but_versions_and_handshake_comes_first(void **state)
{
    (void)state;
    kl_caller w;
    kl_caller_open(&w);
    kl_caller_tell_metadata(&w);
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_peer_output_bytes(w.a.peer), 0);
    kl_caller_anew(&w);
    kl_caller_tell(&w, 2, SAID(KL_CALLER_ALICE));
    assert_true(kl_client_is_closed(&w.a));
    kl_caller_anew(&w);
    assert_int_equal(kl_caller_ask_versions(&w, 4), 0);
    kl_caller_tell_metadata(&w);
    assert_true(kl_client_is_closed(&w.a));
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "PLAIN");
    kl_caller_tell_metadata(&w);
    kl_caller_hears_nothing(&w);
    assert_null(kl_peer_principal(w.a.peer));
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 4);
    assert_int_equal(kl_cluster_logins(w.c).refused, 4);
    kl_caller_close(&w);
}

static void versions_are_told_well_once(void **state)
{
    (void)state;
    kl_caller w;
    kloop_api_versions_response r;
    kl_caller_open(&w);
    kl_cluster_set_versions(w.c, 1, KLOOP_API_VERSIONS, 0, 3);
    /* One that is not known and one that is not valid do not count. */
    kl_caller_tell_versions(&w, 4, "test");
    kl_client_answer(&w.a, KLOOP_API_VERSIONS, 0, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_UNSUPPORTED_VERSION);
    kl_caller_tell_versions(&w, 3, " ");
    kl_client_answer(&w.a, KLOOP_API_VERSIONS, 3, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_INVALID_REQUEST);
    assert_int_equal(kl_caller_ask_versions(&w, 0), 0);
    kl_caller_tell_versions(&w, 0, "");
    assert_true(kl_client_is_closed(&w.a));
    kl_caller_anew(&w);
    assert_int_equal(kl_caller_ask_versions(&w, 3), 0);
    kl_caller_log_in(&w);
    assert_int_equal(kl_caller_ask_versions(&w, 3), 0);
    kl_caller_works(&w);
    kl_caller_close(&w);
}

static void an_unknown_mechanism_is_told_the_known_ones(void **state)
{
    (void)state;
    kl_caller w;
    kloop_sasl_handshake_response r;
    kl_caller_open(&w);
    w.login.mechanisms = KL_LOGIN_PLAIN | KL_LOGIN_SCRAM_SHA_512;
    kl_caller_anew(&w);
    kl_caller_tell_handshake(&w, 1, "SCRAM-SHA-256");
    kl_client_wait(w.c, 100);
    kl_client_answer(&w.a, KLOOP_SASL_HANDSHAKE, 1, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_UNSUPPORTED_SASL_MECHANISM);
    assert_int_equal(r.mechanisms.count, 2);
    assert_true(kl_client_is_closed(&w.a));
    kl_caller_anew(&w);
    assert_int_equal(kl_caller_handshake(&w, 0, "PLAIN").mechanisms.count, 2);
    kl_caller_close(&w);
}

static void a_second_handshake_is_out_of_place(void **state)
{
    (void)state;
    kl_caller w;
    kloop_sasl_handshake_response r;
    kl_caller_open(&w);
    kl_caller_handshake(&w, 1, "PLAIN");
    kl_caller_tell_handshake(&w, 1, "PLAIN");
    kl_client_wait(w.c, 100);
    kl_client_answer(&w.a, KLOOP_SASL_HANDSHAKE, 1, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_ILLEGAL_SASL_STATE);
    assert_true(kl_client_is_closed(&w.a));
    /* A session without an end cannot be renewed; it goes on. */
    kl_caller_anew(&w);
    kl_caller_log_in(&w);
    assert_int_equal(kl_caller_handshake(&w, 1, "PLAIN").error_code,
                     KLOOP_BROKER_ILLEGAL_SASL_STATE);
    assert_int_equal(kl_caller_say(&w, 2, "", 0).error_code, KLOOP_BROKER_ILLEGAL_SASL_STATE);
    kl_caller_works(&w);
    kl_caller_close(&w);
}

static void a_large_frame_is_none_of_ours(void **state)
{
    (void)state;
    kl_caller w;
    kl_caller_open(&w);
    static const uint8_t head[] = {0, 8, 0, 1};
    kl_client_send_raw(&w.a, head, sizeof head);
    assert_true(kl_client_is_closed(&w.a));
    kl_caller_anew(&w);
    kl_caller_log_in(&w);
    kl_client_send_raw(&w.a, head, sizeof head);
    assert_false(kl_client_is_closed(&w.a));
    kl_caller_close(&w);
}

/* ---- PLAIN ---- */

static void plain_knows_its_users(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        size_t len;
        const char *words;
    } bad[] = {
        {SAID("\0alice\0alice-secre"), "Authentication failed: Invalid username or password"},
        {SAID("\0alice\0alice-secret2"), "Authentication failed: Invalid username or password"},
        {SAID("\0bob\0alice-secret"), "Authentication failed: Invalid username or password"},
        {SAID("bob\0alice\0alice-secret"),
         "Authentication failed: Client requested an authorization id that is different from "
         "username"},
        {SAID("\0\0alice-secret"), "Authentication failed: username not specified"},
        {SAID("\0alice\0"), "Authentication failed: password not specified"},
        {SAID("alice\0alice-secret"), "Invalid SASL/PLAIN response: expected 3 tokens, got 2"},
        {SAID("\0alice\0alice-secret\0"), "Invalid SASL/PLAIN response: expected 3 tokens, got 4"},
        {SAID(""), "Invalid SASL/PLAIN response: expected 3 tokens, got 1"},
    };
    kl_caller w;
    kl_caller_open(&w);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        kl_caller_anew(&w);
        kl_caller_handshake(&w, 1, "PLAIN");
        kl_caller_is_refused(&w, 2, bad[i].said, bad[i].len, bad[i].words);
    }
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "PLAIN");
    kloop_sasl_authenticate_response r = kl_caller_say(&w, 0, SAID("alice\0alice\0alice-secret"));
    assert_int_equal(r.error_code, 0);
    assert_int_equal(r.auth_bytes.len, 0);
    kl_caller_works(&w);
    kl_caller_close(&w);
}

static void users_come_and_go(void **state)
{
    (void)state;
    kl_caller w;
    kl_caller_open(&w);
    kl_cluster_set_user(w.c, 1, "alice", NULL);
    kl_cluster_set_user(w.c, 1, "nobody", NULL);
    kl_caller_handshake(&w, 1, "PLAIN");
    kl_caller_is_refused(&w, 1, SAID(KL_CALLER_ALICE),
                         "Authentication failed: Invalid username or password");
    kl_cluster_set_user(w.c, 1, "alice", "new");
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "PLAIN");
    assert_int_equal(kl_caller_say(&w, 1, SAID("\0alice\0new")).error_code, 0);
    kl_caller_close(&w);
}

/* Behind SaslHandshake v0 tokens are bare, and a refusal is just an end. */
static void bare_tokens(void **state)
{
    (void)state;
    static const uint8_t good[] = "\0\0\0\x13\0alice\0alice-secret";
    static const uint8_t bad[] = "\0\0\0\x09\0alice\0no";
    kl_caller w;
    kl_caller_open(&w);
    kl_caller_handshake(&w, 0, "PLAIN");
    kl_client_send_raw(&w.a, good, sizeof good - 1);
    assert_true(kl_client_take(&w.a));
    assert_int_equal(w.a.frame_len, 4);
    kl_caller_works(&w);
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 0, "PLAIN");
    kl_client_send_raw(&w.a, bad, sizeof bad - 1);
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_peer_output_bytes(w.a.peer), 0);
    kl_caller_close(&w);
}

/* ---- Sessions ---- */

static void a_session_ends(void **state)
{
    (void)state;
    kl_caller w;
    kl_caller_open(&w);
    w.login.reauth_ms = 5000;
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "PLAIN");
    assert_int_equal(kl_caller_say(&w, 1, SAID(KL_CALLER_ALICE)).session_lifetime_ms, 5000);
    kl_client_wait(w.c, 5000);
    kl_caller_works(&w);
    kl_client_wait(w.c, 1);
    kl_caller_tell_metadata(&w);
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_cluster_logins(w.c).expired, 1);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 0);
    kl_caller_close(&w);
}

static void a_session_is_renewed(void **state)
{
    (void)state;
    kl_caller w;
    kl_caller_open(&w);
    w.login.reauth_ms = 3000;
    kl_caller_anew(&w);
    assert_int_equal(kl_caller_ask_versions(&w, 4), 0);
    kl_caller_log_in(&w);
    for (int i = 0; i < 3; i++) {
        kl_client_wait(w.c, 2800);
        kl_caller_works(&w);
        kl_caller_log_in(&w);
    }
    /* Also when it has ended already. */
    kl_client_wait(w.c, 3001);
    kl_caller_log_in(&w);
    kl_caller_works(&w);
    assert_int_equal(kl_cluster_logins(w.c).sessions, 5);
    assert_int_equal(kl_cluster_logins(w.c).renewed, 4);
    /* Not twice in a second. */
    kl_client_wait(w.c, 999);
    assert_int_equal(kl_caller_handshake(&w, 1, "PLAIN").error_code,
                     KLOOP_BROKER_ILLEGAL_SASL_STATE);
    kl_caller_works(&w);
    kl_client_wait(w.c, 1);
    kl_caller_log_in(&w);
    kl_caller_close(&w);
}

static void a_renewal_is_by_the_same_one_in_the_same_way(void **state)
{
    (void)state;
    kl_caller w;
    kl_caller_open(&w);
    w.login.reauth_ms = 3000;
    kl_caller_anew(&w);
    kl_caller_log_in(&w);
    assert_int_equal(kl_caller_handshake(&w, 1, "PLAIN").error_code, 0);
    kl_caller_is_refused(
        &w, 2, SAID("\0a,b=c\0other"),
        "Cannot change principals during re-authentication from User.alice: User.a,b=c");
    w.login.token = "t";
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 1, "OAUTHBEARER");
    assert_int_equal(kl_caller_say(&w, 2, SAID("n,,\001auth=Bearer t\001\001")).error_code, 0);
    assert_int_equal(kl_caller_handshake(&w, 1, "OAUTHBEARER").error_code, 0);
    kl_caller_is_refused(
        &w, 2, SAID("n,,"),
        "Authentication failed during re-authentication due to invalid credentials with "
        "SASL mechanism OAUTHBEARER");
    kl_caller_anew(&w);
    kl_caller_log_in(&w);
    assert_int_equal(kl_caller_handshake(&w, 1, "SCRAM-SHA-256").error_code, 0);
    kl_caller_tell(&w, 2, "n,,n=alice,r=abc", 16);
    assert_true(kl_client_is_closed(&w.a));
    /* Nothing may come in between. */
    kl_caller_anew(&w);
    kl_caller_log_in(&w);
    assert_int_equal(kl_caller_handshake(&w, 1, "PLAIN").error_code, 0);
    kl_caller_tell_metadata(&w);
    kl_caller_hears_nothing(&w);
    kl_caller_anew(&w);
    kl_caller_log_in(&w);
    kl_caller_tell_handshake(&w, 1, "nonsense");
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_peer_output_bytes(w.a.peer), 0);
    kl_caller_close(&w);
}

static void a_pipelined_broker_authenticates_one_by_one(void **state)
{
    (void)state;
    kl_caller w;
    kl_cluster_config config = kl_client_config(1);
    config.pipelined = true;
    kl_caller_open_with(&w, &config);
    kl_client_open(&w.a, w.c, 1);
    kl_cluster_set_user(w.c, 1, "alice", "no");
    kl_caller_handshake(&w, 1, "PLAIN");
    kl_caller_tell(&w, 2, SAID(KL_CALLER_ALICE));
    kl_caller_tell_metadata(&w);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 0);
    kl_client_wait(w.c, 100);
    assert_true(kl_client_take(&w.a));
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 0);
    kl_caller_close(&w);
}

/* ---- Hooks ---- */

static void bend(void *user, const kl_request_info *request, void *response)
{
    (void)user;
    if (request->api_key == KLOOP_SASL_AUTHENTICATE) {
        kloop_sasl_authenticate_response *r = response;
        r->auth_bytes = (kloop_slice){(const uint8_t *)"bent", 4};
    }
}

static void an_answer_may_be_bent(void **state)
{
    (void)state;
    static const uint8_t good[] = "\0\0\0\x13\0alice\0alice-secret";
    kl_caller w;
    kl_cluster_config config = kl_client_config(1);
    config.hooks.on_answer = bend;
    kl_caller_open_with(&w, &config);
    kl_client_open(&w.a, w.c, 1);
    kl_caller_handshake(&w, 1, "PLAIN");
    assert_int_equal(kl_caller_say(&w, 1, SAID(KL_CALLER_ALICE)).auth_bytes.len, 4);
    kl_caller_anew(&w);
    kl_caller_handshake(&w, 0, "PLAIN");
    kl_client_send_raw(&w.a, good, sizeof good - 1);
    assert_true(kl_client_take(&w.a));
    assert_memory_equal(w.a.frame, "\0\0\0\4bent", 8);
    kl_caller_close(&w);
}

/* ---- No memory ---- */

typedef struct frames {
    uint8_t bytes[1000];
    size_t len;
} frames;

static void add(frames *f, int16_t api_key, const void *message, size_t size)
{
    kloop_size measured;
    assert_int_equal(
        kloop_measure_request_sized(api_key, 1, kloop_text("me"), message, size, &measured, NULL),
        KLOOP_OK);
    assert_true(f->len + measured.total <= sizeof f->bytes);
    assert_int_equal(kloop_encode_request_sized(api_key, 1, 7, kloop_text("me"), message, size,
                                                f->bytes + f->len, measured.total, NULL),
                     KLOOP_OK);
    f->len += measured.total;
}

/* false: something was refused. */
static bool life(const kloop_allocator *alloc, const frames *f)
{
    kl_cluster_config config = kl_client_config(1);
    kl_login_config login;
    bool ok = false;
    config.alloc = alloc;
    config.check = false;
    kl_cluster *c = kl_cluster_new(&config);
    if (!c)
        return false;
    kl_login_config_init(&login);
    login.mechanisms = KL_LOGIN_OAUTHBEARER;
    login.token = "another";
    if (kl_cluster_set_login(c, 1, &login) == KL_CLUSTER_OK) {
        login.token = NULL;
        if (kl_cluster_set_login(c, 1, &login) == KL_CLUSTER_OK &&
            kl_cluster_set_user(c, 1, "alice", "alice-secret") == KL_CLUSTER_OK) {
            kl_peer *peer = kl_peer_open(c, 1, NULL, 0);
            if (peer) {
                kl_peer_receive(peer, f->bytes, f->len, 0);
                while (kl_peer_output_bytes(peer) > 0)
                    kl_peer_wrote(peer, kl_peer_output_bytes(peer), 0);
                ok = kl_peer_principal(peer) && kl_cluster_count(c).no_memory == 0;
                assert_true(ok || kl_peer_wants_close(peer));
                kl_peer_close(peer, 0);
            }
        }
    }
    kl_cluster_del(c);
    return ok;
}

static void no_memory_is_the_end_of_a_connection(void **state)
{
    (void)state;
    static frames f;
    /* {"alg":"none"} and {"sub":"alice","exp":2000} */
    static const char token[] = "n,,\001auth=Bearer eyJhbGciOiJub25lIn0."
                                "eyJzdWIiOiJhbGljZSIsImV4cCI6MjAwMH0.\001\001";
    kloop_sasl_handshake_request h = {.mechanism = kloop_text("OAUTHBEARER")};
    add(&f, KLOOP_SASL_HANDSHAKE, &h, sizeof h);
    kloop_sasl_authenticate_request q = {.auth_bytes = {(const uint8_t *)token, sizeof token - 1}};
    add(&f, KLOOP_SASL_AUTHENTICATE, &q, sizeof q);
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc fail;
        kl_fail_alloc_init(&fail, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&fail);
        bool ok = life(&alloc, &f);
        kl_fail_alloc_check(&fail);
        if (fail.refused == 0) {
            assert_true(ok);
            assert_true(nth > 10);
            break;
        }
        assert_false(ok);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_versions_and_handshake_comes_first),
        cmocka_unit_test(versions_are_told_well_once),
        cmocka_unit_test(an_unknown_mechanism_is_told_the_known_ones),
        cmocka_unit_test(a_second_handshake_is_out_of_place),
        cmocka_unit_test(a_large_frame_is_none_of_ours),
        cmocka_unit_test(plain_knows_its_users),
        cmocka_unit_test(users_come_and_go),
        cmocka_unit_test(bare_tokens),
        cmocka_unit_test(a_session_ends),
        cmocka_unit_test(a_session_is_renewed),
        cmocka_unit_test(a_renewal_is_by_the_same_one_in_the_same_way),
        cmocka_unit_test(a_pipelined_broker_authenticates_one_by_one),
        cmocka_unit_test(an_answer_may_be_bent),
        cmocka_unit_test(no_memory_is_the_end_of_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
