/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners, connections, one poll loop. See hostile_world.h. */
#define _GNU_SOURCE
#include "tests/hostile/hostile_world.h"

#include "base/be.h"
#include "tests/hostile/hostile_reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX      (64u << 20)
#define READ_BYTES     65536
#define SECOND_MS      1000
#define CATCH_UP_MS    200
#define FAR_MS         1000
#define SMALL_RECEIVES 4096

struct hostile_block {
    hostile_block *next;
};

uint64_t hostile_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Without memory there is no test. */
static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

/* ---- Memory of an answer ---- */

void *hostile_take(hostile_world *w, size_t count, size_t size)
{
    const size_t head = 16;
    hostile_block *b = must(calloc(1, head + count * size));
    b->next = w->blocks;
    w->blocks = b;
    return (char *)b + head;
}

static void give_back(hostile_world *w)
{
    for (hostile_block *b; (b = w->blocks) != NULL;) {
        w->blocks = b->next;
        free(b);
    }
}

/* ---- Counting ---- */

static void count(hostile_world *w, hostile_meter *m)
{
    const uint32_t size = sizeof m->at_ms / sizeof *m->at_ms;
    while (m->count > 0 && m->at_ms[m->first] + SECOND_MS <= w->now_ms) {
        m->first = (m->first + 1) % size;
        m->count--;
    }
    if (m->count < size)
        m->at_ms[(m->first + m->count++) % size] = w->now_ms;
    if (m->count > w->result->busiest)
        w->result->busiest = m->count;
}

/* ---- What is to be sent ---- */

void hostile_put(hostile_conn *c, const void *bytes, size_t len)
{
    if (c->out_len + len > c->out_cap) {
        c->out_cap = (c->out_len + len) * 2;
        c->out = must(realloc(c->out, c->out_cap));
    }
    memcpy(c->out + c->out_len, bytes, len);
    c->out_len += len;
}

void hostile_put_zeros(hostile_conn *c, size_t len)
{
    c->zeros += len;
}

void hostile_put_kept(hostile_conn *c)
{
    hostile_put(c, c->kept, c->kept_len);
    free(c->kept);
    c->kept = NULL;
}

void hostile_wait(hostile_world *w, hostile_conn *c, uint64_t ms)
{
    c->out_after_ms = w->now_ms + ms;
}

void hostile_pace(hostile_conn *c, size_t bytes, uint64_t ms)
{
    c->pace_bytes = bytes;
    c->pace_ms = ms;
}

void hostile_end_after(hostile_conn *c, hostile_end end)
{
    c->end = end;
}

static bool has_output(const hostile_conn *c)
{
    return c->out_at < c->out_len || c->zeros > 0;
}

/* ---- Connections ---- */

static void drop(hostile_world *w, hostile_conn *c, hostile_end end)
{
    if (end == HOSTILE_RESETS)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(c->fd);
    for (size_t i = 0; i < w->conn_count; i++)
        if (w->conns[i] == c)
            w->conns[i] = w->conns[--w->conn_count];
    free(c->in);
    free(c->out);
    free(c->kept);
    free(c);
}

static void take_connection(hostile_world *w, int node)
{
    int on = 1;
    int fd = accept4(w->ports->listeners[node], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (w->conn_count == sizeof w->conns / sizeof *w->conns) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    hostile_conn *c = must(calloc(1, sizeof *c));
    c->fd = fd;
    c->node = node;
    c->serial = w->serial++;
    c->read_max = c->send_max = HOSTILE_NO_LIMIT;
    w->conns[w->conn_count++] = c;
    w->result->connects++;
    count(w, &w->connects[node]);
    if (w->row->greet)
        w->row->greet(w, c, w->row->number);
}

static void answer(hostile_world *w, hostile_conn *c, const uint8_t *frame, size_t len)
{
    const hostile_case *row = w->row;
    hostile_reply r;
    w->result->requests++;
    count(w, &w->requests[c->node]);
    if (!hostile_reply_make(w, c, frame, len, &r)) {
        fprintf(stderr, "%s: a request that cannot be read\n", row->name);
        abort();
    }
    if (r.api == KLOOP_PRODUCE || r.api == KLOOP_INIT_PRODUCER_ID)
        w->result->talks++;
    if (row->lie)
        row->lie(w, c, &r, row->number);
    if (!hostile_reply_mark(w, &r)) {
        fprintf(stderr, "%s: a batch that cannot be read\n", row->name);
        abort();
    }
    if (!r.none) {
        size_t bytes;
        const uint8_t *reply = hostile_reply_encode(w, &r, &bytes);
        if (row->deed && (row->stage == HOSTILE_EVERY || row->stage == r.api))
            row->deed(w, c, reply, bytes, row->number);
        else
            hostile_put(c, reply, bytes);
    }
    give_back(w);
}

/* A frame's head is there, perhaps no more. */
static void begin(hostile_world *w, hostile_conn *c)
{
    if (c->begun || c->in_len < 12 || !w->row->early)
        return;
    c->begun = true;
    if ((int16_t)kl_be_load16(c->in + 4) == w->row->stage)
        w->row->early(w, c, (int32_t)kl_be_load32(c->in + 8));
}

static void take_frames(hostile_world *w, hostile_conn *c)
{
    if (c->echoes) {
        hostile_put(c, c->in, c->in_len);
        c->in_len = 0;
    }
    for (;;) {
        kloop_slice frame;
        size_t used;
        begin(w, c);
        if (kloop_frame_next(c->in, c->in_len, FRAME_MAX, &frame, &used, NULL))
            abort();
        if (!frame.data)
            return;
        answer(w, c, frame.data, frame.len);
        memmove(c->in, c->in + used, c->in_len - used);
        c->in_len -= used;
        c->begun = false;
    }
}

/* false: it is gone. */
static bool receive(hostile_world *w, hostile_conn *c)
{
    if (c->in_cap - c->in_len < READ_BYTES) {
        c->in_cap = c->in_cap * 2 + READ_BYTES;
        c->in = must(realloc(c->in, c->in_cap));
    }
    size_t room = READ_BYTES;
    if (room > c->read_max - c->read_bytes)
        room = c->read_max - c->read_bytes;
    ssize_t n = recv(c->fd, c->in + c->in_len, room, 0);
    if (n < 0 && errno == EAGAIN)
        return true;
    if (n <= 0) {
        drop(w, c, HOSTILE_CLOSES);
        return false;
    }
    c->in_len += (size_t)n;
    c->read_bytes += (size_t)n;
    take_frames(w, c);
    if (c->read_bytes >= c->read_max) {
        drop(w, c, HOSTILE_CLOSES);
        return false;
    }
    return true;
}

/* On a busy machine this process comes late, and makes up for it; not byte by byte, as the one who
 * reads them would get them all at once. */
static uint64_t next_pace(const hostile_world *w, const hostile_conn *c)
{
    uint64_t catch_up_ms = c->pace_bytes > 1 ? CATCH_UP_MS : 0;
    uint64_t was =
        c->out_after_ms + catch_up_ms < w->now_ms ? w->now_ms - catch_up_ms : c->out_after_ms;
    return was + c->pace_ms;
}

/* false: it is gone. */
static bool transmit(hostile_world *w, hostile_conn *c)
{
    static const uint8_t zeros[READ_BYTES];
    if (c->kept && c->kept_until_ms <= w->now_ms)
        hostile_put_kept(c);
    while (has_output(c) && c->out_after_ms <= w->now_ms && c->sent_bytes < c->send_max) {
        bool own = c->out_at < c->out_len;
        const uint8_t *from = own ? c->out + c->out_at : zeros;
        size_t len = own ? c->out_len - c->out_at : c->zeros;
        if (!own && len > sizeof zeros)
            len = sizeof zeros;
        if (c->pace_bytes && len > c->pace_bytes)
            len = c->pace_bytes;
        if (len > c->send_max - c->sent_bytes)
            len = c->send_max - c->sent_bytes;
        ssize_t n = send(c->fd, from, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0) {
            drop(w, c, HOSTILE_CLOSES);
            return false;
        }
        c->sent_bytes += (size_t)n;
        w->result->sent_bytes += (size_t)n;
        if (own)
            c->out_at += (size_t)n;
        else
            c->zeros -= (size_t)n;
        if (c->pace_bytes)
            c->out_after_ms = next_pace(w, c);
    }
    if (c->out_at == c->out_len)
        c->out_at = c->out_len = 0;
    hostile_end end = c->sent_bytes >= c->send_max ? HOSTILE_CLOSES : c->end;
    if (end == HOSTILE_STAYS || (has_output(c) && c->sent_bytes < c->send_max))
        return true;
    drop(w, c, end);
    return false;
}

/* ---- Names ---- */

static void answer_name(hostile_world *w)
{
    uint8_t bytes[4096];
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    ssize_t n =
        recvfrom(w->ports->names_fd, bytes, 512, MSG_DONTWAIT, (struct sockaddr *)&peer, &peer_len);
    if (n < 12)
        return;
    size_t len = w->row->names(bytes, (size_t)n, sizeof bytes);
    if (len > 0)
        (void)!sendto(w->ports->names_fd, bytes, len, 0, (struct sockaddr *)&peer, peer_len);
}

/* ---- A backlog that is full ---- */

static void fill_backlog(hostile_ports *ports)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(ports->ports[0]),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < HOSTILE_FILLERS; i++) {
        ports->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(ports->fillers[i], (const struct sockaddr *)&to, sizeof to);
    }
    ports->filled = true;
}

static bool accepts(const hostile_world *w)
{
    int after = w->row->backlog_ms;
    return after == 0 || (after > 0 && w->now_ms >= w->begun_ms + (uint64_t)after);
}

/* ---- The loop ---- */

static int sleep_ms(const hostile_world *w)
{
    uint64_t until = w->now_ms + FAR_MS;
    for (size_t i = 0; i < w->conn_count; i++) {
        const hostile_conn *c = w->conns[i];
        if (has_output(c) && c->out_after_ms > w->now_ms && c->out_after_ms < until)
            until = c->out_after_ms;
        if (c->kept && c->kept_until_ms < until)
            until = c->kept_until_ms > w->now_ms ? c->kept_until_ms : w->now_ms;
    }
    if (w->row->backlog_ms > 0 && !accepts(w))
        until = w->now_ms + 10;
    return (int)(until - w->now_ms);
}

static short wanted(const hostile_world *w, const hostile_conn *c)
{
    bool sends = has_output(c) && c->out_after_ms <= w->now_ms;
    bool ends = c->end && !has_output(c);
    return (short)((c->deaf ? 0 : POLLIN) | (sends || ends ? POLLOUT : 0));
}

static size_t list(const hostile_world *w, struct pollfd *fds)
{
    size_t n = 0;
    fds[n++] = (struct pollfd){.fd = w->ports->names_fd, .events = POLLIN};
    for (int i = 0; i < HOSTILE_NODES_MAX; i++)
        fds[n++] =
            (struct pollfd){.fd = i < w->ports->nodes && accepts(w) ? w->ports->listeners[i] : -1,
                            .events = POLLIN};
    for (size_t i = 0; i < w->conn_count; i++)
        fds[n++] = (struct pollfd){.fd = w->conns[i]->fd, .events = wanted(w, w->conns[i])};
    return n;
}

static void serve(hostile_world *w, hostile_conn *c, short events)
{
    if ((events & (POLLERR | POLLHUP)) && c->deaf) {
        drop(w, c, HOSTILE_CLOSES);
        return;
    }
    if ((events & (POLLIN | POLLERR | POLLHUP)) && !c->deaf && !receive(w, c))
        return;
    transmit(w, c);
}

static void turn(hostile_world *w)
{
    static struct pollfd fds[1 + HOSTILE_NODES_MAX + 1024];
    static hostile_conn *conns[1024];
    size_t n = list(w, fds), known = w->conn_count;
    memcpy(conns, w->conns, known * sizeof *conns);
    if (poll(fds, n, sleep_ms(w)) < 0)
        return;
    w->now_ms = hostile_now_ms();
    if (fds[0].revents)
        answer_name(w);
    /* Those that are there first: a drop moves others about, an accept adds some. */
    for (size_t i = 0; i < known; i++)
        serve(w, conns[i], fds[1 + HOSTILE_NODES_MAX + i].revents);
    for (int i = 0; i < w->ports->nodes; i++)
        if (fds[1 + i].revents)
            take_connection(w, i);
}

_Noreturn void hostile_world_run(const hostile_case *row, const hostile_ports *ports,
                                 hostile_result *result)
{
    /* Nobody else would end it, were the parent to die. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    hostile_world *w = must(calloc(1, sizeof *w));
    w->row = row;
    w->ports = ports;
    w->result = result;
    w->now_ms = w->begun_ms = hostile_now_ms();
    for (;;)
        turn(w);
}

/* ---- Ports ---- */

static int bound(int type, uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) ||
        getsockname(fd, (struct sockaddr *)&at, &len))
        return -1;
    *port = ntohs(at.sin_port);
    return fd;
}

bool hostile_ports_open(const hostile_case *row, hostile_ports *ports)
{
    *ports = (hostile_ports){.nodes = row->nodes ? row->nodes : 1, .names_fd = -1};
    for (int i = 0; i < ports->nodes; i++) {
        int fd = ports->listeners[i] = bound(SOCK_STREAM, &ports->ports[i]);
        /* Accepted sockets inherit it: a client with much to say does not get rid of it at once. */
        if (fd >= 0 && row->early)
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){SMALL_RECEIVES}, sizeof(int));
        if (fd < 0 || listen(fd, row->backlog_ms ? 0 : 128))
            return false;
    }
    if (row->names)
        ports->names_fd = bound(SOCK_DGRAM, &ports->names_port);
    if (row->backlog_ms)
        fill_backlog(ports);
    return !row->names || ports->names_fd >= 0;
}

void hostile_ports_close(hostile_ports *ports)
{
    for (int i = 0; i < ports->nodes; i++)
        close(ports->listeners[i]);
    for (int i = 0; i < HOSTILE_FILLERS && ports->filled; i++)
        close(ports->fillers[i]);
    if (ports->names_fd >= 0)
        close(ports->names_fd);
}
