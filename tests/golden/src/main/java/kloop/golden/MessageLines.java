/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Set;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.Schema;

/** The message subcommands, one line at a time. */
final class MessageLines {
    private static final HexFormat HEX = HexFormat.of();

    /** API VERSION request|response REST, REST up to the line's end, maybe empty. */
    private record Line(Shape shape, int version, String rest) {
        static Line parse(String line) {
            String[] words = line.split(" ", 4);
            if (words.length < 3) {
                throw new IllegalArgumentException("not API VERSION request|response ...");
            }
            return new Line(Shape.find(words[0], words[2]), Integer.parseInt(words[1]), words.length == 4 ? words[3] : "");
        }
    }

    private MessageLines() {
    }

    private static String head(Shape shape, int version) {
        return shape.api + " " + version + " " + shape.direction() + " ";
    }

    /** Message number index of a run: 0 is minimal, 1 is full, the rest is wild. */
    static String generate(Shape shape, int version, long seed, int index, boolean small) {
        Wild wild = new Wild(Wild.seed(seed, shape + " " + version, index));
        WireMaker.Manner manner = index == 0 ? WireMaker.Manner.MINIMAL : index == 1 ? WireMaker.Manner.FULL : WireMaker.Manner.WILD;
        byte[] made = new WireMaker(wild, manner, room(wild, small), null).make(shape.schema(version));
        Message message = shape.read(made, version);
        JsonNode json = shape.toJson(message, version);
        /* Kafka's own bytes wherever it can write these; it never writes a tagged field at its default. */
        byte[] own = shape.write(message, version);
        String text = Json.text(json);
        byte[] fromText = shape.write(shape.fromJson(Json.parse(text), version), version);
        boolean both = Arrays.equals(own, made) && Arrays.equals(own, fromText);
        return head(shape, version) + HEX.formatHex(made) + "\t" + text + (both ? "" : "\tdecode-only");
    }

    private static int room(Wild wild, boolean small) {
        if (small) {
            return wild.oneIn(3) ? 150 : 60;
        }
        return switch (wild.below(20)) {
            case 0 -> 40000;
            case 1, 2, 3 -> 3000;
            default -> 400;
        };
    }

    /** A message with one lie in it: sound up to there, often readable all the same. */
    static String lie(Shape shape, int version, long seed, int index) {
        Schema schema = shape.schema(version);
        long own = Wild.seed(seed, shape + " " + version + " lie", index);
        Lies count = new Lies(-1, new Wild(own));
        WireMaker.Manner manner = index % 4 == 0 ? WireMaker.Manner.FULL : WireMaker.Manner.WILD;
        byte[] sound = new WireMaker(new Wild(own), manner, 200, count).make(schema);
        if (count.places() == 0) {
            return head(shape, version) + HEX.formatHex(sound);
        }
        Wild dice = new Wild(own + 1);
        Lies lies = new Lies(dice.below(count.places()), dice);
        return head(shape, version) + HEX.formatHex(new WireMaker(new Wild(own), manner, 200, lies).make(schema));
    }

    /** Line: API VERSION request|response HEX, TAB, JSON. */
    static String check(String text) {
        String[] parts = text.split("\t", -1);
        if (parts.length < 2) {
            return "error: no TAB";
        }
        Line line = Line.parse(parts[0]);
        byte[] wire = HEX.parseHex(line.rest);
        Message message = line.shape.read(wire, line.version);
        JsonNode given = Json.parse(parts[1]);
        JsonNode json = Json.parse(Json.text(line.shape.toJson(message, line.version)));
        String difference = Json.difference("", json, given);
        if (difference != null) {
            /* A tagged struct at its default is shown if an unknown tag was in it. Once that is gone, nothing is sent. */
            JsonNode again = line.shape.toJson(line.shape.fromJson(given, line.version), line.version);
            difference = Json.difference("", json, Json.parse(Json.text(again)));
        }
        if (difference != null) {
            return "error: JSON" + difference;
        }
        if (!Arrays.equals(wire, line.shape.write(message, line.version))) {
            return "error: Kafka writes " + HEX.formatHex(line.shape.write(message, line.version));
        }
        byte[] fromText = line.shape.write(line.shape.fromJson(given, line.version), line.version);
        boolean unknown = !message.equals(line.shape.fromJson(given, line.version));
        if (!unknown && !Arrays.equals(wire, fromText)) {
            return "error: Kafka writes that JSON as " + HEX.formatHex(fromText);
        }
        return "ok";
    }

    /** Line: API VERSION request|response HEX. Answer: ok, TAB, JSON, TAB, the sloppy forms in it; or the error. */
    static String verdict(String text) {
        Line line = Line.parse(text);
        byte[] wire = HEX.parseHex(line.rest);
        Message message = line.shape.read(wire, line.version);
        Set<String> sloppy;
        try {
            sloppy = WireWalk.sloppy(line.shape.schema(line.version), wire);
        } catch (RuntimeException e) {
            throw new OwnFault("the walker refuses what Kafka reads: " + text, e);
        }
        return "ok\t" + Json.text(line.shape.toJson(message, line.version)) + "\t" + String.join(",", sloppy);
    }

    /** Line: API VERSION request|response JSON. Answer: HEX or the error. */
    static String encode(String text) {
        Line line = Line.parse(text);
        return HEX.formatHex(line.shape.write(line.shape.fromJson(Json.parse(line.rest), line.version), line.version));
    }
}
