/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that were not delivered, written to a file as json_input.h reads them, with what became
 * of them behind it:
 *
 *     {"topic":"t","timestamp":1700000000000,"key":"k","value":"v","headers":[],
 *      "outcome":"failed","error":"MESSAGE_TOO_LARGE","message":"..."}
 *
 * topic, timestamp, key, value and headers always stand there, so that no flag fills them in when
 * they are fed back; partition only if it was asked for, and not chosen by the producer.
 *
 * A file that is there is kept, and letters are appended. If its last line was never finished, a
 * new one is begun. A line that could be written in part only is cut off at the end, and what is in
 * the file is on the disk when kl_dead_letters_close returns. "-" is standard output.
 *
 * It owns the descriptor and what kl_paced_output owns. A write that fails is remembered in
 * out.error; every letter that did not get out counts as lost.
 */
#ifndef KL_CLI_DEAD_LETTER_H
#define KL_CLI_DEAD_LETTER_H

#include "cli/paced_output.h"

#include <kloop/record.h>

typedef struct kl_dead_letters {
    kl_paced_output out;
    int fd;
    bool regular;
    uint64_t count;   /* letters there should be */
    uint64_t unheard; /* of these, lost for want of memory */
} kl_dead_letters;

typedef struct kl_dead_letter {
    kloop_string topic;
    const kloop_record *record; /* with its headers; its timestamp is set */
    bool unknown;               /* it may be stored all the same */
    const char *error;          /* one word */
    const char *message;        /* a sentence */
} kl_dead_letter;

/* Opens the file: 0, or an errno. Nothing else may be called before. */
int kl_dead_letters_open(kl_dead_letters *d, const char *path);
/* on_room as in paced_output.h. */
void kl_dead_letters_start(kl_dead_letters *d, uv_loop_t *loop, kl_paced_fn on_room, void *me);
void kl_dead_letters_add(kl_dead_letters *d, const kl_dead_letter *letter);
/* How many were added and are not in the file. Right only when the loop has run empty. */
uint64_t kl_dead_letters_lost(const kl_dead_letters *d);
/* When the loop has run empty, after kl_paced_output_finish(); or instead of a start. 0, or the
 * errno of bringing the file to the disk. */
int kl_dead_letters_close(kl_dead_letters *d);

#endif
