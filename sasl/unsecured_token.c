/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens without a signature; see unsecured_token.h. */
#include "sasl/unsecured_token.h"
#include "base/base64.h"
#include "base/wipe.h"
#include "sasl/json_member.h"
#include "sasl/measured.h"
#include "sasl/sentence.h"

#include <inttypes.h>
#include <stdio.h>

/* {"alg":"none"} */
#define HEADER "eyJhbGciOiJub25lIn0"

static void put_string(kl_measured *w, kloop_string text)
{
    kl_measured_put(w, "\"", 1);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char code[8];
        if (c < ' ' || c == '"' || c == '\\')
            kl_measured_put(w, code, (size_t)snprintf(code, sizeof code, "\\u%04x", c));
        else
            kl_measured_put(w, text.data + i, 1);
    }
    kl_measured_put(w, "\"", 1);
}

static void put_list(kl_measured *w, kloop_string elements, char between)
{
    const char *at = elements.data;
    const char *end = elements.len ? at + elements.len : at;
    kl_measured_put(w, "[", 1);
    while (elements.len) {
        const char *stop = at < end ? memchr(at, between, (size_t)(end - at)) : NULL;
        put_string(w, (kloop_string){at, (size_t)((stop ? stop : end) - at)});
        if (!stop)
            break;
        kl_measured_put(w, ",", 1);
        at = stop + 1;
    }
    kl_measured_put(w, "]", 1);
}

typedef enum kind {
    STRING,
    NUMBER,
    LIST,
} kind;

typedef struct claim {
    kloop_string name;
    kloop_string value;
    kind kind;
    char between;
} claim;

static size_t write_claim(char *to, kloop_string before, const claim *c)
{
    kl_measured w = {to, 0};
    if (before.len)
        kl_measured_put(&w, before.data, before.len);
    kl_measured_put(&w, ",", 1);
    put_string(&w, c->name);
    kl_measured_put(&w, ":", 1);
    if (c->kind == STRING)
        put_string(&w, c->value);
    else if (c->kind == LIST)
        put_list(&w, c->value, c->between);
    else
        kl_measured_put(&w, c->value.data, c->value.len);
    return w.len;
}

static bool is(kloop_string text, const char *wanted)
{
    return text.len == strlen(wanted) && memcmp(text.data, wanted, text.len) == 0;
}

static kloop_status add(kl_unsecured *u, const kloop_allocator *alloc, const claim *c,
                        kloop_error *error)
{
    if (is(c->name, "iat") || is(c->name, "exp"))
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "the claim %.3s of an unsecured token is made by kloop and "
                                  "cannot be set",
                                  c->name.data);
    if (c->name.len == 0)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "a claim of an unsecured token has no name");
    kl_secret longer = {0};
    kloop_string before = kl_secret_text(&u->claims);
    if (!kl_secret_make(&longer, alloc, write_claim(NULL, before, c)))
        return kl_sentence_no_memory(error);
    write_claim(longer.data, before, c);
    kl_secret_drop(&u->claims, alloc);
    u->claims = longer;
    return KLOOP_OK;
}

kloop_status kl_unsecured_add_string(kl_unsecured *u, const kloop_allocator *alloc,
                                     kloop_string name, kloop_string value, kloop_error *error)
{
    claim c = {name, value, STRING, 0};
    return add(u, alloc, &c, error);
}

kloop_status kl_unsecured_add_number(kl_unsecured *u, const kloop_allocator *alloc,
                                     kloop_string name, kloop_string value, kloop_error *error)
{
    uint64_t any;
    claim c = {name, value, NUMBER, 0};
    if (!kl_json_member_ms(value, &any))
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "a claim of an unsecured token that is to be a number is none");
    return add(u, alloc, &c, error);
}

kloop_status kl_unsecured_add_list(kl_unsecured *u, const kloop_allocator *alloc, kloop_string name,
                                   kloop_string elements, char between, kloop_error *error)
{
    claim c = {name, elements, LIST, between};
    return add(u, alloc, &c, error);
}

bool kl_unsecured_make(const kl_unsecured *u, const kloop_allocator *alloc, kloop_now now,
                       kl_secret *token, uint64_t *expires_ms)
{
    uint64_t ms = now.wall_ms > 0 ? (uint64_t)now.wall_ms : 0;
    uint64_t end = u->life_s > (INT64_MAX - ms) / 1000 ? INT64_MAX : ms + u->life_s * 1000;
    char times[96];
    int times_len =
        snprintf(times, sizeof times, "{\"exp\":%" PRIu64 ".%03u,\"iat\":%" PRIu64 ".%03u",
                 end / 1000, (unsigned)(end % 1000), ms / 1000, (unsigned)(ms % 1000));
    size_t len = (size_t)times_len + u->claims.len + 1;
    const size_t head = sizeof HEADER "." - 1;
    const size_t body = (len * 4 + 2) / 3;
    kl_secret text = {0};
    bool made = kl_secret_make(&text, alloc, len) && kl_secret_make(token, alloc, head + body + 1);
    if (made) {
        memcpy(text.data, times, (size_t)times_len);
        if (u->claims.len)
            memcpy(text.data + times_len, u->claims.data, u->claims.len);
        text.data[len - 1] = '}';
        memcpy(token->data, HEADER ".", head);
        kl_base64_encode_url(token->data + head, (const uint8_t *)text.data, len);
        token->data[head + body] = '.';
        *expires_ms = end;
    }
    kl_secret_drop(&text, alloc);
    return made;
}

void kl_unsecured_deinit(kl_unsecured *u, const kloop_allocator *alloc)
{
    kl_secret_drop(&u->claims, alloc);
}
