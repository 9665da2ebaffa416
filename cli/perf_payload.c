/* SPDX-License-Identifier: BSD-2-Clause */
/* Values to send. See perf_payload.h. */
#define _GNU_SOURCE
#include "cli/perf_payload.h"

#include "base/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)1 << 30)

static void start(kl_perf_payload *p, kl_perf_source source, uint64_t seed)
{
    *p = (kl_perf_payload){.source = source};
    kl_buf_init(&p->bytes, &kl_mem_libc);
    kl_buf_init(&p->pieces, &kl_mem_libc);
    kl_prng_init(&p->prng, seed);
}

void kl_perf_payload_deinit(kl_perf_payload *p)
{
    kl_buf_deinit(&p->bytes);
    kl_buf_deinit(&p->pieces);
}

static const char *refuse(kl_perf_payload *p, const char *why)
{
    kl_perf_payload_deinit(p);
    return why;
}

/*
 * Each byte b becomes 'A' + b * 26 / 256, four at a time, in fields of 16 bits: one by one, two
 * megabytes of them cost more than a short run is allowed to.
 */
static uint64_t eight_letters(uint64_t random)
{
    const uint64_t low = UINT64_C(0x00FF00FF00FF00FF);
    uint64_t even = ((random & low) * 26 >> 8) & low;
    uint64_t odd = ((random >> 8 & low) * 26) & ~low;
    return (even | odd) + 'A' * UINT64_C(0x0101010101010101);
}

const char *kl_perf_payload_letters(kl_perf_payload *p, size_t record_size, uint64_t seed)
{
    start(p, KL_PERF_LETTERS, seed);
    size_t size = KL_PERF_RING_BYTES + record_size;
    uint8_t *ring = kl_buf_reserve(&p->bytes, size, NULL);
    if (!ring)
        return refuse(p, "there is no memory for it");
    for (size_t i = 0; i < size;) {
        uint64_t letters = eight_letters(kl_prng_next(&p->prng));
        for (int byte = 0; byte < 8 && i < size; byte++, letters >>= 8)
            ring[i++] = (uint8_t)letters;
    }
    kl_buf_commit(&p->bytes, size);
    p->record_size = record_size;
    return NULL;
}

const char *kl_perf_payload_monotonic(kl_perf_payload *p)
{
    start(p, KL_PERF_MONOTONIC, 0);
    return NULL;
}

/* ---- Files ---- */

static const char *read_file(kl_perf_payload *p, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return strerror(errno);
    const char *why = NULL;
    size_t room, n;
    kl_buf_set_limit(&p->bytes, FILE_BYTES_MAX);
    do {
        uint8_t *space = kl_buf_reserve_some(&p->bytes, 65536, &room);
        if (!space) {
            why = p->bytes.over_limit ? "more than 1 GiB" : "there is no memory for it";
            break;
        }
        n = fread(space, 1, room, file);
        kl_buf_commit(&p->bytes, n);
    } while (n == room);
    if (!why && ferror(file))
        why = strerror(errno);
    fclose(file);
    return why;
}

static void add_piece(kl_perf_payload *p, const uint8_t *data, size_t len)
{
    kloop_slice piece = {data, len};
    kl_buf_append(&p->pieces, &piece, sizeof piece);
}

static void cut_at(kl_perf_payload *p, kloop_string delimiter)
{
    const uint8_t *at = p->bytes.data;
    const uint8_t *end = at + p->bytes.len;
    const uint8_t *hit;
    while ((hit = memmem(at, (size_t)(end - at), delimiter.data, delimiter.len)) != NULL) {
        add_piece(p, at, (size_t)(hit - at));
        at = hit + delimiter.len;
    }
    if (at < end)
        add_piece(p, at, (size_t)(end - at));
}

const char *kl_perf_payload_file(kl_perf_payload *p, const char *path, kloop_string delimiter,
                                 size_t record_size, uint64_t seed)
{
    start(p, delimiter.len ? KL_PERF_PICKED : KL_PERF_IN_TURN, seed);
    KL_ASSERT(delimiter.len > 0 || record_size > 0);
    const char *why = read_file(p, path);
    if (why)
        return refuse(p, why);
    if (p->bytes.len == 0)
        return refuse(p, "the file is empty");
    if (delimiter.len) {
        cut_at(p, delimiter);
    } else {
        /* What is left over at the end is no record of the size that was asked for. */
        for (size_t at = 0; p->bytes.len - at >= record_size; at += record_size)
            add_piece(p, p->bytes.data + at, record_size);
    }
    if (p->pieces.failed)
        return refuse(p, "there is no memory for its pieces");
    p->piece_count = p->pieces.len / sizeof(kloop_slice);
    return p->piece_count ? NULL : refuse(p, "the file is shorter than one record");
}

/* ---- Taking ---- */

kloop_slice kl_perf_payload_next_other(kl_perf_payload *p)
{
    const kloop_slice *pieces = (const kloop_slice *)(const void *)p->pieces.data;
    kloop_slice value;
    switch (p->source) {
    case KL_PERF_PICKED:
        return pieces[kl_prng_below(&p->prng, p->piece_count)];
    case KL_PERF_IN_TURN:
        value = pieces[p->at++];
        if (p->at == p->piece_count)
            p->at = 0;
        return value;
    case KL_PERF_MONOTONIC:
    case KL_PERF_LETTERS:
        break;
    }
    int len = snprintf(p->digits, sizeof p->digits, "%llu", (unsigned long long)p->counter++);
    return (kloop_slice){(const uint8_t *)p->digits, (size_t)len};
}
