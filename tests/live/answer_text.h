/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers as lines of text, one a field, such that two clusters that behave alike give the same
 * lines. Nodes, addresses and leaders are the same on both sides, so they are written as they are.
 * What is not, and why:
 *
 *   topic id             "id of NAME", "none", "unknown"      drawn at random
 *   producer id          "producer N", in the order given     likewise
 *   cluster id           whether there is one                 likewise
 *   controller id        whether it is one of the brokers     since KRaft it may be any
 *   base offset          counted from the one told before     or one difference makes all later
 *                        for this partition                   offsets differ
 *   log append time      "none", "now"                        clocks
 *   order of all but     sorted                               Kafka promises none
 *   replicas
 *   APIs                 those that <kloop/wire.h> knows      the model has no others
 *   features             left out                             only transactions need them, and the
 *                                                             model has none
 *   texts of errors      whether there is one                 nobody may rely on the words
 *   topics of others     left out of an answer with all       a node has topics of its own
 *   SCRAM's nonce, salt  that they are there                  drawn at random
 *   and signature        how long it is                       likewise
 *   a token's session    in ten seconds                       clocks
 */
#ifndef KL_TESTS_LIVE_ANSWER_TEXT_H
#define KL_TESTS_LIVE_ANSWER_TEXT_H

#include "tests/live/talk.h"

/* The body of an answer, as lines of the talk's present step. */
void kl_answer_text(kl_talk *t, int16_t api_key, int16_t version, kloop_slice body);

#endif
