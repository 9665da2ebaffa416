/* SPDX-License-Identifier: BSD-2-Clause */
/* Mechanisms out of configurations: which one, whose credentials, what does not fit, and where
 * tokens come from. */
#include "base/base64.h"
#include "base/mem.h"
#include "sasl/setup_oauth.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/needle_alloc.h"

#include <kloop/sasl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const kloop_now now = {.wall_ms = 1700000000000};
static const uint8_t entropy[32] = "thirty-two bytes of entropy.....";

/* Pairs of key and value, NULL at the end. */
static kloop_config *configured(const char *const *pairs)
{
    kloop_config *c = kloop_config_new(NULL);
    assert_non_null(c);
    for (; pairs[0]; pairs += 2) {
        if (kloop_config_set(c, pairs[0], pairs[1]))
            fail_msg("%s", kloop_config_error(c));
    }
    return c;
}

static kloop_sasl *made(const char *const *pairs, const char *name)
{
    kloop_config *c = configured(pairs);
    kloop_sasl *s;
    kloop_error error = {0};
    if (kloop_sasl_new(&s, c, NULL, entropy, &error))
        fail_msg("%s", error.text);
    kloop_config_del(c);
    assert_non_null(s);
    assert_string_equal(kloop_sasl_mechanism_of(s)->name, name);
    return s;
}

/* What it says first, terminated; the caller's to free. */
static char *first_words(const kloop_sasl *s, size_t *len)
{
    const kloop_sasl_mechanism *m = kloop_sasl_mechanism_of(s);
    void *session = calloc(1, m->session_bytes);
    kloop_sasl_step step = {0};
    assert_int_equal(m->begin(session, m->me, now, &step), KLOOP_SASL_SAY);
    char *text = calloc(1, step.out.len + 1);
    memcpy(text, step.out.data, step.out.len);
    *len = step.out.len;
    if (m->end)
        m->end(session);
    free(session);
    return text;
}

static void says(const char *const *pairs, const char *name, const char *bytes, size_t bytes_len)
{
    kloop_sasl *s = made(pairs, name);
    size_t len;
    char *text = first_words(s, &len);
    assert_true(len >= bytes_len);
    assert_memory_equal(text, bytes, bytes_len);
    free(text);
    kloop_sasl_del(s);
}

#define PAIRS(...)              ((const char *const[]){__VA_ARGS__, NULL})
#define SAYS(pairs, name, text) says(pairs, name, text, sizeof(text) - 1)

static void refused(const char *const *pairs, const char *why, const char *and)
{
    kloop_config *c = configured(pairs);
    kloop_sasl *s = (kloop_sasl *)c;
    kloop_error error = {0};
    assert_int_equal(kloop_sasl_new(&s, c, NULL, entropy, &error), KLOOP_BAD_CONFIG);
    assert_null(s);
    if (!strstr(error.text, why) || !strstr(error.text, and))
        fail_msg("\"%s\" does not tell of \"%s\" and \"%s\"", error.text, why, and);
    assert_null(strstr(error.text, "s3cret"));
    assert_int_equal(kloop_sasl_new(&s, c, NULL, entropy, NULL), KLOOP_BAD_CONFIG);
    kloop_config_del(c);
}

#define SASL  "security.protocol", "SASL_PLAINTEXT"
#define MECH  "sasl.mechanism"
#define JAAS  "sasl.jaas.config"
#define USER  "sasl.username"
#define PASS  "sasl.password"
#define KAFKA "org.apache.kafka.common.security."
#define BOTH  " required username=\"alice\" password=\"s3cret\";"

static void without_sasl(void **state)
{
    (void)state;
    static const char *const protocols[] = {"PLAINTEXT", "SSL", "ssl"};
    for (size_t i = 0; i < 3; i++) {
        kloop_config *c = configured(PAIRS("security.protocol", protocols[i], USER, "alice"));
        kloop_sasl *s = (kloop_sasl *)c;
        assert_int_equal(kloop_sasl_new(&s, c, NULL, entropy, NULL), KLOOP_OK);
        assert_null(s);
        kloop_config_del(c);
    }
    kloop_sasl_del(NULL);
}

static void each_mechanism(void **state)
{
    (void)state;
    SAYS(PAIRS(SASL, MECH, "PLAIN", USER, "alice", PASS, "s3cret"), "PLAIN", "\0alice\0s3cret");
    SAYS(PAIRS("security.protocol", "sasl_ssl", MECH, "PLAIN", JAAS,
               KAFKA "plain.PlainLoginModule" BOTH),
         "PLAIN", "\0alice\0s3cret");
    SAYS(PAIRS(SASL, MECH, "SCRAM-SHA-256", USER, "alice", PASS, "s3cret"), "SCRAM-SHA-256",
         "n,,n=alice,r=");
    SAYS(PAIRS(SASL, MECH, "SCRAM-SHA-512", JAAS, KAFKA "scram.ScramLoginModule" BOTH),
         "SCRAM-SHA-512", "n,,n=alice,r=");
    SAYS(PAIRS(SASL, MECH, "SCRAM-SHA-512", JAAS, "shaded." KAFKA "scram.ScramLoginModule" BOTH),
         "SCRAM-SHA-512", "n,,n=alice,r=");
    SAYS(PAIRS(SASL, "sasl.mechanisms", "PLAIN", USER, "alice", PASS, "s3cret"), "PLAIN",
         "\0alice\0s3cret");
}

static void delegation_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        bool on;
    } words[] = {{"true", true}, {"TRUE", true}, {"false", false}, {"yes", false}, {"", false}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char jaas[256];
        snprintf(jaas, sizeof jaas,
                 KAFKA "scram.ScramLoginModule required username=\"id\" password=\"s3cret\" "
                       "tokenauth=\"%s\";",
                 words[i].word);
        kloop_sasl *s = made(PAIRS(SASL, MECH, "SCRAM-SHA-256", JAAS, jaas), "SCRAM-SHA-256");
        size_t len;
        char *text = first_words(s, &len);
        assert_int_equal(strstr(text, ",tokenauth=true") != NULL, words[i].on);
        free(text);
        kloop_sasl_del(s);
    }
}

static void what_is_missing_or_does_not_fit(void **state)
{
    (void)state;
    refused(PAIRS(SASL), "sasl.mechanism is missing",
            "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER");
    refused(PAIRS(SASL, MECH, "PLAIN"), "there is neither", "sasl.username and sasl.password");
    refused(PAIRS(SASL, MECH, "PLAIN", USER, "alice"), "the password is missing", PASS);
    refused(PAIRS(SASL, MECH, "SCRAM-SHA-256", PASS, "s3cret"), "the user name is missing", USER);
    refused(PAIRS(SASL, MECH, "PLAIN", JAAS,
                  KAFKA "plain.PlainLoginModule required username=\"alice\";"),
            "the password is missing or empty", JAAS);
    refused(PAIRS(SASL, MECH, "PLAIN", JAAS,
                  KAFKA "plain.PlainLoginModule required username=\"\" password=\"s3cret\";"),
            "the user name is missing or empty", JAAS);
    refused(PAIRS(SASL, MECH, "PLAIN", JAAS, KAFKA "plain.PlainLoginModule" BOTH, USER, "alice"),
            JAAS " and " USER, "both set");
    refused(PAIRS(SASL, MECH, "PLAIN", JAAS, KAFKA "plain.PlainLoginModule" BOTH, PASS, "s3cret"),
            JAAS " and " PASS, "both set");
    refused(PAIRS(SASL, MECH, "PLAIN", JAAS, KAFKA "scram.ScramLoginModule" BOTH),
            "sasl.mechanism=PLAIN and the ScramLoginModule", "the module for it is PlainLogin");
    refused(PAIRS(SASL, MECH, "SCRAM-SHA-256", JAAS, KAFKA "plain.PlainLoginModule" BOTH),
            "sasl.mechanism=SCRAM-SHA-256 and the PlainLoginModule", "is ScramLoginModule");
    refused(PAIRS(SASL, MECH, "OAUTHBEARER", JAAS, KAFKA "plain.PlainLoginModule" BOTH),
            "sasl.mechanism=OAUTHBEARER", "is OAuthBearerLoginModule");
    refused(PAIRS(SASL, MECH, "PLAIN", JAAS,
                  "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true;"),
            "Krb5LoginModule is no login module", "Kerberos");
    refused(
        PAIRS(SASL, MECH, "PLAIN", JAAS, "software.amazon.msk.auth.iam.IAMLoginModule required;"),
        "IAMLoginModule", "OAUTHBEARER");
    refused(PAIRS(SASL, MECH, "PLAIN", JAAS, "com.example.OtherLoginModule required;"),
            "OtherLoginModule is no login module", "ScramLoginModule");
    refused(PAIRS(SASL, MECH, "PLAIN", JAAS, "s3cret required;"), "its first word is no login",
            "PlainLoginModule");
    refused(PAIRS(SASL, MECH, "PLAIN", JAAS, "s3cret"), JAAS ": it ends at byte 6", "required");
    refused(PAIRS(SASL, MECH, "OAUTHBEARER", USER, "alice", PASS, "s3cret"), USER, "OAUTHBEARER");
}

/* The limit of the configuration is the one that counts. */
static void iterations(void **state)
{
    (void)state;
    static const char *const limits[] = {"4096", "5000", "2147483647"};
    for (size_t i = 0; i < 3; i++) {
        kloop_sasl *s = made(PAIRS(SASL, MECH, "SCRAM-SHA-256", USER, "a", PASS, "s3cret",
                                   "sasl.scram.iterations.max", limits[i]),
                             "SCRAM-SHA-256");
        const kloop_sasl_mechanism *m = kloop_sasl_mechanism_of(s);
        for (uint64_t more = 0; more < 2; more++) {
            void *session = calloc(1, m->session_bytes);
            kloop_sasl_step step = {0};
            char message[256];
            assert_int_equal(m->begin(session, m->me, now, &step), KLOOP_SASL_SAY);
            snprintf(message, sizeof message, "r=%.32sx,s=AAAA,i=%llu",
                     (const char *)step.out.data + 9,
                     (unsigned long long)(strtoull(limits[i], NULL, 10) + more));
            kloop_slice bytes = {(const uint8_t *)message, strlen(message)};
            memset(&step, 0, sizeof step);
            assert_int_equal(m->challenge(session, bytes, now, &step),
                             more ? KLOOP_SASL_FAILED : KLOOP_SASL_WORK);
            m->end(session);
            free(session);
        }
        kloop_sasl_del(s);
    }
}

/* ---- OAUTHBEARER ---- */

#define OAUTH  SASL, MECH, "OAUTHBEARER"
#define MODULE KAFKA "oauthbearer.OAuthBearerLoginModule required "
#define URL    "sasl.oauthbearer.token.endpoint.url"
#define CONFIG "sasl.oauthbearer.config"
#define ALLOW  "enable.sasl.oauthbearer.unsecure.jwt", "true"

static void has_file(const char *const *pairs, const char *path)
{
    kloop_sasl *s = made(pairs, "OAUTHBEARER");
    assert_non_null(kloop_sasl_mechanism_of(s)->set_token);
    kloop_string file = kloop_sasl_token_file(s);
    assert_string_equal(file.data, path);
    assert_int_equal(file.len, strlen(path));
    kloop_sasl_del(s);
}

static void tokens_from_elsewhere(void **state)
{
    (void)state;
    has_file(PAIRS(OAUTH), "");
    has_file(PAIRS(OAUTH, JAAS, MODULE ";"), "");
    has_file(PAIRS(OAUTH, URL, "file:///var/run/token"), "/var/run/token");
    has_file(PAIRS(OAUTH, URL, "file:///a%20b/%25%c3%A9"), "/a b/%\xc3\xa9");
    has_file(PAIRS(OAUTH, URL, "file:///t", JAAS, MODULE "clientId=\"a\" clientSecret=\"s3cret\";"),
             "/t");
    kloop_sasl *s =
        made(PAIRS(OAUTH, JAAS, MODULE "extension_logicalCluster=\"lkc-1\";"), "OAUTHBEARER");
    const kloop_sasl_mechanism *m = kloop_sasl_mechanism_of(s);
    kloop_token token = {.value = {"t", 1}, .expires_ms = KLOOP_NEVER};
    assert_int_equal(m->set_token(m->me, &token, now, NULL), KLOOP_OK);
    size_t len;
    char *text = first_words(s, &len);
    assert_string_equal(text, "n,,\1auth=Bearer t\1logicalCluster=lkc-1\1\1");
    free(text);
    kloop_sasl_del(s);
}

/* The claims of what is said first. */
static void claims(const char *const *pairs, const char *wanted)
{
    kloop_sasl *s = made(pairs, "OAUTHBEARER");
    assert_null(kloop_sasl_mechanism_of(s)->set_token);
    size_t len, decoded_len;
    char *text = first_words(s, &len);
    char *from = strchr(text, '.') + 1;
    char decoded[512];
    kl_base64_fault fault;
    assert_true(
        kl_base64_decode_url((uint8_t *)decoded, &decoded_len, from, strcspn(from, "."), &fault));
    decoded[decoded_len] = '\0';
    assert_string_equal(decoded, wanted);
    free(text);
    kloop_sasl_del(s);
}

static void unsecured_tokens(void **state)
{
    (void)state;
    claims(PAIRS(OAUTH, JAAS, MODULE "unsecuredLoginStringClaim_sub=\"alice\";"),
           "{\"exp\":1700003600.000,\"iat\":1700000000.000,\"sub\":\"alice\"}");
    claims(PAIRS(OAUTH, JAAS,
                 MODULE "unsecuredLoginStringClaim_sub=\"alice\" unsecuredLoginNumberClaim_n=\"5\" "
                        "unsecuredLoginListClaim_scope=\"|a|b\" unsecuredLoginListClaim_x=\"\" "
                        "unsecuredLoginLifetimeSeconds=\"60\" unsecuredLoginOther=one "
                        "unsecuredLoginScopeClaimName=x unsecuredLoginExtension_traceId=\"1\";"),
           "{\"exp\":1700000060.000,\"iat\":1700000000.000,\"sub\":\"alice\",\"n\":5,"
           "\"scope\":[\"a\",\"b\"],\"x\":[]}");
    claims(PAIRS(OAUTH, JAAS,
                 MODULE "unsecuredLoginStringClaim_who=\"bob\" "
                        "unsecuredLoginPrincipalClaimName=\"who\";"),
           "{\"exp\":1700003600.000,\"iat\":1700000000.000,\"who\":\"bob\"}");
    claims(
        PAIRS(OAUTH, ALLOW, CONFIG, " principal=admin  scope=a,b lifeSeconds=600 "),
        "{\"exp\":1700000600.000,\"iat\":1700000000.000,\"sub\":\"admin\",\"scope\":[\"a\",\"b\"]"
        "}");
    claims(PAIRS(OAUTH, ALLOW, CONFIG,
                 "principalClaimName=azp principal=a=b scopeClaimName=roles scope=r "
                 "extension_supportFeatureX=true"),
           "{\"exp\":1700003600.000,\"iat\":1700000000.000,\"azp\":\"a=b\",\"roles\":[\"r\"]}");
}

/* The configuration has an opinion of its own about some of these. */
static void urls_of_files(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *path; /* NULL: refused */
    } urls[] = {
        {"file:///var/run/token", "/var/run/token"},
        {"file:/var/run/token", "/var/run/token"},
        {"FILE:///x", "/x"},
        {"https://s3cret.example/token", NULL},
        {"http://localhost/t", NULL},
        {"file:", NULL},
        {"file:///", NULL},
        {"file:token", NULL},
        {"file://host/token", NULL},
        {"/var/run/token", NULL},
        {"filed:///x", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        kl_oauthbearer o;
        kl_secret file = {0};
        kloop_error error = {0};
        kl_setup_oauth_texts texts = {.url = urls[i].url};
        kl_oauthbearer_init(&o, &kl_mem_libc);
        kloop_status status = kl_setup_oauth(&o, &file, &texts, &error);
        if (urls[i].path) {
            assert_int_equal(status, KLOOP_OK);
            assert_string_equal(file.data, urls[i].path);
        } else {
            assert_int_equal(status, KLOOP_BAD_CONFIG);
            assert_non_null(strstr(error.text, URL " must be file:///PATH"));
            assert_null(strstr(error.text, "s3cret"));
        }
        kl_secret_drop(&file, &kl_mem_libc);
        kl_oauthbearer_deinit(&o);
    }
}

static void tokens_that_cannot_be_made(void **state)
{
    (void)state;
    refused(PAIRS(OAUTH, URL, "file:///a%2"), URL, "%25");
    refused(PAIRS(OAUTH, URL, "file:///a%zz"), URL, "%25");
    refused(PAIRS(OAUTH, URL, "file:///a%00"), URL, "%25");
    refused(PAIRS(OAUTH, JAAS, MODULE "clientId=\"a\" clientSecret=\"s3cret\";"), "clientSecret",
            URL "=file:///PATH");
    refused(PAIRS(OAUTH, JAAS, MODULE "unsecuredLoginNumberClaim_n=\"5\";"), "needs a principal",
            "unsecuredLoginStringClaim_sub");
    refused(PAIRS(OAUTH, JAAS, MODULE "unsecuredLoginStringClaim_sub=\" \";"), "needs a principal",
            "");
    refused(PAIRS(OAUTH, JAAS,
                  MODULE "unsecuredLoginStringClaim_sub=a unsecuredLoginPrincipalClaimName=x;"),
            "needs a principal", "");
    static const char *const lives[] = {"0", "-1", "x", "", "99999999999999999999", "3153600001"};
    for (size_t i = 0; i < 6; i++) {
        char jaas[256];
        snprintf(jaas, sizeof jaas,
                 MODULE "unsecuredLoginStringClaim_sub=a unsecuredLoginLifetimeSeconds=\"%s\";",
                 lives[i]);
        refused(PAIRS(OAUTH, JAAS, jaas), "LifetimeSeconds", "above 0");
    }
    refused(PAIRS(OAUTH, JAAS, MODULE "unsecuredLoginStringClaim_exp=a;"), "exp", "cannot be set");
    refused(PAIRS(OAUTH, JAAS, MODULE "extension_auth=s3cret;"), "extension", "auth");
    refused(PAIRS(OAUTH, JAAS, MODULE "extension_a1=s3cret;"), "extension", "letters");
    refused(PAIRS(OAUTH, CONFIG, "principal=s3cret"), "for tests",
            "enable.sasl.oauthbearer.unsecure.jwt=true");
    refused(PAIRS(OAUTH, ALLOW), "enable.sasl.oauthbearer.unsecure.jwt=true needs", CONFIG);
    refused(PAIRS(OAUTH, ALLOW, CONFIG, "scope=a"), CONFIG, "needs a principal");
    refused(PAIRS(OAUTH, ALLOW, CONFIG, "s3cret"), CONFIG, "NAME=VALUE");
    refused(PAIRS(OAUTH, ALLOW, CONFIG, "principal="), CONFIG, "NAME=VALUE");
    refused(PAIRS(OAUTH, ALLOW, CONFIG, "s3cret=1"), CONFIG, "lifeSeconds");
    refused(PAIRS(OAUTH, ALLOW, CONFIG, "principal=a lifeSeconds=0"), CONFIG, "lifeSeconds");
    refused(PAIRS(OAUTH, ALLOW, CONFIG, "principal=a extension_1=b"), "extension", "letters");
    refused(PAIRS(OAUTH, ALLOW, CONFIG, "principal=a principalClaimName=exp"), "exp", "cannot");
    refused(PAIRS(OAUTH, ALLOW, CONFIG, "principal=a", URL, "file:///t"), CONFIG " and " URL,
            "both set");
    refused(PAIRS(OAUTH, JAAS, MODULE "unsecuredLoginStringClaim_sub=a;", URL, "file:///t"), JAAS,
            URL);
    refused(
        PAIRS(OAUTH, ALLOW, CONFIG, "principal=a", JAAS, MODULE "unsecuredLoginStringClaim_sub=a;"),
        JAAS, CONFIG);
}

static void when_tokens_expire(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        uint64_t ms;
    } tokens[] = {
        {"{\"exp\":1700000000}", 1700000000000},
        {"{\"sub\":\"x\",\"exp\":1.700000000123E9,\"iat\":1}", 1700000000123},
        {"{\"sub\":\"x\"}", KLOOP_NEVER},
        {"{\"exp\":\"1700000000\"}", KLOOP_NEVER},
        {"{\"exp\":-1}", 0},
        {"[1]", KLOOP_NEVER},
        {"", KLOOP_NEVER},
    };
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        char text[256] = "e30.";
        size_t len = 4 + kl_base64_encode_url(text + 4, (const uint8_t *)tokens[i].claims,
                                              strlen(tokens[i].claims));
        strcpy(text + len, ".c2ln");
        assert_true(kloop_sasl_token_expiry_ms((kloop_string){text, len + 5}) == tokens[i].ms);
        assert_true(kloop_sasl_token_expiry_ms((kloop_string){text, len + 1}) == tokens[i].ms);
        assert_true(kloop_sasl_token_expiry_ms((kloop_string){text, len}) == KLOOP_NEVER);
        strcpy(text + len, ".a.b");
        assert_true(kloop_sasl_token_expiry_ms((kloop_string){text, len + 4}) == KLOOP_NEVER);
    }
    static const char *const none[] = {"opaque", "..", "a.b.c", "a.***.c", "a..c", "."};
    for (size_t i = 0; i < 6; i++)
        assert_true(kloop_sasl_token_expiry_ms((kloop_string){none[i], strlen(none[i])}) ==
                    KLOOP_NEVER);
    assert_true(kloop_sasl_token_expiry_ms((kloop_string){NULL, 0}) == KLOOP_NEVER);
}

/* ---- Memory and secrets ---- */

static const char *const *const lives[] = {
    (const char *const[]){SASL, MECH, "PLAIN", USER, "alice", PASS, "correct horse battery", NULL},
    (const char *const[]){SASL, MECH, "SCRAM-SHA-512", JAAS,
                          KAFKA "scram.ScramLoginModule required username=\"alice\" "
                                "password=\"correct horse battery\";",
                          NULL},
    (const char *const[]){OAUTH, JAAS,
                          MODULE "unsecuredLoginStringClaim_sub=\"correct horse battery\" "
                                 "extension_a=\"correct horse battery\";",
                          NULL},
    (const char *const[]){OAUTH, ALLOW, CONFIG, "principal=correct-horse-battery scope=a", NULL},
    (const char *const[]){OAUTH, URL, "file:///run/correct-horse-battery", NULL},
};

static void without_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        kloop_config *c = configured(lives[i]);
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, nth);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kloop_sasl *s;
            kloop_error error = {0};
            kloop_status status = kloop_sasl_new(&s, c, &alloc, entropy, &error);
            assert_int_equal(status != KLOOP_OK, s == NULL);
            kloop_sasl_del(s);
            kl_fail_alloc_check(&f);
            if (!f.refused) {
                assert_int_equal(status, KLOOP_OK);
                break;
            }
            assert_int_equal(status, KLOOP_NO_MEMORY);
            assert_non_null(strstr(error.text, "memory"));
        }
        kloop_config_del(c);
    }
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        kloop_config *c = configured(lives[i]);
        kl_needle_alloc n;
        kl_needle_alloc_init(&n);
        kl_needle_alloc_add(&n, "correct horse battery", 21);
        kl_needle_alloc_add(&n, "correct-horse-battery", 21);
        kl_needle_alloc_add(&n, entropy, sizeof entropy);
        kloop_allocator alloc = kl_needle_alloc_table(&n);
        kloop_sasl *s;
        assert_int_equal(kloop_sasl_new(&s, c, &alloc, entropy, NULL), KLOOP_OK);
        kloop_sasl_del(s);
        assert_true(n.released >= 2);
        kl_needle_alloc_check(&n);
        kloop_config_del(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_sasl),
        cmocka_unit_test(each_mechanism),
        cmocka_unit_test(delegation_tokens),
        cmocka_unit_test(what_is_missing_or_does_not_fit),
        cmocka_unit_test(iterations),
        cmocka_unit_test(tokens_from_elsewhere),
        cmocka_unit_test(unsecured_tokens),
        cmocka_unit_test(urls_of_files),
        cmocka_unit_test(tokens_that_cannot_be_made),
        cmocka_unit_test(when_tokens_expire),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
