/* SPDX-License-Identifier: BSD-2-Clause */
/* See model_side.h. */
#define _POSIX_C_SOURCE 200809L

#include "tests/live/model_side.h"

#include "base/check.h"
#include "broker/login.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS_NS 1000000
/* As long as one is patient with a real node. */
#define PATIENCE_NS (10000LL * MS_NS)

static void shut(void *self)
{
    kl_model_side *m = self;
    if (m->peer)
        kl_peer_close(m->peer, m->now_ns);
    m->peer = NULL;
    m->len = m->used = 0;
}

static bool open_node(void *self, int32_t node_id)
{
    kl_model_side *m = self;
    shut(m);
    m->peer = kl_peer_open(m->cluster, node_id, NULL, m->now_ns);
    return m->peer;
}

static bool send_bytes(void *self, const void *bytes, size_t len)
{
    kl_model_side *m = self;
    /* A request takes a little, so that asking again and again is a way to wait. */
    m->now_ns += MS_NS;
    kl_cluster_on_time(m->cluster, m->now_ns);
    if (kl_peer_wants_close(m->peer))
        return false;
    KL_ASSERT(kl_peer_receive(m->peer, bytes, len, m->now_ns));
    return true;
}

static void take_output(kl_model_side *m)
{
    kloop_slice slices[8];
    size_t count;
    while ((count = kl_peer_output(m->peer, slices, sizeof slices / sizeof slices[0]))) {
        size_t total = 0;
        for (size_t i = 0; i < count; i++) {
            if (m->len + slices[i].len > m->capacity) {
                m->capacity = 2 * (m->len + slices[i].len);
                m->bytes = realloc(m->bytes, m->capacity);
                KL_ASSERT(m->bytes);
            }
            memcpy(m->bytes + m->len, slices[i].data, slices[i].len);
            m->len += slices[i].len;
            total += slices[i].len;
        }
        kl_peer_wrote(m->peer, total, m->now_ns);
    }
}

static kl_heard hear(void *self, kloop_slice *frame)
{
    kl_model_side *m = self;
    int64_t until_ns = m->now_ns + PATIENCE_NS;
    memmove(m->bytes, m->bytes + m->used, m->len - m->used);
    m->len -= m->used;
    m->used = 0;
    while (true) {
        while (kl_cluster_next_ready(m->cluster))
            ;
        take_output(m);
        kloop_fault fault;
        KL_ASSERT(!kloop_frame_next(m->bytes, m->len, SIZE_MAX, frame, &m->used, &fault));
        if (frame->data)
            return KL_HEARD_FRAME;
        m->used = 0;
        if (kl_peer_wants_close(m->peer))
            return KL_HEARD_CLOSE;
        int64_t due_ns = kl_cluster_deadline(m->cluster);
        if (due_ns > until_ns)
            return KL_HEARD_NOTHING;
        m->now_ns = due_ns > m->now_ns ? due_ns : m->now_ns;
        kl_cluster_on_time(m->cluster, m->now_ns);
    }
}

static void kill_node(void *self, int32_t node_id)
{
    kl_model_side *m = self;
    kl_cluster_broker_down(m->cluster, node_id, m->now_ns);
    kl_cluster_fail_over(m->cluster, node_id, m->now_ns);
    kl_cluster_set_controller(m->cluster, node_id == 1 ? 2 : 1);
}

static void revive_node(void *self, int32_t node_id)
{
    kl_model_side *m = self;
    kl_cluster_broker_up(m->cluster, node_id, m->now_ns);
    kl_cluster_rejoin(m->cluster, node_id, m->now_ns);
}

static int64_t wall_ms(void *self)
{
    const kl_model_side *m = self;
    return m->wall_ms_at_zero + m->now_ns / MS_NS;
}

void kl_model_side_init(kl_model_side *m, const uint16_t *ports, int32_t node_count,
                        const kl_shared_topic *topics, size_t topic_count)
{
    struct timespec wall;
    kl_cluster_config config;
    kl_cluster_config_init(&config);
    clock_gettime(CLOCK_REALTIME, &wall);
    config.wall_ms_at_zero = wall.tv_sec * 1000LL + wall.tv_nsec / MS_NS;
    config.broker_count = node_count;
    if (node_count == 1) {
        config.auto_create_partitions = 1;
        config.auto_create_delay_ns = 20 * MS_NS;
    }
    memset(m, 0, sizeof *m);
    m->wall_ms_at_zero = config.wall_ms_at_zero;
    m->capacity = 4096;
    m->bytes = malloc(m->capacity);
    m->cluster = kl_cluster_new(&config);
    KL_ASSERT(m->cluster && m->bytes);
    for (int32_t i = 0; i < node_count; i++)
        KL_ASSERT(!kl_cluster_set_address(m->cluster, i + 1, "127.0.0.1", ports[i], NULL));
    for (size_t i = 0; i < topic_count; i++) {
        const kl_shared_topic *shared = &topics[i];
        int32_t handle;
        kl_topic_config topic = {.name = shared->name,
                                 .partitions = shared->partitions,
                                 .replication_factor = (int16_t)node_count,
                                 .message_max_bytes = shared->message_max_bytes,
                                 .min_isr = shared->min_isr,
                                 .append_time = shared->append_time,
                                 .compacted = shared->compacted};
        KL_ASSERT(!kl_cluster_add_topic(m->cluster, &topic, &handle));
    }
    m->side = (kl_side){.name = "model",
                        .node_count = node_count,
                        .self = m,
                        .open = open_node,
                        .shut = shut,
                        .send = send_bytes,
                        .hear = hear,
                        .kill = kill_node,
                        .revive = revive_node,
                        .wall_ms = wall_ms};
}

void kl_model_side_lock(kl_model_side *m, int64_t reauth_ms)
{
    kl_login_config config;
    kl_login_config_init(&config);
    config.mechanisms =
        KL_LOGIN_PLAIN | KL_LOGIN_SCRAM_SHA_256 | KL_LOGIN_SCRAM_SHA_512 | KL_LOGIN_OAUTHBEARER;
    config.reauth_ms = reauth_ms;
    for (int32_t node = 1; node <= m->side.node_count; node++) {
        KL_ASSERT(!kl_cluster_set_login(m->cluster, node, &config));
        KL_ASSERT(!kl_cluster_set_user(m->cluster, node, "alice", "alice-Pa55-of-live"));
        KL_ASSERT(!kl_cluster_set_user(m->cluster, node, "bob", "bob-Pa55-of-live"));
    }
}

void kl_model_side_deinit(kl_model_side *m)
{
    shut(m);
    kl_cluster_del(m->cluster);
    free(m->bytes);
}
