/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What brokers offer, for people: a table of every API, its versions, and the one that kloop's
 * producer speaks with such a broker. Brokers that offer the same stand over one table.
 *
 * Nothing is owned. Writing fails as stdio does.
 */
#ifndef KL_CLI_META_VERSIONS_H
#define KL_CLI_META_VERSIONS_H

#include "cli/meta_picture.h"

#include <stdio.h>

/* version_max is the value of api.version.max. */
void kl_meta_versions_print(const kl_meta_picture *p, const char *version_max, FILE *to);

/* Is it an API that the producer speaks? */
bool kl_meta_versions_is_ours(int16_t api_key);
/* The oldest Kafka that offers what this broker does, as far as can be seen: "4.1"; NULL: unknown.
 */
const char *kl_meta_versions_release(const kloop_api_versions_response *v);

#endif
