/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer with a scripted engine whose connection goes through the filter that splits at random,
 * and the other end of it, which the test works.
 *
 *     filtered_world w;
 *     filtered_begin(&w, seed);
 *     filtered_connect_both(&w);
 *     filtered_give_bytes(&w, out, out_len, in, in_len);
 *     FILTERED_RUN_UNTIL(&w, w.got_len == out_len);
 *     filtered_end(&w);                asserts that nothing is left
 *
 * The world owns got, which the test allocates; everything else fails the running test.
 */
#ifndef KL_TESTS_DRIVER_FILTERED_WORLD_H
#define KL_TESTS_DRIVER_FILTERED_WORLD_H

#include "tests/driver/scripted_loop.h"
#include "tests/support/splitting_filter.h"

/* Of the connection. */
extern const kloop_id filtered_id;

typedef struct filtered_world {
    scripted_loop l;
    splitting_filters near_end;
    splitting_filters far_end;
    kl_byte_filter far;
    int peer;
    bool far_closed; /* the driver has ended the stream */
    uint8_t *got;    /* what the far end has read */
    size_t got_len;
    size_t got_room;
} filtered_world;

/* len bytes that are nobody else's; to be freed. */
uint8_t *filtered_pattern(size_t len);

void filtered_begin(filtered_world *w, uint64_t seed);
/* TCP is there, and the far end has a filter. */
void filtered_connect_socket(filtered_world *w);
/* The same until the engine has heard of it. */
void filtered_connect_both(filtered_world *w);
void filtered_end(filtered_world *w);

/* The pump has something to do. */
void filtered_wake(filtered_world *w);
/* The far end takes in what has come and sends what it has to say. */
void filtered_work_far(filtered_world *w);
/* Writes through the far filter as much as it takes. */
size_t filtered_tell(filtered_world *w, const uint8_t *bytes, size_t len);
/* What the engine has to write, and where it reads to. */
scripted_connection *filtered_give_bytes(filtered_world *w, const uint8_t *out, size_t out_len,
                                         uint8_t *in, size_t in_len);
/* Fails when the test takes too long. */
void filtered_guard(filtered_world *w, const char *waiting_for);

/* So often the engine has heard of that, and what was said the last time. */
size_t filtered_count(filtered_world *w, scripted_kind kind);
const char *filtered_reason(filtered_world *w, scripted_kind kind);

#define FILTERED_RUN_UNTIL(w, condition)                                                           \
    do {                                                                                           \
        filtered_work_far(w);                                                                      \
        while (!(condition)) {                                                                     \
            uv_run(&(w)->l.loop, UV_RUN_NOWAIT);                                                   \
            filtered_work_far(w);                                                                  \
            filtered_guard(w, #condition);                                                         \
        }                                                                                          \
    } while (0)

#endif
