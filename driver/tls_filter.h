/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel of <kloop/tls.h> as a filter between a socket and the engine.
 *
 * The maker borrows the kloop_tls, which must be there until the last of its filters is deleted.
 */
#ifndef KL_DRIVER_TLS_FILTER_H
#define KL_DRIVER_TLS_FILTER_H

#include "driver/byte_filter.h"

#include <kloop/tls.h>

kl_byte_filter_maker kl_tls_filter_maker(kloop_tls *tls);

#endif
