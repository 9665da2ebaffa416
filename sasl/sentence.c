/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences; see sentence.h. */
#include "sasl/sentence.h"

#include <stdarg.h>
#include <stdio.h>

kloop_sasl_verdict kl_sentence_fail(kloop_sasl_step *step, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(step->why, sizeof step->why, format, args);
    va_end(args);
    return KLOOP_SASL_FAILED;
}

kloop_status kl_sentence_refuse(kloop_error *error, kloop_status status, const char *format, ...)
{
    if (!error)
        return status;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    error->status = status;
    return status;
}

kloop_status kl_sentence_no_memory(kloop_error *error)
{
    return kl_sentence_refuse(error, KLOOP_NO_MEMORY, "there is no memory for SASL");
}
