/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the variants of crc32c share: the powers of x they multiply by, and their tables of
 * functions. Only crc32c*.c and the test of the constants include this.
 *
 * The arithmetic. A checksum register is a polynomial of degree below 32 over GF(2), stored with
 * its highest power in bit 0, and everything is modulo P, the Castagnoli polynomial (reflected:
 * 0x82F63B78). n more zero bytes behind a message multiply its register by x^(8n). Two processor
 * instructions nearly do that multiplication:
 *
 *     carry-less product, in this bit order:     a * b * x, 64 bits, not reduced
 *     crc32 step of 64 bits, register empty:     q * x^32 mod P
 *
 * In a row: a * b * x^33 mod P. So we never store x^(8n) but
 *
 *     shift(n) = x^(8n - 33) mod P,      product(a, b) = a * b * x^33 mod P
 *
 * and then product(shift(n), register) is the register n zero bytes later, and product(shift(n),
 * shift(m)) is shift(n + m): the extra factor never shows. The same numbers fold vectors: a 128-bit
 * lane moved on by n bytes is its first half times shift(n + 8) plus its second half times
 * shift(n).
 *
 * x^(2^31 - 1) is 1 modulo P, hence lengths count modulo 2^31 - 1, and eight digits of four bits
 * reach all of them.
 */
#ifndef KL_BASE_CRC32C_PARTS_H
#define KL_BASE_CRC32C_PARTS_H

#include "base/crc32c.h"

/* kl_crc32c_digit[k][d] = shift(d * 16^k): any length is a product of at most eight of them. */
extern const uint32_t kl_crc32c_digit[8][16];

/* kl_crc32c_hop[k] = shift(8 * k): the short distances in one look. */
#define KL_CRC32C_HOP_COUNT 128
extern const uint32_t kl_crc32c_hop[KL_CRC32C_HOP_COUNT];

/* product(a, b) in plain C. */
uint32_t kl_crc32c_product(uint32_t a, uint32_t b);

/* kl_crc32c_combine in plain C, for variants without carry-less products. */
uint32_t kl_crc32c_combine_plain(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);

/* A number below 2^32 that is congruent to len modulo 2^31 - 1. */
static inline uint32_t kl_crc32c_wrap(uint64_t len)
{
    len = (len & 0x7fffffff) + (len >> 31);
    return (uint32_t)((len & 0x7fffffff) + (len >> 31));
}

extern const kl_crc32c_variant kl_crc32c_table;
#if defined(__x86_64__)
extern const kl_crc32c_variant kl_crc32c_sse42;
extern const kl_crc32c_variant kl_crc32c_pclmul;
extern const kl_crc32c_variant kl_crc32c_vpclmul;
#endif

#endif
