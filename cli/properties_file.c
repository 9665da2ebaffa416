/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading Java's properties. See properties_file.h. A logical line is first put together from its
 * natural lines, then cut into key and value, with the escapes undone on the way.
 */
#include "cli/properties_file.h"

#include "base/buf.h"
#include "cli/wiped_memory.h"

#include <string.h>

typedef struct reading {
    const char *text;
    size_t len;
    size_t at;
    unsigned line;  /* of what is read next */
    unsigned first; /* of the logical line */
    kl_buf logical;
    kl_buf key;
    kl_buf value;
    char *why;
    size_t why_size;
} reading;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

/* The natural line at r->at, without its end and the blanks before it. */
static kloop_string natural_line(reading *r)
{
    const char *start = r->text + r->at;
    size_t left = r->len - r->at;
    size_t n = 0;
    while (n < left && start[n] != '\n' && start[n] != '\r')
        n++;
    r->at += n;
    /* \n, \r and \r\n end a line. */
    if (n < left)
        r->at += n + 1 < left && start[n] == '\r' && start[n + 1] == '\n' ? 2 : 1;
    r->line++;
    while (n > 0 && is_blank(*start)) {
        start++;
        n--;
    }
    return (kloop_string){start, n};
}

static bool is_continued(kloop_string line)
{
    size_t slashes = 0;
    while (slashes < line.len && line.data[line.len - 1 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 1;
}

/* false: the text is at its end. */
static bool logical_line(reading *r)
{
    kl_buf_reset(&r->logical);
    while (r->at < r->len) {
        kloop_string line = natural_line(r);
        /* Also behind a line that is nothing but continued: as long as there is nothing, it is a
         * line of its own. */
        if (r->logical.len == 0) {
            r->first = r->line - 1;
            if (line.len == 0 || line.data[0] == '#' || line.data[0] == '!')
                continue;
        }
        bool more = is_continued(line);
        kl_buf_append(&r->logical, line.data, line.len - more);
        if (!more)
            return true;
    }
    return r->logical.len > 0 || r->logical.failed;
}

static bool append_utf8(kl_buf *out, uint32_t c)
{
    uint8_t bytes[4];
    size_t n = 0;
    if (c < 0x80) {
        bytes[n++] = (uint8_t)c;
    } else if (c < 0x800) {
        bytes[n++] = (uint8_t)(0xC0 | c >> 6);
        bytes[n++] = (uint8_t)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        bytes[n++] = (uint8_t)(0xE0 | c >> 12);
        bytes[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        bytes[n++] = (uint8_t)(0x80 | (c & 0x3F));
    } else {
        bytes[n++] = (uint8_t)(0xF0 | c >> 18);
        bytes[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
        bytes[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        bytes[n++] = (uint8_t)(0x80 | (c & 0x3F));
    }
    return kl_buf_append(out, bytes, n);
}

static bool hex4(const char *text, size_t left, uint32_t *c)
{
    if (left < 4)
        return false;
    *c = 0;
    for (size_t i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit)
            return false;
        *c = *c * 16 + (uint32_t)((digit - digits) & 15);
    }
    return true;
}

/* What stands at text[0], a 'u', and what of a pair follows. Answers how long it is, 0: wrong. */
static size_t unicode(kl_buf *out, const char *text, size_t left)
{
    uint32_t c, low;
    if (!hex4(text + 1, left - 1, &c))
        return 0;
    if (c < 0xD800 || c > 0xDFFF) {
        append_utf8(out, c);
        return 5;
    }
    bool pair = c < 0xDC00 && left >= 11 && text[5] == '\\' && text[6] == 'u' &&
                hex4(text + 7, left - 7, &low) && low >= 0xDC00 && low <= 0xDFFF;
    if (!pair)
        return 0;
    append_utf8(out, 0x10000 + ((c & 0x3FF) << 10) + (low & 0x3FF));
    return 11;
}

/* Up to an unescaped end of the key (when is_key) or the end of text; answers where that is, or
 * SIZE_MAX when an escape is wrong. */
static size_t unescape(kl_buf *out, kloop_string text, size_t at, bool is_key)
{
    while (at < text.len) {
        char c = text.data[at];
        if (is_key && (is_blank(c) || c == '=' || c == ':'))
            break;
        at++;
        if (c != '\\' || at == text.len) {
            if (c != '\\')
                kl_buf_append_byte(out, (uint8_t)c);
            continue;
        }
        c = text.data[at];
        if (c == 'u') {
            size_t used = unicode(out, text.data + at, text.len - at);
            if (used == 0)
                return SIZE_MAX;
            at += used;
            continue;
        }
        at++;
        c = (char)(c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c);
        kl_buf_append_byte(out, (uint8_t)c);
    }
    return at;
}

static bool refuse(reading *r, const char *what)
{
    snprintf(r->why, r->why_size, "line %u: %s", r->first + 1, what);
    return false;
}

static bool take_pair(reading *r, kl_property_fn fn, void *ctx)
{
    kloop_string line = kl_buf_string(&r->logical);
    kl_buf_reset(&r->key);
    kl_buf_reset(&r->value);
    size_t at = unescape(&r->key, line, 0, true);
    if (at != SIZE_MAX) {
        while (at < line.len && is_blank(line.data[at]))
            at++;
        if (at < line.len && (line.data[at] == '=' || line.data[at] == ':'))
            at++;
        while (at < line.len && is_blank(line.data[at]))
            at++;
        at = unescape(&r->value, line, at, false);
    }
    if (at == SIZE_MAX)
        return refuse(r, "\\u must be followed by four hexadecimal digits, and surrogates by their "
                         "other half");
    if (memchr(r->key.len ? (const void *)r->key.data : "", 0, r->key.len) ||
        memchr(r->value.len ? (const void *)r->value.data : "", 0, r->value.len))
        return refuse(r, "a zero byte");
    kl_buf_append_byte(&r->key, 0);
    kl_buf_append_byte(&r->value, 0);
    if (r->logical.failed || r->key.failed || r->value.failed)
        return refuse(r, "there is no memory");
    return fn(ctx, (const char *)r->key.data, (const char *)r->value.data, r->first + 1);
}

bool kl_properties_parse(const char *text, size_t len, kl_property_fn fn, void *ctx, char *why,
                         size_t why_size)
{
    reading r = {.text = text, .len = len, .why = why, .why_size = why_size};
    why[0] = '\0';
    kl_buf_init(&r.logical, &kl_wiped_memory);
    kl_buf_init(&r.key, &kl_wiped_memory);
    kl_buf_init(&r.value, &kl_wiped_memory);
    bool ok = true;
    while (ok && logical_line(&r))
        ok = take_pair(&r, fn, ctx);
    kl_buf_deinit(&r.logical);
    kl_buf_deinit(&r.key);
    kl_buf_deinit(&r.value);
    return ok;
}
