/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of an idempotent producer's numbers.
 *
 * Within a partition and under one producer id and epoch, batches that go out for the first time
 * are numbered without a gap. No batch overtakes one before it whose fate is open, at most five are
 * open, and nothing new follows a hole. Under a new epoch a partition begins at 0 when nothing of
 * the old one is open, and it goes on under an old one only as long as something is; and what goes
 * out with new numbers was surely not stored with the old ones. A batch that was refused may go out
 * in parts, each under the numbers that its records had. When the topic has become another one,
 * numbers begin anew.
 */
#ifndef KL_SIM_NUMBERS_H
#define KL_SIM_NUMBERS_H

#include "tests/sim/sim_watch.h"

#include <kloop/batch.h>

/* Does an answer with this error leave it open whether the batch is in the log? */
bool sim_numbers_says_nothing(int16_t error);

/* Do these numbers follow those of the partition's latest batch? */
bool sim_numbers_is_next(const sim_part *part, const kloop_batch_header *h);
/* A batch goes out for the first time. */
void sim_numbers_check_new(sim *s, const sim_conn *c, sim_part *part, const kloop_batch_header *h);
/* Records go out that went out before, with other numbers. */
void sim_numbers_check_again(sim *s, const sim_batch *mine);
/* A batch goes out, for the first time or not. */
void sim_numbers_check_order(sim *s, const sim_conn *c, sim_part *part, const sim_batch *mine);

/* The batch whose numbers these are a part of, or NULL. */
sim_batch *sim_numbers_find_whole(sim *s, const sim_part *part, const kloop_batch_header *h);
/* They go out as such a part. Its members are those in sim_book from first_member on. */
void sim_numbers_check_part(sim *s, sim_batch *whole, const kloop_batch_header *h,
                            uint32_t first_member);

#endif
