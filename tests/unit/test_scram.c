/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCRAM: the example of RFC 7677, whole exchanges with a server that is written here, servers that
 * lie in each place where they can, keys that are made once, and secrets that do not stay behind.
 */
#include "sasl/scram.h"
#include "base/base64.h"
#include "base/wipe.h"
#include "sasl/scram_proof.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/needle_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const kloop_now now = {.wall_ms = 1700000000000};

static kloop_string str(const char *text)
{
    return (kloop_string){text, strlen(text)};
}

static kloop_slice bytes_of(const char *text)
{
    return (kloop_slice){(const uint8_t *)text, strlen(text)};
}

static uint8_t entropy[32] = "thirty-two bytes of entropy.....";

typedef struct client {
    kloop_allocator alloc;
    kl_scram scram;
    kloop_sasl_mechanism mechanism;
} client;

static void client_init(client *c, kl_sha2_kind kind, const char *user, const char *password)
{
    kl_scram_settings settings = {.kind = kind,
                                  .user = str(user),
                                  .password = str(password),
                                  .iterations_max = 1000000,
                                  .entropy = entropy};
    c->alloc = kl_mem_libc;
    assert_int_equal(kl_scram_init(&c->scram, &c->alloc, &settings, NULL), KLOOP_OK);
    c->mechanism = kl_scram_mechanism(&c->scram);
}

static void client_deinit(client *c)
{
    kl_scram_deinit(&c->scram, &c->alloc);
}

/* A session as the engine has it. */
typedef struct talk {
    const kloop_sasl_mechanism *mechanism;
    void *session;
    kloop_sasl_step step;
    char said[8192]; /* what was said last, terminated */
} talk;

static kloop_sasl_verdict heard(talk *t, kloop_sasl_verdict verdict)
{
    if (verdict == KLOOP_SASL_SAY) {
        assert_true(t->step.out.len < sizeof t->said);
        memcpy(t->said, t->step.out.data, t->step.out.len);
        t->said[t->step.out.len] = '\0';
    } else if (verdict == KLOOP_SASL_FAILED) {
        assert_true(t->step.why[0] != '\0');
        for (const char *at = t->step.why; *at; at++)
            assert_true((unsigned char)*at >= ' ');
    }
    return verdict;
}

static void talk_begin(talk *t, const kloop_sasl_mechanism *mechanism)
{
    t->mechanism = mechanism;
    t->session = calloc(1, mechanism->session_bytes);
    memset(&t->step, 0, sizeof t->step);
    assert_int_equal(heard(t, mechanism->begin(t->session, mechanism->me, now, &t->step)),
                     KLOOP_SASL_SAY);
}

static kloop_sasl_verdict tell_bytes(talk *t, kloop_slice message)
{
    memset(&t->step, 0, sizeof t->step);
    return heard(t, t->mechanism->challenge(t->session, message, now, &t->step));
}

static kloop_sasl_verdict tell(talk *t, const char *message)
{
    return tell_bytes(t, bytes_of(message));
}

static kloop_sasl_verdict work(talk *t)
{
    memset(&t->step, 0, sizeof t->step);
    return heard(t, t->mechanism->work(t->session, now, &t->step));
}

/* Until there is something to be said; answers how many pieces that took. */
static size_t work_to_end(talk *t, kloop_sasl_verdict verdict)
{
    size_t pieces = 0;
    for (; verdict == KLOOP_SASL_WORK; pieces++)
        verdict = work(t);
    assert_int_equal(verdict, KLOOP_SASL_SAY);
    return pieces;
}

static void talk_end(talk *t)
{
    t->mechanism->end(t->session);
    kl_wipe(t->session, t->mechanism->session_bytes);
    free(t->session);
}

/* ---- A server, as RFC 5802 has it ---- */

typedef struct server {
    kl_sha2_kind kind;
    const char *password;
    const char *salt; /* as it is said */
    uint32_t iterations;
    char first[4096];
    char bare[4096]; /* the client's first message */
} server;

static const char *nonce_of(const talk *t)
{
    const char *at = strstr(t->said, ",r=");
    assert_non_null(at);
    return at + 3;
}

static void serve_first(server *s, const talk *t, const char *more)
{
    assert_memory_equal(t->said, "n,,n=", 5);
    strcpy(s->bare, t->said + 3);
    int nonce_len = (int)strcspn(nonce_of(t), ",");
    snprintf(s->first, sizeof s->first, "r=%.*s%s,s=%s,i=%u", nonce_len, nonce_of(t), more, s->salt,
             (unsigned)s->iterations);
}

/* Looks at the client's proof, and makes the server's. */
static void serve_final(const server *s, const talk *t, char final[128])
{
    uint8_t salt[64], salted[KL_SHA2_SIZE_MAX], proof[KL_SHA2_SIZE_MAX], mine[KL_SHA2_SIZE_MAX];
    char text[128];
    size_t len, size = kl_sha2_size(s->kind);
    kl_base64_fault fault;
    assert_true(kl_base64_decode(salt, &len, s->salt, strlen(s->salt), &fault));
    kl_pbkdf2 d;
    kl_pbkdf2_init(&d, s->kind, s->password, strlen(s->password), salt, len, s->iterations);
    kl_pbkdf2_go_on(&d, UINT32_MAX);
    kl_pbkdf2_final(&d, salted);

    const char *proof_at = strstr(t->said, ",p=");
    assert_non_null(proof_at);
    const kloop_slice said[] = {bytes_of(s->bare),
                                bytes_of(","),
                                bytes_of(s->first),
                                bytes_of(","),
                                {(const uint8_t *)t->said, (size_t)(proof_at - t->said)}};
    kl_scram_proof(s->kind, salted, said, 5, proof, mine);
    kl_base64_encode(text, proof, size);
    text[kl_base64_encoded_len(size)] = '\0';
    assert_string_equal(proof_at + 3, text);
    memcpy(final, "v=", 2);
    kl_base64_encode(final + 2, mine, size);
    final[2 + kl_base64_encoded_len(size)] = '\0';
}

#define SALT "W22ZaJ0SNY7soEsUEjb6gQ=="

/* ---- It works ---- */

static void example_of_rfc_7677(void **state)
{
    (void)state;
    static const char said[] =
        "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "s=" SALT ",i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    uint8_t salt[32], salted[64], proof[64], signature[64];
    char text[64] = {0};
    size_t len;
    kl_base64_fault fault;
    assert_true(kl_base64_decode(salt, &len, SALT, strlen(SALT), &fault));
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
    client c;
    talk t;
    server s = {.kind = kind, .password = "pencil", .salt = SALT, .iterations = iterations};
    char final[128];
    char beginning[128];
    client_init(&c, kind, user, "pencil");
    talk_begin(&t, &c.mechanism);
    snprintf(beginning, sizeof beginning, "n,,n=%s,r=", name);
    assert_memory_equal(t.said, beginning, strlen(beginning));
    assert_true(strlen(nonce_of(&t)) >= 18);
    serve_first(&s, &t, "+server");
    kloop_sasl_verdict verdict = tell(&t, s.first);
    assert_int_equal(verdict, KLOOP_SASL_WORK);
    size_t pieces = work_to_end(&t, verdict);
    assert_int_equal(pieces, (iterations - 2) / KL_SCRAM_KEYS_PIECE + 1);
    serve_final(&s, &t, final);
    assert_int_equal(tell(&t, final), KLOOP_SASL_DONE);
    talk_end(&t);
    client_deinit(&c);
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
    kl_scram_settings settings = {KL_SHA2_256, str("id"), str("pencil"), true, 1000000, entropy};
    assert_int_equal(kl_scram_init(&scram, &kl_mem_libc, &settings, NULL), KLOOP_OK);
    kloop_sasl_mechanism m = kl_scram_mechanism(&scram);
    talk t;
    server s = {.kind = KL_SHA2_256, .password = "pencil", .salt = SALT, .iterations = 4096};
    char final[128];
    talk_begin(&t, &m);
    assert_non_null(strstr(t.said, ",tokenauth=true"));
    serve_first(&s, &t, "x");
    work_to_end(&t, tell(&t, s.first));
    serve_final(&s, &t, final);
    assert_int_equal(tell(&t, final), KLOOP_SASL_DONE);
    talk_end(&t);
    kl_scram_deinit(&scram, &kl_mem_libc);
}

/* Extensions behind what is known are no reason to stop. */
static void extensions_are_passed_over(void **state)
{
    (void)state;
    client c;
    talk t;
    server s = {.kind = KL_SHA2_256, .password = "pencil", .salt = SALT, .iterations = 4096};
    char final[256];
    client_init(&c, KL_SHA2_256, "user", "pencil");
    talk_begin(&t, &c.mechanism);
    serve_first(&s, &t, "x");
    strcat(s.first, ",x=1,abc=d=e=f,y=\xc3\xa9");
    work_to_end(&t, tell(&t, s.first));
    serve_final(&s, &t, final);
    strcat(final, ",e=later,zz=1");
    assert_int_equal(tell(&t, final), KLOOP_SASL_DONE);
    talk_end(&t);
    client_deinit(&c);
}

static void nonces_are_new_each_time(void **state)
{
    (void)state;
    client a, b;
    talk t;
    char seen[50][40];
    client_init(&a, KL_SHA2_256, "user", "pencil");
    for (size_t i = 0; i < 50; i++) {
        talk_begin(&t, &a.mechanism);
        snprintf(seen[i], sizeof seen[i], "%s", nonce_of(&t));
        assert_int_equal(strlen(seen[i]), 32);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
        talk_end(&t);
    }
    /* Of the same entropy the same ones, of another one others. */
    client_init(&b, KL_SHA2_512, "other", "pen");
    talk_begin(&t, &b.mechanism);
    assert_string_equal(nonce_of(&t), seen[0]);
    talk_end(&t);
    client_deinit(&b);
    entropy[31] ^= 1;
    client_init(&b, KL_SHA2_256, "user", "pencil");
    entropy[31] ^= 1;
    talk_begin(&t, &b.mechanism);
    assert_string_not_equal(nonce_of(&t), seen[0]);
    talk_end(&t);
    client_deinit(&b);
    client_deinit(&a);
}

/* ---- Servers that lie ---- */

/* @ is the client's nonce. */
static const struct {
    const char *message;
    const char *why;
} bad_firsts[] = {
    {"", "no r="},
    {"r=", "empty r="},
    {"r=@x", "incomplete"},
    {"r=@x,", "no s="},
    {"r=@x,s=", "empty s="},
    {"r=@x,s=" SALT, "incomplete"},
    {"r=@x,s=" SALT ",", "no i="},
    {"r=@x,s=" SALT ",i=", "empty i="},
    {"s=" SALT ",r=@x,i=4096", "no r="},
    {"r=@x,i=4096,s=" SALT, "no s="},
    {"R=@x,s=" SALT ",i=4096", "no r="},
    {" r=@x,s=" SALT ",i=4096", "no r="},
    {"r=@x,r=@x,s=" SALT ",i=4096", "no s="},
    {"r=@x,s=" SALT ",s=" SALT ",i=4096", "no i="},
    {"r=@x,s=" SALT ",i=4096,i=4097", "i= a second time"},
    {"r=@x,s=" SALT ",i=4096,r=@y", "r= a second time"},
    {"r=@x,s=" SALT ",i=4096,s=AAAA", "s= a second time"},
    /* The nonce must be ours and more. */
    {"r=@,s=" SALT ",i=4096", "added nothing"},
    {"r=x,s=" SALT ",i=4096", "does not begin with ours"},
    {"r=x@,s=" SALT ",i=4096", "does not begin with ours"},
    {"r=rOprNGfwEbeRWgbNEkqO0123456789012345678901234567890,s=" SALT ",i=4096", "begin with ours"},
    {"r=@ x,s=" SALT ",i=4096", "not printable"},
    {"r=@\xc3\xa9,s=" SALT ",i=4096", "not printable"},
    /* Salt. */
    {"r=@x,s=*,i=4096", "no base64"},
    {"r=@x,s=QUJ,i=4096", "no base64"},
    {"r=@x,s=QUJDQ,i=4096", "no base64"},
    {"r=@x,s=QR==,i=4096", "no base64"},
    {"r=@x,s====,i=4096", "no base64"},
    /* Iterations. */
    {"r=@x,s=" SALT ",i=0", "no number"},
    {"r=@x,s=" SALT ",i=1", "asks for 1 SCRAM iterations"},
    {"r=@x,s=" SALT ",i=-1", "no number"},
    {"r=@x,s=" SALT ",i=+4096", "no number"},
    {"r=@x,s=" SALT ",i=04096", "no number"},
    {"r=@x,s=" SALT ",i= 4096", "no number"},
    {"r=@x,s=" SALT ",i=4096 ", "no number"},
    {"r=@x,s=" SALT ",i=4e5", "no number"},
    {"r=@x,s=" SALT ",i=0x1000", "no number"},
    {"r=@x,s=" SALT ",i=4095", "asks for 4095"},
    {"r=@x,s=" SALT ",i=1000001", "sasl.scram.iterations.max is 1000000"},
    {"r=@x,s=" SALT ",i=2147483647", "asks for 2147483647"},
    {"r=@x,s=" SALT ",i=2147483648", "more than 2147483647"},
    {"r=@x,s=" SALT ",i=4294971392", "more than 2147483647"},
    {"r=@x,s=" SALT ",i=18446744073709555712", "more than 2147483647"},
    {"r=@x,s=" SALT ",i=99999999999999999999999999999", "more than 2147483647"},
    /* Extensions. */
    {"m=x,r=@x,s=" SALT ",i=4096", "(m=)"},
    {"r=@x,m=x,s=" SALT ",i=4096", "(m=)"},
    {"r=@x,s=" SALT ",m=x,i=4096", "(m=)"},
    {"r=@x,s=" SALT ",i=4096,m=x", "(m=)"},
    {"r=@x,s=" SALT ",i=4096,", "no extension"},
    {"r=@x,s=" SALT ",i=4096,x", "no extension"},
    {"r=@x,s=" SALT ",i=4096,=x", "no extension"},
    {"r=@x,s=" SALT ",i=4096,1=x", "no extension"},
    {"r=@x,s=" SALT ",i=4096,x=", "empty extension"},
    {"r=@x,s=" SALT ",i=4096,x=1,,y=1", "no extension"},
    /* Bytes. */
    {"r=@x\n,s=" SALT ",i=4096", "control character"},
    {"r=@x,s=" SALT ",i=4096,x=\x7f", "control character"},
    {"r=@x,s=" SALT ",i=4096,x=\xff", "not UTF-8"},
    {"r=@x,s=" SALT ",i=4096,x=\xc3", "not UTF-8"},
    /* An error where another message belongs. */
    {"e=unknown-user", "no such user"},
    {"e=other-error,x=1", "its log says more"},
    {"e=\xc3\xa9vil", "\xc3\xa9vil"},
    {"e=", "empty e="},
    {"v=AAAA", "no r="},
};

static void expect_failed(talk *t, kloop_sasl_verdict verdict, const char *why, const char *message)
{
    if (verdict != KLOOP_SASL_FAILED)
        fail_msg("\"%s\" was taken: %d", message, (int)verdict);
    if (!strstr(t->step.why, why))
        fail_msg("\"%s\": \"%s\" does not tell of \"%s\"", message, t->step.why, why);
    assert_null(strstr(t->step.why, "pencil"));
    /* It stays so. */
    assert_int_equal(work(t), KLOOP_SASL_FAILED);
    assert_int_equal(tell(t, "r=x,s=AAAA,i=4096"), KLOOP_SASL_FAILED);
    assert_int_equal(tell(t, "v=AAAA"), KLOOP_SASL_FAILED);
}

static void replace_nonce(char *to, const char *pattern, const char *nonce)
{
    for (; *pattern; pattern++) {
        if (*pattern == '@') {
            memcpy(to, nonce, 32);
            to += 32;
        } else {
            *to++ = *pattern;
        }
    }
    *to = '\0';
}

static void first_messages_that_lie(void **state)
{
    (void)state;
    client c;
    client_init(&c, KL_SHA2_256, "user", "pencil");
    for (size_t i = 0; i < sizeof bad_firsts / sizeof bad_firsts[0]; i++) {
        talk t;
        char message[512];
        talk_begin(&t, &c.mechanism);
        replace_nonce(message, bad_firsts[i].message, nonce_of(&t));
        expect_failed(&t, tell(&t, message), bad_firsts[i].why, message);
        talk_end(&t);
    }
    client_deinit(&c);
}

/* Zeroes end no message here. */
static void zero_bytes(void **state)
{
    (void)state;
    client c;
    client_init(&c, KL_SHA2_256, "user", "pencil");
    talk t;
    talk_begin(&t, &c.mechanism);
    char message[256];
    replace_nonce(message, "r=@x,s=" SALT ",i=4096", nonce_of(&t));
    size_t len = strlen(message) + 1;
    for (size_t i = 0; i < len; i++) {
        talk other;
        talk_begin(&other, &c.mechanism);
        char spoilt[256];
        replace_nonce(spoilt, "r=@x,s=" SALT ",i=4096", nonce_of(&other));
        spoilt[i] = '\0';
        kloop_slice bytes = {(const uint8_t *)spoilt, len};
        expect_failed(&other, tell_bytes(&other, bytes), "control character", spoilt);
        talk_end(&other);
    }
    talk_end(&t);
    client_deinit(&c);
}

/* Salts and nonces of every size up to and over what is taken; and a whole lot. */
static void sizes(void **state)
{
    (void)state;
    client c;
    client_init(&c, KL_SHA2_256, "user", "pencil");
    const size_t huge = (size_t)100 << 20;
    char *message = malloc(huge + 100);
    for (size_t salt_len = 1020; salt_len <= 1030; salt_len++) {
        talk t;
        uint8_t salt[1100];
        memset(salt, 0x55, sizeof salt);
        talk_begin(&t, &c.mechanism);
        replace_nonce(message, "r=@x,s=", nonce_of(&t));
        size_t len = strlen(message);
        kl_base64_encode(message + len, salt, salt_len);
        len += kl_base64_encoded_len(salt_len);
        strcpy(message + len, ",i=4096");
        if (salt_len <= KL_SCRAM_SALT_MAX)
            assert_int_equal(tell(&t, message), KLOOP_SASL_WORK);
        else
            expect_failed(&t, tell(&t, message), "salt has", "a long salt");
        talk_end(&t);
    }
    for (size_t more = 990; more <= 995; more++) {
        talk t;
        talk_begin(&t, &c.mechanism);
        replace_nonce(message, "r=@", nonce_of(&t));
        memset(message + 34, 'n', more);
        strcpy(message + 34 + more, ",s=" SALT ",i=4096");
        if (32 + more <= KL_SCRAM_NONCE_MAX)
            work_to_end(&t, tell(&t, message));
        else
            expect_failed(&t, tell(&t, message), "nonce has", "a long nonce");
        talk_end(&t);
    }
    for (size_t len = KL_SCRAM_MESSAGE_MAX - 1; len <= KL_SCRAM_MESSAGE_MAX + 1; len++) {
        talk t;
        talk_begin(&t, &c.mechanism);
        replace_nonce(message, "r=@x,s=" SALT ",i=4096,x=", nonce_of(&t));
        size_t begin = strlen(message);
        memset(message + begin, 'x', len - begin);
        kloop_sasl_verdict verdict = tell_bytes(&t, (kloop_slice){(const uint8_t *)message, len});
        assert_int_equal(verdict, len <= KL_SCRAM_MESSAGE_MAX ? KLOOP_SASL_SAY : KLOOP_SASL_FAILED);
        talk_end(&t);
    }
    talk t;
    talk_begin(&t, &c.mechanism);
    replace_nonce(message, "r=@x,s=", nonce_of(&t));
    memset(message + 37, 'A', huge);
    expect_failed(&t, tell_bytes(&t, (kloop_slice){(const uint8_t *)message, huge}),
                  "more than 8192 are not read", "100 MB");
    talk_end(&t);
    free(message);
    client_deinit(&c);
}

static const struct {
    const char *message; /* @: the right signature */
    const char *why;
} bad_finals[] = {
    {"", "no v="},
    {"v=", "empty v="},
    {"v=AAAA", "not 32 bytes"},
    {"v=@=", "not 32 bytes"},
    {"v=@AAAA", "not 32 bytes"},
    {"@", "no v="},
    {"V=@", "no v="},
    {"x=1,v=@", "no v="},
    {"v=@,v=@", "v= a second time"},
    {"v=@,", "no extension"},
    {"v=@,m=1", "(m=)"},
    {"m=1,v=@", "(m=)"},
    {"v=@\n", "control character"},
    {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "signature is wrong"},
    {"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "signature is wrong"},
    {"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", "not 32 bytes"},
    {"e=invalid-proof", "the password is wrong"},
    {"e=invalid-proof,v=@", "the password is wrong"},
    {"e=no-resources", "no resources"},
    {"e=channel-binding-not-supported", "channel-binding-not-supported"},
    {"e=", "empty e="},
    {"r=@x,s=" SALT ",i=4096", "no v="},
};

/* Up to the client's last message; final is what would be right then. */
static void talk_to_final(talk *t, server *s, client *c, char final[128])
{
    talk_begin(t, &c->mechanism);
    serve_first(s, t, "x");
    work_to_end(t, tell(t, s->first));
    serve_final(s, t, final);
}

static void final_messages_that_lie(void **state)
{
    (void)state;
    client c;
    server s = {.kind = KL_SHA2_256, .password = "pencil", .salt = SALT, .iterations = 4096};
    client_init(&c, KL_SHA2_256, "user", "pencil");
    for (size_t i = 0; i < sizeof bad_finals / sizeof bad_finals[0]; i++) {
        talk t;
        char final[128], message[512];
        talk_to_final(&t, &s, &c, final);
        char *to = message;
        for (const char *from = bad_finals[i].message; *from; from++) {
            if (*from == '@')
                to += sprintf(to, "%s", final + 2);
            else
                *to++ = *from;
        }
        *to = '\0';
        expect_failed(&t, tell(&t, message), bad_finals[i].why, message);
        talk_end(&t);
    }
    /* Each bit of it counts. */
    for (size_t bit = 0; bit < 256; bit++) {
        talk t;
        char final[128];
        uint8_t bytes[48];
        size_t len;
        kl_base64_fault fault;
        talk_to_final(&t, &s, &c, final);
        assert_true(kl_base64_decode(bytes, &len, final + 2, strlen(final + 2), &fault));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        kl_base64_encode(final + 2, bytes, len);
        expect_failed(&t, tell(&t, final), "signature is wrong", final);
        talk_end(&t);
    }
    client_deinit(&c);
}

static void rounds_too_many_and_too_few(void **state)
{
    (void)state;
    client c;
    talk t;
    server s = {.kind = KL_SHA2_512, .password = "pencil", .salt = SALT, .iterations = 4096};
    char final[128];
    client_init(&c, KL_SHA2_512, "user", "pencil");
    /* The end where the beginning belongs. */
    talk_begin(&t, &c.mechanism);
    expect_failed(&t, tell(&t, "v=AAAA"), "no r=", "v=");
    talk_end(&t);
    /* Something while we work. */
    talk_begin(&t, &c.mechanism);
    serve_first(&s, &t, "x");
    assert_int_equal(tell(&t, s.first), KLOOP_SASL_WORK);
    expect_failed(&t, tell(&t, s.first), "not its turn", s.first);
    talk_end(&t);
    /* Work that nobody has. */
    talk_begin(&t, &c.mechanism);
    expect_failed(&t, work(&t), "nothing to work on", "");
    talk_end(&t);
    /* One more after the end. */
    talk_to_final(&t, &s, &c, final);
    assert_int_equal(tell(&t, final), KLOOP_SASL_DONE);
    expect_failed(&t, tell(&t, final), "after the end", final);
    talk_end(&t);
    /* The wrong password: the server's proof is not what ours says. */
    s.password = "pencil";
    client_deinit(&c);
    client_init(&c, KL_SHA2_512, "user", "crayon");
    talk_begin(&t, &c.mechanism);
    serve_first(&s, &t, "x");
    work_to_end(&t, tell(&t, s.first));
    expect_failed(&t,
                  tell(&t, "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                           "AAAAAAAAAAAAAAAAAAAAAA=="),
                  "signature is wrong", "");
    talk_end(&t);
    client_deinit(&c);
}

/* ---- Keys are made once ---- */

static void a_key_that_is_known(void **state)
{
    (void)state;
    client c;
    talk t;
    server s = {.kind = KL_SHA2_256, .password = "pencil", .salt = SALT, .iterations = 5000};
    char final[128];
    client_init(&c, KL_SHA2_256, "user", "pencil");
    talk_to_final(&t, &s, &c, final);
    talk_end(&t);
    for (size_t i = 0; i < 3; i++) {
        talk_begin(&t, &c.mechanism);
        serve_first(&s, &t, "y");
        assert_int_equal(tell(&t, s.first), KLOOP_SASL_SAY);
        serve_final(&s, &t, final);
        assert_int_equal(tell(&t, final), KLOOP_SASL_DONE);
        talk_end(&t);
    }
    /* Another count or another salt is another key. */
    s.iterations = 5001;
    talk_begin(&t, &c.mechanism);
    serve_first(&s, &t, "y");
    assert_int_equal(tell(&t, s.first), KLOOP_SASL_WORK);
    talk_end(&t);
    s.iterations = 5000;
    s.salt = "W22ZaJ0SNY7soEsUEjb6gA==";
    talk_begin(&t, &c.mechanism);
    serve_first(&s, &t, "y");
    assert_int_equal(tell(&t, s.first), KLOOP_SASL_WORK);
    talk_end(&t);
    client_deinit(&c);
}

/* Ten connections to ten brokers at once. */
static void many_work_on_one_key(void **state)
{
    (void)state;
    client c;
    talk t[10];
    server s[10];
    client_init(&c, KL_SHA2_256, "user", "pencil");
    bool done[10] = {false};
    size_t pieces = 0, left = 10;
    for (size_t i = 0; i < 10; i++) {
        s[i] =
            (server){.kind = KL_SHA2_256, .password = "pencil", .salt = SALT, .iterations = 100000};
        talk_begin(&t[i], &c.mechanism);
        serve_first(&s[i], &t[i], "x");
        assert_int_equal(tell(&t[i], s[i].first), KLOOP_SASL_WORK);
    }
    for (size_t i = 0; left; i = (i + 1) % 10) {
        if (done[i])
            continue;
        pieces++;
        if (work(&t[i]) != KLOOP_SASL_SAY)
            continue;
        done[i] = true;
        left--;
    }
    assert_true(pieces <= 100000 / KL_SCRAM_KEYS_PIECE + 10);
    for (size_t i = 0; i < 10; i++) {
        char final[128];
        serve_final(&s[i], &t[i], final);
        assert_int_equal(tell(&t[i], final), KLOOP_SASL_DONE);
        talk_end(&t[i]);
    }
    client_deinit(&c);
}

/* More salts at once than there are places: all come to their end, in any order. */
static void more_salts_than_places(void **state)
{
    (void)state;
    enum { COUNT = 3 * KL_SCRAM_KEYS_COUNT };
    for (size_t step = 1; step <= 11; step += step == 5 ? 2 : 4) {
        client c;
        talk t[COUNT];
        server s[COUNT];
        char salts[COUNT][8];
        bool done[COUNT] = {false};
        client_init(&c, KL_SHA2_256, "user", "pencil");
        for (size_t i = 0; i < COUNT; i++) {
            snprintf(salts[i], sizeof salts[i], "AAA%c", (char)('A' + i));
            s[i] = (server){
                .kind = KL_SHA2_256, .password = "pencil", .salt = salts[i], .iterations = 4096};
            talk_begin(&t[i], &c.mechanism);
            serve_first(&s[i], &t[i], "x");
            assert_int_equal(tell(&t[i], s[i].first), KLOOP_SASL_WORK);
        }
        size_t left = COUNT, pieces = 0;
        for (size_t i = 0; left; i = (i + step) % COUNT) {
            /* One of them gives up in the middle of it. */
            if (pieces == 50 && !done[1]) {
                talk_end(&t[1]);
                done[1] = true;
                left--;
            }
            pieces++;
            assert_true(pieces < 100000);
            if (done[i] || work(&t[i]) != KLOOP_SASL_SAY)
                continue;
            char final[128];
            serve_final(&s[i], &t[i], final);
            assert_int_equal(tell(&t[i], final), KLOOP_SASL_DONE);
            talk_end(&t[i]);
            done[i] = true;
            left--;
        }
        client_deinit(&c);
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
        kl_scram_settings settings = {KL_SHA2_256, str(names[i]), str("pw"), false, 4096, entropy};
        assert_int_equal(kl_scram_init(&s, &kl_mem_libc, &settings, &error), KLOOP_BAD_CONFIG);
        assert_non_null(strstr(error.text, "user name"));
    }
    long_name[1024] = '\0';
    memset(long_name, ',', 1024);
    kl_scram_settings settings = {KL_SHA2_256, str(long_name), str("pw"), false, 4096, entropy};
    assert_int_equal(kl_scram_init(&s, &kl_mem_libc, &settings, &error), KLOOP_OK);
    kloop_sasl_mechanism m = kl_scram_mechanism(&s);
    talk t;
    talk_begin(&t, &m);
    assert_int_equal(strlen(t.said), 3 + 2 + 3 * 1024 + 3 + 32);
    talk_end(&t);
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
        kl_scram_settings settings = {KL_SHA2_256, str("u"), str("pw"), false, 4096, entropy};
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
    kl_needle_alloc_add(&n, entropy, sizeof entropy);
    kloop_allocator alloc = kl_needle_alloc_table(&n);
    kl_scram *s = kl_mem_zalloc(&alloc, 1, sizeof *s);
    kl_scram_settings settings = {KL_SHA2_512, str("user"), str("correct horse battery"),
                                  false,       5000,        entropy};
    assert_int_equal(kl_scram_init(s, &alloc, &settings, NULL), KLOOP_OK);
    kloop_sasl_mechanism m = kl_scram_mechanism(s);
    server v = {
        .kind = KL_SHA2_512, .password = "correct horse battery", .salt = SALT, .iterations = 4096};
    char final[128];
    talk t;
    talk_begin(&t, &m);
    serve_first(&v, &t, "x");
    work_to_end(&t, tell(&t, v.first));
    uint8_t salted[KL_SHA2_512_SIZE];
    memcpy(salted, s->keys.key[0].salted, sizeof salted);
    kl_needle_alloc_add(&n, salted, sizeof salted);
    serve_final(&v, &t, final);
    assert_int_equal(tell(&t, final), KLOOP_SASL_DONE);
    /* Nor does a session know the password or what it was made into. */
    assert_false(kl_needle_alloc_in(&n, t.session, m.session_bytes));
    talk_end(&t);
    kl_scram_deinit(s, &alloc);
    kl_mem_release(&alloc, s, sizeof *s); /* not wiped here: there must be nothing left in it */
    assert_true(n.released >= 3);
    kl_needle_alloc_check(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_rfc_7677),
        cmocka_unit_test(whole_exchanges),
        cmocka_unit_test(a_delegation_token),
        cmocka_unit_test(extensions_are_passed_over),
        cmocka_unit_test(nonces_are_new_each_time),
        cmocka_unit_test(first_messages_that_lie),
        cmocka_unit_test(zero_bytes),
        cmocka_unit_test(sizes),
        cmocka_unit_test(final_messages_that_lie),
        cmocka_unit_test(rounds_too_many_and_too_few),
        cmocka_unit_test(a_key_that_is_known),
        cmocka_unit_test(many_work_on_one_key),
        cmocka_unit_test(more_salts_than_places),
        cmocka_unit_test(users_that_cannot_be_said),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
