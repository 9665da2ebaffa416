/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as hexadecimal text: written in lower case, read in either. Pure functions, nothing is
 * owned. */
#ifndef KL_WIRETOOLS_HEX_H
#define KL_WIRETOOLS_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kl_hex_fault {
    const char *reason; /* static text */
    size_t offset;      /* in the text */
} kl_hex_fault;

/* Writes 2 * n characters, without a terminator. */
void kl_hex_encode(char *out, const uint8_t *bytes, size_t n);

/*
 * Writes len / 2 bytes; out may be the text itself. false: fault tells the first character that is
 * no digit or, when all are digits but one is missing, the end of the text; what was written until
 * then is not to be used.
 */
bool kl_hex_decode(uint8_t *out, const char *text, size_t len, kl_hex_fault *fault);

#endif
