/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of sentences. See log.h. */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>

static void add(kloop_engine *e, kloop_log_level level, const char *format, va_list args)
{
    if (e->log_count == KL_LOG_LINES - 1)
        return;
    kl_log_line *line = &e->log[(e->log_first + e->log_count) % KL_LOG_LINES];
    line->level = level;
    vsnprintf(line->text, sizeof line->text, format, args);
    e->log_count++;
}

void kl_log(kloop_engine *e, kloop_log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(e, level, format, args);
    va_end(args);
}

void kl_log_trouble(kloop_engine *e, kloop_log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(e->trouble, sizeof e->trouble, format, args);
    va_end(args);
    va_start(args, format);
    add(e, level, format, args);
    va_end(args);
}

const kl_log_line *kl_log_take(kloop_engine *e)
{
    if (e->log_count == 0)
        return NULL;
    /* One line more than may be held: the one that was taken last is not written over. */
    const kl_log_line *line = &e->log[e->log_first];
    e->log_first = (e->log_first + 1) % KL_LOG_LINES;
    e->log_count--;
    return line;
}
