/* SPDX-License-Identifier: BSD-2-Clause */
/* Events as JSON. See produce_events.h. */
#include "cli/produce_events.h"

#include "base/utf8.h"
#include "wiretools/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NO_KEY SIZE_MAX

/* ---- Copies ---- */

static size_t copy_size(size_t key_len, size_t value_len)
{
    return sizeof(kl_record_copy) + (key_len == NO_KEY ? 0 : key_len) +
           (value_len == NO_KEY ? 0 : value_len);
}

static size_t len_of(kloop_slice s)
{
    return s.data ? s.len : NO_KEY;
}

kl_record_copy *kl_record_copy_new(const kloop_record *record, uint64_t sent_ns)
{
    size_t key_len = len_of(record->key), value_len = len_of(record->value);
    kl_record_copy *copy = kl_mem_alloc(&kl_mem_libc, copy_size(key_len, value_len));
    if (!copy)
        return NULL;
    copy->sent_ns = sent_ns;
    copy->key_len = key_len;
    copy->value_len = value_len;
    uint8_t *at = copy->bytes;
    if (key_len != NO_KEY && key_len > 0) {
        memcpy(at, record->key.data, key_len);
        at += key_len;
    }
    if (value_len != NO_KEY && value_len > 0)
        memcpy(at, record->value.data, value_len);
    return copy;
}

void kl_record_copy_del(kl_record_copy *copy)
{
    if (copy)
        kl_mem_release(&kl_mem_libc, copy, copy_size(copy->key_len, copy->value_len));
}

kloop_slice kl_record_copy_key(const kl_record_copy *copy)
{
    if (copy->key_len == NO_KEY)
        return (kloop_slice){NULL, 0};
    return (kloop_slice){copy->bytes, copy->key_len};
}

kloop_slice kl_record_copy_value(const kl_record_copy *copy)
{
    if (copy->value_len == NO_KEY)
        return (kloop_slice){NULL, 0};
    return (kloop_slice){copy->bytes + (copy->key_len == NO_KEY ? 0 : copy->key_len),
                         copy->value_len};
}

/* ---- Lines ---- */

static void put_bytes(kl_json_writer *json, const char *name, const char *name64, kloop_slice bytes)
{
    kloop_string text = {(const char *)bytes.data, bytes.len};
    if (!text.data || kl_utf8_valid_len(text.data, text.len) == text.len) {
        kl_json_write_key(json, name);
        kl_json_write_string(json, text);
    } else {
        kl_json_write_key(json, name64);
        kl_json_write_base64(json, bytes);
    }
}

static void begin_line(kl_json_writer *json, kl_buf *out, const char *name,
                       const kl_produce_event *event)
{
    kl_json_write_init(json, out);
    kl_json_write_object_begin(json);
    kl_json_write_key(json, "name");
    kl_json_write_text(json, name);
    kl_json_write_key(json, "timestamp");
    kl_json_write_int64(json, event->wall_ms);
    put_bytes(json, "key", "key64", event->key);
    put_bytes(json, "value", "value64", event->value);
    kl_json_write_key(json, "topic");
    kl_json_write_string(json, event->topic);
    kl_json_write_key(json, "partition");
    kl_json_write_int64(json, event->partition);
}

static void end_line(kl_json_writer *json, kl_buf *out, const kl_produce_event *event)
{
    kl_json_write_key(json, "age_ms");
    kl_json_write_int64(json, (int64_t)event->age_ms);
    kl_json_write_object_end(json);
    kl_buf_append_byte(out, '\n');
}

void kl_event_startup(kl_buf *out, int64_t wall_ms)
{
    char line[96];
    snprintf(line, sizeof line, "{\"name\":\"startup_complete\",\"timestamp\":%" PRId64 "}\n",
             wall_ms);
    kl_buf_append_str(out, line);
}

void kl_event_success(kl_buf *out, const kl_produce_event *event, int64_t offset)
{
    kl_json_writer json;
    begin_line(&json, out, "producer_send_success", event);
    kl_json_write_key(&json, "offset");
    kl_json_write_int64(&json, offset);
    end_line(&json, out, event);
}

void kl_event_error(kl_buf *out, const kl_produce_event *event, kloop_outcome outcome,
                    const char *error, const char *message)
{
    kl_json_writer json;
    begin_line(&json, out, "producer_send_error", event);
    kl_json_write_key(&json, "outcome");
    kl_json_write_text(&json, outcome == KLOOP_OUTCOME_UNKNOWN ? "unknown" : "failed");
    kl_json_write_key(&json, "error");
    kl_json_write_text(&json, error);
    kl_json_write_key(&json, "message");
    kl_json_write_text(&json, message ? message : "");
    end_line(&json, out, event);
}

void kl_event_shutdown(kl_buf *out, int64_t wall_ms, uint64_t acked, uint64_t failed,
                       uint64_t unknown, int64_t run_ms)
{
    char lines[384];
    snprintf(lines, sizeof lines,
             "{\"name\":\"shutdown_complete\",\"timestamp\":%" PRId64 "}\n"
             "{\"name\":\"tool_data\",\"timestamp\":%" PRId64 ",\"sent\":%" PRIu64
             ",\"acked\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"unknown\":%" PRIu64
             ",\"avg_throughput\":%.3f}\n",
             wall_ms, wall_ms, acked + failed + unknown, acked, failed, unknown,
             run_ms > 0 ? 1000.0 * (double)acked / (double)run_ms : 0.0);
    kl_buf_append_str(out, lines);
}
