/* SPDX-License-Identifier: BSD-2-Clause */
/* ApiVersions, InitProducerId, and the requests that come to nothing. */
#include "tests/support/broker_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct world {
    kl_cluster *c;
    kl_client a;
} world;

static void open_world(world *w)
{
    kl_cluster_config config = kl_client_config(1);
    config.first_producer_id = 4000;
    w->c = kl_client_cluster(&config);
    kl_client_open(&w->a, w->c, 1);
}

static void close_world(world *w)
{
    kl_client_close(&w->a);
    kl_cluster_del(w->c);
}

static void ask_versions(world *w, int16_t version, int16_t answer_version, const char *name,
                         kloop_api_versions_response *response)
{
    kloop_api_versions_request request;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &request);
    if (version >= 3) {
        request.client_software_name = kloop_text(name);
        request.client_software_version = kloop_text("1.0-rc.2");
    }
    kl_client_send(&w->a, KLOOP_API_VERSIONS, version, &request);
    kl_client_answer(&w->a, KLOOP_API_VERSIONS, answer_version, response);
}

static bool find(const kloop_api_versions_response *response, int16_t key, kloop_api_version *v)
{
    for (kloop_iter i = kloop_iterate(&response->api_keys); kloop_next(&i, v);) {
        if (v->api_key == key)
            return true;
    }
    return false;
}

static void versions_are_told_in_every_version(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    for (int16_t version = 0; version <= 4; version++) {
        kloop_api_versions_response r;
        kloop_api_version v;
        ask_versions(&w, version, version, "kloop", &r);
        assert_int_equal(r.error_code, 0);
        assert_int_equal(r.finalized_features_epoch, -1);
        assert_true(find(&r, KLOOP_PRODUCE, &v));
        assert_int_equal(v.min_version, 0);
        assert_int_equal(v.max_version, 13);
        assert_true(find(&r, KLOOP_API_VERSIONS, &v));
        assert_int_equal(v.max_version, 4);
    }
    close_world(&w);
}

static void software_has_a_decent_name(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "-a", "a-", "a b", ".", "ä"};
    world w;
    open_world(&w);
    kloop_api_versions_response r;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ask_versions(&w, 3, 3, bad[i], &r);
        assert_int_equal(r.error_code, KLOOP_BROKER_INVALID_REQUEST);
        assert_int_equal(r.api_keys.count, 0);
    }
    ask_versions(&w, 4, 4, "a.b-9", &r);
    assert_int_equal(r.error_code, 0);
    close_world(&w);
}

static void a_version_that_is_unknown_is_answered_with_version_0(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    kloop_api_versions_response r;
    kloop_api_version v;
    kl_cluster_set_versions(w.c, 1, KLOOP_API_VERSIONS, 0, 3);
    ask_versions(&w, 4, 0, "kloop", &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_UNSUPPORTED_VERSION);
    assert_int_equal(r.api_keys.count, 1);
    assert_true(find(&r, KLOOP_API_VERSIONS, &v));
    assert_int_equal(v.max_version, 3);
    ask_versions(&w, 3, 3, "kloop", &r);
    assert_int_equal(r.error_code, 0);
    /* Version 32767 of ApiVersions, whatever stands in it. */
    static const uint8_t odd[] = {0, 0, 0, 12, 0, 18, 0x7f, 0xff, 0, 0, 0, 9, 1, 2, 3, 4};
    kl_client_send_raw(&w.a, odd, sizeof odd);
    w.a.correlation_id = 9;
    kl_client_answer(&w.a, KLOOP_API_VERSIONS, 0, &r);
    assert_int_equal(r.error_code, KLOOP_BROKER_UNSUPPORTED_VERSION);
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 0);
    close_world(&w);
}

static void what_is_not_offered_is_not_told_and_closes(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    kloop_api_versions_response r;
    kloop_api_version v;
    kloop_init_producer_id_request request;
    kl_cluster_set_versions(w.c, 1, KLOOP_INIT_PRODUCER_ID, 0, -1);
    kl_cluster_set_versions(w.c, 1, KLOOP_PRODUCE, 3, 8);
    ask_versions(&w, 2, 2, NULL, &r);
    assert_false(find(&r, KLOOP_INIT_PRODUCER_ID, &v));
    assert_true(find(&r, KLOOP_PRODUCE, &v));
    assert_int_equal(v.min_version, 3);
    assert_int_equal(v.max_version, 8);
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, &request);
    kl_client_send(&w.a, KLOOP_INIT_PRODUCER_ID, 1, &request);
    assert_true(kl_client_is_closed(&w.a));
    assert_int_equal(kl_cluster_complaints(w.c, KL_COMPLAINT_PROTOCOL), 1);
    close_world(&w);
}

static void ask_id(world *w, int16_t version, const kloop_init_producer_id_request *request,
                   kloop_init_producer_id_response *response)
{
    kl_client_send(&w->a, KLOOP_INIT_PRODUCER_ID, version, request);
    kl_client_answer(&w->a, KLOOP_INIT_PRODUCER_ID, version, response);
}

static void producer_ids_rise(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    kl_cluster_set_versions(w.c, 1, KLOOP_INIT_PRODUCER_ID, 0, 6);
    kloop_init_producer_id_request request;
    kloop_init_producer_id_response response;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, &request);
    request.transactional_id = (kloop_string){NULL, 0};
    for (int16_t version = 0; version <= 6; version++) {
        ask_id(&w, version, &request, &response);
        assert_int_equal(response.error_code, 0);
        assert_int_equal(response.producer_id, 4000 + version);
        assert_int_equal(response.producer_epoch, 0);
    }
    /* Whoever has one and asks again gets another. */
    request.producer_id = 4002;
    request.producer_epoch = 5;
    ask_id(&w, 5, &request, &response);
    assert_int_equal(response.producer_id, 4007);
    assert_int_equal(response.producer_epoch, 0);
    close_world(&w);
}

static void producers_may_begin_with_a_late_epoch(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    config.first_producer_epoch = INT16_MAX;
    world w = {.c = kl_client_cluster(&config)};
    kl_client_open(&w.a, w.c, 1);
    kloop_init_producer_id_request request;
    kloop_init_producer_id_response response;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, &request);
    request.transactional_id = (kloop_string){NULL, 0};
    ask_id(&w, 5, &request, &response);
    assert_int_equal(response.producer_epoch, INT16_MAX);
    close_world(&w);
}

static void there_are_no_transactions(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    kloop_init_producer_id_request request;
    kloop_init_producer_id_response response;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, &request);
    request.transactional_id = kloop_text("t");
    ask_id(&w, 4, &request, &response);
    assert_int_equal(response.error_code, KLOOP_BROKER_NOT_COORDINATOR);
    assert_int_equal(response.producer_id, -1);
    assert_int_equal(response.producer_epoch, -1);
    request.transactional_id = kloop_text("");
    ask_id(&w, 4, &request, &response);
    assert_int_equal(response.error_code, KLOOP_BROKER_INVALID_REQUEST);
    request.transactional_id = (kloop_string){NULL, 0};
    request.producer_id = 5;
    ask_id(&w, 4, &request, &response);
    assert_int_equal(response.error_code, KLOOP_BROKER_INVALID_REQUEST);
    request.producer_id = -1;
    request.producer_epoch = 5;
    ask_id(&w, 4, &request, &response);
    assert_int_equal(response.error_code, KLOOP_BROKER_INVALID_REQUEST);
    for (int16_t version = 0; version <= 6; version++) {
        kloop_string key = kloop_text("t");
        kloop_find_coordinator_request asked;
        kloop_find_coordinator_response found;
        kloop_message_init(KLOOP_FIND_COORDINATOR, KLOOP_REQUEST, &asked);
        if (version < 4)
            asked.key = key;
        else
            asked.coordinator_keys = kloop_array_of(&key, 1);
        asked.key_type = version > 0 ? 1 : 0;
        kl_client_send(&w.a, KLOOP_FIND_COORDINATOR, version, &asked);
        kl_client_answer(&w.a, KLOOP_FIND_COORDINATOR, version, &found);
        kloop_coordinator coordinator = {.error_code = found.error_code};
        kloop_iter i = kloop_iterate(&found.coordinators);
        assert_int_equal(kloop_next(&i, &coordinator), version >= 4);
        assert_int_equal(coordinator.error_code, KLOOP_BROKER_COORDINATOR_NOT_AVAILABLE);
    }
    close_world(&w);
}

static void there_is_nothing_to_authenticate(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    kloop_sasl_handshake_request handshake;
    kloop_sasl_handshake_response shaken;
    kloop_message_init(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, &handshake);
    handshake.mechanism = kloop_text("PLAIN");
    kl_client_send(&w.a, KLOOP_SASL_HANDSHAKE, 1, &handshake);
    kl_client_answer(&w.a, KLOOP_SASL_HANDSHAKE, 1, &shaken);
    assert_int_equal(shaken.error_code, KLOOP_BROKER_ILLEGAL_SASL_STATE);
    for (int16_t version = 0; version <= 2; version++) {
        kloop_sasl_authenticate_request request;
        kloop_sasl_authenticate_response response;
        kloop_message_init(KLOOP_SASL_AUTHENTICATE, KLOOP_REQUEST, &request);
        request.auth_bytes = (kloop_slice){(const uint8_t *)"x", 1};
        kl_client_send(&w.a, KLOOP_SASL_AUTHENTICATE, version, &request);
        kl_client_answer(&w.a, KLOOP_SASL_AUTHENTICATE, version, &response);
        assert_int_equal(response.error_code, KLOOP_BROKER_ILLEGAL_SASL_STATE);
        assert_non_null(response.error_message.data);
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_told_in_every_version),
        cmocka_unit_test(software_has_a_decent_name),
        cmocka_unit_test(a_version_that_is_unknown_is_answered_with_version_0),
        cmocka_unit_test(what_is_not_offered_is_not_told_and_closes),
        cmocka_unit_test(producer_ids_rise),
        cmocka_unit_test(producers_may_begin_with_a_late_epoch),
        cmocka_unit_test(there_are_no_transactions),
        cmocka_unit_test(there_is_nothing_to_authenticate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
