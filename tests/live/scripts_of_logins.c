/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See scripts.h. Clients that have to say who they are: what may be asked when, and what each
 * mechanism makes of good and bad words. Both sides offer all four and know alice; where sessions
 * end (kl_scripts_of_sessions) one lives 3 s, as in tests/live/security.py.
 */
#include "base/base64.h"
#include "base/check.h"
#include "base/hmac.h"
#include "tests/live/scripts.h"
#include "tests/live/trial.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define USER     "alice"
#define PASSWORD "alice-Pa55-of-live"
#define NONCE    "fyko+d2lbbFgONRv9qkxdawL"
#define TEXT_MAX 1024

/* ---- Words ---- */

static void versions(kl_talk *t, const char *step, int16_t version)
{
    kloop_api_versions_request request;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &request);
    request.client_software_name = kloop_text("compare");
    request.client_software_version = kloop_text("1");
    kl_talk_ask(t, step, KLOOP_API_VERSIONS, version, &request);
}

static void metadata(kl_talk *t, const char *step)
{
    kloop_metadata_request request;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
    request.topics = kloop_array_of(NULL, 0);
    kl_talk_ask(t, step, KLOOP_METADATA, 9, &request);
}

static void handshake(kl_talk *t, const char *step, int16_t version, const char *mechanism)
{
    kloop_sasl_handshake_request request;
    kloop_message_init(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, &request);
    request.mechanism = kloop_text(mechanism);
    kl_talk_ask(t, step, KLOOP_SASL_HANDSHAKE, version, &request);
}

static void token(kl_talk *t, const char *step, int16_t version, const void *bytes, size_t len)
{
    kloop_sasl_authenticate_request request;
    kloop_message_init(KLOOP_SASL_AUTHENTICATE, KLOOP_REQUEST, &request);
    request.auth_bytes = (kloop_slice){bytes, len};
    kl_talk_ask(t, step, KLOOP_SASL_AUTHENTICATE, version, &request);
}

static void text(kl_talk *t, const char *step, const char *words)
{
    token(t, step, 2, words, strlen(words));
}

/* A new connection on which this mechanism was chosen. */
static void choose(kl_talk *t, const char *mechanism)
{
    kl_talk_again(t);
    handshake(t, kl_talk_label(t, "%s", mechanism), 1, mechanism);
}

/* ---- What may be asked when ---- */

static void before_anything(kl_talk *t)
{
    static const int16_t each[] = {0, 1, 2, 3, 4};
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        kl_talk_again(t);
        versions(t, kl_talk_label(t, "versions v%d", each[i]), each[i]);
        versions(t, kl_talk_label(t, "versions v%d again", each[i]), each[i]);
    }
    kl_talk_again(t);
    kl_talk_ask_raw(t, "versions v99", KLOOP_API_VERSIONS, 99, "", 0);
    versions(t, "versions v3 behind it", 3);
    handshake(t, "and a handshake", 1, "PLAIN");
    kl_talk_again(t);
    metadata(t, "metadata first");
    kl_talk_again(t);
    versions(t, "versions, to be followed by metadata", 3);
    metadata(t, "metadata behind versions");
    kl_talk_again(t);
    text(t, "a token first", "");
    kl_talk_again(t);
    kloop_init_producer_id_request id;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, &id);
    kl_talk_ask(t, "an id first", KLOOP_INIT_PRODUCER_ID, 4, &id);
    kl_talk_again(t);
    kl_talk_ask_raw(t, "api 999 first", 999, 0, "", 0);
}

static void handshakes(kl_talk *t)
{
    static const char *const names[] = {
        "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI", "plain",
        "",      "SCRAM-SHA-1",   "PLAIN "};
    for (int16_t version = 0; version < 2; version++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            kl_talk_again(t);
            handshake(t, kl_talk_label(t, "v%d '%s'", version, names[i]), version, names[i]);
        }
    }
    kl_talk_again(t);
    kl_talk_ask_raw(t, "v2", KLOOP_SASL_HANDSHAKE, 2, "\0\5PLAIN", 7);
    kl_talk_again(t);
    kl_talk_ask_raw(t, "cut off", KLOOP_SASL_HANDSHAKE, 1, "\0\5PLA", 5);
    kl_talk_again(t);
    kl_talk_ask_raw(t, "null", KLOOP_SASL_HANDSHAKE, 1, "\377\377", 2);
    kl_talk_again(t);
    versions(t, "versions", 3);
    handshake(t, "behind versions", 1, "PLAIN");
    handshake(t, "twice", 1, "PLAIN");
    kl_talk_again(t);
    handshake(t, "to be followed by versions", 1, "PLAIN");
    versions(t, "versions behind a handshake", 3);
    kl_talk_again(t);
    handshake(t, "to be followed by metadata", 1, "PLAIN");
    metadata(t, "metadata behind a handshake");
}

static void sizes(kl_talk *t)
{
    static const uint8_t wild[][4] = {
        {0, 8, 0, 1}, {0x7f, 255, 255, 255}, {255, 255, 255, 255}, {0x16, 3, 1, 2}};
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        kl_talk_again(t);
        kl_talk_ask_wild(t,
                         kl_talk_label(t, "a frame of %02x%02x%02x%02x", wild[i][0], wild[i][1],
                                       wild[i][2], wild[i][3]),
                         wild[i], 4);
    }
    char *much = kl_talk_keep(t, 500000);
    memset(much, 'x', 500000);
    choose(t, "PLAIN");
    token(t, "a token of 500,000 bytes", 2, much, 500000);
}

/* ---- PLAIN ---- */

static void plain(kl_talk *t)
{
#define WORDS(name, bytes)                                                                         \
    {                                                                                              \
        name, bytes, sizeof bytes - 1                                                              \
    }
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
    } tries[] = {
        WORDS("good", "\0" USER "\0" PASSWORD),
        WORDS("good, for herself", USER "\0" USER "\0" PASSWORD),
        WORDS("for another", "bob\0" USER "\0" PASSWORD),
        WORDS("wrong password", "\0" USER "\0wrong"),
        WORDS("unknown user", "\0nobody\0" PASSWORD),
        WORDS("no user", "\0\0" PASSWORD),
        WORDS("no password", "\0" USER "\0"),
        WORDS("two parts", USER "\0" PASSWORD),
        WORDS("four parts", "\0" USER "\0" PASSWORD "\0"),
        WORDS("four parts, the last with words", "\0" USER "\0" PASSWORD "\0x"),
        WORDS("one part", USER),
        WORDS("nothing", ""),
        WORDS("no UTF-8", "\0\377\376\0" PASSWORD),
        WORDS("capitals", "\0Alice\0" PASSWORD),
        WORDS("a blank", "\0" USER " \0" PASSWORD),
    };
#undef WORDS
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        choose(t, "PLAIN");
        token(t, tries[i].name, 2, tries[i].bytes, tries[i].len);
    }
    for (int16_t version = 0; version < 3; version++) {
        choose(t, "PLAIN");
        token(t, kl_talk_label(t, "good v%d", version), version, tries[0].bytes, tries[0].len);
        metadata(t, kl_talk_label(t, "metadata behind v%d", version));
        versions(t, kl_talk_label(t, "versions behind v%d", version), 3);
        versions(t, kl_talk_label(t, "versions once more behind v%d", version), 3);
        choose(t, "PLAIN");
        token(t, kl_talk_label(t, "wrong v%d", version), version, tries[3].bytes, tries[3].len);
    }
    choose(t, "PLAIN");
    token(t, "good, to go on with", 2, tries[0].bytes, tries[0].len);
    token(t, "a token too many", 2, tries[0].bytes, tries[0].len);
    handshake(t, "a handshake of one who is known", 1, "PLAIN");
    handshake(t, "another of one who is known", 1, "GSSAPI");
    metadata(t, "metadata all the same");
}

/* Behind a handshake v0 tokens come and go without headers. */
static void bare(kl_talk *t)
{
    static const char good[] = "\0\0\0\031\0" USER "\0" PASSWORD;
    static const char wrong[] = "\0\0\0\014\0" USER "\0wrong";
    KL_ASSERT(sizeof good - 1 == 4 + 25 && sizeof wrong - 1 == 4 + 12);
    kl_talk_again(t);
    handshake(t, "PLAIN v0", 0, "PLAIN");
    kl_talk_say_bare(t, "good", good, sizeof good - 1);
    metadata(t, "metadata behind it");
    kl_talk_again(t);
    handshake(t, "PLAIN v0", 0, "PLAIN");
    kl_talk_say_bare(t, "wrong", wrong, sizeof wrong - 1);
    kl_talk_again(t);
    handshake(t, "PLAIN v0", 0, "PLAIN");
    token(t, "with a header all the same", 1, good + 4, sizeof good - 5);
}

/* ---- SCRAM ---- */

/* One exchange: what was said so far, and the keys. */
typedef struct scram {
    kl_sha2_kind kind;
    const char *mechanism;
    char bare[TEXT_MAX];  /* the client's first message without its header */
    char first[TEXT_MAX]; /* the broker's */
    char nonce[TEXT_MAX];
} scram;

static const scram kinds[] = {{.kind = KL_SHA2_256, .mechanism = "SCRAM-SHA-256"},
                              {.kind = KL_SHA2_512, .mechanism = "SCRAM-SHA-512"}};

/* Says the first message, and keeps the answer. false: there is none to go on with. */
static bool say_first(kl_talk *t, scram *s, const char *step, const char *header, const char *bare)
{
    choose(t, s->mechanism);
    text(t, step, kl_talk_label(t, "%s%s", header, bare));
    kloop_slice said = kl_talk_auth_bytes(t);
    if (said.len == 0 || said.len >= TEXT_MAX || memcmp(said.data, "r=", 2) != 0)
        return false;
    snprintf(s->bare, TEXT_MAX, "%s", bare);
    memcpy(s->first, said.data, said.len);
    s->first[said.len] = 0;
    snprintf(s->nonce, TEXT_MAX, "%.*s", (int)strcspn(s->first, ","), s->first);
    return true;
}

/* What alice, or whoever has this password, has to sign with; base64. */
static void proof_of(const scram *s, const char *password, const char *without, char *out)
{
    uint8_t salt[TEXT_MAX], salted[KL_SHA2_SIZE_MAX], key[KL_SHA2_SIZE_MAX],
        stored[KL_SHA2_SIZE_MAX];
    uint8_t signature[KL_SHA2_SIZE_MAX];
    char said[3 * TEXT_MAX];
    kl_base64_fault fault;
    kl_pbkdf2 derive;
    size_t salt_len, size = kl_sha2_size(s->kind);
    const char *at = strstr(s->first, ",s=");
    KL_ASSERT(at);
    at += 3;
    size_t salt_chars = strcspn(at, ",");
    KL_ASSERT(kl_base64_decode(salt, &salt_len, at, salt_chars, &fault));
    long iterations = strtol(at + salt_chars + 3, NULL, 10);
    kl_pbkdf2_init(&derive, s->kind, password, strlen(password), salt, salt_len,
                   (uint32_t)iterations);
    while (!kl_pbkdf2_go_on(&derive, 1000))
        ;
    kl_pbkdf2_final(&derive, salted);
    kl_hmac_of(s->kind, salted, size, "Client Key", 10, key);
    kl_sha2_of(s->kind, key, size, stored);
    int len = snprintf(said, sizeof said, "%s,%s,%s", s->bare, s->first, without);
    kl_hmac_of(s->kind, stored, size, said, (size_t)len, signature);
    for (size_t i = 0; i < size; i++)
        key[i] ^= signature[i];
    kl_base64_encode(out, key, size);
    out[kl_base64_encoded_len(size)] = 0;
}

static void say_last(kl_talk *t, const scram *s, const char *step, const char *password,
                     const char *channel, const char *nonce, const char *tail)
{
    char without[2 * TEXT_MAX], proof[2 * KL_SHA2_SIZE_MAX], all[3 * TEXT_MAX];
    snprintf(without, sizeof without, "%s,%s", channel, nonce);
    proof_of(s, password, without, proof);
    snprintf(all, sizeof all, "%s,p=%s%s", without, proof, tail);
    text(t, step, all);
}

static void scram_firsts(kl_talk *t)
{
    static const char *const tries[][3] = {
        {"good", "n,,", "n=" USER ",r=" NONCE},
        {"she could bind channels", "y,,", "n=" USER ",r=" NONCE},
        {"she binds channels", "p=tls-unique,,", "n=" USER ",r=" NONCE},
        {"for herself", "n,a=" USER ",", "n=" USER ",r=" NONCE},
        {"for another", "n,a=bob,", "n=" USER ",r=" NONCE},
        {"unknown user", "n,,", "n=nobody,r=" NONCE},
        {"no user", "n,,", "n=,r=" NONCE},
        {"an escaped comma", "n,,", "n=o=2Claf,r=" NONCE},
        {"a bad escape", "n,,", "n=o=2laf,r=" NONCE},
        {"an extension", "n,,", "n=" USER ",r=" NONCE ",x=y"},
        {"a must", "n,,", "m=z,n=" USER ",r=" NONCE},
        {"no nonce", "n,,", "n=" USER ",r="},
        {"nothing behind the name", "n,,", "n=" USER},
        {"the wrong way round", "n,,", "r=" NONCE ",n=" USER},
        {"no header", "", "n=" USER ",r=" NONCE},
        {"a blank in the nonce", "n,,", "n=" USER ",r=a b"},
        {"nothing", "", ""},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
            scram s = kinds[k];
            say_first(t, &s, kl_talk_label(t, "%s, %s", s.mechanism, tries[i][0]), tries[i][1],
                      tries[i][2]);
        }
    }
}

static void scram_lasts(kl_talk *t)
{
    static const struct {
        const char *name;
        const char *password;
        const char *channel;
        const char *nonce; /* NULL: the right one */
        const char *tail;
    } tries[] = {
        {"good", PASSWORD, "c=biws", NULL, ""},
        {"wrong password", "wrong", "c=biws", NULL, ""},
        {"another header", PASSWORD, "c=eSws", NULL, ""},
        {"no header", PASSWORD, "c=", NULL, ""},
        {"the client's nonce alone", PASSWORD, "c=biws", "r=" NONCE, ""},
        {"another nonce", PASSWORD, "c=biws", "r=abc", ""},
        {"something behind the proof", PASSWORD, "c=biws", NULL, ",x=y"},
    };
    static const char *const wild[][2] = {{"nothing", ""},
                                          {"no proof", "c=biws,r=" NONCE},
                                          {"words", "hello"},
                                          {"the first message again", "n,,n=" USER ",r=" NONCE}};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        scram s = kinds[k];
        const char *name = s.mechanism, *bare = "n=" USER ",r=" NONCE;
        for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
            if (say_first(t, &s, kl_talk_label(t, "%s, before %s", name, tries[i].name), "n,,",
                          bare))
                say_last(t, &s, kl_talk_label(t, "%s, %s", name, tries[i].name), tries[i].password,
                         tries[i].channel, tries[i].nonce ? tries[i].nonce : s.nonce,
                         tries[i].tail);
            metadata(t, kl_talk_label(t, "metadata behind %s, %s", name, tries[i].name));
        }
        for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
            if (say_first(t, &s, kl_talk_label(t, "%s, before %s", name, wild[i][0]), "n,,", bare))
                text(t, kl_talk_label(t, "%s, %s", name, wild[i][0]), wild[i][1]);
        }
    }
}

/* ---- OAUTHBEARER ---- */

/* An unsecured token whose exp lies so far from now; claims: what it says beside, ",..." */
static const char *jwt(kl_talk *t, const char *claims, int64_t seconds)
{
    char body[TEXT_MAX];
    char *out = kl_talk_keep(t, 2 * TEXT_MAX);
    int64_t now = t->wall_ms / 1000;
    int len = snprintf(body, sizeof body, "{\"iat\":%lld,\"exp\":%lld%s}", (long long)now - 60,
                       (long long)(now + seconds), claims);
    size_t at = 0;
    /* {"alg":"none"} */
    at += (size_t)snprintf(out, TEXT_MAX, "eyJhbGciOiJub25lIn0.");
    at += kl_base64_encode_url(out + at, (const uint8_t *)body, (size_t)len);
    memcpy(out + at, ".", 2);
    return out;
}

static const char *bearer(kl_talk *t, const char *header, const char *value, const char *tail)
{
    char *out = kl_talk_keep(t, 3 * TEXT_MAX);
    snprintf(out, 3 * TEXT_MAX, "%s\001auth=Bearer %s%s\001", header, value, tail);
    return out;
}

static void oauth(kl_talk *t)
{
    const char *good = jwt(t, ",\"sub\":\"" USER "\"", 3600);
    const struct {
        const char *name;
        const char *words;
    } tries[] = {
        {"good", bearer(t, "n,,", good, "\001")},
        {"good, for herself", bearer(t, "n,a=" USER ",", good, "\001")},
        {"for another", bearer(t, "n,a=bob,", good, "\001")},
        {"expired", bearer(t, "n,,", jwt(t, ",\"sub\":\"" USER "\"", -30), "\001")},
        {"nobody's", bearer(t, "n,,", jwt(t, "", 3600), "\001")},
        {"garbage", bearer(t, "n,,", "garbage", "\001")},
        {"three parts of garbage", bearer(t, "n,,", "a.b.c", "\001")},
        {"a signature", bearer(t, "n,,", kl_talk_label(t, "%.80sabc", good), "\001")},
        {"an extension", bearer(t, "n,,", good, "\001traceId=1\001")},
        {"an extension named auth", bearer(t, "n,,", good, "\001auth=x\001")},
        {"no end", bearer(t, "n,,", good, "")},
        {"she could bind channels", bearer(t, "y,,", good, "\001")},
        {"no header", bearer(t, "", good, "\001")},
        {"no auth", "n,,\001\001"},
        {"another scheme", "n,,\001auth=Basic YTpi\001\001"},
        {"small letters", kl_talk_label(t, "n,,\001auth=bearer a.b.c\001\001")},
        {"nothing", ""},
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        choose(t, "OAUTHBEARER");
        text(t, tries[i].name, tries[i].words);
        text(t, kl_talk_label(t, "understood, %s", tries[i].name), "\001");
    }
    choose(t, "OAUTHBEARER");
    text(t, "garbage, to be followed by other words", tries[5].words);
    text(t, "other words", "\001\001");
    choose(t, "OAUTHBEARER");
    text(t, "good, to go on with", tries[0].words);
    metadata(t, "metadata");
}

/* ---- Sessions that end ---- */

static void renewals(kl_talk *t)
{
    static const char good[] = "\0" USER "\0" PASSWORD, bob[] = "\0bob\0bob-Pa55-of-live",
                      wrong[] = "\0" USER "\0wrong";
    /* First, as it does not live long. */
    choose(t, "OAUTHBEARER");
    text(t, "a token of 2 s", bearer(t, "n,,", jwt(t, ",\"sub\":\"" USER "\"", 2), "\001"));
    for (int16_t version = 0; version < 3; version++) {
        choose(t, "PLAIN");
        token(t, kl_talk_label(t, "good v%d", version), version, good, sizeof good - 1);
    }
    handshake(t, "again", 1, "PLAIN");
    token(t, "good again", 2, good, sizeof good - 1);
    handshake(t, "a third time, too soon", 1, "PLAIN");
    metadata(t, "metadata behind it");
    choose(t, "PLAIN");
    token(t, "good, to be wrong", 2, good, sizeof good - 1);
    handshake(t, "again, to be wrong", 1, "PLAIN");
    token(t, "wrong now", 2, wrong, sizeof wrong - 1);
    choose(t, "PLAIN");
    token(t, "good, to be another", 2, good, sizeof good - 1);
    handshake(t, "again, to be another", 1, "PLAIN");
    token(t, "another one now", 2, bob, sizeof bob - 1);
    choose(t, "PLAIN");
    token(t, "good, to change the mechanism", 2, good, sizeof good - 1);
    handshake(t, "another mechanism", 1, "SCRAM-SHA-256");
    text(t, "its first message", "n,,n=" USER ",r=" NONCE);
    choose(t, "PLAIN");
    token(t, "good, to ask for nonsense", 2, good, sizeof good - 1);
    handshake(t, "nonsense", 1, "GSSAPI");
    choose(t, "PLAIN");
    token(t, "good, to ask in between", 2, good, sizeof good - 1);
    handshake(t, "again, to ask in between", 1, "PLAIN");
    metadata(t, "metadata in between");
    choose(t, "OAUTHBEARER");
    text(t, "a token of an hour", bearer(t, "n,,", jwt(t, ",\"sub\":\"" USER "\"", 3600), "\001"));
}

const kl_script kl_scripts_of_logins[] = {
    {"before anything", 1, 1, before_anything, KL_SCRIPT_LOGIN},
    {"handshakes", 1, 1, handshakes, KL_SCRIPT_LOGIN},
    {"sizes", 1, 1, sizes, KL_SCRIPT_LOGIN},
    {"PLAIN", 1, 1, plain, KL_SCRIPT_LOGIN},
    {"bare tokens", 1, 1, bare, KL_SCRIPT_LOGIN},
    {"SCRAM, first messages", 1, 1, scram_firsts, KL_SCRIPT_LOGIN},
    {"SCRAM, last messages", 1, 1, scram_lasts, KL_SCRIPT_LOGIN},
    {"OAUTHBEARER", 1, 1, oauth, KL_SCRIPT_LOGIN},
    {NULL, 0, 0, NULL, KL_SCRIPT_ORDINARY},
};

const kl_script kl_scripts_of_sessions[] = {
    {"renewals", 1, 1, renewals, KL_SCRIPT_SESSION},
    {NULL, 0, 0, NULL, KL_SCRIPT_ORDINARY},
};
