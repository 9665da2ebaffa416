/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which brokers there are and where, as bootstrap.servers and answers tell.
 *
 * A broker that no answer tells of any longer stays, for partitions and requests point at it; it
 * goes when nothing does, and room is needed for others. So its number, its failures and its
 * connection survive an answer that lacks it.
 *
 * The engine owns the brokers. How they are reached: nodes.h, where kl_broker is.
 */
#ifndef KL_CORE_KNOWN_BROKERS_H
#define KL_CORE_KNOWN_BROKERS_H

#include "core/engine_state.h"

/* Makes the entries of bootstrap.servers. */
kloop_status kl_known_init(kloop_engine *e);
void kl_known_del_all(kloop_engine *e);

kl_broker *kl_known_broker(const kloop_engine *e, int32_t id);
/* A node and its place, as a broker tells; NULL: nobody can connect to that, there are too many
 * already, or no memory. One that moved to another host loses its connection. */
kl_broker *kl_known_node(kloop_engine *e, int32_t id, kloop_string host, int32_t port);
/*
 * The brokers of an answer, of kloop_metadata_broker: these are known from now on, and no others.
 * Those that nobody has any use for make room, if there would be too many. false: none of them can
 * be, or no memory; the first of these leaves everything as it was. odd: what is wrong with one
 * that cannot be, or "".
 */
bool kl_known_take_view(kloop_engine *e, const kloop_array *brokers, char *odd, size_t size);
/* No node is known any more: whoever wants to know something has to begin with bootstrap.servers.
 */
void kl_known_forget(kloop_engine *e);

/* Is there a known node at this place? */
bool kl_known_is_taken(const kloop_engine *e, kloop_string host, int32_t port);

/* b, and whoever is at the same place, is of another cluster, or of ours after all. Until then it
 * gets no records, and is asked nothing but which cluster it is of. */
void kl_known_set_stranger(kloop_engine *e, kl_broker *b, bool stranger);
/* Do they only differ in their numbers? */
bool kl_known_at_one_place(const kl_broker *a, const kl_broker *b);

#endif
