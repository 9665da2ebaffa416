/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that other clients have: none is unknown, and each is taken, noted or refused as it
 * deserves. */
#include "core/config_key.h"
#include "core/config_strangers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static kloop_string text_of(const char *text)
{
    return (kloop_string){text, strlen(text)};
}

static const kl_config_strangers *find(const char *name, const char *value)
{
    return kl_config_strangers_find(name, text_of(value));
}

#define ALIKE   KL_STRANGER_ALIKE
#define NOTED   KL_STRANGER_NOTED
#define REFUSED KL_STRANGER_REFUSED

static void what_each_is_worth(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        kl_stranger_ruling ruling;
        const char *says;
    } cases[] = {
        {"enable.metrics.push", "false", ALIKE, ""},
        {"enable.metrics.push", "FALSE", ALIKE, ""},
        {"enable.metrics.push", "true", REFUSED, "does not push metrics"},
        {"enable.metrics.push", "", REFUSED, "does not push metrics"},
        {"enable.ssl.certificate.verification", "true", ALIKE, ""},
        {"enable.ssl.certificate.verification", "True", ALIKE, ""},
        {"enable.ssl.certificate.verification", "false", REFUSED, "ssl.truststore.location"},
        {"sasl.oauthbearer.method", "default", ALIKE, ""},
        {"sasl.oauthbearer.method", "oidc", REFUSED, "kloop_set_token()"},
        {"sasl.oauthbearer.client.credentials.client.secret", "x", REFUSED, "file:///PATH"},
        {"sasl.oauthbearer.jwks.endpoint.url", "x", NOTED, "as they are"},
        {"sasl.login.callback.handler.class", "x", REFUSED, "kloop_set_token()"},
        {"sasl.login.retry.backoff.ms", "x", NOTED, "tokens"},
        {"sasl.kerberos.service.name", "kafka", NOTED, "Kerberos"},
        {"ssl.crl.location", "x", REFUSED, "revoked"},
        {"ssl.engine.factory.class", "x", REFUSED, "Java"},
        {"ssl.provider", "x", NOTED, "Java"},
        {"ssl.providers", "x", REFUSED, "OpenSSL"},
        {"key.serializer", "org.apache.kafka.common.serialization.StringSerializer", NOTED,
         "bytes"},
        {"value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer", NOTED,
         "bytes"},
        {"key.serializer", "BytesSerializer", NOTED, "bytes"},
        {"value.serializer", "ByteBufferSerializer", NOTED, "bytes"},
        {"key.serializer", "org.apache.kafka.common.serialization.LongSerializer", REFUSED,
         "bytes"},
        {"value.serializer", "io.confluent.kafka.serializers.KafkaAvroSerializer", REFUSED,
         "serialise them first"},
        {"value.serializer", "com.example.StringSerializer", REFUSED, "serialise them first"},
        {"interceptor.classes", "", ALIKE, ""},
        {"interceptor.classes", "com.example.Stamp", REFUSED, "Java"},
        {"config.providers", "file", REFUSED, "looked up"},
        {"config.providers.file.class", "x", REFUSED, "looked up"},
        {"metric.reporters", "com.example.Reporter", NOTED, "Java"},
        {"metrics.num.samples", "2", NOTED, "Java"},
        {"metrics.context.x", "y", NOTED, "Java"},
        {"security.providers", "x", NOTED, "Java"},
        {"transactional.id", "t", REFUSED, "transactions"},
        {"transaction.timeout.ms", "60000", NOTED, "transactional.id"},
        {"transaction.two.phase.commit.enable", "true", REFUSED, "transactions"},
        {"transaction.two.phase.commit.enable", "false", ALIKE, ""},
        {"partitioner.rack.aware", "true", REFUSED, "not have it yet"},
        {"client.rack", "a", NOTED, "partitioner.rack.aware"},
        {"client.rack", "", ALIKE, ""},
        {"group.id", "g", NOTED, "consumer"},
        {"fetch.min.bytes", "1", NOTED, "consumer"},
        {"compression.level", "3", REFUSED, "compression.zstd.level"},
        {"batch.num.messages", "3", REFUSED, "batch.size"},
        {"queue.buffering.max.messages", "3", REFUSED, "buffer.memory"},
        {"statistics.interval.ms", "0", ALIKE, ""},
        {"statistics.interval.ms", "1000", REFUSED, "statistics are asked for"},
        {"socket.nagle.disable", "true", ALIKE, ""},
        {"socket.nagle.disable", "false", NOTED, "sockets"},
        {"delivery.report.only.error", "true", REFUSED, "every record is reported"},
        {"debug", "all", NOTED, "logged"},
        {"topic.metadata.propagation.max.ms", "1", NOTED, "max.block.ms"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const kl_config_strangers *row = find(cases[i].name, cases[i].value);
        if (!row || row->ruling != cases[i].ruling ||
            !strstr(kl_config_strangers_why(row), cases[i].says))
            fail_msg("%s=%s: %d %s", cases[i].name, cases[i].value, row ? (int)row->ruling : -1,
                     row ? kl_config_strangers_why(row) : "unknown");
    }
}

/* A family is one by its dot, all others are whole names. */
static void whole_names(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "s",
                                        "ssl",
                                        "sslx.y",
                                        "debugging",
                                        "partitioner.",
                                        "partitioner.classes",
                                        "key.serialize",
                                        "key.serializer.",
                                        "metrics",
                                        "group",
                                        "groups.x",
                                        "test.mock",
                                        "interceptor.classes=",
                                        "enable.metrics.push=false"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (find(names[i], "false"))
            fail_msg("%s is known", names[i]);
}

/* Each name of a row is found, in that row, and no key is a stranger. */
static void rows_are_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < kl_config_strangers_count(); i++) {
        const kl_config_strangers *row = kl_config_strangers_at(i);
        assert_null(strstr(row->names, "  "));
        assert_true(kl_config_strangers_why(row)[0] &&
                    kl_config_strangers_why(row)[strlen(kl_config_strangers_why(row)) - 1] != '.');
        for (const char *word = row->names; *word;) {
            char name[128], value[64] = "some";
            size_t len = strcspn(word, " ");
            snprintf(name, sizeof name, "%.*s", (int)len, word);
            char *equals = strchr(name, '=');
            if (equals) {
                snprintf(value, sizeof value, "%s", equals + 1);
                *equals = '\0';
            } else if (name[len - 1] == '.') {
                snprintf(name + len, sizeof name - len, "some");
            }
            if (find(name, value) != row)
                fail_msg("row %zu is not the one of %s=%s", i, name, value);
            if (kl_config_key_find(name).key)
                fail_msg("%s is a key as well", name);
            word += len + (word[len] == ' ');
        }
    }
}

/* None of these is "unknown": a key, which may be one of a family of strangers and comes before it,
 * or a stranger whatever its value. */
static void all_known(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!kl_config_key_find(names[i]).key && !find(names[i], "some"))
            fail_msg("%s is neither a key nor known", names[i]);
}

/* Kafka 4.3.1's ProducerConfig. */
static void every_name_of_java(void **state)
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
        /* What 4.4 adds. */
        "bootstrap.resolve.timeout.ms",
        "buffer.memory.allocation.strategy",
        "client.rack",
        "metadata.cluster.check.enable",
        "partitioner.rack.aware",
    };
    all_known(names, sizeof names / sizeof names[0]);
}

/* librdkafka's list of properties that a producer reads, its hidden ones, and kcat's. */
static void every_name_of_librdkafka(void **state)
{
    (void)state;
    static const char *const names[] = {
        "acks",
        "allow.auto.create.topics",
        "api.version.fallback.ms",
        "api.version.request",
        "api.version.request.timeout.ms",
        "background_event_cb",
        "batch.num.messages",
        "batch.size",
        "bootstrap.servers",
        "broker.address.family",
        "broker.address.ttl",
        "broker.version.fallback",
        "builtin.features",
        "client.dns.lookup",
        "client.id",
        "client.rack",
        "closesocket_cb",
        "compression.codec",
        "compression.level",
        "compression.type",
        "connect_cb",
        "connections.max.idle.ms",
        "debug",
        "default_topic_conf",
        "delivery.report.only.error",
        "delivery.timeout.ms",
        "dr_cb",
        "dr_msg_cb",
        "enable.gapless.guarantee",
        "enable.idempotence",
        "enable.metrics.push",
        "enable.random.seed",
        "enable.sasl.oauthbearer.unsecure.jwt",
        "enable.ssl.certificate.verification",
        "enabled_events",
        "error_cb",
        "https.ca.location",
        "https.ca.pem",
        "interceptors",
        "internal.termination.signal",
        "linger.ms",
        "log.connection.close",
        "log.queue",
        "log.thread.name",
        "log_cb",
        "log_level",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "message.copy.max.bytes",
        "message.max.bytes",
        "message.send.max.retries",
        "message.timeout.ms",
        "metadata.broker.list",
        "metadata.max.age.ms",
        "metadata.recovery.rebootstrap.trigger.ms",
        "metadata.recovery.strategy",
        "msg_order_cmp",
        "oauthbearer_token_refresh_cb",
        "offset_commit_cb",
        "opaque",
        "open_cb",
        "partitioner",
        "partitioner_cb",
        "plugin.library.paths",
        "produce.offset.report",
        "queue.buffering.backpressure.threshold",
        "queue.buffering.max.kbytes",
        "queue.buffering.max.messages",
        "queue.buffering.max.ms",
        "queuing.strategy",
        "receive.message.max.bytes",
        "reconnect.backoff.jitter.ms",
        "reconnect.backoff.max.ms",
        "reconnect.backoff.ms",
        "request.required.acks",
        "request.timeout.ms",
        "resolve_cb",
        "retries",
        "retry.backoff.max.ms",
        "retry.backoff.ms",
        "sasl.kerberos.keytab",
        "sasl.kerberos.kinit.cmd",
        "sasl.kerberos.min.time.before.relogin",
        "sasl.kerberos.principal",
        "sasl.kerberos.service.name",
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.oauthbearer.client.id",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.extensions",
        "sasl.oauthbearer.method",
        "sasl.oauthbearer.scope",
        "sasl.oauthbearer.token.endpoint.url",
        "sasl.password",
        "sasl.username",
        "security.protocol",
        "socket.blocking.max.ms",
        "socket.connection.setup.timeout.ms",
        "socket.keepalive.enable",
        "socket.max.fails",
        "socket.nagle.disable",
        "socket.receive.buffer.bytes",
        "socket.send.buffer.bytes",
        "socket.timeout.ms",
        "socket_cb",
        "ssl.ca.certificate.stores",
        "ssl.ca.location",
        "ssl.ca.pem",
        "ssl.certificate.location",
        "ssl.certificate.pem",
        "ssl.certificate.verify_cb",
        "ssl.cipher.suites",
        "ssl.crl.location",
        "ssl.curves.list",
        "ssl.endpoint.identification.algorithm",
        "ssl.engine.id",
        "ssl.engine.location",
        "ssl.key.location",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.location",
        "ssl.keystore.password",
        "ssl.providers",
        "ssl.sigalgs.list",
        "ssl_ca",
        "ssl_certificate",
        "ssl_engine_callback_data",
        "ssl_key",
        "statistics.interval.ms",
        "stats_cb",
        "sticky.partitioning.linger.ms",
        "test.mock.broker.rtt",
        "test.mock.num.brokers",
        "throttle_cb",
        "topic.blacklist",
        "topic.metadata.propagation.max.ms",
        "topic.metadata.refresh.fast.cnt",
        "topic.metadata.refresh.fast.interval.ms",
        "topic.metadata.refresh.interval.ms",
        "topic.metadata.refresh.sparse",
        "transaction.timeout.ms",
        "transactional.id",
    };
    all_known(names, sizeof names / sizeof names[0]);
}

static void names_of_consumers(void **state)
{
    (void)state;
    static const char *const names[] = {
        "group.id",
        "group.instance.id",
        "group.protocol",
        "group.remote.assignor",
        "auto.offset.reset",
        "auto.commit.interval.ms",
        "enable.auto.commit",
        "session.timeout.ms",
        "heartbeat.interval.ms",
        "max.poll.interval.ms",
        "max.poll.records",
        "partition.assignment.strategy",
        "fetch.min.bytes",
        "fetch.max.bytes",
        "fetch.wait.max.ms",
        "fetch.message.max.bytes",
        "fetch.error.backoff.ms",
        "fetch.queue.backoff.ms",
        "max.partition.fetch.bytes",
        "isolation.level",
        "key.deserializer",
        "value.deserializer",
        "check.crcs",
        "enable.auto.offset.store",
        "enable.partition.eof",
        "queued.min.messages",
        "queued.max.messages.kbytes",
        "offset.store.method",
        "offset.store.path",
        "consume.callback.max.messages",
        "coordinator.query.interval.ms",
        "default.api.timeout.ms",
        "exclude.internal.topics",
    };
    all_known(names, sizeof names / sizeof names[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_each_is_worth),       cmocka_unit_test(whole_names),
        cmocka_unit_test(rows_are_reached),         cmocka_unit_test(every_name_of_java),
        cmocka_unit_test(every_name_of_librdkafka), cmocka_unit_test(names_of_consumers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
