/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot as text: JSON with the names of librdkafka's statistics, and Prometheus's exposition
 * format. Both are functions of the snapshot alone, to be called anywhere.
 *
 * Written in pieces as large as the caller's buffer, whose end may be anywhere:
 *
 *     kloop_text_place at = {0};
 *     char buffer[4096];
 *     for (size_t n; (n = kloop_json(s, NULL, &at, buffer, sizeof buffer)) > 0;)
 *         write(fd, buffer, n);
 *
 * Nothing is allocated, nothing fails. The snapshot must be whole.
 */
#ifndef KLOOP_STATS_TEXT_H
#define KLOOP_STATS_TEXT_H

#include <kloop/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the text goes on; all zero: at its beginning. */
typedef struct kloop_text_place {
    uint32_t part;
    uint32_t row;
    uint32_t inner;
    uint32_t skip;
} kloop_text_place;

/*
 * The next bytes of one JSON object, at most size, not terminated; how many, 0 at the end. Names
 * and units are those of librdkafka where it has the same thing; docs/MIGRATING_FROM_LIBRDKAFKA.md
 * has the table. Counters are since the producer's begin. Windows (rtt, int_latency and the like)
 * are, too, unless since is an earlier snapshot of the same producer: then they are what came
 * between the two, as with librdkafka.
 */
KLOOP_API size_t kloop_json(const kloop_snapshot *s, const kloop_snapshot *since,
                            kloop_text_place *at, char *buffer, size_t size);

/*
 * The same as Prometheus text (version 0.0.4): families of kloop_..., each with HELP and TYPE, in
 * seconds and bytes. Labels are client_id, and broker, topic or partition where it is one's own:
 * partitions are there only when the snapshot has them, and only those that were ever used.
 */
KLOOP_API size_t kloop_prometheus(const kloop_snapshot *s, kloop_text_place *at, char *buffer,
                                  size_t size);

#ifdef __cplusplus
}
#endif

#endif
