/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chunks: one completion for many records of the caller's.
 *
 *     TAKING --end, drop, close--> ENDED --the last of its records is settled--> DONE --> told,
 * gone
 *
 * A batch knows which of its records belong to chunks as runs: places in a row, one chunk. A record
 * more is a count more, and only another chunk, or a plain record between, begins a run. Plain
 * records know nothing of all this.
 *
 * Who owns what: the engine owns the chunks, each until its completion was taken; a batch owns its
 * runs, which count against buffer.memory like its other segments. A chunk counts the records that
 * were taken and those that are settled, and so knows when nobody points at it any more.
 *
 * Fails: no memory, and then nothing is changed. Settling never fails: a chunk without memory for
 * the sentence of its first error says so.
 */
#ifndef KL_CORE_CHUNK_H
#define KL_CORE_CHUNK_H

#include "core/engine_state.h"

struct kloop_chunk {
    kl_link in_chunks; /* of the engine: those that live, or those that are done */
    kloop_engine *engine;
    void *user;
    uint64_t taken; /* records, those of an encoded batch each */
    uint64_t acked;
    uint64_t failed;
    uint64_t unknown;
    bool ended;
    bool dropped;
    bool left_open; /* ended by the close, and its owner was not told yet: he may end it still */

    /* The first that was not acked. */
    kloop_topic *topic; /* NULL: all were */
    int32_t partition;
    kloop_cause cause;
    int16_t broker_error;
    char *text; /* NULL: there was no memory for it */
    size_t text_bytes;
};

typedef struct kl_chunk_run {
    uint32_t first; /* place among the users of its batch */
    uint32_t count; /* 0: its first record was not taken after all */
    kloop_chunk *chunk;
} kl_chunk_run;

/* Of a batch, by rising place. */
struct kl_chunk_runs {
    kl_chain list;
    kl_chunk_run *last;
};

/* May records be sent with it? */
static inline bool kl_chunk_takes(const kloop_engine *e, const kloop_chunk *c)
{
    return c && c->engine == e && !c->ended;
}

/* ---- Runs ---- */

/* The run of b that goes on with this place, to which the caller adds the record when it was
 * appended; NULL: no memory. */
kl_chunk_run *kl_chunk_runs_at(kloop_engine *e, kl_batch *b, uint32_t place, kloop_chunk *c);
/* The most that takes; b is NULL for a batch that is to be begun. */
size_t kl_chunk_runs_growth_max(const kl_batch *b);
/* child gets what b knows of these places; the first of them is its first. false: no memory. */
bool kl_chunk_runs_hand_down(kloop_engine *e, const kl_batch *b, uint32_t from, uint32_t to,
                             kl_batch *child);
void kl_chunk_runs_del(kloop_engine *e, kl_batch *b);

kl_chunk_reader kl_chunk_read(const kl_batch *b);
/* The chunk of the record at this place, NULL: none. Places must not fall. *most becomes no more
 * than the places from there on of which the same is true. */
kloop_chunk *kl_chunk_reader_at(kl_chunk_reader *r, uint32_t place, size_t *most);

/* ---- Fates ---- */

/* Does it want the sentence of this report? */
bool kl_chunk_wants_text(const kloop_chunk *c, kloop_outcome outcome);
/* So many of its records are settled. It may be gone then. */
void kl_chunk_settle(kloop_engine *e, kloop_chunk *c, const kloop_report *run);
/* The next one that is done; NULL: none. It lives until the next call. */
const kloop_chunk_report *kl_chunk_take_done(kloop_engine *e);
bool kl_chunk_any_done(const kloop_engine *e);
/* Nobody can end them any more. */
void kl_chunk_end_all(kloop_engine *e);
void kl_chunk_del_all(kloop_engine *e);

#endif
