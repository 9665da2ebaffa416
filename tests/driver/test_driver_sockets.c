/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections of the driver: connecting, writing, reading, and all the ways in which they end. */
#define _GNU_SOURCE
#include "tests/driver/scripted_loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const kloop_id one = {3, 7};

/* Connected, with the other side in hand. */
static int connect_one(scripted_loop *l)
{
    scripted_connect(l->engine, one, "127.0.0.1", l->port);
    SCRIPTED_RUN_UNTIL(l, scripted_count(l->engine, SCRIPTED_CONNECTED) == 1);
    return scripted_loop_accept(l);
}

/* The engine's side of a connection gets bytes to write and memory to read into. */
static scripted_connection *give_bytes(scripted_loop *l, const uint8_t *out, size_t out_len,
                                       size_t slice_len, uint8_t *in, size_t in_len)
{
    scripted_connection *c = scripted_conn(l->engine, one);
    c->out = out;
    c->out_len = out_len;
    c->slice_len = slice_len;
    c->in = in;
    c->in_len = in_len;
    c->room_max = 65536;
    if (out_len)
        scripted_act(l->engine, KLOOP_ACT_WRITE, one);
    return c;
}

static uint8_t *pattern(size_t len)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    return bytes;
}

/* An event that the test brings about by hand; a user's send does the same. */
static void wake(scripted_loop *l)
{
    kloop_topic *topic;
    assert_int_equal(kloop_topic_get(l->producer, "t", &topic, NULL), KLOOP_OK);
}

static const char *reason(scripted_loop *l)
{
    const scripted_event *e = scripted_last(l->engine, SCRIPTED_DISCONNECTED);
    return e ? e->text : "";
}

static void wait_for_closed(scripted_loop *l)
{
    SCRIPTED_RUN_UNTIL(l, scripted_count(l->engine, SCRIPTED_CLOSED) == 1);
    assert_int_equal(scripted_count(l->engine, SCRIPTED_DISCONNECTED), 1);
}

static void test_options(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    int peer = connect_one(&l);
    /* The driver's end is the descriptor whose peer is ours. */
    struct sockaddr_in far, own;
    socklen_t len = sizeof far;
    assert_int_equal(getpeername(peer, (struct sockaddr *)&far, &len), 0);
    int fd = -1;
    for (int i = 3; i < 64 && fd < 0; i++) {
        len = sizeof own;
        if (i != peer && getsockname(i, (struct sockaddr *)&own, &len) == 0 &&
            own.sin_family == AF_INET && own.sin_port == far.sin_port)
            fd = i;
    }
    assert_true(fd >= 0);
    int value;
    len = sizeof value;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
    assert_int_not_equal(value, 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
    assert_int_not_equal(value, 0);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &value, &len), 0);
    assert_int_equal(value, 7);
    /* request.timeout.ms, 30 s, but long enough for three probes to go unanswered. */
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &len), 0);
    assert_int_equal(value, 37000);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &len), 0);
    assert_true(value >= 262144 || value >= 212992); /* the system may allow less, and doubles */
    close(peer);
    wait_for_closed(&l);
    scripted_loop_close(&l);
}

static void test_refused(void **state)
{
    (void)state;
    scripted_loop l;
    char wanted[128];
    scripted_loop_open(&l);
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof own;
    /* Bound and not listening: nobody else gets the port, and nobody answers. */
    assert_int_equal(bind(probe, (struct sockaddr *)&own, len), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&own, &len), 0);
    unsigned port = ntohs(own.sin_port);
    scripted_connect(l.engine, one, "127.0.0.1", (uint16_t)port);
    wait_for_closed(&l);
    snprintf(wanted, sizeof wanted, "connect to 127.0.0.1:%u: Connection refused", port);
    assert_string_equal(reason(&l), wanted);

    /* With a name in front; and IPv6 with brackets, which may be refused or not be there at all. */
    scripted_connect(l.engine, one, "127.0.0.1", (uint16_t)port);
    kloop_action named = {.kind = KLOOP_ACT_CONNECT, .id = {0, 1}, .port = (uint16_t)port};
    named.address = (kloop_address){.bytes = {127, 0, 0, 1}, .port = (uint16_t)port, .family = 4};
    named.host = (kloop_string){"broker1", 7};
    scripted_push(l.engine, &named);
    scripted_connect(l.engine, (kloop_id){1, 1}, "::1", (uint16_t)port);
    wake(&l);
    SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_CLOSED) == 4);
    for (size_t i = 1; i < 4; i++) {
        const scripted_event *e = scripted_event_at(l.engine, SCRIPTED_DISCONNECTED, i);
        if (e->id.slot == 0)
            snprintf(wanted, sizeof wanted, "connect to broker1:%u (127.0.0.1): ", port);
        else if (e->id.slot == 1)
            snprintf(wanted, sizeof wanted, "connect to [::1]:%u: ", port);
        else
            snprintf(wanted, sizeof wanted, "connect to 127.0.0.1:%u: ", port);
        assert_int_equal(strncmp(e->text, wanted, strlen(wanted)), 0);
    }
    close(probe);
    scripted_loop_close(&l);
}

/* No memory for the connection, or none for its table, is a connect that failed. */
static void test_no_memory(void **state)
{
    (void)state;
    for (size_t nth = 1; nth <= 2; nth++) {
        scripted_loop l;
        scripted_loop_open(&l);
        l.memory.nth = l.memory.calls + nth;
        scripted_connect(l.engine, one, "127.0.0.1", l.port);
        wait_for_closed(&l);
        assert_non_null(strstr(reason(&l), "Cannot allocate memory"));
        assert_int_equal(l.memory.refused, 1);
        scripted_loop_close(&l);
    }
}

static void read_all(scripted_loop *l, int peer, const uint8_t *wanted, size_t len)
{
    uint8_t *got = malloc(len);
    assert_non_null(got);
    size_t at = 0;
    while (at < len) {
        ssize_t n = recv(peer, got + at, len - at, MSG_DONTWAIT);
        if (n > 0)
            at += (size_t)n;
        else
            scripted_loop_turn(l, "bytes to come");
    }
    assert_memory_equal(got, wanted, len);
    free(got);
}

/* All bytes, in order, whatever the socket takes at a time. */
static void test_writes(void **state)
{
    (void)state;
    size_t len = 6 * 1000 * 1000 + 17;
    uint8_t *out = pattern(len);
    const size_t slice_lens[] = {65536, 1000, 997, 1 << 22};
    for (size_t i = 0; i < sizeof slice_lens / sizeof *slice_lens; i++) {
        scripted_loop l;
        scripted_loop_open(&l);
        int peer = connect_one(&l);
        scripted_connection *c = give_bytes(&l, out, len, slice_lens[i], NULL, 0);
        wake(&l);
        read_all(&l, peer, out, len);
        SCRIPTED_RUN_UNTIL(&l, c->out_at == len);
        assert_true(scripted_sys.slices_max <= 1024);
        assert_true(slice_lens[i] > 65536 || scripted_sys.slices_max >= 16);
        close(peer);
        wait_for_closed(&l);
        scripted_loop_close(&l);
    }
    free(out);
}

/* One byte at a time, and a signal or a full socket now and then. */
static void test_short_writes(void **state)
{
    (void)state;
    scripted_loop l;
    uint8_t *out = pattern(300);
    scripted_loop_open(&l);
    int peer = connect_one(&l);
    scripted_connection *c = give_bytes(&l, out, 300, 7, NULL, 0);
    scripted_sys.write_max = 1;
    wake(&l);
    for (size_t at = 0; c->out_at < 300;) {
        size_t before = c->out_at;
        if (before == at) {
            scripted_sys.write_errno = at % 100 == 0 ? EINTR : EAGAIN;
            scripted_sys.write_errno_times = 2;
            at += 50;
        }
        scripted_loop_turn(&l, "a byte to be written");
        /* A socket that took less is full: it is not asked a second time. */
        assert_true(c->out_at - before <= 2);
    }
    assert_int_equal(scripted_count(l.engine, SCRIPTED_WROTE), 300);
    scripted_sys.write_max = 0;
    read_all(&l, peer, out, 300);
    close(peer);
    wait_for_closed(&l);
    scripted_loop_close(&l);
    free(out);
}

/* A turn of the loop writes a bounded amount: a fast peer must not hold it. */
static void test_bounded_write(void **state)
{
    (void)state;
    scripted_loop l;
    size_t len = 32u << 20, before = 0, turns = 0;
    uint8_t *out = pattern(len);
    scripted_loop_open(&l);
    int peer = connect_one(&l);
    scripted_connection *c = give_bytes(&l, out, len, 65536, NULL, 0);
    scripted_sys.write_swallows = true;
    wake(&l);
    for (; c->out_at < len; turns++) {
        scripted_loop_turn(&l, "bytes to be written");
        /* By the action and by poll. */
        assert_true(c->out_at - before <= 2 * (1u << 20) + 65536 * 2);
        before = c->out_at;
    }
    assert_true(turns >= 8);
    free(out);
    close(peer);
    wait_for_closed(&l);
    scripted_loop_close(&l);
}

/* A socket that is full is written to when poll says so, and not before. */
static void test_full_socket(void **state)
{
    (void)state;
    scripted_loop l;
    size_t len = 64u << 20;
    uint8_t *out = pattern(len);
    scripted_loop_open(&l);
    int peer = connect_one(&l);
    scripted_connection *c = give_bytes(&l, out, len, 65536, NULL, 0);
    wake(&l);
    for (size_t before = 1; before != c->out_at;) {
        before = c->out_at;
        for (int i = 0; i < 20; i++)
            uv_run(&l.loop, UV_RUN_NOWAIT);
    }
    assert_in_range(c->out_at, 1, len - 1);
    size_t writes = scripted_sys.writes;
    for (int i = 0; i < 20; i++) {
        scripted_act(l.engine, KLOOP_ACT_WRITE, one);
        wake(&l);
        uv_run(&l.loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(scripted_sys.writes, writes);
    close(peer);
    wait_for_closed(&l);
    scripted_loop_close(&l);
    free(out);
}

static void test_reads(void **state)
{
    (void)state;
    scripted_loop l;
    size_t len = 3 * 1000 * 1000;
    uint8_t *bytes = pattern(len), *in = malloc(len);
    assert_non_null(in);
    scripted_loop_open(&l);
    int peer = connect_one(&l);
    scripted_connection *c = give_bytes(&l, NULL, 0, 1, in, len);
    size_t sent = 0, most = 0, before = 0;
    while (c->in_at < len) {
        ssize_t n = sent < len ? send(peer, bytes + sent, len - sent, MSG_DONTWAIT) : 0;
        if (n > 0)
            sent += (size_t)n;
        scripted_loop_turn(&l, "bytes to be read");
        if (c->in_at - before > most)
            most = c->in_at - before;
        before = c->in_at;
    }
    assert_memory_equal(in, bytes, len);
    /* A pass of 64 KiB ends with the room of the last call. */
    assert_true(most <= (64u << 10) + 65536);
    close(peer);
    wait_for_closed(&l);
    assert_string_equal(reason(&l), "closed by the peer");
    scripted_loop_close(&l);
    free(bytes);
    free(in);
}

/* Nobody asks the socket only to hear that there is nothing more: poll says that for free. */
static void test_no_read_in_vain(void **state)
{
    (void)state;
    scripted_loop l;
    uint8_t in[100];
    scripted_loop_open(&l);
    int peer = connect_one(&l);
    scripted_connection *c = give_bytes(&l, NULL, 0, 1, in, sizeof in);
    for (size_t i = 1; i <= 10; i++) {
        assert_int_equal(send(peer, "hello", 5, 0), 5);
        SCRIPTED_RUN_UNTIL(&l, c->in_at == i * 5);
        assert_int_equal(scripted_sys.reads, i);
    }
    close(peer);
    wait_for_closed(&l);
    scripted_loop_close(&l);
}

/* Many small reads in a turn end as well. */
static void test_bounded_read_calls(void **state)
{
    (void)state;
    scripted_loop l;
    uint8_t in[1000] = {0};
    scripted_loop_open(&l);
    int peer = connect_one(&l);
    scripted_connection *c = give_bytes(&l, NULL, 0, 1, in, sizeof in);
    c->room_max = 1;
    assert_int_equal(send(peer, in, sizeof in, 0), sizeof in);
    size_t reads = 0;
    while (c->in_at < sizeof in) {
        scripted_loop_turn(&l, "bytes to be read");
        assert_true(scripted_sys.reads - reads <= 16);
        reads = scripted_sys.reads;
    }
    close(peer);
    wait_for_closed(&l);
    scripted_loop_close(&l);
}

static void test_pause(void **state)
{
    (void)state;
    scripted_loop l;
    uint8_t in[64];
    scripted_loop_open(&l);
    int peer = connect_one(&l);
    scripted_connection *c = give_bytes(&l, NULL, 0, 1, in, sizeof in);
    scripted_act(l.engine, KLOOP_ACT_PAUSE, one);
    wake(&l);
    SCRIPTED_RUN_UNTIL(&l, scripted_waiting(l.engine) == 0);
    assert_int_equal(send(peer, "hello", 5, 0), 5);
    size_t asked = scripted_asked(l.engine);
    for (int i = 0; i < 50; i++)
        uv_run(&l.loop, UV_RUN_NOWAIT);
    /* What waits in the kernel neither comes in nor keeps us busy. */
    assert_int_equal(c->in_at, 0);
    assert_true(scripted_asked(l.engine) <= asked + 2);
    scripted_act(l.engine, KLOOP_ACT_RESUME, one);
    wake(&l);
    SCRIPTED_RUN_UNTIL(&l, c->in_at == 5);
    assert_memory_equal(in, "hello", 5);
    close(peer);
    wait_for_closed(&l);
    scripted_loop_close(&l);
}

/* A peer that goes away with a reset: an error for the engine, no signal for the program. */
static void test_reset_while_writing(void **state)
{
    (void)state;
    scripted_loop l;
    size_t len = 32u << 20;
    uint8_t *out = pattern(len);
    assert_int_equal(signal(SIGPIPE, SIG_DFL) == SIG_ERR, 0);
    for (int round = 0; round < 20; round++) {
        scripted_loop_open(&l);
        int peer = connect_one(&l);
        give_bytes(&l, out, len, 65536, NULL, 0);
        wake(&l);
        for (int i = 0; i < round; i++) {
            uint8_t some[4096];
            (void)!recv(peer, some, sizeof some, MSG_DONTWAIT);
            uv_run(&l.loop, UV_RUN_NOWAIT);
        }
        scripted_loop_reset(peer);
        wait_for_closed(&l);
        assert_true(strstr(reason(&l), "reset by peer") || strstr(reason(&l), "Broken pipe"));
        scripted_loop_close(&l);
    }
    free(out);
}

/* What the peer sent before it went away counts, also when a write is the first to hear of it. */
static void test_last_words(void **state)
{
    (void)state;
    const int errors[] = {EPIPE, ECONNRESET};
    for (size_t i = 0; i < 2; i++) {
        scripted_loop l;
        uint8_t in[64], out[8] = {0};
        scripted_loop_open(&l);
        int peer = connect_one(&l);
        give_bytes(&l, out, sizeof out, 4, in, sizeof in);
        assert_int_equal(send(peer, "ack", 3, 0), 3);
        scripted_sys.write_errno = errors[i];
        scripted_sys.write_errno_times = 1;
        /* The pump of the user's send comes first: the socket was not looked at yet. */
        kloop_topic *topic;
        assert_int_equal(kloop_topic_get(l.producer, "t", &topic, NULL), KLOOP_OK);
        static const uint8_t bytes[1 << 20];
        const kloop_record record = {.value = {bytes, sizeof bytes}};
        assert_int_equal(kloop_send(topic, &record), KLOOP_OK);
        assert_int_equal(scripted_count(l.engine, SCRIPTED_DISCONNECTED), 1);
        assert_int_equal(scripted_event_at(l.engine, SCRIPTED_RECEIVED, 0)->n, 3);
        assert_memory_equal(in, "ack", 3);
        assert_true(strncmp(reason(&l), "write to 127.0.0.1:", 19) == 0);
        wait_for_closed(&l);
        close(peer);
        scripted_loop_close(&l);
    }
}

/* The same with a true reset that poll reports. */
static void test_last_words_before_reset(void **state)
{
    (void)state;
    scripted_loop l;
    uint8_t in[64];
    scripted_loop_open(&l);
    int peer = connect_one(&l);
    give_bytes(&l, NULL, 0, 1, in, sizeof in);
    assert_int_equal(send(peer, "ack", 3, 0), 3);
    scripted_loop_reset(peer);
    SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_DISCONNECTED) == 1);
    assert_int_equal(scripted_event_at(l.engine, SCRIPTED_RECEIVED, 0)->n, 3);
    assert_memory_equal(in, "ack", 3);
    assert_non_null(strstr(reason(&l), "Connection reset by peer"));
    wait_for_closed(&l);
    scripted_loop_close(&l);
}

static void test_read_errors(void **state)
{
    (void)state;
    scripted_loop l;
    uint8_t in[64];
    scripted_loop_open(&l);
    int peer = connect_one(&l);
    scripted_connection *c = give_bytes(&l, NULL, 0, 1, in, sizeof in);
    assert_int_equal(send(peer, "ack", 3, 0), 3);
    scripted_sys.read_errno = EINTR;
    scripted_sys.read_errno_times = 3;
    SCRIPTED_RUN_UNTIL(&l, c->in_at == 3);
    assert_int_equal(send(peer, "ack", 3, 0), 3);
    scripted_sys.read_errno = EAGAIN;
    scripted_sys.read_errno_times = 1;
    SCRIPTED_RUN_UNTIL(&l, c->in_at == 6);
    assert_int_equal(send(peer, "ack", 3, 0), 3);
    scripted_sys.read_errno = ETIMEDOUT;
    scripted_sys.read_errno_times = 1;
    wait_for_closed(&l);
    assert_true(strncmp(reason(&l), "read from 127.0.0.1:", 20) == 0);
    assert_non_null(strstr(reason(&l), "Connection timed out"));
    close(peer);
    scripted_loop_close(&l);
}

/* The slot of a connection that is gone is used again at once, also with the same descriptor. */
static void test_slots_are_used_again(void **state)
{
    (void)state;
    scripted_loop l;
    scripted_loop_open(&l);
    for (uint32_t gen = 1; gen <= 50; gen++) {
        kloop_id id = {gen % 2, gen};
        scripted_connect(l.engine, id, "127.0.0.1", l.port);
        wake(&l);
        SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_CONNECTED) == gen);
        int peer = scripted_loop_accept(&l);
        scripted_act(l.engine, KLOOP_ACT_CLOSE, id);
        wake(&l);
        SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_CLOSED) == gen);
        /* Actions for it that are still on their way mean nothing. */
        char end;
        assert_int_equal(recv(peer, &end, 1, 0), 0);
        close(peer);
    }
    assert_int_equal(scripted_count(l.engine, SCRIPTED_DISCONNECTED), 0);
    scripted_loop_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_memory),       cmocka_unit_test(test_writes),
        cmocka_unit_test(test_short_writes),    cmocka_unit_test(test_bounded_write),
        cmocka_unit_test(test_full_socket),     cmocka_unit_test(test_reads),
        cmocka_unit_test(test_no_read_in_vain), cmocka_unit_test(test_bounded_read_calls),
        cmocka_unit_test(test_pause),           cmocka_unit_test(test_reset_while_writing),
        cmocka_unit_test(test_last_words),      cmocka_unit_test(test_last_words_before_reset),
        cmocka_unit_test(test_read_errors),     cmocka_unit_test(test_slots_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
