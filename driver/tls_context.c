/* SPDX-License-Identifier: BSD-2-Clause */
/* What connections share. See <kloop/tls.h> and tls_context.h. */
#include "driver/tls_context.h"

#include "base/check.h"
#include "base/wipe.h"
#include "driver/tls_channel.h"
#include "driver/tls_ciphers.h"
#include "driver/tls_identity.h"
#include "driver/tls_why.h"

#include <stdio.h>
#include <string.h>

#define LOOK_EACH_NS UINT64_C(1000000000)

static void note(kloop_tls *t, const kloop_error *what)
{
    /* The latest are what counts. */
    if (t->note_count == KL_TLS_NOTES_MAX) {
        memmove(&t->notes[0], &t->notes[1], (KL_TLS_NOTES_MAX - 1) * sizeof t->notes[0]);
        t->note_count--;
    }
    t->notes[t->note_count++] = *what;
}

/* ---- The context ---- */

static void set_ways(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* An idle connection holds no buffers of OpenSSL's: 33 KB less each. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    kl_tls_channel_callbacks(ctx);
}

/* A context of what the files say now; NULL: they cannot be used. w has what was looked at. */
static kloop_status make(SSL_CTX **ctx, kl_tls_trust *trust, const kl_tls_settings *s,
                         kl_tls_watch *w, kloop_error *error)
{
    *ctx = SSL_CTX_new(TLS_client_method());
    if (!*ctx && kl_tls_reason_is_memory())
        return kl_tls_refuse_memory(error);
    if (!*ctx)
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "OpenSSL cannot be used: %s",
                             kl_tls_reason());
    set_ways(*ctx);
    kloop_status status = kl_tls_ciphers_set(s, *ctx, error);
    if (status == KLOOP_OK)
        status = kl_tls_trust_load(trust, s, w, *ctx, error);
    if (status == KLOOP_OK)
        status = kl_tls_identity_load(s, w, *ctx, error);
    if (status != KLOOP_OK) {
        SSL_CTX_free(*ctx);
        *ctx = NULL;
    }
    return status;
}

static void note_identity(kloop_tls *t, kloop_now now)
{
    kloop_error own;
    if (kl_tls_identity_note(t->ctx, now.wall_ms, &own))
        note(t, &own);
}

void kl_tls_context_renew(kloop_tls *t, kloop_now now)
{
    if (now.mono_ns - t->looked_ns < LOOK_EACH_NS)
        return;
    t->looked_ns = now.mono_ns;
    if (!kl_tls_watch_changed(&t->watch))
        return;
    SSL_CTX *ctx;
    kl_tls_trust trust;
    kl_tls_watch watch;
    kloop_error error;
    kl_tls_watch_init(&watch, &t->alloc);
    kloop_status status = make(&ctx, &trust, &t->settings, &watch, &error);
    if (status == KLOOP_NO_MEMORY) {
        /* They will look as changed at the next time. */
        kl_tls_watch_deinit(&watch);
        return;
    }
    kl_tls_watch_deinit(&t->watch);
    t->watch = watch;
    if (status != KLOOP_OK) {
        kloop_error said;
        kl_tls_refuse(&said, KLOOP_OK, "certificates have changed and stay as they were: %.440s",
                      error.text);
        note(t, &said);
        return;
    }
    SSL_CTX_free(t->ctx);
    t->ctx = ctx;
    t->trust = trust;
    t->generation++;
    kl_tls_sessions_forget_all(&t->sessions);
    note_identity(t, now);
}

/* ---- From outside ---- */

static kloop_status init(kloop_tls *t, const kloop_config *config, kloop_now now,
                         kloop_error *error)
{
    kloop_status status = kl_tls_settings_init(&t->settings, config, &t->alloc, error);
    if (status != KLOOP_OK)
        return status;
    status = make(&t->ctx, &t->trust, &t->settings, &t->watch, error);
    if (status != KLOOP_OK)
        return status;
    t->method = kl_tls_bytes_method_new();
    t->gathered = kl_mem_alloc(&t->alloc, KL_TLS_RECORD_BYTES);
    if (!t->method || !t->gathered)
        return kl_tls_refuse_memory(error);
    t->looked_ns = now.mono_ns;
    note_identity(t, now);
    return KLOOP_OK;
}

kloop_status kloop_tls_new(kloop_tls **out, const kloop_config *config,
                           const kloop_allocator *alloc, kloop_now now, kloop_error *error)
{
    kloop_error ignored;
    if (!error)
        error = &ignored;
    *out = NULL;
    kl_tls_refuse(error, KLOOP_OK, "%s", "");
    if (!kl_tls_settings_asked(config))
        return KLOOP_OK;
    if (!alloc)
        alloc = &kl_mem_libc;
    kloop_tls *t = kl_mem_zalloc(alloc, 1, sizeof *t);
    if (!t)
        return kl_tls_refuse_memory(error);
    t->alloc = *alloc;
    kl_tls_watch_init(&t->watch, alloc);
    kl_tls_sessions_init(&t->sessions, alloc);
    kl_tls_spares_init(&t->spares, alloc);
    kl_tls_errors_begin();
    kloop_status status = init(t, config, now, error);
    kl_tls_errors_end();
    if (status != KLOOP_OK) {
        kloop_tls_del(t);
        return status;
    }
    *out = t;
    /* Places that had nothing, before one was found that has, are no news. */
    return kl_tls_refuse(error, KLOOP_OK, "%s", "");
}

void kloop_tls_del(kloop_tls *t)
{
    if (!t)
        return;
    KL_ASSERT(t->channel_count == 0);
    kl_tls_sessions_forget_all(&t->sessions);
    SSL_CTX_free(t->ctx);
    BIO_meth_free(t->method);
    kl_wipe_release(&t->alloc, t->gathered, KL_TLS_RECORD_BYTES);
    kl_tls_spares_deinit(&t->spares);
    kl_tls_watch_deinit(&t->watch);
    kl_tls_settings_deinit(&t->settings);
    kl_mem_release(&t->alloc, t, sizeof *t);
}

bool kloop_tls_take_note(kloop_tls *t, kloop_error *what)
{
    if (!t || t->note_count == 0)
        return false;
    *what = t->notes[0];
    t->note_count--;
    memmove(&t->notes[0], &t->notes[1], t->note_count * sizeof t->notes[0]);
    return true;
}
