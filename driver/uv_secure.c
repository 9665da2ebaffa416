/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS, SASL and tokens of a producer. */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include "driver/uv_secure.h"

#include "base/wipe.h"
#include "driver/tls_filter.h"
#include "driver/token_file.h"
#include "driver/uv_process.h"
#include "driver/uv_pump.h"

#include <stdio.h>

#define ENTROPY_BYTES 32

/* ---- Opening ---- */

static kloop_status make_sasl(kloop_producer *p, const kloop_config *config, kloop_error *error)
{
    uint8_t entropy[ENTROPY_BYTES] = {0};
    /* Without a loop it is read at once. */
    int why = uv_random(NULL, NULL, entropy, sizeof entropy, 0, NULL);
    kloop_status status = kloop_sasl_new(&p->secure.sasl, config, &p->alloc, entropy, error);
    kl_wipe(entropy, sizeof entropy);
    if (status == KLOOP_OK && p->secure.sasl && why) {
        /* Numbers that can be guessed would let others pass for the broker. */
        error->status = KLOOP_BAD_CONFIG;
        snprintf(error->text, sizeof error->text,
                 "security.protocol: the system gives no random bytes, and SASL is not safe "
                 "without: %s",
                 uv_strerror(why));
        status = KLOOP_BAD_CONFIG;
    }
    return status;
}

kloop_status kl_uv_secure_open(kloop_producer *p, const kloop_config *config, kloop_error *error)
{
    kloop_status status = make_sasl(p, config, error);
    if (status == KLOOP_OK)
        status = kloop_tls_new(&p->secure.tls, config, &p->alloc, p->now, error);
    if (status || (!p->secure.sasl && !p->secure.tls))
        return status;
    p->secure.log_level_max = KLOOP_LOG_DEBUG;
    p->secure.noted = p->secure.tls != NULL;
    if (p->secure.tls)
        p->filters = kl_tls_filter_maker(p->secure.tls);
    return kloop_engine_secure(p->engine, p->secure.tls != NULL,
                               p->secure.sasl ? kloop_sasl_mechanism_of(p->secure.sasl) : NULL,
                               error);
}

void kl_uv_secure_close(kloop_producer *p)
{
    kloop_sasl_del(p->secure.sasl);
    kloop_tls_del(p->secure.tls);
}

/* ---- The log ---- */

static void tell(kloop_producer *p, const char *text)
{
    kl_uv_process_note_trouble(p, text);
    if (p->on_log && p->secure.log_level_max >= KLOOP_LOG_WARN)
        p->on_log(p, KLOOP_LOG_WARN, text, p->log_me);
}

void kl_uv_secure_tell(kloop_producer *p)
{
    kloop_error note;
    p->secure.noted = false;
    while (kloop_tls_take_note(p->secure.tls, &note)) {
        tell(p, note.text);
        if (p->state != KL_UV_OPEN || p->living.forked)
            return;
    }
}

/* ---- Tokens ---- */

static void read_token(kloop_producer *p, const char *path)
{
    char why[512] = "there is no memory for a token";
    kloop_string value;
    size_t size = KL_TOKEN_FILE_BYTES_MAX + 1;
    char *bytes = kl_mem_alloc(&p->alloc, size);
    bool refused = false;
    if (bytes && kl_token_file_read(path, bytes, &value, why, sizeof why)) {
        const kloop_token token = {.value = value, .expires_ms = kloop_sasl_token_expiry_ms(value)};
        refused = kloop_engine_set_token(p->engine, &token, p->now, NULL) != KLOOP_OK;
    } else {
        kloop_engine_token_failed(p->engine, why, p->now);
    }
    kl_wipe_release(&p->alloc, bytes, size);
    if (!refused)
        return;
    /* Why, the engine says. */
    snprintf(why, sizeof why, "the token in %s (sasl.oauthbearer.token.endpoint.url) is of no use",
             path);
    tell(p, why);
}

void kl_uv_secure_want_token(kloop_producer *p)
{
    kloop_string path = p->secure.sasl ? kloop_sasl_token_file(p->secure.sasl) : (kloop_string){0};
    if (path.len)
        read_token(p, path.data);
    else if (p->secure.on_token)
        p->secure.on_token(p, p->secure.token_me);
    else
        kloop_engine_token_failed(p->engine,
                                  "nobody gives tokens: kloop_on_token() was not called, and "
                                  "sasl.oauthbearer.token.endpoint.url names no file",
                                  p->now);
}
