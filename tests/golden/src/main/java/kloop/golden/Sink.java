/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** Growing bytes with the number forms of the protocol. */
final class Sink extends ByteArrayOutputStream {
    void put(byte[] bytes) {
        write(bytes, 0, bytes.length);
    }

    void put8(int value) {
        write(value);
    }

    void putBig(long value, int bytes) {
        for (int i = bytes - 1; i >= 0; i--) {
            write((int) (value >> (8 * i)));
        }
    }

    /** The shortest unsigned varint of these 32 bits. */
    void varint(int value) {
        varlong(value & 0xffffffffL);
    }

    /** The shortest unsigned varint of these 64 bits. */
    void varlong(long value) {
        while ((value & ~0x7fL) != 0) {
            write((int) (value & 0x7f | 0x80));
            value >>>= 7;
        }
        write((int) value);
    }

    byte[] since(int start) {
        return Arrays.copyOfRange(buf, start, count);
    }
}
