/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text between quotes: a first pass checks it and measures it, a second one resolves the escapes of
 * text that the first one found sound. Plain runs, which is most of the base64 and all of the names
 * of a message, go eight bytes a step.
 */
#include "wiretools/json_string.h"

#include "base/utf8.h"

#include <string.h>

typedef struct scan {
    const uint8_t *text;
    size_t len;
    kl_json_error *error;
} scan;

static const char too_early[] = KL_JSON_TOO_EARLY;

static bool fail(scan *s, const char *reason, size_t offset)
{
    *s->error = (kl_json_error){.reason = reason, .offset = offset};
    return false;
}

/* true while none of the eight bytes ends a plain run: no quote, backslash, control character or
 * byte above 0x7f. */
static bool eight_plain(const uint8_t *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones * 0x80;
    uint64_t w;
    memcpy(&w, p, sizeof(w));
    uint64_t quote = w ^ (ones * '"');
    uint64_t slash = w ^ (ones * '\\');
    /* x - ones sets the top bit of a zero byte, w - ones * 0x20 that of a byte below 0x20. A borrow
     * from a lower byte can only add a false alarm, for which the byte-wise way is taken. */
    return (((w - ones * 0x20) | (quote - ones) | (slash - ones) | w) & tops) == 0;
}

/* A run of bytes above 0x7f at *pos, checked as a whole. */
static bool skip_beyond_ascii(scan *s, size_t *pos)
{
    size_t end = *pos;
    while (end < s->len && s->text[end] >= 0x80)
        end++;
    size_t sound = *pos + kl_utf8_valid_len((const char *)s->text + *pos, end - *pos);
    /* Behind less than a character at the end of the text more could have come. */
    if (sound < end && end == s->len && end - sound < 4)
        return fail(s, too_early, s->len);
    if (sound < end)
        return fail(s, "invalid UTF-8 in a string", sound);
    *pos = end;
    return true;
}

/* As UTF-8; character is no surrogate and at most 0x10ffff. Answers how many bytes, at most 4. */
static size_t put_character(uint8_t *out, uint32_t character)
{
    if (character < 0x80) {
        out[0] = (uint8_t)character;
        return 1;
    }
    static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1;) {
        out[i] = (uint8_t)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    out[0] = (uint8_t)(marks[n] | character);
    return n;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The four digits at pos, which is behind "\u". */
static bool read_hex4(scan *s, size_t pos, uint32_t *unit)
{
    *unit = 0;
    for (size_t i = pos; i < pos + 4; i++) {
        if (i >= s->len)
            return fail(s, too_early, s->len);
        int digit = hex_digit(s->text[i]);
        if (digit < 0)
            return fail(s, "\\u without four hex digits", i);
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return true;
}

static bool is_high_surrogate(uint32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(uint32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The character of a "\u" at pos, which takes a second "\u" when the first is one half of a pair.
 */
static bool read_unicode_escape(scan *s, size_t pos, uint32_t *character, size_t *taken)
{
    static const char lone[] = "half a surrogate pair in a string";
    uint32_t high;
    if (!read_hex4(s, pos + 2, &high))
        return false;
    *character = high;
    *taken = 6;
    if (is_low_surrogate(high))
        return fail(s, lone, pos);
    if (!is_high_surrogate(high))
        return true;
    for (size_t i = 0; i < 2; i++) {
        if (pos + 6 + i >= s->len)
            return fail(s, too_early, s->len);
        if (s->text[pos + 6 + i] != (uint8_t) "\\u"[i])
            return fail(s, lone, pos);
    }
    uint32_t low;
    if (!read_hex4(s, pos + 8, &low))
        return false;
    if (!is_low_surrogate(low))
        return fail(s, lone, pos);
    *character = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    *taken = 12;
    return true;
}

/* What a short escape stands for; 0: there is no such escape. */
static uint8_t short_escape(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* The escape at pos: how many bytes of text it takes, and what it stands for. out has room for 4
 * bytes. */
static bool read_escape(scan *s, size_t pos, size_t *taken, uint8_t *out, size_t *given)
{
    if (pos + 1 >= s->len)
        return fail(s, too_early, s->len);
    uint8_t c = s->text[pos + 1];
    if (c == 'u') {
        uint32_t character;
        if (!read_unicode_escape(s, pos, &character, taken))
            return false;
        *given = put_character(out, character);
        return true;
    }
    out[0] = short_escape(c);
    if (out[0] == 0)
        return fail(s, "unknown escape in a string", pos);
    *taken = 2;
    *given = 1;
    return true;
}

bool kl_json_string_scan(const uint8_t *text, size_t len, size_t start, size_t *close,
                         size_t *decoded, kl_json_error *error)
{
    scan s = {text, len, error};
    size_t pos = start;
    size_t shrink = 0;
    for (;;) {
        while (len - pos >= 8 && eight_plain(text + pos))
            pos += 8;
        if (pos >= len)
            return fail(&s, too_early, len);
        uint8_t c = text[pos];
        if (c == '"')
            break;
        if (c == '\\') {
            size_t taken, given;
            uint8_t out[4];
            if (!read_escape(&s, pos, &taken, out, &given))
                return false;
            shrink += taken - given;
            pos += taken;
        } else if (c < 0x20) {
            return fail(&s, "control character in a string", pos);
        } else if (c < 0x80) {
            pos++;
        } else if (!skip_beyond_ascii(&s, &pos)) {
            return false;
        }
    }
    *close = pos;
    *decoded = pos - start - shrink;
    return true;
}

void kl_json_string_unescape(const uint8_t *text, size_t start, size_t close, uint8_t *out)
{
    kl_json_error none;
    scan s = {text, close, &none};
    for (size_t pos = start; pos < close;) {
        const uint8_t *slash = memchr(text + pos, '\\', close - pos);
        size_t plain = slash ? (size_t)(slash - text) - pos : close - pos;
        memcpy(out, text + pos, plain);
        out += plain;
        pos += plain;
        if (pos < close) {
            size_t taken, given;
            uint8_t decoded[4];
            bool sound = read_escape(&s, pos, &taken, decoded, &given);
            KL_ASSERT(sound);
            memcpy(out, decoded, given);
            out += given;
            pos += taken;
        }
    }
}
