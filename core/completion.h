/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of batches: answers, retries, the end of their time, and the reports, each record
 * once and in the order of its partition.
 *
 * A batch whose fate is settled waits in its partition's line until all before it are settled too.
 * One that is settled while it is in flight (its time is over) is a ghost from then on: reported,
 * but in flight for its partition until the answer comes or the connection is lost.
 */
#ifndef KL_CORE_COMPLETION_H
#define KL_CORE_COMPLETION_H

#include "core/engine_state.h"

/* Not settled yet. In flight or not. */
void kl_completion_settle(kloop_engine *e, kl_batch *b, kloop_outcome outcome, kloop_cause cause);
/* With what is known of its attempts: UNKNOWN if one may have stored it or still may, else FAILED.
 */
void kl_completion_give_up(kloop_engine *e, kl_batch *b, kloop_cause cause);

/* The answer to the attempt that b is in flight with. */
void kl_completion_answered(kloop_engine *e, kl_batch *b,
                            const kloop_produce_partition_response *answer);
/* b, which is READY and not settled, goes again after a pause, or is given up for the cause if it
 * has no attempt left. */
void kl_completion_retry(kloop_engine *e, kl_batch *b, kloop_cause cause);
/* b, which is READY, could not be made fit for sending: again after a pause. That was no attempt.
 */
void kl_completion_put_off(kloop_engine *e, kl_batch *b);
/* The same where it takes another connection: after the longest of pauses. */
void kl_completion_put_off_long(kloop_engine *e, kl_batch *b);
/* There will be no answer to it. doubtful: the broker may have got it. */
void kl_completion_lost(kloop_engine *e, kl_batch *b, bool doubtful);
/* An answer came to its request and says nothing of it. */
void kl_completion_left_out(kloop_engine *e, kl_batch *b);
/* acks=0: it was handed to the network, which is all that can be said. */
void kl_completion_handed_over(kloop_engine *e, kl_batch *b);

/* The next run of reports; false: none. What the run before it held is given back. */
bool kl_completion_next_report(kloop_engine *e, kloop_report *report);
/* Records that were accepted and not shown in a report yet. */
uint64_t kl_completion_pending(const kloop_engine *e);
/* Are there reports to be taken, or one whose memory is to be given back? */
bool kl_completion_has_report(const kloop_engine *e);

#endif
