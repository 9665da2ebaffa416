/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of names: what a resolver may answer, and in which order. */
#include "tests/sim/scenario.h"

#include <string.h>

/* What the names of this story have been asked for so far. */
static uint32_t asked[SIM_NODES_MAX + 1];

static void begin(sim *s, void (*answer)(sim *s, sim_resolution *r, int32_t node))
{
    memset(asked, 0, sizeof asked);
    sim_set(s, "socket.connection.setup.timeout.ms", "200");
    sim_set(s, "socket.connection.setup.timeout.max.ms", "400");
    sim_topic(s, "t", 3, 1);
    s->on_name = answer;
    sim_start(s);
}

/* Some to each partition, and all of them arrive. */
static void deliver(sim *s, uint64_t within_ns)
{
    for (int32_t p = 0; p < 3; p++)
        sim_send_to(s, 0, p, 5);
    sim_drain(s, within_ns);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Addresses ---- */

static void mixed(sim *s, sim_resolution *r, int32_t node)
{
    if (node < 0)
        return;
    for (int i = 0; i < 6; i++)
        sim_names_add(s, r, i == 4 ? node : KL_NO_NODE, i % 2 == 1);
}

SIM_SCENARIO(live_among_dead)
{
    begin(s, mixed);
    deliver(s, 9 * KL_SECOND);
}

static void dead_then_live(sim *s, sim_resolution *r, int32_t node)
{
    if (node < 0)
        return;
    sim_names_add(s, r, KL_NO_NODE, false);
    sim_names_add(s, r, node, false);
}

/* Seeds 305068, 306519: a connection that is not used is closed, and made again sooner than
 * reconnect.backoff.ms after the refusal at the name's first address. The broker was found at the
 * next one, so that it owes nobody a pause. */
SIM_SCENARIO(found_at_the_second_address)
{
    sim_set(s, "linger.ms", "0");
    sim_set(s, "connections.max.idle.ms", "100");
    sim_set(s, "reconnect.backoff.ms", "5000");
    sim_set(s, "reconnect.backoff.max.ms", "5000");
    begin(s, dead_then_live);
    deliver(s, 9 * KL_SECOND);
    for (int i = 0; i < 10; i++) {
        sim_go(s, 300 * KL_MS);
        sim_send_to(s, 0, 0, 1);
        sim_drain(s, KL_SECOND);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == 0, "nothing was lost");
}

static void twenty(sim *s, sim_resolution *r, int32_t node)
{
    if (node < 0)
        return;
    for (int i = 0; i < 20; i++)
        sim_names_add(s, r, i == 18 ? node : KL_NO_NODE, i % 3 == 1);
}

/* The only one that lives stands far behind. */
SIM_SCENARIO(twenty_addresses)
{
    sim_set(s, "delivery.timeout.ms", "60000");
    sim_set(s, "max.block.ms", "60000");
    begin(s, twenty);
    deliver(s, 59 * KL_SECOND);
}

static void only_six(sim *s, sim_resolution *r, int32_t node)
{
    if (node >= 0)
        sim_names_add(s, r, node, true);
}

SIM_SCENARIO(no_ipv4)
{
    begin(s, only_six);
    deliver(s, 2 * KL_SECOND);
}

static void dead_six(sim *s, sim_resolution *r, int32_t node)
{
    if (node < 0)
        return;
    sim_names_add(s, r, KL_NO_NODE, true);
    sim_names_add(s, r, node, false);
}

SIM_SCENARIO(dead_ipv6)
{
    begin(s, dead_six);
    deliver(s, 4 * KL_SECOND);
}

/* ---- From one time to the next ---- */

static bool emptied;

static void empties(sim *s, sim_resolution *r, int32_t node)
{
    if (node >= 0 && !(emptied && node == 2))
        sim_names_add(s, r, node, false);
}

SIM_SCENARIO(answer_empties)
{
    emptied = false;
    begin(s, empties);
    deliver(s, 2 * KL_SECOND);
    emptied = true;
    sim_reset(s, 2);
    uint32_t acked = s->ledger.acked;
    sim_send_to(s, 0, 0, 5);
    sim_send_to(s, 0, 1, 5);
    sim_send_to(s, 0, 2, 5);
    sim_go(s, 4 * KL_SECOND);
    sim_expect(s, s->ledger.acked == acked + 10, "who has an address goes on");
    emptied = false;
    sim_drain(s, 4 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void other_each_time(sim *s, sim_resolution *r, int32_t node)
{
    if (node < 0)
        return;
    /* Odd answers are out of date: nobody is there any more. */
    bool dead = ++asked[node] % 2 == 1;
    sim_names_add(s, r, dead ? KL_NO_NODE : node, asked[node] % 4 < 2);
}

SIM_SCENARIO(other_addresses_each_time)
{
    begin(s, other_each_time);
    deliver(s, 9 * KL_SECOND);
    for (int i = 0; i < 4; i++) {
        sim_reset(s, KL_NO_NODE);
        deliver(s, 9 * KL_SECOND);
    }
}

static void third_time(sim *s, sim_resolution *r, int32_t node)
{
    if (node >= 0 && ++asked[node] >= 3)
        sim_names_add(s, r, node, false);
}

SIM_SCENARIO(third_time_lucky)
{
    begin(s, third_time);
    deliver(s, 4 * KL_SECOND);
    sim_expect(s, s->host.name_count < 40, "nobody is asked in a hurry");
}

/* ---- Lists ---- */

static void hangs(sim *s, sim_resolution *r, int32_t node)
{
    r->never = !strcmp(r->host, "boot-1");
    if (node >= 0)
        sim_names_add(s, r, node, false);
}

SIM_SCENARIO(first_entry_hangs)
{
    begin(s, hangs);
    deliver(s, 6 * KL_SECOND);
}

static void one_right(sim *s, sim_resolution *r, int32_t node)
{
    if (!strcmp(r->host, "dead-end"))
        sim_names_add(s, r, KL_NO_NODE, false);
    else if (!strcmp(r->host, "hangs"))
        r->never = true;
    else if (node >= 0)
        sim_names_add(s, r, node, false);
}

/* One has no address, one a dead one, one hangs, one is a web server, one listens at another port.
 */
SIM_SCENARIO(one_entry_is_right)
{
    s->plan.servers = "nowhere:9092,dead-end:9092,hangs:9092,boot-1:9092,boot-2:1,boot-3:9092";
    sim_impostor_at(s, 1, SIM_IMPOSTOR_HTTP);
    sim_set(s, "delivery.timeout.ms", "30000");
    sim_set(s, "max.block.ms", "30000");
    begin(s, one_right);
    sim_send_to(s, 0, 1, 5);
    sim_send_to(s, 0, 2, 5);
    sim_drain(s, 20 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}
