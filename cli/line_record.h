/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as lines of text, in kcat's way or in that of kafka-console-producer:
 *
 *     value                                  nothing stands in the line but the value
 *     key DELIMITER value                    -K
 *     h1:v1,h2:v2 DELIMITER key DELIMITER value
 *
 * kcat takes a line without its delimiter as a value; Kafka's tool refuses it.
 *
 * A plain struct of views; the table of headers lives in the caller's buffer.
 */
#ifndef KL_CLI_LINE_RECORD_H
#define KL_CLI_LINE_RECORD_H

#include "base/buf.h"
#include "cli/input_record.h"

typedef struct kl_line_form {
    kloop_string key_delimiter;        /* len 0: no keys in the lines */
    kloop_string headers_delimiter;    /* behind the headers; len 0: none in the lines */
    kloop_string header_separator;     /* between two of them */
    kloop_string header_key_separator; /* between a name and its value */
    kloop_string null_marker;          /* what stands for null; len 0: nothing does */
    bool empty_is_null;                /* keys and values */
    bool strict;                       /* a line without its delimiters is refused */
} kl_line_form;

/* false: *fault says why. headers is overwritten, with kloop_record_header. */
bool kl_line_record_read(const kl_line_form *form, kloop_string line, kl_buf *headers,
                         kl_input_record *out, kl_input_fault *fault);

#endif
