/* SPDX-License-Identifier: BSD-2-Clause */
/* See security.h. */
#define _DEFAULT_SOURCE
#include "cli/security.h"

#include "base/now.h"
#include "base/wipe.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOKEN_BYTES_MAX ((size_t)64 << 10)

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * KL_SECOND + (uint64_t)t.tv_nsec;
}

kloop_now kl_security_now(void)
{
    return (kloop_now){.mono_ns = read_clock(CLOCK_MONOTONIC),
                       .wall_ms = (int64_t)(read_clock(CLOCK_REALTIME) / KL_MS)};
}

kloop_status kl_security_init(kl_security *s, const kloop_config *config, kloop_error *error)
{
    uint8_t entropy[32];
    *s = (kl_security){0};
    kloop_status status = kloop_tls_new(&s->tls, config, NULL, kl_security_now(), error);
    if (status)
        return status;
    bool random = getrandom(entropy, sizeof entropy, 0) == (ssize_t)sizeof entropy;
    int why = errno;
    if (!random)
        memset(entropy, 0, sizeof entropy);
    status = kloop_sasl_new(&s->sasl, config, NULL, entropy, error);
    kl_wipe(entropy, sizeof entropy);
    if (status || !s->sasl)
        return status;
    /* Nothing else needs them. */
    if (!random) {
        error->status = KLOOP_BAD_CONFIG;
        snprintf(error->text, sizeof error->text, "the system has no random bytes: %s",
                 strerror(why));
        return KLOOP_BAD_CONFIG;
    }
    s->mechanism = kloop_sasl_mechanism_of(s->sasl);
    return KLOOP_OK;
}

void kl_security_deinit(kl_security *s)
{
    kloop_tls_del(s->tls);
    kloop_sasl_del(s->sasl);
    *s = (kl_security){0};
}

void kl_security_print_notes(const kl_security *s, const char *command)
{
    kloop_error note;
    while (s->tls && kloop_tls_take_note(s->tls, &note))
        fprintf(stderr, "kloop %s: note: %s\n", command, note.text);
}

/* ---- Tokens ---- */

static bool refuse(kloop_error *error, const char *path, const char *why)
{
    error->status = KLOOP_BAD_CONFIG;
    snprintf(error->text, sizeof error->text, "the token file '%s': %s", path, why);
    return false;
}

/* -1: errno. */
static ssize_t read_all(int fd, char *to, size_t room)
{
    size_t len = 0;
    while (len < room) {
        ssize_t n = read(fd, to + len, room - len);
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

/* How many bytes the file has, room at most; -1, with a sentence: they cannot be read. */
static ssize_t read_file(const char *path, char *to, size_t room, kloop_error *error)
{
    struct stat is;
    /* A pipe that nobody writes to would be waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        refuse(error, path, strerror(errno));
        return -1;
    }
    ssize_t len = -1;
    if (fstat(fd, &is) == 0 && !S_ISREG(is.st_mode))
        refuse(error, path, "it is no plain file");
    else if ((len = read_all(fd, to, room)) < 0)
        refuse(error, path, strerror(errno));
    close(fd);
    return len;
}

static kloop_string trimmed(const char *text, size_t len)
{
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    while (len > 0 && isspace((unsigned char)*text)) {
        text++;
        len--;
    }
    return (kloop_string){text, len};
}

static bool take_file(const kl_security *s, const char *path, char *bytes, kloop_error *error)
{
    ssize_t len = read_file(path, bytes, TOKEN_BYTES_MAX + 1, error);
    if (len < 0)
        return false;
    if ((size_t)len > TOKEN_BYTES_MAX)
        return refuse(error, path, "it is larger than 64 KiB, which no token is");
    kloop_token token = {.value = trimmed(bytes, (size_t)len)};
    if (token.value.len == 0)
        return refuse(error, path, "it is empty");
    token.expires_ms = kloop_sasl_token_expiry_ms(token.value);
    return s->mechanism->set_token(s->mechanism->me, &token, kl_security_now(), error) == KLOOP_OK;
}

bool kl_security_fetch_token(const kl_security *s, kloop_error *error)
{
    kloop_string path = {NULL, 0};
    if (s->sasl)
        path = kloop_sasl_token_file(s->sasl);
    if (path.len == 0 || !s->mechanism->set_token) {
        error->status = KLOOP_BAD_CONFIG;
        snprintf(error->text, sizeof error->text,
                 "the command has no token: name a file that holds one with "
                 "sasl.oauthbearer.token.endpoint.url=file:///PATH");
        return false;
    }
    char *bytes = kl_mem_zalloc(&kl_mem_libc, 1, TOKEN_BYTES_MAX + 1);
    if (!bytes)
        return refuse(error, path.data, "there is no memory");
    bool taken = take_file(s, path.data, bytes, error);
    kl_wipe_release(&kl_mem_libc, bytes, TOKEN_BYTES_MAX + 1);
    return taken;
}
