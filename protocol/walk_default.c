/* SPDX-License-Identifier: BSD-2-Clause */
/* What a field is when it is not there. */
#include "protocol/walk_parts.h"

/* The empty string and empty bytes have an address, because none is Kafka's null. */
static const char nothing[1] = "";

void kl_walk_set_default(const kl_field *f, void *value)
{
    switch ((kl_kind)f->kind) {
    case KL_BOOL:
        *(bool *)value = f->fallback != 0;
        break;
    case KL_INT8:
        *(int8_t *)value = (int8_t)f->fallback;
        break;
    case KL_INT16:
        *(int16_t *)value = (int16_t)f->fallback;
        break;
    case KL_INT32:
        *(int32_t *)value = (int32_t)f->fallback;
        break;
    case KL_INT64:
        *(int64_t *)value = f->fallback;
        break;
    case KL_UUID:
        memset(value, 0, sizeof(kloop_uuid));
        break;
    case KL_STRING:
        *(kloop_string *)value = (kloop_string){f->null_default ? NULL : nothing, 0};
        break;
    case KL_BYTES:
        *(kloop_slice *)value = (kloop_slice){f->null_default ? NULL : (const uint8_t *)nothing, 0};
        break;
    case KL_RECORDS:
        *(kloop_records *)value = (kloop_records){{NULL, 0}, NULL, 0};
        break;
    case KL_ARRAY:
        *(kloop_array *)value = (kloop_array){.count = f->null_default ? -1 : 0};
        break;
    case KL_STRUCT:
        if (f->type->defaults)
            memcpy(value, f->type->defaults, f->type->size);
        else
            kl_walk_reset(f->type, value);
        break;
    }
}

/*
 * Where null and empty are two values, only one of them is the default. Where there is no null, a
 * pointer that was never set is as good as empty.
 */
static bool is_default_view(const kl_field *f, const void *data, size_t len)
{
    if (f->null_default)
        return !data;
    return len == 0 && (data || !f->nullable);
}

bool kl_walk_is_default(const kl_field *f, const void *value)
{
    switch ((kl_kind)f->kind) {
    case KL_BOOL:
        return *(const bool *)value == (f->fallback != 0);
    case KL_INT8:
        return *(const int8_t *)value == f->fallback;
    case KL_INT16:
        return *(const int16_t *)value == f->fallback;
    case KL_INT32:
        return *(const int32_t *)value == f->fallback;
    case KL_INT64:
        return *(const int64_t *)value == f->fallback;
    case KL_UUID: {
        static const kloop_uuid zero;
        return memcmp(value, &zero, sizeof zero) == 0;
    }
    case KL_STRING: {
        const kloop_string *s = value;
        return is_default_view(f, s->data, s->len);
    }
    case KL_BYTES: {
        const kloop_slice *s = value;
        return is_default_view(f, s->data, s->len);
    }
    case KL_RECORDS: {
        const kloop_records *r = value;
        return !r->head.data && r->body_count == 0;
    }
    case KL_ARRAY:
        return ((const kloop_array *)value)->count == (f->null_default ? -1 : 0);
    case KL_STRUCT: {
        kl_walk probe;
        kl_walk_begin(&probe, KL_PROBE);
        /* The walk takes a pointer it could write through; under KL_PROBE it only looks. */
        f->type->walk(&probe, (void *)(uintptr_t)value);
        return !probe.differs;
    }
    }
    KL_UNREACHABLE();
}
