/* SPDX-License-Identifier: BSD-2-Clause */
/* Letters to a file. See dead_letter.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/dead_letter.h"

#include "cli/record_json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Letters hold what the records held: nobody else needs to read them. */
#define FILE_MODE   0600

#define PIECE_BYTES 65536

/* ---- The file ---- */

/* Where the last line begins that has no end; the file's size if there is none. */
static off_t torn_line(int fd, off_t size)
{
    char piece[4096];
    for (off_t end = size; end > 0;) {
        size_t n = end < (off_t)sizeof piece ? (size_t)end : sizeof piece;
        if (pread(fd, piece, n, end - (off_t)n) != (ssize_t)n)
            return size;
        for (size_t i = n; i > 0; i--) {
            if (piece[i - 1] == '\n')
                return end - (off_t)(n - i);
        }
        end -= (off_t)n;
    }
    return 0;
}

static int end_last_line(int fd, off_t size)
{
    char last;
    if (size == 0 || (pread(fd, &last, 1, size - 1) == 1 && last == '\n'))
        return 0;
    return write(fd, "\n", 1) == 1 ? 0 : errno;
}

/* Of a file the end is looked at. A pipe that was opened for both would never tell that its reader
 * is gone. */
static int flags_for(const char *path)
{
    struct stat st;
    bool regular = stat(path, &st) != 0 || S_ISREG(st.st_mode);
    return (regular ? O_RDWR | O_CREAT : O_WRONLY) | O_APPEND | O_CLOEXEC;
}

int kl_dead_letters_open(kl_dead_letters *d, const char *path)
{
    struct stat st;
    *d = (kl_dead_letters){.fd = STDOUT_FILENO};
    kl_buf_init(&d->out.buf, &kl_mem_libc);
    if (strcmp(path, "-") == 0)
        return 0;
    d->fd = open(path, flags_for(path), FILE_MODE);
    if (d->fd < 0)
        return errno;
    int error = fstat(d->fd, &st) != 0 ? errno : 0;
    d->regular = S_ISREG(st.st_mode);
    if (!error && d->regular)
        error = end_last_line(d->fd, st.st_size);
    if (error) {
        close(d->fd);
        d->fd = -1;
    }
    return error;
}

/* Nobody who reads the file is to stumble over half a letter. What others wrote behind it is
 * theirs.
 */
static void cut_torn_line(const kl_dead_letters *d)
{
    struct stat st;
    if (fstat(d->fd, &st) != 0)
        return;
    off_t end = torn_line(d->fd, st.st_size);
    if (end < st.st_size && ftruncate(d->fd, end) != 0)
        return;
}

int kl_dead_letters_close(kl_dead_letters *d)
{
    int error = 0;
    kl_paced_output_deinit(&d->out);
    if (d->regular) {
        if (d->out.error)
            cut_torn_line(d);
        if (fsync(d->fd) != 0 && errno != EINVAL && errno != EROFS)
            error = errno;
    }
    if (d->fd > STDERR_FILENO && close(d->fd) != 0 && !error)
        error = errno;
    d->fd = -1;
    return error;
}

/* ---- Letters ---- */

void kl_dead_letters_start(kl_dead_letters *d, uv_loop_t *loop, kl_paced_fn on_room, void *me)
{
    kl_paced_output_init(&d->out, loop, d->fd, on_room, me);
}

static void write_headers(kl_json_writer *json, const kloop_record *record)
{
    kl_json_write_key(json, "headers");
    kl_json_write_array_begin(json);
    for (uint32_t i = 0; i < record->header_count; i++) {
        const kloop_record_header *h = &record->headers[i];
        kl_json_write_object_begin(json);
        kl_record_json_bytes(json, "key", "key64",
                             (kloop_slice){(const uint8_t *)h->key.data, h->key.len});
        kl_record_json_bytes(json, "value", "value64", h->value);
        kl_json_write_object_end(json);
    }
    kl_json_write_array_end(json);
}

static void write_letter(kl_buf *out, const kl_dead_letter *letter)
{
    kl_json_writer json;
    const kloop_record *r = letter->record;
    kl_json_write_init(&json, out);
    kl_json_write_object_begin(&json);
    kl_json_write_key(&json, "topic");
    kl_json_write_string(&json, letter->topic);
    if (r->set & KLOOP_SET_PARTITION) {
        kl_json_write_key(&json, "partition");
        kl_json_write_int64(&json, r->partition);
    }
    if (r->set & KLOOP_SET_TIMESTAMP) {
        kl_json_write_key(&json, "timestamp");
        kl_json_write_int64(&json, r->timestamp_ms);
    }
    kl_record_json_bytes(&json, "key", "key64", r->key);
    kl_record_json_bytes(&json, "value", "value64", r->value);
    write_headers(&json, r);
    kl_json_write_key(&json, "outcome");
    kl_json_write_text(&json, kl_record_json_outcome(letter->unknown));
    kl_json_write_key(&json, "error");
    kl_json_write_text(&json, letter->error);
    kl_json_write_key(&json, "message");
    kl_json_write_text(&json, letter->message ? letter->message : "");
    kl_json_write_object_end(&json);
    kl_buf_append_byte(out, '\n');
}

void kl_dead_letters_add(kl_dead_letters *d, const kl_dead_letter *letter)
{
    kl_buf *out = kl_paced_output_buf(&d->out);
    d->count++;
    write_letter(out, letter);
    /* Then its end is missing, by which lost lines are counted. */
    if (out->failed)
        d->unheard++;
    if (out->failed || kl_paced_output_waiting(&d->out) >= PIECE_BYTES)
        kl_paced_output_push(&d->out);
}

uint64_t kl_dead_letters_lost(const kl_dead_letters *d)
{
    return d->unheard + d->out.lost_lines;
}
