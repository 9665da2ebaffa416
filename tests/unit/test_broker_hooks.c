/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on demand: each fate that a hook can give a request, a partition, an answer. */
#include "base/be.h"
#include "tests/support/broker_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct script {
    kl_request_fate fate;
    kl_produce_fate produce;
    int16_t answer_api; /* whose answers are changed; -1: none */
    int asked;
    int produces;
    int64_t appended; /* base offset of the latest */
    int appends;
    int complaints;
    kl_request_info info;
    kloop_batch_header batch;
} script;

static void on_request(void *user, const kl_request_info *request, kl_request_fate *fate)
{
    script *s = user;
    static const kl_request_fate none;
    assert_memory_equal(fate, &none, sizeof none);
    s->asked++;
    s->info = *request;
    *fate = s->fate;
}

static void on_produce(void *user, const kl_request_info *request, int32_t topic, int32_t partition,
                       const kloop_batch_header *batch, kl_produce_fate *fate)
{
    script *s = user;
    assert_int_equal(request->api_key, KLOOP_PRODUCE);
    assert_int_equal(topic, 0);
    assert_int_equal(partition, 0);
    s->produces++;
    if (batch)
        s->batch = *batch;
    *fate = s->produce;
}

static void on_answer(void *user, const kl_request_info *request, void *response)
{
    script *s = user;
    if (request->api_key != s->answer_api)
        return;
    if (request->api_key == KLOOP_METADATA) {
        kloop_metadata_response *m = response;
        kloop_metadata_topic *t = (kloop_metadata_topic *)(uintptr_t)m->topics.data;
        m->cluster_id = kloop_text("another");
        t[0].error_code = KLOOP_BROKER_TOPIC_AUTHORIZATION_FAILED;
        m->brokers.count = 0;
    } else {
        kloop_produce_response *p = response;
        p->throttle_time_ms = 77;
        p->responses.count = 0;
    }
}

static void on_append(void *user, const kl_stored_batch *batch)
{
    script *s = user;
    s->appends++;
    s->appended = batch->base_offset;
}

static void on_complaint(void *user, kl_complaint_kind kind, const char *text)
{
    script *s = user;
    (void)kind;
    assert_true(strlen(text) > 10);
    s->complaints++;
}

typedef struct world {
    kl_cluster *c;
    kl_client a;
    script s;
} world;

static void open_world(world *w, bool pipelined)
{
    kl_cluster_config config = kl_client_config(1);
    memset(w, 0, sizeof *w);
    w->s.answer_api = -1;
    config.pipelined = pipelined;
    config.hooks = (kl_hooks){.user = &w->s,
                              .on_request = on_request,
                              .on_produce = on_produce,
                              .on_answer = on_answer,
                              .on_append = on_append,
                              .on_complaint = on_complaint};
    w->c = kl_client_cluster(&config);
    kl_client_topic(w->c, "events", 1, 1);
    kl_client_open(&w->a, w->c, 1);
}

static void close_world(world *w)
{
    kl_client_close(&w->a);
    kl_cluster_del(w->c);
}

static kloop_slice some(int32_t count)
{
    return kl_client_batch(&(kl_client_batch_spec){.count = count});
}

static void hooks_see_what_happens(void **state)
{
    (void)state;
    world w;
    open_world(&w, false);
    kl_client_wait(w.c, 3);
    kl_client_batch_spec spec = {.count = 3, .idempotent = true, .producer_id = 9, .epoch = 2};
    assert_int_equal(kl_client_put(&w.a, "events", 0, kl_client_batch(&spec)), 0);
    assert_int_equal(w.s.asked, 1);
    assert_ptr_equal(w.s.info.peer_user, &w.a);
    assert_int_equal(w.s.info.node_id, 1);
    assert_int_equal(w.s.info.version, 12);
    assert_int_equal(w.s.info.correlation_id, 1);
    assert_int_equal(w.s.info.received_ns, 3 * KL_CLIENT_MS);
    assert_int_equal(w.s.batch.producer_id, 9);
    assert_int_equal(w.s.batch.record_count, 3);
    assert_int_equal(w.s.appends, 1);
    assert_int_equal(kl_client_put(&w.a, "events", 0, some(1)), 0);
    assert_int_equal(w.s.appended, 3);
    assert_int_equal(kl_client_put(&w.a, "events", 0, (kloop_slice){(const uint8_t *)"", 0}),
                     KLOOP_BROKER_INVALID_RECORD);
    assert_int_equal(w.s.complaints, 1);
    assert_int_equal(w.s.produces, 3);
    close_world(&w);
}

static void connections_end_before_and_after(void **state)
{
    (void)state;
    world w;
    open_world(&w, false);
    w.s.fate.end = KL_FATE_CLOSE_UNPROCESSED;
    kl_client_produce(&w.a, 12, "events", 0, some(1));
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(w.s.appends, 0);
    kl_client_close(&w.a);
    kl_client_open(&w.a, w.c, 1);
    w.s.fate.end = KL_FATE_CLOSE_PROCESSED;
    kl_client_produce(&w.a, 12, "events", 0, some(1));
    assert_true(kl_client_is_closed(&w.a));
    assert_false(kl_client_take(&w.a));
    assert_int_equal(w.s.appends, 1);
    close_world(&w);
}

static void answers_can_be_cut(void **state)
{
    (void)state;
    for (size_t keep = 0; keep < 20; keep++) {
        world w;
        open_world(&w, false);
        w.s.fate.end = KL_FATE_TRUNCATE;
        w.s.fate.keep_bytes = keep;
        kl_client_produce(&w.a, 12, "events", 0, some(1));
        assert_int_equal(kl_peer_output_bytes(w.a.peer), keep);
        assert_int_equal(w.s.appends, 1);
        assert_int_equal(kl_client_is_closed(&w.a), keep == 0);
        kl_peer_wrote(w.a.peer, keep, kl_client_now);
        assert_true(kl_client_is_closed(&w.a));
        close_world(&w);
    }
}

static void answers_can_be_anything(void **state)
{
    (void)state;
    world w;
    open_world(&w, false);
    char page[] = "HTTP/1.1 400 Bad Request";
    w.s.fate.end = KL_FATE_REPLACE;
    w.s.fate.bytes = (kloop_slice){(const uint8_t *)page, strlen(page)};
    kl_client_produce(&w.a, 12, "events", 0, some(1));
    page[0] = 'x';
    kloop_slice slice;
    assert_int_equal(kl_peer_output(w.a.peer, &slice, 1), 1);
    assert_int_equal(slice.len, strlen(page));
    assert_memory_equal(slice.data, "HTTP/1.1", 8);
    kl_peer_wrote(w.a.peer, slice.len, kl_client_now);
    /* Also where no answer belongs at all. */
    kl_client_produce_acks(&w.a, 12, "events", 0, some(1), 0, 0);
    assert_int_equal(kl_peer_output_bytes(w.a.peer), strlen(page));
    close_world(&w);
}

static void answers_can_be_misnamed_repeated_and_late(void **state)
{
    (void)state;
    world w;
    open_world(&w, false);
    w.s.fate.correlation_change = 5;
    w.s.fate.extra_copies = 2;
    w.s.fate.answer_delay_ns = 7 * KL_CLIENT_MS;
    kl_client_produce(&w.a, 12, "events", 0, some(1));
    assert_false(kl_client_take(&w.a));
    kl_client_wait(w.c, 7);
    for (int i = 0; i < 3; i++) {
        assert_true(kl_client_take(&w.a));
        assert_int_equal(kl_be_load32(w.a.frame + 4), 6);
    }
    assert_false(kl_client_take(&w.a));
    close_world(&w);
}

static void silence_holds_one_connection_or_one_answer(void **state)
{
    (void)state;
    for (int pipelined = 0; pipelined < 2; pipelined++) {
        world w;
        open_world(&w, pipelined != 0);
        w.s.fate.end = KL_FATE_SILENT;
        kl_client_produce(&w.a, 12, "events", 0, some(1));
        w.s.fate.end = KL_FATE_ANSWER;
        kl_client_produce(&w.a, 12, "events", 0, some(1));
        assert_int_equal(w.s.appends, pipelined ? 2 : 1);
        assert_int_equal(kl_client_take(&w.a), pipelined);
        /* Gone, and the second one is carried out. */
        kl_client_close(&w.a);
        assert_int_equal(w.s.appends, 2);
        close_world(&w);
    }
}

static void a_throttled_client_is_not_read(void **state)
{
    (void)state;
    world w;
    open_world(&w, false);
    w.s.fate.throttle_ms = 40;
    assert_int_equal(kl_client_put(&w.a, "events", 0, some(1)), 0);
    assert_int_equal(w.a.produced.throttle_time_ms, 40);
    w.s.fate.throttle_ms = 0;
    assert_false(kl_peer_wants_bytes(w.a.peer));
    kl_client_produce(&w.a, 12, "events", 0, some(1));
    kl_client_wait(w.c, 39);
    assert_int_equal(w.s.appends, 1);
    kl_client_wait(w.c, 1);
    assert_int_equal(w.s.appends, 2);
    assert_int_equal(kl_client_produced(&w.a, 12), 0);
    assert_int_equal(w.a.produced.throttle_time_ms, 0);
    assert_true(kl_peer_wants_bytes(w.a.peer));
    close_world(&w);
}

static void partitions_can_be_refused_before_and_after(void **state)
{
    (void)state;
    world w;
    open_world(&w, false);
    w.s.produce = (kl_produce_fate){.error_code = KLOOP_BROKER_KAFKA_STORAGE_ERROR};
    assert_int_equal(kl_client_put(&w.a, "events", 0, some(1)), KLOOP_BROKER_KAFKA_STORAGE_ERROR);
    assert_int_equal(w.a.produced_partition.base_offset, -1);
    assert_int_equal(w.s.appends, 0);
    /* A broker that says it does not lead, and knows of nobody else who does. */
    w.s.produce.error_code = KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER;
    assert_int_equal(kl_client_put(&w.a, "events", 0, some(1)),
                     KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(w.a.produced_partition.current_leader.leader_id, -1);
    w.s.produce = (kl_produce_fate){.error_code = KLOOP_BROKER_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                                    .append = true};
    assert_int_equal(kl_client_put(&w.a, "events", 0, some(2)),
                     KLOOP_BROKER_NOT_ENOUGH_REPLICAS_AFTER_APPEND);
    assert_int_equal(w.s.appends, 1);
    /* What would have been refused anyhow is. */
    kloop_slice bad = some(1);
    kl_client_batch_bytes(bad)[70] ^= 1;
    assert_int_equal(kl_client_put(&w.a, "events", 0, bad), KLOOP_BROKER_CORRUPT_MESSAGE);
    assert_int_equal(w.s.appends, 1);
    close_world(&w);
}

static void records_can_be_named_as_bad(void **state)
{
    (void)state;
    static const int32_t bad[] = {1, -1, INT32_MAX};
    world w;
    open_world(&w, false);
    w.s.produce = (kl_produce_fate){
        .error_code = KLOOP_BROKER_INVALID_RECORD, .bad_records = bad, .bad_record_count = 3};
    assert_int_equal(kl_client_put(&w.a, "events", 0, some(4)), KLOOP_BROKER_INVALID_RECORD);
    kloop_record_error error;
    kloop_iter i = kloop_iterate(&w.a.produced_partition.record_errors);
    for (int n = 0; n < 3; n++) {
        assert_true(kloop_next(&i, &error));
        assert_int_equal(error.batch_index, bad[n]);
        assert_non_null(error.batch_index_error_message.data);
    }
    assert_false(kloop_next(&i, &error));
    assert_non_null(w.a.produced_partition.error_message.data);
    assert_int_equal(w.s.appends, 0);
    /* Versions before 8 have no word for it. */
    kl_client_produce(&w.a, 7, "events", 0, some(4));
    assert_int_equal(kl_client_produced(&w.a, 7), KLOOP_BROKER_INVALID_RECORD);
    assert_int_equal(w.a.produced_partition.record_errors.count, 0);
    close_world(&w);
}

static void answers_can_lie(void **state)
{
    (void)state;
    world w;
    open_world(&w, false);
    w.s.answer_api = KLOOP_METADATA;
    kloop_metadata_request request;
    kloop_metadata_response response;
    kloop_metadata_topic topic;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
    request.topics = kloop_array_null();
    kl_client_send(&w.a, KLOOP_METADATA, 13, &request);
    kl_client_answer(&w.a, KLOOP_METADATA, 13, &response);
    assert_memory_equal(response.cluster_id.data, "another", 7);
    assert_int_equal(response.brokers.count, 0);
    kloop_iter i = kloop_iterate(&response.topics);
    assert_true(kloop_next(&i, &topic));
    assert_int_equal(topic.error_code, KLOOP_BROKER_TOPIC_AUTHORIZATION_FAILED);
    w.s.answer_api = KLOOP_PRODUCE;
    kl_client_produce(&w.a, 12, "events", 0, some(1));
    kl_client_answer(&w.a, KLOOP_PRODUCE, 12, &w.a.produced);
    assert_int_equal(w.a.produced.responses.count, 0);
    assert_int_equal(w.a.produced.throttle_time_ms, 77);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_see_what_happens),
        cmocka_unit_test(connections_end_before_and_after),
        cmocka_unit_test(answers_can_be_cut),
        cmocka_unit_test(answers_can_be_anything),
        cmocka_unit_test(answers_can_be_misnamed_repeated_and_late),
        cmocka_unit_test(silence_holds_one_connection_or_one_answer),
        cmocka_unit_test(a_throttled_client_is_not_read),
        cmocka_unit_test(partitions_can_be_refused_before_and_after),
        cmocka_unit_test(records_can_be_named_as_bad),
        cmocka_unit_test(answers_can_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
