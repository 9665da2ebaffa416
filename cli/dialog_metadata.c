/* SPDX-License-Identifier: BSD-2-Clause */
/* See dialog_metadata.h. */
#include "cli/dialog_metadata.h"

#include <stdio.h>

bool kl_dialog_take_metadata(kl_dialog *d, kloop_metadata_response *metadata)
{
    char why[320];
    if (!kl_dialog_answer(d, metadata))
        return false;
    if (metadata->error_code == 0 && metadata->brokers.count <= KL_DIALOG_BROKERS_MAX)
        return true;
    if (metadata->error_code)
        snprintf(why, sizeof why, "its answer to Metadata is %s: %s",
                 kloop_broker_error_name(metadata->error_code),
                 kloop_broker_error_explain(metadata->error_code));
    else
        snprintf(why, sizeof why,
                 "it tells of %d brokers, which is more than any cluster has: it is no Kafka",
                 metadata->brokers.count);
    kl_dialog_give_up(d, why);
    return false;
}
