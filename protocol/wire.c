/* SPDX-License-Identifier: BSD-2-Clause */
/* The public face of the walk: <kloop/wire.h>. */
#include <kloop/wire.h>

#include "protocol/api.h"
#include "protocol/frame.h"
#include "protocol/request_slices.h"
#include "protocol/walk.h"

static kloop_status report(kloop_fault *to, const kloop_fault *fault)
{
    /* A walk that goes well sets nothing but the status. */
    if (to)
        *to = fault->status ? *fault : (kloop_fault){.status = KLOOP_OK};
    return fault->status;
}

static kloop_status report_status(kloop_fault *to, kloop_status status, int64_t a, int64_t b)
{
    kloop_fault fault = {.status = status, .a = a, .b = b};
    return report(to, &fault);
}

/* The message's type, its struct's size checked. */
static kloop_status find_type(const kloop_message_type **type, int16_t api_key, kloop_half half,
                              int16_t version, size_t message_size, kloop_fault *fault)
{
    kloop_fault found = {.status = KLOOP_OK};
    *type = kl_api_type(api_key, half, version, &found);
    if (!*type)
        return report(fault, &found);
    if ((*type)->size != message_size)
        return report_status(fault, KLOOP_BAD_STRUCT_SIZE, (int64_t)message_size,
                             (int64_t)(*type)->size);
    return KLOOP_OK;
}

kloop_status kloop_message_init_sized(int16_t api_key, kloop_half half, void *message,
                                      size_t message_size)
{
    const kloop_api *api = kloop_api_find(api_key);
    const kloop_message_type *type;
    kloop_status status =
        find_type(&type, api_key, half, api ? api->min_version : 0, message_size, NULL);
    if (status == KLOOP_OK)
        kl_walk_reset(type, message);
    return status;
}

/* ---- Decode ---- */

kloop_status kloop_decode_prefix_sized(int16_t api_key, kloop_half half, int16_t version,
                                       const void *bytes, size_t len, size_t *used, void *message,
                                       size_t message_size, kloop_fault *fault)
{
    const kloop_message_type *type;
    kloop_status status = find_type(&type, api_key, half, version, message_size, fault);
    if (status)
        return status;
    kl_walk w;
    kl_walk_decode(&w, bytes, len);
    kl_walk_message(&w, type, version, message);
    *used = kl_walk_at(&w);
    return report(fault, &w.fault);
}

kloop_status kloop_decode_sized(int16_t api_key, kloop_half half, int16_t version,
                                const void *bytes, size_t len, void *message, size_t message_size,
                                kloop_fault *fault)
{
    size_t used;
    kloop_status status = kloop_decode_prefix_sized(api_key, half, version, bytes, len, &used,
                                                    message, message_size, fault);
    if (status || used == len)
        return status;
    kloop_fault trailing = {.status = KLOOP_TRAILING, .at = used, .a = (int64_t)(len - used)};
    return report(fault, &trailing);
}

/* ---- Encode ---- */

/* What a frame is made of: a header, unless type is NULL, and a body. */
typedef struct frame_parts {
    const kloop_message_type *header_type;
    int16_t header_version;
    void *header;
    const kloop_message_type *body_type;
    int16_t body_version;
    /* The walk takes a pointer it could write through; when encoding it only looks. */
    void *body;
} frame_parts;

static void walk_parts(kl_walk *w, const frame_parts *parts)
{
    if (parts->header_type &&
        kl_walk_message(w, parts->header_type, parts->header_version, parts->header))
        return;
    kl_walk_message(w, parts->body_type, parts->body_version, parts->body);
}

/* The frame's length is a signed 32-bit number. */
static void check_total(kl_walk *w, uint64_t total)
{
    if (total > INT32_MAX)
        kl_walk_fail(w, KLOOP_TOO_LONG, 0, (int64_t)total, INT32_MAX);
}

static kloop_status measure_parts(const frame_parts *parts, size_t copy_max, kloop_size *size,
                                  kloop_fault *fault)
{
    kl_walk w;
    kl_walk_measure(&w);
    w.copy_max = copy_max;
    if (parts->header_type)
        w.own = KL_FRAME_LENGTH_BYTES;
    walk_parts(&w, parts);
    check_total(&w, (uint64_t)w.own + w.borrowed);
    *size = (kloop_size){
        .total = w.own + w.borrowed, .own = w.own, .slices = w.slice_count + (w.own > w.gap_own)};
    return report(fault, &w.fault);
}

/* With slices == NULL flat. *used is what went into the buffer. */
static kloop_status encode_parts(const frame_parts *parts, size_t copy_max, uint8_t *buffer,
                                 size_t capacity, kloop_slice *slices, size_t slice_max,
                                 size_t *used, kloop_fault *fault)
{
    kl_walk w;
    kl_walk_encode(&w, buffer, capacity);
    w.copy_max = copy_max;
    w.slices = slices;
    w.slice_max = slice_max;
    if (parts->header_type) {
        if (capacity < KL_FRAME_LENGTH_BYTES)
            return report_status(fault, KLOOP_NO_SPACE, KL_FRAME_LENGTH_BYTES, (int64_t)capacity);
        w.out += KL_FRAME_LENGTH_BYTES;
    }
    walk_parts(&w, parts);
    if (!kl_walk_failed(&w))
        kl_walk_last_slice(&w);
    *used = kl_walk_at(&w);
    uint64_t total = slices ? 0 : *used;
    for (size_t i = 0; i < w.slice_count; i++)
        total += slices[i].len;
    check_total(&w, total);
    if (parts->header_type && !kl_walk_failed(&w))
        kl_be_store32(buffer, (uint32_t)(total - KL_FRAME_LENGTH_BYTES));
    return report(fault, &w.fault);
}

kloop_status kloop_measure_sized(int16_t api_key, kloop_half half, int16_t version,
                                 const void *message, size_t message_size, kloop_size *size,
                                 kloop_fault *fault)
{
    frame_parts parts = {.body_version = version, .body = (void *)(uintptr_t)message};
    kloop_status status = find_type(&parts.body_type, api_key, half, version, message_size, fault);
    return status ? status : measure_parts(&parts, 0, size, fault);
}

kloop_status kloop_encode_sized(int16_t api_key, kloop_half half, int16_t version,
                                const void *message, size_t message_size, void *buffer,
                                size_t capacity, size_t *used, kloop_fault *fault)
{
    frame_parts parts = {.body_version = version, .body = (void *)(uintptr_t)message};
    kloop_status status = find_type(&parts.body_type, api_key, half, version, message_size, fault);
    return status ? status : encode_parts(&parts, 0, buffer, capacity, NULL, 0, used, fault);
}

static kloop_status request_parts(frame_parts *parts, kloop_request_header *header, int16_t api_key,
                                  int16_t version, int32_t correlation_id, kloop_string client_id,
                                  const void *message, size_t message_size, kloop_fault *fault)
{
    *header = (kloop_request_header){.api_key = api_key,
                                     .api_version = version,
                                     .correlation_id = correlation_id,
                                     .client_id = client_id};
    *parts = (frame_parts){.header_type = &kl_request_header_type,
                           .header_version = kloop_request_header_version(api_key, version),
                           .header = header,
                           .body_version = version,
                           .body = (void *)(uintptr_t)message};
    return find_type(&parts->body_type, api_key, KLOOP_REQUEST, version, message_size, fault);
}

kloop_status kl_request_slices_measure(int16_t api_key, int16_t version, kloop_string client_id,
                                       const void *message, size_t message_size, size_t copy_max,
                                       kloop_size *size, kloop_fault *fault)
{
    frame_parts parts;
    kloop_request_header header;
    kloop_status status = request_parts(&parts, &header, api_key, version, 0, client_id, message,
                                        message_size, fault);
    return status ? status : measure_parts(&parts, copy_max, size, fault);
}

kloop_status kloop_measure_request_sized(int16_t api_key, int16_t version, kloop_string client_id,
                                         const void *message, size_t message_size, kloop_size *size,
                                         kloop_fault *fault)
{
    return kl_request_slices_measure(api_key, version, client_id, message, message_size, 0, size,
                                     fault);
}

kloop_status kl_request_slices_encode(int16_t api_key, int16_t version, int32_t correlation_id,
                                      kloop_string client_id, const void *message,
                                      size_t message_size, size_t copy_max, void *buffer,
                                      size_t capacity, kloop_slice *slices, size_t slice_count,
                                      kloop_fault *fault)
{
    frame_parts parts;
    kloop_request_header header;
    size_t used;
    kloop_status status = request_parts(&parts, &header, api_key, version, correlation_id,
                                        client_id, message, message_size, fault);
    return status ? status
                  : encode_parts(&parts, copy_max, buffer, capacity, slices, slice_count, &used,
                                 fault);
}

kloop_status kloop_encode_request_slices_sized(int16_t api_key, int16_t version,
                                               int32_t correlation_id, kloop_string client_id,
                                               const void *message, size_t message_size,
                                               void *buffer, size_t capacity, kloop_slice *slices,
                                               size_t slice_count, kloop_fault *fault)
{
    return kl_request_slices_encode(api_key, version, correlation_id, client_id, message,
                                    message_size, 0, buffer, capacity, slices, slice_count, fault);
}

kloop_status kloop_encode_request_sized(int16_t api_key, int16_t version, int32_t correlation_id,
                                        kloop_string client_id, const void *message,
                                        size_t message_size, void *buffer, size_t capacity,
                                        kloop_fault *fault)
{
    return kloop_encode_request_slices_sized(api_key, version, correlation_id, client_id, message,
                                             message_size, buffer, capacity, NULL, 0, fault);
}

static kloop_status response_parts(frame_parts *parts, kloop_response_header *header,
                                   int16_t api_key, int16_t version, int32_t correlation_id,
                                   const void *message, size_t message_size, kloop_fault *fault)
{
    *header = (kloop_response_header){.correlation_id = correlation_id};
    *parts = (frame_parts){.header_type = &kl_response_header_type,
                           .header_version = kloop_response_header_version(api_key, version),
                           .header = header,
                           .body_version = version,
                           .body = (void *)(uintptr_t)message};
    return find_type(&parts->body_type, api_key, KLOOP_RESPONSE, version, message_size, fault);
}

kloop_status kloop_measure_response_sized(int16_t api_key, int16_t version, const void *message,
                                          size_t message_size, kloop_size *size, kloop_fault *fault)
{
    frame_parts parts;
    kloop_response_header header;
    kloop_status status =
        response_parts(&parts, &header, api_key, version, 0, message, message_size, fault);
    return status ? status : measure_parts(&parts, 0, size, fault);
}

kloop_status kloop_encode_response_sized(int16_t api_key, int16_t version, int32_t correlation_id,
                                         const void *message, size_t message_size, void *buffer,
                                         size_t capacity, kloop_fault *fault)
{
    frame_parts parts;
    kloop_response_header header;
    size_t used;
    kloop_status status = response_parts(&parts, &header, api_key, version, correlation_id, message,
                                         message_size, fault);
    return status ? status : encode_parts(&parts, 0, buffer, capacity, NULL, 0, &used, fault);
}
