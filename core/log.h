/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sentences for the user's log. They wait in a short ring until they are taken as actions; when it
 * is full the newest are dropped, for the first ones tell more.
 */
#ifndef KL_CORE_LOG_H
#define KL_CORE_LOG_H

#include "core/engine_state.h"

#define KL_LOG_LINES 32

typedef struct kl_log_line {
    kloop_log_level level;
    char text[400];
} kl_log_line;

void kl_log(kloop_engine *e, kloop_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, and kept as what stands in the way of whatever does not get on meanwhile. */
void kl_log_trouble(kloop_engine *e, kloop_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* NULL when there is none. Good until the next call of any function here. */
const kl_log_line *kl_log_take(kloop_engine *e);

#endif
