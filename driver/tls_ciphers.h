/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Versions, suites, groups and algorithms of signatures (ssl.enabled.protocols, ssl.cipher.suites,
 * ssl.curves.list, ssl.sigalgs.list), set into a context. A name that nobody knows is an error that
 * names it; what is not set is as the system's OpenSSL has it. Suites without a certificate or
 * without encryption are never spoken.
 */
#ifndef KL_DRIVER_TLS_CIPHERS_H
#define KL_DRIVER_TLS_CIPHERS_H

#include "driver/tls_settings.h"

#include <openssl/ssl.h>

kloop_status kl_tls_ciphers_set(const kl_tls_settings *s, SSL_CTX *ctx, kloop_error *error);

#endif
