/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A view of a long text through a short buffer: the whole is said each time, of which so much is
 * left out at the front, and what does not fit any more at the end. So a text can be cut anywhere
 * without being kept anywhere.
 *
 * Borrows the buffer. Nothing fails: what has not found room is told by full.
 */
#ifndef KL_DRIVER_TEXT_WINDOW_H
#define KL_DRIVER_TEXT_WINDOW_H

#include <kloop/types.h>

#include <stdbool.h>

typedef struct kl_text_window {
    char *to;
    size_t room;
    size_t len;  /* that are in it */
    size_t skip; /* yet to be left out */
    bool full;
} kl_text_window;

void kl_text_put(kl_text_window *w, const char *bytes, size_t len);
void kl_text_put_text(kl_text_window *w, const char *text);
/* At most so much at a time. */
#define KL_TEXT_PRINT_MAX 512
void kl_text_print(kl_text_window *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* In quotes; what JSON cannot say is escaped, and bytes that are not UTF-8 become U+FFFD. */
void kl_text_put_json(kl_text_window *w, kloop_string s);
/* In quotes; as the value of a label. */
void kl_text_put_label(kl_text_window *w, kloop_string s);
/* A millionth each: "12.000345". */
void kl_text_put_millionths(kl_text_window *w, uint64_t n);

#endif
