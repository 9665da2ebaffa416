/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of certificates and keys. See tls_files.h. */
#define _GNU_SOURCE /* O_CLOEXEC, st_mtim */
#include "driver/tls_files.h"

#include "base/wipe.h"
#include "driver/tls_why.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void kl_tls_watch_init(kl_tls_watch *w, const kloop_allocator *alloc)
{
    *w = (kl_tls_watch){.alloc = *alloc};
}

void kl_tls_watch_deinit(kl_tls_watch *w)
{
    for (size_t i = 0; i < w->count; i++)
        kl_mem_release(&w->alloc, w->stamps[i].path, w->stamps[i].path_size);
    kl_mem_release(&w->alloc, w->stamps, w->cap * sizeof *w->stamps);
    w->stamps = NULL;
    w->count = w->cap = 0;
}

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void look(kl_tls_stamp *stamp, const struct stat *info)
{
    stamp->device = info ? info->st_dev : 0;
    stamp->inode = info ? info->st_ino : 0;
    stamp->size = info ? info->st_size : 0;
    stamp->changed_ns[0] = info ? nanoseconds(info->st_mtim) : -1;
    stamp->changed_ns[1] = info ? nanoseconds(info->st_ctim) : -1;
}

bool kl_tls_watch_add(kl_tls_watch *w, const char *path, const struct stat *info)
{
    if (w->count == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 4;
        kl_tls_stamp *stamps =
            kl_mem_resize(&w->alloc, w->stamps, w->cap * sizeof *stamps, cap * sizeof *stamps);
        if (!stamps)
            return false;
        w->stamps = stamps;
        w->cap = cap;
    }
    kl_tls_stamp *stamp = &w->stamps[w->count];
    stamp->path_size = strlen(path) + 1;
    stamp->path = kl_mem_alloc(&w->alloc, stamp->path_size);
    if (!stamp->path)
        return false;
    memcpy(stamp->path, path, stamp->path_size);
    look(stamp, info);
    w->count++;
    return true;
}

bool kl_tls_watch_has(const kl_tls_watch *w, const struct stat *info)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->stamps[i].device == info->st_dev && w->stamps[i].inode == info->st_ino)
            return true;
    return false;
}

bool kl_tls_watch_changed(const kl_tls_watch *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const kl_tls_stamp *was = &w->stamps[i];
        struct stat info;
        kl_tls_stamp now;
        look(&now, stat(was->path, &info) == 0 ? &info : NULL);
        if (now.device != was->device || now.inode != was->inode || now.size != was->size ||
            now.changed_ns[0] != was->changed_ns[0] || now.changed_ns[1] != was->changed_ns[1])
            return true;
    }
    return false;
}

static kloop_status no_file(const char *key, const char *path, int fault, kloop_error *error)
{
    const char *what = fault == ENOENT   ? "there is no such file"
                       : fault == EACCES ? "this process may not read it: see its permissions, and "
                                           "those of the directories above it"
                       : fault == EISDIR ? "it is a directory, and a file is wanted"
                                         : strerror(fault);
    return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s=%.300s: %s", key, path, what);
}

/* Whole, or with errno. A file that grows meanwhile is cut: it has changed then. */
static kloop_status read_all(kl_tls_file *file, int fd, const char *key, const char *path,
                             kloop_error *error)
{
    while (file->len < file->size - 1) {
        ssize_t n = read(fd, file->data + file->len, file->size - 1 - file->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return no_file(key, path, errno, error);
        if (n == 0)
            break;
        file->len += (size_t)n;
    }
    file->data[file->len] = 0;
    return KLOOP_OK;
}

static kloop_status read_open(kl_tls_file *file, kl_tls_watch *w, int fd, const char *key,
                              const char *path, kloop_error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return no_file(key, path, errno, error);
    if (!kl_tls_watch_add(w, path, &info))
        return kl_tls_refuse_memory(error);
    if (S_ISDIR(info.st_mode))
        return no_file(key, path, EISDIR, error);
    if (!S_ISREG(info.st_mode))
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s=%.300s: it is no plain file", key, path);
    if (info.st_size == 0)
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG, "%s=%.300s: the file is empty", key, path);
    if ((uintmax_t)info.st_size > KL_TLS_FILE_MAX)
        return kl_tls_refuse(error, KLOOP_BAD_CONFIG,
                             "%s=%.300s: it has %jd bytes, which no file of certificates has", key,
                             path, (intmax_t)info.st_size);
    file->size = (size_t)info.st_size + 1;
    file->data = kl_mem_alloc(&w->alloc, file->size);
    if (!file->data)
        return kl_tls_refuse_memory(error);
    return read_all(file, fd, key, path, error);
}

kloop_status kl_tls_file_read(kl_tls_file *file, kl_tls_watch *w, const char *key, const char *path,
                              kloop_error *error)
{
    *file = (kl_tls_file){0};
    /* Not for a pipe's writer to be waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int fault = errno;
        struct stat info;
        if (!kl_tls_watch_add(w, path, stat(path, &info) == 0 ? &info : NULL))
            return kl_tls_refuse_memory(error);
        return no_file(key, path, fault, error);
    }
    kloop_status status = read_open(file, w, fd, key, path, error);
    close(fd);
    if (status != KLOOP_OK)
        kl_tls_file_release(file, &w->alloc);
    return status;
}

void kl_tls_file_release(kl_tls_file *file, const kloop_allocator *alloc)
{
    kl_wipe_release(alloc, file->data, file->size);
    *file = (kl_tls_file){0};
}
