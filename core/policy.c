/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules. See policy.h. */
#include "core/policy.h"

#include <kloop/broker_error.h>

#include <stddef.h>

/* As answers to Produce with a producer id these end the producer: Java's does the same. */
static bool ends_producer(int16_t code)
{
    switch (code) {
    case KLOOP_BROKER_CLUSTER_AUTHORIZATION_FAILED:
    case KLOOP_BROKER_UNSUPPORTED_VERSION:
    case KLOOP_BROKER_INVALID_PRODUCER_ID_MAPPING:
    case KLOOP_BROKER_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case KLOOP_BROKER_PRODUCER_FENCED:
        return true;
    default:
        return false;
    }
}

/* Says of itself that it does not know what has happened, or nobody knows what it says. */
static bool is_mystery(int16_t code)
{
    return code == KLOOP_BROKER_UNKNOWN_SERVER_ERROR || !kloop_broker_error_find(code);
}

static kl_verdict of_batch(int16_t code, uint32_t classes, bool idempotent)
{
    if (classes & KLOOP_CLASS_SUCCESS)
        return code == KLOOP_BROKER_NONE ? KL_VERDICT_DONE : KL_VERDICT_DONE_BEFORE;
    if (!kloop_broker_error_find(code))
        return KL_VERDICT_RETRY_ONCE;
    /* Before the retriable ones: these are retriable too, once the numbers are mended.
     * INVALID_PRODUCER_EPOCH is not about a rival here: without transactions nobody else has this
     * id, and a newer epoch in the log is our own. */
    if (idempotent &&
        ((classes & KLOOP_CLASS_SEQUENCE) || code == KLOOP_BROKER_INVALID_PRODUCER_EPOCH))
        return KL_VERDICT_SEQUENCE;
    if (classes & KLOOP_CLASS_SPLIT)
        return KL_VERDICT_SPLIT;
    if (classes & KLOOP_CLASS_RETRIABLE)
        return KL_VERDICT_RETRY;
    return idempotent && ends_producer(code) ? KL_VERDICT_FATAL : KL_VERDICT_FAIL;
}

/* Nothing is lost by asking again: records wait for a topic no longer than max.block.ms. */
static kl_verdict of_topic(int16_t code, uint32_t classes)
{
    return (classes & KLOOP_CLASS_RETRIABLE) || is_mystery(code) ? KL_VERDICT_RETRY
                                                                 : KL_VERDICT_FAIL;
}

/* The same: records wait no longer than delivery.timeout.ms. */
static kl_verdict of_producer_id(int16_t code, uint32_t classes)
{
    return (classes & KLOOP_CLASS_RETRIABLE) || is_mystery(code) ? KL_VERDICT_RETRY
                                                                 : KL_VERDICT_FATAL;
}

kl_ruling kl_policy(kl_question question, int16_t code)
{
    uint32_t classes = kloop_broker_error_classes(code);
    bool of_batches = question == KL_QUESTION_PLAIN || question == KL_QUESTION_IDEMPOTENT;
    kl_ruling ruling = {
        .verdict = KL_VERDICT_DONE,
        .maybe_stored =
            of_batches && code != KLOOP_BROKER_NONE && !(classes & KLOOP_CLASS_NOT_STORED),
        .refresh = of_batches && (classes & KLOOP_CLASS_REFRESH_METADATA) != 0,
    };
    if (of_batches)
        ruling.verdict = of_batch(code, classes, question == KL_QUESTION_IDEMPOTENT);
    else if (code == KLOOP_BROKER_NONE)
        ruling.verdict = KL_VERDICT_DONE;
    else if (question == KL_QUESTION_TOPIC)
        ruling.verdict = of_topic(code, classes);
    else if (question == KL_QUESTION_PRODUCER_ID)
        ruling.verdict = of_producer_id(code, classes);
    else if (question == KL_QUESTION_VERSIONS)
        ruling.verdict =
            code == KLOOP_BROKER_UNSUPPORTED_VERSION ? KL_VERDICT_LOWER : KL_VERDICT_RECONNECT;
    else
        ruling.verdict = KL_VERDICT_RETRY;
    return ruling;
}
