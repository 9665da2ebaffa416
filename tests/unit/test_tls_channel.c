/* SPDX-License-Identifier: BSD-2-Clause */
/* driver/tls_channel.c and tls_bytes.c: both ends of a connection in one process, over a wire that
 * cuts bytes into pieces. */
#include "driver/tls_bytes.h"
#include "driver/tls_why.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/tls_world.h"

#include <openssl/err.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};

static void comes_up_and_talks(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        kl_tls_world_init(&w);
        kl_tls_world_set(&w, "ssl.enabled.protocols", versions[v]);
        kl_tls_world_open(&w);
        kl_tls_world_connect(&w, "broker1");
        assert_true(kloop_tls_output(w.c).len > 0);
        assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_SHAKING);
        assert_int_equal(kloop_tls_write(w.c, &(kloop_slice){(const uint8_t *)"x", 1}, 1), 0);
        kl_tls_world_up(&w);
        kloop_tls_facts facts;
        kloop_tls_facts_of(w.c, &facts);
        assert_string_equal(facts.version, versions[v]);
        assert_string_equal(facts.verdict, "ok");
        kl_tls_world_talk(&w, 200000);
        kl_tls_world_disconnect(&w);
        kl_tls_world_deinit(&w);
    }
}

/* Each byte alone, in both directions, in both versions; then other small pieces. */
static void any_pieces_will_do(void **state)
{
    (void)state;
    const size_t pieces[] = {1, 2, 5, 17, 1400};
    for (size_t i = 0; i < 2 * sizeof pieces / sizeof pieces[0]; i++) {
        kl_tls_world w;
        kl_tls_world_init(&w);
        kl_tls_world_set(&w, "ssl.enabled.protocols", versions[i % 2]);
        kl_tls_world_open(&w);
        kl_tls_world_connect(&w, "broker1");
        w.wire.piece_max = pieces[i / 2];
        kl_tls_world_up(&w);
        kl_tls_world_talk(&w, 40000);
        kl_tls_world_disconnect(&w);
        kl_tls_world_deinit(&w);
    }
}

/* A world that is up, as most tests want it. */
static void come_up(kl_tls_world *w, const char *version)
{
    kl_tls_world_init(w);
    kl_tls_world_set(w, "ssl.enabled.protocols", version);
    kl_tls_world_open(w);
    kl_tls_world_connect(w, "broker1");
    kl_tls_world_up(w);
}

static void go_down(kl_tls_world *w)
{
    kl_tls_world_disconnect(w);
    kl_tls_world_deinit(w);
}

/* How many records wait, by their headers; *largest is the longest one. */
static size_t count_records(const kloop_tls_channel *c, size_t *largest)
{
    kloop_slice out = kloop_tls_output(c);
    size_t count = 0;
    *largest = 0;
    for (size_t at = 0; at < out.len; count++) {
        assert_true(out.len - at >= 5);
        size_t len = (size_t)out.data[at + 3] << 8 | out.data[at + 4];
        *largest = len > *largest ? len : *largest;
        at += 5 + len;
        assert_true(at <= out.len);
    }
    return count;
}

/* A header of 61 bytes must not become a record of its own, nor a large slice be cut by it. */
static void small_slices_share_a_record(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    const kloop_slice request[] = {
        {bytes, 61}, {bytes, 16323}, {bytes, 0}, {bytes, 32768}, {bytes, 9}};
    kl_tls_world w;
    come_up(&w, "TLSv1.3");
    size_t largest;
    assert_int_equal(kloop_tls_output(w.c).len, 0);
    assert_int_equal(kloop_tls_write(w.c, request, 5), 61 + 16323 + 32768 + 9);
    /* The first two in one, two large ones, the last byte run alone. */
    assert_int_equal(count_records(w.c, &largest), 4);
    assert_int_equal(largest, 16384 + 17);
    assert_int_equal(kl_tls_wire_server_read(&w.wire, bytes, sizeof bytes), 49161);
    kloop_slice many[100];
    for (size_t i = 0; i < 100; i++)
        many[i] = (kloop_slice){bytes + 100 * i, 100};
    assert_int_equal(kloop_tls_write(w.c, many, 100), 10000);
    assert_int_equal(count_records(w.c, &largest), 1);
    assert_int_equal(kloop_tls_write(w.c, many, 0), 0);
    go_down(&w);
}

static void takes_no_more_than_the_high_water(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 20];
    kl_tls_world w;
    come_up(&w, "TLSv1.3");
    const kloop_slice all = {bytes, sizeof bytes};
    size_t taken = kloop_tls_write(w.c, &all, 1);
    assert_in_range(taken, 100000, 200000);
    assert_int_equal(kloop_tls_write(w.c, &all, 1), 0);
    assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_UP);
    size_t largest;
    count_records(w.c, &largest);
    /* Room comes back as bytes go, from the middle of a record as well. */
    size_t full = kloop_tls_output(w.c).len;
    kloop_slice out = kloop_tls_output(w.c);
    assert_int_equal(BIO_write(w.wire.to_server, out.data, 20001), 20001);
    kloop_tls_sent(w.c, 20001);
    size_t more = kloop_tls_write(w.c, &all, 1);
    assert_true(more > 0);
    assert_true(kloop_tls_output(w.c).len <= full + 20000);
    size_t got = 0;
    for (size_t n; (n = kl_tls_wire_server_read(&w.wire, bytes, sizeof bytes)) > 0;)
        got += n;
    assert_int_equal(got, taken + more);
    go_down(&w);
}

/* 1-byte records one after the other, then the largest, and some without anything in them. */
static void records_of_all_sizes_come(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        uint8_t bytes[20000], got[20000];
        come_up(&w, versions[v]);
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i * 7);
        for (size_t i = 0; i < 1000; i++)
            kl_tls_wire_server_write(&w.wire, bytes + i, 1);
        kl_tls_wire_server_write(&w.wire, bytes + 1000, 16384);
        assert_int_equal(kl_tls_wire_read(&w.wire, got, sizeof got), 17384);
        assert_memory_equal(got, bytes, 17384);
        /* Read in small pieces: what is inside already does not show on the socket. */
        kl_tls_wire_server_write(&w.wire, bytes, 3000);
        kl_tls_wire_run(&w.wire);
        size_t len = 0;
        for (size_t n; (n = kloop_tls_read(w.c, got + len, 7)) > 0;)
            len += n;
        assert_int_equal(len, 3000);
        assert_memory_equal(got, bytes, 3000);
        go_down(&w);
    }
}

static void keys_may_change(void **state)
{
    (void)state;
    kl_tls_world w;
    come_up(&w, "TLSv1.3");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(SSL_key_update(w.wire.server, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(w.wire.server), 1);
        kl_tls_world_talk(&w, 5000);
    }
    go_down(&w);
}

/* A peer that only asks for new keys, and takes nothing: what is owed to him is bounded. */
static void asking_alone_ends(void **state)
{
    (void)state;
    kl_tls_world w;
    uint8_t byte;
    come_up(&w, "TLSv1.3");
    for (int i = 0; i < 100000 && kloop_tls_state_of(w.c) == KLOOP_TLS_UP; i++) {
        SSL_key_update(w.wire.server, SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(w.wire.server);
        char *waiting;
        long n = BIO_get_mem_data(w.wire.from_server, &waiting);
        size_t room;
        uint8_t *space = kloop_tls_receive_space(w.c, &room);
        assert_true(room >= (size_t)n);
        memcpy(space, waiting, (size_t)n);
        (void)BIO_reset(w.wire.from_server);
        kloop_tls_received(w.c, (size_t)n);
        assert_int_equal(kloop_tls_read(w.c, &byte, 1), 0);
        assert_true(kloop_tls_output(w.c).len <= 512 << 10);
    }
    go_down(&w);
}

/* The bound itself, whoever asks. */
static void what_waits_is_bounded(void **state)
{
    (void)state;
    kl_tls_spares spares;
    kl_tls_pipe pipe;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_tls_spares_init(&spares, &alloc);
    kl_tls_pipe_init(&pipe, &spares);
    assert_false(kl_tls_pipe_out_reserve(&pipe, KL_TLS_OUT_MAX_BYTES + 1));
    assert_false(kl_tls_pipe_out_reserve(&pipe, SIZE_MAX));
    assert_int_equal(f.calls, 0);
    assert_true(kl_tls_pipe_out_reserve(&pipe, KL_TLS_OUT_MAX_BYTES));
    pipe.out.tail = KL_TLS_OUT_MAX_BYTES;
    assert_false(kl_tls_pipe_out_reserve(&pipe, 1));
    /* Room at the front is used when it is as much as what waits. */
    kl_tls_pipe_out_sent(&pipe, KL_TLS_OUT_MAX_BYTES / 2 - 1);
    assert_false(kl_tls_pipe_out_reserve(&pipe, 1));
    kl_tls_pipe_out_sent(&pipe, 1);
    assert_true(kl_tls_pipe_out_reserve(&pipe, KL_TLS_OUT_MAX_BYTES / 2));
    assert_int_equal(f.peak_bytes, KL_TLS_OUT_MAX_BYTES);
    kl_tls_pipe_deinit(&pipe);
    kl_tls_spares_deinit(&spares);
    kl_fail_alloc_check(&f);
}

/* ---- Ends ---- */

static void a_goodbye_is_an_end(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        uint8_t got[16];
        come_up(&w, versions[v]);
        kl_tls_wire_server_write(&w.wire, "last", 4);
        SSL_shutdown(w.wire.server);
        assert_int_equal(kl_tls_wire_read(&w.wire, got, 16), 4);
        assert_int_equal(kloop_tls_read(w.c, got, 16), 0);
        assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_ENDED);
        assert_string_equal(kloop_tls_why(w.c), "");
        /* Ours goes out, and the server has seen both. */
        kl_tls_wire_run(&w.wire);
        assert_int_equal(SSL_shutdown(w.wire.server), 1);
        assert_int_equal(kloop_tls_write(w.c, &(kloop_slice){got, 1}, 1), 0);
        size_t room;
        assert_null(kloop_tls_receive_space(w.c, &room));
        kloop_tls_received_end(w.c);
        assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_ENDED);
        go_down(&w);
    }
}

static void an_end_without_goodbye_is_the_networks(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        uint8_t got[16];
        come_up(&w, versions[v]);
        kl_tls_wire_server_write(&w.wire, "last", 4);
        kl_tls_wire_run(&w.wire);
        kloop_tls_received_end(w.c);
        /* What came before it can be read. */
        assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_UP);
        assert_int_equal(kloop_tls_read(w.c, got, 16), 4);
        assert_memory_equal(got, "last", 4);
        kl_tls_world_fails(&w, false, "broker1:9093", "close_notify", NULL);
        go_down(&w);
    }
}

static void an_alert_after_data_is_told(void **state)
{
    (void)state;
    kl_tls_world w;
    uint8_t got[16];
    come_up(&w, "TLSv1.3");
    kl_tls_wire_server_write(&w.wire, "last", 4);
    kl_tls_wire_run(&w.wire);
    /* A record that the server cannot decrypt makes it send an alert. */
    assert_int_equal(
        BIO_write(w.wire.to_server, "\x17\x03\x03\x00\x20garbage garbage garbage garbage", 37), 37);
    assert_int_equal(kl_tls_wire_server_read(&w.wire, got, 16), 0);
    kloop_tls_received_end(w.c);
    kl_tls_wire_run(&w.wire);
    go_down(&w);
    come_up(&w, "TLSv1.2");
    kl_tls_wire_server_write(&w.wire, "last", 4);
    assert_int_equal(
        BIO_write(w.wire.to_server, "\x17\x03\x03\x00\x20garbage garbage garbage garbage", 37), 37);
    assert_int_equal(kl_tls_wire_server_read(&w.wire, got, 16), 0);
    assert_int_equal(kl_tls_wire_read(&w.wire, got, 16), 4);
    kl_tls_world_fails(&w, false, "bad record mac", "broker1:9093", NULL);
    go_down(&w);
}

static void finishing_is_said_once(void **state)
{
    (void)state;
    kl_tls_world w;
    uint8_t byte = 0;
    come_up(&w, "TLSv1.3");
    kloop_tls_finish(w.c);
    size_t len = kloop_tls_output(w.c).len;
    assert_true(len > 0);
    kloop_tls_finish(w.c);
    assert_int_equal(kloop_tls_output(w.c).len, len);
    assert_int_equal(kloop_tls_write(w.c, &(kloop_slice){&byte, 1}, 1), 0);
    /* The other side can still be heard. */
    kl_tls_wire_server_write(&w.wire, "yes", 3);
    uint8_t got[8];
    assert_int_equal(kl_tls_wire_read(&w.wire, got, 8), 3);
    assert_int_equal(kl_tls_wire_server_read(&w.wire, got, 8), 0);
    assert_int_equal(w.wire.server_error, SSL_ERROR_ZERO_RETURN);
    go_down(&w);
}

/* The connection ends after each byte that the broker sends: never a hang, never trust. */
static void an_end_at_each_byte(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        kl_tls_world w;
        kl_tls_world_init(&w);
        kl_tls_world_set(&w, "ssl.enabled.protocols", versions[v]);
        kl_tls_world_open(&w);
        bool up = false;
        for (uint64_t at = 0; !up; at++) {
            kl_tls_world_connect(&w, "broker1");
            w.wire.stop_side = 1;
            w.wire.stop_at = at;
            kl_tls_wire_run(&w.wire);
            up = kloop_tls_state_of(w.c) == KLOOP_TLS_UP;
            if (!up) {
                assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_SHAKING);
                kloop_tls_received_end(w.c);
                kl_tls_world_fails(&w, false, "broker1:9093", "hung up", NULL);
                assert_true(!strstr(kloop_tls_why(w.c), "PLAINTEXT") == (at > 0));
            }
            kl_tls_world_disconnect(&w);
            assert_true(at < 10000);
        }
        kl_tls_world_deinit(&w);
    }
}

/* ---- Hosts and memory ---- */

static void a_host_must_be_one(void **state)
{
    (void)state;
    kl_tls_world w;
    kl_tls_world_init(&w);
    kl_tls_world_open(&w);
    char longest[300];
    memset(longest, 'a', sizeof longest);
    /* A name that begins in a dot would be taken for all names that end in it. */
    const kloop_string bad[] = {{NULL, 0},   {"", 0},        {".", 1},
                                {"a\0b", 3}, {longest, 256}, {".example.org", 12}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        kloop_tls_channel *c;
        kloop_error error;
        assert_int_equal(kloop_tls_channel_new(&c, w.tls, bad[i], 1, w.now, &error),
                         KLOOP_BAD_ARGUMENT);
        assert_null(c);
        assert_true(error.text[0]);
        assert_int_equal(kloop_tls_channel_new(&c, w.tls, bad[i], 1, w.now, NULL),
                         KLOOP_BAD_ARGUMENT);
    }
    kl_tls_world_deinit(&w);
}

/* A round with one allocation of ours refused; whether all went well. */
static bool round_with(const kloop_allocator *alloc, kl_tls_world *w)
{
    kloop_error error;
    w->tls = NULL;
    kloop_status s = kloop_tls_new(&w->tls, w->config, alloc, w->now, &error);
    if (s != KLOOP_OK) {
        assert_int_equal(s, KLOOP_NO_MEMORY);
        return false;
    }
    s = kloop_tls_channel_new(&w->c, w->tls, (kloop_string){"broker1", 7}, 9093, w->now, &error);
    if (s != KLOOP_OK) {
        assert_int_equal(s, KLOOP_NO_MEMORY);
        kloop_tls_del(w->tls);
        w->tls = NULL;
        return false;
    }
    static uint8_t bytes[70000];
    bool good = true;
    kl_tls_wire_init(&w->wire, w->c, w->server);
    kl_tls_wire_run(&w->wire);
    const kloop_slice slices[] = {{bytes, 61}, {bytes, sizeof bytes}};
    size_t taken = kloop_tls_write(w->c, slices, 2);
    good = kloop_tls_state_of(w->c) == KLOOP_TLS_UP && taken == 61 + sizeof bytes;
    if (good) {
        good = kl_tls_wire_server_read(&w->wire, bytes, sizeof bytes) == sizeof bytes;
        kl_tls_wire_server_write(&w->wire, "yes", 3);
        good = good && kl_tls_wire_read(&w->wire, bytes, 3) == 3;
    }
    if (kloop_tls_state_of(w->c) == KLOOP_TLS_FAILED) {
        assert_non_null(strstr(kloop_tls_why(w->c), "memory"));
        assert_false(kloop_tls_untrusted(w->c));
    }
    kl_tls_world_disconnect(w);
    kloop_tls_del(w->tls);
    w->tls = NULL;
    return good;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    kl_tls_world w;
    kl_tls_world_init(&w);
    bool done = false;
    for (size_t nth = 1; !done; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        bool good = round_with(&alloc, &w);
        kl_fail_alloc_check(&f);
        /* A session that cannot be kept, and a reserve for later, are no failures. */
        done = f.refused == 0;
        if (done)
            assert_true(good);
    }
    kl_tls_world_deinit(&w);
}

/* What an idle connection holds of ours: its struct, and no buffer. */
static void idle_holds_no_buffer(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_tls_world w;
    kl_tls_world_init(&w);
    w.alloc = &alloc;
    kl_tls_world_open(&w);
    kl_tls_world_connect(&w, "broker1");
    kl_tls_world_up(&w);
    kl_tls_world_talk(&w, 300000);
    size_t one = f.live_bytes;
    kl_tls_wire first = w.wire;
    kloop_tls_channel *c = w.c;
    kl_tls_world_connect(&w, "127.0.0.1");
    kl_tls_world_up(&w);
    kl_tls_world_talk(&w, 300000);
    assert_true(f.live_bytes - one < 2048);
    kl_tls_world_disconnect(&w);
    w.wire = first;
    w.c = c;
    kl_tls_world_disconnect(&w);
    kl_tls_world_deinit(&w);
    kl_fail_alloc_check(&f);
}

/* Others in the process use OpenSSL as well, and leave errors in the queue of the thread: they are
 * no errors of ours, and are theirs afterwards. */
static void errors_of_others_stay_theirs(void **state)
{
    (void)state;
    kl_tls_world w;
    kl_tls_world_init(&w);
    ERR_raise(ERR_LIB_SSL, SSL_R_NO_CIPHERS_AVAILABLE);
    ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
    unsigned long first = ERR_peek_error(), last = ERR_peek_last_error();
    kl_tls_errors_begin();
    assert_false(kl_tls_reason_is_memory());
    assert_string_equal(kl_tls_reason(), "no reason is given");
    kl_tls_errors_end();
    kl_tls_world_open(&w);
    assert_int_equal(ERR_peek_error(), first);
    assert_int_equal(ERR_peek_last_error(), last);
    /* OpenSSL empties the queue at each step of a handshake; nobody can keep it from that. */
    kl_tls_world_connect(&w, "broker1");
    size_t room;
    ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
    memcpy(kloop_tls_receive_space(w.c, &room), "\x16\x03", 2);
    kloop_tls_received(w.c, 2);
    assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_SHAKING);
    ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
    kloop_tls_received_end(w.c);
    assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_FAILED);
    assert_non_null(strstr(kloop_tls_why(w.c), "hung up"));
    kl_tls_world_disconnect(&w);
    kl_tls_world_connect(&w, "broker1");
    kl_tls_world_up(&w);
    uint8_t byte;
    assert_int_equal(kl_tls_wire_read(&w.wire, &byte, 1), 0);
    ERR_clear_error();
    ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
    last = ERR_peek_last_error();
    assert_int_equal(kloop_tls_write(w.c, &(kloop_slice){(const uint8_t *)"x", 1}, 1), 1);
    assert_int_equal(kloop_tls_read(w.c, &byte, 1), 0);
    assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_UP);
    assert_int_equal(ERR_peek_last_error(), last);
    /* A goodbye is one, whatever lies there. */
    SSL_shutdown(w.wire.server);
    ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
    assert_int_equal(kl_tls_wire_read(&w.wire, &byte, 1), 0);
    assert_int_equal(kloop_tls_state_of(w.c), KLOOP_TLS_ENDED);
    ERR_clear_error();
    kl_tls_world_disconnect(&w);
    kl_tls_world_deinit(&w);
}

static void without_tls_there_is_none(void **state)
{
    (void)state;
    const char *const plain[] = {"PLAINTEXT", "SASL_PLAINTEXT"};
    for (size_t i = 0; i < 2; i++) {
        kloop_config *config = kloop_config_new(NULL);
        kloop_tls *tls = (kloop_tls *)&config;
        assert_int_equal(kloop_config_set(config, "security.protocol", plain[i]), KLOOP_OK);
        assert_int_equal(kloop_tls_new(&tls, config, NULL, (kloop_now){0}, NULL), KLOOP_OK);
        assert_null(tls);
        kloop_tls_del(tls);
        kloop_config_del(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_up_and_talks),
        cmocka_unit_test(any_pieces_will_do),
        cmocka_unit_test(small_slices_share_a_record),
        cmocka_unit_test(takes_no_more_than_the_high_water),
        cmocka_unit_test(records_of_all_sizes_come),
        cmocka_unit_test(keys_may_change),
        cmocka_unit_test(asking_alone_ends),
        cmocka_unit_test(what_waits_is_bounded),
        cmocka_unit_test(a_goodbye_is_an_end),
        cmocka_unit_test(an_end_without_goodbye_is_the_networks),
        cmocka_unit_test(an_alert_after_data_is_told),
        cmocka_unit_test(finishing_is_said_once),
        cmocka_unit_test(an_end_at_each_byte),
        cmocka_unit_test(a_host_must_be_one),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(idle_holds_no_buffer),
        cmocka_unit_test(errors_of_others_stay_theirs),
        cmocka_unit_test(without_tls_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
