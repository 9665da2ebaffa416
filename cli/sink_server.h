/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets around a model cluster of one broker: listens, accepts, moves bytes between the sockets
 * and the cluster's peers, and rings the cluster when something of it is due.
 *
 * One thread, one libuv loop. The server owns its sockets and handles; the loop and the cluster are
 * the caller's and must live until the loop has run empty after kl_sink_server_close, which is also
 * when the server's memory is given back.
 *
 * Fails: listening, with a sentence. A connection that breaks, or for which there is no memory, is
 * closed and forgotten.
 */
#ifndef KL_CLI_SINK_SERVER_H
#define KL_CLI_SINK_SERVER_H

#include "broker/cluster.h"

#include <stdbool.h>
#include <uv.h>

/* The broker of the cluster that listens. */
#define KL_SINK_NODE 1

typedef struct kl_sink_server kl_sink_server;

/*
 * Listens on host (a name or an address) and port, 0 being any that is free. From then on the
 * cluster's Metadata names this place; where host means every address of the machine, it names the
 * machine. NULL: why says what went wrong.
 */
kl_sink_server *kl_sink_server_new(uv_loop_t *loop, kl_cluster *cluster, const char *host,
                                   uint16_t port, char *why, size_t why_size);

/* Where it listens, as "127.0.0.1:9092" or "[::1]:9092". */
const char *kl_sink_server_place(const kl_sink_server *server);

/* How many are open. */
size_t kl_sink_server_connections(const kl_sink_server *server);

/* Closes everything; the loop has to run on for that. */
void kl_sink_server_close(kl_sink_server *server);

#endif
