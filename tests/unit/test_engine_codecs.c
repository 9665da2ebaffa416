/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches through a codec: in pieces, in order, and as they are where it does not pay. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;
static host_topic *t;

static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};

static void begin(const char *codec, const char *linger_ms)
{
    host_new(&h, "linger.ms", linger_ms, "compression.type", codec, NULL);
    t = host_add_topic(&h, "t", 2);
    t->leaders[0] = t->leaders[1] = 1;
    host_send(&h, t, 0, 1);
    kloop_engine_flush(h.e, NULL, h.now);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
}

static void end(void)
{
    host_close(&h, 0, 0);
    host_end(&h);
}

/* The reader unfolds them and looks at every record. */
static void all_of_them(void **state)
{
    (void)state;
    for (int codec = 1; codec < 5; codec++) {
        begin(codecs[codec], "10");
        host_send(&h, t, 0, 5000);
        host_send(&h, t, 1, 700);
        host_sleep(&h, 10);
        size_t batches = 0;
        while (host_produces(&h, 1)) {
            host_expect_produce(&h, 1, &seen);
            for (size_t i = 0; i < seen.batch_count; i++, batches++) {
                assert_int_equal(seen.batches[i].codec, codec);
                assert_true(seen.batches[i].len < (size_t)seen.batches[i].count * 14);
            }
            host_answer(&h, 1, (const int16_t[2]){0}, seen.batch_count);
        }
        assert_int_equal(batches, 2);
        host_expect_acked(&h, 2, 5701);
        host_expect_no_line(&h, "uncompressed");
        end();
    }
}

static void raw_when_it_does_not_get_smaller(void **state)
{
    (void)state;
    for (int codec = 1; codec < 5; codec++) {
        begin(codecs[codec], "0");
        kloop_record r = {.value = {(const uint8_t *)"\x8f\x11\xe7", 3},
                          .set = KLOOP_SET_PARTITION};
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
        host_run(&h);
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].codec, 0);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 2, 2);
        end();
    }
}

/* A turn does so much and no more; the deadline is now while work is left. */
static void steps_are_bounded(void **state)
{
    (void)state;
    static const int least_turns[] = {0, 20, 1, 1, 1};
    for (int codec = 1; codec < 5; codec++) {
        begin(codecs[codec], "1000");
        for (int i = 0; i < 900; i++)
            assert_int_equal(host_send_bytes(&h, t, 0, 1000), KLOOP_OK);
        kloop_engine_flush(h.e, NULL, h.now);
        int turns = 0;
        host_pump(&h);
        while (kloop_engine_deadline(h.e) <= h.now.mono_ns) {
            assert_int_equal(host_produces(&h, 1), 0);
            kloop_engine_on_time(h.e, h.now);
            host_pump(&h);
            turns++;
            assert_true(turns < 1000);
        }
        assert_true(turns >= least_turns[codec]);
        assert_int_equal(host_produces(&h, 1), 1);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 2, 901);
        end();
    }
}

static void order_is_kept(void **state)
{
    (void)state;
    for (int codec = 1; codec < 5; codec++) {
        begin(codecs[codec], "0");
        size_t next = 2;
        for (int i = 0; i < 60; i++) {
            host_send(&h, t, 0, i % 2 ? 1 : 300);
            if (i % 3)
                host_pump(&h);
            if (i % 7 == 0)
                host_run(&h);
            while (i % 5 == 0 && host_produces(&h, 1)) {
                host_expect_produce(&h, 1, &seen);
                assert_int_equal(seen.batches[0].first, next);
                next = seen.batches[0].last + 1;
                HOST_ANSWER(&h, 1, 0);
            }
        }
        for (int i = 0; i < 50 && host_stats(&h).pending; i++) {
            host_run(&h);
            while (host_produces(&h, 1)) {
                host_expect_produce(&h, 1, &seen);
                assert_int_equal(seen.batches[0].first, next);
                next = seen.batches[0].last + 1;
                HOST_ANSWER(&h, 1, 0);
            }
        }
        assert_int_equal(next, h.user_count + 1);
        host_expect_acked(&h, 2, h.user_count);
        end();
    }
}

/* Its time is over while the codec has it, or is about to. */
static void given_up_while_it_is_folded(void **state)
{
    (void)state;
    for (int codec = 1; codec < 5; codec++) {
        begin(codecs[codec], "1000");
        for (int i = 0; i < 900; i++) {
            assert_int_equal(host_send_bytes(&h, t, 0, 1000), KLOOP_OK);
            assert_int_equal(host_send_bytes(&h, t, 1, 1000), KLOOP_OK);
        }
        kloop_engine_flush(h.e, NULL, h.now);
        host_pump(&h);
        h.now.mono_ns += UINT64_C(200000000000);
        kloop_engine_on_time(h.e, h.now);
        host_run(&h);
        assert_int_equal(host_stats(&h).pending, 0);
        host_expect_fate(&h, 2, 1801, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
        /* The codec is fit for the next one. */
        host_sleep(&h, 2000);
        host_send(&h, t, 0, 500);
        kloop_engine_flush(h.e, NULL, h.now);
        host_sleep(&h, 2000);
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].codec, codec);
        host_answer(&h, 1, (const int16_t[2]){0}, seen.batch_count);
        host_expect_acked(&h, 1802, 2301);
        end();
    }
}

static void closed_while_it_is_folded(void **state)
{
    (void)state;
    for (int codec = 1; codec < 5; codec++) {
        begin(codecs[codec], "1000");
        for (int i = 0; i < 900; i++)
            assert_int_equal(host_send_bytes(&h, t, 0, 1000), KLOOP_OK);
        kloop_engine_flush(h.e, NULL, h.now);
        kloop_action a;
        kloop_engine_next_io(h.e, &a);
        if (codec % 2) {
            /* Without a word. */
            host_end(&h);
            continue;
        }
        host_close(&h, 0, 0);
        host_end(&h);
    }
}

/* zstd came with Produce 7: an older broker gets none of it, and the reason is told. */
static void old_broker_gets_no_zstd(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "compression.type", "zstd", "delivery.timeout.ms", "40000",
             NULL);
    h.max_version[KLOOP_PRODUCE] = 6;
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 500);
    host_sleep(&h, 41000);
    host_expect_fate(&h, 1, 500, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_text(&h, 1, "compression.type");
    for (int i = 0; i < h.conn_count; i++)
        for (size_t n = 0; n < h.conns[i].request_count; n++)
            assert_true(h.conns[i].requests[n].api != KLOOP_PRODUCE);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_them),
        cmocka_unit_test(raw_when_it_does_not_get_smaller),
        cmocka_unit_test(steps_are_bounded),
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(given_up_while_it_is_folded),
        cmocka_unit_test(closed_while_it_is_folded),
        cmocka_unit_test(old_broker_gets_no_zstd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
