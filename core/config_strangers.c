/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of names that are no keys. See config_strangers.h. */
#include "core/config_strangers.h"

#include "base/ascii.h"
#include "base/check.h"

#include <string.h>

#define J KL_STRANGER_OF_JAVA
#define L KL_STRANGER_OF_LIBRDKAFKA

#define SERIALIZERS(kind)                                                                          \
    kind ".serializer=ByteArraySerializer " kind ".serializer=StringSerializer " kind              \
         ".serializer=ByteBufferSerializer " kind ".serializer=BytesSerializer "

/* Between names and why. */
#define WHY "\0"

/* A name with a value comes before the same name without one. */
static const kl_config_strangers rows[] = {
    {KL_STRANGER_ALIKE, J,
     "bootstrap.resolve.timeout.ms=0 client.rack= config.providers= enable.metrics.push=false "
     "interceptor.classes= metadata.cluster.check.enable=false metric.reporters= "
     "partitioner.rack.aware=false security.providers= "
     "transaction.two.phase.commit.enable=false" WHY "it is so anyway"},
    {KL_STRANGER_ALIKE, L,
     "api.version.request=true broker.address.family=any debug= delivery.report.only.error=false "
     "enable.gapless.guarantee=false enable.ssl.certificate.verification=true "
     "plugin.library.paths= produce.offset.report=true queuing.strategy=fifo "
     "sasl.oauthbearer.method=default socket.nagle.disable=true statistics.interval.ms=0 "
     "topic.metadata.refresh.sparse=true" WHY "it is so anyway"},

    {KL_STRANGER_NOTED, J,
     SERIALIZERS("key") SERIALIZERS(
         "value") "key.serializer.encoding serializer.encoding value.serializer.encoding" WHY
                  "keys and values are bytes here, sent as they are"},
    {KL_STRANGER_NOTED, J,
     "auto.include.jmx.reporter buffer.memory.allocation.strategy metric.reporters "
     "metrics.context. metrics.num.samples metrics.recording.level metrics.sample.window.ms "
     "security.providers ssl.keymanager.algorithm ssl.provider ssl.secure.random.implementation "
     "ssl.trustmanager.algorithm" WHY "Java's own workings"},
    {KL_STRANGER_NOTED, J,
     "https.ca. sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.retry." WHY
     "kloop fetches no tokens"},
    {KL_STRANGER_NOTED, J, "sasl.kerberos." WHY "there is no Kerberos"},
    {KL_STRANGER_NOTED, J,
     "sasl.oauthbearer.clock.skew.seconds sasl.oauthbearer.expected. sasl.oauthbearer.jwks. "
     "sasl.oauthbearer.jwt. sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name" WHY
     "tokens go to brokers as they are"},
    {KL_STRANGER_NOTED, J,
     "bootstrap.resolve.timeout.ms" WHY
     "names are resolved again and again, as long as there are records with time left"},
    {KL_STRANGER_NOTED, J,
     "client.rack" WHY "it serves partitioner.rack.aware, which is not there"},
    {KL_STRANGER_NOTED, J,
     "transaction.timeout.ms" WHY
     "it is for transactions, which only transactional.id would begin"},
    {KL_STRANGER_NOTED, KL_STRANGER_OF_CONSUMERS,
     "auto.commit.enable auto.commit.interval.ms "
     "auto.offset.reset check.crcs consume.callback.max.messages coordinator.query.interval.ms "
     "default.api.timeout.ms enable.auto.commit enable.auto.offset.store enable.partition.eof "
     "exclude.internal.topics fetch. group. heartbeat.interval.ms isolation.level "
     "key.deserializer max.partition.fetch.bytes max.poll. offset.store. "
     "partition.assignment.strategy queued. session.timeout.ms share. value.deserializer" WHY
     "a consumer's"},
    {KL_STRANGER_NOTED, L,
     "enable.random.seed enable.sparse.connections enabled_events internal.termination.signal "
     "log.queue log.thread.name message.copy.max.bytes produce.offset.report "
     "queue.buffering.backpressure.threshold reconnect.backoff.jitter.ms socket.blocking.max.ms "
     "socket.max.fails topic.metadata.refresh.fast.cnt" WHY "librdkafka's own workings"},
    {KL_STRANGER_NOTED, L,
     "debug log.connection.close log_level" WHY "what is logged is for the program to choose"},
    {KL_STRANGER_NOTED, L,
     "api.version.fallback.ms broker.version.fallback" WHY
     "every broker is asked which versions it speaks; api.version.max sets limits"},
    {KL_STRANGER_NOTED, L,
     "api.version.request.timeout.ms" WHY
     "socket.connection.setup.timeout.ms holds until a broker can be talked to"},
    {KL_STRANGER_NOTED, L,
     "broker.address.ttl" WHY "names are resolved when they are needed, and not kept"},
    {KL_STRANGER_NOTED, L, "socket.nagle.disable" WHY "sockets never wait for more bytes"},
    {KL_STRANGER_NOTED, L, "ssl.ca.certificate.stores" WHY "only Windows has them"},
    {KL_STRANGER_NOTED, L,
     "sticky.partitioning.linger.ms" WHY
     "the partition for records without a key changes with batches, not with time; see "
     "partitioner.class"},
    {KL_STRANGER_NOTED, L,
     "topic.blacklist topic.metadata.refresh.sparse" WHY
     "only topics that are sent to are asked about"},
    {KL_STRANGER_NOTED, L,
     "topic.metadata.propagation.max.ms" WHY "max.block.ms is how long a topic may be unknown"},
    {KL_STRANGER_NOTED, L,
     "topic.metadata.refresh.fast.interval.ms" WHY
     "retry.backoff.ms is the pause between questions for metadata"},

    {KL_STRANGER_REFUSED, J,
     "key.serializer value.serializer" WHY
     "keys and values are bytes here, sent as they are; serialise them first, and leave this out"},
    {KL_STRANGER_REFUSED, J,
     "config.providers config.providers." WHY
     "nothing is looked up elsewhere; set the values themselves"},
    {KL_STRANGER_REFUSED, J,
     "interceptor.classes" WHY
     "no Java runs here; leave it out, and change records before they are sent"},
    {KL_STRANGER_REFUSED, J,
     "enable.metrics.push" WHY
     "kloop does not push metrics to brokers yet; leave it out or set false"},
    {KL_STRANGER_REFUSED, J,
     "metadata.cluster.check.enable partitioner.rack.aware" WHY
     "kloop does not have it yet; leave it out or set false"},
    {KL_STRANGER_REFUSED, J,
     "transaction.two.phase.commit.enable transactional.id" WHY
     "kloop has no transactions yet; leave it out"},
    {KL_STRANGER_REFUSED, J, "ssl.engine.factory.class" WHY "no Java runs here; leave it out"},
    {KL_STRANGER_REFUSED, J,
     "sasl.client.callback.handler.class sasl.login.callback.handler.class sasl.login.class "
     "sasl.oauthbearer." WHY
     "kloop fetches no tokens; give them by kloop_set_token(), or have them written to a file and "
     "set sasl.oauthbearer.token.endpoint.url=file:///PATH"},
    {KL_STRANGER_REFUSED, L,
     "enable.ssl.certificate.verification" WHY
     "certificates are always verified; to trust a single one, set ssl.truststore.location to it"},
    {KL_STRANGER_REFUSED, L,
     "ssl.crl.location" WHY
     "kloop reads no lists of revoked certificates; leave it out if your CA has none"},
    {KL_STRANGER_REFUSED, L,
     "ssl.engine.id ssl.engine.location ssl.providers ssl_engine_callback_data" WHY
     "it is set in OpenSSL's own file of settings; leave it out"},
    {KL_STRANGER_REFUSED, L,
     "ssl_ca ssl_certificate ssl_key" WHY
     "ssl.truststore.certificates, ssl.keystore.certificate.chain and ssl.keystore.key take text"},
    {KL_STRANGER_REFUSED, L,
     "api.version.request" WHY
     "brokers are always asked which versions they speak; api.version.max sets limits"},
    {KL_STRANGER_REFUSED, L, "batch.num.messages" WHY "a batch is limited in bytes, by batch.size"},
    {KL_STRANGER_REFUSED, L,
     "broker.address.family" WHY "kloop does not have it yet; list addresses in bootstrap.servers"},
    {KL_STRANGER_REFUSED, L, "builtin.features" WHY "it can only be read there"},
    {KL_STRANGER_REFUSED, L, "client.software." WHY "brokers are told that it is kloop"},
    {KL_STRANGER_REFUSED, L,
     "compression.level" WHY
     "each codec has a key of its own: compression.gzip.level, compression.lz4.level, "
     "compression.zstd.level"},
    {KL_STRANGER_REFUSED, L,
     "delivery.report.only.error" WHY "every record is reported; pass over those that went well"},
    {KL_STRANGER_REFUSED, L,
     "enable.gapless.guarantee" WHY
     "a record that is given up does not end the producer; what must not have gaps can stop at the "
     "first report of a failure"},
    {KL_STRANGER_REFUSED, L,
     "background_event_cb closesocket_cb connect_cb consume_cb default_topic_conf dr_cb dr_msg_cb "
     "error_cb interceptors log_cb msg_order_cmp oauthbearer_token_refresh_cb offset_commit_cb "
     "opaque open_cb partitioner_cb rebalance_cb resolve_cb socket_cb ssl.certificate.verify_cb "
     "stats_cb throttle_cb" WHY
     "a function cannot be set as text; kloop's are set on the producer"},
    {KL_STRANGER_REFUSED, L, "plugin.library.paths" WHY "there are no plugins"},
    {KL_STRANGER_REFUSED, L,
     "queue.buffering.max.messages" WHY "what waits is limited in bytes, by buffer.memory"},
    {KL_STRANGER_REFUSED, L, "queuing.strategy" WHY "records always go out in order"},
    {KL_STRANGER_REFUSED, L,
     "statistics.interval.ms" WHY
     "statistics are asked for when they are wanted, not sent out; set 0 or leave it out"},
    {KL_STRANGER_REFUSED, L,
     "test.mock. ut_handle_ProduceResponse" WHY "kloop sink is a broker for tests"},
};

/* What Java's serializers are called in full. */
static kloop_string without_package(kloop_string value)
{
    static const char package[] = "org.apache.kafka.common.serialization.";
    size_t len = sizeof package - 1;
    if (value.len > len && memcmp(value.data, package, len) == 0)
        return (kloop_string){value.data + len, value.len - len};
    return value;
}

static bool is_value(kloop_string value, const char *wanted, size_t len)
{
    if (value.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (kl_ascii_lower(value.data[i]) != kl_ascii_lower(wanted[i]))
            return false;
    return true;
}

/* Is word, one of a row's, about this name with this value? */
static bool fits(const char *word, size_t len, const char *name, kloop_string value)
{
    const char *equals = memchr(word, '=', len);
    size_t name_len = equals ? (size_t)(equals - word) : len;
    if (strncmp(word, name, name_len) != 0)
        return false;
    bool family = word[name_len - 1] == '.' && name[name_len] != '\0';
    if (!family && name[name_len] != '\0')
        return false;
    return !equals || is_value(without_package(value), equals + 1, len - name_len - 1);
}

const kl_config_strangers *kl_config_strangers_find(const char *name, kloop_string value)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (const char *word = rows[i].names; *word;) {
            const char *space = strchr(word, ' ');
            size_t len = space ? (size_t)(space - word) : strlen(word);
            if (fits(word, len, name, value))
                return &rows[i];
            word += len + (word[len] == ' ');
        }
    return NULL;
}

size_t kl_config_strangers_count(void)
{
    return sizeof rows / sizeof rows[0];
}

const kl_config_strangers *kl_config_strangers_at(size_t index)
{
    KL_ASSERT(index < sizeof rows / sizeof rows[0]);
    return &rows[index];
}
