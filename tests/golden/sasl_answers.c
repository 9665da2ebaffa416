/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kloop's side of SASL as a line filter, for sasl.py. Texts and bytes are in hex. One question a
 * line, one answer each:
 *
 *     begin CONFIG WALL_MS     KEY=VALUE lines      -> say BYTES, token, or refused SENTENCE
 *     token VALUE NAME=VALUE.. for the same         -> say BYTES, or refused SENTENCE
 *     hear BYTES               to the latest        -> say BYTES, done, or failed SENTENCE
 *     jaas TEXT                                     -> MODULE NAME=VALUE.., sorted, or refused ...
 *     first BYTES, final MECHANISM BYTES            -> what was read, or failed ...
 */
#include "base/mem.h"
#include "sasl/jaas.h"
#include "sasl/oauthbearer.h"
#include "sasl/scram_message.h"

#include <kloop/sasl.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static kloop_sasl *sasl;
static void *session;
static kloop_now now;
static uint64_t exchanges;

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* In place; terminated. Answers the length. */
static size_t from_hex(char *text)
{
    size_t len = strlen(text) / 2;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    text[len] = '\0';
    return len;
}

static void put_hex(const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", ((const uint8_t *)bytes)[i]);
}

/* The next word of the line; "" at its end. */
static char *word(char **line)
{
    char *from = *line;
    char *end = from + strcspn(from, " ");
    *line = *end ? end + 1 : end;
    *end = '\0';
    return from;
}

static void drop(void)
{
    if (session && kloop_sasl_mechanism_of(sasl)->end)
        kloop_sasl_mechanism_of(sasl)->end(session);
    free(session);
    session = NULL;
    kloop_sasl_del(sasl);
    sasl = NULL;
}

static void tell(kloop_sasl_verdict verdict, kloop_sasl_step *step)
{
    const kloop_sasl_mechanism *m = kloop_sasl_mechanism_of(sasl);
    while (verdict == KLOOP_SASL_WORK) {
        memset(step, 0, sizeof *step);
        verdict = m->work(session, now, step);
    }
    if (verdict == KLOOP_SASL_SAY) {
        printf("say ");
        put_hex(step->out.data, step->out.len);
    } else {
        printf("%s%s",
               verdict == KLOOP_SASL_DONE    ? "done"
               : verdict == KLOOP_SASL_TOKEN ? "token"
                                             : "failed ",
               step->why);
    }
}

static void begin(char *line)
{
    char *text = word(&line);
    from_hex(text);
    now.wall_ms = strtoll(word(&line), NULL, 10);
    drop();
    kloop_config *config = kloop_config_new(NULL);
    kloop_config_set(config, "bootstrap.servers", "localhost:9092");
    for (char *at = strtok(text, "\n"); at; at = strtok(NULL, "\n")) {
        char *equals = strchr(at, '=');
        *equals = '\0';
        kloop_config_set(config, at, equals + 1);
    }
    uint8_t entropy[32] = {0};
    memcpy(entropy, &exchanges, sizeof exchanges);
    exchanges++;
    kloop_error error = {0};
    kloop_status status = kloop_config_check(config, &error);
    if (!status)
        status = kloop_sasl_new(&sasl, config, NULL, entropy, &error);
    kloop_config_del(config);
    if (status) {
        printf("refused %s", error.text);
        return;
    }
    const kloop_sasl_mechanism *m = kloop_sasl_mechanism_of(sasl);
    kloop_sasl_step step = {0};
    session = calloc(1, m->session_bytes);
    if (!session)
        abort();
    tell(m->begin(session, m->me, now, &step), &step);
}

static void give_token(char *line)
{
    kloop_sasl_extension extensions[16];
    const kloop_sasl_mechanism *m = kloop_sasl_mechanism_of(sasl);
    kloop_token token = {.expires_ms = KLOOP_NEVER, .extensions = extensions};
    char *value = word(&line);
    token.value = (kloop_string){value, from_hex(value)};
    while (*line && token.extension_count < 16) {
        char *pair = word(&line);
        char *second = strchr(pair, '=') + 1;
        second[-1] = '\0';
        kloop_sasl_extension *e = &extensions[token.extension_count++];
        e->key = (kloop_string){pair, from_hex(pair)};
        e->value = (kloop_string){second, from_hex(second)};
    }
    kloop_error error = {0};
    kloop_sasl_step step = {0};
    if (m->set_token(m->me, &token, now, &error))
        printf("refused %s", error.text);
    else
        tell(m->work(session, now, &step), &step);
}

static void hear(char *line)
{
    if (!session) {
        printf("failed nobody is there");
        return;
    }
    const kloop_sasl_mechanism *m = kloop_sasl_mechanism_of(sasl);
    kloop_sasl_step step = {0};
    size_t len = from_hex(line);
    tell(m->challenge(session, (kloop_slice){(const uint8_t *)line, len}, now, &step), &step);
}

static int by_name(const void *a, const void *b)
{
    const kl_jaas_option *x = a;
    const kl_jaas_option *y = b;
    return strcmp(x->name.data, y->name.data);
}

static void jaas(char *line)
{
    kl_jaas j;
    kloop_error error = {0};
    size_t len = from_hex(line);
    if (kl_jaas_parse(&j, &kl_mem_libc, (kloop_string){line, len}, &error)) {
        printf("refused %s", error.text);
        return;
    }
    qsort(j.options, j.option_count, sizeof j.options[0], by_name);
    put_hex(j.module.data, j.module.len);
    for (size_t i = 0; i < j.option_count; i++) {
        printf(" ");
        put_hex(j.options[i].name.data, j.options[i].name.len);
        printf("=");
        put_hex(j.options[i].value.data, j.options[i].value.len);
    }
    kl_jaas_deinit(&j, &kl_mem_libc);
}

static void first(char *line)
{
    kl_scram_first first;
    kloop_sasl_step step = {0};
    size_t len = from_hex(line);
    kloop_slice message = {(const uint8_t *)line, len};
    if (kl_scram_message_first(&first, message, &step) != KLOOP_SASL_DONE) {
        printf("failed %s", step.why);
        return;
    }
    put_hex(first.nonce.data, first.nonce.len);
    printf(" ");
    put_hex(first.salt, first.salt_len);
    printf(" %" PRIu32, first.iterations);
}

static void final(char *line)
{
    uint8_t signature[KL_SHA2_SIZE_MAX];
    kloop_sasl_step step = {0};
    kl_sha2_kind kind = strcmp(word(&line), "SCRAM-SHA-256") ? KL_SHA2_512 : KL_SHA2_256;
    size_t len = from_hex(line);
    kloop_slice message = {(const uint8_t *)line, len};
    if (kl_scram_message_final(signature, kind, message, &step) == KLOOP_SASL_DONE)
        put_hex(signature, kl_sha2_size(kind));
    else
        printf("failed %s", step.why);
}

int main(void)
{
    static char line[1 << 20];
    static const struct {
        const char *name;
        void (*answer)(char *line);
    } questions[] = {{"begin", begin}, {"token", give_token}, {"hear", hear},
                     {"jaas", jaas},   {"first", first},      {"final", final}};
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line;
        const char *name = word(&rest);
        size_t i = 0;
        while (i < 6 && strcmp(name, questions[i].name))
            i++;
        if (i == 6)
            return 2;
        questions[i].answer(rest);
        printf("\n");
        fflush(stdout);
    }
    drop();
    return 0;
}
