/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting what a call does. */
#include "tests/sim/sim.h"

#include <inttypes.h>

/* A few times what has ever been seen with a sound engine. */
#define ALLOCATIONS_MAX 128
#define SEGMENT_BYTES   512
#define RELEASES_MAX    8192
#define BATCHES_MAX     1024
#define REQUESTS_MAX    4
#define BYTES_MAX       ((uint64_t)2 << 20)
#define FRAME_SLACK     16384
#define BROKERS_MAX     4096
#define ACTIONS_MAX     500
#define PIECES_MAX      500

/* One call in so many is looked at through the engine's own counters too. */
#define LOOKS_EVERY 4

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

uint64_t sim_effort_brokers(const sim *s)
{
    return s->faults.fired[SIM_FAULT_MANY_BROKERS] ? BROKERS_MAX : 0;
}

void sim_effort_begin(sim *s)
{
    sim_effort *e = &s->effort;
    e->allocations = s->memory.allocations;
    e->allocated = s->memory.allocated;
    e->releases = s->memory.releases;
    e->looks = e->calls++ % LOOKS_EVERY == 0;
    if (e->looks)
        kloop_engine_stats(s->host.engine, &e->stats);
}

static void check(sim *s, const char *call, const char *what, uint64_t n, uint64_t max)
{
    if (n > max)
        sim_fail(s, "I35", "one call of %s: %" PRIu64 " %s, %" PRIu64 " are the limit", call, n,
                 what, max);
}

/* A request takes the batches of all partitions of a leader at once, as far as they have room. */
static uint64_t partitions_of(const sim *s)
{
    uint64_t n = 0;
    for (int i = 0; i < s->plan.topic_count; i++) {
        const sim_topic_plan *t = &s->plan.topics[i];
        int32_t most = 0;
        for (int k = 0; k < t->count_changes; k++)
            most = t->counts[k] > most ? t->counts[k] : most;
        n += (uint64_t)most;
    }
    return n;
}

void sim_effort_end(sim *s, const char *call)
{
    const sim_effort *e = &s->effort;
    uint64_t partitions =
        e->looks || s->memory.allocations - e->allocations > ALLOCATIONS_MAX ? partitions_of(s) : 0;
    uint64_t bytes_max = BYTES_MAX + 2 * (uint64_t)s->plan.request_size_max;
    /* A batch that is put together anew may need each of its segments from the allocator. */
    check(s, call, "allocations", s->memory.allocations - e->allocations,
          ALLOCATIONS_MAX + 4 * partitions + 2 * sim_effort_brokers(s) + bytes_max / SEGMENT_BYTES);
    check(s, call, "releases", s->memory.releases - e->releases, RELEASES_MAX);
    check(s, call, "bytes allocated", s->memory.allocated - e->allocated, bytes_max);
    if (!e->looks)
        return;
    kloop_stats now;
    kloop_engine_stats(s->host.engine, &now);
    check(s, call, "batches closed", now.batches - e->stats.batches, BATCHES_MAX + partitions);
    /* Where the loop was held all sessions may be due for renewal. */
    uint64_t sessions = s->login.on ? (uint64_t)s->brokers.count + 2 : 0;
    check(s, call, "requests", now.requests - e->stats.requests, REQUESTS_MAX + sessions);
    check(s, call, "bytes of records taken up or given back",
          distance(now.held_bytes, e->stats.held_bytes),
          /* One answer settles a whole request. */
          bytes_max + (uint64_t)s->plan.request_bytes_max);
}

void sim_effort_end_received(sim *s, const sim_conn *c, size_t n, size_t begun)
{
    uint64_t frame = (uint64_t)n + begun;
    uint64_t bytes = s->memory.allocated - s->effort.allocated;
    uint64_t token = 2 * (uint64_t)s->plan.login.token_bytes; /* said in answer to it */
    if (bytes > 8 * frame + FRAME_SLACK + token + sim_effort_brokers(s) * SIM_BROKER_BYTES)
        sim_fail(s, "I34",
                 "#%" PRId64 ": %" PRIu64 " bytes are allocated over a frame of %" PRIu64 " bytes",
                 c->number, bytes, frame);
    sim_effort_end(s, "on_received");
}

void sim_effort_turn(sim *s, uint32_t actions, uint32_t pieces)
{
    /* What waits may leave in as many requests as there are records. */
    if (actions > ACTIONS_MAX + s->ledger.accepted + sim_effort_brokers(s))
        sim_fail(s, "I43", "%u actions in one turn", actions);
    /* A key of many iterations is many pieces. */
    if (pieces > PIECES_MAX + (uint32_t)s->plan.login.iterations / 100)
        sim_fail(s, "I43", "the engine has had work left for %u turns in a row", pieces);
}
