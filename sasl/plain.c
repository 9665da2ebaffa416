/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PLAIN. The session is a state and nothing else:
 *
 *     SAID --empty challenge--> OVER --anything--> failed
 *       '----any other-------> failed
 */
#include "sasl/plain.h"
#include "sasl/sentence.h"

#include <string.h>

enum {
    SAID = 1,
    OVER,
};

static kloop_sasl_verdict begin(void *session, void *me, kloop_now now, kloop_sasl_step *step)
{
    (void)now;
    const kl_plain *p = me;
    *(int *)session = SAID;
    step->out = (kloop_slice){(const uint8_t *)p->message.data, p->message.len};
    return KLOOP_SASL_SAY;
}

static kloop_sasl_verdict challenge(void *session, kloop_slice from_broker, kloop_now now,
                                    kloop_sasl_step *step)
{
    (void)now;
    int before = *(int *)session;
    *(int *)session = OVER;
    if (before != SAID)
        return kl_sentence_fail(step, "the broker goes on after the end of PLAIN");
    if (from_broker.len)
        return kl_sentence_fail(step, "the broker answers %zu bytes to PLAIN, which has no answer",
                                from_broker.len);
    return KLOOP_SASL_DONE;
}

static kloop_sasl_verdict work(void *session, kloop_now now, kloop_sasl_step *step)
{
    (void)session;
    (void)now;
    return kl_sentence_fail(step, "PLAIN has nothing to work on");
}

static bool has_nul(kloop_string text)
{
    return text.len && memchr(text.data, '\0', text.len);
}

kloop_status kl_plain_init(kl_plain *p, const kloop_allocator *alloc, kloop_string user,
                           kloop_string password, kloop_error *error)
{
    *p = (kl_plain){0};
    if (has_nul(user) || has_nul(password))
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.mechanism=PLAIN: there is a zero byte in the %s, which "
                                  "ends it on the way to the broker",
                                  has_nul(user) ? "user name" : "password");
    if (!kl_secret_make(&p->message, alloc, 2 + user.len + password.len))
        return kl_sentence_no_memory(error);
    /* authzid, which is empty: to act as oneself; user; password */
    memcpy(p->message.data + 1, user.data, user.len);
    memcpy(p->message.data + 2 + user.len, password.data, password.len);
    return KLOOP_OK;
}

void kl_plain_deinit(kl_plain *p, const kloop_allocator *alloc)
{
    kl_secret_drop(&p->message, alloc);
}

kloop_sasl_mechanism kl_plain_mechanism(kl_plain *p)
{
    return (kloop_sasl_mechanism){.name = "PLAIN",
                                  .session_bytes = sizeof(int),
                                  .begin = begin,
                                  .challenge = challenge,
                                  .work = work,
                                  .warns = true,
                                  .me = p};
}
