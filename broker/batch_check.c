/* SPDX-License-Identifier: BSD-2-Clause */
/* A broker's eye on a batch. See batch_check.h. */
#include "broker/batch_check.h"

#include "base/be.h"
#include "base/check.h"
#include "codecs/codec.h"
#include "protocol/record_batch.h"

#include <kloop/broker_error.h>
#include <kloop/wire.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Behind the magic, which Kafka's reader wants to see before it takes a length seriously. */
#define UP_TO_MAGIC 17
/* The length of the shortest batch of any format. */
#define LENGTH_MIN 14
/* Kafka reads the producer id, which ends here, before it has looked at the size. */
#define UP_TO_PRODUCER_ID 51

#define KNOWN_ATTRIBUTES  (KLOOP_BATCH_CODEC_MASK | KLOOP_BATCH_TRANSACTIONAL | KLOOP_BATCH_CONTROL)

/* ---- The shape ---- */

kl_batch_first kl_batch_find_first(kloop_slice bytes, size_t *size)
{
    if (bytes.len < KL_BATCH_LENGTH_SKIPS)
        return KL_BATCH_FIRST_NONE;
    int32_t length = (int32_t)kl_be_load32(bytes.data + KL_BATCH_LENGTH_AT);
    if (length < LENGTH_MIN)
        return KL_BATCH_FIRST_CORRUPT;
    if (bytes.len < UP_TO_MAGIC)
        return KL_BATCH_FIRST_NONE;
    if (bytes.data[UP_TO_MAGIC - 1] > KL_BATCH_MAGIC)
        return KL_BATCH_FIRST_CORRUPT;
    *size = (size_t)length + KL_BATCH_LENGTH_SKIPS;
    return *size > bytes.len ? KL_BATCH_FIRST_NONE : KL_BATCH_FIRST_FOUND;
}

void kl_batch_read_header(kloop_slice batch, kloop_batch_header *h)
{
    const uint8_t *p = batch.data;
    kloop_batch_header_init(h);
    if (batch.len >= UP_TO_MAGIC) {
        h->base_offset = (int64_t)kl_be_load64(p);
        h->length = (int32_t)kl_be_load32(p + 8);
        h->partition_leader_epoch = (int32_t)kl_be_load32(p + 12);
        h->magic = (int8_t)p[16];
    }
    if (batch.len >= 23)
        h->attributes = (int16_t)kl_be_load16(p + 21);
    if (batch.len >= KLOOP_BATCH_HEADER_BYTES) {
        h->crc = kl_be_load32(p + 17);
        h->last_offset_delta = (int32_t)kl_be_load32(p + 23);
        h->base_timestamp = (int64_t)kl_be_load64(p + 27);
        h->max_timestamp = (int64_t)kl_be_load64(p + 35);
        h->producer_id = (int64_t)kl_be_load64(p + 43);
        h->producer_epoch = (int16_t)kl_be_load16(p + 51);
        h->base_sequence = (int32_t)kl_be_load32(p + 53);
        h->record_count = (int32_t)kl_be_load32(p + 57);
    }
}

int16_t kl_batch_shape(kloop_slice records, int16_t version, kloop_slice *batch, bool *whole)
{
    size_t size;
    kloop_batch_header header;
    *whole = false;
    if (kl_batch_find_first(records, &size) != KL_BATCH_FIRST_FOUND)
        return KLOOP_BROKER_INVALID_RECORD;
    *batch = (kloop_slice){records.data, size};
    kl_batch_read_header(*batch, &header);
    if (header.magic != KL_BATCH_MAGIC)
        return KLOOP_BROKER_INVALID_RECORD;
    if (version < 7 && kloop_batch_codec(&header) > KL_CODEC_ZSTD) {
        *whole = true;
        return KLOOP_BROKER_UNKNOWN_SERVER_ERROR;
    }
    if (version < 7 && kloop_batch_codec(&header) == KL_CODEC_ZSTD)
        return KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE;
    kloop_slice rest = {records.data + batch->len, records.len - batch->len};
    switch (kl_batch_find_first(rest, &size)) {
    case KL_BATCH_FIRST_FOUND:
        return KLOOP_BROKER_INVALID_RECORD;
    case KL_BATCH_FIRST_CORRUPT:
        return KLOOP_BROKER_CORRUPT_MESSAGE;
    case KL_BATCH_FIRST_NONE:
        break;
    }
    if (batch->len < UP_TO_PRODUCER_ID) {
        *whole = true;
        return KLOOP_BROKER_UNKNOWN_SERVER_ERROR;
    }
    return 0;
}

/* ---- Findings ---- */

/* The first one is kept. */
static void note(kl_batch_findings *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(kl_batch_findings *f, const char *format, ...)
{
    va_list args;
    if (f->wrong[0])
        return;
    va_start(args, format);
    vsnprintf(f->wrong, sizeof f->wrong, format, args);
    va_end(args);
}

/* The reason of a refusal counts more than what was only noted before. */
static bool refuse(kl_batch_findings *f, int16_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(kl_batch_findings *f, int16_t code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->wrong, sizeof f->wrong, format, args);
    va_end(args);
    f->error_code = code;
    f->malformed = true;
    f->tells_log_start =
        code != KLOOP_BROKER_CORRUPT_MESSAGE && code != KLOOP_BROKER_MESSAGE_TOO_LARGE;
    return false;
}

/* ---- The header ---- */

static bool check_front(kloop_slice batch, const kl_batch_rules *rules, kl_batch_findings *f)
{
    const kloop_batch_header *h = &f->header;
    if (h->base_offset != 0)
        return refuse(f, KLOOP_BROKER_INVALID_RECORD, "base offset %" PRId64 " instead of 0",
                      h->base_offset);
    if (batch.len > (size_t)rules->size_max) {
        refuse(f, KLOOP_BROKER_MESSAGE_TOO_LARGE, "%zu bytes, %" PRId32 " are allowed", batch.len,
               rules->size_max);
        f->malformed = false;
        return false;
    }
    if (batch.len < KLOOP_BATCH_HEADER_BYTES)
        return refuse(f, KLOOP_BROKER_CORRUPT_MESSAGE, "%zu bytes, less than a header", batch.len);
    return true;
}

/* The reader has looked at checksum, codec and the sign of the count. */
static bool check_found(const kloop_fault *fault, kl_batch_findings *f)
{
    char text[120];
    kloop_fault_text(fault, text, sizeof text);
    switch (fault->status) {
    case KLOOP_NO_MEMORY:
        f->no_memory = true;
        return refuse(f, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, "%s", text);
    case KLOOP_BAD_CODEC:
        return refuse(f, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, "%s", text);
    case KLOOP_BAD_COUNT:
        return refuse(f, KLOOP_BROKER_INVALID_RECORD, "%s", text);
    default:
        return refuse(f, KLOOP_BROKER_CORRUPT_MESSAGE, "%s", text);
    }
}

static bool check_header(kl_batch_findings *f)
{
    const kloop_batch_header *h = &f->header;
    if (kloop_batch_codec(h) > KL_CODEC_ZSTD)
        return refuse(f, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, "codec %d", kloop_batch_codec(h));
    if (h->record_count <= 0 || h->last_offset_delta < 0 ||
        h->last_offset_delta != h->record_count - 1)
        return refuse(f, KLOOP_BROKER_INVALID_RECORD,
                      "%" PRId32 " records, but the last offset delta is %" PRId32, h->record_count,
                      h->last_offset_delta);
    if (h->attributes & KLOOP_BATCH_CONTROL)
        return refuse(f, KLOOP_BROKER_INVALID_RECORD, "a control batch");
    if (h->producer_id >= 0 && h->base_sequence < 0)
        return refuse(f, KLOOP_BROKER_INVALID_RECORD,
                      "producer id %" PRId64 ", but base sequence %" PRId32, h->producer_id,
                      h->base_sequence);
    /* From here on Kafka takes it. */
    if (h->attributes & ~KNOWN_ATTRIBUTES)
        note(f, "attributes 0x%04x: not a producer's bits", (unsigned)(uint16_t)h->attributes);
    /* Some clients count from 0 without an id, and no broker ever looks at it. */
    bool numberless = h->base_sequence == -1 || h->base_sequence == 0;
    if (h->producer_id < 0 && (h->producer_id != -1 || h->producer_epoch != -1 || !numberless))
        note(f,
             "no producer id, but %" PRId64 ", epoch %d, base sequence %" PRId32
             " instead of three times -1",
             h->producer_id, h->producer_epoch, h->base_sequence);
    if (h->producer_id >= 0 && h->producer_epoch < 0)
        note(f, "producer id %" PRId64 " with epoch %d", h->producer_id, h->producer_epoch);
    return true;
}

/* ---- Records ---- */

typedef struct walk {
    const kl_batch_rules *rules;
    kl_scratch *scratch;
    kl_batch_findings *f;
    int32_t index;
    int32_t error_cap;
    bool shifted; /* an offset is not what it should be */
    bool bad_time;
} walk;

static bool add_record_error(walk *w, const char *message)
{
    kl_batch_findings *f = w->f;
    if (f->record_error_count == w->error_cap) {
        int32_t cap = w->error_cap ? w->error_cap * 2 : 16;
        kloop_record_error *errors = kl_scratch_take(w->scratch, (size_t)cap, sizeof *errors);
        if (!errors) {
            f->no_memory = true;
            return refuse(f, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, "no memory");
        }
        for (int32_t i = 0; i < f->record_error_count; i++)
            errors[i] = f->record_errors[i];
        f->record_errors = errors;
        w->error_cap = cap;
    }
    f->record_errors[f->record_error_count++] = (kloop_record_error){
        .batch_index = w->index, .batch_index_error_message = kloop_text(message)};
    return true;
}

static bool check_record_errors(walk *w, const kloop_batch_record *r)
{
    bool sent_append_time = (w->f->header.attributes & KLOOP_BATCH_APPEND_TIME) != 0;
    if (w->rules->compacted && !r->key.data)
        return add_record_error(w, "A record of a compacted topic needs a key.");
    if (!w->rules->append_time && r->timestamp != -1) {
        if (r->timestamp <= w->rules->newest_ms)
            return true;
        w->bad_time = true;
        return add_record_error(w, "The timestamp is too far in the future.");
    }
    if (!sent_append_time)
        return true;
    w->bad_time = true;
    return add_record_error(w, "A producer must not say that its timestamps are append times.");
}

static bool check_record(walk *w, const kloop_batch_record *r)
{
    kl_batch_findings *f = w->f;
    if (!check_record_errors(w, r))
        return false;
    if (r->offset != w->index) {
        w->shifted = true;
        note(f, "record %" PRId32 " has offset delta %" PRId64, w->index, r->offset);
    }
    if (r->attributes != 0)
        note(f, "record %" PRId32 " has attributes 0x%02x", w->index,
             (unsigned)(uint8_t)r->attributes);
    if (w->index == 0 && r->timestamp != f->header.base_timestamp &&
        !(f->header.attributes & KLOOP_BATCH_APPEND_TIME))
        note(f, "base timestamp %" PRId64 ", but the first record has %" PRId64,
             f->header.base_timestamp, r->timestamp);
    if (w->index == 0 || r->timestamp > f->max_timestamp)
        f->max_timestamp = r->timestamp;
    return true;
}

/* What Kafka answers to records that cannot be read. */
static bool check_readable(walk *w, const kloop_fault *fault)
{
    kl_batch_findings *f = w->f;
    char text[120];
    bool packed = kloop_batch_codec(&f->header) != KL_CODEC_NONE;
    kloop_fault_text(fault, text, sizeof text);
    switch (fault->status) {
    case KLOOP_NO_MEMORY:
        f->no_memory = true;
        return refuse(f, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, "%s", text);
    case KLOOP_BAD_UTF8:
        /* A header key is text; Kafka does not look. What comes behind it is not seen here. */
        note(f, "%s", text);
        return true;
    case KLOOP_BAD_PACKING:
    case KLOOP_TOO_LARGE:
    case KLOOP_CODEC_REFUSED:
        /* A zstd stream of no bytes is an empty one to Kafka. */
        if (kloop_batch_codec(&f->header) != KL_CODEC_ZSTD ||
            f->header.length > KLOOP_BATCH_HEADER_BYTES - KL_BATCH_LENGTH_SKIPS)
            return refuse(f, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, "%s", text);
        break;
    default:
        break;
    }
    return refuse(f, KLOOP_BROKER_INVALID_RECORD, "%s%s", packed ? "packed records: " : "", text);
}

static bool check_records(walk *w)
{
    kl_batch_findings *f = w->f;
    const kloop_batch_record *r;
    kloop_fault fault;
    while (!kloop_batch_reader_record(w->rules->reader, &r, &fault) && r) {
        if (!check_record(w, r))
            return false;
        w->index++;
    }
    if (fault.status && !check_readable(w, &fault))
        return false;
    if (f->record_error_count > 0) {
        refuse(f, w->bad_time ? KLOOP_BROKER_INVALID_TIMESTAMP : KLOOP_BROKER_INVALID_RECORD,
               "record %" PRId32 ": %s", f->record_errors[0].batch_index,
               f->record_errors[0].batch_index_error_message.data);
        f->malformed = false;
        f->error_message = kloop_text("Some records of the batch were refused, so none is stored.");
        return false;
    }
    if (w->shifted && kloop_batch_codec(&f->header) != KL_CODEC_NONE)
        return refuse(f, KLOOP_BROKER_UNKNOWN_SERVER_ERROR,
                      "packed records whose offset deltas are not 0, 1, 2, ...");
    if (!(f->header.attributes & KLOOP_BATCH_APPEND_TIME) && !fault.status &&
        f->max_timestamp != f->header.max_timestamp)
        note(f, "max timestamp %" PRId64 ", but the highest of the records is %" PRId64,
             f->header.max_timestamp, f->max_timestamp);
    return true;
}

void kl_batch_judge(kloop_slice batch, const kl_batch_rules *rules, kl_scratch *scratch,
                    kl_batch_findings *f)
{
    const kloop_batch_header *read;
    kloop_fault fault;
    *f = (kl_batch_findings){.error_code = 0};
    kl_batch_read_header(batch, &f->header);
    f->max_timestamp = f->header.max_timestamp;
    if (!check_front(batch, rules, f))
        return;
    if (!rules->reader) {
        check_header(f);
        return;
    }
    kloop_batch_reader_start(rules->reader, batch.data, batch.len);
    if (kloop_batch_reader_next(rules->reader, &read, &fault)) {
        check_found(&fault, f);
        return;
    }
    KL_ASSERT(read);
    walk w = {.rules = rules, .scratch = scratch, .f = f};
    if (check_header(f))
        check_records(&w);
}
