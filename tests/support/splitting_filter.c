/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes cut anew at random. See the header for what goes over the wire. */
#include "tests/support/splitting_filter.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO_BYTES  37
#define RECORD_MAX   2000
#define RAW_MAX      16384
#define PLAIN_MAX    (4 * RECORD_MAX)
#define OUT_MAX      65536
#define OUT_ENOUGH   20000
#define SCRAMBLE     0x5a
#define ASK          0xffff /* as a length: answer this */
#define ANSWER       0xfffe
#define ASK_EVERY    30000
#define LARGE_PIECES 8192

typedef struct filter {
    splitting_filters *maker;
    kl_prng prng;
    kl_filter_state state;
    int greetings; /* of the peer, that came */
    bool untrusted;
    bool refuses_hello;
    bool fail_write;
    bool hears_first;
    bool finished;
    size_t pieces_max;
    size_t fail_at;
    size_t plain_in;
    size_t ask_at;
    size_t asked;
    char why[64];
    uint8_t raw[RAW_MAX]; /* as it came; less than a record, or what waits for room in plain */
    size_t raw_len;
    uint8_t plain[PLAIN_MAX]; /* to be read */
    size_t plain_at;
    size_t plain_len;
    uint8_t out[OUT_MAX];
    size_t out_at;
    size_t out_len;
    size_t shown; /* of out */
} filter;

/* 1 to max. */
static size_t piece(filter *f, size_t max)
{
    if (f->pieces_max && max > f->pieces_max)
        max = f->pieces_max;
    switch (kl_prng_below(&f->prng, 4)) {
    case 0:
        return 1;
    case 1:
        return max;
    default:
        return 1 + (size_t)kl_prng_below(&f->prng, max);
    }
}

/* ---- Out ---- */

static void put(filter *f, const void *bytes, size_t len)
{
    if (f->out_at + f->out_len + len > OUT_MAX) {
        memmove(f->out, f->out + f->out_at, f->out_len);
        f->out_at = 0;
    }
    KL_ASSERT(f->out_len + len <= OUT_MAX);
    memcpy(f->out + f->out_at + f->out_len, bytes, len);
    f->out_len += len;
    if (f->shown == 0)
        f->shown = piece(f, f->out_len);
}

static void put_length(filter *f, size_t len)
{
    const uint8_t bytes[2] = {(uint8_t)(len >> 8), (uint8_t)len};
    put(f, bytes, 2);
}

static void greet(filter *f)
{
    uint8_t hello[HELLO_BYTES];
    memset(hello, 'H', sizeof hello);
    put(f, hello, sizeof hello);
}

static void fail(filter *f, const char *why)
{
    f->state = KL_FILTER_FAILED;
    snprintf(f->why, sizeof f->why, "%s", why);
    put(f, "!!!", 3);
}

static size_t write_plain(void *me, const kloop_slice *slices, size_t count)
{
    filter *f = me;
    KL_ASSERT(count > 0 && !f->finished && f->state != KL_FILTER_SHAKING);
    if (f->state != KL_FILTER_UP || f->out_len >= OUT_ENOUGH)
        return 0;
    if (f->fail_write) {
        fail(f, "there is no ink");
        return 0;
    }
    if (f->hears_first && f->plain_in == 0) {
        f->maker->put_off++;
        return 0;
    }
    size_t offered = 0, taken = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        offered += slices[i].len;
    KL_ASSERT(offered > 0);
    size_t wanted = piece(f, offered < LARGE_PIECES ? offered : LARGE_PIECES);
    while (taken < wanted) {
        uint8_t record[RECORD_MAX];
        size_t len = piece(f, wanted - taken < RECORD_MAX ? wanted - taken : RECORD_MAX);
        for (size_t i = 0; i < len;) {
            while (at == slices->len)
                slices++, at = 0;
            record[i++] = slices->data[at++] ^ SCRAMBLE;
        }
        put_length(f, len);
        put(f, record, len);
        taken += len;
        if (f->out_len >= OUT_ENOUGH)
            break;
    }
    return taken;
}

static kloop_slice output(const void *me)
{
    const filter *f = me;
    return (kloop_slice){f->out + f->out_at, f->shown};
}

static void sent(void *me, size_t n)
{
    filter *f = me;
    KL_ASSERT(n > 0 && n <= f->shown);
    f->out_at += n;
    f->out_len -= n;
    f->shown -= n;
    if (f->shown == 0 && f->out_len > 0)
        f->shown = piece(f, f->out_len);
}

static void finish(void *me)
{
    filter *f = me;
    KL_ASSERT(f->state == KL_FILTER_UP && !f->finished);
    f->finished = true;
    f->maker->finished++;
    put_length(f, 0);
    f->shown = f->out_len;
}

/* ---- In ---- */

static void drop_raw(filter *f, size_t n)
{
    f->raw_len -= n;
    memmove(f->raw, f->raw + n, f->raw_len);
}

/* false: there is no whole greeting. */
static bool take_greeting(filter *f)
{
    if (f->raw_len < HELLO_BYTES)
        return false;
    if (f->raw[0] != 'H' || f->refuses_hello) {
        fail(f, "this is no greeting");
        return false;
    }
    drop_raw(f, HELLO_BYTES);
    f->greetings++;
    /* client, server, client, server: the server is up first. */
    if (f->maker->is_server || f->greetings == 1)
        greet(f);
    if (f->greetings == 2)
        f->state = KL_FILTER_UP;
    return true;
}

static void show(filter *f, const uint8_t *bytes, size_t len)
{
    memmove(f->plain, f->plain + f->plain_at, f->plain_len);
    f->plain_at = 0;
    for (size_t i = 0; i < len; i++)
        f->plain[f->plain_len + i] = bytes[i] ^ SCRAMBLE;
    f->plain_len += len;
    f->plain_in += len;
    if (f->plain_in >= f->ask_at) {
        f->ask_at = f->plain_in + ASK_EVERY;
        f->asked++;
        put_length(f, ASK);
    }
    if (f->fail_at && f->plain_in >= f->fail_at)
        fail(f, "the bytes were tampered with");
}

/* false: there is no whole record, or no room for it. */
static bool take_record(filter *f)
{
    if (f->raw_len < 2)
        return false;
    size_t len = (size_t)f->raw[0] << 8 | f->raw[1];
    if (len == ASK || len == ANSWER) {
        drop_raw(f, 2);
        if (len == ASK)
            put_length(f, ANSWER);
        else
            f->asked--;
        return true;
    }
    if (len > RECORD_MAX) {
        fail(f, "a record is too long");
        return false;
    }
    if (f->raw_len < 2 + len || f->plain_len + len > PLAIN_MAX)
        return false;
    if (len == 0) {
        f->state = KL_FILTER_ENDED;
        f->maker->ended++;
        return false;
    }
    show(f, f->raw + 2, len);
    drop_raw(f, 2 + len);
    return true;
}

static void work(filter *f)
{
    bool more = true;
    while (more && f->state == KL_FILTER_SHAKING)
        more = take_greeting(f);
    while (more && f->state == KL_FILTER_UP)
        more = take_record(f);
}

static uint8_t *receive_space(void *me, size_t *room)
{
    filter *f = me;
    *room = RAW_MAX - f->raw_len;
    if (*room == 0 || f->state == KL_FILTER_FAILED || f->state == KL_FILTER_ENDED) {
        *room = 0;
        return NULL;
    }
    *room = piece(f, *room);
    return f->raw + f->raw_len;
}

static void received(void *me, size_t n)
{
    filter *f = me;
    KL_ASSERT(n > 0 && n <= RAW_MAX - f->raw_len);
    f->raw_len += n;
    work(f);
}

static void received_end(void *me)
{
    filter *f = me;
    work(f);
    if (f->state == KL_FILTER_SHAKING || f->state == KL_FILTER_UP)
        fail(f, "the stream was cut off");
}

static size_t read_plain(void *me, uint8_t *to, size_t room)
{
    filter *f = me;
    KL_ASSERT(room > 0);
    if (f->plain_len == 0)
        work(f);
    if (f->plain_len == 0)
        return 0;
    size_t n = piece(f, f->plain_len < room ? f->plain_len : room);
    memcpy(to, f->plain + f->plain_at, n);
    f->plain_at += n;
    f->plain_len -= n;
    return n;
}

/* ---- Life ---- */

static kl_filter_state state(const void *me)
{
    return ((const filter *)me)->state;
}

static const char *why(const void *me)
{
    return ((const filter *)me)->why;
}

static bool is_untrusted(const void *me)
{
    return ((const filter *)me)->untrusted;
}

static void del(void *me)
{
    filter *f = me;
    f->maker->live--;
    free(f);
}

static const kl_byte_filter_type splitting = {
    .name = "splitting",
    .state = state,
    .why = why,
    .is_untrusted = is_untrusted,
    .receive_space = receive_space,
    .received = received,
    .received_end = received_end,
    .read = read_plain,
    .write = write_plain,
    .finish = finish,
    .output = output,
    .sent = sent,
    .del = del,
};

static kloop_status make(void *me, kl_byte_filter *to, kloop_string host, uint16_t port,
                         kloop_now now, kloop_error *error)
{
    splitting_filters *maker = me;
    (void)host;
    (void)port;
    (void)now;
    if (maker->fail_made > 0) {
        maker->fail_made--;
        error->status = KLOOP_NO_MEMORY;
        snprintf(error->text, sizeof error->text, "no filter today");
        return KLOOP_NO_MEMORY;
    }
    filter *f = calloc(1, sizeof *f);
    KL_ASSERT(f);
    f->maker = maker;
    f->prng = kl_prng_fork(&maker->prng);
    f->pieces_max = maker->pieces_max;
    f->fail_at = maker->fail_at;
    f->untrusted = maker->untrusted;
    f->refuses_hello = maker->refuses_hello;
    f->fail_write = maker->fail_write;
    f->hears_first = maker->hears_first;
    f->ask_at = ASK_EVERY;
    maker->live++;
    maker->made++;
    if (!maker->is_server)
        greet(f);
    *to = (kl_byte_filter){&splitting, f};
    return KLOOP_OK;
}

void splitting_filters_init(splitting_filters *f, uint64_t seed, bool is_server)
{
    memset(f, 0, sizeof *f);
    kl_prng_init(&f->prng, seed);
    f->is_server = is_server;
}

kl_byte_filter_maker splitting_filters_maker(splitting_filters *f)
{
    return (kl_byte_filter_maker){make, f};
}
