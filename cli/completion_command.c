/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop completion bash|zsh|fish`. Packages install what it prints. */
#include "cli/completion_command.h"

#include "base/nearest.h"
#include "cli/completion_script.h"
#include "cli/exit_code.h"

#include <kloop/wire.h>

#include <errno.h>
#include <string.h>

#define COMMAND "completion"

static const kl_command_word words[] = {
    {"bash", NULL, "for bash; no other package is needed"},
    {"zsh", NULL, "for zsh"},
    {"fish", NULL, "for fish"},
};

enum { WORD_COUNT = sizeof words / sizeof words[0] };

static void (*const scripts[WORD_COUNT])(FILE *to) = {
    kl_completion_bash,
    kl_completion_zsh,
    kl_completion_fish,
};

static int unknown(const char *word)
{
    const char *near = NULL;
    for (size_t i = 0; i < WORD_COUNT; i++)
        near = kl_nearest_of(near, words[i].name, kloop_text(word));
    return kl_usage_error(COMMAND, "there is none for the shell '%s'%s%s%s", word,
                          near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int run_command(int argc, char **argv)
{
    int word = -1;
    kl_options o;
    kl_options_init(&o, COMMAND, NULL, 0, argc, argv);
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;) {
        switch (id) {
        case KL_OPTIONS_WORD:
            if (word >= 0)
                return kl_usage_error(COMMAND, "one shell at a time; '%s' is too many", o.value);
            for (word = 0; word < WORD_COUNT && strcmp(o.value, words[word].name) != 0;)
                word++;
            if (word == WORD_COUNT)
                return unknown(o.value);
            break;
        case KL_OPTIONS_HELP:
            kl_command_help(&kl_completion_command, stdout);
            return KL_EXIT_OK;
        default:
            return KL_EXIT_USAGE;
        }
    }
    if (word < 0) {
        kl_command_help(&kl_completion_command, stderr);
        return KL_EXIT_USAGE;
    }
    scripts[word](stdout);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return KL_EXIT_OK;
    fprintf(stderr, "kloop " COMMAND ": %s\n", strerror(errno));
    return KL_EXIT_IO;
}

const kl_command kl_completion_command = {
    .name = COMMAND,
    .summary = "teach a shell to complete kloop's words",
    .run = run_command,
    .usage = "bash|zsh|fish\n",
    .about = "Prints a script that completes commands, flags, their words, files, and keys of the\n"
             "configuration with their values. Packages install the same scripts.\n",
    .words = words,
    .word_count = WORD_COUNT,
    .notes =
        "To try it at once: eval \"$(kloop completion bash)\"; in zsh, after compinit, the same\n"
        "with zsh; in fish: kloop completion fish | source\n",
    .examples = "kloop completion bash > ~/.local/share/bash-completion/completions/kloop\n"
                "kloop completion zsh > ~/.zfunc/_kloop\n"
                "kloop completion fish > ~/.config/fish/completions/kloop.fish\n",
};
