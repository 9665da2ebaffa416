/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run of `kloop produce`: input becomes records, reports become events, dead letters and a
 * tally, until input is used up or a signal ends it.
 *
 * What is asked for and what comes out are plain structs of the caller's, as is all that they point
 * to.
 */
#ifndef KL_CLI_PRODUCE_RUN_H
#define KL_CLI_PRODUCE_RUN_H

#include "cli/dead_letter.h"
#include "cli/failure_tally.h"
#include "cli/input_files.h"
#include "cli/record_reader.h"
#include "cli/terminal.h"
#include "cli/stats_file.h"

#include <kloop/config.h>
#include <kloop/engine.h>

typedef struct kl_produce_job {
    /* Deleted, and NULL, once the producer has what it needs: secrets are in it. */
    kloop_config **config;
    kl_input_files *files;
    kl_record_form form;
    kloop_string delimiter; /* of records */
    bool whole_files;       /* each file that has a name is one record */
    uint64_t count_max;     /* UINT64_MAX: all of them */
    double rate;            /* records a second; 0: as fast as can be */
    double byte_rate;
    kl_dead_letters *letters; /* open; NULL: none */
    kl_stats_file *stats;     /* open */
    bool events;
    bool tee;
    bool skip_bad; /* input that is none is passed over */
    bool quiet;
    unsigned verbose;
    kl_progress progress;
} kl_produce_job;

typedef struct kl_produce_result {
    uint64_t acked;
    uint64_t bytes; /* of keys and values that were read */
    uint64_t run_ms;
    kl_failure_tally failures;
    uint64_t bad;      /* pieces of input that were no records */
    bool ever_let_in;  /* was any broker ever reached, and told of its cluster? */
    bool fatal;        /* the producer could not go on */
    int signal;        /* that ended it; 0: none */
    int in_error;      /* errno of reading; EMSGSIZE: a line was beyond any limit */
    uint64_t line;     /* of the input that was read last: how many of its lines were used */
    bool whole;        /* that input was one record */
    bool whole_lines;  /* some such record was made of lines */
    int out_error;     /* errno of writing to stdout */
    uint64_t out_lost; /* lines that were not written there */
} kl_produce_result;

/* Events go to stdout, sentences to stderr. false: the producer could not be opened, which was
 * said. */
bool kl_produce_run(const kl_produce_job *job, kl_produce_result *result);

#endif
