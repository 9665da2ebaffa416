/* SPDX-License-Identifier: BSD-2-Clause */
/* Running our own program as a broker. See sink_child.h. */
#define _GNU_SOURCE
#include "cli/sink_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 10000
#define END_MS   10000

#define READY    "listening on "

/* In the child, between fork and exec. */
static _Noreturn void become_sink(int out, pid_t parent, const char *topic)
{
    /* The line at the bottom of the terminal is the parent's. */
    char *const argv[] = {
        "kloop",     "sink",       "--listen", "127.0.0.1:0", "--topic", (char *)(uintptr_t)topic,
        "--discard", "--progress", "never",    NULL};
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* The parent may have gone before that was set. */
    if (getppid() == parent && dup2(out, STDOUT_FILENO) >= 0)
        execv("/proc/self/exe", argv);
    _exit(127);
}

/* Text up to the end of a line, for at most timeout_ms in one piece of waiting. */
static bool read_line(int fd, kl_buf *line, int timeout_ms)
{
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        uint8_t c;
        int ready = poll(&wait, 1, timeout_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return false;
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        if (c == '\n')
            return !line->failed;
        kl_buf_append_byte(line, c);
    }
}

static void reap(kl_sink_child *child)
{
    int status;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(child->fd);
    child->pid = 0;
    child->fd = -1;
}

bool kl_sink_child_start(kl_sink_child *child, const char *topic, int32_t partitions, char *why,
                         size_t why_size)
{
    char word[300];
    kl_buf line;
    int ends[2];
    pid_t parent = getpid();
    snprintf(word, sizeof word, "%s:%d", topic, partitions);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(why, why_size, "no pipe: %s", strerror(errno));
        return false;
    }
    pid_t pid = fork();
    if (pid == 0)
        become_sink(ends[1], parent, word);
    close(ends[1]);
    if (pid < 0) {
        snprintf(why, why_size, "no process: %s", strerror(errno));
        close(ends[0]);
        return false;
    }
    *child = (kl_sink_child){.pid = pid, .fd = ends[0]};
    kl_buf_init(&line, &kl_mem_libc);
    size_t ready = strlen(READY);
    bool ok = read_line(child->fd, &line, START_MS) && line.len > ready &&
              line.len - ready < sizeof child->place && memcmp(line.data, READY, ready) == 0;
    if (ok) {
        memcpy(child->place, line.data + ready, line.len - ready);
    } else {
        snprintf(why, why_size, "the sink did not start");
        kill(pid, SIGKILL);
        reap(child);
    }
    kl_buf_deinit(&line);
    return ok;
}

bool kl_sink_child_end(kl_sink_child *child, kl_buf *line)
{
    size_t start = line->len;
    kill(child->pid, SIGTERM);
    bool ok = read_line(child->fd, line, END_MS);
    if (!ok) {
        kl_buf_truncate(line, start);
        kill(child->pid, SIGKILL);
    }
    reap(child);
    return ok;
}
