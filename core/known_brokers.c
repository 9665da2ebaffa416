/* SPDX-License-Identifier: BSD-2-Clause */
/* Brokers as they are told of. See known_brokers.h. */
#include "core/known_brokers.h"

#include "core/actions.h"
#include "core/conn.h"
#include "core/nodes.h"

#include <stdio.h>

/* That of names in DNS. */
#define HOST_LEN_MAX 255

/* Ten times the largest clusters there are. A broker costs far more memory than the bytes that tell
 * of it, so that somebody who tells lies could use it up. */
#define BROKERS_MAX 4096

/* One that was where it is for so long begins anew elsewhere. */
#define SETTLED_NS (10 * 1000 * KL_MS)

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
    b->moved = true;
    b->trouble = "";
    kl_list_init(&b->ready);
    kl_list_init(&b->open);
    kl_timer_init(&b->timer, KL_TIMER_BROKER);
    kl_list_push_back(&e->broker_list, &b->in_brokers);
    return b;
}

kloop_status kl_known_init(kloop_engine *e)
{
    for (size_t i = 0; i < e->set.bootstrap_count; i++) {
        const kl_bootstrap *from = &e->set.bootstrap[i];
        if (!add_broker(e, -1 - (int32_t)i, from->host, from->port))
            return KLOOP_NO_MEMORY;
    }
    return KLOOP_OK;
}

/* Out of all lists already. */
static void del_broker(kloop_engine *e, kl_broker *b)
{
    kl_heap_remove(&e->timers, &b->timer);
    kl_nodes_forget_addresses(e, b);
    kl_nodes_set_trouble(e, b, "");
    kl_meters_del(e, b);
    kl_mem_release(&e->alloc, b->host, b->host_len + 1);
    kl_mem_release(&e->alloc, b, sizeof *b);
}

void kl_known_del_all(kloop_engine *e)
{
    kl_link *at;
    while ((at = kl_list_pop_front(&e->broker_list)))
        del_broker(e, KL_CONTAINER_OF(at, kl_broker, in_brokers));
}

/* ---- What the latest answer tells ---- */

static void mark_needed(kloop_engine *e)
{
    for (uint32_t i = 0; i < e->slot_count; i++) {
        if (e->slots[i].conn)
            e->slots[i].conn->broker->needed = true;
        if (e->slots[i].broker)
            e->slots[i].broker->needed = true;
    }
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        const kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        for (int32_t i = 0; i < t->table_count; i++)
            if (t->partitions[i] && t->partitions[i]->leader)
                t->partitions[i]->leader->needed = true;
    }
}

static void drop_unneeded(kloop_engine *e)
{
    kl_link *next;
    mark_needed(e);
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = next) {
        next = kl_list_next(&e->broker_list, at);
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        bool needed = b->needed || b->known || b->id < 0;
        b->needed = false;
        if (needed)
            continue;
        e->strangers -= b->stranger;
        kl_map_remove_i32(&e->brokers, b->id);
        kl_list_remove(at);
        kl_list_drop(&b->in_poked);
        e->timer_count--;
        del_broker(e, b);
    }
}

kl_broker *kl_known_broker(const kloop_engine *e, int32_t id)
{
    return id < 0 ? NULL : kl_map_get_i32(&e->brokers, id);
}

static bool is_host(kloop_string host)
{
    return host.data && host.len > 0 && host.len <= HOST_LEN_MAX && !memchr(host.data, 0, host.len);
}

static bool is_place(kloop_string host, int32_t port)
{
    return port > 0 && port <= UINT16_MAX && is_host(host);
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
    kl_nodes_forget_addresses(e, b);
    b->has_tried = false;
    if (b->conn)
        kl_conn_lose(e, b->conn, "broker %d has moved to %s:%u", (int)b->id, text, (unsigned)port);
    kl_mem_release(&e->alloc, b->host, b->host_len + 1);
    b->host = text;
    b->host_len = host.len;
    b->port = port;
    /* What kept us from the old place says nothing of the new one; unless it moves all the time. */
    b->failures = 0;
    b->unreachable = false;
    if (b->moved_ns == 0 || e->now.mono_ns >= kl_time_add(b->moved_ns, SETTLED_NS))
        b->unproved = 0;
    b->moved_ns = e->now.mono_ns;
    b->cautious = false;
    b->moved = true;
    /* Nobody knows who is in the new place. */
    e->strangers -= b->stranger;
    b->stranger = false;
    b->retry_at = 0;
    kl_nodes_set_trouble(e, b, "");
    /* One that the host has not taken yet will be for the new place. */
    if (b->resolving.gen != 0 && !(b->pending & KL_PENDING_RESOLVE) && !b->resolve_stale) {
        b->resolve_stale = true;
        kl_actions_of_broker(e, b, KL_PENDING_CANCEL);
    }
    return true;
}

kl_broker *kl_known_node(kloop_engine *e, int32_t id, kloop_string host, int32_t port)
{
    if (id < 0 || !is_place(host, port))
        return NULL;
    kl_broker *b = kl_known_broker(e, id);
    if (!b)
        return e->brokers.count < BROKERS_MAX ? add_broker(e, id, host, (uint16_t)port) : NULL;
    b->known = true;
    if (!is_at(b, host, (uint16_t)port) && !move(e, b, host, (uint16_t)port))
        return NULL;
    return b;
}

/* What is wrong with m, if it is the first one with which something is. */
static bool is_sound(const kloop_metadata_broker *m, char *odd, size_t size)
{
    if (m->node_id >= 0 && is_place(m->host, m->port))
        return true;
    if (odd[0])
        return false;
    if (m->node_id < 0)
        snprintf(odd, size, "the answer names a broker %d", (int)m->node_id);
    else if (is_host(m->host))
        snprintf(odd, size, "broker %d has port %d", (int)m->node_id, (int)m->port);
    else
        snprintf(odd, size, "broker %d has no host that can be used", (int)m->node_id);
    return false;
}

void kl_known_forget(kloop_engine *e)
{
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        b->known = b->id < 0;
    }
}

bool kl_known_is_taken(const kloop_engine *e, kloop_string host, int32_t port)
{
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        const kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (b->id >= 0 && b->known && b->port == port && is_place(host, port) &&
            is_at(b, host, (uint16_t)port))
            return true;
    }
    return false;
}

/* Those that are told of are known, and no others. false: none that could be; nothing is changed.
 */
static bool mark_known(kloop_engine *e, const kloop_array *brokers, char *odd, size_t size)
{
    bool any = false;
    kloop_metadata_broker m;
    odd[0] = '\0';
    for (kloop_iter i = kloop_iterate(brokers); kloop_next(&i, &m);)
        any |= is_sound(&m, odd, size);
    if (!any)
        return false;
    kl_known_forget(e);
    for (kloop_iter i = kloop_iterate(brokers); kloop_next(&i, &m);) {
        kl_broker *b = kl_known_broker(e, m.node_id);
        if (b && is_place(m.host, m.port))
            b->known = true;
    }
    return true;
}

bool kl_known_take_view(kloop_engine *e, const kloop_array *brokers, char *odd, size_t size)
{
    if (!mark_known(e, brokers, odd, size))
        return false;
    if ((int64_t)e->brokers.count + brokers->count > BROKERS_MAX)
        drop_unneeded(e);
    bool any = false;
    kloop_metadata_broker m;
    e->views++;
    e->any_settled = false;
    for (kloop_iter i = kloop_iterate(brokers); kloop_next(&i, &m);) {
        kl_broker *b = kl_known_broker(e, m.node_id);
        /* Told of twice, it is where it was said first. */
        if (b && b->view == e->views)
            continue;
        b = kl_known_node(e, m.node_id, m.host, m.port);
        if (!b)
            continue;
        b->view = e->views;
        any = true;
    }
    return any;
}

bool kl_known_at_one_place(const kl_broker *a, const kl_broker *b)
{
    return a != b && is_at(a, (kloop_string){b->host, b->host_len}, b->port);
}

void kl_known_set_stranger(kloop_engine *e, kl_broker *b, bool stranger)
{
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        kl_broker *other = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (other->stranger == stranger || (other != b && !kl_known_at_one_place(other, b)))
            continue;
        other->stranger = stranger;
        if (stranger) {
            e->strangers++;
        } else {
            e->strangers--;
            kl_nodes_poke(e, other);
        }
    }
}
