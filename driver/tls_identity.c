/* SPDX-License-Identifier: BSD-2-Clause */
/* The own certificate. See tls_identity.h. */
#include "driver/tls_identity.h"

#include "driver/tls_pem.h"
#include "driver/tls_why.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

/* What was found, OpenSSL's memory. */
typedef struct identity {
    EVP_PKEY *key;
    STACK_OF(X509) * certificates;
    char where[KL_TLS_WHERE]; /* of the certificates */
} identity;

/* ---- Reading ---- */

static kloop_status read_keystore(identity *id, const kl_tls_settings *s, kloop_slice bytes,
                                  kloop_error *error)
{
    kl_tls_form form;
    kloop_status status =
        kl_tls_form_check(&form, bytes, id->where, kl_tls_key_name(KL_TLS_KEYSTORE_TYPE),
                          kl_tls_text(s, KL_TLS_KEYSTORE_TYPE), error);
    if (status != KLOOP_OK)
        return status;
    if (form == KL_TLS_FORM_PKCS12) {
        status = kl_tls_pkcs12(&id->key, id->certificates, bytes,
                               kl_tls_text(s, KL_TLS_KEYSTORE_PASSWORD),
                               kl_tls_key_name(KL_TLS_KEYSTORE_PASSWORD), id->where, error);
        if (status == KLOOP_OK && !id->key)
            status = kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                                   "%s: there is no key in it, only certificates: is it the "
                                   "truststore?",
                                   id->where);
        return status;
    }
    status = kl_tls_pem_key(&id->key, bytes, kl_tls_text(s, KL_TLS_KEY_PASSWORD),
                            kl_tls_key_name(KL_TLS_KEY_PASSWORD), id->where, error);
    if (status == KLOOP_OK)
        status = kl_tls_pem_certificates(id->certificates, bytes, id->where, error);
    return status;
}

/* What one of two keys has: text, or a file with it. */
static kloop_status read_part(identity *id, const kl_tls_settings *s, kl_tls_watch *w,
                              kl_tls_key text_key, kl_tls_key path_key, bool is_key,
                              kloop_error *error)
{
    char where[KL_TLS_WHERE];
    const char *text = kl_tls_text(s, text_key), *path = kl_tls_text(s, path_key);
    kl_tls_file file = {0};
    kloop_slice bytes = {(const uint8_t *)text, strlen(text)};
    snprintf(where, sizeof where, "%s", kl_tls_key_name(text_key));
    kloop_status status = KLOOP_OK;
    if (path[0]) {
        snprintf(where, sizeof where, "%s=%.280s", kl_tls_key_name(path_key), path);
        status = kl_tls_file_read(&file, w, kl_tls_key_name(path_key), path, error);
        bytes = (kloop_slice){file.data, file.len};
    }
    kl_tls_form form;
    if (status == KLOOP_OK)
        status = kl_tls_form_check(&form, bytes, where, "its form", "PEM", error);
    if (status == KLOOP_OK && is_key)
        status = kl_tls_pem_key(&id->key, bytes, kl_tls_text(s, KL_TLS_KEY_PASSWORD),
                                kl_tls_key_name(KL_TLS_KEY_PASSWORD), where, error);
    else if (status == KLOOP_OK)
        status = kl_tls_pem_certificates(id->certificates, bytes, where, error);
    if (!is_key)
        memcpy(id->where, where, sizeof where);
    kl_tls_file_release(&file, &w->alloc);
    return status;
}

static kloop_status read_identity(identity *id, const kl_tls_settings *s, kl_tls_watch *w,
                                  kloop_error *error)
{
    const char *path = kl_tls_text(s, KL_TLS_KEYSTORE_LOCATION);
    if (!path[0]) {
        kloop_status status =
            read_part(id, s, w, KL_TLS_KEYSTORE_KEY, KL_TLS_KEY_LOCATION, true, error);
        if (status == KLOOP_OK)
            status = read_part(id, s, w, KL_TLS_KEYSTORE_CHAIN, KL_TLS_CERTIFICATE_LOCATION, false,
                               error);
        return status;
    }
    const char *key = kl_tls_key_name(KL_TLS_KEYSTORE_LOCATION);
    snprintf(id->where, sizeof id->where, "%s=%.280s", key, path);
    kl_tls_file file;
    kloop_status status = kl_tls_file_read(&file, w, key, path, error);
    if (status == KLOOP_OK)
        status = read_keystore(id, s, (kloop_slice){file.data, file.len}, error);
    kl_tls_file_release(&file, &w->alloc);
    return status;
}

/* ---- Into the context ---- */

/* The certificate that goes with the key, taken out of its row. */
static X509 *take_own(identity *id)
{
    for (int i = 0; i < sk_X509_num(id->certificates); i++)
        if (X509_check_private_key(sk_X509_value(id->certificates, i), id->key))
            return sk_X509_delete(id->certificates, i);
    return NULL;
}

/* Those behind the own one, each issued by the next, wherever they stood. */
static bool add_chain(SSL_CTX *ctx, identity *id, X509 *own)
{
    X509 *last = own;
    for (int i = 0; i < sk_X509_num(id->certificates);) {
        X509 *candidate = sk_X509_value(id->certificates, i);
        if (X509_check_issued(candidate, last) != X509_V_OK || X509_cmp(candidate, last) == 0) {
            i++;
            continue;
        }
        if (!SSL_CTX_add1_chain_cert(ctx, candidate))
            return false;
        last = candidate;
        X509_free(sk_X509_delete(id->certificates, i));
        i = 0;
    }
    return true;
}

static kloop_status use(SSL_CTX *ctx, identity *id, kloop_error *error)
{
    X509 *own = take_own(id);
    if (!own) {
        char subject[128];
        kl_tls_name_text(X509_get_subject_name(sk_X509_value(id->certificates, 0)), subject,
                         sizeof subject);
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                             "%s: the key is not that of the certificate (%s): they belong to "
                             "different pairs",
                             id->where, subject);
    }
    bool done = SSL_CTX_use_certificate(ctx, own) && SSL_CTX_use_PrivateKey(ctx, id->key) &&
                add_chain(ctx, id, own);
    X509_free(own);
    if (done)
        return KLOOP_OK;
    if (kl_tls_reason_is_memory())
        return kl_tls_refuse_memory(error);
    return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s: this system's OpenSSL does not take it: %s",
                         id->where, kl_tls_reason());
}

kloop_status kl_tls_identity_load(const kl_tls_settings *s, kl_tls_watch *w, SSL_CTX *ctx,
                                  kloop_error *error)
{
    if (!kl_tls_has(s, KL_TLS_KEYSTORE_LOCATION) && !kl_tls_has(s, KL_TLS_KEYSTORE_KEY) &&
        !kl_tls_has(s, KL_TLS_KEY_LOCATION))
        return KLOOP_OK;
    identity id = {.certificates = sk_X509_new_null()};
    if (!id.certificates)
        return kl_tls_refuse_memory(error);
    kloop_status status = read_identity(&id, s, w, error);
    if (status == KLOOP_OK && sk_X509_num(id.certificates) == 0)
        status =
            kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s: there is no certificate in it", id.where);
    if (status == KLOOP_OK)
        status = use(ctx, &id, error);
    EVP_PKEY_free(id.key);
    sk_X509_pop_free(id.certificates, X509_free);
    return status;
}

bool kl_tls_identity_note(SSL_CTX *ctx, int64_t wall_ms, kloop_error *note)
{
    X509 *own = SSL_CTX_get0_certificate(ctx);
    if (!own)
        return false;
    const int64_t day_ms = 86400000;
    int64_t from = kl_tls_time_ms(X509_get0_notBefore(own));
    int64_t until = kl_tls_time_ms(X509_get0_notAfter(own));
    char subject[128], date[KL_TLS_DATE_TEXT];
    kl_tls_name_text(X509_get_subject_name(own), subject, sizeof subject);
    const char *what = NULL;
    if (wall_ms > until)
        what = "has expired";
    else if (wall_ms < from)
        what = "is not valid yet";
    else if (until - wall_ms < 14 * day_ms)
        what = "expires soon";
    if (!what)
        return false;
    kl_tls_refuse(
        note, KLOOP_OK,
        "the own certificate (%s, of ssl.keystore.*) %s: it is valid %s %s; have a new one "
        "made",
        subject, what, wall_ms < from ? "from" : "until",
        kl_tls_date(date, wall_ms < from ? from : until));
    return true;
}
