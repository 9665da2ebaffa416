/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Kafka producer on your libuv loop: no thread, no lock on a record's way, no hidden clock, one
 * socket for each broker.
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
 * kloop_keep_alive() says so. All calls belong to the loop's thread, but for
 * kloop_send_from_any_thread(). Callbacks run from the loop, never inside a call; every function
 * may be called in them. Producers share nothing: any number of them on a loop, any number of loops
 * in threads of their own.
 *
 * fork(): the producer stays the parent's, which notices nothing. In the child its sockets are gone
 * already, every call answers KLOOP_FORKED, and the child's end is silent. A child that goes on
 * with the loop calls uv_loop_fork() before all else, as libuv demands; the producer does not keep
 * that loop from ending. kloop_close() gives its handles and memory back there, and fn runs;
 * reports and borrowed values are the parent's. Where another thread than the loop's has forked,
 * loop and producer may be in the middle of anything: the child leaves both alone. A child that
 * sends, a daemon for one, opens a producer of its own. Children made by vfork(), posix_spawn() or
 * a bare clone() are for exec alone.
 *
 * exit(), or a return from main, while records are neither reported nor given up: one line on
 * stderr says how many, unless warn.at.exit=false. Nothing is waited for: that is what
 * kloop_close() is for.
 */
#ifndef KLOOP_KLOOP_H
#define KLOOP_KLOOP_H

#include <kloop/broker_error.h>
#include <kloop/config.h>
#include <kloop/engine.h>
#include <kloop/export.h>
#include <kloop/record.h>
#include <kloop/sasl.h>

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
 * at once, by TLS and with SASL where security.protocol says so: files of certificates are read in
 * here. On anything but KLOOP_OK *p is NULL and *error, which may be NULL, says which key, which
 * value, what is allowed.
 */
KLOOP_API kloop_status kloop_open(kloop_producer **p, struct uv_loop_s *loop,
                                  const kloop_config *config, kloop_error *error);

/* The same with the host's own memory; alloc may be NULL: the C library's, and the system's for
 * large blocks. What libuv and c-ares allocate themselves does not come from there. */
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
/* A batch that was encoded elsewhere. See kloop_engine_send_batch(), kloop_send_batch_error(). */
KLOOP_API kloop_status kloop_send_batch(kloop_topic *topic, const kloop_encoded *batch);

typedef void (*kloop_chunk_fn)(kloop_producer *p, const kloop_chunk_report *chunk, void *me);
typedef void (*kloop_release_fn)(kloop_producer *p, const kloop_loan *loans, size_t count,
                                 void *me);

/* One completion for many records; see kloop_engine_chunk() for the rules. Begin, send records with
 * KLOOP_SET_CHUNK, then end or drop: the handle must not be used after that. */
KLOOP_API kloop_status kloop_chunk_begin(kloop_producer *p, void *user, kloop_chunk **chunk);
KLOOP_API void kloop_chunk_end(kloop_chunk *chunk);
KLOOP_API void kloop_chunk_drop(kloop_chunk *chunk);
/* What became of chunks that were ended; of those that never were, when the producer is closed.
 * Without a callback that is dropped. */
KLOOP_API void kloop_on_chunk(kloop_producer *p, kloop_chunk_fn fn, void *me);
/* Borrowed values (KLOOP_SET_BORROWED) that are given back, before or after the report of their
 * record, and all of them before the close callback. Without a callback nobody learns of it. */
KLOOP_API void kloop_on_release(kloop_producer *p, kloop_release_fn fn, void *me);

/* fn runs after the reports of all records sent before. KLOOP_CLOSED: fn will not run. */
KLOOP_API kloop_status kloop_flush(kloop_producer *p, kloop_event_fn fn, void *me);

typedef void (*kloop_warm_fn)(kloop_producer *p, const kloop_warmth *warmth, void *me);

/* Connects to the leaders of all partitions of this topic, or to all brokers when it is NULL,
 * before there are records; fn tells what came of it, after timeout_ms at the latest. See
 * kloop_engine_warm_up(). On anything but KLOOP_OK fn will not run. */
KLOOP_API kloop_status kloop_warm_up(kloop_producer *p, kloop_topic *topic, uint64_t timeout_ms,
                                     kloop_warm_fn fn, void *me);

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

/* ---- Tokens ---- */

/*
 * With sasl.mechanism=OAUTHBEARER: a token is wanted, the first one, a newer one before the last
 * has expired, or another one ten seconds after a broker has refused it. fn fetches it in its own
 * time, and answers with one call of kloop_set_token() or kloop_token_failed(), inside fn or
 * whenever it likes; connections wait meanwhile, unless they have a token that is still good. It is
 * not asked where sasl.oauthbearer.token.endpoint.url names a file. Without file and callback
 * connecting fails, and the log says so.
 */
KLOOP_API void kloop_on_token(kloop_producer *p, kloop_event_fn fn, void *me);
/* Copies the token; also one that nobody has asked for. KLOOP_BAD_ARGUMENT: the mechanism takes
 * none, or not this one; KLOOP_CLOSED, KLOOP_FORKED, KLOOP_NO_MEMORY. *error, which may be NULL,
 * says why, and fn is called again later if a token was wanted. */
KLOOP_API kloop_status kloop_set_token(kloop_producer *p, const kloop_token *token,
                                       kloop_error *error);
/* There is none now; why is for the log, in words without secrets. fn is called again later. */
KLOOP_API void kloop_token_failed(kloop_producer *p, const char *why);

/* Whether an idle producer keeps uv_run() from returning; it does not at first. */
KLOOP_API void kloop_keep_alive(kloop_producer *p, bool keep);

/* ---- Other threads ---- */

/*
 * From now on other threads may send to this producer's topics: through an inlet that holds at most
 * bytes_max bytes, records with what they cost included. To be called once, on the loop's thread,
 * before any of them sends. KLOOP_BAD_ARGUMENT: it was called before, or bytes_max is 0;
 * KLOOP_CLOSED, KLOOP_FORKED, KLOOP_NO_MEMORY. The allocator of kloop_open_with() is called by all
 * of these threads then.
 */
KLOOP_API kloop_status kloop_allow_threads(kloop_producer *p, size_t bytes_max, kloop_error *error);

/*
 * kloop_send() for every thread: copies the record and wakes the loop, which sends it. No lock is
 * taken, and nothing is waited for. The records of one thread are sent in their order. KLOOP_OK: it
 * will be reported, as all others, by the delivery callback on the loop's thread. Else nothing of
 * it is kept:
 *   KLOOP_FULL           the inlet is; see kloop_on_inlet_room()
 *   KLOOP_TOO_LARGE      more than the inlet can ever hold, or than max.request.size
 *   KLOOP_BAD_ARGUMENT   as in kloop_send(); also a bit in set that is neither KLOOP_SET_PARTITION
 *                        nor KLOOP_SET_TIMESTAMP, and a producer that has no inlet
 *   KLOOP_BAD_PARTITION  negative
 *   KLOOP_BAD_TIMESTAMP, KLOOP_BAD_HEADERS, KLOOP_CLOSED, KLOOP_FORKED, KLOOP_NO_MEMORY
 * What only shows when the loop sends it (the topic has no such partition, the producer cannot go
 * on) is told in a report: KLOOP_OUTCOME_FAILED, with the sentence of kloop_send_error().
 *
 * While buffer.memory is used up the inlet waits, in order, for delivery.timeout.ms at most. A
 * flush counts what was accepted before it, a close delivers it or reports it. kloop_close() shuts
 * the inlet for all threads at once; topics and producer may be named by them until the close
 * callback has returned, so join them there at the latest. An idle producer does not keep uv_run()
 * from returning: kloop_keep_alive() as long as records may come.
 */
KLOOP_API kloop_status kloop_send_from_any_thread(kloop_topic *topic, const kloop_record *record);

/* kloop_send_error() for what kloop_send_from_any_thread() answered, and for every thread. */
KLOOP_API size_t kloop_thread_send_error(const kloop_topic *topic, const kloop_record *record,
                                         kloop_status status, char *text, size_t size);

/* fn runs on the loop's thread after a thread was answered KLOOP_FULL, once no more than half of
 * the inlet is in use: the time to tell it, by whatever it waits for. */
KLOOP_API void kloop_on_inlet_room(kloop_producer *p, kloop_event_fn fn, void *me);

/* ---- Questions ---- */

KLOOP_API void kloop_get_stats(const kloop_producer *p, kloop_stats *stats);
/* All of it at once. parts are any of KLOOP_SNAPSHOT_; with a topic, only that one is among the
 * topics. kloop_snapshot_del() when done, which may be after the producer's end. KLOOP_FORKED,
 * KLOOP_NO_MEMORY: *s is NULL. */
KLOOP_API kloop_status kloop_take_snapshot(kloop_producer *p, unsigned parts,
                                           const kloop_topic *topic, kloop_snapshot **s);
/* The same in slices for thousands of partitions, one in each turn of the loop; go_on answers true
 * when it is whole. See kloop_engine_snapshot_begin(). Not to go on with after the close callback.
 */
KLOOP_API kloop_status kloop_snapshot_begin(kloop_producer *p, unsigned parts,
                                            const kloop_topic *topic, kloop_snapshot **s);
KLOOP_API bool kloop_snapshot_go_on(kloop_producer *p, kloop_snapshot *s);
/* Is anything held up, and why? For one partition see kloop_why_waiting(). */
KLOOP_API bool kloop_get_suspended(const kloop_producer *p, kloop_suspended *suspended);
/* NULL unless the producer cannot go on, as when it was fenced. */
KLOOP_API const char *kloop_fatal_text(const kloop_producer *p);
/* The longest that one turn of the loop spent inside kloop, callbacks included, in ns. */
KLOOP_API uint64_t kloop_loop_hold_max_ns(const kloop_producer *p);

#ifdef __cplusplus
}
#endif

#endif
