/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tagged fields: a count, then for each its number, its size, its bytes, with rising numbers. Those
 * we do not know are skipped; those at their default are not written.
 */
#include "protocol/walk_parts.h"

#include "protocol/varint.h"

/* ---- Decoding: a cursor over the tags, one of them under the hand ---- */

static void next_tag(kl_walk *w, kl_tags *tags)
{
    tags->have = false;
    if (tags->count == 0 || kl_walk_failed(w))
        return;
    tags->at = kl_walk_at(w);
    if (!kl_walk_read_uvarint(w, &tags->tag))
        return;
    if ((int64_t)tags->tag <= tags->last) {
        kl_walk_fail(w, KLOOP_BAD_TAG_ORDER, tags->at, tags->tag, tags->last);
        return;
    }
    if (!kl_walk_read_uvarint(w, &tags->size))
        return;
    if (tags->size > kl_walk_left(w)) {
        kl_walk_fail(w, KLOOP_TRUNCATED, kl_walk_at(w), tags->size, (int64_t)kl_walk_left(w));
        return;
    }
    tags->count--;
    tags->last = tags->tag;
    tags->have = true;
}

static void skip_tag(kl_walk *w, kl_tags *tags)
{
    w->pos += tags->size;
    w->skipped = true;
    next_tag(w, tags);
}

/* The field itself, confined to the bytes that its tag announced. */
static void decode_tagged(kl_walk *w, kl_tags *tags, const kl_field *f, void *value)
{
    const uint8_t *from = w->pos;
    const uint8_t *end = w->end;
    kl_tap *tap = w->tap;
    w->end = from + tags->size;
    w->tap = NULL;
    bool skipped_before = w->skipped;
    w->skipped = false;
    kl_walk_field(w, f, value);
    bool skipped_inside = w->skipped;
    w->skipped |= skipped_before;
    w->tap = tap;
    if (kl_walk_failed(w))
        return;
    if (w->pos != w->end) {
        kl_walk_fail(w, KLOOP_BAD_TAG_SIZE, kl_walk_at(w), w->pos - from, tags->size);
        kl_walk_blame(w, f, -1);
        return;
    }
    /*
     * A tool is shown what was sent only if it says something: at its default the field counts as
     * left out. A struct that carries a tag from the future does say something, also to Kafka's own
     * classes.
     */
    if (tap && (skipped_inside || !kl_walk_is_default(f, value))) {
        w->pos = from;
        kl_walk_field(w, f, value);
    }
    w->end = end;
    next_tag(w, tags);
}

/* ---- Encoding ---- */

static void write_tagged(kl_walk *w, kl_tags *tags, uint32_t tag, const kl_field *f, void *value)
{
    if (kl_walk_is_default(f, value))
        return;
    tags->count++;
    kl_walk_write_uvarint(w, tag);
    uint8_t *from = w->out;
    size_t own_before = w->own;
    kl_walk_field(w, f, value);
    if (kl_walk_failed(w))
        return;
    if (w->mode == KL_MEASURE)
        kl_walk_write_uvarint(w, (uint32_t)(w->own - own_before));
    else
        kl_walk_write_before(w, from, (uint32_t)(w->out - from));
}

void kl_walk_tags_begin(kl_walk *w, kl_tags *tags)
{
    *tags = (kl_tags){.last = -1};
    if (!w->flexible || kl_walk_failed(w))
        return;
    if (w->mode == KL_DECODE) {
        if (kl_walk_read_uvarint(w, &tags->count))
            next_tag(w, tags);
    } else if (w->mode == KL_ENCODE || w->mode == KL_MEASURE) {
        /* One byte for the count, filled in at the end: no struct has 128 tagged fields. */
        tags->count_at = w->out;
        kl_walk_write_uvarint(w, 0);
    }
}

void kl_walk_tagged(kl_walk *w, kl_tags *tags, uint32_t tag, const kl_field *f, void *value)
{
    bool carried = w->flexible && kl_walk_carries(w, f);
    switch (w->mode) {
    case KL_DECODE:
        kl_walk_set_default(f, value);
        while (tags->have && tags->tag < tag)
            skip_tag(w, tags);
        if (!tags->have || tags->tag != tag)
            return;
        if (carried) {
            decode_tagged(w, tags, f, value);
        } else {
            /* Not unknown, but out of place: a sender that means the field speaks a later version.
             * So does Kafka. */
            kl_walk_fail(w, KLOOP_BAD_TAG, tags->at, tag, 0);
            kl_walk_blame(w, f, -1);
        }
        return;
    case KL_ENCODE:
    case KL_MEASURE:
        if (carried && !kl_walk_failed(w))
            write_tagged(w, tags, tag, f, value);
        else
            kl_walk_field(w, f, value);
        return;
    default:
        kl_walk_field(w, f, value);
        return;
    }
}

void kl_walk_tags_end(kl_walk *w, kl_tags *tags)
{
    if (!w->flexible || kl_walk_failed(w))
        return;
    if (w->mode == KL_DECODE) {
        while (tags->have)
            skip_tag(w, tags);
    } else if (w->mode == KL_ENCODE) {
        KL_ASSERT(tags->count < 128);
        *tags->count_at = (uint8_t)tags->count;
    }
}

void kl_walk_no_tags_else(kl_walk *w)
{
    if (!w->flexible || kl_walk_skip_no_tags(w))
        return;
    if (w->mode == KL_MEASURE) {
        w->own++;
    } else if (w->mode == KL_ENCODE && w->out < w->out_end) {
        *w->out++ = 0;
    } else {
        kl_tags tags;
        kl_walk_tags_begin(w, &tags);
        kl_walk_tags_end(w, &tags);
    }
}
