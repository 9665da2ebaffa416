/* SPDX-License-Identifier: BSD-2-Clause */
/* Several codecs at once: lists, brokers that do not take them all, topics with their own. */
#include "core/engine_state.h"
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;
static host_topic *t;

#define OLD_PRODUCE 6 /* zstd came with 7 */

/* User 1 is acked. */
static void begin(const char *codecs, int16_t produce_version)
{
    host_new(&h, "linger.ms", "5", "compression.type", codecs, NULL);
    h.max_version[KLOOP_PRODUCE] = produce_version;
    t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 1;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 5);
    HOST_ANSWER(&h, 1, 0);
}

/* A batch that is closed, and as far as it comes. */
static void send_batch(host_topic *topic, size_t count)
{
    host_send(&h, topic, 0, count);
    host_sleep(&h, 5);
}

static void end(void)
{
    host_close(&h, 0, 0);
    host_end(&h);
}

static void set(const host_topic *topic, const char *key, const char *value)
{
    kloop_error error;
    if (kloop_topic_set(topic->handle, key, value, &error))
        fail_msg("%s", error.text);
}

/* The only batch of the oldest Produce at this broker. */
static void expect(int node, int codec, int32_t sequence, int32_t count)
{
    host_expect_produce(&h, node, &seen);
    assert_int_equal(seen.batch_count, 1);
    assert_int_equal(seen.batches[0].codec, codec);
    assert_int_equal(seen.batches[0].sequence, sequence);
    assert_int_equal(seen.batches[0].count, count);
}

static void first_that_the_broker_takes(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        int16_t version;
        int codec;
    } cases[] = {
        {"zstd,lz4,none", 9, KL_CODEC_ZSTD},          {"zstd,lz4,none", 7, KL_CODEC_ZSTD},
        {"zstd,lz4,none", OLD_PRODUCE, KL_CODEC_LZ4}, {"zstd,none", OLD_PRODUCE, KL_CODEC_NONE},
        {"gzip,zstd", OLD_PRODUCE, KL_CODEC_GZIP},    {"zstd,snappy", OLD_PRODUCE, KL_CODEC_SNAPPY},
        {"none", OLD_PRODUCE, KL_CODEC_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(cases[i].list, cases[i].version);
        send_batch(t, 300);
        expect(1, cases[i].codec, 1, 300);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 301);
        host_expect_no_line(&h, "LOG");
        end();
    }
}

/* A batch that was folded for one leader, when another one that is older has taken over. */
static void older_leader(void **state)
{
    (void)state;
    /* 0: refused, 1: the connection was lost, and it may have been stored. */
    for (int way = 0; way < 2; way++) {
        begin("zstd,gzip,none", 9);
        send_batch(t, 200);
        expect(1, KL_CODEC_ZSTD, 1, 200);
        t->leaders[0] = 2;
        t->epochs[0]++;
        h.max_version[KLOOP_PRODUCE] = OLD_PRODUCE;
        if (way == 0)
            HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
        else
            host_lose_connection(&h, 1, "gone");
        for (int i = 0; i < 100 && !host_produces(&h, 2); i++)
            host_sleep(&h, 20);
        expect(2, KL_CODEC_GZIP, 1, 200);
        assert_int_equal(seen.batches[0].first, 2);
        assert_int_equal(seen.batches[0].last, 201);
        HOST_ANSWER(&h, 2, 0);
        send_batch(t, 50);
        expect(2, KL_CODEC_GZIP, 201, 50);
        HOST_ANSWER(&h, 2, 0);
        host_expect_acked(&h, 1, 251);
        end();
    }
}

/* The bytes of a lost connection may still be looked at: the batch is left alone until the host has
 * closed it. The host checks that they do not change. */
static void not_before_the_host_has_closed(void **state)
{
    (void)state;
    begin("zstd,lz4", 9);
    host_send(&h, t, 0, 2000);
    h.manual_write = true;
    h.manual_close = true;
    host_sleep(&h, 5);
    host_conn *c = host_at(&h, 1);
    kloop_slice slices[64];
    assert_true(kloop_engine_write_vec(h.e, c->id, slices, 64) > 0);
    kloop_engine_on_disconnected(h.e, c->id, "gone", h.now);
    h.manual_write = false;
    t->leaders[0] = 2;
    t->epochs[0]++;
    h.max_version[KLOOP_PRODUCE] = OLD_PRODUCE;
    host_sleep(&h, 3000);
    assert_int_equal(host_produces(&h, 2), 0);
    h.manual_close = false;
    kloop_engine_on_closed(h.e, c->id, h.now);
    c->state = HOST_CLOSED;
    for (int i = 0; i < 100 && !host_produces(&h, 2); i++)
        host_sleep(&h, 20);
    expect(2, KL_CODEC_LZ4, 1, 2000);
    HOST_ANSWER(&h, 2, 0);
    host_expect_acked(&h, 1, 2001);
    end();
}

static void broker_refuses_a_codec(void **state)
{
    (void)state;
    begin("zstd,snappy,none", 9);
    send_batch(t, 100);
    send_batch(t, 60);
    expect(1, KL_CODEC_ZSTD, 1, 100);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE);
    if (host_produces(&h, 1)) {
        /* What was in flight behind it. */
        expect(1, KL_CODEC_ZSTD, 101, 60);
        HOST_ANSWER(&h, 1, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    }
    host_sleep(&h, 1500);
    expect(1, KL_CODEC_SNAPPY, 1, 100);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE);
    host_sleep(&h, 1500);
    expect(1, KL_CODEC_NONE, 1, 100);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 1500);
    expect(1, KL_CODEC_NONE, 101, 60);
    HOST_ANSWER(&h, 1, 0);
    /* It is not asked again on this connection, and is on the next one. */
    send_batch(t, 70);
    expect(1, KL_CODEC_NONE, 161, 70);
    HOST_ANSWER(&h, 1, 0);
    host_lose_connection(&h, 1, "gone");
    host_sleep(&h, 2000);
    host_send(&h, t, 0, 70);
    host_sleep(&h, 2000);
    send_batch(t, 70);
    int last = -1;
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        last = seen.batches[0].codec;
        HOST_ANSWER(&h, 1, 0);
    }
    assert_int_equal(last, KL_CODEC_ZSTD);
    host_expect_acked(&h, 1, 371);
    assert_int_equal(host_stats(&h).epoch_bumps, 0);
    end();
}

static void nothing_left_to_try(void **state)
{
    (void)state;
    begin("zstd,lz4", 9);
    send_batch(t, 100);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE);
    host_sleep(&h, 1500);
    expect(1, KL_CODEC_LZ4, 1, 100);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE);
    host_expect_fate(&h, 2, 101, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    host_expect_text(&h, 2, "UNSUPPORTED_COMPRESSION_TYPE");
    host_expect_text(&h, 2, "compression.type");
    /* What comes behind waits for another broker, and says what this one has done. */
    send_batch(t, 100);
    host_sleep(&h, 3000);
    host_expect_no_produce(&h);
    host_expect_line(&h, "b1:9091 takes nothing of compression.type=zstd,lz4 (it has refused with "
                         "UNSUPPORTED_COMPRESSION_TYPE); add another, as in "
                         "compression.type=zstd,lz4,none");
    end();
}

/* An old broker goes on serving the topics that it can serve. */
static void topic_that_an_old_broker_cannot_serve(void **state)
{
    (void)state;
    begin("none", OLD_PRODUCE);
    host_topic *z = host_add_topic(&h, "z", 1);
    z->leaders[0] = 1;
    set(z, "compression.type", "zstd");
    send_batch(z, 100);
    send_batch(t, 100);
    expect(1, KL_CODEC_NONE, 1, 100);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 102, 201);
    host_sleep(&h, 5000);
    host_expect_pending(&h, 2, 101);
    host_expect_no_produce(&h);
    host_expect_line(&h, "topic 'z' partition 0: b1:9091 takes nothing of compression.type=zstd");
    assert_int_equal(host_count_lines(&h, "takes nothing of"), 1);
    host_send(&h, z, 0, 10);
    set(z, "compression.type", "zstd,gzip");
    for (int i = 0; i < 100 && !host_produces(&h, 1); i++)
        host_sleep(&h, 20);
    expect(1, KL_CODEC_GZIP, 0, 100);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 2000);
    expect(1, KL_CODEC_GZIP, 100, 10);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 101);
    host_expect_acked(&h, 202, 211);
    end();
}

static void its_time_is_over(void **state)
{
    (void)state;
    begin("none", OLD_PRODUCE);
    host_topic *z = host_add_topic(&h, "z", 1);
    z->leaders[0] = 1;
    set(z, "compression.type", "zstd");
    host_send(&h, z, 0, 100);
    host_sleep(&h, 121000);
    host_expect_fate(&h, 2, 101, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_text(&h, 2,
                     "b1:9091 takes nothing of compression.type=zstd (it has Produce up to "
                     "version 6, zstd came with 7); add another, as in "
                     "compression.type=zstd,none");
    end();
}

/* Only another connection helps, and to look for that each retry.backoff.ms was a thousand wake-ups
 * a second where that is 1. */
static void looks_again_now_and_then(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "compression.type", "zstd,none", "retry.backoff.ms", "1",
             "retry.backoff.max.ms", "100", NULL);
    h.max_version[KLOOP_PRODUCE] = OLD_PRODUCE;
    host_topic *z = host_add_topic(&h, "z", 1);
    set(z, "compression.type", "zstd");
    host_send(&h, z, 0, 100);
    host_run(&h);
    uint64_t looks = 0;
    for (uint64_t end_ns = h.now.mono_ns + UINT64_C(1000000000); h.now.mono_ns < end_ns; looks++) {
        uint64_t deadline = kloop_engine_deadline(h.e);
        h.now.mono_ns = deadline > h.now.mono_ns ? deadline : h.now.mono_ns + 1;
        kloop_engine_on_time(h.e, h.now);
        host_run(&h);
    }
    assert_in_range(looks, 2, 20);
    end();
}

/* Where the producer itself has nothing for an old broker, a topic may. */
static void topic_that_an_old_broker_can_serve(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "5", "compression.type", "zstd", "topic.t.compression.type", "lz4",
             NULL);
    h.max_version[KLOOP_PRODUCE] = OLD_PRODUCE;
    t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 1;
    send_batch(t, 100);
    expect(1, KL_CODEC_LZ4, 0, 100);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 100);
    end();
}

/* ---- Several topics ---- */

#define TOPICS 7

static void each_topic_with_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *list, *key, *level;
        int codec;
    } own[TOPICS] = {
        {"gzip", "compression.gzip.level", "1", KL_CODEC_GZIP},
        {"gzip", "compression.gzip.level", "9", KL_CODEC_GZIP},
        {"snappy", NULL, NULL, KL_CODEC_SNAPPY},
        {"lz4", NULL, NULL, KL_CODEC_LZ4},
        {"zstd", "compression.zstd.level", "1", KL_CODEC_ZSTD},
        {"zstd", "compression.zstd.level", "5", KL_CODEC_ZSTD},
        {"none", NULL, NULL, KL_CODEC_NONE},
    };
    begin("none", 9);
    host_topic *topics[TOPICS];
    for (int i = 0; i < TOPICS; i++) {
        char name[8];
        snprintf(name, sizeof name, "u%d", i);
        topics[i] = host_add_topic(&h, name, 1);
        topics[i]->leaders[0] = 1;
        set(topics[i], "compression.type", own[i].list);
        if (own[i].key)
            set(topics[i], own[i].key, own[i].level);
    }
    size_t sent = 1;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < TOPICS; i++)
            host_send(&h, topics[i], 0, 200 + (size_t)i);
        sent += 200 * TOPICS + 21;
        for (int n = 0; n < 200 && host_stats(&h).pending; n++) {
            host_sleep(&h, 1);
            while (host_produces(&h, 1)) {
                host_expect_produce(&h, 1, &seen);
                for (size_t b = 0; b < seen.batch_count; b++)
                    assert_int_equal(seen.batches[b].codec,
                                     own[seen.batches[b].topic[1] - '0'].codec);
                host_answer(&h, 1, (const int16_t[TOPICS]){0}, seen.batch_count);
            }
        }
        assert_int_equal(h.e->compressors.count, KL_COMPRESSORS_MAX);
    }
    assert_int_equal(host_stats(&h).acked, sent);
    /* They go when nobody has used them for half a minute. */
    host_sleep(&h, 29000);
    assert_int_equal(h.e->compressors.count, KL_COMPRESSORS_MAX);
    host_sleep(&h, 2000);
    assert_int_equal(h.e->compressors.count, 0);
    send_batch(topics[4], 300);
    expect(1, KL_CODEC_ZSTD, 6 * 204, 300);
    HOST_ANSWER(&h, 1, 0);
    assert_int_equal(h.e->compressors.count, 1);
    end();
}

/* The codec of a topic changes while batches of it wait for the old one. */
static void changed_on_the_way(void **state)
{
    (void)state;
    static const char *const lists[] = {"gzip", "none", "zstd,none", "snappy", "lz4"};
    begin("gzip", 9);
    size_t sent = 1;
    for (int i = 0; i < 60; i++) {
        set(t, "compression.type", lists[i % 5]);
        host_send(&h, t, 0, (size_t)(i % 3 ? 200 : 1));
        sent += (size_t)(i % 3 ? 200 : 1);
        if (i % 2)
            host_pump(&h);
        if (i % 7 == 0)
            host_run(&h);
        while (i % 4 == 0 && host_produces(&h, 1))
            HOST_ANSWER(&h, 1, 0);
    }
    for (int n = 0; n < 50 && host_stats(&h).pending; n++) {
        host_sleep(&h, 10);
        while (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, 0);
    }
    host_expect_acked(&h, 1, sent);
    end();
}

/* ---- Ends in the middle ---- */

static void given_up_while_it_is_unfolded(void **state)
{
    (void)state;
    /* 0: purged, 1: closed, 2: no memory, and again later. */
    for (int way = 0; way < 3; way++) {
        begin("zstd,gzip", 9);
        send_batch(t, 3000);
        host_answer_only(&h, 1, (const int16_t[]){KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE}, 1);
        kl_batch *b = KL_CONTAINER_OF(kl_list_first(&h.e->reshaping), kl_batch, in_queue);
        assert_int_equal(b->stage, KL_STAGE_RESHAPING);
        if (way == 0) {
            assert_int_equal(kloop_engine_purge(h.e, NULL, KLOOP_PURGE_QUEUED, h.now), 3000);
            host_run(&h);
            host_expect_fate(&h, 2, 3001, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED);
        } else if (way == 2) {
            h.memory.nth = h.memory.calls + 1;
            host_run(&h);
            h.memory.nth = 0;
            host_sleep(&h, 2000);
            expect(1, KL_CODEC_GZIP, 1, 3000);
            HOST_ANSWER(&h, 1, 0);
            host_expect_acked(&h, 2, 3001);
        }
        host_close(&h, 0, 0);
        if (way == 1)
            host_expect_fate(&h, 2, 3001, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_CLOSED);
        host_end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_that_the_broker_takes),
        cmocka_unit_test(older_leader),
        cmocka_unit_test(not_before_the_host_has_closed),
        cmocka_unit_test(broker_refuses_a_codec),
        cmocka_unit_test(nothing_left_to_try),
        cmocka_unit_test(topic_that_an_old_broker_cannot_serve),
        cmocka_unit_test(its_time_is_over),
        cmocka_unit_test(looks_again_now_and_then),
        cmocka_unit_test(topic_that_an_old_broker_can_serve),
        cmocka_unit_test(each_topic_with_its_own),
        cmocka_unit_test(changed_on_the_way),
        cmocka_unit_test(given_up_while_it_is_unfolded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
