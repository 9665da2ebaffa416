/* SPDX-License-Identifier: BSD-2-Clause */
/* Events and letters of the same records: one event for each, a letter for each that was not
 * acknowledged, and every copy given back. */
#define _GNU_SOURCE
#include "cli/produce_output.h"
#include "cli/record_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];
static int screen, shown;
static uv_loop_t loop;
static kl_dead_letters letters;
static kl_produce_output o;

static void on_room(void *me)
{
    (void)me;
}

/* Standard output is a file until finish. */
static void begin(bool events, bool tee, bool with_letters)
{
    fflush(stdout);
    screen = dup(STDOUT_FILENO);
    shown = memfd_create("stdout", MFD_CLOEXEC);
    dup2(shown, STDOUT_FILENO);
    strcpy(path, "/tmp/kloop-output-XXXXXX");
    close(mkstemp(path));
    if (with_letters)
        assert_int_equal(kl_dead_letters_open(&letters, path), 0);
    uv_loop_init(&loop);
    o = (kl_produce_output){
        .events = events, .tee = tee, .letters = with_letters ? &letters : NULL};
    kl_produce_output_start(&o, &loop, on_room, NULL);
    kl_produce_output_begin(&o);
}

static size_t count_of(const char *text, const char *words)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, words)); at++)
        n++;
    return n;
}

static char *text_of(int fd)
{
    static char text[8192];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

static void finish(void)
{
    kl_produce_output_end(&o, 1, 2, 3);
    uv_run(&loop, UV_RUN_DEFAULT);
    dup2(screen, STDOUT_FILENO);
    close(screen);
    assert_int_equal(uv_loop_close(&loop), 0);
    kl_produce_output_deinit(&o);
    if (o.letters)
        assert_int_equal(kl_dead_letters_close(&letters), 0);
}

static void settle(kloop_outcome outcome, const char *value)
{
    kloop_record record = {.value = {(const uint8_t *)value, strlen(value)}};
    void *users[2] = {NULL, NULL};
    if (kl_produce_output_needs_copies(&o)) {
        for (int i = 0; i < 2; i++)
            users[i] = kl_record_copy_new(&record, true, uv_hrtime());
    }
    kloop_report run = {.topic_name = {"t", 1},
                        .outcome = outcome,
                        .cause =
                            outcome == KLOOP_OUTCOME_ACKED ? KLOOP_CAUSE_NONE : KLOOP_CAUSE_TIMEOUT,
                        .text = "why",
                        .users = users,
                        .count = 2,
                        .record_count = 2};
    kl_produce_output_settled(&o, &run);
}

static void one_of_each(void)
{
    settle(KLOOP_OUTCOME_ACKED, "acked");
    settle(KLOOP_OUTCOME_FAILED, "failed");
    settle(KLOOP_OUTCOME_UNKNOWN, "unknown");
    kl_input_record in = {.record.value = {(const uint8_t *)"refused", 7}, .topic = {"u", 1}};
    kl_produce_output_refused(&o, &in, "TOO_LARGE", "it is");
}

static void events_and_letters(void **state)
{
    (void)state;
    for (int kinds = 0; kinds < 4; kinds++) {
        bool events = kinds & 1, with_letters = kinds & 2;
        begin(events, false, with_letters);
        one_of_each();
        finish();
        const char *text = text_of(shown);
        assert_int_equal(count_of(text, "\n"), events ? 10 : 0);
        assert_int_equal(count_of(text, "producer_send_success"), events ? 2 : 0);
        assert_int_equal(count_of(text, "producer_send_error"), events ? 5 : 0);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        text = text_of(fd);
        assert_int_equal(count_of(text, "\n"), with_letters ? 5 : 0);
        assert_int_equal(count_of(text, "\"outcome\":\"failed\""), with_letters ? 3 : 0);
        assert_int_equal(count_of(text, "\"outcome\":\"unknown\""), with_letters ? 2 : 0);
        assert_int_equal(count_of(text, "\"topic\":\"u\""), with_letters ? 1 : 0);
        close(fd);
        close(shown);
        unlink(path);
    }
}

static void the_tee(void **state)
{
    (void)state;
    begin(false, true, false);
    kl_produce_output_taken(&o, (kloop_string){"a:b", 3}, (kloop_string){"\n", 1});
    assert_true(kl_produce_output_waiting(&o));
    kl_produce_output_push(&o);
    assert_false(kl_produce_output_waiting(&o));
    one_of_each();
    finish();
    assert_string_equal(text_of(shown), "a:b\n");
    close(shown);
    unlink(path);
}

/* Readers that are there and do not read hold the loop until they are given up. */
static void giving_up(void **state)
{
    (void)state;
    int ends[2];
    begin(true, false, false);
    finish();
    close(shown);
    unlink(path);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fflush(stdout);
    screen = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    uv_loop_init(&loop);
    o = (kl_produce_output){.events = true};
    kl_produce_output_start(&o, &loop, on_room, NULL);
    for (int i = 0; i < 20000; i++)
        settle(KLOOP_OUTCOME_FAILED, "x");
    bool full = kl_produce_output_full(&o);
    kl_produce_output_end(&o, 0, 0, 0);
    bool alive = uv_run(&loop, UV_RUN_NOWAIT);
    kl_produce_output_give_up(&o);
    uv_run(&loop, UV_RUN_DEFAULT);
    dup2(screen, STDOUT_FILENO);
    close(screen);
    assert_true(full && alive);
    assert_true(kl_produce_output_failed(&o));
    assert_int_equal(o.out.error, ECANCELED);
    assert_true(o.out.lost_lines > 30000);
    assert_int_equal(uv_loop_close(&loop), 0);
    kl_produce_output_deinit(&o);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_and_letters),
        cmocka_unit_test(the_tee),
        cmocka_unit_test(giving_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
