/* SPDX-License-Identifier: BSD-2-Clause */
/* The rule for answers to Produce. See retry.h. */
#include "core/retry.h"

#include <kloop/broker_error.h>

/* With a producer id these end the producer: Java's does the same. */
static bool ends_producer(int16_t code)
{
    switch (code) {
    case 31: /* CLUSTER_AUTHORIZATION_FAILED */
    case 35: /* UNSUPPORTED_VERSION */
    case 49: /* INVALID_PRODUCER_ID_MAPPING */
    case 53: /* TRANSACTIONAL_ID_AUTHORIZATION_FAILED */
    case 90: /* PRODUCER_FENCED */
        return true;
    default:
        return false;
    }
}

kl_ruling kl_retry_rule(int16_t code, bool idempotent)
{
    const kloop_broker_error *known = kloop_broker_error_find(code);
    uint32_t classes = kloop_broker_error_classes(code);
    kl_ruling ruling = {
        .maybe_stored = code != 0 && !(classes & KLOOP_CLASS_NOT_STORED),
        .refresh = (classes & KLOOP_CLASS_REFRESH_METADATA) != 0,
    };
    if (code == 0)
        ruling.verdict = KL_VERDICT_STORED;
    else if (classes & KLOOP_CLASS_SUCCESS)
        ruling.verdict = KL_VERDICT_STORED_BEFORE;
    else if (!known)
        ruling.verdict = KL_VERDICT_RETRY_ONCE;
    /* Before the retriable ones: these are retriable too, once the numbers are mended.
     * INVALID_PRODUCER_EPOCH is not about a rival here: without transactions nobody else has this
     * id, and a newer epoch in the log is our own. */
    else if (idempotent && ((classes & KLOOP_CLASS_SEQUENCE) || code == 47))
        ruling.verdict = KL_VERDICT_SEQUENCE;
    else if (classes & KLOOP_CLASS_RETRIABLE)
        ruling.verdict = KL_VERDICT_RETRY;
    else if (idempotent && ends_producer(code))
        ruling.verdict = KL_VERDICT_FATAL;
    else
        ruling.verdict = KL_VERDICT_FAIL;
    return ruling;
}
