/* SPDX-License-Identifier: BSD-2-Clause */
/* Thin covers over socket, connect, sendmsg and recv. */
#define _GNU_SOURCE /* SOCK_NONBLOCK, TCP_USER_TIMEOUT, strerrordesc_np */
#include "driver/tcp_socket.h"

#include "base/check.h"
#include "driver/ip_address.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A row of slices is handed to the kernel as it lies there. */
_Static_assert(sizeof(kloop_slice) == sizeof(struct iovec) &&
                   offsetof(kloop_slice, data) == offsetof(struct iovec, iov_base) &&
                   offsetof(kloop_slice, len) == offsetof(struct iovec, iov_len),
               "kloop_slice and iovec must be laid out alike");

/* Unanswered so often, that far apart. */
#define PROBES        3
#define PROBE_EVERY_S 10

static void set_number(int fd, int level, int option, int value)
{
    /* All of these make a connection better, none is worth losing it. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

static void set_options(int fd, const kl_tcp_options *options)
{
    /* We hand over whole requests; waiting for more to send is the engine's business. */
    set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_number(fd, SOL_SOCKET, SO_KEEPALIVE, options->keep_alive);
    unsigned lost_after_ms = options->lost_after_ms;
    if (options->keep_alive && options->keep_idle_ms > 0) {
        set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)((options->keep_idle_ms + 999) / 1000));
        set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_EVERY_S);
        set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
        unsigned least_ms = options->keep_idle_ms + PROBES * PROBE_EVERY_S * 1000;
        if (lost_after_ms > 0 && lost_after_ms < least_ms)
            lost_after_ms = least_ms;
    }
    if (options->send_buffer_bytes >= 0)
        set_number(fd, SOL_SOCKET, SO_SNDBUF, options->send_buffer_bytes);
    if (options->receive_buffer_bytes >= 0)
        set_number(fd, SOL_SOCKET, SO_RCVBUF, options->receive_buffer_bytes);
#ifdef TCP_USER_TIMEOUT
    if (lost_after_ms > 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &lost_after_ms, sizeof lost_after_ms);
#endif
}

int kl_tcp_connect(const kloop_address *to, const kl_tcp_options *options, int *fd)
{
    struct sockaddr_storage peer;
    socklen_t len = kl_ip_address_to_system(to, &peer);
    *fd = -1;
    if (len == 0)
        return -EAFNOSUPPORT;
    int made = socket(peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0)
        return -errno;
    set_options(made, options);
    int error = connect(made, (const struct sockaddr *)&peer, len) ? errno : 0;
    /* A signal does not stop a connect that has begun. */
    if (error == EINTR)
        error = EINPROGRESS;
    if (error && error != EINPROGRESS) {
        close(made);
        return -error;
    }
    *fd = made;
    return -error;
}

int kl_tcp_take_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
        return -errno;
    return -error;
}

bool kl_tcp_is_own_peer(int fd)
{
    struct sockaddr_storage a, b;
    socklen_t a_len = sizeof a, b_len = sizeof b;
    kloop_address own, peer;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    if (getsockname(fd, (struct sockaddr *)&a, &a_len) ||
        getpeername(fd, (struct sockaddr *)&b, &b_len))
        return false;
    return kl_ip_address_from_system((const struct sockaddr *)&a, &own) &&
           kl_ip_address_from_system((const struct sockaddr *)&b, &peer) && own.port == peer.port &&
           kl_ip_address_same_host(&own, &peer);
}

ssize_t kl_tcp_write(int fd, const kloop_slice *slices, size_t count)
{
    KL_ASSERT(count > 0 && count <= IOV_MAX);
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = (struct iovec *)(void *)(uintptr_t)slices;
    message.msg_iovlen = count;
    for (;;) {
        ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (n >= 0)
            return n;
        if (errno == EWOULDBLOCK)
            return -EAGAIN;
        if (errno != EINTR)
            return -errno;
    }
}

ssize_t kl_tcp_read(int fd, uint8_t *to, size_t room)
{
    for (;;) {
        ssize_t n = recv(fd, to, room, 0);
        if (n >= 0)
            return n;
        if (errno == EWOULDBLOCK)
            return -EAGAIN;
        if (errno != EINTR)
            return -errno;
    }
}

const char *kl_tcp_why(int error, char *text, size_t size)
{
    /* Not strerror: that one speaks the language of the host program's locale, and logs should be
     * found by their words. */
    const char *known = strerrordesc_np(-error);
    snprintf(text, size, "%s", known ? known : "unknown error");
    return text;
}
