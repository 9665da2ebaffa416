/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every error code of Kafka 4.3.1: its name, what a client is to make of it, and a text for people.
 *
 * The table is one macro, so that it can be expanded into whatever is wanted; the functions below
 * look things up in it. They allocate nothing, and all they point to is constant and lives as long
 * as the library. Only the lookups by code, name and index can fail, with NULL.
 */
#ifndef KLOOP_BROKER_ERROR_H
#define KLOOP_BROKER_ERROR_H

#include <kloop/export.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What an error means for the one who asked. Where Kafka's own classes of exceptions and its
 * producer disagree, the producer is followed; codes that no producer meets have what Kafka's
 * exceptions say.
 *
 * A code may carry both ABORTABLE and FATAL. Then it is abortable as the answer to Produce, and
 * fatal as the answer to a request about the transaction itself (InitProducerId,
 * AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn). ABORTABLE says nothing to a
 * producer without transactions: its batch has failed, and it goes on.
 *
 * In a transaction, two things must be aborted although their codes need not say so: a RETRIABLE
 * error that did not pass in the time there was, and a Produce answered with a code that carries no
 * class at all.
 */
typedef enum kloop_broker_class {
    /*
     * Done as asked. DUPLICATE_SEQUENCE_NUMBER is one too: the records were stored by an earlier
     * attempt, but their offset is not known, and the answer's base offset means nothing.
     */
    KLOOP_CLASS_SUCCESS = 1 << 0,
    /*
     * The same request may succeed a little later. Whether this attempt has stored its records is
     * another matter: with acks=all it may have, even if the answer is NOT_LEADER_OR_FOLLOWER.
     */
    KLOOP_CLASS_RETRIABLE = 1 << 1,
    /* What the client knows of topics and leaders is old: ask for metadata before retrying. */
    KLOOP_CLASS_REFRESH_METADATA = 1 << 2,
    /*
     * The coordinator has moved: ask FindCoordinator before retrying. REQUEST_TIMED_OUT calls for
     * it too when it answers TxnOffsetCommit, and only there.
     */
    KLOOP_CLASS_REFRESH_COORDINATOR = 1 << 3,
    /* The transaction cannot be committed any more. Abort it; the producer stays usable. */
    KLOOP_CLASS_ABORTABLE = 1 << 4,
    /* An idempotent or transactional producer is of no more use. A plain one loses the batch. */
    KLOOP_CLASS_FATAL = 1 << 5,
    /*
     * Someone newer has taken the place of the one who asked: a producer, a group member, a
     * coordinator. Not FENCED_LEADER_EPOCH, where only the client's knowledge is old and a refresh
     * mends it.
     */
    KLOOP_CLASS_FENCED = 1 << 6,
    /* The connection's user is known but lacks a right. Nothing changes until it is granted. */
    KLOOP_CLASS_AUTHORIZATION = 1 << 7,
    /* The login failed and the connection is of no more use. The same login will fail again. */
    KLOOP_CLASS_AUTHENTICATION = 1 << 8,
    /* What is known of the brokers is worthless: close all, and begin with bootstrap.servers. */
    KLOOP_CLASS_REBOOTSTRAP = 1 << 9,
    /* A batch of several records may be split and its parts sent; a single record has failed. */
    KLOOP_CLASS_SPLIT = 1 << 10,
    /*
     * The broker's count of this producer's batches differs from the producer's. Whether to send
     * the batch again as it is, or renumbered under a new epoch, follows from what became of the
     * batches before it. A producer with transactions that finds a real gap has to abort.
     */
    KLOOP_CLASS_SEQUENCE = 1 << 11,
    /*
     * As the answer to Produce it proves that this attempt has stored nothing. All others, those
     * that nobody knows included, may have come after the records were appended: with acks=all a
     * leader appends first, and may lose its place, its disk or its patience while it waits.
     */
    KLOOP_CLASS_NOT_STORED = 1 << 12
} kloop_broker_class;

/*
 * XX(name, code, classes, text), by rising code and without a gap. Each text says what happened and
 * what can be done, in fewer than 240 characters.
 */
#define KLOOP_BROKER_ERROR_MAP(XX)                                                                 \
    XX(UNKNOWN_SERVER_ERROR, -1, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_FATAL,                        \
       "The broker met an error that has no other code; it may or may not have done what was "     \
       "asked. Look in the broker's log. Send the records again only if storing them twice "       \
       "would do no harm.")                                                                        \
    XX(NONE, 0, KLOOP_CLASS_SUCCESS, "No error: the broker did what it was asked to do.")          \
    XX(OFFSET_OUT_OF_RANGE, 1, 0,                                                                  \
       "The offset asked for is not in the partition's log: retention has removed it, or "         \
       "nothing has been written there yet. Go on from the earliest or the latest offset.")        \
    XX(CORRUPT_MESSAGE, 2, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_NOT_STORED,                         \
       "The batch reached the broker damaged: its checksum or layout is wrong. Send it again; "    \
       "if it goes on, suspect the encoder or the network. Older brokers also say this of a "      \
       "record without a key for a compacted topic.")                                              \
    XX(UNKNOWN_TOPIC_OR_PARTITION, 3, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA,        \
       "The broker that was asked does not know this topic or partition. Refresh the metadata "    \
       "and retry, as it may be new or moving; if it goes on, check the name, and whether the "    \
       "topic was deleted.")                                                                       \
    XX(INVALID_FETCH_SIZE, 4, 0,                                                                   \
       "The number of bytes that a fetch asks for makes no sense. Check the fetch sizes the "      \
       "consumer is set to.")                                                                      \
    XX(LEADER_NOT_AVAILABLE, 5,                                                                    \
       KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA | KLOOP_CLASS_NOT_STORED,              \
       "The partition has no leader just now: one is being elected, or all replicas that could "   \
       "lead are down. Refresh the metadata and retry; if it goes on, look for brokers that "      \
       "are down.")                                                                                \
    XX(NOT_LEADER_OR_FOLLOWER, 6, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA,            \
       "The broker that was asked does not lead this partition, or no longer does; with "          \
       "acks=all the records may be stored even so. Refresh the metadata and retry; if it goes "   \
       "on, a broker may be restarting or overloaded.")                                            \
    XX(REQUEST_TIMED_OUT, 7, KLOOP_CLASS_RETRIABLE,                                                \
       "The broker could not finish within the time the request allows; produced records may "     \
       "be stored already. Retry with the same sequence numbers; if it goes on, look for slow "    \
       "or missing followers.")                                                                    \
    XX(BROKER_NOT_AVAILABLE, 8, 0,                                                                 \
       "A broker that this request needs cannot be reached by the one that was asked. Find out "   \
       "why it is down; clients do not retry on this code by themselves.")                         \
    XX(REPLICA_NOT_AVAILABLE, 9,                                                                   \
       KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA | KLOOP_CLASS_NOT_STORED,              \
       "A replica of the partition is missing. In an answer to Metadata this is harmless while "   \
       "the partition has a leader; elsewhere refresh the metadata and retry.")                    \
    XX(MESSAGE_TOO_LARGE, 10, KLOOP_CLASS_SPLIT | KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_NOT_STORED,  \
       "The batch is larger than the topic allows (max.message.bytes). If it holds several "       \
       "records, split it and send the parts; a single record must become smaller, or the "        \
       "limit larger.")                                                                            \
    XX(STALE_CONTROLLER_EPOCH, 11, 0,                                                              \
       "A controller that has been replaced tried to give orders. This concerns the cluster's "    \
       "own nodes; a client need only wait for the new controller.")                               \
    XX(OFFSET_METADATA_TOO_LARGE, 12, KLOOP_CLASS_FATAL,                                           \
       "The text that goes with a committed offset is longer than the broker allows "              \
       "(offset.metadata.max.bytes). Commit with a shorter one.")                                  \
    XX(NETWORK_EXCEPTION, 13, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA,                \
       "The connection broke before the answer came, so nobody can tell whether the request "      \
       "was carried out. Connect again, refresh the metadata and retry with the same sequence "    \
       "numbers.")                                                                                 \
    XX(COORDINATOR_LOAD_IN_PROGRESS, 14, KLOOP_CLASS_RETRIABLE,                                    \
       "The coordinator is still loading its state after a start or a move, or has no producer "   \
       "ids to give yet. Wait a little, then send the same request to the same broker again.")     \
    XX(COORDINATOR_NOT_AVAILABLE, 15, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_COORDINATOR,     \
       "There is no coordinator to name just now. Pause and look it up again; if it goes on, "     \
       "check that the topics __transaction_state and __consumer_offsets exist and have "          \
       "leaders.")                                                                                 \
    XX(NOT_COORDINATOR, 16, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_COORDINATOR,               \
       "The broker that was asked is not, or no longer, the coordinator of this group or "         \
       "transactional id. Look the coordinator up again and send the request there.")              \
    XX(INVALID_TOPIC_EXCEPTION, 17, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_NOT_STORED,                \
       "The topic's name is not allowed, or it is an internal topic that clients must not "        \
       "write. Names have up to 249 letters, digits, dots, hyphens and underscores.")              \
    XX(RECORD_LIST_TOO_LARGE, 18, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_NOT_STORED,                  \
       "The batch is larger than a log segment of the topic can be (segment.bytes). Send "         \
       "smaller batches, or make the topic's segments larger.")                                    \
    XX(NOT_ENOUGH_REPLICAS, 19, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_NOT_STORED,                    \
       "This attempt stored nothing: fewer replicas are in sync than min.insync.replicas "         \
       "demands, or the transaction could not be checked. Retry; if it goes on, bring the "        \
       "missing brokers back.")                                                                    \
    XX(NOT_ENOUGH_REPLICAS_AFTER_APPEND, 20, KLOOP_CLASS_RETRIABLE,                                \
       "The leader has stored the records, but too few replicas are in sync by now to call "       \
       "them safe (min.insync.replicas). Retry with the same sequence numbers, or they are "       \
       "stored twice; look for lagging brokers.")                                                  \
    XX(INVALID_REQUIRED_ACKS, 21, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_NOT_STORED,                  \
       "The request's acks value is none of 0, 1 and -1 (all). Correct the producer's acks "       \
       "setting.")                                                                                 \
    XX(ILLEGAL_GENERATION, 22, KLOOP_CLASS_ABORTABLE,                                              \
       "The group has been rebalanced, and the generation in the request is not the present "      \
       "one. Join the group again; a transaction that was to commit these offsets must be "        \
       "aborted.")                                                                                 \
    XX(INCONSISTENT_GROUP_PROTOCOL, 23, 0,                                                         \
       "The member and the rest of its group have no assignment protocol in common. Give all "     \
       "members at least one that they share.")                                                    \
    XX(INVALID_GROUP_ID, 24, KLOOP_CLASS_FATAL,                                                    \
       "The group id is empty or not allowed. Set a proper group.id; a producer that sent it "     \
       "with a transaction's offsets must be made anew.")                                          \
    XX(UNKNOWN_MEMBER_ID, 25, KLOOP_CLASS_ABORTABLE,                                               \
       "The group coordinator knows no such member: it was removed, or never joined. Join the "    \
       "group again; a transaction that was to commit its offsets must be aborted.")               \
    XX(INVALID_SESSION_TIMEOUT, 26, 0,                                                             \
       "The session timeout lies outside what the broker allows (group.min.session.timeout.ms "    \
       "to group.max.session.timeout.ms). Choose one between them.")                               \
    XX(REBALANCE_IN_PROGRESS, 27, 0,                                                               \
       "The group is being rebalanced. The member has to join again before it can go on.")         \
    XX(INVALID_COMMIT_OFFSET_SIZE, 28, KLOOP_CLASS_FATAL,                                          \
       "The offsets of one commit are too large for a record of the topic __consumer_offsets. "    \
       "Commit fewer partitions at a time, or shorter texts with them.")                           \
    XX(TOPIC_AUTHORIZATION_FAILED, 29,                                                             \
       KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_AUTHORIZATION | KLOOP_CLASS_NOT_STORED,                 \
       "The user of this connection may not do this with the topic. Grant Write on it to "         \
       "produce, Read to consume; retrying does not help before, and an open transaction must "    \
       "be aborted.")                                                                              \
    XX(GROUP_AUTHORIZATION_FAILED, 30, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_AUTHORIZATION,          \
       "The user of this connection may not use this consumer group. Grant Read on the group; "    \
       "an open transaction must be aborted.")                                                     \
    XX(CLUSTER_AUTHORIZATION_FAILED, 31,                                                           \
       KLOOP_CLASS_FATAL | KLOOP_CLASS_AUTHORIZATION | KLOOP_CLASS_NOT_STORED,                     \
       "The user of this connection lacks a right on the cluster. For an idempotent producer "     \
       "grant IdempotentWrite on the cluster or Write on a topic, or set "                         \
       "enable.idempotence=false.")                                                                \
    XX(INVALID_TIMESTAMP, 32, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_NOT_STORED,                      \
       "A record's timestamp is too far from the broker's clock "                                  \
       "(message.timestamp.before.max.ms, message.timestamp.after.max.ms). Correct the "           \
       "timestamp or the clocks, or widen the topic's limits.")                                    \
    XX(UNSUPPORTED_SASL_MECHANISM, 33, KLOOP_CLASS_AUTHENTICATION,                                 \
       "The broker does not offer the SASL mechanism that was asked for. Set sasl.mechanism to "   \
       "one of those listed in the same answer.")                                                  \
    XX(ILLEGAL_SASL_STATE, 34, KLOOP_CLASS_AUTHENTICATION,                                         \
       "The request has no place at this point of the SASL exchange, or the listener has no "      \
       "SASL at all. Check that security.protocol fits the listener that the address belongs "     \
       "to.")                                                                                      \
    XX(UNSUPPORTED_VERSION, 35, KLOOP_CLASS_FATAL | KLOOP_CLASS_NOT_STORED,                        \
       "The broker does not know this version of the request, or a feature it needs. Ask "         \
       "ApiVersions for the range and use the highest version that both sides know; an old "       \
       "broker may need an upgrade.")                                                              \
    XX(TOPIC_ALREADY_EXISTS, 36, 0,                                                                \
       "A topic of this name exists already. Whoever only wants it to be there has what they "     \
       "want.")                                                                                    \
    XX(INVALID_PARTITIONS, 37, 0,                                                                  \
       "The number of partitions is not possible: it is below 1, or not above the present one "    \
       "where partitions are to be added.")                                                        \
    XX(INVALID_REPLICATION_FACTOR, 38, 0,                                                          \
       "The topic cannot have this many replicas: there must be at least one, and no more than "   \
       "there are brokers to take them. Choose a smaller number, or start more brokers.")          \
    XX(INVALID_REPLICA_ASSIGNMENT, 39, 0,                                                          \
       "The list of replicas is not possible, for example because it names an unknown broker "     \
       "or one broker twice. Correct the list.")                                                   \
    XX(INVALID_CONFIG, 40, 0,                                                                      \
       "A setting's name or value is not accepted. The message beside the code usually names "     \
       "it.")                                                                                      \
    XX(NOT_CONTROLLER, 41, KLOOP_CLASS_RETRIABLE,                                                  \
       "The broker that was asked is not the active controller. Refresh the metadata to find "     \
       "the controller and send the request there.")                                               \
    XX(INVALID_REQUEST, 42, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_FATAL | KLOOP_CLASS_NOT_STORED,    \
       "The broker cannot make sense of the request: it is malformed, or its fields contradict "   \
       "each other. This points to a fault in the client; sending it again does not help. The "    \
       "broker's log says more.")                                                                  \
    XX(UNSUPPORTED_FOR_MESSAGE_FORMAT, 43,                                                         \
       KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_FATAL | KLOOP_CLASS_NOT_STORED,                         \
       "The topic is kept in an old message format, which cannot hold what was asked, such as "    \
       "transactions. Raise the topic's message.format.version, or do without.")                   \
    XX(POLICY_VIOLATION, 44, KLOOP_CLASS_NOT_STORED,                                               \
       "A policy that the cluster's operators have set up forbids this. The message beside the "   \
       "code should tell what it demands.")                                                        \
    XX(OUT_OF_ORDER_SEQUENCE_NUMBER, 45,                                                           \
       KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_SEQUENCE | KLOOP_CLASS_ABORTABLE |                      \
           KLOOP_CLASS_NOT_STORED,                                                                 \
       "An earlier batch of this producer is missing in front of this one. Send the earlier "      \
       "batches first, then this one again; if none is left to send, go on under a new epoch, "    \
       "or abort the transaction.")                                                                \
    XX(DUPLICATE_SEQUENCE_NUMBER, 46, KLOOP_CLASS_SUCCESS,                                         \
       "The records are in the log from an earlier attempt, but the broker no longer remembers "   \
       "at which offset. Count them as stored; do not send them again.")                           \
    XX(INVALID_PRODUCER_EPOCH, 47,                                                                 \
       KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_FATAL | KLOOP_CLASS_FENCED | KLOOP_CLASS_NOT_STORED,    \
       "The broker knows a newer epoch of this producer id. With a transactional.id another "      \
       "producer may have taken over: abort, and close if that is refused too. Without one, go "   \
       "on under a new epoch.")                                                                    \
    XX(INVALID_TXN_STATE, 48, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_FATAL | KLOOP_CLASS_NOT_STORED,  \
       "The transaction is not in a state that allows this: it was never begun, has timed out "    \
       "or lacks this partition. Abort it; if a request about the transaction itself is "          \
       "answered so, close the producer.")                                                         \
    XX(INVALID_PRODUCER_ID_MAPPING, 49, KLOOP_CLASS_FATAL | KLOOP_CLASS_NOT_STORED,                \
       "The producer id does not belong to this transactional id any more, as after a long "       \
       "idle time (transactional.id.expiration.ms). Close the producer and open a new one, "       \
       "which gets a new id.")                                                                     \
    XX(INVALID_TRANSACTION_TIMEOUT, 50, KLOOP_CLASS_FATAL,                                         \
       "The transaction timeout is not above 0, or above the broker's limit "                      \
       "(transaction.max.timeout.ms). Lower transaction.timeout.ms, or raise the limit.")          \
    XX(CONCURRENT_TRANSACTIONS, 51, KLOOP_CLASS_RETRIABLE,                                         \
       "The coordinator is still busy with an earlier step of this transactional id, mostly "      \
       "the end of the last transaction. Wait a little, then send the same request again.")        \
    XX(TRANSACTION_COORDINATOR_FENCED, 52, KLOOP_CLASS_FENCED,                                     \
       "A transaction coordinator that has been replaced tried to end a transaction. This "        \
       "concerns brokers only: the new coordinator ends it.")                                      \
    XX(TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 53,                                                  \
       KLOOP_CLASS_FATAL | KLOOP_CLASS_AUTHORIZATION | KLOOP_CLASS_NOT_STORED,                     \
       "The user of this connection may not use this transactional id. Grant Write and "           \
       "Describe on the TransactionalId, then open the producer again.")                           \
    XX(SECURITY_DISABLED, 54, 0,                                                                   \
       "No authorizer is set up on this cluster, so it has no access rules to show or change.")    \
    XX(OPERATION_NOT_ATTEMPTED, 55, KLOOP_CLASS_ABORTABLE,                                         \
       "The broker left this part of the request undone because another part failed. Look at "     \
       "the other errors of the same answer; in a transaction, abort.")                            \
    XX(KAFKA_STORAGE_ERROR, 56, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA,              \
       "The broker has trouble with the disk that holds this partition; the records may or may "   \
       "not be stored. Refresh the metadata and retry, as another broker may lead soon, and "      \
       "have the disk looked at.")                                                                 \
    XX(LOG_DIR_NOT_FOUND, 57, 0,                                                                   \
       "The broker has no such log directory. Name one of those in its log.dirs.")                 \
    XX(SASL_AUTHENTICATION_FAILED, 58, KLOOP_CLASS_AUTHENTICATION,                                 \
       "The login failed: the broker does not accept this user name, password or token. "          \
       "Correct the credentials; the same ones will be refused again.")                            \
    XX(UNKNOWN_PRODUCER_ID, 59,                                                                    \
       KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_SEQUENCE | KLOOP_CLASS_ABORTABLE |                      \
           KLOOP_CLASS_NOT_STORED,                                                                 \
       "The broker remembers nothing of this producer for the partition, as when retention has "   \
       "removed all its records. Number the batches from 0 under a new epoch and send again, "     \
       "or abort the transaction.")                                                                \
    XX(REASSIGNMENT_IN_PROGRESS, 60, 0,                                                            \
       "The partition is being moved to other brokers already. Wait until that is done, or "       \
       "cancel it.")                                                                               \
    XX(DELEGATION_TOKEN_AUTH_DISABLED, 61, 0,                                                      \
       "Delegation tokens are not enabled on this cluster: its brokers have no "                   \
       "delegation.token.secret.key.")                                                             \
    XX(DELEGATION_TOKEN_NOT_FOUND, 62, 0,                                                          \
       "The cluster knows no such delegation token; it may have expired and been removed.")        \
    XX(DELEGATION_TOKEN_OWNER_MISMATCH, 63, 0,                                                     \
       "The user of this connection neither owns this delegation token nor may renew it.")         \
    XX(DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, 64, 0,                                                \
       "A delegation token can be asked for only on a connection that has proved its user, and "   \
       "not with another token. Log in with SASL or a client certificate.")                        \
    XX(DELEGATION_TOKEN_AUTHORIZATION_FAILED, 65, KLOOP_CLASS_AUTHORIZATION,                       \
       "The user of this connection has no right on this delegation token.")                       \
    XX(DELEGATION_TOKEN_EXPIRED, 66, 0, "The delegation token has expired. Ask for a new one.")    \
    XX(INVALID_PRINCIPAL_TYPE, 67, 0,                                                              \
       "The principal is of a type that is not supported here; delegation tokens want the type "   \
       "User.")                                                                                    \
    XX(NON_EMPTY_GROUP, 68, 0,                                                                     \
       "The group still has members. Stop them before deleting the group or its offsets.")         \
    XX(GROUP_ID_NOT_FOUND, 69, KLOOP_CLASS_ABORTABLE,                                              \
       "There is no group of this id. Check the group id; a transaction that was to commit "       \
       "offsets for it must be aborted.")                                                          \
    XX(FETCH_SESSION_ID_NOT_FOUND, 70, KLOOP_CLASS_RETRIABLE,                                      \
       "The broker has given up this fetch session. Begin a new one with a full fetch.")           \
    XX(INVALID_FETCH_SESSION_EPOCH, 71, KLOOP_CLASS_RETRIABLE,                                     \
       "The fetch session's epoch is not the one the broker expects next. Throw the session "      \
       "away and begin another with a full fetch.")                                                \
    XX(LISTENER_NOT_FOUND, 72,                                                                     \
       KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA | KLOOP_CLASS_NOT_STORED,              \
       "The partition's leader has no listener of the kind the metadata was asked through. "       \
       "Refresh the metadata and retry; if it goes on, give all brokers the same listeners.")      \
    XX(TOPIC_DELETION_DISABLED, 73, 0,                                                             \
       "Deleting topics is switched off on this cluster (delete.topic.enable).")                   \
    XX(FENCED_LEADER_EPOCH, 74,                                                                    \
       KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA | KLOOP_CLASS_NOT_STORED,              \
       "The request names an older leader epoch than the broker's: the partition has changed "     \
       "its leader since. Refresh the metadata and retry.")                                        \
    XX(UNKNOWN_LEADER_EPOCH, 75, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_NOT_STORED,                   \
       "The request names a newer leader epoch than the broker has heard of: the broker lags "     \
       "behind. Retry after a short pause.")                                                       \
    XX(UNSUPPORTED_COMPRESSION_TYPE, 76, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_NOT_STORED,           \
       "This compression cannot be used in this request: zstd, for one, needs Produce version "    \
       "7 or Fetch version 10. Use a newer version, or another compression.type.")                 \
    XX(STALE_BROKER_EPOCH, 77, 0,                                                                  \
       "The request comes from a broker's earlier life, before it registered again. This "         \
       "concerns the cluster's own nodes only.")                                                   \
    XX(OFFSET_NOT_AVAILABLE, 78, KLOOP_CLASS_RETRIABLE,                                            \
       "The partition's leader is new and cannot yet say where its log safely ends. Retry "        \
       "after a short pause.")                                                                     \
    XX(MEMBER_ID_REQUIRED, 79, 0,                                                                  \
       "The coordinator wants the member to join under the member id that it has just given. "     \
       "Join again with the id in the answer.")                                                    \
    XX(PREFERRED_LEADER_NOT_AVAILABLE, 80, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA,   \
       "The preferred replica cannot take over the partition, because it is down or not in "       \
       "sync. Bring it back, then ask for the election again.")                                    \
    XX(GROUP_MAX_SIZE_REACHED, 81, 0,                                                              \
       "The group has as many members as it may have (group.max.size). Stop one, or raise the "    \
       "limit.")                                                                                   \
    XX(FENCED_INSTANCE_ID, 82, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_FENCED,                         \
       "Another member has taken this one's place by joining under its group.instance.id. Give "   \
       "each member an id of its own; a transaction that was to commit its offsets must be "       \
       "aborted.")                                                                                 \
    XX(ELIGIBLE_LEADERS_NOT_AVAILABLE, 83, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA,   \
       "No replica of the partition is fit to lead it. Bring one of them back; an unclean "        \
       "election would help too, but may lose records.")                                           \
    XX(ELECTION_NOT_NEEDED, 84, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA,              \
       "The partition has the leader it should have, so there was nothing to elect.")              \
    XX(NO_REASSIGNMENT_IN_PROGRESS, 85, 0,                                                         \
       "The partition is not being moved to other brokers, so there is nothing to cancel.")        \
    XX(GROUP_SUBSCRIBED_TO_TOPIC, 86, 0,                                                           \
       "The group still reads this topic, so its offsets there cannot be deleted. End the "        \
       "subscription first.")                                                                      \
    XX(INVALID_RECORD, 87, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_NOT_STORED,                         \
       "This attempt stored nothing, because a record breaks a rule, such as having no key in "    \
       "a compacted topic. From Produce version 8 on the answer says which: mend those or "        \
       "leave them out.")                                                                          \
    XX(UNSTABLE_OFFSET_COMMIT, 88, KLOOP_CLASS_RETRIABLE,                                          \
       "Some offsets of the group hang on a transaction that is not finished. Retry after a "      \
       "short pause.")                                                                             \
    XX(THROTTLING_QUOTA_EXCEEDED, 89, KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_NOT_STORED,              \
       "The client asks for more of this operation than its quota allows. Wait for the "           \
       "throttle time in the answer, then retry.")                                                 \
    XX(PRODUCER_FENCED, 90, KLOOP_CLASS_FATAL | KLOOP_CLASS_FENCED | KLOOP_CLASS_NOT_STORED,       \
       "A newer producer has taken over this transactional.id. Close this one; if none was "       \
       "meant to take over, give each running producer an id of its own.")                         \
    XX(RESOURCE_NOT_FOUND, 91, 0,                                                                  \
       "Nothing has the name that the request gives, as when a user has no SCRAM credentials "     \
       "to delete.")                                                                               \
    XX(DUPLICATE_RESOURCE, 92, 0,                                                                  \
       "The request names the same resource more than once. Name each only once.")                 \
    XX(UNACCEPTABLE_CREDENTIAL, 93, 0,                                                             \
       "The credential to be stored is not good enough, for example because it has too few "       \
       "SCRAM iterations.")                                                                        \
    XX(INCONSISTENT_VOTER_SET, 94, 0,                                                              \
       "One side of a quorum request is not among the voters that the other side knows. Check "    \
       "that all controllers have the same list of voters.")                                       \
    XX(INVALID_UPDATE_VERSION, 95, 0,                                                              \
       "A feature cannot be set to this level: it is not supported, or would be a downgrade "      \
       "that was not allowed.")                                                                    \
    XX(FEATURE_UPDATE_FAILED, 96, 0,                                                               \
       "The cluster failed to store the new feature levels. Look in the controller's log.")        \
    XX(PRINCIPAL_DESERIALIZATION_FAILURE, 97, 0,                                                   \
       "A broker forwarded a request, and the controller could not read whose it is. Look at "     \
       "the principal builders that the cluster's nodes are set to.")                              \
    XX(SNAPSHOT_NOT_FOUND, 98, 0,                                                                  \
       "The snapshot that a node wants to copy does not exist any more. This concerns the "        \
       "cluster's own nodes: it will ask for a newer one.")                                        \
    XX(POSITION_OUT_OF_RANGE, 99, 0,                                                               \
       "The position asked for lies outside the snapshot. This concerns the cluster's own "        \
       "nodes only.")                                                                              \
    XX(UNKNOWN_TOPIC_ID, 100,                                                                      \
       KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA | KLOOP_CLASS_NOT_STORED,              \
       "The broker knows no topic of this id: it is new, or was deleted and perhaps made again "   \
       "under another id. Refresh the metadata and retry with the id that the name has now.")      \
    XX(DUPLICATE_BROKER_REGISTRATION, 101, 0,                                                      \
       "Another broker that is running has this broker's id already. Give each its own "           \
       "node.id.")                                                                                 \
    XX(BROKER_ID_NOT_REGISTERED, 102, 0,                                                           \
       "No broker of this id is registered with the controller.")                                  \
    XX(INCONSISTENT_TOPIC_ID, 103,                                                                 \
       KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA | KLOOP_CLASS_NOT_STORED,              \
       "The topic's log belongs to another topic id than the request names: the topic was "        \
       "deleted and made again. Refresh the metadata and retry with the new id.")                  \
    XX(INCONSISTENT_CLUSTER_ID, 104, 0,                                                            \
       "The request is meant for another cluster: the two cluster ids differ. Check the "          \
       "addresses.")                                                                               \
    XX(TRANSACTIONAL_ID_NOT_FOUND, 105, 0, "The coordinator knows no such transactional id.")      \
    XX(FETCH_SESSION_TOPIC_ID_ERROR, 106, KLOOP_CLASS_RETRIABLE,                                   \
       "The fetch session has begun with topic names and goes on with topic ids, or the other "    \
       "way round. Begin a new session with a full fetch.")                                        \
    XX(INELIGIBLE_REPLICA, 107, 0,                                                                 \
       "The new list of in-sync replicas holds one that may not be in it, being fenced or "        \
       "shutting down. This concerns the cluster's own nodes: the leader tries again.")            \
    XX(NEW_LEADER_ELECTED, 108, 0,                                                                 \
       "The partition's change was stored and gave it another leader. This concerns the "          \
       "cluster's own nodes: the broker that asked leads no more.")                                \
    XX(OFFSET_MOVED_TO_TIERED_STORAGE, 109, 0,                                                     \
       "The leader has moved the offset's records to tiered storage. This concerns followers, "    \
       "which then take their state from there.")                                                  \
    XX(FENCED_MEMBER_EPOCH, 110, KLOOP_CLASS_FENCED,                                               \
       "The coordinator has shut out this member's epoch. Give up all partitions and join the "    \
       "group again.")                                                                             \
    XX(UNRELEASED_INSTANCE_ID, 111, 0,                                                             \
       "Another member still holds this group.instance.id. It must leave, or its session run "     \
       "out, before this one can join.")                                                           \
    XX(UNSUPPORTED_ASSIGNOR, 112, 0,                                                               \
       "The group's coordinator has no assignor of this name or version. Ask for one that it "     \
       "offers.")                                                                                  \
    XX(STALE_MEMBER_EPOCH, 113, KLOOP_CLASS_ABORTABLE,                                             \
       "The member's epoch is behind the group's. Take the new one from the next heartbeat and "   \
       "retry; a transaction that was to commit these offsets must be aborted.")                   \
    XX(MISMATCHED_ENDPOINT_TYPE, 114, 0,                                                           \
       "The request came to a broker but is meant for a controller, or the other way round. "      \
       "Check the addresses the client starts from.")                                              \
    XX(UNSUPPORTED_ENDPOINT_TYPE, 115, 0, "The server does not serve this type of endpoint yet.")  \
    XX(UNKNOWN_CONTROLLER_ID, 116, 0, "No controller of this id is known.")                        \
    XX(UNKNOWN_SUBSCRIPTION_ID, 117, 0,                                                            \
       "The broker's telemetry subscription for this client has changed. Ask for it with "         \
       "GetTelemetrySubscriptions, then push again.")                                              \
    XX(TELEMETRY_TOO_LARGE, 118, 0,                                                                \
       "The metrics that were pushed take more bytes than the broker accepts. Push less: "         \
       "GetTelemetrySubscriptions tells the limit.")                                               \
    XX(INVALID_REGISTRATION, 119, 0,                                                               \
       "The controller refused to register a broker because something in its registration is "     \
       "wrong. The controller's log says what.")                                                   \
    XX(TRANSACTION_ABORTABLE, 120, KLOOP_CLASS_ABORTABLE | KLOOP_CLASS_NOT_STORED,                 \
       "The transaction cannot be completed, but the producer is sound. Abort, then begin a "      \
       "new transaction with the same transactional.id and send its records again.")               \
    XX(INVALID_RECORD_STATE, 121, 0,                                                               \
       "The record is not in a state in which it can be acknowledged so, for example because "     \
       "its lock has run out. It may be delivered again.")                                         \
    XX(SHARE_SESSION_NOT_FOUND, 122, KLOOP_CLASS_RETRIABLE,                                        \
       "The broker knows no such share session. Begin a new one.")                                 \
    XX(INVALID_SHARE_SESSION_EPOCH, 123, KLOOP_CLASS_RETRIABLE,                                    \
       "The share session's epoch is not the one the broker expects next. Throw the session "      \
       "away and begin another.")                                                                  \
    XX(FENCED_STATE_EPOCH, 124, KLOOP_CLASS_FENCED,                                                \
       "The stored state of the share group's partition is newer than the request's. This "        \
       "concerns brokers only: the one that asked must read the state anew.")                      \
    XX(INVALID_VOTER_KEY, 125, 0,                                                                  \
       "The controller that was asked is not the voter that the request means: its id or its "     \
       "directory id differs.")                                                                    \
    XX(DUPLICATE_VOTER, 126, 0, "The controller is among the quorum's voters already.")            \
    XX(VOTER_NOT_FOUND, 127, 0, "The controller is not among the quorum's voters.")                \
    XX(INVALID_REGULAR_EXPRESSION, 128, 0,                                                         \
       "The regular expression that a consumer subscribes with cannot be read. The broker "        \
       "wants the syntax of RE2/J.")                                                               \
    XX(REBOOTSTRAP_REQUIRED, 129, KLOOP_CLASS_REBOOTSTRAP,                                         \
       "The broker finds the client's view of the cluster too old to mend. Forget all brokers, "   \
       "close their connections and start again from bootstrap.servers.")                          \
    XX(STREAMS_INVALID_TOPOLOGY, 130, 0,                                                           \
       "The topology that a member of a Kafka Streams group has sent is not valid.")               \
    XX(STREAMS_INVALID_TOPOLOGY_EPOCH, 131, 0,                                                     \
       "The topology epoch that a member of a Kafka Streams group has sent is not possible.")      \
    XX(STREAMS_TOPOLOGY_FENCED, 132, KLOOP_CLASS_FENCED,                                           \
       "The member runs an older topology than its Kafka Streams group. Give it the "              \
       "application's present version.")                                                           \
    XX(SHARE_SESSION_LIMIT_REACHED, 133, KLOOP_CLASS_RETRIABLE,                                    \
       "The broker holds as many share sessions as it may. Retry later, or raise the broker's "    \
       "limit.")

/* KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER and so on: the codes as they stand in messages. */
typedef enum kloop_broker_error_code {
#define KLOOP_BROKER_ERROR_CODE(name, code, classes, text) KLOOP_BROKER_##name = (code),
    KLOOP_BROKER_ERROR_MAP(KLOOP_BROKER_ERROR_CODE)
#undef KLOOP_BROKER_ERROR_CODE
} kloop_broker_error_code;

typedef struct kloop_broker_error {
    int16_t code;
    uint32_t classes; /* KLOOP_CLASS_... */
    const char *name; /* Kafka's: "NOT_LEADER_OR_FOLLOWER" */
    /* As in the table; for a code that no request of a producer is answered with, that it is such a
     * one: only who expands the table carries all texts along. */
    const char *text;
} kloop_broker_error;

/* NULL for a code that is not in the table. Takes the same short time for every code. */
KLOOP_API const kloop_broker_error *kloop_broker_error_find(int16_t code);

/* The same by Kafka's name, letter by letter; len counts no terminator. Goes through the list. */
KLOOP_API const kloop_broker_error *kloop_broker_error_find_name(const char *name, size_t len);

/*
 * These three never fail. To a code that is not in the table they answer "UNKNOWN_ERROR_CODE", a
 * text that says so, and the classes of UNKNOWN_SERVER_ERROR, which Kafka's clients take it for.
 */
KLOOP_API const char *kloop_broker_error_name(int16_t code);
KLOOP_API const char *kloop_broker_error_explain(int16_t code);
KLOOP_API uint32_t kloop_broker_error_classes(int16_t code);

/* The whole table, by rising code. NULL from an index of kloop_broker_error_count() on. */
KLOOP_API size_t kloop_broker_error_count(void);
KLOOP_API const kloop_broker_error *kloop_broker_error_at(size_t index);

#ifdef __cplusplus
}
#endif

#endif
