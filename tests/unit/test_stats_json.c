/* SPDX-License-Identifier: BSD-2-Clause */
/* A snapshot under librdkafka's names, read by our own strict reader, and cut at every place. */
#include "tests/support/json_reading.h"
#include "tests/support/some_snapshot.h"

#include <kloop/stats_text.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_MAX 65536

static kl_some_snapshot s;
static char whole[TEXT_MAX];

static size_t write_all(const kloop_snapshot *of, const kloop_snapshot *since, char *to,
                        size_t size, size_t step)
{
    kloop_text_place at = {0};
    size_t len = 0;
    for (size_t n;
         (n = kloop_json(of, since, &at, to + len, step < size - len ? step : size - len)) > 0;)
        len += n;
    assert_true(len < size);
    assert_int_equal(kloop_json(of, since, &at, to + len, size - len), 0);
    to[len] = '\0';
    return len;
}

static int begin(void **state)
{
    kl_some_snapshot_make(&s);
    memset(whole, 0, sizeof whole);
    return kl_json_reading_set_up(state);
}

static kl_json *child(kl_json *of, const char *name)
{
    kl_json *hint = NULL;
    kl_json *v = kl_json_take(of, name, &hint);
    if (!v)
        fail_msg("there is no '%s'", name);
    return v;
}

static int64_t number(kl_json *of, const char *name)
{
    kl_json *v = child(of, name);
    if (kl_json_type_of(v) != KL_JSON_INTEGER)
        fail_msg("'%s' is %s", name, kl_json_type_name(kl_json_type_of(v)));
    return v->as.integer;
}

static void string_is(kl_json *of, const char *name, const char *text)
{
    kl_json_assert_text(child(of, name), text, strlen(text));
}

static void names_and_numbers(void **state)
{
    write_all(&s.is, NULL, whole, sizeof whole, sizeof whole);
    kl_json *j = kl_json_reading_ok(*state, whole);
    string_is(j, "client_id", "a \"b\"\\\n\xc3\xa4");
    string_is(j, "type", "producer");
    assert_int_equal(number(j, "ts"), 99000001);
    assert_int_equal(number(j, "time"), 1700000000);
    assert_int_equal(number(j, "age"), 60000000);
    assert_int_equal(number(j, "msg_cnt"), 77);
    assert_int_equal(number(j, "msg_size"), 8192);
    assert_int_equal(number(j, "msg_size_max"), 67108864);
    assert_int_equal(number(j, "tx"), 106);
    assert_int_equal(number(j, "tx_bytes"), 70100);
    assert_int_equal(number(j, "rx"), 104);
    assert_int_equal(number(j, "rx_bytes"), 3100);
    assert_int_equal(number(j, "txmsgs"), 1050);
    assert_int_equal(number(j, "txmsg_bytes"), 66000);
    assert_int_equal(number(j, "metadata_cache_cnt"), 3);
    kl_json *brokers = child(j, "brokers");
    assert_int_equal(brokers->count, 3);
    kl_json *b = child(brokers, "b1.example:9093/1");
    string_is(b, "nodename", "b1.example:9093");
    string_is(b, "state", "UP");
    string_is(b, "source", "learned");
    string_is(b, "trouble", "said \"no\"\n\tand \\ \xef\xbf\xbd went");
    assert_int_equal(number(b, "nodeid"), 1);
    assert_int_equal(number(b, "stateage"), 5000000);
    assert_int_equal(number(b, "outbuf_cnt"), 1);
    assert_int_equal(number(b, "waitresp_cnt"), 2);
    assert_int_equal(number(b, "txretries"), 7);
    assert_int_equal(number(b, "req_timeouts"), 1);
    kl_json *rtt = child(b, "rtt");
    assert_int_equal(number(rtt, "cnt"), 100);
    assert_int_equal(number(rtt, "sum"), 505000);
    assert_int_equal(number(rtt, "avg"), 5050);
    assert_int_equal(number(rtt, "max"), 10000);
    assert_in_range(number(rtt, "min"), 90, 100);
    assert_in_range(number(rtt, "p50"), 5000, 5700);
    assert_in_range(number(rtt, "p99"), 9900, 10000);
    assert_in_range(number(rtt, "stddev"), 2800, 3000);
    /* In milliseconds, as there. */
    assert_int_equal(number(child(b, "throttle"), "avg"), 250);
    assert_int_equal(number(child(b, "throttle"), "cnt"), 2);
    assert_int_equal(number(child(b, "int_latency"), "cnt"), 100);
    assert_int_equal(number(child(b, "outbuf_latency"), "cnt"), 100);
    b = child(brokers, "boot.example:9092/bootstrap");
    assert_int_equal(number(b, "nodeid"), -1);
    string_is(b, "source", "configured");
    assert_int_equal(number(child(b, "rtt"), "cnt"), 0);
    string_is(child(brokers, "::1:9094/2"), "state", "DOWN");
    kl_json *topics = child(j, "topics");
    assert_int_equal(topics->count, 3);
    kl_json *t = child(topics, "events");
    string_is(t, "topic", "events");
    assert_int_equal(number(t, "metadata_age"), 1500);
    assert_int_equal(number(child(t, "batchcnt"), "avg"), 10);
    assert_int_equal(number(child(t, "batchsize"), "cnt"), 95);
    kl_json *partitions = child(t, "partitions");
    assert_int_equal(partitions->count, 3);
    kl_json *p = child(partitions, "2");
    assert_int_equal(number(p, "leader"), -1);
    assert_int_equal(number(p, "msgq_cnt"), 12);
    assert_int_equal(number(p, "msgq_bytes"), 1200);
    assert_int_equal(number(p, "txmsgs"), 300);
    string_is(p, "waiting", "leader");
    assert_int_equal(number(child(partitions, "0"), "msgs_inflight"), 5);
    assert_int_equal(child(child(topics, "unknown"), "partitions")->count, 0);
    assert_int_equal(child(child(topics, "logs"), "partitions")->count, 2);
    kl_json *eos = child(j, "eos");
    string_is(eos, "idemp_state", "Assigned");
    assert_int_equal(number(eos, "producer_id"), 4000);
    assert_int_equal(number(eos, "producer_epoch"), 2);
}

/* Programs with a fixed struct fail at the first name that is missing. */
static void all_that_readers_of_librdkafkas_rely_on(void **state)
{
    static const char *const of_producer[] = {
        "name",         "client_id",   "type",        "ts",
        "time",         "age",         "replyq",      "msg_cnt",
        "tx",           "msg_size",    "rx",          "tx_bytes",
        "rx_bytes",     "txmsgs",      "rxmsgs",      "msg_max",
        "eos",          "simple_cnt",  "brokers",     "topics",
        "msg_size_max", "txmsg_bytes", "rxmsg_bytes", "metadata_cache_cnt"};
    static const char *const of_broker[] = {"name",        "nodeid",       "nodename",
                                            "source",      "state",        "stateage",
                                            "outbuf_cnt",  "waitresp_cnt", "outbuf_msg_cnt",
                                            "tx",          "txbytes",      "waitresp_msg_cnt",
                                            "txerrs",      "txretries",    "txidle",
                                            "rx",          "rxbytes",      "req_timeouts",
                                            "rxerrs",      "rxidle",       "rxcorriderrs",
                                            "rxpartial",   "req",          "zbuf_grow",
                                            "buf_grow",    "wakeups",      "connects",
                                            "disconnects", "rtt",          "int_latency",
                                            "throttle",    "toppars",      "outbuf_latency"};
    static const char *const of_window[] = {"min",    "max",        "avg",     "sum", "stddev",
                                            "p50",    "p75",        "p90",     "p95", "p99",
                                            "p99_99", "outofrange", "hdrsize", "cnt"};
    static const char *const of_partition[] = {
        "partition",     "broker",           "leader",       "desired",
        "unknown",       "msgq_cnt",         "msgq_bytes",   "xmit_msgq_cnt",
        "fetchq_cnt",    "xmit_msgq_bytes",  "fetchq_size",  "fetch_state",
        "query_offset",  "next_offset",      "app_offset",   "eof_offset",
        "stored_offset", "committed_offset", "lo_offset",    "commited_offset",
        "hi_offset",     "ls_offset",        "consumer_lag", "txmsgs",
        "txbytes",       "rxmsgs",           "rxbytes",      "msgs",
        "rx_ver_drops",  "msgs_inflight",    "next_ack_seq", "next_err_seq",
        "acked_msgid"};
    write_all(&s.is, NULL, whole, sizeof whole, sizeof whole);
    kl_json *j = kl_json_reading_ok(*state, whole);
    for (size_t i = 0; i < sizeof of_producer / sizeof of_producer[0]; i++)
        child(j, of_producer[i]);
    kl_json *b = child(child(j, "brokers"), "::1:9094/2");
    for (size_t i = 0; i < sizeof of_broker / sizeof of_broker[0]; i++)
        child(b, of_broker[i]);
    for (size_t i = 0; i < sizeof of_window / sizeof of_window[0]; i++) {
        child(child(b, "rtt"), of_window[i]);
        child(child(child(child(j, "topics"), "logs"), "batchsize"), of_window[i]);
    }
    kl_json *p = child(child(child(child(j, "topics"), "logs"), "partitions"), "1");
    for (size_t i = 0; i < sizeof of_partition / sizeof of_partition[0]; i++)
        child(p, of_partition[i]);
}

static void between_two(void **state)
{
    static kl_some_snapshot later;
    kl_some_snapshot_make(&later);
    kloop_histogram_add(&later.rtt_us, 7, 3);
    later.topics[0].sent += 6;
    later.topics[0].sent_batches += 2;
    later.topics[0].sent_bytes += 600;
    write_all(&later.is, &s.is, whole, sizeof whole, sizeof whole);
    kl_json *j = kl_json_reading_ok(*state, whole);
    kl_json *rtt = child(child(child(j, "brokers"), "b1.example:9093/1"), "rtt");
    assert_int_equal(number(rtt, "cnt"), 3);
    assert_int_equal(number(rtt, "sum"), 21);
    assert_int_equal(number(rtt, "p99"), 7);
    assert_int_equal(number(rtt, "max"), 7);
    kl_json *t = child(child(j, "topics"), "events");
    assert_int_equal(number(child(t, "batchcnt"), "avg"), 3);
    assert_int_equal(number(child(t, "batchsize"), "sum"), 600);
    /* Counters are not windows. */
    assert_int_equal(number(j, "txmsgs"), 1050);
}

/* A broker that was forgotten and is known again has less than before. */
static void between_two_with_a_broker_that_is_new(void **state)
{
    static kl_some_snapshot later;
    kl_some_snapshot_make(&later);
    memset(&later.rtt_us, 0, sizeof later.rtt_us);
    kloop_histogram_add(&later.rtt_us, 9, 1);
    write_all(&later.is, &s.is, whole, sizeof whole, sizeof whole);
    kl_json *j = kl_json_reading_ok(*state, whole);
    kl_json *rtt = child(child(child(j, "brokers"), "b1.example:9093/1"), "rtt");
    assert_int_equal(number(rtt, "cnt"), 1);
    assert_int_equal(number(rtt, "max"), 9);
}

/* It may also have more by now, though of other values: these were taken from those that it never
 * had, and numbers came out of the size of 2^64. */
static void between_two_with_a_new_broker_that_is_busy(void **state)
{
    static kl_some_snapshot later;
    kl_some_snapshot_make(&later);
    memset(&later.rtt_us, 0, sizeof later.rtt_us);
    kloop_histogram_add(&later.rtt_us, 9, 1000);
    write_all(&later.is, &s.is, whole, sizeof whole, sizeof whole);
    kl_json *j = kl_json_reading_ok(*state, whole);
    kl_json *rtt = child(child(child(j, "brokers"), "b1.example:9093/1"), "rtt");
    assert_int_equal(number(rtt, "cnt"), 1000);
    assert_int_equal(number(rtt, "sum"), 9000);
    assert_int_equal(number(rtt, "p99"), 9);
}

static void cut_anywhere(void **state)
{
    static char cut[TEXT_MAX];
    (void)state;
    size_t len = write_all(&s.is, NULL, whole, sizeof whole, sizeof whole);
    for (size_t step = 1; step < len + 2; step += step < 300 ? 1 : step / 7) {
        assert_int_equal(write_all(&s.is, NULL, cut, sizeof cut, step), len);
        assert_string_equal(cut, whole);
    }
}

static void of_nothing(void **state)
{
    const kloop_snapshot empty = {.client_id = {"", 0}, .fatal = {"", 0}, .whole = true};
    write_all(&empty, NULL, whole, sizeof whole, 7);
    kl_json *j = kl_json_reading_ok(*state, whole);
    assert_int_equal(child(j, "brokers")->count, 0);
    assert_int_equal(child(j, "topics")->count, 0);
    kl_json *hint = NULL;
    assert_null(kl_json_take(j, "eos", &hint));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, kl_json_reading_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(names_and_numbers),
        TEST(all_that_readers_of_librdkafkas_rely_on),
        TEST(between_two),
        TEST(between_two_with_a_broker_that_is_new),
        TEST(cut_anywhere),
        TEST(of_nothing),
        TEST(between_two_with_a_new_broker_that_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
