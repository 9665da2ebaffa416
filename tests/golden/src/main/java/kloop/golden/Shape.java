/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * One message of the protocol in one direction, with Kafka's generated class behind it: bytes to object and back, object to
 * JSON and back. A further API is one more row below; everything else is found by name.
 */
final class Shape {
    private record Row(String api, int min, int max, boolean request, boolean response) {
        Row(String api, int min, int max) {
            this(api, min, max, true, true);
        }
    }

    private static final List<Row> ROWS = List.of(
            new Row("ApiVersions", 0, 4),
            new Row("Metadata", 0, 13),
            new Row("InitProducerId", 0, 6),
            new Row("Produce", 3, 13),
            new Row("SaslHandshake", 0, 1),
            new Row("SaslAuthenticate", 0, 2),
            new Row("FindCoordinator", 0, 6),
            new Row("AddPartitionsToTxn", 0, 5),
            new Row("AddOffsetsToTxn", 0, 4),
            new Row("EndTxn", 0, 5),
            new Row("TxnOffsetCommit", 0, 5),
            new Row("GetTelemetrySubscriptions", 0, 0),
            new Row("PushTelemetry", 0, 0),
            new Row("RequestHeader", 1, 2, true, false),
            new Row("ResponseHeader", 0, 1, false, true));

    /** Every message, requests before responses, in the order of the rows. */
    static final List<Shape> ALL = all();

    final String api;
    final boolean request;
    final int min;
    final int max;
    private final Class<?> data;
    private final Schema[] schemas;
    private final Method jsonWrite;
    private final Method jsonRead;

    private static List<Shape> all() {
        List<Shape> shapes = new ArrayList<>();
        for (Row row : ROWS) {
            if (row.request) {
                shapes.add(new Shape(row, true));
            }
            if (row.response) {
                shapes.add(new Shape(row, false));
            }
        }
        return List.copyOf(shapes);
    }

    private Shape(Row row, boolean request) {
        this.api = row.api;
        this.request = request;
        this.min = row.min;
        this.max = row.max;
        String name = "org.apache.kafka.common.message." + api;
        if (!api.endsWith("Header")) {
            name += request ? "Request" : "Response";
        }
        name += "Data";
        try {
            data = Class.forName(name);
            schemas = (Schema[]) data.getField("SCHEMAS").get(null);
            Class<?> converter = Class.forName(name + "JsonConverter");
            jsonWrite = converter.getMethod("write", data, short.class);
            jsonRead = converter.getMethod("read", JsonNode.class, short.class);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("kafka-clients has no " + name, e);
        }
        Message one = fresh();
        if (one.lowestSupportedVersion() > min || one.highestSupportedVersion() < max) {
            throw new IllegalStateException(this + " has versions " + one.lowestSupportedVersion() + " to " + one.highestSupportedVersion());
        }
    }

    static Shape find(String api, String direction) {
        for (Shape shape : ALL) {
            if (shape.api.equals(api) && shape.direction().equals(direction)) {
                return shape;
            }
        }
        throw new IllegalArgumentException("no message " + api + " " + direction);
    }

    String direction() {
        return request ? "request" : "response";
    }

    Schema schema(int version) {
        if (version < min || version > max) {
            throw new IllegalArgumentException("no version " + version + " of " + this);
        }
        return schemas[version];
    }

    private Message fresh() {
        try {
            return (Message) data.getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Throws what Kafka's class throws, or says how many bytes it left. */
    Message read(byte[] wire, int version) {
        schema(version);
        ByteBuffer buffer = ByteBuffer.wrap(wire);
        Message message = fresh();
        message.read(new ByteBufferAccessor(buffer), (short) version);
        if (buffer.hasRemaining()) {
            throw new IllegalArgumentException(buffer.remaining() + " bytes left over");
        }
        return message;
    }

    byte[] write(Message message, int version) {
        ByteBuffer buffer = MessageUtil.toByteBufferAccessor(message, (short) version).buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    JsonNode toJson(Message message, int version) {
        JsonNode json = (JsonNode) call(jsonWrite, message, (short) version);
        if (request && api.equals("Produce")) {
            putRecords(json, message);
        }
        return json;
    }

    Message fromJson(JsonNode json, int version) {
        schema(version);
        return (Message) call(jsonRead, json, (short) version);
    }

    /**
     * Kafka's converter writes "" for every records field. Here the JSON gets the bytes themselves, found by going through the
     * object's getters and the JSON's fields side by side.
     */
    private static void putRecords(JsonNode json, Object object) {
        for (Map.Entry<String, JsonNode> field : json.properties()) {
            if (field.getValue().isNull() || !(field.getValue().isArray() || field.getKey().equals("records"))) {
                continue;
            }
            Object value;
            try {
                value = call(object.getClass().getMethod(field.getKey()), object);
            } catch (NoSuchMethodException e) {
                throw new IllegalStateException(e);
            }
            if (value instanceof MemoryRecords records) {
                ByteBuffer buffer = records.buffer();
                byte[] bytes = new byte[buffer.remaining()];
                buffer.get(bytes);
                ((ObjectNode) json).set(field.getKey(), new BinaryNode(bytes));
            } else if (value instanceof Iterable<?> elements) {
                int i = 0;
                for (Object element : elements) {
                    putRecords(field.getValue().get(i++), element);
                }
            }
        }
    }

    /** A static or instance method, its own exception coming out as it is. */
    private static Object call(Method method, Object first, Object... rest) {
        try {
            if (!Modifier.isStatic(method.getModifiers())) {
                return method.invoke(first, rest);
            }
            Object[] all = new Object[rest.length + 1];
            all[0] = first;
            System.arraycopy(rest, 0, all, 1, rest.length);
            return method.invoke(null, all);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String toString() {
        return api + " " + direction();
    }
}
