/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the road for a broken invariant: tell the host, then abort. */
#include "base/check.h"

#include <stdlib.h>

kl_check_fn kl_check_hook;

void kl_check_failed(const char *file, int line, const char *what)
{
    if (kl_check_hook)
        kl_check_hook(file, line, what);
    abort();
}
