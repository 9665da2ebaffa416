/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot as Prometheus text, held against the format by a parser that takes nothing else: each
 * family has its HELP and TYPE once and in front, all its samples together, legal names and labels,
 * no sample twice; counters end with _total; histograms rise to +Inf, which is their count.
 */
#include "tests/support/some_snapshot.h"

#include <kloop/stats_text.h>

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_MAX     131072
#define SAMPLES_MAX  2000
#define FAMILIES_MAX 200

typedef struct sample {
    char name[80];
    char labels[400]; /* as they stand in the text, without le */
    char le[40];      /* "": none */
    double value;
} sample;

typedef struct family {
    char name[80];
    char type[16];
} family;

static kl_some_snapshot s;
static char whole[TEXT_MAX];
static sample samples[SAMPLES_MAX];
static size_t sample_count;
static family families[FAMILIES_MAX];
static size_t family_count;

static size_t write_all(const kloop_snapshot *of, char *to, size_t size, size_t step)
{
    kloop_text_place at = {0};
    size_t len = 0;
    for (size_t n;
         (n = kloop_prometheus(of, &at, to + len, step < size - len ? step : size - len)) > 0;)
        len += n;
    assert_true(len < size);
    to[len] = '\0';
    return len;
}

/* ---- The parser ---- */

static bool is_name(const char *at, size_t len, bool label)
{
    for (size_t i = 0; i < len; i++)
        if (!(isalpha((unsigned char)at[i]) || at[i] == '_' || (!label && at[i] == ':') ||
              (i > 0 && isdigit((unsigned char)at[i]))))
            return false;
    return len > 0;
}

/* Over a label's value, behind its opening quote; answers where its closing one is. */
static const char *over_value(const char *at)
{
    for (; *at != '"'; at++) {
        if (*at == '\0' || *at == '\n')
            fail_msg("a label's value does not end");
        if (*at == '\\') {
            at++;
            if (*at != '\\' && *at != '"' && *at != 'n')
                fail_msg("\\%c is no escape", *at);
        }
    }
    return at;
}

static const char *take_labels(const char *at, sample *to)
{
    while (*at != '}') {
        const char *equals = strchr(at, '=');
        if (!equals || !is_name(at, (size_t)(equals - at), true) || equals[1] != '"')
            fail_msg("no label: %.40s", at);
        const char *end = over_value(equals + 2);
        if (strncmp(at, "le=", 3) == 0)
            snprintf(to->le, sizeof to->le, "%.*s", (int)(end - equals - 2), equals + 2);
        else
            snprintf(to->labels + strlen(to->labels), sizeof to->labels - strlen(to->labels),
                     "%.*s;", (int)(end + 1 - at), at);
        at = end + 1;
        if (*at == ',')
            at++;
        else if (*at != '}')
            fail_msg("behind a label: %.20s", at);
    }
    return at + 1;
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), of_end = strlen(end);
    return len > of_end && strcmp(name + len - of_end, end) == 0;
}

/* Is this sample's name one of the family's? */
static bool belongs(const sample *one, const family *f)
{
    size_t len = strlen(f->name);
    if (strncmp(one->name, f->name, len) != 0)
        return false;
    const char *rest = one->name + len;
    if (strcmp(f->type, "histogram") != 0)
        return rest[0] == '\0';
    return (strcmp(rest, "_bucket") == 0 && one->le[0]) ||
           ((strcmp(rest, "_sum") == 0 || strcmp(rest, "_count") == 0) && !one->le[0]);
}

static void take_sample(const char *line)
{
    assert_true(sample_count < SAMPLES_MAX);
    sample *one = &samples[sample_count];
    memset(one, 0, sizeof *one);
    size_t len = strcspn(line, "{ ");
    if (!is_name(line, len, false) || len >= sizeof one->name)
        fail_msg("no name: %.60s", line);
    memcpy(one->name, line, len);
    const char *at = line + len;
    if (*at == '{')
        at = take_labels(at + 1, one);
    if (*at != ' ')
        fail_msg("no value: %.60s", line);
    char *end;
    one->value = strtod(at + 1, &end);
    if (end == at + 1 || *end != '\0')
        fail_msg("no number: %s", line);
    if (family_count == 0 || !belongs(one, &families[family_count - 1]))
        fail_msg("a sample of another family: %s", line);
    for (size_t i = 0; i < sample_count; i++)
        if (!strcmp(samples[i].name, one->name) && !strcmp(samples[i].labels, one->labels) &&
            !strcmp(samples[i].le, one->le))
            fail_msg("twice: %s", line);
    sample_count++;
}

static void take_comment(const char *line)
{
    static char helped[80];
    char name[80], type[16];
    int at = 0;
    if (sscanf(line, "# HELP %79s %n", name, &at) == 1 && at > 0 && line[at]) {
        for (size_t i = 0; i < family_count; i++)
            if (!strcmp(families[i].name, name))
                fail_msg("a second HELP for %s", name);
        snprintf(helped, sizeof helped, "%s", name);
        return;
    }
    if (sscanf(line, "# TYPE %79s %15s%n", name, type, &at) != 2 || line[at])
        fail_msg("no comment of ours: %s", line);
    if (strcmp(name, helped) != 0)
        fail_msg("TYPE without HELP: %s", line);
    if (strcmp(type, "counter") && strcmp(type, "gauge") && strcmp(type, "histogram"))
        fail_msg("no type: %s", line);
    if (ends_with(name, "_total") != (strcmp(type, "counter") == 0))
        fail_msg("counters end with _total, and nothing else: %s", line);
    if (strncmp(name, "kloop_", 6) || ends_with(name, "_bucket") || ends_with(name, "_count") ||
        ends_with(name, "_sum") || ends_with(name, "_ms") || ends_with(name, "_us"))
        fail_msg("no good name: %s", line);
    assert_true(family_count < FAMILIES_MAX);
    family *f = &families[family_count++];
    snprintf(f->name, sizeof f->name, "%s", name);
    snprintf(f->type, sizeof f->type, "%s", type);
}

/* Of each histogram and set of labels: buckets that rise, then +Inf, the sum, and the count. */
static void check_histograms(void)
{
    for (size_t i = 0; i < sample_count; i++) {
        const sample *one = &samples[i];
        if (!ends_with(one->name, "_bucket"))
            continue;
        const sample *next = &samples[i + 1];
        assert_true(i + 2 < sample_count);
        if (strcmp(one->le, "+Inf") != 0) {
            assert_string_equal(one->name, next->name);
            assert_string_equal(one->labels, next->labels);
            assert_true(one->value <= next->value);
            assert_true(!strcmp(next->le, "+Inf") || atof(one->le) < atof(next->le));
            continue;
        }
        assert_true(ends_with(next->name, "_sum"));
        assert_true(ends_with(samples[i + 2].name, "_count"));
        assert_string_equal(samples[i + 2].labels, one->labels);
        assert_true(samples[i + 2].value == one->value);
    }
}

static void parse(const char *text)
{
    char line[600];
    sample_count = family_count = 0;
    size_t len = strlen(text);
    assert_true(len == 0 || text[len - 1] == '\n');
    for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
        size_t n = strcspn(at, "\n");
        assert_true(n > 0 && n < sizeof line);
        memcpy(line, at, n);
        line[n] = '\0';
        if (line[0] == '#')
            take_comment(line);
        else
            take_sample(line);
    }
    check_histograms();
}

/* ---- Questions ---- */

#define ME "client_id=\"a \\\"b\\\"\\\\\\n\xc3\xa4\";"

static double value(const char *name, const char *labels, const char *le)
{
    for (size_t i = 0; i < sample_count; i++)
        if (!strcmp(samples[i].name, name) && !strcmp(samples[i].labels, labels) &&
            !strcmp(samples[i].le, le))
            return samples[i].value;
    fail_msg("there is no %s{%s%s}", name, labels, le);
    return 0;
}

static bool has(const char *name)
{
    for (size_t i = 0; i < sample_count; i++)
        if (!strcmp(samples[i].name, name))
            return true;
    return false;
}

static void is(double a, double b)
{
    if (a - b > 1e-9 || b - a > 1e-9)
        fail_msg("%f, not %f", a, b);
}

static int begin(void **state)
{
    (void)state;
    kl_some_snapshot_make(&s);
    return 0;
}

static void names_and_numbers(void **state)
{
    (void)state;
    write_all(&s.is, whole, sizeof whole, sizeof whole);
    parse(whole);
    is(value("kloop_records_acked_total", ME, ""), 1000);
    is(value("kloop_records_pending", ME, ""), 77);
    is(value("kloop_batches_plain_bytes_total", ME, ""), 132000);
    is(value("kloop_metadata_age_seconds", ME, ""), 1.5);
    is(value("kloop_buffer_full", ME, ""), 0);
    is(value("kloop_record_age_seconds_count", ME, ""), 1000);
    is(value("kloop_record_age_seconds_sum", ME, ""), 50.5);
    is(value("kloop_record_age_seconds_bucket", ME, "0.000128"), 0);
    /* Those of up to 65 ms; a slot ends there. */
    is(value("kloop_record_age_seconds_bucket", ME, "0.065536"), 650);
    is(value("kloop_record_age_seconds_bucket", ME, "0.131072"), 1000);
    is(value("kloop_batch_records_bucket", ME, "1"), 1);
    is(value("kloop_batch_records_bucket", ME, "63"), 63);
    is(value("kloop_batch_records_bucket", ME, "+Inf"), 100);
    const char *b1 = ME "broker=\"1\";host=\"b1.example\";port=\"9093\";";
    is(value("kloop_broker_ready", b1, ""), 1);
    is(value("kloop_broker_in_flight_requests", b1, ""), 2);
    is(value("kloop_broker_requests_total", b1, ""), 104);
    is(value("kloop_broker_produce_seconds_count", b1, ""), 100);
    is(value("kloop_broker_throttle_seconds_sum", b1, ""), 0.5);
    is(value("kloop_broker_ready", ME "broker=\"bootstrap1\";host=\"boot.example\";port=\"9092\";",
             ""),
       0);
    const char *events = ME "topic=\"events\";";
    is(value("kloop_topic_records_acked_total", events, ""), 900);
    is(value("kloop_topic_partitions_led", events, ""), 2);
    is(value("kloop_topic_parked_records", ME "topic=\"unknown\";", ""), 40);
    is(value("kloop_partition_records_acked_total", ME "topic=\"logs\";partition=\"0\";", ""), 300);
    is(value("kloop_partition_suspended", ME "topic=\"events\";partition=\"2\";", ""), 1);
    is(value("kloop_partition_suspended", ME "topic=\"events\";partition=\"0\";", ""), 0);
    /* Never used. */
    for (size_t i = 0; i < sample_count; i++)
        assert_null(strstr(samples[i].labels, "topic=\"logs\";partition=\"1\""));
}

static void partitions_only_on_request(void **state)
{
    (void)state;
    s.is.partition_count = 0;
    for (int i = 0; i < 3; i++)
        s.topics[i].row_count = 0;
    write_all(&s.is, whole, sizeof whole, sizeof whole);
    parse(whole);
    assert_true(has("kloop_topic_records_acked_total"));
    assert_null(strstr(whole, "partition="));
}

static void of_nothing(void **state)
{
    (void)state;
    const kloop_snapshot empty = {
        .client_id = {"", 0}, .fatal = {"", 0}, .metadata_age_ns = UINT64_MAX, .whole = true};
    write_all(&empty, whole, sizeof whole, 11);
    parse(whole);
    is(value("kloop_records_acked_total", "client_id=\"\";", ""), 0);
    assert_non_null(strstr(whole, "kloop_metadata_age_seconds{client_id=\"\"} NaN\n"));
    assert_false(has("kloop_broker_requests_total"));
}

static void cut_anywhere(void **state)
{
    static char cut[TEXT_MAX];
    (void)state;
    size_t len = write_all(&s.is, whole, sizeof whole, sizeof whole);
    for (size_t step = 1; step < len + 2; step += step < 100 ? 1 : step / 5) {
        assert_int_equal(write_all(&s.is, cut, sizeof cut, step), len);
        assert_string_equal(cut, whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(names_and_numbers, begin),
        cmocka_unit_test_setup(partitions_only_on_request, begin),
        cmocka_unit_test_setup(of_nothing, begin),
        cmocka_unit_test_setup(cut_anywhere, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
