/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sentences for the user's log. They wait in a short ring until they are taken as actions; when it
 * is full the newest are dropped, for the first ones tell more, and counted.
 *
 * What goes wrong over and over is told some times a minute, and then how often it was not told.
 * Sentences are the same when they differ in numbers at most, behind their object: "b1:9092: ..."
 * of one broker is not that of another, unless very many have something said of them.
 *
 *     told 1 .. same_max    kept back, counted ...       a minute after the first: "... 17 more"
 *
 * The engine owns it. Without memory for it there is no engine.
 */
#ifndef KL_CORE_LOG_H
#define KL_CORE_LOG_H

#include "core/engine_state.h"

#define KL_LOG_LINES     32
#define KL_LOG_KINDS     16 /* that are remembered */
#define KL_LOG_SAME_MAX  5  /* unless told otherwise */
#define KL_LOG_WINDOW_NS (60 * KL_SECOND)

typedef struct kl_log_line {
    kloop_log_level level;
    char text[400];
} kl_log_line;

typedef struct kl_log_kind {
    uint64_t key;
    uint64_t since_ns;
    uint32_t told; /* since then; 0: free */
    uint32_t kept_back;
    kloop_log_level level;
    char text[320]; /* of the last that was kept back */
} kl_log_kind;

struct kl_log {
    kl_log_line lines[KL_LOG_LINES];
    size_t first;
    size_t count;
    uint64_t dropped;
    kl_log_kind kinds[KL_LOG_KINDS];
    kloop_log_level level_max;
    uint32_t same_max; /* 0: any number */
    kl_timer timer;    /* something was kept back, and its minute ends */
};

/* false: no memory. */
bool kl_log_begin(kloop_engine *e);
void kl_log_del(kloop_engine *e);

void kl_log(kloop_engine *e, kloop_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, and kept as what stands in the way of whatever does not get on meanwhile. */
void kl_log_trouble(kloop_engine *e, kloop_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void kl_log_timer(kloop_engine *e);
/* No timer from now on: what was kept back is told. */
void kl_log_end(kloop_engine *e);

/* NULL when there is none. Good until the next call of any function here. */
const kl_log_line *kl_log_take(kloop_engine *e);

#endif
