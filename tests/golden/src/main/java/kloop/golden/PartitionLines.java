/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.clients.producer.internals.DrawnPartitioner;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;

/**
 * Where Kafka's own partitioners send records. One question a line:
 * key HEX COUNT..        the partition among each of these numbers of partitions
 * turns QUEUE..          round robin over partitions of which those with - have no leader, twice over and once more
 * draws QUEUE..          the built-in partitioner's draw for each random number there is, from the lengths of the queues
 */
final class PartitionLines {
    private static final String TOPIC = "t";
    private static final Node NODE = new Node(1, "localhost", 9092);

    private PartitionLines() {
    }

    static String answer(String line) {
        String[] words = line.split(" ", -1);
        switch (words[0]) {
            case "key":
                return key(words);
            case "turns":
                return turns(words);
            case "draws":
                return draws(words);
            default:
                throw new OwnFault("no such question: " + line, null);
        }
    }

    private static String key(String[] words) {
        byte[] key = HexFormat.of().parseHex(words[1]);
        List<Integer> partitions = new ArrayList<>();
        for (int i = 2; i < words.length; i++) {
            partitions.add(BuiltInPartitioner.partitionForKey(key, Integer.parseInt(words[i])));
        }
        return text(partitions);
    }

    private static boolean isPresent(String queue) {
        return !queue.equals("-");
    }

    private static Cluster cluster(String[] words) {
        List<PartitionInfo> partitions = new ArrayList<>();
        for (int i = 1; i < words.length; i++) {
            partitions.add(new PartitionInfo(TOPIC, i - 1, isPresent(words[i]) ? NODE : null, new Node[] {NODE}, new Node[] {NODE}));
        }
        return new Cluster("c", List.of(NODE), partitions, Set.of(), Set.of());
    }

    private static String turns(String[] words) {
        Cluster cluster = cluster(words);
        List<Integer> partitions = new ArrayList<>();
        try (RoundRobinPartitioner partitioner = new RoundRobinPartitioner()) {
            for (int i = 0; i < 2 * (words.length - 1) + 1; i++) {
                partitions.add(partitioner.partition(TOPIC, null, null, null, null, cluster));
            }
        }
        return text(partitions);
    }

    /** As the accumulator gathers them: arrays for all partitions, filled with those that have a leader. */
    private static DrawnPartitioner partitioner(String[] words, int random) {
        int[] queues = new int[words.length - 1];
        int[] ids = new int[queues.length];
        int length = 0;
        for (int i = 1; i < words.length; i++) {
            if (isPresent(words[i])) {
                queues[length] = Integer.parseInt(words[i]);
                ids[length++] = i - 1;
            }
        }
        DrawnPartitioner partitioner = new DrawnPartitioner(TOPIC, random);
        partitioner.updatePartitionLoadStats(queues, ids, length);
        return partitioner;
    }

    private static int numbers(String[] words, Cluster cluster) {
        try {
            return partitioner(words, 0).loadStatsRangeEnd();
        } catch (AssertionError | NullPointerException e) {
            /* No weights: all alike. */
            int available = cluster.availablePartitionsForTopic(TOPIC).size();
            return available > 0 ? available : words.length - 1;
        }
    }

    private static String draws(String[] words) {
        Cluster cluster = cluster(words);
        int end = numbers(words, cluster);
        List<Integer> partitions = new ArrayList<>();
        for (int random = 0; random < end; random++) {
            partitions.add(partitioner(words, random).draw(cluster));
        }
        return text(partitions);
    }

    private static String text(List<Integer> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(" "));
    }
}
