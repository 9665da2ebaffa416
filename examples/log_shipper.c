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
 * is not. It is written at most once a second, and at once when a file is begun. When a chunk is
 * not acked, its file is sent again from the checkpoint, after a pause that doubles each time: a
 * line that brokers will never take holds up its file until they do, and each attempt says so.
 *
 * A checkpoint belongs to one program at a time, which is given the same files each time. What -X
 * takes back from the brokers' promises (acks=0) is taken back from this one's.
 *
 * The key of a record is the name of its file, so the lines of a file stay in order in one
 * partition. What happens to files (growing, renamed, cut) is log_file.c's matter.
 *
 * SIGTERM, SIGINT: deliver what was read, for ten seconds at most, and end; once more: end at once.
 * SIGUSR1: tell on stderr how things stand.
 */
#define _GNU_SOURCE /* what uv.h is made of */
#include "examples/log_file.h"

#include <kloop/kloop.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define CHUNKS_MAX    64  /* of each file, under way */
#define LOOK_MS       200 /* between two looks at files that had nothing new */
#define CHECKPOINT_MS 1000
#define RETRY_MS      1000
#define RETRY_MAX_MS  30000
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
    uint64_t retry_ms; /* the pause before the last time, 0 since the checkpoint has moved */
    uint64_t retry_at; /* by uv_now(), ms */
    log_place done;    /* the checkpoint */
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
    int save_error; /* errno of what was complained of last */
    uint64_t lines, skipped;
    int exit_code;
} shipper;

static void on_look(uv_timer_t *timer);

static void look_in(shipper *g, uint64_t ms)
{
    if (!g->closing)
        uv_timer_start(&g->timer, on_look, ms, 0);
}

/* ---- The checkpoint: a line for each file, "INODE OFFSET CHANGED_NS PATH" ---- */

/* What cannot be read, or is no checkpoint, is not taken for none: files that were renamed
 * meanwhile would never be sent. false: told what is wrong. */
static bool load_checkpoint(shipper *g)
{
    char line[PATH_MAX + 64];
    FILE *in = fopen(g->checkpoint, "r");
    if (!in && errno == ENOENT) {
        fprintf(stderr, "no checkpoint in %s: all files are sent from their beginning\n",
                g->checkpoint);
        return true;
    }
    bool good = in != NULL;
    while (good && fgets(line, sizeof line, in)) {
        log_place p;
        int path = 0;
        line[strcspn(line, "\n")] = 0;
        sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNd64 " %n", &p.inode, &p.offset, &p.changed_ns,
               &path);
        if (!path) {
            fprintf(stderr, "%s: '%.60s' is no line of a checkpoint\n", g->checkpoint, line);
            fclose(in);
            return false;
        }
        for (int i = 0; i < g->source_count; i++)
            if (strcmp(g->sources[i].file.path, line + path) == 0)
                g->sources[i].done = p;
    }
    if (!good || ferror(in)) {
        fprintf(stderr, "%s: %s\n", g->checkpoint, strerror(errno));
        good = false;
    }
    if (in)
        fclose(in);
    return good;
}

static bool write_places(const shipper *g, FILE *out)
{
    for (int i = 0; i < g->source_count; i++) {
        const source *s = &g->sources[i];
        if (s->done.inode && fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRId64 " %s\n", s->done.inode,
                                     s->done.offset, s->done.changed_ns, s->file.path) < 0)
            return false;
    }
    /* On the disk before it takes the old one's name: a machine that fails leaves one of the two.
     * It holds the loop, which has nothing else to do here; where it has, uv_fs_fsync() does not.
     */
    return fflush(out) == 0 && fsync(fileno(out)) == 0;
}

/* The old one stays until the new one is whole. false: it still is the old one; told why, once. */
static bool save_checkpoint(shipper *g)
{
    char fresh[PATH_MAX];
    snprintf(fresh, sizeof fresh, "%s.new", g->checkpoint);
    FILE *out = fopen(fresh, "w");
    bool good = out && write_places(g, out);
    int error = errno;
    if (out && fclose(out) && good) {
        good = false;
        error = errno;
    }
    if (good && rename(fresh, g->checkpoint)) {
        good = false;
        error = errno;
    }
    if (!good && error != g->save_error)
        fprintf(stderr, "%s: %s\n", fresh, strerror(error));
    g->save_error = good ? 0 : error;
    g->unsaved = !good;
    g->saved_at = uv_now(&g->loop);
    return good;
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

/* Where the checkpoint says: at first, and when records were not delivered. false: not now. */
static bool go_to_checkpoint(source *s)
{
    if (!log_file_go_to(&s->file, s->done))
        return false; /* it may come */
    log_place before = s->done, here = log_file_place(&s->file);
    if (here.inode != before.inode || here.offset != before.offset) {
        /* A file's first time, or what the checkpoint spoke of is no more. Saved before anything is
         * sent: it could be renamed or grow, and we be killed. */
        s->done = here;
        if (!save_checkpoint(s->shipper)) {
            s->done = before;
            log_file_close(&s->file);
            return false;
        }
    }
    s->lost = false;
    s->count = 0;
    return true;
}

/* What was read of it is gone: nobody can go back there, and what has grown since is not to be
 * taken for it. */
static void forget_what_was_cut(source *s)
{
    s->done = log_file_place(&s->file);
    for (unsigned i = 0; i < s->count; i++)
        s->chunks[(s->first + i) % CHUNKS_MAX].end = s->done;
    save_checkpoint(s->shipper);
}

/* A bounded piece of work on one file. true: there is more to do at once. */
static bool ship(source *s)
{
    if (s->lost && uv_now(&s->shipper->loop) < s->retry_at)
        return false;
    if ((s->lost || s->file.fd < 0) && (s->unsettled || !go_to_checkpoint(s)))
        return false;
    if (!send_lines(s, false))
        return false;
    switch (log_file_read(&s->file)) {
    case LOG_BYTES:
        return send_lines(s, false);
    case LOG_RENAMED:
        return send_lines(s, true) && log_file_next(&s->file);
    case LOG_CUT:
        forget_what_was_cut(s);
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
        if (!s->lost) {
            end_chunk(s);
            s->retry_ms = s->retry_ms ? s->retry_ms * 2 : RETRY_MS;
            if (s->retry_ms > RETRY_MAX_MS)
                s->retry_ms = RETRY_MAX_MS;
        }
        s->lost = true;
        s->retry_at = uv_now(&g->loop) + s->retry_ms;
        if (kloop_fatal_text(p))
            stop(g, 1); /* whoever supervises this program starts it again */
    }
    if (s->count == CHUNKS_MAX)
        look_in(g, 0);
    while (s->count > 0 && s->chunks[s->first].state == ACKED) {
        s->done = s->chunks[s->first].end;
        s->first = (s->first + 1) % CHUNKS_MAX;
        s->count--;
        s->retry_ms = 0;
        g->unsaved = true;
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
    if (!save_checkpoint(g))
        g->exit_code = 1;
    uv_close((uv_handle_t *)&g->timer, NULL);
    for (int i = 0; i < 3; i++)
        if (g->signals[i].data)
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

/* false: told what is wrong, and nothing is left of it. */
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
        kloop_close(g->producer, 0, NULL, NULL);
        uv_run(&g->loop, UV_RUN_DEFAULT);
        return false;
    }
    return true;
}

/* Handles that cannot be had are a reason not to begin. */
static bool start(shipper *g)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
    bool good = uv_timer_init(&g->loop, &g->timer) == 0;
    g->timer.data = g;
    for (int i = 0; i < 3 && good; i++) {
        good = uv_signal_init(&g->loop, &g->signals[i]) == 0;
        g->signals[i].data = good ? g : NULL;
        good = good && uv_signal_start(&g->signals[i], on_signal, numbers[i]) == 0;
    }
    look_in(g, 0);
    return good;
}

int main(int argc, char **argv)
{
    static shipper g;
    int arg = 1;
    kloop_config *config = kloop_config_new(NULL);
    if (!config || !configure(config, &arg, argv)) {
        kloop_config_del(config);
        return 2;
    }
    if (argc - arg < 4) {
        fprintf(stderr, "usage: %s [-X KEY=VALUE]... HOST:PORT TOPIC CHECKPOINT FILE...\n",
                argv[0]);
        kloop_config_del(config);
        return 2;
    }
    g.checkpoint = argv[arg + 2];
    g.source_count = argc - arg - 3;
    g.sources = calloc((size_t)g.source_count, sizeof *g.sources);
    for (int i = 0; g.sources && i < g.source_count; i++) {
        g.sources[i].shipper = &g;
        g.sources[i].file.path = argv[arg + 3 + i];
        g.sources[i].file.fd = -1;
    }
    /* A checkpoint that cannot be written is found out now, not when it is needed. */
    bool good = g.sources && uv_loop_init(&g.loop) == 0 && load_checkpoint(&g) &&
                save_checkpoint(&g) && open_producer(&g, config, argv[arg], argv[arg + 1]);
    kloop_config_del(config);
    if (!good) {
        free(g.sources);
        return 2;
    }
    if (!start(&g))
        stop(&g, 1);
    uv_run(&g.loop, UV_RUN_DEFAULT);
    uv_loop_close(&g.loop);
    for (int i = 0; i < g.source_count; i++)
        log_file_close(&g.sources[i].file);
    free(g.sources);
    fprintf(stderr, "%" PRIu64 " lines sent, %" PRIu64 " skipped\n", g.lines, g.skipped);
    return g.exit_code;
}
