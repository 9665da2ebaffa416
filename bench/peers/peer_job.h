/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program of this folder is told to send, from its flags: those of `kloop perf`, as far as
 * they are needed here, and Java's names for the configuration.
 *
 *     PROGRAM --bootstrap-server HOST:PORT --topic T --num-records N --record-size BYTES
 *             [--throughput RATE] [--round-robin PARTITIONS] [--by-reference] [-X key=value ...]
 *
 * A job is a plain value that points into argv. Bad flags fail, with a sentence on stderr.
 */
#ifndef KL_BENCH_PEER_JOB_H
#define KL_BENCH_PEER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_PROPERTIES_MAX 32

/* As in `kloop perf`: so many records, or bytes of them, share one reading of the clock at full
 * speed, and so many that are late at a rate. */
#define PEER_GROUP_RECORDS_MAX 64
#define PEER_GROUP_BYTES_MAX   ((size_t)32 << 10)

typedef struct peer_job {
    const char *program;
    const char *bootstrap;
    const char *topic;
    uint64_t record_count; /* at least 2 */
    size_t record_size;
    double rate;              /* records a second; 0: as fast as possible */
    uint32_t partition_count; /* record n goes to partition n % partition_count; 0: the client
                                 chooses */
    bool by_reference;        /* hand over bytes that stay where they are, instead of a copy */
    const char *properties[PEER_PROPERTIES_MAX]; /* key=value */
    size_t property_count;
} peer_job;

bool peer_job_parse(peer_job *job, int argc, char **argv);

/* The key of a property, copied to key; answers its value. NULL: the key does not fit, or there is
 * no '='; a sentence was printed. */
const char *peer_job_property(const peer_job *job, size_t i, char *key, size_t size);

/* How many records share one reading of the clock. */
uint64_t peer_job_group(const peer_job *job);

/* At a rate: how long a burst of records is at least. Waking up costs as much as tens of them. */
uint64_t peer_job_nap_ns(const peer_job *job);

#endif
