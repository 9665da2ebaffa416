/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer.memory: how much is held, whether a record may come in, when there is room again. For the
 * share of one topic see topic_share.h.
 *
 * What counts is capacity, not content: whole segments of payload and of users' pointers, and the
 * batches themselves, all of it in the pool's count. A segment that a write still shows is held as
 * well. What a codec writes, and what a batch is put together anew in, is counted and never
 * refused: that is at most two batches more, one in the codec and one being reshaped (reshape.h);
 * and the blocks of its pieces, which are more than those of the batch.
 */
#ifndef KL_CORE_BUDGET_H
#define KL_CORE_BUDGET_H

#include "core/engine_state.h"

static inline size_t kl_budget_held(const kloop_engine *e)
{
    return e->pool.held_bytes;
}

static inline void kl_budget_note_peak(kloop_engine *e)
{
    size_t held = kl_budget_held(e);
    if (e->held_peak < held)
        e->held_peak = held;
}

/* The most that a chain takes from the pool when len bytes are appended in any number of pieces. */
size_t kl_budget_growth_max(const kl_chain *chain, size_t len);

/* The most that r takes in b, NULL being a batch that is yet to be made, when so many bytes of it
 * are copied: of memory, and what is borrowed of the user's. */
size_t kl_budget_record_growth_max(const kl_batch *b, const kloop_record *r, size_t copied_bytes);

/* With so much held of a limit, is there room for what was refused, and for an eighth of all? Or is
 * nothing held at all? */
bool kl_budget_has_room(size_t held, size_t limit, size_t refused_bytes);

/* May so much more be held for t? KLOOP_OK, also for whatever is alone: that buffer.memory is no
 * less than max.request.size was seen to, and blocks are larger than records. Else KLOOP_FULL:
 * WRITABLE is owed now, and all that waits becomes due. */
kloop_status kl_budget_admit(kloop_engine *e, kloop_topic *t, size_t bytes);

/* What of the engine's scratch is never worth giving back. */
#define KL_BUDGET_SCRATCH_KEEP_BYTES ((size_t)65536)

/* Idle memory beyond what was needed lately goes back to the allocator: blocks without segments,
 * large buffers for receiving and for putting requests together, room for deadlines. */
void kl_budget_trim(kloop_engine *e);
/* There may be some of it. */
void kl_budget_trim_soon(kloop_engine *e);

/* What is held has sunk: is it time for WRITABLE, or for what waits for memory? Asked when the user
 * can be told, and not by those who give something back: there are many of them, and each that did
 * not ask once left a user waiting for ever. */
void kl_budget_settle(kloop_engine *e);
static inline void kl_budget_settle_if_sunk(kloop_engine *e)
{
    if (KL_UNLIKELY(e->pool.sunk))
        kl_budget_settle(e);
}

#endif
