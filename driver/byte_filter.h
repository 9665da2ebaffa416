/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may stand between a socket and the engine: a filter of bytes. TLS is one
 * (driver/tls_filter.h); the tests have one that only splits bytes anew.
 *
 *              write           output, sent
 *     engine ---------> filter --------------> socket
 *            <---------        <--------------
 *               read           receive_space, received, received_end
 *
 *     SHAKING -------> UP -------> ENDED      the peer has said that it was all
 *        |              |
 *        +--------------+-------> FAILED      why; what is in output may still be sent
 *
 * Plain text is written and read while UP alone; what came before the end can still be read when
 * ENDED or FAILED.
 *
 * Who owns what: a connection owns its filter, and a producer the maker. A filter owns its buffers,
 * which are bounded: it takes less when it has enough.
 *
 * What can fail: making one, and every step, which then shows as the state FAILED.
 */
#ifndef KL_DRIVER_BYTE_FILTER_H
#define KL_DRIVER_BYTE_FILTER_H

#include <kloop/engine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum kl_filter_state {
    KL_FILTER_SHAKING,
    KL_FILTER_UP,
    KL_FILTER_ENDED,
    KL_FILTER_FAILED,
} kl_filter_state;

typedef struct kl_byte_filter_type {
    const char *name; /* for sentences: "TLS" */
    kl_filter_state (*state)(const void *filter);
    const char *(*why)(const void *filter);
    /* FAILED, and trying again does not cure it by itself. */
    bool (*is_untrusted)(const void *filter);
    /* NULL: there is no room, what came has to be read first. */
    uint8_t *(*receive_space)(void *filter, size_t *room);
    void (*received)(void *filter, size_t n);
    void (*received_end)(void *filter);
    /* 0: there is nothing now. */
    size_t (*read)(void *filter, uint8_t *to, size_t room);
    /* How much was taken; less than all: output has to be sent first, or, if there is none, bytes
     * of the peer have to come first. */
    size_t (*write)(void *filter, const kloop_slice *slices, size_t count);
    /* Nothing more will be written. */
    void (*finish)(void *filter);
    kloop_slice (*output)(const void *filter);
    void (*sent)(void *filter, size_t n);
    void (*del)(void *filter);
} kl_byte_filter_type;

typedef struct kl_byte_filter {
    const kl_byte_filter_type *type; /* NULL: none */
    void *me;
} kl_byte_filter;

/* Makes them, one for each connection that has come up. host as it was asked for. On anything but
 * KLOOP_OK error says why, and there is nothing to delete. */
typedef struct kl_byte_filter_maker {
    kloop_status (*make)(void *me, kl_byte_filter *filter, kloop_string host, uint16_t port,
                         kloop_now now, kloop_error *error); /* NULL: connections have none */
    void *me;
} kl_byte_filter_maker;

#endif
