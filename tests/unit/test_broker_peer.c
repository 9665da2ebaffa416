/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: one request at a time or many, in any pieces, and what goes on when the client has
 * gone.
 */
#include "base/be.h"
#include "tests/support/broker_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a hook gives each request of a test. */
static kl_request_fate next_fate;
static uint64_t asked;

static void on_request(void *user, const kl_request_info *request, kl_request_fate *fate)
{
    (void)user;
    asked = request->request_id;
    *fate = next_fate;
}

static kl_cluster *cluster(bool pipelined, int64_t answer_delay_ns)
{
    kl_cluster_config config = kl_client_config(2);
    next_fate = (kl_request_fate){.end = KL_FATE_ANSWER};
    config.hooks.on_request = on_request;
    config.pipelined = pipelined;
    config.answer_delay_ns = answer_delay_ns;
    kl_cluster *c = kl_client_cluster(&config);
    kl_client_topic(c, "events", 1, 2);
    return c;
}

static kloop_slice some(int32_t count)
{
    return kl_client_batch(&(kl_client_batch_spec){.count = count});
}

static void ask_versions(kl_client *a)
{
    kloop_api_versions_request request;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &request);
    kl_client_send(a, KLOOP_API_VERSIONS, 0, &request);
}

static int32_t taken_correlation(kl_client *a)
{
    assert_true(kl_client_take(a));
    return (int32_t)kl_be_load32(a->frame + 4);
}

/* ---- In ---- */

static void any_chunking_gives_the_same_answers(void **state)
{
    (void)state;
    kl_cluster *c = cluster(false, 0);
    kl_client a;
    kl_client_open(&a, c, 1);
    for (size_t chunk = 1; chunk < 40; chunk += 6) {
        kloop_api_versions_request request;
        kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &request);
        uint8_t frame[64];
        kloop_size size;
        assert_int_equal(
            kloop_measure_request(KLOOP_API_VERSIONS, 0, kloop_text("me"), &request, &size, NULL),
            KLOOP_OK);
        assert_int_equal(kloop_encode_request(KLOOP_API_VERSIONS, 0, ++a.correlation_id,
                                              kloop_text("me"), &request, frame, sizeof frame,
                                              NULL),
                         KLOOP_OK);
        for (size_t at = 0; at < size.total; at += chunk)
            kl_client_send_raw(&a, frame + at, size.total - at < chunk ? size.total - at : chunk);
        kloop_api_versions_response response;
        kl_client_answer(&a, KLOOP_API_VERSIONS, 0, &response);
        assert_int_equal(response.error_code, 0);
    }
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void one_request_at_a_time(void **state)
{
    (void)state;
    kl_cluster *c = cluster(false, 0);
    kl_client a;
    kl_client_open(&a, c, 1);
    assert_true(kl_peer_wants_bytes(a.peer));
    ask_versions(&a);
    /* Its answer was not written: nothing is read, and nothing is looked at. */
    assert_false(kl_peer_wants_bytes(a.peer));
    ask_versions(&a);
    ask_versions(&a);
    assert_int_equal(asked, 1);
    size_t one = kl_peer_output_bytes(a.peer);
    kl_peer_wrote(a.peer, one - 1, kl_client_now);
    assert_int_equal(asked, 1);
    kl_peer_wrote(a.peer, 1, kl_client_now);
    assert_int_equal(asked, 2);
    assert_int_equal(kl_peer_output_bytes(a.peer), one);
    assert_int_equal(taken_correlation(&a), 2);
    assert_int_equal(taken_correlation(&a), 3);
    assert_true(kl_peer_wants_bytes(a.peer));
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void a_waiting_request_holds_up_the_next_one(void **state)
{
    (void)state;
    kl_cluster *c = cluster(false, 0);
    kl_client a;
    kl_client_open(&a, c, 1);
    kl_cluster_stall_follower(c, 2, true, kl_client_now);
    kl_client_produce(&a, 12, "events", 0, some(1));
    kl_client_produce_acks(&a, 12, "events", 0, some(1), 1, 1000);
    assert_int_equal(kl_client_next_offset(c, 0, 0), 1);
    kl_client_wait(c, 1000);
    assert_int_equal(taken_correlation(&a), 1);
    assert_int_equal(kl_client_next_offset(c, 0, 0), 2);
    assert_int_equal(taken_correlation(&a), 2);
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void frames_that_cannot_be_close(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[16];
        size_t len;
    } cases[] = {
        {{0xff, 0xff, 0xff, 0xff}, 4},                        /* a negative length */
        {{0x7f, 0, 0, 0}, 4},                                 /* beyond 100 MiB */
        {{0, 0, 0, 0}, 4},                                    /* nothing */
        {{0, 0, 0, 7, 0, 18, 0, 0, 0, 0, 0}, 11},             /* half a header */
        {{0, 0, 0, 8, 0, 18, 0, 0, 0, 0, 0, 1}, 12},          /* no client id */
        {{0, 0, 0, 10, 0, 99, 0, 0, 0, 0, 0, 1, 0, 0}, 14},   /* an API that nobody has */
        {{0, 0, 0, 10, 0, 1, 0, 4, 0, 0, 0, 1, 0, 0}, 14},    /* one that is only said */
        {{0, 0, 0, 10, 0, 3, 0, 14, 0, 0, 0, 1, 0, 0}, 14},   /* a version that nobody has */
        {{0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0}, 14},    /* one that is only said */
        {{0, 0, 0, 11, 0, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0}, 15}, /* a body that ends */
    };
    kl_cluster *c = cluster(false, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_client a;
        kl_client_open(&a, c, 1);
        kl_client_send_raw(&a, cases[i].bytes, cases[i].len);
        assert_true(kl_client_is_closed(&a));
        assert_false(kl_peer_wants_bytes(a.peer));
        assert_int_equal(kl_cluster_complaints(c, KL_COMPLAINT_PROTOCOL), i + 1);
        kl_client_send_raw(&a, cases[0].bytes, 4);
        kl_client_close(&a);
    }
    kl_cluster_del(c);
}

static void bytes_behind_a_request_are_passed_over(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 0, 0, 13, 0, 18, 0, 0, 0, 0, 0, 1, 0, 0, 'x', 'y', 'z'};
    kl_cluster *c = cluster(false, 0);
    kl_client a;
    kl_client_open(&a, c, 1);
    kl_client_send_raw(&a, bytes, sizeof bytes);
    assert_int_equal(taken_correlation(&a), 1);
    assert_int_equal(kl_cluster_complaints(c, KL_COMPLAINT_PROTOCOL), 1);
    kl_client_close(&a);
    kl_cluster_del(c);
}

/* ---- Many at a time ---- */

static void answers_are_held_from_their_requests_arrival(void **state)
{
    (void)state;
    kl_cluster *c = cluster(true, 30 * KL_CLIENT_MS);
    kl_client a;
    kl_client_open(&a, c, 1);
    for (int i = 0; i < 4; i++) {
        kl_client_produce(&a, 12, "events", 0, some(1));
        kl_client_wait(c, 10);
    }
    /* All of them are in the log; one answer has come, one each 10 ms. */
    assert_int_equal(kl_client_next_offset(c, 0, 0), 4);
    for (int32_t i = 1; i <= 2; i++)
        assert_int_equal(taken_correlation(&a), i);
    assert_false(kl_client_take(&a));
    kl_client_wait(c, 9);
    assert_false(kl_client_take(&a));
    kl_client_wait(c, 1);
    assert_int_equal(taken_correlation(&a), 3);
    kl_client_wait(c, 10);
    assert_int_equal(taken_correlation(&a), 4);
    assert_int_equal(kl_cluster_deadline(c), KL_CLUSTER_NEVER);
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void answers_leave_in_order(void **state)
{
    (void)state;
    kl_cluster *c = cluster(true, 0);
    kl_client a;
    kl_client_open(&a, c, 1);
    next_fate.answer_delay_ns = 50 * KL_CLIENT_MS;
    ask_versions(&a);
    next_fate.answer_delay_ns = 0;
    ask_versions(&a);
    next_fate.overtakes = true;
    ask_versions(&a);
    assert_int_equal(taken_correlation(&a), 3);
    assert_false(kl_client_take(&a));
    kl_client_wait(c, 50);
    assert_int_equal(taken_correlation(&a), 1);
    assert_int_equal(taken_correlation(&a), 2);
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void too_much_output_stops_the_reading(void **state)
{
    (void)state;
    kl_cluster *c = cluster(true, 0);
    kl_client a;
    kl_client_open(&a, c, 1);
    while (kl_peer_wants_bytes(a.peer))
        ask_versions(&a);
    uint64_t seen = asked;
    assert_true(kl_peer_output_bytes(a.peer) > 1 << 20);
    ask_versions(&a);
    assert_int_equal(asked, seen);
    kl_peer_wrote(a.peer, kl_peer_output_bytes(a.peer), kl_client_now);
    assert_int_equal(asked, seen + 1);
    kl_client_close(&a);
    kl_cluster_del(c);
}

/* ---- Clients that go ---- */

static void an_append_comes_late_although_the_client_has_gone(void **state)
{
    (void)state;
    kl_cluster *c = cluster(false, 0);
    kl_client a, b;
    kl_client_open(&a, c, 1);
    kl_client_open(&b, c, 1);
    kl_client_batch_spec spec = {.idempotent = true, .producer_id = 7};
    next_fate.process_delay_ns = 500 * KL_CLIENT_MS;
    kl_client_produce_acks(&a, 12, "events", 0, kl_client_batch(&spec), 1, 1000);
    kl_client_wait(c, 100);
    assert_int_equal(kl_client_next_offset(c, 0, 0), 0);
    kl_client_close(&a);
    /* Its retry over another connection comes first, and the late one is a duplicate. */
    next_fate.process_delay_ns = 0;
    assert_int_equal(kl_client_put(&b, "events", 0, kl_client_batch(&spec)), 0);
    kl_client_wait(c, 400);
    assert_int_equal(kl_client_next_offset(c, 0, 0), 1);
    assert_int_equal(kl_cluster_count(c).duplicates, 1);
    kl_client_close(&b);
    kl_cluster_del(c);
}

static void whole_requests_are_carried_out_in_turn_after_the_end(void **state)
{
    (void)state;
    kl_cluster *c = cluster(false, 0);
    kl_client a;
    kl_client_open(&a, c, 1);
    kl_cluster_stall_follower(c, 2, true, kl_client_now);
    kl_client_produce_acks(&a, 12, "events", 0, some(1), -1, 300);
    kl_client_produce_acks(&a, 12, "events", 0, some(2), -1, 300);
    kl_client_produce_acks(&a, 12, "events", 0, some(4), 0, 300);
    kl_client_send_raw(&a, "\0\0\0", 3);
    assert_int_equal(kl_client_next_offset(c, 0, 0), 1);
    kl_client_close(&a);
    assert_int_equal(kl_client_next_offset(c, 0, 0), 1);
    kl_client_wait(c, 300);
    assert_int_equal(kl_client_next_offset(c, 0, 0), 3);
    kl_client_wait(c, 300);
    assert_int_equal(kl_client_next_offset(c, 0, 0), 7);
    assert_int_equal(kl_cluster_deadline(c), KL_CLUSTER_NEVER);
    kl_cluster_del(c);
}

static void what_still_runs_goes_with_the_cluster(void **state)
{
    (void)state;
    kl_cluster *c = cluster(true, 0);
    kl_client a;
    kl_client_open(&a, c, 1);
    kl_cluster_stall_follower(c, 2, true, kl_client_now);
    kl_client_produce(&a, 12, "events", 0, some(1));
    next_fate.process_delay_ns = KL_CLIENT_MS;
    kl_client_produce(&a, 12, "events", 0, some(1));
    next_fate = (kl_request_fate){.answer_delay_ns = KL_CLIENT_MS};
    ask_versions(&a);
    kl_client_close(&a);
    kl_cluster_del(c);
}

/* ---- Who has something to do ---- */

static void peers_with_something_new_are_named_once(void **state)
{
    (void)state;
    kl_cluster *c = cluster(false, 0);
    kl_client a, b;
    kl_client_open(&a, c, 1);
    kl_client_open(&b, c, 2);
    assert_null(kl_cluster_next_ready(c));
    next_fate.answer_delay_ns = 5 * KL_CLIENT_MS;
    ask_versions(&a);
    ask_versions(&b);
    assert_null(kl_cluster_next_ready(c));
    kl_client_wait(c, 5);
    assert_ptr_equal(kl_cluster_next_ready(c), a.peer);
    assert_ptr_equal(kl_cluster_next_ready(c), b.peer);
    assert_null(kl_cluster_next_ready(c));
    /* Written: it wants bytes again. */
    assert_true(kl_client_take(&b));
    assert_ptr_equal(kl_cluster_next_ready(c), b.peer);
    assert_null(kl_cluster_next_ready(c));
    kl_cluster_broker_down(c, 2, kl_client_now);
    assert_ptr_equal(kl_cluster_next_ready(c), b.peer);
    assert_true(kl_client_is_closed(&b));
    /* One that was closed is not named any more. */
    kl_cluster_broker_down(c, 1, kl_client_now);
    kl_client_close(&a);
    kl_client_close(&b);
    assert_null(kl_cluster_next_ready(c));
    kl_cluster_del(c);
}

static void peers_know_who_they_are(void **state)
{
    (void)state;
    kl_cluster *c = cluster(false, 0);
    int me;
    kl_peer *first = kl_peer_open(c, 1, &me, 0);
    kl_peer *second = kl_peer_open(c, 2, NULL, 0);
    assert_ptr_equal(kl_peer_user(first), &me);
    assert_int_equal(kl_peer_id(first), 1);
    assert_int_equal(kl_peer_id(second), 2);
    assert_int_equal(kl_peer_node_id(second), 2);
    assert_int_equal(kl_cluster_count(c).peers, 2);
    kl_peer_close(first, 0);
    kl_peer_close(second, 0);
    kl_cluster_del(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_chunking_gives_the_same_answers),
        cmocka_unit_test(one_request_at_a_time),
        cmocka_unit_test(a_waiting_request_holds_up_the_next_one),
        cmocka_unit_test(frames_that_cannot_be_close),
        cmocka_unit_test(bytes_behind_a_request_are_passed_over),
        cmocka_unit_test(answers_are_held_from_their_requests_arrival),
        cmocka_unit_test(answers_leave_in_order),
        cmocka_unit_test(too_much_output_stops_the_reading),
        cmocka_unit_test(an_append_comes_late_although_the_client_has_gone),
        cmocka_unit_test(whole_requests_are_carried_out_in_turn_after_the_end),
        cmocka_unit_test(what_still_runs_goes_with_the_cluster),
        cmocka_unit_test(peers_with_something_new_are_named_once),
        cmocka_unit_test(peers_know_who_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
