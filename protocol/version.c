/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of this library, as a program sees it that was compiled with another one's headers.
 */
#include <kloop/export.h>

const char *kloop_version(void)
{
    return KLOOP_VERSION;
}
