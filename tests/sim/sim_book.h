/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The book of batches: what each Produce request holds, whether its numbers obey the rules of an
 * idempotent producer, and what the answers said of it.
 */
#ifndef KL_SIM_BOOK_H
#define KL_SIM_BOOK_H

#include "tests/sim/sim_watch.h"

/* The body of a Produce request that went out whole. Answers whether there will be an answer. */
bool sim_book_produce(sim *s, sim_conn *c, int16_t version, const uint8_t *body, size_t len);

/* The connection is over: nobody answers what was asked there. */
void sim_book_over(sim *s, const sim_conn *c);

/* The body of the answer to it; false: it cannot be read. */
bool sim_book_answer(sim *s, const sim_asked *asked, const uint8_t *body, size_t len);

#endif
