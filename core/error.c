/* SPDX-License-Identifier: BSD-2-Clause */
/* The only place that formats a kloop_error. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>

kloop_status kl_error_set(kloop_error *error, kloop_status status, const char *format, ...)
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

kloop_status kl_error_clear(kloop_error *error)
{
    if (error) {
        error->status = KLOOP_OK;
        error->text[0] = '\0';
    }
    return KLOOP_OK;
}
