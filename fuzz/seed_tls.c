/* SPDX-License-Identifier: BSD-2-Clause */
/* Seeds of TLS; see seed_tls.h. What the numbers mean is in fuzz_tls_channel.c. */
#include "fuzz/seed_tls.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

void kl_seed_tls(void (*take)(const char *target, const kl_buf *bytes, const char *what))
{
    static const uint8_t talk[] = {
        11, 3,                                    /* straight on */
        6,  3, 232, 0,                            /* a thousand bytes to the broker */
        7,  7, 208,                               /* two thousand from him */
        11, 3, 9,   16, 0, 8, 16, 0,  10,         /* both read; new keys */
        11, 3, 7,   0,  9, 2, 0,  12, 8,  0, 255, /* nine bytes that come in pieces */
        11, 2, 11,  3,  8, 0, 1,
    };
    static const uint8_t ends[][8] = {
        {11, 0},                  /* cut */
        {11, 1, 11, 3},           /* our goodbye */
        {5, 0, 9, 64, 11, 3},     /* a changed byte */
        {4, 5, 0x15, 3, 3, 0, 2}, /* bytes of a stranger */
    };
    static const uint8_t sets[] = {0, 1, 2, 4, 8, 9, 10, 16, 17, 32, 33, 34};
    for (size_t set = 0; set < sizeof sets; set++)
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
            kl_buf b;
            kl_buf_init(&b, &kl_mem_libc);
            KL_FUZZ_CHECK(kl_buf_append_byte(&b, sets[set]) &&
                          kl_buf_append(&b, talk, sizeof talk) &&
                          kl_buf_append(&b, ends[i], sizeof ends[i]));
            take("tls_channel", &b, "a script of a TLS connection");
            kl_buf_deinit(&b);
        }
}
