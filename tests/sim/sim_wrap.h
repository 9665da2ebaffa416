/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sequences near their end. No run sends 2^31 records to a partition; so now and then one jumps to
 * shortly before that, and its brokers forget what was before.
 */
#ifndef KL_SIM_WRAP_H
#define KL_SIM_WRAP_H

#include <stdint.h>

typedef struct sim sim;

/* The partition's next batch has this sequence. */
void sim_wrap_jump(sim *s, int topic, int32_t partition, int32_t sequence);
/* The same for one of those whose every request was answered: nothing old may come behind it. */
void sim_wrap_strike(sim *s);

#endif
