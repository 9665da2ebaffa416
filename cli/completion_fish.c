/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion for fish. */
#include "cli/command_list.h"
#include "cli/completion_script.h"

#include <string.h>

static void put_text(const char *text, FILE *to)
{
    fputc('\'', to);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            fputc('\\', to);
        fputc(*text, to);
    }
    fputc('\'', to);
}

static void put_option(const kl_command *command, size_t index, FILE *to)
{
    const kl_option *option = &command->options[index];
    const char *doc = kl_completion_doc(command, index);
    if (!doc)
        return;
    fprintf(to, "complete -c kloop -n '__fish_seen_subcommand_from %s'", command->name);
    if (option->letter)
        fprintf(to, " -s %c", option->letter);
    if (option->name)
        fprintf(to, " -l %s", option->name);
    switch (kl_completion_of(option)) {
    case KL_COMPLETION_NONE:
        break;
    case KL_COMPLETION_CHOICE:
        fputs(" -x -a '", to);
        kl_completion_put_choices(option->value, to);
        fputc('\'', to);
        break;
    case KL_COMPLETION_CHOICES:
        fputs(" -x -a '(__fish_complete_list , \"string split \\\" \\\" \\\"", to);
        kl_completion_put_choices(option->value, to);
        fputs("\\\"\")'", to);
        break;
    case KL_COMPLETION_FILE:
        fputs(" -r -F", to);
        break;
    case KL_COMPLETION_KEY:
        fputs(" -x -a '(__kloop_keys)'", to);
        break;
    case KL_COMPLETION_ANY:
        fputs(" -x", to);
        break;
    }
    fputs(" -d ", to);
    put_text(doc, to);
    fputc('\n', to);
}

static void put_keys(FILE *to)
{
    fputs("function __kloop_keys\n    string split ' ' '", to);
    const char *between = "";
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        fprintf(to, "%s%s=", between, key->name);
        between = " ";
        if (key->type != KLOOP_CONFIG_BOOL && key->type != KLOOP_CONFIG_CHOICE)
            continue;
        /* key=value, once for each value */
        size_t len = strcspn(key->allowed, ";");
        for (size_t at = 0; at < len;) {
            size_t word = strcspn(key->allowed + at, ",; ");
            if (word)
                fprintf(to, " %s=%.*s", key->name, (int)word, key->allowed + at);
            at += word + 1;
        }
    }
    fputs("'\nend\n", to);
}

void kl_completion_fish(FILE *to)
{
    fputs("# fish completion for kloop; `kloop completion fish` writes it\n", to);
    put_keys(to);
    fputs("complete -c kloop -f\n", to);
    for (size_t i = 0; i < kl_command_count; i++) {
        const kl_command *command = kl_commands[i];
        fprintf(to, "complete -c kloop -n __fish_use_subcommand -a %s -d ", command->name);
        put_text(command->summary, to);
        fputc('\n', to);
        for (size_t k = 0; k < command->word_count; k++) {
            fprintf(to, "complete -c kloop -n '__fish_seen_subcommand_from %s' -a %s -d ",
                    command->name, command->words[k].name);
            put_text(command->words[k].doc, to);
            fputc('\n', to);
        }
        if (strstr(command->usage, "[FILE"))
            fprintf(to, "complete -c kloop -n '__fish_seen_subcommand_from %s' -F\n",
                    command->name);
        for (size_t k = 0; k < command->option_count; k++)
            put_option(command, k, to);
    }
    fputs("complete -c kloop -n __fish_use_subcommand -l version -d 'which kloop this is'\n"
          "complete -c kloop -s h -l help -d 'help on one screen'\n",
          to);
}
