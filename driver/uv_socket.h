/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of a producer from inside: what uv_connection.c, which has the table of them and
 * their plain bytes, and uv_filtered.c, which has the bytes that go through a filter, share.
 *
 * Who owns what: see uv_connection.h. The connection owns its filter. Nothing here fails but with
 * the connection, which then is gone: what answers false says so.
 */
#ifndef KL_DRIVER_UV_SOCKET_H
#define KL_DRIVER_UV_SOCKET_H

#include "driver/byte_filter.h"
#include "driver/uv_producer.h"

/* What one connection may do in one go. More would hold the loop for its neighbours, less costs
 * calls of the system: a megabyte is some tenths of a millisecond for the kernel, and as much again
 * for a cipher. */
#define KL_UV_WRITE_SLICES_MAX 256
#define KL_UV_WRITE_BYTES_MAX  (1u << 20)
/* The same in a turn that has lasted long already: enough that each connection gets on. */
#define KL_UV_WRITE_BYTES_LATE (64u << 10)
#define KL_UV_LATE_NS          KL_MS
#define KL_UV_READ_CALLS_MAX   16
#define KL_UV_READ_BYTES_MAX   (64u << 10)
/* An answer about a thousand batches is some tens of kilobytes, and takes some tenths of a
 * millisecond. */
#define KL_UV_READ_CALL_BYTES_MAX (32u << 10)
/* A connection that is lost is read to its end, which the kernel's buffer bounds anyway: there may
 * be answers before the end. */
#define KL_UV_LAST_BYTES_MAX (64u << 20)

#define KL_UV_SENTENCE_MAX   1024

typedef struct kl_uv_connection {
    uv_poll_t poll;
    kloop_producer *producer;
    kloop_id id;
    kl_living_socket living;
    int fd;
    int events;  /* what is polled for now */
    bool up;     /* else it is being connected */
    bool unsent; /* the socket is full, and there may be more */
    bool paused;
    bool told;             /* filtered: the engine knows that it is connected */
    bool awaits;           /* filtered, unsent: not the socket is full, the peer has to say more */
    kl_byte_filter filter; /* type NULL: none */
    kl_link stirred;       /* in the producer's list: something waits inside the filter */
    size_t size;           /* of this block */
    char where[];          /* "broker1:9092 (10.0.0.1)" */
} kl_uv_connection;

/* ---- uv_connection.c ---- */

/* How much may be written in one go. */
size_t kl_uv_connection_quota(const kl_uv_connection *c);
/* The slices of the engine that are worth handing over in one call. */
size_t kl_uv_connection_gather(kl_uv_connection *c, kloop_slice *slices, size_t bytes_max,
                               size_t *bytes);

/* The ways to lose it: for a reason in words, which may be the filter's own memory; for an error of
 * the system; because trust is missing. */
void kl_uv_connection_lose(kl_uv_connection *c, const char *why);
void kl_uv_connection_lose_for(kl_uv_connection *c, const char *doing, int error);
void kl_uv_connection_lose_untrusted(kl_uv_connection *c, const char *why);

/* Something waits inside its filter, which the socket does not show. */
void kl_uv_connection_stir(kl_uv_connection *c);

/* ---- uv_filtered.c ---- */

/* The socket is connected: the filter begins. false: the connection is gone. */
bool kl_uv_filtered_begin(kl_uv_connection *c);
/* false: the connection is gone. */
bool kl_uv_filtered_exchange(kl_uv_connection *c, bool readable, bool writable);
/* false: the connection is gone. */
bool kl_uv_filtered_transmit(kl_uv_connection *c);
/* Something has gone wrong with the socket: what came before counts, and then it is gone. */
void kl_uv_filtered_finish(kl_uv_connection *c, const char *doing, int error);
/* A word at the end, if it costs nothing. */
void kl_uv_filtered_part(kl_uv_connection *c);

#endif
