/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of a batch that a broker has refused by name (KIP-467), so that the others need not
 * suffer for them.
 *
 * The list belongs to a batch that still has the users of all its records, in their order: reports
 * come in that order, and those that are listed get their own. A listed record is in the payload of
 * the batch as long as it was only refused; when the batch is put together anew (reshape.h) it is
 * left out.
 *
 * Who owns what: a batch its list, one block that counts against the budget like the batch. What a
 * broker says is kept only as far as it makes sense: places that there are, once each, and short
 * texts, of which equal ones behind each other are kept once, 64 KiB in all.
 *
 * Fails: no memory, and then nothing is changed.
 */
#ifndef KL_CORE_BAD_RECORDS_H
#define KL_CORE_BAD_RECORDS_H

#include "core/engine_state.h"

typedef struct kl_bad_record {
    uint32_t place;   /* among the users of its batch */
    uint32_t text_at; /* what the broker said, 0: nothing */
    int16_t code;
    bool left_out; /* of the payload: it has failed for good, whatever becomes of the others */
} kl_bad_record;

struct kl_bad_records {
    size_t memory_bytes;
    size_t text_bytes;
    char *texts; /* terminated, one after the other; the first one is empty */
    uint32_t count;
    kl_bad_record list[]; /* by rising place */
};

typedef enum kl_bad_found {
    KL_BAD_NONE, /* nothing that makes sense is listed */
    KL_BAD_SOME,
    KL_BAD_ALL, /* nothing of the payload is left */
    KL_BAD_NO_MEMORY,
} kl_bad_found;

/* Adds what the answer lists to b's list. */
kl_bad_found kl_bad_records_take(kloop_engine *e, kl_batch *b,
                                 const kloop_produce_partition_response *answer);

static inline uint32_t kl_bad_records_count(const kl_batch *b)
{
    return b->bad ? b->bad->count : 0;
}

/* The nth of b's list, NULL behind the last. */
const kl_bad_record *kl_bad_records_at(const kl_batch *b, uint32_t n);
/* What the broker said of it; "": nothing. */
const char *kl_bad_records_text(const kl_batch *b, const kl_bad_record *r);

/* Is there one whose bytes are in the payload? */
bool kl_bad_records_any_present(const kl_batch *b);
/* The list of a batch that gets the users of b from this place on and before that one; nothing
 * listed is in its payload. Of the texts it gets those that it needs. false: no memory. */
bool kl_bad_records_hand_down(kloop_engine *e, const kl_batch *b, uint32_t from, uint32_t to,
                              kl_batch *child);
void kl_bad_records_del(kloop_engine *e, kl_batch *b);

#endif
