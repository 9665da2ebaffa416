/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading SCRAM's messages: a cursor that takes one attribute after the other. The whole message is
 * looked at first: UTF-8 without control characters, of a sane length.
 */
#include "sasl/scram_message.h"
#include "base/ascii.h"
#include "base/base64.h"
#include "base/excerpt.h"
#include "base/utf8.h"
#include "base/wipe.h"
#include "sasl/sentence.h"

#include <string.h>

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static kloop_sasl_verdict open_message(cursor *c, kloop_slice message, kloop_sasl_step *step)
{
    const char *text = (const char *)message.data;
    if (message.len > KL_SCRAM_MESSAGE_MAX)
        return kl_sentence_fail(step,
                                "the broker's SCRAM message has %zu bytes, and more than %d are "
                                "not read",
                                message.len, KL_SCRAM_MESSAGE_MAX);
    for (size_t i = 0; i < message.len; i++) {
        if (message.data[i] < ' ' || message.data[i] == 0x7f)
            return kl_sentence_fail(step,
                                    "the broker's SCRAM message has a control character at byte "
                                    "%zu",
                                    i);
    }
    if (kl_utf8_valid_len(text, message.len) != message.len)
        return kl_sentence_fail(step, "the broker's SCRAM message is not UTF-8");
    *c = (cursor){text, text + message.len};
    return KLOOP_SASL_DONE;
}

static bool begins_with(const cursor *c, char name)
{
    return c->end - c->at >= 2 && c->at[0] == name && c->at[1] == '=';
}

/* The value up to the next comma. */
static kloop_string take_value(cursor *c)
{
    const char *from = c->at;
    const char *comma = memchr(from, ',', (size_t)(c->end - from));
    c->at = comma ? comma : c->end;
    return (kloop_string){from, (size_t)(c->at - from)};
}

/* name=VALUE, which must not be empty. */
static kloop_sasl_verdict take(cursor *c, char name, kloop_string *value, kloop_sasl_step *step)
{
    if (begins_with(c, 'm'))
        return kl_sentence_fail(step, "the broker's SCRAM message asks for an extension (m=) that "
                                      "must be understood, and is not");
    if (!begins_with(c, name))
        return kl_sentence_fail(step, "the broker's SCRAM message has no %c= where it belongs",
                                name);
    c->at += 2;
    *value = take_value(c);
    if (value->len == 0)
        return kl_sentence_fail(step, "the broker's SCRAM message has an empty %c=", name);
    return KLOOP_SASL_DONE;
}

static kloop_sasl_verdict take_comma(cursor *c, kloop_sasl_step *step)
{
    if (c->at == c->end)
        return kl_sentence_fail(step, "the broker's SCRAM message is incomplete");
    c->at++;
    return KLOOP_SASL_DONE;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What stands behind all that is known. taken: names of one letter that were there already. */
static kloop_sasl_verdict take_extensions(cursor *c, const char *taken, kloop_sasl_step *step)
{
    while (c->at < c->end) {
        c->at++; /* the comma that ended the value before */
        const char *name = c->at;
        while (c->at < c->end && is_letter(*c->at))
            c->at++;
        size_t len = (size_t)(c->at - name);
        if (len == 0 || c->at == c->end || *c->at != '=')
            return kl_sentence_fail(step, "the broker's SCRAM message ends in something that is no "
                                          "extension");
        if (len == 1 && *name == 'm')
            return kl_sentence_fail(step, "the broker's SCRAM message asks for an extension (m=) "
                                          "that must be understood, and is not");
        if (len == 1 && strchr(taken, *name))
            return kl_sentence_fail(step, "the broker's SCRAM message has %c= a second time",
                                    *name);
        c->at++;
        if (take_value(c).len == 0)
            return kl_sentence_fail(step, "the broker's SCRAM message has an empty extension");
    }
    return KLOOP_SASL_DONE;
}

/* The words of RFC 5802, and what a user can do about them. */
static kloop_sasl_verdict tell_error(kloop_string error, kloop_sasl_step *step)
{
    static const struct {
        const char *name;
        const char *words;
    } known[] = {
        {"invalid-proof", "the password is wrong, or was changed"},
        {"unknown-user", "there is no such user"},
        {"other-error", "its log says more"},
        {"no-resources", "it has no resources left"},
        {"invalid-encoding", "it could not read our message"},
        {"invalid-username-encoding", "it could not read the user name"},
    };
    char shown[KL_EXCERPT_SIZE];
    kl_excerpt(shown, sizeof shown, error);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(shown, known[i].name) == 0)
            return kl_sentence_fail(step, "the broker refuses with %s: %s", shown, known[i].words);
    }
    return kl_sentence_fail(step, "the broker refuses with the error \"%s\"", shown);
}

static kloop_sasl_verdict take_error(cursor *c, kloop_sasl_step *step)
{
    kloop_string error = {0};
    kloop_sasl_verdict verdict = take(c, 'e', &error, step);
    return verdict == KLOOP_SASL_DONE ? tell_error(error, step) : verdict;
}

static kloop_sasl_verdict read_nonce(cursor *c, kl_scram_first *first, kloop_sasl_step *step)
{
    kloop_sasl_verdict verdict = take(c, 'r', &first->nonce, step);
    if (verdict != KLOOP_SASL_DONE)
        return verdict;
    if (first->nonce.len > KL_SCRAM_NONCE_MAX)
        return kl_sentence_fail(step,
                                "the broker's SCRAM nonce has %zu bytes, and more than %d are not "
                                "taken",
                                first->nonce.len, KL_SCRAM_NONCE_MAX);
    for (size_t i = 0; i < first->nonce.len; i++) {
        if (first->nonce.data[i] <= ' ' || first->nonce.data[i] > '~')
            return kl_sentence_fail(step, "the broker's SCRAM nonce is not printable");
    }
    return take_comma(c, step);
}

static kloop_sasl_verdict read_salt(cursor *c, kl_scram_first *first, kloop_sasl_step *step)
{
    kloop_string text = {0};
    kloop_sasl_verdict verdict = take(c, 's', &text, step);
    if (verdict != KLOOP_SASL_DONE)
        return verdict;
    if (text.len > (sizeof first->salt + 2) / 3 * 4)
        return kl_sentence_fail(step,
                                "the broker's SCRAM salt has %zu characters, which is more than "
                                "%zu bytes",
                                text.len, sizeof first->salt);
    uint8_t salt[(KL_SCRAM_SALT_MAX + 2) / 3 * 3 + 1];
    kl_base64_fault fault;
    if (!kl_base64_decode(salt, &first->salt_len, text.data, text.len, &fault))
        return kl_sentence_fail(step, "the broker's SCRAM salt is no base64: %s", fault.reason);
    if (first->salt_len > sizeof first->salt)
        return kl_sentence_fail(step, "the broker's SCRAM salt has %zu bytes, more than %zu",
                                first->salt_len, sizeof first->salt);
    memcpy(first->salt, salt, first->salt_len);
    return take_comma(c, step);
}

static kloop_sasl_verdict read_iterations(cursor *c, kl_scram_first *first, kloop_sasl_step *step)
{
    kloop_string text = {0};
    kloop_sasl_verdict verdict = take(c, 'i', &text, step);
    if (verdict != KLOOP_SASL_DONE)
        return verdict;
    uint64_t n = 0;
    for (size_t i = 0; i < text.len && n <= INT32_MAX; i++) {
        if (!kl_ascii_is_digit(text.data[i]) || (i == 0 && text.data[i] == '0'))
            return kl_sentence_fail(step, "the broker's SCRAM iteration count is no number");
        n = n * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (n > INT32_MAX)
        return kl_sentence_fail(step, "the broker's SCRAM iteration count is more than %d",
                                INT32_MAX);
    first->iterations = (uint32_t)n;
    return KLOOP_SASL_DONE;
}

kloop_sasl_verdict kl_scram_message_first(kl_scram_first *first, kloop_slice message,
                                          kloop_sasl_step *step)
{
    cursor c;
    kloop_sasl_verdict verdict = open_message(&c, message, step);
    if (verdict == KLOOP_SASL_DONE && begins_with(&c, 'e'))
        return take_error(&c, step);
    if (verdict == KLOOP_SASL_DONE)
        verdict = read_nonce(&c, first, step);
    if (verdict == KLOOP_SASL_DONE)
        verdict = read_salt(&c, first, step);
    if (verdict == KLOOP_SASL_DONE)
        verdict = read_iterations(&c, first, step);
    return verdict == KLOOP_SASL_DONE ? take_extensions(&c, "rsi", step) : verdict;
}

kloop_sasl_verdict kl_scram_message_final(uint8_t signature[KL_SHA2_SIZE_MAX], kl_sha2_kind kind,
                                          kloop_slice message, kloop_sasl_step *step)
{
    cursor c;
    kloop_sasl_verdict verdict = open_message(&c, message, step);
    if (verdict == KLOOP_SASL_DONE && begins_with(&c, 'e'))
        return take_error(&c, step);
    kloop_string text = {0};
    if (verdict == KLOOP_SASL_DONE)
        verdict = take(&c, 'v', &text, step);
    if (verdict == KLOOP_SASL_DONE)
        verdict = take_extensions(&c, "v", step);
    if (verdict != KLOOP_SASL_DONE)
        return verdict;
    size_t size = kl_sha2_size(kind);
    uint8_t bytes[KL_SHA2_SIZE_MAX + 3];
    size_t len = 0;
    kl_base64_fault fault;
    if (text.len != kl_base64_encoded_len(size) ||
        !kl_base64_decode(bytes, &len, text.data, text.len, &fault) || len != size)
        return kl_sentence_fail(step, "the broker's SCRAM signature is not %zu bytes in base64",
                                size);
    memcpy(signature, bytes, size);
    return KLOOP_SASL_DONE;
}

size_t kl_scram_message_name(char *to, kloop_string name)
{
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        const char *code = c == '=' ? "=3D" : c == ',' ? "=2C" : NULL;
        if (to && code)
            memcpy(to + len, code, 3);
        else if (to)
            to[len] = c;
        len += code ? 3 : 1;
    }
    return len;
}
