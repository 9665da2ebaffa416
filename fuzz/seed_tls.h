/* SPDX-License-Identifier: BSD-2-Clause */
/* Seeds for the target of TLS: scripts of a connection, each way to set it up with all that can
 * happen to it once. Each is given to take, which keeps nothing of it. */
#ifndef KL_FUZZ_SEED_TLS_H
#define KL_FUZZ_SEED_TLS_H

#include "base/buf.h"

void kl_seed_tls(void (*take)(const char *target, const kl_buf *bytes, const char *what));

#endif
