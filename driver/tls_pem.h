/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates and keys out of bytes: PEM with any number of certificates, PKCS#12, and telling
 * what else it is. Nobody is ever asked for a password: one that is missing is an error.
 *
 * What comes out belongs to the caller (OpenSSL's own memory). Failures are sentences that begin
 * with `where`, which is "KEY=PATH" or the key alone for inline text; never a password in them.
 */
#ifndef KL_DRIVER_TLS_PEM_H
#define KL_DRIVER_TLS_PEM_H

#include <kloop/record.h>
#include <kloop/types.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

/* Enough for a key and most paths. */
#define KL_TLS_WHERE 320

typedef enum kl_tls_form {
    KL_TLS_FORM_PEM,
    KL_TLS_FORM_PKCS12,
    KL_TLS_FORM_JKS,
    KL_TLS_FORM_DER, /* a single certificate */
    KL_TLS_FORM_UNKNOWN,
} kl_tls_form;

kl_tls_form kl_tls_form_of(kloop_slice bytes);

/* KLOOP_OK: PEM or PKCS#12, as type (of the key type_key, "": any) says. JKS and DER come with the
 * command that converts them. */
kloop_status kl_tls_form_check(kl_tls_form *form, kloop_slice bytes, const char *where,
                               const char *type_key, const char *type, kloop_error *error);

/* All certificates, one at least; to is appended to, keys in between are passed over. */
kloop_status kl_tls_pem_certificates(STACK_OF(X509) * to, kloop_slice text, const char *where,
                                     kloop_error *error);

/* The first private key. password may be ""; password_key is what the sentences name. */
kloop_status kl_tls_pem_key(EVP_PKEY **key, kloop_slice text, const char *password,
                            const char *password_key, const char *where, kloop_error *error);

/* A PKCS#12 store: certificates are appended to `to`, the key's own first; *key is NULL where there
 * is none. */
kloop_status kl_tls_pkcs12(EVP_PKEY **key, STACK_OF(X509) * to, kloop_slice bytes,
                           const char *password, const char *password_key, const char *where,
                           kloop_error *error);

#endif
