/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compressed bytes as others write them, through the codecs' own libraries: with checksums, names
 * and sizes that kloop never writes but has to read, several frames in a row, and bombs as small as
 * they get.
 *
 * The bytes depend on the libraries' versions.
 */
#ifndef KL_FUZZ_SEED_PACKED_H
#define KL_FUZZ_SEED_PACKED_H

#include "base/buf.h"
#include "codecs/codec.h"

/* Appends variant 0, 1, ... of the content packed for this codec; false when there is no such
 * variant. */
bool kl_seed_packed(kl_codec_id id, int variant, kloop_slice content, kl_buf *out);

#endif
