/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for decisions. See <kloop/hooks.h>. */
#include "driver/trace_text.h"

#include "base/now.h"

#include <kloop/broker_error.h>
#include <kloop/wire.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* What follows the subject. Capitals stand for: A and B the numbers, T and U the same as ns; W why,
 * C the broker's error if there is one, E both if there is a why; K the code as a number, N the
 * broker, O the outcome, F whether it is in flight. All else is itself. */
static const char *const forms[KLOOP_TRACE_COUNT] = {
    [KLOOP_TRACE_PARKED] = "is begun, parked until the partitions are known",
    [KLOOP_TRACE_UNPARKED] = "was parked: A records are sent anew",
    [KLOOP_TRACE_OPENED] = "is begun",
    [KLOOP_TRACE_SEALED] = "is sealed (W): A records, B bytes",
    [KLOOP_TRACE_COMPRESSED] = "had the codec (W): A bytes, now B",
    [KLOOP_TRACE_NUMBERED] = "is numbered: producer id A, epoch K, sequence B",
    [KLOOP_TRACE_REQUESTED] = "goes into request A of broker N, attempt B",
    [KLOOP_TRACE_RETRIED] = "goes again in TE, retry B",
    [KLOOP_TRACE_RESHAPED] = "is put together anew: WC",
    [KLOOP_TRACE_REPLACED] = "is replaced by A batches",
    [KLOOP_TRACE_SETTLED] = "is settled: OEF",
    [KLOOP_TRACE_REPORTED] = "is reported: A records, offset BE",
    [KLOOP_TRACE_LED] = "is led by broker N, epoch A",
    [KLOOP_TRACE_HOLE] = "gives up a number of epoch B: the next ones need another",
    [KLOOP_TRACE_RESTARTED] = "counts from 0: producer id A, epoch B",
    [KLOOP_TRACE_IDENTIFIED] = "producer id A, epoch B",
    [KLOOP_TRACE_BUMPED] = "the epoch of producer id A is B now",
    [KLOOP_TRACE_CONNECTION] = "W (slot A)",
    [KLOOP_TRACE_BACKED_OFF] = "failed: not again for T, B in a row",
    [KLOOP_TRACE_ASKED] = "is asked W vK, correlation A, B bytes",
    [KLOOP_TRACE_ANSWERED] = "answered W, correlation A, after U",
    [KLOOP_TRACE_THROTTLED] = "wants to be left alone for T",
    [KLOOP_TRACE_AUTHENTICATED] = "has let us in: session A ms, again in U",
    [KLOOP_TRACE_TOKEN] = "token (A): the next in U",
    [KLOOP_TRACE_METADATA] = "metadata was taken, news A; not again for U",
    [KLOOP_TRACE_TOPIC] = "has A partitions, made anew BC",
    [KLOOP_TRACE_BEGUN_ANEW] = "all begins anew with bootstrap.servers",
    [KLOOP_TRACE_FULL] = "no room: A bytes are held, B were asked for",
    [KLOOP_TRACE_WRITABLE] = "writable: A bytes are held",
    [KLOOP_TRACE_FLUSH] = "flush: A records are pending",
    [KLOOP_TRACE_PURGED] = "purge: A records",
    [KLOOP_TRACE_CLOSING] = "close within T: B records are pending",
    [KLOOP_TRACE_FATAL] = "the producer cannot go on",
};

static const char *const seals[] = {
    [KLOOP_SEAL_FULL] = "full",   [KLOOP_SEAL_AGE] = "age",       [KLOOP_SEAL_LINGER] = "linger",
    [KLOOP_SEAL_FLUSH] = "flush", [KLOOP_SEAL_MEMORY] = "memory", [KLOOP_SEAL_CLOSE] = "close",
    [KLOOP_SEAL_ALONG] = "along", [KLOOP_SEAL_WHOLE] = "whole",
};
static const char *const reshapes[] = {
    [KLOOP_RESHAPE_SPLIT] = "split",
    [KLOOP_RESHAPE_PURIFY] = "without refused records",
    [KLOOP_RESHAPE_RECODE] = "another codec",
};
static const char *const conns[] = {
    [KLOOP_CONN_RESOLVES] = "resolves",
    [KLOOP_CONN_CONNECTS] = "connects",
    [KLOOP_CONN_SHAKES_HANDS] = "shakes hands",
    [KLOOP_CONN_READY] = "ready",
    [KLOOP_CONN_LOST] = "lost",
    [KLOOP_CONN_IDLE] = "idle, closed",
};
static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
static const char *const outcomes[] = {"acked", "failed", "unknown"};
static const char *const causes[] = {
    [KLOOP_CAUSE_NONE] = "none",           [KLOOP_CAUSE_BROKER] = "broker",
    [KLOOP_CAUSE_TIMEOUT] = "timeout",     [KLOOP_CAUSE_CLOSED] = "closed",
    [KLOOP_CAUSE_FATAL] = "fatal",         [KLOOP_CAUSE_PARTITION] = "partition",
    [KLOOP_CAUSE_NO_MEMORY] = "no memory", [KLOOP_CAUSE_PURGED] = "purged",
    [KLOOP_CAUSE_NEIGHBOUR] = "neighbour", [KLOOP_CAUSE_REFUSED] = "refused",
    [KLOOP_CAUSE_SECURITY] = "security",
};

/* Text as far as there is room, and the length it would have. */
typedef struct out {
    char *text;
    size_t size;
    size_t len;
} out;

static void __attribute__((format(printf, 2, 3))) put(out *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = o->len < o->size ? o->size - o->len : 0;
    o->len += (size_t)vsnprintf(room ? o->text + o->len : NULL, room, format, args);
    va_end(args);
}

static void put_ns(out *o, int64_t ns)
{
    put(o, "%" PRId64 ".%03d ms", ns / (int64_t)KL_MS, (int)(ns / (int64_t)KL_US % 1000));
}

/* One of a row of words. */
#define PUT_WORD(o, words, i)                                                                      \
    put((o), "%s", (size_t)(i) < sizeof(words) / sizeof *(words) ? (words)[i] : "?")

static void put_api(out *o, int16_t key)
{
    const kloop_api *api = kloop_api_find(key);
    put(o, "%s", api ? api->name : "?");
}

static void put_why(out *o, const kloop_trace *t)
{
    switch (t->kind) {
    case KLOOP_TRACE_SEALED:
        PUT_WORD(o, seals, t->why);
        return;
    case KLOOP_TRACE_COMPRESSED:
        PUT_WORD(o, codecs, t->why);
        return;
    case KLOOP_TRACE_RESHAPED:
        PUT_WORD(o, reshapes, t->why);
        return;
    case KLOOP_TRACE_CONNECTION:
        PUT_WORD(o, conns, t->why);
        return;
    case KLOOP_TRACE_ASKED:
    case KLOOP_TRACE_ANSWERED:
        put_api(o, t->why);
        return;
    default:
        PUT_WORD(o, causes, t->why);
    }
}

static void put_code(out *o, int16_t code)
{
    if (code)
        put(o, ", %s", kloop_broker_error_name(code));
}

static void put_subject(out *o, const kloop_trace *t, kloop_string topic)
{
    if (t->topic) {
        put(o, "topic '%.*s'", (int)topic.len, topic.data);
        if (t->partition >= 0)
            put(o, " partition %d", (int)t->partition);
        put(o, t->batch ? " batch %" PRIu32 " " : " ", t->batch);
    } else if (t->broker != KLOOP_TRACE_NO_BROKER) {
        put(o, "broker %d ", (int)t->broker);
    }
}

static void put_mark(out *o, const kloop_trace *t, char mark)
{
    switch (mark) {
    case 'A':
        put(o, "%" PRId64, t->a);
        return;
    case 'B':
        put(o, "%" PRId64, t->b);
        return;
    case 'T':
        put_ns(o, t->a);
        return;
    case 'U':
        put_ns(o, t->b);
        return;
    case 'W':
        put_why(o, t);
        return;
    case 'C':
        put_code(o, t->code);
        return;
    case 'E':
        if (t->why != KLOOP_CAUSE_NONE) {
            put(o, ", ");
            put_why(o, t);
            put_code(o, t->code);
        }
        return;
    case 'K':
        put(o, "%d", (int)t->code);
        return;
    case 'N':
        if (t->broker == KLOOP_TRACE_NO_BROKER)
            put(o, "none");
        else
            put(o, "%d", (int)t->broker);
        return;
    case 'O':
        PUT_WORD(o, outcomes, t->a);
        return;
    case 'F':
        put(o, "%s", t->b ? ", in flight" : "");
        return;
    default:
        put(o, "%c", mark);
    }
}

size_t kl_trace_text(const kloop_trace *trace, kloop_string topic, char *text, size_t size)
{
    out o = {.text = text, .size = size};
    if (size > 0)
        text[0] = '\0';
    put_subject(&o, trace, topic);
    const char *form = trace->kind < KLOOP_TRACE_COUNT ? forms[trace->kind] : NULL;
    for (const char *at = form ? form : "?"; *at; at++)
        put_mark(&o, trace, *at);
    return o.len;
}

size_t kloop_trace_text(const kloop_trace *trace, char *text, size_t size)
{
    kloop_string none = {"", 0};
    return kl_trace_text(trace, trace->topic ? kloop_topic_name(trace->topic) : none, text, size);
}
