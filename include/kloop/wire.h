/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Kafka wire protocol alone: encode and decode the requests and responses that a producer
 * speaks, in every version, in both directions, without sockets, threads or clocks.
 *
 * Decoding makes views into the caller's bytes and allocates nothing:
 *
 *     kloop_metadata_response m;
 *     kloop_fault fault;
 *     if (kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, 13, bytes, len, &m, &fault))
 *         ... kloop_fault_text(&fault, text, sizeof text) ...
 *     kloop_metadata_topic topic;
 *     for (kloop_iter t = kloop_iterate(&m.topics); kloop_next(&t, &topic);) {
 *         kloop_metadata_partition p;
 *         for (kloop_iter i = kloop_iterate(&topic.partitions); kloop_next(&i, &p);)
 *             use(p.leader_id);
 *     }
 *
 * Encoding takes the same structs, with C arrays for lists:
 *
 *     kloop_metadata_request_topic names[] = {{.name = kloop_text("events")}};
 *     kloop_metadata_request req;
 *     kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &req);
 *     req.topics = kloop_array_of(names, 1);
 *     kloop_size size;
 *     kloop_measure_request(KLOOP_METADATA, 13, kloop_text("me"), &req, &size, &fault);
 *     ... a buffer of size.total bytes ...
 *     kloop_encode_request(KLOOP_METADATA, 13, correlation_id, kloop_text("me"), &req, buffer,
 * size.total, &fault);
 *
 * Functions that can fail answer a kloop_status, KLOOP_OK being 0, and fill in *fault, which may be
 * NULL.
 */
#ifndef KLOOP_WIRE_H
#define KLOOP_WIRE_H

#include <kloop/batch.h>
#include <kloop/broker_error.h>
#include <kloop/export.h>
#include <kloop/fault.h>
#include <kloop/messages.h>
#include <kloop/types.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Which messages there are ---- */

/*
 * name, key, Kafka's name, lowest and highest version spoken, first flexible version (32767: none),
 * and the middle of the struct's name. The two headers are messages of their own, with keys that no
 * API has.
 */
#define KLOOP_API_MAP(XX)                                                                          \
    XX(PRODUCE, 0, "Produce", 3, 13, 9, produce)                                                   \
    XX(METADATA, 3, "Metadata", 0, 13, 9, metadata)                                                \
    XX(FIND_COORDINATOR, 10, "FindCoordinator", 0, 6, 3, find_coordinator)                         \
    XX(SASL_HANDSHAKE, 17, "SaslHandshake", 0, 1, 32767, sasl_handshake)                           \
    XX(API_VERSIONS, 18, "ApiVersions", 0, 4, 3, api_versions)                                     \
    XX(INIT_PRODUCER_ID, 22, "InitProducerId", 0, 6, 2, init_producer_id)                          \
    XX(SASL_AUTHENTICATE, 36, "SaslAuthenticate", 0, 2, 2, sasl_authenticate)

typedef enum kloop_api_key {
#define KLOOP_API_KEY(NAME, key, name, min, max, flexible, struct_name) KLOOP_##NAME = key,
    KLOOP_API_MAP(KLOOP_API_KEY)
#undef KLOOP_API_KEY
        KLOOP_REQUEST_HEADER = -1, /* only KLOOP_REQUEST */
    KLOOP_RESPONSE_HEADER = -2,    /* only KLOOP_RESPONSE */
} kloop_api_key;

typedef enum kloop_half { KLOOP_REQUEST = 0, KLOOP_RESPONSE = 1 } kloop_half;

typedef struct kloop_api {
    int16_t key;
    const char *name;
    int16_t min_version;
    int16_t max_version;
    int16_t flexible_since; /* INT16_MAX: never */
    bool has_request;
    bool has_response;
} kloop_api;

/* NULL when kloop does not speak it. */
KLOOP_API const kloop_api *kloop_api_find(int16_t key);
KLOOP_API const kloop_api *kloop_api_find_name(const char *name, size_t len);
/* All of them, headers last. */
KLOOP_API size_t kloop_api_count(void);
KLOOP_API const kloop_api *kloop_api_at(size_t index);

/* Header versions that go with a body; ApiVersions responses always carry header v0 (KIP-511). */
KLOOP_API int16_t kloop_request_header_version(int16_t api_key, int16_t version);
KLOOP_API int16_t kloop_response_header_version(int16_t api_key, int16_t version);

/* ---- Decode ---- */

/*
 * The message in bytes[0..len), all of it. *message is filled with views into bytes. On a fault in
 * the bytes *message is at its defaults from the faulty field on; when there is no such message,
 * version or struct it is not touched. The size guards against a struct of another message.
 */
KLOOP_API kloop_status kloop_decode_sized(int16_t api_key, kloop_half half, int16_t version,
                                          const void *bytes, size_t len, void *message,
                                          size_t message_size, kloop_fault *fault);
#define kloop_decode(api_key, half, version, bytes, len, message, fault)                           \
    kloop_decode_sized((api_key), (half), (version), (bytes), (len), (message), sizeof *(message), \
                       (fault))

/* As above for a body that something else follows or precedes: *used is where the message ended. */
KLOOP_API kloop_status kloop_decode_prefix_sized(int16_t api_key, kloop_half half, int16_t version,
                                                 const void *bytes, size_t len, size_t *used,
                                                 void *message, size_t message_size,
                                                 kloop_fault *fault);
#define kloop_decode_prefix(api_key, half, version, bytes, len, used, message, fault)              \
    kloop_decode_prefix_sized((api_key), (half), (version), (bytes), (len), (used), (message),     \
                              sizeof *(message), (fault))

/* ---- Lists ---- */

typedef struct kloop_iter {
    const kloop_array *array;
    size_t at; /* in a decoded array's bytes */
    int32_t index;
} kloop_iter;

static inline kloop_iter kloop_iterate(const kloop_array *array)
{
    kloop_iter it;
    it.array = array;
    it.at = 0;
    it.index = 0;
    return it;
}

/*
 * Fills *element with the next one; false when there is none left. The element is a copy whose
 * views point where the array's do. Works on decoded arrays and on those of kloop_array_of().
 */
KLOOP_API bool kloop_next_sized(kloop_iter *it, void *element, size_t element_size);
#define kloop_next(it, element) kloop_next_sized((it), (element), sizeof *(element))

/* An array for encoding: count structs at items, which must stay until the message was encoded. */
static inline kloop_array kloop_array_of(const void *items, int32_t count)
{
    kloop_array a;
    memset(&a, 0, sizeof a);
    a.data = items;
    a.count = count;
    return a;
}

/* Kafka's null list. */
static inline kloop_array kloop_array_null(void)
{
    return kloop_array_of(NULL, -1);
}

static inline kloop_string kloop_text(const char *terminated)
{
    kloop_string s;
    s.data = terminated;
    s.len = terminated ? strlen(terminated) : 0;
    return s;
}

/* ---- Encode ---- */

typedef struct kloop_size {
    size_t total;  /* bytes of the whole */
    size_t own;    /* of these, bytes that kloop_encode_request_slices() writes into the caller's
                      buffer */
    size_t slices; /* how many slices it then makes */
} kloop_size;

/* Every field at its default. */
KLOOP_API kloop_status kloop_message_init_sized(int16_t api_key, kloop_half half, void *message,
                                                size_t message_size);
#define kloop_message_init(api_key, half, message)                                                 \
    kloop_message_init_sized((api_key), (half), (message), sizeof *(message))

/* The exact size of a body, and whether it can be encoded in this version at all. */
KLOOP_API kloop_status kloop_measure_sized(int16_t api_key, kloop_half half, int16_t version,
                                           const void *message, size_t message_size,
                                           kloop_size *size, kloop_fault *fault);
#define kloop_measure(api_key, half, version, message, size, fault)                                \
    kloop_measure_sized((api_key), (half), (version), (message), sizeof *(message), (size), (fault))

/* The body alone, flat, into a buffer of at least size.total bytes; *used is what it took. */
KLOOP_API kloop_status kloop_encode_sized(int16_t api_key, kloop_half half, int16_t version,
                                          const void *message, size_t message_size, void *buffer,
                                          size_t capacity, size_t *used, kloop_fault *fault);
#define kloop_encode(api_key, half, version, message, buffer, capacity, used, fault)               \
    kloop_encode_sized((api_key), (half), (version), (message), sizeof *(message), (buffer),       \
                       (capacity), (used), (fault))

/*
 * A whole request frame: length, header, body. kloop_measure_request() gives the size with the
 * frame.
 */
KLOOP_API kloop_status kloop_measure_request_sized(int16_t api_key, int16_t version,
                                                   kloop_string client_id, const void *message,
                                                   size_t message_size, kloop_size *size,
                                                   kloop_fault *fault);
#define kloop_measure_request(api_key, version, client_id, message, size, fault)                   \
    kloop_measure_request_sized((api_key), (version), (client_id), (message), sizeof *(message),   \
                                (size), (fault))

KLOOP_API kloop_status kloop_encode_request_sized(int16_t api_key, int16_t version,
                                                  int32_t correlation_id, kloop_string client_id,
                                                  const void *message, size_t message_size,
                                                  void *buffer, size_t capacity,
                                                  kloop_fault *fault);
#define kloop_encode_request(api_key, version, correlation_id, client_id, message, buffer,         \
                             capacity, fault)                                                      \
    kloop_encode_request_sized((api_key), (version), (correlation_id), (client_id), (message),     \
                               sizeof *(message), (buffer), (capacity), (fault))

/*
 * The same without copying record payload: size.own bytes go into buffer, and slices, size.slices
 * of them, list the frame in order: pieces of buffer and the body slices of the request's records
 * in between. They stay good as long as the buffer and the payload do.
 */
KLOOP_API kloop_status kloop_encode_request_slices_sized(
    int16_t api_key, int16_t version, int32_t correlation_id, kloop_string client_id,
    const void *message, size_t message_size, void *buffer, size_t capacity, kloop_slice *slices,
    size_t slice_count, kloop_fault *fault);
#define kloop_encode_request_slices(api_key, version, correlation_id, client_id, message, buffer,  \
                                    capacity, slices, slice_count, fault)                          \
    kloop_encode_request_slices_sized((api_key), (version), (correlation_id), (client_id),         \
                                      (message), sizeof *(message), (buffer), (capacity),          \
                                      (slices), (slice_count), (fault))

/* A whole response frame, for those who play the broker. */
KLOOP_API kloop_status kloop_measure_response_sized(int16_t api_key, int16_t version,
                                                    const void *message, size_t message_size,
                                                    kloop_size *size, kloop_fault *fault);
#define kloop_measure_response(api_key, version, message, size, fault)                             \
    kloop_measure_response_sized((api_key), (version), (message), sizeof *(message), (size),       \
                                 (fault))

KLOOP_API kloop_status kloop_encode_response_sized(int16_t api_key, int16_t version,
                                                   int32_t correlation_id, const void *message,
                                                   size_t message_size, void *buffer,
                                                   size_t capacity, kloop_fault *fault);
#define kloop_encode_response(api_key, version, correlation_id, message, buffer, capacity, fault)  \
    kloop_encode_response_sized((api_key), (version), (correlation_id), (message),                 \
                                sizeof *(message), (buffer), (capacity), (fault))

/* ---- Frames ---- */

/*
 * Looks for one whole frame at the start of bytes. KLOOP_OK with frame->data set: that is its
 * content, and *used bytes are done with. KLOOP_OK with frame->data NULL: more bytes are needed, at
 * least *used of them in all. A length that is negative or above max is a fault at its length
 * field.
 */
KLOOP_API kloop_status kloop_frame_next(const void *bytes, size_t len, size_t max,
                                        kloop_slice *frame, size_t *used, kloop_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
