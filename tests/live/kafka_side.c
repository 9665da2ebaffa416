/* SPDX-License-Identifier: BSD-2-Clause */
/* See kafka_side.h. */
#define _POSIX_C_SOURCE 200809L

#include "tests/live/kafka_side.h"

#include "base/be.h"
#include "base/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 10
#define FRAME_MAX        (64u << 20)

static void shut(void *self)
{
    kl_kafka_side *k = self;
    if (k->fd >= 0)
        close(k->fd);
    k->fd = -1;
}

static bool open_node(void *self, int32_t node_id)
{
    kl_kafka_side *k = self;
    shut(k);
    if (node_id < 1 || node_id > k->node_count)
        return false;
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(k->ports[node_id - 1])};
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    inet_pton(AF_INET, "127.0.0.1", &where.sin_addr);
    k->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (k->fd < 0)
        return false;
    setsockopt(k->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(k->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(k->fd, (struct sockaddr *)&where, sizeof where)) {
        shut(k);
        return false;
    }
    return true;
}

static bool send_bytes(void *self, const void *bytes, size_t len)
{
    kl_kafka_side *k = self;
    for (size_t at = 0; at < len;) {
        ssize_t n = send(k->fd, (const uint8_t *)bytes + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static kl_heard receive(kl_kafka_side *k, size_t from, size_t to)
{
    if (to > k->capacity) {
        k->bytes = realloc(k->bytes, to);
        KL_ASSERT(k->bytes);
        k->capacity = to;
    }
    while (from < to) {
        ssize_t n = recv(k->fd, k->bytes + from, to - from, 0);
        if (n > 0)
            from += (size_t)n;
        else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return KL_HEARD_NOTHING;
        else if (n == 0 || errno != EINTR)
            return KL_HEARD_CLOSE;
    }
    return KL_HEARD_FRAME;
}

static kl_heard hear(void *self, kloop_slice *frame)
{
    kl_kafka_side *k = self;
    kl_heard heard = receive(k, 0, 4);
    if (heard != KL_HEARD_FRAME)
        return heard;
    uint32_t len = kl_be_load32(k->bytes);
    if (len > FRAME_MAX)
        return KL_HEARD_CLOSE;
    heard = receive(k, 4, 4 + (size_t)len);
    *frame = (kloop_slice){k->bytes + 4, len};
    return heard;
}

static void demand(const char *what, int32_t node_id)
{
    char line[16];
    printf("@%s %d\n", what, node_id);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) {
        fprintf(stderr, "compare_model: nobody is there to %s node %d\n", what, node_id);
        exit(1);
    }
}

static void kill_node(void *self, int32_t node_id)
{
    (void)self;
    demand("kill", node_id);
}

static void revive_node(void *self, int32_t node_id)
{
    (void)self;
    demand("start", node_id);
}

bool kl_kafka_side_init(kl_kafka_side *k, const char *addresses)
{
    memset(k, 0, sizeof *k);
    k->fd = -1;
    for (const char *at = addresses; at; at = strchr(at, ',')) {
        at += *at == ',';
        const char *colon = strchr(at, ':');
        long port = colon ? strtol(colon + 1, NULL, 10) : 0;
        if (port < 1 || port > 65535 || k->node_count == KL_KAFKA_NODES_MAX)
            return false;
        k->ports[k->node_count++] = (uint16_t)port;
    }
    k->side = (kl_side){.name = "kafka",
                        .node_count = k->node_count,
                        .self = k,
                        .open = open_node,
                        .shut = shut,
                        .send = send_bytes,
                        .hear = hear,
                        .kill = kill_node,
                        .revive = revive_node};
    return true;
}

void kl_kafka_side_deinit(kl_kafka_side *k)
{
    shut(k);
    free(k->bytes);
}
