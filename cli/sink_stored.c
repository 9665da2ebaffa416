/* SPDX-License-Identifier: BSD-2-Clause */
/* See sink_stored.h. */
#include "cli/sink_stored.h"

#include "base/buf.h"
#include "broker/truth.h"
#include "wiretools/json_write.h"

kl_sink_sums kl_sink_stored_sums(const kl_cluster *c)
{
    kl_sink_sums sums = {.complaints = kl_cluster_complaints(c, KL_COMPLAINT_SWALLOWED) +
                                       kl_cluster_complaints(c, KL_COMPLAINT_REFUSED) +
                                       kl_cluster_complaints(c, KL_COMPLAINT_PROTOCOL)};
    for (int32_t t = 0; t < kl_cluster_topic_count(c); t++) {
        kl_topic_info info;
        kl_cluster_topic_info(c, t, &info);
        for (int32_t p = 0; p < info.partitions; p++) {
            kl_partition_info partition;
            kl_cluster_partition_info(c, t, p, &partition);
            sums.records += partition.records;
            sums.bytes += partition.bytes;
            sums.batches += partition.batches;
        }
    }
    return sums;
}

static void put_number(kl_json_writer *json, const char *key, uint64_t value)
{
    kl_json_write_key(json, key);
    kl_json_write_int64(json, (int64_t)value);
}

static void put_topic(kl_json_writer *json, const kl_cluster *c, int32_t topic)
{
    kl_topic_info info;
    kl_cluster_topic_info(c, topic, &info);
    kl_json_write_object_begin(json);
    kl_json_write_key(json, "topic");
    kl_json_write_string(json, info.name);
    kl_json_write_key(json, "next_offsets");
    kl_json_write_array_begin(json);
    for (int32_t p = 0; p < info.partitions; p++) {
        kl_partition_info partition;
        kl_cluster_partition_info(c, topic, p, &partition);
        kl_json_write_int64(json, partition.next_offset);
    }
    kl_json_write_array_end(json);
    kl_json_write_object_end(json);
}

bool kl_sink_stored_print(const kl_cluster *c, FILE *to)
{
    kl_cluster_totals totals = kl_cluster_count(c);
    kl_sink_sums sums = kl_sink_stored_sums(c);
    kl_buf out;
    kl_json_writer json;
    kl_buf_init(&out, &kl_mem_libc);
    kl_json_write_init(&json, &out);
    kl_json_write_object_begin(&json);
    put_number(&json, "records", sums.records);
    put_number(&json, "bytes", sums.bytes);
    put_number(&json, "batches", sums.batches);
    put_number(&json, "duplicates", totals.duplicates);
    put_number(&json, "refused", totals.refused);
    put_number(&json, "requests", totals.requests);
    put_number(&json, "connections", totals.peers);
    put_number(&json, "complaints", sums.complaints);
    kl_json_write_key(&json, "topics");
    kl_json_write_array_begin(&json);
    for (int32_t t = 0; t < kl_cluster_topic_count(c); t++)
        put_topic(&json, c, t);
    kl_json_write_array_end(&json);
    kl_json_write_object_end(&json);
    kl_buf_append_byte(&out, '\n');
    bool ok = kl_json_write_end(&json) && !out.failed &&
              fwrite(out.data, 1, out.len, to) == out.len && fflush(to) == 0;
    kl_buf_deinit(&out);
    return ok;
}
