/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.live;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import kafka.tools.StorageTool;
import org.apache.kafka.common.utils.Utils;

/** The two things that are asked of Kafka's inside: where a key goes, and a node's empty storage. */
final class Kafka {
    private Kafka() {
    }

    static int partitionOf(byte[] key, int partitions) {
        return Utils.toPositive(Utils.murmur2(key)) % partitions;
    }

    /** Prepares the log folders that a property file names. */
    static void format(String properties, String clusterId) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        String[] line = {"format", "-t", clusterId, "-c", properties};
        int code = StorageTool.execute(line, new PrintStream(said, true, StandardCharsets.UTF_8));
        if (code != 0) {
            throw new IllegalStateException("the storage tool ended with " + code + ": " + said.toString(StandardCharsets.UTF_8));
        }
    }
}
