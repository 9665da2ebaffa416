/* SPDX-License-Identifier: BSD-2-Clause */
/* What there is to tell of a TLS connection. See <kloop/tls.h>. */
#include "driver/tls_channel.h"

#include <openssl/evp.h>
#include <openssl/objects.h>

#include <stdio.h>
#include <string.h>

static STACK_OF(X509) * chain_of(const kloop_tls_channel *c)
{
    return c->refused ? c->refused : SSL_get_peer_cert_chain(c->ssl);
}

static const char *text_or_nothing(const char *text)
{
    return text ? text : "";
}

void kloop_tls_facts_of(const kloop_tls_channel *c, kloop_tls_facts *facts)
{
    *facts = (kloop_tls_facts){.version = "", .cipher = "", .group = "", .verdict = ""};
    kl_tls_errors_begin();
    const SSL_CIPHER *cipher = SSL_get_current_cipher(c->ssl);
    STACK_OF(X509) *chain = chain_of(c);
    facts->trust = c->trust;
    facts->certificate_count = chain ? (size_t)sk_X509_num(chain) : 0;
    facts->certificate_asked = c->certificate_asked;
    facts->certificate_sent = kl_tls_peer_of(c).certificate_sent;
    facts->resumed = SSL_session_reused(c->ssl);
    if (cipher) {
        facts->version = SSL_get_version(c->ssl);
        facts->cipher = text_or_nothing(SSL_CIPHER_standard_name(cipher));
    }
    if (cipher && c->state != KLOOP_TLS_SHAKING) {
        int group = (int)SSL_get_negotiated_group(c->ssl);
        if (group != NID_undef && !(group & TLSEXT_nid_unknown))
            facts->group = text_or_nothing(OBJ_nid2sn(group));
    }
    if (c->verdict != X509_V_OK || chain)
        facts->verdict = X509_verify_cert_error_string(c->verdict);
    kl_tls_errors_end();
}

static void tell_key(const X509 *certificate, char *text, size_t size)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    char group[40];
    size_t len;
    if (!key)
        snprintf(text, size, "unknown");
    else if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &len))
        snprintf(text, size, "EC %s", group);
    else
        snprintf(text, size, "%s %d bit", text_or_nothing(EVP_PKEY_get0_type_name(key)),
                 EVP_PKEY_get_bits(key));
}

static void tell_fingerprint(const X509 *certificate, char text[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    text[0] = 0;
    if (!X509_digest(certificate, EVP_sha256(), digest, &len) || len != 32)
        return;
    for (unsigned i = 0; i < len; i++)
        snprintf(text + (size_t)2 * i, 3, "%02x", digest[i]);
}

bool kloop_tls_certificate_at(const kloop_tls_channel *c, size_t index,
                              kloop_tls_certificate *certificate)
{
    STACK_OF(X509) *chain = chain_of(c);
    if (!chain || index >= (size_t)sk_X509_num(chain))
        return false;
    const X509 *x = sk_X509_value(chain, (int)index);
    memset(certificate, 0, sizeof *certificate);
    kl_tls_errors_begin();
    kl_tls_name_text(X509_get_subject_name(x), certificate->subject, sizeof certificate->subject);
    kl_tls_name_text(X509_get_issuer_name(x), certificate->issuer, sizeof certificate->issuer);
    kl_tls_names_text(x, certificate->names, sizeof certificate->names);
    tell_key(x, certificate->key, sizeof certificate->key);
    tell_fingerprint(x, certificate->sha256);
    certificate->not_before_ms = kl_tls_time_ms(X509_get0_notBefore(x));
    certificate->not_after_ms = kl_tls_time_ms(X509_get0_notAfter(x));
    kl_tls_errors_end();
    return true;
}
