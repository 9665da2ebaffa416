/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kloop produce`: the table of its flags, its run, the words at its end, the exit code. The flags'
 * values are in produce_flags.c, the run itself in produce_run.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/produce_command.h"

#include "cli/exit_code.h"
#include "cli/line_source.h"
#include "cli/produce_flags.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define COMMAND "produce"

static const kl_option options[] = {
    {KL_PRODUCE_BOOTSTRAP, KL_OPTION_VALUE, 'b', "bootstrap-server", "HOST:PORT,...",
     "brokers to begin with"},
    {KL_PRODUCE_TOPIC, KL_OPTION_VALUE, 't', "topic", "TOPIC", "where records go"},
    {KL_PRODUCE_PARTITION, KL_OPTION_VALUE, 'p', "partition", "N",
     "the partition; -1: the producer chooses"},
    {KL_PRODUCE_KEY_DELIMITER, KL_OPTION_VALUE, 'K', "key-delimiter", "TEXT",
     "what stands between key and value of a line"},
    {KL_PRODUCE_KEY, KL_OPTION_VALUE, 'k', "key", "KEY", "key of every record that brings none"},
    {KL_PRODUCE_HEADER, KL_OPTION_VALUE, 'H', "header", "NAME=VALUE",
     "header of every record that brings none; NAME= is empty, NAME is null"},
    {KL_PRODUCE_DELIMITER, KL_OPTION_VALUE, 'D', "delimiter", "TEXT",
     "what stands between records (\\n)"},
    {KL_PRODUCE_EMPTY_NULL, KL_OPTION_SWITCH, 'Z', "null", NULL, "an empty key or value is null"},
    {KL_PRODUCE_SKIP_EMPTY, KL_OPTION_SWITCH, 0, "skip-empty", NULL, "an empty line is no record"},
    {KL_PRODUCE_LINES, KL_OPTION_SWITCH, 'l', "lines", NULL,
     "the lines of a FILE are records; without it a FILE is one (-: lines of stdin)"},
    {KL_PRODUCE_INPUT, KL_OPTION_VALUE, 0, "input", "lines|json",
     "json: an object a line, with topic, partition, timestamp, key, value, headers"},
    {KL_PRODUCE_READER_PROPERTY, KL_OPTION_VALUE, 0, "reader-property", "PROPERTY=VALUE",
     "as kafka-console-producer reads lines: parse.key=true, parse.headers=true, ..."},
    {KL_PRODUCE_READER_PROPERTY, KL_OPTION_VALUE, 0, "property", "KEY=VALUE", NULL},
    {KL_PRODUCE_SKIP_BAD, KL_OPTION_SWITCH, 'E', "skip-bad", NULL,
     "pass over input that is no record, and go on"},
    {KL_PRODUCE_CODEC, KL_OPTION_VALUE, 'z', "compression", "none|gzip|snappy|lz4|zstd,...",
     "one, or several in order of choice: zstd,lz4,none"},
    {KL_PRODUCE_COUNT, KL_OPTION_VALUE, 'c', "count", "N", "end after N records"},
    {KL_PRODUCE_RATE, KL_OPTION_VALUE, 0, "rate", "N/s", "so many records a second: 500/s, 50k/s"},
    {KL_PRODUCE_BYTE_RATE, KL_OPTION_VALUE, 0, "byte-rate", "N/s",
     "so many bytes a second: 10MB/s, 1MiB/s"},
    {KL_PRODUCE_DEAD_LETTER, KL_OPTION_VALUE, 0, "dead-letter", "FILE",
     "append what was not delivered (-: to stdout), to be fed back with --input json"},
    {KL_PRODUCE_STATS, KL_OPTION_VALUE, 0, "stats", "FILE",
     "statistics each second: JSON as librdkafka's, or FILE.prom for Prometheus"},
    {KL_PRODUCE_EVENTS, KL_OPTION_SWITCH, 0, "events", NULL,
     "one JSON object for each record on stdout, in order of completion"},
    {KL_PRODUCE_TEE, KL_OPTION_SWITCH, 'T', "tee", NULL, "copy the input to stdout"},
    {KL_PRODUCE_PAIR, KL_OPTION_VALUE, 'X', "command-property", "KEY=VALUE",
     "producer configuration"},
    {KL_PRODUCE_CONFIG_FILE, KL_OPTION_VALUE, 'F', "command-config", "FILE",
     "the same from a properties file"},
    {KL_PRODUCE_PRINT_CONFIG, KL_OPTION_SWITCH, 0, "print-config", NULL,
     "print every key, its value and where it came from, and end"},
    {KL_PRODUCE_PROGRESS, KL_OPTION_VALUE, 0, "progress", "auto|always|never", "the live line"},
    {KL_PRODUCE_QUIET, KL_OPTION_SWITCH, 'q', "quiet", NULL, "nothing on stderr but what ends it"},
    {KL_PRODUCE_VERBOSE, KL_OPTION_SWITCH, 'v', "verbose", NULL,
     "tell of each failure when it happens; -vv: more of brokers"},
    {KL_PRODUCE_MODE, KL_OPTION_SWITCH, 'P', NULL, NULL, NULL},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

/* ---- The end ---- */

static void print_input_error(const kl_produce_flags *f, const kl_produce_result *r)
{
    const char *name = kl_input_files_name(&f->files);
    if (r->in_error == EMSGSIZE && r->whole)
        fprintf(stderr,
                "kloop produce: %s: more than %zu bytes are no record; with -l it is read "
                "as lines\n",
                name, KL_LINE_BYTES_MAX);
    else if (r->in_error == EMSGSIZE)
        fprintf(stderr,
                "kloop produce: %s, line %llu: it has more than %zu bytes; -D says what stands "
                "between records\n",
                name, (unsigned long long)r->line + 1, KL_LINE_BYTES_MAX);
    else if (r->in_error)
        fprintf(stderr, "kloop produce: %s: %s\n", name, strerror(r->in_error));
    if (r->bad && f->job.skip_bad)
        fprintf(stderr, "kloop produce: %llu line%s skipped that were no records\n",
                (unsigned long long)r->bad, r->bad == 1 ? "" : "s");
    else if (r->bad)
        fputs("kloop produce: the reading ended there; what stood before is sent. -E goes on "
              "behind such lines.\n",
              stderr);
}

static void print_output_error(const kl_produce_flags *f, const kl_produce_result *r)
{
    /* A third signal gives its reader up, whether anything waits for him or not. */
    if (r->out_error && (r->out_error != ECANCELED || r->out_lost))
        fprintf(stderr, "kloop produce: standard output: %s; %llu lines were not written\n",
                strerror(r->out_error), (unsigned long long)r->out_lost);
    if (!f->job.letters)
        return;
    uint64_t lost = kl_dead_letters_lost(f->job.letters);
    uint64_t kept = f->job.letters->count - lost;
    if (lost)
        fprintf(stderr,
                "kloop produce: --dead-letter %s: %s; %llu undelivered records are in no file\n",
                f->dead_letter, strerror(f->job.letters->out.error), (unsigned long long)lost);
    if (kept && !f->job.quiet && f->job.letters->fd != STDOUT_FILENO)
        fprintf(stderr,
                "kloop produce: %llu dead letter%s in '%s'; --input json -l FILE sends them "
                "again\n",
                (unsigned long long)kept, kept == 1 ? "" : "s", f->dead_letter);
}

static void print_summary(const kl_produce_flags *f, const kl_produce_result *r)
{
    unsigned long long failed = r->failures.failed, unknown = r->failures.unknown;
    kl_failure_tally_print(&r->failures, COMMAND, stderr);
    print_input_error(f, r);
    print_output_error(f, r);
    if (f->job.quiet)
        return;
    if (r->signal && !r->whole)
        fprintf(stderr, "kloop produce: %s was read up to line %llu\n",
                kl_input_files_name(&f->files), (unsigned long long)r->line);
    if (r->whole_lines)
        fputs("kloop produce: each file was sent as one record; -l sends its lines\n", stderr);
    if (r->run_ms >= 1000) {
        double s = (double)r->run_ms / 1000;
        double per_s = (double)r->acked / s;
        fprintf(stderr, "kloop produce: %.1f s, %.*f records/s, %.2f MB/s\n", s,
                per_s < 100 ? 1 : 0, per_s, (double)r->bytes / s / 1048576);
    }
    fprintf(stderr, "kloop produce: %llu delivered", (unsigned long long)r->acked);
    if (failed)
        fprintf(stderr, ", %llu not delivered", failed);
    if (unknown)
        fprintf(stderr, ", %llu may or may not be stored", unknown);
    fputs("\n", stderr);
}

/* Bad input comes behind records that were not delivered: with 4, all before it were. */
static int exit_code(const kl_produce_result *r)
{
    if (r->signal)
        return KL_EXIT_SIGNAL + r->signal;
    if (r->fatal)
        return KL_EXIT_FATAL;
    if (kl_failure_tally_any_taken(&r->failures) && !r->ever_let_in)
        return KL_EXIT_NO_BROKER;
    if (kl_failure_tally_any(&r->failures))
        return KL_EXIT_UNDELIVERED;
    if (r->in_error == EMSGSIZE || r->bad)
        return KL_EXIT_BAD_DATA;
    return r->in_error || r->out_error ? KL_EXIT_IO : KL_EXIT_OK;
}

/* ---- The run ---- */

/* Files that cannot be read or written are refused before anything is sent. */
static int open_files(kl_produce_flags *f, kl_dead_letters *letters)
{
    const char *path;
    int error = kl_input_files_check(&f->files, &path);
    if (error)
        return kl_usage_error(COMMAND, "'%s': %s", path, strerror(error));
    if (!f->dead_letter)
        return -1;
    error = kl_dead_letters_open(letters, f->dead_letter);
    if (error)
        return kl_usage_error(COMMAND, "--dead-letter '%s': %s", f->dead_letter, strerror(error));
    f->job.letters = letters;
    if (!letters->regular || !kl_input_files_has(&f->files, letters->fd))
        return -1;
    return kl_usage_error(COMMAND,
                          "--dead-letter '%s' is an input too, and would be read while it is "
                          "written; move it away first",
                          f->dead_letter);
}

static int close_letters(const kl_produce_flags *f, int code)
{
    if (!f->job.letters)
        return code;
    int error = kl_dead_letters_close(f->job.letters);
    if (!error)
        return code;
    fprintf(stderr, "kloop produce: --dead-letter '%s': %s; what is in it may not last\n",
            f->dead_letter, strerror(error));
    return code == KL_EXIT_OK ? KL_EXIT_IO : code;
}

static int run_with(kl_produce_flags *f, kloop_config **config)
{
    static kl_produce_result result;
    kl_dead_letters letters;
    kl_stats_file stats;
    f->job.config = config;
    f->job.stats = &stats;
    int code = open_files(f, &letters);
    if (code >= 0)
        return close_letters(f, code);
    int error = kl_stats_file_open(&stats, f->stats);
    if (error)
        return close_letters(
            f, kl_usage_error(COMMAND, "--stats '%s': %s", f->stats, strerror(error)));
    code = KL_EXIT_USAGE;
    if (kl_produce_run(&f->job, &result)) {
        print_summary(f, &result);
        code = exit_code(&result);
    }
    error = kl_stats_file_close(&stats);
    if (error) {
        fprintf(stderr, "kloop produce: --stats '%s': %s\n", f->stats, strerror(error));
        code = code == KL_EXIT_OK ? KL_EXIT_IO : code;
    }
    return close_letters(f, code);
}

static int run(kl_produce_flags *f)
{
    if (f->config.print)
        return kl_config_flags_show(&f->config, stdout);
    kloop_config *config = kl_config_flags_make(&f->config);
    if (!config)
        return KL_EXIT_USAGE;
    kl_config_flags_forget(&f->config);
    int code = run_with(f, &config);
    kloop_config_del(config);
    return code;
}

static int parse(kl_produce_flags *f, int argc, char **argv)
{
    kl_options o;
    kl_options_init(&o, COMMAND, options, OPTION_COUNT, argc, argv);
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;) {
        if (id == KL_OPTIONS_HELP) {
            kl_command_help(&kl_produce_command, stdout);
            return KL_EXIT_OK;
        }
        int code = kl_produce_flags_take(f, &o, id);
        if (code >= 0)
            return code;
    }
    return kl_produce_flags_finish(f, COMMAND);
}

static int run_command(int argc, char **argv)
{
    kl_produce_flags f;
    kl_produce_flags_init(&f, COMMAND);
    int code = parse(&f, argc, argv);
    if (code < 0)
        code = run(&f);
    kl_produce_flags_deinit(&f);
    return code;
}

const kl_command kl_produce_command = {
    .name = COMMAND,
    .summary = "lines, files or JSON to records",
    .run = run_command,
    .usage = "-b HOST:PORT -t TOPIC [FLAGS] [FILE ...] < LINES\n",
    .about = "Each line of standard input becomes a record, an empty one too. Ctrl-C once stops "
             "reading and delivers, twice gives up.\n",
    .options = options,
    .option_count = OPTION_COUNT,
    .notes = "exit codes: 0 all delivered, 1 some not, 2 usage, 3 no broker reached, 4 bad input, "
             "5 fatal, 130 Ctrl-C\n",
    .examples = "echo hello | kloop produce -b localhost:9092 -t greetings\n"
                "kloop produce -b localhost:9092 -t users -K: -z zstd --events -l users.txt\n"
                "kloop produce -b localhost:9092 --input json --rate 5k/s --dead-letter dead.json "
                "-l records.json\n",
};
