/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kloop perf`: flags into a job, the sink if one is wanted, the run, the report, the exit code.
 * The run itself is in perf_run.c, its figures in perf_report.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/perf_command.h"

#include "base/mem.h"
#include "cli/config_flags.h"
#include "cli/escapes.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/perf_export.h"
#include "cli/perf_metrics.h"
#include "cli/perf_run.h"
#include "cli/perf_summary.h"
#include "cli/sink_child.h"
#include "cli/stats_file.h"
#include "cli/trace_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define COMMAND         "perf"
#define SINK_TOPIC      "kloop-perf"
#define SINK_PARTITIONS 6
#define INTERVAL_MS     5000
#define RECORD_SIZE_MAX (1 << 30)
#define RATE_MAX        1e9

enum {
    TOPIC = 1,
    NUM_RECORDS,
    RECORD_SIZE,
    PAYLOAD_FILE,
    PAYLOAD_DELIMITER,
    PAYLOAD_MONOTONIC,
    THROUGHPUT,
    BOOTSTRAP,
    PROPS,
    CONFIG_FILE,
    PRINT_METRICS,
    STATS,
    TRACE,
    KEY_DISTRIBUTION,
    KEY_RANGE,
    SEED,
    WARMUP,
    INTERVAL,
    SINK,
    PARTITIONS,
    HISTOGRAM,
    REPORT,
    JSON,
    CPU_HOLD,
    PRINT_CONFIG,
    QUIET,
    PROGRESS,
    TRANSACTIONAL
};

static const kl_option options[] = {
    {TOPIC, KL_OPTION_VALUE, 't', "topic", "TOPIC", "where to (with --sink: " SINK_TOPIC ")"},
    {NUM_RECORDS, KL_OPTION_VALUE, 0, "num-records", "N", "how many records"},
    {RECORD_SIZE, KL_OPTION_VALUE, 0, "record-size", "BYTES", "random letters, so many a record"},
    {PAYLOAD_FILE, KL_OPTION_VALUE, 0, "payload-file", "FILE",
     "pieces of a file, picked at random"},
    {PAYLOAD_DELIMITER, KL_OPTION_VALUE, 0, "payload-delimiter", "TEXT",
     "where the file is cut (\\n); '' cuts it every --record-size bytes, in turn"},
    {PAYLOAD_MONOTONIC, KL_OPTION_SWITCH, 0, "payload-monotonic", NULL, "0, 1, 2, ... as text"},
    {KEY_DISTRIBUTION, KL_OPTION_VALUE, 0, "key-distribution", "KIND",
     "keys: none (as it is without the flag), range (in turn), random"},
    {KEY_RANGE, KL_OPTION_VALUE, 0, "record-key-range", "N", "they are the numbers 0 to N-1"},
    {SEED, KL_OPTION_VALUE, 0, "random-seed", "SEED", "of what is random (0)"},
    {THROUGHPUT, KL_OPTION_VALUE, 0, "throughput", "RATE",
     "records a second; -1 (as it is without the flag): as fast as possible"},
    {BOOTSTRAP, KL_OPTION_VALUE, 'b', "bootstrap-server", "HOST:PORT,...", "brokers to begin with"},
    {PROPS, KL_OPTION_WORDS, 'X', "command-property", "KEY=VALUE", "producer configuration"},
    {PROPS, KL_OPTION_WORDS, 0, "producer-props", "KEY=VALUE", NULL},
    {CONFIG_FILE, KL_OPTION_VALUE, 'F', "command-config", "FILE",
     "the same from a properties file"},
    {CONFIG_FILE, KL_OPTION_VALUE, 0, "producer.config", "FILE", NULL},
    {PRINT_METRICS, KL_OPTION_SWITCH, 0, "print-metrics", NULL,
     "the producer's counters at the end"},
    {TRACE, KL_OPTION_VALUE, 0, "trace", "FILE", "each decision of the producer, a line of JSON"},
    {STATS, KL_OPTION_VALUE, 0, "stats", "FILE",
     "its statistics each second: JSON as librdkafka's, or FILE.prom for Prometheus"},
    {WARMUP, KL_OPTION_VALUE, 0, "warmup-records", "N", "leave the first N out of a second result"},
    {INTERVAL, KL_OPTION_VALUE, 0, "reporting-interval", "MS", "between two lines (5000)"},
    {SINK, KL_OPTION_SWITCH, 0, "sink", NULL,
     "start a broker in memory, and use it: needs no Kafka"},
    {PARTITIONS, KL_OPTION_VALUE, 0, "partitions", "N", "of the sink's topic (6)"},
    {HISTOGRAM, KL_OPTION_SWITCH, 0, "histogram", NULL,
     "draw how latency is distributed, also where stdout is no terminal"},
    {REPORT, KL_OPTION_VALUE, 0, "report", "FILE",
     "latency as it was counted: FILE.hgrm (HdrHistogram), FILE.csv or FILE.json"},
    {JSON, KL_OPTION_SWITCH, 0, "json", NULL, "one JSON object as the last line"},
    {CPU_HOLD, KL_OPTION_SWITCH, 0, "cpu-hold", NULL,
     "measure the longest turn of the loop in CPU time, too, for --json"},
    {PRINT_CONFIG, KL_OPTION_SWITCH, 0, "print-config", NULL,
     "print every key, its value and where it came from, and end"},
    {PROGRESS, KL_OPTION_VALUE, 0, "progress", "WHEN",
     "the live line: auto (on a terminal), always, never"},
    {QUIET, KL_OPTION_SWITCH, 'q', "quiet", NULL, "nothing on stderr but what ends it"},
    {TRANSACTIONAL, KL_OPTION_VALUE, 0, "transactional-id", "ID", NULL},
    {TRANSACTIONAL, KL_OPTION_VALUE, 0, "transaction-duration-ms", "MS", NULL},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

typedef struct perf_flags {
    const char *topic;
    int64_t record_count; /* 0: not given */
    int64_t record_size;  /* -1: not given */
    const char *payload_file;
    char *delimiter; /* decoded, of argv's length */
    size_t delimiter_len;
    bool monotonic;
    kl_perf_key_kind key_kind;
    int64_t key_range; /* 0: not given */
    int64_t seed;
    double rate;
    int64_t warmup_count;
    int64_t interval_ms;
    bool bootstrap;
    bool old_props, new_props; /* --producer-props, --command-property; -X is neither */
    bool old_file, new_file;   /* likewise --producer.config, --command-config, -F */
    bool sink;
    int64_t partitions; /* 0: not given */
    bool print_metrics;
    const char *stats; /* NULL: none */
    const char *trace; /* likewise */
    bool histogram;
    const char *report; /* NULL: none */
    bool json;
    bool cpu_hold;
    bool quiet;
    kl_progress progress;
    kl_config_flags config;
} perf_flags;

/* ---- Flags ---- */

static int take_delimiter(const kl_options *o, perf_flags *f)
{
    if (kl_escapes_decode(o->value, f->delimiter, &f->delimiter_len))
        return -1;
    return kl_options_refuse(o, "behind a backslash t, n, r, 0, \\ or xNN is wanted");
}

static int take_rate(const kl_options *o, perf_flags *f)
{
    if (!kl_options_decimal(o, -RATE_MAX, RATE_MAX, &f->rate))
        return KL_EXIT_USAGE;
    if (f->rate == 0)
        return kl_options_refuse(o, "that would never send anything; -1 is as fast as possible");
    if (f->rate < 0)
        f->rate = 0;
    return -1;
}

/* -1: go on with the next flag. */
static int take(kl_options *o, perf_flags *f, int id)
{
    switch (id) {
    case TOPIC:
        f->topic = o->value;
        return -1;
    case NUM_RECORDS:
        return kl_options_number(o, 1, INT64_MAX, &f->record_count) ? -1 : KL_EXIT_USAGE;
    case RECORD_SIZE:
        return kl_options_number(o, 0, RECORD_SIZE_MAX, &f->record_size) ? -1 : KL_EXIT_USAGE;
    case PAYLOAD_FILE:
        f->payload_file = o->value;
        return -1;
    case PAYLOAD_DELIMITER:
        return take_delimiter(o, f);
    case PAYLOAD_MONOTONIC:
        f->monotonic = true;
        return -1;
    case THROUGHPUT:
        return take_rate(o, f);
    case BOOTSTRAP:
        f->bootstrap = true;
        return kl_config_flags_set(&f->config, KL_CONFIG_FLAG, "bootstrap.servers", o->value,
                                   o->flag)
                   ? -1
                   : KL_EXIT_USAGE;
    case KEY_DISTRIBUTION:
        return kl_perf_key_kind_parse(o->value, &f->key_kind)
                   ? -1
                   : kl_options_refuse(o, "none, range or random is wanted");
    case KEY_RANGE:
        return kl_options_number(o, 1, INT64_MAX, &f->key_range) ? -1 : KL_EXIT_USAGE;
    case SEED:
        return kl_options_number(o, INT64_MIN, INT64_MAX, &f->seed) ? -1 : KL_EXIT_USAGE;
    case PROPS:
        f->old_props |= strcmp(o->flag, "--producer-props") == 0;
        f->new_props |= strcmp(o->flag, "--command-property") == 0;
        return kl_config_flags_take(&f->config, o->value, o->flag);
    case CONFIG_FILE:
        f->old_file |= strcmp(o->flag, "--producer.config") == 0;
        f->new_file |= strcmp(o->flag, "--command-config") == 0;
        return kl_config_flags_load(&f->config, o->value, o->flag) ? -1 : KL_EXIT_USAGE;
    case PRINT_METRICS:
        f->print_metrics = true;
        return -1;
    case TRACE:
        f->trace = o->value;
        return -1;
    case STATS:
        f->stats = o->value;
        return -1;
    case WARMUP:
        return kl_options_number(o, 0, INT64_MAX, &f->warmup_count) ? -1 : KL_EXIT_USAGE;
    case INTERVAL:
        return kl_options_number(o, 1, INT32_MAX, &f->interval_ms) ? -1 : KL_EXIT_USAGE;
    case SINK:
        f->sink = true;
        return -1;
    case PARTITIONS:
        return kl_options_number(o, 1, 100000, &f->partitions) ? -1 : KL_EXIT_USAGE;
    case HISTOGRAM:
        f->histogram = true;
        return -1;
    case REPORT:
        f->report = o->value;
        return kl_perf_export_form_of(o->value)
                   ? -1
                   : kl_options_refuse(o, "a name that ends with .hgrm, .csv or .json is wanted");
    case JSON:
        f->json = true;
        return -1;
    case CPU_HOLD:
        f->cpu_hold = true;
        return -1;
    case PRINT_CONFIG:
        f->config.print = true;
        return -1;
    case QUIET:
        f->quiet = true;
        f->config.quiet = true;
        return -1;
    case PROGRESS:
        return kl_progress_parse(o->value, &f->progress)
                   ? -1
                   : kl_options_refuse(o, "auto, always or never is wanted");
    case TRANSACTIONAL:
        return kl_usage_error(COMMAND,
                              "%s: this producer has no transactions yet, so there is "
                              "nothing that could be measured",
                              o->flag);
    case KL_OPTIONS_HELP:
        kl_command_help(&kl_perf_command, stdout);
        return KL_EXIT_OK;
    case KL_OPTIONS_WORD:
        return kl_usage_error(COMMAND, "'%s' belongs to no flag", o->value);
    default:
        return KL_EXIT_USAGE;
    }
}

/* Two names of one thing: as in Kafka's tool they are not mixed. */
static int check_names(const perf_flags *f)
{
    if (f->old_props && f->new_props)
        return kl_usage_error(COMMAND, "--command-property and --producer-props: these are two "
                                       "names of the same, use one of them");
    if (f->old_file && f->new_file)
        return kl_usage_error(COMMAND, "--command-config and --producer.config: these are two "
                                       "names of the same, use one of them");
    return -1;
}

static int check_keys(const perf_flags *f)
{
    if (f->key_kind != KL_PERF_KEYS_NONE && !f->key_range)
        return kl_usage_error(COMMAND, "--key-distribution needs --record-key-range: how many "
                                       "keys there are");
    if (f->key_kind == KL_PERF_KEYS_NONE && f->key_range)
        return kl_usage_error(COMMAND, "--record-key-range goes with --key-distribution range or "
                                       "random");
    return -1;
}

/* What the flags say together. */
static int check_flags(const perf_flags *f)
{
    bool pieces = f->payload_file && f->delimiter_len == 0;
    int sources = (f->record_size >= 0 && !pieces) + (f->payload_file != NULL) + f->monotonic;
    if (!f->topic)
        return kl_usage_error(COMMAND, "--topic is missing");
    if (f->record_count == 0)
        return kl_usage_error(COMMAND, "--num-records is missing");
    if (sources != 1)
        return kl_usage_error(
            COMMAND, "exactly one of --record-size, --payload-file and --payload-monotonic is "
                     "wanted (with --payload-delimiter '' the first two go together)");
    if (pieces && f->record_size < 1)
        return kl_usage_error(COMMAND, "--payload-delimiter '' needs --record-size, at least 1: "
                                       "the size of the pieces");
    if (f->warmup_count >= f->record_count)
        return kl_usage_error(COMMAND, "--warmup-records %lld: fewer than --num-records are wanted",
                              (long long)f->warmup_count);
    if (f->bootstrap && f->sink)
        return kl_usage_error(COMMAND,
                              "--bootstrap-server and --sink: either there is a broker, or "
                              "one is started");
    if (f->partitions && !f->sink)
        return kl_usage_error(COMMAND, "--partitions goes with --sink; the partitions of a topic "
                                       "are made where the topic is made");
    return check_keys(f);
}

static int parse(perf_flags *f, int argc, char **argv)
{
    kl_options o;
    int code;
    kl_options_init(&o, COMMAND, options, OPTION_COUNT, argc, argv);
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;) {
        code = take(&o, f, id);
        if (code >= 0)
            return code;
    }
    if (!f->topic && f->sink)
        f->topic = SINK_TOPIC;
    code = check_names(f);
    if (code < 0 && !f->config.print)
        code = check_flags(f);
    return code;
}

/* ---- The payload ---- */

static int make_payload(const perf_flags *f, kl_perf_payload *payload)
{
    const char *why;
    if (f->monotonic) {
        why = kl_perf_payload_monotonic(payload);
    } else if (f->payload_file) {
        kloop_string delimiter = {f->delimiter, f->delimiter_len};
        why = kl_perf_payload_file(payload, f->payload_file, delimiter,
                                   f->record_size < 0 ? 0 : (size_t)f->record_size,
                                   (uint64_t)f->seed);
        if (why)
            return kl_usage_error(COMMAND, "--payload-file '%s': %s", f->payload_file, why);
    } else {
        why = kl_perf_payload_letters(payload, (size_t)f->record_size, (uint64_t)f->seed);
    }
    return why ? kl_usage_error(COMMAND, "the payload: %s", why) : -1;
}

/* ---- The report ---- */

static void print_stored(const kl_buf *line, FILE *to)
{
    if (line->len)
        fprintf(to, "the sink stored %.*s\n", (int)line->len, (const char *)line->data);
    else
        fprintf(to, "the sink had ended before, and does not tell what it stored\n");
}

static void report_for_people(const perf_flags *f, const kl_perf_result *r, uint64_t records)
{
    kl_terminal out;
    kl_terminal_look(&out, STDOUT_FILENO);
    kl_perf_print_summary(&r->all, r->end, records, stdout);
    if (f->histogram || out.is_terminal)
        kl_perf_print_histogram(&r->all.latency, &out, stdout);
    if (f->print_metrics && r->end)
        kl_perf_print_metrics(r->end, stdout);
}

static kl_perf_process process_of(const kl_perf_result *r, uint64_t records)
{
    kl_perf_process process = {.records = records,
                               .failed = r->failures.failed,
                               .unknown = r->failures.unknown,
                               .threads = r->threads,
                               .loop_hold_max_ns = r->loop_hold_max_ns,
                               .cpu_hold_max_ns = r->cpu_hold_max_ns};
    kl_perf_process_usage(&process);
    return process;
}

static void report(const perf_flags *f, const kl_perf_result *r, const kl_buf *stored, FILE *file)
{
    bool intended = f->rate > 0;
    uint64_t records = r->all.latency.count + r->failures.failed + r->failures.unknown;
    kl_perf_print_total(&r->all, "", stdout);
    kl_perf_print_percentiles(&r->all, intended, stdout);
    if (r->reached_steady) {
        kl_perf_print_total(&r->steady, " steady state", stdout);
        kl_perf_print_percentiles(&r->steady, intended, stdout);
    }
    report_for_people(f, r, records);
    if (f->sink)
        print_stored(stored, stdout);
    fflush(stdout);
    kl_failure_tally_print(&r->failures, COMMAND, stderr);
    kl_perf_process process = process_of(r, records);
    if (file)
        kl_perf_export(kl_perf_export_form_of(f->report), &r->all, &process, intended, file);
    if (f->json)
        kl_perf_print_json(&r->all, &process, intended, stdout);
    fflush(stdout);
}

/* false: it could not be written, which is said. */
static bool close_report(const perf_flags *f, FILE *file)
{
    if (!file)
        return true;
    bool fine = !ferror(file);
    if (fclose(file) == 0 && fine)
        return true;
    fprintf(stderr, "kloop perf: --report '%s': %s\n", f->report, strerror(errno));
    return false;
}

static int exit_code(const kl_perf_result *r)
{
    if (r->signal)
        return KL_EXIT_SIGNAL + r->signal;
    if (r->fatal)
        return KL_EXIT_FATAL;
    if (kl_failure_tally_any_taken(&r->failures) && !r->ever_let_in)
        return KL_EXIT_NO_BROKER;
    return kl_failure_tally_any(&r->failures) ? KL_EXIT_UNDELIVERED : KL_EXIT_OK;
}

/* false: likewise. */
static bool close_others(const perf_flags *f, kl_stats_file *stats, kl_trace_file *trace)
{
    int error = kl_stats_file_close(stats);
    if (error)
        fprintf(stderr, "kloop perf: --stats '%s': %s\n", f->stats, strerror(error));
    bool traced = kl_trace_file_close(trace);
    if (!traced)
        fprintf(stderr, "kloop perf: --trace '%s': not all of it could be written\n", f->trace);
    return !error && traced;
}

/* written: are the other files? */
static int finish(const perf_flags *f, const kl_perf_result *r, const kl_buf *stored, FILE *file,
                  bool written)
{
    report(f, r, stored, file);
    written = close_report(f, file) && written;
    if (!ferror(stdout))
        return written || exit_code(r) ? exit_code(r) : KL_EXIT_IO;
    fprintf(stderr, "kloop perf: standard output: %s\n", strerror(errno));
    return KL_EXIT_IO;
}

/* ---- Everything ---- */

static int run(const perf_flags *f, kloop_config **config, kl_perf_payload *payload)
{
    static kl_perf_result result; /* too large for the stack */
    kl_perf_keys keys;
    kl_sink_child child;
    kl_stats_file stats;
    kl_buf stored;
    char why[256];
    FILE *file = f->report ? fopen(f->report, "w") : NULL;
    if (f->report && !file)
        return kl_usage_error(COMMAND, "--report '%s': %s", f->report, strerror(errno));
    int error = kl_stats_file_open(&stats, f->stats);
    if (error)
        return kl_usage_error(COMMAND, "--stats '%s': %s", f->stats, strerror(error));
    kl_trace_file *trace = f->trace ? kl_trace_file_open(f->trace, why, sizeof why) : NULL;
    if (f->trace && !trace)
        return kl_usage_error(COMMAND, "--trace: %s", why);
    if (f->sink) {
        int32_t partitions = f->partitions ? (int32_t)f->partitions : SINK_PARTITIONS;
        if (!kl_sink_child_start(&child, f->topic, partitions, why, sizeof why))
            return kl_usage_error(COMMAND, "--sink: %s", why);
        kloop_config_set(*config, "bootstrap.servers", child.place);
    }
    if (f->warmup_count)
        printf("Warmup first %lld records. Steady state results will print after the complete test "
               "summary.\n",
               (long long)f->warmup_count);
    kl_perf_keys_init(&keys, f->key_kind, (uint64_t)f->key_range, (uint64_t)f->seed);
    kl_perf_job job = {.config = config,
                       .topic = f->topic,
                       .payload = payload,
                       .keys = &keys,
                       .record_count = (uint64_t)f->record_count,
                       .rate = f->rate,
                       .warmup_count = (uint64_t)f->warmup_count,
                       .interval_ms = (uint64_t)f->interval_ms,
                       .quiet = f->quiet,
                       .progress = f->progress,
                       .stats = &stats,
                       .trace = trace,
                       .cpu_hold = f->cpu_hold};
    bool ran = kl_perf_run(&job, &result);
    bool written = close_others(f, &stats, trace);
    kl_buf_init(&stored, &kl_mem_libc);
    if (f->sink)
        kl_sink_child_end(&child, &stored);
    int code = ran ? finish(f, &result, &stored, file, written) : KL_EXIT_USAGE;
    kl_buf_deinit(&stored);
    kloop_snapshot_del(result.end);
    return code;
}

static int configure_and_run(perf_flags *f)
{
    kl_perf_payload payload;
    /* With a sink, its place takes the place of this as soon as it is known. */
    if (f->sink && !kl_config_flags_set(&f->config, KL_CONFIG_FLAG, "bootstrap.servers",
                                        "127.0.0.1:9092", "--sink"))
        return KL_EXIT_USAGE;
    if (f->config.print)
        return kl_config_flags_show(&f->config, stdout);
    kloop_config *config = kl_config_flags_make(&f->config);
    if (!config)
        return KL_EXIT_USAGE;
    int code = make_payload(f, &payload);
    if (code < 0) {
        kl_config_flags_forget(&f->config);
        code = run(f, &config, &payload);
        kl_perf_payload_deinit(&payload);
    }
    kloop_config_del(config);
    return code;
}

/* A delimiter is never longer than what was typed for it. */
static size_t longest(int argc, char **argv)
{
    size_t max = 1;
    for (int i = 0; i < argc; i++) {
        if (strlen(argv[i]) > max)
            max = strlen(argv[i]);
    }
    return max;
}

static int run_command(int argc, char **argv)
{
    perf_flags f = {.record_size = -1, .interval_ms = INTERVAL_MS, .delimiter_len = 1};
    size_t room = longest(argc, argv);
    f.delimiter = kl_mem_alloc(&kl_mem_libc, room);
    if (!f.delimiter)
        return KL_EXIT_IO;
    f.delimiter[0] = '\n';
    kl_config_flags_init(&f.config, COMMAND);
    int code = KL_EXIT_USAGE;
    if (kl_config_flags_set(&f.config, KL_CONFIG_PRESET, "client.id", "perf-producer-client",
                            "kloop perf"))
        code = parse(&f, argc, argv);
    if (code < 0)
        code = configure_and_run(&f);
    kl_config_flags_deinit(&f.config);
    kl_mem_release(&kl_mem_libc, f.delimiter, room);
    return code;
}

const kl_command kl_perf_command = {
    .name = COMMAND,
    .summary = "measure a producer as kafka-producer-perf-test does",
    .run = run_command,
    .usage = "--topic TOPIC --num-records N --record-size BYTES -b HOST:PORT [FLAGS]\n",
    .about =
        "Sends records as kafka-producer-perf-test does, with its flags and its lines of report.\n",
    .options = options,
    .option_count = OPTION_COUNT,
    .notes = "Ctrl-C ends it, twice at once; SIGUSR1 prints what the producer looks like inside.\n",
    .examples =
        "kloop perf --sink --num-records 2000000 --record-size 100\n"
        "kloop perf --sink --num-records 3000 --record-size 100 --throughput 1000 -X linger.ms=0\n"
        "kloop perf -b localhost:9092 --topic t --num-records 100000 --record-size 1000 --json\n",
};
