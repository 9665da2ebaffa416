/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OAUTHBEARER (RFC 7628), the server's half, with unsecured JWTs (RFC 7519) or one given token. See
 * login_parts.h.
 *
 * A token that is not taken is answered with JSON; the client says one byte, 1, and only then it is
 * refused. A JWT is read as far as it takes to know whose it is and how long: the claims sub and
 * exp, in a JSON object whose other members are skipped.
 */
#include "broker/login_parts.h"

#include <stdio.h>
#include <string.h>

static const char refusal[] = "{\"status\":\"invalid_token\"}";

/* ---- JSON, one object ---- */

typedef struct json {
    const char *at;
    const char *end;
} json;

static char next_char(json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
        j->at++;
    return j->at < j->end ? *j->at : 0;
}

static bool skip(json *j, char ch)
{
    if (next_char(j) != ch)
        return false;
    j->at++;
    return true;
}

/* Escapes stay as they are. */
static bool take_text(json *j, kloop_string *text)
{
    if (!skip(j, '"'))
        return false;
    const char *begin = j->at;
    for (; j->at < j->end; j->at++) {
        if (*j->at == '"') {
            *text = (kloop_string){begin, (size_t)(j->at - begin)};
            j->at++;
            return true;
        }
        if (*j->at == '\\')
            j->at++;
    }
    return false;
}

/* A value of any sort, as it stands there. */
static bool take_value(json *j, kloop_string *value)
{
    int depth = 0;
    next_char(j);
    const char *begin = j->at, *behind = begin;
    for (char ch; (ch = next_char(j)) != 0;) {
        kloop_string inner;
        if (depth == 0 && j->at > begin && (ch == ',' || ch == '}' || ch == ']'))
            break;
        if (ch == '"') {
            if (!take_text(j, &inner))
                return false;
            behind = j->at;
            continue;
        }
        depth += ch == '{' || ch == '[';
        depth -= ch == '}' || ch == ']';
        if (depth < 0)
            return false;
        behind = ++j->at;
    }
    *value = (kloop_string){begin, (size_t)(behind - begin)};
    return value->len > 0 && depth == 0;
}

static bool find_member(kloop_string object, const char *name, kloop_string *value)
{
    json j = {object.data, object.data + object.len};
    bool found = false;
    if (!skip(&j, '{'))
        return false;
    for (kloop_string key, v; take_text(&j, &key);) {
        if (!skip(&j, ':') || !take_value(&j, &v))
            return false;
        if (key.len == strlen(name) && memcmp(key.data, name, key.len) == 0) {
            *value = v;
            found = true;
        }
        if (!skip(&j, ','))
            break;
    }
    return skip(&j, '}') && found;
}

/* A text without escapes. */
static bool find_text(kloop_string object, const char *name, kloop_string *text)
{
    if (!find_member(object, name, text) || text->len < 2 || text->data[0] != '"' ||
        memchr(text->data, '\\', text->len))
        return false;
    *text = (kloop_string){text->data + 1, text->len - 2};
    return true;
}

/* Seconds with or without a fraction and an exponent, as Java prints them, in ms. */
static bool read_seconds(kloop_string text, int64_t *ms)
{
    const char *at = text.data, *end = at + text.len;
    int64_t digits = 0;
    int scale = 3, exponent = 0;
    bool any = false, fraction = false;
    for (; at < end && ((*at >= '0' && *at <= '9') || (*at == '.' && !fraction)); at++) {
        if (*at == '.') {
            fraction = true;
        } else if (digits < INT64_MAX / 100) {
            digits = digits * 10 + (*at - '0');
            scale -= fraction;
            any = true;
        } else {
            scale += !fraction;
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        if (++at < end && *at == '+')
            at++;
        for (; at < end && *at >= '0' && *at <= '9' && exponent < 100; at++)
            exponent = exponent * 10 + (*at - '0');
    }
    for (scale += exponent; scale < 0; scale++)
        digits /= 10;
    for (; scale > 0 && digits > 0; scale--)
        digits = digits > INT64_MAX / 10 ? INT64_MAX : digits * 10;
    *ms = digits;
    return any && at == end;
}

/* ---- The token ---- */

static bool same(kloop_string a, const char *b)
{
    return a.len == strlen(b) && memcmp(a.data, b, a.len) == 0;
}

static bool unpack(kl_request *r, kloop_string text, kloop_string *object, bool *no_memory)
{
    uint8_t *bytes = kl_scratch_take(&r->scratch, text.len / 4 * 3 + 3, 1);
    size_t len;
    *no_memory |= !bytes;
    if (!bytes || !kl_login_unbase64(bytes, &len, text.data, text.len))
        return false;
    *object = (kloop_string){(const char *)bytes, len};
    return true;
}

/* HEADER.CLAIMS. */
static bool is_jwt(kl_login_exchange *x, kl_request *r, kloop_string token, bool *no_memory)
{
    kloop_string header, claims, alg, sub, exp;
    const char *dot = memchr(token.data, '.', token.len);
    if (!dot || token.data[token.len - 1] != '.')
        return false;
    kloop_string first = {token.data, (size_t)(dot - token.data)};
    kloop_string second = {dot + 1, token.len - first.len - 1};
    if (second.len < 2 || memchr(second.data, '.', second.len - 1))
        return false;
    second.len--;
    if (!unpack(r, first, &header, no_memory) || !unpack(r, second, &claims, no_memory) ||
        !find_text(header, "alg", &alg) || !same(alg, "none") || !find_text(claims, "sub", &sub) ||
        sub.len == 0 || sub.len > KL_LOGIN_NAME_MAX || !find_member(claims, "exp", &exp) ||
        !read_seconds(exp, &x->token_ends_ms) || x->token_ends_ms <= kl_cluster_wall_ms(r->cluster))
        return false;
    memcpy(x->principal, sub.data, sub.len);
    x->principal[sub.len] = 0;
    return true;
}

static bool is_taken(kl_login_exchange *x, kl_request *r, kloop_string token, bool *no_memory)
{
    const char *only = r->peer->node->login.config.token;
    if (!only)
        return token.len > 0 && is_jwt(x, r, token, no_memory);
    memcpy(x->principal, "token", 6);
    return same(token, only);
}

/* ---- What is said ---- */

/* word is in small letters; case does not count. */
static bool begins_with(kloop_string s, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i < n && i < s.len; i++) {
        char ch = s.data[i];
        if ((ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch) != word[i])
            return false;
    }
    return s.len >= n;
}

/* "n,a=NAME,^Aauth=Bearer TOKEN^AKEY=VALUE^A^A"; *scheme is false where it is another one than
 * Bearer. */
static bool read_said(kloop_slice said, kloop_string *authorization, kloop_string *token,
                      bool *scheme)
{
    const char *at = (const char *)said.data, *end = at + said.len;
    const char *one = said.len ? memchr(at, 1, said.len) : NULL;
    *authorization = (kloop_string){NULL, 0};
    *token = (kloop_string){NULL, 0};
    if (!one || one - at < 3 || memcmp(at, "n,", 2) != 0 || one[-1] != ',')
        return false;
    if (one - at > 3) {
        *authorization = (kloop_string){at + 4, (size_t)(one - at) - 5};
        if (one - at < 6 || memcmp(at + 2, "a=", 2) != 0)
            return false;
    }
    for (at = one + 1; at < end && *at != 1;) {
        const char *stop = memchr(at, 1, (size_t)(end - at));
        if (!stop)
            return false;
        kloop_string pair = {at, (size_t)(stop - at)};
        const char *equals = memchr(pair.data, '=', pair.len);
        if (!equals || equals == pair.data)
            return false;
        if (pair.len >= 5 && memcmp(pair.data, "auth=", 5) == 0) {
            if (token->data)
                return false;
            *scheme = begins_with(pair, "auth=bearer ");
            if (!*scheme)
                return false;
            *token = (kloop_string){pair.data + 12, pair.len - 12};
        }
        at = stop + 1;
    }
    return token->data && end - at == 1;
}

kl_login_verdict kl_login_bearer(kl_login_exchange *x, kl_request *r, kloop_slice said)
{
    kloop_string authorization, token;
    bool no_memory = false, scheme = true;
    if (x->json_said && said.len == 1 && said.data[0] == 1) {
        x->says = refusal;
        return KL_LOGIN_REFUSED;
    }
    x->json_said = false;
    if (!read_said(said, &authorization, &token, &scheme))
        return scheme ? KL_LOGIN_REFUSED : KL_LOGIN_CONFUSED;
    if (!is_taken(x, r, token, &no_memory)) {
        x->json_said = true;
        x->reply = (kloop_slice){(const uint8_t *)refusal, sizeof refusal - 1};
        return no_memory ? KL_LOGIN_NO_MEMORY : KL_LOGIN_MORE;
    }
    if (authorization.len && !same(authorization, x->principal)) {
        snprintf(x->auth, sizeof x->auth,
                 "Authentication failed: Client requested an authorization id (%.*s) that is "
                 "different from the token's principal name (%s)",
                 (int)authorization.len, authorization.data, x->principal);
        x->says = x->auth;
        return KL_LOGIN_REFUSED;
    }
    x->reply = (kloop_slice){(const uint8_t *)"", 0};
    return KL_LOGIN_DONE;
}
