/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host for an engine in tests: it knows no socket and no clock either, does what actions say, and
 * leaves to the test what the brokers answer.
 *
 *     host h;
 *     host_new(&h, "linger.ms", "0", NULL);       brokers b1:9091, b2:9092, ...; b1 is known
 *     host_topic *t = host_add_topic(&h, "events", 2);
 *     host_send(&h, t, 0, 3);                     three records to partition 0: users 1, 2, 3
 *     host_run(&h);                               until Produce waits for its answer
 *     host_seen seen;
 *     host_expect_produce(&h, 1, &seen);          the oldest one that broker 1 has not answered
 *     HOST_ANSWER(&h, 1, 0);                      a code for each of its batches
 *     host_expect_acked(&h, 1, 3);
 *     host_end(&h);
 *
 * Everything but Produce is answered by host_run from the tables in host, unless it is held. What a
 * test wants to do itself (resolve, connect, write, close) it takes over with the manual flags. All
 * actions stand in a transcript, one line each.
 *
 * Checked all the time: a record is reported once, in the order of its partition, and never if it
 * was refused; the counts in the statistics; bytes that were shown to be written stay as they were
 * until they are written or the connection is closed; an engine that has nothing to do does not ask
 * to be called again; and at the end, that all memory is back.
 *
 * host owns everything; host_end gives it back. What goes wrong fails the running test.
 */
#ifndef KL_TESTS_ENGINE_HOST_H
#define KL_TESTS_ENGINE_HOST_H

#include "tests/support/fail_alloc.h"

#include <kloop/engine.h>
#include <kloop/wire.h>

#define HOST_CONNS_MAX      256
#define HOST_BROKERS_MAX    8
#define HOST_TOPICS_MAX     8
#define HOST_PARTITIONS_MAX 64
#define HOST_BATCHES_MAX    64
#define HOST_NEVER          UINT64_MAX

typedef struct host_topic {
    char name[32];
    int incarnation; /* part of its id */
    bool nameless;   /* no id is told of it */
    int32_t partition_count;
    int32_t leaders[HOST_PARTITIONS_MAX]; /* -1: none */
    int32_t epochs[HOST_PARTITIONS_MAX];
    int64_t offsets[HOST_PARTITIONS_MAX]; /* of the next record that is acked */
    int16_t error;                        /* what Metadata says of it */
    kloop_topic *handle;
} host_topic;

typedef struct host_request {
    int16_t api;
    int16_t version;
    int32_t correlation;
    size_t at; /* of its body, in the stream */
    size_t len;
} host_request;

typedef enum host_conn_state {
    HOST_CONNECTING,
    HOST_UP,
    HOST_CLOSING,
    HOST_CLOSED
} host_conn_state;

typedef struct host_conn {
    kloop_id id;
    int node;
    kloop_address address;
    host_conn_state state;
    bool paused;
    bool writing;  /* WRITE came, and write_vec was not seen empty since */
    char why[256]; /* CLOSE said so */
    /* All that was shown to be written, and how far it was written and read. */
    uint8_t *stream;
    size_t cap, shown, wrote, parsed;
    kloop_slice pinned[64]; /* what was shown last */
    size_t pinned_count;
    host_request *requests;
    size_t request_cap, request_first, request_count;
    bool let_in; /* SASL has come to its end; also where nobody wants it */
    bool bare;   /* tokens come without Kafka's headers: SaslHandshake 0 */
    int rounds;  /* of SaslAuthenticate since SaslHandshake */
} host_conn;

typedef struct host_report {
    char topic[32];
    int32_t partition;
    kloop_outcome outcome;
    kloop_cause cause;
    int16_t broker_error;
    int64_t base_offset;
    int64_t timestamp_ms;
    size_t count;
    size_t first_user;
    char text[1024];
} host_report;

typedef struct host_fate {
    bool accepted;
    bool reported;
    size_t report; /* index */
    int64_t offset;
    size_t order; /* among all records */
} host_fate;

/* What became of a chunk. */
typedef struct host_chunk {
    size_t user;
    kloop_outcome outcome;
    size_t acked, failed, unknown;
    int32_t partition;
    kloop_cause cause;
    int16_t broker_error;
    char text[1024];
} host_chunk;

/* Bytes that the engine may look at until it gives them back; then they are freed at once. */
typedef struct host_loan {
    uint8_t *bytes; /* NULL: they are back */
    size_t len;
    uint64_t hash;
} host_loan;

typedef struct host {
    kl_fail_alloc memory;
    kloop_engine *e;
    kloop_error error;
    kloop_now now;
    uint64_t seed;
    char *transcript;
    size_t transcript_len, transcript_cap;

    /* What the test does itself. */
    bool manual_resolve, manual_connect, manual_write, manual_close;
    bool hold_versions, hold_metadata, hold_id, hold_sasl, hold_token;
    bool deaf_resolver;  /* does not even end what is canceled */
    bool deaf;           /* takes no action at all */
    size_t write_step;   /* bytes at a time; 0: all */
    size_t receive_step; /* likewise */

    /* What brokers say. */
    int broker_count;
    const char *cluster_id;          /* in Metadata; NULL: not told */
    bool gone[HOST_BROKERS_MAX + 1]; /* by node: Metadata tells nothing of it */
    /* By node, also one that others have moved to: host_sleep_connecting() is refused there. */
    bool dead[2 * HOST_BROKERS_MAX + 1];
    int moved[HOST_BROKERS_MAX + 1]; /* by node: it is where this one was; 0: where it belongs */
    kloop_leader_hint hint;          /* with each refusal of a batch, from Produce 10 on */
    kloop_array endpoints;           /* of kloop_node_endpoint, with each answer to Produce */
    int16_t max_version[64];         /* by API; -1: not offered */
    int64_t producer_id;             /* of the next InitProducerId */
    int16_t producer_epoch;
    int16_t id_error;
    int16_t metadata_error;
    int32_t throttle_ms; /* in each answer */
    int16_t handshake_error, sasl_error;
    const char *sasl_said; /* with that error; NULL: nothing */
    int sasl_rounds;       /* answers to SaslAuthenticate that make a login */
    int64_t session_ms;    /* in the last of them */
    uint64_t token_ms;     /* how long tokens are good; 0: for ever */
    int tokens;            /* asked for */
    int metadata_answers;
    int id_answers;
    host_topic topics[HOST_TOPICS_MAX];
    int topic_count;

    host_conn conns[HOST_CONNS_MAX];
    int conn_count;
    bool has_tls; /* what kloop_engine_secure() is told, where either is set */
    const kloop_sasl_mechanism *sasl;
    kloop_id resolving[HOST_CONNS_MAX]; /* RESOLVEs without an answer */
    int resolving_count;

    size_t user_count; /* users are 1 to this */
    size_t user_cap;
    host_fate *fates;
    size_t reported;
    host_report *reports;
    size_t report_count, report_cap;
    int writables;
    size_t flushed[64]; /* users of FLUSHED, in order */
    size_t flushed_count;
    bool closed;
    host_chunk chunks[64]; /* in the order of their completion */
    size_t chunk_count;
    size_t chunk_records; /* taken with a chunk: no report speaks of them */
    host_loan *loans;
    size_t loan_count, loan_cap;
    size_t loans_back;
    size_t held_max; /* the most that was held */
    size_t receive_max;
} host;

/* ---- Life ---- */

/* Keys and values, then NULL. bootstrap.servers is b1:9091 unless it is among them. */
void host_new(host *h, ...) __attribute__((sentinel));
/* The same in two steps, for those who let memory run out: the nth call fails; 0: none. */
void host_prepare(host *h, size_t nth);
kloop_status host_open(host *h, const char *const *pairs);
/* With SASL and these pairs; set up sasl before. Nothing but ApiVersions and SASL may be asked of a
 * broker before it has let us in: that is checked from then on. */
kloop_status host_open_sasl(host *h, const kloop_sasl_mechanism *sasl, const char *const *pairs);
/* What is given back to it holds no secret of scripted_sasl.h, or the test fails. */
kloop_allocator host_scanning(host *h);
/* Whatever state it is in. Checks the memory. */
void host_end(host *h);

/* ---- Running ---- */

/* Takes actions, and does what they say, until there is none left. */
void host_pump(host *h);
/* The same, with the answers that are not held, until nothing more happens. */
void host_run(host *h);
/* Milliseconds later, with all deadlines on the way. */
void host_sleep(host *h, uint64_t ms);
/* With manual_connect: connections come about within a millisecond, or are refused by the dead. */
void host_sleep_connecting(host *h, uint64_t ms);
/* The engine's deadline, in ms from now, rounded up; HOST_NEVER. */
uint64_t host_deadline(const host *h);
/* Closes, and runs until CLOSED; fails when that takes longer than ms. */
void host_close(host *h, uint64_t timeout_ms, uint64_t within_ms);

/* ---- The user ---- */

/* With this many partitions, led by broker 1, 2, ... in turn. */
host_topic *host_add_topic(host *h, const char *name, int32_t partitions);
/* One record; partition below 0: the producer chooses. user is set by the host. */
kloop_status host_send_record(host *h, host_topic *t, kloop_record *r);
/* A batch of so many records that was encoded elsewhere; likewise. */
kloop_status host_send_batch(host *h, host_topic *t, kloop_encoded *batch, size_t records);
/* Small records "v1", "v2", ... that are all to be taken. */
void host_send(host *h, host_topic *t, int32_t partition, size_t count);
/* One with a value of this many bytes. */
kloop_status host_send_bytes(host *h, host_topic *t, int32_t partition, size_t len);

/* Borrowed bytes of this length, which no codec makes smaller if it is odd; put into the record as
 * its value, KLOOP_SET_BORROWED and lender. Sent and refused: give it to host_unlend. */
void host_lend(host *h, kloop_record *r, size_t len);
void host_unlend(host *h, kloop_record *r);
/* The loan of a RELEASE is back: it was out, and is as it was. */
void host_take_back(host *h, const kloop_loan *loan);
/* Of borrowed bytes, as the host compares them. */
uint64_t host_hash(const uint8_t *bytes, size_t len);
/* As many loans are out. */
void host_expect_lent(const host *h, size_t count);
/* At the end: a producer that is closed has given all back. */
void host_forget_loans(host *h);
kloop_chunk *host_begin_chunk(host *h, size_t user);
void host_take_chunk(host *h, const kloop_chunk_report *c);
/* The one with this user, which is done. */
const host_chunk *host_chunk_of(const host *h, size_t user);
/* Fails unless it came out so. */
void host_expect_chunk(const host *h, size_t user, size_t acked, size_t failed, size_t unknown);

/* ---- Brokers ---- */

/* The open connection to this broker that is newest; fails when there is none. */
host_conn *host_at(host *h, int node);
/* NULL when there is none. */
host_conn *host_find(host *h, int node);
/* Requests of this connection without an answer, and the oldest of them, which must be there. */
size_t host_waiting(const host_conn *c);
const host_request *host_first(host *h, host_conn *c);
/* The oldest one is done with. */
void host_drop(host_conn *c);

/* Feeds bytes, as many as there is room for at a time; answers how many were taken. */
size_t host_receive(host *h, host_conn *c, const void *bytes, size_t len);
/* Encodes the answer to the oldest request and feeds it. */
void host_respond(host *h, host_conn *c, const void *message, size_t message_size);
void host_answer_versions(host *h, host_conn *c);
void host_answer_handshake(host *h, host_conn *c);
void host_answer_sasl(host *h, host_conn *c);
/* With these bytes of the broker's, and this error. */
void host_answer_sasl_with(host *h, host_conn *c, int16_t error, kloop_slice bytes);
/* What TOKEN asked for. */
kloop_status host_give_token(host *h);
void host_answer_metadata(host *h, host_conn *c);
void host_answer_id(host *h, host_conn *c);
/* Answers Metadata with these brokers and topic "t", whose only partition has this leader. */
void host_answer_brokers(host *h, host_conn *c, const kloop_metadata_broker *brokers, int32_t count,
                         int32_t leader, int32_t epoch);

typedef struct host_seen_batch {
    char topic[32];
    int incarnation; /* that the id says; -1: the topic was named */
    int32_t partition;
    int64_t producer_id;
    int16_t epoch;
    int32_t sequence;
    int32_t count;
    int codec;
    size_t len;
    size_t first, last; /* users, from the values; 0: none of ours */
    uint64_t hash;      /* of all bytes */
} host_seen_batch;

typedef struct host_seen {
    int16_t version;
    int16_t acks;
    int32_t timeout_ms;
    size_t len; /* of the whole body */
    size_t batch_count;
    host_seen_batch batches[HOST_BATCHES_MAX];
} host_seen;

/* The nth Produce (from 0) that waits at this broker. Every batch is read to its end. */
void host_expect_produce_at(host *h, int node, size_t nth, host_seen *seen);
void host_expect_produce(host *h, int node, host_seen *seen);
/* How many wait there; 0 also without a connection. */
size_t host_produces(host *h, int node);
/* Nothing was sent anywhere that waits. */
void host_expect_no_produce(host *h);

/* Answers the oldest Produce there, with these codes, batch by batch; then runs. */
void host_answer(host *h, int node, const int16_t *codes, size_t count);
#define HOST_ANSWER(h, node, ...)                                                                  \
    host_answer((h), (node), (const int16_t[]){__VA_ARGS__},                                       \
                sizeof((const int16_t[]){__VA_ARGS__}) / sizeof(int16_t))
/* The same without running. */
void host_answer_only(host *h, int node, const int16_t *codes, size_t count);
/* Likewise; of this connection, with one code for all of its batches. */
void host_answer_all(host *h, host_conn *c, int16_t code);

/* The transport is gone; then runs. */
void host_lose_connection(host *h, int node, const char *why);

/* ---- What came of it ---- */

/* Fails when this user was not taken. */
host_fate *host_fate_of(const host *h, size_t user);
const host_report *host_report_of(const host *h, size_t user);
void host_expect_fate(host *h, size_t first, size_t last, kloop_outcome outcome, kloop_cause cause);
void host_expect_acked(host *h, size_t first, size_t last);
/* None of them yet. */
void host_expect_pending(host *h, size_t first, size_t last);
void host_expect_offset(host *h, size_t user, int64_t offset);
/* The sentence of the report has this in it. */
void host_expect_text(host *h, size_t user, const char *part);
/* A line of the transcript has this in it, or none has. */
void host_expect_line(const host *h, const char *part);
void host_expect_no_line(const host *h, const char *part);
size_t host_count_lines(const host *h, const char *part);
void host_forget_lines(host *h);
kloop_stats host_stats(const host *h);

#endif
