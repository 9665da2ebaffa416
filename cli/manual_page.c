/* SPDX-License-Identifier: BSD-2-Clause */
/* See manual_page.h. The pages carry no date, so that the same sources give the same bytes. */
#include "cli/manual_page.h"

#include "cli/command_list.h"

#include <kloop/config_keys.h>
#include <kloop/wire.h>

#include <ctype.h>
#include <string.h>

/* ---- Text that roff leaves alone ---- */

static void put_char(char c, FILE *to)
{
    switch (c) {
    case '\\':
        fputs("\\e", to);
        break;
    case '-': /* a hyphen of the command line, not one to break words at */
        fputs("\\-", to);
        break;
    case '\'':
        fputs("\\(aq", to);
        break;
    case '^':
        fputs("\\(ha", to);
        break;
    case '~':
        fputs("\\(ti", to);
        break;
    case '`':
        fputs("\\(ga", to);
        break;
    default:
        fputc(c, to);
    }
}

static void put_n(const char *text, size_t len, FILE *to)
{
    /* A line that starts with a dot would be a request. */
    if (len && text[0] == '.')
        fputs("\\&", to);
    for (size_t i = 0; i < len; i++)
        put_char(text[i], to);
}

static void put(const char *text, FILE *to)
{
    put_n(text, strlen(text), to);
}

static void put_upper(const char *text, FILE *to)
{
    for (; *text; text++)
        put_char((char)toupper((unsigned char)*text), to);
}

static void section(const char *name, FILE *to)
{
    fprintf(to, ".SH %s\n", name);
}

/* Lines to paragraphs: an empty line between them, or a line that is indented, starts a new one. */
static void put_paragraphs(const char *text, FILE *to)
{
    bool fresh = false; /* the first one stands under a heading */
    while (*text) {
        size_t len = strcspn(text, "\n");
        const char *line = text;
        text += len + (text[len] == '\n');
        if (len == 0) {
            fresh = true;
            continue;
        }
        size_t indent = strspn(line, " ");
        if (fresh)
            fputs(".PP\n", to);
        else if (indent)
            fputs(".br\n", to);
        fresh = false;
        put_n(line + indent, len - indent, to);
        fputc('\n', to);
    }
}

/* As they are, to be typed. */
static void put_lines(const char *text, const char *before, FILE *to)
{
    fputs(".nf\n.RS 4\n", to);
    while (*text) {
        size_t len = strcspn(text, "\n");
        put(before, to);
        put_n(text, len, to);
        fputc('\n', to);
        text += len + (text[len] == '\n');
    }
    fputs(".RE\n.fi\n", to);
}

static void title(const char *name, int in, FILE *to)
{
    fputs(".TH ", to);
    put_upper(name, to);
    fprintf(to, " %d \"\" \"kloop %s\" \"%s\"\n", in, kloop_version(),
            in == 5 ? "File formats" : "User commands");
    /* Words as they are typed: not broken, and no line stretched. */
    fputs(".nh\n.ad l\n", to);
}

static void name_line(const char *name, const char *summary, FILE *to)
{
    section("NAME", to);
    put(name, to);
    fputs(" \\- ", to);
    put(summary, to);
    fputc('\n', to);
}

/* ---- Flags ---- */

static void put_flag(const kl_option *option, FILE *to)
{
    if (option->letter) {
        fputs("\\fB\\-", to);
        put_char(option->letter, to);
        fputs(option->name ? "\\fR, " : "\\fR", to);
    }
    if (option->name) {
        fputs("\\fB\\-\\-", to);
        put(option->name, to);
        fputs("\\fR", to);
    }
    if (option->value) {
        fputs(" \\fI", to);
        put(option->value, to);
        fputs(option->kind == KL_OPTION_WORDS ? "...\\fR" : "\\fR", to);
    }
}

static void put_flags(const kl_command *command, FILE *to)
{
    section("OPTIONS", to);
    for (size_t i = 0; i < command->option_count; i++) {
        const kl_option *option = &command->options[i];
        if (!option->doc)
            continue;
        fputs(".TP\n", to);
        put_flag(option, to);
        /* Rows below without a text of their own are other names of the same. */
        for (size_t k = i + 1; k < command->option_count; k++) {
            const kl_option *other = &command->options[k];
            if (other->doc || other->id != option->id)
                break;
            fputs(", ", to);
            put_flag(other, to);
        }
        fputc('\n', to);
        put(option->doc, to);
        fputc('\n', to);
    }
    fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nthe same on one screen\n", to);
}

static bool takes_keys(const kl_command *command)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const char *value = command->options[i].value;
        if (value && strcmp(value, "KEY=VALUE") == 0)
            return true;
    }
    return false;
}

/* ---- Pages ---- */

static void see_also(const kl_command *here, FILE *to)
{
    section("SEE ALSO", to);
    fputs(".BR ", to);
    fputs(here ? "kloop (1)" : "kloop.conf (5)", to);
    for (size_t i = 0; i < kl_command_count; i++) {
        if (kl_commands[i] != here && kl_commands[i]->examples) {
            fputs(" ,\n.BR kloop\\-", to);
            put(kl_commands[i]->name, to);
            fputs(" (1)", to);
        }
    }
    if (here)
        fputs(" ,\n.BR kloop.conf (5)", to);
    fputc('\n', to);
}

void kl_manual_of(const kl_command *command, FILE *to)
{
    char name[64];
    snprintf(name, sizeof name, "kloop-%s", command->name);
    title(name, 1, to);
    name_line(name, command->summary, to);
    section("SYNOPSIS", to);
    char before[64];
    snprintf(before, sizeof before, "kloop %s ", command->name);
    put_lines(command->usage, before, to);
    section("DESCRIPTION", to);
    put_paragraphs(command->about, to);
    for (size_t i = 0; i < command->word_count; i++) {
        const kl_command_word *word = &command->words[i];
        fputs(".TP\n\\fB", to);
        put(word->name, to);
        fputs("\\fR", to);
        if (word->form) {
            fputs(" \\fI", to);
            put(word->form, to);
            fputs("\\fR", to);
        }
        fputc('\n', to);
        put(word->doc, to);
        fputc('\n', to);
    }
    put_flags(command, to);
    if (command->notes) {
        section("NOTES", to);
        put_paragraphs(command->notes, to);
    }
    section("EXIT STATUS", to);
    for (size_t i = 0; i < kl_command_exit_count; i++) {
        fprintf(to, ".TP\n.B %s\n", kl_command_exits[i].code);
        put(kl_command_exits[i].doc, to);
        fputc('\n', to);
    }
    if (takes_keys(command)) {
        section("CONFIGURATION", to);
        fputs("The keys of \\fB\\-X\\fR and of property files are those of\n.BR kloop.conf (5).\n",
              to);
    }
    if (command->examples) {
        section("EXAMPLES", to);
        put_lines(command->examples, "", to);
    }
    see_also(command, to);
}

void kl_manual_overview(FILE *to)
{
    title("kloop", 1, to);
    name_line("kloop", "a Kafka producer", to);
    section("SYNOPSIS", to);
    put_lines("COMMAND [ARGUMENTS]\nCOMMAND --help\n--version\n", "kloop ", to);
    section("DESCRIPTION", to);
    put_paragraphs(kl_kloop_about, to);
    section("COMMANDS", to);
    for (size_t i = 0; i < kl_command_count; i++) {
        fputs(".TP\n.B ", to);
        put(kl_commands[i]->name, to);
        fputc('\n', to);
        put(kl_commands[i]->summary, to);
        fputc('\n', to);
    }
    section("EXAMPLES", to);
    put_lines(kl_kloop_examples, "", to);
    see_also(NULL, to);
}

typedef struct key_row {
    const char *name;
    const char *preset;
    const char *allowed;
    const char *unit;
    const char *meaning;
} key_row;

static const key_row rows[] = {
#define ROW(ID, name, kind, preset, allowed, unit, meaning) {name, preset, allowed, unit, meaning},
    KLOOP_CONFIG_KEYS(ROW)
#undef ROW
};

void kl_manual_config(FILE *to)
{
    title("kloop.conf", 5, to);
    name_line("kloop.conf", "configuration of the producer", to);
    section("DESCRIPTION", to);
    put_paragraphs(
        "Keys are given to a command as -X KEY=VALUE, or in a file of Java's properties syntax "
        "with\n"
        "-F FILE: one KEY=VALUE a line, # starts a comment, a backslash at the end of a line goes\n"
        "on with the next. A flag wins over -X, -X over the file of -F, that one over the file of\n"
        "one's own, and that over the default.\n"
        "\n"
        "What stands on the command line can be read by others on the machine. -X KEY@FILE takes "
        "a\n"
        "value, such as a password, from a file that only its owner can read; so does -F.\n"
        "\n"
        "Names and meanings are those of Kafka's Java producer. librdkafka's names are understood\n"
        "too. -X list prints all keys, --print-config every key with its value and where it came\n"
        "from.\n",
        to);
    section("KEYS", to);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const key_row *row = &rows[i];
        fputs(".TP\n\\fB", to);
        put(row->name, to);
        fputs("\\fR", to);
        if (row->preset[0]) {
            fputs(" = \\fI", to);
            put(row->preset, to);
            fputs("\\fR", to);
        }
        fputc('\n', to);
        put(row->meaning, to);
        fputs("\n.br\nAllowed: ", to);
        put(row->allowed, to);
        if (row->unit[0]) {
            fputc(' ', to);
            put(row->unit, to);
        }
        fputs(kloop_config_key_find(row->name)->secret ? ". Secret: it is never printed.\n" : ".\n",
              to);
    }
    section("ENVIRONMENT", to);
    fputs(".TP\n.B KLOOP_CONFIG\n", to);
    put("the file of one's own; set to nothing: there is none", to);
    fputs("\n.TP\n.B XDG_CONFIG_HOME\n", to);
    put("where it is looked for else", to);
    fputc('\n', to);
    section("FILES", to);
    fputs(".TP\n.I $XDG_CONFIG_HOME/kloop.conf\n.TQ\n.I \\(ti/.config/kloop.conf\n", to);
    put("the file of one's own, read before that of -F when it is there", to);
    fputc('\n', to);
    section("SEE ALSO", to);
    fputs(".BR kloop (1)\n", to);
}
