/* SPDX-License-Identifier: BSD-2-Clause */
/* Putting a configuration together. See config_flags.h. */
#include "cli/config_flags.h"

#include "cli/options.h"
#include "cli/properties_file.h"

#include <errno.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)1 << 20)

typedef struct entry {
    kl_config_rank rank;
    const char *key;
    const char *value;
    const char *origin;
} entry;

void kl_config_flags_init(kl_config_flags *f, const char *command)
{
    f->command = command;
    kl_arena_init(&f->arena, &kl_mem_libc);
    kl_buf_init(&f->entries, &kl_mem_libc);
}

void kl_config_flags_deinit(kl_config_flags *f)
{
    kl_buf_deinit(&f->entries);
    kl_arena_deinit(&f->arena);
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

bool kl_config_flags_set(kl_config_flags *f, kl_config_rank rank, const char *key,
                         const char *value, const char *origin)
{
    entry e = {rank, copy(f, key), copy(f, value), copy(f, origin)};
    if (e.key && e.value && e.origin && kl_buf_append(&f->entries, &e, sizeof e))
        return true;
    return no_memory(f);
}

bool kl_config_flags_set_pair(kl_config_flags *f, const char *pair, const char *flag)
{
    const char *equals = strchr(pair, '=');
    if (!equals || equals == pair) {
        kl_usage_error(f->command, "%s '%s': key=value is wanted", flag, pair);
        return false;
    }
    size_t len = (size_t)(equals - pair);
    char *key = kl_arena_alloc_bytes(&f->arena, len + 1);
    if (!key)
        return no_memory(f);
    memcpy(key, pair, len);
    key[len] = '\0';
    return kl_config_flags_set(f, KL_CONFIG_PAIR, key, equals + 1, flag);
}

/* ---- Files ---- */

typedef struct loading {
    kl_config_flags *flags;
    const char *path;
} loading;

static bool on_property(void *ctx, const char *key, const char *value, unsigned line)
{
    loading *l = ctx;
    char origin[512];
    snprintf(origin, sizeof origin, "%s:%u", l->path, line);
    return kl_config_flags_set(l->flags, KL_CONFIG_FILE, key, value, origin);
}

/* The whole file; errno tells why not. */
static bool read_file(const char *path, kl_buf *text)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    kl_buf_set_limit(text, FILE_BYTES_MAX);
    bool ok = true;
    for (;;) {
        size_t room;
        uint8_t *p = kl_buf_reserve_some(text, 4096, &room);
        if (!p) {
            errno = text->over_limit ? EFBIG : ENOMEM;
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

bool kl_config_flags_load(kl_config_flags *f, const char *path, const char *flag)
{
    char why[256] = "";
    loading l = {f, path};
    kl_buf text;
    kl_buf_init(&text, &kl_mem_libc);
    bool ok = read_file(path, &text);
    if (!ok)
        kl_usage_error(f->command, "%s '%s': %s", flag, path, strerror(errno));
    else
        ok = kl_properties_parse(kl_buf_string(&text).data, text.len, on_property, &l, why,
                                 sizeof why);
    if (why[0])
        kl_usage_error(f->command, "%s '%s', %s", flag, path, why);
    kl_buf_deinit(&text);
    return ok;
}

/* ---- The configuration ---- */

static size_t entry_count(const kl_config_flags *f)
{
    return f->entries.len / sizeof(entry);
}

static const entry *entry_at(const kl_config_flags *f, size_t i)
{
    return (const entry *)(const void *)f->entries.data + i;
}

kloop_config *kl_config_flags_make(const kl_config_flags *f)
{
    kloop_config *config = kloop_config_new(NULL);
    if (!config) {
        no_memory(f);
        return NULL;
    }
    for (int rank = KL_CONFIG_PRESET; rank <= KL_CONFIG_FLAG; rank++) {
        for (size_t i = 0; i < entry_count(f); i++) {
            const entry *e = entry_at(f, i);
            if ((int)e->rank == rank && kloop_config_set(config, e->key, e->value)) {
                kl_usage_error(f->command, "%s: %s", e->origin, kloop_config_error(config));
                kloop_config_del(config);
                return NULL;
            }
        }
    }
    kloop_error error;
    if (kloop_config_check(config, &error) == KLOOP_OK)
        return config;
    kl_usage_error(f->command, "%s", error.text);
    kloop_config_del(config);
    return NULL;
}

/* Is name what this key is called in the table? Other clients' names for it are found by what they
 * set. */
static bool is_key(const char *name, const char *key, const char *value)
{
    if (strcmp(name, key) == 0)
        return true;
    kloop_config *probe = kloop_config_new(NULL);
    bool is = probe && kloop_config_set(probe, key, value) == KLOOP_OK &&
              kloop_config_is_set(probe, name);
    kloop_config_del(probe);
    return is;
}

static const char *origin_of(const kl_config_flags *f, const char *name)
{
    const entry *found = NULL;
    for (size_t i = 0; i < entry_count(f); i++) {
        const entry *e = entry_at(f, i);
        if ((!found || e->rank >= found->rank) && is_key(name, e->key, e->value))
            found = e;
    }
    return found ? found->origin : "default";
}

void kl_config_flags_print(const kl_config_flags *f, kloop_config *config, FILE *to)
{
    fprintf(to, "%-40s  %-32s  %s\n", "KEY", "VALUE", "FROM");
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        const char *value = kloop_config_get(config, key->name);
        if (!value || !*value)
            value = "-";
        else if (key->secret)
            value = "********";
        fprintf(to, "%-40s  %-32s  %s\n", key->name, value,
                kloop_config_is_set(config, key->name) ? origin_of(f, key->name) : "default");
    }
}
