/* SPDX-License-Identifier: BSD-2-Clause */
/* Putting a configuration together. See config_flags.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/config_flags.h"

#include "base/excerpt.h"
#include "base/wipe.h"
#include "cli/config_list.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/properties_file.h"
#include "cli/wiped_memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)256 << 10)
#define MASK           "********"
#define TOPIC          "topic."
#define SERVERS        "bootstrap.servers"
#define JAAS           "sasl.jaas.config"

typedef struct entry {
    kl_config_rank rank;
    const char *key;
    const char *value;
    const char *origin;
    const kloop_config_key *known; /* NULL: key is no key for all topics */
    bool typed;                    /* the value is a word of the command line */
} entry;

void kl_config_flags_init(kl_config_flags *f, const char *command)
{
    *f = (kl_config_flags){.command = command};
    kl_arena_init(&f->arena, &kl_wiped_memory);
    kl_buf_init(&f->entries, &kl_wiped_memory);
}

void kl_config_flags_forget(kl_config_flags *f)
{
    kl_buf_deinit(&f->entries);
    kl_arena_deinit(&f->arena);
}

void kl_config_flags_deinit(kl_config_flags *f)
{
    kl_config_flags_forget(f);
}

static const char *copy(kl_config_flags *f, const char *text)
{
    size_t size = strlen(text) + 1;
    char *p = kl_arena_alloc_bytes(&f->arena, size);
    if (p)
        memcpy(p, text, size);
    return p;
}

static bool no_memory(const kl_config_flags *f)
{
    fprintf(stderr, "kloop %s: there is no memory\n", f->command);
    return false;
}

static bool add(kl_config_flags *f, entry e)
{
    e.known = kloop_config_key_find(e.key);
    e.key = copy(f, e.key);
    e.value = copy(f, e.value);
    e.origin = copy(f, e.origin);
    if (e.key && e.value && e.origin && kl_buf_append(&f->entries, &e, sizeof e))
        return true;
    return no_memory(f);
}

static size_t entry_count(const kl_config_flags *f)
{
    return f->entries.len / sizeof(entry);
}

static const entry *entry_at(const kl_config_flags *f, size_t i)
{
    return (const entry *)(const void *)f->entries.data + i;
}

bool kl_config_flags_set(kl_config_flags *f, kl_config_rank rank, const char *key,
                         const char *value, const char *origin)
{
    return add(f, (entry){.rank = rank, .key = key, .value = value, .origin = origin});
}

/* What was printed has to have arrived. */
static int finish_output(const kl_config_flags *f, FILE *to)
{
    if (fflush(to) == 0 && !ferror(to))
        return KL_EXIT_OK;
    fprintf(stderr, "kloop %s: standard output: %s\n", f->command, strerror(errno));
    return KL_EXIT_IO;
}

static int list_keys(const kl_config_flags *f)
{
    kl_config_list_print(stdout);
    return finish_output(f, stdout);
}

/* The whole file; errno tells why not. */
static bool read_file(const char *path, kl_buf *text)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    /* No second copy of a secret in a buffer that nobody wipes. */
    setvbuf(file, NULL, _IONBF, 0);
    kl_buf_set_limit(text, FILE_BYTES_MAX);
    bool ok = true;
    for (;;) {
        size_t room;
        uint8_t *p = kl_buf_reserve_some(text, 4096, &room);
        if (!p) {
            errno = ENOMEM;
            ok = false;
            break;
        }
        size_t n = fread(p, 1, room, file);
        kl_buf_commit(text, n);
        if (n < room) {
            ok = !ferror(file);
            break;
        }
    }
    int error = errno;
    fclose(file);
    errno = error;
    return ok;
}

static bool refuse_file(const kl_config_flags *f, const char *flag, const char *path,
                        const kl_buf *text)
{
    if (text->over_limit)
        kl_usage_error(f->command, "%s '%s': it has more than %zu KiB and is no file of settings",
                       flag, path, FILE_BYTES_MAX >> 10);
    else
        kl_usage_error(f->command, "%s '%s': %s", flag, path, strerror(errno));
    return false;
}

/* KEY@FILE: the value is what is in the file. */
static bool take_from_file(kl_config_flags *f, const char *key, const char *path, const char *flag)
{
    kl_buf text;
    kl_buf_init(&text, &kl_wiped_memory);
    bool ok = read_file(path, &text) || refuse_file(f, flag, path, &text);
    if (ok && text.len > 0 && memchr(text.data, 0, text.len)) {
        kl_usage_error(f->command, "%s '%s': a zero byte", flag, path);
        ok = false;
    }
    ok = ok && (kl_buf_append(&text, "", 1) || no_memory(f)) &&
         add(f, (entry){.rank = KL_CONFIG_PAIR,
                        .key = key,
                        .value = (const char *)text.data,
                        .origin = path});
    kl_buf_deinit(&text);
    return ok;
}

/* A module's name and nothing behind it: the rest went into other words. */
static bool was_cut_by_a_shell(const entry *e)
{
    return e->typed && e->known && strcmp(e->known->name, JAAS) == 0 && *e->value &&
           !strpbrk(e->value, " \t\r\n;");
}

static int refuse_cut(const kl_config_flags *f, const entry *e)
{
    return kl_usage_error(f->command,
                          "%s %s has one word: a shell cuts at blanks, so all of it stands in "
                          "quotes: %s '%s=... required username=\"...\" password=\"...\";'",
                          e->origin, e->key, e->origin, e->key);
}

/* Of what is no pair only what could be a key is repeated: the rest may be a secret. */
static int refuse_pair(const kl_config_flags *f, const char *pair, const char *flag)
{
    size_t count = entry_count(f);
    if (count > 0 && was_cut_by_a_shell(entry_at(f, count - 1)))
        return refuse_cut(f, entry_at(f, count - 1));
    size_t len = strspn(pair, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return kl_usage_error(f->command,
                          "%s '%.*s%s': KEY=VALUE is wanted, or KEY@FILE, or list, or dump", flag,
                          (int)len, pair, pair[len] ? "..." : "");
}

int kl_config_flags_take(kl_config_flags *f, const char *pair, const char *flag)
{
    if (strcmp(pair, "list") == 0)
        return list_keys(f);
    if (strcmp(pair, "dump") == 0) {
        f->print = true;
        return -1;
    }
    size_t len = strcspn(pair, "=@");
    if (len == 0 || !pair[len])
        return refuse_pair(f, pair, flag);
    char *key = kl_arena_alloc_bytes(&f->arena, len + 1);
    if (!key) {
        no_memory(f);
        return KL_EXIT_USAGE;
    }
    memcpy(key, pair, len);
    key[len] = '\0';
    const char *value = pair + len + 1;
    bool ok = pair[len] == '@' ? take_from_file(f, key, value, flag)
                               : add(f, (entry){.rank = KL_CONFIG_PAIR,
                                                .key = key,
                                                .value = value,
                                                .origin = flag,
                                                .typed = true});
    return ok ? -1 : KL_EXIT_USAGE;
}

/* ---- Files ---- */

typedef struct loading {
    kl_config_flags *flags;
    kl_config_rank rank;
    const char *path;
} loading;

static bool on_property(void *ctx, const char *key, const char *value, unsigned line)
{
    loading *l = ctx;
    char origin[512];
    snprintf(origin, sizeof origin, "%s:%u", l->path, line);
    return kl_config_flags_set(l->flags, l->rank, key, value, origin);
}

/* Editors of Windows put a mark in front of UTF-8, which is no part of the first key. */
static bool parse(const kl_buf *text, loading *l, char *why, size_t why_size)
{
    static const char mark[] = "\xEF\xBB\xBF";
    kloop_string s = kl_buf_string(text);
    size_t skip = s.len >= 3 && memcmp(s.data, mark, 3) == 0 ? 3 : 0;
    return kl_properties_parse(s.data + skip, s.len - skip, on_property, l, why, why_size);
}

static bool load(kl_config_flags *f, kl_config_rank rank, const char *path, const char *flag)
{
    char why[256] = "";
    loading l = {f, rank, path};
    kl_buf text;
    kl_buf_init(&text, &kl_wiped_memory);
    bool ok = read_file(path, &text);
    if (!ok)
        refuse_file(f, flag, path, &text);
    else
        ok = parse(&text, &l, why, sizeof why);
    if (why[0])
        kl_usage_error(f->command, "%s '%s', %s", flag, path, why);
    kl_buf_deinit(&text);
    return ok;
}

bool kl_config_flags_load(kl_config_flags *f, const char *path, const char *flag)
{
    return load(f, KL_CONFIG_FILE, path, flag);
}

/* "kloop COMMAND: " and the sentence about a key, and where keys are told of. */
static void refuse(const kl_config_flags *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void refuse(const kl_config_flags *f, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "kloop %s: ", f->command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nkloop %s -X list tells of every key.\n", f->command);
}

static void note(const kl_config_flags *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(const kl_config_flags *f, const char *format, ...)
{
    va_list args;
    if (f->quiet)
        return;
    fprintf(stderr, "kloop %s: note: ", f->command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\n", stderr);
}

static bool load_environment_from(kl_config_flags *f, const char *path, const char *flag)
{
    size_t before = entry_count(f);
    if (!load(f, KL_CONFIG_ENVIRONMENT, path, flag))
        return false;
    size_t count = entry_count(f) - before;
    /* Nobody typed it: who wonders should not have to search. */
    if (count)
        note(f, "%zu setting%s from %s (KLOOP_CONFIG= for none)", count, count == 1 ? "" : "s",
             path);
    return true;
}

/* "" for none. */
static void find_at_home(char *path, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int len = 0;
    path[0] = '\0';
    if (config && config[0] == '/')
        len = snprintf(path, size, "%s/kloop.conf", config);
    else if (home && home[0] == '/')
        len = snprintf(path, size, "%s/.config/kloop.conf", home);
    if ((size_t)len >= size || access(path, F_OK) != 0)
        path[0] = '\0';
}

static bool load_environment(kl_config_flags *f)
{
    char path[4096];
    const char *named = getenv("KLOOP_CONFIG");
    if (f->looked)
        return true;
    f->looked = true;
    if (named)
        return named[0] == '\0' || load_environment_from(f, named, "KLOOP_CONFIG");
    find_at_home(path, sizeof path);
    return path[0] == '\0' || load_environment_from(f, path, "the file of settings");
}

/* ---- The configuration ---- */

/* Another name of e's key in the same place, of which it cannot be said which one was meant. */
static const entry *rival_of(const kl_config_flags *f, size_t at)
{
    const entry *e = entry_at(f, at);
    for (size_t i = 0; e->known && i < at; i++) {
        const entry *other = entry_at(f, i);
        if (other->known == e->known && other->rank == e->rank && strcmp(other->key, e->key) != 0)
            return other;
    }
    return NULL;
}

/* Fit for a line: what is secret is masked, and of several lines the beginning has to do. */
static const char *shown_value(const kloop_config_key *key, const char *value,
                               char text[KL_EXCERPT_SIZE])
{
    if (key && key->secret)
        return MASK;
    if (!strchr(value, '\n'))
        return value;
    return kl_excerpt(text, KL_EXCERPT_SIZE, (kloop_string){value, strlen(value)});
}

static bool refuse_rival(const kl_config_flags *f, const entry *e, const entry *rival)
{
    const kloop_config_key *key = e->known;
    char texts[2][KL_EXCERPT_SIZE];
    refuse(f,
           "%s=%s (%s) and %s=%s (%s) are two names of one key, %s, with two values; leave "
           "one out (allowed: %s)",
           rival->key, shown_value(key, rival->value, texts[0]), rival->origin, e->key,
           shown_value(key, e->value, texts[1]), e->origin, key->name, key->allowed);
    return false;
}

static bool set_entry(const kl_config_flags *f, kloop_config *config, size_t at)
{
    const entry *e = entry_at(f, at);
    const entry *rival = rival_of(f, at);
    char before[256] = "";
    if (rival)
        snprintf(before, sizeof before, "%s", kloop_config_get(config, e->key));
    if (kloop_config_set(config, e->key, e->value)) {
        refuse(f, "%s: %s", e->origin, kloop_config_error(config));
        return false;
    }
    bool same = !rival || strncmp(before, kloop_config_get(config, e->key), sizeof before - 1) == 0;
    kl_wipe(before, sizeof before);
    return same || refuse_rival(f, e, rival);
}

#define IGNORE_UNKNOWN "ignore.unknown.config"

/* The parts. What rules over the others comes first, wherever it stands. */
static bool set_all(const kl_config_flags *f, kloop_config *config)
{
    for (int others = 0; others <= 1; others++)
        for (int rank = KL_CONFIG_PRESET; rank <= KL_CONFIG_FLAG; rank++)
            for (size_t i = 0; i < entry_count(f); i++) {
                const entry *e = entry_at(f, i);
                bool other = strcmp(e->key, IGNORE_UNKNOWN) != 0;
                if ((int)e->rank == rank && (int)other == others && !set_entry(f, config, i))
                    return false;
            }
    return true;
}

static kloop_config *make_parts(kl_config_flags *f)
{
    if (!load_environment(f))
        return NULL;
    kloop_config *config = kloop_config_new(NULL);
    if (!config) {
        no_memory(f);
        return NULL;
    }
    if (set_all(f, config))
        return config;
    kloop_config_del(config);
    return NULL;
}

/* Also by the name that is meant for topics. */
static bool is_secret(const entry *e)
{
    const kloop_config_key *key = e->known;
    if (!key && strncmp(e->key, TOPIC, strlen(TOPIC)) == 0)
        key = kloop_config_key_find(e->key + strlen(TOPIC));
    return key && key->secret;
}

static void note_what_is_typed(const kl_config_flags *f)
{
    for (size_t i = 0; i < entry_count(f); i++) {
        const entry *e = entry_at(f, i);
        if (e->typed && is_secret(e)) {
            note(f,
                 "%s is a word of the command line, which others on this machine can read; "
                 "%s %s@FILE takes it from a file, and so does -F FILE",
                 e->key, e->origin, e->key);
            return;
        }
    }
}

static bool check_whole(const kl_config_flags *f, kloop_config *config)
{
    kloop_error error;
    for (size_t i = 0; i < entry_count(f); i++) {
        if (was_cut_by_a_shell(entry_at(f, i))) {
            refuse_cut(f, entry_at(f, i));
            return false;
        }
    }
    if (kloop_config_check(config, &error)) {
        bool asked = kloop_config_is_set(config, SERVERS);
        refuse(f, "%s%s", error.text, asked ? "" : "; the flag for it is -b");
        return false;
    }
    for (size_t i = 0; kloop_config_note(config, i, &error); i++)
        note(f, "%s", error.text);
    note_what_is_typed(f);
    return true;
}

kloop_config *kl_config_flags_make(kl_config_flags *f)
{
    kloop_config *config = make_parts(f);
    if (!config || check_whole(f, config))
        return config;
    kloop_config_del(config);
    return NULL;
}

/* ---- Showing it ---- */

/* Where the value of this key of all topics, or of the very name that was set, came from. */
static const entry *winner_of(const kl_config_flags *f, const char *name)
{
    const kloop_config_key *key = kloop_config_key_find(name);
    const entry *found = NULL;
    for (size_t i = 0; i < entry_count(f); i++) {
        const entry *e = entry_at(f, i);
        const char *called = e->key;
        if (key && !kloop_config_key_find(called) && strncmp(called, TOPIC, strlen(TOPIC)) == 0)
            called += strlen(TOPIC);
        bool same = key ? kloop_config_key_find(called) == key : strcmp(called, name) == 0;
        if (same && (!found || e->rank >= found->rank))
            found = e;
    }
    return found;
}

static void print_row(const kl_config_flags *f, const kloop_config *config, const char *name,
                      FILE *to)
{
    const kloop_config_key *key = kloop_config_key_find(name);
    const entry *winner = winner_of(f, name);
    char text[KL_EXCERPT_SIZE];
    const char *value = kloop_config_get(config, name);
    value = value[0] ? shown_value(key, value, text) : "-";
    const char *origin = winner ? winner->origin : "default";
    if (!winner && key && key->preset[0] && strcmp(value, key->preset) != 0)
        origin = "default, following other keys";
    fprintf(to, "%-40s  %-32s  %s\n", name, value, origin);
}

/* Keys of single topics, each once, in the order in which they came. */
static void print_topics(const kl_config_flags *f, const kloop_config *config, FILE *to)
{
    for (size_t i = 0; i < entry_count(f); i++) {
        const char *name = entry_at(f, i)->key;
        bool again = false;
        for (size_t k = 0; k < i && !again; k++)
            again = strcmp(entry_at(f, k)->key, name) == 0;
        bool of_topic = strncmp(name, TOPIC, strlen(TOPIC)) == 0 && !kloop_config_key_find(name) &&
                        !kloop_config_key_find(name + strlen(TOPIC));
        if (of_topic && !again && kloop_config_is_set(config, name))
            print_row(f, config, name, to);
    }
}

int kl_config_flags_show(kl_config_flags *f, FILE *to)
{
    kloop_config *config = make_parts(f);
    if (!config)
        return KL_EXIT_USAGE;
    fprintf(to, "%-40s  %-32s  %s\n", "KEY", "VALUE", "FROM");
    for (size_t i = 0; i < kloop_config_key_count(); i++)
        print_row(f, config, kloop_config_key_at(i)->name, to);
    print_topics(f, config, to);
    int code = finish_output(f, to);
    /* To look at a configuration no broker is needed. */
    if (!kloop_config_is_set(config, SERVERS))
        kloop_config_set(config, SERVERS, "localhost:9092");
    if (!check_whole(f, config))
        code = KL_EXIT_USAGE;
    kloop_config_del(config);
    return code;
}
