/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The brokers of a case as their tricks see them: one process, some listeners, connections with a
 * queue of bytes that leave when and how the trick wants it.
 *
 *     accept --greet--> OPEN --frame--> honest answer --lie--> bytes --deed--> queue --> socket
 *                        |
 *                        `-- read_max bytes were read, send_max bytes were sent, or the queue
 *                            is empty and an end was asked for --> closed or reset
 *
 * The world owns its connections and what hostile_take() gave, which is gone after each answer.
 */
#ifndef KL_TESTS_HOSTILE_WORLD_H
#define KL_TESTS_HOSTILE_WORLD_H

#include "tests/hostile/hostile.h"

#define HOSTILE_NO_LIMIT SIZE_MAX

typedef enum hostile_end {
    HOSTILE_STAYS = 0,
    HOSTILE_CLOSES, /* FIN */
    HOSTILE_RESETS, /* RST */
} hostile_end;

struct hostile_conn {
    int fd;
    int node;    /* from 0 */
    long serial; /* how many there were before, on all nodes */
    bool deaf;   /* reads nothing any more */
    uint8_t *in;
    size_t in_len, in_cap;
    size_t read_bytes, read_max;
    bool begun; /* early was called for the frame at the head */
    uint8_t *out;
    size_t out_len, out_at, out_cap;
    size_t zeros; /* behind it */
    size_t sent_bytes, send_max;
    uint64_t out_after_ms;
    size_t pace_bytes; /* 0: no pace */
    uint64_t pace_ms;
    hostile_end end; /* once all is out */
    long answers;    /* to Produce, for lies that count them */
    bool echoes;     /* sends back what it reads */
    uint8_t *kept;   /* an answer that lets the next one go first */
    size_t kept_len;
    uint64_t kept_until_ms;
};

typedef struct hostile_block hostile_block;

/* When the last requests came. */
typedef struct hostile_meter {
    uint64_t at_ms[4096];
    uint32_t first, count;
} hostile_meter;

struct hostile_world {
    const hostile_case *row;
    const hostile_ports *ports;
    hostile_result *result;
    uint64_t begun_ms;
    uint64_t now_ms;
    hostile_conn *conns[1024];
    size_t conn_count;
    long serial; /* of connections */
    long turn;   /* for lies that change each time */
    int64_t next_offset;
    hostile_block *blocks;
    hostile_meter requests[HOSTILE_NODES_MAX];
    hostile_meter connects[HOSTILE_NODES_MAX];
};

/* Zeroed memory until the answer is out. */
void *hostile_take(hostile_world *w, size_t count, size_t size);

void hostile_put(hostile_conn *c, const void *bytes, size_t len);
void hostile_put_zeros(hostile_conn *c, size_t len);
/* The answer that was kept back. */
void hostile_put_kept(hostile_conn *c);
/* What is in the queue waits. */
void hostile_wait(hostile_world *w, hostile_conn *c, uint64_t ms);
/* At most so many bytes in one call, with so much time between two. */
void hostile_pace(hostile_conn *c, size_t bytes, uint64_t ms);
/* When the queue is empty. */
void hostile_end_after(hostile_conn *c, hostile_end end);

#endif
