/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Kafka producer on your libuv loop: no thread, no lock, no hidden clock, one socket for each
 * broker.
 *
 *     kloop_config *c = kloop_config_new(NULL);
 *     kloop_config_set(c, "bootstrap.servers", "localhost:9092");
 *     kloop_producer *p;
 *     kloop_error error;
 *     if (kloop_open(&p, loop, c, &error))
 *         fprintf(stderr, "%s\n", error.text);
 *     kloop_config_del(c);
 *     kloop_on_delivery(p, delivered, me);
 *     kloop_topic *t;
 *     kloop_topic_get(p, "events", &t, &error);
 *     kloop_status s = kloop_send(t, &(kloop_record){.value = {bytes, len}, .user = x});
 *
 * The loop stays yours: uv_run() returns when nothing is left to do. A producer keeps it alive
 * while records, a flush or a close are pending, and not when it is idle, unless
 * kloop_keep_alive() says so. All calls belong to the loop's thread. Callbacks run from the loop,
 * never inside a call; every function may be called in them.
 */
#ifndef KLOOP_KLOOP_H
#define KLOOP_KLOOP_H

#include <kloop/broker_error.h>
#include <kloop/config.h>
#include <kloop/engine.h>
#include <kloop/export.h>
#include <kloop/record.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s;

typedef struct kloop_producer kloop_producer;

typedef void (*kloop_delivery_fn)(kloop_producer *p, const kloop_report *run, void *me);
typedef void (*kloop_event_fn)(kloop_producer *p, void *me);
typedef void (*kloop_log_fn)(kloop_producer *p, kloop_log_level level, const char *text, void *me);

/*
 * A producer on this loop, which must live until the close callback has run. It begins to connect
 * at once. On anything but KLOOP_OK *p is NULL and *error, which may be NULL, says which key, which
 * value, what is allowed.
 */
KLOOP_API kloop_status kloop_open(kloop_producer **p, struct uv_loop_s *loop,
                                  const kloop_config *config, kloop_error *error);

/* The same with the host's own memory; alloc may be NULL: the C library's. What libuv and c-ares
 * allocate themselves does not come from there. */
KLOOP_API kloop_status kloop_open_with(kloop_producer **p, struct uv_loop_s *loop,
                                       const kloop_config *config, const kloop_allocator *alloc,
                                       kloop_error *error);

/* The reports on all records. Without a callback they are dropped. */
KLOOP_API void kloop_on_delivery(kloop_producer *p, kloop_delivery_fn fn, void *me);
/* After KLOOP_FULL: once there is room again. */
KLOOP_API void kloop_on_writable(kloop_producer *p, kloop_event_fn fn, void *me);
/* Sentences on what goes wrong and is tried again. Without a callback they are dropped. */
KLOOP_API void kloop_on_log(kloop_producer *p, kloop_log_fn fn, void *me);

/* The handle of a topic; the same name gives the same handle. *error may be NULL. */
KLOOP_API kloop_status kloop_topic_get(kloop_producer *p, const char *name, kloop_topic **topic,
                                       kloop_error *error);
KLOOP_API kloop_producer *kloop_topic_producer(const kloop_topic *topic);

/* See kloop_engine_send() for what it answers, kloop_send_error() for the sentence. */
KLOOP_API kloop_status kloop_send(kloop_topic *topic, const kloop_record *record);

/* fn runs after the reports of all records sent before. KLOOP_CLOSED: fn will not run. */
KLOOP_API kloop_status kloop_flush(kloop_producer *p, kloop_event_fn fn, void *me);

/* Gives up records of this topic, or of all topics when it is NULL, and answers how many; what is
 * KLOOP_PURGE_QUEUED, KLOOP_PURGE_IN_FLIGHT or both. Their reports come from the loop. See
 * kloop_engine_purge(). */
KLOOP_API uint64_t kloop_purge(kloop_producer *p, kloop_topic *topic, unsigned what);

/*
 * Delivers what it has, for at most timeout_ms, reports the rest, gives every handle back to the
 * loop, calls fn (may be NULL) and is gone when fn returns. A second close only makes the time
 * shorter; its fn, if there is one, replaces the first.
 */
KLOOP_API void kloop_close(kloop_producer *p, uint64_t timeout_ms, kloop_event_fn fn, void *me);

/* Whether an idle producer keeps uv_run() from returning; it does not at first. */
KLOOP_API void kloop_keep_alive(kloop_producer *p, bool keep);

KLOOP_API void kloop_get_stats(const kloop_producer *p, kloop_stats *stats);
/* NULL unless the producer cannot go on, as when it was fenced. */
KLOOP_API const char *kloop_fatal_text(const kloop_producer *p);
/* The longest that one turn of the loop spent inside kloop, callbacks included, in ns. */
KLOOP_API uint64_t kloop_loop_hold_max_ns(const kloop_producer *p);

#ifdef __cplusplus
}
#endif

#endif
