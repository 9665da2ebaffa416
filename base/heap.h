/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A heap of deadlines: which timer is due first, however many there are.
 *
 * The timers lie in the things that wait, and belong to them; the heap owns only the array of
 * pointers to them. A timer must stay where it is while it is in the heap, and be taken out before
 * its thing goes. It is in one heap at most.
 *
 * Timers with the same time come in the order in which they were set to it, so that the same calls
 * always give the same sequence.
 *
 * Beside the heap there are a few rows, for deadlines that come one after the other anyway because
 * they are all as far off as the others of their row: "so long from now". Into a row and out of it
 * is O(1), whoever looks from outside sees no difference, and a time that is earlier than the last
 * one of its row goes to the heap.
 *
 * Fails: kl_heap_reserve alone, when there is no memory. Room is reserved when a thing that waits
 * is made, where an error can be answered; setting a deadline then never fails.
 */
#ifndef KL_BASE_HEAP_H
#define KL_BASE_HEAP_H

#include "base/list.h"
#include "base/now.h"

#include <kloop/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kl_timer {
    uint64_t when;  /* KL_NEVER while it is not in a heap */
    uint64_t order; /* among those with the same time */
    uint32_t at;    /* its place in the array, plus 1, or KL_HEAP_IN_ROW; 0: not in a heap */
    uint8_t kind;   /* for the owner, to know what it is the timer of */
    kl_link in_row;
} kl_timer;

#define KL_HEAP_ROWS   2
#define KL_HEAP_IN_ROW UINT32_MAX

/* The time is repeated beside the pointer: most comparisons need no look at the timer. */
typedef struct kl_heap_place {
    uint64_t when;
    kl_timer *timer;
} kl_heap_place;

typedef struct kl_heap {
    kl_heap_place *places;
    uint32_t count;
    uint32_t cap;
    uint64_t next_order;
    kl_list rows[KL_HEAP_ROWS];
    kloop_allocator alloc;
} kl_heap;

/* Not in a heap. */
static inline void kl_timer_init(kl_timer *timer, uint8_t kind)
{
    *timer = (kl_timer){.when = KL_NEVER, .kind = kind};
}

static inline bool kl_timer_is_set(const kl_timer *timer)
{
    return timer->at != 0;
}

/* Allocates nothing. The table is copied. The heap must stay where it is while timers are in it. */
void kl_heap_init(kl_heap *heap, const kloop_allocator *alloc);

/* Gives the array back; may be called twice. Timers that are in it are not looked at, they may be
 * gone already. */
void kl_heap_deinit(kl_heap *heap);

/* Room for n timers in all, those that are in it included. false: no memory, the heap is as it was.
 */
bool kl_heap_reserve(kl_heap *heap, size_t n);

/* Room for n timers is enough for a while; what is beyond half as much again goes back. */
void kl_heap_give_back(kl_heap *heap, size_t n);

/*
 * Puts the timer in, or moves it; behind those that have the same time already. A timer that is set
 * to the time it has keeps its turn. KL_NEVER takes it out. There must be room for it.
 */
void kl_heap_set(kl_heap *heap, kl_timer *timer, uint64_t when);

/* The same for a time that is most likely not before those of this row, below KL_HEAP_ROWS. */
void kl_heap_set_in_row(kl_heap *heap, unsigned row, kl_timer *timer, uint64_t when);

/* Takes the timer out, if it is in. */
void kl_heap_remove(kl_heap *heap, kl_timer *timer);

/* The timer that is due first; it stays in. NULL when the heap is empty. */
kl_timer *kl_heap_first(const kl_heap *heap);

/* The time of the first; KL_NEVER when the heap is empty. */
static inline uint64_t kl_heap_when(const kl_heap *heap)
{
    const kl_timer *first = kl_heap_first(heap);
    return first ? first->when : KL_NEVER;
}

#endif
