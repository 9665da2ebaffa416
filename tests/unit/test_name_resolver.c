/* SPDX-License-Identifier: BSD-2-Clause */
/* Names: literals, localhost, /etc/hosts, and a DNS server of our own on the same loop. */
#define _GNU_SOURCE
#include "driver/clocks.h"
#include "driver/ip_address.h"
#include "driver/name_resolver.h"
#include "tests/support/fail_alloc.h"

#include <ctype.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ANSWERS_MAX 16

typedef struct answer {
    kloop_id id;
    size_t count;
    kloop_address addresses[4];
    char why[512];
} answer;

typedef struct world {
    uv_loop_t loop;
    uv_timer_t guard;
    kl_fail_alloc memory;
    kl_name_resolver resolver;
    answer answers[ANSWERS_MAX];
    size_t answer_count;
    size_t stirred;
    bool late;
    /* the server */
    int fd;
    uv_poll_t poll;
    char servers[32];
    size_t questions;
    bool mute;
} world;

static void on_answer(void *me, kloop_id id, const kloop_address *addresses, size_t count,
                      const char *why)
{
    world *w = me;
    assert_true(w->answer_count < ANSWERS_MAX);
    answer *a = &w->answers[w->answer_count++];
    a->id = id;
    a->count = count;
    for (size_t i = 0; i < count && i < 4; i++)
        a->addresses[i] = addresses[i];
    snprintf(a->why, sizeof a->why, "%s", why ? why : "");
    assert_int_equal(count == 0, why != NULL);
}

static void on_stirred(void *me)
{
    ((world *)me)->stirred++;
}

static void on_gone(void *me)
{
    (void)me;
}

/*
 * Answers one question: two.test has both kinds of addresses, four.test IPv4 only, long.test 28 of
 * them, all else does not exist.
 */
static void on_question(uv_poll_t *poll, int status, int events)
{
    world *w = poll->data;
    uint8_t packet[4096];
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    (void)status;
    (void)events;
    ssize_t n = recvfrom(w->fd, packet, 512, 0, (struct sockaddr *)&from, &from_len);
    assert_true(n > 12);
    w->questions++;
    if (w->mute)
        return;
    /* The name is a row of labels behind the header; its first one will do. */
    const char *label = (const char *)packet + 13;
    size_t label_len = packet[12], end = 12;
    while (packet[end])
        end += packet[end] + 1u;
    uint8_t type = packet[end + 2];
    end += 5;
    int count = 0;
    bool known = true;
    if (label_len == 3 && memcmp(label, "two", 3) == 0)
        count = 1;
    else if (label_len == 4 && memcmp(label, "four", 4) == 0)
        count = type == 1;
    else if (label_len == 4 && memcmp(label, "long", 4) == 0)
        count = type == 1 ? 28 : 0;
    else
        known = false;
    packet[2] = 0x81;
    packet[3] = known ? 0x80 : 0x83;
    memset(packet + 6, 0, 6);
    packet[7] = (uint8_t)count;
    for (int i = 0; i < count; i++) {
        const uint8_t head[] = {0xc0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, type == 1 ? 4 : 16};
        memcpy(packet + end, head, sizeof head);
        end += sizeof head;
        memset(packet + end, 0, 16);
        packet[end] = type == 1 ? 127 : 0;
        packet[end + (type == 1 ? 3u : 15u)] = (uint8_t)(i + 2);
        end += type == 1 ? 4 : 16;
    }
    assert_true(sendto(w->fd, packet, end, 0, (struct sockaddr *)&from, from_len) > 0);
}

static void on_guard(uv_timer_t *guard)
{
    ((world *)guard->data)->late = true;
}

static void open_world(world *w, size_t nth)
{
    memset(w, 0, sizeof *w);
    kl_fail_alloc_init(&w->memory, nth);
    kloop_allocator alloc = kl_fail_alloc_table(&w->memory);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    uv_timer_init(&w->loop, &w->guard);
    w->guard.data = w;
    uv_timer_start(&w->guard, on_guard, 20000, 0);

    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof own;
    w->fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(w->fd, (struct sockaddr *)&own, len), 0);
    assert_int_equal(getsockname(w->fd, (struct sockaddr *)&own, &len), 0);
    snprintf(w->servers, sizeof w->servers, "127.0.0.1:%u", (unsigned)ntohs(own.sin_port));
    assert_int_equal(uv_poll_init(&w->loop, &w->poll, w->fd), 0);
    w->poll.data = w;
    uv_poll_start(&w->poll, UV_READABLE, on_question);

    kl_name_resolver_init(&w->resolver, &w->loop, &alloc,
                          &(kl_name_resolver_host){on_answer, on_stirred, on_gone, w, NULL});
    w->resolver.servers = w->servers;
}

static void close_world(world *w)
{
    size_t answers = w->answer_count;
    kl_name_resolver_close(&w->resolver);
    assert_int_equal(w->answer_count, answers);
    uv_close((uv_handle_t *)&w->guard, NULL);
    uv_close((uv_handle_t *)&w->poll, NULL);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(w->resolver.handle_count, 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    close(w->fd);
    kl_fail_alloc_check(&w->memory);
}

static void run_until(world *w, size_t answers)
{
    while (w->answer_count < answers) {
        uv_run(&w->loop, UV_RUN_ONCE);
        kl_name_resolver_on_time(&w->resolver, kl_clocks_mono_ns());
        assert_false(w->late);
    }
}

static const kloop_id id = {4, 2};

static void expect_text(const kloop_address *address, const char *wanted)
{
    char text[KL_IP_ADDRESS_TEXT_MAX];
    kl_ip_address_print(address, text);
    assert_string_equal(text, wanted);
}

static void test_at_once(void **state)
{
    (void)state;
    const char *const literals[] = {"127.0.0.1", "::1", "10.1.2.3", "fe80::1%1"};
    world w;
    open_world(&w, 0);
    for (size_t i = 0; i < 4; i++) {
        kl_name_resolver_start(&w.resolver, id, literals[i]);
        assert_int_equal(w.answer_count, i + 1);
        assert_int_equal(w.answers[i].count, 1);
        expect_text(&w.answers[i].addresses[0], literals[i]);
    }
    const char *const here[] = {"localhost", "LocalHost", "localhost."};
    for (size_t i = 0; i < 3; i++) {
        kl_name_resolver_start(&w.resolver, id, here[i]);
        assert_int_equal(w.answers[4 + i].count, 2);
        expect_text(&w.answers[4 + i].addresses[0], "127.0.0.1");
        expect_text(&w.answers[4 + i].addresses[1], "::1");
    }
    /* Nobody was asked and nothing was made. */
    assert_int_equal(w.memory.calls, 0);
    assert_int_equal(w.questions, 0);
    close_world(&w);
}

/* A name of this machine's /etc/hosts that is not localhost. */
static bool name_in_hosts(char name[256])
{
    char line[1024];
    FILE *hosts = fopen("/etc/hosts", "r");
    bool found = false;
    while (hosts && !found && fgets(line, sizeof line, hosts)) {
        char address[256];
        found = isdigit((unsigned char)line[0]) &&
                sscanf(line, "%255s %255s", address, name) == 2 &&
                strncmp(name, "localhost", 9) != 0 && name[0] != '#';
    }
    if (hosts)
        fclose(hosts);
    return found;
}

static void test_hosts_file(void **state)
{
    (void)state;
    char name[256];
    world w;
    if (!name_in_hosts(name))
        skip();
    open_world(&w, 0);
    w.mute = true;
    kl_name_resolver_start(&w.resolver, id, name);
    run_until(&w, 1);
    assert_true(w.answers[0].count >= 1);
    close_world(&w);
}

static void test_dns(void **state)
{
    (void)state;
    world w;
    open_world(&w, 0);
    kl_name_resolver_start(&w.resolver, id, "two.test");
    kl_name_resolver_start(&w.resolver, (kloop_id){5, 1}, "four.test");
    assert_true(kl_name_resolver_deadline(&w.resolver) != KLOOP_NEVER);
    run_until(&w, 2);
    for (size_t i = 0; i < 2; i++) {
        const answer *a = &w.answers[i];
        if (a->id.slot == 5) {
            assert_int_equal(a->count, 1);
            expect_text(&a->addresses[0], "127.0.0.2");
        } else {
            assert_int_equal(a->id.gen, 2);
            assert_int_equal(a->count, 2);
            assert_int_not_equal(a->addresses[0].family, a->addresses[1].family);
        }
    }
    assert_true(w.stirred > 0);
    /* Nothing is kept while nobody asks. */
    assert_true(kl_name_resolver_deadline(&w.resolver) == KLOOP_NEVER);
    assert_null(w.resolver.channel);
    /* And it can be asked again. */
    kl_name_resolver_start(&w.resolver, id, "long.test");
    run_until(&w, 3);
    assert_int_equal(w.answers[2].count, 28);
    close_world(&w);
}

static void test_unknown_name(void **state)
{
    (void)state;
    world w;
    open_world(&w, 0);
    kl_name_resolver_start(&w.resolver, id, "none.test");
    run_until(&w, 1);
    assert_int_equal(w.answers[0].count, 0);
    assert_int_equal(strncmp(w.answers[0].why, "resolve none.test: ", 19), 0);
    assert_non_null(strstr(w.answers[0].why, "nsswitch.conf"));
    close_world(&w);
}

static void test_cancel(void **state)
{
    (void)state;
    world w;
    open_world(&w, 0);
    w.mute = true;
    kl_name_resolver_start(&w.resolver, id, "two.test");
    kl_name_resolver_start(&w.resolver, (kloop_id){5, 1}, "two.test");
    uv_run(&w.loop, UV_RUN_ONCE);
    kl_name_resolver_cancel(&w.resolver, (kloop_id){5, 2});
    assert_int_equal(w.answer_count, 0);
    kl_name_resolver_cancel(&w.resolver, id);
    assert_int_equal(w.answer_count, 1);
    assert_int_equal(w.answers[0].count, 0);
    kl_name_resolver_cancel(&w.resolver, id);
    assert_int_equal(w.answer_count, 1);
    /* The other one still waits; the last one takes the channel with it. */
    assert_non_null(w.resolver.channel);
    kl_name_resolver_cancel(&w.resolver, (kloop_id){5, 1});
    assert_int_equal(w.answer_count, 2);
    assert_null(w.resolver.channel);
    close_world(&w);
}

static void test_close_while_asked(void **state)
{
    (void)state;
    for (int turns = 0; turns < 4; turns++) {
        world w;
        open_world(&w, 0);
        w.mute = turns != 3;
        kl_name_resolver_start(&w.resolver, id, "two.test");
        for (int i = 0; i < turns; i++)
            uv_run(&w.loop, UV_RUN_NOWAIT);
        close_world(&w);
    }
}

/* An unwatched socket would be answered by the clock, which is long; here it is enough that nothing
 * is lost and nothing breaks. */
static void test_no_memory(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        world w;
        open_world(&w, nth);
        kl_name_resolver_start(&w.resolver, id, "four.test");
        if (nth == 1) {
            assert_int_equal(w.answer_count, 1);
            assert_non_null(strstr(w.answers[0].why, "resolve four.test: "));
        }
        size_t refused = w.memory.refused;
        if (!refused)
            run_until(&w, 1);
        close_world(&w);
        if (!refused)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once),   cmocka_unit_test(test_hosts_file),
        cmocka_unit_test(test_dns),       cmocka_unit_test(test_unknown_name),
        cmocka_unit_test(test_cancel),    cmocka_unit_test(test_close_while_asked),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
