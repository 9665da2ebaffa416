/* SPDX-License-Identifier: BSD-2-Clause */
/* Seeds for the targets of SASL: what brokers say, texts of sasl.jaas.config, claims of tokens.
 * Each is given to take, which keeps nothing of it. */
#ifndef KL_FUZZ_SEED_SASL_H
#define KL_FUZZ_SEED_SASL_H

#include "base/buf.h"

void kl_seed_sasl(void (*take)(const char *target, const kl_buf *bytes, const char *what));

#endif
