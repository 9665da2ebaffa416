/* SPDX-License-Identifier: BSD-2-Clause */
/* What is expected of a producer at rest. */
#include "tests/sim/sim_rest.h"

#include "tests/sim/scenario.h"

#include <inttypes.h>

/* Tables, requests, brokers: what there is without any record. */
#define IDLE_BYTES  ((uint64_t)384 << 10)
#define CODEC_BYTES ((uint64_t)1 << 20)

static bool is_at_rest(const sim *s)
{
    return !sim_ledger_pending(&s->ledger) && !s->ledger.flushes_open && !s->user.closing &&
           !s->host.gone && !s->user.fatal && !kloop_engine_fatal_text(s->host.engine);
}

/* Questions that are asked by the clock, of all that may be asked so: each is a wake-up or two, and
 * so are the connections that come and go with them. */
static uint64_t by_the_clock(const sim *s, uint64_t ns)
{
    const sim_plan *p = &s->plan;
    uint64_t often = p->metadata_max_age_ns < p->idle_ns ? p->metadata_max_age_ns : p->idle_ns;
    return 4 * (ns / (often ? often : 1) + 1);
}

static void check_connections(sim *s)
{
    const sim_plan *p = &s->plan;
    uint64_t slack = KL_SECOND + p->request_timeout_ns + s->host.tick_ns + s->host.close_delay_ns;
    for (size_t i = 0; i < s->links.count; i++) {
        const sim_conn *c = s->links.all[i];
        uint64_t since =
            c->moved_ns > c->watch.throttled_until_ns ? c->moved_ns : c->watch.throttled_until_ns;
        if (c->state == SIM_CONN_OPEN && since < s->world.now_ns &&
            s->world.now_ns - since > kl_time_add(p->idle_ns, slack))
            sim_fail(s, "rest",
                     "#%" PRId64 " has not been used for %" PRIu64
                     " ms, and is open: connections.max.idle.ms is %" PRIu64,
                     c->number, (s->world.now_ns - since) / KL_MS, p->idle_ns / KL_MS);
    }
}

static void check_memory(sim *s)
{
    uint64_t partitions = 0;
    kloop_stats st;
    for (int i = 0; i < s->plan.topic_count; i++)
        partitions += (uint64_t)(s->user.topics[i] ? kloop_topic_partitions(s->user.topics[i]) : 0);
    kloop_engine_stats(s->host.engine, &st);
    uint64_t most =
        IDLE_BYTES + SIM_REST_KEEP_BYTES + st.receive_bytes + partitions * 1024 + CODEC_BYTES;
    if (st.held_bytes)
        sim_fail(s, "rest", "%" PRIu64 " bytes are held, and no record is there", st.held_bytes);
    if (s->memory.bytes > most)
        sim_fail(s, "rest", "the engine has %" PRIu64 " bytes at rest, %" PRIu64 " are enough",
                 s->memory.bytes, most);
}

void sim_rest_for(sim *s, uint64_t ns, uint64_t wakes_max)
{
    uint64_t wakes = s->host.wakes;
    uint64_t in_vain = s->host.wakes_in_vain;
    uint64_t from = s->world.now_ns;
    sim_note(s, SIM_NOTE_PHASE, "rests", 0, 0, 0, 0);
    sim_run_until(s, s->world.now_ns + ns);
    wakes = s->host.wakes - wakes;
    in_vain = s->host.wakes_in_vain - in_vain;
    uint64_t seconds = (s->world.now_ns - from) / KL_SECOND;
    if (in_vain > seconds + by_the_clock(s, ns))
        sim_fail(s, "rest", "%" PRIu64 " wake-ups for nothing in %" PRIu64 " s of rest", in_vain,
                 seconds);
    if (wakes > wakes_max)
        sim_fail(s, "rest", "%" PRIu64 " wake-ups in %" PRIu64 " s of rest", wakes, seconds);
    check_connections(s);
    if (ns >= SIM_REST_FORGETS_NS)
        check_memory(s);
}

/* The last that was sent has arrived, everywhere: nobody is looked for any more, and no topic that
 * nobody has is asked for. */
static bool all_is_well(sim *s)
{
    for (uint32_t i = s->checks.probe_from; i <= s->ledger.count; i++)
        if (sim_ledger_record(s, i)->state != SIM_RECORD_ACKED)
            return false;
    return true;
}

void sim_rest(sim *s)
{
    const sim_plan *p = &s->plan;
    if (!p->rest_ns || p->hostile || p->starved || p->fatal || !is_at_rest(s))
        return;
    /* Sessions that end are renewed, in as many pieces as that takes. */
    bool renews = s->login.on && (p->login.reauth_ms || p->login.mechanism == KL_LOGIN_OAUTHBEARER);
    uint64_t most = all_is_well(s) && !renews
                        ? p->rest_ns / KL_SECOND + 10 + by_the_clock(s, p->rest_ns)
                        : UINT64_MAX;
    sim_rest_for(s, p->rest_ns, most);
}
