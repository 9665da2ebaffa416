/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer's configuration from a command line: single flags, -X key=value, files of properties.
 * What is nearer to the fingers wins: flag > -X > -F file > the file of the environment > the
 * command's preset > kloop's own.
 *
 *     kl_config_flags f;
 *     kl_config_flags_init(&f, "perf");
 *     kl_config_flags_set(&f, KL_CONFIG_FLAG, "bootstrap.servers", value, "--bootstrap-server");
 *     code = kl_config_flags_take(&f, "linger.ms=5", "-X");       if (code >= 0) return code;
 *     if (!kl_config_flags_load(&f, "client.properties", "-F")) return KL_EXIT_USAGE;
 *     f.print = true;                                             for --print-config
 *     f.quiet = true;                                             for --quiet
 *     if (f.print) return kl_config_flags_show(&f, stdout);
 *     kloop_config *config = kl_config_flags_make(&f);
 *
 * The file of the environment is $KLOOP_CONFIG, or kloop.conf in $XDG_CONFIG_HOME or ~/.config; an
 * empty $KLOOP_CONFIG: none. It is read when the configuration is made.
 *
 * It owns copies of all that was set, until kl_config_flags_deinit, which wipes them: any of it may
 * be a password. Everything that fails is said
 * on stderr where it happens, with the place that the bad word came from; so are notes of what may
 * surprise, unless quiet.
 */
#ifndef KL_CLI_CONFIG_FLAGS_H
#define KL_CLI_CONFIG_FLAGS_H

#include "base/buf.h"
#include "wiretools/arena.h"

#include <kloop/config.h>

#include <stdio.h>

/* Later ones win over earlier ones, and within one of them the last word. */
typedef enum kl_config_rank {
    KL_CONFIG_PRESET,
    KL_CONFIG_ENVIRONMENT,
    KL_CONFIG_FILE,
    KL_CONFIG_PAIR,
    KL_CONFIG_FLAG,
} kl_config_rank;

typedef struct kl_config_flags {
    const char *command;
    bool print;  /* the configuration is to be shown, and nothing else done */
    bool quiet;  /* no notes */
    bool looked; /* the file of the environment was read, or is not there */
    kl_arena arena;
    kl_buf entries; /* of what was set, in the order it came */
} kl_config_flags;

void kl_config_flags_init(kl_config_flags *f, const char *command);
void kl_config_flags_deinit(kl_config_flags *f);

/* origin is where it came from, in words for people. false: no memory. */
bool kl_config_flags_set(kl_config_flags *f, kl_config_rank rank, const char *key,
                         const char *value, const char *origin);
/*
 * The value of an -X: "key=value", cut at the first '='; "key@path", the value is in that file;
 * "list" prints every key and what it means, "dump" is another word for --print-config. Answers -1,
 * or the exit code with which the command is to end now.
 */
int kl_config_flags_take(kl_config_flags *f, const char *pair, const char *flag);
bool kl_config_flags_load(kl_config_flags *f, const char *path, const char *flag);

/* The configuration, the caller's from then on, its parts and the whole checked; NULL: refused. */
kloop_config *kl_config_flags_make(kl_config_flags *f);

/* Wipes all that was set, when no other configuration will be made of it. */
void kl_config_flags_forget(kl_config_flags *f);

/* Every key, its value and where that came from; what is secret is masked. Answers the exit code:
 * of what is refused there is no table, and what only clashes is said below it. */
int kl_config_flags_show(kl_config_flags *f, FILE *to);

#endif
