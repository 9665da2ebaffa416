/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of keys: the table, other names, and names that are known and not taken. */
#include "core/config_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void sorted_and_whole(void **state)
{
    (void)state;
    assert_int_equal(kloop_config_key_count(), KL_CONFIG_COUNT);
    assert_null(kloop_config_key_at(KL_CONFIG_COUNT));
    assert_null(kloop_config_key_at(SIZE_MAX));
    const char *before = "";
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        assert_ptr_equal(key, &kl_config_key_of((kl_config_id)i)->shown);
        if (strcmp(before, key->name) >= 0)
            fail_msg("%s comes before %s", before, key->name);
        before = key->name;
        assert_non_null(key->preset);
        assert_true(strlen(key->allowed) > 0);
        /* Whole sentences. */
        assert_true(key->doc[0] >= '0' && key->doc[0] <= 'Z');
        assert_int_equal(key->doc[strlen(key->doc) - 1], '.');
        assert_null(strstr(key->doc, "  "));
        assert_false(key->secret);
    }
}

/* What Kafka 4.3's producer has, and where kloop means to differ, in a second pair of hands: a slip
 * in the table would else be the truth. */
static void presets_and_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *name, *preset, *allowed;
    } cases[] = {
        {"acks", "all", "all, -1, 0, 1"},
        {"allow.auto.create.topics", "true", "true, false"},
        {"api.version.max", "", NULL},
        {"batch.size", "1000000", "0 to 2147483647"},
        {"bootstrap.servers", "", NULL},
        {"buffer.memory", "67108864", "0 to 9223372036854775807"},
        {"client.dns.lookup", "use_all_dns_ips",
         "use_all_dns_ips, resolve_canonical_bootstrap_servers_only"},
        {"client.id", "kloop", NULL},
        {"compression.gzip.level", "-1", "-1, 1 to 9"},
        {"compression.lz4.level", "9", "1 to 17"},
        {"compression.type", "none",
         "none, gzip, snappy, lz4, zstd; or several with commas, best first"},
        {"compression.zstd.level", "3", "-131072 to 22"},
        {"connections.max.idle.ms", "540000", "-1 to 9223372036854775807"},
        {"delivery.timeout.ms", "120000", "0 to 2147483647"},
        {"enable.idempotence", "true", "true, false"},
        {"linger.ms", "5", "0 to 9223372036854775807"},
        {"max.block.ms", "60000", "0 to 9223372036854775807"},
        {"max.in.flight.requests.per.connection", "5", "1 to 2147483647"},
        {"max.request.size", "1048576", "1 to 2147483647"},
        {"metadata.max.age.ms", "300000", "0 to 9223372036854775807"},
        {"metadata.max.idle.ms", "300000", "5000 to 9223372036854775807"},
        {"metadata.recovery.rebootstrap.trigger.ms", "300000", "0 to 9223372036854775807"},
        {"metadata.recovery.strategy", "rebootstrap", "none, rebootstrap"},
        {"partitioner.adaptive.partitioning.enable", "true", "true, false"},
        {"partitioner.availability.timeout.ms", "0", "0 to 9223372036854775807"},
        {"partitioner.class", "sticky",
         "sticky, uniform_sticky, round_robin, random, consistent, consistent_random, murmur2, "
         "murmur2_random, fnv1a, fnv1a_random, sarama_hash, sarama_reference"},
        {"partitioner.ignore.keys", "false", "true, false"},
        {"receive.buffer.bytes", "-1", "-1 to 2147483647"},
        {"receive.memory", "67108864", "1024 to 9223372036854775807"},
        {"receive.message.max.bytes", "33554432", "1024 to 2147483647"},
        {"reconnect.backoff.max.ms", "1000", "0 to 9223372036854775807"},
        {"reconnect.backoff.ms", "50", "0 to 9223372036854775807"},
        {"request.bytes.max", "16777216", "1 to 2147483647"},
        {"request.timeout.ms", "30000", "1 to 2147483647"},
        {"retries", "2147483647", "0 to 2147483647"},
        {"retry.backoff.max.ms", "1000", "0 to 9223372036854775807"},
        {"retry.backoff.ms", "100", "0 to 9223372036854775807"},
        {"send.buffer.bytes", "-1", "-1 to 2147483647"},
        {"socket.connection.setup.timeout.max.ms", "30000", "1 to 9223372036854775807"},
        {"socket.connection.setup.timeout.ms", "10000", "1 to 9223372036854775807"},
        {"socket.keepalive.enable", "true", "true, false"},
        {"socket.keepalive.idle.ms", "60000", "0 to 32767000"},
        {"warn.at.exit", "true", "true, false"},
    };
    assert_int_equal(sizeof cases / sizeof cases[0], kloop_config_key_count());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        assert_string_equal(key->name, cases[i].name);
        assert_string_equal(key->preset, cases[i].preset);
        if (cases[i].allowed)
            assert_string_equal(key->allowed, cases[i].allowed);
    }
}

/* The words about levels say what the codecs say. */
static void levels_are_those_of_the_codecs(void **state)
{
    (void)state;
    static const struct {
        kl_config_id id;
        kl_codec_id codec;
        const char *preset;
        int32_t preset_number;
    } cases[] = {
        {KL_CONFIG_GZIP_LEVEL, KL_CODEC_GZIP, "-1", -1},
        {KL_CONFIG_LZ4_LEVEL, KL_CODEC_LZ4, "9", 9},
        {KL_CONFIG_ZSTD_LEVEL, KL_CODEC_ZSTD, "3", 3},
    };
    for (size_t i = 0; i < 3; i++) {
        const kl_config_key *key = kl_config_key_of(cases[i].id);
        assert_int_equal(key->kind, KL_CONFIG_KIND_LEVEL);
        assert_int_equal(key->codec, cases[i].codec);
        assert_string_equal(key->shown.preset, cases[i].preset);
        assert_int_equal(kl_codec_by_id((int)key->codec)->level_default, cases[i].preset_number);
    }
}

static void found_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        kl_config_named named = kl_config_key_find(key->name);
        assert_ptr_equal(&named.key->shown, key);
        assert_int_equal(named.id, i);
        assert_int_equal(named.unit, 1);
    }
    assert_null(kl_config_key_find("").key);
    assert_null(kl_config_key_find("Linger.ms").key);
    assert_null(kl_config_key_find("linger.m").key);
    assert_null(kl_config_key_find("linger.ms ").key);
}

static void other_names(void **state)
{
    (void)state;
    static const struct {
        const char *alias, *name;
        int64_t unit;
    } cases[] = {
        {"compression.codec", "compression.type", 1},
        {"max.in.flight", "max.in.flight.requests.per.connection", 1},
        {"message.max.bytes", "max.request.size", 1},
        {"message.send.max.retries", "retries", 1},
        {"message.timeout.ms", "delivery.timeout.ms", 1},
        {"metadata.broker.list", "bootstrap.servers", 1},
        {"queue.buffering.max.kbytes", "buffer.memory", 1024},
        {"queue.buffering.max.ms", "linger.ms", 1},
        {"request.required.acks", "acks", 1},
        {"socket.receive.buffer.bytes", "receive.buffer.bytes", 1},
        {"socket.send.buffer.bytes", "send.buffer.bytes", 1},
        {"socket.timeout.ms", "request.timeout.ms", 1},
        {"topic.metadata.refresh.interval.ms", "metadata.max.age.ms", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_config_named named = kl_config_key_find(cases[i].alias);
        assert_non_null(named.key);
        assert_string_equal(named.key->shown.name, cases[i].name);
        assert_ptr_equal(named.key, kl_config_key_of(named.id));
        assert_int_equal(named.unit, cases[i].unit);
    }
}

static void nearest_names(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *meant;
    } cases[] = {
        {"linger", "linger.ms"},
        {"linger_ms", "linger.ms"},
        {"Linger.MS", "linger.ms"},
        {"bootstrap.server", "bootstrap.servers"},
        {"compresion.type", "compression.type"},
        {"metadata.broker.lst", "metadata.broker.list"},
        {"max.inflight", "max.in.flight"},
        {"idempotence", "enable.idempotence"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *near = kl_config_key_nearest(cases[i].typed);
        assert_non_null(near);
        assert_string_equal(near, cases[i].meant);
    }
    assert_null(kl_config_key_nearest(""));
    assert_null(kl_config_key_nearest("xxxxxxxxxxxx"));
}

static void not_taken_and_why(void **state)
{
    (void)state;
    static const struct {
        const char *name, *says;
    } cases[] = {
        {"key.serializer", "bytes"},          {"value.serializer", "bytes"},
        {"interceptor.classes", "Java"},      {"metrics.num.samples", "Java"},
        {"transactional.id", "transactions"}, {"transaction.timeout.ms", "transactions"},
        {"security.protocol", "TLS"},         {"ssl.truststore.location", "TLS"},
        {"sasl.jaas.config", "SASL"},         {"compression.level", "compression.zstd.level"},
        {"batch.num.messages", "batch.size"}, {"queue.buffering.max.messages", "buffer.memory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *why = kl_config_key_why_not(cases[i].name);
        assert_non_null(why);
        assert_non_null(strstr(why, cases[i].says));
    }
    /* A family is one by its dot, all others are whole names. */
    static const char *const strangers[] = {
        "", "ssl", "sslx.y", "debugging", "partitioner.", "partitioner.classes", "key.serialize"};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        assert_null(kl_config_key_why_not(strangers[i]));
    for (size_t i = 0; i < kloop_config_key_count(); i++)
        assert_null(kl_config_key_why_not(kloop_config_key_at(i)->name));
}

/* All names of Kafka 4.3.1's ProducerConfig: none of them is "unknown". */
static void every_name_of_java_is_known(void **state)
{
    (void)state;
    static const char *const names[] = {
        "acks",
        "batch.size",
        "bootstrap.servers",
        "buffer.memory",
        "client.dns.lookup",
        "client.id",
        "compression.gzip.level",
        "compression.lz4.level",
        "compression.type",
        "compression.zstd.level",
        "config.providers",
        "connections.max.idle.ms",
        "delivery.timeout.ms",
        "enable.idempotence",
        "enable.metrics.push",
        "interceptor.classes",
        "key.serializer",
        "linger.ms",
        "max.block.ms",
        "max.in.flight.requests.per.connection",
        "max.request.size",
        "metadata.max.age.ms",
        "metadata.max.idle.ms",
        "metadata.recovery.rebootstrap.trigger.ms",
        "metadata.recovery.strategy",
        "metric.reporters",
        "metrics.num.samples",
        "metrics.recording.level",
        "metrics.sample.window.ms",
        "partitioner.adaptive.partitioning.enable",
        "partitioner.availability.timeout.ms",
        "partitioner.class",
        "partitioner.ignore.keys",
        "receive.buffer.bytes",
        "reconnect.backoff.max.ms",
        "reconnect.backoff.ms",
        "request.timeout.ms",
        "retries",
        "retry.backoff.max.ms",
        "retry.backoff.ms",
        "sasl.client.callback.handler.class",
        "sasl.jaas.config",
        "sasl.kerberos.kinit.cmd",
        "sasl.kerberos.min.time.before.relogin",
        "sasl.kerberos.service.name",
        "sasl.kerberos.ticket.renew.jitter",
        "sasl.kerberos.ticket.renew.window.factor",
        "sasl.login.callback.handler.class",
        "sasl.login.class",
        "sasl.login.connect.timeout.ms",
        "sasl.login.read.timeout.ms",
        "sasl.login.refresh.buffer.seconds",
        "sasl.login.refresh.min.period.seconds",
        "sasl.login.refresh.window.factor",
        "sasl.login.refresh.window.jitter",
        "sasl.login.retry.backoff.max.ms",
        "sasl.login.retry.backoff.ms",
        "sasl.mechanism",
        "sasl.oauthbearer.assertion.algorithm",
        "sasl.oauthbearer.assertion.claim.aud",
        "sasl.oauthbearer.assertion.claim.exp.seconds",
        "sasl.oauthbearer.assertion.claim.iss",
        "sasl.oauthbearer.assertion.claim.jti.include",
        "sasl.oauthbearer.assertion.claim.nbf.seconds",
        "sasl.oauthbearer.assertion.claim.sub",
        "sasl.oauthbearer.assertion.file",
        "sasl.oauthbearer.assertion.private.key.file",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.template.file",
        "sasl.oauthbearer.client.credentials.client.id",
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.clock.skew.seconds",
        "sasl.oauthbearer.expected.audience",
        "sasl.oauthbearer.expected.issuer",
        "sasl.oauthbearer.header.urlencode",
        "sasl.oauthbearer.jwks.endpoint.refresh.ms",
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
        "sasl.oauthbearer.jwks.endpoint.url",
        "sasl.oauthbearer.jwt.retriever.class",
        "sasl.oauthbearer.jwt.validator.class",
        "sasl.oauthbearer.scope",
        "sasl.oauthbearer.scope.claim.name",
        "sasl.oauthbearer.sub.claim.name",
        "sasl.oauthbearer.token.endpoint.url",
        "security.protocol",
        "security.providers",
        "send.buffer.bytes",
        "socket.connection.setup.timeout.max.ms",
        "socket.connection.setup.timeout.ms",
        "ssl.cipher.suites",
        "ssl.enabled.protocols",
        "ssl.endpoint.identification.algorithm",
        "ssl.engine.factory.class",
        "ssl.key.password",
        "ssl.keymanager.algorithm",
        "ssl.keystore.certificate.chain",
        "ssl.keystore.key",
        "ssl.keystore.location",
        "ssl.keystore.password",
        "ssl.keystore.type",
        "ssl.protocol",
        "ssl.provider",
        "ssl.secure.random.implementation",
        "ssl.trustmanager.algorithm",
        "ssl.truststore.certificates",
        "ssl.truststore.location",
        "ssl.truststore.password",
        "ssl.truststore.type",
        "transaction.timeout.ms",
        "transaction.two.phase.commit.enable",
        "transactional.id",
        "value.serializer",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!kl_config_key_find(names[i]).key == !kl_config_key_why_not(names[i]))
            fail_msg("%s is neither a key nor refused with a reason, or both", names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_and_whole),
        cmocka_unit_test(presets_and_ranges),
        cmocka_unit_test(levels_are_those_of_the_codecs),
        cmocka_unit_test(found_by_name),
        cmocka_unit_test(other_names),
        cmocka_unit_test(nearest_names),
        cmocka_unit_test(not_taken_and_why),
        cmocka_unit_test(every_name_of_java_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
