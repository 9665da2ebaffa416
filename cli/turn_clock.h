/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU time of the longest turn of a loop, from before poll until the end of its check phase:
 * what a producer takes of a loop whose user sends in other phases. Unlike kloop's own figure,
 * which is told by the wall's clock, this one does not see what other processes did meanwhile. It
 * costs two calls of the system in each turn.
 *
 *     libuv runs last what was started first: start this before what is to be watched.
 *
 * Owns two handles, which do not keep the loop alive. Nothing fails.
 */
#ifndef KL_CLI_TURN_CLOCK_H
#define KL_CLI_TURN_CLOCK_H

#include <stdint.h>
#include <uv.h>

typedef struct kl_turn_clock {
    uv_prepare_t prepare;
    uv_check_t check;
    uint64_t begin_ns;
    uint64_t max_ns;
} kl_turn_clock;

void kl_turn_clock_start(kl_turn_clock *clock, uv_loop_t *loop);
/* The loop has to run on for the handles to be gone. */
void kl_turn_clock_close(kl_turn_clock *clock);

#endif
