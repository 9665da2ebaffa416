/* SPDX-License-Identifier: BSD-2-Clause */
/* Brokers and the way to them. See nodes.h. */
#include "core/nodes.h"

#include "core/actions.h"
#include "core/authentication.h"
#include "core/backoff.h"
#include "core/conn.h"
#include "core/engine_state.h"
#include "core/known_brokers.h"
#include "core/log.h"
#include "core/metadata.h"
#include "core/parking.h"
#include "core/readiness.h"
#include "core/rebootstrap.h"
#include "core/slots.h"
#include "core/trace_points.h"
#include "core/warm_up.h"

#include <stdio.h>

/* Connections to just anybody, begun within a second. With fewer brokers than this in trouble the
 * backoff of each is what counts; with many, or with many names for one, somebody would be knocking
 * at their doors all the time. */
#define TRIES_MAX 10
#define TRIES_NS  (1000 * KL_MS)

/* An attempt that has come to nothing after this long is left to itself, and somebody else is tried
 * as well: a resolver or a broker that hangs must not keep us from those that do not. */
#define PATIENCE_NS (1000 * KL_MS)

/* A connection that was good for so long has proved its worth. */
#define PROOF_NS (1000 * KL_MS)

/* ---- Getting there ---- */

static bool on_the_way(const kl_broker *b)
{
    return b->conn || b->resolving.gen != 0;
}

void kl_nodes_set_trouble(kloop_engine *e, kl_broker *b, const char *text)
{
    size_t had = strlen(b->trouble);
    size_t len = strlen(text);
    if (had > 0)
        kl_mem_release(&e->alloc, (char *)(uintptr_t)b->trouble, had + 1);
    b->trouble = "";
    char *copy = len > 0 ? kl_mem_alloc(&e->alloc, len + 1) : NULL;
    if (!copy)
        return;
    memcpy(copy, text, len + 1);
    b->trouble = copy;
}

static uint64_t after_pause(kloop_engine *e, const kl_broker *b)
{
    return kl_time_add(e->now.mono_ns,
                       kl_backoff_in_vain(e->set.reconnect_backoff_ns,
                                          e->set.reconnect_backoff_max_ns, b->unproved, &e->prng));
}

/* What keeps us from b keeps us from those at the same place as well. */
static void hold_namesakes(kloop_engine *e, const kl_broker *b, uint64_t until)
{
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        kl_broker *other = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (on_the_way(other) || !kl_known_at_one_place(other, b))
            continue;
        if (other->retry_at < until)
            other->retry_at = until;
        if (other->unproved < b->unproved)
            other->unproved = b->unproved;
        if (other->failures < b->failures)
            other->failures = b->failures;
        other->unreachable |= b->unreachable;
        other->refused = other->shut = b->shut;
        other->refusal = b->refusal;
        if (other->wanted)
            kl_heap_set(&e->timers, &other->timer, other->retry_at);
    }
}

/* That one of its addresses does not trust us, or we it, is not hidden by what happens at others.
 */
static void keep_trouble(kloop_engine *e, kl_broker *b, kloop_log_level level, const char *why)
{
    if (!b->refused || level == KLOOP_LOG_ERROR)
        kl_nodes_set_trouble(e, b, why);
}

/*
 * Each of those that are tried has failed, and one at least because it or we found the other not to
 * be trusted: what waits to be told where its topic is would wait in vain. Once somebody has let us
 * in, one whose certificate has expired does not speak for others that are just away: it is over
 * when all of them have refused.
 */
static void give_up_if_shut_out(kloop_engine *e)
{
    const kl_broker *by[2] = {NULL, NULL};
    bool known[2] = {false, false};
    bool hope[2] = {false, false};
    if (e->stats.refusals == 0 || !kl_list_is_empty(&e->ready_brokers))
        return;
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        const kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (!b->known)
            continue;
        int node = b->id >= 0;
        known[node] = true;
        hope[node] |= b->failures == 0 || (e->metadata_known && !b->shut);
        if (b->shut)
            by[node] = b;
    }
    /* Entries of bootstrap.servers are not tried where nodes are known. */
    if (by[known[1]] && !hope[known[1]])
        kl_parking_shut_out(e, by[known[1]]->refusal);
}

static void failed_as(kloop_engine *e, kl_broker *b, kloop_log_level level, const char *why)
{
    b->retry_at = after_pause(e, b);
    if (b->failures < UINT32_MAX)
        b->failures++;
    if (b->unproved < UINT32_MAX)
        b->unproved++;
    b->shut = b->refused;
    b->wanted = false;
    keep_trouble(e, b, level, why);
    KL_TRACE(e, broker, b, KLOOP_TRACE_BACKED_OFF, 0, (int64_t)(b->retry_at - e->now.mono_ns),
             b->failures);
    kl_log_trouble(e, level, "%s", why);
#ifdef KL_PLANT_RECONNECT_AT_ONCE
    b->retry_at = e->now.mono_ns;
#endif
    hold_namesakes(e, b, b->retry_at);
    /* It may have left, or be somewhere else. */
    kl_metadata_want(e);
    kl_nodes_poke(e, b);
    kl_warm_up_look(e);
    give_up_if_shut_out(e);
}

static void note_refusal(kloop_engine *e, kl_broker *b, int16_t code)
{
    b->refused = true;
    b->refusal = code;
    e->stats.refusals++;
}

/* Nobody was found there. */
static void failed(kloop_engine *e, kl_broker *b, const char *why)
{
    b->unreachable = true;
    if (b->meters)
        b->meters->failures++;
    b->ended_ns = e->now.mono_ns;
    if (!e->login.secured)
        note_refusal(e, b, 0);
    failed_as(e, b, e->login.secured ? KLOOP_LOG_WARN : KLOOP_LOG_ERROR, why);
}

/* The next address, and a question for addresses when there is none left. */
static void connect_now(kloop_engine *e, kl_broker *b)
{
    b->begun_ns = e->now.mono_ns;
    if (!kl_meters_make(e, b)) {
        failed(e, b, "no memory for a broker");
        return;
    }
    if (!e->login.secured) {
        char text[KL_TROUBLE_BYTES];
        snprintf(text, sizeof text, "%s:%u: security.protocol=%s needs kloop_engine_secure()",
                 b->host, (unsigned)b->port, kl_authentication_protocol(e->set.tls, e->set.sasl));
        failed(e, b, text);
        return;
    }
    if (b->address_next == b->address_count) {
        b->resolving = kl_slots_take(e, NULL, b);
        if (b->resolving.gen == 0) {
            failed(e, b, "no memory for resolving a name");
            return;
        }
        b->resolve_stale = false;
        b->refused = false;
        kl_actions_of_broker(e, b, KL_PENDING_RESOLVE);
        KL_TRACE(e, broker, b, KLOOP_TRACE_CONNECTION, KLOOP_CONN_RESOLVES, b->resolving.slot, 0);
        /* Finding the address is a part of getting there, and may take no longer. */
        kl_heap_set(&e->timers, &b->timer, kl_time_add(e->now.mono_ns, e->set.setup_timeout_ns));
        return;
    }
    kloop_address address = b->addresses[b->address_next++];
#ifdef KL_PLANT_ADDRESS_NOT_ADVANCED
    b->address_next = b->address_count;
#endif
    b->last_tried = address;
    b->has_tried = true;
    address.port = b->port;
    b->conn = kl_conn_new(e, b, &address);
    if (!b->conn) {
        failed(e, b, "no memory for a connection");
        return;
    }
    e->stats.connects++;
    b->meters->connects++;
}

/* What somebody has found out about the place to which b has moved. */
static void ask_neighbours(const kloop_engine *e, kl_broker *b)
{
    b->moved = false;
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        const kl_broker *other = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (other->unproved == 0 || !kl_known_at_one_place(other, b))
            continue;
        if (b->retry_at < other->retry_at)
            b->retry_at = other->retry_at;
        if (b->unproved < other->unproved)
            b->unproved = other->unproved;
    }
}

void kl_nodes_want(kloop_engine *e, kl_broker *b)
{
    if (e->life > KL_LIFE_CLOSING)
        return;
    b->wanted = true;
    if (on_the_way(b))
        return;
    if (b->moved)
        ask_neighbours(e, b);
    if (e->now.mono_ns < b->retry_at) {
        kl_heap_set(&e->timers, &b->timer, b->retry_at);
        return;
    }
    kl_heap_remove(&e->timers, &b->timer);
    /* Where there is trouble, one after the other. */
    if (b->unproved > 0)
        hold_namesakes(e, b, after_pause(e, b));
    connect_now(e, b);
}

void kl_nodes_unwant(kloop_engine *e, kl_broker *b)
{
    b->wanted = false;
    kl_heap_remove(&e->timers, &b->timer);
    if (b->pending & KL_PENDING_RESOLVE) {
        kl_nodes_unresolve(e, b);
    } else if (b->resolving.gen != 0 && !b->resolve_stale) {
        b->resolve_stale = true;
        kl_actions_of_broker(e, b, KL_PENDING_CANCEL);
    }
}

/* Nobody waits for this resolution any more. */
static void abandon_resolution(kloop_engine *e, kl_broker *b)
{
    char text[KL_TROUBLE_BYTES];
    snprintf(text, sizeof text,
             "%s:%u: the name was not resolved in time (socket.connection.setup.timeout.ms)",
             b->host, (unsigned)b->port);
    b->resolve_stale = true;
    if (b->pending & KL_PENDING_RESOLVE)
        kl_nodes_unresolve(e, b);
    else
        kl_actions_of_broker(e, b, KL_PENDING_CANCEL);
    failed(e, b, text);
}

void kl_nodes_timer(kloop_engine *e, kl_broker *b)
{
    if (b->resolving.gen != 0 && !b->resolve_stale) {
        abandon_resolution(e, b);
        return;
    }
    if (b->wanted && !on_the_way(b))
        kl_nodes_want(e, b);
    kl_nodes_poke(e, b);
}

void kl_nodes_retry_soon(kloop_engine *e, kl_broker *b)
{
    kl_heap_set(&e->timers, &b->timer, kl_time_add(e->now.mono_ns, e->set.retry_backoff_ns));
}

void kl_nodes_unresolve(kloop_engine *e, kl_broker *b)
{
    kl_slots_give_back(e, b->resolving);
    b->resolving = (kloop_id){0, 0};
    b->pending = 0;
    kl_list_drop(&b->in_actions);
}

void kl_nodes_forget_addresses(kloop_engine *e, kl_broker *b)
{
    kl_mem_release(&e->alloc, b->addresses, b->address_count * sizeof *b->addresses);
    b->addresses = NULL;
    b->address_count = 0;
    b->address_next = 0;
}

static bool is_same_host(const kloop_address *a, const kloop_address *b)
{
    return a->family == b->family && a->scope == b->scope &&
           memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

static bool keep_addresses(kloop_engine *e, kl_broker *b, const kloop_address *addresses,
                           size_t count)
{
    kl_nodes_forget_addresses(e, b);
    if (count > KL_ADDRESSES_MAX)
        count = KL_ADDRESSES_MAX;
    b->addresses = kl_mem_alloc(&e->alloc, count * sizeof *addresses);
    if (!b->addresses)
        return false;
    memcpy(b->addresses, addresses, count * sizeof *addresses);
    b->address_count = count;
    /* What failed last is tried last, not first. */
    if (count > 1 && b->has_tried && is_same_host(&b->addresses[0], &b->last_tried)) {
        memmove(b->addresses, b->addresses + 1, (count - 1) * sizeof *addresses);
        b->addresses[count - 1] = addresses[0];
    }
    return true;
}

void kl_nodes_resolved(kloop_engine *e, kl_broker *b, const kloop_address *addresses, size_t count,
                       const char *why)
{
    kl_nodes_unresolve(e, b);
    kl_heap_remove(&e->timers, &b->timer);
    if (e->life > KL_LIFE_CLOSING)
        return;
    if (b->resolve_stale) {
        /* Whoever still needs the broker asks again. */
        b->resolve_stale = false;
        kl_nodes_poke(e, b);
        return;
    }
    if (count == 0) {
        char text[KL_TROUBLE_BYTES];
        snprintf(text, sizeof text, "%s:%u: the name could not be resolved: %s", b->host,
                 (unsigned)b->port, why ? why : "no address");
        failed(e, b, text);
        return;
    }
    if (keep_addresses(e, b, addresses, count))
        connect_now(e, b);
    else
        failed(e, b, "no memory for the addresses of a broker");
}

void kl_nodes_served(kloop_engine *e, const kl_broker *by)
{
    if (by->id < 0)
        return;
    for (size_t i = 0; i < e->set.bootstrap_count; i++) {
        kl_broker *b = kl_map_get_i32(&e->brokers, -1 - (int32_t)i);
        kl_conn *c = b->conn;
        if (!c || c->state != KL_CONN_READY || b->stranger || c->flight_count > 0 ||
            !kl_list_is_empty(&c->writing))
            continue;
        c->idle = true;
        kl_conn_lose(e, c, "%s:%u: not needed any more, the brokers it told of are connected",
                     b->host, (unsigned)b->port);
    }
}

void kl_nodes_ready(kloop_engine *e, kl_conn *c)
{
    kl_broker *b = c->broker;
    c->ready_ns = e->now.mono_ns;
    b->failures = 0;
    b->refused = b->shut = false;
    b->unreachable = false;
    b->retry_at = 0;
    b->wanted = false;
    kl_nodes_set_trouble(e, b, "");
    if (!kl_link_is_linked(&b->in_ready_brokers))
        kl_list_push_back(&e->ready_brokers, &b->in_ready_brokers);
    e->stats.ever_ready = true;
    e->trouble[0] = '\0';
    kl_nodes_poke(e, b);
    kl_warm_up_look(e);
}

/* Partitions whose batches were on the lost connection wait for the next one to the same leader. */
void kl_nodes_lost(kloop_engine *e, kl_conn *c)
{
    kl_broker *b = c->broker;
    bool was_ready = c->lost_in == KL_CONN_READY;
    if (was_ready)
        kl_list_drop(&b->in_ready_brokers);
    b->ended_ns = e->now.mono_ns;
    if (e->life > KL_LIFE_CLOSING)
        return;
    if (!c->idle && was_ready) {
        e->stats.disconnects++;
        b->meters->disconnects++;
    } else if (!c->idle) {
        b->meters->failures++;
    }
    if (was_ready && c->served && e->now.mono_ns >= kl_time_add(c->ready_ns, PROOF_NS))
        b->unproved = 0;
    if (c->idle) {
        kl_log(e, KLOOP_LOG_DEBUG, "%s", c->why);
        /* The address was good; but it may be another one when it is needed again. */
        kl_nodes_forget_addresses(e, b);
        b->has_tried = false;
        kl_nodes_poke(e, b);
        kl_warm_up_look(e);
        return;
    }
    if (c->refused)
        note_refusal(e, b, c->refusal);
    /* Nobody is at this address: the broker may be at the next one, and has not failed yet. */
    if (c->lost_in == KL_CONN_CONNECTING && b->address_next < b->address_count) {
        kloop_log_level level = c->refused ? KLOOP_LOG_ERROR : KLOOP_LOG_INFO;
        keep_trouble(e, b, level, c->why);
        kl_log_trouble(e, level, "%s; trying its next address", c->why);
        connect_now(e, b);
        return;
    }
    /* Who hangs up on the newest ApiVersions may know older ones only, and may be in trouble. */
    if (c->lost_in == KL_CONN_VERSIONS)
        b->cautious = !b->cautious;
    b->unreachable |= !was_ready;
    if (was_ready) {
        /* It may come back under another address. */
        kl_nodes_forget_addresses(e, b);
        /* Without answers nothing would ever tell that it has become better. */
        if (b->barren < KL_BARREN_LOST && e->set.acks != 0)
            b->barren = KL_BARREN_LOST;
    }
    failed_as(e, b, c->foreign || c->refused ? KLOOP_LOG_ERROR : KLOOP_LOG_WARN, c->why);
}

void kl_nodes_poke(kloop_engine *e, kl_broker *b)
{
    e->stirred = true;
    if (!b->conn || kl_conn_can_ask(e, b->conn))
        e->any_settled = false;
    if (!kl_link_is_linked(&b->in_poked))
        kl_list_push_back(&e->poked, &b->in_poked);
}

/* ---- Any broker will do ---- */

/* Is there, or on its way, a connection to the same place for an entry of bootstrap.servers, or for
 * the node that b is an entry for? */
static bool is_tried_already(const kloop_engine *e, const kl_broker *b)
{
    if (b->id >= 0) {
        for (size_t i = 0; i < e->set.bootstrap_count; i++) {
            const kl_broker *entry = kl_map_get_i32(&e->brokers, -1 - (int32_t)i);
            if (on_the_way(entry) && kl_known_at_one_place(entry, b))
                return true;
        }
        return false;
    }
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        const kl_broker *other = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (on_the_way(other) && kl_known_at_one_place(other, b))
            return true;
    }
    return false;
}

/* What there is of nodes, and of attempts to get somewhere. Attempts older than PATIENCE_NS do not
 * count. */
typedef struct prospect {
    bool nodes;              /* some are known */
    bool nodes_hold;         /* and not each of them was found to be out of reach */
    uint64_t coming_until;   /* an attempt is under way, and nothing has failed there; 0: none is */
    uint64_t retrying_until; /* one is under way to a node that has failed */
} prospect;

static void note_attempt(const kloop_engine *e, const kl_broker *b, prospect *p)
{
    uint64_t until = kl_time_add(b->begun_ns, PATIENCE_NS);
    bool under_way =
        (b->resolving.gen != 0 && !b->resolve_stale) || (b->conn && b->conn->state < KL_CONN_READY);
    if (!under_way || e->now.mono_ns >= until)
        return;
    /* One that has failed before may take its time again, and must not keep us from others. */
    uint64_t *which = b->failures == 0 ? &p->coming_until : &p->retrying_until;
    if (*which == 0 || until < *which)
        *which = until;
}

static prospect look_around(const kloop_engine *e)
{
    prospect p = {0};
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        const kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        /* It is no part of the cluster any more, and may know as little of that as we did. */
        if (!b->known)
            continue;
        p.nodes |= b->id >= 0;
        p.nodes_hold |= b->id >= 0 && !b->unreachable;
        note_attempt(e, b, &p);
    }
    return p;
}

/* Of those that could be tried the one whose time comes first; among equals, one at random. Nodes,
 * or entries of bootstrap.servers while no node is known. */
static kl_broker *next_to_try(kloop_engine *e, bool nodes)
{
    kl_broker *best = NULL;
    uint64_t ties = 0;
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (!b->known || (b->id >= 0) != nodes || on_the_way(b) || is_tried_already(e, b))
            continue;
        uint64_t when = b->retry_at > e->now.mono_ns ? b->retry_at : 0;
        uint64_t best_when = best && best->retry_at > e->now.mono_ns ? best->retry_at : 0;
        if (!best || when < best_when)
            ties = 1;
        else if (when == best_when)
            ties++;
        else
            continue;
        if (ties == 1 || kl_prng_below(&e->prng, ties) == 0)
            best = b;
    }
    return best;
}

static bool may_try(kloop_engine *e)
{
    uint64_t end = kl_time_add(e->tries_ns, TRIES_NS);
    if (e->tries == 0 || e->now.mono_ns >= end) {
        e->tries = 0;
        e->tries_ns = e->now.mono_ns;
    }
    if (e->tries == TRIES_MAX) {
        kl_heap_set(&e->timers, &e->tries_timer, end);
        return false;
    }
    e->tries++;
    return true;
}

/* Makes for somebody, unless it is too soon for that. */
static void try_somebody(kloop_engine *e)
{
    prospect p = look_around(e);
    if (p.coming_until != 0) {
        kl_heap_set(&e->timers, &e->tries_timer, p.coming_until);
        return;
    }
    bool out_of_reach = p.nodes && !p.nodes_hold && e->set.rebootstraps;
    if (out_of_reach && p.retrying_until == 0) {
        kl_rebootstrap(e, "no known broker can be reached");
        p.nodes = false;
    }
    kl_broker *b = next_to_try(e, p.nodes);
    uint64_t when = b ? b->retry_at : p.retrying_until;
    if (e->now.mono_ns < when)
        kl_heap_set(&e->timers, &e->tries_timer,
                    p.retrying_until ? kl_time_min(when, p.retrying_until) : when);
    else if (b && may_try(e)) {
        kl_nodes_want(e, b);
        kl_heap_set(&e->timers, &e->tries_timer, kl_time_add(e->now.mono_ns, PATIENCE_NS));
    }
}

static kl_conn *least_busy(const kloop_engine *e)
{
    kl_conn *best = NULL;
    for (kl_link *at = kl_list_first(&e->ready_brokers); at;
         at = kl_list_next(&e->ready_brokers, at)) {
        const kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_ready_brokers);
        if (!b->known || b->stranger || !kl_conn_can_ask(e, b->conn))
            continue;
        /* Among equals a node, for connections of bootstrap.servers are to become idle. */
        uint32_t most = best ? best->flight_count : UINT32_MAX;
        if (b->conn->flight_count < most ||
            (b->conn->flight_count == most && best && best->broker->id < 0 && b->id >= 0))
            best = b->conn;
    }
    return best;
}

kl_conn *kl_nodes_any(kloop_engine *e)
{
    /* Nobody could be asked, and nothing has happened since that may have changed it. */
    if (e->any_settled)
        return NULL;
    kl_conn *best = least_busy(e);
    if (best) {
        kl_heap_remove(&e->timers, &e->tries_timer);
        return best;
    }
    e->any_settled = true;
    try_somebody(e);
    return NULL;
}

void kl_nodes_tries_timer(kloop_engine *e)
{
    e->any_settled = false;
}

/* ---- Other clusters ---- */

kl_conn *kl_nodes_stranger(const kloop_engine *e)
{
    if (e->strangers == 0)
        return NULL;
    for (kl_link *at = kl_list_first(&e->ready_brokers); at;
         at = kl_list_next(&e->ready_brokers, at)) {
        const kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_ready_brokers);
        if (b->stranger && kl_conn_can_ask(e, b->conn))
            return b->conn;
    }
    return NULL;
}

void kl_nodes_settle_bootstrap(kloop_engine *e)
{
    for (size_t i = 0; i < e->set.bootstrap_count; i++) {
        kl_broker *from = kl_map_get_i32(&e->brokers, -1 - (int32_t)i);
        kl_conn *c = from->conn;
        if (!c || c->state != KL_CONN_READY)
            continue;
        for (kl_link *at = kl_list_first(&e->broker_list); at;
             at = kl_list_next(&e->broker_list, at)) {
            kl_broker *to = KL_CONTAINER_OF(at, kl_broker, in_brokers);
            if (to->id < 0 || !to->known || on_the_way(to) || !kl_known_at_one_place(to, from) ||
                !kl_meters_make(e, to))
                continue;
            /* The same place: the connection is the node's from now on. */
            from->conn = NULL;
            kl_list_drop(&from->in_ready_brokers);
            to->conn = c;
            to->last_tried = c->address;
            to->has_tried = true;
            to->cautious = from->cautious;
            /* What is asked on it, too: answers come to who asked. */
            from->meters->requests -= c->flight_count;
            to->meters->requests += c->flight_count;
            c->broker = to;
            kl_nodes_ready(e, c);
            break;
        }
    }
}
