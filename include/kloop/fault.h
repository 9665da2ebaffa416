/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with bytes or with a message, and where: filled in without allocating, turned into
 * text on demand.
 *
 * One rule for each function that answers a kloop_status and takes a kloop_fault *fault: fault may
 * be NULL; otherwise the function fills in *fault whenever it returns. After a fault
 * (*fault).status is what it answered. When all is well *fault is all zero, which is KLOOP_OK with
 * no place and no path: nothing of an earlier fault is left in it.
 */
#ifndef KLOOP_FAULT_H
#define KLOOP_FAULT_H

#include <kloop/export.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kloop_status {
    KLOOP_OK = 0,
    /* decoding a message */
    KLOOP_TRUNCATED,       /* a needed, b left */
    KLOOP_TRAILING,        /* a bytes after the end */
    KLOOP_BAD_LENGTH,      /* a is no length */
    KLOOP_BAD_COUNT,       /* a elements, b bytes left */
    KLOOP_BAD_VARINT,      /* does not fit its type */
    KLOOP_BAD_NULL,        /* null where none is allowed */
    KLOOP_BAD_UTF8,        /* */
    KLOOP_BAD_BOOL,        /* a is neither 0 nor 1 */
    KLOOP_BAD_TAG_ORDER,   /* tag a after tag b */
    KLOOP_BAD_TAG,         /* tag a belongs to a field that this version does not have */
    KLOOP_BAD_TAG_SIZE,    /* tag content took a bytes, b were announced */
    KLOOP_FRAME_TOO_LARGE, /* a bytes, b allowed */
    /* either direction */
    KLOOP_UNKNOWN_API,     /* a */
    KLOOP_BAD_VERSION,     /* a; see kloop_api */
    KLOOP_BAD_STRUCT_SIZE, /* the struct is not the message's: a given, b wanted */
    KLOOP_NO_MEMORY,
    /* encoding */
    KLOOP_NOT_CARRIED,  /* a value that version a has no field for */
    KLOOP_TOO_LONG,     /* a bytes, b allowed */
    KLOOP_NO_SPACE,     /* the buffer ends */
    KLOOP_BAD_ARRAY,    /* a decoded list of another type of element */
    KLOOP_OUT_OF_RANGE, /* a does not fit */
    /* record batches */
    KLOOP_BAD_MAGIC,     /* a */
    KLOOP_BAD_CRC,       /* a computed, b in the batch */
    KLOOP_BAD_CODEC,     /* a */
    KLOOP_BAD_PACKING,   /* compressed bytes are corrupt */
    KLOOP_TOO_LARGE,     /* decompressed beyond the limit of a bytes */
    KLOOP_BAD_RECORD,    /* its size a and its fields, which end at b, differ */
    KLOOP_BAD_RECORDS,   /* a announced, b found */
    KLOOP_CODEC_REFUSED, /* a codec's library refused to work, which says nothing about the bytes */
    /* reading from elsewhere */
    KLOOP_BAD_INPUT, /* the source of the values refused, and knows why */
    /* a producer refuses a call; see <kloop/engine.h> */
    KLOOP_FULL,          /* no room for now */
    KLOOP_CLOSED,        /* closed, or about to be */
    KLOOP_FATAL,         /* it cannot go on */
    KLOOP_BAD_ARGUMENT,  /* NULL where something has to be */
    KLOOP_BAD_PARTITION, /* the topic has no such partition */
    KLOOP_BAD_TIMESTAMP, /* negative */
    KLOOP_BAD_HEADERS,   /* too many, or one of them is no header */
    KLOOP_BAD_TOPIC,     /* no name for a topic */
    KLOOP_BAD_CONFIG,    /* a key or value of the configuration */
    KLOOP_FORKED,        /* it belongs to the process that this one was forked from */
    KLOOP_BAD_CHUNK,     /* no chunk of this producer, or one that was ended */
    KLOOP_BAD_BATCH,     /* an encoded batch that is not for a producer to send */
    KLOOP_STATUS_COUNT,
} kloop_status;

#define KLOOP_FAULT_DEPTH_MAX 6

typedef struct kloop_fault {
    kloop_status status;
    size_t at; /* offset in the bytes given, or so far written */
    int64_t a; /* numbers that belong to the status */
    int64_t b;
    /* The field, innermost first: its Kafka name, and the index of an element, or -1. */
    uint8_t depth;
    struct {
        const char *name;
        int32_t index;
    } path[KLOOP_FAULT_DEPTH_MAX];
} kloop_fault;

/* "topics[3].name: 12 bytes are needed, 5 left at byte 17". Always terminated; answers the length
 * it would have. */
KLOOP_API size_t kloop_fault_text(const kloop_fault *fault, char *text, size_t size);

/* The same without the place, for those who count bytes in another text. */
KLOOP_API size_t kloop_fault_reason(const kloop_fault *fault, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
