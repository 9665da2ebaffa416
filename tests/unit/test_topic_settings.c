/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of one topic: in a configuration, at run time, and what they do to its batches. */
#include "core/config_read.h"
#include "core/engine_state.h"
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

static host h;
static host_seen seen;

/* ---- topic.NAME.KEY ---- */

static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *key;
    } cases[] = {
        {"topic.events.linger.ms", "events", "linger.ms"},
        {"topic.a.b.c.linger.ms", "a.b.c", "linger.ms"},
        {"topic.events.queue.buffering.max.ms", "events", "queue.buffering.max.ms"},
        {"topic.compression.compression.type", "compression", "compression.type"},
        {"topic.linger.ms.linger.ms", "linger.ms", "linger.ms"},
        {"topic..linger.ms", "", "linger.ms"},
        /* The longest name of a key is meant. */
        {"topic.x.metadata.max.age.ms", "x", "metadata.max.age.ms"},
        {"topic.events", "events", NULL},
        {"topic.linger.ms", "linger.ms", NULL},
        {"topic.", "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(kl_topic_path_is(cases[i].text));
        kl_topic_path path = kl_topic_path_of(cases[i].text);
        assert_int_equal(path.key != NULL, cases[i].key != NULL);
        if (cases[i].key)
            assert_string_equal(path.key, cases[i].key);
        assert_int_equal(path.name.len, strlen(cases[i].name));
        assert_memory_equal(path.name.data, cases[i].name, path.name.len);
    }
    assert_false(kl_topic_path_is("topics.a.linger.ms"));
    assert_false(kl_topic_path_is("topic"));
}

/* No key may end with another one, or a topic's name could be read in two ways. */
static void no_key_ends_with_another(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KL_TOPIC_KEY_COUNT; i++) {
        const char *name = kl_config_key_of(kl_topic_keys_config_id((kl_topic_key)i))->shown.name;
        for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
            assert_null(kl_config_key_find(dot + 1).key);
    }
}

static void in_a_configuration(void **state)
{
    (void)state;
    kloop_config *c = kloop_config_new(NULL);
    assert_int_equal(kloop_config_set(c, "topic.a.b.linger.ms", " 17 "), KLOOP_OK);
    assert_int_equal(kloop_config_set(c, "topic.a.b.compression.codec", "zstd,lz4,none"), KLOOP_OK);
    assert_int_equal(kloop_config_set(c, "topic.c.linger.ms", "18"), KLOOP_OK);
    assert_int_equal(kloop_config_set(c, "topic.a.b.linger.ms", "19"), KLOOP_OK);
    assert_int_equal(kloop_config_set(c, "batch.size", "777"), KLOOP_OK);
    assert_string_equal(kloop_config_get(c, "topic.a.b.linger.ms"), "19");
    assert_string_equal(kloop_config_get(c, "topic.c.linger.ms"), "18");
    assert_string_equal(kloop_config_get(c, "topic.a.b.compression.type"), "zstd,lz4,none");
    /* What was not set for the topic is as for all. */
    assert_string_equal(kloop_config_get(c, "topic.c.batch.size"), "777");
    assert_string_equal(kloop_config_get(c, "linger.ms"), "5");
    assert_true(kloop_config_is_set(c, "topic.c.linger.ms"));
    assert_false(kloop_config_is_set(c, "topic.c.batch.size"));
    assert_false(kloop_config_is_set(c, "topic.d.linger.ms"));
    assert_null(kloop_config_get(c, "topic.c.acks"));
    assert_null(kloop_config_get(c, "topic.c"));
    assert_int_equal(kl_config_topic_count(c), 2);
    /* A key whose own name begins like that. */
    assert_int_equal(kloop_config_set(c, "topic.metadata.refresh.interval.ms", "1000"), KLOOP_OK);
    assert_string_equal(kloop_config_get(c, "metadata.max.age.ms"), "1000");
    assert_int_equal(kl_config_topic_count(c), 2);
    kloop_config_del(c);
}

static void refused_in_a_configuration(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *sentence;
    } cases[] = {
        {"topic.events.linger.ms", "x",
         "topic.events.linger.ms: 'x' is no whole number; allowed: 0 to 9223372036854775807"},
        {"topic.events.queue.buffering.max.ms", "-1",
         "topic.events.queue.buffering.max.ms (linger.ms): '-1' is out of range; allowed: 0 to "
         "9223372036854775807"},
        {"topic.events.acks", "1",
         "topic.events.acks is for the whole producer; what can be set for one topic: batch.size, "
         "buffer.memory, "},
        {"topic.events.compression.zstd.level", "23",
         "topic.events.compression.zstd.level: '23' is no level; allowed: -131072 to 22"},
        {"topic.events", "1",
         "'topic.events' does not end with a key of a topic, as topic.NAME.linger.ms does; what "},
        {"topic..linger.ms", "1", "topic..linger.ms: no topic can have that name; allowed: 1 to "},
        {"topic.a b.linger.ms", "1", "topic.a b.linger.ms: no topic can have that name; "},
        {"topic.events.linger.ms", NULL, "topic.events.linger.ms: its value is missing: it is "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kloop_config *c = kloop_config_new(NULL);
        assert_int_equal(kloop_config_set(c, cases[i].key, cases[i].value), KLOOP_BAD_CONFIG);
        if (strncmp(kloop_config_error(c), cases[i].sentence, strlen(cases[i].sentence)) != 0)
            fail_msg("%s", kloop_config_error(c));
        assert_int_equal(kl_config_topic_count(c), 0);
        /* It is remembered for those who look at nothing. */
        kloop_config_set(c, "bootstrap.servers", "b1:9091");
        assert_int_equal(kloop_config_check(c, NULL), KLOOP_BAD_CONFIG);
        kloop_config_del(c);
    }
}

static void refused_at_opening(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *sentence;
    } cases[] = {
        {"topic.events.linger.ms", "100000",
         "topic 'events': delivery.timeout.ms=120000 is less than linger.ms=100000 and "
         "request.timeout.ms=30000 together; raise the first (130000 to 2147483647) or lower the "
         "others"},
        {"topic.events.buffer.memory", "1000",
         "topic 'events': buffer.memory=1000 cannot hold one record of max.request.size=1048576; "
         "raise the first (from 1048576) or lower the second (1 to 1000)"},
        {"topic.events.compression.type", "zstd",
         "topic 'events': compression.type=zstd needs Produce 7, and api.version.max allows it up "
         "to 6; raise that, or choose another codec or a list such as zstd,lz4"},
        {"topic.events.buffer.memory", "67108865",
         "topic 'events': buffer.memory=67108865 is more than the 67108864 that all topics have "
         "together; lower it, or raise buffer.memory of the producer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        host_prepare(&h, 0);
        const char *const pairs[] = {"api.version.max", "Produce=6", cases[i].key, cases[i].value,
                                     NULL};
        assert_int_equal(host_open(&h, pairs), KLOOP_BAD_CONFIG);
        assert_string_equal(h.error.text, cases[i].sentence);
        host_end(&h);
    }
}

/* ---- At run time ---- */

static void set(const host_topic *t, const char *key, const char *value)
{
    kloop_error error;
    if (kloop_topic_set(t->handle, key, value, &error))
        fail_msg("%s", error.text);
    assert_string_equal(error.text, "");
}

static void refused(const host_topic *t, const char *key, const char *value, const char *sentence)
{
    kloop_error error;
    kl_topic_settings before = *t->handle->set;
    assert_int_equal(kloop_topic_set(t->handle, key, value, &error), KLOOP_BAD_CONFIG);
    assert_int_equal(error.status, KLOOP_BAD_CONFIG);
    if (strncmp(error.text, sentence, strlen(sentence)) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(kloop_topic_set(t->handle, key, value, NULL), KLOOP_BAD_CONFIG);
    assert_memory_equal(&before, t->handle->set, sizeof before);
}

static void numbers(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "7", "compression.type", "lz4", "topic.b.linger.ms", "9",
             "topic.b.batch.size", "0", NULL);
    host_topic *a = host_add_topic(&h, "a", 1);
    host_topic *b = host_add_topic(&h, "b", 1);
    const kl_topic_settings *of_all = &h.e->set.topic;
    assert_ptr_equal(a->handle->set, of_all);
    assert_int_equal(b->handle->set->linger_ns, 9 * MS);
    assert_int_equal(b->handle->set->batch_bytes, 1);
    assert_int_equal(b->handle->batch_bytes, 1);
    assert_int_equal(b->handle->set->codecs[0].id, KL_CODEC_LZ4);
    assert_int_equal(of_all->linger_ns, 7 * MS);

    set(a, "compression.zstd.level", "7");
    set(a, "compression.type", "zstd,gzip,none");
    const kl_topic_settings *s = a->handle->set;
    assert_int_equal(s->codec_count, 3);
    assert_int_equal(s->codecs[0].id, KL_CODEC_ZSTD);
    assert_int_equal(s->codecs[0].level, 7);
    assert_int_equal(s->codecs[1].id, KL_CODEC_GZIP);
    assert_int_equal(s->codecs[1].level, KL_CODEC_LEVEL_DEFAULT);
    assert_int_equal(s->codecs[2].id, KL_CODEC_NONE);
    assert_int_equal(s->linger_ns, 7 * MS);
    set(a, "queue.buffering.max.ms", "8000");
    assert_int_equal(s->linger_ns, 8000 * MS);
    assert_int_equal(s->seal_after_ns, 8000 * MS);
    set(a, "linger.ms", "7000");
    assert_int_equal(s->seal_after_ns, 7500 * MS);
    set(a, "batch.size", "99999999");
    assert_int_equal(s->batch_bytes, 1048576);
    assert_int_equal(a->handle->batch_bytes, 1048576);
    set(a, "partitioner.ignore.keys", "true");
    set(a, "partitioner.adaptive.partitioning.enable", "false");
    assert_true(s->partitioning.ignore_keys);
    assert_false(s->partitioning.adaptive);
    set(a, "buffer.memory", "2000000");
    assert_int_equal(s->memory_bytes, 2000000);
    set(a, "buffer.memory", "67108864");
    assert_int_equal(s->memory_bytes, 0);
    assert_int_equal(of_all->codec_count, 1);
    assert_int_equal(b->handle->set->linger_ns, 9 * MS);
    host_end(&h);
}

static void refusals(void **state)
{
    (void)state;
    host_new(&h, "delivery.timeout.ms", "40000", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    set(t, "linger.ms", "1");
    refused(t, "linger.ms", "10001",
            "topic 'events': delivery.timeout.ms=40000 is less than linger.ms=10001 and "
            "request.timeout.ms=30000 together;");
    refused(t, "linger.ms", "x", "topic 'events': linger.ms: 'x' is no whole number; allowed: 0 ");
    refused(t, "queue.buffering.max.ms", "x", "topic 'events': queue.buffering.max.ms (linger.ms)");
    refused(t, "lingerms", "1", "there is no key 'lingerms'; did you mean 'linger.ms'?");
    refused(t, "client.id", "1",
            "topic 'events': client.id is for the whole producer; what can be "
            "set for one topic: batch.size, buffer.memory, ");
    refused(t, "compression.type", "zstd,none,lz4",
            "topic 'events': compression.type: 'lz4' would");
    refused(t, "compression.gzip.level", "10",
            "topic 'events': compression.gzip.level: '10' is no");
    refused(t, "buffer.memory", "1048575",
            "topic 'events': buffer.memory=1048575 cannot hold one ");
    refused(t, "linger.ms", NULL, "topic 'events': linger.ms: its value is missing: it is NULL");
    refused(t, NULL, "1", "a key is missing: it is NULL");
    kloop_error error;
    assert_int_equal(kloop_topic_set(NULL, "linger.ms", "1", &error), KLOOP_BAD_ARGUMENT);
    assert_string_equal(error.text, "topic is NULL; get one with kloop_topic_get()");
    host_end(&h);
}

/* Without memory nothing changes, and it can be tried again. */
static void memory_runs_out(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    kloop_error error;
    size_t refusals = 0;
    for (size_t nth = 1;; nth++) {
        h.memory.nth = h.memory.calls + nth;
        if (!kloop_topic_set(t->handle, "buffer.memory", "3000000", &error))
            break;
        assert_int_equal(error.status, KLOOP_NO_MEMORY);
        assert_string_equal(error.text, "topic 't': there is no memory for buffer.memory");
        assert_ptr_equal(t->handle->set, &h.e->set.topic);
        refusals++;
    }
    h.memory.nth = 0;
    assert_int_equal(refusals, 2);
    assert_int_equal(t->handle->set->memory_bytes, 3000000);
    host_end(&h);
    /* And of a configuration. */
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kloop_config *c = kloop_config_new(&alloc);
        kloop_status status = kloop_config_set(c, "topic.a.linger.ms", "1");
        if (!status)
            status = kloop_config_set(c, "topic.b.linger.ms", "2");
        if (!status)
            assert_string_equal(kloop_config_get(c, "topic.b.linger.ms"), "2");
        kloop_config_del(c);
        kl_fail_alloc_check(&f);
        assert_int_equal(status, f.refused ? KLOOP_NO_MEMORY : KLOOP_OK);
        if (!f.refused)
            break;
    }
}

/* ---- What they do ---- */

static void linger_of_its_own(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "1000", NULL);
    host_topic *slow = host_add_topic(&h, "slow", 1);
    host_topic *fast = host_add_topic(&h, "fast", 1);
    slow->leaders[0] = fast->leaders[0] = 1;
    set(fast, "linger.ms", "20");
    host_send(&h, fast, 0, 1);
    host_run(&h);
    host_sleep(&h, 19);
    host_expect_no_produce(&h);
    host_sleep(&h, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_send(&h, slow, 0, 1);
    host_sleep(&h, 999);
    host_expect_no_produce(&h);
    host_sleep(&h, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    /* An open batch follows: a shorter time counts at once. */
    host_send(&h, slow, 0, 1);
    host_sleep(&h, 100);
    host_expect_no_produce(&h);
    set(slow, "linger.ms", "50");
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, slow, 0, 1);
    set(slow, "linger.ms", "300");
    host_sleep(&h, 299);
    host_expect_no_produce(&h);
    host_sleep(&h, 1);
    HOST_ANSWER(&h, 1, 0);
    set(slow, "linger.ms", "0");
    host_send(&h, slow, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 5);
    host_end(&h);
}

/* All open batches of a topic were judged in the call: 3 ms where there were ten thousand. */
static void open_batches_follow_in_slices(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "t", 60);
    for (int32_t i = 0; i < 60; i++)
        t->leaders[i] = 1;
    for (int32_t i = 0; i < 60; i++)
        host_send(&h, t, i, 1);
    host_sleep(&h, 100);
    host_expect_no_produce(&h);
    set(t, "linger.ms", "50");
    for (int32_t i = 0; i < 60; i++)
        assert_false(t->handle->open[i]->due);
    /* Nothing is left of this turn. */
    h.e->turn_work = 0;
    host_pump(&h);
    host_expect_no_produce(&h);
    assert_false(t->handle->open[0]->due);
    assert_int_equal(host_deadline(&h), 0);
    assert_true(kl_link_is_linked(&t->handle->in_reviewed));
    host_sleep(&h, 1);
    assert_false(kl_link_is_linked(&t->handle->in_reviewed));
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batch_count, 60);
    host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, 60);
    host_expect_acked(&h, 1, 60);
    assert_int_equal(host_deadline(&h) == 0, false);
    host_end(&h);
}

static void batch_size_of_its_own(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "1000", "batch.size", "5000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 1;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    set(t, "batch.size", "1000");
    host_send(&h, t, 0, 200);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_true(seen.batches[0].len <= 1000 && seen.batches[0].len > 950);
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    set(t, "batch.size", "3000");
    host_send(&h, t, 0, 400);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_true(seen.batches[0].len <= 3000 && seen.batches[0].len > 2950);
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 601);
    host_end(&h);
}

/* What a broker has refused is remembered, whatever is set meanwhile. */
static void learnt_ceiling_stays(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "batch.size", "8000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 1;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 0, 200);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
    size_t learnt = t->handle->batch_bytes;
    assert_true(learnt < 8000);
    set(t, "batch.size", "100000");
    assert_int_equal(t->handle->batch_bytes, learnt);
    set(t, "batch.size", "500");
    assert_int_equal(t->handle->batch_bytes, 500);
    for (int i = 0; i < 20 && host_stats(&h).pending; i++) {
        while (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, 0);
        host_sleep(&h, 1000);
    }
    host_expect_acked(&h, 1, 201);
    host_end(&h);
}

/* Of a topic that there was no memory for, its account stayed behind, one for each attempt. */
static void nothing_stays_of_a_topic_without_memory(void **state)
{
    (void)state;
    host_new(&h, "topic.t.buffer.memory", "2000000", NULL);
    kloop_topic *topic;
    kloop_status status = KLOOP_NO_MEMORY;
    for (size_t nth = 1; status; nth++) {
        size_t had = h.memory.live_blocks;
        h.memory.nth = h.memory.calls + nth;
        status = kloop_engine_topic(h.e, (kloop_string){"t", 1}, &topic);
        h.memory.nth = 0;
        if (status) {
            assert_int_equal(status, KLOOP_NO_MEMORY);
            assert_int_equal(h.memory.live_blocks, had);
        } else {
            assert_in_range(nth, 5, 20);
        }
    }
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(no_key_ends_with_another),
        cmocka_unit_test(in_a_configuration),
        cmocka_unit_test(refused_in_a_configuration),
        cmocka_unit_test(refused_at_opening),
        cmocka_unit_test(numbers),
        cmocka_unit_test(refusals),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(linger_of_its_own),
        cmocka_unit_test(open_batches_follow_in_slices),
        cmocka_unit_test(batch_size_of_its_own),
        cmocka_unit_test(learnt_ceiling_stays),
        cmocka_unit_test(nothing_stays_of_a_topic_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
