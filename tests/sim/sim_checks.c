/* SPDX-License-Identifier: BSD-2-Clause */
/* Invariants of the whole. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <string.h>

#define BESIDE_BYTES     (1 << 19)
#define CODEC_BYTES      ((uint64_t)1 << 20)
#define CODEC_MORE_BYTES ((uint64_t)384 << 10) /* gzip's, which is the next largest */
#define ROOM_BYTES       (256 << 10)
#define MOVED_BYTES      (72 << 10)

/* ---- After each turn ---- */

static uint64_t held_connections(const sim *s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->links.count; i++)
        n += s->links.all[i]->state < SIM_CONN_GONE;
    return n;
}

/* Bits of those that are named for any topic; the lowest is none. */
static uint32_t codecs(const sim *s)
{
    uint32_t named = s->plan.codecs;
    for (int i = 0; i < s->plan.topic_count; i++)
        named |= s->plan.topics[i].codecs;
    return named;
}

/* What stands in the codec when a turn ends: a batch as it is, and what has come out of it. */
static uint64_t in_the_codec(const sim *s)
{
    return codecs(s) & ~(uint32_t)1 ? (uint64_t)s->plan.batch_bytes + 16384 : 0;
}

/* Compressors, and what unfolds a batch that is to have another codec, or none. */
static uint64_t codec_bytes(const sim *s)
{
    uint64_t more = (uint64_t)__builtin_popcount(codecs(s) | 1) - 1;
    return CODEC_BYTES + more * CODEC_MORE_BYTES;
}

/* buffer.memory is a limit, to the byte. What is put together anew has room of its own: two
 * batches, in whole segments. */
static void check_held(sim *s, const kloop_stats *st)
{
    uint64_t reserve = s->checks.reshaped ? 2 * ((uint64_t)s->plan.batch_bytes + 65536) : 0;
    reserve += in_the_codec(s);
    /* What was parked is copied into its batch, and goes then. */
    if (s->checks.parked)
        reserve += MOVED_BYTES;
    /* One that waits alone is let in, whatever it takes. */
    if (s->plan.memory_bytes < s->plan.request_size_max + 4 * 65536)
        reserve += 3 * 65536;
    s->checks.reshaped |=
        st->batches_split || s->faults.fired[SIM_FAULT_ERROR_RECORDS] || s->orders.names_records;
    if (st->held_bytes > s->plan.memory_bytes + reserve)
        sim_fail(s, "I31", "%" PRIu64 " bytes are held, buffer.memory is %zu", st->held_bytes,
                 s->plan.memory_bytes);
    if (!s->host.writable_owed || s->plan.starved || s->user.closing ||
        kloop_engine_fatal_text(s->host.engine))
        return;
    /* Work was cut off in this turn: what it gives back is not all counted yet. */
    if (kloop_engine_deadline(s->host.engine) <= s->world.now_ns)
        return;
    if (!st->held_bytes && !st->pending)
        sim_fail(s, "writable", "nothing is held, and WRITABLE has not come");
    if (s->plan.topics[s->user.refused_topic].shares)
        return;
    /* Whole segments are counted, and more of them than a record needs. */
    uint64_t wanted = 2 * (uint64_t)s->user.refused_bytes + ROOM_BYTES;
    if (wanted < s->plan.memory_bytes / 2)
        wanted = s->plan.memory_bytes / 2;
    if (st->held_bytes + wanted < s->plan.memory_bytes)
        sim_fail(s, "writable",
                 "%" PRIu64 " bytes are held of %zu, and WRITABLE has not come for a record of %zu",
                 st->held_bytes, s->plan.memory_bytes, s->user.refused_bytes);
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
    /* What is settled of a chunk that is not told yet, the engine alone can know. */
    uint64_t untold = (uint64_t)s->lending.untold + l->dropped;
    uint64_t settled = (uint64_t)l->acked + l->failed + l->unknown;
    if (st.accepted != l->accepted || st.acked - l->acked > untold ||
        st.failed - l->failed > untold || st.unknown - l->unknown > untold ||
        st.acked + st.failed + st.unknown - settled > untold)
        sim_fail(s, "I42",
                 "the engine counts %" PRIu64 " accepted, %" PRIu64 " acked, %" PRIu64
                 " failed, %" PRIu64 " unknown; it was %u, %u, %u, %u, and %" PRIu64 " of chunks",
                 st.accepted, st.acked, st.failed, st.unknown, l->accepted, l->acked, l->failed,
                 l->unknown, untold);
    if (st.refused_full != l->refused_full)
        sim_fail(s, "I42", "the engine counts %" PRIu64 " refusals, it was %u", st.refused_full,
                 l->refused_full);
    check_held(s, &st);
    /* The one frame that may be as large as all of it has its length and a read on top; and each
     * connection has a first read of its own. */
    if (st.receive_bytes > s->plan.receive_bytes_max + 2052 + 2048 * held_connections(s))
        sim_fail(s, "I33", "receive buffers of %" PRIu64 " bytes, receive.memory is %zu",
                 st.receive_bytes, s->plan.receive_bytes_max);
    /* Idle segments and held ones together stay within buffer.memory; what comes on top, tables,
     * requests under way and the codec's state, does not grow with what is sent or comes in. */
    uint64_t all_max = s->plan.memory_bytes + st.receive_bytes + BESIDE_BYTES +
                       (uint64_t)s->plan.batch_bytes * 4 + codec_bytes(s) +
                       sim_effort_brokers(s) * SIM_BROKER_BYTES;
    if (s->memory.bytes > all_max)
        sim_fail(s, "I31",
                 "the engine has %" PRIu64 " bytes, %" PRIu64 " of them held, "
                 "buffer.memory is %zu",
                 s->memory.bytes, st.held_bytes, s->plan.memory_bytes);
    bool busy = st.pending || l->flushes_open || s->host.warm_ups_open ||
                (s->user.closing && !s->host.closed);
    /* Somebody may wait for WRITABLE, and nothing else. */
    bool may = busy || st.refused_full || s->lending.chunks_open || s->lending.out;
    if (kloop_engine_busy(s->host.engine) ? !may : busy)
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
    sim_lending_check_turn(s);
    if (s->host.warm_ups_open &&
        s->world.now_ns > kl_time_add(s->host.warm_due_ns, s->host.slack_ns + KL_MS))
        sim_fail(s, "warm", "%u warm-ups are over, and WARM has not come", s->host.warm_ups_open);
    check_counters(s);
    sim_inside_look(s, false);
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
    sim_lending_check_closed(s);
    sim_inside_look(s, true);
    if (s->host.warm_ups_open)
        sim_fail(s, "warm", "CLOSED, and %u warm-ups are not over", s->host.warm_ups_open);
    if (s->lending.chunk_count ? s->ledger.purged < s->ledger.purged_reported
                               : s->ledger.purged != s->ledger.purged_reported)
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
        if (s->plan.topics[topic].codecs == (uint32_t)1 << 4 && s->brokers.without_zstd[node])
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
        if (r->state == SIM_RECORD_PENDING && !r->chunk && r->accepted_ns <= s->faults.heal_ns &&
            can_be_delivered(s, r->topic))
            sim_fail(s, "I49",
                     "record %u (topic %d, sent to partition %d, %u attempts) is still "
                     "pending, %" PRIu64 " ms after the faults",
                     i, r->topic, r->sent_to, r->attempts,
                     (s->world.now_ns - s->faults.heal_ns) / KL_MS);
    }
}

/* The question for its topic may have to wait for a pause that others have caused; but not the
 * first one (seed 5465). */
static bool has_no_time(const sim *s, const sim_record *r)
{
    const sim_plan *p = &s->plan;
    return r->parked && !r->fresh &&
           p->max_block_ns < p->retry_backoff_max_ns + p->retry_backoff_max_ns / 5 +
                                 20 * s->links.delay_ns + 200 * KL_MS;
}

void sim_checks_probes(sim *s)
{
    for (uint32_t i = s->checks.probe_from; i <= s->ledger.count; i++) {
        const sim_record *r = sim_ledger_record(s, i);
        if (!r->probing || !can_be_delivered(s, r->topic) || r->state == SIM_RECORD_ACKED ||
            r->state == SIM_RECORD_REFUSED || may_be_doubted(s, r) || has_no_time(s, r))
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
