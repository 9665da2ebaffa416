/* SPDX-License-Identifier: BSD-2-Clause */
/* Invariants of the whole. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <string.h>

#define BESIDE_BYTES (1 << 19)
#define CODEC_BYTES  (1 << 20)

/* ---- After each turn ---- */

static uint64_t held_connections(const sim *s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->links.count; i++)
        n += s->links.all[i]->state < SIM_CONN_GONE;
    return n;
}

static void check_counters(sim *s)
{
    const sim_ledger *l = &s->ledger;
    kloop_stats st;
    kloop_engine_stats(s->host.engine, &st);
    if (st.accepted != st.acked + st.failed + st.unknown + st.pending)
        sim_fail(s, "I42",
                 "%" PRIu64 " accepted, but %" PRIu64 " acked, %" PRIu64 " failed, %" PRIu64
                 " unknown, %" PRIu64 " pending",
                 st.accepted, st.acked, st.failed, st.unknown, st.pending);
    if (st.accepted != l->accepted || st.acked != l->acked || st.failed != l->failed ||
        st.unknown != l->unknown)
        sim_fail(s, "I42",
                 "the engine counts %" PRIu64 " accepted, %" PRIu64 " acked, %" PRIu64
                 " failed, %" PRIu64 " unknown; it was %u, %u, %u, %u",
                 st.accepted, st.acked, st.failed, st.unknown, l->accepted, l->acked, l->failed,
                 l->unknown);
    if (st.refused_full != l->refused_full)
        sim_fail(s, "I42", "the engine counts %" PRIu64 " refusals, it was %u", st.refused_full,
                 l->refused_full);
    /* What is put together anew has room of its own: two batches, in whole segments. */
    if (st.held_bytes > s->plan.memory_bytes + 2 * (s->plan.batch_bytes + 65536))
        sim_fail(s, "I31", "%" PRIu64 " bytes are held, buffer.memory is %zu", st.held_bytes,
                 s->plan.memory_bytes);
    /* The one frame that may be as large as all of it has its length and a read on top; and each
     * connection has a first read of its own. */
    if (st.receive_bytes > s->plan.receive_bytes_max + 2052 + 2048 * held_connections(s))
        sim_fail(s, "I33", "receive buffers of %" PRIu64 " bytes, receive.memory is %zu",
                 st.receive_bytes, s->plan.receive_bytes_max);
    /* Idle segments and held ones together stay within buffer.memory; what comes on top, tables,
     * requests under way and the codec's state, does not grow with what is sent or comes in. */
    uint64_t all_max = s->plan.memory_bytes + st.receive_bytes + BESIDE_BYTES +
                       (uint64_t)s->plan.batch_bytes * 4 + (s->plan.codec ? CODEC_BYTES : 0) +
                       sim_effort_brokers(s) * SIM_BROKER_BYTES;
    if (s->memory.bytes > all_max)
        sim_fail(s, "I31",
                 "the engine has %" PRIu64 " bytes, %" PRIu64 " of them held, "
                 "buffer.memory is %zu",
                 s->memory.bytes, st.held_bytes, s->plan.memory_bytes);
    if (s->host.writable_owed && !st.pending && !st.held_bytes && !s->plan.starved &&
        !s->user.closing && !kloop_engine_fatal_text(s->host.engine))
        sim_fail(s, "writable", "nothing is held, and WRITABLE has not come");
    bool busy = st.pending || l->flushes_open || (s->user.closing && !s->host.closed);
    if (kloop_engine_busy(s->host.engine) != busy)
        sim_fail(s, "border", "busy answers %d; %" PRIu64 " records and %u flushes are pending",
                 !busy, st.pending, l->flushes_open);
}

static void check_suspects(sim *s)
{
    for (int i = 0; i < s->checks.suspect_count; i++)
        if (s->checks.suspects[i]->state < SIM_CONN_LOST)
            sim_fail(s, "I45", "#%" PRId64 " was told what nobody has asked for, and stays open",
                     s->checks.suspects[i]->number);
    s->checks.suspect_count = 0;
}

void sim_checks_suspect(sim *s, sim_conn *c)
{
    if (s->checks.suspect_count < 16)
        s->checks.suspects[s->checks.suspect_count++] = c;
}

/* The counters are looked at in each turn that did something, the rest now and then. */
void sim_checks_turn(sim *s)
{
    check_suspects(s);
    sim_ledger_check_deadlines(s);
    check_counters(s);
    if (s->user.closing && !s->host.closed &&
        s->world.now_ns > s->user.close_due_ns + s->host.slack_ns + s->host.close_delay_ns +
                              2 * s->host.tick_ns + 5 * KL_MS)
        sim_fail(s, "I41", "close should have ended %" PRIu64 " us ago",
                 (s->world.now_ns - s->user.close_due_ns) / KL_US);
}

/* ---- Connects ---- */

void sim_checks_connect(sim *s, const kloop_action *action)
{
    if (s->user.closing && s->host.turn_before_ns > s->user.close_due_ns)
        sim_fail(s, "I41", "CONNECT after the time for closing is over");
    if (!strncmp(action->host.data, "other-", 6))
        sim_fail(s, "I46", "CONNECT to a broker of another cluster");
    sim_pace_connect(s, action);
}

/* ---- The end ---- */

void sim_checks_closed(sim *s)
{
    const sim_user *u = &s->user;
    if (!u->closing)
        sim_fail(s, "border", "CLOSED, and nobody has closed");
    if (sim_ledger_pending(&s->ledger))
        sim_fail(s, "I1", "CLOSED, and %u records are not reported",
                 sim_ledger_pending(&s->ledger));
    if (s->ledger.purged != s->ledger.purged_reported)
        sim_fail(s, "purge", "%" PRIu64 " records were given up, %" PRIu64 " are reported so",
                 s->ledger.purged, s->ledger.purged_reported);
    if (s->ledger.flushes_open)
        sim_fail(s, "flush", "CLOSED, and %u flushes are open", s->ledger.flushes_open);
    for (size_t i = 0; i < s->links.count; i++)
        if (s->links.all[i]->state != SIM_CONN_GONE)
            sim_fail(s, "I40", "CLOSED, and #%" PRId64 " is not", s->links.all[i]->number);
    if (s->host.names_open)
        sim_fail(s, "I40", "CLOSED, and a name is being resolved");
    kloop_record r = {0};
    kloop_topic *t;
    kloop_status refusal = kloop_engine_fatal_text(s->host.engine) ? KLOOP_FATAL : KLOOP_CLOSED;
    for (int i = 0; i < s->plan.topic_count; i++)
        if (u->topics[i] && kloop_engine_send(u->topics[i], &r) != refusal)
            sim_fail(s, "border", "a closed producer takes a record, or says something else");
    if (kloop_engine_flush(s->host.engine, NULL, sim_world_now(s)) != KLOOP_CLOSED)
        sim_fail(s, "border", "a closed producer flushes, or says something else");
    if (kloop_engine_topic(s->host.engine, (kloop_string){"late", 4}, &t) != KLOOP_CLOSED)
        sim_fail(s, "border", "a closed producer opens a topic, or says something else");
    kloop_engine_close(s->host.engine, 0, sim_world_now(s));
}

static bool can_be_delivered(const sim *s, uint8_t topic)
{
    for (int32_t node = 1; node <= s->brokers.count; node++)
        if (s->plan.codec == 4 && s->brokers.without_zstd[node])
            return false;
    return !s->user.fatal && !s->plan.hostile && !s->plan.starved &&
           s->brokers.handles[topic] != KL_NO_TOPIC && !kloop_engine_fatal_text(s->host.engine);
}

/* What looks older, as a topic does that was made anew where no ids are told, is believed when it
 * was told five times. The last question may be asked as late as that. */
static uint64_t doubt_ns(const sim *s)
{
    const sim_plan *p = &s->plan;
    uint64_t pause = p->retry_backoff_max_ns > 200 * KL_MS ? p->retry_backoff_max_ns : 200 * KL_MS;
    return 5 * (pause + pause / 5 + p->answer_delay_ns + 4 * s->links.delay_ns) + KL_SECOND;
}

static bool may_be_doubted(const sim *s, const sim_record *r)
{
    return s->plan.delivery_timeout_ns < doubt_ns(s) &&
           sim_told_is_doubting(s, r->topic, r->accepted_ns);
}

void sim_checks_recovered(sim *s)
{
    for (uint32_t i = 1; i <= s->ledger.count; i++) {
        const sim_record *r = sim_ledger_record(s, i);
        /* As long as others of its topic get through, it may just be its turn late. */
        if (s->world.now_ns - s->ledger.acked_ns[r->topic] < 2 * KL_SECOND)
            continue;
        if (r->state == SIM_RECORD_PENDING && r->accepted_ns <= s->faults.heal_ns &&
            can_be_delivered(s, r->topic))
            sim_fail(s, "I49",
                     "record %u (topic %d, sent to partition %d, %u attempts) is still "
                     "pending, %" PRIu64 " ms after the faults",
                     i, r->topic, r->sent_to, r->attempts,
                     (s->world.now_ns - s->faults.heal_ns) / KL_MS);
    }
}

void sim_checks_probes(sim *s)
{
    for (uint32_t i = s->checks.probe_from; i <= s->ledger.count; i++) {
        const sim_record *r = sim_ledger_record(s, i);
        if (!r->probing || !can_be_delivered(s, r->topic) || r->state == SIM_RECORD_ACKED ||
            r->state == SIM_RECORD_REFUSED || may_be_doubted(s, r))
            continue;
        sim_fail(s, "I49",
                 "record %u (topic %d) was sent when all was well, and is %s (cause %d, "
                 "error %d)",
                 i, r->topic, sim_record_state_name(r->state), r->cause, r->broker_error);
    }
}

void sim_checks_memory(sim *s)
{
    if (s->memory.bytes)
        sim_fail(s, "I40", "%" PRIu64 " bytes are left behind", s->memory.bytes);
}
