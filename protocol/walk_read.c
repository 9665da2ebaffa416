/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KL_DECODE for a plain field. Every length is held against the bytes that are left before anything
 * is read, so that a length that lies is a fault at its own place and costs nothing.
 */
#include "protocol/walk_parts.h"

#include "base/utf8.h"
#include "protocol/varint.h"

static bool need(kl_walk *w, size_t bytes)
{
    if (KL_LIKELY(kl_walk_left(w) >= bytes))
        return true;
    kl_walk_fail(w, KLOOP_TRUNCATED, kl_walk_at(w), (int64_t)bytes, (int64_t)kl_walk_left(w));
    return false;
}

bool kl_walk_read_uvarint(kl_walk *w, uint32_t *value)
{
    int used = kl_uvarint32_get(w->pos, w->end, value);
    if (used > 0) {
        w->pos += used;
        return true;
    }
    if (used == 0)
        kl_walk_fail(w, KLOOP_TRUNCATED, kl_walk_at(w), (int64_t)kl_walk_left(w) + 1,
                     (int64_t)kl_walk_left(w));
    else
        kl_walk_fail(w, KLOOP_BAD_VARINT, kl_walk_at(w), 0, 0);
    return false;
}

typedef enum length_width { LENGTH_16, LENGTH_32 } length_width;

/*
 * A length, or a count, in its compact or plain form: false after a fault, *length == -1 for null.
 * at_most is a limit of the protocol itself.
 */
static bool read_length(kl_walk *w, const kl_field *f, length_width width, int64_t at_most,
                        int64_t *length)
{
    size_t at = kl_walk_at(w);
    if (kl_walk_compact(w, f)) {
        uint32_t plus_one;
        if (!kl_walk_read_uvarint(w, &plus_one))
            return false;
        *length = (int64_t)plus_one - 1;
    } else if (width == LENGTH_16) {
        if (!need(w, 2))
            return false;
        *length = (int16_t)kl_be_load16(w->pos);
        w->pos += 2;
    } else {
        if (!need(w, 4))
            return false;
        *length = (int32_t)kl_be_load32(w->pos);
        w->pos += 4;
    }
    if (*length == -1) {
        if (kl_walk_null_allowed(w, f))
            return true;
        kl_walk_fail(w, KLOOP_BAD_NULL, at, 0, 0);
        return false;
    }
    if (*length < 0 || *length > INT32_MAX) {
        kl_walk_fail(w, KLOOP_BAD_LENGTH, at, *length, 0);
        return false;
    }
    if (*length > at_most) {
        kl_walk_fail(w, KLOOP_TOO_LONG, at, *length, at_most);
        return false;
    }
    return true;
}

/* The bytes behind a length; no data for null, and after a fault. */
static void read_sized(kl_walk *w, const kl_field *f, length_width width, int64_t at_most,
                       kloop_slice *bytes)
{
    int64_t length;
    *bytes = (kloop_slice){NULL, 0};
    if (!read_length(w, f, width, at_most, &length) || length < 0 || !need(w, (size_t)length))
        return;
    *bytes = (kloop_slice){w->pos, (size_t)length};
    w->pos += length;
}

static void read_string(kl_walk *w, const kl_field *f, kloop_string *v)
{
    kloop_slice bytes;
    read_sized(w, f, LENGTH_16, KL_STRING_BYTES_MAX, &bytes);
    if (!w->trusted && bytes.data) {
        size_t valid = kl_utf8_valid_len((const char *)bytes.data, bytes.len);
        if (valid < bytes.len) {
            kl_walk_fail(w, KLOOP_BAD_UTF8, (size_t)(bytes.data - w->start) + valid, 0, 0);
            return;
        }
    }
    *v = (kloop_string){(const char *)bytes.data, bytes.len};
}

static void read_bool(kl_walk *w, bool *v)
{
    if (!need(w, 1))
        return;
    if (*w->pos > 1) {
        kl_walk_fail(w, KLOOP_BAD_BOOL, kl_walk_at(w), *w->pos, 0);
        return;
    }
    *v = *w->pos++;
}

void kl_walk_read(kl_walk *w, const kl_field *f, void *value)
{
    switch ((kl_kind)f->kind) {
    case KL_BOOL:
        read_bool(w, value);
        break;
    case KL_INT8:
        if (need(w, 1))
            *(int8_t *)value = (int8_t)*w->pos++;
        break;
    case KL_INT16:
        if (need(w, 2)) {
            *(int16_t *)value = (int16_t)kl_be_load16(w->pos);
            w->pos += 2;
        }
        break;
    case KL_INT32:
        if (need(w, 4)) {
            *(int32_t *)value = (int32_t)kl_be_load32(w->pos);
            w->pos += 4;
        }
        break;
    case KL_INT64:
        if (need(w, 8)) {
            *(int64_t *)value = (int64_t)kl_be_load64(w->pos);
            w->pos += 8;
        }
        break;
    case KL_UUID:
        if (need(w, 16)) {
            memcpy(((kloop_uuid *)value)->bytes, w->pos, 16);
            w->pos += 16;
        }
        break;
    case KL_STRING:
        read_string(w, f, value);
        break;
    case KL_BYTES:
        read_sized(w, f, LENGTH_32, INT32_MAX, value);
        break;
    case KL_RECORDS:
        *(kloop_records *)value = (kloop_records){{NULL, 0}, NULL, 0};
        read_sized(w, f, LENGTH_32, INT32_MAX, &((kloop_records *)value)->head);
        break;
    case KL_ARRAY:
    case KL_STRUCT:
        KL_UNREACHABLE();
    }
}

int32_t kl_walk_read_count(kl_walk *w, const kl_field *f)
{
    size_t at = kl_walk_at(w);
    int64_t count;
    if (!read_length(w, f, LENGTH_32, INT32_MAX, &count))
        return 0;
    /* No element is shorter than a byte. */
    size_t width = f->type->fixed_bytes ? f->type->fixed_bytes : 1;
    if (count > 0 && (uint64_t)count > kl_walk_left(w) / width) {
        kl_walk_fail(w, KLOOP_BAD_COUNT, at, count, (int64_t)kl_walk_left(w));
        return 0;
    }
    return (int32_t)count;
}
