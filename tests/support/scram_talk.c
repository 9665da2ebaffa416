/* SPDX-License-Identifier: BSD-2-Clause */
/* Both ends of SCRAM; see scram_talk.h. */
#include "tests/support/scram_talk.h"
#include "base/base64.h"
#include "base/wipe.h"
#include "sasl/scram_proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const kloop_now now = {.wall_ms = 1700000000000};

static kloop_string str(const char *text)
{
    return (kloop_string){text, strlen(text)};
}

static kloop_slice bytes_of(const char *text)
{
    return (kloop_slice){(const uint8_t *)text, strlen(text)};
}

uint8_t scram_entropy[32] = "thirty-two bytes of entropy.....";

void scram_client_init(scram_client *c, kl_sha2_kind kind, const char *user, const char *password)
{
    kl_scram_settings settings = {.kind = kind,
                                  .user = str(user),
                                  .password = str(password),
                                  .iterations_max = 1000000,
                                  .entropy = scram_entropy};
    c->alloc = kl_mem_libc;
    assert_int_equal(kl_scram_init(&c->scram, &c->alloc, &settings, NULL), KLOOP_OK);
    c->mechanism = kl_scram_mechanism(&c->scram);
}

void scram_client_deinit(scram_client *c)
{
    kl_scram_deinit(&c->scram, &c->alloc);
}

static kloop_sasl_verdict heard(scram_talk *t, kloop_sasl_verdict verdict)
{
    if (verdict == KLOOP_SASL_SAY) {
        assert_true(t->step.out.len < sizeof t->said);
        memcpy(t->said, t->step.out.data, t->step.out.len);
        t->said[t->step.out.len] = '\0';
    } else if (verdict == KLOOP_SASL_FAILED) {
        assert_true(t->step.why[0] != '\0');
        for (const char *at = t->step.why; *at; at++)
            assert_true((unsigned char)*at >= ' ');
    }
    return verdict;
}

void scram_talk_begin(scram_talk *t, const kloop_sasl_mechanism *mechanism)
{
    t->mechanism = mechanism;
    t->session = calloc(1, mechanism->session_bytes);
    memset(&t->step, 0, sizeof t->step);
    assert_int_equal(heard(t, mechanism->begin(t->session, mechanism->me, now, &t->step)),
                     KLOOP_SASL_SAY);
}

kloop_sasl_verdict scram_tell_bytes(scram_talk *t, kloop_slice message)
{
    memset(&t->step, 0, sizeof t->step);
    return heard(t, t->mechanism->challenge(t->session, message, now, &t->step));
}

kloop_sasl_verdict scram_tell(scram_talk *t, const char *message)
{
    return scram_tell_bytes(t, bytes_of(message));
}

kloop_sasl_verdict scram_work(scram_talk *t)
{
    memset(&t->step, 0, sizeof t->step);
    return heard(t, t->mechanism->work(t->session, now, &t->step));
}

size_t scram_work_to_end(scram_talk *t, kloop_sasl_verdict verdict)
{
    size_t pieces = 0;
    for (; verdict == KLOOP_SASL_WORK; pieces++)
        verdict = scram_work(t);
    assert_int_equal(verdict, KLOOP_SASL_SAY);
    return pieces;
}

void scram_talk_end(scram_talk *t)
{
    t->mechanism->end(t->session);
    kl_wipe(t->session, t->mechanism->session_bytes);
    free(t->session);
}

/* ---- A server, as RFC 5802 has it ---- */

const char *scram_nonce_of(const scram_talk *t)
{
    const char *at = strstr(t->said, ",r=");
    assert_non_null(at);
    return at + 3;
}

void scram_serve_first(scram_server *s, const scram_talk *t, const char *more)
{
    assert_memory_equal(t->said, "n,,n=", 5);
    strcpy(s->bare, t->said + 3);
    int nonce_len = (int)strcspn(scram_nonce_of(t), ",");
    snprintf(s->first, sizeof s->first, "r=%.*s%s,s=%s,i=%u", nonce_len, scram_nonce_of(t), more,
             s->salt, (unsigned)s->iterations);
}

void scram_serve_final(const scram_server *s, const scram_talk *t, char final[128])
{
    uint8_t salt[64], salted[KL_SHA2_SIZE_MAX], proof[KL_SHA2_SIZE_MAX], mine[KL_SHA2_SIZE_MAX];
    char text[128];
    size_t len, size = kl_sha2_size(s->kind);
    kl_base64_fault fault;
    assert_true(kl_base64_decode(salt, &len, s->salt, strlen(s->salt), &fault));
    kl_pbkdf2 d;
    kl_pbkdf2_init(&d, s->kind, s->password, strlen(s->password), salt, len, s->iterations);
    kl_pbkdf2_go_on(&d, UINT32_MAX);
    kl_pbkdf2_final(&d, salted);

    const char *proof_at = strstr(t->said, ",p=");
    assert_non_null(proof_at);
    const kloop_slice said[] = {bytes_of(s->bare),
                                bytes_of(","),
                                bytes_of(s->first),
                                bytes_of(","),
                                {(const uint8_t *)t->said, (size_t)(proof_at - t->said)}};
    kl_scram_proof(s->kind, salted, said, 5, proof, mine);
    kl_base64_encode(text, proof, size);
    text[kl_base64_encoded_len(size)] = '\0';
    assert_string_equal(proof_at + 3, text);
    memcpy(final, "v=", 2);
    kl_base64_encode(final + 2, mine, size);
    final[2 + kl_base64_encoded_len(size)] = '\0';
}

void scram_talk_to_final(scram_talk *t, scram_server *s, scram_client *c, char final[128])
{
    scram_talk_begin(t, &c->mechanism);
    scram_serve_first(s, t, "x");
    scram_work_to_end(t, scram_tell(t, s->first));
    scram_serve_final(s, t, final);
}
