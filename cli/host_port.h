/* SPDX-License-Identifier: BSD-2-Clause */
/* HOST:PORT as people type it, with brackets around an IPv6 address. */
#ifndef KL_CLI_HOST_PORT_H
#define KL_CLI_HOST_PORT_H

#include <kloop/types.h>

#include <stdbool.h>
#include <stdint.h>

#define KL_HOST_MAX 256

/* host comes out without brackets, terminated. false: this is no HOST:PORT. */
bool kl_host_port_parse(kloop_string text, char host[KL_HOST_MAX], uint16_t *port);

#endif
