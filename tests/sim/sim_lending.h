/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the user lends and bundles: borrowed values, chunks, and batches that he has encoded
 * himself.
 *
 * A loan is given back exactly once, as it was, when no write shows it any more, and before CLOSED;
 * that of a refused record was never taken. What is given back is poisoned, so that whoever looks
 * at it later sends rubbish, which the book knows (I12).
 *
 * A chunk is told once, when it was ended and each of its records is settled, in time, with counts
 * that add up. Which of its records were stored is told by nobody: they are held against the logs
 * together. Records of a chunk that was dropped are told by nobody at all.
 *
 * Owns the lent bytes until the end of the run, and the writer of encoded batches.
 */
#ifndef KL_SIM_LENDING_H
#define KL_SIM_LENDING_H

#include <kloop/engine.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct sim sim;

typedef struct sim_loan {
    uint8_t *bytes;
    size_t len;
    uint64_t hash;
    bool taken;
    bool back;
} sim_loan;

typedef struct sim_chunk {
    kloop_chunk *handle; /* NULL: ended or dropped */
    uint32_t first;      /* records from here on */
    uint32_t last;
    uint32_t count; /* that were taken */
    uint32_t flush; /* the first one that covers it; 0: none does */
    uint64_t due_ns;
    bool dropped;
    bool told;
    uint64_t acked;
    uint64_t failed;
} sim_chunk;

typedef struct sim_lending {
    sim_loan *loans;
    uint32_t loan_count;
    uint32_t loan_cap;
    uint32_t out; /* taken, and not back */
    sim_chunk *chunks;
    uint32_t chunk_count;
    uint32_t chunk_cap;
    uint32_t chunks_open; /* begun, and not told */
    uint32_t present;     /* the chunk that records go to now; 0: none */
    uint32_t untold;      /* records of chunks that were not told yet */
    kloop_batch_writer *writer;
} sim_lending;

void sim_lending_deinit(sim *s);

/* ---- Records ---- */

/* Before a record is sent: it may be lent, and belong to a chunk. Answers the loan, 0: none. */
uint32_t sim_lending_dress(sim *s, kloop_record *r, uint32_t *chunk);
/* It was taken, or refused. */
void sim_lending_sent(sim *s, uint32_t number, uint32_t loan, uint32_t chunk, bool taken);
/* A batch of so many records, encoded here. Answers the number of the first, 0: it was refused. */
uint32_t sim_lending_send_batch(sim *s, int topic, int32_t partition, uint32_t n, int codec,
                                size_t bytes_max);

/* ---- Chunks ---- */

/* Records belong to a chunk from now on, until it is ended. */
uint32_t sim_lending_begin_chunk(sim *s);
void sim_lending_end_chunk(sim *s);
void sim_lending_drop_chunk(sim *s);
/* The present flush covers those that were ended. */
void sim_lending_flush(sim *s, uint32_t flush);
void sim_lending_flushed(sim *s, uint64_t flush);

/* ---- What the engine says ---- */

void sim_lending_on_release(sim *s, const kloop_loan *loans, size_t count);
void sim_lending_on_chunk(sim *s, const kloop_chunk_report *report);
/* In each turn: chunks that are overdue. */
void sim_lending_check_turn(sim *s);
void sim_lending_check_closed(sim *s);
/* At the end: counts against logs. */
void sim_lending_check_logs(sim *s);

#endif
