/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates for tests. See tls_certificates.h. */
#define _GNU_SOURCE /* mkdtemp, nftw */
#include "tests/support/tls_certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "tls_certificates: %s failed\n", what);
    ERR_print_errors_fp(stderr);
    abort();
}

/* ---- Making ---- */

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(extension && X509_add_ext(x, extension, -1), value);
    X509_EXTENSION_free(extension);
}

kl_tls_pair kl_tls_pair_make(const kl_tls_wish *wish, const kl_tls_pair *issuer)
{
    static long serial = 1000;
    kl_tls_pair p = {.key = wish->rsa_bits ? EVP_RSA_gen(wish->rsa_bits) : EVP_EC_gen("P-256"),
                     .certificate = X509_new()};
    must(p.key && p.certificate, "a key");
    X509 *x = p.certificate;
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    int64_t from_ms = wish->from_ms ? wish->from_ms : KL_TLS_TEST_FROM_MS;
    int64_t until_ms = wish->until_ms ? wish->until_ms : KL_TLS_TEST_UNTIL_MS;
    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(from_ms / 1000));
    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(until_ms / 1000));
    X509_NAME *subject = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *)"kloop tests",
                               -1, -1, 0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)wish->name, -1,
                               -1, 0);
    X509 *above = issuer ? issuer->certificate : x;
    X509_set_issuer_name(x, X509_get_subject_name(above));
    X509_set_pubkey(x, p.key);
    extend(x, above, NID_basic_constraints, wish->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    extend(x, above, NID_subject_key_identifier, "hash");
    if (wish->is_ca)
        extend(x, above, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (wish->names)
        extend(x, above, NID_subject_alt_name, wish->names);
    if (wish->usage)
        extend(x, above, NID_ext_key_usage, wish->usage);
    must(X509_sign(x, issuer ? issuer->key : p.key, EVP_sha256()) > 0, "signing");
    return p;
}

void kl_tls_pair_free(kl_tls_pair *p)
{
    EVP_PKEY_free(p->key);
    X509_free(p->certificate);
    *p = (kl_tls_pair){0};
}

/* ---- As text and bytes ---- */

/* What a memory BIO has, terminated; the BIO is freed. */
static char *text_of(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    char *text = malloc((size_t)len + 1);
    must(text != NULL, "memory");
    memcpy(text, data, (size_t)len);
    text[len] = 0;
    BIO_free(bio);
    return text;
}

char *kl_tls_pem_certificate(const kl_tls_pair *p)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(PEM_write_bio_X509(bio, p->certificate), "PEM");
    return text_of(bio);
}

char *kl_tls_pem_key_text(const kl_tls_pair *p, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(PEM_write_bio_PKCS8PrivateKey(bio, p->key, password ? EVP_aes_256_cbc() : NULL, password,
                                       password ? (int)strlen(password) : 0, NULL, NULL),
         "PEM");
    return text_of(bio);
}

char *kl_tls_pem_key_old(const kl_tls_pair *p, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(PEM_write_bio_PrivateKey_traditional(bio, p->key, password ? EVP_aes_128_cbc() : NULL,
                                              (const unsigned char *)password,
                                              password ? (int)strlen(password) : 0, NULL, NULL),
         "PEM");
    return text_of(bio);
}

char *kl_tls_pem_join(const char *const *parts)
{
    size_t len = 0;
    for (size_t i = 0; parts[i]; i++)
        len += strlen(parts[i]);
    char *text = malloc(len + 1);
    must(text != NULL, "memory");
    char *at = text;
    for (size_t i = 0; parts[i]; i++)
        at = stpcpy(at, parts[i]);
    *at = 0;
    return text;
}

uint8_t *kl_tls_pkcs12_bytes(const kl_tls_pair *own, const kl_tls_pair *const *others,
                             const char *password, size_t *len)
{
    STACK_OF(X509) *row = sk_X509_new_null();
    for (size_t i = 0; others && others[i]; i++)
        sk_X509_push(row, others[i]->certificate);
    PKCS12 *p12 = PKCS12_create(password, "kloop", own ? own->key : NULL,
                                own ? own->certificate : NULL, row, 0, 0, 0, 0, 0);
    must(p12 != NULL, "PKCS#12");
    unsigned char *bytes = NULL;
    *len = (size_t)i2d_PKCS12(p12, &bytes);
    uint8_t *copy = malloc(*len);
    must(copy != NULL, "memory");
    memcpy(copy, bytes, *len);
    OPENSSL_free(bytes);
    PKCS12_free(p12);
    sk_X509_free(row);
    return copy;
}

uint8_t *kl_tls_der_bytes(const kl_tls_pair *p, size_t *len)
{
    unsigned char *bytes = NULL;
    *len = (size_t)i2d_X509(p->certificate, &bytes);
    uint8_t *copy = malloc(*len);
    must(copy != NULL, "memory");
    memcpy(copy, bytes, *len);
    OPENSSL_free(bytes);
    return copy;
}

/* ---- As files ---- */

kl_tls_folder kl_tls_test_folder_new(void)
{
    kl_tls_folder f = {.path = "/tmp/kloop-tls-XXXXXX"};
    must(mkdtemp(f.path) != NULL, "mkdtemp");
    return f;
}

void kl_tls_test_path(const kl_tls_folder *f, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", f->path, name);
}

void kl_tls_test_file(const kl_tls_folder *f, const char *name, const void *bytes, size_t len)
{
    char path[128];
    kl_tls_test_path(f, name, path);
    FILE *file = fopen(path, "wb");
    must(file && fwrite(bytes, 1, len, file) == len && fclose(file) == 0, path);
}

void kl_tls_test_text(const kl_tls_folder *f, const char *name, const char *text)
{
    kl_tls_test_file(f, name, text, strlen(text));
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    (void)info;
    (void)flag;
    (void)where;
    return remove(path);
}

void kl_tls_test_folder_del(const kl_tls_folder *f)
{
    nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
