/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets around a model cluster, for tests. */
#define _GNU_SOURCE
#include "tests/support/loop_broker.h"

#include "base/check.h"
#include "base/list.h"
#include "broker/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NODES_MAX  8
#define SLICES_MAX 64

typedef struct listener {
    uv_poll_t poll;
    kl_loop_broker *broker;
    int32_t node_id;
    int fd;
    uint16_t port;
} listener;

typedef struct client {
    kl_link link;
    uv_poll_t poll;
    kl_loop_broker *broker;
    kl_peer *peer;
    kl_byte_filter filter; /* type NULL: none */
    int fd;
    int events;
} client;

struct kl_loop_broker {
    uv_loop_t *loop;
    kl_cluster *cluster;
    uint64_t start_ns;
    uv_timer_t timer;
    listener listeners[NODES_MAX];
    int32_t node_count;
    kl_list clients;
    size_t client_count;
    size_t accepted;
    size_t handles;
    kl_byte_filter_maker filters;
    bool stalled;
    char servers[32];
};

static int64_t now_of(const kl_loop_broker *b)
{
    return (int64_t)(uv_hrtime() - b->start_ns);
}

static void on_handle_gone(kl_loop_broker *b)
{
    if (--b->handles == 0)
        free(b);
}

/* ---- Clients ---- */

static void on_client_closed(uv_handle_t *handle)
{
    client *c = handle->data;
    kl_loop_broker *b = c->broker;
    free(c);
    on_handle_gone(b);
}

static void drop(client *c)
{
    kl_list_remove(&c->link);
    c->broker->client_count--;
    kl_peer_close(c->peer, now_of(c->broker));
    if (c->filter.type)
        c->filter.type->del(c->filter.me);
    uv_close((uv_handle_t *)&c->poll, on_client_closed);
    close(c->fd);
}

static void on_client(uv_poll_t *poll, int status, int events);

static void update_poll(client *c)
{
    bool reads = !c->broker->stalled && kl_peer_wants_bytes(c->peer);
    bool writes = c->filter.type ? c->filter.type->output(c->filter.me).len > 0
                                 : kl_peer_output_bytes(c->peer) > 0;
    int events = (reads ? UV_READABLE : 0) | (writes ? UV_WRITABLE : 0);
    if (events == c->events)
        return;
    c->events = events;
    if (events)
        uv_poll_start(&c->poll, events, on_client);
    else
        uv_poll_stop(&c->poll);
}

/* ---- Through a filter ---- */

/* What the peer has to say goes into the filter, as far as that takes it. */
static void fill_filter(client *c)
{
    const kl_byte_filter_type *type = c->filter.type;
    kloop_slice slices[SLICES_MAX];
    size_t count;
    while (type->state(c->filter.me) == KL_FILTER_UP &&
           (count = kl_peer_output(c->peer, slices, SLICES_MAX)) > 0) {
        size_t n = type->write(c->filter.me, slices, count);
        if (n == 0)
            return;
        kl_peer_wrote(c->peer, n, now_of(c->broker));
    }
}

/* false: the client is gone. */
static bool write_filtered(client *c)
{
    const kl_byte_filter_type *type = c->filter.type;
    for (;;) {
        fill_filter(c);
        kloop_slice out = type->output(c->filter.me);
        if (out.len == 0)
            break;
        ssize_t n = send(c->fd, out.data, out.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0) {
            drop(c);
            return false;
        }
        type->sent(c->filter.me, (size_t)n);
    }
    if (kl_peer_wants_close(c->peer) || type->state(c->filter.me) >= KL_FILTER_ENDED) {
        drop(c);
        return false;
    }
    return true;
}

/* What is inside the filter first, and only then the socket. false: the client is gone. */
static bool read_filtered(client *c)
{
    const kl_byte_filter_type *type = c->filter.type;
    while (kl_peer_wants_bytes(c->peer) && !c->broker->stalled) {
        size_t room;
        uint8_t *space = kl_peer_space(c->peer, &room);
        KL_ASSERT(space);
        size_t inside = type->read(c->filter.me, space, room);
        if (inside > 0) {
            kl_peer_received(c->peer, inside, now_of(c->broker));
            continue;
        }
        if (type->state(c->filter.me) >= KL_FILTER_ENDED)
            break;
        space = type->receive_space(c->filter.me, &room);
        KL_ASSERT(space);
        ssize_t n = recv(c->fd, space, room, 0);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            drop(c);
            return false;
        }
        type->received(c->filter.me, (size_t)n);
    }
    return write_filtered(c);
}

/* ---- Straight ---- */

/* false: the client is gone. */
static bool write_out(client *c)
{
    kloop_slice slices[SLICES_MAX];
    size_t count;
    if (c->filter.type)
        return write_filtered(c);
    while ((count = kl_peer_output(c->peer, slices, SLICES_MAX)) > 0) {
        struct msghdr message = {.msg_iov = (struct iovec *)(void *)slices, .msg_iovlen = count};
        ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            drop(c);
            return false;
        }
        kl_peer_wrote(c->peer, (size_t)n, now_of(c->broker));
    }
    if (kl_peer_wants_close(c->peer)) {
        drop(c);
        return false;
    }
    return true;
}

static void on_timer(uv_timer_t *timer);

/* All that has become ready anywhere in the cluster, and the next alarm. */
static void serve(kl_loop_broker *b)
{
    for (kl_peer *peer; (peer = kl_cluster_next_ready(b->cluster)) != NULL;) {
        client *c = kl_peer_user(peer);
        if (c->filter.type ? read_filtered(c) : write_out(c))
            update_poll(c);
    }
    int64_t deadline = kl_cluster_deadline(b->cluster);
    if (deadline == KL_CLUSTER_NEVER) {
        uv_timer_stop(&b->timer);
        return;
    }
    int64_t left_ns = deadline - now_of(b);
    uv_update_time(b->loop);
    uv_timer_start(&b->timer, on_timer, left_ns > 0 ? (uint64_t)left_ns / 1000000 + 1 : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
    kl_loop_broker *b = timer->data;
    kl_cluster_on_time(b->cluster, now_of(b));
    serve(b);
}

/* false: the client is gone. */
static bool read_in(client *c)
{
    if (c->filter.type)
        return read_filtered(c);
    while (kl_peer_wants_bytes(c->peer) && !c->broker->stalled) {
        size_t room;
        uint8_t *space = kl_peer_space(c->peer, &room);
        KL_ASSERT(space);
        ssize_t n = recv(c->fd, space, room, 0);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0) {
            drop(c);
            return false;
        }
        kl_peer_received(c->peer, (size_t)n, now_of(c->broker));
        if ((size_t)n < room)
            return true;
    }
    return true;
}

static void on_client(uv_poll_t *poll, int status, int events)
{
    client *c = poll->data;
    kl_loop_broker *b = c->broker;
    if (status < 0) {
        drop(c);
    } else if ((!(events & UV_READABLE) || read_in(c)) &&
               (!(events & UV_WRITABLE) || write_out(c))) {
        update_poll(c);
    }
    serve(b);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    listener *l = poll->data;
    kl_loop_broker *b = l->broker;
    (void)status;
    (void)events;
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), yes = 1;
    if (fd < 0)
        return;
    client *c = calloc(1, sizeof *c);
    KL_ASSERT(c);
    c->peer = kl_peer_open(b->cluster, l->node_id, c, now_of(b));
    if (!c->peer) {
        /* The broker is down. */
        close(fd);
        free(c);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    c->broker = b;
    c->fd = fd;
    if (b->filters.make) {
        kloop_error why;
        kloop_now now = {.mono_ns = uv_hrtime(), .wall_ms = (int64_t)time(NULL) * 1000};
        kloop_string nobody = {"", 0};
        kloop_status made = b->filters.make(b->filters.me, &c->filter, nobody, 0, now, &why);
        KL_ASSERT(made == KLOOP_OK);
    }
    int error = uv_poll_init(b->loop, &c->poll, fd);
    KL_ASSERT(error == 0);
    c->poll.data = c;
    uv_unref((uv_handle_t *)&c->poll);
    kl_list_push_back(&b->clients, &c->link);
    b->client_count++;
    b->accepted++;
    b->handles++;
    update_poll(c);
    serve(b);
}

/* ---- Life ---- */

static void start_listener(kl_loop_broker *b, listener *l, int32_t node_id)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t len = sizeof own;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l->broker = b;
    l->node_id = node_id;
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool fine = l->fd >= 0 && bind(l->fd, (struct sockaddr *)&own, len) == 0 &&
                listen(l->fd, 64) == 0 && getsockname(l->fd, (struct sockaddr *)&own, &len) == 0 &&
                uv_poll_init(b->loop, &l->poll, l->fd) == 0;
    KL_ASSERT(fine);
    l->port = ntohs(own.sin_port);
    l->poll.data = l;
    uv_poll_start(&l->poll, UV_READABLE, on_listener);
    uv_unref((uv_handle_t *)&l->poll);
    b->handles++;
    fine = kl_cluster_set_address(b->cluster, node_id, "127.0.0.1", l->port, NULL) == KL_CLUSTER_OK;
    KL_ASSERT(fine);
}

kl_loop_broker *kl_loop_broker_new(uv_loop_t *loop, kl_cluster *cluster, int32_t broker_count)
{
    KL_ASSERT(broker_count > 0 && broker_count <= NODES_MAX);
    kl_loop_broker *b = calloc(1, sizeof *b);
    KL_ASSERT(b);
    b->loop = loop;
    b->cluster = cluster;
    b->start_ns = uv_hrtime();
    b->node_count = broker_count;
    kl_list_init(&b->clients);
    uv_timer_init(loop, &b->timer);
    b->timer.data = b;
    uv_unref((uv_handle_t *)&b->timer);
    b->handles++;
    for (int32_t i = 0; i < broker_count; i++)
        start_listener(b, &b->listeners[i], i + 1);
    snprintf(b->servers, sizeof b->servers, "127.0.0.1:%u", (unsigned)b->listeners[0].port);
    return b;
}

void kl_loop_broker_set_filters(kl_loop_broker *b, kl_byte_filter_maker maker)
{
    b->filters = maker;
}

uint16_t kl_loop_broker_port(const kl_loop_broker *b, int32_t node_id)
{
    KL_ASSERT(node_id > 0 && node_id <= b->node_count);
    return b->listeners[node_id - 1].port;
}

const char *kl_loop_broker_servers(const kl_loop_broker *b)
{
    return b->servers;
}

void kl_loop_broker_stall(kl_loop_broker *b, bool stalled)
{
    b->stalled = stalled;
    for (int32_t i = 0; i < b->node_count; i++) {
        if (stalled)
            uv_poll_stop(&b->listeners[i].poll);
        else
            uv_poll_start(&b->listeners[i].poll, UV_READABLE, on_listener);
    }
    for (kl_link *l = kl_list_first(&b->clients), *next; l; l = next) {
        client *c = KL_CONTAINER_OF(l, client, link);
        next = kl_list_next(&b->clients, l);
        /* What is inside a filter does not show on the socket. */
        if (stalled || !c->filter.type || read_filtered(c))
            update_poll(c);
    }
    serve(b);
}

void kl_loop_broker_reset(kl_loop_broker *b)
{
    while (!kl_list_is_empty(&b->clients)) {
        client *c = KL_CONTAINER_OF(kl_list_first(&b->clients), client, link);
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        drop(c);
    }
    serve(b);
}

size_t kl_loop_broker_connections(const kl_loop_broker *b)
{
    return b->client_count;
}

size_t kl_loop_broker_accepted(const kl_loop_broker *b)
{
    return b->accepted;
}

static void on_listener_closed(uv_handle_t *handle)
{
    listener *l = handle->data;
    close(l->fd);
    on_handle_gone(l->broker);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_handle_gone(handle->data);
}

void kl_loop_broker_close(kl_loop_broker *b)
{
    while (!kl_list_is_empty(&b->clients))
        drop(KL_CONTAINER_OF(kl_list_first(&b->clients), client, link));
    for (int32_t i = 0; i < b->node_count; i++)
        uv_close((uv_handle_t *)&b->listeners[i].poll, on_listener_closed);
    uv_close((uv_handle_t *)&b->timer, on_timer_closed);
}
