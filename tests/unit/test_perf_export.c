/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of --report: HdrHistogram's form letter for letter, and rows that lose nothing. */
#define _POSIX_C_SOURCE 200809L
#include "cli/perf_export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kl_perf_stats stats;
static char *text;
static size_t text_size;

static const char *export_as(kl_perf_export_form form, bool intended)
{
    const kl_perf_process process = {.records = 100};
    free(text);
    FILE *to = open_memstream(&text, &text_size);
    kl_perf_export(form, &stats, &process, intended, to);
    fclose(to);
    return text;
}

static int fill(void **state)
{
    (void)state;
    kl_perf_stats_start(&stats, 0);
    kl_perf_stats_add(&stats, 100, 50, 90, 0, 1);
    kl_perf_stats_add(&stats, 200, 55, 9, 0, 2);
    kl_perf_stats_add(&stats, 1000, 0, 1, 0, 3);
    return 0;
}

static void forms(void **state)
{
    (void)state;
    assert_int_equal(kl_perf_export_form_of("a.hgrm"), KL_PERF_EXPORT_HGRM);
    assert_int_equal(kl_perf_export_form_of("/x/a.b.csv"), KL_PERF_EXPORT_CSV);
    assert_int_equal(kl_perf_export_form_of("a.json"), KL_PERF_EXPORT_JSON);
    assert_int_equal(kl_perf_export_form_of(".json"), KL_PERF_EXPORT_NONE);
    assert_int_equal(kl_perf_export_form_of("json"), KL_PERF_EXPORT_NONE);
    assert_int_equal(kl_perf_export_form_of("a.html"), KL_PERF_EXPORT_NONE);
    assert_int_equal(kl_perf_export_form_of(""), KL_PERF_EXPORT_NONE);
}

static void hgrm(void **state)
{
    (void)state;
    const char *lines = export_as(KL_PERF_EXPORT_HGRM, false);
    assert_int_equal(strncmp(lines,
                             "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
                             "       0.100 0.000000000000         90           1.00\n"
                             "       0.100 0.100000000000         90           1.11\n"
                             "       0.100 0.200000000000         90           1.25\n"
                             "       0.100 0.300000000000         90           1.43\n"
                             "       0.100 0.400000000000         90           1.67\n"
                             "       0.100 0.500000000000         90           2.00\n"
                             "       0.100 0.550000000000         90           2.22\n",
                             390),
                     0);
    assert_non_null(strstr(lines, "       0.200 0.925000000000         99          13.33\n"));
    assert_non_null(strstr(lines, "       1.000 1.000000000000        100\n"
                                  "#[Mean    =        0.118, StdDeviation   =        0.093]\n"
                                  "#[Max     =        1.000, Total count    =          100]\n"
                                  "#[Buckets =           33, SubBuckets     =          256]\n"));
    assert_non_null(strstr(export_as(KL_PERF_EXPORT_HGRM, true),
                           "       0.150 0.000000000000         90           1.00\n"));
}

static void csv(void **state)
{
    (void)state;
    assert_string_equal(export_as(KL_PERF_EXPORT_CSV, true),
                        "from,up_to_us,records,so_far\n"
                        "actual,100,90,90\nactual,200,9,99\nactual,1000,1,100\n"
                        "intended,150,90,90\nintended,255,9,99\nintended,1000,1,100\n");
}

static void json(void **state)
{
    (void)state;
    const char *object = export_as(KL_PERF_EXPORT_JSON, false);
    assert_int_equal(strncmp(object, "{\"figures\":\n{\"records\":100,\"ok\":100,", 36), 0);
    assert_non_null(
        strstr(object, ",\n\"latency_up_to_us_and_records\":[[100,90],[200,9],[1000,1]]}\n"));
}

static void nothing(void **state)
{
    (void)state;
    kl_perf_stats_start(&stats, 0);
    assert_string_equal(export_as(KL_PERF_EXPORT_CSV, false), "from,up_to_us,records,so_far\n");
    assert_null(strstr(export_as(KL_PERF_EXPORT_HGRM, false), "nan"));
    assert_non_null(strstr(export_as(KL_PERF_EXPORT_JSON, false), "records\":[]}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),           cmocka_unit_test_setup(hgrm, fill),
        cmocka_unit_test_setup(csv, fill), cmocka_unit_test_setup(json, fill),
        cmocka_unit_test(nothing),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(text);
    return failed;
}
