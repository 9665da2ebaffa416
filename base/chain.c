/* SPDX-License-Identifier: BSD-2-Clause */
/* The slow halves of a chain: growing, crossing segments, rewinding. See chain.h. */
#include "base/chain.h"

#include "base/check.h"

/* For less than this a big segment would stay empty for the most part, and a large one for less
 * than that. For more they are still the better choice: each segment is a place in memory of its
 * own. */
#define LITTLE_BYTES ((size_t)12 * 1024)
#define MUCH_BYTES   ((size_t)48 * 1024)
/* A chain that is hardly begun grows faster. */
#define BEGUN_BYTES ((size_t)480)
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
    if (chain->lent) {
        kl_pool_unhold(chain->pool, chain->lent_bytes);
        kl_loans_return(chain->pool, chain->lent);
    }
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
        bytes += kl_segment_size(segment);
    return bytes;
}

/* As much again as is there already: few segments for a long chain, little waste for a short one.
 * But what would stay empty for the most part is not taken, and a large one only by a chain that
 * knows that it will need it. */
static kl_grade next_grade(const kl_chain *chain, size_t expected)
{
    size_t own = kl_chain_own_len(chain);
    size_t wanted = own <= BEGUN_BYTES ? 2 * own : own;
    kl_grade grade = kl_grade_for(expected > wanted ? expected : wanted);
    if (grade < KL_GRADE_BIG)
        return grade;
    size_t len = kl_chain_len(chain);
    size_t rest = chain->reach > len ? chain->reach - len : 0;
    if (chain->reach == 0)
        return kl_grade_for(expected) < KL_GRADE_BIG ? KL_GRADE_BIG : kl_grade_for(expected);
    if (expected > rest)
        return grade;
    if (rest < LITTLE_BYTES || chain->reach <= SHORT_BYTES)
        return KL_GRADE_MEDIUM;
    return rest < MUCH_BYTES ? KL_GRADE_BIG : grade;
}

bool kl_chain_grow(kl_chain *chain, size_t expected)
{
    if (kl_chain_room(chain) > 0)
        return true;
    size_t len = kl_chain_len(chain);
    kl_segment *segment = kl_segment_get(chain->pool, next_grade(chain, expected));
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
    chain->end = segment->bytes + kl_segment_capacity(segment);
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

/* ---- Loans ---- */

bool kl_chain_lend(kl_chain *chain, kloop_slice bytes, uint32_t front, void *lender)
{
    KL_ASSERT(bytes.len > 0 && bytes.len <= UINT32_MAX);
    kl_chain_mark start = kl_chain_here(chain);
    /* The count of bytes begins with a segment. */
    if (!chain->last && !kl_chain_grow(chain, 1))
        return false;
    kl_loan loan = {bytes.data, (uint32_t)bytes.len, front, lender, kl_chain_len(chain)};
    if (!kl_loans_add(chain->pool, &chain->lent, &loan)) {
        kl_chain_rewind(chain, start);
        return false;
    }
    chain->before += bytes.len;
    chain->lent_bytes += bytes.len;
    kl_pool_hold(chain->pool, bytes.len);
    return true;
}

size_t kl_chain_lend_growth_max(const kl_chain *chain)
{
    return kl_loans_growth_max(chain->lent) + (chain->last ? 0 : kl_grade_size(KL_GRADE_SMALL));
}

void kl_chain_hand_on(kl_chain *chain, kl_loan *loan)
{
    KL_ASSERT(loan->front != KL_LOAN_HANDED_ON && chain->lent_bytes >= loan->len);
    loan->front = KL_LOAN_HANDED_ON;
    /* It keeps its place: only what is counted as held is less now. */
    chain->lent_bytes -= loan->len;
    kl_pool_unhold(chain->pool, loan->len);
}

/* Of this segment of the ring, what stands from there on. */
static void take_back(kl_chain *chain, const kl_segment *segment, uint32_t from)
{
    for (; from < segment->used; from += (uint32_t)sizeof(kl_loan)) {
        const kl_loan *loan = (const kl_loan *)(const void *)(segment->bytes + from);
        chain->lent_bytes -= loan->len;
        kl_pool_unhold(chain->pool, loan->len);
    }
}

static void rewind_loans(kl_chain *chain, kl_chain_mark mark)
{
    kl_segment *last = chain->lent;
    if (!last)
        return;
    if (mark.lent) {
        take_back(chain, mark.lent, mark.lent_used);
        mark.lent->used = mark.lent_used;
    }
    if (last == mark.lent)
        return;
    /* All behind the mark's segment, as a ring of their own. */
    kl_segment *keep = mark.lent;
    kl_segment *first = last->next;
    if (keep) {
        kl_segment *dropped = keep->next;
        last->next = dropped;
        keep->next = first;
        first = dropped;
    }
    chain->lent = keep;
    for (const kl_segment *segment = first;; segment = segment->next) {
        take_back(chain, segment, 0);
        if (segment == last)
            break;
    }
    kl_loans_drop(last);
}

void kl_chain_rewind(kl_chain *chain, kl_chain_mark mark)
{
    rewind_loans(chain, mark);
    if (!mark.last) {
        kl_chain_clear(chain);
        return;
    }
    drop_from(mark.last->next);
    mark.last->next = NULL;
    chain->last = mark.last;
    chain->pos = mark.pos;
    chain->end = mark.last->bytes + kl_segment_capacity(mark.last);
    chain->before = mark.before;
}

/* ---- Reading ---- */

size_t kl_chain_slice_count(const kl_chain *chain)
{
    size_t count = 0;
    if (KL_UNLIKELY(chain->lent)) {
        kl_chain_cursor c = kl_chain_read(chain);
        while (kl_chain_read_some(&c, SIZE_MAX).data)
            count++;
        return count;
    }
    for (const kl_segment *segment = chain->first; segment; segment = segment->next)
        count += used_of(chain, segment) > 0;
    return count;
}

kl_chain_cursor kl_chain_read(const kl_chain *chain)
{
    return (kl_chain_cursor){.chain = chain, .segment = chain->first};
}

kl_chain_cursor kl_chain_read_from(const kl_chain *chain, const kl_segment *segment, size_t offset,
                                   size_t done)
{
    kl_chain_cursor c = {.chain = chain, .segment = segment, .offset = offset, .done = done};
    if (!chain->lent)
        return c;
    c.lent = chain->lent;
    c.lent_at = chain->lent->used - sizeof(kl_loan);
    const kl_loan *last = (const kl_loan *)(const void *)(c.lent->bytes + c.lent_at);
    if (last->at < done)
        c.lent_at += sizeof *last;
    return c;
}

kl_loan *kl_chain_next_loan(kl_chain_cursor *c)
{
    const kl_segment *last = c->chain->lent;
    if (!last)
        return NULL;
    if (!c->lent)
        c->lent = last->next;
    while (c->lent_at == c->lent->used) {
        if (c->lent == last)
            return NULL;
        c->lent = c->lent->next;
        c->lent_at = 0;
    }
    return (kl_loan *)(void *)(c->lent->bytes + c->lent_at);
}

/* What the loan still shows, at most max of it. */
static kloop_slice read_lent(kl_chain_cursor *c, const kl_loan *loan, size_t max)
{
    size_t shown = c->done - loan->at;
    size_t left = loan->len - shown;
    kloop_slice piece = {loan->data + shown, left < max ? left : max};
    c->done += piece.len;
    if (piece.len == left)
        c->lent_at += sizeof *loan;
    return piece;
}

kloop_slice kl_chain_read_some(kl_chain_cursor *c, size_t max)
{
    KL_ASSERT(max > 0);
    if (KL_UNLIKELY(c->chain->lent)) {
        const kl_loan *loan = kl_chain_next_loan(c);
        if (loan && loan->at <= c->done)
            return read_lent(c, loan, max);
        if (loan && loan->at - c->done < max)
            max = loan->at - c->done;
    }
    for (; c->segment; c->segment = c->segment->next, c->offset = 0) {
        size_t left = used_of(c->chain, c->segment) - c->offset;
        if (left > 0) {
            kloop_slice piece = {c->segment->bytes + c->offset, left < max ? left : max};
            c->offset += piece.len;
            c->done += piece.len;
            return piece;
        }
    }
    return (kloop_slice){NULL, 0};
}

bool kl_chain_read_all(const kl_chain_cursor *c)
{
    kl_chain_cursor ahead = *c;
    if (KL_UNLIKELY(c->chain->lent) && kl_chain_next_loan(&ahead))
        return false;
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
