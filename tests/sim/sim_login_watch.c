/* SPDX-License-Identifier: BSD-2-Clause */
/* I44: what may be on the wire when, and where no secret may be. See sim_login.h. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* An authentication that is to be done in time may begin as late as that behind its time. */
#define LATE_NS KL_SECOND

static bool is_sasl(int16_t api_key)
{
    return api_key == KLOOP_SASL_HANDSHAKE || api_key == KLOOP_SASL_AUTHENTICATE;
}

/* ---- Secrets ---- */

static const sim_secret *find_secret(const sim *s, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < s->login.secret_count; i++) {
        const sim_secret *secret = &s->login.secrets[i];
        const uint8_t *at = bytes;
        for (size_t left = len; left >= secret->len;) {
            at = memchr(at, secret->bytes[0], left - secret->len + 1);
            if (!at)
                break;
            if (memcmp(at, secret->bytes, secret->len) == 0)
                return secret;
            at++;
            left = len - (size_t)(at - bytes);
        }
    }
    return NULL;
}

void sim_login_look_at_memory(sim *s, const uint8_t *bytes, size_t len)
{
    if (!s->login.on)
        return;
    sim_login_look_at_session(s, bytes, len);
    const sim_secret *found = find_secret(s, bytes, len);
    if (found)
        sim_fail(s, "I44", "memory of %zu bytes is given back with %s in it", len, found->what);
}

void sim_login_look_at_text(sim *s, const char *text)
{
    const sim_secret *found =
        s->login.on && text ? find_secret(s, (const uint8_t *)text, strlen(text)) : NULL;
    if (found)
        sim_fail(s, "I44", "%s is in a text for all to read", found->what);
}

/* ---- Requests ---- */

bool sim_login_is_bare(const sim *s, const sim_conn *c)
{
    return s->login.on && c->watch.bare && !c->watch.known;
}

bool sim_login_was_ready(const sim *s, const sim_conn *c)
{
    bool demanded = s->login.on && c->node >= 0 && !(s->plan.login.without >> c->node & 1);
    return demanded ? c->watch.was_known : c->watch.ready;
}

/* What is said behind a token that was refused, once: one byte, 1. To OAUTHBEARER all that is not
 * empty is such a refusal. */
static bool may_acknowledge(const sim *s, sim_watch *w, int16_t api_key, int16_t version,
                            const uint8_t *frame, size_t len)
{
    if (s->plan.login.mechanism != KL_LOGIN_OAUTHBEARER || api_key != KLOOP_SASL_AUTHENTICATE ||
        w->acknowledged)
        return false;
    w->acknowledged = true;
    kloop_request_header h;
    kloop_sasl_authenticate_request r = {.auth_bytes = {frame, len}};
    size_t used;
    if (version >= 0 &&
        (kloop_decode_prefix(KLOOP_REQUEST_HEADER, KLOOP_REQUEST,
                             kloop_request_header_version(api_key, version), frame, len, &used, &h,
                             NULL) ||
         kloop_decode(api_key, KLOOP_REQUEST, version, frame + used, len - used, &r, NULL)))
        return false;
    return r.auth_bytes.len == 1 && r.auth_bytes.data[0] == 1;
}

void sim_login_asked(sim *s, sim_conn *c, int16_t api_key, int16_t version, const uint8_t *frame,
                     size_t len)
{
    sim_watch *w = &c->watch;
    if (!s->login.on)
        return;
    if (w->lied && may_acknowledge(s, w, api_key, version, frame, len))
        return;
    if (w->lied)
        sim_fail(s, "I44", "#%" PRId64 ": a request of API %d behind an answer that was a lie",
                 c->number, api_key);
    if (!is_sasl(api_key)) {
        const sim_secret *found = find_secret(s, frame, len);
        if (found)
            sim_fail(s, "I44", "#%" PRId64 ": %s is in a request of API %d", c->number, found->what,
                     api_key);
        if (w->known && w->ends_ns && w->made_last_ns > w->ends_ns + s->host.slack_ns + LATE_NS)
            sim_fail(s, "I44",
                     "#%" PRId64 ": a request of API %d, %" PRIu64 " ms behind the session's end",
                     c->number, api_key, (w->made_last_ns - w->ends_ns) / KL_MS);
    }
    if (api_key == KLOOP_SASL_HANDSHAKE) {
        w->bare = version == 0;
        w->known = false;
    } else if (!w->known && !is_sasl(api_key) && (api_key != KLOOP_API_VERSIONS || w->was_known)) {
        sim_fail(s, "I44", "#%" PRId64 ": a request of API %d while nobody knows who asks",
                 c->number, api_key);
    }
}

/* ---- Answers ---- */

/* Does this answer end it well? */
static bool is_last(const sim *s, const kloop_sasl_authenticate_response *r)
{
    if (s->plan.login.mechanism & (KL_LOGIN_SCRAM_SHA_256 | KL_LOGIN_SCRAM_SHA_512))
        return r->auth_bytes.len >= 2 && r->auth_bytes.data[0] == 'v';
    return r->auth_bytes.len == 0;
}

static void known(sim *s, sim_conn *c, int64_t lifetime_ms)
{
    sim_watch *w = &c->watch;
    s->login.authentications++;
    s->login.renewals += w->was_known;
    w->known = w->was_known = true;
    w->ends_ns = 0;
    /* Brokers take no second one within a second. */
    if (lifetime_ms > 1200 && lifetime_ms < INT64_MAX / (int64_t)KL_SECOND)
        w->ends_ns = s->world.now_ns + (uint64_t)lifetime_ms * KL_MS;
    sim_note(s, SIM_NOTE_LOGIN, "knows us", c->node, lifetime_ms, c->number, 0);
}

void sim_login_told(sim *s, sim_conn *c, int16_t api_key, int16_t version, const uint8_t *body,
                    size_t len)
{
    if (!s->login.on || !is_sasl(api_key))
        return;
    if (api_key == KLOOP_SASL_HANDSHAKE) {
        kloop_sasl_handshake_response r;
        if (!kloop_decode(KLOOP_SASL_HANDSHAKE, KLOOP_RESPONSE, version, body, len, &r, NULL))
            s->login.refusals += r.error_code != 0;
        return;
    }
    kloop_sasl_authenticate_response r;
    kloop_message_init(KLOOP_SASL_AUTHENTICATE, KLOOP_RESPONSE, &r);
    if (version < 0)
        r.auth_bytes = (kloop_slice){body, len};
    else if (kloop_decode(KLOOP_SASL_AUTHENTICATE, KLOOP_RESPONSE, version, body, len, &r, NULL))
        return;
    s->login.refusals += r.error_code != 0;
    if (r.error_code == 0 && is_last(s, &r) && !c->watch.lied)
        known(s, c, r.session_lifetime_ms);
}
