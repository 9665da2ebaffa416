/* SPDX-License-Identifier: BSD-2-Clause */
/* The codec's queue. See folding.h. */
#include "core/folding.h"

#include "core/codec_choice.h"
#include "core/log.h"
#include "core/readiness.h"
#include "core/trace_points.h"

void kl_folding_begin(kloop_engine *e, kl_batch *b)
{
    b->codec = kl_codec_choice_for(b->partition);
    if (b->codec.id == KL_CODEC_NONE) {
        b->stage = KL_STAGE_READY;
        return;
    }
    b->stage = KL_STAGE_FOLDING;
    b->raw_bytes = kl_chain_len(&b->builder.payload);
    e->stirred = true;
    e->reshape.unfolded += b->folded_before;
    kl_list_push_back(&e->folding, &b->in_queue);
}

/* Out of the queue. */
static void leave(kloop_engine *e, kl_batch *b)
{
    kl_list_remove(&b->in_queue);
    b->stage = KL_STAGE_READY;
    e->reshape.unfolded -= b->folded_before;
}

void kl_folding_forget(kloop_engine *e, kl_batch *b)
{
    if (e->sealing == b) {
        kl_batch_seal_cancel(&e->sealer);
        e->sealing = NULL;
    }
    leave(e, b);
}

/* What a step costs, in units of about 50 us; see the table in codecs/codec.h. */
static uint32_t step_cost(kl_codec_wanted wanted)
{
    const kl_codec *codec = kl_codec_by_id((int)wanted.id);
    int32_t level = wanted.level == KL_CODEC_LEVEL_DEFAULT ? codec->level_default : wanted.level;
    switch (wanted.id) {
    case KL_CODEC_NONE:
    case KL_CODEC_SNAPPY:
        return 1;
    case KL_CODEC_LZ4:
        return level == codec->level_default ? 1 : 8;
    case KL_CODEC_ZSTD:
        return level <= 3 ? 1 : level <= 6 ? 4 : 8;
    case KL_CODEC_GZIP:
        break;
    }
    return 8;
}

/* Of the next step of b. Small batches cost less: hundreds of them, of a record each, may wait for
 * the codec at once, as when their leader has changed to one that does not know the codec they
 * had; at a whole step each that took a turn or two of the host for a few hundred bytes. */
static uint32_t next_cost(const kloop_engine *e, const kl_batch *b)
{
    uint32_t whole = step_cost(b->codec);
    /* The first one clears tables, which are the smaller the fewer bytes are to come. */
    size_t step = e->sealing ? e->sealing_step : KL_CODEC_STEP_BYTES;
    return b->raw_bytes < step ? 1 + (uint32_t)((whole - 1) * b->raw_bytes / step) : whole;
}

static void finish(kloop_engine *e, kl_batch *b)
{
    e->sealing = NULL;
    leave(e, b);
    KL_TRACE(e, batch, b, KLOOP_TRACE_COMPRESSED, (int)b->builder.codec, (int64_t)b->raw_bytes,
             (int64_t)kl_chain_len(&b->builder.payload));
    kl_readiness_update(e, b->partition);
}

/* The codec does not work here: this batch goes out without it. */
static void without_codec(kloop_engine *e, kl_batch *b, kl_codec_status why)
{
    kl_log(e, KLOOP_LOG_WARN, "topic '%s' partition %d: %s: %s; this batch is sent uncompressed",
           b->topic->name, (int)b->partition->index, kl_codec_by_id((int)b->codec.id)->name,
           kl_codec_status_text(why));
    b->raw = true;
    finish(e, b);
}

/* A step of its own: the codec may have much to clear. */
static kl_codec_status begin(kloop_engine *e, kl_batch *b)
{
    kl_compressor *compressor;
    bool ready = false;
    kl_codec_status status = kl_compressors_get(e, b->codec, &compressor);
    if (!status)
        status = kl_compressor_prepare(compressor, kl_chain_len(&b->builder.payload), &ready);
    if (status || !ready)
        return status;
    status = kl_batch_seal_begin(&e->sealer, &b->builder, compressor);
    if (status)
        return status;
    e->sealing = b;
    e->sealing_step = kl_compressor_step_bytes(compressor);
    return KL_CODEC_OK;
}

bool kl_folding_step(kloop_engine *e)
{
    if (kl_list_is_empty(&e->folding) || e->turn_work == 0)
        return false;
    kl_batch *b = KL_CONTAINER_OF(kl_list_first(&e->folding), kl_batch, in_queue);
    uint32_t cost = next_cost(e, b);
    e->turn_work = e->turn_work > cost ? e->turn_work - cost : 0;
    bool done = false;
    kl_codec_status status =
        e->sealing ? kl_batch_seal_step(&e->sealer, e->sealing_step, &done) : begin(e, b);
    if (status)
        without_codec(e, b, status);
    else if (done)
        finish(e, b);
    return true;
}
