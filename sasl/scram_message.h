/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages of SCRAM (RFC 5802), as far as a client reads and writes them.
 *
 *     client first    n,,n=USER,r=NONCE[,tokenauth=true]
 *     server first    r=NONCE MORE,s=SALT,i=ITERATIONS[,EXTENSIONS]
 *     client final    c=biws,r=NONCE MORE,p=PROOF
 *     server final    v=SIGNATURE[,EXTENSIONS]  or  e=ERROR[,EXTENSIONS]
 *
 * Attributes stand in this order and no other, and none is there twice. What else a broker says
 * behind them is looked at for its form and then ignored, but for m=, which must be understood by
 * those who go on, and is by nobody. Views point into what was read. Nothing is owned; what can
 * fail says so in words that have no control characters in them.
 */
#ifndef KL_SASL_SCRAM_MESSAGE_H
#define KL_SASL_SCRAM_MESSAGE_H

#include "base/sha2.h"

#include <kloop/sasl.h>

/* A message of a broker that is longer is not read, nor a longer nonce or salt. Kafka's have some
 * 100 bytes. */
#define KL_SCRAM_MESSAGE_MAX 8192
#define KL_SCRAM_NONCE_MAX   1024
#define KL_SCRAM_SALT_MAX    1024

/* What RFC 7677 and Kafka ask for at least. */
#define KL_SCRAM_ITERATIONS_MIN 4096

typedef struct kl_scram_first {
    kloop_string nonce; /* that of the client and of the server */
    uint32_t iterations;
    size_t salt_len; /* at least 1 */
    uint8_t salt[KL_SCRAM_SALT_MAX];
} kl_scram_first;

/* The form alone, and that iterations fit; KLOOP_SASL_FAILED, or KLOOP_SASL_DONE. */
kloop_sasl_verdict kl_scram_message_first(kl_scram_first *first, kloop_slice message,
                                          kloop_sasl_step *step);

/* Also where the broker tells of an error. */
kloop_sasl_verdict kl_scram_message_final(uint8_t signature[KL_SHA2_SIZE_MAX], kl_sha2_kind kind,
                                          kloop_slice message, kloop_sasl_step *step);

/* A name with = and , written as =3D and =2C; to may be NULL. Answers the length. */
size_t kl_scram_message_name(char *to, kloop_string name);

#endif
