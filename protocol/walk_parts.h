/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the walk share among themselves: see walk.h for what the walk is. */
#ifndef KL_PROTOCOL_WALK_PARTS_H
#define KL_PROTOCOL_WALK_PARTS_H

#include "protocol/walk.h"

/* Kafka's limit for a string on the wire, compact or not. */
#define KL_STRING_BYTES_MAX 32767

/* Room for the largest element of any list; the walk checks. */
typedef union kl_element {
    max_align_t align;
    uint8_t bytes[256];
} kl_element;

static inline size_t kl_walk_left(const kl_walk *w)
{
    return (size_t)(w->end - w->pos);
}

static inline bool kl_walk_null_allowed(const kl_walk *w, const kl_field *f)
{
    return f->nullable && w->version >= f->null_since;
}

static inline bool kl_walk_compact(const kl_walk *w, const kl_field *f)
{
    return w->flexible && !f->never_compact;
}

/*
 * A walk without input or output. Only what every mode looks at is set: zeroing all of it would
 * cost more than reading a small element.
 */
static inline void kl_walk_begin(kl_walk *w, kl_walk_mode mode)
{
    w->mode = mode;
    w->fast = false;
    w->flexible = false;
    w->trusted = false;
    w->differs = false;
    w->skipped = false;
    w->version = 0;
    w->tap = NULL;
    w->fault.status = KLOOP_OK;
    w->fault.depth = 0;
}

/* ---- walk_read.c: bytes -> one plain field ---- */

/* After a fault *value is not to be used: the caller sets it to its default. */
void kl_walk_read(kl_walk *w, const kl_field *f, void *value);
/* The element count of a list, -1 for null. */
int32_t kl_walk_read_count(kl_walk *w, const kl_field *f);
bool kl_walk_read_uvarint(kl_walk *w, uint32_t *value);

/* ---- walk_write.c: one plain field -> bytes, or their number ---- */

void kl_walk_write(kl_walk *w, const kl_field *f, const void *value);
void kl_walk_write_count(kl_walk *w, const kl_field *f, int32_t count);
void kl_walk_write_uvarint(kl_walk *w, uint32_t value);
/* Puts a number in front of what was written since from. */
void kl_walk_write_before(kl_walk *w, uint8_t *from, uint32_t uvarint);

/* ---- walk_default.c: what a field is when it is not there ---- */

bool kl_walk_is_default(const kl_field *f, const void *value);

/* Adds the field that was being walked to the path of a fresh fault. */
void kl_walk_blame(kl_walk *w, const kl_field *f, int32_t index);

#endif
