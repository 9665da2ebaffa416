/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes as base64 text (RFC 4648), as Kafka's JSON and SCRAM carry bytes, the URL form of it
 * without padding, as tokens are written, and ids as 22 characters of that. Pure functions, nothing
 * is owned.
 *
 * Each run of bytes has exactly one text here, and only that one is read: padding must be there,
 * whitespace must not, and the bits of the last character that belong to no byte must be zero. Java
 * is more lenient, each class in its own way (tried with Java 17, Jackson 2.19 and
 * kafka-clients 4.3.1):
 * - java.util.Base64.getDecoder() takes text without padding ("QQ") and loose bits ("QR==" as
 * "QQ=="), no whitespace.
 * - Jackson's JsonNode.binaryValue(), which Kafka's converters call, uses MIME_NO_LINEFEEDS: it
 * wants the padding, but takes loose bits, whitespace between groups of four, and further groups
 * behind padding ("QQ==QQ==" is two bytes).
 * - Kafka's Uuid.fromString takes loose bits (the last of 22 characters has four), two padding
 * characters at the end
 *   ("...cA=="), and nothing else: any other length is refused for not being 16 bytes.
 */
#ifndef KL_BASE_BASE64_H
#define KL_BASE_BASE64_H

#include <kloop/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KL_BASE64_UUID_CHARS 22

typedef struct kl_base64_fault {
    const char *reason; /* static text */
    size_t offset;      /* in the text */
} kl_base64_fault;

/* How many characters n bytes become; SIZE_MAX when that does not fit a size_t. */
size_t kl_base64_encoded_len(size_t n);

/* Writes kl_base64_encoded_len(n) characters, without a terminator. */
void kl_base64_encode(char *out, const uint8_t *bytes, size_t n);

/* Room that is enough to decode a text of len characters. */
size_t kl_base64_decoded_max(size_t len);

/*
 * out has room for kl_base64_decoded_max(len) bytes and may be the text itself; out_len tells how
 * many they are. false: fault tells the first character that is wrong, or the end of the text when
 * some are missing; what was written until then is not to be used.
 */
bool kl_base64_decode(uint8_t *out, size_t *out_len, const char *text, size_t len,
                      kl_base64_fault *fault);

/* The same in the URL form without padding. Answers how many characters there are: (4 * n + 2) / 3,
 * which out has room for. */
size_t kl_base64_encode_url(char *out, const uint8_t *bytes, size_t n);
bool kl_base64_decode_url(uint8_t *out, size_t *out_len, const char *text, size_t len,
                          kl_base64_fault *fault);

/* An id as Kafka prints it. */
void kl_base64_encode_uuid(char out[KL_BASE64_UUID_CHARS], const kloop_uuid *id);
bool kl_base64_decode_uuid(kloop_uuid *id, const char *text, size_t len, kl_base64_fault *fault);

#endif
