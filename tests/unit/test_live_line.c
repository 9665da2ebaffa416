/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live line on a terminal of the test's own: what is written to it, and that it is gone at the
 * end. The loop runs until the line was drawn so often; no time is waited for.
 */
#define _GNU_SOURCE
#include "cli/live_line.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#define END "\033[J\033[?7h\r"

static uv_loop_t loop;
static uv_idle_t busy; /* keeps the loop turning, as a producer does */
static kl_live_line live;
static unsigned asked, asked_end;
static int master, saved_stderr;
static char seen[65536];

static void on_figures(void *me, kl_live_figures *figures)
{
    assert_ptr_equal(me, &asked);
    figures->delivered = asked * 100;
    if (++asked == asked_end)
        uv_stop(&loop);
}

static void on_busy(uv_idle_t *idle)
{
    (void)idle;
}

/* Stderr becomes the given descriptor. */
static void redirect(int fd)
{
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
}

static void restore(void)
{
    fflush(stderr);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
}

static void open_terminal(void)
{
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int fd = open(ptsname(master), O_RDWR | O_NOCTTY);
    struct winsize size = {.ws_row = 24, .ws_col = 100};
    assert_true(fd >= 0 && ioctl(fd, TIOCSWINSZ, &size) == 0);
    redirect(fd);
}

static void open_pipe(void)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    master = fds[0];
    redirect(fds[1]);
}

/* All that has come since the last call. */
static const char *read_seen(void)
{
    ssize_t n = read(master, seen, sizeof seen - 1);
    seen[n > 0 ? n : 0] = '\0';
    return seen;
}

static void start(kl_progress progress, bool quiet, uint64_t plain_ms)
{
    const kl_live_how how = {
        .command = "test", .progress = progress, .quiet = quiet, .plain_ms = plain_ms};
    asked = 0;
    uv_loop_init(&loop);
    uv_idle_init(&loop, &busy);
    uv_idle_start(&busy, on_busy);
    kl_live_line_start(&live, &loop, &how, on_figures, &asked);
}

static void run_until(unsigned times)
{
    asked_end = times;
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void end(void)
{
    kl_live_line_close(&live);
    kl_live_line_close(&live);
    uv_close((uv_handle_t *)&busy, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    restore();
}

static int environment(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C", 1);
    unsetenv("NO_COLOR");
    return 0;
}

/* The terminal is not the one that controls this process, so the line believes to be in the
 * background, and leaves it to others. With "always" into a pipe it does not ask. */
static void in_the_background(void **state)
{
    (void)state;
    open_terminal();
    start(KL_PROGRESS_AUTO, false, 0);
    assert_int_equal(live.mode, KL_LIVE_DRAWN);
    run_until(3);
    assert_string_equal(read_seen(), "");
    end();
    assert_string_equal(read_seen(), "");
    close(master);
}

static void drawn_and_taken_back(void **state)
{
    (void)state;
    open_pipe();
    start(KL_PROGRESS_ALWAYS, false, 0);
    run_until(3);
    const char *line = strrchr(read_seen(), 's');
    assert_int_equal(seen[0], '\r');
    assert_non_null(strstr(seen, " rec/s\033[0m"));
    assert_non_null(line);
    assert_string_equal(seen + strlen(seen) - strlen(END), END);
    kl_live_line_hide(&live);
    assert_string_equal(read_seen(), "\r" END);
    kl_live_line_hide(&live);
    assert_string_equal(read_seen(), "");
    run_until(5);
    assert_non_null(strstr(read_seen(), " rec/s"));
    end();
    assert_string_equal(read_seen(), "\r" END);
    close(master);
}

/* One that knows no escapes is given blanks. */
static void a_dumb_terminal(void **state)
{
    (void)state;
    setenv("TERM", "dumb", 1);
    open_pipe();
    start(KL_PROGRESS_ALWAYS, false, 0);
    run_until(3);
    read_seen();
    assert_null(strchr(seen, '\033'));
    unsigned columns = live.columns;
    assert_true(columns > 20);
    end();
    read_seen();
    assert_int_equal(strlen(seen), columns + 2);
    assert_int_equal(strspn(seen + 1, " "), columns);
    close(master);
}

/* The width is asked for again when the terminal says that it has another one. */
static void resized(void **state)
{
    (void)state;
    open_pipe();
    setenv("COLUMNS", "100", 1);
    start(KL_PROGRESS_ALWAYS, false, 0);
    run_until(3);
    read_seen();
    unsigned before = live.columns;
    setenv("COLUMNS", "16", 1);
    raise(SIGWINCH);
    run_until(5);
    assert_true(live.columns < before && live.columns <= 15);
    unsetenv("COLUMNS");
    end();
    close(master);
}

static void plain_lines_elsewhere(void **state)
{
    (void)state;
    open_pipe();
    start(KL_PROGRESS_AUTO, false, 1);
    run_until(4);
    read_seen();
    assert_non_null(strstr(seen, "kloop test: 100 delivered, "));
    assert_non_null(strstr(seen, " not delivered\n"));
    assert_null(strpbrk(seen, "\r\033"));
    end();
    assert_string_equal(read_seen(), "");
    close(master);
}

static void nothing_at_all(void **state)
{
    (void)state;
    static const struct {
        kl_progress progress;
        bool quiet;
        uint64_t plain_ms;
    } cases[] = {
        {KL_PROGRESS_ALWAYS, true, 1}, {KL_PROGRESS_NEVER, false, 1}, {KL_PROGRESS_AUTO, false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_pipe();
        start(cases[i].progress, cases[i].quiet, cases[i].plain_ms);
        assert_int_equal(live.mode, KL_LIVE_OFF);
        end();
        assert_string_equal(read_seen(), "");
        assert_int_equal(asked, 0);
        close(master);
    }
    kl_live_line never = {.mode = KL_LIVE_OFF};
    kl_live_line_hide(&never);
    kl_live_line_close(&never);
}

/* A reader that stands still holds nobody up: what does not go out is left out. */
static void nobody_reads(void **state)
{
    (void)state;
    open_pipe();
    fcntl(master, F_SETPIPE_SZ, 4096);
    start(KL_PROGRESS_ALWAYS, false, 0);
    static char filler[4096];
    memset(filler, 'x', sizeof filler);
    int flags = fcntl(STDERR_FILENO, F_GETFL);
    fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
    while (write(STDERR_FILENO, filler, sizeof filler) > 0)
        ;
    fcntl(STDERR_FILENO, F_SETFL, flags);
    run_until(4);
    assert_false(live.shown);
    end();
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(in_the_background, environment),
        cmocka_unit_test_setup(drawn_and_taken_back, environment),
        cmocka_unit_test_setup(a_dumb_terminal, environment),
        cmocka_unit_test_setup(resized, environment),
        cmocka_unit_test_setup(plain_lines_elsewhere, environment),
        cmocka_unit_test_setup(nothing_at_all, environment),
        cmocka_unit_test_setup(nobody_reads, environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
