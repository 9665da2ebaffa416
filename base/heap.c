/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap of deadlines: a tree with four children to a node, laid out in an array. Four of them
 * lie in one or two cache lines, and the tree is half as deep as one with two.
 */
#include "base/heap.h"
#include "base/mem.h"

#define CHILDREN 4

void kl_heap_init(kl_heap *heap, const kloop_allocator *alloc)
{
    *heap = (kl_heap){.alloc = *alloc};
    for (unsigned i = 0; i < KL_HEAP_ROWS; i++)
        kl_list_init(&heap->rows[i]);
}

void kl_heap_deinit(kl_heap *heap)
{
    kl_mem_release(&heap->alloc, heap->places, heap->cap * sizeof(kl_heap_place));
    heap->places = NULL;
    heap->count = 0;
    heap->cap = 0;
    for (unsigned i = 0; i < KL_HEAP_ROWS; i++)
        kl_list_init(&heap->rows[i]);
}

bool kl_heap_reserve(kl_heap *heap, size_t n)
{
    if (n <= heap->cap)
        return true;
    if (n > UINT32_MAX / 2)
        return false;
    /* Things that wait are made one by one: doubling keeps that linear. */
    size_t cap = n > 2 * (size_t)heap->cap ? n : 2 * (size_t)heap->cap;
    size_t bytes;
    if (!kl_mem_mul(cap, sizeof(kl_heap_place), &bytes))
        return false;
    size_t old_bytes = heap->cap * sizeof(kl_heap_place);
    kl_heap_place *places = kl_mem_resize(&heap->alloc, heap->places, old_bytes, bytes);
    if (!places)
        return false;
    heap->places = places;
    heap->cap = (uint32_t)cap;
    return true;
}

void kl_heap_give_back(kl_heap *heap, size_t n)
{
    size_t cap = (n > heap->count ? n : heap->count) + 1;
    if (cap + cap / 2 >= heap->cap)
        return;
    size_t place = sizeof(kl_heap_place);
    kl_heap_place *places =
        kl_mem_resize(&heap->alloc, heap->places, heap->cap * place, cap * place);
    if (!places)
        return;
    heap->places = places;
    heap->cap = (uint32_t)cap;
}

static inline bool before(kl_heap_place a, kl_heap_place b)
{
    return a.when < b.when || (a.when == b.when && a.timer->order < b.timer->order);
}

static inline void put(kl_heap *heap, uint32_t at, kl_heap_place place)
{
    heap->places[at] = place;
    place.timer->at = at + 1;
}

/* The place at is free, and all below it belongs there; place goes there or further up. */
static void rise(kl_heap *heap, uint32_t at, kl_heap_place place)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / CHILDREN;
        if (!before(place, heap->places[parent]))
            break;
        put(heap, at, heap->places[parent]);
        at = parent;
    }
    put(heap, at, place);
}

/*
 * Which of the up to four children from this place on is due first. Nobody can guess that, so a
 * branch for each comparison would go wrong half the time: a full set without ties is decided by
 * arithmetic alone, which makes sinking through the whole heap a third faster.
 */
static uint32_t first_child(const kl_heap *heap, uint32_t child)
{
    const kl_heap_place *c = &heap->places[child];
    uint32_t count = heap->count - child;
    if (count >= CHILDREN) {
        uint32_t pair[2] = {c[1].when < c[0].when, 2 + (uint32_t)(c[3].when < c[2].when)};
        uint64_t left = c[pair[0]].when, right = c[pair[1]].when;
        bool tie = (c[0].when == c[1].when) | (c[2].when == c[3].when) | (left == right);
        if (KL_LIKELY(!tie))
            return child + pair[right < left];
        count = CHILDREN;
    }
    uint32_t first = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (before(c[i], c[first]))
            first = i;
    }
    return child + first;
}

/* The place at is free, and all above it belongs there; place goes there or further down. */
static void sink(kl_heap *heap, uint32_t at, kl_heap_place place)
{
    for (;;) {
        uint64_t child = (uint64_t)at * CHILDREN + 1;
        if (child >= heap->count)
            break;
        uint32_t first = first_child(heap, (uint32_t)child);
        if (!before(heap->places[first], place))
            break;
        put(heap, at, heap->places[first]);
        at = first;
    }
    put(heap, at, place);
}

static uint32_t place_of(const kl_heap *heap, const kl_timer *timer)
{
    KL_ASSERT(timer->at <= heap->count && heap->places[timer->at - 1].timer == timer);
    return timer->at - 1;
}

/* Out of its row, and to be told a new time. */
static void leave_row(kl_timer *timer)
{
    kl_list_remove(&timer->in_row);
    timer->at = 0;
}

void kl_heap_set(kl_heap *heap, kl_timer *timer, uint64_t when)
{
    if (when == KL_NEVER) {
        kl_heap_remove(heap, timer);
        return;
    }
    kl_heap_place place = {when, timer};
    uint64_t was = timer->when;
    if (kl_timer_is_set(timer) && when == was)
        return;
    if (timer->at == KL_HEAP_IN_ROW)
        leave_row(timer);
    if (!kl_timer_is_set(timer)) {
        KL_ASSERT(heap->count < heap->cap);
        timer->when = when;
        timer->order = heap->next_order++;
        rise(heap, heap->count++, place);
        return;
    }
    uint32_t at = place_of(heap, timer);
    timer->when = when;
    timer->order = heap->next_order++;
    if (when < was)
        rise(heap, at, place);
    else
        sink(heap, at, place);
}

void kl_heap_set_in_row(kl_heap *heap, unsigned row, kl_timer *timer, uint64_t when)
{
    KL_ASSERT(row < KL_HEAP_ROWS);
    const kl_link *last = kl_list_last(&heap->rows[row]);
    if (kl_timer_is_set(timer) || when == KL_NEVER ||
        (last && KL_CONTAINER_OF(last, kl_timer, in_row)->when > when)) {
        kl_heap_set(heap, timer, when);
        return;
    }
    timer->when = when;
    timer->order = heap->next_order++;
    timer->at = KL_HEAP_IN_ROW;
    kl_list_push_back(&heap->rows[row], &timer->in_row);
}

void kl_heap_remove(kl_heap *heap, kl_timer *timer)
{
    if (!kl_timer_is_set(timer))
        return;
    if (timer->at == KL_HEAP_IN_ROW) {
        leave_row(timer);
        timer->when = KL_NEVER;
        return;
    }
    uint32_t at = place_of(heap, timer);
    timer->at = 0;
    timer->when = KL_NEVER;
    kl_heap_place last = heap->places[--heap->count];
    if (last.timer == timer)
        return;
    /* The last one comes from another branch of the tree: it may belong above this place. */
    if (at > 0 && before(last, heap->places[(at - 1) / CHILDREN]))
        rise(heap, at, last);
    else
        sink(heap, at, last);
}

kl_timer *kl_heap_first(const kl_heap *heap)
{
    kl_timer *first = heap->count ? heap->places[0].timer : NULL;
    for (unsigned i = 0; i < KL_HEAP_ROWS; i++) {
        const kl_list *row = &heap->rows[i];
        if (kl_list_is_empty(row))
            continue;
        kl_timer *head = KL_CONTAINER_OF(row->ends.next, kl_timer, in_row);
        if (!first ||
            before((kl_heap_place){head->when, head}, (kl_heap_place){first->when, first}))
            first = head;
    }
    return first;
}
