/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that people bring along from Kafka's and librdkafka's producers, and that are not taken.
 * "Unknown key" would send them looking for a slip of the finger.
 */
#include "core/config_key.h"

#include <string.h>

#define JAVA       "is about Java's own workings, which there are none of here; leave it out"
#define BYTES      "is not needed: keys and values are bytes here; leave it out"
#define NO_TXN     "needs transactions, which kloop does not have yet; leave it out"
#define NO_TLS     "needs TLS or SASL, which kloop does not have yet: it connects in PLAINTEXT"
#define NO_PUSH    "is about metrics pushed to brokers, which kloop does not do; leave it out"
#define NOT_YET    "is a choice that kloop does not offer yet; leave it out"
#define LOGGING    "is not for the producer to say: the program that uses it chooses what to log"
#define ONLY_BYTES "is not there: batch.size and buffer.memory set limits, in bytes"

/* Sorted by name. A name that ends with a dot stands for all that begin with it. */
static const struct {
    const char *name;
    const char *why;
} strangers[] = {
    {"api.version.request", "is not needed: every broker is asked which versions it speaks"},
    {"auto.include.jmx.reporter", JAVA},
    {"batch.num.messages", ONLY_BYTES},
    {"bootstrap.resolve.timeout.ms", NOT_YET},
    {"broker.address.family", NOT_YET},
    {"broker.version.fallback", "is not needed: every broker is asked which versions it speaks; "
                                "api.version.max sets limits"},
    {"buffer.memory.allocation.strategy", JAVA},
    {"client.rack", NOT_YET},
    {"compression.level", "is a key for each codec here: compression.gzip.level, "
                          "compression.lz4.level, compression.zstd.level"},
    {"config.providers", JAVA},
    {"debug", LOGGING},
    {"enable.metrics.push", NO_PUSH},
    {"interceptor.classes", JAVA},
    {"key.serializer", BYTES},
    {"log_level", LOGGING},
    {"metadata.cluster.check.enable", NOT_YET},
    {"metric.reporters", JAVA},
    {"metrics.", JAVA},
    {"partitioner.rack.aware", NOT_YET},
    {"queue.buffering.max.messages", ONLY_BYTES},
    {"sasl.", NO_TLS},
    {"security.", NO_TLS},
    {"socket.nagle.disable", "is not needed: sockets never wait for more bytes"},
    {"ssl.", NO_TLS},
    {"statistics.interval.ms", "is not there: statistics are asked for, not sent out"},
    {"sticky.partitioning.linger.ms", "is not there: the partition for records without a key "
                                      "changes with batches, not with time"},
    {"transaction.", NO_TXN},
    {"transactional.id", NO_TXN},
    {"value.serializer", BYTES},
};

const char *kl_config_key_why_not(const char *name)
{
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        size_t len = strlen(strangers[i].name);
        bool family = strangers[i].name[len - 1] == '.';
        if (strncmp(strangers[i].name, name, len) == 0 && (family || name[len] == '\0'))
            return strangers[i].why;
    }
    return NULL;
}
