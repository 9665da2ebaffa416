/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes at the wrong time. See hostile_deeds.h. */
#include "tests/hostile/hostile_deeds.h"

#include "base/be.h"

#include <stdlib.h>
#include <string.h>

/* Long enough for a second request to come, if one does. */
#define PAIR_MS 400

/* Anything but bytes that mean something. */
static uint8_t noise(hostile_world *w)
{
    w->turn = (long)((unsigned long)w->turn * 1103515245u + 12345u);
    return (uint8_t)((unsigned long)w->turn >> 16);
}

/* ---- When a connection was accepted ---- */

HOSTILE_GREET(hostile_greet_end)
{
    (void)w;
    hostile_end_after(c, (hostile_end)n);
}

HOSTILE_GREET(hostile_greet_noise)
{
    for (int64_t i = 0; i < n; i++)
        hostile_put(c, &(uint8_t){(uint8_t)(0x80 | noise(w))}, 1);
}

HOSTILE_GREET(hostile_greet_answer)
{
    static const uint8_t versions_v4[] = {0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
    (void)w;
    (void)n;
    hostile_put(c, versions_v4, sizeof versions_v4);
}

HOSTILE_GREET(hostile_greet_deaf)
{
    (void)w;
    (void)n;
    c->deaf = true;
}

HOSTILE_GREET(hostile_greet_pace)
{
    (void)w;
    hostile_pace(c, 1, (uint64_t)n);
}

HOSTILE_GREET(hostile_greet_cut_out)
{
    (void)w;
    c->send_max = (size_t)(c->serial + n);
}

HOSTILE_GREET(hostile_greet_cut_in)
{
    (void)w;
    c->read_max = (size_t)(c->serial + n);
}

HOSTILE_GREET(hostile_greet_echo)
{
    (void)w;
    (void)n;
    c->echoes = true;
}

/* ---- When an answer is ready ---- */

static void end_at(hostile_conn *c, const uint8_t *frame, size_t len, int64_t n, hostile_end end)
{
    if (n != HOSTILE_BEFORE)
        hostile_put(c, frame, n == HOSTILE_MIDDLE ? len / 2 : len);
    hostile_end_after(c, end);
}

HOSTILE_DEED(hostile_reset)
{
    (void)w;
    end_at(c, frame, len, n, HOSTILE_RESETS);
}

HOSTILE_DEED(hostile_finish)
{
    (void)w;
    end_at(c, frame, len, n, HOSTILE_CLOSES);
}

HOSTILE_DEED(hostile_half)
{
    (void)w;
    (void)n;
    hostile_put(c, frame, len / 2);
}

HOSTILE_DEED(hostile_silence)
{
    (void)w;
    (void)c;
    (void)frame;
    (void)len;
    (void)n;
}

static void put_length(hostile_conn *c, int64_t n)
{
    uint8_t length[4];
    kl_be_store32(length, (uint32_t)(int32_t)n);
    hostile_put(c, length, sizeof length);
}

HOSTILE_DEED(hostile_length)
{
    (void)w;
    put_length(c, n);
    hostile_put(c, frame + 4, len - 4);
}

HOSTILE_DEED(hostile_zeros)
{
    (void)w;
    (void)frame;
    (void)len;
    put_length(c, n);
    hostile_put_zeros(c, (size_t)n);
}

HOSTILE_DEED(hostile_slow_zeros)
{
    (void)w;
    (void)len;
    put_length(c, n);
    /* Its correlation id: so far nothing is wrong with it. */
    hostile_put(c, frame + 4, 4);
    hostile_put_zeros(c, (size_t)n - 4);
    hostile_pace(c, 120000, 5);
}

HOSTILE_DEED(hostile_correlation)
{
    (void)w;
    uint8_t id[4];
    kl_be_store32(id, (uint32_t)(kl_be_load32(frame + 4) + (uint32_t)n));
    hostile_put(c, frame, 4);
    hostile_put(c, id, 4);
    hostile_put(c, frame + 8, len - 8);
}

HOSTILE_DEED(hostile_swap)
{
    (void)n;
    if (!c->kept) {
        c->kept = malloc(len);
        if (!c->kept)
            abort();
        memcpy(c->kept, frame, len);
        c->kept_len = len;
        c->kept_until_ms = w->now_ms + PAIR_MS;
        return;
    }
    hostile_put(c, frame, len);
    hostile_put_kept(c);
}

HOSTILE_DEED(hostile_twice)
{
    (void)w;
    (void)n;
    hostile_put(c, frame, len);
    hostile_put(c, frame, len);
}

HOSTILE_DEED(hostile_text)
{
    static const struct {
        const char *bytes;
        size_t len;
    } texts[] = {
        [HOSTILE_TEXT_HTTP] = {"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", 47},
        [HOSTILE_TEXT_ALERT] = {"\x15\x03\x01\x00\x02\x02\x46", 7},
        [HOSTILE_TEXT_HELLO] = {"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", 11},
        [HOSTILE_TEXT_SSH] = {"SSH-2.0-OpenSSH_9.2\r\n", 21},
    };
    (void)w;
    (void)frame;
    (void)len;
    hostile_put(c, texts[n].bytes, texts[n].len);
    hostile_end_after(c, HOSTILE_CLOSES);
}

HOSTILE_DEED(hostile_second_is_http)
{
    if (c->node == 1)
        hostile_text(w, c, frame, len, HOSTILE_TEXT_HTTP);
    else
        hostile_put(c, frame, len);
    (void)n;
}

/* The last byte of an answer of a flexible version is the number of its tagged fields. */
static void put_tagged(hostile_conn *c, const uint8_t *frame, size_t len, uint8_t size,
                       uint8_t told)
{
    const uint8_t field[] = {1, 99, told};
    put_length(c, (int64_t)(len - 4 - 1 + sizeof field + size));
    hostile_put(c, frame + 4, len - 4 - 1);
    hostile_put(c, field, sizeof field);
    hostile_put_zeros(c, size);
}

HOSTILE_DEED(hostile_tagged)
{
    (void)w;
    put_tagged(c, frame, len, (uint8_t)n, (uint8_t)n);
}

HOSTILE_DEED(hostile_tagged_beyond)
{
    (void)w;
    put_tagged(c, frame, len, 2, (uint8_t)n);
}

HOSTILE_DEED(hostile_trailing)
{
    (void)w;
    put_length(c, (int64_t)len - 4 + n);
    hostile_put(c, frame + 4, len - 4);
    hostile_put_zeros(c, (size_t)n);
}

HOSTILE_DEED(hostile_truncated)
{
    (void)w;
    size_t less = (size_t)n < len - 8 ? (size_t)n : len - 8;
    put_length(c, (int64_t)(len - 4 - less));
    hostile_put(c, frame + 4, len - 4 - less);
}

HOSTILE_DEED(hostile_flip_bits)
{
    uint8_t *bytes = hostile_take(w, len, 1);
    memcpy(bytes, frame, len);
    if (noise(w) % n == 0)
        bytes[((size_t)noise(w) << 8 | noise(w)) % len] ^= (uint8_t)(1u << (noise(w) & 7));
    hostile_put(c, bytes, len);
}

HOSTILE_DEED(hostile_count)
{
    static const uint8_t before[] =
        "\0\6" HOSTILE_TOPIC; /* then whether it is internal, then the count */
    uint8_t *bytes = hostile_take(w, len, 1);
    memcpy(bytes, frame, len);
    for (size_t i = 0; i + sizeof before + 5 <= len; i++)
        if (memcmp(bytes + i, before, sizeof before - 1) == 0)
            kl_be_store32(bytes + i + sizeof before, (uint32_t)(int32_t)n);
    hostile_put(c, bytes, len);
}

HOSTILE_DEED(hostile_late)
{
    hostile_put(c, frame, len);
    hostile_wait(w, c, (uint64_t)n);
}

/* ---- When a request has begun to arrive ---- */

void hostile_early_answer(hostile_world *w, hostile_conn *c, int32_t correlation)
{
    /* Produce v9 and up: no topic, no throttle time. */
    uint8_t answer[] = {0, 0, 0, 11, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
    (void)w;
    kl_be_store32(answer + 4, (uint32_t)correlation);
    hostile_put(c, answer, sizeof answer);
    c->deaf = true;
}

void hostile_deaf_now(hostile_world *w, hostile_conn *c, int32_t correlation)
{
    (void)w;
    (void)correlation;
    c->deaf = true;
}

/* ---- The name server ---- */

size_t hostile_names_unknown(uint8_t *bytes, size_t len, size_t room)
{
    (void)room;
    bytes[2] = 0x81;
    bytes[3] = 0x83; /* NXDOMAIN */
    /* The question alone; an OPT record that followed it is left out. */
    bytes[10] = bytes[11] = 0;
    size_t end = 12;
    while (end < len && bytes[end] != 0)
        end += (size_t)bytes[end] + 1;
    end += 5;
    return end < len ? end : len;
}

size_t hostile_names_silent(uint8_t *bytes, size_t len, size_t room)
{
    (void)bytes;
    (void)len;
    (void)room;
    return 0;
}

/* The id is right, and the rest of it nonsense. */
size_t hostile_names_noise(uint8_t *bytes, size_t len, size_t room)
{
    bytes[2] |= 0x80;
    for (size_t i = 3; i < room; i++)
        bytes[i] = (uint8_t)(i * 151 + len);
    return room < 512 ? room : 512;
}
