/* SPDX-License-Identifier: BSD-2-Clause */
/* Learning from refusals. See batch_ceiling.h. */
#include "core/batch_ceiling.h"

#include "core/log.h"
#include "core/readiness.h"

/* So many batches that are nearly as large as allowed are stored before more is tried: where the
 * limit stands as it stood, one in about 400 is refused. */
#define FULL_BATCHES 64

/* To half of b, if that is less; true: it is. */
static bool lower(const kl_batch *b)
{
    kloop_topic *t = b->topic;
    size_t raw = kl_batch_raw_len(b);
    size_t half = KLOOP_BATCH_HEADER_BYTES + (raw - KLOOP_BATCH_HEADER_BYTES) / 2;
    if (half >= t->batch_bytes)
        return false;
    t->batch_bytes = half;
    t->refused_raw = raw;
    t->full_stored = 0;
    /* Open batches may have been told that there is room for more. */
    kl_readiness_review(t->engine, t, false);
    return true;
}

void kl_batch_ceiling_refused(kloop_engine *e, const kl_batch *b)
{
    kloop_topic *t = b->topic;
    size_t wire = kl_batch_builder_len(&b->builder);
    if (wire < t->refused_bytes)
        t->refused_bytes = wire;
    if (lower(b))
        kl_log(e, KLOOP_LOG_INFO,
               "topic '%s': a batch of %zu bytes (%zu before the codec) is too large for the "
               "broker, see message.max.bytes there or max.message.bytes of the topic. It is sent "
               "in smaller ones, and batches of the topic are kept to %zu bytes from now on.",
               t->name, wire, kl_batch_raw_len(b), t->batch_bytes);
}

void kl_batch_ceiling_forbade(kloop_engine *e, const kl_batch *b)
{
    const kloop_topic *t = b->topic;
    if (lower(b))
        kl_log(e, KLOOP_LOG_INFO,
               "topic '%s': a batch of %zu bytes (%zu before the codec) is split before it is "
               "sent, as one of %zu bytes was too large for the broker. Batches of the topic are "
               "kept to %zu bytes from now on.",
               t->name, kl_batch_builder_len(&b->builder), kl_batch_raw_len(b), t->refused_bytes,
               t->batch_bytes);
}

/* Is b as large as it may be, or nearly? Of large records none may fit any more long before that.
 */
static bool is_near_full(const kl_batch *b)
{
    size_t ceiling = b->topic->batch_bytes;
    size_t raw = kl_batch_raw_len(b);
    size_t record = (raw - KLOOP_BATCH_HEADER_BYTES) / (size_t)b->builder.count;
    return raw >= ceiling - ceiling / 8 || raw + record > ceiling;
}

void kl_batch_ceiling_stored(const kl_batch *b)
{
    kloop_topic *t = b->topic;
    if (KL_LIKELY(t->batch_bytes >= t->set->batch_bytes))
        return;
    if (kl_batch_builder_len(&b->builder) >= t->refused_bytes)
        t->refused_bytes = SIZE_MAX;
    if (!is_near_full(b) || ++t->full_stored < FULL_BATCHES)
        return;
    t->full_stored = 0;
    t->batch_bytes += t->batch_bytes / 8 + 1;
    if (t->batch_bytes > t->set->batch_bytes)
        t->batch_bytes = t->set->batch_bytes;
    /* From here on only trying can tell. */
    if (t->batch_bytes >= t->refused_raw)
        t->refused_bytes = SIZE_MAX;
}

bool kl_batch_ceiling_forbids(const kl_batch *b)
{
    return KL_UNLIKELY(kl_batch_builder_len(&b->builder) >= b->topic->refused_bytes) &&
           b->builder.count > 1 && !b->whole && !b->fate_unknown;
}
