/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* st_mtim */
#include "examples/log_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A writer goes on with a renamed file until it opens the new one. */
#define RENAMED_S 2

static bool later(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/* FILE, or what it was renamed to: the one with this inode; or, with 0, of the renamed ones that
 * were changed after that time the first, and FILE itself when there is none. */
static bool find(const log_file *f, uint64_t inode, struct timespec after, char *name, size_t size)
{
    const char *slash = strrchr(f->path, '/');
    const char *base = slash ? slash + 1 : f->path;
    int folder = (int)(base - f->path);
    char path[PATH_MAX];
    struct stat file, best = {0};
    struct dirent *entry;
    snprintf(path, sizeof path, "%.*s", folder ? folder : 1, folder ? f->path : ".");
    DIR *dir = opendir(path);
    bool found = false;
    while (dir && (entry = readdir(dir))) {
        size_t len = strlen(base);
        /* Behind the name digits alone: neither another log nor one that was packed. */
        if (strncmp(entry->d_name, base, len) != 0 ||
            entry->d_name[len + strspn(entry->d_name + len, ".-0123456789")] != 0)
            continue;
        snprintf(path, sizeof path, "%.*s%s", folder, f->path, entry->d_name);
        if (stat(path, &file) || !S_ISREG(file.st_mode))
            continue;
        bool fits = inode ? file.st_ino == inode
                          : entry->d_name[len] && later(file.st_mtim, after) &&
                                (!found || later(best.st_mtim, file.st_mtim));
        if (!fits)
            continue;
        found = true;
        best = file;
        snprintf(name, size, "%s", path);
    }
    if (dir)
        closedir(dir);
    if (found || inode)
        return found;
    snprintf(name, size, "%s", f->path);
    return stat(name, &file) == 0;
}

static bool open_at(log_file *f, const char *name, uint64_t offset)
{
    struct stat file;
    log_file_close(f);
    f->fd = open(name, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &file)) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return false;
    }
    if (offset > (uint64_t)file.st_size) {
        fprintf(stderr, "%s is shorter than it was: begun anew\n", name);
        offset = 0;
    }
    f->inode = file.st_ino;
    f->offset = offset;
    f->len = f->used = 0;
    return true;
}

bool log_file_go_to(log_file *f, log_place place, struct timespec at)
{
    char name[PATH_MAX];
    if (!place.inode)
        return access(f->path, R_OK) == 0 && open_at(f, f->path, 0);
    if (find(f, place.inode, at, name, sizeof name))
        return open_at(f, name, place.offset);
    if (!find(f, 0, at, name, sizeof name))
        return false;
    fprintf(stderr, "%s: the file of the checkpoint is gone; on with %s\n", f->path, name);
    return open_at(f, name, 0);
}

/* Nothing more to read: was it cut, or renamed? */
static log_found at_end(log_file *f)
{
    struct stat mine, named;
    if (fstat(f->fd, &mine))
        return LOG_NOTHING;
    if ((uint64_t)mine.st_size < f->offset + f->len) {
        fprintf(stderr, "%s is shorter than it was: begun anew\n", f->path);
        f->offset = f->len = f->used = 0;
        return LOG_CUT;
    }
    if (stat(f->path, &named) || named.st_ino == f->inode || time(NULL) < mine.st_mtime + RENAMED_S)
        return LOG_NOTHING;
    return LOG_RENAMED;
}

log_found log_file_read(log_file *f)
{
    memmove(f->buffer, f->buffer + f->used, f->len - f->used);
    f->offset += f->used;
    f->len -= f->used;
    f->used = 0;
    /* A file of this machine answers at once, mostly from memory. */
    ssize_t n =
        pread(f->fd, f->buffer + f->len, LOG_BUFFER_BYTES - f->len, (off_t)(f->offset + f->len));
    if (n < 0)
        fprintf(stderr, "%s: %s\n", f->path, strerror(errno));
    if (n <= 0)
        return n < 0 ? LOG_NOTHING : at_end(f);
    f->len += (size_t)n;
    return LOG_BYTES;
}

bool log_file_next(log_file *f)
{
    char name[PATH_MAX];
    struct stat mine;
    return fstat(f->fd, &mine) == 0 && find(f, 0, mine.st_mtim, name, sizeof name) &&
           open_at(f, name, 0);
}

log_place log_file_place(const log_file *f)
{
    return (log_place){f->inode, f->offset + f->used};
}

void log_file_close(log_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}
