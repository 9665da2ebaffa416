/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of keys and values in the syntax of java.util.Properties, as Kafka's tools read them:
 * comments with # and !, key=value, key:value or key value, lines that a backslash at the end
 * continues, \t \n \r \f \\ and \uXXXX.
 *
 * Bytes above 127 are taken as they are, so a file in UTF-8 means what it shows; Java would take
 * them for Latin-1.
 */
#ifndef KL_CLI_PROPERTIES_FILE_H
#define KL_CLI_PROPERTIES_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Both are terminated and good during the call; line counts from 1. false ends the reading. */
typedef bool (*kl_property_fn)(void *ctx, const char *key, const char *value, unsigned line);

/*
 * Calls fn for each pair of the text, in order. false: fn answered so, or *why is not empty, and
 * says what is wrong and in which line.
 */
bool kl_properties_parse(const char *text, size_t len, kl_property_fn fn, void *ctx, char *why,
                         size_t why_size);

#endif
