/* SPDX-License-Identifier: BSD-2-Clause */
/* Pauses between one attempt and the next. */
#include "tests/sim/sim.h"

#include <inttypes.h>

/* The least pause after so many failures in a row: doubled each time, a fifth less by jitter. */
static uint64_t least_pause(uint64_t initial_ns, uint64_t max_ns, uint32_t failures)
{
    uint64_t pause = initial_ns;
    for (uint32_t i = 1; i < failures && pause < max_ns; i++)
        pause *= 2;
    if (pause > max_ns)
        pause = max_ns;
    return pause / 10 * 8;
}

/* ---- Connects ---- */

/* Has the broker been reached since the latest attempt at this place, there or at another of its
 * name's addresses, and was it the engine that has closed that? */
static bool was_reached(const sim *s, const sim_place *place)
{
    for (int i = 0; i < s->pace.place_count; i++) {
        const sim_place *other = &s->pace.places[i];
        const sim_conn *c = s->links.all[other->last_conn - 1];
        if (other->name == place->name && other->last_conn >= place->last_conn &&
            sim_login_was_ready(s, c) && c->given_up)
            return true;
    }
    return false;
}

void sim_pace_connect(sim *s, const kloop_action *action)
{
    const sim_plan *p = &s->plan;
    sim_pace *pace = &s->pace;
    uint64_t name = sim_hash(action->port, action->host.data, action->host.len);
    uint64_t key = sim_hash(name, action->address.bytes, 16);
    sim_place *place = NULL;
    for (int i = 0; i < pace->place_count && !place; i++)
        if (pace->places[i].key == key)
            place = &pace->places[i];
    if (!place) {
        if (pace->place_count == SIM_PLACES_MAX)
            return;
        place = &pace->places[pace->place_count++];
        *place = (sim_place){.key = key, .name = name};
    } else {
        const sim_conn *last = s->links.all[place->last_conn - 1];
        place->failures = sim_login_was_ready(s, last) ? 0 : place->failures + 1;
        uint64_t least =
            least_pause(p->reconnect_backoff_ns, p->reconnect_backoff_max_ns, place->failures);
        /* What the engine has closed for want of use, it may open again at once; and where two
         * nodes have one address, it may be another one's turn. A refusal at one address is none of
         * the broker's, if the round over its addresses has found it at the next one: what begins
         * after that is a new round, over addresses that are resolved anew, in any order (seeds
         * 305068, 306519). */
        if (was_reached(s, place) || s->told.shares_address)
            least = 0;
        /* A node that comes is tried at once, whoever was there before: a liar who sends it away
         * and back again (seeds 25440, 26218) has as many attempts as answers, and those are paced.
         * What failed there before says as little of it (seed 32480). */
        if (place->anew)
            least = place->failures = 0;
        /* With several addresses a round over all of them is one attempt. */
        if (p->two_addresses || s->on_name || s->faults.rate[SIM_FAULT_NAME_DEAD_ADDRESS] ||
            s->faults.rate[SIM_FAULT_NAME_MANY_ADDRESSES] ||
            s->faults.rate[SIM_FAULT_NAME_ALL_DEAD])
            least = kl_time_min(least, p->reconnect_backoff_ns / 10 * 8);
        if (s->world.now_ns - place->last_ns < least)
            sim_fail(s, "I37",
                     "CONNECT to %s again after %" PRIu64 " us, %" PRIu64
                     " is the least after %u failures",
                     action->host.data, (s->world.now_ns - place->last_ns) / KL_US, least / KL_US,
                     place->failures);
    }
    place->last_ns = s->world.now_ns;
    place->last_conn = (int64_t)s->links.count + 1;
    place->anew = false;
}

void sim_pace_told_node(sim *s, int32_t node, kloop_string host, int32_t port)
{
    sim_pace *pace = &s->pace;
    if (node < 1 || node > SIM_NODES_MAX || !host.data || host.len == 0 || port <= 0 ||
        port > UINT16_MAX)
        return;
    uint64_t name = sim_hash((uint64_t)port, host.data, host.len);
    if (pace->told_at[node] && pace->told_at[node] != name)
        for (int i = 0; i < pace->place_count; i++)
            pace->places[i].anew |= pace->places[i].name == name;
    pace->told_at[node] = name;
}

/* ---- Questions ---- */

void sim_pace_use(sim *s, int topic)
{
    sim_pace *pace = &s->pace;
    const kloop_topic *t = s->user.topics[topic];
    bool known = t && kloop_topic_partitions(t) > 0;
    /* To be refused is no use, nor is a record for a batch that is there: what is forgotten says
     * so (seed 35660). */
    if (s->world.now_ns - pace->used_ns[topic] >= s->plan.metadata_max_idle_ns ||
        (pace->known_topics[topic] && !known))
        pace->asked_topics[topic] = false;
    pace->known_topics[topic] = known;
    pace->used_ns[topic] = s->world.now_ns;
}

static bool names_new_topic(sim *s, int16_t version, const uint8_t *body, size_t len)
{
    kloop_metadata_request r;
    kloop_metadata_request_topic t;
    bool any = false;
    if (kloop_decode(KLOOP_METADATA, KLOOP_REQUEST, version, body, len, &r, NULL))
        return true;
    for (kloop_iter i = kloop_iterate(&r.topics); kloop_next(&i, &t);) {
        int topic = t.name.data ? sim_plan_topic_by_name(s, t.name) : -1;
        if (topic < 0)
            continue;
        any |= !s->pace.asked_topics[topic];
        s->pace.asked_topics[topic] = true;
    }
    return any;
}

static void ask(sim *s, const sim_conn *c, sim_question *q, const char *what, bool may)
{
    const sim_plan *p = &s->plan;
    uint64_t least =
        q->made_ns ? least_pause(p->retry_backoff_ns, p->retry_backoff_max_ns, q->failures) : 0;
    if (!may && s->world.now_ns - q->made_ns < least)
        sim_fail(s, "I37",
                 "%s is asked for again after %" PRIu64 " us, %" PRIu64
                 " is the least after %u failures",
                 what, (s->world.now_ns - q->made_ns) / KL_US, least / KL_US, q->failures);
    q->made_ns = c->behind_since_ns;
    q->conn = c->number;
}

void sim_pace_request(sim *s, const sim_conn *c, int16_t api_key, int16_t version,
                      const uint8_t *body, size_t len)
{
    if (api_key == KLOOP_METADATA) {
        bool fresh = names_new_topic(s, version, body, len);
        ask(s, c, &s->pace.metadata, "metadata", fresh && !s->pace.metadata.failures);
        if (!fresh)
            sim_pace_again(s, c);
    } else if (api_key == KLOOP_INIT_PRODUCER_ID) {
        /* What was lost or refused is asked again; a new id for a used one is asked at once. */
        ask(s, c, &s->pace.producer_id, "a producer id", !s->pace.producer_id.failures);
        sim_pace_again(s, c);
    } else if (api_key == KLOOP_API_VERSIONS) {
        if (c->watch.requests > 2)
            sim_fail(s, "I37", "#%" PRId64 ": the versions are asked for %u times", c->number,
                     c->watch.requests);
        sim_pace_again(s, c);
    }
}

static void end_question(sim_question *q, bool good)
{
    q->conn = 0;
    q->failures = good ? 0 : q->failures + 1;
}

void sim_pace_answer(sim *s, int16_t api_key, bool good)
{
    if (api_key == KLOOP_METADATA)
        end_question(&s->pace.metadata, good);
    else if (api_key == KLOOP_INIT_PRODUCER_ID)
        end_question(&s->pace.producer_id, good);
}

void sim_pace_over(sim *s, const sim_conn *c)
{
    if (s->pace.metadata.conn == c->number)
        end_question(&s->pace.metadata, false);
    if (s->pace.producer_id.conn == c->number)
        end_question(&s->pace.producer_id, false);
}

/* ---- Batches ---- */

void sim_pace_batch(sim *s, const sim_conn *c, const sim_batch *b)
{
    const sim_plan *p = &s->plan;
    /* Somebody else, or a newer epoch, ends the wait. */
    if (!b->last_answer_ns || b->last_node != c->node || s->told.shares_address ||
        sim_told_of(&s->told, b->part)->changed_ns >= b->last_answer_ns)
        return;
    uint64_t least = least_pause(p->retry_backoff_ns, p->retry_backoff_max_ns, b->refusals);
    if (s->world.now_ns - b->last_answer_ns < least)
        sim_fail(s, "I37",
                 "topic %d partition %d: sequence %d goes out again %" PRIu64
                 " us after error %d, %" PRIu64 " is the least after %u refusals",
                 b->part->topic, b->part->partition, b->sequence,
                 (s->world.now_ns - b->last_answer_ns) / KL_US, b->last_error, least / KL_US,
                 b->refusals);
}

/* ---- A broker that takes nothing ---- */

void sim_pace_progress(sim *s, int32_t node)
{
    if (node >= 1 && node <= SIM_NODES_MAX)
        s->pace.refusers[node].since_ns = s->world.now_ns;
}

void sim_pace_again(sim *s, const sim_conn *c)
{
    const sim_plan *p = &s->plan;
    if (c->node < 1 || c->node > SIM_NODES_MAX || c->behind_since_ns < s->world.now_ns)
        return;
    sim_refuser *r = &s->pace.refusers[c->node];
    /* Whoever wishes for shorter pauses has them: two questions in each, and a connection costs
     * three or four. */
    uint64_t base = kl_time_min(p->retry_backoff_ns, 2 * p->reconnect_backoff_ns);
    base = kl_time_min(base, p->reconnect_backoff_max_ns / 4);
    uint64_t window = kl_time_min(base * (SIM_PACE_REQUESTS / 2), KL_SECOND);
    /* After a second without any, a question is like the first one (seed 37829). */
    uint64_t last = r->times_ns[(r->next + SIM_PACE_REQUESTS) % (SIM_PACE_REQUESTS + 1)];
    if (s->world.now_ns - last > KL_SECOND)
        r->since_ns = s->world.now_ns;
    r->times_ns[r->next] = s->world.now_ns;
    r->next = (r->next + 1) % (SIM_PACE_REQUESTS + 1);
    uint64_t oldest = r->times_ns[r->next];
    if (oldest > r->since_ns + window && s->world.now_ns - oldest < window)
        sim_fail(s, "I37",
                 "%d requests to node %d within %" PRIu64
                 " ms, which has taken nothing for %" PRIu64 " ms",
                 SIM_PACE_REQUESTS + 1, c->node, (s->world.now_ns - oldest) / KL_MS,
                 (s->world.now_ns - r->since_ns) / KL_MS);
}
