/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets of `kloop sink`. See sink_server.h.
 *
 *     accept -> OPEN --- the client went, the broker ends it, an error ---> CLOSING -> memory free
 *                |  ^                                                       (uv_close)
 *                +--+ readable: recv into the peer, then serve all peers that are ready
 *                     writable: only asked for while the socket did not take everything
 *
 * Every callback ends in settle(): what became ready is written, then the alarm is set to what is
 * due next.
 */
#define _GNU_SOURCE
#include "cli/sink_server.h"

#include "base/list.h"
#include "base/mem.h"
#include "broker/peer.h"
#include "cli/alarm_clock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One connection does not keep the others waiting for longer than this takes. */
#define PASS_BYTES_MAX ((size_t)4 << 20)
#define ACCEPTS_MAX    64
#define BACKLOG        1024
#define SLICES_MAX     16

struct kl_sink_server {
    uv_loop_t *loop;
    kl_cluster *cluster;
    kl_alarm alarm;
    uv_poll_t listener;
    int fd;
    bool closing;
    bool accepting;      /* not while there are no file descriptors left */
    unsigned handles;    /* that are not closed yet */
    kl_list connections; /* of connection, those that are OPEN */
    size_t connection_count;
    char place[NI_MAXHOST + 16];
};

typedef struct connection {
    uv_poll_t poll;
    kl_link link;
    kl_sink_server *server;
    kl_peer *peer; /* NULL: CLOSING */
    int fd;
    int events; /* what the loop looks for */
} connection;

static void settle(kl_sink_server *server);
static void on_connecting(uv_poll_t *poll, int status, int events);

static int64_t now_ns(void)
{
    return (int64_t)uv_hrtime();
}

/* ---- A connection's end ---- */

static void one_handle_less(kl_sink_server *server)
{
    if (--server->handles == 0)
        kl_mem_release(&kl_mem_libc, server, sizeof *server);
}

static void on_connection_closed(uv_handle_t *handle)
{
    connection *conn = handle->data;
    kl_sink_server *server = conn->server;
    close(conn->fd);
    kl_mem_release(&kl_mem_libc, conn, sizeof *conn);
    if (!server->accepting && !server->closing) {
        server->accepting = true;
        uv_poll_start(&server->listener, UV_READABLE, on_connecting);
    }
    one_handle_less(server);
}

static void end_connection(connection *conn)
{
    kl_peer *peer = conn->peer;
    conn->peer = NULL;
    kl_list_remove(&conn->link);
    conn->server->connection_count--;
    uv_close((uv_handle_t *)&conn->poll, on_connection_closed);
    kl_peer_close(peer, now_ns());
}

/* ---- Bytes ---- */

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* Until the socket or the peer has no more. false: the connection is broken. */
static bool write_out(connection *conn)
{
    for (;;) {
        kloop_slice slices[SLICES_MAX];
        struct iovec iov[SLICES_MAX];
        size_t count = kl_peer_output(conn->peer, slices, SLICES_MAX);
        if (count == 0)
            return true;
        for (size_t i = 0; i < count; i++)
            iov[i] = (struct iovec){(void *)(uintptr_t)slices[i].data, slices[i].len};
        struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
        ssize_t n = sendmsg(conn->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return is_passing(errno);
        kl_peer_wrote(conn->peer, (size_t)n, now_ns());
    }
}

/* As much as one pass may take. false: the connection is at its end. */
static bool read_in(connection *conn)
{
    size_t taken = 0;
    while (taken < PASS_BYTES_MAX && kl_peer_wants_bytes(conn->peer)) {
        size_t room;
        uint8_t *space = kl_peer_space(conn->peer, &room);
        if (!space)
            return false;
        ssize_t n = recv(conn->fd, space, room, MSG_DONTWAIT);
        if (n == 0)
            return false;
        if (n < 0)
            return is_passing(errno);
        kl_peer_received(conn->peer, (size_t)n, now_ns());
        taken += (size_t)n;
        if ((size_t)n < room)
            break; /* it is empty; should more have come meanwhile, the loop tells */
    }
    return true;
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void watch(connection *conn)
{
    int events = kl_peer_wants_bytes(conn->peer) ? UV_READABLE : 0;
    if (kl_peer_output_bytes(conn->peer) > 0)
        events |= UV_WRITABLE;
    /* Reading is paused: the end of the connection has to be seen all the same. */
    if (events == 0)
        events = UV_DISCONNECT;
    if (events == conn->events)
        return;
    conn->events = events;
    uv_poll_start(&conn->poll, events, on_ready);
}

static void serve(connection *conn)
{
    if (!write_out(conn) || kl_peer_wants_close(conn->peer))
        end_connection(conn);
    else
        watch(conn);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    connection *conn = poll->data;
    kl_sink_server *server = conn->server;
    if (!conn->peer)
        return;
    if (status < 0 || (events & UV_DISCONNECT) || ((events & UV_READABLE) && !read_in(conn)))
        end_connection(conn);
    else
        serve(conn);
    settle(server);
}

/* ---- The whole ---- */

static void settle(kl_sink_server *server)
{
    for (kl_peer *peer; (peer = kl_cluster_next_ready(server->cluster)) != NULL;)
        serve(kl_peer_user(peer));
    if (server->closing)
        return;
    int64_t due = kl_cluster_deadline(server->cluster);
    kl_alarm_set(&server->alarm, due == KL_CLUSTER_NEVER ? KL_ALARM_NEVER
                                 : due < 0               ? 0
                                                         : (uint64_t)due);
}

static void on_due(void *me)
{
    kl_sink_server *server = me;
    if (server->closing)
        return;
    kl_cluster_on_time(server->cluster, now_ns());
    settle(server);
}

static void add_connection(kl_sink_server *server, int fd)
{
    int on = 1;
    connection *conn = kl_mem_zalloc(&kl_mem_libc, 1, sizeof *conn);
    if (!conn || uv_poll_init(server->loop, &conn->poll, fd) != 0) {
        kl_mem_release(&kl_mem_libc, conn, sizeof *conn);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    conn->server = server;
    conn->fd = fd;
    conn->poll.data = conn;
    server->handles++;
    conn->peer = kl_peer_open(server->cluster, KL_SINK_NODE, conn, now_ns());
    if (!conn->peer) {
        uv_close((uv_handle_t *)&conn->poll, on_connection_closed);
        return;
    }
    kl_list_push_back(&server->connections, &conn->link);
    server->connection_count++;
    watch(conn);
}

static void on_connecting(uv_poll_t *poll, int status, int events)
{
    kl_sink_server *server = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_MAX && !server->closing; i++) {
        int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            add_connection(server, fd);
            continue;
        }
        /* The listener stays readable without a descriptor to take the client with: the loop would
         * spin until somebody goes. */
        if ((errno == EMFILE || errno == ENFILE) && !kl_list_is_empty(&server->connections)) {
            server->accepting = false;
            uv_poll_stop(poll);
        }
        break;
    }
    settle(server);
}

/* ---- Listening ---- */

static int open_socket(const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static const char *advice(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "; somebody listens there already. --listen HOST:0 takes a port that is free";
    case EACCES:
        return "; ports below 1024 are not for everybody";
    case EADDRNOTAVAIL:
        return "; that is no address of this machine";
    default:
        return "";
    }
}

static int listen_on(const char *host, uint16_t port, char *why, size_t why_size)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    snprintf(service, sizeof service, "%u", port);
    int rc = getaddrinfo(host, service, &hints, &found);
    if (rc) {
        snprintf(why, why_size, "%s is not known here: %s", host, gai_strerror(rc));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
        fd = open_socket(a);
    if (fd < 0)
        snprintf(why, why_size, "%s:%u: %s%s", host, port, strerror(errno), advice(errno));
    freeaddrinfo(found);
    return fd;
}

static bool is_every_address(const struct sockaddr_storage *a)
{
    if (a->ss_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
    return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr == htonl(INADDR_ANY);
}

/* Finds out where the socket is, and lets Metadata tell it. */
static bool take_place(kl_sink_server *server, char *why, size_t why_size)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char host[NI_MAXHOST], service[NI_MAXSERV];
    char advertised[NI_MAXHOST];
    if (getsockname(server->fd, (struct sockaddr *)&address, &len) != 0 ||
        getnameinfo((struct sockaddr *)&address, len, host, sizeof host, service, sizeof service,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(why, why_size, "the socket has no address: %s", strerror(errno));
        return false;
    }
    snprintf(server->place, sizeof server->place, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
             service);
    snprintf(advertised, sizeof advertised, "%s", host);
    if (is_every_address(&address) && gethostname(advertised, sizeof advertised) != 0)
        snprintf(advertised, sizeof advertised, "localhost");
    advertised[sizeof advertised - 1] = '\0';
    int port = 0;
    sscanf(service, "%d", &port);
    if (kl_cluster_set_address(server->cluster, KL_SINK_NODE, advertised, port, NULL) ==
        KL_CLUSTER_OK)
        return true;
    snprintf(why, why_size, "there is no memory");
    return false;
}

static void on_alarm_closed(void *me)
{
    one_handle_less(me);
}

static void on_listener_closed(uv_handle_t *handle)
{
    kl_sink_server *server = handle->data;
    close(server->fd);
    one_handle_less(server);
}

kl_sink_server *kl_sink_server_new(uv_loop_t *loop, kl_cluster *cluster, const char *host,
                                   uint16_t port, char *why, size_t why_size)
{
    kl_sink_server *server = kl_mem_zalloc(&kl_mem_libc, 1, sizeof *server);
    if (!server) {
        snprintf(why, why_size, "there is no memory");
        return NULL;
    }
    server->loop = loop;
    server->cluster = cluster;
    server->accepting = true;
    kl_list_init(&server->connections);
    server->fd = listen_on(host, port, why, why_size);
    if (server->fd < 0 || !take_place(server, why, why_size))
        goto fail;
    int rc = kl_alarm_init(&server->alarm, loop, on_due, server);
    if (rc) {
        snprintf(why, why_size, "no timer: %s", strerror(rc));
        goto fail;
    }
    uv_poll_init(loop, &server->listener, server->fd);
    server->listener.data = server;
    server->handles = 2;
    uv_poll_start(&server->listener, UV_READABLE, on_connecting);
    settle(server);
    return server;
fail:
    if (server->fd >= 0)
        close(server->fd);
    kl_mem_release(&kl_mem_libc, server, sizeof *server);
    return NULL;
}

const char *kl_sink_server_place(const kl_sink_server *server)
{
    return server->place;
}

size_t kl_sink_server_connections(const kl_sink_server *server)
{
    return server->connection_count;
}

void kl_sink_server_close(kl_sink_server *server)
{
    if (server->closing)
        return;
    server->closing = true;
    for (kl_link *link; (link = kl_list_first(&server->connections)) != NULL;)
        end_connection(KL_CONTAINER_OF(link, connection, link));
    kl_alarm_close(&server->alarm, on_alarm_closed);
    uv_close((uv_handle_t *)&server->listener, on_listener_closed);
}
