/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of pipes and files on a loop, at any pace of those who take them. */
#define _GNU_SOURCE
#include "cli/line_source.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct taking {
    uv_loop_t loop;
    kl_line_source source;
    uv_timer_t later;
    char text[4096]; /* every line taken, each with '|' behind it */
    uint64_t lines;
    uint64_t bytes;
    uint64_t refuse_each; /* every n-th call takes nothing; 0: never */
    uint64_t calls;
    uint64_t stop_after; /* 0: never */
    int ended;
    int error;
    int waits;
    int writer; /* of the pipe, or the next input */
} taking;

static void on_later(uv_timer_t *timer)
{
    taking *t = timer->data;
    kl_line_source_resume(&t->source);
}

static bool take(void *me, kloop_string line)
{
    taking *t = me;
    size_t used = strlen(t->text);
    if (t->refuse_each && ++t->calls % t->refuse_each == 0) {
        uv_timer_start(&t->later, on_later, 0, 0);
        return false;
    }
    if (used + line.len + 2 < sizeof t->text)
        snprintf(t->text + used, sizeof t->text - used, "%.*s|", (int)line.len, line.data);
    t->lines++;
    t->bytes += line.len;
    if (t->lines == t->stop_after)
        kl_line_source_stop(&t->source);
    return true;
}

static void on_end(void *me, int error)
{
    taking *t = me;
    t->ended++;
    t->error = error;
    uv_close((uv_handle_t *)&t->later, NULL);
}

static void begin(taking *t, int fd, const char *delimiter)
{
    uv_loop_init(&t->loop);
    uv_timer_init(&t->loop, &t->later);
    t->later.data = t;
    kl_line_source_init(&t->source, &t->loop, fd, (kloop_string){delimiter, strlen(delimiter)},
                        take, on_end, t);
}

static void finish(taking *t)
{
    uv_run(&t->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t->loop), 0);
    kl_line_source_deinit(&t->source);
    assert_int_equal(t->ended, 1);
}

static int file_of(const char *text, size_t len)
{
    int fd = memfd_create("lines", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static int pipe_of(const char *text, size_t len)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], text, len), len);
    close(ends[1]);
    return ends[0];
}

static const struct {
    const char *text, *delimiter, *lines;
} cases[] = {
    {"", "\n", ""},
    {"\n", "\n", "|"},
    {"a", "\n", "a|"},
    {"a\n", "\n", "a|"},
    {"a\nb", "\n", "a|b|"},
    {"a\n\nb\n\n", "\n", "a||b||"},
    {"a\r\nb", "\n", "a\r|b|"},
    {"a--b-c--", "--", "a|b-c|"},
    {"a---b", "--", "a|-b|"},
    {"a-", "--", "a-|"},
    {"--", "--", "|"},
};

static void each_text(uint64_t refuse_each)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int kind = 0; kind < 2; kind++) {
            taking t = {.refuse_each = refuse_each};
            size_t len = strlen(cases[i].text);
            int fd = kind ? pipe_of(cases[i].text, len) : file_of(cases[i].text, len);
            begin(&t, fd, cases[i].delimiter);
            finish(&t);
            close(fd);
            assert_int_equal(t.error, 0);
            assert_string_equal(t.text, cases[i].lines);
        }
    }
}

static void lines_of_files_and_pipes(void **state)
{
    (void)state;
    each_text(0);
}

static void a_line_that_is_not_taken_comes_again(void **state)
{
    (void)state;
    each_text(2);
}

static void a_writer_that_takes_its_time(void **state)
{
    (void)state;
    taking t = {0};
    int ends[2];
    static const char text[] = "one\ntw--o\n\nthree";
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    begin(&t, ends[0], "\n");
    /* Byte by byte, so that the loop sees every beginning of a line. */
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_int_equal(write(ends[1], text + i, 1), 1);
        uv_run(&t.loop, UV_RUN_NOWAIT);
        uv_run(&t.loop, UV_RUN_NOWAIT);
    }
    assert_string_equal(t.text, "one|tw--o||");
    close(ends[1]);
    finish(&t);
    assert_string_equal(t.text, "one|tw--o||three|");
    close(ends[0]);
}

static void many_lines(void **state)
{
    (void)state;
    enum { LINES = 300000 };
    int fd = memfd_create("lines", MFD_CLOEXEC);
    char block[4096];
    uint64_t bytes = 0;
    size_t used = 0;
    for (int i = 0; i < LINES; i++) {
        int n = snprintf(block + used, sizeof block - used, "line %d\n", i);
        used += (size_t)n;
        bytes += (uint64_t)n - 1;
        if (used > sizeof block - 32 || i == LINES - 1) {
            assert_int_equal(write(fd, block, used), used);
            used = 0;
        }
    }
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    taking t = {.refuse_each = 1000};
    begin(&t, fd, "\n");
    finish(&t);
    close(fd);
    assert_int_equal(t.lines, LINES);
    assert_int_equal(t.bytes, bytes);
}

static void a_line_longer_than_any_piece(void **state)
{
    (void)state;
    enum { LEN = 3000000 };
    static char text[LEN + 3];
    memset(text, 'x', LEN);
    memcpy(text + LEN, "\ny", 2);
    taking t = {0};
    int fd = file_of(text, LEN + 2);
    begin(&t, fd, "\n");
    finish(&t);
    close(fd);
    assert_int_equal(t.lines, 2);
    assert_int_equal(t.bytes, LEN + 1);
}

static void stopped_from_inside(void **state)
{
    (void)state;
    taking t = {.stop_after = 2};
    int fd = pipe_of("a\nb\nc\n", 6);
    begin(&t, fd, "\n");
    finish(&t);
    close(fd);
    assert_string_equal(t.text, "a|b|");
    assert_int_equal(t.error, 0);
}

static void stopped_while_nothing_comes(void **state)
{
    (void)state;
    taking t = {0};
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    begin(&t, ends[0], "\n");
    uv_run(&t.loop, UV_RUN_NOWAIT);
    assert_int_equal(t.ended, 0);
    kl_line_source_stop(&t.source);
    kl_line_source_stop(&t.source);
    finish(&t);
    close(ends[0]);
    close(ends[1]);
}

static void paused_from_outside(void **state)
{
    (void)state;
    taking t = {0};
    int fd = file_of("a\nb\n", 4);
    begin(&t, fd, "\n");
    kl_line_source_pause(&t.source);
    uv_run(&t.loop, UV_RUN_NOWAIT);
    assert_string_equal(t.text, "");
    kl_line_source_resume(&t.source);
    finish(&t);
    close(fd);
    assert_string_equal(t.text, "a|b|");
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    taking t = {0}, closed = {0};
    int fd = open("/", O_RDONLY | O_CLOEXEC);
    begin(&t, fd, "\n");
    finish(&t);
    assert_int_equal(t.error, EISDIR);
    close(fd);
    /* A number that the loop does not take for itself. */
    begin(&closed, 900, "\n");
    finish(&closed);
    assert_int_equal(closed.error, EBADF);
}

/* A descriptor that other processes have too stays as it was: libuv makes what
 * it polls non-blocking, and a shell that shared the terminal could not read it
 * any more. */
static void the_descriptor_stays_blocking(void **state)
{
    (void)state;
    taking t = {0};
    int fd = pipe_of("a\n", 2);
    begin(&t, fd, "\n");
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    finish(&t);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    close(fd);
}

/* Without a delimiter all of the input is one line, and an empty one is one too. */
static void all_of_it_as_one_line(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "a", "a\nb\n"};
    static const char *const lines[] = {"|", "a|", "a\nb\n|"};
    for (int i = 0; i < 3; i++) {
        for (int kind = 0; kind < 2; kind++) {
            for (uint64_t refuse = 0; refuse < 3; refuse += 2) {
                taking t = {.refuse_each = refuse, .calls = 1};
                size_t len = strlen(texts[i]);
                int fd = kind ? pipe_of(texts[i], len) : file_of(texts[i], len);
                begin(&t, fd, "");
                finish(&t);
                close(fd);
                assert_string_equal(t.text, lines[i]);
                assert_int_equal(t.lines, 1);
            }
        }
    }
}

static void count_wait(void *me)
{
    taking *t = me;
    if (++t->waits == 2)
        kl_line_source_stop(&t->source);
    else
        assert_int_equal(write(t->writer, "b\nc\n", 4), 4);
}

/* Who waits for input is told, once for each wait, and lines are numbered. */
static void waiting_is_told(void **state)
{
    (void)state;
    taking t = {0};
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "a\n", 2), 2);
    t.writer = ends[1];
    begin(&t, ends[0], "\n");
    t.source.on_wait = count_wait;
    finish(&t);
    close(ends[0]);
    close(ends[1]);
    assert_string_equal(t.text, "a|b|c|");
    assert_int_equal(t.source.line, 3);
    assert_int_equal(t.source.bytes_read, 6);
}

static void on_end_of_one(void *me, int error)
{
    taking *t = me;
    assert_int_equal(error, 0);
    if (t->ended++ == 1) {
        uv_close((uv_handle_t *)&t->later, NULL);
        return;
    }
    kl_line_source_deinit(&t->source);
    kl_line_source_init(&t->source, &t->loop, t->writer, (kloop_string){"\n", 1}, take,
                        on_end_of_one, t);
}

/* In on_end it may be begun anew, with another input of another kind. */
static void one_input_after_the_other(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        taking t = {.writer = kind ? pipe_of("b\n", 2) : file_of("b\n", 2)};
        int fd = kind ? file_of("a", 1) : pipe_of("a", 1);
        begin(&t, fd, "\n");
        t.source.on_end = on_end_of_one;
        uv_run(&t.loop, UV_RUN_DEFAULT);
        assert_int_equal(uv_loop_close(&t.loop), 0);
        kl_line_source_deinit(&t.source);
        assert_int_equal(t.ended, 2);
        assert_string_equal(t.text, "a|b|");
        close(fd);
        close(t.writer);
    }
}

/* The work of a turn is bounded, in bytes and in lines: empty ones are records too. */
static void a_turn_ends(void **state)
{
    (void)state;
    static char text[1 << 20];
    memset(text, '\n', sizeof text);
    taking t = {0};
    int fd = file_of(text, sizeof text);
    begin(&t, fd, "\n");
    uint64_t before = 0, turns = 0;
    for (; !t.ended && !t.source.ended; turns++) {
        uv_run(&t.loop, UV_RUN_NOWAIT);
        assert_true(t.lines - before <= 16384);
        before = t.lines;
    }
    finish(&t);
    close(fd);
    assert_int_equal(t.lines, sizeof text);
    assert_true(turns >= 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_files_and_pipes),
        cmocka_unit_test(a_line_that_is_not_taken_comes_again),
        cmocka_unit_test(a_writer_that_takes_its_time),
        cmocka_unit_test(many_lines),
        cmocka_unit_test(a_line_longer_than_any_piece),
        cmocka_unit_test(stopped_from_inside),
        cmocka_unit_test(stopped_while_nothing_comes),
        cmocka_unit_test(paused_from_outside),
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(the_descriptor_stays_blocking),
        cmocka_unit_test(all_of_it_as_one_line),
        cmocka_unit_test(waiting_is_told),
        cmocka_unit_test(one_input_after_the_other),
        cmocka_unit_test(a_turn_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
