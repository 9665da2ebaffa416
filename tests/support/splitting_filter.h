/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filter of bytes that is as awkward as TLS, without its sums: what it is given it splits anew at
 * random, in both directions. Both ends of a connection have one.
 *
 *     greeting    some bytes each way, and again after the answer, before anything else may be said
 *     a record    2 bytes of length, then the bytes, scrambled; shown only when it is whole
 *     the end     a record of length 0
 *
 * It takes much, little or a single byte of what it is offered, shows its output piece by piece,
 * puts many slices into one record and one slice into many, and gives out what it read in pieces.
 * After so many bytes of plain text, if it is told to, it says something of its own accord, which
 * the other side has to answer, as TLS does with a new key.
 *
 * A maker draws from one generator: the same seed and the same calls give the same filters. What
 * the driver must not do (write before it is up, say that more was sent than was shown) fails an
 * assertion. Memory is the C library's.
 */
#ifndef KL_TESTS_SUPPORT_SPLITTING_FILTER_H
#define KL_TESTS_SUPPORT_SPLITTING_FILTER_H

#include "base/prng.h"
#include "driver/byte_filter.h"

typedef struct splitting_filters {
    kl_prng prng;
    size_t live; /* filters that are not deleted */
    size_t made;
    size_t ended;     /* that were told of the end by a record */
    size_t finished;  /* that were asked to tell of it */
    size_t fail_made; /* the next so many cannot be made */
    bool is_server;
    /* of what is made from now on */
    size_t pieces_max;  /* of what is taken, shown and given at a time; 0: any size */
    size_t fail_at;     /* so many plain bytes in, it fails; 0: never */
    bool untrusted;     /* and says that trying again is no cure */
    bool refuses_hello; /* fails in the greeting */
    bool fail_write;    /* fails at the first bytes that it is to write */
    bool hears_first;   /* takes none before there are some to be read */
    size_t put_off;     /* how often it took none for that */
} splitting_filters;

void splitting_filters_init(splitting_filters *f, uint64_t seed, bool is_server);
kl_byte_filter_maker splitting_filters_maker(splitting_filters *f);

#endif
