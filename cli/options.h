/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flags of a command: a table of them, an iterator over the words that were typed, and the list
 * for the help.
 *
 *     kl_options o;
 *     kl_options_init(&o, "perf", table, count, argc, argv);
 *     for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;)
 *         switch (id) {
 *         case TOPIC: topic = o.value; break;
 *         case COUNT: if (!kl_options_number(&o, 1, INT64_MAX, &n)) return KL_EXIT_USAGE; break;
 *         case KL_OPTIONS_WORD: return kl_options_refuse(&o, "nothing is expected here");
 *         case KL_OPTIONS_HELP: ...
 *         default: return KL_EXIT_USAGE;
 *         }
 *
 * Understood are --name VALUE, --name=VALUE, -l VALUE, -lVALUE, letters in a row (-Zq), and "--",
 * behind which everything is a plain word. --help and -h are there without being in the table.
 *
 * The iterator owns nothing; values point into argv. What is wrong with the words is said on stderr
 * where it is found, with the nearest flag there is.
 */
#ifndef KL_CLI_OPTIONS_H
#define KL_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum kl_option_kind {
    KL_OPTION_SWITCH = 0, /* stands alone */
    KL_OPTION_VALUE,      /* with one word */
    KL_OPTION_WORDS, /* with one word or more, up to the next flag; each is answered by itself */
} kl_option_kind;

typedef struct kl_option {
    int id; /* above 0 */
    kl_option_kind kind;
    char letter;       /* 0: none */
    const char *name;  /* without dashes; NULL: none */
    const char *value; /* what its value is called in the help */
    const char *doc;   /* NULL: another name of the flag in the row above, not listed by itself */
} kl_option;

enum {
    KL_OPTIONS_END = 0,
    KL_OPTIONS_BAD = -1,  /* it was said on stderr what is wrong */
    KL_OPTIONS_WORD = -2, /* a word that belongs to no flag */
    KL_OPTIONS_HELP = -3,
};

typedef struct kl_options {
    const char *command;
    const kl_option *table;
    size_t count;
    int argc;
    char **argv;
    int at;                 /* the next word */
    const char *letters;    /* those of a word that are still to come */
    const kl_option *taker; /* whose words are being taken */
    bool plain;             /* "--" was there */
    const char *value;      /* of the flag that was answered, or the word */
    char flag[64];          /* as people know it: "--topic" */
} kl_options;

/* argv[0] is the command's name and not looked at. */
void kl_options_init(kl_options *o, const char *command, const kl_option *table, size_t count,
                     int argc, char **argv);

/* The id of the next flag, or one of the KL_OPTIONS above. */
int kl_options_next(kl_options *o);

/* Says why the present value is refused; answers KL_EXIT_USAGE. */
int kl_options_refuse(const kl_options *o, const char *why);

/* The value as a whole number; what is none, or out of range, is said. */
bool kl_options_number(const kl_options *o, int64_t min, int64_t max, int64_t *number);
/* A finite decimal number. */
bool kl_options_decimal(const kl_options *o, double min, double max, double *number);

/* "kloop COMMAND: " and the sentence, and where help is; answers KL_EXIT_USAGE. */
int kl_usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One line for each flag that has a doc, and one for --help. */
void kl_options_list(const kl_option *table, size_t count, FILE *to);

#endif
