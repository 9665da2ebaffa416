/* SPDX-License-Identifier: BSD-2-Clause */
/* Files in a row: what is looked at first, what is opened when, and that nothing stays open. */
#define _GNU_SOURCE
#include "cli/input_files.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char a[80], b[80], fifo[80], missing[80];

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int lowest_free_fd(void)
{
    int fd = dup(STDIN_FILENO);
    close(fd);
    return fd;
}

static void add(kl_input_files *f, const char *path)
{
    assert_true(kl_input_files_add(f, path));
}

static void one_after_the_other(void **state)
{
    (void)state;
    kl_input_files f;
    const char *path;
    char text[16] = "";
    int error, free_fd = lowest_free_fd();
    kl_input_files_init(&f);
    assert_false(kl_input_files_any(&f));
    assert_string_equal(kl_input_files_name(&f), "standard input");
    add(&f, a);
    add(&f, "-");
    add(&f, b);
    assert_true(kl_input_files_any(&f));
    assert_int_equal(kl_input_files_check(&f, &path), 0);
    assert_true(kl_input_files_next(&f, &error));
    assert_int_equal(error, 0);
    assert_string_equal(kl_input_files_name(&f), a);
    assert_false(kl_input_files_is_stdin(&f));
    assert_int_equal(read(f.fd, text, sizeof text), 5);
    assert_memory_equal(text, "aaaa\n", 5);
    assert_true(kl_input_files_next(&f, &error));
    assert_int_equal(f.fd, STDIN_FILENO);
    assert_true(kl_input_files_is_stdin(&f));
    assert_true(kl_input_files_next(&f, &error));
    assert_string_equal(kl_input_files_name(&f), b);
    assert_false(kl_input_files_next(&f, &error));
    assert_string_equal(kl_input_files_name(&f), b);
    kl_input_files_deinit(&f);
    assert_int_equal(lowest_free_fd(), free_fd);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int error;
    } cases[] = {{missing, ENOENT}, {folder, EISDIR}};
    for (size_t i = 0; i < 2; i++) {
        kl_input_files f;
        const char *path;
        kl_input_files_init(&f);
        add(&f, a);
        add(&f, cases[i].path);
        assert_int_equal(kl_input_files_check(&f, &path), cases[i].error);
        assert_string_equal(path, cases[i].path);
        kl_input_files_deinit(&f);
    }
}

static void a_file_that_is_gone_when_its_turn_comes(void **state)
{
    (void)state;
    kl_input_files f;
    const char *path;
    int error;
    put(missing, "x");
    kl_input_files_init(&f);
    add(&f, missing);
    assert_int_equal(kl_input_files_check(&f, &path), 0);
    unlink(missing);
    assert_true(kl_input_files_next(&f, &error));
    assert_int_equal(error, ENOENT);
    kl_input_files_deinit(&f);
}

static void how_many_bytes_there_are(void **state)
{
    (void)state;
    kl_input_files f;
    const char *path;
    kl_input_files_init(&f);
    add(&f, a);
    add(&f, b);
    assert_int_equal(kl_input_files_check(&f, &path), 0);
    assert_int_equal(f.bytes, 5 + 2);
    kl_input_files_deinit(&f);
    /* A pipe has no size; it is open from the check on. */
    int writer = open(fifo, O_RDWR | O_CLOEXEC), free_fd = lowest_free_fd();
    kl_input_files_init(&f);
    add(&f, a);
    add(&f, fifo);
    assert_int_equal(kl_input_files_check(&f, &path), 0);
    assert_int_equal(f.bytes, 0);
    assert_int_not_equal(lowest_free_fd(), free_fd);
    kl_input_files_deinit(&f);
    assert_int_equal(lowest_free_fd(), free_fd);
    close(writer);
}

static void is_it_the_same_file(void **state)
{
    (void)state;
    kl_input_files f;
    char again[160];
    snprintf(again, sizeof again, "%s/../%s", folder, a + 5);
    int same = open(again, O_RDWR | O_CLOEXEC), other = open(b, O_RDWR | O_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    kl_input_files_init(&f);
    add(&f, a);
    add(&f, "/dev/null");
    assert_true(kl_input_files_has(&f, same));
    assert_false(kl_input_files_has(&f, other));
    assert_false(kl_input_files_has(&f, null));
    kl_input_files_deinit(&f);
    close(same);
    close(other);
    close(null);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/kloop-files-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(a, sizeof a, "%s/a", folder);
    snprintf(b, sizeof b, "%s/b", folder);
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    snprintf(missing, sizeof missing, "%s/missing", folder);
    put(a, "aaaa\n");
    put(b, "b\n");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(a);
    unlink(b);
    unlink(fifo);
    rmdir(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(a_file_that_is_gone_when_its_turn_comes),
        cmocka_unit_test(how_many_bytes_there_are),
        cmocka_unit_test(is_it_the_same_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
