/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flags of `kloop produce` as they are typed into the job that they describe.
 *
 * It owns decoded delimiters, the table of headers, the list of files and the configuration's
 * entries; other values point into argv. What is wrong is said on stderr where it is found.
 */
#ifndef KL_CLI_PRODUCE_FLAGS_H
#define KL_CLI_PRODUCE_FLAGS_H

#include "cli/config_flags.h"
#include "cli/options.h"
#include "cli/produce_run.h"

enum {
    KL_PRODUCE_TOPIC = 1,
    KL_PRODUCE_BOOTSTRAP,
    KL_PRODUCE_PARTITION,
    KL_PRODUCE_KEY_DELIMITER,
    KL_PRODUCE_KEY,
    KL_PRODUCE_HEADER,
    KL_PRODUCE_DELIMITER,
    KL_PRODUCE_EMPTY_NULL,
    KL_PRODUCE_SKIP_EMPTY,
    KL_PRODUCE_LINES,
    KL_PRODUCE_CODEC,
    KL_PRODUCE_COUNT,
    KL_PRODUCE_TEE,
    KL_PRODUCE_SKIP_BAD,
    KL_PRODUCE_PAIR,
    KL_PRODUCE_CONFIG_FILE,
    KL_PRODUCE_INPUT,
    KL_PRODUCE_READER_PROPERTY,
    KL_PRODUCE_RATE,
    KL_PRODUCE_BYTE_RATE,
    KL_PRODUCE_DEAD_LETTER,
    KL_PRODUCE_STATS,
    KL_PRODUCE_EVENTS,
    KL_PRODUCE_PROGRESS,
    KL_PRODUCE_QUIET,
    KL_PRODUCE_VERBOSE,
    KL_PRODUCE_PRINT_CONFIG,
    KL_PRODUCE_MODE, /* kcat's -P */
};

typedef struct kl_produce_flags {
    kl_produce_job job;
    const char *dead_letter; /* NULL: none */
    const char *stats;       /* likewise */
    bool lines;              /* -l */
    bool parse_key;          /* of --reader-property */
    bool parse_headers;
    bool ignore_error;
    kloop_string key_separator;
    kloop_string headers_delimiter;
    kl_buf headers; /* of kloop_record_header, pointing into argv */
    kl_arena arena; /* of decoded delimiters */
    kl_input_files files;
    kl_config_flags config;
} kl_produce_flags;

/* command is the name for messages. */
void kl_produce_flags_init(kl_produce_flags *f, const char *command);
void kl_produce_flags_deinit(kl_produce_flags *f);

/* One flag, or a word. -1: go on with the next one; else an exit code. */
int kl_produce_flags_take(kl_produce_flags *f, const kl_options *o, int id);

/* Behind the last one: what goes together and what does not. -1, or an exit code. */
int kl_produce_flags_finish(kl_produce_flags *f, const char *command);

#endif
