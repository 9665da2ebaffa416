/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of scenarios: name, the story in a line, and the faults of scenario_faults.c that it
 * stands for. */
#ifndef KL_SIM_SCENARIO_MAP_H
#define KL_SIM_SCENARIO_MAP_H

/* clang-format off */
#define SIM_SCENARIO_MAP(XX)                                                                       \
    /* scenario_delivery.c */                                                                      \
    XX(all_is_well, "a thousand records over four partitions", "")                                 \
    XX(linger_waits, "a lone record leaves after linger.ms", "")                                   \
    XX(size_beats_linger, "a full batch does not wait", "")                                        \
    XX(acks_one, "acks=1: only the leader is waited for", "")                                      \
    XX(acks_zero, "acks=0: handed over is all there is to know", "F78")                            \
    XX(full_and_writable, "buffer.memory runs out, and there is room again", "F167")               \
    XX(flush_covers, "a flush does not wait for linger.ms, and comes behind its reports", "")      \
    XX(codecs, "each codec, batch after batch", "")                                                \
    XX(max_in_flight, "a slow broker: five requests under way, never six", "F44")                  \
    XX(idle_connection, "an idle connection is closed, the next record opens another one", "F21")  \
    XX(slow_completion, "bytes stay as they are until a late on_wrote, also after a retry", "F13") \
    /* scenario_brokers.c */                                                                       \
    XX(leader_dies_mid_write, "the leader dies with a request half written", "F31")                \
    XX(answer_lost, "the answer is lost: the retry is a duplicate, and acked", "F4 F71")           \
    XX(half_an_answer, "half an answer, then silence", "F5")                                       \
    XX(leader_moves, "NOT_LEADER_OR_FOLLOWER: on to the new leader, in order", "F45")              \
    XX(no_leader, "a partition without a leader holds up nobody else", "F47")                      \
    XX(stalled_broker, "a broker that says nothing delays only its own partitions", "F7 F12")      \
    XX(isr_too_small, "NOT_ENOUGH_REPLICAS until a follower is back", "F39")                       \
    XX(rolling_restart, "each broker restarts in turn under load", "F33")                          \
    XX(all_down, "all brokers down for seconds, then back", "F35")                                 \
    XX(throttled, "a throttle time holds back what comes next", "F79")                             \
    XX(old_versions, "brokers of 2018", "F40")                                                     \
    XX(version_refused, "a broker that does not know ApiVersions v4", "F40")                       \
    XX(reset_in_handshake, "connections break before the versions are known", "F3")                \
    /* scenario_topics.c */                                                                        \
    XX(topic_late, "records wait for a topic that appears later", "F68")                           \
    XX(topic_never, "max.block.ms ends the wait for a topic that never appears", "")               \
    XX(topic_grows, "more partitions: records go there too", "F48")                                \
    XX(old_metadata, "a broker whose view is old sends the producer in circles", "F62")            \
    XX(names_fail, "no name resolves at first", "F25")                                             \
    XX(http_peer, "the bootstrap address is a web server", "F30")                                  \
    XX(echo_peer, "the bootstrap address sends everything back", "F22")                            \
    XX(length_then_silence, "four bytes that promise 31 MB, then nothing", "F163")                 \
    XX(noise_peer, "one broker's address answers noise, the others deliver", "F30")                \
    XX(wrong_correlation, "an answer to another question closes the connection", "F16")            \
    XX(answer_twice, "the same answer twice closes the connection", "F73")                         \
    XX(topic_deleted, "a topic is deleted: its records wait for it until they are due", "F51")     \
    XX(topic_recreated, "a topic made anew, three times, under load", "F52")                       \
    XX(topic_recreated_beside_a_nameless,                                                          \
       "a topic made anew: what goes by its id, and a topic without one", "F52 F92")               \
    XX(topic_recreated_smaller, "a topic made anew with fewer partitions", "F52 F49")              \
    XX(auto_create_refused, "allow.auto.create.topics=false: asking makes no topic", "F68")        \
    XX(stranger_among_brokers, "one broker answers for another cluster", "F56")                    \
    /* scenario_sequences.c */                                                                     \
    XX(expired_in_flight, "unknown, a ghost, then a new epoch", "F94")                             \
    XX(expired_then_stored, "the late answer of an expired batch changes nothing", "F19 F72")      \
    XX(second_of_five_fails, "a refused batch: those behind it are renumbered", "F93")             \
    XX(out_of_order_resent, "five in flight, the first is refused for a moment", "F92 F93")        \
    XX(stored_then_error, "NOT_ENOUGH_REPLICAS_AFTER_APPEND is no failure", "F39")                 \
    XX(unknown_then_refused,                                                                       \
       "refused after an attempt of unknown fate: unknown, not failed", "F4")                      \
    XX(first_refused_second_lost,                                                                  \
       "a broker that knows nothing of us takes any first sequence", "F41")                        \
    XX(two_partitions_one_hole, "a hole in one partition leaves the other one alone", "F100")      \
    XX(init_late, "no producer id for seconds", "F102")                                            \
    XX(init_refused, "CLUSTER_AUTHORIZATION_FAILED ends an idempotent producer", "F102")           \
    XX(many_epochs, "a bump after the other", "")                                                  \
    /* scenario_cluster.c */                                                                       \
    XX(cluster_dies_and_moves, "all brokers die, and come back elsewhere", "F36")                  \
    XX(cluster_vanishes_and_is_found,                                                              \
       "all brokers vanish without a word, and are elsewhere", "F36 F7")                           \
    XX(asked_to_begin_anew, "REBOOTSTRAP_REQUIRED, under load", "F36")                             \
    XX(idle_connection_cut_in_silence,                                                             \
       "what is written into the hole is sent again in time", "F21 F7")                            \
    XX(warmed_up, "connections to all leaders before the first record", "")                        \
    XX(warmed_up_but_for_one, "a warm-up ends in time, and says who is not ready", "")             \
    XX(other_vendor, "api.version.max: topics by name, old versions", "F40")                       \
    XX(topics_come_and_go,                                                                         \
       "a topic that is not used is forgotten, its numbers begin anew", "F100")                    \
    /* scenario_rebootstrap.c */                                                                    \
    XX(sent_away_for_good, "those who are known say REBOOTSTRAP_REQUIRED for ever", "F36")          \
    XX(answers_that_bring_nothing, "those who are known tell of no broker any more", "F36")         \
    XX(silence_is_no_news, "those who are known take connections, and say nothing", "F36")          \
    /* scenario_close.c */                                                                         \
    XX(close_unused, "close at once", "")                                                          \
    XX(close_resolving, "close while a name is being resolved, for ever", "F26 F177")              \
    XX(close_connecting, "close while nobody answers the connect", "F177")                         \
    XX(close_in_handshake, "close while the versions are asked for", "F177")                       \
    XX(close_parked, "close with records of an unknown topic", "")                                 \
    XX(close_lingering, "close delivers what lingers", "")                                         \
    XX(close_in_flight, "close with requests that nobody answers: unknown, in time", "")           \
    XX(close_queued, "close with records that never left: failed, in time", "")                    \
    XX(close_twice, "the second close makes it shorter", "")                                       \
    XX(close_full, "close with a full buffer and a WRITABLE owed", "")                             \
    XX(close_writing, "close while a write is outstanding", "F13")                                 \
    XX(flush_in_flight, "a flush waits for answers, not for what is sent behind it", "")           \
    XX(flush_retrying, "flushes while a batch is refused again and again", "")                     \
    XX(flush_then_close, "flushes that are open when the producer is closed", "")                  \
    XX(linger_behind_flush, "linger.ms counts again behind a flush", "")                           \
    /* scenario_transport.c */                                                                     \
    XX(connection_refused, "refused, further and further apart, until somebody listens", "F1")     \
    XX(syn_black_hole, "nobody answers the connect: the setup time ends it", "F2")                 \
    XX(accept_then_close, "accepted and closed for ever: the pauses grow all the same", "F3")      \
    XX(dead_first_address,                                                                         \
       "the first of two addresses is dead: the other one, in the same attempt", "F27")            \
    XX(address_changes, "a name has another address after each reset", "F28")                      \
    XX(resolver_hangs, "one name is never resolved, the other brokers deliver", "F26")             \
    XX(no_sockets, "no new connection can be made, the old one goes on", "F170")                   \
    XX(reset_before_work,                                                                          \
       "lost before the broker looked at it: sent again under the same numbers", "F4")             \
    XX(answer_cut_anywhere, "an answer is cut after each of its bytes", "F5")                      \
    XX(end_with_five_in_flight,                                                                    \
       "end of stream behind two of five answers: the rest goes again, in order", "F6")            \
    XX(half_open, "a connection that swallows everything ends with request.timeout.ms", "F7")      \
    XX(heard_not_hearing,                                                                          \
       "stored, but the answers are swallowed: the retry is no second copy", "F23")                \
    XX(idle_flow_dropped,                                                                          \
       "an idle connection was dropped on the way: found out at the first request", "F21")         \
    XX(never_left, "a request that nobody was shown is no attempt, also with retries=0", "F11")    \
    XX(closed_window,                                                                              \
       "the peer reads nothing: no progress ends the connection, memory stays bounded", "F12")     \
    XX(expires_while_writing,                                                                      \
       "expired while its write is outstanding: told in time, bytes stay", "F13")                  \
    XX(bytes_after_close, "twenty answers behind one that closed the connection", "F15")           \
    XX(original_after_retry, "the original arrives behind its acked retry: stored once", "F17")    \
    XX(slow_link, "10 kB/s and batches of 1 MB: no storm of retries", "F18")                       \
    XX(gray_broker,                                                                                \
       "acks just within request.timeout.ms: nothing is sent twice, nobody else waits", "F42")     \
    XX(frozen_then_goes_on, "a frozen leader goes on after another one has taken over", "F32")     \
    XX(swizzled_links, "links stop one after the other, and return in another order", "F24")       \
    XX(one_byte_reads, "answers come byte by byte", "F8")                                          \
    XX(one_byte_writes, "requests leave byte by byte", "F10")                                      \
    XX(partial_writes, "every write is a partial one, and late to be over", "F10")                 \
    XX(many_answers_in_one_read, "dozens of answers after the loop was held", "F9")                \
    /* scenario_metadata.c */                                                                      \
    XX(partition_missing, "answers lack a partition for seconds: queue and numbers stay", "F46")   \
    XX(partition_vanishes,                                                                         \
       "a partition is gone for good: its records fail at their deadline", "F49")                  \
    XX(topic_unknown_for_a_while,                                                                  \
       "all say UNKNOWN_TOPIC for seconds: no number starts anew", "F50")                          \
    XX(no_brokers_named, "answers without brokers: the last view is kept", "F55")                  \
    XX(no_topics_named, "answers without topics: the last view is kept", "F55")                    \
    XX(leader_not_listed, "a leader that is not among the brokers is none", "F59")                 \
    XX(topic_without_id, "topics without an id: an older version of Produce is spoken", "F65")     \
    XX(leader_epoch_equal, "another leader with the same epoch is believed", "F54")                \
    XX(leader_epoch_absent, "without epochs the last word counts", "F54")                          \
    XX(leader_epoch_back, "an older epoch is not believed, however often it is told", "F53")       \
    XX(two_at_one_address, "two brokers at one address: two connections", "F57")                   \
    XX(absurd_partition_list, "partitions twice, below 0, and 2^31-1", "F60")                      \
    XX(one_topic_refused, "one of two topics is not allowed: only it fails", "F64 F89")            \
    XX(topic_name_refused, "INVALID_TOPIC: its records fail at once", "F184")                      \
    XX(topic_made_by_asking, "a topic that the question itself makes", "F68")                      \
    XX(metadata_never_answered,                                                                    \
       "Metadata is asked of another broker when one does not answer", "F63")                      \
    XX(leader_flips, "each answer names another leader: no storm", "F62")                          \
    XX(very_many_partitions, "ten thousand partitions, two in use", "F61")                         \
    /* scenario_partitions.c */                                                                    \
    XX(slow_broker_gets_less, "records without a key go where less waits", "")                     \
    XX(slow_broker_gets_the_same, "unless they are to go everywhere alike", "")                    \
    XX(silent_broker_is_avoided,                                                                   \
       "a broker that takes nothing gets nothing, until it takes something", "F7")                 \
    XX(keys_never_move, "records with a key go where it says, whatever happens", "F45")            \
    XX(round_robin_reaches_all, "three records for each of a thousand partitions", "")             \
    /* scenario_leaders.c */                                                                       \
    XX(unclean_election,                                                                           \
       "acked records are lost, offsets begin again: the producer goes on", "F37")                 \
    XX(every_partition_leaderless, "no leader anywhere: records wait", "F47")                      \
    XX(hundred_leaders_move, "a hundred leaders move at once, three times, under load", "F41")     \
    XX(answers_of_two_leaders,                                                                     \
       "the old leader answers late, the new one early: order stays", "F107")                      \
    XX(no_controller, "a cluster without controller takes records", "F34")                         \
    XX(broker_removed, "a broker that was taken away is not looked for", "F43")                    \
    XX(broker_moves_house, "a broker at another host: the old connection is closed", "F58")        \
    XX(whole_cluster_moves,                                                                        \
       "all brokers at other addresses: back to bootstrap.servers", "F36 F28")                     \
    XX(release_changes, "each reconnect meets another release", "F40")                             \
    XX(followers_stall, "acks=all waits for followers: five requests, no reconnect", "F44")        \
    XX(disk_full, "KAFKA_STORAGE_ERROR: asked again, perhaps somebody else leads", "F38")          \
    XX(ten_minutes_not_leader, "ten minutes of NOT_LEADER_OR_FOLLOWER: paced", "F88 F45")          \
    /* scenario_answers.c */                                                                       \
    XX(every_error_code, "every code from -1 to 133, once each", "F69")                            \
    XX(undefined_code, "a code that nobody knows: once more, then unknown", "F69")                 \
    XX(mixed_codes, "six partitions, five codes, one answer", "F70")                               \
    XX(duplicate_without_offset, "DUPLICATE_SEQUENCE_NUMBER is an ack without an offset", "F71")   \
    XX(corrupt_on_the_way, "CORRUPT_MESSAGE for a moment: the same bytes again", "F20 F86")        \
    XX(corrupt_for_ever, "CORRUPT_MESSAGE for ever: failed, and not in a hurry", "F86")            \
    XX(broker_timed_out, "REQUEST_TIMED_OUT before or after the append: one copy", "F85")          \
    XX(timed_out_then_refused, "refused behind a maybe: unknown", "F85")                           \
    XX(write_not_allowed, "TOPIC_AUTHORIZATION_FAILED: failed at once, memory free", "F89")        \
    XX(codec_not_known, "zstd and brokers that do not know it: never sent", "F87")                 \
    XX(codec_refused, "UNSUPPORTED_COMPRESSION_TYPE fails", "F87")                                 \
    XX(log_append_time, "a topic that keeps its own time", "F84")                                  \
    XX(odd_offsets, "offsets and times that no log has are passed on", "F83")                      \
    XX(partition_left_out, "an answer without some partitions: asked again, stored once", "F76")   \
    XX(entries_nobody_asked_for, "entries twice, and of partitions nobody asked about", "F74 F77") \
    XX(answers_overtake, "an answer before its turn closes the connection", "F75")                 \
    XX(odd_throttle_times, "throttle times of 2^31-1, -1, -2^31", "F79")                           \
    XX(throttled_past_the_deadline, "a throttle time does not stop the user's clock", "F79")       \
    XX(acks_zero_loses, "acks=0 and connections that break: each record is reported", "F78")       \
    XX(acks_zero_answered, "acks=0 and a broker that answers", "F78")                              \
    /* scenario_numbers.c */                                                                       \
    XX(sequence_wraps, "sequences run over 2^31-1, within a batch and between", "F97")             \
    XX(first_of_five_lost, "the first of five never arrives: all again, in order", "F93")          \
    XX(out_of_order_at_the_head,                                                                   \
       "OUT_OF_ORDER_SEQUENCE_NUMBER at the head: a new epoch, no end", "F92")                     \
    XX(retry_behind_many, "a duplicate on a new leader, with many behind it", "F96")               \
    XX(retry_is_the_same,                                                                          \
       "what goes out again is the same, byte for byte, also compressed", "F105")                  \
    XX(one_in_flight_unnumbered,                                                                   \
       "order without numbers: one in flight, and nobody overtakes a retry", "F108")               \
    XX(epochs_run_out, "behind epoch 32767 comes another producer id", "F98")                      \
    XX(no_id_behind_the_last_epoch, "no epoch left, and no new id for seconds", "F98 F102")        \
    XX(bumps_under_load, "epochs change while requests of twelve partitions are made", "F99 F90")  \
    XX(idle_at_the_bump, "a partition that was idle begins at 0 under the new epoch too", "F100")  \
    XX(one_sequence_two_epochs,                                                                    \
       "sequence 0 of two epochs: the late one is not taken for the new one", "F101")              \
    XX(producer_forgotten, "brokers forget the producer again and again", "F91")                   \
    XX(unknown_producer, "UNKNOWN_PRODUCER_ID behind retention: a new epoch", "F91")               \
    XX(unknown_producer_for_ever,                                                                  \
       "UNKNOWN_PRODUCER_ID whatever is tried: paced, then failed", "F91")                         \
    XX(old_epoch_refused, "INVALID_PRODUCER_EPOCH without a rival: a new epoch", "F101")           \
    XX(fenced, "PRODUCER_FENCED ends the producer", "")                                            \
    XX(init_refused_each_way, "InitProducerId refused in seven ways, then not", "F102")            \
    XX(init_below_zero, "ids and epochs below 0 are not taken", "F103")                            \
    XX(init_not_there, "brokers without InitProducerId: told at once", "F104")                     \
    XX(init_never_answered, "InitProducerId is never answered: deadlines hold", "F102")            \
    /* scenario_deadlines.c */                                                                     \
    XX(deadline_for_metadata, "time is over while waiting for metadata", "")                       \
    XX(deadline_connecting, "time is over while nobody answers the connect", "F2")                 \
    XX(deadline_lingering, "time is over behind a long linger.ms", "")                             \
    XX(deadline_parked_together, "two parked batches do not become one of both ages", "")         \
    XX(deadline_queued, "time is over in the queue", "F47")                                        \
    XX(deadline_in_flight, "time is over in flight", "F94")                                        \
    XX(deadline_retrying, "time is over between retries", "F39")                                   \
    XX(deadline_in_backoff, "time is over within a long retry.backoff.ms", "")                     \
    XX(deadline_compressing, "time is over before the codec had its turn", "")                     \
    XX(older_neighbours, "nobody dies before his time because of an older neighbour", "")          \
    XX(longest_times, "times near the end of their types", "F191 F171")                            \
    XX(shortest_times, "times of 0", "F191")                                                       \
    XX(deadlines_very_near, "deadlines a millisecond away", "F192")                                \
    XX(all_at_one_instant, "four thousand deadlines at one instant", "F193 F168")                  \
    XX(wall_clock_jumps, "the wall clock jumps by days", "F187")                                   \
    XX(loop_held_with_answers_waiting,                                                             \
       "the loop is held for a minute: read first, then expire", "F188")                           \
    XX(machine_slept, "the machine has slept, and connections are dead", "F189")                   \
    XX(loop_held_again_and_again, "callbacks hold the loop for two seconds each time", "F186")     \
    XX(idle, "nothing to do: nobody wakes up", "F194")                                             \
    XX(idle_and_cut_off, "nothing to do and no network", "F194")                                   \
    /* scenario_hostile.c */                                                                       \
    XX(odd_frame_sizes, "frames of 0, 1, 3, -1, 2^31-1 bytes, HTTP and TLS", "F162")               \
    XX(large_frames_everywhere, "large frames on all connections at once: one budget", "F164")     \
    XX(unasked_bytes, "answers before their requests", "F14")                                      \
    XX(counts_that_lie, "counts far beyond what follows, and null", "F158")                        \
    XX(varints_that_lie, "varints without end, cut, of 33 bits", "F159")                           \
    XX(tags_that_lie, "tags without number, size or order", "F160")                                \
    XX(init_answer_cut, "an answer cut at each of its bytes", "F5 F20")                            \
    XX(unknown_tags, "tags that nobody knows are skipped", "F66")                                  \
    XX(odd_brokers_listed, "hosts and ports that are none, among a true one", "F29 F161")          \
    XX(long_error_message, "an error message of 32,000 bytes with zeros in it", "F161")            \
    /* scenario_settings.c */                                                                      \
    XX(topic_with_its_own_linger, "a topic's own linger.ms, batch.size and codec", "")             \
    XX(settings_change_under_load, "keys of a topic are set while it is sent to", "")              \
    XX(topic_at_its_limit, "a topic has used up its share, and another goes on", "")               \
    XX(old_broker_among_new, "each leader gets the first codec of the list that it takes", "F40")  \
    XX(older_leader_after_a_lost_answer, "zstd, perhaps stored, and now a leader without it", "F4")\
    XX(codec_refused_and_another_left, "UNSUPPORTED_COMPRESSION_TYPE: the next one of the list", "")\
    /* scenario_lent.c */                                                                          \
    XX(lent_until_written, "values stay lent while a slow write shows them", "F183")               \
    XX(lent_beyond_the_report, "their time is over, and a write still shows them", "F183")         \
    XX(lent_through_retries, "borrowed values are kept for the next attempt", "F183")              \
    XX(lent_to_a_codec, "a codec has read them: they are back before the ack", "F183")             \
    XX(lent_and_split, "the pieces of a batch are copies", "F183")                                 \
    XX(lent_and_parked, "they wait for their topic where they lie", "F183")                        \
    XX(lent_at_the_end, "a close gives all of them back", "F183")                                  \
    XX(chunk_over_a_dying_leader, "one word for 600 records, whatever happened", "F47")            \
    XX(chunks_share_batches, "many chunks in each batch, some of them dropped", "F174")            \
    XX(chunk_is_purged, "given up in the middle", "F174")                                          \
    XX(chunk_is_never_ended, "it ends with its producer", "F173")                                  \
    XX(encoded_between_records, "batches of others with our numbers", "F166")                      \
    XX(encoded_and_parked, "batches of others wait for their topic", "F166")                       \
    XX(encoded_and_refused, "a batch of others fails as a whole", "F92")                           \
    /* scenario_limits.c */                                                                        \
    XX(batch_size_zero, "batch.size=0: each record alone", "F171")                                 \
    XX(batch_size_one, "batch.size=1: each record alone", "F171")                                  \
    XX(absent_things, "null and empty keys, values and headers", "F171")                           \
    XX(too_many_headers, "a hundred thousand headers are refused", "F171")                         \
    XX(everything_fails, "twenty thousand failures: memory stays bounded", "F168")                 \
    XX(no_memory_now_and_then, "allocations fail, then not any more", "F169")                      \
    XX(many_partitions_one_record_each, "120 partitions with a record each", "F172")               \
    XX(calls_in_reports, "sending and flushing while reports are taken", "F174 F176")              \
    XX(closed_in_a_report, "closing while reports are taken", "F175")                              \
    XX(calls_after_close, "sending and flushing behind close", "F173")                             \
    XX(flush_with_nothing, "a flush with nothing to wait for", "")                                 \
    XX(flush_of_what_fails, "a flush ends with its records, whatever becomes of them", "")         \
    XX(odd_partitions, "partitions that a topic does not have", "F184")                            \
    XX(contradictions, "configurations that contradict themselves", "F182")                        \
    /* scenario_hints.c */                                                                         \
    XX(hint_true, "leaders move, and only Produce answers tell where", "F45")                      \
    XX(hint_saves_the_pause, "a hint is followed at once", "F45")                                  \
    XX(hint_missing, "no hint: Metadata tells", "F45")                                             \
    XX(hint_stale, "a hint of long ago is not followed", "F45 F53")                                \
    XX(hint_of_nobody, "a hint of a broker that nobody knows", "F45 F59")                          \
    XX(hints_in_a_circle, "brokers that name each other in ever newer epochs: paced", "F62")       \
    XX(hint_is_merged, "a hint is about one partition, the view stays", "F45")                     \
    /* scenario_purge.c */                                                                         \
    XX(purge_nothing, "giving up nothing changes nothing", "")                                     \
    XX(purge_parked, "given up while waiting for a topic", "")                                     \
    XX(purge_lingering, "given up while lingering", "")                                            \
    XX(purge_queued_behind_flight, "given up in the queue: reported behind what is in flight", "") \
    XX(purge_in_flight, "given up in flight: unknown, a ghost, a new epoch", "F95")                \
    XX(purge_all, "everything given up: told at once, the flush is over", "F95")                   \
    XX(purged_ghost_stored_late, "a ghost is stored after its connection has died", "F95 F101")    \
    XX(purge_between_retries, "given up between retries that were refused: failed", "")            \
    XX(purge_after_maybe, "given up after a maybe: unknown", "F85")                                \
    XX(purge_one_topic, "only the topic that is named", "")                                        \
    XX(purge_again_and_again, "given up sixty times, in any state", "F95 F99")                     \
    XX(purge_then_close, "given up, then closed: nothing to wait for", "")                         \
    /* scenario_reshape.c */                                                                       \
    XX(split_in_two, "a batch too large for its broker: split, under its numbers", "F80")          \
    XX(split_again_and_again, "pieces that are still too large", "F80")                            \
    XX(split_with_others_in_flight, "the third of ten is too large: order stays", "F80 F93")       \
    XX(split_compressed, "compressed batches are split too", "F80")                                \
    XX(split_unnumbered, "split without numbers", "F80")                                           \
    XX(record_too_large, "a single record is too large: it fails, others do not", "F81")           \
    XX(all_too_large, "too large whatever is sent: down to records, which fail", "F81")            \
    XX(size_is_learnt, "what was too large once is not tried again at once", "F80")                \
    XX(too_large_after_maybe, "too large behind a maybe: unknown, and not split", "F80 F105")      \
    XX(split_loses_its_answer, "pieces whose answers are lost", "F80")                             \
    XX(split_then_leader_moves, "splitting while leaders move", "F80")                             \
    XX(split_and_close, "closed while pieces are made", "F80")                                     \
    XX(split_and_purge, "given up while pieces are made", "F80")                                   \
    XX(pieces_expire, "pieces have the deadline of the whole", "F80")                              \
    XX(codec_that_expands, "what a codec makes larger goes as it is", "F166")                      \
    XX(full_until_given_up, "a full buffer, then all of it given up: WRITABLE", "F167")            \
    XX(full_until_expired, "a full buffer, then all of it expires: WRITABLE", "F167")              \
    /* scenario_pacing.c */                                                                        \
    XX(refuses_every_batch, "NOT_ENOUGH_REPLICAS for ever: pauses grow", "F88")                    \
    XX(refuses_forty_partitions,                                                                   \
       "forty partitions are refused by one broker: twenty requests a second", "F88")              \
    XX(refuses_to_lead,                                                                            \
       "NOT_LEADER_OR_FOLLOWER for ever, and Metadata that says otherwise", "F88 F45")             \
    XX(refuses_each_for_good,                                                                      \
       "every batch fails for good, and there is always a next one", "F168")                       \
    XX(refuses_metadata, "LEADER_NOT_AVAILABLE for ever", "F68")                                   \
    XX(refuses_producer_ids, "InitProducerId refused for ever", "F102")                            \
    XX(refuses_versions, "ApiVersions refused for ever", "F3")                                     \
    XX(pauses_grow_and_differ, "pauses double up to their limit, with chance in them", "F35")      \
    XX(back_after_minutes, "a broker comes back after minutes: one wave", "F35")                   \
    /* scenario_bad_records.c */                                                                   \
    XX(bad_record_in_the_middle, "one of ten records is refused: nine go again", "F82")            \
    XX(bad_records_at_both_ends, "the first, the second and the last are refused", "F82")          \
    XX(bad_records_all, "all records are refused by name", "F82")                                  \
    XX(bad_records_twice, "what was left is refused because of another one", "F82")                \
    XX(bad_records_that_are_none, "places that the batch does not have: all of it fails", "F82")   \
    XX(bad_records_after_maybe,                                                                    \
       "refused by name behind a maybe: the whole batch is in doubt", "F82 F105")                  \
    XX(bad_records_with_others_in_flight,                                                          \
       "five are under way when one record of the first is refused", "F82 F93")                    \
    XX(bad_records_compressed, "records are taken out of a compressed batch", "F82")               \
    XX(bad_records_then_too_large, "what was left is too large", "F82 F80")                        \
    XX(bad_records_and_purge, "given up while records are taken out", "F82 F95")                   \
    /* scenario_names.c */                                                                         \
    XX(live_among_dead, "six addresses of both sorts, one of them lives", "F27")                   \
    XX(found_at_the_second_address,                                                                \
       "an idle connection is closed and made again: no pause for a dead address", "F27")          \
    XX(twenty_addresses, "only the nineteenth address lives", "F27 F29")                           \
    XX(no_ipv4, "names that have IPv6 addresses alone", "")                                        \
    XX(dead_ipv6, "IPv6 comes first and leads nowhere", "F27")                                     \
    XX(answer_empties, "a name has no address any more, for a while", "F25")                       \
    XX(other_addresses_each_time, "every other answer is out of date", "F28")                      \
    XX(third_time_lucky, "each name is found when it is asked for the third time", "F25")          \
    XX(first_entry_hangs, "the first of bootstrap.servers is never resolved", "F26")               \
    XX(one_entry_is_right, "six bootstrap.servers, five of them wrong in five ways", "F25 F30")    \
    /* scenario_memory.c */                                                                        \
    XX(never_waits_for_writable, "a user who sends on whatever he is told", "F167")                \
    XX(huge_records_small_buffer, "records of which no two fit side by side", "F167")              \
    XX(small_buffer_many_partitions,                                                               \
       "a thousand partitions, and room for some of them", "F167 F172")                            \
    XX(small_receive_memory, "five large answers at once, and room for one", "F164")               \
    XX(burst_is_forgotten, "64 MB of an outage are given back within a minute", "F167")            \
    XX(burst_is_forgotten_under_load, "the same while a little is sent all the time", "F167")      \
    XX(no_memory_for_gzip, "allocations of gzip fail, then not any more", "F169")                  \
    XX(no_memory_for_lz4, "allocations of lz4 fail, then not any more", "F169")                    \
    XX(no_memory_for_zstd, "allocations of zstd fail, then not any more", "F169")                  \
    XX(no_memory_for_partitions, "a topic grows, and there is no memory for that", "F169 F48")     \
    /* scenario_neighbours.c */                                                                    \
    XX(neighbour_without_leader, "one partition has no leader: no other is late", "F47")           \
    XX(neighbour_refused_for_ever, "one partition is refused for ever: no other is late", "F88")   \
    XX(neighbour_fails_for_good, "one partition fails for good: no other is late", "F70")          \
    XX(neighbour_too_large, "one partition is too large: no other is late", "F80")                 \
    XX(neighbour_out_of_order, "one partition is out of order: no other is late", "F92")           \
    XX(neighbour_broker_silent, "one broker says nothing: no other's partition is late", "F7 F42") \
    XX(throttled_for_ever, "one broker throttles for ever: no other's partition is late", "F79")   \
    XX(neighbour_topic_never_there, "a topic that nobody has: no other is late", "F50")            \
    XX(thousand_partitions_some_leaderless,                                                        \
       "every seventh of a thousand has no leader", "F47 F61")                                     \
    /* scenario_lending.c */                                                                       \
    XX(loans_in_batches_put_together_anew, "split and rebuilt with lent bytes in them", "F80 F82") \
    XX(loans_fill_the_buffer, "lent bytes count against buffer.memory", "F167")                    \
    XX(chunk_over_partitions, "told once, when it was ended and all is settled", "")               \
    XX(chunk_without_records, "an empty chunk is over at once", "")                                \
    XX(chunk_of_mixed_fates, "a chunk of which a part is refused", "F70")                          \
    XX(chunk_before_flush, "a flush waits for the chunks before it", "")                           \
    XX(chunk_dropped, "a chunk that nobody wants to hear of", "")                                  \
    XX(encoded_too_large, "a batch of the user's is never taken apart", "F80")                     \
    /* scenario_rest.c */                                                                          \
    XX(rests_for_hours, "three hours of nothing: hardly a wake-up", "F194")                        \
    XX(unneeded_broker_is_let_go, "a broker that leads nothing any more is let go", "F43")         \
    XX(asleep_for_hours, "five hours asleep with nothing to do", "F189")                           \
    XX(asleep_with_answers_waiting, "two hours asleep while answers wait", "F188 F189")            \
    XX(asleep_with_a_queue, "eight hours asleep with records that nobody takes", "F189")           \
    XX(sleeps_while_nobody_listens, "naps while no broker is there: no storm", "F189 F35")         \
    XX(nobody_asks, "a host that tells everything and asks for nothing", "F178 F190")              \
    XX(cut_after_four_minutes, "a box on the way forgets after four minutes", "F21")               \
    XX(closed_before_the_cut, "connections.max.idle.ms below what the box forgets after", "F21")   \
    /* scenario_login.c */                                                                         \
    XX(login_plain, "PLAIN, three brokers", "")                                                    \
    XX(login_scram_256, "SCRAM-SHA-256, three brokers", "")                                        \
    XX(login_scram_512, "SCRAM-SHA-512, three brokers", "")                                        \
    XX(login_oauthbearer, "OAUTHBEARER, three brokers and one token", "")                          \
    XX(login_bare, "brokers of 2017: SaslHandshake v0, and tokens without headers", "F40")         \
    XX(login_over_tls, "a host that brings up TLS first", "")                                      \
    XX(wrong_password, "nobody knows us: said at once, tried again without a storm", "F138")       \
    XX(forgotten_for_a_while, "records of a known topic wait until we are known again", "F138")    \
    XX(one_broker_refuses, "one of three brokers does not know us", "F138")                        \
    XX(broker_without_sasl, "brokers that want no SASL: nothing but ApiVersions leaves", "F149")   \
    XX(host_that_secures_nothing, "a host that does not know of security.protocol", "F149")        \
    XX(certificate_not_trusted, "no broker has a certificate that is trusted", "F150")             \
    XX(plain_in_the_open, "PLAIN without TLS is warned about", "F148")                             \
    XX(handshake_lies, "no mechanism, 10,000 of them, codes that are not due", "F139")             \
    XX(iterations_that_lie, "2^31 iterations, 4095, none", "F144")                                 \
    XX(nonces_that_lie, "a nonce that is ours alone, or not ours", "F143")                         \
    XX(salts_that_lie, "salts of none, 2 MB, no base64; repeated, cut, empty messages", "F145")    \
    XX(signatures_that_lie, "a signature that is wrong, missing, cut, an error", "F146")           \
    XX(words_that_lie, "PLAIN: odd words of refusal, one more round, megabytes", "F146 F145")      \
    XX(scram_never_ends, "the same for SCRAM", "F146 F145")                                        \
    XX(bearer_never_ends, "the same for OAUTHBEARER", "F146 F145")                                 \
    XX(lies_to_bare_tokens, "the lies to SCRAM without headers", "F143 F144 F145 F146")            \
    XX(lies_for_ever, "a wrong signature for ever: no storm", "F146 F138")                         \
    XX(many_iterations, "as many iterations as are allowed", "F144")                               \
    XX(too_many_iterations, "one iteration more than is allowed", "F144")                          \
    XX(login_stalls, "each step of an authentication is answered by nobody", "F152")               \
    XX(login_byte_by_byte, "each byte of an authentication comes alone", "F152")                   \
    XX(login_cut_anywhere, "the connection ends after each byte that is said", "F152")             \
    XX(sessions_renewed, "sessions of 3 s under load: all acked, in order, nothing again", "F141") \
    XX(sessions_renewed_five_in_flight, "the same with five requests under way", "F141")           \
    XX(sessions_end_with_tokens, "sessions that end with tokens of 4 s", "F141 F147")              \
    XX(lifetime_zero, "a session without an end", "F140")                                          \
    XX(lifetime_negative, "a session that ends before it begins", "F140")                          \
    XX(lifetime_huge, "a session of 2^63-1 ms", "F140")                                            \
    XX(lifetime_of_a_millisecond, "a session of 1 ms", "F140")                                     \
    XX(renewal_late, "the loop is held past the end of all sessions", "F142")                      \
    XX(renewal_refused, "forgotten in the middle of a session", "F142 F138")                       \
    XX(renewal_lied_to, "every lie, in renewals under load", "F143 F144 F145 F146")                \
    XX(renewal_stalls, "a renewal that nobody answers", "F152")                                    \
    XX(token_late, "the token comes after three seconds", "F147")                                  \
    XX(token_fails, "no token at first: asked for again, later each time", "F147")                 \
    XX(token_never, "a token that nobody brings, until somebody does", "F147")                     \
    XX(token_huge, "a token of 240 KB", "F147")                                                    \
    XX(token_runs_out, "no new token before the old one ends", "F147")
/* clang-format on */

#endif
