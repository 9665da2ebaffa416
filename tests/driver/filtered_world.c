/* SPDX-License-Identifier: BSD-2-Clause */
/* Both ends of a filtered connection. See filtered_world.h. */
#define _GNU_SOURCE
#include "tests/driver/filtered_world.h"

#include "driver/uv_producer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

const kloop_id filtered_id = {3, 7};

uint8_t *filtered_pattern(size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    return bytes;
}

void filtered_wake(filtered_world *w)
{
    kloop_topic *topic;
    assert_int_equal(kloop_topic_get(w->l.producer, "t", &topic, NULL), KLOOP_OK);
}

void filtered_begin(filtered_world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    splitting_filters_init(&w->near_end, seed, false);
    splitting_filters_init(&w->far_end, seed + 1000, true);
    scripted_loop_open(&w->l);
    w->l.producer->filters = splitting_filters_maker(&w->near_end);
}

void filtered_connect_socket(filtered_world *w)
{
    kloop_error error;
    kl_byte_filter_maker maker = splitting_filters_maker(&w->far_end);
    scripted_connect(w->l.engine, filtered_id, "127.0.0.1", w->l.port);
    filtered_wake(w);
    uv_run(&w->l.loop, UV_RUN_NOWAIT);
    w->peer = scripted_loop_accept(&w->l);
    assert_int_equal(fcntl(w->peer, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(
        maker.make(maker.me, &w->far, (kloop_string){"", 0}, 0, (kloop_now){.mono_ns = 1}, &error),
        KLOOP_OK);
}

void filtered_work_far(filtered_world *w)
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

void filtered_guard(filtered_world *w, const char *waiting_for)
{
    if (!uv_is_active((uv_handle_t *)&w->l.guard))
        fail_msg("waited too long for: %s", waiting_for);
}

size_t filtered_count(filtered_world *w, scripted_kind kind)
{
    return scripted_count(w->l.engine, kind);
}

scripted_connection *filtered_give_bytes(filtered_world *w, const uint8_t *out, size_t out_len,
                                         uint8_t *in, size_t in_len)
{
    scripted_connection *c = scripted_conn(w->l.engine, filtered_id);
    c->out = out;
    c->out_len = out_len;
    c->slice_len = 997;
    c->in = in;
    c->in_len = in_len;
    c->room_max = 65536;
    if (out_len)
        scripted_act(w->l.engine, KLOOP_ACT_WRITE, filtered_id);
    filtered_wake(w);
    return c;
}

void filtered_connect_both(filtered_world *w)
{
    filtered_connect_socket(w);
    FILTERED_RUN_UNTIL(w, filtered_count(w, SCRIPTED_CONNECTED) == 1);
}

size_t filtered_tell(filtered_world *w, const uint8_t *bytes, size_t len)
{
    if (len == 0 || w->far.type->state(w->far.me) != KL_FILTER_UP)
        return 0;
    const kloop_slice all = {bytes, len};
    return w->far.type->write(w->far.me, &all, 1);
}

void filtered_end(filtered_world *w)
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

const char *filtered_reason(filtered_world *w, scripted_kind kind)
{
    const scripted_event *e = scripted_last(w->l.engine, kind);
    return e ? e->text : "";
}
