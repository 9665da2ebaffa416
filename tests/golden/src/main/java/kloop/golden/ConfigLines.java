/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.io.IOException;
import java.io.StringReader;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;

/**
 * What Java makes of a producer's configuration. One question a line:
 * properties HEX     KEY=VALUE.. in hex, sorted, of a file of properties in UTF-8; strange when there is half a surrogate pair or a zero in it
 * names              the names of all keys of the producer
 * set NAME HEX       ok when the producer takes this value for the key by itself
 * preset NAME        the value that a key has unless it is set, - for none
 */
final class ConfigLines {
    private ConfigLines() {
    }

    static String answer(String line) {
        String[] words = line.split(" ", -1);
        switch (words[0]) {
            case "properties":
                return properties(text(words[1]));
            case "names":
                return String.join(" ", ProducerConfig.configNames().stream().sorted().toList());
            case "preset":
                return preset(words[1]);
            case "set":
                return set(words[1], text(words[2]));
            default:
                throw new OwnFault("no such question: " + line, null);
        }
    }

    private static String text(String hex) {
        return new String(HexFormat.of().parseHex(hex), StandardCharsets.UTF_8);
    }

    /** Everything that was read, also what something later has replaced. */
    private static final class Seen extends Properties {
        private static final long serialVersionUID = 1;
        private boolean strange;

        @Override
        public synchronized Object put(Object key, Object value) {
            strange = strange || isStrange((String) key) || isStrange((String) value);
            return super.put(key, value);
        }
    }

    private static boolean isStrange(String text) {
        try {
            StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            return text.indexOf('\0') >= 0;
        } catch (CharacterCodingException e) {
            return true;
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String properties(String file) {
        Seen seen = new Seen();
        try {
            seen.load(new StringReader(file));
        } catch (IOException e) {
            throw new OwnFault("a string cannot be read", e);
        }
        if (seen.strange) {
            return "strange";
        }
        Map<String, String> pairs = new TreeMap<>();
        seen.forEach((key, value) -> pairs.put(HexFormat.of().formatHex(bytes((String) key)), HexFormat.of().formatHex(bytes((String) value))));
        return pairs.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).collect(Collectors.joining(" "));
    }

    private static String preset(String name) {
        ConfigDef.ConfigKey key = ProducerConfig.configDef().configKeys().get(name);
        String text = key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null;
        return text == null || text.isEmpty() ? "-" : text;
    }

    private static String set(String name, String value) {
        ConfigDef.ConfigKey key = ProducerConfig.configDef().configKeys().get(name);
        try {
            Object parsed = ConfigDef.parseType(name, value, key.type);
            if (key.validator != null) {
                key.validator.ensureValid(name, parsed);
            }
            return "ok";
        } catch (ConfigException e) {
            return "error: " + e.getMessage().replaceAll("[\\r\\n\\t]+", " ");
        }
    }
}
