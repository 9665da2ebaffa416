/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A decision in words, with the topic's name from elsewhere: for those who keep decisions longer
 * than the producer that made them. Owns nothing, cannot fail.
 */
#ifndef KL_DRIVER_TRACE_TEXT_H
#define KL_DRIVER_TRACE_TEXT_H

#include <kloop/hooks.h>

/* As kloop_trace_text(); topic is not looked at if the decision has none. */
size_t kl_trace_text(const kloop_trace *trace, kloop_string topic, char *text, size_t size);

#endif
