/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections of the driver whose bytes go through a filter: the handshake before the engine hears
 * of anything, bytes that are inside the filter while the socket is silent, and all the ways in
 * which it ends. The filter is the one that splits at random; the test has its other end.
 */
#define _GNU_SOURCE
#include "driver/uv_producer.h"
#include "tests/driver/scripted_loop.h"
#include "tests/support/splitting_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const kloop_id one = {3, 7};

typedef struct world {
    scripted_loop l;
    splitting_filters near_end;
    splitting_filters far_end;
    kl_byte_filter far;
    int peer;
    bool far_closed; /* the driver has ended the stream */
    uint8_t *got;    /* what the far end has read */
    size_t got_len;
    size_t got_room;
} world;

static uint8_t *pattern(size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    return bytes;
}

static void wake(world *w)
{
    kloop_topic *topic;
    assert_int_equal(kloop_topic_get(w->l.producer, "t", &topic, NULL), KLOOP_OK);
}

static void begin(world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    splitting_filters_init(&w->near_end, seed, false);
    splitting_filters_init(&w->far_end, seed + 1000, true);
    scripted_loop_open(&w->l);
    w->l.producer->filters = splitting_filters_maker(&w->near_end);
}

/* TCP is there, and the far end has a filter. */
static void connect_socket(world *w)
{
    kloop_error error;
    kl_byte_filter_maker maker = splitting_filters_maker(&w->far_end);
    scripted_connect(w->l.engine, one, "127.0.0.1", w->l.port);
    wake(w);
    uv_run(&w->l.loop, UV_RUN_NOWAIT);
    w->peer = scripted_loop_accept(&w->l);
    assert_int_equal(fcntl(w->peer, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(
        maker.make(maker.me, &w->far, (kloop_string){"", 0}, 0, (kloop_now){.mono_ns = 1}, &error),
        KLOOP_OK);
}

/* The far end takes in what has come and sends what it has to say. */
static void work_far(world *w)
{
    const kl_byte_filter_type *type = w->far.type;
    bool idle = false;
    while (!idle) {
        idle = true;
        for (size_t n; w->got_len < w->got_room &&
                       (n = type->read(w->far.me, w->got + w->got_len, w->got_room - w->got_len));)
            w->got_len += n;
        size_t room;
        uint8_t *space = type->receive_space(w->far.me, &room);
        ssize_t n = space && !w->far_closed ? recv(w->peer, space, room, 0) : -1;
        if (n > 0) {
            type->received(w->far.me, (size_t)n);
            idle = false;
        } else if (n == 0) {
            w->far_closed = true;
        }
        kloop_slice out = type->output(w->far.me);
        if (out.len && (n = send(w->peer, out.data, out.len, MSG_NOSIGNAL)) > 0) {
            type->sent(w->far.me, (size_t)n);
            idle = false;
        }
    }
}

#define RUN_BOTH_UNTIL(w, condition)                                                               \
    do {                                                                                           \
        work_far(w);                                                                               \
        while (!(condition)) {                                                                     \
            uv_run(&(w)->l.loop, UV_RUN_NOWAIT);                                                   \
            work_far(w);                                                                           \
            guard(w, #condition);                                                                  \
        }                                                                                          \
    } while (0)

static void guard(world *w, const char *waiting_for)
{
    if (!uv_is_active((uv_handle_t *)&w->l.guard))
        fail_msg("waited too long for: %s", waiting_for);
}

static size_t count(world *w, scripted_kind kind)
{
    return scripted_count(w->l.engine, kind);
}

static scripted_connection *give_bytes(world *w, const uint8_t *out, size_t out_len, uint8_t *in,
                                       size_t in_len)
{
    scripted_connection *c = scripted_conn(w->l.engine, one);
    c->out = out;
    c->out_len = out_len;
    c->slice_len = 997;
    c->in = in;
    c->in_len = in_len;
    c->room_max = 65536;
    if (out_len)
        scripted_act(w->l.engine, KLOOP_ACT_WRITE, one);
    wake(w);
    return c;
}

static void connect_both(world *w)
{
    connect_socket(w);
    RUN_BOTH_UNTIL(w, count(w, SCRIPTED_CONNECTED) == 1);
}

/* Writes through the far filter as much as it takes. */
static size_t tell(world *w, const uint8_t *bytes, size_t len)
{
    if (len == 0 || w->far.type->state(w->far.me) != KL_FILTER_UP)
        return 0;
    const kloop_slice all = {bytes, len};
    return w->far.type->write(w->far.me, &all, 1);
}

static void end(world *w)
{
    if (w->far.type)
        w->far.type->del(w->far.me);
    if (w->peer)
        close(w->peer);
    scripted_loop_close(&w->l);
    assert_int_equal(w->near_end.live, 0);
    assert_int_equal(w->far_end.live, 0);
    free(w->got);
}

static const char *reason(world *w, scripted_kind kind)
{
    const scripted_event *e = scripted_last(w->l.engine, kind);
    return e ? e->text : "";
}

/* ---- Bytes ---- */

/* TLS takes nothing while half a message about tickets or keys has come. The socket is ready all
 * that time: nobody must go round in circles for it, and the peer's words must set it going. */
static void test_peer_first(void **state)
{
    (void)state;
    uint8_t *bytes = pattern(5000), in[8];
    world w;
    begin(&w, 5);
    w.near_end.hears_first = true;
    connect_both(&w);
    give_bytes(&w, bytes, 5000, in, sizeof in);
    for (int i = 0; i < 100; i++)
        uv_run(&w.l.loop, UV_RUN_NOWAIT);
    assert_in_range(w.near_end.put_off, 1, 3);
    assert_int_equal(count(&w, SCRIPTED_DISCONNECTED), 0);
    w.got = malloc(5000);
    w.got_room = 5000;
    assert_true(tell(&w, bytes, 8) > 0);
    RUN_BOTH_UNTIL(&w, w.got_len == 5000);
    assert_memory_equal(w.got, bytes, 5000);
    free(bytes);
    end(&w);
}

/* Both ways at once, all of it and in order. Nothing is told to the engine before the filter is up.
 */
static void test_bytes(void **state)
{
    (void)state;
    size_t len = 300000;
    uint8_t *bytes = pattern(len), *in = malloc(len);
    assert_non_null(in);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        world w;
        begin(&w, seed);
        /* Small pieces make many small records, and calls. */
        w.near_end.pieces_max = seed % 3 == 0 ? 700 : 0;
        w.far_end.pieces_max = seed % 4 == 0 ? 300 : 0;
        connect_socket(&w);
        for (int i = 0; i < 20; i++)
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
        assert_int_equal(count(&w, SCRIPTED_CONNECTED), 0);
        RUN_BOTH_UNTIL(&w, count(&w, SCRIPTED_CONNECTED) == 1);
        scripted_connection *c = give_bytes(&w, bytes, len, in, len);
        /* Now and then less room than a filter has to give. */
        c->room_max = seed % 2 ? 65536 : 10;
        w.got = malloc(len);
        w.got_room = len;
        size_t told = 0;
        while (c->in_at < len || w.got_len < len) {
            told += tell(&w, bytes + told, len - told);
            work_far(&w);
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
            guard(&w, "bytes");
        }
        assert_int_equal(c->out_at, len);
        assert_memory_equal(in, bytes, len);
        assert_memory_equal(w.got, bytes, len);
        assert_int_equal(count(&w, SCRIPTED_DISCONNECTED), 0);
        end(&w);
    }
    free(bytes);
    free(in);
}

/* As much as ends a turn, and a little more, which is inside the filter when the socket is silent
 * for good. It was left there until the next answer came. */
static void test_left_inside(void **state)
{
    (void)state;
    for (size_t more = 1; more < 9000; more += more / 3 + 1) {
        for (int paused = 0; paused <= 1; paused++) {
            size_t len = 65536 + more;
            uint8_t *bytes = pattern(len), *in = malloc(len);
            world w;
            assert_non_null(in);
            begin(&w, more);
            connect_both(&w);
            scripted_connection *c = give_bytes(&w, NULL, 0, in, len);
            size_t told = 0;
            /* All of it is in the socket before the driver looks. */
            while (told < len) {
                told += tell(&w, bytes + told, len - told);
                for (kloop_slice out; (out = w.far.type->output(w.far.me)).len > 0;) {
                    ssize_t n = send(w.peer, out.data, out.len, MSG_NOSIGNAL);
                    assert_true(n > 0);
                    w.far.type->sent(w.far.me, (size_t)n);
                }
            }
            if (paused) {
                while (c->in_at == 0)
                    uv_run(&w.l.loop, UV_RUN_NOWAIT);
                scripted_act(w.l.engine, KLOOP_ACT_PAUSE, one);
                wake(&w);
                for (int i = 0; i < 10; i++)
                    uv_run(&w.l.loop, UV_RUN_NOWAIT);
                size_t before = c->in_at;
                for (int i = 0; i < 10; i++)
                    uv_run(&w.l.loop, UV_RUN_NOWAIT);
                assert_int_equal(c->in_at, before);
                /* It sleeps. */
                assert_false(w.l.producer->dirty);
                scripted_act(w.l.engine, KLOOP_ACT_RESUME, one);
                wake(&w);
            }
            while (c->in_at < len) {
                uv_run(&w.l.loop, UV_RUN_NOWAIT);
                guard(&w, "bytes inside the filter");
            }
            assert_memory_equal(in, bytes, len);
            end(&w);
            free(bytes);
            free(in);
        }
    }
}

/* The engine has no room in the middle of what is inside the filter. RESUME, and nothing on the
 * socket, brings the rest; a CLOSE right behind it does not. */
static void test_no_room(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        bool closed = seed % 4 == 3;
        uint8_t *bytes = pattern(40000), *in = malloc(40000);
        assert_non_null(in);
        world w;
        begin(&w, seed);
        connect_both(&w);
        scripted_connection *c = give_bytes(&w, NULL, 0, in, 40000);
        c->pause_at = 100;
        c->room_max = 50;
        size_t told = 0;
        while (told < 40000 || w.far.type->output(w.far.me).len > 0) {
            told += tell(&w, bytes + told, 40000 - told);
            kloop_slice out = w.far.type->output(w.far.me);
            assert_int_equal(send(w.peer, out.data, out.len, MSG_NOSIGNAL), out.len);
            w.far.type->sent(w.far.me, out.len);
        }
        while (c->in_at < 40000) {
            while (c->in_at < c->pause_at && c->in_at < 40000) {
                uv_run(&w.l.loop, UV_RUN_NOWAIT);
                guard(&w, "what is inside the filter");
            }
            if (c->in_at == 40000)
                break;
            for (int i = 0; i < 10; i++)
                uv_run(&w.l.loop, UV_RUN_NOWAIT);
            assert_in_range(c->in_at, c->pause_at, c->pause_at + 50);
            assert_true(c->paused);
            assert_false(w.l.producer->dirty);
            assert_int_equal(count(&w, SCRIPTED_DISCONNECTED), 0);
            c->pause_at += 3700;
            scripted_act(w.l.engine, KLOOP_ACT_RESUME, one);
            if (closed)
                scripted_act(w.l.engine, KLOOP_ACT_CLOSE, one);
            wake(&w);
            if (closed)
                break;
        }
        if (closed)
            SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_CLOSED) == 1);
        else
            assert_memory_equal(in, bytes, 40000);
        end(&w);
        free(bytes);
        free(in);
    }
}

/* A turn takes a bounded amount in either direction. */
static void test_bounded(void **state)
{
    (void)state;
    size_t len = 8u << 20;
    uint8_t *bytes = pattern(len), *in = malloc(len);
    assert_non_null(in);
    world w;
    begin(&w, 5);
    connect_both(&w);
    scripted_connection *c = give_bytes(&w, bytes, len, in, len);
    scripted_sys.write_swallows = true;
    size_t before = 0, turns = 0;
    for (; c->out_at < len; turns++) {
        scripted_loop_turn(&w.l, "bytes to be written");
        assert_true(c->out_at - before <= 2 * ((1u << 20) + 65536));
        before = c->out_at;
    }
    assert_true(turns >= 3);
    scripted_sys.write_swallows = false;
    size_t told = 0;
    before = 0;
    while (c->in_at < 1u << 20) {
        told += tell(&w, bytes + told, (1u << 20) - told);
        kloop_slice out = w.far.type->output(w.far.me);
        ssize_t n = out.len ? send(w.peer, out.data, out.len, MSG_NOSIGNAL) : 0;
        if (n > 0)
            w.far.type->sent(w.far.me, (size_t)n);
        uv_run(&w.l.loop, UV_RUN_NOWAIT);
        /* By poll, and by the pump for what was left inside. */
        assert_true(c->in_at - before <= 2 * (65536 + 2 * 16384));
        before = c->in_at;
        guard(&w, "bytes to be read");
    }
    assert_memory_equal(in, bytes, 1u << 20);
    free(bytes);
    free(in);
    end(&w);
}

/* One byte at a time goes out, and EAGAIN now and then. */
static void test_short_writes(void **state)
{
    (void)state;
    uint8_t *bytes = pattern(2000);
    world w;
    begin(&w, 3);
    connect_both(&w);
    w.got = malloc(2000);
    w.got_room = 2000;
    scripted_connection *c = give_bytes(&w, bytes, 2000, NULL, 0);
    scripted_sys.write_max = 1;
    for (size_t i = 0; w.got_len < 2000; i++) {
        if (i % 50 == 0) {
            scripted_sys.write_errno = i % 100 ? EINTR : EAGAIN;
            scripted_sys.write_errno_times = 2;
        }
        uv_run(&w.l.loop, UV_RUN_NOWAIT);
        work_far(&w);
        guard(&w, "bytes");
    }
    assert_int_equal(c->out_at, 2000);
    assert_memory_equal(w.got, bytes, 2000);
    scripted_sys.write_max = 0;
    free(bytes);
    end(&w);
}

/* ---- The handshake ---- */

/* A peer that says a byte of his greeting and then nothing: nobody is woken, and nobody tries. */
static void test_handshake_stalls(void **state)
{
    (void)state;
    for (size_t upto = 0; upto < 74; upto += 9) {
        world w;
        begin(&w, 2);
        connect_socket(&w);
        size_t given = 0;
        for (int i = 0; i < 400 && given < upto; i++) {
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
            uint8_t sink[64];
            while (recv(w.peer, sink, sizeof sink, 0) > 0)
                ;
            given += (size_t)send(w.peer, "H", 1, MSG_NOSIGNAL);
        }
        for (int i = 0; i < 10; i++)
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
        assert_int_equal(count(&w, SCRIPTED_CONNECTED), 0);
        assert_false(w.l.producer->dirty);
        size_t reads = scripted_sys.reads, writes = scripted_sys.writes;
        for (int i = 0; i < 50; i++)
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
        assert_int_equal(scripted_sys.reads, reads);
        assert_int_equal(scripted_sys.writes, writes);
        /* The engine's patience is over. */
        scripted_act(w.l.engine, KLOOP_ACT_CLOSE, one);
        wake(&w);
        SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_CLOSED) == 1);
        assert_int_equal(w.near_end.live, 0);
        assert_int_equal(w.near_end.finished, 0);
        end(&w);
    }
}

static void test_handshake_ends(void **state)
{
    (void)state;
    for (int reset = 0; reset <= 1; reset++) {
        world w;
        char wanted[128];
        begin(&w, 4);
        connect_socket(&w);
        for (int i = 0; i < 20; i++)
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
        uint8_t sink[64];
        while (recv(w.peer, sink, sizeof sink, 0) > 0)
            ;
        if (reset)
            scripted_loop_reset(w.peer);
        else
            close(w.peer);
        w.peer = 0;
        SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_DISCONNECTED) == 1);
        /* A listener without TLS does either; only the filter can say what it may mean. */
        snprintf(wanted, sizeof wanted, "splitting with 127.0.0.1:%u: the stream was cut off",
                 (unsigned)w.l.port);
        assert_string_equal(reason(&w, SCRIPTED_DISCONNECTED), wanted);
        assert_int_equal(count(&w, SCRIPTED_CONNECTED), 0);
        end(&w);
    }
}

/* Whom we do not trust is told so, and so is the engine. */
static void test_handshake_refused(void **state)
{
    (void)state;
    for (int untrusted = 0; untrusted <= 1; untrusted++) {
        world w;
        char wanted[128];
        uint8_t last = 0;
        scripted_kind kind = untrusted ? SCRIPTED_UNTRUSTED : SCRIPTED_DISCONNECTED;
        begin(&w, 4);
        w.near_end.refuses_hello = true;
        w.near_end.pieces_max = 1;
        w.near_end.untrusted = untrusted;
        connect_socket(&w);
        while (count(&w, kind) == 0) {
            work_far(&w);
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
            guard(&w, "the refusal");
        }
        assert_int_equal(count(&w, SCRIPTED_UNTRUSTED) + count(&w, SCRIPTED_DISCONNECTED), 1);
        snprintf(wanted, sizeof wanted, "splitting with 127.0.0.1:%u: this is no greeting",
                 (unsigned)w.l.port);
        assert_string_equal(reason(&w, kind), wanted);
        int words = 0;
        while (recv(w.peer, &last, 1, 0) > 0)
            words += last == '!';
        assert_int_equal(words, 3);
        SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_CLOSED) == 1);
        end(&w);
    }
}

/* A filter that cannot be made is a connection that could not be. */
static void test_no_filter(void **state)
{
    (void)state;
    world w;
    char wanted[128];
    begin(&w, 1);
    w.near_end.fail_made = 1;
    scripted_connect(w.l.engine, one, "127.0.0.1", w.l.port);
    wake(&w);
    SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_CLOSED) == 1);
    snprintf(wanted, sizeof wanted, "connect to 127.0.0.1:%u: no filter today", (unsigned)w.l.port);
    assert_string_equal(reason(&w, SCRIPTED_DISCONNECTED), wanted);
    /* No memory for the connection behind it takes the filter along. */
    for (size_t nth = 1; nth <= 2; nth++) {
        w.l.memory.nth = w.l.memory.calls + nth;
        scripted_connect(w.l.engine, (kloop_id){5, 1 + (uint32_t)nth}, "127.0.0.1", w.l.port);
        wake(&w);
        SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_CLOSED) == 1 + nth);
        if (w.l.memory.refused)
            assert_int_equal(w.near_end.live, 0);
    }
    end(&w);
}

/* ---- The end ---- */

/* What came before the end counts, however the end is told. */
static void test_last_bytes(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        size_t len = 150000;
        uint8_t *bytes = pattern(len), *in = malloc(len);
        assert_non_null(in);
        for (size_t i = 0; i < len; i++)
            in[i] = (uint8_t)~bytes[i];
        world w;
        begin(&w, 6 + (uint64_t)way);
        connect_both(&w);
        scripted_connection *c = give_bytes(&w, NULL, 0, in, len);
        size_t told = 0;
        while (told < len) {
            told += tell(&w, bytes + told, len - told);
            work_far(&w);
            if (w.far.type->output(w.far.me).len)
                uv_run(&w.l.loop, UV_RUN_NOWAIT);
        }
        if (way == 0)
            w.far.type->finish(w.far.me);
        RUN_BOTH_UNTIL(&w, w.far.type->output(w.far.me).len == 0);
        if (way == 2) {
            scripted_loop_reset(w.peer);
            w.peer = 0;
        } else {
            /* Not closed: with an answer in its buffer that would be a reset, too. */
            assert_int_equal(shutdown(w.peer, SHUT_WR), 0);
        }
        SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_CLOSED) == 1);
        assert_int_equal(c->in_at, 0); /* the connection is gone */
        size_t received = 0;
        while (received < len && in[received] == bytes[received])
            received++;
        if (way < 2)
            assert_int_equal(received, len);
        assert_int_equal(w.near_end.ended, way == 0);
        if (way < 2)
            assert_string_equal(reason(&w, SCRIPTED_DISCONNECTED), "closed by the peer");
        else
            assert_non_null(strstr(reason(&w, SCRIPTED_DISCONNECTED), "Connection reset by peer"));
        free(bytes);
        free(in);
        end(&w);
    }
}

/* The filter finds that somebody meddles: what it has shown before is taken. */
static void test_fails_later(void **state)
{
    (void)state;
    for (int untrusted = 0; untrusted <= 1; untrusted++) {
        scripted_kind kind = untrusted ? SCRIPTED_UNTRUSTED : SCRIPTED_DISCONNECTED;
        uint8_t *bytes = pattern(20000), *in = malloc(20000);
        assert_non_null(in);
        world w;
        begin(&w, 9);
        w.near_end.fail_at = 5000;
        w.near_end.untrusted = untrusted;
        connect_both(&w);
        give_bytes(&w, bytes, 20000, in, 20000);
        size_t told = 0;
        while (count(&w, kind) == 0) {
            told += tell(&w, bytes + told, 20000 - told);
            work_far(&w);
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
            guard(&w, "the failure");
        }
        assert_non_null(strstr(reason(&w, kind), ": the bytes were tampered with"));
        size_t received = 0;
        for (size_t i = 0; i < count(&w, SCRIPTED_RECEIVED); i++)
            received += scripted_event_at(w.l.engine, SCRIPTED_RECEIVED, i)->n;
        assert_in_range(received, 5000, 7000);
        assert_memory_equal(in, bytes, received);
        SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_CLOSED) == 1);
        free(bytes);
        free(in);
        end(&w);
    }
}

/* The socket does not take what we write: what the peer has said before counts. */
static void test_last_words(void **state)
{
    (void)state;
    uint8_t *bytes = pattern(3000), *in = malloc(3000);
    assert_non_null(in);
    world w;
    begin(&w, 12);
    connect_both(&w);
    scripted_connection *c = give_bytes(&w, NULL, 0, in, 3000);
    memset(in, 0xff, 3000);
    size_t told = 0;
    while (told < 3000 || w.far.type->output(w.far.me).len > 0) {
        told += tell(&w, bytes + told, 3000 - told);
        kloop_slice out = w.far.type->output(w.far.me);
        assert_int_equal(send(w.peer, out.data, out.len, MSG_NOSIGNAL), out.len);
        w.far.type->sent(w.far.me, out.len);
    }
    c->out = bytes;
    c->out_len = 3000;
    scripted_act(w.l.engine, KLOOP_ACT_WRITE, one);
    scripted_sys.write_errno = EPIPE;
    scripted_sys.write_errno_times = 1;
    /* The pump of a user's send comes before the socket is looked at. */
    kloop_topic *topic;
    assert_int_equal(kloop_topic_get(w.l.producer, "t", &topic, NULL), KLOOP_OK);
    static const uint8_t large[1 << 20];
    assert_int_equal(kloop_send(topic, &(kloop_record){.value = {large, sizeof large}}), KLOOP_OK);
    assert_int_equal(count(&w, SCRIPTED_DISCONNECTED), 1);
    assert_memory_equal(in, bytes, 3000);
    assert_true(strncmp(reason(&w, SCRIPTED_DISCONNECTED), "write to 127.0.0.1:", 19) == 0);
    SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_CLOSED) == 1);
    free(bytes);
    free(in);
    end(&w);
}

static void test_write_fails(void **state)
{
    (void)state;
    uint8_t *bytes = pattern(3000);
    world w;
    begin(&w, 13);
    w.near_end.fail_write = true;
    connect_both(&w);
    give_bytes(&w, bytes, 3000, NULL, 0);
    SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_CLOSED) == 1);
    assert_non_null(strstr(reason(&w, SCRIPTED_DISCONNECTED), ": there is no ink"));
    assert_int_equal(count(&w, SCRIPTED_WROTE), 0);
    free(bytes);
    end(&w);
}

/* CLOSE says farewell, where the socket has room for it. */
static void test_farewell(void **state)
{
    (void)state;
    for (int full = 0; full <= 1; full++) {
        world w;
        size_t len = 64u << 20;
        uint8_t *bytes = pattern(len);
        begin(&w, 8);
        connect_both(&w);
        if (full) {
            scripted_connection *c = give_bytes(&w, bytes, len, NULL, 0);
            for (size_t before = 1; before != c->out_at;) {
                before = c->out_at;
                for (int i = 0; i < 20; i++)
                    uv_run(&w.l.loop, UV_RUN_NOWAIT);
            }
            assert_in_range(c->out_at, 1, len - 1);
            /* Full is full: poll will say when it is not. */
            size_t writes = scripted_sys.writes;
            for (int i = 0; i < 20; i++) {
                scripted_act(w.l.engine, KLOOP_ACT_WRITE, one);
                wake(&w);
                uv_run(&w.l.loop, UV_RUN_NOWAIT);
            }
            assert_int_equal(scripted_sys.writes, writes);
        }
        scripted_act(w.l.engine, KLOOP_ACT_CLOSE, one);
        wake(&w);
        SCRIPTED_RUN_UNTIL(&w.l, count(&w, SCRIPTED_CLOSED) == 1);
        w.got = malloc(len);
        w.got_room = len;
        RUN_BOTH_UNTIL(&w, w.far_closed || w.far_end.ended);
        assert_int_equal(w.near_end.finished, !full);
        assert_int_equal(w.far_end.ended, !full);
        end(&w);
        free(bytes);
    }
}

/* Two connections at once, ended in any turn of a handshake: nothing is left. */
static void test_close_in_handshake(void **state)
{
    (void)state;
    for (int turns = 0; turns < 12; turns++) {
        world w;
        begin(&w, (uint64_t)turns);
        connect_socket(&w);
        scripted_connect(w.l.engine, (kloop_id){4, 1}, "127.0.0.1", w.l.port);
        for (int i = 0; i < turns; i++) {
            work_far(&w);
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
        }
        end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_peer_first),
        cmocka_unit_test(test_left_inside),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_short_writes),
        cmocka_unit_test(test_handshake_stalls),
        cmocka_unit_test(test_handshake_ends),
        cmocka_unit_test(test_handshake_refused),
        cmocka_unit_test(test_no_filter),
        cmocka_unit_test(test_last_bytes),
        cmocka_unit_test(test_fails_later),
        cmocka_unit_test(test_last_words),
        cmocka_unit_test(test_write_fails),
        cmocka_unit_test(test_farewell),
        cmocka_unit_test(test_close_in_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
