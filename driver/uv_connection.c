/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets between the engine and the loop. See the header for the states. */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include "driver/uv_connection.h"

#include "base/check.h"
#include "base/now.h"
#include "driver/clocks.h"
#include "driver/ip_address.h"
#include "driver/uv_pump.h"
#include "driver/uv_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- The table ---- */

static kl_uv_connection *find(const kloop_producer *p, kloop_id id)
{
    if (id.slot >= p->connection_slots)
        return NULL;
    kl_uv_connection *c = p->connections[id.slot];
    return c && c->id.gen == id.gen ? c : NULL;
}

static bool make_room(kloop_producer *p, uint32_t slot)
{
    if (slot < p->connection_slots)
        return true;
    size_t slots = p->connection_slots ? p->connection_slots : 8, bytes;
    while (slots <= slot)
        slots *= 2;
    if (slots > UINT32_MAX || !kl_mem_mul(slots, sizeof(kl_uv_connection *), &bytes))
        return false;
    size_t old_bytes = p->connection_slots * sizeof(kl_uv_connection *);
    kl_uv_connection **grown = kl_mem_resize(&p->alloc, p->connections, old_bytes, bytes);
    if (!grown)
        return false;
    memset(grown + p->connection_slots, 0, bytes - old_bytes);
    p->connections = grown;
    p->connection_slots = (uint32_t)slots;
    return true;
}

/* ---- Sentences ---- */

static void print_where(char *to, size_t size, const kloop_address *address, kloop_string host,
                        uint16_t port)
{
    char number[KL_IP_ADDRESS_TEXT_MAX];
    kl_ip_address_print(address, number);
    size_t len = strlen(number);
    bool literal = host.len == 0 || (host.len == len && memcmp(host.data, number, len) == 0);
    if (literal && address->family == 6)
        snprintf(to, size, "[%s]:%u", number, (unsigned)port);
    else if (literal)
        snprintf(to, size, "%s:%u", number, (unsigned)port);
    else
        snprintf(to, size, "%.*s:%u (%s)", (int)host.len, host.data, (unsigned)port, number);
}

/* What became of the stream, with words for it. */
static void say_lost(char sentence[KL_UV_SENTENCE_MAX], const char *doing, const char *where,
                     int error)
{
    char why[128];
    kl_tcp_why(error, why, sizeof why);
    snprintf(sentence, KL_UV_SENTENCE_MAX, "%s %s: %s", doing, where, why);
}

/* ---- Ends ---- */

static void on_poll_closed(uv_handle_t *handle)
{
    kl_uv_connection *c = handle->data;
    kloop_producer *p = c->producer;
    kl_mem_release(&p->alloc, c, c->size);
    kl_uv_producer_handle_gone(p);
}

/* In one go: a child that is forked in between would keep the connection from ending. */
static void close_socket(kl_uv_connection *c)
{
    kl_living_lock();
    kl_living_remove_socket(&c->living);
    close(c->fd);
    kl_living_unlock();
}

/* The same for the beginning. 0, or a system's error, negative. */
static int open_socket(kl_uv_connection *c, const kloop_address *address,
                       const kl_tcp_options *options)
{
    kl_living_lock();
    int error = kl_tcp_connect(address, options, &c->fd);
    if (c->fd >= 0)
        kl_living_add_socket(&c->living, c->fd);
    kl_living_unlock();
    return error;
}

/* libuv lets go of the descriptor in uv_close(), of the handle in its callback. */
static void release(kl_uv_connection *c)
{
    c->producer->connections[c->id.slot] = NULL;
    kl_list_drop(&c->stirred);
    if (c->filter.type)
        c->filter.type->del(c->filter.me);
    uv_close((uv_handle_t *)&c->poll, on_poll_closed);
    close_socket(c);
}

void kl_uv_connection_lose(kl_uv_connection *c, const char *why)
{
    kloop_producer *p = c->producer;
    kloop_engine_on_disconnected(p->engine, c->id, why, p->now);
    release(c);
    kl_uv_pump_wake(p);
}

void kl_uv_connection_lose_untrusted(kl_uv_connection *c, const char *why)
{
    kloop_producer *p = c->producer;
    kloop_engine_on_untrusted(p->engine, c->id, why, p->now);
    release(c);
    kl_uv_pump_wake(p);
}

void kl_uv_connection_lose_for(kl_uv_connection *c, const char *doing, int error)
{
    char sentence[KL_UV_SENTENCE_MAX];
    say_lost(sentence, doing, c->where, error);
    kl_uv_connection_lose(c, sentence);
}

/* ---- Bytes ---- */

static void update_poll(kl_uv_connection *c);

/*
 * 1: there may be more, 0: the peer has ended the stream, negative: an error. The last words of a
 * connection are read to the end.
 */
static int receive(kl_uv_connection *c, bool last)
{
    kloop_engine *e = c->producer->engine;
    size_t taken = 0, bytes_max = last ? KL_UV_LAST_BYTES_MAX : KL_UV_READ_BYTES_MAX;
    for (size_t calls = 0; taken < bytes_max && (last || calls < KL_UV_READ_CALLS_MAX); calls++) {
        size_t room;
        uint8_t *space = kloop_engine_read_space(e, c->id, &room);
        if (!space)
            return 1;
        if (room > KL_UV_READ_CALL_BYTES_MAX && !last)
            room = KL_UV_READ_CALL_BYTES_MAX;
        ssize_t n = kl_tcp_read(c->fd, space, room);
        /* Without bytes it still says that we have let go of the space. */
        kloop_engine_on_received(e, c->id, n > 0 ? (size_t)n : 0, c->producer->now);
        if (n == -EAGAIN)
            return 1;
        if (n <= 0)
            return (int)n;
        taken += (size_t)n;
        /* Not filled: most likely that was all. Poll will tell, at no cost of a call. */
        if ((size_t)n < room && !last)
            return 1;
    }
    return 1;
}

/* Poll has said that something is wrong, or a write has: what came before that still counts. */
static void finish(kl_uv_connection *c, const char *doing, int error)
{
    int end = receive(c, true);
    if (error == 0)
        error = end < 0 ? end : kl_tcp_take_error(c->fd);
    if (error)
        kl_uv_connection_lose_for(c, doing, error);
    else
        kl_uv_connection_lose(c, "closed by the peer");
}

size_t kl_uv_connection_quota(const kl_uv_connection *c)
{
    return c->producer->held_ns < KL_UV_LATE_NS ? KL_UV_WRITE_BYTES_MAX : KL_UV_WRITE_BYTES_LATE;
}

size_t kl_uv_connection_gather(kl_uv_connection *c, kloop_slice *slices, size_t bytes_max,
                               size_t *bytes)
{
    size_t count =
        kloop_engine_write_vec(c->producer->engine, c->id, slices, KL_UV_WRITE_SLICES_MAX);
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        *bytes += slices[i].len;
        if (*bytes >= bytes_max)
            return i + 1;
    }
    return count;
}

/* Until the engine shows nothing, or the socket is full. false: the connection is gone. */
static bool transmit(kl_uv_connection *c)
{
    kloop_producer *p = c->producer;
    size_t given = 0, bytes_max = kl_uv_connection_quota(c);
    c->unsent = true;
    while (given < bytes_max) {
        kloop_slice slices[KL_UV_WRITE_SLICES_MAX];
        size_t bytes;
        size_t count = kl_uv_connection_gather(c, slices, bytes_max - given, &bytes);
        if (count == 0) {
            c->unsent = false;
            return true;
        }
        ssize_t n = kl_tcp_write(c->fd, slices, count);
        if (n == -EAGAIN)
            return true;
        if (n < 0) {
            finish(c, "write to", (int)n);
            return false;
        }
        kloop_engine_on_wrote(p->engine, c->id, (size_t)n, p->now);
        if ((size_t)n < bytes)
            return true;
        given += bytes;
    }
    return true;
}

/* ---- Events of the loop ---- */

/* false: the connection is gone. */
static bool finish_connect(kl_uv_connection *c, int status)
{
    int error = kl_tcp_take_error(c->fd);
    if (error == 0 && status < 0)
        error = -ECONNABORTED;
    if (error == 0 && kl_tcp_is_own_peer(c->fd))
        error = -ECONNREFUSED;
    if (error) {
        kl_uv_connection_lose_for(c, "connect to", error);
        return false;
    }
    c->up = true;
    if (c->filter.type)
        return kl_uv_filtered_begin(c);
    kloop_engine_on_connected(c->producer->engine, c->id, c->producer->now);
    return true;
}

/* false: the connection is gone. */
static bool exchange(kl_uv_connection *c, int status, int events)
{
    if (status < 0) {
        /* libuv has stopped polling. */
        c->events = 0;
        (c->filter.type ? kl_uv_filtered_finish : finish)(c, "connection to", 0);
        return false;
    }
    if (c->filter.type)
        return kl_uv_filtered_exchange(c, events & UV_READABLE, events & UV_WRITABLE);
    if (events & UV_READABLE) {
        int end = receive(c, false);
        if (end < 0) {
            kl_uv_connection_lose_for(c, "read from", end);
            return false;
        }
        if (end == 0) {
            kl_uv_connection_lose(c, "closed by the peer");
            return false;
        }
    }
    return !(events & UV_WRITABLE) || transmit(c);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    kl_uv_connection *c = poll->data;
    kloop_producer *p = c->producer;
    if (p->living.forked) {
        uv_poll_stop(poll);
        return;
    }
    uint64_t begin = kl_clocks_mono_ns();
    kl_uv_pump_event_time(p);
    bool there = c->up ? exchange(c, status, events) : finish_connect(c, status);
    if (there)
        update_poll(c);
    kl_uv_pump_wake(p);
    p->held_ns += kl_clocks_mono_ns() - begin;
}

static void update_poll(kl_uv_connection *c)
{
    int events = UV_WRITABLE;
    if (c->up)
        events = (c->paused ? 0 : UV_READABLE) | (c->unsent && !c->awaits ? UV_WRITABLE : 0);
    /* libuv takes two calls of the system for a change, and for no change, too. */
    if (events == c->events)
        return;
    c->events = events;
    if (events)
        uv_poll_start(&c->poll, events, on_poll);
    else
        uv_poll_stop(&c->poll);
}

/* ---- Actions of the engine ---- */

/* NULL: *error says why not. */
static kl_uv_connection *make(kloop_producer *p, kloop_id id, const kloop_address *address,
                              const char *where, kl_byte_filter filter, int *error)
{
    size_t len = strlen(where) + 1, size = sizeof(kl_uv_connection) + len;
    kl_uv_connection *c = make_room(p, id.slot) ? kl_mem_zalloc(&p->alloc, 1, size) : NULL;
    if (!c) {
        *error = -ENOMEM;
        return NULL;
    }
    *error = open_socket(c, address, &p->tcp);
    if (c->fd >= 0) {
        /* Connected at once or not: poll will say so. */
        *error = uv_poll_init(p->loop, &c->poll, c->fd);
        if (*error)
            close_socket(c);
    }
    if (*error) {
        kl_mem_release(&p->alloc, c, size);
        return NULL;
    }
    uv_unref((uv_handle_t *)&c->poll);
    c->poll.data = c;
    c->producer = p;
    c->id = id;
    c->filter = filter;
    c->size = size;
    memcpy(c->where, where, len);
    p->connections[id.slot] = c;
    p->handle_count++;
    return c;
}

/* false: the sentence says why not. */
static bool make_filter(kloop_producer *p, kl_byte_filter *filter, const char *where,
                        kloop_string host, uint16_t port, char sentence[KL_UV_SENTENCE_MAX])
{
    kloop_error error = {.text = ""};
    kloop_status status = p->filters.make(p->filters.me, filter, host, port, p->now, &error);
    p->secure.noted = p->secure.tls != NULL;
    if (status == KLOOP_OK)
        return true;
    snprintf(sentence, KL_UV_SENTENCE_MAX, "connect to %s: %s", where, error.text);
    return false;
}

void kl_uv_connection_open(kloop_producer *p, kloop_id id, const kloop_address *address,
                           kloop_string host, uint16_t port)
{
    char where[384], sentence[KL_UV_SENTENCE_MAX];
    kl_byte_filter filter = {NULL, NULL};
    int error = 0;
    KL_ASSERT(id.slot >= p->connection_slots || !p->connections[id.slot]);
    print_where(where, sizeof where, address, host, port);
    if (p->filters.make && !make_filter(p, &filter, where, host, port, sentence)) {
        kloop_engine_on_disconnected(p->engine, id, sentence, p->now);
        return;
    }
    kl_uv_connection *c = make(p, id, address, where, filter, &error);
    if (c) {
        update_poll(c);
        return;
    }
    if (filter.type)
        filter.type->del(filter.me);
    say_lost(sentence, "connect to", where, error);
    kloop_engine_on_disconnected(p->engine, id, sentence, p->now);
}

void kl_uv_connection_write(kloop_producer *p, kloop_id id)
{
    kl_uv_connection *c = find(p, id);
    /* A full socket writes on by itself. */
    if (c && c->up && !c->unsent && (c->filter.type ? kl_uv_filtered_transmit : transmit)(c))
        update_poll(c);
}

void kl_uv_connection_set_paused(kloop_producer *p, kloop_id id, bool paused)
{
    kl_uv_connection *c = find(p, id);
    if (!c)
        return;
    c->paused = paused;
    update_poll(c);
    /* What is inside the filter already does not show on the socket. */
    if (c->filter.type && !paused)
        kl_uv_connection_stir(c);
}

void kl_uv_connection_stir(kl_uv_connection *c)
{
    if (!kl_link_is_linked(&c->stirred))
        kl_list_push_back(&c->producer->stirred, &c->stirred);
    kl_uv_pump_wake(c->producer);
}

void kl_uv_connection_go_on(kloop_producer *p)
{
    /* Those that stir anew meanwhile have their next turn. */
    kl_link *last = kl_list_last(&p->stirred);
    for (bool more = last != NULL; more;) {
        kl_link *l = kl_list_pop_front(&p->stirred);
        kl_uv_connection *c = KL_CONTAINER_OF(l, kl_uv_connection, stirred);
        more = l != last;
        if (kl_uv_filtered_exchange(c, false, false))
            update_poll(c);
    }
}

void kl_uv_connection_close(kloop_producer *p, kloop_id id)
{
    kl_uv_connection *c = find(p, id);
    if (c && c->filter.type)
        kl_uv_filtered_part(c);
    if (c)
        release(c);
    kloop_engine_on_closed(p->engine, id, p->now);
}

void kl_uv_connection_let_go_all(kloop_producer *p)
{
    for (uint32_t i = 0; i < p->connection_slots; i++) {
        if (p->connections[i])
            uv_poll_stop(&p->connections[i]->poll);
    }
}

void kl_uv_connection_close_all(kloop_producer *p)
{
    for (uint32_t i = 0; i < p->connection_slots; i++) {
        if (p->connections[i])
            release(p->connections[i]);
    }
    kl_mem_release(&p->alloc, p->connections, p->connection_slots * sizeof(kl_uv_connection *));
    p->connections = NULL;
    p->connection_slots = 0;
}
