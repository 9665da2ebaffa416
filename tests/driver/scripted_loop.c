/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop, the server and the system calls of the driver's tests. */
#define _GNU_SOURCE
#include "tests/driver/scripted_loop.h"

#include "driver/uv_producer.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define GUARD_MS 20000

scripted_system scripted_sys;

/* ---- System calls ---- */

ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __real_recv(int fd, void *to, size_t room, int flags);
ssize_t __wrap_recv(int fd, void *to, size_t room, int flags);
int __real_uv_random(uv_loop_t *loop, uv_random_t *request, void *to, size_t len, unsigned flags,
                     uv_random_cb fn);
int __wrap_uv_random(uv_loop_t *loop, uv_random_t *request, void *to, size_t len, unsigned flags,
                     uv_random_cb fn);
uint64_t __real_uv_hrtime(void);
uint64_t __wrap_uv_hrtime(void);
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    scripted_sys.writes++;
    scripted_sys.flags_missing += (flags & MSG_NOSIGNAL) == 0;
    if (message->msg_iovlen > scripted_sys.slices_max)
        scripted_sys.slices_max = message->msg_iovlen;
    if (scripted_sys.write_errno_times) {
        scripted_sys.write_errno_times--;
        errno = scripted_sys.write_errno;
        return -1;
    }
    if (scripted_sys.write_swallows) {
        size_t bytes = 0;
        for (size_t i = 0; i < message->msg_iovlen; i++)
            bytes += message->msg_iov[i].iov_len;
        return (ssize_t)bytes;
    }
    if (scripted_sys.write_max == 0)
        return __real_sendmsg(fd, message, flags);
    struct iovec first = message->msg_iov[0];
    if (first.iov_len > scripted_sys.write_max)
        first.iov_len = scripted_sys.write_max;
    struct msghdr less = *message;
    less.msg_iov = &first;
    less.msg_iovlen = 1;
    return __real_sendmsg(fd, &less, flags);
}

ssize_t __wrap_recv(int fd, void *to, size_t room, int flags)
{
    scripted_sys.reads++;
    if (scripted_sys.read_errno_times) {
        scripted_sys.read_errno_times--;
        errno = scripted_sys.read_errno;
        return -1;
    }
    if (scripted_sys.read_max && room > scripted_sys.read_max)
        room = scripted_sys.read_max;
    ssize_t n = __real_recv(fd, to, room, flags);
    if (n > 0)
        scripted_sys.read_bytes += (size_t)n;
    return n;
}

int __wrap_uv_random(uv_loop_t *loop, uv_random_t *request, void *to, size_t len, unsigned flags,
                     uv_random_cb fn)
{
    if (scripted_sys.random_error)
        return scripted_sys.random_error;
    return __real_uv_random(loop, request, to, len, flags, fn);
}

uint64_t __wrap_uv_hrtime(void)
{
    scripted_sys.clock_reads++;
    return __real_uv_hrtime();
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    scripted_sys.clock_reads++;
    return __real_clock_gettime(clock, now);
}

/* ---- The loop ---- */

static int count_fds(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void on_guard(uv_timer_t *guard)
{
    *(bool *)guard->data = true;
}

static bool late;

void scripted_loop_open(scripted_loop *l)
{
    memset(l, 0, sizeof *l);
    memset(&scripted_sys, 0, sizeof scripted_sys);
    late = false;
    /* libuv's pipe for signals is the process's: the first loop makes it, none takes it away. */
    assert_int_equal(uv_loop_init(&l->loop), 0);
    assert_int_equal(uv_loop_close(&l->loop), 0);
    l->fds_before = count_fds();
    kl_fail_alloc_init(&l->memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&l->memory);
    assert_int_equal(uv_loop_init(&l->loop), 0);
    uv_timer_init(&l->loop, &l->guard);
    l->guard.data = &late;
    uv_timer_start(&l->guard, on_guard, GUARD_MS, 0);

    l->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof own;
    assert_int_equal(bind(l->listener, (struct sockaddr *)&own, len), 0);
    assert_int_equal(listen(l->listener, 8), 0);
    assert_int_equal(getsockname(l->listener, (struct sockaddr *)&own, &len), 0);
    l->port = ntohs(own.sin_port);
    l->name_server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    own.sin_port = 0;
    assert_int_equal(bind(l->name_server, (struct sockaddr *)&own, len), 0);
    assert_int_equal(getsockname(l->name_server, (struct sockaddr *)&own, &len), 0);
    snprintf(l->name_servers, sizeof l->name_servers, "127.0.0.1:%u",
             (unsigned)ntohs(own.sin_port));

    kloop_error error;
    kloop_config *config = kloop_config_new(NULL);
    assert_int_equal(kloop_open_with(&l->producer, &l->loop, config, &alloc, &error), KLOOP_OK);
    kloop_config_del(config);
    l->producer->resolver.servers = l->name_servers;
    l->engine = scripted_engine();
}

void scripted_loop_on_closed(kloop_producer *p, void *me)
{
    scripted_loop *l = me;
    assert_ptr_equal(p, l->producer);
    l->closed++;
    l->times_at_close = scripted_count(l->engine, SCRIPTED_TIME);
}

void scripted_loop_close(scripted_loop *l)
{
    if (l->closed == 0)
        kloop_close(l->producer, 0, scripted_loop_on_closed, l);
    SCRIPTED_RUN_UNTIL(l, l->closed);
    assert_int_equal(l->closed, 1);
    uv_close((uv_handle_t *)&l->guard, NULL);
    assert_int_equal(uv_run(&l->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&l->loop), 0);
    close(l->listener);
    close(l->name_server);
    assert_int_equal(count_fds(), l->fds_before);
    assert_null(scripted_engine());
    assert_int_equal(scripted_sys.flags_missing, 0);
    kl_fail_alloc_check(&l->memory);
}

void scripted_loop_turn(scripted_loop *l, const char *waiting_for)
{
    uv_run(&l->loop, UV_RUN_ONCE);
    if (late)
        fail_msg("waited %d s for: %s", GUARD_MS / 1000, waiting_for);
}

int scripted_loop_accept(scripted_loop *l)
{
    struct pollfd wait = {.fd = l->listener, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, GUARD_MS), 1);
    int peer = accept(l->listener, NULL, NULL);
    assert_true(peer >= 0);
    return peer;
}

void scripted_loop_reset(int peer)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(peer);
}
