/* SPDX-License-Identifier: BSD-2-Clause */
/* Metadata in every version: the cluster as it is, as it was, and topics that are made by asking.
 */
#include "tests/support/broker_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NO_OPERATIONS INT32_MIN

static const kloop_uuid no_id;

typedef struct seen {
    kloop_metadata_response response;
    kloop_metadata_topic topics[8];
    int count;
} seen;

static void ask(kl_client *a, int16_t version, const kloop_metadata_request *request, seen *s)
{
    kl_client_send(a, KLOOP_METADATA, version, request);
    kl_client_answer(a, KLOOP_METADATA, version, &s->response);
    s->count = 0;
    for (kloop_iter i = kloop_iterate(&s->response.topics); kloop_next(&i, &s->topics[s->count]);)
        s->count++;
}

static void ask_names(kl_client *a, int16_t version, const char *const *names, int count, seen *s)
{
    kloop_metadata_request_topic topics[8] = {{.topic_id = no_id}};
    kloop_metadata_request request;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
    for (int i = 0; i < count; i++)
        topics[i].name = kloop_text(names[i]);
    request.topics = kloop_array_of(topics, count);
    ask(a, version, &request, s);
}

static void ask_all(kl_client *a, int16_t version, seen *s)
{
    kloop_metadata_request request;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
    request.topics = version == 0 ? kloop_array_of(NULL, 0) : kloop_array_null();
    ask(a, version, &request, s);
}

static kloop_metadata_partition partition(const kloop_metadata_topic *t, int index)
{
    kloop_metadata_partition p = {.partition_index = -1};
    kloop_iter i = kloop_iterate(&t->partitions);
    for (int k = 0; k <= index; k++)
        assert_true(kloop_next(&i, &p));
    assert_int_equal(p.partition_index, index);
    return p;
}

static void expect_nodes(const kloop_array *list, const int32_t *nodes, int count)
{
    int32_t node;
    int n = 0;
    assert_int_equal(list->count, count);
    for (kloop_iter i = kloop_iterate(list); kloop_next(&i, &node); n++)
        assert_int_equal(node, nodes[n]);
}

static bool is_text(kloop_string s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

/* ---- The world ---- */

static void every_version_tells_what_it_can(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(3);
    config.cluster_id = "the-cluster";
    kl_cluster *c = kl_client_cluster(&config);
    int32_t topic = kl_client_topic(c, "events", 2, 3);
    kl_topic_info info;
    kl_cluster_topic_info(c, topic, &info);
    kl_cluster_set_address(c, 2, "two.example", 9999, "r2");
    kl_cluster_elect(c, topic, 1, 3, 0);
    kl_cluster_set_controller(c, 2);
    kl_client a;
    kl_client_open(&a, c, 1);
    for (int16_t version = 0; version <= 13; version++) {
        seen s;
        ask_all(&a, version, &s);
        assert_int_equal(s.response.brokers.count, 3);
        kloop_metadata_broker b;
        kloop_iter i = kloop_iterate(&s.response.brokers);
        assert_true(kloop_next(&i, &b));
        assert_true(is_text(b.host, "127.0.0.1"));
        assert_int_equal(b.port, 9092);
        assert_true(kloop_next(&i, &b));
        assert_true(is_text(b.host, "two.example"));
        assert_int_equal(b.port, 9999);
        assert_int_equal(b.rack.data != NULL, version >= 1);
        assert_int_equal(s.response.controller_id, version >= 1 ? 2 : -1);
        assert_int_equal(s.response.cluster_id.data != NULL, version >= 2);
        assert_int_equal(s.count, 1);
        assert_true(is_text(s.topics[0].name, "events"));
        assert_int_equal(memcmp(&s.topics[0].topic_id, &info.id, 16) == 0, version >= 10);
        assert_int_equal(s.topics[0].topic_authorized_operations, NO_OPERATIONS);
        kloop_metadata_partition p = partition(&s.topics[0], 1);
        assert_int_equal(p.error_code, 0);
        assert_int_equal(p.leader_id, 3);
        assert_int_equal(p.leader_epoch, version >= 7 ? 1 : -1);
        expect_nodes(&p.replica_nodes, (const int32_t[]){2, 3, 1}, 3);
        expect_nodes(&p.isr_nodes, (const int32_t[]){2, 3, 1}, 3);
        expect_nodes(&p.offline_replicas, NULL, 0);
    }
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void what_is_asked_for_by_name(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    kl_cluster *c = kl_client_cluster(&config);
    kl_client_topic(c, "a", 1, 1);
    kl_client_topic(c, "b", 1, 1);
    kl_client_topic(c, "__consumer_offsets", 1, 1);
    kl_client a;
    kl_client_open(&a, c, 1);
    for (int16_t version = 1; version <= 13; version++) {
        seen s;
        const char *names[] = {"b", "nobody", "b", "no such name!", "__consumer_offsets", "nobody"};
        ask_names(&a, version, names, 6, &s);
        assert_int_equal(s.count, 4);
        assert_true(is_text(s.topics[0].name, "b"));
        assert_int_equal(s.topics[0].error_code, 0);
        assert_int_equal(s.topics[1].error_code, KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
        assert_int_equal(s.topics[1].partitions.count, 0);
        assert_memory_equal(&s.topics[1].topic_id, &no_id, sizeof no_id);
        assert_int_equal(s.topics[2].error_code, KLOOP_BROKER_INVALID_TOPIC_EXCEPTION);
        assert_true(s.topics[3].is_internal);
        assert_false(s.topics[0].is_internal);
        ask_names(&a, version, names, 0, &s);
        assert_int_equal(s.count, 0);
        assert_int_equal(s.response.brokers.count, 1);
    }
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void what_is_asked_for_by_id(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    kl_cluster *c = kl_client_cluster(&config);
    int32_t topic = kl_client_topic(c, "a", 1, 1);
    kl_topic_info info;
    kl_cluster_topic_info(c, topic, &info);
    kl_client a;
    kl_client_open(&a, c, 1);
    kloop_metadata_request_topic topics[] = {{.topic_id = info.id, .name = {NULL, 0}},
                                             {.topic_id = {{1, 2, 3}}, .name = {NULL, 0}},
                                             {.topic_id = no_id, .name = kloop_text("ignored")}};
    kloop_metadata_request request;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
    request.topics = kloop_array_of(topics, 3);
    request.include_topic_authorized_operations = true;
    for (int16_t version = 12; version <= 13; version++) {
        seen s;
        ask(&a, version, &request, &s);
        assert_int_equal(s.count, 2);
        assert_true(is_text(s.topics[0].name, "a"));
        assert_int_equal(s.topics[0].topic_authorized_operations, 3576);
        assert_int_equal(s.topics[1].error_code, KLOOP_BROKER_UNKNOWN_TOPIC_ID);
        assert_null(s.topics[1].name.data);
        assert_memory_equal(&s.topics[1].topic_id, &topics[1].topic_id, 16);
        assert_int_equal(s.topics[1].topic_authorized_operations, NO_OPERATIONS);
    }
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void questions_that_make_no_sense_get_nothing(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    kl_cluster *c = kl_client_cluster(&config);
    kl_client a;
    kl_client_open(&a, c, 1);
    kloop_metadata_request_topic nameless = {.topic_id = no_id, .name = {NULL, 0}};
    kloop_metadata_request_topic by_id = {.topic_id = {{5}}, .name = kloop_text("a")};
    kloop_metadata_request request;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
    for (int16_t version = 10; version <= 13; version++) {
        seen s;
        request.topics = kloop_array_of(&nameless, 1);
        ask(&a, version, &request, &s);
        int16_t error =
            version < 12 ? KLOOP_BROKER_INVALID_REQUEST : KLOOP_BROKER_UNKNOWN_SERVER_ERROR;
        assert_int_equal(s.response.brokers.count, 0);
        assert_int_equal(s.response.controller_id, -1);
        assert_null(s.response.cluster_id.data);
        assert_int_equal(s.response.error_code, version == 13 ? error : 0);
        assert_int_equal(s.topics[0].error_code, error);
        assert_true(is_text(s.topics[0].name, ""));
        if (version < 12) {
            request.topics = kloop_array_of(&by_id, 1);
            ask(&a, version, &request, &s);
            assert_int_equal(s.topics[0].error_code, KLOOP_BROKER_INVALID_REQUEST);
            assert_true(is_text(s.topics[0].name, "a"));
        }
    }
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void operations_are_told_when_asked_for(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    kl_cluster *c = kl_client_cluster(&config);
    kl_client_topic(c, "a", 1, 1);
    kl_client a;
    kl_client_open(&a, c, 1);
    for (int16_t version = 8; version <= 13; version++) {
        kloop_metadata_request request;
        seen s;
        kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
        request.topics = kloop_array_null();
        request.include_cluster_authorized_operations = version <= 10;
        request.include_topic_authorized_operations = true;
        ask(&a, version, &request, &s);
        assert_int_equal(s.response.cluster_authorized_operations,
                         version <= 10 ? 8096 : NO_OPERATIONS);
        assert_int_equal(s.topics[0].topic_authorized_operations, 3576);
    }
    kl_client_close(&a);
    kl_cluster_del(c);
}

/* ---- Brokers that are away ---- */

static void fenced_brokers_and_leaderless_partitions(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(2);
    kl_cluster *c = kl_client_cluster(&config);
    int32_t topic = kl_client_topic(c, "a", 1, 2);
    int32_t lone = kl_client_topic(c, "lone", 2, 1);
    (void)topic;
    (void)lone;
    kl_client a;
    kl_client_open(&a, c, 1);
    kl_cluster_broker_down(c, 2, 0);
    kl_cluster_fail_over(c, 2, 0);
    for (int16_t version = 0; version <= 13; version++) {
        seen s;
        ask_all(&a, version, &s);
        assert_int_equal(s.response.brokers.count, 1);
        kloop_metadata_partition p = partition(&s.topics[0], 0);
        assert_int_equal(p.leader_id, 1);
        /* Version 0 leaves the fenced ones out, and says so. */
        assert_int_equal(p.error_code, version == 0 ? KLOOP_BROKER_REPLICA_NOT_AVAILABLE : 0);
        expect_nodes(&p.replica_nodes, (const int32_t[]){1, 2}, version == 0 ? 1 : 2);
        expect_nodes(&p.isr_nodes, (const int32_t[]){1}, 1);
        expect_nodes(&p.offline_replicas, (const int32_t[]){2}, version < 5 ? 0 : 1);
        p = partition(&s.topics[1], 1);
        assert_int_equal(p.error_code, KLOOP_BROKER_LEADER_NOT_AVAILABLE);
        assert_int_equal(p.leader_id, -1);
        assert_int_equal(p.leader_epoch, version >= 7 ? 1 : -1);
        assert_int_equal(p.isr_nodes.count, 0);
    }
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void a_frozen_broker_tells_of_an_old_world(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(2);
    kl_cluster *c = kl_client_cluster(&config);
    int32_t topic = kl_client_topic(c, "a", 1, 2);
    kl_client a, b;
    seen s;
    kl_client_open(&a, c, 1);
    kl_client_open(&b, c, 2);
    assert_int_equal(kl_cluster_freeze_view(c, 1), KL_CLUSTER_OK);
    assert_int_equal(kl_cluster_freeze_view(c, 1), KL_CLUSTER_OK);
    kl_cluster_elect(c, topic, 0, 2, 0);
    assert_int_equal(kl_cluster_grow_topic(c, topic, 3), KL_CLUSTER_OK);
    kl_client_topic(c, "new", 1, 1);
    kl_cluster_set_address(c, 2, "moved.example", 1, NULL);
    assert_int_equal(kl_cluster_add_broker(c, 9), KL_CLUSTER_OK);
    ask_all(&a, 12, &s);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.response.brokers.count, 2);
    assert_int_equal(s.topics[0].partitions.count, 1);
    assert_int_equal(partition(&s.topics[0], 0).leader_id, 1);
    ask_names(&a, 12, (const char *const[]){"new"}, 1, &s);
    assert_int_equal(s.topics[0].error_code, KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(
        kl_client_put(&a, "new", 0, kl_client_batch(&(kl_client_batch_spec){.count = 1})),
        KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
    ask_all(&b, 12, &s);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.response.brokers.count, 3);
    assert_int_equal(s.topics[0].partitions.count, 3);
    assert_int_equal(partition(&s.topics[0], 0).leader_epoch, 1);
    /* Deleted in truth, alive in the old view. */
    kl_cluster_delete_topic(c, topic, 0);
    ask_all(&a, 12, &s);
    assert_int_equal(s.count, 1);
    ask_all(&b, 12, &s);
    assert_int_equal(s.count, 1);
    assert_true(is_text(s.topics[0].name, "new"));
    kl_cluster_thaw_view(c, 1, 0);
    ask_all(&a, 12, &s);
    assert_true(is_text(s.topics[0].name, "new"));
    kl_client_close(&a);
    kl_client_close(&b);
    kl_cluster_del(c);
}

/* ---- Topics that are made by asking ---- */

static void asking_makes_a_topic_but_the_answer_does_not_know_it(void **state)
{
    (void)state;
    for (int64_t delay_ms = 0; delay_ms <= 50; delay_ms += 50) {
        kl_cluster_config config = kl_client_config(2);
        config.auto_create_partitions = 4;
        config.auto_create_replication_factor = 2;
        config.auto_create_delay_ns = delay_ms * KL_CLIENT_MS;
        kl_cluster *c = kl_client_cluster(&config);
        kl_client a;
        seen s;
        const char *names[] = {"fresh", "no such name!"};
        kl_client_open(&a, c, 1);
        for (int i = 0; i < 2; i++) {
            ask_names(&a, 12, names, 2, &s);
            assert_int_equal(s.topics[0].error_code, i > 0 && delay_ms == 0 ? 0 : 3);
            assert_int_equal(s.topics[1].error_code, KLOOP_BROKER_INVALID_TOPIC_EXCEPTION);
        }
        kl_client_wait(c, delay_ms);
        ask_names(&a, 12, names, 1, &s);
        assert_int_equal(s.topics[0].error_code, 0);
        assert_int_equal(s.topics[0].partitions.count, 4);
        assert_int_equal(partition(&s.topics[0], 1).replica_nodes.count, 2);
        assert_int_equal(kl_cluster_topic_count(c), 1);
        kl_client_close(&a);
        kl_cluster_del(c);
    }
}

static void not_when_the_client_or_the_brokers_do_not_want_it(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    config.auto_create_partitions = 1;
    config.auto_create_replication_factor = 2; /* more than there are brokers */
    kl_cluster *c = kl_client_cluster(&config);
    kl_client a;
    seen s;
    kl_client_open(&a, c, 1);
    kloop_metadata_request_topic topic = {.topic_id = no_id, .name = kloop_text("fresh")};
    kloop_metadata_request request;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
    request.topics = kloop_array_of(&topic, 1);
    request.allow_auto_topic_creation = false;
    ask(&a, 12, &request, &s);
    assert_int_equal(kl_cluster_deadline(c), KL_CLUSTER_NEVER);
    request.allow_auto_topic_creation = true;
    for (int i = 0; i < 3; i++) {
        ask(&a, 12, &request, &s);
        assert_int_equal(s.topics[0].error_code, KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
    }
    assert_int_equal(kl_cluster_topic_count(c), 0);
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void a_cluster_id_comes_of_the_seed(void **state)
{
    (void)state;
    char first[3][22];
    for (int i = 0; i < 3; i++) {
        kl_cluster_config config = kl_client_config(1);
        config.seed = i == 2 ? 8 : 7;
        kl_cluster *c = kl_client_cluster(&config);
        kl_client a;
        seen s;
        kl_client_open(&a, c, 1);
        ask_all(&a, 12, &s);
        assert_int_equal(s.response.cluster_id.len, 22);
        memcpy(first[i], s.response.cluster_id.data, 22);
        kl_client_close(&a);
        kl_cluster_del(c);
    }
    assert_memory_equal(first[0], first[1], 22);
    assert_memory_not_equal(first[0], first[2], 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_tells_what_it_can),
        cmocka_unit_test(what_is_asked_for_by_name),
        cmocka_unit_test(what_is_asked_for_by_id),
        cmocka_unit_test(questions_that_make_no_sense_get_nothing),
        cmocka_unit_test(operations_are_told_when_asked_for),
        cmocka_unit_test(fenced_brokers_and_leaderless_partitions),
        cmocka_unit_test(a_frozen_broker_tells_of_an_old_world),
        cmocka_unit_test(asking_makes_a_topic_but_the_answer_does_not_know_it),
        cmocka_unit_test(not_when_the_client_or_the_brokers_do_not_want_it),
        cmocka_unit_test(a_cluster_id_comes_of_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
