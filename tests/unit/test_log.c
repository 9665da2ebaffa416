/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of sentences. */
#include "core/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static kl_log_line lines[KL_LOG_LINES];
static kloop_engine e;

static void begin(void)
{
    memset(&e, 0, sizeof e);
    memset(lines, 0, sizeof lines);
    e.log = lines;
}

static void first_in_first_out(void **state)
{
    (void)state;
    begin();
    assert_null(kl_log_take(&e));
    kl_log(&e, KLOOP_LOG_INFO, "one %d", 1);
    kl_log(&e, KLOOP_LOG_ERROR, "two");
    const kl_log_line *line = kl_log_take(&e);
    assert_int_equal(line->level, KLOOP_LOG_INFO);
    assert_string_equal(line->text, "one 1");
    assert_string_equal(kl_log_take(&e)->text, "two");
    assert_null(kl_log_take(&e));
}

/* The first ones tell more: those that do not fit are dropped. */
static void full_ring_keeps_the_first(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 100; i++)
        kl_log(&e, KLOOP_LOG_WARN, "line %d", i);
    for (int i = 0; i < KL_LOG_LINES - 1; i++) {
        char text[20];
        snprintf(text, sizeof text, "line %d", i);
        assert_string_equal(kl_log_take(&e)->text, text);
    }
    assert_null(kl_log_take(&e));
}

/* A user's callback may cause lines while it reads one. */
static void taken_line_is_not_written_over(void **state)
{
    (void)state;
    begin();
    for (int round = 0; round < 3 * KL_LOG_LINES; round++) {
        kl_log(&e, KLOOP_LOG_WARN, "kept %d", round);
        const kl_log_line *line;
        while ((line = kl_log_take(&e))) {
            kl_log_line copy = *line;
            if (e.log_count == 0 && strstr(line->text, "kept"))
                for (int i = 0; i < 2 * KL_LOG_LINES; i++)
                    kl_log(&e, KLOOP_LOG_DEBUG, "more %d", i);
            assert_string_equal(line->text, copy.text);
        }
    }
}

static void long_line_is_cut(void **state)
{
    (void)state;
    begin();
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    kl_log(&e, KLOOP_LOG_WARN, "%s", text);
    assert_int_equal(strlen(kl_log_take(&e)->text), sizeof lines->text - 1);
}

/* Trouble stays known also when the ring is full. */
static void trouble_is_kept(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 40; i++)
        kl_log_trouble(&e, KLOOP_LOG_WARN, "trouble %d", i);
    assert_string_equal(e.trouble, "trouble 39");
    kl_log(&e, KLOOP_LOG_WARN, "no trouble");
    assert_string_equal(e.trouble, "trouble 39");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(full_ring_keeps_the_first),
        cmocka_unit_test(taken_line_is_not_written_over),
        cmocka_unit_test(long_line_is_cut),
        cmocka_unit_test(trouble_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
