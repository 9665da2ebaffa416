/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compressors of a producer: one for each codec and level in use, shared by all topics.
 *
 * A few at most, for one of zstd's highest levels takes megabytes; whoever was used longest ago
 * makes room for another. One that nobody has used for half a minute is given back.
 *
 * Who owns what: the engine owns them all; a sealer borrows one until its records are folded, and
 * only one batch at a time is folded.
 */
#ifndef KL_CORE_COMPRESSORS_H
#define KL_CORE_COMPRESSORS_H

#include "base/heap.h"
#include "core/topic_settings.h"

#define KL_COMPRESSORS_MAX 4

typedef struct kl_compressor_seat {
    kl_compressor *compressor;
    int32_t level;
    uint64_t used_ns;
} kl_compressor_seat;

typedef struct kl_compressors {
    kl_compressor_seat seats[KL_COMPRESSORS_MAX]; /* the one that was used last comes first */
    uint32_t count;
    kl_timer timer;
} kl_compressors;

/* The one for this; *out is NULL after an error. None of them has a stream open. */
kl_codec_status kl_compressors_get(kloop_engine *e, kl_codec_wanted wanted, kl_compressor **out);
/* Some may have been idle for long. */
void kl_compressors_timer(kloop_engine *e);
void kl_compressors_del_all(kloop_engine *e);

#endif
