/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.CompactArrayOf;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Goes through the bytes of a message as Kafka's reader does and notes each sloppy form on the way: what Kafka lets through and
 * a stricter reader may refuse. So a verdict can say which leniency, if any, an accepted message needs. It must accept whatever
 * Kafka accepts; the caller checks that.
 */
final class WireWalk {
    private final ByteBuffer in;
    private final Set<String> sloppy = new TreeSet<>();

    private WireWalk(byte[] wire) {
        in = ByteBuffer.wrap(wire);
    }

    /** The sloppy forms; throws if the bytes are no such message. */
    static Set<String> sloppy(Schema schema, byte[] wire) {
        WireWalk walk = new WireWalk(wire);
        walk.struct(schema);
        if (walk.in.hasRemaining()) {
            throw new IllegalArgumentException("bytes left over");
        }
        return walk.sloppy;
    }

    private void struct(Schema schema) {
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields tags) {
                tags(tags);
            } else {
                value(field.def.type);
            }
        }
    }

    private void value(Type type) {
        if (type instanceof Schema schema) {
            struct(schema);
            return;
        }
        if (type.isArray()) {
            int count = length(type instanceof CompactArrayOf, 4, type.isNullable());
            Type element = type.arrayElementType().orElseThrow();
            for (int i = 0; i < count; i++) {
                value(element);
            }
            return;
        }
        WireMaker.Primitive primitive = WireMaker.primitive(type);
        switch (primitive.kind()) {
            case BOOL -> {
                byte value = in.get();
                note("bool", value != 0 && value != 1);
            }
            case INT8 -> in.get();
            case INT16, UINT16 -> in.getShort();
            case INT32, UINT32 -> in.getInt();
            case INT64, FLOAT64 -> in.getLong();
            case UUID -> {
                in.getLong();
                in.getLong();
            }
            case STRING -> {
                int length = length(primitive.compact(), 2, primitive.nullable());
                refuse(length > 32767, "string too long");
                note("utf8", !isText(take(length)));
            }
            case BYTES -> take(length(primitive.compact(), 4, primitive.nullable()));
            default -> throw new IllegalStateException();
        }
    }

    private int length(boolean compact, int bytes, boolean nullable) {
        int length = compact ? varint() - 1 : bytes == 2 ? in.getShort() : in.getInt();
        refuse(length < 0 && !nullable, "null where none may be");
        note("null-length", length < -1);
        refuse(length > in.remaining(), "longer than what is left");
        return length;
    }

    private byte[] take(int length) {
        byte[] bytes = new byte[Math.max(0, length)];
        in.get(bytes);
        return bytes;
    }

    private void tags(TaggedFields known) {
        int count = varint();
        note("tag-count-negative", count < 0);
        long previous = -1;
        Set<Long> seen = new TreeSet<>();
        for (int i = 0; i < count; i++) {
            long tag = varint() & 0xffffffffL;
            int size = varint();
            note("tag-twice", !seen.add(tag));
            note("tag-order", tag < previous);
            previous = tag;
            Field field = known.fields().get((int) tag);
            if (field == null) {
                refuse(size < 0 || size > in.remaining(), "tag longer than what is left");
                take(size);
                continue;
            }
            int start = in.position();
            value(field.type);
            note("tag-size", in.position() - start != size);
        }
    }

    private int varint() {
        long bits = 0;
        for (int i = 0; i < 5; i++) {
            byte next = in.get();
            bits |= (next & 0x7fL) << (7 * i);
            if (next >= 0) {
                Sink shortest = new Sink();
                shortest.varint((int) bits);
                note("varint-spare-bits", bits >>> 32 != 0);
                note("varint-long", bits >>> 32 == 0 && shortest.size() != i + 1);
                return (int) bits;
            }
        }
        throw new IllegalArgumentException("varint without an end");
    }

    static boolean isText(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    private void note(String form, boolean found) {
        if (found) {
            sloppy.add(form);
        }
    }

    private static void refuse(boolean bad, String why) {
        if (bad) {
            throw new IllegalArgumentException(why);
        }
    }
}
