/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

/** Random record batches, format 2, written by Kafka's own builder. */
final class BatchMaker {
    private final Wild wild;
    private final boolean small;
    private boolean exact = true;

    BatchMaker(Wild wild, boolean small) {
        this.wild = wild;
        this.small = small;
    }

    /** False once a batch was made whose bytes its JSON does not determine. */
    boolean exact() {
        return exact;
    }

    /** One batch mostly, sometimes up to four in a row. */
    byte[] make() {
        Sink all = new Sink();
        for (int i = wild.oneIn(small ? 15 : 8) ? 2 + wild.below(3) : 1; i > 0; i--) {
            all.put(batch());
        }
        return all.toByteArray();
    }

    private byte[] batch() {
        byte[] bytes = switch (wild.below(12)) {
            case 0 -> empty();
            case 1 -> marker();
            default -> data();
        };
        afterwards(bytes);
        return bytes;
    }

    /** What is left of a batch whose records were all compacted away. */
    private byte[] empty() {
        ByteBuffer buffer = ByteBuffer.allocate(61);
        long base = baseOffset();
        boolean idempotent = wild.coin();
        DefaultRecordBatch.writeEmptyHeader(buffer, RecordBatch.MAGIC_VALUE_V2, idempotent ? producerId() : -1,
                (short) (idempotent ? wild.below(32768) : -1), idempotent ? sequence() : -1, base,
                base + wild.pick(0, 1, wild.below(1000), Integer.MAX_VALUE), (int) wild.integer(32),
                wild.oneIn(4) ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME, time(), idempotent && wild.coin(),
                wild.oneIn(4));
        return buffer.array();
    }

    private byte[] marker() {
        EndTransactionMarker end = new EndTransactionMarker(wild.coin() ? ControlRecordType.COMMIT : ControlRecordType.ABORT,
                (int) wild.integer(31) & 0x7fffffff);
        ByteBuffer buffer = ByteBuffer.allocate(200);
        MemoryRecords.writeEndTransactionalMarker(buffer, baseOffset(), wild.oneIn(5) ? 0 : time(), (int) wild.integer(32),
                producerId(), (short) wild.below(32768), end);
        return bytes(buffer.flip());
    }

    private byte[] data() {
        Compression compression = compression();
        boolean append = wild.oneIn(6);
        if (append) {
            /* The deltas stay in the bytes, but a reader sees only the time of the append. */
            exact = false;
        }
        boolean idempotent = wild.coin();
        long base = baseOffset();
        ByteBufferOutputStream out = new ByteBufferOutputStream(512);
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(out, RecordBatch.MAGIC_VALUE_V2, compression,
                append ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME, base,
                append ? time() : RecordBatch.NO_TIMESTAMP, idempotent ? producerId() : RecordBatch.NO_PRODUCER_ID,
                idempotent ? wild.pick(0, 1, 32767, wild.below(32768)).shortValue() : RecordBatch.NO_PRODUCER_EPOCH,
                idempotent ? sequence() : RecordBatch.NO_SEQUENCE, idempotent && wild.coin(), false,
                wild.pick(-1, 0, 5, Integer.MAX_VALUE, (int) wild.integer(32)), Integer.MAX_VALUE);
        int count = 1 + (small ? wild.below(3) : switch (wild.below(20)) {
            case 0 -> wild.below(wild.oneIn(4) ? 600 : 100);
            case 1, 2 -> wild.below(40);
            default -> wild.below(5);
        });
        boolean gaps = wild.oneIn(5);
        long offset = base + (gaps ? wild.below(10) : 0);
        long time = time();
        for (int i = 0; i < count; i++) {
            builder.appendWithOffset(offset, time, key(), value(count), headers());
            offset += gaps ? 1 + wild.few(100_000) : 1;
            time = wild.oneIn(10) ? time() : Math.max(0, Math.min(Long.MAX_VALUE - 1000, time) + wild.pick(0, 1, 5, -1, -3, wild.below(100)));
        }
        if (gaps && wild.coin()) {
            builder.overrideLastOffset(offset + wild.below(50));
        }
        return bytes(builder.build().buffer());
    }

    /** What a broker does to a batch in place. */
    private void afterwards(byte[] bytes) {
        if (!wild.oneIn(8)) {
            return;
        }
        MutableRecordBatch batch = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches().iterator().next();
        switch (wild.below(3)) {
            case 0 -> batch.setLastOffset(baseOffset() + Integer.MAX_VALUE);
            case 1 -> batch.setPartitionLeaderEpoch((int) wild.integer(32));
            default -> {
                /* As with an append: the deltas stay. */
                batch.setMaxTimestamp(TimestampType.LOG_APPEND_TIME, time());
                exact = false;
            }
        }
    }

    Compression compression() {
        CompressionType type = wild.pick(CompressionType.NONE, CompressionType.NONE, CompressionType.GZIP, CompressionType.SNAPPY,
                CompressionType.LZ4, CompressionType.ZSTD);
        if (type != CompressionType.NONE) {
            exact = false;
        }
        return switch (type) {
            case GZIP -> Compression.gzip().level(wild.pick(-1, 1, 6, 9)).build();
            case SNAPPY -> Compression.snappy().build();
            case LZ4 -> Compression.lz4().level(wild.pick(1, 9, 9, 9, 12, 17)).build();
            case ZSTD -> Compression.zstd().level(wild.pick(-5, 1, 3, 3, 9, 15)).build();
            default -> Compression.NONE;
        };
    }

    long baseOffset() {
        return wild.pick(0L, 0L, 1L, 7L, wild.integer(40) & 0xffffffffffL, Long.MAX_VALUE - Integer.MAX_VALUE * 2L);
    }

    private long producerId() {
        return wild.integer(64) & Long.MAX_VALUE;
    }

    private int sequence() {
        return wild.pick(0, 0, 1, Integer.MAX_VALUE, wild.below(Integer.MAX_VALUE));
    }

    private long time() {
        return wild.pick(1_700_000_000_000L + wild.below(1 << 30), 1_700_000_000_000L + wild.below(1 << 30), 0L, -1L,
                Long.MAX_VALUE - wild.below(3), wild.integer(63) & Long.MAX_VALUE);
    }

    private byte[] key() {
        return switch (wild.below(5)) {
            case 0, 1 -> null;
            case 2 -> new byte[0];
            default -> wild.oneIn(20) ? wild.bytes(wild.pick(62, 63, 64, 65, 127, 128)) : ("key-" + wild.below(1000)).getBytes(StandardCharsets.US_ASCII);
        };
    }

    private byte[] value(int records) {
        if (small) {
            return switch (wild.below(6)) {
                case 0 -> null;
                case 1 -> new byte[0];
                case 2 -> wild.dull(100);
                default -> wild.bytes(wild.below(30));
            };
        }
        return switch (wild.below(14)) {
            case 0 -> null;
            case 1 -> new byte[0];
            case 2 -> wild.bytes(wild.pick(62, 63, 64, 127, 128, 8190, 8191, 8192));
            case 3 -> wild.dull(wild.below(1000));
            /* Beyond one block of each codec: 32 KiB of snappy, 64 of lz4, 128 of zstd. */
            case 4 -> wild.dull(records > 5 || !wild.oneIn(8) ? 500 : wild.pick(32768, 65536, 140_000, 40_000 + wild.below(60_000)));
            case 5 -> wild.bytes(records > 5 || !wild.oneIn(12) ? 100 : wild.pick(32768, 65536, 70_000));
            default -> ("value-" + wild.below(100_000)).getBytes(StandardCharsets.US_ASCII);
        };
    }

    Header[] headers() {
        Header[] headers = new Header[wild.coin() ? 0 : wild.few(small ? 2 : wild.oneIn(20) ? 70 : 5)];
        for (int i = 0; i < headers.length; i++) {
            if (i > 0 && wild.oneIn(5)) {
                headers[i] = headers[i - 1];
                continue;
            }
            String key = new String(wild.text(wild.oneIn(10) ? 200 : 12), StandardCharsets.UTF_8);
            headers[i] = new RecordHeader(key, wild.oneIn(4) ? null : wild.bytes(wild.below(20)));
        }
        return headers;
    }

    /** A batch whose header or records hold one lie; CRC, length and packing are right, so that the reader gets to it. */
    static byte[] lie(long seed) {
        Lies count = new Lies(-1, new Wild(seed));
        new RecordMaker(new Wild(seed), count).batch();
        Wild dice = new Wild(seed + 1);
        return new RecordMaker(new Wild(seed), new Lies(dice.below(count.places()), dice)).batch();
    }

    static byte[] compress(Compression compression, byte[] records) {
        ByteBufferOutputStream out = new ByteBufferOutputStream(512);
        try (OutputStream packed = compression.wrapForOutput(out, RecordBatch.MAGIC_VALUE_V2)) {
            packed.write(records);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return bytes(out.buffer().flip());
    }

    static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }
}
