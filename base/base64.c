/* SPDX-License-Identifier: BSD-2-Clause */
/* Base64, both alphabets. Groups of three bytes and four characters; the last, shorter group is a
 * case of its own. */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 64 + the character's value; 0 for what is none. The two alphabets differ in their last two
 * characters. */
#define SHARED_VALUES                                                                              \
    ['A'] = 64, ['B'] = 65, ['C'] = 66, ['D'] = 67, ['E'] = 68, ['F'] = 69, ['G'] = 70,            \
    ['H'] = 71, ['I'] = 72, ['J'] = 73, ['K'] = 74, ['L'] = 75, ['M'] = 76, ['N'] = 77,            \
    ['O'] = 78, ['P'] = 79, ['Q'] = 80, ['R'] = 81, ['S'] = 82, ['T'] = 83, ['U'] = 84,            \
    ['V'] = 85, ['W'] = 86, ['X'] = 87, ['Y'] = 88, ['Z'] = 89, ['a'] = 90, ['b'] = 91,            \
    ['c'] = 92, ['d'] = 93, ['e'] = 94, ['f'] = 95, ['g'] = 96, ['h'] = 97, ['i'] = 98,            \
    ['j'] = 99, ['k'] = 100, ['l'] = 101, ['m'] = 102, ['n'] = 103, ['o'] = 104, ['p'] = 105,      \
    ['q'] = 106, ['r'] = 107, ['s'] = 108, ['t'] = 109, ['u'] = 110, ['v'] = 111, ['w'] = 112,     \
    ['x'] = 113, ['y'] = 114, ['z'] = 115, ['0'] = 116, ['1'] = 117, ['2'] = 118, ['3'] = 119,     \
    ['4'] = 120, ['5'] = 121, ['6'] = 122, ['7'] = 123, ['8'] = 124, ['9'] = 125

static const uint8_t values[256] = {SHARED_VALUES, ['+'] = 126, ['/'] = 127};
static const uint8_t values_url[256] = {SHARED_VALUES, ['-'] = 126, ['_'] = 127};

size_t kl_base64_encoded_len(size_t n)
{
    size_t groups = n / 3 + (n % 3 != 0);
    return groups <= SIZE_MAX / 4 ? groups * 4 : SIZE_MAX;
}

size_t kl_base64_decoded_max(size_t len)
{
    return len / 4 * 3 + len % 4;
}

/* The groups of three, and the one or two bytes behind them, without padding. Answers the end of
 * what was written. */
static char *encode(char *out, const uint8_t *p, size_t n, const char *letters)
{
    for (; n >= 3; n -= 3, p += 3, out += 4) {
        uint32_t bits = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        out[0] = letters[bits >> 18];
        out[1] = letters[bits >> 12 & 63];
        out[2] = letters[bits >> 6 & 63];
        out[3] = letters[bits & 63];
    }
    if (n == 0)
        return out;
    uint32_t bits = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);
    *out++ = letters[bits >> 18];
    *out++ = letters[bits >> 12 & 63];
    if (n == 2)
        *out++ = letters[bits >> 6 & 63];
    return out;
}

void kl_base64_encode(char *out, const uint8_t *bytes, size_t n)
{
    char *end = encode(out, bytes, n, alphabet);
    for (size_t i = n % 3; i > 0 && i < 3; i++)
        *end++ = '=';
}

static const char no_letter[] = "not a base64 character";

static bool fail(kl_base64_fault *fault, const char *reason, size_t offset)
{
    *fault = (kl_base64_fault){reason, offset};
    return false;
}

/*
 * count characters of text, no padding among them, to bytes. count % 4 is not 1. The bytes of a
 * group are written behind the reading of its characters, so that out may be text.
 */
static bool decode(uint8_t *out, size_t *out_len, const char *text, size_t count,
                   const uint8_t *table, kl_base64_fault *fault)
{
    const uint8_t *in = (const uint8_t *)text;
    uint8_t *at = out;
    size_t i = 0;
    for (; i + 4 <= count; i += 4, at += 3) {
        uint32_t a = table[in[i]];
        uint32_t b = table[in[i + 1]];
        uint32_t c = table[in[i + 2]];
        uint32_t d = table[in[i + 3]];
        if ((a & b & c & d & 64) == 0)
            return fail(fault, no_letter, i + (a == 0 ? 0 : b == 0 ? 1 : c == 0 ? 2 : 3));
        uint32_t bits = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
        at[0] = (uint8_t)(bits >> 16);
        at[1] = (uint8_t)(bits >> 8);
        at[2] = (uint8_t)bits;
    }
    uint32_t bits = 0;
    size_t rest = count - i;
    for (size_t k = 0; k < rest; k++) {
        uint32_t v = table[in[i + k]];
        if (v == 0)
            return fail(fault, no_letter, i + k);
        bits |= (v & 63) << (18 - 6 * k);
    }
    /* Two characters hold one byte and four loose bits, three hold two bytes and two. */
    if (bits & (rest == 2 ? 0xffff : rest == 3 ? 0xff : 0))
        return fail(fault, "loose bits at the end of base64", count - 1);
    for (size_t k = 0; k + 1 < rest; k++)
        *at++ = (uint8_t)(bits >> (16 - 8 * k));
    *out_len = (size_t)(at - out);
    return true;
}

/* The length is wrong; but a wrong character is the better news, for it may be why. */
static bool fail_length(kl_base64_fault *fault, const char *text, size_t len, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[(uint8_t)text[i]] == 0)
            return fail(fault, no_letter, i);
    return fail(fault, "base64 that is no multiple of 4 characters", len);
}

bool kl_base64_decode(uint8_t *out, size_t *out_len, const char *text, size_t len,
                      kl_base64_fault *fault)
{
    size_t count = len;
    for (int i = 0; i < 2 && count > 0 && text[count - 1] == '='; i++)
        count--;
    if (len % 4 != 0)
        return fail_length(fault, text, len, count);
    return decode(out, out_len, text, count, values, fault);
}

size_t kl_base64_encode_url(char *out, const uint8_t *bytes, size_t n)
{
    return (size_t)(encode(out, bytes, n, alphabet_url) - out);
}

bool kl_base64_decode_url(uint8_t *out, size_t *out_len, const char *text, size_t len,
                          kl_base64_fault *fault)
{
    if (len % 4 == 1)
        return fail(fault, "one base64 character too many", len - 1);
    return decode(out, out_len, text, len, values_url, fault);
}

void kl_base64_encode_uuid(char out[KL_BASE64_UUID_CHARS], const kloop_uuid *id)
{
    encode(out, id->bytes, sizeof(id->bytes), alphabet_url);
}

bool kl_base64_decode_uuid(kloop_uuid *id, const char *text, size_t len, kl_base64_fault *fault)
{
    if (len != KL_BASE64_UUID_CHARS)
        return fail(fault, "an id that is not 22 characters",
                    len < KL_BASE64_UUID_CHARS ? len : KL_BASE64_UUID_CHARS);
    kloop_uuid read;
    size_t n;
    if (!decode(read.bytes, &n, text, len, values_url, fault))
        return false;
    *id = read;
    return true;
}
