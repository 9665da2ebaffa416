/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world of one run: virtual time, and the events that are still to come.
 *
 * Time moves only from one event to the next. Events at the same moment come in the order in which
 * they were set. An event is a value: a function, a thing, a number; who sets one for a thing that
 * may be over by then puts its incarnation into the number and looks.
 *
 * Chance is split into streams, one for each part of the world, so that a part which draws once
 * more does not shift what all others see.
 *
 * Owns the heap of events. Out of memory ends the process: a simulator has nothing to fall back to.
 */
#ifndef KL_SIM_WORLD_H
#define KL_SIM_WORLD_H

#include "base/now.h"
#include "base/prng.h"

#include <kloop/engine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim sim;

typedef void (*sim_event_fn)(sim *s, void *thing, uint64_t a);

typedef struct sim_event {
    uint64_t when_ns;
    uint64_t order;
    sim_event_fn fn;
    void *thing;
    uint64_t a;
} sim_event;

typedef enum sim_stream {
    SIM_STREAM_PLAN, /* what kind of run this is */
    SIM_STREAM_LINK,
    SIM_STREAM_NAMES,
    SIM_STREAM_BROKERS,
    SIM_STREAM_USER,
    SIM_STREAM_HOST,
    SIM_STREAM_FAULTS, /* when things that happen by themselves happen */
    SIM_STREAM_MEMORY,
    SIM_STREAM_LOGIN, /* whatever is there because of SASL */
    SIM_STREAM_COUNT,
} sim_stream;

typedef struct sim_world {
    uint64_t now_ns;
    int64_t wall_jump_ms; /* what somebody has done to the wall clock */
    sim_event *heap;
    size_t count;
    size_t cap;
    uint64_t next_order;
    uint64_t events; /* how many have happened */
    kl_prng chance[SIM_STREAM_COUNT];
} sim_world;

#define SIM_NODES_MAX 8

/* The virtual clocks begin here. */
#define SIM_START_NS   (10 * KL_SECOND)
#define SIM_START_WALL INT64_C(1700000000000)

void sim_world_init(sim_world *w, uint64_t seed);
void sim_world_deinit(sim_world *w);

/* fn(s, thing, a) at when_ns, or now if that is past. */
void sim_at(sim *s, uint64_t when_ns, sim_event_fn fn, void *thing, uint64_t a);
void sim_after(sim *s, uint64_t ns, sim_event_fn fn, void *thing, uint64_t a);

/* The next event happens, if it is due by until_ns; false: there is none, and it is until_ns. */
bool sim_world_step(sim *s, uint64_t until_ns);

kloop_now sim_world_now(const sim *s);
int64_t sim_world_wall_ms(const sim *s);

/* ---- Chance ---- */

uint64_t sim_below(sim *s, sim_stream stream, uint64_t n);
uint64_t sim_between(sim *s, sim_stream stream, uint64_t lo, uint64_t hi);
/* Like between, but each order of magnitude is as likely as the others. */
uint64_t sim_scale(sim *s, sim_stream stream, uint64_t lo, uint64_t hi);
bool sim_chance(sim *s, sim_stream stream, uint32_t per_million);

/* ---- Memory of the simulator itself: never NULL ---- */

void *sim_zalloc(size_t count, size_t size);
void *sim_grow(void *p, size_t count, size_t size);

#endif
