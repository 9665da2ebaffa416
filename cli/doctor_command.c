/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kloop doctor`: flags and configuration into an order, findings into text or JSON, and the worst
 * of them into an exit code. The doctor is in doctor.c.
 */
#include "cli/doctor_command.h"

#include "base/now.h"
#include "cli/asking_flags.h"
#include "cli/doctor.h"
#include "cli/doctor_json.h"
#include "cli/doctor_live.h"
#include "cli/doctor_text.h"
#include "cli/exit_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define COMMAND   "doctor"
#define TIMEOUT_S 5
#define HOSTS     "/etc/hosts"

static const kl_option options[] = {
    {KL_ASKING_BOOTSTRAP, KL_OPTION_VALUE, 'b', "bootstrap-server", "HOST:PORT,...",
     "brokers to begin with"},
    {KL_ASKING_TOPIC, KL_OPTION_WORDS, 't', "topic", "TOPIC",
     "may records be sent to it? None is made, and none is sent"},
    {KL_ASKING_TIMEOUT, KL_OPTION_VALUE, 'm', "timeout", "SECONDS", "for each step (5)"},
    {KL_ASKING_JSON, KL_OPTION_SWITCH, 'J', "json", NULL, "one JSON object on one line"},
    {KL_ASKING_PROPS, KL_OPTION_WORDS, 'X', "command-property", "KEY=VALUE", "configuration"},
    {KL_ASKING_CONFIG_FILE, KL_OPTION_VALUE, 'F', "command-config", "FILE",
     "the same from a properties file, bootstrap.servers too"},
    {KL_ASKING_PRINT_CONFIG, KL_OPTION_SWITCH, 0, "print-config", NULL,
     "print every key, its value and where it came from, and end"},
    {KL_ASKING_QUIET, KL_OPTION_SWITCH, 'q', "quiet", NULL, "only what is not ok"},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

/* ---- Flags ---- */

/* -1: go on with the next flag. */
static int take(kl_options *o, kl_asking_flags *f, int id)
{
    switch (id) {
    case KL_OPTIONS_HELP:
        kl_command_help(&kl_doctor_command, stdout);
        return KL_EXIT_OK;
    case KL_OPTIONS_WORD:
        return kl_usage_error(COMMAND, "'%s' belongs to no flag; -b names a broker, -t a topic",
                              o->value);
    default:
        return kl_asking_flags_take(f, o, id);
    }
}

static int parse(kl_asking_flags *f, int argc, char **argv)
{
    kl_options o;
    kl_options_init(&o, COMMAND, options, OPTION_COUNT, argc, argv);
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;) {
        int code = take(&o, f, id);
        if (code >= 0)
            return code;
    }
    return -1;
}

static int no_memory(void)
{
    fprintf(stderr, "kloop doctor: there is no memory\n");
    return KL_EXIT_IO;
}

/* ---- The order ---- */

/* What of the configuration outlives the next question to it. */
typedef struct words {
    char *servers;
    char *client_id;
    char *version_max;
    char *protocol;
    char *mechanism;
} words;

static char *copy(kl_arena *arena, const kloop_config *config, const char *key)
{
    const char *text = kloop_config_get(config, key);
    char *p = kl_arena_alloc_bytes(arena, text ? strlen(text) + 1 : 1);
    return p ? strcpy(p, text ? text : "") : NULL;
}

static bool take_words(kl_arena *arena, const kloop_config *config, words *w)
{
    w->servers = copy(arena, config, "bootstrap.servers");
    w->client_id = copy(arena, config, "client.id");
    w->version_max = copy(arena, config, "api.version.max");
    w->protocol = copy(arena, config, "security.protocol");
    w->mechanism = copy(arena, config, "sasl.mechanism");
    return w->servers && w->client_id && w->version_max && w->protocol && w->mechanism;
}

static bool is_true(const kloop_config *config, const char *key)
{
    const char *value = kloop_config_get(config, key);
    return value && strcasecmp(value, "true") == 0;
}

static kl_doctor_order order_of(const kl_asking_flags *f, const kloop_config *config,
                                const words *w, const kl_security *security,
                                const kl_security *tls_alone)
{
    uint64_t step_ns = (uint64_t)(f->timeout_s * (double)KL_SECOND);
    return (kl_doctor_order){
        .dialog = {.client_id = kloop_text(w->client_id),
                   .lookup_ns = step_ns,
                   .connect_ns = step_ns,
                   .answer_ns = step_ns,
                   .version_max = w->version_max,
                   .security = security},
        .servers = w->servers,
        .protocol = w->protocol,
        .mechanism = security->mechanism ? w->mechanism : "",
        .topics = f->topics,
        .topic_count = f->topic_count,
        .idempotent = is_true(config, "enable.idempotence"),
        .makes_topics = is_true(config, "allow.auto.create.topics"),
        .tls_alone = tls_alone->tls ? tls_alone : NULL,
        .hosts = HOSTS,
        .now_ms = kl_security_now().wall_ms,
        .tick = kl_doctor_live_tick,
    };
}

/* ---- Findings ---- */

typedef struct page {
    const kl_asking_flags *flags;
    kl_doctor_live live;
    kl_terminal terminal;
} page;

static void on_group(void *me, const kl_doctor_group *group)
{
    page *p = me;
    kl_doctor_live_hide(&p->live);
    if (p->flags->json)
        return;
    kl_doctor_text_group(group, &p->terminal, p->flags->quiet, stdout);
    fflush(stdout);
}

static bool print_json(const kl_doctor *d, int code)
{
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    kl_doctor_json_append(d, code, &out);
    bool whole = !out.failed;
    if (whole)
        fwrite(out.data, 1, out.len, stdout);
    kl_buf_deinit(&out);
    return whole;
}

static int finish(const kl_asking_flags *f, const kl_doctor *d)
{
    int code =
        kl_doctor_report_outcome(&d->report) == KL_FINDING_FAILED ? KL_EXIT_NO_BROKER : KL_EXIT_OK;
    if (d->report.no_memory || (f->json && !print_json(d, code)))
        return no_memory();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "kloop doctor: standard output: %s\n", strerror(errno));
        return KL_EXIT_IO;
    }
    if (!f->quiet && !f->json) {
        fputs("kloop doctor: ", stderr);
        kl_doctor_text_sum(&d->report, stderr);
    }
    return code;
}

/*
 * TLS with the same settings, where security.protocol does not ask for it. Where there can be none,
 * nobody is asked in TLS.
 */
static void make_tls_alone(kl_asking_flags *f, const kl_security *security, kl_security *tls_alone)
{
    kloop_error error;
    *tls_alone = (kl_security){.tls = security->tls};
    if (security->tls)
        return;
    f->config.quiet = true;
    kloop_config *config =
        kl_config_flags_set(&f->config, KL_CONFIG_FLAG, "security.protocol", "SSL", COMMAND)
            ? kl_config_flags_make(&f->config)
            : NULL;
    if (config && kl_security_init(tls_alone, config, &error) != KLOOP_OK)
        kl_security_deinit(tls_alone);
    kloop_config_del(config);
}

static int examine(kl_asking_flags *f, kloop_config **config, const words *w,
                   const kl_security *security)
{
    kl_doctor d;
    page p = {.flags = f};
    kl_security tls_alone;
    make_tls_alone(f, security, &tls_alone);
    kl_doctor_order order = order_of(f, *config, w, security, &tls_alone);
    kl_config_flags_forget(&f->config);
    kloop_config_del(*config);
    *config = NULL;
    kl_doctor_live_init(&p.live, !f->quiet);
    kl_terminal_look(&p.terminal, STDOUT_FILENO);
    order.tick_me = &p.live;
    kl_doctor_init(&d, &order);
    kl_doctor_run(&d, on_group, &p);
    kl_doctor_live_hide(&p.live);
    int code = finish(f, &d);
    kl_doctor_deinit(&d);
    if (tls_alone.tls != security->tls)
        kl_security_deinit(&tls_alone);
    return code;
}

/* What is asked for by it is asked without it: secrets are in it. */
static int run_with(kl_asking_flags *f, kloop_config **config)
{
    kl_arena arena;
    words w;
    kl_security security;
    kloop_error error;
    int code;
    kl_arena_init(&arena, &kl_mem_libc);
    kloop_status status = kl_security_init(&security, *config, &error);
    if (status == KLOOP_OK && !f->quiet)
        kl_security_print_notes(&security, COMMAND);
    if (status == KLOOP_OK && take_words(&arena, *config, &w)) {
        code = examine(f, config, &w, &security);
    } else if (status == KLOOP_BAD_CONFIG) {
        fprintf(stderr, "kloop doctor: %s\n", error.text);
        code = KL_EXIT_USAGE;
    } else {
        code = no_memory();
    }
    kl_security_deinit(&security);
    kl_arena_deinit(&arena);
    return code;
}

static int run(kl_asking_flags *f)
{
    if (f->config.print)
        return kl_config_flags_show(&f->config, stdout);
    kloop_config *config = kl_config_flags_make(&f->config);
    if (!config)
        return KL_EXIT_USAGE;
    int code = run_with(f, &config);
    kloop_config_del(config);
    return code;
}

static int run_command(int argc, char **argv)
{
    kl_asking_flags f;
    if (!kl_asking_flags_init(&f, COMMAND, argc, TIMEOUT_S))
        return no_memory();
    int code = parse(&f, argc, argv);
    if (code < 0)
        code = run(&f);
    kl_asking_flags_deinit(&f);
    return code;
}

const kl_command kl_doctor_command = {
    .name = COMMAND,
    .summary = "what stands between here and a cluster: names, TLS, logins, permissions",
    .run = run_command,
    .usage = "-b HOST:PORT [-t TOPIC] [FLAGS]\n",
    .about =
        "Goes the way of a producer with the same configuration, step by step: to each entry of "
        "bootstrap.servers and\n"
        "then to each broker, where it says that it is. Every step has its time, and what to do "
        "where it fails: name,\n"
        "tcp, tls (with the certificates), versions, sasl, metadata, listener, producer_id, "
        "topic. Nothing is sent.\n",
    .options = options,
    .option_count = OPTION_COUNT,
    .notes = "The exit code is 0 when nothing failed, with or without warnings, 2 for a "
             "configuration that cannot be,\n"
             "and 3 when a step failed.\n",
    .examples = "kloop doctor -b localhost:9092 -t events\n"
                "kloop doctor -F client.properties --json | jq '.steps[] | select(.outcome != "
                "\"ok\")'\n"
                "kloop doctor -b kafka.example.com:9093 -X security.protocol=SSL "
                "ssl.truststore.location=ca.pem\n",
};
