/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.live;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The records that every run sends. Record n follows from the seed and n alone, so whoever meets one later can tell which it
 * is and whether a single byte of it changed:
 * <pre>
 *     value   NNNNNNNN:text    n in eight digits, then text drawn from the seed and n
 *     key     a small number in decimal, or none
 * </pre>
 * As a line of input: the key and a tab if there is a key, the value, a newline. No value holds a tab or a newline. Most are
 * words, which pack about as well as people's data does; a few are very short or long, hold what JSON must escape, or are no
 * UTF-8 at all.
 */
final class Lines {
    static final int LONGEST = 60_000;
    private static final int HEAD = 9;
    private static final byte[][] WORDS = bytes("order", "paid", "shipped", "lamp", "chair", "river", "north", "id=", "42", "user",
            "morning", "{", "}", ",", "true", "false", "null", "amount:", "EUR", "0.17", "blue", "green", "error", "retry", "ok",
            "session", "cart", "/", "west", "tower", "seven", "amber");
    private static final byte[][] AWKWARD = bytes("\"", "\\", "\r", "\u0000", "\u0001", "\u001f", "\u007f", "\u00e9", "\u65e5",
            "\ud83d\ude00", "\u2028", "\\u0041", "\\n", "</", "'", "\ufeff", "  ");

    private final long seed;
    private final int bytes;
    private final int keys;

    /** bytes: how long most values are; keys: how many keys there are, 0 for none at all. */
    Lines(long seed, int bytes, int keys) {
        if (bytes < HEAD || bytes > LONGEST || keys < 0) {
            throw new IllegalArgumentException("values of " + bytes + " bytes, " + keys + " keys");
        }
        this.seed = seed;
        this.bytes = bytes;
        this.keys = keys;
    }

    /** The key as text, or null. One record of four has none. */
    byte[] key(int n) {
        long dice = mix(seed ^ mix(n + 0x6b657973L));
        if (keys == 0 || (dice & 3) == 0) {
            return null;
        }
        return Long.toString((dice >>> 2) % keys).getBytes(StandardCharsets.US_ASCII);
    }

    /** Writes the value to the start of out, which holds LONGEST bytes, and answers its length. */
    int value(int n, byte[] out) {
        long dice = mix(seed ^ mix(n));
        int length = bytes;
        byte[][] words = WORDS;
        if ((dice & 63) == 0) {
            length = HEAD + (int) ((dice >>> 8) % (4L * bytes));
        } else if ((dice & 4095) == 1) {
            length = 20_000 + (int) ((dice >>> 12) % 30_000);
        } else if ((dice & 255) == 2) {
            words = AWKWARD;
        }
        length = Math.min(length, LONGEST);
        for (int at = HEAD - 2, rest = n; at >= 0; at--, rest /= 10) {
            out[at] = (byte) ('0' + rest % 10);
        }
        out[HEAD - 1] = ':';
        if ((dice & 4095) == 3) {
            noise(dice, out, length);
        } else {
            text(dice, words, out, length);
        }
        return length;
    }

    private static void text(long start, byte[][] words, byte[] out, int length) {
        long dice = start;
        int at = HEAD;
        while (at < length) {
            dice = mix(dice);
            for (int i = 0; i < 8 && at < length; i++) {
                byte[] word = words[(int) (dice >>> (8 * i) & 0xff) % words.length];
                int part = word.length;
                if (part > length - at) {
                    // A cut word could be half a character.
                    part = length - at;
                    Arrays.fill(out, at, length, (byte) '.');
                } else {
                    System.arraycopy(word, 0, out, at, part);
                }
                at += part;
                if (at < length && words == WORDS) {
                    out[at++] = ' ';
                }
            }
        }
    }

    private static void noise(long start, byte[] out, int length) {
        long dice = start;
        for (int at = HEAD; at < length; at++) {
            dice = mix(dice);
            byte one = (byte) dice;
            out[at] = one == '\n' || one == '\t' ? (byte) 0xff : one;
        }
    }

    /** The number that a value claims to be, or -1. */
    static int number(byte[] value) {
        if (value == null || value.length < HEAD || value[HEAD - 1] != ':') {
            return -1;
        }
        int n = 0;
        for (int at = 0; at < HEAD - 1; at++) {
            if (value[at] < '0' || value[at] > '9') {
                return -1;
            }
            n = 10 * n + value[at] - '0';
        }
        return n;
    }

    /** Writes records 0..count-1 as lines of input; answers how many bytes keys and values have. */
    long write(Path file, int count) throws IOException {
        byte[] value = new byte[LONGEST];
        long total = 0;
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
            for (int n = 0; n < count; n++) {
                byte[] key = key(n);
                if (key != null) {
                    out.write(key);
                    out.write('\t');
                    total += key.length;
                }
                int length = value(n, value);
                out.write(value, 0, length);
                out.write('\n');
                total += length;
            }
        }
        return total;
    }

    private static byte[][] bytes(String... words) {
        return Arrays.stream(words).map(word -> word.getBytes(StandardCharsets.UTF_8)).toArray(byte[][]::new);
    }

    /** A bijection that spreads every bit over all others: three rounds of multiply and fold. */
    private static long mix(long x) {
        long z = x + 0x9e3779b97f4a7c15L;
        z = (z ^ z >>> 32) * 0xd6e8feb86659fd93L;
        z = (z ^ z >>> 32) * 0xd6e8feb86659fd93L;
        return z ^ z >>> 32;
    }
}
