/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sasl.jaas.config as Java people write it: one login module with its options.
 *
 *     org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="b";
 *
 * Read as Kafka's client reads it: words, texts in single or double quotes with Java's escapes,
 * comments, a semicolon at the end. Of an option that is there twice the last counts.
 *
 * A kl_jaas owns what was read, and wipes it. What is wrong is told with its place and never with
 * its words: where a quote is missing, any word may be part of a password.
 */
#ifndef KL_SASL_JAAS_H
#define KL_SASL_JAAS_H

#include "sasl/secret.h"

#include <kloop/record.h>

#define KL_JAAS_OPTIONS_MAX 64

typedef struct kl_jaas_option {
    kl_secret name;
    kl_secret value;
} kl_jaas_option;

typedef struct kl_jaas {
    kl_secret module; /* the name of its class */
    size_t option_count;
    kl_jaas_option options[KL_JAAS_OPTIONS_MAX];
} kl_jaas;

/* KLOOP_BAD_CONFIG, KLOOP_NO_MEMORY: nothing is owned. */
kloop_status kl_jaas_parse(kl_jaas *j, const kloop_allocator *alloc, kloop_string text,
                           kloop_error *error);
void kl_jaas_deinit(kl_jaas *j, const kloop_allocator *alloc);

/* NULL: there is no such option. */
const kl_secret *kl_jaas_find(const kl_jaas *j, const char *name);

/* The class's name without its package, which other vendors change when they bundle Kafka's client.
 */
kloop_string kl_jaas_class(const kl_jaas *j);

#endif
