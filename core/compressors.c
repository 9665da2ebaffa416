/* SPDX-License-Identifier: BSD-2-Clause */
/* Seats for compressors. See compressors.h. */
#include "core/compressors.h"

#include "core/engine_state.h"

#define IDLE_NS (30 * KL_SECOND)

/* To the front, where the one that was used last is. */
static void move_up(kl_compressors *all, uint32_t from, kl_compressor_seat seat)
{
    for (uint32_t i = from; i > 0; i--)
        all->seats[i] = all->seats[i - 1];
    all->seats[0] = seat;
}

static bool is_for(const kl_compressor_seat *seat, kl_codec_wanted wanted)
{
    return seat->level == wanted.level && kl_compressor_codec(seat->compressor)->id == wanted.id;
}

static void drop_last(kl_compressors *all)
{
    kl_compressor_del(all->seats[--all->count].compressor);
}

kl_codec_status kl_compressors_get(kloop_engine *e, kl_codec_wanted wanted, kl_compressor **out)
{
    kl_compressors *all = &e->compressors;
    *out = NULL;
    uint32_t at = 0;
    while (at < all->count && !is_for(&all->seats[at], wanted))
        at++;
    kl_compressor_seat seat = {.level = wanted.level, .used_ns = e->now.mono_ns};
    if (at < all->count) {
        seat.compressor = all->seats[at].compressor;
    } else {
        kl_codec_status made =
            kl_compressor_new(&seat.compressor, wanted.id, wanted.level, &e->alloc);
        if (made)
            return made;
        if (all->count == KL_COMPRESSORS_MAX)
            drop_last(all);
        at = all->count++;
    }
    move_up(all, at, seat);
    if (!kl_timer_is_set(&all->timer) && e->life == KL_LIFE_OPEN)
        kl_heap_set(&e->timers, &all->timer, kl_time_add(e->now.mono_ns, IDLE_NS));
    *out = seat.compressor;
    return KL_CODEC_OK;
}

void kl_compressors_timer(kloop_engine *e)
{
    kl_compressors *all = &e->compressors;
    /* One that has a stream open is in use, however long ago that began. */
    while (all->count > 0) {
        const kl_compressor_seat *last = &all->seats[all->count - 1];
        uint64_t until = kl_compressor_busy(last->compressor) ? kl_time_add(e->now.mono_ns, IDLE_NS)
                                                              : kl_time_add(last->used_ns, IDLE_NS);
        if (until > e->now.mono_ns) {
            kl_heap_set(&e->timers, &all->timer, until);
            return;
        }
        drop_last(all);
    }
}

void kl_compressors_del_all(kloop_engine *e)
{
    while (e->compressors.count > 0)
        drop_last(&e->compressors);
}
