/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a producer tells about its troubles, on stderr: warnings and errors, each sentence once in a
 * row, and not more lines in a while than somebody would read: what goes wrong on the third day is
 * told as well.
 *
 * A plain value, nothing is owned, nothing fails. With a live line, sentences come out above it.
 */
#ifndef KL_CLI_LOG_LINES_H
#define KL_CLI_LOG_LINES_H

#include "cli/live_line.h"

#include <kloop/engine.h>

#include <stdbool.h>

/* So many in such a time. */
#define KL_LOG_LINES_MAX       50
#define KL_LOG_LINES_WINDOW_NS UINT64_C(600000000000)

typedef struct kl_log_lines {
    const char *command;
    bool quiet;
    kl_live_line *live; /* NULL, or set by who has one */
    unsigned shown;     /* since then */
    uint64_t since_ns;  /* on the clock of the loop */
    uint64_t kept_back;
    char last[512];
} kl_log_lines;

void kl_log_lines_init(kl_log_lines *l, const char *command, bool quiet);
void kl_log_lines_add(kl_log_lines *l, kloop_log_level level, const char *text);
/* Says how many were not shown. */
void kl_log_lines_end(kl_log_lines *l);

#endif
