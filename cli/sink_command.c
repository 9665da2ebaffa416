/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kloop sink`: flags, the model cluster they describe, and the line at the end that tells what was
 * stored. The sockets are in sink_server.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/sink_command.h"

#include "base/buf.h"
#include "base/nearest.h"
#include "base/now.h"
#include "base/prng.h"
#include "broker/truth.h"
#include "cli/exit_code.h"
#include "cli/host_port.h"
#include "cli/options.h"
#include "cli/sink_server.h"
#include "wiretools/json_write.h"

#include <kloop/wire.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMAND        "sink"
#define ERRORS_MAX     16
#define PARTITIONS_MAX 100000
#define DELAY_MS_MAX   3600000

enum { LISTEN = 1, TOPIC, AUTO_CREATE, DELAY, CHECK, DISCARD, ERROR, MAX_VERSION, QUIET };

static const kl_option options[] = {
    {LISTEN, KL_OPTION_VALUE, 0, "listen", "HOST:PORT",
     "where to listen (127.0.0.1:9092); port 0 takes any that is free"},
    {TOPIC, KL_OPTION_WORDS, 0, "topic", "NAME:PARTITIONS", "topics that are there from the start"},
    {AUTO_CREATE, KL_OPTION_VALUE, 0, "auto-create", "N",
     "make topics that a client asks for, with N partitions"},
    {DELAY, KL_OPTION_VALUE, 0, "delay-ms", "D",
     "send each answer D ms after its request came; 0.5 is possible"},
    {CHECK, KL_OPTION_SWITCH, 0, "check", NULL,
     "look at every CRC and record; complaints go to stderr, and the exit code is 1"},
    {DISCARD, KL_OPTION_SWITCH, 0, "discard", NULL, "count records, do not keep them"},
    {ERROR, KL_OPTION_WORDS, 0, "error", "CODE@RATE",
     "refuse batches: NOT_LEADER_OR_FOLLOWER@0.01, 19@5%"},
    {MAX_VERSION, KL_OPTION_WORDS, 0, "max-version", "API=V",
     "speak no later version of an API: Produce=7"},
    {QUIET, KL_OPTION_SWITCH, 0, "quiet", NULL, "nothing on stderr"},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

typedef struct refusal {
    int16_t code;
    uint32_t per_million;
} refusal;

typedef struct version_limit {
    int16_t key;
    int16_t min;
    int16_t max;
} version_limit;

/* What the command line asked for, and what runs. */
typedef struct sink {
    char host[KL_HOST_MAX];
    uint16_t port;
    char **topics; /* of argv */
    size_t topic_count;
    refusal refusals[ERRORS_MAX];
    size_t refusal_count;
    version_limit limits[ERRORS_MAX];
    size_t limit_count;
    bool quiet;
    kl_cluster_config config;
    kl_cluster *cluster;
    kl_prng prng;
    uv_loop_t loop;
    uv_signal_t signals[2];
    kl_sink_server *server;
} sink;

/* ---- Flags ---- */

static int parse_topic(char *word, kl_topic_config *topic)
{
    char *colon = strrchr(word, ':');
    char *end;
    *topic = (kl_topic_config){.name = word, .partitions = 1, .replication_factor = 1};
    if (colon) {
        errno = 0;
        long n = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end != '\0' || errno != 0 || n < 1 || n > PARTITIONS_MAX)
            return kl_usage_error(COMMAND,
                                  "--topic '%s': NAME:PARTITIONS is wanted, with 1 to %d "
                                  "partitions",
                                  word, PARTITIONS_MAX);
        topic->partitions = (int32_t)n;
        *colon = '\0';
    }
    if (kl_cluster_name_is_legal(word, strlen(word)))
        return KL_EXIT_OK;
    return kl_usage_error(COMMAND,
                          "--topic '%s': no name for a topic; 1 to 249 of a-z A-Z 0-9 . _ "
                          "and - are wanted",
                          word);
}

static int parse_refusal(const kl_options *o, refusal *refused)
{
    const char *at = strchr(o->value, '@');
    char *end;
    if (!at)
        return kl_options_refuse(o, "CODE@RATE is wanted, as in NOT_LEADER_OR_FOLLOWER@0.01");
    const kloop_broker_error *error =
        kloop_broker_error_find_name(o->value, (size_t)(at - o->value));
    if (!error) {
        long code = strtol(o->value, &end, 10);
        if (end == at && end != o->value && code >= INT16_MIN && code <= INT16_MAX)
            error = kloop_broker_error_find((int16_t)code);
    }
    if (!error || error->code == 0)
        return kl_options_refuse(o, "Kafka has no error of this name or number");
    double rate = strtod(at + 1, &end);
    if (end != at + 1 && *end == '%') {
        rate /= 100;
        end++;
    }
    if (end == at + 1 || *end != '\0' || !(rate >= 0 && rate <= 1))
        return kl_options_refuse(o, "the rate is wanted as 0 to 1, or as a percentage");
    *refused = (refusal){error->code, (uint32_t)(rate * 1e6 + 0.5)};
    return KL_EXIT_OK;
}

static int parse_version(const kl_options *o, version_limit *limit)
{
    char why[160];
    char *end;
    const char *equals = strchr(o->value, '=');
    size_t len = equals ? (size_t)(equals - o->value) : strlen(o->value);
    const kloop_api *api = kloop_api_find_name(o->value, len);
    if (!api || api->key < 0) {
        const char *near = NULL;
        for (size_t i = 0; i < kloop_api_count(); i++)
            near = kl_nearest_of(near, kloop_api_at(i)->name, (kloop_string){o->value, len});
        snprintf(why, sizeof why,
                 near ? "there is no such API, did you mean '%s'?"
                      : "there is no such API; kloop wire apis lists them%s",
                 near ? near : "");
        return kl_options_refuse(o, why);
    }
    long v = equals ? strtol(equals + 1, &end, 10) : 0;
    if (!equals || end == equals + 1 || *end != '\0' || v < api->min_version ||
        v > api->max_version) {
        snprintf(why, sizeof why, "%s=V is wanted, with V from %d to %d", api->name,
                 api->min_version, api->max_version);
        return kl_options_refuse(o, why);
    }
    *limit = (version_limit){api->key, api->min_version, (int16_t)v};
    return KL_EXIT_OK;
}

static void print_help(FILE *to)
{
    fputs(
        "usage: kloop sink [FLAGS]\n"
        "\n"
        "A Kafka broker in memory, for demos, tests and benchmarks. Any producer can use it. "
        "Prints "
        "\"listening on\n"
        "HOST:PORT\" when it is ready and, when SIGTERM or Ctrl-C ends it, one line of JSON: what "
        "was stored.\n"
        "\n",
        to);
    kl_options_list(options, OPTION_COUNT, to);
    fputs("\n"
          "examples:\n"
          "  kloop sink --topic events:6\n"
          "  kloop sink --listen 127.0.0.1:0 --auto-create 3 --delay-ms 10 --discard\n"
          "  kloop sink --topic events:6 --check --error NOT_LEADER_OR_FOLLOWER@1%\n",
          to);
}

/* -1: go on. */
static int parse(sink *s, int argc, char **argv)
{
    kl_options o;
    int64_t n;
    double ms;
    int code = KL_EXIT_OK;
    kl_options_init(&o, COMMAND, options, OPTION_COUNT, argc, argv);
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;) {
        switch (id) {
        case LISTEN:
            if (!kl_host_port_parse(o.value, s->host, &s->port))
                code = kl_options_refuse(&o, "HOST:PORT is wanted, as in 127.0.0.1:9092");
            break;
        case TOPIC:
            s->topics[s->topic_count++] = argv[o.at - 1];
            break;
        case AUTO_CREATE:
            if (!kl_options_number(&o, 0, PARTITIONS_MAX, &n))
                return KL_EXIT_USAGE;
            s->config.auto_create_partitions = (int32_t)n;
            break;
        case DELAY:
            if (!kl_options_decimal(&o, 0, DELAY_MS_MAX, &ms))
                return KL_EXIT_USAGE;
            s->config.answer_delay_ns = (int64_t)(ms * 1e6);
            break;
        case CHECK:
            s->config.check = true;
            break;
        case DISCARD:
            s->config.discard = true;
            break;
        case ERROR:
            if (s->refusal_count == ERRORS_MAX)
                return kl_options_refuse(&o, "too many of them");
            code = parse_refusal(&o, &s->refusals[s->refusal_count++]);
            break;
        case MAX_VERSION:
            if (s->limit_count == ERRORS_MAX)
                return kl_options_refuse(&o, "too many of them");
            code = parse_version(&o, &s->limits[s->limit_count++]);
            break;
        case QUIET:
            s->quiet = true;
            break;
        case KL_OPTIONS_HELP:
            print_help(stdout);
            return KL_EXIT_OK;
        case KL_OPTIONS_WORD:
            return kl_usage_error(COMMAND, "'%s' belongs to no flag", o.value);
        default:
            return KL_EXIT_USAGE;
        }
        if (code != KL_EXIT_OK)
            return code;
    }
    return -1;
}

/* ---- The cluster ---- */

static void on_produce(void *user, const kl_request_info *request, int32_t topic, int32_t partition,
                       const kloop_batch_header *batch, kl_produce_fate *fate)
{
    sink *s = user;
    (void)request;
    (void)topic;
    (void)partition;
    (void)batch;
    for (size_t i = 0; i < s->refusal_count && !fate->error_code; i++) {
        if (kl_prng_chance(&s->prng, s->refusals[i].per_million))
            fate->error_code = s->refusals[i].code;
    }
}

static void on_complaint(void *user, kl_complaint_kind kind, const char *text)
{
    sink *s = user;
    (void)kind;
    if (!s->quiet)
        fprintf(stderr, "kloop sink: %s\n", text);
}

static int64_t wall_ms_at_zero(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 - (int64_t)(uv_hrtime() / KL_MS);
}

static int make_cluster(sink *s)
{
    s->config.wall_ms_at_zero = wall_ms_at_zero();
    s->config.hooks.user = s;
    if (s->refusal_count > 0)
        s->config.hooks.on_produce = on_produce;
    s->config.hooks.on_complaint = on_complaint;
    s->cluster = kl_cluster_new(&s->config);
    if (!s->cluster) {
        fprintf(stderr, "kloop sink: there is no memory\n");
        return KL_EXIT_IO;
    }
    for (size_t i = 0; i < s->limit_count; i++)
        kl_cluster_set_versions(s->cluster, KL_SINK_NODE, s->limits[i].key, s->limits[i].min,
                                s->limits[i].max);
    for (size_t i = 0; i < s->topic_count; i++) {
        kl_topic_config topic;
        int32_t handle;
        int code = parse_topic(s->topics[i], &topic);
        if (code != KL_EXIT_OK)
            return code;
        switch (kl_cluster_add_topic(s->cluster, &topic, &handle)) {
        case KL_CLUSTER_OK:
            break;
        case KL_CLUSTER_EXISTS:
            return kl_usage_error(COMMAND, "--topic '%s' stands there twice", topic.name);
        default:
            fprintf(stderr, "kloop sink: there is no memory for topic '%s'\n", topic.name);
            return KL_EXIT_IO;
        }
    }
    return KL_EXIT_OK;
}

/* ---- The end ---- */

static uint64_t complaints(const kl_cluster *c)
{
    return kl_cluster_complaints(c, KL_COMPLAINT_SWALLOWED) +
           kl_cluster_complaints(c, KL_COMPLAINT_REFUSED) +
           kl_cluster_complaints(c, KL_COMPLAINT_PROTOCOL);
}

static void put_number(kl_json_writer *json, const char *key, uint64_t value)
{
    kl_json_write_key(json, key);
    kl_json_write_int64(json, (int64_t)value);
}

static void put_topic(kl_json_writer *json, const kl_cluster *c, int32_t topic)
{
    kl_topic_info info;
    kl_cluster_topic_info(c, topic, &info);
    kl_json_write_object_begin(json);
    kl_json_write_key(json, "topic");
    kl_json_write_string(json, info.name);
    kl_json_write_key(json, "next_offsets");
    kl_json_write_array_begin(json);
    for (int32_t p = 0; p < info.partitions; p++) {
        kl_partition_info partition;
        kl_cluster_partition_info(c, topic, p, &partition);
        kl_json_write_int64(json, partition.next_offset);
    }
    kl_json_write_array_end(json);
    kl_json_write_object_end(json);
}

/* One line of JSON on stdout: what was stored. */
static bool print_stored(const kl_cluster *c)
{
    kl_cluster_totals totals = kl_cluster_count(c);
    uint64_t records = 0, bytes = 0, batches = 0;
    for (int32_t t = 0; t < kl_cluster_topic_count(c); t++) {
        kl_topic_info info;
        kl_cluster_topic_info(c, t, &info);
        for (int32_t p = 0; p < info.partitions; p++) {
            kl_partition_info partition;
            kl_cluster_partition_info(c, t, p, &partition);
            records += partition.records;
            bytes += partition.bytes;
            batches += partition.batches;
        }
    }
    kl_buf out;
    kl_json_writer json;
    kl_buf_init(&out, &kl_mem_libc);
    kl_json_write_init(&json, &out);
    kl_json_write_object_begin(&json);
    put_number(&json, "records", records);
    put_number(&json, "bytes", bytes);
    put_number(&json, "batches", batches);
    put_number(&json, "duplicates", totals.duplicates);
    put_number(&json, "refused", totals.refused);
    put_number(&json, "requests", totals.requests);
    put_number(&json, "connections", totals.peers);
    put_number(&json, "complaints", complaints(c));
    kl_json_write_key(&json, "topics");
    kl_json_write_array_begin(&json);
    for (int32_t t = 0; t < kl_cluster_topic_count(c); t++)
        put_topic(&json, c, t);
    kl_json_write_array_end(&json);
    kl_json_write_object_end(&json);
    kl_buf_append_byte(&out, '\n');
    bool ok = kl_json_write_end(&json) && !out.failed &&
              fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    kl_buf_deinit(&out);
    return ok;
}

static void on_signal(uv_signal_t *handle, int number)
{
    sink *s = handle->data;
    (void)number;
    kl_sink_server_close(s->server);
    for (int i = 0; i < 2; i++) {
        if (!uv_is_closing((uv_handle_t *)&s->signals[i]))
            uv_close((uv_handle_t *)&s->signals[i], NULL);
    }
}

static int run(sink *s)
{
    static const int ends[] = {SIGTERM, SIGINT};
    char why[256];
    uv_loop_init(&s->loop);
    s->server = kl_sink_server_new(&s->loop, s->cluster, s->host, s->port, why, sizeof why);
    if (!s->server) {
        uv_loop_close(&s->loop);
        return kl_usage_error(COMMAND, "cannot listen: %s", why);
    }
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, ends[i]);
    }
    printf("listening on %s\n", kl_sink_server_place(s->server));
    if (fflush(stdout) != 0)
        on_signal(&s->signals[0], SIGTERM);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
    if (!print_stored(s->cluster)) {
        if (!s->quiet)
            fprintf(stderr, "kloop sink: standard output: %s\n", strerror(errno));
        return KL_EXIT_IO;
    }
    return s->config.check && complaints(s->cluster) > 0 ? KL_EXIT_UNDELIVERED : KL_EXIT_OK;
}

int kl_sink_command(int argc, char **argv)
{
    sink s = {.host = "127.0.0.1", .port = 9092};
    kl_cluster_config_init(&s.config);
    s.config.pipelined = true;
    s.config.check = false;
    kl_prng_init(&s.prng, 1);
    s.topics = kl_mem_zalloc(&kl_mem_libc, (size_t)argc + 1, sizeof *s.topics);
    if (!s.topics)
        return KL_EXIT_IO;
    /* The reader of stdout may be gone when the last line is written. */
    signal(SIGPIPE, SIG_IGN);
    int code = parse(&s, argc, argv);
    if (code < 0) {
        code = make_cluster(&s);
        if (code == KL_EXIT_OK)
            code = run(&s);
    }
    kl_cluster_del(s.cluster);
    kl_mem_release(&kl_mem_libc, s.topics, ((size_t)argc + 1) * sizeof *s.topics);
    return code;
}
