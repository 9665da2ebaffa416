/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of connections: refused, cut, stalled, slow, and of bytes in odd pieces. */
#include "tests/sim/scenario.h"

/* One partition, delivered to once, so that the story begins on a connection that works. */
static void one_partition(sim *s)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
}

/* ---- Getting there ---- */

SIM_SCENARIO(connection_refused)
{
    sim_topic(s, "t", 3, 1);
    sim_always(s, SIM_FAULT_CONNECT_REFUSED);
    sim_start(s);
    sim_send(s, 0, 20);
    sim_go(s, 4 * KL_SECOND);
    sim_expect(s, s->links.count > 4 && s->links.count < 40, "attempts go on, further apart");
    sim_faults_end(s);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(syn_black_hole)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "max.block.ms", "9000");
    sim_always(s, SIM_FAULT_CONNECT_SILENT);
    sim_start(s);
    sim_send(s, 0, 5);
    sim_go(s, 5 * KL_SECOND);
    sim_expect(s, s->links.count >= 3, "an attempt ends after its setup time, then another begins");
    sim_faults_end(s);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* The backoff must not start anew because a connect has succeeded. */
SIM_SCENARIO(accept_then_close)
{
    sim_cluster(s, 1);
    sim_topic(s, "t", 1, 1);
    sim_set(s, "max.block.ms", "10000");
    sim_impostor_at(s, 1, SIM_IMPOSTOR_CLOSER);
    sim_start(s);
    sim_send(s, 0, 5);
    sim_go(s, 8 * KL_SECOND);
    sim_expect(s, s->links.count >= 8 && s->links.count <= 16, "one attempt each second at last");
    sim_impostor_at(s, 1, SIM_IMPOSTOR_NONE);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(dead_first_address)
{
    sim_topic(s, "t", 3, 1);
    s->plan.two_addresses = true;
    sim_always(s, SIM_FAULT_NAME_DEAD_ADDRESS);
    sim_start(s);
    sim_send(s, 0, 30);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(address_changes)
{
    sim_topic(s, "t", 3, 1);
    sim_start(s);
    for (int32_t round = 0; round < 6; round++) {
        sim_send(s, 0, 30);
        sim_go(s, 200 * KL_MS);
        sim_readdress(s, 1 + round % 3);
    }
    sim_send(s, 0, 30);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(resolver_hangs)
{
    sim_topic(s, "t", 3, 1);
    sim_start(s);
    for (int32_t p = 0; p < 3; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, KL_SECOND);
    sim_always(s, SIM_FAULT_NAME_NEVER);
    sim_reset(s, 3);
    sim_send_to(s, 0, 0, 5);
    sim_send_to(s, 0, 2, 5);
    sim_go(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 8, "who needs no name goes on");
    sim_faults_end(s);
    sim_drain(s, 6 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(no_sockets)
{
    sim_topic(s, "t", 3, 1);
    sim_start(s);
    sim_send_to(s, 0, 0, 5);
    sim_drain(s, KL_SECOND);
    sim_always(s, SIM_FAULT_CONNECT_REFUSED);
    for (int i = 0; i < 20; i++) {
        sim_send_to(s, 0, 0, 1);
        sim_send_to(s, 0, 1, 1);
        sim_go(s, 100 * KL_MS);
    }
    sim_expect(s, s->ledger.acked >= 24, "the connection there is goes on");
    sim_faults_end(s);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Losing it ---- */

SIM_SCENARIO(reset_before_work)
{
    one_partition(s);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_UNPROCESSED});
    sim_send(s, 0, 20);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 1 && sim_stats(s).epoch_bumps == 0,
               "the same numbers go out once more");
}

/* An answer has 60 bytes or so: after each of them the connection ends. */
SIM_SCENARIO(answer_cut_anywhere)
{
    one_partition(s);
    for (size_t n = 0; n < 70; n++) {
        sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_TRUNCATE, .keep_bytes = n});
        sim_send(s, 0, 3);
        sim_drain(s, 4 * KL_SECOND);
        sim_no_more(s);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries >= 50, "what was cut is asked again");
}

SIM_SCENARIO(end_with_five_in_flight)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "linger.ms", "0");
    sim_set(s, "batch.size", "200");
    s->plan.pipelined = true;
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    s->plan.answer_delay_ns = 300 * KL_MS;
    sim_skip_then(s, 2, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
    for (int i = 0; i < 12; i++)
        sim_send_sized(s, 0, 1, 150);
    sim_drain(s, 4 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == 1, "the connection ended once");
}

SIM_SCENARIO(half_open)
{
    one_partition(s);
    sim_hole(s, 1);
    sim_send(s, 0, 10);
    sim_go(s, 2900 * KL_MS);
    sim_expect(s, s->ledger.acked == 1, "nobody has heard of them");
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 1, "request.timeout.ms ends the wait");
}

SIM_SCENARIO(heard_not_hearing)
{
    one_partition(s);
    sim_deafen(s, 1);
    sim_send(s, 0, 10);
    sim_go(s, KL_SECOND);
    sim_expect(s, sim_ledger_record(s, 2)->appended == 1, "it is stored, and nobody says so");
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(idle_flow_dropped)
{
    one_partition(s);
    sim_go(s, 60 * KL_SECOND);
    sim_hole(s, KL_NO_NODE);
    sim_send(s, 0, 10);
    sim_drain(s, 8 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A request that the transport has not been shown is no attempt: with retries=0 it still goes. */
SIM_SCENARIO(never_left)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "enable.idempotence", "false");
    sim_set(s, "retries", "0");
    sim_set(s, "linger.ms", "0");
    sim_set(s, "max.in.flight.requests.per.connection", "5");
    s->links.buffer_bytes = 3000;
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_reset(s, 1);
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(closed_window)
{
    s->links.buffer_bytes = 600;
    one_partition(s);
    sim_stall(s, 1, 60 * KL_SECOND);
    for (int i = 0; i < 20; i++) {
        sim_send_sized(s, 0, 10, 500);
        sim_go(s, 50 * KL_MS);
    }
    sim_expect(s, s->ledger.acked == 1, "nothing gets through");
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == 1, "no progress for request.timeout.ms ends it");
}

SIM_SCENARIO(expires_while_writing)
{
    sim_set(s, "delivery.timeout.ms", "4000");
    one_partition(s);
    sim_slow_writes(s, 60 * KL_SECOND);
    sim_hole(s, 1);
    sim_send(s, 0, 10);
    sim_go(s, 4200 * KL_MS);
    sim_expect(s, s->ledger.unknown == 10, "the user hears of it in time");
    sim_slow_writes(s, 0);
    sim_go(s, 60 * KL_SECOND);
    sim_send(s, 0, 5);
    sim_drain(s, 4 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 6, "what comes next is delivered");
}

/* A broker that goes on talking on a connection which we have given up. */
SIM_SCENARIO(bytes_after_close)
{
    s->host.echoes = true;
    s->host.close_delay_ns = 50 * KL_MS;
    one_partition(s);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.correlation_change = 7, .extra_copies = 20});
    sim_send(s, 0, 10);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == 1, "what came behind is nobody's");
}

/* The first request is carried out seconds later, after its connection has died and its retry was
 * acked on another one. */
SIM_SCENARIO(original_after_retry)
{
    one_partition(s);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.process_delay_ns = (int64_t)(4 * KL_SECOND)});
    sim_send(s, 0, 10);
    sim_go(s, 500 * KL_MS);
    sim_end(s, 1);
    sim_drain(s, 9 * KL_SECOND);
    sim_go(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_ledger_record(s, 5)->attempts == 2, "it went out twice");
    sim_expect(s, sim_ledger_record(s, 5)->appended == 1, "and was stored once");
}

/* ---- Slow ---- */

/* Batches of 1 MB need 100 s each. A request is alive as long as its bytes move: nothing is sent
 * twice, and what has no time left has failed because it never left. */
SIM_SCENARIO(slow_link)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "batch.size", "1000000");
    sim_set(s, "request.timeout.ms", "30000");
    sim_set(s, "delivery.timeout.ms", "120000");
    sim_set(s, "buffer.memory", "33554432");
    s->links.buffer_bytes = 65536;
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_bandwidth(s, 10000);
    for (int i = 0; i < 3; i++) {
        sim_send_sized(s, 0, 1000, 4000);
        sim_go(s, KL_SECOND);
    }
    sim_drain(s, 130 * KL_SECOND);
    sim_expect(s, sim_stats(s).retries == 0, "nothing goes out twice");
    sim_expect(s, s->ledger.acked == 3001, "what fits the link is delivered");
    sim_expect(s, sim_stats(s).disconnects == 0, "the connection is not given up");
    sim_bandwidth(s, 0);
    sim_send(s, 0, 5);
    sim_drain(s, 120 * KL_SECOND);
}

/* Acks come at nine tenths of the time that a request has. */
SIM_SCENARIO(gray_broker)
{
    sim_topic(s, "t", 3, 1);
    sim_set(s, "request.timeout.ms", "1000");
    sim_start(s);
    sim_send(s, 0, 30);
    sim_drain(s, KL_SECOND);
    sim_answers_order(s, &(sim_order){.api_key = KLOOP_PRODUCE,
                                      .count = 1000,
                                      .fate = {.answer_delay_ns = (int64_t)(900 * KL_MS)},
                                      .node = 1});
    uint32_t before = s->ledger.acked;
    for (int i = 0; i < 50; i++) {
        for (int32_t p = 0; p < 3; p++)
            sim_send_to(s, 0, p, 2);
        sim_go(s, 50 * KL_MS);
    }
    sim_expect(s, s->ledger.acked - before >= 196, "two of three brokers do not wait for it");
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 0, "slow is not lost");
}

/* SIGSTOP: the process hangs, the kernel still takes bytes. It goes on when all of it was sent
 * again elsewhere. */
SIM_SCENARIO(frozen_then_goes_on)
{
    sim_topic(s, "t", 1, 3);
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_stall(s, 1, 8 * KL_SECOND);
    sim_send(s, 0, 20);
    sim_go(s, KL_SECOND);
    sim_brokers_move_leader(s, 0, 0, 2);
    sim_drain(s, 6 * KL_SECOND);
    sim_go(s, 10 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(swizzled_links)
{
    static const int32_t back[] = {2, 1, 3};
    sim_topic(s, "t", 6, 3);
    sim_start(s);
    sim_send(s, 0, 60);
    sim_drain(s, KL_SECOND);
    for (int32_t node = 1; node <= 3; node++) {
        sim_hole(s, node);
        sim_impostor_at(s, node, SIM_IMPOSTOR_SILENT);
        sim_send(s, 0, 10);
        sim_go(s, 700 * KL_MS);
    }
    for (int i = 0; i < 3; i++) {
        sim_impostor_at(s, back[i], SIM_IMPOSTOR_NONE);
        sim_send(s, 0, 10);
        sim_go(s, 500 * KL_MS);
    }
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Odd pieces ---- */

SIM_SCENARIO(one_byte_reads)
{
    s->host.read_max = 1;
    s->host.reads_a_turn = 1;
    sim_topic(s, "t", 4, 1);
    sim_start(s);
    sim_send(s, 0, 200);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 0, "as if it had come at once");
}

SIM_SCENARIO(one_byte_writes)
{
    s->host.vec_max = 1;
    s->links.buffer_bytes = 1;
    sim_topic(s, "t", 2, 1);
    sim_start(s);
    sim_send(s, 0, 10);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(partial_writes)
{
    sim_topic(s, "t", 4, 1);
    sim_set(s, "linger.ms", "0");
    sim_slow_writes(s, 2 * KL_MS);
    sim_always(s, SIM_FAULT_PARTIAL_WRITE);
    sim_start(s);
    for (int i = 0; i < 20; i++) {
        sim_send_sized(s, 0, 20, 400);
        sim_go(s, 20 * KL_MS);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 0, "no frame is begun anew");
}

SIM_SCENARIO(many_answers_in_one_read)
{
    sim_topic(s, "t", 64, 1);
    sim_cluster(s, 1);
    sim_set(s, "enable.idempotence", "false");
    sim_set(s, "max.in.flight.requests.per.connection", "60");
    sim_set(s, "linger.ms", "0");
    s->plan.pipelined = true;
    s->plan.answer_delay_ns = 400 * KL_MS;
    sim_start(s);
    sim_send_to(s, 0, 0, 1);
    sim_drain(s, 3 * KL_SECOND);
    for (int32_t p = 0; p < 64; p++) {
        sim_send_to(s, 0, p, 1);
        sim_go(s, KL_MS);
    }
    sim_hold_loop(s, 500 * KL_MS);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 0, "each has found its request");
}
