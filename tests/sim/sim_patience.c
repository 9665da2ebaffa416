/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is to be waited for. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <string.h>

static int32_t throttle_of(const sim_asked *asked, const uint8_t *body, size_t len)
{
    union {
        kloop_produce_response produce;
        kloop_metadata_response metadata;
        kloop_init_producer_id_response producer_id;
    } r;
    if (asked->api_key == KLOOP_API_VERSIONS || asked->api_key == KLOOP_SASL_HANDSHAKE ||
        asked->api_key == KLOOP_SASL_AUTHENTICATE ||
        kloop_decode(asked->api_key, KLOOP_RESPONSE, asked->version, body, len, &r, NULL))
        return 0;
    return asked->api_key == KLOOP_PRODUCE    ? r.produce.throttle_time_ms
           : asked->api_key == KLOOP_METADATA ? r.metadata.throttle_time_ms
                                              : r.producer_id.throttle_time_ms;
}

void sim_patience_told(sim *s, sim_conn *c, const sim_asked *asked, const uint8_t *body, size_t len)
{
    int32_t ms = throttle_of(asked, body, len);
    if (ms <= 0)
        return;
    /* Before these versions brokers held the answer back, and the number tells of the past. */
    int16_t since = asked->api_key == KLOOP_INIT_PRODUCER_ID ? 1 : 6;
    if (asked->version < since)
        return;
    uint64_t ns = kl_time_min(kl_ms_to_ns(ms), s->plan.request_timeout_ns);
    if (c->watch.throttled_until_ns >= s->world.now_ns + ns)
        return;
    c->watch.throttled_until_ns = s->world.now_ns + ns;
    c->watch.throttled_from_ns = s->world.now_ns;
}

void sim_patience_request(sim *s, const sim_conn *c)
{
    const sim_watch *w = &c->watch;
    /* What had been put together before it was told may leave. */
    if (s->world.now_ns < w->throttled_until_ns && c->behind_since_ns > w->throttled_from_ns)
        sim_fail(s, "throttle",
                 "#%" PRId64 ": a request goes out, and %" PRIu64 " ms were to be waited for yet",
                 c->number, (w->throttled_until_ns - s->world.now_ns) / KL_MS);
}

void sim_patience_close(sim *s, const sim_conn *c, const char *why)
{
    const sim_watch *w = &c->watch;
    /* Of what is being written the engine is told when that is over. */
    if (!why || !strstr(why, "request.timeout.ms") || w->out_len == 0 || c->writing ||
        w->asked_start != w->asked_count)
        return;
    /* The engine may have been told later, by a clock of some ms. */
    if (s->world.now_ns - w->left_ns < s->plan.request_timeout_ns / 2)
        sim_fail(s, "I37",
                 "#%" PRId64 " is given up (%s), and its request has made progress %" PRIu64
                 " ms ago",
                 c->number, why, (s->world.now_ns - w->left_ns) / KL_MS);
}
