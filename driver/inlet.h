/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inlet: a queue that any thread puts records into and the loop's thread takes them out of, in
 * order. It knows neither loop nor engine; driver/uv_inlet.c stands between.
 *
 *     threads --push--> incoming            newest first, taken as a whole
 *                          |                the first one into an empty one wakes the loop
 *                          v take
 *                       turning --> lined   oldest first: first(), pop(), release()
 *
 * Nobody waits for anybody: a push is two compare-and-swaps on words of their own lines, one for
 * the room and one for the place. The word of the room says all that threads and loop have to agree
 * on at one instant: bytes, records, whether somebody was refused, whether it is shut. So there is
 * no record that was accepted after the shutting, and no refusal that nobody hears the end of.
 *
 * Who owns what: the inlet owns its items from push to pop, whoever popped one gives it back with
 * release(). A mark is its maker's all the time.
 *
 * What can fail: push alone, as a send does.
 */
#ifndef KL_DRIVER_INLET_H
#define KL_DRIVER_INLET_H

#include "base/mem.h"

#include <kloop/engine.h>

#include <stdatomic.h>
#include <stdbool.h>

/* What the word of the room can count. */
#define KL_INLET_BYTES_MAX   ((UINT64_C(1) << 38) - 1)
#define KL_INLET_RECORDS_MAX ((UINT64_C(1) << 24) - 1)

typedef struct kl_inlet_item {
    struct kl_inlet_item *next;
    kloop_topic *topic;  /* NULL: a mark, which takes no room */
    uint64_t created_ns; /* when it was put in, in kl_clocks_mono_ns() */
    size_t bytes;        /* of this block */
    bool purged;
    kloop_record record; /* its views lie behind it in this block */
} kl_inlet_item;

typedef struct kl_inlet {
    kloop_allocator alloc;
    uint64_t bytes_max;

    /* All threads; a line each, so that they do not push each other out of the caches. */
    char apart_0[64];
    _Atomic uint64_t room;
    _Atomic uint64_t refusals; /* pushes answered with KLOOP_FULL */
    char apart_1[64];
    _Atomic(kl_inlet_item *) incoming;
    char apart_2[64];

    /* The loop's thread */
    kl_inlet_item *turning; /* newest first, what is left of it */
    kl_inlet_item *turned;  /* oldest first, grows at its front */
    kl_inlet_item *turned_last;
    kl_inlet_item *lined; /* oldest first */
    kl_inlet_item *lined_last;
    uint64_t owed_bytes; /* popped and given back, but not counted off the room yet */
    uint64_t owed_records;
} kl_inlet;

void kl_inlet_init(kl_inlet *in, const kloop_allocator *alloc, size_t bytes_max);
/* Gives back what is in there. */
void kl_inlet_deinit(kl_inlet *in);

/* ---- Every thread ---- */

/* KLOOP_OK, KLOOP_FULL, KLOOP_TOO_LARGE, KLOOP_CLOSED, KLOOP_NO_MEMORY. The record has been looked
 * at. *wake: the loop does not know of it yet; it may be set whatever is answered. */
kloop_status kl_inlet_push(kl_inlet *in, kloop_topic *topic, const kloop_record *record,
                           uint64_t now_ns, bool *wake);

/* What this record takes; 0: more than can be told. */
size_t kl_inlet_bytes_of(const kloop_record *record);

/* ---- The loop's thread ---- */

/* Behind all that were pushed before. */
void kl_inlet_push_mark(kl_inlet *in, kl_inlet_item *mark);

/* The oldest item, which stays; NULL: there is none, or it takes another call to find it, for each
 * turns a bounded number of them around. */
kl_inlet_item *kl_inlet_first(kl_inlet *in);
/* Takes the first out. */
kl_inlet_item *kl_inlet_pop(kl_inlet *in);
void kl_inlet_release(kl_inlet *in, kl_inlet_item *item);
/* Counts what was released off the room. To be called after some releases; only then do other
 * threads see it. */
void kl_inlet_settle(kl_inlet *in);

/* true once for each time that somebody was refused: no more than half is in use again. */
bool kl_inlet_take_room(kl_inlet *in);

/* From now on pushes are answered with KLOOP_CLOSED. */
void kl_inlet_shut(kl_inlet *in);

/* Is there an item now? */
bool kl_inlet_has_items(const kl_inlet *in);
/* Is there an item, or will there be one from a push that has begun? Of what was released only what
 * was settled counts as gone. */
bool kl_inlet_is_empty(const kl_inlet *in);

/* Marks the items of this topic, or of all topics when it is NULL, as purged; answers how many were
 * not yet. */
uint64_t kl_inlet_purge(kl_inlet *in, const kloop_topic *topic);

typedef struct kl_inlet_load {
    uint64_t bytes;
    uint64_t records;
    uint64_t refusals;
} kl_inlet_load;

/* From any thread. */
kl_inlet_load kl_inlet_load_of(const kl_inlet *in);

#endif
