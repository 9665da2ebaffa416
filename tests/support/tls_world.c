/* SPDX-License-Identifier: BSD-2-Clause */
/* A client and a broker in one process. See tls_world.h. */
#include "tests/support/tls_world.h"

#include <openssl/err.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void kl_tls_world_init(kl_tls_world *w)
{
    *w = (kl_tls_world){.now = {.mono_ns = 1000000000, .wall_ms = KL_TLS_TEST_WALL_MS}};
    w->ca = kl_tls_pair_make(&(kl_tls_wish){.name = "Test CA", .is_ca = true}, NULL);
    w->own = kl_tls_pair_make(
        &(kl_tls_wish){.name = "broker1",
                       .names = "DNS:broker1,DNS:*.example.org,IP:127.0.0.1,IP:::1"},
        &w->ca);
    w->config = kloop_config_new(NULL);
    kl_tls_world_set(w, "bootstrap.servers", "broker1:9093");
    kl_tls_world_set(w, "security.protocol", "SSL");
    char *pem = kl_tls_pem_certificate(&w->ca);
    kl_tls_world_set(w, "ssl.truststore.certificates", pem);
    free(pem);
    kl_tls_world_serve(w, &w->own, NULL);
}

void kl_tls_world_deinit(kl_tls_world *w)
{
    kloop_tls_del(w->tls);
    kloop_config_del(w->config);
    SSL_CTX_free(w->server);
    kl_tls_pair_free(&w->own);
    kl_tls_pair_free(&w->ca);
    /* Nothing of ours is left in the queue of the thread. */
    assert_int_equal(ERR_peek_error(), 0);
}

void kl_tls_world_set(kl_tls_world *w, const char *key, const char *value)
{
    if (kloop_config_set(w->config, key, value) != KLOOP_OK)
        fail_msg("%s", kloop_config_error(w->config));
}

void kl_tls_world_open(kl_tls_world *w)
{
    kloop_error error;
    if (kloop_tls_new(&w->tls, w->config, w->alloc, w->now, &error) != KLOOP_OK)
        fail_msg("%s", error.text);
    assert_non_null(w->tls);
    assert_string_equal(error.text, "");
}

static void expect_words(const char *text, va_list words)
{
    for (const char *word; (word = va_arg(words, const char *)) != NULL;)
        if (!strstr(text, word))
            fail_msg("'%s' is not in: %s", word, text);
    if (getenv("KLOOP_TEST_SHOW"))
        print_message("    %s\n", text);
}

void kl_tls_world_refused(kl_tls_world *w, ...)
{
    kloop_error error;
    assert_int_equal(kloop_tls_new(&w->tls, w->config, w->alloc, w->now, &error), KLOOP_BAD_CONFIG);
    assert_null(w->tls);
    assert_int_equal(error.status, KLOOP_BAD_CONFIG);
    va_list words;
    va_start(words, w);
    expect_words(error.text, words);
    va_end(words);
    assert_int_equal(ERR_peek_error(), 0);
}

void kl_tls_world_serve(kl_tls_world *w, const kl_tls_pair *own, const kl_tls_pair *const *chain)
{
    SSL_CTX_free(w->server);
    w->server = kl_tls_server_context(own, chain);
}

void kl_tls_world_connect(kl_tls_world *w, const char *host)
{
    kloop_error error;
    if (kloop_tls_channel_new(&w->c, w->tls, (kloop_string){host, strlen(host)}, 9093, w->now,
                              &error) != KLOOP_OK)
        fail_msg("%s", error.text);
    kl_tls_wire_init(&w->wire, w->c, w->server);
}

void kl_tls_world_disconnect(kl_tls_world *w)
{
    kl_tls_wire_deinit(&w->wire);
    kloop_tls_channel_del(w->c);
    w->c = NULL;
}

void kl_tls_world_up(kl_tls_world *w)
{
    kl_tls_wire_run(&w->wire);
    if (kloop_tls_state_of(w->c) != KLOOP_TLS_UP)
        fail_msg("state %d: %s", (int)kloop_tls_state_of(w->c), kloop_tls_why(w->c));
    assert_string_equal(kloop_tls_why(w->c), "");
}

void kl_tls_world_fails(kl_tls_world *w, int untrusted, ...)
{
    uint8_t byte;
    kl_tls_wire_run(&w->wire);
    /* What the broker says after the handshake, in 1.3. */
    if (kloop_tls_state_of(w->c) == KLOOP_TLS_UP)
        assert_int_equal(kl_tls_wire_read(&w->wire, &byte, 1), 0);
    assert_int_equal(kloop_tls_state_of(w->c), KLOOP_TLS_FAILED);
    va_list words;
    va_start(words, untrusted);
    expect_words(kloop_tls_why(w->c), words);
    va_end(words);
    assert_int_equal(kloop_tls_untrusted(w->c), untrusted != 0);
    assert_int_equal(ERR_peek_error(), 0);
}

/* ---- Talking ---- */

/* What is left of slices when so much is taken. */
static size_t rest_of(const kloop_slice *slices, size_t count, size_t taken, kloop_slice *rest)
{
    for (size_t i = 0; i < count; i++) {
        size_t cut = taken < slices[i].len ? taken : slices[i].len;
        taken -= cut;
        rest[i] = (kloop_slice){slices[i].data + cut, slices[i].len - cut};
    }
    return count;
}

void kl_tls_world_talk(kl_tls_world *w, size_t len)
{
    enum { SLICES = 6 };
    uint8_t *sent = malloc(len), *got = malloc(len);
    assert_true(sent && got);
    for (size_t i = 0; i < len; i++)
        sent[i] = (uint8_t)((i * 31 + 7) ^ (i >> 8));
    /* A header, nothing, a large one, a byte, the rest but one, one. */
    kloop_slice slices[SLICES] = {{0}};
    const size_t sizes[SLICES] = {61, 0, len / 3, 1, len, 1};
    for (size_t i = 0, at = 0; i < SLICES; i++) {
        size_t n = sizes[i] < len - at ? sizes[i] : len - at;
        slices[i] = (kloop_slice){sent + at, n};
        at += n;
    }
    size_t taken = 0, got_len = 0;
    while (taken < len) {
        kloop_slice rest[SLICES];
        size_t n = kloop_tls_write(w->c, rest, rest_of(slices, SLICES, taken, rest));
        taken += n;
        got_len += kl_tls_wire_server_read(&w->wire, got + got_len, len - got_len);
        if (kloop_tls_state_of(w->c) != KLOOP_TLS_UP)
            fail_msg("%s", kloop_tls_why(w->c));
        assert_true(n > 0);
    }
    got_len += kl_tls_wire_server_read(&w->wire, got + got_len, len - got_len);
    assert_int_equal(got_len, len);
    assert_memory_equal(sent, got, len);
    memset(got, 0, len);
    kl_tls_wire_server_write(&w->wire, sent, len);
    assert_int_equal(kl_tls_wire_read(&w->wire, got, len), len);
    assert_memory_equal(sent, got, len);
    free(sent);
    free(got);
}
