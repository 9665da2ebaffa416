/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of the live line, and which of them a width has room for. */
#define _POSIX_C_SOURCE 200809L
#include "cli/live_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static const kl_terminal plain = {.escapes = true};
static const kl_terminal pretty = {.escapes = true, .colour = true, .utf8 = true};
static char text[KL_LIVE_TEXT_MAX];

/* Three seconds at 2.5 million records and 250 MB a second, a third of them done. */
static kl_recent_rate rate_of(void)
{
    kl_recent_rate r = {.look_count = 0};
    for (uint64_t i = 0; i <= 30; i++) {
        kl_recent_look look = {.at_ns = SECOND + i * SECOND / 10,
                               .count = i * 250000,
                               .bytes = i * 25 * 1048576,
                               .part = i * 250000};
        kl_recent_rate_look(&r, &look);
    }
    return r;
}

static kl_live_figures figures(void)
{
    return (kl_live_figures){.delivered = 7500000,
                             .in_flight = 31240,
                             .buffer_bytes = 12,
                             .buffer_bytes_max = 100,
                             .p50_us = 3140,
                             .p99_us = 15926,
                             .part = 7500000,
                             .whole = 22500000};
}

/* Without escapes, what a terminal shows. */
static unsigned columns_shown(void)
{
    unsigned columns = 0;
    for (const char *at = text; *at; at++) {
        if (*at == '\033') {
            while (*at != 'm')
                at++;
        } else if (((unsigned char)*at & 0xC0) != 0x80) {
            columns++;
        }
    }
    return columns;
}

static const char *draw(const kl_live_figures *f, const kl_terminal *t, unsigned width)
{
    kl_recent_rate rate = rate_of();
    unsigned columns = kl_live_text_draw(text, f, &rate, t, width);
    assert_true(columns <= width);
    assert_int_equal(columns, columns_shown());
    return text;
}

static void all_of_it(void **state)
{
    (void)state;
    kl_live_figures f = figures();
    assert_string_equal(draw(&f, &plain, 140),
                        "###------  33%  eta 0:06  2.50M rec/s  250 MB/s  in flight 31.2k  buffer "
                        "12%  p50 3.14 ms p99 15.9 ms  no errors  ###");
    f.failed = 1234;
    assert_non_null(strstr(draw(&f, &plain, 140), "  1.23k not delivered  ###"));
}

/* It never takes more columns than there are, and has ever less to tell. */
static void every_width(void **state)
{
    (void)state;
    kl_live_figures f = figures();
    for (unsigned width = 0; width <= 400; width++) {
        f.failed = 0;
        draw(&f, &pretty, width);
        f.failed = 7;
        draw(&f, &plain, width);
        assert_true(width < 15 || strstr(text, "7 not delivered"));
        f.note = "suspended, because nobody is there";
        draw(&f, &pretty, width);
        f.note = NULL;
    }
    f.failed = 0;
    assert_string_equal(
        draw(&f, &plain, 80),
        " 33%  eta 0:06  2.50M rec/s  250 MB/s  in flight 31.2k  p50 3.14 ms p99 15.9 ms");
    assert_string_equal(draw(&f, &plain, 30), " 33%  2.50M rec/s  250 MB/s");
    assert_string_equal(draw(&f, &plain, 12), "2.50M rec/s");
    assert_string_equal(draw(&f, &plain, 5), "");
}

static void what_is_not_known_is_not_told(void **state)
{
    (void)state;
    kl_live_figures f = {
        .in_flight = KL_LIVE_NOT_TOLD, .p50_us = KL_LIVE_NOT_TOLD, .p99_us = KL_LIVE_NOT_TOLD};
    assert_string_equal(draw(&f, &plain, 140), "2.50M rec/s  250 MB/s  no errors  ###");
}

static void a_note_stands_in_the_pictures_place(void **state)
{
    (void)state;
    kl_live_figures f = figures();
    f.note = "suspended, because 127.0.0.1:9092 could not be reached: connection refused";
    draw(&f, &plain, 130);
    assert_non_null(strstr(text, "  no errors  suspended, because 127"));
    assert_string_equal(text + strlen(text) - 2, "..");
    assert_int_equal(strlen(text), 130);
    f.note = "stopping";
    draw(&f, &pretty, 140);
    assert_non_null(strstr(text, "stopping\033[0m"));
}

static void colours(void **state)
{
    (void)state;
    kl_live_figures f = figures();
    const kl_terminal grey = {.escapes = true, .utf8 = true};
    assert_non_null(strstr(draw(&f, &pretty, 140), "\033[32m\u2588"));
    assert_null(strchr(draw(&f, &grey, 140), '\033'));
    f.failed = 1;
    assert_non_null(strstr(draw(&f, &pretty, 140), "\033[1;31m1 not delivered\033[0m"));
}

static void long_times_and_small_numbers(void **state)
{
    (void)state;
    kl_live_figures f = figures();
    kl_recent_rate slow = {.look_count = 0};
    for (uint64_t i = 0; i <= 3; i++) {
        kl_recent_look look = {
            .at_ns = i * SECOND, .count = i * 7, .part = i * 7, .bytes = i * 700};
        kl_recent_rate_look(&slow, &look);
    }
    f.part = 21;
    f.whole = 21 + 7 * 4000;
    f.p50_us = 12;
    f.p99_us = 1234567;
    kl_live_text_draw(text, &f, &slow, &plain, 120);
    assert_non_null(strstr(text, "  0%  eta 1:06:40  7 rec/s  0.00 MB/s"));
    assert_non_null(strstr(text, "p50 0.01 ms p99 1235 ms"));
    f.part = f.whole;
    kl_live_text_draw(text, &f, &slow, &plain, 120);
    assert_non_null(strstr(text, " 100%  eta 0:00"));
}

static void plain_lines(void **state)
{
    (void)state;
    char *line;
    size_t size;
    kl_live_figures f = figures();
    kl_recent_rate rate = rate_of();
    FILE *to = open_memstream(&line, &size);
    kl_live_text_plain(&f, &rate, "produce", to);
    f = (kl_live_figures){.in_flight = KL_LIVE_NOT_TOLD,
                          .p50_us = KL_LIVE_NOT_TOLD,
                          .p99_us = KL_LIVE_NOT_TOLD,
                          .failed = 3};
    kl_live_text_plain(&f, &rate, "produce", to);
    fclose(to);
    assert_string_equal(line,
                        "kloop produce: 7500000 delivered, 2500000.0 records/sec (250.00 MB/sec), "
                        "33% done, 31240 in flight, buffer 12% full, 3.1 ms p50, 15.9 ms p99, 0 "
                        "not delivered\n"
                        "kloop produce: 0 delivered, 2500000.0 records/sec (250.00 MB/sec), 3 not "
                        "delivered\n");
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it),
        cmocka_unit_test(every_width),
        cmocka_unit_test(what_is_not_known_is_not_told),
        cmocka_unit_test(a_note_stands_in_the_pictures_place),
        cmocka_unit_test(colours),
        cmocka_unit_test(long_times_and_small_numbers),
        cmocka_unit_test(plain_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
