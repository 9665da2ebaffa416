/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The harness: finds out how many iterations fill a round, runs the rounds, sorts and prints.
 * Without memory it ends the program.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "bench/bench.h"

#include "base/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One case and its results; ns per operation. */
struct row {
    const bench_case *c;
    uint64_t iterations; /* in a round */
    double *rounds;      /* sorted at the end */
};

struct options {
    const char *filter;
    bool json;
    bool wall;
    size_t rounds;
    double round_ns;
};

static double now_ns(const struct options *o)
{
    struct timespec t;
    clock_gettime(o->wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double measure_ns(const struct options *o, const bench_case *c, uint64_t iterations)
{
    double start = now_ns(o);
    c->run(c->ctx, iterations);
    return now_ns(o) - start;
}

/* Grows until a round is long enough; this also warms caches up and lets first calls do what they
 * do once. */
static uint64_t calibrate(const struct options *o, const bench_case *c)
{
    uint64_t iterations = 1;
    for (;;) {
        double ns = measure_ns(o, c, iterations);
        if (ns >= o->round_ns || iterations > UINT64_MAX / 16)
            return iterations;
        /* Towards the goal in one step, but at most tenfold: short measurements are poor ones. */
        double factor = ns > 0 ? o->round_ns * 1.1 / ns : 10;
        factor = factor > 10 ? 10 : factor;
        iterations = (uint64_t)((double)iterations * factor) + 1;
    }
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which a part of the rounds lies. */
static double quantile(const struct options *o, const struct row *r, double part)
{
    return r->rounds[(size_t)((double)(o->rounds - 1) * part + 0.5)];
}

static double median(const struct options *o, const struct row *r)
{
    return quantile(o, r, 0.5);
}

static void print_rows(const struct options *o, const char *suite, const struct row *rows,
                       size_t count)
{
    int width = 4;
    for (size_t i = 0; i < count; i++) {
        int len = (int)strlen(rows[i].c->name);
        width = len > width ? len : width;
    }
    if (!o->json)
        printf("%-*s %12s %12s %12s %12s %10s\n", width, suite, "ns/op", "quarter", "3 quarters",
               "min", "MB/s");
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        double mid = median(o, r);
        double low = quantile(o, r, 0.25);
        double high = quantile(o, r, 0.75);
        double mb = (double)r->c->bytes_per_op * 1e3 / mid;
        if (o->json) {
            printf("{\"suite\":\"%s\",\"case\":\"%s\",\"ns_per_op\":%.3f,\"ns_quarter\":%.3f,"
                   "\"ns_three_quarters\":%.3f,\"ns_min\":%.3f,\"mb_per_s\":%.1f,"
                   "\"iterations\":%llu,\"rounds\":%zu}\n",
                   suite, r->c->name, mid, low, high, r->rounds[0], mb,
                   (unsigned long long)r->iterations, o->rounds);
        } else {
            printf("%-*s %12.2f %12.2f %12.2f %12.2f", width, r->c->name, mid, low, high,
                   r->rounds[0]);
            if (r->c->bytes_per_op)
                printf(" %10.0f", mb);
            printf("\n");
        }
    }
}

/* A ratio that names no case is a slip of the pen, and would otherwise just never appear. */
static bool is_case(const bench_case *cases, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(cases[i].name, name) == 0)
            return true;
    }
    return false;
}

static const struct row *find(const struct row *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].c->name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

/* false when the target is missed. */
static bool print_ratio(const struct options *o, const char *suite, const bench_ratio *ratio,
                        double value)
{
    bool met = (ratio->at_least <= 0 || value >= ratio->at_least) &&
               (ratio->at_most <= 0 || value <= ratio->at_most);
    bool has_target = ratio->at_least > 0 || ratio->at_most > 0;
    const char *verdict = !has_target ? "" : met ? "ok" : "MISSED";
    const char *unit = ratio->by ? "x" : "ns";
    if (o->json) {
        printf(
            "{\"suite\":\"%s\",\"ratio\":\"%s\",\"value\":%.3f,\"unit\":\"%s\",\"at_least\":%.3f,"
            "\"at_most\":%.3f,\"verdict\":\"%s\"}\n",
            suite, ratio->label, value, unit, ratio->at_least, ratio->at_most, verdict);
        return met;
    }
    printf("%-44s %9.2f %-2s", ratio->label, value, unit);
    if (ratio->at_least > 0)
        printf("  at least %.2f", ratio->at_least);
    if (ratio->at_most > 0)
        printf("  at most %.2f", ratio->at_most);
    printf("%s%s\n", has_target ? "  " : "", verdict);
    return met;
}

static bool print_ratios(const struct options *o, const char *suite, const struct row *rows,
                         size_t row_count, const bench_ratio *ratios, size_t count)
{
    bool all_met = true;
    if (!o->json && count)
        printf("\n");
    for (size_t i = 0; i < count; i++) {
        const struct row *of = find(rows, row_count, ratios[i].of);
        const struct row *by = ratios[i].by ? find(rows, row_count, ratios[i].by) : NULL;
        const struct row *minus = ratios[i].minus ? find(rows, row_count, ratios[i].minus) : NULL;
        if (!of || (ratios[i].by && !by) || (ratios[i].minus && !minus))
            continue;
        double value = median(o, of) / (by ? median(o, by) : 1) - (minus ? median(o, minus) : 0);
        all_met &= print_ratio(o, suite, &ratios[i], value);
    }
    return all_met;
}

static void usage(FILE *to, const char *suite)
{
    fprintf(to,
            "Measures %s.\n\n"
            "  --filter TEXT  only the cases whose name contains TEXT\n"
            "  --quick        few and short rounds: a look, not a measurement\n"
            "  --json         one JSON object a line\n"
            "  --wall         real time instead of the CPU time of this process\n"
            "  --help         this text\n\n"
            "Ends with 1 when a target is missed.\n",
            suite);
}

/* -1 to go on, otherwise what the program ends with. */
static int parse(struct options *o, const char *suite, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc) {
            o->filter = argv[++i];
        } else if (strcmp(argv[i], "--quick") == 0) {
            o->rounds = 5;
            o->round_ns = 1e6;
        } else if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (strcmp(argv[i], "--wall") == 0) {
            o->wall = true;
        } else {
            bool asked = strcmp(argv[i], "--help") == 0;
            usage(asked ? stdout : stderr, suite);
            return asked ? 0 : 2;
        }
    }
    return -1;
}

int bench_main(const char *suite, int argc, char **argv, const bench_case *cases, size_t case_count,
               const bench_ratio *ratios, size_t ratio_count)
{
    struct options o = {.rounds = 25, .round_ns = 4e6};
    int end = parse(&o, suite, argc, argv);
    if (end >= 0)
        return end;

    for (size_t i = 0; i < ratio_count; i++)
        KL_ASSERT(is_case(cases, case_count, ratios[i].of) &&
                  (!ratios[i].by || is_case(cases, case_count, ratios[i].by)) &&
                  (!ratios[i].minus || is_case(cases, case_count, ratios[i].minus)));

    struct row *rows = calloc(case_count + 1, sizeof(*rows));
    KL_ASSERT(rows);
    size_t count = 0;
    for (size_t i = 0; i < case_count; i++) {
        if (!cases[i].run || (o.filter && !strstr(cases[i].name, o.filter)))
            continue;
        double *rounds = calloc(o.rounds, sizeof(*rounds));
        KL_ASSERT(rounds);
        rows[count++] = (struct row){&cases[i], calibrate(&o, &cases[i]), rounds};
    }
    for (size_t round = 0; round < o.rounds; round++) {
        for (size_t i = 0; i < count; i++)
            rows[i].rounds[round] =
                measure_ns(&o, rows[i].c, rows[i].iterations) / (double)rows[i].iterations;
    }
    for (size_t i = 0; i < count; i++)
        qsort(rows[i].rounds, o.rounds, sizeof(double), by_size);

    print_rows(&o, suite, rows, count);
    bool met = print_ratios(&o, suite, rows, count, ratios, ratio_count);
    for (size_t i = 0; i < count; i++)
        free(rows[i].rounds);
    free(rows);
    return met ? 0 : 1;
}
