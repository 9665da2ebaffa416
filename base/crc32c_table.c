/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C in plain C, for any processor and byte order, and the constants of all variants. Eight
 * bytes per step, each looked up in a table of its own ("slicing by 8"). On x86-64 only machines
 * older than SSE 4.2 come here: for them a byte per step and one table will do, and everybody's
 * library is 7 KB smaller.
 *
 * Nothing is computed at run time: a table filled at first use would be a race between loops in
 * several threads. The test recomputes every constant from the polynomial.
 */
#include "base/crc32c_parts.h"

#include "base/le.h"

/*
 * The 256 entries of a table are the sums (XOR) of its eight entries for single bits, so only those
 * are written down and the preprocessor adds. BITS_n(s, b1, .., bn) lists the 2^n sums of b1..bn,
 * in the order of their index, each plus s; b1 belongs to the lowest bit.
 */
#define BITS_1(s, a)                (s), (s) ^ (a)
#define BITS_2(s, a, b)             BITS_1(s, a), BITS_1((s) ^ (b), a)
#define BITS_3(s, a, b, c)          BITS_2(s, a, b), BITS_2((s) ^ (c), a, b)
#define BITS_4(s, a, b, c, d)       BITS_3(s, a, b, c), BITS_3((s) ^ (d), a, b, c)
#define BITS_5(s, a, b, c, d, e)    BITS_4(s, a, b, c, d), BITS_4((s) ^ (e), a, b, c, d)
#define BITS_6(s, a, b, c, d, e, f) BITS_5(s, a, b, c, d, e), BITS_5((s) ^ (f), a, b, c, d, e)
#define BITS_7(s, a, b, c, d, e, f, g)                                                             \
    BITS_6(s, a, b, c, d, e, f), BITS_6((s) ^ (g), a, b, c, d, e, f)
#define BITS_8(s, a, b, c, d, e, f, g, h)                                                          \
    BITS_7(s, a, b, c, d, e, f, g), BITS_7((s) ^ (h), a, b, c, d, e, f, g)

#if defined(__x86_64__)
#define SLICES 1
#else
#define SLICES 8
#endif

/* slice[k][v]: what the byte v becomes in the register, with k zero bytes behind it. */
/* clang-format off */
static const uint32_t slice[SLICES][256] = {
    {BITS_8(0u, 0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf,
               0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78)},
#if SLICES == 8
    {BITS_8(0u, 0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8,
               0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9)},
    {BITS_8(0u, 0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5,
               0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743)},
    {BITS_8(0u, 0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6,
               0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f)},
    {BITS_8(0u, 0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91,
               0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c)},
    {BITS_8(0u, 0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f,
               0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6)},
    {BITS_8(0u, 0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53,
               0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4)},
    {BITS_8(0u, 0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da,
               0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664)},
#endif
};

const uint32_t kl_crc32c_digit[8][16] = {
    {0xa9cdda0d, 0xbf818109, 0x780d5a4d, 0xfe2b5c35, 0x05ec76f1, 0x01000000, 0x00010000, 0x00000100,
     0x00000001, 0xf26b8303, 0x13a29877, 0xa541927e, 0xdd45aab8, 0x38116fac, 0xef306b19, 0x68032cc8},
    {0xa9cdda0d, 0x493c7d27, 0xba4fc28e, 0xddc0152b, 0x9e4addf8, 0x39d3b296, 0x0715ce53, 0x47db8317,
     0x0d3b6092, 0xc96cfdc0, 0x878a92a7, 0xdaece73e, 0xab7aff2a, 0x2162d385, 0x83348832, 0x299847d5},
    {0xa9cdda0d, 0xb9e02b86, 0xdd7e3b0c, 0xd7a4825c, 0x170076fa, 0xdd66cbbb, 0x9ef68d35, 0xaa7c7ad5,
     0xa51b6135, 0xbedc6ba1, 0x22c3799f, 0x8515c07f, 0x359674f7, 0x5f0e0438, 0x96a1f19b, 0x23d5e7e5},
    {0xa9cdda0d, 0x82f89c77, 0x54a86326, 0xc1f19ee1, 0x1dc403cc, 0x68bfa742, 0x6a173fa1, 0x0d435f26,
     0x5ae703ab, 0xa400fc17, 0xc71795dd, 0x84c8538e, 0x51e9168b, 0x139f7c52, 0x21c03eff, 0x8f619e7d},
    {0xa9cdda0d, 0xc5013a36, 0xac2ac6dd, 0x9edebb1b, 0x9b4615a9, 0x846228eb, 0xb0c8dc65, 0xe8b232b8,
     0x688d1c61, 0x5b33a5ee, 0x348ced70, 0xa3905456, 0xd270eff4, 0x508dfe99, 0x2985cfbc, 0x604d7164},
    {0xa9cdda0d, 0xf6af14e6, 0xb6ffe386, 0x412ba6cb, 0xb717425b, 0x99358aff, 0xa1c3255d, 0xfe8a1ee0,
     0x478b0d30, 0x1566bbcc, 0x06e3c216, 0xae567218, 0x6888f894, 0x33186375, 0xfa8d7d58, 0xc0918c7a},
    {0xa9cdda0d, 0x54cc62e5, 0x7b2102ee, 0x4205f0fe, 0x8a99adef, 0xe46fa6ef, 0x9eb63379, 0xf43532c4,
     0xa7568c8f, 0xbab529eb, 0xb315c6da, 0xe7702e4b, 0xd4e1d64d, 0xba1050d0, 0x5c9400ac, 0x32606c1b},
    {0xa9cdda0d, 0xd610d67e, 0x6b086b3f, 0xb7720ee7, 0xd94f3c0b, 0xee51a57d, 0xf5dee9c6, 0x7aef74e3,
     0xbf818109, 0xdd36fbfc, 0x6e9b7dfe, 0x374dbeff, 0x9950e407, 0xce5e497b, 0xe5d91fc5, 0xf01ab49a},
};

const uint32_t kl_crc32c_hop[KL_CRC32C_HOP_COUNT] = {
    0xa9cdda0d, 0x00000001, 0x493c7d27, 0xf20c0dfe, 0xba4fc28e, 0x3da6d0cb, 0xddc0152b, 0x1c291d04,
    0x9e4addf8, 0x740eef02, 0x39d3b296, 0x083a6eec, 0x0715ce53, 0xc49f4f67, 0x47db8317, 0x2ad91c30,
    0x0d3b6092, 0x6992cea2, 0xc96cfdc0, 0x7e908048, 0x878a92a7, 0x1b3d8f29, 0xdaece73e, 0xf1d0f55e,
    0xab7aff2a, 0xa87ab8a8, 0x2162d385, 0x8462d800, 0x83348832, 0x71d111a8, 0x299847d5, 0xffd852c6,
    0xb9e02b86, 0xdcb17aa4, 0x18b33a4e, 0xf37c5aee, 0xb6dd949b, 0x6051d5a2, 0x78d9ccb7, 0x18b0d4ff,
    0xbac2fd7b, 0x21f3d99c, 0xa60ce07b, 0x8f158014, 0xce7f39f4, 0xa00457f7, 0x61d82e56, 0x8d6d2c43,
    0xd270f1a2, 0x00ac29cf, 0xc619809d, 0xe9adf796, 0x2b3cac5d, 0x96638b34, 0x65863b64, 0xe0e9f351,
    0x1b03397f, 0x9af01f2d, 0xebb883bd, 0x2cff42cf, 0xb3e32c28, 0x88f25a3a, 0x064f7f26, 0x4e36f0b0,
    0xdd7e3b0c, 0xbd6f81f8, 0xf285651c, 0x91c9bd4b, 0x10746f3c, 0x885f087b, 0xc7a68855, 0x4c144932,
    0x271d9844, 0x52148f02, 0x8e766a0c, 0xa3c6f37a, 0x93a5f730, 0xd7c0557f, 0x6cb08e5c, 0x63ded06a,
    0x6b749fb2, 0x4d56973c, 0x1393e203, 0x9669c9df, 0xcec3662e, 0xe417f38a, 0x96c515bb, 0x4b9e0f71,
    0xe6fc4e6a, 0xd104b8fc, 0x8227bb8a, 0x5b397730, 0xb0cd4768, 0xe78eb416, 0x39c7ff35, 0x61ff0e01,
    0xd7a4825c, 0x8d96551c, 0x0ab3844b, 0x0bf80dd2, 0x0167d312, 0x8821abed, 0xf6076544, 0x6a45d2b2,
    0x26f6a60a, 0xd8d26619, 0xa741c1bf, 0xde87806c, 0x98d8d9cb, 0x14338754, 0x49c3cc9c, 0x5bd2011f,
    0x68bce87a, 0xdd07448e, 0x57a3d037, 0xdde8f5b9, 0x6956fc3b, 0xa3e3e02c, 0x42d98888, 0xd73c7bea,
    0x3771e98f, 0x80ff0093, 0xb42ae3d9, 0x8fe4c34d, 0x2178513a, 0xdf99fc11, 0xe0ac139e, 0x6c23e841,
};
/* clang-format on */

/*
 * Eight bytes: the first four in `first`, with the register already added, the others in `last`,
 * the lowest byte first in both. Of eight tables, the last four do not wait for the register.
 */
static inline uint32_t step_8(uint32_t first, uint32_t last)
{
#if SLICES == 8
    uint32_t early = slice[3][last & 0xff] ^ slice[2][last >> 8 & 0xff] ^
                     slice[1][last >> 16 & 0xff] ^ slice[0][last >> 24];
    return slice[7][first & 0xff] ^ slice[6][first >> 8 & 0xff] ^ slice[5][first >> 16 & 0xff] ^
           slice[4][first >> 24] ^ early;
#else
    uint32_t c = first;
    for (int i = 0; i < 4; i++)
        c = c >> 8 ^ slice[0][c & 0xff];
    c ^= last;
    for (int i = 0; i < 4; i++)
        c = c >> 8 ^ slice[0][c & 0xff];
    return c;
#endif
}

static uint32_t table_update(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t c = ~crc;
    for (; len >= 8; p += 8, len -= 8)
        c = step_8(kl_le_load32(p) ^ c, kl_le_load32(p + 4));
    for (; len; p++, len--)
        c = c >> 8 ^ slice[0][(c ^ *p) & 0xff];
    return ~c;
}

static inline uint64_t times(uint32_t a, uint32_t b)
{
    return (uint64_t)a * b;
}

/*
 * The carry-less product out of ordinary ones. Each factor is split into four with only every
 * fourth bit kept: at most eight ones meet at a position, so their sum stays inside the three empty
 * bits above it and its lowest bit is the XOR we want. No branch and no table depends on the
 * factors.
 */
static uint64_t carryless(uint32_t a, uint32_t b)
{
    const uint32_t in = 0x11111111u;
    const uint64_t out = 0x1111111111111111u;
    const uint32_t a0 = a & in, a1 = a & in << 1, a2 = a & in << 2, a3 = a & in << 3;
    const uint32_t b0 = b & in, b1 = b & in << 1, b2 = b & in << 2, b3 = b & in << 3;
    uint64_t p0 = times(a0, b0) ^ times(a1, b3) ^ times(a2, b2) ^ times(a3, b1);
    uint64_t p1 = times(a0, b1) ^ times(a1, b0) ^ times(a2, b3) ^ times(a3, b2);
    uint64_t p2 = times(a0, b2) ^ times(a1, b1) ^ times(a2, b0) ^ times(a3, b3);
    uint64_t p3 = times(a0, b3) ^ times(a1, b2) ^ times(a2, b1) ^ times(a3, b0);
    return (p0 & out) | (p1 & out << 1) | (p2 & out << 2) | (p3 & out << 3);
}

uint32_t kl_crc32c_product(uint32_t a, uint32_t b)
{
    uint64_t q = carryless(a, b);
    return step_8((uint32_t)q, (uint32_t)(q >> 32));
}

uint32_t kl_crc32c_combine_plain(uint32_t crc_a, uint32_t crc_b, uint64_t len_b)
{
    uint32_t n = kl_crc32c_wrap(len_b);
    for (unsigned k = 0; n; k++, n >>= 4)
        crc_a = kl_crc32c_product(kl_crc32c_digit[k][n & 15], crc_a);
    return crc_a ^ crc_b;
}

static bool table_usable(void)
{
    return true;
}

const kl_crc32c_variant kl_crc32c_table = {"table", table_usable, table_update,
                                           kl_crc32c_combine_plain};
