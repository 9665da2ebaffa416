/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;

/** Writes a small batch by hand, so that it can hold a lie that Kafka's builder would not write. */
final class RecordMaker {
    private final Wild wild;
    private final Lies lies;

    RecordMaker(Wild wild, Lies lies) {
        this.wild = wild;
        this.lies = lies;
    }

    byte[] batch() {
        BatchMaker values = new BatchMaker(wild, true);
        int count = 1 + wild.below(4);
        Sink records = new Sink();
        for (int i = 0; i < count; i++) {
            Sink body = new Sink();
            body.put8(lies.here() ? 1 + wild.below(255) : 0);
            signed(body, lies.here() ? wild.integer(64) : wild.below(200) - 50, 10);
            signed(body, lies.here() ? wild.integer(32) : i, 5);
            blob(body, wild.oneIn(3) ? null : wild.bytes(wild.below(10)), false);
            blob(body, wild.oneIn(3) ? null : wild.bytes(wild.below(80)), false);
            Header[] headers = values.headers();
            length(body, headers.length, false);
            for (Header header : headers) {
                byte[] key = header.key().getBytes(StandardCharsets.UTF_8);
                blob(body, lies.here() ? lies.notText(key) : key, true);
                blob(body, header.value(), false);
            }
            if (lies.here()) {
                body.put(wild.bytes(1 + wild.below(3)));
            }
            length(records, body.size(), true);
            records.put(body.toByteArray());
        }
        if (lies.here()) {
            records.put(wild.bytes(1 + wild.below(20)));
        }
        Compression compression = values.compression();
        byte[] payload = BatchMaker.compress(compression, records.toByteArray());
        if (lies.here()) {
            payload = trail(payload, wild.bytes(1 + wild.below(8)));
        }
        int told = lies.here() ? wild.pick(0, -1, count - 1, count + 1, Integer.MAX_VALUE, Integer.MIN_VALUE) : count;
        byte[] all = new byte[61 + payload.length];
        System.arraycopy(payload, 0, all, 61, payload.length);
        ByteBuffer buffer = ByteBuffer.wrap(all);
        DefaultRecordBatch.writeHeader(buffer, lies.here() ? wild.integer(64) : 100, count - 1, all.length, RecordBatch.MAGIC_VALUE_V2,
                compression.type(), TimestampType.CREATE_TIME, 1_700_000_000_000L, 1_700_000_000_200L, 9, (short) 3, 50, false, false,
                false, -1, 0);
        buffer.putInt(57, told);
        if (lies.here()) {
            /* Any attributes: unused bits, codecs that are none, timestamps of the other kind. */
            buffer.putShort(21, (short) (wild.coin() ? buffer.getShort(21) ^ 1 << wild.below(16) : wild.below(65536)));
        }
        if (lies.here()) {
            int at = wild.pick(23, 27, 35, 43, 51, 53);
            all[at + wild.below(2)] ^= (byte) (1 + wild.below(255));
        }
        crc(buffer);
        if (lies.here()) {
            /* Outside the CRC: length, magic, the CRC itself. */
            all[wild.pick(8, 9, 10, 11, 16, 17, 20)] ^= (byte) (1 + wild.below(255));
        }
        return all;
    }

    private static void crc(ByteBuffer buffer) {
        CRC32C crc = new CRC32C();
        crc.update(buffer.array(), 21, buffer.array().length - 21);
        buffer.putInt(17, (int) crc.getValue());
    }

    private static byte[] trail(byte[] first, byte[] more) {
        byte[] all = Arrays.copyOf(first, first.length + more.length);
        System.arraycopy(more, 0, all, first.length, more.length);
        return all;
    }

    private void blob(Sink out, byte[] bytes, boolean key) {
        length(out, bytes == null ? -1 : bytes.length, key);
        if (bytes != null) {
            out.put(bytes);
        }
    }

    private void length(Sink out, int length, boolean string) {
        signed(out, lies.here() ? lies.length(length, string) : length, 5);
    }

    private void signed(Sink out, long value, int max) {
        if (lies.here()) {
            lies.signed(out, value, max);
        } else if (max == 5) {
            out.varint((int) value << 1 ^ (int) value >> 31);
        } else {
            out.varlong(value << 1 ^ value >> 63);
        }
    }
}
