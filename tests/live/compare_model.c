/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model cluster held against real Kafka nodes: the same scripts with both, and every line of
 * their transcripts compared.
 *
 *     compare_model --topics NODES              what the real nodes must have: NAME PARTITIONS
 * KEY=VALUE compare_model HOST:PORT[,...] [SCRIPT]    compares; ends with 1 if anything differs
 * that is not among the known differences below compare_model --transcript HOST:PORT[,...] [SCRIPT]
 * only what the real nodes say
 *     compare_model --logins | --sessions HOST:PORT       likewise, of a listener that wants SASL
 */
#include "tests/live/kafka_side.h"
#include "tests/live/model_side.h"
#include "tests/live/scripts.h"
#include "tests/live/trial.h"

#include <stdlib.h>
#include <string.h>

/* They are made anew for each comparison: offsets start at 0 on both sides. */
static const kl_shared_topic topics[] = {
    {.name = "cmp.plain", .partitions = 2, .config = ""},
    {.name = "cmp.small",
     .partitions = 1,
     .config = "max.message.bytes=2000",
     .message_max_bytes = 2000},
    {.name = "cmp.stamped",
     .partitions = 1,
     .config = "message.timestamp.type=LogAppendTime",
     .append_time = true},
    {.name = "cmp.compacted",
     .partitions = 1,
     .config = "cleanup.policy=compact",
     .compacted = true},
    {.name = "cmp.strict", .partitions = 1, .config = "min.insync.replicas=5", .min_isr = 5},
};
#define TOPIC_COUNT (sizeof topics / sizeof topics[0])

/* Where the model is meant to differ. A row that fits nothing is a fault, too. */
static const struct known {
    const char *script;
    const char *step; /* its beginning */
    const char *reason;
} known_differences[] = {
    {"broken bodies", "count -2",
     "kloop's decoder takes -1 alone for null, Kafka's any number below 0"},
    {"broken bodies", "a name that is no UTF-8",
     "kloop's decoder refuses it, Kafka's puts in question marks"},
    {"broken bodies", "a bool of 2", "kloop's decoder refuses it, Kafka's takes it for true"},
    {"batch headers", "length 7fffffff",
     "in Java 12 and this length are a negative sum, an error of another kind"},
    {"batch codecs", "gzip, bytes behind",
     "kloop's unpacker wants nothing behind the stream; Kafka's looks no further"},
    {"batch codecs", "lz4, bytes behind", "likewise"},
    {"record fields", "gzip, size one less",
     "where Kafka need not see the key it skips through packed records by their fields; kloop's "
     "model reads them all"},
    {"record fields", "gzip, size one more", "likewise"},
    {"record fields", "gzip, size -1", "likewise"},
};
#define KNOWN_COUNT (sizeof known_differences / sizeof known_differences[0])

static unsigned known_used[KNOWN_COUNT];

/* ---- Comparing ---- */

typedef struct lines {
    char **at;
    size_t count;
} lines;

/* Cuts the text into its lines. */
static lines cut(char *text)
{
    lines all = {NULL, 0};
    for (char *end; (end = strchr(text, '\n')); text = end + 1) {
        *end = 0;
        all.at = realloc(all.at, (all.count + 1) * sizeof *all.at);
        if (!all.at)
            abort();
        all.at[all.count++] = text;
    }
    return all;
}

/* The step of a line: how many bytes of it. Labels have no ": " in them but at their end. */
static size_t step_len(const char *line)
{
    return (size_t)(strstr(line, ": ") - line);
}

static size_t end_of_step(const lines *all, size_t from)
{
    size_t len = step_len(all->at[from]), to = from;
    while (to < all->count && step_len(all->at[to]) == len &&
           memcmp(all->at[to], all->at[from], len) == 0)
        to++;
    return to;
}

static bool is_known(const char *script, const char *step)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        const struct known *k = &known_differences[i];
        if (strcmp(k->script, script) == 0 && strncmp(step, k->step, strlen(k->step)) == 0) {
            known_used[i]++;
            return true;
        }
    }
    return false;
}

/* One step's lines, or nothing but those that differ if both sides have as many. */
static void print_step(const lines *kafka, size_t i, size_t i_end, const lines *model, size_t j,
                       size_t j_end)
{
    bool paired = i_end - i == j_end - j;
    for (size_t n = i; n < i_end; n++) {
        if (!paired || strcmp(kafka->at[n], model->at[j + n - i]) != 0)
            printf("    kafka  %s\n", kafka->at[n] + step_len(kafka->at[n]) + 2);
    }
    for (size_t n = j; n < j_end; n++) {
        if (!paired || strcmp(model->at[n], kafka->at[i + n - j]) != 0)
            printf("    model  %s\n", model->at[n] + step_len(model->at[n]) + 2);
    }
}

/* Both texts have the same steps in the same order, as they come from the same script. */
static unsigned compare(const char *script, char *kafka_text, char *model_text, unsigned *steps)
{
    lines kafka = cut(kafka_text), model = cut(model_text);
    unsigned differences = 0;
    for (size_t i = 0, j = 0; i < kafka.count || j < model.count; ++*steps) {
        size_t i_end = i < kafka.count ? end_of_step(&kafka, i) : i;
        size_t j_end = j < model.count ? end_of_step(&model, j) : j;
        const char *line = i < i_end ? kafka.at[i] : model.at[j];
        if (i == i_end || j == j_end || step_len(kafka.at[i]) != step_len(model.at[j]) ||
            memcmp(kafka.at[i], model.at[j], step_len(line)) != 0) {
            printf("DIFFERS  %s: another step than %.*s\n", script, (int)step_len(line), line);
            differences++;
            break;
        }
        bool same = i_end - i == j_end - j;
        for (size_t n = 0; same && n < i_end - i; n++)
            same = strcmp(kafka.at[i + n], model.at[j + n]) == 0;
        if (!same && !is_known(script, line)) {
            printf("DIFFERS  %s: %.*s\n", script, (int)step_len(line), line);
            print_step(&kafka, i, i_end, &model, j, j_end);
            differences++;
        }
        i = i_end;
        j = j_end;
    }
    free(kafka.at);
    free(model.at);
    return differences;
}

/* ---- Running ---- */

static void run(const kl_script *script, const kl_side *side, kl_side_names *names, kl_talk *talk)
{
    kl_talk_begin(talk, side);
    talk->unprobed = script->kind == KL_SCRIPT_LOGIN || script->kind == KL_SCRIPT_SESSION;
    talk->names = *names;
    kl_side_names_forget_offsets(&talk->names);
    script->run(talk);
    *names = talk->names;
    kl_talk_end(talk);
}

static void learn(const kl_side *side, kl_side_names *names)
{
    kl_talk talk;
    kl_talk_begin(&talk, side);
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        kl_talk_learn(&talk, topics[i].name);
    kl_trial_wait_for_ids(&talk);
    *names = talk.names;
    kl_talk_end(&talk);
    kl_talk_free(&talk);
}

static const kl_script *const lists[] = {
    kl_scripts_of_questions, kl_scripts_of_requests, kl_scripts_of_batches, kl_scripts_of_sequences,
    kl_scripts_of_failures,  kl_scripts_of_logins,   kl_scripts_of_sessions};

/* What the command line asks for. */
typedef struct selection {
    const char *only; /* scripts that begin so; NULL: all */
    bool quick;
    /* Those that kill, or log in, and no others. */
    bool killing, logins, sessions;
} selection;

/* As in tests/live/security.py. */
#define REAUTH_MS 3000

static bool is_chosen(const kl_script *script, const selection *choice, int32_t nodes)
{
    return script->nodes_min <= nodes && (!script->nodes_max || nodes <= script->nodes_max) &&
           !(choice->quick && script->kind == KL_SCRIPT_SLOW) &&
           choice->killing == (script->kind == KL_SCRIPT_KILLING) &&
           choice->logins == (script->kind == KL_SCRIPT_LOGIN) &&
           choice->sessions == (script->kind == KL_SCRIPT_SESSION) &&
           (!choice->only || strncmp(script->name, choice->only, strlen(choice->only)) == 0);
}

static int transcript(kl_kafka_side *kafka, const selection *choice)
{
    kl_side_names names = {.topic_count = 0};
    if (!choice->logins && !choice->sessions)
        learn(&kafka->side, &names);
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        for (const kl_script *s = lists[l]; s->name; s++) {
            kl_talk talk;
            if (!is_chosen(s, choice, kafka->node_count))
                continue;
            run(s, &kafka->side, &names, &talk);
            printf("==== %s\n%s", s->name, talk.text);
            kl_talk_free(&talk);
        }
    }
    return 0;
}

/* Whether the scripts that are run are those of this row. */
static bool is_due(const struct known *k, const selection *choice)
{
    if (choice->only || choice->killing)
        return false;
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        for (const kl_script *s = lists[l]; s->name; s++) {
            if (strcmp(s->name, k->script) == 0)
                return choice->logins == (s->kind == KL_SCRIPT_LOGIN) &&
                       choice->sessions == (s->kind == KL_SCRIPT_SESSION);
        }
    }
    return true;
}

static int compare_all(kl_kafka_side *kafka, const selection *choice)
{
    kl_model_side model;
    kl_side_names kafka_names = {.topic_count = 0}, model_names = {.topic_count = 0};
    unsigned steps = 0, scripts = 0, differences = 0, known = 0;
    kl_model_side_init(&model, kafka->ports, kafka->node_count, topics, TOPIC_COUNT);
    if (choice->logins || choice->sessions) {
        kl_model_side_lock(&model, choice->sessions ? REAUTH_MS : 0);
    } else {
        learn(&kafka->side, &kafka_names);
        learn(&model.side, &model_names);
    }
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        for (const kl_script *s = lists[l]; s->name; s++) {
            kl_talk one, other;
            if (!is_chosen(s, choice, kafka->node_count))
                continue;
            run(s, &kafka->side, &kafka_names, &one);
            run(s, &model.side, &model_names, &other);
            differences += compare(s->name, one.text, other.text, &steps);
            scripts++;
            kl_talk_free(&one);
            kl_talk_free(&other);
        }
    }
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        known += known_used[i];
        if (is_due(&known_differences[i], choice) && !known_used[i]) {
            printf("STALE    %s: %s: the sides agree by now\n", known_differences[i].script,
                   known_differences[i].step);
            differences++;
        }
    }
    kl_model_side_deinit(&model);
    printf("%u requests of %u scripts to %d node%s and to the model: %u answered differently, %u "
           "as known\n",
           steps, scripts, kafka->node_count, kafka->node_count > 1 ? "s" : "", differences, known);
    return differences ? 1 : 0;
}

static int list_topics(void)
{
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        printf("%s %d %s\n", topics[i].name, topics[i].partitions, topics[i].config);
    return 0;
}

int main(int argc, char **argv)
{
    kl_kafka_side kafka;
    selection choice = {.only = NULL};
    bool only_kafka = false;
    if (argc == 2 && strcmp(argv[1], "--topics") == 0)
        return list_topics();
    for (; argc > 1 && strncmp(argv[1], "--", 2) == 0; argv++, argc--) {
        only_kafka |= strcmp(argv[1], "--transcript") == 0;
        choice.quick |= strcmp(argv[1], "--quick") == 0;
        choice.killing |= strcmp(argv[1], "--killing") == 0;
        choice.logins |= strcmp(argv[1], "--logins") == 0;
        choice.sessions |= strcmp(argv[1], "--sessions") == 0;
    }
    if (argc < 2 || argc > 3 || !kl_kafka_side_init(&kafka, argv[1])) {
        fprintf(stderr,
                "compare_model: --topics | [--transcript] [--quick | --killing | --logins | "
                "--sessions] HOST:PORT,... [SCRIPT]\n");
        return 2;
    }
    choice.only = argc == 3 ? argv[2] : NULL;
    int code = only_kafka ? transcript(&kafka, &choice) : compare_all(&kafka, &choice);
    kl_kafka_side_deinit(&kafka);
    return code;
}
