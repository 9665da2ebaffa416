/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole life of a cluster with each allocation failing once: nothing crashes, nothing leaks, no
 * answer promises what is not in the log.
 */
#include "tests/support/broker_client.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REQUESTS_MAX 16

/* Requests as bytes, made before memory gets scarce. */
typedef struct frame {
    uint8_t bytes[2048];
    size_t len;
} frame;

static frame frames[REQUESTS_MAX];
static size_t frame_count;

#define add_frame(api_key, version, message)                                                       \
    add_frame_sized((api_key), (version), (message), sizeof *(message))

static void add_frame_sized(int16_t api_key, int16_t version, const void *message, size_t size)
{
    frame *f = &frames[frame_count++];
    kloop_size measured;
    assert_true(frame_count <= REQUESTS_MAX);
    assert_int_equal(kloop_measure_request_sized(api_key, version, kloop_text("me"), message, size,
                                                 &measured, NULL),
                     KLOOP_OK);
    assert_true(measured.total <= sizeof f->bytes);
    assert_int_equal(kloop_encode_request_sized(api_key, version, 7, kloop_text("me"), message,
                                                size, f->bytes, sizeof f->bytes, NULL),
                     KLOOP_OK);
    f->len = measured.total;
}

static void add_produce(const char *name, int16_t acks, const kl_client_batch_spec *spec)
{
    kloop_slice batch = kl_client_batch(spec);
    kloop_produce_partition parts[] = {{.index = 0, .records = {.head = batch}},
                                       {.index = 1, .records = {.head = batch}}};
    kloop_produce_topic topic = {.name = kloop_text(name),
                                 .partition_data = kloop_array_of(parts, 2)};
    kloop_produce_request request;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &request);
    request.acks = acks;
    request.timeout_ms = 50;
    request.topic_data = kloop_array_of(&topic, 1);
    add_frame(KLOOP_PRODUCE, 12, &request);
}

static int make_frames(void **state)
{
    (void)state;
    kloop_api_versions_request versions;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &versions);
    add_frame(KLOOP_API_VERSIONS, 0, &versions);
    kloop_metadata_request_topic names[] = {{.name = kloop_text("events")},
                                            {.name = kloop_text("fresh")}};
    kloop_metadata_request metadata;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &metadata);
    metadata.topics = kloop_array_of(names, 2);
    add_frame(KLOOP_METADATA, 9, &metadata);
    metadata.topics = kloop_array_null();
    add_frame(KLOOP_METADATA, 0 + 1, &metadata);
    kloop_init_producer_id_request init;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, &init);
    init.transactional_id = (kloop_string){NULL, 0};
    add_frame(KLOOP_INIT_PRODUCER_ID, 4, &init);
    kloop_find_coordinator_request find;
    kloop_string key = kloop_text("t");
    kloop_message_init(KLOOP_FIND_COORDINATOR, KLOOP_REQUEST, &find);
    find.coordinator_keys = kloop_array_of(&key, 1);
    add_frame(KLOOP_FIND_COORDINATOR, 4, &find);
    add_produce("events", -1, &(kl_client_batch_spec){.count = 3});
    add_produce("events", 1,
                &(kl_client_batch_spec){.count = 2, .idempotent = true, .producer_id = 1});
    add_produce("events", -1,
                &(kl_client_batch_spec){.count = 2, .idempotent = true, .producer_id = 1});
    add_produce("events", -1,
                &(kl_client_batch_spec){.idempotent = true, .producer_id = 1, .sequence = 9});
    add_produce("nobody", 1, &(kl_client_batch_spec){.attributes = 4});
    add_produce("events", 0, &(kl_client_batch_spec){.attributes = 3, .count = 20});
    return 0;
}

/* ---- One life ---- */

/* Successes that were seen, and whether the next ones can be held against the true leader's log. */
static size_t successes;
static bool checking;

static void check_answer(kl_cluster *c, const uint8_t *bytes, size_t len)
{
    kloop_produce_response response;
    kloop_produce_topic_response t;
    kloop_produce_partition_response p;
    if (kloop_decode(KLOOP_PRODUCE, KLOOP_RESPONSE, 12, bytes + 9, len - 9, &response, NULL))
        return;
    for (kloop_iter i = kloop_iterate(&response.responses); kloop_next(&i, &t);) {
        int32_t topic = kl_cluster_find_topic(c, t.name.data, t.name.len);
        for (kloop_iter k = kloop_iterate(&t.partition_responses); kloop_next(&k, &p);) {
            if (p.error_code != 0)
                continue;
            successes++;
            assert_true(p.base_offset < kl_client_next_offset(c, topic, p.index));
        }
    }
}

static void drain(kl_cluster *c, kl_peer *peer, bool is_produce)
{
    kloop_slice slices[4];
    while (kl_peer_output(peer, slices, 1) == 1) {
        if (is_produce && checking)
            check_answer(c, slices[0].data, slices[0].len);
        kl_peer_wrote(peer, slices[0].len, kl_client_now);
    }
}

static void talk(kl_cluster *c, int32_t node_id)
{
    for (size_t i = 0; i < frame_count; i++) {
        kl_peer *peer = kl_peer_open(c, node_id, NULL, kl_client_now);
        if (!peer)
            continue;
        if (kl_peer_receive(peer, frames[i].bytes, frames[i].len, kl_client_now)) {
            drain(c, peer, frames[i].bytes[5] == KLOOP_PRODUCE);
            kl_client_wait(c, 60);
            drain(c, peer, frames[i].bytes[5] == KLOOP_PRODUCE);
        }
        while (kl_cluster_next_ready(c))
            ;
        kl_peer_close(peer, kl_client_now);
    }
}

static void on_request(void *user, const kl_request_info *request, kl_request_fate *fate)
{
    (void)user;
    switch (request->request_id % 5) {
    case 1:
        fate->process_delay_ns = KL_CLIENT_MS;
        break;
    case 2:
        fate->end = KL_FATE_REPLACE;
        fate->bytes = (kloop_slice){(const uint8_t *)"xyz", 3};
        break;
    case 3:
        fate->extra_copies = 1;
        fate->answer_delay_ns = KL_CLIENT_MS;
        break;
    default:
        break;
    }
}

static void live(const kloop_allocator *alloc, bool faults)
{
    kl_cluster_config config = kl_client_config(3);
    int32_t topic;
    kl_topic_config events = {.name = "events", .partitions = 2, .replication_factor = 3};
    config.alloc = alloc;
    config.auto_create_partitions = 2;
    config.replication_delay_ns = KL_CLIENT_MS;
    config.wall_ms_at_zero = 0;
    if (faults)
        config.hooks.on_request = on_request;
    kl_cluster *c = kl_cluster_new(&config);
    if (!c)
        return;
    if (kl_cluster_add_topic(c, &events, &topic) == KL_CLUSTER_OK) {
        checking = !faults;
        talk(c, 1);
        checking = false;
        bool frozen = kl_cluster_freeze_view(c, 1) == KL_CLUSTER_OK;
        kl_cluster_elect(c, topic, 0, 2, kl_client_now);
        kl_cluster_add_broker(c, 9);
        kl_cluster_grow_topic(c, topic, 3);
        talk(c, 1);
        talk(c, 2);
        if (frozen)
            kl_cluster_thaw_view(c, 1, kl_client_now);
        kl_cluster_broker_down(c, 2, kl_client_now);
        kl_cluster_fail_over(c, 2, kl_client_now);
        kl_client_wait(c, 10);
        kl_cluster_set_isr(c, topic, 1, (const int32_t[]){3, 1}, 2, kl_client_now);
        kl_cluster_set_address(c, 3, "three", 1, "r");
        talk(c, 3);
        kl_cluster_broker_up(c, 2, kl_client_now);
        kl_client_wait(c, 10);
        kl_cluster_rejoin(c, 2, kl_client_now);
        kl_cluster_delete_topic(c, topic, kl_client_now);
        kl_cluster_add_topic(c, &events, &topic);
        talk(c, 1);
    }
    kl_cluster_del(c);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (int faults = 0; faults < 2; faults++) {
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            successes = 0;
            kl_fail_alloc_init(&f, nth);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            live(&alloc, faults != 0);
            kl_fail_alloc_check(&f);
            if (f.refused == 0)
                break;
        }
        /* Three requests succeed at the one of their two partitions that broker 1 leads. */
        assert_int_equal(successes, faults ? 0 : 3);
    }
}

static void from_some_point_on_there_is_none(void **state)
{
    (void)state;
    for (size_t nth = 1; nth < 400; nth += 7) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        f.all_after = true;
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        live(&alloc, false);
        kl_fail_alloc_check(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(from_some_point_on_there_is_none),
    };
    return cmocka_run_group_tests(tests, make_frames, NULL);
}
