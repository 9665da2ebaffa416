/* SPDX-License-Identifier: BSD-2-Clause */
/* Few lines out of many. See log_lines.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/log_lines.h"

#include <stdio.h>
#include <string.h>

void kl_log_lines_init(kl_log_lines *l, const char *command, bool quiet)
{
    *l = (kl_log_lines){.command = command, .quiet = quiet};
}

static void tell_kept_back(kl_log_lines *l)
{
    if (l->kept_back)
        fprintf(stderr, "kloop %s: %llu more lines like these are not shown\n", l->command,
                (unsigned long long)l->kept_back);
    l->kept_back = 0;
}

static bool is_full(kl_log_lines *l)
{
    uint64_t now = uv_hrtime();
    if (l->shown < KL_LOG_LINES_MAX)
        return false;
    if (now - l->since_ns < KL_LOG_LINES_WINDOW_NS)
        return true;
    l->shown = 0;
    return false;
}

void kl_log_lines_add(kl_log_lines *l, kloop_log_level level, const char *text)
{
    if (level > KLOOP_LOG_WARN || l->quiet)
        return;
    if (strncmp(text, l->last, sizeof l->last - 1) == 0 || is_full(l)) {
        l->kept_back++;
        return;
    }
    if (l->live)
        kl_live_line_hide(l->live);
    if (l->shown++ == 0) {
        tell_kept_back(l);
        l->since_ns = uv_hrtime();
    }
    snprintf(l->last, sizeof l->last, "%s", text);
    fprintf(stderr, "kloop %s: %s\n", l->command, text);
}

void kl_log_lines_end(kl_log_lines *l)
{
    tell_kept_back(l);
}
