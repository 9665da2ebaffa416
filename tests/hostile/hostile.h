/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Brokers that lie, stall, cut and shout, on real sockets, against the real library.
 *
 *     hostile_main.c    which cases run, side by side; what they came to
 *       |- fork ->  hostile_client.c   a program with a producer; it measures itself
 *       `- fork ->  hostile_world.c    the brokers: listeners, connections, one poll loop
 *                   hostile_reply.c      what an honest broker would answer
 *                   hostile_lies.c, hostile_produce_lies.c
 *                                        the same with wrong values: a row's lie
 *                   hostile_deeds.c      wrong bytes, or none: a row's deed, greet, early
 *     hostile_cases.c   the table: a row is a broker, and what its victim has to be told
 *     hostile_judge.c   what no broker may bring about
 *
 * A case owns two processes and a page that both write to and the parent reads when they are gone.
 * Nothing here fails but by ending its process, which the parent sees.
 */
#ifndef KL_TESTS_HOSTILE_H
#define KL_TESTS_HOSTILE_H

#include <kloop/wire.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOSTILE_NODES_MAX 4
#define HOSTILE_TOPIC     "events"
#define HOSTILE_WORDS_MAX 3

/* How long a client sends, how long its close may take, and what a record may take in all. */
#define HOSTILE_RUN_MS      5000
#define HOSTILE_CLOSE_MS    1000
#define HOSTILE_DELIVERY_MS 3000
#define HOSTILE_BUFFER      (8 << 20)

typedef struct hostile_world hostile_world;
typedef struct hostile_conn hostile_conn;
typedef struct hostile_reply hostile_reply;

/* ---- A row of the table ---- */

/* Bits of outcomes: 1 << KLOOP_OUTCOME_... */
#define HOSTILE_ACKED   1u
#define HOSTILE_FAILED  2u
#define HOSTILE_UNKNOWN 4u
#define HOSTILE_LOST    (HOSTILE_FAILED | HOSTILE_UNKNOWN)
#define HOSTILE_ANY     (HOSTILE_ACKED | HOSTILE_LOST)

/* Not an API: every one of them. */
#define HOSTILE_EVERY (-1)

/* n is the row's number. */
typedef void (*hostile_greet)(hostile_world *w, hostile_conn *c, int64_t n);
typedef void (*hostile_lie)(hostile_world *w, hostile_conn *c, hostile_reply *r, int64_t n);
typedef void (*hostile_deed)(hostile_world *w, hostile_conn *c, const uint8_t *frame, size_t len,
                             int64_t n);
typedef void (*hostile_early)(hostile_world *w, hostile_conn *c, int32_t correlation);
/* Makes an answer out of a question, in place; how long it is, 0: none. */
typedef size_t (*hostile_names)(uint8_t *bytes, size_t len, size_t room);

typedef struct hostile_case {
    const char *name;
    const char *story;
    const char *faults;                   /* that it is one of, by their numbers in tests/sim */
    const char *words[HOSTILE_WORDS_MAX]; /* each must stand in a report or in the log */
    const char *never;                    /* must stand in none */
    unsigned outcomes;                    /* that records may have */
    unsigned musts;                       /* that at least one must have */

    hostile_greet greet; /* a connection was accepted */
    hostile_lie lie;     /* an honest answer was made */
    hostile_deed deed;   /* an answer to stage is to be sent */
    hostile_early early; /* a request of stage has begun to arrive */
    hostile_names names; /* the name server */
    int16_t stage;       /* 0 is Produce */
    int64_t number;

    int nodes;             /* 0: one */
    int32_t partitions;    /* 0: three */
    bool each_partition;   /* records name one partition after the other */
    int records;           /* sent at once at the beginning; 0: 300 */
    size_t value_bytes;    /* 0: 100 */
    const char *config;    /* "key=value key=value" over that of all clients */
    const char *bootstrap; /* instead of the first node */
    int backlog_ms;        /* not 0: its backlog is full for so long; below 0: for ever */
    unsigned rate_max;     /* requests or connections of a node within a second; 0: 20 */
} hostile_case;

extern const hostile_case hostile_cases[];
extern const size_t hostile_case_count;

/* ---- What the processes of a case write down ---- */

#define HOSTILE_TEXT_MAX    (256 << 10)
#define HOSTILE_RECORDS_MAX 4096

/* What the brokers did with a record, in some attempt. */
#define HOSTILE_TAKEN   1u /* they read it, and gave no answer that proves it not stored */
#define HOSTILE_GRANTED 2u /* they acked it */

typedef struct hostile_result {
    /* the brokers */
    uint64_t connects;
    uint64_t requests;
    uint64_t talks; /* of these, what is only asked of a broker that has answered before */
    uint64_t sent_bytes;
    uint8_t marks[HOSTILE_RECORDS_MAX]; /* by record */
    uint32_t busiest; /* the most requests, or connections, that one node met within a second */
    /* the client */
    bool opened;
    bool closed; /* its close called back */
    bool ended;  /* and nothing was left on the loop */
    uint64_t cpu_us;
    uint64_t peak_kib; /* over what there was before the producer */
    int threads;
    uint64_t accepted;
    uint64_t refused;
    uint64_t outcomes[3];
    uint8_t fates[HOSTILE_RECORDS_MAX]; /* by record: 1 << KLOOP_OUTCOME_..., 0: none */
    uint64_t twice;                     /* reports on records that were not awaiting one */
    uint64_t misplaced;   /* reports before that of an earlier record of the partition */
    uint64_t unproved;    /* reported failed for a broker's code that proves no such thing */
    uint64_t odd_offsets; /* of records that were acked: below 0 and not -1, or not one after the
                             other */
    uint64_t latest_ms;   /* the longest from send to report */
    uint64_t close_ms;
    bool flushed;
    uint64_t flush_ms;
    uint64_t turn_us;            /* the most CPU that one turn of the loop took, while it sent */
    uint64_t starved_ms;         /* ready to run, and no processor was free */
    char text[HOSTILE_TEXT_MAX]; /* reports and log, each sentence once */
    size_t text_len;
} hostile_result;

/* ---- The processes ---- */

#define HOSTILE_FILLERS 4

typedef struct hostile_ports {
    int listeners[HOSTILE_NODES_MAX];
    uint16_t ports[HOSTILE_NODES_MAX];
    int nodes;
    int names_fd; /* -1: no name server */
    uint16_t names_port;
    int fillers[HOSTILE_FILLERS]; /* of a backlog, if it is filled */
    bool filled;
} hostile_ports;

/* false: the system has no more of something; errno tells. */
bool hostile_ports_open(const hostile_case *row, hostile_ports *ports);
void hostile_ports_close(hostile_ports *ports);

/* Serves until it is killed. */
_Noreturn void hostile_world_run(const hostile_case *row, const hostile_ports *ports,
                                 hostile_result *result);
/* The exit code of the client's process. */
int hostile_client_run(const hostile_case *row, const hostile_ports *ports, hostile_result *result);

/* ---- The judge ---- */

typedef struct hostile_verdict {
    bool good;
    char faults[2048]; /* sentences, one in a line */
} hostile_verdict;

/* How the processes of a case ended. */
typedef struct hostile_ends {
    int status; /* of the client, from waitpid() */
    bool killed;
    bool worlds_own; /* the brokers' process ended by itself, which it never should */
    uint64_t lag_ms; /* by how much the parent itself was late */
} hostile_ends;

void hostile_judge(const hostile_case *row, const hostile_result *result, const hostile_ends *ends,
                   hostile_verdict *verdict);

uint64_t hostile_now_ms(void);

#endif
