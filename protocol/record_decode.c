/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes -> one record, judged as Kafka's DefaultRecord judges them: a negative length of a key or
 * value is null, numbers may take more bytes than needed, all bits of the attributes are allowed.
 * Beyond that header keys must be UTF-8, because they are handed out as text.
 *
 * Headers are looked through here and looked at again by kloop_record_headers_next: no list of them
 * is ever made.
 */
#include "protocol/record.h"

#include "base/utf8.h"

/* What is left of the bytes, and the one fault. */
typedef struct cursor {
    const uint8_t *start;
    const uint8_t *pos;
    const uint8_t *end;
    kloop_fault *fault;
} cursor;

static size_t left(const cursor *c)
{
    return (size_t)(c->end - c->pos);
}

static bool fail_at(cursor *c, const uint8_t *where, kloop_status status, int64_t a, int64_t b)
{
    *c->fault = (kloop_fault){.status = status, .at = (size_t)(where - c->start), .a = a, .b = b};
    return false;
}

static bool fail(cursor *c, kloop_status status, int64_t a, int64_t b)
{
    return fail_at(c, c->pos, status, a, b);
}

/* Says which field it was; index is -1 for one that is no list. */
static bool blame(cursor *c, const char *name, int32_t index)
{
    c->fault->path[c->fault->depth].name = name;
    c->fault->path[c->fault->depth].index = index;
    c->fault->depth++;
    return false;
}

/* used is what a getter answered. */
static bool advance(cursor *c, int used)
{
    if (KL_LIKELY(used > 0)) {
        c->pos += used;
        return true;
    }
    if (used == 0)
        return fail(c, KLOOP_TRUNCATED, (int64_t)left(c) + 1, (int64_t)left(c));
    return fail(c, KLOOP_BAD_VARINT, 0, 0);
}

static bool read_int(cursor *c, int32_t *v)
{
    return advance(c, kl_varint32_get(c->pos, c->end, v));
}

static bool read_content(cursor *c, int32_t len, const uint8_t **data)
{
    if ((size_t)len > left(c))
        return fail(c, KLOOP_TRUNCATED, len, (int64_t)left(c));
    *data = c->pos;
    c->pos += len;
    return true;
}

static bool read_slice(cursor *c, kloop_slice *s)
{
    int32_t len;
    *s = (kloop_slice){NULL, 0};
    if (!read_int(c, &len))
        return false;
    if (len < 0)
        return true;
    s->len = (size_t)len;
    return read_content(c, len, &s->data);
}

static bool read_header(cursor *c, kloop_record_header *header)
{
    int32_t len;
    const uint8_t *start = c->pos;
    const uint8_t *key = NULL;
    if (!read_int(c, &len))
        return blame(c, "key", -1);
    if (len < 0) {
        fail_at(c, start, len == -1 ? KLOOP_BAD_NULL : KLOOP_BAD_LENGTH, len, 0);
        return blame(c, "key", -1);
    }
    if (!read_content(c, len, &key))
        return blame(c, "key", -1);
    header->key = (kloop_string){(const char *)key, (size_t)len};
    return read_slice(c, &header->value) || blame(c, "value", -1);
}

static bool check_headers(cursor *c, kloop_record_headers *headers)
{
    const uint8_t *start = c->pos;
    int32_t count;
    if (!read_int(c, &count))
        return blame(c, "headers", -1);
    /* Kafka holds the count against the bytes too; each header takes two at least. */
    if (count < 0 || (size_t)count > left(c)) {
        fail_at(c, start, KLOOP_BAD_COUNT, count, (int64_t)left(c));
        return blame(c, "headers", -1);
    }
    const uint8_t *first = c->pos;
    for (int32_t i = 0; i < count; i++) {
        kloop_record_header header;
        if (!read_header(c, &header))
            return blame(c, "headers", i);
        size_t valid = kl_utf8_valid_len(header.key.data, header.key.len);
        if (valid < header.key.len) {
            fail_at(c, (const uint8_t *)header.key.data + valid, KLOOP_BAD_UTF8, 0, 0);
            blame(c, "key", -1);
            return blame(c, "headers", i);
        }
    }
    *headers = (kloop_record_headers){.count = count, .bytes = {first, (size_t)(c->pos - first)}};
    return true;
}

static bool read_attributes(cursor *c, int8_t *attributes)
{
    if (left(c) == 0)
        return fail(c, KLOOP_TRUNCATED, 1, 0);
    *attributes = (int8_t)*c->pos++;
    return true;
}

static bool read_record(cursor *c, kl_record_view *view)
{
    int32_t size;
    if (!read_int(c, &size))
        return blame(c, "length", -1);
    if (size < 0 || (size_t)size > left(c)) {
        if (size < 0)
            fail_at(c, c->start, KLOOP_BAD_LENGTH, size, 0);
        else
            fail_at(c, c->start, KLOOP_TRUNCATED, size, (int64_t)left(c));
        return blame(c, "length", -1);
    }
    const uint8_t *body = c->pos;
    c->end = body + size;
    if (!read_attributes(c, &view->attributes))
        return blame(c, "attributes", -1);
    if (!advance(c, kl_varint64_get(c->pos, c->end, &view->timestamp_delta)))
        return blame(c, "timestampDelta", -1);
    if (!read_int(c, &view->offset_delta))
        return blame(c, "offsetDelta", -1);
    if (!read_slice(c, &view->key))
        return blame(c, "key", -1);
    if (!read_slice(c, &view->value))
        return blame(c, "value", -1);
    if (!check_headers(c, &view->headers))
        return false;
    if (c->pos != c->end)
        return fail(c, KLOOP_BAD_RECORD, size, c->pos - body);
    view->bytes = (kloop_slice){c->start, (size_t)(c->end - c->start)};
    return true;
}

kloop_status kl_record_decode(const uint8_t *bytes, size_t len, kl_record_view *view,
                              kloop_fault *fault)
{
    cursor c = {bytes, bytes, bytes + len, fault};
    return read_record(&c, view) ? KLOOP_OK : fault->status;
}

bool kloop_record_headers_next(kloop_record_headers *rest, kloop_record_header *header)
{
    if (rest->count <= 0)
        return false;
    if (rest->items) {
        *header = *rest->items++;
        rest->count--;
        return true;
    }
    /* They were checked when the record was read; a struct of someone else's making ends the list
     * at its first fault. */
    if (!rest->bytes.data) {
        rest->count = 0;
        return false;
    }
    kloop_fault unseen;
    cursor c = {rest->bytes.data, rest->bytes.data, rest->bytes.data + rest->bytes.len, &unseen};
    if (!read_header(&c, header)) {
        rest->count = 0;
        return false;
    }
    rest->bytes = (kloop_slice){c.pos, (size_t)(c.end - c.pos)};
    rest->count--;
    return true;
}
