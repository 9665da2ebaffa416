/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections of the driver whose bytes go through a filter: all of them, in order, in bounded
 * turns, and those that are inside the filter while the socket is silent. The filter is the one
 * that splits at random; the test has its other end. Beginnings and ends:
 * test_driver_filtered_ends.c.
 */
#define _GNU_SOURCE
#include "driver/uv_producer.h"
#include "tests/driver/filtered_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* TLS takes nothing while half a message about tickets or keys has come. The socket is ready all
 * that time: nobody must go round in circles for it, and the peer's words must set it going. */
static void test_peer_first(void **state)
{
    (void)state;
    uint8_t *bytes = filtered_pattern(5000), in[8];
    filtered_world w;
    filtered_begin(&w, 5);
    w.near_end.hears_first = true;
    filtered_connect_both(&w);
    filtered_give_bytes(&w, bytes, 5000, in, sizeof in);
    for (int i = 0; i < 100; i++)
        uv_run(&w.l.loop, UV_RUN_NOWAIT);
    assert_in_range(w.near_end.put_off, 1, 3);
    assert_int_equal(filtered_count(&w, SCRIPTED_DISCONNECTED), 0);
    w.got = malloc(5000);
    w.got_room = 5000;
    assert_true(filtered_tell(&w, bytes, 8) > 0);
    FILTERED_RUN_UNTIL(&w, w.got_len == 5000);
    assert_memory_equal(w.got, bytes, 5000);
    free(bytes);
    filtered_end(&w);
}

/* Both ways at once, all of it and in order. Nothing is told to the engine before the filter is up.
 */
static void test_bytes(void **state)
{
    (void)state;
    size_t len = 300000;
    uint8_t *bytes = filtered_pattern(len), *in = malloc(len);
    assert_non_null(in);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        filtered_world w;
        filtered_begin(&w, seed);
        /* Small pieces make many small records, and calls. */
        w.near_end.pieces_max = seed % 3 == 0 ? 700 : 0;
        w.far_end.pieces_max = seed % 4 == 0 ? 300 : 0;
        filtered_connect_socket(&w);
        for (int i = 0; i < 20; i++)
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
        assert_int_equal(filtered_count(&w, SCRIPTED_CONNECTED), 0);
        FILTERED_RUN_UNTIL(&w, filtered_count(&w, SCRIPTED_CONNECTED) == 1);
        scripted_connection *c = filtered_give_bytes(&w, bytes, len, in, len);
        /* Now and then less room than a filter has to give. */
        c->room_max = seed % 2 ? 65536 : 10;
        w.got = malloc(len);
        w.got_room = len;
        size_t told = 0;
        while (c->in_at < len || w.got_len < len) {
            told += filtered_tell(&w, bytes + told, len - told);
            filtered_work_far(&w);
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
            filtered_guard(&w, "bytes");
        }
        assert_int_equal(c->out_at, len);
        assert_memory_equal(in, bytes, len);
        assert_memory_equal(w.got, bytes, len);
        assert_int_equal(filtered_count(&w, SCRIPTED_DISCONNECTED), 0);
        filtered_end(&w);
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
            uint8_t *bytes = filtered_pattern(len), *in = malloc(len);
            filtered_world w;
            assert_non_null(in);
            filtered_begin(&w, more);
            filtered_connect_both(&w);
            scripted_connection *c = filtered_give_bytes(&w, NULL, 0, in, len);
            size_t told = 0;
            /* All of it is in the socket before the driver looks. */
            while (told < len) {
                told += filtered_tell(&w, bytes + told, len - told);
                for (kloop_slice out; (out = w.far.type->output(w.far.me)).len > 0;) {
                    ssize_t n = send(w.peer, out.data, out.len, MSG_NOSIGNAL);
                    assert_true(n > 0);
                    w.far.type->sent(w.far.me, (size_t)n);
                }
            }
            if (paused) {
                while (c->in_at == 0)
                    uv_run(&w.l.loop, UV_RUN_NOWAIT);
                scripted_act(w.l.engine, KLOOP_ACT_PAUSE, filtered_id);
                filtered_wake(&w);
                for (int i = 0; i < 10; i++)
                    uv_run(&w.l.loop, UV_RUN_NOWAIT);
                size_t before = c->in_at;
                for (int i = 0; i < 10; i++)
                    uv_run(&w.l.loop, UV_RUN_NOWAIT);
                assert_int_equal(c->in_at, before);
                /* It sleeps. */
                assert_false(w.l.producer->dirty);
                scripted_act(w.l.engine, KLOOP_ACT_RESUME, filtered_id);
                filtered_wake(&w);
            }
            while (c->in_at < len) {
                uv_run(&w.l.loop, UV_RUN_NOWAIT);
                filtered_guard(&w, "bytes inside the filter");
            }
            assert_memory_equal(in, bytes, len);
            filtered_end(&w);
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
        uint8_t *bytes = filtered_pattern(40000), *in = malloc(40000);
        assert_non_null(in);
        filtered_world w;
        filtered_begin(&w, seed);
        filtered_connect_both(&w);
        scripted_connection *c = filtered_give_bytes(&w, NULL, 0, in, 40000);
        c->pause_at = 100;
        c->room_max = 50;
        size_t told = 0;
        while (told < 40000 || w.far.type->output(w.far.me).len > 0) {
            told += filtered_tell(&w, bytes + told, 40000 - told);
            kloop_slice out = w.far.type->output(w.far.me);
            assert_int_equal(send(w.peer, out.data, out.len, MSG_NOSIGNAL), out.len);
            w.far.type->sent(w.far.me, out.len);
        }
        while (c->in_at < 40000) {
            while (c->in_at < c->pause_at && c->in_at < 40000) {
                uv_run(&w.l.loop, UV_RUN_NOWAIT);
                filtered_guard(&w, "what is inside the filter");
            }
            if (c->in_at == 40000)
                break;
            for (int i = 0; i < 10; i++)
                uv_run(&w.l.loop, UV_RUN_NOWAIT);
            assert_in_range(c->in_at, c->pause_at, c->pause_at + 50);
            assert_true(c->paused);
            assert_false(w.l.producer->dirty);
            assert_int_equal(filtered_count(&w, SCRIPTED_DISCONNECTED), 0);
            c->pause_at += 3700;
            scripted_act(w.l.engine, KLOOP_ACT_RESUME, filtered_id);
            if (closed)
                scripted_act(w.l.engine, KLOOP_ACT_CLOSE, filtered_id);
            filtered_wake(&w);
            if (closed)
                break;
        }
        if (closed)
            SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1);
        else
            assert_memory_equal(in, bytes, 40000);
        filtered_end(&w);
        free(bytes);
        free(in);
    }
}

/* A turn takes a bounded amount in either direction. */
static void test_bounded(void **state)
{
    (void)state;
    size_t len = 8u << 20;
    uint8_t *bytes = filtered_pattern(len), *in = malloc(len);
    assert_non_null(in);
    filtered_world w;
    filtered_begin(&w, 5);
    filtered_connect_both(&w);
    scripted_connection *c = filtered_give_bytes(&w, bytes, len, in, len);
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
        told += filtered_tell(&w, bytes + told, (1u << 20) - told);
        kloop_slice out = w.far.type->output(w.far.me);
        ssize_t n = out.len ? send(w.peer, out.data, out.len, MSG_NOSIGNAL) : 0;
        if (n > 0)
            w.far.type->sent(w.far.me, (size_t)n);
        uv_run(&w.l.loop, UV_RUN_NOWAIT);
        /* By poll, and by the pump for what was left inside. */
        assert_true(c->in_at - before <= 2 * (65536 + 2 * 16384));
        before = c->in_at;
        filtered_guard(&w, "bytes to be read");
    }
    assert_memory_equal(in, bytes, 1u << 20);
    free(bytes);
    free(in);
    filtered_end(&w);
}

/* One byte at a time goes out, and EAGAIN now and then. */
static void test_short_writes(void **state)
{
    (void)state;
    uint8_t *bytes = filtered_pattern(2000);
    filtered_world w;
    filtered_begin(&w, 3);
    filtered_connect_both(&w);
    w.got = malloc(2000);
    w.got_room = 2000;
    scripted_connection *c = filtered_give_bytes(&w, bytes, 2000, NULL, 0);
    scripted_sys.write_max = 1;
    for (size_t i = 0; w.got_len < 2000; i++) {
        if (i % 50 == 0) {
            scripted_sys.write_errno = i % 100 ? EINTR : EAGAIN;
            scripted_sys.write_errno_times = 2;
        }
        uv_run(&w.l.loop, UV_RUN_NOWAIT);
        filtered_work_far(&w);
        filtered_guard(&w, "bytes");
    }
    assert_int_equal(c->out_at, 2000);
    assert_memory_equal(w.got, bytes, 2000);
    scripted_sys.write_max = 0;
    free(bytes);
    filtered_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_first),  cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_left_inside), cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_bounded),     cmocka_unit_test(test_short_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
