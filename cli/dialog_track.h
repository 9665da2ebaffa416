/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a dialog remembers of its way to a broker: when each step began and ended, at which address,
 * and what went wrong there. Plain values; the dialog owns and fills them, nothing fails.
 */
#ifndef KL_CLI_DIALOG_TRACK_H
#define KL_CLI_DIALOG_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum kl_dialog_step {
    KL_STEP_NAME, /* the same for all addresses */
    KL_STEP_TCP,
    KL_STEP_TLS,
    KL_STEP_VERSIONS, /* ApiVersions */
    KL_STEP_LOGIN,
    KL_STEP_QUESTION, /* the latest one */
} kl_dialog_step;

#define KL_STEP_COUNT 6

/* In which way a step has failed, as far as that leads to different advice. */
typedef enum kl_dialog_trouble {
    KL_TROUBLE_NONE,
    KL_TROUBLE_NO_NAME,   /* it has no address */
    KL_TROUBLE_REFUSED,   /* nobody listens there */
    KL_TROUBLE_NO_WAY,    /* no route, or the network says no otherwise */
    KL_TROUBLE_SILENT,    /* the time limit of the step is over */
    KL_TROUBLE_HUNG_UP,   /* the other side closed the connection */
    KL_TROUBLE_WANTS_TLS, /* what came is a record of TLS */
    KL_TROUBLE_HTTP,
    KL_TROUBLE_NO_KAFKA, /* what came cannot be read */
    KL_TROUBLE_UNTRUSTED,
    KL_TROUBLE_TLS_BROKEN,
    KL_TROUBLE_NO_MECHANISM, /* it does not offer ours */
    KL_TROUBLE_NO_SASL,      /* this listener has none */
    KL_TROUBLE_CREDENTIALS,  /* it refuses them */
    KL_TROUBLE_TOKEN,        /* there is none */
    KL_TROUBLE_LOGIN,        /* the mechanism is not content with the broker */
    KL_TROUBLE_HERE,         /* memory, or a question that cannot be asked */
} kl_dialog_trouble;

/* 0: it did not begin; it did not end. */
typedef struct kl_dialog_span {
    uint64_t began_ns;
    uint64_t ended_ns;
} kl_dialog_span;

#define KL_DIALOG_PLACE_MAX 96
#define KL_DIALOG_WHY_MAX   512

/* One address. */
typedef struct kl_dialog_try {
    char address[KL_DIALOG_PLACE_MAX]; /* "127.0.0.1:9092" */
    kl_dialog_span spans[KL_STEP_COUNT];
    kl_dialog_step step; /* the one that it has come to */
    bool begun;
    bool failed;
    kl_dialog_trouble trouble;
    char why[KL_DIALOG_WHY_MAX]; /* failed: a sentence without the address */
} kl_dialog_try;

typedef struct kl_dialog_track {
    kl_dialog_span name;
    bool found; /* the name has addresses */
    size_t at;  /* the address in use, or the one that was used last */
    size_t count;
    kl_dialog_try *tries; /* one for each address, also of those that were not needed */
    /* Of the login. */
    char offered[KL_DIALOG_WHY_MAX]; /* mechanisms, with commas; "" before it has told */
    int64_t lifetime_ms;             /* of the session; 0: without end */
    unsigned rounds;                 /* of SaslAuthenticate */
} kl_dialog_track;

#endif
