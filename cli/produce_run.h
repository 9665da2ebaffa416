/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run of `kloop produce`: lines become records, reports become events or a tally, until input
 * is used up or a signal ends it.
 *
 * What is asked for and what comes out are plain structs of the caller's.
 */
#ifndef KL_CLI_PRODUCE_RUN_H
#define KL_CLI_PRODUCE_RUN_H

#include "cli/failure_tally.h"

#include <kloop/config.h>
#include <kloop/engine.h>

typedef struct kl_produce_job {
    const kloop_config *config;
    const char *topic;
    int fd;                     /* of the lines */
    kloop_string delimiter;     /* of records */
    kloop_string key_delimiter; /* len 0: keys do not stand in the lines */
    kloop_slice key;            /* of records whose line has none */
    int32_t partition;          /* -1: the producer chooses */
    const kloop_record_header *headers;
    uint32_t header_count;
    bool empty_is_null;
    uint64_t count_max; /* UINT64_MAX: all of them */
    bool events;
    bool quiet;
} kl_produce_job;

typedef struct kl_produce_result {
    uint64_t acked;
    kl_failure_tally failures;
    bool ever_ready; /* was any broker ever reached? */
    bool fatal;      /* the producer could not go on */
    int signal;      /* that ended it; 0: none */
    int in_error;    /* errno of reading; EMSGSIZE: a line was beyond any limit */
    int out_error;   /* errno of writing events */
} kl_produce_result;

/* Events go to stdout, sentences to stderr. false: the producer could not be opened, which was
 * said.
 */
bool kl_produce_run(const kl_produce_job *job, kl_produce_result *result);

#endif
