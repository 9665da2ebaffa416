/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom brokers know, and tokens. */
#include "broker/login_parts.h"
#include "tests/sim/sim.h"

#include "base/hmac.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM SIM_STREAM_LOGIN

/* Of some 50 us each: nothing is to hold the loop for more than 2 ms. */
#define PIECES_MAX 40

/* What the claims of all tokens begin with; nobody but those who have one knows it. */
#define TOKEN_SECRET "{\"jti\":\"nobody knows this 30\","

/* ---- The plan ---- */

static bool maybe(sim *s, uint32_t per_cent)
{
    return sim_chance(s, RANDOM, per_cent * 10000);
}

static void enable(sim *s, sim_fault_id id, uint32_t per_cent)
{
    if (maybe(s, per_cent))
        sim_fault_enable_from(s, id, RANDOM);
}

void sim_login_draw(sim *s)
{
    static const kl_login_mechanism all[] = {KL_LOGIN_PLAIN, KL_LOGIN_SCRAM_SHA_256,
                                             KL_LOGIN_SCRAM_SHA_512, KL_LOGIN_OAUTHBEARER};
    sim_login_plan *p = &s->plan.login;
    /* A bound on everybody's time is one on that of authentication, too, and it has none. */
    if (s->seed % 1000 < 800 || s->plan.neighbours)
        return;
    p->mechanism = all[sim_below(s, RANDOM, 4)];
    p->tls = maybe(s, 40);
    p->bare = maybe(s, 10) && !s->plan.hostile;
    p->reauth_ms = maybe(s, 30) ? 0 : (int64_t)sim_scale(s, RANDOM, 1500, 15000);
    p->token_life_ms = sim_scale(s, RANDOM, 2000, 60000);
    p->token_delay_ns = sim_scale(s, RANDOM, 1, 800) * KL_MS;
    sim_login_configure(s);
    if (s->plan.quiet)
        return;
    enable(s, SIM_FAULT_LOGIN_REFUSED, 40);
    enable(s, SIM_FAULT_LOGIN_LIES, 40);
    enable(s, SIM_FAULT_USER_FORGOTTEN, 40);
    if (p->mechanism == KL_LOGIN_OAUTHBEARER) {
        enable(s, SIM_FAULT_TOKEN_LATE, 40);
        enable(s, SIM_FAULT_TOKEN_FAILS, 40);
        enable(s, SIM_FAULT_TOKEN_NEVER, 20);
    }
    if (p->tls)
        enable(s, SIM_FAULT_UNTRUSTED, 50);
}

void sim_login_configure(sim *s)
{
    const sim_login_plan *p = &s->plan.login;
    sim_plan_set(s, "security.protocol", p->tls ? "SASL_SSL" : "SASL_PLAINTEXT");
    sim_plan_set(s, "sasl.mechanism", kl_login_mechanism_name(p->mechanism));
    if (p->mechanism == KL_LOGIN_OAUTHBEARER) {
        sim_plan_set(s, "sasl.login.refresh.buffer.seconds", "0");
        sim_plan_set(s, "sasl.login.refresh.min.period.seconds", "0");
    } else {
        sim_plan_set(s, "sasl.username", SIM_LOGIN_USER);
        sim_plan_set(s, "sasl.password", SIM_LOGIN_PASSWORD);
    }
}

/* ---- Secrets ---- */

static void add_secret(sim *s, const char *what, const void *bytes, size_t len)
{
    sim_login *l = &s->login;
    if (l->secret_count == SIM_SECRETS_MAX)
        abort();
    sim_secret *secret = &l->secrets[l->secret_count++];
    secret->what = what;
    secret->len = len < sizeof secret->bytes ? len : sizeof secret->bytes;
    memcpy(secret->bytes, bytes, secret->len);
}

/* What is made of the password, with which one can do all that one can do with it. */
static void add_derived(sim *s, const kl_scram_keys *keys, kl_sha2_kind kind)
{
    uint8_t salted[KL_SHA2_SIZE_MAX], key[KL_SHA2_SIZE_MAX];
    kl_pbkdf2 d;
    kl_pbkdf2_init(&d, kind, SIM_LOGIN_PASSWORD, strlen(SIM_LOGIN_PASSWORD), keys->salt,
                   sizeof keys->salt, (uint32_t)keys->iterations);
    while (!kl_pbkdf2_go_on(&d, 1000))
        ;
    kl_pbkdf2_final(&d, salted);
    kl_hmac_of(kind, salted, kl_sha2_size(kind), "Client Key", 10, key);
    add_secret(s, "the salted password", salted, kl_sha2_size(kind));
    add_secret(s, "the client key", key, kl_sha2_size(kind));
}

/* ---- The course ---- */

static void know_user(sim *s, int32_t node)
{
    if (kl_cluster_set_user(s->brokers.cluster, node, SIM_LOGIN_USER, SIM_LOGIN_PASSWORD) !=
        KL_CLUSTER_OK)
        abort();
}

static void start_node(sim *s, int32_t node)
{
    const sim_login_plan *p = &s->plan.login;
    kl_cluster *c = s->brokers.cluster;
    kl_login_config config;
    kl_login_config_init(&config);
    config.mechanisms = p->mechanism;
    config.reauth_ms = p->reauth_ms;
    if (p->iterations)
        config.scram_iterations = p->iterations;
    if (!(p->without >> node & 1) && kl_cluster_set_login(c, node, &config) != KL_CLUSTER_OK)
        abort();
    know_user(s, node);
    if (!p->bare)
        return;
    kl_cluster_set_versions(c, node, KLOOP_SASL_HANDSHAKE, 0, 0);
    kl_cluster_set_versions(c, node, KLOOP_SASL_AUTHENTICATE, 0, -1);
}

void sim_login_start(sim *s)
{
    const sim_login_plan *p = &s->plan.login;
    char secret[sizeof TOKEN_SECRET * 2];
    if (!p->mechanism)
        return;
    s->login.on = true;
    for (int32_t node = 1; node <= s->brokers.count; node++)
        start_node(s, node);
    add_secret(s, "the password", SIM_LOGIN_PASSWORD, strlen(SIM_LOGIN_PASSWORD));
    kl_login_base64(secret, (const uint8_t *)TOKEN_SECRET, sizeof TOKEN_SECRET - 1);
    add_secret(s, "a token", secret, strlen(secret));
    add_secret(s, "a token's claims", TOKEN_SECRET, sizeof TOKEN_SECRET - 1);
    for (int32_t node = 1; node <= s->brokers.count; node++) {
        const kl_node *n = kl_cluster_find_node(s->brokers.cluster, node);
        kl_login_user *user = kl_login_find_user(n, SIM_LOGIN_USER, strlen(SIM_LOGIN_USER));
        kl_sha2_kind kind = p->mechanism == KL_LOGIN_SCRAM_SHA_256 ? KL_SHA2_256 : KL_SHA2_512;
        if (p->mechanism & (KL_LOGIN_SCRAM_SHA_256 | KL_LOGIN_SCRAM_SHA_512))
            add_derived(s, kl_login_keys(s->brokers.cluster, n, user, kind), kind);
    }
}

/* ---- Looking on ---- */

/* In front of a mechanism's own session. */
typedef struct session {
    sim *s;
    max_align_t inner[];
} session;

static kloop_sasl_verdict begin(void *of, void *me, kloop_now now, kloop_sasl_step *step)
{
    session *x = of;
    x->s = me;
    return x->s->login.inner.begin(x->inner, x->s->login.inner.me, now, step);
}

static kloop_sasl_verdict challenge(void *of, kloop_slice from_broker, kloop_now now,
                                    kloop_sasl_step *step)
{
    session *x = of;
    kloop_sasl_verdict v = x->s->login.inner.challenge(x->inner, from_broker, now, step);
    sim_login_look_at_text(x->s, step->why);
    return v;
}

static kloop_sasl_verdict work(void *of, kloop_now now, kloop_sasl_step *step)
{
    session *x = of;
    sim_login *l = &x->s->login;
    l->pieces = l->worked_in == x->s->host.turns ? l->pieces + 1 : 1;
    l->worked_in = x->s->host.turns;
    if (l->pieces > PIECES_MAX)
        sim_fail(x->s, "I43", "%d pieces of work of a mechanism in one turn", PIECES_MAX);
    return l->inner.work(x->inner, now, step);
}

/* From now on it may be given back, and nothing may be in it then. */
static void end(void *of)
{
    session *x = of;
    sim *s = x->s;
    if (s->login.inner.end)
        s->login.inner.end(x->inner);
    for (size_t i = 0; i < SIM_ENDED_MAX; i++) {
        if (!s->login.ended[i]) {
            s->login.ended[i] = of;
            return;
        }
    }
    sim_fail(s, "I40", "%d sessions are over, and the engine has them all", SIM_ENDED_MAX);
}

static kloop_status set_token(void *me, const kloop_token *token, kloop_now now, kloop_error *error)
{
    sim *s = me;
    return s->login.inner.set_token(s->login.inner.me, token, now, error);
}

static kloop_sasl_mechanism looked_at(sim *s)
{
    const kloop_sasl_mechanism *m = &s->login.inner;
    return (kloop_sasl_mechanism){.name = m->name,
                                  .session_bytes = sizeof(session) + m->session_bytes,
                                  .begin = begin,
                                  .challenge = challenge,
                                  .work = work,
                                  .end = end,
                                  .set_token = m->set_token ? set_token : NULL,
                                  .warns = m->warns,
                                  .me = s};
}

void sim_login_look_at_session(sim *s, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < SIM_ENDED_MAX; i++) {
        const uint8_t *of = s->login.ended[i];
        if (!of || of < bytes || of >= bytes + len)
            continue;
        s->login.ended[i] = NULL;
        for (size_t k = 0; k < sizeof(session) + s->login.inner.session_bytes; k++)
            if (of[k])
                sim_fail(s, "I44", "a session is given back, and was not wiped");
    }
}

static bool try_open(sim *s)
{
    sim_login *l = &s->login;
    uint8_t entropy[32];
    kloop_error error = {.text = ""};
    for (size_t i = 0; i < sizeof entropy; i++)
        entropy[i] = (uint8_t)sim_below(s, RANDOM, 256);
    kloop_status status =
        kloop_sasl_new(&l->sasl, s->plan.config, &s->memory.table, entropy, &error);
    if (status == KLOOP_NO_MEMORY && s->plan.starved && !l->sasl)
        return false;
    if (status || !l->sasl)
        sim_fail(s, "border", "no SASL: %s", error.text);
    l->inner = *kloop_sasl_mechanism_of(l->sasl);
    kloop_sasl_mechanism mechanism = looked_at(s);
    if (kloop_engine_secure(s->host.engine, s->plan.login.tls, &mechanism, &error))
        sim_fail(s, "border", "the engine is not made safe: %s", error.text);
    return true;
}

void sim_login_open(sim *s)
{
    if (!s->login.on || s->plan.login.unsecured)
        return;
    for (int tries = 0; !try_open(s); tries++)
        if (tries > 1000)
            sim_fail(s, "border", "no SASL, in a thousand tries");
}

void sim_login_over(sim *s)
{
    kloop_sasl_del(s->login.sasl);
    s->login.sasl = NULL;
}

/* The run ends where it failed, and the allocator with it. */
void sim_login_deinit(sim *s)
{
    s->login.sasl = NULL;
    s->login.on = false;
}

/* ---- Users ---- */

static void known_again(sim *s, void *thing, uint64_t node)
{
    (void)thing;
    sim_note(s, SIM_NOTE_LOGIN, "knows the user again", (int64_t)node, 0, 0, 0);
    know_user(s, (int32_t)node);
}

void sim_login_forget(sim *s, int32_t node, uint64_t ns)
{
    const kl_node *n = kl_cluster_find_node(s->brokers.cluster, node);
    if (!kl_login_find_user(n, SIM_LOGIN_USER, strlen(SIM_LOGIN_USER)))
        return;
    sim_note(s, SIM_NOTE_LOGIN, "knows no user", node, 0, 0, 0);
    kl_cluster_set_user(s->brokers.cluster, node, SIM_LOGIN_USER, NULL);
    sim_after(s, ns, known_again, NULL, (uint64_t)node);
}

void sim_login_strike(sim *s)
{
    int32_t node = 1 + (int32_t)sim_below(s, RANDOM, (uint64_t)s->brokers.count);
    sim_login_forget(s, node, sim_scale(s, RANDOM, 100, 8000) * KL_MS);
}

/* ---- Tokens ---- */

static void give_token(sim *s)
{
    static const char head[] = "eyJhbGciOiJub25lIn0"; /* {"alg":"none"} */
    sim_login *l = &s->login;
    size_t room = 300 + s->plan.login.token_bytes;
    char *claims = sim_zalloc(room, 1), *text = sim_zalloc(room, 2), *token = sim_zalloc(room, 2);
    /* Whoever gives out tokens has a clock that is right. */
    uint64_t now_ms = (uint64_t)SIM_START_WALL + s->world.now_ns / KL_MS;
    uint64_t ends_ms = now_ms + s->plan.login.token_life_ms;
    int len = snprintf(claims, room,
                       "%s\"n\":%" PRIu64 ",\"sub\":\"%s\",%*s\"exp\":%" PRIu64 ".%03" PRIu64 "}",
                       TOKEN_SECRET, ++l->token_number, SIM_LOGIN_USER,
                       (int)s->plan.login.token_bytes, "", ends_ms / 1000, ends_ms % 1000);
    kl_login_base64(text, (const uint8_t *)claims, (size_t)len);
    text[strcspn(text, "=")] = 0;
    len = snprintf(token, 2 * room, "%s.%s.", head, text);
    kloop_error error = {.text = ""};
    kloop_token t = {.value = {token, (size_t)len},
                     .expires_ms = (uint64_t)sim_world_wall_ms(s) + s->plan.login.token_life_ms,
                     .principal = {SIM_LOGIN_USER, strlen(SIM_LOGIN_USER)}};
    kloop_status status = kloop_engine_set_token(s->host.engine, &t, sim_world_now(s), &error);
    free(claims);
    free(text);
    free(token);
    sim_login_look_at_text(s, error.text);
    if (status == KLOOP_NO_MEMORY ? !s->plan.starved : status)
        sim_fail(s, "border", "the token is not taken: %s", error.text);
}

static void answer_later(sim *s, void *thing, uint64_t fails);

static void answer_token(sim *s, uint64_t fails)
{
    if (!s->login.token_wanted || s->host.gone || s->host.closed)
        return;
    if (!sim_host_enter_user(s)) {
        sim_after(s, 50 * KL_MS, answer_later, NULL, fails);
        return;
    }
    s->login.token_wanted = false;
    if (fails)
        kloop_engine_token_failed(s->host.engine, "the token office is closed", sim_world_now(s));
    else
        give_token(s);
    sim_host_wake(s);
}

static void answer_later(sim *s, void *thing, uint64_t fails)
{
    (void)thing;
    answer_token(s, fails);
}

void sim_login_on_token(sim *s)
{
    sim_login *l = &s->login;
    if (s->plan.login.mechanism != KL_LOGIN_OAUTHBEARER)
        sim_fail(s, "border", "TOKEN, and the mechanism needs none");
    if (l->token_wanted)
        sim_fail(s, "border", "TOKEN, and the last one is not answered");
    l->token_wanted = true;
    l->tokens++;
    sim_note(s, SIM_NOTE_TOKEN, NULL, l->tokens, 0, 0, 0);
    if (sim_fault(s, SIM_FAULT_TOKEN_NEVER)) {
        l->token_never = true;
        return;
    }
    uint64_t fails = l->token_lack || sim_fault(s, SIM_FAULT_TOKEN_FAILS);
    l->token_lack -= l->token_lack > 0;
    uint64_t delay = s->plan.login.token_delay_ns;
    if (sim_fault(s, SIM_FAULT_TOKEN_LATE))
        delay = sim_scale(s, RANDOM, 100, 8000) * KL_MS;
    sim_after(s, delay, answer_later, NULL, fails);
}

void sim_login_heal(sim *s)
{
    if (!s->login.on)
        return;
    for (int32_t node = 1; node <= s->brokers.count; node++)
        know_user(s, node);
    if (!s->login.token_never)
        return;
    s->login.token_never = false;
    answer_token(s, 0);
}
