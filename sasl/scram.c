/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session of SCRAM:
 *
 *     begin --SAY client first--> FIRST --challenge: server first--> KEY --work--> FINAL
 *                                                      |   key is known already     ^
 *                                                      '---SAY client final---------'
 *     FINAL --challenge: server final, its signature is right--> OVER, DONE
 *
 * Everything else is FAILED, and stays so. The key is held from the server's first message until
 * both proofs are made, which is done at once when it is ready.
 */
#include "sasl/scram.h"
#include "base/base64.h"
#include "base/be.h"
#include "base/check.h"
#include "base/wipe.h"
#include "sasl/scram_proof.h"
#include "sasl/sentence.h"

/* 24 bytes of an HMAC: RFC 5802 leaves the length open, Kafka has 130 bits. */
#define NONCE_BYTES 24
#define NONCE_CHARS 32

/* A name with nothing but commas in it is three times as long in a message. */
#define USER_MAX 1024

/* The gs2 header "n,,", which says that there is no channel binding, in base64. */
#define HEADER  "n,,"
#define BINDING "c=biws,r="
#define PROOF   ",p="

typedef enum state {
    BROKEN = 0,
    FIRST,
    KEY,
    FINAL,
    OVER,
} state;

typedef struct session {
    kl_scram *me;
    state at;
    kl_scram_key *key; /* held in KEY, if there was a place for it */
    char nonce[NONCE_CHARS];
    size_t heard_len;
    uint8_t heard[KL_SCRAM_MESSAGE_MAX]; /* the server's first message; first.nonce is in it */
    kl_scram_first first;
    uint8_t signature[KL_SHA2_SIZE_MAX]; /* the server's, as it must be */
    char out[3 * USER_MAX + KL_SCRAM_NONCE_MAX + 256];
} session;

/* Appends to what is being said. */
static size_t put(session *x, size_t at, const char *text, size_t len)
{
    KL_ASSERT(len <= sizeof x->out - at);
    memcpy(x->out + at, text, len);
    return at + len;
}

static size_t put_text(session *x, size_t at, const char *text)
{
    return put(x, at, text, strlen(text));
}

static kloop_sasl_verdict say(session *x, size_t len, state next, kloop_sasl_step *step)
{
    step->out = (kloop_slice){(const uint8_t *)x->out, len};
    x->at = next;
    return KLOOP_SASL_SAY;
}

static void let_go(session *x)
{
    if (x->key)
        kl_scram_keys_let_go(x->key);
    x->key = NULL;
}

static kloop_sasl_verdict fail(session *x, kloop_sasl_verdict verdict)
{
    let_go(x);
    x->at = BROKEN;
    return verdict;
}

static void make_nonce(session *x)
{
    uint8_t number[8];
    uint8_t mac[KL_SHA2_SIZE_MAX];
    kl_hmac h;
    kl_be_store64(number, ++x->me->sessions);
    kl_hmac_init(&h, &x->me->nonces);
    kl_hmac_update(&h, number, sizeof number);
    kl_hmac_final(&h, mac);
    kl_base64_encode(x->nonce, mac, NONCE_BYTES);
    kl_wipe(mac, sizeof mac);
}

static kloop_sasl_verdict begin(void *of, void *me, kloop_now now, kloop_sasl_step *step)
{
    (void)now;
    session *x = of;
    x->me = me;
    make_nonce(x);
    size_t len = put_text(x, 0, HEADER "n=");
    len = put(x, len, x->me->name.data, x->me->name.len);
    len = put_text(x, len, ",r=");
    len = put(x, len, x->nonce, NONCE_CHARS);
    len = put_text(x, len, x->me->extension);
    return say(x, len, FIRST, step);
}

/* ---- The proofs ---- */

static kloop_slice text_slice(const char *text, size_t len)
{
    return (kloop_slice){(const uint8_t *)text, len};
}

/* What both sides sign: all that was said so far, and the client's last message without its proof.
 */
static void sign(const session *x, uint8_t *proof, uint8_t *signature)
{
    const kl_scram *me = x->me;
    const kloop_slice said[] = {
        text_slice("n=", 2),
        text_slice(me->name.data, me->name.len),
        text_slice(",r=", 3),
        text_slice(x->nonce, NONCE_CHARS),
        text_slice(me->extension, strlen(me->extension)),
        text_slice(",", 1),
        {x->heard, x->heard_len},
        text_slice("," BINDING, sizeof "," BINDING - 1),
        text_slice(x->first.nonce.data, x->first.nonce.len),
    };
    kl_scram_proof(me->kind, x->key->salted, said, sizeof said / sizeof said[0], proof, signature);
}

static kloop_sasl_verdict say_final(session *x, kloop_sasl_step *step)
{
    size_t size = kl_sha2_size(x->me->kind);
    uint8_t proof[KL_SHA2_SIZE_MAX];
    sign(x, proof, x->signature);
    let_go(x);

    size_t len = put_text(x, 0, BINDING);
    len = put(x, len, x->first.nonce.data, x->first.nonce.len);
    len = put_text(x, len, PROOF);
    kl_base64_encode(x->out + len, proof, size);
    kl_wipe(proof, sizeof proof);
    return say(x, len + kl_base64_encoded_len(size), FINAL, step);
}

/* ---- The broker's messages ---- */

/* What it says is well formed; may it be so? */
static kloop_sasl_verdict judge_first(const session *x, kloop_sasl_step *step)
{
    const kl_scram_first *first = &x->first;
#ifndef KL_PLANT_NONCE_NOT_COMPARED
    if (first->nonce.len < NONCE_CHARS || memcmp(first->nonce.data, x->nonce, NONCE_CHARS) != 0)
        return kl_sentence_fail(step, "the broker's SCRAM nonce does not begin with ours: somebody "
                                      "answers who was not asked");
    if (first->nonce.len == NONCE_CHARS)
        return kl_sentence_fail(step, "the broker has added nothing to our SCRAM nonce: it could "
                                      "be somebody who repeats what he has heard");
#endif
    if (first->iterations < KL_SCRAM_ITERATIONS_MIN)
        return kl_sentence_fail(step,
                                "the broker asks for %u SCRAM iterations, and less than %d make "
                                "the password easy to guess: have the user's credentials made "
                                "anew",
                                (unsigned)first->iterations, KL_SCRAM_ITERATIONS_MIN);
    if (first->iterations > x->me->iterations_max)
        return kl_sentence_fail(step,
                                "the broker asks for %u SCRAM iterations, and "
                                "sasl.scram.iterations.max is %u",
                                (unsigned)first->iterations, (unsigned)x->me->iterations_max);
    return KLOOP_SASL_DONE;
}

/* With the key if there is one, and a piece of work on it if not. */
static kloop_sasl_verdict go_on(session *x, bool work, kloop_sasl_step *step)
{
    if (!x->key)
        x->key = kl_scram_keys_hold(&x->me->keys, &x->first);
    if (work)
        kl_scram_keys_work(&x->me->keys, x->key);
    return x->key && x->key->ready ? say_final(x, step) : KLOOP_SASL_WORK;
}

static kloop_sasl_verdict hear_first(session *x, kloop_slice message, kloop_sasl_step *step)
{
    if (message.len <= sizeof x->heard) {
        memcpy(x->heard, message.data, message.len);
        x->heard_len = message.len;
        message.data = x->heard; /* where the nonce is to point */
    }
    kloop_sasl_verdict verdict = kl_scram_message_first(&x->first, message, step);
    if (verdict == KLOOP_SASL_DONE)
        verdict = judge_first(x, step);
    if (verdict != KLOOP_SASL_DONE)
        return fail(x, verdict);
    x->at = KEY;
    return go_on(x, false, step);
}

static kloop_sasl_verdict hear_final(session *x, kloop_slice message, kloop_sasl_step *step)
{
    uint8_t signature[KL_SHA2_SIZE_MAX];
    kl_sha2_kind kind = x->me->kind;
    kloop_sasl_verdict verdict = kl_scram_message_final(signature, kind, message, step);
#ifdef KL_PLANT_SIGNATURE_IGNORED
    memcpy(signature, x->signature, sizeof signature);
#endif
    if (verdict == KLOOP_SASL_DONE && !kl_wipe_equal(signature, x->signature, kl_sha2_size(kind)))
        verdict = kl_sentence_fail(step, "the broker's SCRAM signature is wrong: it does not know "
                                         "the user's credentials, and may be somebody else");
    if (verdict != KLOOP_SASL_DONE)
        return fail(x, verdict);
    x->at = OVER;
    return KLOOP_SASL_DONE;
}

static kloop_sasl_verdict challenge(void *of, kloop_slice from_broker, kloop_now now,
                                    kloop_sasl_step *step)
{
    (void)now;
    session *x = of;
    switch (x->at) {
    case FIRST:
        return hear_first(x, from_broker, step);
    case FINAL:
        return hear_final(x, from_broker, step);
    case OVER:
        return fail(x, kl_sentence_fail(step, "the broker goes on after the end of SCRAM"));
    case KEY:
    case BROKEN:
        break;
    }
    return fail(x, kl_sentence_fail(step, "the broker speaks when it is not its turn in SCRAM"));
}

static kloop_sasl_verdict work(void *of, kloop_now now, kloop_sasl_step *step)
{
    (void)now;
    session *x = of;
    if (x->at != KEY)
        return fail(x, kl_sentence_fail(step, "SCRAM has nothing to work on"));
    return go_on(x, true, step);
}

static void end(void *of)
{
    let_go(of);
}

/* ---- Life ---- */

kloop_status kl_scram_init(kl_scram *s, const kloop_allocator *alloc,
                           const kl_scram_settings *settings, kloop_error *error)
{
    memset(s, 0, sizeof *s);
    if (settings->user.len > USER_MAX)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "the user name for SCRAM has %zu bytes, and more than %d are "
                                  "not taken",
                                  settings->user.len, USER_MAX);
    for (size_t i = 0; i < settings->user.len; i++) {
        if ((unsigned char)settings->user.data[i] < ' ' || settings->user.data[i] == 0x7f)
            return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                      "the user name for SCRAM has a control character at byte "
                                      "%zu",
                                      i);
    }
    size_t len = kl_scram_message_name(NULL, settings->user);
    if (!kl_secret_make(&s->name, alloc, len) ||
        !kl_secret_copy(&s->password, alloc, settings->password)) {
        kl_scram_deinit(s, alloc);
        return kl_sentence_no_memory(error);
    }
    kl_scram_message_name(s->name.data, settings->user);
    s->kind = settings->kind;
    s->iterations_max = settings->iterations_max;
    s->extension = settings->tokenauth ? ",tokenauth=true" : "";
    kl_hmac_key_init(&s->nonces, KL_SHA2_256, settings->entropy, 32);
    kl_scram_keys_init(&s->keys, s->kind, kl_secret_text(&s->password));
    return KLOOP_OK;
}

void kl_scram_deinit(kl_scram *s, const kloop_allocator *alloc)
{
    kl_secret_drop(&s->name, alloc);
    kl_secret_drop(&s->password, alloc);
    kl_scram_keys_deinit(&s->keys);
    kl_wipe(&s->nonces, sizeof s->nonces);
}

kloop_sasl_mechanism kl_scram_mechanism(kl_scram *s)
{
    return (kloop_sasl_mechanism){.name =
                                      s->kind == KL_SHA2_256 ? "SCRAM-SHA-256" : "SCRAM-SHA-512",
                                  .session_bytes = sizeof(session),
                                  .begin = begin,
                                  .challenge = challenge,
                                  .work = work,
                                  .end = end,
                                  .me = s};
}
