/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens for OAUTHBEARER from a program of your own, without a thread and without waiting:
 *
 *     oauth_token TOPIC COUNT [KEY=VALUE...] -- COMMAND [ARGUMENT...]
 *
 * COMMAND prints a token, as `az account get-access-token` or a line of curl and jq do. It is run
 * when kloop asks for one: before the first connection, and again well before a token expires. One
 * record every 10 ms goes out meanwhile, COUNT of them.
 *
 *     on_token --uv_spawn--> its output --> its end --> kloop_set_token or kloop_token_failed
 */
#define _GNU_SOURCE /* explicit_bzero, and what uv.h is made of */
#include <kloop/kloop.h>
#include <kloop/sasl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define EVERY_MS        10
#define TOKEN_BYTES_MAX 65536

static char **command;
static long count, sent, acked, failed, tokens;
static kloop_topic *topic;

/* ---- One run of the command ---- */

static struct {
    kloop_producer *producer;
    uv_process_t process;
    uv_pipe_t output;
    char text[TOKEN_BYTES_MAX];
    size_t len;
    int64_t code;
    int open; /* handles; the token is complete when there is none any more */
} fetch;

static void fetched(uv_handle_t *handle)
{
    (void)handle;
    kloop_error error;
    if (--fetch.open > 0)
        return;
    while (fetch.len > 0 && strchr(" \r\n", fetch.text[fetch.len - 1]))
        fetch.len--;
    kloop_string value = {fetch.text, fetch.len};
    kloop_token token = {.value = value, .expires_ms = kloop_sasl_token_expiry_ms(value)};
    if (fetch.code || fetch.len == 0)
        kloop_token_failed(fetch.producer, "the command for tokens has ended without one");
    else if (kloop_set_token(fetch.producer, &token, &error))
        fprintf(stderr, "%s\n", error.text); /* kloop asks again a little later */
    else
        tokens++;
    explicit_bzero(fetch.text, sizeof fetch.text);
}

static void ended(uv_process_t *process, int64_t code, int signal)
{
    fetch.code = signal ? signal : code;
    uv_close((uv_handle_t *)process, fetched);
}

static void room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    (void)handle, (void)wanted;
    *buf = uv_buf_init(fetch.text + fetch.len, (unsigned)(sizeof fetch.text - fetch.len));
}

static void printed(uv_stream_t *output, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    if (n == UV_ENOBUFS) /* more than a token has: half of one is none */
        fetch.len = 0;
    if (n > 0)
        fetch.len += (size_t)n;
    else if (n < 0)
        uv_close((uv_handle_t *)output, fetched);
}

/* kloop never calls this again before it has an answer. */
static void token_wanted(kloop_producer *p, void *me)
{
    uv_loop_t *loop = me;
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&fetch.output},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    uv_process_options_t options = {
        .file = command[0], .args = command, .exit_cb = ended, .stdio = stdio, .stdio_count = 3};
    fetch.producer = p;
    fetch.len = 0;
    fetch.code = 0;
    fetch.open = 2;
    uv_pipe_init(loop, &fetch.output, 0);
    if (uv_spawn(loop, &fetch.process, &options)) {
        fetch.code = 127;
        uv_close((uv_handle_t *)&fetch.output, fetched);
        uv_close((uv_handle_t *)&fetch.process, fetched);
    } else {
        uv_read_start((uv_stream_t *)&fetch.output, room, printed);
    }
}

/* ---- Records ---- */

static void delivered(kloop_producer *p, const kloop_report *run, void *me)
{
    (void)me;
    bool good = run->outcome == KLOOP_OUTCOME_ACKED;
    *(good ? &acked : &failed) += (long)run->count;
    if (!good)
        fprintf(stderr, "%zu records: %s\n", run->count, run->text);
    if (acked + failed == count)
        kloop_close(p, 10000, NULL, NULL);
}

static void send_next(uv_timer_t *timer)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld", sent);
    kloop_record record = {.value = {(uint8_t *)text, (size_t)len}};
    if (kloop_send(topic, &record) == KLOOP_OK && ++sent == count)
        uv_close((uv_handle_t *)timer, NULL);
}

static void told(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    (void)p, (void)me;
    if (level <= KLOOP_LOG_WARN)
        fprintf(stderr, "%s\n", text);
}

int main(int argc, char **argv)
{
    kloop_producer *p;
    kloop_error error;
    uv_timer_t timer;
    uv_loop_t *loop = uv_default_loop();
    kloop_config *config = kloop_config_new(NULL);
    int at = 3;
    for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
        char *value = strchr(argv[at], '=');
        if (!value)
            break;
        *value++ = '\0';
        if (kloop_config_set(config, argv[at], value))
            return fprintf(stderr, "%s\n", kloop_config_error(config)), 2;
    }
    if (at + 1 >= argc || strcmp(argv[at], "--") != 0)
        return fprintf(stderr, "usage: oauth_token TOPIC COUNT [KEY=VALUE...] -- COMMAND...\n"), 2;
    command = argv + at + 1;
    count = strtol(argv[2], NULL, 10);
    if (kloop_open(&p, loop, config, &error) || kloop_topic_get(p, argv[1], &topic, &error))
        return fprintf(stderr, "%s\n", error.text), 2;
    kloop_on_log(p, told, NULL);
    kloop_on_delivery(p, delivered, NULL);
    kloop_on_token(p, token_wanted, loop);
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, send_next, 0, EVERY_MS);
    uv_run(loop, UV_RUN_DEFAULT);
    kloop_config_del(config);
    printf("%ld acked, %ld failed, %ld tokens\n", acked, failed, tokens);
    return failed ? 1 : 0;
}
