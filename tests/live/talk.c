/* SPDX-License-Identifier: BSD-2-Clause */
/* See talk.h. */
#define _POSIX_C_SOURCE 200809L

#include "tests/live/talk.h"

#include "base/be.h"
#include "base/check.h"
#include "tests/live/answer_text.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A question that every broker answers at once, to see whether the connection lives. */
#define PROBE_ID 0x4b4c4f4f

/* Followed by the bytes, which may be of any type. */
typedef union kl_kept {
    union kl_kept *next;
    max_align_t align;
} kl_kept;

void kl_talk_begin(kl_talk *t, const kl_side *side)
{
    memset(t, 0, sizeof *t);
    t->side = side;
    t->step = "";
    t->out = open_memstream(&t->text, &t->text_len);
    KL_ASSERT(t->out);
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    t->wall_ms =
        side->wall_ms ? side->wall_ms(side->self) : wall.tv_sec * 1000LL + wall.tv_nsec / 1000000;
}

static void hang_up(kl_talk *t)
{
    if (t->node_id)
        t->side->shut(t->side->self);
    t->node_id = 0;
    t->ended = t->unprobed;
}

void kl_talk_again(kl_talk *t)
{
    hang_up(t);
    t->ended = false;
}

kloop_slice kl_talk_auth_bytes(const kl_talk *t)
{
    return (kloop_slice){(const uint8_t *)t->auth_bytes, t->auth_bytes ? t->auth_bytes_len : 0};
}

void kl_talk_end(kl_talk *t)
{
    hang_up(t);
    fflush(t->out);
}

void kl_talk_free(kl_talk *t)
{
    fclose(t->out);
    free(t->text);
    free(t->auth_bytes);
    for (kl_kept *one = t->kept, *next; one; one = next) {
        next = one->next;
        free(one);
    }
}

void kl_talk_line(kl_talk *t, const char *name, const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    fprintf(t->out, "%s: %s = ", t->step, name);
    vfprintf(t->out, format, rest);
    fputc('\n', t->out);
    va_end(rest);
}

void *kl_talk_keep(kl_talk *t, size_t size)
{
    kl_kept *one = calloc(1, sizeof *one + size);
    KL_ASSERT(one);
    one->next = t->kept;
    t->kept = one;
    return one + 1;
}

const char *kl_talk_label(kl_talk *t, const char *format, ...)
{
    char *text = kl_talk_keep(t, 96);
    va_list rest;
    va_start(rest, format);
    vsnprintf(text, 96, format, rest);
    va_end(rest);
    return text;
}

void kl_talk_to(kl_talk *t, int32_t node_id)
{
    if (t->node_id == node_id)
        return;
    hang_up(t);
    if (t->side->open(t->side->self, node_id))
        t->node_id = node_id;
    else
        kl_talk_line(t, "connection", "refused");
}

void kl_talk_to_leader(kl_talk *t, const char *topic, int32_t partition)
{
    int32_t leader = kl_side_names_leader(&t->names, topic, partition);
    kl_talk_to(t, leader > 0 ? leader : 1);
}

void kl_talk_kill(kl_talk *t, int32_t node_id)
{
    hang_up(t);
    t->side->kill(t->side->self, node_id);
}

void kl_talk_revive(kl_talk *t, int32_t node_id)
{
    hang_up(t);
    t->side->revive(t->side->self, node_id);
}

static bool send_all(kl_talk *t, const void *bytes, size_t len)
{
    if (!t->node_id && !t->ended)
        kl_talk_to(t, 1);
    return t->node_id && t->side->send(t->side->self, bytes, len);
}

static kl_heard hear(kl_talk *t, kloop_slice *frame)
{
    return t->node_id ? t->side->hear(t->side->self, frame) : KL_HEARD_CLOSE;
}

static bool send_probe(kl_talk *t)
{
    uint8_t probe[14];
    kl_be_store32(probe, 10);
    kl_be_store16(probe + 4, KLOOP_API_VERSIONS);
    kl_be_store16(probe + 6, 0);
    kl_be_store32(probe + 8, PROBE_ID);
    kl_be_store16(probe + 12, 0xffff);
    return send_all(t, probe, sizeof probe);
}

static bool is_probe(kloop_slice frame)
{
    return frame.len >= 4 && kl_be_load32(frame.data) == PROBE_ID;
}

static void write_answer(kl_talk *t, int16_t api_key, int16_t version, kloop_slice frame)
{
    kloop_fault fault;
    char text[200];
    kloop_response_header header;
    size_t used = 0;
    int16_t header_version = 0;
    const kloop_api *api = kloop_api_find(api_key);
    if (api && version >= 0 && version <= api->max_version) {
        header_version = kloop_response_header_version(api_key, version);
    } else if (api_key == KLOOP_API_VERSIONS) {
        /* Who asks in a version that nobody knows is answered in the first one. */
        kl_talk_line(t, "answer", "in version 0");
        version = 0;
    }
    if (kloop_decode_prefix(KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE, header_version, frame.data,
                            frame.len, &used, &header, &fault)) {
        kloop_fault_text(&fault, text, sizeof text);
        kl_talk_line(t, "header", "%s", text);
        return;
    }
    kl_talk_line(t, "correlation_id", "%s",
                 header.correlation_id == t->correlation_id ? "right" : "wrong");
    kl_answer_text(t, api_key, version, (kloop_slice){frame.data + used, frame.len - used});
}

/* What the sides are to agree on: an answer or none, and whether the connection lives on. */
static void take_answer(kl_talk *t, int16_t api_key, int16_t version, bool sent)
{
    kloop_slice frame;
    kl_heard heard = sent ? hear(t, &frame) : KL_HEARD_CLOSE;
    free(t->auth_bytes);
    t->auth_bytes = NULL;
    if (heard == KL_HEARD_FRAME && t->unprobed) {
        write_answer(t, api_key, version, frame);
    } else if (heard == KL_HEARD_FRAME) {
        write_answer(t, api_key, version, frame);
        heard = send_probe(t) ? hear(t, &frame) : KL_HEARD_CLOSE;
        if (heard == KL_HEARD_FRAME)
            kl_talk_line(t, "then", is_probe(frame) ? "open" : "another frame");
        else
            kl_talk_line(t, "then", heard == KL_HEARD_CLOSE ? "closed" : "silent");
    } else {
        kl_talk_line(t, "answer", heard == KL_HEARD_CLOSE ? "none, closed" : "none, silent");
    }
    if (heard != KL_HEARD_FRAME)
        hang_up(t);
}

/* The frame of a request; the caller frees. */
static uint8_t *frame_of(kl_talk *t, int16_t api_key, int16_t version, const void *message,
                         size_t message_size, size_t *len)
{
    kloop_fault fault;
    kloop_size size;
    char text[200];
    kloop_status status = kloop_measure_request_sized(api_key, version, kloop_text("compare"),
                                                      message, message_size, &size, &fault);
    uint8_t *bytes = malloc(size.total ? size.total : 1);
    KL_ASSERT(bytes);
    t->correlation_id++;
    if (!status)
        status =
            kloop_encode_request_sized(api_key, version, t->correlation_id, kloop_text("compare"),
                                       message, message_size, bytes, size.total, &fault);
    if (status) {
        kloop_fault_text(&fault, text, sizeof text);
        fprintf(stderr, "compare_model: %s: %s\n", t->step, text);
        exit(2);
    }
    *len = size.total;
    return bytes;
}

void kl_talk_ask_sized(kl_talk *t, const char *step, int16_t api_key, int16_t version,
                       const void *message, size_t message_size)
{
    size_t len;
    t->step = step;
    uint8_t *bytes = frame_of(t, api_key, version, message, message_size, &len);
    take_answer(t, api_key, version, send_all(t, bytes, len));
    free(bytes);
}

void kl_talk_tell_sized(kl_talk *t, const char *step, int16_t api_key, int16_t version,
                        const void *message, size_t message_size)
{
    size_t len;
    kloop_slice frame;
    t->step = step;
    uint8_t *bytes = frame_of(t, api_key, version, message, message_size, &len);
    bool sent = send_all(t, bytes, len) && send_probe(t);
    free(bytes);
    kl_heard heard = sent ? hear(t, &frame) : KL_HEARD_CLOSE;
    if (heard == KL_HEARD_FRAME) {
        kl_talk_line(t, "answer", is_probe(frame) ? "none, open" : "there is one");
        if (is_probe(frame))
            return;
    } else {
        kl_talk_line(t, "answer", heard == KL_HEARD_CLOSE ? "none, closed" : "none, silent");
    }
    hang_up(t);
}

void kl_talk_ask_raw(kl_talk *t, const char *step, int16_t api_key, int16_t version,
                     const void *body, size_t len)
{
    bool flexible = kloop_api_find(api_key) && kloop_request_header_version(api_key, version) >= 2;
    size_t head = flexible ? 15 : 14;
    uint8_t *bytes = malloc(head + len);
    KL_ASSERT(bytes);
    t->step = step;
    kl_be_store32(bytes, (uint32_t)(head - 4 + len));
    kl_be_store16(bytes + 4, (uint16_t)api_key);
    kl_be_store16(bytes + 6, (uint16_t)version);
    kl_be_store32(bytes + 8, (uint32_t)++t->correlation_id);
    kl_be_store16(bytes + 12, 0xffff);
    bytes[head - 1] = flexible ? 0 : bytes[head - 1];
    if (len)
        memcpy(bytes + head, body, len);
    take_answer(t, api_key, version, send_all(t, bytes, head + len));
    free(bytes);
}

void kl_talk_say_bare(kl_talk *t, const char *step, const void *bytes, size_t len)
{
    kloop_slice frame;
    t->step = step;
    kl_heard heard = send_all(t, bytes, len) ? hear(t, &frame) : KL_HEARD_CLOSE;
    if (heard == KL_HEARD_FRAME)
        kl_talk_line(t, "answer", "%zu bytes without a header", frame.len);
    else
        kl_talk_line(t, "answer", heard == KL_HEARD_CLOSE ? "none, closed" : "none, silent");
    if (heard != KL_HEARD_FRAME)
        hang_up(t);
}

void kl_talk_ask_wild(kl_talk *t, const char *step, const void *bytes, size_t len)
{
    kloop_slice frame;
    t->step = step;
    kl_heard heard = send_all(t, bytes, len) ? hear(t, &frame) : KL_HEARD_CLOSE;
    if (heard == KL_HEARD_FRAME)
        kl_talk_line(t, "answer", "there is one");
    else
        kl_talk_line(t, "answer", heard == KL_HEARD_CLOSE ? "none, closed" : "none, silent");
    hang_up(t);
}

bool kl_talk_quietly_sized(kl_talk *t, int16_t api_key, int16_t version, const void *request,
                           size_t request_size, void *response, size_t response_size)
{
    size_t len;
    kloop_slice frame;
    kloop_response_header header;
    size_t used = 0;
    uint8_t *bytes = frame_of(t, api_key, version, request, request_size, &len);
    bool sent = send_all(t, bytes, len);
    free(bytes);
    if (!sent || hear(t, &frame) != KL_HEARD_FRAME) {
        hang_up(t);
        return false;
    }
    return !kloop_decode_prefix(KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE,
                                kloop_response_header_version(api_key, version), frame.data,
                                frame.len, &used, &header, NULL) &&
           !kloop_decode_sized(api_key, KLOOP_RESPONSE, version, frame.data + used,
                               frame.len - used, response, response_size, NULL);
}

static bool all_led(const kloop_metadata_response *metadata)
{
    kloop_metadata_topic topic;
    kloop_metadata_partition partition;
    for (kloop_iter i = kloop_iterate(&metadata->topics); kloop_next(&i, &topic);) {
        if (topic.error_code || topic.partitions.count < 1)
            return false;
        for (kloop_iter j = kloop_iterate(&topic.partitions); kloop_next(&j, &partition);) {
            if (partition.leader_id < 0)
                return false;
        }
    }
    return true;
}

void kl_talk_learn(kl_talk *t, const char *topic)
{
    kloop_metadata_request request;
    kloop_metadata_response response;
    kloop_metadata_request_topic one = {.name = kloop_text(topic)};
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
    request.topics = topic ? kloop_array_of(&one, 1) : kloop_array_null();
    request.allow_auto_topic_creation = false;
    /* A bound on questions, not on time: each is answered by a node that is at work on it. */
    for (int i = 0; i < 100000; i++) {
        if (!kl_talk_quietly(t, KLOOP_METADATA, 12, &request, &response))
            break;
        if (all_led(&response)) {
            kl_side_names_learn(&t->names, &response);
            return;
        }
    }
    fprintf(stderr, "compare_model: %s does not know %s\n", t->side->name,
            topic ? topic : "topics");
    exit(1);
}
