/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A peer: one client's connection to one broker of a model cluster. Bytes in, bytes out; no socket.
 *
 * A server does this with each connection:
 *
 *     if (kl_peer_wants_bytes(peer)) {
 *         size_t room;
 *         uint8_t *p = kl_peer_space(peer, &room);
 *         n = recv(fd, p, room);
 *         kl_peer_received(peer, n, now);
 *     }
 *     for (kl_peer *p; (p = kl_cluster_next_ready(c));) {
 *         n = writev(fd_of(p), slices, kl_peer_output(p, slices, max));
 *         kl_peer_wrote(p, n, now);
 *         if (kl_peer_wants_close(p))
 *             close(fd_of(p)), kl_peer_close(p, now);
 *     }
 *
 * Owns: the cluster owns the peer; the caller may use it until kl_peer_close. Output is good until
 * kl_peer_wrote covers it, and does not move.
 *
 * Fails: no memory for received bytes shows in kl_peer_space and kl_peer_receive; no memory for
 * carrying out a request ends the connection (kl_peer_wants_close). A batch for which there is no
 * memory is not appended, and answered UNKNOWN_SERVER_ERROR.
 */
#ifndef KL_BROKER_PEER_H
#define KL_BROKER_PEER_H

#include "broker/cluster.h"

typedef struct kl_peer kl_peer;

/* A connection was made. NULL: there is no memory, or the broker is down, which is a connection
 * refused. */
kl_peer *kl_peer_open(kl_cluster *c, int32_t node_id, void *user, int64_t now_ns);

void *kl_peer_user(const kl_peer *peer);
uint64_t kl_peer_id(const kl_peer *peer);
int32_t kl_peer_node_id(const kl_peer *peer);

/* ---- In ---- */

/*
 * false: as Kafka, nothing is read now, because a request is being carried out, its answer was not
 * written yet, the client is throttled, or the connection is about to end. Bytes that are given
 * nevertheless are kept.
 */
bool kl_peer_wants_bytes(const kl_peer *peer);

/* Where the next bytes go, and how many fit; NULL without memory. */
uint8_t *kl_peer_space(kl_peer *peer, size_t *room);
/* n bytes were put there. */
void kl_peer_received(kl_peer *peer, size_t n, int64_t now_ns);
/* Both at once, for bytes that lie elsewhere. false: no memory for all of them; the connection is
 * then about to end. */
bool kl_peer_receive(kl_peer *peer, const void *bytes, size_t len, int64_t now_ns);

/* ---- Out ---- */

/* The first bytes that wait to be written, at most max slices of them; answers how many. */
size_t kl_peer_output(const kl_peer *peer, kloop_slice *slices, size_t max);
size_t kl_peer_output_bytes(const kl_peer *peer);
/* The first n bytes of the output are done with. */
void kl_peer_wrote(kl_peer *peer, size_t n, int64_t now_ns);

/* The broker ends the connection: all its output was written. */
bool kl_peer_wants_close(const kl_peer *peer);

/*
 * The connection has ended, by whom ever. The caller must not use the peer any more. Whole requests
 * that came before are still carried out, each in its turn; nobody sees their answers.
 */
void kl_peer_close(kl_peer *peer, int64_t now_ns);

/*
 * The next peer that has new output, wants to be closed, or wants bytes again; NULL: none. Each is
 * named once for each time that something changed.
 */
kl_peer *kl_cluster_next_ready(kl_cluster *c);

#endif
