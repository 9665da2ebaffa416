/* SPDX-License-Identifier: BSD-2-Clause */
/* Bearer tokens; see bearer.h. What Kafka's own server could not read is refused here, where it can
 * be told why. */
#include "sasl/bearer.h"
#include "base/ascii.h"
#include "base/wipe.h"
#include "sasl/measured.h"
#include "sasl/sentence.h"

#define SEPARATOR '\1'

static bool is_letter(char c)
{
    c = kl_ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

/* What RFC 6750 allows in a token. */
static bool is_token_char(char c)
{
    return is_letter(c) || kl_ascii_is_digit(c) || (c && strchr("-._~+/=", c));
}

static bool is_value_char(char c)
{
    return (c >= ' ' && c <= '~') || c == '\t' || c == '\r' || c == '\n';
}

const char *kl_bearer_extension_fault(kloop_string key, kloop_string value)
{
    for (size_t i = 0; i < key.len; i++) {
        if (!is_letter(key.data[i]))
            return "its name has something else in it than letters";
    }
    if (key.len == 0)
        return "it has no name";
    if (key.len == 4 && memcmp(key.data, "auth", 4) == 0)
        return "its name must not be auth, which is the token's own";
    for (size_t i = 0; i < value.len; i++) {
        if (!is_value_char(value.data[i]))
            return "its value has something else in it than printable ASCII";
    }
    return value.len == 0 ? "it has no value" : NULL;
}

static kloop_status check(const kloop_token *token, kloop_error *error)
{
    if (token->value.len == 0)
        return kl_sentence_refuse(error, KLOOP_BAD_ARGUMENT, "the token is empty");
    size_t len = token->value.len;
    for (size_t i = 0; i < token->value.len; i++) {
        if (!is_token_char(token->value.data[i]))
            return kl_sentence_refuse(error, KLOOP_BAD_ARGUMENT,
                                      "the token has a character that no bearer token has, at byte "
                                      "%zu of %zu: a line end, a space, or the word Bearer?",
                                      i, token->value.len);
    }
    for (size_t i = 0; i < token->extension_count; i++) {
        const kloop_sasl_extension *e = &token->extensions[i];
        const char *fault = kl_bearer_extension_fault(e->key, e->value);
        if (fault)
            return kl_sentence_refuse(error, KLOOP_BAD_ARGUMENT,
                                      "extension %zu of the token cannot be said: %s", i + 1,
                                      fault);
        for (size_t k = 0; k < i; k++) {
            kloop_string other = token->extensions[k].key;
            if (other.len == e->key.len && memcmp(other.data, e->key.data, other.len) == 0)
                return kl_sentence_refuse(error, KLOOP_BAD_ARGUMENT,
                                          "extensions %zu and %zu of the token have one name",
                                          k + 1, i + 1);
        }
        len += e->key.len + e->value.len + 2;
        if (len > KL_BEARER_MAX)
            break;
    }
    if (len > KL_BEARER_MAX)
        return kl_sentence_refuse(error, KLOOP_BAD_ARGUMENT,
                                  "the token and its extensions have more than %d bytes",
                                  KL_BEARER_MAX);
    return KLOOP_OK;
}

static bool has(const kloop_token *token, const char *key, size_t len)
{
    for (size_t i = 0; i < token->extension_count; i++) {
        kloop_string own = token->extensions[i].key;
        if (own.len == len && memcmp(own.data, key, len) == 0)
            return true;
    }
    return false;
}

static size_t write_message(char *to, const kloop_token *token, kloop_string extensions)
{
    static const char head[] = "n,,\1auth=Bearer ";
    const char separator = SEPARATOR;
    kl_measured w = {to, 0};
    kl_measured_put(&w, head, sizeof head - 1);
    kl_measured_put(&w, token->value.data, token->value.len);
    kl_measured_put(&w, &separator, 1);
    for (size_t i = 0; i < token->extension_count; i++) {
        const kloop_sasl_extension *e = &token->extensions[i];
        kl_measured_put(&w, e->key.data, e->key.len);
        kl_measured_put(&w, "=", 1);
        kl_measured_put(&w, e->value.data, e->value.len);
        kl_measured_put(&w, &separator, 1);
    }
    const char *at = extensions.data;
    const char *end = extensions.len ? at + extensions.len : at;
    while (at < end) {
        const char *next = (const char *)memchr(at, SEPARATOR, (size_t)(end - at)) + 1;
        const char *equals = memchr(at, '=', (size_t)(next - at));
        if (!has(token, at, (size_t)(equals - at)))
            kl_measured_put(&w, at, (size_t)(next - at));
        at = next;
    }
    kl_measured_put(&w, &separator, 1);
    return w.len;
}

kloop_status kl_bearer_new(kl_bearer **out, const kloop_allocator *alloc, const kloop_token *token,
                           kloop_string extensions, kloop_error *error)
{
    *out = NULL;
    kloop_status status = check(token, error);
    if (status)
        return status;
    kl_bearer *b = kl_mem_zalloc(alloc, 1, sizeof *b);
    if (!b || !kl_secret_make(&b->message, alloc, write_message(NULL, token, extensions))) {
        kl_mem_release(alloc, b, sizeof *b);
        return kl_sentence_no_memory(error);
    }
    write_message(b->message.data, token, extensions);
    b->expires_ms = token->expires_ms;
    b->holders = 1;
    *out = b;
    return KLOOP_OK;
}

void kl_bearer_hold(kl_bearer *b)
{
    b->holders++;
}

void kl_bearer_let_go(kl_bearer *b, const kloop_allocator *alloc)
{
    if (!b || --b->holders)
        return;
    kl_secret_drop(&b->message, alloc);
    kl_mem_release(alloc, b, sizeof *b);
}
