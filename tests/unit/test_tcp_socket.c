/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls of a connection, without a loop: errors are answers, never a signal. */
#define _GNU_SOURCE
#include "driver/ip_address.h"
#include "driver/tcp_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const kl_tcp_options plain = {-1, -1, 0, true, 0};

static int listen_somewhere(kloop_address *at)
{
    struct sockaddr_storage own;
    assert_true(kl_ip_address_parse("127.0.0.1", at));
    socklen_t len = kl_ip_address_to_system(at, &own);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
    assert_true(kl_ip_address_from_system((struct sockaddr *)&own, at));
    return fd;
}

static void wait_for(int fd, short events)
{
    struct pollfd wait = {.fd = fd, .events = events};
    assert_int_equal(poll(&wait, 1, 10000), 1);
}

/* A pair of connected sockets: the driver's and the other side's. */
static int connect_pair(int *peer)
{
    kloop_address at;
    int fd, listener = listen_somewhere(&at);
    int answer = kl_tcp_connect(&at, &plain, &fd);
    assert_true(answer == 0 || answer == -EINPROGRESS);
    *peer = accept(listener, NULL, NULL);
    assert_true(*peer >= 0);
    wait_for(fd, POLLOUT);
    assert_int_equal(kl_tcp_take_error(fd), 0);
    assert_false(kl_tcp_is_own_peer(fd));
    close(listener);
    return fd;
}

static void test_exchange(void **state)
{
    (void)state;
    int peer, fd = connect_pair(&peer);
    uint8_t in[16];
    kloop_slice slices[] = {{(const uint8_t *)"hel", 3}, {(const uint8_t *)"lo", 2}};
    assert_int_equal(kl_tcp_write(fd, slices, 2), 5);
    assert_int_equal(recv(peer, in, 5, MSG_WAITALL), 5);
    assert_memory_equal(in, "hello", 5);
    assert_int_equal(kl_tcp_read(fd, in, sizeof in), -EAGAIN);
    assert_int_equal(send(peer, "ok", 2, 0), 2);
    wait_for(fd, POLLIN);
    assert_int_equal(kl_tcp_read(fd, in, sizeof in), 2);
    close(peer);
    wait_for(fd, POLLIN);
    assert_int_equal(kl_tcp_read(fd, in, sizeof in), 0);
    close(fd);
}

/* The program's SIGPIPE is as it was at the start: it would end us here. */
static void test_no_signal(void **state)
{
    (void)state;
    int peer, fd = connect_pair(&peer);
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    kloop_slice slice = {(const uint8_t *)"hello", 5};
    signal(SIGPIPE, SIG_DFL);
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(peer);
    wait_for(fd, POLLIN);
    assert_int_equal(kl_tcp_write(fd, &slice, 1), -ECONNRESET);
    assert_int_equal(kl_tcp_write(fd, &slice, 1), -EPIPE);
    close(fd);
}

static void test_full(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 20];
    int peer, fd = connect_pair(&peer);
    kloop_slice slices[4];
    for (int i = 0; i < 4; i++)
        slices[i] = (kloop_slice){bytes, sizeof bytes};
    ssize_t n = 1;
    for (int i = 0; i < 100 && n > 0; i++)
        n = kl_tcp_write(fd, slices, 4);
    assert_int_equal(n, -EAGAIN);
    close(fd);
    close(peer);
}

static void test_refused(void **state)
{
    (void)state;
    char text[64];
    kloop_address at;
    int fd, listener = listen_somewhere(&at);
    close(listener);
    int answer = kl_tcp_connect(&at, &plain, &fd);
    if (answer == -EINPROGRESS) {
        wait_for(fd, POLLOUT);
        answer = kl_tcp_take_error(fd);
        close(fd);
    }
    assert_int_equal(answer, -ECONNREFUSED);
    assert_string_equal(kl_tcp_why(answer, text, sizeof text), "Connection refused");
    assert_string_equal(kl_tcp_why(-99999, text, sizeof text), "unknown error");

    at.family = 0;
    assert_int_equal(kl_tcp_connect(&at, &plain, &fd), -EAFNOSUPPORT);
    assert_int_equal(fd, -1);
    /* A destination that no route leads to fails in the call. */
    at = (kloop_address){.bytes = {255, 255, 255, 255}, .port = 9, .family = 4};
    assert_true(kl_tcp_connect(&at, &plain, &fd) < 0);
    assert_int_equal(fd, -1);
    assert_int_equal(kl_tcp_take_error(-1), -EBADF);
    assert_false(kl_tcp_is_own_peer(-1));
}

/* A socket that is bound to the port it connects to is its own peer. */
static void test_own_peer(void **state)
{
    (void)state;
    kloop_address at;
    struct sockaddr_storage own;
    close(listen_somewhere(&at));
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    socklen_t len = kl_ip_address_to_system(&at, &own);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, len), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&own, len), 0);
    assert_true(kl_tcp_is_own_peer(fd));
    close(fd);
}

static int option_of(const kl_tcp_options *options, int level, int name)
{
    kloop_address at;
    int fd, listener = listen_somewhere(&at), value = -1;
    socklen_t len = sizeof value;
    int answer = kl_tcp_connect(&at, options, &fd);
    assert_true(answer == 0 || answer == -EINPROGRESS);
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    close(fd);
    close(listener);
    return value;
}

/* Probes go out well before a load balancer forgets the connection, and one that is lost on the way
 * does not end it: once a probe is out, Linux looks at TCP_USER_TIMEOUT and counts none. */
static void test_keep_alive(void **state)
{
    (void)state;
    kl_tcp_options options = {-1, -1, 30000, true, 60000};
    assert_int_equal(option_of(&options, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option_of(&options, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    assert_int_equal(option_of(&options, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    assert_int_equal(option_of(&options, IPPROTO_TCP, TCP_KEEPCNT), 3);
    assert_int_equal(option_of(&options, IPPROTO_TCP, TCP_USER_TIMEOUT), 90000);
    options.lost_after_ms = 200000;
    options.keep_idle_ms = 1;
    assert_int_equal(option_of(&options, IPPROTO_TCP, TCP_KEEPIDLE), 1);
    assert_int_equal(option_of(&options, IPPROTO_TCP, TCP_USER_TIMEOUT), 200000);
    /* Left to the system. */
    options.keep_idle_ms = 0;
    options.lost_after_ms = 30000;
    assert_true(option_of(&options, IPPROTO_TCP, TCP_KEEPIDLE) > 60);
    assert_int_equal(option_of(&options, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
    options.keep_alive = false;
    options.keep_idle_ms = 60000;
    assert_int_equal(option_of(&options, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_equal(option_of(&options, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchange), cmocka_unit_test(test_no_signal),
        cmocka_unit_test(test_full),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_own_peer), cmocka_unit_test(test_keep_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
