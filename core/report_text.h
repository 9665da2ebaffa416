/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sentence of a report: what happened to the records, to which topic and partition, and the
 * last thing that stood in their way.
 */
#ifndef KL_CORE_REPORT_TEXT_H
#define KL_CORE_REPORT_TEXT_H

#include "core/engine_state.h"

/* Into e->report_text; empty when b was acked. */
void kl_report_text(kloop_engine *e, const kl_batch *b);

#endif
