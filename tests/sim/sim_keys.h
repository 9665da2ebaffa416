/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where records with a key have to go, by the partitioner of the topic: written a second time, in
 * another way than the engine's.
 */
#ifndef KL_SIM_KEYS_H
#define KL_SIM_KEYS_H

#include <kloop/types.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct sim sim;

/* The names of partitioner.class, drawn from by the swarm. NULL behind the last one. */
const char *sim_keys_partitioner(int n);

/* Does such a key alone decide where a record goes? Then *hash is what is to be kept of it. */
bool sim_keys_decide(sim *s, int topic, kloop_slice key, uint32_t *hash);
/* The only right partition of this many. */
int32_t sim_keys_partition(sim *s, int topic, uint32_t hash, int32_t count);

#endif
