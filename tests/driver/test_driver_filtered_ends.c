/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections of the driver whose bytes go through a filter: the handshake before the engine hears
 * of anything, and all the ways in which it ends.
 */
#define _GNU_SOURCE
#include "driver/uv_socket.h"
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

/* ---- The handshake ---- */

/* A peer that says a byte of his greeting and then nothing: nobody is woken, and nobody tries. */
static void test_handshake_stalls(void **state)
{
    (void)state;
    for (size_t upto = 0; upto < 74; upto += 9) {
        filtered_world w;
        filtered_begin(&w, 2);
        filtered_connect_socket(&w);
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
        assert_int_equal(filtered_count(&w, SCRIPTED_CONNECTED), 0);
        assert_false(w.l.producer->dirty);
        size_t reads = scripted_sys.reads, writes = scripted_sys.writes;
        for (int i = 0; i < 50; i++)
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
        assert_int_equal(scripted_sys.reads, reads);
        assert_int_equal(scripted_sys.writes, writes);
        /* The engine's patience is over. */
        scripted_act(w.l.engine, KLOOP_ACT_CLOSE, filtered_id);
        filtered_wake(&w);
        SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1);
        assert_int_equal(w.near_end.live, 0);
        assert_int_equal(w.near_end.finished, 0);
        filtered_end(&w);
    }
}

static void test_handshake_ends(void **state)
{
    (void)state;
    for (int reset = 0; reset <= 1; reset++) {
        filtered_world w;
        char wanted[128];
        filtered_begin(&w, 4);
        filtered_connect_socket(&w);
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
        SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_DISCONNECTED) == 1);
        /* A listener without TLS does either; only the filter can say what it may mean. */
        snprintf(wanted, sizeof wanted, "splitting with 127.0.0.1:%u: the stream was cut off",
                 (unsigned)w.l.port);
        assert_string_equal(filtered_reason(&w, SCRIPTED_DISCONNECTED), wanted);
        assert_int_equal(filtered_count(&w, SCRIPTED_CONNECTED), 0);
        filtered_end(&w);
    }
}

/* Whom we do not trust is told so, and so is the engine. */
static void test_handshake_refused(void **state)
{
    (void)state;
    for (int untrusted = 0; untrusted <= 1; untrusted++) {
        filtered_world w;
        char wanted[128];
        uint8_t last = 0;
        scripted_kind kind = untrusted ? SCRIPTED_UNTRUSTED : SCRIPTED_DISCONNECTED;
        filtered_begin(&w, 4);
        w.near_end.refuses_hello = true;
        w.near_end.pieces_max = 1;
        w.near_end.untrusted = untrusted;
        filtered_connect_socket(&w);
        while (filtered_count(&w, kind) == 0) {
            filtered_work_far(&w);
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
            filtered_guard(&w, "the refusal");
        }
        assert_int_equal(
            filtered_count(&w, SCRIPTED_UNTRUSTED) + filtered_count(&w, SCRIPTED_DISCONNECTED), 1);
        snprintf(wanted, sizeof wanted, "splitting with 127.0.0.1:%u: this is no greeting",
                 (unsigned)w.l.port);
        assert_string_equal(filtered_reason(&w, kind), wanted);
        int words = 0;
        while (recv(w.peer, &last, 1, 0) > 0)
            words += last == '!';
        assert_int_equal(words, 3);
        SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1);
        filtered_end(&w);
    }
}

/* A filter that cannot be made is a connection that could not be. */
static void test_no_filter(void **state)
{
    (void)state;
    filtered_world w;
    char wanted[128];
    filtered_begin(&w, 1);
    w.near_end.fail_made = 1;
    scripted_connect(w.l.engine, filtered_id, "127.0.0.1", w.l.port);
    filtered_wake(&w);
    SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1);
    snprintf(wanted, sizeof wanted, "connect to 127.0.0.1:%u: no filter today", (unsigned)w.l.port);
    assert_string_equal(filtered_reason(&w, SCRIPTED_DISCONNECTED), wanted);
    /* No memory for the connection behind it takes the filter along. */
    for (size_t nth = 1; nth <= 2; nth++) {
        w.l.memory.nth = w.l.memory.calls + nth;
        scripted_connect(w.l.engine, (kloop_id){5, 1 + (uint32_t)nth}, "127.0.0.1", w.l.port);
        filtered_wake(&w);
        SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1 + nth);
        if (w.l.memory.refused)
            assert_int_equal(w.near_end.live, 0);
    }
    filtered_end(&w);
}

/* ---- The end ---- */

/* What came before the end counts, however the end is told. */
static void test_last_bytes(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        size_t len = 150000;
        uint8_t *bytes = filtered_pattern(len), *in = malloc(len);
        assert_non_null(in);
        for (size_t i = 0; i < len; i++)
            in[i] = (uint8_t)~bytes[i];
        filtered_world w;
        filtered_begin(&w, 6 + (uint64_t)way);
        filtered_connect_both(&w);
        scripted_connection *c = filtered_give_bytes(&w, NULL, 0, in, len);
        size_t told = 0;
        while (told < len) {
            told += filtered_tell(&w, bytes + told, len - told);
            filtered_work_far(&w);
            if (w.far.type->output(w.far.me).len)
                uv_run(&w.l.loop, UV_RUN_NOWAIT);
        }
        if (way == 0)
            w.far.type->finish(w.far.me);
        FILTERED_RUN_UNTIL(&w, w.far.type->output(w.far.me).len == 0);
        if (way == 2) {
            scripted_loop_reset(w.peer);
            w.peer = 0;
        } else {
            /* Not closed: with an answer in its buffer that would be a reset, too. */
            assert_int_equal(shutdown(w.peer, SHUT_WR), 0);
        }
        SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1);
        assert_int_equal(c->in_at, 0); /* the connection is gone */
        size_t received = 0;
        while (received < len && in[received] == bytes[received])
            received++;
        if (way < 2)
            assert_int_equal(received, len);
        assert_int_equal(w.near_end.ended, way == 0);
        if (way < 2)
            assert_string_equal(filtered_reason(&w, SCRIPTED_DISCONNECTED), "closed by the peer");
        else
            assert_non_null(
                strstr(filtered_reason(&w, SCRIPTED_DISCONNECTED), "Connection reset by peer"));
        free(bytes);
        free(in);
        filtered_end(&w);
    }
}

/* The filter finds that somebody meddles: what it has shown before is taken. */
static void test_fails_later(void **state)
{
    (void)state;
    for (int untrusted = 0; untrusted <= 1; untrusted++) {
        scripted_kind kind = untrusted ? SCRIPTED_UNTRUSTED : SCRIPTED_DISCONNECTED;
        uint8_t *bytes = filtered_pattern(20000), *in = malloc(20000);
        assert_non_null(in);
        filtered_world w;
        filtered_begin(&w, 9);
        w.near_end.fail_at = 5000;
        w.near_end.untrusted = untrusted;
        filtered_connect_both(&w);
        filtered_give_bytes(&w, bytes, 20000, in, 20000);
        size_t told = 0;
        while (filtered_count(&w, kind) == 0) {
            told += filtered_tell(&w, bytes + told, 20000 - told);
            filtered_work_far(&w);
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
            filtered_guard(&w, "the failure");
        }
        assert_non_null(strstr(filtered_reason(&w, kind), ": the bytes were tampered with"));
        size_t received = 0;
        for (size_t i = 0; i < filtered_count(&w, SCRIPTED_RECEIVED); i++)
            received += scripted_event_at(w.l.engine, SCRIPTED_RECEIVED, i)->n;
        assert_in_range(received, 5000, 7000);
        assert_memory_equal(in, bytes, received);
        SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1);
        free(bytes);
        free(in);
        filtered_end(&w);
    }
}

/* The socket does not take what we write: what the peer has said before counts. */
static void test_last_words(void **state)
{
    (void)state;
    uint8_t *bytes = filtered_pattern(3000), *in = malloc(3000);
    assert_non_null(in);
    filtered_world w;
    filtered_begin(&w, 12);
    filtered_connect_both(&w);
    scripted_connection *c = filtered_give_bytes(&w, NULL, 0, in, 3000);
    memset(in, 0xff, 3000);
    size_t told = 0;
    while (told < 3000 || w.far.type->output(w.far.me).len > 0) {
        told += filtered_tell(&w, bytes + told, 3000 - told);
        kloop_slice out = w.far.type->output(w.far.me);
        assert_int_equal(send(w.peer, out.data, out.len, MSG_NOSIGNAL), out.len);
        w.far.type->sent(w.far.me, out.len);
    }
    c->out = bytes;
    c->out_len = 3000;
    scripted_act(w.l.engine, KLOOP_ACT_WRITE, filtered_id);
    scripted_sys.write_errno = EPIPE;
    scripted_sys.write_errno_times = 1;
    /* The pump of a user's send comes before the socket is looked at. */
    kloop_topic *topic;
    assert_int_equal(kloop_topic_get(w.l.producer, "t", &topic, NULL), KLOOP_OK);
    static const uint8_t large[1 << 20];
    assert_int_equal(kloop_send(topic, &(kloop_record){.value = {large, sizeof large}}), KLOOP_OK);
    assert_int_equal(filtered_count(&w, SCRIPTED_DISCONNECTED), 1);
    assert_memory_equal(in, bytes, 3000);
    assert_true(strncmp(filtered_reason(&w, SCRIPTED_DISCONNECTED), "write to 127.0.0.1:", 19) ==
                0);
    SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1);
    free(bytes);
    free(in);
    filtered_end(&w);
}

static void test_write_fails(void **state)
{
    (void)state;
    uint8_t *bytes = filtered_pattern(3000);
    filtered_world w;
    filtered_begin(&w, 13);
    w.near_end.fail_write = true;
    filtered_connect_both(&w);
    filtered_give_bytes(&w, bytes, 3000, NULL, 0);
    SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1);
    assert_non_null(strstr(filtered_reason(&w, SCRIPTED_DISCONNECTED), ": there is no ink"));
    assert_int_equal(filtered_count(&w, SCRIPTED_WROTE), 0);
    free(bytes);
    filtered_end(&w);
}

/* The filter fails at a write while the engine does not read: that can be told only when it does.
 * Until then the loop went round and round, as the socket had room all the time. */
static void test_write_fails_unread(void **state)
{
    (void)state;
    uint8_t *bytes = filtered_pattern(3000), in[3000];
    filtered_world w;
    filtered_begin(&w, 13);
    w.near_end.fail_write = true;
    filtered_connect_both(&w);
    scripted_connection *c = filtered_give_bytes(&w, NULL, 0, in, sizeof in);
    c->pause_at = 100;
    c->room_max = 50;
    assert_true(filtered_tell(&w, bytes, 3000) > 150);
    FILTERED_RUN_UNTIL(&w, c->paused);
    filtered_give_bytes(&w, bytes, 3000, in + c->in_at, sizeof in - c->in_at);
    for (int i = 0; i < 10; i++)
        uv_run(&w.l.loop, UV_RUN_NOWAIT);
    assert_int_equal(w.l.producer->connections[filtered_id.slot]->events, 0);
    assert_false(w.l.producer->dirty);
    assert_int_equal(filtered_count(&w, SCRIPTED_DISCONNECTED), 0);
    c->pause_at = 0;
    scripted_act(w.l.engine, KLOOP_ACT_RESUME, filtered_id);
    filtered_wake(&w);
    SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1);
    assert_non_null(strstr(filtered_reason(&w, SCRIPTED_DISCONNECTED), ": there is no ink"));
    free(bytes);
    filtered_end(&w);
}

/* CLOSE says farewell, where the socket has room for it. */
static void test_farewell(void **state)
{
    (void)state;
    for (int full = 0; full <= 1; full++) {
        filtered_world w;
        size_t len = 64u << 20;
        uint8_t *bytes = filtered_pattern(len);
        filtered_begin(&w, 8);
        filtered_connect_both(&w);
        if (full) {
            scripted_connection *c = filtered_give_bytes(&w, bytes, len, NULL, 0);
            for (size_t before = 1; before != c->out_at;) {
                before = c->out_at;
                for (int i = 0; i < 20; i++)
                    uv_run(&w.l.loop, UV_RUN_NOWAIT);
            }
            assert_in_range(c->out_at, 1, len - 1);
            /* Full is full: poll will say when it is not. */
            size_t writes = scripted_sys.writes;
            for (int i = 0; i < 20; i++) {
                scripted_act(w.l.engine, KLOOP_ACT_WRITE, filtered_id);
                filtered_wake(&w);
                uv_run(&w.l.loop, UV_RUN_NOWAIT);
            }
            assert_int_equal(scripted_sys.writes, writes);
        }
        scripted_act(w.l.engine, KLOOP_ACT_CLOSE, filtered_id);
        filtered_wake(&w);
        SCRIPTED_RUN_UNTIL(&w.l, filtered_count(&w, SCRIPTED_CLOSED) == 1);
        w.got = malloc(len);
        w.got_room = len;
        FILTERED_RUN_UNTIL(&w, w.far_closed || w.far_end.ended);
        assert_int_equal(w.near_end.finished, !full);
        assert_int_equal(w.far_end.ended, !full);
        filtered_end(&w);
        free(bytes);
    }
}

/* Two connections at once, ended in any turn of a handshake: nothing is left. */
static void test_close_in_handshake(void **state)
{
    (void)state;
    for (int turns = 0; turns < 12; turns++) {
        filtered_world w;
        filtered_begin(&w, (uint64_t)turns);
        filtered_connect_socket(&w);
        scripted_connect(w.l.engine, (kloop_id){4, 1}, "127.0.0.1", w.l.port);
        for (int i = 0; i < turns; i++) {
            filtered_work_far(&w);
            uv_run(&w.l.loop, UV_RUN_NOWAIT);
        }
        filtered_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake_stalls),   cmocka_unit_test(test_handshake_ends),
        cmocka_unit_test(test_handshake_refused),  cmocka_unit_test(test_no_filter),
        cmocka_unit_test(test_last_bytes),         cmocka_unit_test(test_fails_later),
        cmocka_unit_test(test_last_words),         cmocka_unit_test(test_write_fails),
        cmocka_unit_test(test_write_fails_unread), cmocka_unit_test(test_farewell),
        cmocka_unit_test(test_close_in_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
