/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a configuration says about TLS, kept for as long as certificates may have to be loaded anew.
 *
 * The texts are copies of our own, secrets among them: they are wiped when they are given back.
 * Loading fails where there is no memory, and where keys contradict each other.
 */
#ifndef KL_DRIVER_TLS_SETTINGS_H
#define KL_DRIVER_TLS_SETTINGS_H

#include <kloop/config.h>
#include <kloop/record.h>
#include <kloop/types.h>

#include <stdbool.h>

typedef enum kl_tls_key {
    KL_TLS_TRUST_LOCATION,
    KL_TLS_TRUST_TYPE,
    KL_TLS_TRUST_PASSWORD,
    KL_TLS_TRUST_PEM,
    KL_TLS_KEYSTORE_LOCATION,
    KL_TLS_KEYSTORE_TYPE,
    KL_TLS_KEYSTORE_PASSWORD,
    KL_TLS_KEYSTORE_KEY,
    KL_TLS_KEYSTORE_CHAIN,
    KL_TLS_KEY_LOCATION,
    KL_TLS_CERTIFICATE_LOCATION,
    KL_TLS_KEY_PASSWORD,
    KL_TLS_PROTOCOLS,
    KL_TLS_PROTOCOL,
    KL_TLS_CIPHERS,
    KL_TLS_CURVES,
    KL_TLS_SIGALGS,
    KL_TLS_HOST_CHECK,
    KL_TLS_KEY_COUNT
} kl_tls_key;

typedef struct kl_tls_settings {
    char *text[KL_TLS_KEY_COUNT]; /* NULL: not set, or empty */
    size_t size[KL_TLS_KEY_COUNT];
    bool tls12, tls13; /* what may be spoken; one of them at least */
    bool checks_host;
    kloop_allocator alloc;
} kl_tls_settings;

/* Java's name of a key. */
const char *kl_tls_key_name(kl_tls_key key);

/* Does security.protocol ask for TLS at all? */
bool kl_tls_settings_asked(const kloop_config *config);

/* On anything but KLOOP_OK nothing is left to be given back. */
kloop_status kl_tls_settings_init(kl_tls_settings *s, const kloop_config *config,
                                  const kloop_allocator *alloc, kloop_error *error);
void kl_tls_settings_deinit(kl_tls_settings *s);

/* "" where it is not set. */
const char *kl_tls_text(const kl_tls_settings *s, kl_tls_key key);
bool kl_tls_has(const kl_tls_settings *s, kl_tls_key key);

#endif
