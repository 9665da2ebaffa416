/* SPDX-License-Identifier: BSD-2-Clause */
/* What a terminal can, by what the environment and the terminal itself say. */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#include "cli/terminal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static int forget(void **state)
{
    static const char *const names[] = {"NO_COLOR", "TERM", "LC_ALL",
                                        "LC_CTYPE", "LANG", "COLUMNS"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    return 0;
}

static kl_terminal look(int fd)
{
    kl_terminal t;
    kl_terminal_look(&t, fd);
    return t;
}

/* The slave's side of a terminal of its own, so wide; *master keeps it alive. */
static int open_terminal(int *master, unsigned short columns)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0);
    int fd = open(ptsname(*master), O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
    return fd;
}

static void a_file_is_none(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_WRONLY);
    setenv("TERM", "xterm", 1);
    kl_terminal t = look(fd);
    assert_false(t.is_terminal || t.drawable);
    assert_int_equal(t.width, 80);
    setenv("COLUMNS", "100", 1);
    assert_int_equal(look(fd).width, 100);
    setenv("COLUMNS", "wide", 1);
    assert_int_equal(look(fd).width, 80);
    close(fd);
}

static void a_terminal(void **state)
{
    (void)state;
    int master, fd = open_terminal(&master, 132);
    setenv("TERM", "xterm-256color", 1);
    kl_terminal t = look(fd);
    assert_true(t.is_terminal && t.drawable && t.escapes && t.colour);
    assert_int_equal(t.width, 132);
    struct winsize size = {.ws_row = 24, .ws_col = 40};
    ioctl(fd, TIOCSWINSZ, &size);
    kl_terminal_measure(&t);
    assert_int_equal(t.width, 40);
    setenv("NO_COLOR", "1", 1);
    assert_true(look(fd).drawable && !look(fd).colour);
    setenv("NO_COLOR", "", 1);
    assert_true(look(fd).colour);
    setenv("TERM", "dumb", 1);
    assert_true(look(fd).is_terminal && !look(fd).drawable && !look(fd).colour);
    unsetenv("TERM");
    assert_false(look(fd).drawable);
    close(fd);
    close(master);
}

static void letters(void **state)
{
    (void)state;
    assert_false(look(0).utf8);
    setenv("LANG", "de_DE.UTF-8", 1);
    assert_true(look(0).utf8);
    setenv("LC_CTYPE", "C.utf8", 1);
    assert_true(look(0).utf8);
    setenv("LC_ALL", "C", 1);
    assert_false(look(0).utf8);
    setenv("LC_ALL", "", 1);
    assert_true(look(0).utf8);
}

static void words(void **state)
{
    (void)state;
    kl_progress progress;
    assert_true(kl_progress_parse("auto", &progress) && progress == KL_PROGRESS_AUTO);
    assert_true(kl_progress_parse("always", &progress) && progress == KL_PROGRESS_ALWAYS);
    assert_true(kl_progress_parse("never", &progress) && progress == KL_PROGRESS_NEVER);
    assert_false(kl_progress_parse("", &progress));
    assert_false(kl_progress_parse("Never", &progress));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_file_is_none, forget),
        cmocka_unit_test_setup(a_terminal, forget),
        cmocka_unit_test_setup(letters, forget),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
