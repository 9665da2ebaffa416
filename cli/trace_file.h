/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --trace FILE: each decision of a producer as a line of JSON, in the order in which they are made.
 *
 *     char why[256];
 *     kl_trace_file *f = kl_trace_file_open("trace.jsonl", why, sizeof why);
 *     kl_trace_file_watch(f, producer);                right after kloop_open()
 *     ... kloop_close(), the loop ...
 *     if (!kl_trace_file_close(f)) ...                 not all of it was written
 *
 *     {"ms":12.345,"kind":"sealed","topic":"events","partition":0,"batch":2,"why":2,"code":0,"a":3,
 *      "b":27,"text":"topic 'events' partition 0 batch 2 is sealed (linger): 3 records, 27 bytes"}
 *
 * ms counts from the first line. What a and b are: KLOOP_TRACE_MAP in <kloop/hooks.h>. Keys that
 * say nothing of a decision are left out. Whoever watches owns the file, which must outlive the
 * producer. Fails: opening, and what stdio's writes fail with, told at the close.
 */
#ifndef KL_CLI_TRACE_FILE_H
#define KL_CLI_TRACE_FILE_H

#include <kloop/hooks.h>
#include <kloop/kloop.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct kl_trace_file kl_trace_file;

/* "-" is stderr. NULL: it cannot be written, and why has a sentence that names it. */
kl_trace_file *kl_trace_file_open(const char *path, char *why, size_t size);
/* In place of all hooks that it had. f may be NULL: nothing happens. */
void kl_trace_file_watch(kl_trace_file *f, kloop_producer *p);
/* false: something could not be written. f may be NULL, and is gone. */
bool kl_trace_file_close(kl_trace_file *f);

#endif
