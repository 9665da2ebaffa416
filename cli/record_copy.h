/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record with all its bytes in one block of memory, from its sending until its report: what
 * events and dead letters are written from.
 *
 * The block is the caller's, until kl_record_copy_del. Only memory can fail.
 */
#ifndef KL_CLI_RECORD_COPY_H
#define KL_CLI_RECORD_COPY_H

#include <kloop/record.h>

#include <stdbool.h>

typedef struct kl_record_copy {
    uint64_t sent_ns;
    size_t size;         /* of the block */
    kloop_record record; /* its views point into the block; user and the like are not copied */
} kl_record_copy;

/* With its headers, or with none. NULL: no memory. */
kl_record_copy *kl_record_copy_new(const kloop_record *record, bool with_headers, uint64_t sent_ns);
void kl_record_copy_del(kl_record_copy *copy);

#endif
