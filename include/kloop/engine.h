/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The producer without a loop: every decision of a Kafka producer as one state machine that knows
 * neither sockets nor clocks. A host (libuv in <kloop/kloop.h>, somebody's epoll loop, a simulator)
 * tells it what happened, with the time as an argument, and pulls what is to be done.
 *
 *            send, flush, close                 DELIVER, WRITABLE, FLUSHED, CLOSED, LOG
 *     user ----------------------->  engine  ------------------------------------------> user
 *                                    |    ^
 *     RESOLVE, CONNECT, WRITE, CLOSE |    | on_resolved, on_connected, on_received, on_wrote,
 *       PAUSE, RESUME, one deadline  v    | on_disconnected, on_closed, on_time
 *                                     host
 *
 * A turn of a host: deliver every event that the turn brought, then kloop_engine_on_time() when
 * kloop_engine_deadline() has passed, then take actions until there is none, then sleep until the
 * deadline or the next event.
 *
 * The contracts:
 *
 * - Events only change state. No code of the host or of the user runs inside any function here, but
 *   for a function that chooses partitions (kloop_topic_set_partitioner()) and hooks
 *   (<kloop/hooks.h>); every function may be called between any two actions, also from a user's
 *   callback.
 * - Same configuration, seed and events: same actions, byte for byte.
 * - Each opening action has exactly one ending event: RESOLVE has on_resolved, CONNECT has
 *   on_connected or on_disconnected, CLOSE has on_closed. on_disconnected may also come once after
 *   on_connected, when the transport is lost or the peer has closed; the engine then answers with
 *   CLOSE. on_untrusted may come in its place. CANCEL asks for the end of a RESOLVE: on_resolved
 *   still comes, without addresses.
 * - A handle (kloop_id) has a generation: an event for a connection that is gone changes nothing.
 *   After on_closed the engine never names that handle again.
 * - Memory to write: the slices of kloop_engine_write_vec() show the head of what is unsent. They
 *   stay alive and unchanged until on_wrote covers them or on_closed comes, also when their request
 *   has timed out and its records were reported. What was handed out counts as sent, for the engine
 *   cannot know better. A host may take one byte or all, and may ask again without having written.
 * - Memory to read: the span of kloop_engine_read_space() is good until the next call for this
 *   connection of kloop_engine_on_received() or of kloop_engine_read_space(), or on_closed.
 * - WRITE comes when there are bytes to write and the host does not know it yet. From then on the
 *   host writes, now and when the socket takes more, until write_vec shows nothing; then it waits
 *   for the next WRITE.
 * - PAUSE: the engine has no room for bytes of this connection. The host stops reading, and gives a
 *   span that it holds back with kloop_engine_on_received(e, conn, 0, now); read_space answers no
 *   room until RESUME. So the receive buffers of all connections together stay bounded.
 * - on_time comes after the sockets were read: to the end, or once as far as one bounded pass goes.
 *   A request must not time out while its answer waits in the kernel.
 * - One deadline, absolute. on_time at or after it changes something; before it, nothing.
 *   A deadline that has passed means that there is work left, which the engine has cut in pieces in
 *   order not to hold the loop.
 * - Time never goes back. A call without a time (send, next) uses that of the latest event.
 */
#ifndef KLOOP_ENGINE_H
#define KLOOP_ENGINE_H

#include <kloop/config.h>
#include <kloop/export.h>
#include <kloop/record.h>
#include <kloop/sasl.h>
#include <kloop/stats.h>
#include <kloop/types.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kloop_engine kloop_engine;

/* A connection, or a resolution of a name. gen is never 0 in a handle that the engine gave out. */
typedef struct kloop_id {
    uint32_t slot;
    uint32_t gen;
} kloop_id;

/* Where to connect to. */
typedef struct kloop_address {
    uint8_t bytes[16]; /* network order; the first 4 for IPv4 */
    uint32_t scope;    /* IPv6 link-local */
    uint16_t port;     /* filled in by the engine in CONNECT */
    uint8_t family;    /* 4 or 6 */
} kloop_address;

/* ---- Life ---- */

/*
 * alloc may be NULL: the C library's. The seed is all the entropy there is: jitter and the choice
 * of brokers and partitions come from it. config is copied. host is the caller's, see
 * kloop_engine_host(). On anything but KLOOP_OK *out is NULL and *error, which may be NULL, says
 * why: KLOOP_BAD_CONFIG or KLOOP_NO_MEMORY.
 */
KLOOP_API kloop_status kloop_engine_new(kloop_engine **out, const kloop_config *config,
                                        const kloop_allocator *alloc, uint64_t seed, kloop_now now,
                                        void *host, kloop_error *error);
/* At any time; what was not reported is not reported any more, nor are chunks told of or loans
 * given back: nobody looks at borrowed bytes afterwards. Normally after CLOSED. e may be NULL. */
KLOOP_API void kloop_engine_del(kloop_engine *e);
KLOOP_API void *kloop_engine_host(const kloop_engine *e);

/* ---- Security ---- */

/*
 * How connections are made safe. To be called once, right after kloop_engine_new(), by the host of
 * a configuration whose security.protocol is not PLAINTEXT. Without it such an engine connects to
 * nobody, and says why.
 *
 * tls: the host brings TLS up and verifies the peer before it tells of kloop_engine_on_connected(),
 * and gives the engine nothing but what came through TLS. sasl: who the producer is; it is copied,
 * but what its me points at must last as long as the engine. NULL: no SASL.
 *
 * KLOOP_BAD_CONFIG with a sentence in *error, which may be NULL: it is not what security.protocol
 * asks for; or KLOOP_NO_MEMORY. Nothing has changed then.
 */
KLOOP_API kloop_status kloop_engine_secure(kloop_engine *e, bool tls,
                                           const kloop_sasl_mechanism *sasl, kloop_error *error);

/*
 * The token that TOKEN has asked for, or a newer one at any time; the mechanism copies it. One of
 * these two ends a TOKEN; after a failure, of which why tells in a sentence, it comes again a
 * little later. Until a token has expired, connections go on being made with it.
 *
 * KLOOP_BAD_ARGUMENT: the mechanism takes none, or not this one, for it is malformed or expired.
 * KLOOP_NO_MEMORY. *error, which may be NULL, says why; the old one stays, and a TOKEN ends as if
 * by kloop_engine_token_failed().
 */
KLOOP_API kloop_status kloop_engine_set_token(kloop_engine *e, const kloop_token *token,
                                              kloop_now now, kloop_error *error);
KLOOP_API void kloop_engine_token_failed(kloop_engine *e, const char *why, kloop_now now);

/* ---- The user's side ---- */

/*
 * The handle of a topic; made, and asked for at the brokers, at the first call with this name.
 * KLOOP_BAD_TOPIC: not a name that Kafka allows. KLOOP_CLOSED, KLOOP_NO_MEMORY. *topic is NULL
 * then.
 */
KLOOP_API kloop_status kloop_engine_topic(kloop_engine *e, kloop_string name, kloop_topic **topic);
KLOOP_API kloop_engine *kloop_topic_engine(const kloop_topic *topic);
KLOOP_API kloop_string kloop_topic_name(const kloop_topic *topic);
/* How many partitions it has, as far as known; 0: not known yet, or not any more, when nothing was
 * sent there for metadata.max.idle.ms. */
KLOOP_API int32_t kloop_topic_partitions(const kloop_topic *topic);

/*
 * A key for this topic alone, at any time, under the names of a configuration: batch.size,
 * buffer.memory, compression.type and the levels, linger.ms, partitioner.class,
 * partitioner.ignore.keys and partitioner.adaptive.partitioning.enable. It counts from the next
 * batch on. buffer.memory is the topic's own share, and no more is held for it: its records are
 * answered with KLOOP_FULL then, while other topics go on. In a configuration the same is written
 * topic.NAME.KEY.
 *
 * KLOOP_BAD_CONFIG or KLOOP_NO_MEMORY with a sentence in *error, which may be NULL: nothing has
 * changed then.
 */
KLOOP_API kloop_status kloop_topic_set(kloop_topic *topic, const char *key, const char *value,
                                       kloop_error *error);

/*
 * Chooses the partition of a record: 0 to partition_count - 1, or -1 to let the producer choose as
 * partitioner.class says. Anything else is no partition, and the record is refused.
 */
typedef int32_t (*kloop_partition_fn)(const kloop_topic *topic, const kloop_record *record,
                                      int32_t partition_count, void *me);

/*
 * From now on fn chooses the partitions of this topic's records; NULL: no function any more. A
 * record with KLOOP_SET_PARTITION goes where it says, and fn is not asked.
 *
 * fn runs inside kloop_engine_send(). For records that were sent before the partitions were known
 * it runs once they are: inside kloop_engine_next() or another send. The record's views are good
 * for that call. It must not call kloop, but for kloop_topic_name(), and must give the same answer
 * for the same record and count each time, for it may be asked again. It must work until the
 * producer is gone, or until another has taken its place. A batch that is encoded already
 * (kloop_engine_send_batch()) is shown as a record without a key whose value it is. topic must not
 * be NULL.
 */
KLOOP_API void kloop_topic_set_partitioner(kloop_topic *topic, kloop_partition_fn fn, void *me);

/*
 * Takes a record. KLOOP_OK: it will be reported. Else nothing of it is kept:
 *   KLOOP_FULL           buffer.memory is used up; WRITABLE follows when there is room again
 *   KLOOP_TOO_LARGE      more than max.request.size
 *   KLOOP_BAD_ARGUMENT   topic or record is NULL, a slice has a length but no bytes, set has bits
 *                        that mean nothing
 *   KLOOP_BAD_CHUNK      KLOOP_SET_CHUNK, and chunk is NULL, of another producer, or ended
 *   KLOOP_BAD_PARTITION  negative, or beyond the topic's partitions; also as its function chose it
 *   KLOOP_BAD_TIMESTAMP  negative
 *   KLOOP_BAD_HEADERS    too many, without an array, or a key that is null; also of a hook's
 *   KLOOP_CLOSED         the producer is closed or closing
 *   KLOOP_FATAL          the producer cannot go on; kloop_engine_fatal_text() says why
 *   KLOOP_NO_MEMORY
 * kloop_send_error() makes the sentence.
 */
KLOOP_API kloop_status kloop_engine_send(kloop_topic *topic, const kloop_record *record);

/* What of that can be told from the record alone: KLOOP_OK, KLOOP_TOO_LARGE or one of the
 * KLOOP_BAD_ ones. The one function that any thread may call, at any time in the topic's life. */
KLOOP_API kloop_status kloop_engine_check(const kloop_topic *topic, const kloop_record *record);

/*
 * Takes a whole batch that was encoded elsewhere. It closes the partition's open batch, queues
 * behind it, and leaves without lingering; to the broker it is a batch like all others, with the
 * numbers of this producer. It is reported once, with one user (see record_count in kloop_report);
 * statistics count its records. It is never taken apart: one that is too large for the broker, or
 * of which it refuses some records, fails as a whole.
 *
 * Its length, checksum, codec and counts are checked, its records are not looked at. Answers as
 * kloop_engine_send() does, and
 *   KLOOP_BAD_MAGIC, _BAD_LENGTH, _BAD_CRC, _BAD_CODEC, _BAD_COUNT, _TRUNCATED, _TRAILING
 *                        the bytes are not one whole and sound batch of format v2
 *   KLOOP_BAD_BATCH      it is, but not one for a producer to send: it is empty, a control batch,
 *                        part of a transaction, stamped by a broker, or its offsets have gaps
 * kloop_send_batch_error() makes the sentence.
 */
KLOOP_API kloop_status kloop_engine_send_batch(kloop_topic *topic, const kloop_encoded *batch);

/*
 * Chunks: one completion for any number of records, to any topics, in any number of turns.
 *
 *     kloop_engine_chunk(e, user, &chunk);
 *     kloop_engine_send(t, &(kloop_record){..., .set = KLOOP_SET_CHUNK, .chunk = chunk}); ...
 *     kloop_engine_chunk_end(chunk);              later: KLOOP_ACT_CHUNK
 *
 * Records of a chunk are not reported by DELIVER. When the chunk was ended and the last of its
 * records is settled, CHUNK comes, once, and the handle is gone. So it does for a chunk without
 * records. A chunk that is not ended when the producer is closed gets its CHUNK right before
 * CLOSED, and may be ended or dropped until then. A FLUSHED comes after the CHUNK of each chunk
 * that was ended, and had its last record sent, before the flush. A chunk does not count against
 * buffer.memory; its records do.
 *
 * *chunk is NULL unless KLOOP_OK is answered: KLOOP_CLOSED, KLOOP_FATAL, KLOOP_NO_MEMORY.
 */
KLOOP_API kloop_status kloop_engine_chunk(kloop_engine *e, void *user, kloop_chunk **chunk);
/* No more records come. Not twice. The handle must not be used any more. */
KLOOP_API void kloop_engine_chunk_end(kloop_chunk *chunk);
/* The same, and nobody wants to know: its records go on, and no CHUNK comes. */
KLOOP_API void kloop_engine_chunk_drop(kloop_chunk *chunk);
KLOOP_API kloop_engine *kloop_chunk_engine(const kloop_chunk *chunk);

/* Sends out what waits without lingering; FLUSHED with this user comes after the reports of all
 * records accepted before. KLOOP_NO_MEMORY; KLOOP_CLOSED once all is reported after a close. */
KLOOP_API kloop_status kloop_engine_flush(kloop_engine *e, void *user, kloop_now now);

/*
 * Takes no more records, delivers what it has for at most timeout_ms, reports the rest as failed or
 * unknown, closes all connections, then gives CLOSED, which is the last action. A second call can
 * only make the time shorter.
 */
KLOOP_API void kloop_engine_close(kloop_engine *e, uint64_t timeout_ms, kloop_now now);

/* What kloop_engine_purge() gives up; both may be asked for at once. */
typedef enum kloop_purge_what {
    KLOOP_PURGE_QUEUED = 1 << 0,    /* what is in no request: also what waits for another attempt */
    KLOOP_PURGE_IN_FLIGHT = 1 << 1, /* what was given to a connection and not answered yet */
} kloop_purge_what;

/*
 * Gives up records of this topic, or of all topics when it is NULL, and answers how many. Each is
 * reported: FAILED if no attempt can have stored it, else UNKNOWN, with KLOOP_CAUSE_PURGED, and
 * behind those of its partition that were sent before it and are still under way. The producer goes
 * on: what is sent from now on is delivered as ever, in order. Records that a broker has refused by
 * name are reported so, and not among those that were given up.
 */
KLOOP_API uint64_t kloop_engine_purge(kloop_engine *e, kloop_topic *topic, unsigned what,
                                      kloop_now now);

/*
 * Makes the connections that records will need, before there are any: to the leaders of all
 * partitions of this topic, or, when it is NULL, to all brokers of the cluster. Each is made, and
 * found to speak Kafka. WARM with this user comes once: when all of them are ready, when the topic
 * was refused for good, when timeout_ms are over, or when the producer is closed or cannot go on.
 * With timeout_ms 0 that is at once, and tells how things are. Any number may be under way.
 * Connections that are warm are kept like all others, see connections.max.idle.ms; a topic that
 * does not exist is asked for, and so perhaps created, as if a record were sent there.
 * KLOOP_NO_MEMORY; KLOOP_CLOSED from a close on; WARM does not come then.
 */
KLOOP_API kloop_status kloop_engine_warm_up(kloop_engine *e, kloop_topic *topic,
                                            uint64_t timeout_ms, void *user, kloop_now now);

/* What came of it. */
typedef struct kloop_warmth {
    kloop_topic *topic; /* NULL: all brokers were asked for */
    int32_t partitions; /* of the topic; 0: no broker has told of it */
    int32_t led;        /* of these, those whose leader is known */
    int32_t brokers;    /* that are needed, as far as known */
    int32_t ready;      /* of these */
    bool warm;          /* all is ready: a record would leave at once, wherever it goes */
    const char *text;   /* what stands in the way; "" when warm. Good like the action's views */
} kloop_warmth;

/* Are there records, a flush, a warm-up or a close to be finished? If not, nobody needs to wait for
 * this producer. */
KLOOP_API bool kloop_engine_busy(const kloop_engine *e);

/* NULL unless the producer cannot go on. */
KLOOP_API const char *kloop_engine_fatal_text(const kloop_engine *e);

/* ---- Looking inside, see <kloop/stats.h> ---- */

KLOOP_API void kloop_engine_stats(const kloop_engine *e, kloop_stats *stats);

/*
 * Everything at once, at the time of the latest event; parts are any of KLOOP_SNAPSHOT_. With a
 * topic, only that one is among the topics. KLOOP_NO_MEMORY: *out is NULL.
 */
KLOOP_API kloop_status kloop_engine_snapshot(kloop_engine *e, unsigned parts,
                                             const kloop_topic *topic, kloop_snapshot **out);
/*
 * The same in slices of some tenths of a millisecond, however many partitions there are: begin
 * takes the producer itself, and each go_on a slice of the others; true: it is whole. Between two
 * of them the producer goes on, so what has a row late is told as it was late; topics and
 * partitions that came since begin are not in it. Rows that were not taken yet are all zero.
 */
KLOOP_API kloop_status kloop_engine_snapshot_begin(kloop_engine *e, unsigned parts,
                                                   const kloop_topic *topic, kloop_snapshot **out);
KLOOP_API bool kloop_engine_snapshot_go_on(kloop_engine *e, kloop_snapshot *s);

/*
 * What the records of this partition wait for that would be the next to leave, and in text, which
 * is terminated, a sentence: "suspended, because ..." where they are held up, "" where nothing
 * waits. partition -1: the topic's records whose partition is not known. A partition that there is
 * not: KLOOP_WAITING_NOTHING.
 */
KLOOP_API kloop_waiting kloop_why_waiting(const kloop_topic *topic, int32_t partition, char *text,
                                          size_t size);

/*
 * Is anything of this producer held up by something that does not end by itself within moments? For
 * those who would rather stop their sources than wait for KLOOP_FULL. Looks at brokers and topics,
 * and at partitions only where some of a topic's have no leader.
 */
KLOOP_API bool kloop_engine_suspended(const kloop_engine *e, kloop_suspended *suspended);

/* ---- Events ---- */

/* What time it is, for the calls that follow without one. Cheaper than on_time and settles no
 * deadline; a host calls it once in a turn before the user can send. */
KLOOP_API void kloop_engine_clock(kloop_engine *e, kloop_now now);

/* count == 0: there are none, and why (may be NULL) says why. Order is the order of trying. */
KLOOP_API void kloop_engine_on_resolved(kloop_engine *e, kloop_id id,
                                        const kloop_address *addresses, size_t count,
                                        const char *why, kloop_now now);
/* The transport is ready for bytes: TCP, or TLS with the peer verified. */
KLOOP_API void kloop_engine_on_connected(kloop_engine *e, kloop_id conn, kloop_now now);
/* Where the next bytes should land. *room is 0, and NULL answered, when reading is paused or there
 * is no such connection. */
KLOOP_API uint8_t *kloop_engine_read_space(kloop_engine *e, kloop_id conn, size_t *room);
KLOOP_API void kloop_engine_on_received(kloop_engine *e, kloop_id conn, size_t n, kloop_now now);
/* The first n bytes shown by write_vec are out of the host's hands. */
KLOOP_API void kloop_engine_on_wrote(kloop_engine *e, kloop_id conn, size_t n, kloop_now now);
/* It could not be connected, was lost, or the peer closed it. why may be NULL. */
KLOOP_API void kloop_engine_on_disconnected(kloop_engine *e, kloop_id conn, const char *why,
                                            kloop_now now);
/* The same, instead of it, for a reason that trying again does not cure by itself: a certificate
 * that is not trusted, a handshake refused. why is a sentence. */
KLOOP_API void kloop_engine_on_untrusted(kloop_engine *e, kloop_id conn, const char *why,
                                         kloop_now now);
/* The last word about conn: nobody looks at its bytes any more. */
KLOOP_API void kloop_engine_on_closed(kloop_engine *e, kloop_id conn, kloop_now now);
KLOOP_API void kloop_engine_on_time(kloop_engine *e, kloop_now now);

/* ---- Actions ---- */

typedef enum kloop_action_kind {
    KLOOP_ACT_RESOLVE = 1, /* id, host, port */
    KLOOP_ACT_CANCEL,      /* id of a RESOLVE that nobody waits for any more */
    KLOOP_ACT_CONNECT,     /* id, address, host (for TLS and messages), port */
    KLOOP_ACT_WRITE,       /* id */
    KLOOP_ACT_CLOSE,       /* id, text */
    KLOOP_ACT_PAUSE,       /* id */
    KLOOP_ACT_RESUME,      /* id */
    KLOOP_ACT_TOKEN,       /* SASL needs a token: kloop_engine_set_token() when there is one */
    KLOOP_ACT_DELIVER,     /* report */
    KLOOP_ACT_WRITABLE,    /* there is room again after KLOOP_FULL */
    KLOOP_ACT_FLUSHED,     /* user of the flush */
    KLOOP_ACT_CLOSED,      /* the end */
    KLOOP_ACT_LOG,         /* level, text */
    KLOOP_ACT_WARM,        /* user of the warm-up, warmth */
    KLOOP_ACT_CHUNK,       /* chunk: an ended one whose records are all settled */
    KLOOP_ACT_RELEASE,     /* loans, loan_count: nobody looks at these bytes any more. Before or
                              after the report of their record; all of them before CLOSED */
} kloop_action_kind;

typedef enum kloop_log_level {
    KLOOP_LOG_ERROR = 0, /* does not heal by itself */
    KLOOP_LOG_WARN,      /* being tried again */
    KLOOP_LOG_INFO,
    KLOOP_LOG_DEBUG,
} kloop_log_level;

/* Views are good until the next call of a function of this engine. */
typedef struct kloop_action {
    kloop_action_kind kind;
    kloop_id id;
    kloop_address address;
    kloop_string host; /* terminated */
    uint16_t port;
    kloop_report report;
    kloop_warmth warmth;
    const kloop_chunk_report *chunk;
    const kloop_loan *loans;
    size_t loan_count;
    void *user;
    kloop_log_level level;
    const char *text;
} kloop_action;

/* The next action; false: none is left now. Work is done in here in bounded pieces. */
KLOOP_API bool kloop_engine_next(kloop_engine *e, kloop_action *action);

/* The same without the user's actions (from TOKEN on), which stay for kloop_engine_next(): for a
 * host that wants to get bytes out in the middle of the user's code. */
KLOOP_API bool kloop_engine_next_io(kloop_engine *e, kloop_action *action);

/* Is there an action that has to do with I/O, or work that would lead to one? Cheap. */
KLOOP_API bool kloop_engine_has_io(const kloop_engine *e);

/* The unsent head as at most max slices; answers how many. */
KLOOP_API size_t kloop_engine_write_vec(kloop_engine *e, kloop_id conn, kloop_slice *slices,
                                        size_t max);

/* Absolute mono_ns, or KLOOP_NEVER. Right only when next has answered false. */
KLOOP_API uint64_t kloop_engine_deadline(const kloop_engine *e);

#ifdef __cplusplus
}
#endif

#endif
