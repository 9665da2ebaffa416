/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.live;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own producer in the place of `kloop produce --events`: the same lines in, the same events out. It shows that the
 * check finds nothing where nothing is wrong; and, since it can be told to cheat at one record, that it finds each kind of wrong.
 */
final class Twin {
    /** What it can be told to do wrong at a record: the first six when sending, the others when telling about it. */
    enum Cheat { DROP, TWICE, LATE, CHANGE, MISPLACE, HEADER, LIE, SILENT, AGAIN, DENY, SWAP, TARDY }

    /** The age of a record that is told of too late; all others are told of at once. */
    private static final long TARDY_MS = 1001;
    private static final JsonFactory JSON = new JsonFactory();

    private final String topic;
    private final Map<Integer, Cheat> cheats;
    private final int count;
    private final int[] partitions;
    private final long[] offsets;
    private final String[] errors;
    private final byte[][] keys;
    private final byte[][] values;
    private int late = -1;

    private Twin(String topic, byte[] input, Map<Integer, Cheat> cheats) {
        this.topic = topic;
        this.cheats = cheats;
        int lines = 0;
        for (byte one : input) {
            lines += one == '\n' ? 1 : 0;
        }
        count = lines;
        partitions = new int[count];
        offsets = new long[count];
        errors = new String[count];
        keys = new byte[count][];
        values = new byte[count][];
        for (int n = 0, at = 0; n < count; n++) {
            int start = at;
            while (input[at] != '\n') {
                if (input[at] == '\t') {
                    keys[n] = Arrays.copyOfRange(input, start, at);
                    start = at + 1;
                }
                at++;
            }
            values[n] = Arrays.copyOfRange(input, start, at++);
        }
    }

    /** Sends all lines of input to the topic, through a producer with this configuration, and writes the events. */
    static Object run(Map<String, Object> config, String topic, Path input, Path events, Map<Integer, Cheat> cheats) throws IOException {
        Twin twin = new Twin(topic, Files.readAllBytes(input), cheats);
        Map<String, Object> all = new HashMap<>(config);
        ByteArraySerializer plain = new ByteArraySerializer();
        long started = System.currentTimeMillis();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(all, plain, plain)) {
            int available = producer.partitionsFor(topic).size();
            for (int n = 0; n < twin.count; n++) {
                twin.send(producer, available, n);
            }
        }
        twin.tell(events, started);
        return Map.of("records", twin.count);
    }

    /** Sends one record; what Kafka's own producer says where it cannot is thrown. */
    static Object one(Map<String, Object> config, String topic) throws Exception {
        ByteArraySerializer plain = new ByteArraySerializer();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config, plain, plain)) {
            return producer.send(new ProducerRecord<>(topic, new byte[1])).get().offset();
        }
    }

    private void send(KafkaProducer<byte[], byte[]> producer, int available, int n) {
        byte[] value = values[n];
        Integer partition = null;
        Cheat cheat = cheats.get(n);
        if (cheat == Cheat.DROP) {
            offsets[n] = Long.MAX_VALUE;
            return;
        }
        if (cheat == Cheat.LATE) {
            late = n;
            return;
        }
        if (cheat == Cheat.CHANGE) {
            value = value.clone();
            value[value.length - 1] ^= 1;
        }
        if (cheat == Cheat.MISPLACE) {
            partition = (Kafka.partitionOf(keys[n], available) + 1) % available;
        }
        hand(producer, new ProducerRecord<>(topic, partition, keys[n], value), n);
        if (cheat == Cheat.TWICE) {
            producer.send(new ProducerRecord<>(topic, keys[n], value));
        }
        if (late >= 0 && Arrays.equals(keys[n], keys[late])) {
            int now = late;
            late = -1;
            hand(producer, new ProducerRecord<>(topic, keys[now], values[now]), now);
        }
    }

    private void hand(KafkaProducer<byte[], byte[]> producer, ProducerRecord<byte[], byte[]> record, int n) {
        if (cheats.get(n) == Cheat.HEADER) {
            record.headers().add("strange", new byte[0]);
        }
        producer.send(record, (RecordMetadata done, Exception error) -> {
            partitions[n] = done.partition();
            offsets[n] = done.offset();
            errors[n] = error == null ? null : error.toString();
        });
    }

    private void tell(Path file, long started) throws IOException {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20);
                JsonGenerator json = JSON.createGenerator(out)) {
            json.setRootValueSeparator(null);
            simple(json, "startup_complete", started);
            long failed = 0;
            long told = 0;
            for (int n = 0; n < count; n++) {
                Cheat cheat = cheats.get(n);
                if (cheat == Cheat.SILENT) {
                    continue;
                }
                if (cheat == Cheat.LIE) {
                    offsets[n]++;
                }
                if (cheat == Cheat.DENY) {
                    errors[n] = "a lie";
                }
                failed += errors[n] == null ? 0 : 1;
                told++;
                if (cheat == Cheat.SWAP) {
                    // Told after the next one of its partition, which is told now and not again in its turn.
                    int next = n + 1;
                    while (partitions[next] != partitions[n]) {
                        next++;
                    }
                    event(json, next);
                    event(json, n);
                    cheats.put(next, Cheat.SILENT);
                    told++;
                    continue;
                }
                event(json, n);
                if (cheat == Cheat.AGAIN) {
                    event(json, n);
                }
            }
            simple(json, "shutdown_complete", System.currentTimeMillis());
            json.writeStartObject();
            json.writeStringField("name", "tool_data");
            json.writeNumberField("timestamp", System.currentTimeMillis());
            json.writeNumberField("sent", told);
            json.writeNumberField("acked", told - failed);
            json.writeNumberField("failed", failed);
            json.writeNumberField("unknown", 0);
            json.writeEndObject();
            json.writeRaw('\n');
        }
    }

    private static void simple(JsonGenerator json, String name, long when) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", name);
        json.writeNumberField("timestamp", when);
        json.writeEndObject();
        json.writeRaw('\n');
    }

    private void event(JsonGenerator json, int n) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", errors[n] == null ? "producer_send_success" : "producer_send_error");
        json.writeNumberField("timestamp", System.currentTimeMillis());
        json.writeNumberField("age_ms", cheats.get(n) == Cheat.TARDY ? TARDY_MS : 0);
        bytes(json, "key", keys[n]);
        bytes(json, "value", values[n]);
        json.writeStringField("topic", topic);
        json.writeNumberField("partition", partitions[n]);
        if (errors[n] == null) {
            json.writeNumberField("offset", offsets[n]);
        } else {
            json.writeStringField("outcome", "failed");
            json.writeStringField("error", errors[n]);
            json.writeStringField("message", "");
        }
        json.writeEndObject();
        json.writeRaw('\n');
    }

    private static void bytes(JsonGenerator json, String name, byte[] bytes) throws IOException {
        if (bytes == null) {
            json.writeNullField(name);
            return;
        }
        try {
            json.writeStringField(name, StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException notText) {
            json.writeBinaryField(name + "64", bytes);
        }
    }
}
