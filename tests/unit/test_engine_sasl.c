/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From ApiVersions to READY with SASL between them; what brokers may do instead of letting us in:
 * test_engine_refusals.c. The host checks in each of these that nothing else is asked before, and
 * that no block of memory is given back with what the mechanism has said.
 */
#include "tests/support/engine_host.h"
#include "tests/support/scripted_sasl.h"

#include <kloop/hooks.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static scripted_sasl sasl;
static host_topic *topic;

static void prepare(const char *script)
{
    host_prepare(&h, 0);
    scripted_sasl_init(&sasl, script, false);
}

static void open_with(const char *const *pairs)
{
    if (host_open_sasl(&h, &sasl.mechanism, pairs))
        fail_msg("%s", h.error.text);
    topic = host_add_topic(&h, "t", 1);
}

/* One record is on its way, as far as it comes. */
static void go(void)
{
    open_with((const char *const[]){"linger.ms", "0", NULL});
    host_send(&h, topic, 0, 1);
    host_run(&h);
}

static void begin(const char *script)
{
    prepare(script);
    go();
}

static void finish(void)
{
    host_close(&h, 0, 0);
    assert_int_equal(sasl.begun, sasl.ended);
    host_end(&h);
}

static void expect_delivery(size_t user)
{
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, user, user);
}

/* ---- All is well ---- */

static void one_round(void **state)
{
    (void)state;
    begin("sd");
    expect_delivery(1);
    kloop_stats s = host_stats(&h);
    assert_int_equal(s.authentications, 1);
    assert_int_equal(s.reauthentications, 0);
    assert_int_equal(s.refusals, 0);
    assert_int_equal(sasl.begun, 1);
    assert_int_equal(sasl.ended, 1);
    finish();
}

static void several_rounds_with_work_between(void **state)
{
    (void)state;
    prepare("wswwswwd");
    h.sasl_rounds = 2;
    go();
    expect_delivery(1);
    assert_int_equal(sasl.worked, 5);
    assert_int_equal(sasl.challenged, 2);
    finish();
}

static void nothing_to_say_is_said(void **state)
{
    (void)state;
    begin("ed");
    expect_delivery(1);
    finish();
}

/* Each version of both, byte by byte: from Kafka 0.11 to the newest. */
static void every_version(void **state)
{
    (void)state;
    static const int16_t versions[][2] = {{1, 2}, {1, 1}, {1, 0}, {0, 0}, {0, -1}, {1, -1}, {9, 9}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        for (size_t step = 0; step < 2; step++) {
            prepare("ssd");
            h.sasl_rounds = 2;
            h.write_step = h.receive_step = step;
            h.max_version[KLOOP_SASL_HANDSHAKE] = versions[i][0];
            h.max_version[KLOOP_SASL_AUTHENTICATE] = versions[i][1];
            go();
            expect_delivery(1);
            assert_int_equal(sasl.challenged, 2);
            finish();
        }
}

/* What was written, of this API. */
static const host_request *asked(const host_conn *c, int16_t api)
{
    for (size_t i = 0; i < c->request_count; i++)
        if (c->requests[i].api == api)
            return &c->requests[i];
    fail_msg("API %d was not asked", api);
    return NULL;
}

static void bytes_are_those_of_kafka(void **state)
{
    (void)state;
    begin("sd");
    const host_conn *c = host_at(&h, 1);
    const host_request *r = asked(c, KLOOP_SASL_HANDSHAKE);
    assert_int_equal(r->version, 1);
    assert_memory_equal(c->stream + r->at, "\0\6SCRIPT", 8);
    assert_int_equal(r->len, 8);
    r = asked(c, KLOOP_SASL_AUTHENTICATE);
    assert_int_equal(r->version, 2);
    assert_memory_equal(c->stream + r->at, "\x13" SCRIPTED_SECRET " 1\0", 20);
    expect_delivery(1);
    finish();
}

static void tokens_go_bare_without_sasl_authenticate(void **state)
{
    (void)state;
    prepare("sd");
    h.max_version[KLOOP_SASL_AUTHENTICATE] = -1;
    go();
    const host_conn *c = host_at(&h, 1);
    assert_int_equal(asked(c, KLOOP_SASL_HANDSHAKE)->version, 0);
    const host_request *r = asked(c, KLOOP_SASL_AUTHENTICATE);
    assert_memory_equal(c->stream + r->at - 4, "\0\0\0\x12" SCRIPTED_SECRET " 1", 22);
    expect_delivery(1);
    finish();
}

static void each_connection_says_who_it_is(void **state)
{
    (void)state;
    prepare("sd");
    open_with((const char *const[]){"linger.ms", "0", NULL});
    host_topic *wide = host_add_topic(&h, "wide", 3);
    for (int32_t p = 0; p < 3; p++)
        host_send(&h, wide, p, 1);
    host_run(&h);
    for (int node = 1; node <= 3; node++)
        HOST_ANSWER(&h, node, 0);
    host_expect_acked(&h, 1, 3);
    /* b1 twice: the entry of bootstrap.servers became the node. */
    assert_int_equal(host_stats(&h).authentications, 3);
    host_lose_connection(&h, 2, "gone");
    host_send(&h, wide, 1, 1);
    host_sleep(&h, 100);
    HOST_ANSWER(&h, 2, 0);
    assert_int_equal(host_stats(&h).authentications, 4);
    finish();
}

/* ---- Answers ---- */

static void answers_that_cannot_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *line;
        bool to_handshake;
    } peers[] = {
        {"\0\0\0\5\0\0\0\1\0", 9, "SaslHandshake version 1 cannot be read", true},
        {"\0\0\0\6\0\0\0\1\0\0", 10, "SaslHandshake version 1 cannot be read", true},
        {"\0\0\0\12\0\0\0\1\0\0\xff\xff\xff\xf0", 14, "SaslHandshake version 1 cannot be read",
         true},
        {"\0\0\0\6\0\0\0\2\0\0", 10, "SaslAuthenticate version 2 cannot be read", false},
        {"\0\0\0\5\0\0\0\7\0", 9, "correlation id 7 where 2", false},
        {"\0\1\0\1", 4, "this is no Kafka broker's answer", false},
        {"\x7f\xff\xff\xff", 4, "this is no Kafka broker's answer", false},
        {"\xff\xff\xff\xff", 4, "this is no Kafka broker's answer", true},
    };
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        prepare("sd");
        h.hold_sasl = true;
        go();
        if (!peers[i].to_handshake) {
            host_answer_handshake(&h, host_at(&h, 1));
            host_pump(&h);
        }
        host_receive(&h, host_at(&h, 1), peers[i].bytes, peers[i].len);
        host_run(&h);
        host_expect_line(&h, peers[i].line);
        assert_int_equal(host_stats(&h).refusals, 0);
        h.hold_sasl = false;
        host_sleep(&h, 1000);
        expect_delivery(1);
        finish();
    }
}

/* 64 KiB is what an answer may have before; then as much as ever. */
static void frames_are_small_until_ready(void **state)
{
    (void)state;
    begin("sd");
    host_conn *c = host_at(&h, 1);
    size_t room;
    assert_non_null(kloop_engine_read_space(h.e, c->id, &room));
    /* A megabyte is announced, and waited for. */
    host_receive(&h, c, "\0\x10\0\0", 4);
    host_run(&h);
    assert_int_equal(c->state, HOST_UP);
    finish();
}

/* ---- Time ---- */

static void setup_time_covers_all_of_it(void **state)
{
    (void)state;
    static const char *const doing[] = {"while asking for SASL", "while authenticating"};
    for (size_t i = 0; i < 2; i++) {
        prepare("sd");
        h.hold_sasl = true;
        open_with((const char *const[]){"linger.ms", "0", "socket.connection.setup.timeout.ms",
                                        "3000", NULL});
        host_send(&h, topic, 0, 1);
        host_run(&h);
        if (i)
            host_answer_handshake(&h, host_at(&h, 1));
        host_sleep(&h, 2999);
        assert_int_equal(host_count_lines(&h, "CLOSE"), 0);
        host_sleep(&h, 1);
        host_expect_line(&h, doing[i]);
        finish();
    }
}

/* Work that never ends holds neither the loop nor the connection for ever. */
static void work_is_cut_into_turns(void **state)
{
    (void)state;
    static char script[4001];
    memset(script, 'w', sizeof script - 1);
    prepare(script);
    open_with((const char *const[]){"linger.ms", "0", "socket.connection.setup.timeout.ms", "20",
                                    "socket.connection.setup.timeout.max.ms", "20", NULL});
    host_send(&h, topic, 0, 1);
    host_pump(&h);
    h.hold_metadata = true;
    host_answer_versions(&h, host_at(&h, 1));
    host_pump(&h);
    host_answer_handshake(&h, host_at(&h, 1));
    int worked = 0;
    for (int turn = 0; turn < 20; turn++) {
        host_pump(&h);
        assert_in_range(sasl.worked - worked, 1, 20);
        worked = sasl.worked;
        assert_int_equal(host_deadline(&h), 0);
        h.now.mono_ns += 1000;
        kloop_engine_on_time(h.e, h.now);
    }
    h.now.mono_ns += 20000000;
    kloop_engine_on_time(h.e, h.now);
    host_pump(&h);
    host_expect_line(&h, "while authenticating");
    finish();
}

static void work_is_shared_fairly(void **state)
{
    (void)state;
    prepare("wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwsd");
    h.hold_versions = h.hold_sasl = true;
    const char *const pairs[] = {"bootstrap.servers", "b1:9091,b2:9092,b3:9093", "linger.ms", "0",
                                 NULL};
    open_with(pairs);
    kloop_engine_warm_up(h.e, NULL, 60000, NULL, h.now);
    host_sleep(&h, 2500);
    int open = 0;
    for (int node = 1; node <= 3; node++) {
        host_conn *c = host_find(&h, node);
        if (!c)
            continue;
        open++;
        host_answer_versions(&h, c);
        host_pump(&h);
        host_answer_handshake(&h, c);
    }
    assert_true(open >= 2);
    /* All of them are over within the turns of the longest: none waits for another's end. */
    int turns = 0;
    for (; sasl.worked < 30 * open && turns < 100; turns++) {
        host_pump(&h);
        for (int node = 1; node <= 3; node++)
            if (host_find(&h, node) && host_waiting(host_at(&h, node)))
                assert_true(sasl.worked > 30 * (open - 1));
        h.now.mono_ns += 1000;
        kloop_engine_on_time(h.e, h.now);
    }
    assert_in_range(turns, 30 * open / 20, 30 * open / 2);
    assert_int_equal(sasl.running_max, open);
    finish();
}

/* ---- What is told ---- */

static void host_must_do_what_is_asked_for(void **state)
{
    (void)state;
    static const char *const protocols[] = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};
    scripted_sasl_init(&sasl, "sd", false);
    for (int asked_for = 0; asked_for < 4; asked_for++)
        for (int done = 0; done < 4; done++) {
            host_new(&h, "security.protocol", protocols[asked_for], "sasl.mechanism", "PLAIN",
                     "sasl.username", "u", "sasl.password", "p", NULL);
            kloop_status status =
                kloop_engine_secure(h.e, done & 1, done & 2 ? &sasl.mechanism : NULL, &h.error);
            assert_int_equal(status, asked_for == done ? KLOOP_OK : KLOOP_BAD_CONFIG);
            if (status) {
                assert_non_null(strstr(h.error.text, protocols[asked_for]));
                assert_non_null(strstr(h.error.text, protocols[done]));
                assert_int_equal(
                    kloop_engine_secure(h.e, done & 1, done & 2 ? &sasl.mechanism : NULL, NULL),
                    KLOOP_BAD_CONFIG);
            }
            host_end(&h);
        }
}

static void state_is_told(void **state)
{
    (void)state;
    prepare("sd");
    h.hold_sasl = true;
    go();
    kloop_snapshot *s;
    assert_int_equal(kloop_engine_snapshot(h.e, KLOOP_SNAPSHOT_BROKERS, NULL, &s), KLOOP_OK);
    assert_int_equal(s->brokers[0].state, KLOOP_BROKER_HANDSHAKE);
    kloop_snapshot_del(s);
    finish();
}

static void password_in_the_open_is_warned_of(void **state)
{
    (void)state;
    for (int tls = 0; tls < 2; tls++) {
        prepare("sd");
        sasl.mechanism.warns = true;
        h.has_tls = tls;
        h.sasl = &sasl.mechanism;
        const char *const pairs[] = {"security.protocol",
                                     tls ? "SASL_SSL" : "SASL_PLAINTEXT",
                                     "sasl.mechanism",
                                     "PLAIN",
                                     "sasl.username",
                                     "u",
                                     "sasl.password",
                                     "p",
                                     NULL};
        assert_int_equal(host_open(&h, pairs), KLOOP_OK);
        host_run(&h);
        assert_int_equal(host_count_lines(&h, "LOG warn: SCRIPT without TLS"), !tls);
        host_close(&h, 0, 0);
        host_end(&h);
    }
}

/* ---- Secrets ---- */

static int frames_seen;

static bool see_frame(const kloop_frame *frame, kloop_slice *instead, void *me)
{
    (void)instead;
    (void)me;
    frames_seen++;
    /* Nor the answers: salt, nonces and the broker's signature are what a password is guessed by.
     * They were shown once. */
    assert_int_not_equal(frame->api_key, KLOOP_SASL_AUTHENTICATE);
    for (size_t i = 0; i < frame->slice_count; i++)
        for (size_t j = 0; j + 7 <= frame->slices[i].len; j++)
            assert_memory_not_equal(frame->slices[i].data + j, "hunter2", 7);
    return false;
}

static void hooks_see_no_secret(void **state)
{
    (void)state;
    for (int is_bare = 0; is_bare < 2; is_bare++) {
        prepare("sd");
        if (is_bare)
            h.max_version[KLOOP_SASL_AUTHENTICATE] = -1;
        open_with((const char *const[]){"linger.ms", "0", NULL});
        kloop_engine_set_hooks(h.e, &(kloop_hooks){.on_frame = see_frame});
        frames_seen = 0;
        host_send(&h, topic, 0, 1);
        host_run(&h);
        expect_delivery(1);
        assert_in_range(frames_seen, 8, 20);
        finish();
    }
}

/* The host may be writing it until it says that it is not: then it is wiped. */
static void lost_while_it_is_written(void **state)
{
    (void)state;
    prepare("sd");
    h.hold_sasl = true;
    go();
    h.manual_write = h.manual_close = true;
    host_conn *c = host_at(&h, 1);
    host_answer_handshake(&h, c);
    host_pump(&h);
    kloop_slice slices[4];
    assert_int_equal(kloop_engine_write_vec(h.e, c->id, slices, 4), 1);
    kloop_engine_on_disconnected(h.e, c->id, "gone", h.now);
    host_pump(&h);
    /* Behind it are the tags of a flexible version. */
    assert_memory_equal(slices[0].data + slices[0].len - 19, SCRIPTED_SECRET, 16);
    c->state = HOST_CLOSED;
    kloop_engine_on_closed(h.e, c->id, h.now);
    h.manual_close = false;
    finish();
}

static void deleted_in_the_middle(void **state)
{
    (void)state;
    static const char *const scripts[] = {"sd", "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwd"};
    for (size_t i = 0; i < 2; i++) {
        prepare(scripts[i]);
        h.hold_sasl = true;
        go();
        host_answer_handshake(&h, host_at(&h, 1));
        host_pump(&h);
        assert_int_equal(sasl.running, 1);
        host_end(&h);
        assert_int_equal(sasl.running, 0);
    }
}

/* ---- Memory ---- */

static void memory_runs_out_once_at_each_place(void **state)
{
    (void)state;
    for (int is_bare = 0; is_bare < 2; is_bare++)
        for (size_t nth = 1;; nth++) {
            host_prepare(&h, nth);
            scripted_sasl_init(&sasl, "wssd", false);
            h.sasl_rounds = 2;
            if (is_bare)
                h.max_version[KLOOP_SASL_AUTHENTICATE] = -1;
            kloop_status status =
                host_open_sasl(&h, &sasl.mechanism, (const char *const[]){"linger.ms", "0", NULL});
            assert_true(status == KLOOP_OK || status == KLOOP_NO_MEMORY);
            if (status == KLOOP_OK) {
                topic = host_add_topic(&h, "t", 1);
                if (!topic->handle)
                    kloop_engine_topic(h.e, kloop_text("t"), &topic->handle);
                kloop_record r = {.value = {(const uint8_t *)"v1", 2}};
                if (host_send_record(&h, topic, &r) != KLOOP_OK)
                    host_send(&h, topic, -1, 1);
                host_sleep(&h, 3000);
                expect_delivery(1);
                finish();
            } else {
                host_end(&h);
            }
            if (h.memory.refused == 0)
                break;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_round),
        cmocka_unit_test(several_rounds_with_work_between),
        cmocka_unit_test(nothing_to_say_is_said),
        cmocka_unit_test(every_version),
        cmocka_unit_test(bytes_are_those_of_kafka),
        cmocka_unit_test(tokens_go_bare_without_sasl_authenticate),
        cmocka_unit_test(each_connection_says_who_it_is),
        cmocka_unit_test(answers_that_cannot_be_read),
        cmocka_unit_test(frames_are_small_until_ready),
        cmocka_unit_test(setup_time_covers_all_of_it),
        cmocka_unit_test(work_is_cut_into_turns),
        cmocka_unit_test(work_is_shared_fairly),
        cmocka_unit_test(host_must_do_what_is_asked_for),
        cmocka_unit_test(state_is_told),
        cmocka_unit_test(password_in_the_open_is_warned_of),
        cmocka_unit_test(hooks_see_no_secret),
        cmocka_unit_test(lost_while_it_is_written),
        cmocka_unit_test(deleted_in_the_middle),
        cmocka_unit_test(memory_runs_out_once_at_each_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
