/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-1, for naming files by their content as libFuzzer does. Nothing here is about security. */
#ifndef KL_FUZZ_SHA1_H
#define KL_FUZZ_SHA1_H

#include <stddef.h>
#include <stdint.h>

/* 40 hex digits and a terminator. */
void kl_sha1_name(const uint8_t *data, size_t len, char name[41]);

#endif
