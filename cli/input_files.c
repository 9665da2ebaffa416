/* SPDX-License-Identifier: BSD-2-Clause */
/* Files in a row. See input_files.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/input_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct entry {
    const char *path; /* NULL: standard input */
    int fd;           /* open already; -1: it is not */
} entry;

static entry *entries(const kl_input_files *f)
{
    return (entry *)(void *)f->list.data;
}

static size_t count(const kl_input_files *f)
{
    return f->list.len / sizeof(entry);
}

void kl_input_files_init(kl_input_files *f)
{
    *f = (kl_input_files){.fd = -1};
    kl_buf_init(&f->list, &kl_mem_libc);
}

static void close_fd(int *fd)
{
    if (*fd > STDERR_FILENO)
        close(*fd);
    *fd = -1;
}

void kl_input_files_deinit(kl_input_files *f)
{
    close_fd(&f->fd);
    for (size_t i = f->at; i < count(f); i++)
        close_fd(&entries(f)[i].fd);
    kl_buf_deinit(&f->list);
}

bool kl_input_files_add(kl_input_files *f, const char *path)
{
    bool is_stdin = path[0] == '-' && path[1] == '\0';
    entry e = {.path = is_stdin ? NULL : path, .fd = is_stdin ? STDIN_FILENO : -1};
    return kl_buf_append(&f->list, &e, sizeof e);
}

bool kl_input_files_any(const kl_input_files *f)
{
    return f->list.len > 0;
}

static int open_it(entry *e)
{
    e->fd = open(e->path, O_RDONLY | O_CLOEXEC);
    return e->fd < 0 ? errno : 0;
}

static int check_one(entry *e, struct stat *st)
{
    /* What is wrong with standard input shows when it is read. */
    if (!e->path) {
        if (fstat(e->fd, st) != 0)
            st->st_mode = S_IFIFO;
        return 0;
    }
    if (stat(e->path, st) != 0)
        return errno;
    if (S_ISDIR(st->st_mode))
        return EISDIR;
    if (!S_ISREG(st->st_mode))
        return open_it(e);
    return access(e->path, R_OK) == 0 ? 0 : errno;
}

int kl_input_files_check(kl_input_files *f, const char **path)
{
    bool known = true;
    for (size_t i = 0; i < count(f); i++) {
        struct stat st = {.st_size = 0};
        *path = entries(f)[i].path;
        int error = check_one(&entries(f)[i], &st);
        if (error)
            return error;
        known = known && S_ISREG(st.st_mode);
        f->bytes += (uint64_t)st.st_size;
    }
    if (!known)
        f->bytes = 0;
    return 0;
}

bool kl_input_files_has(const kl_input_files *f, int fd)
{
    struct stat that, st;
    if (fstat(fd, &that) != 0 || !S_ISREG(that.st_mode))
        return false;
    for (size_t i = 0; i < count(f); i++) {
        const entry *e = &entries(f)[i];
        int rc = e->fd >= 0 ? fstat(e->fd, &st) : stat(e->path, &st);
        if (rc == 0 && st.st_dev == that.st_dev && st.st_ino == that.st_ino)
            return true;
    }
    return false;
}

bool kl_input_files_next(kl_input_files *f, int *error)
{
    close_fd(&f->fd);
    if (f->at == count(f))
        return false;
    entry *e = &entries(f)[f->at++];
    *error = e->fd < 0 ? open_it(e) : 0;
    f->fd = e->fd;
    e->fd = -1;
    return true;
}

const char *kl_input_files_name(const kl_input_files *f)
{
    size_t at = f->at > 0 ? f->at - 1 : 0;
    return at < count(f) && entries(f)[at].path ? entries(f)[at].path : "standard input";
}

bool kl_input_files_is_stdin(const kl_input_files *f)
{
    size_t at = f->at > 0 ? f->at - 1 : 0;
    return at < count(f) && !entries(f)[at].path;
}
