/* SPDX-License-Identifier: BSD-2-Clause */
/* Brokers that want to know who is there. See engine_host.h. */
#include "tests/support/engine_host.h"
#include "tests/support/scripted_sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void scan(const uint8_t *bytes, size_t size)
{
    const char *secret = SCRIPTED_SECRET;
    for (size_t i = 0; bytes && i + strlen(secret) <= size; i++)
        if (memcmp(bytes + i, secret, strlen(secret)) == 0)
            fail_msg("a block of %zu bytes is given back with a secret in it", size);
}

static void *scan_alloc(void *ctx, size_t size)
{
    kloop_allocator a = kl_fail_alloc_table(&((host *)ctx)->memory);
    return a.alloc(a.ctx, size);
}

static void *scan_resize(void *ctx, void *p, size_t old_size, size_t size)
{
    kloop_allocator a = kl_fail_alloc_table(&((host *)ctx)->memory);
    scan(p, old_size);
    return a.resize(a.ctx, p, old_size, size);
}

static void scan_release(void *ctx, void *p, size_t size)
{
    kloop_allocator a = kl_fail_alloc_table(&((host *)ctx)->memory);
    scan(p, size);
    a.release(a.ctx, p, size);
}

kloop_allocator host_scanning(host *h)
{
    return (kloop_allocator){scan_alloc, scan_resize, scan_release, h};
}

kloop_status host_open_sasl(host *h, const kloop_sasl_mechanism *sasl, const char *const *pairs)
{
    const char *all[64] = {"security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "PLAIN",
                           "sasl.username",     "somebody",       "sasl.password",  "secret"};
    size_t count = 8;
    for (; *pairs; pairs++) {
        assert_true(count < 63);
        all[count++] = *pairs;
    }
    all[count] = NULL;
    h->sasl = sasl;
    return host_open(h, all);
}

void host_answer_handshake(host *h, host_conn *c)
{
    static const kloop_string offered[] = {{"SCRAM-SHA-256", 13}, {"GSS\nAPI", 7}};
    assert_int_equal(host_first(h, c)->api, KLOOP_SASL_HANDSHAKE);
    kloop_sasl_handshake_response m;
    kloop_message_init(KLOOP_SASL_HANDSHAKE, KLOOP_RESPONSE, &m);
    m.error_code = h->handshake_error;
    m.mechanisms = kloop_array_of(offered, 2);
    host_respond(h, c, &m, sizeof m);
}

void host_answer_sasl_with(host *h, host_conn *c, int16_t error, kloop_slice bytes)
{
    const host_request *r = host_first(h, c);
    assert_int_equal(r->api, KLOOP_SASL_AUTHENTICATE);
    bool last = ++c->rounds == h->sasl_rounds && !error;
    c->let_in = last;
    if (r->version < 0) {
        uint8_t frame[256] = {0, 0, 0, (uint8_t)bytes.len};
        assert_true(bytes.len < 200);
        memcpy(frame + 4, bytes.data, bytes.len);
        c->bare = !last;
        host_drop(c);
        host_receive(h, c, frame, 4 + bytes.len);
        return;
    }
    kloop_sasl_authenticate_response m;
    kloop_message_init(KLOOP_SASL_AUTHENTICATE, KLOOP_RESPONSE, &m);
    m.error_code = error;
    m.error_message = (kloop_string){NULL, 0};
    if (error && h->sasl_said)
        m.error_message = kloop_text(h->sasl_said);
    m.auth_bytes = bytes;
    if (last && r->version > 0)
        m.session_lifetime_ms = h->session_ms;
    host_respond(h, c, &m, sizeof m);
}

void host_answer_sasl(host *h, host_conn *c)
{
    host_answer_sasl_with(h, c, h->sasl_error, (kloop_slice){(const uint8_t *)"go on", 5});
}

kloop_status host_give_token(host *h)
{
    kloop_token token = {.value = kloop_text("of the token"), .expires_ms = KLOOP_NEVER};
    if (h->token_ms)
        token.expires_ms = (uint64_t)h->now.wall_ms + h->token_ms;
    return kloop_engine_set_token(h->e, &token, h->now, &h->error);
}
