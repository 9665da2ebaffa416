/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual time, a binary heap of events, streams of chance. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

void sim_world_init(sim_world *w, uint64_t seed)
{
    *w = (sim_world){.now_ns = SIM_START_NS};
    kl_prng all;
    kl_prng_init(&all, seed);
    for (int i = 0; i < SIM_STREAM_COUNT; i++)
        w->chance[i] = kl_prng_fork(&all);
}

void sim_world_deinit(sim_world *w)
{
    free(w->heap);
    w->heap = NULL;
}

static bool earlier(const sim_event *a, const sim_event *b)
{
    return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->order < b->order;
}

void sim_at(sim *s, uint64_t when_ns, sim_event_fn fn, void *thing, uint64_t a)
{
    sim_world *w = &s->world;
    if (w->count == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 256;
        w->heap = sim_grow(w->heap, w->cap, sizeof *w->heap);
    }
    sim_event e = {.when_ns = when_ns > w->now_ns ? when_ns : w->now_ns,
                   .order = w->next_order++,
                   .fn = fn,
                   .thing = thing,
                   .a = a};
    size_t at = w->count++;
    while (at > 0 && earlier(&e, &w->heap[(at - 1) / 2])) {
        w->heap[at] = w->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    w->heap[at] = e;
}

void sim_after(sim *s, uint64_t ns, sim_event_fn fn, void *thing, uint64_t a)
{
    sim_at(s, kl_time_add(s->world.now_ns, ns), fn, thing, a);
}

static sim_event pop(sim_world *w)
{
    sim_event first = w->heap[0];
    sim_event last = w->heap[--w->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= w->count)
            break;
        if (child + 1 < w->count && earlier(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!earlier(&w->heap[child], &last))
            break;
        w->heap[at] = w->heap[child];
        at = child;
    }
    if (w->count)
        w->heap[at] = last;
    return first;
}

bool sim_world_step(sim *s, uint64_t until_ns)
{
    sim_world *w = &s->world;
    if (!w->count || w->heap[0].when_ns > until_ns) {
        if (until_ns != KL_NEVER && until_ns > w->now_ns)
            w->now_ns = until_ns;
        return false;
    }
    sim_event e = pop(w);
    w->now_ns = e.when_ns;
    w->events++;
    e.fn(s, e.thing, e.a);
    return true;
}

int64_t sim_world_wall_ms(const sim *s)
{
    return SIM_START_WALL + (int64_t)(s->world.now_ns / KL_MS) + s->world.wall_jump_ms;
}

kloop_now sim_world_now(const sim *s)
{
    return (kloop_now){.mono_ns = s->world.now_ns, .wall_ms = sim_world_wall_ms(s)};
}

uint64_t sim_below(sim *s, sim_stream stream, uint64_t n)
{
    return kl_prng_below(&s->world.chance[stream], n);
}

uint64_t sim_between(sim *s, sim_stream stream, uint64_t lo, uint64_t hi)
{
    return lo + kl_prng_below(&s->world.chance[stream], hi - lo + 1);
}

uint64_t sim_scale(sim *s, sim_stream stream, uint64_t lo, uint64_t hi)
{
    unsigned doublings = 0;
    while (hi >> doublings > lo && doublings < 63)
        doublings++;
    uint64_t top = hi >> sim_below(s, stream, doublings + 1);
    return top <= lo ? lo : sim_between(s, stream, lo, top);
}

bool sim_chance(sim *s, sim_stream stream, uint32_t per_million)
{
    return kl_prng_chance(&s->world.chance[stream], per_million);
}

static _Noreturn void no_memory(void)
{
    fputs("kloop-sim: out of memory\n", stderr);
    exit(2);
}

void *sim_zalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        no_memory();
    return p;
}

void *sim_grow(void *p, size_t count, size_t size)
{
    void *grown = realloc(p, count * size);
    if (!grown)
        no_memory();
    return grown;
}
