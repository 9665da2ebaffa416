/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a peer is made of. For the files of broker/ only; what it does is told in "broker/peer.h".
 */
#ifndef KL_BROKER_PEER_PARTS_H
#define KL_BROKER_PEER_PARTS_H

#include "broker/cluster_parts.h"
#include "broker/peer.h"
#include "protocol/frame.h"

/* Bytes that wait to be written. */
typedef struct kl_out {
    kl_link link;
    size_t cap;
    size_t len;
    size_t done;
    uint8_t bytes[];
} kl_out;

struct kl_peer {
    kl_cluster *cluster;
    kl_node *node;
    void *user;
    uint64_t id;
    kl_link of_node;
    kl_link runnable;
    kl_link ready;
    kl_frame_reader in;
    kl_list requests; /* kl_request, in the order they came */
    kl_list out;      /* kl_out */
    size_t out_bytes;
    kl_timer unmute;
    struct kl_login *login; /* NULL: the broker does not ask who the client is */
    bool muted;             /* throttled */
    bool ending;            /* the broker wants to close; nothing is read or answered any more */
    bool gone;              /* the caller has closed; what came is still carried out */
    /* what the caller was told, or would see */
    bool new_output;
    bool told_to_close;
    bool wanted_bytes;
};

/* NULL: no memory. */
kl_out *kl_out_new(const kloop_allocator *alloc, size_t cap);
void kl_out_del(const kloop_allocator *alloc, kl_out *out);

/* Something may be possible now that was not: looked at by the next kl_cluster_settle. */
void kl_peer_wake(kl_peer *peer);
/* Does all that is possible; the peer may be gone after it. */
void kl_peer_run(kl_peer *peer);
/* The broker ends the connection. */
void kl_peer_end(kl_peer *peer);
void kl_peer_on_timer(kl_peer *peer);
/* The broker's process is gone: so are the requests. */
void kl_peer_broker_died(kl_peer *peer);
void kl_peer_del(kl_peer *peer);

#endif
