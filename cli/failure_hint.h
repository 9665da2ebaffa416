/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What somebody can do whose records were not delivered: which setting or tool to look at, beside
 * the sentence that says what happened. Constant text; nothing is owned, nothing fails.
 */
#ifndef KL_CLI_FAILURE_HINT_H
#define KL_CLI_FAILURE_HINT_H

#include <kloop/record.h>

/*
 * Of a record that was taken (status KLOOP_OK) by its outcome, cause and broker error; of one that
 * was never taken by status alone. NULL: there is nothing to advise.
 */
const char *kl_failure_hint(kloop_outcome outcome, kloop_cause cause, int16_t broker_error,
                            kloop_status status);

#endif
