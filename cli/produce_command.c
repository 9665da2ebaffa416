/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kloop produce`: flags into a job, the run, the words at its end, the exit code. The run itself
 * is in produce_run.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/produce_command.h"

#include "base/mem.h"
#include "cli/config_flags.h"
#include "cli/escapes.h"
#include "cli/exit_code.h"
#include "cli/line_source.h"
#include "cli/options.h"
#include "cli/produce_run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define COMMAND "produce"

enum {
    TOPIC = 1,
    BOOTSTRAP,
    PARTITION,
    KEY_DELIMITER,
    KEY,
    HEADER,
    DELIMITER,
    EMPTY_NULL,
    FILE_OF_LINES,
    CODEC,
    COUNT,
    PAIR,
    CONFIG_FILE,
    INPUT,
    EVENTS,
    PRINT_CONFIG,
    QUIET,
    RATE,
    DEAD_LETTER
};

static const kl_option options[] = {
    {BOOTSTRAP, KL_OPTION_VALUE, 'b', "bootstrap-server", "HOST:PORT,...", "brokers to begin with"},
    {TOPIC, KL_OPTION_VALUE, 't', "topic", "TOPIC", "where to"},
    {PARTITION, KL_OPTION_VALUE, 'p', "partition", "N", "which one; -1: the producer chooses"},
    {KEY_DELIMITER, KL_OPTION_VALUE, 'K', "key-delimiter", "TEXT",
     "what stands between key and value"},
    {KEY, KL_OPTION_VALUE, 'k', "key", "KEY", "of every record whose line has none"},
    {HEADER, KL_OPTION_VALUE, 'H', "header", "NAME=VALUE",
     "of every record; NAME= is empty, NAME is null"},
    {DELIMITER, KL_OPTION_VALUE, 'D', "delimiter", "TEXT", "between records (\\n)"},
    {EMPTY_NULL, KL_OPTION_SWITCH, 'Z', "null", NULL, "an empty key or value is null"},
    {FILE_OF_LINES, KL_OPTION_VALUE, 'l', "lines", "FILE", "read this instead of standard input"},
    {CODEC, KL_OPTION_VALUE, 'z', "compression", "CODEC", "none, gzip, snappy, lz4, zstd"},
    {COUNT, KL_OPTION_VALUE, 'c', "count", "N", "end after N records"},
    {PAIR, KL_OPTION_VALUE, 'X', "command-property", "KEY=VALUE", "producer configuration"},
    {CONFIG_FILE, KL_OPTION_VALUE, 'F', "command-config", "FILE",
     "the same from a properties file"},
    {INPUT, KL_OPTION_VALUE, 0, "input", "FORM", "lines"},
    {EVENTS, KL_OPTION_SWITCH, 0, "events", NULL,
     "one JSON object for each record on stdout, in order of completion"},
    {PRINT_CONFIG, KL_OPTION_SWITCH, 0, "print-config", NULL,
     "print every key, its value and where it came from, and end"},
    {QUIET, KL_OPTION_SWITCH, 'q', "quiet", NULL, "nothing on stderr but what ends it"},
    {RATE, KL_OPTION_VALUE, 0, "rate", "N/s", NULL},
    {DEAD_LETTER, KL_OPTION_VALUE, 0, "dead-letter", "FILE", NULL},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

typedef struct produce_flags {
    kl_produce_job job;
    const char *file; /* NULL: standard input */
    bool print_config;
    kl_buf headers; /* of kloop_record_header, pointing into argv */
    kl_arena arena; /* of decoded delimiters */
    kl_config_flags config;
} produce_flags;

static void print_help(FILE *to)
{
    fputs("usage: kloop produce -b HOST:PORT -t TOPIC [FLAGS] < LINES\n"
          "\n"
          "Each line of standard input becomes a record. Ctrl-C once: stop reading and deliver; "
          "twice: "
          "give up.\n"
          "\n",
          to);
    kl_options_list(options, OPTION_COUNT, to);
    fputs("\n"
          "exit codes: 0 all delivered, 1 some not, 2 usage, 3 no broker reached, 4 bad input, 5 "
          "fatal, "
          "130 Ctrl-C\n"
          "\n"
          "examples:\n"
          "  echo hello | kloop produce -b localhost:9092 -t greetings\n"
          "  kloop produce -b localhost:9092 -t users -K: -z zstd --events -l users.txt\n",
          to);
}

/* ---- Flags ---- */

static int no_memory(void)
{
    fprintf(stderr, "kloop produce: there is no memory\n");
    return KL_EXIT_IO;
}

static int take_delimiter(const kl_options *o, produce_flags *f, kloop_string *delimiter)
{
    char *text = kl_arena_alloc_bytes(&f->arena, strlen(o->value) + 1);
    if (!text)
        return no_memory();
    if (!kl_escapes_decode(o->value, text, &delimiter->len))
        return kl_options_refuse(o, "behind a backslash t, n, r, 0, \\ or xNN is wanted");
    if (delimiter->len == 0 || delimiter->len > KL_LINE_DELIMITER_MAX)
        return kl_options_refuse(o, "1 to 64 bytes are wanted");
    delimiter->data = text;
    return -1;
}

static int take_header(const kl_options *o, produce_flags *f)
{
    size_t name_len = strcspn(o->value, "=");
    kloop_record_header header = {.key = {o->value, name_len}};
    if (o->value[name_len] == '=')
        header.value = (kloop_slice){(const uint8_t *)o->value + name_len + 1,
                                     strlen(o->value + name_len + 1)};
    return kl_buf_append(&f->headers, &header, sizeof header) ? -1 : no_memory();
}

static int take_partition(const kl_options *o, produce_flags *f)
{
    int64_t n;
    if (!kl_options_number(o, -1, INT32_MAX, &n))
        return KL_EXIT_USAGE;
    f->job.partition = (int32_t)n;
    return -1;
}

static int take_count(const kl_options *o, produce_flags *f)
{
    int64_t n;
    if (!kl_options_number(o, 0, INT64_MAX, &n))
        return KL_EXIT_USAGE;
    f->job.count_max = (uint64_t)n;
    return -1;
}

static int take_input(const kl_options *o)
{
    if (strcmp(o->value, "lines") == 0)
        return -1;
    if (strcmp(o->value, "json") == 0)
        return kl_options_refuse(o, "records as JSON are not read yet; only lines are");
    return kl_options_refuse(o, "lines is wanted");
}

static int set_key(produce_flags *f, const kl_options *o, const char *key)
{
    return kl_config_flags_set(&f->config, KL_CONFIG_FLAG, key, o->value, o->flag) ? -1
                                                                                   : KL_EXIT_USAGE;
}

/* -1: go on with the next flag. */
static int take(kl_options *o, produce_flags *f, int id)
{
    switch (id) {
    case TOPIC:
        f->job.topic = o->value;
        return -1;
    case BOOTSTRAP:
        return set_key(f, o, "bootstrap.servers");
    case PARTITION:
        return take_partition(o, f);
    case KEY_DELIMITER:
        return take_delimiter(o, f, &f->job.key_delimiter);
    case KEY:
        f->job.key = (kloop_slice){(const uint8_t *)o->value, strlen(o->value)};
        return -1;
    case HEADER:
        return take_header(o, f);
    case DELIMITER:
        return take_delimiter(o, f, &f->job.delimiter);
    case EMPTY_NULL:
        f->job.empty_is_null = true;
        return -1;
    case FILE_OF_LINES:
        f->file = o->value;
        return -1;
    case CODEC:
        return set_key(f, o, "compression.type");
    case COUNT:
        return take_count(o, f);
    case PAIR:
        return kl_config_flags_set_pair(&f->config, o->value, o->flag) ? -1 : KL_EXIT_USAGE;
    case CONFIG_FILE:
        return kl_config_flags_load(&f->config, o->value, o->flag) ? -1 : KL_EXIT_USAGE;
    case INPUT:
        return take_input(o);
    case EVENTS:
        f->job.events = true;
        return -1;
    case PRINT_CONFIG:
        f->print_config = true;
        return -1;
    case QUIET:
        f->job.quiet = true;
        return -1;
    case RATE:
        return kl_usage_error(COMMAND, "--rate is not there yet; kloop perf has --throughput");
    case DEAD_LETTER:
        return kl_usage_error(COMMAND, "--dead-letter is not there yet; --events tells of every "
                                       "record that was not delivered");
    case KL_OPTIONS_HELP:
        print_help(stdout);
        return KL_EXIT_OK;
    case KL_OPTIONS_WORD:
        return kl_usage_error(COMMAND, "'%s' belongs to no flag; a file of lines is -l %s",
                              o->value, o->value);
    default:
        return KL_EXIT_USAGE;
    }
}

static int parse(produce_flags *f, int argc, char **argv)
{
    kl_options o;
    kl_options_init(&o, COMMAND, options, OPTION_COUNT, argc, argv);
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;) {
        int code = take(&o, f, id);
        if (code >= 0)
            return code;
    }
    if (!f->job.topic && !f->print_config)
        return kl_usage_error(COMMAND, "-t TOPIC is missing");
    if (f->job.empty_is_null && f->job.key.len == 0)
        f->job.key.data = NULL;
    f->job.headers = (const kloop_record_header *)(const void *)f->headers.data;
    f->job.header_count = (uint32_t)(f->headers.len / sizeof(kloop_record_header));
    return -1;
}

/* ---- The end ---- */

static void print_summary(const produce_flags *f, const kl_produce_result *r)
{
    unsigned long long failed = r->failures.failed, unknown = r->failures.unknown;
    kl_failure_tally_print(&r->failures, COMMAND, stderr);
    if (f->job.quiet)
        return;
    fprintf(stderr, "kloop produce: %llu delivered", (unsigned long long)r->acked);
    if (failed)
        fprintf(stderr, ", %llu not delivered", failed);
    if (unknown)
        fprintf(stderr, ", %llu may or may not be stored", unknown);
    fputs("\n", stderr);
}

static int exit_code(const produce_flags *f, const kl_produce_result *r)
{
    if (r->in_error == EMSGSIZE)
        fprintf(stderr, "kloop produce: a line of more than %zu bytes ended the reading\n",
                KL_LINE_BYTES_MAX);
    else if (r->in_error)
        fprintf(stderr, "kloop produce: %s: %s\n", f->file ? f->file : "standard input",
                strerror(r->in_error));
    if (r->out_error)
        fprintf(stderr, "kloop produce: standard output: %s\n", strerror(r->out_error));
    if (r->signal)
        return KL_EXIT_SIGNAL + r->signal;
    if (r->fatal)
        return KL_EXIT_FATAL;
    if (kl_failure_tally_any_taken(&r->failures) && !r->ever_ready)
        return KL_EXIT_NO_BROKER;
    if (kl_failure_tally_any(&r->failures))
        return KL_EXIT_UNDELIVERED;
    if (r->in_error == EMSGSIZE)
        return KL_EXIT_BAD_DATA;
    return r->in_error || r->out_error ? KL_EXIT_IO : KL_EXIT_OK;
}

static int run(produce_flags *f)
{
    static kl_produce_result result;
    kloop_config *config = kl_config_flags_make(&f->config);
    if (!config)
        return KL_EXIT_USAGE;
    int code = KL_EXIT_OK;
    if (f->print_config) {
        kl_config_flags_print(&f->config, config, stdout);
        kloop_config_del(config);
        return code;
    }
    f->job.config = config;
    f->job.fd = f->file ? open(f->file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (f->job.fd < 0) {
        code = kl_usage_error(COMMAND, "-l '%s': %s", f->file, strerror(errno));
    } else {
        code = KL_EXIT_USAGE;
        if (kl_produce_run(&f->job, &result)) {
            print_summary(f, &result);
            code = exit_code(f, &result);
        }
    }
    if (f->file && f->job.fd >= 0)
        close(f->job.fd);
    kloop_config_del(config);
    return code;
}

int kl_produce_command(int argc, char **argv)
{
    produce_flags f = {
        .job = {.delimiter = {"\n", 1}, .partition = -1, .count_max = UINT64_MAX},
    };
    kl_buf_init(&f.headers, &kl_mem_libc);
    kl_arena_init(&f.arena, &kl_mem_libc);
    kl_config_flags_init(&f.config, COMMAND);
    int code = parse(&f, argc, argv);
    if (code < 0)
        code = run(&f);
    kl_config_flags_deinit(&f.config);
    kl_arena_deinit(&f.arena);
    kl_buf_deinit(&f.headers);
    return code;
}
