/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few types that every part of kloop speaks in: a view of bytes, a view of text, an id, a point
 * in time, an allocator.
 *
 * A view owns nothing. Each function that takes or gives one says how long the bytes must stay
 * alive.
 */
#ifndef KLOOP_TYPES_H
#define KLOOP_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A read-only view of bytes. data == NULL is Kafka's null, which is not the same as an empty value.
 */
typedef struct kloop_slice {
    const uint8_t *data;
    size_t len;
} kloop_slice;

/* A read-only view of UTF-8 text, not terminated. data == NULL is Kafka's null. */
typedef struct kloop_string {
    const char *data;
    size_t len;
} kloop_string;

/* A topic id and the like: 16 raw bytes, all zero means "none". */
typedef struct kloop_uuid {
    uint8_t bytes[16];
} kloop_uuid;

/* A point in time that does not come, and a number of milliseconds that never ends. */
#define KLOOP_NEVER UINT64_MAX

/* What time it is, as a host tells it to those who read no clock. */
typedef struct kloop_now {
    uint64_t mono_ns; /* any clock that never goes back */
    int64_t wall_ms;  /* since 1970: the timestamp of records that have none */
} kloop_now;

/*
 * Where memory comes from. The table is copied by whoever takes it; ctx must outlive every object
 * made with it. alloc and resize give memory aligned for any type, or NULL when there is none:
 * kloop then reports an error and leaves things as they were. resize with p == NULL is alloc.
 * old_size and size are what was asked for before, so that a host can account for bytes without a
 * header of its own. Sizes are never 0.
 */
typedef struct kloop_allocator {
    void *(*alloc)(void *ctx, size_t size);
    void *(*resize)(void *ctx, void *p, size_t old_size, size_t size);
    void (*release)(void *ctx, void *p, size_t size);
    void *ctx;
} kloop_allocator;

#ifdef __cplusplus
}
#endif

#endif
