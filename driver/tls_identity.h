/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The own certificate, for brokers that want to know who connects: from one PEM or PKCS#12 file
 * (ssl.keystore.location), from two PEM files (ssl.certificate.location, ssl.key.location) or
 * inline (ssl.keystore.certificate.chain, ssl.keystore.key), loaded into a context with the whole
 * chain. Nothing set: there is none, and that is no error.
 */
#ifndef KL_DRIVER_TLS_IDENTITY_H
#define KL_DRIVER_TLS_IDENTITY_H

#include "driver/tls_files.h"
#include "driver/tls_settings.h"

#include <openssl/ssl.h>

/* KLOOP_BAD_CONFIG: what is set cannot be used. What was looked at is in w afterwards. */
kloop_status kl_tls_identity_load(const kl_tls_settings *s, kl_tls_watch *w, SSL_CTX *ctx,
                                  kloop_error *error);

/* Is the context's certificate one to tell about: expired, not valid yet, or at its end within two
 * weeks? */
bool kl_tls_identity_note(SSL_CTX *ctx, int64_t wall_ms, kloop_error *note);

#endif
