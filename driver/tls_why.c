/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences of TLS. See tls_why.h. */
#define _GNU_SOURCE /* timegm, gmtime_r */
#include "driver/tls_why.h"

#include "base/excerpt.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

kloop_status kl_tls_refuse(kloop_error *error, kloop_status status, const char *format, ...)
{
    error->status = status;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return status;
}

kloop_status kl_tls_refuse_memory(kloop_error *error)
{
    return kl_tls_refuse(error, KLOOP_NO_MEMORY, "there is no memory for TLS");
}

void kl_tls_errors_begin(void)
{
    ERR_set_mark();
    /* What the host has left there must not pass for our latest error. */
    if (ERR_peek_last_error())
        ERR_raise(ERR_LIB_USER, 1);
}

void kl_tls_errors_end(void)
{
    ERR_pop_to_mark();
}

const char *kl_tls_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    if (!code || ERR_GET_LIB(code) == ERR_LIB_USER)
        return "no reason is given";
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    return reason ? reason : "a reason without a name";
}

bool kl_tls_reason_is_memory(void)
{
    return ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
}

const char *kl_tls_date(char text[KL_TLS_DATE_TEXT], int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (ms == INT64_MIN || !gmtime_r(&seconds, &tm) ||
        !strftime(text, KL_TLS_DATE_TEXT, "%Y-%m-%d %H:%M:%S UTC", &tm))
        strcpy(text, "no date");
    return text;
}

int64_t kl_tls_time_ms(const ASN1_TIME *time)
{
    struct tm tm;
    if (!time || !ASN1_TIME_to_tm(time, &tm))
        return INT64_MIN;
    return (int64_t)timegm(&tm) * 1000;
}

/* ---- Names ---- */

/* What a memory BIO has, in printable form; the BIO is freed. */
static void take_text(BIO *bio, char *text, size_t size)
{
    char *data = NULL;
    long len = bio ? BIO_get_mem_data(bio, &data) : 0;
    if (len > 0 && data)
        kl_excerpt(text, size, (kloop_string){data, (size_t)len});
    else
        text[0] = 0;
    BIO_free(bio);
}

void kl_tls_name_text(const X509_NAME *name, char *text, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && name)
        X509_NAME_print_ex(bio, name, 0,
                           (XN_FLAG_RFC2253 & ~XN_FLAG_SEP_MASK & ~(unsigned)ASN1_STRFLGS_ESC_MSB) |
                               XN_FLAG_SEP_CPLUS_SPC);
    take_text(bio, text, size);
    if (!text[0])
        snprintf(text, size, "without a name");
}

static void print_common_name(BIO *bio, const X509 *certificate)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return;
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    BIO_puts(bio, "CN:");
    ASN1_STRING_print_ex(bio, value, ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_UTF8_CONVERT);
}

static bool print_general_name(BIO *bio, const GENERAL_NAME *name, bool first)
{
    int kind;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);
    if (kind != GEN_DNS && kind != GEN_IPADD)
        return false;
    const unsigned char *data = ASN1_STRING_get0_data(value);
    int len = ASN1_STRING_length(value);
    char address[INET6_ADDRSTRLEN] = "?";
    if (kind == GEN_IPADD && (len == 4 || len == 16))
        inet_ntop(len == 4 ? AF_INET : AF_INET6, data, address, sizeof address);
    BIO_puts(bio, first ? "" : ", ");
    if (kind == GEN_IPADD) {
        BIO_puts(bio, "IP:");
        BIO_puts(bio, address);
    } else {
        BIO_puts(bio, "DNS:");
        BIO_write(bio, data, len);
    }
    return true;
}

void kl_tls_names_text(const X509 *certificate, char *text, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool first = true;
    for (int i = 0; bio && i < sk_GENERAL_NAME_num(names); i++)
        if (print_general_name(bio, sk_GENERAL_NAME_value(names, i), first))
            first = false;
    if (bio && first)
        print_common_name(bio, certificate);
    GENERAL_NAMES_free(names);
    take_text(bio, text, size);
    if (!text[0])
        snprintf(text, size, "no name at all");
}

/* ---- Certificates that are not trusted ---- */

/* How much of a name goes into a sentence. */
#define NAME_TEXT 104

static const char *how_to_trust(const kl_tls_peer *peer)
{
    return peer->trust_is_set
               ? "add the CA's certificate to it, if this is the right broker"
               : "set ssl.truststore.location to a PEM file with the CA's certificate";
}

static void why_no_issuer(const kl_tls_peer *peer, const char *subject, const char *issuer,
                          bool alone, char *text, size_t size)
{
    snprintf(
        text, size,
        "the certificate of %s:%u (%s) is not trusted: it was issued by %s, and %s has no such "
        "CA; %s%s",
        peer->host, peer->port, subject, issuer, peer->trust, how_to_trust(peer),
        alone ? ", or let the broker send the certificates in between" : "");
}

static void why_other_name(const kl_tls_peer *peer, const X509 *certificate, bool address,
                           char *text, size_t size)
{
    char names[KL_EXCERPT_SIZE * 3];
    kl_tls_names_text(certificate, names, sizeof names);
    snprintf(
        text, size,
        "the certificate of %s:%u is for another name: it is for %s; connect by a name that is "
        "in it (bootstrap.servers, the broker's advertised.listeners), or have one made whose "
        "subjectAltName has %s:%s",
        peer->host, peer->port, names, address ? "IP" : "DNS", peer->host);
}

void kl_tls_why_refused(const kl_tls_peer *peer, int code, int depth, const X509 *certificate,
                        bool alone, int64_t wall_ms, char *text, size_t size)
{
    char subject[NAME_TEXT] = "unknown", issuer[NAME_TEXT] = "unknown";
    char date[KL_TLS_DATE_TEXT] = "no date", here[KL_TLS_DATE_TEXT];
    if (certificate) {
        kl_tls_name_text(X509_get_subject_name(certificate), subject, sizeof subject);
        kl_tls_name_text(X509_get_issuer_name(certificate), issuer, sizeof issuer);
    }
    kl_tls_date(here, wall_ms);
    const char *whose = depth > 0 ? "a CA's certificate behind that" : "the certificate";
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        why_no_issuer(peer, subject, issuer, alone, text, size);
        return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        snprintf(
            text, size,
            "the certificate of %s:%u (%s) is not trusted: it is signed by itself, and %s does "
            "not have it; if it is the right one, set ssl.truststore.location to a PEM file "
            "with it",
            peer->host, peer->port, subject, peer->trust);
        return;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        snprintf(
            text, size,
            "the certificate of %s:%u is not trusted: its chain ends at %s, and %s has no such "
            "CA; %s",
            peer->host, peer->port, subject, peer->trust, how_to_trust(peer));
        return;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        if (certificate)
            kl_tls_date(date, kl_tls_time_ms(X509_get0_notAfter(certificate)));
        snprintf(text, size,
                 "%s of %s:%u (%s) has expired: it was valid until %s, and the clock here says %s; "
                 "the broker needs a new one",
                 whose, peer->host, peer->port, subject, date, here);
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        if (certificate)
            kl_tls_date(date, kl_tls_time_ms(X509_get0_notBefore(certificate)));
        snprintf(
            text, size,
            "%s of %s:%u (%s) is not valid yet: it will be from %s on, and the clock here says "
            "%s; set the clock that is wrong",
            whose, peer->host, peer->port, subject, date, here);
        return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        if (certificate) {
            why_other_name(peer, certificate, code == X509_V_ERR_IP_ADDRESS_MISMATCH, text, size);
            return;
        }
        break;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        snprintf(text, size,
                 "%s of %s:%u (%s) is not signed by the CA that it names (%s): in %s that CA has "
                 "another key; was it made anew?",
                 whose, peer->host, peer->port, subject, issuer, peer->trust);
        return;
    case X509_V_ERR_INVALID_PURPOSE:
        snprintf(
            text, size,
            "%s of %s:%u (%s) is not made for servers: its extendedKeyUsage has no serverAuth; "
            "the broker needs another one",
            whose, peer->host, peer->port, subject);
        return;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        snprintf(
            text, size,
            "%s of %s:%u (%s) is too weak for this system's OpenSSL (%s): the broker needs one "
            "with a longer key or a newer signature",
            whose, peer->host, peer->port, subject, X509_verify_cert_error_string(code));
        return;
    default:
        break;
    }
    snprintf(text, size, "%s of %s:%u (%s, issued by %s) is refused: %s", whose, peer->host,
             peer->port, subject, issuer, X509_verify_cert_error_string(code));
}

/* ---- The peer refuses, or is none ---- */

typedef struct alert_row {
    uint8_t code;
    bool untrusted;
    bool of_certificate; /* of ours */
    const char *what;
    const char *remedy;
} alert_row;

static const alert_row alerts[] = {
    {SSL_AD_UNEXPECTED_MESSAGE, false, false, "unexpected message", NULL},
    {SSL_AD_BAD_RECORD_MAC, false, false, "bad record mac", "bytes were changed on the way"},
    {SSL_AD_RECORD_OVERFLOW, false, false, "record overflow", NULL},
    {SSL_AD_HANDSHAKE_FAILURE, true, true, "handshake failure",
     "there is nothing that both sides can: see ssl.enabled.protocols, ssl.cipher.suites, "
     "ssl.curves.list and the broker's settings of the same names"},
    {SSL_AD_BAD_CERTIFICATE, true, true, "bad certificate",
     "it does not take the certificate of ssl.keystore.*"},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, true, true, "unsupported certificate",
     "the certificate of ssl.keystore.* has a key or a use (clientAuth) that it does not take"},
    {SSL_AD_CERTIFICATE_REVOKED, true, true, "certificate revoked",
     "the certificate of ssl.keystore.* was called back: have a new one made"},
    {SSL_AD_CERTIFICATE_EXPIRED, true, true, "certificate expired",
     "the certificate of ssl.keystore.* has expired: have a new one made"},
    {SSL_AD_CERTIFICATE_UNKNOWN, true, true, "certificate unknown",
     "it does not take the certificate of ssl.keystore.*: is its CA in the broker's truststore?"},
    {SSL_AD_ILLEGAL_PARAMETER, true, false, "illegal parameter", NULL},
    {SSL_AD_UNKNOWN_CA, true, true, "unknown CA",
     "the CA of the certificate of ssl.keystore.* is not in the broker's truststore, or "
     "certificates in between are missing in the keystore"},
    {SSL_AD_ACCESS_DENIED, true, true, "access denied",
     "the broker knows the certificate and does not let it in"},
    {SSL_AD_DECODE_ERROR, false, false, "decode error", NULL},
    {SSL_AD_DECRYPT_ERROR, false, false, "decrypt error", NULL},
    {SSL_AD_PROTOCOL_VERSION, true, false, "protocol version",
     "it speaks none of the versions of ssl.enabled.protocols"},
    {SSL_AD_INSUFFICIENT_SECURITY, true, false, "insufficient security",
     "it wants stronger suites than those of ssl.cipher.suites"},
    {SSL_AD_INTERNAL_ERROR, false, false, "internal error", "the broker's log has more"},
    {SSL_AD_INAPPROPRIATE_FALLBACK, true, false, "inappropriate fallback", NULL},
    {SSL_AD_USER_CANCELLED, false, false, "user canceled", NULL},
    {SSL_AD_MISSING_EXTENSION, true, false, "missing extension", NULL},
    {SSL_AD_UNRECOGNIZED_NAME, true, false, "unrecognized name",
     "it does not know itself by the name that it was called by: see bootstrap.servers"},
    {SSL_AD_CERTIFICATE_REQUIRED, true, true, "certificate required", NULL},
    {SSL_AD_NO_APPLICATION_PROTOCOL, true, false, "no application protocol", NULL},
};

void kl_tls_why_alert(const kl_tls_peer *peer, int alert, bool up, bool *untrusted, char *text,
                      size_t size)
{
    const alert_row *row = NULL;
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++)
        if (alerts[i].code == alert)
            row = &alerts[i];
    *untrusted = row ? row->untrusted : false;
    char number[32];
    snprintf(number, sizeof number, "alert %d", alert);
    const char *remedy = row && row->remedy ? row->remedy : "the broker's log may have more";
    bool missing = row && row->of_certificate && peer->certificate_asked && !peer->certificate_sent;
    if (missing)
        remedy =
            "it asks for a certificate and there is none to show: set ssl.keystore.location, or "
            "ssl.keystore.key and ssl.keystore.certificate.chain";
    snprintf(text, size, "%s:%u %s TLS with the alert \"%s\": %s", peer->host, peer->port,
             up && !*untrusted ? "has ended" : "refuses", row ? row->what : number, remedy);
}

bool kl_tls_why_no_tls(const kl_tls_peer *peer, const uint8_t *bytes, size_t len, char *text,
                       size_t size)
{
    /* Handshake or alert, then version 3: both may still fail, but as TLS. */
    if (len == 0 || ((bytes[0] == 0x16 || bytes[0] == 0x15) && (len < 2 || bytes[1] == 3)))
        return false;
    const char *what = "something else";
    if (len >= 4 && !memcmp(bytes, "HTTP", 4))
        what = "HTTP";
    else if (len >= 4 && !memcmp(bytes, "SSH-", 4))
        what = "SSH";
    else if (len >= 4 && bytes[0] == 0 && bytes[1] == 0)
        what = "what looks like Kafka without TLS";
    snprintf(text, size,
             "%s:%u does not speak TLS but %s: security.protocol=PLAINTEXT or SASL_PLAINTEXT fits "
             "that port, or TLS is at another one",
             peer->host, peer->port, what);
    return true;
}

void kl_tls_why_hung_up(const kl_tls_peer *peer, uint64_t received_bytes, char *text, size_t size)
{
    if (received_bytes == 0)
        snprintf(
            text, size,
            "%s:%u has hung up at the first message of TLS: a port that does not speak TLS does "
            "so, Kafka's PLAINTEXT and SASL_PLAINTEXT listeners among them; if the broker is "
            "not just going down, see security.protocol and the port",
            peer->host, peer->port);
    else
        snprintf(text, size,
                 "%s:%u has hung up in the middle of the TLS handshake, after %" PRIu64 " bytes%s",
                 peer->host, peer->port, received_bytes,
                 peer->certificate_asked && !peer->certificate_sent
                     ? ": it had asked for a certificate and there is none to show: set "
                       "ssl.keystore.location"
                     : "");
}

typedef struct reason_row {
    int reason;
    bool untrusted;
    const char *remedy;
} reason_row;

static const reason_row reasons[] = {
    {SSL_R_UNSUPPORTED_PROTOCOL, true,
     "it chose a version that ssl.enabled.protocols does not have"},
    {SSL_R_WRONG_VERSION_NUMBER, true,
     "it does not speak TLS as it should: is this the right port?"},
    {SSL_R_WRONG_SSL_VERSION, true, "it does not speak TLS as it should: is this the right port?"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, true, "see ssl.enabled.protocols"},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, true,
     "the system's OpenSSL allows none of ssl.enabled.protocols (see openssl.cnf)"},
    {SSL_R_NO_CIPHERS_AVAILABLE, true, "see ssl.cipher.suites and ssl.enabled.protocols"},
    {SSL_R_WRONG_CIPHER_RETURNED, true, "it chose a suite that was not offered"},
    {SSL_R_UNKNOWN_CIPHER_RETURNED, true, "it chose a suite that was not offered"},
    {SSL_R_DH_KEY_TOO_SMALL, true,
     "its key exchange is too weak for this system's OpenSSL: let it use ECDHE"},
    {SSL_R_WRONG_SIGNATURE_TYPE, true, "see ssl.sigalgs.list"},
    {SSL_R_WRONG_CURVE, true, "see ssl.curves.list"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, true, "see ssl.sigalgs.list"},
    {SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, true,
     "its TLS is of before 2010 (no RFC 5746), which is not safe"},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, false, "bytes were changed on the way"},
};

void kl_tls_why_else(const kl_tls_peer *peer, bool up, bool *untrusted, char *text, size_t size)
{
    *untrusted = false;
    if (kl_tls_reason_is_memory()) {
        snprintf(text, size, "there is no memory for the TLS connection to %s:%u", peer->host,
                 peer->port);
        return;
    }
    unsigned long code = ERR_peek_last_error();
    const char *remedy = "";
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == reasons[i].reason) {
            remedy = reasons[i].remedy;
            *untrusted = reasons[i].untrusted && !up;
        }
    snprintf(text, size, "TLS with %s:%u failed%s: %s%s%s", peer->host, peer->port,
             up ? "" : " in the handshake", kl_tls_reason(), remedy[0] ? "; " : "", remedy);
}
