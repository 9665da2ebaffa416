/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions, suites, groups, signatures. See tls_ciphers.h. */
#define _POSIX_C_SOURCE 200809L /* strncasecmp */
#include "driver/tls_ciphers.h"

#include "driver/tls_why.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A name of a list, cut out of it. Longer ones there are none. */
#define NAME_MAX_BYTES 96

/* The next name of a list into name; NULL: there is none any more. Too long a name is cut, so that
 * it will not be known. */
static const char *next_name(const char *list, char name[NAME_MAX_BYTES])
{
    static const char between[] = ",: \t\r\n";
    list += strspn(list, between);
    size_t len = strcspn(list, between);
    if (len == 0)
        return NULL;
    snprintf(name, NAME_MAX_BYTES, "%.*s", (int)len, list);
    return list + len;
}

/* Two lists under construction: TLS 1.3 has its own. */
typedef struct suites {
    char old[4096], new[1024];
} suites;

static bool append(char *list, size_t size, const char *name)
{
    size_t len = strlen(list);
    return (size_t)snprintf(list + len, size - len, "%s%s", len ? ":" : "", name) < size - len;
}

/* The suite with this name, IANA's or OpenSSL's; NULL: there is none. all: what OpenSSL knows. */
static const SSL_CIPHER *suite_of(STACK_OF(SSL_CIPHER) * all, const char *name)
{
    /* Java's older names begin in SSL_. */
    const char *rest = strncmp(name, "SSL_", 4) ? NULL : name + 4;
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);
        const char *iana = SSL_CIPHER_standard_name(c);
        if (!strcmp(SSL_CIPHER_get_name(c), name) ||
            (iana && (!strcmp(iana, name) || (rest && !strcmp(iana + 4, rest)))))
            return c;
    }
    return NULL;
}

static bool add_suite(suites *lists, SSL_CTX *scratch, STACK_OF(SSL_CIPHER) * all, const char *name)
{
    /* A mark of Java's that is no suite. */
    if (!strcmp(name, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"))
        return true;
    const SSL_CIPHER *c = suite_of(all, name);
    if (c && !strcmp(SSL_CIPHER_get_version(c), "TLSv1.3"))
        return append(lists->new, sizeof lists->new, SSL_CIPHER_get_name(c));
    if (c)
        return append(lists->old, sizeof lists->old, SSL_CIPHER_get_name(c));
    /* What OpenSSL has for lists: classes as HIGH, and what is taken out of them. */
    if (strchr("!-+@", name[0]) || SSL_CTX_set_cipher_list(scratch, name))
        return append(lists->old, sizeof lists->old, name);
    return false;
}

/* scratch is a context to try names in. */
static kloop_status read_suites(suites *lists, const char *text, SSL_CTX *scratch,
                                kloop_error *error)
{
    static const char new[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                              "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:"
                              "TLS_AES_128_CCM_8_SHA256";
    if (!SSL_CTX_set_ciphersuites(scratch, new) ||
        !SSL_CTX_set_cipher_list(scratch, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"))
        return kl_tls_refuse_memory(error);
    /* A copy, since names are tried on the context. */
    STACK_OF(SSL_CIPHER) *all = sk_SSL_CIPHER_dup(SSL_CTX_get_ciphers(scratch));
    if (!all)
        return kl_tls_refuse_memory(error);
    kloop_status status = KLOOP_OK;
    char name[NAME_MAX_BYTES];
    for (const char *at = text; status == KLOOP_OK && (at = next_name(at, name)) != NULL;)
        if (!add_suite(lists, scratch, all, name))
            status = kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                                   "ssl.cipher.suites: this OpenSSL does not know the suite %s; "
                                   "`openssl ciphers -stdname -s` shows those that it does",
                                   name);
    sk_SSL_CIPHER_free(all);
    return status;
}

static kloop_status set_suites(const kl_tls_settings *s, SSL_CTX *ctx, bool *tls12, bool *tls13,
                               kloop_error *error)
{
    const char *text = kl_tls_text(s, KL_TLS_CIPHERS);
    if (!text[0])
        return KLOOP_OK;
    SSL_CTX *scratch = SSL_CTX_new(TLS_client_method());
    if (!scratch)
        return kl_tls_refuse_memory(error);
    suites lists = {.old = ""};
    kloop_status status = read_suites(&lists, text, scratch, error);
    SSL_CTX_free(scratch);
    if (status != KLOOP_OK)
        return status;
    /* A version whose suites the list leaves out is not to be spoken. */
    *tls12 = *tls12 && lists.old[0];
    *tls13 = *tls13 && lists.new[0];
    if (!*tls12 && !*tls13)
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                             "ssl.cipher.suites has no suite for the versions of "
                             "ssl.enabled.protocols: TLSv1.3 has suites of its own "
                             "(TLS_AES_128_GCM_SHA256)");
    if ((lists.old[0] && (!append(lists.old, sizeof lists.old, "!aNULL:!eNULL") ||
                          !SSL_CTX_set_cipher_list(ctx, lists.old))) ||
        (lists.new[0] && !SSL_CTX_set_ciphersuites(ctx, lists.new)))
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                             "ssl.cipher.suites: OpenSSL finds nothing in it that it would use: %s",
                             kl_tls_reason());
    return KLOOP_OK;
}

typedef int (*list_fn)(SSL_CTX *ctx, const char *list);

static int set_groups(SSL_CTX *ctx, const char *list)
{
    return (int)SSL_CTX_set1_groups_list(ctx, list);
}

static int set_sigalgs(SSL_CTX *ctx, const char *list)
{
    return (int)SSL_CTX_set1_sigalgs_list(ctx, list);
}

/* A list that OpenSSL reads; if it does not, the name that it stumbles over. */
static kloop_status set_list(const kl_tls_settings *s, kl_tls_key key, list_fn set, SSL_CTX *ctx,
                             kloop_error *error)
{
    char list[2048] = "", name[NAME_MAX_BYTES];
    for (const char *at = kl_tls_text(s, key); (at = next_name(at, name)) != NULL;) {
        if (!set(ctx, name))
            return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s: this OpenSSL does not know %s",
                                 kl_tls_key_name(key), name);
        if (!append(list, sizeof list, name))
            return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s: the list is too long",
                                 kl_tls_key_name(key));
    }
    if (list[0] && !set(ctx, list))
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s: OpenSSL does not take it: %s",
                             kl_tls_key_name(key), kl_tls_reason());
    return KLOOP_OK;
}

kloop_status kl_tls_ciphers_set(const kl_tls_settings *s, SSL_CTX *ctx, kloop_error *error)
{
    bool tls12 = s->tls12, tls13 = s->tls13;
    kloop_status status = set_suites(s, ctx, &tls12, &tls13, error);
    if (status == KLOOP_OK)
        status = set_list(s, KL_TLS_CURVES, set_groups, ctx, error);
    if (status == KLOOP_OK)
        status = set_list(s, KL_TLS_SIGALGS, set_sigalgs, ctx, error);
    if (status != KLOOP_OK)
        return status;
    /* The system's own limits stay. */
    int least = tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
    int least_here = (int)SSL_CTX_get_min_proto_version(ctx);
    int most = tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    int most_here = (int)SSL_CTX_get_max_proto_version(ctx);
    if (least_here > least)
        least = least_here;
    if (most_here && most_here < most)
        most = most_here;
    if (least > most || !SSL_CTX_set_min_proto_version(ctx, least) ||
        !SSL_CTX_set_max_proto_version(ctx, most))
        return kl_tls_refuse(
            error, KLOOP_BAD_CONFIG,
            "ssl.enabled.protocols: this system's OpenSSL allows none of them (see "
            "MinProtocol in openssl.cnf)");
    return KLOOP_OK;
}
