/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kloop meta`: flags and configuration into a question, the answer into text or JSON, and what
 * became of it into an exit code. The asking is in meta_ask.c.
 */
#include "cli/meta_command.h"

#include "base/now.h"
#include "cli/asking_flags.h"
#include "cli/exit_code.h"
#include "cli/meta_json.h"
#include "cli/meta_picture.h"
#include "cli/meta_text.h"
#include "cli/meta_versions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND   "meta"
#define TIMEOUT_S 10

enum { API = KL_ASKING_MORE, LIST };

static const kl_option options[] = {
    {KL_ASKING_BOOTSTRAP, KL_OPTION_VALUE, 'b', "bootstrap-server", "HOST:PORT,...",
     "brokers to begin with"},
    {KL_ASKING_TOPIC, KL_OPTION_WORDS, 't', "topic", "TOPIC",
     "these topics only; none is made by asking"},
    {API, KL_OPTION_SWITCH, 0, "api", NULL,
     "ask every broker for its API versions, too, and show what kloop speaks with it"},
    {KL_ASKING_JSON, KL_OPTION_SWITCH, 'J', "json", NULL,
     "one JSON object on one line, with kcat's names"},
    {KL_ASKING_TIMEOUT, KL_OPTION_VALUE, 'm', "timeout", "SECONDS", "for everything together (10)"},
    {KL_ASKING_PROPS, KL_OPTION_WORDS, 'X', "command-property", "KEY=VALUE", "configuration"},
    {KL_ASKING_CONFIG_FILE, KL_OPTION_VALUE, 'F', "command-config", "FILE",
     "the same from a properties file"},
    {KL_ASKING_PRINT_CONFIG, KL_OPTION_SWITCH, 0, "print-config", NULL,
     "print every key, its value and where it came from, and end"},
    {KL_ASKING_QUIET, KL_OPTION_SWITCH, 'q', "quiet", NULL, "nothing on stderr but what ends it"},
    {LIST, KL_OPTION_SWITCH, 'L', NULL, NULL, "nothing: it is what kcat wants to hear"},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

typedef struct meta_flags {
    kl_asking_flags asking;
    bool api;
} meta_flags;

/* ---- Flags ---- */

/* -1: go on with the next flag. */
static int take(kl_options *o, meta_flags *f, int id)
{
    switch (id) {
    case API:
        f->api = true;
        return -1;
    case LIST:
        return -1;
    case KL_OPTIONS_HELP:
        kl_command_help(&kl_meta_command, stdout);
        return KL_EXIT_OK;
    case KL_OPTIONS_WORD:
        return kl_usage_error(
            COMMAND, "'%s' belongs to no flag; -t asks for a topic, -b names a broker", o->value);
    default:
        return kl_asking_flags_take(&f->asking, o, id);
    }
}

static int parse(meta_flags *f, int argc, char **argv)
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

/* ---- The question ---- */

static uint64_t span_ns(kloop_config *config, const char *key)
{
    return kl_ms_to_ns(strtoll(kloop_config_get(config, key), NULL, 10));
}

/* What of the configuration outlives the next question to it. */
typedef struct words {
    char *servers;
    char *client_id;
    char *version_max;
} words;

static char *copy(kl_arena *arena, const char *text)
{
    char *p = kl_arena_alloc_bytes(arena, strlen(text) + 1);
    return p ? strcpy(p, text) : NULL;
}

static bool take_words(kl_arena *arena, kloop_config *config, words *w)
{
    w->servers = copy(arena, kloop_config_get(config, "bootstrap.servers"));
    w->client_id = copy(arena, kloop_config_get(config, "client.id"));
    w->version_max = copy(arena, kloop_config_get(config, "api.version.max"));
    return w->servers && w->client_id && w->version_max;
}

static kl_meta_question question_of(const meta_flags *f, kloop_config *config, const words *w,
                                    const kl_security *security)
{
    return (kl_meta_question){
        .dialog = {.client_id = kloop_text(w->client_id),
                   .connect_ns = span_ns(config, "socket.connection.setup.timeout.ms"),
                   .answer_ns = span_ns(config, "request.timeout.ms"),
                   .version_max = w->version_max,
                   .security = security},
        .servers = w->servers,
        .topics = f->asking.topics,
        .topic_count = f->asking.topic_count,
        .versions = f->api,
        .timeout_ns = (uint64_t)(f->asking.timeout_s * (double)KL_SECOND),
    };
}

/* ---- The answer ---- */

static int no_memory(void)
{
    fprintf(stderr, "kloop meta: there is no memory\n");
    return KL_EXIT_IO;
}

static int say_nobody(const meta_flags *f, const kl_meta_answer *a)
{
    bool late = false;
    fprintf(stderr, "kloop meta: no broker has answered\n");
    for (size_t i = 0; i < a->entry_count; i++) {
        late |= kl_dialog_is_busy(a->entries[i]);
        fprintf(stderr, "  %s: %s\n", kl_dialog_place(a->entries[i]), kl_dialog_why(a->entries[i]));
    }
    if (late)
        fprintf(stderr, "That was all in %g s; --timeout gives more.\n", f->asking.timeout_s);
    if (!f->asking.quiet)
        fprintf(stderr, "kloop doctor with the same -b, -F and -X says more, and what to do.\n");
    return KL_EXIT_NO_BROKER;
}

static bool print_json(const kl_meta_picture *p, const kl_meta_question *q, const words *w)
{
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    kl_meta_json_append(p, q, w->version_max, &out);
    bool whole = !out.failed;
    if (whole)
        fwrite(out.data, 1, out.len, stdout);
    kl_buf_deinit(&out);
    return whole;
}

static int show(const meta_flags *f, const kl_meta_question *q, const words *w,
                const kl_meta_picture *p)
{
    if (f->asking.json) {
        if (!print_json(p, q, w))
            return no_memory();
    } else {
        kl_meta_text_print(p, stdout);
        if (f->api)
            kl_meta_versions_print(p, w->version_max, stdout);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "kloop meta: standard output: %s\n", strerror(errno));
        return KL_EXIT_IO;
    }
    if (!f->asking.config.quiet)
        kl_meta_text_print_troubles(p, stderr);
    bool asked_and_refused = f->asking.topic_count > 0 && p->refused_topic_count > 0;
    return asked_and_refused || p->silent_broker_count > 0 ? KL_EXIT_UNDELIVERED : KL_EXIT_OK;
}

static int ask_and_show(const meta_flags *f, const kl_meta_question *q, const words *w)
{
    kl_meta_answer answer;
    kl_meta_picture picture;
    int code;
    switch (kl_meta_ask(q, &answer)) {
    case KL_META_ANSWERED:
        code = kl_meta_picture_make(&picture, q, &answer) ? show(f, q, w, &picture) : no_memory();
        kl_meta_picture_deinit(&picture);
        break;
    case KL_META_NOBODY:
        code = say_nobody(f, &answer);
        break;
    default:
        code = no_memory();
        break;
    }
    kl_meta_answer_deinit(&answer);
    return code;
}

static int run(meta_flags *f)
{
    kl_arena arena;
    words w;
    kl_security security;
    kloop_error error;
    if (f->asking.config.print)
        return kl_config_flags_show(&f->asking.config, stdout);
    kloop_config *config = kl_config_flags_make(&f->asking.config);
    if (!config)
        return KL_EXIT_USAGE;
    int code;
    kl_arena_init(&arena, &kl_mem_libc);
    kloop_status status = kl_security_init(&security, config, &error);
    if (status == KLOOP_OK && !f->asking.quiet)
        kl_security_print_notes(&security, COMMAND);
    if (status == KLOOP_OK && take_words(&arena, config, &w)) {
        kl_meta_question q = question_of(f, config, &w, &security);
        kl_config_flags_forget(&f->asking.config);
        kloop_config_del(config);
        config = NULL;
        code = ask_and_show(f, &q, &w);
    } else if (status == KLOOP_BAD_CONFIG) {
        fprintf(stderr, "kloop meta: %s\n", error.text);
        code = KL_EXIT_USAGE;
    } else {
        code = no_memory();
    }
    kl_security_deinit(&security);
    kl_arena_deinit(&arena);
    kloop_config_del(config);
    return code;
}

static int run_command(int argc, char **argv)
{
    meta_flags f = {.api = false};
    if (!kl_asking_flags_init(&f.asking, COMMAND, argc, TIMEOUT_S))
        return no_memory();
    int code = parse(&f, argc, argv);
    if (code < 0)
        code = run(&f);
    kl_asking_flags_deinit(&f.asking);
    return code;
}

const kl_command kl_meta_command = {
    .name = COMMAND,
    .summary = "what a cluster looks like: brokers, topics, partitions, versions",
    .run = run_command,
    .usage = "-b HOST:PORT [FLAGS]\n",
    .about =
        "Lists the brokers, topics and partitions of a cluster in the lines of kcat -L, with a "
        "! where something is\n"
        "not as it should be: a partition without a leader, replicas that are not in sync, a "
        "topic with an error.\n",
    .options = options,
    .option_count = OPTION_COUNT,
    .notes = "The exit code is 1 when a topic that -t names cannot be shown or, with --api, a "
             "broker cannot be asked; 3\n"
             "when no broker has answered. Then each host and address that was tried is named.\n",
    .examples = "kloop meta -b localhost:9092\n"
                "kloop meta -b localhost:9092 -t events --json | jq '.topics[].partitions[] | "
                "select(.under_replicated)'\n"
                "kloop meta -b localhost:9092 --api\n",
};
