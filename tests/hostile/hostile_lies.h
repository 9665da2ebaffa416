/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrong values in answers that are well formed otherwise; n is the row's number. They fail never,
 * and own nothing. */
#ifndef KL_TESTS_HOSTILE_LIES_H
#define KL_TESTS_HOSTILE_LIES_H

#include "tests/hostile/hostile_reply.h"

#define HOSTILE_LIE(name) void name(hostile_world *w, hostile_conn *c, hostile_reply *r, int64_t n)

/* ApiVersions */
HOSTILE_LIE(hostile_versions_error);   /* code n */
HOSTILE_LIE(hostile_versions_empty);   /* a list of none */
HOSTILE_LIE(hostile_versions_crossed); /* the lowest above the highest */
HOSTILE_LIE(hostile_versions_below_0);
HOSTILE_LIE(hostile_versions_old);     /* those of Kafka 0.8 */
HOSTILE_LIE(hostile_versions_refused); /* 35 for every version, also for that which it names */
HOSTILE_LIE(hostile_versions_lowest);  /* the oldest that there are */
HOSTILE_LIE(hostile_versions_change);  /* the oldest on every second connection, of n Produce */
HOSTILE_LIE(hostile_versions_produce); /* Produce up to n */
HOSTILE_LIE(hostile_versions_many);    /* n rows */
HOSTILE_LIE(hostile_versions_without); /* all but the API n */

/* Metadata */
HOSTILE_LIE(hostile_metadata_error); /* code n for all, from version 13 on */
HOSTILE_LIE(hostile_metadata_no_brokers);
HOSTILE_LIE(hostile_metadata_no_topics);
HOSTILE_LIE(hostile_metadata_topic_error); /* code n */
HOSTILE_LIE(hostile_metadata_topic_name);  /* one of HOSTILE_NAMES_... */
HOSTILE_LIE(hostile_metadata_many_topics); /* n that nobody asked for as well */
HOSTILE_LIE(hostile_metadata_no_partitions);
HOSTILE_LIE(hostile_metadata_leader);          /* node n leads all */
HOSTILE_LIE(hostile_metadata_port);            /* n */
HOSTILE_LIE(hostile_metadata_host);            /* one of HOSTILE_HOSTS_... */
HOSTILE_LIE(hostile_metadata_many_brokers);    /* n, the last one leads */
HOSTILE_LIE(hostile_metadata_many_partitions); /* n */
HOSTILE_LIE(hostile_metadata_index);           /* the partition 1 has index n */
HOSTILE_LIE(hostile_metadata_cluster);         /* another cluster in each answer */
HOSTILE_LIE(hostile_metadata_v8);              /* offers no newer version of it */
HOSTILE_LIE(hostile_metadata_same_place);      /* n node ids at one address */

/* Leaders in circles: each broker refuses, and Metadata names another one each time */
HOSTILE_LIE(hostile_leader_flips);
HOSTILE_LIE(hostile_leader_epoch_falls); /* the same, under an older epoch each time */
HOSTILE_LIE(hostile_leader_elsewhere);   /* the next node after the one that is asked */
HOSTILE_LIE(hostile_leader_new_id);      /* n new node ids in each answer */
HOSTILE_LIE(hostile_leader_moves_port);  /* one node, on another port in each answer */

/* InitProducerId */
HOSTILE_LIE(hostile_init_error); /* code n */
HOSTILE_LIE(hostile_init_id);    /* n */
HOSTILE_LIE(hostile_init_epoch); /* n */

/* Produce */
HOSTILE_LIE(hostile_produce_error); /* code n */
HOSTILE_LIE(hostile_produce_codes); /* partition p: code p - 2, no success; n: none that is fatal */
HOSTILE_LIE(hostile_produce_nothing); /* no topic at all */
HOSTILE_LIE(hostile_produce_omits);   /* no partition */
HOSTILE_LIE(hostile_produce_unasked); /* a partition and a topic more, which nobody sent to */
HOSTILE_LIE(hostile_produce_twice);   /* each partition twice, first acked, then refused */
HOSTILE_LIE(hostile_produce_other_topic);
HOSTILE_LIE(hostile_produce_offset);         /* base offset n */
HOSTILE_LIE(hostile_produce_falling);        /* offsets go back */
HOSTILE_LIE(hostile_produce_records);        /* INVALID_RECORD, n records of which are named */
HOSTILE_LIE(hostile_produce_first_record);   /* INVALID_RECORD, always the first record */
HOSTILE_LIE(hostile_produce_hint);           /* node n leads, at a port where nobody listens */
HOSTILE_LIE(hostile_produce_hint_self);      /* the one that was asked */
HOSTILE_LIE(hostile_produce_hint_epochs);    /* the same, under a newer epoch each time */
HOSTILE_LIE(hostile_produce_hint_new_ids);   /* a node id that nobody has heard of, each time */
HOSTILE_LIE(hostile_produce_hint_endpoints); /* n endpoints, none of which is the leader */
HOSTILE_LIE(hostile_produce_answered);       /* with acks=0 as well */

/* All of them */
HOSTILE_LIE(hostile_throttle); /* n ms */

#define HOSTILE_NAMES_OTHER   0
#define HOSTILE_NAMES_NULL    1
#define HOSTILE_NAMES_LONG    2 /* 32,000 bytes */

#define HOSTILE_HOSTS_EMPTY   0
#define HOSTILE_HOSTS_LONG    1 /* 300 bytes */
#define HOSTILE_HOSTS_DOTS    2 /* broker..nowhere */
#define HOSTILE_HOSTS_NUL     3 /* a byte 0 in it */
#define HOSTILE_HOSTS_UNKNOWN 4 /* broker.test: for a name server of ours */

#endif
