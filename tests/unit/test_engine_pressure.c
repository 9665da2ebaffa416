/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer.memory: what is refused, what is held, and when there is room again. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;
static host_topic *t;

static void begin(const char *memory, const char *codec)
{
    host_new(&h, "linger.ms", "100", "buffer.memory", memory, "max.request.size", "50000",
             "batch.size", "20000", "compression.type", codec, "request.timeout.ms", "5000",
             "delivery.timeout.ms", "20000", "reconnect.backoff.ms", "10", NULL);
    t = host_add_topic(&h, "t", 8);
    for (int i = 0; i < 8; i++)
        t->leaders[i] = 1;
    host_run(&h);
}

static void answer_all(void)
{
    for (int i = 0; i < 1000 && host_produces(&h, 1); i++) {
        host_expect_produce(&h, 1, &seen);
        host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    }
}

/* Sends records of len bytes until one is refused; answers how many were taken. */
static size_t fill(size_t len)
{
    size_t count = 0;
    kloop_status status;
    while ((status = host_send_bytes(&h, t, (int32_t)(count % 8), len)) == KLOOP_OK)
        count++;
    assert_int_equal(status, KLOOP_FULL);
    return count;
}

static void full_and_writable(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 10, 300, 1000, 5000, 40000};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        begin("1000000", "none");
        size_t count = fill(lens[i]);
        assert_true(count > 5);
        /* A batch of 20,000 bytes lies in 70,000, and the next one is reckoned at its worst. */
        if (lens[i] >= 1000 && count * lens[i] < 100000)
            fail_msg("%zu records of %zu bytes", count, lens[i]);
        assert_true(kloop_engine_busy(h.e));
        assert_int_equal(host_stats(&h).refused_full, 1);
        assert_true(host_stats(&h).held_bytes <= 1000000);
        /* Asked again: refused again, and told once. */
        assert_int_equal(host_send_bytes(&h, t, (int32_t)(count % 8), lens[i]), KLOOP_FULL);
        assert_int_equal(h.writables, 0);
        /* Nothing lingers now. */
        host_run(&h);
        assert_true(host_produces(&h, 1) > 0);
        answer_all();
        assert_int_equal(h.writables, 1);
        host_sleep(&h, 200);
        answer_all();
        host_expect_acked(&h, 1, count);
        assert_int_equal(h.writables, 1);
        assert_int_equal(host_stats(&h).held_bytes, 0);
        assert_false(kloop_engine_busy(h.e));
        assert_true(h.held_max <= 1000000);
        /* And once more. */
        fill(lens[i]);
        host_run(&h);
        answer_all();
        assert_int_equal(h.writables, 2);
        host_close(&h, 0, 0);
        host_end(&h);
    }
}

/* There is room for what was refused when WRITABLE says so. */
static void writable_is_no_lie(void **state)
{
    (void)state;
    begin("500000", "none");
    int early = 0;
    for (int round = 0; round < 30; round++) {
        size_t len = round % 3 == 0 ? 40000 : 500;
        while (host_send_bytes(&h, t, round % 8, round % 2 ? 300 : 7000) == KLOOP_OK)
            ;
        while (host_send_bytes(&h, t, round % 8, len) == KLOOP_OK)
            ;
        int told = h.writables;
        host_run(&h);
        for (int i = 0; i < 1000 && h.writables == told; i++) {
            if (!host_produces(&h, 1))
                host_sleep(&h, 100);
            host_expect_produce(&h, 1, &seen);
            host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
        }
        assert_int_equal(h.writables, told + 1);
        early += host_stats(&h).pending > 0;
        assert_int_equal(host_send_bytes(&h, t, round % 8, len), KLOOP_OK);
        assert_true(h.held_max <= 500000);
    }
    /* Nor does it wait until nothing is left. */
    assert_true(early > 10);
    host_close(&h, 0, 0);
    host_end(&h);
}

/* All records were reported, but a late answer holds their memory. Whoever waits for WRITABLE gets
 * it with that answer, or the end of the connection. */
static void memory_of_ghosts_comes_back(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        host_new(&h, "linger.ms", "0", "buffer.memory", "300000", "max.request.size", "50000",
                 "request.timeout.ms", "20000", "delivery.timeout.ms", "20000", NULL);
        t = host_add_topic(&h, "t", 8);
        for (int i = 0; i < 8; i++)
            t->leaders[i] = 1;
        host_send(&h, t, 0, 1);
        host_run(&h);
        host_sleep(&h, 1000);
        fill(5000);
        host_run(&h);
        host_sleep(&h, 15000);
        answer_all();
        assert_int_equal(h.writables, 1);
        /* The next ones: the answer just now has renewed the clock, and delivery is over before it.
         */
        fill(5000);
        host_run(&h);
        host_sleep(&h, 10000);
        if (host_produces(&h, 1) > 1) {
            host_expect_produce(&h, 1, &seen);
            host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
        }
        host_sleep(&h, 10100);
        if (host_stats(&h).held_bytes == 0) {
            host_end(&h);
            continue;
        }
        if (lost)
            host_lose_connection(&h, 1, "gone");
        else
            answer_all();
        host_sleep(&h, 100);
        assert_int_equal(host_stats(&h).pending, 0);
        assert_int_equal(h.writables, 2);
        host_end(&h);
    }
}

/* The answer of a ghost frees its memory; nothing else happens that could tell of it. */
static void late_answer_makes_writable(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "buffer.memory", "300000", "max.request.size", "200000",
             "batch.size", "200000", "request.bytes.max", "200000", "request.timeout.ms", "5000",
             "delivery.timeout.ms", "5000", NULL);
    t = host_add_topic(&h, "t", 2);
    t->leaders[0] = t->leaders[1] = 1;
    host_send(&h, t, 0, 1);
    host_send(&h, t, 1, 1);
    host_run(&h);
    answer_all();
    host_sleep(&h, 2000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 100);
    assert_int_equal(host_send_bytes(&h, t, 1, 180000), KLOOP_OK);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 2);
    host_sleep(&h, 4800);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 300);
    host_expect_fate(&h, 4, 4, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_TIMEOUT);
    assert_int_equal(host_stats(&h).pending, 0);
    assert_int_equal(host_send_bytes(&h, t, 1, 180000), KLOOP_FULL);
    host_run(&h);
    assert_int_equal(h.writables, 0);
    HOST_ANSWER(&h, 1, 0);
    assert_int_equal(h.writables, 1);
    host_end(&h);
}

/* A buffer.memory that is allowed is large enough for every record that is, though blocks are
 * larger than records: one that was alone was once refused for good. */
static void one_record_always_goes(void **state)
{
    (void)state;
    for (int parked = 0; parked < 2; parked++) {
        host_new(&h, "linger.ms", "0", "buffer.memory", "50000", "max.request.size", "50000", NULL);
        h.hold_metadata = parked;
        t = host_add_topic(&h, "t", 1);
        t->leaders[0] = 1;
        size_t largest = 50000 - 61 - 20;
        while (host_send_bytes(&h, t, 0, largest) == KLOOP_TOO_LARGE)
            largest--;
        assert_true(largest > 49900);
        assert_int_equal(host_send_bytes(&h, t, 0, largest), KLOOP_FULL);
        char text[400];
        static const uint8_t bytes[50000];
        kloop_record r = {.value = {bytes, largest}, .set = KLOOP_SET_PARTITION};
        kloop_send_error(t->handle, &r, KLOOP_FULL, text, sizeof text);
        assert_non_null(strstr(text, "topic 't': buffer.memory=50000 is used up ("));
        assert_non_null(strstr(text, "the record takes 50000, "));
        r.value.len = largest + 1;
        kloop_send_error(t->handle, &r, KLOOP_TOO_LARGE, text, sizeof text);
        assert_non_null(strstr(text, "takes 50001 bytes"));
        assert_non_null(strstr(text, "max.request.size=50000"));
        for (int n = 0; n < 5; n++) {
            h.hold_metadata = false;
            host_run(&h);
            HOST_ANSWER(&h, 1, 0);
            assert_int_equal(host_stats(&h).held_bytes, 0);
            assert_int_equal(h.writables, n + 1);
            assert_int_equal(host_send_bytes(&h, t, 0, largest), KLOOP_OK);
            assert_int_equal(host_send_bytes(&h, t, 0, largest), KLOOP_FULL);
        }
        assert_true(h.held_max <= 50000 + 3 * 65536);
        host_end(&h);
    }
}

static void codecs_stay_near_the_limit(void **state)
{
    (void)state;
    static const char *const codecs[] = {"gzip", "snappy", "lz4", "zstd"};
    for (size_t i = 0; i < 4; i++) {
        begin("1000000", codecs[i]);
        size_t all = 0;
        for (int round = 0; round < 4; round++) {
            all += fill(700);
            host_run(&h);
            answer_all();
            host_sleep(&h, 200);
            answer_all();
        }
        host_expect_acked(&h, 1, all);
        assert_int_equal(h.writables, 4);
        /* A batch, and what the codec makes of it. */
        if (h.held_max > 1000000 + 2 * (20000 + 70000))
            fail_msg("%s: %zu bytes were held", codecs[i], h.held_max);
        assert_int_equal(host_stats(&h).held_bytes, 0);
        host_close(&h, 0, 0);
        host_end(&h);
    }
}

static void parked_records_count_too(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "buffer.memory", "1000000", "max.request.size", "50000", NULL);
    h.hold_metadata = true;
    t = host_add_topic(&h, "t", 8);
    for (int i = 0; i < 8; i++)
        t->leaders[i] = 1;
    size_t count = fill(100);
    assert_true(count > 2000);
    assert_true(host_stats(&h).held_bytes <= 1000000);
    host_run(&h);
    assert_int_equal(h.writables, 0);
    h.hold_metadata = false;
    host_run(&h);
    for (int i = 0; i < 500 && host_stats(&h).pending; i++) {
        answer_all();
        host_sleep(&h, 10);
    }
    host_expect_acked(&h, 1, count);
    assert_int_equal(h.writables, 1);
    /* They were held twice once, from the first to the last. */
    assert_true(h.held_max <= 1000000 + 200000);
    host_end(&h);
}

static void memory_is_given_back_after_a_burst(void **state)
{
    (void)state;
    begin("10000000", "none");
    fill(5000);
    host_run(&h);
    for (int i = 0; i < 100 && host_stats(&h).pending; i++) {
        answer_all();
        host_sleep(&h, 100);
    }
    assert_int_equal(host_stats(&h).pending, 0);
    assert_true(h.memory.peak_bytes > 9000000);
    host_sleep(&h, 240000);
    /* Some of it stays for the next one. */
    if (h.memory.live_bytes > 1500000)
        fail_msg("%zu bytes are left", h.memory.live_bytes);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_and_writable),
        cmocka_unit_test(writable_is_no_lie),
        cmocka_unit_test(memory_of_ghosts_comes_back),
        cmocka_unit_test(late_answer_makes_writable),
        cmocka_unit_test(one_record_always_goes),
        cmocka_unit_test(codecs_stay_near_the_limit),
        cmocka_unit_test(parked_records_count_too),
        cmocka_unit_test(memory_is_given_back_after_a_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
