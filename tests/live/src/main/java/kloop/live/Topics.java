/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.live;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterPartitionReassignmentsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.ElectLeadersOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.utils.Utils;

/** The topics of one cluster, through one administrative client that stays open. */
final class Topics implements AutoCloseable {
    private static final int ROTATE_MS = 5000;

    final String bootstrap;
    private final Admin admin;

    Topics(String bootstrap) {
        this.bootstrap = bootstrap;
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", bootstrap);
        config.put("default.api.timeout.ms", 60_000);
        config.put("request.timeout.ms", 10_000);
        config.put("retry.backoff.ms", 20);
        // A node that is down must not be hammered, but one that comes back is to be seen at once.
        config.put("reconnect.backoff.ms", 20);
        config.put("reconnect.backoff.max.ms", 200);
        admin = Admin.create(config);
    }

    /** Partition p gets brokers p + 1, p + 2, ... of 1 to nodes, the first of them as its leader: everybody knows who leads. */
    Object create(String topic, int partitions, int replication, int nodes, Map<String, String> configs) throws Exception {
        Map<Integer, List<Integer>> places = new HashMap<>();
        for (int p = 0; p < partitions; p++) {
            int first = p;
            places.put(p, IntStream.range(0, replication).mapToObj(i -> (first + i) % nodes + 1).toList());
        }
        NewTopic wanted = new NewTopic(topic, places).configs(configs);
        return done(() -> admin.createTopics(Set.of(wanted)).topicId(topic).get().toString());
    }

    Object delete(String topic) throws Exception {
        return done(() -> {
            admin.deleteTopics(Set.of(topic)).all().get();
            return topic;
        });
    }

    Object grow(String topic, int partitions) throws Exception {
        return done(() -> {
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions))).all().get();
            return partitions;
        });
    }

    Object configure(String topic, Map<String, String> configs) throws Exception {
        return alter(new ConfigResource(ConfigResource.Type.TOPIC, topic), configs);
    }

    private Object alter(ConfigResource what, Map<String, String> configs) throws Exception {
        List<AlterConfigOp> wanted = configs.entrySet().stream()
                .map(one -> new AlterConfigOp(new ConfigEntry(one.getKey(), one.getValue()), AlterConfigOp.OpType.SET)).toList();
        return done(() -> {
            admin.incrementalAlterConfigs(Map.of(what, wanted)).all().get();
            return what.name();
        });
    }

    /**
     * Moves the lead of every partition to its next replica, as far as that one is in sync: an order of replicas is their
     * preference. Answers how many moved. Does not wait for a cluster that is in trouble.
     */
    Object rotate(String topic) throws Exception {
        return done(() -> {
            Map<TopicPartition, Optional<NewPartitionReassignment>> turned = new HashMap<>();
            for (TopicPartitionInfo one : admin.describeTopics(Set.of(topic), new DescribeTopicsOptions().timeoutMs(ROTATE_MS))
                    .allTopicNames().get().get(topic).partitions()) {
                List<Integer> replicas = new ArrayList<>(one.replicas().stream().map(Node::id).toList());
                Collections.rotate(replicas, -1);
                turned.put(new TopicPartition(topic, one.partition()), Optional.of(new NewPartitionReassignment(replicas)));
            }
            admin.alterPartitionReassignments(turned, new AlterPartitionReassignmentsOptions().timeoutMs(ROTATE_MS)).all().get();
            return admin.electLeaders(ElectionType.PREFERRED, turned.keySet(), new ElectLeadersOptions().timeoutMs(ROTATE_MS))
                    .partitions().get().values().stream().filter(Optional::isEmpty).count();
        });
    }

    /** Answers when each partition's leader knows that it leads: some time after it is named to everybody else. */
    Object served(String topic, int partitions) throws Exception {
        Map<TopicPartition, OffsetSpec> all = new HashMap<>();
        for (int p = 0; p < partitions; p++) {
            all.put(new TopicPartition(topic, p), OffsetSpec.latest());
        }
        return done(() -> {
            admin.listOffsets(all).all().get();
            return topic;
        });
    }

    /** Users who come in by SCRAM. */
    Object users(List<UserScramCredentialAlteration> users) throws Exception {
        return done(() -> {
            admin.alterUserScramCredentials(users).all().get();
            return users.size();
        });
    }

    /** From now on this user may not write the topic, whatever else holds. */
    Object deny(String user, String topic) throws Exception {
        AclBinding no = new AclBinding(new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
                new AccessControlEntry("User:" + user, "*", AclOperation.WRITE, AclPermissionType.DENY));
        return done(() -> {
            admin.createAcls(Set.of(no)).all().get();
            return topic;
        });
    }

    /** Settings of one node, which it takes over at once. */
    Object reconfigure(int node, Map<String, String> configs) throws Exception {
        return alter(new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(node)), configs);
    }

    /** The active controller, as the quorum sees it. */
    Object controller() throws Exception {
        return done(() -> admin.describeMetadataQuorum().quorumInfo().get().leaderId());
    }

    @Override
    public void close() {
        Utils.closeQuietly(admin, "admin");
    }

    private interface Work {
        Object run() throws InterruptedException, ExecutionException;
    }

    /** What Kafka has to say, without the wrapping. */
    private static Object done(Work work) throws Exception {
        try {
            return work.run();
        } catch (ExecutionException wrapped) {
            throw wrapped.getCause() instanceof Exception inner ? inner : wrapped;
        }
    }
}
