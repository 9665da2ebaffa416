/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a transport to a connection that is ready. See handshake.h.
 *
 *     state           entering it asks            its answer leads to
 *     CONNECTING      (the host)                  VERSIONS
 *     VERSIONS        ApiVersions, our newest;    SASL_HANDSHAKE, or READY without SASL
 *                     then what the broker has
 *     SASL_HANDSHAKE  SaslHandshake               AUTHENTICATING
 *     AUTHENTICATING  SaslAuthenticate, as often  READY
 *                     as the mechanism says
 *     READY           -                           -
 *
 * The peer is asked nothing else before READY, and nothing at a version that it did not offer on
 * this very connection. The last two questions: authentication.c.
 */
#include "core/handshake.h"

#include "base/be.h"
#include "core/authentication.h"
#include "core/codec_choice.h"
#include "core/error.h"
#include "core/log.h"
#include "core/policy.h"
#include "core/rebootstrap.h"
#include "core/trace_points.h"

#include <stdio.h>

/* As often in a row as this it is a refusal. */
#define HUNG_UP_MAX 5

typedef struct state_row {
    const char *name;
    void (*enter)(kloop_engine *e, kl_conn *c);
    kl_conn_state next;
} state_row;

static void ask_versions(kloop_engine *e, kl_conn *c);
static void be_ready(kloop_engine *e, kl_conn *c);

static const state_row rows[] = {
    [KL_CONN_CONNECTING] = {"connecting", NULL, KL_CONN_VERSIONS},
    [KL_CONN_VERSIONS] = {"asking for API versions", ask_versions, KL_CONN_SASL_HANDSHAKE},
    [KL_CONN_SASL_HANDSHAKE] = {"asking for SASL", kl_authentication_begin, KL_CONN_AUTHENTICATING},
    [KL_CONN_AUTHENTICATING] = {"authenticating", kl_authentication_start, KL_CONN_READY},
    [KL_CONN_READY] = {"ready", be_ready, KL_CONN_READY},
    [KL_CONN_LOST] = {"lost", NULL, KL_CONN_LOST},
};

const char *kl_handshake_state_name(kl_conn_state state)
{
    return rows[state].name;
}

const char *kl_handshake_hung_up(const kloop_engine *e, kl_conn *c)
{
    kl_broker *b = c->broker;
    uint8_t before = b->hung_up;
    /* That nobody is at another of its addresses says nothing of this one. */
    if (c->state == KL_CONN_CONNECTING)
        return "";
    b->hung_up = 0;
    if (c->refused)
        return "";
    if (c->state == KL_CONN_SASL_HANDSHAKE)
        return ", while asking for SASL: see security.protocol";
    if (c->state == KL_CONN_AUTHENTICATING)
        return ", while authenticating; see the credentials";
    if (c->state != KL_CONN_READY || e->metadata_known || e->set.sasl || c->flight_count == 0)
        return "";
    /* One that wants SASL answers ApiVersions and nothing else; a few times it may be anything. */
    b->hung_up = before < HUNG_UP_MAX ? before + 1 : before;
    c->refused = b->hung_up == HUNG_UP_MAX;
    return before > 1
               ? ", at the first request; does this listener want SASL? See security.protocol"
               : "";
}

void kl_handshake_advance(kloop_engine *e, kl_conn *c)
{
    c->state = rows[c->state].next;
    if (c->state == KL_CONN_SASL_HANDSHAKE && !e->set.sasl)
        c->state = KL_CONN_READY;
    KL_TRACE(e, conn, c, c->state == KL_CONN_READY ? KLOOP_CONN_READY : KLOOP_CONN_SHAKES_HANDS);
    rows[c->state].enter(e, c);
}

void kl_handshake_begin(kloop_engine *e, kl_conn *c)
{
    kl_handshake_advance(e, c);
}

static void be_ready(kloop_engine *e, kl_conn *c)
{
    c->frames.frame_max = e->set.receive_frame_max;
    kl_frame_reader_bound(&c->frames);
    kl_nodes_ready(e, c);
}

static int16_t least(int16_t a, int16_t b)
{
    return a < b ? a : b;
}

/* The newest that both know, and that api.version.max allows; -1: none. */
static int16_t common(int16_t api, int16_t cap, const kloop_api_version *theirs)
{
    const kloop_api *ours = kloop_api_find(api);
    int16_t min = ours->min_version > theirs->min_version ? ours->min_version : theirs->min_version;
    int16_t max = least(least(ours->max_version, cap), theirs->max_version);
    return min <= max ? max : -1;
}

static bool versions_answered(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice body);

static void versions_lost(kloop_engine *e, kl_request *r)
{
    (void)e;
    (void)r;
}

static const kl_request_kind api_versions = {
    .name = "ApiVersions", .answered = versions_answered, .lost = versions_lost, .handshake = true};

static void ask_in(kloop_engine *e, kl_conn *c, int16_t version)
{
    kloop_api_versions_request m;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_REQUEST, &m);
    if (version >= 3) {
        m.client_software_name = kloop_text("kloop");
        m.client_software_version = kloop_text(kloop_version());
    }
    if (!kl_conn_ask(e, c, &api_versions, KLOOP_API_VERSIONS, version, &m, sizeof m, 0, true, NULL))
        kl_conn_lose(e, c, "no memory for asking %s:%u for its API versions", c->broker->host,
                     (unsigned)c->broker->port);
}

/* Some who do not know a version hang up instead of saying so. Every other attempt is made in the
 * oldest one then, which all know. */
static void ask_versions(kloop_engine *e, kl_conn *c)
{
    const kloop_api *ours = kloop_api_find(KLOOP_API_VERSIONS);
    int16_t newest = least(ours->max_version, e->set.caps.api_versions);
    ask_in(e, c, c->broker->cautious ? ours->min_version : newest);
}

static void lose_for_lack(kloop_engine *e, kl_conn *c, const char *api, int16_t cap)
{
    char capped[64] = "";
    if (cap < INT16_MAX)
        snprintf(capped, sizeof capped, " (api.version.max allows %s up to %d)", api, (int)cap);
    kl_conn_lose(
        e, c,
        "%s:%u has no version of %s in common with kloop%s; Kafka 0.11 or newer is needed, "
        "or it is no broker",
        c->broker->host, (unsigned)c->broker->port, api, capped);
}

static bool versions_answered(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice body)
{
    /* All versions begin with the code; a broker that does not know ours answers in version 0. */
    int16_t code = body.len >= 2 ? (int16_t)kl_be_load16(body.data) : KLOOP_BROKER_NONE;
    kl_verdict verdict = kl_policy(KL_QUESTION_VERSIONS, code).verdict;
    bool refused = verdict == KL_VERDICT_LOWER;
    int16_t version = refused ? 0 : r->version;
    kloop_api_versions_response m;
    kloop_fault fault;
    if (kloop_decode(KLOOP_API_VERSIONS, KLOOP_RESPONSE, version, body.data, body.len, &m,
                     &fault)) {
        kl_conn_lose_fault(e, c, r, &fault);
        return false;
    }
    if (verdict == KL_VERDICT_RECONNECT) {
        char name[KL_ERROR_CODE_TEXT];
        kl_conn_lose(e, c, "%s:%u answered ApiVersions with %s", c->broker->host,
                     (unsigned)c->broker->port, kl_error_code(code, name));
        if (kloop_broker_error_classes(code) & KLOOP_CLASS_REBOOTSTRAP)
            kl_rebootstrap(e, kl_error_code(code, name));
        return false;
    }
    kl_api_caps *caps = &e->set.caps;
    /* Who tells nothing of ApiVersions itself takes the oldest. */
    kl_api_caps agreed = {-1, -1, 0, -1, -1, -1};
    kloop_api_version api;
    for (kloop_iter i = kloop_iterate(&m.api_keys); kloop_next(&i, &api);) {
        int16_t *ours = kl_api_caps_at(&agreed, api.api_key);
        if (ours)
            *ours = common(api.api_key, *kl_api_caps_at(caps, api.api_key), &api);
    }
    int16_t again = agreed.api_versions;
    if (refused) {
        /* It has told which it takes: to be refused once more is once too often. */
        if (c->lowered || again < 0 || again >= r->version) {
            kl_conn_lose(e, c, "%s:%u takes no version of ApiVersions that kloop has",
                         c->broker->host, (unsigned)c->broker->port);
            return false;
        }
        c->lowered = true;
        ask_in(e, c, again);
        return c->state != KL_CONN_LOST;
    }
    if (agreed.produce < 0 || agreed.metadata < 0) {
        lose_for_lack(e, c, agreed.produce < 0 ? "Produce" : "Metadata",
                      agreed.produce < 0 ? caps->produce : caps->metadata);
        return false;
    }
    if (e->set.sasl && agreed.sasl_handshake < 0) {
        lose_for_lack(e, c, "SaslHandshake", caps->sasl_handshake);
        return false;
    }
    if (!kl_codec_choice_any(e, agreed.produce)) {
        kl_conn_lose(e, c,
                     "%s:%u takes no zstd (it has Produce up to version %d, Kafka 2.1 brought "
                     "zstd); choose another compression.type, or a list such as zstd,lz4",
                     c->broker->host, (unsigned)c->broker->port, (int)agreed.produce);
        return false;
    }
    c->agreed = agreed;
    kl_conn_throttle(e, c, r, m.throttle_time_ms);
    kl_handshake_advance(e, c);
    return true;
}
