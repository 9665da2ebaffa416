/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls of a TCP connection, and nothing of a loop: open and connect without blocking,
 * write slices, read bytes, ask what went wrong.
 *
 * The caller owns the descriptor and closes it. What fails is answered as the negative errno; a
 * signal in between is no failure. Writing to a socket that its peer has reset is an error like
 * any other, never a SIGPIPE: the signal would end the program that we are a guest in.
 */
#ifndef KL_DRIVER_TCP_SOCKET_H
#define KL_DRIVER_TCP_SOCKET_H

#include <kloop/engine.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Once a probe is unanswered, Linux ends an idle connection when nothing came for lost_after_ms,
 * and does not count probes any more: a limit shorter than the time to the first probe would let a
 * single one that is lost on the way end a good connection. So lost_after_ms is raised to what
 * keep_idle_ms and three probes take. Nobody waits longer for it: who expects an answer has a limit
 * of his own (request.timeout.ms), and closes the connection.
 */
typedef struct kl_tcp_options {
    int send_buffer_bytes;    /* -1: left to the system, which adapts it to the path */
    int receive_buffer_bytes; /* the same */
    unsigned lost_after_ms;   /* unacknowledged for so long: the connection is gone; 0: never */
    bool keep_alive;          /* the system probes it while nothing is said */
    unsigned keep_idle_ms;    /* the first probe comes after this; 0: left to the system */
} kl_tcp_options;

/*
 * A descriptor that is connected (0) or being connected (-EINPROGRESS). On any other answer *fd
 * is -1 and there is nothing to close.
 */
int kl_tcp_connect(const kloop_address *to, const kl_tcp_options *options, int *fd);

/* 0, or the error that waits on the socket, which is then taken off it. */
int kl_tcp_take_error(int fd);

/*
 * Is the socket connected to itself? The kernel does so when nobody listens on a port of this
 * machine and the port it picks for our end happens to be that one.
 */
bool kl_tcp_is_own_peer(int fd);

/* How many bytes were taken, at least 1; -EAGAIN: none now. At most IOV_MAX slices. */
ssize_t kl_tcp_write(int fd, const kloop_slice *slices, size_t count);

/* How many bytes came, 0: the peer has ended its side; -EAGAIN: none now. */
ssize_t kl_tcp_read(int fd, uint8_t *to, size_t room);

/* "Connection refused", for a negative errno. */
const char *kl_tcp_why(int error, char *text, size_t size);

#endif
