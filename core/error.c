/* SPDX-License-Identifier: BSD-2-Clause */
/* The only place that formats a kloop_error, and broker's codes. See error.h. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>

const char *kl_error_code(int16_t code, char text[KL_ERROR_CODE_TEXT])
{
    const char *name = kloop_broker_error_name(code);
    if (kloop_broker_error_find(code))
        return name;
    snprintf(text, KL_ERROR_CODE_TEXT, "%s (%d)", name, (int)code);
    return text;
}

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
