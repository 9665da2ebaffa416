/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The book of batches: what each Produce request holds, whether its numbers obey the rules of an
 * idempotent producer, and what the answers said of it.
 *
 * The rules. Within a partition and under one producer id and epoch, batches that go out for the
 * first time are numbered without a gap from 0. What goes out again is the same, byte for byte. No
 * batch overtakes one before it whose fate is open, at most five are open, and nothing new follows
 * a hole. Under a new epoch a partition begins at 0 when nothing of the old one is open; and what
 * goes out with new numbers was surely not stored with the old ones.
 */
#ifndef KL_SIM_BOOK_H
#define KL_SIM_BOOK_H

#include "tests/sim/sim_watch.h"

/* The body of a Produce request that went out whole. Answers whether there will be an answer. */
bool sim_book_produce(sim *s, sim_conn *c, int16_t version, const uint8_t *body, size_t len);

/* The body of the answer to it; false: it cannot be read. */
bool sim_book_answer(sim *s, const sim_asked *asked, const uint8_t *body, size_t len);

#endif
