/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of the report, letter for letter as Kafka's tool prints them for the same figures. */
#define _POSIX_C_SOURCE 200809L
#include "cli/perf_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static char *text;
static size_t text_size;

static FILE *begin_text(void)
{
    free(text);
    return open_memstream(&text, &text_size);
}

static void assert_text(FILE *to, const char *wanted)
{
    fclose(to);
    assert_string_equal(text, wanted);
}

static kl_perf_stats stats;

/* 1000 records of 1 KiB in 2 seconds; latencies of 1 to 1000 times 100 us. */
static void fill(void)
{
    kl_perf_stats_start(&stats, 5 * SECOND);
    for (uint64_t i = 1; i <= 1000; i++)
        kl_perf_stats_add(&stats, i * 100, 50, 1, 1024, 5 * SECOND + i * 2 * SECOND / 1000);
}

static void the_line_of_an_interval(void **state)
{
    (void)state;
    fill();
    kl_perf_stats_add(&stats, 90000, 50, 1, 1024, 7 * SECOND);
    FILE *to = begin_text();
    kl_perf_print_window(&stats, 7 * SECOND, to);
    assert_text(to, "1001 records sent, 500.5 records/sec (0.49 MB/sec), 50.1 ms avg latency, "
                    "100.0 ms max latency.\n");
    /* A new window knows nothing of the one before. */
    kl_perf_stats_add(&stats, 7000, 0, 10, 10 << 20, 8 * SECOND);
    to = begin_text();
    kl_perf_print_window(&stats, 12 * SECOND, to);
    assert_text(to,
                "10 records sent, 2.0 records/sec (2.00 MB/sec), 7.0 ms avg latency, 7.0 ms max "
                "latency.\n");
    to = begin_text();
    kl_perf_print_window(&stats, 12 * SECOND, to);
    assert_text(to, "0 records sent, 0.0 records/sec (0.00 MB/sec), 0.0 ms avg latency, 0.0 ms max "
                    "latency.\n");
}

static void the_line_of_the_end(void **state)
{
    (void)state;
    fill();
    FILE *to = begin_text();
    kl_perf_print_total(&stats, "", to);
    assert_text(to,
                "1000 records sent, 500.000000 records/sec (0.49 MB/sec), 50.05 ms avg latency, "
                "100.00 ms max latency, 50 ms 50th, 95 ms 95th, 99 ms 99th, 100 ms 99.9th.\n");
    to = begin_text();
    kl_perf_print_total(&stats, " steady state", to);
    fclose(to);
    assert_int_equal(strncmp(text, "1000 steady state records sent, 500.0", 37), 0);
}

static void percentiles(void **state)
{
    (void)state;
    kl_perf_stats_start(&stats, 0);
    for (uint64_t i = 1; i <= 100; i++)
        kl_perf_stats_add(&stats, i, i, 1, 0, i);
    FILE *to = begin_text();
    kl_perf_print_percentiles(&stats, false, to);
    assert_text(to,
                "latency from the actual send in us: 50th 51, 90th 91, 95th 96, 99th 100, 99.9th "
                "100, 99.99th 100, max 100\n");
    to = begin_text();
    kl_perf_print_percentiles(&stats, true, to);
    fclose(to);
    assert_non_null(strstr(text,
                           "\nlatency from the intended send in us: 50th 102, 90th 182, 95th 192, "
                           "99th 200, 99.9th 200, 99.99th 200, max 200\n"));
}

static void the_object(void **state)
{
    (void)state;
    kl_perf_process process = {.records = 1010,
                               .failed = 7,
                               .unknown = 3,
                               .user_us = 1500000,
                               .sys_us = 520000,
                               .max_rss_kb = 4096,
                               .threads = 1,
                               .vcsw = 12,
                               .ivcsw = 34,
                               .loop_hold_max_ns = 1234567};
    fill();
    FILE *to = begin_text();
    kl_perf_print_json(&stats, &process, false, to);
    assert_text(to, "{\"records\":1010,\"ok\":1000,\"failed\":7,\"unknown\":3,\"wall_s\":2.000000,"
                    "\"rec_per_s\":500.0,\"mb_per_s\":0.488,\"user_s\":1.500000,\"sys_s\":0.520000,"
                    "\"cpu_ns_per_record\":2000000.00,\"max_rss_kb\":4096,\"p50_ms\":50.175,"
                    "\"p95_ms\":95.231,\"p99_ms\":99.327,\"p999_ms\":100.000,\"max_ms\":100.000,"
                    "\"threads\":1,\"vcsw\":12,\"ivcsw\":34,\"loop_hold_max_ms\":1.235}\n");
    to = begin_text();
    kl_perf_print_json(&stats, &process, true, to);
    fclose(to);
    assert_non_null(strstr(text, ",\"intended_p50_ms\":50.175,\"intended_p99_ms\":99.327,"
                                 "\"intended_max_ms\":100.050,"));
    process.cpu_hold_max_ns = 987654;
    to = begin_text();
    kl_perf_print_json(&stats, &process, false, to);
    fclose(to);
    assert_non_null(strstr(text, ",\"loop_hold_max_ms\":1.235,\"cpu_hold_max_ms\":0.988}\n"));
}

static void nothing_came_back(void **state)
{
    (void)state;
    const kl_perf_process process = {0};
    kl_perf_stats_start(&stats, 0);
    FILE *to = begin_text();
    kl_perf_print_total(&stats, "", to);
    assert_text(to,
                "0 records sent, 0.000000 records/sec (0.00 MB/sec), 0.00 ms avg latency, 0.00 ms "
                "max latency, 0 ms 50th, 0 ms 95th, 0 ms 99th, 0 ms 99.9th.\n");
    to = begin_text();
    kl_perf_print_json(&stats, &process, true, to);
    fclose(to);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
}

static void the_process(void **state)
{
    (void)state;
    kl_perf_process process = {0};
    kl_perf_process_usage(&process);
    assert_true(process.max_rss_kb > 0);
    assert_int_equal(kl_perf_threads(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_of_an_interval),
        cmocka_unit_test(the_line_of_the_end),
        cmocka_unit_test(percentiles),
        cmocka_unit_test(the_object),
        cmocka_unit_test(nothing_came_back),
        cmocka_unit_test(the_process),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(text);
    return failed;
}
