/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request as slices, in which only large payloads stay where they are: a slice costs the kernel
 * more than some hundred bytes do, and a request of many small batches would be little else than
 * slices. What a list of records has behind its head is copied, if that is at most copy_max bytes;
 * with 0 these are kloop_measure_request() and kloop_encode_request_slices() of <kloop/wire.h>,
 * and fail like them. Both must be told the same copy_max.
 */
#ifndef KL_PROTOCOL_REQUEST_SLICES_H
#define KL_PROTOCOL_REQUEST_SLICES_H

#include <kloop/wire.h>

kloop_status kl_request_slices_measure(int16_t api_key, int16_t version, kloop_string client_id,
                                       const void *message, size_t message_size, size_t copy_max,
                                       kloop_size *size, kloop_fault *fault);

kloop_status kl_request_slices_encode(int16_t api_key, int16_t version, int32_t correlation_id,
                                      kloop_string client_id, const void *message,
                                      size_t message_size, size_t copy_max, void *buffer,
                                      size_t capacity, kloop_slice *slices, size_t slice_count,
                                      kloop_fault *fault);

#endif
