/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and addresses: what a resolver would answer, and who is at an address.
 *
 * Node n is known as "node-n" (which Metadata tells) and as "boot-n" (which the configuration
 * tells). Each node has an IPv4 and an IPv6 address, which change when it moves; nobody is at the
 * old ones then. The answers themselves wait in the host (sim_host.h) until its turn.
 */
#ifndef KL_SIM_NAMES_H
#define KL_SIM_NAMES_H

#include "tests/sim/sim_host.h"

#include <kloop/engine.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct sim sim;

#define SIM_PORT 9092

void sim_names_resolve(sim *s, const kloop_action *action);
void sim_names_cancel(sim *s, kloop_id id);
/* Tells the engine what has been answered; true: there was something. */
bool sim_names_tell(sim *s);

/* One address more in an answer. node: who is there, or KL_NO_NODE: nobody. */
void sim_names_add(sim *s, sim_resolution *r, int32_t node, bool v6);

/* KL_NO_NODE: nobody. */
int32_t sim_names_node_at(const sim *s, const kloop_address *address);
/* From a host's name; KL_NO_NODE: no such name. */
int32_t sim_names_node_of(const sim *s, const char *host);

#endif
