/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The producer without libuv: an epoll loop of one screen, for those who have a loop of their own.
 *
 *     own_epoll_loop 127.0.0.1:9092 events 1000
 *
 * It needs <kloop/engine.h> and libkloop-engine, nothing else. The engine decides everything; this
 * program only moves bytes and tells the time. Names are not looked up: brokers are reached by
 * their IPv4 addresses.
 *
 * It speaks PLAINTEXT. For TLS and SASL call kloop_engine_secure() behind kloop_engine_new(), put a
 * channel of <kloop/tls.h> between socket and engine, and link libkloop; docs/EMBEDDING.md, "On a
 * loop of your own", says what goes where.
 *
 *     turn:  wait for sockets or the deadline  ->  read and write what is ready
 *            ->  on_time  ->  take actions until there is none
 */
#define _GNU_SOURCE
#include <kloop/engine.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define SLICES_MAX      64

typedef struct connection {
    kloop_id id;
    int fd; /* -1: none */
    bool up;
    bool unsent; /* the socket was full */
    bool paused;
} connection;

static int epoll_fd;
static connection connections[CONNECTIONS_MAX]; /* by slot */
static unsigned long long acked, lost;
static bool writable, closed;

static kloop_now now(void)
{
    struct timespec mono, wall;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (kloop_now){
        .mono_ns = (uint64_t)mono.tv_sec * 1000000000 + (uint64_t)mono.tv_nsec,
        .wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
    };
}

/* NULL: the engine speaks of a connection that could not be made, or that was lost. */
static connection *find(kloop_id id)
{
    connection *c = id.slot < CONNECTIONS_MAX ? &connections[id.slot] : NULL;
    return c && c->fd >= 0 && c->id.gen == id.gen ? c : NULL;
}

static void watch(connection *c, int operation)
{
    struct epoll_event event = {.data.ptr = c};
    if (!c->up || c->unsent)
        event.events |= EPOLLOUT;
    if (c->up && !c->paused)
        event.events |= EPOLLIN;
    epoll_ctl(epoll_fd, operation, c->fd, &event);
}

static void disconnect(kloop_engine *e, connection *c, const char *why)
{
    close(c->fd);
    c->fd = -1;
    kloop_engine_on_disconnected(e, c->id, why, now());
}

/* ---- What the engine wants done ---- */

static void resolve(kloop_engine *e, const kloop_action *a)
{
    kloop_address address = {.family = 4};
    if (inet_pton(AF_INET, a->host.data, address.bytes) == 1)
        kloop_engine_on_resolved(e, a->id, &address, 1, NULL, now());
    else
        kloop_engine_on_resolved(e, a->id, NULL, 0, "this program knows IPv4 addresses only",
                                 now());
}

static void start_connect(kloop_engine *e, const kloop_action *a)
{
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(a->address.port)};
    memcpy(&peer.sin_addr, a->address.bytes, 4);
    int fd = a->id.slot < CONNECTIONS_MAX
                 ? socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
                 : -1;
    int yes = 1;
    if (fd < 0 || (connect(fd, (struct sockaddr *)&peer, sizeof peer) && errno != EINPROGRESS)) {
        const char *why = fd < 0 ? "there is no socket for it" : strerror(errno);
        if (fd >= 0)
            close(fd);
        kloop_engine_on_disconnected(e, a->id, why, now());
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    connection *c = &connections[a->id.slot];
    *c = (connection){.id = a->id, .fd = fd};
    watch(c, EPOLL_CTL_ADD);
}

static void write_out(kloop_engine *e, connection *c)
{
    kloop_slice slices[SLICES_MAX];
    size_t count;
    bool was_unsent = c->unsent;
    c->unsent = false;
    while ((count = kloop_engine_write_vec(e, c->id, slices, SLICES_MAX)) > 0) {
        struct iovec vec[SLICES_MAX];
        for (size_t i = 0; i < count; i++)
            vec[i] = (struct iovec){(void *)(uintptr_t)slices[i].data, slices[i].len};
        /* MSG_NOSIGNAL: a broker that goes away must not end this program. */
        struct msghdr message = {.msg_iov = vec, .msg_iovlen = count};
        ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            c->unsent = true;
            break;
        }
        if (n < 0) {
            disconnect(e, c, strerror(errno));
            return;
        }
        kloop_engine_on_wrote(e, c->id, (size_t)n, now());
    }
    if (c->unsent != was_unsent)
        watch(c, EPOLL_CTL_MOD);
}

static void close_connection(kloop_engine *e, kloop_id id)
{
    connection *c = find(id);
    if (c) {
        close(c->fd);
        c->fd = -1;
    }
    kloop_engine_on_closed(e, id, now());
}

static void deliver(const kloop_report *run)
{
    if (run->outcome == KLOOP_OUTCOME_ACKED) {
        acked += run->count;
        return;
    }
    lost += run->count;
    fprintf(stderr, "%zu records: %s\n", run->count, run->text);
}

static void take_actions(kloop_engine *e)
{
    kloop_action a;
    while (kloop_engine_next(e, &a)) {
        connection *c = find(a.id);
        switch (a.kind) {
        case KLOOP_ACT_RESOLVE:
            resolve(e, &a);
            break;
        case KLOOP_ACT_CONNECT:
            start_connect(e, &a);
            break;
        case KLOOP_ACT_WRITE:
            if (c && !c->unsent)
                write_out(e, c);
            break;
        case KLOOP_ACT_PAUSE:
        case KLOOP_ACT_RESUME:
            if (c) {
                c->paused = a.kind == KLOOP_ACT_PAUSE;
                watch(c, EPOLL_CTL_MOD);
            }
            break;
        case KLOOP_ACT_CLOSE:
            close_connection(e, a.id);
            break;
        case KLOOP_ACT_DELIVER:
            deliver(&a.report);
            break;
        case KLOOP_ACT_WRITABLE:
            writable = true;
            break;
        case KLOOP_ACT_CLOSED:
            closed = true;
            return;
        case KLOOP_ACT_LOG:
            if (a.level <= KLOOP_LOG_WARN)
                fprintf(stderr, "%s\n", a.text);
            break;
        case KLOOP_ACT_CANCEL: /* our answers are there before anybody gets impatient */
        case KLOOP_ACT_FLUSHED:
        case KLOOP_ACT_WARM:
        case KLOOP_ACT_CHUNK:
        case KLOOP_ACT_RELEASE:
        case KLOOP_ACT_TOKEN:
            break;
        }
    }
}

/* ---- What happens ---- */

static void read_in(kloop_engine *e, connection *c)
{
    size_t room;
    uint8_t *space = kloop_engine_read_space(e, c->id, &room);
    if (!space)
        return;
    ssize_t n = recv(c->fd, space, room, 0);
    kloop_engine_on_received(e, c->id, n > 0 ? (size_t)n : 0, now());
    if (n == 0)
        disconnect(e, c, "closed by the peer");
    else if (n < 0 && errno != EAGAIN)
        disconnect(e, c, strerror(errno));
}

static void on_event(kloop_engine *e, connection *c, uint32_t events)
{
    if (c->fd < 0)
        return;
    if (c->up) {
        if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
            read_in(e, c);
        if (c->fd >= 0 && (events & EPOLLOUT))
            write_out(e, c);
        return;
    }
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        disconnect(e, c, strerror(error));
        return;
    }
    c->up = true;
    watch(c, EPOLL_CTL_MOD);
    kloop_engine_on_connected(e, c->id, now());
}

static void turn(kloop_engine *e)
{
    struct epoll_event events[16];
    uint64_t deadline = kloop_engine_deadline(e), before = now().mono_ns;
    /* Looked at before the wait: nothing may time out whose answer the kernel holds already. What
     * passes while we sleep has its turn after this one. */
    bool due = deadline <= before;
    int timeout_ms = 1000;
    if (due)
        timeout_ms = 0;
    else if (deadline - before < 1000000000)
        timeout_ms = (int)((deadline - before + 999999) / 1000000); /* up, or we would spin */
    int count = epoll_wait(epoll_fd, events, 16, timeout_ms);
    for (int i = 0; i < count; i++)
        on_event(e, events[i].data.ptr, events[i].events);
    if (due)
        kloop_engine_on_time(e, now());
    take_actions(e);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s A.B.C.D:PORT TOPIC COUNT\n", argv[0]);
        return 2;
    }
    unsigned long long count = strtoull(argv[3], NULL, 10), sent = 0;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        connections[i].fd = -1;

    uint64_t seed;
    kloop_engine *e;
    kloop_error error;
    kloop_topic *topic;
    kloop_config *config = kloop_config_new(NULL);
    kloop_config_set(config, "bootstrap.servers", argv[1]);
    kloop_config_set(config, "linger.ms", "5");
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = now().mono_ns;
    kloop_status status = kloop_engine_new(&e, config, NULL, seed, now(), NULL, &error);
    kloop_config_del(config);
    if (status) {
        fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    if (kloop_engine_topic(e, (kloop_string){argv[2], strlen(argv[2])}, &topic)) {
        fprintf(stderr, "'%s' is no name for a topic\n", argv[2]);
        return 2;
    }
    writable = true;
    while (!closed) {
        kloop_engine_clock(e, now());
        while (writable && sent < count) {
            char text[64];
            int len = snprintf(text, sizeof text, "record %llu of %llu", sent + 1, count);
            kloop_record record = {.value = {(const uint8_t *)text, (size_t)len}};
            status = kloop_engine_send(topic, &record);
            writable = status != KLOOP_FULL;
            if (!writable)
                break;
            sent++;
            lost += status != KLOOP_OK;
        }
        take_actions(e);
        if (sent == count && writable) {
            kloop_engine_close(e, 60000, now());
            writable = false;
        }
        if (!closed)
            turn(e);
    }
    kloop_engine_del(e);
    close(epoll_fd);
    printf("%llu sent, %llu acked, %llu not\n", sent, acked, lost);
    return lost ? 1 : 0;
}
