/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of keys: the table, other names, and what is near to them. */
#include "codecs/codec.h"
#include "core/config_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What is told of keys, by their ids. */
static const char *const meanings[] = {
#define ROW(ID, name, kind, preset, allowed, unit, meaning) [KL_CONFIG_##ID] = meaning,
    KLOOP_CONFIG_KEYS(ROW)
#undef ROW
};

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
        assert_true(meanings[i][0] >= '0' && meanings[i][0] <= 'Z');
        assert_int_equal(meanings[i][strlen(meanings[i]) - 1], '.');
        assert_null(strstr(meanings[i], "  "));
        /* The unit is in the name where there is one. */
        size_t len = strlen(key->name);
        assert_int_equal(strcmp(key->unit, "ms") == 0,
                         len > 3 && strcmp(key->name + len - 3, ".ms") == 0);
        assert_int_equal(strcmp(key->unit, "s") == 0,
                         len > 8 && strcmp(key->name + len - 8, ".seconds") == 0);
        assert_true(!key->unit[0] || key->type == KLOOP_CONFIG_NUMBER);
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
        {"enable.sasl.oauthbearer.unsecure.jwt", "false", "true, false"},
        {"ignore.unknown.config", "false", "true, false"},
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
        {"sasl.jaas.config", "", NULL},
        {"sasl.login.refresh.buffer.seconds", "300", "0 to 3600"},
        {"sasl.login.refresh.min.period.seconds", "60", "0 to 900"},
        {"sasl.login.refresh.window.factor", "0.8", "0.5 to 1"},
        {"sasl.login.refresh.window.jitter", "0.05", "0 to 0.25"},
        {"sasl.mechanism", "", NULL},
        {"sasl.oauthbearer.config", "", NULL},
        {"sasl.oauthbearer.token.endpoint.url", "", NULL},
        {"sasl.password", "", NULL},
        {"sasl.scram.iterations.max", "1000000", "4096 to 2147483647"},
        {"sasl.username", "", NULL},
        {"security.protocol", "PLAINTEXT", "PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"},
        {"send.buffer.bytes", "-1", "-1 to 2147483647"},
        {"socket.connection.setup.timeout.max.ms", "30000", "1 to 9223372036854775807"},
        {"socket.connection.setup.timeout.ms", "10000", "1 to 9223372036854775807"},
        {"socket.keepalive.enable", "true", "true, false"},
        {"socket.keepalive.idle.ms", "60000", "0 to 32767000"},
        {"ssl.certificate.location", "", NULL},
        {"ssl.cipher.suites", "", NULL},
        {"ssl.curves.list", "", NULL},
        {"ssl.enabled.protocols", "TLSv1.2,TLSv1.3", NULL},
        {"ssl.endpoint.identification.algorithm", "https", "https, none"},
        {"ssl.key.location", "", NULL},
        {"ssl.key.password", "", NULL},
        {"ssl.keystore.certificate.chain", "", NULL},
        {"ssl.keystore.key", "", NULL},
        {"ssl.keystore.location", "", NULL},
        {"ssl.keystore.password", "", NULL},
        {"ssl.keystore.type", "", NULL},
        {"ssl.protocol", "TLSv1.3", "TLS, TLSv1.2, TLSv1.3"},
        {"ssl.sigalgs.list", "", NULL},
        {"ssl.truststore.certificates", "", NULL},
        {"ssl.truststore.location", "", NULL},
        {"ssl.truststore.password", "", NULL},
        {"ssl.truststore.type", "", NULL},
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
        assert_string_equal(key->shown.preset, cases[i].preset);
        assert_int_equal(kl_codec_by_id((int)cases[i].codec)->level_default,
                         cases[i].preset_number);
    }
}

/* Nothing but these, and each of them: what is not told as a secret is printed. */
static void secrets(void **state)
{
    (void)state;
    static const char *const names[] = {
        "sasl.jaas.config",        "sasl.oauthbearer.config", "sasl.password",
        "ssl.key.password",        "ssl.keystore.key",        "ssl.keystore.password",
        "ssl.truststore.password",
    };
    size_t found = 0;
    for (size_t i = 0; i < kloop_config_key_count(); i++)
        found += kloop_config_key_at(i)->secret;
    assert_int_equal(found, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < found; i++)
        assert_true(kloop_config_key_find(names[i])->secret);
    assert_true(kloop_config_key_find("ssl.key.pem")->secret);
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
        assert_ptr_equal(kloop_config_key_find(key->name), key);
        assert_ptr_equal(kl_config_key_spelling(key->name), key->name);
    }
    assert_null(kloop_config_key_find(NULL));
    assert_null(kloop_config_key_find("linger"));
    assert_null(kl_config_key_spelling("linger"));
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
        {"partitioner", "partitioner.class", 1},
        {"queue.buffering.max.kbytes", "buffer.memory", 1024},
        {"queue.buffering.max.ms", "linger.ms", 1},
        {"request.required.acks", "acks", 1},
        {"sasl.mechanisms", "sasl.mechanism", 1},
        {"socket.receive.buffer.bytes", "receive.buffer.bytes", 1},
        {"socket.send.buffer.bytes", "send.buffer.bytes", 1},
        {"socket.timeout.ms", "request.timeout.ms", 1},
        {"ssl.ca.location", "ssl.truststore.location", 1},
        {"ssl.ca.pem", "ssl.truststore.certificates", 1},
        {"ssl.certificate.pem", "ssl.keystore.certificate.chain", 1},
        {"ssl.key.pem", "ssl.keystore.key", 1},
        {"topic.metadata.refresh.interval.ms", "metadata.max.age.ms", 1},
    };
    size_t listed = 0;
#define ROW(name, ID, unit, remark) listed++;
    KLOOP_CONFIG_ALIASES(ROW)
#undef ROW
    assert_int_equal(listed, sizeof cases / sizeof cases[0]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_config_named named = kl_config_key_find(cases[i].alias);
        assert_non_null(named.key);
        assert_string_equal(named.key->shown.name, cases[i].name);
        assert_ptr_equal(named.key, kl_config_key_of(named.id));
        assert_int_equal(named.unit, cases[i].unit);
        assert_ptr_equal(kloop_config_key_find(cases[i].alias), &named.key->shown);
        assert_string_equal(kl_config_key_spelling(cases[i].alias), cases[i].alias);
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
        {"sasl.pasword", "sasl.password"},
        {"sasl.user.name", "sasl.username"},
        {"sasl.machanism", "sasl.mechanism"},
        {"ssl.ca.locaton", "ssl.ca.location"},
        {"ssl.trustore.location", "ssl.truststore.location"},
        {"security.protocl", "security.protocol"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *near = kl_config_key_nearest(cases[i].typed);
        assert_non_null(near);
        assert_string_equal(near, cases[i].meant);
    }
    assert_null(kl_config_key_nearest(""));
    assert_null(kl_config_key_nearest("xxxxxxxxxxxx"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_and_whole),
        cmocka_unit_test(presets_and_ranges),
        cmocka_unit_test(levels_are_those_of_the_codecs),
        cmocka_unit_test(secrets),
        cmocka_unit_test(found_by_name),
        cmocka_unit_test(other_names),
        cmocka_unit_test(nearest_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
