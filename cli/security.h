/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command's own talks with brokers need to be safe, out of the same configuration that the
 * producer has: TLS, the mechanism to log in with, and the token that it may want from a file.
 *
 *     kl_security security;
 *     if (kl_security_init(&security, config, &error)) ... error.text ...
 *     kl_dialog_config d = {.security = &security, ...};
 *     ... dialogs, all of them over ...
 *     kl_security_deinit(&security);
 *
 * Owns TLS and the mechanism, whose secrets are wiped when they are given back. The configuration
 * is not needed any longer after init. Fails where it asks for what cannot be, with a sentence.
 */
#ifndef KL_CLI_SECURITY_H
#define KL_CLI_SECURITY_H

#include <kloop/sasl.h>
#include <kloop/tls.h>

typedef struct kl_security {
    kloop_tls *tls; /* NULL: none */
    kloop_sasl *sasl;
    const kloop_sasl_mechanism *mechanism; /* NULL: no login */
} kl_security;

/* KLOOP_OK, KLOOP_BAD_CONFIG or KLOOP_NO_MEMORY. To be given back in any case. */
kloop_status kl_security_init(kl_security *s, const kloop_config *config, kloop_error *error);
void kl_security_deinit(kl_security *s);

/* On stderr: what all goes on in spite of, such as a certificate of ours that soon expires. */
void kl_security_print_notes(const kl_security *s, const char *command);

/*
 * The mechanism wants a token: it is read from its file. false, with a sentence: there is none, or
 * it is of no use. Waits for the disk.
 */
bool kl_security_fetch_token(const kl_security *s, kloop_error *error);

/* The time as mechanisms and certificates want it told. */
kloop_now kl_security_now(void);

#endif
