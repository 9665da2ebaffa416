/* SPDX-License-Identifier: BSD-2-Clause */
/* Which faults there are in a run, and the clocks of those that happen by themselves. */
#include "tests/sim/sim.h"

#include <stdlib.h>

#define RANDOM SIM_STREAM_FAULTS
enum { D, T };

static const struct {
    const char *name;
    int sort;
    uint32_t low;
    uint32_t high;
} faults[] = {
#define ROW(name, sort, low, high) {#name, sort, low, high},
    SIM_FAULT_MAP(ROW)
#undef ROW
};

const char *sim_fault_name(sim_fault_id id)
{
    return faults[id].name;
}

uint32_t sim_fault_total(const sim *s)
{
    uint32_t n = 0;
    for (int i = 0; i < SIM_FAULT_COUNT; i++)
        /* How bytes are cut up is no fault that anybody would count. */
        if (i != SIM_FAULT_SPLIT_READ && i != SIM_FAULT_PARTIAL_WRITE &&
            i != SIM_FAULT_LATE_ON_WROTE)
            n += s->faults.fired[i];
    return n;
}

void sim_fault_enable(sim *s, sim_fault_id id)
{
    s->faults.rate[id] = (uint32_t)sim_scale(s, SIM_STREAM_PLAN, faults[id].low, faults[id].high);
}

bool sim_fault_strikes(sim *s, sim_fault_id id)
{
    sim_stream stream = id == SIM_FAULT_NO_MEMORY ? SIM_STREAM_MEMORY : SIM_STREAM_FAULTS;
    if (!sim_chance(s, stream, s->faults.rate[id]))
        return false;
    s->faults.fired[id]++;
    sim_note(s, SIM_NOTE_FAULT, faults[id].name, s->faults.fired[id], 0, 0, 0);
    return true;
}

/* ---- Those that happen ---- */

static void links_recover(sim *s, void *thing, uint64_t a)
{
    (void)thing;
    (void)a;
    for (size_t i = 0; i < s->links.count; i++) {
        s->links.all[i]->up.per_byte_ps = s->plan.link_per_byte_ps;
        s->links.all[i]->down.per_byte_ps = s->plan.link_per_byte_ps;
    }
}

static void slow_down(sim *s)
{
    for (size_t i = 0; i < s->links.count; i++) {
        uint64_t slow = sim_scale(s, RANDOM, 100000, 100000000);
        s->links.all[i]->up.per_byte_ps = slow;
        s->links.all[i]->down.per_byte_ps = slow;
    }
    sim_after(s, sim_scale(s, RANDOM, 50, 4000) * KL_MS, links_recover, NULL, 0);
}

/* Stops the connections one after the other, and lets them go on in another order. */
static void swizzle(sim *s)
{
    uint64_t stop = 0;
    for (size_t i = 0; i < s->links.count; i++)
        if (s->links.all[i]->state == SIM_CONN_OPEN) {
            stop += sim_below(s, RANDOM, 500) * KL_MS;
            sim_link_stall(s, s->links.all[i], stop + sim_below(s, RANDOM, 4000) * KL_MS);
        }
}

static void strike_link(sim *s, sim_fault_id id)
{
    sim_conn *c = sim_link_any(s, KL_NO_NODE);
    if (!c)
        return;
    switch ((int)id) {
    case SIM_FAULT_RESET:
        sim_link_reset(s, c, sim_chance(s, RANDOM, 500000), "connection reset by peer");
        break;
    case SIM_FAULT_PEER_CLOSES:
        sim_link_end(s, c, "closed by the peer");
        break;
    case SIM_FAULT_CUT_AFTER_BYTES:
        c->cut_after = c->taken + 1 + sim_scale(s, RANDOM, 1, 20000);
        break;
    case SIM_FAULT_STALL:
        sim_link_stall(s, c, sim_scale(s, RANDOM, 10, 5000) * KL_MS);
        break;
    case SIM_FAULT_BLACK_HOLE:
        c->up.hole = true;
        c->down.hole = true;
        break;
    case SIM_FAULT_HOLE_TO_BROKER:
        c->up.hole = true;
        break;
    case SIM_FAULT_HOLE_FROM_BROKER:
        c->down.hole = true;
        break;
    default:
        abort();
    }
}

static void strike(sim *s, sim_fault_id id)
{
    switch ((int)id) {
    case SIM_FAULT_RESET:
    case SIM_FAULT_PEER_CLOSES:
    case SIM_FAULT_CUT_AFTER_BYTES:
    case SIM_FAULT_STALL:
    case SIM_FAULT_BLACK_HOLE:
    case SIM_FAULT_HOLE_TO_BROKER:
    case SIM_FAULT_HOLE_FROM_BROKER:
        strike_link(s, id);
        break;
    case SIM_FAULT_SLOW_LINK:
        slow_down(s);
        break;
    case SIM_FAULT_LATENCY:
        s->links.latency_extra_ns = sim_scale(s, RANDOM, 10, 4000) * KL_MS;
        s->links.latency_until_ns = s->world.now_ns + sim_scale(s, RANDOM, 100, 4000) * KL_MS;
        break;
    case SIM_FAULT_SWIZZLE:
        swizzle(s);
        break;
    case SIM_FAULT_LOOP_STALLS:
        sim_host_stall(s, s->world.now_ns + sim_scale(s, RANDOM, 5, 3000) * KL_MS);
        break;
    case SIM_FAULT_WALL_JUMPS:
        s->world.wall_jump_ms += (int64_t)sim_below(s, RANDOM, 20000000) - 10000000;
        break;
    default:
        sim_brokers_strike(s, id);
        break;
    }
}

static void happens(sim *s, void *thing, uint64_t a)
{
    sim_fault_id id = (sim_fault_id)a;
    (void)thing;
    if (!s->faults.on)
        return;
    s->faults.fired[id]++;
    sim_note(s, SIM_NOTE_FAULT, faults[id].name, s->faults.fired[id], 0, 0, 0);
    strike(s, id);
    sim_after(s, sim_between(s, RANDOM, 1, 2 * (uint64_t)s->faults.rate[id]) * KL_MS, happens, NULL,
              a);
}

void sim_fault_start(sim *s)
{
    s->faults.on = true;
    for (int i = 0; i < SIM_FAULT_COUNT; i++)
        if (faults[i].sort == T && s->faults.rate[i])
            sim_after(s, sim_between(s, RANDOM, 1, 2 * (uint64_t)s->faults.rate[i]) * KL_MS,
                      happens, NULL, (uint64_t)i);
}
