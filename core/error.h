/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Refusals with a sentence: filling in a kloop_error, and naming a broker's. What somebody typed
 * goes into it through base/excerpt.h, so that it cannot pass for something else on a terminal or
 * in a log.
 *
 * Nothing is owned, nothing fails; a sentence that is too long for the struct is cut.
 */
#ifndef KL_CORE_ERROR_H
#define KL_CORE_ERROR_H

#include <kloop/broker_error.h>
#include <kloop/record.h>

/* Answers status; error may be NULL. */
kloop_status kl_error_set(kloop_error *error, kloop_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define KL_ERROR_CODE_TEXT 40

/* The name of a broker's code; of one that nobody knows the number as well, since somebody may. The
 * answer is the name, or text. */
const char *kl_error_code(int16_t code, char text[KL_ERROR_CODE_TEXT]);

/* Makes it KLOOP_OK and "". */
kloop_status kl_error_clear(kloop_error *error);

#endif
