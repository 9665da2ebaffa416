/* SPDX-License-Identifier: BSD-2-Clause */
/* Hexadecimal text. One table look-up a digit: lines can be a hundred megabytes long. */
#include "wiretools/hex.h"

void kl_hex_encode(char *out, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

/* 16 + the digit's value; 0 for what is no digit. */
static const uint8_t values[256] = {
    ['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21, ['6'] = 22, ['7'] = 23,
    ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27, ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31,
    ['A'] = 26, ['B'] = 27, ['C'] = 28, ['D'] = 29, ['E'] = 30, ['F'] = 31,
};

static bool fail(kl_hex_fault *fault, const char *reason, size_t offset)
{
    *fault = (kl_hex_fault){reason, offset};
    return false;
}

bool kl_hex_decode(uint8_t *out, const char *text, size_t len, kl_hex_fault *fault)
{
    static const char no_digit[] = "not a hex digit";
    const uint8_t *in = (const uint8_t *)text;
    size_t i = 0;
    for (; i + 1 < len; i += 2) {
        unsigned high = values[in[i]];
        unsigned low = values[in[i + 1]];
        if ((high & low & 16) == 0)
            return fail(fault, no_digit, high == 0 ? i : i + 1);
        out[i / 2] = (uint8_t)((high & 15) << 4 | (low & 15));
    }
    if (i < len)
        return values[in[i]] == 0 ? fail(fault, no_digit, i)
                                  : fail(fault, "an odd number of hex digits", len);
    return true;
}
