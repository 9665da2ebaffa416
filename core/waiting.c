/* SPDX-License-Identifier: BSD-2-Clause */
/* What records wait for. See waiting.h. */
#include "core/waiting.h"

#include "core/authentication.h"
#include "core/completion.h"
#include "core/error.h"
#include "core/idempotence.h"
#include "core/parking.h"
#include "core/readiness.h"
#include "core/topic_share.h"

#include <stdarg.h>
#include <stdio.h>

/* Where the sentence goes; size 0: nobody wants it. */
typedef struct words {
    char *text;
    size_t size;
} words;

static kloop_waiting say(const words *w, kloop_waiting waiting, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static kloop_waiting say(const words *w, kloop_waiting waiting, const char *format, ...)
{
    static const char suspended[] = "suspended, because ";
    if (w->size == 0)
        return waiting;
    size_t len = 0;
    w->text[0] = '\0';
    if (waiting >= KLOOP_WAITING_METADATA)
        len = (size_t)snprintf(w->text, w->size, "%s", suspended);
    if (len >= w->size)
        return waiting;
    va_list args;
    va_start(args, format);
    vsnprintf(w->text + len, w->size - len, format, args);
    va_end(args);
    return waiting;
}

/* More of the sentence. */
static void add(const words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(const words *w, const char *format, ...)
{
    size_t len = w->size ? strlen(w->text) : 0;
    if (len + 1 >= w->size)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(w->text + len, w->size - len, format, args);
    va_end(args);
}

static unsigned long long ms_since(const kloop_engine *e, uint64_t from)
{
    return from < e->now.mono_ns ? (e->now.mono_ns - from) / KL_MS : 0;
}

/* What is left of a wait has begun a millisecond of its own. */
static unsigned long long ms_until(const kloop_engine *e, uint64_t when)
{
    return when > e->now.mono_ns ? (when - e->now.mono_ns + KL_MS - 1) / KL_MS : 0;
}

static void add_code(const words *w, const char *before, int16_t code)
{
    char name[KL_ERROR_CODE_TEXT];
    if (code != 0)
        add(w, "%s%s: %s", before, kl_error_code(code, name), kloop_broker_error_explain(code));
}

/* ---- Metadata and leaders ---- */

/* When the brokers are asked, and what they or the way to them said. */
static void add_question(const kloop_engine *e, const words *w)
{
    if (e->metadata_asked)
        add(w, "; the brokers are being asked");
    else if (e->metadata_at > e->now.mono_ns)
        add(w, "; the brokers are asked again in %llu ms", ms_until(e, e->metadata_at));
    if (e->trouble[0])
        add(w, "; %s", e->trouble);
    else if (!e->stats.ever_ready)
        add(w, "; no broker has answered yet");
}

static kloop_waiting for_leader(const kloop_engine *e, const kl_partition *p, const words *w)
{
    int32_t node = p->topic->leaders[p->index].node;
    if (node >= 0)
        say(w, KLOOP_WAITING_LEADER, "nobody tells where broker %d is, the partition's leader",
            (int)node);
    else
        say(w, KLOOP_WAITING_LEADER, "the partition has no leader");
    if (w->size)
        add_question(e, w);
    return KLOOP_WAITING_LEADER;
}

/* ---- The way to the leader ---- */

static bool is_connected(const kl_broker *b)
{
    return b->conn && b->conn->state == KL_CONN_READY && !b->stranger;
}

static kloop_waiting for_connection(const kloop_engine *e, const kl_broker *b, const words *w)
{
    const kl_conn *c = b->conn;
    say(w, KLOOP_WAITING_CONNECTION, "broker %d at %s:%u ", (int)b->id, b->host, (unsigned)b->port);
    if (w->size == 0)
        return KLOOP_WAITING_CONNECTION;
    if (b->stranger && c && c->state == KL_CONN_READY)
        add(w, "seems to be of another cluster");
    else if (c && c->state == KL_CONN_VERSIONS)
        add(w, "is connected, and has not told what it speaks (ApiVersions) for %llu ms",
            ms_since(e, b->begun_ns));
    else if (c && c->state != KL_CONN_CONNECTING)
        add(w, "is connected, and %s, for %llu ms", kl_authentication_doing(c),
            ms_since(e, b->begun_ns));
    else if (c)
        add(w, "is being connected, for %llu ms", ms_since(e, b->begun_ns));
    else if (b->resolving.gen != 0 && !b->resolve_stale)
        add(w, "is being looked up, for %llu ms", ms_since(e, b->begun_ns));
    else if (b->retry_at > e->now.mono_ns)
        add(w, "is away; attempt %u in %llu ms", (unsigned)b->unproved + 1,
            ms_until(e, b->retry_at));
    else
        add(w, "is not connected yet");
    if (b->trouble[0])
        add(w, "; last: %s", b->trouble);
    return KLOOP_WAITING_CONNECTION;
}

/* ---- Order and numbers ---- */

static kloop_waiting for_order(const kloop_engine *e, const kl_partition *p, const kl_batch *b,
                               const words *w)
{
    unsigned flying = (unsigned)p->flight_count;
    if (flying > 0 && p->flight_conn != p->leader->conn)
        return say(w, KLOOP_WAITING_ORDER,
                   "%u batches before it are with the former leader or connection, and may still "
                   "be stored",
                   flying);
    if (flying > 0 && e->set.idempotent && !p->steady)
        return say(w, KLOOP_WAITING_ORDER,
                   "the batch before it is to be answered first: one at a time until the leader "
                   "has acknowledged something");
    if (!kl_idempotence_may_number(e, p, b)) {
        if (e->id_state != KL_ID_KNOWN) {
            say(w, KLOOP_WAITING_PRODUCER_ID, "no broker has given a producer id yet");
            if (w->size && e->id_at > e->now.mono_ns)
                add(w, "; asked again in %llu ms", ms_until(e, e->id_at));
            if (w->size && e->trouble[0])
                add(w, "; %s", e->trouble);
            return KLOOP_WAITING_PRODUCER_ID;
        }
        return say(w, KLOOP_WAITING_ORDER, "%u batches of an older epoch are to be answered first",
                   flying);
    }
    return say(w, KLOOP_WAITING_ROOM,
               "five batches are not settled, and a broker remembers no more of a partition");
}

/* ---- What the broker takes ---- */

static kloop_waiting for_broker(const kloop_engine *e, const kl_broker *b, const words *w)
{
    const kl_conn *c = b->conn;
    if (c->throttled_until > e->now.mono_ns)
        return say(w, KLOOP_WAITING_THROTTLE, "broker %d asks to be left alone for %llu ms more",
                   (int)b->id, ms_until(e, c->throttled_until));
    if (b->barren >= KL_BARREN_LOST && c->flight_count > 0)
        return say(w, KLOOP_WAITING_ROOM,
                   "broker %d has acknowledged nothing lately, and is asked once at a time",
                   (int)b->id);
    if (b->produce_at > e->now.mono_ns)
        return say(w, KLOOP_WAITING_RETRY,
                   "broker %d acknowledges nothing; it is asked again in %llu ms", (int)b->id,
                   ms_until(e, b->produce_at));
    if (c->flight_count >= e->set.in_flight_max)
        return say(w, KLOOP_WAITING_ROOM,
                   "%u requests to broker %d are not answered, and "
                   "max.in.flight.requests.per.connection=%u",
                   (unsigned)c->flight_count, (int)b->id, (unsigned)e->set.in_flight_max);
    if (c->auth)
        return say(w, KLOOP_WAITING_ROOM, "broker %d is being told anew who we are", (int)b->id);
    if (!kl_list_is_empty(&c->writing))
        return say(w, KLOOP_WAITING_ROOM, "the request before it is still being written");
    return say(w, KLOOP_WAITING_TURN, "nothing stands in the way: it leaves in the next turn");
}

/* ---- The partition ---- */

static kloop_waiting for_retry(const kloop_engine *e, const kl_partition *p, const kl_batch *b,
                               const words *w)
{
    say(w, KLOOP_WAITING_RETRY, "attempt %u is made in %llu ms", (unsigned)b->attempts + 1,
        ms_until(e, p->backoff_until));
    if (w->size == 0)
        return KLOOP_WAITING_RETRY;
    if (b->cut_off && p->leader)
        add(w, "; the connection to %s:%u was lost before the answer", p->leader->host,
            (unsigned)p->leader->port);
    else
        add_code(w, "; the last answer was ", b->broker_error ? b->broker_error : p->last_error);
    return KLOOP_WAITING_RETRY;
}

static kloop_waiting for_answer(const kloop_engine *e, const kl_partition *p, const words *w)
{
    const kl_batch *b = KL_CONTAINER_OF(kl_list_first(&p->line), kl_batch, in_line);
    const kl_broker *to = p->flight_conn ? p->flight_conn->broker : NULL;
    if (!to || !b->request)
        return say(w, KLOOP_WAITING_ORDER, "it is settled, and reported in order");
    return say(w, KLOOP_WAITING_ANSWER,
               "%u batches are with broker %d at %s:%u, which has not answered for %llu ms",
               (unsigned)p->flight_count, (int)to->id, to->host, (unsigned)to->port,
               ms_since(e, b->request->progress_ns));
}

kloop_waiting kl_waiting_of_partition(const kloop_engine *e, const kl_partition *p, char *text,
                                      size_t size)
{
    const words w = {text, size};
    if (kl_list_is_empty(&p->line))
        return say(&w, KLOOP_WAITING_NOTHING, "%s", "");
    if (e->fatal)
        return say(&w, KLOOP_WAITING_END, "the producer cannot go on: %s", e->fatal_text);
    const kl_batch *b = kl_readiness_next(p);
    if (!b)
        return for_answer(e, p, &w);
    if (b->stage == KL_STAGE_FOLDING)
        return say(&w, KLOOP_WAITING_CODEC, "the codec has not got to it yet");
    if (b->stage == KL_STAGE_RESHAPING)
        return say(&w, KLOOP_WAITING_CODEC, "it is put together anew: %s",
                   b->to_split    ? "the broker finds it too large"
                   : b->to_refold ? "the broker does not take its codec"
                                  : "the broker refuses some of its records");
    if (!p->leader)
        return for_leader(e, p, &w);
    /* While it lingers, nobody hurries to find it a connection or a number. */
    uint64_t due_at = kl_time_add(b->created_ns, p->topic->set->linger_ns);
    bool lingers = b->stage == KL_STAGE_OPEN && !b->due && due_at > e->now.mono_ns;
    if (!is_connected(p->leader) && !(lingers && p->leader->failures == 0))
        return for_connection(e, p->leader, &w);
    if (p->backoff_until > e->now.mono_ns)
        return for_retry(e, p, b, &w);
    if (!kl_readiness_may_go(e, p, b) && !(lingers && p->flight_count == 0))
        return for_order(e, p, b, &w);
    if (lingers)
        return say(&w, KLOOP_WAITING_LINGER, "it lingers for others, %llu ms more",
                   ms_until(e, due_at));
    return for_broker(e, p->leader, &w);
}

/* ---- A topic ---- */

static kloop_waiting of_parked(const kloop_engine *e, const kloop_topic *t, const words *w)
{
    const kl_link *first = kl_list_first(&t->parked);
    if (!first)
        return say(w, KLOOP_WAITING_NOTHING, "%s", "");
    if (e->fatal)
        return say(w, KLOOP_WAITING_END, "the producer cannot go on: %s", e->fatal_text);
    const kl_batch *b = KL_CONTAINER_OF(first, kl_batch, in_line);
    if (t->partition_count == 0) {
        say(w, KLOOP_WAITING_METADATA, "no broker has told of the topic's partitions for %llu ms",
            ms_since(e, b->created_ns));
        if (w->size == 0)
            return KLOOP_WAITING_METADATA;
        add_code(w, "; its last answer was ", t->error);
        add_question(e, w);
        return KLOOP_WAITING_METADATA;
    }
    if (t->share && t->share->unpark_waits)
        return say(w, KLOOP_WAITING_SHARE,
                   "%zu bytes are held for the topic, and its buffer.memory=%zu",
                   kl_topic_share_held(t->share), t->share->limit);
    if (e->unpark_waits)
        return say(w, KLOOP_WAITING_SHARE, "%s",
                   e->unpark_starved ? "there is no memory to move it to its partitions"
                                     : "what was moved to its partitions has to leave first");
    return say(w, KLOOP_WAITING_TURN, "its partitions are known, and it is being moved there");
}

kloop_waiting kloop_why_waiting(const kloop_topic *topic, int32_t partition, char *text,
                                size_t size)
{
    const kloop_engine *e = topic->engine;
    const words w = {text, size};
    const kl_partition *p =
        partition >= 0 && partition < topic->table_count ? topic->partitions[partition] : NULL;
    if (p && !kl_list_is_empty(&p->line))
        return kl_waiting_of_partition(e, p, text, size);
    if (partition < 0 || topic->partition_count == 0)
        return of_parked(e, topic, &w);
    return say(&w, KLOOP_WAITING_NOTHING, "%s", "");
}

/* ---- All of it ---- */

/* What waits for this broker does not leave now, and not for a reason of its own. */
static bool holds_up(const kloop_engine *e, const kl_broker *b)
{
    if (kl_list_is_empty(&b->ready) && kl_list_is_empty(&b->open))
        return false;
    return !is_connected(b) || b->conn->throttled_until > e->now.mono_ns ||
           b->produce_at > e->now.mono_ns;
}

static void name_broker(const kloop_engine *e, const kl_broker *b, kloop_suspended *s)
{
    const words w = {s->text, sizeof s->text};
    if (s->brokers > 1 || s->text[0])
        return;
    if (is_connected(b))
        for_broker(e, b, &w);
    else
        for_connection(e, b, &w);
}

/* Has a partition that nobody leads something to send? Only those are looked at. */
static bool waits_for_leaders(const kloop_topic *t)
{
    if (t->lined_batches == 0 || t->led_count == t->partition_count)
        return false;
    for (int32_t i = 0; i < t->partition_count; i++) {
        const kl_partition *p = t->leaders[i].node < 0 ? t->partitions[i] : NULL;
        if (p && kl_readiness_next(p))
            return true;
    }
    return false;
}

static void look_at_topics(const kloop_engine *e, kloop_suspended *s)
{
    const words w = {s->text, sizeof s->text};
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        const kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        bool parked = !kl_list_is_empty(&t->parked) && t->partition_count == 0;
        bool leaderless = waits_for_leaders(t);
        if (!parked && !leaderless)
            continue;
        s->topics++;
        if (parked)
            s->parked += kl_parking_count(t);
        if (s->text[0])
            continue;
        if (parked) {
            of_parked(e, t, &w);
        } else {
            say(&w, KLOOP_WAITING_LEADER, "%d of %d partitions have no leader",
                (int)(t->partition_count - t->led_count), (int)t->partition_count);
            if (e->trouble[0])
                add(&w, "; %s", e->trouble);
        }
        add(&w, " (topic '%s')", t->name);
    }
}

bool kloop_engine_suspended(const kloop_engine *e, kloop_suspended *suspended)
{
    *suspended = (kloop_suspended){.pending = kl_completion_pending(e), .fatal = e->fatal};
    kloop_suspended *s = suspended;
    const words w = {s->text, sizeof s->text};
    s->full = e->refused || e->shares_refused > 0;
    if (e->fatal)
        say(&w, KLOOP_WAITING_END, "the producer cannot go on: %s", e->fatal_text);
    if (s->pending > 0) {
        for (kl_link *at = kl_list_first(&e->broker_list); at;
             at = kl_list_next(&e->broker_list, at)) {
            const kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
            if (!holds_up(e, b))
                continue;
            s->brokers++;
            name_broker(e, b, s);
        }
        look_at_topics(e, s);
        s->producer_id =
            e->set.idempotent && (e->id_state == KL_ID_WANTED || e->id_state == KL_ID_ASKED);
        if (s->producer_id && !s->text[0]) {
            say(&w, KLOOP_WAITING_PRODUCER_ID, "no broker has given a producer id yet");
            if (e->trouble[0])
                add(&w, "; %s", e->trouble);
        }
    }
    if (s->full && !s->text[0])
        say(&w, KLOOP_WAITING_SHARE, "buffer.memory is used up (%zu bytes)", e->set.memory_bytes);
    return s->text[0] != '\0';
}
