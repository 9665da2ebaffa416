/* SPDX-License-Identifier: BSD-2-Clause */
/* Which faults there are in a run, and the clocks of those that happen by themselves. */
#include "tests/sim/sim.h"
#include "tests/sim/sim_wrap.h"

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
            i != SIM_FAULT_LATE_ON_WROTE && i != SIM_FAULT_ONE_BYTE_READS &&
            i != SIM_FAULT_TIMER_LATE)
            n += s->faults.fired[i];
    return n;
}

void sim_fault_enable_from(sim *s, sim_fault_id id, sim_stream stream)
{
    s->faults.rate[id] = (uint32_t)sim_scale(s, stream, faults[id].low, faults[id].high);
}

void sim_fault_enable(sim *s, sim_fault_id id)
{
    sim_fault_enable_from(s, id, SIM_STREAM_PLAN);
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

/* 10 kB/s: a batch takes longer than a request may. */
static void crawl(sim *s)
{
    for (size_t i = 0; i < s->links.count; i++) {
        s->links.all[i]->up.per_byte_ps = 100000000;
        s->links.all[i]->down.per_byte_ps = 100000000;
    }
    sim_after(s, sim_scale(s, RANDOM, 2000, 12000) * KL_MS, links_recover, NULL, 0);
}

static void reads_recover(sim *s, void *thing, uint64_t read_max)
{
    (void)thing;
    s->host.read_max = (size_t)read_max;
}

static void read_byte_by_byte(sim *s)
{
    if (s->host.read_max == 1)
        return;
    sim_after(s, sim_scale(s, RANDOM, 20, 1000) * KL_MS, reads_recover, NULL, s->host.read_max);
    s->host.read_max = 1;
}

/* Somebody else listens at a broker's address. Who could be taken for a broker does so only where
 * brokers may lie. */
static void impostor_goes(sim *s, void *thing, uint64_t node)
{
    (void)thing;
    s->links.impostor_at[node] = SIM_IMPOSTOR_NONE;
}

static void impostor_comes(sim *s)
{
    static const sim_impostor harmless[] = {SIM_IMPOSTOR_HTTP, SIM_IMPOSTOR_SILENT,
                                            SIM_IMPOSTOR_CLOSER, SIM_IMPOSTOR_LENGTH};
    uint64_t node = 1 + sim_below(s, RANDOM, (uint64_t)s->brokers.count);
    if (s->links.impostor_at[node] != SIM_IMPOSTOR_NONE)
        return;
    s->links.impostor_at[node] = harmless[sim_below(s, RANDOM, 4)];
    if (s->plan.hostile && sim_chance(s, RANDOM, 500000))
        s->links.impostor_at[node] =
            sim_chance(s, RANDOM, 500000) ? SIM_IMPOSTOR_ECHO : SIM_IMPOSTOR_NOISE;
    for (size_t i = 0; i < s->links.count; i++)
        if (s->links.all[i]->node == (int32_t)node && s->links.all[i]->state == SIM_CONN_OPEN)
            sim_link_reset(s, s->links.all[i], true, "connection reset by peer");
    sim_after(s, sim_scale(s, RANDOM, 100, 6000) * KL_MS, impostor_goes, NULL, node);
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

/* A box on the way forgets those that it has not heard of for a while, and tells nobody. */
static void drop_idle(sim *s)
{
    uint64_t idle = sim_scale(s, RANDOM, 20, 5000) * KL_MS;
    for (size_t i = 0; i < s->links.count; i++) {
        sim_conn *c = s->links.all[i];
        if (c->state == SIM_CONN_OPEN && s->world.now_ns - c->moved_ns > idle)
            c->up.hole = c->down.hole = true;
    }
}

static void strike_link(sim *s, sim_fault_id id)
{
    sim_conn *c = sim_link_any(s, s->plan.neighbours ? s->plan.sick_node : KL_NO_NODE);
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
    case SIM_FAULT_IDLE_FLOWS_DROPPED:
        drop_idle(s);
        break;
    case SIM_FAULT_SWIZZLE:
        swizzle(s);
        break;
    case SIM_FAULT_SEQUENCE_NEAR_END:
        sim_wrap_strike(s);
        break;
    case SIM_FAULT_LINK_CRAWLS:
        crawl(s);
        break;
    case SIM_FAULT_ONE_BYTE_READS:
        read_byte_by_byte(s);
        break;
    case SIM_FAULT_REFUSED_FOR_A_WHILE: {
        int32_t node = s->plan.neighbours
                           ? s->plan.sick_node
                           : 1 + (int32_t)sim_below(s, RANDOM, (uint64_t)s->brokers.count);
        sim_brokers_refuse(s, node, s->world.now_ns + sim_scale(s, RANDOM, 100, 8000) * KL_MS);
        break;
    }
    case SIM_FAULT_NO_DESCRIPTORS:
        s->links.no_descriptors_until_ns = s->world.now_ns + sim_scale(s, RANDOM, 50, 6000) * KL_MS;
        break;
    case SIM_FAULT_IMPOSTOR:
        impostor_comes(s);
        break;
    case SIM_FAULT_LONG_STALL:
        sim_host_stall(s, s->world.now_ns + sim_scale(s, RANDOM, 5000, 25000) * KL_MS);
        break;
    case SIM_FAULT_HOST_ASKS_NOTHING:
        sim_host_ask_nothing(s, s->world.now_ns + sim_scale(s, RANDOM, 5, 4000) * KL_MS);
        break;
    case SIM_FAULT_LOOP_STALLS:
        sim_host_stall(s, s->world.now_ns + sim_scale(s, RANDOM, 5, 3000) * KL_MS);
        break;
    case SIM_FAULT_USER_FORGOTTEN:
        sim_login_strike(s);
        break;
    case SIM_FAULT_WALL_JUMPS:
        s->world.wall_jump_ms += (int64_t)sim_below(s, RANDOM, 20000000) - 10000000;
        break;
    default:
        sim_brokers_strike(s, id);
        break;
    }
}

void sim_fault_now(sim *s, sim_fault_id id)
{
    s->faults.fired[id]++;
    sim_note(s, SIM_NOTE_FAULT, faults[id].name, s->faults.fired[id], 0, 0, 0);
    strike(s, id);
}

void sim_fault_at(sim *s, sim_fault_id id, uint32_t per_million)
{
    s->faults.on = true;
    s->faults.rate[id] = per_million;
}

static void happens(sim *s, void *thing, uint64_t a)
{
    sim_fault_id id = (sim_fault_id)a;
    (void)thing;
    if (!s->faults.on)
        return;
    sim_fault_now(s, id);
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
