/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration as the engine uses it: numbers in the engine's own units, checked one by one and
 * against each other. Made from a kloop_config by kl_settings_load(), never changed afterwards.
 *
 * Who owns what: kl_settings owns its text; kl_settings_deinit gives it back.
 */
#ifndef KL_CORE_SETTINGS_H
#define KL_CORE_SETTINGS_H

#include "core/api_caps.h"
#include "core/topic_settings.h"

#include <kloop/config.h>

typedef struct kl_bootstrap {
    kloop_string host; /* terminated, without brackets */
    uint16_t port;
} kl_bootstrap;

struct kl_settings {
    kloop_allocator alloc;

    kl_bootstrap *bootstrap; /* in the order given, without doubles */
    size_t bootstrap_count;
    kloop_string client_id;

    int16_t acks; /* -1 all, 1, 0 */
    bool idempotent;
    bool idempotence_turned_off; /* not asked for: acks or retries rule it out */

    kl_topic_settings topic;     /* of topics that nothing was set for */
    kl_topic_named_keys *topics; /* of the others, in the order given */
    size_t topic_count;

    size_t record_bytes_max;  /* max.request.size: of a record and of a batch */
    size_t request_bytes_max; /* request.bytes.max: of a request of many partitions */
    size_t memory_bytes;      /* buffer.memory */
    size_t receive_frame_max; /* receive.message.max.bytes */
    size_t receive_bytes_max; /* receive.memory: all receive buffers together */

    uint32_t in_flight_max;
    uint32_t retries; /* INT32_MAX: as often as the time allows */

    uint64_t delivery_timeout_ns;
    uint64_t request_timeout_ns;
    int32_t request_timeout_ms; /* also told to the broker */
    uint64_t max_block_ns;
    uint64_t retry_backoff_ns;
    uint64_t retry_backoff_max_ns;
    uint64_t reconnect_backoff_ns;
    uint64_t reconnect_backoff_max_ns;
    uint64_t setup_timeout_ns; /* socket.connection.setup.timeout.ms */
    uint64_t setup_timeout_max_ns;
    uint64_t idle_ns; /* connections.max.idle.ms; KLOOP_NEVER: never */
    uint64_t metadata_max_age_ns;
    uint64_t metadata_max_idle_ns;
    uint64_t availability_ns; /* partitioner.availability.timeout.ms; 0: not looked at */
    bool auto_create_topics;
    bool rebootstraps; /* metadata.recovery.strategy */
    uint64_t rebootstrap_trigger_ns;
    kl_api_caps caps; /* api.version.max */

    bool tls, sasl;                   /* security.protocol */
    uint32_t login_factor_millionths; /* sasl.login.refresh.* */
    uint32_t login_jitter_millionths;
    uint64_t login_period_ns;
    uint64_t login_buffer_ns;
};

/* Loads and checks. KLOOP_BAD_CONFIG or KLOOP_NO_MEMORY with a sentence in *error, which may be
 * NULL; *s needs no deinit then. */
kloop_status kl_settings_load(kl_settings *s, const kloop_config *config,
                              const kloop_allocator *alloc, kloop_error *error);
void kl_settings_deinit(kl_settings *s);

/* Is idempotence off without having been switched off? false where nothing can be loaded. */
bool kl_settings_turn_off_idempotence(const kloop_config *config);

#endif
