/* SPDX-License-Identifier: BSD-2-Clause */
/* Flags into a job. See peer_job.h. */
#define _GNU_SOURCE
#include "bench/peers/peer_job.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOOTSTRAP = 'b', PROPERTY = 'X', TOPIC = 1, COUNT, SIZE, RATE, PARTITIONS, REFERENCE };

static const struct option options[] = {
    {"bootstrap-server", required_argument, NULL, BOOTSTRAP},
    {"topic", required_argument, NULL, TOPIC},
    {"num-records", required_argument, NULL, COUNT},
    {"record-size", required_argument, NULL, SIZE},
    {"throughput", required_argument, NULL, RATE},
    {"round-robin", required_argument, NULL, PARTITIONS},
    {"by-reference", no_argument, NULL, REFERENCE},
    {NULL, 0, NULL, 0},
};

static bool refuse(const peer_job *job, const char *what, const char *value)
{
    fprintf(stderr, "%s: %s '%s'\n", job->program, what, value);
    return false;
}

static bool take_number(const peer_job *job, const char *flag, uint64_t min, uint64_t max,
                        uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(optarg, &end, 10);
    if (errno || end == optarg || *end || *optarg == '-' || *number < min || *number > max) {
        fprintf(stderr, "%s: %s '%s': a number from %llu to %llu is wanted\n", job->program, flag,
                optarg, (unsigned long long)min, (unsigned long long)max);
        return false;
    }
    return true;
}

static bool take_rate(peer_job *job)
{
    char *end;
    double rate = strtod(optarg, &end);
    if (end == optarg || *end || !isfinite(rate) || rate == 0)
        return refuse(job, "--throughput: records a second, or -1, is wanted, not", optarg);
    job->rate = rate < 0 ? 0 : rate;
    return true;
}

static bool take(peer_job *job, int id)
{
    uint64_t number;
    switch (id) {
    case BOOTSTRAP:
        job->bootstrap = optarg;
        return true;
    case TOPIC:
        job->topic = optarg;
        return true;
    case COUNT:
        /* The first one is delivered before the clock starts. */
        return take_number(job, "--num-records", 2, INT64_MAX, &job->record_count);
    case SIZE:
        if (!take_number(job, "--record-size", 0, 1 << 30, &number))
            return false;
        job->record_size = (size_t)number;
        return true;
    case RATE:
        return take_rate(job);
    case PARTITIONS:
        if (!take_number(job, "--round-robin", 1, INT32_MAX, &number))
            return false;
        job->partition_count = (uint32_t)number;
        return true;
    case REFERENCE:
        job->by_reference = true;
        return true;
    case PROPERTY:
        if (job->property_count == PEER_PROPERTIES_MAX)
            return refuse(job, "-X: that is one property too many:", optarg);
        job->properties[job->property_count++] = optarg;
        return true;
    default:
        return false; /* getopt has said why */
    }
}

bool peer_job_parse(peer_job *job, int argc, char **argv)
{
    *job = (peer_job){.program = argv[0]};
    for (int id; (id = getopt_long(argc, argv, "b:X:", options, NULL)) != -1;) {
        if (!take(job, id))
            return false;
    }
    if (optind < argc)
        return refuse(job, "this belongs to no flag:", argv[optind]);
    if (!job->bootstrap || !job->topic || !job->record_count)
        return refuse(job, "wanted at least:", "--bootstrap-server, --topic, --num-records");
    return true;
}

const char *peer_job_property(const peer_job *job, size_t i, char *key, size_t size)
{
    const char *property = job->properties[i];
    const char *equals = strchr(property, '=');
    size_t len = equals ? (size_t)(equals - property) : 0;
    if (len == 0 || len >= size) {
        refuse(job, "-X: key=value is wanted, not", property);
        return NULL;
    }
    memcpy(key, property, len);
    key[len] = '\0';
    return equals + 1;
}

uint64_t peer_job_group(const peer_job *job)
{
    uint64_t fit = job->record_size ? PEER_GROUP_BYTES_MAX / job->record_size : UINT64_MAX;
    return fit < 1 ? 1 : fit < PEER_GROUP_RECORDS_MAX ? fit : PEER_GROUP_RECORDS_MAX;
}

uint64_t peer_job_nap_ns(const peer_job *job)
{
    return job->rate < 8000 ? 250000 : 2000000;
}
