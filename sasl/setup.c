/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mechanism out of a configuration; see <kloop/sasl.h>.
 *
 * Which one it is, sasl.mechanism alone says. Credentials come from sasl.jaas.config or from
 * sasl.username and sasl.password, and never from both: nobody could tell which of them counts.
 */
#include "base/ascii.h"
#include "base/base64.h"
#include "base/excerpt.h"
#include "base/wipe.h"
#include "sasl/jaas.h"
#include "sasl/json_member.h"
#include "sasl/plain.h"
#include "sasl/scram.h"
#include "sasl/sentence.h"
#include "sasl/setup_oauth.h"

#include <kloop/sasl.h>

#define MECHANISMS "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"

typedef enum family {
    PLAIN,
    SCRAM,
    OAUTHBEARER,
} family;

typedef struct known_mechanism {
    const char *name;
    family family;
    kl_sha2_kind kind;
} known_mechanism;

static const known_mechanism known[] = {
    {"PLAIN", PLAIN, KL_SHA2_256},
    {"SCRAM-SHA-256", SCRAM, KL_SHA2_256},
    {"SCRAM-SHA-512", SCRAM, KL_SHA2_512},
    {"OAUTHBEARER", OAUTHBEARER, KL_SHA2_256},
};

static const char *const modules[] = {
    [PLAIN] = "PlainLoginModule",
    [SCRAM] = "ScramLoginModule",
    [OAUTHBEARER] = "OAuthBearerLoginModule",
};

struct kloop_sasl {
    kloop_allocator alloc;
    kloop_sasl_mechanism mechanism;
    family family;
    kl_secret token_file;
    union {
        kl_plain plain;
        kl_scram scram;
        kl_oauthbearer oauthbearer;
    } of;
};

/* What the configuration says, while it is looked at. */
typedef struct wishes {
    const kloop_config *config;
    const known_mechanism *mechanism;
    bool has_jaas;
    kl_jaas jaas;
    kloop_string user;
    kloop_string password;
    bool tokenauth;
} wishes;

static bool is(kloop_string text, const char *wanted)
{
    return text.len == strlen(wanted) && memcmp(text.data, wanted, text.len) == 0;
}

/* NULL: it is not set, or empty, which is the same here. */
static const char *text_of(const kloop_config *config, const char *key)
{
    const char *text = kloop_config_get(config, key);
    return text && *text ? text : NULL;
}

static kloop_string string_of(const char *text)
{
    return text ? (kloop_string){text, strlen(text)} : (kloop_string){0};
}

static bool same_in_any_case(const char *a, const char *b)
{
    while (*a && kl_ascii_lower(*a) == kl_ascii_lower(*b)) {
        a++;
        b++;
    }
    return kl_ascii_lower(*a) == kl_ascii_lower(*b);
}

/* ---- Which mechanism, and does the module fit? ---- */

static kloop_status choose_mechanism(wishes *w, kloop_error *error)
{
    const char *name = text_of(w->config, "sasl.mechanism");
    if (!name)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.mechanism is missing: " MECHANISMS
                                  ", whichever the brokers have");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (same_in_any_case(name, known[i].name)) {
            w->mechanism = &known[i];
            return KLOOP_OK;
        }
    }
    if (same_in_any_case(name, "GSSAPI"))
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.mechanism=GSSAPI: kloop does not speak Kerberos, which "
                                  "needs libraries that it does without; use " MECHANISMS);
    char shown[KL_EXCERPT_SIZE];
    return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                              "sasl.mechanism=%s: there is no such mechanism here; use " MECHANISMS,
                              kl_excerpt(shown, sizeof shown, string_of(name)));
}

/* The class is named only where it looks like one: the first word of a text that was pasted wrongly
 * may be a password. */
static kloop_status refuse_module(kloop_string class, kloop_error *error)
{
    static const char ending[] = "LoginModule";
    size_t len = sizeof ending - 1;
    char shown[KL_EXCERPT_SIZE] = "its first word";
    if (class.len >= len && memcmp(class.data + class.len - len, ending, len) == 0)
        kl_excerpt(shown, sizeof shown, class);
    const char *why = "";
    if (is(class, "Krb5LoginModule"))
        why = ": kloop does not speak Kerberos";
    else if (is(class, "IAMLoginModule"))
        why = ": for Amazon's IAM use sasl.mechanism=OAUTHBEARER and give tokens that its signer "
              "has made";
    return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                              "sasl.jaas.config: %s is no login module that there is here%s; there "
                              "are PlainLoginModule, ScramLoginModule and OAuthBearerLoginModule",
                              shown, why);
}

static kloop_status check_module(const wishes *w, kloop_error *error)
{
    kloop_string class = kl_jaas_class(&w->jaas);
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        if (!is(class, modules[i]))
            continue;
        if (w->mechanism->family == (family)i)
            return KLOOP_OK;
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.mechanism=%s and the %s of sasl.jaas.config do not fit: "
                                  "the module for it is %s",
                                  w->mechanism->name, modules[i], modules[w->mechanism->family]);
    }
    return refuse_module(class, error);
}

/* ---- Whose credentials? ---- */

static kloop_status read_jaas(wishes *w, const kloop_allocator *alloc, kloop_error *error)
{
    const char *text = text_of(w->config, "sasl.jaas.config");
    if (!text)
        return KLOOP_OK;
    const char *user = text_of(w->config, "sasl.username");
    if (user || text_of(w->config, "sasl.password"))
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.jaas.config and %s are both set: credentials come from "
                                  "one of them",
                                  user ? "sasl.username" : "sasl.password");
    kloop_status status = kl_jaas_parse(&w->jaas, alloc, string_of(text), error);
    w->has_jaas = !status;
    return status ? status : check_module(w, error);
}

static kloop_string option(const wishes *w, const char *name)
{
    const kl_secret *value = kl_jaas_find(&w->jaas, name);
    return value ? kl_secret_text(value) : (kloop_string){0};
}

static kloop_status find_credentials(wishes *w, kloop_error *error)
{
    if (w->has_jaas) {
        kloop_string tokenauth = option(w, "tokenauth");
        w->user = option(w, "username");
        w->password = option(w, "password");
        /* As Java reads a Boolean: true in any case, and all else is false. */
        w->tokenauth = tokenauth.len == 4 && same_in_any_case(tokenauth.data, "true");
    } else {
        w->user = string_of(text_of(w->config, "sasl.username"));
        w->password = string_of(text_of(w->config, "sasl.password"));
    }
    if (w->user.len && w->password.len)
        return KLOOP_OK;
    const char *missing = w->user.len       ? "the password is missing or empty"
                          : w->password.len ? "the user name is missing or empty"
                                            : "there is neither";
    return kl_sentence_refuse(
        error, KLOOP_BAD_CONFIG, "sasl.mechanism=%s needs a user name and a password, and %s: %s",
        w->mechanism->name, missing,
        w->has_jaas ? "sasl.jaas.config has them as username=\"...\" password=\"...\""
                    : "sasl.username and sasl.password, or sasl.jaas.config");
}

/* ---- Each family ---- */

static kloop_status make_plain(kloop_sasl *s, wishes *w, kloop_error *error)
{
    kloop_status status = find_credentials(w, error);
    if (!status)
        status = kl_plain_init(&s->of.plain, &s->alloc, w->user, w->password, error);
    if (!status)
        s->mechanism = kl_plain_mechanism(&s->of.plain);
    return status;
}

static uint32_t iterations_max(const kloop_config *config)
{
    const char *text = kloop_config_get(config, "sasl.scram.iterations.max");
    uint32_t n = 0;
    for (; text && kl_ascii_is_digit(*text) && n <= UINT32_MAX / 10 - 1; text++)
        n = n * 10 + (uint32_t)(*text - '0');
    return n;
}

static kloop_status make_scram(kloop_sasl *s, wishes *w, const uint8_t *entropy, kloop_error *error)
{
    kloop_status status = find_credentials(w, error);
    if (status)
        return status;
    kl_scram_settings settings = {.kind = w->mechanism->kind,
                                  .user = w->user,
                                  .password = w->password,
                                  .tokenauth = w->tokenauth,
                                  .iterations_max = iterations_max(w->config),
                                  .entropy = entropy};
    status = kl_scram_init(&s->of.scram, &s->alloc, &settings, error);
    if (!status)
        s->mechanism = kl_scram_mechanism(&s->of.scram);
    return status;
}

static kloop_status make_oauthbearer(kloop_sasl *s, wishes *w, kloop_error *error)
{
    if (text_of(w->config, "sasl.username") || text_of(w->config, "sasl.password"))
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.username and sasl.password have no place in "
                                  "sasl.mechanism=OAUTHBEARER, which takes tokens");
    const char *unsecured = kloop_config_get(w->config, "enable.sasl.oauthbearer.unsecure.jwt");
    kl_setup_oauth_texts texts = {
        .jaas = w->has_jaas ? &w->jaas : NULL,
        .config = text_of(w->config, "sasl.oauthbearer.config"),
        .url = text_of(w->config, "sasl.oauthbearer.token.endpoint.url"),
        .unsecured_is_ok = unsecured && same_in_any_case(unsecured, "true"),
    };
    kl_oauthbearer_init(&s->of.oauthbearer, &s->alloc);
    kloop_status status = kl_setup_oauth(&s->of.oauthbearer, &s->token_file, &texts, error);
    if (!status)
        s->mechanism = kl_oauthbearer_mechanism(&s->of.oauthbearer);
    return status;
}

static kloop_status make(kloop_sasl *s, wishes *w, const uint8_t *entropy, kloop_error *error)
{
    s->family = w->mechanism->family;
    switch (s->family) {
    case PLAIN:
        return make_plain(s, w, error);
    case SCRAM:
        return make_scram(s, w, entropy, error);
    case OAUTHBEARER:
        break;
    }
    return make_oauthbearer(s, w, error);
}

/* ---- Life ---- */

static bool wants_sasl(const kloop_config *config)
{
    const char *protocol = kloop_config_get(config, "security.protocol");
    return protocol &&
           (same_in_any_case(protocol, "SASL_SSL") || same_in_any_case(protocol, "SASL_PLAINTEXT"));
}

static kloop_status set_up(kloop_sasl **out, wishes *w, const kloop_allocator *alloc,
                           const uint8_t *entropy, kloop_error *error)
{
    kloop_status status = choose_mechanism(w, error);
    if (!status)
        status = read_jaas(w, alloc, error);
    if (status)
        return status;
    kloop_sasl *s = kl_mem_zalloc(alloc, 1, sizeof *s);
    if (!s)
        return kl_sentence_no_memory(error);
    s->alloc = *alloc;
    status = make(s, w, entropy, error);
    if (status)
        kloop_sasl_del(s);
    else
        *out = s;
    return status;
}

kloop_status kloop_sasl_new(kloop_sasl **out, const kloop_config *config,
                            const kloop_allocator *alloc, const uint8_t entropy[32],
                            kloop_error *error)
{
    *out = NULL;
    if (!wants_sasl(config))
        return KLOOP_OK;
    if (!alloc)
        alloc = &kl_mem_libc;
    wishes w = {.config = config};
    kloop_status status = set_up(out, &w, alloc, entropy, error);
    kl_jaas_deinit(&w.jaas, alloc);
    return status;
}

void kloop_sasl_del(kloop_sasl *s)
{
    if (!s)
        return;
    kloop_allocator alloc = s->alloc;
    kl_secret_drop(&s->token_file, &alloc);
    switch (s->family) {
    case PLAIN:
        kl_plain_deinit(&s->of.plain, &alloc);
        break;
    case SCRAM:
        kl_scram_deinit(&s->of.scram, &alloc);
        break;
    case OAUTHBEARER:
        kl_oauthbearer_deinit(&s->of.oauthbearer);
        break;
    }
    kl_wipe_release(&alloc, s, sizeof *s);
}

const kloop_sasl_mechanism *kloop_sasl_mechanism_of(const kloop_sasl *s)
{
    return &s->mechanism;
}

kloop_string kloop_sasl_token_file(const kloop_sasl *s)
{
    return s->token_file.data ? kl_secret_text(&s->token_file) : (kloop_string){"", 0};
}

/* The middle of three parts with dots between; data NULL: there are not three. */
static kloop_string claims_of(kloop_string token)
{
    if (!token.len)
        return (kloop_string){0};
    const char *end = token.data + token.len;
    const char *first = memchr(token.data, '.', token.len);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return (kloop_string){0};
    return (kloop_string){first + 1, (size_t)(second - first - 1)};
}

uint64_t kloop_sasl_token_expiry_ms(kloop_string token)
{
    kloop_string claims = claims_of(token);
    kl_secret json = {0};
    uint64_t ms = KLOOP_NEVER;
    size_t len;
    kl_base64_fault fault;
    if (!claims.len || !kl_secret_make(&json, &kl_mem_libc, kl_base64_decoded_max(claims.len)))
        return KLOOP_NEVER;
    kloop_string value;
    if (kl_base64_decode_url((uint8_t *)json.data, &len, claims.data, claims.len, &fault) &&
        kl_json_member_find((kloop_string){json.data, len}, "exp", &value) &&
        !kl_json_member_ms(value, &ms))
        ms = KLOOP_NEVER;
    kl_secret_drop(&json, &kl_mem_libc);
    return ms;
}
