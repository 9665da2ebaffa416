/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a small file that holds a secret. */
#define _GNU_SOURCE /* strerrordesc_np */
#include "driver/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "sasl.oauthbearer.token.endpoint.url"

static bool refuse(const char *path, const char *what, char *why, size_t size)
{
    snprintf(why, size, "the token file %s (" KEY ") %s", path, what);
    return false;
}

static bool refuse_for(const char *path, int error, char *why, size_t size)
{
    const char *known = strerrordesc_np(error);
    char what[128];
    snprintf(what, sizeof what, "cannot be read: %s", known ? known : "unknown error");
    return refuse(path, what, why, size);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* How much there is, at most one byte more than allowed; -1: errno. */
static ssize_t read_all(int fd, char *bytes)
{
    size_t len = 0;
    while (len <= KL_TOKEN_FILE_BYTES_MAX) {
        ssize_t n = read(fd, bytes + len, KL_TOKEN_FILE_BYTES_MAX + 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

bool kl_token_file_read(const char *path, char *bytes, kloop_string *token, char *why, size_t size)
{
    struct stat is;
    /* A pipe that nobody writes to would be waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse_for(path, errno, why, size);
    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode)) {
        close(fd);
        return refuse(path, "is no plain file", why, size);
    }
    ssize_t n = read_all(fd, bytes);
    int error = errno;
    close(fd);
    if (n < 0)
        return refuse_for(path, error, why, size);
    if ((size_t)n > KL_TOKEN_FILE_BYTES_MAX)
        return refuse(path, "is longer than 64 KiB, which no token is", why, size);
    const char *begin = bytes, *end = bytes + n;
    while (begin < end && is_blank(*begin))
        begin++;
    while (begin < end && is_blank(end[-1]))
        end--;
    if (begin == end)
        return refuse(path, "is empty", why, size);
    *token = (kloop_string){begin, (size_t)(end - begin)};
    return true;
}
