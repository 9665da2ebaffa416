/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keeps us from brokers, one after the other, in a sentence: for a person who has to find out
 * which of several is wrong. Owns nothing, cannot fail.
 */
#ifndef KL_CORE_TROUBLES_H
#define KL_CORE_TROUBLES_H

#include "core/engine_state.h"

/*
 * Of the brokers that a warm-up counted in this round, those that are not ready; round NULL: of all
 * that are known. As many as there is room for, and how many there are beyond. Answers text, which
 * is "" when there is nothing to be said.
 */
const char *kl_troubles(const kloop_engine *e, const uint64_t *round, char *text, size_t size);

#endif
