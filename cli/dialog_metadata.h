/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer to Metadata, as far as it is one: who answers with an error for all of it, or with
 * more brokers than any cluster has, has FAILED. Nothing is owned; the answer shows the dialog's
 * bytes until its next question.
 */
#ifndef KL_CLI_DIALOG_METADATA_H
#define KL_CLI_DIALOG_METADATA_H

#include "cli/dialog.h"

/* Each of them may be visited, which costs memory: so many are more than there are anywhere. */
#define KL_DIALOG_BROKERS_MAX 10000

/* READY after a question for Metadata. false: FAILED. */
bool kl_dialog_take_metadata(kl_dialog *d, kloop_metadata_response *metadata);

#endif
