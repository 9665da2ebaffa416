/* SPDX-License-Identifier: BSD-2-Clause */
/* A resolver that can be slow, wrong, silent and out of date. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM SIM_STREAM_NAMES

/* In the place of an address's generation. */
#define DEAD 250

static kloop_address address_of(const sim *s, int32_t node, bool v6, bool dead)
{
    kloop_address a = {.family = v6 ? 6 : 4};
    uint8_t generation = dead ? DEAD : s->brokers.address_generation[node];
    if (v6) {
        a.bytes[0] = 0xfd;
        a.bytes[1] = generation;
        a.bytes[15] = (uint8_t)node;
    } else {
        a.bytes[0] = 10;
        a.bytes[1] = generation;
        a.bytes[3] = (uint8_t)node;
    }
    return a;
}

int32_t sim_names_node_at(const sim *s, const kloop_address *address)
{
    if (address->bytes[1] == DEAD && address->bytes[2] && !s->faults.on &&
        address->port == SIM_PORT) {
        int32_t node = address->bytes[address->family == 6 ? 15 : 3];
        return node ? node : KL_NO_NODE;
    }
    for (int32_t node = 1; node <= s->brokers.count; node++) {
        kloop_address mine = address_of(s, node, address->family == 6, false);
        if (mine.family == address->family && !memcmp(mine.bytes, address->bytes, 16) &&
            address->port == SIM_PORT)
            return node;
    }
    return KL_NO_NODE;
}

int32_t sim_names_node_of(const sim *s, const char *host)
{
    int node;
    unsigned moves = 0;
    if (sscanf(host, "boot-%d", &node) != 1 && sscanf(host, "node-%d-%u", &node, &moves) < 1)
        return KL_NO_NODE;
    bool there = node >= 1 && node <= s->brokers.count;
    /* Nobody answers to a name that it had before. */
    if (!there || (host[0] == 'n' && moves != s->brokers.moves[node]))
        return KL_NO_NODE;
    return node;
}

static sim_resolution *find(sim *s, kloop_id id)
{
    for (size_t i = s->host.name_count; i-- > 0;)
        if (s->host.names[i].id.slot == id.slot && s->host.names[i].id.gen == id.gen)
            return &s->host.names[i];
    return NULL;
}

static void answer(sim *s, void *thing, uint64_t index)
{
    sim_resolution *r = &s->host.names[index];
    (void)thing;
    if (r->told || r->answered)
        return;
    r->answered = true;
    sim_host_wake(s);
}

static kloop_address *next_address(sim_resolution *r)
{
    if (r->count == SIM_ADDRESSES_MAX)
        abort();
    return &r->addresses[r->count++];
}

void sim_names_add(sim *s, sim_resolution *r, int32_t node, bool v6)
{
    kloop_address *a = next_address(r);
    *a = address_of(s, node < 0 ? 0 : node, v6, node < 0);
    if (node < 0)
        a->bytes[2] = (uint8_t)r->count;
}

/* Nobody is there, until all is mended. */
static void add_dead(sim *s, sim_resolution *r, int32_t node)
{
    kloop_address *a = next_address(r);
    *a = address_of(s, node, sim_chance(s, RANDOM, 500000), true);
    a->bytes[2] = (uint8_t)r->count;
}

/* The living one somewhere among those that are not, of both sorts. */
static void fill_with_many(sim *s, sim_resolution *r, int32_t node)
{
    uint64_t n = sim_scale(s, RANDOM, 2, 20);
    uint64_t at = sim_below(s, RANDOM, n);
    for (uint64_t i = 0; i < n; i++)
        if (i == at)
            sim_names_add(s, r, node, sim_chance(s, RANDOM, 500000));
        else
            add_dead(s, r, node);
}

static void fill(sim *s, sim_resolution *r)
{
    int32_t node = sim_names_node_of(s, r->host);
    if (s->on_name) {
        s->on_name(s, r, node);
        return;
    }
    if (node < 0 || sim_fault(s, SIM_FAULT_NAME_FAILS))
        return;
    if (sim_fault(s, SIM_FAULT_NAME_ALL_DEAD)) {
        add_dead(s, r, node);
        return;
    }
    if (sim_fault(s, SIM_FAULT_NAME_MANY_ADDRESSES)) {
        fill_with_many(s, r, node);
        return;
    }
    bool both = s->plan.two_addresses;
    if (sim_fault(s, SIM_FAULT_NAME_DEAD_ADDRESS))
        r->addresses[r->count++] = address_of(s, node, false, true);
    r->addresses[r->count++] = address_of(s, node, false, false);
    if (both)
        r->addresses[r->count++] = address_of(s, node, true, false);
    if (r->count > 1 && sim_chance(s, RANDOM, 500000)) {
        kloop_address first = r->addresses[0];
        r->addresses[0] = r->addresses[r->count - 1];
        r->addresses[r->count - 1] = first;
    }
}

void sim_names_resolve(sim *s, const kloop_action *action)
{
    sim_host *h = &s->host;
    if (find(s, action->id))
        sim_fail(s, "border", "RESOLVE with a handle that there was before");
    if (action->host.len >= sizeof h->names->host || strlen(action->host.data) != action->host.len)
        sim_fail(s, "border", "RESOLVE of a name of %zu bytes, or not terminated",
                 action->host.len);
    if (h->name_count == h->name_cap) {
        h->name_cap = h->name_cap ? 2 * h->name_cap : 16;
        h->names = sim_grow(h->names, h->name_cap, sizeof *h->names);
    }
    sim_resolution *r = &h->names[h->name_count];
    *r = (sim_resolution){.id = action->id, .asked_ns = s->world.now_ns};
    memcpy(r->host, action->host.data, action->host.len);
    sim_note(s, SIM_NOTE_RESOLVE, r->host, action->id.slot, action->id.gen, action->port, 0);
    h->names_open++;
    uint64_t index = h->name_count++;
    if (sim_fault(s, SIM_FAULT_NAME_NEVER))
        return;
    uint64_t delay = s->plan.names_ns;
    if (sim_fault(s, SIM_FAULT_NAME_SLOW))
        delay = sim_scale(s, RANDOM, 10, 6000) * KL_MS;
    fill(s, r);
    if (!r->never)
        sim_after(s, delay, answer, NULL, index);
}

void sim_names_cancel(sim *s, kloop_id id)
{
    sim_resolution *r = find(s, id);
    sim_note(s, SIM_NOTE_CANCEL, NULL, id.slot, id.gen, 0, 0);
    if (!r || r->told)
        sim_fail(s, "border", "CANCEL of a resolution that is over, or never was");
    r->count = 0;
    sim_after(s, sim_below(s, RANDOM, KL_MS), answer, NULL, (uint64_t)(r - s->host.names));
}

bool sim_names_tell(sim *s)
{
    sim_host *h = &s->host;
    bool any = false;
    for (size_t i = 0; i < h->name_count && h->names_open; i++) {
        sim_resolution *r = &h->names[i];
        if (r->told || !r->answered)
            continue;
        r->told = true;
        h->names_open--;
        any = true;
        sim_note(s, SIM_NOTE_RESOLVED, NULL, r->id.slot, r->id.gen, (int64_t)r->count, 0);
        kloop_engine_on_resolved(h->engine, r->id, r->count ? r->addresses : NULL, r->count,
                                 r->count ? NULL : "no such host", sim_world_now(s));
    }
    return any;
}
