/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking over a producer's shoulder, and a hand on its elbow: functions of yours that it calls at
 * four places. For tracing (headers on each record, a span for each outcome), for captures and
 * fuzzing of what goes over the wire, and for a record of each decision that it makes.
 *
 *     before_append   kloop_send() --> here, headers may be added --> the batch
 *     on_frame        request --> here --> the host        answer --> here --> the engine
 *     on_outcome      the batch is settled --> here --> DELIVER
 *     on_decision     each time that something was decided
 *
 * Unlike the callbacks of <kloop/kloop.h> they run inside the producer, in the middle of what it
 * does: they must not call kloop, but for kloop_topic_name(), kloop_topic_partitions() and what
 * reads its arguments alone (kloop_trace_text(), <kloop/wire.h>). Most calls are asserted. What
 * they are shown is good until they return. A producer without hooks pays nothing for them.
 *
 * kloop_engine_set_hooks() and kloop_set_hooks() copy the struct; me is yours. Between two hooks
 * anything may be set, in a hook nothing.
 */
#ifndef KLOOP_HOOKS_H
#define KLOOP_HOOKS_H

#include <kloop/engine.h>
#include <kloop/export.h>
#include <kloop/record.h>
#include <kloop/types.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- A record before it is appended ---- */

/* Room that is there in each call; who needs more gives an array or bytes of its own. */
#define KLOOP_APPEND_HEADERS 8
#define KLOOP_APPEND_BYTES   512

typedef struct kloop_append {
    const kloop_topic *topic;
    const kloop_record *record; /* as it was sent */
    int32_t partition;          /* where it goes; -1: nobody knows yet how many there are */
    /* To be filled in, up to KLOOP_APPEND_HEADERS, or to be set to an array of your own that is
     * good until the call that sends returns. They stand behind the record's own headers. */
    kloop_record_header *headers;
    uint32_t header_count; /* how many were added; 0 at first */
    uint8_t *bytes; /* KLOOP_APPEND_BYTES, for what they point to; or that is yours as well */
} kloop_append;

/*
 * Runs inside kloop_engine_send() and kloop_send(), for each record that would be taken, also for
 * one of a chunk or with a borrowed value; for those of other threads inside the loop's turn that
 * sends them. Not for kloop_send_batch(): a batch that is encoded already is not taken apart. All
 * bytes are copied before the send returns, and nothing is allocated while record and hook have 16
 * headers together at most.
 *
 * false refuses the record with KLOOP_BAD_HEADERS, and so do headers that are no headers (a null
 * key, too many). The send may still answer KLOOP_FULL, _TOO_LARGE, for the headers count, or
 * _NO_MEMORY; the hook runs again when the record is sent again. A function that chooses
 * partitions runs before, and does not see what was added.
 */
typedef bool (*kloop_append_fn)(kloop_append *append, void *me);

/* ---- What became of records ---- */

typedef struct kloop_settled {
    const kloop_report *run; /* users are of no meaning where in_chunk is set */
    bool in_chunk;           /* no DELIVER tells of them, their chunk does */
    uint32_t attempts;       /* requests that have carried it; 0: it never left */
    uint64_t age_ns;         /* now, since the first record of its batch was sent */
    uint64_t queued_ns;      /* of that, until it left first; all of it, if it never did */
} kloop_settled;

/* Runs inside kloop_engine_next(), for each run of records right before it is given in a DELIVER,
 * or counted for its chunk: each record that was taken is in one of these exactly once. Records of
 * other threads that were refused by the loop come as well, with attempts 0. */
typedef void (*kloop_outcome_fn)(const kloop_settled *settled, void *me);

/* ---- Frames ---- */

typedef enum kloop_frame_way {
    KLOOP_FRAME_WRITTEN, /* a request */
    KLOOP_FRAME_READ,    /* its answer */
} kloop_frame_way;

typedef struct kloop_frame {
    kloop_frame_way way;
    int32_t broker_id; /* below 0: an entry of bootstrap.servers, not known to be a node yet */
    kloop_string host; /* terminated */
    uint16_t port;
    kloop_address address;
    kloop_id conn;
    /* Of the request; of an answer, as its request has them: they are not read from its bytes. */
    int16_t api_key;
    int16_t api_version;
    int32_t correlation_id;
    kloop_now now;
    size_t len;                /* of all slices; the first four bytes are the frame's length */
    const kloop_slice *slices; /* an answer is one slice */
    size_t slice_count;
} kloop_frame;

/*
 * Runs once for each request when it is first shown to the host (inside kloop_engine_write_vec()),
 * and for each answer before it is read (inside kloop_engine_on_received()). So a frame that was
 * seen as written may still not arrive; what the host was never shown is never seen. Requests that
 * hold a password, or what proves that we know it (SaslAuthenticate), are never shown, and neither
 * are the answers to them, by which a password could be guessed.
 *
 * true: *instead goes on in its place. The engine copies it before the hook is called again, and
 * nothing of it is checked: bytes and lengths may be anything. A request without bytes is not sent
 * at all, an answer without bytes is one that is too short. Of an answer the first four bytes are
 * left out, whatever they say; framing stays the engine's. What a broker then makes of the request,
 * or the engine of the answer, is like any other broker's doing: the producer stays sound, each
 * record is reported once, but outcomes are only as true as the bytes were. A copy does not count
 * against buffer.memory; without memory for it the connection is closed.
 */
typedef bool (*kloop_frame_fn)(const kloop_frame *frame, kloop_slice *instead, void *me);

/* ---- Decisions ---- */

/*
 * Name; what a and b are. why and code are told where they are something; code is an error of a
 * broker's (<kloop/broker_error.h>), 0: none.
 *
 * Of a batch: topic, partition (-1: none yet), batch.
 */
#define KLOOP_TRACE_MAP(XX)                                                                        \
    XX(PARKED)     /* a batch of records whose partition nobody knows is begun */                  \
    XX(UNPARKED)   /* its records were sent anew; a records */                                     \
    XX(OPENED)     /* a batch is begun */                                                          \
    XX(SEALED)     /* it takes no more; why a kloop_trace_seal; a records, b bytes */              \
    XX(COMPRESSED) /* why the codec, as in a batch's attributes; a bytes before, b after */        \
    XX(NUMBERED)   /* code its epoch; a producer id, b its first sequence */                       \
    XX(REQUESTED)  /* it goes into a request; broker; a correlation id, b attempts until now */    \
    XX(RETRIED)    /* it will go again; why a kloop_cause, code; a in so many ns, b retries */     \
    XX(RESHAPED)   /* it is put together anew; why a kloop_trace_reshape */                        \
    XX(REPLACED)   /* others have taken its place; a how many batches */                           \
    XX(SETTLED)    /* why a kloop_cause, code; a the kloop_outcome, b 1 if it is in flight */      \
    XX(REPORTED)   /* a run of it; why the kloop_cause, code; a records, b base offset */          \
    /* Of a partition: topic, partition. */                                                        \
    XX(LED)       /* broker, or none, is its leader; a leader epoch */                             \
    XX(HOLE)      /* a number was given up: what follows needs another epoch */                    \
    XX(RESTARTED) /* sequences begin at 0; a producer id, b epoch */                               \
    /* Of the producer. */                                                                         \
    XX(IDENTIFIED) /* it has a producer id; a id, b epoch */                                       \
    XX(BUMPED)     /* a producer id, b the new epoch */                                            \
    /* Of a connection: broker. */                                                                 \
    XX(CONNECTION) /* why a kloop_trace_conn; a its slot */                                        \
    XX(BACKED_OFF) /* the broker failed; a not again for so many ns, b failures in a row */        \
    XX(ASKED)      /* a request; why its API key, code its version; a correlation id, b bytes */   \
    XX(ANSWERED)   /* why the API key; a correlation id, b ns since it was written */              \
    XX(THROTTLED)  /* nothing is asked there for a while; a ns */                                  \
    XX(AUTHENTICATED) /* why 1 if anew; a ms of the session, b ns until it is said again */        \
    XX(TOKEN)         /* a 0 it is wanted, 1 taken, 2 refused; b ns until another is wanted */     \
    /* Of what is known of the cluster. */                                                         \
    XX(METADATA)   /* an answer was taken; a 1 if something is new, b next not for so many ns */   \
    XX(TOPIC)      /* topic; code what is said of it; a partitions, b 1 if it was made anew */     \
    XX(BEGUN_ANEW) /* with bootstrap.servers */                                                    \
    /* Of memory, and the ends. */                                                                 \
    XX(FULL)     /* the first refusal; a bytes held, b bytes asked for; topic: its share is */     \
    XX(WRITABLE) /* a bytes held */                                                                \
    XX(FLUSH)    /* was asked for; a records pending */                                            \
    XX(PURGED)   /* topic, or all of them; a records */                                            \
    XX(CLOSING)  /* a timeout in ns, b records pending */                                          \
    XX(FATAL)    /* the producer cannot go on */

typedef enum kloop_trace_kind {
    KLOOP_TRACE_NONE,
#define KLOOP_TRACE_ENUM(name) KLOOP_TRACE_##name,
    KLOOP_TRACE_MAP(KLOOP_TRACE_ENUM)
#undef KLOOP_TRACE_ENUM
        KLOOP_TRACE_COUNT
} kloop_trace_kind;

/* Why a batch takes no more. */
typedef enum kloop_trace_seal {
    KLOOP_SEAL_FULL,   /* the next record has no room */
    KLOOP_SEAL_AGE,    /* it cannot leave, and records to come would be too young for it */
    KLOOP_SEAL_LINGER, /* linger.ms is over */
    KLOOP_SEAL_FLUSH,  /* somebody wants all of it out */
    KLOOP_SEAL_MEMORY, /* buffer.memory, or the topic's share, is used up */
    KLOOP_SEAL_CLOSE,  /* the producer is closed */
    KLOOP_SEAL_ALONG,  /* a request goes there anyway */
    KLOOP_SEAL_WHOLE,  /* it was encoded elsewhere, or is followed by one that was */
} kloop_trace_seal;

typedef enum kloop_trace_reshape {
    KLOOP_RESHAPE_SPLIT,  /* into smaller ones */
    KLOOP_RESHAPE_PURIFY, /* without records that were refused */
    KLOOP_RESHAPE_RECODE, /* with another codec */
} kloop_trace_reshape;

typedef enum kloop_trace_conn {
    KLOOP_CONN_RESOLVES,
    KLOOP_CONN_CONNECTS,
    KLOOP_CONN_SHAKES_HANDS,
    KLOOP_CONN_READY,
    KLOOP_CONN_LOST,
    KLOOP_CONN_IDLE, /* nobody needed it any more */
} kloop_trace_conn;

/* No broker: -1 is the first entry of bootstrap.servers. */
#define KLOOP_TRACE_NO_BROKER INT32_MIN

typedef struct kloop_trace {
    uint64_t mono_ns;
    const kloop_topic *topic; /* NULL: none */
    int64_t a;
    int64_t b;
    uint32_t batch; /* number of the batch, from 1 in the order of their beginning; 0: none */
    int32_t partition;
    int32_t broker;
    int16_t code;
    uint8_t kind;
    uint8_t why;
} kloop_trace;

/* Runs wherever something is decided: inside any function of the engine. */
typedef void (*kloop_decision_fn)(const kloop_trace *trace, void *me);

/* A line without its end, terminated: what was decided, of whom, in words. Answers the length it
 * would have. The topic must still exist. In libkloop, not in libkloop-engine. */
KLOOP_API size_t kloop_trace_text(const kloop_trace *trace, char *text, size_t size);

/* ---- All of them ---- */

typedef struct kloop_hooks {
    kloop_append_fn before_append; /* NULL, as each of them: it is not called */
    kloop_outcome_fn on_outcome;
    kloop_frame_fn on_frame;
    kloop_decision_fn on_decision;
    void *me;
} kloop_hooks;

/* From now on these; NULL: none. At any time, but not in a hook. Of a <kloop/kloop.h> producer
 * right after kloop_open(), and no frame is missed. */
KLOOP_API void kloop_engine_set_hooks(kloop_engine *e, const kloop_hooks *hooks);
/* Those that are set; all NULL if there are none. Good until they are set anew. */
KLOOP_API const kloop_hooks *kloop_engine_hooks(const kloop_engine *e);

/* The same for a producer on a loop. */
struct kloop_producer;
KLOOP_API void kloop_set_hooks(struct kloop_producer *p, const kloop_hooks *hooks);

/* ---- The log ---- */

/*
 * Which sentences are given as LOG (kloop_on_log()): of level_max and below, and of those that say
 * the same of the same broker or topic at most same_max in a minute; 0: all of them. Where there
 * are more than a dozen such brokers or topics, the others share that number. What was kept back is
 * counted: "... 17 more of these in the last minute, the last of them: ...", a minute after the
 * first, or when the producer is closed. At first KLOOP_LOG_DEBUG, and 5.
 */
KLOOP_API void kloop_engine_set_log(kloop_engine *e, kloop_log_level level_max, uint32_t same_max);
KLOOP_API void kloop_set_log(struct kloop_producer *p, kloop_log_level level_max,
                             uint32_t same_max);

#ifdef __cplusplus
}
#endif

#endif
