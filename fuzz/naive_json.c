/* SPDX-License-Identifier: BSD-2-Clause */
/* One function for each rule of the grammar; each answers false when the text does not follow it.
 * See naive_json.h. */
#include "fuzz/naive_json.h"

#include <string.h>

#define NESTING_MAX 64

typedef struct key {
    size_t from; /* in unescaped */
    size_t len;
} key;

typedef struct parser {
    const uint8_t *at;
    const uint8_t *end;
    int nesting;
    uint8_t unescaped[KL_NAIVE_JSON_MAX + 4]; /* strings never grow by being unescaped */
    size_t used;
    key keys[KL_NAIVE_JSON_MAX / 4 +
             1]; /* of the open objects, innermost last: "": and a value take four bytes */
    size_t key_count;
} parser;

static bool value(parser *p);

static bool take(parser *p, char c)
{
    if (p->at == p->end || *p->at != (uint8_t)c)
        return false;
    p->at++;
    return true;
}

static void space(parser *p)
{
    while (p->at < p->end && *p->at && strchr(" \t\r\n", *p->at))
        p->at++;
}

static bool word(parser *p, const char *w)
{
    for (; *w; w++)
        if (!take(p, *w))
            return false;
    return true;
}

static bool digits(parser *p)
{
    const uint8_t *from = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > from;
}

static bool number(parser *p)
{
    take(p, '-');
    if (!take(p, '0') && !digits(p))
        return false;
    if (take(p, '.') && !digits(p))
        return false;
    if (take(p, 'e') || take(p, 'E')) {
        if (!take(p, '+'))
            take(p, '-');
        return digits(p);
    }
    return true;
}

static void emit(parser *p, uint32_t c)
{
    uint8_t *out = p->unescaped;
    if (c < 0x80) {
        out[p->used++] = (uint8_t)c;
    } else if (c < 0x800) {
        out[p->used++] = (uint8_t)(0xc0 + c / 64);
        out[p->used++] = (uint8_t)(0x80 + c % 64);
    } else if (c < 0x10000) {
        out[p->used++] = (uint8_t)(0xe0 + c / 4096);
        out[p->used++] = (uint8_t)(0x80 + c / 64 % 64);
        out[p->used++] = (uint8_t)(0x80 + c % 64);
    } else {
        out[p->used++] = (uint8_t)(0xf0 + c / 262144);
        out[p->used++] = (uint8_t)(0x80 + c / 4096 % 64);
        out[p->used++] = (uint8_t)(0x80 + c / 64 % 64);
        out[p->used++] = (uint8_t)(0x80 + c % 64);
    }
}

/* A character beyond ASCII, by its definition. */
static bool wide(parser *p)
{
    uint8_t lead = *p->at++;
    unsigned more = lead >> 5 == 6 ? 1 : lead >> 4 == 14 ? 2 : lead >> 3 == 30 ? 3 : 0;
    if (more == 0 || (size_t)(p->end - p->at) < more)
        return false;
    uint32_t c = lead & (0x3fu >> more);
    for (unsigned i = 0; i < more; i++) {
        if (*p->at >> 6 != 2)
            return false;
        c = c * 64 + (*p->at++ & 63u);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return false;
    emit(p, c);
    return true;
}

static bool four_hex(parser *p, uint32_t *unit)
{
    static const char digit[] = "0123456789abcdef0123456789ABCDEF";
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        const char *found = p->at < p->end && *p->at ? strchr(digit, *p->at) : NULL;
        if (!found)
            return false;
        *unit = *unit * 16 + (uint32_t)((found - digit) % 16);
        p->at++;
    }
    return true;
}

static bool escape(parser *p)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    if (take(p, 'u')) {
        uint32_t high;
        uint32_t low;
        if (!four_hex(p, &high) || high >> 10 == 0x37)
            return false;
        if (high >> 10 == 0x36) {
            if (!word(p, "\\u") || !four_hex(p, &low) || low >> 10 != 0x37)
                return false;
            high = 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
        }
        emit(p, high);
        return true;
    }
    const char *found = p->at < p->end && *p->at ? strchr(names, *p->at) : NULL;
    if (!found)
        return false;
    p->at++;
    emit(p, (uint8_t)meant[found - names]);
    return true;
}

static bool string(parser *p)
{
    if (!take(p, '"'))
        return false;
    while (p->at < p->end && *p->at != '"') {
        if (*p->at < 0x20)
            return false;
        if (*p->at >= 0x80) {
            if (!wide(p))
                return false;
        } else if (take(p, '\\')) {
            if (!escape(p))
                return false;
        } else {
            emit(p, *p->at++);
        }
    }
    return take(p, '"');
}

static bool array(parser *p)
{
    space(p);
    if (take(p, ']'))
        return true;
    do {
        if (!value(p))
            return false;
    } while (take(p, ','));
    return take(p, ']');
}

static bool new_key(parser *p, size_t first)
{
    key k = {p->used, 0};
    if (!string(p))
        return false;
    k.len = p->used - k.from;
    for (size_t i = first; i < p->key_count; i++)
        if (p->keys[i].len == k.len &&
            memcmp(p->unescaped + p->keys[i].from, p->unescaped + k.from, k.len) == 0)
            return false;
    p->keys[p->key_count++] = k;
    return true;
}

static bool object(parser *p)
{
    size_t first = p->key_count;
    space(p);
    if (take(p, '}'))
        return true;
    do {
        space(p);
        if (!new_key(p, first))
            return false;
        space(p);
        if (!take(p, ':') || !value(p))
            return false;
    } while (take(p, ','));
    p->key_count = first;
    return take(p, '}');
}

static bool value(parser *p)
{
    bool fine;
    space(p);
    if (p->at == p->end)
        return false;
    switch (*p->at) {
    case '[':
    case '{':
        if (++p->nesting > NESTING_MAX)
            return false;
        fine = *p->at++ == '[' ? array(p) : object(p);
        p->nesting--;
        break;
    case '"':
        fine = string(p);
        break;
    case 'n':
        fine = word(p, "null");
        break;
    case 't':
        fine = word(p, "true");
        break;
    case 'f':
        fine = word(p, "false");
        break;
    default:
        fine = number(p);
        break;
    }
    space(p);
    return fine;
}

bool kl_naive_json(const uint8_t *text, size_t len)
{
    parser p;
    p.at = text;
    p.end = text + len;
    p.nesting = 0;
    p.used = 0;
    p.key_count = 0;
    return value(&p) && p.at == p.end;
}
