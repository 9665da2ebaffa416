/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record of each decision, for the hook that wants to know (<kloop/hooks.h>). Without one, a
 * decision costs the test of a pointer.
 *
 *     KL_TRACE(e, batch, b, KLOOP_TRACE_SEALED, why, records, bytes);
 *     KL_TRACE(e, engine, e, KLOOP_TRACE_FLUSH, NULL, pending, 0);
 *
 * Owns nothing, cannot fail.
 */
#ifndef KL_CORE_TRACE_POINTS_H
#define KL_CORE_TRACE_POINTS_H

#include "core/engine_state.h"

#define KL_TRACE(e, of, ...)                                                                       \
    do {                                                                                           \
        if (KL_UNLIKELY((e)->hooks.on_decision != NULL))                                           \
            kl_trace_##of(__VA_ARGS__);                                                            \
    } while (0)

/* A time to be told; without an end it is the longest there is. */
static inline int64_t kl_trace_ns(uint64_t ns)
{
    return ns < INT64_MAX ? (int64_t)ns : INT64_MAX;
}

/* What is not said is taken from b: topic, partition, the broker's last error. */
void kl_trace_batch(const kl_batch *b, kloop_trace_kind kind, int why, int64_t x, int64_t y);
/* KLOOP_SEAL_ALONG: unless there is a better reason. */
void kl_trace_sealed(const kl_batch *b, kloop_trace_seal why);
void kl_trace_request_of(const kl_batch *b, const kl_request *r, int32_t broker);
void kl_trace_partition(const kl_partition *p, kloop_trace_kind kind, int64_t x, int64_t y);
void kl_trace_leader(const kloop_topic *t, int32_t index);
void kl_trace_topic(const kloop_topic *t, bool anew);
void kl_trace_conn(const kl_conn *c, kloop_trace_conn state);
void kl_trace_broker(const kl_broker *b, kloop_trace_kind kind, int why, int64_t x, int64_t y);
void kl_trace_request(const kl_conn *c, kloop_trace_kind kind, const kl_request *r, int64_t y);
void kl_trace_engine(kloop_engine *e, kloop_trace_kind kind, const kloop_topic *t, int64_t x,
                     int64_t y);

#endif
