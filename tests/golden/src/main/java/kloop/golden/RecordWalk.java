/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;

/** The sloppy forms in record batches that Kafka has already accepted; see WireWalk. */
final class RecordWalk {
    private final ByteBuffer in;
    private final Set<String> sloppy;

    private RecordWalk(byte[] records, Set<String> sloppy) {
        in = ByteBuffer.wrap(records);
        this.sloppy = sloppy;
    }

    static Set<String> sloppy(byte[] wire) {
        Set<String> sloppy = new TreeSet<>();
        int used = 0;
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(wire)).batches()) {
            DefaultRecordBatch sound = (DefaultRecordBatch) batch;
            if (batch.countOrNull() == 0) {
                /* Kafka looks no further. */
                if (batch.sizeInBytes() > 61) {
                    sloppy.add("count-zero");
                }
                if (sound.isCompressed()) {
                    sloppy.add("empty-packed");
                }
                used += batch.sizeInBytes();
                continue;
            }
            byte[] records;
            try (InputStream stream = sound.recordInputStream(BufferSupplier.NO_CACHING)) {
                records = stream.readAllBytes();
            } catch (IOException | RuntimeException | Error e) {
                /* The records end before the stream goes wrong: trailing bytes. */
                sloppy.add("packing-tail");
                used += batch.sizeInBytes();
                continue;
            }
            if (sound.isCompressed() && unpacksShorter(wire, used, sound, records)) {
                sloppy.add("packing-tail");
            }
            used += batch.sizeInBytes();
            RecordWalk walk = new RecordWalk(records, sloppy);
            for (int i = batch.countOrNull(); i > 0; i--) {
                walk.record();
            }
        }
        return sloppy;
    }

    /** Whether the packed bytes give the same without their last one: then something stood behind the packing's end. */
    private static boolean unpacksShorter(byte[] wire, int start, DefaultRecordBatch batch, byte[] records) {
        ByteBuffer packed = ByteBuffer.wrap(wire, start + 61, batch.sizeInBytes() - 62).slice();
        Compression compression = Compression.of(batch.compressionType()).build();
        try (InputStream stream = compression.wrapForInput(packed, (byte) 2, BufferSupplier.NO_CACHING)) {
            return Arrays.equals(records, stream.readAllBytes());
        } catch (IOException | RuntimeException | Error e) {
            return false;
        }
    }

    private void record() {
        signed(5);
        note("record-attributes", in.get() != 0);
        signed(10);
        signed(5);
        blob();
        blob();
        for (long i = signed(5); i > 0; i--) {
            note("utf8", !WireWalk.isText(blob()));
            blob();
        }
    }

    private byte[] blob() {
        int length = (int) signed(5);
        note("null-length", length < -1);
        byte[] bytes = new byte[Math.max(0, length)];
        in.get(bytes);
        return bytes;
    }

    private long signed(int max) {
        long bits = 0;
        for (int i = 0; i < max; i++) {
            byte next = in.get();
            bits |= (next & 0x7fL) << (7 * i);
            if (next >= 0) {
                boolean spare = max == 5 ? bits >>> 32 != 0 : i == 9 && next > 1;
                if (max == 5) {
                    bits &= 0xffffffffL;
                }
                Sink shortest = new Sink();
                shortest.varlong(bits);
                note("varint-spare-bits", spare);
                note("varint-long", !spare && shortest.size() != i + 1);
                return bits >>> 1 ^ -(bits & 1);
            }
        }
        throw new IllegalStateException("varint without an end");
    }

    private void note(String form, boolean found) {
        if (found) {
            sloppy.add(form);
        }
    }
}
