/* SPDX-License-Identifier: BSD-2-Clause */
/* Borrowed values: on the wire as if they had been copied, and back exactly once, not too early. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;

static kloop_status send_lent(host_topic *t, int32_t partition, size_t len)
{
    kloop_record r = {.partition = partition, .set = KLOOP_SET_PARTITION};
    host_lend(&h, &r, len);
    kloop_status status = host_send_record(&h, t, &r);
    if (status)
        host_unlend(&h, &r);
    return status;
}

/* Between records that are copied, with keys and headers, in several segments. */
static void goes_out_like_all_others(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    static const kloop_record_header headers[] = {{.key = {"h", 1}}, {.key = {"i", 1}}};
    for (size_t c = 0; c < 5; c++) {
        host_new(&h, "linger.ms", "5", "compression.type", codecs[c], NULL);
        host_topic *t = host_add_topic(&h, "events", 1);
        host_run(&h);
        for (int i = 0; i < 10; i++) {
            host_send(&h, t, 0, 3);
            assert_int_equal(send_lent(t, 0, 4096 + (size_t)i * 700), KLOOP_OK);
            kloop_record r = {
                .key = {(const uint8_t *)"key", 3}, .headers = headers, .header_count = 2};
            host_lend(&h, &r, 5000);
            assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
        }
        host_expect_lent(&h, 20);
        host_sleep(&h, 10);
        for (int i = 0; i < 100 && host_produces(&h, 1) == 0; i++)
            host_sleep(&h, 1);
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].count, 50);
        assert_int_equal(seen.batches[0].first, 1);
        /* The codec has seen them: nobody needs them any more. Else the write shows them. */
        host_expect_lent(&h, c == 0 ? 20 : 0);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 50);
        host_expect_lent(&h, 0);
        assert_int_equal(host_stats(&h).held_bytes, 0);
        host_close(&h, 1000, 1000);
        host_end(&h);
    }
}

/* What the codec does not make smaller goes out as it is, from where it is. */
static void stays_lent_when_the_codec_is_no_use(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "compression.type", "lz4", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    assert_int_equal(send_lent(t, 0, 30001), KLOOP_OK);
    host_sleep(&h, 10);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].codec, 0);
    host_expect_lent(&h, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_lent(&h, 0);
    host_end(&h);
}

/* Not a byte of it was written, its time is over, it is reported: the write still shows it. */
static void stays_while_a_write_shows_it(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "delivery.timeout.ms", "5000", "request.timeout.ms", "4000",
             NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    h.manual_write = true;
    h.manual_close = true;
    assert_int_equal(send_lent(t, 0, 50000), KLOOP_OK);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    kloop_slice slices[64];
    assert_in_range(kloop_engine_write_vec(h.e, c->id, slices, 64), 2, 64);
    host_sleep(&h, 6000);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_TIMEOUT);
    host_expect_lent(&h, 1);
    /* Only when nobody looks at its bytes any more. */
    assert_int_equal(c->state, HOST_CLOSING);
    c->state = HOST_CLOSED;
    kloop_engine_on_closed(h.e, c->id, h.now);
    host_pump(&h);
    host_expect_lent(&h, 0);
    h.manual_close = h.manual_write = false;
    host_end(&h);
}

static void is_kept_for_a_retry(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "retry.backoff.ms", "10", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    assert_int_equal(send_lent(t, 0, 20000), KLOOP_OK);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    uint64_t hash = seen.batches[0].hash;
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    host_sleep(&h, 100);
    host_expect_lent(&h, 1);
    host_expect_produce(&h, 1, &seen);
    assert_true(seen.batches[0].hash == hash);
    host_lose_connection(&h, 1, "gone");
    host_sleep(&h, 2000);
    host_expect_produce(&h, 1, &seen);
    assert_true(seen.batches[0].hash == hash);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_expect_lent(&h, 0);
    host_end(&h);
}

/* Without a byte copied: the slices of the write are the lender's memory. */
static void is_written_from_where_it_lies(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    h.manual_write = true;
    assert_int_equal(send_lent(t, 0, 50000), KLOOP_OK);
    host_run(&h);
    kloop_slice slices[64];
    size_t count = kloop_engine_write_vec(h.e, host_at(&h, 1)->id, slices, 64);
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |= slices[i].data == h.loans[0].bytes && slices[i].len == 50000;
    assert_true(found);
    /* It counts as if it were held. */
    assert_in_range(host_stats(&h).held_bytes, 50000, 53000);
    h.manual_write = false;
    host_end(&h);
}

static void is_parked_as_a_pointer(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "events", 2);
    for (int i = 0; i < 5; i++) {
        host_send(&h, t, 0, 1);
        assert_int_equal(send_lent(t, 1, 100000), KLOOP_OK);
        assert_int_equal(send_lent(t, 9, 5000), KLOOP_OK);
    }
    host_run(&h);
    host_expect_lent(&h, 10);
    assert_in_range(host_stats(&h).held_bytes, 525000, 545000);
    h.hold_metadata = false;
    host_run(&h);
    for (int i = 0; i < 10; i++) {
        while (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, 0);
        while (host_produces(&h, 2))
            HOST_ANSWER(&h, 2, 0);
        host_sleep(&h, 1);
    }
    host_expect_fate(&h, 3, 3, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PARTITION);
    host_expect_acked(&h, 2, 2);
    host_expect_acked(&h, 14, 14);
    host_expect_lent(&h, 0);
    assert_int_equal(host_stats(&h).held_bytes, 0);
    host_end(&h);
}

static void comes_back_from_a_topic_that_never_shows_up(void **state)
{
    (void)state;
    host_new(&h, "max.block.ms", "1000", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "events", 1);
    assert_int_equal(send_lent(t, 0, 5000), KLOOP_OK);
    host_sleep(&h, 2000);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_lent(&h, 0);
    host_end(&h);
}

/* What is put together anew is copied; then the lender has his bytes again. */
static void is_copied_when_its_batch_is_split(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "5", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    for (int i = 0; i < 4; i++)
        assert_int_equal(send_lent(t, 0, 9000), KLOOP_OK);
    host_sleep(&h, 10);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
    host_sleep(&h, 500);
    host_expect_lent(&h, 0);
    host_expect_pending(&h, 1, 4);
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].count, 2);
        HOST_ANSWER(&h, 1, 0);
    }
    host_expect_acked(&h, 1, 4);
    host_end(&h);
}

static void comes_back_at_once_when_it_is_short(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(send_lent(t, 0, KLOOP_BORROWED_MIN - 1 - i), KLOOP_OK);
    host_pump(&h);
    host_expect_lent(&h, 0);
    host_expect_pending(&h, 1, 100);
    kloop_engine_close(h.e, 0, h.now);
    host_run(&h);
    assert_true(h.closed);
    host_end(&h);
}

static void is_not_taken_when_it_is_refused(void **state)
{
    (void)state;
    host_new(&h, "buffer.memory", "100000", "max.request.size", "60000", "linger.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    assert_int_equal(send_lent(t, 0, 70000), KLOOP_TOO_LARGE);
    assert_int_equal(send_lent(t, 7, 7000), KLOOP_BAD_PARTITION);
    assert_int_equal(send_lent(t, 0, 50000), KLOOP_OK);
    assert_int_equal(send_lent(t, 0, 50000), KLOOP_FULL);
    assert_int_equal(send_lent(t, 7, 50), KLOOP_BAD_PARTITION);
    host_run(&h);
    host_expect_lent(&h, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_lent(&h, 0);
    assert_int_equal(h.writables, 1);
    host_end(&h);
}

static void comes_back_before_the_end(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "events", 2);
    host_run(&h);
    assert_int_equal(send_lent(t, 0, 5000), KLOOP_OK);
    host_run(&h);
    /* One in flight, one queued, one parked. */
    assert_int_equal(send_lent(t, 0, 6000), KLOOP_OK);
    host_topic *other = host_add_topic(&h, "others", 1);
    assert_int_equal(send_lent(other, 0, 7000), KLOOP_OK);
    kloop_engine_close(h.e, 0, h.now);
    host_run(&h);
    assert_true(h.closed);
    host_expect_lent(&h, 0);
    host_end(&h);
}

/* An engine that is simply gone gives nothing back, and loses no memory over it. */
static void is_forgotten_with_its_engine(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "events", 2);
    host_run(&h);
    assert_int_equal(send_lent(t, 0, 5000), KLOOP_OK);
    host_run(&h);
    assert_int_equal(send_lent(t, 0, 6000), KLOOP_OK);
    assert_int_equal(send_lent(t, 1, 60), KLOOP_OK);
    host_end(&h);
}

static void gives_up_with_a_purge(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    assert_int_equal(send_lent(t, 0, 5000), KLOOP_OK);
    assert_int_equal(kloop_engine_purge(h.e, NULL, KLOOP_PURGE_QUEUED, h.now), 1);
    host_pump(&h);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED);
    host_expect_lent(&h, 0);
    host_end(&h);
}

static void one_life(size_t nth, bool all_after, const char *codec)
{
    const char *const pairs[] = {"linger.ms",
                                 "5",
                                 "delivery.timeout.ms",
                                 "20000",
                                 "request.timeout.ms",
                                 "5000",
                                 "compression.type",
                                 codec,
                                 NULL};
    host_prepare(&h, nth);
    h.memory.all_after = all_after;
    if (host_open(&h, pairs)) {
        host_end(&h);
        return;
    }
    host_topic *t = host_add_topic(&h, "events", 1);
    for (int round = 0; round < 2 && t->handle; round++) {
        for (size_t i = 0; i < 20; i++) {
            kloop_status status = send_lent(t, 0, 3000 + 200 * i);
            assert_true(status == KLOOP_OK || status == KLOOP_NO_MEMORY);
        }
        host_sleep(&h, 3000);
        if (host_produces(&h, 1) > 0)
            HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
        host_sleep(&h, 3000);
        while (host_produces(&h, 1) > 0)
            HOST_ANSWER(&h, 1, 0);
    }
    host_close(&h, 1000, 60000);
    host_expect_lent(&h, 0);
    host_end(&h);
}

static void comes_back_with_every_allocation_failing(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "lz4"};
    for (int i = 0; i < 4; i++) {
        for (size_t nth = 1;; nth++) {
            one_life(nth, i % 2, codecs[i / 2]);
            if (h.memory.refused == 0)
                break;
        }
    }
}

/* What a short loan takes until it is given back is no reason to refuse the only record there is:
 * nothing would ever make room for it. */
static void is_taken_where_it_is_alone(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "max.request.size", "100000", "buffer.memory", "100000", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    static const uint8_t key[99000];
    kloop_record r = {.key = {key, sizeof key}};
    host_lend(&h, &r, 500);
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    host_pump(&h);
    host_expect_lent(&h, 0);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    assert_int_equal(host_stats(&h).held_bytes, 0);
    host_end(&h);
}

/* A loan of nothing is one all the same. */
static void may_be_null(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    int lender;
    const kloop_record r = {.set = KLOOP_SET_BORROWED, .lender = &lender};
    assert_int_equal(kloop_engine_send(t->handle, &r), KLOOP_OK);
    size_t released = 0;
    kloop_engine_close(h.e, 0, h.now);
    kloop_action a;
    while (kloop_engine_next(h.e, &a)) {
        if (a.kind != KLOOP_ACT_RELEASE)
            continue;
        assert_int_equal(a.loan_count, 1);
        assert_ptr_equal(a.loans[0].lender, &lender);
        assert_null(a.loans[0].value.data);
        assert_int_equal(a.loans[0].value.len, 0);
        released++;
    }
    assert_int_equal(released, 1);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_out_like_all_others),
        cmocka_unit_test(stays_lent_when_the_codec_is_no_use),
        cmocka_unit_test(stays_while_a_write_shows_it),
        cmocka_unit_test(is_kept_for_a_retry),
        cmocka_unit_test(is_written_from_where_it_lies),
        cmocka_unit_test(is_parked_as_a_pointer),
        cmocka_unit_test(comes_back_from_a_topic_that_never_shows_up),
        cmocka_unit_test(is_copied_when_its_batch_is_split),
        cmocka_unit_test(comes_back_at_once_when_it_is_short),
        cmocka_unit_test(is_taken_where_it_is_alone),
        cmocka_unit_test(may_be_null),
        cmocka_unit_test(is_not_taken_when_it_is_refused),
        cmocka_unit_test(comes_back_before_the_end),
        cmocka_unit_test(is_forgotten_with_its_engine),
        cmocka_unit_test(gives_up_with_a_purge),
        cmocka_unit_test(comes_back_with_every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
