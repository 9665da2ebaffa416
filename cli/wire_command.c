/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kloop wire decode|encode|batch-decode|batch-encode|apis`. Each filter answers a line with a
 * line; a bad one with "error: REASON at byte N", where N counts bytes of the message when the
 * message is at fault, and bytes of the line (REASON says so) when the line is.
 */
#include "cli/wire_command.h"

#include "base/excerpt.h"
#include "base/nearest.h"
#include "cli/exit_code.h"
#include "cli/line_filter.h"
#include "wiretools/batch_load.h"
#include "wiretools/batch_print.h"
#include "wiretools/hex.h"
#include "wiretools/json_read.h"
#include "wiretools/message_load.h"
#include "wiretools/message_print.h"

#include <kloop/wire.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COMMAND "wire"

/* What the filters keep from line to line, so that memory is asked for rarely. */
typedef struct wire_state {
    kl_buf bytes;
    kl_json_doc doc;
    kl_arena arena;
    kl_batch_printer printer;
    kl_batch_loader loader;
} wire_state;

/* ---- Answers to bad lines ---- */

static bool refuse(kl_buf *out, const char *reason, size_t at)
{
    char place[48];
    snprintf(place, sizeof place, " at byte %zu", at);
    kl_buf_append_str(out, "error: ");
    kl_buf_append_str(out, reason);
    kl_buf_append_str(out, place);
    return false;
}

static bool refuse_fault(kl_buf *out, const kloop_fault *fault)
{
    char reason[512];
    kloop_fault_reason(fault, reason, sizeof reason);
    return refuse(out, reason, fault->at);
}

/* ---- The beginning of a line: API VERSION request|response ---- */

typedef struct line_head {
    const kloop_api *api;
    int16_t version;
    kloop_half half;
    kloop_string rest;
    size_t rest_at; /* in the line */
} line_head;

/* The text up to the next space, which is taken too. */
static kloop_string take_word(kloop_string line, size_t *at)
{
    size_t start = *at;
    const char *space = line.len > start ? memchr(line.data + start, ' ', line.len - start) : NULL;
    size_t end = space ? (size_t)(space - line.data) : line.len;
    *at = space ? end + 1 : end;
    return (kloop_string){line.data + start, end - start};
}

static bool is_word(kloop_string word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.data, text, word.len) == 0;
}

static bool refuse_api(kl_buf *out, kloop_string word)
{
    char reason[160];
    char quoted[KL_EXCERPT_SIZE];
    const char *near = NULL;
    for (size_t i = 0; i < kloop_api_count(); i++)
        near = kl_nearest_of(near, kloop_api_at(i)->name, word);
    snprintf(reason, sizeof reason, "no API is called '%s'%s%s%s (line)",
             kl_excerpt(quoted, sizeof quoted, word), near ? ", did you mean " : "",
             near ? near : "", near ? "?" : "");
    return refuse(out, reason, 0);
}

static bool parse_version(kloop_string word, int32_t *version)
{
    *version = 0;
    if (word.len == 0 || word.len > 5)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9')
            return false;
        *version = *version * 10 + (word.data[i] - '0');
    }
    return true;
}

static bool parse_head(kloop_string line, line_head *head, kl_buf *out)
{
    char reason[160];
    char quoted[KL_EXCERPT_SIZE];
    size_t at = 0;
    kloop_string name = take_word(line, &at);
    if (line.len == 0)
        return refuse(out, "an empty line, API VERSION request|response is wanted (line)", 0);
    head->api = kloop_api_find_name(name.data, name.len);
    if (!head->api)
        return refuse_api(out, name);

    size_t version_at = at;
    int32_t version;
    kloop_string word = take_word(line, &at);
    if (!parse_version(word, &version) || version < head->api->min_version ||
        version > head->api->max_version) {
        snprintf(reason, sizeof reason, "%s has no version '%s', kloop speaks %d to %d (line)",
                 head->api->name, kl_excerpt(quoted, sizeof quoted, word), head->api->min_version,
                 head->api->max_version);
        return refuse(out, reason, version_at);
    }
    head->version = (int16_t)version;

    size_t half_at = at;
    word = take_word(line, &at);
    bool request = is_word(word, "request");
    if (!request && !is_word(word, "response")) {
        snprintf(reason, sizeof reason, "'%s' where request or response is wanted (line)",
                 kl_excerpt(quoted, sizeof quoted, word));
        return refuse(out, reason, half_at);
    }
    head->half = request ? KLOOP_REQUEST : KLOOP_RESPONSE;
    if (request ? !head->api->has_request : !head->api->has_response) {
        snprintf(reason, sizeof reason, "%s is only a %s (line)", head->api->name,
                 request ? "response" : "request");
        return refuse(out, reason, half_at);
    }
    head->rest = (kloop_string){line.data + at, line.len - at};
    head->rest_at = at;
    return true;
}

/* HEX to state->bytes. line_at is where it begins in the line. */
static bool parse_hex(wire_state *state, kloop_string hex, size_t line_at, kl_buf *out)
{
    char reason[160];
    kl_hex_fault fault;
    kl_buf_reset(&state->bytes);
    uint8_t *room = kl_buf_reserve(&state->bytes, hex.len / 2, NULL);
    if (!room)
        return refuse(out, "no memory", 0);
    if (!kl_hex_decode(room, hex.data, hex.len, &fault)) {
        snprintf(reason, sizeof reason, "%s (line)", fault.reason);
        return refuse(out, reason, line_at + fault.offset);
    }
    kl_buf_commit(&state->bytes, hex.len / 2);
    return true;
}

static bool put_hex(wire_state *state, kl_buf *out)
{
    char *room = (char *)kl_buf_reserve(out, state->bytes.len * 2, NULL);
    if (!room)
        return false;
    kl_hex_encode(room, state->bytes.data, state->bytes.len);
    kl_buf_commit(out, state->bytes.len * 2);
    return true;
}

static bool parse_json(wire_state *state, kloop_string text, size_t line_at, kl_json **root,
                       kl_buf *out)
{
    char reason[160];
    *root = kl_json_read(&state->doc, text.data, text.len);
    if (*root)
        return true;
    snprintf(reason, sizeof reason, "%s (line)", state->doc.error.reason);
    return refuse(out, reason, line_at + state->doc.error.offset);
}

static bool refuse_load(kl_buf *out, const kl_load_error *error, size_t line_at)
{
    char reason[300];
    snprintf(reason, sizeof reason, "%s (line)", error->reason);
    return refuse(out, reason, line_at + error->offset);
}

/* ---- The filters ---- */

static bool decode_line(void *ctx, kloop_string line, kl_buf *out)
{
    wire_state *state = ctx;
    line_head head;
    if (!parse_head(line, &head, out) || !parse_hex(state, head.rest, head.rest_at, out))
        return false;
    size_t start = out->len;
    kloop_fault fault;
    kl_json_writer json;
    kl_json_write_init(&json, out);
    if (kl_message_print(&json, head.api->key, head.half, head.version, kl_buf_slice(&state->bytes),
                         &fault) == KLOOP_OK)
        return true;
    kl_buf_truncate(out, start);
    return refuse_fault(out, &fault);
}

static bool encode_line(void *ctx, kloop_string line, kl_buf *out)
{
    wire_state *state = ctx;
    line_head head;
    kl_json *root;
    kl_load_error error;
    if (!parse_head(line, &head, out) || !parse_json(state, head.rest, head.rest_at, &root, out))
        return false;
    kl_buf_reset(&state->bytes);
    kl_arena_reset(&state->arena);
    if (!kl_message_load(&state->bytes, head.api->key, head.half, head.version, root, &state->arena,
                         &error))
        return refuse_load(out, &error, head.rest_at);
    return put_hex(state, out);
}

static bool batch_decode_line(void *ctx, kloop_string line, kl_buf *out)
{
    wire_state *state = ctx;
    if (!parse_hex(state, line, 0, out))
        return false;
    size_t start = out->len;
    kloop_fault fault;
    if (kl_batch_print(&state->printer, kl_buf_slice(&state->bytes), out, &fault) == KLOOP_OK)
        return true;
    kl_buf_truncate(out, start);
    return refuse_fault(out, &fault);
}

static bool batch_encode_line(void *ctx, kloop_string line, kl_buf *out)
{
    wire_state *state = ctx;
    kl_json *root;
    kl_load_error error;
    if (!parse_json(state, line, 0, &root, out))
        return false;
    kl_buf_reset(&state->bytes);
    kl_arena_reset(&state->arena);
    if (!kl_batch_load(&state->loader, root, &state->arena, &state->bytes, &error))
        return refuse_load(out, &error, 0);
    return put_hex(state, out);
}

enum { DECODE, ENCODE, BATCH_DECODE, BATCH_ENCODE, APIS, WORD_COUNT };

static const kl_command_word words[WORD_COUNT] = {
    [DECODE] = {"decode", "API VERSION request|response HEX", "a message's bytes to JSON"},
    [ENCODE] = {"encode", "API VERSION request|response JSON", "JSON to a message's bytes"},
    [BATCH_DECODE] = {"batch-decode", "HEX", "one or more record batches to a JSON array"},
    [BATCH_ENCODE] = {"batch-encode", "JSON", "a record batch's JSON to its bytes"},
    [APIS] = {"apis", NULL, "the APIs and versions spoken"},
};

/* Of those that are filters. */
static const kl_line_fn answers[] = {
    [DECODE] = decode_line,
    [ENCODE] = encode_line,
    [BATCH_DECODE] = batch_decode_line,
    [BATCH_ENCODE] = batch_encode_line,
};

static int run_filter(int word, bool strict)
{
    wire_state state;
    kl_line_counts counts;
    kl_buf_init(&state.bytes, &kl_mem_libc);
    kl_json_doc_init(&state.doc, &kl_mem_libc);
    kl_arena_init(&state.arena, &kl_mem_libc);
    kl_batch_printer_init(&state.printer, &kl_mem_libc);
    kl_batch_loader_init(&state.loader, &kl_mem_libc);
    bool ok = kl_line_filter_run(0, 1, answers[word], &state, &counts);
    int error = errno;
    kl_batch_loader_deinit(&state.loader);
    kl_batch_printer_deinit(&state.printer);
    kl_arena_deinit(&state.arena);
    kl_json_doc_deinit(&state.doc);
    kl_buf_deinit(&state.bytes);
    if (!ok) {
        fprintf(stderr, "kloop wire %s: stopped after %llu lines: %s\n", words[word].name,
                (unsigned long long)counts.lines, strerror(error));
        return KL_EXIT_IO;
    }
    return strict && counts.refused > 0 ? KL_EXIT_BAD_DATA : KL_EXIT_OK;
}

/* ---- apis ---- */

static int print_apis(void)
{
    printf("%-18s %4s  %-8s  %-8s  %s\n", "API", "KEY", "VERSIONS", "FLEXIBLE", "DIRECTIONS");
    for (size_t i = 0; i < kloop_api_count(); i++) {
        const kloop_api *api = kloop_api_at(i);
        char key[8], versions[16], flexible[16];
        /* The headers belong to all APIs and have no key. */
        snprintf(key, sizeof key, api->key < 0 ? "-" : "%d", api->key);
        snprintf(versions, sizeof versions, "%d-%d", api->min_version, api->max_version);
        snprintf(flexible, sizeof flexible, api->flexible_since > api->max_version ? "-" : "%d+",
                 api->flexible_since);
        printf("%-18s %4s  %-8s  %-8s  %s%s%s\n", api->name, key, versions, flexible,
               api->has_request ? "request" : "", api->has_request && api->has_response ? ", " : "",
               api->has_response ? "response" : "");
    }
    if (fflush(stdout) == 0)
        return KL_EXIT_OK;
    fprintf(stderr, "kloop wire apis: %s\n", strerror(errno));
    return KL_EXIT_IO;
}

/* ---- The command line ---- */

enum { STRICT = 1 };

static const kl_option options[] = {
    {STRICT, KL_OPTION_SWITCH, 0, "strict", NULL, "exit with 4 if any line was refused"},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

static int unknown_word(const char *word)
{
    const char *near = NULL;
    for (size_t i = 0; i < WORD_COUNT; i++)
        near = kl_nearest_of(near, words[i].name, kloop_text(word));
    return kl_usage_error(COMMAND, "there is no command '%s'%s%s%s", word,
                          near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int run_command(int argc, char **argv)
{
    int word = -1;
    bool strict = false;
    kl_options o;
    kl_options_init(&o, COMMAND, options, OPTION_COUNT, argc, argv);
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;) {
        switch (id) {
        case STRICT:
            strict = true;
            break;
        case KL_OPTIONS_WORD:
            if (word >= 0)
                return kl_usage_error(
                    COMMAND, "nothing is expected after the command, but there is '%s'", o.value);
            for (word = 0; word < WORD_COUNT && strcmp(o.value, words[word].name) != 0;)
                word++;
            if (word == WORD_COUNT)
                return unknown_word(o.value);
            break;
        case KL_OPTIONS_HELP:
            kl_command_help(&kl_wire_command, stdout);
            return KL_EXIT_OK;
        default:
            return KL_EXIT_USAGE;
        }
    }
    if (word < 0) {
        kl_command_help(&kl_wire_command, stderr);
        return KL_EXIT_USAGE;
    }
    return word == APIS ? print_apis() : run_filter(word, strict);
}

const kl_command kl_wire_command = {
    .name = COMMAND,
    .summary = "decode and encode the Kafka wire protocol and record batches",
    .run = run_command,
    .usage = "COMMAND [--strict]\n",
    .about =
        "The Kafka wire protocol as line filters: each line of standard input is answered with "
        "one line.\n",
    .words = words,
    .word_count = WORD_COUNT,
    .options = options,
    .option_count = OPTION_COUNT,
    .notes = "A bad line is answered with \"error: REASON at byte N\", and the next one is read. N "
             "counts the message's\n"
             "bytes, or those of the line where REASON ends in (line).\n",
    .examples = "echo 'ApiVersions 3 request 066b6c6f6f7006302e312e3000' | kloop wire decode\n"
                "echo 'SaslHandshake 1 request {\"mechanism\":\"PLAIN\"}' | kloop wire encode\n"
                "kloop wire batch-decode < batches.hex | jq '.[].records | length'\n",
};
