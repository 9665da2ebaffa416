/* SPDX-License-Identifier: BSD-2-Clause */
/* See trial.h. */
#include "tests/live/trial.h"

#include "base/be.h"
#include "base/check.h"

#include <string.h>
#include <zlib.h>

#define RECORDS_MAX 64

kl_trial kl_trial_init(const kl_talk *t)
{
    return (kl_trial){.producer_id = -1,
                      .epoch = -1,
                      .sequence = -1,
                      .count = 2,
                      .value_bytes = 20,
                      .timestamp = t->wall_ms};
}

static bool ask_for_id(kl_talk *t, kloop_init_producer_id_response *response)
{
    kloop_init_producer_id_request request;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, &request);
    request.transactional_id = kloop_text(NULL);
    request.transaction_timeout_ms = INT32_MAX;
    return kl_talk_quietly(t, KLOOP_INIT_PRODUCER_ID, 4, &request, response) &&
           !response->error_code;
}

/* A bound on questions, not on time: each is answered by a node that is at work on it. */
static void wait_for_id(kl_talk *t, kloop_init_producer_id_response *response)
{
    int questions = 0;
    while (!ask_for_id(t, response))
        KL_ASSERT(++questions < 100000);
}

kl_trial kl_trial_of_new_producer(kl_talk *t)
{
    kloop_init_producer_id_response response;
    kl_trial trial = kl_trial_init(t);
    wait_for_id(t, &response);
    kl_side_names_producer(&t->names, response.producer_id);
    trial.producer_id = response.producer_id;
    trial.epoch = 0;
    trial.sequence = 0;
    return trial;
}

void kl_trial_wait_for_ids(kl_talk *t)
{
    kloop_init_producer_id_response response;
    for (int32_t node = 1; node <= t->side->node_count; node++) {
        kl_talk_to(t, node);
        wait_for_id(t, &response);
    }
}

static kloop_batch_header header_of(const kl_trial *trial)
{
    kloop_batch_header header;
    kloop_batch_header_init(&header);
    header.attributes = (int16_t)trial->codec;
    header.last_offset_delta = trial->count - 1;
    header.base_timestamp = trial->timestamp;
    header.max_timestamp = trial->timestamp + trial->count - 1;
    header.producer_id = trial->producer_id;
    header.producer_epoch = trial->epoch;
    header.base_sequence = trial->sequence;
    header.partition_leader_epoch = -1;
    return header;
}

kl_trial_bytes kl_trial_records(kl_talk *t, const kl_trial *trial,
                                const kloop_batch_record *records, size_t count)
{
    kloop_batch_header header = header_of(trial);
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    KL_ASSERT(writer);
    size_t room = kloop_batch_size_max(&header, records, count);
    kl_trial_bytes out = {kl_talk_keep(t, room), 0};
    KL_ASSERT(!kloop_batch_encode(writer, &header, records, count, out.data, room, &out.len, NULL));
    kloop_batch_writer_del(writer);
    return out;
}

kl_trial_bytes kl_trial_batch(kl_talk *t, const kl_trial *trial)
{
    kloop_batch_record records[RECORDS_MAX];
    KL_ASSERT(trial->count <= RECORDS_MAX);
    uint8_t *value = kl_talk_keep(t, trial->value_bytes);
    for (size_t i = 0; i < trial->value_bytes; i++)
        value[i] = (uint8_t)("some words, over and over; "[i % 27]);
    memset(records, 0, sizeof records);
    for (int32_t i = 0; i < trial->count; i++) {
        records[i].offset = i;
        records[i].timestamp = trial->timestamp + i;
        records[i].value = (kloop_slice){value, trial->value_bytes};
        if (!trial->without_key)
            records[i].key = (kloop_slice){(const uint8_t *)"key", 3};
    }
    return kl_trial_records(t, trial, records, (size_t)trial->count);
}

kl_trial_bytes kl_trial_packed(kl_talk *t, const kl_trial *trial, const void *payload, size_t len)
{
    kl_trial plain = *trial;
    plain.codec = 0;
    kl_trial_bytes head = kl_trial_records(t, &plain, NULL, 0);
    kl_trial_bytes out =
        kl_trial_join(t, head, (kl_trial_bytes){(uint8_t *)(uintptr_t)payload, len});
    kl_be_store16(out.data + KL_AT_ATTRIBUTES, (uint16_t)trial->codec);
    kl_be_store32(out.data + KL_AT_COUNT, (uint32_t)trial->count);
    return kl_trial_seal(out);
}

kl_trial_bytes kl_trial_gzip(kl_talk *t, const void *bytes, size_t len)
{
    z_stream z;
    kl_trial_bytes out = {kl_talk_keep(t, len + 100), len + 100};
    memset(&z, 0, sizeof z);
    /* 16 above the window's size asks for gzip's frame. */
    KL_ASSERT(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)len;
    z.next_out = out.data;
    z.avail_out = (uInt)out.len;
    KL_ASSERT(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out.len = z.total_out;
    deflateEnd(&z);
    return out;
}

kl_trial_bytes kl_trial_join(kl_talk *t, kl_trial_bytes first, kl_trial_bytes second)
{
    kl_trial_bytes out = {kl_talk_keep(t, first.len + second.len), first.len + second.len};
    memcpy(out.data, first.data, first.len);
    if (second.len)
        memcpy(out.data + first.len, second.data, second.len);
    return out;
}

kl_trial_bytes kl_trial_copy(kl_talk *t, kl_trial_bytes bytes)
{
    return kl_trial_join(t, bytes, (kl_trial_bytes){NULL, 0});
}

kl_trial_bytes kl_trial_seal(kl_trial_bytes bytes)
{
    KL_ASSERT(kloop_batch_reseal(bytes.data, bytes.len));
    return bytes;
}

kl_trial_bytes kl_trial_set8(kl_talk *t, kl_trial_bytes bytes, size_t at, uint8_t value)
{
    kl_trial_bytes out = kl_trial_copy(t, bytes);
    out.data[at] = value;
    return kl_trial_seal(out);
}

kl_trial_bytes kl_trial_set16(kl_talk *t, kl_trial_bytes bytes, size_t at, uint16_t value)
{
    kl_trial_bytes out = kl_trial_copy(t, bytes);
    kl_be_store16(out.data + at, value);
    return kl_trial_seal(out);
}

kl_trial_bytes kl_trial_set32(kl_talk *t, kl_trial_bytes bytes, size_t at, uint32_t value)
{
    kl_trial_bytes out = kl_trial_copy(t, bytes);
    kl_be_store32(out.data + at, value);
    return kl_trial_seal(out);
}

kl_trial_bytes kl_trial_set64(kl_talk *t, kl_trial_bytes bytes, size_t at, uint64_t value)
{
    kl_trial_bytes out = kl_trial_copy(t, bytes);
    kl_be_store64(out.data + at, value);
    return kl_trial_seal(out);
}

/* ---- Sending ---- */

static kloop_uuid id_of(const kl_talk *t, const char *topic)
{
    kloop_uuid id;
    const kl_side_topic *known = kl_side_names_topic(&t->names, topic);
    memset(&id, *topic ? 0xab : 0, sizeof id);
    return known ? known->id : id;
}

void kl_trial_ask_here(kl_talk *t, const char *step, const kl_trial_request *request)
{
    kloop_produce_topic topics[8];
    kloop_produce_partition partitions[16];
    kloop_produce_request message;
    int32_t topic_count = 0;
    KL_ASSERT(request->entry_count <= 8);
    for (size_t i = 0; i < request->entry_count; i++) {
        const kl_trial_entry *entry = &request->entries[i];
        partitions[i].index = entry->partition;
        partitions[i].records = (kloop_records){.head = {entry->bytes.data, entry->bytes.len}};
        if (i == 0 || strcmp(entry->topic, request->entries[i - 1].topic) != 0) {
            kloop_produce_topic *topic = &topics[topic_count++];
            kloop_uuid none = {{0}};
            topic->name = kloop_text(request->version < 13 ? entry->topic : "");
            topic->topic_id = request->version < 13 ? none : id_of(t, entry->topic);
            topic->partition_data = kloop_array_of(&partitions[i], 1);
        } else {
            topics[topic_count - 1].partition_data.count++;
        }
    }
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &message);
    message.transactional_id = kloop_text(request->transactional_id);
    message.acks = request->acks;
    message.timeout_ms = request->timeout_ms;
    message.topic_data = kloop_array_of(topics, topic_count);
    if (request->acks == 0)
        kl_talk_tell(t, step, KLOOP_PRODUCE, request->version, &message);
    else
        kl_talk_ask(t, step, KLOOP_PRODUCE, request->version, &message);
}

void kl_trial_ask(kl_talk *t, const char *step, const kl_trial_request *request)
{
    if (request->entry_count)
        kl_talk_to_leader(t, request->entries[0].topic, request->entries[0].partition);
    kl_trial_ask_here(t, step, request);
}

void kl_trial_send(kl_talk *t, const char *step, int16_t version, int16_t acks, const char *topic,
                   int32_t partition, kl_trial_bytes bytes)
{
    kl_trial_entry entry = {topic, partition, bytes};
    kl_trial_ask(t, step,
                 &(kl_trial_request){.version = version,
                                     .acks = acks,
                                     .timeout_ms = 5000,
                                     .entries = &entry,
                                     .entry_count = 1});
}
