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
#include <time.h>
#include <unistd.h>

/* A writer goes on with a renamed file until it opens the new one. */
#define RENAMED_S 5

/* A file by its name of this moment: it may have another one in the next. */
typedef struct named {
    char name[PATH_MAX];
    uint64_t inode;
    int64_t changed_ns;
} named;

static void complain(log_file *f, const char *name, int error)
{
    if (f->told != error)
        fprintf(stderr, "%s: %s\n", name, strerror(error));
    f->told = error;
}

static int64_t changed_ns(const struct stat *file)
{
    return (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec;
}

static bool look_at(named *n)
{
    struct stat file;
    if (stat(n->name, &file))
        return false;
    if (!S_ISREG(file.st_mode)) {
        errno = S_ISDIR(file.st_mode) ? EISDIR : ESPIPE; /* what reading it would say */
        return false;
    }
    n->inode = file.st_ino;
    n->changed_ns = changed_ns(&file);
    return true;
}

enum found { ABSENT, FOUND, NOBODY_KNOWS };

/* FILE, or what it was renamed to: the one with this inode; or, with 0, of the renamed ones that
 * were written to after that time the first, and FILE itself when there is none. */
static enum found find(log_file *f, uint64_t inode, int64_t after_ns, named *best)
{
    const char *slash = strrchr(f->path, '/');
    const char *base = slash ? slash + 1 : f->path;
    int folder = (int)(base - f->path);
    size_t len = strlen(base);
    named file, seen;
    struct dirent *entry;
    enum found found = ABSENT;
    /* Looked at before the others: if it is renamed from now on, opening it notices. */
    snprintf(file.name, sizeof file.name, "%s", f->path);
    bool there = look_at(&file);
    snprintf(seen.name, sizeof seen.name, "%.*s", folder ? folder : 1, folder ? f->path : ".");
    DIR *dir = opendir(seen.name);
    while (dir && (errno = 0, entry = readdir(dir))) {
        /* Behind the name digits alone: neither another log nor one that was packed. */
        if (strncmp(entry->d_name, base, len) != 0 ||
            entry->d_name[len + strspn(entry->d_name + len, ".-0123456789")] != 0)
            continue;
        snprintf(seen.name, sizeof seen.name, "%.*s%s", folder, f->path, entry->d_name);
        if (!look_at(&seen))
            continue;
        if (inode ? seen.inode == inode
                  : entry->d_name[len] && seen.changed_ns > after_ns &&
                        (!found || seen.changed_ns < best->changed_ns)) {
            found = FOUND;
            *best = seen;
        }
    }
    int error = errno;
    if (dir)
        closedir(dir);
    if (error) {
        /* A folder that cannot be read does not say that a file is gone. */
        complain(f, f->path, error);
        return NOBODY_KNOWS;
    }
    if (!found && !inode && there) {
        found = FOUND;
        *best = file;
    }
    return found;
}

static bool begin_at(log_file *f, uint64_t offset)
{
    struct stat file;
    if (fstat(f->fd, &file))
        return false;
    if (offset > (uint64_t)file.st_size) {
        fprintf(stderr, "%s is shorter than it was: begun anew\n", f->path);
        offset = 0;
    }
    f->inode = file.st_ino;
    f->changed_ns = changed_ns(&file);
    f->offset = offset;
    f->len = f->used = 0;
    return true;
}

/* What is open stays so until the other one is. */
static bool open_at(log_file *f, const named *n, uint64_t offset)
{
    struct stat file;
    int fd = open(n->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &file)) {
        complain(f, n->name, errno);
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (file.st_ino != n->inode) { /* renamed a moment ago: the next look finds it */
        close(fd);
        return false;
    }
    log_file_close(f);
    f->fd = fd;
    return begin_at(f, offset);
}

bool log_file_go_to(log_file *f, log_place place)
{
    named n;
    if (!place.inode) {
        snprintf(n.name, sizeof n.name, "%s", f->path);
        if (look_at(&n))
            return open_at(f, &n, 0);
        if (errno != ENOENT) /* it may come */
            complain(f, f->path, errno);
        return false;
    }
    if (f->fd >= 0 && f->inode == place.inode)
        return begin_at(f, place.offset); /* by whatever name, and if it has none any more */
    enum found found = find(f, place.inode, 0, &n);
    if (found == ABSENT) /* or it was renamed while the folder was read: under neither name then */
        found = find(f, place.inode, 0, &n);
    if (found == FOUND)
        return open_at(f, &n, place.offset);
    if (found == NOBODY_KNOWS || find(f, 0, place.changed_ns, &n) != FOUND || !open_at(f, &n, 0))
        return false;
    fprintf(stderr, "%s: the file of the checkpoint is gone; on with %s\n", f->path, n.name);
    return true;
}

/* Nothing more to read: was it cut, or renamed? */
static log_found at_end(log_file *f)
{
    struct stat mine, other;
    if (fstat(f->fd, &mine))
        return LOG_NOTHING;
    f->changed_ns = changed_ns(&mine);
    if ((uint64_t)mine.st_size < f->offset + f->len) {
        fprintf(stderr, "%s is shorter than it was: begun anew\n", f->path);
        f->offset = f->len = f->used = 0;
        return LOG_CUT;
    }
    /* By the ctime, which renaming changes too: a writer that had nothing to write for an hour
     * before has its moment as well. */
    if (stat(f->path, &other) || other.st_ino == f->inode || time(NULL) < mine.st_ctime + RENAMED_S)
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
    if (n < 0) {
        complain(f, f->path, errno);
        return LOG_NOTHING;
    }
    f->told = 0;
    f->len += (size_t)n;
    return n ? LOG_BYTES : at_end(f);
}

bool log_file_next(log_file *f)
{
    named n;
    struct stat mine;
    if (fstat(f->fd, &mine))
        return false;
    if ((uint64_t)mine.st_size > f->offset + f->len)
        return true; /* it was not the end after all */
    return find(f, 0, changed_ns(&mine), &n) == FOUND && open_at(f, &n, 0);
}

log_place log_file_place(const log_file *f)
{
    return (log_place){f->inode, f->offset + f->used, f->changed_ns};
}

void log_file_close(log_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}
