/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom this side trusts: ssl.truststore.location (a file or a directory),
 * ssl.truststore.certificates, or else the system's CAs, loaded into a context.
 *
 * Every certificate in a truststore is trusted by itself, as Java does it: a CA in between or a
 * broker's own certificate may be there without the CA that issued it.
 */
#ifndef KL_DRIVER_TLS_TRUST_H
#define KL_DRIVER_TLS_TRUST_H

#include "driver/tls_files.h"
#include "driver/tls_pem.h"
#include "driver/tls_settings.h"

#include <openssl/ssl.h>

typedef struct kl_tls_trust {
    char source[KL_TLS_WHERE]; /* "ssl.truststore.location=/etc/ca.pem" */
    bool is_set;               /* and not the system's */
    size_t count;              /* of certificates; a directory that is searched is one */
} kl_tls_trust;

/* KLOOP_BAD_CONFIG: there is none, or one is broken. What was looked at is in w afterwards. */
kloop_status kl_tls_trust_load(kl_tls_trust *trust, const kl_tls_settings *s, kl_tls_watch *w,
                               SSL_CTX *ctx, kloop_error *error);

#endif
