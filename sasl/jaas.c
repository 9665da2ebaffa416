/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading sasl.jaas.config. Kafka has Java's StreamTokenizer do it, whose rules these are:
 *
 *     blank      everything up to the space
 *     comment    from a slash to the end of the line, or between slash star and star slash
 *     ; and =    each for itself
 *     quoted     from ' or " to the same again, on one line, with escapes
 *     word       from a letter, _ or $ on: letters, digits and any of _ $ . -
 *
 * Everything else is strange: nothing that is of use can begin with it, not even a number. Refused
 * here and not there: a quote that the end of the line closes, and a comment without its end.
 */
#include "sasl/jaas.h"
#include "base/ascii.h"
#include "base/utf8.h"
#include "base/wipe.h"
#include "sasl/sentence.h"

#include <stdio.h>

typedef enum token {
    END,
    TEXT, /* a word, or what was quoted: in reader.text */
    SEMICOLON,
    EQUALS,
    UNCLOSED, /* a quote or a comment without an end */
    STRANGE,
} token;

typedef struct reader {
    const char *from;
    const char *at;
    const char *end;
    size_t began;   /* offset of the latest token */
    kl_secret text; /* as much room as the whole */
    size_t text_len;
} reader;

static bool at_end(const reader *r)
{
    return r->at == r->end;
}

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ';
}

/* A letter, also any beyond ASCII from U+00A0 on; below that there are signs and no letters. */
static bool begins_word(const reader *r)
{
    unsigned char c = (unsigned char)*r->at;
    if (c == 0xc2)
        return r->end - r->at > 1 && (unsigned char)r->at[1] >= 0xa0;
    char lower = kl_ascii_lower(*r->at);
    return c >= 0x80 || (lower >= 'a' && lower <= 'z') || c == '_' || c == '$';
}

static bool goes_on(const reader *r)
{
    return begins_word(r) || kl_ascii_is_digit(*r->at) || *r->at == '.' || *r->at == '-';
}

/* From behind the slash. false: it has no end, which is only wrong between stars. */
static bool skip_comment(reader *r)
{
    if (at_end(r) || *r->at != '*') {
        /* Java looks at the character behind the slash, and does not look at it again: a line end
         * there ends nothing. */
        r->at += !at_end(r);
        while (!at_end(r) && *r->at != '\n' && *r->at != '\r')
            r->at++;
        return true;
    }
    for (r->at++; r->end - r->at >= 2; r->at++) {
        if (r->at[0] == '*' && r->at[1] == '/') {
            r->at += 2;
            return true;
        }
    }
    r->at = r->end;
    return false;
}

static void keep(reader *r, unsigned code)
{
    char *to = r->text.data;
    if (code >= 0x80) {
        to[r->text_len++] = (char)(0xc0 | code >> 6);
        code = 0x80 | (code & 0x3f);
    }
    to[r->text_len++] = (char)code;
}

static bool next_is_octal(const reader *r)
{
    return !at_end(r) && *r->at >= '0' && *r->at <= '7';
}

/* From behind the backslash; there is something. */
static void take_escape(reader *r)
{
    static const char letters[] = "abfnrtv";
    static const char meanings[] = "\a\b\f\n\r\t\v";
    char c = *r->at;
    if (next_is_octal(r)) {
        unsigned code = 0;
        for (int most = c <= '3' ? 3 : 2; most > 0 && next_is_octal(r); most--, r->at++)
            code = code * 8 + (unsigned)(*r->at - '0');
        keep(r, code);
        return;
    }
    const char *known = strchr(letters, c);
    r->text.data[r->text_len++] = known ? meanings[known - letters] : c;
    r->at++;
}

static token take_quoted(reader *r)
{
    char quote = *r->at++;
    while (!at_end(r) && *r->at != '\n' && *r->at != '\r') {
        char c = *r->at++;
        if (c == quote)
            return TEXT;
        if (c != '\\')
            r->text.data[r->text_len++] = c;
        else if (at_end(r))
            return UNCLOSED;
        else
            take_escape(r);
    }
    return UNCLOSED;
}

static token take_word(reader *r)
{
    if (!begins_word(r))
        return STRANGE;
    while (!at_end(r) && goes_on(r)) {
        do
            r->text.data[r->text_len++] = *r->at++;
        while (!at_end(r) && ((unsigned char)*r->at & 0xc0) == 0x80);
    }
    return TEXT;
}

static token next(reader *r)
{
    r->text_len = 0;
    for (;;) {
        while (!at_end(r) && is_blank(*r->at))
            r->at++;
        r->began = (size_t)(r->at - r->from);
        if (at_end(r) || *r->at != '/')
            break;
        r->at++;
        if (!skip_comment(r))
            return UNCLOSED;
    }
    if (at_end(r))
        return END;
    switch (*r->at) {
    case ';':
        r->at++;
        return SEMICOLON;
    case '=':
        r->at++;
        return EQUALS;
    case '"':
    case '\'':
        return take_quoted(r);
    default:
        return take_word(r);
    }
}

/* ---- The one module ---- */

static kloop_status refuse(const reader *r, token found, const char *wanted, kloop_error *error)
{
    if (found == UNCLOSED)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.jaas.config: the quote or comment that begins at byte %zu "
                                  "is not closed",
                                  r->began);
    if (found == END)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.jaas.config: it ends at byte %zu, where %s belongs",
                                  r->began, wanted);
    return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                              "sasl.jaas.config: at byte %zu %s belongs; what is not a plain word "
                              "stands in quotes, as in password=\"...\"",
                              r->began, wanted);
}

static bool text_is(const reader *r, const char *wanted)
{
    size_t len = strlen(wanted);
    if (r->text_len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (kl_ascii_lower(r->text.data[i]) != wanted[i])
            return false;
    }
    return true;
}

static bool is_flag(const reader *r)
{
    return text_is(r, "required") || text_is(r, "requisite") || text_is(r, "sufficient") ||
           text_is(r, "optional");
}

static kl_jaas_option *find(kl_jaas *j, kloop_string name)
{
    for (size_t i = 0; i < j->option_count; i++) {
        const kl_secret *known = &j->options[i].name;
        if (known->len == name.len && memcmp(known->data, name.data, name.len) == 0)
            return &j->options[i];
    }
    return NULL;
}

/* NULL: no memory, or no room. */
static kl_jaas_option *option_of(kl_jaas *j, const kloop_allocator *alloc, kloop_string name)
{
    kl_jaas_option *option = find(j, name);
    if (option || j->option_count == KL_JAAS_OPTIONS_MAX)
        return option;
    option = &j->options[j->option_count];
    if (!kl_secret_copy(&option->name, alloc, name))
        return NULL;
    j->option_count++;
    return option;
}

static kloop_string latest(const reader *r)
{
    return (kloop_string){r->text.data, r->text_len};
}

/* The name was read. */
static kloop_status read_option(reader *r, kl_jaas *j, const kloop_allocator *alloc,
                                kloop_error *error)
{
    if (r->text_len == 0)
        return refuse(r, TEXT, "the name of an option", error);
    kl_jaas_option *option = option_of(j, alloc, latest(r));
    if (!option)
        return j->option_count == KL_JAAS_OPTIONS_MAX
                   ? kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                        "sasl.jaas.config: there are more than %d options",
                                        KL_JAAS_OPTIONS_MAX)
                   : kl_sentence_no_memory(error);
    token found = next(r);
    if (found != EQUALS)
        return refuse(r, found, "the = behind the name of an option", error);
    found = next(r);
    if (found != TEXT)
        return refuse(r, found, "the value of an option", error);
    return kl_secret_copy(&option->value, alloc, latest(r)) ? KLOOP_OK
                                                            : kl_sentence_no_memory(error);
}

static kloop_status read_module(reader *r, kl_jaas *j, const kloop_allocator *alloc,
                                kloop_error *error)
{
    token found = next(r);
    if (found != TEXT || r->text_len == 0)
        return refuse(r, found, "the class of a login module", error);
    if (!kl_secret_copy(&j->module, alloc, latest(r)))
        return kl_sentence_no_memory(error);
    found = next(r);
    if (found != TEXT || !is_flag(r))
        return refuse(r, found, "the word required", error);
    while ((found = next(r)) == TEXT) {
        kloop_status status = read_option(r, j, alloc, error);
        if (status)
            return status;
    }
    if (found != SEMICOLON)
        return refuse(r, found, "an option or the semicolon at the end", error);
    found = next(r);
    if (found == TEXT)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.jaas.config: there is more behind the semicolon, at byte "
                                  "%zu; it must be one login module",
                                  r->began);
    return found == END ? KLOOP_OK : refuse(r, found, "the end", error);
}

kloop_status kl_jaas_parse(kl_jaas *j, const kloop_allocator *alloc, kloop_string text,
                           kloop_error *error)
{
    memset(j, 0, sizeof *j);
    size_t valid = kl_utf8_valid_len(text.data, text.len);
    if (valid < text.len)
        return kl_sentence_refuse(error, KLOOP_BAD_CONFIG,
                                  "sasl.jaas.config: it is not UTF-8 at byte %zu", valid);
    reader r = {text.data, text.data, text.data + text.len, 0, {0}, 0};
    if (!kl_secret_make(&r.text, alloc, text.len))
        return kl_sentence_no_memory(error);
    kloop_status status = read_module(&r, j, alloc, error);
    kl_secret_drop(&r.text, alloc);
    if (status)
        kl_jaas_deinit(j, alloc);
    return status;
}

void kl_jaas_deinit(kl_jaas *j, const kloop_allocator *alloc)
{
    kl_secret_drop(&j->module, alloc);
    for (size_t i = 0; i < j->option_count; i++) {
        kl_secret_drop(&j->options[i].name, alloc);
        kl_secret_drop(&j->options[i].value, alloc);
    }
    memset(j, 0, sizeof *j);
}

const kl_secret *kl_jaas_find(const kl_jaas *j, const char *name)
{
    for (size_t i = 0; i < j->option_count; i++) {
        if (kl_secret_is(&j->options[i].name, name))
            return &j->options[i].value;
    }
    return NULL;
}

kloop_string kl_jaas_class(const kl_jaas *j)
{
    size_t from = j->module.len;
    while (from > 0 && j->module.data[from - 1] != '.')
        from--;
    return (kloop_string){j->module.data + from, j->module.len - from};
}
