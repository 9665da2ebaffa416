/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection, as a broker sees it. See peer.h.
 *
 *     OPEN --the broker ends it--> ENDING --kl_peer_close--> (deleted)
 *       |                                                        ^
 *       +---------kl_peer_close--> GONE: carries out what came --+
 *
 * While it is open and takes one request at a time, this is a circle: a frame is read, the request
 * is carried out, its answer is written, and only then the next frame is looked at.
 */
#include "broker/peer.h"

#include "base/check.h"
#include "broker/login_parts.h"
#include "broker/request.h"

#include <string.h>

/* A connection that may have many answers under way is not read any more while so much of them
 * waits to be written. */
#define OUT_BYTES_MAX (1 << 20)

/* ---- Output ---- */

kl_out *kl_out_new(const kloop_allocator *alloc, size_t cap)
{
    size_t size;
    kl_out *out = kl_mem_add(sizeof *out, cap, &size) ? kl_mem_alloc(alloc, size) : NULL;
    if (out)
        *out = (kl_out){.cap = cap, .len = cap};
    return out;
}

void kl_out_del(const kloop_allocator *alloc, kl_out *out)
{
    kl_mem_release(alloc, out, sizeof *out + out->cap);
}

size_t kl_peer_output_bytes(const kl_peer *peer)
{
    return peer->out_bytes;
}

size_t kl_peer_output(const kl_peer *peer, kloop_slice *slices, size_t max)
{
    size_t n = 0;
    for (kl_link *l = kl_list_first(&peer->out); l && n < max; l = kl_list_next(&peer->out, l)) {
        const kl_out *out = KL_CONTAINER_OF(l, kl_out, link);
        slices[n++] = (kloop_slice){out->bytes + out->done, out->len - out->done};
    }
    return n;
}

static void drop_output(kl_peer *peer)
{
    kl_link *l;
    while ((l = kl_list_pop_front(&peer->out)) != NULL)
        kl_out_del(&peer->cluster->alloc, KL_CONTAINER_OF(l, kl_out, link));
    peer->out_bytes = 0;
}

void kl_peer_wrote(kl_peer *peer, size_t n, int64_t now_ns)
{
    kl_cluster *c = peer->cluster;
    KL_ASSERT(!peer->gone && n <= peer->out_bytes);
    kl_cluster_begin(c, now_ns);
    peer->out_bytes -= n;
    while (n > 0) {
        kl_out *out = KL_CONTAINER_OF(kl_list_first(&peer->out), kl_out, link);
        size_t left = out->len - out->done;
        if (n < left) {
            out->done += n;
            break;
        }
        n -= left;
        kl_list_remove(&out->link);
        kl_out_del(&c->alloc, out);
    }
    kl_peer_wake(peer);
    kl_cluster_settle(c);
}

/* ---- One turn ---- */

void kl_peer_wake(kl_peer *peer)
{
    if (!kl_link_is_linked(&peer->runnable))
        kl_list_push_back(&peer->cluster->runnable, &peer->runnable);
}

void kl_peer_end(kl_peer *peer)
{
    peer->ending = true;
    kl_peer_wake(peer);
}

static void mute(kl_peer *peer, int32_t throttle_ms)
{
    kl_cluster *c = peer->cluster;
    peer->muted = true;
    kl_cluster_set_timer(c, &peer->unmute,
                         kl_cluster_later(c->now_ns, (int64_t)throttle_ms * 1000 * 1000));
}

void kl_peer_on_timer(kl_peer *peer)
{
    peer->muted = false;
    kl_peer_wake(peer);
}

static void let_go(kl_peer *peer, kl_request *r)
{
    if (kl_request_is_watched(r)) {
        if (r->out && r->out->len > 0) {
            kl_list_push_back(&peer->out, &r->out->link);
            peer->out_bytes += r->out->len;
            peer->new_output = true;
            r->out = NULL;
        }
        if (r->fate.throttle_ms > 0)
            mute(peer, r->fate.throttle_ms);
        if (r->ends_connection)
            kl_peer_end(peer);
    }
    kl_request_del(r);
}

/* Answers leave in order, but for those that may overtake. */
static void release(kl_peer *peer)
{
    bool in_order = true;
    kl_link *next;
    for (kl_link *l = kl_list_first(&peer->requests); l; l = next) {
        kl_request *r = KL_CONTAINER_OF(l, kl_request, link);
        next = kl_list_next(&peer->requests, l);
        if (r->state == KL_REQUEST_READY && (in_order || r->fate.overtakes))
            let_go(peer, r);
        else if (r->state == KL_REQUEST_SILENT &&
                 (peer->cluster->config.pipelined || !kl_request_is_watched(r)))
            kl_request_del(r);
        else
            in_order = false;
    }
}

static bool may_start(const kl_peer *peer)
{
    if (peer->ending)
        return false;
    bool pipelined = peer->cluster->config.pipelined && !kl_login_is_busy(peer->login);
    if (peer->gone)
        return pipelined || kl_list_is_empty(&peer->requests);
    if (peer->muted)
        return false;
    if (pipelined)
        return peer->out_bytes <= OUT_BYTES_MAX;
    return kl_list_is_empty(&peer->requests) && peer->out_bytes == 0;
}

/* Looks at the next frame; false when there is none. */
static bool start_next(kl_peer *peer)
{
    kloop_slice frame;
    kloop_fault fault;
    char text[120];
    if (kl_frame_next(&peer->in, &frame, &fault)) {
        kloop_fault_text(&fault, text, sizeof text);
        kl_cluster_complain(peer->cluster, KL_COMPLAINT_PROTOCOL,
                            "connection %llu to broker %d: %s", (unsigned long long)peer->id,
                            peer->node->node_id, text);
        peer->ending = true;
        return false;
    }
    if (!frame.data)
        return false;
    kl_request_start(peer, frame);
    return true;
}

static bool wants_bytes(const kl_peer *peer)
{
    return !peer->gone && may_start(peer);
}

static void tell(kl_peer *peer)
{
    bool wants = wants_bytes(peer);
    bool closes = kl_peer_wants_close(peer);
    if ((peer->new_output || (wants && !peer->wanted_bytes) || (closes && !peer->told_to_close)) &&
        !kl_link_is_linked(&peer->ready))
        kl_list_push_back(&peer->cluster->ready, &peer->ready);
    peer->new_output = false;
    peer->wanted_bytes = wants;
    peer->told_to_close = closes;
}

void kl_peer_run(kl_peer *peer)
{
    do {
        release(peer);
    } while (may_start(peer) && start_next(peer));
    if (!peer->gone)
        tell(peer);
    else if (kl_list_is_empty(&peer->requests))
        kl_peer_del(peer);
}

/* ---- Its life ---- */

kl_peer *kl_peer_open(kl_cluster *c, int32_t node_id, void *user, int64_t now_ns)
{
    kl_node *node = kl_cluster_find_node(c, node_id);
    KL_ASSERT(node);
    kl_cluster_begin(c, now_ns);
    kl_peer *peer = node->up ? kl_mem_zalloc(&c->alloc, 1, sizeof *peer) : NULL;
    if (!peer)
        return NULL;
    if (!kl_login_new(c, node, &peer->login) || !kl_cluster_add_timer(c)) {
        kl_login_del(c, peer->login);
        kl_mem_release(&c->alloc, peer, sizeof *peer);
        return NULL;
    }
    peer->cluster = c;
    peer->node = node;
    peer->user = user;
    peer->id = ++c->peers_made;
    peer->wanted_bytes = true;
    kl_frame_reader_init(&peer->in,
                         peer->login ? peer->login->config.request_max_bytes
                                     : c->config.request_max_bytes,
                         &c->alloc);
    kl_list_init(&peer->requests);
    kl_list_init(&peer->out);
    kl_timer_init(&peer->unmute, KL_TIMER_PEER);
    kl_list_push_back(&node->peers, &peer->of_node);
    c->totals.peers++;
    return peer;
}

void kl_peer_del(kl_peer *peer)
{
    kl_cluster *c = peer->cluster;
    kl_link *l;
    while ((l = kl_list_first(&peer->requests)) != NULL)
        kl_request_del(KL_CONTAINER_OF(l, kl_request, link));
    drop_output(peer);
    if (kl_link_is_linked(&peer->runnable))
        kl_list_remove(&peer->runnable);
    if (kl_link_is_linked(&peer->ready))
        kl_list_remove(&peer->ready);
    kl_list_remove(&peer->of_node);
    kl_cluster_remove_timer(c, &peer->unmute);
    kl_frame_reader_deinit(&peer->in);
    kl_login_del(c, peer->login);
    kl_mem_release(&c->alloc, peer, sizeof *peer);
}

void kl_peer_close(kl_peer *peer, int64_t now_ns)
{
    kl_cluster *c = peer->cluster;
    KL_ASSERT(!peer->gone);
    kl_cluster_begin(c, now_ns);
    peer->gone = true;
    drop_output(peer);
    if (kl_link_is_linked(&peer->ready))
        kl_list_remove(&peer->ready);
    kl_peer_wake(peer);
    kl_cluster_settle(c);
}

void kl_peer_broker_died(kl_peer *peer)
{
    kl_link *l;
    while ((l = kl_list_first(&peer->requests)) != NULL)
        kl_request_del(KL_CONTAINER_OF(l, kl_request, link));
    kl_peer_end(peer);
}

/* ---- Questions and input ---- */

void *kl_peer_user(const kl_peer *peer)
{
    return peer->user;
}

uint64_t kl_peer_id(const kl_peer *peer)
{
    return peer->id;
}

int32_t kl_peer_node_id(const kl_peer *peer)
{
    return peer->node->node_id;
}

bool kl_peer_wants_bytes(const kl_peer *peer)
{
    return wants_bytes(peer);
}

bool kl_peer_wants_close(const kl_peer *peer)
{
    return peer->ending && peer->out_bytes == 0;
}

uint8_t *kl_peer_space(kl_peer *peer, size_t *room)
{
    KL_ASSERT(!peer->gone);
    return kl_frame_space(&peer->in, room);
}

void kl_peer_received(kl_peer *peer, size_t n, int64_t now_ns)
{
    kl_cluster *c = peer->cluster;
    KL_ASSERT(!peer->gone);
    kl_cluster_begin(c, now_ns);
    kl_frame_received(&peer->in, n);
    kl_peer_wake(peer);
    kl_cluster_settle(c);
}

bool kl_peer_receive(kl_peer *peer, const void *bytes, size_t len, int64_t now_ns)
{
    const uint8_t *from = bytes;
    size_t room;
    while (len > 0) {
        uint8_t *to = kl_peer_space(peer, &room);
        if (!to) {
            peer->cluster->totals.no_memory++;
            peer->ending = true;
            tell(peer);
            return false;
        }
        size_t n = len < room ? len : room;
        memcpy(to, from, n);
        kl_peer_received(peer, n, now_ns);
        from += n;
        len -= n;
    }
    return true;
}

kl_peer *kl_cluster_next_ready(kl_cluster *c)
{
    kl_link *l = kl_list_pop_front(&c->ready);
    return l ? KL_CONTAINER_OF(l, kl_peer, ready) : NULL;
}
