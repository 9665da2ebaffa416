/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command of kloop is: its name, how it is run, and what there is to say of it.
 *
 * Help, man pages and the completions of shells are all written from this and from the table of
 * flags, so nothing of a command is told in two places. cli/command_list.h has them all.
 *
 * All of it is constant; nothing here fails.
 *
 * Words of a table of flags that have a meaning here, in kl_option.value:
 *     a|b|c        one of these        a|b|c,...   several of them with commas
 *     FILE         the name of a file  KEY=VALUE   a key of the configuration, and its value
 * and all others are a name of what is wanted, from which nothing follows.
 */
#ifndef KL_CLI_COMMAND_H
#define KL_CLI_COMMAND_H

#include "cli/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A command within the command: `kloop wire decode`. */
typedef struct kl_command_word {
    const char *name;
    const char *form; /* what it reads; NULL: nothing */
    const char *doc;
} kl_command_word;

/* In texts of several lines each line ends with \n, also the last one. */
typedef struct kl_command {
    const char *name;
    const char *summary;               /* what stands behind the name in the list of commands */
    int (*run)(int argc, char **argv); /* argv[0] is the name; answers the exit code */

    const char *usage; /* what follows "kloop NAME "; more ways are more lines */
    const char *about; /* what it does: paragraphs of plain text, an empty line between them */
    const kl_command_word *words;
    size_t word_count;
    const kl_option *options;
    size_t option_count;
    const char *notes;    /* what is to be known beyond the flags, paragraphs; NULL: nothing */
    const char *examples; /* one a line, without indent */
} kl_command;

/* What --help prints: one screen. */
void kl_command_help(const kl_command *command, FILE *to);

/* The lines of a text with something before the first and before each other one; empty ones stay
 * so. */
void kl_command_print_lines(const char *text, const char *first, const char *others, FILE *to);

/* What the exit codes mean, the same for every command. */
typedef struct kl_command_exit {
    const char *code; /* "0", "130" */
    const char *doc;
} kl_command_exit;

extern const kl_command_exit kl_command_exits[];
extern const size_t kl_command_exit_count;

#endif
