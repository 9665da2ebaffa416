/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Right bytes at the wrong time, wrong bytes at the right one, and no bytes at all; n is the row's
 * number. They fail never, and own nothing.
 */
#ifndef KL_TESTS_HOSTILE_DEEDS_H
#define KL_TESTS_HOSTILE_DEEDS_H

#include "tests/hostile/hostile_world.h"

#define HOSTILE_GREET(name) void name(hostile_world *w, hostile_conn *c, int64_t n)
#define HOSTILE_DEED(name)                                                                         \
    void name(hostile_world *w, hostile_conn *c, const uint8_t *frame, size_t len, int64_t n)

/* How much of an answer comes before the end. */
#define HOSTILE_BEFORE 0
#define HOSTILE_MIDDLE 1
#define HOSTILE_AFTER  2

/* When a connection was accepted */
HOSTILE_GREET(hostile_greet_end);     /* in the way n, a hostile_end */
HOSTILE_GREET(hostile_greet_noise);   /* n bytes */
HOSTILE_GREET(hostile_greet_answer);  /* an answer to the question that is coming */
HOSTILE_GREET(hostile_greet_deaf);    /* nothing is ever read */
HOSTILE_GREET(hostile_greet_echo);    /* sends back what it reads */
HOSTILE_GREET(hostile_greet_pace);    /* a byte each n ms */
HOSTILE_GREET(hostile_greet_cut_out); /* closes after n, n + 1, n + 2, ... bytes of answers */
HOSTILE_GREET(hostile_greet_cut_in);  /* after so many bytes of requests */

/* When an answer is ready */
HOSTILE_DEED(hostile_reset);  /* n: before, middle, after */
HOSTILE_DEED(hostile_finish); /* the same with a FIN */
HOSTILE_DEED(hostile_half);   /* half of it, then silence */
HOSTILE_DEED(hostile_silence);
HOSTILE_DEED(hostile_length);      /* its length field says n */
HOSTILE_DEED(hostile_zeros);       /* a length of n, and so many zeros */
HOSTILE_DEED(hostile_slow_zeros);  /* the same at no more than 24 MB/s */
HOSTILE_DEED(hostile_correlation); /* its id is off by n */
HOSTILE_DEED(hostile_swap);        /* in pairs, the later one first */
HOSTILE_DEED(hostile_twice);
HOSTILE_DEED(hostile_text);           /* one of HOSTILE_TEXT_..., then a FIN */
HOSTILE_DEED(hostile_second_is_http); /* the second node is no broker */
HOSTILE_DEED(hostile_tagged);         /* a tagged field that nobody knows, of n bytes */
HOSTILE_DEED(hostile_tagged_beyond);  /* one that says n bytes, and has 2 */
HOSTILE_DEED(hostile_trailing);       /* n bytes more inside the frame */
HOSTILE_DEED(hostile_truncated);      /* n bytes less */
HOSTILE_DEED(hostile_flip_bits);      /* in one of n answers */
HOSTILE_DEED(hostile_count);          /* the number of partitions in Metadata v8 says n */
HOSTILE_DEED(hostile_late);           /* n ms later */

/* When a request has begun to arrive: the answer to it; its rest is never read. */
void hostile_early_answer(hostile_world *w, hostile_conn *c, int32_t correlation);
/* No answer either. */
void hostile_deaf_now(hostile_world *w, hostile_conn *c, int32_t correlation);

/* The name server */
size_t hostile_names_unknown(uint8_t *bytes, size_t len, size_t room);
size_t hostile_names_silent(uint8_t *bytes, size_t len, size_t room);
size_t hostile_names_noise(uint8_t *bytes, size_t len, size_t room);

#define HOSTILE_TEXT_HTTP  0
#define HOSTILE_TEXT_ALERT 1
#define HOSTILE_TEXT_HELLO 2
#define HOSTILE_TEXT_SSH   3

#endif
