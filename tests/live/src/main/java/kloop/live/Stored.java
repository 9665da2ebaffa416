/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.live;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** What lies in a topic: by Kafka's own consumer, and by a look into the log's files. */
final class Stored {
    private Stored() {
    }

    /** What each record must have beside its key and value. */
    record Frame(String headerName, String headerValue, long notBefore, long notAfter) {
        private void check(ConsumerRecord<byte[], byte[]> record, Ledger ledger) {
            Header[] headers = record.headers().toArray();
            boolean fine = headerName == null ? headers.length == 0
                    : headers.length == 1 && headers[0].key().equals(headerName)
                            && Arrays.equals(headers[0].value(), headerValue.getBytes(StandardCharsets.UTF_8));
            if (!fine) {
                ledger.difference("headers_wrong", Arrays.toString(headers) + " at partition " + record.partition() + " offset "
                        + record.offset());
            }
            if (record.timestamp() < notBefore || record.timestamp() > notAfter) {
                ledger.difference("timestamp_wrong", record.timestamp() + " is not within " + notBefore + ".." + notAfter
                        + " at partition " + record.partition() + " offset " + record.offset());
            }
        }
    }

    /** Holds all records against the ledger. */
    static void read(String bootstrap, String topic, int partitions, Ledger ledger, Frame frame, Duration limit) {
        each(bootstrap, topic, partitions, limit, record -> {
            ledger.record(record.partition(), record.offset(), record.key(), record.value());
            frame.check(record, ledger);
        });
    }

    /** Writes all values, which must be text of one line each, into a file: in the order of each partition. */
    static long write(String bootstrap, String topic, int partitions, Path file, Duration limit) throws IOException {
        long[] count = new long[1];
        try (PrintStream out = new PrintStream(Files.newOutputStream(file), false, StandardCharsets.UTF_8)) {
            each(bootstrap, topic, partitions, limit, record -> {
                out.writeBytes(record.value());
                out.write('\n');
                count[0]++;
            });
        }
        return count[0];
    }

    /** Reads all partitions from the beginning to their ends. */
    private static void each(String bootstrap, String topic, int partitions, Duration limit,
            Consumer<ConsumerRecord<byte[], byte[]>> use) {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", bootstrap);
        config.put("enable.auto.commit", false);
        config.put("max.poll.records", 20_000);
        config.put("max.partition.fetch.bytes", 8 << 20);
        config.put("fetch.max.bytes", 64 << 20);
        List<TopicPartition> all = IntStream.range(0, partitions).mapToObj(p -> new TopicPartition(topic, p)).toList();
        long deadline = System.nanoTime() + limit.toNanos();
        ByteArrayDeserializer plain = new ByteArrayDeserializer();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config, plain, plain)) {
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            while (true) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    use.accept(record);
                }
                if (ends.entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue())) {
                    // A record that became visible meanwhile is read too: it could be a duplicate.
                    Map<TopicPartition, Long> now = consumer.endOffsets(all);
                    if (now.equals(ends)) {
                        return;
                    }
                    ends = now;
                }
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("not read to the end in " + limit.toSeconds() + " s: " + ends);
                }
            }
        }
    }

    /** Fewer records than this may not shrink, and go as they are then. */
    private static final int ENOUGH_TO_SHRINK = 4;

    /** How the records lie in the segments of these folders of logs, all replicas: records by codec, batches, bytes. Unpacked ones
     * that stand together with too few others are counted by themselves, as few. */
    static Map<String, Object> batches(List<String> logFolders, String topic) throws IOException {
        Map<String, Long> byCodec = new TreeMap<>();
        long few = 0;
        long bytes = 0;
        long batches = 0;
        for (String folder : logFolders) {
            File[] partitions = new File(folder).listFiles((where, name) -> name.matches(Pattern.quote(topic) + "-[0-9]+"));
            for (File partition : partitions == null ? new File[0] : partitions) {
                for (File segment : partition.listFiles((where, name) -> name.endsWith(".log"))) {
                    try (FileRecords file = FileRecords.open(segment, false)) {
                        for (RecordBatch batch : file.batches()) {
                            long count = batch.countOrNull();
                            if (batch.compressionType() == CompressionType.NONE && count < ENOUGH_TO_SHRINK) {
                                few += count;
                            } else {
                                byCodec.merge(batch.compressionType().name, count, Long::sum);
                            }
                            bytes += batch.sizeInBytes();
                            batches++;
                        }
                    }
                }
            }
        }
        return Map.of("records", byCodec, "few", few, "bytes", bytes, "batches", batches);
    }
}
