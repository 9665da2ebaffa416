/* SPDX-License-Identifier: BSD-2-Clause */
/* From keys to settings: units, what keys say together, and memory that runs out. */
#include "core/settings.h"
#include "tests/support/fail_alloc.h"

#include <kloop/engine.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS         UINT64_C(1000000)
#define PAIRS_MAX  6
#define INT_MAX_MS (UINT64_C(2147483647) * MS)

typedef struct pair {
    const char *key, *value;
} pair;

static kl_fail_alloc memory;
static kl_settings s;
static kloop_error error;

static kloop_config *config_of(const pair *pairs)
{
    kloop_config *c = kloop_config_new(NULL);
    assert_non_null(c);
    assert_int_equal(kloop_config_set(c, "bootstrap.servers", "localhost:9092"), KLOOP_OK);
    for (int i = 0; i < PAIRS_MAX && pairs[i].key; i++)
        if (kloop_config_set(c, pairs[i].key, pairs[i].value))
            fail_msg("%s", kloop_config_error(c));
    return c;
}

static kloop_status load_pairs(const pair *pairs)
{
    kloop_config *c = config_of(pairs);
    memset(&s, 0xa5, sizeof s);
    memset(&error, 0xa5, sizeof error);
    kl_fail_alloc_init(&memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&memory);
    kloop_status status = kl_settings_load(&s, c, &alloc, &error);
    assert_int_equal(error.status, status);
    assert_int_equal(error.text[0] != '\0', status != KLOOP_OK);
    /* A check by itself says the same. */
    kloop_error checked;
    assert_int_equal(kloop_config_check(c, &checked), status);
    assert_string_equal(checked.text, error.text);
    kloop_config_del(c);
    if (status)
        kl_fail_alloc_check(&memory);
    return status;
}

static void unload(void)
{
    kl_settings_deinit(&s);
    kl_fail_alloc_check(&memory);
}

/* load("key", "value", ...), which has to go well; unload() follows. */
#define load(...)                                                                                  \
    do {                                                                                           \
        if (load_pairs((const pair[PAIRS_MAX]){__VA_ARGS__}))                                      \
            fail_msg("%s", error.text);                                                            \
    } while (0)
#define P(key, value)                                                                              \
    {                                                                                              \
        key, value                                                                                 \
    }

static void refused(const char *sentence, const pair *pairs)
{
    assert_int_equal(load_pairs(pairs), KLOOP_BAD_CONFIG);
    assert_string_equal(error.text, sentence);
}
#define refuse(sentence, ...) refused(sentence, (const pair[PAIRS_MAX]){__VA_ARGS__})

static void presets(void **state)
{
    (void)state;
    load(P(NULL, NULL));
    assert_int_equal(s.bootstrap_count, 1);
    assert_string_equal(s.bootstrap[0].host.data, "localhost");
    assert_int_equal(s.bootstrap[0].host.len, 9);
    assert_int_equal(s.bootstrap[0].port, 9092);
    assert_string_equal(s.client_id.data, "kloop");
    assert_int_equal(s.client_id.len, 5);
    assert_int_equal(s.acks, -1);
    assert_true(s.idempotent);
    assert_false(s.idempotence_turned_off);
    assert_int_equal(s.topic.linger_ns, 5 * MS);
    assert_int_equal(s.topic.batch_bytes, 1000000);
    assert_int_equal(s.record_bytes_max, 1048576);
    assert_int_equal(s.request_bytes_max, 16777216);
    assert_int_equal(s.memory_bytes, 67108864);
    assert_int_equal(s.receive_frame_max, 33554432);
    assert_int_equal(s.receive_bytes_max, 67108864);
    assert_int_equal(s.topic.codecs[0].id, KL_CODEC_NONE);
    assert_int_equal(s.topic.codecs[0].level, KL_CODEC_LEVEL_DEFAULT);
    assert_int_equal(s.in_flight_max, 5);
    assert_int_equal(s.retries, INT32_MAX);
    assert_int_equal(s.delivery_timeout_ns, 120000 * MS);
    assert_int_equal(s.request_timeout_ns, 30000 * MS);
    assert_int_equal(s.request_timeout_ms, 30000);
    assert_int_equal(s.max_block_ns, 60000 * MS);
    assert_int_equal(s.retry_backoff_ns, 100 * MS);
    assert_int_equal(s.retry_backoff_max_ns, 1000 * MS);
    assert_int_equal(s.reconnect_backoff_ns, 50 * MS);
    assert_int_equal(s.reconnect_backoff_max_ns, 1000 * MS);
    assert_int_equal(s.setup_timeout_ns, 10000 * MS);
    assert_int_equal(s.setup_timeout_max_ns, 30000 * MS);
    assert_int_equal(s.idle_ns, 540000 * MS);
    assert_int_equal(s.metadata_max_age_ns, 300000 * MS);
    assert_int_equal(s.metadata_max_idle_ns, 300000 * MS);
    assert_true(s.auto_create_topics);
    assert_false(s.topic.partitioning.ignore_keys);
    assert_true(s.topic.partitioning.adaptive);
    unload();
}

/* Each key to its own field: no two values here are the same. */
static void every_key_arrives(void **state)
{
    (void)state;
    load(P("linger.ms", "11"), P("batch.size", "12"), P("max.request.size", "1013"),
         P("request.bytes.max", "1014"), P("buffer.memory", "1015"),
         P("receive.message.max.bytes", "1036"));
    assert_int_equal(s.topic.linger_ns, 11 * MS);
    assert_int_equal(s.topic.batch_bytes, 12);
    assert_int_equal(s.record_bytes_max, 1013);
    assert_int_equal(s.request_bytes_max, 1014);
    assert_int_equal(s.memory_bytes, 1015);
    assert_int_equal(s.receive_frame_max, 1036);
    unload();
    load(P("receive.memory", "33554433"), P("max.in.flight.requests.per.connection", "3"),
         P("retries", "17"), P("delivery.timeout.ms", "30018"), P("request.timeout.ms", "19"),
         P("max.block.ms", "20"));
    assert_int_equal(s.receive_bytes_max, 33554433);
    assert_int_equal(s.in_flight_max, 3);
    assert_int_equal(s.retries, 17);
    assert_int_equal(s.delivery_timeout_ns, 30018 * MS);
    assert_int_equal(s.request_timeout_ns, 19 * MS);
    assert_int_equal(s.request_timeout_ms, 19);
    assert_int_equal(s.max_block_ns, 20 * MS);
    unload();
    load(P("retry.backoff.ms", "21"), P("retry.backoff.max.ms", "22"),
         P("reconnect.backoff.ms", "23"), P("reconnect.backoff.max.ms", "24"),
         P("socket.connection.setup.timeout.ms", "25"),
         P("socket.connection.setup.timeout.max.ms", "26"));
    assert_int_equal(s.retry_backoff_ns, 21 * MS);
    assert_int_equal(s.retry_backoff_max_ns, 22 * MS);
    assert_int_equal(s.reconnect_backoff_ns, 23 * MS);
    assert_int_equal(s.reconnect_backoff_max_ns, 24 * MS);
    assert_int_equal(s.setup_timeout_ns, 25 * MS);
    assert_int_equal(s.setup_timeout_max_ns, 26 * MS);
    unload();
    load(P("connections.max.idle.ms", "27"), P("metadata.max.age.ms", "28"),
         P("metadata.max.idle.ms", "5029"), P("client.id", ""));
    assert_int_equal(s.idle_ns, 27 * MS);
    assert_int_equal(s.metadata_max_age_ns, 28 * MS);
    assert_int_equal(s.metadata_max_idle_ns, 5029 * MS);
    assert_string_equal(s.client_id.data, "");
    assert_int_equal(s.client_id.len, 0);
    unload();
    load(P("allow.auto.create.topics", "false"), P("partitioner.ignore.keys", "true"));
    assert_false(s.auto_create_topics);
    assert_true(s.topic.partitioning.ignore_keys);
    assert_true(s.topic.partitioning.adaptive);
    unload();
    load(P("partitioner.adaptive.partitioning.enable", "false"));
    assert_false(s.topic.partitioning.adaptive);
    assert_false(s.topic.partitioning.ignore_keys);
    unload();
}

static void times_without_end(void **state)
{
    (void)state;
    assert_int_equal(UINT64_MAX, KLOOP_NEVER);
    load(P("connections.max.idle.ms", "-1"));
    assert_int_equal(s.idle_ns, KLOOP_NEVER);
    unload();
    load(P("connections.max.idle.ms", "9223372036854775807"),
         P("metadata.max.age.ms", "9223372036854775807"), P("max.block.ms", "9223372036854775807"),
         P("retry.backoff.ms", "9223372036854775807"));
    assert_int_equal(s.idle_ns, KLOOP_NEVER);
    assert_int_equal(s.metadata_max_age_ns, KLOOP_NEVER);
    assert_int_equal(s.max_block_ns, KLOOP_NEVER);
    assert_int_equal(s.retry_backoff_ns, KLOOP_NEVER);
    assert_int_equal(s.retry_backoff_max_ns, KLOOP_NEVER);
    unload();
    load(P("connections.max.idle.ms", "0"));
    /* With 0 a connection was idle before it could be asked anything, again and again. */
    assert_int_equal(s.idle_ns, 1000000);
    unload();
}

static void sizes_that_bound_each_other(void **state)
{
    (void)state;
    /* A batch is no larger than a record may be, and never of no size. */
    load(P("max.request.size", "5000"));
    assert_int_equal(s.topic.batch_bytes, 5000);
    unload();
    load(P("batch.size", "2147483647"));
    assert_int_equal(s.topic.batch_bytes, 1048576);
    unload();
    load(P("batch.size", "0"));
    assert_int_equal(s.topic.batch_bytes, 1);
    unload();
    /* Presets follow what was set. */
    load(P("max.request.size", "20000000"));
    assert_int_equal(s.request_bytes_max, 20000000);
    assert_int_equal(s.record_bytes_max, 20000000);
    unload();
    load(P("receive.message.max.bytes", "100000000"));
    assert_int_equal(s.receive_bytes_max, 100000000);
    unload();
    load(P("max.request.size", "5000"), P("request.bytes.max", "5000"), P("buffer.memory", "5000"),
         P("receive.message.max.bytes", "5000"), P("receive.memory", "5000"));
    unload();
    refuse("request.bytes.max=1048575 is less than max.request.size=1048576; raise the first "
           "(1048576 to 2147483647) or lower the second (1 to 1048575)",
           P("request.bytes.max", "1048575"));
    refuse("receive.memory=33554431 is less than receive.message.max.bytes=33554432; raise the "
           "first (33554432 to 9223372036854775807) or lower the second (1024 to 33554431)",
           P("receive.memory", "33554431"));
    refuse("buffer.memory=1048575 cannot hold one record of max.request.size=1048576; raise the "
           "first (from 1048576) or lower the second (1 to 1048575)",
           P("buffer.memory", "1048575"));
    /* Memory is not taken unasked, so this preset does not follow. */
    refuse("buffer.memory=67108864 cannot hold one record of max.request.size=67108865; raise the "
           "first (from 67108865) or lower the second (1 to 67108864)",
           P("max.request.size", "67108865"));
    load(P("buffer.memory", "9223372036854775807"), P("max.request.size", "2147483647"));
    assert_int_equal(s.memory_bytes, INT64_MAX);
    assert_int_equal(s.request_bytes_max, 2147483647);
    unload();
}

static void the_time_to_deliver(void **state)
{
    (void)state;
    load(P("delivery.timeout.ms", "30005"));
    assert_int_equal(s.delivery_timeout_ns, 30005 * MS);
    unload();
    refuse("delivery.timeout.ms=30004 is less than linger.ms=5 and request.timeout.ms=30000 "
           "together; raise the first (30005 to 2147483647) or lower the others",
           P("delivery.timeout.ms", "30004"));
    /* The preset follows. */
    load(P("linger.ms", "100000"));
    assert_int_equal(s.delivery_timeout_ns, 130000 * MS);
    unload();
    load(P("request.timeout.ms", "2147483647"), P("linger.ms", "1"));
    assert_int_equal(s.delivery_timeout_ns, INT_MAX_MS);
    unload();
    /* The largest delivery.timeout.ms is enough for whatever else is set, as for Java. */
    load(P("linger.ms", "9223372036854775807"), P("request.timeout.ms", "2147483647"),
         P("delivery.timeout.ms", "2147483647"));
    assert_int_equal(s.topic.linger_ns, INT_MAX_MS);
    assert_int_equal(s.delivery_timeout_ns, INT_MAX_MS);
    unload();
    refuse("delivery.timeout.ms=2147483646 is less than linger.ms=9223372036854775807 and "
           "request.timeout.ms=30000 together; raise the first (2147483647 to 2147483647) or lower "
           "the others",
           P("linger.ms", "9223372036854775807"), P("delivery.timeout.ms", "2147483646"));
}

static void backoffs_and_their_limits(void **state)
{
    (void)state;
    /* Java's rule for reconnect: alone, the first is also the longest. */
    load(P("reconnect.backoff.ms", "5"));
    assert_int_equal(s.reconnect_backoff_ns, 5 * MS);
    assert_int_equal(s.reconnect_backoff_max_ns, 5 * MS);
    unload();
    load(P("reconnect.backoff.ms", "5000"));
    assert_int_equal(s.reconnect_backoff_max_ns, 5000 * MS);
    unload();
    load(P("reconnect.backoff.max.ms", "10"));
    assert_int_equal(s.reconnect_backoff_ns, 50 * MS);
    assert_int_equal(s.reconnect_backoff_max_ns, 10 * MS);
    unload();
    /* The others: a preset does not cut down what was set, and a limit that was set holds. */
    load(P("retry.backoff.ms", "5"), P("socket.connection.setup.timeout.ms", "5"));
    assert_int_equal(s.retry_backoff_max_ns, 1000 * MS);
    assert_int_equal(s.setup_timeout_max_ns, 30000 * MS);
    unload();
    load(P("retry.backoff.ms", "5000"), P("socket.connection.setup.timeout.ms", "60000"));
    assert_int_equal(s.retry_backoff_max_ns, 5000 * MS);
    assert_int_equal(s.setup_timeout_max_ns, 60000 * MS);
    unload();
    load(P("retry.backoff.ms", "5000"), P("retry.backoff.max.ms", "4000"),
         P("socket.connection.setup.timeout.max.ms", "7"));
    assert_int_equal(s.retry_backoff_ns, 5000 * MS);
    assert_int_equal(s.retry_backoff_max_ns, 4000 * MS);
    assert_int_equal(s.setup_timeout_max_ns, 7 * MS);
    unload();
}

static void acks_of_every_kind(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int16_t acks;
        bool idempotent;
    } cases[] = {{"all", -1, true}, {"-1", -1, true}, {"0", 0, false}, {"1", 1, false}};
    for (size_t i = 0; i < 4; i++) {
        load(P("acks", cases[i].value));
        assert_int_equal(s.acks, cases[i].acks);
        assert_int_equal(s.idempotent, cases[i].idempotent);
        assert_int_equal(s.idempotence_turned_off, !cases[i].idempotent);
        unload();
        load(P("acks", cases[i].value), P("enable.idempotence", "false"));
        assert_int_equal(s.acks, cases[i].acks);
        assert_false(s.idempotent);
        assert_false(s.idempotence_turned_off);
        unload();
    }
}

static void idempotence_and_what_rules_it_out(void **state)
{
    (void)state;
    load(P("enable.idempotence", "true"), P("acks", "all"), P("retries", "1"),
         P("max.in.flight.requests.per.connection", "5"));
    assert_true(s.idempotent);
    unload();
    load(P("retries", "0"));
    assert_false(s.idempotent);
    assert_true(s.idempotence_turned_off);
    assert_int_equal(s.retries, 0);
    unload();
    /* Without it, any number may be in flight. */
    load(P("acks", "1"), P("max.in.flight.requests.per.connection", "6"));
    assert_true(s.idempotence_turned_off);
    assert_int_equal(s.in_flight_max, 6);
    unload();
    load(P("enable.idempotence", "false"), P("retries", "0"),
         P("max.in.flight.requests.per.connection", "2147483647"));
    assert_false(s.idempotence_turned_off);
    assert_int_equal(s.in_flight_max, INT32_MAX);
    unload();
    refuse("enable.idempotence=true needs acks=all, and acks=1 is set; change that or set "
           "enable.idempotence=false",
           P("enable.idempotence", "true"), P("acks", "1"));
    refuse("enable.idempotence=true needs acks=all, and acks=0 is set; change that or set "
           "enable.idempotence=false",
           P("enable.idempotence", "true"), P("acks", "0"));
    refuse("enable.idempotence=true needs retries of 1 to 2147483647, and retries=0 is set; change "
           "that or "
           "set enable.idempotence=false",
           P("enable.idempotence", "true"), P("retries", "0"));
    refuse("enable.idempotence=true needs max.in.flight.requests.per.connection of 1 to 5, and "
           "6 is set; change that or set enable.idempotence=false",
           P("enable.idempotence", "true"), P("max.in.flight.requests.per.connection", "6"));
    refuse("enable.idempotence=true, which is the default, needs "
           "max.in.flight.requests.per.connection of 1 to 5, and 6 is set; change that or set "
           "enable.idempotence=false",
           P("max.in.flight.requests.per.connection", "6"));
}

static void codecs_and_their_levels(void **state)
{
    (void)state;
    static const struct {
        const char *name, *key, *level;
        int32_t number;
    } cases[] = {
        {"gzip", "compression.gzip.level", "-1", -1},
        {"gzip", "compression.gzip.level", "9", 9},
        {"lz4", "compression.lz4.level", "17", 17},
        {"zstd", "compression.zstd.level", "-131072", -131072},
        {"zstd", "compression.zstd.level", "3", 3},
        /* The level of a codec that is not the one in use says nothing. */
        {"snappy", "compression.gzip.level", "9", KL_CODEC_LEVEL_DEFAULT},
        {"none", "compression.zstd.level", "9", KL_CODEC_LEVEL_DEFAULT},
        {"gzip", "compression.zstd.level", "9", KL_CODEC_LEVEL_DEFAULT},
        {"lz4", "compression.gzip.level", "1", KL_CODEC_LEVEL_DEFAULT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        load(P("compression.type", cases[i].name), P(cases[i].key, cases[i].level));
        const kl_codec *codec = kl_codec_by_id((int)s.topic.codecs[0].id);
        assert_string_equal(codec ? codec->name : "none", cases[i].name);
        assert_int_equal(s.topic.codecs[0].level, cases[i].number);
        assert_true(!codec || kl_codec_has_level(codec, s.topic.codecs[0].level));
        unload();
        load(P("compression.type", cases[i].name));
        assert_int_equal(s.topic.codecs[0].level, KL_CODEC_LEVEL_DEFAULT);
        unload();
    }
}

/* The cluster: what to do when it is lost, and how new the versions may be. */
static void recovery_names_and_versions(void **state)
{
    (void)state;
    assert_int_equal(load_pairs((const pair[PAIRS_MAX]){{0}}), KLOOP_OK);
    assert_true(s.rebootstraps);
    assert_true(s.rebootstrap_trigger_ns == UINT64_C(300000000000));
    assert_int_equal(s.caps.produce, INT16_MAX);
    unload();
    assert_int_equal(
        load_pairs((const pair[PAIRS_MAX]){{"metadata.recovery.strategy", "none"},
                                           {"metadata.recovery.rebootstrap.trigger.ms", "0"},
                                           {"api.version.max", "Produce=6,ApiVersions=0"},
                                           {"compression.type", "zstd,lz4"},
                                           {0}}),
        KLOOP_OK);
    assert_false(s.rebootstraps);
    assert_true(s.rebootstrap_trigger_ns == UINT64_C(1000000000));
    assert_int_equal(s.caps.produce, 6);
    assert_int_equal(s.caps.api_versions, 0);
    assert_int_equal(s.caps.metadata, INT16_MAX);
    unload();
    refuse("compression.type=zstd needs Produce 7, and api.version.max allows it up to 6; raise "
           "that, or choose another codec or a list such as zstd,lz4",
           {"api.version.max", "Produce=6"}, {"compression.type", "zstd"});
    refuse("client.dns.lookup=resolve_canonical_bootstrap_servers_only is not there: it turns "
           "addresses back into names, which only Kerberos needs; leave it out and list the "
           "brokers' own names in bootstrap.servers",
           {"client.dns.lookup", "resolve_canonical_bootstrap_servers_only"});
}

static void brokers_in_order_without_doubles(void **state)
{
    (void)state;
    load(P("bootstrap.servers", "b:1, A:1,[::1]:9 ,a:1,b:2,B:1,[::1]:9,[0::1]:9"));
    static const char *const hosts[] = {"b", "A", "::1", "b", "0::1"};
    static const uint16_t ports[] = {1, 1, 9, 2, 9};
    assert_int_equal(s.bootstrap_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(s.bootstrap[i].host.data, hosts[i]);
        assert_int_equal(s.bootstrap[i].host.len, strlen(hosts[i]));
        assert_int_equal(s.bootstrap[i].port, ports[i]);
    }
    unload();
    load(P("bootstrap.servers", "a:1,a:1"));
    assert_int_equal(s.bootstrap_count, 1);
    unload();
}

static void without_brokers(void **state)
{
    (void)state;
    kloop_config *c = kloop_config_new(NULL);
    assert_int_equal(kl_settings_load(&s, c, NULL, &error), KLOOP_BAD_CONFIG);
    assert_string_equal(error.text, "bootstrap.servers is missing; set it to HOST:PORT of a broker "
                                    "or two, such as localhost:9092");
    assert_int_equal(kl_settings_load(&s, c, NULL, NULL), KLOOP_BAD_CONFIG);
    /* What was refused while it was set comes before what is missing. */
    kloop_config_set(c, "linger.ms", "x");
    assert_int_equal(kl_settings_load(&s, c, NULL, &error), KLOOP_BAD_CONFIG);
    assert_memory_equal(error.text, "linger.ms: ", 11);
    kloop_config_del(c);
    assert_int_equal(kl_settings_load(&s, NULL, NULL, &error), KLOOP_NO_MEMORY);
}

/* The configuration is copied: nothing of it is needed afterwards. With the C library's memory,
 * where the address sanitizer looks on. */
static void outlives_its_configuration(void **state)
{
    (void)state;
    kloop_config *c = config_of((const pair[PAIRS_MAX]){P("client.id", "me")});
    assert_int_equal(kl_settings_load(&s, c, NULL, NULL), KLOOP_OK);
    kloop_config_del(c);
    assert_string_equal(s.client_id.data, "me");
    assert_string_equal(s.bootstrap[0].host.data, "localhost");
    kl_settings_deinit(&s);
    kl_settings_deinit(&s); /* and once more */
}

static void no_memory(void **state)
{
    (void)state;
    static const char *const lists[] = {"a:1", "a:1,b:2,c:3", "a:1,a:1,b:2"};
    for (size_t i = 0; i < 3; i++) {
        kloop_config *c = config_of((const pair[PAIRS_MAX]){P("bootstrap.servers", lists[i])});
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, nth);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kloop_status status = kl_settings_load(&s, c, &alloc, &error);
            assert_int_equal(status, f.refused ? KLOOP_NO_MEMORY : KLOOP_OK);
            assert_int_equal(error.status, status);
            if (!status)
                kl_settings_deinit(&s);
            kl_fail_alloc_check(&f);
            if (f.refused == 0)
                break;
        }
        kloop_config_del(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets),
        cmocka_unit_test(recovery_names_and_versions),
        cmocka_unit_test(every_key_arrives),
        cmocka_unit_test(times_without_end),
        cmocka_unit_test(sizes_that_bound_each_other),
        cmocka_unit_test(the_time_to_deliver),
        cmocka_unit_test(backoffs_and_their_limits),
        cmocka_unit_test(acks_of_every_kind),
        cmocka_unit_test(idempotence_and_what_rules_it_out),
        cmocka_unit_test(codecs_and_their_levels),
        cmocka_unit_test(brokers_in_order_without_doubles),
        cmocka_unit_test(without_brokers),
        cmocka_unit_test(outlives_its_configuration),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
