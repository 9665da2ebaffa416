/* SPDX-License-Identifier: BSD-2-Clause */
/* The value of a key: text to a number and back, at the edges of every key, and what is said about
 * text that is not allowed. */
#include "core/config_value.h"
#include "core/partitioner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kloop_string text_of(const char *text)
{
    return (kloop_string){text, strlen(text)};
}

static kloop_status parse(const char *name, const char *text, int64_t *number, kloop_error *error)
{
    return kl_config_value_parse(kl_config_key_find(name), name, text_of(text), number, error);
}

static void accepted(const char *name, const char *text, int64_t want)
{
    int64_t number = -99;
    kloop_error error = {.text = "untouched"};
    if (parse(name, text, &number, &error))
        fail_msg("%s", error.text);
    assert_string_equal(error.text, "untouched");
    assert_int_equal(number, want);
}

/* The sentence names the key, the value and what is allowed; nothing else changes. */
static void refused(const char *name, const char *text)
{
    int64_t number = -99;
    kloop_error error = {0};
    if (!parse(name, text, &number, &error))
        fail_msg("%s=%s was accepted", name, text);
    assert_int_equal(error.status, KLOOP_BAD_CONFIG);
    assert_int_equal(number, -99);
    assert_memory_equal(error.text, name, strlen(name));
    char quoted[100];
    snprintf(quoted, sizeof quoted, "'%.60s", text);
    if (!strstr(error.text, quoted))
        fail_msg("no %s' in: %s", quoted, error.text);
    kl_config_named named = kl_config_key_find(name);
    if (named.unit == 1 && !strstr(error.text, named.key->shown.allowed))
        fail_msg("no '%s' in: %s", named.key->shown.allowed, error.text);
}

/* By kloop's names, librdkafka's and Java's. */
static void partitioners(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        kl_partitioner_kind kind;
    } cases[] = {
        {"", KL_PARTITIONER_STICKY},
        {"sticky", KL_PARTITIONER_STICKY},
        {"DefaultPartitioner", KL_PARTITIONER_STICKY},
        {"org.apache.kafka.clients.producer.internals.DefaultPartitioner", KL_PARTITIONER_STICKY},
        {"org.apache.kafka.clients.producer.internals.BuiltInPartitioner", KL_PARTITIONER_STICKY},
        {"uniform_sticky", KL_PARTITIONER_UNIFORM_STICKY},
        {"org.apache.kafka.clients.producer.UniformStickyPartitioner",
         KL_PARTITIONER_UNIFORM_STICKY},
        {"round_robin", KL_PARTITIONER_ROUND_ROBIN},
        {"RoundRobinPartitioner", KL_PARTITIONER_ROUND_ROBIN},
        {"org.apache.kafka.clients.producer.RoundRobinPartitioner", KL_PARTITIONER_ROUND_ROBIN},
        {"random", KL_PARTITIONER_RANDOM},
        {"consistent", KL_PARTITIONER_CONSISTENT},
        {"consistent_random", KL_PARTITIONER_CONSISTENT_RANDOM},
        {"murmur2", KL_PARTITIONER_MURMUR2},
        {"murmur2_random", KL_PARTITIONER_MURMUR2_RANDOM},
        {"fnv1a", KL_PARTITIONER_FNV1A},
        {"fnv1a_random", KL_PARTITIONER_FNV1A_RANDOM},
        {"sarama_hash", KL_PARTITIONER_SARAMA_HASH},
        {"sarama_reference", KL_PARTITIONER_SARAMA_REFERENCE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        accepted("partitioner.class", cases[i].text, cases[i].kind);
        accepted("partitioner", cases[i].text, cases[i].kind);
    }
    refused("partitioner.class", "Sticky");
    refused("partitioner.class", "org.apache.kafka.clients.producer.Partitioner");
    refused("partitioner.class", "com.example.OurPartitioner");
    int64_t number;
    kloop_error error;
    assert_int_equal(parse("partitioner.class", "murmur_random", &number, &error),
                     KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "did you mean 'murmur2_random'?"));
    assert_int_equal(parse("partitioner", "RoundRobinPartitoner", &number, &error),
                     KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "did you mean 'RoundRobinPartitioner'?"));
    /* Each kind prints as the name that it is set by. */
    for (int64_t kind = 0; kind < KL_PARTITIONER_KINDS; kind++) {
        char text[KL_CONFIG_NUMBER_TEXT];
        kl_config_value_print(kl_config_key_of(KL_CONFIG_PARTITIONER), kind, text, sizeof text);
        accepted("partitioner.class", text, kind);
    }
}

static void edges_of_every_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < KL_CONFIG_COUNT; i++) {
        const kl_config_key *key = kl_config_key_of((kl_config_id)i);
        if (key->kind != KL_CONFIG_KIND_NUMBER)
            continue;
        /* What is told must be what is checked. */
        char *end;
        long long lo = strtoll(key->shown.allowed, &end, 10);
        assert_memory_equal(end, " to ", 4);
        long long hi = strtoll(end + 4, &end, 10);
        assert_int_equal(*end, '\0');
        char text[32];
        snprintf(text, sizeof text, "%lld", lo);
        accepted(key->shown.name, text, lo);
        snprintf(text, sizeof text, "%lld", lo - 1);
        refused(key->shown.name, text);
        snprintf(text, sizeof text, "%lld", hi);
        accepted(key->shown.name, text, hi);
        snprintf(text, sizeof text, "%llu", (unsigned long long)hi + 1);
        refused(key->shown.name, text);
        accepted(key->shown.name, key->shown.preset, strtoll(key->shown.preset, NULL, 10));
    }
}

static void numbers_as_java_reads_them(void **state)
{
    (void)state;
    accepted("linger.ms", "0", 0);
    accepted("linger.ms", "-0", 0);
    accepted("linger.ms", "+7", 7);
    accepted("linger.ms", "007", 7);
    accepted("linger.ms", "00000000000000000000000000000000000000000000000000000000000001", 1);
    accepted("linger.ms", "9223372036854775807", INT64_MAX);
    accepted("connections.max.idle.ms", "-1", -1);
    static const char *const bad[] = {
        "",
        "+",
        "-",
        "x",
        "5ms",
        "5.0",
        "0x7",
        "1e3",
        "1 000",
        "1_0",
        "--1",
        "+-1",
        " 7",
        "7 ",
        "-7",
        "\xd9\xa3", /* an Arabic 3 */
        "9223372036854775808",
        "18446744073709551617",
        "-9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused("linger.ms", bad[i]);
}

static void the_sentence_tells_a_slip_from_a_number_too_far(void **state)
{
    (void)state;
    int64_t number;
    kloop_error error;
    parse("linger.ms", "5ms", &number, &error);
    assert_string_equal(error.text, "linger.ms: '5ms' is no whole number; allowed: 0 to "
                                    "9223372036854775807");
    parse("max.in.flight.requests.per.connection", "0", &number, &error);
    assert_string_equal(error.text, "max.in.flight.requests.per.connection: '0' is out of range; "
                                    "allowed: 1 to 2147483647");
    parse("compression.lz4.level", "18", &number, &error);
    assert_string_equal(error.text, "compression.lz4.level: '18' is no level; allowed: 1 to 17");
    parse("acks", "2", &number, &error);
    assert_string_equal(error.text, "acks: '2' is not among what is allowed: all, -1, 0, 1");
    parse("acks", "a\nb", &number, &error);
    assert_non_null(strstr(error.text, "'a?b'"));
    assert_int_equal(parse("acks", "2", &number, NULL), KLOOP_BAD_CONFIG);
}

static void other_names_speak_for_themselves(void **state)
{
    (void)state;
    accepted("queue.buffering.max.ms", "7", 7);
    accepted("queue.buffering.max.kbytes", "1048576", 1073741824);
    accepted("queue.buffering.max.kbytes", "0", 0);
    accepted("queue.buffering.max.kbytes", "9007199254740991", INT64_MAX - 1023);
    refused("queue.buffering.max.kbytes", "9007199254740992");
    refused("queue.buffering.max.kbytes", "-1");
    refused("queue.buffering.max.ms", "0.5"); /* librdkafka takes fractions */
    int64_t number;
    kloop_error error;
    parse("queue.buffering.max.kbytes", "x", &number, &error);
    assert_string_equal(error.text, "queue.buffering.max.kbytes (buffer.memory): 'x' is no whole "
                                    "number; allowed: 0 to 9007199254740991");
}

static void choices(void **state)
{
    (void)state;
    accepted("acks", "all", 0);
    accepted("acks", "-1", 1);
    accepted("acks", "0", 2);
    accepted("acks", "1", 3);
    static const char *const bad[] = {"", "ALL", "al", "alll", "2", "all,", "all, -1", ",", " "};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused("acks", bad[i]);
    /* This one in any case, found by comparing with Kafka's own class. */
    accepted("metadata.recovery.strategy", "None", 0);
    accepted("metadata.recovery.strategy", "REBOOTSTRAP", 1);
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    for (int i = 0; i < KL_CODEC_COUNT; i++) {
        accepted("compression.type", codecs[i], i + 1);
        assert_int_equal(kl_config_choices_at(i + 1, 0), i);
        assert_int_equal(kl_config_choices_at(i + 1, 1), -1);
        const kl_codec *codec = kl_codec_by_id(i);
        assert_string_equal(codec ? codec->name : "none", codecs[i]);
    }
    refused("compression.type", "GZIP");
}

static void several_choices(void **state)
{
    (void)state;
    accepted("compression.type", "zstd,lz4,none", 0x145);
    accepted("compression.type", " gzip , snappy,lz4,zstd ,none", 0x15432);
    accepted("compression.type", "zstd,none", 0x15);
    static const int places[] = {4, 3, 0, -1, -1};
    for (unsigned n = 0; n < 5; n++)
        assert_int_equal(kl_config_choices_at(0x145, n), places[n]);
    refused("compression.type", "zstd;lz4");
    refused("compression.type", "zstd lz4");
    int64_t number;
    kloop_error error;
    static const char *const gaps[] = {",", "zstd,", ",zstd", "zstd, ,lz4"};
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        assert_int_equal(parse("compression.type", gaps[i], &number, &error), KLOOP_BAD_CONFIG);
        assert_non_null(strstr(error.text, "compression.type: '' is not among what is allowed"));
    }
    parse("compression.type", "zstd,lz5", &number, &error);
    assert_string_equal(error.text, "compression.type: 'lz5' is not among what is allowed: none, "
                                    "gzip, snappy, lz4, zstd; or several with commas, best first");
    parse("compression.codec", "zstd,lz4,zstd", &number, &error);
    assert_string_equal(error.text, "compression.codec (compression.type): 'zstd' is named twice");
    parse("compression.type", "zstd,none,lz4", &number, &error);
    assert_string_equal(error.text, "compression.type: 'lz4' would never be used, for it stands "
                                    "behind none; leave it out or move it to the front");
}

/* Java and librdkafka take these in any case, others as they are written. */
static void choices_of_security(void **state)
{
    (void)state;
    static const struct {
        const char *name, *good[4], *bad[4];
    } cases[] = {
        {"security.protocol",
         {"PLAINTEXT", "ssl", "Sasl_Plaintext", "sasl_ssl"},
         {"", "TLS", "SASL", "SSL,PLAINTEXT"}},
        {"sasl.mechanism",
         {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"},
         {"", "plain", "GSSAPI", "SCRAM-SHA-1"}},
        {"sasl.mechanisms",
         {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"},
         {"PLAIN,SCRAM-SHA-256", "no GSSAPI", " ", "AWS_MSK_IAM"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int n = 0; n < 4; n++) {
            accepted(cases[i].name, cases[i].good[n], n);
            refused(cases[i].name, cases[i].bad[n]);
        }
    accepted("ssl.endpoint.identification.algorithm", "https", 0);
    accepted("ssl.endpoint.identification.algorithm", "HTTPS", 0);
    accepted("ssl.endpoint.identification.algorithm", "none", 1);
    accepted("ssl.endpoint.identification.algorithm", "", 1);
    refused("ssl.endpoint.identification.algorithm", "LDAPS");
    static const char *const stores[] = {"ssl.truststore.type", "ssl.keystore.type"};
    for (size_t i = 0; i < 2; i++) {
        accepted(stores[i], "PEM", 0);
        accepted(stores[i], "pkcs12", 1);
        refused(stores[i], "");
        int64_t number;
        kloop_error error;
        assert_int_equal(parse(stores[i], "JKS", &number, &error), KLOOP_BAD_CONFIG);
        assert_non_null(strstr(error.text, "of JKS: keytool -importkeystore"));
    }
    accepted("ssl.protocol", "TLS", 0);
    accepted("ssl.protocol", "TLSv1.3", 2);
    refused("ssl.protocol", "SSL");
    refused("ssl.protocol", "TLSv1.1");
}

static void versions_of_tls(void **state)
{
    (void)state;
    accepted("ssl.enabled.protocols", "TLSv1.2", 1);
    accepted("ssl.enabled.protocols", "TLSv1.3", 2);
    accepted("ssl.enabled.protocols", "TLSv1.2,TLSv1.3", 0x21);
    accepted("ssl.enabled.protocols", " TLSv1.3 , TLSv1.2 ", 0x12);
    static const char *const old[] = {"SSLv3", "TLSv1", "TLSv1.1", "tlsv1.2", ""};
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
        refused("ssl.enabled.protocols", old[i]);
    int64_t number;
    kloop_error error;
    parse("ssl.enabled.protocols", "TLSv1.1,TLSv1.2", &number, &error);
    assert_string_equal(error.text, "ssl.enabled.protocols: 'TLSv1.1' is not among what is "
                                    "allowed: TLSv1.2, TLSv1.3; or both. Older ones can be "
                                    "broken");
    parse("ssl.enabled.protocols", "TLSv1.2,TLSv1.2", &number, &error);
    assert_string_equal(error.text, "ssl.enabled.protocols: 'TLSv1.2' is named twice");
}

static void fractions(void **state)
{
    (void)state;
    const char *factor = "sasl.login.refresh.window.factor";
    const char *jitter = "sasl.login.refresh.window.jitter";
    accepted(factor, "0.8", 800000);
    accepted(factor, "0.5", 500000);
    accepted(factor, ".5", 500000);
    accepted(factor, "1", 1000000);
    accepted(factor, "1.", 1000000);
    accepted(factor, "001.000", 1000000);
    accepted(factor, "0.999999", 999999);
    accepted(factor, "0.50000000000000000000000000000", 500000);
    accepted(jitter, "0", 0);
    accepted(jitter, "0.25", 250000);
    accepted(jitter, "0.000001", 1);
    static const char *const bad[] = {
        "",
        ".",
        "0.499999",
        "1.000001",
        "2",
        "-0.5",
        "0,8",
        "0.8f",
        "8e-1",
        "0.8.1",
        "x",
        "0.5000001",
        "+0.8",
        " 1",
        "2147483648",
        "9223372036854775808",
        "99999999999999999999999999999999999999999999999.5",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(factor, bad[i]);
    refused(jitter, "0.250001");
    int64_t number;
    kloop_error error;
    parse(factor, "0.4", &number, &error);
    assert_string_equal(error.text, "sasl.login.refresh.window.factor: '0.4' is out of range; "
                                    "allowed: 0.5 to 1");
    parse(factor, "most", &number, &error);
    assert_string_equal(error.text, "sasl.login.refresh.window.factor: 'most' is no number of at "
                                    "most six decimals; allowed: 0.5 to 1");
}

/* Nothing is fetched from an address, and what stands in one is not repeated. */
static void where_tokens_are(void **state)
{
    (void)state;
    const char *key = "sasl.oauthbearer.token.endpoint.url";
    int64_t number;
    kloop_error error;
    assert_int_equal(parse(key, "file:///run/token", &number, &error), KLOOP_OK);
    assert_int_equal(parse(key, "file:/run/token", &number, &error), KLOOP_OK);
    assert_int_equal(parse(key, "", &number, &error), KLOOP_OK);
    static const char *const bad[] = {
        "https://u:hunter2@host/", "http://hunter2/", "/hunter2", "file:hunter2", "file",
        "FILE:///hunter2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(parse(key, bad[i], &number, &error), KLOOP_BAD_CONFIG);
        assert_non_null(strstr(error.text, "kloop_set_token()"));
        assert_null(strstr(error.text, "hunter2"));
    }
}

static void truth(void **state)
{
    (void)state;
    accepted("enable.idempotence", "true", 1);
    accepted("enable.idempotence", "false", 0);
    accepted("enable.idempotence", "TRUE", 1);
    accepted("enable.idempotence", "faLse", 0);
    static const char *const bad[] = {"", "yes", "1", "0", "tru", "truee", "on"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused("enable.idempotence", bad[i]);
}

static void levels(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *good[4], *bad[4];
    } cases[] = {
        {"compression.gzip.level", {"-1", "1", "9", "+6"}, {"0", "10", "-2", "x"}},
        {"compression.lz4.level", {"1", "17", "9", "2"}, {"0", "18", "-1", ""}},
        {"compression.zstd.level", {"-131072", "22", "0", "-1"}, {"-131073", "23", "x", "3.5"}},
    };
    for (size_t i = 0; i < 3; i++) {
        for (size_t n = 0; n < 4; n++) {
            accepted(cases[i].name, cases[i].good[n], strtoll(cases[i].good[n], NULL, 10));
            refused(cases[i].name, cases[i].bad[n]);
        }
        /* The number that means "the codec's own" inside, and those that become it when cut. */
        refused(cases[i].name, "-2147483648");
        refused(cases[i].name, "2147483648");
        refused(cases[i].name, "4294967299");
        refused(cases[i].name, "9223372036854775808");
    }
}

static void text(void **state)
{
    (void)state;
    int64_t number = -99;
    kloop_error error;
    assert_int_equal(parse("client.id", "", &number, &error), KLOOP_OK);
    assert_int_equal(parse("client.id", "me \xc3\xa4", &number, &error), KLOOP_OK);
    assert_int_equal(parse("client.id", "\xff", &number, &error), KLOOP_BAD_CONFIG);
    assert_string_equal(error.text, "client.id: '?' is not UTF-8");
    static char many[32769];
    memset(many, 'm', 32767);
    assert_int_equal(parse("client.id", many, &number, &error), KLOOP_OK);
    many[32767] = 'm';
    assert_int_equal(parse("client.id", many, &number, &error), KLOOP_BAD_CONFIG);
    assert_string_equal(error.text, "client.id: 32768 bytes are too many; allowed: UTF-8 of at "
                                    "most 32767 bytes");
    assert_int_equal(parse("bootstrap.servers", "a:1, b:2", &number, &error), KLOOP_OK);
    assert_int_equal(parse("metadata.broker.list", "a", &number, &error), KLOOP_BAD_CONFIG);
    assert_non_null(
        strstr(error.text, "metadata.broker.list (bootstrap.servers): 'a' has no port"));
    assert_int_equal(number, -99);
}

static void trimmed(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {" ", ""},
        {"a", "a"},
        {" a", "a"},
        {"a ", "a"},
        {"\t a b\r\n", "a b"},
        {"\x01 x \x1f", "x"},
        {"\xc2\xa0x", "\xc2\xa0x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kloop_string t = kl_config_trim(text_of(cases[i][0]));
        assert_int_equal(t.len, strlen(cases[i][1]));
        assert_memory_equal(t.data, cases[i][1], t.len);
    }
}

static void printed_and_read_again(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"acks", "all"},
        {"acks", "-1"},
        {"acks", "0"},
        {"acks", "1"},
        {"compression.type", "none"},
        {"compression.type", "zstd"},
        {"compression.type", "gzip,snappy,lz4,zstd,none"},
        {"enable.idempotence", "true"},
        {"enable.idempotence", "false"},
        {"linger.ms", "9223372036854775807"},
        {"compression.zstd.level", "-131072"},
        {"security.protocol", "SASL_SSL"},
        {"ssl.enabled.protocols", "TLSv1.3,TLSv1.2"},
        {"sasl.login.refresh.window.factor", "0.8"},
        {"sasl.login.refresh.window.factor", "1"},
        {"sasl.login.refresh.window.jitter", "0"},
        {"sasl.login.refresh.window.jitter", "0.05"},
        {"sasl.login.refresh.window.jitter", "0.000001"},
        {"sasl.login.refresh.window.jitter", "0.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t number;
        assert_int_equal(parse(cases[i][0], cases[i][1], &number, NULL), KLOOP_OK);
        char printed[KL_CONFIG_NUMBER_TEXT];
        kl_config_value_print(kl_config_key_find(cases[i][0]).key, number, printed, sizeof printed);
        assert_string_equal(printed, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitioners),
        cmocka_unit_test(edges_of_every_number),
        cmocka_unit_test(numbers_as_java_reads_them),
        cmocka_unit_test(the_sentence_tells_a_slip_from_a_number_too_far),
        cmocka_unit_test(other_names_speak_for_themselves),
        cmocka_unit_test(choices),
        cmocka_unit_test(several_choices),
        cmocka_unit_test(choices_of_security),
        cmocka_unit_test(versions_of_tls),
        cmocka_unit_test(fractions),
        cmocka_unit_test(where_tokens_are),
        cmocka_unit_test(truth),
        cmocka_unit_test(levels),
        cmocka_unit_test(text),
        cmocka_unit_test(trimmed),
        cmocka_unit_test(printed_and_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
