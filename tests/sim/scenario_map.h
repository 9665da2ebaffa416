/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of scenarios: name, and the story in a line. */
#ifndef KL_SIM_SCENARIO_MAP_H
#define KL_SIM_SCENARIO_MAP_H

/* clang-format off */
#define SIM_SCENARIO_MAP(XX)                                                                       \
    /* scenario_delivery.c */                                                                      \
    XX(all_is_well, "a thousand records over four partitions")                                     \
    XX(linger_waits, "a lone record leaves after linger.ms")                                       \
    XX(size_beats_linger, "a full batch does not wait")                                            \
    XX(acks_one, "acks=1: only the leader is waited for")                                          \
    XX(acks_zero, "acks=0: handed over is all there is to know")                                   \
    XX(full_and_writable, "buffer.memory runs out, and there is room again")                       \
    XX(flush_covers, "a flush does not wait for linger.ms, and comes behind its reports")          \
    XX(codecs, "each codec, batch after batch")                                                    \
    XX(max_in_flight, "a slow broker: five requests under way, never six")                         \
    XX(idle_connection, "an idle connection is closed, the next record opens another one")         \
    XX(slow_completion, "bytes stay as they are until a late on_wrote, also after a retry")        \
    /* scenario_brokers.c */                                                                       \
    XX(leader_dies_mid_write, "the leader dies with a request half written")                       \
    XX(answer_lost, "the answer is lost: the retry is a duplicate, and acked")                     \
    XX(half_an_answer, "half an answer, then silence")                                             \
    XX(leader_moves, "NOT_LEADER_OR_FOLLOWER: on to the new leader, in order")                     \
    XX(no_leader, "a partition without a leader holds up nobody else")                             \
    XX(stalled_broker, "a broker that says nothing delays only its own partitions")                \
    XX(isr_too_small, "NOT_ENOUGH_REPLICAS until a follower is back")                              \
    XX(rolling_restart, "each broker restarts in turn under load")                                 \
    XX(all_down, "all brokers down for seconds, then back")                                        \
    XX(throttled, "a throttle time holds back what comes next")                                    \
    XX(old_versions, "brokers of 2018")                                                            \
    XX(version_refused, "a broker that does not know ApiVersions v4")                              \
    XX(reset_in_handshake, "connections break before the versions are known")                      \
    /* scenario_topics.c */                                                                        \
    XX(topic_late, "records wait for a topic that appears later")                                  \
    XX(topic_never, "max.block.ms ends the wait for a topic that never appears")                   \
    XX(topic_grows, "more partitions: records go there too")                                       \
    XX(old_metadata, "a broker whose view is old sends the producer in circles")                   \
    XX(names_fail, "no name resolves at first")                                                    \
    XX(http_peer, "the bootstrap address is a web server")                                         \
    XX(echo_peer, "the bootstrap address sends everything back")                                   \
    XX(length_then_silence, "four bytes that promise 31 MB, then nothing")                         \
    XX(noise_peer, "one broker's address answers noise, the others deliver")                       \
    XX(wrong_correlation, "an answer to another question closes the connection")                   \
    XX(answer_twice, "the same answer twice closes the connection")                                \
    /* scenario_sequences.c */                                                                     \
    XX(expired_in_flight, "unknown, a ghost, then a new epoch")                                    \
    XX(expired_then_stored, "the late answer of an expired batch changes nothing")                 \
    XX(second_of_five_fails, "a refused batch: those behind it are renumbered")                    \
    XX(out_of_order_resent, "five in flight, the first is refused for a moment")                   \
    XX(stored_then_error, "NOT_ENOUGH_REPLICAS_AFTER_APPEND is no failure")                        \
    XX(unknown_then_refused, "refused after an attempt of unknown fate: unknown, not failed")      \
    XX(first_refused_second_lost, "a broker that knows nothing of us takes any first sequence")    \
    XX(two_partitions_one_hole, "a hole in one partition leaves the other one alone")              \
    XX(init_late, "no producer id for seconds")                                                    \
    XX(init_refused, "CLUSTER_AUTHORIZATION_FAILED ends an idempotent producer")                   \
    XX(many_epochs, "a bump after the other")                                                      \
    /* scenario_close.c */                                                                         \
    XX(close_unused, "close at once")                                                              \
    XX(close_resolving, "close while a name is being resolved, for ever")                          \
    XX(close_connecting, "close while nobody answers the connect")                                 \
    XX(close_in_handshake, "close while the versions are asked for")                               \
    XX(close_parked, "close with records of an unknown topic")                                     \
    XX(close_lingering, "close delivers what lingers")                                             \
    XX(close_in_flight, "close with requests that nobody answers: unknown, in time")               \
    XX(close_queued, "close with records that never left: failed, in time")                        \
    XX(close_twice, "the second close makes it shorter")                                           \
    XX(close_full, "close with a full buffer and a WRITABLE owed")                                 \
    XX(close_writing, "close while a write is outstanding")
/* clang-format on */

#endif
