/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of certificates and keys: read whole, and watched for changes.
 *
 * A file that was read belongs to the caller and is wiped when it is given back: there may be a key
 * in it. A watch owns the paths it was told and what they looked like then; a path that could not
 * be opened is watched as well, as it may appear.
 *
 * Reading fails with a sentence that names the key of the configuration and the file.
 */
#ifndef KL_DRIVER_TLS_FILES_H
#define KL_DRIVER_TLS_FILES_H

#include "base/mem.h"

#include <kloop/record.h>

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* What shows that a file is another one now. */
typedef struct kl_tls_stamp {
    char *path; /* of path_size bytes with its end */
    size_t path_size;
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t changed_ns[2]; /* the contents, and the inode; -1: there is no such file */
} kl_tls_stamp;

typedef struct kl_tls_watch {
    kl_tls_stamp *stamps;
    size_t count, cap;
    kloop_allocator alloc;
} kl_tls_watch;

void kl_tls_watch_init(kl_tls_watch *w, const kloop_allocator *alloc);
void kl_tls_watch_deinit(kl_tls_watch *w);
/* What path looks like now; info NULL: it is not there. false: no memory. */
bool kl_tls_watch_add(kl_tls_watch *w, const char *path, const struct stat *info);
/* Is a file with this inode in it already? */
bool kl_tls_watch_has(const kl_tls_watch *w, const struct stat *info);
/* Looks at all of them. */
bool kl_tls_watch_changed(const kl_tls_watch *w);

typedef struct kl_tls_file {
    uint8_t *data; /* terminated, for those who read text */
    size_t len;
    size_t size; /* of the memory */
} kl_tls_file;

#define KL_TLS_FILE_MAX ((size_t)16 << 20)

/* key is what the sentence names. */
kloop_status kl_tls_file_read(kl_tls_file *file, kl_tls_watch *w, const char *key, const char *path,
                              kloop_error *error);
void kl_tls_file_release(kl_tls_file *file, const kloop_allocator *alloc);

#endif
