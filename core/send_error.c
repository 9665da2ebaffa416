/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for refused records. See <kloop/record.h>. */
#include "core/engine_state.h"

#include <stdio.h>

static int bad_headers(const kloop_record *r, char *text, size_t size)
{
    if (r->header_count > KLOOP_HEADERS_MAX)
        return snprintf(text, size, "header_count is %u; at most %u headers are allowed",
                        (unsigned)r->header_count, KLOOP_HEADERS_MAX);
    if (!r->headers)
        return snprintf(text, size, "headers is NULL, and header_count is %u",
                        (unsigned)r->header_count);
    for (uint32_t i = 0; i < r->header_count; i++) {
        if (!r->headers[i].key.data)
            return snprintf(text, size, "headers[%u].key is NULL; a header needs a key",
                            (unsigned)i);
        if (!r->headers[i].value.data && r->headers[i].value.len)
            return snprintf(text, size,
                            "headers[%u].value has %zu bytes and no data; null has neither",
                            (unsigned)i, r->headers[i].value.len);
    }
    return snprintf(text, size, "the headers are in order");
}

static int bad_partition(const kloop_topic *t, const kloop_record *r, char *text, size_t size)
{
    if (r->partition < 0)
        return snprintf(
            text, size,
            "partition is %d; partitions count from 0. Leave KLOOP_SET_PARTITION out to "
            "let the producer choose",
            (int)r->partition);
    return snprintf(text, size, "partition is %d; topic '%s' has %d (0 to %d)", (int)r->partition,
                    t->name, (int)t->partition_count, (int)t->partition_count - 1);
}

static int sentence(const kloop_topic *t, const kloop_record *r, kloop_status status, char *text,
                    size_t size)
{
    if (!t)
        return snprintf(text, size, "topic is NULL; get one with kloop_topic_get()");
    if (!r)
        return snprintf(text, size, "topic '%s': record is NULL", t->name);
    const kloop_engine *e = t->engine;
    switch (status) {
    case KLOOP_OK:
        return snprintf(text, size, "%s", "");
    case KLOOP_FULL:
        return snprintf(text, size,
                        "topic '%s': buffer.memory (%zu bytes) is used up; send again when the "
                        "producer says that it is writable",
                        t->name, e->set.memory_bytes);
    case KLOOP_TOO_LARGE:
        return snprintf(text, size,
                        "topic '%s': the record (key %zu, value %zu bytes, %u headers) is larger "
                        "than max.request.size (%zu) or buffer.memory (%zu) allows",
                        t->name, r->key.len, r->value.len, (unsigned)r->header_count,
                        e->set.record_bytes_max, e->set.memory_bytes);
    case KLOOP_BAD_ARGUMENT:
        if (!r->key.data && r->key.len)
            return snprintf(text, size, "key has %zu bytes and no data; null has neither",
                            r->key.len);
        return snprintf(text, size, "value has %zu bytes and no data; null has neither",
                        r->value.len);
    case KLOOP_BAD_PARTITION:
        return bad_partition(t, r, text, size);
    case KLOOP_BAD_TIMESTAMP:
        return snprintf(text, size,
                        "timestamp_ms is %lld; it must not be negative. Leave KLOOP_SET_TIMESTAMP "
                        "out to take the present time",
                        (long long)r->timestamp_ms);
    case KLOOP_BAD_HEADERS:
        return bad_headers(r, text, size);
    case KLOOP_CLOSED:
        return snprintf(text, size, "topic '%s': the producer is closed or closing", t->name);
    case KLOOP_FATAL:
        return snprintf(text, size, "topic '%s': the producer cannot go on: %s", t->name,
                        e->fatal_text);
    default: {
        kloop_fault fault = {.status = status};
        return (int)kloop_fault_reason(&fault, text, size);
    }
    }
}

size_t kloop_send_error(const kloop_topic *topic, const kloop_record *record, kloop_status status,
                        char *text, size_t size)
{
    return (size_t)sentence(topic, record, status, text, size);
}
