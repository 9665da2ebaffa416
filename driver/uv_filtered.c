/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections whose bytes go through a filter.
 *
 *     socket is up --> SHAKING --> told: on_connected --> bytes --> the peer's end, or FAILED
 *
 *     in     what is inside the filter goes to the engine first; only when nothing is left there
 * the socket is asked for more. So the end of the stream comes behind its last bytes, and a filter
 * holds one receipt at most. out    the engine's bytes go into the filter until that has enough,
 * then to the socket, until one of the two has no more. on_wrote tells what the filter has taken.
 *
 * What is inside the filter does not show on the socket. So a connection whose turn is over before
 * its filter is empty, or that was paused, is put into the producer's list of stirred ones, and the
 * pump comes back to it.
 */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include "base/now.h"
#include "driver/uv_pump.h"
#include "driver/uv_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CLOSED_BY_PEER "closed by the peer"

static kl_filter_state state_of(const kl_uv_connection *c)
{
    return c->filter.type->state(c->filter.me);
}

static bool is_working(const kl_uv_connection *c)
{
    kl_filter_state state = state_of(c);
    return state == KL_FILTER_SHAKING || state == KL_FILTER_UP;
}

/* ---- Ends ---- */

/* The peer may want to know why. A full socket, or one that is broken, does not matter any more. */
static void send_last(kl_uv_connection *c)
{
    kloop_slice out;
    while ((out = c->filter.type->output(c->filter.me)).len > 0) {
        ssize_t n = kl_tcp_write(c->fd, &out, 1);
        if (n <= 0)
            return;
        c->filter.type->sent(c->filter.me, (size_t)n);
    }
}

static void lose_failed(kl_uv_connection *c)
{
    char sentence[KL_UV_SENTENCE_MAX];
    snprintf(sentence, sizeof sentence, "%s with %s: %s", c->filter.type->name, c->where,
             c->filter.type->why(c->filter.me));
    send_last(c);
    if (c->filter.type->is_untrusted(c->filter.me))
        kl_uv_connection_lose_untrusted(c, sentence);
    else
        kl_uv_connection_lose(c, sentence);
}

/* All that has come was read. error: of the socket, 0 for its end. */
static void end(kl_uv_connection *c, const char *doing, int error)
{
    bool working = is_working(c);
    if (working)
        c->filter.type->received_end(c->filter.me);
    /* That a stream just ends is a failure only for those who waited for more; whether by an end or
     * a reset is chance, as it is by which side was faster. */
    bool failed = state_of(c) == KL_FILTER_FAILED;
    bool hung_up = error == 0 || error == -ECONNRESET || error == -EPIPE;
    if (failed && (!working || (!c->told && hung_up)))
        lose_failed(c);
    else if (error)
        kl_uv_connection_lose_for(c, c->told ? doing : "handshake with", error);
    else
        kl_uv_connection_lose(c, CLOSED_BY_PEER);
}

void kl_uv_filtered_part(kl_uv_connection *c)
{
    if (!c->told || c->unsent || state_of(c) != KL_FILTER_UP)
        return;
    c->filter.type->finish(c->filter.me);
    send_last(c);
}

/* ---- In ---- */

/* From inside the filter to the engine. false: there is more, for the next turn or for RESUME. */
static bool drain(kl_uv_connection *c, size_t *taken, size_t bytes_max)
{
    kloop_producer *p = c->producer;
    while (c->told) {
        if (*taken >= bytes_max) {
            kl_uv_connection_stir(c);
            return false;
        }
        size_t room;
        uint8_t *space = kloop_engine_read_space(p->engine, c->id, &room);
        if (!space)
            return false;
        size_t n = c->filter.type->read(c->filter.me, space, room);
        /* Without bytes it still says that we have let go of the space. */
        kloop_engine_on_received(p->engine, c->id, n, p->now);
        if (n == 0)
            break;
        *taken += n;
    }
    return true;
}

static void tell_when_up(kl_uv_connection *c)
{
    if (c->told || state_of(c) != KL_FILTER_UP)
        return;
    c->told = true;
    kloop_engine_on_connected(c->producer->engine, c->id, c->producer->now);
}

/* 1: there may be more, 0: the stream has ended, or the filter has; negative: an error. */
static int receive(kl_uv_connection *c, bool readable, bool last)
{
    const kl_byte_filter_type *type = c->filter.type;
    size_t plain = 0, taken = 0;
    size_t bytes_max = last ? KL_UV_LAST_BYTES_MAX : KL_UV_READ_BYTES_MAX;
    for (size_t calls = 0;; calls++) {
        tell_when_up(c);
        if (!drain(c, &plain, bytes_max))
            return 1;
        if (!is_working(c))
            return 0;
        if (!readable || taken >= bytes_max || (calls == KL_UV_READ_CALLS_MAX && !last))
            return 1;
        size_t room;
        uint8_t *space = type->receive_space(c->filter.me, &room);
        if (!space)
            return -ENOMEM;
        ssize_t n = kl_tcp_read(c->fd, space, room);
        if (n == -EAGAIN)
            return 1;
        if (n <= 0)
            return (int)n;
        type->received(c->filter.me, (size_t)n);
        taken += (size_t)n;
        /* Not filled: most likely that was all. Poll will tell, at no cost of a call. */
        readable = (size_t)n == room || last;
    }
}

void kl_uv_filtered_finish(kl_uv_connection *c, const char *doing, int error)
{
    int ended = receive(c, true, true);
    if (error == 0)
        error = ended < 0 ? ended : kl_tcp_take_error(c->fd);
    end(c, doing, error);
}

/* ---- Out ---- */

/* From the engine into the filter. false: the engine shows nothing more. */
static bool fill(kl_uv_connection *c, size_t *given, size_t bytes_max)
{
    kloop_producer *p = c->producer;
    while (*given < bytes_max) {
        kloop_slice slices[KL_UV_WRITE_SLICES_MAX];
        size_t bytes;
        size_t count = kl_uv_connection_gather(c, slices, bytes_max - *given, &bytes);
        if (count == 0)
            return false;
        size_t n = c->filter.type->write(c->filter.me, slices, count);
        if (n > 0)
            kloop_engine_on_wrote(p->engine, c->id, n, p->now);
        *given += n;
        if (n < bytes)
            break;
    }
    return true;
}

bool kl_uv_filtered_transmit(kl_uv_connection *c)
{
    const kl_byte_filter_type *type = c->filter.type;
    size_t given = 0, bytes_max = kl_uv_connection_quota(c);
    c->unsent = true;
    c->awaits = false;
    for (;;) {
        bool more = c->told && fill(c, &given, bytes_max);
        kloop_slice out = type->output(c->filter.me);
        if (out.len == 0) {
            c->unsent = more && is_working(c);
            c->awaits = c->unsent && given < bytes_max;
            /* That it has failed is found by reading, and the socket would have room for ever where
             * that has to wait. */
            if (more && !c->unsent)
                kl_uv_connection_stir(c);
            return true;
        }
        ssize_t n = kl_tcp_write(c->fd, &out, 1);
        if (n == -EAGAIN)
            return true;
        if (n < 0) {
            kl_uv_filtered_finish(c, "write to", (int)n);
            return false;
        }
        type->sent(c->filter.me, (size_t)n);
        if ((size_t)n < out.len)
            return true;
    }
}

/* ---- Events ---- */

bool kl_uv_filtered_begin(kl_uv_connection *c)
{
    return kl_uv_filtered_exchange(c, false, true);
}

bool kl_uv_filtered_exchange(kl_uv_connection *c, bool readable, bool writable)
{
    int ended = receive(c, readable, false);
    if (ended <= 0) {
        end(c, "read from", ended);
        return false;
    }
    /* An answer of the filter itself, as of a handshake, is sent at once. */
    bool talks = c->awaits || (!c->unsent && c->filter.type->output(c->filter.me).len > 0);
    return !(writable || talks) || kl_uv_filtered_transmit(c);
}
