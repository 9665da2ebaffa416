/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop manual [COMMAND|conf]`. Packages install what it prints. */
#include "cli/manual_command.h"

#include "base/nearest.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/manual_page.h"

#include <kloop/wire.h>

#include <errno.h>
#include <string.h>

#define COMMAND "manual"

static int unknown(const char *word)
{
    const char *near = kl_nearest_of(NULL, "conf", kloop_text(word));
    for (size_t i = 0; i < kl_command_count; i++)
        near = kl_nearest_of(near, kl_commands[i]->name, kloop_text(word));
    return kl_usage_error(COMMAND, "there is no page on '%s'%s%s%s", word,
                          near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int print_page(const char *word)
{
    if (!word) {
        kl_manual_overview(stdout);
    } else if (strcmp(word, "conf") == 0) {
        kl_manual_config(stdout);
    } else {
        size_t i = 0;
        while (i < kl_command_count && strcmp(kl_commands[i]->name, word) != 0)
            i++;
        if (i == kl_command_count)
            return unknown(word);
        kl_manual_of(kl_commands[i], stdout);
    }
    if (fflush(stdout) == 0 && !ferror(stdout))
        return KL_EXIT_OK;
    fprintf(stderr, "kloop " COMMAND ": %s\n", strerror(errno));
    return KL_EXIT_IO;
}

static int run_command(int argc, char **argv)
{
    const char *word = NULL;
    kl_options o;
    kl_options_init(&o, COMMAND, NULL, 0, argc, argv);
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;) {
        switch (id) {
        case KL_OPTIONS_WORD:
            if (word)
                return kl_usage_error(COMMAND, "one page at a time; '%s' is too many", o.value);
            word = o.value;
            break;
        case KL_OPTIONS_HELP:
            kl_command_help(&kl_manual_command, stdout);
            return KL_EXIT_OK;
        default:
            return KL_EXIT_USAGE;
        }
    }
    return print_page(word);
}

const kl_command kl_manual_command = {
    .name = COMMAND,
    .summary = "the manual, for man",
    .run = run_command,
    .usage = "[COMMAND|conf]\n",
    .about = "Prints a page of the manual as man reads it: of a command, of the keys of the\n"
             "configuration (conf), or of kloop itself. Packages install the same pages.\n",
    .examples = "kloop manual produce | man -l -\n"
                "kloop manual conf | man -l -\n",
};
