/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The login of a dialog: a mechanism out of letters, and a broker that this test plays on a socket
 * of its own. What mechanisms do by themselves is in tests of theirs; with real ones a dialog is in
 * tests/cli/test_doctor_secure_cli.py.
 */
#include "base/now.h"
#include "cli/dialog.h"
#include "tests/support/scripted_sasl.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct stage {
    int listener;
    int fd; /* of the present connection; -1 */
    uint16_t port;
    scripted_sasl sasl;
    kl_security security;
    kl_dialog_config config;
    kl_dialog *d;
    int16_t handshake_max;    /* what the broker offers; -1: nothing */
    int16_t authenticate_max; /* likewise */
    int32_t correlation;
    int16_t api, version; /* of the latest request */
    uint8_t body[512];    /* of it, behind its header */
    size_t body_len;
} stage;

static void set_up(stage *s, const char *script)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *s = (stage){.fd = -1,
                 .config = {.client_id = kloop_text("me"),
                            .connect_ns = 60 * KL_SECOND,
                            .answer_ns = 60 * KL_SECOND,
                            .version_max = ""},
                 .handshake_max = 1,
                 .authenticate_max = 2};
    scripted_sasl_init(&s->sasl, script, false);
    s->security.mechanism = &s->sasl.mechanism;
    s->config.security = &s->security;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
    s->d = kl_dialog_new(&s->config, "127.0.0.1", s->port);
    assert_non_null(s->d);
}

/* Every session that was begun has ended, once. */
static void tear_down(stage *s)
{
    kl_dialog_del(s->d);
    assert_int_equal(s->sasl.begun, s->sasl.ended);
    if (s->fd >= 0)
        close(s->fd);
    close(s->listener);
}

static void step(stage *s)
{
    kl_dialogs_wait(&s->d, 1, kl_dialogs_now_ns() + KL_MS);
}

static void finish(stage *s)
{
    while (kl_dialog_is_busy(s->d))
        step(s);
}

static void take_connection(stage *s)
{
    while ((s->fd = accept(s->listener, NULL, NULL)) < 0)
        step(s);
}

/* The next frame, without its size. */
static size_t take_frame(stage *s, uint8_t *to, size_t room)
{
    uint8_t bytes[1024];
    size_t len = 0, used;
    kloop_slice frame = {NULL, 0};
    while (!frame.data) {
        ssize_t n = recv(s->fd, bytes + len, sizeof bytes - len, MSG_DONTWAIT);
        if (n == 0)
            fail_msg("the dialog has hung up: %s", kl_dialog_why(s->d));
        if (n < 0) {
            step(s);
            continue;
        }
        len += (size_t)n;
        assert_int_equal(kloop_frame_next(bytes, len, sizeof bytes, &frame, &used, NULL), 0);
    }
    assert_int_equal(used, len);
    assert_true(frame.len <= room);
    memcpy(to, frame.data, frame.len);
    return frame.len;
}

static void take_request(stage *s)
{
    uint8_t bytes[1024];
    kloop_request_header header;
    size_t used, len = take_frame(s, bytes, sizeof bytes);
    int16_t version = kloop_request_header_version((int16_t)(bytes[0] << 8 | bytes[1]),
                                                   (int16_t)(bytes[2] << 8 | bytes[3]));
    assert_int_equal(kloop_decode_prefix(KLOOP_REQUEST_HEADER, KLOOP_REQUEST, version, bytes, len,
                                         &used, &header, NULL),
                     0);
    s->api = header.api_key;
    s->version = header.api_version;
    s->correlation = header.correlation_id;
    s->body_len = len - used;
    memcpy(s->body, bytes + used, s->body_len);
}

static void send_all(stage *s, const void *bytes, size_t len)
{
    assert_int_equal(send(s->fd, bytes, len, MSG_NOSIGNAL), len);
}

static void answer_sized(stage *s, const void *message, size_t size)
{
    uint8_t bytes[1024];
    kloop_size n;
    kloop_fault fault;
    assert_int_equal(kloop_measure_response_sized(s->api, s->version, message, size, &n, &fault),
                     0);
    assert_true(n.total <= sizeof bytes);
    assert_int_equal(kloop_encode_response_sized(s->api, s->version, s->correlation, message, size,
                                                 bytes, sizeof bytes, &fault),
                     0);
    send_all(s, bytes, n.total);
}

static void greet(stage *s)
{
    kloop_api_version list[4] = {{KLOOP_METADATA, 0, 7}, {KLOOP_API_VERSIONS, 0, 3}};
    int32_t count = 2;
    kloop_api_versions_response m;
    if (s->handshake_max >= 0)
        list[count++] = (kloop_api_version){KLOOP_SASL_HANDSHAKE, 0, s->handshake_max};
    if (s->authenticate_max >= 0)
        list[count++] = (kloop_api_version){KLOOP_SASL_AUTHENTICATE, 0, s->authenticate_max};
    take_connection(s);
    take_request(s);
    assert_int_equal(s->api, KLOOP_API_VERSIONS);
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &m);
    m.api_keys = kloop_array_of(list, count);
    answer_sized(s, &m, sizeof m);
}

static void answer_handshake(stage *s, int16_t error)
{
    kloop_string offered[] = {kloop_text("SCRIPTED"), kloop_text("OTHER")};
    kloop_sasl_handshake_response m;
    take_request(s);
    assert_int_equal(s->api, KLOOP_SASL_HANDSHAKE);
    kloop_message_init(KLOOP_SASL_HANDSHAKE, KLOOP_RESPONSE, &m);
    m.error_code = error;
    m.mechanisms = kloop_array_of(offered, 2);
    answer_sized(s, &m, sizeof m);
}

static void answer_token(stage *s, int16_t error, const char *text)
{
    kloop_sasl_authenticate_request q;
    kloop_sasl_authenticate_response m;
    take_request(s);
    assert_int_equal(s->api, KLOOP_SASL_AUTHENTICATE);
    assert_int_equal(kloop_decode(KLOOP_SASL_AUTHENTICATE, KLOOP_REQUEST, s->version, s->body,
                                  s->body_len, &q, NULL),
                     0);
    assert_memory_equal(q.auth_bytes.data, SCRIPTED_SECRET, strlen(SCRIPTED_SECRET));
    kloop_message_init(KLOOP_SASL_AUTHENTICATE, KLOOP_RESPONSE, &m);
    m.error_code = error;
    m.error_message = kloop_text(text);
    m.auth_bytes = (kloop_slice){(const uint8_t *)"", 0};
    if (s->version >= 1)
        m.session_lifetime_ms = 7000;
    answer_sized(s, &m, sizeof m);
}

static void assert_failed(stage *s, kl_dialog_trouble trouble, const char *words)
{
    finish(s);
    assert_int_equal(kl_dialog_state_of(s->d), KL_DIALOG_FAILED);
    if (!strstr(kl_dialog_why(s->d), words))
        fail_msg("'%s' is not in '%s'", words, kl_dialog_why(s->d));
    assert_null(strstr(kl_dialog_why(s->d), SCRIPTED_SECRET));
    const kl_dialog_track *track = kl_dialog_track_of(s->d);
    assert_int_equal(track->tries[0].step, KL_STEP_LOGIN);
    assert_int_equal(track->tries[0].trouble, trouble);
    assert_true(track->tries[0].failed);
}

static void test_in_rounds_and_pieces(void **state)
{
    stage s;
    (void)state;
    set_up(&s, "wswwwsd");
    greet(&s);
    answer_handshake(&s, 0);
    answer_token(&s, 0, NULL);
    assert_int_equal(kl_dialog_state_of(s.d), KL_DIALOG_LOGIN);
    answer_token(&s, 0, NULL);
    finish(&s);
    assert_int_equal(kl_dialog_state_of(s.d), KL_DIALOG_READY);
    assert_int_equal(s.sasl.worked, 4);
    assert_int_equal(s.sasl.challenged, 2);
    assert_int_equal(s.sasl.ended, 1);
    const kl_dialog_track *track = kl_dialog_track_of(s.d);
    assert_string_equal(track->offered, "SCRIPTED, OTHER");
    assert_int_equal(track->lifetime_ms, 7000);
    assert_int_equal(track->rounds, 2);
    const kl_dialog_span *spans = track->tries[0].spans;
    assert_true(spans[KL_STEP_TCP].ended_ns <= spans[KL_STEP_VERSIONS].began_ns);
    assert_true(spans[KL_STEP_VERSIONS].ended_ns <= spans[KL_STEP_LOGIN].began_ns);
    assert_true(spans[KL_STEP_LOGIN].began_ns <= spans[KL_STEP_LOGIN].ended_ns);
    assert_int_equal(spans[KL_STEP_TLS].began_ns, 0);
    tear_down(&s);
}

/* Brokers of 0.10 and 0.11: tokens behind their size, and nothing else. */
static void test_without_headers(void **state)
{
    for (int16_t authenticate = -1; authenticate <= 0; authenticate++) {
        stage s;
        uint8_t token[64];
        (void)state;
        set_up(&s, "ssd");
        s.handshake_max = authenticate < 0 ? 1 : 0;
        s.authenticate_max = authenticate;
        greet(&s);
        answer_handshake(&s, 0);
        assert_int_equal(s.version, 0);
        for (int round = 0; round < 2; round++) {
            size_t len = take_frame(&s, token, sizeof token);
            assert_true(len > strlen(SCRIPTED_SECRET));
            assert_memory_equal(token, SCRIPTED_SECRET, strlen(SCRIPTED_SECRET));
            send_all(&s, "\0\0\0\2ok", 6);
        }
        finish(&s);
        assert_int_equal(kl_dialog_state_of(s.d), KL_DIALOG_READY);
        tear_down(&s);
    }
}

static void test_what_the_broker_refuses(void **state)
{
    stage s;
    (void)state;
    set_up(&s, "sd");
    greet(&s);
    answer_handshake(&s, KLOOP_BROKER_UNSUPPORTED_SASL_MECHANISM);
    assert_failed(&s, KL_TROUBLE_NO_MECHANISM, "it offers: SCRIPTED, OTHER");
    assert_int_equal(s.sasl.begun, 0);
    tear_down(&s);

    set_up(&s, "sd");
    greet(&s);
    answer_handshake(&s, KLOOP_BROKER_ILLEGAL_SASL_STATE);
    assert_failed(&s, KL_TROUBLE_NO_SASL, "this listener has no login");
    tear_down(&s);

    set_up(&s, "sd");
    s.handshake_max = s.authenticate_max = -1;
    greet(&s);
    assert_failed(&s, KL_TROUBLE_NO_SASL,
                  "whatever security.protocol says: it offers no SaslHandshake");
    tear_down(&s);

    set_up(&s, "sd");
    greet(&s);
    answer_handshake(&s, 0);
    answer_token(&s, KLOOP_BROKER_SASL_AUTHENTICATION_FAILED, "who are\x1b[2J you?");
    assert_failed(
        &s, KL_TROUBLE_CREDENTIALS,
        "it refuses the login of SCRIPT: who are?[2J you? (SASL_AUTHENTICATION_FAILED); see "
        "sasl.jaas.config");
    tear_down(&s);
}

static void test_what_the_mechanism_refuses(void **state)
{
    stage s;
    (void)state;
    set_up(&s, "sf");
    s.sasl.why = "it has not proved anything";
    greet(&s);
    answer_handshake(&s, 0);
    answer_token(&s, 0, NULL);
    assert_failed(&s, KL_TROUBLE_LOGIN, "it has not proved anything");
    tear_down(&s);

    set_up(&s, "t");
    greet(&s);
    answer_handshake(&s, 0);
    assert_failed(&s, KL_TROUBLE_TOKEN, "sasl.oauthbearer.token.endpoint.url=file:///PATH");
    tear_down(&s);
}

/* The other address of the name would be asked with the same words, and brokers count. */
static void test_who_hangs_up(void **state)
{
    stage s;
    (void)state;
    for (int after = 0; after < 2; after++) {
        set_up(&s, "sd");
        greet(&s);
        if (after > 0)
            answer_handshake(&s, 0);
        take_request(&s);
        close(s.fd);
        s.fd = -1;
        assert_failed(&s, KL_TROUBLE_HUNG_UP, "it closed the connection during the login");
        assert_true(accept(s.listener, NULL, NULL) < 0);
        tear_down(&s);
    }
}

static void test_answers_that_are_none(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t len;
    } rows[] = {
        {{0, 1, 0, 1}, 4}, /* longer than a login can be */
        {{0xff, 0xff, 0xff, 0xff}, 4},
        {{0, 0, 0, 4, 1, 2, 3, 4}, 8},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        stage s;
        set_up(&s, "sd");
        greet(&s);
        answer_handshake(&s, 0);
        take_request(&s);
        send_all(&s, rows[i].bytes, rows[i].len);
        assert_failed(&s, KL_TROUBLE_NO_KAFKA, i < 2 ? "no Kafka" : "was not asked");
        tear_down(&s);
    }
}

static void test_a_time_limit(void **state)
{
    stage s;
    (void)state;
    set_up(&s, "sd");
    greet(&s);
    kl_dialog_del(s.d);
    close(s.fd);
    s.config.answer_ns = 200 * KL_MS;
    s.d = kl_dialog_new(&s.config, "127.0.0.1", s.port);
    greet(&s);
    answer_handshake(&s, 0);
    assert_failed(&s, KL_TROUBLE_SILENT, "no answer to SaslAuthenticate within 0.2 s");
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_rounds_and_pieces),
        cmocka_unit_test(test_without_headers),
        cmocka_unit_test(test_what_the_broker_refuses),
        cmocka_unit_test(test_what_the_mechanism_refuses),
        cmocka_unit_test(test_who_hangs_up),
        cmocka_unit_test(test_answers_that_are_none),
        cmocka_unit_test(test_a_time_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
