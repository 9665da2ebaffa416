/* SPDX-License-Identifier: BSD-2-Clause */
/* What the scripts of all shells need to know of flags and keys. See completion_script.h. */
#include "cli/completion_script.h"

#include <string.h>

kl_completion_kind kl_completion_of(const kl_option *option)
{
    if (option->kind == KL_OPTION_SWITCH)
        return KL_COMPLETION_NONE;
    const char *value = option->value ? option->value : "";
    size_t len = strlen(value);
    if (strchr(value, '|'))
        return len > 4 && strcmp(value + len - 4, ",...") == 0 ? KL_COMPLETION_CHOICES
                                                               : KL_COMPLETION_CHOICE;
    if (strcmp(value, "FILE") == 0)
        return KL_COMPLETION_FILE;
    if (strcmp(value, "KEY=VALUE") == 0)
        return KL_COMPLETION_KEY;
    return KL_COMPLETION_ANY;
}

void kl_completion_put_choices(const char *value, FILE *to)
{
    for (; *value && strcmp(value, ",...") != 0; value++)
        fputc(*value == '|' ? ' ' : *value, to);
}

bool kl_completion_put_values(const kloop_config_key *key, FILE *to)
{
    if (key->type != KLOOP_CONFIG_BOOL && key->type != KLOOP_CONFIG_CHOICE &&
        key->type != KLOOP_CONFIG_LIST)
        return false;
    /* "a, b, c", and what may follow in words */
    size_t len = strcspn(key->allowed, ";");
    for (size_t i = 0; i < len; i++) {
        if (key->allowed[i] != ',')
            fputc(key->allowed[i], to);
    }
    return true;
}

const char *kl_completion_doc(const kl_command *command, size_t index)
{
    const kl_option *option = &command->options[index];
    while (index > 0 && !command->options[index].doc &&
           command->options[index - 1].id == option->id)
        index--;
    return command->options[index].doc;
}
