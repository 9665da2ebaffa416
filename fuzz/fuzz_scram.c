/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCRAM against a broker that says anything: nobody is believed who has not proved to know the
 * password's key, the client says something only when it is its turn, and after a failure it stays
 * failed.
 *
 * Input: what is set (1 byte), then the broker's messages, each with its length (2 bytes); the byte
 * 1 in one of them stands for the client's nonce, 2 for the signature that is right.
 */
#include "base/base64.h"
#include "base/mem.h"
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"
#include "sasl/scram.h"
#include "sasl/scram_proof.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 10000
#define ROUNDS_MAX  6

/* High enough for all that a broker may ask for, low enough for a fuzzer. */
#define ITERATIONS_MAX 4200

static const char password[] = "pencil";

typedef struct trial {
    kl_scram scram;
    kloop_sasl_mechanism m;
    void *session;
    kloop_sasl_step step;
    char bare[256]; /* the client's first message without its header */
    size_t bare_len;
    uint8_t first[MESSAGE_MAX + 1000]; /* the broker's, as it was heard */
    size_t first_len;
    char signature[128]; /* as it would be right, once it is known */
} trial;

static kloop_sasl_verdict checked(trial *t, kloop_sasl_verdict verdict)
{
    if (verdict == KLOOP_SASL_FAILED) {
        size_t len = strlen(t->step.why);
        KL_FUZZ_CHECK(len > 0 && len < sizeof t->step.why);
        for (size_t i = 0; i < len; i++)
            KL_FUZZ_CHECK((unsigned char)t->step.why[i] >= ' ');
    }
    if (verdict == KLOOP_SASL_SAY) {
        KL_FUZZ_CHECK(t->step.out.len > 0 && t->step.out.data);
        for (size_t i = 0; i < t->step.out.len; i++)
            KL_FUZZ_CHECK(t->step.out.data[i] >= ' ' && t->step.out.data[i] <= '~');
    }
    return verdict;
}

/* What a broker that knows the password would say to this. Reads the messages the slow way. */
static void know_signature(trial *t)
{
    const char *text = (const char *)t->first;
    const char *salt_at = strstr(text, ",s=") + 3;
    const char *count_at = strstr(salt_at, ",i=") + 3;
    uint8_t salt[2048], salted[KL_SHA2_SIZE_MAX], proof[KL_SHA2_SIZE_MAX], mac[KL_SHA2_SIZE_MAX];
    size_t salt_len, size = kl_sha2_size(t->scram.kind);
    kl_base64_fault fault;
    KL_FUZZ_CHECK(kl_base64_decode(salt, &salt_len, salt_at, strcspn(salt_at, ","), &fault));
    unsigned long count = strtoul(count_at, NULL, 10);
    KL_FUZZ_CHECK(count >= KL_SCRAM_ITERATIONS_MIN && count <= ITERATIONS_MAX);
    KL_FUZZ_CHECK(salt_len > 0 && salt_len <= KL_SCRAM_SALT_MAX);
    kl_pbkdf2 d;
    kl_pbkdf2_init(&d, t->scram.kind, password, strlen(password), salt, salt_len, (uint32_t)count);
    kl_pbkdf2_go_on(&d, UINT32_MAX);
    kl_pbkdf2_final(&d, salted);

    /* The nonce goes on where the client's ends, which is inside it. */
    const char *said = (const char *)t->step.out.data;
    size_t nonce_len = strcspn(text, ",") - 2;
    KL_FUZZ_CHECK(nonce_len > 32 && memcmp(text + 2, t->bare + 9, 32) == 0);
    KL_FUZZ_CHECK(memcmp(said, "c=biws,r=", 9) == 0 && memcmp(said + 9, text + 2, nonce_len) == 0);
    KL_FUZZ_CHECK(memcmp(said + 9 + nonce_len, ",p=", 3) == 0);
    const kloop_slice all[] = {{(const uint8_t *)t->bare, t->bare_len},
                               {(const uint8_t *)",", 1},
                               {t->first, t->first_len},
                               {(const uint8_t *)",", 1},
                               {t->step.out.data, 9 + nonce_len}};
    kl_scram_proof(t->scram.kind, salted, all, 5, proof, mac);
    size_t chars = kl_base64_encoded_len(size);
    kl_base64_encode(t->signature, proof, size);
    KL_FUZZ_CHECK(t->step.out.len == 9 + nonce_len + 3 + chars);
    KL_FUZZ_CHECK(memcmp(said + 9 + nonce_len + 3, t->signature, chars) == 0);
    kl_base64_encode(t->signature, mac, size);
    t->signature[chars] = '\0';
}

static uint8_t *fill_in(const trial *t, kloop_slice message, size_t *len)
{
    uint8_t *text = malloc(message.len * 128 + 1);
    *len = 0;
    for (size_t i = 0; i < message.len; i++) {
        const char *part = (const char *)message.data + i;
        size_t part_len = 1;
        if (message.data[i] == 1) {
            part = t->bare + 9;
            part_len = 32;
        } else if (message.data[i] == 2 && t->signature[0]) {
            part = t->signature;
            part_len = strlen(part);
        }
        memcpy(text + *len, part, part_len);
        *len += part_len;
    }
    return text;
}

static kloop_sasl_verdict tell(trial *t, const uint8_t *text, size_t len)
{
    static const kloop_now now;
    uint8_t *exact = kl_fuzz_exact_copy(text, len);
    memset(&t->step, 0, sizeof t->step);
    kloop_sasl_verdict verdict =
        t->m.challenge(t->session, (kloop_slice){exact, len}, now, &t->step);
    free(exact);
    for (size_t i = 0; verdict == KLOOP_SASL_WORK; i++) {
        KL_FUZZ_CHECK(i <= ITERATIONS_MAX / KL_SCRAM_KEYS_PIECE);
        memset(&t->step, 0, sizeof t->step);
        verdict = t->m.work(t->session, now, &t->step);
    }
    return checked(t, verdict);
}

static void begin(trial *t, unsigned set)
{
    static const uint8_t entropy[32] = "whatever";
    static const kloop_now now;
    kl_scram_settings settings = {.kind = set & 1 ? KL_SHA2_512 : KL_SHA2_256,
                                  .user = {"user", 4},
                                  .password = {password, strlen(password)},
                                  .tokenauth = set & 2,
                                  .iterations_max = ITERATIONS_MAX,
                                  .entropy = entropy};
    KL_FUZZ_CHECK(kl_scram_init(&t->scram, &kl_mem_libc, &settings, NULL) == KLOOP_OK);
    t->m = kl_scram_mechanism(&t->scram);
    t->session = calloc(1, t->m.session_bytes);
    KL_FUZZ_CHECK(checked(t, t->m.begin(t->session, t->m.me, now, &t->step)) == KLOOP_SASL_SAY);
    t->bare_len = t->step.out.len - 3;
    memcpy(t->bare, t->step.out.data + 3, t->bare_len);
}

static void talk(trial *t, kl_drawn *d)
{
    size_t said = 0;
    bool over = false;
    for (size_t round = 0; round < ROUNDS_MAX && (round == 0 || kl_drawn_left(d)); round++) {
        size_t size = kl_drawn_u16(d) % MESSAGE_MAX;
        size_t len;
        uint8_t *text = fill_in(t, kl_drawn_bytes(d, size), &len);
        kloop_sasl_verdict verdict = tell(t, text, len);
        kl_fuzz_feature((uint32_t)(said * 8 + (uint32_t)verdict));
        if (verdict == KLOOP_SASL_SAY) {
            KL_FUZZ_CHECK(said++ == 0 && round == 0 && len < sizeof t->first);
            memcpy(t->first, text, len);
            t->first[len] = '\0';
            t->first_len = len;
            know_signature(t);
        } else if (verdict == KLOOP_SASL_DONE) {
            size_t signature_len = strlen(t->signature);
            KL_FUZZ_CHECK(said == 1 && round == 1 && !over && signature_len > 0);
            KL_FUZZ_CHECK(len >= 2 + signature_len && memcmp(text, "v=", 2) == 0);
            KL_FUZZ_CHECK(memcmp(text + 2, t->signature, signature_len) == 0);
            over = true;
        } else {
            KL_FUZZ_CHECK(verdict == KLOOP_SASL_FAILED);
            over = true;
            said = 1;
        }
        free(text);
        /* Nothing but failures from here on. */
        if (verdict == KLOOP_SASL_FAILED)
            t->signature[0] = '\0';
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kl_drawn d = kl_drawn_from(data, size);
    trial *t = calloc(1, sizeof *t);
    begin(t, kl_drawn_u8(&d));
    talk(t, &d);
    t->m.end(t->session);
    free(t->session);
    kl_scram_deinit(&t->scram, &kl_mem_libc);
    free(t);
    return 0;
}
