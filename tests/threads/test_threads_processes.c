/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fork and exit with records queued. In a child the producer belongs to the parent: calls say so,
 * nothing reaches the brokers, nothing hangs. A program that ends with records in its producer says
 * so in one line.
 *
 * The children that end by exit() are this program again, with the name of their part as argument:
 * what cmocka and the sanitizers do at the end of a process is none of theirs.
 */
#define _GNU_SOURCE
#include "driver/uv_producer.h"
#include "tests/threads/loop_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *self;

/* ---- Fork ---- */

static void send_some(loop_world *w, int count)
{
    for (int i = 0; i < count; i++)
        MUST(!kloop_send(w->topic, &(kloop_record){.value = {(const uint8_t *)"hello", 5}}));
}

static void never(kloop_producer *p, void *me)
{
    (void)p;
    (void)me;
    loop_world_die(__FILE__, __LINE__, "never called in the child");
}

/* All that may be called answers that, and changes nothing. */
static void call_all(loop_world *w)
{
    kloop_error error;
    kloop_topic *topic;
    kloop_stats stats;
    char text[512];
    const kloop_record record = {0};
    MUST(kloop_send(w->topic, &record) == KLOOP_FORKED);
    MUST(kloop_send_from_any_thread(w->topic, &record) == KLOOP_FORKED);
    kloop_send_error(w->topic, &record, KLOOP_FORKED, text, sizeof text);
    MUST(strstr(text, "belongs to the process that this one was forked from"));
    MUST(kloop_topic_get(w->producer, "other", &topic, &error) == KLOOP_FORKED && !topic);
    MUST(strstr(error.text, "belongs to the process that this one was forked from"));
    MUST(kloop_flush(w->producer, never, NULL) == KLOOP_FORKED);
    MUST(kloop_warm_up(w->producer, NULL, 0, NULL, NULL) == KLOOP_FORKED);
    MUST(kloop_allow_threads(w->producer, 1000, &error) == KLOOP_FORKED);
    MUST(kloop_purge(w->producer, NULL, KLOOP_PURGE_QUEUED) == 0);
    kloop_chunk *chunk;
    MUST(kloop_chunk_begin(w->producer, NULL, &chunk) == KLOOP_FORKED && !chunk);
    kloop_keep_alive(w->producer, true);
    kloop_get_stats(w->producer, &stats);
}

/* The child's way. */
typedef enum way {
    LEAVES,      /* ends */
    CLOSES,      /* closes without a word to the loop, and ends */
    RUNS,        /* takes the loop over and runs it */
    RUNS_CLOSED, /* the same, after it has closed the producer there */
    WAYS,
} way;

static kloop_chunk *parents_chunk;

static void be_child(loop_world *w, way how)
{
    w->closed = 0;
    call_all(w);
    if (how == CLOSES)
        kloop_close(w->producer, 60000, loop_world_on_closed, w);
    if (how == RUNS || how == RUNS_CLOSED) {
        /* The cluster's handles are the parent's as well; they keep no loop. */
        MUST(uv_loop_fork(&w->loop) == 0);
        kl_loop_broker_stall(w->broker, true);
        if (how == RUNS_CLOSED)
            kloop_close(w->producer, 60000, loop_world_on_closed, w);
        /* Returns, though the producer is busy: in the parent. */
        uv_run(&w->loop, UV_RUN_DEFAULT);
        MUST(w->closed == (how == RUNS_CLOSED));
        if (how == RUNS) {
            call_all(w);
            /* Ended in the child, a chunk of the parent's once kept the loop turning for ever. */
            kloop_chunk_end(parents_chunk);
            uv_run(&w->loop, UV_RUN_DEFAULT);
        }
    }
    MUST(w->reported[KLOOP_OUTCOME_FAILED] + w->reported[KLOOP_OUTCOME_UNKNOWN] == 0);
    _exit(0);
}

static int wait_for(pid_t child)
{
    int status;
    MUST(waitpid(child, &status, 0) == child);
    return status;
}

/* While records are in flight: the broker has bytes, and has not answered yet. */
static void test_fork(void **state)
{
    (void)state;
    for (way how = LEAVES; how < WAYS; how++) {
        loop_world w;
        loop_world_open(&w, NULL);
        MUST(!kloop_allow_threads(w.producer, 1 << 20, NULL));
        send_some(&w, 10);
        LOOP_WORLD_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 10);
        kl_loop_broker_stall(w.broker, true);
        send_some(&w, 1000);
        kloop_flush(w.producer, NULL, NULL);
        kloop_stats stats;
        do {
            loop_world_turn(&w, "bytes on their way");
            kloop_get_stats(w.producer, &stats);
        } while (stats.requests < 4);
        send_some(&w, 1000);
        MUST(!kloop_chunk_begin(w.producer, NULL, &parents_chunk));
        pid_t child = fork();
        if (child == 0)
            be_child(&w, how);
        assert_int_equal(wait_for(child), 0);
        kloop_chunk_drop(parents_chunk);
        kl_loop_broker_stall(w.broker, false);
        LOOP_WORLD_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 2010);
        /* Nobody has touched the connection. */
        assert_int_equal(kl_loop_broker_accepted(w.broker), 1);
        kloop_get_stats(w.producer, &stats);
        assert_int_equal(stats.disconnects + stats.retries, 0);
        loop_world_close(&w, 10000);
    }
}

/* A child that lives on does not keep the parent's connections open. */
static void test_a_child_holds_no_connection(void **state)
{
    (void)state;
    loop_world w;
    int ends[2];
    char byte;
    loop_world_open(&w, NULL);
    send_some(&w, 10);
    LOOP_WORLD_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 10);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
    }
    kloop_close(w.producer, 10000, loop_world_on_closed, &w);
    /* The broker keeps no loop. */
    uv_ref((uv_handle_t *)&w.guard);
    LOOP_WORLD_UNTIL(&w, w.closed && kl_loop_broker_connections(w.broker) == 0);
    uv_unref((uv_handle_t *)&w.guard);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(wait_for(child), 0);
    loop_world_close(&w, 0);
}

static void fork_in_report(kloop_producer *p, const kloop_report *run, void *me)
{
    loop_world *w = me;
    (void)p;
    if (!w->flushed++) {
        pid_t child = fork();
        if (child == 0) {
            /* From here back into the driver, which must do nothing more. */
            w->on_closing = never;
            kloop_on_delivery(w->producer, NULL, NULL);
            kloop_on_writable(w->producer, never, w);
            w->closed = -1;
            return;
        }
        MUST(wait_for(child) == 0);
    }
    w->reported[run->outcome] += run->record_count;
}

static void test_fork_in_a_callback(void **state)
{
    (void)state;
    loop_world w;
    loop_world_open(&w, (const char *const[]){"batch.size", "100", NULL});
    kloop_on_delivery(w.producer, fork_in_report, &w);
    send_some(&w, 1000);
    while (w.reported[KLOOP_OUTCOME_ACKED] < 1000) {
        loop_world_turn(&w, "all to be acked");
        if (w.closed == -1) {
            call_all(&w);
            _exit(0);
        }
    }
    assert_int_equal(kl_loop_broker_accepted(w.broker), 1);
    loop_world_close(&w, 10000);
}

static void on_gone(kloop_producer *p, void *me)
{
    (void)p;
    *(bool *)me = true;
}

static _Atomic bool churns;

/* Opens and closes connections as fast as it can: nobody listens on port 9. */
static void churn(void *me)
{
    (void)me;
    uv_loop_t loop;
    MUST(uv_loop_init(&loop) == 0);
    while (churns) {
        kloop_producer *p;
        kloop_config *config = kloop_config_new(NULL);
        kloop_config_set(config, "bootstrap.servers", "127.0.0.1:9,[::1]:9");
        kloop_config_set(config, "reconnect.backoff.ms", "1");
        MUST(!kloop_open(&p, &loop, config, NULL));
        kloop_config_del(config);
        bool gone = false;
        for (int i = 0; i < 5; i++)
            uv_run(&loop, UV_RUN_NOWAIT);
        kloop_close(p, 0, on_gone, &gone);
        while (!gone)
            uv_run(&loop, UV_RUN_ONCE);
    }
    MUST(uv_loop_close(&loop) == 0);
}

static int streams(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++) {
        int domain = 0, type = 0;
        socklen_t len = sizeof domain;
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
            getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0)
            count += domain != AF_UNIX && type == SOCK_STREAM;
    }
    return count;
}

/* One was in a child that was forked by another thread between its making and its entering, or
 * between its leaving and its closing: every second child, as things are here. */
static void test_no_moment_to_inherit_a_connection(void **state)
{
    (void)state;
    uv_thread_t thread;
    churns = true;
    assert_int_equal(uv_thread_create(&thread, churn, NULL), 0);
    for (int i = 0; i < 200; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(streams());
        assert_int_equal(wait_for(child), 0);
    }
    churns = false;
    uv_thread_join(&thread);
}

/* ---- Exit ---- */

static void on_nothing(uv_timer_t *timer)
{
    (void)timer;
}

static void on_released(kloop_producer *p, void *me)
{
    (void)p;
    (void)me;
}

static uv_sem_t turned;

static void on_prepare(uv_prepare_t *prepare)
{
    /* What was sent before the loop began has seen a turn by now. */
    if (++*(int *)prepare->data == 3)
        uv_sem_post(&turned);
}

/* The loop of another thread, which goes on while the program ends. */
static void run_elsewhere(void *me)
{
    (void)me;
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_timer_t timer;
    kloop_producer *p;
    kloop_topic *topic;
    int turns = 0;
    kloop_config *config = kloop_config_new(NULL);
    MUST(uv_loop_init(&loop) == 0);
    kloop_config_set(config, "bootstrap.servers", "127.0.0.1:9");
    kloop_config_set(config, "client.id", "shipper");
    MUST(!kloop_open(&p, &loop, config, NULL));
    kloop_config_del(config);
    MUST(!kloop_topic_get(p, "events", &topic, NULL));
    for (int i = 0; i < 1234; i++)
        MUST(!kloop_send(topic, &(kloop_record){.value = {(const uint8_t *)"hello", 5}}));
    uv_prepare_init(&loop, &prepare);
    prepare.data = &turns;
    uv_prepare_start(&prepare, on_prepare);
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_nothing, 1, 1);
    uv_run(&loop, UV_RUN_DEFAULT);
}

/* The part of a program that ends in this way, in a process of its own. */
static int play(const char *part)
{
    if (strcmp(part, "elsewhere") == 0) {
        uv_thread_t thread;
        MUST(uv_sem_init(&turned, 0) == 0);
        MUST(uv_thread_create(&thread, run_elsewhere, NULL) == 0);
        uv_sem_wait(&turned);
        exit(0);
    }
    uv_loop_t loop;
    kloop_producer *p;
    kloop_topic *topic;
    kloop_config *config = kloop_config_new(NULL);
    MUST(uv_loop_init(&loop) == 0);
    /* Nobody listens on port 9. */
    kloop_config_set(config, "bootstrap.servers", "127.0.0.1:9");
    kloop_config_set(config, "client.id", "shipper");
    if (strcmp(part, "silent") == 0)
        kloop_config_set(config, "warn.at.exit", "false");
    MUST(!kloop_open(&p, &loop, config, NULL));
    kloop_config_del(config);
    MUST(!kloop_topic_get(p, "events", &topic, NULL));
    if (strcmp(part, "empty") == 0)
        exit(0);
    for (int i = 0; i < 1234; i++)
        MUST(!kloop_send(topic, &(kloop_record){.value = {(const uint8_t *)"hello", 5}}));
    if (strcmp(part, "inlet") == 0) {
        MUST(!kloop_allow_threads(p, 1 << 20, NULL));
        for (int i = 0; i < 1000; i++)
            MUST(!kloop_send_from_any_thread(topic, &(kloop_record){0}));
    } else if (strcmp(part, "trouble") == 0) {
        /* Until it is known that nobody is there. */
        for (kloop_stats stats = {0}; stats.connects < 2;) {
            uv_run(&loop, UV_RUN_ONCE);
            kloop_get_stats(p, &stats);
        }
    } else if (strcmp(part, "closed") == 0) {
        kloop_close(p, 0, on_released, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        MUST(uv_loop_close(&loop) == 0);
    } else if (strcmp(part, "purged") == 0) {
        kloop_purge(p, NULL, KLOOP_PURGE_QUEUED);
        for (int i = 0; i < 10; i++)
            uv_run(&loop, UV_RUN_NOWAIT);
    } else if (strcmp(part, "child") == 0) {
        pid_t child = fork();
        if (child)
            _exit(wait_for(child) == 0 ? 0 : 1);
    } else if (strcmp(part, "loopless") == 0) {
        /* Its memory was on a stack, or anywhere. */
        memset(&loop, 0x5a, sizeof loop);
    }
    exit(0);
}

/* What is said on stderr, in the caller's memory. */
static const char *heard(const char *part, char *text, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        /* What is left in the producer is left on purpose. */
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
        execl(self, self, part, (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n; len < size - 1 && (n = read(ends[0], text + len, size - 1 - len)) > 0;)
        len += (size_t)n;
    text[len] = '\0';
    close(ends[0]);
    assert_int_equal(wait_for(child), 0);
    return text;
}

static void test_exit(void **state)
{
    (void)state;
    char text[2048];
    static const char *const silent[] = {"empty", "silent", "closed", "purged", "child"};
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
        assert_string_equal(heard(silent[i], text, sizeof text), "");
    static const char line[] =
        "kloop: the program ends, and 1234 records of producer 'shipper' were neither reported nor "
        "given up. Before the end call kloop_close() and run the loop until its callback; "
        "warn.at.exit=false silences this.\n";
    assert_string_equal(heard("full", text, sizeof text), line);
    assert_string_equal(heard("loopless", text, sizeof text), line);
    assert_string_equal(heard("elsewhere", text, sizeof text), line);
    assert_non_null(strstr(heard("inlet", text, sizeof text), "and 2234 records of producer"));
    heard("trouble", text, sizeof text);
    assert_non_null(strstr(text, "The latest trouble, 0 s ago: "));
    assert_non_null(strstr(text, "127.0.0.1:9"));
    assert_non_null(strstr(text, "refused"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

int main(int argc, char **argv)
{
    self = "/proc/self/exe";
    if (argc > 1)
        return play(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_a_child_holds_no_connection),
        cmocka_unit_test(test_fork_in_a_callback),
        cmocka_unit_test(test_no_moment_to_inherit_a_connection),
        cmocka_unit_test(test_exit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
