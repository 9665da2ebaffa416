/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two sides of SCRAM prove to each other (RFC 5802, section 3): the client that it knows
 * the key behind the one that the server has stored, the server that it has stored something at
 * all. Pure; what was in between is wiped.
 */
#ifndef KL_SASL_SCRAM_PROOF_H
#define KL_SASL_SCRAM_PROOF_H

#include "base/sha2.h"

#include <kloop/types.h>

/* said, in pieces: client first without its header, server first, client final without its proof,
 * commas between. salted, proof and signature have kl_sha2_size() bytes. */
void kl_scram_proof(kl_sha2_kind kind, const uint8_t *salted, const kloop_slice *said, size_t count,
                    uint8_t *proof, uint8_t *signature);

#endif
