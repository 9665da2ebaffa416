/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 with the instructions that x86-64 has for it. One instruction does two rounds; the eight
 * words lie in two registers, crosswise:
 *
 *     abef   a b e f from the highest lane down         cdgh   likewise
 *
 * Two rounds turn abef into what cdgh is for the next two, so the registers change places. The 64
 * words of the schedule come four at a time, each four from the sixteen before them.
 *
 * The functions say which instructions they need, so the file needs no flags of the compiler.
 */
#include "base/sha2_parts.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define NEEDS_SHA __attribute__((target("sse4.1,sha")))

/* Upper halves, in the order of the lanes. */
NEEDS_SHA static inline __m128i factors_at(size_t i)
{
    const __m128i *at = (const __m128i *)(const void *)(kl_sha2_factors + i);
    __m128 low = _mm_castsi128_ps(_mm_loadu_si128(at));
    __m128 high = _mm_castsi128_ps(_mm_loadu_si128(at + 1));
    return _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1)));
}

NEEDS_SHA static inline __m128i load_words(const uint8_t *p)
{
    const __m128i order = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), order);
}

NEEDS_SHA static void x86_256(uint32_t s[8], const uint8_t *block)
{
    __m128i abef = _mm_set_epi32((int)s[0], (int)s[1], (int)s[4], (int)s[5]);
    __m128i cdgh = _mm_set_epi32((int)s[2], (int)s[3], (int)s[6], (int)s[7]);
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w0 = load_words(block);
    __m128i w1 = load_words(block + 16);
    __m128i w2 = load_words(block + 32);
    __m128i w3 = load_words(block + 48);
    for (size_t i = 0;; i += 4) {
        __m128i sum = _mm_add_epi32(w0, factors_at(i));
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
        if (i == 60)
            break;
        __m128i next = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
        next = _mm_sha256msg2_epu32(next, w3);
        w0 = w1;
        w1 = w2;
        w2 = w3;
        w3 = next;
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
    s[0] = (uint32_t)_mm_extract_epi32(abef, 3);
    s[1] = (uint32_t)_mm_extract_epi32(abef, 2);
    s[2] = (uint32_t)_mm_extract_epi32(cdgh, 3);
    s[3] = (uint32_t)_mm_extract_epi32(cdgh, 2);
    s[4] = (uint32_t)_mm_extract_epi32(abef, 1);
    s[5] = (uint32_t)_mm_extract_epi32(abef, 0);
    s[6] = (uint32_t)_mm_extract_epi32(cdgh, 1);
    s[7] = (uint32_t)_mm_extract_epi32(cdgh, 0);
}

#define LEAF1_ECX_SSSE3 (1u << 9)
#define LEAF1_ECX_SSE41 (1u << 19)
#define LEAF7_EBX_SHA   (1u << 29)

static bool usable(void)
{
    const unsigned both = LEAF1_ECX_SSSE3 | LEAF1_ECX_SSE41;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & both) != both)
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & LEAF7_EBX_SHA) != 0;
}

const kl_sha2_variant kl_sha2_x86 = {"x86 sha", usable, x86_256};

#endif
