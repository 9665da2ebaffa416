/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kloop sink`: flags, the model cluster they describe, and the line at the end that tells what was
 * stored. The sockets are in sink_server.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/sink_command.h"

#include "base/mem.h"
#include "base/nearest.h"
#include "base/now.h"
#include "broker/login.h"
#include "broker/truth.h"
#include "cli/exit_code.h"
#include "cli/host_port.h"
#include "cli/live_line.h"
#include "cli/log_lines.h"
#include "cli/options.h"
#include "cli/sink_refusals.h"
#include "cli/sink_server.h"
#include "cli/sink_stored.h"

#include <kloop/wire.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMAND        "sink"
#define LIMITS_MAX     16
#define PARTITIONS_MAX 100000
#define DELAY_MS_MAX   3600000
#define SESSION_MS_MAX 86400000
#define ITERATIONS_MAX 100000000
#define NAME_SIZE      250 /* of a topic, with its terminator */

enum {
    LISTEN = 1,
    TOPIC,
    AUTO_CREATE,
    DELAY,
    CHECK,
    DISCARD,
    ERROR,
    MAX_VERSION,
    USER,
    SESSION,
    ITERATIONS,
    PROGRESS,
    QUIET
};

static const kl_option options[] = {
    {LISTEN, KL_OPTION_VALUE, 0, "listen", "HOST:PORT",
     "where to listen (127.0.0.1:9092); port 0 takes any that is free"},
    {TOPIC, KL_OPTION_WORDS, 't', "topic", "NAME:PARTITIONS",
     "topics that are there from the start"},
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
    {USER, KL_OPTION_WORDS, 0, "user", "NAME:PASSWORD",
     "let in these alone, by SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, without TLS"},
    {SESSION, KL_OPTION_VALUE, 0, "session-ms", "N",
     "end their sessions after N ms: clients have to authenticate anew before that"},
    {ITERATIONS, KL_OPTION_VALUE, 0, "scram-iterations", "N",
     "what a login by SCRAM costs both sides (4096)"},
    {PROGRESS, KL_OPTION_VALUE, 0, "progress", "auto|always|never",
     "the live line on stderr: auto is where that is a terminal"},
    {QUIET, KL_OPTION_SWITCH, 'q', "quiet", NULL, "nothing on stderr"},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

typedef struct version_limit {
    int16_t key;
    int16_t min;
    int16_t max;
} version_limit;

/* What the command line asked for, and what runs. */
typedef struct sink {
    char host[KL_HOST_MAX];
    uint16_t port;
    const char **topics; /* of argv */
    size_t topic_count;
    const char **users; /* of argv */
    size_t user_count;
    kl_login_config login;
    kl_sink_refusals *refusals; /* NULL: none are wanted */
    version_limit limits[LIMITS_MAX];
    size_t limit_count;
    bool quiet;
    kl_progress progress;
    kl_cluster_config config;
    kl_cluster *cluster;
    uv_loop_t loop;
    uv_signal_t signals[2];
    kl_sink_server *server;
    kl_live_line live;
    kl_log_lines log;
    char note[64];       /* of the live line */
    bool said_no_groups; /* that nobody coordinates anything here */
} sink;

/* ---- Flags ---- */

static int parse_topic(const char *word, char name[NAME_SIZE], kl_topic_config *topic)
{
    const char *colon = strrchr(word, ':');
    size_t len = colon ? (size_t)(colon - word) : strlen(word);
    char *end;
    *topic = (kl_topic_config){.name = name, .partitions = 1, .replication_factor = 1};
    if (colon) {
        errno = 0;
        long n = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end != '\0' || errno != 0 || n < 1 || n > PARTITIONS_MAX)
            return kl_usage_error(COMMAND,
                                  "--topic '%s': NAME:PARTITIONS is wanted, with 1 to %d "
                                  "partitions",
                                  word, PARTITIONS_MAX);
        topic->partitions = (int32_t)n;
    }
    if (!kl_cluster_name_is_legal(word, len))
        return kl_usage_error(COMMAND,
                              "--topic '%.*s': no name for a topic; 1 to 249 of a-z A-Z 0-9 . _ "
                              "and - are wanted",
                              (int)len, word);
    memcpy(name, word, len);
    name[len] = '\0';
    return KL_EXIT_OK;
}

/* Where the password begins; NULL: it is no NAME:PASSWORD. */
static const char *password_of(const char *word)
{
    const char *colon = strchr(word, ':');
    if (!colon || colon == word || (size_t)(colon - word) > KL_LOGIN_NAME_MAX || !colon[1] ||
        strlen(colon + 1) > KL_LOGIN_NAME_MAX)
        return NULL;
    return colon + 1;
}

static int take_user(sink *s, const char *word)
{
    /* What stands there may be a password: it is not said again. */
    if (!password_of(word))
        return kl_usage_error(COMMAND, "--user: NAME:PASSWORD is wanted, each of 1 to %d bytes",
                              KL_LOGIN_NAME_MAX);
    s->users[s->user_count++] = word;
    s->login.mechanisms = KL_LOGIN_PLAIN | KL_LOGIN_SCRAM_SHA_256 | KL_LOGIN_SCRAM_SHA_512;
    return KL_EXIT_OK;
}

static int take_refusal(sink *s, const kl_options *o)
{
    if (!s->refusals)
        s->refusals = kl_sink_refusals_new();
    const char *why =
        s->refusals ? kl_sink_refusals_add(s->refusals, o->value) : "there is no memory";
    return why ? kl_options_refuse(o, why) : KL_EXIT_OK;
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
            if (!kl_host_port_parse(kloop_text(o.value), s->host, &s->port))
                code = kl_options_refuse(&o, "HOST:PORT is wanted, as in 127.0.0.1:9092");
            break;
        case TOPIC:
            s->topics[s->topic_count++] = o.value;
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
            code = take_refusal(s, &o);
            break;
        case MAX_VERSION:
            if (s->limit_count == LIMITS_MAX)
                return kl_options_refuse(&o, "too many of them");
            code = parse_version(&o, &s->limits[s->limit_count++]);
            break;
        case USER:
            code = take_user(s, o.value);
            break;
        case SESSION:
            if (!kl_options_number(&o, 1, SESSION_MS_MAX, &s->login.reauth_ms))
                return KL_EXIT_USAGE;
            break;
        case ITERATIONS:
            if (!kl_options_number(&o, 1, ITERATIONS_MAX, &n))
                return KL_EXIT_USAGE;
            s->login.scram_iterations = (int32_t)n;
            break;
        case PROGRESS:
            if (!kl_progress_parse(o.value, &s->progress))
                return kl_options_refuse(&o, "auto, always or never is wanted");
            break;
        case QUIET:
            s->quiet = true;
            break;
        case KL_OPTIONS_HELP:
            kl_command_help(&kl_sink_command, stdout);
            return KL_EXIT_OK;
        case KL_OPTIONS_WORD:
            return kl_usage_error(COMMAND, "'%s' belongs to no flag", o.value);
        default:
            return KL_EXIT_USAGE;
        }
        if (code != KL_EXIT_OK)
            return code;
    }
    if (s->login.reauth_ms > 0 && s->user_count == 0)
        return kl_usage_error(COMMAND, "--session-ms says when sessions end, and without --user "
                                       "there are none");
    return -1;
}

/* ---- The cluster ---- */

static void on_produce(void *user, const kl_request_info *request, int32_t topic, int32_t partition,
                       const kloop_batch_header *batch, kl_produce_fate *fate)
{
    sink *s = user;
    (void)request;
    fate->error_code = kl_sink_refusals_judge(s->refusals, topic, partition, batch);
}

static void on_complaint(void *user, kl_complaint_kind kind, const char *text)
{
    sink *s = user;
    (void)kind;
    kl_log_lines_add(&s->log, KLOOP_LOG_WARN, text);
}

/* Kafka's answers to these are as good as none for a client, and it would go on asking in silence.
 */
static void on_request(void *user, const kl_request_info *request, kl_request_fate *fate)
{
    sink *s = user;
    (void)fate;
    if (request->api_key != KLOOP_FIND_COORDINATOR || s->said_no_groups)
        return;
    s->said_no_groups = true;
    kl_log_lines_add(&s->log, KLOOP_LOG_WARN,
                     "a client looks for a coordinator (FindCoordinator): it wants transactions or "
                     "a consumer group, and there are neither here");
}

static int64_t wall_ms_at_zero(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 - (int64_t)(uv_hrtime() / KL_MS);
}

static bool add_users(sink *s)
{
    for (size_t i = 0; i < s->user_count; i++) {
        char name[KL_LOGIN_NAME_MAX + 1];
        const char *password = password_of(s->users[i]);
        size_t len = (size_t)(password - s->users[i]) - 1;
        memcpy(name, s->users[i], len);
        name[len] = '\0';
        if (kl_cluster_set_user(s->cluster, KL_SINK_NODE, name, password) != KL_CLUSTER_OK)
            return false;
    }
    return kl_cluster_set_login(s->cluster, KL_SINK_NODE, &s->login) == KL_CLUSTER_OK;
}

static int make_cluster(sink *s)
{
    s->config.wall_ms_at_zero = wall_ms_at_zero();
    s->config.hooks.user = s;
    if (s->refusals)
        s->config.hooks.on_produce = on_produce;
    s->config.hooks.on_request = on_request;
    s->config.hooks.on_complaint = on_complaint;
    s->cluster = kl_cluster_new(&s->config);
    if (!s->cluster || !add_users(s)) {
        fprintf(stderr, "kloop sink: there is no memory\n");
        return KL_EXIT_IO;
    }
    for (size_t i = 0; i < s->limit_count; i++)
        kl_cluster_set_versions(s->cluster, KL_SINK_NODE, s->limits[i].key, s->limits[i].min,
                                s->limits[i].max);
    for (size_t i = 0; i < s->topic_count; i++) {
        char name[NAME_SIZE];
        kl_topic_config topic;
        int32_t handle;
        int code = parse_topic(s->topics[i], name, &topic);
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

static void on_signal(uv_signal_t *handle, int number)
{
    sink *s = handle->data;
    (void)number;
    kl_sink_server_close(s->server);
    kl_live_line_close(&s->live);
    for (int i = 0; i < 2; i++) {
        if (!uv_is_closing((uv_handle_t *)&s->signals[i]))
            uv_close((uv_handle_t *)&s->signals[i], NULL);
    }
}

static void on_figures(void *me, kl_live_figures *figures)
{
    sink *s = me;
    kl_sink_sums sums = kl_sink_stored_sums(s->cluster);
    kl_cluster_totals totals = kl_cluster_count(s->cluster);
    figures->delivered = sums.records;
    figures->delivered_bytes = sums.bytes;
    if (sums.complaints > 0)
        snprintf(s->note, sizeof s->note, "%llu complaints", (unsigned long long)sums.complaints);
    else if (totals.refused > 0)
        snprintf(s->note, sizeof s->note, "%llu batches refused",
                 (unsigned long long)totals.refused);
    else if (kl_sink_server_connections(s->server) == 0)
        snprintf(s->note, sizeof s->note, "waiting for a client");
    else
        return;
    figures->note = s->note;
}

/* What runs well and is of no use. */
static void say_no_topics(sink *s)
{
    if (s->topic_count == 0 && s->config.auto_create_partitions == 0)
        kl_log_lines_add(&s->log, KLOOP_LOG_WARN,
                         "there are no topics, and none will be made: --topic NAME:PARTITIONS or "
                         "--auto-create N is missing");
}

static int serve(sink *s)
{
    static const int ends[] = {SIGTERM, SIGINT};
    kl_live_how how = {.command = COMMAND, .progress = s->progress, .quiet = s->quiet};
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, ends[i]);
    }
    printf("listening on %s\n", kl_sink_server_place(s->server));
    bool told = fflush(stdout) == 0;
    say_no_topics(s);
    kl_live_line_start(&s->live, &s->loop, &how, on_figures, s);
    if (!told)
        on_signal(&s->signals[0], SIGTERM);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    if (!s->quiet)
        kl_log_lines_end(&s->log);
    if (!kl_sink_stored_print(s->cluster, stdout)) {
        if (!s->quiet)
            fprintf(stderr, "kloop sink: standard output: %s\n", strerror(errno));
        return KL_EXIT_IO;
    }
    bool faulty = s->config.check && kl_sink_stored_sums(s->cluster).complaints > 0;
    return faulty ? KL_EXIT_UNDELIVERED : KL_EXIT_OK;
}

static int run(sink *s)
{
    char why[400];
    uv_loop_init(&s->loop);
    s->server = kl_sink_server_new(&s->loop, s->cluster, s->host, s->port, why, sizeof why);
    int code = s->server ? serve(s) : kl_usage_error(COMMAND, "cannot listen: %s", why);
    uv_loop_close(&s->loop);
    return code;
}

static int run_command(int argc, char **argv)
{
    sink s = {.host = "127.0.0.1", .port = 9092};
    kl_cluster_config_init(&s.config);
    kl_login_config_init(&s.login);
    s.config.pipelined = true;
    s.config.check = false;
    s.topics = kl_mem_zalloc(&kl_mem_libc, (size_t)argc + 1, sizeof *s.topics);
    s.users = kl_mem_zalloc(&kl_mem_libc, (size_t)argc + 1, sizeof *s.users);
    if (!s.topics || !s.users)
        return KL_EXIT_IO;
    /* The reader of stdout may be gone when the last line is written. */
    signal(SIGPIPE, SIG_IGN);
    int code = parse(&s, argc, argv);
    if (code < 0) {
        kl_log_lines_init(&s.log, COMMAND, s.quiet);
        s.log.live = &s.live;
        code = make_cluster(&s);
        if (code == KL_EXIT_OK)
            code = run(&s);
    }
    kl_cluster_del(s.cluster);
    kl_sink_refusals_del(s.refusals);
    kl_mem_release(&kl_mem_libc, s.topics, ((size_t)argc + 1) * sizeof *s.topics);
    kl_mem_release(&kl_mem_libc, s.users, ((size_t)argc + 1) * sizeof *s.users);
    return code;
}

const kl_command kl_sink_command = {
    .name = COMMAND,
    .summary = "a Kafka broker in memory",
    .run = run_command,
    .usage = "[FLAGS]\n",
    .about = "A Kafka broker in memory, for demos, tests and benchmarks. Any producer can use it. "
             "Prints \"listening on\n"
             "HOST:PORT\" when it is ready and, when SIGTERM or Ctrl-C ends it, one line of JSON: "
             "what was stored.\n",
    .options = options,
    .option_count = OPTION_COUNT,
    .examples = "kloop sink --topic events:6\n"
                "kloop sink --listen 127.0.0.1:0 --auto-create 3 --delay-ms 10 --discard\n"
                "kloop sink --topic events:6 --check --error NOT_LEADER_OR_FOLLOWER@1%\n"
                "kloop sink --topic events:6 --user alice:secret --session-ms 5000\n",
};
