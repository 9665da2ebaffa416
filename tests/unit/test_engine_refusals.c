/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who does not let us in, or is not to be trusted: the sentences, the pace, what is given up and
 * what goes on waiting.
 */
#include "tests/support/engine_host.h"
#include "tests/support/scripted_sasl.h"

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

/* ---- A broker that does not let us in ---- */

/* The record waits for its first metadata: it fails at once, and says why. */
static void expect_refusal(int16_t code, const char *text)
{
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
    assert_int_equal(host_report_of(&h, 1)->broker_error, code);
    host_expect_text(&h, 1, text);
    host_expect_text(&h, 1, "b1:9091: SASL SCRIPT: ");
    char line[300];
    snprintf(line, sizeof line, "LOG error: b1:9091: SASL SCRIPT: %s", text);
    host_expect_line(&h, line);
    assert_int_equal(host_stats(&h).refusals, 1);
    assert_int_equal(host_stats(&h).authentications, 0);
    host_expect_no_line(&h, "hunter2");
}

static void wrong_password(void **state)
{
    (void)state;
    prepare("sd");
    h.sasl_error = KLOOP_BROKER_SASL_AUTHENTICATION_FAILED;
    h.sasl_said = "Authentication failed\nfor user";
    go();
    expect_refusal(58, "SaslAuthenticate was answered with SASL_AUTHENTICATION_FAILED: "
                       "Authentication failed?for user; check user and password");
    /* It is tried again, with pauses; and what is sent meanwhile fails as well. */
    host_send(&h, topic, 0, 1);
    host_sleep(&h, 5000);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
    assert_in_range(host_stats(&h).connects, 3, 25);
    /* Until it is right. */
    h.sasl_error = 0;
    host_sleep(&h, 2000);
    host_send(&h, topic, 0, 1);
    host_run(&h);
    expect_delivery(3);
    finish();
}

static void wrong_mechanism(void **state)
{
    (void)state;
    prepare("sd");
    h.handshake_error = KLOOP_BROKER_UNSUPPORTED_SASL_MECHANISM;
    go();
    expect_refusal(33, "SaslHandshake was answered with UNSUPPORTED_SASL_MECHANISM: it has "
                       "SCRAM-SHA-256, GSS?API; see sasl.mechanism");
    assert_int_equal(sasl.begun, 0);
    finish();
}

static void ten_thousand_mechanisms(void **state)
{
    (void)state;
    static kloop_string names[10000];
    for (size_t i = 0; i < 10000; i++)
        names[i] = (kloop_string){"NONE-OF-OURS", 12};
    for (int count = 0; count <= 10000; count += 2500) {
        prepare("sd");
        h.hold_sasl = true;
        go();
        kloop_sasl_handshake_response m = {.error_code = 33};
        m.mechanisms = kloop_array_of(names, count);
        host_respond(&h, host_at(&h, 1), &m, sizeof m);
        host_run(&h);
        host_expect_line(&h, count == 0     ? "it has none; see sasl.mechanism"
                             : count < 5000 ? "it has NONE-OF-OURS, NONE-OF-OURS, "
                                            : "");
        /* The longest is larger than what anybody has to say who has not let us in. */
        if (count < 5000)
            host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
        else
            host_expect_line(&h, "this is no Kafka broker's answer");
        finish();
    }
}

static void listener_without_sasl(void **state)
{
    (void)state;
    prepare("sd");
    h.handshake_error = KLOOP_BROKER_ILLEGAL_SASL_STATE;
    go();
    expect_refusal(34, "SaslHandshake was answered with ILLEGAL_SASL_STATE; this listener has no "
                       "SASL, see security.protocol");
    finish();
}

static void mechanism_gives_up(void **state)
{
    (void)state;
    static const char *const scripts[] = {"f", "wf", "sf", "swf"};
    for (size_t i = 0; i < 4; i++) {
        begin(scripts[i]);
        expect_refusal(0, "the broker has not proved a thing");
        finish();
    }
}

/* One that is done before the broker has said a word has not been told that we are let in. */
static void mechanism_is_done_too_soon(void **state)
{
    (void)state;
    static const char *const scripts[] = {"d", "wd"};
    for (size_t i = 0; i < 2; i++) {
        begin(scripts[i]);
        host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
        assert_int_equal(host_stats(&h).authentications, 0);
        finish();
    }
}

static void other_errors_are_of_the_moment(void **state)
{
    (void)state;
    prepare("sd");
    h.sasl_error = KLOOP_BROKER_NETWORK_EXCEPTION;
    go();
    host_expect_pending(&h, 1, 1);
    host_expect_line(&h, "LOG warn: b1:9091: SaslAuthenticate was answered with NETWORK_EXCEPTION");
    assert_int_equal(host_stats(&h).refusals, 0);
    h.sasl_error = 0;
    host_sleep(&h, 500);
    expect_delivery(1);
    finish();
}

static void broker_without_sasl_at_all(void **state)
{
    (void)state;
    prepare("sd");
    h.max_version[KLOOP_SASL_HANDSHAKE] = h.max_version[KLOOP_SASL_AUTHENTICATE] = -1;
    go();
    host_expect_line(&h, "b1:9091 has no version of SaslHandshake in common");
    finish();
}

/* ---- Listeners of another kind ---- */

static void hung_up_on(void **state)
{
    (void)state;
    prepare("sd");
    h.hold_sasl = true;
    go();
    host_lose_connection(&h, 1, "the peer hung up");
    host_expect_line(&h, "b1:9091: the peer hung up, while asking for SASL");
    host_expect_line(&h, ": see security.protocol");
    host_sleep(&h, 200);
    host_answer_handshake(&h, host_at(&h, 1));
    host_run(&h);
    host_lose_connection(&h, 1, "the peer hung up");
    host_expect_line(&h, "b1:9091: the peer hung up, while authenticating");
    host_expect_pending(&h, 1, 1);
    h.hold_sasl = false;
    host_sleep(&h, 1000);
    expect_delivery(1);
    finish();
}

static void plain_text_to_a_listener_with_sasl(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "100", NULL);
    topic = host_add_topic(&h, "t", 1);
    h.hold_metadata = true;
    host_send(&h, topic, 0, 1);
    host_run(&h);
    /* Once it may be anything, and the third time perhaps not. */
    for (int i = 1; i <= 4; i++) {
        host_lose_connection(&h, 1, "the peer hung up");
        assert_int_equal(host_count_lines(&h, "LOG warn: b1:9091: the peer hung up, at the first"),
                         i > 2 ? i - 2 : 0);
        host_sleep(&h, 1500);
        host_expect_pending(&h, 1, 1);
    }
    host_lose_connection(&h, 1, "the peer hung up");
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
    host_expect_text(&h, 1, "See security.protocol");
    host_expect_line(&h, "LOG error: b1:9091: the peer hung up, at the first request");
    h.hold_metadata = false;
    host_sleep(&h, 2000);
    host_send(&h, topic, 0, 1);
    host_run(&h);
    expect_delivery(2);
    host_close(&h, 0, 0);
    host_end(&h);
}

/* A name with two addresses, as localhost has: that nobody is at the second one made it begin to
 * count anew each time, and so without end. */
static void hung_up_on_at_one_of_two_addresses(void **state)
{
    (void)state;
    static const kloop_address two[] = {{.bytes = {127, 0, 0, 1}, .family = 4},
                                        {.bytes = {[3] = 1, [15] = 1}, .family = 6}};
    host_new(&h, "linger.ms", "0", NULL);
    topic = host_add_topic(&h, "t", 1);
    h.hold_metadata = h.manual_resolve = h.manual_connect = true;
    host_send(&h, topic, 0, 1);
    int hung_up = 0;
    for (int had = 0; hung_up < 5 && had < 40;) {
        host_expect_pending(&h, 1, 1);
        host_sleep(&h, 1500);
        if (h.resolving_count) {
            h.resolving_count = 0;
            kloop_engine_on_resolved(h.e, h.resolving[0], two, 2, NULL, h.now);
            host_run(&h);
        }
        assert_int_equal(h.conn_count, had + 1);
        host_conn *c = &h.conns[had++];
        bool nobody = c->address.family == 6;
        if (!nobody) {
            c->state = HOST_UP;
            kloop_engine_on_connected(h.e, c->id, h.now);
            host_run(&h);
            hung_up++;
        }
        kloop_engine_on_disconnected(h.e, c->id, nobody ? "refused" : "hung up", h.now);
        host_run(&h);
    }
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
    host_close(&h, 0, 0);
    host_end(&h);
}

/* A connection that fails otherwise in between is no such thing. */
static void hung_up_on_now_and_then(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "100", NULL);
    topic = host_add_topic(&h, "t", 1);
    h.hold_metadata = true;
    host_send(&h, topic, 0, 1);
    host_run(&h);
    for (int i = 0; i < 12; i++) {
        h.hold_versions = i % 2;
        if (i % 2 == 0) {
            host_run(&h);
        }
        host_lose_connection(&h, 1, "the peer hung up");
        h.hold_versions = i % 2 == 0;
        host_sleep(&h, 1500);
    }
    host_expect_pending(&h, 1, 1);
    assert_int_equal(host_stats(&h).refusals, 0);
    host_close(&h, 0, 0);
    host_end(&h);
}

static void plain_text_to_a_listener_with_tls(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    topic = host_add_topic(&h, "t", 1);
    h.hold_versions = true;
    host_send(&h, topic, 0, 1);
    host_run(&h);
    host_receive(&h, host_at(&h, 1), "\x15\x03\x03\0\2\2\x50", 7);
    host_run(&h);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
    host_expect_text(&h, 1, "the listener speaks TLS, security.protocol does not");
    host_expect_line(&h, "LOG error: b1:9091: this is no Kafka broker's answer");
    host_close(&h, 0, 0);
    host_end(&h);
}

/* ---- TLS, and who does none ---- */

static void untrusted_peer(void **state)
{
    (void)state;
    for (int connected = 0; connected < 2; connected++) {
        host_prepare(&h, 0);
        h.has_tls = true;
        h.manual_connect = true;
        static const char *const pairs[] = {"linger.ms", "0", "security.protocol", "SSL", NULL};
        assert_int_equal(host_open(&h, pairs), KLOOP_OK);
        topic = host_add_topic(&h, "t", 1);
        host_send(&h, topic, 0, 1);
        host_run(&h);
        if (connected) {
            h.conns[0].state = HOST_UP;
            h.hold_versions = true;
            kloop_engine_on_connected(h.e, h.conns[0].id, h.now);
            host_run(&h);
        }
        kloop_engine_on_untrusted(h.e, h.conns[0].id, "its certificate has expired", h.now);
        host_run(&h);
        host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
        host_expect_text(&h, 1, "b1:9091: its certificate has expired");
        host_expect_line(&h, "LOG error: b1:9091: its certificate has expired");
        assert_int_equal(host_stats(&h).refusals, 1);
        /* A stale handle changes nothing. */
        kloop_engine_on_untrusted(h.e, h.conns[0].id, "again", h.now);
        host_expect_no_line(&h, "again");
        host_close(&h, 0, 0);
        host_end(&h);
    }
}

/* What is wrong with one address of a name is not hidden by another at which nobody is. */
static void one_of_two_addresses(void **state)
{
    (void)state;
    for (int untrusted = 0; untrusted < 2; untrusted++) {
        host_prepare(&h, 0);
        h.has_tls = true;
        h.manual_resolve = h.manual_connect = true;
        static const char *const pairs[] = {"linger.ms", "0", "security.protocol", "SSL", NULL};
        assert_int_equal(host_open(&h, pairs), KLOOP_OK);
        topic = host_add_topic(&h, "t", 1);
        host_send(&h, topic, 0, 1);
        host_run(&h);
        static const kloop_address two[] = {{.bytes = {127, 0, 0, 1}, .family = 4},
                                            {.bytes = {[3] = 1, [15] = 1}, .family = 6}};
        kloop_engine_on_resolved(h.e, h.resolving[0], two, 2, NULL, h.now);
        h.resolving_count = 0;
        host_run(&h);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(h.conn_count, i + 1);
            if (i == untrusted)
                kloop_engine_on_untrusted(h.e, h.conns[i].id, "the certificate is nobody's", h.now);
            else
                kloop_engine_on_disconnected(h.e, h.conns[i].id, "refused", h.now);
            host_run(&h);
        }
        host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
        host_expect_text(&h, 1, "the certificate is nobody's");
        assert_int_equal(host_count_lines(&h, "LOG error: b1:9091: the certificate is nobody's"),
                         1);
        assert_int_equal(host_stats(&h).refusals, 1);
        host_close(&h, 0, 0);
        host_end(&h);
    }
}

static void handshake_of_tls_takes_too_long(void **state)
{
    (void)state;
    host_prepare(&h, 0);
    h.has_tls = true;
    h.manual_connect = true;
    static const char *const pairs[] = {"linger.ms", "0", "security.protocol", "SSL", NULL};
    assert_int_equal(host_open(&h, pairs), KLOOP_OK);
    host_sleep(&h, 15000);
    host_expect_line(&h, "while in the TCP or TLS handshake");
    host_close(&h, 0, 0);
    host_end(&h);
}

/* ---- Who else waits ---- */

/* As long as one may still let us in, what waits is not given up; once none may, it is. */
static void all_brokers_have_their_say(void **state)
{
    (void)state;
    prepare("sd");
    h.sasl_error = KLOOP_BROKER_SASL_AUTHENTICATION_FAILED;
    h.manual_connect = true;
    const char *const pairs[] = {"bootstrap.servers", "b1:9091,b2:9092", "linger.ms", "0",
                                 "max.block.ms",      "60000",           NULL};
    open_with(pairs);
    host_send(&h, topic, 0, 1);
    host_run(&h);
    int first = h.conns[0].node;
    h.dead[3 - first] = true;
    h.conns[0].state = HOST_UP;
    kloop_engine_on_connected(h.e, h.conns[0].id, h.now);
    host_run(&h);
    assert_int_equal(host_stats(&h).refusals, 1);
    host_expect_pending(&h, 1, 1);
    host_sleep_connecting(&h, 200);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
    finish();
}

/* Nobody has refused anybody: it is a cluster that is down, and records keep their time. */
static void dead_brokers_are_no_refusal(void **state)
{
    (void)state;
    prepare("sd");
    h.manual_connect = true;
    h.dead[1] = true;
    open_with((const char *const[]){"linger.ms", "0", "max.block.ms", "9000", NULL});
    host_send(&h, topic, 0, 1);
    host_sleep_connecting(&h, 5000);
    host_expect_pending(&h, 1, 1);
    host_sleep_connecting(&h, 5000);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    finish();
}

/* In a cluster that has let us in, one broker whose certificate has expired does not speak for
 * those that are just being restarted: records of topics that nobody knows yet were given up. */
static void one_refuses_and_others_are_away(void **state)
{
    (void)state;
    prepare("sd");
    const char *const pairs[] = {"bootstrap.servers",
                                 "b1:9091,b2:9092,b3:9093",
                                 "linger.ms",
                                 "0",
                                 "max.block.ms",
                                 "60000",
                                 NULL};
    open_with(pairs);
    host_send(&h, topic, 0, 1);
    host_run(&h);
    expect_delivery(1);
    host_topic *other = host_add_topic(&h, "other", 1);
    h.sasl_error = KLOOP_BROKER_SASL_AUTHENTICATION_FAILED;
    h.manual_connect = h.dead[2] = h.dead[3] = true;
    for (int node = 1; node <= 3; node++)
        if (host_find(&h, node))
            host_lose_connection(&h, node, "gone");
    host_send(&h, other, 0, 1);
    host_sleep_connecting(&h, 20000);
    assert_true(host_stats(&h).refusals > 3);
    host_expect_pending(&h, 2, 2);
    /* They are back, and do not let us in either. */
    h.dead[2] = h.dead[3] = false;
    host_sleep_connecting(&h, 10000);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
    h.sasl_error = 0;
    host_sleep_connecting(&h, 10000);
    host_send(&h, other, 0, 1);
    host_sleep_connecting(&h, 1000);
    expect_delivery(3);
    finish();
}

/* Records of a topic that is known keep their time, and say what stands in their way. */
static void known_topics_keep_their_time(void **state)
{
    (void)state;
    begin("sd");
    expect_delivery(1);
    h.sasl_error = KLOOP_BROKER_SASL_AUTHENTICATION_FAILED;
    host_lose_connection(&h, 1, "gone");
    host_send(&h, topic, 0, 1);
    host_sleep(&h, 3000);
    host_expect_pending(&h, 2, 2);
    char text[600];
    /* All is begun anew by then, with bootstrap.servers. */
    assert_int_equal(kloop_why_waiting(topic->handle, 0, text, sizeof text), KLOOP_WAITING_LEADER);
    assert_non_null(strstr(text, "SASL_AUTHENTICATION_FAILED"));
    kloop_suspended s;
    assert_true(kloop_engine_suspended(h.e, &s));
    assert_non_null(strstr(s.text, "SASL_AUTHENTICATION_FAILED"));
    h.sasl_error = 0;
    host_sleep(&h, 2000);
    expect_delivery(2);
    finish();
}

static void unsecured_engine_connects_to_nobody(void **state)
{
    (void)state;
    static const char *const protocols[] = {"SSL", "SASL_PLAINTEXT", "SASL_SSL"};
    for (size_t i = 0; i < 3; i++) {
        host_new(&h, "linger.ms", "0", "security.protocol", protocols[i], "sasl.mechanism", "PLAIN",
                 "sasl.username", "u", "sasl.password", "p", NULL);
        topic = host_add_topic(&h, "t", 1);
        host_send(&h, topic, 0, 1);
        host_sleep(&h, 5000);
        host_expect_no_line(&h, "RESOLVE");
        host_expect_no_line(&h, "CONNECT");
        host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
        host_expect_text(&h, 1, "kloop_engine_secure()");
        host_expect_text(&h, 1, protocols[i]);
        host_close(&h, 0, 0);
        host_end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_password),
        cmocka_unit_test(wrong_mechanism),
        cmocka_unit_test(ten_thousand_mechanisms),
        cmocka_unit_test(listener_without_sasl),
        cmocka_unit_test(mechanism_gives_up),
        cmocka_unit_test(mechanism_is_done_too_soon),
        cmocka_unit_test(other_errors_are_of_the_moment),
        cmocka_unit_test(broker_without_sasl_at_all),
        cmocka_unit_test(hung_up_on),
        cmocka_unit_test(plain_text_to_a_listener_with_sasl),
        cmocka_unit_test(hung_up_on_at_one_of_two_addresses),
        cmocka_unit_test(hung_up_on_now_and_then),
        cmocka_unit_test(plain_text_to_a_listener_with_tls),
        cmocka_unit_test(untrusted_peer),
        cmocka_unit_test(one_of_two_addresses),
        cmocka_unit_test(handshake_of_tls_takes_too_long),
        cmocka_unit_test(all_brokers_have_their_say),
        cmocka_unit_test(dead_brokers_are_no_refusal),
        cmocka_unit_test(one_refuses_and_others_are_away),
        cmocka_unit_test(known_topics_keep_their_time),
        cmocka_unit_test(unsecured_engine_connects_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
