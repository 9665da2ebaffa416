/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `kloop produce` writes of its records: events or a tee on stdout, dead letters to their
 * file. A record of which something will be written is sent with a copy as its user.
 *
 * Owns its copies from their sending on, and the outputs; the letters are the caller's. A write
 * that fails is remembered, see error.
 */
#ifndef KL_CLI_PRODUCE_OUTPUT_H
#define KL_CLI_PRODUCE_OUTPUT_H

#include "cli/dead_letter.h"
#include "cli/input_record.h"
#include "cli/paced_output.h"

typedef struct kl_produce_output {
    kl_paced_output out;
    kl_dead_letters *letters; /* NULL: none are written */
    bool events;
    bool tee;
    bool uses_stdout;
    uint64_t start_ns;
} kl_produce_output;

/* on_room runs when one of the outputs that was full no longer is. */
void kl_produce_output_start(kl_produce_output *o, uv_loop_t *loop, kl_paced_fn on_room, void *me);
/* When the loop has run empty; the letters stay open. */
void kl_produce_output_deinit(kl_produce_output *o);

/* Does anything need what a record held, once it is settled? */
static inline bool kl_produce_output_needs_copies(const kl_produce_output *o)
{
    return o->events || o->letters;
}

/* Before the first record. */
void kl_produce_output_begin(kl_produce_output *o);
/* A record was taken in; text is all of its piece of input, delimiter what stood behind it. */
void kl_produce_output_taken(kl_produce_output *o, kloop_string text, kloop_string delimiter);
/* A run was settled; its users are copies if there are any. */
void kl_produce_output_settled(kl_produce_output *o, const kloop_report *run);
/* A record that the producer did not take, whose copy this is not. */
void kl_produce_output_refused(kl_produce_output *o, const kl_input_record *in, const char *error,
                               const char *message);
/* Behind the last record. No more is written after it. */
void kl_produce_output_end(kl_produce_output *o, uint64_t acked, uint64_t failed, uint64_t unknown);

/* Writes what can be written now. */
void kl_produce_output_push(kl_produce_output *o);
bool kl_produce_output_waiting(const kl_produce_output *o);
/* So much waits for its reader that no more records should be made. */
bool kl_produce_output_full(const kl_produce_output *o);
/* One of the outputs has failed: no more records should be made. */
bool kl_produce_output_failed(const kl_produce_output *o);
/* Readers are not waited for any more. */
void kl_produce_output_give_up(kl_produce_output *o);

/* Milliseconds since 1970. */
int64_t kl_produce_output_wall_ms(void);

#endif
