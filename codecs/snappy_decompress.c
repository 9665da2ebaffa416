/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decompressing half of the raw snappy block. Owns nothing, allocates nothing; every fault of
 * the input is an answer.
 *
 * A tag's lowest two bits tell its kind, the other six are n:
 *
 *     0  literal; n + 1 bytes follow, or, for n = 60..63, 1..4 bytes of length less one and they
 *     1  copy of 4..11 bytes; n's upper three bits and one more byte are the offset
 *     2  copy of n + 1 bytes, with 2 bytes of offset
 *     3  copy of n + 1 bytes, with 4 bytes of offset
 *
 * Two ways of reading take turns. read_many handles the common tags while so much room is left on
 * both sides that it can move 64 bytes whatever the length. read_literal and read_copy handle any
 * tag with every check; they decide about faults, and read_many leaves to them whatever is not
 * plainly right.
 */
#include "codecs/snappy_raw.h"

#include "base/check.h"
#include "codecs/snappy_word.h"

#include <string.h>

/* A tag and 64 bytes behind it; 64 bytes and the 15 that the last move of a repetition may add. */
#define ROOM_IN  65
#define ROOM_OUT 79

/*
 * What read_many must know of a tag: in bits 0-7 its length, in bits 8-15 its size in the input
 * with a literal's bytes, above them what is added to the offset that follows. A literal counts as
 * a copy from 16 back, so that one check serves all; what read_many does not handle has offset 0,
 * which never passes.
 */
#define PLAN_LITERAL(n) ((n) < 60 ? ((n) + 1u) | ((n) + 2u) << 8 | 16u << 16 : 0u)
#define PLAN_COPY_1(n)  ((((n)&7u) + 4u) | 2u << 8 | ((n) >> 3) << 24)
#define PLAN_COPY_2(n)  (((n) + 1u) | 3u << 8)
#define PLAN_1(n)       PLAN_LITERAL(n), PLAN_COPY_1(n), PLAN_COPY_2(n), 0u
#define PLAN_4(n)       PLAN_1(n), PLAN_1((n) + 1u), PLAN_1((n) + 2u), PLAN_1((n) + 3u)
#define PLAN_16(n)      PLAN_4(n), PLAN_4((n) + 4u), PLAN_4((n) + 8u), PLAN_4((n) + 12u)

static const uint32_t plans[256] = {PLAN_16(0u), PLAN_16(16u), PLAN_16(32u), PLAN_16(48u)};

/* For each kind the bits of the next two bytes that belong to the offset. */
#define OFFSET_MASKS UINT64_C(0x0000ffff00ff0000)

/* The most whole periods of a short offset that fit into 8 bytes. */
static const uint8_t period_steps[8] = {0, 8, 8, 6, 8, 5, 6, 7};

typedef struct reader {
    const uint8_t *ip;
    const uint8_t *in_end;
    uint8_t *dst;
    uint8_t *op;
    uint8_t *out_end;
} reader;

const char *kl_snappy_error_text(kl_snappy_error error)
{
    switch (error) {
    case KL_SNAPPY_OK:
        return "no error";
    case KL_SNAPPY_BAD_LENGTH:
        return "snappy: the announced length is not a 32-bit number";
    case KL_SNAPPY_TRUNCATED:
        return "snappy: the block ends too early";
    case KL_SNAPPY_BAD_OFFSET:
        return "snappy: a copy from outside the output";
    case KL_SNAPPY_TOO_LONG:
        return "snappy: more output than announced";
    case KL_SNAPPY_TOO_SHORT:
        return "snappy: less output than announced";
    case KL_SNAPPY_NO_ROOM:
        return "snappy: the announced length is above the limit";
    }
    return "snappy: unknown error";
}

/* *used is the length's size in bytes, or the index at which it went wrong. */
static kl_snappy_error read_length(const uint8_t *src, size_t len, uint32_t *out, size_t *used)
{
    uint32_t value = 0;
    for (size_t i = 0; i < 5; i++) {
        *used = i;
        if (i == len)
            return KL_SNAPPY_TRUNCATED;
        uint32_t byte = src[i];
        if (i == 4 && byte > 0x0f)
            return KL_SNAPPY_BAD_LENGTH;
        value |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *out = value;
            *used = i + 1;
            return KL_SNAPPY_OK;
        }
    }
    KL_UNREACHABLE();
}

kl_snappy_error kl_snappy_uncompressed_len(const uint8_t *src, size_t len, uint32_t *out,
                                           size_t *preamble)
{
    uint32_t value;
    size_t used;
    kl_snappy_error error = read_length(src, len, &value, &used);
    if (!error) {
        *out = value;
        *preamble = used;
    }
    return error;
}

/*
 * A copy whose source may overlap what it writes; may write 15 bytes more than len. A period below
 * 16 is read once, before anything is written, because reading back what was just stored is slow.
 * What lies behind the period is read with it; each move overwrites what the one before got wrong.
 */
static inline void repeat(uint8_t *op, size_t offset, size_t len)
{
    const uint8_t *from = op - offset;
    uint8_t *stop = op + len;
    if (offset >= 16) {
        do {
            kl_snappy_move16(op, from);
            op += 16;
            from += 16;
        } while (op < stop);
    } else if (offset >= 8) {
        uint64_t low = kl_snappy_load64(from);
        uint64_t high = kl_snappy_load64(from + 8);
        do {
            kl_snappy_store64(op, low);
            kl_snappy_store64(op + 8, high);
            op += offset;
        } while (op < stop);
    } else {
        unsigned bits = 8 * (unsigned)offset;
        uint64_t pattern = kl_snappy_load64(from) & ((UINT64_C(1) << bits) - 1);
        for (; bits < 64; bits *= 2)
            pattern |= pattern << bits;
        size_t step = period_steps[offset];
        do {
            kl_snappy_store64(op, pattern);
            op += step;
        } while (op < stop);
    }
}

/*
 * The kind of a tag is hard to guess for the processor and so is the length. So there is no branch
 * on the kind, and only one on the length: the source of a literal and that of a copy are both
 * computed, one is taken by a mask, and 32 or 64 bytes are moved.
 */
static void read_many(reader *r)
{
    const uint8_t *ip = r->ip;
    uint8_t *op = r->op;
    if (r->in_end - ip < ROOM_IN || r->out_end - op < ROOM_OUT)
        return;
    const uint8_t *dst = r->dst;
    const uint8_t *ip_max = r->in_end - ROOM_IN;
    const uint8_t *op_max = r->out_end - ROOM_OUT;
    while (ip <= ip_max && op <= op_max) {
        unsigned kind = *ip & 3u;
        uint32_t plan = plans[*ip];
        size_t len = plan & 0xff;
        uint32_t mask = (uint32_t)(OFFSET_MASKS >> (16 * kind)) & 0xffff;
        size_t offset = (plan >> 16) + (kl_snappy_load16(ip + 1) & mask);
        size_t done = (size_t)(op - dst);
        if (KL_LIKELY(offset >= 16 && offset <= done)) {
            uintptr_t literal = (uintptr_t)(ip + 1);
            uintptr_t copy = (uintptr_t)(op - offset);
            uintptr_t choice = (uintptr_t)0 - (uintptr_t)(kind != 0);
            const uint8_t *from = (const uint8_t *)(literal ^ ((literal ^ copy) & choice));
            kl_snappy_move16(op, from);
            kl_snappy_move16(op + 16, from + 16);
            if (len > 32) {
                kl_snappy_move16(op + 32, from + 32);
                kl_snappy_move16(op + 48, from + 48);
            }
        } else if (offset != 0 && offset <= done) {
            repeat(op, offset, len);
        } else {
            break;
        }
        op += len;
        ip += (plan >> 8) & 0xff;
    }
    r->ip = ip;
    r->op = op;
}

static kl_snappy_error read_literal(reader *r)
{
    size_t left = (size_t)(r->in_end - r->ip) - 1;
    const uint8_t *from = r->ip + 1;
    uint32_t n = *r->ip >> 2;
    if (n >= 60) {
        size_t size = n - 59;
        if (left < size)
            return KL_SNAPPY_TRUNCATED;
        n = 0;
        for (size_t i = 0; i < size; i++)
            n |= (uint32_t)from[i] << (8 * i);
        from += size;
        left -= size;
    }
    if (left <= n)
        return KL_SNAPPY_TRUNCATED;
    if ((size_t)(r->out_end - r->op) <= n)
        return KL_SNAPPY_TOO_LONG;
    size_t len = (size_t)n + 1;
    memcpy(r->op, from, len);
    r->op += len;
    r->ip = from + len;
    return KL_SNAPPY_OK;
}

static kl_snappy_error read_copy(reader *r)
{
    static const uint8_t sizes[4] = {0, 2, 3, 5};
    const uint8_t *ip = r->ip;
    size_t size = sizes[*ip & 3];
    if ((size_t)(r->in_end - ip) < size)
        return KL_SNAPPY_TRUNCATED;
    size_t len = (*ip >> 2) + 1u;
    size_t offset;
    if (size == 2) {
        len = ((*ip >> 2) & 7u) + 4;
        offset = (size_t)(*ip >> 5) << 8 | ip[1];
    } else if (size == 3) {
        offset = kl_snappy_load16(ip + 1);
    } else {
        offset = kl_snappy_load32(ip + 1);
    }
    if (offset == 0 || offset > (size_t)(r->op - r->dst))
        return KL_SNAPPY_BAD_OFFSET;
    size_t room = (size_t)(r->out_end - r->op);
    if (len > room)
        return KL_SNAPPY_TOO_LONG;
    if (room >= len + 15) {
        repeat(r->op, offset, len);
    } else {
        for (size_t i = 0; i < len; i++)
            r->op[i] = (r->op - offset)[i];
    }
    r->op += len;
    r->ip += size;
    return KL_SNAPPY_OK;
}

kl_snappy_error kl_snappy_decompress_block(const uint8_t *src, size_t len, uint8_t *dst, size_t cap,
                                           size_t *written, size_t *fault_at)
{
    uint32_t announced;
    size_t used;
    *written = 0;
    kl_snappy_error error = read_length(src, len, &announced, &used);
    if (error) {
        *fault_at = used;
        return error;
    }
    if (announced > cap) {
        *fault_at = 0;
        return KL_SNAPPY_NO_ROOM;
    }
    uint8_t nothing;
    if (!dst)
        dst = &nothing; /* cap is 0: never written, but no arithmetic on NULL */
    reader r = {src + used, src + len, dst, dst, dst + announced};
    while (!error) {
        read_many(&r);
        if (r.ip == r.in_end)
            break;
        error = (*r.ip & 3) == 0 ? read_literal(&r) : read_copy(&r);
    }
    if (!error && r.op != r.out_end)
        error = KL_SNAPPY_TOO_SHORT;
    *written = (size_t)(r.op - dst);
    if (error)
        *fault_at = (size_t)(r.ip - src);
    return error;
}
