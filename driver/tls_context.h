/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the connections of a producer share. A kloop_tls owns OpenSSL's context, and makes a new one
 * when files have changed; connections hold on to the one they began with.
 *
 * OpenSSL's default library context is used, and not one of our own: the system's policy (security
 * level, FIPS, openssl.cnf) is what people set there, and a context of our own would not see it.
 * Nothing that is global to the process is changed.
 */
#ifndef KL_DRIVER_TLS_CONTEXT_H
#define KL_DRIVER_TLS_CONTEXT_H

#include <kloop/tls.h>

#include "driver/tls_bytes.h"
#include "driver/tls_files.h"
#include "driver/tls_sessions.h"
#include "driver/tls_settings.h"
#include "driver/tls_trust.h"

/* The most plain text that goes into a record. */
#define KL_TLS_RECORD_BYTES 16384u
#define KL_TLS_NOTES_MAX    2

struct kloop_tls {
    kloop_allocator alloc;
    kl_tls_settings settings;
    SSL_CTX *ctx;
    BIO_METHOD *method;
    kl_tls_trust trust;
    kl_tls_watch watch;  /* what ctx was made of */
    uint64_t looked_ns;  /* when that was compared with the files */
    uint32_t generation; /* of ctx */
    size_t channel_count;
    kl_tls_sessions sessions;
    kl_tls_spares spares;
    uint8_t *gathered; /* where small slices become a record: KL_TLS_RECORD_BYTES */
    kloop_error notes[KL_TLS_NOTES_MAX];
    size_t note_count;
};

/* Looks at the files, at most once a second. What cannot be used leaves all as it is, with a note.
 */
void kl_tls_context_renew(kloop_tls *t, kloop_now now);

#endif
