/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each allocation of each story fails once.
 *
 * A story is told as ever, and the engine's allocations are counted. Then it is told again for each
 * of them: once with that one refused, and once with all from that one on for a while, as where
 * memory has run out and comes back. What the story itself expects does not count then, nor whether
 * everything is delivered; all else does: nothing is lost or left behind, each record is reported
 * once, the producer goes on and closes in time.
 */
#ifndef KL_SIM_TORTURE_H
#define KL_SIM_TORTURE_H

#include <stdint.h>

/* only: the name of one scenario, or NULL. Of the allocations each stride-th is tried. Answers the
 * exit code. */
int sim_torture(const char *only, uint64_t stride, unsigned jobs, uint64_t stop_after);

#endif
