/* SPDX-License-Identifier: BSD-2-Clause */
/* Which word wins, and what --print-config says of it. What is refused is said on stderr, which the
 * tests of the command read. */
#define _GNU_SOURCE
#include "cli/config_flags.h"
#include "cli/exit_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A path to a file with this text, until the next call. */
static const char *path_of(const char *text)
{
    static char path[64];
    static int fd = -1;
    if (fd >= 0)
        close(fd);
    fd = memfd_create("properties", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

static kl_config_flags flags;

static int begin(void **state)
{
    (void)state;
    setenv("KLOOP_CONFIG", "", 1);
    kl_config_flags_init(&flags, "test");
    return !kl_config_flags_set(&flags, KL_CONFIG_FLAG, "bootstrap.servers", "a:1", "-b");
}

static int finish(void **state)
{
    (void)state;
    kl_config_flags_deinit(&flags);
    return 0;
}

static void assert_value(const char *key, const char *value)
{
    kloop_config *config = kl_config_flags_make(&flags);
    assert_non_null(config);
    assert_string_equal(kloop_config_get(config, key), value);
    kloop_config_del(config);
}

/* The row of the key: its value and its origin, as one word each. */
static void assert_row(const char *key, const char *value, const char *origin)
{
    char *text, *line, *rest;
    size_t size;
    char words[3][512];
    bool found = false;
    FILE *to = open_memstream(&text, &size);
    assert_int_equal(kl_config_flags_show(&flags, to), KL_EXIT_OK);
    fclose(to);
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        assert_int_equal(sscanf(line, "%511s %511s %511s", words[0], words[1], words[2]), 3);
        if (strcmp(words[0], key) != 0)
            continue;
        found = true;
        assert_string_equal(words[1], value);
        assert_string_equal(words[2], origin);
    }
    assert_true(found);
    free(text);
}

static void the_nearer_word_wins(void **state)
{
    (void)state;
    assert_value("linger.ms", "5");
    assert_row("linger.ms", "5", "default");
    assert_true(kl_config_flags_set(&flags, KL_CONFIG_PRESET, "linger.ms", "1", "preset"));
    assert_value("linger.ms", "1");
    assert_int_equal(-1, kl_config_flags_take(&flags, "linger.ms=3", "-X"));
    assert_true(kl_config_flags_load(&flags, path_of("\nlinger.ms=2\n"), "-F"));
    assert_value("linger.ms", "3");
    assert_row("linger.ms", "3", "-X");
    assert_int_equal(-1, kl_config_flags_take(&flags, "linger.ms=4", "--producer-props"));
    assert_row("linger.ms", "4", "--producer-props");
    assert_true(kl_config_flags_set(&flags, KL_CONFIG_FLAG, "linger.ms", "9", "--linger"));
    assert_int_equal(-1, kl_config_flags_take(&flags, "linger.ms=8", "-X"));
    assert_row("linger.ms", "9", "--linger");
}

static void the_file_of_the_environment_is_the_farthest(void **state)
{
    (void)state;
    char path[64], origin[128];
    snprintf(path, sizeof path, "%s", path_of("linger.ms=1\nbatch.size=1\nretries=1\nacks=all"));
    setenv("KLOOP_CONFIG", path, 1);
    flags.quiet = true;
    assert_true(kl_config_flags_set(&flags, KL_CONFIG_PRESET, "acks", "1", "preset"));
    assert_int_equal(-1, kl_config_flags_take(&flags, "batch.size=3", "-X"));
    assert_true(kl_config_flags_set(&flags, KL_CONFIG_FILE, "retries", "2", "file"));
    snprintf(origin, sizeof origin, "%s:1", path);
    kl_buf before = flags.entries;
    assert_row("linger.ms", "1", origin);
    assert_true(flags.entries.len > before.len);
    assert_row("batch.size", "3", "-X");
    assert_row("retries", "2", "file");
    snprintf(origin, sizeof origin, "%s:4", path);
    assert_row("acks", "all", origin);
}

static void two_names_in_one_place(void **state)
{
    (void)state;
    flags.quiet = true;
    assert_int_equal(-1, kl_config_flags_take(&flags, "linger.ms=5", "-X"));
    assert_int_equal(-1, kl_config_flags_take(&flags, "queue.buffering.max.ms=+5", "-X"));
    assert_value("linger.ms", "5");
    assert_int_equal(-1, kl_config_flags_take(&flags, "queue.buffering.max.ms=6", "-X"));
    assert_null(kl_config_flags_make(&flags));
    /* Said twice by one name, the last word counts. */
    kl_config_flags_deinit(&flags);
    assert_int_equal(begin(state), 0);
    assert_int_equal(-1, kl_config_flags_take(&flags, "linger.ms=5", "-X"));
    assert_int_equal(-1, kl_config_flags_take(&flags, "linger.ms=6", "-X"));
    assert_value("linger.ms", "6");
    /* From nearer places another name may be used. */
    assert_true(kl_config_flags_set(&flags, KL_CONFIG_FLAG, "queue.buffering.max.ms", "7", "-l"));
    flags.quiet = true;
    assert_row("linger.ms", "7", "-l");
}

static void what_rules_over_unknown_keys_comes_first(void **state)
{
    (void)state;
    flags.quiet = true;
    assert_true(kl_config_flags_load(&flags, path_of("our.key=1\nlinger.ms=3"), "-F"));
    assert_null(kl_config_flags_make(&flags));
    assert_int_equal(-1, kl_config_flags_take(&flags, "ignore.unknown.config=true", "-X"));
    assert_value("linger.ms", "3");
    assert_true(kl_config_flags_set(&flags, KL_CONFIG_FLAG, "ignore.unknown.config", "false", "f"));
    assert_null(kl_config_flags_make(&flags));
}

static void files_tell_their_lines(void **state)
{
    (void)state;
    char origin[128];
    const char *path = path_of("# first\nacks = all\nbatch.size=\\\n  777\n");
    assert_true(kl_config_flags_load(&flags, path, "-F"));
    snprintf(origin, sizeof origin, "%s:3", path);
    assert_row("batch.size", "777", origin);
}

static void a_value_may_hold_anything_but_its_key(void **state)
{
    (void)state;
    assert_int_equal(-1, kl_config_flags_take(&flags, "client.id=a=b=c", "-X"));
    assert_value("client.id", "a=b=c");
    assert_int_equal(KL_EXIT_USAGE, kl_config_flags_take(&flags, "client.id", "-X"));
    assert_int_equal(KL_EXIT_USAGE, kl_config_flags_take(&flags, "=x", "-X"));
    assert_value("client.id", "a=b=c");
}

static void a_value_may_stand_in_a_file(void **state)
{
    (void)state;
    char pair[128];
    flags.quiet = true;
    snprintf(pair, sizeof pair, "client.id@%s", path_of("me@home=\xc3\xa4\n"));
    assert_int_equal(-1, kl_config_flags_take(&flags, pair, "-X"));
    assert_value("client.id", "me@home=\xc3\xa4");
    assert_row("client.id", "me@home=\xc3\xa4", pair + 10);
    /* What is in front counts. */
    assert_int_equal(-1, kl_config_flags_take(&flags, "client.id=a@/nowhere", "-X"));
    assert_value("client.id", "a@/nowhere");
    assert_int_equal(KL_EXIT_USAGE, kl_config_flags_take(&flags, "client.id@/no=where", "-X"));
    assert_int_equal(KL_EXIT_USAGE, kl_config_flags_take(&flags, "client.id@/", "-X"));
    assert_int_equal(KL_EXIT_USAGE, kl_config_flags_take(&flags, "client.id@", "-X"));
    assert_int_equal(KL_EXIT_USAGE, kl_config_flags_take(&flags, "@/dev/null", "-X"));
    assert_int_equal(-1, kl_config_flags_take(&flags, "client.id@/dev/null", "-X"));
    assert_value("client.id", "");
    /* As a secret of a container comes. */
    snprintf(pair, sizeof pair, "sasl.password@%s", path_of("  correct horse\r\n"));
    assert_int_equal(-1, kl_config_flags_take(&flags, pair, "-X"));
    assert_value("sasl.password", "correct horse");
    assert_row("sasl.password", "********", pair + 14);
}

static void what_is_refused(void **state)
{
    (void)state;
    assert_false(kl_config_flags_load(&flags, "/nowhere/at/all", "-F"));
    assert_false(kl_config_flags_load(&flags, "/", "-F"));
    assert_false(kl_config_flags_load(&flags, path_of("a=\\u00"), "-F"));
    assert_int_equal(-1, kl_config_flags_take(&flags, "no.such.key=1", "-X"));
    assert_null(kl_config_flags_make(&flags));
}

static void a_bad_value_is_refused_although_another_would_win(void **state)
{
    (void)state;
    assert_true(kl_config_flags_load(&flags, path_of("linger.ms=soon"), "-F"));
    assert_int_equal(-1, kl_config_flags_take(&flags, "linger.ms=1", "-X"));
    assert_null(kl_config_flags_make(&flags));
}

static void what_keys_say_together(void **state)
{
    (void)state;
    assert_int_equal(-1, kl_config_flags_take(&flags, "acks=1", "-X"));
    assert_int_equal(-1, kl_config_flags_take(&flags, "enable.idempotence=true", "-X"));
    assert_null(kl_config_flags_make(&flags));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_nearer_word_wins, begin, finish),
        cmocka_unit_test_setup_teardown(the_file_of_the_environment_is_the_farthest, begin, finish),
        cmocka_unit_test_setup_teardown(two_names_in_one_place, begin, finish),
        cmocka_unit_test_setup_teardown(what_rules_over_unknown_keys_comes_first, begin, finish),
        cmocka_unit_test_setup_teardown(files_tell_their_lines, begin, finish),
        cmocka_unit_test_setup_teardown(a_value_may_hold_anything_but_its_key, begin, finish),
        cmocka_unit_test_setup_teardown(a_value_may_stand_in_a_file, begin, finish),
        cmocka_unit_test_setup_teardown(what_is_refused, begin, finish),
        cmocka_unit_test_setup_teardown(a_bad_value_is_refused_although_another_would_win, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(what_keys_say_together, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
