/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.io.ByteArrayOutputStream;
import java.util.Collections;
import java.util.List;

/**
 * One lie in an otherwise sound message. A maker asks here() at every place where it could go wrong; a first run with target -1
 * counts the places, a second run of the same seed lies at one of them.
 */
final class Lies {
    private static final byte[][] NOT_UTF8 = {
        {(byte) 0x80}, {(byte) 0xff}, {(byte) 0xc0, (byte) 0x80}, {(byte) 0xe2, (byte) 0x82}, {(byte) 0xed, (byte) 0xa0, (byte) 0x80},
        {(byte) 0xf5, (byte) 0x80, (byte) 0x80, (byte) 0x80}, {(byte) 0xf0, (byte) 0x80, (byte) 0x80, (byte) 0x80}};

    private final int target;
    private final Wild wild;
    private int places;

    Lies(int target, Wild wild) {
        this.target = target;
        this.wild = wild;
    }

    int places() {
        return places;
    }

    boolean here() {
        return places++ == target;
    }

    int length(int length, boolean string) {
        int wrong = wild.pick(length + 1, length - 1, -1, -2, Integer.MIN_VALUE, Integer.MAX_VALUE, length + 1000, 32768, 0);
        return string && wild.oneIn(3) ? 32768 : wrong;
    }

    /** Longer than needed, with bits above the 32nd, or without an end. */
    void varint(Sink out, int value) {
        switch (wild.below(5)) {
            case 0 -> {
                /* All five bytes used, the spare bits of the last one set: Kafka drops them. */
                for (int i = 0; i < 4; i++) {
                    out.put8(value >>> (7 * i) & 0x7f | 0x80);
                }
                out.put8(value >>> 28 & 0x0f | wild.pick(0x10, 0x20, 0x40, 0x70));
            }
            case 1 -> {
                for (int i = 0; i < 4; i++) {
                    out.put8(value >>> (7 * i) & 0x7f | 0x80);
                }
                out.put8(value >>> 28 & 0x0f | 0x80);
                out.put8(0);
            }
            default -> {
                Sink shortest = new Sink();
                shortest.varint(value);
                byte[] bytes = shortest.toByteArray();
                if (bytes.length == 5) {
                    out.put(bytes);
                    return;
                }
                bytes[bytes.length - 1] |= (byte) 0x80;
                out.put(bytes);
                int more = 1 + wild.below(5 - bytes.length);
                for (int i = 1; i < more; i++) {
                    out.put8(0x80);
                }
                out.put8(0);
            }
        }
    }

    /** The same zig-zag value in more bytes than needed; max is 5 or 10. */
    void signed(Sink out, long value, int max) {
        Sink shortest = new Sink();
        shortest.varlong(max == 5 ? ((int) value << 1 ^ (int) value >> 31) & 0xffffffffL : value << 1 ^ value >> 63);
        byte[] bytes = shortest.toByteArray();
        if (bytes.length == max) {
            bytes[max - 1] |= wild.pick(0x10, 0x40, 0x80).byteValue();
            out.put(bytes);
            return;
        }
        bytes[bytes.length - 1] |= (byte) 0x80;
        out.put(bytes);
        int more = 1 + wild.below(max - bytes.length + (wild.oneIn(4) ? 1 : 0));
        for (int i = 1; i < more; i++) {
            out.put8(0x80);
        }
        out.put8(0);
    }

    byte[] notText(byte[] text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int cut = wild.below(text.length + 1);
        byte[] bad = wild.pick(NOT_UTF8);
        bytes.write(text, 0, cut);
        bytes.write(bad, 0, bad.length);
        bytes.write(text, cut, text.length - cut);
        return bytes.size() > 32767 ? bad : bytes.toByteArray();
    }

    void tags(List<Integer> order) {
        if (!order.isEmpty() && wild.coin()) {
            order.add(order.get(wild.below(order.size())));
        }
        if (wild.coin()) {
            Collections.reverse(order);
        }
    }
}
