/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The encoders, from C structs: every message with every field drawn from the input.
 *
 * A tame message can be encoded; measured, flat and sliced encodings agree, no buffer one short is
 * enough, and what is decoded from it is field for field what was put in. A wild one is encoded or
 * refused, and all ways agree on that.
 *
 * Input: which message (see selection.h), wild or tame, client id, correlation id, then the fields.
 */
#include "fuzz/drawn_message.h"
#include "fuzz/fuzz.h"
#include "fuzz/message_trial.h"

#include <stdlib.h>
#include <string.h>

typedef struct call {
    kl_selection s;
    kl_message message;
    kloop_string client_id;
    int32_t correlation_id;
    bool framed; /* requests and responses have frames, the two headers are parts of them */
} call;

/* ---- One face for requests, responses and bare headers ---- */

static kloop_status measure(const call *c, kloop_size *size, kloop_fault *fault)
{
    int16_t key = c->s.api->key;
    size_t struct_size = c->s.type->size;
    if (!c->framed)
        return kloop_measure_sized(key, c->s.half, c->s.version, &c->message, struct_size, size,
                                   fault);
    if (c->s.half == KLOOP_REQUEST)
        return kloop_measure_request_sized(key, c->s.version, c->client_id, &c->message,
                                           struct_size, size, fault);
    return kloop_measure_response_sized(key, c->s.version, &c->message, struct_size, size, fault);
}

static kloop_status encode(const call *c, uint8_t *buffer, size_t capacity, kloop_fault *fault)
{
    int16_t key = c->s.api->key;
    size_t struct_size = c->s.type->size;
    size_t used;
    if (!c->framed)
        return kloop_encode_sized(key, c->s.half, c->s.version, &c->message, struct_size, buffer,
                                  capacity, &used, fault);
    if (c->s.half == KLOOP_REQUEST)
        return kloop_encode_request_sized(key, c->s.version, c->correlation_id, c->client_id,
                                          &c->message, struct_size, buffer, capacity, fault);
    return kloop_encode_response_sized(key, c->s.version, c->correlation_id, &c->message,
                                       struct_size, buffer, capacity, fault);
}

static kloop_status encode_slices(const call *c, uint8_t *buffer, size_t capacity,
                                  kloop_slice *slices, size_t count, kloop_fault *fault)
{
    return kloop_encode_request_slices_sized(c->s.api->key, c->s.version, c->correlation_id,
                                             c->client_id, &c->message, c->s.type->size, buffer,
                                             capacity, slices, count, fault);
}

/* ---- What must be true ---- */

/* A buffer, or a row of slices, that is one short. */
static void check_short(const call *c, const kloop_size *size, bool sliced)
{
    kloop_fault fault;
    if (size->total > 0) {
        uint8_t *buffer = kl_fuzz_exact_room(size->total - 1);
        KL_FUZZ_CHECK(encode(c, buffer, size->total - 1, &fault) == KLOOP_NO_SPACE);
        KL_FUZZ_FAULT(&fault, size->total);
        free(buffer);
    }
    if (!sliced)
        return;
    uint8_t *buffer = kl_fuzz_exact_room(size->own);
    kloop_slice *slices = kl_fuzz_exact_room(size->slices * sizeof *slices);
    KL_FUZZ_CHECK(encode_slices(c, buffer, size->own - 1, slices, size->slices, &fault) ==
                  KLOOP_NO_SPACE);
    KL_FUZZ_CHECK(encode_slices(c, buffer, size->own, slices, size->slices - 1, &fault) ==
                  KLOOP_NO_SPACE);
    free(slices);
    free(buffer);
}

static void check_slices(const call *c, const kloop_size *size, const uint8_t *flat)
{
    kloop_fault fault;
    uint8_t *buffer = kl_fuzz_exact_room(size->own);
    kloop_slice *slices = kl_fuzz_exact_room(size->slices * sizeof *slices);
    for (size_t i = 0; i < size->slices; i++)
        slices[i] = (kloop_slice){NULL, SIZE_MAX};
    KL_FUZZ_FINE(encode_slices(c, buffer, size->own, slices, size->slices, &fault), &fault);
    size_t at = 0;
    size_t own = 0;
    for (size_t i = 0; i < size->slices; i++) {
        /* Each promised slice is there, and none says nothing. */
        KL_FUZZ_CHECK(slices[i].data && slices[i].len > 0 && slices[i].len <= size->total - at);
        KL_FUZZ_CHECK(memcmp(slices[i].data, flat + at, slices[i].len) == 0);
        if (slices[i].data == buffer + own)
            own += slices[i].len;
        at += slices[i].len;
    }
    KL_FUZZ_CHECK(at == size->total && own == size->own);
    free(slices);
    free(buffer);
}

/* Takes length and header off a frame. */
static kloop_slice open_frame(const call *c, const uint8_t *bytes, size_t len)
{
    kloop_fault fault;
    kloop_slice frame;
    size_t used;
    KL_FUZZ_FINE(kloop_frame_next(bytes, len, len - 4, &frame, &used, &fault), &fault);
    KL_FUZZ_CHECK(frame.data == bytes + 4 && used == len);
    if (c->s.half == KLOOP_REQUEST) {
        kloop_request_header header;
        KL_FUZZ_FINE(kloop_decode_prefix(KLOOP_REQUEST_HEADER, KLOOP_REQUEST,
                                         kloop_request_header_version(c->s.api->key, c->s.version),
                                         frame.data, frame.len, &used, &header, &fault),
                     &fault);
        KL_FUZZ_CHECK(header.api_key == c->s.api->key && header.api_version == c->s.version);
        KL_FUZZ_CHECK(header.correlation_id == c->correlation_id);
        KL_FUZZ_CHECK((header.client_id.data == NULL) == (c->client_id.data == NULL));
        KL_FUZZ_CHECK(header.client_id.len == c->client_id.len);
        KL_FUZZ_CHECK(c->client_id.len == 0 ||
                      memcmp(header.client_id.data, c->client_id.data, c->client_id.len) == 0);
    } else {
        kloop_response_header header;
        KL_FUZZ_FINE(kloop_decode_prefix(KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE,
                                         kloop_response_header_version(c->s.api->key, c->s.version),
                                         frame.data, frame.len, &used, &header, &fault),
                     &fault);
        KL_FUZZ_CHECK(header.correlation_id == c->correlation_id);
    }
    return (kloop_slice){frame.data + used, frame.len - used};
}

/* The body says what the trace says, through the tap and as a struct. */
static void check_body(const call *c, kloop_slice body, const kl_buf *trace, bool again)
{
    kl_buf seen;
    kl_buf_init(&seen, &kl_mem_libc);
    KL_FUZZ_CHECK(kl_trace_bytes(&seen, c->s.type, c->s.version, body.data, body.len) == KLOOP_OK);
    KL_FUZZ_CHECK(seen.len == trace->len);
    KL_FUZZ_CHECK(seen.len == 0 || memcmp(seen.data, trace->data, seen.len) == 0);
    kl_buf_deinit(&seen);
    if (!again)
        return;
    kl_message decoded;
    size_t len;
    KL_FUZZ_CHECK(kl_message_trial_decode(&c->s, body.data, body.len, &decoded) == KLOOP_OK);
    uint8_t *bytes = kl_message_trial_encode(&c->s, &decoded, &len);
    KL_FUZZ_CHECK(len == body.len && (len == 0 || memcmp(bytes, body.data, len) == 0));
    free(bytes);
}

static bool same_fault(const kloop_fault *a, const kloop_fault *b)
{
    if (a->status != b->status || a->at != b->at || a->a != b->a || a->b != b->b ||
        a->depth != b->depth)
        return false;
    for (int i = 0; i < a->depth; i++) {
        if (a->path[i].name != b->path[i].name || a->path[i].index != b->path[i].index)
            return false;
    }
    return true;
}

/* What cannot be measured cannot be written either, for the same reason. */
static void check_refused(const call *c, const kloop_fault *measured)
{
    kloop_fault fault;
    size_t room = 4096;
    KL_FUZZ_FAULT(measured, SIZE_MAX);
    uint8_t *buffer = kl_fuzz_exact_room(room);
    kloop_status status = encode(c, buffer, room, &fault);
    KL_FUZZ_CHECK(status == KLOOP_NO_SPACE || same_fault(&fault, measured));
    if (c->framed && c->s.half == KLOOP_REQUEST) {
        kloop_slice slices[64];
        status = encode_slices(c, buffer, room, slices, 64, &fault);
        KL_FUZZ_CHECK(status == KLOOP_NO_SPACE || fault.status == measured->status);
    }
    free(buffer);
}

static void run(const call *c, bool wild, const kl_buf *trace, uint32_t hash)
{
    kloop_size size;
    kloop_fault fault;
    kloop_status status = measure(c, &size, &fault);
    kl_fuzz_feature(kl_selection_number(&c->s) << 8 | (uint32_t)status);
    if (status != KLOOP_OK && wild) {
        check_refused(c, &fault);
        return;
    }
    KL_FUZZ_FINE(status, &fault);
    uint8_t *flat = kl_fuzz_exact_room(size.total);
    KL_FUZZ_FINE(encode(c, flat, size.total, &fault), &fault);
    bool sliced = c->framed && c->s.half == KLOOP_REQUEST;
    if (sliced)
        check_slices(c, &size, flat);
    if (hash % 8 == 0)
        check_short(c, &size, sliced);
    kloop_slice body =
        c->framed ? open_frame(c, flat, size.total) : (kloop_slice){flat, size.total};
    check_body(c, body, trace, hash % 4 == 1);
    free(flat);
}

/* A struct at its defaults can be encoded in every version, and that is what its decoding gives. */
static void check_defaults(const kl_selection *s)
{
    kl_message defaults;
    kl_message decoded;
    size_t len;
    size_t again_len;
    KL_FUZZ_CHECK(kloop_message_init_sized(s->api->key, s->half, &defaults, s->type->size) ==
                  KLOOP_OK);
    uint8_t *bytes = kl_message_trial_encode(s, &defaults, &len);
    KL_FUZZ_CHECK(kl_message_trial_decode(s, bytes, len, &decoded) == KLOOP_OK);
    uint8_t *again = kl_message_trial_encode(s, &decoded, &again_len);
    KL_FUZZ_CHECK(again_len == len && (len == 0 || memcmp(again, bytes, len) == 0));
    free(again);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kl_drawn d = kl_drawn_from(data, size);
    kl_arena arena;
    kl_buf trace;
    kl_arena_init(&arena, &kl_mem_libc);
    kl_buf_init(&trace, &kl_mem_libc);

    call c;
    uint8_t first = kl_drawn_u8(&d);
    c.s = kl_selection_of(first, kl_drawn_u8(&d));
    bool wild = kl_drawn_u8(&d) & 1;
    c.client_id = kl_drawn_text(&d, true, &arena);
    c.correlation_id = (int32_t)kl_drawn_number(&d, 32);
    c.framed = c.s.api->key >= 0;
    kl_drawn_message(&d, &c.s, wild, &arena, &c.message, &trace);
    uint32_t hash = kl_fuzz_hash(data, size);
    run(&c, wild, &trace, hash);
    if (hash % 16 == 2)
        check_defaults(&c.s);

    kl_buf_deinit(&trace);
    kl_arena_deinit(&arena);
    return 0;
}
