/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a connection may send, and when, where a broker wants to know its client. See login.h.
 *
 *   INITIAL --any request--> HANDSHAKE_OR_VERSIONS --ApiVersions, answered well--> HANDSHAKE
 *                                    |                                                |
 *                                    '------------SaslHandshake, a mechanism of ours--+
 *                                                                                     v
 *      ,----------------------> COMPLETE <--the last SaslAuthenticate--  AUTHENTICATE <--,
 *      |                           |                                       ^     | more  |
 *      |  SaslHandshake of a session that has an end; a second or more     |     '-------'
 *      |  since the last one       |                                       |
 *      |                           '--> AGAIN --the same mechanism---------'
 *      |                                   '----another one--> BAD_MECHANISM
 *   requests, until the session ends
 *
 * FAILED, from everywhere: the answer that says why leaves after the broker's pause, and with it
 * the connection ends. A second ApiVersions and any other request before a SaslHandshake end it
 * without an answer, as does a request of a session that has ended.
 *
 * Behind a SaslHandshake v0 tokens come and go bare, each with its length. Such a one is a request
 * to the hooks, too: a SaslAuthenticate of version -1.
 */
#include "base/be.h"
#include "base/check.h"
#include "base/wipe.h"
#include "broker/login_parts.h"

#include <kloop/broker_error.h>
#include <kloop/wire.h>

#include <stdio.h>
#include <string.h>

#define NS_PER_MS    INT64_C(1000000)
#define AGAIN_MIN_NS (1000 * NS_PER_MS)

static const kl_login_mechanism mechanisms[KL_LOGIN_MECHANISM_COUNT] = {
    KL_LOGIN_PLAIN, KL_LOGIN_SCRAM_SHA_256, KL_LOGIN_SCRAM_SHA_512, KL_LOGIN_OAUTHBEARER};

/* ---- Its life ---- */

bool kl_login_new(kl_cluster *c, const kl_node *node, kl_login **login)
{
    *login = NULL;
    if (node->login.config.mechanisms == 0)
        return true;
    *login = kl_mem_zalloc(&c->alloc, 1, sizeof **login);
    if (!*login)
        return false;
    (*login)->config = node->login.config;
    (*login)->ends_ns = KL_CLUSTER_NEVER;
    (*login)->last_again_ns = -1;
    return true;
}

void kl_login_del(kl_cluster *c, kl_login *login)
{
    kl_wipe_release(&c->alloc, login, sizeof *login);
}

const char *kl_peer_principal(const kl_peer *peer)
{
    return peer->login && peer->login->known ? peer->login->principal : NULL;
}

/* ---- What is allowed ---- */

bool kl_login_wants_token(const kl_login *login)
{
    return login && login->state == KL_LOGIN_AUTHENTICATE && !login->headers;
}

bool kl_login_is_busy(const kl_login *login)
{
    return login && login->state != KL_LOGIN_COMPLETE;
}

static void complain(const kl_request *r, const char *what)
{
    kl_cluster_complain(r->cluster, KL_COMPLAINT_PROTOCOL,
                        "request %llu, of connection %llu to broker %d: %s, api %d, version %d",
                        (unsigned long long)r->info.request_id, (unsigned long long)r->info.peer_id,
                        r->info.node_id, what, r->info.api_key, r->info.version);
}

/* It is nobody's any more: whatever still comes is not looked at. */
static bool give_up(kl_request *r)
{
    r->peer->login->state = KL_LOGIN_FAILED;
    r->cluster->login_totals.refused++;
    return false;
}

/* Of a session. */
static bool session_allows(kl_request *r, kl_login *login)
{
    int64_t now = r->cluster->now_ns;
    bool has_end = login->ends_ns != KL_CLUSTER_NEVER;
    if (r->info.api_key == KLOOP_SASL_HANDSHAKE && has_end &&
        (login->last_again_ns < 0 || now - login->last_again_ns >= AGAIN_MIN_NS)) {
        login->last_again_ns = now;
        login->state = KL_LOGIN_AGAIN;
        login->headers = false;
        r->peer->in.frame_max = login->config.request_max_bytes;
    } else if (has_end && now > login->ends_ns) {
        r->cluster->login_totals.expired++;
        return false;
    }
    return true;
}

bool kl_login_allows(kl_request *r)
{
    kl_login *login = r->peer->login;
    int16_t key = r->info.api_key;
    if (!login)
        return true;
    switch (login->state) {
    case KL_LOGIN_COMPLETE:
        return session_allows(r, login);
    case KL_LOGIN_INITIAL:
        login->state = KL_LOGIN_HANDSHAKE_OR_VERSIONS;
        break;
    case KL_LOGIN_FAILED:
        return false;
    case KL_LOGIN_BAD_MECHANISM:
        return give_up(r);
    default:
        break;
    }
    if (login->state == KL_LOGIN_AUTHENTICATE) {
        if (key == KLOOP_SASL_AUTHENTICATE || key == KLOOP_SASL_HANDSHAKE)
            return true;
        complain(r, "in the middle of an authentication");
        r->misplaced = true;
        return true;
    } else if (key == KLOOP_SASL_HANDSHAKE ||
               (key == KLOOP_API_VERSIONS && login->state == KL_LOGIN_HANDSHAKE_OR_VERSIONS)) {
        return true;
    }
    complain(r, "not before the client is known");
    return give_up(r);
}

void kl_login_versions_told(kl_login *login)
{
    if (login && login->state == KL_LOGIN_HANDSHAKE_OR_VERSIONS)
        login->state = KL_LOGIN_HANDSHAKE;
}

/* The answer that says why waits, so that nobody tries many passwords on us. */
static void fail(kl_request *r)
{
    give_up(r);
    r->ends_connection = true;
    r->fate.answer_delay_ns =
        kl_cluster_later(r->peer->login->config.failure_delay_ns, r->fate.answer_delay_ns);
}

void kl_login_misplaced(kl_request *r)
{
    kloop_api_versions_response versions;
    kloop_metadata_response metadata;
    fail(r);
    switch (r->info.api_key) {
    case KLOOP_API_VERSIONS:
        kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &versions);
        versions.error_code = KLOOP_BROKER_ILLEGAL_SASL_STATE;
        kl_request_answer(r, &versions);
        break;
    case KLOOP_METADATA:
        kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &metadata);
        kl_request_answer(r, &metadata);
        break;
    default:
        kl_request_refuse(r);
        break;
    }
}

/* ---- SaslHandshake ---- */

void kl_login_handshake(kl_request *r, kloop_string mechanism)
{
    kl_login *login = r->peer->login;
    kloop_sasl_handshake_response response;
    kloop_string names[KL_LOGIN_MECHANISM_COUNT];
    kl_login_mechanism wanted = 0;
    int32_t count = 0;
    kloop_message_init(KLOOP_SASL_HANDSHAKE, KLOOP_RESPONSE, &response);
    if (!login || login->state == KL_LOGIN_COMPLETE || login->state == KL_LOGIN_AUTHENTICATE) {
        response.error_code = KLOOP_BROKER_ILLEGAL_SASL_STATE;
        if (login && login->state == KL_LOGIN_AUTHENTICATE) {
            complain(r, "in the middle of an authentication");
            fail(r);
        }
        kl_request_answer(r, &response);
        return;
    }
    for (size_t i = 0; i < KL_LOGIN_MECHANISM_COUNT; i++) {
        if (!(login->config.mechanisms & mechanisms[i]))
            continue;
        const char *name = kl_login_mechanism_name(mechanisms[i]);
        names[count++] = kloop_text(name);
        if (mechanism.len == strlen(name) && memcmp(mechanism.data, name, mechanism.len) == 0)
            wanted = mechanisms[i];
    }
    response.mechanisms = kloop_array_of(names, count);
    if (r->info.version >= 1)
        login->headers = true;
    if (wanted == 0 && login->known) {
        give_up(r);
        kl_request_refuse(r);
        return;
    }
    if (wanted == 0) {
        response.error_code = KLOOP_BROKER_UNSUPPORTED_SASL_MECHANISM;
        fail(r);
    } else if (login->known && wanted != login->mechanism) {
        login->state = KL_LOGIN_BAD_MECHANISM;
    } else {
        login->state = KL_LOGIN_AUTHENTICATE;
        login->exchange = (kl_login_exchange){.mechanism = wanted, .token_ends_ms = INT64_MAX};
    }
    kl_request_answer(r, &response);
}

/* ---- SaslAuthenticate ---- */

static kl_login_verdict go_on(kl_login_exchange *x, kl_request *r, kloop_slice token)
{
    switch (x->mechanism) {
    case KL_LOGIN_PLAIN:
        return kl_login_plain(x, r, token);
    case KL_LOGIN_SCRAM_SHA_256:
    case KL_LOGIN_SCRAM_SHA_512:
        return kl_login_scram(x, r, token);
    case KL_LOGIN_OAUTHBEARER:
        return kl_login_bearer(x, r, token);
    }
    KL_UNREACHABLE();
}

/* The session's time in ms, as the client is told; 0: it has no end. */
static int64_t begin_session(kl_request *r, kl_login *login)
{
    kl_cluster *c = r->cluster;
    const kl_login_exchange *x = &login->exchange;
    int64_t limit = login->config.reauth_ms, lifetime = 0;
    c->login_totals.sessions++;
    c->login_totals.renewed += login->known;
    login->known = true;
    login->mechanism = x->mechanism;
    memcpy(login->principal, x->principal, sizeof login->principal);
    login->state = KL_LOGIN_COMPLETE;
    r->peer->in.frame_max = c->config.request_max_bytes;
    if (x->token_ends_ms != INT64_MAX) {
        lifetime = x->token_ends_ms - kl_cluster_wall_ms(c);
        if (limit > 0 && limit < lifetime)
            lifetime = limit;
        if (lifetime < 0)
            lifetime = 0;
    } else if (limit > 0) {
        lifetime = limit;
    } else {
        login->ends_ns = KL_CLUSTER_NEVER;
        return 0;
    }
    login->ends_ns = lifetime > KL_CLUSTER_NEVER / NS_PER_MS
                         ? KL_CLUSTER_NEVER
                         : kl_cluster_later(c->now_ns, lifetime * NS_PER_MS);
    return lifetime;
}

static void refuse(kl_request *r, kl_login *login, const char *says)
{
    kloop_sasl_authenticate_response response;
    if (!says) {
        snprintf(login->says, sizeof login->says,
                 "Authentication failed during %s due to invalid credentials with SASL mechanism "
                 "%s",
                 login->known ? "re-authentication" : "authentication",
                 kl_login_mechanism_name(login->exchange.mechanism));
        says = login->says;
    }
    fail(r);
    if (!login->headers) {
        kl_request_refuse(r);
        return;
    }
    kloop_message_init(KLOOP_SASL_AUTHENTICATE, KLOOP_RESPONSE, &response);
    response.error_code = KLOOP_BROKER_SASL_AUTHENTICATION_FAILED;
    response.error_message = kloop_text(says);
    response.auth_bytes = (kloop_slice){(const uint8_t *)"", 0};
    kl_request_answer(r, &response);
}

size_t kl_login_bare_bytes(const void *response)
{
    return 4 + ((const kloop_sasl_authenticate_response *)response)->auth_bytes.len;
}

void kl_login_bare_encode(const void *response, uint8_t *to)
{
    kloop_slice bytes = ((const kloop_sasl_authenticate_response *)response)->auth_bytes;
    kl_be_store32(to, (uint32_t)bytes.len);
    if (bytes.len)
        memcpy(to + 4, bytes.data, bytes.len);
}

void kl_login_token(kl_request *r, kloop_slice token)
{
    kl_login *login = r->peer->login;
    kloop_sasl_authenticate_response response;
    kloop_message_init(KLOOP_SASL_AUTHENTICATE, KLOOP_RESPONSE, &response);
    if (!login || login->state == KL_LOGIN_COMPLETE) {
        response.error_code = KLOOP_BROKER_ILLEGAL_SASL_STATE;
        response.error_message =
            kloop_text("SaslAuthenticate request received after successful authentication");
        kl_request_answer(r, &response);
        return;
    }
    kl_login_exchange *x = &login->exchange;
    switch (go_on(x, r, token)) {
    case KL_LOGIN_NO_MEMORY:
        give_up(r);
        kl_request_no_memory(r);
        return;
    case KL_LOGIN_CONFUSED:
        give_up(r);
        kl_request_refuse(r);
        return;
    case KL_LOGIN_REFUSED:
        refuse(r, login, x->says);
        return;
    case KL_LOGIN_DONE:
        if (login->known && strcmp(login->principal, x->principal) != 0) {
            snprintf(login->says, sizeof login->says,
                     "Cannot change principals during re-authentication from User.%s: User.%s",
                     login->principal, x->principal);
            refuse(r, login, login->says);
            return;
        }
        response.session_lifetime_ms = begin_session(r, login);
        break;
    case KL_LOGIN_MORE:
        break;
    }
    response.auth_bytes = x->reply;
    kl_request_answer(r, &response);
}
