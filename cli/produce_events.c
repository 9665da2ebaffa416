/* SPDX-License-Identifier: BSD-2-Clause */
/* Events as JSON. See produce_events.h. */
#include "cli/produce_events.h"

#include "cli/record_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void begin_line(kl_json_writer *json, kl_buf *out, const char *name,
                       const kl_produce_event *event)
{
    kl_json_write_init(json, out);
    kl_json_write_object_begin(json);
    kl_json_write_key(json, "name");
    kl_json_write_text(json, name);
    kl_json_write_key(json, "timestamp");
    kl_json_write_int64(json, event->wall_ms);
    kl_record_json_bytes(json, "key", "key64", event->key);
    kl_record_json_bytes(json, "value", "value64", event->value);
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
    kl_json_write_text(&json, kl_record_json_outcome(outcome == KLOOP_OUTCOME_UNKNOWN));
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
