/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom this side trusts. See tls_trust.h. */
#define _GNU_SOURCE /* secure_getenv, strcasecmp */
#include "driver/tls_trust.h"

#include "driver/tls_why.h"

#include <openssl/x509v3.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* More is no directory of CAs; and to see whether one of them has changed takes a microsecond each
 * of the loop's time. */
#define DIRECTORY_FILES_MAX 1024

static kloop_status take(kl_tls_trust *trust, SSL_CTX *ctx, STACK_OF(X509) * certificates,
                         kloop_error *error)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        if (!X509_STORE_add_cert(store, sk_X509_value(certificates, i)))
            return kl_tls_refuse_memory(error);
        trust->count++;
    }
    return KLOOP_OK;
}

/* Bytes of a truststore, whatever they are. */
static kloop_status take_bytes(kl_tls_trust *trust, const kl_tls_settings *s, SSL_CTX *ctx,
                               kloop_slice bytes, bool typed, const char *where, kloop_error *error)
{
    kl_tls_form form;
    const char *type = typed ? kl_tls_text(s, KL_TLS_TRUST_TYPE) : "";
    kloop_status status =
        kl_tls_form_check(&form, bytes, where, kl_tls_key_name(KL_TLS_TRUST_TYPE), type, error);
    if (status != KLOOP_OK)
        return status;
    STACK_OF(X509) *certificates = sk_X509_new_null();
    if (!certificates)
        return kl_tls_refuse_memory(error);
    if (form == KL_TLS_FORM_PEM) {
        status = kl_tls_pem_certificates(certificates, bytes, where, error);
    } else {
        EVP_PKEY *key;
        status = kl_tls_pkcs12(&key, certificates, bytes, kl_tls_text(s, KL_TLS_TRUST_PASSWORD),
                               kl_tls_key_name(KL_TLS_TRUST_PASSWORD), where, error);
        /* Certificates beside it are its own chain, or CAs of brokers: the store does not say. */
        if (key)
            status = kl_tls_refuse(
                error, KLOOP_BAD_CONFIG,
                "%s: there is a private key in it, as in a keystore; take out what is to be "
                "trusted: openssl pkcs12 -in FILE -nokeys -cacerts -out ca.pem",
                where);
        EVP_PKEY_free(key);
        if (status == KLOOP_OK && sk_X509_num(certificates) == 0)
            status =
                kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s: there is no certificate in it", where);
    }
    if (status == KLOOP_OK)
        status = take(trust, ctx, certificates, error);
    sk_X509_pop_free(certificates, X509_free);
    return status;
}

static kloop_status take_file(kl_tls_trust *trust, const kl_tls_settings *s, kl_tls_watch *w,
                              SSL_CTX *ctx, const char *key, const char *path, bool typed,
                              kloop_error *error)
{
    kl_tls_file file;
    kloop_status status = kl_tls_file_read(&file, w, key, path, error);
    if (status != KLOOP_OK)
        return status;
    char where[KL_TLS_WHERE];
    snprintf(where, sizeof where, "%s=%.280s", key, path);
    status = take_bytes(trust, s, ctx, (kloop_slice){file.data, file.len}, typed, where, error);
    kl_tls_file_release(&file, &w->alloc);
    return status;
}

/* ---- Directories ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);
    return len > end_len && !strcasecmp(name + len - end_len, end);
}

/* "5cd81ad7.0", as c_rehash makes them. */
static bool is_hashed(const char *name)
{
    return strspn(name, "0123456789abcdefABCDEF") == 8 && name[8] == '.' &&
           isdigit((unsigned char)name[9]);
}

static bool is_certificate_name(const char *name)
{
    return is_hashed(name) || ends_with(name, ".pem") || ends_with(name, ".crt") ||
           ends_with(name, ".cer");
}

/* One file of a directory. The same file under two names, as hashed directories have it, is read
 * once. tolerant: what cannot be used is left out. */
static kloop_status take_entry(kl_tls_trust *trust, const kl_tls_settings *s, kl_tls_watch *w,
                               SSL_CTX *ctx, const char *key, const char *folder, const char *name,
                               bool tolerant, kloop_error *error)
{
    char path[4096];
    struct stat info;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        stat(path, &info) != 0 || !S_ISREG(info.st_mode) || kl_tls_watch_has(w, &info))
        return KLOOP_OK;
    kloop_status status = take_file(trust, s, w, ctx, key, path, false, error);
    return tolerant && status == KLOOP_BAD_CONFIG ? KLOOP_OK : status;
}

static kloop_status take_directory(kl_tls_trust *trust, const kl_tls_settings *s, kl_tls_watch *w,
                                   SSL_CTX *ctx, const char *key, const char *path, bool tolerant,
                                   kloop_error *error)
{
    struct stat info;
    DIR *folder = opendir(path);
    int fault = errno;
    if (!kl_tls_watch_add(w, path, stat(path, &info) == 0 ? &info : NULL)) {
        if (folder)
            closedir(folder);
        return kl_tls_refuse_memory(error);
    }
    if (!folder)
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s=%.300s: the directory cannot be read: %s",
                             key, path, strerror(fault));
    size_t before = trust->count, seen = 0;
    kloop_status status = KLOOP_OK;
    for (struct dirent *entry; status == KLOOP_OK && (entry = readdir(folder)) != NULL;) {
        if (!is_certificate_name(entry->d_name))
            continue;
        if (++seen > DIRECTORY_FILES_MAX)
            status = kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                                   "%s=%.300s: there are more than %d certificates in it", key,
                                   path, DIRECTORY_FILES_MAX);
        else
            status = take_entry(trust, s, w, ctx, key, path, entry->d_name, tolerant, error);
    }
    closedir(folder);
    if (status == KLOOP_OK && trust->count == before && !tolerant)
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                             "%s=%.300s: there is no certificate in the directory (*.pem, *.crt, "
                             "*.cer, or names that openssl rehash makes)",
                             key, path);
    return status;
}

/* ---- The system's ---- */

static bool has_hashed(const char *path)
{
    DIR *folder = opendir(path);
    bool found = false;
    for (struct dirent *entry; folder && !found && (entry = readdir(folder)) != NULL;)
        found = is_hashed(entry->d_name);
    if (folder)
        closedir(folder);
    return found;
}

/* In a hashed directory OpenSSL finds the one that it needs when it needs it: to read all of them
 * takes a tenth of a second. */
static kloop_status take_hashed(kl_tls_trust *trust, kl_tls_watch *w, SSL_CTX *ctx,
                                const char *path, kloop_error *error)
{
    struct stat info;
    X509_LOOKUP *lookup =
        X509_STORE_add_lookup(SSL_CTX_get_cert_store(ctx), X509_LOOKUP_hash_dir());
    if (!lookup || !X509_LOOKUP_add_dir(lookup, path, X509_FILETYPE_PEM) ||
        !kl_tls_watch_add(w, path, stat(path, &info) == 0 ? &info : NULL))
        return kl_tls_refuse_memory(error);
    trust->count++;
    return KLOOP_OK;
}

static kloop_status take_system_directories(kl_tls_trust *trust, const kl_tls_settings *s,
                                            kl_tls_watch *w, SSL_CTX *ctx, const char *list,
                                            kloop_error *error)
{
    kloop_status status = KLOOP_OK;
    for (const char *at = list; status != KLOOP_NO_MEMORY && at[0];) {
        size_t len = strcspn(at, ":");
        char path[4096];
        if (len > 0 && len < sizeof path) {
            memcpy(path, at, len);
            path[len] = 0;
            status = has_hashed(path)
                         ? take_hashed(trust, w, ctx, path, error)
                         : take_directory(trust, s, w, ctx, "SSL_CERT_DIR", path, true, error);
        }
        at += len + (at[len] == ':');
    }
    return status;
}

/* Where OpenSSL looks, by its own variables of the environment; where it has been built for another
 * system, where that system has it. */
static kloop_status take_system(kl_tls_trust *trust, const kl_tls_settings *s, kl_tls_watch *w,
                                SSL_CTX *ctx, kloop_error *error)
{
    static const char *const bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    };
    const char *file = secure_getenv(X509_get_default_cert_file_env());
    const char *folders = secure_getenv(X509_get_default_cert_dir_env());
    snprintf(trust->source, sizeof trust->source, "the system's store");
    kloop_status status = KLOOP_OK;
    /* The bundle of all CAs is what the hashed directory beside it has, and takes 20 ms and a
     * megabyte: where there is the directory, it is only read if somebody names it. */
    if (file || folders || !has_hashed(X509_get_default_cert_dir()))
        status = take_file(trust, s, w, ctx, "SSL_CERT_FILE",
                           file ? file : X509_get_default_cert_file(), false, error);
    /* Whoever names a file means it. */
    if (status == KLOOP_NO_MEMORY || (status != KLOOP_OK && file))
        return status;
    status = take_system_directories(trust, s, w, ctx,
                                     folders ? folders : X509_get_default_cert_dir(), error);
    for (size_t i = 0; i < sizeof bundles / sizeof bundles[0]; i++)
        if (trust->count == 0 && status != KLOOP_NO_MEMORY)
            status = take_file(trust, s, w, ctx, "SSL_CERT_FILE", bundles[i], false, error);
    if (status == KLOOP_NO_MEMORY)
        return status;
    if (trust->count > 0)
        return KLOOP_OK;
    return kl_tls_refuse(
        error, KLOOP_BAD_CONFIG,
        "this system has no certificates of CAs: apt-get install ca-certificates, or "
        "set ssl.truststore.location to a PEM file with the CA of the brokers");
}

kloop_status kl_tls_trust_load(kl_tls_trust *trust, const kl_tls_settings *s, kl_tls_watch *w,
                               SSL_CTX *ctx, kloop_error *error)
{
    *trust = (kl_tls_trust){.is_set = true};
    const char *key = kl_tls_key_name(KL_TLS_TRUST_LOCATION);
    const char *path = kl_tls_text(s, KL_TLS_TRUST_LOCATION);
    const char *text = kl_tls_text(s, KL_TLS_TRUST_PEM);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    if (text[0]) {
        const char *where = kl_tls_key_name(KL_TLS_TRUST_PEM);
        snprintf(trust->source, sizeof trust->source, "%s", where);
        kloop_slice bytes = {(const uint8_t *)text, strlen(text)};
        return take_bytes(trust, s, ctx, bytes, false, where, error);
    }
    /* librdkafka's word for the system's. */
    if (!path[0] || !strcmp(path, "probe")) {
        trust->is_set = false;
        return take_system(trust, s, w, ctx, error);
    }
    snprintf(trust->source, sizeof trust->source, "%s=%.280s", key, path);
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return take_directory(trust, s, w, ctx, key, path, false, error);
    return take_file(trust, s, w, ctx, key, path, true, error);
}
