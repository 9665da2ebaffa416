/* SPDX-License-Identifier: BSD-2-Clause */
/* The slow halves of a chain: growing, crossing segments, rewinding. See chain.h. */
#include "base/chain.h"

#include "base/check.h"

/* For less than this a large segment would stay empty for the most part. For more it is still the
 * better choice: each segment is a place in memory of its own. */
#define LITTLE_BYTES ((size_t)12 * 1024)
/* A chain that will not become longer than this never takes one: what a codec makes of a batch of
 * small segments must not take more than the batch did. */
#define SHORT_BYTES ((size_t)20 * 1024)

void kl_chain_init(kl_chain *chain, kl_pool *pool)
{
    *chain = (kl_chain){.pool = pool};
}

static void drop_from(kl_segment *segment)
{
    while (segment) {
        kl_segment *next = segment->next;
        /* A pinned segment outlives the chain; it must not drag a dead neighbour along. */
        segment->next = NULL;
        kl_segment_unpin(segment);
        segment = next;
    }
}

void kl_chain_clear(kl_chain *chain)
{
    drop_from(chain->first);
    kl_chain_init(chain, chain->pool);
}

/* The one place that knows where the count of the last segment's bytes is. */
static uint32_t used_of(const kl_chain *chain, const kl_segment *segment)
{
    return segment == chain->last ? (uint32_t)(chain->pos - segment->bytes) : segment->used;
}

size_t kl_chain_held_bytes(const kl_chain *chain)
{
    size_t bytes = 0;
    for (const kl_segment *segment = chain->first; segment; segment = segment->next)
        bytes += kl_grade_size(segment->grade);
    return bytes;
}

bool kl_chain_grow(kl_chain *chain, size_t expected)
{
    if (kl_chain_room(chain) > 0)
        return true;
    /* As much again as is there already: few segments for a long chain, little waste for a short
     * one. */
    size_t len = kl_chain_len(chain);
    kl_grade grade = kl_grade_for(expected > len ? expected : len);
    size_t rest = chain->reach > len ? chain->reach - len : 0;
    bool little = rest < LITTLE_BYTES || chain->reach <= SHORT_BYTES;
    if (grade == KL_GRADE_LARGE && expected <= rest && little)
        grade = KL_GRADE_MEDIUM;
    kl_segment *segment = kl_segment_get(chain->pool, grade);
    if (!segment)
        return false;
    if (chain->last) {
        chain->last->used = used_of(chain, chain->last);
        chain->last->next = segment;
    } else {
        chain->first = segment;
    }
    chain->before = len;
    chain->last = segment;
    chain->pos = segment->bytes;
    chain->end = segment->bytes + segment->capacity;
    return true;
}

bool kl_chain_append_across(kl_chain *chain, const void *data, size_t len)
{
    kl_chain_mark start = kl_chain_here(chain);
    const uint8_t *from = data;
    while (len > 0) {
        if (!kl_chain_grow(chain, len)) {
            kl_chain_rewind(chain, start);
            return false;
        }
        size_t step = kl_chain_room(chain) < len ? kl_chain_room(chain) : len;
        memcpy(chain->pos, from, step);
        chain->pos += step;
        from += step;
        len -= step;
    }
    return true;
}

void kl_chain_rewind(kl_chain *chain, kl_chain_mark mark)
{
    if (!mark.last) {
        kl_chain_clear(chain);
        return;
    }
    drop_from(mark.last->next);
    mark.last->next = NULL;
    chain->last = mark.last;
    chain->pos = mark.pos;
    chain->end = mark.last->bytes + mark.last->capacity;
    chain->before = mark.before;
}

size_t kl_chain_slice_count(const kl_chain *chain)
{
    size_t count = 0;
    for (const kl_segment *segment = chain->first; segment; segment = segment->next)
        count += used_of(chain, segment) > 0;
    return count;
}

kl_chain_cursor kl_chain_read(const kl_chain *chain)
{
    return (kl_chain_cursor){.chain = chain, .segment = chain->first};
}

kloop_slice kl_chain_read_some(kl_chain_cursor *c, size_t max)
{
    KL_ASSERT(max > 0);
    for (; c->segment; c->segment = c->segment->next, c->offset = 0) {
        size_t left = used_of(c->chain, c->segment) - c->offset;
        if (left > 0) {
            kloop_slice piece = {c->segment->bytes + c->offset, left < max ? left : max};
            c->offset += piece.len;
            return piece;
        }
    }
    return (kloop_slice){NULL, 0};
}

bool kl_chain_read_all(const kl_chain_cursor *c)
{
    size_t offset = c->offset;
    for (const kl_segment *segment = c->segment; segment; segment = segment->next, offset = 0)
        if (used_of(c->chain, segment) > offset)
            return false;
    return true;
}

size_t kl_chain_slices(const kl_chain *chain, kloop_slice *slices, size_t max)
{
    kl_chain_cursor c = kl_chain_read(chain);
    size_t count = 0;
    while (count < max && (slices[count] = kl_chain_read_some(&c, SIZE_MAX)).data)
        count++;
    return count;
}

void kl_chain_copy(const kl_chain *chain, uint8_t *dst)
{
    kl_chain_cursor c = kl_chain_read(chain);
    for (kloop_slice piece; (piece = kl_chain_read_some(&c, SIZE_MAX)).data; dst += piece.len)
        memcpy(dst, piece.data, piece.len);
}
