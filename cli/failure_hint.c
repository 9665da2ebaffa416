/* SPDX-License-Identifier: BSD-2-Clause */
/* Advice by error. See failure_hint.h. */
#include "cli/failure_hint.h"

#include <kloop/broker_error.h>

#include <stddef.h>

static const struct {
    int16_t error;
    const char *hint;
} of_brokers[] = {
    {KLOOP_BROKER_MESSAGE_TOO_LARGE,
     "see max.request.size here, message.max.bytes of the broker and max.message.bytes of the "
     "topic"},
    {KLOOP_BROKER_RECORD_LIST_TOO_LARGE,
     "see batch.size here, and segment.bytes of the topic: a batch must fit into one segment"},
    {KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION,
     "does the topic exist? kloop meta -b HOST:PORT lists all; auto.create.topics.enable of the "
     "broker makes them"},
    {KLOOP_BROKER_UNKNOWN_TOPIC_ID, "the topic was deleted, or made anew under the same name"},
    {KLOOP_BROKER_INVALID_TOPIC_EXCEPTION,
     "a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -"},
    {KLOOP_BROKER_LEADER_NOT_AVAILABLE,
     "an election is going on, or all replicas are down; kloop meta -b HOST:PORT shows leaders"},
    {KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER,
     "the partition's leader kept moving; kloop meta -b HOST:PORT shows leaders"},
    {KLOOP_BROKER_NOT_ENOUGH_REPLICAS,
     "fewer replicas are in sync than min.insync.replicas of the topic; kloop meta shows them"},
    {KLOOP_BROKER_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
     "fewer replicas are in sync than min.insync.replicas of the topic; kloop meta shows them"},
    {KLOOP_BROKER_REQUEST_TIMED_OUT,
     "followers were too slow for acks=all; see request.timeout.ms and the brokers' load"},
    {KLOOP_BROKER_TOPIC_AUTHORIZATION_FAILED,
     "the principal needs WRITE on the topic: kafka-acls.sh --add --producer --topic"},
    {KLOOP_BROKER_CLUSTER_AUTHORIZATION_FAILED,
     "before Kafka 2.8 the principal needs IDEMPOTENT_WRITE on the cluster, or "
     "enable.idempotence=false here"},
    {KLOOP_BROKER_SASL_AUTHENTICATION_FAILED,
     "see sasl.mechanism and sasl.jaas.config; kloop doctor with the same flags says more"},
    {KLOOP_BROKER_INVALID_TIMESTAMP,
     "see message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topic"},
    {KLOOP_BROKER_INVALID_RECORD,
     "a compacted topic wants a key in each record (kloop perf: --key-distribution; kloop "
     "produce: -K or -k)"},
    {KLOOP_BROKER_CORRUPT_MESSAGE,
     "a compacted topic wants a key in each record; else suspect the network"},
    {KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE,
     "see compression.type: zstd needs Kafka 2.1, and some brokers allow only some codecs"},
    {KLOOP_BROKER_POLICY_VIOLATION,
     "a policy of the broker refuses it (create.topic.policy and the like)"},
    {KLOOP_BROKER_KAFKA_STORAGE_ERROR, "the broker's disk failed or is full: see its log"},
    {KLOOP_BROKER_UNSUPPORTED_VERSION, "the broker is too old: kloop meta --api shows what it "
                                       "speaks"},
    {KLOOP_BROKER_PRODUCER_FENCED, "another producer took over this one's identity"},
    {KLOOP_BROKER_INVALID_PRODUCER_EPOCH, "another producer took over this one's identity"},
    {KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER,
     "the broker has lost records that it had acknowledged, or its log was cut: see its log"},
    {KLOOP_BROKER_THROTTLING_QUOTA_EXCEEDED, "see the quotas of this client id or user"},
};

static const char *of_broker(int16_t error)
{
    for (size_t i = 0; i < sizeof of_brokers / sizeof of_brokers[0]; i++) {
        if (of_brokers[i].error == error)
            return of_brokers[i].hint;
    }
    return NULL;
}

static const char *of_refusal(kloop_status status)
{
    switch (status) {
    case KLOOP_TOO_LARGE:
        return "see max.request.size, and message.max.bytes of the broker";
    case KLOOP_BAD_PARTITION:
        return "kloop meta -b HOST:PORT shows how many partitions the topic has";
    case KLOOP_BAD_TIMESTAMP:
        return "a timestamp is in ms since 1970, and not negative";
    case KLOOP_NO_MEMORY:
        return "see buffer.memory, and what else runs on this machine";
    default:
        return NULL;
    }
}

const char *kl_failure_hint(kloop_outcome outcome, kloop_cause cause, int16_t broker_error,
                            kloop_status status)
{
    if (status != KLOOP_OK)
        return of_refusal(status);
    const char *hint = of_broker(broker_error);
    if (hint)
        return hint;
    if (outcome == KLOOP_OUTCOME_UNKNOWN)
        return "they were on the way when it ended: look at the topic before they are sent again";
    switch (cause) {
    case KLOOP_CAUSE_TIMEOUT:
        return "see bootstrap.servers and delivery.timeout.ms; kloop doctor -b HOST:PORT says how "
               "far one gets";
    case KLOOP_CAUSE_SECURITY:
        return "see security.protocol and what belongs to it; kloop doctor with the same flags "
               "says "
               "more";
    case KLOOP_CAUSE_PARTITION:
        return "kloop meta -b HOST:PORT shows how many partitions the topic has";
    case KLOOP_CAUSE_NO_MEMORY:
        return "see buffer.memory, and what else runs on this machine";
    case KLOOP_CAUSE_NEIGHBOUR:
        return "they may be sent again as they are, without the record that was refused";
    default:
        return NULL;
    }
}
