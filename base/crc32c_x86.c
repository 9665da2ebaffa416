/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C on x86-64, with the crc32 instruction and with carry-less multiplication.
 *
 * The crc32 instruction takes 8 bytes, starts every cycle and answers after three: one chain of
 * them reaches a third of what the unit can do. So longer inputs are cut into neighbouring streams
 * that are computed side by side and joined by a product each (crc32c_parts.h). Folding is the
 * other way: 16-byte lanes are moved forward by two carry-less products each and added to what
 * stands there. It keeps another execution unit busy, hence the long inputs use both: the front
 * part is folded while three streams of crc32 run over the back part.
 *
 *     | folded: FOLD bytes a round | stream 0 | stream 1 | stream 2 |   each STREAM bytes a round
 *
 * Each function states the instructions it needs, so the file needs no compiler flags; usable()
 * asks the processor and, for the wide registers, the operating system. All loads are unaligned
 * ones and never leave the input.
 */
#include "base/crc32c_parts.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define NEEDS_CRC  __attribute__((target("sse4.2")))
#define NEEDS_FOLD __attribute__((target("sse4.2,pclmul")))
#define NEEDS_WIDE __attribute__((target("sse4.2,pclmul,avx2,vpclmulqdq")))

/* From here on three chains and a join are faster than a single chain. */
#define SPLIT_MIN 144

/* Bytes a round: of the part that is folded, and of each stream. */
#define WIDE_FOLD 128
#define SLIM_FOLD 64
#define STREAM    32

/* From here on folding pays for its end: the joins and the last, incomplete round. */
#define WIDE_MIN 768
#define SLIM_MIN 1024
_Static_assert(WIDE_MIN >= WIDE_FOLD + 3 * STREAM && SLIM_MIN >= SLIM_FOLD + 3 * STREAM,
               "a block has a round");
_Static_assert((WIDE_MIN - 1) / 24 * 2 < KL_CRC32C_HOP_COUNT &&
                   (SLIM_MIN - 1) / 24 * 2 < KL_CRC32C_HOP_COUNT,
               "split() finds its shifts among the hops");

/* A stream stays below 64 KiB, so that four digits name its length. */
#define ROUNDS_MAX 2000
_Static_assert(ROUNDS_MAX *STREAM < 65536, "shift_short() is enough");

static inline uint64_t load_64(const uint8_t *p)
{
    uint64_t q;
    memcpy(&q, p, sizeof(q));
    return q;
}

/*
 * Registers are kept in 64 bits: that is how the instruction takes and gives them, and the compiler
 * then need not clear upper halves in the middle of a chain.
 */
NEEDS_CRC static inline uint64_t step_64(uint64_t c, uint64_t q)
{
    return _mm_crc32_u64(c, q);
}

/* One chain, any length. */
NEEDS_CRC static inline uint32_t chain(uint64_t c, const uint8_t *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8)
        c = step_64(c, load_64(p));
    uint32_t end = (uint32_t)c;
    if (len & 4) {
        uint32_t v;
        memcpy(&v, p, sizeof(v));
        end = _mm_crc32_u32(end, v);
        p += 4;
    }
    if (len & 2) {
        uint16_t v;
        memcpy(&v, p, sizeof(v));
        end = _mm_crc32_u16(end, v);
        p += 2;
    }
    if (len & 1)
        end = _mm_crc32_u8(end, *p);
    return end;
}

/* Three neighbouring streams: the first reads at `at`, the others n and 2n bytes later. */
struct streams {
    uint64_t c0, c1, c2;
    const uint8_t *at;
    size_t n;
};

NEEDS_CRC static inline void step_streams(struct streams *s)
{
    s->c0 = step_64(s->c0, load_64(s->at));
    s->c1 = step_64(s->c1, load_64(s->at + s->n));
    s->c2 = step_64(s->c2, load_64(s->at + 2 * s->n));
    s->at += 8;
}

/* Three streams of `words` times 8 bytes each, side by side; c goes into the first. */
NEEDS_CRC static inline struct streams run_streams(uint32_t c, const uint8_t *p, size_t words)
{
    struct streams s = {c, 0, 0, p, 8 * words};
    for (; words >= 4; words -= 4) {
        step_streams(&s);
        step_streams(&s);
        step_streams(&s);
        step_streams(&s);
    }
    for (; words; words--)
        step_streams(&s);
    return s;
}

/* --- the crc32 instruction alone: products are slow in plain C, so joins are rare --- */

NEEDS_CRC static inline uint32_t join_plain(struct streams s, uint32_t shift_1, uint32_t shift_2)
{
    return kl_crc32c_product(shift_2, (uint32_t)s.c0) ^ kl_crc32c_product(shift_1, (uint32_t)s.c1) ^
           (uint32_t)s.c2;
}

NEEDS_CRC static uint32_t sse42_update(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t c = ~crc;
    /* Streams of 4096 bytes, then of 256 times 1 to 7: their shifts are digits of the table. */
    for (; len >= 3 * 4096; p += 3 * 4096, len -= 3 * 4096)
        c = join_plain(run_streams(c, p, 4096 / 8), kl_crc32c_digit[3][1], kl_crc32c_digit[3][2]);
    while (len >= 3 * 256) {
        size_t n = len / (3 * 256);
        if (n > 7)
            n = 7;
        c = join_plain(run_streams(c, p, n * 256 / 8), kl_crc32c_digit[2][n],
                       kl_crc32c_digit[2][2 * n]);
        p += n * 3 * 256;
        len -= n * 3 * 256;
    }
    return ~chain(c, p, len);
}

/* --- with carry-less products --- */

/* a * b, not reduced; both are below 2^32. */
NEEDS_FOLD static inline __m128i times(uint64_t a, uint64_t b)
{
    return _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)a), _mm_cvtsi64_si128((long long)b),
                                0);
}

NEEDS_FOLD static inline uint64_t reduce(__m128i product)
{
    return step_64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

NEEDS_FOLD static inline uint64_t product(uint64_t a, uint64_t b)
{
    return reduce(times(a, b));
}

/* shift(n) for n < 65536. */
NEEDS_FOLD static inline uint64_t shift_short(size_t n)
{
    return product(product(kl_crc32c_digit[0][n & 15], kl_crc32c_digit[1][n >> 4 & 15]),
                   product(kl_crc32c_digit[2][n >> 8 & 15], kl_crc32c_digit[3][n >> 12 & 15]));
}

NEEDS_FOLD static uint32_t pclmul_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b)
{
    uint32_t n = kl_crc32c_wrap(len_b);
    uint64_t shift = shift_short(n & 0xffff);
    n >>= 16;
    if (n) {
        uint64_t high =
            product(product(kl_crc32c_digit[4][n & 15], kl_crc32c_digit[5][n >> 4 & 15]),
                    product(kl_crc32c_digit[6][n >> 8 & 15], kl_crc32c_digit[7][n >> 12]));
        shift = product(shift, high);
    }
    return (uint32_t)product(shift, crc_a) ^ crc_b;
}

/*
 * Inputs below WIDE_MIN or SLIM_MIN, and what the blocks leave over. Takes a register and returns a
 * final checksum, as slim() and wide() do: so all calls between them are the last thing a function
 * does, and cost no frame.
 */
NEEDS_FOLD static uint32_t split(uint32_t c, const uint8_t *p, size_t len)
{
    if (len >= SPLIT_MIN) {
        size_t words = len / 24;
        struct streams s = run_streams(c, p, words);
        __m128i sum =
            _mm_xor_si128(times(kl_crc32c_hop[2 * words], s.c0), times(kl_crc32c_hop[words], s.c1));
        c = (uint32_t)(reduce(sum) ^ s.c2);
        p += 24 * words;
        len -= 24 * words;
    }
    return ~chain(c, p, len);
}

/* The two factors that move a lane on by so many bytes, a multiple of 8. */
NEEDS_FOLD static inline __m128i lane_shift(size_t bytes)
{
    return _mm_set_epi64x(kl_crc32c_hop[bytes / 8], kl_crc32c_hop[bytes / 8 + 1]);
}

NEEDS_FOLD static inline __m128i fold(__m128i lane, __m128i shift, __m128i onto)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(lane, shift, 0x00),
                                       _mm_clmulepi64_si128(lane, shift, 0x11)),
                         onto);
}

NEEDS_FOLD static inline __m128i load_128(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Joins a folded lane with the three streams behind it. shift is that of one stream. */
NEEDS_FOLD static inline uint32_t join_lane(__m128i lane, const struct streams *s, uint64_t shift)
{
    uint64_t shift_2 = product(shift, shift);
    uint64_t shift_3 = product(shift_2, shift);
    uint64_t c = step_64(0, (uint64_t)_mm_cvtsi128_si64(lane));
    c = step_64(c, (uint64_t)_mm_extract_epi64(lane, 1));
    __m128i sum =
        _mm_xor_si128(_mm_xor_si128(times(shift_3, c), times(shift_2, s->c0)), times(shift, s->c1));
    return (uint32_t)(reduce(sum) ^ s->c2);
}

NEEDS_FOLD static uint32_t slim_block(uint32_t c, const uint8_t *p, size_t rounds)
{
    const __m128i by_64 = lane_shift(SLIM_FOLD);
    const uint8_t *end = p + SLIM_FOLD * (rounds + 1);
    struct streams s = {0, 0, 0, end, STREAM * rounds};
    const uint64_t shift = shift_short(s.n);
    __m128i a0 = _mm_xor_si128(load_128(p), _mm_cvtsi32_si128((int)c));
    __m128i a1 = load_128(p + 16);
    __m128i a2 = load_128(p + 32);
    __m128i a3 = load_128(p + 48);
    for (p += SLIM_FOLD; p < end; p += SLIM_FOLD) {
        a0 = fold(a0, by_64, load_128(p));
        step_streams(&s);
        a1 = fold(a1, by_64, load_128(p + 16));
        step_streams(&s);
        a2 = fold(a2, by_64, load_128(p + 32));
        step_streams(&s);
        a3 = fold(a3, by_64, load_128(p + 48));
        step_streams(&s);
    }
    const __m128i by_16 = lane_shift(16);
    a1 = fold(a0, by_16, a1);
    a3 = fold(a2, by_16, a3);
    return join_lane(fold(a1, lane_shift(32), a3), &s, shift);
}

__attribute__((noinline)) NEEDS_FOLD static uint32_t slim(uint32_t c, const uint8_t *p, size_t len)
{
    const size_t round = SLIM_FOLD + 3 * STREAM;
    do {
        size_t rounds = (len - SLIM_FOLD) / round;
        if (rounds > ROUNDS_MAX)
            rounds = ROUNDS_MAX;
        c = slim_block(c, p, rounds);
        p += SLIM_FOLD + rounds * round;
        len -= SLIM_FOLD + rounds * round;
    } while (len >= SLIM_MIN);
    return split(c, p, len);
}

NEEDS_FOLD static uint32_t pclmul_update(uint32_t crc, const void *data, size_t len)
{
    if (len < SPLIT_MIN)
        return ~chain(~crc, data, len);
    return len < SLIM_MIN ? split(~crc, data, len) : slim(~crc, data, len);
}

/* --- with carry-less products of two lanes at once --- */

NEEDS_WIDE static inline __m256i load_256(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

NEEDS_WIDE static inline __m256i fold_pair(__m256i lanes, __m256i shift, __m256i onto)
{
    return _mm256_xor_si256(_mm256_xor_si256(_mm256_clmulepi64_epi128(lanes, shift, 0x00),
                                             _mm256_clmulepi64_epi128(lanes, shift, 0x11)),
                            onto);
}

NEEDS_WIDE static inline __m256i pair_shift(size_t bytes)
{
    return _mm256_broadcastsi128_si256(lane_shift(bytes));
}

/*
 * A quarter of a round. Both compilers like to gather the steps of the streams in one place, away
 * from the products, which costs a tenth of the speed (Zen 3). The empty statements pretend to
 * change the registers and so pin the order.
 */
#define WIDE_QUARTER(a, offset)                                                                    \
    do {                                                                                           \
        a = fold_pair(a, by_128, load_256(p + (offset)));                                          \
        __asm__ volatile("" : "+x"(a));                                                            \
        step_streams(&s);                                                                          \
        __asm__ volatile("" : "+r"(s.c0), "+r"(s.c1), "+r"(s.c2));                                 \
    } while (0)

NEEDS_WIDE static uint32_t wide_block(uint32_t c, const uint8_t *p, size_t rounds)
{
    const __m256i by_128 = pair_shift(WIDE_FOLD);
    const uint8_t *end = p + WIDE_FOLD * (rounds + 1);
    struct streams s = {0, 0, 0, end, STREAM * rounds};
    const uint64_t shift = shift_short(s.n);
    __m256i a0 = _mm256_xor_si256(load_256(p), _mm256_zextsi128_si256(_mm_cvtsi32_si128((int)c)));
    __m256i a1 = load_256(p + 32);
    __m256i a2 = load_256(p + 64);
    __m256i a3 = load_256(p + 96);
    for (p += WIDE_FOLD; p < end; p += WIDE_FOLD) {
        WIDE_QUARTER(a0, 0);
        WIDE_QUARTER(a1, 32);
        WIDE_QUARTER(a2, 64);
        WIDE_QUARTER(a3, 96);
    }
    const __m256i by_32 = pair_shift(32);
    a1 = fold_pair(a0, by_32, a1);
    a3 = fold_pair(a2, by_32, a3);
    a3 = fold_pair(a1, pair_shift(64), a3);
    __m128i lane =
        fold(_mm256_castsi256_si128(a3), lane_shift(16), _mm256_extracti128_si256(a3, 1));
    return join_lane(lane, &s, shift);
}

__attribute__((noinline)) NEEDS_WIDE static uint32_t wide(uint32_t c, const uint8_t *p, size_t len)
{
    const size_t round = WIDE_FOLD + 3 * STREAM;
    do {
        size_t rounds = (len - WIDE_FOLD) / round;
        if (rounds > ROUNDS_MAX)
            rounds = ROUNDS_MAX;
        c = wide_block(c, p, rounds);
        p += WIDE_FOLD + rounds * round;
        len -= WIDE_FOLD + rounds * round;
    } while (len >= WIDE_MIN);
    return split(c, p, len);
}

NEEDS_WIDE static uint32_t vpclmul_update(uint32_t crc, const void *data, size_t len)
{
    if (len < SPLIT_MIN)
        return ~chain(~crc, data, len);
    return len < WIDE_MIN ? split(~crc, data, len) : wide(~crc, data, len);
}

/* --- what runs here --- */

#define LEAF1_ECX_PCLMUL  (1u << 1)
#define LEAF1_ECX_SSE42   (1u << 20)
#define LEAF1_ECX_OSXSAVE (1u << 27)
#define LEAF1_ECX_AVX     (1u << 28)
#define LEAF7_EBX_AVX2    (1u << 5)
#define LEAF7_ECX_VPCLMUL (1u << 10)
#define XCR0_SSE_AVX      6u

static bool leaf1_has(unsigned bits)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bits) == bits;
}

static bool sse42_usable(void)
{
    return leaf1_has(LEAF1_ECX_SSE42);
}

static bool pclmul_usable(void)
{
    return leaf1_has(LEAF1_ECX_SSE42 | LEAF1_ECX_PCLMUL);
}

/*
 * The processor has it and the system saves the upper halves of the registers. Not every compiler's
 * __builtin_cpu_supports knows the name vpclmulqdq, so we ask the processor ourselves.
 */
static bool vpclmul_usable(void)
{
    if (!leaf1_has(LEAF1_ECX_SSE42 | LEAF1_ECX_PCLMUL | LEAF1_ECX_OSXSAVE | LEAF1_ECX_AVX))
        return false;
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & XCR0_SSE_AVX) != XCR0_SSE_AVX)
        return false;
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & LEAF7_EBX_AVX2) != 0 &&
           (c & LEAF7_ECX_VPCLMUL) != 0;
}

const kl_crc32c_variant kl_crc32c_sse42 = {"sse42", sse42_usable, sse42_update,
                                           kl_crc32c_combine_plain};
const kl_crc32c_variant kl_crc32c_pclmul = {"pclmul", pclmul_usable, pclmul_update, pclmul_combine};
const kl_crc32c_variant kl_crc32c_vpclmul = {"vpclmul", vpclmul_usable, vpclmul_update,
                                             pclmul_combine};

#endif
