/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a broker's answer to a batch means: one pure function over the table of error codes.
 */
#ifndef KL_CORE_RETRY_H
#define KL_CORE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

typedef enum kl_verdict {
    KL_VERDICT_STORED,        /* and the answer's offset is true */
    KL_VERDICT_STORED_BEFORE, /* by an earlier attempt; the offset is not known */
    KL_VERDICT_RETRY,         /* the same again, later */
    KL_VERDICT_RETRY_ONCE,    /* nobody knows this code: one more attempt, then it fails */
    KL_VERDICT_SEQUENCE,      /* the broker counts otherwise; see idempotence.h */
    KL_VERDICT_FAIL,          /* this batch will never be taken */
    KL_VERDICT_FATAL,         /* nor will any other of this producer */
} kl_verdict;

typedef struct kl_ruling {
    kl_verdict verdict;
    bool maybe_stored; /* this very attempt may have stored it all the same */
    bool refresh;      /* what is known of leaders is old */
} kl_ruling;

kl_ruling kl_retry_rule(int16_t code, bool idempotent);

#endif
