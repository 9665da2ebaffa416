/* SPDX-License-Identifier: BSD-2-Clause */
/* What meta and doctor have in common on their command lines. */
#include "cli/asking_flags.h"

#include "cli/exit_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const kl_option table[] = {
    {KL_ASKING_BOOTSTRAP, KL_OPTION_VALUE, 'b', "bootstrap-server", "HOST:PORT,...", "brokers"},
    {KL_ASKING_TOPIC, KL_OPTION_WORDS, 't', "topic", "TOPIC", "topics"},
    {KL_ASKING_TIMEOUT, KL_OPTION_VALUE, 'm', "timeout", "SECONDS", "how long"},
    {KL_ASKING_JSON, KL_OPTION_SWITCH, 'J', "json", NULL, "JSON"},
    {KL_ASKING_QUIET, KL_OPTION_SWITCH, 'q', "quiet", NULL, "less"},
};

/* -1, or the exit code. */
static int parse(kl_asking_flags *f, int argc, char **argv)
{
    kl_options o;
    assert_true(kl_asking_flags_init(f, "test", argc, 5));
    kl_options_init(&o, "test", table, sizeof table / sizeof table[0], argc, argv);
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;) {
        int code = kl_asking_flags_take(f, &o, id);
        if (code >= 0)
            return code;
    }
    return -1;
}

static void all_of_them(void **state)
{
    char *argv[] = {"test", "-t", "a", "b", "-b", "h:1", "-m", "0.5", "-J", "-t", "c", "-q"};
    kl_asking_flags f;
    (void)state;
    assert_int_equal(parse(&f, sizeof argv / sizeof argv[0], argv), -1);
    assert_int_equal(f.topic_count, 3);
    assert_string_equal(f.topics[2], "c");
    assert_true(f.json && f.quiet && f.config.quiet);
    assert_true(f.timeout_s == 0.5);
    kloop_config *config = kl_config_flags_make(&f.config);
    assert_non_null(config);
    assert_string_equal(kloop_config_get(config, "bootstrap.servers"), "h:1");
    kloop_config_del(config);
    kl_asking_flags_deinit(&f);
}

static void none_of_them(void **state)
{
    char *argv[] = {"test"};
    kl_asking_flags f;
    (void)state;
    assert_int_equal(parse(&f, 1, argv), -1);
    assert_int_equal(f.topic_count, 0);
    assert_true(f.timeout_s == 5);
    kl_asking_flags_deinit(&f);
}

static void what_is_refused(void **state)
{
    char *const wrong[][3] = {{"test", "-t", ""},
                              {"test", "-t", "\xff"},
                              {"test", "-m", "0"},
                              {"test", "--nonsense", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *argv[] = {wrong[i][0], wrong[i][1], wrong[i][2]};
        kl_asking_flags f;
        assert_int_equal(parse(&f, 3, argv), KL_EXIT_USAGE);
        kl_asking_flags_deinit(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_them),
        cmocka_unit_test(none_of_them),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
