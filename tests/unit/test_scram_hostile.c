/* SPDX-License-Identifier: BSD-2-Clause */
/* Servers of SCRAM that lie in each place where they can. */
#include "base/base64.h"
#include "tests/support/scram_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* @ is the client's nonce. */
static const struct {
    const char *message;
    const char *why;
} bad_firsts[] = {
    {"", "no r="},
    {"r=", "empty r="},
    {"r=@x", "incomplete"},
    {"r=@x,", "no s="},
    {"r=@x,s=", "empty s="},
    {"r=@x,s=" SCRAM_SALT, "incomplete"},
    {"r=@x,s=" SCRAM_SALT ",", "no i="},
    {"r=@x,s=" SCRAM_SALT ",i=", "empty i="},
    {"s=" SCRAM_SALT ",r=@x,i=4096", "no r="},
    {"r=@x,i=4096,s=" SCRAM_SALT, "no s="},
    {"R=@x,s=" SCRAM_SALT ",i=4096", "no r="},
    {" r=@x,s=" SCRAM_SALT ",i=4096", "no r="},
    {"r=@x,r=@x,s=" SCRAM_SALT ",i=4096", "no s="},
    {"r=@x,s=" SCRAM_SALT ",s=" SCRAM_SALT ",i=4096", "no i="},
    {"r=@x,s=" SCRAM_SALT ",i=4096,i=4097", "i= a second time"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,r=@y", "r= a second time"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,s=AAAA", "s= a second time"},
    /* The nonce must be ours and more. */
    {"r=@,s=" SCRAM_SALT ",i=4096", "added nothing"},
    {"r=x,s=" SCRAM_SALT ",i=4096", "does not begin with ours"},
    {"r=x@,s=" SCRAM_SALT ",i=4096", "does not begin with ours"},
    {"r=rOprNGfwEbeRWgbNEkqO0123456789012345678901234567890,s=" SCRAM_SALT ",i=4096",
     "begin with ours"},
    {"r=@ x,s=" SCRAM_SALT ",i=4096", "not printable"},
    {"r=@\xc3\xa9,s=" SCRAM_SALT ",i=4096", "not printable"},
    /* Salt. */
    {"r=@x,s=*,i=4096", "no base64"},
    {"r=@x,s=QUJ,i=4096", "no base64"},
    {"r=@x,s=QUJDQ,i=4096", "no base64"},
    {"r=@x,s=QR==,i=4096", "no base64"},
    {"r=@x,s====,i=4096", "no base64"},
    /* Iterations. */
    {"r=@x,s=" SCRAM_SALT ",i=0", "no number"},
    {"r=@x,s=" SCRAM_SALT ",i=1", "asks for 1 SCRAM iterations"},
    {"r=@x,s=" SCRAM_SALT ",i=-1", "no number"},
    {"r=@x,s=" SCRAM_SALT ",i=+4096", "no number"},
    {"r=@x,s=" SCRAM_SALT ",i=04096", "no number"},
    {"r=@x,s=" SCRAM_SALT ",i= 4096", "no number"},
    {"r=@x,s=" SCRAM_SALT ",i=4096 ", "no number"},
    {"r=@x,s=" SCRAM_SALT ",i=4e5", "no number"},
    {"r=@x,s=" SCRAM_SALT ",i=0x1000", "no number"},
    {"r=@x,s=" SCRAM_SALT ",i=4095", "asks for 4095"},
    {"r=@x,s=" SCRAM_SALT ",i=1000001", "sasl.scram.iterations.max is 1000000"},
    {"r=@x,s=" SCRAM_SALT ",i=2147483647", "asks for 2147483647"},
    {"r=@x,s=" SCRAM_SALT ",i=2147483648", "more than 2147483647"},
    {"r=@x,s=" SCRAM_SALT ",i=4294971392", "more than 2147483647"},
    {"r=@x,s=" SCRAM_SALT ",i=18446744073709555712", "more than 2147483647"},
    {"r=@x,s=" SCRAM_SALT ",i=99999999999999999999999999999", "more than 2147483647"},
    /* Extensions. */
    {"m=x,r=@x,s=" SCRAM_SALT ",i=4096", "(m=)"},
    {"r=@x,m=x,s=" SCRAM_SALT ",i=4096", "(m=)"},
    {"r=@x,s=" SCRAM_SALT ",m=x,i=4096", "(m=)"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,m=x", "(m=)"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,", "no extension"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,x", "no extension"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,=x", "no extension"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,1=x", "no extension"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,x=", "empty extension"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,x=1,,y=1", "no extension"},
    /* Bytes. */
    {"r=@x\n,s=" SCRAM_SALT ",i=4096", "control character"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,x=\x7f", "control character"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,x=\xff", "not UTF-8"},
    {"r=@x,s=" SCRAM_SALT ",i=4096,x=\xc3", "not UTF-8"},
    /* An error where another message belongs. */
    {"e=unknown-user", "no such user"},
    {"e=other-error,x=1", "its log says more"},
    {"e=\xc3\xa9vil", "\xc3\xa9vil"},
    {"e=", "empty e="},
    {"v=AAAA", "no r="},
};

static void expect_failed(scram_talk *t, kloop_sasl_verdict verdict, const char *why,
                          const char *message)
{
    if (verdict != KLOOP_SASL_FAILED)
        fail_msg("\"%s\" was taken: %d", message, (int)verdict);
    if (!strstr(t->step.why, why))
        fail_msg("\"%s\": \"%s\" does not tell of \"%s\"", message, t->step.why, why);
    assert_null(strstr(t->step.why, "pencil"));
    /* It stays so. */
    assert_int_equal(scram_work(t), KLOOP_SASL_FAILED);
    assert_int_equal(scram_tell(t, "r=x,s=AAAA,i=4096"), KLOOP_SASL_FAILED);
    assert_int_equal(scram_tell(t, "v=AAAA"), KLOOP_SASL_FAILED);
}

static void replace_nonce(char *to, const char *pattern, const char *nonce)
{
    for (; *pattern; pattern++) {
        if (*pattern == '@') {
            memcpy(to, nonce, 32);
            to += 32;
        } else {
            *to++ = *pattern;
        }
    }
    *to = '\0';
}

static void first_messages_that_lie(void **state)
{
    (void)state;
    scram_client c;
    scram_client_init(&c, KL_SHA2_256, "user", "pencil");
    for (size_t i = 0; i < sizeof bad_firsts / sizeof bad_firsts[0]; i++) {
        scram_talk t;
        char message[512];
        scram_talk_begin(&t, &c.mechanism);
        replace_nonce(message, bad_firsts[i].message, scram_nonce_of(&t));
        expect_failed(&t, scram_tell(&t, message), bad_firsts[i].why, message);
        scram_talk_end(&t);
    }
    scram_client_deinit(&c);
}

/* Zeroes end no message here. */
static void zero_bytes(void **state)
{
    (void)state;
    scram_client c;
    scram_client_init(&c, KL_SHA2_256, "user", "pencil");
    scram_talk t;
    scram_talk_begin(&t, &c.mechanism);
    char message[256];
    replace_nonce(message, "r=@x,s=" SCRAM_SALT ",i=4096", scram_nonce_of(&t));
    size_t len = strlen(message) + 1;
    for (size_t i = 0; i < len; i++) {
        scram_talk other;
        scram_talk_begin(&other, &c.mechanism);
        char spoilt[256];
        replace_nonce(spoilt, "r=@x,s=" SCRAM_SALT ",i=4096", scram_nonce_of(&other));
        spoilt[i] = '\0';
        kloop_slice bytes = {(const uint8_t *)spoilt, len};
        expect_failed(&other, scram_tell_bytes(&other, bytes), "control character", spoilt);
        scram_talk_end(&other);
    }
    scram_talk_end(&t);
    scram_client_deinit(&c);
}

/* Salts and nonces of every size up to and over what is taken; and a whole lot. */
static void sizes(void **state)
{
    (void)state;
    scram_client c;
    scram_client_init(&c, KL_SHA2_256, "user", "pencil");
    const size_t huge = (size_t)100 << 20;
    char *message = malloc(huge + 100);
    for (size_t salt_len = 1020; salt_len <= 1030; salt_len++) {
        scram_talk t;
        uint8_t salt[1100];
        memset(salt, 0x55, sizeof salt);
        scram_talk_begin(&t, &c.mechanism);
        replace_nonce(message, "r=@x,s=", scram_nonce_of(&t));
        size_t len = strlen(message);
        kl_base64_encode(message + len, salt, salt_len);
        len += kl_base64_encoded_len(salt_len);
        strcpy(message + len, ",i=4096");
        if (salt_len <= KL_SCRAM_SALT_MAX)
            assert_int_equal(scram_tell(&t, message), KLOOP_SASL_WORK);
        else
            expect_failed(&t, scram_tell(&t, message), "salt has", "a long salt");
        scram_talk_end(&t);
    }
    for (size_t more = 990; more <= 995; more++) {
        scram_talk t;
        scram_talk_begin(&t, &c.mechanism);
        replace_nonce(message, "r=@", scram_nonce_of(&t));
        memset(message + 34, 'n', more);
        strcpy(message + 34 + more, ",s=" SCRAM_SALT ",i=4096");
        if (32 + more <= KL_SCRAM_NONCE_MAX)
            scram_work_to_end(&t, scram_tell(&t, message));
        else
            expect_failed(&t, scram_tell(&t, message), "nonce has", "a long nonce");
        scram_talk_end(&t);
    }
    for (size_t len = KL_SCRAM_MESSAGE_MAX - 1; len <= KL_SCRAM_MESSAGE_MAX + 1; len++) {
        scram_talk t;
        scram_talk_begin(&t, &c.mechanism);
        replace_nonce(message, "r=@x,s=" SCRAM_SALT ",i=4096,x=", scram_nonce_of(&t));
        size_t begin = strlen(message);
        memset(message + begin, 'x', len - begin);
        kloop_sasl_verdict verdict =
            scram_tell_bytes(&t, (kloop_slice){(const uint8_t *)message, len});
        assert_int_equal(verdict, len <= KL_SCRAM_MESSAGE_MAX ? KLOOP_SASL_SAY : KLOOP_SASL_FAILED);
        scram_talk_end(&t);
    }
    scram_talk t;
    scram_talk_begin(&t, &c.mechanism);
    replace_nonce(message, "r=@x,s=", scram_nonce_of(&t));
    memset(message + 37, 'A', huge);
    expect_failed(&t, scram_tell_bytes(&t, (kloop_slice){(const uint8_t *)message, huge}),
                  "more than 8192 are not read", "100 MB");
    scram_talk_end(&t);
    free(message);
    scram_client_deinit(&c);
}

static const struct {
    const char *message; /* @: the right signature */
    const char *why;
} bad_finals[] = {
    {"", "no v="},
    {"v=", "empty v="},
    {"v=AAAA", "not 32 bytes"},
    {"v=@=", "not 32 bytes"},
    {"v=@AAAA", "not 32 bytes"},
    {"@", "no v="},
    {"V=@", "no v="},
    {"x=1,v=@", "no v="},
    {"v=@,v=@", "v= a second time"},
    {"v=@,", "no extension"},
    {"v=@,m=1", "(m=)"},
    {"m=1,v=@", "(m=)"},
    {"v=@\n", "control character"},
    {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "signature is wrong"},
    {"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "signature is wrong"},
    {"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", "not 32 bytes"},
    {"e=invalid-proof", "the password is wrong"},
    {"e=invalid-proof,v=@", "the password is wrong"},
    {"e=no-resources", "no resources"},
    {"e=channel-binding-not-supported", "channel-binding-not-supported"},
    {"e=", "empty e="},
    {"r=@x,s=" SCRAM_SALT ",i=4096", "no v="},
};

static void final_messages_that_lie(void **state)
{
    (void)state;
    scram_client c;
    scram_server s = {
        .kind = KL_SHA2_256, .password = "pencil", .salt = SCRAM_SALT, .iterations = 4096};
    scram_client_init(&c, KL_SHA2_256, "user", "pencil");
    for (size_t i = 0; i < sizeof bad_finals / sizeof bad_finals[0]; i++) {
        scram_talk t;
        char final[128], message[512];
        scram_talk_to_final(&t, &s, &c, final);
        char *to = message;
        for (const char *from = bad_finals[i].message; *from; from++) {
            if (*from == '@')
                to += sprintf(to, "%s", final + 2);
            else
                *to++ = *from;
        }
        *to = '\0';
        expect_failed(&t, scram_tell(&t, message), bad_finals[i].why, message);
        scram_talk_end(&t);
    }
    /* Each bit of it counts. */
    for (size_t bit = 0; bit < 256; bit++) {
        scram_talk t;
        char final[128];
        uint8_t bytes[48];
        size_t len;
        kl_base64_fault fault;
        scram_talk_to_final(&t, &s, &c, final);
        assert_true(kl_base64_decode(bytes, &len, final + 2, strlen(final + 2), &fault));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        kl_base64_encode(final + 2, bytes, len);
        expect_failed(&t, scram_tell(&t, final), "signature is wrong", final);
        scram_talk_end(&t);
    }
    scram_client_deinit(&c);
}

static void rounds_too_many_and_too_few(void **state)
{
    (void)state;
    scram_client c;
    scram_talk t;
    scram_server s = {
        .kind = KL_SHA2_512, .password = "pencil", .salt = SCRAM_SALT, .iterations = 4096};
    char final[128];
    scram_client_init(&c, KL_SHA2_512, "user", "pencil");
    /* The end where the beginning belongs. */
    scram_talk_begin(&t, &c.mechanism);
    expect_failed(&t, scram_tell(&t, "v=AAAA"), "no r=", "v=");
    scram_talk_end(&t);
    /* Something while we work. */
    scram_talk_begin(&t, &c.mechanism);
    scram_serve_first(&s, &t, "x");
    assert_int_equal(scram_tell(&t, s.first), KLOOP_SASL_WORK);
    expect_failed(&t, scram_tell(&t, s.first), "not its turn", s.first);
    scram_talk_end(&t);
    /* Work that nobody has. */
    scram_talk_begin(&t, &c.mechanism);
    expect_failed(&t, scram_work(&t), "nothing to work on", "");
    scram_talk_end(&t);
    /* One more after the end. */
    scram_talk_to_final(&t, &s, &c, final);
    assert_int_equal(scram_tell(&t, final), KLOOP_SASL_DONE);
    expect_failed(&t, scram_tell(&t, final), "after the end", final);
    scram_talk_end(&t);
    /* The wrong password: the server's proof is not what ours says. */
    s.password = "pencil";
    scram_client_deinit(&c);
    scram_client_init(&c, KL_SHA2_512, "user", "crayon");
    scram_talk_begin(&t, &c.mechanism);
    scram_serve_first(&s, &t, "x");
    scram_work_to_end(&t, scram_tell(&t, s.first));
    expect_failed(&t,
                  scram_tell(&t,
                             "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                             "AAAAAAAAAAAAAAAAAAAAAA=="),
                  "signature is wrong", "");
    scram_talk_end(&t);
    scram_client_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_messages_that_lie),
        cmocka_unit_test(zero_bytes),
        cmocka_unit_test(sizes),
        cmocka_unit_test(final_messages_that_lie),
        cmocka_unit_test(rounds_too_many_and_too_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
