/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of TLS and SASL: text of PEM, what they say together, and secrets, of which no copy may stay
 * in memory that was given back. */
#include "core/config_pem.h"
#include "core/settings.h"
#include "tests/support/fail_alloc.h"

#include <kloop/config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- PEM ---- */

static void lines_of_pem(void **state)
{
    (void)state;
    static const struct {
        const char *text, *lines;
    } cases[] = {
        {"", ""},
        {"-----BEGIN X-----\nab\n-----END X-----", "-----BEGIN X-----\nab\n-----END X-----"},
        {"-----BEGIN X-----\\nab\\n-----END X-----", "-----BEGIN X-----\nab\n-----END X-----"},
        {"-----BEGIN X-----\\r\\nab\\r\\n-----END X-----\\n",
         "-----BEGIN X-----\nab\n-----END X-----\n"},
        {"-----BEGIN A KEY----- ab cd\tef -----END A KEY-----",
         "-----BEGIN A KEY-----\nab\ncd\nef\n-----END A KEY-----"},
        {"-----BEGIN A----- ab -----END A----- -----BEGIN B C----- cd -----END B C-----",
         "-----BEGIN A-----\nab\n-----END A-----\n-----BEGIN B C-----\ncd\n-----END B C-----"},
        /* Two blanks make no empty line, and none are needed around BEGIN and END. */
        {"-----BEGIN A-----  ab \t cd-----END A----------BEGIN B-----ef-----END B-----",
         "-----BEGIN A-----\nab\ncd\n-----END A-----\n-----BEGIN B-----\nef\n-----END B-----"},
        {"-----BEGIN A-----ab-----END A-----", "-----BEGIN A-----\nab\n-----END A-----"},
        {"ab cd", "ab\ncd"},
        {"-", "-"},
        /* What stands before, and blanks that are among lines, are left alone. */
        {"Bag Attributes: x\n-----BEGIN X-----\nab", "Bag Attributes: x\n-----BEGIN X-----\nab"},
        {"Proc-Type: x\\n\\nab", "Proc-Type: x\n\nab"},
        {"\\", "\\"},
        {"\\x\\", "\\x\\"},
        {"\\n\\", "\n\\"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* No byte beyond its room, and what is read is not terminated. */
        size_t from_len = strlen(cases[i].text);
        char *exact = malloc(from_len ? from_len : 1);
        char *to = malloc(KL_CONFIG_PEM_SIZE(from_len));
        memcpy(exact, cases[i].text, from_len);
        size_t len = kl_config_pem_lines((kloop_string){exact, from_len}, to);
        assert_string_equal(to, cases[i].lines);
        assert_int_equal(len, strlen(cases[i].lines));
        free(exact);
        free(to);
    }
}

static void only_pem_is_put_into_lines(void **state)
{
    (void)state;
    kl_fail_alloc memory;
    kl_fail_alloc_init(&memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&memory);
    kloop_config *c = kloop_config_new(&alloc);
    static const char *const pem[] = {
        "ssl.truststore.certificates", "ssl.ca.pem",       "ssl.keystore.certificate.chain",
        "ssl.certificate.pem",         "ssl.keystore.key", "ssl.key.pem"};
    static const char *const other[] = {"sasl.password", "ssl.key.password", "sasl.jaas.config",
                                        "client.id"};
    for (size_t i = 0; i < sizeof pem / sizeof pem[0]; i++) {
        assert_int_equal(kloop_config_set(c, pem[i], "  ab\\ncd\n"), KLOOP_OK);
        assert_string_equal(kloop_config_get(c, pem[i]), "ab\ncd");
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        assert_int_equal(kloop_config_set(c, other[i], "  a b\\nc\n"), KLOOP_OK);
        assert_string_equal(kloop_config_get(c, other[i]), "a b\\nc");
    }
    kloop_config_del(c);
    kl_fail_alloc_check(&memory);
}

static void long_text(void **state)
{
    (void)state;
    static char text[(1 << 20) + 2];
    static const char *const keys[] = {"sasl.password", "ssl.keystore.key", "ssl.ca.pem"};
    kloop_config *c = kloop_config_new(NULL);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        memset(text, '\xff', sizeof text);
        text[1 << 20] = '\0';
        assert_int_equal(kloop_config_set(c, keys[i], text), KLOOP_OK);
        text[1 << 20] = 'x';
        text[(1 << 20) + 1] = '\0';
        assert_int_equal(kloop_config_set(c, keys[i], text), KLOOP_BAD_CONFIG);
        assert_non_null(strstr(kloop_config_error(c), "1048577 bytes are too many; allowed: "));
        assert_int_equal(strlen(kloop_config_get(c, keys[i])), 1 << 20);
    }
    kloop_config_del(c);
}

/* ---- Together ---- */

#define PAIRS_MAX 6

typedef struct pair {
    const char *key, *value;
} pair;

static kloop_config *config_of(const pair *pairs)
{
    kloop_config *c = kloop_config_new(NULL);
    kloop_config_set(c, "bootstrap.servers", "a:1");
    for (int i = 0; i < PAIRS_MAX && pairs[i].key; i++)
        if (kloop_config_set(c, pairs[i].key, pairs[i].value))
            fail_msg("%s", kloop_config_error(c));
    return c;
}

/* says "": it is all right. */
static void answered(const char *says, const pair *pairs)
{
    kloop_config *c = config_of(pairs);
    kloop_error error;
    kloop_status status = kloop_config_check(c, &error);
    assert_string_equal(error.text, says);
    assert_int_equal(status, says[0] ? KLOOP_BAD_CONFIG : KLOOP_OK);
    kloop_config_del(c);
}
#define answers(says, ...) answered(says, (const pair[PAIRS_MAX]){__VA_ARGS__})
#define P(key, value)                                                                              \
    {                                                                                              \
        key, value                                                                                 \
    }
#define TLS  P("security.protocol", "SSL")
#define SASL P("security.protocol", "SASL_SSL"), P("sasl.mechanism", "PLAIN")

static void sasl_wants_a_mechanism(void **state)
{
    (void)state;
    answers("security.protocol=SASL_SSL needs a sasl.mechanism: PLAIN, SCRAM-SHA-256, "
            "SCRAM-SHA-512, OAUTHBEARER; no GSSAPI (Kerberos)",
            P("security.protocol", "sasl_ssl"));
    answers("security.protocol=SASL_PLAINTEXT needs a sasl.mechanism: PLAIN, SCRAM-SHA-256, "
            "SCRAM-SHA-512, OAUTHBEARER; no GSSAPI (Kerberos)",
            P("security.protocol", "SASL_PLAINTEXT"));
    answers("", SASL);
}

static void what_is_trusted_once(void **state)
{
    (void)state;
    answers("", TLS);
    answers("ssl.truststore.location and ssl.truststore.certificates are both set; leave one out",
            TLS, P("ssl.truststore.location", "/a"), P("ssl.truststore.certificates", "x"));
    answers("ssl.ca.location and ssl.ca.pem are both set; leave one out", SASL,
            P("ssl.ca.location", "/a"), P("ssl.ca.pem", "x"));
    answers("", TLS, P("ssl.ca.location", "/a"), P("ssl.ca.pem", ""));
    answers("", P("ssl.ca.location", "/a"), P("ssl.ca.pem", "x"));
}

static void a_certificate_and_its_key(void **state)
{
    (void)state;
    static const char *const certificates[] = {"ssl.certificate.location",
                                               "ssl.keystore.certificate.chain"};
    static const char *const keys[] = {"ssl.key.location", "ssl.keystore.key"};
    char says[200];
    for (int a = 0; a < 2; a++) {
        for (int b = 0; b < 2; b++)
            answers("", TLS, P(certificates[a], "x"), P(keys[b], "y"));
        snprintf(says, sizeof says, "%s needs ssl.key.location or ssl.keystore.key",
                 certificates[a]);
        answers(says, TLS, P(certificates[a], "x"));
        snprintf(says, sizeof says,
                 "%s needs ssl.certificate.location or ssl.keystore.certificate.chain", keys[a]);
        answers(says, TLS, P(keys[a], "x"));
        snprintf(says, sizeof says, "ssl.keystore.location and %s are both set; leave one out",
                 certificates[a]);
        answers(says, TLS, P("ssl.keystore.location", "k"), P(certificates[a], "x"));
        snprintf(says, sizeof says, "ssl.keystore.location and %s are both set; leave one out",
                 keys[a]);
        answers(says, TLS, P("ssl.keystore.location", "k"), P(keys[a], "x"));
    }
    answers("ssl.certificate.location and ssl.certificate.pem are both set; leave one out", TLS,
            P("ssl.certificate.location", "x"), P("ssl.certificate.pem", "x"),
            P("ssl.key.location", "x"));
    answers("ssl.key.location and ssl.key.pem are both set; leave one out", TLS,
            P("ssl.certificate.location", "x"), P("ssl.key.pem", "x"), P("ssl.key.location", "x"));
    answers("", TLS, P("ssl.keystore.location", "k"), P("ssl.keystore.password", "p"));
}

static void settings(void **state)
{
    (void)state;
    static const struct {
        const char *protocol;
        bool tls, sasl;
    } cases[] = {{"PLAINTEXT", false, false},
                 {"SSL", true, false},
                 {"SASL_PLAINTEXT", false, true},
                 {"sasl_ssl", true, true}};
    for (size_t i = 0; i < 4; i++) {
        kl_settings s;
        kloop_config *c = config_of((const pair[PAIRS_MAX]){
            P("security.protocol", cases[i].protocol), P("sasl.mechanism", "SCRAM-SHA-512")});
        assert_int_equal(kl_settings_load(&s, c, NULL, NULL), KLOOP_OK);
        assert_int_equal(s.tls, cases[i].tls);
        assert_int_equal(s.sasl, cases[i].sasl);
        assert_int_equal(s.login_factor_millionths, 800000);
        assert_int_equal(s.login_jitter_millionths, 50000);
        assert_int_equal(s.login_period_ns, UINT64_C(60000000000));
        assert_int_equal(s.login_buffer_ns, UINT64_C(300000000000));
        kl_settings_deinit(&s);
        kloop_config_del(c);
    }
    kl_settings s;
    kloop_config *c = config_of((const pair[PAIRS_MAX]){
        P("sasl.login.refresh.window.factor", "0.5"), P("sasl.login.refresh.window.jitter", "0.25"),
        P("sasl.login.refresh.min.period.seconds", "1"),
        P("sasl.login.refresh.buffer.seconds", "3600")});
    assert_int_equal(kl_settings_load(&s, c, NULL, NULL), KLOOP_OK);
    assert_int_equal(s.login_factor_millionths, 500000);
    assert_int_equal(s.login_jitter_millionths, 250000);
    assert_int_equal(s.login_period_ns, UINT64_C(1000000000));
    assert_int_equal(s.login_buffer_ns, UINT64_C(3600000000000));
    kl_settings_deinit(&s);
    kloop_config_del(c);
}

/* All notes, each with a newline. */
static const char *notes_of(const kloop_config *c)
{
    static char text[4096];
    size_t len = 0;
    kloop_error note;
    text[0] = '\0';
    for (size_t i = 0; kloop_config_note(c, i, &note); i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s\n", note.text);
    return text;
}

static void noted(const char *says, const pair *pairs)
{
    kloop_config *c = config_of(pairs);
    assert_string_equal(notes_of(c), says);
    kloop_config_del(c);
}
#define notes(says, ...) noted(says, (const pair[PAIRS_MAX]){__VA_ARGS__})

static void what_is_set_for_nothing(void **state)
{
    (void)state;
    notes("no effect here: sasl.password, sasl.username (security.protocol=PLAINTEXT)\n",
          P("sasl.username", "u"), P("sasl.password", "hunter2"));
    notes("no effect here: sasl.mechanisms (security.protocol=SSL)\n", TLS,
          P("sasl.mechanisms", "PLAIN"), P("ssl.ca.location", "/ca"));
    notes("no effect here: ssl.ca.location (security.protocol=SASL_PLAINTEXT)\n",
          P("security.protocol", "SASL_PLAINTEXT"), P("sasl.mechanism", "PLAIN"),
          P("ssl.ca.location", "/ca"));
    notes("", SASL, P("sasl.username", "u"), P("ssl.ca.location", "/ca"));
    notes("", TLS);
    notes("", P("security.protocol", "PLAINTEXT"));
}

static void names_that_are_not_checked(void **state)
{
    (void)state;
    const char *says = "ssl.endpoint.identification.algorithm=none: whoever has any certificate of "
                       "the CA can pass for a broker\n";
    notes(says, TLS, P("ssl.endpoint.identification.algorithm", ""));
    notes(says, SASL, P("ssl.endpoint.identification.algorithm", "None"));
    notes("", TLS, P("ssl.endpoint.identification.algorithm", "HTTPS"));
    notes("no effect here: ssl.endpoint.identification.algorithm (security.protocol=PLAINTEXT)\n",
          P("ssl.endpoint.identification.algorithm", "none"));
}

static void two_names_without_their_values(void **state)
{
    (void)state;
    notes("ssl.key.pem and ssl.keystore.key are one key: the last word counts\n", TLS,
          P("ssl.key.pem", "hunter1"), P("ssl.keystore.key", "hunter2"));
    notes("sasl.mechanism and sasl.mechanisms are one key, which is now "
          "sasl.mechanism=SCRAM-SHA-256: the last word counts\n",
          SASL, P("sasl.mechanisms", "SCRAM-SHA-256"));
}

/* ---- Secrets ---- */

/* Not a word of it in what is said, however it was set. */
static void no_secret_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {
        "sasl.password",
        "sasl.pasword",
        "sasl.passwort",
        "sasl.secret",
        "topic.t.sasl.password",
        "topic.sasl.pass",
        "ssl.key.password",
        "ssl.keystore.passwd",
        "ssl.truststore.password",
        "sasl.jaas.config",
        "sasl.jaas.conf",
        "ssl.keystore.key",
        "ssl.key.pem",
        "sasl.oauthbearer.config",
        "our.password",
        "sasl.password=hunter2",
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.token.endpoint.url",
    };
    for (int ignore = 0; ignore <= 1; ignore++)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            kloop_error error;
            kloop_config *c = config_of(
                (const pair[PAIRS_MAX]){P("ignore.unknown.config", ignore ? "true" : "false")});
            kloop_config_set(c, names[i], "hunter2 \x01\xff");
            if (strstr(kloop_config_error(c), "hunter2"))
                fail_msg("%s", kloop_config_error(c));
            kloop_config_check(c, &error);
            assert_null(strstr(error.text, "hunter2"));
            assert_null(strstr(notes_of(c), "hunter2"));
            kloop_config_del(c);
        }
}

/* An allocator that looks at what it gets back: nothing of the word may be left in it. */
#define WORD "hunter2hunter2"

static size_t given_back;

static void look(const void *p, size_t size)
{
    const char *bytes = p;
    given_back++;
    for (size_t i = 0; i + 4 <= size; i++)
        if (memcmp(bytes + i, "hunt", 4) == 0)
            fail_msg("a secret is left in %zu bytes that are given back", size);
}

static void *looking_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void *looking_resize(void *ctx, void *p, size_t old_size, size_t size)
{
    (void)ctx;
    if (p)
        look(p, old_size);
    return realloc(p, size);
}

static void looking_release(void *ctx, void *p, size_t size)
{
    (void)ctx;
    look(p, size);
    free(p);
}

static void what_is_given_back_is_wiped(void **state)
{
    (void)state;
    static const kloop_allocator alloc = {looking_alloc, looking_resize, looking_release, NULL};
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        if (!key->secret)
            continue;
        kloop_config *c = kloop_config_new(&alloc);
        given_back = 0;
        assert_int_equal(kloop_config_set(c, key->name, "  " WORD "\\n" WORD " "), KLOOP_OK);
        assert_non_null(strstr(kloop_config_get(c, key->name), WORD));
        assert_int_equal(given_back, 0);
        assert_int_equal(kloop_config_set(c, key->name, WORD), KLOOP_OK);
        assert_int_equal(given_back, 1);
        assert_int_equal(kloop_config_set(c, key->name, ""), KLOOP_OK);
        assert_int_equal(kloop_config_set(c, key->name, "1" WORD), KLOOP_OK);
        kloop_config_set(c, "sasl.pasword", WORD);
        kloop_config_del(c);
        assert_true(given_back >= 4);
    }
}

/* Settings are made of everything but secrets. */
static void settings_hold_no_secret(void **state)
{
    (void)state;
    kl_fail_alloc memory;
    kl_fail_alloc_init(&memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&memory);
    kloop_config *c = config_of((const pair[PAIRS_MAX]){SASL, P("sasl.password", WORD)});
    kl_settings s;
    assert_int_equal(kl_settings_load(&s, c, &alloc, NULL), KLOOP_OK);
    look(&s, sizeof s);
    kl_settings_deinit(&s);
    kl_fail_alloc_check(&memory);
    kloop_config_del(c);
}

/* With no memory all is as it was. */
static void without_memory(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc memory;
        kl_fail_alloc_init(&memory, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&memory);
        kloop_config *c = kloop_config_new(&alloc);
        kloop_status first = c ? kloop_config_set(c, "ssl.keystore.key", "a\\nb") : KLOOP_OK;
        kloop_status second = c ? kloop_config_set(c, "ssl.key.pem", "c\\nd") : KLOOP_OK;
        if (c) {
            if (first || second)
                assert_int_equal(first ? first : second, KLOOP_NO_MEMORY);
            assert_string_equal(kloop_config_get(c, "ssl.keystore.key"),
                                second ? first ? "" : "a\nb" : "c\nd");
        }
        kloop_config_del(c);
        kl_fail_alloc_check(&memory);
        if (memory.refused == 0)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_pem),
        cmocka_unit_test(only_pem_is_put_into_lines),
        cmocka_unit_test(long_text),
        cmocka_unit_test(sasl_wants_a_mechanism),
        cmocka_unit_test(what_is_trusted_once),
        cmocka_unit_test(a_certificate_and_its_key),
        cmocka_unit_test(settings),
        cmocka_unit_test(what_is_set_for_nothing),
        cmocka_unit_test(names_that_are_not_checked),
        cmocka_unit_test(two_names_without_their_values),
        cmocka_unit_test(no_secret_is_told),
        cmocka_unit_test(what_is_given_back_is_wiped),
        cmocka_unit_test(settings_hold_no_secret),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
