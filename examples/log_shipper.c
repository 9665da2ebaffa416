/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small agent: follows files that grow, and sends each line as a record.
 *
 *     log_shipper [-X KEY=VALUE]... HOST:PORT TOPIC CHECKPOINT FILE...
 *
 * No line is lost, whatever happens to the brokers or to this program; after a crash, or when
 * records could not be delivered, lines are sent again from where CHECKPOINT says, so some may be
 * there twice (at least once). While neither happens each line is there once.
 *
 *     FILE --read--> buffer --kloop_send--> chunk --on_chunk: acked--> checkpoint
 *            ^                   |            '------on_chunk: not---> back to the checkpoint
 *            '--- no more until there is room: KLOOP_FULL, on_writable
 *
 * A chunk is what came out of one read: one completion for all of its lines. Chunks may be acked in
 * any order; the checkpoint of a file moves over the oldest ones that are, and never past one that
 * is not. It is written at most once a second, and holds the inode and the offset.
 *
 * The key of a record is the name of its file, so the lines of a file stay in order in one
 * partition. What happens to files (growing, renamed, cut) is log_file.c's matter.
 *
 * SIGTERM, SIGINT: deliver what was read, for ten seconds at most, and end; once more: end at once.
 * SIGUSR1: tell on stderr how things stand.
 */
#define _GNU_SOURCE /* what uv.h is made of, and st_mtim */
#include "examples/log_file.h"

#include <kloop/kloop.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <uv.h>

#define CHUNKS_MAX    64  /* of each file, under way */
#define LOOK_MS       200 /* between two looks at files that had nothing new */
#define CHECKPOINT_MS 1000
#define RETRY_MS      1000
#define CLOSE_MS      10000

struct shipper;

typedef struct chunk {
    struct source *source;
    log_place end; /* where the checkpoint stands when this one is acked, and all before it */
    enum { OPEN, ACKED, LOST } state;
} chunk;

typedef struct source {
    struct shipper *shipper;
    kloop_chunk *open;
    chunk chunks[CHUNKS_MAX]; /* a ring: count of them from first on, in the order of the file */
    unsigned first, count;
    unsigned unsettled;
    bool lost;         /* one was: go back when all are settled */
    uint64_t retry_at; /* by uv_now(), ms */
    log_place done;    /* the checkpoint */
    struct timespec done_at;
    log_file file;
} source;

typedef struct shipper {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t signals[3];
    kloop_producer *producer;
    kloop_topic *topic;
    const char *checkpoint;
    source *sources;
    int source_count;
    bool full; /* KLOOP_FULL was answered */
    bool closing;
    bool unsaved; /* the checkpoint has moved since it was written */
    uint64_t saved_at;
    uint64_t lines, skipped;
    int exit_code;
} shipper;

static void on_look(uv_timer_t *timer);

static void look_in(shipper *g, uint64_t ms)
{
    if (!g->closing)
        uv_timer_start(&g->timer, on_look, ms, 0);
}

/* ---- The checkpoint: a line for each file, "INODE OFFSET PATH" ---- */

static void load_checkpoint(shipper *g)
{
    char line[PATH_MAX + 64];
    struct stat file;
    FILE *in = fopen(g->checkpoint, "r");
    if (!in || fstat(fileno(in), &file)) {
        fprintf(stderr, "no checkpoint in %s: all files are sent from their beginning\n",
                g->checkpoint);
        return;
    }
    while (fgets(line, sizeof line, in)) {
        log_place p;
        int path;
        line[strcspn(line, "\n")] = 0;
        if (sscanf(line, "%" SCNu64 " %" SCNu64 " %n", &p.inode, &p.offset, &path) != 2)
            continue;
        for (int i = 0; i < g->source_count; i++) {
            if (strcmp(g->sources[i].file.path, line + path) == 0) {
                g->sources[i].done = p;
                g->sources[i].done_at = file.st_mtim;
            }
        }
    }
    fclose(in);
}

/* The old one stays until the new one is whole. There is no fsync() that would hold the loop: after
 * a crash of the whole machine an older checkpoint, or none, only means to send more again. */
static void save_checkpoint(shipper *g)
{
    char fresh[PATH_MAX];
    snprintf(fresh, sizeof fresh, "%s.new", g->checkpoint);
    FILE *out = fopen(fresh, "w");
    bool good = out != NULL;
    for (int i = 0; good && i < g->source_count; i++) {
        const source *s = &g->sources[i];
        if (s->done.inode)
            good = fprintf(out, "%" PRIu64 " %" PRIu64 " %s\n", s->done.inode, s->done.offset,
                           s->file.path) > 0;
    }
    if (out && fclose(out))
        good = false;
    if (!good || rename(fresh, g->checkpoint))
        fprintf(stderr, "%s: %s; tried again\n", g->checkpoint, strerror(errno));
    else
        g->unsaved = false;
    g->saved_at = uv_now(&g->loop);
}

/* ---- From files to records ---- */

static void stop(shipper *g, int exit_code);

/* One more line, or the end of a chunk, waits for the loop's next turn: false. */
static bool begin_chunk(source *s)
{
    if (s->open)
        return true;
    if (s->count == CHUNKS_MAX)
        return false;
    chunk *c = &s->chunks[(s->first + s->count) % CHUNKS_MAX];
    if (kloop_chunk_begin(s->shipper->producer, c, &s->open)) {
        stop(s->shipper, 1);
        return false;
    }
    *c = (chunk){.source = s};
    s->count++;
    s->unsettled++;
    return true;
}

static void end_chunk(source *s)
{
    if (!s->open)
        return;
    chunk *c = &s->chunks[(s->first + s->count - 1) % CHUNKS_MAX];
    c->end = log_file_place(&s->file);
    kloop_chunk_end(s->open);
    s->open = NULL;
}

/* All whole lines of the buffer, and with the_rest what is left, too. false: not all of it now. */
static bool send_lines(source *s, bool the_rest)
{
    shipper *g = s->shipper;
    log_file *f = &s->file;
    while (f->used < f->len) {
        const char *line = f->buffer + f->used;
        size_t left = f->len - f->used;
        const char *end = memchr(line, '\n', left);
        size_t len = end ? (size_t)(end - line) : left;
        if (!end && !the_rest && left < LOG_BUFFER_BYTES)
            break; /* a longer line is sent in pieces */
        if (!begin_chunk(s))
            return false;
        const kloop_record record = {
            .key = {(const uint8_t *)f->path, strlen(f->path)},
            .value = {(const uint8_t *)line, len},
            .set = KLOOP_SET_CHUNK,
            .chunk = s->open,
        };
        kloop_status status = kloop_send(g->topic, &record);
        if (status == KLOOP_FULL) {
            g->full = true; /* the chunk stays open until on_writable() */
            return false;
        }
        if (status) {
            char text[512];
            kloop_send_error(g->topic, &record, status, text, sizeof text);
            fprintf(stderr, "%s, offset %" PRIu64 ": %s\n", f->path, f->offset + f->used, text);
            if (status != KLOOP_TOO_LARGE) {
                stop(g, 1);
                return false;
            }
            g->skipped++; /* it would be refused for ever */
        }
        g->lines += !status;
        f->used += len + (end != NULL);
    }
    end_chunk(s);
    return true;
}

/* Where the checkpoint says: at first, and when records were not delivered. */
static bool go_to_checkpoint(source *s)
{
    shipper *g = s->shipper;
    log_file_close(&s->file);
    s->lost = false;
    s->count = 0;
    if (!log_file_go_to(&s->file, s->done, s->done_at))
        return false; /* it may come */
    if (!s->done.inode) {
        /* Saved before anything is sent: it could be renamed, and we be killed. */
        s->done.inode = s->file.inode;
        clock_gettime(CLOCK_REALTIME, &s->done_at);
        g->unsaved = true;
        g->saved_at = 0;
    }
    return true;
}

/* A bounded piece of work on one file. true: there is more to do at once. */
static bool ship(source *s)
{
    if (s->lost && (s->unsettled || uv_now(&s->shipper->loop) < s->retry_at))
        return false;
    if ((s->lost || s->file.fd < 0) && !go_to_checkpoint(s))
        return false;
    if (!send_lines(s, false))
        return false;
    switch (log_file_read(&s->file)) {
    case LOG_BYTES:
        return send_lines(s, false);
    case LOG_RENAMED:
        return send_lines(s, true) && log_file_next(&s->file);
    case LOG_CUT:
        /* A chunk without records, so that the checkpoint comes along before the file has grown
         * again. */
        if (begin_chunk(s))
            end_chunk(s);
        return true;
    case LOG_NOTHING:
        break;
    }
    return false;
}

/* The one place where files are read: never more than a buffer of each in a turn of the loop. */
static void on_look(uv_timer_t *timer)
{
    shipper *g = timer->data;
    bool more = false;
    for (int i = 0; i < g->source_count && !g->full && !g->closing; i++)
        more |= ship(&g->sources[i]);
    if (g->unsaved && uv_now(&g->loop) - g->saved_at >= CHECKPOINT_MS)
        save_checkpoint(g);
    look_in(g, more && !g->full ? 0 : LOOK_MS);
}

/* ---- What the producer tells ---- */

static void on_writable(kloop_producer *p, void *me)
{
    shipper *g = me;
    (void)p;
    g->full = false;
    look_in(g, 0);
}

static void on_chunk(kloop_producer *p, const kloop_chunk_report *report, void *me)
{
    shipper *g = me;
    chunk *c = report->user;
    source *s = c->source;
    s->unsettled--;
    c->state = report->outcome == KLOOP_OUTCOME_ACKED ? ACKED : LOST;
    if (c->state == LOST) {
        fprintf(stderr, "%s: %" PRIu64 " lines are not stored, of %" PRIu64 " nobody knows: %s\n",
                s->file.path, report->failed, report->unknown, report->text);
        g->exit_code = g->closing ? 1 : g->exit_code;
        /* Nothing is read any more, what is under way gets its answers, then all is sent again. */
        if (!s->lost)
            end_chunk(s);
        s->lost = true;
        s->retry_at = uv_now(&g->loop) + RETRY_MS;
        if (kloop_fatal_text(p))
            stop(g, 1); /* whoever supervises this program starts it again */
    }
    if (s->count == CHUNKS_MAX)
        look_in(g, 0);
    while (s->count > 0 && s->chunks[s->first].state == ACKED) {
        s->done = s->chunks[s->first].end;
        s->first = (s->first + 1) % CHUNKS_MAX;
        s->count--;
        g->unsaved = true;
        clock_gettime(CLOCK_REALTIME, &s->done_at);
    }
}

static void on_log(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    (void)p;
    (void)me;
    if (level <= KLOOP_LOG_WARN)
        fprintf(stderr, "%s\n", text);
}

/* ---- The end, and signals ---- */

static void on_closed(kloop_producer *p, void *me)
{
    shipper *g = me;
    (void)p;
    save_checkpoint(g);
    uv_close((uv_handle_t *)&g->timer, NULL);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&g->signals[i], NULL);
}

static void stop(shipper *g, int exit_code)
{
    if (exit_code)
        g->exit_code = exit_code;
    if (!g->closing) {
        g->closing = true;
        uv_timer_stop(&g->timer);
        for (int i = 0; i < g->source_count; i++)
            end_chunk(&g->sources[i]);
        kloop_close(g->producer, CLOSE_MS, on_closed, g);
    }
}

static void on_signal(uv_signal_t *signal, int number)
{
    shipper *g = signal->data;
    if (number != SIGUSR1) {
        if (g->closing)
            kloop_close(g->producer, 0, NULL, NULL); /* the callback stays the first one's */
        stop(g, 0);
        return;
    }
    kloop_stats stats;
    kloop_suspended why;
    kloop_get_stats(g->producer, &stats);
    fprintf(stderr,
            "%" PRIu64 " lines sent, %" PRIu64 " skipped, %" PRIu64 " acked, %" PRIu64
            " under way, %" PRIu64 " bytes held\n",
            g->lines, g->skipped, stats.acked, stats.pending, stats.held_bytes);
    if (kloop_get_suspended(g->producer, &why))
        fprintf(stderr, "%s\n", why.text);
    for (int i = 0; i < g->source_count; i++)
        fprintf(stderr, "%s: read to %" PRIu64 ", stored to %" PRIu64 "\n", g->sources[i].file.path,
                log_file_place(&g->sources[i].file).offset, g->sources[i].done.offset);
}

/* ---- The program ---- */

/* -X KEY=VALUE until there are no more; false: told what is wrong. */
static bool configure(kloop_config *config, int *arg, char **argv)
{
    kloop_config_set(config, "compression.type", "lz4");
    for (; argv[*arg] && strcmp(argv[*arg], "-X") == 0; *arg += 2) {
        char *value = argv[*arg + 1] ? strchr(argv[*arg + 1], '=') : NULL;
        if (value)
            *value++ = 0;
        if (!value || kloop_config_set(config, argv[*arg + 1], value)) {
            fprintf(stderr, "%s\n", value ? kloop_config_error(config) : "-X needs KEY=VALUE");
            return false;
        }
    }
    return true;
}

static bool open_producer(shipper *g, kloop_config *config, const char *servers, const char *topic)
{
    kloop_error error;
    kloop_config_set(config, "bootstrap.servers", servers);
    if (kloop_open(&g->producer, &g->loop, config, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    kloop_on_chunk(g->producer, on_chunk, g);
    kloop_on_writable(g->producer, on_writable, g);
    kloop_on_log(g->producer, on_log, NULL);
    if (kloop_topic_get(g->producer, topic, &g->topic, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static shipper g;
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
    int arg = 1;
    kloop_config *config = kloop_config_new(NULL);
    if (!config || !configure(config, &arg, argv))
        return 2;
    if (argc - arg < 4) {
        fprintf(stderr, "usage: %s [-X KEY=VALUE]... HOST:PORT TOPIC CHECKPOINT FILE...\n",
                argv[0]);
        return 2;
    }
    g.checkpoint = argv[arg + 2];
    g.source_count = argc - arg - 3;
    g.sources = calloc((size_t)g.source_count, sizeof *g.sources);
    if (!g.sources || uv_loop_init(&g.loop) || !open_producer(&g, config, argv[arg], argv[arg + 1]))
        return 2;
    kloop_config_del(config);
    for (int i = 0; i < g.source_count; i++) {
        g.sources[i].shipper = &g;
        g.sources[i].file.path = argv[arg + 3 + i];
        g.sources[i].file.fd = -1;
    }
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&g.loop, &g.signals[i]);
        g.signals[i].data = &g;
        uv_signal_start(&g.signals[i], on_signal, numbers[i]);
    }
    load_checkpoint(&g);
    uv_timer_init(&g.loop, &g.timer);
    g.timer.data = &g;
    look_in(&g, 0);
    uv_run(&g.loop, UV_RUN_DEFAULT);
    uv_loop_close(&g.loop);
    for (int i = 0; i < g.source_count; i++)
        log_file_close(&g.sources[i].file);
    free(g.sources);
    fprintf(stderr, "%" PRIu64 " lines sent, %" PRIu64 " skipped\n", g.lines, g.skipped);
    return g.exit_code;
}
