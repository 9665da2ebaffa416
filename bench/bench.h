/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small harness for measuring. A benchmark is a table of cases and a table of ratios:
 *
 *     static const bench_case cases[] = {
 *         {.name = "copy 64 KiB", .run = copy, .ctx = &big, .bytes_per_op = 65536},
 *         {.name = "crc 64 KiB", .run = checksum, .ctx = &big, .bytes_per_op = 65536},
 *     };
 *     static const bench_ratio ratios[] = {
 *         {.label = "crc against copy", .of = "crc 64 KiB", .by = "copy 64 KiB", .at_most = 3},
 *     };
 *     int main(int argc, char **argv)
 *     {
 *         return bench_main("crc", argc, argv, cases, COUNT, ratios, COUNT);
 *     }
 *
 * All cases run in turn, round after round, so that what slows the machine down for a while slows
 * all of them; the result of a case is the median over the rounds, and ratios compare medians of
 * the same run. The clock is the CPU time of the process, which other processes disturb least.
 * Nothing is owned: contexts are the caller's.
 */
#ifndef KL_BENCH_BENCH_H
#define KL_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Does the measured operation that many times. The harness finds the number. */
typedef void (*bench_fn)(void *ctx, uint64_t iterations);

typedef struct bench_case {
    const char *name; /* unique, without quotes */
    bench_fn run;     /* NULL: the case is skipped, say because this processor cannot run it */
    void *ctx;
    size_t bytes_per_op; /* for the column of bytes per second; 0 leaves it out */
} bench_case;

/*
 * ns per operation of one case: divided by that of another (by), less that of another (minus), or
 * as it is when both are NULL. A target is at_least or at_most, 0 means none. A row whose cases did
 * not run is left out.
 */
typedef struct bench_ratio {
    const char *label;
    const char *of;
    const char *by;
    const char *minus;
    double at_least;
    double at_most;
} bench_ratio;

/* 0, 1 when a target is missed, 2 when the arguments are wrong. --help tells the arguments. */
int bench_main(const char *suite, int argc, char **argv, const bench_case *cases, size_t case_count,
               const bench_ratio *ratios, size_t ratio_count);

/* The compiler must take it that somebody reads and changes the bytes behind p, and all memory. */
static inline void bench_keep(const void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

/* The same for a value. With `x = bench_use(x)` the next operation waits for this one. */
static inline uint64_t bench_use(uint64_t value)
{
    __asm__ volatile("" : "+r"(value) : : "memory");
    return value;
}

#endif
