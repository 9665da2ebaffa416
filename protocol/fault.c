/* SPDX-License-Identifier: BSD-2-Clause */
/* A fault in words: where in the message, what is wrong, at which byte. */
#include <kloop/fault.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* A bounded text that goes on counting after it is full, as snprintf does. */
typedef struct text_out {
    char *text;
    size_t size;
    size_t len;
} text_out;

__attribute__((format(printf, 2, 3))) static void add(text_out *out, const char *format, ...)
{
    size_t left = out->len < out->size ? out->size - out->len : 0;
    va_list numbers;
    va_start(numbers, format);
    int added = vsnprintf(left > 0 ? out->text + out->len : NULL, left, format, numbers);
    va_end(numbers);
    out->len += (size_t)(added > 0 ? added : 0);
}

static void add_path(text_out *out, const kloop_fault *fault)
{
    for (int i = fault->depth; i-- > 0;) {
        add(out, "%s", fault->path[i].name);
        if (fault->path[i].index >= 0)
            add(out, "[%" PRId32 "]", fault->path[i].index);
        add(out, "%s", i > 0 ? "." : ": ");
    }
}

static const char *bytes_are(int64_t count)
{
    return count == 1 ? "byte is" : "bytes are";
}

static const char *bytes(int64_t count)
{
    return count == 1 ? "byte" : "bytes";
}

static void add_reason(text_out *out, const kloop_fault *fault)
{
    int64_t a = fault->a;
    int64_t b = fault->b;
    switch (fault->status) {
    case KLOOP_OK:
        add(out, "no fault");
        return;
    case KLOOP_TRUNCATED:
        add(out, "%" PRId64 " %s needed, %" PRId64 " left", a, bytes_are(a), b);
        return;
    case KLOOP_TRAILING:
        add(out, "%" PRId64 " %s left over after the end", a, bytes_are(a));
        return;
    case KLOOP_BAD_LENGTH:
        add(out, "%" PRId64 " is no length", a);
        return;
    case KLOOP_BAD_COUNT:
        add(out, "a count of %" PRId64 " with %" PRId64 " %s left", a, b, bytes(b));
        return;
    case KLOOP_BAD_VARINT:
        add(out, "a varint that does not fit its type");
        return;
    case KLOOP_BAD_NULL:
        add(out, "null, which is not allowed here in this version");
        return;
    case KLOOP_BAD_UTF8:
        add(out, "text that is not UTF-8");
        return;
    case KLOOP_BAD_BOOL:
        add(out, "a bool of %" PRId64 ", 0 or 1 expected", a);
        return;
    case KLOOP_BAD_TAG_ORDER:
        add(out, "tag %" PRId64 " after tag %" PRId64 ", tags must rise", a, b);
        return;
    case KLOOP_BAD_TAG:
        add(out, "tag %" PRId64 " is a field that this version does not have", a);
        return;
    case KLOOP_BAD_TAG_SIZE:
        add(out, "a tagged field of %" PRId64 " %s where %" PRId64 " were announced", a, bytes(a),
            b);
        return;
    case KLOOP_FRAME_TOO_LARGE:
        add(out, "a frame of %" PRId64 " %s, %" PRId64 " are allowed", a, bytes(a), b);
        return;
    case KLOOP_UNKNOWN_API:
        add(out, "API %" PRId64 " is not known, or not in this direction", a);
        return;
    case KLOOP_BAD_VERSION:
        add(out, "version %" PRId64 " is not spoken", a);
        return;
    case KLOOP_BAD_STRUCT_SIZE:
        add(out, "a struct of %" PRId64 " %s was given, this message's has %" PRId64, a, bytes(a),
            b);
        return;
    case KLOOP_NO_MEMORY:
        add(out, "no memory");
        return;
    case KLOOP_NOT_CARRIED:
        add(out, "version %" PRId64 " has no such field, and the value is not its default", a);
        return;
    case KLOOP_TOO_LONG:
        add(out, "%" PRId64 " %s, %" PRId64 " are allowed", a, bytes(a), b);
        return;
    case KLOOP_NO_SPACE:
        add(out, "no space left in the buffer: %" PRId64 " needed, %" PRId64 " left", a, b);
        return;
    case KLOOP_BAD_ARRAY:
        add(out, "a decoded list of another kind of element");
        return;
    case KLOOP_OUT_OF_RANGE:
        add(out, "%" PRId64 " is out of range", a);
        return;
    case KLOOP_BAD_MAGIC:
        add(out, "magic %" PRId64 ", only record batches of magic 2 are known", a);
        return;
    case KLOOP_BAD_CRC:
        add(out, "CRC %08" PRIx64 " computed, %08" PRIx64 " in the batch", (uint64_t)a,
            (uint64_t)b);
        return;
    case KLOOP_BAD_CODEC:
        add(out, "codec %" PRId64 " is not known", a);
        return;
    case KLOOP_BAD_PACKING:
        add(out, "corrupt compressed data");
        return;
    case KLOOP_TOO_LARGE:
        add(out, "more than the allowed %" PRId64 " %s once decompressed", a, bytes(a));
        return;
    case KLOOP_BAD_RECORD:
        add(out, "a record of %" PRId64 " %s whose fields take %" PRId64, a, bytes(a), b);
        return;
    case KLOOP_BAD_RECORDS:
        add(out, "%" PRId64 " records announced, %" PRId64 " found", a, b);
        return;
    case KLOOP_CODEC_REFUSED:
        add(out, "the codec's library refused");
        return;
    case KLOOP_BAD_INPUT:
        add(out, "the source of the values refused");
        return;
    case KLOOP_FULL:
        add(out, "the producer's memory is used up for now");
        return;
    case KLOOP_CLOSED:
        add(out, "the producer is closed or closing");
        return;
    case KLOOP_FATAL:
        add(out, "the producer cannot go on");
        return;
    case KLOOP_BAD_ARGUMENT:
        add(out, "an argument is missing");
        return;
    case KLOOP_BAD_PARTITION:
        add(out, "the topic has no such partition");
        return;
    case KLOOP_BAD_TIMESTAMP:
        add(out, "a timestamp is negative");
        return;
    case KLOOP_BAD_HEADERS:
        add(out, "the headers of a record are not sound");
        return;
    case KLOOP_BAD_TOPIC:
        add(out, "not a name for a topic");
        return;
    case KLOOP_BAD_CONFIG:
        add(out, "the configuration is not sound");
        return;
    case KLOOP_FORKED:
        add(out,
            "the producer belongs to the process that opened it, and this one was forked from it");
        return;
    case KLOOP_BAD_CHUNK:
        add(out, "no chunk of this producer that takes records");
        return;
    case KLOOP_BAD_BATCH:
        add(out, "not a batch for a producer to send");
        return;
    case KLOOP_STATUS_COUNT:
        break;
    }
    add(out, "unknown fault %d", (int)fault->status);
}

size_t kloop_fault_reason(const kloop_fault *fault, char *text, size_t size)
{
    text_out made = {.text = text, .size = size};
    text_out *out = &made;
    if (size > 0)
        text[0] = '\0';
    add_path(out, fault);
    add_reason(out, fault);
    return out->len;
}

size_t kloop_fault_text(const kloop_fault *fault, char *text, size_t size)
{
    text_out made = {.text = text, .size = size, .len = kloop_fault_reason(fault, text, size)};
    text_out *out = &made;
    if (fault->status != KLOOP_OK)
        add(out, " at byte %zu", fault->at);
    return out->len;
}
