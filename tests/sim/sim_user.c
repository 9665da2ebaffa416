/* SPDX-License-Identifier: BSD-2-Clause */
/* What the user of a producer does. */
#include "tests/sim/sim.h"
#include "tests/sim/sim_keys.h"

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

/* By the length of the value: whoever asks again is told the same. */
static int32_t choose(const kloop_topic *topic, const kloop_record *r, int32_t count, void *me)
{
    (void)topic;
    (void)me;
    return (int32_t)(r->value.len % (size_t)count);
}

/* What is set for it alone. Without memory the rest stays as it was. */
static void furnish(sim *s, int topic)
{
    sim_topic_plan *t = &s->plan.topics[topic];
    kloop_error error;
    for (int i = 0; i < t->set_count && !t->set_early; i++) {
        kloop_status status =
            kloop_topic_set(s->user.topics[topic], t->set_keys[i], t->set_values[i], &error);
        if (status != KLOOP_OK && !(status == KLOOP_NO_MEMORY && s->plan.starved))
            sim_fail(s, "border", "%s=%s for a topic is refused: %s", t->set_keys[i],
                     t->set_values[i], error.text);
        if (status != KLOOP_OK) {
            t->codecs = UINT32_MAX;
            snprintf(t->partitioner, sizeof t->partitioner, "random");
        }
    }
    if (t->choosy)
        kloop_topic_set_partitioner(s->user.topics[topic], choose, NULL);
}

static bool open_topic(sim *s, int topic)
{
    sim_pace_use(s, topic);
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
    furnish(s, topic);
    return true;
}

static size_t payload_bytes(const kloop_record *r)
{
    size_t n = r->key.len + r->value.len;
    for (uint32_t i = 0; i < r->header_count; i++)
        n += r->headers[i].key.len + r->headers[i].value.len;
    return n;
}

static void check_refusal(sim *s, int topic, size_t bytes, int32_t partition, kloop_status status,
                          const char *text, size_t len)
{
    const sim_plan *p = &s->plan;
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
            sim_fail(s, "border", "partition %d is refused, the topic has %d", partition,
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
    uint32_t chunk;
    uint32_t loan = sim_lending_dress(s, &s->payload.record, &chunk);
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
                       .keyed = s->plan.topics[topic].choosy,
                       .key_hash = (uint32_t)r->value.len};
    if (!line.keyed)
        line.keyed = sim_keys_decide(s, topic, r->key, &line.key_hash);
    kloop_status status = kloop_engine_send(s->user.topics[topic], r);
    sim_note(s, SIM_NOTE_SEND, NULL, number, topic, partition, status);
    sim_ledger_add(s, &line);
    sim_lending_sent(s, number, loan, chunk, status == KLOOP_OK);
    if (status == KLOOP_OK) {
        sim_ledger_accepted(s, number);
        s->checks.parked |= line.parked;
        if (s->user.closing)
            sim_fail(s, "border", "a record is taken after close");
    } else {
        char text[512];
        size_t len = kloop_send_error(s->user.topics[topic], r, status, text, sizeof text);
        check_refusal(s, topic, payload_bytes(r), r->partition, status, text, len);
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
    uint32_t pending = sim_ledger_purge(s, topic, all) + s->ledger.dropped;
    uint64_t n = kloop_engine_purge(s->host.engine, topic < 0 ? NULL : s->user.topics[topic], what,
                                    sim_world_now(s));
    sim_note(s, SIM_NOTE_PURGE, NULL, topic, what, (int64_t)n, 0);
    if (n > pending)
        sim_fail(s, "purge", "%" PRIu64 " records are given up, %u were pending", n, pending);
    s->ledger.purged += n;
    return n;
}

void sim_user_check_batch_refusal(sim *s, int topic, const kloop_encoded *e, kloop_status status)
{
    char text[512];
    size_t len = kloop_send_batch_error(s->user.topics[topic], e, status, text, sizeof text);
    check_refusal(s, topic, e->bytes.len, e->partition, status, text, len);
}

void sim_user_warm_up(sim *s, int topic, uint64_t timeout_ms)
{
    sim_host *h = &s->host;
    if (topic >= 0 && !open_topic(s, topic))
        return;
    kloop_status status =
        kloop_engine_warm_up(h->engine, topic < 0 ? NULL : s->user.topics[topic], timeout_ms,
                             (void *)(uintptr_t)(topic + 2), sim_world_now(s));
    sim_note(s, SIM_NOTE_WARM_UP, NULL, topic, (int64_t)timeout_ms, status, 0);
    bool refused = (status == KLOOP_CLOSED && s->user.closing) ||
                   (status == KLOOP_FATAL && kloop_engine_fatal_text(h->engine)) ||
                   (status == KLOOP_NO_MEMORY && s->plan.starved);
    if (status != KLOOP_OK && !refused)
        sim_fail(s, "border", "a warm-up is refused with status %d", status);
    uint64_t due = kl_time_add(s->world.now_ns, kl_ms_to_ns((int64_t)timeout_ms));
    if (status == KLOOP_OK && (!h->warm_ups_open++ || h->warm_due_ns < due))
        h->warm_due_ns = due;
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

static void send_batch(sim *s, int topic)
{
    uint32_t n = (uint32_t)sim_scale(s, RANDOM, 1, 40);
    int codec = sim_chance(s, RANDOM, 500000) ? 0 : (int)sim_below(s, RANDOM, 4);
    sim_lending_send_batch(s, topic, draw_partition(s, topic), n, codec,
                           s->plan.record_bytes_max / n + 1);
}

/* Chunks begin and end in the middle of whatever he does. */
static void bundle(sim *s)
{
    if (!s->lending.present && sim_chance(s, RANDOM, s->plan.chunks))
        sim_lending_begin_chunk(s);
    else if (s->lending.present && sim_chance(s, RANDOM, 300000))
        sim_lending_end_chunk(s);
    else if (s->lending.present && sim_chance(s, RANDOM, 20000))
        sim_lending_drop_chunk(s);
}

static void send_some(sim *s, uint64_t n)
{
    for (uint64_t i = 0; i < n && !s->user.waits && !s->user.fatal && !s->user.closing; i++) {
        int topic = draw_topic(s);
        if (!sim_chance(s, RANDOM, s->plan.encoded))
            sim_user_send(s, topic, draw_partition(s, topic), s->plan.record_bytes_max);
        else if (open_topic(s, topic))
            send_batch(s, topic);
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
    bundle(s);
    send_some(s, sim_scale(s, RANDOM, 1, p->burst_max));
    sim_host_early_pump(s);
    bundle(s);
    if (sim_chance(s, RANDOM, p->flushes))
        sim_user_flush(s);
    if (sim_chance(s, RANDOM, p->purges))
        purge_some(s);
    if (sim_chance(s, RANDOM, p->warm_ups))
        sim_user_warm_up(s, (int)sim_below(s, RANDOM, (uint64_t)p->topic_count + 1) - 1,
                         sim_chance(s, RANDOM, 200000) ? 0 : sim_scale(s, RANDOM, 1, 10000));
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
    sim_plan_set(s, "bootstrap.servers", s->plan.servers ? s->plan.servers : servers);
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
    sim_trace_decisions(s, s->host.engine);
    sim_login_open(s);
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
    kloop_stats st;
    u->waits = false;
    kloop_engine_stats(s->host.engine, &st);
    if (st.held_bytes >= s->plan.memory_bytes)
        sim_fail(s, "writable", "WRITABLE, and %" PRIu64 " bytes are held of %zu", st.held_bytes,
                 s->plan.memory_bytes);
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
