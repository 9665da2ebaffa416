/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of limits, of calls at the wrong moment, and of very much at once. */
#include "tests/sim/scenario.h"

#include <stdlib.h>

static void send_and_drain(sim *s, uint32_t n)
{
    sim_send(s, 0, n);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Sizes ---- */

SIM_SCENARIO(batch_size_zero)
{
    sim_topic(s, "t", 2, 1);
    sim_set(s, "batch.size", "0");
    sim_start(s);
    send_and_drain(s, 60);
}

SIM_SCENARIO(batch_size_one)
{
    sim_topic(s, "t", 2, 1);
    sim_set(s, "batch.size", "1");
    sim_start(s);
    send_and_drain(s, 60);
}

/* Empty and null keys, values and headers are among the payloads of the simulator; each is compared
 * with what is in the log. */
SIM_SCENARIO(absent_things)
{
    sim_topic(s, "t", 3, 1);
    s->plan.record_bytes_max = 1;
    sim_start(s);
    for (int i = 0; i < 20; i++) {
        kloop_engine_clock(s->host.engine, sim_world_now(s));
        for (int k = 0; k < 60; k++)
            sim_user_send(s, 0, -1, 0);
        sim_host_wake(s);
        sim_go(s, 10 * KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static kloop_status try_headers(sim *s, uint32_t n)
{
    kloop_record_header *headers = sim_zalloc(n, sizeof *headers);
    for (uint32_t i = 0; i < n; i++)
        headers[i].key = (kloop_string){"k", 1};
    kloop_record r = {.headers = headers, .header_count = n};
    kloop_engine_clock(s->host.engine, sim_world_now(s));
    kloop_status status = kloop_engine_send(s->user.topics[0], &r);
    free(headers);
    return status;
}

SIM_SCENARIO(too_many_headers)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    send_and_drain(s, 1);
    sim_expect(
        s, try_headers(s, 100000) == KLOOP_BAD_HEADERS || try_headers(s, 100000) == KLOOP_TOO_LARGE,
        "a hundred thousand headers are refused");
    send_and_drain(s, 10);
}

/* ---- Memory ---- */

/* Failures come faster than they are fetched: the queue of reports is no second buffer. */
SIM_SCENARIO(everything_fails)
{
    sim_topic(s, "t", 8, 1);
    sim_set(s, "max.request.size", "100000");
    sim_set(s, "buffer.memory", "1000000");
    sim_set(s, "linger.ms", "0");
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_next_error(s, 29, false, 1000000);
    for (int i = 0; i < 200; i++) {
        sim_send_sized(s, 0, 100, 500);
        sim_go(s, 2 * KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, s->ledger.failed > 5000 && s->ledger.unknown == 0, "each one is reported");
}

SIM_SCENARIO(no_memory_now_and_then)
{
    s->plan.starved = true;
    sim_topic(s, "t", 4, 1);
    sim_start(s);
    s->faults.rate[SIM_FAULT_NO_MEMORY] = 30000;
    s->faults.on = true;
    for (int i = 0; i < 50; i++) {
        sim_send(s, 0, 20);
        sim_go(s, 50 * KL_MS);
    }
    sim_faults_end(s);
    sim_drain(s, 11 * KL_SECOND);
    sim_send(s, 0, 10);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, sim_ledger_record(s, s->ledger.count)->state == SIM_RECORD_ACKED,
               "it works when there is memory again");
}

SIM_SCENARIO(many_partitions_one_record_each)
{
    sim_topic(s, "t", 120, 1);
    sim_start(s);
    for (int round = 0; round < 3; round++) {
        for (int32_t p = 0; p < 120; p++)
            sim_send_to(s, 0, p, 1);
        sim_go(s, 50 * KL_MS);
    }
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->book.produce_requests < 20, "all that is due to a broker goes at once");
}

/* ---- Calls ---- */

SIM_SCENARIO(calls_in_reports)
{
    s->plan.reentrant = 100000;
    sim_topic(s, "t", 3, 1);
    sim_start(s);
    for (int i = 0; i < 60 || !s->ledger.flush_count; i++) {
        sim_send(s, 0, 50);
        sim_go(s, 20 * KL_MS);
    }
    s->plan.reentrant = 0;
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.count > 3000, "some were sent within reports");
    sim_expect(s, s->ledger.flush_count > 0, "and some flushes too");
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(closed_in_a_report)
{
    sim_topic(s, "t", 3, 1);
    sim_start(s);
    sim_go(s, 50 * KL_MS);
    s->plan.reentrant = 1000000;
    s->plan.ending = SIM_ENDING_CLOSED;
    s->plan.ending_ns = 0;
    for (int i = 0; i < 200 && !s->user.closing; i++) {
        sim_send(s, 0, 10);
        sim_go(s, 10 * KL_MS);
    }
    sim_expect(s, s->user.closing, "close was called while reports were taken");
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(calls_after_close)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_send(s, 0, 10);
    sim_close(s, 5000);
    sim_send(s, 0, 1);
    sim_flush(s);
    sim_expect(s, s->ledger.accepted == 10, "nothing is taken any more");
    sim_close_and_wait(s, 5000);
    sim_expect(s, s->ledger.acked == 10, "what was taken is delivered");
    sim_flush(s);
    sim_expect(s, s->ledger.flushes_open == 0, "a late flush does not hang");
}

SIM_SCENARIO(flush_with_nothing)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_flush(s);
    sim_go(s, KL_MS);
    sim_expect(s, s->ledger.flushes_open == 0, "it is over at once");
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_flush(s);
    sim_flush(s);
    sim_go(s, KL_MS);
    sim_expect(s, s->ledger.flushes_open == 0, "also behind a report");
}

/* A flush ends with its records, whatever becomes of them. */
SIM_SCENARIO(flush_of_what_fails)
{
    sim_topic(s, "t", 2, 1);
    sim_topic(s, "nowhere", 2, 1);
    s->plan.topics[1].appears_ns = KL_NEVER;
    sim_start(s);
    sim_send(s, 0, 10);
    sim_send(s, 1, 10);
    sim_flush(s);
    sim_next_error(s, 29, false, 1);
    sim_go(s, 4900 * KL_MS);
    sim_expect(s, s->ledger.flushes_open == 1, "some are still waited for");
    sim_drain(s, 200 * KL_MS);
    sim_send(s, 0, 5);
    sim_flush(s);
    sim_brokers_move_leader(s, 0, 0, KL_NO_NODE);
    sim_brokers_move_leader(s, 0, 1, KL_NO_NODE);
    sim_next_error(s, 19, false, 100);
    sim_drain(s, 11 * KL_SECOND);
}

SIM_SCENARIO(odd_partitions)
{
    sim_topic(s, "t", 2, 1);
    sim_start(s);
    sim_send_to(s, 0, 5, 3);
    sim_send_to(s, 0, 127, 3);
    sim_send_to(s, 0, 1, 3);
    sim_drain(s, 6 * KL_SECOND);
    sim_expect(s, s->ledger.failed == 6 && s->ledger.acked == 3, "only what does not exist fails");
    kloop_record r = {.set = KLOOP_SET_PARTITION, .partition = 2};
    kloop_engine_clock(s->host.engine, sim_world_now(s));
    sim_expect(s, kloop_engine_send(s->user.topics[0], &r) == KLOOP_BAD_PARTITION,
               "once the topic is known, it is refused at once");
}

static void expect_contradiction(sim *s, const char *key, const char *value, const char *with,
                                 const char *other)
{
    kloop_error error;
    kloop_config *c = kloop_config_new(NULL);
    bool taken = c && !kloop_config_set(c, "bootstrap.servers", "a:1") &&
                 !kloop_config_set(c, key, value) && !kloop_config_set(c, with, other) &&
                 !kloop_config_check(c, &error);
    kloop_config_del(c);
    sim_expect(s, !taken, "a contradiction is told before anything begins");
}

SIM_SCENARIO(contradictions)
{
    expect_contradiction(s, "delivery.timeout.ms", "1000", "request.timeout.ms", "2000");
    expect_contradiction(s, "delivery.timeout.ms", "5000", "linger.ms", "6000");
    expect_contradiction(s, "enable.idempotence", "true", "acks", "1");
    expect_contradiction(s, "enable.idempotence", "true", "max.in.flight.requests.per.connection",
                         "6");
    expect_contradiction(s, "enable.idempotence", "true", "retries", "0");
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    send_and_drain(s, 10);
}

/* ---- Full ---- */

/* The producer goes on: what is sent now is delivered. */
static void expect_alive(sim *s)
{
    sim_send(s, 0, 5);
    sim_drain(s, 9 * KL_SECOND);
    for (uint32_t i = 0; i < 5; i++)
        sim_expect(s, sim_ledger_record(s, s->ledger.count - i)->state == SIM_RECORD_ACKED,
                   "what is sent from now on is delivered");
}

static void fill_up(sim *s)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "max.request.size", "20000");
    sim_set(s, "buffer.memory", "65536");
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_hole(s, KL_NO_NODE);
    for (int i = 0; i < 2000 && !s->user.waits; i++)
        sim_send_sized(s, 0, 1, 400);
    sim_expect(s, s->host.writable_owed, "the buffer is full at last");
}

SIM_SCENARIO(full_until_given_up)
{
    fill_up(s);
    sim_purge(s, -1, KLOOP_PURGE_QUEUED);
    sim_go(s, KL_SECOND);
    sim_purge(s, -1, KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT);
    sim_go(s, 5 * KL_SECOND);
    sim_expect(s, !s->host.writable_owed, "what is given up makes room");
    expect_alive(s);
}

SIM_SCENARIO(full_until_expired)
{
    fill_up(s);
    sim_brokers_kill(s, 1);
    sim_brokers_kill(s, 2);
    sim_go(s, 11 * KL_SECOND);
    sim_expect(s, !sim_ledger_pending(&s->ledger), "all have expired");
    sim_expect(s, !s->host.writable_owed, "what has expired makes room");
    sim_brokers_revive(s, 1);
    sim_brokers_revive(s, 2);
    expect_alive(s);
}
