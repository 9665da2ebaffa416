/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small pieces everything is made of, each held against a version written as naively as its
 * definition reads: varints, compact and plain lengths, UTF-8, base64, ids, hex, CRC-32C.
 *
 * Input: one byte that says which, then bytes for it.
 */
#include "base/crc32c.h"
#include "base/utf8.h"
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"
#include "protocol/varint.h"
#include "protocol/walk.h"
#include "base/base64.h"
#include "wiretools/hex.h"

#include <kloop/wire.h>

#include <stdlib.h>
#include <string.h>

/* More says nothing new about any of them. */
#define INPUT_MAX 600

/* ---- Varints ---- */

typedef struct naive_number {
    int used; /* as the getters answer */
    uint64_t value;
} naive_number;

/* Seven bits a byte, the lowest first. Bits beyond the width are dropped, or refused where strict
 * is set. */
static naive_number naive_varint(const uint8_t *p, size_t len, unsigned bits, bool strict)
{
    int most = bits == 32 ? 5 : 10;
    naive_number n = {0, 0};
    bool lost = false;
    for (int i = 0; i < most; i++) {
        if ((size_t)i == len)
            return (naive_number){0, 0};
        for (unsigned k = 0; k < 7; k++) {
            unsigned place = 7 * (unsigned)i + k;
            bool bit = p[i] >> k & 1;
            if (bit && place < bits)
                n.value |= UINT64_C(1) << place;
            else if (bit)
                lost = true;
        }
        if (!(p[i] & 0x80)) {
            n.used = strict && lost ? -1 : i + 1;
            return n;
        }
    }
    return (naive_number){-1, 0};
}

static int64_t naive_unzigzag(uint64_t v)
{
    return v & 1 ? -(int64_t)(v / 2) - 1 : (int64_t)(v / 2);
}

static size_t naive_varint_size(uint64_t v)
{
    size_t size = 1;
    while (v > 127) {
        v /= 128;
        size++;
    }
    return size;
}

/* The shortest form of v reads back as v from exactly its bytes and from no fewer. */
static void check_shortest(const uint8_t *form, size_t size, uint64_t v, unsigned bits)
{
    KL_FUZZ_CHECK(size == naive_varint_size(v));
    naive_number back = naive_varint(form, size, bits, true);
    KL_FUZZ_CHECK(back.used == (int)size && back.value == v);
    KL_FUZZ_CHECK(naive_varint(form, size - 1, bits, true).used == 0);
}

static void check_put(uint64_t v)
{
    uint8_t form[16];
    uint32_t v32 = (uint32_t)v;
    check_shortest(form, (size_t)(kl_uvarint32_put(form, v32) - form), v32, 32);
    KL_FUZZ_CHECK(kl_uvarint32_size(v32) == naive_varint_size(v32));
    check_shortest(form, (size_t)(kl_uvarint64_put(form, v) - form), v, 64);
    KL_FUZZ_CHECK(kl_uvarint64_size(v) == naive_varint_size(v));

    int64_t s = (int64_t)v;
    int32_t s32 = (int32_t)v32;
    KL_FUZZ_CHECK(naive_unzigzag(kl_zigzag64(s)) == s && kl_unzigzag64(kl_zigzag64(s)) == s);
    KL_FUZZ_CHECK(naive_unzigzag(kl_zigzag32(s32)) == s32 &&
                  kl_unzigzag32(kl_zigzag32(s32)) == s32);
    check_shortest(form, (size_t)(kl_varint64_put(form, s) - form), kl_zigzag64(s), 64);
    KL_FUZZ_CHECK(kl_varint64_size(s) == naive_varint_size(kl_zigzag64(s)));
    check_shortest(form, (size_t)(kl_varint32_put(form, s32) - form), kl_zigzag32(s32), 32);
    KL_FUZZ_CHECK(kl_varint32_size(s32) == naive_varint_size(kl_zigzag32(s32)));
}

static void try_varints(const uint8_t *p, size_t len)
{
    const uint8_t *end = p + len;
    uint32_t u32 = 7;
    uint64_t u64 = 7;
    int32_t s32 = 7;
    int64_t s64 = 7;
    naive_number n = naive_varint(p, len, 32, true);
    KL_FUZZ_CHECK(kl_uvarint32_get(p, end, &u32) == n.used);
    KL_FUZZ_CHECK(u32 == (n.used > 0 ? n.value : 7));
    n = naive_varint(p, len, 64, true);
    KL_FUZZ_CHECK(kl_uvarint64_get(p, end, &u64) == n.used);
    KL_FUZZ_CHECK(u64 == (n.used > 0 ? n.value : 7));
    n = naive_varint(p, len, 32, false);
    KL_FUZZ_CHECK(kl_varint32_get(p, end, &s32) == n.used);
    KL_FUZZ_CHECK(s32 == (n.used > 0 ? naive_unzigzag(n.value) : 7));
    n = naive_varint(p, len, 64, false);
    KL_FUZZ_CHECK(kl_varint64_get(p, end, &s64) == n.used);
    KL_FUZZ_CHECK(s64 == (n.used > 0 ? naive_unzigzag(n.value) : 7));
    check_put(n.value);

    kl_drawn d = kl_drawn_from(p, len);
    check_put(kl_drawn_u64(&d));
}

/* ---- Lengths of a message: strings, bytes, lists ---- */

typedef struct naive_run {
    kloop_status status;
    int64_t length; /* -1: null */
    size_t from;    /* of the content */
    size_t used;    /* in all */
} naive_run;

/* A length of 16 or 32 bits or a compact one, then that many units of so many bytes. */
static naive_run naive_sized(const uint8_t *p, size_t len, bool compact, unsigned width,
                             bool nullable, int64_t at_most, size_t unit)
{
    naive_run run = {KLOOP_OK, 0, 0, 0};
    if (compact) {
        naive_number n = naive_varint(p, len, 32, true);
        if (n.used <= 0)
            return (naive_run){n.used < 0 ? KLOOP_BAD_VARINT : KLOOP_TRUNCATED, 0, 0, 0};
        run.length = (int64_t)n.value - 1;
        run.from = (size_t)n.used;
    } else {
        if (len < width / 8)
            return (naive_run){KLOOP_TRUNCATED, 0, 0, 0};
        kl_drawn d = kl_drawn_from(p, len);
        run.length = width == 16 ? (int16_t)kl_drawn_u16(&d) : (int32_t)kl_drawn_u32(&d);
        run.from = width / 8;
    }
    run.used = run.from;
    if (run.length == -1) {
        run.status = nullable ? KLOOP_OK : KLOOP_BAD_NULL;
    } else if (run.length < 0 || run.length > INT32_MAX) {
        run.status = KLOOP_BAD_LENGTH;
    } else if (run.length > at_most) {
        run.status = KLOOP_TOO_LONG;
    } else if ((uint64_t)run.length * unit > len - run.from) {
        run.status = unit > 1 ? KLOOP_BAD_COUNT : KLOOP_TRUNCATED;
    } else {
        run.used += (size_t)run.length * unit;
    }
    return run;
}

/* One decoded field: where it ended and with which fault must be as the naive reader says. */
static bool same_run(const kl_walk *w, const naive_run *run)
{
    KL_FUZZ_CHECK(w->fault.status == run->status);
    if (run->status == KLOOP_OK)
        KL_FUZZ_CHECK(kl_walk_at(w) == run->used);
    return run->status == KLOOP_OK;
}

static void begin_walk(kl_walk *w, const uint8_t *p, size_t len, bool compact, bool fast)
{
    kl_walk_decode(w, p, len);
    w->flexible = compact;
    w->fast = fast;
}

static void try_string(const uint8_t *p, size_t len, bool compact, bool nullable, bool fast)
{
    const kl_field field = {.name = "text", .kind = KL_STRING, .nullable = nullable};
    kl_walk w;
    kloop_string text;
    naive_run run = naive_sized(p, len, compact, 16, nullable, 32767, 1);
    size_t content = run.length > 0 && run.status == KLOOP_OK ? (size_t)run.length : 0;
    if (kl_utf8_valid_len((const char *)p + run.from, content) < content)
        run.status = KLOOP_BAD_UTF8;
    begin_walk(&w, p, len, compact, fast);
    kl_walk_string(&w, &field, &text);
    if (!same_run(&w, &run))
        return;
    KL_FUZZ_CHECK((text.data == NULL) == (run.length < 0) && text.len == content);
    KL_FUZZ_CHECK(!text.data || text.data == (const char *)p + run.from);
}

static void try_bytes(const uint8_t *p, size_t len, bool compact, bool nullable, bool fast)
{
    const kl_field field = {.name = "bytes", .kind = KL_BYTES, .nullable = nullable};
    kl_walk w;
    kloop_slice bytes;
    naive_run run = naive_sized(p, len, compact, 32, nullable, INT32_MAX, 1);
    begin_walk(&w, p, len, compact, fast);
    kl_walk_bytes(&w, &field, &bytes);
    if (!same_run(&w, &run))
        return;
    KL_FUZZ_CHECK((bytes.data == NULL) == (run.length < 0));
    KL_FUZZ_CHECK(!bytes.data || (bytes.data == p + run.from && bytes.len == (size_t)run.length));
}

static void try_numbers(const uint8_t *p, size_t len, bool compact, bool nullable, bool fast)
{
    const kl_field field = {
        .name = "list", .kind = KL_ARRAY, .type = &kl_int32_element, .nullable = nullable};
    kl_walk w;
    kloop_array list;
    naive_run run = naive_sized(p, len, compact, 32, nullable, INT32_MAX, 4);
    begin_walk(&w, p, len, compact, fast);
    kl_walk_array(&w, &field, &list);
    if (!same_run(&w, &run))
        return;
    KL_FUZZ_CHECK(list.count == run.length);
    int32_t number;
    int32_t seen = 0;
    kl_drawn d = kl_drawn_from(p + run.from, run.used - run.from);
    for (kloop_iter it = kloop_iterate(&list); kloop_next(&it, &number); seen++)
        KL_FUZZ_CHECK(number == (int32_t)kl_drawn_u32(&d));
    KL_FUZZ_CHECK(seen == (run.length < 0 ? 0 : run.length));
}

/* The longest string there may be, and one byte more: too long to be part of an input. */
static void try_border(bool compact, size_t text_len)
{
    static uint8_t bytes[3 + 32769];
    size_t head = 2;
    if (compact) {
        head = (size_t)(kl_uvarint32_put(bytes, (uint32_t)text_len + 1) - bytes);
    } else {
        bytes[0] = (uint8_t)(text_len >> 8);
        bytes[1] = (uint8_t)text_len;
    }
    memset(bytes + head, 'x', text_len);
    try_string(bytes, head + text_len, compact, false, true);
}

static void try_lengths(uint8_t how, const uint8_t *p, size_t len)
{
    bool compact = how & 1;
    bool nullable = how >> 1 & 1;
    bool fast = how >> 2 & 1;
    try_string(p, len, compact, nullable, fast);
    try_bytes(p, len, compact, nullable, fast);
    try_numbers(p, len, compact, nullable, fast);
    if (len == 2 && p[0] == 0x7f)
        try_border(compact, 32766u + (p[1] & 3u));
}

/* ---- UTF-8 ---- */

/* By the definition: decode, then ask whether that number is written so. Answers the sequence's
 * length, 0 for none. */
static size_t naive_character(const uint8_t *p, size_t len)
{
    unsigned more = p[0] < 0x80       ? 0
                    : p[0] >> 5 == 6  ? 1
                    : p[0] >> 4 == 14 ? 2
                    : p[0] >> 3 == 30 ? 3
                                      : 9;
    if (more == 9 || len < more + 1)
        return 0;
    uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);
    for (unsigned i = 1; i <= more; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        c = c << 6 | (p[i] & 63);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return more + 1;
}

static void try_utf8(const uint8_t *p, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t step = naive_character(p + at, len - at);
        if (step == 0)
            break;
        at += step;
    }
    KL_FUZZ_CHECK(kl_utf8_valid_len((const char *)p, len) == at);
}

/* ---- Base64, ids, hex ---- */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c, bool url)
{
    if (url && (c == '-' || c == '_'))
        return c == '-' ? 62 : 63;
    const char *at = c && !(url && (c == '+' || c == '/')) ? strchr(letters, c) : NULL;
    return at ? (int)(at - letters) : -1;
}

/* Bit by bit; false when a character is none or bits are left that belong to no byte and are not 0.
 */
static bool naive_base64(uint8_t *out, size_t *out_len, const char *text, size_t count, bool url)
{
    uint32_t bits = 0;
    unsigned have = 0;
    *out_len = 0;
    for (size_t i = 0; i < count; i++) {
        int v = value_of(text[i], url);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[(*out_len)++] = (uint8_t)(bits >> have);
        }
        bits &= (1u << have) - 1;
    }
    return have < 6 && bits == 0;
}

static void try_base64_text(const char *text, size_t len)
{
    uint8_t wanted[INPUT_MAX];
    size_t wanted_len;
    size_t padding = len == 0 || text[len - 1] != '=' ? 0 : len > 1 && text[len - 2] == '=' ? 2 : 1;
    bool good = len % 4 == 0 && naive_base64(wanted, &wanted_len, text, len - padding, false);

    uint8_t *out = kl_fuzz_exact_room(kl_base64_decoded_max(len));
    size_t out_len;
    kl_base64_fault fault = {NULL, 0};
    KL_FUZZ_CHECK(kl_base64_decode(out, &out_len, text, len, &fault) == good);
    if (good)
        KL_FUZZ_CHECK(out_len == wanted_len && memcmp(out, wanted, out_len) == 0);
    else
        KL_FUZZ_CHECK(fault.reason && fault.offset <= len);
    free(out);
}

static void try_base64_bytes(const uint8_t *p, size_t len)
{
    size_t text_len = kl_base64_encoded_len(len);
    KL_FUZZ_CHECK(text_len == (len + 2) / 3 * 4);
    char *text = kl_fuzz_exact_room(text_len);
    kl_base64_encode(text, p, len);
    try_base64_text(text, text_len);
    /* In place, as the header allows. */
    size_t out_len;
    kl_base64_fault fault;
    KL_FUZZ_CHECK(kl_base64_decode((uint8_t *)text, &out_len, text, text_len, &fault));
    KL_FUZZ_CHECK(out_len == len && (len == 0 || memcmp(text, p, len) == 0));
    free(text);
}

static void try_id(const uint8_t *p, size_t len)
{
    uint8_t wanted[INPUT_MAX];
    size_t wanted_len;
    kloop_uuid id = {{0}};
    kl_base64_fault fault = {NULL, 0};
    bool good = len == 22 && naive_base64(wanted, &wanted_len, (const char *)p, len, true);
    KL_FUZZ_CHECK(kl_base64_decode_uuid(&id, (const char *)p, len, &fault) == good);
    if (good)
        KL_FUZZ_CHECK(wanted_len == 16 && memcmp(id.bytes, wanted, 16) == 0);
    else
        KL_FUZZ_CHECK(fault.reason && fault.offset <= len);

    memcpy(id.bytes, p, len < 16 ? len : 16);
    char text[KL_BASE64_UUID_CHARS];
    kloop_uuid back;
    kl_base64_encode_uuid(text, &id);
    KL_FUZZ_CHECK(kl_base64_decode_uuid(&back, text, sizeof text, &fault));
    KL_FUZZ_CHECK(memcmp(&back, &id, sizeof id) == 0);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)((at - digits) % 16) : -1;
}

static void try_hex(const uint8_t *p, size_t len)
{
    const char *text = (const char *)p;
    size_t bad = 0;
    while (bad < len && hex_digit(text[bad]) >= 0)
        bad++;
    uint8_t *out = kl_fuzz_exact_room(len / 2);
    kl_hex_fault fault = {NULL, 0};
    bool good = bad == len && len % 2 == 0;
    KL_FUZZ_CHECK(kl_hex_decode(out, text, len, &fault) == good);
    for (size_t i = 0; good && i < len / 2; i++)
        KL_FUZZ_CHECK(out[i] == hex_digit(text[2 * i]) * 16 + hex_digit(text[2 * i + 1]));
    KL_FUZZ_CHECK(good || (fault.reason && fault.offset == bad));
    free(out);

    char *made = kl_fuzz_exact_room(2 * len);
    kl_hex_encode(made, p, len);
    KL_FUZZ_CHECK(kl_hex_decode((uint8_t *)made, made, 2 * len, &fault));
    KL_FUZZ_CHECK(len == 0 || memcmp(made, p, len) == 0);
    free(made);
}

/* ---- CRC-32C ---- */

/* Four bits at a time: the table is what dividing the 16 polynomials of four bits leaves. */
static uint32_t naive_crc(uint32_t crc, const uint8_t *p, size_t len)
{
    static const uint32_t remainder[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                           0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                           0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                           0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ remainder[crc & 15];
        crc = crc >> 4 ^ remainder[crc & 15];
    }
    return ~crc;
}

/* Asking the processor what it can do may take longer than everything else here, so it is asked
 * once. */
static bool usable(size_t i)
{
    static int8_t known[16];
    KL_FUZZ_CHECK(i < sizeof known);
    if (known[i] == 0)
        known[i] = kl_crc32c_variant_at(i)->usable() ? 1 : -1;
    return known[i] > 0;
}

static void try_crc(uint8_t at, const uint8_t *p, size_t len)
{
    size_t cut = at < len ? at : len;
    uint32_t front = naive_crc(0, p, cut);
    uint32_t whole = naive_crc(front, p + cut, len - cut);
    uint32_t back = naive_crc(0, p + cut, len - cut);
    KL_FUZZ_CHECK(kl_crc32c(0, p, len) == whole);
    KL_FUZZ_CHECK(kl_crc32c(front, p + cut, len - cut) == whole);
    KL_FUZZ_CHECK(kl_crc32c_combine(front, back, len - cut) == whole);
    for (size_t i = 0; kl_crc32c_variant_at(i); i++) {
        const kl_crc32c_variant *variant = kl_crc32c_variant_at(i);
        if (!usable(i))
            continue;
        KL_FUZZ_CHECK(variant->update(front, p + cut, len - cut) == whole);
        KL_FUZZ_CHECK(variant->combine(front, back, len - cut) == whole);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const uint8_t *p = data + 1;
    size_t len = size - 1 < INPUT_MAX ? size - 1 : INPUT_MAX;
    switch (data[0] & 7) {
    case 0:
        try_varints(p, len);
        break;
    case 1:
        try_lengths(data[0] >> 3, p, len);
        break;
    case 2:
        try_utf8(p, len);
        break;
    case 3:
        try_base64_text((const char *)p, len);
        break;
    case 4:
        try_base64_bytes(p, len < 96 ? len : 96);
        break;
    case 5:
        try_id(p, len);
        break;
    case 6:
        try_hex(p, len);
        break;
    case 7:
        try_crc(data[0] >> 3, p, len);
        break;
    }
    return 0;
}
