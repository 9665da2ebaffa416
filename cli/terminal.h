/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the terminal behind a descriptor can show, as the environment tells it: NO_COLOR, TERM, the
 * locale's letters, and how wide it is. A plain value; nothing fails.
 */
#ifndef KL_CLI_TERMINAL_H
#define KL_CLI_TERMINAL_H

#include <stdbool.h>

/* --progress */
typedef enum kl_progress {
    KL_PROGRESS_AUTO = 0, /* drawn where stderr is a terminal that can, else plain lines */
    KL_PROGRESS_ALWAYS,   /* drawn, also into a pipe */
    KL_PROGRESS_NEVER,    /* neither drawn nor told in plain lines */
} kl_progress;

/* false: the word is none of auto, always and never. */
bool kl_progress_parse(const char *word, kl_progress *progress);

typedef struct kl_terminal {
    int fd;
    bool is_terminal;
    bool drawable; /* a line can be taken back */
    bool escapes;  /* it understands more than a carriage return */
    bool colour;
    bool utf8;
    unsigned width; /* columns */
} kl_terminal;

void kl_terminal_look(kl_terminal *t, int fd);
/* The width may have changed. */
void kl_terminal_measure(kl_terminal *t);

#endif
