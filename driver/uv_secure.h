/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes the connections of a producer safe: TLS and SASL out of its configuration, and tokens.
 *
 *     TOKEN --> the file of sasl.oauthbearer.token.endpoint.url, read at once
 *          '--> else the callback of kloop_on_token(), which answers whenever it likes
 *          '--> else a failure that names both
 *
 * Who owns what: the producer owns both, and they outlive its engine and its connections. Nothing
 * of it is there where security.protocol is PLAINTEXT.
 *
 * What can fail: opening, with a sentence; a token, which is told to the engine.
 */
#ifndef KL_DRIVER_UV_SECURE_H
#define KL_DRIVER_UV_SECURE_H

#include "driver/uv_producer.h"

/* Right after the engine is made. On anything but KLOOP_OK the producer is to be given up;
 * kl_uv_secure_close() is called in any case. */
kloop_status kl_uv_secure_open(kloop_producer *p, const kloop_config *config, kloop_error *error);
/* After the engine and the last connection are gone. */
void kl_uv_secure_close(kloop_producer *p);

/* TOKEN. The user's code may run. */
void kl_uv_secure_want_token(kloop_producer *p);
/* Tells the log what TLS has noticed. The user's code may run. */
void kl_uv_secure_tell(kloop_producer *p);

#endif
