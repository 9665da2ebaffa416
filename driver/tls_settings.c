/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of TLS. See tls_settings.h. */
#define _POSIX_C_SOURCE 200809L /* strcasecmp */
#include "driver/tls_settings.h"

#include "base/wipe.h"
#include "driver/tls_why.h"

#include <string.h>
#include <strings.h>

static const char *const names[KL_TLS_KEY_COUNT] = {
    [KL_TLS_TRUST_LOCATION] = "ssl.truststore.location",
    [KL_TLS_TRUST_TYPE] = "ssl.truststore.type",
    [KL_TLS_TRUST_PASSWORD] = "ssl.truststore.password",
    [KL_TLS_TRUST_PEM] = "ssl.truststore.certificates",
    [KL_TLS_KEYSTORE_LOCATION] = "ssl.keystore.location",
    [KL_TLS_KEYSTORE_TYPE] = "ssl.keystore.type",
    [KL_TLS_KEYSTORE_PASSWORD] = "ssl.keystore.password",
    [KL_TLS_KEYSTORE_KEY] = "ssl.keystore.key",
    [KL_TLS_KEYSTORE_CHAIN] = "ssl.keystore.certificate.chain",
    [KL_TLS_KEY_LOCATION] = "ssl.key.location",
    [KL_TLS_CERTIFICATE_LOCATION] = "ssl.certificate.location",
    [KL_TLS_KEY_PASSWORD] = "ssl.key.password",
    [KL_TLS_PROTOCOLS] = "ssl.enabled.protocols",
    [KL_TLS_PROTOCOL] = "ssl.protocol",
    [KL_TLS_CIPHERS] = "ssl.cipher.suites",
    [KL_TLS_CURVES] = "ssl.curves.list",
    [KL_TLS_SIGALGS] = "ssl.sigalgs.list",
    [KL_TLS_HOST_CHECK] = "ssl.endpoint.identification.algorithm",
};

const char *kl_tls_key_name(kl_tls_key key)
{
    return names[key];
}

const char *kl_tls_text(const kl_tls_settings *s, kl_tls_key key)
{
    return s->text[key] ? s->text[key] : "";
}

bool kl_tls_has(const kl_tls_settings *s, kl_tls_key key)
{
    return s->text[key] != NULL;
}

bool kl_tls_settings_asked(const kloop_config *config)
{
    const char *protocol = kloop_config_get(config, "security.protocol");
    return protocol && (!strcasecmp(protocol, "SSL") || !strcasecmp(protocol, "SASL_SSL"));
}

static bool copy(kl_tls_settings *s, const kloop_config *config, kl_tls_key key)
{
    const char *value = kloop_config_get(config, names[key]);
    if (!value || !value[0])
        return true;
    s->size[key] = strlen(value) + 1;
    s->text[key] = kl_mem_alloc(&s->alloc, s->size[key]);
    if (!s->text[key])
        return false;
    memcpy(s->text[key], value, s->size[key]);
    return true;
}

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; at[0]; at += strcspn(at, ", \t")) {
        at += strspn(at, ", \t");
        if (strcspn(at, ", \t") == len && !strncasecmp(at, word, len))
            return true;
    }
    return false;
}

/* Old versions are never spoken: they can be broken. */
static kloop_status read_versions(kl_tls_settings *s, kloop_error *error)
{
    const char *list = kl_tls_text(s, KL_TLS_PROTOCOLS);
    s->tls12 = !list[0] || has_word(list, "TLSv1.2");
    s->tls13 = !list[0] || has_word(list, "TLSv1.3");
    if (!strcasecmp(kl_tls_text(s, KL_TLS_PROTOCOL), "TLSv1.2"))
        s->tls13 = false;
    if (s->tls12 || s->tls13)
        return KLOOP_OK;
    return kl_tls_refuse(
        error, KLOOP_BAD_CONFIG,
        "ssl.enabled.protocols=%.100s with ssl.protocol=%.20s leaves no version to "
        "speak; TLSv1.2 and TLSv1.3 are there",
        list, kl_tls_text(s, KL_TLS_PROTOCOL));
}

kloop_status kl_tls_settings_init(kl_tls_settings *s, const kloop_config *config,
                                  const kloop_allocator *alloc, kloop_error *error)
{
    memset(s, 0, sizeof *s);
    s->alloc = *alloc;
    /* Whoever has a loop of his own may come here first, with keys that were refused, or that
     * contradict each other: what would be left of them is a guess at whom to trust. */
    kloop_status status = kloop_config_check(config, error);
    for (kl_tls_key key = 0; key < KL_TLS_KEY_COUNT && status == KLOOP_OK; key++)
        if (!copy(s, config, key))
            status = kl_tls_refuse_memory(error);
    if (status == KLOOP_OK)
        status = read_versions(s, error);
    /* Java's "" is none. */
    const char *algorithm = kloop_config_get(config, names[KL_TLS_HOST_CHECK]);
    s->checks_host = !algorithm || (algorithm[0] && strcasecmp(algorithm, "none") != 0);
    if (status != KLOOP_OK)
        kl_tls_settings_deinit(s);
    return status;
}

void kl_tls_settings_deinit(kl_tls_settings *s)
{
    for (size_t i = 0; i < KL_TLS_KEY_COUNT; i++) {
        kl_wipe_release(&s->alloc, s->text[i], s->size[i]);
        s->text[i] = NULL;
    }
}
