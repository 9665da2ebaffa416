/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of the live line: figures into text of a given width, with the least important parts
 * left out where there is no room for them. Nothing is owned, nothing fails.
 */
#ifndef KL_CLI_LIVE_TEXT_H
#define KL_CLI_LIVE_TEXT_H

#include "cli/recent_rate.h"
#include "cli/terminal.h"

#include <stdio.h>

#define KL_LIVE_NOT_TOLD  UINT64_MAX
#define KL_LIVE_TEXT_MAX  2048
#define KL_LIVE_WIDTH_MAX 240

/* What a command knows of its run. All zero, and what is not known as it says here. */
typedef struct kl_live_figures {
    uint64_t delivered;        /* records so far */
    uint64_t delivered_bytes;  /* of theirs */
    uint64_t failed;           /* records not delivered, or perhaps not */
    uint64_t in_flight;        /* taken by the producer and not settled; KL_LIVE_NOT_TOLD */
    uint64_t buffer_bytes;     /* of these: what is used */
    uint64_t buffer_bytes_max; /* buffer.memory; 0: not told */
    uint64_t p50_us;           /* latency of late; KL_LIVE_NOT_TOLD */
    uint64_t p99_us;
    uint64_t part;    /* how much of the whole is done, in records or in bytes of input */
    uint64_t whole;   /* 0: not known, so there is neither a bar nor a time that is left */
    const char *note; /* ASCII: why it does not get on, or what it does instead; NULL: nothing */
} kl_live_figures;

/*
 * Into text, which has KL_LIVE_TEXT_MAX bytes, with colours as the terminal has them, and no wider
 * than width. Answers how many columns it takes.
 */
unsigned kl_live_text_draw(char *text, const kl_live_figures *f, const kl_recent_rate *rate,
                           const kl_terminal *terminal, unsigned width);

/* The same as a plain line, with all figures and its end. */
void kl_live_text_plain(const kl_live_figures *f, const kl_recent_rate *rate, const char *command,
                        FILE *to);

#endif
