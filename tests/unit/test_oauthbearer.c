/* SPDX-License-Identifier: BSD-2-Clause */
/* OAUTHBEARER and PLAIN: what is said, who is believed, tokens that come, go and expire, and
 * secrets that do not stay behind. */
#include "sasl/oauthbearer.h"
#include "base/base64.h"
#include "base/mem.h"
#include "sasl/json_member.h"
#include "sasl/plain.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/needle_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS 1700000000000

static const kloop_now now = {.wall_ms = NOW_MS};
static const kloop_now later = {.wall_ms = NOW_MS + 10000};

static kloop_string str(const char *text)
{
    return (kloop_string){text, strlen(text)};
}

static kloop_slice bytes_of(const char *text)
{
    return (kloop_slice){(const uint8_t *)text, strlen(text)};
}

static void said(const kloop_sasl_step *step, const char *bytes, size_t len)
{
    assert_int_equal(step->out.len, len);
    assert_memory_equal(step->out.data, bytes, len);
}

#define SAID(step, literal) said(step, literal, sizeof(literal) - 1)

static kloop_sasl_verdict tell(const kloop_sasl_mechanism *m, void *session, const char *message,
                               kloop_sasl_step *step)
{
    memset(step, 0, sizeof *step);
    return m->challenge(session, bytes_of(message), now, step);
}

static void fails(kloop_sasl_verdict verdict, const kloop_sasl_step *step, const char *why)
{
    assert_int_equal(verdict, KLOOP_SASL_FAILED);
    if (!strstr(step->why, why))
        fail_msg("\"%s\" does not tell of \"%s\"", step->why, why);
}

/* ---- PLAIN ---- */

static void plain(void **state)
{
    (void)state;
    kl_plain p;
    kloop_sasl_step step = {0};
    assert_int_equal(kl_plain_init(&p, &kl_mem_libc, str("alice"), str("s\xc3\xa9same"), NULL),
                     KLOOP_OK);
    kloop_sasl_mechanism m = kl_plain_mechanism(&p);
    assert_string_equal(m.name, "PLAIN");
    assert_true(m.warns);
    assert_null(m.set_token);
    void *s = calloc(1, m.session_bytes);
    assert_int_equal(m.begin(s, m.me, now, &step), KLOOP_SASL_SAY);
    said(&step,
         "\0alice\0s\xc3\xa9"
         "same",
         14);
    fails(m.work(s, now, &step), &step, "nothing to work on");
    assert_int_equal(tell(&m, s, "", &step), KLOOP_SASL_DONE);
    fails(tell(&m, s, "", &step), &step, "after the end");
    memset(s, 0, m.session_bytes);
    m.begin(s, m.me, now, &step);
    fails(tell(&m, s, "more?", &step), &step, "5 bytes");
    fails(tell(&m, s, "", &step), &step, "after the end");
    free(s);
    kl_plain_deinit(&p, &kl_mem_libc);
}

static void plain_that_cannot_be_said(void **state)
{
    (void)state;
    kl_plain p;
    kloop_error error;
    assert_int_equal(
        kl_plain_init(&p, &kl_mem_libc, (kloop_string){"a\0b", 3}, str("s3cret"), &error),
        KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "in the user name"));
    assert_int_equal(
        kl_plain_init(&p, &kl_mem_libc, str("a"), (kloop_string){"s3cret\0", 7}, &error),
        KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "in the password"));
    assert_null(strstr(error.text, "s3cret"));
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 1);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    assert_int_equal(kl_plain_init(&p, &alloc, str("a"), str("b"), &error), KLOOP_NO_MEMORY);
    kl_fail_alloc_check(&f);
}

/* ---- Tokens that are given ---- */

typedef struct client {
    kl_oauthbearer o;
    kloop_sasl_mechanism m;
    void *session;
    kloop_sasl_step step;
} client;

static void client_init(client *c)
{
    memset(c, 0, sizeof *c);
    kl_oauthbearer_init(&c->o, &kl_mem_libc);
    c->m = kl_oauthbearer_mechanism(&c->o);
    c->session = calloc(1, c->m.session_bytes);
}

static void client_deinit(client *c)
{
    c->m.end(c->session);
    free(c->session);
    kl_oauthbearer_deinit(&c->o);
}

static kloop_status give(client *c, const char *token, uint64_t expires_ms, kloop_error *error)
{
    kloop_token t = {.value = str(token), .expires_ms = expires_ms};
    return c->m.set_token(c->m.me, &t, now, error);
}

static void a_token_that_is_taken(void **state)
{
    (void)state;
    client c;
    client_init(&c);
    assert_string_equal(c.m.name, "OAUTHBEARER");
    assert_true(c.m.warns);
    assert_int_equal(give(&c, "abc.DEF-_~+/9=", KLOOP_NEVER, NULL), KLOOP_OK);
    assert_int_equal(c.m.begin(c.session, c.m.me, now, &c.step), KLOOP_SASL_SAY);
    SAID(&c.step, "n,,\1auth=Bearer abc.DEF-_~+/9=\1\1");
    assert_int_equal(tell(&c.m, c.session, "", &c.step), KLOOP_SASL_DONE);
    fails(tell(&c.m, c.session, "", &c.step), &c.step, "after the end");
    fails(c.m.work(c.session, now, &c.step), &c.step, "nothing to work on");
    client_deinit(&c);
}

static void no_token_yet(void **state)
{
    (void)state;
    client c;
    client_init(&c);
    assert_int_equal(c.m.begin(c.session, c.m.me, now, &c.step), KLOOP_SASL_TOKEN);
    assert_int_equal(c.m.work(c.session, now, &c.step), KLOOP_SASL_TOKEN);
    assert_int_equal(give(&c, "t", NOW_MS + 10000, NULL), KLOOP_OK);
    assert_int_equal(c.m.work(c.session, later, &c.step), KLOOP_SASL_TOKEN); /* gone again */
    assert_int_equal(c.m.work(c.session, now, &c.step), KLOOP_SASL_SAY);
    SAID(&c.step, "n,,\1auth=Bearer t\1\1");
    client_deinit(&c);
    client_init(&c);
    assert_int_equal(c.m.begin(c.session, c.m.me, now, &c.step), KLOOP_SASL_TOKEN);
    fails(tell(&c.m, c.session, "", &c.step), &c.step, "not its turn");
    fails(c.m.work(c.session, now, &c.step), &c.step, "nothing to work on");
    client_deinit(&c);
}

/* A new token does not pull away the bytes of the old one. */
static void a_token_while_another_is_said(void **state)
{
    (void)state;
    client c;
    client_init(&c);
    assert_int_equal(give(&c, "old", NOW_MS + 10000, NULL), KLOOP_OK);
    assert_int_equal(c.m.begin(c.session, c.m.me, now, &c.step), KLOOP_SASL_SAY);
    assert_int_equal(give(&c, "new", KLOOP_NEVER, NULL), KLOOP_OK);
    SAID(&c.step, "n,,\1auth=Bearer old\1\1");
    c.m.end(c.session);
    memset(c.session, 0, c.m.session_bytes);
    assert_int_equal(c.m.begin(c.session, c.m.me, later, &c.step), KLOOP_SASL_SAY);
    SAID(&c.step, "n,,\1auth=Bearer new\1\1");
    client_deinit(&c);
}

static void refuses(client *c, const kloop_token *token, const char *why)
{
    kloop_error error = {0};
    assert_int_equal(c->m.set_token(c->m.me, token, now, &error), KLOOP_BAD_ARGUMENT);
    if (!strstr(error.text, why))
        fail_msg("\"%s\" does not tell of \"%s\"", error.text, why);
    assert_null(strstr(error.text, "s3cret"));
}

static void tokens_that_are_refused(void **state)
{
    (void)state;
    client c;
    client_init(&c);
    assert_int_equal(give(&c, "good", KLOOP_NEVER, NULL), KLOOP_OK);
    static const char *const bad[] = {"s3cret\n",       "Bearer s3cret", "s3cret\1",  "s3cret,",
                                      "s3cret\xc3\xa9", "\"s3cret\"",    "s3cret\x7f"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuses(&c, &(kloop_token){str(bad[i]), KLOOP_NEVER, {0}, NULL, 0}, "at byte");
    refuses(&c, &(kloop_token){{"s3c\0ret", 7}, KLOOP_NEVER, {0}, NULL, 0}, "at byte 3 of 7");
    refuses(&c, &(kloop_token){{NULL, 0}, KLOOP_NEVER, {0}, NULL, 0}, "is empty");
    refuses(&c, &(kloop_token){str("s3cret"), NOW_MS, {0}, NULL, 0}, "expired 0 s ago");
    refuses(&c, &(kloop_token){str("s3cret"), NOW_MS - 61000, {0}, NULL, 0}, "expired 61 s ago");
    refuses(&c, &(kloop_token){str("s3cret"), 0, {0}, NULL, 0}, "expired 1700000000 s ago");
    static const struct {
        const char *key, *value, *why;
    } bad_extensions[] = {
        {"", "s3cret", "no name"},
        {"a1", "s3cret", "letters"},
        {"a-b", "s3cret", "letters"},
        {"auth", "s3cret", "auth"},
        {"a", "", "no value"},
        {"a", "s3cret\1", "printable"},
        {"a", "s3cret\x7f", "printable"},
        {"a", "s3cret\xc3\xa9", "printable"},
    };
    for (size_t i = 0; i < sizeof bad_extensions / sizeof bad_extensions[0]; i++) {
        kloop_sasl_extension e[] = {{str("fine"), str("fine")},
                                    {str(bad_extensions[i].key), str(bad_extensions[i].value)}};
        refuses(&c, &(kloop_token){str("s3cret"), KLOOP_NEVER, {0}, e, 2}, bad_extensions[i].why);
    }
    kloop_sasl_extension twice[] = {
        {str("a"), str("1")}, {str("b"), str("2")}, {str("a"), str("3")}};
    refuses(&c, &(kloop_token){str("s3cret"), KLOOP_NEVER, {0}, twice, 3},
            "extensions 1 and 3 of the token have one name");
    char *huge = malloc(KL_BEARER_MAX + 1);
    memset(huge, 'a', KL_BEARER_MAX + 1);
    refuses(&c, &(kloop_token){{huge, KL_BEARER_MAX + 1}, KLOOP_NEVER, {0}, NULL, 0}, "262144");
    kloop_token largest = {{huge, KL_BEARER_MAX}, KLOOP_NEVER, {0}, NULL, 0};
    kloop_sasl_extension long_one = {str("a"), {huge, KL_BEARER_MAX}};
    refuses(&c, &(kloop_token){str("s3cret"), KLOOP_NEVER, {0}, &long_one, 1}, "262144");
    /* The one before is still there. */
    assert_int_equal(c.m.begin(c.session, c.m.me, now, &c.step), KLOOP_SASL_SAY);
    SAID(&c.step, "n,,\1auth=Bearer good\1\1");
    assert_int_equal(c.m.set_token(c.m.me, &largest, now, NULL), KLOOP_OK);
    free(huge);
    client_deinit(&c);
}

static void extensions_are_said(void **state)
{
    (void)state;
    client c;
    client_init(&c);
    assert_int_equal(kl_oauthbearer_extend(&c.o, str("logicalCluster"), str("lkc-1"), NULL),
                     KLOOP_OK);
    assert_int_equal(kl_oauthbearer_extend(&c.o, str("pool"), str("p = 1\t"), NULL), KLOOP_OK);
    kloop_error error;
    assert_int_equal(kl_oauthbearer_extend(&c.o, str("auth"), str("x"), &error), KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "auth"));
    assert_int_equal(give(&c, "t", KLOOP_NEVER, NULL), KLOOP_OK);
    assert_int_equal(c.m.begin(c.session, c.m.me, now, &c.step), KLOOP_SASL_SAY);
    SAID(&c.step, "n,,\1auth=Bearer t\1logicalCluster=lkc-1\1pool=p = 1\t\1\1");
    c.m.end(c.session);
    memset(c.session, 0, c.m.session_bytes);
    /* The token's own count more. */
    kloop_sasl_extension own[] = {{str("logicalCluster"), str("lkc-2")}, {str("x"), str("~")}};
    kloop_token token = {str("t"), KLOOP_NEVER, {0}, own, 2};
    assert_int_equal(c.m.set_token(c.m.me, &token, now, NULL), KLOOP_OK);
    assert_int_equal(c.m.begin(c.session, c.m.me, now, &c.step), KLOOP_SASL_SAY);
    SAID(&c.step, "n,,\1auth=Bearer t\1logicalCluster=lkc-2\1x=~\1pool=p = 1\t\1\1");
    client_deinit(&c);
}

static void a_token_that_is_not_believed(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } answers[] = {
        {"{\"status\":\"invalid_token\"}", "the broker refuses the token: invalid_token"},
        {"{\"status\":\"insufficient_scope\",\"scope\":\"kafka:write\",\"openid-configuration\":"
         "\"x\"}",
         "insufficient_scope; it asks for the scope kafka:write"},
        {"{\"status\":\"\\u0007\n\x1b[2J\"}", "the broker refuses the token: \\u0007??[2J"},
        {"{\"status\":7}", "the broker refuses the token"},
        {"{", "the broker refuses the token"},
        {"x", "the broker refuses the token"},
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        client c;
        client_init(&c);
        assert_int_equal(give(&c, "t", KLOOP_NEVER, NULL), KLOOP_OK);
        assert_int_equal(c.m.begin(c.session, c.m.me, now, &c.step), KLOOP_SASL_SAY);
        assert_int_equal(tell(&c.m, c.session, answers[i].json, &c.step), KLOOP_SASL_SAY);
        SAID(&c.step, "\1");
        fails(tell(&c.m, c.session, "", &c.step), &c.step, answers[i].why);
        for (const char *at = c.step.why; *at; at++)
            assert_true((unsigned char)*at >= ' ');
        fails(tell(&c.m, c.session, "", &c.step), &c.step, "not its turn");
        client_deinit(&c);
    }
}

/* ---- Tokens that are made here ---- */

/* The claims of a token that was said, as text. */
static kloop_string claims_of(const kloop_sasl_step *step, char *to, size_t size)
{
    static const char head[] = "n,,\1auth=Bearer eyJhbGciOiJub25lIn0.";
    assert_memory_equal(step->out.data, head, sizeof head - 1);
    const char *from = (const char *)step->out.data + sizeof head - 1;
    const char *end = memchr(from, '.', step->out.len - (sizeof head - 1));
    assert_non_null(end);
    assert_memory_equal(end, ".\1", 2);
    size_t len;
    kl_base64_fault fault;
    assert_true((size_t)(end - from) < size);
    assert_true(kl_base64_decode_url((uint8_t *)to, &len, from, (size_t)(end - from), &fault));
    to[len] = '\0';
    return (kloop_string){to, len};
}

static void unsecured_tokens(void **state)
{
    (void)state;
    client c;
    char claims[512];
    client_init(&c);
    kl_unsecured *u = &c.o.unsecured;
    const kloop_allocator *alloc = &kl_mem_libc;
    u->life_s = 3600;
    c.o.makes_tokens = true;
    c.m = kl_oauthbearer_mechanism(&c.o);
    assert_null(c.m.set_token);
    assert_int_equal(kl_unsecured_add_string(u, alloc, str("sub"), str("al\"i\\ce\n"), NULL), 0);
    assert_int_equal(kl_unsecured_add_number(u, alloc, str("n"), str("-1.5e3"), NULL), 0);
    assert_int_equal(kl_unsecured_add_list(u, alloc, str("scope"), str("a,b,,c"), ',', NULL), 0);
    assert_int_equal(kl_unsecured_add_list(u, alloc, str("none"), str(""), ',', NULL), 0);
    assert_int_equal(c.m.begin(c.session, c.m.me, now, &c.step), KLOOP_SASL_SAY);
    kloop_string text = claims_of(&c.step, claims, sizeof claims);
    assert_string_equal(text.data, "{\"exp\":1700003600.000,\"iat\":1700000000.000,"
                                   "\"sub\":\"al\\u0022i\\u005cce\\u000a\",\"n\":-1.5e3,"
                                   "\"scope\":[\"a\",\"b\",\"\",\"c\"],\"none\":[]}");
    /* Each session has one of its own time. */
    c.m.end(c.session);
    memset(c.session, 0, c.m.session_bytes);
    kloop_now odd = {.wall_ms = NOW_MS + 1007};
    assert_int_equal(c.m.begin(c.session, c.m.me, odd, &c.step), KLOOP_SASL_SAY);
    text = claims_of(&c.step, claims, sizeof claims);
    assert_memory_equal(text.data, "{\"exp\":1700003601.007,\"iat\":1700000001.007,", 43);
    client_deinit(&c);
}

static void claims_that_are_refused(void **state)
{
    (void)state;
    kl_unsecured u = {0};
    kloop_error error;
    const kloop_allocator *alloc = &kl_mem_libc;
    assert_int_equal(kl_unsecured_add_string(&u, alloc, str("exp"), str("1"), &error),
                     KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "exp"));
    assert_int_equal(kl_unsecured_add_number(&u, alloc, str("iat"), str("1"), &error),
                     KLOOP_BAD_CONFIG);
    assert_int_equal(kl_unsecured_add_number(&u, alloc, str("n"), str("s3cret"), &error),
                     KLOOP_BAD_CONFIG);
    assert_null(strstr(error.text, "s3cret"));
    assert_int_equal(kl_unsecured_add_string(&u, alloc, str(""), str("1"), &error),
                     KLOOP_BAD_CONFIG);
    assert_null(u.claims.data);
    kl_unsecured_deinit(&u, alloc);
}

/* A life as long as it may be, and clocks that are wrong. */
static void times_at_the_edge(void **state)
{
    (void)state;
    const int64_t walls[] = {INT64_MIN, -1, 0, INT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        kl_unsecured u = {.life_s = UINT64_MAX};
        kl_secret token = {0};
        uint64_t expires_ms;
        assert_true(
            kl_unsecured_make(&u, &kl_mem_libc, (kloop_now){0, walls[i]}, &token, &expires_ms));
        assert_int_equal(expires_ms, INT64_MAX);
        kl_secret_drop(&token, &kl_mem_libc);
    }
}

/* ---- Memory and secrets ---- */

/* A life with a configured extension, a token, another, an exchange. */
static kloop_status live(const kloop_allocator *alloc, bool makes_tokens)
{
    kl_oauthbearer o;
    kl_oauthbearer_init(&o, alloc);
    o.makes_tokens = makes_tokens;
    o.unsecured.life_s = 60;
    kloop_sasl_mechanism m = kl_oauthbearer_mechanism(&o);
    kloop_status status = kl_oauthbearer_extend(&o, str("a"), str("correct horse battery"), NULL);
    if (!status && makes_tokens)
        status = kl_unsecured_add_string(&o.unsecured, alloc, str("sub"), str("somebody"), NULL);
    if (!status && makes_tokens)
        status = kl_unsecured_add_list(&o.unsecured, alloc, str("l"), str("a|b"), '|', NULL);
    kloop_token token = {str("token-that-is-secret"), KLOOP_NEVER, {0}, NULL, 0};
    for (size_t i = 0; i < 2 && !status; i++) {
        kloop_sasl_step step = {0};
        void *session = calloc(1, m.session_bytes);
        if (!makes_tokens)
            status = m.set_token(m.me, &token, now, NULL);
        if (!status && m.begin(session, m.me, now, &step) != KLOOP_SASL_SAY)
            status = KLOOP_NO_MEMORY;
        m.end(session);
        free(session);
    }
    kl_oauthbearer_deinit(&o);
    return status;
}

static void without_memory(void **state)
{
    (void)state;
    for (size_t makes = 0; makes < 2; makes++) {
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, nth);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kloop_status status = live(&alloc, makes);
            kl_fail_alloc_check(&f);
            assert_int_equal(status, f.refused ? KLOOP_NO_MEMORY : KLOOP_OK);
            if (!f.refused)
                break;
        }
    }
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    for (size_t makes = 0; makes < 2; makes++) {
        kl_needle_alloc n;
        kl_needle_alloc_init(&n);
        kl_needle_alloc_add(&n, "correct horse battery", 21);
        kl_needle_alloc_add(&n, "token-that-is-secret", 20);
        kl_needle_alloc_add(&n, "\"sub\":\"somebody\"", 16);
        kl_needle_alloc_add(&n, "eyJhbGciOiJub25lIn0", 19);
        kloop_allocator alloc = kl_needle_alloc_table(&n);
        assert_int_equal(live(&alloc, makes), KLOOP_OK);
        assert_true(n.released > 3);
        kl_needle_alloc_check(&n);
    }
    kl_needle_alloc n;
    kl_needle_alloc_init(&n);
    kl_needle_alloc_add(&n, "correct horse battery", 21);
    kloop_allocator alloc = kl_needle_alloc_table(&n);
    kl_plain p;
    assert_int_equal(kl_plain_init(&p, &alloc, str("a"), str("correct horse battery"), NULL), 0);
    kl_plain_deinit(&p, &alloc);
    kl_needle_alloc_check(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(plain_that_cannot_be_said),
        cmocka_unit_test(a_token_that_is_taken),
        cmocka_unit_test(no_token_yet),
        cmocka_unit_test(a_token_while_another_is_said),
        cmocka_unit_test(tokens_that_are_refused),
        cmocka_unit_test(extensions_are_said),
        cmocka_unit_test(a_token_that_is_not_believed),
        cmocka_unit_test(unsecured_tokens),
        cmocka_unit_test(claims_that_are_refused),
        cmocka_unit_test(times_at_the_edge),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
