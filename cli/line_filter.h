/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines in, lines out: one output line for each input line, in order, at any length. What was
 * answered is written out before the filter waits for more input, so that another program can hold
 * a conversation with it through pipes.
 */
#ifndef KL_CLI_LINE_FILTER_H
#define KL_CLI_LINE_FILTER_H

#include "base/buf.h"

/*
 * Appends the answer to a line, without its end, to *out; false when the line was refused (the
 * answer says why). A failed buffer ends the filter.
 */
typedef bool (*kl_line_fn)(void *ctx, kloop_string line, kl_buf *out);

typedef struct kl_line_counts {
    uint64_t lines;
    uint64_t refused;
} kl_line_counts;

/* From one file descriptor to another until the end of input. false: it could not go on; errno
 * tells why. */
bool kl_line_filter_run(int in, int out, kl_line_fn answer, void *ctx, kl_line_counts *counts);

#endif
