/* SPDX-License-Identifier: BSD-2-Clause */
/* The words that scenarios are written in. */
#include "tests/sim/scenario.h"

#include "tests/sim/sim_wrap.h"

#include <stdio.h>
#include <string.h>

static const sim_scenario scenarios[] = {
#define ROW(name, about, faults) {#name, about, faults, sim_scenario_##name},
    SIM_SCENARIO_MAP(ROW)
#undef ROW
};

const sim_scenario *sim_scenario_at(size_t index)
{
    return index < sizeof scenarios / sizeof scenarios[0] ? &scenarios[index] : NULL;
}

const sim_scenario *sim_scenario_find(const char *name)
{
    const sim_scenario *found;
    for (size_t i = 0; (found = sim_scenario_at(i)) != NULL; i++)
        if (!strcmp(found->name, name))
            return found;
    return NULL;
}

/* ---- Before the start ---- */

void sim_cluster(sim *s, int32_t brokers)
{
    s->plan.brokers = brokers;
}

void sim_topic(sim *s, const char *name, int32_t partitions, int16_t replicas)
{
    sim_topic_plan *t = &s->plan.topics[s->plan.topic_count++];
    snprintf(t->name, sizeof t->name, "%s", name);
    t->partitions = partitions;
    t->replicas = replicas;
    t->counts[t->count_changes++] = partitions;
}

void sim_set(sim *s, const char *key, const char *value)
{
    sim_plan_set(s, key, value);
}

void sim_slow_writes(sim *s, uint64_t ns)
{
    s->host.completion = true;
    s->host.write_delay_ns = ns;
}

void sim_start(sim *s)
{
    sim_brokers_start(s);
    sim_user_open(s);
}

/* ---- Time ---- */

void sim_go(sim *s, uint64_t ns)
{
    sim_run_until(s, s->world.now_ns + ns);
}

void sim_drain(sim *s, uint64_t within_ns)
{
    if (!sim_run_until_drained(s, within_ns))
        sim_fail(s, "I49", "%u records are still pending", sim_ledger_pending(&s->ledger));
}

void sim_until_produced(sim *s, uint64_t n)
{
    uint64_t wanted = s->book.produce_requests + n;
    uint64_t end = s->world.now_ns + 5 * KL_SECOND;
    while (s->book.produce_requests < wanted && sim_world_step(s, end))
        ;
    sim_expect(s, s->book.produce_requests >= wanted, "a Produce request goes out");
}

/* ---- The user ---- */

static void send(sim *s, int topic, int32_t partition, uint32_t n, size_t bytes)
{
    kloop_engine_clock(s->host.engine, sim_world_now(s));
    for (uint32_t i = 0; i < n; i++)
        sim_user_send(s, topic, partition, bytes);
    sim_host_wake(s);
}

void sim_send(sim *s, int topic, uint32_t n)
{
    send(s, topic, -1, n, 100);
}

void sim_send_to(sim *s, int topic, int32_t partition, uint32_t n)
{
    send(s, topic, partition, n, 100);
}

void sim_send_sized(sim *s, int topic, uint32_t n, size_t bytes)
{
    send(s, topic, -1, n, bytes);
}

void sim_flush(sim *s)
{
    sim_user_flush(s);
    sim_host_wake(s);
}

void sim_purge(sim *s, int topic, unsigned what)
{
    kloop_engine_clock(s->host.engine, sim_world_now(s));
    sim_user_purge(s, topic, what);
    sim_host_wake(s);
}

void sim_close(sim *s, uint64_t timeout_ms)
{
    sim_user_close(s, timeout_ms);
    sim_host_wake(s);
}

void sim_close_and_wait(sim *s, uint64_t timeout_ms)
{
    sim_close(s, timeout_ms);
    uint64_t end = s->user.close_due_ns + KL_SECOND;
    while (!s->host.closed && sim_world_step(s, end))
        ;
    if (!s->host.closed)
        sim_fail(s, "I41", "close does not end");
}

/* ---- Misfortune ---- */

void sim_next(sim *s, int16_t api_key, kl_request_fate fate)
{
    sim_answers_order(
        s, &(sim_order){.api_key = api_key, .count = 1, .fate = fate, .node = KL_NO_NODE});
}

void sim_next_error(sim *s, int16_t error_code, bool append, uint32_t times)
{
    sim_answers_order(s, &(sim_order){.api_key = KLOOP_PRODUCE,
                                      .count = times,
                                      .produce = {.error_code = error_code, .append = append},
                                      .node = KL_NO_NODE});
}

static sim_conn *open_one(sim *s, int32_t node, size_t *at)
{
    for (; *at < s->links.count; ++*at) {
        sim_conn *c = s->links.all[*at];
        if (c->state == SIM_CONN_OPEN && (node == KL_NO_NODE || c->node == node)) {
            ++*at;
            return c;
        }
    }
    return NULL;
}

void sim_reset(sim *s, int32_t node)
{
    size_t at = 0;
    for (sim_conn *c; (c = open_one(s, node, &at)) != NULL;)
        sim_link_reset(s, c, true, "connection reset by peer");
}

void sim_hole(sim *s, int32_t node)
{
    size_t at = 0;
    for (sim_conn *c; (c = open_one(s, node, &at)) != NULL;)
        c->up.hole = c->down.hole = true;
}

void sim_impostor_at(sim *s, int32_t node, sim_impostor what)
{
    s->links.impostor_at[node] = what;
}

void sim_cut_after(sim *s, int32_t node, uint64_t bytes)
{
    size_t at = 0;
    for (sim_conn *c; (c = open_one(s, node, &at)) != NULL;)
        c->cut_after = c->taken + bytes;
}

void sim_next_body(sim *s, int16_t api_key, const uint8_t *body, size_t len)
{
    sim_answers_order(
        s, &(sim_order){.api_key = api_key, .count = 1, .node = KL_NO_NODE, .body = {body, len}});
}

void sim_next_bad_records(sim *s, const int32_t *places, int32_t n)
{
    s->orders.names_records = true;
    sim_answers_order(
        s, &(sim_order){.api_key = KLOOP_PRODUCE,
                        .count = 1,
                        .produce = {.error_code = 87, .bad_records = places, .bad_record_count = n},
                        .node = KL_NO_NODE});
}

void sim_skip_then(sim *s, uint32_t skip, int16_t api_key, kl_request_fate fate)
{
    sim_answers_order(
        s, &(sim_order){
               .api_key = api_key, .skip = skip, .count = 1, .fate = fate, .node = KL_NO_NODE});
}

void sim_skip_then_error(sim *s, uint32_t skip, int16_t error_code, bool append, uint32_t times)
{
    sim_answers_order(s, &(sim_order){.api_key = KLOOP_PRODUCE,
                                      .skip = skip,
                                      .count = times,
                                      .produce = {.error_code = error_code, .append = append},
                                      .node = KL_NO_NODE});
}

void sim_no_more(sim *s)
{
    s->orders.count = 0;
}

void sim_end(sim *s, int32_t node)
{
    size_t at = 0;
    for (sim_conn *c; (c = open_one(s, node, &at)) != NULL;)
        sim_link_end(s, c, "closed by the peer");
}

void sim_deafen(sim *s, int32_t node)
{
    size_t at = 0;
    for (sim_conn *c; (c = open_one(s, node, &at)) != NULL;)
        c->down.hole = true;
}

void sim_stall(sim *s, int32_t node, uint64_t ns)
{
    size_t at = 0;
    for (sim_conn *c; (c = open_one(s, node, &at)) != NULL;)
        sim_link_stall(s, c, ns);
}

void sim_bandwidth(sim *s, uint64_t bytes_per_second)
{
    uint64_t ps = bytes_per_second ? UINT64_C(1000000000000) / bytes_per_second : 0;
    s->plan.link_per_byte_ps = ps;
    for (size_t i = 0; i < s->links.count; i++)
        s->links.all[i]->up.per_byte_ps = s->links.all[i]->down.per_byte_ps = ps;
}

void sim_followers(sim *s, bool stalled)
{
    for (int32_t node = 2; node <= s->brokers.count; node++)
        kl_cluster_stall_follower(s->brokers.cluster, node, stalled, (int64_t)s->world.now_ns);
    sim_link_pump_brokers(s);
}

void sim_readdress(sim *s, int32_t node)
{
    s->brokers.address_generation[node]++;
    sim_reset(s, node);
}

void sim_always(sim *s, sim_fault_id id)
{
    s->faults.rate[id] = 1000000;
    s->faults.on = true;
}

void sim_faults_end(sim *s)
{
    s->faults.on = false;
}

void sim_answers_pass(sim *s,
                      void (*change)(sim *s, const kl_request_info *request, void *response))
{
    s->on_answer = change;
}

void *sim_elements(const kloop_array *list)
{
    union {
        const void *seen;
        void *written;
    } both = {.seen = list->data};
    return both.written;
}

void sim_next_sequence(sim *s, int topic, int32_t partition, int32_t sequence)
{
    sim_wrap_jump(s, topic, partition, sequence);
}

void sim_hold_loop(sim *s, uint64_t ns)
{
    sim_host_stall(s, s->world.now_ns + ns);
}

/* ---- Expectations ---- */

void sim_expect(sim *s, bool what, const char *sentence)
{
    if (!what)
        sim_fail(s, "scenario", "not so: %s", sentence);
}

uint32_t sim_count(sim *s, sim_record_state state)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->ledger.count; i++)
        n += s->ledger.records[i].state == state;
    return n;
}

void sim_expect_all(sim *s, sim_record_state state)
{
    for (uint32_t i = 1; i <= s->ledger.count; i++) {
        const sim_record *r = sim_ledger_record(s, i);
        if (r->state != SIM_RECORD_REFUSED && r->state != state)
            sim_fail(s, "scenario", "record %u is %s, not %s", i, sim_record_state_name(r->state),
                     sim_record_state_name((uint8_t)state));
    }
}

kloop_stats sim_stats(sim *s)
{
    kloop_stats stats;
    kloop_engine_stats(s->host.engine, &stats);
    return stats;
}

int32_t sim_partitions(const sim *s, int topic)
{
    const kloop_topic *t = s->user.topics[topic];
    return t ? kloop_topic_partitions(t) : 0;
}
