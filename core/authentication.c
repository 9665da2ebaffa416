/* SPDX-License-Identifier: BSD-2-Clause */
/* Who we are, and proving it. See authentication.h. */
#include "core/authentication.h"

#include "base/excerpt.h"
#include "base/wipe.h"
#include "core/backoff.h"
#include "core/error.h"
#include "core/handshake.h"
#include "core/log.h"
#include "core/parking.h"
#include "core/trace_points.h"

#include <stdio.h>

/* A broker takes no second authentication sooner than this, and a host is not asked for tokens more
 * often. */
#define LEAST_NS         KL_SECOND

#define TOKEN_BACKOFF_NS (10 * KL_SECOND)
/* Failures in a row, within a second with the presets: one alone may be a moment's. */
#define TOKENLESS 4

/* What a broker says of it. */
#define SAID_BYTES 160

struct kl_auth {
    kl_link in_list; /* of those that work, or wait for a token */
    kl_conn *conn;
    size_t bytes;
    int64_t lifetime_ms; /* of the session, as the latest answer has it */
    uint64_t active_ns;  /* of the connection: this is no use of it */
    bool begun;
    bool heard; /* the broker has answered something that the mechanism said */
    bool bare;  /* tokens go over the wire as they are: SaslHandshake 0 */
    bool waits; /* for a token */
    max_align_t session[];
};

/* ---- Setting it up ---- */

const char *kl_authentication_protocol(bool tls, bool sasl)
{
    static const char *const names[] = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};
    return names[2 * sasl + tls];
}

kloop_status kloop_engine_secure(kloop_engine *e, bool tls, const kloop_sasl_mechanism *sasl,
                                 kloop_error *error)
{
    KL_ASSERT(e->slot_count == 0);
    if (tls != e->set.tls || (sasl != NULL) != e->set.sasl)
        return kl_error_set(error, KLOOP_BAD_CONFIG,
                            "security.protocol=%s, and the program would do %s",
                            kl_authentication_protocol(e->set.tls, e->set.sasl),
                            kl_authentication_protocol(tls, sasl != NULL));
    if (!kl_heap_reserve(&e->timers, e->timer_count + 1))
        return kl_error_set(error, KLOOP_NO_MEMORY, "no memory for a producer");
    e->timer_count++;
    e->login.secured = true;
    if (sasl)
        e->login.sasl = *sasl;
    if (sasl && sasl->warns && !tls)
        kl_log(
            e, KLOOP_LOG_WARN,
            "%s without TLS: who can read it on its way can use it; see security.protocol=SASL_SSL",
            sasl->name);
    return kl_error_clear(error);
}

/* ---- Tokens ---- */

static void want_token(kloop_engine *e)
{
    kl_login *l = &e->login;
    if (l->token_due || l->token_asked)
        return;
    if (e->now.mono_ns < l->token_at) {
        kl_heap_set(&e->timers, &l->token_timer, kl_time_min(l->token_timer.when, l->token_at));
        return;
    }
    kl_heap_remove(&e->timers, &l->token_timer);
    l->token_due = true;
    e->stirred = true;
}

void kl_authentication_timer(kloop_engine *e)
{
    want_token(e);
}

/* A broker does not take it, whatever is said of its life: there may be another one by now, in a
 * file for example. */
static void doubt_token(kloop_engine *e)
{
    kl_timer *t = &e->login.token_timer;
    kl_heap_set(&e->timers, t, kl_time_min(t->when, kl_time_add(e->now.mono_ns, TOKEN_BACKOFF_NS)));
}

bool kl_authentication_take(kloop_engine *e, kloop_action *action)
{
    kl_login *l = &e->login;
    if (!l->token_due || e->life > KL_LIFE_CLOSING)
        return false;
    l->token_due = false;
    l->token_asked = true;
    KL_TRACE(e, engine, e, KLOOP_TRACE_TOKEN, NULL, 0, 0);
    *action = (kloop_action){.kind = KLOOP_ACT_TOKEN};
    return true;
}

/* Unless it is too short for that, a life has a beginning in which nothing is asked, and an end
 * before which all must be over. */
static uint64_t refresh_at(kloop_engine *e, uint64_t expires_ms)
{
    const kl_settings *s = &e->set;
    if (expires_ms == KLOOP_NEVER)
        return KL_NEVER;
    uint64_t wall_ms = e->now.wall_ms > 0 ? (uint64_t)e->now.wall_ms : 0;
    uint64_t left_ms = expires_ms > wall_ms ? expires_ms - wall_ms : 0;
    uint64_t life_ns = left_ms < INT64_MAX / KL_MS ? left_ms * KL_MS : INT64_MAX;
    uint64_t part = s->login_factor_millionths +
                    (uint64_t)kl_prng_between(&e->prng, 0, s->login_jitter_millionths);
    uint64_t after = life_ns / 1000000 * part;
    if (life_ns >= kl_time_add(s->login_period_ns, s->login_buffer_ns)) {
        after = kl_time_min(after, life_ns - s->login_buffer_ns);
        if (after < s->login_period_ns)
            after = s->login_period_ns;
    }
    return kl_time_add(e->now.mono_ns, after < LEAST_NS ? LEAST_NS : after);
}

static void fail_token(kloop_engine *e, const char *why)
{
    kl_login *l = &e->login;
    if (!l->token_asked || e->life > KL_LIFE_CLOSING)
        return;
    l->token_asked = false;
    uint64_t pause =
        kl_backoff_pause(e->set.retry_backoff_ns, TOKEN_BACKOFF_NS, l->token_failures, &e->prng);
    if (l->token_failures < UINT32_MAX)
        l->token_failures++;
    l->token_at = kl_time_add(e->now.mono_ns, pause);
    kl_heap_set(&e->timers, &l->token_timer, l->token_at);
    snprintf(l->trouble, sizeof l->trouble, ": %s", why);
    KL_TRACE(e, engine, e, KLOOP_TRACE_TOKEN, NULL, 2, (int64_t)pause);
    kl_log_trouble(e, KLOOP_LOG_ERROR, "no token for %s: %s", l->sasl.name, why);
    /* No broker can be tried without one, and there never was one that was of use. */
    if (l->token_failures >= TOKENLESS && !e->metadata_known && !kl_list_is_empty(&l->waiting) &&
        kl_list_is_empty(&e->ready_brokers))
        kl_parking_shut_out(e, KLOOP_BROKER_NONE);
}

void kloop_engine_token_failed(kloop_engine *e, const char *why, kloop_now now)
{
    kloop_engine_clock(e, now);
    fail_token(e, why ? why : "the program has none");
}

kloop_status kloop_engine_set_token(kloop_engine *e, const kloop_token *token, kloop_now now,
                                    kloop_error *error)
{
    kloop_engine_clock(e, now);
    kl_login *l = &e->login;
    if (!l->sasl.set_token || e->life > KL_LIFE_CLOSING)
        return kl_error_set(error, KLOOP_BAD_ARGUMENT, "nobody takes a token: see sasl.mechanism");
    kloop_error unwanted;
    if (!error)
        error = &unwanted;
    kl_error_clear(error);
    kloop_status status = l->sasl.set_token(l->sasl.me, token, e->now, error);
    if (status) {
        fail_token(e, error->text);
        return status;
    }
    l->token_due = l->token_asked = false;
    l->token_failures = 0;
    l->trouble[0] = '\0';
    l->token_at = kl_time_add(e->now.mono_ns, LEAST_NS);
    uint64_t when = refresh_at(e, token->expires_ms);
    kl_heap_set(&e->timers, &l->token_timer, when);
    KL_TRACE(e, engine, e, KLOOP_TRACE_TOKEN, NULL, 1, (int64_t)(when - e->now.mono_ns));
    for (kl_link *at; (at = kl_list_pop_front(&l->waiting));) {
        KL_CONTAINER_OF(at, kl_auth, in_list)->waits = false;
        kl_list_push_back(&l->working, at);
        e->stirred = true;
    }
    return KLOOP_OK;
}

/* ---- The end of it ---- */

void kl_authentication_end(kloop_engine *e, kl_conn *c)
{
    kl_auth *a = c->auth;
    if (!a)
        return;
    c->auth = NULL;
    kl_list_drop(&a->in_list);
    if (a->begun && e->login.sasl.end)
        e->login.sasl.end(a->session);
#ifdef KL_PLANT_SESSION_NOT_WIPED
    kl_mem_release(&e->alloc, a, a->bytes);
#else
    kl_wipe_release(&e->alloc, a, a->bytes);
#endif
}

/* Trying again does not cure it. */
static void refuse(kloop_engine *e, kl_conn *c, int16_t code, const char *what, const char *hint)
{
    c->refused = true;
    c->refusal = code;
    kl_conn_lose(e, c, "%s:%u: SASL %s: %.255s%s", c->broker->host, (unsigned)c->broker->port,
                 e->login.sasl.name, what, hint);
}

/* Some time before the session ends, and not all connections at once. */
static uint64_t renew_at(kloop_engine *e, int64_t lifetime_ms)
{
    if (lifetime_ms <= 0)
        return KL_NEVER;
#ifdef KL_PLANT_RENEWAL_NEVER
    if (lifetime_ms > 0)
        return KL_NEVER;
#endif
    uint64_t after =
        kl_ms_to_ns(lifetime_ms) / 1000 * (uint64_t)kl_prng_between(&e->prng, 850, 950);
    return kl_time_add(e->now.mono_ns, after > LEAST_NS ? after : LEAST_NS);
}

static void succeed(kloop_engine *e, kl_conn *c)
{
    bool again = c->state == KL_CONN_READY;
    uint64_t active_ns = c->auth->active_ns;
    c->renew_at = renew_at(e, c->auth->lifetime_ms);
    e->stats.authentications++;
    e->stats.reauthentications += again;
    KL_TRACE(e, broker, c->broker, KLOOP_TRACE_AUTHENTICATED, again, c->auth->lifetime_ms,
             (int64_t)(c->renew_at - e->now.mono_ns));
    kl_authentication_end(e, c);
    if (again) {
        c->last_active_ns = active_ns;
        kl_nodes_poke(e, c->broker);
    } else {
        kl_handshake_advance(e, c);
    }
    kl_conn_clock(e, c);
}

/* ---- The exchange ---- */

static void take_verdict(kloop_engine *e, kl_conn *c, kloop_sasl_verdict verdict,
                         const kloop_sasl_step *step);

static bool challenge(kloop_engine *e, kl_conn *c, kloop_slice bytes)
{
    kloop_sasl_step step = {.why = ""};
    c->auth->heard = true;
#ifdef KL_PLANT_FIRST_ANSWER_BELIEVED
    if (bytes.len > 0) {
        succeed(e, c);
        return true;
    }
#endif
    if (!bytes.data)
        bytes = (kloop_slice){(const uint8_t *)"", 0};
    take_verdict(e, c, e->login.sasl.challenge(c->auth->session, bytes, e->now, &step), &step);
    return true;
}

static void lose_for_code(kloop_engine *e, kl_conn *c, const kl_request *r, int16_t code,
                          const char *more, const char *hint)
{
    char name[KL_ERROR_CODE_TEXT];
    char what[SAID_BYTES + 80];
    snprintf(what, sizeof what, "%s was answered with %s%s%s", r->kind->name,
             kl_error_code(code, name), more[0] ? ": " : "", more);
    if (kloop_broker_error_classes(code) & KLOOP_CLASS_AUTHENTICATION)
        refuse(e, c, code, what, hint);
    else
        kl_conn_lose(e, c, "%s:%u: %s", c->broker->host, (unsigned)c->broker->port, what);
}

static bool authenticate_answered(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice body)
{
    kloop_sasl_authenticate_response m;
    kloop_fault fault;
    if (r->kind->bare)
        return challenge(e, c, body);
    if (kloop_decode(KLOOP_SASL_AUTHENTICATE, KLOOP_RESPONSE, r->version, body.data, body.len, &m,
                     &fault)) {
        kl_conn_lose_fault(e, c, r, &fault);
        return false;
    }
    if (m.error_code == KLOOP_BROKER_NONE) {
        c->auth->lifetime_ms = m.session_lifetime_ms;
        return challenge(e, c, m.auth_bytes);
    }
    char said[SAID_BYTES] = "";
    if (m.error_message.data)
        kl_excerpt(said, sizeof said, m.error_message);
    const char *hint = "; check user and password";
    if (e->login.sasl.set_token) {
        hint = "; check the token";
        doubt_token(e);
    }
    lose_for_code(e, c, r, m.error_code, said, hint);
    return true;
}

static void lost(kloop_engine *e, kl_request *r)
{
    (void)e;
    (void)r;
}

static const kl_request_kind authenticate = {.name = "SaslAuthenticate",
                                             .answered = authenticate_answered,
                                             .lost = lost,
                                             .handshake = true,
                                             .secret = true};
static const kl_request_kind bare = {.name = "a SASL token",
                                     .answered = authenticate_answered,
                                     .lost = lost,
                                     .handshake = true,
                                     .secret = true,
                                     .bare = true};

static void lose_without_memory(kloop_engine *e, kl_conn *c)
{
    kl_conn_lose(e, c, "%s:%u: no memory for authenticating", c->broker->host,
                 (unsigned)c->broker->port);
}

static void say(kloop_engine *e, kl_conn *c, kloop_slice out)
{
    const kloop_sasl_authenticate_request m = {.auth_bytes = out};
    if (!(c->auth->bare ? kl_conn_ask_bare(e, c, &bare, out)
                        : kl_conn_ask(e, c, &authenticate, KLOOP_SASL_AUTHENTICATE,
                                      c->agreed.sasl_authenticate, &m, sizeof m, 0, true, NULL)))
        lose_without_memory(e, c);
}

static void take_verdict(kloop_engine *e, kl_conn *c, kloop_sasl_verdict verdict,
                         const kloop_sasl_step *step)
{
    switch (verdict) {
    case KLOOP_SASL_SAY:
        say(e, c, step->out);
        return;
    case KLOOP_SASL_WORK:
        kl_list_push_back(&e->login.working, &c->auth->in_list);
        e->stirred = true;
        return;
    case KLOOP_SASL_TOKEN:
        kl_list_push_back(&e->login.waiting, &c->auth->in_list);
        c->auth->waits = true;
        want_token(e);
        return;
    case KLOOP_SASL_DONE:
        /* No mechanism is over before the broker has said a word. */
        if (c->auth->heard) {
            succeed(e, c);
            return;
        }
        break;
    case KLOOP_SASL_FAILED:
        break;
    }
    refuse(e, c, KLOOP_BROKER_NONE, step->why, "");
}

bool kl_authentication_work(kloop_engine *e)
{
    kl_link *at = e->login.turn_work > 0 ? kl_list_pop_front(&e->login.working) : NULL;
    if (!at)
        return false;
    e->login.turn_work--;
    kl_auth *a = KL_CONTAINER_OF(at, kl_auth, in_list);
    kloop_sasl_step step = {.why = ""};
    take_verdict(e, a->conn, e->login.sasl.work(a->session, e->now, &step), &step);
    return true;
}

void kl_authentication_start(kloop_engine *e, kl_conn *c)
{
    kloop_sasl_step step = {.why = ""};
    c->auth->begun = true;
    take_verdict(e, c, e->login.sasl.begin(c->auth->session, e->login.sasl.me, e->now, &step),
                 &step);
}

/* ---- SaslHandshake ---- */

/* As many as there is room for. */
static void list_mechanisms(const kloop_array *mechanisms, char *text, size_t size)
{
    size_t len = (size_t)snprintf(text, size, "it has %s", mechanisms->count > 0 ? "" : "none");
    const char *comma = "";
    kloop_string name;
    for (kloop_iter i = kloop_iterate(mechanisms); kloop_next(&i, &name) && len + 32 < size;) {
        char shown[24];
        len += (size_t)snprintf(text + len, size - len, "%s%s", comma,
                                kl_excerpt(shown, sizeof shown, name));
        comma = ", ";
    }
}

static bool handshake_answered(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice body)
{
    kloop_sasl_handshake_response m;
    kloop_fault fault;
    if (kloop_decode(KLOOP_SASL_HANDSHAKE, KLOOP_RESPONSE, r->version, body.data, body.len, &m,
                     &fault)) {
        kl_conn_lose_fault(e, c, r, &fault);
        return false;
    }
    if (m.error_code == KLOOP_BROKER_NONE) {
        c->auth->bare = r->version == 0;
        if (c->state == KL_CONN_READY)
            kl_authentication_start(e, c);
        else
            kl_handshake_advance(e, c);
        return true;
    }
#ifdef KL_PLANT_SASL_SKIPPED
    if (m.error_code == KLOOP_BROKER_ILLEGAL_SASL_STATE && c->state != KL_CONN_READY) {
        c->state = KL_CONN_AUTHENTICATING;
        succeed(e, c);
        return true;
    }
#endif
    char offered[SAID_BYTES] = "";
    const char *hint = "; see sasl.mechanism";
    if (m.error_code == KLOOP_BROKER_UNSUPPORTED_SASL_MECHANISM)
        list_mechanisms(&m.mechanisms, offered, sizeof offered);
    else if (c->state != KL_CONN_READY)
        hint = "; this listener has no SASL, see security.protocol";
    else
        hint = "";
    lose_for_code(e, c, r, m.error_code, offered, hint);
    return true;
}

static const kl_request_kind handshake = {
    .name = "SaslHandshake", .answered = handshake_answered, .lost = lost, .handshake = true};

void kl_authentication_begin(kloop_engine *e, kl_conn *c)
{
    const kloop_sasl_mechanism *sasl = &e->login.sasl;
    size_t bytes = sizeof(kl_auth) + sasl->session_bytes;
    c->auth = kl_mem_zalloc(&e->alloc, 1, bytes);
    if (!c->auth) {
        lose_without_memory(e, c);
        return;
    }
    c->auth->conn = c;
    c->auth->bytes = bytes;
    c->auth->active_ns = c->last_active_ns;
    c->renew_at = KL_NEVER;
    const kloop_sasl_handshake_request m = {.mechanism = kloop_text(sasl->name)};
    /* Where there is no SaslAuthenticate, tokens are to go bare. */
    int16_t version = c->agreed.sasl_authenticate < 0 ? 0 : c->agreed.sasl_handshake;
    if (!kl_conn_ask(e, c, &handshake, KLOOP_SASL_HANDSHAKE, version, &m, sizeof m, 0, true, NULL))
        lose_without_memory(e, c);
}

const char *kl_authentication_doing(const kl_conn *c)
{
    if (c->state == KL_CONN_CONNECTING && c->engine->set.tls)
        return "in the TCP or TLS handshake";
    return c->auth && c->auth->waits ? "waiting for a token" : kl_handshake_state_name(c->state);
}
