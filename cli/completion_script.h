/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripts that teach a shell to complete kloop's commands, flags, words of flags, and keys of the
 * configuration with their values. Written from the commands' tables, so they know what this
 * program knows, and start no program to find out. "[FILE" in a usage means that plain words are
 * files. Owns nothing; what cannot be written shows at
 * the stream.
 */
#ifndef KL_CLI_COMPLETION_SCRIPT_H
#define KL_CLI_COMPLETION_SCRIPT_H

#include "cli/command.h"

#include <kloop/config.h>

#include <stdio.h>

void kl_completion_bash(FILE *to);
void kl_completion_zsh(FILE *to);
void kl_completion_fish(FILE *to);

/* ---- What all three ask ---- */

typedef enum kl_completion_kind {
    KL_COMPLETION_NONE,    /* stands alone */
    KL_COMPLETION_ANY,     /* takes a word of which nothing is known */
    KL_COMPLETION_CHOICE,  /* one of the words of its value */
    KL_COMPLETION_CHOICES, /* or several with commas */
    KL_COMPLETION_FILE,
    KL_COMPLETION_KEY, /* KEY=VALUE */
} kl_completion_kind;

kl_completion_kind kl_completion_of(const kl_option *option);

/* The words of "a|b|c" or "a|b|c,...", each followed by a space but the last. */
void kl_completion_put_choices(const char *value, FILE *to);

/* The same of a key's values; false: they are no list of words, and nothing is written. */
bool kl_completion_put_values(const kloop_config_key *key, FILE *to);

/* The row's text, or that of the row whose other name it is. */
const char *kl_completion_doc(const kl_command *command, size_t index);

#endif
