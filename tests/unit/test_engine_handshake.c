/* SPDX-License-Identifier: BSD-2-Clause */
/* From a transport to a connection that can be used, and peers that are something else. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;

/* A connection to b1 that has asked for the API versions. */
static host_conn *asking(void)
{
    host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "100", NULL);
    h.hold_versions = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    assert_int_equal(host_waiting(c), 1);
    assert_int_equal(host_first(&h, c)->api, KLOOP_API_VERSIONS);
    return c;
}

/* It goes on with another connection when the first one was no good. */
static void recovers(void)
{
    h.hold_versions = false;
    /* Half an answer is waited for as long as the setup may take. */
    host_sleep(&h, 13000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_close(&h, 0, 0);
    host_end(&h);
}

static void newest_versions_are_taken(void **state)
{
    (void)state;
    host_conn *c = asking();
    assert_int_equal(host_first(&h, c)->version, kloop_api_find(KLOOP_API_VERSIONS)->max_version);
    h.hold_versions = false;
    h.max_version[KLOOP_PRODUCE] = 40;
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.version, 13);
    host_end(&h);
}

static void old_broker_is_asked_again(void **state)
{
    (void)state;
    for (int16_t version = 0; version < 4; version++) {
        host_conn *c = asking();
        h.max_version[KLOOP_API_VERSIONS] = version;
        host_answer_versions(&h, c);
        host_pump(&h);
        assert_int_equal(host_first(&h, c)->version, version);
        recovers();
    }
}

/* Brokers before 2.4 say no more than the code. */
static void old_broker_tells_no_versions(void **state)
{
    (void)state;
    host_conn *c = asking();
    host_request *r = &c->requests[c->request_first];
    kloop_api_versions_response m;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &m);
    m.error_code = KLOOP_BROKER_UNSUPPORTED_VERSION;
    r->version = 0;
    host_respond(&h, c, &m, sizeof m);
    host_pump(&h);
    assert_int_equal(host_first(&h, c)->version, 0);
    /* And that to version 0 as well: it takes none at all. */
    host_respond(&h, c, &m, sizeof m);
    host_run(&h);
    host_expect_line(&h, "takes no version of ApiVersions");
    assert_int_equal(c->state, HOST_CLOSED);
    recovers();
}

static void answer_with_an_error_ends_it(void **state)
{
    (void)state;
    host_conn *c = asking();
    kloop_api_versions_response m;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &m);
    m.error_code = KLOOP_BROKER_CLUSTER_AUTHORIZATION_FAILED;
    host_respond(&h, c, &m, sizeof m);
    host_run(&h);
    host_expect_line(&h, "b1:9091 answered ApiVersions with CLUSTER_AUTHORIZATION_FAILED");
    recovers();
}

static void nothing_in_common(void **state)
{
    (void)state;
    static const struct {
        int16_t api;
        const char *name;
    } apis[] = {{KLOOP_PRODUCE, "no version of Produce"},
                {KLOOP_METADATA, "no version of Metadata"}};
    for (size_t i = 0; i < 2; i++) {
        asking();
        int16_t was = h.max_version[apis[i].api];
        h.max_version[apis[i].api] = -1;
        h.hold_versions = false;
        host_run(&h);
        host_expect_line(&h, apis[i].name);
        host_expect_line(&h, "0.11 or newer");
        h.max_version[apis[i].api] = was;
        recovers();
    }
}

/* Each version of Produce that there is, down to the oldest. */
static void every_version_of_produce(void **state)
{
    (void)state;
    for (int16_t version = 3; version <= 13; version++) {
        host_new(&h, "linger.ms", "0", NULL);
        h.max_version[KLOOP_PRODUCE] = version;
        h.max_version[KLOOP_METADATA] = version;
        h.max_version[KLOOP_INIT_PRODUCER_ID] = (int16_t)(version % 7);
        host_topic *t = host_add_topic(&h, "events", 2);
        t->leaders[1] = 1;
        host_send(&h, t, 0, 2);
        host_send(&h, t, 1, 2);
        host_run(&h);
        host_expect_produce(&h, 1, &seen);
        /* Ids of topics come with Metadata 10, and are needed from Produce 13 on. */
        assert_int_equal(seen.version, version);
        HOST_ANSWER(&h, 1, 0, 0);
        host_expect_acked(&h, 1, 4);
        host_end(&h);
    }
}

static void topic_without_id_is_named(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.max_version[KLOOP_METADATA] = 9;
    host_topic *t = host_add_topic(&h, "events", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.version, 12);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

static void broker_without_producer_ids(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.max_version[KLOOP_INIT_PRODUCER_ID] = -1;
    host_topic *t = host_add_topic(&h, "events", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_FATAL);
    assert_non_null(strstr(kloop_engine_fatal_text(h.e), "Set enable.idempotence=false"));
    host_close(&h, 0, 0);
    host_end(&h);
}

static void strangers_are_described(void **state)
{
    (void)state;
    static const struct {
        const char *says, *line;
        size_t len;
    } peers[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n",
         "b1:9091: this is no Kafka broker's answer: 48 54 54 50 2f 31 2e 31 20 34 30 30 ... looks "
         "like "
         "HTTP",
         28},
        {"\x15\x03\x03\x00\x02\x02\x46", "looks like a TLS alert", 7},
        {"SSH-2.0-OpenSSH_9\r\n", "looks like SSH", 19},
        {"\xff\xff\xff\xff", "no length of an answer", 4},
    };
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        host_conn *c = asking();
        host_receive(&h, c, peers[i].says, peers[i].len);
        host_run(&h);
        assert_int_equal(c->state, HOST_CLOSED);
        host_expect_line(&h, peers[i].line);
        if (i == 1) {
            /* Trying again would not cure that. */
            host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
            host_end(&h);
            continue;
        }
        recovers();
    }
}

static void wrong_correlation_id(void **state)
{
    (void)state;
    host_conn *c = asking();
    c->requests[c->request_first].correlation += 5;
    host_answer_versions(&h, c);
    host_run(&h);
    host_expect_line(&h, "an answer with correlation id 5 where 0 was awaited (ApiVersions)");
    recovers();
}

static void answers_cut_short_or_too_long(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } answers[] = {
        {"\0\0\0\0", 4},                /* not even a header */
        {"\0\0\0\2\0\0", 6},            /* half a header */
        {"\0\0\0\4\0\0\0\0", 8},        /* a header and nothing */
        {"\0\0\0\6\0\0\0\0\0\0", 10},   /* a code */
        {"\0\0\0\7\0\0\0\0\0\0\7", 11}, /* six elements, and none is there */
        {"\0\0\0\6\0\0\0\0\0\43", 10},  /* code 35, and then no list */
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        host_conn *c = asking();
        host_receive(&h, c, answers[i].bytes, answers[i].len);
        host_run(&h);
        assert_int_equal(c->state, HOST_CLOSED);
        host_expect_line(&h, "its answer to ApiVersions version");
        recovers();
    }
}

static void unasked_bytes_end_a_connection(void **state)
{
    (void)state;
    /* A whole frame, and the first byte of one: that could be the beginning of 32 MiB. */
    for (int whole = 0; whole < 2; whole++) {
        host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "100", NULL);
        host_topic *t = host_add_topic(&h, "t", 1);
        host_send(&h, t, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        host_conn *c = host_at(&h, 1);
        host_receive(&h, c, "\0\0\0\4abcd", whole ? 8 : 1);
        host_run(&h);
        host_expect_line(&h, "bytes came that nobody had asked for");
        assert_int_equal(c->state, HOST_CLOSED);
        host_end(&h);
    }
}

/* No byte of the question was handed out yet. */
static void answer_before_its_question(void **state)
{
    (void)state;
    /* Also when the host was shown a part of the question: nobody can answer that. */
    for (int shown = 0; shown < 2; shown++) {
        host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "100", NULL);
        host_topic *t = host_add_topic(&h, "t", 1);
        host_send(&h, t, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        h.manual_write = true;
        host_send_bytes(&h, t, 0, 2000);
        host_run(&h);
        host_conn *c = host_at(&h, 1);
        kloop_slice part;
        if (shown)
            assert_int_equal(kloop_engine_write_vec(h.e, c->id, &part, 1), 1);
        uint8_t answer[] = {0, 0, 0, 4, 0, 0, 0, (uint8_t)c->request_count};
        host_receive(&h, c, answer, sizeof answer);
        h.manual_write = false;
        host_run(&h);
        host_expect_line(&h, "an answer came before Produce was sent");
        host_sleep(&h, 500);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 2);
        host_end(&h);
    }
}

static void any_garbage_ends_in_another_attempt(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (int round = 0; round < 300; round++) {
        host_conn *c = asking();
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++) {
            x = x * 1664525U + 1013904223U;
            bytes[i] = (uint8_t)(x >> 24);
        }
        /* Often a length and an id that are right. */
        memset(bytes, 0, round % 3 ? 8 : 2);
        bytes[3] = (uint8_t)(round % 60);
        host_receive(&h, c, bytes, sizeof bytes);
        host_run(&h);
        recovers();
    }
}

/* ---- Limits, and those who hang up ---- */

/* Nothing newer than api.version.max allows is spoken, whatever the broker offers. */
static void limits_are_kept(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "api.version.max",
             "Produce=12,Metadata=9,ApiVersions=2,InitProducerId=3", NULL);
    h.hold_versions = h.hold_metadata = h.hold_id = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    assert_int_equal(host_first(&h, c)->version, 2);
    h.hold_versions = false;
    host_run(&h);
    int16_t versions[KLOOP_INIT_PRODUCER_ID + 1] = {0};
    for (size_t i = c->request_first; i < c->request_count; i++)
        versions[c->requests[i].api] = c->requests[i].version;
    h.hold_metadata = h.hold_id = false;
    host_run(&h);
    for (size_t i = 0; i < c->request_count; i++)
        versions[c->requests[i].api] = c->requests[i].version;
    assert_int_equal(versions[KLOOP_METADATA], 9);
    assert_int_equal(versions[KLOOP_INIT_PRODUCER_ID], 3);
    /* By its name, and not by an id that such a broker may not know. */
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.version, 12);
    assert_int_equal(seen.batches[0].incarnation, -1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* A limit below what the broker has left is named, for it may be the reason. */
static void limit_that_leaves_nothing(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "api.version.max", "Produce=3", NULL);
    kloop_api_versions_response m;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &m);
    static const kloop_api_version offered[] = {{KLOOP_PRODUCE, 4, 13}, {KLOOP_METADATA, 0, 13}};
    m.api_keys = kloop_array_of(offered, 2);
    h.hold_versions = true;
    host_add_topic(&h, "t", 1);
    host_run(&h);
    host_respond(&h, host_at(&h, 1), &m, sizeof m);
    host_run(&h);
    host_expect_line(&h, "b1:9091 has no version of Produce in common with kloop (api.version.max "
                         "allows Produce up to 3)");
    host_end(&h);
}

/* Some brokers close the connection when they do not know a version: the oldest one is asked then,
 * and the newest again when that does not help. */
static void broker_that_hangs_up_on_the_newest(void **state)
{
    (void)state;
    int16_t newest = kloop_api_find(KLOOP_API_VERSIONS)->max_version;
    host_conn *c = asking();
    assert_int_equal(host_first(&h, c)->version, newest);
    for (int i = 0; i < 4; i++) {
        host_lose_connection(&h, 1, "closed by the peer");
        host_sleep(&h, 2500);
        c = host_at(&h, 1);
        assert_int_equal(host_first(&h, c)->version, i % 2 == 0 ? 0 : newest);
    }
    host_lose_connection(&h, 1, "closed by the peer");
    host_sleep(&h, 2500);
    assert_int_equal(host_first(&h, host_at(&h, 1))->version, 0);
    h.hold_versions = false;
    host_sleep(&h, 1300);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    /* What it was found to understand is remembered. */
    h.hold_versions = true;
    host_lose_connection(&h, 1, "reset");
    host_sleep(&h, 2500);
    assert_int_equal(host_first(&h, host_at(&h, 1))->version, 0);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(limit_that_leaves_nothing),
        cmocka_unit_test(broker_that_hangs_up_on_the_newest),
        cmocka_unit_test(newest_versions_are_taken),
        cmocka_unit_test(old_broker_is_asked_again),
        cmocka_unit_test(old_broker_tells_no_versions),
        cmocka_unit_test(answer_with_an_error_ends_it),
        cmocka_unit_test(nothing_in_common),
        cmocka_unit_test(every_version_of_produce),
        cmocka_unit_test(topic_without_id_is_named),
        cmocka_unit_test(broker_without_producer_ids),
        cmocka_unit_test(strangers_are_described),
        cmocka_unit_test(wrong_correlation_id),
        cmocka_unit_test(answers_cut_short_or_too_long),
        cmocka_unit_test(unasked_bytes_end_a_connection),
        cmocka_unit_test(answer_before_its_question),
        cmocka_unit_test(any_garbage_ends_in_another_attempt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
