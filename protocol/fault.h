/* SPDX-License-Identifier: BSD-2-Clause */
/* A fault in words, for tools that count bytes in another text than the one the fault was found in. */
#ifndef KL_PROTOCOL_FAULT_H
#define KL_PROTOCOL_FAULT_H

#include <kloop/fault.h>

/* As kloop_fault_text(), without the place. */
size_t kl_fault_reason(const kloop_fault *fault, char *text, size_t size);

#endif
