/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer.memory: how much is held, whether a record may come in, when there is room again.
 *
 * What counts is capacity, not content: whole segments of payload and of users' pointers, and the
 * batches themselves. A segment that a write still shows is held as well. What the codec writes is
 * outside: it takes the place of what it reads, one batch at a time.
 */
#ifndef KL_CORE_BUDGET_H
#define KL_CORE_BUDGET_H

#include "core/engine_state.h"

static inline size_t kl_budget_held(const kloop_engine *e)
{
    return e->pool.held_bytes + e->batch_bytes;
}

static inline void kl_budget_note_peak(kloop_engine *e)
{
    size_t held = kl_budget_held(e);
    if (e->held_peak < held)
        e->held_peak = held;
}

/* The most that a chain takes from the pool when len bytes are appended in any number of pieces. */
size_t kl_budget_growth_max(const kl_chain *chain, size_t len);

/* KLOOP_OK, KLOOP_FULL (WRITABLE is owed now, and all that waits becomes due), KLOOP_TOO_LARGE when
 * it would not even fit alone. */
kloop_status kl_budget_admit(kloop_engine *e, size_t bytes);

/* Idle memory beyond what was needed lately goes back to the allocator. */
void kl_budget_trim(kloop_engine *e);

/* Memory may have been given back: is it time for WRITABLE? */
void kl_budget_released(kloop_engine *e);

#endif
