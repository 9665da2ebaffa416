/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and their addresses: which one is tried when, and who is asked meanwhile. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;

/* Addresses of b1, told apart by their second byte. */
static kloop_address at(uint8_t which)
{
    return (kloop_address){.bytes = {10, which, 0, 1}, .family = 4};
}

static void resolved(const uint8_t *which, size_t count)
{
    kloop_address list[80];
    assert_true(h.resolving_count > 0);
    for (size_t i = 0; i < count; i++)
        list[i] = at(which[i]);
    kloop_engine_on_resolved(h.e, h.resolving[--h.resolving_count], list, count,
                             count ? NULL : "no such name", h.now);
    host_run(&h);
}

#define RESOLVED(...)                                                                              \
    resolved((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* The newest connection, which is being made to this address. */
static host_conn *expect_attempt(uint8_t which)
{
    host_conn *c = &h.conns[h.conn_count - 1];
    assert_int_equal(c->state, HOST_CONNECTING);
    assert_int_equal(c->address.bytes[1], which);
    return c;
}

static void refuse(host_conn *c)
{
    kloop_engine_on_disconnected(h.e, c->id, "refused", h.now);
    host_run(&h);
}

static void accept_conn(host_conn *c)
{
    c->state = HOST_UP;
    kloop_engine_on_connected(h.e, c->id, h.now);
    host_run(&h);
}

static host_topic *begin(const char *servers)
{
    host_new(&h, "linger.ms", "0", "bootstrap.servers", servers, NULL);
    h.broker_count = 1;
    h.manual_resolve = h.manual_connect = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    return t;
}

static void next_one_at_once_when_one_refuses(void **state)
{
    (void)state;
    begin("b1:9091");
    RESOLVED(1, 2, 3);
    uint64_t began = h.now.mono_ns;
    refuse(expect_attempt(1));
    refuse(expect_attempt(2));
    accept_conn(expect_attempt(3));
    assert_true(h.now.mono_ns == began);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_expect_line(&h, "LOG info: b1:9091: refused; trying its next address");
    host_expect_no_line(&h, "LOG warn");
    host_end(&h);
}

static void next_one_when_one_is_silent(void **state)
{
    (void)state;
    begin("b1:9091");
    RESOLVED(1, 2);
    expect_attempt(1);
    host_sleep(&h, 9999);
    expect_attempt(1);
    host_sleep(&h, 2);
    accept_conn(expect_attempt(2));
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* A round over all of them is one failure; then the name is asked anew, and the one that was tried
 * last comes last. */
static void all_refuse(void **state)
{
    (void)state;
    begin("b1:9091");
    RESOLVED(1, 2);
    refuse(expect_attempt(1));
    refuse(expect_attempt(2));
    assert_int_equal(h.resolving_count, 0);
    host_expect_line(&h, "LOG warn: b1:9091: refused\n");
    host_sleep(&h, 39);
    assert_int_equal(h.resolving_count, 0);
    host_sleep(&h, 22);
    RESOLVED(2, 1);
    refuse(expect_attempt(1));
    accept_conn(expect_attempt(2));
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

static void other_addresses_after_a_loss(void **state)
{
    (void)state;
    host_topic *t = begin("b1:9091");
    RESOLVED(1, 2);
    accept_conn(expect_attempt(1));
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 2000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_lose_connection(&h, 1, "reset");
    host_sleep(&h, 200);
    /* The same order again: what was lost is not the first one now. */
    RESOLVED(1, 2);
    accept_conn(expect_attempt(2));
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* Nothing was wrong with the address: it is the first one again. */
static void same_address_after_a_rest(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "connections.max.idle.ms", "5000", NULL);
    h.broker_count = 1;
    h.manual_resolve = h.manual_connect = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    RESOLVED(1, 2);
    accept_conn(expect_attempt(1));
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 6000);
    assert_null(host_find(&h, 1));
    host_send(&h, t, 0, 1);
    host_run(&h);
    RESOLVED(1, 2);
    accept_conn(expect_attempt(1));
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

static void sixty_addresses(void **state)
{
    (void)state;
    uint8_t all[80];
    begin("b1:9091");
    for (uint8_t i = 0; i < 80; i++)
        all[i] = i;
    resolved(all, 80);
    for (uint8_t i = 0; i < 63; i++)
        refuse(expect_attempt(i));
    accept_conn(expect_attempt(63));
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* The resolver hangs for one of two: the other one is asked after a second, and the first one is
 * given up with a word for it. */
static void resolver_that_hangs(void **state)
{
    (void)state;
    begin("b1:9091,b2:9092");
    assert_int_equal(h.resolving_count, 1);
    bool first = host_count_lines(&h, "RESOLVE b1") == 1;
    const char *other = first ? "RESOLVE b2:9092" : "RESOLVE b1:9091";
    host_sleep(&h, 999);
    assert_int_equal(h.resolving_count, 1);
    host_sleep(&h, 2);
    assert_int_equal(h.resolving_count, 2);
    host_expect_line(&h, other);
    kloop_address address = {.bytes = {10, 0, 0, first ? 2 : 1}, .family = 4};
    kloop_engine_on_resolved(h.e, h.resolving[1], &address, 1, NULL, h.now);
    h.resolving_count = 1;
    h.manual_connect = false;
    host_run(&h);
    host_sleep(&h, 9000);
    host_expect_line(&h, "the name was not resolved in time (socket.connection.setup.timeout.ms)");
    host_expect_line(&h, "CANCEL");
    host_end(&h);
}

/* The same for one that does not answer the connect. */
static void server_that_hangs(void **state)
{
    (void)state;
    begin("b1:9091,b2:9092");
    h.manual_resolve = false;
    bool first = host_count_lines(&h, "RESOLVE b1") == 1;
    kloop_address address = {.bytes = {10, 0, 0, first ? 1 : 2}, .family = 4};
    kloop_engine_on_resolved(h.e, h.resolving[--h.resolving_count], &address, 1, NULL, h.now);
    host_run(&h);
    assert_int_equal(h.conn_count, 1);
    host_sleep(&h, 1001);
    assert_int_equal(h.conn_count, 2);
    assert_int_not_equal(h.conns[0].node, h.conns[1].node);
    host_end(&h);
}

/* It has moved: what kept us from the old place does not keep us from the new one. */
static void fresh_start_elsewhere(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.broker_count = 2;
    host_topic *t = host_add_topic(&h, "t", 2);
    host_send(&h, t, 0, 1);
    host_send(&h, t, 1, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 2, 0);
    h.manual_connect = true;
    host_lose_connection(&h, 2, "reset");
    host_send(&h, t, 1, 1);
    int refused = h.conn_count;
    for (int ms = 0; ms < 10000; ms++) {
        host_sleep(&h, 1);
        for (; refused < h.conn_count; refused++)
            kloop_engine_on_disconnected(h.e, h.conns[refused].id, "refused", h.now);
    }
    h.moved[2] = 5;
    host_forget_lines(&h);
    for (int ms = 0; ms < 1400; ms++) {
        host_sleep(&h, 1);
        for (; refused < h.conn_count; refused++)
            kloop_engine_on_disconnected(h.e, h.conns[refused].id, "refused", h.now);
    }
    /* 50, 100, 200 ms and so on, not a second from the beginning. */
    assert_true(host_count_lines(&h, "CONNECT b5") >= 3);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_one_at_once_when_one_refuses),
        cmocka_unit_test(next_one_when_one_is_silent),
        cmocka_unit_test(all_refuse),
        cmocka_unit_test(other_addresses_after_a_loss),
        cmocka_unit_test(same_address_after_a_rest),
        cmocka_unit_test(sixty_addresses),
        cmocka_unit_test(resolver_that_hangs),
        cmocka_unit_test(server_that_hangs),
        cmocka_unit_test(fresh_start_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
