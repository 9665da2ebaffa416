/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TLS channel whose peer is a real server behind a wire that the input cuts, changes and adds to,
 * or that is nothing but the input: nobody comes up whose certificate was not verified, and what is
 * read is what the other side wrote, from its first byte on, without a gap.
 *
 * Input: what is set (1 byte), then a script of steps. Keys and nonces are OpenSSL's and differ
 * from run to run, so that an input says what happens, and not with which bytes.
 */
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"
#include "tests/support/tls_server.h"

#include <openssl/err.h>

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 300

enum {
    SET_VERSIONS = 3, /* 0, 3: both; 1: 1.2; 2: 1.3 */
    SET_RAW = 4,      /* the peer is no TLS server */
    SET_OTHER_CA = 8, /* and one that must not be trusted */
    SET_OTHER_HOST = 16,
    SET_DEMAND = 32, /* a certificate, which there is not */
};

static kl_tls_pair ca, own, other;
static char *ca_pem, *other_pem;

/* Certificates say nothing of an input; all have the same. */
static void make_certificates(void)
{
    if (ca_pem)
        return;
    ca = kl_tls_pair_make(&(kl_tls_wish){.name = "Fuzz CA", .is_ca = true}, NULL);
    other = kl_tls_pair_make(&(kl_tls_wish){.name = "Fuzz CA", .is_ca = true}, NULL);
    own = kl_tls_pair_make(&(kl_tls_wish){.name = "broker1", .names = "DNS:broker1"}, &ca);
    ca_pem = kl_tls_pem_certificate(&ca);
    other_pem = kl_tls_pem_certificate(&other);
}

typedef struct trial {
    kloop_tls *tls;
    SSL_CTX *ctx;
    kl_tls_wire w;
    unsigned set;
    /* Plain text is numbered: byte n of a side is a function of n. */
    uint64_t wrote[2], read[2];
    bool ended;
} trial;

static uint8_t byte_at(uint64_t n)
{
    return (uint8_t)(n * 131 >> 3 ^ n);
}

static void begin(trial *t)
{
    static const char *const versions[] = {"TLSv1.2,TLSv1.3", "TLSv1.2", "TLSv1.3",
                                           "TLSv1.2,TLSv1.3"};
    kloop_config *config = kloop_config_new(NULL);
    kloop_now now = {.mono_ns = 1, .wall_ms = KL_TLS_TEST_WALL_MS};
    kloop_config_set(config, "bootstrap.servers", "broker1:9093");
    kloop_config_set(config, "security.protocol", "SSL");
    kloop_config_set(config, "ssl.enabled.protocols", versions[t->set & SET_VERSIONS]);
    kloop_config_set(config, "ssl.truststore.certificates",
                     t->set & SET_OTHER_CA ? other_pem : ca_pem);
    KL_FUZZ_CHECK(kloop_tls_new(&t->tls, config, NULL, now, NULL) == KLOOP_OK);
    kloop_config_del(config);
    t->ctx = kl_tls_server_context(&own, NULL);
    if (t->set & SET_DEMAND)
        kl_tls_server_demand(t->ctx, &ca);
    kloop_tls_channel *c;
    kloop_string host = {t->set & SET_OTHER_HOST ? "broker2" : "broker1", 7};
    KL_FUZZ_CHECK(kloop_tls_channel_new(&c, t->tls, host, 9093, now, NULL) == KLOOP_OK);
    kl_tls_wire_init(&t->w, c, t->ctx);
}

static void end(trial *t)
{
    kloop_tls_channel *c = t->w.client;
    kl_tls_wire_deinit(&t->w);
    kloop_tls_channel_del(c);
    kloop_tls_del(t->tls);
    SSL_CTX_free(t->ctx);
    KL_FUZZ_CHECK(ERR_peek_error() == 0);
}

/* What must be true at any time. */
static void check(const trial *t)
{
    const kloop_tls_channel *c = t->w.client;
    kloop_tls_facts facts;
    kloop_tls_state state = kloop_tls_state_of(c);
    KL_FUZZ_CHECK(kloop_tls_output(c).len <= 512 << 10);
    KL_FUZZ_CHECK((kloop_tls_why(c)[0] != 0) == (state == KLOOP_TLS_FAILED));
    KL_FUZZ_CHECK(state == KLOOP_TLS_FAILED || !kloop_tls_untrusted(c));
    if (state == KLOOP_TLS_SHAKING || state == KLOOP_TLS_FAILED)
        return;
    KL_FUZZ_CHECK(!(t->set & (SET_RAW | SET_OTHER_CA | SET_OTHER_HOST)));
    kloop_tls_facts_of(c, &facts);
    KL_FUZZ_CHECK(!strcmp(facts.verdict, "ok") && facts.certificate_count >= 1);
}

/* ---- Steps ---- */

/* So many bytes to one side, as the wire has them. */
static void deliver(trial *t, int side, size_t n)
{
    uint8_t bytes[4096];
    char *waiting;
    kloop_tls_channel *c = t->w.client;
    n = n < sizeof bytes ? n : sizeof bytes;
    if (side == 0) {
        kloop_slice out = kloop_tls_output(c);
        n = n < out.len ? n : out.len;
        if (n == 0)
            return;
        KL_FUZZ_CHECK(BIO_write(t->w.to_server, out.data, (int)n) == (int)n);
        kloop_tls_sent(c, n);
        if (!t->w.server_up)
            t->w.server_up = SSL_do_handshake(t->w.server) == 1;
        ERR_clear_error();
        return;
    }
    size_t room, have = (size_t)BIO_get_mem_data(t->w.from_server, &waiting);
    uint8_t *space = kloop_tls_receive_space(c, &room);
    n = n < have ? n : have;
    n = n < room ? n : room;
    if (!space || n == 0)
        return;
    BIO_read(t->w.from_server, space, (int)n);
    kloop_tls_received(c, n);
}

static void feed(trial *t, kloop_slice bytes)
{
    size_t room;
    uint8_t *space = kloop_tls_receive_space(t->w.client, &room);
    if (!space || bytes.len == 0 || bytes.len > room)
        return;
    memcpy(space, bytes.data, bytes.len);
    kloop_tls_received(t->w.client, bytes.len);
}

static void flip(trial *t, size_t at, uint8_t mask)
{
    char *waiting;
    size_t have = (size_t)BIO_get_mem_data(t->w.from_server, &waiting);
    if (at < have)
        waiting[at] = (char)((uint8_t)waiting[at] ^ mask);
}

static void client_writes(trial *t, kl_drawn *d)
{
    uint8_t bytes[20000];
    size_t len = kl_drawn_u16(d) % sizeof bytes;
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(t->wrote[0] + i);
    kloop_slice slices[8];
    size_t count = kl_drawn_cuts(d, (kloop_slice){bytes, len}, slices, 8);
    size_t n = kloop_tls_write(t->w.client, slices, count);
    KL_FUZZ_CHECK(n <= len);
    t->wrote[0] += n;
}

static void server_writes(trial *t, size_t len)
{
    uint8_t bytes[20000];
    size_t n;
    len = len % sizeof bytes;
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(t->wrote[1] + i);
    if (t->w.server_up && len && SSL_write_ex(t->w.server, bytes, len, &n) == 1)
        t->wrote[1] += n;
    ERR_clear_error();
}

static void reads(trial *t, int side, size_t room)
{
    uint8_t bytes[20000];
    size_t n = 0;
    room = room % sizeof bytes + 1;
    if (side == 0)
        n = kloop_tls_read(t->w.client, bytes, room);
    else if (t->w.server_up && SSL_read_ex(t->w.server, bytes, room, &n) != 1)
        n = 0;
    if (side == 1)
        ERR_clear_error();
    for (size_t i = 0; i < n; i++)
        KL_FUZZ_CHECK(bytes[i] == byte_at(t->read[side] + i));
    t->read[side] += n;
    KL_FUZZ_CHECK(t->read[side] <= t->wrote[!side]);
}

static void step(trial *t, kl_drawn *d)
{
    switch (kl_drawn_below(d, 12)) {
    case 0:
    case 1:
        deliver(t, 0, kl_drawn_u16(d));
        break;
    case 2:
    case 3:
        if (!(t->set & SET_RAW))
            deliver(t, 1, kl_drawn_u16(d));
        break;
    case 4:
        feed(t, kl_drawn_bytes(d, kl_drawn_u8(d)));
        break;
    case 5: {
        size_t at = kl_drawn_u16(d);
        flip(t, at, kl_drawn_u8(d));
        break;
    }
    case 6:
        client_writes(t, d);
        break;
    case 7:
        server_writes(t, kl_drawn_u16(d));
        break;
    case 8:
        reads(t, 0, kl_drawn_u16(d));
        break;
    case 9:
        reads(t, 1, kl_drawn_u16(d));
        break;
    case 10:
        if (t->w.server_up && SSL_version(t->w.server) == TLS1_3_VERSION &&
            SSL_key_update(t->w.server, SSL_KEY_UPDATE_REQUESTED))
            SSL_do_handshake(t->w.server);
        ERR_clear_error();
        break;
    default:
        switch (kl_drawn_below(d, 16)) {
        case 0:
            kloop_tls_received_end(t->w.client);
            break;
        case 1:
            kloop_tls_finish(t->w.client);
            break;
        case 2:
            if (t->w.server_up)
                SSL_shutdown(t->w.server);
            ERR_clear_error();
            break;
        default:
            /* Straight on: both sides until nothing moves. */
            if (!(t->set & SET_RAW))
                kl_tls_wire_run(&t->w);
            break;
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    make_certificates();
    kl_drawn d = kl_drawn_from(data, size);
    trial t = {.set = kl_drawn_u8(&d)};
    begin(&t);
    for (int i = 0; i < STEPS_MAX && kl_drawn_left(&d) > 0; i++) {
        step(&t, &d);
        check(&t);
    }
    kl_fuzz_feature((uint32_t)kloop_tls_state_of(t.w.client) << 8 | t.set);
    end(&t);
    return 0;
}
