/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a peer that is no Kafka broker looks like: its first bytes, and a guess at what it is.
 */
#ifndef KL_CORE_PEER_TEXT_H
#define KL_CORE_PEER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Always terminated; true: it speaks TLS. */
bool kl_peer_text(const uint8_t *bytes, size_t len, char *text, size_t size);

#endif
