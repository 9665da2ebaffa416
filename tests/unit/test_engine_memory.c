/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that runs out, at every single allocation of whole lives and for good: nothing crashes,
 * nothing is lost, nothing is reported twice, all memory comes back. What host checks in passing is
 * most of the test.
 */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;

static void answer_all(int16_t first)
{
    for (int node = 1; node <= 3; node++) {
        host_conn *c = host_find(&h, node);
        while (c && c->state == HOST_UP && host_waiting(c) &&
               host_first(&h, c)->api == KLOOP_PRODUCE) {
            host_expect_produce(&h, node, &seen);
            int16_t codes[HOST_BATCHES_MAX] = {first};
            host_answer(&h, node, codes, seen.batch_count);
            first = 0;
        }
    }
}

/* A flush may be refused; then it never comes. */
static size_t flushes;

static void flush(void)
{
    kloop_status status = kloop_engine_flush(h.e, NULL, h.now);
    assert_true(status == KLOOP_OK || status == KLOOP_NO_MEMORY);
    flushes += status == KLOOP_OK;
}

static size_t taken;

static void send_one(host_topic *t, int32_t partition, size_t len, uint32_t headers)
{
    if (!t->handle)
        return;
    static uint8_t bytes[80000];
    static const kloop_record_header header[2] = {{.key = {"k", 1}}, {.key = {"l", 1}}};
    kloop_record r = {.key = {bytes, len / 2},
                      .value = {bytes, len - len / 2},
                      .headers = header,
                      .header_count = headers};
    if (partition >= 0) {
        r.set = KLOOP_SET_PARTITION;
        r.partition = partition;
    }
    kloop_status status = host_send_record(&h, t, &r);
    assert_true(status == KLOOP_OK || status == KLOOP_NO_MEMORY);
    taken += status == KLOOP_OK;
}

/* Parked records, a codec, a flush, several leaders, a retry, a lost connection, a gap, the end. */
static void one_life(size_t nth, bool all_after, const char *codec)
{
    const char *const pairs[] = {"linger.ms",
                                 "5",
                                 "compression.type",
                                 codec,
                                 "delivery.timeout.ms",
                                 "20000",
                                 "request.timeout.ms",
                                 "5000",
                                 "max.block.ms",
                                 "9000",
                                 "reconnect.backoff.ms",
                                 "10",
                                 "batch.size",
                                 "30000",
                                 "metadata.max.age.ms",
                                 "3000",
                                 NULL};
    host_prepare(&h, nth);
    h.memory.all_after = all_after;
    taken = 0;
    flushes = 0;
    if (host_open(&h, pairs)) {
        assert_int_equal(h.error.status, KLOOP_NO_MEMORY);
        assert_true(h.error.text[0] != '\0');
        host_end(&h);
        return;
    }
    host_topic *t = host_add_topic(&h, "events", 3);
    host_topic *u = host_add_topic(&h, "others", 2);
    for (int i = 0; i < 40; i++) {
        send_one(t, i % 4, i % 10 == 0 ? 3000 : 40, 0);
        send_one(u, -1, 100, i % 3 == 0 ? 2 : 0);
    }
    flush();
    host_run(&h);
    host_sleep(&h, 20);
    answer_all(0);
    for (int i = 0; i < 60; i++)
        send_one(t, i % 3, i % 20 == 0 ? 20000 : 60, i % 7 == 0 ? 1 : 0);
    host_sleep(&h, 20);
    answer_all(19);
    host_sleep(&h, 300);
    if (host_find(&h, 1))
        host_lose_connection(&h, 1, "gone");
    send_one(t, 0, 100, 0);
    host_sleep(&h, 300);
    answer_all(10);
    send_one(t, 0, 70000, 0);
    send_one(t, 1, 10, 0);
    flush();
    for (int i = 0; i < 10; i++) {
        host_sleep(&h, 400);
        answer_all(0);
    }
    /* From now on there is memory again; so everything ends well. */
    h.memory.nth = 0;
    host_sleep(&h, 21000);
    kloop_stats s = host_stats(&h);
    assert_int_equal(s.accepted, taken);
    assert_int_equal(s.pending, 0);
    assert_int_equal(s.held_bytes, 0);
    assert_int_equal(h.flushed_count, flushes);
    if (t->handle)
        send_one(t, 2, 10, 0);
    kloop_engine_close(h.e, 5000, h.now);
    for (int i = 0; i < 20 && !h.closed; i++) {
        host_sleep(&h, 300);
        answer_all(0);
    }
    assert_true(h.closed);
    host_end(&h);
}

static void each_allocation_fails_once(const char *codec)
{
    for (size_t nth = 1;; nth++) {
        one_life(nth, false, codec);
        if (h.memory.refused == 0)
            break;
        assert_true(nth < 100000);
    }
}

static void each_fails_once(void **state)
{
    (void)state;
    each_allocation_fails_once("none");
}

static void each_fails_once_with_a_codec(void **state)
{
    (void)state;
    each_allocation_fails_once("lz4");
}

/* No memory from here to the end. Requests that could not be made were tried again at once, for
 * ever, inside one call. */
static void all_fail_from_here(void **state)
{
    (void)state;
    one_life(0, false, "none");
    size_t calls = h.memory.calls;
    assert_true(calls > 50);
    for (size_t nth = 1; nth <= calls + 1; nth += nth < 200 ? 1 : 3)
        one_life(nth, true, nth % 2 ? "none" : "zstd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fails_once),
        cmocka_unit_test(each_fails_once_with_a_codec),
        cmocka_unit_test(all_fail_from_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
