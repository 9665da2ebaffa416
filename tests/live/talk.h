/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A conversation with one side of a comparison, written down.
 *
 * A side (kl_side) is a set of brokers that can be connected to: real ones over sockets
 * ("tests/live/kafka_side.h") or modelled ones in this process ("tests/live/model_side.h"). A talk
 * is what a script has with it: requests in order, on one connection that is opened when there is
 * none, and for each request a step in the transcript: the answer's fields, one a line, and whether
 * the connection lived on. Two transcripts of one script are then compared line by line. Names that
 * must differ between the sides (ids, addresses) are written as what they mean, see
 * "tests/live/answer_text.h".
 *
 * Owns: a talk owns its transcript and the bytes of kl_talk_keep; the side belongs to its maker.
 * Fails: what the other side does wrong becomes a line. No memory ends the program.
 */
#ifndef KL_TESTS_LIVE_TALK_H
#define KL_TESTS_LIVE_TALK_H

#include "tests/live/side_names.h"

#include <kloop/wire.h>

#include <stdio.h>

typedef enum kl_heard {
    KL_HEARD_FRAME,
    KL_HEARD_CLOSE,   /* the connection has ended */
    KL_HEARD_NOTHING, /* and nothing will come, as far as one can know */
} kl_heard;

typedef struct kl_side {
    const char *name;
    int32_t node_count; /* ids from 1 */
    void *self;
    /* A connection to the node; the one before is closed. */
    bool (*open)(void *self, int32_t node_id);
    void (*shut)(void *self);
    /* false: the connection has ended. */
    bool (*send)(void *self, const void *bytes, size_t len);
    /* The next frame's content, good until the next call. */
    kl_heard (*hear)(void *self, kloop_slice *frame);
    /* Answers when every other node knows what became of it. */
    void (*kill)(void *self, int32_t node_id);
    void (*revive)(void *self, int32_t node_id);
    /* Its clock, in ms since 1970; NULL: it is ours. */
    int64_t (*wall_ms)(void *self);
} kl_side;

typedef struct kl_talk {
    const kl_side *side;
    /* A side that wants to know who asks takes no question beside: whether the connection lives on
     * shows in the next step. One that has ended is not replaced before kl_talk_again(). */
    bool unprobed;
    bool ended;
    char *auth_bytes; /* of the last SaslAuthenticate answer; NULL: there was none */
    size_t auth_bytes_len;
    kl_side_names names;
    int32_t node_id; /* to which the connection goes; 0: there is none */
    int32_t correlation_id;
    const char *step;
    FILE *out;
    char *text; /* the transcript, good after kl_talk_end */
    size_t text_len;
    int64_t wall_ms; /* when the talk began */
    union kl_kept *kept;
} kl_talk;

void kl_talk_begin(kl_talk *t, const kl_side *side);
/* Closes the connection and completes the transcript. */
void kl_talk_end(kl_talk *t);
void kl_talk_free(kl_talk *t);

/* A line of the present step's: "STEP: NAME = TEXT". */
void kl_talk_line(kl_talk *t, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What comes next comes over a new connection. */
void kl_talk_again(kl_talk *t);
/* What the last step was answered, if it was a SaslAuthenticate that went well. */
kloop_slice kl_talk_auth_bytes(const kl_talk *t);

/* Memory that lives as long as the talk. */
void *kl_talk_keep(kl_talk *t, size_t size);

/* A name for a step, of its circumstances. */
const char *kl_talk_label(kl_talk *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* From now on to this node, over a new connection unless there is one to it. */
void kl_talk_to(kl_talk *t, int32_t node_id);
/* To the node that leads the partition, as far as is known; else to the first one. */
void kl_talk_to_leader(kl_talk *t, const char *topic, int32_t partition);

/* The node dies, its partitions are led by others; or it comes back and is in sync again. Leaders
 * must be learnt anew. */
void kl_talk_kill(kl_talk *t, int32_t node_id);
void kl_talk_revive(kl_talk *t, int32_t node_id);

/* ---- Requests; each is a step ---- */

/* A request in one of the versions that <kloop/wire.h> can write. */
void kl_talk_ask_sized(kl_talk *t, const char *step, int16_t api_key, int16_t version,
                       const void *message, size_t message_size);
#define kl_talk_ask(t, step, api_key, version, message)                                            \
    kl_talk_ask_sized((t), (step), (api_key), (version), (message), sizeof *(message))

/*
 * The same when no answer is due: what comes before the answer to a later question is written down,
 * as a rule nothing.
 */
void kl_talk_tell_sized(kl_talk *t, const char *step, int16_t api_key, int16_t version,
                        const void *message, size_t message_size);
#define kl_talk_tell(t, step, api_key, version, message)                                           \
    kl_talk_tell_sized((t), (step), (api_key), (version), (message), sizeof *(message))

/* A header of any key and version, and these bytes as the body. */
void kl_talk_ask_raw(kl_talk *t, const char *step, int16_t api_key, int16_t version,
                     const void *body, size_t len);
/* A frame that is no request, length field and all, and its answer, which is no better. */
void kl_talk_say_bare(kl_talk *t, const char *step, const void *bytes, size_t len);
/* These bytes as they are, length field and all; nobody can know what is meant. */
void kl_talk_ask_wild(kl_talk *t, const char *step, const void *bytes, size_t len);

/* Not a step: asks, and nothing is written down. false: there was no answer that can be read. The
 * message's views are good until the next request. */
bool kl_talk_quietly_sized(kl_talk *t, int16_t api_key, int16_t version, const void *request,
                           size_t request_size, void *response, size_t response_size);
#define kl_talk_quietly(t, api_key, version, request, response)                                    \
    kl_talk_quietly_sized((t), (api_key), (version), (request), sizeof *(request), (response),     \
                          sizeof *(response))

/* Asks for this topic until the side knows leaders of all its partitions; then its names are known,
 * too. Without a name: for all. */
void kl_talk_learn(kl_talk *t, const char *topic);

#endif
