/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KL_ENCODE and KL_MEASURE for a plain field: both go through the same two functions, put_bytes and
 * put_number, so that the measured size is the written size by construction.
 */
#include "protocol/walk_parts.h"

#include "base/utf8.h"
#include "protocol/varint.h"

/* Room for n bytes: where they go, or NULL when they are only counted or there is no room. */
static uint8_t *take(kl_walk *w, size_t n)
{
    if (w->mode == KL_MEASURE) {
        w->own += n;
        return NULL;
    }
    if ((size_t)(w->out_end - w->out) < n) {
        kl_walk_fail(w, KLOOP_NO_SPACE, kl_walk_at(w), (int64_t)n, (int64_t)(w->out_end - w->out));
        return NULL;
    }
    uint8_t *p = w->out;
    w->out += n;
    return p;
}

static void put_bytes(kl_walk *w, const void *data, size_t len)
{
    uint8_t *p = take(w, len);
    if (p && len)
        memcpy(p, data, len);
}

static void put_number(kl_walk *w, uint64_t value, size_t width)
{
    uint8_t *p = take(w, width);
    if (!p)
        return;
    for (size_t i = width; i-- > 0; value >>= 8)
        p[i] = (uint8_t)value;
}

void kl_walk_write_uvarint(kl_walk *w, uint32_t value)
{
    uint8_t *p = take(w, kl_uvarint32_size(value));
    if (p)
        kl_uvarint32_put(p, value);
}

void kl_walk_write_before(kl_walk *w, uint8_t *from, uint32_t uvarint)
{
    size_t width = kl_uvarint32_size(uvarint);
    size_t len = (size_t)(w->out - from);
    if (!take(w, width))
        return;
    memmove(from + width, from, len);
    kl_uvarint32_put(from, uvarint);
}

/* -1 writes null. */
static void put_length(kl_walk *w, const kl_field *f, size_t width, int64_t length)
{
    if (kl_walk_compact(w, f))
        kl_walk_write_uvarint(w, (uint32_t)(length + 1));
    else
        put_number(w, (uint64_t)length, width);
}

static void put_null(kl_walk *w, const kl_field *f, size_t width)
{
    if (kl_walk_null_allowed(w, f))
        put_length(w, f, width, -1);
    else
        kl_walk_fail(w, KLOOP_BAD_NULL, kl_walk_at(w), 0, 0);
}

static void put_string(kl_walk *w, const kl_field *f, const kloop_string *v)
{
    if (!v->data) {
        put_null(w, f, 2);
        return;
    }
    if (v->len > KL_STRING_BYTES_MAX) {
        kl_walk_fail(w, KLOOP_TOO_LONG, kl_walk_at(w), (int64_t)v->len, KL_STRING_BYTES_MAX);
        return;
    }
    if (kl_utf8_valid_len(v->data, v->len) < v->len) {
        kl_walk_fail(w, KLOOP_BAD_UTF8, kl_walk_at(w), 0, 0);
        return;
    }
    put_length(w, f, 2, (int64_t)v->len);
    put_bytes(w, v->data, v->len);
}

static bool fits_length(kl_walk *w, size_t len)
{
    /* A compact length is written plus one. */
    if (len < INT32_MAX)
        return true;
    kl_walk_fail(w, KLOOP_TOO_LONG, kl_walk_at(w), (int64_t)len, INT32_MAX - 1);
    return false;
}

static void put_blob(kl_walk *w, const kl_field *f, const kloop_slice *v)
{
    if (!v->data) {
        put_null(w, f, 4);
        return;
    }
    if (!fits_length(w, v->len))
        return;
    put_length(w, f, 4, (int64_t)v->len);
    put_bytes(w, v->data, v->len);
}

void kl_walk_last_slice(kl_walk *w)
{
    if (!w->slices || w->out == w->piece)
        return;
    if (w->slice_count == w->slice_max) {
        kl_walk_fail(w, KLOOP_NO_SPACE, kl_walk_at(w), 1, 0);
        return;
    }
    w->slices[w->slice_count++] = (kloop_slice){w->piece, (size_t)(w->out - w->piece)};
    w->piece = w->out;
}

/* The part of the records that a gap can stand for. */
static void put_body(kl_walk *w, const kloop_records *v, size_t body_len)
{
    bool copied = body_len <= w->copy_max;
    if (w->mode == KL_MEASURE && copied) {
        w->own += body_len;
        return;
    }
    if (w->mode == KL_MEASURE) {
        /* Each gap ends one piece of own bytes; a last piece is counted by whoever started the
         * walk. */
        w->slice_count += 1;
        w->gap_own = w->own;
        for (size_t i = 0; i < v->body_count; i++)
            w->slice_count += v->body[i].len > 0;
        w->borrowed += body_len;
        return;
    }
    if (!w->slices || copied) {
        for (size_t i = 0; i < v->body_count; i++)
            put_bytes(w, v->body[i].data, v->body[i].len);
        return;
    }
    kl_walk_last_slice(w);
    for (size_t i = 0; i < v->body_count && !kl_walk_failed(w); i++) {
        if (v->body[i].len == 0)
            continue;
        if (w->slice_count == w->slice_max) {
            kl_walk_fail(w, KLOOP_NO_SPACE, kl_walk_at(w), 1, 0);
            return;
        }
        w->slices[w->slice_count++] = v->body[i];
    }
}

static void put_records(kl_walk *w, const kl_field *f, const kloop_records *v)
{
    if (!v->head.data && v->body_count == 0) {
        put_null(w, f, 4);
        return;
    }
    size_t body_len = 0;
    for (size_t i = 0; i < v->body_count; i++) {
        if (!fits_length(w, v->body[i].len) || !fits_length(w, body_len))
            return;
        body_len += v->body[i].len;
    }
    if (!fits_length(w, v->head.len) || !fits_length(w, v->head.len + body_len))
        return;
    put_length(w, f, 4, (int64_t)(v->head.len + body_len));
    put_bytes(w, v->head.data, v->head.len);
    put_body(w, v, body_len);
}

void kl_walk_write(kl_walk *w, const kl_field *f, const void *value)
{
    switch ((kl_kind)f->kind) {
    case KL_BOOL:
        put_number(w, *(const bool *)value, 1);
        break;
    case KL_INT8:
        put_number(w, (uint64_t) * (const int8_t *)value, 1);
        break;
    case KL_INT16:
        put_number(w, (uint64_t) * (const int16_t *)value, 2);
        break;
    case KL_INT32:
        put_number(w, (uint64_t) * (const int32_t *)value, 4);
        break;
    case KL_INT64:
        put_number(w, (uint64_t) * (const int64_t *)value, 8);
        break;
    case KL_UUID:
        put_bytes(w, ((const kloop_uuid *)value)->bytes, 16);
        break;
    case KL_STRING:
        put_string(w, f, value);
        break;
    case KL_BYTES:
        put_blob(w, f, value);
        break;
    case KL_RECORDS:
        put_records(w, f, value);
        break;
    case KL_ARRAY:
    case KL_STRUCT:
        KL_UNREACHABLE();
    }
}

void kl_walk_write_count(kl_walk *w, const kl_field *f, int32_t count)
{
    if (count == -1)
        put_null(w, f, 4);
    else if (count < 0)
        kl_walk_fail(w, KLOOP_BAD_LENGTH, kl_walk_at(w), count, 0);
    else
        put_length(w, f, 4, count);
}
