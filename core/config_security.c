/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys are called by the names they were set by, which is where people look for them. */
#include "core/config_security.h"

#include "core/error.h"

#include <string.h>

/* PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, in this order. */
bool kl_config_has_tls(const kloop_config *c)
{
    return kl_config_number(c, KL_CONFIG_SECURITY) & 1;
}

bool kl_config_has_sasl(const kloop_config *c)
{
    return kl_config_number(c, KL_CONFIG_SECURITY) & 2;
}

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool kl_config_security_is_idle(const kloop_config *c, kl_config_id id)
{
    const char *name = kl_config_key_of(id)->shown.name;
    return kl_config_has(c, id) && ((begins(name, "ssl.") && !kl_config_has_tls(c)) ||
                                    (begins(name, "sasl.") && !kl_config_has_sasl(c)));
}

/* Set to nothing is as good as not set. */
static bool is_given(const kloop_config *c, kl_config_id id)
{
    return kl_config_text(c, id).len > 0;
}

typedef struct pair {
    uint8_t one, other;
} pair;

/* A certificate and a key, in a file or as text each. */
static kloop_status check_needs(const kloop_config *c, pair set, pair needed, kloop_error *error)
{
    kl_config_id id = is_given(c, set.one) ? set.one : set.other;
    if (!is_given(c, id) || is_given(c, needed.one) || is_given(c, needed.other))
        return KLOOP_OK;
    return kl_error_set(error, KLOOP_BAD_CONFIG, "%s needs %s or %s", kl_config_said(c, id),
                        kl_config_key_of(needed.one)->shown.name,
                        kl_config_key_of(needed.other)->shown.name);
}

static kloop_status check_tls(const kloop_config *c, kloop_error *error)
{
    static const pair certificate = {KL_CONFIG_CERTIFICATE_FILE, KL_CONFIG_CERTIFICATE_PEM};
    static const pair key = {KL_CONFIG_KEY_FILE, KL_CONFIG_KEY_PEM};
    static const pair exclusive[] = {
        {KL_CONFIG_CA, KL_CONFIG_CA_PEM},
        {KL_CONFIG_KEYSTORE, KL_CONFIG_CERTIFICATE_FILE},
        {KL_CONFIG_KEYSTORE, KL_CONFIG_CERTIFICATE_PEM},
        {KL_CONFIG_KEYSTORE, KL_CONFIG_KEY_FILE},
        {KL_CONFIG_KEYSTORE, KL_CONFIG_KEY_PEM},
        {KL_CONFIG_CERTIFICATE_FILE, KL_CONFIG_CERTIFICATE_PEM},
        {KL_CONFIG_KEY_FILE, KL_CONFIG_KEY_PEM},
    };
    for (size_t i = 0; i < sizeof exclusive / sizeof exclusive[0]; i++) {
        kl_config_id one = exclusive[i].one, other = exclusive[i].other;
        if (is_given(c, one) && is_given(c, other))
            return kl_error_set(error, KLOOP_BAD_CONFIG, "%s and %s are both set; leave one out",
                                kl_config_said(c, one), kl_config_said(c, other));
    }
    kloop_status status = check_needs(c, certificate, key, error);
    return status ? status : check_needs(c, key, certificate, error);
}

kloop_status kl_config_security_check(const kloop_config *c, kloop_error *error)
{
    if (kl_config_has_sasl(c) && kl_config_number(c, KL_CONFIG_MECHANISM) < 0)
        return kl_error_set(error, KLOOP_BAD_CONFIG,
                            "security.protocol=%s needs a sasl.mechanism: %s",
                            kloop_config_get(c, "security.protocol"),
                            kl_config_key_of(KL_CONFIG_MECHANISM)->shown.allowed);
    return kl_config_has_tls(c) ? check_tls(c, error) : KLOOP_OK;
}
