/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS: what plain text costs on its way through a channel of <kloop/tls.h>, against what the cipher
 * alone costs for the same bytes, as `openssl speed -evp` measures it. TLS 1.3, no socket: what has
 * become cipher text is dropped.
 */
#include "bench/bench.h"
#include "tests/support/tls_server.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024u

static uint8_t plain[256 * KIB];

/* ---- The cipher alone ---- */

struct cipher {
    EVP_CIPHER_CTX *ctx;
    size_t len;
};

static void run_cipher(void *me, uint64_t iterations)
{
    struct cipher *c = me;
    static uint8_t out[16 * KIB + 64];
    int n;
    while (iterations--)
        EVP_EncryptUpdate(c->ctx, out, &n, plain, (int)c->len);
    bench_keep(out);
}

static EVP_CIPHER_CTX *cipher_of(const EVP_CIPHER *cipher)
{
    static const unsigned char key[32] = {1}, iv[12] = {2};
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv);
    return ctx;
}

/* ---- A channel ---- */

static kl_tls_pair ca, own;
static SSL_CTX *server;

struct channel {
    kloop_tls *tls;
    kl_tls_wire wire;
    kloop_slice slices[512];
    size_t count;
    size_t len;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_tls: %s\n", what);
    exit(2);
}

static kloop_tls *client_of(const char *suite)
{
    kloop_config *config = kloop_config_new(NULL);
    kloop_now now = {.mono_ns = 1, .wall_ms = KL_TLS_TEST_WALL_MS};
    char *pem = kl_tls_pem_certificate(&ca);
    kloop_config_set(config, "bootstrap.servers", "broker1:9093");
    kloop_config_set(config, "security.protocol", "SSL");
    kloop_config_set(config, "ssl.truststore.certificates", pem);
    kloop_config_set(config, "ssl.cipher.suites", suite);
    free(pem);
    kloop_tls *tls;
    kloop_error error;
    if (kloop_tls_new(&tls, config, NULL, now, &error) != KLOOP_OK)
        fail(error.text);
    kloop_config_del(config);
    return tls;
}

static void open_channel(struct channel *c, const char *suite, size_t slice, size_t count)
{
    kloop_now now = {.mono_ns = 1, .wall_ms = KL_TLS_TEST_WALL_MS};
    kloop_tls_channel *channel;
    c->tls = client_of(suite);
    if (kloop_tls_channel_new(&channel, c->tls, (kloop_string){"broker1", 7}, 1, now, NULL) !=
        KLOOP_OK)
        fail("no channel");
    kl_tls_wire_init(&c->wire, channel, server);
    kl_tls_wire_run(&c->wire);
    if (kloop_tls_state_of(channel) != KLOOP_TLS_UP)
        fail(kloop_tls_why(channel));
    c->count = count;
    c->len = 0;
    for (size_t i = 0; i < count; i++) {
        c->slices[i] = (kloop_slice){plain + c->len, slice};
        c->len += slice;
    }
}

static void close_channel(struct channel *c)
{
    kloop_tls_channel *channel = c->wire.client;
    kl_tls_wire_deinit(&c->wire);
    kloop_tls_channel_del(channel);
    kloop_tls_del(c->tls);
}

static void run_write(void *me, uint64_t iterations)
{
    struct channel *c = me;
    while (iterations--) {
        if (kloop_tls_write(c->wire.client, c->slices, c->count) != c->len)
            fail("a write that was not taken");
        kloop_slice out = kloop_tls_output(c->wire.client);
        bench_keep(out.data);
        kloop_tls_sent(c->wire.client, out.len);
    }
}

/* A Produce request: a header of 61 bytes before each segment. */
static void with_headers(struct channel *c, const char *suite)
{
    open_channel(c, suite, 64 * KIB, 1);
    c->slices[0] = (kloop_slice){plain, 61};
    c->slices[1] = (kloop_slice){plain, 64 * KIB - 61};
    c->count = 2;
}

/* ---- A handshake ---- */

static void run_handshake(void *me, uint64_t iterations)
{
    kloop_tls *tls = me;
    uint8_t byte;
    for (uint64_t i = 0; i < iterations; i++) {
        kloop_now now = {.mono_ns = 1, .wall_ms = KL_TLS_TEST_WALL_MS};
        kloop_tls_channel *channel;
        kl_tls_wire wire;
        /* Another port: nothing to take up. */
        kloop_tls_channel_new(&channel, tls, (kloop_string){"broker1", 7}, (uint16_t)i, now, NULL);
        kl_tls_wire_init(&wire, channel, server);
        kl_tls_wire_run(&wire);
        kl_tls_wire_read(&wire, &byte, 1);
        if (kloop_tls_state_of(channel) != KLOOP_TLS_UP)
            fail(kloop_tls_why(channel));
        kl_tls_wire_deinit(&wire);
        kloop_tls_channel_del(channel);
    }
}

int main(int argc, char **argv)
{
    ca = kl_tls_pair_make(&(kl_tls_wish){.name = "Bench CA", .is_ca = true}, NULL);
    own = kl_tls_pair_make(&(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, &ca);
    server = kl_tls_server_context(&own, NULL);
    memset(plain, 0x5a, sizeof plain);

    static const char aes128[] = "TLS_AES_128_GCM_SHA256", aes256[] = "TLS_AES_256_GCM_SHA384";
    struct cipher alone[] = {
        {cipher_of(EVP_aes_128_gcm()), 16 * KIB},
        {cipher_of(EVP_aes_256_gcm()), 16 * KIB},
        {cipher_of(EVP_aes_256_gcm()), KIB},
    };
    static struct channel channels[5];
    open_channel(&channels[0], aes128, 64 * KIB, 1);
    open_channel(&channels[1], aes256, 64 * KIB, 1);
    with_headers(&channels[2], aes256);
    open_channel(&channels[3], aes256, KIB, 64);
    open_channel(&channels[4], aes256, KIB, 1);
    kloop_tls *shaking = client_of(aes256);

    const bench_case cases[] = {
        {"cipher alone aes-128-gcm 16 KiB", run_cipher, &alone[0], 16 * KIB},
        {"cipher alone aes-256-gcm 16 KiB", run_cipher, &alone[1], 16 * KIB},
        {"cipher alone aes-256-gcm 1 KiB", run_cipher, &alone[2], KIB},
        {"write aes-128 a slice of 64 KiB", run_write, &channels[0], 64 * KIB},
        {"write aes-256 a slice of 64 KiB", run_write, &channels[1], 64 * KIB},
        {"write aes-256 a header and 64 KiB", run_write, &channels[2], 64 * KIB},
        {"write aes-256 64 slices of 1 KiB", run_write, &channels[3], 64 * KIB},
        {"write aes-256 1 KiB alone", run_write, &channels[4], KIB},
        {"handshake both ends", run_handshake, shaking, 0},
    };
    /* Four records of 16 KiB against one: 6 is 1.5 times the cipher alone. */
    const bench_ratio ratios[] = {
        {.label = "aes-128: 64 KiB through TLS / 16 KiB of cipher",
         .of = "write aes-128 a slice of 64 KiB",
         .by = "cipher alone aes-128-gcm 16 KiB",
         .at_most = 6},
        {.label = "aes-256: 64 KiB through TLS / 16 KiB of cipher",
         .of = "write aes-256 a slice of 64 KiB",
         .by = "cipher alone aes-256-gcm 16 KiB",
         .at_most = 6},
        {.label = "aes-256: header and 64 KiB / 16 KiB of cipher",
         .of = "write aes-256 a header and 64 KiB",
         .by = "cipher alone aes-256-gcm 16 KiB",
         .at_most = 6},
        {.label = "aes-256: 64 of 1 KiB / 16 KiB of cipher",
         .of = "write aes-256 64 slices of 1 KiB",
         .by = "cipher alone aes-256-gcm 16 KiB",
         .at_most = 6},
        {.label = "aes-256: 1 KiB alone / 1 KiB of cipher",
         .of = "write aes-256 1 KiB alone",
         .by = "cipher alone aes-256-gcm 1 KiB"},
    };
    int code = bench_main("tls", argc, argv, cases, sizeof cases / sizeof cases[0], ratios,
                          sizeof ratios / sizeof ratios[0]);
    for (size_t i = 0; i < 5; i++)
        close_channel(&channels[i]);
    for (size_t i = 0; i < 3; i++)
        EVP_CIPHER_CTX_free(alone[i].ctx);
    kloop_tls_del(shaking);
    SSL_CTX_free(server);
    kl_tls_pair_free(&own);
    kl_tls_pair_free(&ca);
    return code;
}
