/* SPDX-License-Identifier: BSD-2-Clause */
/* The course of a run. */
#include "tests/sim/sim_run.h"

#include "tests/sim/scenario.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_rest.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVENTS_MAX 4000000
#define LAST_NOTES 100

static sim *running;

void sim_fail(sim *s, const char *invariant, const char *form, ...)
{
    va_list args;
    va_start(args, form);
    vsnprintf(s->failure, sizeof s->failure, form, args);
    va_end(args);
    snprintf(s->invariant, sizeof s->invariant, "%s", invariant);
    s->failed = true;
    longjmp(s->out, 1);
}

/* ---- Going on ---- */

/* He does it in the middle of whatever goes on. */
static void flush_unexpectedly(sim *s)
{
    if (s->user.closing || !sim_host_enter_user(s))
        return;
    sim_user_flush(s);
    sim_host_wake(s);
}

static bool step(sim *s, uint64_t until_ns)
{
    if (s->plan.flush_event && s->world.events == s->plan.flush_event)
        flush_unexpectedly(s);
    if (s->world.events > EVENTS_MAX)
        sim_fail(s, "I38", "%d events: the run does not come to an end", EVENTS_MAX);
    return sim_world_step(s, until_ns);
}

void sim_run_until(sim *s, uint64_t when_ns)
{
    while (step(s, when_ns))
        ;
}

static bool drained(const sim *s)
{
    return !sim_ledger_pending(&s->ledger) && !s->ledger.flushes_open;
}

bool sim_run_until_drained(sim *s, uint64_t within_ns)
{
    uint64_t end = s->world.now_ns + within_ns;
    while (!drained(s) && step(s, end))
        ;
    return drained(s);
}

static void run_until_closed(sim *s)
{
    /* A loop that is held time and again closes nothing. */
    while (!s->host.closed &&
           step(s, kl_time_add(s->user.close_due_ns, s->host.slack_ns) + 30 * KL_SECOND))
        ;
    if (!s->host.closed)
        sim_fail(s, "I41", "close does not end");
}

void sim_run_heal(sim *s)
{
    sim_note(s, SIM_NOTE_PHASE, "heals", 0, 0, 0, 0);
    s->faults.on = false;
    s->faults.heal_ns = s->world.now_ns;
    if (s->faults.heal_ns < s->host.stalled_until_ns)
        s->faults.heal_ns = s->host.stalled_until_ns;
    s->links.latency_until_ns = 0;
    for (size_t i = 0; i < s->links.count; i++) {
        s->links.all[i]->up.per_byte_ps = s->plan.link_per_byte_ps;
        s->links.all[i]->down.per_byte_ps = s->plan.link_per_byte_ps;
    }
    sim_brokers_heal(s);
}

static void delete_engine(sim *s)
{
    sim_note(s, SIM_NOTE_DELETE, NULL, 0, 0, 0, 0);
    sim_host_abandon(s);
    kloop_engine_del(s->host.engine);
    s->host.engine = NULL;
    sim_login_over(s);
    sim_checks_memory(s);
}

/* What is on its way to a broker arrives, what a broker has begun is done. */
static void finish(sim *s)
{
    if (s->faults.on)
        sim_run_heal(s);
    s->user.stopped = true;
    sim_run_until(s, s->world.now_ns + 30 * KL_SECOND);
    if (s->plan.ending != SIM_ENDING_DELETED || s->host.closed)
        sim_ledger_check_logs(s);
}

static void close_and_finish(sim *s, uint64_t timeout_ms)
{
    sim_note(s, SIM_NOTE_PHASE, "closes", 0, 0, 0, 0);
    while (!s->user.closing) {
        if (sim_host_enter_user(s))
            sim_user_close(s, timeout_ms);
        else
            sim_run_until(s, s->host.stalled_until_ns);
    }
    if (sim_chance(s, SIM_STREAM_USER, 100000))
        sim_user_close(s, timeout_ms / 2);
    sim_host_wake(s);
    run_until_closed(s);
    sim_run_until(s, s->world.now_ns + KL_SECOND);
    delete_engine(s);
    finish(s);
}

static void note_probe(sim *s, uint32_t number)
{
    sim_record *r = sim_ledger_record(s, number);
    const sim_question *q = &s->pace.metadata;
    r->probing = true;
    r->fresh = !s->pace.asked_topics[r->topic] && !q->failures && !q->conn;
}

static void probe(sim *s)
{
    sim_note(s, SIM_NOTE_PHASE, "probes", 0, 0, 0, 0);
    s->checks.probe_from = s->ledger.count + 1;
    while (!sim_host_enter_user(s))
        sim_run_until(s, s->host.stalled_until_ns);
    for (int t = 0; t < s->plan.topic_count && !s->user.fatal; t++)
        for (int i = 0; i < 6 && !s->user.waits; i++) {
            uint32_t number = sim_user_send(s, t, -1, 40);
            if (number)
                note_probe(s, number);
        }
    sim_host_wake(s);
}

/* What kind of run this is, for the reader of a trace. */
static void print_plan(sim *s)
{
    FILE *to = s->trace.print;
    const sim_plan *p = &s->plan;
    if (!to)
        return;
    fprintf(to,
            "  plan:%s%s%s%s%s %s host, tick %" PRIu64 " us, delay %" PRIu64 " us, %d brokers%s\n",
            p->quiet ? " quiet" : "", p->lossy ? " lossy" : "", p->fatal ? " fatal" : "",
            p->hostile ? " hostile" : "", p->starved ? " starved" : "",
            s->host.completion ? "completion" : "readiness", s->host.tick_ns / KL_US,
            s->links.delay_ns / KL_US, p->brokers, p->pipelined ? ", pipelined" : "");
    for (int i = 0; i < p->topic_count; i++)
        fprintf(to, "  plan: %s, %d partitions, %d replicas%s\n", p->topics[i].name,
                p->topics[i].partitions, p->topics[i].replicas,
                p->topics[i].append_time ? ", append time" : "");
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const char *key = kloop_config_key_at(i)->name;
        if (!strcmp(key, "sasl.password"))
            continue;
        if (kloop_config_is_set(p->config, key))
            fprintf(to, "  plan: %s=%s\n", key, kloop_config_get(p->config, key));
    }
    for (int i = 0; i < SIM_FAULT_COUNT; i++)
        if (s->faults.rate[i])
            fprintf(to, "  plan: fault %s, rate %u\n", sim_fault_name((sim_fault_id)i),
                    s->faults.rate[i]);
}

static void run_until_ending(sim *s)
{
    const sim_plan *p = &s->plan;
    if (!p->ending_event) {
        sim_run_until(s, SIM_START_NS + p->ending_ns);
        return;
    }
    while (s->world.events < p->ending_event && step(s, SIM_START_NS + p->faults_ns))
        ;
}

/* What he sends for a try is told one by one. */
static void end_chunk(sim *s)
{
    while (s->lending.present) {
        if (sim_host_enter_user(s))
            sim_lending_end_chunk(s);
        else
            sim_run_until(s, s->host.stalled_until_ns);
    }
    sim_host_wake(s);
}

static void course(sim *s)
{
    const sim_plan *p = &s->plan;
    print_plan(s);
    sim_brokers_start(s);
    if (!p->quiet)
        sim_fault_start(s);
    sim_user_start(s);
    if (p->ending == SIM_ENDING_CLOSED) {
        run_until_ending(s);
        close_and_finish(s, p->close_timeout_ms);
        return;
    }
    if (p->ending == SIM_ENDING_DELETED) {
        run_until_ending(s);
        delete_engine(s);
        finish(s);
        return;
    }
    sim_run_until(s, SIM_START_NS + p->faults_ns);
    sim_run_heal(s);
    sim_run_until(s, s->faults.heal_ns + sim_plan_recovery_ns(s));
    sim_checks_recovered(s);
    end_chunk(s);
    /* Whoever sends more than goes through loses records, and may; the probes are not to. */
    s->user.stopped = true;
    sim_run_until_drained(s, p->delivery_timeout_ns + s->host.slack_ns + KL_SECOND);
    probe(s);
    sim_run_until_drained(s, p->delivery_timeout_ns + s->host.slack_ns + KL_SECOND);
    sim_checks_probes(s);
    sim_rest(s);
    close_and_finish(s, p->close_timeout_ms);
}

/* ---- A run and its result ---- */

static sim *begin(uint64_t seed, FILE *trace)
{
    sim *s = sim_zalloc(1, sizeof *s);
    s->seed = seed;
    s->trace.print = trace;
    sim_world_init(&s->world, seed);
    sim_trace_init(s);
    sim_memory_init(s);
    sim_book_init(s);
    sim_told_init(s);
    running = s;
    return s;
}

static void end(sim *s)
{
    running = NULL;
    sim_login_deinit(s);
    sim_link_deinit(s);
    sim_brokers_deinit(s);
    sim_host_deinit(s);
    sim_ledger_deinit(s);
    sim_lending_deinit(s);
    sim_book_deinit(s);
    sim_payload_deinit(s);
    sim_plan_deinit(s);
    sim_memory_deinit(s);
    sim_world_deinit(&s->world);
    free(s);
}

static void report(const sim *s, char *text, size_t size)
{
    size_t len = (size_t)snprintf(
        text, size, "%s: %s\n  at %" PRIu64 ".%06" PRIu64 " s, event %" PRIu64 "\n", s->invariant,
        s->failure, (s->world.now_ns - SIM_START_NS) / KL_SECOND,
        (s->world.now_ns - SIM_START_NS) / KL_US % 1000000, s->world.events);
    if (len < size)
        sim_trace_last(s, LAST_NOTES, text + len, size - len);
}

static void conclude(sim *s, sim_result *result)
{
    result->hash = s->trace.hash;
    result->virtual_ns = s->world.now_ns - SIM_START_NS;
    result->events = s->world.events;
    result->allocations = s->memory.allocations;
    result->records = s->ledger.accepted;
    result->acked = s->ledger.acked;
    result->failed_records = s->ledger.failed;
    result->unknown = s->ledger.unknown;
    result->faults = sim_fault_total(s);
    memcpy(result->fired, s->faults.fired, sizeof result->fired);
    result->ok = !s->failed;
    if (s->failed)
        report(s, result->report, sizeof result->report);
}

/* Of this process alone: other people's work on the machine says nothing about ours. */
static uint64_t processor_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * KL_SECOND + (uint64_t)t.tv_nsec;
}

void sim_run_seed(uint64_t seed, FILE *trace, sim_result *result)
{
    *result = (sim_result){.seed = seed};
    uint64_t start = processor_ns();
    sim *s = begin(seed, trace);
    if (!setjmp(s->out)) {
        sim_plan_draw(s);
        course(s);
    }
    conclude(s, result);
    end(s);
    result->processor_ns = processor_ns() - start;
}

void sim_run_scenario(const sim_scenario *scenario, uint64_t seed, FILE *trace, sim_result *result)
{
    *result = (sim_result){.seed = seed};
    uint64_t start = processor_ns();
    sim *s = begin(seed, trace);
    if (!setjmp(s->out)) {
        sim_plan_quiet(s);
        scenario->run(s);
        if (!s->host.gone)
            close_and_finish(s, s->plan.close_timeout_ms);
    }
    conclude(s, result);
    end(s);
    result->processor_ns = processor_ns() - start;
}

/* The story did not go on as it should: no wonder. */
static bool is_told_otherwise(const sim *s)
{
    return !strcmp(s->invariant, "scenario") || !strcmp(s->invariant, "I49");
}

void sim_run_tortured(const sim_scenario *scenario, uint64_t seed, uint64_t from, uint64_t count,
                      FILE *trace, sim_result *result)
{
    *result = (sim_result){.seed = seed};
    uint64_t start = processor_ns();
    sim *s = begin(seed, trace);
    s->memory.fail_from = from;
    s->memory.fail_count = count;
    if (!setjmp(s->out)) {
        sim_plan_quiet(s);
        s->plan.starved = true;
        scenario->run(s);
    }
    if (s->failed && is_told_otherwise(s))
        s->failed = false;
    if (!s->failed && !setjmp(s->out) && s->host.engine && !s->host.gone)
        close_and_finish(s, s->plan.close_timeout_ms);
    conclude(s, result);
    end(s);
    result->processor_ns = processor_ns() - start;
}

void sim_run_last_words(const char *what, sim_result *result)
{
    sim *s = running;
    if (!s)
        return;
    snprintf(s->invariant, sizeof s->invariant, "crash");
    snprintf(s->failure, sizeof s->failure, "%s", what);
    s->failed = true;
    result->seed = s->seed;
    result->virtual_ns = s->world.now_ns - SIM_START_NS;
    result->ok = false;
    report(s, result->report, sizeof result->report);
}
