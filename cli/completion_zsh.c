/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion for zsh, by its own _arguments. */
#include "cli/command_list.h"
#include "cli/completion_script.h"

#include <string.h>

/* Within '...'; a colon or bracket would end what it stands in. */
static void put_text(const char *text, FILE *to)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", to);
        else if (strchr("[]:\\", *text))
            fprintf(to, "\\%c", *text);
        else
            fputc(*text, to);
    }
}

static void put_value(const kl_option *option, FILE *to)
{
    kl_completion_kind kind = kl_completion_of(option);
    if (kind == KL_COMPLETION_NONE)
        return;
    fputc(':', to);
    put_text(option->value, to);
    fputc(':', to);
    switch (kind) {
    case KL_COMPLETION_CHOICE:
        fputc('(', to);
        kl_completion_put_choices(option->value, to);
        fputc(')', to);
        break;
    case KL_COMPLETION_CHOICES:
        fputs("_values -s , word ", to);
        kl_completion_put_choices(option->value, to);
        break;
    case KL_COMPLETION_FILE:
        fputs("_files", to);
        break;
    case KL_COMPLETION_KEY:
        fputs("_kloop_keys", to);
        break;
    default:
        break;
    }
}

/* Each name by itself: '*--flag=[text]:VALUE:what'. A star: may come again. */
static void put_one(const kl_option *option, bool letter, const char *doc, FILE *to)
{
    fputs(" \\\n                '*", to);
    if (letter)
        fprintf(to, "-%c%s", option->letter, option->kind == KL_OPTION_SWITCH ? "" : "+");
    else
        fprintf(to, "--%s%s", option->name, option->kind == KL_OPTION_SWITCH ? "" : "=");
    fputc('[', to);
    put_text(doc, to);
    fputc(']', to);
    put_value(option, to);
    fputc('\'', to);
}

static void put_command(const kl_command *command, FILE *to)
{
    fprintf(to, "        %s)\n            _arguments -s", command->name);
    for (size_t i = 0; i < command->option_count; i++) {
        const kl_option *option = &command->options[i];
        const char *doc = kl_completion_doc(command, i);
        if (!doc)
            continue;
        if (option->letter)
            put_one(option, true, doc, to);
        if (option->name)
            put_one(option, false, doc, to);
    }
    fputs(" \\\n                '(- *)--help[help on one screen]'", to);
    if (command->word_count) {
        fputs(" \\\n                '1:command:((", to);
        for (size_t i = 0; i < command->word_count; i++) {
            fprintf(to, "%s%s\\:\"", i ? " " : "", command->words[i].name);
            put_text(command->words[i].doc, to);
            fputc('"', to);
        }
        fputs("))'", to);
    }
    if (strstr(command->usage, "[FILE"))
        fputs(" \\\n                '*:FILE:_files'", to);
    fputs("\n            ;;\n", to);
}

void kl_completion_zsh(FILE *to)
{
    fputs("#compdef kloop\n"
          "# zsh completion for kloop; `kloop completion zsh` writes it\n"
          "_kloop_keys() {\n"
          "    if compset -P 1 '*='; then\n"
          "        case ${IPREFIX%=} in\n",
          to);
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        if (key->type == KLOOP_CONFIG_NUMBER || key->type == KLOOP_CONFIG_TEXT ||
            key->type == KLOOP_CONFIG_FRACTION)
            continue;
        fprintf(to, "            (*=|)%s) %s ", key->name,
                key->type == KLOOP_CONFIG_LIST ? "_values -s , value" : "compadd");
        kl_completion_put_values(key, to);
        fputs(" ;;\n", to);
    }
    fputs("        esac\n"
          "    else\n"
          "        compadd -S = --",
          to);
    for (size_t i = 0; i < kloop_config_key_count(); i++)
        fprintf(to, " %s", kloop_config_key_at(i)->name);
    fputs("\n"
          "    fi\n"
          "}\n"
          "\n"
          "_kloop() {\n"
          "    if ((CURRENT == 2)); then\n"
          "        local -a commands=(\n",
          to);
    for (size_t i = 0; i < kl_command_count; i++) {
        fprintf(to, "            '%s:", kl_commands[i]->name);
        put_text(kl_commands[i]->summary, to);
        fputs("'\n", to);
    }
    fputs("            '--help:what commands there are'\n"
          "            '--version:which kloop this is'\n"
          "        )\n"
          "        _describe command commands\n"
          "        return\n"
          "    fi\n"
          "    shift words\n"
          "    ((CURRENT--))\n"
          "    case $words[1] in\n",
          to);
    for (size_t i = 0; i < kl_command_count; i++)
        put_command(kl_commands[i], to);
    fputs("    esac\n"
          "}\n"
          "\n"
          "if [ \"$funcstack[1]\" = _kloop ]; then\n"
          "    _kloop \"$@\"\n"
          "else\n"
          "    compdef _kloop kloop\n"
          "fi\n",
          to);
}
