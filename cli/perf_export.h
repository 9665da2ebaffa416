/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --report FILE: latency as it was counted, for other programs. The end of the name says which
 * form:
 *
 *     .hgrm   the percentile distribution of HdrHistogram, in ms, which its plotter draws
 *     .csv    a line for each latency that was seen: from,up_to_us,records,so_far
 *     .json   the object of --json as "figures", and the rows of the other as arrays
 *
 * With --throughput latency from the intended time is there as well; .hgrm is that alone then,
 * since such a file holds one distribution, and what a schedule missed belongs into it.
 */
#ifndef KL_CLI_PERF_EXPORT_H
#define KL_CLI_PERF_EXPORT_H

#include "cli/perf_report.h"

typedef enum kl_perf_export_form {
    KL_PERF_EXPORT_NONE = 0,
    KL_PERF_EXPORT_HGRM,
    KL_PERF_EXPORT_CSV,
    KL_PERF_EXPORT_JSON,
} kl_perf_export_form;

/* NONE: the name ends with none of them. */
kl_perf_export_form kl_perf_export_form_of(const char *path);

/* Errors are looked at by who called, with ferror(). */
void kl_perf_export(kl_perf_export_form form, const kl_perf_stats *s, const kl_perf_process *p,
                    bool intended, FILE *to);

#endif
