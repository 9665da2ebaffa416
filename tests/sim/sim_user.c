/* SPDX-License-Identifier: BSD-2-Clause */
/* What the user of a producer does. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM SIM_STREAM_USER

int sim_user_topic_of(const sim *s, const kloop_topic *topic)
{
    for (int i = 0; i < s->plan.topic_count; i++)
        if (s->user.topics[i] && s->user.topics[i] == topic)
            return i;
    return -1;
}

/* ---- Calls that are right ---- */

static bool open_topic(sim *s, int topic)
{
    if (s->user.topics[topic])
        return true;
    const char *name = s->plan.topics[topic].name;
    kloop_status status;
    int tries = 0;
    /* A story needs its topic. */
    do
        status = kloop_engine_topic(s->host.engine, (kloop_string){name, strlen(name)},
                                    &s->user.topics[topic]);
    while (status == KLOOP_NO_MEMORY && s->memory.fail_count && ++tries < 1000);
    if (status == KLOOP_NO_MEMORY && s->plan.starved)
        return false;
    if (status == KLOOP_CLOSED && s->user.closing)
        return false;
    if (status != KLOOP_OK || !s->user.topics[topic])
        sim_fail(s, "border", "topic %s is refused with status %d", name, status);
    kloop_topic *again;
    if (kloop_engine_topic(s->host.engine, (kloop_string){name, strlen(name)}, &again) !=
            KLOOP_OK ||
        again != s->user.topics[topic])
        sim_fail(s, "border", "topic %s has two handles", name);
    return true;
}

static size_t payload_bytes(const kloop_record *r)
{
    size_t n = r->key.len + r->value.len;
    for (uint32_t i = 0; i < r->header_count; i++)
        n += r->headers[i].key.len + r->headers[i].value.len;
    return n;
}

static void check_refusal(sim *s, int topic, const kloop_record *r, kloop_status status)
{
    const sim_plan *p = &s->plan;
    size_t bytes = payload_bytes(r);
    char text[512];
    size_t len = kloop_send_error(s->user.topics[topic], r, status, text, sizeof text);
    if (len < 5 || strlen(text) < 5)
        sim_fail(s, "border", "no sentence for status %d: \"%s\"", status, text);
    switch ((int)status) {
    case KLOOP_FULL:
        s->host.writable_owed = true;
        s->user.waits = true;
        s->user.waiting_ns = s->world.now_ns;
        s->user.refused_topic = topic;
        s->user.refused_bytes = bytes;
        s->ledger.refused_full++;
        return;
    case KLOOP_TOO_LARGE:
        if (bytes + 200 < p->request_size_max)
            sim_fail(s, "border", "a record of %zu bytes is too large for max.request.size %zu",
                     bytes, p->request_size_max);
        return;
    case KLOOP_BAD_PARTITION:
        /* Where brokers leave partitions out, the engine may believe them. */
        if (!s->faults.rate[SIM_FAULT_METADATA_LACKS_PARTITION] && !s->brokers.deletions &&
            !p->hostile)
            sim_fail(s, "border", "partition %d is refused, the topic has %d", r->partition,
                     kloop_topic_partitions(s->user.topics[topic]));
        return;
    case KLOOP_CLOSED:
        if (!s->user.closing)
            sim_fail(s, "border", "sending is refused as if the producer were closed");
        return;
    case KLOOP_FATAL:
        if (!p->fatal && !p->hostile)
            sim_fail(s, "border", "the producer cannot go on: %s",
                     kloop_engine_fatal_text(s->host.engine));
        s->user.fatal = true;
        return;
    case KLOOP_NO_MEMORY:
        if (!p->starved)
            sim_fail(s, "border", "sending is refused for want of memory");
        s->user.no_memory++;
        return;
    default:
        sim_fail(s, "border", "sending is refused with status %d", status);
    }
}

uint32_t sim_user_send(sim *s, int topic, int32_t partition, size_t bytes_max)
{
    if (!open_topic(s, topic))
        return 0;
    uint32_t number = s->ledger.count + 1;
    sim_payload_make(s, number, (uint8_t)topic, partition, bytes_max);
    const kloop_record *r = &s->payload.record;
    int64_t timestamp = r->set & KLOOP_SET_TIMESTAMP ? r->timestamp_ms : sim_world_wall_ms(s);
    sim_record line = {.accepted_ns = s->world.now_ns,
                       .content = sim_payload_hash(r, timestamp),
                       .offset = -1,
                       .reported_offset = -1,
                       .home = KL_NO_TOPIC,
                       .partition = partition,
                       .sent_to = -1,
                       .topic = (uint8_t)topic,
                       .parked = kloop_topic_partitions(s->user.topics[topic]) == 0,
                       .keyed = r->key.data != NULL,
                       .key_hash = r->key.data ? sim_payload_murmur2(r->key.data, r->key.len) : 0};
    kloop_status status = kloop_engine_send(s->user.topics[topic], r);
    sim_note(s, SIM_NOTE_SEND, NULL, number, topic, partition, status);
    sim_ledger_add(s, &line);
    if (status == KLOOP_OK) {
        sim_ledger_accepted(s, number);
        if (s->user.closing)
            sim_fail(s, "border", "a record is taken after close");
    } else {
        check_refusal(s, topic, r, status);
    }
    sim_payload_poison(s);
    return status == KLOOP_OK ? number : 0;
}

void sim_user_flush(sim *s)
{
    uint32_t flush = sim_ledger_flush(s);
    kloop_status status =
        kloop_engine_flush(s->host.engine, (void *)(uintptr_t)flush, sim_world_now(s));
    sim_note(s, SIM_NOTE_FLUSH, NULL, flush, status, 0, 0);
    if (status == KLOOP_OK)
        return;
    if (!(status == KLOOP_CLOSED && s->host.closed) &&
        !(status == KLOOP_NO_MEMORY && s->plan.starved))
        sim_fail(s, "border", "flush is refused with status %d", status);
    s->ledger.flushes[flush - 1].done = true;
    s->ledger.flushes_open--;
}

void sim_user_close(sim *s, uint64_t timeout_ms)
{
    sim_user *u = &s->user;
    sim_note(s, SIM_NOTE_END, NULL, (int64_t)timeout_ms, 0, 0, 0);
    uint64_t due = kl_time_add(s->world.now_ns, kl_ms_to_ns((int64_t)timeout_ms));
    if (!u->closing || due < u->close_due_ns)
        u->close_due_ns = due;
    if (!u->closing)
        u->close_ns = s->world.now_ns;
    u->closing = true;
    u->stopped = true;
    kloop_engine_close(s->host.engine, timeout_ms, sim_world_now(s));
}

uint64_t sim_user_purge(sim *s, int topic, unsigned what)
{
    bool all = what == (KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT);
    if (s->host.gone || (topic >= 0 && !s->user.topics[topic]))
        return 0;
    uint32_t pending = sim_ledger_purge(s, topic, all);
    uint64_t n = kloop_engine_purge(s->host.engine, topic < 0 ? NULL : s->user.topics[topic], what,
                                    sim_world_now(s));
    sim_note(s, SIM_NOTE_PURGE, NULL, topic, what, (int64_t)n, 0);
    if (n > pending)
        sim_fail(s, "purge", "%" PRIu64 " records are given up, %u were pending", n, pending);
    s->ledger.purged += n;
    return n;
}

/* ---- Calls that are wrong ---- */

static void expect(sim *s, int topic, const kloop_record *r, kloop_status wanted)
{
    kloop_status status = kloop_engine_send(topic < 0 ? NULL : s->user.topics[topic], r);
    s->ledger.wrong_calls++;
    if (s->user.closing || kloop_engine_fatal_text(s->host.engine))
        return; /* there is more than one reason then */
    if (status != wanted)
        sim_fail(s, "I2", "a wrong call is answered with status %d, %d is right", status, wanted);
}

static void wrong_call(sim *s, int topic)
{
    static uint8_t bytes[8];
    kloop_record r = {.value = {bytes, 8}, .user = (void *)(uintptr_t)UINT32_MAX};
    kloop_record_header header = {.key = {NULL, 0}};
    kloop_topic *none;
    switch (sim_below(s, RANDOM, 9)) {
    case 0:
        r.set = KLOOP_SET_PARTITION;
        r.partition = -1 - (int32_t)sim_below(s, RANDOM, 3);
        expect(s, topic, &r, KLOOP_BAD_PARTITION);
        break;
    case 1:
        r.set = KLOOP_SET_PARTITION;
        r.partition = kloop_topic_partitions(s->user.topics[topic]);
        if (r.partition > 0)
            expect(s, topic, &r, KLOOP_BAD_PARTITION);
        break;
    case 2:
        r.value.data = NULL;
        expect(s, topic, &r, KLOOP_BAD_ARGUMENT);
        break;
    case 3:
        r.set = KLOOP_SET_TIMESTAMP;
        r.timestamp_ms = -1;
        expect(s, topic, &r, KLOOP_BAD_TIMESTAMP);
        break;
    case 4:
        r.headers = &header;
        r.header_count = 1;
        expect(s, topic, &r, KLOOP_BAD_HEADERS);
        break;
    case 5:
        r.header_count = 1;
        expect(s, topic, &r, KLOOP_BAD_HEADERS);
        break;
    case 6: {
        size_t len = s->plan.request_size_max + 1;
        uint8_t *large = sim_zalloc(len, 1);
        r.value = (kloop_slice){large, len};
        expect(s, topic, &r, KLOOP_TOO_LARGE);
        free(large);
        break;
    }
    case 7:
        expect(s, topic, NULL, KLOOP_BAD_ARGUMENT);
        expect(s, -1, &r, KLOOP_BAD_ARGUMENT);
        break;
    default:
        if (!s->user.closing &&
            kloop_engine_topic(s->host.engine, (kloop_string){"a b", 3}, &none) != KLOOP_BAD_TOPIC)
            sim_fail(s, "I2", "\"a b\" passes for a topic");
        break;
    }
}

/* ---- What he does by himself ---- */

static int32_t draw_partition(sim *s, int topic)
{
    if (!sim_chance(s, RANDOM, s->plan.explicit_partition))
        return -1;
    return (int32_t)sim_below(s, RANDOM, (uint64_t)s->plan.topics[topic].partitions);
}

static int draw_topic(sim *s)
{
    if (sim_below(s, RANDOM, 8) == 0)
        s->user.sticky_topic = (uint32_t)sim_below(s, RANDOM, (uint64_t)s->plan.topic_count);
    return (int)s->user.sticky_topic;
}

static void send_some(sim *s, uint64_t n)
{
    for (uint64_t i = 0; i < n && !s->user.waits && !s->user.fatal && !s->user.closing; i++) {
        int topic = draw_topic(s);
        sim_user_send(s, topic, draw_partition(s, topic), s->plan.record_bytes_max);
    }
}

static void purge_some(sim *s)
{
    int topic = (int)sim_below(s, RANDOM, (uint64_t)s->plan.topic_count + 1) - 1;
    sim_user_purge(s, topic, (unsigned)sim_below(s, RANDOM, 4));
}

static void act(sim *s)
{
    const sim_plan *p = &s->plan;
    sim_user *u = &s->user;
    if (u->waits && s->world.now_ns - u->waiting_ns > 2 * KL_SECOND)
        u->waits = false; /* tries once more without having been told */
    send_some(s, sim_scale(s, RANDOM, 1, p->burst_max));
    sim_host_early_pump(s);
    if (sim_chance(s, RANDOM, p->flushes))
        sim_user_flush(s);
    if (sim_chance(s, RANDOM, p->purges))
        purge_some(s);
    int topic = draw_topic(s);
    if (sim_chance(s, RANDOM, p->wrong_calls) && open_topic(s, topic))
        wrong_call(s, topic);
}

static void user_turn(sim *s, void *thing, uint64_t a)
{
    (void)thing;
    (void)a;
    sim_user *u = &s->user;
    if (u->stopped || s->host.gone)
        return;
    if (!sim_host_enter_user(s)) {
        sim_at(s, s->host.stalled_until_ns, user_turn, NULL, 0);
        return;
    }
    act(s);
    sim_host_wake(s);
    /* Bursts are drawn by orders of magnitude: about a third of the most on average. */
    uint64_t turns = 3 * (uint64_t)s->plan.records / s->plan.burst_max + 1;
    uint64_t mean = s->plan.faults_ns / turns;
    uint64_t pause = 1 + sim_below(s, RANDOM, 2 * mean);
    if (s->plan.idles && sim_below(s, RANDOM, turns) < 4)
        pause += sim_between(s, RANDOM, 500, 6000) * KL_MS;
    sim_after(s, pause, user_turn, NULL, 0);
}

void sim_user_open(sim *s)
{
    kloop_error error;
    char servers[128];
    int len = 0;
    int n = s->plan.brokers < 2 ? 1 : 2;
    for (int i = 1; i <= n; i++)
        len += snprintf(servers + len, sizeof servers - (size_t)len, "%sboot-%d:%d",
                        i > 1 ? "," : "", i, SIM_PORT);
    sim_plan_set(s, "bootstrap.servers", servers);
    if (kloop_config_check(s->plan.config, &error)) {
        fprintf(stderr, "kloop-sim: %s\n", error.text);
        abort();
    }
    sim_plan_read_config(s);
    for (int tries = 0; !s->host.engine; tries++) {
        kloop_status status = kloop_engine_new(&s->host.engine, s->plan.config, &s->memory.table,
                                               s->seed, sim_world_now(s), s, &error);
        if (status == KLOOP_OK && s->host.engine)
            break;
        if (status != KLOOP_NO_MEMORY || !s->plan.starved || s->host.engine || tries > 1000)
            sim_fail(s, "border", "no engine: %s", error.text);
        if (s->memory.bytes)
            sim_fail(s, "I40", "an engine that was not made has left %" PRIu64 " bytes",
                     s->memory.bytes);
    }
    if (kloop_engine_host(s->host.engine) != s)
        sim_fail(s, "border", "the engine has another host");
    s->host.deadline_ns = kloop_engine_deadline(s->host.engine);
    sim_host_wake(s);
}

void sim_user_start(sim *s)
{
    sim_user_open(s);
    for (int i = 0; i < s->plan.topic_count; i++)
        if (sim_below(s, RANDOM, 2))
            open_topic(s, i);
    sim_after(s, sim_below(s, RANDOM, 20 * KL_MS), user_turn, NULL, 0);
}

/* ---- In the middle of what he is told ---- */

void sim_user_on_delivery(sim *s, const kloop_report *report)
{
    (void)report;
    if (s->user.closing || !sim_chance(s, RANDOM, s->plan.reentrant))
        return;
    switch (sim_below(s, RANDOM, 8)) {
    case 0:
        sim_user_flush(s);
        break;
    case 1:
        sim_host_early_pump(s);
        break;
    case 3:
        if (s->plan.purges && !s->user.stopped)
            purge_some(s);
        break;
    case 2:
        if (s->plan.ending == SIM_ENDING_CLOSED &&
            s->world.now_ns > SIM_START_NS + s->plan.ending_ns)
            sim_user_close(s, s->plan.close_timeout_ms);
        break;
    default:
        if (!s->user.stopped)
            send_some(s, 1 + sim_below(s, RANDOM, 5));
        break;
    }
}

void sim_user_on_writable(sim *s)
{
    sim_user *u = &s->user;
    u->waits = false;
    if (u->closing || u->fatal || s->plan.scripted)
        return;
    /* What was refused fits now; a record with more around it may not, and parked ones that are
     * moved meanwhile take of the room: some times, but not for ever. */
    uint32_t number =
        sim_user_send(s, u->refused_topic, -1, u->refused_bytes ? u->refused_bytes : 1);
    bool lied = !number && u->waits && !s->plan.starved &&
                payload_bytes(&s->payload.record) <= u->refused_bytes;
    u->lies = lied ? u->lies + 1 : 0;
    if (u->lies == 10)
        sim_fail(s, "writable", "WRITABLE for the tenth time, and no room for %zu bytes",
                 u->refused_bytes);
}

void sim_user_on_flushed(sim *s)
{
    if (!s->user.closing && !s->user.stopped && sim_chance(s, RANDOM, s->plan.reentrant))
        send_some(s, 1);
}
