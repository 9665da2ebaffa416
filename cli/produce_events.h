/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of `kloop produce --events`, in the form of Kafka's VerifiableProducer. Beyond that
 * form, age_ms is the time from the sending of a record to its event: delivery.timeout.ms bounds
 * it, and timestamps that a reader takes would not show whether it was kept.
 *
 * Lines are appended to a kl_buf, whose sticky failure tells of missing memory.
 */
#ifndef KL_CLI_PRODUCE_EVENTS_H
#define KL_CLI_PRODUCE_EVENTS_H

#include "base/buf.h"

#include <kloop/record.h>

/* What became of a record. */
typedef struct kl_produce_event {
    int64_t wall_ms;
    uint64_t age_ms; /* since its sending */
    kloop_slice key;
    kloop_slice value;
    kloop_string topic;
    int32_t partition; /* -1: none was chosen */
} kl_produce_event;

void kl_event_startup(kl_buf *out, int64_t wall_ms);
void kl_event_success(kl_buf *out, const kl_produce_event *event, int64_t offset);
/* outcome is FAILED or UNKNOWN; error one word, message a sentence. */
void kl_event_error(kl_buf *out, const kl_produce_event *event, kloop_outcome outcome,
                    const char *error, const char *message);
/* The two last lines. */
void kl_event_shutdown(kl_buf *out, int64_t wall_ms, uint64_t acked, uint64_t failed,
                       uint64_t unknown, int64_t run_ms);

#endif
