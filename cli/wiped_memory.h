/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library's memory, zeroed before it is given back: for settings on their way from files and
 * the command line, any of which may be a password. Only memory can fail.
 */
#ifndef KL_CLI_WIPED_MEMORY_H
#define KL_CLI_WIPED_MEMORY_H

#include "base/mem.h"

extern const kloop_allocator kl_wiped_memory;

#endif
