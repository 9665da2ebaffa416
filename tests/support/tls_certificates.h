/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates for tests, made when they are needed: nothing is checked in that could expire. They
 * are valid from 2020 until 2045 unless told otherwise; tests hand in KL_TLS_TEST_WALL_MS as the
 * time.
 *
 * A pair owns key and certificate. Texts and files belong to whoever asked, and are given back with
 * free() and kl_tls_test_folder_del(). What fails aborts the test program.
 */
#ifndef KL_TESTS_TLS_CERTIFICATES_H
#define KL_TESTS_TLS_CERTIFICATES_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2030-01-01 00:00:00 UTC */
#define KL_TLS_TEST_WALL_MS  INT64_C(1893456000000)
#define KL_TLS_TEST_FROM_MS  INT64_C(1577836800000) /* 2020 */
#define KL_TLS_TEST_UNTIL_MS INT64_C(2366841600000) /* 2045 */

typedef struct kl_tls_pair {
    EVP_PKEY *key;
    X509 *certificate;
} kl_tls_pair;

typedef struct kl_tls_wish {
    const char *name;          /* the common name */
    const char *names;         /* subjectAltName, "DNS:broker1,IP:127.0.0.1"; NULL: none */
    const char *usage;         /* extendedKeyUsage, "clientAuth"; NULL: none */
    int64_t from_ms, until_ms; /* 0: as above */
    unsigned rsa_bits;         /* 0: an EC key, which is made faster */
    bool is_ca;
} kl_tls_wish;

/* issuer NULL: signed by itself. */
kl_tls_pair kl_tls_pair_make(const kl_tls_wish *wish, const kl_tls_pair *issuer);
void kl_tls_pair_free(kl_tls_pair *p);

/* PEM as text, terminated. */
char *kl_tls_pem_certificate(const kl_tls_pair *p);
char *kl_tls_pem_key_text(const kl_tls_pair *p, const char *password); /* PKCS#8; NULL: plain */
char *kl_tls_pem_key_old(const kl_tls_pair *p, const char *password);  /* PKCS#1, or SEC1 */
/* Several texts as one; parts ends in NULL and is not freed. */
char *kl_tls_pem_join(const char *const *parts);
/* PKCS#12 in newly allocated memory; own may be NULL: certificates alone. */
uint8_t *kl_tls_pkcs12_bytes(const kl_tls_pair *own, const kl_tls_pair *const *others,
                             const char *password, size_t *len);
uint8_t *kl_tls_der_bytes(const kl_tls_pair *p, size_t *len);

/* A directory for files of a test, and files in it by name. */
typedef struct kl_tls_folder {
    char path[64];
} kl_tls_folder;

kl_tls_folder kl_tls_test_folder_new(void);
/* path is good for 128 bytes. */
void kl_tls_test_path(const kl_tls_folder *f, const char *name, char path[128]);
void kl_tls_test_file(const kl_tls_folder *f, const char *name, const void *bytes, size_t len);
void kl_tls_test_text(const kl_tls_folder *f, const char *name, const char *text);
void kl_tls_test_folder_del(const kl_tls_folder *f);

#endif
