/* SPDX-License-Identifier: BSD-2-Clause */
/* Statistics into a file. See stats_file.h. */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include "cli/stats_file.h"

#include "cli/snapshot_print.h"

#include <kloop/stats_text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_MS 1000

static bool is_prometheus(const char *path)
{
    size_t len = strlen(path);
    return len > 5 && strcmp(path + len - 5, ".prom") == 0;
}

static bool print_prometheus(const kloop_snapshot *s, FILE *to)
{
    kloop_text_place at = {0};
    char buffer[4096];
    for (size_t n; (n = kloop_prometheus(s, &at, buffer, sizeof buffer)) > 0;)
        fwrite(buffer, 1, n, to);
    return !ferror(to);
}

/* Beside it first, then in its place. Answers errno. */
static int replace(const char *path, const kloop_snapshot *s)
{
    size_t size = strlen(path) + sizeof ".new";
    char *beside = malloc(size);
    if (!beside)
        return ENOMEM;
    snprintf(beside, size, "%s.new", path);
    int error = 0;
    FILE *to = fopen(beside, "w");
    if (!to || (s && !print_prometheus(s, to)))
        error = errno;
    if (to && fclose(to) != 0 && !error)
        error = errno;
    /* Without a snapshot it was only to be seen whether that works. */
    if (!error && (s ? rename(beside, path) : remove(beside)) != 0)
        error = errno;
    free(beside);
    return error;
}

static void write_prometheus(kl_stats_file *f)
{
    kloop_snapshot *s;
    if (kloop_take_snapshot(f->producer, KLOOP_SNAPSHOT_ALL, NULL, &s) != KLOOP_OK)
        return;
    f->error = replace(f->path, s);
    kloop_snapshot_del(s);
}

static void write_now(kl_stats_file *f)
{
    if (f->error)
        return;
    if (!f->to)
        write_prometheus(f);
    else if (kl_snapshot_write_json(f->producer, &f->since, f->to) && ferror(f->to))
        f->error = errno ? errno : EIO;
}

static void on_timer(uv_timer_t *timer)
{
    write_now(timer->data);
}

int kl_stats_file_open(kl_stats_file *f, const char *path)
{
    *f = (kl_stats_file){.path = path};
    if (!path)
        return 0;
    if (is_prometheus(path))
        return replace(path, NULL);
    f->to = strcmp(path, "-") == 0 ? stderr : fopen(path, "w");
    return f->to ? 0 : errno;
}

void kl_stats_file_start(kl_stats_file *f, uv_loop_t *loop, kloop_producer *p)
{
    if (!f->path)
        return;
    f->producer = p;
    uv_timer_init(loop, &f->timer);
    f->timer.data = f;
    uv_timer_start(&f->timer, on_timer, INTERVAL_MS, INTERVAL_MS);
    uv_unref((uv_handle_t *)&f->timer);
}

void kl_stats_file_last(kl_stats_file *f)
{
    if (!f->producer)
        return;
    write_now(f);
    uv_close((uv_handle_t *)&f->timer, NULL);
    f->producer = NULL;
}

int kl_stats_file_close(kl_stats_file *f)
{
    kloop_snapshot_del(f->since);
    f->since = NULL;
    if (f->to && f->to != stderr && fclose(f->to) != 0 && !f->error)
        f->error = errno;
    f->to = NULL;
    return f->error;
}
