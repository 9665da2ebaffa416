/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of the engine: an allocator that counts, poisons what is given back, and catches a
 * block that is given back twice, with another size, or while the host still writes from it.
 *
 * New blocks are filled too, so that nothing is found zero by luck. Every block is in one list, so
 * that a run which was broken off leaves nothing behind.
 *
 * May fail on purpose: see SIM_FAULT_NO_MEMORY.
 */
#ifndef KL_SIM_MEMORY_H
#define KL_SIM_MEMORY_H

#include "base/list.h"

#include <kloop/types.h>

#include <stdint.h>

typedef struct sim sim;

#define SIM_POISON 0xDD

typedef struct sim_memory {
    kl_list blocks;
    uint64_t bytes; /* what the engine has now */
    uint64_t bytes_max;
    uint64_t allocations; /* so far, those that failed too */
    uint64_t allocated;   /* bytes, so far */
    uint64_t releases;
    kloop_allocator table;
    /* on purpose: those from this number on, so many; 0: none */
    uint64_t fail_from;
    uint64_t fail_count;
} sim_memory;

void sim_memory_init(sim *s);
/* Gives back what is left. */
void sim_memory_deinit(sim *s);

#endif
