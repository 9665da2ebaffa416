/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flags of commands that ask brokers something and end, meta and doctor: -b, -t, -m, -J, -X,
 * -F,
 * --print-config, -q. Each command has a table of its own, with these numbers and its own words.
 *
 *     kl_asking_flags f;
 *     if (!kl_asking_flags_init(&f, "meta", argc, 10)) ... no memory ...
 *     code = kl_asking_flags_take(&f, &options, id);       if (code >= 0) end with code
 *     kl_asking_flags_deinit(&f);
 *
 * Owns what the configuration is made of, and the list of topics; their names are those of argv.
 * What fails is said on stderr where it happens.
 */
#ifndef KL_CLI_ASKING_FLAGS_H
#define KL_CLI_ASKING_FLAGS_H

#include "cli/config_flags.h"
#include "cli/options.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    KL_ASKING_BOOTSTRAP = 1,
    KL_ASKING_TOPIC,
    KL_ASKING_TIMEOUT,
    KL_ASKING_JSON,
    KL_ASKING_PROPS,
    KL_ASKING_CONFIG_FILE,
    KL_ASKING_PRINT_CONFIG,
    KL_ASKING_QUIET,
    KL_ASKING_MORE, /* a command's own flags are from here on */
};

typedef struct kl_asking_flags {
    const char **topics; /* of argv */
    size_t topic_count;
    size_t topic_room;
    bool json;
    bool quiet;
    double timeout_s;
    kl_config_flags config;
} kl_asking_flags;

/* false: no memory, and there is nothing to be given back. */
bool kl_asking_flags_init(kl_asking_flags *f, const char *command, int argc, double timeout_s);
void kl_asking_flags_deinit(kl_asking_flags *f);

/* -1: go on with the next flag; else the exit code with which the command is to end. */
int kl_asking_flags_take(kl_asking_flags *f, kl_options *o, int id);

#endif
