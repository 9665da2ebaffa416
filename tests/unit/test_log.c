/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of sentences, and what is told again and again. */
#include "core/log.h"

#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct kl_log log_of_e;
static kloop_engine e;

static void begin(void)
{
    memset(&e, 0, sizeof e);
    memset(&log_of_e, 0, sizeof log_of_e);
    e.log = &log_of_e;
    e.now.mono_ns = 100 * KL_SECOND;
    e.alloc = kl_mem_libc;
    kl_timer_init(&e.log->timer, KL_TIMER_LOG);
    kl_heap_init(&e.timers, &e.alloc);
    assert_true(kl_heap_reserve(&e.timers, 1));
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 0);
}

static void end(void)
{
    kl_heap_deinit(&e.timers);
}

static void expect(const char *text)
{
    const kl_log_line *line = kl_log_take(&e);
    assert_non_null(line);
    assert_string_equal(line->text, text);
}

static void expect_nothing(void)
{
    assert_null(kl_log_take(&e));
}

/* So many of them are told. */
static void say(const char *text, int times, int told)
{
    for (int i = 0; i < times; i++) {
        kl_log(&e, KLOOP_LOG_WARN, "%s", text);
        const kl_log_line *line = kl_log_take(&e);
        assert_int_equal(line != NULL, i < told);
        if (line)
            assert_string_equal(line->text, text);
    }
}

static void pass(uint64_t ns)
{
    e.now.mono_ns += ns;
    while (kl_heap_when(&e.timers) <= e.now.mono_ns) {
        kl_heap_remove(&e.timers, kl_heap_first(&e.timers));
        kl_log_timer(&e);
    }
}

/* ---- The ring ---- */

static void first_in_first_out(void **state)
{
    (void)state;
    begin();
    expect_nothing();
    kl_log(&e, KLOOP_LOG_INFO, "one %d", 1);
    kl_log(&e, KLOOP_LOG_ERROR, "two");
    const kl_log_line *line = kl_log_take(&e);
    assert_int_equal(line->level, KLOOP_LOG_INFO);
    assert_string_equal(line->text, "one 1");
    expect("two");
    expect_nothing();
    end();
}

/* The first ones tell more; how many others there were is told when there is room again. */
static void full_ring_keeps_the_first(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 100; i++)
        kl_log(&e, KLOOP_LOG_WARN, "line %d", i);
    for (int i = 0; i < KL_LOG_LINES - 1; i++) {
        char text[20];
        snprintf(text, sizeof text, "line %d", i);
        expect(text);
    }
    expect("... 69 more sentences were dropped, for nobody took them");
    expect_nothing();
    end();
}

static void dropped_ones_are_told_in_their_place(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < KL_LOG_LINES + 1; i++)
        kl_log(&e, KLOOP_LOG_WARN, "line %d", i);
    /* With room for one alone, that goes to the sentence, and the count is still owed. */
    expect("line 0");
    kl_log(&e, KLOOP_LOG_WARN, "after that");
    for (int i = 1; i < KL_LOG_LINES - 1; i++)
        assert_non_null(kl_log_take(&e));
    expect("after that");
    kl_log(&e, KLOOP_LOG_WARN, "at last");
    expect("... 2 more sentences were dropped, for nobody took them");
    expect("at last");
    expect_nothing();
    end();
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
            if (e.log->count == 0 && strstr(line->text, "kept"))
                for (int i = 0; i < 2 * KL_LOG_LINES; i++)
                    kl_log(&e, KLOOP_LOG_DEBUG, "more %d", i);
            assert_string_equal(line->text, copy.text);
        }
    }
    end();
}

static void long_line_is_cut(void **state)
{
    (void)state;
    begin();
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    kl_log(&e, KLOOP_LOG_WARN, "%s", text);
    assert_int_equal(strlen(kl_log_take(&e)->text), sizeof log_of_e.lines->text - 1);
    end();
}

/* Trouble stays known also when the ring is full, or the sentence is not told. */
static void trouble_is_kept(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 40; i++)
        kl_log_trouble(&e, KLOOP_LOG_WARN, "trouble %d", i);
    assert_string_equal(e.trouble, "trouble 39");
    kl_log(&e, KLOOP_LOG_WARN, "no trouble");
    assert_string_equal(e.trouble, "trouble 39");
    kloop_engine_set_log(&e, KLOOP_LOG_ERROR, 1);
    kl_log_trouble(&e, KLOOP_LOG_WARN, "silent trouble");
    assert_string_equal(e.trouble, "silent trouble");
    end();
}

/* ---- Level ---- */

static void levels_above_are_not_told(void **state)
{
    (void)state;
    begin();
    kloop_engine_set_log(&e, KLOOP_LOG_WARN, 0);
    kl_log(&e, KLOOP_LOG_INFO, "not told");
    kl_log(&e, KLOOP_LOG_DEBUG, "nor that");
    kl_log(&e, KLOOP_LOG_WARN, "told");
    kl_log(&e, KLOOP_LOG_ERROR, "told too");
    expect("told");
    expect("told too");
    expect_nothing();
    end();
}

/* ---- Repetition ---- */

static void the_same_is_told_so_often_in_a_minute(void **state)
{
    (void)state;
    begin();
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 3);
    say("b1:9092: connection refused", 20, 3);
    pass(KL_LOG_WINDOW_NS - 1);
    expect_nothing();
    pass(1);
    const kl_log_line *line = kl_log_take(&e);
    assert_int_equal(line->level, KLOOP_LOG_WARN);
    assert_string_equal(line->text, "... 17 more of these in the last minute, the last of them: "
                                    "b1:9092: connection refused");
    /* Once. */
    expect_nothing();
    assert_true(kl_heap_when(&e.timers) == KL_NEVER);
    say("b1:9092: connection refused", 4, 3);
    end();
}

/* Seldom enough, and each is told. */
static void a_minute_begins_with_the_first(void **state)
{
    (void)state;
    begin();
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 1);
    for (int i = 0; i < 5; i++) {
        say("b1:9092: connection refused", 1, 1);
        pass(KL_LOG_WINDOW_NS);
        expect_nothing();
    }
    end();
}

static void objects_are_told_apart_and_numbers_are_not(void **state)
{
    (void)state;
    begin();
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 1);
    say("b1:9092: 17 bytes came", 1, 1);
    say("b1:9093: 17 bytes came", 1, 1);
    say("b1:9092: 4000 bytes came", 1, 0);
    say("b1:9092: 5 bytes went", 1, 1);
    say("topic 't' partition 1: 3 records", 1, 1);
    say("topic 't' partition 2: 3 records", 1, 1);
    say("topic 't' partition 2: 44 records", 1, 0);
    /* Where no object is named, every number tells. */
    say("no memory for b1:9092", 1, 1);
    say("no memory for b1:9093", 1, 1);
    end();
}

/* More kinds than are remembered: the oldest is forgotten, and what was kept back of it is told. */
static void forgotten_kinds_are_summed_up(void **state)
{
    (void)state;
    begin();
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 1);
    say("first: x", 3, 1);
    char text[40];
    for (int i = 1; i < KL_LOG_KINDS; i++) {
        e.now.mono_ns++;
        snprintf(text, sizeof text, "other %c: x", 'a' + i);
        say(text, 1, 1);
    }
    e.now.mono_ns++;
    kl_log(&e, KLOOP_LOG_WARN, "new: x");
    expect("... 2 more of these in the last minute, the last of them: first: x");
    expect("new: x");
    expect_nothing();
    end();
}

/* A cluster of many brokers that is gone: each of them made another one forgotten, and so nothing
 * was ever kept back. */
static void of_very_many_objects_all_together_are_counted(void **state)
{
    (void)state;
    begin();
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 2);
    size_t told = 0;
    char text[40];
    for (int second = 0; second < 59; second++) {
        for (int i = 1; i <= 3 * KL_LOG_KINDS; i++) {
            snprintf(text, sizeof text, "b%d:9092: connection refused", i);
            kl_log(&e, KLOOP_LOG_WARN, "%s", text);
            const kl_log_line *line = kl_log_take(&e);
            if (!line)
                continue;
            assert_string_equal(line->text, text);
            told++;
        }
        e.now.mono_ns += KL_SECOND;
    }
    /* The first of them had to make room. */
    assert_int_equal(told, 2 * KL_LOG_KINDS + 1);
    /* None is missing. */
    pass(KL_SECOND);
    for (const kl_log_line *line; (line = kl_log_take(&e));)
        told += strtoul(line->text + strlen("... "), NULL, 10);
    assert_int_equal(told, 59 * 3 * KL_LOG_KINDS);
    end();
}

static void each_kind_has_its_minute(void **state)
{
    (void)state;
    begin();
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 1);
    say("one: x", 2, 1);
    pass(KL_SECOND);
    say("two: x", 3, 1);
    pass(KL_LOG_WINDOW_NS - KL_SECOND);
    expect("... 1 more of these in the last minute, the last of them: one: x");
    expect_nothing();
    pass(KL_SECOND);
    expect("... 2 more of these in the last minute, the last of them: two: x");
    expect_nothing();
    end();
}

static void the_end_tells_what_was_kept_back(void **state)
{
    (void)state;
    begin();
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 2);
    say("one: x", 5, 2);
    kl_log_end(&e);
    expect("... 3 more of these in the last minute, the last of them: one: x");
    assert_true(kl_heap_when(&e.timers) == KL_NEVER);
    end();
}

/* A sum for which there is no room stands for all that it would have told of: it was counted as one
 * sentence, and the others were never heard of again. */
static void a_sum_without_room(void **state)
{
    (void)state;
    begin();
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 1);
    say("one: x", 8, 1);
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 0);
    for (int i = 0; i < KL_LOG_LINES - 1; i++)
        kl_log(&e, KLOOP_LOG_INFO, "filling");
    pass(KL_LOG_WINDOW_NS);
    for (int i = 0; i < KL_LOG_LINES - 1; i++)
        expect("filling");
    expect("... 7 more sentences were dropped, for nobody took them");
    expect_nothing();
    end();
}

static void a_sum_of_what_is_not_wanted_any_more(void **state)
{
    (void)state;
    begin();
    kloop_engine_set_log(&e, KLOOP_LOG_DEBUG, 1);
    say("one: x", 8, 1);
    kloop_engine_set_log(&e, KLOOP_LOG_ERROR, 1);
    pass(KL_LOG_WINDOW_NS);
    expect_nothing();
    assert_true(kl_heap_when(&e.timers) == KL_NEVER);
    end();
}

/* A producer whose broker is gone for three minutes: each minute so many, and a sum. */
static void a_broker_that_is_gone(void **state)
{
    (void)state;
    host h;
    host_new(&h, "reconnect.backoff.ms", "1000", "reconnect.backoff.max.ms", "1000", NULL);
    h.manual_connect = true;
    h.dead[1] = true;
    host_sleep_connecting(&h, 180000);
    size_t told = host_count_lines(&h, "LOG ") - host_count_lines(&h, "more of these");
    size_t sums = host_count_lines(&h, "more of these in the last minute, the last of them: b1");
    assert_int_equal(sums, 2);
    assert_int_equal(told, 3 * KL_LOG_SAME_MAX);
    host_close(&h, 0, 1000);
    assert_int_equal(host_count_lines(&h, "more of these in the last minute"), 3);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(full_ring_keeps_the_first),
        cmocka_unit_test(dropped_ones_are_told_in_their_place),
        cmocka_unit_test(taken_line_is_not_written_over),
        cmocka_unit_test(long_line_is_cut),
        cmocka_unit_test(trouble_is_kept),
        cmocka_unit_test(levels_above_are_not_told),
        cmocka_unit_test(the_same_is_told_so_often_in_a_minute),
        cmocka_unit_test(a_minute_begins_with_the_first),
        cmocka_unit_test(objects_are_told_apart_and_numbers_are_not),
        cmocka_unit_test(forgotten_kinds_are_summed_up),
        cmocka_unit_test(of_very_many_objects_all_together_are_counted),
        cmocka_unit_test(each_kind_has_its_minute),
        cmocka_unit_test(the_end_tells_what_was_kept_back),
        cmocka_unit_test(a_sum_without_room),
        cmocka_unit_test(a_sum_of_what_is_not_wanted_any_more),
        cmocka_unit_test(a_broker_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
