/* SPDX-License-Identifier: BSD-2-Clause */
/* Brokers that want to know who their clients are: which request may come when, and each exchange.
 */
#include "base/hmac.h"
#include "broker/login.h"
#include "broker/login_parts.h"
#include "tests/support/broker_client.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <kloop/broker_error.h>

#define ALL_MECHANISMS                                                                             \
    (KL_LOGIN_PLAIN | KL_LOGIN_SCRAM_SHA_256 | KL_LOGIN_SCRAM_SHA_512 | KL_LOGIN_OAUTHBEARER)

typedef struct world {
    kl_cluster *c;
    kl_login_config login;
    kl_client a;
} world;

static void on_answer_nothing(void *user, const kl_request_info *request, void *response)
{
    (void)user;
    (void)request;
    (void)response;
}

static void open_world_with(world *w, kl_cluster_config *config)
{
    memset(w, 0, sizeof *w);
    w->c = kl_client_cluster(config);
    kl_client_topic(w->c, "events", 1, 1);
    kl_login_config_init(&w->login);
    w->login.mechanisms = ALL_MECHANISMS;
    assert_int_equal(kl_cluster_set_login(w->c, 1, &w->login), KL_CLUSTER_OK);
    assert_int_equal(kl_cluster_set_user(w->c, 1, "alice", "alice-secret"), KL_CLUSTER_OK);
    assert_int_equal(kl_cluster_set_user(w->c, 1, "a,b=c", "other"), KL_CLUSTER_OK);
}

static void open_world(world *w)
{
    kl_cluster_config config = kl_client_config(1);
    config.wall_ms_at_zero = 1000000;
    config.hooks.on_answer = on_answer_nothing;
    open_world_with(w, &config);
    kl_client_open(&w->a, w->c, 1);
}

static void close_world(world *w)
{
    kl_client_close(&w->a);
    kl_cluster_del(w->c);
}

/* What was changed in w->login counts for connections from now on. */
static void connect_anew(world *w)
{
    kl_client_close(&w->a);
    assert_int_equal(kl_cluster_set_login(w->c, 1, &w->login), KL_CLUSTER_OK);
    kl_client_open(&w->a, w->c, 1);
}

/* ---- One step of a client ---- */

static void tell_versions(world *w, int16_t version, const char *name)
{
    kloop_api_versions_request q;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &q);
    if (version >= 3) {
        q.client_software_name = kloop_text(name);
        q.client_software_version = kloop_text("1");
    }
    kl_client_send(&w->a, KLOOP_API_VERSIONS, version, &q);
}

static int16_t ask_versions(world *w, int16_t version)
{
    kloop_api_versions_response r;
    tell_versions(w, version, "test");
    kl_client_answer(&w->a, KLOOP_API_VERSIONS, version, &r);
    return r.error_code;
}

static void tell_handshake(world *w, int16_t version, const char *mechanism)
{
    kloop_sasl_handshake_request q;
    kloop_message_init(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, &q);
    q.mechanism = kloop_text(mechanism);
    kl_client_send(&w->a, KLOOP_SASL_HANDSHAKE, version, &q);
}

static kloop_sasl_handshake_response handshake(world *w, int16_t version, const char *mechanism)
{
    kloop_sasl_handshake_response r;
    tell_handshake(w, version, mechanism);
    kl_client_answer(&w->a, KLOOP_SASL_HANDSHAKE, version, &r);
    return r;
}

static void tell(world *w, int16_t version, const void *bytes, size_t len)
{
    kloop_sasl_authenticate_request q;
    kloop_message_init(KLOOP_SASL_AUTHENTICATE, KLOOP_REQUEST, &q);
    q.auth_bytes = (kloop_slice){bytes, len};
    kl_client_send(&w->a, KLOOP_SASL_AUTHENTICATE, version, &q);
}

static kloop_sasl_authenticate_response say(world *w, int16_t version, const void *bytes,
                                            size_t len)
{
    kloop_sasl_authenticate_response r;
    tell(w, version, bytes, len);
    kl_client_answer(&w->a, KLOOP_SASL_AUTHENTICATE, version, &r);
    return r;
}

static void tell_metadata(world *w)
{
    kloop_metadata_request q;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &q);
    kl_client_send(&w->a, KLOOP_METADATA, 12, &q);
}

/* Metadata is answered: the connection is in use. */
static void works(world *w)
{
    kloop_metadata_response r;
    tell_metadata(w);
    kl_client_answer(&w->a, KLOOP_METADATA, 12, &r);
}

/* An answer that says nothing, and the end. */
static void nothing_is_told(world *w)
{
    kloop_metadata_response r;
    kl_client_wait(w->c, 100);
    kl_client_answer(&w->a, KLOOP_METADATA, 12, &r);
    assert_int_equal(r.brokers.count, 0);
    assert_int_equal(r.topics.count, 0);
    assert_true(kl_client_is_closed(&w->a));
}

static const char alice[] = "\0alice\0alice-secret";

static void log_in(world *w)
{
    assert_int_equal(handshake(w, 1, "PLAIN").error_code, 0);
    assert_int_equal(say(w, 2, alice, sizeof alice - 1).error_code, 0);
    assert_string_equal(kl_peer_principal(w->a.peer), "alice");
}

/* The answer comes after the broker's pause, and with it the end. */
static void is_refused(world *w, int16_t version, const void *bytes, size_t len, const char *words)
{
    kloop_sasl_authenticate_response r;
    tell(w, version, bytes, len);
    assert_int_equal(kl_peer_output_bytes(w->a.peer), 0);
    kl_client_wait(w->c, 99);
    assert_int_equal(kl_peer_output_bytes(w->a.peer), 0);
    kl_client_wait(w->c, 1);
    kl_client_answer(&w->a, KLOOP_SASL_AUTHENTICATE, version, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_SASL_AUTHENTICATION_FAILED);
    assert_int_equal(r.error_message.len, strlen(words));
    assert_memory_equal(r.error_message.data, words, r.error_message.len);
    assert_true(kl_client_is_closed(&w->a));
}

#define GENERAL(mechanism)                                                                         \
    "Authentication failed during authentication due to invalid credentials with SASL "            \
    "mechanism " mechanism

/* ---- Which request may come when ---- */

static void nothing_but_versions_and_handshake_comes_first(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    tell_metadata(&w);
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_peer_output_bytes(w.a.peer), 0);
    connect_anew(&w);
    tell(&w, 2, alice, sizeof alice - 1);
    assert_true(kl_client_is_closed(&w.a));
    connect_anew(&w);
    assert_int_equal(ask_versions(&w, 4), 0);
    tell_metadata(&w);
    assert_true(kl_client_is_closed(&w.a));
    connect_anew(&w);
    handshake(&w, 1, "PLAIN");
    tell_metadata(&w);
    nothing_is_told(&w);
    assert_null(kl_peer_principal(w.a.peer));
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 4);
    assert_int_equal(kl_cluster_logins(w.c).refused, 4);
    close_world(&w);
}

static void versions_are_told_well_once(void **state)
{
    (void)state;
    world w;
    kloop_api_versions_response r;
    open_world(&w);
    kl_cluster_set_versions(w.c, 1, KLOOP_API_VERSIONS, 0, 3);
    /* One that is not known and one that is not valid do not count. */
    tell_versions(&w, 4, "test");
    kl_client_answer(&w.a, KLOOP_API_VERSIONS, 0, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_UNSUPPORTED_VERSION);
    tell_versions(&w, 3, " ");
    kl_client_answer(&w.a, KLOOP_API_VERSIONS, 3, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_INVALID_REQUEST);
    assert_int_equal(ask_versions(&w, 0), 0);
    tell_versions(&w, 0, "");
    assert_true(kl_client_is_closed(&w.a));
    connect_anew(&w);
    assert_int_equal(ask_versions(&w, 3), 0);
    log_in(&w);
    assert_int_equal(ask_versions(&w, 3), 0);
    works(&w);
    close_world(&w);
}

static void an_unknown_mechanism_is_told_the_known_ones(void **state)
{
    (void)state;
    world w;
    kloop_sasl_handshake_response r;
    open_world(&w);
    w.login.mechanisms = KL_LOGIN_PLAIN | KL_LOGIN_SCRAM_SHA_512;
    connect_anew(&w);
    tell_handshake(&w, 1, "SCRAM-SHA-256");
    kl_client_wait(w.c, 100);
    kl_client_answer(&w.a, KLOOP_SASL_HANDSHAKE, 1, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_UNSUPPORTED_SASL_MECHANISM);
    assert_int_equal(r.mechanisms.count, 2);
    assert_true(kl_client_is_closed(&w.a));
    connect_anew(&w);
    assert_int_equal(handshake(&w, 0, "PLAIN").mechanisms.count, 2);
    close_world(&w);
}

static void a_second_handshake_is_out_of_place(void **state)
{
    (void)state;
    world w;
    kloop_sasl_handshake_response r;
    open_world(&w);
    handshake(&w, 1, "PLAIN");
    tell_handshake(&w, 1, "PLAIN");
    kl_client_wait(w.c, 100);
    kl_client_answer(&w.a, KLOOP_SASL_HANDSHAKE, 1, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_ILLEGAL_SASL_STATE);
    assert_true(kl_client_is_closed(&w.a));
    /* A session without an end cannot be renewed; it goes on. */
    connect_anew(&w);
    log_in(&w);
    assert_int_equal(handshake(&w, 1, "PLAIN").error_code, KLOOP_BROKER_ILLEGAL_SASL_STATE);
    assert_int_equal(say(&w, 2, "", 0).error_code, KLOOP_BROKER_ILLEGAL_SASL_STATE);
    works(&w);
    close_world(&w);
}

static void a_large_frame_is_none_of_ours(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    static const uint8_t head[] = {0, 8, 0, 1};
    kl_client_send_raw(&w.a, head, sizeof head);
    assert_true(kl_client_is_closed(&w.a));
    connect_anew(&w);
    log_in(&w);
    kl_client_send_raw(&w.a, head, sizeof head);
    assert_false(kl_client_is_closed(&w.a));
    close_world(&w);
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
#define SAID(text) (text), sizeof(text) - 1
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
    world w;
    open_world(&w);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        connect_anew(&w);
        handshake(&w, 1, "PLAIN");
        is_refused(&w, 2, bad[i].said, bad[i].len, bad[i].words);
    }
    connect_anew(&w);
    handshake(&w, 1, "PLAIN");
    kloop_sasl_authenticate_response r = say(&w, 0, SAID("alice\0alice\0alice-secret"));
    assert_int_equal(r.error_code, 0);
    assert_int_equal(r.auth_bytes.len, 0);
    works(&w);
    close_world(&w);
}

static void users_come_and_go(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    kl_cluster_set_user(w.c, 1, "alice", NULL);
    kl_cluster_set_user(w.c, 1, "nobody", NULL);
    handshake(&w, 1, "PLAIN");
    is_refused(&w, 1, alice, sizeof alice - 1,
               "Authentication failed: Invalid username or password");
    kl_cluster_set_user(w.c, 1, "alice", "new");
    connect_anew(&w);
    handshake(&w, 1, "PLAIN");
    assert_int_equal(say(&w, 1, SAID("\0alice\0new")).error_code, 0);
    close_world(&w);
}

/* Behind SaslHandshake v0 tokens are bare, and a refusal is just an end. */
static void bare_tokens(void **state)
{
    (void)state;
    static const uint8_t good[] = "\0\0\0\x13\0alice\0alice-secret";
    static const uint8_t bad[] = "\0\0\0\x09\0alice\0no";
    world w;
    open_world(&w);
    handshake(&w, 0, "PLAIN");
    kl_client_send_raw(&w.a, good, sizeof good - 1);
    assert_true(kl_client_take(&w.a));
    assert_int_equal(w.a.frame_len, 4);
    works(&w);
    connect_anew(&w);
    handshake(&w, 0, "PLAIN");
    kl_client_send_raw(&w.a, bad, sizeof bad - 1);
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_peer_output_bytes(w.a.peer), 0);
    close_world(&w);
}

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

static void scram_first(world *w, scram *s, const char *nonce)
{
    char text[200];
    snprintf(s->bare, sizeof s->bare, "n=%s,r=%s", s->name, nonce);
    int len = snprintf(text, sizeof text, "%s%s", s->gs2, s->bare);
    assert_int_equal(
        handshake(w, 1, s->kind == KL_SHA2_256 ? "SCRAM-SHA-256" : "SCRAM-SHA-512").error_code, 0);
    kloop_sasl_authenticate_response r = say(w, 2, text, (size_t)len);
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

static void scram_lets_in(world *w, scram *s, const char *binding)
{
    uint8_t signature[KL_SHA2_SIZE_MAX * 2];
    size_t len;
    scram_first(w, s, "fyko+d2lbbFgONRv9qkxdawL");
    assert_memory_equal(s->server_first, "r=fyko+d2lbbFgONRv9qkxdawL", 26);
    assert_int_equal(strlen(nonce_of(s)), 48);
    scram_last(s, binding, nonce_of(s));
    kloop_sasl_authenticate_response r = say(w, 2, s->last, strlen(s->last));
    assert_int_equal(r.error_code, 0);
    assert_memory_equal(r.auth_bytes.data, "v=", 2);
    assert_true(kl_login_unbase64(signature, &len, (const char *)r.auth_bytes.data + 2,
                                  r.auth_bytes.len - 2));
    assert_int_equal(len, kl_sha2_size(s->kind));
    assert_memory_equal(signature, s->server_signature, len);
    works(w);
}

static void scram_proves_both(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    for (int kind = KL_SHA2_256; kind <= KL_SHA2_512; kind++) {
        scram s = {
            .kind = (kl_sha2_kind)kind, .name = "alice", .password = "alice-secret", .gs2 = "n,,"};
        connect_anew(&w);
        scram_lets_in(&w, &s, "biws");
        assert_non_null(strstr(s.server_first, ",i=4096"));
        s.name = "a=2Cb=3Dc";
        s.password = "other";
        connect_anew(&w);
        scram_lets_in(&w, &s, "biws");
        assert_string_equal(kl_peer_principal(w.a.peer), "a,b=c");
        s.gs2 = "n,a=a=2Cb=3Dc,";
        connect_anew(&w);
        scram_lets_in(&w, &s, "bixhPWE9MkNiPTNEYyw=");
    }
    close_world(&w);
}

static void scram_refuses(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    scram s = {.kind = KL_SHA2_512, .name = "alice", .password = "alice-secre", .gs2 = "n,,"};
    /* A wrong password, two wrong nonces, no proof, a bent one. */
    for (int wrong = 0; wrong < 5; wrong++) {
        char nonce[200];
        connect_anew(&w);
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
        is_refused(&w, 2, s.last, strlen(s.last), GENERAL("SCRAM-SHA-512"));
    }
    /* Another binding than it began with is taken, as by Kafka, and complained about. */
    connect_anew(&w);
    scram_lets_in(&w, &s, "biws");
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 0);
    connect_anew(&w);
    scram_lets_in(&w, &s, "biwsCg==");
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 1);
    /* The password is another one by the time of the proof. */
    connect_anew(&w);
    scram_first(&w, &s, "abc");
    scram_last(&s, "biws", nonce_of(&s));
    kl_cluster_set_user(w.c, 1, "alice", "alice-secret");
    is_refused(&w, 2, s.last, strlen(s.last), GENERAL("SCRAM-SHA-512"));
    static const char *const firsts[] = {
        "n,,n=bob,r=abc",  "n,,n=,r=abc",       "n,,n=alice,r=",
        "n,,n=alice",      "y,,n=alice,r=abc",  "n,",
        "n,,r=abc",        "n,,n=al=2Dice,r=a", "n,,n=alice,r=ä",
        "n,,n=alice=,r=a", "n,x=a,n=a,r=b",     "n,a=,n=al,r=a",
    };
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        connect_anew(&w);
        handshake(&w, 1, "SCRAM-SHA-256");
        is_refused(&w, 1, firsts[i], strlen(firsts[i]), GENERAL("SCRAM-SHA-256"));
    }
    connect_anew(&w);
    handshake(&w, 1, "SCRAM-SHA-256");
    is_refused(&w, 1, SAID("n,a=bob,n=alice,r=abc"),
               "Authentication failed: Client requested an authorization id that is different from "
               "username");
    close_world(&w);
}

/* Whatever length: nothing is written beyond what there is, nothing that is not understood is
 * taken. */
static void scram_is_given_too_much(void **state)
{
    (void)state;
    world w;
    open_world(&w);
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
            connect_anew(&w);
            handshake(&w, 1, "SCRAM-SHA-256");
            tell(&w, 2, text, len);
            kl_client_wait(w.c, 100);
            kl_client_answer(&w.a, KLOOP_SASL_AUTHENTICATE, 2, &r);
            assert_int_equal(r.error_code == 0, what > 0 && lens[i] <= (what == 1 ? 512 : 900));
        }
    }
    free(text);
    close_world(&w);
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
    world w;
    open_world(&w);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        connect_anew(&w);
        handshake(&w, 1, "OAUTHBEARER");
        size_t len = bearer(text, sizeof text, NONE, good[i].claims, ".\001\001");
        kloop_sasl_authenticate_response r = say(&w, 2, text, len);
        assert_int_equal(r.error_code, 0);
        assert_int_equal(r.auth_bytes.len, 0);
        assert_int_equal(r.session_lifetime_ms, good[i].lifetime_ms);
        assert_string_equal(kl_peer_principal(w.a.peer), "alice");
    }
    /* The sooner of both. */
    w.login.reauth_ms = 2000;
    connect_anew(&w);
    handshake(&w, 1, "OAUTHBEARER");
    size_t len = bearer(text, sizeof text, NONE, good[0].claims, ".\001traceId=123\001\001");
    assert_int_equal(say(&w, 1, text, len).session_lifetime_ms, 2000);
    close_world(&w);
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
    world w;
    open_world(&w);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        connect_anew(&w);
        handshake(&w, 1, "OAUTHBEARER");
        size_t len = bearer(text, sizeof text, bad[i].header, bad[i].claims, ".\001\001");
        kloop_sasl_authenticate_response r = say(&w, 2, text, len);
        assert_int_equal(r.error_code, 0);
        assert_int_equal(r.auth_bytes.len, sizeof json - 1);
        assert_memory_equal(r.auth_bytes.data, json, sizeof json - 1);
        is_refused(&w, 2, "\001", 1, json);
    }
    /* A second try within the exchange is heard, as Kafka does. */
    connect_anew(&w);
    handshake(&w, 1, "OAUTHBEARER");
    size_t len = bearer(text, sizeof text, NONE, bad[0].claims, ".\001\001");
    assert_int_equal(say(&w, 2, text, len).auth_bytes.len, sizeof json - 1);
    len = bearer(text, sizeof text, NONE, "{\"sub\":\"alice\",\"exp\":2000}", ".\001\001");
    assert_int_equal(say(&w, 2, text, len).session_lifetime_ms,
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
        connect_anew(&w);
        handshake(&w, 1, "OAUTHBEARER");
        is_refused(&w, 2, forms[i], strlen(forms[i]), GENERAL("OAUTHBEARER"));
    }
    connect_anew(&w);
    handshake(&w, 1, "OAUTHBEARER");
    tell(&w, 2, SAID("n,,\001auth=Basic x\001\001"));
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_peer_output_bytes(w.a.peer), 0);
    connect_anew(&w);
    handshake(&w, 1, "OAUTHBEARER");
    assert_int_equal(say(&w, 2, SAID("n,,\001auth=bEARER x\001\001")).auth_bytes.len, 26);
    close_world(&w);
}

static void bearer_takes_one_given_token(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    w.login.token = "tea-and-milk";
    connect_anew(&w);
    handshake(&w, 1, "OAUTHBEARER");
    kloop_sasl_authenticate_response r =
        say(&w, 2, SAID("n,a=token,\001auth=Bearer tea-and-milk\001\001"));
    assert_int_equal(r.error_code, 0);
    assert_int_equal(r.session_lifetime_ms, 0);
    connect_anew(&w);
    handshake(&w, 1, "OAUTHBEARER");
    assert_int_equal(say(&w, 2, SAID("n,,\001auth=Bearer tea-and-mil\001\001")).auth_bytes.len, 26);
    connect_anew(&w);
    handshake(&w, 1, "OAUTHBEARER");
    is_refused(
        &w, 2, SAID("n,a=you,\001auth=Bearer tea-and-milk\001\001"),
        "Authentication failed: Client requested an authorization id (you) that is different "
        "from the token's principal name (token)");
    w.login.token = NULL;
    connect_anew(&w);
    close_world(&w);
}

/* ---- Sessions ---- */

static void a_session_ends(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    w.login.reauth_ms = 5000;
    connect_anew(&w);
    handshake(&w, 1, "PLAIN");
    assert_int_equal(say(&w, 1, alice, sizeof alice - 1).session_lifetime_ms, 5000);
    kl_client_wait(w.c, 5000);
    works(&w);
    kl_client_wait(w.c, 1);
    tell_metadata(&w);
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_cluster_logins(w.c).expired, 1);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 0);
    close_world(&w);
}

static void a_session_is_renewed(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    w.login.reauth_ms = 3000;
    connect_anew(&w);
    assert_int_equal(ask_versions(&w, 4), 0);
    log_in(&w);
    for (int i = 0; i < 3; i++) {
        kl_client_wait(w.c, 2800);
        works(&w);
        log_in(&w);
    }
    /* Also when it has ended already. */
    kl_client_wait(w.c, 3001);
    log_in(&w);
    works(&w);
    assert_int_equal(kl_cluster_logins(w.c).sessions, 5);
    assert_int_equal(kl_cluster_logins(w.c).renewed, 4);
    /* Not twice in a second. */
    kl_client_wait(w.c, 999);
    assert_int_equal(handshake(&w, 1, "PLAIN").error_code, KLOOP_BROKER_ILLEGAL_SASL_STATE);
    works(&w);
    kl_client_wait(w.c, 1);
    log_in(&w);
    close_world(&w);
}

static void a_renewal_is_by_the_same_one_in_the_same_way(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    w.login.reauth_ms = 3000;
    connect_anew(&w);
    log_in(&w);
    assert_int_equal(handshake(&w, 1, "PLAIN").error_code, 0);
    is_refused(&w, 2, SAID("\0a,b=c\0other"),
               "Cannot change principals during re-authentication from User.alice: User.a,b=c");
    w.login.token = "t";
    connect_anew(&w);
    handshake(&w, 1, "OAUTHBEARER");
    assert_int_equal(say(&w, 2, SAID("n,,\001auth=Bearer t\001\001")).error_code, 0);
    assert_int_equal(handshake(&w, 1, "OAUTHBEARER").error_code, 0);
    is_refused(&w, 2, SAID("n,,"),
               "Authentication failed during re-authentication due to invalid credentials with "
               "SASL mechanism OAUTHBEARER");
    connect_anew(&w);
    log_in(&w);
    assert_int_equal(handshake(&w, 1, "SCRAM-SHA-256").error_code, 0);
    tell(&w, 2, "n,,n=alice,r=abc", 16);
    assert_true(kl_client_is_closed(&w.a));
    /* Nothing may come in between. */
    connect_anew(&w);
    log_in(&w);
    assert_int_equal(handshake(&w, 1, "PLAIN").error_code, 0);
    tell_metadata(&w);
    nothing_is_told(&w);
    connect_anew(&w);
    log_in(&w);
    tell_handshake(&w, 1, "nonsense");
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_peer_output_bytes(w.a.peer), 0);
    close_world(&w);
}

static void a_pipelined_broker_authenticates_one_by_one(void **state)
{
    (void)state;
    world w;
    kl_cluster_config config = kl_client_config(1);
    config.pipelined = true;
    open_world_with(&w, &config);
    kl_client_open(&w.a, w.c, 1);
    kl_cluster_set_user(w.c, 1, "alice", "no");
    handshake(&w, 1, "PLAIN");
    tell(&w, 2, alice, sizeof alice - 1);
    tell_metadata(&w);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 0);
    kl_client_wait(w.c, 100);
    assert_true(kl_client_take(&w.a));
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 0);
    close_world(&w);
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
    world w;
    kl_cluster_config config = kl_client_config(1);
    config.hooks.on_answer = bend;
    open_world_with(&w, &config);
    kl_client_open(&w.a, w.c, 1);
    handshake(&w, 1, "PLAIN");
    assert_int_equal(say(&w, 1, alice, sizeof alice - 1).auth_bytes.len, 4);
    connect_anew(&w);
    handshake(&w, 0, "PLAIN");
    kl_client_send_raw(&w.a, good, sizeof good - 1);
    assert_true(kl_client_take(&w.a));
    assert_memory_equal(w.a.frame, "\0\0\0\4bent", 8);
    close_world(&w);
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
    char token[1000];
    kloop_sasl_handshake_request h = {.mechanism = kloop_text("OAUTHBEARER")};
    add(&f, KLOOP_SASL_HANDSHAKE, &h, sizeof h);
    size_t len = bearer(token, sizeof token, NONE, "{\"sub\":\"alice\",\"exp\":2000}", ".\001\001");
    kloop_sasl_authenticate_request q = {.auth_bytes = {(const uint8_t *)token, len}};
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
        cmocka_unit_test(scram_proves_both),
        cmocka_unit_test(scram_refuses),
        cmocka_unit_test(scram_is_given_too_much),
        cmocka_unit_test(bearer_believes_an_unsecured_token),
        cmocka_unit_test(bearer_says_what_is_wrong_and_waits),
        cmocka_unit_test(bearer_takes_one_given_token),
        cmocka_unit_test(a_session_ends),
        cmocka_unit_test(a_session_is_renewed),
        cmocka_unit_test(a_renewal_is_by_the_same_one_in_the_same_way),
        cmocka_unit_test(a_pipelined_broker_authenticates_one_by_one),
        cmocka_unit_test(an_answer_may_be_bent),
        cmocka_unit_test(no_memory_is_the_end_of_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
