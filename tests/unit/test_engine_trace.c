/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of decisions: each kind comes about somewhere below, with what it should say, and each
 * has a line of words.
 */
#include "tests/support/engine_host.h"
#include "tests/support/scripted_sasl.h"

#include "base/now.h"
#include "core/engine_state.h"
#include "driver/trace_text.h"

#include <kloop/broker_error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEPT_MAX 4096

static host h;
static host_topic *t;
static kloop_trace kept[KEPT_MAX];
static size_t kept_count;
static size_t seen[KLOOP_TRACE_COUNT]; /* over all tests */
static size_t seals[KLOOP_SEAL_WHOLE + 1];
static size_t reshapes[KLOOP_RESHAPE_RECODE + 1];
static size_t conns[KLOOP_CONN_IDLE + 1];

static void on_decision(const kloop_trace *trace, void *me)
{
    assert_ptr_equal(me, &h);
    assert_in_range(trace->kind, 1, KLOOP_TRACE_COUNT - 1);
    assert_true(trace->mono_ns <= h.now.mono_ns);
    if (kept_count > 0 && kept[kept_count - 1].mono_ns > trace->mono_ns)
        fail_msg("a decision of before");
    seen[trace->kind]++;
    if (trace->kind == KLOOP_TRACE_SEALED)
        seals[trace->why]++;
    if (trace->kind == KLOOP_TRACE_RESHAPED)
        reshapes[trace->why]++;
    if (trace->kind == KLOOP_TRACE_CONNECTION)
        conns[trace->why]++;
    char text[300];
    size_t len = kloop_trace_text(trace, text, sizeof text);
    assert_int_equal(len, strlen(text));
    assert_in_range(len, 5, sizeof text - 1);
    assert_null(strchr(text, '?'));
    assert_true(kept_count < KEPT_MAX);
    kept[kept_count++] = *trace;
}

/* Keys and values, then NULL; a topic "t" of two partitions, led by b1. */
#define BEGIN(...)                                                                                 \
    do {                                                                                           \
        host_new(&h, __VA_ARGS__, NULL);                                                           \
        start();                                                                                   \
    } while (0)

static void start(void)
{
    kept_count = 0;
    kloop_engine_set_hooks(h.e, &(kloop_hooks){.on_decision = on_decision, .me = &h});
    t = host_add_topic(&h, "t", 2);
    t->leaders[0] = t->leaders[1] = 1;
}

static void end(void)
{
    host_close(&h, 0, 1000);
    host_end(&h);
}

/* The nth of this kind, from 0. */
static const kloop_trace *find(kloop_trace_kind kind, size_t n)
{
    for (size_t i = 0; i < kept_count; i++)
        if (kept[i].kind == kind && n-- == 0)
            return &kept[i];
    fail_msg("no such decision: %d", (int)kind);
    return NULL;
}

static size_t count(kloop_trace_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < kept_count; i++)
        n += kept[i].kind == kind;
    return n;
}

static void expect_text(const kloop_trace *trace, const char *text)
{
    char has[300];
    kloop_trace_text(trace, has, sizeof has);
    assert_string_equal(has, text);
}

/* ---- One batch, straight through ---- */

static void from_parked_to_reported(void **state)
{
    (void)state;
    BEGIN("linger.ms", "10");
    host_send(&h, t, 0, 3);
    const kloop_trace *parked = find(KLOOP_TRACE_PARKED, 0);
    assert_int_equal(parked->batch, 1);
    assert_int_equal(parked->partition, -1);
    assert_ptr_equal(parked->topic, t->handle);
    host_run(&h);
    expect_text(find(KLOOP_TRACE_UNPARKED, 0),
                "topic 't' batch 1 was parked: 3 records are sent anew");
    host_sleep(&h, 20);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 3);
    expect_text(find(KLOOP_TRACE_OPENED, 0), "topic 't' partition 0 batch 2 is begun");
    expect_text(find(KLOOP_TRACE_SEALED, 0),
                "topic 't' partition 0 batch 2 is sealed (linger): 3 records, 27 bytes");
    expect_text(find(KLOOP_TRACE_NUMBERED, 0),
                "topic 't' partition 0 batch 2 is numbered: producer id 4000, epoch 0, sequence 0");
    const kloop_trace *requested = find(KLOOP_TRACE_REQUESTED, 0);
    assert_int_equal(requested->broker, 1);
    assert_int_equal(requested->b, 1);
    expect_text(find(KLOOP_TRACE_SETTLED, 0), "topic 't' partition 0 batch 2 is settled: acked");
    expect_text(find(KLOOP_TRACE_REPORTED, 0),
                "topic 't' partition 0 batch 2 is reported: 3 records, offset 100");
    expect_text(find(KLOOP_TRACE_LED, 0), "topic 't' partition 0 is led by broker 1, epoch 1");
    expect_text(find(KLOOP_TRACE_TOPIC, 0), "topic 't' has 2 partitions, made anew 0");
    expect_text(find(KLOOP_TRACE_IDENTIFIED, 0), "producer id 4000, epoch 0");
    expect_text(find(KLOOP_TRACE_RESTARTED, 0),
                "topic 't' partition 0 counts from 0: producer id 4000, epoch 0");
    expect_text(find(KLOOP_TRACE_CONNECTION, 0), "broker -1 resolves (slot 0)");
    assert_int_equal(find(KLOOP_TRACE_METADATA, 0)->a, 1);
    assert_int_equal(find(KLOOP_TRACE_ASKED, 0)->why, KLOOP_API_VERSIONS);
    assert_int_equal(find(KLOOP_TRACE_ANSWERED, 0)->why, KLOOP_API_VERSIONS);
    assert_int_equal(count(KLOOP_TRACE_ASKED), count(KLOOP_TRACE_ANSWERED));
    host_close(&h, 1000, 1000);
    expect_text(find(KLOOP_TRACE_CLOSING, 0), "close within 1000.000 ms: 0 records are pending");
    host_end(&h);
}

/* ---- Why a batch takes no more ---- */

/* Its time was a number below 0. */
static void a_close_without_a_limit(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0");
    host_close(&h, UINT64_MAX, 1000);
    assert_true(find(KLOOP_TRACE_CLOSING, 0)->a == INT64_MAX);
    expect_text(find(KLOOP_TRACE_CLOSING, 0),
                "close within 9223372036854.775 ms: 0 records are pending");
    host_end(&h);
}

static void every_reason_to_seal(void **state)
{
    (void)state;
    BEGIN("linger.ms", "50", "batch.size", "1000", "delivery.timeout.ms", "32000",
          "request.timeout.ms", "5000", "buffer.memory", "100000", "max.request.size", "20000");
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 60); /* linger */
    assert_int_equal(find(KLOOP_TRACE_SEALED, 0)->why, KLOOP_SEAL_LINGER);
    /* It waits for the first one's answer, and records to come are to live longer. */
    host_send(&h, t, 0, 1);
    host_sleep(&h, 2500);
    assert_int_equal(find(KLOOP_TRACE_SEALED, 1)->why, KLOOP_SEAL_AGE);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 1, 0);

    assert_int_equal(host_send_bytes(&h, t, 0, 900), KLOOP_OK);
    assert_int_equal(host_send_bytes(&h, t, 0, 900), KLOOP_OK);
    assert_int_equal(find(KLOOP_TRACE_SEALED, 2)->why, KLOOP_SEAL_FULL);
    host_send(&h, t, 1, 1);
    host_run(&h);
    assert_true(seals[KLOOP_SEAL_ALONG] > 0);
    host_sleep(&h, 60);
    while (host_produces(&h, 1))
        host_answer_all(&h, host_at(&h, 1), 0), host_run(&h);

    host_send(&h, t, 0, 1);
    assert_int_equal(kloop_engine_flush(h.e, NULL, h.now), KLOOP_OK);
    host_run(&h);
    assert_int_equal(find(KLOOP_TRACE_SEALED, count(KLOOP_TRACE_SEALED) - 1)->why,
                     KLOOP_SEAL_FLUSH);
    assert_int_equal(find(KLOOP_TRACE_FLUSH, 0)->a, 1);
    HOST_ANSWER(&h, 1, 0);

    end();
}

static void memory_close_and_whole(void **state)
{
    (void)state;
    BEGIN("linger.ms", "1000", "buffer.memory", "60000", "max.request.size", "20000", "batch.size",
          "16000");
    host_run(&h);
    while (host_send_bytes(&h, t, 0, 1000) == KLOOP_OK)
        ;
    const kloop_trace *full = find(KLOOP_TRACE_FULL, 0);
    assert_true(full->a + full->b > 60000);
    /* The first refusal alone. */
    assert_int_equal(host_send_bytes(&h, t, 0, 1000), KLOOP_FULL);
    assert_int_equal(count(KLOOP_TRACE_FULL), 1);
    host_run(&h);
    while (host_produces(&h, 1)) {
        host_answer_all(&h, host_at(&h, 1), 0);
        host_run(&h);
    }
    assert_int_equal(count(KLOOP_TRACE_WRITABLE), 1);
    assert_true(seals[KLOOP_SEAL_MEMORY] > 0);
    host_send(&h, t, 1, 1);
    kloop_engine_close(h.e, 1000, h.now);
    host_run(&h);
    assert_true(seals[KLOOP_SEAL_CLOSE] > 0);
    HOST_ANSWER(&h, 1, 0);
    end();
}

/* ---- What goes wrong ---- */

static void retried_throttled_backed_off(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0", "retry.backoff.ms", "100");
    host_send(&h, t, 0, 1);
    host_run(&h);
    h.throttle_ms = 20;
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    const kloop_trace *retried = find(KLOOP_TRACE_RETRIED, 0);
    assert_int_equal(retried->why, KLOOP_CAUSE_BROKER);
    assert_int_equal(retried->code, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    assert_int_equal(retried->b, 1);
    assert_in_range(retried->a, 80 * KL_MS, 120 * KL_MS);
    expect_text(find(KLOOP_TRACE_THROTTLED, 0), "broker 1 wants to be left alone for 20.000 ms");
    host_sleep(&h, 300);
    host_lose_connection(&h, 1, "gone");
    assert_int_equal(find(KLOOP_TRACE_RETRIED, 1)->why, KLOOP_CAUSE_TIMEOUT);
    assert_int_equal(find(KLOOP_TRACE_BACKED_OFF, 0)->b, 1);
    end();
}

static void a_hole_and_another_epoch(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_TIMESTAMP);
    expect_text(find(KLOOP_TRACE_SETTLED, 0),
                "topic 't' partition 0 batch 2 is settled: failed, broker, INVALID_TIMESTAMP");
    expect_text(find(KLOOP_TRACE_HOLE, 0),
                "topic 't' partition 0 gives up a number of epoch 0: the next ones need another");
    expect_text(find(KLOOP_TRACE_BUMPED, 0), "the epoch of producer id 4000 is 1 now");
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_int_equal(find(KLOOP_TRACE_RESTARTED, 1)->b, 1);
    HOST_ANSWER(&h, 1, 0);
    end();
}

static void split_and_folded(void **state)
{
    (void)state;
    BEGIN("linger.ms", "5", "compression.type", "lz4");
    host_run(&h);
    host_send(&h, t, 0, 100);
    host_sleep(&h, 10);
    const kloop_trace *folded = find(KLOOP_TRACE_COMPRESSED, 0);
    assert_int_equal(folded->why, 3);
    assert_true(folded->b < folded->a);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
    host_sleep(&h, 300);
    assert_int_equal(find(KLOOP_TRACE_RESHAPED, 0)->why, KLOOP_RESHAPE_SPLIT);
    assert_true(find(KLOOP_TRACE_REPLACED, 0)->a >= 2);
    while (host_produces(&h, 1)) {
        host_answer_all(&h, host_at(&h, 1), 0);
        host_run(&h);
    }
    host_expect_acked(&h, 1, 100);
    end();
}

static void another_codec(void **state)
{
    (void)state;
    BEGIN("linger.ms", "5", "compression.type", "zstd,lz4");
    host_run(&h);
    host_send(&h, t, 0, 100);
    host_sleep(&h, 10);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE);
    host_sleep(&h, 300);
    assert_int_equal(find(KLOOP_TRACE_RESHAPED, 0)->why, KLOOP_RESHAPE_RECODE);
    HOST_ANSWER(&h, 1, 0);
    end();
}

/* One of three is refused by name. */
static void without_a_bad_one(void **state)
{
    (void)state;
    BEGIN("linger.ms", "5");
    host_run(&h);
    host_send(&h, t, 0, 3);
    host_sleep(&h, 10);
    kloop_record_error error = {.batch_index = 1, .batch_index_error_message = kloop_text("no")};
    kloop_produce_partition_response p = {
        .error_code = KLOOP_BROKER_INVALID_RECORD,
        .base_offset = -1,
        .log_append_time_ms = -1,
        .log_start_offset = -1,
        .record_errors = kloop_array_of(&error, 1),
        .error_message = kloop_text("no"),
        .current_leader = {-1, -1},
    };
    kloop_produce_topic_response topic = {.name = kloop_text(""),
                                          .topic_id = t->handle->id,
                                          .partition_responses = kloop_array_of(&p, 1)};
    kloop_produce_response m;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &m);
    m.responses = kloop_array_of(&topic, 1);
    host_respond(&h, host_at(&h, 1), &m, sizeof m);
    host_run(&h);
    expect_text(find(KLOOP_TRACE_RESHAPED, 0), "topic 't' partition 0 batch 1 is put together "
                                               "anew: without refused records, INVALID_RECORD");
    assert_int_equal(find(KLOOP_TRACE_REPLACED, 0)->a, 1);
    HOST_ANSWER(&h, 1, 0);
    end();
}

static void begun_anew_and_fatal(void **state)
{
    (void)state;
    BEGIN("linger.ms", "0");
    h.metadata_error = KLOOP_BROKER_REBOOTSTRAP_REQUIRED;
    host_run(&h);
    host_sleep(&h, 1000);
    assert_true(count(KLOOP_TRACE_BEGUN_ANEW) > 0);
    h.metadata_error = 0;
    h.id_error = KLOOP_BROKER_CLUSTER_AUTHORIZATION_FAILED;
    host_sleep(&h, 1000);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 5000);
    assert_int_equal(count(KLOOP_TRACE_FATAL), 1);
    end();
}

static void purged(void **state)
{
    (void)state;
    BEGIN("linger.ms", "1000");
    host_run(&h);
    host_send(&h, t, 0, 3);
    assert_int_equal(kloop_engine_purge(h.e, t->handle, KLOOP_PURGE_QUEUED, h.now), 3);
    assert_int_equal(find(KLOOP_TRACE_SETTLED, 0)->why, KLOOP_CAUSE_PURGED);
    expect_text(find(KLOOP_TRACE_PURGED, 0), "topic 't' purge: 3 records");
    host_run(&h);
    end();
}

static void an_encoded_batch(void **state)
{
    (void)state;
    BEGIN("linger.ms", "1000");
    host_run(&h);
    host_send(&h, t, 0, 1);
    uint8_t bytes[200];
    size_t len = 0;
    const kloop_batch_record record = {.value = {(const uint8_t *)"v", 1}};
    kloop_batch_header header;
    kloop_batch_header_fit(&header, &record, 1);
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    assert_int_equal(
        kloop_batch_encode(writer, &header, &record, 1, bytes, sizeof bytes, &len, NULL), KLOOP_OK);
    kloop_batch_writer_del(writer);
    kloop_encoded batch = {.bytes = {bytes, len}, .set = KLOOP_SET_PARTITION};
    assert_int_equal(host_send_batch(&h, t, &batch, 1), KLOOP_OK);
    assert_int_equal(find(KLOOP_TRACE_SEALED, 0)->why, KLOOP_SEAL_WHOLE);
    assert_int_equal(find(KLOOP_TRACE_SEALED, 1)->why, KLOOP_SEAL_WHOLE);
    host_run(&h);
    end();
}

static void an_idle_connection(void **state)
{
    (void)state;
    BEGIN("connections.max.idle.ms", "5000");
    host_run(&h);
    host_sleep(&h, 12000);
    assert_true(conns[KLOOP_CONN_IDLE] > 0);
    end();
}

static void told_who_we_are(void **state)
{
    (void)state;
    static scripted_sasl sasl;
    static const char *const pairs[] = {"linger.ms", "0", NULL};
    scripted_sasl_init(&sasl, "tsd", true);
    host_prepare(&h, 0);
    h.session_ms = 20000;
    h.hold_token = true;
    assert_int_equal(host_open_sasl(&h, &sasl.mechanism, pairs), KLOOP_OK);
    start();
    host_run(&h);
    kloop_engine_token_failed(h.e, "away", h.now);
    host_sleep(&h, 200);
    host_give_token(&h);
    host_sleep(&h, 19000);
    static const int64_t steps[] = {0, 2, 0, 1};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(find(KLOOP_TRACE_TOKEN, i)->a, steps[i]);
    assert_int_equal(find(KLOOP_TRACE_AUTHENTICATED, 0)->why, 0);
    assert_int_equal(find(KLOOP_TRACE_AUTHENTICATED, 1)->why, 1);
    assert_int_equal(find(KLOOP_TRACE_AUTHENTICATED, 0)->a, 20000);
    assert_in_range(find(KLOOP_TRACE_AUTHENTICATED, 0)->b, 17 * KL_SECOND, 19 * KL_SECOND);
    char text[200];
    kloop_trace_text(find(KLOOP_TRACE_AUTHENTICATED, 0), text, sizeof text);
    assert_memory_equal(text, "broker -1 has let us in: session 20000 ms, again in 1", 53);
    end();
}

/* ---- All of them ---- */

/* The tests above are to bring each kind about. */
static void every_kind_was_seen(void **state)
{
    (void)state;
    for (int i = 1; i < KLOOP_TRACE_COUNT; i++)
        if (!seen[i])
            fail_msg("decision %d never came", i);
    for (size_t i = 0; i < sizeof seals / sizeof *seals; i++)
        if (!seals[i])
            fail_msg("no batch was sealed for reason %zu", i);
    for (size_t i = 0; i < sizeof conns / sizeof *conns; i++)
        if (!conns[i])
            fail_msg("no connection was in state %zu", i);
    for (size_t i = 0; i < sizeof reshapes / sizeof *reshapes; i++)
        if (!reshapes[i])
            fail_msg("no batch was put together anew as %zu", i);
}

/* ---- Words ---- */

static void text_is_cut_where_there_is_no_room(void **state)
{
    (void)state;
    kloop_trace trace = {.kind = KLOOP_TRACE_BUMPED,
                         .broker = KLOOP_TRACE_NO_BROKER,
                         .partition = -1,
                         .a = INT64_MIN,
                         .b = 1};
    char whole[100];
    size_t len = kloop_trace_text(&trace, whole, sizeof whole);
    assert_string_equal(whole, "the epoch of producer id -9223372036854775808 is 1 now");
    for (size_t size = 1; size <= len; size++) {
        char *text = test_malloc(size);
        assert_int_equal(kloop_trace_text(&trace, text, size), len);
        assert_int_equal(strlen(text), size - 1);
        assert_memory_equal(text, whole, size - 1);
        test_free(text);
    }
    assert_int_equal(kloop_trace_text(&trace, NULL, 0), len);
}

/* Whatever the numbers are: a file of them may be old or broken. */
static void any_record_has_a_text(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 256; kind++) {
        for (unsigned why = 0; why < 256; why += 5) {
            kloop_trace trace = {.kind = (uint8_t)kind,
                                 .why = (uint8_t)why,
                                 .code = -1,
                                 .broker = -7,
                                 .a = INT64_MAX,
                                 .b = INT64_MIN};
            char text[300];
            assert_in_range(kl_trace_text(&trace, (kloop_string){"x", 1}, text, sizeof text), 1,
                            sizeof text - 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_parked_to_reported),
        cmocka_unit_test(a_close_without_a_limit),
        cmocka_unit_test(every_reason_to_seal),
        cmocka_unit_test(memory_close_and_whole),
        cmocka_unit_test(retried_throttled_backed_off),
        cmocka_unit_test(a_hole_and_another_epoch),
        cmocka_unit_test(split_and_folded),
        cmocka_unit_test(another_codec),
        cmocka_unit_test(without_a_bad_one),
        cmocka_unit_test(begun_anew_and_fatal),
        cmocka_unit_test(purged),
        cmocka_unit_test(an_encoded_batch),
        cmocka_unit_test(an_idle_connection),
        cmocka_unit_test(told_who_we_are),
        cmocka_unit_test(every_kind_was_seen),
        cmocka_unit_test(text_is_cut_where_there_is_no_room),
        cmocka_unit_test(any_record_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
