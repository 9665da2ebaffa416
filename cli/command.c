/* SPDX-License-Identifier: BSD-2-Clause */
/* The help of a command, on one screen. See command.h. */
#include "cli/command.h"

#include <string.h>

const kl_command_exit kl_command_exits[] = {
    {"0", "all is done and delivered"},
    {"1", "some records were not delivered, or may not have been; or reading or writing failed"},
    {"2", "usage or configuration"},
    {"3", "no broker was ever reached, or none let us in"},
    {"4", "bad input data"},
    {"5", "the producer could not go on: it was fenced, or the like"},
    {"130", "ended by SIGINT (Ctrl-C)"},
    {"143", "ended by SIGTERM"},
};

const size_t kl_command_exit_count = sizeof kl_command_exits / sizeof kl_command_exits[0];

void kl_command_print_lines(const char *text, const char *first, const char *others, FILE *to)
{
    const char *before = first;
    while (*text) {
        size_t len = strcspn(text, "\n");
        fprintf(to, "%s%.*s\n", len ? before : "", (int)len, text);
        text += len + (text[len] == '\n');
        before = others;
    }
}

void kl_command_help(const kl_command *command, FILE *to)
{
    char usage[64], more[64];
    snprintf(usage, sizeof usage, "usage: kloop %s ", command->name);
    snprintf(more, sizeof more, "       kloop %s ", command->name);
    kl_command_print_lines(command->usage, usage, more, to);
    fputs("\n", to);
    kl_command_print_lines(command->about, "", "", to);
    for (size_t i = 0; i < command->word_count; i++) {
        const kl_command_word *word = &command->words[i];
        fprintf(to, "%s  %-13s %-34s  %s\n", i ? "" : "\n", word->name,
                word->form ? word->form : "", word->doc);
    }
    fputs("\n", to);
    kl_options_list(command->options, command->option_count, to);
    if (command->notes) {
        fputs("\n", to);
        kl_command_print_lines(command->notes, "", "", to);
    }
    if (command->examples) {
        fputs("\nexamples:\n", to);
        kl_command_print_lines(command->examples, "  ", "  ", to);
    }
}
