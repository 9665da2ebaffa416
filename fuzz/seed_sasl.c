/* SPDX-License-Identifier: BSD-2-Clause */
/* Seeds of SASL; see seed_sasl.h. */
#include "fuzz/seed_sasl.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

#include <string.h>

typedef void (*take_fn)(const char *target, const kl_buf *bytes, const char *what);

static void put(kl_buf *b, const void *data, size_t len)
{
    KL_FUZZ_CHECK(kl_buf_append(b, data, len));
}

static void put_byte(kl_buf *b, int byte)
{
    KL_FUZZ_CHECK(kl_buf_append_byte(b, (uint8_t)byte));
}

static void put_text(kl_buf *b, const char *text)
{
    size_t len = strlen(text);
    put_byte(b, (int)(len >> 8));
    put_byte(b, (int)(len & 0xff));
    put(b, text, len);
}

/* What a broker may say first and last; 1 is the client's nonce, 2 the right signature. */
static void scram_talks(take_fn take)
{
    static const char *const firsts[] = {
        "r=\1x,s=QUJD,i=4096",
        "r=\1+/,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4100,x=1,yz=a=b",
        "r=\1,s=QUJD,i=4096",
        "r=x\1,s=QUJD,i=4096",
        "m=1,r=\1x,s=QUJD,i=4096",
        "r=\1x,s=,i=4096",
        "r=\1x,s=QUJD,i=4095",
        "r=\1x,s=QUJD,i=2147483648",
        "r=\1x,s=QUJD,i=4096,i=4096",
        "e=unknown-user",
        "",
    };
    static const char *const finals[] = {"v=\2", "v=\2,x=1", "v=AAAA", "e=invalid-proof", ""};
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        for (size_t k = 0; k < (i < 2 ? sizeof finals / sizeof finals[0] : 1); k++) {
            kl_buf b;
            kl_buf_init(&b, &kl_mem_libc);
            put_byte(&b, (int)(i + k) & 3);
            put_text(&b, firsts[i]);
            put_text(&b, finals[k]);
            put_text(&b, "v=\2");
            take("scram", &b, firsts[i]);
            kl_buf_deinit(&b);
        }
    }
}

static void jaas_texts(take_fn take)
{
    static const char *const texts[] = {
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" "
        "password=\"alice-secret\";",
        "org.apache.kafka.common.security.scram.ScramLoginModule   required username='a'\n"
        " password='b\\'\\\\\\101\\377\\n' tokenauth=true ;\n",
        "/* c */ OAuthBearerLoginModule Optional unsecuredLoginStringClaim_sub=\"a\" // end\n;",
        "m required a=b a=c / comment\r\n d=\"\xc3\xbc\xe2\x82\xac\" \xc2\xa0=$;",
        "m required a=\"b;",
        "m required a==b;",
        "m required; m required;",
        "m",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int nth = 0; nth < 3; nth += 2) {
            kl_buf b;
            kl_buf_init(&b, &kl_mem_libc);
            put_byte(&b, nth);
            put(&b, texts[i], strlen(texts[i]));
            take("jaas", &b, texts[i]);
            kl_buf_deinit(&b);
        }
    }
}

static void oauthbearer_talks(take_fn take)
{
    static const char *const answers[] = {"", "{\"status\":\"invalid_token\",\"scope\":\"a b\"}",
                                          "x"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        for (int makes = 0; makes < 2; makes++) {
            kl_buf b;
            kl_buf_init(&b, &kl_mem_libc);
            put_byte(&b, makes);
            put_byte(&b, i == 2 ? 3 : 0);
            put_text(&b, "12.5e3");
            put_text(&b, "7");
            put(&b, "\0\0\x0e\x10", 4);
            if (!makes) {
                put_text(&b, "eyJhbGciOiJub25lIn0.e30.");
                put_byte(&b, 1);
                put_text(&b, "logicalCluster");
                put_text(&b, "lkc-1");
                put_byte(&b, 1);
            }
            put_text(&b, answers[i]);
            put_text(&b, answers[i]);
            take("oauthbearer", &b, "a talk with a token");
            kl_buf_deinit(&b);
        }
    }
    static const char *const claims[] = {
        "{\"sub\":\"a\",\"exp\":1.7E9,\"x\":[{\"exp\":\"\\\"\"}]}",
        "a.eyJleHAiOjE3MDAwMDAwMDB9.c",
    };
    for (size_t i = 0; i < 2; i++) {
        kl_buf b;
        kl_buf_init(&b, &kl_mem_libc);
        put(&b, "\2\0\0\0\0\x3c", 6);
        put(&b, claims[i], strlen(claims[i]));
        take("oauthbearer", &b, "the claims of a token");
        kl_buf_deinit(&b);
    }
}

void kl_seed_sasl(take_fn take)
{
    scram_talks(take);
    jaas_texts(take);
    oauthbearer_talks(take);
}
