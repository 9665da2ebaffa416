/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.CloseableIterator;

/** The JSON of record batches as Kafka's own reader sees them. */
final class BatchText {
    private BatchText() {
    }

    /** Throws what the reader throws; every byte must belong to a sound batch of format 2. */
    static JsonNode json(byte[] wire) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        int used = 0;
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(wire)).batches()) {
            if (batch.magic() != 2 || !(batch instanceof DefaultRecordBatch sound)) {
                throw new IllegalArgumentException("magic " + batch.magic());
            }
            sound.ensureValid();
            ByteBuffer raw = ByteBuffer.wrap(wire, used, batch.sizeInBytes()).slice();
            all.add(one(sound, raw.getInt(23)));
            used += batch.sizeInBytes();
        }
        if (used != wire.length || used == 0) {
            throw new IllegalArgumentException(wire.length - used + " bytes are no whole batch");
        }
        return all;
    }

    private static ObjectNode one(DefaultRecordBatch batch, int lastOffsetDelta) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("baseOffset", batch.baseOffset());
        json.put("partitionLeaderEpoch", batch.partitionLeaderEpoch());
        json.put("magic", (int) batch.magic());
        json.put("crc", batch.checksum());
        json.put("compression", batch.compressionType().name);
        json.put("timestampType", batch.timestampType() == TimestampType.CREATE_TIME ? "create" : "append");
        json.put("transactional", batch.isTransactional());
        json.put("control", batch.isControlBatch());
        json.put("lastOffsetDelta", lastOffsetDelta);
        json.put("baseTimestamp", batch.baseTimestamp());
        json.put("maxTimestamp", batch.maxTimestamp());
        json.put("producerId", batch.producerId());
        json.put("producerEpoch", (int) batch.producerEpoch());
        json.put("baseSequence", batch.baseSequence());
        ArrayNode records = json.putArray("records");
        if (batch.countOrNull() == 0) {
            return json;
        }
        try (CloseableIterator<Record> iterator = batch.streamingIterator(BufferSupplier.NO_CACHING)) {
            while (iterator.hasNext()) {
                record(records.addObject(), iterator.next());
            }
        }
        return json;
    }

    private static void record(ObjectNode json, Record record) {
        json.put("offset", record.offset());
        json.put("timestamp", record.timestamp());
        json.put("key", record.hasKey() ? BatchMaker.bytes(record.key()) : null);
        json.put("value", record.hasValue() ? BatchMaker.bytes(record.value()) : null);
        ArrayNode headers = json.putArray("headers");
        for (Header header : record.headers()) {
            headers.addObject().put("key", header.key()).put("value", header.value());
        }
    }
}
