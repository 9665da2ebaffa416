/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer's configuration from a command line: single flags, -X key=value, files of properties.
 * What is nearer to the fingers wins: flag > -X > file > the command's preset > kloop's own.
 *
 *     kl_config_flags f;
 *     kl_config_flags_init(&f, "perf");
 *     kl_config_flags_set(&f, KL_CONFIG_FLAG, "bootstrap.servers", value, "--bootstrap-server");
 *     if (!kl_config_flags_set_pair(&f, "linger.ms=5", "-X")) return KL_EXIT_USAGE;
 *     if (!kl_config_flags_load(&f, "client.properties", "-F")) return KL_EXIT_USAGE;
 *     kloop_config *config = kl_config_flags_make(&f);
 *
 * It owns copies of all that was set, until kl_config_flags_deinit. Everything that fails is said
 * on stderr where it happens, with the place that the bad word came from.
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
    KL_CONFIG_FILE,
    KL_CONFIG_PAIR,
    KL_CONFIG_FLAG,
} kl_config_rank;

typedef struct kl_config_flags {
    const char *command;
    kl_arena arena;
    kl_buf entries; /* of what was set, in the order it came */
} kl_config_flags;

void kl_config_flags_init(kl_config_flags *f, const char *command);
void kl_config_flags_deinit(kl_config_flags *f);

/* origin is where it came from, in words for people. false: no memory. */
bool kl_config_flags_set(kl_config_flags *f, kl_config_rank rank, const char *key,
                         const char *value, const char *origin);
/* "key=value", cut at the first '='. */
bool kl_config_flags_set_pair(kl_config_flags *f, const char *pair, const char *flag);
bool kl_config_flags_load(kl_config_flags *f, const char *path, const char *flag);

/* The configuration, the caller's from then on, its parts and the whole checked; NULL: refused. */
kloop_config *kl_config_flags_make(const kl_config_flags *f);

/* Every key, its value and where that came from; what is secret is masked. */
void kl_config_flags_print(const kl_config_flags *f, kloop_config *config, FILE *to);

#endif
