/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of long pauses: nothing to do, a machine that sleeps, a host that asks nothing, boxes on
 * the way that forget whom they have not heard of. */
#include "tests/sim/scenario.h"
#include "tests/sim/sim_rest.h"

#define MINUTE (60 * KL_SECOND)
#define HOUR   (60 * MINUTE)

static void begin(sim *s)
{
    sim_topic(s, "t", 6, 3);
    sim_start(s);
    for (int32_t p = 0; p < 6; p++)
        sim_send_to(s, 0, p, 2);
    sim_drain(s, 2 * KL_SECOND);
}

static size_t open_connections(const sim *s, int32_t node)
{
    size_t n = 0;
    for (size_t i = 0; i < s->links.count; i++)
        n += s->links.all[i]->state == SIM_CONN_OPEN &&
             (node == KL_NO_NODE || s->links.all[i]->node == node);
    return n;
}

/* Metadata comes every five minutes, and that is all. */
SIM_SCENARIO(rests_for_hours)
{
    begin(s);
    sim_rest_for(s, 3 * HOUR, 300);
    sim_send(s, 0, 5);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A broker that leads nothing any more is let go. */
SIM_SCENARIO(unneeded_broker_is_let_go)
{
    sim_set(s, "connections.max.idle.ms", "10000");
    sim_set(s, "metadata.max.age.ms", "2000");
    begin(s);
    sim_expect(s, open_connections(s, 3) > 0, "it was needed");
    sim_brokers_move_leader(s, 0, 2, 1);
    sim_brokers_move_leader(s, 0, 5, 2);
    size_t before = s->links.count;
    for (int i = 0; i < 400; i++) {
        sim_send(s, 0, 10);
        sim_go(s, 100 * KL_MS);
    }
    sim_expect(s, open_connections(s, 3) == 0, "nobody is connected to it any more");
    sim_expect(s, s->links.count - before <= 3, "and nobody tries");
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Sleep ---- */

/* The lid is closed for five hours; whoever was connected has long forgotten us. Nothing was in
 * flight, so nothing is lost, and nobody hurries afterwards. */
SIM_SCENARIO(asleep_for_hours)
{
    begin(s);
    sim_hold_loop(s, 5 * HOUR);
    sim_go(s, KL_SECOND);
    sim_hole(s, KL_NO_NODE);
    sim_go(s, 5 * HOUR);
    sim_expect_all(s, SIM_RECORD_ACKED);
    size_t before = s->links.count;
    for (int32_t p = 0; p < 6; p++)
        sim_send_to(s, 0, p, 2);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->links.count - before < 12, "one new connection to each");
}

/* With records under way, whose answers wait in the socket: they were in time. */
SIM_SCENARIO(asleep_with_answers_waiting)
{
    begin(s);
    for (int32_t p = 0; p < 6; p++)
        sim_send_to(s, 0, p, 2);
    sim_go(s, 5 * KL_MS + 400 * KL_US);
    sim_hold_loop(s, 2 * HOUR);
    sim_go(s, 2 * HOUR + 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 0, "nothing is sent twice");
}

/* With records that wait for a broker: their time is over when it wakes up, and they never left. */
SIM_SCENARIO(asleep_with_a_queue)
{
    begin(s);
    for (int32_t node = 1; node <= 3; node++)
        sim_brokers_kill(s, node);
    sim_go(s, KL_SECOND);
    for (int32_t p = 0; p < 6; p++)
        sim_send_to(s, 0, p, 2);
    sim_hold_loop(s, 8 * HOUR);
    sim_go(s, 4 * HOUR);
    for (int32_t node = 1; node <= 3; node++)
        sim_brokers_revive(s, node);
    sim_go(s, 4 * HOUR + KL_SECOND);
    sim_expect(s, s->ledger.failed == 12 && !s->ledger.unknown, "what never left has failed");
    for (int32_t p = 0; p < 6; p++)
        sim_send_to(s, 0, p, 2);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 24, "and then it goes on");
}

/* Four naps in a row: pauses are as long as ever after each. */
SIM_SCENARIO(sleeps_while_nobody_listens)
{
    begin(s);
    for (int32_t node = 1; node <= 3; node++)
        sim_brokers_kill(s, node);
    for (int i = 0; i < 4; i++) {
        size_t before = s->links.count;
        sim_send(s, 0, 5);
        sim_hold_loop(s, HOUR);
        sim_go(s, HOUR + 10 * KL_SECOND);
        sim_expect(s, s->links.count - before < 80, "no storm behind it");
    }
    for (int32_t node = 1; node <= 3; node++)
        sim_brokers_revive(s, node);
    sim_send(s, 0, 5);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect(s, sim_ledger_record(s, s->ledger.count)->state == SIM_RECORD_ACKED,
               "it is delivered when somebody listens");
}

/* ---- Hosts ---- */

/* Answers are told as they come, but nobody asks what is to be done, for twenty seconds. */
SIM_SCENARIO(nobody_asks)
{
    begin(s);
    for (uint64_t i = 0; i < 4; i++) {
        sim_send(s, 0, 50);
        sim_go(s, i * 2 * KL_MS);
        sim_host_ask_nothing(s, s->world.now_ns + 20 * KL_SECOND);
        sim_go(s, KL_SECOND);
        sim_send(s, 0, 50);
        sim_go(s, 25 * KL_SECOND);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.acked > 12, "what could leave was delivered");
    sim_send(s, 0, 50);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, sim_ledger_record(s, s->ledger.count)->state == SIM_RECORD_ACKED,
               "and all is as before");
}

/* ---- On the way ---- */

/* Connections that were silent for four minutes are forgotten by a box on the way. */
static void forget_silent(sim *s)
{
    for (size_t i = 0; i < s->links.count; i++) {
        sim_conn *c = s->links.all[i];
        if (c->state == SIM_CONN_OPEN && s->world.now_ns - c->moved_ns > 4 * MINUTE)
            c->up.hole = c->down.hole = true;
    }
}

static void rest_behind_box(sim *s, uint64_t minutes)
{
    for (uint64_t i = 0; i < 6 * minutes; i++) {
        sim_go(s, 10 * KL_SECOND);
        forget_silent(s);
    }
}

/* It costs one request.timeout.ms at most, and no record. */
SIM_SCENARIO(cut_after_four_minutes)
{
    begin(s);
    for (int i = 0; i < 3; i++) {
        rest_behind_box(s, 6);
        for (int32_t p = 0; p < 6; p++)
            sim_send_to(s, 0, p, 2);
        sim_drain(s, 5 * KL_SECOND);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Who closes earlier than the box forgets loses no time at all. */
SIM_SCENARIO(closed_before_the_cut)
{
    sim_set(s, "connections.max.idle.ms", "180000");
    begin(s);
    for (int i = 0; i < 3; i++) {
        rest_behind_box(s, 6);
        for (int32_t p = 0; p < 6; p++)
            sim_send_to(s, 0, p, 2);
        sim_drain(s, 300 * KL_MS);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
}
