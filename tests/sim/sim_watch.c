/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and answers of one connection: cut into frames, matched, looked into. */
#include "tests/sim/sim.h"

#include "base/be.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX (32 << 20)

/* In the place of a version: there is no header. */
#define BARE (-1)

static void append(uint8_t **to, size_t *len, size_t *cap, const uint8_t *bytes, size_t n)
{
    if (*len + n > *cap) {
        *cap = 2 * (*len + n) + 256;
        *to = sim_grow(*to, *cap, 1);
    }
    memcpy(*to + *len, bytes, n);
    *len += n;
}

void sim_watch_deinit(sim_watch *w)
{
    free(w->out);
    free(w->in);
    free(w->asked);
}

/* ---- Requests ---- */

static sim_asked *ask(sim_watch *w)
{
    if (w->asked_count == w->asked_cap) {
        if (w->asked_start) {
            memmove(w->asked, w->asked + w->asked_start,
                    (w->asked_count - w->asked_start) * sizeof *w->asked);
            w->asked_count -= w->asked_start;
            w->asked_start = 0;
        } else {
            w->asked_cap = w->asked_cap ? 2 * w->asked_cap : 16;
            w->asked = sim_grow(w->asked, w->asked_cap, sizeof *w->asked);
        }
    }
    return &w->asked[w->asked_count++];
}

static void check_version(sim *s, const sim_conn *c, const kloop_request_header *h)
{
    const sim_watch *w = &c->watch;
    if (h->api_key == KLOOP_API_VERSIONS)
        return;
    if (!w->ready)
        sim_fail(s, "I47",
                 "#%" PRId64 ": a request of API %d leaves before it is known what the "
                 "broker speaks",
                 c->number, h->api_key);
    if (h->api_version < w->offered_min[h->api_key] || h->api_version > w->offered_max[h->api_key])
        sim_fail(s, "I47", "#%" PRId64 ": API %d in version %d, the broker offers %d to %d",
                 c->number, h->api_key, h->api_version, w->offered_min[h->api_key],
                 w->offered_max[h->api_key]);
}

/* What the configuration says counts, whatever the broker offers. */
static void check_cap(sim *s, const sim_conn *c, int16_t api_key, int16_t version)
{
    int16_t most = api_key < SIM_CAPPED_MAX ? s->plan.version_max[api_key] : 0;
    if (most && version > most)
        sim_fail(s, "I47", "#%" PRId64 ": API %d version %d, api.version.max says %d", c->number,
                 api_key, version, most);
}

/* A SASL token, and nothing else. */
static void bare_request(sim *s, sim_conn *c, const uint8_t *frame, size_t len)
{
    sim_login_asked(s, c, KLOOP_SASL_AUTHENTICATE, BARE, frame, len);
    sim_note(s, SIM_NOTE_REQUEST, NULL, c->number, KLOOP_SASL_AUTHENTICATE, BARE, 0);
    c->watch.requests++;
    *ask(&c->watch) = (sim_asked){.api_key = KLOOP_SASL_AUTHENTICATE,
                                  .version = BARE,
                                  .at_ns = s->world.now_ns,
                                  .made_ns = c->behind_since_ns,
                                  .first_attempt = s->book.attempt_count};
}

static void request(sim *s, sim_conn *c, const uint8_t *frame, size_t len)
{
    sim_watch *w = &c->watch;
    if (sim_login_is_bare(s, c)) {
        bare_request(s, c, frame, len);
        return;
    }
    if (len < 8)
        sim_fail(s, "I15", "#%" PRId64 ": a request of %zu bytes", c->number, len);
    kloop_request_header h;
    size_t used;
    kloop_fault fault;
    int16_t api_key = (int16_t)kl_be_load16(frame);
    int16_t version = (int16_t)kl_be_load16(frame + 2);
    if (!kloop_api_find(api_key) || api_key < 0 || api_key >= SIM_API_SLOTS)
        sim_fail(s, "I15", "#%" PRId64 ": a request of API %d", c->number, api_key);
    if (kloop_decode_prefix(KLOOP_REQUEST_HEADER, KLOOP_REQUEST,
                            kloop_request_header_version(api_key, version), frame, len, &used, &h,
                            &fault))
        sim_fail(s, "I15", "#%" PRId64 ": the header of a request cannot be read", c->number);
    check_version(s, c, &h);
    check_cap(s, c, api_key, version);
    w->made_last_ns = c->behind_since_ns;
    sim_login_asked(s, c, api_key, version, frame, len);
    sim_note(s, SIM_NOTE_REQUEST, NULL, c->number, api_key, version, h.correlation_id);
    w->requests++;
    /* The end of a session does not wait for anything; the broker reads of it behind the pause. */
    if (api_key != KLOOP_SASL_HANDSHAKE && api_key != KLOOP_SASL_AUTHENTICATE)
        sim_patience_request(s, c);
    sim_asked asked = {.api_key = api_key,
                       .version = version,
                       .correlation_id = h.correlation_id,
                       .at_ns = s->world.now_ns,
                       .made_ns = c->behind_since_ns,
                       .first_attempt = s->book.attempt_count};
    bool answered = true;
    if (api_key == KLOOP_PRODUCE)
        answered = sim_book_produce(s, c, version, frame + used, len - used);
    else if (api_key == KLOOP_INIT_PRODUCER_ID)
        s->book.init_requests++;
    else if (api_key == KLOOP_METADATA)
        s->book.metadata_requests++;
    sim_pace_request(s, c, api_key, version, frame + used, len - used);
    if (!answered)
        return;
    asked.attempt_count = s->book.attempt_count - asked.first_attempt;
    for (uint32_t i = 0; i < asked.attempt_count; i++) {
        sim_batch *b = &s->book.batches[s->book.attempts[asked.first_attempt + i]];
        b->last_conn = c->number;
        b->last_correlation = h.correlation_id;
    }
    *ask(w) = asked;
    if (api_key != KLOOP_PRODUCE)
        return;
    w->produce_open++;
    /* Once an answer was slipped in before its time, which the engine may have believed, nobody
     * reads here what comes behind it, and none of these ends. */
    if (w->produce_open > s->plan.in_flight_max && !(w->early && w->nonsense))
        sim_fail(s, "I33", "#%" PRId64 ": %u Produce requests are unanswered, %u are allowed",
                 c->number, w->produce_open, s->plan.in_flight_max);
}

void sim_watch_sent(sim *s, sim_conn *c, const uint8_t *bytes, size_t len)
{
    sim_watch *w = &c->watch;
    append(&w->out, &w->out_len, &w->out_cap, bytes, len);
    w->left_ns = s->world.now_ns;
    size_t at = 0;
    while (w->out_len - at >= 4) {
        uint32_t frame = kl_be_load32(w->out + at);
        if (frame > FRAME_MAX)
            sim_fail(s, "I15", "#%" PRId64 ": a request claims %u bytes", c->number, frame);
        if (w->out_len - at - 4 < frame)
            break;
        request(s, c, w->out + at + 4, frame);
        at += 4 + frame;
    }
    memmove(w->out, w->out + at, w->out_len - at);
    w->out_len -= at;
    if (w->out_len >= 12 && sim_fault(s, SIM_FAULT_ANSWER_TOO_EARLY)) {
        /* An answer to what is not yet asked to the end. */
        uint8_t early[16] = {0, 0, 0, (uint8_t)(4 + sim_below(s, SIM_STREAM_BROKERS, 9))};
        memcpy(early + 4, w->out + 8, 4);
        w->early = true;
        sim_link_inject(s, c, early, 4 + (size_t)early[3]);
    }
}

/* ---- Answers ---- */

static void api_versions_answer(sim_watch *w, int16_t version, const uint8_t *body, size_t len)
{
    kloop_api_versions_response r;
    if (kloop_decode(KLOOP_API_VERSIONS, KLOOP_RESPONSE, version, body, len, &r, NULL) &&
        kloop_decode(KLOOP_API_VERSIONS, KLOOP_RESPONSE, 0, body, len, &r, NULL)) {
        w->nonsense = true;
        return;
    }
    for (int i = 0; i < SIM_API_SLOTS; i++) {
        w->offered_min[i] = 0;
        w->offered_max[i] = -1;
    }
    kloop_api_version api;
    for (kloop_iter it = kloop_iterate(&r.api_keys); kloop_next(&it, &api);)
        if (api.api_key >= 0 && api.api_key < SIM_API_SLOTS) {
            w->offered_min[api.api_key] = api.min_version;
            w->offered_max[api.api_key] = api.max_version;
        }
    if (r.error_code == 0)
        w->ready = true;
}

static void answer(sim *s, sim_conn *c, const uint8_t *frame, size_t len)
{
    sim_watch *w = &c->watch;
    if (w->asked_start < w->asked_count && w->asked[w->asked_start].version == BARE) {
        w->asked_start++;
        w->answers++;
        sim_login_told(s, c, KLOOP_SASL_AUTHENTICATE, BARE, frame, len);
        return;
    }
    int32_t correlation_id = len >= 4 ? (int32_t)kl_be_load32(frame) : 0;
    if (len < 4 || w->asked_start == w->asked_count ||
        w->asked[w->asked_start].correlation_id != correlation_id) {
        w->nonsense = true;
        return;
    }
    sim_asked asked = w->asked[w->asked_start++];
    w->answers++;
    sim_note(s, SIM_NOTE_ANSWER, NULL, c->number, correlation_id, asked.api_key, 0);
    size_t used = 4;
    kloop_response_header h;
    if (kloop_decode_prefix(KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE,
                            kloop_response_header_version(asked.api_key, asked.version), frame, len,
                            &used, &h, NULL)) {
        w->nonsense = true;
        return;
    }
    sim_patience_told(s, c, &asked, frame + used, len - used);
    sim_login_told(s, c, asked.api_key, asked.version, frame + used, len - used);
    if (asked.api_key == KLOOP_API_VERSIONS)
        api_versions_answer(w, asked.version, frame + used, len - used);
    bool good = true;
    if (asked.api_key == KLOOP_METADATA)
        good = sim_told_metadata(s, asked.version, frame + used, len - used);
    if (asked.api_key == KLOOP_INIT_PRODUCER_ID)
        good = sim_told_producer(s, asked.version, frame + used, len - used);
    sim_pace_answer(s, asked.api_key, good);
    if (asked.api_key == KLOOP_PRODUCE) {
        w->produce_open--;
        if (!sim_book_answer(s, &asked, frame + used, len - used))
            w->nonsense = true;
    }
}

void sim_watch_told(sim *s, sim_conn *c, const uint8_t *bytes, size_t len)
{
    sim_watch *w = &c->watch;
    if (w->nonsense)
        return;
    append(&w->in, &w->in_len, &w->in_cap, bytes, len);
    size_t at = 0;
    while (w->in_len - at >= 4 && !w->nonsense) {
        uint32_t frame = kl_be_load32(w->in + at);
        if (frame > FRAME_MAX) {
            w->nonsense = true;
            break;
        }
        if (w->in_len - at - 4 < frame)
            break;
        answer(s, c, w->in + at + 4, frame);
        at += 4 + frame;
    }
    memmove(w->in, w->in + at, w->in_len - at);
    w->in_len -= at;
}

void sim_watch_over(sim *s, sim_conn *c)
{
    if (c->watch.out_len || c->shown_left) {
        s->links.torn++;
        s->links.torn_ns = s->world.now_ns;
    }
    c->watch.out_len = 0;
    c->shown_left = 0;
    sim_pace_over(s, c);
    sim_book_over(s, c);
}
