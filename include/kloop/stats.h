/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking inside a producer: totals, a snapshot of everything by broker, topic and partition, and
 * how values are counted in it.
 *
 * Totals (kloop_engine_stats(), kloop_get_stats()) are a copy of one struct, at any time.
 *
 * A snapshot is pulled: nothing is written while nobody asks. It is one block of memory with all
 * that it names, does not change any more once it is whole, and may outlive its producer, though
 * not its allocator.
 *
 *     kloop_snapshot *s;
 *     if (kloop_take_snapshot(p, KLOOP_SNAPSHOT_TOPICS, NULL, &s) == KLOOP_OK) {
 *         ... s->topics[i].acked ...; kloop_json() or kloop_prometheus() of <kloop/stats_text.h>
 *         kloop_snapshot_del(s);
 *     }
 *
 * Where there are very many partitions it is taken in slices, one in each turn of the loop:
 * kloop_snapshot_begin(), then kloop_snapshot_go_on() until that answers true.
 *
 * Counters only ever rise, and begin with the producer; those of a partition begin again when the
 * producer has forgotten its topic (metadata.max.idle.ms), those of a broker when no answer tells
 * of it any more and its place was needed. An entry of bootstrap.servers whose connection becomes a
 * broker's leaves requests without an answer to that one. Gauges are marked "now".
 *
 * Values are measured batch by batch and request by request: a record alone costs nothing.
 */
#ifndef KLOOP_STATS_H
#define KLOOP_STATS_H

#include <kloop/export.h>
#include <kloop/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Totals ---- */

typedef struct kloop_stats {
    uint64_t accepted; /* records; accepted = acked + failed + unknown + pending, always */
    uint64_t acked;
    uint64_t failed;
    uint64_t unknown;
    uint64_t pending;       /* accepted, and DELIVER not taken yet */
    uint64_t refused_full;  /* calls of send answered with KLOOP_FULL */
    uint64_t batches;       /* sealed */
    uint64_t batches_split; /* too large for a broker, and put into smaller ones */
    uint64_t requests;      /* of any kind, handed to a connection */
    uint64_t retries;       /* batches sent again */
    uint64_t bytes_payload; /* of records as encoded, before a codec; counted when a batch closes */
    uint64_t bytes_out;     /* told by on_wrote */
    uint64_t bytes_in;      /* told by on_received */
    uint64_t connects;      /* tried */
    uint64_t disconnects;   /* of connections that had been ready and were needed */
    uint64_t epoch_bumps;   /* of the producer id */
    uint64_t authentications;   /* by SASL, that went well */
    uint64_t reauthentications; /* of these, on connections that were ready */
    uint64_t refusals;          /* of us by brokers, or of brokers by us: SASL, certificates */
    uint64_t held_bytes;        /* now: what counts against buffer.memory */
    uint64_t receive_bytes;     /* now: receive buffers of all connections */
    /* Of other threads, see kloop_send_from_any_thread(); always 0 in an engine without a driver.
     */
    uint64_t inlet_records; /* now: accepted, pending, and not in a batch yet */
    uint64_t inlet_bytes;   /* now: of these, with what they cost */
    uint64_t inlet_full;    /* calls answered with KLOOP_FULL */
    bool ever_ready;        /* was any broker ever reached and found to speak Kafka? */
} kloop_stats;

/* ---- How often which value was seen ---- */

/*
 * Log-linear: values below 16 have a slot each, above that each power of two is cut into eight
 * slots of equal width, so that a slot is never wider than an eighth of its values. What is 2^28 or
 * more (4 min 28 s in microseconds) is counted in the last one. Slots, sum and max are exact and
 * only rise, so two of these can be added, and the earlier one taken from the later.
 *
 *     value   0 ... 15   16 ... 31   32 ... 63   ...   2^27 ... 2^28 - 1 and more
 *     slot    0 ... 15   16 ... 23   24 ... 31   ...   200 ... 207
 *     width       1          2           4       ...        2^24
 */
#define KLOOP_HISTOGRAM_SLOTS 208

typedef struct kloop_histogram {
    uint64_t sum;
    uint64_t max;
    uint64_t slots[KLOOP_HISTOGRAM_SLOTS];
} kloop_histogram;

/* The smallest value of this slot; slot KLOOP_HISTOGRAM_SLOTS: 2^28, and so on for none above. */
KLOOP_API uint64_t kloop_histogram_floor(unsigned slot);
KLOOP_API uint64_t kloop_histogram_count(const kloop_histogram *h);
/* The value below which the part per_million of all lie, 500000 being the median, as the upper end
 * of its slot and never above max; 0 when there are none. */
KLOOP_API uint64_t kloop_histogram_at(const kloop_histogram *h, uint32_t per_million);
/* value, seen n times. */
KLOOP_API void kloop_histogram_add(kloop_histogram *h, uint64_t value, uint64_t n);
/* What other has seen as well. */
KLOOP_API void kloop_histogram_merge(kloop_histogram *h, const kloop_histogram *other);
/* What h has seen since earlier, which is an earlier state of it. max becomes the upper end of the
 * highest slot that is left, if that is less. */
KLOOP_API void kloop_histogram_subtract(kloop_histogram *h, const kloop_histogram *earlier);

/* ---- A snapshot ---- */

/* What a snapshot has beside the producer itself; any of these together. */
enum {
    KLOOP_SNAPSHOT_BROKERS = 1 << 0,
    KLOOP_SNAPSHOT_TOPICS = 1 << 1,
    KLOOP_SNAPSHOT_PARTITIONS = 1 << 2, /* and topics */
    KLOOP_SNAPSHOT_HISTOGRAMS = 1 << 3, /* the producer's, and the brokers' if these are there */
    KLOOP_SNAPSHOT_ALL = (1 << 4) - 1,
};

/* What waiting records wait for; see kloop_engine_why_waiting(). */
typedef enum kloop_waiting {
    KLOOP_WAITING_NOTHING = 0, /* nothing waits */
    KLOOP_WAITING_TURN,        /* it can leave, or be reported, in the next turn */
    KLOOP_WAITING_LINGER,      /* for company: linger.ms */
    KLOOP_WAITING_ANSWER,      /* all of it is in flight */
    KLOOP_WAITING_ROOM,        /* as much is in flight as may be, to this broker or partition */
    KLOOP_WAITING_CODEC,       /* for the codec, or to be put together anew */
    KLOOP_WAITING_ORDER,       /* for what was sent before it: to be settled, or reported */
    /* From here on it is held up. */
    KLOOP_WAITING_METADATA,    /* nobody has told of the topic's partitions */
    KLOOP_WAITING_SHARE,       /* behind its topic's buffer.memory, or for memory */
    KLOOP_WAITING_LEADER,      /* the partition has none */
    KLOOP_WAITING_CONNECTION,  /* to its leader */
    KLOOP_WAITING_PRODUCER_ID, /* or for one of another epoch */
    KLOOP_WAITING_RETRY,       /* it was refused, and goes again after a pause */
    KLOOP_WAITING_THROTTLE,    /* the broker asked to be left alone */
    KLOOP_WAITING_END,         /* the producer cannot go on, or is closed */
} kloop_waiting;

/* "linger", "connection" and so on: for labels. */
KLOOP_API const char *kloop_waiting_name(kloop_waiting waiting);

typedef enum kloop_broker_state {
    KLOOP_BROKER_IDLE = 0,  /* nobody needs it, or nobody has yet */
    KLOOP_BROKER_BACKOFF,   /* it could not be reached, and is tried again */
    KLOOP_BROKER_RESOLVING, /* its name */
    KLOOP_BROKER_CONNECTING,
    KLOOP_BROKER_HANDSHAKE, /* ApiVersions, SASL */
    KLOOP_BROKER_READY,
} kloop_broker_state;

KLOOP_API const char *kloop_broker_state_name(kloop_broker_state state);

typedef struct kloop_broker_stats {
    int32_t id; /* below 0: an entry of bootstrap.servers */
    uint16_t port;
    kloop_broker_state state;
    kloop_string host;     /* terminated, as all text in a snapshot */
    kloop_string trouble;  /* the latest thing that went wrong; "": nothing */
    uint64_t state_ns;     /* now: how long it has been in this state */
    uint64_t retry_ns;     /* now: so long until it is tried again */
    uint64_t throttled_ns; /* now: so long it is left alone */
    uint32_t in_flight;    /* now: requests that await an answer */
    uint32_t unwritten;    /* now: requests that have not left entirely */
    uint64_t requests;
    uint64_t answers;
    uint64_t bytes_out;
    uint64_t bytes_in;
    uint64_t connects;    /* tried */
    uint64_t failures;    /* of these and of resolving its name: nobody there, or no broker */
    uint64_t disconnects; /* of connections that had been ready and were needed */
    uint64_t timeouts;    /* of requests: connections that were closed for that */
    uint64_t batches;     /* sent to it, each time */
    uint64_t retries;     /* batches that it, or the way to it, was the reason to send again */
    uint64_t throttles;   /* answers that asked to be left alone */
    /* NULL: nothing was measured yet, or histograms were not asked for. In microseconds. */
    const kloop_histogram *rtt_us;   /* of Produce, from the last byte written to its answer */
    const kloop_histogram *write_us; /* of Produce, from being put together to its last byte */
    const kloop_histogram *wait_us;  /* of batches: from the first record to their first request */
    const kloop_histogram *throttle_us; /* how long it asked to be left alone, when it did */
} kloop_broker_stats;

typedef struct kloop_partition_stats {
    int32_t index;
    int32_t leader;       /* -1: none, or not known */
    int32_t leader_epoch; /* -1: not told */
    int16_t last_error;   /* Kafka's code in the latest answer; 0: that was stored */
    int16_t epoch;        /* of the numbers of its batches */
    int64_t producer_id;  /* likewise; -1: none yet */
    int32_t next_sequence;
    kloop_waiting waiting;
    uint64_t acked; /* records */
    uint64_t failed;
    uint64_t unknown;
    uint64_t acked_bytes; /* of whole batches, as they were sent */
    uint64_t queued;      /* now: records that are in no request */
    uint64_t queued_bytes;
    uint64_t in_flight; /* now: records */
    uint64_t in_flight_bytes;
    uint32_t queued_batches;
    uint32_t in_flight_batches;
} kloop_partition_stats;

typedef struct kloop_topic_stats {
    kloop_string name;
    int32_t partition_count; /* 0: not known */
    int32_t led;             /* of these, those whose leader is known */
    int16_t error;           /* Kafka's code in the latest Metadata */
    uint64_t acked;          /* records; the sum of all topics is the producer's */
    uint64_t failed;
    uint64_t unknown;
    uint64_t acked_bytes;
    uint64_t sent; /* records, and their batches as they were sent: each once, retries not */
    uint64_t sent_batches;
    uint64_t sent_bytes;
    uint64_t batches_waiting; /* now: of all its partitions, in flight or not */
    uint64_t parked;          /* now: records whose partition is not known */
    uint64_t held_bytes;      /* now: of its own buffer.memory, 0 if it has none: */
    uint64_t limit_bytes;
    size_t first_row; /* its rows in the snapshot's partitions, by index from 0 */
    size_t row_count; /* those that it had when the snapshot was begun */
} kloop_topic_stats;

typedef struct kloop_snapshot {
    bool whole;
    unsigned parts;    /* what was asked for */
    int64_t taken_ms;  /* since 1970: when it was begun */
    uint64_t taken_ns; /* the same on the engine's clock */
    uint64_t age_ns;   /* of the producer, then */
    kloop_string client_id;
    kloop_string cluster_id; /* "": not told */
    kloop_string fatal;      /* "": the producer can go on */
    kloop_stats totals;
    uint64_t memory_bytes;    /* buffer.memory */
    uint64_t metadata_age_ns; /* now: since the last answer; UINT64_MAX: there was none */
    bool full;                /* now: WRITABLE is owed */
    bool idempotent;
    int64_t producer_id; /* -1: none */
    int16_t epoch;
    uint64_t answers;          /* to requests of any kind */
    uint64_t produce_requests; /* of totals.requests */
    uint64_t sent;             /* records, and their batches: each once, retries not */
    uint64_t sent_batches;
    uint64_t sent_bytes;       /* as they were sent */
    uint64_t sent_plain_bytes; /* as they would have been without a codec */
    /* NULL: nothing was measured yet, or histograms were not asked for. */
    const kloop_histogram *age_us; /* of records that were acked: of the oldest of their batch */
    const kloop_histogram *batch_bytes;   /* of batches, as they were sent first */
    const kloop_histogram *batch_records; /* likewise */
    const kloop_broker_stats *brokers;
    size_t broker_count;
    const kloop_topic_stats *topics;
    size_t topic_count;
    const kloop_partition_stats *partitions;
    size_t partition_count;
} kloop_snapshot;

/* What holds a producer up, as a whole. */
typedef struct kloop_suspended {
    uint64_t pending; /* records, those that are not held up included */
    uint64_t parked;  /* of these, those of topics whose partitions are not known */
    uint32_t brokers; /* that records wait for, and that take none now */
    uint32_t topics;  /* with records for partitions, or leaders, that are not known */
    bool producer_id; /* it is waited for */
    bool full;        /* buffer.memory is used up, and WRITABLE is owed */
    bool fatal;       /* the producer cannot go on */
    char text[480];   /* why, the first of all reasons first; "": nothing is held up */
} kloop_suspended;

/* NULL is fine; so is one that is not whole. */
KLOOP_API void kloop_snapshot_del(kloop_snapshot *s);

#ifdef __cplusplus
}
#endif

#endif
