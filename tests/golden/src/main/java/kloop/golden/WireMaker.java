/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.CompactArrayOf;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Writes one random message by walking Kafka's schema of it, field by field, straight to bytes. Kafka's generated class then
 * reads these bytes, so a value that Kafka would not have is found at once. Why not through setters: the schema knows which
 * fields may be null in which version, and this way tagged fields can go out at their default, which Kafka's writer never does.
 */
final class WireMaker {
    enum Manner {
        /** Empty, null, zero. */
        MINIMAL,
        /** Everything there, two elements in each array, every known tag. */
        FULL,
        WILD
    }

    /** How each primitive type lies on the wire; shared with the walker. */
    enum Kind { BOOL, INT8, INT16, UINT16, INT32, UINT32, INT64, FLOAT64, UUID, STRING, BYTES }

    record Primitive(Kind kind, boolean compact, boolean nullable) {
    }

    static final Map<Type, Primitive> PRIMITIVES = new IdentityHashMap<>();

    static {
        PRIMITIVES.put(Type.BOOLEAN, new Primitive(Kind.BOOL, false, false));
        PRIMITIVES.put(Type.INT8, new Primitive(Kind.INT8, false, false));
        PRIMITIVES.put(Type.INT16, new Primitive(Kind.INT16, false, false));
        PRIMITIVES.put(Type.UINT16, new Primitive(Kind.UINT16, false, false));
        PRIMITIVES.put(Type.INT32, new Primitive(Kind.INT32, false, false));
        PRIMITIVES.put(Type.UNSIGNED_INT32, new Primitive(Kind.UINT32, false, false));
        PRIMITIVES.put(Type.INT64, new Primitive(Kind.INT64, false, false));
        PRIMITIVES.put(Type.FLOAT64, new Primitive(Kind.FLOAT64, false, false));
        PRIMITIVES.put(Type.UUID, new Primitive(Kind.UUID, false, false));
        PRIMITIVES.put(Type.STRING, new Primitive(Kind.STRING, false, false));
        PRIMITIVES.put(Type.NULLABLE_STRING, new Primitive(Kind.STRING, false, true));
        PRIMITIVES.put(Type.COMPACT_STRING, new Primitive(Kind.STRING, true, false));
        PRIMITIVES.put(Type.COMPACT_NULLABLE_STRING, new Primitive(Kind.STRING, true, true));
        PRIMITIVES.put(Type.BYTES, new Primitive(Kind.BYTES, false, false));
        PRIMITIVES.put(Type.NULLABLE_BYTES, new Primitive(Kind.BYTES, false, true));
        PRIMITIVES.put(Type.COMPACT_BYTES, new Primitive(Kind.BYTES, true, false));
        PRIMITIVES.put(Type.COMPACT_NULLABLE_BYTES, new Primitive(Kind.BYTES, true, true));
        PRIMITIVES.put(Type.RECORDS, new Primitive(Kind.BYTES, false, false));
        PRIMITIVES.put(Type.NULLABLE_RECORDS, new Primitive(Kind.BYTES, false, true));
        PRIMITIVES.put(Type.COMPACT_RECORDS, new Primitive(Kind.BYTES, true, false));
        PRIMITIVES.put(Type.COMPACT_NULLABLE_RECORDS, new Primitive(Kind.BYTES, true, true));
    }

    static Primitive primitive(Type type) {
        Primitive primitive = PRIMITIVES.get(type);
        if (primitive == null) {
            throw new IllegalStateException("no rule for type " + type);
        }
        return primitive;
    }

    private final Wild wild;
    private final Manner manner;
    private final Lies lies;
    private final int room;
    private final boolean unknownTags;
    private Sink out = new Sink();
    private int spent;

    /** room: about how many bytes the message may have; lies: where and how to go wrong, or null. */
    WireMaker(Wild wild, Manner manner, int room, Lies lies) {
        this.wild = wild;
        this.manner = manner;
        this.room = room;
        this.lies = lies;
        this.unknownTags = manner == Manner.WILD && wild.oneIn(4);
    }

    byte[] make(Schema schema) {
        struct(schema, false);
        return out.toByteArray();
    }

    private int left() {
        return Math.max(0, room - spent);
    }

    private void value(Type type, boolean asDefault) {
        if (type instanceof Schema schema) {
            struct(schema, asDefault);
        } else if (type.isArray()) {
            array(type, asDefault);
        } else {
            primitive(primitive(type), asDefault);
        }
    }

    private void struct(Schema schema, boolean asDefault) {
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields tags) {
                tags(tags, asDefault);
            } else {
                value(field.def.type, asDefault);
            }
        }
    }

    private void array(Type type, boolean asDefault) {
        boolean compact = type instanceof CompactArrayOf;
        Type element = type.arrayElementType().orElseThrow();
        if (type.isNullable() && nothing(asDefault)) {
            length(-1, compact, 32, false);
            return;
        }
        int count = switch (manner) {
            case MINIMAL -> 0;
            case FULL -> 2;
            case WILD -> wild.few(left() < 100 ? 1 : left() < 1000 ? 6 : 130);
        };
        if (asDefault) {
            count = 0;
        }
        /* A flat array of numbers may be really long; the count's varint then takes two and three bytes. */
        if (manner == Manner.WILD && !asDefault && left() > 1000 && wild.oneIn(12) && PRIMITIVES.containsKey(element)) {
            count = Math.min(left() / 4, wild.pick(126, 127, 128, 200, 3000, 16383, 16384));
        }
        length(count, compact, 32, false);
        byte[] previous = null;
        for (int i = 0; i < count; i++) {
            int start = out.size();
            if (previous != null && manner == Manner.WILD && wild.oneIn(5)) {
                /* Twice the same: a keyed array keeps both. */
                out.put(previous);
                spent += previous.length;
                continue;
            }
            value(element, false);
            previous = out.since(start);
        }
    }

    /** Whether a nullable is to be null here. */
    private boolean nothing(boolean asDefault) {
        return switch (manner) {
            case MINIMAL -> true;
            case FULL -> asDefault;
            case WILD -> wild.oneIn(asDefault ? 2 : 4);
        };
    }

    private void primitive(Primitive type, boolean asDefault) {
        switch (type.kind) {
            case BOOL -> {
                spent++;
                boolean value = switch (manner) {
                    case MINIMAL -> false;
                    case FULL -> !asDefault;
                    case WILD -> !asDefault && wild.coin();
                };
                if (lies != null && lies.here()) {
                    out.put8(wild.pick(2, 3, 0x7f, 0x80, 0xff));
                } else {
                    out.put8(value ? 1 : 0);
                }
            }
            case INT8 -> number(1, asDefault);
            case INT16, UINT16 -> number(2, asDefault);
            case INT32, UINT32 -> number(4, asDefault);
            case INT64, FLOAT64 -> number(8, asDefault);
            case UUID -> {
                spent += 16;
                byte[] uuid = new byte[16];
                if (manner == Manner.FULL || manner == Manner.WILD && !wild.oneIn(4)) {
                    uuid = wild.bytes(16);
                } else if (manner == Manner.WILD && wild.oneIn(3)) {
                    Arrays.fill(uuid, (byte) 0xff);
                }
                out.put(uuid);
            }
            case STRING -> blob(type, asDefault, switch (manner) {
                case MINIMAL -> new byte[0];
                case FULL -> wild.text(12 + wild.below(8));
                case WILD -> wild.text(asDefault ? 0 : Math.min(32767, left()));
            });
            case BYTES -> blob(type, asDefault, switch (manner) {
                case MINIMAL -> new byte[0];
                case FULL -> wild.bytes(9);
                case WILD -> wild.bytes(asDefault ? 0 : Math.min(left(), wild.coin() ? wild.below(20) : wild.below(201)));
            });
            default -> throw new IllegalStateException(type.toString());
        }
    }

    private void number(int bytes, boolean asDefault) {
        spent += bytes;
        long value = switch (manner) {
            case MINIMAL -> asDefault ? -1 : 0;
            case FULL -> asDefault ? -1 : 1 + wild.below(100);
            case WILD -> asDefault ? wild.pick(-1, -1, -1, 0) : wild.integer(8 * bytes);
        };
        out.putBig(value, bytes);
    }

    private void blob(Primitive type, boolean asDefault, byte[] value) {
        boolean string = type.kind == Kind.STRING;
        if (type.nullable && nothing(asDefault)) {
            length(-1, type.compact, string ? 16 : 32, string);
            return;
        }
        if (string && lies != null && lies.here()) {
            value = lies.notText(value);
        }
        length(value.length, type.compact, string ? 16 : 32, string);
        out.put(value);
        spent += value.length;
    }

    /** A length or count, -1 for null, in its own encoding. */
    private void length(int length, boolean compact, int bits, boolean string) {
        int wrong = length;
        if (lies != null && lies.here()) {
            wrong = lies.length(length, string);
        }
        if (compact) {
            varint(wrong + 1);
        } else {
            spent += bits / 8;
            out.putBig(wrong, bits / 8);
        }
    }

    private void varint(int value) {
        spent++;
        if (lies != null && lies.here()) {
            lies.varint(out, value);
        } else {
            out.varint(value);
        }
    }

    private void tags(TaggedFields known, boolean asDefault) {
        List<Integer> order = new ArrayList<>();
        Map<Integer, byte[]> values = new TreeMap<>();
        for (Map.Entry<Integer, Field> field : known.fields().entrySet()) {
            boolean there = switch (manner) {
                case MINIMAL -> false;
                case FULL -> !asDefault;
                case WILD -> !asDefault && !wild.oneIn(3);
            };
            if (there) {
                boolean plain = manner == Manner.WILD && wild.oneIn(5);
                values.put(field.getKey(), aside(() -> value(field.getValue().type, plain)));
            }
        }
        if (unknownTags && wild.oneIn(2)) {
            for (int i = 1 + wild.below(3); i > 0; i--) {
                int tag = wild.pick(wild.below(8) + 4, wild.below(200) + 4, wild.below(20000) + 4, 0x7ffffffe, 1 << 28);
                values.putIfAbsent(tag, wild.bytes(wild.oneIn(20) ? Math.min(130, left()) : wild.below(12)));
            }
        }
        order.addAll(values.keySet());
        int count = order.size();
        if (lies != null && lies.here()) {
            lies.tags(order);
            count = wild.pick(order.size(), order.size(), order.size() + 1, order.size() - 1, 0x7fffffff, Integer.MIN_VALUE);
        }
        varint(count);
        for (int tag : order) {
            byte[] value = values.get(tag);
            varint(tag);
            int size = value.length;
            if (lies != null && lies.here()) {
                size = wild.pick(size - 1, size + 1, 0, size + 100, 0x7fffffff, -1);
            }
            varint(size);
            out.put(value);
            spent += 2 + value.length;
        }
    }

    private byte[] aside(Runnable write) {
        Sink before = out;
        out = new Sink();
        write.run();
        byte[] bytes = out.toByteArray();
        out = before;
        return bytes;
    }
}
