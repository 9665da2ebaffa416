/* SPDX-License-Identifier: BSD-2-Clause */
/* A member of a JSON object; see json_member.h. */
#include "sasl/json_member.h"
#include "base/ascii.h"

#include <string.h>

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static bool next_is(const cursor *c, char wanted)
{
    return c->at < c->end && *c->at == wanted;
}

static void skip_space(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool take(cursor *c, char wanted)
{
    skip_space(c);
    if (!next_is(c, wanted))
        return false;
    c->at++;
    return true;
}

/* From its quote to behind the other one. */
static bool skip_string(cursor *c)
{
    for (c->at++; c->at < c->end && *c->at != '"'; c->at++) {
        if (*c->at == '\\' && c->end - c->at > 1)
            c->at++;
    }
    if (c->at == c->end)
        return false;
    c->at++;
    return true;
}

/* An object or a list, from its bracket to behind the other one. */
static bool skip_nested(cursor *c)
{
    size_t depth = 0;
    while (c->at < c->end) {
        char what = *c->at;
        if (what == '"') {
            if (!skip_string(c))
                return false;
            continue;
        }
        c->at++;
        if (what == '{' || what == '[')
            depth++;
        else if ((what == '}' || what == ']') && --depth == 0)
            return true;
    }
    return false;
}

static bool ends_a_word(char c)
{
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool skip_value(cursor *c)
{
    if (next_is(c, '"'))
        return skip_string(c);
    if (next_is(c, '{') || next_is(c, '['))
        return skip_nested(c);
    const char *from = c->at;
    while (c->at < c->end && !ends_a_word(*c->at))
        c->at++;
    return c->at > from;
}

bool kl_json_member_find(kloop_string object, const char *name, kloop_string *value)
{
    cursor c = {object.data, object.data + object.len};
    size_t name_len = strlen(name);
    bool found = false;
    if (!take(&c, '{'))
        return false;
    do {
        skip_space(&c);
        const char *from = c.at;
        if (!next_is(&c, '"') || !skip_string(&c))
            return found;
        bool wanted = (size_t)(c.at - from) == name_len + 2 && !memcmp(from + 1, name, name_len);
        if (!take(&c, ':'))
            return found;
        skip_space(&c);
        from = c.at;
        if (!skip_value(&c))
            return found;
        if (wanted)
            *value = (kloop_string){from, (size_t)(c.at - from)};
        found = found || wanted;
    } while (take(&c, ','));
    return found;
}

bool kl_json_member_string(kloop_string value, kloop_string *content)
{
    if (value.len < 2 || value.data[0] != '"')
        return false;
    *content = (kloop_string){value.data + 1, value.len - 2};
    return true;
}

/* ---- Numbers ---- */

/* As digits times a power of ten. More digits than fit are dropped: they are below a
 * millisecond, or the number is far too large. */
typedef struct decimal {
    uint64_t digits;
    int power;
} decimal;

#define POWER_MAX 1000

static bool read_digits(cursor *c, decimal *d, bool fraction)
{
    const char *from = c->at;
    for (; c->at < c->end && kl_ascii_is_digit(*c->at); c->at++) {
        if (d->digits < UINT64_MAX / 100) {
            d->digits = d->digits * 10 + (uint64_t)(*c->at - '0');
            d->power -= fraction;
        } else if (d->power < POWER_MAX) {
            d->power += !fraction;
        }
    }
    return c->at > from;
}

static bool read_power(cursor *c, decimal *d)
{
    bool minus = next_is(c, '-');
    if (minus || next_is(c, '+'))
        c->at++;
    const char *from = c->at;
    int power = 0;
    for (; c->at < c->end && kl_ascii_is_digit(*c->at); c->at++) {
        if (power < POWER_MAX)
            power = power * 10 + (*c->at - '0');
    }
    d->power += minus ? -power : power;
    return c->at > from;
}

bool kl_json_member_ms(kloop_string value, uint64_t *ms)
{
    cursor c = {value.data, value.data + value.len};
    bool minus = next_is(&c, '-');
    c.at += minus;
    decimal d = {0, 3}; /* thousandths */
    if (next_is(&c, '0') && c.end - c.at > 1 && kl_ascii_is_digit(c.at[1]))
        return false;
    if (!read_digits(&c, &d, false))
        return false;
    if (next_is(&c, '.') && (c.at++, !read_digits(&c, &d, true)))
        return false;
    if ((next_is(&c, 'e') || next_is(&c, 'E')) && (c.at++, !read_power(&c, &d)))
        return false;
    if (c.at < c.end)
        return false;
    uint64_t n = minus ? 0 : d.digits;
    for (; d.power < 0 && n > 0; d.power++)
        n /= 10;
    for (; d.power > 0 && n > 0; d.power--) {
        if (n > UINT64_MAX / 10) {
            n = KLOOP_NEVER;
            break;
        }
        n *= 10;
    }
    *ms = n;
    return true;
}
