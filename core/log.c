/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of sentences. See log.h. */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>

bool kl_log_begin(kloop_engine *e)
{
    e->log = kl_mem_zalloc(&e->alloc, 1, sizeof *e->log);
    if (!e->log)
        return false;
    e->log->level_max = KLOOP_LOG_DEBUG;
    e->log->same_max = KL_LOG_SAME_MAX;
    kl_timer_init(&e->log->timer, KL_TIMER_LOG);
    return true;
}

void kl_log_del(kloop_engine *e)
{
    kl_mem_release(&e->alloc, e->log, sizeof *e->log);
}

void kloop_engine_set_log(kloop_engine *e, kloop_log_level level_max, uint32_t same_max)
{
    e->log->level_max = level_max;
    e->log->same_max = same_max;
}

/* ---- The ring ---- */

static void __attribute__((format(printf, 3, 4)))
put(struct kl_log *log, kloop_log_level level, const char *format, ...)
{
    /* One line more than may be held: the one that was taken last is not written over. */
    if (log->count == KL_LOG_LINES - 1) {
        log->dropped++;
        return;
    }
    kl_log_line *line = &log->lines[(log->first + log->count++) % KL_LOG_LINES];
    line->level = level;
    va_list args;
    va_start(args, format);
    vsnprintf(line->text, sizeof line->text, format, args);
    va_end(args);
}

static void tell_dropped(struct kl_log *log)
{
    uint64_t dropped = log->dropped;
    log->dropped = 0;
    if (dropped > 0)
        put(log, KLOOP_LOG_WARN, "... %llu more sentences were dropped, for nobody took them",
            (unsigned long long)dropped);
}

/* ---- Repetition ---- */

typedef struct keys {
    uint64_t whole;
    uint64_t behind; /* of what is said, not of whom; the same where nobody is named */
} keys;

static uint64_t mix(uint64_t hash, char c)
{
    return (hash ^ (uint8_t)c) * UINT64_C(0x100000001b3);
}

/* Of all but the numbers behind the object, which ends with a colon. */
static keys keys_of(const char *text)
{
    const uint64_t empty = UINT64_C(0xcbf29ce484222325);
    keys k = {empty, empty};
    bool behind = false;
    for (const char *at = text; *at; at++) {
        char c = *at;
        if (behind && c >= '0' && c <= '9') {
            if (at[1] >= '0' && at[1] <= '9')
                continue;
            c = '0';
        }
        behind |= c == ':' && at[1] == ' ';
        k.whole = mix(k.whole, c);
        if (behind)
            k.behind = mix(k.behind, c);
    }
    if (!behind)
        k.behind = k.whole;
    return k;
}

static uint64_t end_of(const kl_log_kind *k)
{
    return kl_time_add(k->since_ns, KL_LOG_WINDOW_NS);
}

static void sum_up(struct kl_log *log, kl_log_kind *k)
{
    uint64_t dropped = log->dropped;
    if (k->kept_back > 0 && k->level <= log->level_max)
        put(log, k->level, "... %lu more of these in the last minute, the last of them: %s",
            (unsigned long)k->kept_back, k->text);
    /* Without room for it, all are dropped that it speaks of. */
    if (log->dropped > dropped)
        log->dropped = dropped + k->kept_back;
    k->kept_back = 0;
}

/* The one with this key, or the one whose place a new one takes. */
static kl_log_kind *find(struct kl_log *log, uint64_t key)
{
    kl_log_kind *oldest = &log->kinds[0];
    for (kl_log_kind *k = log->kinds; k < log->kinds + KL_LOG_KINDS; k++) {
        if (k->told > 0 && k->key == key)
            return k;
        if (k->since_ns < oldest->since_ns)
            oldest = k;
    }
    return oldest;
}

/* The kind of this sentence. Where more objects have something said of them in a minute than are
 * remembered, the others are all of one kind: or each would push out another, and be told. */
static kl_log_kind *kind_of(kloop_engine *e, const char *text, uint64_t *key)
{
    keys of = keys_of(text);
    *key = of.whole;
    kl_log_kind *k = find(e->log, *key);
    if (k->told == 0 || k->key == *key || e->now.mono_ns >= end_of(k))
        return k;
    *key = of.behind;
    return find(e->log, *key);
}

static void keep_back(kloop_engine *e, kl_log_kind *k, kloop_log_level level, const char *text)
{
    k->kept_back++;
    k->level = level;
    snprintf(k->text, sizeof k->text, "%.*s", (int)sizeof k->text - 1, text);
    if (e->log->timer.when > end_of(k))
        kl_heap_set(&e->timers, &e->log->timer, end_of(k));
}

/* Was it told often enough lately? */
static bool is_told(kloop_engine *e, kloop_log_level level, const char *text)
{
    struct kl_log *log = e->log;
    if (log->same_max == 0 || e->life > KL_LIFE_CLOSING)
        return false;
    uint64_t key;
    kl_log_kind *k = kind_of(e, text, &key);
    if (k->told > 0 && k->key == key && e->now.mono_ns < end_of(k)) {
        if (k->told < log->same_max) {
            k->told++;
            return false;
        }
        keep_back(e, k, level, text);
        return true;
    }
    sum_up(log, k);
    k->key = key;
    k->since_ns = e->now.mono_ns;
    k->told = 1;
    return false;
}

void kl_log_timer(kloop_engine *e)
{
    uint64_t next = KL_NEVER;
    for (kl_log_kind *k = e->log->kinds; k < e->log->kinds + KL_LOG_KINDS; k++) {
        if (k->kept_back > 0 && e->now.mono_ns >= end_of(k))
            sum_up(e->log, k);
        else if (k->kept_back > 0)
            next = kl_time_min(next, end_of(k));
    }
    kl_heap_set(&e->timers, &e->log->timer, next);
}

void kl_log_end(kloop_engine *e)
{
    for (kl_log_kind *k = e->log->kinds; k < e->log->kinds + KL_LOG_KINDS; k++)
        sum_up(e->log, k);
    kl_heap_remove(&e->timers, &e->log->timer);
}

/* ---- Sentences ---- */

static void add(kloop_engine *e, kloop_log_level level, const char *format, va_list args)
{
    char text[sizeof e->log->lines->text];
    if (level > e->log->level_max)
        return;
    vsnprintf(text, sizeof text, format, args);
    if (is_told(e, level, text))
        return;
    /* Before it, if there is room for both. */
    if (e->log->count < KL_LOG_LINES - 2)
        tell_dropped(e->log);
    put(e->log, level, "%s", text);
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
    struct kl_log *log = e->log;
    if (log->count == 0 && log->dropped > 0)
        tell_dropped(log);
    if (log->count == 0)
        return NULL;
    const kl_log_line *line = &log->lines[log->first];
    log->first = (log->first + 1) % KL_LOG_LINES;
    log->count--;
    return line;
}
