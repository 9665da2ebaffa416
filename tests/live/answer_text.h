/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers as lines of text, one a field, such that two clusters that behave alike give the same
 * lines.
 *
 * What is not written as it is, and why:
 *
 *   topic id            "id of NAME", "none" or "unknown"         ids are drawn at random
 *   producer id         "producer N", in the order of their being given    likewise
 *   cluster id          whether there is one                      likewise
 *   controller id       whether it is one of the brokers          any broker may be named since
 * KRaft node ids            of a leader: whether it is the one that   each cluster spreads leaders
 *                       was known before; of replicas: how many   in its own way
 *                       there are, and whether the leader is one
 *   base offset         counted from the one that was told        one difference shall not make all
 *                       before for this partition                 later offsets differ
 *   log append time     "none" or "now"                           clocks
 *   order of brokers,   sorted                                    Kafka promises none
 *   topics, partitions
 *   APIs of ApiVersions only those that <kloop/wire.h> knows      the model has no others
 *   features, and their left out                                  they are of use only to
 * transactions, epoch                                                         which the model does
 * not know texts of errors     whether there is one                      nobody may rely on the
 * words other people's      left out of an answer that lists all      a node has topics of its own
 *   topics
 */
#ifndef KL_TESTS_LIVE_ANSWER_TEXT_H
#define KL_TESTS_LIVE_ANSWER_TEXT_H

#include "tests/live/talk.h"

/* The body of an answer, as lines of the talk's present step. */
void kl_answer_text(kl_talk *t, int16_t api_key, int16_t version, kloop_slice body);

#endif
