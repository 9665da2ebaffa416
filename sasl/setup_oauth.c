/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources of tokens; see setup_oauth.h. */
#include "sasl/setup_oauth.h"
#include "base/ascii.h"
#include "base/wipe.h"
#include "sasl/sentence.h"

#define PREFIX "unsecuredLogin"

/* What Java and librdkafka have unless told otherwise; and a century, for no token lives longer. */
#define LIFE_S     3600
#define LIFE_S_MAX UINT64_C(3153600000)

static kloop_string text_of(const char *text)
{
    return (kloop_string){text, strlen(text)};
}

/* What follows the prefix, which may be nothing. */
static bool begins_with(kloop_string text, const char *prefix, kloop_string *rest)
{
    size_t len = strlen(prefix);
    if (text.len < len || memcmp(text.data, prefix, len) != 0)
        return false;
    *rest = (kloop_string){text.data + len, text.len - len};
    return true;
}

static bool is_blank(kloop_string text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] > ' ')
            return false;
    }
    return true;
}

static bool same(kloop_string a, kloop_string b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* 0: it is none. */
static uint64_t read_life(kloop_string text)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!kl_ascii_is_digit(text.data[i]) || n > LIFE_S_MAX)
            return 0;
        n = n * 10 + (uint64_t)(text.data[i] - '0');
    }
    return n > LIFE_S_MAX ? 0 : n;
}

/* ---- Options of OAuthBearerLoginModule ---- */

/* The first character of a list stands between its elements. */
static kloop_status add_list(kl_oauthbearer *o, kloop_string name, kloop_string value,
                             kloop_error *error)
{
    char between = value.len ? value.data[0] : ' ';
    kloop_string elements = {value.data + (value.len > 0), value.len - (value.len > 0)};
    return kl_unsecured_add_list(&o->unsecured, &o->alloc, name, elements, between, error);
}

static kloop_status take_option(kl_oauthbearer *o, kloop_string name, kloop_string value,
                                kloop_error *error)
{
    kloop_string rest;
    if (begins_with(name, "extension_", &rest) || begins_with(name, PREFIX "Extension_", &rest))
        return kl_oauthbearer_extend(o, rest, value, error);
    if (begins_with(name, PREFIX "StringClaim_", &rest))
        return kl_unsecured_add_string(&o->unsecured, &o->alloc, rest, value, error);
    if (begins_with(name, PREFIX "NumberClaim_", &rest))
        return kl_unsecured_add_number(&o->unsecured, &o->alloc, rest, value, error);
    if (begins_with(name, PREFIX "ListClaim_", &rest))
        return add_list(o, rest, value, error);
    if (same(name, text_of(PREFIX "LifetimeSeconds"))) {
        o->unsecured.life_s = read_life(value);
        if (!o->unsecured.life_s)
            return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                      "sasl.jaas.config: " PREFIX
                                      "LifetimeSeconds must be a whole number above 0");
    }
    return KLOOP_OK;
}

/* Only a token that says whose it is makes sense, and Java too refuses others. */
static kloop_status check_principal(const kl_jaas *jaas, kloop_error *error)
{
    const kl_secret *claim = kl_jaas_find(jaas, PREFIX "PrincipalClaimName");
    kloop_string wanted =
        claim && !is_blank(kl_secret_text(claim)) ? kl_secret_text(claim) : text_of("sub");
    for (size_t i = 0; i < jaas->option_count; i++) {
        kloop_string rest;
        if (begins_with(kl_secret_text(&jaas->options[i].name), PREFIX "StringClaim_", &rest) &&
            same(rest, wanted) && !is_blank(kl_secret_text(&jaas->options[i].value)))
            return KLOOP_OK;
    }
    return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                              "sasl.jaas.config: an unsecured token needs a principal: "
                              "unsecuredLoginStringClaim_sub=\"NAME\"");
}

static bool makes_tokens(const kl_jaas *jaas)
{
    for (size_t i = 0; i < jaas->option_count; i++) {
        kloop_string name = kl_secret_text(&jaas->options[i].name);
        kloop_string rest;
        if (begins_with(name, PREFIX, &rest) && !begins_with(name, PREFIX "Extension_", &rest))
            return true;
    }
    return false;
}

static bool asks_a_server(const kl_jaas *jaas)
{
    return kl_jaas_find(jaas, "clientId") || kl_jaas_find(jaas, "clientSecret");
}

static kloop_status take_jaas(kl_oauthbearer *o, const kl_jaas *jaas, kloop_error *error)
{
    for (size_t i = 0; i < jaas->option_count; i++) {
        kloop_status status = take_option(o, kl_secret_text(&jaas->options[i].name),
                                          kl_secret_text(&jaas->options[i].value), error);
        if (status)
            return status;
    }
    o->makes_tokens = makes_tokens(jaas);
    return o->makes_tokens ? check_principal(jaas, error) : KLOOP_OK;
}

/* ---- sasl.oauthbearer.config ---- */

typedef struct rdkafka {
    kloop_string principal;
    kloop_string principal_claim;
    kloop_string scope;
    kloop_string scope_claim;
} rdkafka;

static kloop_status take_pair(kl_oauthbearer *o, rdkafka *r, kloop_string name, kloop_string value,
                              kloop_error *error)
{
    kloop_string rest;
    if (begins_with(name, "extension_", &rest))
        return kl_oauthbearer_extend(o, rest, value, error);
    if (same(name, text_of("principal"))) {
        r->principal = value;
    } else if (same(name, text_of("principalClaimName"))) {
        r->principal_claim = value;
    } else if (same(name, text_of("scope"))) {
        r->scope = value;
    } else if (same(name, text_of("scopeClaimName"))) {
        r->scope_claim = value;
    } else if (same(name, text_of("lifeSeconds"))) {
        o->unsecured.life_s = read_life(value);
        if (!o->unsecured.life_s)
            return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                      "sasl.oauthbearer.config: lifeSeconds must be a whole number "
                                      "above 0");
    } else {
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.oauthbearer.config: it has a name that there is not; there "
                                  "are principal, principalClaimName, scope, scopeClaimName, "
                                  "lifeSeconds and extension_NAME");
    }
    return KLOOP_OK;
}

/* NAME=VALUE with blanks between. */
static kloop_status read_pairs(kl_oauthbearer *o, rdkafka *r, const char *at, kloop_error *error)
{
    for (;;) {
        while (*at && (unsigned char)*at <= ' ')
            at++;
        if (!*at)
            return KLOOP_OK;
        const char *from = at;
        const char *equals = NULL;
        for (; (unsigned char)*at > ' '; at++) {
            if (*at == '=' && !equals)
                equals = at;
        }
        if (!equals || equals + 1 == at)
            return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                      "sasl.oauthbearer.config: it is NAME=VALUE with blanks "
                                      "between, such as principal=NAME lifeSeconds=600");
        kloop_status status =
            take_pair(o, r, (kloop_string){from, (size_t)(equals - from)},
                      (kloop_string){equals + 1, (size_t)(at - equals - 1)}, error);
        if (status)
            return status;
    }
}

static kloop_status take_config(kl_oauthbearer *o, const char *config, kloop_error *error)
{
    rdkafka r = {.principal_claim = text_of("sub"), .scope_claim = text_of("scope")};
    kloop_status status = read_pairs(o, &r, config, error);
    if (!status && r.principal.len == 0)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.oauthbearer.config: an unsecured token needs a principal: "
                                  "principal=NAME");
    if (!status)
        status = kl_unsecured_add_string(&o->unsecured, &o->alloc, r.principal_claim, r.principal,
                                         error);
    if (!status && r.scope.len)
        status =
            kl_unsecured_add_list(&o->unsecured, &o->alloc, r.scope_claim, r.scope, ',', error);
    o->makes_tokens = true;
    return status;
}

/* ---- A file ---- */

static int hex_digit(char c)
{
    c = kl_ascii_lower(c);
    return kl_ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What %XX stands for, or -1. */
static int decode(const char *at)
{
    int high = hex_digit(at[1]);
    int low = high < 0 ? -1 : hex_digit(at[2]);
    return low < 0 ? -1 : high * 16 + low;
}

static kloop_status take_url(kl_secret *file, const kloop_allocator *alloc, const char *url,
                             kloop_error *error)
{
    static const char scheme[] = "file:";
    const char *path = url;
    for (size_t i = 0; path && scheme[i]; i++)
        path = kl_ascii_lower(*path) == scheme[i] ? path + 1 : NULL;
    if (path && strncmp(path, "//", 2) == 0)
        path += 2;
    if (!path || path[0] != '/' || !path[1])
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.oauthbearer.token.endpoint.url must be file:///PATH: kloop "
                                  "fetches no tokens from servers; have the program give them, or "
                                  "something else write them into a file");
    if (!kl_secret_make(file, alloc, strlen(path)))
        return kl_sentence_no_memory(error);
    size_t len = 0;
    for (; *path; path++) {
        int c = (unsigned char)*path;
        if (c == '%') {
            c = decode(path);
            path += 2;
        }
        if (c <= 0)
            return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                      "sasl.oauthbearer.token.endpoint.url: a %% in it must be "
                                      "followed by two digits of a character's code; %% itself is "
                                      "%%25");
        file->data[len++] = (char)c;
    }
    /* Its memory has the size that it was asked for. */
    return kl_secret_copy(file, alloc, (kloop_string){file->data, len})
               ? KLOOP_OK
               : kl_sentence_no_memory(error);
}

/* ---- All together ---- */

static kloop_status check_conflicts(const kl_oauthbearer *o, const kl_setup_oauth_texts *texts,
                                    kloop_error *error)
{
    if (texts->config && texts->url)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.oauthbearer.config and sasl.oauthbearer.token.endpoint.url "
                                  "are both set: tokens come from one of them");
    if (o->makes_tokens && (texts->config || texts->url))
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.jaas.config makes unsecured tokens, and %s is set too: "
                                  "tokens come from one of them",
                                  texts->config ? "sasl.oauthbearer.config"
                                                : "sasl.oauthbearer.token.endpoint.url");
    if (texts->config && !texts->unsecured_is_ok)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.oauthbearer.config makes unsecured tokens, which are for "
                                  "tests: enable.sasl.oauthbearer.unsecure.jwt=true allows them");
    if (texts->unsecured_is_ok && !texts->config && !o->makes_tokens)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "enable.sasl.oauthbearer.unsecure.jwt=true needs "
                                  "sasl.oauthbearer.config to make a token of, such as "
                                  "principal=NAME");
    if (texts->jaas && asks_a_server(texts->jaas) && !texts->url)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.jaas.config has a clientId or clientSecret, and kloop "
                                  "fetches no tokens from servers: leave them out and have the "
                                  "program give tokens, or let something else write them into a "
                                  "file for sasl.oauthbearer.token.endpoint.url=file:///PATH");
    return KLOOP_OK;
}

kloop_status kl_setup_oauth(kl_oauthbearer *o, kl_secret *file, const kl_setup_oauth_texts *texts,
                            kloop_error *error)
{
    o->unsecured.life_s = LIFE_S;
    kloop_status status = texts->jaas ? take_jaas(o, texts->jaas, error) : KLOOP_OK;
    if (!status)
        status = check_conflicts(o, texts, error);
    if (!status && texts->config)
        status = take_config(o, texts->config, error);
    if (!status && texts->url)
        status = take_url(file, &o->alloc, texts->url, error);
    return status;
}
