/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values of `kloop perf`'s records: random letters, pieces of a file, or a counter.
 *
 * It owns all bytes it gives out, until kl_perf_payload_deinit; a value is good until the next one
 * is asked for. Making one can fail, with a sentence; taking the next value cannot.
 */
#ifndef KL_CLI_PERF_PAYLOAD_H
#define KL_CLI_PERF_PAYLOAD_H

#include "base/buf.h"
#include "base/prng.h"

/*
 * The random letters are made once: making them anew for each record, as Kafka's tool does, costs
 * more than sending it. The ring is longer than a batch, so that no codec finds a record again, and
 * its length is a prime, so that records of most sizes do not fall on the same places in each
 * round.
 */
#define KL_PERF_RING_BYTES 2097143

typedef enum kl_perf_source {
    KL_PERF_LETTERS,   /* A to Z, a window of record_size bytes that moves over a ring of them */
    KL_PERF_PICKED,    /* pieces of a file, each as likely as the others */
    KL_PERF_IN_TURN,   /* pieces of a file, one after the other, again and again */
    KL_PERF_MONOTONIC, /* 0, 1, 2, ... as text */
} kl_perf_source;

typedef struct kl_perf_payload {
    kl_perf_source source;
    kl_buf bytes;  /* the ring, or the file */
    kl_buf pieces; /* of kloop_slice */
    size_t piece_count;
    size_t record_size;
    size_t at; /* in the ring, or the index of the next piece */
    uint64_t counter;
    char digits[24];
    kl_prng prng;
} kl_perf_payload;

/* Each answers NULL, or what went wrong; the payload needs no deinit then.
 * What is random follows from the seed. */
const char *kl_perf_payload_letters(kl_perf_payload *p, size_t record_size, uint64_t seed);
const char *kl_perf_payload_monotonic(kl_perf_payload *p);
/* The file cut at each delimiter (an empty piece at its end is none), or, when that is empty, every
 * record_size bytes. */
const char *kl_perf_payload_file(kl_perf_payload *p, const char *path, kloop_string delimiter,
                                 size_t record_size, uint64_t seed);
void kl_perf_payload_deinit(kl_perf_payload *p);

/* All but letters. */
kloop_slice kl_perf_payload_next_other(kl_perf_payload *p);

static inline kloop_slice kl_perf_payload_next(kl_perf_payload *p)
{
    if (p->source != KL_PERF_LETTERS)
        return kl_perf_payload_next_other(p);
    kloop_slice value = {p->bytes.data + p->at, p->record_size};
    p->at += p->record_size;
    if (p->at >= KL_PERF_RING_BYTES)
        p->at %= KL_PERF_RING_BYTES;
    return value;
}

#endif
