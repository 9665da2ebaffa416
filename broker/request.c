/* SPDX-License-Identifier: BSD-2-Clause */
/* A request's way through the broker. See request.h. */
#include "broker/request.h"

#include "base/be.h"
#include "base/check.h"
#include "broker/answer_metadata.h"
#include "broker/answer_others.h"
#include "broker/answer_produce.h"
#include "broker/api_names.h"
#include "broker/login_parts.h"
#include "protocol/api.h"

#include <string.h>

/* api key, version, correlation id */
#define FIXED_HEADER_BYTES 8

bool kl_request_is_watched(const kl_request *r)
{
    return !r->peer->gone && !r->peer->ending;
}

/* ---- The end ---- */

void kl_request_del(kl_request *r)
{
    kl_cluster *c = r->cluster;
    if (r->produce)
        kl_produce_forget(r->produce);
    kl_list_remove(&r->link);
    kl_cluster_remove_timer(c, &r->timer);
    if (r->frame)
        kl_mem_release(&c->alloc, r->frame, r->info.bytes ? r->info.bytes : 1);
    if (r->out)
        kl_out_del(&c->alloc, r->out);
    kl_scratch_deinit(&r->scratch);
    kl_mem_release(&c->alloc, r, sizeof *r);
}

static void leave_at(kl_request *r)
{
    kl_cluster *c = r->cluster;
    int64_t when = kl_cluster_later(c->now_ns, r->fate.answer_delay_ns);
    int64_t earliest = kl_cluster_later(r->info.received_ns, c->config.answer_delay_ns);
    if (when < earliest)
        when = earliest;
    if (when > c->now_ns && r->out) {
        r->state = KL_REQUEST_HELD;
        kl_cluster_set_timer(c, &r->timer, when);
        return;
    }
    r->state = KL_REQUEST_READY;
    kl_cluster_set_timer(c, &r->timer, KL_CLUSTER_NEVER);
    kl_peer_wake(r->peer);
}

void kl_request_refuse(kl_request *r)
{
    if (r->out)
        kl_out_del(&r->cluster->alloc, r->out);
    r->out = NULL;
    r->ends_connection = true;
    leave_at(r);
}

void kl_request_no_memory(kl_request *r)
{
    r->cluster->totals.no_memory++;
    kl_request_refuse(r);
}

void kl_request_be_silent(kl_request *r)
{
    r->state = KL_REQUEST_SILENT;
    kl_cluster_set_timer(r->cluster, &r->timer, KL_CLUSTER_NEVER);
    kl_peer_wake(r->peer);
}

void kl_request_park(kl_request *r, int32_t timeout_ms)
{
    r->state = KL_REQUEST_PARKED;
    kl_cluster_set_timer(r->cluster, &r->timer,
                         kl_cluster_later(r->cluster->now_ns, (int64_t)timeout_ms * 1000 * 1000));
}

static kl_out *replaced(kl_request *r)
{
    kloop_slice bytes = r->fate.bytes;
    kl_out *out = kl_out_new(&r->cluster->alloc, bytes.len);
    if (out && bytes.len)
        memcpy(out->bytes, bytes.data, bytes.len);
    return out;
}

/* What the fate makes of an answer, or of none (NULL). */
static void leave(kl_request *r, kl_out *out)
{
    const kl_request_fate *fate = &r->fate;
    r->out = out;
    switch (fate->end) {
    case KL_FATE_CLOSE_UNPROCESSED:
    case KL_FATE_CLOSE_PROCESSED:
        kl_request_refuse(r);
        return;
    case KL_FATE_SILENT:
        kl_request_be_silent(r);
        return;
    case KL_FATE_TRUNCATE:
        r->ends_connection = true;
        if (out && out->len > fate->keep_bytes)
            out->len = fate->keep_bytes;
        break;
    case KL_FATE_REPLACE:
        if (out)
            kl_out_del(&r->cluster->alloc, out);
        r->out = replaced(r);
        if (!r->out) {
            kl_request_no_memory(r);
            return;
        }
        break;
    case KL_FATE_ANSWER:
        break;
    }
    leave_at(r);
}

void kl_request_no_answer(kl_request *r)
{
    leave(r, NULL);
}

/* ---- The answer ---- */

static void set_throttle(const kl_request *r, void *response)
{
    int32_t ms = r->fate.throttle_ms;
    switch (r->info.api_key) {
    case KLOOP_PRODUCE:
        ((kloop_produce_response *)response)->throttle_time_ms = ms;
        break;
    case KLOOP_METADATA:
        ((kloop_metadata_response *)response)->throttle_time_ms = ms;
        break;
    case KLOOP_API_VERSIONS:
        ((kloop_api_versions_response *)response)->throttle_time_ms = ms;
        break;
    case KLOOP_INIT_PRODUCER_ID:
        ((kloop_init_producer_id_response *)response)->throttle_time_ms = ms;
        break;
    case KLOOP_FIND_COORDINATOR:
        ((kloop_find_coordinator_response *)response)->throttle_time_ms = ms;
        break;
    default: /* SASL has no such field */
        break;
    }
}

static size_t struct_size(int16_t api_key)
{
    switch (api_key) {
#define RESPONSE_SIZE(NAME, key, name, min, max, flexible, struct_name)                            \
    case KLOOP_##NAME:                                                                             \
        return sizeof(kloop_##struct_name##_response);
        KLOOP_API_MAP(RESPONSE_SIZE)
#undef RESPONSE_SIZE
    default:
        KL_UNREACHABLE();
    }
}

static int32_t answer_correlation(const kl_request *r)
{
    return (int32_t)((uint32_t)r->info.correlation_id + (uint32_t)r->fate.correlation_change);
}

void kl_request_answer(kl_request *r, void *response)
{
    kl_cluster *c = r->cluster;
    int16_t key = r->info.api_key;
    size_t size = struct_size(key);
    if (!kl_request_is_watched(r)) {
        leave(r, NULL);
        return;
    }
    set_throttle(r, response);
    if (c->config.hooks.on_answer)
        c->config.hooks.on_answer(c->config.hooks.user, &r->info, response);
    kloop_size measured;
    kloop_fault fault;
    if (r->bare) {
        measured.total = kl_login_bare_bytes(response);
    } else if (kloop_measure_response_sized(key, r->answer_version, response, size, &measured,
                                            &fault)) {
        kl_request_refuse(r);
        return;
    }
    size_t copies = (size_t)r->fate.extra_copies + 1;
    size_t total;
    kl_out *out = kl_mem_mul(measured.total, copies, &total) ? kl_out_new(&c->alloc, total) : NULL;
    if (!out) {
        kl_request_no_memory(r);
        return;
    }
    for (size_t i = 0; i < copies; i++) {
        uint8_t *to = out->bytes + i * measured.total;
        if (r->bare) {
            kl_login_bare_encode(response, to);
            continue;
        }
        kloop_status status =
            kloop_encode_response_sized(key, r->answer_version, answer_correlation(r), response,
                                        size, to, measured.total, &fault);
        KL_ASSERT(status == KLOOP_OK);
    }
    leave(r, out);
}

/* ---- Carrying it out ---- */

static void complain(kl_request *r, const char *what, const kloop_fault *fault)
{
    char text[160] = "";
    const char *name = kl_api_name(r->info.api_key);
    if (fault)
        kloop_fault_text(fault, text, sizeof text);
    kl_cluster_complain(r->cluster, KL_COMPLAINT_PROTOCOL,
                        "request %llu, of connection %llu to broker %d: %s, api %d (%s), version "
                        "%d%s%s",
                        (unsigned long long)r->info.request_id, (unsigned long long)r->info.peer_id,
                        r->info.node_id, what, r->info.api_key, name ? name : "unknown",
                        r->info.version, fault ? ": " : "", text);
}

static void dispatch(kl_request *r, const kl_message *m)
{
    if (r->misplaced) {
        kl_login_misplaced(r);
        return;
    }
    switch (r->info.api_key) {
    case KLOOP_PRODUCE:
        kl_answer_produce(r, &m->produce_request);
        break;
    case KLOOP_METADATA:
        kl_answer_metadata(r, &m->metadata_request);
        break;
    case KLOOP_API_VERSIONS:
        kl_answer_api_versions(r, &m->api_versions_request);
        break;
    case KLOOP_INIT_PRODUCER_ID:
        kl_answer_init_producer_id(r, &m->init_producer_id_request);
        break;
    case KLOOP_FIND_COORDINATOR:
        kl_answer_find_coordinator(r, &m->find_coordinator_request);
        break;
    case KLOOP_SASL_HANDSHAKE:
        kl_login_handshake(r, m->sasl_handshake_request.mechanism);
        break;
    case KLOOP_SASL_AUTHENTICATE:
        kl_login_token(r, m->sasl_authenticate_request.auth_bytes);
        break;
    default:
        KL_UNREACHABLE();
    }
}

static size_t request_size(int16_t api_key)
{
    switch (api_key) {
#define REQUEST_SIZE(NAME, key, name, min, max, flexible, struct_name)                             \
    case KLOOP_##NAME:                                                                             \
        return sizeof(kloop_##struct_name##_request);
        KLOOP_API_MAP(REQUEST_SIZE)
#undef REQUEST_SIZE
    default:
        KL_UNREACHABLE();
    }
}

static void decode_and_dispatch(kl_request *r, const uint8_t *bytes, size_t len)
{
    int16_t key = r->info.api_key;
    int16_t version = r->info.version;
    size_t header_len;
    size_t body_len;
    kloop_request_header header;
    kl_message message;
    kloop_fault fault;
    if (kloop_decode_prefix(KLOOP_REQUEST_HEADER, KLOOP_REQUEST,
                            kloop_request_header_version(key, version), bytes, len, &header_len,
                            &header, &fault)) {
        complain(r, "its header cannot be read", &fault);
        kl_request_refuse(r);
        return;
    }
    if (kloop_decode_prefix_sized(key, KLOOP_REQUEST, version, bytes + header_len, len - header_len,
                                  &body_len, &message, request_size(key), &fault)) {
        complain(r, "it cannot be read", &fault);
        kl_request_refuse(r);
        return;
    }
    /* Kafka does not look behind the end of a message. */
    if (body_len < len - header_len)
        complain(r, "bytes behind its end", NULL);
    dispatch(r, &message);
}

static void carry_out(kl_request *r, const uint8_t *bytes)
{
    const kl_version_table *versions = &r->peer->node->versions;
    if (r->fate.end == KL_FATE_CLOSE_UNPROCESSED) {
        kl_request_refuse(r);
        return;
    }
    if (r->bare) {
        kl_login_token(r, (kloop_slice){bytes, r->info.bytes});
        return;
    }
    if (r->barred) {
        kl_request_refuse(r);
        return;
    }
    if (kl_versions_accepts(versions, r->info.api_key, r->info.version)) {
        decode_and_dispatch(r, bytes, r->info.bytes);
    } else if (r->info.api_key == KLOOP_API_VERSIONS) {
        r->answer_version = 0;
        kl_answer_unknown_api_versions(r);
    } else {
        complain(r, "this broker does not offer it", NULL);
        kl_request_refuse(r);
    }
}

void kl_request_on_timer(kl_request *r)
{
    switch (r->state) {
    case KL_REQUEST_DELAYED:
        carry_out(r, r->frame);
        break;
    case KL_REQUEST_PARKED:
        kl_produce_on_timeout(r->produce);
        break;
    case KL_REQUEST_HELD:
        r->state = KL_REQUEST_READY;
        kl_peer_wake(r->peer);
        break;
    case KL_REQUEST_READY:
    case KL_REQUEST_SILENT:
        KL_UNREACHABLE();
    }
}

/* ---- The beginning ---- */

static kl_request *new_request(kl_peer *peer, kloop_slice frame)
{
    kl_cluster *c = peer->cluster;
    kl_request *r = kl_mem_zalloc(&c->alloc, 1, sizeof *r);
    if (!r)
        return NULL;
    if (!kl_cluster_add_timer(c)) {
        kl_mem_release(&c->alloc, r, sizeof *r);
        return NULL;
    }
    r->peer = peer;
    r->cluster = c;
    kl_timer_init(&r->timer, KL_TIMER_REQUEST);
    kl_scratch_init(&r->scratch, &c->alloc);
    r->info = (kl_request_info){.peer_user = peer->user,
                                .peer_id = peer->id,
                                .request_id = ++c->requests_made,
                                .node_id = peer->node->node_id,
                                .bytes = frame.len,
                                .received_ns = c->now_ns};
    kl_list_push_back(&peer->requests, &r->link);
    c->totals.requests++;
    return r;
}

static bool delay(kl_request *r, kloop_slice frame)
{
    kl_cluster *c = r->cluster;
    r->frame = kl_mem_alloc(&c->alloc, frame.len ? frame.len : 1);
    if (!r->frame)
        return false;
    memcpy(r->frame, frame.data, frame.len);
    r->state = KL_REQUEST_DELAYED;
    kl_cluster_set_timer(c, &r->timer, kl_cluster_later(c->now_ns, r->fate.process_delay_ns));
    return true;
}

void kl_request_start(kl_peer *peer, kloop_slice frame)
{
    kl_cluster *c = peer->cluster;
    kl_request *r = new_request(peer, frame);
    if (!r) {
        c->totals.no_memory++;
        kl_peer_end(peer);
        return;
    }
    if (kl_login_wants_token(peer->login)) {
        r->info.api_key = KLOOP_SASL_AUTHENTICATE;
        r->info.version = -1;
        r->bare = true;
    } else if (frame.len < FIXED_HEADER_BYTES) {
        kl_cluster_complain(c, KL_COMPLAINT_PROTOCOL,
                            "request %llu, of connection %llu to broker %d: %llu bytes, which is "
                            "no request",
                            (unsigned long long)r->info.request_id, (unsigned long long)peer->id,
                            peer->node->node_id, (unsigned long long)frame.len);
        kl_request_refuse(r);
        return;
    } else {
        r->info.api_key = (int16_t)kl_be_load16(frame.data);
        r->info.version = (int16_t)kl_be_load16(frame.data + 2);
        r->info.correlation_id = (int32_t)kl_be_load32(frame.data + 4);
    }
    r->answer_version = r->info.version;
    r->barred = !r->bare && !kl_login_allows(r);
    if (c->config.hooks.on_request)
        c->config.hooks.on_request(c->config.hooks.user, &r->info, &r->fate);
    if (r->fate.process_delay_ns <= 0)
        carry_out(r, frame.data);
    else if (!delay(r, frame))
        kl_request_no_memory(r);
}
