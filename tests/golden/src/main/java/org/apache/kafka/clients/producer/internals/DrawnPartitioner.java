/* SPDX-License-Identifier: BSD-2-Clause */
package org.apache.kafka.clients.producer.internals;

import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.utils.LogContext;

/** Kafka's built-in partitioner with the random number given; in its package, for what it draws is not public. */
public final class DrawnPartitioner extends BuiltInPartitioner {
    private final int random;

    public DrawnPartitioner(String topic, int random) {
        super(new LogContext(), topic, 1);
        this.random = random;
    }

    @Override
    int randomPartition() {
        return random;
    }

    public int draw(Cluster cluster) {
        return peekCurrentPartitionInfo(cluster).partition();
    }
}
