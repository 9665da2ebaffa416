/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates and keys out of bytes. See tls_pem.h. */
#define _GNU_SOURCE /* memmem, strcasecmp */
#include "driver/tls_pem.h"

#include "driver/tls_why.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <string.h>
#include <strings.h>

static bool contains(kloop_slice text, const char *word)
{
    return memmem(text.data, text.len, word, strlen(word)) != NULL;
}

/* Whether it is one is a question, and no is no error of ours. */
static bool is_pkcs12(kloop_slice bytes)
{
    const unsigned char *at = bytes.data;
    kl_tls_errors_begin();
    PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)bytes.len);
    kl_tls_errors_end();
    PKCS12_free(p12);
    return p12 != NULL;
}

static bool is_certificate(kloop_slice bytes)
{
    const unsigned char *at = bytes.data;
    kl_tls_errors_begin();
    X509 *certificate = d2i_X509(NULL, &at, (long)bytes.len);
    kl_tls_errors_end();
    X509_free(certificate);
    return certificate != NULL;
}

kl_tls_form kl_tls_form_of(kloop_slice bytes)
{
    static const uint8_t jks[] = {0xfe, 0xed, 0xfe, 0xed};
    /* Another store of Java's. */
    static const uint8_t jceks[] = {0xce, 0xce, 0xce, 0xce};
    if (bytes.len >= 4 && (!memcmp(bytes.data, jks, 4) || !memcmp(bytes.data, jceks, 4)))
        return KL_TLS_FORM_JKS;
    if (bytes.len > 0 && bytes.data[0] == 0x30) {
        if (is_pkcs12(bytes))
            return KL_TLS_FORM_PKCS12;
        if (is_certificate(bytes))
            return KL_TLS_FORM_DER;
    }
    return contains(bytes, "-----BEGIN ") ? KL_TLS_FORM_PEM : KL_TLS_FORM_UNKNOWN;
}

kloop_status kl_tls_form_check(kl_tls_form *form, kloop_slice bytes, const char *where,
                               const char *type_key, const char *type, kloop_error *error)
{
    *form = kl_tls_form_of(bytes);
    switch (*form) {
    case KL_TLS_FORM_JKS:
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                             "%s is a store of Java's own kind (JKS), which only Java reads; "
                             "convert it: keytool -importkeystore -srckeystore FILE.jks "
                             "-destkeystore FILE.p12 -deststoretype PKCS12",
                             where);
    case KL_TLS_FORM_DER:
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                             "%s is a certificate in DER; convert it: openssl x509 -inform DER -in "
                             "FILE -out FILE.pem",
                             where);
    case KL_TLS_FORM_UNKNOWN:
        return kl_tls_refuse(
            error, KLOOP_BAD_CONFIG,
            "%s is neither PEM (a line \"-----BEGIN CERTIFICATE-----\" is missing) "
            "nor PKCS12",
            where);
    case KL_TLS_FORM_PEM:
    case KL_TLS_FORM_PKCS12:
        break;
    }
    const char *is = *form == KL_TLS_FORM_PEM ? "PEM" : "PKCS12";
    if (type[0] && strcasecmp(type, is) != 0)
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s is %s, and %s=%.20s says otherwise",
                             where, is, type_key, type);
    return KLOOP_OK;
}

/* OpenSSL's own way without a password is to ask for it at the terminal. */
typedef struct asked {
    const char *password;
    bool once;
} asked;

static int give_password(char *to, int size, int writing, void *me)
{
    (void)writing;
    asked *a = me;
    a->once = true;
    size_t len = strlen(a->password);
    if (len == 0 || len > (size_t)size)
        return -1;
    memcpy(to, a->password, len);
    return (int)len;
}

/* What OpenSSL's error after the last certificate says. */
static kloop_status judge_end(int count, kloop_slice text, const char *where, kloop_error *error)
{
    if (kl_tls_reason_is_memory())
        return kl_tls_refuse_memory(error);
    /* The end of the text is that no further block begins. */
    unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
        return kl_tls_refuse(
            error, KLOOP_BAD_CONFIG, "%s: certificate %d in it is broken: %s", where, count + 1,
            ERR_GET_REASON(code) == ERR_R_ASN1_LIB ? "what is between its lines is no certificate"
                                                   : kl_tls_reason());
    if (count == 0)
        return kl_tls_refuse(
            error, KLOOP_BAD_CONFIG,
            "%s: there is no certificate in it (\"-----BEGIN CERTIFICATE-----\")%s", where,
            contains(text, "PRIVATE KEY-----") ? ", only a key" : "");
    return KLOOP_OK;
}

kloop_status kl_tls_pem_certificates(STACK_OF(X509) * to, kloop_slice text, const char *where,
                                     kloop_error *error)
{
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    if (!bio)
        return kl_tls_refuse_memory(error);
    asked none = {.password = ""};
    int count = 0;
    bool fits = true;
    /* Each text leaves an error behind, and the queue is short. */
    kl_tls_errors_begin();
    for (X509 *x; fits && (x = PEM_read_bio_X509_AUX(bio, NULL, give_password, &none)) != NULL;) {
        count++;
        fits = sk_X509_push(to, x) > 0;
        if (!fits)
            X509_free(x);
    }
    kloop_status status = fits ? judge_end(count, text, where, error) : kl_tls_refuse_memory(error);
    kl_tls_errors_end();
    BIO_free(bio);
    return status;
}

kloop_status kl_tls_pem_key(EVP_PKEY **key, kloop_slice text, const char *password,
                            const char *password_key, const char *where, kloop_error *error)
{
    *key = NULL;
    if (!contains(text, "PRIVATE KEY-----"))
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                             "%s: there is no key in it (\"-----BEGIN PRIVATE KEY-----\")", where);
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    if (!bio)
        return kl_tls_refuse_memory(error);
    asked a = {.password = password};
    *key = PEM_read_bio_PrivateKey(bio, NULL, give_password, &a);
    BIO_free(bio);
    if (*key)
        return KLOOP_OK;
    if (kl_tls_reason_is_memory())
        return kl_tls_refuse_memory(error);
    if (a.once && !password[0])
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s: the key is encrypted: set %s", where,
                             password_key);
    if (a.once)
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                             "%s: the key cannot be decrypted: the password in %s is wrong, or the "
                             "way of encryption is not known here",
                             where, password_key);
    return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s: the key is broken: %s", where,
                         kl_tls_reason());
}

/* p12 is whole; what is wrong can be the password or the way it is encrypted. */
static kloop_status open_pkcs12(EVP_PKEY **key, X509 **own, STACK_OF(X509) * *others, PKCS12 *p12,
                                const char *password, const char *password_key, const char *where,
                                kloop_error *error)
{
    /* Some write no password as "", others as none at all. */
    const char *given = password[0] ? password : NULL;
    if (!given && PKCS12_mac_present(p12) && !PKCS12_verify_mac(p12, NULL, 0) &&
        PKCS12_verify_mac(p12, "", 0))
        given = "";
    if (PKCS12_mac_present(p12) && !PKCS12_verify_mac(p12, given, given ? (int)strlen(given) : 0)) {
        if (kl_tls_reason_is_memory())
            return kl_tls_refuse_memory(error);
        if (!password[0])
            return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s needs a password: set %s", where,
                                 password_key);
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s: the password in %s is wrong", where,
                             password_key);
    }
    if (PKCS12_parse(p12, given, key, own, others))
        return KLOOP_OK;
    if (kl_tls_reason_is_memory())
        return kl_tls_refuse_memory(error);
    return kl_tls_refuse(
        error, KLOOP_BAD_CONFIG,
        "%s cannot be decrypted (%s): if it is of an old kind (RC2, of Java 8 or "
        "OpenSSL 1), write it anew: openssl pkcs12 -legacy -in OLD -nodes | openssl "
        "pkcs12 -export -out NEW",
        where, kl_tls_reason());
}

kloop_status kl_tls_pkcs12(EVP_PKEY **key, STACK_OF(X509) * to, kloop_slice bytes,
                           const char *password, const char *password_key, const char *where,
                           kloop_error *error)
{
    *key = NULL;
    const unsigned char *at = bytes.data;
    PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)bytes.len);
    if (!p12)
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s is broken: %s", where, kl_tls_reason());
    X509 *own = NULL;
    STACK_OF(X509) *others = NULL;
    kloop_status status =
        open_pkcs12(key, &own, &others, p12, password, password_key, where, error);
    PKCS12_free(p12);
    if (own && !sk_X509_push(to, own)) {
        X509_free(own);
        status = kl_tls_refuse_memory(error);
    }
    while (sk_X509_num(others) > 0) {
        X509 *other = sk_X509_shift(others);
        if (status != KLOOP_OK || !sk_X509_push(to, other)) {
            X509_free(other);
            if (status == KLOOP_OK)
                status = kl_tls_refuse_memory(error);
        }
    }
    sk_X509_free(others);
    if (status != KLOOP_OK) {
        EVP_PKEY_free(*key);
        *key = NULL;
    }
    return status;
}
