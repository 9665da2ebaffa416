/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened, in order: every action of the engine with its content, and every event that it was
 * told of.
 *
 * All of it goes into one hash; the last notes are kept for the report of a failure; with --trace
 * each is printed. No pointer ever gets in, so that the hash is the same in every process.
 *
 * Between them stand the engine's own records of what it decided (<kloop/hooks.h>): kept and
 * printed, and in no hash, for they say why and not what.
 */
#ifndef KL_SIM_TRACE_H
#define KL_SIM_TRACE_H

#include <kloop/hooks.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct sim sim;

/* Name, and how its four numbers read. A # is the number of a connection. */
#define SIM_NOTE_MAP(XX)                                                                           \
    XX(RESOLVE, "engine: resolve %s (id %" PRId64 ".%" PRId64 ", port %" PRId64 ")")               \
    XX(CANCEL, "engine: cancel resolution %" PRId64 ".%" PRId64)                                   \
    XX(CONNECT, "engine: connect #%" PRId64 " to node %" PRId64 " (%" PRIx64 ":%" PRId64 ")")      \
    XX(WRITE, "engine: write #%" PRId64)                                                           \
    XX(CLOSE, "engine: close #%" PRId64 " (%s)")                                                   \
    XX(PAUSE, "engine: pause #%" PRId64)                                                           \
    XX(RESUME, "engine: resume #%" PRId64)                                                         \
    XX(DELIVER,                                                                                    \
       "engine: deliver topic %" PRId64 " partition %" PRId64 ", %" PRId64 " records: %s")         \
    XX(RECORD, "        record %" PRId64 ", offset %" PRId64)                                      \
    XX(WRITABLE, "engine: writable")                                                               \
    XX(FLUSHED, "engine: flushed %" PRId64)                                                        \
    XX(CLOSED, "engine: closed")                                                                   \
    XX(LOG, "engine: log %" PRId64 ": %s")                                                         \
    XX(TOKEN, "engine: token %" PRId64 " is wanted")                                               \
    XX(TAKEN, "host: took %" PRId64 " of %" PRId64 " bytes of #%" PRId64 " (%" PRIx64 ")")         \
    XX(WROTE, "host: wrote %" PRId64 " bytes of #%" PRId64)                                        \
    XX(RECEIVED, "host: received %" PRId64 " bytes on #%" PRId64)                                  \
    XX(CONNECTED, "host: connected #%" PRId64)                                                     \
    XX(LOST, "host: disconnected #%" PRId64 " (%s)")                                               \
    XX(GONE, "host: closed #%" PRId64)                                                             \
    XX(ECHO, "host: a late word about #%" PRId64)                                                  \
    XX(RESOLVED, "host: resolved %" PRId64 ".%" PRId64 ", %" PRId64 " addresses")                  \
    XX(TIME, "host: time, deadline was %" PRId64)                                                  \
    XX(SEND, "user: send record %" PRId64 " to topic %" PRId64 " partition %" PRId64 ": %" PRId64) \
    XX(FLUSH, "user: flush %" PRId64 ": %" PRId64)                                                 \
    XX(WARM_UP, "user: warms up topic %" PRId64 " for %" PRId64 " ms: %" PRId64)                   \
    XX(CHUNK_BEGUN, "user: begins chunk %" PRId64 ": %" PRId64)                                    \
    XX(CHUNK_ENDED, "user: ends chunk %" PRId64 " of %" PRId64 " records")                         \
    XX(SEND_BATCH, "user: send batch from record %" PRId64 ", %" PRId64                            \
                   " of them, to topic %" PRId64 ": %" PRId64)                                     \
    XX(CHUNK,                                                                                      \
       "engine: chunk %" PRId64 ": %" PRId64 " acked, %" PRId64 " failed, %" PRId64 " unknown %s") \
    XX(RELEASE, "engine: gives back loan %" PRId64 " of %" PRId64 " bytes")                        \
    XX(PURGE, "user: purge of topic %" PRId64 ", what %" PRId64 ": %" PRId64 " records")           \
    XX(END, "user: close within %" PRId64 " ms")                                                   \
    XX(DELETE, "user: delete the engine")                                                          \
    XX(REQUEST, "wire: #%" PRId64 " api %" PRId64 " v%" PRId64 " correlation %" PRId64)            \
    XX(BATCH, "wire:     %" PRId64 "-%" PRId64 ", epoch %" PRId64 ", sequence %" PRId64 "%s")      \
    XX(ANSWER, "wire: #%" PRId64 " answer to correlation %" PRId64 ", api %" PRId64)               \
    XX(RESULT, "wire:     %" PRId64 "-%" PRId64 ": error %" PRId64 ", offset %" PRId64)            \
    XX(APPEND, "broker %" PRId64 ": appended to %" PRId64 "-%" PRId64 " at offset %" PRId64)       \
    XX(TRUNCATE, "broker %" PRId64 ": lost from %" PRId64 "-%" PRId64 " offset %" PRId64)          \
    XX(BROKER, "cluster: %s (node %" PRId64 ")")                                                   \
    XX(TOPIC, "cluster: %s (topic %" PRId64 ", partition %" PRId64 ", %" PRId64 ")")               \
    XX(FAULT, "fault: %s (%" PRId64 ")")                                                           \
    XX(PHASE, "run: %s")                                                                           \
    XX(WARM, "engine: warm-up %" PRId64 ", %" PRId64 " brokers, %" PRId64 " ready: %" PRId64 " %"  \
             "s")                                                                                  \
    XX(LOGIN, "login: %s (node %" PRId64 ", %" PRId64 ", #%" PRId64 ")")

typedef enum sim_note_kind {
#define SIM_NOTE_ENUM(name, form) SIM_NOTE_##name,
    SIM_NOTE_MAP(SIM_NOTE_ENUM)
#undef SIM_NOTE_ENUM
        SIM_NOTE_COUNT,
} sim_note_kind;

#define SIM_NOTES_KEPT 512 /* a power of two */
#define SIM_NOTE_TEXT  120

typedef struct sim_kept_note {
    uint64_t now_ns;
    int64_t numbers[4];
    kloop_trace decision;
    sim_note_kind kind; /* SIM_NOTE_COUNT: a decision; text is the name of its topic */
    char text[SIM_NOTE_TEXT];
} sim_kept_note;

typedef struct sim_trace {
    uint64_t hash;
    uint64_t notes; /* how many there were */
    FILE *print;    /* NULL: nobody wants to see */
    sim_kept_note kept[SIM_NOTES_KEPT];
} sim_trace;

void sim_trace_init(sim *s);

/* text may be NULL. */
void sim_note(sim *s, sim_note_kind kind, const char *text, int64_t a, int64_t b, int64_t c,
              int64_t d);

/* From now on this engine's decisions are noted, too. */
void sim_trace_decisions(sim *s, kloop_engine *e);

/* The last count notes into text; answers how long it is. */
size_t sim_trace_last(const sim *s, size_t count, char *text, size_t size);

/* ---- The hash ---- */

static inline uint64_t sim_mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (h >> 29);
}

uint64_t sim_hash(uint64_t h, const void *bytes, size_t len);

#endif
