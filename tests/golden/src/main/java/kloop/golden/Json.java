/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Iterator;

/** JSON text: strict reading, one-line writing, and where two texts first differ in meaning. */
final class Json {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private Json() {
    }

    static JsonNode parse(String text) {
        try {
            JsonNode node = MAPPER.readTree(text);
            if (node == null || node.isMissingNode()) {
                throw new IllegalArgumentException("no JSON");
            }
            return node;
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("bad JSON: " + e.getOriginalMessage());
        }
    }

    static String text(JsonNode node) {
        try {
            return MAPPER.writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Null if both say the same, else the path and the two values. Both must come from parse(), so that numbers compare. */
    static String difference(String path, JsonNode want, JsonNode got) {
        if (want.equals(got)) {
            return null;
        }
        if (want.isObject() && got.isObject()) {
            for (Iterator<String> names = want.fieldNames(); names.hasNext();) {
                String name = names.next();
                if (!got.has(name)) {
                    return path + "." + name + " is missing";
                }
                String inner = difference(path + "." + name, want.get(name), got.get(name));
                if (inner != null) {
                    return inner;
                }
            }
            for (Iterator<String> names = got.fieldNames(); names.hasNext();) {
                String name = names.next();
                if (!want.has(name)) {
                    return path + "." + name + " should not be there";
                }
            }
        }
        if (want.isArray() && got.isArray()) {
            if (want.size() != got.size()) {
                return path + " has " + got.size() + " elements, not " + want.size();
            }
            for (int i = 0; i < want.size(); i++) {
                String inner = difference(path + "[" + i + "]", want.get(i), got.get(i));
                if (inner != null) {
                    return inner;
                }
            }
        }
        return path + " is " + brief(got) + ", not " + brief(want);
    }

    private static String brief(JsonNode node) {
        String text = text(node);
        return text.length() > 200 ? text.substring(0, 200) + "..." : text;
    }
}
