/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dialog with a broker that this test plays on a socket of its own: one thread, each side does a
 * step in turn. What people see of the failures is in tests/cli/test_meta_cli.py.
 */
#include "cli/dialog.h"

#include "base/now.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct stage {
    int listener;
    int fd; /* of the present connection; -1 */
    uint16_t port;
    kl_dialog_config config;
    kl_dialog *d;
} stage;

static void set_up(stage *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *s = (stage){.fd = -1,
                 .config = {.client_id = kloop_text("me"),
                            .connect_ns = 60 * KL_SECOND,
                            .answer_ns = 60 * KL_SECOND,
                            .version_max = ""}};
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
}

static void begin(stage *s)
{
    s->d = kl_dialog_new(&s->config, "127.0.0.1", s->port);
    assert_non_null(s->d);
}

static void tear_down(stage *s)
{
    kl_dialog_del(s->d);
    if (s->fd >= 0)
        close(s->fd);
    close(s->listener);
}

/* The dialog does what it can at this moment. */
static void step(stage *s)
{
    kl_dialogs_wait(&s->d, 1, kl_dialogs_now_ns() + KL_MS);
}

/* The next connection. */
static void take_connection(stage *s)
{
    if (s->fd >= 0)
        close(s->fd);
    while ((s->fd = accept(s->listener, NULL, NULL)) < 0)
        step(s);
}

/* The whole next request; its API, version and correlation id. */
static void take_request(stage *s, int16_t *api, int16_t *version, int32_t *correlation)
{
    uint8_t bytes[512];
    size_t len = 0, used = 0;
    kloop_slice frame = {NULL, 0};
    kloop_request_header header;
    while (!frame.data) {
        ssize_t n = recv(s->fd, bytes + len, sizeof bytes - len, MSG_DONTWAIT);
        assert_int_not_equal(n, 0);
        if (n < 0) {
            step(s);
            continue;
        }
        len += (size_t)n;
        assert_int_equal(kloop_frame_next(bytes, len, sizeof bytes, &frame, &used, NULL), 0);
    }
    assert_int_equal(used, len);
    int16_t header_version =
        kloop_request_header_version((int16_t)(frame.data[0] << 8 | frame.data[1]),
                                     (int16_t)(frame.data[2] << 8 | frame.data[3]));
    assert_int_equal(kloop_decode_prefix(KLOOP_REQUEST_HEADER, KLOOP_REQUEST, header_version,
                                         frame.data, frame.len, &used, &header, NULL),
                     0);
    assert_int_equal(header.client_id.len, 2);
    *api = header.api_key;
    *version = header.api_version;
    *correlation = header.correlation_id;
}

static size_t versions_frame(int16_t version, int32_t correlation, int16_t error, uint8_t *to,
                             size_t room)
{
    static const kloop_api_version list[] = {
        {KLOOP_PRODUCE, 0, 9}, {KLOOP_METADATA, 0, 7}, {KLOOP_API_VERSIONS, 0, 3}};
    kloop_api_versions_response m;
    kloop_size size;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &m);
    m.error_code = error;
    m.api_keys = kloop_array_of(list, 3);
    assert_int_equal(kloop_measure_response(KLOOP_API_VERSIONS, version, &m, &size, NULL), 0);
    assert_true(size.total <= room);
    assert_int_equal(
        kloop_encode_response(KLOOP_API_VERSIONS, version, correlation, &m, to, room, NULL), 0);
    return size.total;
}

static size_t metadata_frame(int16_t version, int32_t correlation, uint8_t *to, size_t room)
{
    kloop_metadata_broker broker = {.node_id = 5, .host = {"h", 1}, .port = 1};
    kloop_metadata_response m;
    kloop_size size;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &m);
    m.brokers = kloop_array_of(&broker, 1);
    m.topics = kloop_array_of(NULL, 0);
    assert_int_equal(kloop_measure_response(KLOOP_METADATA, version, &m, &size, NULL), 0);
    assert_true(size.total <= room);
    assert_int_equal(
        kloop_encode_response(KLOOP_METADATA, version, correlation, &m, to, room, NULL), 0);
    return size.total;
}

static void greet(stage *s)
{
    uint8_t bytes[256];
    int16_t api, version;
    int32_t correlation;
    take_connection(s);
    take_request(s, &api, &version, &correlation);
    assert_int_equal(api, KLOOP_API_VERSIONS);
    size_t len = versions_frame(version, correlation, 0, bytes, sizeof bytes);
    assert_int_equal(send(s->fd, bytes, len, 0), len);
    while (kl_dialog_is_busy(s->d))
        step(s);
    assert_int_equal(kl_dialog_state_of(s->d), KL_DIALOG_READY);
}

static void ask(stage *s)
{
    kloop_metadata_request m;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &m);
    m.topics = kloop_array_null();
    kl_dialog_ask(s->d, KLOOP_METADATA, 7, &m);
    assert_int_equal(kl_dialog_state_of(s->d), KL_DIALOG_ASKING);
}

static void test_questions_and_answers(void **state)
{
    stage s;
    uint8_t bytes[256];
    int16_t api, version;
    int32_t correlation, before = 0;
    kloop_metadata_response answer;
    kloop_metadata_broker broker;
    (void)state;
    set_up(&s);
    begin(&s);
    assert_null(kl_dialog_versions(s.d));
    assert_int_equal(kl_dialog_version(s.d, KLOOP_METADATA), -1);
    greet(&s);
    assert_int_equal(kl_dialog_versions(s.d)->api_keys.count, 3);
    assert_int_equal(kl_dialog_version(s.d, KLOOP_METADATA), 7);
    assert_int_equal(kl_dialog_version(s.d, KLOOP_PRODUCE), 9);
    assert_int_equal(kl_dialog_version(s.d, KLOOP_INIT_PRODUCER_ID), -1);
    for (int turn = 0; turn < 3; turn++) {
        ask(&s);
        take_request(&s, &api, &version, &correlation);
        assert_int_equal(api, KLOOP_METADATA);
        assert_int_equal(version, 7);
        assert_int_not_equal(correlation, before);
        before = correlation;
        size_t len = metadata_frame(version, correlation, bytes, sizeof bytes);
        for (size_t i = 0; i < len; i++) {
            assert_true(kl_dialog_is_busy(s.d));
            assert_int_equal(send(s.fd, bytes + i, 1, 0), 1);
            step(&s);
        }
        while (kl_dialog_is_busy(s.d))
            step(&s);
        assert_true(kl_dialog_answer(s.d, &answer));
        kloop_iter it = kloop_iterate(&answer.brokers);
        assert_true(kloop_next(&it, &broker));
        assert_int_equal(broker.node_id, 5);
    }
    kl_dialog_give_up(s.d, "enough");
    assert_int_equal(kl_dialog_state_of(s.d), KL_DIALOG_FAILED);
    assert_string_equal(kl_dialog_why(s.d), "enough");
    tear_down(&s);
}

static void test_version_max(void **state)
{
    stage s;
    int16_t api, version;
    int32_t correlation;
    (void)state;
    set_up(&s);
    s.config.version_max = "ApiVersions=2, Metadata=5";
    begin(&s);
    take_connection(&s);
    take_request(&s, &api, &version, &correlation);
    assert_int_equal(version, 2);
    tear_down(&s);
}

/* Some hang up at a version that they do not know: asked again in the oldest, once. */
static void test_who_hangs_up(void **state)
{
    stage s;
    int16_t api, version;
    int32_t correlation;
    (void)state;
    set_up(&s);
    begin(&s);
    take_connection(&s);
    take_request(&s, &api, &version, &correlation);
    assert_int_equal(version, 4);
    take_connection(&s);
    take_request(&s, &api, &version, &correlation);
    assert_int_equal(version, 0);
    close(s.fd);
    s.fd = -1;
    while (kl_dialog_is_busy(s.d))
        step(&s);
    assert_int_equal(kl_dialog_state_of(s.d), KL_DIALOG_FAILED);
    assert_non_null(strstr(kl_dialog_why(s.d), "it closed the connection"));
    tear_down(&s);
}

static void test_time_limits(void **state)
{
    stage s;
    int16_t api, version;
    int32_t correlation;
    (void)state;
    set_up(&s);
    begin(&s);
    greet(&s);
    tear_down(&s);
    set_up(&s);
    s.config.answer_ns = KL_MS;
    begin(&s);
    take_connection(&s);
    take_request(&s, &api, &version, &correlation);
    while (kl_dialog_is_busy(s.d))
        step(&s);
    assert_string_equal(kl_dialog_why(s.d), "no answer to ApiVersions within 0.001 s");
    tear_down(&s);
}

/* What comes instead of the answer ends it, whatever it is. */
static void test_answers_that_are_none(void **state)
{
    static const struct {
        uint8_t bytes[12];
        size_t len;
        const char *why;
    } rows[] = {
        {{0x7f, 0xff, 0xff, 0xff}, 4, "what it answers is no Kafka"},
        {{0xff, 0xff, 0xff, 0xff}, 4, "what it answers is no Kafka"},
        {{0, 0, 0, 0}, 4, "it answers something that was not asked"},
        {{0, 0, 0, 4, 9, 9, 9, 9}, 8, "it answers something that was not asked"},
        {{0},
         0,
         "it closed the connection when asked for Metadata 7; it may want a login: "
         "security.protocol=SASL_PLAINTEXT"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        stage s;
        set_up(&s);
        begin(&s);
        greet(&s);
        ask(&s);
        step(&s);
        assert_int_equal(send(s.fd, rows[i].bytes, rows[i].len, 0), rows[i].len);
        shutdown(s.fd, SHUT_WR);
        while (kl_dialog_is_busy(s.d))
            step(&s);
        assert_int_equal(kl_dialog_state_of(s.d), KL_DIALOG_FAILED);
        assert_string_equal(kl_dialog_why(s.d), rows[i].why);
        tear_down(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions_and_answers), cmocka_unit_test(test_version_max),
        cmocka_unit_test(test_who_hangs_up),          cmocka_unit_test(test_time_limits),
        cmocka_unit_test(test_answers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
