/* SPDX-License-Identifier: BSD-2-Clause */
/* Who follows whom. See config_follow.h. */
#include "core/config_follow.h"

#include "core/config_read.h"

static int64_t at_least(int64_t preset, int64_t other)
{
    return preset > other ? preset : other;
}

/* delivery.timeout.ms ends with the ints. */
static int64_t time_to_deliver(const kloop_config *c)
{
    int64_t linger_ms = kl_config_number(c, KL_CONFIG_LINGER);
    int64_t request_ms = kl_config_number(c, KL_CONFIG_REQUEST_TIMEOUT);
    return linger_ms < INT32_MAX - request_ms ? linger_ms + request_ms : INT32_MAX;
}

/* acks=0 and acks=1 come last in the list, and retries=0 is as little of a promise. */
static bool may_be_idempotent(const kloop_config *c)
{
    return kl_config_number(c, KL_CONFIG_ACKS) <= 1 && kl_config_number(c, KL_CONFIG_RETRIES) > 0;
}

int64_t kl_config_follow(const kloop_config *c, kl_config_id id, int64_t preset)
{
    switch ((int)id) {
    case KL_CONFIG_DELIVERY_TIMEOUT:
        return at_least(preset, time_to_deliver(c));
    case KL_CONFIG_IDEMPOTENCE:
        return preset && may_be_idempotent(c);
    case KL_CONFIG_RECEIVE_MEMORY:
        return at_least(preset, kl_config_number(c, KL_CONFIG_RECEIVE_MAX));
    case KL_CONFIG_RECONNECT_MAX:
        /* Kafka's rule, older than this key: a first pause alone means them all, also where it is
         * shorter. */
        return kl_config_has(c, KL_CONFIG_RECONNECT) ? kl_config_number(c, KL_CONFIG_RECONNECT)
                                                     : preset;
    case KL_CONFIG_REQUEST_MAX:
        return at_least(preset, kl_config_number(c, KL_CONFIG_RECORD_MAX));
    case KL_CONFIG_RETRY_MAX:
        return at_least(preset, kl_config_number(c, KL_CONFIG_RETRY));
    case KL_CONFIG_SETUP_MAX:
        return at_least(preset, kl_config_number(c, KL_CONFIG_SETUP));
    default:
        return preset;
    }
}
