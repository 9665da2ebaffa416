/* SPDX-License-Identifier: BSD-2-Clause */
/* Warnings and errors come out once in a row, not more of them than somebody reads, and above a
 * live line. */
#define _GNU_SOURCE
#include "cli/log_lines.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int ours, saved_stderr;
static char seen[65536];

static int begin(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    close(fds[1]);
    ours = fds[0];
    return 0;
}

static int end(void **state)
{
    (void)state;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(ours);
    return 0;
}

static const char *read_seen(void)
{
    fflush(stderr);
    ssize_t n = read(ours, seen, sizeof seen - 1);
    seen[n > 0 ? n : 0] = '\0';
    return seen;
}

static void what_is_told(void **state)
{
    (void)state;
    kl_log_lines l;
    kl_log_lines_init(&l, "test", false);
    kl_log_lines_add(&l, KLOOP_LOG_WARN, "one");
    kl_log_lines_add(&l, KLOOP_LOG_WARN, "one");
    kl_log_lines_add(&l, KLOOP_LOG_INFO, "of no interest");
    kl_log_lines_add(&l, KLOOP_LOG_ERROR, "two");
    kl_log_lines_add(&l, KLOOP_LOG_WARN, "one");
    kl_log_lines_end(&l);
    assert_string_equal(read_seen(), "kloop test: one\nkloop test: two\nkloop test: one\n"
                                     "kloop test: 1 more lines like these are not shown\n");
}

static void not_too_many(void **state)
{
    (void)state;
    kl_log_lines l;
    kl_log_lines_init(&l, "test", false);
    for (int i = 0; i < 1000; i++) {
        char text[1000];
        memset(text, 'x', sizeof text);
        snprintf(text, 12, "%d", i);
        kl_log_lines_add(&l, KLOOP_LOG_WARN, text);
    }
    assert_int_equal(l.shown, KL_LOG_LINES_MAX);
    kl_log_lines_end(&l);
    assert_non_null(strstr(read_seen(), "\nkloop test: 950 more lines like these are not shown\n"));
}

/* The budget was one for the whole run: a certificate that could not be read on the third day was
 * not told of. */
static void and_later_again(void **state)
{
    (void)state;
    kl_log_lines l;
    char text[16];
    kl_log_lines_init(&l, "test", false);
    for (int i = 0; i < KL_LOG_LINES_MAX + 5; i++) {
        snprintf(text, sizeof text, "%d", i);
        kl_log_lines_add(&l, KLOOP_LOG_WARN, text);
    }
    read_seen();
    l.since_ns -= KL_LOG_LINES_WINDOW_NS;
    kl_log_lines_add(&l, KLOOP_LOG_WARN, "on the third day");
    kl_log_lines_end(&l);
    assert_string_equal(read_seen(), "kloop test: 5 more lines like these are not shown\n"
                                     "kloop test: on the third day\n");
}

static void quiet(void **state)
{
    (void)state;
    kl_log_lines l;
    kl_log_lines_init(&l, "test", true);
    kl_log_lines_add(&l, KLOOP_LOG_ERROR, "one");
    kl_log_lines_end(&l);
    assert_string_equal(read_seen(), "");
}

static void no_figures(void *me, kl_live_figures *figures)
{
    (void)me;
    (void)figures;
}

static void above_the_live_line(void **state)
{
    (void)state;
    const kl_live_how how = {.command = "test", .progress = KL_PROGRESS_ALWAYS};
    kl_live_line live;
    kl_log_lines l;
    uv_loop_t loop;
    setenv("TERM", "xterm", 1);
    uv_loop_init(&loop);
    kl_live_line_start(&live, &loop, &how, no_figures, NULL);
    kl_log_lines_init(&l, "test", false);
    l.live = &live;
    kl_log_lines_add(&l, KLOOP_LOG_WARN, "nothing stood there");
    assert_string_equal(read_seen(), "kloop test: nothing stood there\n");
    /* As if it had been drawn. */
    live.shown = true;
    kl_log_lines_add(&l, KLOOP_LOG_WARN, "something did");
    assert_string_equal(read_seen(), "\r\033[J\033[?7h\rkloop test: something did\n");
    kl_live_line_close(&live);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_told, begin, end),
        cmocka_unit_test_setup_teardown(not_too_many, begin, end),
        cmocka_unit_test_setup_teardown(and_later_again, begin, end),
        cmocka_unit_test_setup_teardown(quiet, begin, end),
        cmocka_unit_test_setup_teardown(above_the_live_line, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
