/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sentences of TLS: what OpenSSL and the peer say by codes, in words that tell what to do.
 *
 * OpenSSL keeps errors in a queue of the thread, which belongs to the host as well: whoever calls
 * OpenSSL does it between kl_tls_errors_begin() and kl_tls_errors_end(). Nothing of ours is left in
 * it, and what the host had there stays, but for handshakes: there OpenSSL itself empties it. For
 * the same reason SSL_get_error() is used nowhere, as it believes every error in the queue.
 *
 * Nothing is owned, nothing fails; what is too long is cut.
 */
#ifndef KL_DRIVER_TLS_WHY_H
#define KL_DRIVER_TLS_WHY_H

#include <kloop/record.h>
#include <kloop/types.h>

#include <openssl/x509.h>

#include <stdbool.h>

/* Answers status. error is not NULL. */
kloop_status kl_tls_refuse(kloop_error *error, kloop_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
kloop_status kl_tls_refuse_memory(kloop_error *error);

void kl_tls_errors_begin(void);
void kl_tls_errors_end(void);
/* What OpenSSL says of its latest error, good until the next one. */
const char *kl_tls_reason(void);
bool kl_tls_reason_is_memory(void);

/* "2026-11-21 23:59:00 UTC" */
#define KL_TLS_DATE_TEXT 40
const char *kl_tls_date(char text[KL_TLS_DATE_TEXT], int64_t ms);
/* ASN.1's time as milliseconds since 1970; INT64_MIN: it is none. */
int64_t kl_tls_time_ms(const ASN1_TIME *time);

/* A name of a certificate, "CN=broker1, O=Example", fit for a terminal. */
void kl_tls_name_text(const X509_NAME *name, char *text, size_t size);
/* What a certificate is for: "DNS:broker1, IP:10.0.0.1"; without such names "CN:broker1". */
void kl_tls_names_text(const X509 *certificate, char *text, size_t size);

/* What of a connection the sentences tell. */
typedef struct kl_tls_peer {
    const char *host;
    const char *trust; /* where CAs come from, see kl_tls_trust */
    uint16_t port;
    bool trust_is_set; /* by a key, and not the system's */
    bool certificate_asked;
    bool certificate_sent;
} kl_tls_peer;

/* The peer's certificate was refused: code is OpenSSL's, certificate the one at fault at depth of
 * the chain (0: the peer's own), alone: the peer has sent no other. */
void kl_tls_why_refused(const kl_tls_peer *peer, int code, int depth, const X509 *certificate,
                        bool alone, int64_t wall_ms, char *text, size_t size);

/* The peer has ended it with an alert. untrusted: trying again does not cure it. */
void kl_tls_why_alert(const kl_tls_peer *peer, int alert, bool up, bool *untrusted, char *text,
                      size_t size);

/* The peer's first bytes are no TLS; false: they may be. */
bool kl_tls_why_no_tls(const kl_tls_peer *peer, const uint8_t *bytes, size_t len, char *text,
                       size_t size);

/* The connection ended in the handshake, after so many bytes from the peer. */
void kl_tls_why_hung_up(const kl_tls_peer *peer, uint64_t received_bytes, char *text, size_t size);

/* Anything else: OpenSSL's latest error. */
void kl_tls_why_else(const kl_tls_peer *peer, bool up, bool *untrusted, char *text, size_t size);

#endif
