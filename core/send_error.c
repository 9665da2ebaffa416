/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for refused records. See <kloop/record.h>. */
#include "core/accumulator.h"
#include "core/budget.h"
#include "core/topic_share.h"
#include "protocol/record_lend.h"

#include <stdio.h>

static int bad_headers(const kloop_record *r, char *text, size_t size)
{
    if (r->header_count > KLOOP_HEADERS_MAX)
        return snprintf(text, size, "header_count is %u; at most %u headers are allowed",
                        (unsigned)r->header_count, KLOOP_HEADERS_MAX);
    if (!r->headers && r->header_count)
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
    return snprintf(text, size,
                    "the record's headers are in order: before_append has refused it, or added "
                    "some that are none");
}

static int bad_partition(const kloop_topic *t, const kloop_record *r, char *text, size_t size)
{
    if (!(r->set & KLOOP_SET_PARTITION))
        return snprintf(text, size,
                        "the partitioner function of topic '%s' chose %d; the topic has %d "
                        "partitions (0 to %d), and -1 lets the producer choose",
                        t->name, (int)t->partitioner.bad_answer, (int)t->partition_count,
                        (int)t->partition_count - 1);
    if (r->partition < 0)
        return snprintf(
            text, size,
            "partition is %d; partitions count from 0. Leave KLOOP_SET_PARTITION out to "
            "let the producer choose",
            (int)r->partition);
    return snprintf(text, size, "partition is %d; topic '%s' has %d (0 to %d)", (int)r->partition,
                    t->name, (int)t->partition_count, (int)t->partition_count - 1);
}

/* In a batch of its own; 0: it is not in order. */
static uint64_t bytes_of(const kloop_record *r)
{
    kl_record record = {
        .key = r->key, .value = r->value, .headers = r->headers, .header_count = r->header_count};
    return kl_accumulator_check(r)
               ? 0
               : KLOOP_BATCH_HEADER_BYTES + kl_record_size(&record, INT64_MAX, INT32_MAX);
}

static int full(const kloop_topic *t, const kloop_record *r, char *text, size_t size)
{
    const kloop_engine *e = t->engine;
    const kl_topic_share *share = t->share && t->share->refused ? t->share : NULL;
    return snprintf(
        text, size,
        "topic '%s': %sbuffer.memory=%zu is used up (%zu bytes are held, the record takes "
        "%llu, in whole blocks); send again when the producer says that it "
        "is writable",
        t->name, share ? "its " : "", share ? share->limit : e->set.memory_bytes,
        share ? kl_topic_share_held(share) : kl_budget_held(e), (unsigned long long)bytes_of(r));
}

static int unknown_bits(uint32_t set, char *text, size_t size)
{
    return snprintf(text, size, "set is 0x%x, with bits that mean nothing; see KLOOP_SET_...",
                    (unsigned)set);
}

/* One that was ended is not looked at: it may be gone. */
static int bad_chunk(const kloop_topic *t, const kloop_chunk *chunk, char *text, size_t size)
{
    if (!chunk)
        return snprintf(
            text, size,
            "topic '%s': KLOOP_SET_CHUNK is set, and chunk is NULL; begin one, or leave "
            "the bit out",
            t->name);
    return snprintf(text, size,
                    "topic '%s': the chunk was ended, or it belongs to another producer; begin one "
                    "of this producer",
                    t->name);
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
        return full(t, r, text, size);
    case KLOOP_TOO_LARGE:
        return snprintf(text, size,
                        "topic '%s': the record takes %llu bytes in a batch of its own (key %zu, "
                        "value %zu bytes, %u headers%s), and max.request.size=%zu",
                        t->name, (unsigned long long)bytes_of(r), r->key.len, r->value.len,
                        (unsigned)r->header_count,
                        e->hooks.before_append ? ", and what before_append adds" : "",
                        e->set.record_bytes_max);
    case KLOOP_BAD_ARGUMENT:
        if (r->set >= 2 * KLOOP_SET_CHUNK)
            return unknown_bits(r->set, text, size);
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
    case KLOOP_BAD_CHUNK:
        return bad_chunk(t, r->chunk, text, size);
    case KLOOP_CLOSED:
        return snprintf(text, size, "topic '%s': the producer is closed or closing", t->name);
    case KLOOP_FORKED:
        return snprintf(text, size,
                        "topic '%s': the producer belongs to the process that this one was forked "
                        "from; open another one here",
                        t->name);
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

/* ---- Encoded batches ---- */

static int bad_batch(const kloop_topic *t, const kloop_fault *fault, char *text, size_t size)
{
    const char *field = fault->path[0].name;
    const char *why = "the offsets of its records have gaps, or do not begin with 0";
    if (strcmp(field, "records") == 0)
        why = "it is empty";
    else if (strcmp(field, "attributes") == 0)
        why = fault->a & KLOOP_BATCH_CONTROL         ? "it is a control batch"
              : fault->a & KLOOP_BATCH_TRANSACTIONAL ? "it is part of a transaction"
              : fault->a & KLOOP_BATCH_APPEND_TIME   ? "its timestamps were set by a broker"
                                                     : "it has attributes that a broker sets";
    return snprintf(text, size,
                    "topic '%s': the encoded batch is not one for a producer to send: %s (%s is "
                    "%lld)",
                    t->name, why, field, (long long)fault->a);
}

static int bad_bytes(const kloop_topic *t, kloop_slice bytes, char *text, size_t size)
{
    kloop_fault fault;
    kloop_status status = kl_encoded_check(bytes, &fault);
    if (!status)
        return snprintf(text, size, "topic '%s': the encoded batch is in order", t->name);
    if (status == KLOOP_BAD_BATCH)
        return bad_batch(t, &fault, text, size);
    char why[200];
    kloop_fault_text(&fault, why, sizeof why);
    return snprintf(text, size,
                    "topic '%s': the %zu bytes are not one whole record batch of format v2: %s",
                    t->name, bytes.len, why);
}

static int batch_sentence(const kloop_topic *t, const kloop_encoded *batch, kloop_status status,
                          char *text, size_t size)
{
    if (!t || !batch)
        return snprintf(text, size, t ? "the batch is NULL" : "topic is NULL");
    const kloop_record r = {.value = batch->bytes,
                            .set = batch->set,
                            .partition = batch->partition,
                            .chunk = batch->chunk};
    switch (status) {
    case KLOOP_BAD_ARGUMENT:
        if (!batch->bytes.data)
            return snprintf(text, size, "topic '%s': bytes of the encoded batch is NULL", t->name);
        return unknown_bits(batch->set, text, size);
    case KLOOP_TOO_LARGE:
        return snprintf(text, size,
                        "topic '%s': the encoded batch has %zu bytes, and max.request.size=%zu",
                        t->name, batch->bytes.len, t->engine->set.record_bytes_max);
    case KLOOP_TRUNCATED:
    case KLOOP_TRAILING:
    case KLOOP_BAD_LENGTH:
    case KLOOP_BAD_COUNT:
    case KLOOP_BAD_MAGIC:
    case KLOOP_BAD_CRC:
    case KLOOP_BAD_CODEC:
    case KLOOP_BAD_BATCH:
        return bad_bytes(t, batch->bytes, text, size);
    default:
        return sentence(t, &r, status, text, size);
    }
}

size_t kloop_send_batch_error(const kloop_topic *topic, const kloop_encoded *batch,
                              kloop_status status, char *text, size_t size)
{
    return (size_t)batch_sentence(topic, batch, status, text, size);
}
