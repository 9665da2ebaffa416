/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OAUTHBEARER: a token that is taken is said so that a naive reader finds it again with its
 * extensions, and nothing else; who is not answered with nothing is not let in; a token that is
 * made here expires when it says. And any bytes for the claims of a token.
 *
 * Input: what is done (1 byte), which allocation fails (1 byte, 0: none), then texts and the
 * broker's messages, each with its length (2 bytes).
 */
#include "fuzz/counted_memory.h"
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"
#include "sasl/json_member.h"
#include "sasl/oauthbearer.h"

#include <stdlib.h>
#include <string.h>

#define EXTENSIONS_MAX 4

enum {
    MAKES_TOKENS = 1,
    CLAIMS_ONLY = 2,
};

static const kloop_now now = {.wall_ms = 1700000000000};

static kloop_string draw_text(kl_drawn *d)
{
    kloop_slice bytes = kl_drawn_bytes(d, kl_drawn_u16(d) % 2048);
    return (kloop_string){(const char *)bytes.data, bytes.len};
}

/* ---- A naive reader ---- */

static bool next_part(const char **at, const char *end, kloop_string *part)
{
    const char *stop = *at;
    while (stop < end && *stop != '\1')
        stop++;
    if (stop == end)
        return false;
    *part = (kloop_string){*at, (size_t)(stop - *at)};
    *at = stop + 1;
    return true;
}

static bool is(kloop_string text, const char *wanted, size_t len)
{
    return text.len == len && memcmp(text.data, wanted, len) == 0;
}

/* The extensions that must be there, each once, in any order. */
static void check_words(kloop_slice said, kloop_string token, const kloop_sasl_extension *wanted,
                        size_t count)
{
    const char *at = (const char *)said.data;
    const char *end = at + said.len;
    kloop_string part;
    KL_FUZZ_CHECK(next_part(&at, end, &part) && is(part, "n,,", 3));
    KL_FUZZ_CHECK(next_part(&at, end, &part) && part.len > 12);
    KL_FUZZ_CHECK(memcmp(part.data, "auth=Bearer ", 12) == 0);
    if (token.data)
        KL_FUZZ_CHECK(is((kloop_string){part.data + 12, part.len - 12}, token.data, token.len));
    size_t found = 0;
    while (next_part(&at, end, &part) && part.len) {
        size_t i = 0;
        for (; i < count; i++) {
            size_t key_len = wanted[i].key.len;
            if (part.len == key_len + 1 + wanted[i].value.len && part.data[key_len] == '=' &&
                !memcmp(part.data, wanted[i].key.data, key_len) &&
                !memcmp(part.data + key_len + 1, wanted[i].value.data, wanted[i].value.len))
                break;
        }
        KL_FUZZ_CHECK(i < count);
        found++;
    }
    KL_FUZZ_CHECK(at == end && part.len == 0 && found == count);
}

static void check_why(const char *why)
{
    KL_FUZZ_CHECK(why[0]);
    for (; *why; why++)
        KL_FUZZ_CHECK((unsigned char)*why >= ' ');
}

/* ---- One life ---- */

typedef struct trial {
    kl_counted_memory memory;
    kloop_allocator alloc;
    kl_oauthbearer o;
    kloop_string token; /* as it was given */
    kloop_sasl_extension extensions[EXTENSIONS_MAX];
    size_t extension_count;
} trial;

static bool configure(trial *t, kl_drawn *d, bool makes_tokens)
{
    kloop_string name = draw_text(d);
    kloop_string value = draw_text(d);
    kloop_error error = {0};
    t->o.makes_tokens = makes_tokens;
    t->o.unsecured.life_s = kl_drawn_u32(d) + (uint64_t)1;
    kloop_status status =
        makes_tokens ? kl_unsecured_add_string(&t->o.unsecured, &t->alloc, name, value, &error)
                     : KLOOP_OK;
    if (!status && makes_tokens)
        status = kl_unsecured_add_list(&t->o.unsecured, &t->alloc, value, name, '|', &error);
    if (!status && makes_tokens)
        status = kl_unsecured_add_number(&t->o.unsecured, &t->alloc, name, value, &error);
    KL_FUZZ_CHECK(!status || status == KLOOP_NO_MEMORY || status == KLOOP_BAD_CONFIG);
    if (status)
        check_why(error.text);
    return status != KLOOP_NO_MEMORY;
}

/* false: not taken. */
static bool give_token(trial *t, kl_drawn *d, const kloop_sasl_mechanism *m)
{
    t->token = draw_text(d);
    t->extension_count = kl_drawn_below(d, EXTENSIONS_MAX + 1);
    for (size_t i = 0; i < t->extension_count; i++) {
        t->extensions[i].key = draw_text(d);
        t->extensions[i].value = draw_text(d);
    }
    kloop_token token = {.value = t->token,
                         .expires_ms = kl_drawn_u8(d) & 1 ? KLOOP_NEVER : kl_drawn_u64(d),
                         .extensions = t->extensions,
                         .extension_count = t->extension_count};
    kloop_error error = {0};
    kloop_status status = m->set_token(m->me, &token, now, &error);
    KL_FUZZ_CHECK(!status || status == KLOOP_NO_MEMORY || status == KLOOP_BAD_ARGUMENT);
    if (status)
        check_why(error.text);
    return !status;
}

static void converse(kl_drawn *d, const kloop_sasl_mechanism *m, void *session)
{
    bool said_more = false;
    for (size_t round = 0; round < 4; round++) {
        kloop_string text = draw_text(d);
        uint8_t *exact = kl_fuzz_exact_copy(text.data, text.len);
        kloop_sasl_step step = {0};
        kloop_sasl_verdict verdict =
            m->challenge(session, (kloop_slice){exact, text.len}, now, &step);
        free(exact);
        if (round == 0)
            KL_FUZZ_CHECK(verdict == (text.len ? KLOOP_SASL_SAY : KLOOP_SASL_DONE));
        else
            KL_FUZZ_CHECK(verdict == KLOOP_SASL_FAILED);
        if (verdict == KLOOP_SASL_SAY) {
            KL_FUZZ_CHECK(!said_more && step.out.len == 1 && step.out.data[0] == 1);
            said_more = true;
        } else if (verdict == KLOOP_SASL_FAILED) {
            check_why(step.why);
        }
        kl_fuzz_feature((uint32_t)verdict);
    }
}

static void live(trial *t, kl_drawn *d, unsigned set)
{
    if (!configure(t, d, set & MAKES_TOKENS))
        return;
    kloop_sasl_mechanism m = kl_oauthbearer_mechanism(&t->o);
    bool given = m.set_token && give_token(t, d, &m);
    void *session = calloc(1, m.session_bytes);
    kloop_sasl_step step = {0};
    kloop_sasl_verdict verdict = m.begin(session, m.me, now, &step);
    if (verdict == KLOOP_SASL_SAY) {
        KL_FUZZ_CHECK(given || t->o.makes_tokens);
        check_words(step.out, t->token, t->extensions, t->extension_count);
        converse(d, &m, session);
    } else {
        KL_FUZZ_CHECK(verdict == (t->o.makes_tokens ? KLOOP_SASL_FAILED : KLOOP_SASL_TOKEN));
        KL_FUZZ_CHECK(!given && (!t->o.makes_tokens || t->memory.refused));
    }
    m.end(session);
    free(session);
}

/* A token that is made here, from the outside; and what anybody says to be one. */
static void look_at_claims(trial *t, kl_drawn *d)
{
    kl_secret made = {0};
    uint64_t expires_ms;
    kl_unsecured u = {.life_s = kl_drawn_u32(d)};
    if (kl_unsecured_make(&u, &t->alloc, now, &made, &expires_ms))
        KL_FUZZ_CHECK(kloop_sasl_token_expiry_ms(kl_secret_text(&made)) == expires_ms);
    kl_secret_drop(&made, &t->alloc);
    kloop_slice rest = kl_drawn_rest(d);
    char *exact = kl_fuzz_exact_copy(rest.data, rest.len);
    kloop_sasl_token_expiry_ms((kloop_string){exact, rest.len});
    kloop_string value;
    uint64_t ms;
    if (kl_json_member_find((kloop_string){exact, rest.len}, "exp", &value)) {
        KL_FUZZ_CHECK(value.len > 0 && value.data > exact &&
                      value.data + value.len <= exact + rest.len);
        kl_fuzz_feature(100 + kl_json_member_ms(value, &ms));
        KL_FUZZ_CHECK(value.data[0] != '"' || value.data[value.len - 1] == '"');
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kl_drawn d = kl_drawn_from(data, size);
    trial t = {0};
    unsigned set = kl_drawn_u8(&d);
    kl_counted_memory_init(&t.memory, kl_drawn_u8(&d));
    t.alloc = kl_counted_memory_table(&t.memory);
    kl_oauthbearer_init(&t.o, &t.alloc);
    if (set & CLAIMS_ONLY)
        look_at_claims(&t, &d);
    else
        live(&t, &d, set);
    kl_oauthbearer_deinit(&t.o);
    kl_counted_memory_end(&t.memory);
    return 0;
}
