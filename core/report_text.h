/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sentence of a report: what happened to the records, to which topic and partition, and the
 * last thing that stood in their way.
 */
#ifndef KL_CORE_REPORT_TEXT_H
#define KL_CORE_REPORT_TEXT_H

#include "core/engine_state.h"

/* About this run of b, into e->report_text; empty when it was acked. said: what the broker says of
 * just these records, "" if nothing. */
void kl_report_text(kloop_engine *e, const kl_batch *b, const kloop_report *run, const char *said);

#endif
