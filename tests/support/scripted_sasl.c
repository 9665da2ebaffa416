/* SPDX-License-Identifier: BSD-2-Clause */
/* A mechanism out of letters. See scripted_sasl.h. */
#include "tests/support/scripted_sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct session {
    scripted_sasl *s;
    size_t at;
    char last;
    char out[40];
} session;

static bool token_is_good(const scripted_sasl *s)
{
    return s->has_token &&
           (s->token_expires_ms == KLOOP_NEVER || (uint64_t)s->now.wall_ms < s->token_expires_ms);
}

static kloop_sasl_verdict next(session *x, kloop_sasl_step *step)
{
    scripted_sasl *s = x->s;
    assert_int_equal(step->why[0], '\0');
    assert_null(step->out.data);
    while (s->script[x->at] == 't' && token_is_good(s))
        x->at++;
    x->last = s->script[x->at];
    if (x->last != 't')
        x->at++;
    switch (x->last) {
    case 's':
        snprintf(x->out, sizeof x->out, SCRIPTED_SECRET " %d", (int)x->at);
        step->out = (kloop_slice){(const uint8_t *)x->out, strlen(x->out)};
        return KLOOP_SASL_SAY;
    case 'e':
        step->out = (kloop_slice){(const uint8_t *)"", 0};
        return KLOOP_SASL_SAY;
    case 'w':
        return KLOOP_SASL_WORK;
    case 't':
        return KLOOP_SASL_TOKEN;
    case 'd':
        return KLOOP_SASL_DONE;
    case 'f':
        snprintf(step->why, sizeof step->why, "%s", s->why);
        return KLOOP_SASL_FAILED;
    default:
        fail_msg("called after the end of the script");
        return KLOOP_SASL_FAILED;
    }
}

static kloop_sasl_verdict begin(void *memory, void *me, kloop_now now, kloop_sasl_step *step)
{
    static const session none;
    session *x = memory;
    scripted_sasl *s = me;
    assert_memory_equal(x, &none, sizeof none);
    s->now = now;
    s->begun++;
    if (++s->running > s->running_max)
        s->running_max = s->running;
    x->s = s;
    return next(x, step);
}

static kloop_sasl_verdict challenge(void *memory, kloop_slice bytes, kloop_now now,
                                    kloop_sasl_step *step)
{
    session *x = memory;
    assert_true(x->last == 's' || x->last == 'e');
    assert_non_null(bytes.data);
    x->s->now = now;
    x->s->challenged++;
    return next(x, step);
}

static kloop_sasl_verdict work(void *memory, kloop_now now, kloop_sasl_step *step)
{
    session *x = memory;
    assert_true(x->last == 'w' || x->last == 't');
    x->s->now = now;
    x->s->worked++;
    return next(x, step);
}

static void end(void *memory)
{
    session *x = memory;
    x->s->ended++;
    x->s->running--;
    assert_true(x->s->running >= 0);
    x->s = NULL;
}

static kloop_status set_token(void *me, const kloop_token *token, kloop_now now, kloop_error *error)
{
    scripted_sasl *s = me;
    s->now = now;
    s->tokens++;
    if (s->token_status) {
        error->status = s->token_status;
        snprintf(error->text, sizeof error->text, "the token is no good");
        return s->token_status;
    }
    s->has_token = true;
    s->token_expires_ms = token->expires_ms;
    return KLOOP_OK;
}

void scripted_sasl_init(scripted_sasl *s, const char *script, bool tokens)
{
    *s = (scripted_sasl){
        .mechanism = {.name = "SCRIPT",
                      .session_bytes = sizeof(session),
                      .begin = begin,
                      .challenge = challenge,
                      .work = work,
                      .end = end,
                      .set_token = tokens ? set_token : NULL,
                      .me = s},
        .script = script,
        .why = "the broker has not proved a thing",
    };
}
