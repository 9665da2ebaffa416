/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration as a program sees it: set, get, refusals and how long they are remembered. */
#include "core/config_read.h"
#include "tests/support/fail_alloc.h"

#include <kloop/config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Every test has a configuration with an allocator that checks what is given back. */
static kl_fail_alloc memory;
static kloop_config *c;

static int begin(void **state)
{
    (void)state;
    kl_fail_alloc_init(&memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&memory);
    c = kloop_config_new(&alloc);
    return c ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    kloop_config_del(c);
    kl_fail_alloc_check(&memory);
    return 0;
}

static void good(const char *key, const char *value)
{
    if (kloop_config_set(c, key, value))
        fail_msg("%s", kloop_config_error(c));
    assert_string_equal(kloop_config_error(c), "");
}

static void bad(const char *key, const char *value, const char *says)
{
    assert_int_equal(kloop_config_set(c, key, value), KLOOP_BAD_CONFIG);
    if (!strstr(kloop_config_error(c), says))
        fail_msg("no '%s' in: %s", says, kloop_config_error(c));
}

static void presets(void **state)
{
    (void)state;
    assert_string_equal(kloop_config_error(c), "");
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        assert_string_equal(kloop_config_get(c, key->name), key->preset);
        assert_false(kloop_config_is_set(c, key->name));
    }
}

/* Each key takes the value that it has already, and is set from then on. */
static void every_key_can_be_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        char none[40] = "localhost:9092";
        if (strcmp(key->name, "api.version.max") == 0)
            strcpy(none, "Produce=12");
        else if (strcmp(key->name, "sasl.oauthbearer.token.endpoint.url") == 0)
            strcpy(none, "file:///token");
        else if (key->type == KLOOP_CONFIG_CHOICE)
            snprintf(none, sizeof none, "%.*s", (int)strcspn(key->allowed, ",; "), key->allowed);
        const char *value = key->preset[0] ? key->preset : none;
        good(key->name, value);
        assert_string_equal(kloop_config_get(c, key->name), value);
        assert_true(kloop_config_is_set(c, key->name));
        if (i + 1 < kloop_config_key_count())
            assert_false(kloop_config_is_set(c, kloop_config_key_at(i + 1)->name));
    }
    assert_int_equal(kloop_config_check(c, NULL), KLOOP_OK);
}

static void set_again(void **state)
{
    (void)state;
    good("linger.ms", "7");
    good("linger.ms", " +0008\n");
    assert_string_equal(kloop_config_get(c, "linger.ms"), "8");
    good("client.id", "one");
    good("client.id", "  the other  ");
    assert_string_equal(kloop_config_get(c, "client.id"), "the other");
    good("client.id", "");
    assert_string_equal(kloop_config_get(c, "client.id"), "");
    assert_true(kloop_config_is_set(c, "client.id"));
    good("enable.idempotence", "FALSE");
    assert_string_equal(kloop_config_get(c, "enable.idempotence"), "false");
    good("bootstrap.servers", " a:1 , b:2 ");
    assert_string_equal(kloop_config_get(c, "bootstrap.servers"), "a:1 , b:2");
}

static void another_name_is_the_same_key(void **state)
{
    (void)state;
    good("queue.buffering.max.kbytes", "32");
    assert_string_equal(kloop_config_get(c, "buffer.memory"), "32768");
    assert_string_equal(kloop_config_get(c, "queue.buffering.max.kbytes"), "32768");
    assert_true(kloop_config_is_set(c, "buffer.memory"));
    assert_true(kloop_config_is_set(c, "queue.buffering.max.kbytes"));
    assert_null(kloop_config_get(c, "topic.x"));
    good("linger.ms", "1");
    good("queue.buffering.max.ms", "2");
    assert_string_equal(kloop_config_get(c, "linger.ms"), "2");
    good("metadata.broker.list", "a:1");
    assert_string_equal(kloop_config_get(c, "bootstrap.servers"), "a:1");
}

static void a_refusal_changes_nothing(void **state)
{
    (void)state;
    good("linger.ms", "7");
    good("client.id", "me");
    bad("linger.ms", "x", "linger.ms: 'x' is no whole number");
    bad("client.id", "\xff", "client.id: '?' is not UTF-8");
    bad("batch.size", "-1", "batch.size: '-1' is out of range; allowed: 0 to 2147483647");
    assert_string_equal(kloop_config_get(c, "linger.ms"), "7");
    assert_string_equal(kloop_config_get(c, "client.id"), "me");
    assert_string_equal(kloop_config_get(c, "batch.size"), "1000000");
    assert_false(kloop_config_is_set(c, "batch.size"));
}

static void names_that_are_not_taken(void **state)
{
    (void)state;
    bad("linger", "5", "there is no key 'linger'; did you mean 'linger.ms'?");
    bad("zzzzzzzzzzzzz", "5", "there is no key 'zzzzzzzzzzzzz'");
    assert_null(strstr(kloop_config_error(c), "did you mean"));
    bad("", "5", "there is no key ''");
    bad("x\ny", "5", "there is no key 'x?y'");
    bad("key.serializer", "LongSerializer",
        "key.serializer is not taken: keys and values are bytes here");
    bad("sasl.pasword", "hunter2", "there is no key 'sasl.pasword'; did you mean 'sasl.password'?");
    assert_null(strstr(kloop_config_error(c), "hunter2"));
    bad("sasl.login.class", NULL, "sasl.login.class is not taken: kloop fetches no tokens");
    /* An empty list of classes is nothing; a class is something. */
    bad("interceptor.classes", "com.example.Stamp", "interceptor.classes is not taken: no Java");
    bad(NULL, "5", "a key is missing");
    bad("linger.ms", NULL, "linger.ms: its value is missing");
    assert_null(kloop_config_get(c, "linger"));
    assert_null(kloop_config_get(c, "key.serializer"));
    assert_null(kloop_config_get(c, NULL));
    assert_false(kloop_config_is_set(c, "linger"));
    assert_false(kloop_config_is_set(c, NULL));
}

/* All notes, each with a newline. */
static const char *notes(void)
{
    static char text[8192];
    size_t len = 0;
    kloop_error note;
    text[0] = '\0';
    for (size_t i = 0; kloop_config_note(c, i, &note); i++) {
        assert_int_equal(note.status, KLOOP_OK);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s\n", note.text);
    }
    return text;
}

static void notes_of_what_has_no_effect(void **state)
{
    (void)state;
    assert_string_equal(notes(), "");
    good("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    good("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
    good("metric.reporters", "com.example.Reporter");
    good("key.serializer", "StringSerializer");
    good("enable.metrics.push", "false");
    assert_string_equal(
        notes(), "no effect here: value.serializer, key.serializer (keys and values are bytes "
                 "here, sent as they are)\n"
                 "no effect here: metric.reporters (Java's own workings)\n");
    assert_null(kloop_config_get(c, "key.serializer"));
    assert_false(kloop_config_is_set(c, "key.serializer"));
    assert_false(kloop_config_note(NULL, 0, NULL));
    /* A sentence holds some names; those beyond are counted. */
    for (int i = 0; i < 100; i++) {
        char name[64];
        snprintf(name, sizeof name, "metrics.context.number-%d", i);
        good(name, "x");
    }
    assert_non_null(strstr(notes(), "metrics.context.number-3"));
    assert_non_null(strstr(notes(), " more (Java's own workings)"));
}

static void unknown_names_that_are_passed_over(void **state)
{
    (void)state;
    bad("our.own.key", "1", "there is no key 'our.own.key'");
    good("ignore.unknown.config", "true");
    good("our.own.key", "1");
    good("linger", "7");
    good("topic.x.nothing", "7");
    assert_string_equal(notes(), "passed over: our.own.key, linger, topic.x.nothing (there is no "
                                 "such key, and ignore.unknown.config=true)\n");
    /* What would change something is not passed over, nor is a bad value. */
    bad("ssl.truststore.locaton", "x", "did you mean 'ssl.truststore.location'?");
    bad("sasl.something", "x", "there is no key 'sasl.something'");
    bad("enable.ssl.certificate.verification", "false", "certificates are always verified");
    bad("transactional.id", "t", "no transactions yet");
    bad("linger.ms", "soon", "no whole number");
    good("ignore.unknown.config", "false");
    bad("our.own.key", "1", "there is no key 'our.own.key'");
}

static void two_names_of_one_key(void **state)
{
    (void)state;
    good("linger.ms", "5");
    good("linger.ms", "6");
    assert_string_equal(notes(), "");
    good("queue.buffering.max.ms", "7");
    assert_string_equal(notes(), "linger.ms and queue.buffering.max.ms are one key, which is now "
                                 "linger.ms=7: the last word counts\n");
}

/* Who speaks librdkafka's language may mean something else by a name that Java has too. */
static void names_with_two_meanings(void **state)
{
    (void)state;
    good("request.timeout.ms", "5000");
    good("metadata.max.age.ms", "900000");
    good("connections.max.idle.ms", "0");
    assert_string_equal(notes(), "");
    good("metadata.broker.list", "a:1");
    assert_non_null(strstr(notes(), "request.timeout.ms has Java's meaning"));
    assert_non_null(strstr(notes(), "metadata.max.age.ms has Java's meaning"));
    assert_non_null(strstr(notes(), "connections.max.idle.ms=0 has Java's meaning"));
    good("connections.max.idle.ms", "1");
    assert_null(strstr(notes(), "connections.max.idle.ms"));
    good("socket.timeout.ms", "60000");
    assert_null(strstr(notes(), "request.timeout.ms has"));
}

static void librdkafka_s_words_are_known_by_a_note_too(void **state)
{
    (void)state;
    good("request.timeout.ms", "5000");
    good("socket.max.fails", "3");
    assert_non_null(strstr(notes(), "request.timeout.ms has Java's meaning"));
}

static void idempotence_that_is_off(void **state)
{
    (void)state;
    good("acks", "1");
    assert_string_equal(notes(), ""); /* nothing can be said of half a configuration */
    good("bootstrap.servers", "a:1");
    assert_string_equal(notes(), "enable.idempotence is off, because acks or retries rule it out: "
                                 "a retry may store a record twice\n");
    good("enable.idempotence", "false");
    assert_string_equal(notes(), "");
}

/* kcat says topic.KEY for what it sets on all topics. */
static void keys_of_all_topics_as_kcat_has_them(void **state)
{
    (void)state;
    good("topic.request.required.acks", "1");
    assert_string_equal(kloop_config_get(c, "acks"), "1");
    assert_string_equal(kloop_config_get(c, "topic.acks"), "1");
    assert_true(kloop_config_is_set(c, "acks"));
    good("topic.message.timeout.ms", "40000");
    assert_string_equal(kloop_config_get(c, "delivery.timeout.ms"), "40000");
    bad("topic.acks", "7", "topic.acks: '7' is not among");
    bad("topic.nothing", "7", "does not end with a key of a topic");
}

/* An answer is what counts, also where nobody set it. */
static void presets_that_follow(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *follower, *followed;
    } cases[] = {
        {"linger.ms", "100000", "delivery.timeout.ms", "130000"},
        {"request.timeout.ms", "2147483647", "delivery.timeout.ms", "2147483647"},
        {"acks", "1", "enable.idempotence", "false"},
        {"acks", "-1", "enable.idempotence", "true"},
        {"retries", "0", "enable.idempotence", "false"},
        {"receive.message.max.bytes", "100000000", "receive.memory", "100000000"},
        {"max.request.size", "20000000", "request.bytes.max", "20000000"},
        {"retry.backoff.ms", "5000", "retry.backoff.max.ms", "5000"},
        {"reconnect.backoff.ms", "5", "reconnect.backoff.max.ms", "5"},
        {"socket.connection.setup.timeout.ms", "60000", "socket.connection.setup.timeout.max.ms",
         "60000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kloop_config *own = kloop_config_new(NULL);
        const char *preset = kloop_config_key_find(cases[i].follower)->preset;
        assert_string_equal(kloop_config_get(own, cases[i].follower), preset);
        assert_int_equal(kloop_config_set(own, cases[i].key, cases[i].value), KLOOP_OK);
        assert_string_equal(kloop_config_get(own, cases[i].follower), cases[i].followed);
        assert_false(kloop_config_is_set(own, cases[i].follower));
        /* What was set follows nobody. */
        assert_int_equal(kloop_config_set(own, cases[i].follower, preset), KLOOP_OK);
        assert_string_equal(kloop_config_get(own, cases[i].follower), preset);
        kloop_config_del(own);
    }
}

/* What get answered stays, whatever else is asked. */
static void answers_stay(void **state)
{
    (void)state;
    good("linger.ms", "7");
    good("topic.t.linger.ms", "8");
    const kloop_config *view = c;
    const char *all = kloop_config_get(view, "linger.ms");
    const char *one = kloop_config_get(view, "topic.t.linger.ms");
    assert_string_equal(kloop_config_get(view, "topic.t.batch.size"), "1000000");
    assert_string_equal(one, "8");
    const char *other = kloop_config_get(view, "topic.other.linger.ms");
    assert_string_equal(all, "7");
    assert_string_equal(other, "7");
}

/* The latest is for those who look, the first for those who do not. */
static void two_memories(void **state)
{
    (void)state;
    good("bootstrap.servers", "a:1");
    assert_int_equal(kloop_config_check(c, NULL), KLOOP_OK);
    bad("linger.ms", "x", "'x'");
    bad("retries", "y", "'y'");
    good("linger.ms", "5");
    assert_string_equal(kloop_config_error(c), "");
    kloop_error error;
    assert_int_equal(kloop_config_check(c, &error), KLOOP_BAD_CONFIG);
    assert_int_equal(error.status, KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "linger.ms: 'x'"));
    assert_int_equal(kloop_config_check(c, NULL), KLOOP_BAD_CONFIG);
}

static void check_sees_conflicts(void **state)
{
    (void)state;
    kloop_error error;
    assert_int_equal(kloop_config_check(c, &error), KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "bootstrap.servers is missing"));
    good("bootstrap.servers", "a:1");
    assert_int_equal(kloop_config_check(c, &error), KLOOP_OK);
    assert_int_equal(error.status, KLOOP_OK);
    assert_string_equal(error.text, "");
    good("acks", "1");
    assert_int_equal(kloop_config_check(c, &error), KLOOP_OK);
    good("enable.idempotence", "true");
    assert_int_equal(kloop_config_check(c, &error), KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "enable.idempotence=true"));
    /* A conflict is no refusal: it goes away. */
    good("acks", "all");
    assert_int_equal(kloop_config_check(c, &error), KLOOP_OK);
}

static void check_takes_no_memory(void **state)
{
    (void)state;
    good("bootstrap.servers", "a:1,b:2");
    size_t calls = memory.calls;
    assert_int_equal(kloop_config_check(c, NULL), KLOOP_OK);
    assert_int_equal(memory.calls, calls);
}

static void without_a_configuration(void **state)
{
    (void)state;
    kloop_config_del(NULL);
    assert_int_equal(kloop_config_set(NULL, "linger.ms", "5"), KLOOP_NO_MEMORY);
    assert_true(strlen(kloop_config_error(NULL)) > 0);
    kloop_error error;
    assert_int_equal(kloop_config_check(NULL, &error), KLOOP_NO_MEMORY);
    assert_int_equal(error.status, KLOOP_NO_MEMORY);
    assert_string_equal(error.text, kloop_config_error(NULL));
    assert_null(kloop_config_get(NULL, "linger.ms"));
    assert_false(kloop_config_is_set(NULL, "linger.ms"));
}

static void the_c_librarys_memory(void **state)
{
    (void)state;
    kloop_config *own = kloop_config_new(NULL);
    assert_non_null(own);
    assert_int_equal(kloop_config_set(own, "client.id", "x"), KLOOP_OK);
    kloop_config_del(own);
}

static void ids_for_those_who_load(void **state)
{
    (void)state;
    assert_null(kl_config_refusal(c));
    assert_false(kl_config_has(c, KL_CONFIG_LINGER));
    assert_int_equal(kl_config_number(c, KL_CONFIG_LINGER), 5);
    assert_string_equal(kl_config_text(c, KL_CONFIG_CLIENT_ID).data, "kloop");
    assert_int_equal(kl_config_text(c, KL_CONFIG_CLIENT_ID).len, 5);
    good("linger.ms", "6");
    good("client.id", "abc");
    assert_true(kl_config_has(c, KL_CONFIG_LINGER));
    assert_int_equal(kl_config_number(c, KL_CONFIG_LINGER), 6);
    assert_int_equal(kl_config_text(c, KL_CONFIG_CLIENT_ID).len, 3);
    bad("linger.ms", "", "");
    assert_int_equal(kl_config_refusal(c)->status, KLOOP_BAD_CONFIG);
}

/* Old text stays when there is no memory for the new one, and the loss is remembered. */
static void no_memory(void **state)
{
    (void)state;
    static const char *const values[][2] = {{"client.id", "first"},
                                            {"client.id", "second"},
                                            {"bootstrap.servers", "a:1"},
                                            {"linger.ms", "7"},
                                            {"key.serializer", "StringSerializer"},
                                            {"topic.t.linger.ms", "7"}};
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kloop_config *own = kloop_config_new(&alloc);
        const char *id = own ? "kloop" : NULL;
        for (size_t i = 0; own && i < 6; i++) {
            kloop_status status = kloop_config_set(own, values[i][0], values[i][1]);
            if (status) {
                assert_int_equal(status, KLOOP_NO_MEMORY);
                assert_memory_equal(kloop_config_error(own), values[i][0], strlen(values[i][0]));
                kloop_error error;
                assert_int_equal(kloop_config_check(own, &error), KLOOP_NO_MEMORY);
                assert_string_equal(error.text, kloop_config_error(own));
            } else if (i < 2) {
                id = values[i][1];
            }
            assert_string_equal(kloop_config_get(own, "client.id"), id);
        }
        if (own)
            assert_int_equal(kloop_config_check(own, NULL) == KLOOP_OK, f.refused == 0);
        kloop_config_del(own);
        kl_fail_alloc_check(&f);
        if (f.refused == 0) {
            assert_int_equal(nth, 9);
            break;
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(presets),
        TEST(every_key_can_be_set),
        TEST(set_again),
        TEST(another_name_is_the_same_key),
        TEST(a_refusal_changes_nothing),
        TEST(names_that_are_not_taken),
        TEST(notes_of_what_has_no_effect),
        TEST(unknown_names_that_are_passed_over),
        TEST(two_names_of_one_key),
        TEST(names_with_two_meanings),
        TEST(librdkafka_s_words_are_known_by_a_note_too),
        TEST(idempotence_that_is_off),
        TEST(keys_of_all_topics_as_kcat_has_them),
        TEST(presets_that_follow),
        TEST(answers_stay),
        TEST(two_memories),
        TEST(check_sees_conflicts),
        TEST(check_takes_no_memory),
        TEST(without_a_configuration),
        TEST(the_c_librarys_memory),
        TEST(ids_for_those_who_load),
        TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
