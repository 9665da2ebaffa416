/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines into pipes that nobody reads, files that take everything, and readers
 * that go away. */
#define _GNU_SOURCE
#include "cli/paced_output.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void count(void *me)
{
    ++*(int *)me;
}

static void fill(kl_paced_output *out, size_t bytes)
{
    static const char line[] = "0123456789abcde\n";
    for (size_t i = 0; i < bytes; i += sizeof line - 1)
        kl_buf_append(kl_paced_output_buf(out), line, sizeof line - 1);
}

static size_t drain(int fd, size_t max)
{
    static char buf[65536];
    size_t all = 0;
    while (all < max) {
        ssize_t n = read(fd, buf, sizeof buf);
        if (n <= 0)
            break;
        all += (size_t)n;
    }
    return all;
}

static void a_file_takes_everything_at_once(void **state)
{
    (void)state;
    uv_loop_t loop;
    kl_paced_output out;
    int room = 0;
    int fd = memfd_create("out", MFD_CLOEXEC);
    uv_loop_init(&loop);
    kl_paced_output_init(&out, &loop, fd, count, &room);
    for (int i = 0; i < 3; i++) {
        fill(&out, 3 << 20);
        kl_paced_output_push(&out);
        assert_int_equal(kl_paced_output_waiting(&out), 0);
        assert_false(out.full);
    }
    kl_paced_output_finish(&out);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    kl_paced_output_deinit(&out);
    assert_int_equal(lseek(fd, 0, SEEK_END), 9 << 20);
    assert_int_equal(room, 0);
    close(fd);
}

static void a_pipe_that_nobody_reads_holds_nobody(void **state)
{
    (void)state;
    uv_loop_t loop;
    kl_paced_output out;
    int ends[2], room = 0;
    const size_t all = (size_t)4 << 20;
    size_t got = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    uv_loop_init(&loop);
    kl_paced_output_init(&out, &loop, ends[1], count, &room);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    fill(&out, all);
    kl_paced_output_push(&out);
    assert_true(out.full);
    assert_true(kl_paced_output_waiting(&out) > all / 2);
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(room, 0);
    kl_paced_output_finish(&out);
    while (uv_run(&loop, UV_RUN_NOWAIT))
        got += drain(ends[0], SIZE_MAX);
    got += drain(ends[0], SIZE_MAX);
    assert_int_equal(got, all);
    assert_int_equal(out.error, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    kl_paced_output_deinit(&out);
    close(ends[0]);
    close(ends[1]);
}

static void room_is_told_once(void **state)
{
    (void)state;
    uv_loop_t loop;
    kl_paced_output out;
    int ends[2], room = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    uv_loop_init(&loop);
    kl_paced_output_init(&out, &loop, ends[1], count, &room);
    fill(&out, (size_t)2 << 20);
    kl_paced_output_push(&out);
    assert_true(out.full);
    while (kl_paced_output_waiting(&out) > 0) {
        drain(ends[0], SIZE_MAX);
        uv_run(&loop, UV_RUN_NOWAIT);
        assert_int_equal(room, !out.full);
    }
    assert_int_equal(room, 1);
    kl_paced_output_finish(&out);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    kl_paced_output_deinit(&out);
    close(ends[0]);
    close(ends[1]);
}

/* The writer's own push can be the one that finds room. It did not tell, and a writer that had
 * stopped because of fullness was never woken: `kloop produce --events` slept for ever with lines
 * still to be read. */
static void room_is_told_when_a_push_finds_it(void **state)
{
    (void)state;
    uv_loop_t loop;
    kl_paced_output out;
    int ends[2], room = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    uv_loop_init(&loop);
    kl_paced_output_init(&out, &loop, ends[1], count, &room);
    fill(&out, (size_t)2 << 20);
    kl_paced_output_push(&out);
    assert_true(out.full);
    while (kl_paced_output_waiting(&out) > 0) {
        drain(ends[0], SIZE_MAX);
        kl_paced_output_push(&out);
        assert_int_equal(room, !out.full);
    }
    assert_int_equal(room, 1);
    kl_paced_output_finish(&out);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    kl_paced_output_deinit(&out);
    close(ends[0]);
    close(ends[1]);
}

static void a_reader_that_goes_away(void **state)
{
    (void)state;
    uv_loop_t loop;
    kl_paced_output out;
    int ends[2], room = 0;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    uv_loop_init(&loop);
    kl_paced_output_init(&out, &loop, ends[1], count, &room);
    fill(&out, (size_t)2 << 20);
    kl_paced_output_push(&out);
    close(ends[0]);
    uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(out.error, EPIPE);
    assert_int_equal(kl_paced_output_waiting(&out), 0);
    assert_false(out.full);
    fill(&out, 1000);
    kl_paced_output_push(&out);
    assert_int_equal(kl_paced_output_waiting(&out), 0);
    /* A pipe takes 64 KB, in whole lines of 16 bytes here; all other lines are known to be lost. */
    assert_int_equal(out.lost_lines, ((2 << 20) - 65536) / 16 + 63);
    kl_paced_output_finish(&out);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    kl_paced_output_deinit(&out);
    close(ends[1]);
}

/* A reader that is there and does not read. */
static void giving_up(void **state)
{
    (void)state;
    uv_loop_t loop;
    kl_paced_output out;
    int ends[2], room = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    uv_loop_init(&loop);
    kl_paced_output_init(&out, &loop, ends[1], count, &room);
    fill(&out, (size_t)2 << 20);
    kl_paced_output_push(&out);
    kl_paced_output_finish(&out);
    assert_int_not_equal(uv_run(&loop, UV_RUN_NOWAIT), 0);
    kl_paced_output_give_up(&out, ECANCELED);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(out.error, ECANCELED);
    assert_int_equal(out.lost_lines, ((2 << 20) - 65536) / 16);
    kl_paced_output_deinit(&out);
    close(ends[0]);
    close(ends[1]);
}

static void a_descriptor_that_is_closed(void **state)
{
    (void)state;
    uv_loop_t loop;
    kl_paced_output out;
    int room = 0;
    uv_loop_init(&loop);
    /* A number that the loop does not take for itself. */
    kl_paced_output_init(&out, &loop, 900, count, &room);
    fill(&out, 100);
    kl_paced_output_finish(&out);
    assert_int_equal(out.error, EBADF);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    kl_paced_output_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_takes_everything_at_once),
        cmocka_unit_test(a_pipe_that_nobody_reads_holds_nobody),
        cmocka_unit_test(room_is_told_once),
        cmocka_unit_test(room_is_told_when_a_push_finds_it),
        cmocka_unit_test(a_reader_that_goes_away),
        cmocka_unit_test(giving_up),
        cmocka_unit_test(a_descriptor_that_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
