/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines in, lines out: any length, any bytes, any cutting into reads; answers before it waits; and
 * how it ends when it cannot go on. Files where the order of things does not matter, pipes and a
 * second thread where it does.
 */
#define _GNU_SOURCE /* pipes, threads, signals */
#include "cli/line_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- What is answered: the line's length and the line; lines with a '!' at the front are refused
 */

static bool answer(void *ctx, kloop_string line, kl_buf *out)
{
    char head[32];
    size_t *calls = ctx;
    if (calls)
        ++*calls;
    snprintf(head, sizeof head, "%zu:", line.len);
    kl_buf_append_str(out, head);
    kl_buf_append(out, line.data, line.len);
    return line.len == 0 || line.data[0] != '!';
}

/* ---- From file to file ---- */

static FILE *file_with(const void *bytes, size_t len)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fflush(f), 0);
    rewind(f);
    return f;
}

/* Runs the filter over these bytes; what came out is the caller's to free. */
static char *run(const void *bytes, size_t len, size_t *out_len, kl_line_counts *counts)
{
    FILE *in = file_with(bytes, len);
    FILE *out = tmpfile();
    assert_non_null(out);
    assert_true(kl_line_filter_run(fileno(in), fileno(out), answer, NULL, counts));
    off_t end = lseek(fileno(out), 0, SEEK_END);
    assert_true(end >= 0);
    *out_len = (size_t)end;
    char *text = malloc(*out_len + 1);
    assert_non_null(text);
    assert_int_equal(pread(fileno(out), text, *out_len, 0), end);
    text[*out_len] = '\0';
    fclose(in);
    fclose(out);
    return text;
}

static void expect(const char *in, size_t in_len, const char *out, size_t out_len, uint64_t lines,
                   uint64_t refused)
{
    kl_line_counts counts = {99, 99};
    size_t len;
    char *text = run(in, in_len, &len, &counts);
    assert_int_equal(len, out_len);
    assert_memory_equal(text, out, out_len);
    assert_int_equal(counts.lines, lines);
    assert_int_equal(counts.refused, refused);
    free(text);
}

#define EXPECT(in, out, lines, refused)                                                            \
    expect(in, sizeof in - 1, out, sizeof out - 1, lines, refused)

static void lines_of_all_sorts(void **state)
{
    (void)state;
    EXPECT("", "", 0, 0);
    EXPECT("a\n", "1:a\n", 1, 0);
    EXPECT("a", "1:a\n", 1, 0); /* without its end */
    EXPECT("\n", "0:\n", 1, 0);
    EXPECT("\n\n\n", "0:\n0:\n0:\n", 3, 0);
    EXPECT("a\n\nbc\nd", "1:a\n0:\n2:bc\n1:d\n", 4, 0);
    EXPECT("!a\nb\n!", "2:!a\n1:b\n1:!\n", 3, 2);
    /* Nothing but a line feed ends a line. */
    EXPECT("a\r\nb\0c\x0b\x0c\n\r", "2:a\r\n5:b\0c\x0b\x0c\n1:\r\n", 3, 0);
    EXPECT("\0\n\0", "1:\0\n1:\0\n", 2, 0);
    EXPECT("\xff\xfe\n\xe2\x80\xa8\n", "2:\xff\xfe\n3:\xe2\x80\xa8\n", 2, 0);
}

static void a_line_of_5_mib(void **state)
{
    (void)state;
    const size_t len = 5 << 20;
    char *in = malloc(len + 5);
    assert_non_null(in);
    for (size_t i = 0; i < len; i++)
        in[i] = (char)('a' + i % 23);
    memcpy(in + len, "\nend\n", 5);
    for (int ended = 0; ended <= 1; ended++) {
        kl_line_counts counts;
        size_t out_len;
        char *out = run(in, ended ? len + 5 : len, &out_len, &counts);
        assert_int_equal(counts.lines, 1 + ended);
        assert_memory_equal(out, "5242880:", 8);
        assert_memory_equal(out + 8, in, len);
        assert_string_equal(out + 8 + len, ended ? "\n3:end\n" : "\n");
        assert_int_equal(out_len, len + 8 + (ended ? 7 : 1));
        free(out);
    }
    free(in);
}

/* Lengths around the size of a read, so that line ends fall on every side of it. */
static void lines_across_reads(void **state)
{
    (void)state;
    static const size_t lens[] = {65534, 65535, 65536, 65537, 1, 0, 131071, 131072, 3, 70000, 0, 0};
    enum { COUNT = sizeof lens / sizeof lens[0] };
    size_t total = 0;
    for (size_t i = 0; i < COUNT; i++)
        total += lens[i] + 1;
    char *in = malloc(total);
    assert_non_null(in);
    size_t at = 0;
    for (size_t i = 0; i < COUNT; i++) {
        memset(in + at, 'a' + (int)i, lens[i]);
        at += lens[i];
        in[at++] = '\n';
    }
    kl_line_counts counts;
    size_t out_len;
    char *out = run(in, total, &out_len, &counts);
    assert_int_equal(counts.lines, COUNT);
    const char *p = out;
    for (size_t i = 0; i < COUNT; i++) {
        char *rest;
        assert_int_equal(strtoul(p, &rest, 10), lens[i]);
        assert_int_equal(*rest, ':');
        for (size_t k = 0; k < lens[i]; k++)
            assert_int_equal(rest[1 + k], 'a' + (int)i);
        assert_int_equal(rest[1 + lens[i]], '\n');
        p = rest + 2 + lens[i];
    }
    assert_int_equal(p - out, out_len);
    free(out);
    free(in);
}

static void very_many_lines(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    char *in = malloc(COUNT * 8);
    assert_non_null(in);
    size_t len = 0;
    for (int i = 0; i < COUNT; i++)
        len += (size_t)sprintf(in + len, "%d\n", i);
    kl_line_counts counts;
    size_t out_len;
    char *out = run(in, len, &out_len, &counts);
    assert_int_equal(counts.lines, COUNT);
    const char *p = out;
    for (int i = 0; i < COUNT; i++) {
        char wanted[32];
        int digits = snprintf(wanted, sizeof wanted, "%d", i);
        int n = snprintf(wanted, sizeof wanted, "%d:%d\n", digits, i);
        assert_memory_equal(p, wanted, (size_t)n);
        p += n;
    }
    assert_int_equal(p - out, out_len);
    free(out);
    free(in);
}

/* ---- Through pipes ---- */

typedef struct talk {
    pthread_t thread;
    int to, from; /* our ends */
    int in, out;  /* the filter's */
    size_t calls;
    kl_line_counts counts;
    bool ok;
} talk;

static void *run_talk(void *arg)
{
    talk *t = arg;
    t->ok = kl_line_filter_run(t->in, t->out, answer, &t->calls, &t->counts);
    close(t->out);
    return NULL;
}

static void begin_talk(talk *t)
{
    int in[2], out[2];
    *t = (talk){.ok = false};
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    t->in = in[0];
    t->to = in[1];
    t->from = out[0];
    t->out = out[1];
    assert_int_equal(pthread_create(&t->thread, NULL, run_talk, t), 0);
}

static void say(talk *t, const char *text)
{
    assert_int_equal(write(t->to, text, strlen(text)), strlen(text));
}

/* Waits for exactly these bytes. A filter that holds them back would block for ever: a limit. */
static void hear(talk *t, const char *text)
{
    size_t len = strlen(text), at = 0;
    char heard[200];
    assert_true(len < sizeof heard);
    while (at < len) {
        struct pollfd ready = {.fd = t->from, .events = POLLIN};
        if (poll(&ready, 1, 60000) != 1)
            fail_msg("no answer; '%s' was expected", text);
        ssize_t n = read(t->from, heard + at, len - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    assert_memory_equal(heard, text, len);
}

/* What the end of input brings forth: the answer to a line without its end, or nothing. */
static void end_talk(talk *t, const char *last)
{
    char more;
    close(t->to);
    hear(t, last);
    assert_int_equal(pthread_join(t->thread, NULL), 0);
    assert_int_equal(read(t->from, &more, 1), 0);
    close(t->in);
    close(t->from);
}

static void a_conversation(void **state)
{
    (void)state;
    talk t;
    begin_talk(&t);
    say(&t, "one\n");
    hear(&t, "3:one\n");
    /* Two and a half lines: two answers, and the third when its end is there. */
    say(&t, "a\nbc\nthi");
    hear(&t, "1:a\n2:bc\n");
    say(&t, "rd");
    say(&t, "!\n\n");
    hear(&t, "6:third!\n0:\n");
    say(&t, "last");
    end_talk(&t, "4:last\n");
    assert_true(t.ok);
    assert_int_equal(t.counts.lines, 6);
    assert_int_equal(t.calls, 6);
}

static void byte_by_byte(void **state)
{
    (void)state;
    talk t;
    begin_talk(&t);
    static const char text[] = "ab\n\ncde\n!f\ng";
    for (size_t i = 0; text[i]; i++)
        say(&t, (char[]){text[i], '\0'});
    end_talk(&t, "2:ab\n0:\n3:cde\n2:!f\n1:g\n");
    assert_true(t.ok);
    assert_int_equal(t.counts.lines, 5);
    assert_int_equal(t.counts.refused, 1);
}

static void ignore(int signal)
{
    (void)signal;
}

/* Signals break off a read that waits and a write that waits; neither loses a byte. */
static void signals_disturb_nothing(void **state)
{
    (void)state;
    struct sigaction quiet = {.sa_handler = ignore}; /* and no SA_RESTART */
    struct sigaction before;
    assert_int_equal(sigaction(SIGUSR1, &quiet, &before), 0);
    talk t;
    begin_talk(&t);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(pthread_kill(t.thread, SIGUSR1), 0);
        sched_yield();
    }
    say(&t, "x\n");
    hear(&t, "1:x\n");
    /* An answer larger than a pipe holds: the filter waits for us in its write. */
    enum { LEN = 300000 };
    char *line = malloc(LEN + 1);
    assert_non_null(line);
    memset(line, 'y', LEN);
    line[LEN] = '\n';
    for (size_t at = 0; at < LEN + 1;) {
        ssize_t n = write(t.to, line + at, LEN + 1 - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    struct pollfd ready = {.fd = t.from, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 60000), 1);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(pthread_kill(t.thread, SIGUSR1), 0);
        sched_yield();
    }
    hear(&t, "300000:");
    for (size_t at = 0; at < LEN + 1;) {
        char piece[4096];
        size_t want = LEN + 1 - at < sizeof piece ? LEN + 1 - at : sizeof piece;
        ssize_t n = read(t.from, piece, want);
        assert_true(n > 0);
        assert_memory_equal(piece, line + at, (size_t)n);
        at += (size_t)n;
    }
    free(line);
    end_talk(&t, "");
    assert_true(t.ok);
    assert_int_equal(t.counts.lines, 2);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

/* ---- When it cannot go on ---- */

static void expect_failure(int in, int out, int error)
{
    kl_line_counts counts;
    errno = 0;
    assert_false(kl_line_filter_run(in, out, answer, NULL, &counts));
    assert_int_equal(errno, error);
}

static void input_that_cannot_be_read(void **state)
{
    (void)state;
    FILE *out = tmpfile();
    assert_non_null(out);
    expect_failure(-1, fileno(out), EBADF);
    int folder = open("/", O_RDONLY);
    assert_true(folder >= 0);
    expect_failure(folder, fileno(out), EISDIR);
    close(folder);
    fclose(out);
}

static void output_that_cannot_be_written(void **state)
{
    (void)state;
    struct sigaction quiet = {.sa_handler = SIG_IGN};
    struct sigaction before;
    assert_int_equal(sigaction(SIGPIPE, &quiet, &before), 0);
    FILE *in = file_with("a\nb\n", 4);
    expect_failure(fileno(in), -1, EBADF);
    /* A last line without its end is written at the end. */
    FILE *unended = file_with("a", 1);
    expect_failure(fileno(unended), -1, EBADF);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    rewind(in);
    lseek(fileno(in), 0, SEEK_SET);
    expect_failure(fileno(in), ends[1], EPIPE);
    close(ends[1]);
    /* Many lines: what fails is the write in the middle. */
    char *many = malloc(200000);
    assert_non_null(many);
    memset(many, '\n', 200000);
    FILE *long_in = file_with(many, 200000);
    expect_failure(fileno(long_in), -1, EBADF);
    free(many);
    fclose(long_in);
    fclose(unended);
    fclose(in);
    assert_int_equal(sigaction(SIGPIPE, &before, NULL), 0);
}

static bool answer_too_much(void *ctx, kloop_string line, kl_buf *out)
{
    (void)ctx, (void)line;
    kl_buf_set_limit(out, 10);
    kl_buf_append_str(out, "xxxxxxxxxxx");
    return true;
}

static void answer_that_finds_no_memory(void **state)
{
    (void)state;
    static const char *const inputs[] = {"a\n", "a"};
    for (int i = 0; i < 2; i++) {
        FILE *in = file_with(inputs[i], strlen(inputs[i]));
        FILE *out = tmpfile();
        assert_non_null(out);
        kl_line_counts counts;
        errno = 0;
        assert_false(kl_line_filter_run(fileno(in), fileno(out), answer_too_much, NULL, &counts));
        assert_int_equal(errno, ENOMEM);
        assert_int_equal(counts.lines, 1);
        assert_int_equal(lseek(fileno(out), 0, SEEK_END), 0);
        fclose(out);
        fclose(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_all_sorts),
        cmocka_unit_test(a_line_of_5_mib),
        cmocka_unit_test(lines_across_reads),
        cmocka_unit_test(very_many_lines),
        cmocka_unit_test(a_conversation),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(signals_disturb_nothing),
        cmocka_unit_test(input_that_cannot_be_read),
        cmocka_unit_test(output_that_cannot_be_written),
        cmocka_unit_test(answer_that_finds_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
