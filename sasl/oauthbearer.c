/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session of OAUTHBEARER:
 *
 *     begin --there is a token--> SAID --empty challenge--> OVER, DONE
 *       |                          ^ '--JSON--> REFUSED --^A is said, the broker ends it
 *       '--TOKEN--> WAITS --work---'
 *
 * A broker that refuses a token tells why in JSON and wants to hear one more byte before it ends
 * the exchange with an error of its own. So the last word is nearly always that error; if there is
 * another challenge instead, the reason of the first is told.
 */
#include "sasl/oauthbearer.h"
#include "base/excerpt.h"
#include "base/wipe.h"
#include "sasl/json_member.h"
#include "sasl/sentence.h"

typedef enum state {
    BROKEN = 0,
    WAITS,
    SAID,
    REFUSED,
    OVER,
} state;

typedef struct session {
    kl_oauthbearer *me;
    state at;
    kl_bearer *token; /* held once it was said */
    char status[KL_EXCERPT_SIZE];
    char scope[KL_EXCERPT_SIZE];
} session;

static kloop_sasl_verdict fail(session *x, kloop_sasl_verdict verdict)
{
    x->at = BROKEN;
    return verdict;
}

static bool is_good(const kl_bearer *token, kloop_now now)
{
    return token && (now.wall_ms < 0 || token->expires_ms > (uint64_t)now.wall_ms);
}

/* KLOOP_NO_MEMORY. */
static kloop_status make_token(kl_oauthbearer *o, kloop_now now, kl_bearer **out)
{
    kl_secret text = {0};
    kloop_token token = {0};
    kloop_status status = KLOOP_NO_MEMORY;
    if (kl_unsecured_make(&o->unsecured, &o->alloc, now, &text, &token.expires_ms)) {
        token.value = kl_secret_text(&text);
        status = kl_bearer_new(out, &o->alloc, &token, kl_secret_text(&o->extensions), NULL);
    }
    kl_secret_drop(&text, &o->alloc);
    return status;
}

static kloop_sasl_verdict say_token(session *x, kloop_now now, kloop_sasl_step *step)
{
    kl_oauthbearer *o = x->me;
    if (o->makes_tokens) {
        if (make_token(o, now, &x->token))
            return fail(x, kl_sentence_fail(step, "there is no memory for a token, or its claims "
                                                  "are too long for one"));
    } else if (is_good(o->token, now)) {
        x->token = o->token;
        kl_bearer_hold(x->token);
    } else {
        x->at = WAITS;
        return KLOOP_SASL_TOKEN;
    }
    x->at = SAID;
    step->out = (kloop_slice){(const uint8_t *)x->token->message.data, x->token->message.len};
    return KLOOP_SASL_SAY;
}

static kloop_sasl_verdict begin(void *of, void *me, kloop_now now, kloop_sasl_step *step)
{
    session *x = of;
    x->me = me;
    return say_token(x, now, step);
}

static kloop_sasl_verdict work(void *of, kloop_now now, kloop_sasl_step *step)
{
    session *x = of;
    if (x->at != WAITS)
        return fail(x, kl_sentence_fail(step, "OAUTHBEARER has nothing to work on"));
    return say_token(x, now, step);
}

/* "" when there is no such member. */
static void keep_member(char shown[KL_EXCERPT_SIZE], kloop_string json, const char *name)
{
    kloop_string value;
    shown[0] = '\0';
    if (kl_json_member_find(json, name, &value) && kl_json_member_string(value, &value))
        kl_excerpt(shown, KL_EXCERPT_SIZE, value);
}

static kloop_sasl_verdict hear_reason(session *x, kloop_slice from_broker, kloop_sasl_step *step)
{
    static const uint8_t go_ahead[] = {1};
    kloop_string json = {(const char *)from_broker.data, from_broker.len};
    keep_member(x->status, json, "status");
    keep_member(x->scope, json, "scope");
    x->at = REFUSED;
    step->out = (kloop_slice){go_ahead, sizeof go_ahead};
    return KLOOP_SASL_SAY;
}

static kloop_sasl_verdict challenge(void *of, kloop_slice from_broker, kloop_now now,
                                    kloop_sasl_step *step)
{
    (void)now;
    session *x = of;
    switch (x->at) {
    case SAID:
        if (from_broker.len)
            return hear_reason(x, from_broker, step);
        x->at = OVER;
        return KLOOP_SASL_DONE;
    case REFUSED:
        return fail(x, kl_sentence_fail(step, "the broker refuses the token%s%s%s%s",
                                        x->status[0] ? ": " : "", x->status,
                                        x->scope[0] ? "; it asks for the scope " : "", x->scope));
    case OVER:
        return fail(x, kl_sentence_fail(step, "the broker goes on after the end of OAUTHBEARER"));
    case WAITS:
    case BROKEN:
        break;
    }
    return fail(x, kl_sentence_fail(step, "the broker speaks when it is not its turn in "
                                          "OAUTHBEARER"));
}

static void end(void *of)
{
    session *x = of;
    if (x->token)
        kl_bearer_let_go(x->token, &x->me->alloc);
    x->token = NULL;
}

static kloop_status set_token(void *me, const kloop_token *token, kloop_now now, kloop_error *error)
{
    kl_oauthbearer *o = me;
    if (token->expires_ms != KLOOP_NEVER && now.wall_ms >= 0 &&
        token->expires_ms <= (uint64_t)now.wall_ms) {
        uint64_t ago_s = ((uint64_t)now.wall_ms - token->expires_ms) / 1000;
        return kl_sentence_refuse(error, KLOOP_BAD_ARGUMENT,
                                  "the token has expired %llu s ago: get a new one, and see that "
                                  "the clock of this machine is right",
                                  (unsigned long long)ago_s);
    }
    kl_bearer *made;
    kloop_status status =
        kl_bearer_new(&made, &o->alloc, token, kl_secret_text(&o->extensions), error);
    if (status)
        return status;
    kl_bearer_let_go(o->token, &o->alloc);
    o->token = made;
    return KLOOP_OK;
}

void kl_oauthbearer_init(kl_oauthbearer *o, const kloop_allocator *alloc)
{
    *o = (kl_oauthbearer){.alloc = *alloc};
}

void kl_oauthbearer_deinit(kl_oauthbearer *o)
{
    kl_secret_drop(&o->extensions, &o->alloc);
    kl_unsecured_deinit(&o->unsecured, &o->alloc);
    kl_bearer_let_go(o->token, &o->alloc);
    o->token = NULL;
}

kloop_status kl_oauthbearer_extend(kl_oauthbearer *o, kloop_string key, kloop_string value,
                                   kloop_error *error)
{
    const char *fault = kl_bearer_extension_fault(key, value);
    if (fault)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "an extension for OAUTHBEARER cannot be said: %s", fault);
    size_t had = o->extensions.len;
    kl_secret longer = {0};
    if (!kl_secret_make(&longer, &o->alloc, had + key.len + value.len + 2))
        return kl_sentence_no_memory(error);
    char *to = longer.data;
    if (had)
        memcpy(to, o->extensions.data, had);
    memcpy(to + had, key.data, key.len);
    to[had + key.len] = '=';
    memcpy(to + had + key.len + 1, value.data, value.len);
    to[longer.len - 1] = '\1';
    kl_secret_drop(&o->extensions, &o->alloc);
    o->extensions = longer;
    return KLOOP_OK;
}

kloop_sasl_mechanism kl_oauthbearer_mechanism(kl_oauthbearer *o)
{
    return (kloop_sasl_mechanism){.name = "OAUTHBEARER",
                                  .session_bytes = sizeof(session),
                                  .begin = begin,
                                  .challenge = challenge,
                                  .work = work,
                                  .end = end,
                                  .set_token = o->makes_tokens ? NULL : set_token,
                                  .warns = true,
                                  .me = o};
}
