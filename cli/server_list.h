/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entries of bootstrap.servers, one after the other, from a text that the configuration has
 * checked already: what it lets through can be read here. Nothing is owned, nothing fails.
 *
 *     for (const char *rest = servers; kl_server_list_next(&rest, host, &port);)
 */
#ifndef KL_CLI_SERVER_LIST_H
#define KL_CLI_SERVER_LIST_H

#include "cli/host_port.h"

/* false: there is none left. */
bool kl_server_list_next(const char **rest, char host[KL_HOST_MAX], uint16_t *port);

#endif
