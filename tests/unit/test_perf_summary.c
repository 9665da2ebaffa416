/* SPDX-License-Identifier: BSD-2-Clause */
/* The report at the end, letter for letter, and --print-metrics in the form of Kafka's tool. */
#define _POSIX_C_SOURCE 200809L
#include "base/prng.h"
#include "cli/perf_metrics.h"
#include "cli/perf_summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static char *text;
static size_t text_size;
static kl_perf_stats stats;
static kloop_histogram rtt, batch_bytes;

static const kl_terminal wide = {.width = 100}, narrow = {.width = 63};

static FILE *begin_text(void)
{
    free(text);
    return open_memstream(&text, &text_size);
}

static const kloop_broker_stats brokers[] = {
    {.id = -1, .port = 9092, .host = {"seed", 4}, .requests = 2, .answers = 2},
    {.id = 1,
     .port = 9093,
     .host = {"one", 3},
     .state = KLOOP_BROKER_READY,
     .batches = 1200,
     .requests = 300,
     .answers = 300,
     .throttles = 4,
     .rtt_us = &rtt},
};

static const kloop_topic_stats topics[] = {
    {.name = {"t", 1}, .sent = 1000000, .sent_bytes = 30000000, .failed = 2}};

static kloop_snapshot snapshot(void)
{
    return (kloop_snapshot){.age_ns = 2 * SECOND,
                            .client_id = {"me", 2},
                            .totals = {.acked = 999998,
                                       .failed = 2,
                                       .retries = 3,
                                       .batches_split = 1,
                                       .connects = 2,
                                       .held_bytes = 100,
                                       .requests = 302},
                            .memory_bytes = 1000,
                            .metadata_age_ns = SECOND / 2,
                            .answers = 302,
                            .produce_requests = 300,
                            .sent = 1000000,
                            .sent_batches = 1200,
                            .sent_bytes = 30000000,
                            .sent_plain_bytes = 120000000,
                            .batch_bytes = &batch_bytes,
                            .brokers = brokers,
                            .broker_count = 2,
                            .topics = topics,
                            .topic_count = 1};
}

static int fill(void **state)
{
    (void)state;
    kl_perf_stats_start(&stats, SECOND);
    kl_perf_stats_add(&stats, 2000, 0, 999998, UINT64_C(100) << 20, 3 * SECOND);
    memset(&rtt, 0, sizeof rtt);
    kloop_histogram_add(&rtt, 10, 300);
    memset(&batch_bytes, 0, sizeof batch_bytes);
    kloop_histogram_add(&batch_bytes, 25000, 1200);
    return 0;
}

static void the_summary(void **state)
{
    (void)state;
    kloop_snapshot end = snapshot();
    FILE *to = begin_text();
    kl_perf_print_summary(&stats, &end, 1000000, to);
    fclose(to);
    assert_string_equal(
        text,
        "\ndelivered   999,998 of 1,000,000 records, 100.00 MB in 2.00 s\n"
        "batches     1,200, on average 833.3 records in 25,000 bytes; compressed to 25.0 %, "
        "4.00 : 1\n"
        "requests    300; batches sent again: 3; split: 1\n"
        "broker 1    one:9093, 1,200 batches, round trip p50 0.010 ms, p99 0.010 ms, throttled "
        "4 times\n");
    end.sent_plain_bytes = end.sent_bytes;
    to = begin_text();
    kl_perf_print_summary(&stats, &end, 1000000, to);
    fclose(to);
    assert_non_null(strstr(text, "; not compressed\n"));
}

/* No snapshot for want of memory, or nothing sent. */
static void little_to_tell(void **state)
{
    (void)state;
    kloop_snapshot end = {.sent = 0};
    kl_perf_stats_start(&stats, SECOND);
    for (int i = 0; i < 2; i++) {
        FILE *to = begin_text();
        kl_perf_print_summary(&stats, i ? &end : NULL, 12, to);
        kl_perf_print_histogram(&stats.latency, &wide, to);
        fclose(to);
        assert_string_equal(text, "\ndelivered   0 of 12 records, 0.00 MB in 0.00 s\n");
    }
}

static void the_histogram(void **state)
{
    (void)state;
    kl_histogram h = {0};
    kl_histogram_add(&h, 95, 1);
    kl_histogram_add(&h, 900, 1000000);
    kl_histogram_add(&h, 950, 500000);
    kl_histogram_add(&h, 9000, 2);
    FILE *to = begin_text();
    kl_perf_print_histogram(&h, &narrow, to);
    fclose(to);
    assert_non_null(strstr(text, "     up to       records   share  so far\n"
                                 "   0.10 ms             1   0.00%   0.00% |\n"));
    assert_non_null(strstr(text, "   1.00 ms     1,500,000 100.00% 100.00% "
                                 "######################\n"));
    assert_non_null(strstr(text, "   10.0 ms             2   0.00% 100.00% |\n"));
}

/* Whatever the values are: all are in one row, in not too many rows, in not too many columns. */
static void histograms_of_any_shape(void **state)
{
    (void)state;
    kl_prng prng;
    kl_prng_init(&prng, 3);
    for (int round = 0; round < 300; round++) {
        static kl_histogram h;
        memset(&h, 0, sizeof h);
        for (uint64_t i = 0; i <= kl_prng_below(&prng, 200); i++)
            kl_histogram_add(&h, kl_prng_next(&prng) >> (26 + kl_prng_below(&prng, 38)),
                             1 + kl_prng_below(&prng, 5));
        FILE *to = begin_text();
        kl_perf_print_histogram(&h, &wide, to);
        fclose(to);
        uint64_t records = 0;
        unsigned rows = 0;
        for (char *line = strstr(text, "far\n") + 4; *line; line = strchr(line, '\n') + 1) {
            assert_true(strchr(line, '\n') - line <= 100);
            /* "3.25 ms         1,234,567 ..." */
            records += strtoull(strstr(line, "s ") + 2, NULL, 10);
            rows++;
        }
        assert_int_equal(records, h.count);
        assert_in_range(rows, 1, 20);
        assert_non_null(strstr(text, " 100.00% "));
    }
}

static void the_histogram_on_a_terminal(void **state)
{
    (void)state;
    const kl_terminal pretty = {.width = 100, .is_terminal = true, .colour = true, .utf8 = true};
    kl_histogram h = {0};
    kl_histogram_add(&h, 1000, 3);
    FILE *to = begin_text();
    kl_perf_print_histogram(&h, &pretty, to);
    fclose(to);
    assert_non_null(strstr(text, "\n\033[2m     up to "));
    assert_non_null(strstr(text, " 100.00% \033[36m\u2588"));
    assert_non_null(strstr(text, "\u2588\033[0m\n"));
}

static void metrics(void **state)
{
    (void)state;
    kloop_snapshot end = snapshot();
    FILE *to = begin_text();
    kl_perf_print_metrics(&end, to);
    fclose(to);
    assert_int_equal(strncmp(text, "\nMetric Name ", 13), 0);
    static const char *const rows[] = {
        "producer-metrics:record-send-total:{client-id=me} ",
        "producer-metrics:batch-size-avg:{client-id=me} ",
        "producer-metrics:compression-rate-avg:{client-id=me} ",
        "producer-metrics:metadata-age:{client-id=me} ",
        "producer-metrics:request-latency-avg:{client-id=me} ",
        "producer-metrics:buffer-available-bytes:{client-id=me} ",
        "producer-node-metrics:request-total:{client-id=me, node-id=node-1} ",
        "producer-node-metrics:request-latency-avg:{client-id=me, node-id=node--1} ",
        "producer-topic-metrics:byte-rate:{client-id=me, topic=t} ",
    };
    static const char *const values[] = {"1000000.000", "25000.000", "0.250",
                                         "0.500",       "0.010",     "900.000",
                                         "300.000",     "NaN",       "15000000.000"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *row = strstr(text, rows[i]);
        assert_non_null(row);
        const char *value = strstr(row, " : ") + 3;
        assert_int_equal(strncmp(value, values[i], strlen(values[i])), 0);
        assert_int_equal(value[strlen(values[i])], '\n');
    }
    /* Sorted, and all of one width. */
    const char *last = NULL;
    size_t width = 0;
    for (char *line = strstr(text, "Value\n") + 6; *line; line = strchr(line, '\n') + 1) {
        size_t at = (size_t)(strstr(line, " : ") - line);
        assert_true(!last || strncmp(last, line, at) < 0);
        assert_true(!last || at == width);
        last = line;
        width = at;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_summary, fill),
        cmocka_unit_test(little_to_tell),
        cmocka_unit_test(the_histogram),
        cmocka_unit_test(histograms_of_any_shape),
        cmocka_unit_test(the_histogram_on_a_terminal),
        cmocka_unit_test_setup(metrics, fill),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(text);
    return failed;
}
