/* SPDX-License-Identifier: BSD-2-Clause */
/* See scripts.h. What a broker looks at in a batch, one thing after the other. */
#include "tests/live/scripts.h"
#include "tests/live/trial.h"

#include <kloop/batch.h>

#include <string.h>

#define TOPIC "cmp.plain"

static void send_v(kl_talk *t, const char *step, int16_t version, kl_trial_bytes bytes)
{
    kl_trial_send(t, step, version, -1, TOPIC, 0, bytes);
}

static void send_it(kl_talk *t, const char *step, kl_trial_bytes bytes)
{
    send_v(t, step, 9, bytes);
}

/* Whether something of what came before was appended after all. */
static void look(kl_talk *t)
{
    kl_trial trial = kl_trial_init(t);
    send_it(t, "what was appended", kl_trial_batch(t, &trial));
}

static void records_field(kl_talk *t)
{
    static uint8_t bytes[200];
    kl_trial trial = kl_trial_init(t);
    kl_trial_bytes good = kl_trial_batch(t, &trial);
    static const int16_t versions_of[] = {3, 9, 13};
    for (size_t i = 0; i < 3; i++) {
        int16_t v = versions_of[i];
        send_v(t, kl_talk_label(t, "v%d empty", v), v, (kl_trial_bytes){bytes, 0});
        send_v(t, kl_talk_label(t, "v%d one zero", v), v, (kl_trial_bytes){bytes, 1});
        send_v(t, kl_talk_label(t, "v%d 200 zeros", v), v, (kl_trial_bytes){bytes, 200});
        send_v(t, kl_talk_label(t, "v%d two batches", v), v, kl_trial_join(t, good, good));
        send_v(t, kl_talk_label(t, "v%d zeros behind", v), v,
               kl_trial_join(t, good, (kl_trial_bytes){bytes, 30}));
        send_v(t, kl_talk_label(t, "v%d one zero behind", v), v,
               kl_trial_join(t, good, (kl_trial_bytes){bytes, 1}));
        send_v(t, kl_talk_label(t, "v%d cut in the records", v), v,
               (kl_trial_bytes){good.data, good.len - 5});
        send_v(t, kl_talk_label(t, "v%d cut in the header", v), v, (kl_trial_bytes){good.data, 40});
        send_v(t, kl_talk_label(t, "v%d cut before the magic", v), v,
               (kl_trial_bytes){good.data, 16});
    }
    look(t);
}

static void null_records(kl_talk *t)
{
    send_it(t, "alone", (kl_trial_bytes){NULL, 0});
    look(t);
}

/* A wrong length or checksum is left as it is; all other changes are sealed. */
static kl_trial_bytes spoilt(kl_talk *t, kl_trial_bytes bytes, size_t at, const uint8_t *with,
                             size_t len)
{
    kl_trial_bytes out = kl_trial_copy(t, bytes);
    memcpy(out.data + at, with, len);
    return out;
}

static void headers(kl_talk *t)
{
    kl_trial trial = kl_trial_init(t);
    kl_trial_bytes good = kl_trial_batch(t, &trial);
    static const uint8_t lengths[][4] = {{0, 0, 0, 0},
                                         {0, 0, 0, 48},
                                         {0, 0, 0, 49},
                                         {0xff, 0xff, 0xff, 0xff},
                                         {0x7f, 0xff, 0xff, 0xff},
                                         {0, 0, 0, 14},
                                         {0, 0, 0, 13},
                                         {0, 0, 1, 0}};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        send_it(t,
                kl_talk_label(t, "length %02x%02x%02x%02x", lengths[i][0], lengths[i][1],
                              lengths[i][2], lengths[i][3]),
                spoilt(t, good, KL_AT_LENGTH, lengths[i], 4));
    send_it(t, "wrong crc", spoilt(t, good, KL_AT_CRC, (const uint8_t[]){1, 2, 3, 4}, 4));
    send_it(t, "a bit of a value", spoilt(t, good, good.len - 3, (const uint8_t[]){'X'}, 1));
    static const int8_t magics[] = {0, 1, 3, -1, 127};
    for (size_t i = 0; i < sizeof magics; i++) {
        uint8_t magic = (uint8_t)magics[i];
        send_it(t, kl_talk_label(t, "magic %d", magics[i]),
                spoilt(t, good, KL_AT_MAGIC, &magic, 1));
        send_v(t, kl_talk_label(t, "v3 magic %d", magics[i]), 3,
               spoilt(t, good, KL_AT_MAGIC, &magic, 1));
    }
    send_it(t, "base offset 1", kl_trial_set64(t, good, KL_AT_BASE_OFFSET, 1));
    send_it(t, "base offset -1", kl_trial_set64(t, good, KL_AT_BASE_OFFSET, UINT64_MAX));
    send_it(t, "leader epoch 0", kl_trial_set32(t, good, KL_AT_LEADER_EPOCH, 0));
    send_it(t, "leader epoch 99", kl_trial_set32(t, good, KL_AT_LEADER_EPOCH, 99));
    look(t);
}

static void attributes(kl_talk *t)
{
    kl_trial trial = kl_trial_init(t);
    kl_trial_bytes good = kl_trial_batch(t, &trial);
    static const uint16_t bits[] = {0x05, 0x06, 0x07, 0x08,  0x10,  0x20,
                                    0x30, 0x40, 0x80, 0x100, 0x8000};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        send_it(t, kl_talk_label(t, "%#x", bits[i]),
                kl_trial_set16(t, good, KL_AT_ATTRIBUTES, bits[i]));
    look(t);
}

static void counts(kl_talk *t)
{
    kl_trial trial = kl_trial_init(t);
    trial.count = 3;
    kl_trial_bytes good = kl_trial_batch(t, &trial);
    static const int32_t wrong[] = {0, 1, 2, 4, -1, 1000000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        kl_trial_bytes count = kl_trial_set32(t, good, KL_AT_COUNT, (uint32_t)wrong[i]);
        send_it(t, kl_talk_label(t, "count %d", wrong[i]), count);
        send_it(t, kl_talk_label(t, "last delta %d", wrong[i] - (wrong[i] > INT32_MIN)),
                kl_trial_set32(t, good, KL_AT_LAST_DELTA,
                               (uint32_t)(wrong[i] - (wrong[i] > INT32_MIN))));
        send_it(t, kl_talk_label(t, "both for %d", wrong[i]),
                kl_trial_set32(t, count, KL_AT_LAST_DELTA,
                               (uint32_t)(wrong[i] - (wrong[i] > INT32_MIN))));
    }
    kl_trial_bytes empty = kl_trial_packed(t, &trial, NULL, 0);
    send_it(t, "no records, count 3", empty);
    send_it(t, "no records, count 0", kl_trial_set32(t, empty, KL_AT_COUNT, 0));
    send_it(
        t, "no records, count 0, last delta -1",
        kl_trial_set32(t, kl_trial_set32(t, empty, KL_AT_COUNT, 0), KL_AT_LAST_DELTA, UINT32_MAX));
    look(t);
}

static void codecs(kl_talk *t)
{
    static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    kl_trial trial = kl_trial_init(t);
    trial.count = 10;
    for (int codec = 0; codec <= 4; codec++) {
        trial.codec = codec;
        kl_trial_bytes good = kl_trial_batch(t, &trial);
        static const int16_t versions_of[] = {3, 6, 7, 9, 13};
        for (size_t i = 0; i < sizeof versions_of / sizeof versions_of[0]; i++)
            send_v(t, kl_talk_label(t, "%s v%d", names[codec], versions_of[i]), versions_of[i],
                   good);
        if (codec == 0)
            continue;
        send_it(t, kl_talk_label(t, "%s of nothing", names[codec]),
                kl_trial_packed(t, &trial, NULL, 0));
        send_it(t, kl_talk_label(t, "%s of noise", names[codec]),
                kl_trial_packed(t, &trial, "no such stream as this one, really", 34));
        kl_trial_bytes cut = {good.data, good.len - 6};
        send_it(t, kl_talk_label(t, "%s cut", names[codec]), kl_trial_seal(kl_trial_copy(t, cut)));
        send_it(t, kl_talk_label(t, "%s, count one less", names[codec]),
                kl_trial_set32(t, kl_trial_set32(t, good, KL_AT_COUNT, 9), KL_AT_LAST_DELTA, 8));
        send_it(t, kl_talk_label(t, "%s, count one more", names[codec]),
                kl_trial_set32(t, kl_trial_set32(t, good, KL_AT_COUNT, 11), KL_AT_LAST_DELTA, 10));
        send_it(t, kl_talk_label(t, "%s, bytes behind", names[codec]),
                kl_trial_seal(kl_trial_join(t, good, (kl_trial_bytes){good.data, 8})));
        send_it(t, kl_talk_label(t, "%s called another", names[codec]),
                kl_trial_set16(t, good, KL_AT_ATTRIBUTES, (uint16_t)(codec % 4 + 1)));
    }
    look(t);
}

/* ---- Records ---- */

static kloop_batch_record some_record(const kl_trial *trial, int32_t n)
{
    kloop_batch_record record;
    memset(&record, 0, sizeof record);
    record.offset = n;
    record.timestamp = trial->timestamp + n;
    record.key = (kloop_slice){(const uint8_t *)"k", 1};
    record.value = (kloop_slice){(const uint8_t *)"value", 5};
    return record;
}

static void inner_offsets(kl_talk *t)
{
    kl_trial trial = kl_trial_init(t);
    trial.count = 3;
    static const int64_t deltas[][3] = {{0, 1, 5}, {0, 2, 1}, {1, 2, 3}, {0, 0, 0}, {-1, 0, 1}};
    for (int codec = 0; codec <= 4; codec += 4) {
        trial.codec = codec;
        for (size_t i = 0; i < sizeof deltas / sizeof deltas[0]; i++) {
            kloop_batch_record records[3];
            for (int32_t n = 0; n < 3; n++) {
                records[n] = some_record(&trial, n);
                records[n].offset = deltas[i][n];
            }
            send_it(t,
                    kl_talk_label(t, "codec %d, %d %d %d", codec, (int)deltas[i][0],
                                  (int)deltas[i][1], (int)deltas[i][2]),
                    kl_trial_records(t, &trial, records, 3));
        }
    }
    look(t);
}

static void record_fields(kl_talk *t)
{
    kl_trial trial = kl_trial_init(t);
    trial.count = 1;
    kloop_record_header header[] = {{kloop_text("h"), {(const uint8_t *)"x", 1}},
                                    {kloop_text("h"), {NULL, 0}},
                                    {kloop_text(""), {(const uint8_t *)"", 0}}};
    kloop_batch_record record = some_record(&trial, 0);
    record.headers = kloop_record_headers_of(header, 3);
    send_it(t, "headers", kl_trial_records(t, &trial, &record, 1));
    record = some_record(&trial, 0);
    record.attributes = 0x55;
    send_it(t, "attributes", kl_trial_records(t, &trial, &record, 1));
    record = some_record(&trial, 0);
    record.key = (kloop_slice){NULL, 0};
    record.value = (kloop_slice){NULL, 0};
    send_it(t, "null key and value", kl_trial_records(t, &trial, &record, 1));
    record.key = record.value = (kloop_slice){(const uint8_t *)"", 0};
    send_it(t, "empty key and value", kl_trial_records(t, &trial, &record, 1));

    /* By hand: size, attributes, time, offset, key, value, headers. */
    static const struct {
        const char *what;
        size_t len;
        uint8_t bytes[24];
    } raw[] = {
        {"sound", 9, {16, 0, 0, 0, 2, 'k', 2, 'v', 0}},
        {"size one less", 9, {14, 0, 0, 0, 2, 'k', 2, 'v', 0}},
        {"size one more", 9, {18, 0, 0, 0, 2, 'k', 2, 'v', 0}},
        {"size one more, a byte more", 10, {18, 0, 0, 0, 2, 'k', 2, 'v', 0, 0}},
        {"bytes behind the record", 12, {16, 0, 0, 0, 2, 'k', 2, 'v', 0, 1, 2, 3}},
        {"size 0", 1, {0}},
        {"size -1", 9, {1, 0, 0, 0, 2, 'k', 2, 'v', 0}},
        {"key length -2", 9, {16, 0, 0, 0, 3, 'k', 2, 'v', 0}},
        {"key beyond the end", 9, {16, 0, 0, 0, 40, 'k', 2, 'v', 0}},
        {"value length -2", 9, {16, 0, 0, 0, 2, 'k', 3, 'v', 0}},
        {"value beyond the end", 9, {16, 0, 0, 0, 2, 'k', 40, 'v', 0}},
        {"headers -1", 9, {16, 0, 0, 0, 2, 'k', 2, 'v', 1}},
        {"headers 1 of none", 9, {16, 0, 0, 0, 2, 'k', 2, 'v', 2}},
        {"headers many", 9, {16, 0, 0, 0, 2, 'k', 2, 'v', 126}},
        {"header key null", 11, {20, 0, 0, 0, 2, 'k', 2, 'v', 2, 1, 1}},
        {"header value length -2", 12, {22, 0, 0, 0, 2, 'k', 2, 'v', 2, 2, 'h', 3}},
        {"a varint of six bytes",
         14,
         {26, 0, 0, 0, 0x82, 0x80, 0x80, 0x80, 0x80, 0, 'k', 2, 'v', 0}},
        {"an offset above 32 bits",
         13,
         {24, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 'k', 2, 'v', 0}},
    };
    for (int codec = 0; codec <= 1; codec++) {
        for (size_t i = 0; i < sizeof raw / sizeof raw[0]; i++) {
            trial.codec = 0;
            kl_trial_bytes bytes = kl_trial_packed(t, &trial, raw[i].bytes, raw[i].len);
            if (codec) {
                kl_trial_bytes packed = kl_trial_gzip(t, raw[i].bytes, raw[i].len);
                trial.codec = 1;
                bytes = kl_trial_packed(t, &trial, packed.data, packed.len);
            }
            send_it(t, kl_talk_label(t, "%s%s", codec ? "gzip, " : "", raw[i].what), bytes);
        }
    }
    look(t);
}

static void timestamps(kl_talk *t)
{
    kl_trial trial = kl_trial_init(t);
    static const int64_t hours[] = {-24 * 365, -1, 0, 2, 24 * 365};
    for (int codec = 0; codec <= 4; codec += 4) {
        for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
            trial.codec = codec;
            trial.timestamp = t->wall_ms + hours[i] * 3600000;
            kl_trial_bytes bytes = kl_trial_batch(t, &trial);
            send_it(t, kl_talk_label(t, "codec %d, in %lld hours", codec, (long long)hours[i]),
                    bytes);
            kl_trial_send(
                t, kl_talk_label(t, "codec %d, in %lld hours, stamped", codec, (long long)hours[i]),
                9, -1, "cmp.stamped", 0, bytes);
        }
    }
    trial = kl_trial_init(t);
    kl_trial_bytes good = kl_trial_batch(t, &trial);
    send_it(t, "max below", kl_trial_set64(t, good, KL_AT_MAX_TIMESTAMP, 5));
    send_it(t, "max far above",
            kl_trial_set64(t, good, KL_AT_MAX_TIMESTAMP, (uint64_t)t->wall_ms + 36000000));
    send_it(t, "max -1", kl_trial_set64(t, good, KL_AT_MAX_TIMESTAMP, UINT64_MAX));
    trial.timestamp = -1;
    trial.count = 1;
    send_it(t, "none", kl_trial_batch(t, &trial));
    trial.timestamp = 0;
    send_it(t, "zero", kl_trial_batch(t, &trial));
    trial.timestamp = -5;
    send_it(t, "before 1970", kl_trial_batch(t, &trial));
    for (int16_t version = 3; version <= 13; version += 5) {
        trial = kl_trial_init(t);
        kl_trial_send(t, kl_talk_label(t, "v%d stamped by the broker", version), version, 1,
                      "cmp.stamped", 0, kl_trial_batch(t, &trial));
    }
    look(t);
}

static void sizes(kl_talk *t)
{
    kl_trial trial = kl_trial_init(t);
    for (size_t bytes = 1; bytes <= 3; bytes++) {
        trial.value_bytes = bytes * 1000;
        trial.count = 1;
        for (int codec = 0; codec <= 4; codec++) {
            trial.codec = codec;
            kl_trial_send(t, kl_talk_label(t, "value of %zu, codec %d", trial.value_bytes, codec),
                          9, -1, "cmp.small", 0, kl_trial_batch(t, &trial));
        }
    }
    trial.codec = 0;
    trial.value_bytes = 100;
    while (kl_trial_batch(t, &trial).len < 2000)
        trial.value_bytes += 2000 - kl_trial_batch(t, &trial).len;
    kl_trial_send(t, "just the limit", 9, -1, "cmp.small", 0, kl_trial_batch(t, &trial));
    trial.value_bytes++;
    kl_trial_send(t, "one above", 9, -1, "cmp.small", 0, kl_trial_batch(t, &trial));
    trial.value_bytes = 1048588;
    kl_trial_send(t, "above Kafka's default", 9, -1, TOPIC, 0, kl_trial_batch(t, &trial));
    kl_trial_send(t, "above Kafka's default, v13", 13, -1, TOPIC, 0, kl_trial_batch(t, &trial));
    kl_trial_bytes large = kl_trial_batch(t, &trial);
    kl_trial_send(t, "too large and damaged", 9, -1, TOPIC, 0,
                  spoilt(t, large, KL_AT_CRC, (const uint8_t[]){1, 2, 3, 4}, 4));
    look(t);
}

static void compacted(kl_talk *t)
{
    static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    kl_trial trial = kl_trial_init(t);
    for (int codec = 0; codec <= 4; codec++) {
        trial.codec = codec;
        trial.without_key = false;
        trial.count = 3;
        kl_trial_bytes keyed = kl_trial_batch(t, &trial);
        trial.without_key = true;
        kl_trial_bytes keyless = kl_trial_batch(t, &trial);
        for (int16_t version = 7; version <= 9; version++) {
            kl_trial_send(t, kl_talk_label(t, "%s v%d", names[codec], version), version, -1,
                          "cmp.compacted", 0, keyed);
            kl_trial_send(t, kl_talk_label(t, "%s v%d, without keys", names[codec], version),
                          version, -1, "cmp.compacted", 0, keyless);
        }
    }
    trial.codec = 0;
    kloop_batch_record records[3];
    for (int32_t n = 0; n < 3; n++)
        records[n] = some_record(&trial, n);
    records[1].key = (kloop_slice){NULL, 0};
    kl_trial_send(t, "the second without", 13, -1, "cmp.compacted", 0,
                  kl_trial_records(t, &trial, records, 3));
    records[0].timestamp = records[2].timestamp = t->wall_ms + 72000000;
    kl_trial_send(t, "the second without, the others late", 13, -1, "cmp.compacted", 0,
                  kl_trial_records(t, &trial, records, 3));
}

const kl_script kl_scripts_of_batches[] = {
    {"records field", 1, 0, records_field, KL_SCRIPT_ORDINARY},
    {"null records", 1, 0, null_records, KL_SCRIPT_SLOW},
    {"batch headers", 1, 0, headers, KL_SCRIPT_ORDINARY},
    {"batch attributes", 1, 0, attributes, KL_SCRIPT_ORDINARY},
    {"batch counts", 1, 0, counts, KL_SCRIPT_ORDINARY},
    {"batch codecs", 1, 0, codecs, KL_SCRIPT_ORDINARY},
    {"inner offsets", 1, 0, inner_offsets, KL_SCRIPT_ORDINARY},
    {"record fields", 1, 0, record_fields, KL_SCRIPT_ORDINARY},
    {"timestamps", 1, 0, timestamps, KL_SCRIPT_ORDINARY},
    {"sizes", 1, 0, sizes, KL_SCRIPT_ORDINARY},
    {"compacted topic", 1, 0, compacted, KL_SCRIPT_ORDINARY},
    {NULL, 0, 0, NULL, KL_SCRIPT_ORDINARY},
};
