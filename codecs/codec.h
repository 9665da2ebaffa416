/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The codecs of a record batch behind one table: gzip, snappy, lz4, zstd, in the framing that
 * Kafka's Java client writes and a broker reads.
 *
 * Compression runs in steps, so that no caller holds its loop for long: begin, some (as often as
 * there is input), end. How much to give at once says kl_compressor_step_bytes; how long such a
 * step takes, also with data that somebody chose to make it long, says the table below. One
 * compressor serves any number of batches, one after the other, and after the first few of them
 * allocates nothing but the segments of its output. What comes out depends on the bytes, the codec
 * and its level alone, not on how the input was cut up nor on the room in the chain.
 *
 * Decompression is bounded by a limit, so that a bomb is an error and not memory. Memory grows with
 * the bytes that go in and come out, never with what a header announces. It is one call for tools,
 * tests and brokers, and runs in steps for whoever holds a loop.
 *
 * Who owns what: compressors and decompressors are owned by whoever made them and hold their own
 * copy of the allocator table. Input is only read during the call. A chain that is being written to
 * belongs to the compressor from begin to end: nobody else may append to it, rewind or clear it,
 * unless the stream is given up.
 */
#ifndef KL_CODECS_CODEC_H
#define KL_CODECS_CODEC_H

#include "base/buf.h"
#include "base/chain.h"

#include <kloop/types.h>

/* The ids are those of a batch's attributes. */
typedef enum kl_codec_id {
    KL_CODEC_NONE = 0,
    KL_CODEC_GZIP = 1,
    KL_CODEC_SNAPPY = 2,
    KL_CODEC_LZ4 = 3,
    KL_CODEC_ZSTD = 4,
} kl_codec_id;

#define KL_CODEC_COUNT 5

/*
 * The most that kl_compressor_step_bytes answers. The dearest step of a batch of 1 MB in ms, with
 * log records in JSON and with the worst of: noise; sixteen, four or two letters at random. One
 * core of an AMD EPYC; `bench_codec --steps` measures it anew.
 *
 *                bytes   records   worst                      bytes   records   worst
 *     snappy     16384     0.03     0.06         gzip 1, 2    16384     0.30     0.55
 *     lz4   9    16384     0.05     0.15         gzip 3, 4     8192     0.29     0.48
 *     zstd  1    16384     0.04     0.09         gzip 5        4096     0.25     0.35
 *     zstd  3    16384     0.04     0.19         gzip 6        2048     0.22     0.50
 *     zstd  6    16384     0.19     0.31         gzip 7        1024     0.21     0.47
 *     zstd  9    16384     0.28     0.57         gzip 8        1024     0.24     1.1
 *                                                gzip 9        1024     0.26     3.6
 *     zstd 12    16384     0.55     1.3
 *     zstd 15    16384     1.7     14            lz4  1       16384     0.28     0.96
 *     zstd 19    16384     8.4     19            lz4  4       16384     0.41     1.7
 *     zstd 22    16384     9.6     16            lz4  8       16384     0.84    12
 *                                                lz4 12       16384     4.4    180
 *
 * lz4 9, the default, is the fast compressor; all its other levels are the thorough one. Other
 * machines and data were seen to take half as much again (lz4 12: 258 ms), zstd 12 three times.
 *
 * Whoever holds a loop and does not choose the data keeps to the defaults, or to levels up to 7 of
 * gzip and up to 9 of zstd, and leaves lz4 at 9. The others cannot be had in short steps: lz4 and
 * snappy compress 64 and 32 KiB at a time, so that every fourth or second step does it all, and
 * zstd the 16 KiB of a flush; to give them less at once changes nothing. Before zstd's first step,
 * begin clears tables: 0.3 ms at levels 9 to 12. That is so where it has its memory already; for
 * the first time it takes 7 ms at level 9, unless kl_compressor_prepare() went before.
 */
#define KL_CODEC_STEP_BYTES 16384

/* "The codec's own default", accepted by every codec. */
#define KL_CODEC_LEVEL_DEFAULT INT32_MIN

typedef enum kl_codec_status {
    KL_CODEC_OK = 0,
    KL_CODEC_NO_MEMORY,
    KL_CODEC_BAD_LEVEL,
    KL_CODEC_CORRUPT,   /* the bytes are not what a Kafka reader of this codec takes */
    KL_CODEC_TRUNCATED, /* they end too early */
    KL_CODEC_TOO_LARGE, /* more would come out than the limit allows */
    KL_CODEC_LIBRARY,   /* the codec's library is not one we can work with: see below */
} kl_codec_status;

/*
 * KL_CODEC_LIBRARY is about the installation, never about the bytes or about memory: the zlib found
 * at run time is of another major version than the one we were built for, or the libzstd knows no
 * longer (or not yet) a parameter that we set. kl_compressor_new and kl_decompressor_new find that
 * out. Behind a new that went well it would mean that a library broke its word, which no input we
 * know of brings about. Trying again is of no use; it belongs on a log, with the codec's name.
 */

typedef struct kl_compressor kl_compressor;
typedef struct kl_decompressor kl_decompressor;

typedef struct kl_codec {
    const char *name; /* as in Kafka's compression.type */
    kl_codec_id id;
    /* Kafka's ranges. level_default is allowed even outside of them (gzip's is -1). */
    int32_t level_min;
    int32_t level_max; /* below level_min: no levels, only KL_CODEC_LEVEL_DEFAULT */
    int32_t level_default;
    const struct kl_codec_ops *ops; /* codecs/codec_parts.h */
} kl_codec;

/* NULL for KL_CODEC_NONE and unknown ids. */
const kl_codec *kl_codec_by_id(int id);
const kl_codec *kl_codec_by_name(const char *name, size_t len);
bool kl_codec_has_level(const kl_codec *codec, int32_t level);
/* What went wrong, in words; never NULL. */
const char *kl_codec_status_text(kl_codec_status status);

/*
 * *out is NULL after an error: NO_MEMORY, BAD_LEVEL or LIBRARY. The id is one that kl_codec_by_id
 * knows.
 *
 * What a compressor holds, beside its output: gzip 263 KiB, snappy 96, lz4 144 or, not fast, 384.
 * zstd's grows to the largest batch it was given, 0.3 MiB for 16 KiB; for 1 MB it is 1.3 MiB at
 * level 1, 2.5 at 3, 4.7 at 6, 14 at 9, 18 at 19.
 */
kl_codec_status kl_compressor_new(kl_compressor **out, kl_codec_id id, int32_t level,
                                  const kloop_allocator *alloc);
/* c may be NULL. An unfinished stream is given up; its chain is not touched. */
void kl_compressor_del(kl_compressor *c);
const kl_codec *kl_compressor_codec(const kl_compressor *c);

/*
 * How many bytes to give to kl_compress_some at once, by codec and level; at most
 * KL_CODEC_STEP_BYTES. See the table there.
 */
size_t kl_compressor_step_bytes(const kl_compressor *c);

/*
 * For a stream of total_len bytes: gets some of the memory that the compressor does not have yet,
 * in a step of about 50 us, so that begin need not get all of it at once. *done: there is nothing
 * more to get. To leave it out costs time in begin, nothing else. No stream is open. NO_MEMORY.
 */
kl_codec_status kl_compressor_prepare(kl_compressor *c, size_t total_len, bool *done);

/*
 * One stream: kl_compress_begin, kl_compress_some any number of times with total_len bytes in all,
 * kl_compress_end. Output is appended to *out, for the first time when the second of these
 * functions is called or later.
 *
 * An error (NO_MEMORY or LIBRARY) ends the stream: *out is as it was at begin, and the compressor
 * can begin anew. Beginning anew before the end gives the old stream up without touching its chain,
 * which may be gone by then.
 */
kl_codec_status kl_compress_begin(kl_compressor *c, size_t total_len, kl_chain *out);
kl_codec_status kl_compress_some(kl_compressor *c, const kloop_slice *in, size_t count);
kl_codec_status kl_compress_end(kl_compressor *c);
/* Gives a stream up and takes back what it wrote. Nothing happens when there is none. */
void kl_compress_abort(kl_compressor *c);

/* *out is NULL after an error: NO_MEMORY or LIBRARY. */
kl_codec_status kl_decompressor_new(kl_decompressor **out, kl_codec_id id,
                                    const kloop_allocator *alloc);
/* d may be NULL. */
void kl_decompressor_del(kl_decompressor *d);

/*
 * Appends what the slices hold, at most limit bytes, to *out, whose own limit holds too. The input
 * must be used up: bytes behind its end are CORRUPT, except what the format itself lets follow (see
 * each codec's file).
 *
 * On an error *out is cut back to where it was, without a mark of failure, and *fault_at (if not
 * NULL) is the offset in the input near which the fault was seen. The decompressor stays usable.
 */
kl_codec_status kl_decompress(kl_decompressor *d, const kloop_slice *in, size_t count, size_t limit,
                              kl_buf *out, size_t *fault_at);

/*
 * The same in steps, for what a compressor of this file has made: each brings 32 KiB, or a block of
 * the stream, of which none is larger than 64 KiB then. The dearest step of 1 MB, with the data of
 * the table above, takes 70 us with gzip and 45 with the others. The slices, their bytes and *out
 * stay where they are, and nobody else writes to *out, until *done, an error, or the end of d,
 * which gives the stream up and leaves *out of no use.
 */
void kl_decompress_begin(kl_decompressor *d, const kloop_slice *in, size_t count, size_t limit,
                         kl_buf *out);
kl_codec_status kl_decompress_some(kl_decompressor *d, bool *done);

/* Is a stream open: begun, and neither ended nor given up? */
bool kl_compressor_busy(const kl_compressor *c);

#endif
