/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completion for bash, without the package bash-completion. Bash cuts words at '=': --flag=value
 * and key=value come as three.
 */
#include "cli/command_list.h"
#include "cli/completion_script.h"

#include <string.h>

static void put_pattern(const kl_command *command, const kl_option *option, FILE *to)
{
    fprintf(to, "        ");
    if (option->letter)
        fprintf(to, "%s:-%c%s", command->name, option->letter, option->name ? "|" : "");
    if (option->name)
        fprintf(to, "%s:--%s", command->name, option->name);
    fprintf(to, ") ");
}

static void put_takers(const kl_command *command, FILE *to)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const kl_option *option = &command->options[i];
        kl_completion_kind kind = kl_completion_of(option);
        if (kind == KL_COMPLETION_NONE)
            continue;
        put_pattern(command, option, to);
        switch (kind) {
        case KL_COMPLETION_CHOICE:
        case KL_COMPLETION_CHOICES:
            fprintf(to, "%s \"", kind == KL_COMPLETION_CHOICE ? "_kloop_words" : "_kloop_list");
            kl_completion_put_choices(option->value, to);
            fprintf(to, "\"");
            break;
        case KL_COMPLETION_FILE:
            fprintf(to, "_kloop_files");
            break;
        case KL_COMPLETION_KEY:
            fprintf(to, "_kloop_keys");
            break;
        default:
            fprintf(to, ":");
        }
        fprintf(to, " ;;\n");
    }
}

static void put_flags(const kl_command *command, FILE *to)
{
    fprintf(to, "        %s) _kloop_words \"", command->name);
    for (size_t i = 0; i < command->word_count; i++)
        fprintf(to, "%s ", command->words[i].name);
    for (size_t i = 0; i < command->option_count; i++) {
        const kl_option *option = &command->options[i];
        if (!kl_completion_doc(command, i))
            continue;
        if (option->name)
            fprintf(to, "--%s ", option->name);
        if (option->letter)
            fprintf(to, "-%c ", option->letter);
    }
    fprintf(to, "--help\"");
    if (strstr(command->usage, "[FILE"))
        fprintf(to, "\n            case $cur in -*) ;; *) _kloop_files ;; esac");
    fprintf(to, " ;;\n");
}

void kl_completion_bash(FILE *to)
{
    fputs("# bash completion for kloop; `kloop completion bash` writes it\n"
          "_kloop_words() {\n"
          "    COMPREPLY=($(compgen -W \"$1\" -- \"$cur\"))\n"
          "}\n"
          "\n"
          "# Several with commas: the last one is completed.\n"
          "_kloop_list() {\n"
          "    local before=\n"
          "    case $cur in *,*) before=${cur%,*}, ;; esac\n"
          "    COMPREPLY=($(compgen -P \"$before\" -W \"$1\" -- \"${cur##*,}\"))\n"
          "}\n"
          "\n"
          "_kloop_files() {\n"
          "    compopt -o filenames\n"
          "    COMPREPLY=($(compgen -f -- \"$cur\"))\n"
          "}\n"
          "\n"
          "_kloop_keys() {\n"
          "    case $key in\n"
          "        '') compopt -o nospace\n"
          "            COMPREPLY=($(compgen -S = -W \"",
          to);
    for (size_t i = 0; i < kloop_config_key_count(); i++)
        fprintf(to, "%s%s", i ? " " : "", kloop_config_key_at(i)->name);
    fputs("\" -- \"$cur\")) ;;\n", to);
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        if (key->type == KLOOP_CONFIG_NUMBER || key->type == KLOOP_CONFIG_TEXT ||
            key->type == KLOOP_CONFIG_FRACTION)
            continue;
        fprintf(to, "        %s) %s \"", key->name,
                key->type == KLOOP_CONFIG_LIST ? "_kloop_list" : "_kloop_words");
        kl_completion_put_values(key, to);
        fputs("\" ;;\n", to);
    }
    fputs("    esac\n"
          "}\n"
          "\n"
          "_kloop() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} key= at=$COMP_CWORD "
          "flag=\n"
          "    COMPREPLY=()\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        _kloop_words \"",
          to);
    for (size_t i = 0; i < kl_command_count; i++)
        fprintf(to, "%s ", kl_commands[i]->name);
    fputs("--help --version\"\n"
          "        return\n"
          "    fi\n"
          "    # What stands before an '=' is a flag or a key.\n"
          "    if [ \"$cur\" = = ]; then\n"
          "        cur=\n"
          "        at=$((at - 1))\n"
          "    elif ((at > 2)) && [ \"${COMP_WORDS[at - 1]}\" = = ]; then\n"
          "        at=$((at - 2))\n"
          "    fi\n"
          "    if ((at < COMP_CWORD)); then\n"
          "        case ${COMP_WORDS[at]} in\n"
          "            --*) flag=${COMP_WORDS[at]} ;;\n"
          "            *) key=${COMP_WORDS[at]} ;;\n"
          "        esac\n"
          "    fi\n"
          "    if [ -z \"$flag\" ]; then\n"
          "        flag=${COMP_WORDS[at - 1]}\n"
          "        # Some flags take words until the next flag.\n"
          "        while [[ $flag != -* ]] && ((at > 2)); do\n"
          "            at=$((at - 1))\n"
          "            flag=${COMP_WORDS[at - 1]}\n"
          "            case $command:$flag in\n",
          to);
    for (size_t i = 0; i < kl_command_count; i++) {
        for (size_t k = 0; k < kl_commands[i]->option_count; k++) {
            const kl_option *option = &kl_commands[i]->options[k];
            if (option->kind == KL_OPTION_WORDS) {
                fputs("        ", to);
                put_pattern(kl_commands[i], option, to);
                fputs("break ;;\n", to);
            }
        }
    }
    fputs("                *:-*) flag= ;;\n"
          "            esac\n"
          "            [ -n \"$flag\" ] || break\n"
          "        done\n"
          "    fi\n"
          "    case $cur in -*) flag= ;; esac\n"
          "    case $command:$flag in\n",
          to);
    for (size_t i = 0; i < kl_command_count; i++)
        put_takers(kl_commands[i], to);
    fputs("        *) case $command in\n", to);
    for (size_t i = 0; i < kl_command_count; i++)
        put_flags(kl_commands[i], to);
    fputs("        esac ;;\n"
          "    esac\n"
          "}\n"
          "\n"
          "complete -F _kloop kloop\n",
          to);
}
