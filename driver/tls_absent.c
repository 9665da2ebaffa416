/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS in a build without OpenSSL: it is never there, and asking for it is answered with how to get
 * it. See <kloop/tls.h>. */
#include <kloop/tls.h>

#include "base/check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

kloop_status kloop_tls_new(kloop_tls **out, const kloop_config *config,
                           const kloop_allocator *alloc, kloop_now now, kloop_error *error)
{
    (void)alloc;
    (void)now;
    *out = NULL;
    const char *protocol = kloop_config_get(config, "security.protocol");
    kloop_status status = KLOOP_OK;
    if (protocol && (!strcasecmp(protocol, "SSL") || !strcasecmp(protocol, "SASL_SSL")))
        status = KLOOP_BAD_CONFIG;
    if (error) {
        error->status = status;
        error->text[0] = 0;
        if (status != KLOOP_OK)
            snprintf(error->text, sizeof error->text,
                     "security.protocol=%s: this libkloop was built without TLS; build it with "
                     "OpenSSL 3 (apt-get install libssl-dev, then cmake -DKLOOP_TLS=ON)",
                     strcasecmp(protocol, "SSL") ? "SASL_SSL" : "SSL");
    }
    return status;
}

void kloop_tls_del(kloop_tls *t)
{
    KL_ASSERT(!t);
}

bool kloop_tls_take_note(kloop_tls *t, kloop_error *note)
{
    (void)t;
    (void)note;
    return false;
}

/* Of what follows nothing can be called by a host that has no kloop_tls. */

kloop_status kloop_tls_channel_new(kloop_tls_channel **out, kloop_tls *t, kloop_string host,
                                   uint16_t port, kloop_now now, kloop_error *error)
{
    (void)t;
    (void)host;
    (void)port;
    (void)now;
    *out = NULL;
    if (error) {
        error->status = KLOOP_BAD_ARGUMENT;
        strcpy(error->text, "this libkloop was built without TLS");
    }
    return KLOOP_BAD_ARGUMENT;
}

void kloop_tls_channel_del(kloop_tls_channel *c)
{
    KL_ASSERT(!c);
}

kloop_tls_state kloop_tls_state_of(const kloop_tls_channel *c)
{
    (void)c;
    return KLOOP_TLS_FAILED;
}

const char *kloop_tls_why(const kloop_tls_channel *c)
{
    (void)c;
    return "this libkloop was built without TLS";
}

bool kloop_tls_untrusted(const kloop_tls_channel *c)
{
    (void)c;
    return true;
}

uint8_t *kloop_tls_receive_space(kloop_tls_channel *c, size_t *room)
{
    (void)c;
    *room = 0;
    return NULL;
}

void kloop_tls_received(kloop_tls_channel *c, size_t n)
{
    (void)c;
    (void)n;
}

void kloop_tls_received_end(kloop_tls_channel *c)
{
    (void)c;
}

size_t kloop_tls_read(kloop_tls_channel *c, uint8_t *to, size_t room)
{
    (void)c;
    (void)to;
    (void)room;
    return 0;
}

size_t kloop_tls_write(kloop_tls_channel *c, const kloop_slice *slices, size_t count)
{
    (void)c;
    (void)slices;
    (void)count;
    return 0;
}

void kloop_tls_finish(kloop_tls_channel *c)
{
    (void)c;
}

kloop_slice kloop_tls_output(const kloop_tls_channel *c)
{
    (void)c;
    return (kloop_slice){(const uint8_t *)"", 0};
}

void kloop_tls_sent(kloop_tls_channel *c, size_t n)
{
    (void)c;
    (void)n;
}

void kloop_tls_facts_of(const kloop_tls_channel *c, kloop_tls_facts *facts)
{
    (void)c;
    *facts =
        (kloop_tls_facts){.version = "", .cipher = "", .group = "", .verdict = "", .trust = ""};
}

bool kloop_tls_certificate_at(const kloop_tls_channel *c, size_t index,
                              kloop_tls_certificate *certificate)
{
    (void)c;
    (void)index;
    (void)certificate;
    return false;
}
