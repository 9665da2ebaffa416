/* SPDX-License-Identifier: BSD-2-Clause */
/* Brokers and the way to them. See nodes.h. */
#include "core/nodes.h"

#include "core/actions.h"
#include "core/backoff.h"
#include "core/conn.h"
#include "core/engine_state.h"
#include "core/log.h"
#include "core/metadata.h"
#include "core/readiness.h"
#include "core/slots.h"

#include <stdio.h>

/* Ten times the largest clusters there are. A broker costs far more memory than the bytes that tell
 * of it, so that somebody who tells lies could use it up. */
#define BROKERS_MAX 4096

/* ---- Which brokers there are ---- */

static kl_broker *add_broker(kloop_engine *e, int32_t id, kloop_string host, uint16_t port)
{
    if (!kl_heap_reserve(&e->timers, e->timer_count + 1))
        return NULL;
    kl_broker *b = kl_mem_zalloc(&e->alloc, 1, sizeof *b);
    char *text = b ? kl_mem_zalloc(&e->alloc, host.len + 1, 1) : NULL;
    if (!text || !kl_map_put_i32(&e->brokers, id, b)) {
        kl_mem_release(&e->alloc, text, host.len + 1);
        kl_mem_release(&e->alloc, b, sizeof *b);
        return NULL;
    }
    memcpy(text, host.data, host.len);
    e->timer_count++;
    b->engine = e;
    b->id = id;
    b->host = text;
    b->host_len = host.len;
    b->port = port;
    b->known = true;
    kl_list_init(&b->ready);
    kl_list_init(&b->open);
    kl_timer_init(&b->timer, KL_TIMER_BROKER);
    kl_list_push_back(&e->broker_list, &b->in_brokers);
    return b;
}

kloop_status kl_nodes_init(kloop_engine *e)
{
    for (size_t i = 0; i < e->set.bootstrap_count; i++) {
        const kl_bootstrap *from = &e->set.bootstrap[i];
        if (!add_broker(e, -1 - (int32_t)i, from->host, from->port))
            return KLOOP_NO_MEMORY;
    }
    return KLOOP_OK;
}

void kl_nodes_del_all(kloop_engine *e)
{
    kl_link *at;
    while ((at = kl_list_pop_front(&e->broker_list))) {
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        kl_heap_remove(&e->timers, &b->timer);
        kl_mem_release(&e->alloc, b->host, b->host_len + 1);
        kl_mem_release(&e->alloc, b, sizeof *b);
    }
}

kl_broker *kl_nodes_broker(const kloop_engine *e, int32_t id)
{
    return id < 0 ? NULL : kl_map_get_i32(&e->brokers, id);
}

static bool is_at(const kl_broker *b, kloop_string host, uint16_t port)
{
    return b->port == port && b->host_len == host.len && memcmp(b->host, host.data, host.len) == 0;
}

/* It lives somewhere else now. */
static bool move(kloop_engine *e, kl_broker *b, kloop_string host, uint16_t port)
{
    char *text = kl_mem_zalloc(&e->alloc, host.len + 1, 1);
    if (!text)
        return false;
    memcpy(text, host.data, host.len);
    kl_mem_release(&e->alloc, b->host, b->host_len + 1);
    b->host = text;
    b->host_len = host.len;
    b->port = port;
    b->address_count = 0;
    b->address_next = 0;
    b->failures = 0;
    b->retry_at = 0;
    b->trouble[0] = '\0';
    /* One that the host has not taken yet will be for the new place. */
    if (b->resolving.gen != 0 && !(b->pending & KL_PENDING_RESOLVE) && !b->resolve_stale) {
        b->resolve_stale = true;
        kl_actions_of_broker(e, b, KL_PENDING_CANCEL);
    }
    if (b->conn)
        kl_conn_lose(e, b->conn, "broker %d has moved to %s:%u", (int)b->id, b->host,
                     (unsigned)b->port);
    return true;
}

kl_broker *kl_nodes_node(kloop_engine *e, int32_t id, kloop_string host, uint16_t port)
{
    kl_broker *b = kl_nodes_broker(e, id);
    if (!b)
        return e->brokers.count < BROKERS_MAX ? add_broker(e, id, host, port) : NULL;
    b->known = true;
    if (!is_at(b, host, port) && !move(e, b, host, port))
        return NULL;
    return b;
}

/* ---- Getting there ---- */

static void failed(kloop_engine *e, kl_broker *b, const char *why)
{
    uint64_t wait = kl_backoff_pause(e->set.reconnect_backoff_ns, e->set.reconnect_backoff_max_ns,
                                     b->failures, &e->prng);
    if (b->failures < UINT32_MAX)
        b->failures++;
    b->retry_at = kl_time_add(e->now.mono_ns, wait);
    b->wanted = false;
    snprintf(b->trouble, sizeof b->trouble, "%s", why);
    kl_log_trouble(e, KLOOP_LOG_WARN, "%s", why);
    kl_nodes_poke(e, b);
}

static void connect_now(kloop_engine *e, kl_broker *b)
{
    if (b->address_next == b->address_count) {
        b->resolving = kl_slots_take(e, NULL, b);
        if (b->resolving.gen == 0) {
            failed(e, b, "no memory for resolving a name");
            return;
        }
        b->resolve_stale = false;
        kl_actions_of_broker(e, b, KL_PENDING_RESOLVE);
        /* Finding the address is a part of getting there, and may take no longer. */
        kl_heap_set(&e->timers, &b->timer, kl_time_add(e->now.mono_ns, e->set.setup_timeout_ns));
        return;
    }
    kloop_address address = b->addresses[b->address_next++];
    address.port = b->port;
    b->conn = kl_conn_new(e, b, &address);
    if (!b->conn) {
        failed(e, b, "no memory for a connection");
        return;
    }
    e->stats.connects++;
}

static bool on_the_way(const kl_broker *b)
{
    return b->conn || b->resolving.gen != 0;
}

void kl_nodes_want(kloop_engine *e, kl_broker *b)
{
    if (e->life > KL_LIFE_CLOSING)
        return;
    b->wanted = true;
    if (on_the_way(b))
        return;
    if (e->now.mono_ns < b->retry_at) {
        kl_heap_set(&e->timers, &b->timer, b->retry_at);
        return;
    }
    kl_heap_remove(&e->timers, &b->timer);
    connect_now(e, b);
}

/* Nobody waits for this resolution any more. */
static void abandon_resolution(kloop_engine *e, kl_broker *b)
{
    char text[sizeof b->trouble];
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
        char text[sizeof b->trouble];
        snprintf(text, sizeof text, "%s:%u: the name could not be resolved: %s", b->host,
                 (unsigned)b->port, why ? why : "no address");
        failed(e, b, text);
        return;
    }
    b->address_count = count < KL_ADDRESSES_MAX ? count : KL_ADDRESSES_MAX;
    memcpy(b->addresses, addresses, b->address_count * sizeof *addresses);
    b->address_next = 0;
    connect_now(e, b);
}

void kl_nodes_ready(kloop_engine *e, kl_conn *c)
{
    kl_broker *b = c->broker;
    b->failures = 0;
    b->retry_at = 0;
    b->wanted = false;
    b->trouble[0] = '\0';
    e->stats.ever_ready = true;
    e->trouble[0] = '\0';
    kl_nodes_poke(e, b);
}

/* Partitions whose batches were on the lost connection wait for the next one to the same leader. */
void kl_nodes_lost(kloop_engine *e, kl_conn *c, bool was_ready, bool idle)
{
    kl_broker *b = c->broker;
    if (was_ready)
        e->stats.disconnects++;
    if (e->life > KL_LIFE_CLOSING)
        return;
    if (idle) {
        kl_log(e, KLOOP_LOG_DEBUG, "%s", c->why);
        return;
    }
    if (was_ready) {
        /* It may come back under another address. */
        b->address_count = 0;
        b->address_next = 0;
    }
    failed(e, b, c->why);
    kl_metadata_want(e);
}

void kl_nodes_poke(kloop_engine *e, kl_broker *b)
{
    e->stirred = true;
    if (!kl_link_is_linked(&b->in_poked))
        kl_list_push_back(&e->poked, &b->in_poked);
}

/* ---- Any broker will do ---- */

/* Is there a node, not an entry of bootstrap.servers, that has not failed lately? */
static bool nodes_hold(const kloop_engine *e)
{
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        const kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (b->id >= 0 && b->known && b->failures == 0)
            return true;
    }
    return false;
}

/* Nodes; entries of bootstrap.servers while no node is known, or all of them fail. */
static bool is_candidate(const kl_broker *b, bool nodes)
{
    return b->id >= 0 ? b->known : !nodes;
}

/* Of those that could be tried the one whose time comes first; among equals, one at random. */
static kl_broker *next_to_try(kloop_engine *e, bool nodes)
{
    kl_broker *best = NULL;
    uint64_t ties = 0;
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (!is_candidate(b, nodes) || on_the_way(b))
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

kl_conn *kl_nodes_any(kloop_engine *e)
{
    bool nodes = nodes_hold(e);
    kl_conn *best = NULL;
    bool coming = false;
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        coming |= (b->resolving.gen != 0 && !b->resolve_stale) ||
                  (b->conn && b->conn->state < KL_CONN_READY);
        if (!b->conn || !kl_conn_can_ask(e, b->conn))
            continue;
        /* Among equals a node, for connections of bootstrap.servers are to become idle. */
        uint32_t most = best ? best->flight_count : UINT32_MAX;
        if (b->conn->flight_count < most ||
            (b->conn->flight_count == most && best && best->broker->id < 0 && b->id >= 0))
            best = b->conn;
    }
    if (best || coming)
        return best;
    kl_broker *b = next_to_try(e, nodes);
    if (b)
        kl_nodes_want(e, b);
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
            if (to->id < 0 || !to->known || on_the_way(to) ||
                !is_at(to, (kloop_string){from->host, from->host_len}, from->port))
                continue;
            /* The same place: the connection is the node's from now on. */
            from->conn = NULL;
            to->conn = c;
            c->broker = to;
            kl_nodes_ready(e, c);
            break;
        }
    }
}
