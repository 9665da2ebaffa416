/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HexFormat;
import java.util.Set;

/** The batch subcommands, one line at a time. */
final class BatchLines {
    private static final HexFormat HEX = HexFormat.of();

    private BatchLines() {
    }

    static String generate(long seed, int index, boolean small) {
        BatchMaker maker = new BatchMaker(new Wild(Wild.seed(seed, "batch", index)), small);
        byte[] wire = maker.make();
        return HEX.formatHex(wire) + "\t" + Json.text(BatchText.json(wire)) + (maker.exact() ? "" : "\tdecode-only");
    }

    static String lie(long seed, int index) {
        return HEX.formatHex(BatchMaker.lie(Wild.seed(seed, "batch lie", index)));
    }

    /** Line: HEX, TAB, JSON array. A batch of the JSON without crc has any. */
    static String check(String text) {
        String[] parts = text.split("\t", -1);
        if (parts.length < 2) {
            return "error: no TAB";
        }
        JsonNode want = Json.parse(Json.text(BatchText.json(HEX.parseHex(parts[0]))));
        JsonNode got = Json.parse(parts[1]);
        for (int i = 0; i < want.size() && got.has(i); i++) {
            if (got.get(i).isObject() && !got.get(i).has("crc")) {
                ((ObjectNode) want.get(i)).remove("crc");
            }
        }
        String difference = Json.difference("", want, got);
        return difference == null ? "ok" : "error: JSON" + difference;
    }

    static String verdict(String text) {
        byte[] wire = HEX.parseHex(text);
        JsonNode json = BatchText.json(wire);
        Set<String> sloppy;
        try {
            sloppy = RecordWalk.sloppy(wire);
        } catch (RuntimeException e) {
            throw new OwnFault("the walker refuses what Kafka reads: " + text, e);
        }
        return "ok\t" + Json.text(json) + "\t" + String.join(",", sloppy);
    }
}
