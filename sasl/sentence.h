/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why something was refused, as a sentence. No secret may go into one: what somebody has typed is
 * named by its key, what a broker has said goes through base/excerpt.h.
 *
 * Nothing is owned, nothing fails; a sentence that is too long is cut.
 */
#ifndef KL_SASL_SENTENCE_H
#define KL_SASL_SENTENCE_H

#include <kloop/sasl.h>

/* Answers KLOOP_SASL_FAILED. */
kloop_sasl_verdict kl_sentence_fail(kloop_sasl_step *step, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Answers status; error may be NULL. */
kloop_status kl_sentence_refuse(kloop_error *error, kloop_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* KLOOP_NO_MEMORY with its sentence. */
kloop_status kl_sentence_no_memory(kloop_error *error);

#endif
