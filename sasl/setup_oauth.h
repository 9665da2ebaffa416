/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the tokens of OAUTHBEARER come from, by what a configuration says: from the program, from a
 * file, or unsecured ones made here, of options of Java's login module or of librdkafka's key.
 */
#ifndef KL_SASL_SETUP_OAUTH_H
#define KL_SASL_SETUP_OAUTH_H

#include "sasl/jaas.h"
#include "sasl/oauthbearer.h"

typedef struct kl_setup_oauth_texts {
    const kl_jaas *jaas;  /* NULL: not set */
    const char *config;   /* sasl.oauthbearer.config; NULL: not set */
    const char *url;      /* sasl.oauthbearer.token.endpoint.url; NULL: not set */
    bool unsecured_is_ok; /* enable.sasl.oauthbearer.unsecure.jwt */
} kl_setup_oauth_texts;

/* o is initialised, and its owner gives it back, also after a failure; likewise file, which becomes
 * the path of the file of tokens, or stays as it is. KLOOP_BAD_CONFIG, KLOOP_NO_MEMORY. */
kloop_status kl_setup_oauth(kl_oauthbearer *o, kl_secret *file, const kl_setup_oauth_texts *texts,
                            kloop_error *error);

#endif
