/* SPDX-License-Identifier: BSD-2-Clause */
/* See asking_flags.h. */
#include "cli/asking_flags.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/exit_code.h"

#include <stdint.h>
#include <string.h>

#define TIMEOUT_S_MAX 3600

bool kl_asking_flags_init(kl_asking_flags *f, const char *command, int argc, double timeout_s)
{
    *f = (kl_asking_flags){.topic_room = (size_t)argc + 1, .timeout_s = timeout_s};
    f->topics = kl_mem_zalloc(&kl_mem_libc, f->topic_room, sizeof *f->topics);
    if (!f->topics)
        return false;
    kl_config_flags_init(&f->config, command);
    return true;
}

void kl_asking_flags_deinit(kl_asking_flags *f)
{
    kl_config_flags_deinit(&f->config);
    kl_mem_release(&kl_mem_libc, f->topics, f->topic_room * sizeof *f->topics);
}

static int exit_of(bool taken)
{
    return taken ? -1 : KL_EXIT_USAGE;
}

/* Whether a topic can have this name is for the broker to say. */
static bool may_be_asked_for(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= INT16_MAX && kl_utf8_valid_len(name, len) == len;
}

int kl_asking_flags_take(kl_asking_flags *f, kl_options *o, int id)
{
    switch (id) {
    case KL_ASKING_BOOTSTRAP:
        return exit_of(kl_config_flags_set(&f->config, KL_CONFIG_FLAG, "bootstrap.servers",
                                           o->value, o->flag));
    case KL_ASKING_TOPIC:
        if (!may_be_asked_for(o->value))
            return kl_options_refuse(o, "the name of a topic is wanted, in UTF-8");
        f->topics[f->topic_count++] = o->value;
        return -1;
    case KL_ASKING_TIMEOUT:
        return exit_of(kl_options_decimal(o, 0.001, TIMEOUT_S_MAX, &f->timeout_s));
    case KL_ASKING_JSON:
        f->json = true;
        return -1;
    case KL_ASKING_PROPS:
        return kl_config_flags_take(&f->config, o->value, o->flag);
    case KL_ASKING_CONFIG_FILE:
        return exit_of(kl_config_flags_load(&f->config, o->value, o->flag));
    case KL_ASKING_PRINT_CONFIG:
        f->config.print = true;
        return -1;
    case KL_ASKING_QUIET:
        f->quiet = true;
        f->config.quiet = true;
        return -1;
    default:
        return KL_EXIT_USAGE;
    }
}
