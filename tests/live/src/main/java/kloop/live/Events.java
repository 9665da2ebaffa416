/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.live;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** Reads what `kloop produce --events` printed, tells a ledger, and holds the closing figures against the lines before. */
final class Events {
    private static final JsonFactory JSON = new JsonFactory();

    private final Ledger ledger;
    private final String topic;
    private String name;
    private long timestamp;
    private long age;
    private byte[] key;
    private byte[] value;
    private String where;
    private int partition;
    private long offset;
    private String outcome;
    private String error;
    private String message;
    private long sent;
    private long acked;
    private long failed;
    private long unknown;
    private String last = "nothing";
    private String beforeLast = "nothing";
    private long count;

    /** When the producer said that it started and ended; 0 for never. */
    long started;
    long ended;

    Events(Ledger ledger, String topic) {
        this.ledger = ledger;
        this.topic = topic;
    }

    void read(Path file) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 20); JsonParser parser = JSON.createParser(in)) {
            while (parser.nextToken() != null) {
                if (parser.currentToken() != JsonToken.START_OBJECT) {
                    ledger.difference("events_malformed", "no object at " + parser.currentLocation().getByteOffset());
                    return;
                }
                object(parser);
                one();
            }
        } catch (IOException bad) {
            ledger.difference("events_malformed", bad.getMessage());
        }
        if (!beforeLast.equals("shutdown_complete") || !last.equals("tool_data")) {
            ledger.difference("events_malformed", "the last two are " + beforeLast + " and " + last);
        }
    }

    private void object(JsonParser parser) throws IOException {
        name = "";
        key = null;
        value = null;
        where = "";
        age = -1;
        partition = -1;
        offset = -1;
        outcome = "";
        error = "";
        message = "";
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            JsonToken token = parser.nextToken();
            switch (field) {
                case "name" -> name = parser.getText();
                case "timestamp" -> timestamp = parser.getLongValue();
                case "age_ms" -> age = parser.getLongValue();
                case "key" -> key = token == JsonToken.VALUE_NULL ? null : parser.getText().getBytes(StandardCharsets.UTF_8);
                case "value" -> value = token == JsonToken.VALUE_NULL ? null : parser.getText().getBytes(StandardCharsets.UTF_8);
                case "key64" -> key = Base64.getDecoder().decode(parser.getText());
                case "value64" -> value = Base64.getDecoder().decode(parser.getText());
                case "topic" -> where = parser.getText();
                case "partition" -> partition = token == JsonToken.VALUE_NULL ? -1 : parser.getIntValue();
                case "offset" -> offset = token == JsonToken.VALUE_NULL ? -1 : parser.getLongValue();
                case "outcome" -> outcome = parser.getText();
                case "error" -> error = parser.getText();
                case "message" -> message = parser.getText();
                case "sent" -> sent = parser.getLongValue();
                case "acked" -> acked = parser.getLongValue();
                case "failed" -> failed = parser.getLongValue();
                case "unknown" -> unknown = parser.getLongValue();
                default -> parser.skipChildren();
            }
        }
    }

    private void one() {
        count++;
        beforeLast = last;
        last = name;
        switch (name) {
            case "startup_complete" -> {
                started = timestamp;
                if (count != 1) {
                    ledger.difference("events_malformed", "startup_complete is event " + count);
                }
            }
            case "producer_send_success" -> {
                here();
                ledger.event(Ledger.Outcome.ACKED, key, value, partition, offset, null, age, timestamp);
            }
            case "producer_send_error" -> {
                here();
                boolean surely = outcome.equals("failed");
                if (!surely && !outcome.equals("unknown")) {
                    ledger.difference("events_malformed", "outcome '" + outcome + "'");
                }
                ledger.event(surely ? Ledger.Outcome.FAILED : Ledger.Outcome.UNKNOWN, key, value, partition, offset,
                        error.isEmpty() ? message : error, age, timestamp);
            }
            case "shutdown_complete" -> ended = timestamp;
            case "tool_data" -> {
                check("sent", sent, acked + failed + unknown);
                check("acked", acked, ledger.said(Ledger.Outcome.ACKED));
                check("failed", failed, ledger.said(Ledger.Outcome.FAILED));
                check("unknown", unknown, ledger.said(Ledger.Outcome.UNKNOWN));
            }
            default -> ledger.difference("events_malformed", "an event named '" + name + "'");
        }
    }

    private void here() {
        if (!where.equals(topic)) {
            ledger.difference("event_topic_wrong", where + ", not " + topic);
        }
    }

    private void check(String what, long said, long counted) {
        if (said != counted) {
            ledger.difference("tool_data_wrong", what + " " + said + ", counted " + counted);
        }
    }
}
