/* SPDX-License-Identifier: BSD-2-Clause */
/* Flags to a job. See produce_flags.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/produce_flags.h"

#include "base/nearest.h"
#include "cli/escapes.h"
#include "cli/exit_code.h"
#include "cli/line_source.h"
#include "cli/pace.h"

#include <string.h>

void kl_produce_flags_init(kl_produce_flags *f, const char *command)
{
    *f = (kl_produce_flags){
        .job = {.delimiter = {"\n", 1}, .form.partition = -1, .count_max = UINT64_MAX},
        .key_separator = {"\t", 1},
        .headers_delimiter = {"\t", 1},
    };
    f->job.form.lines.header_separator = (kloop_string){",", 1};
    f->job.form.lines.header_key_separator = (kloop_string){":", 1};
    kl_buf_init(&f->headers, &kl_mem_libc);
    kl_arena_init(&f->arena, &kl_mem_libc);
    kl_input_files_init(&f->files);
    kl_config_flags_init(&f->config, command);
}

void kl_produce_flags_deinit(kl_produce_flags *f)
{
    kl_config_flags_deinit(&f->config);
    kl_input_files_deinit(&f->files);
    kl_arena_deinit(&f->arena);
    kl_buf_deinit(&f->headers);
}

/* ---- Values ---- */

static int no_memory(const kl_options *o)
{
    fprintf(stderr, "kloop %s: there is no memory\n", o->command);
    return KL_EXIT_IO;
}

static int take_text(const kl_options *o, kl_produce_flags *f, const char *typed,
                     kloop_string *decoded)
{
    char *text = kl_arena_alloc_bytes(&f->arena, strlen(typed) + 1);
    if (!text)
        return no_memory(o);
    if (!kl_escapes_decode(typed, text, &decoded->len))
        return kl_options_refuse(o, "behind a backslash t, n, r, 0, \\ or xNN is wanted");
    if (decoded->len == 0 || decoded->len > KL_LINE_DELIMITER_MAX)
        return kl_options_refuse(o, "1 to 64 bytes are wanted");
    decoded->data = text;
    return -1;
}

static int take_header(const kl_options *o, kl_produce_flags *f)
{
    size_t name_len = strcspn(o->value, "=");
    kloop_record_header header = {.key = {o->value, name_len}};
    if (o->value[name_len] == '=')
        header.value = (kloop_slice){(const uint8_t *)o->value + name_len + 1,
                                     strlen(o->value + name_len + 1)};
    return kl_buf_append(&f->headers, &header, sizeof header) ? -1 : no_memory(o);
}

static int take_partition(const kl_options *o, kl_produce_flags *f)
{
    int64_t n;
    if (!kl_options_number(o, -1, INT32_MAX, &n))
        return KL_EXIT_USAGE;
    f->job.form.partition = (int32_t)n;
    return -1;
}

static int take_count(const kl_options *o, kl_produce_flags *f)
{
    int64_t n;
    if (!kl_options_number(o, 0, INT64_MAX, &n))
        return KL_EXIT_USAGE;
    f->job.count_max = (uint64_t)n;
    return -1;
}

static int take_input(const kl_options *o, kl_produce_flags *f)
{
    f->job.form.json = strcmp(o->value, "json") == 0;
    if (f->job.form.json || strcmp(o->value, "lines") == 0)
        return -1;
    return kl_options_refuse(o, "lines or json is wanted");
}

static int take_rate(const kl_options *o, bool of_bytes, double *per_s)
{
    if (kl_pace_parse(o->value, of_bytes, per_s))
        return -1;
    return kl_options_refuse(o, of_bytes ? "a rate above 0 is wanted, as 500kB/s, 10MB/s or 1MiB/s"
                                         : "a rate above 0 is wanted, as 500/s, 50k/s or 30/min");
}

static int set_key(kl_produce_flags *f, const kl_options *o, const char *key)
{
    return kl_config_flags_set(&f->config, KL_CONFIG_FLAG, key, o->value, o->flag) ? -1
                                                                                   : KL_EXIT_USAGE;
}

/* ---- Properties of kafka-console-producer's reader ---- */

static int take_switch(const kl_options *o, const char *word, bool *on)
{
    *on = strcmp(word, "true") == 0;
    return *on || strcmp(word, "false") == 0 ? -1 : kl_options_refuse(o, "true or false is wanted");
}

static int take_reader_property(const kl_options *o, kl_produce_flags *f)
{
    kl_line_form *lines = &f->job.form.lines;
    const struct {
        const char *name;
        bool *on;
        kloop_string *text;
    } known[] = {
        {"parse.key", &f->parse_key, NULL},
        {"key.separator", NULL, &f->key_separator},
        {"parse.headers", &f->parse_headers, NULL},
        {"headers.delimiter", NULL, &f->headers_delimiter},
        {"headers.separator", NULL, &lines->header_separator},
        {"headers.key.separator", NULL, &lines->header_key_separator},
        {"null.marker", NULL, &lines->null_marker},
        {"ignore.error", &f->ignore_error, NULL},
    };
    char why[96];
    const char *near = NULL;
    size_t len = strcspn(o->value, "=");
    if (o->value[len] != '=')
        return kl_options_refuse(o, "key=value is wanted");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *value = o->value + len + 1;
        near = kl_nearest_of(near, known[i].name, (kloop_string){o->value, len});
        if (strlen(known[i].name) != len || memcmp(known[i].name, o->value, len) != 0)
            continue;
        return known[i].on ? take_switch(o, value, known[i].on)
                           : take_text(o, f, value, known[i].text);
    }
    snprintf(why, sizeof why, "there is no such property, did you mean '%s'?",
             near ? near : "parse.key");
    return kl_options_refuse(o, why);
}

/* ---- Flags ---- */

static int take_of_input(kl_produce_flags *f, const kl_options *o, int id)
{
    kl_produce_job *job = &f->job;
    switch (id) {
    case KL_PRODUCE_KEY_DELIMITER:
        return take_text(o, f, o->value, &job->form.lines.key_delimiter);
    case KL_PRODUCE_DELIMITER:
        return take_text(o, f, o->value, &job->delimiter);
    case KL_PRODUCE_KEY:
        job->form.key = (kloop_slice){(const uint8_t *)o->value, strlen(o->value)};
        return -1;
    case KL_PRODUCE_HEADER:
        return take_header(o, f);
    case KL_PRODUCE_EMPTY_NULL:
        job->form.lines.empty_is_null = true;
        return -1;
    case KL_PRODUCE_SKIP_EMPTY:
        job->form.skip_empty = true;
        return -1;
    case KL_PRODUCE_LINES:
        f->lines = true;
        return -1;
    case KL_PRODUCE_INPUT:
        return take_input(o, f);
    case KL_PRODUCE_READER_PROPERTY:
        return take_reader_property(o, f);
    case KL_PRODUCE_COUNT:
        return take_count(o, f);
    case KL_PRODUCE_RATE:
        return take_rate(o, false, &job->rate);
    case KL_PRODUCE_BYTE_RATE:
        return take_rate(o, true, &job->byte_rate);
    case KL_PRODUCE_SKIP_BAD:
        job->skip_bad = true;
        return -1;
    case KL_OPTIONS_WORD:
        return kl_input_files_add(&f->files, o->value) ? -1 : no_memory(o);
    default:
        return KL_EXIT_USAGE;
    }
}

int kl_produce_flags_take(kl_produce_flags *f, const kl_options *o, int id)
{
    kl_produce_job *job = &f->job;
    switch (id) {
    case KL_PRODUCE_TOPIC:
        job->form.topic = (kloop_string){o->value, strlen(o->value)};
        return -1;
    case KL_PRODUCE_BOOTSTRAP:
        return set_key(f, o, "bootstrap.servers");
    case KL_PRODUCE_CODEC:
        return set_key(f, o, "compression.type");
    case KL_PRODUCE_PARTITION:
        return take_partition(o, f);
    case KL_PRODUCE_PAIR:
        return kl_config_flags_take(&f->config, o->value, o->flag);
    case KL_PRODUCE_CONFIG_FILE:
        return kl_config_flags_load(&f->config, o->value, o->flag) ? -1 : KL_EXIT_USAGE;
    case KL_PRODUCE_DEAD_LETTER:
        f->dead_letter = o->value;
        return -1;
    case KL_PRODUCE_STATS:
        f->stats = o->value;
        return -1;
    case KL_PRODUCE_EVENTS:
        job->events = true;
        return -1;
    case KL_PRODUCE_TEE:
        job->tee = true;
        return -1;
    case KL_PRODUCE_PROGRESS:
        return kl_progress_parse(o->value, &job->progress)
                   ? -1
                   : kl_options_refuse(o, "auto, always or never is wanted");
    case KL_PRODUCE_QUIET:
        job->quiet = true;
        f->config.quiet = true;
        return -1;
    case KL_PRODUCE_VERBOSE:
        job->verbose++;
        return -1;
    case KL_PRODUCE_PRINT_CONFIG:
        f->config.print = true;
        return -1;
    case KL_PRODUCE_MODE:
        return -1;
    default:
        return take_of_input(f, o, id);
    }
}

/* ---- All of them ---- */

static void resolve_lines(kl_produce_flags *f)
{
    kl_line_form *lines = &f->job.form.lines;
    if (f->parse_headers)
        lines->headers_delimiter = f->headers_delimiter;
    if (f->parse_key && lines->key_delimiter.len == 0)
        lines->key_delimiter = f->key_separator;
    lines->strict = (f->parse_key || f->parse_headers) && !f->ignore_error;
}

static int check_stdout(const kl_produce_flags *f, const char *command)
{
    bool letters = f->dead_letter && strcmp(f->dead_letter, "-") == 0;
    if (f->job.events && f->job.tee)
        return kl_usage_error(command, "--events and -T both write to standard output");
    if (letters && (f->job.events || f->job.tee))
        return kl_usage_error(command, "--dead-letter - and %s both write to standard output",
                              f->job.events ? "--events" : "-T");
    return -1;
}

static int check_form(const kl_produce_flags *f, const char *command)
{
    const kl_line_form *lines = &f->job.form.lines;
    const char *of_lines = NULL;
    if (lines->key_delimiter.len > 0)
        of_lines = f->parse_key ? "parse.key=true" : "-K";
    else if (lines->headers_delimiter.len > 0)
        of_lines = "parse.headers=true";
    else if (lines->empty_is_null)
        of_lines = "-Z";
    if (f->job.form.json && of_lines)
        return kl_usage_error(command, "%s is about lines, --input json says it in each object",
                              of_lines);
    if (!f->job.form.topic.data && !f->job.form.json && !f->config.print)
        return kl_usage_error(command, "-t TOPIC is missing");
    return -1;
}

int kl_produce_flags_finish(kl_produce_flags *f, const char *command)
{
    kl_produce_job *job = &f->job;
    resolve_lines(f);
    int code = check_stdout(f, command);
    if (code < 0)
        code = check_form(f, command);
    if (code >= 0)
        return code;
    if (job->form.lines.empty_is_null && job->form.key.len == 0)
        job->form.key.data = NULL;
    job->form.headers = (const kloop_record_header *)(const void *)f->headers.data;
    job->form.header_count = (uint32_t)(f->headers.len / sizeof(kloop_record_header));
    job->whole_files = !f->lines && !job->form.json;
    job->files = &f->files;
    if (kl_input_files_any(&f->files) || kl_input_files_add(&f->files, "-"))
        return -1;
    fprintf(stderr, "kloop %s: there is no memory\n", command);
    return KL_EXIT_IO;
}
