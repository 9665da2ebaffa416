/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.nio.charset.StandardCharsets;
import java.util.Random;

/** Random values that like to sit on borders. The same seed gives the same values on every machine. */
final class Wild {
    private static final String[] ODD = {
        "\u0000", "\u0001", "\t", "\n", "\r", "\u001f", "\"", "\\", "/", "</", "\u007f", "\u0080", "\u0085", "\u00e9", "\u07ff",
        "\u0800", "\u2028", "\u2029", "\u4e2d", "\ud7ff", "\ue000", "\ufeff", "\ufffd", "\uffff", "\ud800\udc00",
        "\ud83d\ude00", "\udbff\udfff", "e\u0301", "\u202e", "'", "{", "\\u0041", "\\n"};
    /** Lengths where a length's own encoding grows, as it is and as compact (one more). */
    private static final int[] EDGES = {1, 126, 127, 128, 129, 255, 256, 16382, 16383, 16384, 32766, 32767};

    private final Random random;

    Wild(long seed) {
        random = new Random(seed);
    }

    /** A seed for one item of a run: the same whatever else the run makes. */
    static long seed(long seed, String what, int index) {
        long mixed = seed * 0x9e3779b97f4a7c15L + what.hashCode() * 0xbf58476d1ce4e5b9L + index * 0x94d049bb133111ebL;
        mixed ^= mixed >>> 29;
        return mixed * 0xbf58476d1ce4e5b9L ^ mixed >>> 32;
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    /** True once in n. */
    boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    boolean coin() {
        return random.nextBoolean();
    }

    @SafeVarargs
    final <T> T pick(T... values) {
        return values[random.nextInt(values.length)];
    }

    /** Small mostly, seldom up to max. */
    int few(int max) {
        return Math.min(max, switch (below(8)) {
            case 0, 1 -> 0;
            case 2, 3 -> 1;
            case 4, 5, 6 -> below(4);
            default -> below(max + 1);
        });
    }

    long integer(int bits) {
        long min = -1L << (bits - 1);
        long max = -1L - min;
        long value = switch (below(8)) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> min + below(3);
            case 3 -> max - below(3);
            case 4 -> 1L << below(bits - 1);
            case 5 -> (1L << below(bits - 1)) - 1;
            case 6 -> below(100);
            default -> random.nextLong();
        };
        return value << (64 - bits) >> (64 - bits);
    }

    byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Bytes that a codec can make smaller. */
    byte[] dull(int length) {
        byte[] bytes = new byte[length];
        byte[] word = bytes(1 + below(40));
        for (int i = 0; i < length; i++) {
            bytes[i] = oneIn(50) ? (byte) below(256) : word[i % word.length];
        }
        return bytes;
    }

    /** Valid UTF-8 of at most room bytes, seldom long. */
    byte[] text(int room) {
        int length = switch (below(12)) {
            case 0 -> 0;
            case 1 -> EDGES[below(EDGES.length)];
            case 2 -> below(200);
            default -> below(24);
        };
        length = Math.min(length, room);
        StringBuilder text = new StringBuilder();
        int kind = below(4);
        int size = 0;
        while (size < length) {
            String next = switch (kind) {
                case 0 -> String.valueOf((char) (' ' + below(95)));
                case 1 -> String.valueOf("abcdefghijklmnopqrstuvwxyz-._0123456789".charAt(below(39)));
                case 2 -> ODD[below(ODD.length)];
                default -> oneIn(4) ? ODD[below(ODD.length)] : Character.toString(scalar());
            };
            int more = next.getBytes(StandardCharsets.UTF_8).length;
            if (size + more > length) {
                next = "x";
                more = 1;
            }
            text.append(next);
            size += more;
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private int scalar() {
        int top = pick(0x80, 0x800, 0x10000, 0x110000);
        int point = below(top);
        return point >= 0xd800 && point <= 0xdfff ? 0xe9 : point;
    }
}
