/* SPDX-License-Identifier: BSD-2-Clause */
/* The codec's queue. See folding.h. */
#include "core/folding.h"

#include "core/budget.h"
#include "core/log.h"
#include "core/readiness.h"

void kl_folding_begin(kloop_engine *e, kl_batch *b)
{
    b->stage = KL_STAGE_FOLDING;
    b->raw_bytes = kl_chain_len(&b->builder.payload);
    e->stirred = true;
    kl_list_push_back(&e->folding, &b->in_queue);
}

void kl_folding_forget(kloop_engine *e, kl_batch *b)
{
    if (e->sealing == b) {
        kl_batch_seal_cancel(&e->sealer);
        e->sealing = NULL;
    }
    kl_list_remove(&b->in_queue);
    b->stage = KL_STAGE_READY;
}

/* What a step costs, in units of about 50 us; see the table in codecs/codec.h. */
static uint32_t step_cost(const kloop_engine *e)
{
    const kl_codec *codec = kl_codec_by_id((int)e->set.codec);
    int32_t level =
        e->set.codec_level == KL_CODEC_LEVEL_DEFAULT ? codec->level_default : e->set.codec_level;
    switch (e->set.codec) {
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

static void finish(kloop_engine *e, kl_batch *b)
{
    e->sealing = NULL;
    kl_list_remove(&b->in_queue);
    b->stage = KL_STAGE_READY;
    kl_budget_released(e);
    kl_readiness_update(e, b->partition);
}

/* The codec does not work here: this batch goes out without it. */
static void without_codec(kloop_engine *e, kl_batch *b, kl_codec_status why)
{
    kl_log(e, KLOOP_LOG_WARN, "topic '%s' partition %d: %s: %s; this batch is sent uncompressed",
           b->topic->name, (int)b->partition->index, kl_codec_by_id((int)e->set.codec)->name,
           kl_codec_status_text(why));
    b->raw = true;
    finish(e, b);
}

bool kl_folding_step(kloop_engine *e)
{
    if (kl_list_is_empty(&e->folding) || e->turn_work == 0)
        return false;
    kl_batch *b = KL_CONTAINER_OF(kl_list_first(&e->folding), kl_batch, in_queue);
    uint32_t cost = step_cost(e);
    e->turn_work = e->turn_work > cost ? e->turn_work - cost : 0;
    if (!e->compressor) {
        kl_codec_status made =
            kl_compressor_new(&e->compressor, e->set.codec, e->set.codec_level, &e->alloc);
        if (made) {
            without_codec(e, b, made);
            return true;
        }
    }
    if (!e->sealing) {
        kl_codec_status begun = kl_batch_seal_begin(&e->sealer, &b->builder, e->compressor);
        if (begun) {
            without_codec(e, b, begun);
            return true;
        }
        e->sealing = b;
    }
    bool done;
    kl_codec_status status =
        kl_batch_seal_step(&e->sealer, kl_compressor_step_bytes(e->compressor), &done);
    if (status)
        without_codec(e, b, status);
    else if (done)
        finish(e, b);
    return true;
}
